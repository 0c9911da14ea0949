# SPDX-License-Identifier: Apache-2.0 OR MIT
"""SMPTE ST 2059-2: Synchronization Metadata from a grandmaster through a boundary clock."""
import pytest

import netlab

FAST = {"profile": "ST 2059-2", "clock_class": 248}


@pytest.mark.lab(seconds=15)
def test_metadata_of_the_grandmaster_reach_a_receiver_behind_a_boundary_clock(lab):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", clock={"clock": "lab"},
                      ptp={**FAST, "priority1": 100, "clock_class": 6, "local_time_offset": 3600,
                           "smpte_frame_rate": 25, "smpte_frame_rate_divisor": 1,
                           "smpte_daily_jam": 7200, "smpte_jump": 3600,
                           "smpte_jump_at": 4000000000})
    bc = lab.meantimed("BC", "eth0", "eth1", clock={"clock": "lab"}, ptp=FAST)
    b = lab.meantimed("B", "eth0", clock={"clock": "lab"}, ptp={**FAST, "priority1": 200})
    b.wait_state("RECEIVER")
    grandmaster = a.instance()["clock_identity"]
    for daemon in (bc, b):
        daemon.wait_for(lambda d=daemon: d.instance()["grandmaster"]["clock_identity"]
                        == grandmaster, 60, "follows A")
    before = bc.instance()["smpte"]["sent"]  # as grandmaster, for a moment
    for daemon in (bc, b):
        assert netlab.wait_until(lambda d=daemon: d.instance()["smpte"]["received"] > 1, 60)
    heard, own = b.instance()["smpte"], a.instance()["smpte"]
    assert own["sent"] >= heard["received"] and own["received"] == 0
    assert bc.instance()["smpte"]["sent"] == before
    assert heard["locking"] == "locked" and heard["frame_rate"] == 25
    offset = heard["local_offset_s"]
    assert offset == 3600 - a.instance()["time_properties"]["utc_offset_s"]
    assert (heard["jump_s"], heard["next_jump_s"]) == (3600, 4000000000)
    assert (heard["next_jam_s"] + offset) % 86400 == 7200
    assert heard["next_jam_s"] - heard["previous_jam_s"] == 86400
    shown = b.tool("status", "--run-directory", b.directory).stdout
    assert f"ST 2059-2     locked, 25 frames/s, local time {offset:+d} s, +3600 s more" in shown
