# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The sum of `./dev check` is right, and no failure gets lost in it."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import check
import results
import runner
from runner import Count

CMOCKA_GOOD = """[==========] Running 3 test(s).
[ RUN      ] time_adds_when_positive
[       OK ] time_adds_when_positive
[==========] 3 test(s) run.
[  PASSED  ] 3 test(s).
"""
CMOCKA_BAD = """[ RUN      ] time_adds_when_positive
[  FAILED  ] time_adds_when_positive
[==========] 12 test(s) run.
[  PASSED  ] 10 test(s).
[  FAILED  ] 2 test(s), listed below:
[  FAILED  ] time_adds_when_positive
[  FAILED  ] time_adds_when_negative

 2 FAILED TEST(S)
"""


def numbers(count):
    return count.passed, count.failed, count.skipped


@pytest.mark.parametrize("result, output, expected", [
    ("OK", CMOCKA_GOOD, (3, 0, 0)),
    ("OK", CMOCKA_GOOD + CMOCKA_GOOD, (6, 0, 0)),
    ("FAIL", CMOCKA_BAD, (10, 2, 0)),
    ("FAIL", CMOCKA_GOOD, (3, 1, 0)),  # a leak, found at exit
    ("ERROR", "", (0, 1, 0)),
    ("TIMEOUT", "[ RUN      ] time_adds\n", (0, 1, 0)),
    ("OK", "", (1, 0, 0)),
    ("OK", "ok 1 a\nok 2 b\n1..2\n", (2, 0, 0)),
    ("FAIL", "ok 1 a\nnot ok 2 b\n", (1, 1, 0)),
    ("OK", "17 passed, 0 failed\n", (17, 0, 0)),
    ("FAIL", "16 passed, 1 failed\n", (16, 1, 0)),
    ("OK", "16 passed, 1 failed\n", (16, 1, 0)),
    ("SKIP", "", (0, 0, 1)),
])
def test_results_counts_cases_when_a_program_says_how_many(result, output, expected):
    assert numbers(results.count_program(result, "time", output)) == expected


def test_results_names_the_cases_when_they_failed():
    assert results.count_program("FAIL", "time", CMOCKA_BAD).names == (
        "time_adds_when_positive", "time_adds_when_negative")


def test_results_names_the_program_when_no_case_failed():
    assert results.count_program("FAIL", "time", CMOCKA_GOOD).names == ("time",)


def test_results_adds_up_when_meson_ran_several_programs(tmp_path):
    (tmp_path / "meson-logs").mkdir()
    (tmp_path / "meson-logs" / "testlog.json").write_text("\n".join(json.dumps(row) for row in [
        {"name": "time", "result": "OK", "stdout": "", "stderr": CMOCKA_GOOD},
        {"name": "real", "result": "FAIL", "stdout": CMOCKA_BAD},
        {"name": "fuzz", "result": "OK", "stdout": "replayed"}]))
    count = results.count_meson(str(tmp_path))
    assert numbers(count) == (14, 2, 0) and len(count.names) == 2


def test_results_counts_errors_as_failures_when_pytest_reports_them(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text("<testsuites><testsuite><testcase name='a'/><testcase name='b'><failure/>"
                      "</testcase><testcase name='c'><error/></testcase><testcase name='d'>"
                      "<skipped/></testcase></testsuite></testsuites>")
    count = results.count_junit(str(report))
    assert numbers(count) == (1, 2, 1) and count.names == ("b", "c")


def run(tmp_path, capsys, *steps):
    status = runner.run_lanes([[runner.Lane(steps)]], str(tmp_path / "logs"))
    return status, capsys.readouterr().out.splitlines()


def test_runner_goes_on_and_fails_when_one_step_failed(tmp_path, capsys):
    status, lines = run(
        tmp_path, capsys,
        ("first", lambda log: Count(passed=2)),
        ("second", lambda log: Count(passed=1, failed=1, names=("x",))),
        ("third", lambda log: Count(passed=4, skipped=1)))
    assert status == 1 and lines[-1] == "7 passed, 1 failed"


def test_runner_succeeds_when_nothing_failed(tmp_path, capsys):
    status, lines = run(tmp_path, capsys, ("first", lambda log: Count(passed=2)))
    assert status == 0 and lines[-1] == "2 passed, 0 failed"


def test_runner_counts_a_failure_when_a_step_breaks(tmp_path, capsys):
    def broken(log):
        raise OSError("no such thing")
    status, lines = run(tmp_path, capsys, ("broken", broken))
    assert status == 1 and lines[-1] == "0 passed, 1 failed"
    assert any("no such thing" in line for line in lines)


def test_runner_shows_the_log_when_a_command_fails(tmp_path, capsys):
    _, lines = run(tmp_path, capsys, (
        "shell", lambda log: Count(failed=log.run(["sh", "-c", "echo told you; exit 3"], 10) // 3)))
    assert any("told you" in line for line in lines)


def test_runner_ends_the_whole_group_when_time_is_up(tmp_path):
    log = runner.Log(str(tmp_path / "log"))
    status = log.run(["sh", "-c", "sleep 100 & wait"], 0.2)
    assert status == 124 and "ended after 0.2 s" in "\n".join(log.tail())


def lane_of(*steps, is_urgent=True):
    return runner.Lane(steps, is_urgent)


def test_runner_adds_up_when_lanes_are_side_by_side(tmp_path, capsys):
    both = threading.Barrier(2, timeout=10)  # broken, and a failure, if they are not

    def step(log):
        both.wait()
        return Count(passed=2)
    status = runner.run_lanes([[lane_of(("a", step)), lane_of(("b", step))]], str(tmp_path))
    assert status == 0 and capsys.readouterr().out.endswith("\n4 passed, 0 failed\n")


def test_runner_begins_no_group_when_the_one_before_it_runs(tmp_path, capsys):
    order = []

    def step(name, delay_s):
        def run_it(log):
            time.sleep(delay_s)
            order.append(name)
            return runner.ONE_PASSED
        return name, run_it
    runner.run_lanes([[lane_of(step("a", 0.2)), lane_of(step("b", 0.1))],
                      [lane_of(step("c", 0), step("d", 0))]], str(tmp_path))
    assert order == ["b", "a", "c", "d"] and capsys.readouterr().out


def test_runner_gives_way_when_a_lane_is_not_urgent(tmp_path, capsys):
    policies = {}

    def step(name):
        script = "import os; print(os.sched_getscheduler(0), os.getsid(0))"

        def run_it(log):
            log.run([sys.executable, "-c", script], 60)
            policies[name] = tuple(map(int, log.tail()[-1].split()))
            return runner.ONE_PASSED
        return name, run_it
    runner.run_lanes([[lane_of(step("a")), lane_of(step("b"), is_urgent=False)]], str(tmp_path))
    ours, session = os.sched_getscheduler(0), os.getsid(0)  # perhaps we give way ourselves
    assert policies == {"a": (ours, session), "b": (os.SCHED_IDLE, session)}
    assert capsys.readouterr().out


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in a background ignores it
sys.path.insert(0, sys.argv[1])
import runner
step = lambda log: log.run(["sh", "-c", "sleep 100 & echo runs $!; wait"], 90) and runner.Count()
steps = [("first", step), ("second", step)]
sys.exit(runner.run_lanes([[runner.Lane(steps)], [runner.Lane(steps)]], sys.argv[2]))
"""


def has_ended_soon(pid):
    """A process that is nobody's child any more may be seen as a zombie for a while."""
    end_s = time.monotonic() + 5
    while time.monotonic() < end_s:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_runner_ends_what_runs_and_begins_nothing_when_interrupted(tmp_path):
    command = [sys.executable, "-B", "-c", INTERRUPTED, os.path.dirname(runner.__file__),
               str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        log = tmp_path / "first.log"
        while not log.exists() or "\nruns" not in log.read_text():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out.endswith("failed: interrupted\n0 passed, 1 failed\n") and "second" not in out
    assert not (tmp_path / "second.log").exists()
    left_behind = int(log.read_text().split("\nruns ")[1].split()[0])
    assert has_ended_soon(left_behind)


class Builder:
    """A log whose builds take a while."""

    def __init__(self):
        self.builds = 0

    def write(self, text):
        pass

    def run(self, *_, **__):
        time.sleep(0.1)
        self.builds += 1
        return 0


def test_check_builds_once_when_two_lanes_need_it(monkeypatch):
    monkeypatch.setattr(check, "_built", {})
    builder, answers = Builder(), []
    threads = [threading.Thread(target=lambda: answers.append(check.is_built(builder, "asan")))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builder.builds == 1 and answers == [True, True]


@pytest.mark.parametrize("is_long", [False, True])
def test_check_runs_each_step_once_when_it_is_chosen(is_long):
    names = check.names_of(check.all_lanes(is_long))
    assert len(set(names)) == len(names)
    groups = check.chosen(check.all_lanes(is_long), "floors,interop")
    assert check.names_of(groups) == ["interop", "floors"]
    assert check.names_of(check.in_turn(check.all_lanes(is_long))) == names
