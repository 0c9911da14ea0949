# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed follows two ptp4l in two domains with one clock, in hot standby."""
import signal
import time

import pytest

import netlab

INSTANCES = {
    "instance here": {"hot_standby": "primary", "receiver_only": "yes"},
    "instance there": {"hot_standby": "secondary", "receiver_only": "yes", "domain": 1},
    "port a": {"interface": "eth0", "instance": "here"},
    "port b": {"interface": "eth0", "instance": "there"},
}
SHIFT_LIMIT_NS = 100_000  # software stamps of two daemons, on a busy machine


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
    r.wait_for(lambda: standby(r)["redundant"], 20, "both instances are good")
    assert standby(r)["active"] == "here" and standby(r)["reason"] == "it is the primary"
    steps, switches = r.status()["clocks"][0]["steps"], standby(r)["switches"]

    assert masters[0].stop(signal.SIGKILL) == -signal.SIGKILL
    r.wait_for(lambda: standby(r)["active"] == "there", 5, "the secondary steers")
    offsets = []
    for _ in range(20):
        time.sleep(0.1)
        clock = r.status()["clocks"][0]
        offsets.append(abs(clock["offset_ns"]))
        assert clock["state"] == "locked"
    assert max(offsets) < SHIFT_LIMIT_NS
    assert not standby(r)["redundant"]
    shown = r.tool("status", "--run-directory", r.directory).stdout
    assert "hot standby   instance there steers: the other one" in shown
    assert "steered by instance there now, was here" in r.log()

    masters[0].start()
    r.wait_for(lambda: standby(r)["active"] == "here", 20, "the primary steers again")
    clock = r.status()["clocks"][0]
    assert clock["steps"] == steps and clock["standby"]["switches"] == switches + 2
    assert netlab.wait_until(lambda: standby(r)["redundant"], 5)
