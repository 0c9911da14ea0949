# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs the steps of `./dev check` in lanes and adds up their test cases.

A step is a name and a function that gets a Log and returns a Count.  The steps of a lane run one
after the other, the lanes side by side.  Everything that a step's commands print goes into
build/check/NAME.log; one line tells how it went.  A failing step shows the end of its log and the
rest goes on.

A lane that is not urgent takes only the time that the others leave: laboratories mostly wait,
but must not be late when a packet arrives.  The kernel keeps that promise within one session
only, where it groups tasks by session; so commands get a process group and no session.
"""
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

TAIL_LINES = 40
PATIENCE = ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5))  # signal, s


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: tuple = ()  # of what failed

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped, self.names + other.names)


ONE_PASSED = Count(passed=1)


def one_failed(name):
    return Count(failed=1, names=(name,))


class Lane:
    """Steps to be run one after the other."""

    def __init__(self, steps, is_urgent=True):
        self.steps = steps
        self.is_urgent = is_urgent


class Log:
    """The log of one step, and the way to run commands into it.  stop: an Event; once it is set,
    commands are ended and no more begin."""

    def __init__(self, path, stop=None):
        self.path = path
        self.file = open(path, "wb")
        self.stop = stop or threading.Event()
        self.cpu_s = 0.0

    def write(self, text):
        self.file.write(text.encode())
        self.file.flush()

    def run(self, command, timeout_s, cwd=None, env=None):
        """Runs a command in a process group of its own; returns its exit status.  When time is
        up or the user interrupts, the whole group ends."""
        self.write("$ " + " ".join(map(str, command)) + "\n")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.file,
                                   stderr=subprocess.STDOUT, cwd=cwd, process_group=0,
                                   env={**os.environ, **(env or {})})
        end_s = time.monotonic() + timeout_s
        while not self.has_ended(process):
            if self.stop.is_set() or time.monotonic() > end_s:
                end_group(process, self.has_ended)
                self.write("\ninterrupted\n" if self.stop.is_set()
                           else f"\nended after {timeout_s} s\n")
                return 124
            time.sleep(0.05)
        return process.returncode

    def has_ended(self, process):
        """Looks once, and counts the processor time when it has."""
        if process.returncode is None:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s += usage.ru_utime + usage.ru_stime
        return process.returncode is not None

    def tail(self):
        self.file.flush()
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()[-TAIL_LINES:]


def end_group(process, has_ended):
    """Asks first: an interrupted test still has network namespaces to remove.  Once the first
    of the group has ended, the others have no one to tell them."""
    for number, patience_s in PATIENCE:
        signal_group(process, number)
        end_s = time.monotonic() + patience_s
        while not has_ended(process) and time.monotonic() < end_s:
            time.sleep(0.02)
        if process.returncode is not None:
            break
    signal_group(process, signal.SIGKILL)


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def describe(count):
    parts = [f"{count.passed} passed"] if count.passed else []
    parts += [f"{count.failed} FAILED"] if count.failed else []
    parts += [f"{count.skipped} skipped"] if count.skipped else []
    return ", ".join(parts) or "nothing to do"


def run_step(name, step, folder, stop):
    """Returns the count and the lines that tell of it."""
    log = Log(os.path.join(folder, name.replace(" ", "-") + ".log"), stop)
    start_s = time.monotonic()
    try:
        count = step(log)
    except Exception as error:  # a step's own fault is a failure of that step, not of the rest
        log.write(f"\n{type(error).__name__}: {error}\n")
        count = one_failed(name)
    lines = [f"{name:<18}{time.monotonic() - start_s:7.1f} s {log.cpu_s:7.1f} s cpu  "
             f"{describe(count)}"]
    if count.failed:
        lines += ["    | " + line for line in log.tail()]
        lines += [f"    whole log: {os.path.relpath(log.path)}"]
    log.file.close()
    return count, lines


def give_way():
    """This thread, and what it starts, gets the time that others leave."""
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError:
        pass  # it is a courtesy


class Run:
    """Some lanes side by side, and their sum."""

    def __init__(self, folder):
        self.folder = folder
        self.stop = threading.Event()  # the user interrupts
        self.lock = threading.Lock()
        self.total = Count()

    def run_lane(self, lane, gives_way):
        if gives_way:
            give_way()
        for name, step in lane.steps:
            if self.stop.is_set():
                return
            count, lines = run_step(name, step, self.folder, self.stop)
            with self.lock:
                self.total += count
                print("\n".join(lines), flush=True)

    def run(self, lanes):
        threads = [threading.Thread(target=self.run_lane, args=(lane, not lane.is_urgent))
                   for lane in lanes]
        try:
            for thread in threads:
                thread.start()
            wait_for(threads)
        except KeyboardInterrupt:
            self.stop.set()
            wait_for(threads)
            print("interrupted")
            self.total += one_failed("interrupted")


def wait_for(threads):
    """Not with join(): a thread whose join() is interrupted counts as ended in Python 3.11."""
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.05)


def run_lanes(groups, folder):
    """Runs groups of lanes, one group after the other; returns the exit status of the whole.  The
    last line printed is `N passed, N failed`."""
    os.makedirs(folder, exist_ok=True)
    sys.stdout.reconfigure(errors="replace")
    start_s = time.monotonic()
    run = Run(folder)
    for lanes in groups:
        if not run.stop.is_set():
            run.run(lanes)
    print(f"{'all':<18}{time.monotonic() - start_s:7.1f} s")
    if run.total.names:
        print("failed: " + ", ".join(run.total.names))
    print(f"{run.total.passed} passed, {run.total.failed} failed")
    return 1 if run.total.failed else 0
