# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime pmc against a stand-in for a node that answers management messages with what a test
wants, and with requests that are wrong."""
import json
import os
import socket
import struct
import subprocess
import threading

import pytest

MEANTIME = os.environ.get("MEANTIME", "build/release/apps/meantime/meantime")


def run(*arguments):
    return subprocess.run([MEANTIME, "pmc", *map(str, arguments)], capture_output=True, text=True,
                          timeout=20, check=False)


@pytest.mark.parametrize("arguments, words", [
    (["GET", "PRIORTY1"], "did you mean PRIORITY1"),
    (["GET", "BLUE_SKY"], "there is no such id"),
    (["SET", "DEFAULT_DATA_SET", "1"], "does not allow SET"),
    (["SET", "PRIORITY1", "256"], "from 0 to 255"),
    (["SET", "PRIORITY1", "x"], "from 0 to 255"),
    (["SET", "PRIORITY1"], "expected a field and its value"),
    (["SET", "PRIORITY1", "priority3", "2"], "no such field"),
    (["SET", "UTC_PROPERTIES", "37"], "several fields"),
    (["SET", "UTC_PROPERTIES", "leap61", "2"], "expected 0 or 1"),
    (["SET", "UTC_PROPERTIES", "leap61", "1", "leap59"], "a field and a value"),
    (["GRAB", "PRIORITY1"], "expected GET, SET or COMMAND"),
    (["--target", "x", "GET", "PRIORITY1"], "expected a clock identity"),
    (["--domain", "256", "GET", "PRIORITY1"], "from 0 to 255"),
    (["--interface", "lo", "--transport", "token-ring", "GET", "DOMAIN"], "udp4, udp6 or l2"),
    (["--interface", "lo", "--address", "ff0e::181", "GET", "DOMAIN"], "an address of udp4"),
    (["--interface", "lo", "--transport", "udp6", "--address", "224.0.1.129", "GET", "DOMAIN"],
     "an address of udp6"),
    (["--interface", "lo", "--transport", "l2", "--address", "01:1b:19:00:00:00:00", "GET",
      "DOMAIN"], "an address of l2"),
    (["--transport", "l2", "GET", "DOMAIN"], "go with --interface"),
    (["SET", "UNICAST_MASTER_TABLE", "transmitters", "10.0.0.1,mars"], "addresses with commas"),
    (["--fast", "GET", "PRIORITY1"], "no such option"),
    ([], "expected a request"),
])
def test_pmc_says_what_is_wrong_with_a_request(arguments, words):
    result = run("--local", "/nonexistent", *arguments)
    assert result.returncode == 2 and words in result.stderr, result.stderr


def test_pmc_says_when_nobody_is_there(tmp_path):
    result = run("--local", tmp_path / "none", "GET", "PRIORITY1")
    assert result.returncode == 1 and "nobody answers at" in result.stderr


def test_help_fits_80_columns():
    commands = ["", "status", "watch", "clock", "set", "events", "wait", "check", "explain", "keys",
                "pmc", "replay", "sim"]
    for command in commands:
        done = subprocess.run([MEANTIME, "help", *([command] if command else [])],
                              capture_output=True, text=True, timeout=20, check=True)
        wide = [line for line in done.stdout.splitlines() if len(line) > 80]
        assert not wide, wide


def test_pmc_lists_all_ids():
    lines = run("--list").stdout.splitlines()
    assert any(line.split() == ["0x2005", "PRIORITY1", "GET", "SET"] for line in lines)
    assert len(lines) > 60


class Node(threading.Thread):
    """Answers each request by answer(action, id, data) -> [(tlv type, value), ...]."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.answer = answer
        self.requests = []
        self.domain = None
        self.start()

    def run(self):
        while True:
            frame, client = self.socket.recvfrom(2048)
            action, number = frame[46], struct.unpack(">H", frame[52:54])[0]
            self.domain = frame[4]
            self.requests.append((action, number, frame[54:]))
            for kind, value in self.answer(action, number, frame[54:]):
                tlv = struct.pack(">HH", kind, len(value)) + value
                head = bytearray(frame[:48])
                head[2:4] = struct.pack(">H", 48 + len(tlv))
                head[20:30] = bytes.fromhex("0011223344556677") + b"\x00\x01"
                head[34:44] = frame[20:30]
                head[46] = 4 if action == 3 else 2
                self.socket.sendto(bytes(head) + tlv, client)


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    def make(answer):
        path = tmp_path / "node"
        return Node(path, answer), path
    return make


def test_pmc_changes_the_named_fields_only(node):
    settings = bytes([6, 0x21, 0x4e, 0x5d, 0, 37, 0x3c, 0x20])
    daemon, path = node(lambda action, number, data: [
        (1, struct.pack(">H", number) + (settings if action == 0 else data))])
    result = run("--local", path, "SET", "grandmaster_settings_np", "clockClass", "7", "leap59",
                 "1", "timeSource", "0x90")
    assert result.returncode == 0, result.stderr
    action, number, data = daemon.requests[-1]
    assert (action, number) == (1, 0xC001)
    assert data == bytes([7, 0x21, 0x4e, 0x5d, 0, 37, 0x3e, 0x90])
    assert "leap59                  1" in result.stdout


def test_pmc_shows_negative_numbers_intervals_and_texts(node):
    answers = {0x2001: b"\x00\x01" + struct.pack(">qq", -98304, 65536 * 7),
               0x0002: b"\x05ra\x1bck",
               0x2021: struct.pack(">BiiHIB", 1, -3600, 60, 0, 9, 0)}
    _, path = node(lambda action, number, data: [
        (1, struct.pack(">H", number) + answers[number])])
    result = run("--local", path, "--json", "GET", "CURRENT_DATA_SET", "GET", "USER_DESCRIPTION",
                 "GET", "ALTERNATE_TIME_OFFSET_PROPERTIES", "1")
    first, second, third = json.loads(result.stdout)
    assert first["data"] == {"stepsRemoved": 1, "offsetFromMaster": -1.5, "meanPathDelay": 7}
    assert second["data"]["userDescription"] == "ra?ck"
    assert third["data"]["currentOffset"] == -3600 and third["data"]["keyField"] == 1


@pytest.mark.parametrize("text, octets", [
    ("none", "0000"), ("10.0.0.7,10.0.0.8", "0002 0001 0004 0a000007 0001 0004 0a000008"),
    ("fd78::1", "0001 0002 0010 fd780000000000000000000000000001"),
    ("02:00:00:00:00:0a", "0001 0003 0006 02000000000a")])
def test_pmc_sets_and_shows_a_table_of_addresses(node, text, octets):
    table = bytes.fromhex("01" + octets)
    daemon, path = node(lambda action, number, data: [
        (1, struct.pack(">H", number) + table + b"\0" * (len(table) % 2))])
    result = run("--local", path, "--json", "SET", "UNICAST_MASTER_TABLE", "logQueryInterval", "1",
                 "transmitters", text)
    assert result.returncode == 0, result.stderr
    assert daemon.requests[-1][2][:len(table)] == table
    assert json.loads(result.stdout)[0]["data"] == {
        "logQueryInterval": 1, "transmitters": [] if text == "none" else text.split(",")}


@pytest.mark.parametrize("text, octets", [
    ("none", "0000"), ("001122.fffe.334455-1", "0001 001122fffe334455 0001 00"),
    ("001122.fffe.334455,aabbcc.fffe.ddeeff-258",
     "0002 001122fffe334455 0000 00 aabbccfffeddeeff 0102 00")])
def test_pmc_sets_and_shows_a_table_of_identities(node, text, octets):
    table = bytes.fromhex(octets)
    daemon, path = node(lambda action, number, data: [
        (1, struct.pack(">H", number) + table + b"\0" * (len(table) % 2))])
    result = run("--local", path, "--json", "SET", "ACCEPTABLE_MASTER_TABLE", "acceptable", text)
    assert result.returncode == 0, result.stderr
    assert daemon.requests[-1][2][:len(table)] == table
    shown = json.loads(result.stdout)[0]["data"]
    assert shown["actualTableSize"] == table[1]
    assert [one.removesuffix("-0") for one in shown.get("acceptable", [])] == \
        ([] if text == "none" else text.split(","))


def test_pmc_refuses_a_table_of_what_is_no_identity(node):
    _, path = node(lambda action, number, data: [(1, struct.pack(">HH", number, 0))])
    for text in ("10.0.0.1", "001122.fffe.334455-70000", "001122.fffe.334455-1x", "none,none"):
        result = run("--local", path, "SET", "ACCEPTABLE_MASTER_TABLE", "acceptable", text)
        assert result.returncode != 0 and "expected port identities" in result.stderr


@pytest.mark.parametrize("arguments", [
    ["SET", "USER_DESCRIPTION", "Rack 7,  unit 3"],
    ["SET USER_DESCRIPTION 'Rack 7,  unit 3'"],
    ['set user_description "Rack 7,  unit 3"'],
    ["SET", "USER_DESCRIPTION", "userDescription", "Rack 7,  unit 3"]])
def test_pmc_sets_a_text_with_blanks(node, arguments):
    daemon, path = node(lambda action, number, data: [(1, struct.pack(">H", number) + data)])
    result = run("--local", path, "--json", *arguments)
    assert result.returncode == 0, result.stderr
    assert daemon.requests[-1][2][:16] == b"\x0fRack 7,  unit 3"
    assert json.loads(result.stdout)[0]["data"] == {"userDescription": "Rack 7,  unit 3"}


def test_pmc_takes_all_that_is_left_for_a_text(node):
    daemon, path = node(lambda action, number, data: [(1, struct.pack(">H", number) + data)])
    result = run("--local", path, "SET", "USER_DESCRIPTION", "Rack", "7,", "unit 3",
                 "GET", "USER_DESCRIPTION")
    assert result.returncode == 0, result.stderr
    assert [request[0] for request in daemon.requests] == [1, 0]
    assert daemon.requests[0][2][:15] == b"\x0eRack 7, unit 3"
    run("--local", path, "SET", "USER_DESCRIPTION", "get well, set sail")
    assert daemon.requests[-1][2][:19] == b"\x12get well, set sail"
    result = run("--local", path, "SET", "ALTERNATE_TIME_OFFSET_NAME", "keyField", "1",
                 "displayName", "Central Europe")
    assert result.returncode == 0, result.stderr
    assert daemon.requests[-1][2][:16] == b"\x01\x0eCentral Europe"


@pytest.mark.parametrize("arguments, octet", [
    (["SET", "CLOCK_ACCURACY", "100ns"], 0x21), (["SET CLOCK_ACCURACY unknown"], 0xfe),
    (["SET", "CLOCK_ACCURACY", "clockAccuracy", "1US"], 0x23)])
def test_pmc_knows_the_words_of_the_configuration(node, arguments, octet):
    daemon, path = node(lambda action, number, data: [(1, struct.pack(">H", number) + data)])
    result = run("--local", path, *arguments)
    assert result.returncode == 0, result.stderr
    assert daemon.requests[-1][2][0] == octet


def test_pmc_takes_options_of_linuxptps_pmc(node):
    daemon, path = node(lambda action, number, data: [(1, struct.pack(">HBB", number, 7, 0))])
    result = run("-u", "-s", path, "-b", "0", "-d", "3", "GET PRIORITY1")
    assert result.returncode == 0 and "priority1 7" in result.stdout, result.stderr
    assert [request[:2] for request in daemon.requests] == [(0, 0x2005)] and daemon.domain == 3
    for option, hint in (("-i", "--interface NAME"), ("-2", "--transport l2")):
        result = run("-u", option, "GET", "PRIORITY1")
        assert result.returncode == 2
        assert f"{option} of linuxptp's pmc is {hint} here" in result.stderr


def test_pmc_names_the_transport_when_nobody_answers():
    result = run("--interface", "lo", "--timeout", "0.1", "GET", "PRIORITY1")
    assert result.returncode == 1
    if os.geteuid() == 0:  # others are told that they may not open its port
        assert ("nobody has answered by udp4 behind lo; are the domain (0) and --transport right?"
                in result.stderr)


def test_pmc_shows_a_list_as_a_table(node):
    master = bytes.fromhex("4e2c000000000001 0001 06 21 4e5d 01 02 80 7f 0001 0004 0a0000")
    table = struct.pack(">H", 2) + master + b"\x07" + master + b"\x08"
    _, path = node(lambda action, number, data: [(1, struct.pack(">H", number) + table)])
    lines = run("--local", path, "GET", "UNICAST_MASTER_TABLE_NP").stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if "portIdentity" in line)
    assert lines[at].split() == ["portIdentity", "clockClass", "clockAccuracy", "selected", "state",
                                 "priority1", "priority2", "address"]
    assert lines[at + 1].split() == ["4e2c00.0000.000001-1", "6", "0x21", "true", "2", "128", "127",
                                     "10.0.0.7"]
    assert lines[at + 2].endswith("  10.0.0.8") and len(lines) == at + 3
    assert lines[at].index("clockClass") == lines[at + 1].index("6  ")
    assert "{" not in "".join(lines)


def test_pmc_tells_errors_and_goes_on(node):
    def answer(_, number, __):
        return [(2, struct.pack(">HHI", 5, number, 0)),
                (1, struct.pack(">HBB", number, 3, 0))]
    _, path = node(answer)
    result = run("--local", path, "SET", "PRIORITY1", "3")
    assert result.returncode == 1
    assert "cannot be set (error 0x0005)" in result.stdout and "priority1 3" in result.stdout


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_pmc_leaves_out_what_is_cut_off(node, length):
    body = bytes([0xff] * 40)[:length]
    _, path = node(lambda action, number, data: [
        (1, struct.pack(">H", number) + body + b"\x00" * (length % 2))])
    for name in ("CLOCK_DESCRIPTION", "PORT_DATA_SET", "UNICAST_MASTER_TABLE_NP", "FAULT_LOG",
                 "PATH_TRACE_LIST", "UNICAST_MASTER_TABLE",
                 "ACCEPTABLE_MASTER_TABLE", "PORT_PROPERTIES_NP"):
        result = run("--local", path, "--json", "GET", name)
        assert result.returncode == 0 and len(json.loads(result.stdout)) == 1
