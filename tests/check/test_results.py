# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The sum of `./dev check` is right, and no failure gets lost in it."""
import json

import pytest

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
    status = runner.run_steps(steps, str(tmp_path / "logs"))
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
