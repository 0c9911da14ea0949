# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The tool as its users run it: against a stand-in for the daemon that answers on a socket with
what a test wants, and against files.  MEANTIME names the program."""
import json
import os
import pathlib
import re
import socket
import subprocess
import threading

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
    (["status", "--xml"], "status: unexpected --xml; see `meantime help`"),
    (["watch", "--interval", "fast"],
     "--interval: expected seconds from 0.05 to 3600; see `meantime help`"),
    (["clock", "--count=0"], "--count: expected a number from 1 on; see `meantime help`"),
    (["set"], "set: expected a key and its value, such as priority1 100; see `meantime help`"),
    (["set", "priority1"], "set: priority1: expected a value; see `meantime help`"),
    (["set", "priority1", "256"],
     "priority1 = 256: expected an integer from 0 to 255; see `meantime help`"),
    (["set", "clock_class=seven"],
     "clock_class = seven: expected an integer from 0 to 255; see `meantime help`"),
    (["set", "utc_offset", "auto"],
     "utc_offset = auto: expected an integer from -32768 to 32767; see `meantime help`"),
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


def test_status_gives_the_report_as_json(daemon):
    daemon(reporting)
    assert json.loads(daemon.run("status", "--json").stdout) == REPORT


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
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  clock main locked, offset \+24\.6 ns, "
                        r"bound 1\.001 us; main eth0 RECEIVER, eth1 TRANSMITTER", lines[0])


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


def test_set_passes_on_why_the_daemon_refuses(daemon):
    daemon(lambda _: {"ok": False, "error": "there is no instance other"})
    done = daemon.run("set", "priority1", "100", "--instance=other")
    assert (done.returncode, done.stderr) == (1, "meantime: there is no instance other\n")


def test_set_names_the_remedy_when_a_key_is_fixed(daemon):
    done = daemon.run("set", "domain", "3")
    assert done.returncode == 1
    assert done.stderr == ("meantime: set: domain cannot be changed while the daemon runs; change "
                           "it in the configuration file and restart the daemon\n")


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


def test_clock_names_the_remedy_when_there_is_no_page(tmp_path):
    done = run("clock", "--run-directory", tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"meantime: {tmp_path}/clock.main: No such file or directory; start the daemon with "
        "`systemctl start meantime`, or say where it is with --run-directory\n")


# ---- check and explain ----------------------------------------------------------------------


def test_check_accepts_the_example_and_shows_it_resolved(tmp_path):
    example = CONFIGS / "everything.conf"
    assert run("check", example).stdout == \
        f"{example}: no problems (2 clocks, 2 instances, 3 ports)\n"
    shown = tmp_path / "shown.conf"
    shown.write_text(run("check", "--show", example).stdout)
    assert run("check", "--show", shown).stdout == shown.read_text()


def test_check_tells_every_problem_of_a_file():
    done = run("check", "wrong.conf", cwd=CONFIGS) if os.path.isabs(MEANTIME) else None
    assert done is not None, "MEANTIME must be an absolute path"
    assert done.returncode == 1
    assert done.stdout == (CONFIGS / "wrong.txt").read_text()


def test_packaged_configuration_lacks_only_an_interface():
    packaged = HERE.parent.parent / "packaging" / "meantime.conf"
    done = run("check", packaged)
    assert done.stdout.splitlines()[0] == (
        f"{packaged}: no port is configured; add a section [ptp INTERFACE], such as [ptp eth0]")
    assert len(done.stdout.splitlines()) == 2


def test_explain_finds_keys_by_every_name():
    assert run("explain", "receiver_only").stdout == run("explain", "slaveOnly").stdout
    done = run("explain", "priority3")
    assert done.returncode == 1
    assert done.stdout == "priority3: there is no such key; did you mean priority1?\n"
    listed = run("explain").stdout
    assert "\n[clock], [clock NAME]\n    clock                        overlay\n" in listed
