# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The cells of the matrix: what is measured in each, and what comes of it."""
import csv
import dataclasses
import math
import os

NOISES = ("normal", "exponential")
JITTERS_NS = (10, 100, 1000, 10000, 100000)
WANDERS = (1e-9, 1e-10)
INTERVALS_S = (1, 0.125)
PEERS = ("ptp4l_pi", "ptp4l_linreg", "ptp4l_tuned", "statime", "chrony")

PARTICLE_COST = 1.5  # against simulating a message
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "limits.csv")


@dataclasses.dataclass(frozen=True)
class Cell:
    noise: str
    jitter_ns: float
    wander: float
    interval_s: float

    def tau_s(self):
        jitter = self.jitter_ns * 1e-9
        return (jitter ** 2 * self.interval_s / (2 * self.wander ** 2)) ** 0.25

    def seconds(self):
        return max(200 * self.tau_s(), 20000)

    def discard_s(self):
        return max(20 * self.tau_s(), 2000)

    def keys(self, seed, scale=1):
        """Arguments of the program; scale < 1 for a shorter run."""
        return {"noise": self.noise, "jitter_ns": self.jitter_ns, "wander": self.wander,
                "sync_log2s": round(math.log2(self.interval_s)), "seed": seed,
                "seconds": self.seconds() * scale, "discard_s": self.discard_s() * scale}

    def job(self, seed, servo=None, scale=1):
        """(key, kind, arguments, cost) of a servo; the default one with the yardsticks."""
        keys = self.keys(seed, scale)
        cost = keys["seconds"] / self.interval_s
        if servo is not None:
            return ((self, servo), "cell", {**keys, "servo": servo}, cost)
        has_particles = self.noise == "exponential"
        return ((self, None), "cell", {**keys, "kalman": 1, "particles": int(has_particles)},
                cost * (1 + PARTICLE_COST * has_particles))


def all_cells():
    return [Cell(noise, jitter, wander, interval) for noise in NOISES for interval in INTERVALS_S
            for wander in WANDERS for jitter in JITTERS_NS]


def read_table():
    """(interval, wander, jitter) -> the committed figures of that row."""
    with open(TABLE, encoding="utf-8") as file:
        return {tuple(float(row[name]) for name in ("interval_s", "wander", "jitter_ns")):
                {name: float(value) for name, value in row.items()}
                for row in csv.DictReader(file)}


def table_kf_ns(cell):
    """The Kalman limit as the committed table has it: one measurement of variance J^2 / 2 for
    each interval, in the steady state, averaged over the interval."""
    t, w2 = cell.interval_s, (cell.wander * 1e9) ** 2
    noise = cell.jitter_ns ** 2 / 2
    p = [noise, 0.0, noise / t ** 2]
    for _ in range(int(60 * cell.tau_s() / t) + 200):
        oo = p[0] + 2 * t * p[1] + t * t * p[2] + w2 * t ** 3 / 3
        of = p[1] + t * p[2] + w2 * t * t / 2
        ff = p[2] + w2 * t
        gain = oo / (oo + noise)
        p = [oo * (1 - gain), of * (1 - gain), ff - of * of / (oo + noise)]
    return math.sqrt(p[0] + t * p[1] + t * t * p[2] / 3 + w2 * t ** 3 / 12)


def ratio_with_interval(batches, column):
    """RMS against column's, and half the width of its 95 % interval (jackknife over batches)."""
    own = sum(batch[0] for batch in batches)
    other = sum(batch[column] for batch in batches)
    if other <= 0:
        return None, None
    without = [math.sqrt((own - batch[0]) / (other - batch[column])) for batch in batches]
    mean = sum(without) / len(without)
    variance = sum((ratio - mean) ** 2 for ratio in without) * (len(without) - 1) / len(without)
    return math.sqrt(own / other), 1.96 * math.sqrt(variance)


def rms(results, name):
    readings = sum(result["readings"] for result in results)
    return math.sqrt(sum(result[name] for result in results) / readings)


def pool(cell, own, servos):
    """All that is known of a cell, its seeds pooled; servos: name -> results."""
    readings = sum(result["readings"] for result in own)

    def mean(name):
        return sum(result[name] for result in own) / readings

    batches = [batch for result in own for batch in result["batches"]]
    has_particles = cell.noise == "exponential"
    kf_ns = rms(own, "kalman_squares")
    ramp_ns2 = sum(result["ramp"] for result in own) / len(own)
    row = {
        "noise": cell.noise, "jitter_ns": cell.jitter_ns, "wander": cell.wander,
        "interval_s": cell.interval_s, "rms_ns": rms(own, "squares"),
        "clock_rms_ns": rms(own, "clock_squares"), "bound_width_ns": mean("bound"),
        "mean_ns": mean("error"), "max_ns": max(result["max"] for result in own),
        "kf_ns": kf_ns, "pf_ns": rms(own, "particle_squares") if has_particles else kf_ns,
        "outside_bound": sum(r["outside"] + r["unbounded"] for r in own), "readings": readings,
        "pi_ns": None, "linreg_ns": None,
        "riccati_ns": math.sqrt(mean("kalman_variance")),
        "clock_limit_ns": math.sqrt(kf_ns ** 2 + ramp_ns2),
        "unlocked": mean("unlocked"), "steps": sum(result["steps"] for result in own),
        "rescued": sum(result["rescued"] for result in own),
    }
    row["kf_ratio"], row["kf_ratio_ci"] = ratio_with_interval(batches, 1)
    if has_particles:
        row["pf_ratio"], row["pf_ratio_ci"] = ratio_with_interval(batches, 2)
    add_innovations(row, own)
    for servo, results in servos.items():
        row[f"{servo}_ns"] = rms(results, "squares")
    return row


def add_innovations(row, own):
    count = sum(result["innovations"] for result in own)
    row["innovation"] = sum(r["innovation_squares"] for r in own) / count if count else None
    deciles = [sum(column) for column in zip(*(result["deciles"] for result in own))]
    row["deciles"] = [d / sum(deciles) for d in deciles] if sum(deciles) else None
