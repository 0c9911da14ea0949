# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reference clocks of other programs: writes and reads NTP's shared memory and chrony's datagrams,
as gpsd and chronyd do."""
import ctypes
import os
import socket
import struct
import threading
import time

IPC_CREAT, IPC_RMID = 0o1000, 0
NS = 1_000_000_000
LEAP_NONE, LEAP_UNSYNCHRONISED = 0, 3
SOCK_MAGIC = 0x534F434B


class Segment(ctypes.Structure):
    _fields_ = [("mode", ctypes.c_int), ("count", ctypes.c_int),
                ("reference_s", ctypes.c_long), ("reference_us", ctypes.c_int),
                ("machine_s", ctypes.c_long), ("machine_us", ctypes.c_int),
                ("leap", ctypes.c_int), ("precision", ctypes.c_int), ("samples", ctypes.c_int),
                ("valid", ctypes.c_int), ("reference_ns", ctypes.c_uint),
                ("machine_ns", ctypes.c_uint), ("reserved", ctypes.c_int * 8)]


class SharedMemory:
    """Unit N of NTP's shared memory, made if it is not there; removed at the end."""

    def __init__(self, unit, mode=0o666):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        self.libc = libc
        self.id = libc.shmget(0x4E545030 + unit, ctypes.sizeof(Segment), IPC_CREAT | mode)
        assert self.id >= 0, os.strerror(ctypes.get_errno())
        self.address = libc.shmat(self.id, None, 0)
        self.segment = Segment.from_address(self.address)

    def close(self):
        del self.segment
        self.libc.shmdt(ctypes.c_void_p(self.address))
        self.libc.shmctl(self.id, IPC_RMID, None)

    def write(self, machine_ns, reference_ns, leap=LEAP_NONE):
        at = self.segment
        at.mode = 1
        at.valid = 0
        at.count += 1
        at.reference_s, at.reference_ns = divmod(reference_ns, NS)
        at.machine_s, at.machine_ns = divmod(machine_ns, NS)
        at.reference_us, at.machine_us = at.reference_ns // 1000, at.machine_ns // 1000
        at.leap, at.precision = leap, -20
        at.count += 1
        at.valid = 1


class Socket:
    """Sends to the socket that a program has made for a reference clock."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def close(self):
        self.socket.close()

    def write(self, machine_ns, reference_ns, leap=LEAP_NONE, pulse=0):
        us = machine_ns // 1000
        offset_s = (reference_ns - us * 1000) / NS
        try:
            self.socket.sendto(struct.pack("@qqdiiii", us // 1_000_000, us % 1_000_000, offset_s,
                                           pulse, leap, 0, SOCK_MAGIC), self.path)
        except (FileNotFoundError, ConnectionRefusedError):
            pass  # nobody there yet


class Writer(threading.Thread):
    """A reference clock that is `ahead_ns` of the machine's clock: a reading each interval."""

    def __init__(self, form, ahead_ns, interval_s=0.25, leap=LEAP_NONE):
        super().__init__(daemon=True)
        self.form = form
        self.ahead_ns = ahead_ns
        self.interval_s = interval_s
        self.leap = leap
        self.is_over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()
        self.form.close()

    def run(self):
        while not self.is_over.wait(self.interval_s):
            now_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
            self.form.write(now_ns, now_ns + self.ahead_ns, leap=self.leap)
