# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The laboratory's cases of what a kernel is told of its clock, as it shows it to others, and of
the leap seconds that it makes."""
import time

from cases import bound_at, case, check, row
from cases_clocks import serve_machine
from network import Figures, errors_between

UNSYNC = 0x40
LOOPS = 0x80 | 0x01 | 0x08  # FREQHOLD, PLL, FLL
UNKNOWN_US = 16_000_000
TAI_UTC = 37


class Kernel:
    def __init__(self, network, node):
        words = network[node].run("kernel_state").split()
        self.state, self.status, self.most_us, self.error_us, self.tai = map(int, words[:5])

    def __str__(self):
        return (f"state {self.state}, status {self.status:#x}, maxerror {self.most_us} us, "
                f"esterror {self.error_us} us, tai {self.tai} s")

    @property
    def is_synchronised(self):
        return not self.status & UNSYNC and self.most_us < UNKNOWN_US


def bound_us(network):
    return network.status("bc")["clocks"][1]["steered_bound_ns"] / 1000


def follow(network, **keys):
    network.meantimed("bc", ptp={"transport": "l2", "receiver_only": "yes"},
                      more={"clock main": {},
                            "clock machine": {"clock": "system", "follow": "main", **keys}})
    network.wait_locked("bc")
    network.wait_locked("bc", clock=1)
    time.sleep(1)


def check_unknown(kernel):
    check(kernel.status & UNSYNC and kernel.most_us == UNKNOWN_US, str(kernel))


def check_untold(kernel):
    """Other programs of earlier cases may have set the rest."""
    check(kernel.error_us == UNKNOWN_US, str(kernel))


@case("kernel-state")
def kernel_state(network):
    check_untold(Kernel(network, "gm"))
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}})
    network.wait_locked("gm")
    follow(network)
    for _ in range(5):
        kernel, bound = Kernel(network, "bc"), bound_us(network)
        check(kernel.is_synchronised and kernel.state == 0, str(kernel))
        check(not kernel.status & LOOPS and kernel.tai == TAI_UTC, str(kernel))
        check(0 < kernel.error_us <= kernel.most_us < 2 * bound + 1000, f"{kernel}; {bound} us")
        time.sleep(1)
    network["gm"].stop("meantimed")
    time.sleep(10)
    kernel, bound = Kernel(network, "bc"), bound_us(network)
    check(kernel.is_synchronised and kernel.most_us >= bound - 50, f"holdover: {kernel}; {bound}")
    network["bc"].stop("meantimed")
    check_unknown(Kernel(network, "bc"))
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}})
    network.wait_locked("gm")
    follow(network, rtc_sync="no")
    kernel = Kernel(network, "bc")
    check(kernel.status & UNSYNC and kernel.most_us < UNKNOWN_US, f"without RTC: {kernel}")
    # the grandmaster's own system clock, which nobody steers, is none of its business
    check_untold(Kernel(network, "gm"))
    return []


# ---- leap seconds --------------------------------------------------------------------------------

MIDNIGHT_S = 1798761600  # the first of 2027
LEAD_S = 110  # for all clocks to follow
AFTER_S = 12
WATCH_MS = 50
LIST = "/usr/share/zoneinfo/leap-seconds.list"
FROM_1900_TO_1970_S = 2208988800
YEAR_S = 366 * 86400
TELL_UNKNOWN = ("64", "0")
# announced in STATUS as STATE; the states from there on, each perhaps not seen but the first
INSERTED = {"leap_s": 1, "status": 0x10, "states": [1, 3, 4, 0]}
DELETED = {"leap_s": -1, "status": 0x20, "states": [2, 4, 0]}
GLITCH_NS = 5_000  # of CLOCK_TAI, between two looks
TIGHT_NS = 20_000


class Look:
    """A line of kernel_state."""

    def __init__(self, line):
        (self.state, self.status, _, _, self.tai, self.realtime_ns, self.tai_ns, self.boottime_ns,
         self.width_ns) = map(int, line.split())


def list_with(leap_s):
    return "".join(f"{text}\n" for text in (
        f"#$ {MIDNIGHT_S - YEAR_S + FROM_1900_TO_1970_S}",
        f"#@ {MIDNIGHT_S + YEAR_S + FROM_1900_TO_1970_S}",
        "3692217600 37", f"{MIDNIGHT_S + FROM_1900_TO_1970_S} {TAI_UTC + leap_s}"))


def utc_s(network):
    return float(network["gm"].run("date +%s"))


def begin_of_the_end(network, kind):
    """Every machine at the end of the year: the first one's kernel was told of a leap second by
    somebody, the second one has no list and must hear of it, the third one has a list."""
    for node in ("gm", "bc", "oc"):
        network[node].run(f"[ ! -e {LIST} ] || mv {LIST} {LIST}.away\n"
                          f"date -u -s @{MIDNIGHT_S - LEAD_S}")
    network["oc"].write(LIST, list_with(kind["leap_s"]))
    tell(network, "gm", 0, 0)  # until it has forgotten the last one it believes in no other
    tell(network, "gm", kind["status"], kind["states"][0])


def tell(network, node, status, state):
    network[node].run(f"kernel_state tell {status} {TAI_UTC}")
    network.wait(f"the kernel of {node} believes it",
                 lambda: Kernel(network, node).state == state, 5)


def back_to_the_present(network):
    network.reset()
    for node in ("gm", "bc", "oc"):
        network[node].run(f"rm -f {LIST}\n[ ! -e {LIST}.away ] || mv {LIST}.away {LIST}\n"
                          f"date -u -s @{int(time.time())}\n"
                          f"kernel_state tell {' '.join(TELL_UNKNOWN)}\n"
                          "for i in /dev/ptp*; do phc_ctl $i set; done")


def watch(network):
    """Bounds of the machines' clocks, until the leap second is over."""
    bounds = {"bc": [], "oc": []}
    looks = int((MIDNIGHT_S + AFTER_S - utc_s(network)) * 1000 / WATCH_MS)
    for node in bounds:
        network[node].start("kernel_state", str(looks), str(WATCH_MS))
    since_ns = time.monotonic_ns()
    while utc_s(network) < MIDNIGHT_S + AFTER_S:
        for node, known in bounds.items():
            status = network.status(node)
            if status is not None:
                known.append((time.monotonic_ns(), status["clocks"][1]["steered_bound_ns"]))
    return since_ns, bounds


def check_looks(looks, kind):
    """The states in their order; TAI - UTC with them; CLOCK_TAI goes on, CLOCK_REALTIME once by a
    second not."""
    states = [look.state for look in looks]
    changes = [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]
    check(changes == kind["states"][:len(changes)] and len(changes) > 1, f"states {changes}")
    if 3 in kind["states"]:
        during = [look.boottime_ns for look in looks if look.state == 3]
        lasted_s = (during[-1] - during[0]) / 1e9 if during else 0
        check(0 < lasted_s < 1.01, f"the leap second lasted for {lasted_s} s")
    tight = [look for look in looks if look.width_ns < TIGHT_NS]
    steps = []
    for before, after in zip(tight, tight[1:]):
        passed_ns = after.boottime_ns - before.boottime_ns
        glitch_ns = after.tai_ns - before.tai_ns - passed_ns
        check(abs(glitch_ns) < GLITCH_NS + before.width_ns + after.width_ns,
              f"CLOCK_TAI was off by {glitch_ns} ns")
        step_ns = after.realtime_ns - before.realtime_ns - passed_ns
        if abs(step_ns) > WATCH_MS * 1000:
            steps.append(round(step_ns / 1e9, 3))
    check(steps == [-kind["leap_s"]], f"CLOCK_REALTIME was stepped by {steps} s")
    check((looks[0].tai, looks[-1].tai) == (TAI_UTC, TAI_UTC + kind["leap_s"]),
          f"TAI - UTC: {looks[0].tai}, then {looks[-1].tai}")


def row_of_machine(network, name, node, since_ns, bounds):
    errors = [(at_ns, error - round(error / 1e9) * 1_000_000_000, width) for at_ns, error, width
              in errors_between(("gm", "phc"), (node, "system"), since_ns)]
    outside = sum(abs(error) > bound_at(bounds, at_ns) + width for at_ns, error, width in errors)
    return row(name, node, "system", Figures(errors), outside)


def lead_through(network, name, kind):
    begin_of_the_end(network, kind)
    serve_machine(network)
    machine = {"clock main": {}, "clock machine": {"clock": "system", "follow": "main"}}
    network.meantimed("bc", interfaces=("eth0", "eth1"), ptp={"transport": "l2"}, more=machine)
    network.meantimed("oc", ptp={"transport": "l2", "receiver_only": "yes"}, more=machine)
    for node in ("bc", "oc"):
        network.wait_locked(node)
        network.wait_locked(node, clock=1)
        network.wait(f"the kernel of {node} is told",
                     lambda node=node: Kernel(network, node).state == kind["states"][0], 10)
        kernel = Kernel(network, node)
        check(kernel.status & kind["status"] and kernel.tai == TAI_UTC, f"before: {kernel}")
    check(utc_s(network) < MIDNIGHT_S - 2 * AFTER_S, "it took too long to follow")
    stepped = {node: network[node].log("meantimed").count("stepped") for node in ("bc", "oc")}
    since_ns, bounds = watch(network)
    rows = []
    for node, known in bounds.items():
        network.wait_locked(node, clock=1)
        network.wait(f"the kernel of {node} is told that it is over",
                     lambda node=node: Kernel(network, node).state == 0, 20)
        kernel = Kernel(network, node)
        check(not kernel.status & kind["status"] and kernel.is_synchronised and
              kernel.tai == TAI_UTC + kind["leap_s"], f"afterwards: {kernel}")
        check_looks([Look(line) for line in network[node].log("kernel_state").splitlines()], kind)
        log = network[node].log("meantimed")
        check(log.count("stepped") == stepped[node], f"the clock of {node} was stepped")
        check("another process" not in log, f"somebody changed the clock of {node}")
        status = network.status(node)
        properties = status["instances"][0]["time_properties"]
        check(properties["utc_offset_s"] == TAI_UTC + kind["leap_s"] and
              not properties["leap61"] and not properties["leap59"], str(properties))
        check(status["clocks"][1]["tai_minus_utc_s"] == TAI_UTC + kind["leap_s"], "TAI - UTC")
        rows.append(row_of_machine(network, name, node, since_ns, known))
    return rows


def add_leap(name, kind):
    @case(name)
    def leap(network):
        try:
            return lead_through(network, name, kind)
        finally:
            back_to_the_present(network)


add_leap("leap-inserted", INSERTED)
add_leap("leap-deleted", DELETED)
