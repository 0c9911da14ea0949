# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Counts test cases in what the test programs leave behind.

Meson knows one result for each program.  A program that says more is taken at its word:
cmocka's summary, TAP lines, or a last line `N passed, N failed`.  A program that meson calls
failed counts as at least one failure, whatever it printed.
"""
import json
import os
import re
import xml.etree.ElementTree

from runner import Count

CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.MULTILINE)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] .*?(\d+) test\(s\), listed below", re.MULTILINE)
CMOCKA_NAMES = re.compile(r"^\[  FAILED  \] (\w+)$", re.MULTILINE)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] .*?(\d+) test\(s\), listed below", re.MULTILINE)
TAP = re.compile(r"^(not )?ok \d+", re.MULTILINE)
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
MESON_PASSED = {"OK", "EXPECTEDFAIL"}


def cases_of(output):
    """(passed, failed, skipped) as far as the program's output tells."""
    if CMOCKA_PASSED.search(output):
        return tuple(sum(map(int, pattern.findall(output)))
                     for pattern in (CMOCKA_PASSED, CMOCKA_FAILED, CMOCKA_SKIPPED))
    summary = SUMMARY.findall(output)
    if summary:
        return int(summary[-1][0]), int(summary[-1][1]), 0
    tap = TAP.findall(output)
    return tap.count(""), tap.count("not "), 0


def count_program(result, name, output):
    """The count of one program that meson ran."""
    if result == "SKIP":
        return Count(skipped=1)
    passed, failed, skipped = cases_of(output)
    names = tuple(dict.fromkeys(CMOCKA_NAMES.findall(output))) or (name,)
    if result in MESON_PASSED:
        return Count(passed=max(passed, 1 if failed == 0 else 0), failed=failed,
                     skipped=skipped, names=names if failed else ())
    return Count(passed=passed, failed=max(failed, 1), skipped=skipped, names=names)


def count_meson(build):
    """The count of the last `meson test` in a build folder."""
    total = Count()
    with open(os.path.join(build, "meson-logs", "testlog.json"), encoding="utf-8",
              errors="replace") as file:
        for line in file:
            test = json.loads(line)
            output = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
            total += count_program(test["result"], test["name"], output)
    return total


def count_junit(path):
    """The count of one pytest run."""
    total = Count()
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            total += Count(failed=1, names=(case.get("name"),))
        elif case.find("skipped") is not None:
            total += Count(skipped=1)
        else:
            total += Count(passed=1)
    return total
