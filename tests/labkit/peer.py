# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What all other programs of a laboratory have in common."""
import signal


class Peer:
    """Has a `program`, None until it is started, which writes to `log_path`."""

    program = None
    log_path = None

    def is_running(self):
        return self.program is not None and self.program.is_running()

    def stop(self, number=signal.SIGTERM):
        return self.program.stop(number)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()
