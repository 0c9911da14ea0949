# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Transparent clocks: meantimed between two ptp4l, ptp4l between two meantimed."""
import pytest

import linuxptp
import truth
from patience import wait_until

E2E, P2P = "e2e_transparent", "p2p_transparent"
LAB = {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm"}
# what meantimed and ptp4l call it
TRANSPORTS = {"udp4": "UDPv4", "udp6": "UDPv6", "l2": "L2"}
MECHANISMS = {E2E: "E2E", P2P: "P2P"}


def every(chosen):
    """All kinds over all transports; one of them in the normal run."""
    return [pytest.param(kind, transport, id=f"{MECHANISMS[kind]}-{transport}",
                         marks=[] if (kind, transport) == chosen else pytest.mark.long)
            for kind in MECHANISMS for transport in TRANSPORTS]


def passage(tc):
    return tc.instance()["transparent"]


def ptp4l_options(kind, transport, **more):
    return {"delay_mechanism": MECHANISMS[kind], "network_transport": TRANSPORTS[transport],
            "logMinPdelayReqInterval": -2, **more}


def meantimed_options(kind, transport, **more):
    return {"delay_mechanism": MECHANISMS[kind].lower(), "transport": transport,
            "log_min_pdelay_req_interval": -2, **more}


def assert_follows_through(a, tc, b):
    """What ptp4l b measures is what ptp4l a sends, with none of the queueing inside tc left."""
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b)
    assert b.management("GET CURRENT_DATA_SET")["stepsRemoved"] == "1"
    identity = a.management("GET DEFAULT_DATA_SET")["clockIdentity"]
    assert b.management("GET PARENT_DATA_SET")["parentPortIdentity"] == f"{identity}-1"
    assert wait_until(lambda: 0 < b.delay_ns() < passage(tc)["residence_mean_ns"]), \
        (b.delay_ns(), passage(tc))
    assert passage(tc)["counters"]["given_up"] == 0
    shown = tc.tool("status", "--socket", tc.socket).stdout
    assert "forwarded" in shown and "inside for" in shown


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("kind, transport", every((E2E, "udp4")))
def test_ptp4l_follows_ptp4l_when_meantimed_is_a_transparent_clock_between(lab, kind, transport):
    lab.chain("A", "TC", "B")
    a = lab.ptp4l("A", "eth0", **ptp4l_options(kind, transport, priority1=100))
    b = lab.ptp4l("B", "eth0", **ptp4l_options(kind, transport, priority1=110))
    tc = lab.meantimed("TC", "eth0", "eth1", clock=LAB,
                       ptp=meantimed_options(kind, transport, clock_type=kind))
    tc.wait_state("RECEIVER", "eth0")
    assert_follows_through(a, tc, b)


@pytest.mark.long
@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("syntonise", ["ratio", "no"])
def test_ptp4l_follows_ptp4l_when_the_transparent_clock_is_not_steered(lab, syntonise):
    lab.chain("A", "TC", "B")
    a = lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110)
    tc = lab.meantimed("TC", "eth0", "eth1", clock=LAB,
                       ptp={"clock_type": E2E, "syntonise": syntonise})
    assert_follows_through(a, tc, b)


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("kind, transport", every((P2P, "udp4")))
def test_meantimed_follows_meantimed_when_ptp4l_is_a_transparent_clock_between(lab, kind,
                                                                               transport):
    lab.chain("A", "TC", "B")
    a = lab.meantimed("A", "eth0", clock={**LAB, "lab_offset": "0.2 s"},
                      ptp=meantimed_options(kind, transport, priority1=100))
    lab.ptp4l("TC", "eth0", "eth1",
              **ptp4l_options(kind, transport, clock_type=f"{MECHANISMS[kind]}_TC"))
    b = lab.meantimed("B", "eth0", clock={**LAB, "lab_frequency": "-20 ppm"},
                      ptp=meantimed_options(kind, transport))
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
    truth.assert_measured(b)
    assert tc.instance()["receiving_port"] == 0


@pytest.mark.long
@pytest.mark.lab(seconds=15)
@pytest.mark.parametrize("kind", [E2E, P2P])
def test_three_transparent_clocks_in_a_row_leave_no_queueing(lab, kind):
    lab.nodes("A", "T1", "T2", "T3", "B")
    for left, right in (("A", "T1"), ("T1", "T2"), ("T2", "T3"), ("T3", "B")):
        lab.link(left, "eth0" if left == "A" else "eth1", right, "eth0")
    lab.wait_for_links()
    a = lab.meantimed("A", "eth0", clock={"clock": "lab"},
                      ptp=meantimed_options(kind, "udp4", priority1=100))
    clocks = [lab.meantimed(name, "eth0", "eth1",
                            ptp=meantimed_options(kind, "udp4", clock_type=kind),
                            clock={"clock": "lab", "lab_frequency": f"{place * 7} ppm"})
              for place, name in enumerate(("T1", "T2", "T3"))]
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_frequency": "30 ppm"},
                      ptp=meantimed_options(kind, "udp4"))
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, a, seconds=3))
    for clock in clocks:
        assert passage(clock)["residence_min_ns"] > 1000


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport", ["udp4", pytest.param("l2", marks=pytest.mark.long)])
def test_unicast_requests_pass_a_transparent_clock_when_ptp4l_asks_for_delay_alone(lab, transport):
    lab.chain("A", "TC", "B")
    network = TRANSPORTS[transport]
    a = lab.ptp4l("A", "eth0", priority1=100, network_transport=network, hybrid_e2e=1)
    tc = lab.meantimed("TC", "eth0", "eth1", clock=LAB,
                       ptp={"clock_type": E2E, "transport": transport})
    tc.wait_state("RECEIVER", "eth0")
    b = lab.ptp4l("B", "eth0", slaveOnly=1, network_transport=network, hybrid_e2e=1)
    assert_follows_through(a, tc, b)
    assert passage(tc)["counters"]["unicast"] == 0


@pytest.mark.lab(seconds=12)
def test_unicast_requests_pass_two_transparent_clocks_when_meantimed_asks_for_delay_alone(lab):
    lab.chain("A", "TC1", "TC2", "B")
    lab.ptp4l("A", "eth0", priority1=100, hybrid_e2e=1)
    clocks = [lab.meantimed(name, "eth0", "eth1", clock=LAB, ptp={"clock_type": E2E})
              for name in ("TC1", "TC2")]
    b = lab.meantimed("B", "eth0", clock={**LAB, "lab_frequency": "-20 ppm"},
                      ptp={"unicast": "hybrid"})
    b.wait_state("RECEIVER", "eth0")
    truth.assert_inside(truth.hold(b, seconds=3))
    for tc in clocks:
        assert passage(tc)["counters"]["unicast"] == 0
        assert passage(tc)["counters"]["forwarded"] > 10
