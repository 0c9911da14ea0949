# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What all other programs of a laboratory have in common."""
import signal

from patience import PATIENCE_S, wait_until


class Peer:
    """Has a `program`, None until it is started, which writes to `log_path`; it is in a `node`."""

    node = None
    program = None
    log_path = None

    def is_running(self):
        return self.program is not None and self.program.is_running()

    def stop(self, number=signal.SIGTERM):
        return self.program.stop(number, PATIENCE_S)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, condition, timeout_s, what):
        assert wait_until(lambda: not self.is_running() or condition(), timeout_s), \
            f"{self.node}: not in {timeout_s:.0f} s: {what}"
        assert self.is_running(), f"{self.node} has ended"

    def wait_until(self, condition, what):
        self.wait_for(condition, PATIENCE_S, what)
