# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs the steps of `./dev check` one after the other and adds up their test cases.

A step is a name and a function that gets a Log and returns a Count.  Everything that the step's
commands print goes into build/check/NAME.log; one line tells how it went.  A failing step shows
the end of its log and the rest goes on.
"""
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

TAIL_LINES = 40


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


class Log:
    """The log of one step, and the way to run commands into it."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "wb")

    def write(self, text):
        self.file.write(text.encode())
        self.file.flush()

    def run(self, command, timeout_s, cwd=None, env=None):
        """Runs a command in a process group of its own; returns its exit status.  When time is
        up or the user interrupts, the whole group ends."""
        self.write("$ " + " ".join(map(str, command)) + "\n")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.file,
                                   stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True,
                                   env={**os.environ, **(env or {})})
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            end_group(process)
            self.write(f"\nended after {timeout_s} s\n")
            return 124
        except KeyboardInterrupt:
            end_group(process)
            raise

    def tail(self):
        self.file.flush()
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()[-TAIL_LINES:]


def end_group(process):
    """Asks first: an interrupted test still has network namespaces to remove."""
    for number, patience_s in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience_s)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def describe(count):
    parts = [f"{count.passed} passed"] if count.passed else []
    parts += [f"{count.failed} FAILED"] if count.failed else []
    parts += [f"{count.skipped} skipped"] if count.skipped else []
    return ", ".join(parts) or "nothing to do"


def run_step(name, step, folder):
    log = Log(os.path.join(folder, name.replace(" ", "-") + ".log"))
    print(f"{name:<18}", end="", flush=True)
    start = time.monotonic()
    try:
        count = step(log)
    except Exception as error:  # a step's own fault is a failure of that step, not of the rest
        log.write(f"\n{type(error).__name__}: {error}\n")
        count = one_failed(name)
    print(f"{time.monotonic() - start:7.1f} s  {describe(count)}", flush=True)
    if count.failed:
        for line in log.tail():
            print("    | " + line)
        print(f"    whole log: {os.path.relpath(log.path)}")
    log.file.close()
    return count


def run_steps(steps, folder):
    """Runs all steps; returns the exit status of the whole.  The last line printed is
    `N passed, N failed`."""
    os.makedirs(folder, exist_ok=True)
    sys.stdout.reconfigure(errors="replace")
    start = time.monotonic()
    total = Count()
    try:
        for name, step in steps:
            total += run_step(name, step, folder)
    except KeyboardInterrupt:
        print("interrupted")
        total += one_failed("interrupted")
    print(f"{'all':<18}{time.monotonic() - start:7.1f} s")
    if total.names:
        print("failed: " + ", ".join(total.names))
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0
