# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The single checks, beside the matrix: what they run with, and what their figures must be."""
import dataclasses
import functools
import math
from typing import Callable

from matrix import Cell

WANDER = 1e-9
# Of 5 J + 3 sigma, where the perfect filter itself is beyond that: its own worst reading so often.
WORST_LIMIT = 1.2
COARSE_LIMIT_S = 3
FINE_LIMIT_S = 5
TRANSIENT_LIMIT = 3     # times the steady RMS
SILENCE_LIMIT = 1.25    # against the Kalman limit, where a silence is part of it
HOLDOVER_SHARE = 0.997  # of the seeds
HOLDOVER_WIDTH = 5      # the bound's wander part against the RMS of the error
HOLDOVER_S = 3600
CHUNK = 50              # seeds of one process


@dataclasses.dataclass(frozen=True)
class Check:
    name: str
    kind: str       # as the program calls it
    keys: tuple     # (name, value) pairs
    seeds: int
    judge: Callable  # (judgement, name, records) -> sentence with the figures

    def jobs(self, first_seed):
        keys = dict(self.keys)
        cost = keys["seconds"] * 2 ** -keys["sync_log2s"]
        for start in range(0, self.seeds, CHUNK):
            count = min(CHUNK, self.seeds - start)
            yield (self, self.kind, {**keys, "seed": first_seed + start, "seeds": count},
                   cost * count)


# ---- what must hold -----------------------------------------------------------------------------

def total(records, name):
    return sum(record[name] for record in records)


def judge_wide(judgement, name, records):
    """No reading beyond 5 J + 3 sigma, but where the filter that knows everything has some on the
    same samples: then no more of them, and the worst hardly worse."""
    readings = total(records, "readings")
    beyond = total(records, "beyond") / readings
    perfect = total(records, "perfect_beyond") / readings
    worst = max(record["worst"] for record in records)
    perfect_worst = max(record["perfect_worst"] for record in records)
    outside = total(records, "outside") / readings
    steps = max(record["steps"] for record in records)
    judgement.most(name, "share beyond 5 J + 3 sigma", beyond, perfect)
    judgement.most(name, "worst reading / (5 J + 3 sigma)", worst,
                   1 if perfect_worst <= 1 else WORST_LIMIT * perfect_worst)
    judgement.most(name, "steps", steps, 1)
    judgement.most(name, "share outside the bound", outside, 1e-5)
    return (f"beyond 5 J + 3 sigma {100 * beyond:.3f} % (perfect filter {100 * perfect:.3f} %), "
            f"worst {worst:.3g} times that ({perfect_worst:.3g}), "
            f"steps {steps}, outside {100 * outside:.3g} %")


def judge_shape(judgement, name, records):
    """The bound alone: nobody can find the mean of noise whose shape differs by direction."""
    outside = total(records, "outside") / total(records, "readings")
    mean = total(records, "mean_ns") / len(records)
    bound = total(records, "bound_ns") / len(records)
    judgement.most(name, "share outside the bound", outside, 1e-5)
    return f"outside {100 * outside:.3g} %, bound {bound:.0f} ns, mean error {mean:.0f} ns"


def judge_saturate(judgement, name, records):
    after = [record["after"] for record in records]
    share = min(record["saturated_share"] for record in records)
    judgement.within(name, "share of readings that say saturated, while it is", share, (0.8, 1))
    clock = max(record["clock_error_ns"] for record in records)
    judgement.most(name, "error of the clock in the end, ns", clock, 1000)
    return (f"told {100 * share:.0f} % of the time, clock in the end {clock:.0f} ns off, "
            f"then {judge_wide(judgement, name, after)}")


def judge_cold(judgement, name, records):
    coarse = max(record["coarse_s"] for record in records)
    fine = max(record["fine_s"] for record in records)
    judgement.most(name, "s to 1 us", coarse, COARSE_LIMIT_S)
    judgement.most(name, "s to 100 ns", fine, FINE_LIMIT_S)
    judgement.most(name, "steps", max(record["steps"] for record in records), 1)
    return f"slowest of {len(records)}: below 1 us in {coarse:.2f} s, 100 ns in {fine:.2f} s"


def kalman_after_silence(jitter_ns, interval_s, silence_s):
    """The Kalman limit (for w = 1e-9, samples close together) before and after a silence."""
    noise = jitter_ns ** 2 * interval_s / 2
    oo, of, ff = math.sqrt(2) * noise ** 0.75, math.sqrt(noise), math.sqrt(2) * noise ** 0.25
    t = silence_s
    return math.sqrt(oo), math.sqrt(oo + 2 * t * of + t * t * ff + t ** 3 / 3)


def judge_change(judgement, name, records, interval_s):
    steady = math.sqrt(total(records, "steady") / total(records, "readings"))
    moments = list(zip(*(record["errors"] for record in records)))
    transient = max(math.sqrt(sum(e * e for e in moment) / len(moment)) for moment in moments)
    silence = max(record["silence_s"] for record in records)
    before, after = kalman_after_silence(100, interval_s, silence)
    # nobody can do better than the filter that knows everything while nothing comes
    limit = max(TRANSIENT_LIMIT, SILENCE_LIMIT * after / before)
    judgement.most(name, "transient / steady rms", transient / steady, limit)
    judgement.most(name, "readings outside the bound", total(records, "outside"), 0)
    judgement.most(name, "steps", max(record["steps"] for record in records), 1)
    return (f"rms of {len(records)} seeds, ns: {steady:.4g} before, at most {transient:.4g} after "
            f"({transient / steady:.2f} times; silence {silence:.1f} s, limit {limit:.2f})")


def judge_holdover(judgement, name, records):
    inside = sum(abs(record["error"]) <= record["bound"] for record in records)
    error = math.sqrt(sum(record["error"] ** 2 for record in records) / len(records))
    expected = WANDER * 1e9 * HOLDOVER_S ** 1.5 / math.sqrt(3)
    growth = sum(record["bound"] - record["bound_before"] for record in records) / len(records)
    judgement.within(name, "share of seeds inside the bound", inside / len(records),
                     (HOLDOVER_SHARE, 1))
    wander = sum(record["wander_part"] for record in records) / len(records)
    judgement.most(name, "wander part of the bound / w t^1.5 / sqrt 3", wander / expected,
                   HOLDOVER_WIDTH)
    return (f"{inside} of {len(records)} inside after 1 h, error rms {error / 1e3:.4g} us "
            f"(w t^1.5 / sqrt 3: {expected / 1e3:.4g}), "
            f"wander part of the bound {wander / 1e3:.4g} us "
            f"({wander / expected:.2f} times), with max_drift {growth / 1e3:.4g} us")


# ---- what is run --------------------------------------------------------------------------------

def wide_check(name, interval_s, jitter_ns, seeds=4, noise="normal", seconds=2000, **keys):
    arguments = {"noise": noise, "jitter_ns": jitter_ns, "wander": WANDER, "delay_ns": 10000,
                 "seconds": seconds, "sync_log2s": round(math.log2(interval_s)), **keys}
    return Check(f"{name}, T {interval_s:g} s", "wide", tuple(arguments.items()), seeds,
                 judge_wide)


def wide_checks():
    for interval in (1, 0.125):
        for sign in (1, -1):
            yield wide_check(f"wander 1e-6, +-500 ppm, at {300 * sign} ppm", interval, 100,
                             wander=1e-6, frequency=sign * 300e-6, max_rate=500e-6)
            yield wide_check(f"wander 1e-4, {90000 * sign} ppm", interval, 100, wander=1e-4,
                             frequency=sign * 0.09, max_rate=1)
        for delay in (100, 1e6, 1e8):
            yield wide_check(f"delay {delay / 1e3:g} us", interval, 100, delay_ns=delay)
        for noise in ("normal", "exponential"):
            for jitter in (1e6, 1e8):
                seconds = 2000 * interval + 200
                yield wide_check(f"{noise} jitter {jitter / 1e6:g} ms", interval, jitter,
                                 noise=noise, delay_ns=1e8, seconds=seconds)


def pair_keys(noise, jitter_ns, interval_s, **keys):
    return tuple({"noise": noise, "jitter_ns": jitter_ns, "wander": WANDER,
                  "sync_log2s": round(math.log2(interval_s)), **keys}.items())


def shape_checks():
    for interval in (1, 0.125):
        keys = pair_keys("gamma", 1000, interval, shape=2, back=-1, delay_ns=10000,
                         asymmetry_ns=1, discard_s=200, seconds=4000)
        yield Check(f"gamma noise, one way only, max_asymmetry 1 ns, T {interval:g} s", "shape",
                    keys, 2, judge_shape)


def change_checks():
    for name, rival in (("a better grandmaster comes", 50), ("the grandmaster ends", 110)):
        for interval in (1, 0.125):
            tau = Cell("normal", 100, WANDER, interval).tau_s()
            keys = pair_keys("normal", 100, interval, rival=rival, discard_s=60 * tau,
                             seconds=60 * tau + 60)
            yield Check(f"change: {name}, T {interval:g} s", "change", keys, 40,
                        functools.partial(judge_change, interval_s=interval))


def all_checks():
    tau = Cell("normal", 100, WANDER, 1).tau_s()
    training = math.ceil(60 * tau)
    return [
        Check("cold start, 20 ppm, 20 ns", "cold",
              pair_keys("normal", 20, 1, frequency=20e-6, offset_s=-0.4, seconds=100), 200,
              judge_cold),
        *change_checks(),
        Check("holdover", "holdover",
              pair_keys("normal", 100, 1, discard_s=training, seconds=training + HOLDOVER_S),
              1000, judge_holdover),
        Check("saturation: from 450 to 550 of 500 ppm and back", "saturate",
              pair_keys("normal", 100, 1, max_rate=500e-6, frequency=450e-6, discard_s=300,
                        seconds=4600), 4, judge_saturate),
        *wide_checks(),
        *shape_checks(),
    ]


def judge_all(judgement, results):
    """results: check -> lists of records of its processes, in any order."""
    width = max(len(check.name) for check in results)
    for check, parts in results.items():
        records = [record for part in parts for record in part]
        print(f"{check.name:{width}}  {check.judge(judgement, check.name, records)}")
