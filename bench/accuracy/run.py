#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench accuracy [--json FILE] [--plot FILE] [--cell NOISE,JITTER,WANDER,INTERVAL]
                           [--seed N] [--seeds N] [--short] [--only matrix,chain,checks]

How far from the best possible is the published time?  Each cell runs in the simulator with the
daemon's own configuration: a perfect grandmaster, a receiver with a wandering oscillator, jitter
between them.  Beside it, on the same messages and read at the same instants:

  kf       a Kalman filter that knows wander, jitter and delay; riccati: what it expects of itself
  pf       for one-sided (exponential) jitter, a particle filter that knows them
  clock    the steered clock against the best steering by frequency alone
  nis      mean square of the normalised innovations: 1 if the estimator knows its own errors
  (table)  the committed figures for one measurement of variance J^2 / 2 in each interval

JITTER is in ns (standard deviation of each direction), WANDER per square root of a second,
INTERVAL in s (1, 0.125, ...).  --seed N runs that one, --seeds N the first N and pools them.
Exits 1 when something is outside its limit.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import checks  # noqa: E402
import jobs  # noqa: E402
import judge  # noqa: E402
import matrix  # noqa: E402

SERVOS = ("pi", "linreg")
JSON_NAMES = ("noise", "jitter_ns", "wander", "interval_s", "rms_ns", "clock_rms_ns",
              "bound_width_ns", "mean_ns", "max_ns", "kf_ns", "pf_ns", "outside_bound",
              "readings", "pi_ns", "linreg_ns", "riccati_ns", "clock_limit_ns", "kf_ratio",
              "kf_ratio_ci", "pf_ratio", "pf_ratio_ci", "innovation", "deciles")
CHAIN_HOPS = 10
CHAIN_WANDER = 1e-9
CHAIN_JITTERS_NS = (10, 100, 1000)


def has_servo(program, servo):
    """Whether the configuration knows that servo."""
    keys = matrix.Cell("normal", 100, 1e-9, 1).keys(1)
    try:
        jobs.run_one(program, "cell", {**keys, "seconds": 60, "discard_s": 30, "servo": servo})
    except jobs.Failure:
        return False
    return True


def measure_cells(options, cells, scale=1):
    servos = [servo for servo in SERVOS if has_servo(options.program, servo)]
    work = []
    for cell in cells:
        work += [cell.jobs(seed, None, scale) for seed in options.seeds]
        work += [cell.jobs(options.seeds[0], servo, scale) for servo in servos]
    results = jobs.run_all(options.program, work)
    return [matrix.pool(cell, results[cell, None], {s: results[cell, s] for s in servos})
            for cell in cells]


def chain_jobs(options, noise, jitter, interval, seconds):
    cell = matrix.Cell(noise, jitter, CHAIN_WANDER, interval)
    for seed in options.seeds:
        keys = {**cell.keys(seed), "hops": CHAIN_HOPS, "seconds": seconds,
                "discard_s": seconds / 10}
        yield cell, "chain", keys, CHAIN_HOPS * seconds / interval


def measure_chains(options, combinations, seconds):
    work = [job for noise, jitter, interval in combinations
            for job in chain_jobs(options, noise, jitter, interval, seconds)]
    rows = []
    for cell, results in sorted(jobs.run_all(options.program, work).items(),
                                key=lambda item: (item[0].noise != "normal", -item[0].interval_s,
                                                  item[0].jitter_ns)):
        readings = sum(result["readings"] for result in results)
        hops = [sum(column) for column in zip(*(result["hops"] for result in results))]
        rows.append({"noise": cell.noise, "interval_s": cell.interval_s,
                     "jitter_ns": cell.jitter_ns,
                     "rms_ns": [(squares / readings) ** 0.5 for squares in hops]})
    return rows


def all_chains():
    return [(noise, jitter, interval) for noise in matrix.NOISES for interval in matrix.INTERVALS_S
            for jitter in CHAIN_JITTERS_NS]


def short_cells():
    return [matrix.Cell("normal", 100, 1e-9, 1), matrix.Cell("normal", 1000, 1e-9, 1),
            matrix.Cell("exponential", 100, 1e-9, 1), matrix.Cell("exponential", 1000, 1e-10, 1)]


def parse_cell(text):
    words = text.split(",")
    if len(words) != 4 or words[0] not in matrix.NOISES:
        raise argparse.ArgumentTypeError("is NOISE,JITTER,WANDER,INTERVAL, such as "
                                         "exponential,100,1e-9,1")
    return matrix.Cell(words[0], *(float(word) for word in words[1:]))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--plot", metavar="FILE", help="ratio over jitter, .svg or .png")
    parser.add_argument("--cell", metavar="NOISE,JITTER,WANDER,INTERVAL", type=parse_cell,
                        action="append", help="only this one; may be given again")
    parser.add_argument("--seed", metavar="N", type=int)
    parser.add_argument("--seeds", metavar="N", type=int, default=None)
    parser.add_argument("--short", action="store_true", help="what ./dev check runs")
    parser.add_argument("--only", metavar="PART,...", default="matrix,chain,checks")
    parser.add_argument("--scale", metavar="X", type=float, default=1,
                        help="shorter runs for a first look; not what is promised")
    parser.add_argument("--build", default=os.path.join(TOP, "build", "release"),
                        help="folder of the build")
    options = parser.parse_args()
    options.program = os.path.join(options.build, *jobs.PROGRAM)
    options.seeds = ([options.seed] if options.seed is not None
                     else list(range(1, 1 + (options.seeds or 1))))
    options.parts = options.only.split(",")
    return options


def measure_checks(options):
    """Check -> lists of records."""
    chosen = checks.all_checks()
    results = jobs.run_all(options.program,
                           [job for check in chosen for job in check.jobs(options.seeds[0])])
    return {check: results[check] for check in chosen}


def measure(options):
    """Rows of the matrix, rows of the chains, records of the checks."""
    if options.cell:
        return measure_cells(options, options.cell, options.scale), [], {}
    if options.short:
        return (measure_cells(options, short_cells(), 0.25),
                measure_chains(options, [("normal", 100, 1)], 5000), {})
    rows = measure_cells(options, matrix.all_cells(), options.scale) \
        if "matrix" in options.parts else []
    chain = measure_chains(options, all_chains(), 20000 * options.scale) \
        if "chain" in options.parts else []
    return rows, chain, measure_checks(options) if "checks" in options.parts else {}


def write_json(path, rows, chain):
    cells = [{name: row[name] for name in JSON_NAMES if name in row} for row in rows]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"cells": cells, "chain": chain}, file, indent=1)
        file.write("\n")


def main():
    options = parse_arguments()
    table = matrix.read_table()
    judgement = judge.Judgement()
    try:
        rows, chain, records = measure(options)
    except jobs.Failure as failure:
        sys.exit(f"accuracy: {failure}")
    if rows:
        judge.print_table(rows, table)
    judge.print_chain(chain)
    if records:
        checks.judge_all(judgement, records)
    judge.judge_matrix(judgement, rows, table)
    judge.judge_chain(judgement, chain)
    if options.json:
        write_json(options.json, rows, chain)
    for sentence in judgement.failed:
        print(f"accuracy: {sentence}")
    print(f"accuracy: {judgement.count - len(judgement.failed)} held, "
          f"{len(judgement.failed)} did not")
    sys.exit(1 if judgement.failed else 0)


if __name__ == "__main__":
    main()
