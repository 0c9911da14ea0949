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
from patience import wait_until

# ptp4l's filtered delay and a single Sync are noisy on a busy machine
PLAUSIBLE_NS = 1_000_000
MEASUREMENTS = 9

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


def assert_comes_near(node, limit_ns, reference=None):
    """The node's time comes that near to the truth, and its bound holds all the while."""
    readings = []

    def is_near():
        readings.append(read(node, reference))
        assert readings[-1].bound_ns is not None and not readings[-1].is_outside(), readings[-1]
        return abs(readings[-1].offset_ns) < limit_ns
    assert wait_until(is_near), readings[-MEASUREMENTS:]


def assert_measured(ptp4l, daemon=None):
    """What ptp4l measures of its clock, the kernel's, is the truth: against a meantimed, or against
    the kernel's clock that all others show.  A single Sync may be late on a busy machine, so the
    middle one of the last measurements counts.  Returns when it is plausible."""
    errors = {}

    def is_true():
        measured = ptp4l.measured()
        if measured is not None:
            offset_ns, at_ns = measured
            errors[at_ns] = offset_ns - (kernel_ahead_ns(daemon.page(), at_ns) if daemon else 0)
        last = sorted(list(errors.values())[-MEASUREMENTS:], key=abs)
        return len(last) == MEASUREMENTS and abs(last[MEASUREMENTS // 2]) < PLAUSIBLE_NS
    assert wait_until(is_true), list(errors.values())


def shows_kernel_time(node):
    """Whether the node's clock comes to show what the kernel's says, whatever it calls that."""
    def is_near():
        page, base_ns = node.page(), clock_page.base_now_ns()
        return abs(page.time_ns(base_ns) - base_ns - clock_page.realtime_ahead_ns()) < PLAUSIBLE_NS
    return wait_until(is_near)


def kernel_ahead_ns(page, at_ns):
    """What the kernel's clock, at its time at_ns, is ahead of a page's."""
    base_ns = at_ns - clock_page.realtime_ahead_ns()
    return kernel_ns(page, base_ns) - page.time_ns(base_ns)
