# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed and ptp4l over UDP/IPv4, UDP/IPv6 and IEEE 802.3, in each role."""
import time

import pytest

import linuxptp
import netlab
import truth
from test_follow import PLAUSIBLE_NS, measured_by

THEIRS = {"udp4": "UDPv4", "udp6": "UDPv6", "l2": "L2"}
LONG = pytest.mark.long
LAB_CLOCK = {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm",
             "lab_wander": "2 ppb"}


def over(transport, **options):
    """Options of ptp4l for a transport, besides others."""
    return {"network_transport": THEIRS[transport], **options}


def first_short(*transports):
    """All of them; only the first in the normal run."""
    return [transports[0], *(pytest.param(name, marks=LONG) for name in transports[1:])]


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("transport", first_short("udp6", "l2", "udp4"))
def test_meantimed_follows_ptp4l(lab, transport):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", **over(transport, priority1=100))
    b = lab.meantimed("B", "eth0", ptp={"transport": transport}, clock=LAB_CLOCK)
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))
    assert b.port()["link"]["stamps_missing"] == 0


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("transport", first_short("l2", "udp6", "udp4"))
def test_ptp4l_follows_meantimed(lab, transport):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "transport": transport},
                      clock=LAB_CLOCK)
    b = lab.ptp4l("B", "eth0", **over(transport, slaveOnly=1))
    b.wait_state(*linuxptp.FOLLOWS)
    assert netlab.wait_until(lambda: measured_by(b), 10)
    time.sleep(1)
    offset_ns, at_ns = measured_by(b)
    page, at_base_ns = a.page(), at_ns - truth.clock_page.realtime_ahead_ns()
    true_ns = truth.kernel_ns(page, at_base_ns) - page.time_ns(at_base_ns)
    assert abs(offset_ns - true_ns) < PLAUSIBLE_NS, f"{offset_ns} against {true_ns}"
    delay_ns = float(b.management("GET CURRENT_DATA_SET")["meanPathDelay"])
    assert 0 < delay_ns < PLAUSIBLE_NS


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("above, below", [
    ("l2", "udp6"), *(pytest.param(above, below, marks=LONG) for above, below in [
        ("udp6", "l2"), ("udp4", "l2"), ("udp4", "udp4"), ("udp6", "udp6"), ("l2", "l2")])])
def test_meantimed_is_a_boundary_clock_between_two_ptp4l(lab, above, below):
    lab.chain("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", **over(above, priority1=100))
    b = lab.ptp4l("B", "eth0", **over(below, priority1=110))
    bc = lab.meantimed("BC", "eth0", "eth1", clock=LAB_CLOCK, ports={
        "eth0": {"transport": above}, "eth1": {"transport": below}})
    bc.wait_state("RECEIVER", "eth0")
    bc.wait_state("TRANSMITTER", "eth1")
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_inside(truth.hold(bc, seconds=2))
    assert netlab.wait_until(lambda: measured_by(b), 5)
    assert abs(measured_by(b)[0]) < PLAUSIBLE_NS  # all follow the kernel's clock
    assert b.management("GET PARENT_DATA_SET")["grandmasterIdentity"] == \
        a.management("GET DEFAULT_DATA_SET")["clockIdentity"]


@pytest.mark.long
@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport", ["udp6", "l2"])
def test_ptp4l_is_a_boundary_clock_between_two_meantimed(lab, transport):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "transport": transport})
    bc = lab.ptp4l("BC", "eth0", "eth1", **over(transport))
    b = lab.meantimed("B", "eth0", ptp={"transport": transport}, clock=LAB_CLOCK)
    bc.wait_state(*linuxptp.FOLLOWS, port=1)
    bc.wait_state("MASTER", port=2)
    b.wait_state("RECEIVER")
    instance = b.instance()
    assert instance["grandmaster"]["clock_identity"] == a.instance()["clock_identity"]
    assert instance["steps_removed"] == 2


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
