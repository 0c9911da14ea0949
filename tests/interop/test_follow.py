# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed and ptp4l follow each other."""
import pytest

import linuxptp
import truth
from patience import wait_until


@pytest.mark.lab(seconds=20)
def test_meantimed_follows_ptp4l_when_started_without_a_file(lab):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", logAnnounceInterval=1, logSyncInterval=0, logMinDelayReqInterval=0)
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0"])
    b.wait_state("RECEIVER")
    readings = truth.hold(b, seconds=3)
    truth.assert_inside(readings)
    assert readings[-1].steps <= 1


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("offset, frequency", [
    ("0.9 s", "-40 ppm"),
    pytest.param("-0.9 s", "40 ppm", marks=pytest.mark.long),
    pytest.param("3 us", "0", marks=pytest.mark.long),
    pytest.param("-80000 s", "200 ppm", marks=pytest.mark.long),
])
def test_meantimed_follows_ptp4l_when_its_clock_is_off(lab, offset, frequency):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", priority1=100)
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_offset": offset,
                                          "lab_frequency": frequency, "lab_wander": "2 ppb"})
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=4))


@pytest.mark.lab(seconds=12)
def test_meantimed_serves_an_arbitrary_time_as_such_when_ptp4l_is_gone(lab):
    """ptp4l with software stamps serves an arbitrary timescale: who has followed it shows that."""
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", priority1=100)
    b = lab.meantimed("B", "eth0")
    b.wait_state("RECEIVER")
    b.wait_until(lambda: b.page().scale == "ARB", "an arbitrary timescale")
    a.stop()
    b.wait_state("TRANSMITTER")
    properties = b.instance()["time_properties"]
    assert not properties["ptp_timescale"] and not properties["utc_offset_valid"]
    b.wait_until(lambda: not b.page().tai_utc_valid, "TAI - UTC not known")


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("offset, frequency, minor_version", [
    ("0.25 s", "30 ppm", 1),
    pytest.param("-0.25 s", "-30 ppm", 0, marks=pytest.mark.long),
    pytest.param("7000 s", "1 ppm", 1, marks=pytest.mark.long),
])
def test_ptp4l_measures_the_true_offset_when_it_follows_meantimed(lab, offset, frequency,
                                                                  minor_version):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "minor_version": minor_version},
                      clock={"clock": "lab", "lab_offset": offset, "lab_frequency": frequency})
    b = lab.ptp4l("B", "eth0", slaveOnly=1)
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)
    assert a.page().scale == "TAI"
    assert wait_until(lambda: 0 < b.delay_ns() < truth.PLAUSIBLE_NS), b.delay_ns()
