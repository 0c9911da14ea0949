#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench instructions [--json FILE] [--judge] [--of FUNCTION]

Instructions of one estimator update on a Cortex-M4.  The core, as `meson` builds it for firmware,
runs the same traffic (two-way, exponential jitter of 100 ns, one exchange a second) on QEMU's
MPS2 board: the estimator alone on a free clock, and the discipline around it in a closed loop.

Two clocks count: SysTick under -icount shift=0, which gives one nanosecond to each instruction,
to 40 of them, and the trace of a run that is stepped one by one, exactly and by function.  The
build that counts, single precision on the floating-point unit, must agree in both.

The compiler's warnings of doubles are not errors here, so that there are figures in any case.
Ends with 1 if an update of that build takes more than 4000 instructions, or if anything in it is
double.  --judge: that build only.  --of FUNCTION: where its instructions go, instead of the
estimator's.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

import counting
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SIZE = os.path.join(TOP, "bench", "size")
BUILD = os.path.join(TOP, "build", "instructions")
TOOL = "arm-none-eabi-"
LIMIT = 4000
SECONDS = 600  # until one-sided noise has been found out, and some
TICK = 40
UPDATE, SAMPLE = "mt_estimator_update", "mt_discipline_sample"
PRINTED = {"update": UPDATE, "sample": SAMPLE}
FUNCTIONS = ("mt_real_sqrt", "mt_real_exp", "mt_real_log", "mt_real_erf", "mt_real_truncated",
             "span_and_back")

SOFT = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"]
HARD = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
# name -> precision, flags, further cross file; the first one is judged
BUILDS = {
    "single, hard float": ("single", HARD, "hard-float.ini"),
    "single, soft float": ("single", SOFT, None),
    "double, soft float": ("double", SOFT, None),
}
JUDGED = next(iter(BUILDS))

# routines of the compiler for numbers of double precision
DOUBLE = re.compile(r"__aeabi_(d\w+|cd\w+|\w+2d)|__\w+df\w*\d?")
# the core's files in which arithmetic with fractions is at home
REAL_ROOMS = re.compile(r"(base|servo|steer)_")


class Failure(Exception):
    pass


def run(*command, timeout_s=120):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:3])} ... failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def folder_of(name):
    return os.path.join(BUILD, re.sub(r"\W+", "-", name))


def build_core(name):
    precision, _, further = BUILDS[name]
    folder = folder_of(name)
    cross = [os.path.join(SIZE, "cortex-m4.ini")]
    if further:
        cross.append(os.path.join(HERE, further))
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run("meson", "setup", folder, TOP, *(f"--cross-file={file}" for file in cross),
            "-Dcore_only=true", f"-Dreal={precision}", "--buildtype=minsize",
            "-Db_staticpic=false", "-Dwerror=false")
    run("ninja", "-C", folder)
    return os.path.join(folder, "core", "libmeantime-core.a")


def build_image(name, library):
    precision, flags, _ = BUILDS[name]
    folder = folder_of(name)
    with open(os.path.join(folder, "traffic.h"), "w", encoding="utf-8") as file:
        file.write(traffic.header(SECONDS))
    flags = ["-std=c11", "-O2", *flags, "-ffreestanding", "-ffp-contract=off", "-Wall", "-Wextra",
             "-Werror", "-fno-builtin", "-fno-tree-loop-distribute-patterns",
             "-I", HERE, "-I", folder, "-I", os.path.join(TOP, "core", "include")]
    if precision == "single":
        flags.append("-DMT_REAL_SINGLE")
    image = os.path.join(folder, "image.elf")
    run(TOOL + "gcc", *flags, "-nostdlib", "-nostartfiles", "-T", os.path.join(HERE, "image.ld"),
        "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-o", image,
        *(os.path.join(HERE, file) for file in ("main.c", "board.c")),
        os.path.join(SIZE, "memory.c"), library, "-lgcc")
    return image


def emulate(image, *arguments):
    """What the program prints: name -> numbers."""
    output = run("qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
                 "-serial", "none", "-chardev", "stdio,id=said",
                 "-semihosting-config", "enable=on,target=native,chardev=said", *arguments,
                 "-kernel", image)
    numbers = {}
    for line in output.splitlines():
        name, number = line.split()
        numbers.setdefault(name, []).append(int(number))
    if FUNCTIONS[-1] not in numbers:
        raise Failure(f"{image} did not come to its end:\n{output[-500:]}")
    return numbers


def functions_of(image):
    rows = (line.split() for line in run(TOOL + "nm", image).splitlines())
    return [(int(row[0], 16) & ~1, row[2]) for row in rows
            if len(row) == 3 and row[1] in "tT" and not row[2].startswith("$")]


def traced(image):
    """Symbols, and for each followed function a Counter of addresses for each call."""
    symbols = counting.Symbols(functions_of(image))
    path = image + ".trace"
    emulate(image, "-singlestep", "-d", "nochain,exec", "-D", path)
    calls = counting.Calls(symbols, PRINTED.values())
    with open(path, encoding="ascii", errors="replace") as file:
        calls.follow(counting.program_counters(file))
    os.remove(path)
    return symbols, calls.calls


def doubles_in(undefined):
    """member: symbol, for routines of double precision that the estimators' files want, from
    `nm -u` of the library."""
    found, member = [], ""
    for line in undefined.splitlines():
        if line.endswith(":"):
            member = line[:-1]
            continue
        symbol = line.split()[-1] if line else ""
        if REAL_ROOMS.match(member) and DOUBLE.fullmatch(symbol):
            found.append(f"{member}: {symbol}")
    return found


def summary(name, counts):
    return {"build": name[0], "function": name[1], "mean": round(statistics.mean(counts)),
            "median": round(statistics.median(counts)), "max": max(counts), "calls": len(counts)}


def disagreement(name, ticked, exact):
    """SysTick counts the call and its own reading, too, and only in whole ticks."""
    if len(ticked) != len(exact):
        return [f"{name}: {len(ticked)} calls by SysTick, {len(exact)} in the trace"]
    worst = max(abs(a - b) for a, b in zip(ticked, exact))
    return [f"{name}: SysTick and trace differ by {worst} instructions"] if worst > 2 * TICK else []


def print_places(symbols, calls, name):
    """A mean call and the longest one, by function."""
    total = sum(calls, start=counting.Counter())
    mean = counting.by_function(total, symbols)
    most = counting.by_function(max(calls, key=lambda call: call.total()), symbols)
    print(f"\n{name}, instructions by function:\n{'mean':>9} {'longest':>9}")
    for function, count in mean.most_common():
        print(f"{count / len(calls):9.1f} {most[function]:9}  {function}")


def measure(name, library):
    """Rows of the table, complaints, and what was traced, if this build is the judged one."""
    image = build_image(name, library)
    ticked = emulate(image, "-icount", "shift=0")
    spin = ticked["spin"][0]
    missed = [] if abs(spin - 20000) <= 2 * TICK else [f"{name}: 20000 instructions count {spin}"]
    if name == JUDGED and ticked["is_skewed"] != [1]:
        missed.append(f"{name}: has not found out that noise is one-sided, so that is not counted")
    if ticked["is_locked"] != [1] or ticked["offset_ns"][0] > 1000:
        missed.append(f"{name}: does not follow: {ticked['offset_ns'][0]} ns")
    counts = {function: ticked[printed] for printed, function in PRINTED.items()}
    places = None
    if name == JUDGED:
        places = symbols, calls = traced(image)
        exact = {function: [call.total() for call in calls[function]] for function in calls}
        # the discipline calls the estimator, too
        alone = exact[UPDATE][:len(counts[UPDATE])]
        missed += disagreement(UPDATE, counts[UPDATE], alone)
        missed += disagreement(SAMPLE, counts[SAMPLE], exact[SAMPLE])
        counts = exact
    print(f"{name}: mean call of " +
          ", ".join(f"{function} {ticked[function][0]}" for function in FUNCTIONS))
    return [summary((name, function), counts[function]) for function in counts], missed, places


def judge(rows, doubles):
    missed = [f"{row['build']}: an update takes up to {row['max']} instructions, limit {LIMIT}"
              for row in rows
              if row["build"] == JUDGED and row["function"] == UPDATE and row["max"] > LIMIT]
    return missed + [f"double precision in the single build: {what}" for what in doubles]


def print_table(rows):
    print(f"{'build':20} {'function':22} {'calls':>6} {'mean':>7} {'median':>7} {'max':>7}")
    for row in rows:
        print(f"{row['build']:20} {row['function']:22} {row['calls']:6} {row['mean']:7} "
              f"{row['median']:7} {row['max']:7}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench instructions")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--judge", action="store_true", help="only the build that has a limit")
    parser.add_argument("--of", metavar="FUNCTION", choices=list(PRINTED.values()),
                        default=UPDATE, help="what to show in detail")
    arguments = parser.parse_args()
    rows, missed = [], []
    try:
        for name in [JUDGED] if arguments.judge else BUILDS:
            library = build_core(name)
            more, complaints, places = measure(name, library)
            rows += more
            missed += complaints
            if places:
                detail = places
                missed += judge(more, doubles_in(run(TOOL + "nm", "-u", library)) + [
                    f"{name} in the image" for name in places[0].addresses
                    if DOUBLE.fullmatch(name)])
    except (Failure, subprocess.TimeoutExpired, FileNotFoundError) as failure:
        sys.exit(f"instructions: {failure}")
    print_table(rows)
    print_places(detail[0], detail[1][arguments.of], arguments.of)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"limit": LIMIT, "rows": rows}, file, indent=1)
            file.write("\n")
    for line in missed:
        print(line)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
