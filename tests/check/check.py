#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: check.py [--long] [--only STEP,...] [--in-turn] [--list]

Everything that must hold, in one run; `./dev check` installs what it needs and starts it.
--long adds the whole matrix, up to 80 minutes; tests see it as MEANTIME_LONG=1.
Laboratories run beside what computes, which takes the time that they leave; --in-turn runs one
step after the other, for a machine that has other work to do as well.
"""
import argparse
import collections
import glob
import os
import shutil
import sys
import threading

from results import count_junit, count_meson
from runner import Count, Lane, ONE_PASSED, one_failed, run_lanes

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = "/usr/bin/python3"
MINUTE_S = 60
FIRMWARE = "size-cortex-m7"  # where the size bench builds the core


def top(*parts):
    return os.path.join(TOP, *parts)


def command_step(name, *command, timeout_s=5 * MINUTE_S):
    """A step that is one case: the command's exit status."""
    return name, lambda log: (ONE_PASSED if log.run(command, timeout_s, cwd=TOP) == 0
                              else one_failed(name))


_built = {}  # kind -> whether this run could build it
_building = collections.defaultdict(threading.Lock)  # kind -> held while it is being built


def is_built(log, kind):
    """Builds a kind once in a run.  Nothing is tested that is older than the sources."""
    with _building[kind]:
        if kind not in _built:
            command = ["sh", top("tools", "build.sh"), kind]
            _built[kind] = log.run(command, 20 * MINUTE_S, cwd=TOP) == 0
        elif not _built[kind]:
            log.write(f"build/{kind} could not be built\n")
        return _built[kind]


def build_step(kind):
    name = f"build {kind}"
    return name, lambda log: ONE_PASSED if is_built(log, kind) else one_failed(name)


def meson_step(name, kind, *arguments, is_long=False, seeds=None):
    """The test programs of one build.  They have some time: they give way to laboratories.
    seeds: those that each simulation tries."""
    def step(log):
        build = top("build", kind)
        if not is_built(log, kind):
            return one_failed(name)
        environment = {**SANITIZERS, "MEANTIME_LONG": "1" if is_long else "0"}
        if seeds:
            environment["MEANTIME_SIM_SEEDS"] = seeds
        status = log.run(["meson", "test", "-C", build, "--print-errorlogs",
                          "--timeout-multiplier", "20" if is_long else "4", *arguments],
                         (80 if is_long else 20) * MINUTE_S, env=environment)
        count = count_meson(build)
        return count if status == 0 or count.failed else count + one_failed(name)
    return name, step


SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + top("tests", "labkit", "lsan.supp"),
}


SEEDS = "1-20"  # of the long run
UNDER_SANITIZERS = [f"tests/daemon/test_{name}.py" for name in ("running", "start")]
FLOOD = ["tests/daemon/test_flood.py"]  # takes all cores


def pytest_step(name, places, timeout_s, needs=None, is_long=False, without=()):
    """needs: the build whose programs the tests run."""
    def step(log):
        present = [top(place) for place in places if os.path.exists(top(place))]
        if not present:
            return Count()
        if needs and not is_built(log, needs):
            return one_failed(name)
        report = log.path[:-len("log")] + "xml"
        status = log.run([PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-v", "--color=no",
                          f"--junitxml={report}", *(f"--ignore={top(place)}" for place in without),
                          *present], timeout_s, cwd=TOP,
                         env=python_environment(needs, is_long))
        no_tests = 5
        count = count_junit(report) if os.path.exists(report) else Count()
        return count if status in (0, no_tests) or count.failed else count + one_failed(name)
    return name, step


def python_environment(kind, is_long):
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "MEANTIME_LONG": "1" if is_long else "0",
                   "MEANTIME_BUILD": top("build", kind or "release"),
                   "MEANTIME_BIN": top("build", kind or "release", "apps", "meantimed")}
    environment.update(SANITIZERS)
    return environment


def symbols_step(name, kind, nm):
    """Of the core in a build folder; the firmware's is made by the step before."""
    def step(log):
        library = top("build", kind, "core", "libmeantime-core.a")
        if kind != FIRMWARE and not is_built(log, kind):
            return one_failed(name)
        status = log.run([PYTHON, top("tools", "check_symbols.py"), library, nm], MINUTE_S)
        return ONE_PASSED if status == 0 else one_failed(name)
    return name, step


def instructions_step(name):
    """Single precision for a Cortex-M4 with its floating-point unit, counted on QEMU."""
    def step(log):
        if shutil.which("qemu-system-arm") is None:
            log.write("qemu-system-arm is not installed\n")
            return Count(skipped=1)
        command = [PYTHON, top("bench", "instructions", "run.py"), "--judge"]
        return ONE_PASSED if log.run(command, 5 * MINUTE_S, cwd=TOP) == 0 else one_failed(name)
    return name, step


def firmware_step(name, *steps):
    """Images for microcontrollers; the simulator's part of pil is clang's."""
    def step(log):
        if "pil" in steps and not is_built(log, "clang"):
            return one_failed(name)
        command = [PYTHON, top("tools", "firmware.py"), "--program",
                   top("build", "clang", "tests", "pil", "pil"), *steps]
        return ONE_PASSED if log.run(command, 10 * MINUTE_S, cwd=TOP) == 0 else one_failed(name)
    return name, step


def foreign_step(name, is_long):
    """Other processors, under emulators that not every machine has."""
    def step(log):
        command = [PYTHON, top("tools", "foreign.py")]
        if is_long:
            if not is_built(log, "clang"):
                return one_failed(name)
            command += ["--long", "--loop", top("build", "clang", "tests", "unit", "real_loop")]
        status = log.run(command, (60 if is_long else 10) * MINUTE_S, cwd=TOP)
        if status == 77 and not os.environ.get("CI"):
            return Count(skipped=1)
        return ONE_PASSED if status == 0 else one_failed(name)
    return name, step


def lab_step(name, *arguments):
    """Guests with hardware clocks; skipped where there can be none, but not in CI."""
    def step(log):
        if not is_built(log, "release"):
            return one_failed(name)
        skipped = 77
        status = log.run([PYTHON, top("tests", "lab", "lab.py"), *arguments], 60 * MINUTE_S)
        if status == skipped and not os.environ.get("CI"):
            return Count(skipped=1)
        return ONE_PASSED if status == 0 else one_failed(name)
    return name, step


def man_step(name):
    """Each page, written or generated, is a case: the formatter has nothing to say about it."""
    def step(log):
        total = Count() if is_built(log, "release") else one_failed(name)
        pages = [page for folder in ("docs", "build/release/docs")
                 for page in glob.glob(top(folder, "**", "*.[1-8]"), recursive=True)]
        for page in sorted(pages):
            status = log.run([PYTHON, top("tools", "check_man.py"), page], MINUTE_S)
            total += ONE_PASSED if status == 0 else one_failed(os.path.basename(page))
        return total
    return name, step


def tool_step(name, script, *arguments):
    return command_step(name, PYTHON, top(script), *arguments)


def computing_steps(is_long):
    kinds = ("release", "clang", "asan") + (("plain",) if is_long else ())
    return [
        *(build_step(kind) for kind in kinds[1:]),
        tool_step("floors", "tools/check_floors.py"),
        tool_step("limits", "tools/check_limits.py"),
        tool_step("format", "tools/format.py", "--check"),
        tool_step("loops", "tools/check_loops.py"),
        pytest_step("tools", ["tools", "tests/check", "tests/stm32f7", "bench/size",
                              "bench/instructions", "bench/accuracy"],
                    5 * MINUTE_S, needs="clang"),
        man_step("man pages"),
        tool_step("size", "bench/size/run.py", "--growth"),
        tool_step("calls", "tools/check_calls.py"),
        instructions_step("instructions"),
        foreign_step("other processors", is_long),
        firmware_step("firmware single", "--real", "single", "build", "sizes"),
        firmware_step("processor in the loop", "pil"),
        firmware_step("single in the loop", "--real", "single", "pil"),
        tool_step("accuracy", "bench/accuracy/run.py", "--short", "--build", top("build", "clang")),
        tool_step("mutants", "tests/stm32f7/mutants.py", *([] if is_long else ["--short"])),
        symbols_step("symbols host", "release", "nm"),
        symbols_step("symbols arm", FIRMWARE, "arm-none-eabi-nm"),
        meson_step("tests clang", "clang", "--no-rebuild", "--suite", "unit"),
        meson_step("tests asan", "asan", "--no-rebuild", is_long=is_long),
        *([meson_step("seeds", "release", "--suite", "sim", is_long=True, seeds=SEEDS)]
          if is_long else []),
        tool_step("determinism", "tests/sim/compare_builds.py",
                  *(top("build", kind) for kind in kinds)),
    ]


def laboratory_steps(is_long):
    return [
        pytest_step("interop", ["tests/interop", "tests/daemon"],
                    (90 if is_long else 8) * MINUTE_S, needs="release", is_long=is_long,
                    without=FLOOD),
        pytest_step("daemon asan", ["tests/daemon"] if is_long else UNDER_SANITIZERS,
                    (90 if is_long else 4) * MINUTE_S, needs="asan", is_long=is_long,
                    without=FLOOD),
        *([lab_step("lab", "--all")] if is_long else []),
    ]


def flood_steps(is_long):
    return [pytest_step(name, FLOOD, 8 * MINUTE_S, needs=kind, is_long=is_long)
            for name, kind in (("flood", "release"), ("flood asan", "asan"))] + [
                tool_step("unicast", "bench/unicast/run.py", "--short", "--program",
                          top("build", "clang", "bench", "unicast", "bench-unicast")),
                tool_step("bench ntp", "bench/ntp/run.py", "--short", "--program",
                          top("build", "clang", "bench", "ntp", "bench-ntp"), "--meantimed",
                          top("build", "clang", "apps", "meantimed", "meantimed"))]


def all_lanes(is_long):
    """Groups of lanes: what all need comes first, what wants the machine for itself last."""
    images = firmware_step("firmware", "build", "sizes")  # laboratories run them, too
    return [[Lane([build_step("release"), images])],
            [Lane(laboratory_steps(is_long)), Lane(computing_steps(is_long), is_urgent=False)],
            [Lane(flood_steps(is_long))]]


def names_of(groups):
    return [name for lanes in groups for lane in lanes for name, _ in lane.steps]


def chosen(groups, only):
    if only is None:
        return groups
    wanted = only.split(",")
    unknown = sorted(set(wanted) - set(names_of(groups)))
    if unknown:
        sys.exit(f"check: no step {', '.join(unknown)}; --list names them")
    return [[Lane([step for step in lane.steps if step[0] in wanted], lane.is_urgent)
             for lane in lanes] for lanes in groups]


def in_turn(groups):
    return [[Lane(lane.steps)] for lanes in groups for lane in lanes]


def main():
    parser = argparse.ArgumentParser(prog="./dev check")
    parser.add_argument("--long", action="store_true", help="the whole matrix (80 minutes)")
    parser.add_argument("--only", metavar="STEP,...", help="these steps, by name")
    parser.add_argument("--in-turn", action="store_true", help="one step after the other")
    parser.add_argument("--list", action="store_true", help="name the steps")
    arguments = parser.parse_args()
    groups = chosen(all_lanes(arguments.long), arguments.only)
    if arguments.list:
        print("\n".join(names_of(groups)))
        return
    os.chdir(TOP)
    sys.exit(run_lanes(in_turn(groups) if arguments.in_turn else groups, top("build", "check")))


if __name__ == "__main__":
    main()
