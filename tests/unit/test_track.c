/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state and its covariance: process noise, corrections as changes of coordinates, the update
 * against the textbook's, and that the covariance stays positive when numbers differ by decades.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "servo/track_private.h"

#define ROUNDED (32 * MT_REAL_EPSILON) /* some operations */

static struct mt_instant at_s(double s)
{
    struct mt_instant epoch = {1700000000, 0, 0, MT_SCALE_TAI};

    return mt_instant_plus(epoch, mt_span_from_ns((int64_t)(s * 1e9)));
}

static struct mt_track some_track(void)
{
    return (struct mt_track){
        .at = at_s(0),
        .x = {1e-6, 2e-5, 3e-6},
        .p = {{4e-14, 1e-15, -1e-14}, {1e-15, 9e-16, 2e-16}, {-1e-14, 2e-16, 5e-14}},
    };
}

static void assert_near(double a, double b, double tolerance)
{
    assert_true(fabs(a - b) <= (tolerance + ROUNDED) * (fabs(a) + fabs(b)) / 2);
}

static double offset_of(const struct mt_track *track)
{
    return (double)track->base.s + track->base.ns * 1e-9 + track->base.frac / 65536e9 +
           (double)track->x[0];
}

static void predict_s(struct mt_track *track, double wander, double s)
{
    struct mt_instant at = at_s(s);

    mt_track_predict(track, wander, &at);
}

static void track_adds_the_integrated_noise_when_predicted(void **state)
{
    struct mt_track track = some_track();
    double dt = 8;
    double q = 1e-15;

    (void)state;
    predict_s(&track, q, dt);
    assert_near(offset_of(&track), 1e-6 + dt * 2e-5, 1e-12);
    assert_near(track.p[0][0], 4e-14 + 2 * dt * 1e-15 + dt * dt * 9e-16 + q * dt * dt * dt / 3,
                1e-12);
    assert_near(track.p[0][1], 1e-15 + dt * 9e-16 + q * dt * dt / 2, 1e-12);
    assert_near(track.p[1][1], 9e-16 + q * dt, 1e-12);
    assert_near(track.p[0][2], -1e-14 + dt * 2e-16, 1e-12);
    assert_true(track.p[1][0] == track.p[0][1] && track.p[2][0] == track.p[0][2]);
    assert_true(track.p[2][2] > 5e-14); /* the delay may have changed a little */
    assert_true(track.p[2][2] < 5e-14 + dt * 1e-18);
}

static void track_is_the_same_when_predicted_in_two_steps(void **state)
{
    struct mt_track once = some_track();
    struct mt_track twice = some_track();

    (void)state;
    predict_s(&once, 1e-15, 10);
    predict_s(&twice, 1e-15, 3);
    predict_s(&twice, 1e-15, 10);
    for (int i = 0; i < 3; i++) {
        assert_near(i == 0 ? offset_of(&once) : once.x[i], i == 0 ? offset_of(&twice) : twice.x[i],
                    1e-12);
        for (int j = 0; j < 3; j++) {
            assert_near(once.p[i][j], twice.p[i][j], 1e-12);
        }
    }
}

static void track_returns_when_predicted_back_without_noise(void **state)
{
    struct mt_track track = some_track();

    (void)state;
    predict_s(&track, 0, -5);
    assert_near(offset_of(&track), 1e-6 - 5 * 2e-5, 1e-12);
    predict_s(&track, 0, 0);
    assert_near(track.p[0][0], 4e-14, 1e-9);
    assert_near(offset_of(&track), 1e-6, 1e-9);
}

static void track_is_rounded_by_picoseconds_when_the_offset_grows(void **state)
{
    struct mt_track track = {.at = at_s(0), .x = {0, MT_REAL(21e-6), 0}};
    const double frequency = track.x[1];

    (void)state;
    for (int s = 1; s <= 3000; s++) {
        predict_s(&track, 0, s);
    }
    assert_true(fabs(offset_of(&track) - 3000 * frequency) < 3000 * 2e-12);
}

/* what is predicted for a moment does not depend on whether the clock is corrected before it */
static void track_predicts_the_same_when_the_rate_was_changed(void **state)
{
    struct mt_track kept = some_track();
    struct mt_track moved = some_track();
    double delta = -60e-6;
    struct mt_instant change = at_s(4);
    struct mt_instant later = at_s(4 + 6 * (1 + delta)); /* at_s(10) of the unchanged clock */

    (void)state;
    mt_track_rate_changed(&moved, delta, &change);
    mt_track_predict(&moved, 0, &later);
    predict_s(&kept, 0, 10);
    assert_near(offset_of(&moved) - 6 * delta, offset_of(&kept), 1e-9);
    assert_near(1 - moved.x[1], (1 - kept.x[1]) / (1 + delta), 1e-15);
}

static void track_moves_reading_and_offset_when_stepped(void **state)
{
    struct mt_track track = some_track();
    struct mt_span by = {-1700000000, 5, 7};
    struct mt_instant then = at_s(0);

    (void)state;
    mt_track_stepped(&track, &by);
    then = mt_instant_plus(then, by);
    assert_int_equal(mt_instant_compare(track.at, then), 0);
    assert_int_equal(mt_span_compare(track.base, by), 0);
    assert_true(track.x[0] == MT_REAL(1e-6));
}

static void track_updates_as_the_textbook_when_measured(void **state)
{
    struct mt_track track = some_track();
    const struct mt_track before = some_track();
    struct mt_measurement measured = {.h = {1, -2, -1}, .value = 7e-6, .noise = 1e-14};
    double s = measured.noise;
    double gain[3];
    double ph[3] = {0, 0, 0};
    double expected = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            ph[i] += before.p[i][j] * measured.h[j];
        }
        s += ph[i] * measured.h[i];
        expected -= measured.h[i] * before.x[i];
    }
    mt_track_weigh(&track, &measured);
    assert_near(measured.sigma * measured.sigma, s, 1e-12);
    assert_near(measured.innovation * measured.sigma, measured.value - expected, 1e-12);
    assert_near(measured.share, 1e-14 / s, 1e-12);
    mt_track_absorb(&track, &measured);
    for (int i = 0; i < 3; i++) {
        gain[i] = -ph[i] / s;
        assert_near(track.x[i], before.x[i] + gain[i] * (measured.value - expected), 1e-9);
        for (int j = 0; j < 3; j++) {
            assert_near(track.p[i][j], before.p[i][j] + gain[i] * ph[j], 1e-9);
            assert_true(track.p[i][j] == track.p[j][i]);
        }
    }
}

/* all leading minors positive, in spite of variances that differ by 10^30 */
static void track_stays_positive_when_numbers_differ_by_decades(void **state)
{
    static const double noises[] = {1e-20, 1e-18, 1e-12, 1e-6};
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 1);
    for (int run = 0; run < 500; run++) {
        struct mt_track track = {.at = at_s(0), .p = {{1e-2, 0, 0}, {0, 1e-2, 0}, {0, 0, 1e-2}}};
        double t = 0;

        for (int n = 0; n < 40; n++) {
            double sign = mt_prng_below(&prng, 2) ? 1 : -1;
            struct mt_measurement measured = {
                .h = {sign, 0, 1},
                .noise = noises[mt_prng_below(&prng, 4)],
            };
            mt_real(*p)[3] = track.p;

            t += mt_prng_below(&prng, 20) == 0 ? 1e6 : 0.01 * mt_prng_below(&prng, 100);
            predict_s(&track, 1e-17, t);
            mt_track_weigh(&track, &measured);
            assert_true(measured.sigma > 0);
            mt_track_absorb(&track, &measured);
            for (int i = 0; i < 3; i++) {
                assert_true(p[i][i] > 0);
                for (int j = 0; j < i; j++) {
                    assert_true((double)p[i][j] * p[i][j] <= (double)p[i][i] * p[j][j]);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(track_adds_the_integrated_noise_when_predicted),
        cmocka_unit_test(track_is_the_same_when_predicted_in_two_steps),
        cmocka_unit_test(track_returns_when_predicted_back_without_noise),
        cmocka_unit_test(track_is_rounded_by_picoseconds_when_the_offset_grows),
        cmocka_unit_test(track_predicts_the_same_when_the_rate_was_changed),
        cmocka_unit_test(track_moves_reading_and_offset_when_stepped),
        cmocka_unit_test(track_updates_as_the_textbook_when_measured),
        cmocka_unit_test(track_stays_positive_when_numbers_differ_by_decades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
