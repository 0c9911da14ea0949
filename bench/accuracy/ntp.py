# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The rows of NTP and reference clocks: the published time against the computed optimum for the
same readings."""
import dataclasses
import math

import judge
import matrix

KF_LIMIT = 1.2         # against the Kalman filter that knows everything
PF_LIMIT = 1.4         # with exponential noise, against the particle filter that does
INTERVALS = 20000      # of a run, but no shorter than
SECONDS = 40000
DISCARD_SHARE = 0.1
DELAY_NS = 100_000
AUTO = 64              # readings are as if it asked so often


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    kind: str           # as the program calls it
    jitter_ns: float
    wander: float
    interval_s: float
    keys: tuple = ()

    @property
    def is_exponential(self):
        return dict(self.keys).get("noise") == "exponential"

    def jobs(self, seeds, scale=1):
        """(key, kind, arguments, cost) of each seed."""
        seconds = max(SECONDS, INTERVALS * self.interval_s) * scale
        for seed in seeds:
            keys = {"jitter_ns": self.jitter_ns, "wander": self.wander, "seed": seed,
                    "sync_log2s": round(math.log2(self.interval_s)), "noise": "normal",
                    "seconds": seconds, "discard_s": seconds * DISCARD_SHARE,
                    "delay_ns": DELAY_NS, "particles": int(self.is_exponential),
                    **dict(self.keys)}
            yield self, self.kind, keys, seconds / self.interval_s


def ntp_row(name, jitter_ns, wander, poll, most=None, **keys):
    interval_s = 2.0 ** poll if most is None else AUTO
    return Row(f"{name}, wander {wander * 1e9:g} ppb", "ntp", jitter_ns, wander, interval_s,
               tuple({"min_poll": poll, "max_poll": poll if most is None else most,
                      **keys}.items()))


def all_rows():
    rows = [Row(f"refclock {1 / interval:g} Hz, jitter {jitter:g} ns, wander {wander * 1e9:g} ppb",
                "refclock", jitter, wander, interval)
            for interval, jitter in ((1, 1000), (0.25, 100)) for wander in (1e-9, 1e-8)]
    rows += [ntp_row("LAN, jitter 10 us, poll 4", 1e4, wander, 4) for wander in (1e-9, 1e-8)]
    rows.append(ntp_row("LAN, jitter 1 us, 64 s", 1e3, 1e-9, 6))
    rows += [ntp_row(f"hardware, jitter 10 ns, interleaved, {2.0 ** poll:g} s", 10, 1e-9, poll,
                     interleaved=1) for poll in (-2, 0, 2, 3)]
    rows.append(ntp_row("WAN, exponential 1 ms, automatic", 1e6, 1e-9, 6, 10, noise="exponential"))
    rows.append(ntp_row("jitter 100 us, automatic 64 s to 1024 s", 1e5, 1e-9, 6, 10))
    return rows


def pool(row, own):
    readings = sum(result["readings"] for result in own)
    yardstick, column, limit = (("particle_squares", 2, PF_LIMIT) if row.is_exponential
                                else ("kalman_squares", 1, KF_LIMIT))
    rms_ns = matrix.rms(own, "squares")
    best_ns = matrix.rms(own, yardstick)
    ratio, spread = matrix.ratio_with_interval(
        [batch for result in own for batch in result["batches"]], column)
    return {"name": row.name, "rms_ns": rms_ns, "limit_ns": limit * best_ns, "best_ns": best_ns,
            "limit": limit, "kf_ns": matrix.rms(own, "kalman_squares"),
            "riccati_ns": math.sqrt(sum(r["kalman_variance"] for r in own) / readings),
            "ratio": ratio, "ratio_ci": spread,
            "outside_bound": sum(r["outside"] + r["unbounded"] for r in own),
            "readings": readings, "messages": sum(r["messages"] for r in own)}


def judge_all(judgement, rows):
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        print(f"ntp {row['name']:{width}}  rms {row['rms_ns']:.4g} ns, best {row['best_ns']:.4g}, "
              f"kf {row['kf_ns']:.4g} ({row['riccati_ns']:.4g}), ratio {row['ratio']:.3f} "
              f"+- {row['ratio_ci']:.3f}, outside {row['outside_bound']:.0f}")
        judgement.most(row["name"], "rms / best", row["ratio"], row["limit"])
        judgement.most(row["name"], "share outside the bound",
                       row["outside_bound"] / row["readings"], judge.OUTSIDE_LIMIT)
