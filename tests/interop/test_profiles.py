# SPDX-License-Identifier: Apache-2.0 OR MIT
"""profile = NAME against ptp4l set up for the same profile, with software timestamps over veth."""
import pytest

import linuxptp
import truth
from patience import wait_settled, wait_until

LAB_CLOCK = {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm",
             "lab_wander": "2 ppb"}
# as linuxptp ships them, but for the patience that a busy machine asks for
G8275_1 = {"dataset_comparison": "G.8275.x", "G.8275.defaultDS.localPriority": 128,
           "maxStepsRemoved": 255, "logAnnounceInterval": -3, "logSyncInterval": -4,
           "logMinDelayReqInterval": -4, "announceReceiptTimeout": 10,
           "G.8275.portDS.localPriority": 128,
           "ptp_dst_mac": "01:80:C2:00:00:0E", "network_transport": "L2", "domainNumber": 24}
GPTP = {"priority1": 248, "priority2": 248, "logAnnounceInterval": 0, "logSyncInterval": -3,
        "syncReceiptTimeout": 16, "min_neighbor_prop_delay": -20000000, "assume_two_step": 1,
        "path_trace_enabled": 1, "follow_up_info": 1, "transportSpecific": "0x1",
        "ptp_dst_mac": "01:80:C2:00:00:0E", "network_transport": "L2", "delay_mechanism": "P2P",
        "neighborPropDelayThresh": 20000000}  # software timestamps
PATIENT = {"announce_receipt_timeout": 10}  # on a busy machine
SLOW_LINK = {"mean_link_delay_thresh": "20 ms", "sync_receipt_timeout": 16}


def profile(name, **keys):
    return {"profile": name, **keys}


# ---- G.8275.1 ------------------------------------------------------------------------------------

@pytest.mark.lab(seconds=10)
def test_meantimed_follows_ptp4l_in_g8275_1(lab):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", **{**G8275_1, "clockClass": 6, "clockAccuracy": "0x21"})
    b = lab.meantimed("B", "eth0", ptp=profile("g8275.1", **PATIENT), clock=LAB_CLOCK,
                      is_fast=False)
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))
    assert b.instance()["domain"] == 24


@pytest.mark.lab(seconds=10)
def test_ptp4l_follows_meantimed_in_g8275_1(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp=profile("g8275.1", clock_class=6, **PATIENT),
                      clock=LAB_CLOCK, is_fast=False)
    b = lab.ptp4l("B", "eth0", **{**G8275_1, "priority1": 1})  # which does not count
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b, a)


@pytest.mark.lab(seconds=10)
def test_meantimed_prefers_the_port_of_better_local_priority_in_g8275_1(lab):
    """Two grandmasters of equal quality: neither identity nor distance decides."""
    lab.chain("A", "BC", "C")
    near = {**G8275_1, "clockClass": 6, "clockIdentity": "000000.fffe.000001"}
    far = {**G8275_1, "clockClass": 6, "clockIdentity": "f00000.fffe.000001"}
    a = lab.ptp4l("A", "eth0", **near)
    c = lab.ptp4l("C", "eth0", **far)
    bc = lab.meantimed("BC", "eth0", "eth1", ptp=profile("g8275.1", **PATIENT), clock=LAB_CLOCK,
                       is_fast=False, ports={"eth1": {"local_priority": 100}})
    bc.wait_state("RECEIVER", "eth1")
    assert bc.instance()["grandmaster"]["clock_identity"] == "f00000.fffe.000001"
    assert a.is_running() and c.is_running()


# ---- 802.1AS -------------------------------------------------------------------------------------

@pytest.mark.lab(seconds=15)
def test_meantimed_follows_ptp4l_in_802_1as(lab):
    lab.chain("A", "B")
    lab.ptp4l("A", "eth0", **{**GPTP, "priority1": 200})
    b = lab.meantimed("B", "eth0", ptp=profile("802.1as", **SLOW_LINK), clock=LAB_CLOCK,
                      is_fast=False)
    b.wait_state("RECEIVER")  # at once in this profile
    b.wait_locked()
    truth.assert_inside(truth.hold(b, seconds=3))
    # a Sync may take longer than Pdelay, all the more as the kernel stamps
    parts = b.status()["clocks"][0]["bound_parts"]
    assert parts["asymmetry_ns"] >= 2.5 * b.port()["peer"]["mean_link_delay_ns"], parts


@pytest.mark.lab(seconds=20)
def test_meantimed_relays_between_two_ptp4l_in_802_1as(lab):
    """Its own clock is 0.4 s off and runs fast: nothing of that may come out behind it."""
    lab.chain("A", "R", "B")
    lab.ptp4l("A", "eth0", **{**GPTP, "priority1": 200})
    relay = lab.meantimed("R", "eth0", "eth1", ptp=profile("802.1as-relay", **SLOW_LINK),
                          clock={**LAB_CLOCK, "estimates_only": "yes"}, is_fast=False)
    b = lab.ptp4l("B", "eth0", **GPTP)
    relay.wait_state("RECEIVER", "eth0")
    relay.wait_state("TRANSMITTER", "eth1")
    b.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(b)  # both follow the kernel's clock

    def rate():
        return abs(float(b.management("GET TIME_STATUS_NP")["cumulativeScaledRateOffset"]))
    # the relay's 40 ppm cancel: neighbour against neighbour
    assert wait_settled(lambda: rate() < 5e-6, 2), rate()
    assert int(b.management("GET CURRENT_DATA_SET")["stepsRemoved"]) == 2


# ---- intervals by Signaling ----------------------------------------------------------------------

def log_sync_of(ptp4l):
    return int(ptp4l.management("GET PORT_DATA_SET")["logSyncInterval"])


@pytest.mark.lab(seconds=25)
def test_ptp4l_obeys_the_operational_interval_that_meantimed_asks_for(lab):
    """The other way round is the laboratory's: here ptp4l runs free, and settles never."""
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", **{**GPTP, "priority1": 200})
    a.wait_state("MASTER")
    assert log_sync_of(a) == -3
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, is_fast=False, ptp=profile(
        "802.1as", operational_log_sync_interval=-1, operational_threshold="10 ms", **SLOW_LINK))
    b.wait_state("RECEIVER")
    b.wait_until(lambda: b.port()["intervals"]["mode"] == "operational", "settled")
    assert wait_until(lambda: log_sync_of(a) == -1)
    truth.assert_inside(truth.hold(b, seconds=3))
    assert b.port()["intervals"]["requests"] <= 2
