# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A running daemon: reload, restart, and the tool against it."""
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import frames
import isolate
import meantimed
import netlab
import ntpd
import truth
from test_defects import LAB_CLOCK, assert_unharmed, pair, wait_listening


# ---- reload ----------------------------------------------------------------------------------


@pytest.mark.lab(seconds=8)
def test_reload_keeps_the_synchronisation(lab):
    lab.chain("A", "B")
    identity = "00aabb.fffe.ccddee"
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "clock_identity": identity})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK,
                      ports={"eth0": {"acceptable_transmitters": identity}})
    b.wait_state("RECEIVER")
    since_s, steps = time.time(), b.page().steps
    with truth.Recorder(b, a) as recorder:
        b.ptp["priority2"] = 76
        b.reload()
        b.wait_for(lambda: b.instance()["priority2"] == 76, 60, "takes the first change over")
        b.ptp["priority2"] = 77
        b.reload()
        b.wait_for(lambda: b.instance()["priority2"] == 77, 60, "takes the second change over")
        a.ptp["priority1"] = 90
        a.ptp["time_source"] = "gnss"
        a.reload()
        b.wait_for(lambda: b.instance()["grandmaster"]["priority1"] == 90
                   and b.instance()["time_properties"]["time_source"] == "gnss", 60,
                   "hears of the change")
        time.sleep(1)
    truth.assert_inside(recorder.readings)
    assert recorder.readings[-1].steps == steps
    assert_unharmed(a, b, since_s)
    assert b.stop() == 0
    assert "drift.main" in os.listdir(b.directory)


@pytest.mark.lab(seconds=8)
def test_reload_of_a_wrong_file_changes_nothing(lab):
    a, b = pair(lab)
    since_s = time.time()
    b.ptp["priority2"] = 256
    b.reload()
    b.wait_log(r"error: .*B\.conf:\d+: priority2 = 256.*\n.*was not reloaded: .* 1 problem;")
    assert b.instance()["priority2"] == 128
    os.remove(b.config)
    b.program.send_signal(meantimed.signal.SIGHUP)
    b.wait_log(r"was not reloaded: /run/B\.conf cannot be read \(No such file or directory\); the "
               r"old one stays in force\n")
    assert b.instance()["priority2"] == 128
    assert_unharmed(a, b, since_s)


@pytest.mark.lab(seconds=8)
def test_reload_tells_each_key_as_in_force_or_as_waiting_for_a_restart(lab):
    a, b = pair(lab)
    since_s = time.time()
    b.ptp.update({"priority2": 66, "log_sync_interval": 1, "domain": 5})
    b.reload()
    b.wait_log(r"warning: the configuration was reloaded in part: priority2 = 66 "
               r"\(instance main\); 2 changes need a restart\n"
               r".*domain = 5 \(instance main\) needs a restart; until then it is 0\n"
               r".*log_sync_interval = 1 \(port eth0\) needs a restart; until then it is -3\n")
    assert (b.instance()["priority2"], b.instance()["domain"]) == (66, 0)
    b.ptp.update({"log_sync_interval": -3, "domain": 0})
    b.reload()
    b.wait_log(r"the configuration was reloaded: nothing has changed\n")
    assert_unharmed(a, b, since_s)


@pytest.mark.lab(seconds=5)
def test_reload_keeps_the_keys_when_a_security_file_is_broken(lab):
    lab.chain("A", "B")
    keys = pathlib.Path("/run/B.keys")
    keys.write_text("[security_association]\nspp 3\n1 SHA256-128 ASCII:a_key_of_16_byte\n",
                    encoding="utf-8")
    keys.chmod(0o600)
    b = lab.meantimed("B", "eth0", ptp={"security_file": keys, "spp": 3})
    wait_listening(b)
    keys.write_text("nonsense\n", encoding="utf-8")
    b.reload()
    b.wait_log(r"was reloaded in part: nothing new is in force; 1 key file cannot be used\n"
               r".*:1: expected \[security_association\]; the old keys stay in force\n")


@pytest.mark.lab(seconds=5)
def test_pmc_asks_in_the_domain_of_the_daemon_when_none_is_given(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", ptp={"domain": 44, "priority2": 77})
    wait_listening(b)
    where = ("--run-directory", b.directory, "pmc")
    assert re.search(r"priority2 +77\n", b.tool(*where, "GET", "PRIORITY2").stdout)
    assert "nobody has answered" in b.tool(*where, "--domain", "0", "GET", "PRIORITY2").stderr


@pytest.mark.lab(seconds=5)
def test_reload_counts_what_is_in_force_when_it_is_not_named(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0")
    wait_listening(b)
    b.ptp.update({"priority1": 65, "priority2": 66})
    b.write_config()
    with open(b.config, "a", encoding="utf-8") as file:  # refused, and before the two in the log
        for i in range(1, 50):
            file.write(f"[clock c{i}]\n[instance i{i}]\nclock = c{i}\ndomain = {i}\n"
                       f"[port p{i}]\ninterface = eth0\ninstance = i{i}\n")
    b.program.send_signal(meantimed.signal.SIGHUP)
    b.wait_log("was reloaded in part: 2 changes are in force; 147 changes need a restart\n")
    assert b.instance()["priority2"] == 66


@pytest.mark.lab(seconds=5)
def test_reload_without_a_file_says_that_there_is_none(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0"])
    wait_listening(b)
    b.program.send_signal(meantimed.signal.SIGHUP)
    b.wait_log("nothing to reload: .* without a configuration file")


# ---- restart ---------------------------------------------------------------------------------


GAIN_PPB = 20000  # of LAB_CLOCK, as long as nobody steers it


@pytest.mark.lab(seconds=16)
def test_drift_file_is_used_when_restarted(lab):
    a, b = pair(lab)
    b.wait_for(lambda: abs(b.status()["clocks"][0]["rate_ppb"] + GAIN_PPB) < 1000, 60,
               "has learned what its clock gains")
    gains_ppb = []
    while not gains_ppb:  # a busy machine may let nobody see that short time
        drift_ppb, gains_ppb = restart(b)
    assert abs(GAIN_PPB + drift_ppb) < 8000
    assert max(abs(gain_ppb - GAIN_PPB - drift_ppb) for gain_ppb in gains_ppb) < 10
    truth.assert_inside(truth.hold(b, a, seconds=1))


def restart(b):
    """What the drift file says, and what the clock then gains between its first correction, which
    takes that out, and the second, which is the step: in ppb."""
    assert b.stop() == 0
    with open(os.path.join(b.directory, "drift.main"), encoding="ascii") as file:
        drift_ppb = float(file.read().split("#", maxsplit=1)[0]) * 1e9
    gains_ppb = []

    def is_receiver():
        page = b.page()
        if page is not None and (page.corrections, page.steps) == (1, 0):
            gains_ppb.append(gain_ppb(page))
        return b.when("RECEIVER", since_s=b.started_realtime_s)
    b.start()
    assert netlab.wait_until(is_receiver, 60, step_s=0.01)
    return drift_ppb, gains_ppb


def gain_ppb(page):
    """In the second to come, on the kernel's clock without what others have it gain."""
    now_ns = truth.clock_page.base_now_ns()
    second_ns = page.time_ns(now_ns + truth.clock_page.NS) - page.time_ns(now_ns)
    return second_ns - truth.clock_page.NS + kernel_gain_ppb()


def kernel_gain_ppb():
    frequency, tick_us, *_ = ntpd.machine_clock()
    return frequency / 65536 * 1000 + (tick_us - 10_000) * 1e5


LEARNED = {"saved_s": 0, "age_s": 9, "observed_s": 14400, "frequency": 2e-05,
           "frequency_sigma": 1e-9, "wander": 1e-18, "ageing": 0, "ageing_sigma": 1e-13,
           "coefficient": 0, "coefficient_sigma": 1e-06, "kelvin": 0, "kelvin_low": 0,
           "kelvin_high": 0, "uses_temperature": 0}


def write_learned(path, version=1, **changes):
    numbers = {**LEARNED, "saved_s": int(time.time()), **changes}
    lines = [f"meantime-oscillator {version}", *(f"{k} {v}" for k, v in numbers.items()), "end"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.lab(seconds=24)
def test_what_was_learned_of_an_oscillator_is_used_or_told_to_be_damaged_when_restarted(lab):
    a, b = pair(lab)
    path = pathlib.Path(b.directory) / "oscillator.main"
    assert b.status()["clocks"][0]["oscillator"]["memory"] == "none"
    assert b.stop() == 0
    assert not path.exists()  # a few seconds teach nothing
    for version, changes, reason in ((1, {"wander": "1e-1x"}, "is damaged in line 7"),
                                     (2, {}, "is of version 2, this program knows 1"),
                                     (1, {"wander": 5}, "describes what no oscillator is like")):
        write_learned(path, version, **changes)
        b.start()
        b.wait_log(rf"clock main: {path} {reason}; its oscillator is learned anew")
        assert b.status()["clocks"][0]["oscillator"]["memory"] == "none"
        assert b.stop() == 0
    write_learned(path)
    b.daemon["record"] = "/run/B/learned.log"
    b.start()
    b.wait_for(lambda: b.when("RECEIVER", since_s=b.started_realtime_s), 15, "RECEIVER again")
    truth.assert_inside(truth.hold(b, a, seconds=1))
    oscillator = b.status()["clocks"][0]["oscillator"]
    assert oscillator["memory"] == "unchecked" and not oscillator["known"]
    assert b.stop() == 0
    assert "frequency 2e-05\n" in path.read_text(encoding="utf-8")  # not known better yet
    replayed = subprocess.run([meantimed.TOOL, "replay", "--json", b.daemon["record"]], timeout=60,
                              capture_output=True, text=True, check=False)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout.splitlines()[-1])["complete"]


@pytest.mark.lab(seconds=6)
def test_page_says_that_it_is_stale_when_the_daemon_is_gone(lab):
    _, b = pair(lab)
    b.wait_for(lambda: b.page().valid_until_base_ns > truth.clock_page.base_now_ns(), 60,
               "renews its page")
    assert b.stop() == 0
    assert b.page().valid_until_base_ns < truth.clock_page.base_now_ns()
    done = b.tool("--run-directory", b.directory, "clock")
    assert done.returncode != 0 and "stale" in done.stderr + done.stdout


@pytest.mark.lab(seconds=6)
def test_minor_version_0_is_sent_when_configured(lab):
    lab.chain("A", "B")
    lab.meantimed("A", "eth0", ptp={"minor_version": 0})
    lab.meantimed("B", "eth0", ptp={"priority1": 200})
    with frames.Sniffer(lab, "B") as from_a, frames.Sniffer(lab, "A") as from_b:
        assert netlab.wait_until(lambda: from_a.of(frames.DELAY_RESP) and from_b.heard, 60)
    assert {heard.minor_version for heard in from_a.heard} == {0}
    assert {heard.minor_version for heard in from_b.heard} == {1}


@pytest.mark.lab(seconds=4)
def test_set_is_logged_in_the_words_of_the_configuration(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0")
    b.wait_state("TRANSMITTER")
    words = {"clock_accuracy": "100ns", "time_source": "gnss", "leap61": "yes", "priority1": "100"}
    done = b.tool("--run-directory", b.directory, "set", *sum(words.items(), ()))
    assert done.returncode == 0, done.stderr
    for key, word in words.items():
        b.wait_log(f"instance main: {key} is {word} now, by the control socket")


@pytest.mark.lab(seconds=8)
def test_wait_and_events_work_against_a_running_daemon(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, is_started=False)
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    wait_listening(b)
    directory = ("--run-directory", b.directory)
    done = b.tool(*directory, "wait", "--timeout", "0")
    assert done.returncode == 1 and "not synchronised in 0 s: " in done.stderr
    a.start()
    done = b.tool(*directory, "wait", "--timeout", "60", "--bound", "1ms", timeout_s=90)
    assert done.returncode == 0, done.stderr
    assert b.status()["clocks"][0]["state"] == "locked"
    done = b.tool(*directory, "wait", "--timeout", "0", "--bound", "1ns")
    assert done.returncode == 1 and "not synchronised in 0 s: " in done.stderr
    told = [json.loads(line)["text"]
            for line in b.tool(*directory, "events", "--json").stdout.splitlines()]
    assert "instance main, port eth0: LISTENING, was INITIALIZING" in told
    assert all(text in b.log() for text in told)


# ---- the tool --------------------------------------------------------------------------------


@pytest.mark.lab(seconds=8)
def test_tool_works_against_a_running_daemon(lab):
    _, b = pair(lab)
    b.wait_locked()
    directory = ("--run-directory", b.directory)

    def run(*arguments):
        done = b.tool(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        return done.stdout
    assert "RECEIVER" in run(*directory, "status")
    report = json.loads(run(*directory, "status", "--json"))
    assert report["instances"][0]["ports"][0]["state"] == "RECEIVER"
    metrics = run(*directory, "status", "--open-metrics")
    assert metrics.endswith("# EOF\n") and re.search(r'state="RECEIVER"[^\n]*} 1\n', metrics)
    assert run(*directory, "watch", "--interval", "0.2", "--count", "3").count("RECEIVER") >= 3
    clock = json.loads(run(*directory, "clock", "--json"))
    assert clock["state"] == "locked", clock
    assert re.search(r"\d\d:\d\d:\d\d", run(*directory, "clock"))
    run(*directory, "set", "priority2", "55")
    assert b.instance()["priority2"] == 55
    both = b.tool(*directory, "set", "priority2", "56", "leap61", "yes", "leap59", "yes")
    assert both.returncode != 0 and "a minute is only one of them" in both.stderr
    assert b.instance()["priority2"] == 55
    run("check", b.config)
    assert "priority1" in run("explain", "priority1")


@pytest.mark.lab(seconds=8)
def test_control_socket_lets_only_root_change_anything(lab):
    _, b = pair(lab)
    as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups", meantimed.TOOL,
                 "--run-directory", b.directory]
    if not isolate.has_users():
        pytest.skip("there is no other user in a user namespace")
    done = lab.execute("B", *as_nobody, "status", "--json")
    assert json.loads(done)
    with pytest.raises(RuntimeError, match="only root"):
        lab.execute("B", *as_nobody, "set", "priority2", "54")
    assert b.instance()["priority2"] == 128
