# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What people read: help of each command, plain words in status, lines that fit."""
import copy
import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios

import pytest

from test_tool import (LOCKED, MEANTIME, REPORT, daemon, reporting, run,  # noqa: F401
                       write_page)

TOP = pathlib.Path(__file__).parent.parent.parent
COMMANDS = ("status", "watch", "clock", "set", "events", "wait", "check", "explain", "replay")
SETTINGS = ("priority1", "priority2", "clock_class", "clock_accuracy", "leap61", "time_source")


# ---- help -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_page_of_help(command):
    page = run("help", command)
    assert (page.returncode, page.stderr) == (0, "")
    assert run(command, "--help").stdout == run(command, "-h").stdout == page.stdout
    assert page.stdout.startswith(f"usage: meantime {command}")
    assert f"\nexample: meantime {command}" in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 80


def test_help_names_every_option_that_a_command_takes():
    for command in COMMANDS:
        source = {"check": "files", "explain": "files"}.get(command, command)
        text = (TOP / "apps" / "meantime" / f"{source}.c").read_text()
        page = run("help", command).stdout
        for option in set(re.findall(r'"(--[a-z-]+)"', text)):
            if command != "explain":
                assert option in page, f"{command} {option}"


def test_help_of_an_unknown_command_names_the_nearest():
    done = run("help", "stats")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean status?" in done.stderr


def test_help_of_set_names_all_that_can_be_set():
    page = run("set", "--help").stdout
    for name in SETTINGS:
        assert name in page


# ---- set ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, sentence", [
    ("prority1", "set: prority1: there is no such key; did you mean priority1?"),
    ("clockClas", "set: clockClas: there is no such key; did you mean clock_class?"),
    ("colour", "set: colour: there is no such key"),
    ("ttl", "set: ttl cannot be changed while the daemon runs; change it in the configuration "
            "file and restart the daemon"),
])
def test_set_names_what_can_be_set_when_the_key_is_wrong(tmp_path, key, sentence):
    done = run("--run-directory", tmp_path, "set", key, "3")
    lines = done.stderr.splitlines()
    assert (done.returncode, lines[0]) == (1, f"meantime: {sentence}")
    listed = " ".join(lines[1:])
    assert listed.startswith("can be set: priority1, priority2, ")
    assert all(name in listed for name in SETTINGS)
    assert max(map(len, lines[1:])) <= 80


# ---- status ---------------------------------------------------------------------------------


def test_status_takes_one_form_only(tmp_path):
    for forms in (["--json", "--open-metrics"], ["--open-metrics", "--json"]):
        done = run("--run-directory", tmp_path, "status", *forms)
        assert (done.returncode, done.stderr) == (
            2, "meantime: status: --json and --open-metrics exclude each other; "
               "see `meantime help status`\n")


@pytest.fixture
def shown(daemon):  # noqa: F811
    """Status of the report after `change(report, clock, instance)`, blanks made single."""
    def show(change):
        report = copy.deepcopy(REPORT)
        change(report, report["clocks"][0], report["instances"][0])
        daemon(lambda _: {"ok": True, "status": report})
        done = daemon.run("status")
        assert done.returncode == 0
        assert max(map(len, done.stdout.splitlines())) <= 80
        return re.sub(r"\s+", " ", done.stdout)
    return show


@pytest.mark.parametrize("state, reference, words", [
    ("locked", "source", "1.001 us against its grandmaster = "),
    ("locked", "parent", "1.001 us against its parent, not against its grandmaster = "),
    ("locked", "traceable", "1.001 us against TAI and UTC = "),
    ("holdover", "source", "1.001 us against the grandmaster followed last = "),
    ("holdover", "parent", "1.001 us against the parent followed last, no further = "),
])
def test_status_says_what_the_bound_is_against(shown, state, reference, words):
    def change(_, clock, __):
        clock.update({"state": state, "bound_reference": reference})
    assert words in shown(change)


def test_status_says_what_is_unusual_about_a_port(shown):
    def change(_, __, instance):
        instance["profile"] = "802.1as"
        instance["time_properties"]["time_source"] = None
        port = instance["ports"][0]
        port["peer"].update({"rate_ppb": 2.5, "as_capable": False,
                             "why_not_capable": "its delay is above mean_link_delay_thresh"})
        port["unicast"] = {"mode": "hybrid", "clients": 1}
    words = shown(change)
    assert "boundary in domain 0, profile 802.1as, on clock main" in words
    assert "UTC offset 37 s, traceable leap second" in words
    assert "whose clock gains 2.5 ppb the link is not used (not asCapable): its delay is" in words
    assert "unicast: Delay_Req and its answer alone" in words
    assert "serves 1 client by unicast" in words


def test_status_says_that_a_port_of_a_transparent_clock_forwards(shown):
    def change(_, __, instance):
        instance["role"] = "transparent"
        instance["ports"][1]["state"] = "LISTENING"
    words = shown(change)
    assert "FORWARDING" in words and "LISTENING" not in words


def test_status_says_what_becomes_of_each_transmitter_and_of_signatures(shown):
    def change(_, __, instance):
        port = instance["ports"][0]
        port["unicast"] = {
            "mode": "negotiated", "clients": 0,
            "transmitters": {"192.0.2.1": "followed", "192.0.2.2": "wait_to_restore",
                             "192.0.2.3": "held", "192.0.2.4": "new_state"},
            "reasons": {"192.0.2.1": "none", "192.0.2.2": "loss_sync", "192.0.2.3": "denied",
                        "192.0.2.4": "new_reason"},
            "retry_s": {"192.0.2.1": None, "192.0.2.2": 299.6, "192.0.2.3": 4, "192.0.2.4": None}}
        port["security"] = {
            "signs": "immediate", "verifies": "both", "spp": 3, "key_id": 7, "delayed_spp": 4,
            "delayed_key_id": None, "disclosed_key_id": 1200,
            "counters": {"signed": 12, "unsigned": 0, "verified": 11, "missing": 2, "forged": 1,
                         "repeated": 0}}
    words = shown(change)
    assert "192.0.2.1 followed" in words
    assert "192.0.2.2 waits to restore: its Sync failed (PTSF-lossSync), for 300 s" in words
    assert "192.0.2.3 left alone: it denies service, for 4 s" in words
    assert "192.0.2.4 new_state: new_reason" in words
    assert ("security: spp 3, signs with key 7 and verifies (immediate); spp 4, verifies, "
            "key 1200 disclosed (delayed); 12 signed, 11 verified, 2 heard without a code, "
            "1 forged") in words


@pytest.mark.parametrize("state, words", [
    ("serving", "error bound none: this clock is itself the reference"),
    ("acquiring", "error bound unknown so far"),
    ("free_run", "error bound unknown: there is nothing to compare it with"),
])
def test_status_says_why_there_is_no_bound(shown, state, words):
    def change(_, clock, __):
        clock.update({"state": state, "bound_reference": "none", "bound_ns": None})
    assert words in shown(change)


@pytest.mark.parametrize("state, limit_s, words", [
    ("in_specification", 3600, "holdover within specification, not locked for 12 s allowed: "
                               "a bound of 1.000 us for 3600 s"),
    ("out_of_specification", None, "holdover out of specification, not locked for 12 s allowed: "
                                   "a bound of 1.000 us samples"),
    ("none", None, "-6.0 ppb left samples")])
def test_status_says_how_long_a_clock_goes_on_without_its_source(shown, state, limit_s, words):
    def change(_, clock, __):
        clock["holdover"] = {"state": state, "age_s": 12.4, "limit_s": limit_s,
                             "accuracy_ns": 1000}
    text = shown(change)
    assert words in text, text


KNOWN = {"known": True, "memory": "believed", "observed_s": 7200, "walk_ppb": 3.6,
         "ageing_ppb": -0.25, "ageing_sigma_ppb": 0.1}
SENSOR = {"file": "/sensor", "fault_reason": None, "celsius": 41.25, "used": True,
          "coefficient_ppb": 50}


@pytest.mark.parametrize("oscillator, thermometer, words", [
    ({}, {"file": None}, ["oscillator walks by 3.6 ppb in an hour, ages by -0.2 ppb a day, "
                          "observed for 2 h 0 min samples"]),
    ({"memory": "refuted"}, {}, [
        "oscillator not as it was before the last start: what was known of it is forgotten",
        "thermometer 41.2 C, its clock gains +50.0 ppb for each K samples"]),
    ({"known": False}, {"used": False}, ["ppb left thermometer 41.2 C samples"]),
    ({}, {"celsius": None, "used": False, "fault_reason": "it is gone"},
     ["thermometer silent: it is gone samples"])])
def test_status_says_what_is_known_of_the_oscillator(shown, oscillator, thermometer, words):
    def change(_, clock, __):
        clock["oscillator"] = {**KNOWN, **oscillator}
        clock["thermometer"] = {**SENSOR, **thermometer}
    text = shown(change)
    assert all(part in text for part in words), text


@pytest.mark.parametrize("role, words", [
    ("grandmaster", "grandmaster this clock is the grandmaster time"),
    ("listening", "grandmaster no transmitter heard yet time"),
])
def test_status_says_whether_there_is_a_grandmaster(shown, role, words):
    assert words in shown(lambda _, __, instance: instance.update({"role": role}))


@pytest.mark.parametrize("accepted, last_followed, words", [
    (1, "aabbcc.fffe.ddeeff", "none is heard any more, followed last: aabbcc.fffe.ddeeff time"),
    (1, None, "no transmitter heard yet time"),
    (0, None, "none: all that is heard is refused, see below time")])
def test_status_says_why_nobody_is_followed(shown, accepted, last_followed, words):
    def change(_, __, instance):
        instance.update({"role": "listening", "last_followed": last_followed})
        for port in instance["ports"]:
            port["verdicts"] = {"accepted": accepted, "forged": 29}
    assert f"grandmaster {words}" in shown(change)


@pytest.mark.parametrize("heard, more", [
    ({}, ""),
    ({"000001.fffe.000003-1": "better than this clock"},
     "; 000001.fffe.000003-1 announces itself here, too")])
def test_status_says_which_role_a_port_was_given_and_who_contradicts(shown, heard, more):
    def change(_, __, instance):
        instance["ports"][0].update({"role": "auto", "heard": {"000001.fffe.000002-1": "followed"}})
        instance["ports"][1].update({"role": "transmitter", "heard": heard})
    text = shown(change)
    assert text.endswith(f"role: transmitter, as the configuration says{more} ")
    assert text.count("role:") == 1


def test_status_calls_no_port_a_transmitter_whose_link_is_not_used(shown):
    def change(_, __, instance):
        instance["ports"][1]["peer"] = {"as_capable": False}
    text = shown(change)
    assert "2 eth1 not asCapable down" in text and "TRANSMITTER" not in text


@pytest.mark.parametrize("count, words", [(0, ""), (1, ", 1 outlier"), (2, ", 2 outliers")])
def test_status_counts_outliers(shown, count, words):
    assert f"samples 213 used{words}; 113 corrections" in shown(
        lambda _, clock, __: clock.update(samples={"used": 213, "outlier": count}))


def test_status_says_which_other_domain_was_heard(shown):
    def change(_, __, instance):
        instance["sdo_id"] = 0x100
        instance["ports"][0].update({
            "verdicts": {"accepted": 1, "domain": 33, "state": 2},
            "other_domain": {"number": 24, "sdo_id": 0}})
    assert ("refused: 33 of another domain or sdoId (domain 24, sdoId 0x000; here it is domain 0, "
            "sdoId 0x100), 2 not expected") in shown(change)


def test_status_says_that_no_delay_is_measured(shown):
    def change(_, __, instance):
        instance["ports"][0]["delay_req"] = {"unanswered": True, "unanswered_in_a_row": 49}
        instance["ports"][1]["delay_req"] = {"unanswered": False, "unanswered_in_a_row": 7}
    text = shown(change)
    assert "delay: not measured, nobody answers: 49 Delay_Req in a row" in text
    assert text.count("Delay_Req") == 1


def test_status_says_how_often_a_grantor_denied(shown):
    def change(_, __, instance):
        instance["ports"][1]["unicast"] = {
            "mode": "off", "clients": 0,
            "grants": {"announce_denied": 6, "sync_denied": 1, "announce_granted": 3}}
    assert "unicast: 7 requests for service denied" in shown(change)


def test_status_says_what_carries_the_messages_of_a_port(shown):
    def change(_, __, instance):
        instance["ports"][0].update({"transport": "udp4", "vlan": None})
        instance["ports"][1].update({"transport": "l2", "vlan": 5, "interface": "lan0"})
    text = shown(change)
    assert "interface lan0 transport l2 VLAN 5" in text
    assert "udp4" not in text


def test_status_says_why_a_port_is_faulty(shown):
    def change(_, __, instance):
        instance["ports"][1].update({
            "state": "FAULTY", "fault_reason": "the interface eth1 has no IPv4 address; give it "
                                               "one"})
    assert " FAULTY down 0 4308 0 0 the interface eth1 has no IPv4 address; give it one" \
        in shown(change)


def test_status_shows_the_interface_of_a_port_that_has_another_name(shown):
    def change(_, __, instance):
        instance["ports"][1]["name"] = "uplink"
    text = shown(change)
    assert "2 uplink TRANSMITTER down 0 4308 0 0 interface eth1" in text
    assert "interface eth0" not in text


def test_status_says_that_there_is_no_grandmaster_when_no_port_can_be_used(shown):
    def change(_, __, instance):
        instance["role"] = "listening"
        for port in instance["ports"]:
            port["state"] = "FAULTY"
    assert "grandmaster none: no port can be used time" in shown(change)


def test_status_says_that_the_clock_could_not_be_adjusted(shown):
    def change(_, clock, __):
        clock.update({"kind": "overlay", "fallback_reason": "the system clock may not be adjusted"})
    assert "(overlay, UTC) note the system clock may not be adjusted error bound" in shown(change)


def test_status_has_words_for_every_reason_of_refusal(shown):
    definitions = (TOP / "core" / "include" / "meantime" / "verdict.def").read_text()
    names = re.findall(r'^MT_VERDICT\(\w+, "(\w+)"', definitions, re.M)
    assert len(names) > 20

    def change(_, __, instance):
        instance["ports"][0]["verdicts"] = {name: 7 for name in names} | {"brand_new": 8}
    text = shown(change)
    words = re.search(r"refused: (.*?) 2 eth1", text)[1].split(", ")
    assert len(words) == len(names)  # all but "accepted", and the new one
    assert words[-1] == "8 brand_new"
    for word in words[:-1]:
        assert re.fullmatch(r"7 [a-zA-Z][a-zA-Z0-9 ]+ [a-zA-Z0-9 ]+", word), word
        assert word[2:] not in names


# ---- width ----------------------------------------------------------------------------------


def on_terminal(columns, lines, *arguments, term="xterm"):
    """What a command prints on a terminal of that size."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    program = subprocess.Popen([MEANTIME, *map(str, arguments)], stdin=terminal, stdout=terminal,
                               env={**os.environ, "TERM": term, "NO_COLOR": "1"})
    os.close(terminal)
    text = b""
    while True:
        try:
            text += os.read(controller, 65536)
        except OSError:  # the other end is closed
            break
    assert program.wait(10) == 0
    os.close(controller)
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns, has", [(120, "dropped"), (80, "dropped"), (79, "refused"),
                                          (66, "sent"), (60, "received"), (44, "link")])
def test_status_fits_the_terminal(daemon, tmp_path, columns, has):  # noqa: F811
    daemon(reporting)
    text = on_terminal(columns, 24, "--run-directory", tmp_path, "status")
    assert max(map(len, text.splitlines())) <= columns
    assert not [line for line in text.splitlines() if line.endswith("+")]
    titles = next(line for line in text.splitlines() if "no. port" in line).split()
    assert titles[-1] == has


HAT = {"name": "hat", "clock": "main", "fault_reason": None, "has_fix": True, "fix": "3d",
       "satellites": 1, "accuracy_ns": 25, "tai_minus_utc_s": 37, "has_jumped": False,
       "pulses": 12, "sentence_delay_ns": None,
       "sentences": {"used": 30, "checksum": 2}, "seconds": {"used": 8, "untold": 4}}


@pytest.mark.parametrize("delay_ns, words", [
    (148000000, "pulses 12; their sentences come 148.000 ms later"),
    (None, "pulses 12; how late their sentences come is not known"),
])
def test_status_tells_of_a_receiver(shown, delay_ns, words):
    text = shown(lambda report, clock, instance: report.update(
        gnss=[{**HAT, "sentence_delay_ns": delay_ns}]))
    assert "fix 3D fix, 1 satellite, good to 25.0 ns by its own word, TAI - UTC 37 s" in text
    assert "sentences 30 used; 2 wrong checksum" in text
    assert "seconds 8 used; 4 no sentence has told which second it began" in text
    assert words in text


def test_status_has_no_negative_zero(shown):
    assert "offset +0.00 ns," in shown(
        lambda report, clock, instance: clock.update(offset_ns=-0.001, steered_bound_ns=None))


def test_status_tells_in_plain_words_who_contradicts_utc(shown):
    utc = {"known_by": "old_list", "leap_s": 0, "leap_known_by": "nobody", "contradicted": True,
           "quarrel": "looks_like_utc", "contradicted_by": "ptp", "contradicted_s": 0}
    assert ("UTC looks like utc: ptp says 0 s; TAI - UTC is 37 s (old list)"
            in shown(lambda report, clock, instance: clock.update(utc=utc)))


@pytest.mark.parametrize("columns", (100, 80, 79, 70, 62, 60, 50, 44))
def test_status_breaks_no_figure_and_breaks_the_sum_before_a_plus(  # noqa: F811
        daemon, tmp_path, columns):
    report = copy.deepcopy(REPORT)
    report["clocks"][0]["bound_parts"] = {
        "estimate_ns": 123456, "asymmetry_ns": 234567, "source_ns": 345678, "granularity_ns": 5,
        "steering_ns": 53}
    daemon(lambda _: {"ok": True, "status": report})
    text = on_terminal(columns, 24, "--run-directory", tmp_path, "status")
    lines = text.splitlines()
    assert max(map(len, lines)) <= columns
    assert not [line for line in lines if re.match(r" +(ns|us|ppb|ppm|steps?|s)\b", line)]
    first = next(n for n, line in enumerate(lines) if "= estimate" in line)
    last = next(n for n, line in enumerate(lines) if line.lstrip().startswith("offset"))
    assert all(line.startswith(" " * 18 + "+ ") for line in lines[first + 1:last])
    joined = " ".join(line.strip() for line in lines[first:last])
    assert joined == ("= estimate 123.5 us + asymmetry 234.6 us + source 345.7 us "
                      "+ granularity 5.00 ns + steering 53.0 ns")


def test_watch_prints_a_line_that_fits_on_a_terminal_without_windows(  # noqa: F811
        daemon, tmp_path):
    daemon(reporting)
    text = on_terminal(80, 24, "--run-directory", tmp_path, "watch", "--count", "1", term="dumb")
    assert re.fullmatch(r"\d\d:\d\d:\d\d main locked \+24\.6 ns, bound 1\.001 us; "
                        r"eth0 RECEIVER, eth1 TRANSMITTER\n", text)
    assert len(text) <= 80


def drawn(columns, lines, directory):
    text = on_terminal(columns, lines, "--run-directory", directory, "watch", "--count", "1")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]", " ", text)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("columns, lines", [(80, 30), (60, 12)])
def test_watch_draws_a_window_that_shows_whole_lines(  # noqa: F811
        daemon, tmp_path, columns, lines):
    daemon(reporting)
    words = drawn(columns, lines, tmp_path)
    assert "against its grandmaster" in words and "left out" not in words
    assert ("2 eth1 TRANSMITTER" in words) == (lines == 30)
    assert ("arrows: scroll" in words) == (lines == 12)


def test_watch_leaves_out_what_can_be_missed_when_the_window_is_small(  # noqa: F811
        daemon, tmp_path):
    daemon(reporting)
    words = drawn(80, 24, tmp_path)
    for line in ("against its grandmaster", "own rank priority1 128, class 248", "1 eth0 RECEIVER",
                 "identity 9afb28", "213 used, 1 outlier", "2 eth1 TRANSMITTER"):
        assert line in words, words
    assert "scroll" not in words and "left out" not in words  # but empty lines
    words = drawn(80, 20, tmp_path)
    assert "2 eth1 TRANSMITTER" in words and "identity 9afb28" not in words
    assert re.search(r"; \d lines left out for want of room", words)


def test_manual_pages_fit_80_columns():
    build = pathlib.Path(MEANTIME).parent.parent.parent / "docs" / "man"
    pages = [*(TOP / "docs" / "man").glob("*.[1-8]"), *build.glob("*.[1-8]")]
    assert len(pages) >= 5
    for page in pages:
        done = subprocess.run(["man", "-l", str(page)], capture_output=True, text=True, check=True,
                              env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8",
                                   "MANPAGER": "cat", "GROFF_NO_SGR": "1"})
        text = re.sub(r".\x08", "", done.stdout)
        wide = [line for line in text.splitlines() if len(line) > 80]
        assert not wide, f"{page.name}: {wide}"


def test_manual_says_when_a_page_is_stale():
    header = (TOP / "runtime" / "node.h").read_text()
    valid_ns = int(re.search(r"MT_NODE_PAGE_VALID_NS INT64_C\((\d+)\)", header)[1])
    assert f"{valid_ns // 10**9} seconds" in (TOP / "docs" / "man" / "meantime.1").read_text()


# ---- clock ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reference, words", [
    (1, " us  locked to aabbcc.fffe.ddeeff\n"), (2, " us  locked to aabbcc.fffe.ddeeff\n"),
    (3, " us to its parent  locked\n")])
def test_clock_says_what_the_bound_is_against(tmp_path, reference, words):
    write_page(tmp_path / "clock.main", LOCKED, bound_reference=reference)
    shown = run("clock", "--run-directory", tmp_path).stdout
    assert shown.endswith(words) and len(shown) <= 81


def test_clock_fits_80_columns_when_it_is_stale(tmp_path):
    write_page(tmp_path / "clock.main", LOCKED, valid_s=-1, bound_reference=0)
    shown = run("clock", "--run-directory", tmp_path).stdout
    assert shown.endswith(" UTC with unknown error  stale\n")
    assert len(shown) <= 81
