# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boundary clocks: meantimed between two ptp4l, ptp4l between two meantimed."""
import pytest

import frames
import linuxptp
import truth
from patience import wait_settled, wait_until

TIME_PROPERTIES = {
    "utc and leap": ({"currentUtcOffset": 37, "currentUtcOffsetValid": 1, "leap61": 1,
                      "ptpTimescale": 1, "timeTraceable": 1, "frequencyTraceable": 1,
                      "timeSource": "0x20"}),
    "nothing known": ({"currentUtcOffset": 0, "currentUtcOffsetValid": 0, "ptpTimescale": 0,
                       "timeSource": "0xa0"}),
    "leap back": ({"currentUtcOffset": 38, "currentUtcOffsetValid": 1, "leap59": 1,
                   "timeTraceable": 0, "timeSource": "0x50"}),
}


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("frequency", ["40 ppm", pytest.param("-40 ppm", marks=pytest.mark.long)])
def test_meantimed_serves_its_grandmaster_s_time_when_between_two_ptp4l(lab, frequency):
    lab.chain("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110)
    bc = lab.meantimed("BC", "eth0", "eth1", clock={
        "clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": frequency, "lab_wander": "2 ppb"})
    bc.wait_state("RECEIVER", "eth0")
    bc.wait_state("TRANSMITTER", "eth1")
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_inside(truth.hold(bc, seconds=3))
    truth.assert_measured(b)  # all follow the kernel's clock
    parent = b.management("GET PARENT_DATA_SET")
    identity = a.management("GET DEFAULT_DATA_SET")["clockIdentity"]
    assert parent["grandmasterIdentity"] == identity
    assert parent["grandmasterPriority1"] == "100"
    assert b.management("GET CURRENT_DATA_SET")["stepsRemoved"] == "2"
    assert bc.instance()["steps_removed"] == 1


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("properties", [
    "utc and leap", pytest.param("nothing known", marks=pytest.mark.long),
    pytest.param("leap back", marks=pytest.mark.long)])
def test_time_properties_pass_meantimed_when_it_is_between_two_ptp4l(lab, properties):
    wanted = TIME_PROPERTIES[properties]
    lab.chain("A", "BC", "B")
    a = lab.ptp4l("A", "eth0", priority1=100)
    b = lab.ptp4l("B", "eth0", priority1=110)
    a.wait_state("MASTER")
    a.set_time_properties(**wanted)
    lab.meantimed("BC", "eth0", "eth1", clock={"clock": "lab", "lab_offset": "-0.4 s"})

    def is_relayed():
        got = b.management("GET TIME_PROPERTIES_DATA_SET")
        return all(got.get(key) == str(value) for key, value in wanted.items())
    assert wait_until(is_relayed, step_s=0.3), b.management("GET TIME_PROPERTIES_DATA_SET")


@pytest.mark.lab(seconds=12)
def test_two_meantimed_agree_when_ptp4l_is_between_them(lab):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", ptp={
        "priority1": 100, "clock_class": 6, "time_source": "gnss", "time_traceable": "yes"})
    bc = lab.ptp4l("BC", "eth0", "eth1")
    b = lab.meantimed("B", "eth0", clock={"clock": "lab", "lab_offset": "0.4 s",
                                          "lab_frequency": "30 ppm"})
    bc.wait_state(*linuxptp.FOLLOWS, port=1)
    bc.wait_state("MASTER", port=2)
    identity = bc.management("GET DEFAULT_DATA_SET")["clockIdentity"]
    # it may have heard of the boundary clock before that heard of its grandmaster
    b.wait_until(lambda: b.instance()["steps_removed"] == 2, "two steps from the grandmaster")
    b.wait_state("RECEIVER")
    instance = b.instance()
    assert frames.identity_of(instance["parent"]["clock_identity"]) == frames.identity_of(identity)
    assert instance["parent"]["port_number"] == 2
    assert instance["grandmaster"]["clock_identity"] == a.instance()["clock_identity"]
    assert instance["grandmaster"]["clock_class"] == 6
    assert instance["time_properties"]["time_source"] == "gnss"
    assert instance["time_properties"]["time_traceable"] is True
    assert truth.shows_kernel_time(b)


@pytest.mark.lab(seconds=10)
def test_ptp4l_changes_over_when_meantimed_s_priority_changes_at_run_time(lab):
    lab.chain("A", "B")
    # it falls silent until it has given up what it remembers of ptp4l, which has forgotten all
    # about it after four intervals, and then does not compare what is new
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "announce_receipt_timeout": 3},
                      clock={"clock": "lab", "lab_offset": "0.2 s"})
    b = lab.ptp4l("B", "eth0", priority1=110)
    b.wait_state(*linuxptp.FOLLOWS)
    a.set(priority1=120)
    b.wait_state("MASTER")
    a.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(a, seconds=1))
    a.set(priority1=100)
    b.wait_state(*linuxptp.FOLLOWS)
    a.wait_state("TRANSMITTER")
    a.set(priority1=110, clock_class=255)  # equal now, and the other's class is better
    assert wait_settled(lambda: b.states()[1] == "MASTER", 0.5), b.states()
