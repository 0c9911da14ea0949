/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node with a reference clock, alone and as the grandmaster of another; and the same recorded and
 * replayed, for readings are inputs like any other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"
#include "sim_replay.h"

#define A 0
#define B 1

static struct lab net;
static struct lab_log recording;

static const char *const text = "[refclock gps]\n"
                                "unit = 2\n"
                                "max_error = 100 ns\n"
                                "precision = 0\n"
                                "[refclock spare]\n"
                                "driver = sock\n"
                                "path = /spare\n"
                                "median_over = 4 s\n"
                                "max_error = 1 us\n"
                                "[export out]\n"
                                "unit = 3\n"
                                "[ptp eth0]\n"
                                "transmitter_only = yes\n"
                                "log_sync_interval = -1\n"
                                "log_announce_interval = -1\n"
                                "[instance main]\n"
                                "priority1 = 10\n";

static int clean_up(void **state)
{
    free(recording.octets);
    recording = (struct lab_log){0};
    return lab_clean_up(&net);
}

static void build(uint64_t seed)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 5000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 100};
    const struct mt_sim_node_config a = {.offset_s = 0.3,
                                         .frequency = 12e-6,
                                         .wander = 1e-9,
                                         .refclock_interval_ns = 1000000000,
                                         .refclock_jitter_ns = 100};
    const struct mt_sim_node_config b = {.offset_s = -0.9, .frequency = -7e-6, .wander = 1e-9};
    lab_open(&net, seed);
    lab_add(&net, "A", &a, text);
    lab_add(&net, "B", &b, lab_conf("receiver_only = yes", 1));
    lab_cable(&net, &cable, A, "eth0", B, "eth0");
    net.reference = TRUE_TIME;
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static void refclock_steers_a_grandmaster_and_who_follows_it(void **state)
{
    FOR_EACH_SEED(seed)
    {
        build(seed);
        lab_boot(&net, A);
        lab_boot(&net, B);
        lab_run(&net, 60);
        lab_forget(&net);
        lab_run(&net, 240);
        const struct mt_node_clock *clock = &net.nodes[A].composition->node.clocks[0];
        assert_int_equal(clock->discipline.phase, MT_STEER_LOCKED);
        assert_int_equal(clock->page.bound_reference, MT_BOUND_TRACEABLE);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 300);
        assert_int_equal(lab_state(&net, B, 1), MT_STATE_RECEIVER);
        assert_true(lab_is_bounded(&net, B));
        assert_true(magnitude(lab_offset_ns(&net, B, 0)) < 600);
        assert_true(lab_bound_ns(&net, A) < 3000);
        lab_close(&net);
    }
}

/* beside a server that is right: a node that only asks */
static void ntp_sets_a_clock_within_seconds_and_keeps_it(void **state)
{
    const struct mt_sim_node_config a = {.offset_s = -40,
                                         .frequency = 30e-6,
                                         .wander = 1e-9,
                                         .ntp_delay_ns = 1e6,
                                         .ntp_jitter = MT_SIM_JITTER_NORMAL,
                                         .ntp_jitter_ns = 10000};
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        lab_add(&net, "A", &a, "[ntp 192.0.2.1]\nmin_poll = 4\nmax_poll = 4\n");
        lab_boot(&net, A);
        lab_run(&net, 5);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 1e6);
        lab_run(&net, 1000);
        assert_int_equal(net.nodes[A].composition->node.clocks[0].discipline.phase,
                         MT_STEER_LOCKED);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 20000);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < lab_bound_ns(&net, A));
        lab_close(&net);
    }
}

static void refclock_is_missed_when_it_falls_silent(void **state)
{
    build(3);
    lab_boot(&net, A);
    lab_run(&net, 100);
    mt_world_node_config(net.world, A)->refclock_interval_ns = 0;
    lab_run(&net, 100);
    assert_int_equal(net.nodes[A].composition->node.clocks[0].discipline.phase, MT_STEER_HOLDOVER);
    assert_true(magnitude(lab_offset_ns(&net, A, 0)) < lab_bound_ns(&net, A));
    lab_close(&net);
}

static void refclock_is_the_same_when_replayed(void **state)
{
    build(5);
    lab_record(&net, A, &recording);
    lab_boot(&net, A);
    lab_boot(&net, B);
    lab_run(&net, 60);
    lab_stop(&net, A);
    struct lab_replay replay = lab_replay(&recording);
    const struct mt_node *node = &replay.composition->node;
    assert_true(replay.result.corrections > 5);
    assert_true(node->refclocks[0].counts[MT_REFCLOCK_SAMPLES] > 50);
    assert_true(node->exports[0].at.ns > 0);
    lab_replay_close(&replay);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(refclock_steers_a_grandmaster_and_who_follows_it, clean_up),
        cmocka_unit_test_teardown(ntp_sets_a_clock_within_seconds_and_keeps_it, clean_up),
        cmocka_unit_test_teardown(refclock_is_missed_when_it_falls_silent, clean_up),
        cmocka_unit_test_teardown(refclock_is_the_same_when_replayed, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
