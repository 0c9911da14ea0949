# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed in a node of a laboratory."""
import os
import re
import signal
import subprocess
import time

import clock_page
import control
from patience import PATIENCE_S, wait_until
from peer import Peer

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get(
    "MEANTIME_BIN", os.path.join(TOP, "build", "release", "apps", "meantimed")))
DAEMON = os.path.join(BIN, "meantimed")
TOOL = os.path.join(os.path.dirname(BIN), "meantime", "meantime")
STATE = re.compile(r"^(\d\d):(\d\d):(\d\d)\.(\d{3}) .*?port (\S+): ([A-Z_]+)(?: to |, was )"
                   r"([A-Z_]+)", re.MULTILINE)
FAST = {"log_announce_interval": -2, "log_sync_interval": -3, "log_min_delay_req_interval": -3}


def fast_intervals(lab):
    patience = lab.announce_receipt_timeout
    return {**FAST, **({"announce_receipt_timeout": patience} if patience else {})}


def config_text(directory, interfaces, daemon, clock, ptp, ports, more):
    """A configuration: dictionaries of keys for [daemon], [clock], [ptp], each interface, and
    more sections."""
    sections = {"daemon": {"run_directory": directory, "state_directory": directory, **daemon},
                "clock": clock, "ptp": ptp}
    for interface in interfaces:
        sections[f"ptp {interface}"] = ports.get(interface, {})
    sections.update(more)
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                     for name, keys in sections.items())


class Meantimed(Peer):
    """Options: daemon, clock, ptp and ports are keys of the configuration (accelerated intervals
    unless is_fast is false), more_sections has any others; arguments go to the command line
    instead of a file, more_arguments besides it.  With MEANTIME_RECORD=1 the test's folder keeps
    the input log, for meantime replay."""

    def __init__(self, lab, node, interfaces, daemon=None, clock=None, ptp=None, ports=None,
                 is_fast=True, arguments=None, more_arguments=(), environment=None,
                 more_sections=None):
        self.lab = lab
        self.node = node
        self.interfaces = interfaces
        self.daemon = dict(daemon or {})
        if os.environ.get("MEANTIME_RECORD") == "1":
            self.daemon.setdefault("record", lab.path(f"{node}.input"))
        self.clock = dict(clock or {})
        self.ptp = {**(fast_intervals(lab) if is_fast else {}), **(ptp or {})}
        self.ports = dict(ports or {})
        self.more_sections = dict(more_sections or {})
        self.arguments = arguments
        self.more_arguments = list(more_arguments)
        self.environment = {"TZ": "UTC", **(environment or {})}
        self.environment.setdefault("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", ""))
        self.directory = "/run/meantime" if arguments else f"/run/{node}"
        self.config = f"/run/{node}.conf"
        self.log_path = lab.path(f"{node}.log")
        self.program = None

    def write_config(self):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config_text(self.directory, self.interfaces, self.daemon, self.clock,
                                   self.ptp, self.ports, self.more_sections))

    def start(self):
        command = [DAEMON, *(self.arguments or ["-c", self.config]), *self.more_arguments]
        if not self.arguments:
            os.makedirs(self.directory, exist_ok=True)
            self.write_config()
        self.started_realtime_s = time.time()
        self.program = self.lab.start(self.node, command, self.log_path, self.environment)

    def reload(self):
        self.write_config()
        self.program.send_signal(signal.SIGHUP)

    # ---- what it tells -----------------------------------------------------------------------

    def page(self):
        return clock_page.read(os.path.join(self.directory, "clock.main"))

    @property
    def socket(self):
        return os.path.join(self.directory, "control")

    def request(self, **message):
        """The daemon's answer, also if it has only just been started."""
        replies = []

        def is_answered():
            replies.append(control.request(self.socket, message, timeout_s=PATIENCE_S))
            return replies[-1] is not None or not self.is_running()
        wait_until(is_answered)
        assert replies[-1] is not None, f"{self.node} does not answer on {self.socket}"
        return replies[-1]

    def status(self):
        reply = self.request(command="status")
        assert reply["ok"], reply
        return reply["status"]

    def instance(self):
        return self.status()["instances"][0]

    def port(self, name="eth0"):
        return next(port for port in self.instance()["ports"] if port["name"] == name)

    def set(self, **values):
        reply = self.request(command="set", **values)
        assert reply["ok"], reply

    def tool(self, *arguments, timeout_s=PATIENCE_S):
        """Runs the tool against this daemon: a completed process with text output."""
        return subprocess.run(
            ["ip", "netns", "exec", f"t-{self.node}", TOOL, *arguments], capture_output=True,
            text=True, timeout=timeout_s, check=False, env={**os.environ, **self.environment})

    def history(self):
        """(realtime in s, port, from, to) of each change of state in the log, which does not
        tell all when there are many at once."""
        day_s = int(self.started_realtime_s) // 86400 * 86400
        changes = []
        for found in STATE.finditer(self.log()):
            hour, minute, second, ms = map(int, found.group(1, 2, 3, 4))
            at_s = day_s + hour * 3600 + minute * 60 + second + ms / 1000
            at_s += 86400 if at_s < self.started_realtime_s - 43200 else 0
            before, after = found.group(6, 7)
            if ", was " in found.group(0):
                before, after = after, before
            changes.append((at_s, found.group(5), before, after))
        return changes

    def states(self):
        """The state of each port; empty while nobody answers."""
        reply = control.request(self.socket, {"command": "status"})
        if reply is None:
            return {}
        return {port["name"]: port["state"] for port in reply["status"]["instances"][0]["ports"]}

    def when(self, state, port="eth0", since_s=0.0):
        """Realtime of the first change to the state since then, or None."""
        return next((at_s for at_s, name, _, after in self.history()
                     if name == port and after == state and at_s >= since_s), None)

    # ---- waiting -----------------------------------------------------------------------------

    def wait_answer(self):
        """Until somebody answers on its socket, after a start."""
        self.status()

    def wait_state(self, state, port="eth0", timeout_s=PATIENCE_S):
        self.wait_for(lambda: self.states().get(port) == state, timeout_s,
                      f"port {port} {state}")

    def wait_locked(self, timeout_s=PATIENCE_S):
        def is_locked():
            page = self.page()
            return page is not None and page.state == "locked"
        self.wait_for(is_locked, timeout_s, "clock locked")

    def wait_log(self, pattern, timeout_s=PATIENCE_S):
        self.wait_for(lambda: re.search(pattern, self.log()), timeout_s, f"log has {pattern!r}")
