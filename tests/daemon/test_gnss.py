# SPDX-License-Identifier: Apache-2.0 OR MIT
"""GNSS receivers on pseudo-terminals, and gpsd: cold start, a lost fix, dates of another era, wrong
leap seconds, a spoofed step, noise on the line.  Times are shorter than in life."""
import json
import os
import subprocess

import pytest

import gnss
import meantimed

DELAY_S = 0.1
ERROR_S = 0.9  # on a busy machine the receiver is late, and so is the daemon that hears it
JUMP_WAIT_S = 5
PULSE_BOUND_NS = 10_000  # of which 1 us each are the stamp's and the receiver's
USEFUL_NS = 1.5e9  # a bound above that would tell nothing of what is tried here
PATIENCE_S = 60


def follow(lab, receiver, protocol="auto", **keys):
    return lab.meantimed("A", more_sections={"gnss hat": {
        "device": receiver.path, "baud": 115200, "protocol": protocol,
        "sentence_delay": f"{round(DELAY_S * 1000)}ms",
        "sentence_error": f"{round(ERROR_S * 1000)}ms", "jump_wait": f"{JUMP_WAIT_S}s", **keys}})


def hat(daemon):
    return daemon.status()["gnss"][0]


def is_locked(daemon):
    return getattr(daemon.page(), "state", "") == "locked"


def wait_locked(daemon, seconds=150):
    daemon.wait_for(lambda: is_locked(daemon), seconds, "the clock is locked")


def assert_right(daemon):
    """Within what is published of the machine's clock, which is the truth here."""
    ahead_ns, bound_ns = gnss.ahead_of_machine_ns(daemon)
    assert daemon.page().scale == "TAI"
    assert abs(ahead_ns) <= bound_ns < USEFUL_NS


@pytest.mark.lab(seconds=100)
def test_a_receiver_is_followed_from_its_first_fix_and_not_without(lab):
    lab.nodes("A")
    with gnss.Receiver(lambda utc_s: gnss.sentences(utc_s, has_fix=False), DELAY_S) as receiver:
        a = follow(lab, receiver)
        a.wait_log("gnss hat: it can be heard", PATIENCE_S)
        a.wait_for(lambda: hat(a)["sentences"]["no_fix"] > 2, PATIENCE_S,
                   "it says that it has no fix")
        assert a.page().state == "free_run" and not hat(a)["has_fix"]
        assert "it has no fix" in a.tool("--run-directory", a.directory, "why").stdout
        receiver.says = gnss.sentences
        a.wait_log("gnss hat: it has a fix", PATIENCE_S)
        wait_locked(a)
        assert_right(a)
        now = hat(a)
        assert now["fix"] == "3d" and now["satellites"] == 9 and now["fault_reason"] is None
        assert now["sentences"]["proprietary"] > 0 and now["sentences"]["checksum"] == 0
        receiver.says = lambda utc_s: gnss.sentences(utc_s, has_fix=False)
        a.wait_log("gnss hat: it has no fix", PATIENCE_S)
        a.wait_for(lambda: a.page().state == "holdover", PATIENCE_S, "the clock holds over")
        assert_right(a)
        receiver.says = gnss.sentences
        wait_locked(a)
        text = a.tool("--run-directory", a.directory, "status").stdout
        assert "GNSS receiver hat" in text and "3D fix, 9 satellites" in text, text


@pytest.mark.lab(seconds=60)
def test_dates_before_this_was_written_are_put_right_and_told_once(lab):
    lab.nodes("A")
    with gnss.Receiver(gnss.sentences, DELAY_S, ahead_s=-1024 * gnss.WEEK_S) as receiver:
        a = follow(lab, receiver)
        wait_locked(a)
        assert_right(a)
        assert hat(a)["rollovers"] == 1
        assert a.log().count("its dates are 1024 weeks too early") == 1


@pytest.mark.lab(seconds=60)
def test_wrong_leap_seconds_are_named_and_do_no_harm_where_they_are_told(lab):
    lab.nodes("A")
    wrong_s = gnss.LEAP_S - 2  # then its UTC is two seconds ahead

    def says(utc_s):
        return gnss.nav_pvt(utc_s, wrong_s) + gnss.nav_timels(wrong_s, source=0)

    with gnss.Receiver(says, DELAY_S, ahead_s=2) as receiver:
        a = follow(lab, receiver, "ubx")
        wait_locked(a)
        assert_right(a)
        a.wait_log("it counts TAI - UTC = 35 s and this machine 37 s", PATIENCE_S)
        receiver.ahead_s = 0
        receiver.says = lambda utc_s: gnss.nav_pvt(utc_s) + gnss.nav_timels()
        a.wait_log("it counts TAI - UTC = 37 s, as this machine does", PATIENCE_S)
        assert_right(a)
        assert not hat(a)["has_jumped"] and hat(a)["leap_heard"]


@pytest.mark.lab(seconds=100)
def test_a_spoofed_step_of_5_s_is_told_and_not_followed(lab):
    lab.nodes("A")
    with gnss.Receiver(gnss.sentences, DELAY_S) as receiver:
        a = follow(lab, receiver)
        wait_locked(a)
        receiver.ahead_s = 5
        a.wait_log("more than that can be wrong by: it is not followed until it agrees again",
                   PATIENCE_S)
        now = hat(a)
        assert now["has_jumped"] and abs(now["jump_ns"] + 5e9) < 2 * USEFUL_NS
        a.wait_for(lambda: "its time has jumped" in
                   a.tool("--run-directory", a.directory, "why").stdout, PATIENCE_S,
                   "it is told why")
        heard = now["seconds"]["jump"]
        a.wait_for(lambda: hat(a)["seconds"]["jump"] >= heard + 2 * JUMP_WAIT_S, PATIENCE_S,
                   "it goes on to tell of another time")
        assert_right(a)
        assert "stepped" not in a.log().split("is synchronised")[-1]
        receiver.ahead_s = 0
        a.wait_log("its time agrees with clock main again", PATIENCE_S)
        wait_locked(a)
        assert_right(a)


@pytest.mark.lab(seconds=60)
def test_noise_at_115200_baud_does_not_hide_the_receiver(lab):
    lab.nodes("A")

    def says(utc_s):
        return gnss.sentences(utc_s) + os.urandom(9000)

    with gnss.Receiver(says, DELAY_S) as receiver:
        a = follow(lab, receiver)
        wait_locked(a)
        assert_right(a)
        assert hat(a)["sentences"]["garbage"] > 10


@pytest.mark.lab(seconds=20)
def test_pulses_are_waited_for_when_their_device_is_not_there_yet(lab):
    lab.nodes("A")
    with gnss.Receiver(gnss.sentences, DELAY_S) as receiver:
        a = lab.meantimed("A", more_sections={"gnss hat": {
            "device": receiver.path, "baud": 115200, "pulse": "/dev/pps77"}})
        a.wait_log("gnss hat: its pulses cannot be had: cannot open /dev/pps77", PATIENCE_S)
        a.wait_log("gnss hat: it has a fix", PATIENCE_S)
        assert "/dev/pps77" in hat(a)["fault_reason"]
        assert "/dev/pps77" in a.tool("--run-directory", a.directory, "status").stdout
        assert a.stop() == 0


@pytest.mark.lab(seconds=60)
def test_pulses_that_gpsd_has_stamped_are_followed_and_replayed_bit_for_bit(lab):
    lab.nodes("A")
    log = "/run/input.log"
    with gnss.Gpsd(lab, "A", ahead_ns=1_250_000_000) as server:
        a = lab.meantimed("A", more_arguments=["--record", log],
                          more_sections={"gnss hat": {"device": "gpsd:127.0.0.1:2947"}})
        wait_locked(a)
        ahead_ns, bound_ns = gnss.ahead_of_machine_ns(a)
        assert abs(ahead_ns - 1_250_000_000) <= bound_ns < PULSE_BOUND_NS
        assert a.page().reference == "traceable"
        assert hat(a)["pulses"] > 5 and hat(a)["visible"] == 14
        server.mode = 1
        a.wait_log("gnss hat: it has no fix", PATIENCE_S)
        assert a.stop() == 0
    done = subprocess.run([meantimed.TOOL, "replay", "--json", log], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "end", done.stdout[-300:]
