# SPDX-License-Identifier: Apache-2.0 OR MIT
"""An emulated board in a laboratory: QEMU on a tap, with an image of build/firmware.

Its processor has as much time as the machine leaves: what is asserted are states and counts, and
the board says itself when it is done.
"""
import os
import re
import subprocess

import pytest

import firmware
from patience import wait_until
from peer import Peer

LINE = re.compile(r"(\w+)=(-?\d+)")
STATES = {4: "LISTENING", 6: "TRANSMITTER", 8: "UNCALIBRATED", 9: "RECEIVER"}


def build():
    """The images, if this machine can make them."""
    if subprocess.run(["sh", "-c", "command -v qemu-system-arm arm-none-eabi-gcc"],
                      capture_output=True, check=False).returncode != 0:
        pytest.skip("no emulator or no compiler for it")
    firmware.build()


def make_tap(lab, node, address="10.9.0.1/24"):
    """The node's eth0 is the host's end of the board's cable."""
    lab.nodes(node)
    lab.ip(node, "tuntap", "add", "dev", "eth0", "mode", "tap")
    lab.ip(node, "addr", "add", address, "dev", "eth0")
    lab.ip(node, "link", "set", "eth0", "up")


class Board(Peer):
    """image: a file; words: of its command line."""

    def __init__(self, lab, node, image, *words):
        self.log_path = lab.path("board.log")
        command = firmware.emulator(image, *words, network=[
            "-nic", "tap,ifname=eth0,script=no,downscript=no,model=lan9118,mac=02:00:00:00:00:09"])
        self.program = lab.start(node, command, self.log_path)

    def has_started(self):
        return "start " in self.log()

    def lines(self):
        """(first word, its numbers) of what it has said."""
        return [(line.split(" ")[0], {key: int(value) for key, value in LINE.findall(line)})
                for line in self.log().splitlines() if "=" in line]

    def states(self):
        return [STATES.get(numbers.get("state")) for _, numbers in self.lines()]

    def wait_end(self, timeout_s):
        """Its exit status when it is done, and its last line."""
        assert wait_until(lambda: not self.is_running(), timeout_s), self.log()
        return self.program.stop(), self.lines()[-1]
