/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the estimator makes of samples that do not fit: packets that wait, in one direction, and a
 * source that has moved, in both.
 */
#include "skew_bench.h"

/* number of pairs until a step is seen, when one direction, or both, are late by `late` from now */
static int pairs_until_step(struct skew_bench *self, double late_forward, double late_reverse)
{
    const double late[] = {late_forward, late_reverse};

    for (int i = 0; i < 100; i++) {
        for (int kind = MT_SAMPLE_FORWARD; kind <= MT_SAMPLE_REVERSE; kind++) {
            double more = noise(self, (enum mt_sample_kind)kind) + late[kind];

            if (send_one(self, (enum mt_sample_kind)kind, self->bench.t, more) >= MT_SAMPLE_STEP) {
                return i;
            }
            self->bench.t += 0.5;
        }
    }
    return 100;
}

static void estimator_sees_no_step_when_only_one_direction_waits(void **state)
{
    struct skew_bench bench;

    (void)state;
    for (int direction = 0; direction < 2; direction++) {
        set_up(&bench, 21, NORMAL, true);
        pass(&bench, 60);
        assert_in_range(
            pairs_until_step(&bench, direction == 0 ? 50e-6 : 0, direction == 1 ? 50e-6 : 0), 16,
            20);
    }
}

static void estimator_counts_anew_when_the_one_direction_waits_no_more(void **state)
{
    struct skew_bench bench;

    (void)state;
    set_up(&bench, 22, NORMAL, true);
    pass(&bench, 60);
    for (int burst = 0; burst < 5; burst++) {
        for (int i = 0; i < 10; i++) {
            assert_int_equal(send_one(&bench, MT_SAMPLE_FORWARD, bench.bench.t, 50e-6),
                             MT_SAMPLE_OUTLIER);
            double more = noise(&bench, MT_SAMPLE_REVERSE);

            assert_int_equal(send_one(&bench, MT_SAMPLE_REVERSE, bench.bench.t + 0.5, more),
                             MT_SAMPLE_USED);
            bench.bench.t += 1;
        }
        pass(&bench, 2);
    }
}

static void estimator_sees_a_step_at_once_when_both_directions_tell_of_it(void **state)
{
    struct skew_bench bench;

    (void)state;
    set_up(&bench, 23, NORMAL, true);
    pass(&bench, 60);
    assert_in_range(pairs_until_step(&bench, 200e-6, -200e-6), 1, 2);
}

static void estimator_goes_on_when_the_source_steps_by_little(void **state)
{
    struct skew_bench self;

    (void)state;
    set_up(&self, 24, NORMAL, true);
    pass(&self, 60);
    self.bench.offset += 20 * JITTER;
    assert_int_equal(pairs_until_step(&self, 0, 0), 100);
    assert_true(mt_real_abs(error_at(&self.bench, self.bench.t)) < JITTER);
    assert_true(self.bench.model.wander < 1e-13);
}

/* At each turn the frequency is another one by what moves the offset by some sigma between two
 * samples; it stays so for 100 s. */
static void estimator_goes_on_when_the_source_is_slewed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct skew_bench self;

        set_up(&self, seed, NORMAL, true);
        pass(&self, 60);
        for (int turn = 0; turn < 10; turn++) {
            double change = turn % 2 == 0 ? 2 * JITTER : -2 * JITTER;

            self.bench.frequency += change;
            self.bench.offset -= change * self.bench.t;
            assert_int_equal(pairs_until_step(&self, 0, 0), 100);
            assert_true(mt_real_abs(error_at(&self.bench, self.bench.t)) < 2 * JITTER);
        }
    }
}

/* true while what is told of the next half second holds, when no sample comes */
static bool is_told(const struct skew_bench *self)
{
    for (double t = self->bench.t - 0.49; t < self->bench.t; t += 0.07) {
        struct mt_estimate estimate;

        if (predict(&self->bench, t, &estimate) && /* or nothing is claimed */
            mt_real_abs(error_at(&self->bench, t)) > 5 * estimate.offset_sigma + estimate.doubt) {
            return false;
        }
    }
    return true;
}

/* 50 slews by 10 to 35 sigma from sample to sample, that end suddenly; where they were noticed. */
static void estimator_tells_how_wrong_it_may_be_when_a_slew_ends(void **state)
{
    int noticed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct skew_bench self;
        double rate = (20 + (double)seed) * JITTER;

        set_up(&self, seed, NORMAL, true);
        pass(&self, 60);
        self.bench.frequency += rate;
        self.bench.offset -= rate * self.bench.t;
        pass(&self, 1 + (int)seed % 5);
        self.bench.frequency -= rate;
        self.bench.offset += rate * self.bench.t;
        for (int i = 0; i < 40; i++) {
            enum mt_sample_kind kind = i % 2 == 0 ? MT_SAMPLE_FORWARD : MT_SAMPLE_REVERSE;

            self.bench.t += 0.5;
            noticed += self.skewness.moving > 0;
            assert_true(self.skewness.moving == 0 || is_told(&self));
            send_one(&self, kind, self.bench.t, noise(&self, kind));
        }
    }
    assert_true(noticed > 400);
}

static bool finds_noise(uint64_t seed)
{
    struct skew_bench self;
    struct mt_estimate estimate;

    set_up(&self, seed, NORMAL, true);
    pass(&self, 300);
    for (int i = 0; i < 200; i++) {
        enum mt_sample_kind kind = (enum mt_sample_kind)(i % 2);

        send_one(&self, kind, self.bench.t, 20 * noise(&self, kind));
        self.bench.t += 0.5;
    }
    assert_true(predict(&self.bench, self.bench.t, &estimate));
    return estimate.noise[0] > 10 * JITTER && estimate.noise[1] > 10 * JITTER &&
           mt_real_abs(error_at(&self.bench, self.bench.t)) < 5 * estimate.offset_sigma;
}

/* What moves to and fro is no source.  Three in a row that agree by chance are a step all the same,
 * after which it takes longer. */
static void estimator_finds_the_noise_when_it_has_grown(void **state)
{
    int found = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        found += finds_noise(seed);
    }
    assert_in_range(found, 95, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimator_sees_no_step_when_only_one_direction_waits),
        cmocka_unit_test(estimator_counts_anew_when_the_one_direction_waits_no_more),
        cmocka_unit_test(estimator_sees_a_step_at_once_when_both_directions_tell_of_it),
        cmocka_unit_test(estimator_goes_on_when_the_source_steps_by_little),
        cmocka_unit_test(estimator_goes_on_when_the_source_is_slewed),
        cmocka_unit_test(estimator_tells_how_wrong_it_may_be_when_a_slew_ends),
        cmocka_unit_test(estimator_finds_the_noise_when_it_has_grown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
