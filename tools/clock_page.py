# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reads published clock pages (core/include/meantime/clock_page.h) without the library."""

import struct
import time

NS = 1_000_000_000
STATES = ("free_run", "acquiring", "locked", "holdover", "serving")
REFERENCES = ("none", "source", "traceable", "parent")
SCALES = ("ARB", "TAI", "UTC", "smeared UTC")

_HEAD = struct.Struct("=IHHIHBB" "qqIHBBq" "qqq" "iiII8s" "qqqqq")
_BOOT_ID = struct.Struct("=Q")  # behind the head, where the writer knows it
_LAG = struct.Struct("=qqqq")  # and behind that
_BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
_BASES = {0: time.CLOCK_REALTIME, 1: time.CLOCK_MONOTONIC_RAW, 3: time.CLOCK_BOOTTIME,
          4: time.CLOCK_MONOTONIC}
_MAGIC = 0x6D656174


class Page:
    """One consistent copy of a page."""

    def __init__(self, raw):
        (self.magic, self.version, self.size, self.sequence, self.base, scale, state,
         self.base_at_anchor_ns, anchor_s, anchor_ns, self.anchor_frac, reference,
         self.tai_utc_valid, self.rate_q64, self.bound_ns, self.bound_growth_ppb,
         self.valid_until_base_ns, self.tai_minus_utc_s, self.leap_s, self.corrections, self.steps,
         grandmaster, *parts) = _HEAD.unpack_from(raw)
        self.anchor_total_ns = anchor_s * NS + anchor_ns
        self.scale = SCALES[scale]
        self.state = STATES[state]
        self.reference = REFERENCES[reference]
        self.grandmaster = grandmaster.hex()
        self.parts = dict(zip(("estimate", "asymmetry", "source", "granularity", "steering"),
                              parts))
        size = min(self.size, len(raw))
        known = size >= _HEAD.size + _BOOT_ID.size
        self.boot_id = _BOOT_ID.unpack_from(raw, _HEAD.size)[0] if known else 0
        known = size >= _HEAD.size + _BOOT_ID.size + _LAG.size
        (self.lag_q16, self.lag_rate_q64, self.lag_span_ns, self.steered_q16) = (
            _LAG.unpack_from(raw, _HEAD.size + _BOOT_ID.size) if known else (0, 0, 0, 0))

    def lag_ns(self, base_ns):
        """What the published time is ahead of the estimate."""
        elapsed = max(base_ns - self.base_at_anchor_ns, 0)
        if elapsed >= self.lag_span_ns:
            return 0
        return (self.lag_q16 >> 16) + ((elapsed * self.lag_rate_q64) >> 64)

    def time_ns(self, base_ns):
        """Nanoseconds since the epoch of the page's scale when the base reads base_ns."""
        elapsed = base_ns - self.base_at_anchor_ns
        return (self.anchor_total_ns + elapsed + ((elapsed * self.rate_q64) >> 64) +
                self.lag_ns(base_ns))

    def bound_at_ns(self, base_ns):
        """The error bound when the base reads base_ns, rounded up."""
        age = abs(base_ns - self.base_at_anchor_ns)
        return self.bound_ns + -(-self.bound_growth_ppb * age // NS)


def boot_id():
    """Of this machine since it was started; 0 if it cannot be told."""
    try:
        with open(_BOOT_ID_FILE, encoding="ascii") as file:
            return int(file.read().replace("-", "")[:16], 16)
    except (OSError, ValueError):
        return 0


def is_of_this_boot(page):
    """False if it is known that the machine was started since the page was written."""
    here = boot_id()
    return here == 0 or page.boot_id in (0, here)


def read(path, attempts=100):
    """The page at `path`, or None if there is none (yet), or only one of an earlier boot."""
    for _ in range(attempts):
        try:
            with open(path, "rb") as page:
                first = page.read(_HEAD.size + _BOOT_ID.size)
                page.seek(0)
                second = page.read(_HEAD.size + _BOOT_ID.size)
        except OSError:
            return None
        if len(first) < _HEAD.size:
            return None
        page = Page(first)
        if page.magic == _MAGIC and page.sequence % 2 == 0 and first == second:
            return page if is_of_this_boot(page) else None
        time.sleep(0.0001)
    return None


def base_now_ns(base=3):
    """The base clock of a page; the daemon's pages have number 3, CLOCK_BOOTTIME."""
    return time.clock_gettime_ns(_BASES[base])


def realtime_ahead_ns(attempts=20):
    """CLOCK_REALTIME - base: constant until somebody steps CLOCK_REALTIME, so it lies between
    limits that every attempt can only narrow."""
    least, most = -1 << 63, 1 << 63
    for _ in range(attempts):
        first = base_now_ns()
        realtime = time.clock_gettime_ns(time.CLOCK_REALTIME)
        last = base_now_ns()
        if realtime - last > most or realtime - first < least:
            least, most = -1 << 63, 1 << 63
        least, most = max(least, realtime - last), min(most, realtime - first)
    return (least + most) // 2
