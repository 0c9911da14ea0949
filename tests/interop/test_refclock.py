# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed as the reference clock of Debian's chronyd, and with a reference clock of its own."""
import time

import pytest

import chrony
import refclock
import truth
from patience import wait_until

AHEAD_NS = 1_250_000_000
UNIT_HEARD, UNIT_EXPORTED = 93, 94
MAX_NS = 2000  # readings of the machine's clock by two programs, on a busy machine


def reference_section(**keys):
    return {"refclock gps": {"unit": UNIT_HEARD, "poll": "100ms", "max_error": "1us", **keys}}


@pytest.mark.lab(seconds=25)
@pytest.mark.parametrize("driver", ["shm", "sock"])
def test_meantimed_follows_a_reference_clock(lab, driver):
    lab.nodes("A")
    path = lab.path("gps.sock")
    sections = (reference_section() if driver == "shm" else
                {"refclock gps": {"driver": "sock", "path": path, "max_error": "1us"}})
    form = refclock.SharedMemory(UNIT_HEARD) if driver == "shm" else refclock.Socket(path)
    with refclock.Writer(form, AHEAD_NS):
        a = lab.meantimed("A", more_sections=sections)
        a.wait_locked()
        a.wait_until(lambda: abs(truth.read(a).offset_ns - AHEAD_NS) < MAX_NS, "its time")
        assert a.page().reference == "traceable"


@pytest.mark.lab(seconds=15)
def test_meantimed_is_not_moved_by_a_reference_clock_that_has_no_time(lab):
    lab.nodes("A")
    form = refclock.SharedMemory(UNIT_HEARD + 2)
    with refclock.Writer(form, AHEAD_NS, leap=refclock.LEAP_UNSYNCHRONISED):
        a = lab.meantimed("A", more_sections=reference_section(unit=UNIT_HEARD + 2))
        a.wait_until(lambda: a.page() is not None, "a page")
        time.sleep(4)
        assert a.page().state == "free_run"


@pytest.mark.lab(seconds=60)
@pytest.mark.parametrize("driver", ["shm", "sock"])
def test_chronyd_takes_meantimed_as_its_reference_clock(lab, driver):
    lab.nodes("A")
    heard = UNIT_HEARD + (4 if driver == "shm" else 6)
    exported = lab.path("export.sock")
    export = ({"unit": heard + 1} if driver == "shm" else {"driver": "sock", "path": exported})
    place = f"SHM {heard + 1}" if driver == "shm" else f"SOCK {exported}"
    with refclock.Writer(refclock.SharedMemory(heard), AHEAD_NS):
        chronyd = chrony.Chronyd(lab, "A", "allow", f"refclock {place} refid MEAN poll 2 dpoll 0")
        chronyd.start()
        a = lab.meantimed("A", more_sections={
            **reference_section(unit=heard), "export out": {**export, "interval": "500ms"}})
        a.wait_locked()
        chronyd.wait_until(lambda: chronyd.source() == "*", "followed")
        assert wait_until(lambda: abs(chronyd.ahead_ns() - AHEAD_NS) < 20 * MAX_NS), \
            chronyd.ahead_ns()
        chronyd.stop()
    if driver == "shm":
        refclock.SharedMemory(heard + 1).close()
