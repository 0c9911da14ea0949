# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The rows of NTP and reference clocks: the published time against the computed optimum for the
same readings."""
import dataclasses
import math

import judge
import matrix

RATIO_LIMIT = 1.2      # against the Kalman filter that knows everything
SECONDS = 40000
DISCARD_S = 4000


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    jitter_ns: float
    wander: float
    interval_s: float

    def jobs(self, seeds, scale=1):
        """(key, kind, arguments, cost) of each seed."""
        for seed in seeds:
            keys = {"jitter_ns": self.jitter_ns, "wander": self.wander, "seed": seed,
                    "sync_log2s": round(math.log2(self.interval_s)),
                    "seconds": SECONDS * scale, "discard_s": DISCARD_S * scale}
            yield self, "refclock", keys, keys["seconds"] / self.interval_s


def all_rows():
    return [Row(f"refclock {1 / interval:g} Hz, jitter {jitter:g} ns, wander {wander * 1e9:g} ppb",
                jitter, wander, interval)
            for interval, jitter in ((1, 1000), (0.25, 100)) for wander in (1e-9, 1e-8)]


def pool(row, own):
    readings = sum(result["readings"] for result in own)
    rms_ns = matrix.rms(own, "squares")
    kf_ns = matrix.rms(own, "kalman_squares")
    ratio, spread = matrix.ratio_with_interval(
        [batch for result in own for batch in result["batches"]], 1)
    return {"name": row.name, "rms_ns": rms_ns, "limit_ns": RATIO_LIMIT * kf_ns, "kf_ns": kf_ns,
            "riccati_ns": math.sqrt(sum(r["kalman_variance"] for r in own) / readings),
            "kf_ratio": ratio, "kf_ratio_ci": spread,
            "outside_bound": sum(r["outside"] + r["unbounded"] for r in own),
            "readings": readings}


def judge_all(judgement, rows):
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        print(f"ntp {row['name']:{width}}  rms {row['rms_ns']:.4g} ns, kf {row['kf_ns']:.4g}, "
              f"riccati {row['riccati_ns']:.4g}, ratio {row['kf_ratio']:.3f} "
              f"+- {row['kf_ratio_ci']:.3f}, outside {row['outside_bound']:.0f}")
        judgement.most(row["name"], "rms / kf", row["kf_ratio"], RATIO_LIMIT)
        judgement.most(row["name"], "share outside the bound",
                       row["outside_bound"] / row["readings"], judge.OUTSIDE_LIMIT)
