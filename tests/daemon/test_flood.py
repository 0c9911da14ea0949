# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A boundary clock is flooded on both ports while it is synchronised."""
import json
import os
import subprocess
import time

import pytest

import meantimed
import netlab
import truth

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flood.c")
SECONDS = 15
RSS_LIMIT_KIB = 1024
SETTLED_S = 3


def has_sanitizer():
    with open(meantimed.DAEMON, "rb") as file:
        return b"__asan_init" in file.read()


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def counts(port):
    return {"received": port["counters"]["received"], "verdicts": sum(port["verdicts"].values()),
            "taken": port["link"]["received"], "dropped": port["link"]["kernel_dropped"]}


def start_flood(node, program, rate, seed, parent):
    return subprocess.Popen(["ip", "netns", "exec", f"t-{node}", program, "eth0", str(rate),
                             str(SECONDS), str(seed), parent], stdout=subprocess.PIPE, text=True)


def lost_on_the_way(lab, node):
    """Frames that the kernel dropped between the interfaces, before any socket."""
    (link,) = json.loads(lab.ip(node, "-s", "-j", "link", "show", "eth0"))
    return link["stats64"]["tx"]["dropped"]


@pytest.mark.lab(seconds=35, alone=True)
@pytest.mark.parametrize("rate, seed", [
    (50000, 1), pytest.param(100000, 2, marks=pytest.mark.long),
    pytest.param(50000, 3, marks=pytest.mark.long)])
def test_boundary_clock_is_unmoved_when_both_ports_are_flooded(lab, rate, seed):
    """rate: frames a second on both ports together; a tenth of it in a build with sanitizers."""
    rate = rate // 20 if has_sanitizer() else rate // 2
    program = lab.compile(SOURCE)
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100},
                      clock={"clock": "lab", "lab_offset": "0.5 s", "lab_frequency": "10 ppm"})
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_frequency": "-30 ppm"})
    bc = lab.meantimed("BC", "eth0", "eth1", clock={"clock": "lab", "lab_frequency": "20 ppm"})
    bc.wait_state("RECEIVER", "eth0")
    b.wait_state("RECEIVER")
    b.wait_for(lambda: b.instance()["steps_removed"] == 2, 10, "follows BC")
    b.wait_locked()
    time.sleep(SETTLED_S)
    parent = a.instance()["clock_identity"].replace(".", "")
    before = {name: counts(bc.port(name)) for name in ("eth0", "eth1")}
    rss_before = rss_kib(bc.program.pid)
    since_s = time.time()
    floods = {"eth0": start_flood("A", program, rate, seed, parent),
              "eth1": start_flood("B", program, rate, seed + 100, parent)}
    with truth.Recorder(bc, a) as of_bc, truth.Recorder(b, a) as of_b:
        results = {name: flood.communicate()[0].split() for name, flood in floods.items()}
    grown_kib = rss_kib(bc.program.pid) - rss_before  # reports asked for below take some
    for (name, (sent, taken_s)), node in zip(results.items(), ("A", "B")):
        print(f"{name}: {sent} frames in {taken_s} s")
        assert_accounted(bc, name, int(sent) - lost_on_the_way(lab, node), before[name])
    worst = [truth.assert_inside(recorder.readings) for recorder in (of_bc, of_b)]
    print(f"memory {rss_before} KiB {grown_kib:+d} KiB; largest offset {worst} ns")
    assert grown_kib <= RSS_LIMIT_KIB
    assert bc.states() == {"eth0": "RECEIVER", "eth1": "TRANSMITTER"}
    assert not [change for change in bc.history() if change[0] >= since_s]


def assert_accounted(bc, name, arrived, before):
    """Everything that arrived was taken or counted as dropped; what was taken has a verdict."""
    after = {}

    def is_accounted():  # the kernel tells of drops with the next frame
        after.update(counts(bc.port(name)))
        assert after["received"] == after["verdicts"] == after["taken"]
        return accounted() >= arrived

    def accounted():
        return after["taken"] + after["dropped"] - before["taken"] - before["dropped"]
    is_whole = netlab.wait_until(is_accounted, 5)
    print(f"{name}: " + ", ".join(f"{key} {after[key] - before[key]}" for key in after))
    assert is_whole, f"{accounted()} of {arrived}"
    own_traffic = 60 * (SECONDS + SETTLED_S)  # Sync, Follow_Up, Announce, delay exchanges
    assert accounted() <= arrived + own_traffic
    print(f"{name}: {bc.port(name)['verdicts']}")
