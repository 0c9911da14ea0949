#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: mutants.py [--short] [--cc COMPILER] [--show]

Breaks the driver of the STM32F767 in each way that mutants.def lists, one at a time, and runs the
tests of the driver on the model of the chip.  Exits 1 if the tests are content with a mutant, or if
one no longer applies.  --short: only those that the list marks with a star.  --show: what fails.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DRIVER = os.path.join(TOP, "platform", "stm32f7")
PARTS = ("ptp", "mac", "phy", "board", "clock", "controller")
TESTS = {"ptp": ("ptp", "board", "clock"), "mac": ("mac", "board", "clock"),
         "phy": ("board", "mac"), "board": ("board", "ptp"), "clock": ("clock",),
         "controller": ("controller",)}
BENCH = ("bench", "model", "model_clock", "model_dma", "model_phy")
FLAGS = ["-std=c17", "-O1", "-w", "-ffp-contract=off", "-fno-math-errno", "-DMT_STM32F7_MODEL",
         "-I", TOP, "-I", os.path.join(TOP, "core", "include"), "-I", os.path.join(TOP, "core"),
         "-I", HERE]
SECONDS = 60  # a mutant that never ends has been noticed


def run(command):
    subprocess.run(command, check=True, cwd=TOP)


class Bench:
    """All that is not mutated, compiled once."""

    def __init__(self, compiler, folder):
        self.compiler = compiler
        self.folder = folder
        sources = [os.path.join(DRIVER, f"stm32f7_{part}.c") for part in PARTS]
        sources += [os.path.join(HERE, f"{name}.c") for name in BENCH]
        sources += [os.path.join(TOP, "core", "base", f"{name}.c") for name in
                    ("real", "real_functions", "time")]
        self.objects = {os.path.basename(source)[:-2]: self.compile(source, source)
                        for source in sources}
        self.tests = {name: self.compile(os.path.join(HERE, f"test_{name}.c"), f"test_{name}.c")
                      for name in sorted({test for tests in TESTS.values() for test in tests})}

    def compile(self, source, name):
        made = os.path.join(self.folder, os.path.basename(name)[:-2] + ".o")
        run([self.compiler, *FLAGS, "-c", source, "-o", made])
        return made

    def failure(self, part, made, label):
        """The name of the first test that fails; None if all are content."""
        others = [path for name, path in self.objects.items() if name != f"stm32f7_{part}"]
        for test in TESTS[part]:
            program = os.path.join(self.folder, f"{label}-{test}")
            run([self.compiler, self.tests[test], made, *others, "-lcmocka", "-o", program])
            try:
                done = subprocess.run([program], capture_output=True, text=True, cwd=TOP,
                                      timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return f"{test}: does not end"
            if done.returncode != 0:
                failed = re.findall(r"FAILED  \] (stm32f7\w+)", done.stderr + done.stdout)
                return failed[0] if failed else f"{test}: status {done.returncode}"
        return None


def read_mutants(path):
    """(is in the short run, part, text, its replacement) of each paragraph."""
    with open(path, encoding="utf-8") as file:
        paragraphs = re.sub(r"^# .*\n", "", file.read(), flags=re.MULTILINE).strip().split("\n\n")
    for paragraph in paragraphs:
        head, _, change = paragraph.partition("\n")
        old, _, new = (change + "\n").partition("\n=>\n")
        part = head.strip("* ")
        if source_of(part).count(old) != 1:
            sys.exit(f"mutants: in {part} there is not exactly one\n{old}")
        yield head.startswith("*"), part, old, new.rstrip("\n")


def source_of(part):
    with open(os.path.join(DRIVER, f"stm32f7_{part}.c"), encoding="utf-8") as file:
        return file.read()


def try_mutant(bench, number, part, old, new):
    path = os.path.join(bench.folder, f"{number}-{part}.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source_of(part).replace(old, new))
    return bench.failure(part, bench.compile(path, path), str(number))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    mutants = [mutant[1:] for mutant in read_mutants(os.path.join(HERE, "mutants.def"))
               if mutant[0] or not arguments.short]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bench = Bench(arguments.cc, folder)
        for part in PARTS:
            unchanged = bench.failure(part, bench.objects[f"stm32f7_{part}"], f"whole-{part}")
            if unchanged:
                sys.exit(f"mutants: without any mutation {unchanged} fails")
        tried = [pool.submit(try_mutant, bench, number, *mutant)
                 for number, mutant in enumerate(mutants)]
        for (part, old, new), outcome in zip(mutants, tried):
            failed = outcome.result()
            survivors += not failed
            if not failed or arguments.show:
                print(f"{part}: {old.strip()!r} -> {new.strip()!r}: {failed or 'SURVIVES'}")
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants caught")
    sys.exit(1 if survivors or not mutants else 0)


if __name__ == "__main__":
    main()
