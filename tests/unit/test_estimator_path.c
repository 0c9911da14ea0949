/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the estimator makes of a path that changes: queues that grow, and another length.
 */
#include "skew_bench.h"

static void set_up_settled(struct skew_bench *self, uint64_t seed, enum shape shape)
{
    set_up(self, seed, shape, true);
    pass(self, 300);
}

static double error_now(const struct skew_bench *self)
{
    return mt_real_abs(error_at(&self->bench, self->bench.t));
}

static bool claims_less_than_its_error(const struct skew_bench *self)
{
    struct mt_estimate estimate;

    return predict(&self->bench, self->bench.t, &estimate) &&
           error_now(self) > 6 * estimate.offset_sigma + estimate.doubt;
}

static void send_queued(struct skew_bench *self, enum mt_sample_kind kind, double mean)
{
    double a = world_normal(&self->bench.random);
    double b = world_normal(&self->bench.random);
    double queued = mean * (a * a + b * b) / 2;

    assert_true(send_one(self, kind, self->bench.t, noise(self, kind) + queued) < MT_SAMPLE_STEP);
    assert_false(claims_less_than_its_error(self));
}

/* Queues of up to a hundred times the noise: what was known of the clock stays. */
static void path_load_costs_no_state_when_queues_grow_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct skew_bench self;

        set_up_settled(&self, seed, seed % 2 ? NORMAL : LATE);
        for (int i = 0; i < 200; i++) {
            send_queued(&self, (enum mt_sample_kind)(i % 2), (double)(3 + seed / 10 * 30) * JITTER);
            self.bench.t += 0.5;
            assert_true(error_now(&self) < 3 * JITTER);
        }
    }
}

/* Eight Syncs for one Delay_Req: nobody knows until that whether the clock has moved. */
static void path_load_waits_for_the_other_direction_when_that_is_rare(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct skew_bench self;

        set_up_settled(&self, seed, LATE);
        for (int i = 0; i < 400; i++) {
            send_queued(&self, i % 9 == 8 ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD, 30 * JITTER);
            self.bench.t += 0.125;
            assert_true(error_now(&self) < 30 * JITTER);
        }
    }
}

/* samples until the source, which steps, is known to be elsewhere */
static int samples_until_step(struct skew_bench *self, int forward_for_each_reverse)
{
    for (int i = 1; i < 100; i++) {
        enum mt_sample_kind kind = i % (forward_for_each_reverse + 1) == forward_for_each_reverse
                                       ? MT_SAMPLE_REVERSE
                                       : MT_SAMPLE_FORWARD;

        self->bench.t += 0.125;
        if (send_one(self, kind, self->bench.t, noise(self, kind)) == MT_SAMPLE_STEP) {
            return i;
        }
    }
    return 100;
}

static void path_is_not_blamed_when_the_source_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        double step = seed % 2 ? 500 * JITTER : -500 * JITTER;
        struct skew_bench self;

        set_up_settled(&self, seed, LATE);
        self.bench.offset += step;
        assert_in_range(samples_until_step(&self, 1), 3, 5);
        set_up_settled(&self, seed, LATE);
        self.bench.offset += step;
        assert_in_range(samples_until_step(&self, 8), 3, 10);
    }
}

/* nothing comes back any more: then late samples alone must do */
static void path_is_blamed_no_longer_when_the_other_direction_is_silent(void **state)
{
    struct skew_bench self;

    (void)state;
    set_up_settled(&self, 3, LATE);
    self.bench.offset += 500 * JITTER;
    assert_in_range(samples_until_step(&self, 1000), 14, 18);
}

static void path_length_costs_no_state_when_it_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        double by = (seed % 4 < 2 ? 1 : -1) * (double)(10 + 5 * seed) * JITTER;
        struct mt_estimate estimate;
        struct skew_bench self;

        set_up_settled(&self, seed, seed % 2 ? NORMAL : LATE);
        self.bench.delay[0] += by;
        self.bench.delay[1] += by;
        for (int i = 0; i < 100; i++) {
            enum mt_sample_kind kind = (enum mt_sample_kind)(i % 2);
            double late = noise(&self, kind);

            assert_true(send_one(&self, kind, self.bench.t, late) < MT_SAMPLE_STEP);
            assert_true(error_now(&self) < JITTER);
            assert_false(claims_less_than_its_error(&self));
            self.bench.t += 0.5;
        }
        assert_true(predict(&self.bench, self.bench.t, &estimate));
        double delay = (self.bench.delay[0] + self.bench.delay[1]) / 2;
        assert_true(mt_real_abs(estimate.delay - delay) < 2 * JITTER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_load_costs_no_state_when_queues_grow_both_ways),
        cmocka_unit_test(path_load_waits_for_the_other_direction_when_that_is_rare),
        cmocka_unit_test(path_is_not_blamed_when_the_source_steps),
        cmocka_unit_test(path_is_blamed_no_longer_when_the_other_direction_is_silent),
        cmocka_unit_test(path_length_costs_no_state_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
