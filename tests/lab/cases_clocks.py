# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The laboratory's cases of clocks: virtual clocks, bonds, other programs that steer, a grandmaster
that dies, and chains over every network with either way to measure delay."""
import time

from cases import MEASURE_S, SETTLE_S, case, chain_of, check, measure_ours, row
from cases_ntp import chronyd
from network import ADDRESSES, Figures, errors_between

RECEIVER = {"transport": "l2", "receiver_only": "yes"}
NETWORKS = {"l2": "L2", "udp4": "UDPv4", "udp6": "UDPv6"}


def serve_machine(network, **more):
    """The grandmaster shows the time of its machine's clock, which nobody steers."""
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}, **more})
    network.wait_locked("gm")


# ---- chains --------------------------------------------------------------------------------------

def add_chain(transport, mechanism):
    name = f"chain-{transport}-{mechanism}"
    case(name)(lambda network: chain_of(
        network, name, {"transport": transport, "delay_mechanism": mechanism},
        {"network_transport": NETWORKS[transport], "delay_mechanism": mechanism.upper()}))


for _transport in NETWORKS:
    for _mechanism in ("e2e", "p2p"):
        add_chain(_transport, _mechanism)


@case("chain-restarted")
def grandmaster_dies(network):
    """Killed, missed for ten seconds, started again: nobody is outside of the bound meanwhile."""
    def start_grandmaster():
        network.meantimed("gm", ptp={"transport": "l2", "priority1": 100})
    start_grandmaster()
    network.meantimed("bc", interfaces=("eth0", "eth1"), ptp={"transport": "l2"})
    network.meantimed("oc", ptp=RECEIVER)
    network.wait_locked("bc")
    network.wait_locked("oc")
    time.sleep(2 * SETTLE_S)
    network["gm"].run(f"kill -9 {network['gm'].programs.pop('meantimed')}")

    def is_alone():
        status = network.status("bc")
        return status is not None and status["instances"][0]["role"] == "grandmaster"
    network.wait("the boundary clock takes over", is_alone, 60)
    since_ns = time.monotonic_ns()
    time.sleep(10)
    held = Figures(errors_between(("bc", "phc"), ("oc", "phc"), since_ns))
    start_grandmaster()
    network.wait_locked("bc")

    def is_back():
        status = network.status("oc")
        return status is not None and status["instances"][0]["steps_removed"] == 2
    network.wait("the grandmaster is back", is_back, 60)
    network.wait_locked("oc")
    time.sleep(2 * SETTLE_S)
    return [row("chain-restarted", "oc-held", "phc", held),
            measure_ours(network, "chain-restarted", "bc"),
            measure_ours(network, "chain-restarted", "oc")]


# ---- virtual clocks -----------------------------------------------------------------------------

def begin_two_domains(network):
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100}, more={
        "clock main": {}, "clock second": {"clock": "overlay"},
        "instance main": {}, "instance second": {"domain": 1, "clock": "second"},
        "port second": {"interface": "eth0", "instance": "second"}})
    network.meantimed("bc", ptp=RECEIVER, more={
        "clock main": {"clock": "vclock"}, "clock second": {"clock": "vclock"},
        "instance main": {}, "instance second": {"domain": 1, "clock": "second"},
        "port second": {"interface": "eth0", "instance": "second"}})
    network.wait_locked("bc")
    network.wait_locked("bc", clock=1)


def is_stamped_virtually(instance, clock):
    stamping = instance["ports"][0]["timestamping"]
    return stamping == f"hardware, by the virtual clock {clock['device']}"


def measure_two_domains(network, name):
    """The second grandmaster's overlay lies on its machine's clock, which nobody steers."""
    return [measure_ours(network, name, "bc", clock="more"),
            measure_ours(network, name, "bc", reference=("gm", "system"), clock="more1", index=1)]


@case("vclocks")
def two_domains_over_one_card(network):
    """Two transmitters' domains, two virtual clocks of one card, each stamped with its own."""
    begin_two_domains(network)
    status = network.status("bc")
    devices = [clock["device"] for clock in status["clocks"]]
    for instance, clock in zip(status["instances"], status["clocks"]):
        check(is_stamped_virtually(instance, clock), instance["ports"][0]["timestamping"])
    check(len(set(devices)) == 2, f"one device for both: {devices}")
    network.tell_truth("bc", devices)
    time.sleep(2 * SETTLE_S)
    rows = measure_two_domains(network, "vclocks")
    network["bc"].stop("meantimed")
    left = network["bc"].run("cat /sys/class/ptp/ptp0/n_vclocks").strip()
    check(left == "0", f"{left} virtual clocks were left behind")
    return rows


# ---- bonds --------------------------------------------------------------------------------------

def set_active(network, interface):
    network["bc"].run(f"echo {interface} >/sys/class/net/bond7/bonding/active_slave")


def has_links(network):
    states = network["bc"].run("cat /sys/class/net/eth[01]/bonding_slave/mii_status").split()
    return states == ["up", "up"]


def add_bond(network):
    network["bc"].run("insmod /extra/tls.ko 2>/dev/null; insmod /extra/bonding.ko max_bonds=0\n"
                      "ip link set eth0 down\nip link set eth1 down\n"
                      "/lab/bin/ip link add bond7 type bond mode active-backup miimon 100\n"
                      "ip link set eth0 master bond7\nip link set eth1 master bond7\n"
                      f"ip link set bond7 up\nip addr add {ADDRESSES['bc', 0]}/24 dev bond7")
    network.wait("both cards of the bond have a link", lambda: has_links(network), 20)
    set_active(network, "eth0")


def remove_bond(network):
    network["bc"].run("ip link del bond7\nrmmod bonding\n"
                      "for i in 0 1; do ip link set eth$i up; done\n"
                      f"ip addr replace {ADDRESSES['bc', 0]}/24 dev eth0\n"
                      f"ip addr replace {ADDRESSES['bc', 1]}/24 dev eth1\ntrue")


def wait_stamper(network, device):
    def is_there():
        status = network.status("bc")
        stamping = status["instances"][0]["ports"][0]["timestamping"] if status else ""
        return stamping.startswith(f"hardware, by the clock {device} of ")
    network.wait(f"{device} stamps", is_there, 20)


@case("bond")
def bond_fails_over(network):
    """The other card's clock goes on where the first one's was, as fast, and back again."""
    try:
        network.meantimed("gm", ptp={"transport": "l2", "priority1": 100})
        add_bond(network)
        network.meantimed("bc", interfaces=("bond7",), ptp=RECEIVER)
        wait_stamper(network, "/dev/ptp0")
        network.wait_locked("bc")
        time.sleep(2 * SETTLE_S)
        rows = [measure_ours(network, "bond", "bc")]
        set_active(network, "eth1")
        wait_stamper(network, "/dev/ptp1")
        since_ns = time.monotonic_ns()
        time.sleep(5)
        # its oscillator is 26 ppm off the first one's: 130 us in this time
        moved = Figures(errors_between(("gm", "phc"), ("bc", "phc1"), since_ns))
        check(moved.max_ns < 5000, f"after the failover: {moved}")
        rows.append(row("bond", "bc-moved", "phc", moved))
        set_active(network, "eth0")
        wait_stamper(network, "/dev/ptp0")
        network.wait_locked("bc")
        time.sleep(SETTLE_S)
        rows.append(measure_ours(network, "bond", "bc"))
        network["bc"].check_running("meantimed")
        return rows
    finally:
        network["bc"].stop("meantimed")
        remove_bond(network)


# ---- drivers that are loaded anew ----------------------------------------------------------------

def load_anew(network, card, between="true"):
    node = network["bc"]
    node.run(f"echo {card} >/sys/bus/pci/drivers/igb/unbind")
    time.sleep(3)
    node.run(between)
    node.run(f"echo {card} >/sys/bus/pci/drivers/igb/bind\nip link set eth0 up\n"
             f"ip addr replace {ADDRESSES['bc', 0]}/24 dev eth0")
    network.wait("the card has a link", lambda: node.run(
        "cat /sys/class/net/eth0/carrier", check=False).strip() == "1", 30)
    return "/dev/" + node.run("ls /sys/class/net/eth0/device/ptp").strip()


def wait_steered(network, device):
    def is_steered():
        status = network.status("bc")
        return status is not None and status["clocks"][0]["device"] == device
    network.wait(f"{device} is steered", is_steered, 20)
    network.wait_locked("bc")
    network["bc"].stop("truth")
    network.tell_truth("bc", [device])
    time.sleep(2 * SETTLE_S)


@case("driver-loaded-anew")
def driver_is_loaded_anew(network):
    """The card's clock has lost its time, and the second time its number, which another clock has
    taken: it is steered as before, and nobody is blamed for the change."""
    node = network["bc"]
    card = node.run("basename $(readlink -f /sys/class/net/eth0/device)").strip()
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100})
    network.meantimed("bc", ptp=RECEIVER)
    network.wait_locked("bc")
    time.sleep(SETTLE_S)
    try:
        device = load_anew(network, card)
        wait_steered(network, device)
        rows = [measure_ours(network, "driver-loaded-anew", "bc", clock="more")]
        check("changed it" not in node.log("meantimed"), "a program is blamed")
        other = load_anew(network, card, "insmod /extra/pulse_clocks.ko")
        check(other != device, "the clock has the number that it had")
        wait_steered(network, other)
        rows.append(measure_ours(network, "driver-loaded-anew", "bc", clock="more"))
        check("changed it" not in node.log("meantimed"), "a program is blamed")
        return rows
    finally:
        node.stop_all()
        node.run(f"kill {node.truth}\nusleep 500000\nrmmod pulse_clocks 2>/dev/null; true")
        load_anew(network, card)
        network.begin_truth("bc")


@case("vclocks-loaded-anew")
def driver_of_virtual_clocks_is_loaded_anew(network):
    """Virtual clocks that the daemon made are made again, and steered as before."""
    node = network["bc"]
    card = node.run("basename $(readlink -f /sys/class/net/eth0/device)").strip()
    begin_two_domains(network)
    before = [clock["steps"] for clock in network.status("bc")["clocks"]]
    try:
        load_anew(network, card)

        def are_back():
            status = network.status("bc")
            return status is not None and all(map(is_stamped_virtually, status["instances"],
                                                  status["clocks"]))
        network.wait("virtual clocks stamp", are_back, 20)
        for index in (0, 1):
            network.wait_locked("bc", clock=index)
        status = network.status("bc")
        network.tell_truth("bc", [clock["device"] for clock in status["clocks"]])
        time.sleep(2 * SETTLE_S)
        rows = measure_two_domains(network, "vclocks-loaded-anew")
        check("changed it" not in node.log("meantimed"), "a program is blamed")
        check([clock["steps"] for clock in network.status("bc")["clocks"]] == before, "stepped")
        node.stop("meantimed")
        left = node.run("cat /sys/class/ptp/ptp0/n_vclocks").strip()
        check(left == "0", f"{left} virtual clocks were left behind")
        return rows
    finally:
        node.stop_all()
        node.run(f"kill {node.truth} 2>/dev/null; true")
        network.begin_truth("bc")


# ---- other programs -----------------------------------------------------------------------------

def rivals(network):
    return network.status("bc")["clocks"][0]["rivals"]


def follow_beside_chronyd(network, **keys):
    network.meantimed("bc", ptp=RECEIVER, clock={"clock": "system", **keys})
    network.wait_locked("bc")
    chronyd(network, "bc", f"server {ADDRESSES['gm', 0]} minpoll -1 maxpoll -1",
            "makestep 0.000001 -1")


@case("rivals")
def chronyd_steers_too(network):
    """It is named within a minute, and gets the clock, or does not."""
    serve_machine(network, server={"local_stratum": 1})
    follow_beside_chronyd(network)
    network.wait("chronyd is noticed", lambda: rivals(network)["shared"], 60)
    pid = network["bc"].programs["chronyd"]
    network.wait("chronyd is named",
                 lambda: f"chronyd (process {pid})" in str(rivals(network)["names"]), 5)
    check("changed it, by" in network["bc"].log("meantimed"), "it was not told")
    for program in ("meantimed", "chronyd"):
        network["bc"].stop(program)
    follow_beside_chronyd(network, when_shared="yield")
    network.wait("it yields", lambda: rivals(network)["shared"], 60)
    before = network.status("bc")["clocks"][0]
    time.sleep(10)
    after = network.status("bc")["clocks"][0]
    changes = after["rivals"]["changes"] - before["rivals"]["changes"]
    corrections = after["corrections"] - before["corrections"]
    check(changes > 0 and abs(corrections - changes) <= 1, f"{corrections} corrections, {changes} "
          "of others")
    for program in ("meantimed", "chronyd"):
        network["bc"].stop(program)
    follow_beside_chronyd(network, when_shared="insist")
    network.wait("it insists", lambda: rivals(network)["shared"], 60)
    time.sleep(MEASURE_S / 4)
    return [measure_ours(network, "rivals", "bc", reference=("gm", "system"), clock="system",
                         has_bound=False)]
