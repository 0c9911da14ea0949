# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The founding lab as a test: A - BC - B, where BC is killed and comes back."""
import signal
import time

import pytest

import frames
import netlab
import truth

INTERVALS = {"log_announce_interval": -1}
CLOCKS = {
    "A": {"clock": "lab", "lab_offset": "0.7 s", "lab_frequency": "12 ppm", "lab_wander": "1 ppb",
          "lab_seed": 1},
    "BC": {"clock": "lab", "lab_offset": "-0.4 s", "lab_frequency": "40 ppm",
           "lab_wander": "2 ppb", "lab_seed": 2},
    "B": {"clock": "lab", "lab_offset": "-1 s", "lab_frequency": "-35 ppm", "lab_wander": "2 ppb",
          "lab_seed": 3},
}
SERVING = (frames.ANNOUNCE, frames.SYNC, frames.FOLLOW_UP, frames.DELAY_RESP)
LOG_S = 0.2  # a busy daemon writes its log some time after its frames
RETURN_LIMIT_S = 60


def assert_serves_only_when_calibrated(bc, sniffer, started_s):
    """Nothing of BC reaches B before BC is RECEIVER; afterwards Syncs do."""
    calibrated_s = bc.when("RECEIVER", "eth0", started_s)
    assert netlab.wait_until(lambda: sniffer.of(frames.SYNC, since_s=calibrated_s), 60)
    early = [heard for heard in sniffer.of(*SERVING, since_s=started_s)
             if heard.at_s < calibrated_s - LOG_S]
    assert not early, f"{early[0].name} {calibrated_s - early[0].at_s:.3f} s before RECEIVER"


def jumps(readings):
    """(jump, bound before it) of each step."""
    return [(abs(after.offset_ns - before.offset_ns), before.bound_ns)
            for before, after in zip(readings, readings[1:]) if after.steps != before.steps]


@pytest.mark.lab(seconds=30)
@pytest.mark.parametrize("absent_s", [5.0, pytest.param(0.3, marks=pytest.mark.long),
                                      pytest.param(30.0, marks=pytest.mark.long)])
def test_receiver_returns_without_a_leap_when_the_boundary_clock_is_killed(lab, absent_s):
    lab.chain("A", "BC", "B")
    a = lab.meantimed("A", "eth0", clock=CLOCKS["A"], ptp={**INTERVALS, "priority1": 100})
    b = lab.meantimed("B", "eth0", clock=CLOCKS["B"], ptp=INTERVALS)
    b.wait_state("TRANSMITTER")
    bc = lab.meantimed("BC", "eth0", "eth1", clock=CLOCKS["BC"], ptp=INTERVALS, is_started=False)
    with frames.Sniffer(lab, "B") as sniffer, truth.Recorder(b, a) as recorder:
        bc.start()
        b.wait_state("RECEIVER")
        assert_serves_only_when_calibrated(bc, sniffer, bc.started_realtime_s)
        time.sleep(3)
        assert not bc.log().count("ends") and bc.stop(signal.SIGKILL) == -signal.SIGKILL
        time.sleep(absent_s)
        before = truth.read(b, a)
        bc.start()
        restarted_s = bc.started_realtime_s
        b.wait_for(lambda: b.when("RECEIVER", since_s=restarted_s) or absent_s < 1, RETURN_LIMIT_S,
                   "RECEIVER again")
        bc.wait_for(lambda: bc.when("RECEIVER", "eth0", restarted_s), RETURN_LIMIT_S, "calibrated")
        assert_serves_only_when_calibrated(bc, sniffer, restarted_s)
        b.wait_locked(RETURN_LIMIT_S)
        time.sleep(3)
    after = recorder.since(restarted_s)
    for jump_ns, bound_ns in jumps([before, *after]):
        assert bound_ns is not None and jump_ns <= bound_ns
    assert not [reading for reading in after if reading.bound_ns is None or reading.is_outside()]
    again_s = b.when("RECEIVER", since_s=restarted_s) or restarted_s
    print(f"B is RECEIVER again after {again_s - restarted_s:.1f} s; "
          f"true offset at the restart {before.offset_ns} ns, bound {before.bound_ns} ns; "
          f"largest offset since {max(abs(reading.offset_ns) for reading in after)} ns; "
          f"{after[-1].steps - before.steps} steps")
