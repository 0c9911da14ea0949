# SPDX-License-Identifier: Apache-2.0 OR MIT
"""ntpd of ntpsec and ntpd of OpenNTPD in a node of a laboratory.

Neither has an option to leave the machine's clock alone and stay a client that chooses, so they
are started without the privilege to touch it, which no child can get back, and that is checked of
each one that runs.  Both go on when the kernel refuses.
"""
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess

import isolate
from linuxptp import PEERS, environment
from patience import wait_until
from peer import Peer

CAP_SYS_TIME = 25
MS_BIND = 0x1000
STA_UNSYNC = 0x40
WITHOUT_TIME = ["setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time"]
MODE_CONTROL, READ_STATUS, READ_VARIABLES = 6, 1, 2
MORE, ERROR = 0x20, 0x40
ANSWER_S = 10


class Clock(ctypes.Structure):
    """The first members of struct timex."""
    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
                ("constant", ctypes.c_long), ("precision", ctypes.c_long),
                ("tolerance", ctypes.c_long), ("time", ctypes.c_long * 2), ("tick", ctypes.c_long),
                ("rest", ctypes.c_long * 32)]


def machine_clock():
    """How the kernel's clock is steered; the same as before if nobody has touched it."""
    clock = Clock()
    ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(clock))
    return clock.freq, clock.tick, clock.offset, clock.constant, clock.status


def is_steered(clock):
    """By a daemon of the machine."""
    return not clock[-1] & STA_UNSYNC


def bind(text, path, target):
    """The laboratory's programs see a file with this text as `target`."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    isolate.mount(path.encode(), target, None, MS_BIND)


class Daemon(Peer):
    """What the two have in common; `lines` are those of the configuration file."""

    def __init__(self, lab, node, lines):
        self.lab = lab
        self.node = node
        self.lines = lines
        self.directory = f"/run/{node}.ntpd"
        self.config = lab.path(f"{node}.conf")
        self.log_path = lab.path(f"{node}.log")
        self.program = None

    def launch(self, *command):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        with open(self.config, "w", encoding="ascii") as file:
            file.write("\n".join([*self.lines, ""]))
        self.program = self.lab.start(self.node, [*WITHOUT_TIME, *command], self.log_path,
                                      environment())
        assert wait_until(self._is_ntpd), self.log()
        for name in ("CapPrm", "CapEff", "CapBnd"):
            assert int(self._status(name), 16) >> CAP_SYS_TIME & 1 == 0, name

    def _status(self, name):
        with open(f"/proc/{self.program.pid}/status", encoding="ascii") as file:
            return re.search(rf"^{name}:\t(\S+)", file.read(), re.MULTILINE).group(1)

    def _is_ntpd(self):
        return self._status("Name") == "ntpd"


class Ntpsec(Daemon):
    """ntpd of ntpsec."""

    def start(self):
        self.lines = [*self.lines, "logconfig =all", "restrict 127.0.0.1",
                      "limit average 100 burst 1000",
                      f"driftfile {self.directory}/drift"]
        self.launch(os.path.join(PEERS, "usr", "sbin", "ntpd"), "-n", "-c", self.config)

    def stop(self, number=signal.SIGTERM):
        super().stop(number)
        return 0  # it ends with the signal's number

    def _request(self, operation, association):
        """The octets of an answer to a control message, joined; it may not be there yet."""
        answers = []

        def is_answered():
            answers.append(self._ask(operation, association))
            return answers[-1]
        wait_until(is_answered, ANSWER_S)
        return answers[-1]

    def _ask(self, operation, association):
        parts = []
        with self.lab.inside(self.node), \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            asking.sendto(struct.pack(">BBHHHHH", 4 << 3 | MODE_CONTROL, operation, 1, 0,
                                      association, 0, 0), ("127.0.0.1", 123))
            while True:
                try:
                    answer = asking.recv(2048)
                except OSError:
                    return b""
                kind, _, _, _, offset, length = struct.unpack(">BHHHHH", answer[1:12])
                parts.append((offset, answer[12:12 + length]))
                if kind & ERROR or not kind & MORE:
                    return b"".join(part for _, part in sorted(parts))

    def variables(self, association=0):
        """Of the daemon, or of one of its servers."""
        text = self._request(READ_VARIABLES, association).decode("ascii", "replace")
        return dict(re.findall(r'(\w+)=("[^"]*"|[^,\s]*)', text))

    def server(self):
        """The variables of the only server; empty: there is none yet."""
        found = self._request(READ_STATUS, 0)
        return self.variables(struct.unpack(">H", found[:2])[0]) if len(found) >= 4 else {}

    def offset_s(self):
        return float(self.server().get("offset", "nan")) / 1000

    def is_following(self):
        return self.variables().get("leap") == "0"


class Openntpd(Daemon):
    """ntpd of OpenNTPD: its second process has a user and a folder of its own."""

    FOLDER = os.path.join(PEERS, "openntpd", "usr", "sbin")

    def start(self):
        with open("/etc/passwd", encoding="utf-8") as file:
            users = file.read()
        bind(users + "ntpd:x:65534:65534::/var/lib/openntpd/run:/usr/sbin/nologin\n",
             self.lab.path("passwd"), "/etc/passwd")
        for name in ("run", "db"):
            os.makedirs(f"/var/lib/openntpd/{name}")
        self.launch(os.path.join(self.FOLDER, "ntpd"), "-d", "-v", "-f", self.config, "-p",
                    f"{self.directory}/pid")

    def told(self):
        """What ntpctl says."""
        return subprocess.run([os.path.join(self.FOLDER, "ntpctl"), "-s", "all"], timeout=60,
                              capture_output=True, text=True, check=False).stdout
