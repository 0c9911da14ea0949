#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The founding lab: ordinary clocks A and B on two ports of a boundary clock BC.

    A --- eth0 BC eth1 --- B

First only A and B run and both serve: their clocks are up to two seconds apart.  Then BC starts
(t = 0): A has the better priority1, BC follows A and serves B, B becomes a receiver.  All three
have a lab clock: a synthetic oscillator above the kernel's clock, so the true offset between them
is known at any time.  Figures are of t >= 30 s.
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
import control  # noqa: E402
import netlab  # noqa: E402

NODES = ("A", "BC", "B")
FOLLOWERS = ("BC", "B")
ALONE_S = 5.0        # A and B before BC starts
FIGURES_FROM_S = 30.0  # or half of a shorter run
LEAST_S = 20.0
SD_LIMIT_NS = 5000
READING_STEP_S = 0.1

CONFIG = """[daemon]
run_directory = {directory}
state_directory = {directory}

[clock]
clock = lab
lab_offset = {offset}
lab_frequency = {frequency}
lab_wander = {wander}
lab_seed = {seed}

[ptp]
log_announce_interval = -1
log_sync_interval = -3
log_min_delay_req_interval = -3
priority1 = {priority1}
"""

OSCILLATORS = {
    "A": {"offset": "0.7 s", "frequency": "12 ppm", "wander": "1 ppb", "seed": 1, "priority1": 100},
    "BC": {"offset": "-0.4 s", "frequency": "40 ppm", "wander": "2 ppb", "seed": 2,
           "priority1": 128},
    "B": {"offset": "-1 s", "frequency": "-35 ppm", "wander": "2 ppb", "seed": 3,
          "priority1": 128},
}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N",
                        help="how long to run after BC has started (default 60, at least "
                             f"{LEAST_S:.0f})")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--out", metavar="DIRECTORY", default=os.path.join(ROOT, "build", "demo"),
                        help="logs, readings and plots (default build/demo)")
    parser.add_argument("--bin", metavar="DIRECTORY",
                        default=os.path.join(ROOT, "build", "release", "apps", "meantimed"),
                        help="where meantimed is")
    arguments = parser.parse_args()
    if arguments.seconds < LEAST_S:
        parser.error(f"--seconds: at least {LEAST_S:.0f}: the clocks need some 10 s to synchronise")
    arguments.figures_from_s = min(FIGURES_FROM_S, arguments.seconds / 2)
    arguments.out = os.path.abspath(arguments.out)
    if arguments.json:
        arguments.json = os.path.abspath(arguments.json)
    return arguments


class Node:
    """One meantimed in its namespace."""

    def __init__(self, lab, name, interfaces, arguments):
        self.lab = lab
        self.name = name
        self.interfaces = interfaces
        self.binary = os.path.join(os.path.abspath(arguments.bin), "meantimed")
        self.directory = os.path.join(arguments.out, name)
        self.program = None
        os.makedirs(self.directory, exist_ok=True)
        for leftover in os.listdir(self.directory):
            os.remove(os.path.join(self.directory, leftover))
        self.config = os.path.join(self.directory, "meantime.conf")
        with open(self.config, "w", encoding="utf-8") as config:
            config.write(CONFIG.format(directory=self.directory, **OSCILLATORS[name]))
            for interface in interfaces:
                config.write(f"\n[ptp {interface}]\n")

    def start(self):
        self.program = self.lab.start(self.name, [self.binary, "-c", self.config],
                                      os.path.join(self.directory, "log"))

    def page(self):
        return clock_page.read(os.path.join(self.directory, "clock.main"))

    def status(self):
        return control.request(os.path.join(self.directory, "control"), {"command": "status"})

    def port_states(self):
        """State of each port by name; empty while the node is not there."""
        reply = self.status()
        if reply is None:
            return {}
        return {port["name"]: port["state"]
                for port in reply["status"]["instances"][0]["ports"]}


def nanoseconds(value):
    """A signed time for people."""
    if value is None:
        return "-"
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if abs(value) >= scale:
            return f"{value / scale:+.3f} {unit}"
    return f"{value:+.0f} ns"


class Table:
    """The live table: redrawn on a terminal, printed line by line elsewhere."""

    def __init__(self):
        self.is_live = sys.stdout.isatty()
        self.lines = 0

    def show(self, moment_s, rows):
        lines = [f" t = {moment_s:+6.1f} s", f" {'node':<5}{'ports':<44}{'true offset':>14}"
                 f"{'error bound':>14}  clock"]
        for name, ports, offset, bound, state in rows:
            states = ", ".join(f"{port} {value}" for port, value in ports.items()) or "not running"
            lines.append(f" {name:<5}{states:<44}{offset:>14}{bound:>14}  {state}")
        if self.is_live and self.lines:
            sys.stdout.write(f"\x1b[{self.lines}A")
        end = "\x1b[K\n" if self.is_live else "\n"
        sys.stdout.write(end.join(lines) + end)
        sys.stdout.flush()
        self.lines = len(lines)


class Story:
    """Runs the lab, takes the readings, and remembers when what happened."""

    def __init__(self, nodes, arguments):
        self.nodes = nodes
        self.arguments = arguments
        self.table = Table()
        self.readings = []          # (t, node, offset_ns, bound_ns or None, state)
        self.synchronised = {}      # node -> t
        self.served_early = False
        self.start_s = None         # monotonic time at which BC started

    def moment(self):
        return time.monotonic() - (self.start_s or self.bc_starts_s)

    def read(self):
        """One reading of every node at the same instant of the base clock."""
        pages = {name: self.nodes[name].page() for name in NODES if self.nodes[name].program}
        base_ns = clock_page.base_now_ns()
        moment_s = self.moment()
        if pages.get("A") is None:
            return {}
        reference_ns = pages["A"].time_ns(base_ns)
        result = {"A": (0, None, pages["A"].state)}
        for name in FOLLOWERS:
            page = pages.get(name)
            if page is None:
                continue
            bound_ns = page.bound_at_ns(base_ns) if page.reference != "none" else None
            offset_ns = page.time_ns(base_ns) - reference_ns
            result[name] = (offset_ns, bound_ns, page.state)
            self.readings.append((moment_s, name, offset_ns, bound_ns, page.state))
            if page.state == "locked" and self.start_s:
                self.synchronised.setdefault(name, moment_s)
        return result

    def watch_bc(self, ports):
        """BC may not serve before it is calibrated."""
        serves = ports.get("eth1") == "TRANSMITTER"
        if serves and "BC" not in self.synchronised:
            self.served_early = True

    def show(self, result):
        rows = []
        for name in NODES:
            offset, bound, state = result.get(name, (None, None, "-"))
            ports = self.nodes[name].port_states() if self.nodes[name].program else {}
            if name == "BC":
                self.watch_bc(ports)
            rows.append((name, ports, "reference" if name == "A" else nanoseconds(offset),
                         "-" if bound is None else nanoseconds(bound).lstrip("+"), state))
        self.table.show(self.moment(), rows)

    def run_until(self, end_s):
        shown_s = 0.0
        while self.moment() < end_s:
            result = self.read()
            if time.monotonic() - shown_s >= 1.0:
                shown_s = time.monotonic()
                self.show(result)
            time.sleep(READING_STEP_S)

    def check_running(self):
        for node in self.nodes.values():
            if node.program and not node.program.is_running():
                sys.exit(f"meantimed of {node.name} has ended:\n{node.program.log()}")

    def run(self):
        self.bc_starts_s = time.monotonic() + ALONE_S
        print(" A and B alone: both serve, their clocks are apart.")
        self.nodes["A"].start()
        self.nodes["B"].start()
        self.run_until(0.0)
        self.check_running()
        print("\n BC starts between them.")
        self.table.lines = 0
        self.nodes["BC"].start()
        self.start_s = time.monotonic()
        self.run_until(self.arguments.seconds)
        self.check_running()


def figures(story):
    """The summary of each follower, as the JSON file has it."""
    rows = []
    for name in FOLLOWERS:
        settled = [reading for reading in story.readings
                   if reading[1] == name and reading[0] >= story.arguments.figures_from_s]
        offsets = [reading[2] for reading in settled]
        rows.append({
            "name": name,
            "synchronised_after_s": round(story.synchronised.get(name, float("inf")), 2),
            "readings": len(offsets),
            "mean_ns": round(statistics.fmean(offsets), 1),
            "sd_ns": round(statistics.pstdev(offsets), 1),
            "max_ns": max(abs(offset) for offset in offsets),
            "outside_bound": sum(1 for reading in settled
                                 if reading[3] is None or abs(reading[2]) > reading[3]),
            "mean_bound_ns": round(statistics.fmean(reading[3] or 0 for reading in settled), 1),
        })
    return rows


def plot(story, out):
    """Writes the readings and draws them; returns the files made."""
    for name in FOLLOWERS:
        with open(os.path.join(out, f"{name}.dat"), "w", encoding="utf-8") as data:
            for moment_s, node, offset_ns, bound_ns, _ in story.readings:
                if node == name:
                    data.write(f"{moment_s:.3f} {offset_ns / 1e9:.12f} "
                               f"{'nan' if bound_ns is None else f'{bound_ns / 1e9:.12f}'}\n")
    made = []
    for terminal, file in (("svg size 1000,800 dynamic background '#ffffff'", "demo.svg"),
                           ("pngcairo size 1000,800", "demo.png")):
        path = os.path.join(out, file)
        script = os.path.join(ROOT, "demo", "founding_lab.gp")
        result = subprocess.run(
            ["gnuplot", "-e", f"set terminal {terminal}; out='{path}'; dir='{out}'; "
                              f"until={story.arguments.seconds}", script],
            capture_output=True, text=True, check=False)
        if result.returncode == 0:
            made.append(path)
        else:
            print(f"no plot: {result.stderr.strip()}", file=sys.stderr)
    return made


def judge(rows, story):
    """Sentences about what missed its limit."""
    faults = ["BC served B before it was calibrated"] if story.served_early else []
    for row in rows:
        if row["synchronised_after_s"] == float("inf"):
            faults.append(f"{row['name']} never synchronised")
        if row["sd_ns"] >= SD_LIMIT_NS:
            faults.append(f"{row['name']}: standard deviation {row['sd_ns'] / 1e3:.2f} us, "
                          f"limit {SD_LIMIT_NS / 1e3:.0f} us")
        if row["outside_bound"]:
            faults.append(f"{row['name']}: {row['outside_bound']} of {row['readings']} readings "
                          "outside the error bound")
    return faults


def summarise(rows, faults, plots, arguments):
    print(f"\n True offset from A, t = {arguments.figures_from_s:.0f} s to "
          f"{arguments.seconds:.0f} s")
    print(f" {'node':<5}{'synchronised after':>19}{'mean':>12}{'std dev':>12}{'maximum':>12}"
          f"{'mean bound':>13}{'outside':>9}{'readings':>10}")
    for row in rows:
        print(f" {row['name']:<5}{row['synchronised_after_s']:>17.1f} s"
              f"{nanoseconds(row['mean_ns']):>12}{nanoseconds(row['sd_ns']).lstrip('+'):>12}"
              f"{nanoseconds(row['max_ns']).lstrip('+'):>12}"
              f"{nanoseconds(row['mean_bound_ns']).lstrip('+'):>13}"
              f"{row['outside_bound']:>9}{row['readings']:>10}")
    for path in plots:
        print(f" plot: {os.path.relpath(path)}")
    for fault in faults:
        print(f" MISSED: {fault}")


def main():
    arguments = parse_arguments()
    netlab.enter()
    os.makedirs(arguments.out, exist_ok=True)
    with netlab.Lab("demo") as lab:
        for name in NODES:
            lab.node(name)
        lab.link("A", "eth0", "BC", "eth0")
        lab.link("BC", "eth1", "B", "eth0")
        nodes = {"A": Node(lab, "A", ["eth0"], arguments),
                 "BC": Node(lab, "BC", ["eth0", "eth1"], arguments),
                 "B": Node(lab, "B", ["eth0"], arguments)}
        story = Story(nodes, arguments)
        story.run()
    rows = figures(story)
    faults = judge(rows, story)
    summarise(rows, faults, plot(story, arguments.out), arguments)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"nodes": [{key: None if value == float("inf") else value
                                  for key, value in row.items()} for row in rows]}, out, indent=1)
            out.write("\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
