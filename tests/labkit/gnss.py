# SPDX-License-Identifier: Apache-2.0 OR MIT
"""GNSS receivers: what they say (NMEA, UBX), on pseudo-terminals; and gpsd with a pulse."""
import ctypes
import json
import os
import pty
import socket
import struct
import termios
import threading
import time
import tty

NS = 1_000_000_000
GPS_EPOCH_S = 315964800
LEAP_S = 18  # GPS - UTC
WEEK_S = 604800


def nmea(body):
    total = 0
    for char in body.encode():
        total ^= char
    return f"${body}*{total:02X}\r\n".encode()


def ubx(kind, number, payload):
    body = struct.pack("<BBH", kind, number, len(payload)) + payload
    a = b = 0
    for octet in body:
        a = (a + octet) & 255
        b = (b + a) & 255
    return b"\xb5\x62" + body + bytes([a, b])


def sentences(utc_s, has_fix=True, satellites=9):
    """One second of a usual receiver: RMC, GGA, GSA, and what is of no use."""
    at = time.gmtime(utc_s)
    clock, date = time.strftime("%H%M%S.00", at), time.strftime("%d%m%y", at)
    place = "4807.038,N,01131.000,E" if has_fix else ",,,"
    status, mode = ("A", "A") if has_fix else ("V", "N")
    return b"".join([
        nmea(f"GNRMC,{clock},{status},{place},0.0,,{date},,,{mode}"),
        nmea(f"GNGGA,{clock},{place},{int(has_fix)},{satellites if has_fix else 0:02d},0.9,545.4,M,"
             "46.9,M,,"),
        nmea(f"GNGSA,A,{3 if has_fix else 1},04,05,,09,12,,,24,,,,,2.5,1.3,2.1"),
        nmea("GPGSV,1,1,01,04,40,083,46"), nmea("PUBX,40,GLL,0,0,0,0")])


def nav_pvt(utc_s, leap_s=LEAP_S, has_fix=True, accuracy_ns=30):
    at = time.gmtime(utc_s)
    payload = bytearray(92)
    struct.pack_into("<IHBBBBBBIiBBBB", payload, 0,
                     (utc_s + leap_s - GPS_EPOCH_S) % WEEK_S * 1000, at.tm_year, at.tm_mon,
                     at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, 0x37, accuracy_ns, 0,
                     3 if has_fix else 0, int(has_fix), 0, 11 if has_fix else 0)
    return ubx(0x01, 0x07, bytes(payload))


def nav_timels(leap_s=LEAP_S, source=2, change_s=0, change_in_s=0):
    payload = bytearray(24)
    struct.pack_into("<BbBbi", payload, 8, source, leap_s, 2 if change_s else 0, change_s,
                     change_in_s)
    payload[23] = 3
    return ubx(0x01, 0x26, bytes(payload))


def ahead_of_machine_ns(daemon):
    """The published time in UTC less CLOCK_REALTIME, of several looks the quickest; and by how much
    that may be wrong."""
    page = daemon.page()
    looks = []
    for _ in range(5):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        machine_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        looks.append((after - before, machine_ns, (before + after) // 2))
    took_ns, machine_ns, at_ns = min(looks)
    ahead_ns = page.time_ns(at_ns) - (37 * NS if page.scale == "TAI" else 0) - machine_ns
    return ahead_ns, page.bound_at_ns(at_ns) + took_ns // 2


class Receiver(threading.Thread):
    """A receiver on a pseudo-terminal whose other end is `path`.  Its second is that of the
    machine's clock, and `says(utc_s)` is what it writes `delay_s` after each; `ahead_s` may be
    changed at any time, as may `says`."""

    def __init__(self, says, delay_s=0.1, ahead_s=0):
        super().__init__(daemon=True)
        self.master, slave = pty.openpty()
        tty.setraw(slave, termios.TCSANOW)
        self.path = os.ttyname(slave)
        self.slave = slave
        self.says = says
        self.delay_s = delay_s
        self.ahead_s = ahead_s
        self.is_ending = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_ending.set()
        self.join()
        os.close(self.master)
        os.close(self.slave)

    def write(self, octets):
        """As fast as it is read, as a line would."""
        while octets:
            octets = octets[os.write(self.master, octets[:1000]):]

    def run(self):
        told = int(time.time())
        while not self.is_ending.wait(0.002):
            now = time.time() - self.delay_s
            if int(now) > told:
                told = int(now)
                self.write(self.says(told + self.ahead_s))


def listen_in(namespace, port):
    """A listening socket of another network: a thread goes there to make it."""
    made = []

    def make():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(namespace, encoding="utf-8") as file:
            assert libc.setns(file.fileno(), 0x40000000) == 0, os.strerror(ctypes.get_errno())
        made.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


class Gpsd(threading.Thread):
    """gpsd with one receiver and its pulses, which it stamps by the machine's clock: the true
    second is `ahead_ns` ahead of that."""

    def __init__(self, lab, node, port=2947, ahead_ns=0, has_pulse=True):
        super().__init__(daemon=True)
        lab.ip(node, "link", "set", "lo", "up")
        self.listener = listen_in(f"/run/netns/t-{node}", port)
        self.listener.settimeout(0.1)
        self.ahead_ns = ahead_ns
        self.has_pulse = has_pulse
        self.mode = 3
        self.is_ending = threading.Event()
        self.requests = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_ending.set()
        self.join()
        self.listener.close()

    def objects(self, second):
        machine_ns = second * NS - self.ahead_ns
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(second))
        pulse = {"class": "PPS", "device": "/dev/pps0", "real_sec": second, "real_nsec": 0,
                 "clock_sec": machine_ns // NS, "clock_nsec": machine_ns % NS, "precision": -20}
        late_ns = machine_ns + 120_000_000
        yield {"class": "TPV", "device": "/dev/ttyS0", "mode": self.mode, "time": at, "ept": 0.005,
               "leapseconds": LEAP_S, "lat": 48.1, "lon": 11.5}
        yield {"class": "SKY", "device": "/dev/ttyS0", "nSat": 14, "uSat": 9,
               "satellites": [{"PRN": n, "el": 10.0, "used": n < 10} for n in range(14)]}
        yield {**pulse, "class": "TOFF", "clock_sec": late_ns // NS, "clock_nsec": late_ns % NS}
        if self.has_pulse:
            yield pulse

    def serve(self, peer):
        peer.settimeout(0.01)
        peer.sendall(b'{"class":"VERSION","release":"3.25","proto_major":3,"proto_minor":15}\r\n')
        told = 0
        while not self.is_ending.is_set():
            try:
                self.requests.append(peer.recv(1000))
            except TimeoutError:
                pass
            second = (time.time_ns() + self.ahead_ns - 200_000_000) // NS
            if second > told:
                told = second
                for one in self.objects(second):
                    peer.sendall(json.dumps(one, separators=(",", ":")).encode() + b"\r\n")

    def run(self):
        while not self.is_ending.is_set():
            try:
                peer, _ = self.listener.accept()
            except TimeoutError:
                continue
            with peer:
                try:
                    self.serve(peer)
                except OSError:
                    pass
