/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * core/servo/kalman: what it learns from one-way measurements of an oscillator that wanders.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/servo_kalman.h"
#include "servo_world.h"

static struct bench {
    struct mt_kalman filter;
    struct world random; /* for its numbers only */
    double t;
    double last; /* the latest sample */
    double offset;
    double rate;
    double delay;
    double jitter;
    double wander;
    double interval; /* s between samples of a direction */
    int lost;
    int outliers;
} bench;

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){.rate = 50e-6, .delay = 100e-6, .jitter = 1e-6, .interval = 1};
    world_init(&bench.random, 1);
    mt_kalman_init(&bench.filter);
    return 0;
}

static void pass(double s)
{
    double a = bench.wander * world_normal(&bench.random) * mt_real_sqrt((mt_real)s);
    double b = bench.wander * world_normal(&bench.random) * mt_real_sqrt((mt_real)s);

    bench.offset += bench.rate * s + s * (a / 2 + b * 0.28867513459);
    bench.rate += a;
    bench.t += s;
}

static enum mt_kalman_verdict feed(enum mt_sample_kind kind, double more)
{
    double value = kind == MT_SAMPLE_REVERSE ? -bench.offset : bench.offset;
    mt_real elapsed = (mt_real)(bench.t - bench.last);
    enum mt_kalman_verdict verdict;

    value += bench.jitter * world_normal(&bench.random) + more;
    value += kind == MT_SAMPLE_OFFSET ? 0 : bench.delay;
    verdict = mt_kalman_update(&bench.filter, kind, (mt_real)value, elapsed);
    bench.last = bench.t;
    bench.lost += verdict == MT_KALMAN_LOST;
    bench.outliers += verdict == MT_KALMAN_OUTLIER;
    return verdict;
}

/* rounds of a forward and a reverse sample */
static void run(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        pass(bench.interval * 0.4);
        feed(MT_SAMPLE_FORWARD, 0);
        pass(bench.interval * 0.6);
        feed(MT_SAMPLE_REVERSE, 0);
    }
}

static double offset_error(void)
{
    return mt_real_abs((mt_real)(bench.offset - bench.filter.offset));
}

static double rate_error(void)
{
    return mt_real_abs((mt_real)(bench.rate - bench.filter.rate));
}

static void kalman_knows_rate_offset_and_delay_when_it_starts_cold(void **state)
{
    static const double jitters[] = {10e-9, 1e-6, 100e-6};

    for (size_t i = 0; i < sizeof jitters / sizeof jitters[0]; i++) {
        set_up(state);
        bench.jitter = jitters[i];
        run(7);
        assert_true(bench.filter.count >= 8);
        assert_true(offset_error() < 3 * bench.jitter);
        assert_true(rate_error() < bench.jitter);
        assert_true(mt_real_abs((mt_real)bench.delay - bench.filter.delay) < 3 * bench.jitter);
    }
}

static void kalman_says_nothing_of_the_rate_when_it_has_too_few(void **state)
{
    (void)state;
    pass(1);
    assert_int_equal(feed(MT_SAMPLE_FORWARD, 0), MT_KALMAN_LEARNS);
    pass(1);
    assert_int_equal(feed(MT_SAMPLE_FORWARD, 0), MT_KALMAN_LEARNS);
    assert_int_equal(bench.filter.count, 0); /* offset and delay are one */
    pass(1);
    assert_int_equal(feed(MT_SAMPLE_REVERSE, 0), MT_KALMAN_LEARNS);
    pass(1);
    assert_int_equal(feed(MT_SAMPLE_FORWARD, 0), MT_KALMAN_LEARNS);
    assert_int_equal(bench.filter.count, 1);
}

/* in units of the noise, over many starts */
static void kalman_knows_how_sure_it_is_when_it_has_just_been_placed(void **state)
{
    enum { STARTS = 4000 };
    double oo = 0;
    double od = 0;
    double dd = 0;
    double rr = 0;
    double ro = 0;

    (void)state;
    for (int i = 0; i < STARTS; i++) {
        mt_kalman_init(&bench.filter);
        feed(MT_SAMPLE_FORWARD, 0);
        pass(0.3);
        feed(MT_SAMPLE_REVERSE, 0);
        pass(0.7);
        feed(MT_SAMPLE_FORWARD, 0);
        assert_int_equal(bench.filter.count, 1);
        double o = (bench.filter.offset - bench.offset) / bench.jitter;
        double d = (bench.filter.delay - bench.delay) / bench.jitter;
        double r = (bench.filter.rate - bench.rate) / bench.jitter;
        oo += o * o / STARTS;
        od += o * d / STARTS;
        dd += d * d / STARTS;
        rr += r * r / STARTS;
        ro += o * r / STARTS;
    }
    assert_true(mt_real_abs((mt_real)oo / bench.filter.oo - 1) < 0.1);
    assert_true(mt_real_abs((mt_real)dd / bench.filter.dd - 1) < 0.1);
    assert_true(mt_real_abs((mt_real)rr / bench.filter.rr - 1) < 0.1);
    assert_true(mt_real_abs((mt_real)od - bench.filter.od) < 0.05);
    assert_true(mt_real_abs((mt_real)ro - bench.filter.ro) < 0.1);
}

static void kalman_knows_the_noise_when_it_has_started(void **state)
{
    double noise = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        mt_kalman_init(&bench.filter);
        while (bench.filter.count < 8) {
            run(1);
        }
        noise += bench.filter.noise / (bench.jitter * bench.jitter) / 1000;
    }
    assert_true(noise > 0.9 && noise < 1.1);
}

static void kalman_needs_no_second_direction_when_offsets_come(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        pass(1);
        feed(MT_SAMPLE_OFFSET, 0);
    }
    assert_true(offset_error() < 2 * bench.jitter);
    assert_true(rate_error() < 0.2e-6);
    assert_true(bench.filter.delay == 0);
}

/* geometric mean of 1000 rounds, against the truth */
static void learned(double *ret_noise, double *ret_wander)
{
    double noise = 0;
    double wander = 0;

    run(1500);
    for (int i = 0; i < 1000; i++) {
        run(1);
        noise += mt_real_log(bench.filter.noise);
        wander += mt_real_log(bench.filter.wander);
    }
    *ret_noise = mt_real_exp((mt_real)(noise / 1000)) / (bench.jitter * bench.jitter);
    *ret_wander = mt_real_exp((mt_real)(wander / 1000)) / (bench.wander * bench.wander);
}

static void kalman_learns_noise_and_wander_when_they_are(void **state)
{
    static const struct {
        double jitter;
        double wander;
        double interval;
    } cases[] = {
        {10e-9, 1e-9, 1},  {10e-9, 1e-8, 1},  {10e-9, 10e-9, 0.125}, {1e-6, 1e-9, 1},
        {1e-6, 1e-8, 1},   {10e-6, 1e-8, 1},  {10e-9, 1e-7, 1},      {100e-9, 1e-9, 0.125},
        {10e-9, 1e-10, 1}, {10e-9, 1e-9, 16},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double noise;
        double wander;

        set_up(state);
        bench.jitter = cases[i].jitter;
        bench.wander = cases[i].wander;
        bench.interval = cases[i].interval;
        learned(&noise, &wander);
        assert_true(noise > 0.7 && noise < 1.4);
        assert_true(wander > 0.4 && wander < 2.5);
        assert_int_equal(bench.lost, 0);
    }
}

static void kalman_learns_anew_when_the_noise_changes(void **state)
{
    (void)state;
    bench.wander = 1e-9;
    run(300);
    bench.jitter = 20e-6;
    run(200);
    assert_true(bench.filter.noise > 100e-12 && bench.filter.noise < 1600e-12);
    bench.jitter = 0.5e-6;
    run(700);
    assert_true(bench.filter.noise > 0.1e-12 && bench.filter.noise < 0.6e-12);
    assert_true(offset_error() < 2 * bench.jitter);
}

static void kalman_leaves_an_outlier_out_when_it_is_settled(void **state)
{
    (void)state;
    bench.wander = 1e-9;
    run(200);
    for (int i = 0; i < 30; i++) {
        double error = offset_error();

        assert_int_equal(feed(MT_SAMPLE_FORWARD, 1e-3), MT_KALMAN_OUTLIER);
        assert_true(mt_real_abs((mt_real)(offset_error() - error)) < 1e-12);
        run(10);
    }
    assert_int_equal(bench.lost, 0);
    assert_true(offset_error() < 2 * bench.jitter);
    assert_true(bench.filter.noise < 16 * bench.jitter * bench.jitter);
}

static void kalman_begins_anew_when_the_source_has_stepped(void **state)
{
    double rate;

    (void)state;
    bench.wander = 1e-9;
    run(200);
    rate = bench.filter.rate;
    bench.offset += 1e-3;
    for (int i = 0; bench.lost == 0; i++) {
        assert_true(i < 3);
        run(1);
    }
    assert_true(bench.filter.rate == (mt_real)rate);
    run(3);
    assert_true(offset_error() < 3 * bench.jitter);
    assert_true(rate_error() < 0.2e-6); /* it was kept */
    assert_int_equal(bench.lost, 1);
}

static void kalman_begins_anew_when_the_path_has_changed(void **state)
{
    (void)state;
    run(200);
    bench.delay = 300e-6;
    run(8);
    assert_int_equal(bench.lost, 1);
    assert_true(offset_error() < 3 * bench.jitter);
    assert_true(mt_real_abs((mt_real)bench.delay - bench.filter.delay) < 3 * bench.jitter);
}

/* The rate that is kept is wrong: the second time nothing is kept. */
static void kalman_forgets_the_rate_when_it_is_lost_again(void **state)
{
    (void)state;
    run(200);
    bench.rate -= 80e-6;
    run(80);
    assert_true(rate_error() < 0.2e-6);
    assert_true(offset_error() < 2 * bench.jitter);
}

static void kalman_bridges_a_gap_when_samples_are_missing(void **state)
{
    mt_real before;

    (void)state;
    bench.jitter = 10e-9;
    bench.wander = 1e-9;
    run(1000);
    before = bench.filter.oo;
    pass(1000);
    assert_int_equal(feed(MT_SAMPLE_FORWARD, 0), MT_KALMAN_USED);
    run(1);
    assert_int_equal(bench.lost + bench.outliers, 0);
    assert_true(bench.filter.oo > before); /* less sure than it was */
    run(30);
    assert_true(offset_error() < 3 * bench.jitter);
}

static void kalman_takes_a_late_sample_when_others_overtook_it(void **state)
{
    double value;
    double at;

    (void)state;
    run(300);
    pass(0.1);
    at = bench.t;
    value = -bench.offset + bench.delay;
    pass(0.5);
    feed(MT_SAMPLE_FORWARD, 0);
    /* 25 us of drift in that half second are no outlier */
    assert_int_equal(mt_kalman_update(&bench.filter, MT_SAMPLE_REVERSE, (mt_real)value,
                                      (mt_real)(at - bench.last)),
                     MT_KALMAN_USED);
    assert_true(offset_error() < 2 * bench.jitter);
}

static void kalman_refuses_what_is_no_measurement(void **state)
{
    static const volatile double zero = 0;
    const mt_real bad[] = {(mt_real)(zero / zero), (mt_real)(1 / zero), (mt_real)(-1 / zero),
                           MT_REAL(1e30)};

    (void)state;
    run(100);
    struct mt_kalman before = bench.filter;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mt_kalman_update(&bench.filter, MT_SAMPLE_FORWARD, bad[i], 1),
                         MT_KALMAN_OUTLIER);
        assert_int_equal(mt_kalman_update(&bench.filter, MT_SAMPLE_FORWARD, 0, bad[i]),
                         MT_KALMAN_OUTLIER);
        assert_memory_equal(&before, &bench.filter, sizeof before);
    }
}

static void kalman_stays_a_number_when_there_is_no_noise(void **state)
{
    (void)state;
    bench.jitter = 0;
    run(3000);
    assert_true(bench.filter.noise > 0);
    assert_true(offset_error() < 1e-9);
    assert_true(rate_error() < 1e-9);
}

/* in single precision hours between samples suffice */
static void kalman_begins_anew_when_it_holds_what_is_no_number(void **state)
{
    mt_real *parts[] = {&bench.filter.oo, &bench.filter.noise, &bench.filter.wander,
                        &bench.filter.rate, &bench.filter.rr};
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        set_up(state);
        run(300);
        *parts[i] = i % 2 == 0 ? INFINITY : NAN;
        run(300);
        assert_int_equal(bench.lost, 1);
        assert_true(offset_error() < 1e-6);
        assert_true(rate_error() < 1e-6);
    }
}

static void kalman_follows_when_the_clock_runs_at_another_rate(void **state)
{
    (void)state;
    run(300);
    pass(0.4);
    mt_kalman_rate_changed(&bench.filter, MT_REAL(-50e-6), MT_REAL(0.4));
    bench.rate -= 50e-6;
    run(20);
    assert_int_equal(bench.lost + bench.outliers, 0);
    assert_true(offset_error() < 2 * bench.jitter);
    assert_true(rate_error() < 0.1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kalman_knows_rate_offset_and_delay_when_it_starts_cold, set_up),
        cmocka_unit_test_setup(kalman_says_nothing_of_the_rate_when_it_has_too_few, set_up),
        cmocka_unit_test_setup(kalman_knows_how_sure_it_is_when_it_has_just_been_placed, set_up),
        cmocka_unit_test_setup(kalman_knows_the_noise_when_it_has_started, set_up),
        cmocka_unit_test_setup(kalman_needs_no_second_direction_when_offsets_come, set_up),
        cmocka_unit_test_setup(kalman_learns_noise_and_wander_when_they_are, set_up),
        cmocka_unit_test_setup(kalman_learns_anew_when_the_noise_changes, set_up),
        cmocka_unit_test_setup(kalman_leaves_an_outlier_out_when_it_is_settled, set_up),
        cmocka_unit_test_setup(kalman_begins_anew_when_the_source_has_stepped, set_up),
        cmocka_unit_test_setup(kalman_begins_anew_when_the_path_has_changed, set_up),
        cmocka_unit_test_setup(kalman_forgets_the_rate_when_it_is_lost_again, set_up),
        cmocka_unit_test_setup(kalman_bridges_a_gap_when_samples_are_missing, set_up),
        cmocka_unit_test_setup(kalman_takes_a_late_sample_when_others_overtook_it, set_up),
        cmocka_unit_test_setup(kalman_refuses_what_is_no_measurement, set_up),
        cmocka_unit_test_setup(kalman_stays_a_number_when_there_is_no_noise, set_up),
        cmocka_unit_test_setup(kalman_begins_anew_when_it_holds_what_is_no_number, set_up),
        cmocka_unit_test_setup(kalman_follows_when_the_clock_runs_at_another_rate, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
