/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A grandmaster with a GNSS receiver, and who follows it: pulses whose stamps are late or lost, a
 * fix that is lost for an hour, a spoofed step; and the same recorded and replayed.
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

static const char *const text = "[gnss hat]\n"
                                "device = /dev/ttyAMA0\n"
                                "pulse = /dev/pps0\n"
                                "[ptp eth0]\n"
                                "transmitter_only = yes\n"
                                "log_sync_interval = -1\n"
                                "log_announce_interval = -1\n"
                                "[instance main]\n"
                                "priority1 = 10\n";

static int clean_up(void **state)
{
    (void)state;
    free(recording.octets);
    recording = (struct lab_log){0};
    return lab_clean_up(&net);
}

static void build(uint64_t seed)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 5000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 100};
    const struct mt_sim_node_config a = {.offset_s = -1e8,
                                         .frequency = 12e-6,
                                         .wander = 1e-10,
                                         .gnss = {.sentence_delay_ns = 180000000,
                                                  .pulse_jitter_ns = 300,
                                                  .pulse_late = 0.02,
                                                  .pulse_late_ns = 60000,
                                                  .pulse_loss = 0.05}};
    const struct mt_sim_node_config b = {.offset_s = -0.9, .frequency = -7e-6, .wander = 1e-10};
    lab_open(&net, seed);
    lab_add(&net, "A", &a, text);
    lab_add(&net, "B", &b, lab_conf("receiver_only = yes", 1));
    lab_cable(&net, &cable, A, "eth0", B, "eth0");
    net.reference = TRUE_TIME;
}

static struct mt_sim_gnss *receiver(void)
{
    return &mt_world_node_config(net.world, A)->gnss;
}

static const struct mt_node_clock *clock_a(void)
{
    return &net.nodes[A].composition->node.clocks[0];
}

static const struct mt_node_gnss *gnss_a(void)
{
    return &net.nodes[A].composition->node.gnss[0];
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static bool is_inside_bound(void)
{
    return magnitude(lab_offset_ns(&net, A, 0)) < lab_bound_ns(&net, A);
}

static void boot(uint64_t seed)
{
    build(seed);
    lab_boot(&net, A);
    lab_boot(&net, B);
}

static void gnss_makes_a_grandmaster_when_its_clock_begins_anywhere(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        boot(seed);
        lab_run(&net, 60);
        lab_forget(&net);
        lab_run(&net, 240);
        assert_int_equal(clock_a()->discipline.phase, MT_STEER_LOCKED);
        assert_int_equal(clock_a()->page.bound_reference, MT_BOUND_TRACEABLE);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 2000);
        assert_true(is_inside_bound());
        assert_int_equal(lab_state(&net, B, 1), MT_STATE_RECEIVER);
        assert_true(magnitude(lab_offset_ns(&net, B, 0)) < 3000);
        assert_true(lab_is_bounded(&net, B));
        assert_int_equal(gnss_a()->counts[MT_GNSS_PULSE_JUMP], 0);
        struct mt_gnss_standing standing;
        assert_true(mt_gnss_duty_standing(&net.nodes[A].composition->node, 0, &standing));
        assert_true(standing.has_fix && standing.is_believed);
        lab_close(&net);
    }
}

static void gnss_is_missed_when_the_fix_is_lost_for_an_hour(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        boot(seed);
        lab_run(&net, 900);
        receiver()->has_no_fix = true;
        lab_run(&net, 3600);
        assert_int_equal(clock_a()->discipline.phase, MT_STEER_HOLDOVER);
        assert_true(is_inside_bound());
        assert_true(gnss_a()->counts[MT_GNSS_PULSE_NO_FIX] > 3000);
        receiver()->has_no_fix = false;
        lab_run(&net, 300);
        assert_int_equal(clock_a()->discipline.phase, MT_STEER_LOCKED);
        assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 2000);
        lab_close(&net);
    }
}

static void gnss_is_not_followed_when_it_is_spoofed(void **state)
{
    (void)state;
    boot(4);
    lab_run(&net, 300);
    receiver()->ahead_s = 5;
    lab_run(&net, 1000);
    assert_true(gnss_a()->guard.has_jumped);
    assert_true(is_inside_bound());
    assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 1e6);
    assert_true(magnitude(lab_offset_ns(&net, B, 0)) < 1e6);
    receiver()->ahead_s = 0;
    lab_run(&net, 200);
    assert_false(gnss_a()->guard.has_jumped);
    assert_int_equal(clock_a()->discipline.phase, MT_STEER_LOCKED);
    lab_close(&net);
}

static void gnss_of_another_era_is_put_right_when_it_starts(void **state)
{
    (void)state;
    build(6);
    receiver()->ahead_s = -MT_GNSS_ROLLOVER_S;
    lab_boot(&net, A);
    lab_boot(&net, B);
    lab_run(&net, 300);
    assert_int_equal(clock_a()->discipline.phase, MT_STEER_LOCKED);
    assert_true(magnitude(lab_offset_ns(&net, A, 0)) < 2000);
    assert_int_equal(gnss_a()->receiver.rollovers, 1);
    lab_close(&net);
}

static void gnss_is_the_same_when_replayed(void **state)
{
    (void)state;
    build(5);
    lab_record(&net, A, &recording);
    lab_boot(&net, A);
    lab_boot(&net, B);
    lab_run(&net, 60);
    receiver()->ahead_s = 5;
    lab_run(&net, 30);
    lab_stop(&net, A);
    struct lab_replay replay = lab_replay(&recording);
    const struct mt_node *node = &replay.composition->node;
    assert_true(node->gnss[0].counts[MT_GNSS_PULSE_USED] > 40);
    assert_true(node->gnss[0].guard.has_jumped);
    lab_replay_close(&replay);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gnss_makes_a_grandmaster_when_its_clock_begins_anywhere,
                                  clean_up),
        cmocka_unit_test_teardown(gnss_is_missed_when_the_fix_is_lost_for_an_hour, clean_up),
        cmocka_unit_test_teardown(gnss_is_not_followed_when_it_is_spoofed, clean_up),
        cmocka_unit_test_teardown(gnss_of_another_era_is_put_right_when_it_starts, clean_up),
        cmocka_unit_test_teardown(gnss_is_the_same_when_replayed, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
