# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`meantime replay` of what a real daemon has recorded."""
import json
import os
import shutil
import signal
import subprocess

import pytest

import meantimed
import netlab
from test_defects import LAB_CLOCK

LOG = "/run/input.log"


def replay(*arguments):
    done = subprocess.run([meantimed.TOOL, "replay", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    lines = done.stdout.splitlines()
    return done, [json.loads(line) for line in lines] if "--json" in arguments else lines


def of(objects, kind):
    return [found for found in objects if found["type"] == kind]


def record(lab):
    """The boundary clock of a chain, reloaded, commanded and cut off."""
    lab.chain("A", "BC", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    lab.meantimed("B", "eth0", ptp={"priority1": 200})
    bc = lab.meantimed("BC", "eth0", "eth1", clock=LAB_CLOCK, more_arguments=["--record", LOG])
    bc.wait_state("RECEIVER")
    bc.wait_state("TRANSMITTER", "eth1")
    bc.ptp["priority2"] = 99
    bc.reload()
    bc.wait_log("configuration was reloaded")
    bc.set(priority1=127, clock_class=187)
    bc.set(clock_class="auto", offset_scaled_log_variance="auto", utc_offset=36)
    bc.set(utc_offset="auto")
    lab.ip("B", "link", "set", "eth0", "down")
    bc.wait_state("FAULTY", "eth1")
    lab.ip("B", "link", "set", "eth0", "up")
    bc.wait_state("TRANSMITTER", "eth1")
    return bc


def told_by_node(bc):
    """What the node told, without what the daemon knows besides."""
    texts = [event["text"] for event in bc.request(command="events")["events"]]
    return [text.split("; timestamps: ")[0] for text in texts
            if text.startswith(("instance ", "port ", "clock "))
            and "by the control socket" not in text and "cannot be used" not in text]


def is_within(some, all_of_them):
    """Whether `some` comes in `all_of_them` in this order."""
    rest = iter(all_of_them)
    return all(text in rest for text in some)


@pytest.mark.lab(seconds=12)
def test_replay_is_the_run_that_the_daemon_told_of(lab):
    bc = record(lab)
    told = told_by_node(bc)
    status = bc.status()
    assert bc.stop() == 0

    done, objects = replay(LOG, "--json", "--samples")
    assert done.returncode == 0, done.stderr
    end = of(objects, "end")[0]
    assert end["same"] and end["complete"] and end["reason"] is None
    assert end["inputs"] >= status["daemon"]["inputs"] and end["frames"] > 0
    assert end["octets"] == os.path.getsize(LOG)
    assert is_within(told, [event["text"] for event in of(objects, "event")]), told
    assert [order["order"] for order in of(objects, "order")].count("reload") == 1
    assert {"command", "auto", "stop"} <= {order["order"] for order in of(objects, "order")}

    corrections = of(objects, "correction")
    assert len(corrections) == end["corrections"]
    steps = len([c for c in corrections if c["correction"] == "step"])
    assert steps == status["clocks"][0]["steps"] >= 1
    estimates = of(objects, "estimate")
    assert {"used"} <= {estimate["verdict"] for estimate in estimates}
    last = estimates[-1]
    assert abs(last["offset_ns"]) <= last["bound_ns"] < 1e8 and last["delay_ns"] > 0
    assert abs(sum(last["bound_parts"].values()) - last["bound_ns"]) <= 10


@pytest.mark.lab(seconds=12)
def test_replay_anew_does_the_same_when_nothing_has_changed(lab):
    bc = record(lab)
    assert bc.stop() == 0
    as_recorded, was = replay(LOG, "--json")
    anew, is_now = replay(LOG, "--json", "--anew")
    assert as_recorded.returncode == anew.returncode == 0, anew.stderr
    texts = [[event["text"] for event in of(objects, "event")] for objects in (was, is_now)]
    assert texts[0] == texts[1]
    assert of(is_now, "end")[0]["unmatched"] == 0
    before, after = of(was, "correction"), of(is_now, "correction")
    assert len(before) == len(after)
    for one, other in zip(before, after):
        assert one["correction"] == other["correction"]
        key = f"asked_{one['correction']}_{'ns' if one['correction'] == 'step' else 'ppb'}"
        assert abs(one[key] - other[key]) < 1e-3, (one, other)


@pytest.mark.lab(seconds=12)
def test_replay_says_where_it_differs_or_the_log_is_damaged(lab):
    bc = record(lab)
    assert bc.stop() == 0
    with open(LOG, "rb") as file:
        octets = file.read()
    whole_s = of(replay(LOG, "--json")[1], "end")[0]["t_s"]

    def of_changed(changed):
        with open("/run/changed.log", "wb") as file:
            file.write(changed)
        done, objects = replay("/run/changed.log", "--json")
        assert done.returncode == 1
        return of(objects, "end")[0], done.stderr

    # another priority: the first Announce of the replayed node is not the recorded one
    end, told = of_changed(octets.replace(b"priority2 = 128", b"priority2 = 129", 1))
    assert not end["same"] and not end["damaged"] and end["t_s"] < whole_s
    assert f"differs from what was recorded at {end['t_s']:.6f} s: record " in told
    assert "of the frame is 0x81, was 0x80" in told

    end, told = of_changed(octets[:len(octets) // 2] + octets[len(octets) // 2 + 1:])
    # records that hold a whole configuration are the longest, and START is one
    longest = max(4096, int.from_bytes(octets[11:15], "little") + 512)
    assert not end["same"] and 0 < end["octets"] <= len(octets) // 2 + longest

    end, told = of_changed(octets[:len(octets) * 2 // 3])
    assert end["damaged"] or end["octets"] == len(octets) * 2 // 3
    if end["damaged"]:
        assert f"(octet {end['octets']}, " in told and "the log ends after" in told
        assert end["corrections"] > 0


@pytest.mark.lab(seconds=10)
def test_replay_goes_as_far_as_the_log_when_the_daemon_was_killed(lab):
    lab.chain("A", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, more_arguments=["--record", LOG])
    b.wait_state("RECEIVER")
    assert netlab.wait_until(lambda: b.status()["clocks"][0]["state"] == "locked", 60)
    shutil.copy(LOG, "/run/alive.log")
    b.stop(signal.SIGKILL)
    for path in ("/run/alive.log", LOG):
        done, objects = replay(path, "--json")
        end = of(objects, "end")[0]
        assert not end["complete"]
        assert done.returncode == (1 if end["damaged"] else 0), done.stderr
        assert end["octets"] > 0.9 * os.path.getsize(path) - 5000
        assert "differs" not in done.stderr


@pytest.mark.lab(seconds=8)
def test_log_that_cannot_be_written_does_not_end_the_daemon(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, more_arguments=["--record", LOG])
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, more_arguments=["--record", "/dev/full"])
    b.wait_log("the input log /dev/full cannot be written any more: No space left on device")
    b.wait_state("RECEIVER")
    assert netlab.wait_until(lambda: b.status()["clocks"][0]["state"] == "locked", 60)
    assert b.status()["daemon"]["recording"] == "failed"
    assert a.status()["daemon"]["recording"] == "on"
    shown = b.tool("--run-directory", b.directory, "status").stdout
    assert "the input log cannot be written any more" in shown
    assert "cannot be written" not in a.tool("--run-directory", a.directory, "status").stdout
    assert b.log().count("cannot be written any more") == 1
    assert a.stop() == 0 and b.stop() == 0
