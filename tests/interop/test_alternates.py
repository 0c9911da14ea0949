# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Alternate transmitters beside ptp4l as the best one."""
import pytest

from patience import wait_until

LIMIT_NS = 200_000  # software stamps of three daemons, on a busy machine


@pytest.mark.lab(seconds=20)
def test_an_alternate_is_heard_and_measured_but_not_followed(lab):
    lab.star("M", "A", "R")
    m = lab.ptp4l("M", "eth0", logAnnounceInterval=-2, logSyncInterval=-3, priority1=100)
    a = lab.meantimed("A", "eth0", clock={"clock": "lab", "lab_offset": "0.2 s"},
                      ptp={"alternate_transmitters": 1, "alternate_sync": "yes",
                           "log_alternate_sync_interval": -2, "priority1": 110})
    r = lab.meantimed("R", "eth0", clock={"clock": "lab", "lab_offset": "-0.3 s"},
                      ptp={"receiver_only": "yes"})
    for daemon in (a, r):
        daemon.wait_state("RECEIVER")
        daemon.wait_locked()
    identity = f'{a.instance()["clock_identity"]}-1'

    def offset():
        return r.port()["alternate"]["heard_offset_ns"].get(identity)
    assert wait_until(lambda: offset() is not None and abs(offset()) < LIMIT_NS)
    assert a.port()["alternate"]["sending"] and not r.port()["alternate"]["sending"]
    assert r.instance()["parent"]["clock_identity"] == a.instance()["parent"]["clock_identity"]
    shown = r.tool("status", "--run-directory", r.directory).stdout
    assert f"next:     {identity}, this clock is at " in shown
    shown = a.tool("pmc", "--run-directory", a.directory, "GET ALTERNATE_MASTER").stdout
    assert "numberOfAlternateMasters" in shown and "NOT_SUPPORTED" not in shown
    assert m.is_running()
