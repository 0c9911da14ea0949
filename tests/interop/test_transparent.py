# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Transparent clocks: meantimed between two ptp4l, ptp4l between two meantimed."""
import pytest

import linuxptp
import netlab
import truth
from test_follow import PLAUSIBLE_NS, measured_by

E2E = "e2e_transparent"


def residence(tc):
    return tc.instance()["transparent"]


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("syntonise", [
    "yes", pytest.param("ratio", marks=pytest.mark.long),
    pytest.param("no", marks=pytest.mark.long)])
def test_ptp4l_follows_ptp4l_when_meantimed_is_a_transparent_clock_between(lab, syntonise):
    lab.chain("A", "TC", "B")
    a = lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110)
    tc = lab.meantimed("TC", "eth0", "eth1", ptp={"clock_type": E2E, "syntonise": syntonise},
                       clock={"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm"})
    tc.wait_state("UNCALIBRATED" if syntonise != "yes" else "RECEIVER", "eth0")
    b.wait_state(*linuxptp.FOLLOWS)
    assert netlab.wait_until(lambda: measured_by(b), 8)
    print(measured_by(b), residence(tc))
    assert abs(measured_by(b)[0]) < PLAUSIBLE_NS
    assert b.management("GET CURRENT_DATA_SET")["stepsRemoved"] == "1"
    identity = a.management("GET DEFAULT_DATA_SET")["clockIdentity"]
    assert b.management("GET PARENT_DATA_SET")["parentPortIdentity"] == f"{identity}-1"
    # queueing inside is many times what the links take, and none of it is left
    wait_ns = residence(tc)["residence_mean_ns"]
    delay_ns = float(b.management("GET CURRENT_DATA_SET")["meanPathDelay"])
    assert 0 < delay_ns < wait_ns, residence(tc)
    assert residence(tc)["counters"]["unmatched"] == 0


@pytest.mark.lab(seconds=12)
def test_meantimed_follows_meantimed_when_ptp4l_is_a_transparent_clock_between(lab):
    lab.chain("A", "TC", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100},
                      clock={"clock": "lab", "lab_offset": "0.2 s", "lab_frequency": "10 ppm"})
    lab.ptp4l("TC", "eth0", "eth1", clock_type="E2E_TC")
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_offset": "-0.4 s",
                                          "lab_frequency": "-20 ppm"})
    b.wait_state("RECEIVER")
    assert b.instance()["steps_removed"] == 1
    truth.assert_inside(truth.hold(b, a, seconds=3))


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_another_domain_passes_a_transparent_clock(lab):
    lab.chain("A", "TC", "B")
    lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110)
    tc = lab.meantimed("TC", "eth0", "eth1", ptp={"clock_type": E2E, "domain": 5})
    b.wait_state(*linuxptp.FOLLOWS)
    assert netlab.wait_until(lambda: measured_by(b), 8)
    assert abs(measured_by(b)[0]) < PLAUSIBLE_NS
    assert tc.instance()["receiving_port"] == 0


@pytest.mark.long
@pytest.mark.lab(seconds=15)
def test_three_transparent_clocks_in_a_row_leave_no_queueing(lab):
    lab.nodes("A", "T1", "T2", "T3", "B")
    for left, right in (("A", "T1"), ("T1", "T2"), ("T2", "T3"), ("T3", "B")):
        lab.link(left, "eth0" if left == "A" else "eth1", right, "eth0")
    lab.wait_for_links()
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, clock={"clock": "lab"})
    clocks = [lab.meantimed(name, "eth0", "eth1", ptp={"clock_type": E2E},
                            clock={"clock": "lab", "lab_frequency": f"{place * 7} ppm"})
              for place, name in enumerate(("T1", "T2", "T3"))]
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_frequency": "30 ppm"})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, a, seconds=3))
    for clock in clocks:
        assert residence(clock)["residence_min_ns"] > 1000
