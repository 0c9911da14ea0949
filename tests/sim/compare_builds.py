#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: compare_builds.py BUILD...

Runs one simulation in each build folder that has it and compares the hashes of all frames and
corrections: compilers and optimisation make no difference to what a node does.  Exits 1 if they
do, or if there are fewer than two to compare.
"""
import os
import subprocess
import sys

PROGRAM = os.path.join("tests", "sim", "test_sim_determinism")


def hash_of(build):
    path = os.path.join(build, PROGRAM)
    if not os.path.exists(path):
        return None
    return subprocess.run([path, "--hash"], check=True, capture_output=True, text=True).stdout


def main():
    hashes = {build: hash_of(build) for build in sys.argv[1:]}
    for build, found in hashes.items():
        print(f"{build}: {found.strip() if found else 'not built'}")
    found = [h for h in hashes.values() if h]
    same = len(found) > 1 and len(set(found)) == 1
    print(f"{len(found)} builds, {'one hash' if same else 'not one hash'}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
