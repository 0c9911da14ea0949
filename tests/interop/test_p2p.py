# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The peer-to-peer delay mechanism between meantimed and ptp4l."""
import pytest

import frames
import linuxptp
import truth
from patience import wait_settled, wait_until

P2P = {"delay_mechanism": "p2p", "log_min_pdelay_req_interval": -3}
PTP4L = {"delay_mechanism": "P2P", "logMinPdelayReqInterval": -3}
LONGEST_NS = 3_000_000  # of a veth on a busy machine, software stamps included


def link_of(meantimed, interface="eth0"):
    return meantimed.port(interface)["peer"]


def wait_for_neighbour(meantimed, identity, interface="eth0"):
    """Until the port has measured its link to the clock that ptp4l or meantimed calls so."""
    def is_measured():
        peer = link_of(meantimed, interface)
        return peer["port_identity"] is not None and \
            frames.identity_of(peer["port_identity"].rsplit("-", 1)[0]) == \
            frames.identity_of(identity) and 0 < (peer["mean_link_delay_ns"] or 0) < LONGEST_NS
    assert wait_until(is_measured), link_of(meantimed, interface)


def identity_of(ptp4l):
    return ptp4l.management("GET DEFAULT_DATA_SET")["clockIdentity"]


def assert_no_delay_req(meantimed, interface="eth0"):
    counters = meantimed.port(interface)["counters"]
    assert counters["sent_delay_req"] == 0 and counters["sent_delay_resp"] == 0


def assert_has_delay(ptp4l):
    """It has measured its link, too."""
    def delay_ns():
        return float(ptp4l.management("GET PORT_DATA_SET")["peerMeanPathDelay"])
    assert wait_until(lambda: 0 < delay_ns() < LONGEST_NS), delay_ns()


@pytest.mark.lab(seconds=15)
def test_p2p_boundary_meantimed_serves_its_grandmaster_s_time_when_between_two_ptp4l(lab):
    lab.chain("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", priority1=100, **PTP4L)
    b = lab.ptp4l("B", "eth0", priority1=110, **PTP4L)
    bc = lab.meantimed("BC", "eth0", "eth1", ptp=P2P, clock={
        "clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm", "lab_wander": "2 ppb"})
    bc.wait_state("RECEIVER", "eth0")
    bc.wait_state("TRANSMITTER", "eth1")
    b.wait_state(*linuxptp.FOLLOWS)
    wait_for_neighbour(bc, identity_of(a), "eth0")
    wait_for_neighbour(bc, identity_of(b), "eth1")  # also where it transmits
    truth.assert_inside(truth.hold(bc, seconds=3))
    truth.assert_measured(b)
    assert_has_delay(b)
    assert b.management("GET CURRENT_DATA_SET")["stepsRemoved"] == "2"
    for interface in ("eth0", "eth1"):
        assert_no_delay_req(bc, interface)
        assert wait_until(lambda interface=interface: bc.port(interface)["peer_counters"][
            "sent_pdelay_resp_follow_up"] > 10), bc.port(interface)["peer_counters"]
    done = bc.tool("--run-directory", bc.directory, "status")
    assert done.stdout.count("link:     delay") == 2, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("offset, frequency", [("0.9 s", "-40 ppm"), ("-80000 s", "200 ppm")])
@pytest.mark.parametrize("interval", [-3, 0])
def test_p2p_meantimed_follows_ptp4l_when_its_clock_is_off(lab, offset, frequency, interval):
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", priority1=100, delay_mechanism="P2P",
                  logMinPdelayReqInterval=interval)
    b = lab.meantimed("B", "eth0", ptp={**P2P, "log_min_pdelay_req_interval": interval},
                      clock={"clock": "lab", "lab_offset": offset, "lab_frequency": frequency,
                             "lab_wander": "2 ppb"})
    b.wait_state("RECEIVER")
    wait_for_neighbour(b, identity_of(a))
    truth.assert_inside(truth.hold(b, seconds=4))
    assert_no_delay_req(b)


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_p2p_ptp4l_measures_the_true_offset_when_it_follows_meantimed(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={**P2P, "priority1": 100},
                      clock={"clock": "lab", "lab_offset": "0.25 s", "lab_frequency": "30 ppm"})
    b = lab.ptp4l("B", "eth0", slaveOnly=1, **PTP4L)
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)
    assert_has_delay(b)
    wait_for_neighbour(a, identity_of(b))


@pytest.mark.long
@pytest.mark.lab(seconds=15)
def test_p2p_two_meantimed_agree_when_ptp4l_is_between_them(lab):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", ptp={**P2P, "priority1": 100, "clock_class": 6})
    bc = lab.ptp4l("BC", "eth0", "eth1", **PTP4L)
    b = lab.meantimed("B", "eth0", ptp=P2P, clock={"clock": "lab", "lab_offset": "0.4 s",
                                                   "lab_frequency": "30 ppm"})
    bc.wait_state(*linuxptp.FOLLOWS, port=1)
    bc.wait_state("MASTER", port=2)
    b.wait_state("RECEIVER")
    wait_for_neighbour(a, identity_of(bc))
    wait_for_neighbour(b, identity_of(bc))
    b.wait_until(lambda: b.instance()["grandmaster"]["clock_identity"] ==
                 a.instance()["clock_identity"], "the grandmaster")
    assert truth.shows_kernel_time(b)


@pytest.mark.long
@pytest.mark.lab(seconds=15)
def test_a_boundary_clock_mixes_mechanisms_when_its_sides_differ(lab):
    lab.chain("A", "BC", "B")
    lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110, **PTP4L)
    bc = lab.meantimed("BC", "eth0", "eth1", clock={"clock": "lab", "lab_offset": "0.3 s"},
                       ports={"eth1": P2P})
    bc.wait_state("RECEIVER", "eth0")
    b.wait_state(*linuxptp.FOLLOWS)
    wait_for_neighbour(bc, identity_of(b), "eth1")
    bc.wait_until(lambda: bc.port("eth0")["counters"]["sent_delay_req"] > 3, "Delay_Reqs")
    assert bc.port("eth0")["delay_mechanism"] == "e2e"
    truth.assert_inside(truth.hold(bc, seconds=2))


@pytest.mark.long
@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("neighbour, mechanism", [(PTP4L, "p2p"), ({}, "e2e")])
def test_auto_uses_what_its_neighbour_uses(lab, neighbour, mechanism):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", priority1=100, **neighbour)
    b = lab.meantimed("B", "eth0", ptp={**P2P, "delay_mechanism": "auto"},
                      clock={"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "10 ppm"})
    b.wait_state("RECEIVER")
    assert wait_settled(lambda: b.port("eth0")["delay_mechanism"] == mechanism, 1)
    truth.assert_inside(truth.hold(b, seconds=3))


@pytest.mark.long
@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport, network", [("udp6", "UDPv6"), ("l2", "L2")])
@pytest.mark.parametrize("is_boundary", [False, True])
def test_p2p_on_other_transports(lab, transport, network, is_boundary):
    lab.chain(*(("A", "BC", "B") if is_boundary else ("A", "BC")))
    a = lab.ptp4l("A", "eth0", priority1=100, network_transport=network, **PTP4L)
    names = ("eth0", "eth1") if is_boundary else ("eth0",)
    bc = lab.meantimed("BC", *names, ptp={**P2P, "transport": transport},
                       clock={"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm"})
    bc.wait_state("RECEIVER", "eth0")
    wait_for_neighbour(bc, identity_of(a))
    truth.assert_inside(truth.hold(bc, seconds=3))
    if is_boundary:
        b = lab.ptp4l("B", "eth0", priority1=110, network_transport=network, **PTP4L)
        b.wait_state(*linuxptp.FOLLOWS)
        wait_for_neighbour(bc, identity_of(b), "eth1")
        truth.assert_measured(b)


def domains(priority1):
    """Two instances on one interface, which measure their link in common."""
    sections = {}
    for name, domain in (("first", 1), ("second", 2)):
        sections[f"clock {name}"] = {"clock": "lab", "lab_offset": f"{domain} s"}
        sections[f"instance {name}"] = {"domain": domain, "clock": name, "priority1": priority1}
        sections[f"port {name}"] = {"interface": "eth0", "instance": name,
                                    "delay_mechanism": "common_p2p"}
    return sections


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_one_peer_serves_two_domains_when_they_measure_in_common(lab):
    lab.chain("A", "B")
    lab.meantimed("A", ptp={"log_min_pdelay_req_interval": -3}, more_sections=domains(100))
    b = lab.meantimed("B", ptp={"log_min_pdelay_req_interval": -3}, more_sections=domains(200))

    def ports():
        return [instance["ports"][0] for instance in b.status()["instances"]]
    assert wait_until(lambda: {port["state"] for port in ports()} == {"RECEIVER"})
    assert {port["delay_mechanism"] for port in ports()} == {"common_p2p"}
    first, second = ports()
    assert first["peer"]["mean_link_delay_ns"] == second["peer"]["mean_link_delay_ns"]


@pytest.mark.lab(seconds=12)
def test_common_link_delay_is_measured_with_ptp4l(lab):
    """ptp4l 3.1.1 knows no common link delay, but as a P2P clock of domain 0 with majorSdoId 2 it
    sends and answers what that consists of [1588-2019 16.6.3]."""
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", priority1=100, transportSpecific="0x2", **PTP4L)
    b = lab.meantimed("B", ptp={"log_min_pdelay_req_interval": -3}, more_sections=domains(200))

    def peers():
        return [instance["ports"][0]["peer"] for instance in b.status()["instances"]]

    def measured():
        return [peer for peer in peers() if 0 < (peer["mean_link_delay_ns"] or 0) < LONGEST_NS]
    assert wait_until(lambda: len(measured()) == 2), peers()
    for peer in peers():
        assert frames.identity_of(peer["port_identity"].rsplit("-", 1)[0]) == \
            frames.identity_of(identity_of(a))
    assert_has_delay(a)
    # the time that ptp4l announces is of another sdo: only the link is common
    assert {instance["ports"][0]["state"] for instance in b.status()["instances"]} <= \
        {"LISTENING", "TRANSMITTER"}
