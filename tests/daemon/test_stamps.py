# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Transmit timestamps that do not come (linuxptp: the port is faulty for 16 s)."""
import os

import pytest

import truth
from test_defects import LAB_CLOCK

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lose_stamps.c")


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("lost_of_ten", [3, pytest.param(8, marks=pytest.mark.long)])
def test_missing_transmit_timestamps_do_no_harm(lab, lost_of_ten):
    shim = lab.compile(SOURCE, "-shared", "-fPIC", "-ldl")
    losing = {"LD_PRELOAD": shim, "LOSE": str(lost_of_ten),
              "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, environment=losing)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, environment=losing)
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, a, seconds=5))
    for daemon in (a, b):
        daemon.wait_for(lambda d=daemon: d.port()["counters"]["tx_stamp_lost"] >= 3
                        and d.port()["link"]["stamps_missing"] >= 3, 60, "misses stamps")
        assert "FAULTY" not in daemon.log()


@pytest.mark.lab(seconds=8)
def test_no_transmit_timestamp_at_all_does_no_harm(lab):
    """A receiver without them has no delay, so it never claims to be locked; it does not end."""
    shim = lab.compile(SOURCE, "-shared", "-fPIC", "-ldl")
    losing = {"LD_PRELOAD": shim, "LOSE": "10",
              "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    lab.chain("A", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, environment=losing)
    b.wait_state("UNCALIBRATED")
    readings = truth.hold(b, seconds=4)
    assert b.states() == {"eth0": "UNCALIBRATED"}
    assert not [reading for reading in readings if reading.state == "locked"]
