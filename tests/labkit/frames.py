# SPDX-License-Identifier: Apache-2.0 OR MIT
"""PTP messages made and heard by tests, independent of the code under test."""
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

SYNC, DELAY_REQ, PDELAY_REQ, PDELAY_RESP = 0, 1, 2, 3
FOLLOW_UP, DELAY_RESP, PDELAY_RESP_FOLLOW_UP, ANNOUNCE, SIGNALING, MANAGEMENT = 8, 9, 10, 11, 12, 13
EVENT_PORT, GENERAL_PORT = 319, 320
PRIMARY, PEER = "224.0.1.129", "224.0.0.107"
ALTERNATE, TWO_STEP, UNICAST, PTP_TIMESCALE = 0x0100, 0x0200, 0x0400, 0x0008
HEADER = struct.Struct(">BBHBBHqIQHHBb")
ALL_PORTS = (0xFFFFFFFFFFFFFFFF, 0xFFFF)


def header(kind, source, sequence=0, flags=0, log_interval=0x7F, length=44, domain=0,
           correction=0, minor_version=1):
    """source: (clock identity, port number)."""
    control = {SYNC: 0, DELAY_REQ: 1, FOLLOW_UP: 2, DELAY_RESP: 3, MANAGEMENT: 4}.get(kind, 5)
    return HEADER.pack(kind, minor_version << 4 | 2, length, domain, 0, flags, correction, 0,
                       *source, sequence & 0xFFFF, control, log_interval)


def timestamp(total_ns):
    seconds, nanoseconds = divmod(total_ns, 1_000_000_000)
    return struct.pack(">HII", seconds >> 32, seconds & 0xFFFFFFFF, nanoseconds)


def identity_bytes(source):
    return struct.pack(">QH", *source)


def announce(source, sequence=0, priority1=128, clock_class=248, accuracy=0xFE, variance=0xFFFF,
             priority2=128, grandmaster=None, steps_removed=0, flags=0, log_interval=-2,
             **header_values):
    body = timestamp(0) + struct.pack(">hxBBBHBQHB", 37, priority1, clock_class, accuracy,
                                      variance, priority2, grandmaster or source[0],
                                      steps_removed, 0xA0)
    return header(ANNOUNCE, source, sequence, flags, log_interval, 64, **header_values) + body


def sync(source, sequence=0, at_ns=0, flags=TWO_STEP, log_interval=-3, **header_values):
    return header(SYNC, source, sequence, flags, log_interval, **header_values) + timestamp(at_ns)


def follow_up(source, sequence=0, at_ns=0, log_interval=-3, **header_values):
    return header(FOLLOW_UP, source, sequence, 0, log_interval, **header_values) + timestamp(at_ns)


def delay_req(source, sequence=0, **header_values):
    return header(DELAY_REQ, source, sequence, **header_values) + timestamp(0)


def delay_resp(source, requester, sequence=0, at_ns=0, log_interval=-3, **header_values):
    return header(DELAY_RESP, source, sequence, 0, log_interval, 54, **header_values) \
        + timestamp(at_ns) + identity_bytes(requester)


def pdelay_req(source, sequence=0, **header_values):
    return header(PDELAY_REQ, source, sequence, length=54, **header_values) \
        + timestamp(0) + bytes(10)


def pdelay_resp(source, requester, sequence=0, at_ns=0, **header_values):
    return header(PDELAY_RESP, source, sequence, TWO_STEP, length=54, **header_values) \
        + timestamp(at_ns) + identity_bytes(requester)


def pdelay_resp_follow_up(source, requester, sequence=0, at_ns=0, **header_values):
    return header(PDELAY_RESP_FOLLOW_UP, source, sequence, length=54, **header_values) \
        + timestamp(at_ns) + identity_bytes(requester)


def signaling(source, tlv, target=ALL_PORTS, sequence=0):
    return header(SIGNALING, source, sequence, length=44 + len(tlv)) + identity_bytes(target) + tlv


def interval_request_tlv(link_delay, time_sync, announce_interval):
    """MESSAGE_INTERVAL_REQUEST of 802.1AS: an organisation extension."""
    return struct.pack(">HH3s3sbbbBxx", 3, 12, b"\x00\x80\xc2", b"\x00\x00\x02", link_delay,
                       time_sync, announce_interval, 3)


def signaling_interval_tlv(kind, log_interval):
    """An interval request of 1588 unicast negotiation: REQUEST_UNICAST_TRANSMISSION."""
    return struct.pack(">HHBbI", 4, 6, kind << 4, log_interval, 300)


class Sender:
    """Sends messages to the PTP multicast groups from a node."""

    def __init__(self, lab, node, interface="eth0"):
        with lab.inside(node):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)

    def send(self, message, port=None, group=PRIMARY):
        """To the port that the type belongs to, unless told otherwise."""
        default = EVENT_PORT if message[0] & 15 < 8 else GENERAL_PORT
        self.socket.sendto(message, (group, port or default))


@dataclass
class Heard:
    at_s: float     # realtime
    type: int
    minor_version: int
    source: tuple
    sequence: int
    flags: int
    log_interval: int
    message: bytes

    @property
    def name(self):
        return {SYNC: "Sync", DELAY_REQ: "Delay_Req", FOLLOW_UP: "Follow_Up",
                DELAY_RESP: "Delay_Resp", ANNOUNCE: "Announce"}.get(self.type, str(self.type))


def parse(at_s, message):
    if len(message) < HEADER.size:
        return None
    kind, version, _, _, _, flags, _, _, clock, port, sequence, _, log_interval = \
        HEADER.unpack_from(message)
    return Heard(at_s, kind & 15, version >> 4, (clock, port), sequence, flags, log_interval,
                 message)


class Sniffer:
    """Everything of PTP over UDP that passes an interface: what comes in, unless told."""

    OUTGOING = 4

    def __init__(self, lab, node, interface="eth0", with_outgoing=False):
        with lab.inside(node):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 3))  # ETH_P_ALL
        self.with_outgoing = with_outgoing
        self.heard = []
        self._must_end = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._must_end:
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            frame, address = self.socket.recvfrom(2048)
            message = payload(frame)
            heard = parse(time.time(), message) if message else None
            if heard and (self.with_outgoing or address[2] != self.OUTGOING):
                self.heard.append(heard)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._must_end = True
        self._thread.join()
        self.socket.close()

    def of(self, *types, source=None, since_s=0.0):
        """What was heard of these types, from that clock identity."""
        return [heard for heard in self.heard if heard.type in types and heard.at_s >= since_s
                and (source is None or heard.source[0] == source)]


def payload(frame):
    """The UDP payload of an Ethernet frame to the PTP ports, or None."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return None
    start = 14 + (frame[14] & 15) * 4
    _, port, length = struct.unpack_from(">HHH", frame, start)
    return frame[start + 8:start + length] if port in (EVENT_PORT, GENERAL_PORT) else None


def identity_of(text):
    """0242ac.fffe.110002 or 02:42:... as a number."""
    return int("".join(letter for letter in text if letter in "0123456789abcdefABCDEF"), 16)
