# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The yardsticks are what theory says, and the judge sees what is beyond a limit."""
import math
import os
import subprocess

import checks
import jobs
import judge
import matrix
import plot
import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MEANTIME_BUILD", os.path.join(TOP, "build", "release"))
PROGRAM = os.path.join(BUILD, *jobs.PROGRAM)
CELL = matrix.Cell("exponential", 100, 1e-9, 1)

needs_program = pytest.mark.skipif(not os.path.exists(PROGRAM), reason="is not built")


def good_row(noise):
    row = {"noise": noise, "jitter_ns": 100, "wander": 1e-9, "interval_s": 1, "rms_ns": 15.0,
           "clock_rms_ns": 30.0, "bound_width_ns": 1e4, "mean_ns": 1.0, "max_ns": 60.0,
           "kf_ns": 29.0, "pf_ns": 13.4, "outside_bound": 0, "readings": 10 ** 6,
           "pi_ns": 99.0, "linreg_ns": 47.0, "riccati_ns": 29.0, "clock_limit_ns": 29.5,
           "kf_ratio": 0.52, "kf_ratio_ci": 0.01, "pf_ratio": 1.12, "pf_ratio_ci": 0.02,
           "innovation": 1.0, "deciles": [0.1] * 10}
    return row


def failures(row):
    judgement = judge.Judgement()
    judge.judge_row(judgement, row, matrix.read_table())
    return judgement.failed


def test_kalman_limit_is_that_of_the_table():
    for (interval, wander, jitter), row in matrix.read_table().items():
        cell = matrix.Cell("normal", jitter, wander, interval)
        assert matrix.table_kf_ns(cell) == pytest.approx(row["kf"], rel=0.005)


def test_table_has_every_cell():
    table = matrix.read_table()
    assert len(matrix.all_cells()) == 40
    assert all((c.interval_s, c.wander, c.jitter_ns) in table for c in matrix.all_cells())


def test_runs_last_200_time_constants():
    long = matrix.Cell("normal", 100000, 1e-10, 1)
    assert long.tau_s() == pytest.approx(841, rel=0.001)
    assert long.seconds() == pytest.approx(200 * long.tau_s())
    assert matrix.Cell("normal", 10, 1e-9, 1).seconds() == 20000


def test_ratio_is_pooled_and_its_interval_covers_the_spread():
    ratio, width = matrix.ratio_with_interval([(4, 1), (4, 1), (4, 1)], 1)
    assert (ratio, width) == (2, 0)
    ratio, width = matrix.ratio_with_interval([(1, 1), (9, 1), (1, 1), (9, 1)], 1)
    assert ratio == pytest.approx(math.sqrt(5))
    assert width > 1


@pytest.mark.parametrize("noise", matrix.NOISES)
def test_judge_is_content_with_a_good_row(noise):
    assert not failures(good_row(noise))


@pytest.mark.parametrize("noise, name, value", [
    ("normal", "kf_ratio", 1.11), ("normal", "innovation", 1.2), ("normal", "innovation", 0.8),
    ("exponential", "kf_ratio", 1.01), ("exponential", "pf_ratio", 1.7),
    ("exponential", "rms_ns", 32.0), ("exponential", "deciles", [0.12] + [0.0978] * 9),
    ("normal", "mean_ns", -3.1), ("normal", "clock_rms_ns", 33.0),
    ("normal", "outside_bound", 20), ("normal", "pi_ns", 14.0), ("normal", "linreg_ns", 14.0),
])
def test_judge_sees_each_figure_beyond_its_limit(noise, name, value):
    assert len(failures({**good_row(noise), name: value})) == 1


def test_judge_sees_the_median_of_the_cells():
    judgement = judge.Judgement()
    rows = [{**good_row("exponential"), "pf_ratio": ratio} for ratio in (1.1, 1.4, 1.5)]
    judge.judge_matrix(judgement, rows, matrix.read_table())
    assert len(judgement.failed) == 1


def test_judge_sees_a_chain_that_grows():
    chain = {"noise": "normal", "jitter_ns": 100, "interval_s": 1, "readings": 1000,
             "rms_ns": [30.0, 106.0], "outside_bound": [0, 0]}
    judgement = judge.Judgement()
    judge.judge_chain(judgement, [chain])
    assert len(judgement.failed) == 1


GOOD_WIDE = {"readings": 1000, "beyond": 0, "worst": 0.9, "perfect_beyond": 0,
             "perfect_worst": 0.9, "outside": 0, "steps": 1}


@pytest.mark.parametrize("changed, failures", [
    ({}, 0), ({"worst": 1.01, "beyond": 1}, 2), ({"perfect_worst": 1.2, "worst": 1.4}, 0),
    ({"perfect_worst": 1.2, "worst": 1.5}, 1), ({"perfect_beyond": 2, "beyond": 3}, 1),
    ({"steps": 2}, 1), ({"outside": 1}, 1),
])
def test_judge_grants_no_reading_beyond_but_those_of_the_perfect_filter(changed, failures):
    judgement = judge.Judgement()
    checks.judge_wide(judgement, "wide", [{**GOOD_WIDE, **changed}])
    assert len(judgement.failed) == failures


def test_plot_is_drawn(tmp_path):
    rows = [{**good_row(noise), "jitter_ns": jitter} for noise in matrix.NOISES
            for jitter in matrix.JITTERS_NS]
    path = tmp_path / "ratio.svg"
    plot.draw(rows, str(path))
    assert path.read_text(encoding="utf-8").startswith("<?xml")


@needs_program
def test_yardsticks_are_near_the_table():
    """Seeds 1 and 2, a third of the time: within what that leaves to chance."""
    row = matrix.read_table()[1, 1e-9, 100]
    runs = [jobs.run_one(PROGRAM, "cell", {**CELL.keys(seed, 0.3), "kalman": 1, "particles": 1})
            for seed in (1, 2)]
    assert matrix.rms(runs, "kalman_variance") == pytest.approx(row["kf"], rel=0.01)
    assert matrix.rms(runs, "kalman_squares") == pytest.approx(row["kf"], rel=0.08)
    assert matrix.rms(runs, "particle_squares") == pytest.approx(row["pf"], rel=0.15)


@needs_program
def test_equal_seeds_give_equal_figures():
    keys = {**CELL.keys(3), "seconds": 300, "discard_s": 100, "kalman": 1}
    assert jobs.run_one(PROGRAM, "cell", keys) == jobs.run_one(PROGRAM, "cell", keys)
    other = jobs.run_one(PROGRAM, "cell", {**keys, "seed": 4})
    assert other != jobs.run_one(PROGRAM, "cell", keys)


@needs_program
def test_program_refuses_what_it_does_not_know():
    for words in (["cell", "jiter_ns=1"], ["cell", "noise"], ["nonsense"]):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr.startswith("accuracy: ")
