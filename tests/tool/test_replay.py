# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`meantime replay` of logs/source_steps_by_1_ms.log: a receiver whose transmitter's clock is
wrong by 1 ms from second 60 on (tests/sim/record_fault.c).  The log is run --anew, since today's
corrections need not be those of the day when it was recorded; what must hold is what the node
decides.  tests/daemon/test_replay.py replays fresh logs bit for bit."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess

import pytest

MEANTIME = os.environ.get("MEANTIME", "build/release/apps/meantime/meantime")
LOG = pathlib.Path(__file__).parent / "logs" / "source_steps_by_1_ms.log"
FAULT_S, END_S = 60, 120
SPAN_NS = 1e6


def replay(*arguments, **more):
    environment = {**os.environ, "LC_ALL": "C", **more}
    return subprocess.run([MEANTIME, "replay", *map(str, arguments)], capture_output=True,
                          text=True, timeout=60, env=environment, stdin=subprocess.DEVNULL)


def objects(*arguments):
    done = replay("--anew", "--json", *arguments)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(found, kind, since_s=0.0, until_s=1e9):
    return [one for one in found if one["type"] == kind and since_s <= one["t_s"] < until_s]


@pytest.fixture(scope="module")
def samples():
    return objects(LOG, "--samples")


@pytest.fixture
def log_of(tmp_path):
    def write(octets):
        path = tmp_path / "input.log"
        path.write_bytes(octets)
        return path
    return write


# ---- a log of a fault is a regression test ---------------------------------------------------


def test_clock_is_quiet_before_the_source_steps(samples):
    before = of(samples, "estimate", 30, FAULT_S)
    assert len(before) > 50
    assert {sample["verdict"] for sample in before} <= {"used", "outlier"}
    assert all(sample["phase"] == "locked" and abs(sample["offset_ns"]) < 1000
               and sample["bound_ns"] < 20e3 and 5e3 < sample["delay_ns"] < 15e3
               for sample in before)
    steps = [found for found in of(samples, "correction") if found["correction"] == "step"]
    assert len(steps) == 1 and steps[0]["t_s"] < 10


def test_step_of_the_source_is_recognised_within_three_samples(samples):
    verdicts = [sample["verdict"] for sample in of(samples, "estimate", FAULT_S)]
    assert "step" in verdicts[:3], verdicts[:5]
    assert verdicts.count("step") == 1


def test_clock_follows_the_step_and_is_synchronised_again(samples):
    after = of(samples, "estimate", FAULT_S + 20)
    assert len(after) > 50
    assert all(sample["phase"] == "locked" and abs(sample["offset_ns"]) < 1000 for sample in after)
    moved_s = sum((rate["applied_rate_ppb"] + 11.9e3) * 1e-9 * (following["t_s"] - rate["t_s"])
                  for rate, following in zip(of(samples, "correction", FAULT_S, FAULT_S + 10),
                                             of(samples, "correction", FAULT_S)[1:]))
    assert abs(moved_s - 1e-3) < 2e-5
    told = [event["text"] for event in of(samples, "event", FAULT_S)]
    assert not [text for text in told if "stepped" in text or "lost its source" in text]


# ---- what is printed ----------------------------------------------------------------------------


def test_objects_have_units_and_a_beginning_and_an_end(samples):
    kinds = [found["type"] for found in samples]
    assert kinds[0] == "start" and kinds[-1] == "end" and kinds.count("start") == 1
    assert set(kinds) == {"start", "event", "order", "correction", "estimate", "end"}
    assert samples[0]["clocks"] == ["main"] and samples[0]["anew"] is True
    end = samples[-1]
    assert end["octets"] == LOG.stat().st_size and end["complete"] and not end["damaged"]
    assert abs(end["t_s"] - END_S) < 0.1 and end["unmatched"] == 0
    last = of(samples, "estimate")[-1]
    assert sum(last["samples"].values()) == len(of(samples, "estimate"))
    assert abs(sum(last["bound_parts"].values()) - last["bound_ns"]) < 10
    assert last["noise_forward_ns"] > 20 and last["noise_reverse_ns"] > 20
    assert 0 < last["wander_per_sqrt_s"] < 1e-6


def test_every_says_how_far_apart_estimates_are():
    for every_s, count in ((1, END_S), (10, END_S / 10)):
        found = of(objects(LOG, "--every", every_s), "estimate")
        assert abs(len(found) - count) <= 2
        assert not any("verdict" in estimate for estimate in found)


def test_from_and_to_limit_what_is_printed_but_not_what_is_replayed():
    found = objects(LOG, "--from", 30, "--to", "40.5")
    times_s = [one["t_s"] for one in found if one["type"] not in ("start", "end")]
    assert times_s and 30 <= min(times_s) and max(times_s) <= 40.5
    assert found[-1]["octets"] == LOG.stat().st_size


def test_people_get_sentences():
    done = replay(LOG, "--anew", "--every", 20)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("recorded by lab; times are seconds")
    for expected in ("instance main, port eth0: RECEIVER, was UNCALIBRATED",
                     "clock main: is synchronised (locked, was acquiring)", "clock main: rate ",
                     "asked, ", " applied", "noise ", "bound ", "samples ", "ordered: the end"):
        assert any(expected in line for line in lines), expected
    assert max(len(line) for line in lines if ": rate " in line) <= 80


def test_config_prints_what_the_daemon_ran_with():
    done = replay(LOG, "--config")
    assert done.returncode == 0 and "priority1 = 200\n" in done.stdout


def test_clock_that_is_not_there_is_told():
    done = replay(LOG, "--clock", "other")
    assert done.returncode == 1 and "there is no clock other in this log" in done.stderr


def test_progress_is_shown_on_a_terminal():
    ours, theirs = pty.openpty()
    with subprocess.Popen([MEANTIME, "replay", LOG, "--anew"], stdout=subprocess.DEVNULL,
                          stderr=theirs) as program:
        os.close(theirs)
        shown = b""
        try:
            while octets := os.read(ours, 4096):
                shown += octets
        except OSError:  # the other end is closed
            pass
        assert program.wait() == 0
    os.close(ours)
    assert b": 50 %" in shown and shown.endswith(b"\r\x1b[K")


# ---- plots -------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("gnuplot") is None, reason="gnuplot is not installed")
@pytest.mark.parametrize("ending, magic", [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_plot_is_a_picture(tmp_path, ending, magic):
    path = tmp_path / f"it's a plot.{ending}"
    done = replay(LOG, "--anew", "--plot", path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert path.read_bytes().startswith(magic)
    if ending == "svg":
        assert "clock main: t since" in path.read_text()


HOLDOVER = """[sim]
duration = 400 s
discard = 60 s
[star]
receivers = 1
centre = sw
link = cable
[switch sw]
[link cable]
delay = 1 us
jitter = normal 20 ns
[at 150 s]
kill gm1
"""


@pytest.mark.skipif(shutil.which("gnuplot") is None, reason="gnuplot is not installed")
def test_holdover_is_told_and_plotted_to_the_end_of_the_log(tmp_path):
    (tmp_path / "net.topology").write_text(HOLDOVER)
    subprocess.run([MEANTIME, "sim", tmp_path / "net.topology", "--quiet", "--record",
                    f"rx1:{tmp_path}/rx1.log", "--plot", tmp_path / "sim.svg"], check=True,
                   capture_output=True, timeout=60)
    done = replay(tmp_path / "rx1.log", "--plot", tmp_path / "rx1.svg")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    last = max(i for i, line in enumerate(lines) if "holdover: no estimate" in line)
    assert re.match(r" +bound 2\d\d\.\d* us against ", lines[last + 1])
    texts = re.findall(r">([^<>]+)</tspan>|<text>([^<>]+)</text>",
                       (tmp_path / "rx1.svg").read_text())
    texts = {(one or other).strip() for one, other in texts}
    assert {"error bound", "estimated offset", "holdover", "350", "200"} <= texts
    picture = (tmp_path / "sim.svg").read_text()  # its scale holds the bound
    assert "bound of rx1" in picture and "100 us" in picture


def test_plot_says_what_is_missing(tmp_path):
    done = replay(LOG, "--anew", "--plot", tmp_path / "a.svg", PATH=str(tmp_path))
    assert done.returncode == 1 and "gnuplot is not installed" in done.stderr
    done = replay(LOG, "--anew", "--plot", tmp_path / "a.pdf")
    assert done.returncode == 2 and "ends in .svg or .png" in done.stderr


# ---- what cannot be replayed ---------------------------------------------------------------------


def test_log_that_is_cut_off_is_run_as_far_as_it_goes(log_of):
    octets = LOG.read_bytes()
    for length in (2000, 40_003, len(octets) - 1):
        done = replay(log_of(octets[:length]), "--anew", "--json")
        end = json.loads(done.stdout.splitlines()[-1])
        assert not end["complete"] and length - 100 < end["octets"] <= length
        if end["damaged"]:
            assert done.returncode == 1
            assert f"octet {end['octets']}" in done.stderr
            assert " expected" in done.stderr and "the log ends after" in done.stderr
        else:
            assert done.returncode == 0 and end["octets"] == length


def test_log_that_is_damaged_is_run_up_to_the_damage(log_of):
    octets = bytearray(LOG.read_bytes())
    cut = replay(log_of(octets[:50_000]), "--anew", "--json")
    at = json.loads(cut.stdout.splitlines()[-1])["octets"]  # where a record begins
    octets[at] = 99
    done = replay(log_of(octets), "--anew", "--json")
    assert done.returncode == 1
    assert f"octet {at}, " in done.stderr and "from 1 to 19 was expected, it is 99" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["octets"] == at


@pytest.mark.parametrize("way", [[], ["--anew"]])
def test_what_is_no_log_is_told(log_of, tmp_path, way):
    octets = bytearray(LOG.read_bytes())
    octets[8] = 7
    for path, sentence in ((log_of(octets), "is of version 7, and this program knows versions "),
                           (pathlib.Path(__file__), "is no input log"),
                           (tmp_path / "missing", "No such file or directory"),
                           (tmp_path, "Is a directory")):
        done = replay(path, *way)
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
        assert done.stdout == "" and done.stderr.startswith("meantime: ")
    for length in (0, 5, 10, 15, 40):
        done = replay(log_of(LOG.read_bytes()[:length]), *way)
        assert done.returncode == 1 and done.stderr.startswith("meantime: "), done.stderr


@pytest.mark.parametrize("arguments", [
    [], [LOG, LOG], [LOG, "--every", "0"], [LOG, "--every", "x"], [LOG, "--from", "-1"],
    [LOG, "--to"], [LOG, "--from", "9", "--to", "8"], [LOG, "--sample"]])
def test_wrong_options_are_refused(arguments):
    done = replay(*arguments)
    assert done.returncode == 2 and "see `meantime help replay`" in done.stderr
