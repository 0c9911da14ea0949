# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The cases of the laboratory.  Each gets the booted network, starts programs, and returns rows:
one for each clock that was measured against the grandmaster's.  What must hold is checked here;
a failed check is an exception."""
import os
import time

from guest import GuestError
from image import TOP
from network import Figures, Truth, errors_between

SETTLE_S = 8
MEASURE_S = 20
NEAR_NS = 150  # of linuxptp's figure
RATIO = 1.15
MISSING_MOST = 10  # transmit stamps; emulation on a busy host loses some

VLAN = 18  # one of those that the emulated card stamps

CASES = {}


def case(name, is_short=False):
    def keep(function):
        CASES[name] = (function, is_short)
        return function
    return keep


def check(is_true, what):
    if not is_true:
        raise GuestError(what)


def row(name, node, clock, figures, outside=None, peer=None):
    return {"case": name, "node": node, "clock": clock, "rms_ns": round(figures.rms_ns),
            "max_ns": round(figures.max_ns), "mean_ns": round(figures.mean_ns),
            "outside_bound": outside, "peer_rms_ns": None if peer is None else round(peer)}


def measure(network, reference, clock, seconds=MEASURE_S):
    """Figures of a clock, and the beginning of the measurement."""
    since_ns = time.monotonic_ns()
    time.sleep(seconds)
    return errors_between(reference, clock, since_ns)


def measure_ours(network, name, node, reference=("gm", "phc"), clock="phc", peer=None, index=0,
                 has_bound=True):
    """A row for meantimed's clock at a node, with its published bound asked for all the time."""
    since_ns = time.monotonic_ns()
    bounds = []
    while time.monotonic_ns() < since_ns + MEASURE_S * 1_000_000_000:
        status = network.status(node)
        if status is not None:
            bounds.append((time.monotonic_ns(), status["clocks"][index]["steered_bound_ns"]))
        time.sleep(1)
    errors = errors_between(reference, (node, clock), since_ns)
    if clock in ("system", "more1"):  # these show UTC, and the other one TAI
        whole_ns = round(errors[0][1] / 1e9) * 1_000_000_000
        errors = [(at_ns, error - whole_ns, width) for at_ns, error, width in errors]
    if not has_bound:
        return row(name, node, clock, Figures(errors), None, peer)
    outside = sum(abs(error) > bound_at(bounds, at_ns) + width
                  for at_ns, error, width in errors)
    return row(name, node, clock, Figures(errors), outside, peer)


def bound_at(bounds, at_ns):
    known = [entry for entry in bounds if entry[1] is not None]
    check(known, "no bound is published")
    before = [bound for when_ns, bound in known if when_ns <= at_ns]
    after = [bound for when_ns, bound in known if when_ns > at_ns]
    return max(before[-1:] + after[:1])


def is_good(entry):
    """What the laboratory demands of a row of ours."""
    peer = entry["peer_rms_ns"]
    return entry["outside_bound"] in (None, 0) and (
        peer is None or entry["rms_ns"] <= max(RATIO * peer, peer + NEAR_NS))


# ---- pairs: GM and the boundary clock's upper port -----------------------------------------------

_peers = {}  # rms of linuxptp alone, by how it was measured


def peer_of_pair(network, options):
    """ptp4l behind ptp4l, in the same run."""
    key = tuple(sorted(options.items()))
    if key not in _peers:
        network.ptp4l("gm", options={**options, "priority1": 100})
        network.ptp4l("bc", options={**options, "slaveOnly": 1})
        network.wait_ptp4l("bc")
        time.sleep(SETTLE_S)
        _peers[key] = Figures(measure(network, ("gm", "phc"), ("bc", "phc"))).rms_ns
        network.reset()
    return _peers[key]


def card_setting(network, node):
    return network[node].run("hwstamp_ctl -i eth0")


def receiver_of_ptp4l(network, name, ptp, options):
    peer = peer_of_pair(network, options)
    before = card_setting(network, "bc")
    network.ptp4l("gm", options={**options, "priority1": 100})
    network.meantimed("bc", ptp={**ptp, "receiver_only": "yes"})
    network.wait_locked("bc")
    time.sleep(SETTLE_S)
    entry = measure_ours(network, name, "bc", peer=peer)
    port = network.status("bc")["instances"][0]["ports"][0]
    check(port["state"] == "RECEIVER", f"the port is {port['state']}")
    check(port["timestamping"] == "hardware, by the clock /dev/ptp0", port["timestamping"])
    check(port["link"]["stamps_missing"] <= MISSING_MOST,
          f"{port['link']['stamps_missing']} stamps missing")
    network["bc"].stop("meantimed")
    check(card_setting(network, "bc") == before, "the card's setting was not put back")
    return [entry]


def transmitter_for_ptp4l(network, name, ptp, options):
    peer = peer_of_pair(network, options)
    network.meantimed("gm", ptp={**ptp, "priority1": 100})
    network.ptp4l("bc", options={**options, "slaveOnly": 1})
    network.wait_ptp4l("bc")
    time.sleep(SETTLE_S)
    figures = Figures(measure(network, ("gm", "phc"), ("bc", "phc")))
    return [row(name, "bc", "phc", figures, None, peer)]


def add_pair(suffix, ptp, options, is_short=False):
    case(f"receiver-{suffix}", is_short)(
        lambda network: receiver_of_ptp4l(network, f"receiver-{suffix}", ptp, options))
    case(f"transmitter-{suffix}", is_short)(
        lambda network: transmitter_for_ptp4l(network, f"transmitter-{suffix}", ptp, options))


add_pair("l2-e2e", {"transport": "l2"}, {"network_transport": "L2"}, is_short=True)
add_pair("l2-p2p", {"transport": "l2", "delay_mechanism": "p2p"},
         {"network_transport": "L2", "delay_mechanism": "P2P"})
add_pair("udp4-e2e", {"transport": "udp4"}, {"network_transport": "UDPv4"})
add_pair("udp4-p2p", {"transport": "udp4", "delay_mechanism": "p2p"},
         {"network_transport": "UDPv4", "delay_mechanism": "P2P"})
add_pair("udp6-e2e", {"transport": "udp6"}, {"network_transport": "UDPv6"})
add_pair("udp6-p2p", {"transport": "udp6", "delay_mechanism": "p2p"},
         {"network_transport": "UDPv6", "delay_mechanism": "P2P"})


# ---- VLAN ------------------------------------------------------------------------------------

def add_vlan(network):
    """At both ends, since a card lets in only the VLANs that the machine has."""
    for node in ("gm", "bc"):
        network[node].run(f"ip link add link eth0 name eth0.{VLAN} type vlan id {VLAN}\n"
                          f"ip link set eth0.{VLAN} up")


@case("receiver-vlan")
def receiver_in_a_vlan(network):
    add_vlan(network)
    network.ptp4l("gm", interfaces=[f"eth0.{VLAN}"],
                  options={"network_transport": "L2", "priority1": 100})
    network.meantimed("bc", ptp={"transport": "l2", "vlan": VLAN, "receiver_only": "yes"})
    network.wait_locked("bc")
    time.sleep(SETTLE_S)
    return [measure_ours(network, "receiver-vlan", "bc")]


@case("transmitter-vlan")
def transmitter_in_a_vlan(network):
    add_vlan(network)
    network.meantimed("gm", ptp={"transport": "l2", "vlan": VLAN, "priority1": 100})
    network.ptp4l("bc", interfaces=[f"eth0.{VLAN}"],
                  options={"network_transport": "L2", "slaveOnly": 1})
    network.wait_ptp4l("bc")
    time.sleep(SETTLE_S)
    return [row("transmitter-vlan", "bc", "phc",
                Figures(measure(network, ("gm", "phc"), ("bc", "phc"))))]


def shipped(name, **options):
    """A configuration that comes with linuxptp, with what emulation needs, and more."""
    folder = os.path.join(TOP, "build", "peers", "usr", "share", "doc", "linuxptp", "configs")
    with open(os.path.join(folder, f"{name}.cfg"), encoding="utf-8") as file:
        text = file.read()
    options = {"tx_timestamp_timeout": 400, "summary_interval": 0, "step_threshold": 0.00002,
               **options}
    return text + "".join(f"{key} {value}\n" for key, value in options.items())


# ---- gPTP ------------------------------------------------------------------------------------

@case("receiver-gptp")
def receiver_of_gptp(network):
    network.ptp4l("gm", file=shipped("gPTP", priority1=100))
    network.meantimed("bc", ptp={"profile": "802.1as", "priority1": 248}, is_profile=True)
    network.wait_locked("bc")
    time.sleep(SETTLE_S)
    entry = measure_ours(network, "receiver-gptp", "bc")
    check(network.status("bc")["instances"][0]["ports"][0]["peer"]["as_capable"], "not asCapable")
    return [entry]


@case("transmitter-gptp")
def transmitter_of_gptp(network):
    network.meantimed("gm", ptp={"profile": "802.1as", "priority1": 100}, is_profile=True)
    network.ptp4l("bc", file=shipped("gPTP"))
    network.wait_ptp4l("bc")
    time.sleep(SETTLE_S)
    return [row("transmitter-gptp", "bc", "phc",
                Figures(measure(network, ("gm", "phc"), ("bc", "phc"))))]


@case("receiver-automotive")
def receiver_automotive(network):
    network.ptp4l("gm", file=shipped("automotive-master"))
    network.meantimed("bc", ptp={"profile": "automotive", "role": "receiver"}, is_profile=True)
    network.wait_locked("bc")
    time.sleep(SETTLE_S)
    # nobody announces how wrong the grandmaster may be
    return [measure_ours(network, "receiver-automotive", "bc", has_bound=False)]


@case("transmitter-automotive")
def transmitter_automotive(network):
    network.meantimed("gm", ptp={"profile": "automotive", "role": "transmitter"}, is_profile=True)
    network.ptp4l("bc", file=shipped("automotive-slave"))
    network.wait_ptp4l("bc")
    time.sleep(SETTLE_S)
    return [row("transmitter-automotive", "bc", "phc",
                Figures(measure(network, ("gm", "phc"), ("bc", "phc"))))]


# ---- chains ----------------------------------------------------------------------------------

@case("chain", is_short=True)
def chain_of_ours(network):
    return chain_of(network, "chain", {"transport": "l2"}, {"network_transport": "L2"})


def chain_of(network, name, ptp, options):
    """GM - BC with two hardware clocks - OC, beside linuxptp's own."""
    peers = chain_of_linuxptp(network, options)
    network.meantimed("gm", ptp={**ptp, "priority1": 100})
    network.meantimed("bc", interfaces=("eth0", "eth1"), ptp=ptp)
    network.meantimed("oc", ptp={**ptp, "receiver_only": "yes"})
    network.wait_locked("bc")
    network.wait_locked("oc")
    time.sleep(SETTLE_S)
    rows = [measure_ours(network, name, "bc", peer=peers["bc"]),
            measure_ours(network, name, "oc", peer=peers["oc"])]
    status = network.status("oc")["instances"][0]
    check(status["steps_removed"] == 2, f"{status['steps_removed']} steps from the grandmaster")
    return rows


def chain_of_linuxptp(network, options):
    network.ptp4l("gm", options={**options, "priority1": 100})
    network.ptp4l("bc", interfaces=("eth0", "eth1"),
                  options={**options, "boundary_clock_jbod": 1})
    network["bc"].start("phc2sys", "-a", "-m", "-l", "6", "-R", "8")
    network.ptp4l("oc", options={**options, "slaveOnly": 1})
    network.wait_ptp4l("bc")
    network.wait_ptp4l("oc")
    time.sleep(SETTLE_S)
    since_ns = time.monotonic_ns()
    time.sleep(MEASURE_S)
    figures = {node: Figures(errors_between(("gm", "phc"), (node, "phc"), since_ns)).rms_ns
               for node in ("bc", "oc")}
    network.reset()
    return figures


@case("machine")
def machine_follows(network):
    """The system's clock of a grandmaster, its hardware clock, another one's, and its system's."""
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}})
    network.wait_locked("gm")
    network.meantimed("bc", ptp={"transport": "l2", "receiver_only": "yes"},
                      more={"clock main": {},
                            "clock machine": {"clock": "system", "follow": "main"}})
    network.wait_locked("bc")
    network.wait_locked("bc", clock=1)
    time.sleep(2 * SETTLE_S)
    return [measure_ours(network, "machine", "bc"),
            measure_ours(network, "machine", "bc", clock="system", index=1)]


@case("phc2sys")
def phc2sys_attaches(network):
    """phc2sys -a of linuxptp finds meantimed's hardware clock and follows it."""
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100})
    network.meantimed("bc", ptp={"transport": "l2", "receiver_only": "yes"})
    network.wait_locked("bc")
    network["bc"].start("phc2sys", "-a", "-r", "-m", "-l", "6", "-R", "8", "-u", "8")

    def has_settled():
        reports = [int(line.split("rms")[1].split()[0]) for line in
                   network["bc"].log("phc2sys").splitlines() if " rms " in line]
        return len(reports) >= 5 and max(reports[-3:]) < 5000
    network.wait("phc2sys settles", has_settled, 90)
    since_ns = time.monotonic_ns()
    time.sleep(MEASURE_S)
    offset = (Truth("bc", "system", since_ns).rows[0][1] -
              Truth("bc", "phc", since_ns).rows[0][1])
    whole_s = round(offset / 1e9) * 1_000_000_000  # UTC and TAI, as far as they are known
    figures = Figures(errors_between(("bc", "phc"), ("bc", "system"), since_ns), whole_s)
    return [row("phc2sys", "bc", "system", figures)]
