# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What must hold, and the table that shows it."""
import statistics

from matrix import PEERS

KF_LIMIT = 1.10           # normal jitter, against the Kalman filter that knows everything
PF_LIMIT = 1.60           # one-sided jitter, against the particle filter that does
PF_MEDIAN_LIMIT = 1.30    # ... in the median cell
CLOCK_LIMIT = 1.10        # the steered clock, against the best steering by frequency only
MEAN_LIMIT = 0.03         # of the jitter
OUTSIDE_LIMIT = 1e-5      # of the readings
INNOVATION = (0.9, 1.1)   # mean square, normalised, normal jitter
DECILE = (0.09, 0.11)     # of the probability integral transform, other jitter
CHAIN_LIMIT = 3.5         # last hop against the first


class Judgement:
    """Collects what was compared with what."""

    def __init__(self):
        self.failed = []
        self.count = 0

    def most(self, where, what, value, limit):
        self.count += 1
        is_held = value is not None and value <= limit
        if not is_held:
            self.failed.append(f"{where}: {what} {value:.4g} is above {limit:.4g}")
        return is_held

    def within(self, where, what, value, limits):
        self.count += 1
        is_held = value is not None and limits[0] <= value <= limits[1]
        if not is_held:
            self.failed.append(f"{where}: {what} {value:.4g} is outside "
                               f"{limits[0]:.4g} to {limits[1]:.4g}")
        return is_held


def place(row):
    return (f"{row['noise']},{row['jitter_ns']:g},{row['wander']:g},{row['interval_s']:g}")


def judge_normal(judgement, row):
    where = place(row)
    judgement.most(where, "rms / kf", row["kf_ratio"], KF_LIMIT)
    if row["innovation"] is not None:
        judgement.within(where, "mean square of the innovations", row["innovation"], INNOVATION)


def worst_decile(row):
    """Its number, from 1, and its share, which should be a tenth."""
    return max(enumerate(row["deciles"], 1), key=lambda item: abs(item[1] - 0.1))


def judge_exponential(judgement, row, table):
    where = place(row)
    judgement.most(where, "rms / kf", row["kf_ratio"], 1)
    judgement.most(where, "rms / pf", row["pf_ratio"], PF_LIMIT)
    if row["deciles"] is not None:
        number, share = worst_decile(row)
        judgement.within(where, f"share of innovations in decile {number}", share, DECILE)
    peers = table.get((row["interval_s"], row["wander"], row["jitter_ns"]))
    if peers is not None:
        best = min(PEERS, key=lambda name: peers[name])
        judgement.most(where, f"rms, ns, against {best}", row["rms_ns"], peers[best])


def judge_row(judgement, row, table):
    where = place(row)
    if row["noise"] == "normal":
        judge_normal(judgement, row)
    else:
        judge_exponential(judgement, row, table)
    judgement.most(where, "|mean| / jitter", abs(row["mean_ns"]) / row["jitter_ns"], MEAN_LIMIT)
    judgement.most(where, "clock / limit", row["clock_rms_ns"] / row["clock_limit_ns"],
                   CLOCK_LIMIT)
    judgement.most(where, "share outside the bound", row["outside_bound"] / row["readings"],
                   OUTSIDE_LIMIT)
    for servo in ("pi", "linreg"):
        if row[f"{servo}_ns"] is not None:
            judgement.most(where, f"rms / {servo}", row["rms_ns"] / row[f"{servo}_ns"], 1)


def judge_matrix(judgement, rows, table):
    for row in rows:
        judge_row(judgement, row, table)
    ratios = [row["pf_ratio"] for row in rows if row["noise"] == "exponential"]
    if len(ratios) > 2:
        judgement.most("exponential", "median of rms / pf", statistics.median(ratios),
                       PF_MEDIAN_LIMIT)


def judge_chain(judgement, chain):
    for row in chain:
        where = f"chain,{row['noise']},{row['jitter_ns']:g},{row['interval_s']:g}"
        if row["noise"] == "normal":
            judgement.most(where, "last hop / first", row["rms_ns"][-1] / row["rms_ns"][0],
                           CHAIN_LIMIT)
        judgement.most(where, "share outside the bound",
                       sum(row["outside_bound"]) / (len(row["rms_ns"]) * row["readings"]),
                       OUTSIDE_LIMIT)


# ---- the table ----------------------------------------------------------------------------------

def number(value, form=".4g"):
    return "-" if value is None else format(value, form)


def columns(table):
    """(heading, width, what stands there)"""
    def expected(row, name):
        peers = table.get((row["interval_s"], row["wander"], row["jitter_ns"]))
        return peers[name] if peers else None

    def one_sided(row, value):
        return value if row["noise"] != "normal" else None

    return [
        ("noise", 6, lambda row: row["noise"][:6]),
        ("T s", 5, lambda row: number(row["interval_s"])),
        ("wander", 6, lambda row: f"{row['wander']:g}"),
        ("J ns", 6, lambda row: f"{row['jitter_ns']:g}"),
        ("rms ns", 7, lambda row: number(row["rms_ns"])),
        ("kf", 6, lambda row: number(row["kf_ns"])),
        ("riccati", 7, lambda row: number(row["riccati_ns"])),
        ("(table)", 7, lambda row: number(expected(row, "kf"))),
        ("pf", 6, lambda row: number(one_sided(row, row["pf_ns"]))),
        ("(table)", 7, lambda row: number(one_sided(row, expected(row, "pf")))),
        ("rms/kf", 6, lambda row: number(row["kf_ratio"], ".3f")),
        ("+-", 5, lambda row: number(row["kf_ratio_ci"], ".3f")),
        ("rms/pf", 6, lambda row: number(row.get("pf_ratio"), ".3f")),
        ("+-", 5, lambda row: number(row.get("pf_ratio_ci"), ".3f")),
        ("clock", 6, lambda row: number(row["clock_rms_ns"] / row["clock_limit_ns"], ".3f")),
        ("mean/J", 7, lambda row: number(row["mean_ns"] / row["jitter_ns"], ".4f")),
        ("bound", 7, lambda row: number(row["bound_width_ns"])),
        ("out", 4, lambda row: str(round(row["outside_bound"]))),
        ("nis", 5, lambda row: number(row["innovation"], ".2f")),
        ("pit", 5, lambda row: number(row["deciles"] and worst_decile(row)[1] * 10, ".2f")),
        ("pi", 6, lambda row: number(row["pi_ns"])),
        ("linreg", 6, lambda row: number(row["linreg_ns"])),
    ]


def print_table(rows, table):
    shown = columns(table)
    print("  ".join(f"{heading:>{width}}" for heading, width, _ in shown))
    for row in rows:
        print("  ".join(f"{text(row):>{width}}" for _, width, text in shown))


def print_chain(chain):
    for row in chain:
        hops = " ".join(f"{value:.4g}" for value in row["rms_ns"])
        print(f"chain {row['noise']:11}  T {row['interval_s']:<5g} J {row['jitter_ns']:<6g} "
              f"last/first {row['rms_ns'][-1] / row['rms_ns'][0]:.2f}  "
              f"outside {sum(row['outside_bound'])}  rms ns: {hops}")
