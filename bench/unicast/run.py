#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench unicast [--json FILE] [--seconds N]

Requests a second that one core answers over loopback, beside a bare recvmmsg/sendmmsg echo in the
same run; of the time of the processor that answers, so other work on the machine matters little.

  echo                  sends back what comes: nothing can be faster
  echo_two              sends it back twice, to two ports, as SPTP and two-step CSPTP have to: none
                        that answers with two datagrams can be faster
  sptp, csptp           the stateless servers; each is to reach 0.6 of the echo
  csptp_two_step        with the kernel's timestamp and Follow_Up, where csptp says in its one
                        answer when it is expected to leave
  grant_sync            Syncs to 100 000 clients that were granted them, each with its timestamp
                        from the kernel and its Follow_Up: two datagrams out, one back for each
  grant_sync_single     the same, one datagram a call, as the daemon's loop does
  grant_sync_unstamped  the same, 64 a call, without asking the kernel for stamps

Exits 1 when a stateless server misses its share.
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(TOP, "build", "release", "bench", "unicast", "bench-unicast")
STATELESS = ("sptp_rps", "csptp_rps")
SHARE = 0.6


def measure(options):
    done = subprocess.run([options.program, str(options.seconds)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench unicast: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0][len("usage: "):])
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--program", default=PROGRAM)
    options = parser.parse_args()

    result = {name: None for name in STATELESS} | measure(options)
    for name, rps in result.items():
        share = f"{rps / result['echo_rps']:6.2f} of echo" if rps else "not there yet"
        print(f"{name.removesuffix('_rps'):22} {rps or 0:10.0f} /s {share}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    missed = [name for name in STATELESS
              if result[name] is not None and result[name] < SHARE * result["echo_rps"]]
    if missed:
        print(f"missed: {SHARE} of echo: {', '.join(missed)}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
