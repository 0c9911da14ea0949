#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The measured chain: a grandmaster, Pi A that follows it by PTP, Pi B that follows Pi A by NTP.

    GM --- PTP --- Pi A --- NTP --- Pi B

All on real sockets with the kernel's timestamps and default settings of the clocks. Each node has
a lab clock, a synthetic oscillator above the kernel's clock, so the true offset from the
grandmaster is known at any time. --as-published leaves the intervals as they are by default, too
(PTP once a second, NTP from 64 s on) and settles for 20 minutes, as in the published measurement
with two Raspberry Pi; without it NTP asks every second to every eight.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import clock_page  # noqa: E402
import netlab  # noqa: E402

NODES = ("GM", "A", "B")
FOLLOWERS = ("A", "B")
TITLES = {"A": "Pi A (PTP)", "B": "Pi B (NTP)"}
PUBLISHED = {"A": (76_800, 5_500), "B": (149_000, 13_000)}  # mean, standard deviation in ns
READING_STEP_S = 0.1
SETTLE_SHARE = 0.4
AS_PUBLISHED_S = (1200.0, 600.0)  # to settle, to measure
LEAST_S = 40.0

CONFIG = """[daemon]
run_directory = {directory}
state_directory = {directory}

[clock]
clock = lab
lab_offset = {offset}
lab_frequency = {frequency}
lab_wander = {wander}
lab_seed = {seed}

{roles}
"""
OSCILLATORS = {
    "GM": {"offset": "0", "frequency": "0", "wander": "0", "seed": 1},
    "A": {"offset": "0.35 s", "frequency": "23 ppm", "wander": "5 ppb", "seed": 2},
    "B": {"offset": "-0.8 s", "frequency": "-31 ppm", "wander": "5 ppb", "seed": 3},
}
ROLES = {
    "GM": "[ptp eth0]\ntransmitter_only = yes\n\n[instance main]\npriority1 = 10\n",
    "A": "[ptp eth0]\n\n[instance main]\nreceiver_only = yes\n\n[server]\nlisten = 10.77.2.1\n",
    "B": "[ntp 10.77.2.1]\n",
}
QUICK_NTP = "min_poll = 0\nmax_poll = 3\n"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev demo chain", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=150.0, metavar="N",
                        help=f"how long to run (default 150, at least {LEAST_S:.0f}); figures are "
                             "of the last three fifths")
    parser.add_argument("--as-published", action="store_true",
                        help="default intervals, 20 minutes to settle, 10 minutes of figures")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--out", metavar="DIRECTORY",
                        default=os.path.join(ROOT, "build", "demo-chain"),
                        help="logs, readings and plots (default build/demo-chain)")
    parser.add_argument("--bin", metavar="DIRECTORY",
                        default=os.path.join(ROOT, "build", "release", "apps", "meantimed"),
                        help="where meantimed is")
    arguments = parser.parse_args()
    if arguments.seconds < LEAST_S:
        parser.error(f"--seconds: at least {LEAST_S:.0f}")
    arguments.settle_s = arguments.seconds * SETTLE_SHARE
    if arguments.as_published:
        arguments.settle_s = AS_PUBLISHED_S[0]
        arguments.seconds = sum(AS_PUBLISHED_S)
    arguments.out = os.path.abspath(arguments.out)
    if arguments.json:
        arguments.json = os.path.abspath(arguments.json)
    return arguments


class Node:
    """One meantimed in its namespace."""

    def __init__(self, lab, name, arguments):
        self.name = name
        self.directory = os.path.join(arguments.out, name)
        os.makedirs(self.directory, exist_ok=True)
        for leftover in os.listdir(self.directory):
            os.remove(os.path.join(self.directory, leftover))
        roles = ROLES[name]
        if name == "B" and not arguments.as_published:
            roles += QUICK_NTP
        config = os.path.join(self.directory, "meantime.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(directory=self.directory, roles=roles, **OSCILLATORS[name]))
        self.program = lab.start(name, [os.path.join(os.path.abspath(arguments.bin), "meantimed"),
                                        "-c", config], os.path.join(self.directory, "log"))

    def page(self):
        return clock_page.read(os.path.join(self.directory, "clock.main"))

    def check_running(self):
        if not self.program.is_running():
            sys.exit(f"meantimed of {self.name} has ended:\n{self.program.log()}")


def read(nodes):
    """One reading of every follower at the same instant: name -> (offset, bound or None, state)."""
    pages = {name: nodes[name].page() for name in NODES}
    base_ns = clock_page.base_now_ns()
    if any(page is None for page in pages.values()):
        return {}
    reference_ns = pages["GM"].time_ns(base_ns)
    return {name: (pages[name].time_ns(base_ns) - reference_ns,
                   pages[name].bound_at_ns(base_ns) if pages[name].reference != "none" else None,
                   pages[name].state)
            for name in FOLLOWERS}


def microseconds(value_ns):
    return "-" if value_ns is None else f"{value_ns / 1e3:.2f} us"


def show(moment_s, result):
    words = [f"{TITLES[name]} {microseconds(result[name][0]):>14} {result[name][2]}"
             for name in FOLLOWERS if name in result]
    print(f" t = {moment_s:6.1f} s   {'   '.join(words)}", flush=True)


def run(nodes, arguments):
    """(moment_s, name, offset_ns, bound_ns or None, state) of each reading."""
    readings = []
    start_s = shown_s = time.monotonic()
    every_s = max(5.0, arguments.seconds / 20)
    while time.monotonic() - start_s < arguments.seconds:
        result = read(nodes)
        moment_s = time.monotonic() - start_s
        readings += [(moment_s, name, *values) for name, values in result.items()]
        if time.monotonic() - shown_s >= every_s:
            shown_s = time.monotonic()
            show(moment_s, result)
            for node in nodes.values():
                node.check_running()
        time.sleep(READING_STEP_S)
    return readings


def figures(readings, arguments):
    rows = []
    for name in FOLLOWERS:
        locked = [moment for moment, node, _, _, state in readings
                  if node == name and state == "locked"]
        settled = [reading for reading in readings
                   if reading[1] == name and reading[0] >= arguments.settle_s]
        offsets = [reading[2] for reading in settled]
        if not offsets:
            sys.exit(f"{TITLES[name]}: no readings")
        rows.append({
            "name": TITLES[name],
            "synchronised_after_s": round(locked[0], 2) if locked else None,
            "readings": len(offsets),
            "mean_ns": round(statistics.fmean(offsets), 1),
            "sd_ns": round(statistics.pstdev(offsets), 1),
            "max_ns": max(abs(offset) for offset in offsets),
            "outside_bound": sum(1 for reading in settled
                                 if reading[3] is None or abs(reading[2]) > reading[3]),
            "mean_bound_ns": round(statistics.fmean(reading[3] or 0 for reading in settled), 1),
            "published_mean_ns": PUBLISHED[name][0],
            "published_sd_ns": PUBLISHED[name][1],
        })
    return rows


def plot(readings, arguments):
    """Writes the readings and draws them; returns the files made."""
    for name in FOLLOWERS:
        with open(os.path.join(arguments.out, f"{name}.dat"), "w", encoding="utf-8") as data:
            for moment_s, node, offset_ns, bound_ns, _ in readings:
                if node == name:
                    bound = "nan" if bound_ns is None else f"{bound_ns / 1e9:.12f}"
                    data.write(f"{moment_s:.3f} {offset_ns / 1e9:.12f} {bound}\n")
    made = []
    for terminal, file in (("svg size 1000,800 dynamic background '#ffffff'", "chain.svg"),
                           ("pngcairo size 1000,800", "chain.png")):
        path = os.path.join(arguments.out, file)
        result = subprocess.run(
            ["gnuplot", "-e", f"set terminal {terminal}; out='{path}'; dir='{arguments.out}'; "
                              f"until={arguments.seconds}; settled={arguments.settle_s}",
             os.path.join(ROOT, "demo", "measured_chain.gp")],
            capture_output=True, text=True, check=False)
        if result.returncode == 0:
            made.append(path)
        else:
            print(f"no plot: {result.stderr.strip()}", file=sys.stderr)
    return made


def judge(rows):
    """Sentences about what missed its limit: no worse than what was published."""
    faults = []
    for row in rows:
        if row["synchronised_after_s"] is None:
            faults.append(f"{row['name']} never synchronised")
        if row["sd_ns"] >= row["published_sd_ns"]:
            faults.append(f"{row['name']}: standard deviation {microseconds(row['sd_ns'])}, "
                          f"published {microseconds(row['published_sd_ns'])}")
        if row["outside_bound"]:
            faults.append(f"{row['name']}: {row['outside_bound']} of {row['readings']} readings "
                          "outside the error bound")
    return faults


def summarise(rows, faults, plots, arguments):
    print(f"\n True offset from the grandmaster, t = {arguments.settle_s:.0f} s to "
          f"{arguments.seconds:.0f} s")
    print(f" {'node':<12}{'mean':>12}{'std dev':>12}{'maximum':>12}{'mean bound':>13}"
          f"{'published mean':>16}{'std dev':>12}")
    for row in rows:
        print(f" {row['name']:<12}{microseconds(row['mean_ns']):>12}"
              f"{microseconds(row['sd_ns']):>12}{microseconds(row['max_ns']):>12}"
              f"{microseconds(row['mean_bound_ns']):>13}"
              f"{microseconds(row['published_mean_ns']):>16}"
              f"{microseconds(row['published_sd_ns']):>12}")
    print(" Published: two Raspberry Pi, a GPS grandmaster; the asymmetry of a real network is in "
          "the mean.")
    for path in plots:
        print(f" plot: {os.path.relpath(path)}")
    for fault in faults:
        print(f" MISSED: {fault}")


def main():
    arguments = parse_arguments()
    netlab.enter()
    os.makedirs(arguments.out, exist_ok=True)
    with netlab.Lab("chain") as lab:
        for name in NODES:
            lab.node(name)
        lab.link("GM", "eth0", "A", "eth0")  # 10.77.1.0/24
        lab.link("A", "eth1", "B", "eth0")   # 10.77.2.0/24
        lab.wait_for_links()
        print(f" GM --- PTP --- Pi A --- NTP --- Pi B, for {arguments.seconds:.0f} s; their true "
              "offsets from GM:", flush=True)
        nodes = {name: Node(lab, name, arguments) for name in NODES}
        readings = run(nodes, arguments)
    rows = figures(readings, arguments)
    faults = judge(rows)
    summarise(rows, faults, plot(readings, arguments), arguments)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"nodes": rows, "as_published": arguments.as_published}, out, indent=1)
            out.write("\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
