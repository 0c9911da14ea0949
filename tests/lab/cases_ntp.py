# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The laboratory's cases of NTP in PTP messages: the emulated card stamps PTP alone, so it stamps
NTP that looks like PTP.  Ours at both ends, and with chronyd's early form at one."""
import time

from cases import MEASURE_S, SETTLE_S, case, check, measure, row
from guest import GuestError
from network import ADDRESSES, Figures, errors_between

SERVER = ADDRESSES["gm", 0]
WHOLE_S = 1_000_000_000
EVERY = -2  # log2 s
IN_PTP = {"transport": "ptp", "interface": "eth0", "timestamping": "hardware",
          "interleaved": "yes", "min_poll": EVERY, "max_poll": EVERY}
DEVICE = {"device": "/dev/ptp0"}
CHRONYD = ["hwtimestamp eth0 rxfilter ptp", "ptpport 319", "cmdport 0", "pidfile /run/chronyd.pid",
           "bindcmdaddress /run/chronyd.sock"]
IN_UDP = {**IN_PTP, "transport": "udp"}
STAMPS_ALL = "export LD_PRELOAD=/lab/lib/stamps_all.so"
ASKS_AS_CHRONYD = (f"server {SERVER} port 319 minpoll {EVERY} maxpoll {EVERY} xleave",
                   "makestep 0.001 3")
_peers = {}


def chronyd(network, node, *lines):
    network[node].write("/run/chrony.conf", "\n".join([*CHRONYD, *lines]) + "\n")
    network[node].start("chronyd", "-d", "-u", "root", "-F", "0", "-f", "/run/chrony.conf")


def serves_as_chronyd(network):
    """The machine's clock, which nobody steers."""
    network["gm"].write("/run/chrony.conf",
                        "\n".join([*CHRONYD, "local stratum 1", "allow"]) + "\n")
    network["gm"].start("chronyd", "-x", "-d", "-u", "root", "-F", "0", "-f", "/run/chrony.conf")


def figures_of(errors):
    """UTC and TAI are whole seconds apart."""
    check(errors, "no readings of truth")
    return Figures(errors, round(errors[-1][1] / WHOLE_S) * WHOLE_S)


def peer_rms_ns(network):
    """chronyd behind chronyd, in the same run."""
    if "chronyd" not in _peers:
        serves_as_chronyd(network)
        chronyd(network, "bc", *ASKS_AS_CHRONYD)
        time.sleep(4 * SETTLE_S)
        network["bc"].check_running("chronyd")
        _peers["chronyd"] = figures_of(
            measure(network, ("gm", "system"), ("bc", "system"))).rms_ns
        network.reset()
    return _peers["chronyd"]


def wait_interleaved(network, node, is_hardware):
    def is_good():
        network[node].check_running("meantimed")
        status = network.status(node)
        return status is not None and status["ntp"][0]["answers"]["interleaved"] > 8
    network.wait("interleaved answers", is_good, 60)
    server = network.status(node)["ntp"][0]
    check(not is_hardware or server["timestamping"] == "hardware, by the clock /dev/ptp0",
          server["timestamping"])
    return server


def follow(network, reference, is_hardware=True, **keys):
    """Errors of the card of the client, which follows the server, and its largest bound."""
    network.meantimed("bc", interfaces=(), clock=DEVICE,
                      more={f"ntp {SERVER}": {**IN_PTP, **keys}})
    network.wait_locked("bc")
    wait_interleaved(network, "bc", is_hardware)
    time.sleep(2 * SETTLE_S)
    since_ns = time.monotonic_ns()
    bounds = []
    while time.monotonic_ns() < since_ns + MEASURE_S * WHOLE_S:
        status = network.status("bc")
        if status is not None:
            bounds.append(status["clocks"][0]["steered_bound_ns"])
        time.sleep(1)
    server = network.status("bc")["ntp"][0]
    check(server["answers"]["impossible"] == 0 and server["answers"]["bogus"] == 0,
          str(server["answers"]))
    errors = errors_between(reference, ("bc", "phc"), since_ns)
    return errors, max(bound for bound in bounds if bound is not None)


def row_of(name, errors, bound_ns, peer):
    figures = figures_of(errors)
    whole_ns = round(errors[-1][1] / WHOLE_S) * WHOLE_S
    outside = sum(abs(error - whole_ns) > bound_ns + width for _, error, width in errors)
    return row(name, "bc", "phc", figures, outside, peer)


@case("ntp-in-ptp")
def ntp_in_ptp(network):
    peer = peer_rms_ns(network)
    network.meantimed("gm", interfaces=(), clock=DEVICE,
                      more={"server": {"ptp_interface": "eth0", "local_stratum": 1}})
    errors, bound_ns = follow(network, ("gm", "phc"))
    return [row_of("ntp-in-ptp", errors, bound_ns, peer)]


@case("ntp-in-ptp-of-chronyd")
def ntp_of_chronyd(network):
    peer = peer_rms_ns(network)
    serves_as_chronyd(network)
    errors, bound_ns = follow(network, ("gm", "system"), transport="ptp_early")
    return [row_of("ntp-in-ptp-of-chronyd", errors, bound_ns, peer)]


@case("ntp-in-ptp-for-chronyd")
def ntp_for_chronyd(network):
    """The machine's clock at both ends, as between two of chronyd."""
    peer = peer_rms_ns(network)
    network.meantimed("gm", interfaces=(), clock={"clock": "overlay"},
                      more={"server": {"ptp_interface": "eth0", "local_stratum": 1}})
    chronyd(network, "bc", *ASKS_AS_CHRONYD)
    time.sleep(4 * SETTLE_S)
    network["bc"].check_running("chronyd")
    figures = figures_of(measure(network, ("gm", "system"), ("bc", "system")))
    requests = network.status("gm")["server"]["requests"]
    if requests["interleaved"] < 10:
        raise GuestError(f"it was not answered interleaved: {requests}")
    return [row("ntp-in-ptp-for-chronyd", "bc", "system", figures, None, peer)]


@case("ntp-of-chronyd")
def ntp_without_ptp(network):
    """Plain NTP with cards that stamp everything, and beside it with the kernel's timestamps."""
    name = "ntp-of-chronyd"
    rows = []
    for node in ("gm", "bc"):
        network[node].run(STAMPS_ALL)
    try:
        for suffix, is_hardware in (("", True), ("-software", False)):
            lines = ["hwtimestamp eth0"] if is_hardware else []
            network["gm"].write("/run/chrony.conf", "\n".join(
                [*CHRONYD[2:], *lines, "local stratum 1", "allow"]) + "\n")
            network["gm"].start("chronyd", "-x", "-d", "-u", "root", "-F", "0",
                                "-f", "/run/chrony.conf")
            errors, bound_ns = follow(
                network, ("gm", "system"), is_hardware,
                **{**IN_UDP, "timestamping": "hardware" if is_hardware else "software"})
            rows.append(row_of(name + suffix, errors, bound_ns, None))
            network.reset()
        return rows
    finally:
        for node in ("gm", "bc"):
            network[node].run("unset LD_PRELOAD")
