# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A laboratory for tests: nodes with meantimed or ptp4l in them, and their logs.

MEANTIME_BIN names the folder of meantimed (default build/release/apps/meantimed).  Every daemon
that a test leaves running must end with status 0 at SIGTERM and have said nothing of
sanitizers: that is checked at the end of each test.
"""
import os
import re
import signal
import subprocess

import netlab
from chrony import Chronyd
from linuxptp import Ptp4l
from meantimed import Meantimed
from ntpd import Ntpsec, Openntpd

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# IPv6 addresses serve at once: ptp4l takes a refused packet for a fault of 16 s
NO_WAIT = "/proc/sys/net/ipv6/conf/default/accept_dad"
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


class Laboratory(netlab.Lab):
    def __init__(self, folder):
        super().__init__("t")
        self.folder = folder
        self.announce_receipt_timeout = None  # of all with accelerated intervals
        self.daemons = {}

    def nodes(self, *names):
        for name in names:
            self.node(name)
            with self.inside(name), open(NO_WAIT, "w", encoding="ascii") as file:
                file.write("0")

    def chain(self, *names):
        """Nodes in a row; the interface towards the left is eth0 on the right ones and the next
        free on the left ones: A.eth0 - BC.eth0, BC.eth1 - B.eth0."""
        self.nodes(*names)
        for place, (left, right) in enumerate(zip(names, names[1:])):
            self.link(left, "eth0" if place == 0 else "eth1", right, "eth0")
        self.wait_for_links()

    def star(self, *names):
        """Nodes around a switch; each has one interface, eth0."""
        self.nodes(*names, "SW")
        self.ip("SW", "link", "add", "br0", "type", "bridge")
        for number, name in enumerate(names):
            self.link(name, "eth0", "SW", f"p{number}")
            self.ip("SW", "link", "set", f"p{number}", "master", "br0")
        self.ip("SW", "link", "set", "br0", "up")
        self.wait_for_links()

    def meantimed(self, node, *interfaces, is_started=True, **options):
        """A meantimed in a node; options as Meantimed has them."""
        return self._add(Meantimed(self, node, interfaces, **options), is_started)

    def ptp4l(self, node, *interfaces, is_started=True, **options):
        """A ptp4l in a node; options are those of its configuration file."""
        return self._add(Ptp4l(self, node, interfaces, options), is_started)

    def chronyd(self, node, *lines, is_started=True):
        """A chronyd in a node; the lines of its configuration file."""
        return self._add(Chronyd(self, node, *lines), is_started)

    def ntpsec(self, node, *lines, is_started=True):
        """An ntpd of ntpsec in a node; the lines of its configuration file."""
        return self._add(Ntpsec(self, node, lines), is_started)

    def openntpd(self, node, *lines, is_started=True):
        """An ntpd of OpenNTPD in a node; the lines of its configuration file."""
        return self._add(Openntpd(self, node, lines), is_started)

    def _add(self, daemon, is_started):
        self.daemons[daemon.node] = daemon
        if is_started:
            daemon.start()
        return daemon

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile(self, source, *arguments):
        """Compiles a small C program and returns its path."""
        program = self.path(os.path.splitext(os.path.basename(source))[0])
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-o",
                        program, source, *arguments], check=True)
        return program

    def logs(self):
        for node, daemon in self.daemons.items():
            if os.path.exists(daemon.log_path):
                yield node, daemon.log()

    def finish(self):
        """Ends all daemons; raises AssertionError if one does not end well."""
        running = [daemon for daemon in self.daemons.values() if daemon.is_running()]
        for daemon in running:
            daemon.program.send_signal(signal.SIGTERM)
        for daemon in running:
            status = daemon.stop()
            assert status == 0, f"{daemon.node} ended with status {status}"
        for node, text in self.logs():
            assert not SANITIZER.search(text), f"{node} has a message of a sanitizer"
