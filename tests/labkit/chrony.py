# SPDX-License-Identifier: Apache-2.0 OR MIT
"""chronyd of chrony in a node of a laboratory.

It must never steer the machine's clock: -x is always on.  So as a client it only measures.
"""
import os
import re
import subprocess

import netlab
from linuxptp import PEERS, environment
from peer import Peer


class Chronyd(Peer):
    """`lines` are those of its configuration file."""

    def __init__(self, lab, node, *lines):
        self.lab = lab
        self.node = node
        self.lines = lines
        self.directory = f"/run/{node}.chrony"
        self.config = lab.path(f"{node}.conf")
        self.log_path = lab.path(f"{node}.log")
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
        return subprocess.run(
            [os.path.join(PEERS, "usr", "bin", "chronyc"), "-h", self.socket, *words],
            capture_output=True, text=True, timeout=10, check=False,
            env={**os.environ, **environment()}).stdout

    def fields(self, *words):
        """The "Name : value" lines of a report, by name."""
        return {name.strip(): value.strip() for name, value in
                re.findall(r"^([^:\n]+?)\s*: (.*)$", self.ask(*words), re.MULTILINE)}

    def wait_for(self, condition, timeout_s, what):
        assert netlab.wait_until(lambda: not self.is_running() or condition(), timeout_s), \
            f"{self.node}: not in {timeout_s:.0f} s: {what}"
        assert self.is_running(), f"{self.node} has ended"
