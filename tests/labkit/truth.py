# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Compares published clocks with the truth while a test goes on.

All clocks of a laboratory are linear functions of one clock of the kernel (CLOCK_BOOTTIME), so the
true offset between two of them at any instant is known to the nanosecond.  Against the kernel's
CLOCK_REALTIME it is known to some 0.1 us, which reading the two takes.
"""
import threading
import time
from dataclasses import dataclass

import clock_page


@dataclass
class Reading:
    at_s: float         # realtime
    offset_ns: int      # of the node's clock from the reference; positive: ahead
    bound_ns: int       # None: the node claims none
    state: str
    steps: int
    corrections: int

    def is_outside(self):
        return self.bound_ns is not None and abs(self.offset_ns) > self.bound_ns


def read(node, reference=None):
    """A Reading of the node against another node, or against the kernel's clock."""
    page = node.page()
    reference_page = reference.page() if reference else None
    base_ns = clock_page.base_now_ns()
    if page is None or (reference is not None and reference_page is None):
        return None
    true_ns = reference_page.time_ns(base_ns) if reference else kernel_ns(page, base_ns)
    return Reading(time.time(), page.time_ns(base_ns) - true_ns,
                   page.bound_at_ns(base_ns) if page.reference != "none" else None,
                   page.state, page.steps, page.corrections)


def kernel_ns(page, base_ns):
    """What the kernel's clock, which ptp4l serves, says on the page's timescale.  ptp4l calls
    UTC arbitrary."""
    tai_minus_utc_s = page.tai_minus_utc_s if page.scale == "TAI" else 0
    return base_ns + clock_page.realtime_ahead_ns() + tai_minus_utc_s * clock_page.NS


class Recorder:
    """Reads in the background until stopped: `with Recorder(b, a) as recorder: ...`."""

    def __init__(self, node, reference=None, step_s=0.05):
        self.node = node
        self.reference = reference
        self.step_s = step_s
        self.readings = []
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._must_end.wait(self.step_s):
            reading = read(self.node, self.reference)
            if reading is not None:
                self.readings.append(reading)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._must_end.set()
        self._thread.join()

    def since(self, at_s):
        return [reading for reading in self.readings if reading.at_s >= at_s]


def hold(node, reference=None, seconds=2.0, step_s=0.05):
    """Readings of the next seconds."""
    with Recorder(node, reference, step_s) as recorder:
        time.sleep(seconds)
    return recorder.readings


def assert_inside(readings, state="locked"):
    """Every reading has a bound, keeps it and is in the state; returns the largest offset."""
    assert readings
    wrong = [reading for reading in readings
             if reading.bound_ns is None or reading.is_outside() or reading.state != state]
    assert not wrong, f"{len(wrong)} of {len(readings)} readings are wrong, first {wrong[0]}"
    return max(abs(reading.offset_ns) for reading in readings)
