# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What people see of sources: status, sources and why, in terminals of several widths, of servers
whose names are long."""
import copy
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from test_tool import MEANTIME, REPORT, Daemon

COMMANDS = ("status", "sources", "why")
SERVERS = [  # name, address, state, why
    ("time.cloudflare.example", "2001:db8:1234:5678:9abc:def0:1234:5678", "selected",
     "it steers the clock"),
    ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
     "combined", "it agrees and has a share in the time"),
    ("ntp1.a-very-long-name.of-a-far-away-place.example.org", "192.0.2.111", "falseticker",
     "the majority says that its time cannot be right"),
    ("2.debian.pool.ntp.org", "2001:db8:1::123", "not_synchronised",
     "it says itself that it has no time"),
    ("2.debian.pool.ntp.org", "192.0.2.9", "unreachable", "it has not been asked yet"),
]


def source_of(name, address, state, why):
    is_measured = state in ("selected", "combined", "falseticker")
    is_false = state == "falseticker"
    offset = -19.988e6 if is_false else -143.0
    return {"name": name, "address": address, "clock": "main", "kind": "ntp", "verdict": state,
            "reason": why, "offset_ns": offset if is_measured else None,
            "bound_ns": 46190.0 if is_measured else None, "weight": 0.5, "rank": 2, "reach": 255,
            "delay_ns": 23456789.0 if is_measured else None, "interval_s": 64, "transport": "udp",
            "miss_ns": -19.8e6 if is_false else None, "bound_reference": "traceable",
            "fault_reason": why if state == "unreachable" else None}


def server_of(source):
    is_unreachable = source["verdict"] == "unreachable"
    return {"name": source["name"], "address": source["address"], "clock": "main",
            "state": source["verdict"], "stratum": None if is_unreachable else 2,
            "fault_reason": source["reason"] if is_unreachable else None, "poll_log2s": 6,
            "interval_s": 64,
            "reference_id": "127.127.1.1", "reach": 255, "offset_ns": source["offset_ns"],
            "transport": source["transport"],
            "bound_ns": source["bound_ns"], "kiss": None,
            "mean_delay_ns": source["delay_ns"] and source["delay_ns"] / 2}


@pytest.fixture
def shown(tmp_path):
    report = copy.deepcopy(REPORT)
    report["sources"] = [source_of(*server) for server in SERVERS]
    report["ntp"] = [server_of(source) for source in report["sources"]]
    report["clocks"] = report["clocks"][:1]
    report["clocks"][0]["name"] = "main"
    report["clocks"][0]["arbiter"] = {"voters": 3, "agreeing": 2, "low_ns": -46e3,
                                      "high_ns": 46.2e3}
    report["server"] = {"clock": "main", "synchronised": True, "stratum": 2, "smeared": False,
                        "reference_id": "GPS", "key_exchanges": {"served": 1},
                        "requests": {"answered": 2, "interleaved": 8, "limited": 3}}
    daemon = Daemon(tmp_path / "control", lambda _: {"ok": True, "status": report})

    def show(command, width):
        """As a terminal of so many columns has it."""
        outside, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 60, width, 0, 0))
        text = b""
        with subprocess.Popen([MEANTIME, "--run-directory", tmp_path, command], stdin=inside,
                              stdout=inside, stderr=inside) as process:
            os.close(inside)
            while True:
                try:
                    text += os.read(outside, 65536)
                except OSError:  # that is how a terminal ends
                    break
            assert process.wait(10) == 0, text
        os.close(outside)
        return re.sub(r"\033\[\d*m", "", text.decode()).replace("\r", "").splitlines()
    show.report = report
    yield show
    daemon.socket.close()


@pytest.mark.parametrize("width", (80, 100, 120, 200))
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(shown, command, width):
    lines = shown(command, width)
    assert [line for line in lines if len(line) > width] == []
    for name, address, _, _ in SERVERS:
        assert any(name in line for line in lines), name
        is_pool = name.startswith("2.debian")
        assert any(f"{name} {address}" in line for line in lines) == is_pool, name


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_words_are_said_of_a_source_everywhere(shown, command):
    lines = shown(command, 80)
    states = [server[2] for server in SERVERS]
    found = [word for line in lines for word in line.split() if word.rstrip(":") in states]
    assert [word for word in found if not word.endswith(":")] == states
    assert any("it has not been asked yet" in line for line in lines)


def test_answers_of_a_server_are_counted_once(shown):
    lines = " ".join(" ".join(shown("status", 80)).split())
    assert "stratum 2 (GPS), 10 requests answered (8 interleaved); 3 requests of" in lines
    assert "NTS keys exchanged 1 time" in lines and "1 times" not in lines


def test_one_request_is_told_in_the_singular(shown):
    shown.report["server"]["requests"] = {"answered": 1, "interleaved": 0, "limited": 1,
                                          "mode": 1, "malformed": 1}
    lines = " ".join(" ".join(shown("status", 80)).split())
    assert "1 request answered; 1 request of clients that ask too often, not answered" in lines
    assert "1 packet other than requests" in lines and "1 not an NTP packet" in lines


@pytest.mark.parametrize("command", ("why", "sources"))
@pytest.mark.parametrize("has_instance", (True, False))
def test_a_clock_without_sources_is_told_what_it_follows(shown, has_instance, command):
    del shown.report["clocks"][0]["arbiter"]
    shown.report["sources"] = []
    if not has_instance:
        shown.report["instances"] = []
    lines = " ".join(" ".join(shown(command, 80)).split())
    assert ("follows what its PTP instance follows" in lines) == has_instance
    assert ("it has nothing in the file that it could follow" in lines) != has_instance
    assert "key follow" not in lines


def test_why_says_whom_a_ptp_instance_follows_and_why_not_others(shown):
    clock = shown.report["clocks"][0]
    del clock["arbiter"]
    clock["standby"] = {"active": "main", "reason": "it is the primary", "redundant": True,
                        "difference_ns": 12.5, "switches": 0}
    shown.report["sources"] = []
    ports = shown.report["instances"][0]["ports"]
    ports[0]["heard"] = {"4ed314.fffe.83d3a1-3": "followed",
                         "000001.fffe.000002-1": "worse by priority2 (129, not 128)"}
    ports[1]["heard"] = {"000001.fffe.000003-1": "not heard often enough"}
    ports[1]["unicast"] = {"mode": "negotiated", "transmitters": {"192.0.2.3": "held"},
                           "reasons": {"192.0.2.3": "denied"}, "retry_s": {"192.0.2.3": 4}}
    lines = " ".join(" ".join(shown("why", 80)).split())
    assert ("instance main follows 4ed314.fffe.83d3a1-3 on port eth0 (grandmaster "
            "aabbcc.fffe.ddeeff, 2 steps away) heard on port eth0: 000001.fffe.000002-1, worse by "
            "priority2 (129, not 128) heard on port eth1: 000001.fffe.000003-1, not heard often "
            "enough unicast: 192.0.2.3 left alone: it denies service, for 4 s hot standby instance "
            "main steers: it is the primary redundant, primary less secondary +12.5 ns, 0 "
            "switches the clock is locked") in lines
    assert "heard on port" not in " ".join(shown("sources", 80))


@pytest.mark.parametrize("role, words", [("grandmaster", "is the grandmaster itself"),
                                         ("listening", "follows nobody")])
def test_why_says_that_a_ptp_instance_follows_nobody(shown, role, words):
    del shown.report["clocks"][0]["arbiter"]
    shown.report["sources"] = []
    shown.report["instances"][0].update({"role": role, "receiving_port": 0})
    assert f"instance main {words} the clock" in " ".join(" ".join(shown("why", 80)).split())


@pytest.mark.parametrize("command", ("why", "sources"))
def test_a_clock_that_is_kept_at_another_is_said_to_follow_that(shown, command):
    machine = {**shown.report["clocks"][0], "name": "machine", "arbiter": {}, "follow": "main"}
    shown.report["clocks"].append(machine)
    lines = " ".join(" ".join(shown(command, 200)).split())
    assert "clock machine: it has no sources to choose from and follows clock main" in lines
    assert "clock main: it" not in lines


def test_a_clock_without_sources_beside_others_may_follow_them(shown):
    shown.report["clocks"].append({**shown.report["clocks"][0], "name": "b", "arbiter": {}})
    lines = " ".join(" ".join(shown("why", 200)).split())
    assert "clock b: it has nothing in the file that it could follow but another clock" in lines


def test_it_is_shown_what_is_wrong_with_the_certificate(shown):
    shown.report["server"]["key_fault"] = "/etc/c.pem: a certificate was valid until 2026-01-01"
    assert "NTS: /etc/c.pem: a certificate was valid until" in " ".join(shown("status", 100))


def test_servers_that_are_asked_in_ptp_messages_are_told(shown):
    assert not any("in PTP" in line for line in shown("status", 200) + shown("sources", 200))
    shown.report["sources"][0]["transport"] = shown.report["ntp"][0]["transport"] = "ptp"
    for command in ("status", "sources"):
        assert sum("in PTP" in line for line in shown(command, 200)) == 1, command


def test_delay_is_the_round_trip_in_every_table(shown):
    for command in ("status", "sources"):
        assert any("23.457 ms" in line for line in shown(command, 200)), command


def test_columns_go_when_the_terminal_is_narrow(shown):
    def heading(command, width):
        return next(line.split() for line in shown(command, width) if "offset" in line
                    and "bound" in line)
    assert heading("status", 120) == ["server", "state", "st", "reference", "rch", "offset",
                                      "bound", "delay", "interval"]
    assert heading("status", 80) == ["server", "state", "st", "rch", "offset", "bound"]
    assert heading("sources", 120) == ["source", "state", "kind", "offset", "bound", "delay",
                                       "interval", "rch", "rank", "share"]
    assert heading("sources", 80) == ["source", "state", "kind", "offset", "bound", "share"]
    figures = [line for line in shown("sources", 120) if "377" in line]
    assert len(figures) == len(SERVERS)
    assert len({len(line) for line in figures}) == 1, "they end in one column"


def test_reasons_stand_below_the_plot_when_there_is_no_room_beside_it(shown):
    assert "        it steers the clock" in shown("why", 80)
    assert any(line.endswith("|  selected: it steers the clock") for line in shown("why", 120))
