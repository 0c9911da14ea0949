# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tests that need a network of their own.

A test marked `lab(seconds=N)` runs in a process of its own in private namespaces
(labkit/isolate.py), MEANTIME_LABS of them at a time (4), longest first; with `alone=True` it runs
at the end and by itself.  It fails when it takes much longer than it says.  Tests marked `long`
run with `-m long` or MEANTIME_LONG=1 only.
What a failing lab test leaves in its folder is shown with the failure.
"""
import json
import os
import signal
import sys
import time

import pytest
from _pytest.reports import TestReport
from _pytest.runner import runtestprotocol

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(TESTS, "labkit"), os.path.join(os.path.dirname(TESTS), "tools")]

import isolate  # noqa: E402

SIDE_BY_SIDE = int(os.environ.get("MEANTIME_LABS", "4"))
PATIENCE_FACTOR, PATIENCE_S = 3, 120
SHOWN_LINES = 60


def pytest_configure(config):
    config.addinivalue_line("markers", "lab(seconds, alone): runs in private network namespaces")
    config.addinivalue_line("markers", "long: one of many like it; only in the long run")


def pytest_collection_modifyitems(config, items):
    if "long" in config.option.markexpr or os.environ.get("MEANTIME_LONG") == "1":
        return
    if any("::" in argument for argument in config.args):  # asked for by name
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
    items[:] = [item for item in items if not item.get_closest_marker("long")]


# ---- scheduling ------------------------------------------------------------------------------


class Job:
    """One lab test in its own process; its reports come back in a file."""

    def __init__(self, item, folder):
        self.item = item
        self.seconds = seconds_of(item)
        self.path = os.path.join(folder, str(id(item)))
        self.started_s = time.monotonic()
        self.pid = isolate.start(self.run)

    def run(self):
        capture = self.item.config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()  # its files are shared with the other tests
        capture.start_global_capturing()
        reports = runtestprotocol(self.item, log=False, nextitem=None)
        serialize = self.item.config.hook.pytest_report_to_serializable
        capture.suspend_global_capture()
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump([serialize(config=self.item.config, report=report) for report in reports],
                      file)

    def has_ended(self):
        limit_s = PATIENCE_FACTOR * self.seconds + PATIENCE_S
        if time.monotonic() - self.started_s > limit_s:
            self.kill()
            return True
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def reports(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                rows = json.load(file)
        except (OSError, ValueError):
            taken_s = time.monotonic() - self.started_s
            return [TestReport(self.item.nodeid, self.item.location, {}, "failed",
                               f"no result after {taken_s:.0f} s: ended, or crashed", "call",
                               duration=taken_s)]
        deserialize = self.item.config.hook.pytest_report_from_serializable
        return [deserialize(config=self.item.config, data=row) for row in rows]

    def tell(self):
        hook = self.item.ihook
        hook.pytest_runtest_logstart(nodeid=self.item.nodeid, location=self.item.location)
        for report in self.reports():
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=self.item.nodeid, location=self.item.location)


def seconds_of(item):
    marker = item.get_closest_marker("lab")
    return marker.kwargs.get("seconds", 10)


def is_alone(item):
    return item.get_closest_marker("lab").kwargs.get("alone", False)


def run_labs(session, items, side_by_side):
    """Runs lab tests, some at a time."""
    folder = session.config._tmp_path_factory.mktemp("reports")  # pylint: disable=protected-access
    waiting = sorted(items, key=seconds_of)
    running = []
    try:
        while waiting or running:
            while waiting and len(running) < side_by_side:
                running.append(Job(waiting.pop(), folder))
            time.sleep(0.05)
            for job in [job for job in running if job.has_ended()]:
                running.remove(job)
                job.tell()
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
    finally:
        for job in running:
            job.kill()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Lab tests first, then pytest goes on with the others."""
    labs = [item for item in session.items if item.get_closest_marker("lab")]
    if session.config.option.collectonly or session.testsfailed or not labs:
        return None
    session.items[:] = [item for item in session.items if item not in labs]
    run_labs(session, [item for item in labs if not is_alone(item)], SIDE_BY_SIDE)
    run_labs(session, [item for item in labs if is_alone(item)], 1)
    return None if session.items else True


# ---- fixtures --------------------------------------------------------------------------------


@pytest.fixture
def lab(request, tmp_path):
    """A laboratory (labkit/laboratory.py) whose files are in tmp_path."""
    import laboratory  # pylint: disable=import-outside-toplevel

    with laboratory.Laboratory(str(tmp_path)) as result:
        request.node.laboratory = result
        yield result
        result.finish()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    laboratory = getattr(item, "laboratory", None)
    if report.failed and laboratory is not None:
        for name, text in laboratory.logs():
            shown = "\n".join(text.splitlines()[-SHOWN_LINES:])
            report.sections.append((f"log of {name}", shown))
