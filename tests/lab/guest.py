# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Guests and the wires between them."""
import os
import shlex
import shutil
import socket
import subprocess
import time

import image

BOOT_S = 240
KERNEL_OPTIONS = ("quiet nokaslr mitigations=off rodata=off audit=0 apparmor=0 "
                  "cryptomgr.notests no_timer_check tsc=reliable pmtmr=0 panic=-1 console=ttyS0")
MEMORY_MB = 128


class GuestError(Exception):
    """A guest does not do what it was told."""


class Card:
    """A network card: on a wire between two guests, or without one, as the host's time."""

    def __init__(self, mac, wire=None, end=None, ppb=0, delay_ns=0, is_reference=False):
        self.mac = mac
        self.wire = wire
        self.end = end
        self.options = ",ref" if is_reference else f",ppb={ppb},delay={delay_ns}"


class Guest:
    def __init__(self, name, cards, folder):
        self.name = name
        self.cards = cards
        self.folder = folder
        self.process = None
        self.line = None
        self.buffer = b""
        self.programs = {}

    # ---- machine ----

    def _card_arguments(self):
        for number, card in enumerate(self.cards):
            ends = [os.path.join(self.folder, f"{card.wire}.{end}") for end in "ab"]
            mine, other = ends if card.end == "a" else reversed(ends)
            wire = (f"dgram,id=n{number},local.type=unix,local.path={mine},"
                    f"remote.type=unix,remote.path={other}")
            yield from ("-netdev", wire if card.wire else f"hubport,id=n{number},hubid={number}",
                        "-device", f"pcie-root-port,id=p{number},chassis={number + 1},"
                        f"slot={number + 1}",
                        "-device", f"igb,bus=p{number},netdev=n{number},mac={card.mac},romfile=")

    def boot(self, tsc_khz):
        share = image.lab("share")
        control = os.path.join(self.folder, f"{self.name}.control")
        command = [image.qemu(), "-name", self.name, "-accel", "tcg,thread=multi", "-cpu", "max",
                   "-M", "q35,hpet=off", "-m", str(MEMORY_MB), "-smp", "1", "-display", "none",
                   "-nodefaults", "-no-user-config", "-no-reboot",
                   "-serial", f"file:{self.folder}/{self.name}.console",
                   "-chardev", f"socket,id=c,path={control},server=on,wait=off",
                   "-serial", "chardev:c",
                   "-virtfs", f"local,path={share},mount_tag=lab,security_model=none,"
                   "multidevs=remap",
                   "-kernel", image.lab("vmlinux"), "-initrd", image.lab("initrd"),
                   "-append", f"{KERNEL_OPTIONS} tsc_early_khz={tsc_khz} node={self.name}",
                   *self._card_arguments()]
        for folder in image.firmware_folders():
            command += ["-L", folder]
        cards = ";".join(card.mac + card.options for card in self.cards)
        environment = {**image.qemu_environment(), "LD_PRELOAD": image.lab("nic_fix.so"),
                       "MEANTIME_LAB_CARDS": cards}
        with open(os.path.join(self.folder, f"{self.name}.qemu"), "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        self._connect(control)

    def _connect(self, path):
        deadline = time.monotonic() + BOOT_S
        self.line = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.line.connect(path)
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise GuestError(f"{self.name}: qemu does not start: "
                                     f"{self._tail('qemu')}") from None
                time.sleep(0.05)

    def wait_ready(self):
        self._read_to(b"@@ready", BOOT_S)

    def _tail(self, kind):
        with open(os.path.join(self.folder, f"{self.name}.{kind}"), errors="replace",
                  encoding="utf-8") as file:
            return " / ".join(file.read().strip().splitlines()[-3:])

    def power_off(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.line is not None:
            self.line.close()

    # ---- commands ----

    def _read_to(self, mark, timeout_s):
        deadline = time.monotonic() + timeout_s
        while mark not in self.buffer or b"\n" not in self.buffer.split(mark, 1)[1]:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or self.process.poll() is not None:
                raise GuestError(f"{self.name}: no answer; console: {self._tail('console')}")
            self.line.settimeout(left_s)
            try:
                data = self.line.recv(65536)
            except TimeoutError:
                continue
            self.buffer += data
        before, after = self.buffer.split(mark, 1)
        status, self.buffer = after.split(b"\n", 1)
        return before.decode(errors="replace").replace("\r", ""), status.strip().decode()

    def run(self, command, timeout_s=30, check=True):
        """What a shell command prints."""
        self.line.sendall(command.replace("\n", "; ").encode() + b"\n")
        output, status = self._read_to(b"@@", timeout_s)
        if check and status != "0":
            raise GuestError(f"{self.name}: {command}: {output.strip()[-300:]}")
        return output

    def write(self, path, text):
        """A file of the guest, by way of the shared folder."""
        with open(image.lab("share", f"file.{self.name}"), "w", encoding="utf-8") as file:
            file.write(text)
        self.run(f"mkdir -p {os.path.dirname(path)}\ncp /lab/file.{self.name} {path}")

    def start(self, program, *arguments):
        """In the background; its output is in its log."""
        words = " ".join(shlex.quote(word) for word in (program, *arguments))
        log = f"/lab/run/{self.name}.{program}.log"
        pid = self.run(f"{words} >{log} 2>&1 & echo $!").strip()
        self.programs[program] = pid
        return pid

    def log(self, program):
        path = image.lab("share", "run", f"{self.name}.{program}.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_running(self, program):
        if self.run(f"[ -d /proc/{self.programs[program]} ] && echo yes; true").strip() != "yes":
            raise GuestError(f"{self.name}: {program} has ended: "
                             f"{self.log(program).strip().splitlines()[-1:]}")

    def stop(self, program):
        pid = self.programs.pop(program, None)
        if pid:
            self.run(f"kill {pid}; for i in 1 2 3 4 5 6 7 8 9 10; do "
                     f"[ -d /proc/{pid} ] || break; usleep 200000; done; "
                     f"kill -9 {pid} 2>/dev/null; true")

    def stop_all(self):
        for program in list(self.programs):
            self.stop(program)


def fresh_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path
