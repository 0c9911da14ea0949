#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: foreign.py [--long] [--loop FILE] [KIND ...]

Runs unit tests of the core on processors of another kind, under an emulator (qemu-user): s390x has
64 bits and the highest octet first, armhf 32 bits.  Without --long a representative of each part.
--loop: real_loop of a build for this machine; that of each kind must print the same, number by
number.  Ends with 1 if a test fails or a number differs, with 77 if there is no compiler or no
emulator.
"""
import argparse
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KINDS = {"s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),
         "armhf": ("arm-linux-gnueabihf-gcc", "qemu-arm")}
SKIPPED = 77


def folder(kind):
    return os.path.join(TOP, "build", kind)


def call(*command):
    """True if it went well; what it says is shown if not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout + done.stderr, end="")
    return done.returncode == 0


def configure(kind):
    cmocka = os.path.join(TOP, "build", "cmocka", "src")
    cross = os.path.join(TOP, "tests", "foreign", kind + ".ini")
    return os.path.exists(os.path.join(folder(kind), "build.ninja")) or call(
        "meson", "setup", folder(kind), TOP, "--cross-file", cross, "-Dcore_only=true",
        "-Dcmocka=" + cmocka, "--buildtype=debugoptimized")


def run_tests(kind, is_long):
    suites = ["--suite", "representative"] + (["--suite", "more"] if is_long else [])
    return call("meson", "test", "-C", folder(kind), "--print-errorlogs",
                "--timeout-multiplier", "4", *suites)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def is_same_loop(kind, own):
    if not call("ninja", "-C", folder(kind), "tests/foreign/real_loop"):
        return False
    theirs = output(KINDS[kind][1], os.path.join(folder(kind), "tests", "foreign", "real_loop"))
    is_same = theirs == output(own) and len(theirs) > 0
    print(f"{kind}: {len(theirs.splitlines())} lines of numbers: "
          f"{'the same' if is_same else 'not the same'}")
    return is_same


def check(kind, arguments):
    good = configure(kind) and run_tests(kind, arguments.long)
    if good and arguments.loop:
        good = is_same_loop(kind, arguments.loop)
    print(f"{kind}: {'good' if good else 'FAILED'}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--loop", metavar="FILE")
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        if not all(map(shutil.which, KINDS[kind])):
            print(f"{kind}: there is no {' or no '.join(KINDS[kind])}")
            sys.exit(SKIPPED)
    if not call("sh", os.path.join(TOP, "tools", "unpack_source.sh"), "cmocka"):
        sys.exit(1)
    sys.exit(0 if all([check(kind, arguments) for kind in arguments.kinds]) else 1)


if __name__ == "__main__":
    main()
