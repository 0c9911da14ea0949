# SPDX-License-Identifier: Apache-2.0 OR MIT
"""chronyd of chrony in a node of a laboratory.

It must never steer the machine's clock: -x is always on.  So as a client it only measures.
"""
import os
import re
import socket
import struct
import subprocess
import time

from linuxptp import PEERS, environment
from patience import wait_until
from peer import Peer

ANSWER_S = 15
NTP_EPOCH_S = 2208988800  # from 1900 to 1970


def ask(path, *words):
    """What chronyc says of the chronyd with that socket.  It waits some seconds for an answer, so
    it asks again while there is none; empty: there never was."""
    said = []

    def is_answered():
        done = subprocess.run(
            [os.path.join(PEERS, "usr", "bin", "chronyc"), "-h", path, *words],
            capture_output=True, text=True, check=False, env={**os.environ, **environment()})
        said.append(done.stdout)
        return done.returncode == 0
    wait_until(is_answered, ANSWER_S)
    return said[-1]


class Chronyd(Peer):
    """`lines` are those of its configuration file."""

    def __init__(self, lab, node, *lines):
        self.lab = lab
        self.node = node
        self.lines = lines
        self.directory = f"/run/{node}.chrony"
        self.config = lab.path(f"{node}.chrony.conf")
        self.log_path = lab.path(f"{node}.chronyd.log")
        self.socket = os.path.join(self.directory, "control")
        self.program = None

    def start(self):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        with open(self.config, "w", encoding="ascii") as file:
            file.write("\n".join([*self.lines, "cmdport 0", f"bindcmdaddress {self.socket}",
                                  f"pidfile {self.directory}/pid", ""]))
        self.program = self.lab.start(
            self.node, [os.path.join(PEERS, "usr", "sbin", "chronyd"), "-x", "-d", "-u", "root",
                        "-f", self.config], self.log_path, environment())

    def ask(self, *words):
        """What chronyc says."""
        return ask(self.socket, *words)

    def fields(self, *words):
        """The "Name : value" lines of a report, by name."""
        return {name.strip(): value.strip() for name, value in
                re.findall(r"^([^:\n]+?)\s*: (.*)$", self.ask(*words), re.MULTILINE)}

    def source(self):
        """The state of its only source; "?": it has no sample."""
        fields = self.ask("-c", "sources").strip().split(",")
        return "?" if len(fields) < 10 or fields[5] == "0" else fields[1]

    def ahead_ns(self):
        """What its time is ahead of the kernel's, as it tells whom it may answer here (`allow`);
        nan: it does not answer.  What it measures would not do: of a source that it follows that
        is what is left when all that it has corrected, which the kernel's clock does not have, is
        taken off."""
        with self.lab.inside(self.node), \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            began_ns = time.time_ns()
            asking.sendto(b"\x23" + bytes(47), ("127.0.0.1", 123))
            try:
                answer = asking.recv(2048)
            except OSError:
                return float("nan")
            ended_ns = time.time_ns()
        return (time_ns(answer[32:40]) + time_ns(answer[40:48]) - began_ns - ended_ns) / 2


def time_ns(octets):
    """Of a timestamp of NTP."""
    seconds, fraction = struct.unpack(">II", octets)
    return (seconds - NTP_EPOCH_S) * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)
