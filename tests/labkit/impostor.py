# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Peers that ptp4l cannot play: a transmitter whose messages tests bend, and a slow link."""
import collections
import ctypes
import select
import socket
import struct
import threading
import time

import frames

ETH_P_ALL = 3
PR_SET_TIMERSLACK = 29
SO_TIMESTAMPNS = 35


class Background(threading.Thread):
    """A thread that runs step() until the `with` block ends."""

    def __init__(self):
        super().__init__(daemon=True)
        self._must_end = False

    def run(self):
        while not self._must_end:
            self.step()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._must_end = True
        self.join()


class Transmitter(Background):
    """Announces itself four times a second, sends eight Syncs and answers Delay_Reqs, with the
    kernel's time as good as Python can."""

    def __init__(self, lab, node, interface="eth0", identity=0x00112233FFFE0001, priority1=10,
                 flags=0, pad=b"", delay_resp_log_interval=-3):
        super().__init__()
        self.source = (identity, 1)
        self.priority1 = priority1
        self.flags = flags
        self.pad = pad
        self.delay_resp_log_interval = delay_resp_log_interval
        self.sender = frames.Sender(lab, node, interface)
        with lab.inside(node):
            self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.ear.bind(("", frames.EVENT_PORT))
        self.ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(frames.PRIMARY) + self._address(lab, node, interface))
        self.sequence = 0
        self.next_s = time.monotonic()
        self.answered = 0

    @staticmethod
    def _address(lab, node, interface):
        fields = lab.ip(node, "-4", "-o", "address", "show", interface).split()
        return socket.inet_aton(fields[3].split("/")[0])

    def _send(self, message):
        self.sender.send(message + self.pad)

    def _transmit(self):
        self.sequence += 1
        if self.sequence % 2:
            self._send(frames.announce(self.source, self.sequence // 2, priority1=self.priority1,
                                       flags=self.flags))
        now_ns = time.time_ns()
        self._send(frames.sync(self.source, self.sequence, flags=frames.TWO_STEP | self.flags))
        self._send(frames.follow_up(self.source, self.sequence, now_ns))

    def step(self):
        wait_s = self.next_s - time.monotonic()
        if wait_s <= 0:
            self.next_s += 0.125
            self._transmit()
        elif select.select([self.ear], [], [], wait_s)[0]:
            now_ns = time.time_ns()
            heard = frames.parse(now_ns / 1e9, self.ear.recv(2048))
            if heard and heard.type == frames.DELAY_REQ:
                self.answered += 1
                self._send(frames.delay_resp(self.source, heard.source, heard.sequence, now_ns,
                                             log_interval=self.delay_resp_log_interval))


class SlowLink(Background):
    """Joins two interfaces of a node by a wire that takes its time: the same both ways, from when
    the kernel received a frame.  A busy machine makes it longer: `mean_delay_s` is how long it
    was."""

    def __init__(self, lab, node, left, right, delay_s):
        super().__init__()
        self.delay_s = delay_s
        with lab.inside(node):
            self.ends = [self._open(interface) for interface in (left, right)]
        self.waiting = collections.deque()
        self.longest_s = delay_s

    @staticmethod
    def _open(interface):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        end.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        end.bind((interface, ETH_P_ALL))
        return end

    def run(self):
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
        super().run()

    def step(self):
        wait_s = self.waiting[0][0] + self.delay_s - time.time() if self.waiting else 0.1
        for end in select.select(self.ends, [], [], max(wait_s, 0))[0]:
            frame, ancillary, _, address = end.recvmsg(2048, 64)
            if address[2] != frames.Sniffer.OUTGOING:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                other = self.ends[1 - self.ends.index(end)]
                self.waiting.append((seconds + nanoseconds / 1e9, other, without_checksum(frame)))
        while self.waiting and self.waiting[0][0] + self.delay_s <= time.time():
            arrived_s, end, frame = self.waiting.popleft()
            end.send(frame)
            self.longest_s = max(self.longest_s, time.time() - arrived_s)


def without_checksum(frame):
    """The kernel left the UDP checksum to the wire; in IPv4 zero means none."""
    is_udp = len(frame) >= 42 and frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP
    return frame[:40] + b"\0\0" + frame[42:] if is_udp else frame
