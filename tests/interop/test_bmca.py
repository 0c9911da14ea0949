# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed and ptp4l agree about the better clock, member by member of the data set."""
import pytest

import linuxptp
from patience import wait_settled, wait_until

IDENTITY = {"low": "000001.0000.000001", "high": "ffff00.0000.000002"}
SETTLED_S = 0.8  # with announce intervals of 1/8 s
NAMES = {"priority1": "priority1", "clock_class": "clockClass", "clock_accuracy": "clockAccuracy",
         "offset_scaled_log_variance": "offsetScaledLogVariance", "priority2": "priority2"}

# meantimed's values, ptp4l's values, the identity that meantimed has (ptp4l has the other one),
# who is the grandmaster
CASES = [
    ({"priority1": 127}, {}, "high", "meantimed"),
    ({}, {"priority1": 127}, "low", "ptp4l"),
    ({"priority1": 0}, {"priority1": 255, "clock_class": 6}, "high", "meantimed"),
    ({"priority1": 1, "clock_class": 255}, {"priority1": 2}, "high", "meantimed"),
    ({"clock_class": 187}, {}, "high", "meantimed"),
    ({"clock_class": 255}, {}, "low", "ptp4l"),
    ({"clock_class": 6}, {"clock_class": 7}, "high", "meantimed"),
    ({"clock_class": 13}, {"clock_class": 6}, "low", "ptp4l"),
    ({"clock_class": 127}, {"clock_class": 128}, "high", "meantimed"),
    ({"clock_class": 248}, {"clock_class": 127}, "low", "ptp4l"),
    ({"clock_accuracy": 0x21}, {"clock_accuracy": 0x22}, "high", "meantimed"),
    ({"clock_accuracy": 0xFE}, {"clock_accuracy": 0x31}, "low", "ptp4l"),
    ({"clock_class": 6, "clock_accuracy": 0x20, "priority2": 1},
     {"clock_class": 6, "clock_accuracy": 0x1F}, "low", "ptp4l"),
    ({"offset_scaled_log_variance": 0x4E5D}, {"offset_scaled_log_variance": 0x4E5E}, "high",
     "meantimed"),
    ({}, {"offset_scaled_log_variance": 0x8000}, "low", "ptp4l"),
    ({"offset_scaled_log_variance": 0, "priority2": 255}, {"priority2": 0}, "high", "meantimed"),
    ({"priority2": 127}, {}, "high", "meantimed"),
    ({"priority2": 255}, {"priority2": 254}, "low", "ptp4l"),
    ({}, {}, "low", "meantimed"),
    ({}, {}, "high", "ptp4l"),
]


def case_name(case):
    ours, theirs, identity, _ = case
    return "{} against {}, {} identity".format(
        *("-".join(f"{key}={value}" for key, value in values.items()) or "defaults"
          for values in (ours, theirs)), identity)


def expected_states(ours, theirs, winner):
    """(meantimed's, ptp4l's) possible states.  A loser of class 1 to 127 does not follow."""
    loser_class = (ours if winner == "ptp4l" else theirs).get("clock_class", 248)
    follows = ("PASSIVE",) if loser_class < 128 else (*linuxptp.FOLLOWS, "RECEIVER")
    return (("TRANSMITTER",), follows) if winner == "meantimed" else (follows, ("MASTER",))


@pytest.mark.lab(seconds=4)
@pytest.mark.parametrize("ours, theirs, identity, winner", CASES, ids=map(case_name, CASES))
def test_meantimed_and_ptp4l_agree_on_the_grandmaster(lab, ours, theirs, identity, winner):
    other = "high" if identity == "low" else "low"
    lab.chain("A", "B")
    b = lab.ptp4l("B", "eth0", clockIdentity=IDENTITY[other], logAnnounceInterval=-3,
                  announceReceiptTimeout=10,
                  **{NAMES[key]: value for key, value in theirs.items()})
    a = lab.meantimed("A", "eth0", ptp={"clock_identity": IDENTITY[identity],
                                        "log_announce_interval": -3,
                                        "announce_receipt_timeout": 10, **ours})
    expected = expected_states(ours, theirs, winner)

    def agree():
        return a.states().get("eth0") in expected[0] and b.states().get(1) in expected[1]
    assert wait_settled(agree, SETTLED_S), (a.states(), b.states())
    grandmaster = IDENTITY[identity if winner == "meantimed" else other]

    def is_parent():
        parent = b.management("GET PARENT_DATA_SET")
        return parent["grandmasterIdentity"] == grandmaster or "PASSIVE" in expected[1]
    assert wait_until(is_parent), b.management("GET PARENT_DATA_SET")
