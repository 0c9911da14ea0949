# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The tool as its users run it: against a stand-in for the daemon that answers on a socket with
what a test wants, and against files.  MEANTIME names the program."""
import calendar
import copy
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

MEANTIME = os.environ.get("MEANTIME", "build/release/apps/meantime/meantime")
HERE = pathlib.Path(__file__).parent
CONFIGS = HERE.parent / "config"
REPORT = json.loads((HERE / "report.json").read_text())


def run(*arguments, **more):
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    return subprocess.run([MEANTIME, *map(str, arguments)], capture_output=True, text=True,
                          timeout=20, env=environment, stdin=subprocess.DEVNULL, **more)


class Daemon(threading.Thread):
    """Answers each connection's first line; remembers the requests."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.requests = []
        self.answer = answer
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                line = connection.makefile("r").readline()
                self.requests.append(json.loads(line))
                answer = self.answer(self.requests[-1])
                connection.sendall(answer if isinstance(answer, bytes)
                                   else json.dumps(answer).encode() + b"\n")


@pytest.fixture
def daemon(tmp_path):
    started = []

    def start(answer):
        started.append(Daemon(tmp_path / "control", answer))
        return started[-1]
    start.run = lambda *arguments: run("--run-directory", tmp_path, *arguments)
    yield start
    for one in started:
        one.socket.close()


def reporting(_request):
    return {"ok": True, "status": REPORT}


# ---- the command line -----------------------------------------------------------------------


def test_tool_prints_help_when_nothing_is_asked():
    done = run()
    assert done.returncode == 0
    assert done.stdout.startswith("usage: meantime ")
    for command in ("status", "watch", "clock", "set", "check", "explain", "version", "help"):
        assert f"\n  {command}" in done.stdout
    assert run("help").stdout == run("--help").stdout == done.stdout


def test_tool_prints_its_version():
    assert re.fullmatch(r"meantime \d+\.\d+\.\d+\n", run("version").stdout)


@pytest.mark.parametrize("arguments, said", [
    (["stauts"], "stauts: there is no such command; did you mean status?; see `meantime help`"),
    (["help", "set", "status"], "help: expected one command; see `meantime help`"),
    (["status", "--xml"], "status: unexpected --xml; see `meantime help status`"),
    (["watch", "--interval", "fast"],
     "--interval: expected seconds from 0.05 to 3600; see `meantime help watch`"),
    (["clock", "--count=0"], "--count: expected a number from 1 on; see `meantime help clock`"),
    (["set"], "set: expected a key and its value, such as priority1 100; see `meantime help set`"),
    (["set", "priority1"], "set: priority1: expected a value; see `meantime help set`"),
    (["set", "priority1", "256"],
     "priority1 = 256: expected an integer from 0 to 255; see `meantime help set`"),
    (["set", "clock_class=seven"],
     "clock_class = seven: expected an integer from 0 to 255, or auto; see `meantime help set`"),
    (["set", "utc_offset", "automatic"],
     "utc_offset = automatic: expected an integer from -32768 to 32767, or auto; "
     "see `meantime help set`"),
    (["--socket"], "--socket: expected a path of at most 255 octets; see `meantime help`"),
])
def test_tool_says_what_is_wrong_with_the_command_line(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"meantime: {said}\n")


# ---- status and watch -----------------------------------------------------------------------


def test_status_shows_what_matters(daemon):
    daemon(reporting)
    done = daemon.run("status")
    assert done.stderr == ""
    assert done.stdout == (HERE / "status.txt").read_text()
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_status_shows_which_of_two_instances_steers(daemon):
    report = copy.deepcopy(REPORT)
    report["clocks"][0]["standby"] = {
        "active": "two", "reason": "the other one follows nobody", "redundant": False,
        "difference_ns": -35.5, "switches": 1}
    daemon(lambda _request: {"ok": True, "status": report})
    assert ("    hot standby   instance two steers: the other one follows nobody\n"
            "                  not redundant, primary less secondary -35.5 ns, 1 switch\n"
            ) in daemon.run("status").stdout


def test_status_shows_options_of_a_port(daemon):
    report = copy.deepcopy(REPORT)
    report["instances"][0]["ports"][0]["alternate"] = {
        "sending": True, "heard_offset_ns": {"4ed314.fffe.83d3a1-3": 1250,
                                             "4ed314.fffe.83d3a2-1": None}}
    report["instances"][0]["ports"][0]["intervals"] = {"mode": "operational", "requests": 2}
    daemon(lambda _request: {"ok": True, "status": report})
    assert ("        asks:     for operational intervals\n"
            "        next:     an alternate transmitter itself\n"
            "        next:     4ed314.fffe.83d3a1-3, this clock is at +1.250 us\n"
            "        next:     4ed314.fffe.83d3a2-1\n") in daemon.run("status").stdout


def test_status_shows_what_a_stateless_server_answers(daemon):
    report = copy.deepcopy(REPORT)
    report["instances"][0]["stateless"] = {
        "serves": "both",
        "requests": {"answered": 1201, "other": 0, "domain": 3, "too_short": 2, "newer": 1}}
    daemon(lambda _request: {"ok": True, "status": report})
    assert ("    serves        by SPTP and CSPTP, 1201 requests answered; not: 3 requests of\n"
            "                  another domain, 2 requests shorter than their answer may be,\n"
            "                  1 newer\n") in daemon.run("status").stdout


def test_status_shows_which_stateless_servers_answer(daemon):
    report = copy.deepcopy(REPORT)
    report["instances"][0]["ports"][0]["stateless"] = {
        "asks": "csptp",
        "exchanges": {"asked": 130, "measured": 120, "timeouts": 4, "bogus": 1},
        "servers": {"192.0.2.1": 120, "192.0.2.9": 37, "gm.example.org": 0},
        "unanswered": {"192.0.2.1": 3, "192.0.2.9": 0, "gm.example.org": 1},
        "followed": "192.0.2.1"}
    report["instances"][0]["ports"][1]["stateless"] = {"asks": "off"}
    daemon(lambda _request: {"ok": True, "status": report})
    said = daemon.run("status").stdout
    assert ("        CSPTP:    192.0.2.1 followed, answered 120 times, 3 times not;\n"
            "                  192.0.2.9 answered 37 times; gm.example.org never answered,\n"
            "                  asked 1 time; 1 not asked for\n") in said
    assert "aabbcc.fffe.ddeeff, 2 steps away via 192.0.2.1\n" in said
    assert said.count("CSPTP:") == 1


def test_status_gives_the_report_as_json(daemon):
    daemon(reporting)
    assert json.loads(daemon.run("status", "--json").stdout) == REPORT
    assert json.loads(daemon.run("--json", "status").stdout) == REPORT


def test_status_gives_open_metrics(daemon):
    daemon(reporting)
    lines = daemon.run("status", "--open-metrics").stdout.splitlines()
    assert lines[-1] == "# EOF"
    assert 'meantime_clock_offset_ns{clock="main"} 24.6' in lines
    assert 'meantime_port_state{instance="main",port="eth1",meantime_port_state="TRANSMITTER"} 1' \
        in lines


def test_status_survives_a_daemon_of_another_version(daemon):
    daemon(lambda _: {"ok": True, "status": {"clocks": [{"name": "x"}], "instances": [{}]}})
    done = daemon.run("status")
    assert done.returncode == 0
    assert "clock x  ?" in done.stdout


def test_watch_prints_lines_when_there_is_no_terminal(daemon):
    daemon(reporting)
    done = daemon.run("watch", "--count", "2", "--interval", "0.05")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d main locked \+24\.6 ns, bound 1\.001 us; "
                        r"eth0 RECEIVER, eth1 TRANSMITTER", lines[0])


def test_watch_goes_on_when_the_daemon_is_away(daemon):
    done = daemon.run("watch", "--count", "2", "--interval", "0.05")
    assert done.returncode == 0
    assert [("no daemon answers at" in line) for line in done.stdout.splitlines()] == [True, True]


# ---- set ------------------------------------------------------------------------------------


def test_set_sends_numbers_for_words(daemon):
    answering = daemon(lambda _: {"ok": True})
    done = daemon.run("set", "priority1", "100", "clock_accuracy=100ns", "leap61", "yes",
                      "--instance", "other")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert answering.requests == [{"command": "set", "priority1": 100, "clock_accuracy": 0x21,
                                   "leap61": True, "instance": "other"}]


def test_set_gives_back_what_is_found_out(daemon):
    answering = daemon(lambda _: {"ok": True})
    for arguments in (["clock_class=auto"], ["clock_class", "auto"]):
        done = daemon.run("set", *arguments, "offset_scaled_log_variance", "auto",
                          "utc_offset=auto")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert answering.requests == 2 * [{"command": "set", "clock_class": "auto",
                                       "offset_scaled_log_variance": "auto",
                                       "utc_offset": "auto"}]


def test_set_knows_what_is_short_for_a_key(daemon):
    done = daemon.run("set", "prio1", "3")
    assert "set: prio1: there is no such key; did you mean priority1?" in done.stderr


def test_set_passes_on_why_the_daemon_refuses(daemon):
    daemon(lambda _: {"ok": False, "error": "there is no instance other"})
    done = daemon.run("set", "priority1", "100", "--instance=other")
    assert (done.returncode, done.stderr) == (1, "meantime: there is no instance other\n")


def test_set_names_the_remedy_when_a_key_is_fixed(daemon):
    done = daemon.run("set", "domain", "3")
    assert done.returncode == 1
    assert done.stderr.startswith("meantime: set: domain cannot be changed while the daemon runs; "
                                  "change it in the configuration file and restart the daemon\n")


# ---- no daemon ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["status"], ["set", "priority1", "1"]])
def test_tool_names_the_remedy_when_no_daemon_runs(tmp_path, arguments):
    done = run("--run-directory", tmp_path, *arguments)
    assert done.returncode == 1
    assert done.stderr == (
        f"meantime: no daemon answers at {tmp_path}/control (No such file or directory); start it "
        "with `systemctl start meantime`, or say where it is with --run-directory or --socket\n")


def test_tool_says_so_when_something_else_answers(daemon):
    daemon(lambda _: b"220 mail.example.org ESMTP\n")
    done = daemon.run("status")
    assert done.returncode == 1
    assert done.stderr.endswith("control: what answers there is no meantimed\n")


def test_tool_says_so_when_the_daemon_hangs_up(daemon):
    daemon(lambda _: b"")
    done = daemon.run("status")
    assert done.returncode == 1
    assert "did not answer" in done.stderr


def test_clock_names_those_that_there_are(tmp_path):
    for name in ("main", "card1"):
        (tmp_path / f"clock.{name}").write_bytes(b"")
    done = run("clock", "foo", "--run-directory", str(tmp_path))
    assert (done.returncode, done.stderr) == (
        1, "meantime: there is no clock foo here; there is card1, main\n")


def test_clock_names_the_remedy_when_there_is_no_page(tmp_path):
    done = run("clock", "--run-directory", tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"meantime: {tmp_path}/clock.main: No such file or directory; start the daemon with "
        "`systemctl start meantime`, or say where it is with --run-directory\n")


def write_page(path, state, grandmaster=bytes.fromhex("aabbccfffeddeeff"), valid_s=60,
               bound_reference=1, scale=1, age_s=0, boot_id=0):
    """A clock page: TAI over CLOCK_BOOTTIME, exact, with a bound of 2100 ns."""
    base_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - age_s * 10**9
    now_ns = time.time_ns() - age_s * 10**9
    anchor_s, anchor_ns = divmod(now_ns + 37 * 10**9, 10**9)
    path.write_bytes(struct.pack(
        "=IHHIHBBqqIHBBqqqqiiII8s5qQ", 0x6d656174, 1, 144, 2, 3, scale, state,
        base_ns, anchor_s, anchor_ns, 0, bound_reference, 1, 0, 2100, 0,
        base_ns + int(valid_s * 10**9), 37, 0, 5, 1, grandmaster, 2100, 0, 0, 0, 0,
        boot_id))
    return now_ns


LOCKED, SERVING = 2, 4


def test_clock_tells_utc_bound_and_grandmaster(tmp_path):
    before = write_page(tmp_path / "clock.main", LOCKED)
    done = run("clock", "--run-directory", tmp_path)
    assert done.returncode == 0
    shown = re.fullmatch(r"(\S{19})\.(\d{9}) UTC \+-2\.1\d\d us  locked to aabbcc\.fffe\.ddeeff\n",
                         done.stdout)
    second = calendar.timegm(time.strptime(shown[1], "%Y-%m-%dT%H:%M:%S"))
    assert before - 1 <= second * 10**9 + int(shown[2]) <= time.time_ns()


def test_clock_tells_the_same_as_json(tmp_path):
    write_page(tmp_path / "clock.other", LOCKED)
    lines = run("clock", "other", "--json", "--count", "2", "--interval", "0.02",
                "--run-directory", tmp_path).stdout.splitlines()
    one, two = map(json.loads, lines)
    assert (one["clock"], one["state"]) == ("other", "locked")
    assert 2100 <= one["bound_ns"] <= 2110  # the library adds its own rounding
    assert (one["grandmaster"], one["reading_scale"], one["time_scale"], one["stale"]) == \
        ("aabbcc.fffe.ddeeff", "TAI", "UTC", False)
    assert two["reading_s"] + two["reading_ns"] / 1e9 >= one["reading_s"] + one["reading_ns"] / 1e9


def test_clock_says_that_it_is_itself_the_reference_when_it_serves(tmp_path):
    write_page(tmp_path / "clock.main", SERVING, bound_reference=0)
    done = run("clock", "--run-directory", tmp_path)
    assert done.stdout.endswith(" UTC  serving its own time: it is itself the reference\n")
    told = json.loads(run("clock", "--json", "--run-directory", tmp_path).stdout)
    assert told["bound_ns"] is None


@pytest.mark.parametrize("page, reason", [
    ({"age_s": 42, "valid_s": 10}, "not renewed for 42 s: the daemon is gone or hangs"),
    ({"age_s": 62, "valid_s": 0}, "the daemon has ended, 1 min 2 s ago"),
    ({"age_s": 62, "valid_s": -9**9}, "the daemon has ended, 1 min 2 s ago"),
    ({"age_s": 42, "boot_id": 5}, "not renewed since the machine was started: the daemon is not "
                                  "running or hangs"),
])
def test_clock_says_why_the_page_is_stale(tmp_path, page, reason):
    write_page(tmp_path / "clock.main", LOCKED, **page)
    done = run("clock", "--run-directory", tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith("  stale\n")
    assert done.stderr == f"meantime: {tmp_path}/clock.main: {reason}\n"


def test_clock_refuses_what_is_no_page(tmp_path):
    (tmp_path / "clock.main").write_bytes(b"no page" * 100)
    done = run("clock", "--run-directory", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"meantime: {tmp_path}/clock.main: ")


# what tests/config/everything.conf names
EVERY_KEY = f"""spp 7
4294967295 SHA256 x
[security_association]
spp 8
chain SHA256-128
chain_start 1766000000
chain_length 8
chain_seed HEX:{"2a" * 32}
"""


# ---- check and explain ----------------------------------------------------------------------


def key_file(tmp_path, text):
    keys = tmp_path / "keys"
    keys.write_text(f"[security_association]\n{text}")
    keys.chmod(0o600)
    return keys


def setups_of(guide):
    """Those in fences, and those that are indented and begin with a section."""
    indented = re.findall(r"(?:^    .*\n|^\n)+", guide, re.MULTILINE)
    plain = [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in indented]
    return (re.findall(r"```ini\n(.*?)```", guide, re.DOTALL) +
            [block for block in plain if re.match(r"(#.*\n)?\[(?!security_)\w+", block)])


@pytest.mark.lab(seconds=5)  # where no other program steers a clock, which check would tell
def test_check_accepts_every_setup_of_the_guides(tmp_path):
    folder = HERE.parent.parent / "docs" / "guide"
    setups = [setup for guide in sorted(folder.glob("*.md"))
              for setup in setups_of(guide.read_text())]
    assert len(setups) >= 40
    keys = key_file(tmp_path, "spp 3\n1 SHA256-128 HEX:00112233445566778899aabbccddeeff\n")
    for setup in setups:
        more = "" if re.search(r"\[(ptp|port|ntp|server|gnss)", setup) else "\n[ptp eth0]\n"
        (tmp_path / "my.conf").write_text(setup.replace("/etc/meantime/keys", str(keys)) + more)
        done = run("check", tmp_path / "my.conf")
        wrong = [line for line in done.stdout.splitlines()  # keys and certificates are the reader's
                 if not re.search(r"problems?( \(|$)|cannot be read: No such file", line)]
        assert (done.returncode in (0, 1), wrong) == (True, []), setup


@pytest.mark.lab(seconds=5)  # where no other program steers a clock, which check would tell
def test_check_accepts_the_example_and_shows_it_resolved(tmp_path):
    keys = key_file(tmp_path, EVERY_KEY)
    example = tmp_path / "everything.conf"
    text = (CONFIGS / "everything.conf").read_text().replace("/tmp/keys", str(keys))
    # of files that are looked into, test_check_files.py tells more
    looked_into = r"(?m)^(key_file|key|nts_certificate|nts_key|require_\w+|nts_ca) =.*\n"
    example.write_text(re.sub(looked_into, "", text))
    assert run("check", example).stdout == \
        (f"{example}: no problems (3 clocks, 3 instances, 4 ports, 2 NTP servers, "
         "3 reference clocks, 2 GNSS receivers, 3 exported clocks, serves NTP)\n")
    shown = tmp_path / "shown.conf"
    shown.write_text(run("check", "--show", example).stdout)
    assert run("check", "--show", shown).stdout == shown.read_text()


SEED = "HEX:" + "2a" * 32
CHAIN = f"""spp 4
chain SHA256-128
chain_start 1766000000
chain_length 8
chain_seed {SEED}
"""


@pytest.mark.parametrize("text, mode, ports, expected", [
    (None, 0o600, "spp = 3",
     "{f}:2: security_file: {k}: cannot be read: No such file or directory"),
    ("spp 3\n1 SHA256 x\n", 0o604, "spp = 3",
     "{f}:2: security_file: {k}: everybody may read these keys; take that away: chmod o= {k}"),
    ("spp 3\n1 SHA1 x\n", 0o600, "spp = 3",
     "{f}:2: security_file: {k}:3: expected SHA256-128, SHA256, AES128 or AES256 behind the id"),
    ("spp 1\n1 SHA256 x\n[security_association]\nspp 2\n1 SHA256 x\n", 0o600, "spp = 3",
     "{f}:4: [port eth0]: spp = 3: there is no such association; associations with keys in {k}: "
     "1, 2"),
    ("spp 3\n1 SHA256 x\n7 SHA256 x\n", 0o600, "spp = 3\nactive_key_id = 2",
     "{f}:5: [port eth0]: active_key_id = 2: there is no such key; those of spp 3 in {k}: 1, 7"),
    ("spp 3\n1 SHA256 x\n", 0o600, "spp = 3\ndelayed_spp = 3",
     "{f}:5: [port eth0]: delayed_spp = 3: this one has no chain; associations with a chain in "
     "{k}: none"),
    (CHAIN, 0o600, "spp = 4",
     "{f}:4: [port eth0]: spp = 4: this one is a chain, for delayed_spp; associations with keys in "
     "{k}: none"),
    (CHAIN + "chain_anchor HEX:" + "00" * 32 + "\n[security_association]\nspp 3\n1 SHA256 x\n",
     0o600, "spp = 3\ndelayed_spp = 4",
     "{k}: spp 4: chain_seed does not lead to chain_anchor; meantime keys shows the anchor if that "
     "line is left out"),
])
def test_check_looks_for_the_keys_of_each_port(tmp_path, text, mode, ports, expected):
    keys = tmp_path / "keys"
    if text is not None:
        keys = key_file(tmp_path, text)
        keys.chmod(mode)
    config = tmp_path / "my.conf"
    config.write_text(f"[ptp]\nsecurity_file = {keys}\n[ptp eth0]\n{ports}\n")
    done = run("check", config)
    assert done.stdout == expected.format(f=config, k=keys) + f"\n{config}: 1 problem\n"
    assert done.returncode == 1


def test_check_warns_of_delayed_verification_alone(tmp_path):
    keys = key_file(tmp_path, CHAIN + "[security_association]\nspp 3\n1 SHA256 x\n")
    config = tmp_path / "my.conf"
    alone = f"[ptp]\nsecurity_file = {keys}\n[ptp eth0]\ndelayed_spp = 4\n"
    config.write_text(alone)
    done = run("check", config)
    assert done.returncode == 0
    assert f"{config}: warning: [port eth0]: delayed_spp without spp: " in done.stdout
    config.write_text(alone + "spp = 3\n")
    assert "warning" not in run("check", config).stdout


def test_check_warns_when_keys_are_named_and_nothing_is_signed(tmp_path):
    keys = key_file(tmp_path, "spp 3\n1 SHA256 x\n")
    config = tmp_path / "my.conf"
    unsigned = f"[ptp]\nsecurity_file = {keys}\n[ptp eth0]\nactive_key_id = 1\n[ptp eth1]\n"
    config.write_text(unsigned)
    done = run("check", config)
    assert done.returncode == 0
    assert f"{config}: warning: [instance main]: security_file: no port has spp" in done.stdout
    config.write_text(unsigned + "spp = 3\n")
    assert "warning" not in run("check", config).stdout


def test_check_tells_a_bad_key_file_of_two_instances_once(tmp_path):
    config = tmp_path / "my.conf"
    config.write_text(f"[ptp]\nsecurity_file = {tmp_path}/keys\n[ptp eth0]\nspp = 3\n"
                      "[port eth1]\ninstance = two\n[instance two]\ndomain = 1\nclock = two\n"
                      "[clock two]\n")
    assert run("check", config).stdout.splitlines()[-1] == f"{config}: 1 problem"


def test_check_tells_every_problem_of_a_file():
    done = run("check", "wrong.conf", cwd=CONFIGS) if os.path.isabs(MEANTIME) else None
    assert done is not None, "MEANTIME must be an absolute path"
    assert done.returncode == 1
    assert done.stdout == (CONFIGS / "wrong.txt").read_text()


def test_packaged_configuration_lacks_only_an_interface():
    packaged = HERE.parent.parent / "packaging" / "meantime.conf"
    done = run("check", packaged)
    assert done.stdout.splitlines()[0] == (
        f"{packaged}: no port and no server is configured; add a section such as [ptp eth0] or "
        "[ntp time.example.org]")
    assert len(done.stdout.splitlines()) == 2


def manual_examples():
    page = (HERE.parent.parent / "docs" / "man" / "meantime.conf.5.in").read_text()
    blocks = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed$", page, re.M | re.S)
    return [block.replace("\\-", "-") for block in blocks]


@pytest.mark.parametrize("example", manual_examples())
def test_examples_of_the_manual_have_no_problems(tmp_path, example):
    (tmp_path / "f").write_text(example)
    (tmp_path / "f").chmod(0o600)
    is_of_keys = example.startswith("[security_association]")
    done = run("keys" if is_of_keys else "check", tmp_path / "f")
    assert done.returncode == 0, done.stdout


def test_explain_finds_keys_by_every_name():
    assert run("explain", "receiver_only").stdout == run("explain", "slaveOnly").stdout
    done = run("explain", "priority3")
    assert done.returncode == 1
    assert done.stdout == "priority3: there is no such key; did you mean priority1?\n"
    listed = run("explain").stdout
    assert "\n[clock], [clock NAME]\n    clock                        overlay\n" in listed


def test_add_says_what_an_option_of_chrony_is_here(tmp_path):
    done = run("add", "--run-directory", tmp_path, "ntp", "192.0.2.1", "iburst")
    assert done.returncode == 2, done
    assert "iburst: expected a value; chrony calls this iburst; here it is burst" in done.stderr
    done = run("add", "--run-directory", tmp_path, "ntp", "192.0.2.1", "key")
    assert "key: expected a value" in done.stderr and "chrony" not in done.stderr
