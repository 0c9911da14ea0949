# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed and ptp4l over UDP/IPv4, UDP/IPv6 and IEEE 802.3, in each role, end to end and peer
to peer.  The normal run has one of each role."""
import itertools

import pytest

import linuxptp
import truth
from patience import wait_until

THEIRS = {"udp4": "UDPv4", "udp6": "UDPv6", "l2": "L2"}
LONG = pytest.mark.long
LAB_CLOCK = {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm",
             "lab_wander": "2 ppb"}


def over(transport, mechanism="e2e", **options):
    """Options of ptp4l for a transport and a delay mechanism, besides others."""
    return {"network_transport": THEIRS[transport], "delay_mechanism": mechanism.upper(),
            **options}


def ours(transport, mechanism="e2e", **options):
    """The same for [ptp] of meantimed."""
    return {"transport": transport, "delay_mechanism": mechanism, **options}


def all_of(*short):
    """All transports with both mechanisms; only those in the normal run."""
    return [pytest.param(*case, marks=() if case in short else LONG)
            for case in itertools.product(THEIRS, ("e2e", "p2p"))]


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("transport, mechanism", all_of(("udp6", "e2e")))
def test_meantimed_follows_ptp4l(lab, transport, mechanism):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", **over(transport, mechanism, priority1=100))
    b = lab.meantimed("B", "eth0", ptp=ours(transport, mechanism), clock=LAB_CLOCK)
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))
    assert b.port()["link"]["stamps_missing"] == 0


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("transport, mechanism", all_of(("l2", "e2e")))
def test_ptp4l_follows_meantimed(lab, transport, mechanism):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp=ours(transport, mechanism, priority1=100),
                      clock=LAB_CLOCK)
    b = lab.ptp4l("B", "eth0", **over(transport, mechanism, slaveOnly=1))
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)
    where, what = {"e2e": ("CURRENT_DATA_SET", "meanPathDelay"),
                   "p2p": ("PORT_DATA_SET", "peerMeanPathDelay")}[mechanism]

    def delay_ns():
        return float(b.management(f"GET {where}")[what])
    assert wait_until(lambda: 0 < delay_ns() < truth.PLAUSIBLE_NS), delay_ns()


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("above, below, mechanism", [
    ("l2", "udp6", "e2e"), *(pytest.param(*case, marks=LONG) for case in [
        ("udp6", "l2", "e2e"), ("udp4", "l2", "p2p"), ("udp4", "udp4", "p2p"),
        ("udp6", "udp6", "e2e"), ("udp6", "udp6", "p2p"), ("l2", "l2", "e2e"),
        ("l2", "l2", "p2p")])])
def test_meantimed_is_a_boundary_clock_between_two_ptp4l(lab, above, below, mechanism):
    lab.chain("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", **over(above, mechanism, priority1=100))
    b = lab.ptp4l("B", "eth0", **over(below, mechanism, priority1=110))
    bc = lab.meantimed("BC", "eth0", "eth1", clock=LAB_CLOCK, ports={
        "eth0": ours(above, mechanism), "eth1": ours(below, mechanism)})
    bc.wait_state("RECEIVER", "eth0")
    bc.wait_state("TRANSMITTER", "eth1")
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_inside(truth.hold(bc, seconds=2))
    truth.assert_measured(b)  # all follow the kernel's clock
    assert b.management("GET PARENT_DATA_SET")["grandmasterIdentity"] == \
        a.management("GET DEFAULT_DATA_SET")["clockIdentity"]


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport, mechanism", all_of())
def test_ptp4l_is_a_boundary_clock_between_two_meantimed(lab, transport, mechanism):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", ptp=ours(transport, mechanism, priority1=100))
    bc = lab.ptp4l("BC", "eth0", "eth1", **over(transport, mechanism))
    b = lab.meantimed("B", "eth0", ptp=ours(transport, mechanism), clock=LAB_CLOCK)
    bc.wait_state(*linuxptp.FOLLOWS, port=1)
    bc.wait_state("MASTER", port=2)
    b.wait_state("RECEIVER")
    instance = b.instance()
    assert instance["grandmaster"]["clock_identity"] == a.instance()["clock_identity"]
    assert instance["steps_removed"] == 2


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport, mechanism", all_of())
def test_meantimed_is_a_transparent_clock_between_two_ptp4l(lab, transport, mechanism):
    lab.chain("A", "TC", "B")
    a = lab.ptp4l("A", "eth0", **over(transport, mechanism, priority1=100))
    b = lab.ptp4l("B", "eth0", **over(transport, mechanism, priority1=110))
    lab.meantimed("TC", "eth0", "eth1", clock=LAB_CLOCK, ptp=ours(
        transport, mechanism, clock_type=f"{mechanism}_transparent"))
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b)
    assert b.management("GET CURRENT_DATA_SET")["stepsRemoved"] == "1"
    identity = a.management("GET DEFAULT_DATA_SET")["clockIdentity"]
    assert b.management("GET PARENT_DATA_SET")["parentPortIdentity"] == f"{identity}-1"


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport, mechanism", all_of())
def test_ptp4l_is_a_transparent_clock_between_two_meantimed(lab, transport, mechanism):
    lab.chain("A", "TC", "B")
    a = lab.meantimed("A", "eth0", ptp=ours(transport, mechanism, priority1=100))
    lab.ptp4l("TC", "eth0", "eth1",
              **over(transport, mechanism, clock_type=f"{mechanism.upper()}_TC"))
    b = lab.meantimed("B", "eth0", ptp=ours(transport, mechanism), clock=LAB_CLOCK)
    b.wait_state("RECEIVER")
    assert b.instance()["steps_removed"] == 1
    truth.assert_inside(truth.hold(b, a, seconds=2))


@pytest.mark.lab(seconds=12)
def test_meantimed_follows_in_two_domains_over_one_interface(lab):
    """Two clocks, each following the ptp4l of its own domain, over one pair of sockets."""
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", **over("l2", priority1=100, domainNumber=0))
    b = lab.meantimed("B", "eth0", ptp={"transport": "l2"}, clock=LAB_CLOCK, more_sections={
        "instance five": {"domain": 5, "clock": "five", "priority1": 100},
        "clock five": {"clock": "lab", "lab_offset": "0.3 s"},
        "port second": {"interface": "eth0", "instance": "five"}})
    b.wait_state("RECEIVER")
    other = b.status()["instances"][1]
    assert other["ports"][0]["state"] == "TRANSMITTER"  # domain 5 is its own
    truth.assert_inside(truth.hold(b, seconds=2))
    ports = [instance["ports"][0] for instance in b.status()["instances"]]
    assert ports[0]["link"] == ports[1]["link"]  # the sockets' counters


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_ptp4l_of_two_transports_meet_over_one_interface_of_meantimed(lab):
    """A boundary clock with both ports on one interface: UDP/IPv4 above, IEEE 802.3 below."""
    lab.star("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", **over("udp4", priority1=100))
    b = lab.ptp4l("B", "eth0", **over("l2", slaveOnly=1))
    bc = lab.meantimed("BC", "eth0", clock=LAB_CLOCK, ports={"eth0": {"transport": "udp4"}},
                       more_sections={"port below": {"interface": "eth0", "transport": "l2"}})
    bc.wait_state("RECEIVER", "eth0")
    bc.wait_state("TRANSMITTER", "below")
    b.wait_state(*linuxptp.FOLLOWS)
    assert b.management("GET PARENT_DATA_SET")["grandmasterIdentity"] == \
        a.management("GET DEFAULT_DATA_SET")["clockIdentity"]
