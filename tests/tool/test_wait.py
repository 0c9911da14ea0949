# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`meantime events` and `meantime wait`, against a stand-in for the daemon."""
import copy
import json
import signal
import subprocess
import threading
import time

import pytest

from test_tool import MEANTIME, REPORT, daemon  # noqa: F401

START_S = 1_790_000_000


class Journal:
    """Answers as the daemon does; a new one counts from 0 again."""

    def __init__(self):
        self.begin(0)

    def begin(self, run):
        self.run = run
        self.texts = []

    def __call__(self, request):
        assert request["command"] == "events"
        return {"ok": True, "events": [
            {"sequence": n, "realtime_s": f"{START_S + 1000 * self.run + n}.125000000",
             "level": "warning" if "down" in text else "info", "text": text}
            for n, text in enumerate(self.texts) if n >= request["since"]]}


@pytest.fixture(name="journal")
def fixture_journal():
    return Journal()


def test_events_are_printed_with_time_and_level(daemon, journal):  # noqa: F811
    daemon(journal)
    assert daemon.run("events").stdout == ""
    journal.texts = ["port eth0: the link is up", "port eth0: the link is down"]
    assert daemon.run("events").stdout == (
        "2026-09-21 14:13:20.125 port eth0: the link is up\n"
        "2026-09-21 14:13:21.125 warning: port eth0: the link is down\n")
    found = [json.loads(line) for line in daemon.run("events", "--json").stdout.splitlines()]
    assert [event["text"] for event in found] == journal.texts
    assert found[1]["level"] == "warning" and found[1]["sequence"] == 1


def test_events_follow_a_daemon_that_is_started_again(daemon, journal, tmp_path):  # noqa: F811
    daemon(journal)
    journal.texts = ["one", "two"]
    command = [MEANTIME, "--run-directory", str(tmp_path), "events", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        heard = [json.loads(program.stdout.readline())["text"] for _ in range(2)]
        journal.texts.append("three")
        heard.append(json.loads(program.stdout.readline())["text"])
        journal.begin(1)
        journal.texts = ["again", "and", "more", "than", "before"]
        heard += [json.loads(program.stdout.readline())["text"] for _ in range(5)]
        time.sleep(1)
        journal.texts.append("last")
        heard.append(json.loads(program.stdout.readline())["text"])
        program.send_signal(signal.SIGINT)
        assert program.wait(5) == -signal.SIGINT
    assert heard == ["one", "two", "three", "again", "and", "more", "than", "before", "last"]


def test_events_name_the_remedy_when_no_daemon_answers(daemon):  # noqa: F811
    done = daemon.run("events")
    assert done.returncode == 1 and "no daemon answers at" in done.stderr


def report_with(state, bound_ns):
    report = copy.deepcopy(REPORT)
    report["clocks"][0].update(state=state, bound_ns=bound_ns)
    return report


def wait(daemon, *arguments):  # noqa: F811
    started_s = time.monotonic()
    done = daemon.run("wait", *arguments)
    return done, time.monotonic() - started_s


def test_wait_ends_at_once_when_the_clock_is_synchronised(daemon):  # noqa: F811
    daemon(lambda _: {"ok": True, "status": report_with("locked", 900)})
    for arguments in ((), ("main",), ("--bound", "1us"), ("--bound", "0.9 us", "--timeout", "0")):
        done, took_s = wait(daemon, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and took_s < 2


@pytest.mark.parametrize("state, bound_ns, arguments, why", [
    ("acquiring", 900, (), "clock main is acquiring, its error bound is 900 ns"),
    ("holdover", 900, (), "clock main is holdover, its error bound is 900 ns"),
    ("serving", None, (), "clock main serves its own time, as a grandmaster: it follows nobody and "
                          "has no error bound"),
    ("locked", 1100, ("--bound", "1us"),
     "clock main is synchronised, its error bound is 1.100 us, more than what is waited for"),
    ("locked", None, ("--bound", "1s"), "clock main is synchronised, its error bound is unknown"),
])
def test_wait_says_what_is_missing_when_time_is_up(  # noqa: F811
        daemon, state, bound_ns, arguments, why):
    daemon(lambda _: {"ok": True, "status": report_with(state, bound_ns)})
    done, took_s = wait(daemon, "--timeout", "0.5", *arguments)
    assert done.returncode == 1 and 0.5 <= took_s < 2
    assert done.stderr == f"meantime: not synchronised in 0.5 s: {why}\n"


def test_wait_waits_for_the_daemon_and_for_the_clock(daemon):  # noqa: F811
    states = ["free_run", "acquiring", "acquiring", "locked"]
    late = threading.Timer(0.7, lambda: daemon(lambda _: {
        "ok": True, "status": report_with(states.pop(0), 900)}))
    late.start()
    done, took_s = wait(daemon, "--timeout", "10")
    late.join()
    assert done.returncode == 0 and states == [] and took_s > 1.2


def test_wait_does_not_wait_for_what_never_comes(daemon):  # noqa: F811
    daemon(lambda _: {"ok": True, "status": REPORT})
    done, took_s = wait(daemon, "other")
    assert done.returncode == 1 and took_s < 2
    assert done.stderr == "meantime: the daemon has no clock other\n"


@pytest.mark.parametrize("arguments", [("wait", "--bound", "10"), ("wait", "--bound", "us"),
                                       ("wait", "--timeout", "-1"), ("wait", "a", "b"),
                                       ("wait", "--bound"), ("events", "--folow")])
def test_wrong_options_are_refused(daemon, arguments):  # noqa: F811
    done = daemon.run(*arguments)
    assert done.returncode == 2 and f"see `meantime help {arguments[0]}`" in done.stderr
