# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Unicast: meantimed and ptp4l grant each other service and ask each other for it."""
import subprocess

import pytest

import linuxptp
import truth
from patience import wait_settled

LONG = pytest.mark.long
LAB_CLOCK = {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm",
             "lab_wander": "2 ppb"}
THEIRS = {"udp4": "UDPv4", "udp6": "UDPv6", "l2": "L2"}
MASTER = {"unicast_listen": 1, "inhibit_multicast_service": 1, "hybrid_e2e": 1}
# as linuxptp ships them or its users write them, with software timestamps; and ours
STYLES = {
    "g8275.2": ({"dataset_comparison": "G.8275.x", "G.8275.defaultDS.localPriority": 128,
                 "maxStepsRemoved": 255, "logAnnounceInterval": 0, "logSyncInterval": -4,
                 "logMinDelayReqInterval": -4, "domainNumber": 44, "priority1": 128},
                {"profile": "g8275.2"}),
    "g8265.1": ({"logAnnounceInterval": 1, "logSyncInterval": -4, "logMinDelayReqInterval": -4,
                 "domainNumber": 4, "priority1": 100},
                {"domain": 4, "log_announce_interval": 1, "log_sync_interval": -4,
                 "log_min_delay_req_interval": -4, "priority1": 100}),
}


def address_all(lab, *nodes, transport="udp4"):
    """Gives each node an address of one network and returns them; MAC addresses are there."""
    found = []
    for number, node in enumerate(nodes, 1):
        if transport == "l2":
            found.append(lab.ip(node, "-o", "link", "show", "eth0").split("link/ether ")[1]
                         .split()[0])
            continue
        address = f"10.78.0.{number}" if transport == "udp4" else f"fd78::{number}"
        length = 24 if transport == "udp4" else 64
        lab.ip(node, "address", "add", f"{address}/{length}", "dev", "eth0")
        found.append(address)
    return found


def route(lab, left, router, right):
    """Two networks with a router between them; returns the addresses of the ends."""
    lab.chain(left, router, right)
    with lab.inside(router), open("/proc/sys/net/ipv4/ip_forward", "w",
                                  encoding="ascii") as file:
        file.write("1")
    ends = []
    for network, end in enumerate((left, right), 1):
        ends.append(f"10.78.{network}.1")
        lab.ip(router, "address", "add", f"10.78.{network}.254/24", "dev", f"eth{network - 1}")
        lab.ip(end, "address", "add", f"{ends[-1]}/24", "dev", "eth0")
        lab.ip(end, "route", "add", "default", "via", f"10.78.{network}.254")
    return ends


def identity_of(ptp4l):
    """As the report writes it."""
    return ptp4l.management("GET DEFAULT_DATA_SET")["clockIdentity"]


def requests(daemon):
    return daemon.port()["unicast"]["requests"]


def grants(daemon):
    return daemon.port()["unicast"]["grants"]


def client_of(*addresses, duration=60, **keys):
    return {"unicast": "negotiated", "unicast_transmitters": ", ".join(addresses),
            "unicast_duration": duration, **keys}


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport", ["udp4", pytest.param("udp6", marks=LONG),
                                       pytest.param("l2", marks=LONG)])
def test_meantimed_asks_ptp4l_for_service(lab, transport):
    lab.chain("A", "B")
    address, _ = address_all(lab, "A", "B", transport=transport)
    a = lab.ptp4l("A", "eth0", network_transport=THEIRS[transport], priority1=100, **MASTER)
    a.wait_state("MASTER")  # it grants what it does not send yet
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp={
        "transport": transport, **client_of(address, duration=10)})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))
    b.wait_until(lambda: requests(b)["granted"] >= 3, "granted")
    unicast = b.port()["unicast"]
    assert unicast["mode"] == "negotiated"
    assert list(unicast["transmitters"].values()) == ["followed"]
    assert unicast["requests"]["denied"] == 0
    assert b.instance()["parent"]["clock_identity"] == identity_of(a)
    b.wait_until(lambda: requests(b)["granted"] >= 6, "renewed")
    counted = requests(b)
    assert counted["expired"] == counted["fallen_silent"] == 0


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport", ["udp4", pytest.param("udp6", marks=LONG),
                                       pytest.param("l2", marks=LONG)])
def test_ptp4l_asks_meantimed_for_service(lab, transport):
    lab.chain("A", "B")
    address, _ = address_all(lab, "A", "B", transport=transport)
    a = lab.meantimed("A", "eth0", clock=LAB_CLOCK, ptp={
        "transport": transport, "priority1": 100, "unicast_grants": "yes", "multicast": "no"})
    b = lab.ptp4l("B", "eth0", network_transport=THEIRS[transport], slaveOnly=1,
                  unicast_req_duration=10,
                  unicast_masters=[address])
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)
    unicast = a.port()["unicast"]
    assert unicast["clients"] == 1
    assert unicast["active"] == {"announce": 1, "sync": 1, "delay_resp": 1}
    a.wait_until(lambda: grants(a)["sync_renewed"] >= 1, "renewed")
    port = a.port()
    assert port["counters"]["sent_sync"] == port["unicast"]["grants"]["sync_sent"] > 10
    # nothing by multicast
    b.stop()
    a.wait_until(lambda: a.port()["unicast"]["clients"] == 0, "cancelled or expired")


@pytest.mark.lab(seconds=12)
def test_unicast_passes_a_router(lab):
    address, _ = route(lab, "A", "R", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100, "unicast_grants": "yes"})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp=client_of(address))
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))


@pytest.mark.long
@pytest.mark.lab(seconds=20)
def test_meantimed_fails_over_between_two_ptp4l(lab):
    lab.star("A1", "A2", "B")
    addresses = address_all(lab, "A1", "A2", "B")
    first = lab.ptp4l("A1", "eth0", priority1=100, **MASTER)
    second = lab.ptp4l("A2", "eth0", priority1=110, **MASTER)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp=client_of(*addresses[:2]))
    b.wait_state("RECEIVER")
    assert b.instance()["parent"]["clock_identity"] == identity_of(first)
    first.stop()
    b.wait_until(lambda: b.instance()["parent"]["clock_identity"] == identity_of(second),
               "follows the other")
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=2))


@pytest.mark.long
@pytest.mark.lab(seconds=20)
def test_ptp4l_stops_when_a_clock_that_serves_others_cancels(lab):
    lab.star("A1", "A2", "B")
    addresses = address_all(lab, "A1", "A2", "B")
    lab.ptp4l("A2", "eth0", priority1=110, **MASTER)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp={
        **client_of(*addresses[:2]), "priority1": 200, "unicast_grants": "yes"})
    b.wait_state("RECEIVER")
    better = lab.ptp4l("A1", "eth0", priority1=100, **MASTER)
    b.wait_until(lambda: b.instance()["parent"]["clock_identity"] == identity_of(better),
                 "follows the better one")
    b.wait_state("RECEIVER")
    before = b.port()["verdicts"]["not_requested"]
    truth.hold(b, seconds=3)
    assert b.port()["verdicts"]["not_requested"] == before


@pytest.mark.long
@pytest.mark.lab(seconds=20)
def test_meantimed_finds_ptp4l_by_its_name(lab):
    """A name that is not known at first; the sandbox is on."""
    hosts = "/run/hosts"
    with open(hosts, "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    lab.chain("A", "B")
    address, _ = address_all(lab, "A", "B")
    lab.ptp4l("A", "eth0", priority1=100, **MASTER)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp=client_of("gm.test/7"))
    assert wait_settled(lambda: b.port()["unicast"]["transmitters"] ==
                        {"gm.test": "unresolved"}, 1), b.port()["unicast"]
    with open(hosts, "a", encoding="ascii") as file:
        file.write(f"{address} gm.test\n")
    b.wait_until(lambda: b.port()["unicast"]["transmitters"] == {address: "followed"}, "found")


@pytest.mark.long
@pytest.mark.lab(seconds=20)
@pytest.mark.parametrize("style", STYLES)
def test_meantimed_serves_ptp4l_in_the_style_of_a_telecom_profile(lab, style):
    lab.chain("A", "B")
    address, _ = address_all(lab, "A", "B")
    theirs, ours = STYLES[style]
    a = lab.meantimed("A", "eth0", is_fast=False, clock=LAB_CLOCK, ptp={
        **ours, "unicast_grants": "yes", "multicast": "no", "clock_class": 6})
    b = lab.ptp4l("B", "eth0", **theirs, slaveOnly=1, unicast_masters=[address])
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)


@pytest.mark.long
@pytest.mark.lab(seconds=20)
@pytest.mark.parametrize("style", STYLES)
def test_meantimed_follows_ptp4l_in_the_style_of_a_telecom_profile(lab, style):
    lab.chain("A", "B")
    address, _ = address_all(lab, "A", "B")
    theirs, ours = STYLES[style]
    lab.ptp4l("A", "eth0", **theirs, clockClass=6, **MASTER)
    b = lab.meantimed("B", "eth0", is_fast=False, clock=LAB_CLOCK, ptp={
        **ours, **client_of(address), "receiver_only": "yes"})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_meantimed_asks_ptp4l_for_delay_alone_when_hybrid(lab):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", priority1=100, hybrid_e2e=1)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp={"unicast": "hybrid"})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))
    assert b.port()["counters"]["delay_unanswered"] == 0


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_ptp4l_asks_meantimed_for_delay_alone_when_hybrid(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", clock=LAB_CLOCK, ptp={"priority1": 100})
    b = lab.ptp4l("B", "eth0", slaveOnly=1, hybrid_e2e=1)
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)
    a.wait_until(lambda: grants(a)["delay_resp_sent"] > 5, "delay measured")


@pytest.mark.long
@pytest.mark.lab(seconds=12)
def test_meantimed_follows_meantimed_without_negotiation(lab):
    lab.chain("A", "B")
    address, other = address_all(lab, "A", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100, "multicast": "no",
                                    "unicast_receivers": other})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp={
        "unicast": "static", "unicast_transmitters": address})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))


@pytest.mark.lab(seconds=20)
def test_meantimed_follows_another_ptp4l_when_management_sets_its_table(lab):
    lab.star("A", "B", "C")
    _, first, second = address_all(lab, "A", "B", "C")
    for number, node in enumerate("BC", 1):
        lab.ptp4l(node, "eth0", **MASTER, priority1=100 + number)
    a = lab.meantimed("A", "eth0", clock=LAB_CLOCK, ptp=client_of(first, receiver_only="yes"))
    a.wait_state("RECEIVER")
    a.wait_until(lambda: a.port()["unicast"]["transmitters"] == {first: "followed"}, "the first")
    done = a.tool("pmc", "--run-directory", a.directory, "SET", "UNICAST_MASTER_TABLE",
                  "transmitters", second)
    assert done.returncode == 0, done.stdout + done.stderr
    assert second in done.stdout
    a.wait_until(lambda: a.port()["unicast"]["transmitters"] == {second: "followed"}, "2nd")
    assert a.port()["unicast"]["requests"]["given_up"] == 3
    refused = a.tool("pmc", "--local", f"{a.directory}/ptp-ro", "SET", "UNICAST_MASTER_TABLE",
                     "transmitters", first)
    assert refused.returncode == 1 and "not allowed from here" in refused.stdout
    assert a.port()["unicast"]["transmitters"] == {second: "followed"}
    a.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(a, seconds=3))


@pytest.mark.lab(seconds=20)
def test_both_sides_tell_the_rate_of_their_links_and_ptp4l_does_not_mind(lab):
    lab.star("A", "B", "C")
    _, ptp4l, fast = address_all(lab, "A", "B", "C")
    lab.ptp4l("B", "eth0", **MASTER, priority1=90)
    lab.meantimed("C", "eth0", clock=LAB_CLOCK, ptp={
        "priority1": 100, "unicast_grants": "yes", "multicast": "no", "interface_rate": 10000})
    a = lab.meantimed("A", "eth0", clock=LAB_CLOCK, ptp=client_of(
        ptp4l, receiver_only="yes", interface_rate=1000))
    a.wait_state("RECEIVER")
    assert a.port()["interface_rate"] == {"transmitter_mbit": None, "asymmetry_ns": None}
    done = a.tool("pmc", "--run-directory", a.directory, "SET", "UNICAST_MASTER_TABLE",
                  "transmitters", fast)
    assert done.returncode == 0, done.stdout + done.stderr
    a.wait_until(lambda: a.port()["unicast"]["transmitters"] == {fast: "followed"}, "2nd")
    a.wait_until(lambda: a.port()["interface_rate"]["transmitter_mbit"] == 10000, "its rate")
    told = a.port()["interface_rate"]
    assert abs(told["asymmetry_ns"] - (720 - 64) * (0.1 - 1) / 2) < 0.01
