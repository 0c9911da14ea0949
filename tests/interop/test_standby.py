# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed follows two ptp4l in two domains with one clock, in hot standby."""
import re
import signal

import pytest

import truth
from patience import wait_settled

INSTANCES = {
    "instance here": {"hot_standby": "primary", "receiver_only": "yes"},
    "instance there": {"hot_standby": "secondary", "receiver_only": "yes", "domain": 1},
    "port a": {"interface": "eth0", "instance": "here"},
    "port b": {"interface": "eth0", "instance": "there"},
}
LEFT = "steered by instance there now, was here"


def standby(daemon):
    return daemon.status()["clocks"][0]["standby"]


@pytest.mark.lab(seconds=25)
def test_the_secondary_takes_over_when_the_primary_ptp4l_is_killed(lab):
    lab.star("M1", "M2", "R")
    masters = [lab.ptp4l(name, "eth0", domainNumber=domain, logAnnounceInterval=-2,
                         logSyncInterval=-3, priority1=100)
               for domain, name in enumerate(("M1", "M2"))]
    r = lab.meantimed("R", clock={"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm",
                                  "standby_wait": "3s", "standby_max_difference": "1ms"},
                      more_sections=INSTANCES)
    r.wait_state("RECEIVER", "a")
    r.wait_until(lambda: standby(r)["redundant"], "both instances are good")
    clock = r.status()["clocks"][0]
    told, steps = clock["standby"], clock["steps"]
    left_before = r.log().count(LEFT)
    assert told["active"] == "here" and told["reason"] == "it is the primary"

    with truth.Recorder(r) as recorder:  # both serve the kernel's time
        assert masters[0].stop(signal.SIGKILL) == -signal.SIGKILL
        assert wait_settled(lambda: standby(r)["active"] == "there", 2), standby(r)
    truth.assert_inside(recorder.readings)
    assert not standby(r)["redundant"]
    r.wait_state("LISTENING", "a")
    after = r.log().rpartition(LEFT)[2]  # in the order in which it comes about
    assert re.search(r"port a: UNCALIBRATED, was RECEIVER.*follows nobody now.*port a: LISTENING, "
                     r"was UNCALIBRATED", after, re.DOTALL), after
    assert "port a: RECEIVER" not in after and "Delay_Req" not in after
    shown = r.tool("status", "--run-directory", r.directory).stdout
    assert "hot standby   instance there steers: the other one" in shown
    assert LEFT in r.log()

    masters[0].start()
    r.wait_until(lambda: standby(r)["active"] == "here", "the primary steers again")
    left = r.log().count(LEFT) - left_before  # more than once if ptp4l stalls
    clock = r.status()["clocks"][0]
    assert left >= 1
    assert clock["steps"] == steps and clock["standby"]["switches"] == told["switches"] + 2 * left
    r.wait_until(lambda: standby(r)["redundant"], "both are good again")
