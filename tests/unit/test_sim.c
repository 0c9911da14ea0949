/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The parts of the simulated world, each against what can be worked out by hand.  Nodes here are
 * empty: a wait table in between writes down what they would have been fed with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/sim/sim_private.h"

#define SAMPLES 200000
#define S_NS    INT64_C(1000000000)
#define SEEN    64

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

/* ---- noise ----------------------------------------------------------------------------------- */

static void sim_normal_has_its_moments_when_many_are_drawn(void **state)
{
    struct mt_sim_noise noise;
    struct mt_prng prng;
    double sums[4] = {0};
    double beyond[3] = {0};
    mt_sim_noise_init(&noise);
    mt_prng_init(&prng, 1);
    for (int i = 0; i < SAMPLES; i++) {
        double x = mt_sim_normal(&noise, &prng);
        sums[0] += x;
        sums[1] += x * x;
        sums[2] += x * x * x;
        sums[3] += x * x * x * x;
        beyond[0] += magnitude(x) > 1;
        beyond[1] += magnitude(x) > 2;
        beyond[2] += magnitude(x) > 3.5;
    }
    assert_true(magnitude(sums[0] / SAMPLES) < 0.01);
    assert_true(magnitude(sums[1] / SAMPLES - 1) < 0.01);
    assert_true(magnitude(sums[2] / SAMPLES) < 0.03);
    assert_true(magnitude(sums[3] / SAMPLES - 3) < 0.06);
    assert_true(magnitude(beyond[0] / SAMPLES - 0.31731) < 0.004);
    assert_true(magnitude(beyond[1] / SAMPLES - 0.04550) < 0.002);
    assert_true(magnitude(beyond[2] / SAMPLES - 0.000465) < 0.0002);
}

static void sim_exponential_has_its_moments_when_many_are_drawn(void **state)
{
    struct mt_prng prng;
    double sum = 0;
    double squares = 0;
    double least = 1;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < SAMPLES; i++) {
        double x = mt_sim_exponential(&prng);
        sum += x;
        squares += x * x;
        least = x < least ? x : least;
    }
    assert_true(magnitude(sum / SAMPLES - 1) < 0.01);
    assert_true(magnitude(squares / SAMPLES - 2) < 0.05);
    assert_true(least >= 0 && least < 1e-4);
}

static void sim_streams_differ_when_kind_index_or_seed_do(void **state)
{
    struct mt_prng a;
    struct mt_prng b;
    mt_sim_stream(&a, 1, 0, 0);
    uint32_t first = mt_prng_next_u32(&a);
    const uint32_t others[3][3] = {{2, 0, 0}, {1, 1, 0}, {1, 0, 1}};
    for (int i = 0; i < 3; i++) {
        mt_sim_stream(&b, others[i][0], others[i][1], others[i][2]);
        assert_int_not_equal(mt_prng_next_u32(&b), first);
    }
    mt_sim_stream(&b, 1, 0, 0);
    assert_int_equal(mt_prng_next_u32(&b), first);
}

/* ---- oscillator ------------------------------------------------------------------------------ */

static void start_oscillator(struct mt_sim_oscillator *oscillator, const struct mt_sim_noise *noise,
                             double frequency, double wander, uint32_t index)
{
    struct mt_prng prng;
    mt_sim_stream(&prng, 1, MT_SIM_STREAM_OSCILLATOR, index);
    mt_sim_oscillator_init(oscillator, noise, prng, frequency, wander, 1000 * S_NS);
}

static double gain_ns(struct mt_sim_oscillator *oscillator, double after_s)
{
    struct mt_base_time at = {.ns = 1000 * S_NS + (int64_t)(after_s * 1e9)};
    return (double)mt_sim_oscillator_gain(oscillator, at).q16 / 65536;
}

static void sim_oscillator_gains_evenly_when_it_does_not_wander(void **state)
{
    struct mt_sim_noise noise;
    struct mt_sim_oscillator oscillator;
    mt_sim_noise_init(&noise);
    start_oscillator(&oscillator, &noise, 40e-6, 0, 0);
    assert_true(magnitude(gain_ns(&oscillator, 0.05) - 2000) < 1e-4);
    assert_true(magnitude(gain_ns(&oscillator, 1000) - 40e6) < 0.1);
    assert_true(magnitude(gain_ns(&oscillator, 997) - 997 * 40e3) < 0.1); /* the recent past */
}

static void sim_oscillator_is_the_same_when_read_often_or_seldom(void **state)
{
    struct mt_sim_noise noise;
    struct mt_sim_oscillator often;
    struct mt_sim_oscillator seldom;
    mt_sim_noise_init(&noise);
    start_oscillator(&often, &noise, 1e-6, 1e-7, 0);
    start_oscillator(&seldom, &noise, 1e-6, 1e-7, 0);
    for (int i = 0; i < 1000; i++) {
        gain_ns(&often, i * 0.0137);
        gain_ns(&often, i * 0.0137 - 0.5);
    }
    assert_true(gain_ns(&often, 20) == gain_ns(&seldom, 20));
    assert_true(gain_ns(&often, 20) != 20000);
}

/* After T the frequency has variance w^2 T and the phase w^2 T^3 / 3: after one slot already. */
static void assert_walk(const struct mt_sim_noise *noise, double wander, double after_s)
{
    double frequency2 = 0;
    double phase2 = 0;
    const int oscillators = 2000;
    for (int i = 0; i < oscillators; i++) {
        struct mt_sim_oscillator oscillator;
        start_oscillator(&oscillator, noise, 0, wander, (uint32_t)i);
        double phase_ns = gain_ns(&oscillator, after_s - 1e-6);
        frequency2 += oscillator.frequency * oscillator.frequency;
        phase2 += phase_ns * phase_ns;
    }
    double frequency = mt_real_sqrt(frequency2 / oscillators);
    double phase_s = mt_real_sqrt(phase2 / oscillators) / 1e9;
    double expected = wander * mt_real_sqrt(after_s);
    assert_true(magnitude(frequency / expected - 1) < 0.05);
    assert_true(magnitude(phase_s / (expected * after_s / mt_real_sqrt(3)) - 1) < 0.05);
}

static void sim_oscillator_walks_as_far_as_its_wander_says(void **state)
{
    struct mt_sim_noise noise;
    mt_sim_noise_init(&noise);
    assert_walk(&noise, 1e-7, 100);
    assert_walk(&noise, 1e-5, 0.1);
}

/* ---- a world with empty nodes ---------------------------------------------------------------- */

struct spy {
    struct mt_hal_wait wait; /* first: handed out as its own table */
    struct mt_hal_wait *inner;
    struct mt_node node;
    unsigned count;
    struct mt_input inputs[SEEN];
    uint8_t first_byte[SEEN];
};

static void spy_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct spy *self = (struct spy *)hal;
    self->inner->ops->next(self->inner, deadline, ret_input);
    if (self->count < SEEN) {
        self->inputs[self->count] = *ret_input;
        self->first_byte[self->count] = ret_input->length > 0 ? ret_input->bytes[0] : 0;
        self->count++;
    }
}

static const struct mt_hal_wait_ops spy_ops = {.next = spy_next};

struct fixture {
    struct mt_world *world;
    uint32_t segment;
    struct mt_hal_link *links[2];
    struct spy spies[2];
};

static void open_node(struct fixture *f, uint32_t node)
{
    struct mt_hal_provider *provider = mt_world_provider(f->world, node);
    char reason[MT_HAL_REASON_SIZE];
    f->links[node] = provider->ops->open_link(
        provider, 0, &(struct mt_link_request){.interface = "eth0"}, reason);
    f->spies[node] = (struct spy){.wait.ops = &spy_ops, .inner = provider->wait};
    mt_world_start(f->world, node, &f->spies[node].node, &f->spies[node].wait);
}

static void open_world(struct fixture *f, const struct mt_sim_node_config *node,
                       const struct mt_sim_segment_config *segment)
{
    f->world = mt_world_new(7);
    f->segment = mt_world_add_segment(f->world, segment);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(mt_world_add_node(f->world, node), i);
        assert_true(mt_world_join(f->world, f->segment, i, "eth0"));
        open_node(f, i);
    }
    assert_true(mt_world_run_until(f->world, 0)); /* the links say that they are up */
    f->spies[0].count = f->spies[1].count = 0;
}

static bool send_one(struct fixture *f, uint32_t node, uint8_t byte)
{
    const uint8_t bytes[44] = {byte};
    const struct mt_link_frame frame = {
        .bytes = bytes, .length = sizeof bytes, .is_event = true, .token = byte};
    return f->links[node]->ops->send(f->links[node], &frame);
}

/* ns since the world's beginning */
static double stamp_ns(const struct mt_input *input)
{
    return (double)(input->stamp.ns - MT_WORLD_EPOCH_S * S_NS) + input->stamp.frac / 65536.0;
}

static const struct mt_sim_node_config plain_node = {0};

static void sim_frame_arrives_after_delay_and_half_the_asymmetry(void **state)
{
    struct fixture f;
    open_world(&f, &plain_node,
               &(struct mt_sim_segment_config){.delay_ns = 1000.25, .asymmetry_ns = 100});
    assert_true(send_one(&f, 0, 1));
    assert_true(mt_world_run_until(f.world, 5000));
    assert_true(send_one(&f, 1, 2));
    assert_true(mt_world_run_until(f.world, 10000));
    assert_int_equal(f.spies[1].count, 2); /* a frame, a stamp of its own */
    assert_int_equal(f.spies[1].inputs[0].kind, MT_INPUT_FRAME);
    assert_int_equal(f.spies[1].first_byte[0], 1);
    assert_true(stamp_ns(&f.spies[1].inputs[0]) == 1050.25);
    assert_int_equal(f.spies[1].inputs[0].now.ns % S_NS, 1051);
    assert_int_equal(f.spies[0].inputs[1].kind, MT_INPUT_FRAME);
    assert_true(stamp_ns(&f.spies[0].inputs[1]) == 5950.25);
    mt_world_free(f.world);
}

static void sim_transmit_stamp_comes_late_when_it_should(void **state)
{
    struct fixture f;
    open_world(&f,
               &(struct mt_sim_node_config){
                   .tx_stamp_delay_ns = 300, .tx_stamp_late = 1, .tx_stamp_late_ns = 20000},
               &(struct mt_sim_segment_config){.loss = 1});
    assert_true(send_one(&f, 0, 9));
    assert_true(mt_world_run_until(f.world, 20299));
    assert_int_equal(f.spies[0].count, 0);
    assert_true(mt_world_run_until(f.world, 20300));
    assert_int_equal(f.spies[0].count, 1);
    assert_int_equal(f.spies[0].inputs[0].kind, MT_INPUT_TX_STAMP);
    assert_int_equal(f.spies[0].inputs[0].token, 9);
    assert_true(f.spies[0].inputs[0].has_stamp);
    assert_true(stamp_ns(&f.spies[0].inputs[0]) == 0);
    mt_world_free(f.world);
}

static void sim_transmit_stamp_is_given_up_when_it_is_lost(void **state)
{
    struct fixture f;
    open_world(&f, &(struct mt_sim_node_config){.tx_stamp_loss = 1},
               &(struct mt_sim_segment_config){0});
    assert_true(send_one(&f, 0, 9));
    assert_true(mt_world_run_until(f.world, S_NS / 2));
    assert_int_equal(f.spies[0].count, 0); /* the platform is patient */
    assert_true(mt_world_run_until(f.world, 2 * S_NS));
    assert_int_equal(f.spies[0].count, 1);
    assert_int_equal(f.spies[0].inputs[0].kind, MT_INPUT_TX_STAMP);
    assert_false(f.spies[0].inputs[0].has_stamp);
    mt_world_free(f.world);
}

static void sim_stamps_fall_on_ticks_when_clock_is_coarse(void **state)
{
    struct fixture f;
    open_world(&f, &(struct mt_sim_node_config){.granularity_ns = 8, .stamp_noise_ns = 3},
               &(struct mt_sim_segment_config){.delay_ns = 100.7});
    for (int i = 0; i < 20; i++) {
        assert_true(send_one(&f, 0, 1));
        assert_true(mt_world_run_until(f.world, 1000 * (i + 1)));
        const struct mt_input *input = &f.spies[1].inputs[i];
        assert_int_equal(input->kind, MT_INPUT_FRAME);
        assert_int_equal(input->stamp.ns % 8, 0);
        assert_int_equal(input->stamp.frac, 0);
        assert_true(magnitude(stamp_ns(input) - 1000 * i - 100.7) < 20);
    }
    mt_world_free(f.world);
}

static void sim_frames_are_lost_as_often_as_loss_says(void **state)
{
    struct fixture f;
    open_world(&f, &plain_node, &(struct mt_sim_segment_config){.loss = 0.2});
    for (int i = 0; i < 10000; i++) {
        assert_true(send_one(&f, 0, 1));
        assert_true(mt_world_run_until(f.world, 1000 * (i + 1)));
    }
    assert_in_range(mt_world_count(f.world)->lost, 1850, 2150);
    assert_int_equal(mt_world_count(f.world)->delivered + mt_world_count(f.world)->lost, 10000);
    mt_world_free(f.world);
}

static void sim_jitter_spreads_arrivals_as_configured(void **state)
{
    const enum mt_sim_jitter kinds[] = {MT_SIM_JITTER_NORMAL, MT_SIM_JITTER_EXPONENTIAL};
    for (int k = 0; k < 2; k++) {
        struct fixture f;
        double sum = 0;
        double squares = 0;
        open_world(&f, &plain_node,
                   &(struct mt_sim_segment_config){
                       .delay_ns = 1000, .jitter = kinds[k], .jitter_ns = 2000});
        for (int i = 0; i < 5000; i++) {
            f.spies[1].count = 0;
            assert_true(send_one(&f, 0, 1));
            assert_true(mt_world_run_until(f.world, 100000 * (i + 1)));
            double way_ns = stamp_ns(&f.spies[1].inputs[0]) - 100000.0 * i;
            assert_true(f.spies[1].inputs[0].now.ns % S_NS > 100000 * i % S_NS);
            sum += way_ns;
            squares += way_ns * way_ns;
        }
        double mean = sum / 5000;
        double expected = kinds[k] == MT_SIM_JITTER_NORMAL ? 1000 : 3000;
        assert_true(magnitude(mean - expected) < 100);
        assert_true(magnitude(mt_real_sqrt(squares / 5000 - mean * mean) - 2000) < 100);
        mt_world_free(f.world);
    }
}

static void sim_node_is_told_when_its_interface_is_pulled(void **state)
{
    struct fixture f;
    open_world(&f, &plain_node, &(struct mt_sim_segment_config){0});
    mt_world_set_plugged(f.world, 0, "eth0", false);
    assert_false(send_one(&f, 0, 1));
    assert_true(send_one(&f, 1, 1)); /* its own cable is in; the frame is lost */
    assert_true(mt_world_run_until(f.world, 1000));
    assert_int_equal(f.spies[0].count, 1);
    assert_int_equal(f.spies[0].inputs[0].kind, MT_INPUT_LINK);
    assert_false(f.spies[0].inputs[0].is_up);
    assert_int_equal(f.links[0]->counters.send_failed, 1);
    mt_world_set_plugged(f.world, 0, "eth0", true);
    assert_true(send_one(&f, 0, 1));
    assert_true(mt_world_run_until(f.world, 2000));
    assert_true(f.spies[0].inputs[1].is_up);
    mt_world_free(f.world);
}

static void sim_nobody_is_told_when_segment_falls_into_parts(void **state)
{
    struct fixture f;
    open_world(&f, &plain_node, &(struct mt_sim_segment_config){0});
    mt_world_set_part(f.world, 1, "eth0", 1);
    assert_true(send_one(&f, 0, 1));
    assert_true(mt_world_run_until(f.world, 1000));
    assert_int_equal(f.spies[1].count, 0);
    mt_world_set_part(f.world, 1, "eth0", 0);
    assert_true(send_one(&f, 0, 1));
    assert_true(mt_world_run_until(f.world, 2000));
    assert_int_equal(f.spies[1].count, 1);
    mt_world_free(f.world);
}

static void sim_inputs_for_the_dead_do_not_reach_the_living(void **state)
{
    struct fixture f;
    open_world(&f, &plain_node, &(struct mt_sim_segment_config){.delay_ns = 1000});
    assert_true(send_one(&f, 0, 1));
    mt_world_kill(f.world, 1);
    open_node(&f, 1);
    assert_true(mt_world_run_until(f.world, 5000));
    assert_int_equal(f.spies[1].count, 1); /* that its link is up */
    assert_int_equal(f.spies[1].inputs[0].kind, MT_INPUT_LINK);
    mt_world_free(f.world);
}

/* ---- clock ----------------------------------------------------------------------------------- */

static struct mt_hal_clock *open_sim_clock(struct fixture *f, enum mt_clock_kind kind)
{
    struct mt_hal_provider *provider = mt_world_provider(f->world, 0);
    char reason[MT_HAL_REASON_SIZE];
    const struct mt_clock_request request = {
        .kind = kind, .name = "main", .tai_utc_known = true, .tai_minus_utc_s = 37};
    struct mt_hal_clock *clock = provider->ops->open_clock(provider, &request, reason);
    assert_non_null(clock);
    return clock;
}

static double offset_ns(const struct fixture *f)
{
    struct mt_span offset = mt_world_true_offset(f->world, 0, 0);
    return (double)mt_span_to_ns(offset) + offset.frac / 65536.0;
}

static const struct mt_sim_node_config fast_node = {.offset_s = 0.25, .frequency = 10e-6};

static void sim_clock_follows_its_oscillator_when_left_alone(void **state)
{
    struct fixture f;
    open_world(&f, &fast_node, &(struct mt_sim_segment_config){0});
    struct mt_hal_clock *clock = open_sim_clock(&f, MT_CLOCK_OVERLAY);
    assert_true(offset_ns(&f) == 250e6);
    assert_int_equal(clock->scale, MT_SCALE_TAI);
    assert_true(mt_world_run_until(f.world, 100 * S_NS));
    assert_true(magnitude(offset_ns(&f) - 251e6) < 0.01);
    mt_world_free(f.world);
}

static void sim_clock_converts_old_stamps_with_their_own_corrections(void **state)
{
    struct fixture f;
    struct mt_applied applied;
    struct mt_stamp before;
    struct mt_stamp after;
    open_world(&f, &fast_node, &(struct mt_sim_segment_config){0});
    struct mt_hal_clock *clock = open_sim_clock(&f, MT_CLOCK_OVERLAY);
    assert_true(mt_world_run_until(f.world, S_NS));
    struct mt_base_time early = {.ns = mt_sim_base(f.world).ns - 1000};
    clock->ops->stamp(clock, early, &before);
    clock->ops->apply(clock,
                      &(struct mt_correction){.kind = MT_CORRECT_STEP,
                                              .step = {-1, 750000000, 0},
                                              .scale = MT_SCALE_TAI},
                      &applied);
    assert_int_equal(applied.corrections, 1);
    assert_true(magnitude(offset_ns(&f) - 10000) < 0.01);
    clock->ops->stamp(clock, early, &after);
    assert_int_equal(after.corrections, 0);
    assert_int_equal(mt_instant_compare(before.at, after.at), 0);
    clock->ops->stamp(clock, mt_sim_base(f.world), &after);
    assert_int_equal(after.corrections, 1);
    assert_int_equal(mt_instant_compare(after.at, applied.at), 0);
    mt_world_free(f.world);
}

static void sim_clock_runs_on_without_a_jump_when_rate_changes(void **state)
{
    struct fixture f;
    struct mt_applied applied;
    open_world(&f, &fast_node, &(struct mt_sim_segment_config){0});
    struct mt_hal_clock *clock = open_sim_clock(&f, MT_CLOCK_OVERLAY);
    assert_true(mt_world_run_until(f.world, S_NS));
    const struct mt_correction correction = {.kind = MT_CORRECT_RATE, .rate = -10e-6 / 1.00001};
    clock->ops->apply(clock, &correction, &applied);
    assert_true(magnitude(offset_ns(&f) - 250010000) < 0.01);
    assert_true(applied.rate == correction.rate);
    assert_true(mt_world_run_until(f.world, 1000 * S_NS));
    assert_true(magnitude(offset_ns(&f) - 250010000) < 0.1);
    struct mt_clock_reading reading;
    clock->ops->read(clock, &reading);
    assert_true(magnitude((double)reading.rate_q64 / 18446744073709551616.0) < 1e-15);
    mt_world_free(f.world);
}

static void sim_clock_limits_rate_when_its_range_is_exceeded(void **state)
{
    struct fixture f;
    struct mt_applied applied;
    open_world(&f, &(struct mt_sim_node_config){.max_rate = 500e-6},
               &(struct mt_sim_segment_config){0});
    struct mt_hal_clock *clock = open_sim_clock(&f, MT_CLOCK_OVERLAY);
    clock->ops->apply(clock, &(struct mt_correction){.kind = MT_CORRECT_RATE, .rate = -1},
                      &applied);
    assert_true(applied.rate == -500e-6);
    assert_true(clock->max_rate == 500e-6);
    mt_world_free(f.world);
}

static void sim_clock_tells_once_when_somebody_steps_it(void **state)
{
    struct fixture f;
    struct mt_applied applied;
    open_world(&f, &fast_node, &(struct mt_sim_segment_config){0});
    struct mt_hal_clock *clock = open_sim_clock(&f, MT_CLOCK_OVERLAY);
    assert_false(clock->ops->disturbed(clock, &applied));
    mt_world_step_clock(f.world, 0, 0, (struct mt_span){1, 0, 0});
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_STEP);
    assert_int_equal(applied.step.s, 1);
    assert_int_equal(applied.corrections, 1);
    assert_false(clock->ops->disturbed(clock, &applied));
    assert_true(offset_ns(&f) == 1250e6);
    mt_world_free(f.world);
}

static void sim_clock_keeps_its_time_over_a_restart_when_it_is_the_systems(void **state)
{
    const enum mt_clock_kind kinds[] = {MT_CLOCK_SYSTEM, MT_CLOCK_OVERLAY};
    const double expected_ns[] = {1250e6, 250e6};
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        open_world(&f, &fast_node, &(struct mt_sim_segment_config){0});
        open_sim_clock(&f, kinds[i]);
        mt_world_step_clock(f.world, 0, 0, (struct mt_span){1, 0, 0});
        mt_world_kill(f.world, 0);
        open_sim_clock(&f, kinds[i]);
        assert_true(offset_ns(&f) == expected_ns[i]);
        mt_world_free(f.world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_normal_has_its_moments_when_many_are_drawn),
        cmocka_unit_test(sim_exponential_has_its_moments_when_many_are_drawn),
        cmocka_unit_test(sim_streams_differ_when_kind_index_or_seed_do),
        cmocka_unit_test(sim_oscillator_gains_evenly_when_it_does_not_wander),
        cmocka_unit_test(sim_oscillator_is_the_same_when_read_often_or_seldom),
        cmocka_unit_test(sim_oscillator_walks_as_far_as_its_wander_says),
        cmocka_unit_test(sim_frame_arrives_after_delay_and_half_the_asymmetry),
        cmocka_unit_test(sim_transmit_stamp_comes_late_when_it_should),
        cmocka_unit_test(sim_transmit_stamp_is_given_up_when_it_is_lost),
        cmocka_unit_test(sim_stamps_fall_on_ticks_when_clock_is_coarse),
        cmocka_unit_test(sim_frames_are_lost_as_often_as_loss_says),
        cmocka_unit_test(sim_jitter_spreads_arrivals_as_configured),
        cmocka_unit_test(sim_node_is_told_when_its_interface_is_pulled),
        cmocka_unit_test(sim_nobody_is_told_when_segment_falls_into_parts),
        cmocka_unit_test(sim_inputs_for_the_dead_do_not_reach_the_living),
        cmocka_unit_test(sim_clock_follows_its_oscillator_when_left_alone),
        cmocka_unit_test(sim_clock_converts_old_stamps_with_their_own_corrections),
        cmocka_unit_test(sim_clock_runs_on_without_a_jump_when_rate_changes),
        cmocka_unit_test(sim_clock_limits_rate_when_its_range_is_exceeded),
        cmocka_unit_test(sim_clock_tells_once_when_somebody_steps_it),
        cmocka_unit_test(sim_clock_keeps_its_time_over_a_restart_when_it_is_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
