#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: compare_builds.py BUILD...

Runs the same simulations in each build folder and compares hashes: of all frames and corrections
of a small network, and of everything that `meantime sim` writes about larger ones.  Compilers and
optimisation make no difference to what a node does.  Exits 1 if they do, or if there are fewer
than two builds to compare.
"""
import hashlib
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.join("tests", "sim", "test_sim_determinism")
TOOL = os.path.join("apps", "meantime", "meantime")
FILES = ("csv", "json", "series")
SIMULATIONS = {
    "founding-lab": ["founding-lab", "--clocks", "--seeds", "3"],
    "data-centre": ["data-centre", "--duration", "60 s", "--set", "leaf-spine.servers=32"],
}


def hash_of_frames(build):
    path = os.path.join(build, PROGRAM)
    if not os.path.exists(path):
        return None
    return subprocess.run([path, "--hash"], check=True, capture_output=True,
                          text=True).stdout.strip()


def hash_of_simulation(build, name):
    """Of standard output and of all files; the exit status tells of expectations only."""
    path = os.path.join(build, TOOL)
    if not os.path.exists(path):
        return None
    with tempfile.TemporaryDirectory() as folder:
        outputs = {kind: os.path.join(folder, kind) for kind in FILES}
        options = [word for kind, file in outputs.items() for word in (f"--{kind}", file)]
        done = subprocess.run([path, "sim", *SIMULATIONS[name], "--quiet", *options],
                              check=False, capture_output=True)
        if done.returncode not in (0, 1) or done.stderr:
            sys.exit(f"{path}: {done.stderr.decode()}")
        texts = [done.stdout]
        for kind in FILES:
            with open(outputs[kind], "rb") as file:
                texts.append(file.read())
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


def main():
    kinds = {"frames": hash_of_frames}
    for name in SIMULATIONS:
        kinds[name] = lambda build, name=name: hash_of_simulation(build, name)
    is_same = True
    for kind, hash_of in kinds.items():
        hashes = {build: hash_of(build) for build in sys.argv[1:]}
        for build, found in hashes.items():
            print(f"{kind}: {build}: {found or 'not built'}")
        found = [h for h in hashes.values() if h]
        is_one = len(found) > 1 and len(set(found)) == 1
        print(f"{kind}: {len(found)} builds, {'one hash' if is_one else 'not one hash'}")
        is_same = is_same and is_one
    sys.exit(0 if is_same else 1)


if __name__ == "__main__":
    main()
