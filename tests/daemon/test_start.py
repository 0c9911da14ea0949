# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What keeps the daemon from starting is told in one sentence, with the remedy."""
import os
import signal
import socket
import subprocess

import pytest

import meantimed
import netlab
from test_defects import wait_listening

RUN_FILES = ["clock.main", "control", "lock", "ptp-ro", "ptp-rw"]

DRIFT = "/var/lib/meantime/drift.main"
BARE = "[daemon]\nrun_directory = /run/B\nstate_directory = /run/B\n[ptp eth0]\n"


def run(lab, *command, timeout_s=60):
    """A command in node B that must end by itself: (exit status, lines on standard error)."""
    result = subprocess.run(["ip", "netns", "exec", "t-B", *command], capture_output=True,
                            text=True, timeout=timeout_s, check=False)
    return result.returncode, result.stderr.splitlines()


def write(lab, text):
    os.makedirs("/run/B", exist_ok=True)
    path = lab.path("bad.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def assert_one_sentence(lines, *parts):
    assert len(lines) == 1, lines
    for part in parts:
        assert part in lines[0], lines[0]


@pytest.mark.lab(seconds=3)
def test_busy_port_is_told_with_the_remedy(lab):
    lab.chain("A", "B")
    with lab.inside("B"):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("", 319))
    status, lines = run(lab, meantimed.DAEMON, "-c", write(lab, BARE))
    assert status == 1
    assert_one_sentence(lines, "319", "eth0", "in use", "stop it")


@pytest.mark.lab(seconds=3)
def test_second_daemon_is_told_of_the_first(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0")
    b.wait_state("TRANSMITTER")
    pid = b.status()["daemon"]["pid"]
    status, lines = run(lab, meantimed.DAEMON, "-c", b.config)
    assert status == 1
    sentence = (f"meantimed: another meantimed (pid {pid}) runs in /run/B; stop it, or start this "
                "one with --run-directory DIRECTORY")
    assert lines == [sentence]
    other_clock = BARE + "[clock other]\n[instance main]\nclock = other\n"
    assert run(lab, meantimed.DAEMON, "-c", write(lab, other_clock)) == (1, [sentence])
    assert b.is_running() and b.status()
    b.program.send_signal(signal.SIGSTOP)  # and with its socket full, so that nobody is let in
    clients = [connect(b.socket) for _ in range(12)]
    assert run(lab, meantimed.DAEMON, "-c", b.config) == (1, [sentence])
    b.program.send_signal(signal.SIGCONT)
    assert clients and sorted(os.listdir("/run/B")) == RUN_FILES
    assert b.page().sequence > 0
    assert b.stop() == 0
    assert os.listdir("/run/B") == ["clock.main"]


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.setblocking(False)
    client.connect_ex(path)
    return client


@pytest.mark.lab(seconds=5)
def test_second_daemon_runs_in_a_run_directory_of_its_own(lab):
    lab.chain("A", "X", "B")  # of which neither hears the other
    keep_drift("5e-5")
    a = lab.meantimed("A", "eth0", arguments=["-i", "eth0"])
    wait_listening(a)
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0", "--run-directory", "/run/other"])
    b.directory = "/run/other"
    wait_listening(b)
    assert sorted(os.listdir("/run/other")) == RUN_FILES
    assert b.tool("--run-directory", "/run/other", "status").returncode == 0
    assert a.status()["clocks"][0]["rate_ppb"] == pytest.approx(50000)
    assert b.status()["clocks"][0]["rate_ppb"] == 0  # what the first one learned is not its own
    assert b.stop() == 0 and a.stop() == 0
    assert run(lab, meantimed.DAEMON, "-i", "eth0", "--run-directory", "other") == (
        2, ["meantimed: --run-directory other: write the whole path, with / in front"])


@pytest.mark.lab(seconds=3)
def test_failed_start_leaves_nothing_behind(lab):
    lab.chain("A", "B")
    with lab.inside("B"):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("", 319))
    status, _ = run(lab, meantimed.DAEMON, "-i", "eth0", "--record", "/run/input.log")
    assert status == 1
    os.makedirs("/run/B/new")
    text = BARE.replace("state_directory = /run/B", "state_directory = /run/B/new/state")
    status, _ = run(lab, meantimed.DAEMON, "-c", write(lab, text))
    assert status == 1
    assert sorted(os.listdir("/run")) == ["B", "netns"] and not os.listdir("/var/lib")
    assert os.listdir("/run/B") == ["new"] and not os.listdir("/run/B/new")


@pytest.mark.lab(seconds=3)
def test_failed_start_leaves_what_was_there(lab):
    lab.chain("A", "B")
    path = write(lab, BARE)
    names = ("clock.main", "drift.main", "input.log")
    for name in names:
        with open(f"/run/B/{name}", "wb") as file:
            file.write(bytes(4096) if name == "clock.main" else name.encode())
    with lab.inside("B"):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("", 319))
    status, _ = run(lab, meantimed.DAEMON, "-c", path, "--record", "/run/B/input.log")
    assert status == 1
    assert tuple(sorted(os.listdir("/run/B"))) == names
    for name in names[1:]:
        with open(f"/run/B/{name}", "rb") as file:
            assert file.read() == name.encode()
    os.remove("/run/B/clock.main")
    os.symlink("/run/nothing", "/run/B/clock.main")
    status, lines = run(lab, meantimed.DAEMON, "-c", path)
    assert status == 1
    assert_one_sentence(lines, "clock main", "/run/B")
    assert os.readlink("/run/B/clock.main") == "/run/nothing"


def keep_drift(text):
    os.makedirs("/var/lib/meantime", exist_ok=True)
    with open(DRIFT, "w", encoding="ascii") as file:
        file.write(text)


def kept_drift():
    with open(DRIFT, encoding="ascii") as file:
        return float(file.read().split("#", maxsplit=1)[0])


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("has_directory", [False, True])
def test_run_without_a_file_keeps_drift_only_where_a_directory_is(lab, has_directory):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, is_started=False)
    if has_directory:
        keep_drift("5e-5")
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0"])
    wait_listening(b)
    assert b.status()["clocks"][0]["rate_ppb"] == pytest.approx(50000 if has_directory else 0)
    a.start()
    b.wait_locked()
    b.wait_for(lambda: abs(b.status()["clocks"][0]["rate_ppb"]) < 4e4, 60, "learns")
    assert a.stop() == 0
    assert b.stop() == 0
    assert os.listdir("/var/lib") == (["meantime"] if has_directory else [])
    if has_directory:  # A's clock is right: that is learned, and is what the next run begins with
        learned = kept_drift()
        assert abs(learned) < 4e-5
        b.start()
        wait_listening(b)
        assert b.status()["clocks"][0]["rate_ppb"] == pytest.approx(learned * 1e9, abs=1)


@pytest.mark.lab(seconds=3)
def test_missing_privilege_is_told_with_the_remedy(lab):
    lab.chain("A", "B")
    status, lines = run(lab, "setpriv", "--bounding-set", "-net_bind_service,-net_raw",
                        meantimed.DAEMON, "-c", write(lab, BARE))
    assert status == 1
    assert_one_sentence(lines, "eth0", "CAP_NET_BIND_SERVICE", "root")


@pytest.mark.lab(seconds=5)
def test_system_clock_without_privilege_is_told_in_the_log_and_in_status(lab):
    lab.chain("A", "B")
    text = BARE + "[clock]\nclock = system\n[ptp]\nreceiver_only = yes\n"
    program = lab.start("B", ["setpriv", "--bounding-set", "-sys_time", meantimed.DAEMON, "-c",
                              write(lab, text)], lab.path("B.log"))

    def shown():
        done = subprocess.run([meantimed.TOOL, "--run-directory", "/run/B", "status"],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.stdout
    assert netlab.wait_until(lambda: "LISTENING" in shown(), 60)
    assert "clock main  free running, not synchronised  (overlay, " in shown()
    why = ("the system clock may not be adjusted: Operation not permitted (CAP_SYS_TIME is "
           "missing, or a sandbox forbids it)")
    assert why in " ".join(shown().split())
    with open(lab.path("B.log"), encoding="utf-8") as file:
        log = file.read()
    assert program.stop(signal.SIGTERM) == 0
    assert "clock main is an overlay" in log and f"{why}; clock main carries on" in log
    assert "is adjusted" not in log


@pytest.mark.lab(seconds=3)
def test_no_file_and_no_interface_is_told_with_the_remedy(lab):
    lab.chain("A", "B")
    if os.path.exists("/etc/meantime/meantime.conf"):
        pytest.skip("this machine has a configuration")
    status, lines = run(lab, meantimed.DAEMON)
    assert status == 1
    assert_one_sentence(lines, "/etc/meantime/meantime.conf", "meantimed -i eth0")


@pytest.mark.lab(seconds=3)
def test_file_that_is_not_there_is_told(lab):
    lab.chain("A", "B")
    status, lines = run(lab, meantimed.DAEMON, "-c", "/run/nothing.conf")
    assert status == 1
    assert_one_sentence(lines, "/run/nothing.conf", "No such file")


@pytest.mark.lab(seconds=3)
@pytest.mark.parametrize("text, line, parts", [
    ("[ptp]\nlog_anounce_interval = 1\n", 2, ("log_anounce_interval", "log_announce_interval")),
    ("[ptp]\n\npriority1 = 300\n", 3, ("priority1", "300", "255")),
    ("[clok]\n", 1, ("clok", "clock")),
    ("[ptp]\nlog_sync_interval = fast\n", 2, ("log_sync_interval", "fast", "integer")),
], ids=["unknown key", "out of range", "unknown section", "not a number"])
def test_wrong_configuration_is_told_with_file_and_line(lab, text, line, parts):
    lab.chain("A", "B")
    path = write(lab, text + BARE)
    status, lines = run(lab, meantimed.DAEMON, "-c", path)
    assert status == 1
    assert_one_sentence(lines, f"{path}:{line}:", *parts)


@pytest.mark.lab(seconds=4)
def test_directory_that_may_not_be_written_is_told(lab):
    lab.chain("A", "B")
    text = BARE.replace("run_directory = /run/B", "run_directory = /proc/nothing")
    status, lines = run(lab, meantimed.DAEMON, "-c", write(lab, text))
    assert status == 1
    assert_one_sentence(lines, "/proc/nothing")


@pytest.mark.lab(seconds=3)
def test_interface_that_is_given_twice_is_told_and_taken_once(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0", "-i", "eth0"])
    wait_listening(b)
    assert [port["name"] for port in b.instance()["ports"]] == ["eth0"]
    assert "meantimed: warning: -i eth0 is given twice; it is one port\n" in b.log()
    assert b.log().count("given twice") == 1


@pytest.mark.lab(seconds=3)
def test_list_of_leap_seconds_that_has_expired_is_named(lab):
    lab.chain("A", "B")
    path = "/usr/share/zoneinfo/leap-seconds.list"
    if not os.path.exists(path):
        pytest.skip("there is no list here")
    with open("/run/old.list", "w", encoding="ascii") as file:
        file.write("#@ 3786825600\n3692217600 37\n")  # good until 2020
    subprocess.run(["mount", "--bind", "/run/old.list", path], check=True)
    b = lab.meantimed("B", "eth0", arguments=["-i", "eth0"])
    b.wait_log(f"warning: the list of leap seconds, {path}, has expired on 2020-01-01; "
               "TAI - UTC = 37 s")


@pytest.mark.lab(seconds=5)
def test_thermometer_is_waited_for_when_its_file_is_not_there_yet(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", clock={"temperature": "/run/temp1_input",
                                          "temperature_poll": "1s"})
    why = "cannot read the thermometer /run/temp1_input: No such file or directory; waiting for it"
    b.wait_log(f"warning: clock main: {why}; its holdover goes without")

    def sensor():
        return b.status()["clocks"][0]["thermometer"]
    assert (sensor()["celsius"], sensor()["fault_reason"]) == (None, why)
    with open("/run/temp1_input", "w", encoding="ascii") as file:
        file.write("45125\n")
    b.wait_log("clock main: its thermometer can be read")
    b.wait_for(lambda: sensor()["celsius"] == 45.125, 60, "reads it")
    assert sensor()["fault_reason"] is None
    assert b.log().count("thermometer") == 2  # each once
    assert b.stop() == 0
