#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench unicast [--json FILE] [--seconds N] [--rounds N] [--short]

Requests a second that one core answers over loopback, beside a bare recvmmsg/sendmmsg echo in the
same run, with the same clients.  What counts is the time of the processor that answers, so other
work on the machine matters less; each figure is the best of some short rounds, in which all take
turns, for other work can only make it smaller.

  echo                  sends back what comes: nothing can be faster
  echo_two              sends it back twice, to two ports, as SPTP and two-step CSPTP have to: none
                        that answers with two datagrams can be faster
  sptp                  the server of SPTP
  csptp                 that of CSPTP as it is by default, in one step
  csptp_two_step        with the kernel's timestamps and Follow_Up
  grant_sync            Syncs to 100 000 clients that were granted them, each with its timestamp
                        from the kernel and its Follow_Up: two datagrams out, one back for each
  grant_sync_single     the same, one datagram a call
  grant_sync_unstamped  the same, 64 a call, without asking the kernel for stamps

Each stateless server is to reach 0.6 of the echo that sends as many datagrams as it does; why, is
in docs/adr/0007-yardstick-of-stateless-servers.md.  Exits 1 when one misses it.  --short is for
`./dev check`, on machines that do other things at the same time: some seconds in all, and 0.4.
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(TOP, "build", "release", "bench", "unicast", "bench-unicast")
YARDSTICKS = {"sptp": "echo_two", "csptp": "echo", "csptp_two_step": "echo_two"}
SHARE = 0.6
SHORT_SHARE = 0.4


def measure(options):
    done = subprocess.run([options.program, str(options.seconds), str(options.rounds)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench unicast: {done.stderr.strip()}")
    return json.loads(done.stdout)


def show(result):
    for key, rps in result.items():
        name = key.removesuffix("_rps")
        line = f"{name:22} {rps:8.0f} /s {rps / result['echo_rps']:6.2f} of echo"
        if YARDSTICKS.get(name) == "echo_two":
            line += f" {rps / result['echo_two_rps']:6.2f} of echo_two"
        print(line)


def missed(result, share):
    return [name for name, yardstick in YARDSTICKS.items()
            if result[name + "_rps"] < share * result[yardstick + "_rps"]]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0][len("usage: "):])
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--program", default=PROGRAM)
    options = parser.parse_args()
    options.seconds = options.seconds or (0.05 if options.short else 0.3)
    options.rounds = options.rounds or (3 if options.short else 5)
    share = SHORT_SHARE if options.short else SHARE

    result = measure(options)
    show(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    names = missed(result, share)
    if names:
        print(f"missed: {share} of the echo that sends as many datagrams: {', '.join(names)}")
    sys.exit(1 if names else 0)


if __name__ == "__main__":
    main()
