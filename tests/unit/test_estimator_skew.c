/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the estimator makes of one-sided noise, of noise that is wander, and of a source behind
 * other clocks.
 */
#include "skew_bench.h"

static double rms(struct skew_bench *self, int seconds)
{
    double squares = 0;

    for (int i = 0; i < seconds; i++) {
        pass_second(self);
        double error = error_at(&self->bench, self->bench.t);
        squares += error * error / seconds;
    }
    return mt_real_sqrt(squares);
}

/* ---- the first scale ------------------------------------------------------------------------- */

/* Readings beyond 5 sigma, or without an estimate, in the seconds after the first one. */
static unsigned count_surprises(bool is_refined)
{
    unsigned surprises = 0;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up(&self, seed, NORMAL, is_refined);
        pass(&self, 4);
        for (int i = 0; i < 12; i++) {
            pass_second(&self);
            surprises +=
                !predict(&self.bench, self.bench.t, &estimate) ||
                mt_real_abs(error_at(&self.bench, self.bench.t)) > 5 * estimate.offset_sigma;
        }
    }
    return surprises;
}

static void skew_refines_the_first_scale_when_it_rests_on_few_samples(void **state)
{
    (void)state;
    unsigned first = count_surprises(false);
    unsigned refined = count_surprises(true);
    assert_true(first > 20);
    assert_true(4 * refined < first);
}

/* ---- one-sided noise ------------------------------------------------------------------------- */

static void skew_finds_tail_and_floor_when_packets_queue(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up(&self, seed, LATE, true);
        pass(&self, 500);
        assert_true(self.skewness.is_skewed);
        assert_true(predict(&self.bench, self.bench.t, &estimate));
        for (int i = 0; i < 2; i++) {
            assert_true(estimate.tail[i] > 0.6 * JITTER && estimate.tail[i] < 1.6 * JITTER);
        }
        /* a filter of means would find it a jitter later */
        assert_true(mt_real_abs(estimate.delay - self.bench.delay[0]) < 0.2 * JITTER);
    }
}

static void skew_beats_a_filter_of_means_when_packets_queue(void **state)
{
    double means = 0;
    double floors = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;

        set_up(&self, seed, LATE, false);
        pass(&self, 500);
        means += rms(&self, 500);
        set_up(&self, seed, LATE, true);
        pass(&self, 500);
        floors += rms(&self, 500);
    }
    assert_true(floors < 0.4 * means);
}

static void skew_is_not_seen_when_noise_is_normal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;

        set_up(&self, seed, NORMAL, true);
        for (int i = 0; i < 2000; i++) {
            pass_second(&self);
            assert_false(self.skewness.is_skewed);
        }
    }
}

static void skew_ends_when_noise_becomes_normal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up(&self, seed, LATE, true);
        pass(&self, 500);
        assert_true(self.skewness.is_skewed);
        self.shape = NORMAL;
        pass(&self, 1000);
        assert_false(self.skewness.is_skewed);
        assert_true(predict(&self.bench, self.bench.t, &estimate));
        assert_true(estimate.tail[0] == 0 && estimate.tail[1] == 0);
        assert_true(mt_real_abs(estimate.delay - self.bench.delay[0]) < 0.3 * JITTER);
    }
}

/* by how much one sample beside the floor moves the estimated offset */
static double moved_by(double more)
{
    struct skew_bench self;
    struct mt_estimate before;
    struct mt_estimate after;

    set_up(&self, 3, LATE, true);
    pass(&self, 500);
    assert_true(predict(&self.bench, self.bench.t, &before));
    assert_int_equal(send_one(&self, MT_SAMPLE_FORWARD, self.bench.t, more), MT_SAMPLE_USED);
    assert_true(predict(&self.bench, self.bench.t, &after));
    return mt_span_to_real(mt_span_minus(after.offset, before.offset));
}

static void skew_pulls_no_harder_when_a_packet_is_later(void **state)
{
    double late = moved_by(2 * JITTER);

    (void)state;
    assert_true(late > 0);
    assert_true(mt_real_abs(moved_by(8 * JITTER) - late) < 0.01 * late);
    assert_true(moved_by(-0.1 * JITTER) < -late); /* and an early one pushes */
}

static void skew_finds_the_floor_again_when_a_path_becomes_longer(void **state)
{
    struct skew_bench self;

    (void)state;
    set_up(&self, 5, LATE, true);
    pass(&self, 1000);
    self.bench.delay[0] += 3 * JITTER; /* below the gate */
    pass(&self, 300);
    /* half of it is offset, for nobody can tell */
    assert_true(mt_real_abs(error_at(&self.bench, self.bench.t) - 1.5 * JITTER) < 0.2 * JITTER);
}

/* normal noise one way and exponential noise the other way: neither floor is where it seems */
static void skew_tells_what_the_shape_may_do_when_directions_differ(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;

        set_up(&self, seed, LATE_FORWARD, true);
        pass(&self, 2000);
        for (int i = 0; i < 500; i++) {
            double error = mt_real_abs(error_at(&self.bench, self.bench.t));

            assert_true(predict(&self.bench, self.bench.t, &estimate));
            assert_true(5 * estimate.offset_sigma + estimate.doubt > error);
            pass_second(&self);
        }
    }
}

static void skew_tells_no_doubt_when_directions_are_alike(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;
        struct mt_estimate estimate;
        double doubt = 0;

        set_up(&self, seed, LATE, true);
        pass(&self, 1000);
        for (int i = 0; i < 500; i++) {
            pass_second(&self);
            assert_true(predict(&self.bench, self.bench.t, &estimate));
            doubt += estimate.doubt / 500;
        }
        assert_true(doubt < 0.1 * JITTER);
    }
}

/* ---- noise or wander ------------------------------------------------------------------------- */

/* Mean error over many runs when every `rarer`-th sample of one way comes with one of the other. */
static double mean_error(enum mt_sample_kind rare, int rarer)
{
    const int runs = 40;
    double sum = 0;

    for (int run = 0; run < runs; run++) {
        struct skew_bench self;

        set_up(&self, (uint64_t)run + 1, LATE, true);
        for (int i = 0; i < 4000; i++) {
            for (int kind = MT_SAMPLE_FORWARD; kind <= MT_SAMPLE_REVERSE; kind++) {
                if (kind != (int)rare || i % rarer == 0) {
                    send_one(&self, (enum mt_sample_kind)kind, self.bench.t,
                             noise(&self, (enum mt_sample_kind)kind));
                }
                self.bench.t += 0.0625;
            }
            sum += i >= 1000 ? error_at(&self.bench, self.bench.t) / (3000 * runs) : 0;
        }
    }
    return sum;
}

/* peer to peer, Sync and the answers go one way and the requests the other */
static void skew_has_no_mean_error_when_one_direction_has_fewer_samples(void **state)
{
    double forward = mean_error(MT_SAMPLE_FORWARD, 4);
    double reverse = mean_error(MT_SAMPLE_REVERSE, 4);

    (void)state;
    print_message("mean error: %.4f J, %.4f J\n", forward / JITTER, reverse / JITTER);
    assert_true(mt_real_abs(forward) < 0.02 * JITTER);
    assert_true(mt_real_abs(reverse) < 0.02 * JITTER);
}

static void skew_learns_the_normal_parts_apart_when_they_differ(void **state)
{
    int joined = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct skew_bench self;
        struct mt_servo_noise *learned = self.bench.estimator.noise;

        set_up(&self, seed, LATE, true);
        pass(&self, 500);
        assert_false(self.skewness.is_apart);
        assert_true(learned[0].variance == learned[1].variance);
        self.shape = LATE_FORWARD;
        pass(&self, 2000);
        assert_true(self.skewness.is_apart);
        assert_true(learned[0].variance < 0.1 * learned[1].variance);
        self.shape = LATE;
        self.walk = 3e-9; /* normal parts matter no more */
        pass(&self, 8000);
        joined += !self.skewness.is_apart;
    }
    assert_true(joined >= 3);
}

static void skew_takes_wander_for_wander_when_it_starts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct skew_bench self;

        set_up(&self, seed, NORMAL, true);
        self.walk = 1e-4;
        pass(&self, 60);
        assert_true(self.bench.model.wander > 5e-10 && self.bench.model.wander < 1e-7);
        assert_true(self.bench.estimator.noise[0].variance < 3e-9);
        assert_sound(&self.bench.estimator);
    }
}

static void skew_takes_noise_for_noise_when_it_starts(void **state)
{
    (void)state;
    for (int shape = NORMAL; shape <= LATE; shape++) {
        for (uint64_t seed = 1; seed <= 100; seed++) {
            struct skew_bench self;

            set_up(&self, seed, (enum shape)shape, true);
            pass(&self, 40);
            assert_true(self.bench.model.wander < 1e-16);
            assert_true(self.bench.estimator.noise[0].variance > 1e-13);
        }
    }
}

static void skew_takes_a_step_for_no_wander_when_it_starts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct skew_bench self;

        set_up(&self, seed, NORMAL, true);
        pass(&self, 7);
        self.bench.offset += 30 * JITTER;
        pass(&self, 60);
        assert_true(self.bench.model.wander < 1e-13);
    }
}

/* An oscillator that outweighs the noise by far does seven of its sigmas: no outlier, and nothing
 * is left of it. */
static void skew_follows_at_once_when_the_oscillator_did_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct skew_bench self;
        struct mt_estimate before;

        set_up(&self, seed, NORMAL, true);
        self.walk = 1e-4;
        pass(&self, 120);
        assert_true(predict(&self.bench, self.bench.t + 0.5, &before));
        self.bench.t += 0.5;
        self.bench.offset += 7 * before.offset_sigma;
        assert_int_equal(send_one(&self, MT_SAMPLE_FORWARD, self.bench.t, 0), MT_SAMPLE_USED);
        assert_true(mt_real_abs(error_at(&self.bench, self.bench.t)) < 0.5 * before.offset_sigma);
        assert_sound(&self.bench.estimator);
    }
}

static void skew_refuses_a_sample_when_the_noise_outweighs_the_oscillator(void **state)
{
    struct skew_bench self;

    (void)state;
    set_up(&self, 1, NORMAL, true);
    pass(&self, 120);
    assert_int_equal(send_one(&self, MT_SAMPLE_FORWARD, self.bench.t, 8 * JITTER),
                     MT_SAMPLE_OUTLIER);
}

static void walk(struct skew_bench *self, double seconds)
{
    struct bench *bench = &self->bench;
    double step = self->walk * mt_real_sqrt(seconds) * world_normal(&bench->random);

    bench->t += seconds;
    bench->frequency += step;
    bench->offset -= step * bench->t;
}

/* Only what comes soon after another sample tells of it. */
static void skew_unlearns_noise_when_the_oscillator_outweighs_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct skew_bench self;

        set_up(&self, seed, NORMAL, true);
        self.walk = 1e-4;
        pass(&self, 120);
        for (int kind = 0; kind < 2; kind++) {
            self.bench.estimator.noise[kind].variance = 2500e-12;
        }
        for (int i = 0; i < 600; i++) {
            enum mt_sample_kind kind = i % 2 == 0 ? MT_SAMPLE_FORWARD : MT_SAMPLE_REVERSE;

            send_one(&self, kind, self.bench.t, noise(&self, kind));
            walk(&self, i % 3 == 0 ? 0.01 : 0.5);
        }
        for (int kind = 0; kind < 2; kind++) {
            assert_true(self.bench.estimator.noise[kind].variance < 400e-12);
        }
    }
}

/* Sources that are not followed learn on a copy of the clock's model: what the clock's own learning
 * has settled to stays, and so does its pace. */
static void estimator_wears_out_no_pace_when_it_learns_on_a_copy(void **state)
{
    struct skew_bench followed;
    struct skew_bench other;
    struct mt_clock_model clock;

    (void)state;
    set_up(&followed, 9, NORMAL, false);
    followed.walk = 1e-8;
    pass(&followed, 200);
    other = followed;
    clock = other.bench.model;
    for (int i = 0; i < 2000; i++) {
        clock.frequency = other.bench.model.frequency;
        other.bench.model = clock;
        pass_second(&other);
    }
    pass(&followed, 2000);
    assert_true(followed.bench.model.pace < 0.5);
    assert_true(other.bench.model.pace > 0.5); /* one block at most was judged with this copy */
}

/* ---- behind other clocks --------------------------------------------------------------------- */

/* the most by which the estimate runs past a small step of the source, as part of the step */
static double overshoot(uint8_t hops)
{
    struct skew_bench plain;
    struct skew_bench stepped;
    double step = 0.3 * JITTER;
    double most = 0;

    set_up(&plain, 8, NORMAL, false);
    plain.walk = 1e-8;
    plain.hops = hops;
    pass(&plain, 1000);
    stepped = plain;
    stepped.bench.offset += step;
    for (int i = 0; i < 400; i++) {
        pass_second(&plain);
        pass_second(&stepped);
        double late =
            error_at(&stepped.bench, stepped.bench.t) - error_at(&plain.bench, plain.bench.t);
        most = late > most ? late : most;
    }
    return most / step;
}

static void estimator_overshoots_less_when_clocks_are_on_the_way(void **state)
{
    double near = overshoot(0);
    double far = overshoot(8);

    (void)state;
    assert_true(near > 0.08 && near < 0.2);
    assert_true(far < 0.5 * near);
    assert_true(overshoot(16) == overshoot(200)); /* and no more, whatever is told */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skew_refines_the_first_scale_when_it_rests_on_few_samples),
        cmocka_unit_test(skew_finds_tail_and_floor_when_packets_queue),
        cmocka_unit_test(skew_beats_a_filter_of_means_when_packets_queue),
        cmocka_unit_test(skew_is_not_seen_when_noise_is_normal),
        cmocka_unit_test(skew_ends_when_noise_becomes_normal),
        cmocka_unit_test(skew_pulls_no_harder_when_a_packet_is_later),
        cmocka_unit_test(skew_finds_the_floor_again_when_a_path_becomes_longer),
        cmocka_unit_test(skew_tells_what_the_shape_may_do_when_directions_differ),
        cmocka_unit_test(skew_tells_no_doubt_when_directions_are_alike),
        cmocka_unit_test(skew_has_no_mean_error_when_one_direction_has_fewer_samples),
        cmocka_unit_test(skew_learns_the_normal_parts_apart_when_they_differ),
        cmocka_unit_test(skew_takes_wander_for_wander_when_it_starts),
        cmocka_unit_test(skew_takes_noise_for_noise_when_it_starts),
        cmocka_unit_test(skew_takes_a_step_for_no_wander_when_it_starts),
        cmocka_unit_test(skew_follows_at_once_when_the_oscillator_did_it),
        cmocka_unit_test(skew_refuses_a_sample_when_the_noise_outweighs_the_oscillator),
        cmocka_unit_test(skew_unlearns_noise_when_the_oscillator_outweighs_it),
        cmocka_unit_test(estimator_wears_out_no_pace_when_it_learns_on_a_copy),
        cmocka_unit_test(estimator_overshoots_less_when_clocks_are_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
