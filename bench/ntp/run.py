#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench ntp [--json FILE] [--requests N] [--rounds N] [--short]

Requests a second that one core answers over loopback: meantimed with a [server] at one address (at
all addresses, each answer is told from which to leave, which takes a twentieth more), Debian's
chronyd (build/peers), and a bare recvmmsg/sendmmsg echo, in turn and in one run, with the same
clients.  The server has a core of its own and the clients another one.  What counts is the time
that the server's threads have run, so that other work on the machine matters less, and that the
clients are not what is measured; each figure is the median of many short turns, which other work
makes smaller for all of them.  The second figure is answers a second of the clock on the wall.

meantimed is to reach 0.7 of the echo, and the smaller of twice chronyd and 0.9 of the echo; with
NTS 0.15 of the echo.  Exits 1 when it misses one.  --short is for `./dev check`, on machines that
do other things at the same time: half of that.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build", "release")
PEERS = os.path.join(TOP, "build", "peers")
OURS = """[daemon]
run_directory = {folder}/run
state_directory = {folder}/state
[clock]
keep_drift = no
[server]
listen = 127.0.0.1
port = 1124
"""
OURS_NTS = """[daemon]
run_directory = {folder}/run-nts
state_directory = {folder}/state-nts
[clock]
keep_drift = no
[server]
listen = 127.0.0.1
port = 1126
nts_port = 1126
nts_certificate = {folder}/cert.pem
nts_key = {folder}/key.pem
"""
THEIRS = """allow
port 1125
local stratum 1
cmdport 0
bindcmdaddress /
pidfile {folder}/chronyd.pid
"""
SHARE = 0.7
NTS_SHARE = 0.15


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.format(folder=folder))
    return path


def certify(folder):
    """A certificate for 127.0.0.1 that has signed itself; False: there is no openssl."""
    if shutil.which("openssl") is None:
        return False
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-addext", "subjectAltName = IP:127.0.0.1", "-keyout", f"{folder}/key.pem",
                    "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
    return True


def servers(options, folder):
    """Name, port and command of each server beside the echo."""
    found = [("meantimed", "1124", [options.meantimed, "-c", write(folder, "meantime.conf", OURS)])]
    if certify(folder):
        found.append(("meantimed_nts", f"1126:1126:{folder}/cert.pem",
                      [options.meantimed, "-c", write(folder, "nts.conf", OURS_NTS)]))
    chronyd = os.path.join(PEERS, "usr", "sbin", "chronyd")
    if os.path.exists(chronyd):
        found.append(("chronyd", "1125", [chronyd, "-d", "-x", "-U", "-u", "root", "-f",
                                  write(folder, "chrony.conf", THEIRS)]))
    return found


def measure(options):
    environment = dict(os.environ)
    with open(os.path.join(PEERS, "lib.path"), encoding="utf-8") as file:
        environment["LD_LIBRARY_PATH"] = file.read().strip()
    with tempfile.TemporaryDirectory() as folder:
        command = [options.program, str(options.requests), str(options.rounds)]
        for name, port, server in servers(options, folder):
            command += [name, port, *server, ";"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"bench ntp: {done.stderr.strip()}")
    return json.loads(done.stdout)


def limits(result, factor):
    """What each server is to reach."""
    echo, chronyd = result["echo_rps"], result.get("chronyd_rps") or 0
    wanted = {"meantimed": max(SHARE * echo, min(2 * chronyd, 0.9 * echo)) * factor,
              "meantimed_nts": NTS_SHARE * echo * factor}
    return {name: rps for name, rps in wanted.items() if result.get(name + "_rps") is not None}


def show(result):
    for key, rps in result.items():
        if key.endswith("_wall_rps") or rps is None:
            continue
        name = key.removesuffix("_rps")
        line = f"{name:14} {rps:8.0f} /s {rps / result['echo_rps']:6.2f} of echo"
        if result.get("chronyd_rps"):
            line += f" {rps / result['chronyd_rps']:6.2f} of chronyd"
        print(line + f"  ({result[name + '_wall_rps']:.0f} /s of the wall's clock)")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0][len("usage: "):])
    parser.add_argument("--json")
    parser.add_argument("--requests", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--program", default=os.path.join(BUILD, "bench", "ntp", "bench-ntp"))
    parser.add_argument("--meantimed",
                        default=os.path.join(BUILD, "apps", "meantimed", "meantimed"))
    options = parser.parse_args()
    options.requests = options.requests or (5000 if options.short else 20000)
    options.rounds = options.rounds or (5 if options.short else 21)

    result = measure(options)
    show(result)
    figures = {name + "_rps": result.get(name + "_rps")
               for name in ("echo", "chronyd", "meantimed", "meantimed_nts")}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")
    missed = [f"{name}: {limit:.0f} /s"
              for name, limit in limits(result, 0.5 if options.short else 1).items()
              if result[name + "_rps"] < limit]
    if missed:
        print("missed: " + ", ".join(missed))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
