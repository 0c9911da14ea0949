#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: compare_precisions.py DOUBLE SINGLE

Runs tests/unit/real_loop.c in both precisions.  Single precision may cost a twentieth of the
accuracy at 100 ns of jitter, and some seconds at the start.
"""
import subprocess
import sys

WORSE = 1.05
LOCKED_S = 60


def results(program):
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in lines.splitlines())
    return {name: (float(rms), float(locked), int(outside)) for name, rms, locked, outside in rows}


def complaints(double, single):
    for name, (rms, locked, outside) in single.items():
        print(f"{name:20} double {double[name][0]:8.3f} ns, locked after {double[name][1]:5.1f} s"
              f"   single {rms:8.3f} ns, {locked:5.1f} s")
        if not rms <= WORSE * double[name][0]:
            yield f"{name}: the error is more than {WORSE} times that in double"
        if locked > LOCKED_S:
            yield f"{name}: locked after {locked} s"
        if outside > double[name][2]:
            yield f"{name}: {outside} readings outside the bound"


def main():
    double, single = map(results, sys.argv[1:3])
    wrong = list(complaints(double, single))
    if not single or double.keys() != single.keys():
        wrong.append("nothing to compare")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
