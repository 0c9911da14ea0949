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

    assert_true(predict(&self->bench, self->bench.t, &estimate));
    return error_now(self) > 6 * estimate.offset_sigma + estimate.doubt;
}

static void send_queued(struct skew_bench *self, enum mt_sample_kind kind, double mean)
{
    double a = world_normal(&self->bench.random);
    double b = world_normal(&self->bench.random);
    double queued = mean * (a * a + b * b) / 2;

    assert_true(send_one(self, kind, self->bench.t, noise(self, kind) + queued) < MT_SAMPLE_STEP);
}

static void expect_honest(const struct skew_bench *self)
{
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
            expect_honest(&self);
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
            expect_honest(&self);
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

/* a packet may wait, but it cannot be early */
static void path_load_hides_no_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct skew_bench self;

        set_up_settled(&self, seed, LATE);
        for (int i = 0; i < 200; i++) {
            send_queued(&self, (enum mt_sample_kind)(i % 2), 30 * JITTER);
            self.bench.t += 0.125;
        }
        self.bench.offset += seed % 2 ? 200 * JITTER : -200 * JITTER;
        samples_until_step(&self, 1); /* or it has moved, which the filter follows */
        pass(&self, 4);
        assert_true(error_now(&self) < 30 * JITTER);
    }
}

/* one outlier, on the other side, from before the step */
static void path_is_not_blamed_when_an_outlier_came_before_a_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up_settled(&self, seed, LATE);
        send_one(&self, MT_SAMPLE_REVERSE, self.bench.t, 50 * JITTER);
        self.bench.offset += 60 * JITTER;
        for (int i = 0; i < 20; i++) {
            enum mt_sample_kind kind = i % 9 == 8 ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD;

            self.bench.t += 0.125;
            send_one(&self, kind, self.bench.t, noise(&self, kind));
            assert_true(i < 2 || !predict(&self.bench, self.bench.t, &estimate) ||
                        !claims_less_than_its_error(&self));
        }
    }
}

/* Half of what they differ by becomes an offset, as at any start: nobody can know. */
static void path_length_is_told_when_the_ways_change_unequally(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up_settled(&self, seed, NORMAL);
        self.bench.delay[0] += 40 * JITTER;
        self.bench.delay[1] += 16 * JITTER;
        for (int i = 0; i < 200; i++) {
            enum mt_sample_kind kind = (enum mt_sample_kind)(i % 2);

            send_one(&self, kind, self.bench.t, noise(&self, kind));
            self.bench.t += 0.5;
        }
        assert_true(predict(&self.bench, self.bench.t, &estimate));
        assert_true(mt_real_abs(estimate.delay - (20e-6 + 56 * JITTER) / 2) < 2 * JITTER);
        assert_true(mt_real_abs(error_now(&self) - 12 * JITTER) < 2 * JITTER);
    }
}

/* early ones wait for the other direction, too */
static void path_length_costs_no_state_when_the_other_direction_is_rare(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        double by = seed % 2 ? 60 * JITTER : -9 * JITTER;
        struct skew_bench self;

        set_up_settled(&self, seed, LATE);
        self.bench.delay[0] += by;
        self.bench.delay[1] += by;
        for (int i = 0; i < 200; i++) {
            enum mt_sample_kind kind = i % 9 == 8 ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD;
            double late = noise(&self, kind);

            self.bench.t += 0.125;
            assert_true(send_one(&self, kind, self.bench.t, late) < MT_SAMPLE_STEP);
            assert_true(error_now(&self) < 3 * JITTER);
        }
    }
}

/* a source of offsets has no path */
static void path_is_not_asked_when_offsets_step(void **state)
{
    struct skew_bench self;
    int steps = 0;

    (void)state;
    set_up(&self, 1, NORMAL, true);
    for (int i = 0; i < 300; i++) {
        double step = i < 200 ? 0 : 500 * JITTER;
        struct mt_sample sample = {.kind = MT_SAMPLE_OFFSET,
                                   .local = {local_at(&self.bench, self.bench.t), 0}};

        sample.value = mt_span_plus(offset_at(&self.bench, self.bench.t),
                                    mt_span_from_real(step + noise(&self, MT_SAMPLE_FORWARD)));
        steps += mt_estimator_update(&self.bench.estimator, &self.bench.model, &sample) ==
                 MT_SAMPLE_STEP;
        self.bench.t += 0.5;
    }
    assert_int_equal(steps, 1);
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
        cmocka_unit_test(path_load_hides_no_step),
        cmocka_unit_test(path_is_not_blamed_when_an_outlier_came_before_a_step),
        cmocka_unit_test(path_length_is_told_when_the_ways_change_unequally),
        cmocka_unit_test(path_length_costs_no_state_when_the_other_direction_is_rare),
        cmocka_unit_test(path_is_not_asked_when_offsets_step),
        cmocka_unit_test(path_is_blamed_no_longer_when_the_other_direction_is_silent),
        cmocka_unit_test(path_length_costs_no_state_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
