#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench accuracy [--json FILE] [--plot FILE] [--cell NOISE,JITTER,WANDER,INTERVAL]
                           [--seed N] [--seeds N] [--short] [--only matrix,ntp,chain,checks]

How far from the best possible is the published time?  Each cell runs in the simulator with the
daemon's own configuration: a perfect grandmaster, a receiver with a wandering oscillator, jitter
between them.  Beside it, on the same messages and read at the same instants:

  kf       a Kalman filter that knows wander, jitter and delay; riccati: what it expects of itself
  pf       for one-sided (exponential) jitter, a particle filter that knows them
  clock    the steered clock against the best steering by frequency alone
  nis      mean square of the normalised innovations: 1 if the estimator knows its own errors
  pit      the decile of its expectations that is farthest from holding a tenth of the samples,
           times 10
  (table)  the committed figures for one measurement of variance J^2 / 2 in each interval

The rows of NTP and of reference clocks (ntp) have a node that asks one server, or hears one
reference clock; their yardstick is the Kalman filter that sees the same packets, or with
exponential noise the particle filter.

JITTER is in ns (standard deviation of each direction), WANDER per square root of a second,
INTERVAL in s (1, 0.125, ...).  --seed N runs that one, --seeds N the first N and pools them;
without either the cells have three, and chains, pi and linreg one.
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
import ntp  # noqa: E402
import plot  # noqa: E402

SERVOS = ("pi", "linreg")
SEEDS = 3
JSON_NAMES = ("noise", "jitter_ns", "wander", "interval_s", "rms_ns", "clock_rms_ns",
              "bound_width_ns", "mean_ns", "max_ns", "kf_ns", "pf_ns", "outside_bound",
              "readings", "pi_ns", "linreg_ns", "riccati_ns", "clock_limit_ns", "kf_ratio",
              "kf_ratio_ci", "pf_ratio", "pf_ratio_ci", "innovation", "deciles")
CHAIN_HOPS = 10
CHAIN_WANDER = 1e-9
CHAIN_JITTERS_NS = (10, 100, 1000)
CHAIN_S = 20000
CHAIN_SHOWN_S = 4000
CHAIN_DISCARD_S = 2000
SHORT_CHECKS = ("cold", "change")


def cell_jobs(options, cells, servos, scale):
    for cell in cells:
        for seed in options.seeds:
            yield cell.job(seed, None, scale)
        for servo in servos:
            yield cell.job(options.seeds[0], servo, scale)


def pool_cells(results, cells, servos):
    return [matrix.pool(cell, results[cell, None], {s: results[cell, s] for s in servos})
            for cell in cells]


def chain_jobs(options, chains):
    """chains: (cell, seconds) pairs."""
    for cell, seconds in chains:
        for seed in options.seeds if options.has_seeds else options.seeds[:1]:
            keys = {**cell.keys(seed), "hops": CHAIN_HOPS, "seconds": seconds,
                    "discard_s": min(CHAIN_DISCARD_S, seconds / 2)}
            yield ("chain", cell), "chain", keys, CHAIN_HOPS * seconds / cell.interval_s


def pool_chains(results, chains):
    rows = []
    for cell, _ in chains:
        runs = results["chain", cell]
        readings = sum(run["readings"] for run in runs)
        hops = [sum(column) for column in zip(*(run["hops"] for run in runs))]
        rows.append({"noise": cell.noise, "interval_s": cell.interval_s,
                     "jitter_ns": cell.jitter_ns,
                     "rms_ns": [(squares / readings) ** 0.5 for squares in hops],
                     "outside_bound": [sum(column) for column in
                                       zip(*(run["outside"] for run in runs))],
                     "readings": readings})
    return rows


def all_chains(scale):
    """Those with normal jitter are judged, the others shown."""
    return [(matrix.Cell(noise, jitter, CHAIN_WANDER, interval),
             scale * (CHAIN_S if noise == "normal" else CHAIN_SHOWN_S))
            for noise in matrix.NOISES for interval in matrix.INTERVALS_S
            for jitter in CHAIN_JITTERS_NS]


def short_cells():
    return [matrix.Cell(noise, jitter, 1e-9, 1) for noise in matrix.NOISES
            for jitter in (100, 1000)]


def choose_ntp(options):
    is_wanted = not options.cell and (options.short or "ntp" in options.parts)
    return [row for row in ntp.all_rows() if not (options.short and row.is_exponential)
            ] if is_wanted else []


def choose(options):
    """Cells, their scale, chains, checks."""
    if options.cell:
        return options.cell, options.scale, [], []
    if options.short:
        chosen = [check for check in checks.all_checks()
                  if check.kind in SHORT_CHECKS and dict(check.keys)["sync_log2s"] == 0]
        return short_cells(), 1, [(matrix.Cell("normal", 100, CHAIN_WANDER, 1), CHAIN_S)], chosen
    return (matrix.all_cells() if "matrix" in options.parts else [], options.scale,
            all_chains(options.scale) if "chain" in options.parts else [],
            checks.all_checks() if "checks" in options.parts else [])


def measure(options):
    """Rows of the matrix, of NTP, of the chains, records of the checks."""
    cells, scale, chains, chosen = choose(options)
    rows = choose_ntp(options)
    servos = [] if options.short else SERVOS
    work = list(cell_jobs(options, cells, servos, scale))
    work += chain_jobs(options, chains)
    work += [job for row in rows for job in row.jobs(options.seeds, options.scale)]
    work += [job for check in chosen for job in check.jobs(options.seeds[0])]
    results = jobs.run_all(options.program, work)
    return (pool_cells(results, cells, servos), [ntp.pool(row, results[row]) for row in rows],
            pool_chains(results, chains),
            {check: results[check] for check in chosen})


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
    parser.add_argument("--only", metavar="PART,...", default="matrix,ntp,chain,checks")
    parser.add_argument("--scale", metavar="X", type=float, default=1,
                        help="shorter runs for a first look; not what is promised")
    parser.add_argument("--build", default=os.path.join(TOP, "build", "release"),
                        help="folder of the build")
    options = parser.parse_args()
    options.program = os.path.join(options.build, *jobs.PROGRAM)
    options.has_seeds = options.seeds is not None
    options.seeds = ([options.seed] if options.seed is not None
                     else list(range(1, 1 + (options.seeds or (1 if options.short else SEEDS)))))
    options.parts = options.only.split(",")
    return options


def write_json(path, rows, ntp_rows, chain):
    """"chain" has what is judged, "chain_shown" the others."""
    cells = [{name: row[name] for name in JSON_NAMES if name in row} for row in rows]
    whole = {"cells": cells, "ntp": ntp_rows,
             "chain": [row for row in chain if row["noise"] == "normal"],
             "chain_shown": [row for row in chain if row["noise"] != "normal"]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)
        file.write("\n")


def main():
    options = parse_arguments()
    table = matrix.read_table()
    judgement = judge.Judgement()
    try:
        rows, ntp_rows, chain, records = measure(options)
    except jobs.Failure as failure:
        sys.exit(f"accuracy: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    if rows:
        judge.print_table(rows, table)
    ntp.judge_all(judgement, ntp_rows)
    judge.print_chain(chain)
    if records:
        checks.judge_all(judgement, records)
    judge.judge_matrix(judgement, rows, table)
    judge.judge_chain(judgement, chain)
    if options.json:
        write_json(options.json, rows, ntp_rows, chain)
    if options.plot and rows:
        plot.draw(rows, options.plot)
    for sentence in judgement.failed:
        print(f"accuracy: {sentence}")
    print(f"accuracy: {judgement.count - len(judgement.failed)} held, "
          f"{len(judgement.failed)} did not")
    sys.exit(1 if judgement.failed else 0)


if __name__ == "__main__":
    main()
