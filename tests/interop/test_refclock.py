# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed as the reference clock of Debian's chronyd, and with a reference clock of its own."""
import os
import subprocess

import pytest

import netlab
import refclock

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHRONYD = os.path.join(TOP, "build", "peers", "usr", "sbin", "chronyd")
CHRONYC = os.path.join(TOP, "build", "peers", "usr", "bin", "chronyc")
AHEAD_NS = 1_250_000_000
UNIT_HEARD, UNIT_EXPORTED = 93, 94
MAX_NS = 2000  # readings of the machine's clock by two programs, on a busy machine


def reference_section(**keys):
    return {"refclock gps": {"unit": UNIT_HEARD, "poll": "100ms", "max_error": "1us", **keys}}


def wait_locked(daemon):
    assert netlab.wait_until(lambda: getattr(daemon.page(), "state", "") == "locked", 40)


def ahead_of_machine_ns(daemon):
    """The published time in UTC less CLOCK_REALTIME."""
    page = daemon.page()
    best = None
    for _ in range(5):
        before = refclock.time.clock_gettime_ns(refclock.time.CLOCK_BOOTTIME)
        machine_ns = refclock.time.clock_gettime_ns(refclock.time.CLOCK_REALTIME)
        after = refclock.time.clock_gettime_ns(refclock.time.CLOCK_BOOTTIME)
        if best is None or after - before < best[0]:
            best = (after - before, machine_ns, (before + after) // 2)
    utc_ns = page.time_ns(best[2]) - (37 * refclock.NS if page.scale == "TAI" else 0)
    return utc_ns - best[1]


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
        wait_locked(a)
        assert abs(ahead_of_machine_ns(a) - AHEAD_NS) < MAX_NS
        assert a.page().reference == "traceable"


@pytest.mark.lab(seconds=15)
def test_meantimed_is_not_moved_by_a_reference_clock_that_has_no_time(lab):
    lab.nodes("A")
    form = refclock.SharedMemory(UNIT_HEARD + 2)
    with refclock.Writer(form, AHEAD_NS, leap=refclock.LEAP_UNSYNCHRONISED):
        a = lab.meantimed("A", more_sections=reference_section(unit=UNIT_HEARD + 2))
        assert netlab.wait_until(lambda: a.page() is not None, 10)
        refclock.time.sleep(4)
        assert a.page().state == "free_run"


class Chronyd:
    """Without control of the machine's clock: it measures, and says what."""

    def __init__(self, lab, node, directive):
        self.socket = lab.path("chronyd.sock")
        config = lab.path("chrony.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"{directive}\nbindcmdaddress {self.socket}\ncmdport 0\n"
                       f"pidfile {lab.path('chronyd.pid')}\n")
        self.lab = lab
        self.node = node
        self.program = lab.start(node, [CHRONYD, "-x", "-d", "-U", "-u", "root", "-f", config],
                                 lab.path("chronyd.log"))

    def source(self):
        """(state, last measured offset in s) of its only source; None: it has no sample yet."""
        done = subprocess.run(["ip", "netns", "exec", f"t-{self.node}", CHRONYC, "-h", self.socket,
                               "-c", "sources"], capture_output=True, text=True, check=False)
        fields = done.stdout.strip().split(",")
        if len(fields) < 10 or fields[5] == "0":
            return None
        return fields[1], float(fields[8])


@pytest.mark.lab(seconds=60)
@pytest.mark.parametrize("driver", ["shm", "sock"])
def test_chronyd_takes_meantimed_as_its_reference_clock(lab, driver):
    lab.nodes("A")
    heard = UNIT_HEARD + (4 if driver == "shm" else 6)
    exported = lab.path("export.sock")
    export = ({"unit": heard + 1} if driver == "shm" else {"driver": "sock", "path": exported})
    place = f"SHM {heard + 1}" if driver == "shm" else f"SOCK {exported}"
    with refclock.Writer(refclock.SharedMemory(heard), AHEAD_NS):
        chronyd = Chronyd(lab, "A", f"refclock {place} refid MEAN poll 2 dpoll 0")
        a = lab.meantimed("A", more_sections={
            **reference_section(unit=heard), "export out": {**export, "interval": "500ms"}})
        wait_locked(a)
        assert netlab.wait_until(lambda: (chronyd.source() or "?")[0] == "*", 40), chronyd.source()
        # chronyc shows it as we do: negative if the machine's clock is slow
        assert abs(chronyd.source()[1] * refclock.NS + AHEAD_NS) < 20 * MAX_NS
        chronyd.program.stop()
    if driver == "shm":
        refclock.SharedMemory(heard + 1).close()
