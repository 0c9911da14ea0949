/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ways of frames: the shapes of jitter, bursts, copies, order, and plain switches, each against
 * what can be worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/sim/sim_path.h"
#include "sim_bare.h"

#define FRAMES      30000
#define INTERVAL_NS 1000000
#define SD_NS       1000

static struct bare net;

static bool is_near(double x, double expected, double tolerance)
{
    return x > expected - tolerance && x < expected + tolerance;
}

static struct bare_moments ways_of(const struct mt_sim_segment_config *config)
{
    bare_pair(&net, 1, config);
    bare_send_many(&net, 0, FRAMES, INTERVAL_NS);
    return bare_ways(&net, 1);
}

/* ---- jitter ---------------------------------------------------------------------------------- */

static void sim_jitter_has_its_mean_and_deviation_when_it_is_of_any_kind(void **state)
{
    static const struct {
        enum mt_sim_jitter kind;
        double shape;
        double mean_ns;
        double tail;   /* P(jitter > mean + 3 deviations) */
        double spread; /* allowed of the deviation */
    } kinds[] = {
        {MT_SIM_JITTER_NORMAL, 0, 0, 0.00135, 0.02},
        {MT_SIM_JITTER_EXPONENTIAL, 0, 1000, 0.018316, 0.02}, /* e^-4 */
        {MT_SIM_JITTER_GAMMA, 0, 1000, 0.018316, 0.02},       /* shape 1 */
        {MT_SIM_JITTER_GAMMA, 4, 2000, 0.010336, 0.02},       /* Q(4, 10) */
        {MT_SIM_JITTER_GAMMA, 0.25, 500, 0.023923, 0.06},     /* Q(1/4, 7/4) */
        {MT_SIM_JITTER_PARETO, 6, 816.4966, 0.019060, 0.15},  /* (1 + u)^-6 */
        {MT_SIM_JITTER_PARETO, 2.5, 447.2136, 0.010710, 0.5}, /* heavy: most of it is in few */
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct mt_sim_segment_config config = {.delay_ns = 10000,
                                                     .jitter = kinds[i].kind,
                                                     .jitter_ns = SD_NS,
                                                     .jitter_shape = kinds[i].shape};
        struct bare_moments ways = ways_of(&config);
        double expected_ns = 10000 + kinds[i].mean_ns;
        double tail = bare_beyond(&net, 1, expected_ns + 3 * SD_NS);

        assert_true(is_near(ways.mean, expected_ns, 40));
        assert_true(is_near(ways.sd, SD_NS, kinds[i].spread * SD_NS));
        assert_true(is_near(tail, kinds[i].tail, 0.0025));
        assert_true(kinds[i].kind == MT_SIM_JITTER_NORMAL || ways.least >= 10000);
        bare_close(&net);
    }
}

static void sim_jitter_is_scaled_for_each_way_when_told(void **state)
{
    bare_pair(&net, 1,
              &(struct mt_sim_segment_config){.jitter = MT_SIM_JITTER_EXPONENTIAL,
                                              .jitter_ns = SD_NS,
                                              .jitter_scale_forward = 3});
    bare_send_many(&net, 0, FRAMES, INTERVAL_NS);
    bare_send_many(&net, 1, FRAMES, INTERVAL_NS);
    assert_true(is_near(bare_ways(&net, 1).mean, 3 * SD_NS, 60));
    assert_true(is_near(bare_ways(&net, 0).mean, SD_NS, 20));
    net.count = 0;
    mt_world_segment_config(net.world, 0)->jitter_scale_back = -1;
    bare_send_many(&net, 1, 100, INTERVAL_NS);
    assert_true(bare_ways(&net, 0).most == 0);
    bare_close(&net);
}

static void sim_jitter_follows_the_trace_when_one_was_recorded(void **state)
{
    static const mt_real trace_ns[] = {100, 200, 400, 800, 1600};

    bare_pair(&net, 1,
              &(struct mt_sim_segment_config){
                  .jitter = MT_SIM_JITTER_TRACE, .trace_ns = trace_ns, .trace_count = 5});
    bare_send_many(&net, 0, 12, INTERVAL_NS);
    for (uint32_t i = 1; i < 12; i++) {
        double before_ns = net.arrivals[i - 1].way_ns;
        assert_true(net.arrivals[i].way_ns == (before_ns == 1600 ? 100 : 2 * before_ns));
    }
    bare_close(&net);
}

/* ---- bursts ---------------------------------------------------------------------------------- */

static void sim_burst_delays_and_loses_when_it_is_periodic(void **state)
{
    bare_pair(&net, 1,
              &(struct mt_sim_segment_config){.burst = {.period_ns = 10 * BARE_S_NS,
                                                        .length_ns = BARE_S_NS,
                                                        .jitter_ns = 50000,
                                                        .loss = 0.5}});
    for (int i = 0; i < 20000; i++) {
        uint32_t seen = net.count;
        bool is_in_burst = mt_world_t_ns(net.world) % (10 * BARE_S_NS) < BARE_S_NS;
        bare_send(&net, 0, is_in_burst);
        bare_run(&net, INTERVAL_NS);
        assert_true(is_in_burst || net.count > seen);
    }
    uint32_t in_bursts = 0;
    double sum_ns = 0;
    for (uint32_t i = 0; i < net.count; i++) {
        in_bursts += net.arrivals[i].mark;
        sum_ns += net.arrivals[i].way_ns;
        assert_true(net.arrivals[i].mark != 0 || net.arrivals[i].way_ns == 0);
    }
    assert_true(is_near(in_bursts, 1000, 80)); /* half of those in two seconds */
    assert_true(is_near(sum_ns / in_bursts, 50000, 6000));
    bare_close(&net);
}

static void sim_burst_takes_its_share_of_time_when_it_is_random(void **state)
{
    struct mt_sim_burst burst = {
        .period_ns = BARE_S_NS, .length_ns = BARE_S_NS / 5, .loss = 1, .is_random = true};
    bare_pair(&net, 3, &(struct mt_sim_segment_config){.burst = burst});
    bare_send_many(&net, 0, 20000, 100 * INTERVAL_NS);
    assert_true(is_near(net.count, 16000, 500));
    assert_int_equal(mt_world_count(net.world)->lost + net.count, 20000);
    bare_close(&net);
}

/* Whether there is a burst hangs on time, not on what is sent. */
static void sim_burst_is_the_same_when_more_is_sent(void **state)
{
    struct mt_sim_burst burst = {.period_ns = BARE_S_NS, .length_ns = 4 * BARE_S_NS / 10};
    struct mt_sim_burst_state often = {.until_t_ns = 0};
    struct mt_sim_burst_state seldom = {.until_t_ns = 0};
    burst.is_random = true;
    mt_sim_stream(&often.prng, 1, 0, 0);
    mt_sim_stream(&seldom.prng, 1, 0, 0);
    for (int64_t t_ns = 0; t_ns < 1000 * BARE_S_NS; t_ns += BARE_S_NS / 4) {
        bool is_on = mt_sim_burst_is_on(&often, &burst, t_ns);
        assert_true(t_ns % BARE_S_NS != 0 || is_on == mt_sim_burst_is_on(&seldom, &burst, t_ns));
    }
}

/* ---- copies and order ------------------------------------------------------------------------ */

static void sim_copies_are_counted_when_frames_are_duplicated(void **state)
{
    bare_pair(&net, 1, &(struct mt_sim_segment_config){.duplication = 0.25});
    bare_send_many(&net, 0, 10000, INTERVAL_NS);
    assert_true(is_near(net.count, 12500, 150));
    assert_int_equal(net.count, 10000 + mt_world_count(net.world)->duplicated);
    bare_close(&net);
}

static unsigned count_overtakings(const struct bare *bare)
{
    unsigned overtakings = 0;

    for (uint32_t i = 1; i < bare->count; i++) {
        overtakings += (uint8_t)(bare->arrivals[i].mark - bare->arrivals[i - 1].mark) > 128;
    }
    return overtakings;
}

static void sim_frames_are_overtaken_and_counted_when_they_are_held_back(void **state)
{
    bare_pair(&net, 1,
              &(struct mt_sim_segment_config){.reordering = 0.1, .reorder_ns = 1.5 * INTERVAL_NS});
    bare_send_many(&net, 0, 10000, INTERVAL_NS);
    assert_int_equal(net.count, 10000);
    assert_true(is_near((double)mt_world_count(net.world)->reordered, 1000, 120));
    assert_true(is_near(count_overtakings(&net), 900, 120)); /* by one that is not held back */
    bare_close(&net);
}

static void sim_frames_keep_their_order_when_the_segment_does(void **state)
{
    struct mt_sim_segment_config config = {.jitter = MT_SIM_JITTER_EXPONENTIAL,
                                           .jitter_ns = INTERVAL_NS};
    bare_pair(&net, 1, &config);
    bare_send_many(&net, 0, 1000, INTERVAL_NS);
    assert_true(count_overtakings(&net) > 50);
    bare_close(&net);
    config.keeps_order = true;
    bare_pair(&net, 1, &config);
    bare_send_many(&net, 0, 1000, INTERVAL_NS);
    assert_int_equal(count_overtakings(&net), 0);
    assert_int_equal(net.count, 1000);
    bare_close(&net);
}

/* ---- switches -------------------------------------------------------------------------------- */

#define GIGABIT 1e9

static void sim_switch_stores_and_forwards_when_it_is_idle(void **state)
{
    bare_switch(&net, 1, &(struct mt_sim_switch_config){.rate_bps = GIGABIT, .latency_ns = 2000});
    bare_send_many(&net, 0, 3, INTERVAL_NS);
    struct bare_moments ways = bare_ways(&net, 1);
    assert_int_equal(ways.count, 3);
    assert_true(ways.least == 2000 + 110 * 8 && ways.most == ways.least);
    bare_close(&net);
}

/* The mean wait in a queue with random arrivals and equal frames (M/D/1): load / (2 (1 - load))
 * times a frame's time, and nobody waits with probability 1 - load. */
static void sim_switch_delays_more_when_load_grows(void **state)
{
    static const double loads[] = {0.2, 0.5, 0.8};
    const double frame_ns = 1538 * 8, floor_ns = 110 * 8;

    for (size_t i = 0; i < 3; i++) {
        bare_switch(&net, 1, &(struct mt_sim_switch_config){.rate_bps = GIGABIT, .load = loads[i]});
        bare_send_many(&net, 0, 8000, 100 * INTERVAL_NS);
        struct bare_moments ways = bare_ways(&net, 1);
        double wait_ns = frame_ns * loads[i] / (2 * (1 - loads[i]));
        assert_true(is_near(ways.mean - floor_ns, wait_ns, 0.06 * wait_ns));
        assert_true(is_near(bare_beyond(&net, 1, floor_ns + 0.5), loads[i], 0.02));
        assert_true(ways.least == floor_ns);
        bare_close(&net);
    }
}

/* In overload the link carries what it can, 2 of 3 frames; ours are as large as the others. */
static void sim_switch_drops_and_bounds_the_wait_when_its_queue_is_full(void **state)
{
    const uint32_t queue_octets = 20 * 110;
    bare_switch(
        &net, 1,
        &(struct mt_sim_switch_config){
            .rate_bps = GIGABIT, .load = 1.5, .load_octets = 110, .queue_octets = queue_octets});
    bare_send_many(&net, 0, 6000, INTERVAL_NS);
    struct bare_moments ways = bare_ways(&net, 1);
    assert_true(is_near((double)mt_world_count(net.world)->dropped, 2000, 150));
    assert_int_equal(mt_world_count(net.world)->dropped + ways.count, 6000);
    assert_true(ways.most <= queue_octets * 8 + 1);
    assert_true(ways.mean > (queue_octets - 4 * 110) * 8);
    bare_close(&net);
}

static void sim_switch_lets_ptp_wait_for_one_frame_at_most_when_it_prefers_it(void **state)
{
    bare_switch(
        &net, 1,
        &(struct mt_sim_switch_config){.rate_bps = GIGABIT, .load = 0.9, .prefers_ptp = true});
    bare_send_many(&net, 0, 5000, INTERVAL_NS);
    struct bare_moments ways = bare_ways(&net, 1);
    assert_true(is_near(ways.mean, 880 + 0.9 * 12304 / 2, 200));
    assert_true(ways.most < 880 + 12304);
    bare_close(&net);
}

/* Two frames at once through one port: the second waits for the first. */
static void sim_switch_makes_frames_wait_for_one_another_when_they_meet(void **state)
{
    const struct mt_sim_segment_config cable = {0};
    bare_switch(&net, 1, &(struct mt_sim_switch_config){.rate_bps = 1e8});
    uint32_t third = mt_world_add_segment(net.world, &cable);
    bare_add(&net, third);
    assert_true(mt_world_join_switch(net.world, third, 0));
    bare_send(&net, 0, 1);
    bare_send(&net, 2, 2);
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(net.count, 4);
    assert_true(bare_ways(&net, 1).least == 8800 && bare_ways(&net, 1).most == 17600);
    assert_true(bare_ways(&net, 0).most == 8800);
    bare_close(&net);
}

/* They have come one after the other already, so the second does not wait for the first again. */
static void sim_switch_is_fed_one_frame_after_the_other_when_a_node_sends_two_at_once(void **state)
{
    bare_switch(&net, 1, &(struct mt_sim_switch_config){.rate_bps = GIGABIT});
    bare_send(&net, 0, 1);
    bare_send(&net, 0, 2);
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(net.count, 2);
    assert_true(bare_ways(&net, 1).least == 880 && bare_ways(&net, 1).most == 880);
    bare_close(&net);
}

static void sim_switch_forwards_nothing_and_tells_when_it_is_down(void **state)
{
    bare_switch(&net, 1, &(struct mt_sim_switch_config){0});
    bare_run(&net, 0);
    uint64_t inputs = net.runtimes[1].inputs;
    mt_world_set_switch_up(net.world, 0, false);
    bare_run(&net, 1);
    assert_int_equal(net.runtimes[1].inputs, inputs + 1); /* its link is down */
    bare_send_many(&net, 0, 3, INTERVAL_NS);
    assert_int_equal(net.count, 0);
    mt_world_set_switch_up(net.world, 0, true);
    bare_send_many(&net, 0, 3, INTERVAL_NS);
    assert_int_equal(net.count, 3);
    bare_close(&net);
}

static void sim_world_complains_when_switches_form_a_loop(void **state)
{
    const struct mt_sim_segment_config cable = {.delay_ns = 100};
    bare_switch(&net, 1, &(struct mt_sim_switch_config){0});
    uint32_t other = mt_world_add_switch(net.world, &(struct mt_sim_switch_config){0});
    for (int i = 0; i < 2; i++) {
        uint32_t segment = mt_world_add_segment(net.world, &cable);
        assert_true(mt_world_join_switch(net.world, segment, 0));
        assert_true(mt_world_join_switch(net.world, segment, other));
    }
    bare_send(&net, 0, 1);
    assert_false(mt_world_run_until(net.world, BARE_S_NS));
    assert_string_not_equal(mt_world_complaint(net.world), "");
    mt_world_free(net.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_jitter_has_its_mean_and_deviation_when_it_is_of_any_kind),
        cmocka_unit_test(sim_jitter_is_scaled_for_each_way_when_told),
        cmocka_unit_test(sim_jitter_follows_the_trace_when_one_was_recorded),
        cmocka_unit_test(sim_burst_delays_and_loses_when_it_is_periodic),
        cmocka_unit_test(sim_burst_takes_its_share_of_time_when_it_is_random),
        cmocka_unit_test(sim_burst_is_the_same_when_more_is_sent),
        cmocka_unit_test(sim_copies_are_counted_when_frames_are_duplicated),
        cmocka_unit_test(sim_frames_are_overtaken_and_counted_when_they_are_held_back),
        cmocka_unit_test(sim_frames_keep_their_order_when_the_segment_does),
        cmocka_unit_test(sim_switch_stores_and_forwards_when_it_is_idle),
        cmocka_unit_test(sim_switch_delays_more_when_load_grows),
        cmocka_unit_test(sim_switch_drops_and_bounds_the_wait_when_its_queue_is_full),
        cmocka_unit_test(sim_switch_lets_ptp_wait_for_one_frame_at_most_when_it_prefers_it),
        cmocka_unit_test(sim_switch_makes_frames_wait_for_one_another_when_they_meet),
        cmocka_unit_test(sim_switch_is_fed_one_frame_after_the_other_when_a_node_sends_two_at_once),
        cmocka_unit_test(sim_switch_forwards_nothing_and_tells_when_it_is_down),
        cmocka_unit_test(sim_world_complains_when_switches_form_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
