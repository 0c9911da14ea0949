#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: lab.py [--all] [--only NAME,...] [--list] [--json FILE] [--build FOLDER]

GM - BC - OC as virtual machines whose network cards have hardware clocks, with our programs and
linuxptp's: boots once, runs cases in turn.  Without --all the short ones.  Exit status: 0 all
cases are good, 1 some are not, 77 there can be no laboratory here."""
import argparse
import json
import os
import signal
import sys
import time

import cases_clocks  # these add their cases themselves
import cases_kernel
import cases_ntp
import cases_pulses
import image
from cases import CASES, is_good
from guest import GuestError
from network import Network
from packages import Missing

SKIPPED = 77
TRIES = 2


def parse():
    parser = argparse.ArgumentParser(prog="./dev lab")
    parser.add_argument("--all", action="store_true", help="every case, not only the short ones")
    parser.add_argument("--only", metavar="NAME,...", help="these cases")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--json", metavar="FILE", help="one row for each case and clock")
    parser.add_argument("--build", metavar="FOLDER", help="of the programs (build/release)",
                        default=os.path.join(image.TOP, "build", "release"))
    return parser.parse_args()


def chosen(arguments):
    if arguments.only:
        names = arguments.only.split(",")
        unknown = [name for name in names if name not in CASES]
        if unknown:
            sys.exit(f"lab: no case {', '.join(unknown)}; --list names them")
        return names
    return [name for name, (_, is_short) in CASES.items() if arguments.all or is_short]


def describe(entry):
    text = (f"{entry['node']} {entry['clock']}: rms {entry['rms_ns']} ns, "
            f"largest {entry['max_ns']} ns")
    if entry["peer_rms_ns"] is not None:
        text += f"; the peer's rms {entry['peer_rms_ns']} ns"
    if entry["outside_bound"] is not None:
        text += f"; outside of the bound {entry['outside_bound']} times"
    return text


def try_case(network, name, rows):
    try:
        entries = CASES[name][0](network)
        bad = [entry for entry in entries if not is_good(entry)]
        for entry in entries:
            print(f"    {describe(entry)}{'   <--' if entry in bad else ''}")
        if not bad:
            rows += entries
        return not bad
    except GuestError as error:
        print(f"    {error}")
        return False
    finally:
        network.reset()
        network.keep_logs(name)


def run_case(network, name, rows):
    """Twice if need be: what a busy host does to emulated guests is no fault of ours."""
    began = time.monotonic()
    is_passed = False
    for number in range(TRIES):
        if not is_passed:
            print("    again:" if number else f"{name}:", flush=True)
            is_passed = try_case(network, name, rows)
    print(f"{'passed' if is_passed else 'FAILED'}  {name}  "
          f"({time.monotonic() - began:.0f} s)", flush=True)
    return is_passed


def main():
    arguments = parse()
    if arguments.list:
        print("\n".join(name + (" (short)" if is_short else "")
                        for name, (_, is_short) in CASES.items()))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("lab: terminated"))  # guests end with it
    names = chosen(arguments)
    rows = []
    try:
        image.prepare(arguments.build)
        with Network() as network:
            passed = [run_case(network, name, rows) for name in names]
    except Missing as problem:
        print(f"lab: skipped: {problem}")
        return SKIPPED
    except GuestError as problem:
        print(f"lab: failed: {problem}")
        return 1
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
