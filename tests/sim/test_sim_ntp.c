/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Nodes that ask each other by NTP, over the same cables, hubs and switches as PTP: what they get,
 * and that whatever happens on the way the clock is within its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"
#include "sim_replay.h"

#define SERVER 0
#define CLIENT 1

static struct lab net;
static struct lab_log recording;

static const struct mt_sim_node_config exact = {.granularity_ns = 1};
static const struct mt_sim_node_config ordinary = {.offset_s = -40,
                                                   .frequency = 30e-6,
                                                   .wander = 1e-9,
                                                   .granularity_ns = 1,
                                                   .tx_stamp_delay_ns = 20000};
static const struct mt_sim_segment_config lan = {
    .delay_ns = 100000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 10000};
static const char *const serving = "[server]\nlocal_stratum = 1\n";

static int clean_up(void **state)
{
    free(recording.octets);
    recording = (struct lab_log){0};
    return lab_clean_up(&net);
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

/* A server that is right and a client, at the ends of a cable. */
static void found(uint64_t seed, const struct mt_sim_segment_config *cable, const char *address,
                  const char *keys)
{
    char text[200];
    lab_open(&net, seed);
    lab_add(&net, "S", &exact, serving);
    snprintf(text, sizeof text, "[ntp %s]\nmin_poll = 2\nmax_poll = 2\n%s\n", address, keys);
    lab_add(&net, "C", &ordinary, text);
    lab_cable(&net, cable, SERVER, "eth0", CLIENT, "eth0");
    net.reference = TRUE_TIME;
}

static void boot(void)
{
    lab_boot(&net, SERVER);
    lab_boot(&net, CLIENT);
}

static const struct mt_node_ntp *asked(unsigned number)
{
    return &net.nodes[net.node_count - 1].composition->node.ntp[number];
}

static const struct mt_node_server *server(void)
{
    return net.nodes[SERVER].composition->node.server;
}

static const struct mt_node_clock *clock_of_client(void)
{
    return &net.nodes[CLIENT].composition->node.clocks[0];
}

static void expect_error_below(double limit_ns)
{
    uint32_t client = net.node_count - 1;
    lab_forget(&net);
    lab_run(&net, 300);
    assert_int_equal(net.nodes[client].composition->node.clocks[0].discipline.phase,
                     MT_STEER_LOCKED);
    assert_true(lab_is_bounded(&net, client));
    assert_true(net.nodes[client].watch.max_ns < limit_ns);
    assert_int_equal(net.nodes[client].watch.steps, 0);
}

static void sim_ntp_sets_a_clock_within_seconds_and_keeps_it(void **state)
{
    static const char *const addresses[] = {"10.0.0.0", "fd00::"};
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < 2; i++) {
            found(seed, &lan, addresses[i], "");
            boot();
            lab_run(&net, 5);
            assert_true(magnitude(lab_offset_ns(&net, CLIENT, 0)) < 1e6);
            lab_run(&net, 200);
            expect_error_below(8000);
            assert_true(server()->by_workers[MT_NTP_ANSWERED] > 100);
            lab_close(&net);
        }
    }
}

/* The first scale of the noise is that of six samples, three of which the state takes: of some
 * hundred starts one finds it four times too small.  The clock must not believe that for long. */
static void sim_ntp_is_near_when_the_first_samples_look_too_good(void **state)
{
    static const uint64_t unlucky[] = {4, 12, 63, 309, 327};
    for (unsigned i = 0; i < sizeof unlucky / sizeof unlucky[0]; i++) {
        found(unlucky[i], &lan, "10.0.0.0", "");
        boot();
        lab_run(&net, 6);
        lab_forget(&net);
        lab_run(&net, 300);
        assert_true(lab_is_bounded(&net, CLIENT));
        assert_true(net.nodes[CLIENT].watch.max_ns < 35000);
        lab_close(&net);
    }
}

/* Without and with what was learned of the oscillator: then the clock is at the stored rate before
 * it is measured, so nothing is measured in vain. */
static void sim_ntp_follows_within_seconds_when_it_starts_anew(void **state)
{
    FOR_EACH_SEED(seed)
    {
        double follows_s[2];
        found(seed, &lan, "10.0.0.0", "");
        lab_boot(&net, SERVER);
        for (unsigned i = 0; i < 2; i++) {
            const double begun_s = lab_seconds(&net);
            lab_boot(&net, CLIENT);
            assert_int_equal(magnitude(clock_of_client()->discipline.rate) > 29e-6, i);
            while (lab_bound_ns(&net, CLIENT) < 0) {
                lab_run(&net, 0.125);
            }
            follows_s[i] = lab_seconds(&net) - begun_s;
            assert_true(follows_s[i] < 3.5);
            lab_run(&net, 5 - follows_s[i]);
            assert_true(magnitude(lab_offset_ns(&net, CLIENT, 0)) < 50000);
            lab_run(&net, 1000);
            lab_stop(&net, CLIENT);
        }
        assert_true(follows_s[1] < follows_s[0] + 1.2); /* one question leaves at this very ns */
        lab_close(&net);
    }
}

/* Then the answer's time of departure is the interface's, not that of before it waited to leave. */
static void sim_ntp_is_better_interleaved_when_answers_wait_to_leave(void **state)
{
    static const struct mt_sim_segment_config quiet = {.delay_ns = 100000};
    double mean_ns[2];
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < 2; i++) {
            found(seed, &quiet, "10.0.0.0", i == 0 ? "" : "interleaved = yes");
            mt_world_node_config(net.world, SERVER)->egress_wait_ns = 50000;
            boot();
            lab_run(&net, 300);
            lab_forget(&net);
            lab_run(&net, 300);
            assert_true(lab_is_bounded(&net, CLIENT));
            mean_ns[i] = magnitude(lab_mean_ns(&net, CLIENT));
            assert_int_equal(server()->by_workers[MT_NTP_INTERLEAVED] > 0, i);
            lab_close(&net);
        }
        assert_true(mean_ns[0] > 1000);
        assert_true(mean_ns[1] < 100);
    }
}

static void sim_ntp_is_within_its_bound_when_ways_differ_and_packets_are_lost(void **state)
{
    static const struct mt_sim_segment_config bad = {.delay_ns = 2000000,
                                                     .asymmetry_ns = 1000000,
                                                     .jitter = MT_SIM_JITTER_EXPONENTIAL,
                                                     .jitter_ns = 200000,
                                                     .loss = 0.2,
                                                     .duplication = 0.1,
                                                     .reordering = 0.1,
                                                     .reorder_ns = 5e9};
    FOR_EACH_SEED(seed)
    {
        found(seed, &bad, "10.0.0.0", "");
        boot();
        lab_run(&net, 100);
        lab_forget(&net);
        lab_run(&net, 300);
        const struct lab_watch *watch = &net.nodes[CLIENT].watch;
        assert_int_equal(watch->outside, 0);
        assert_int_equal(watch->bounded, watch->readings);
        assert_true(watch->max_ns < 0.8e6);
        assert_true(watch->max_ns > 200e3); /* half of the asymmetry remains */
        lab_close(&net);
    }
}

static void sim_ntp_asks_across_switches(void **state)
{
    static const struct mt_sim_switch_config gigabit = {
        .rate_bps = 1e9, .latency_ns = 2000, .load = 0.3};
    static const struct mt_sim_segment_config cable = {.delay_ns = 500};
    FOR_EACH_SEED(seed)
    {
        found(seed, &cable, "10.0.0.1", "");
        uint32_t one = mt_world_add_switch(net.world, &gigabit);
        uint32_t other = mt_world_add_switch(net.world, &gigabit);
        for (unsigned i = 0; i < 2; i++) {
            uint32_t segment = mt_world_add_segment(net.world, &cable);
            assert_true(mt_world_join(net.world, segment, i, "eth1"));
            assert_true(mt_world_join_switch(net.world, segment, i == 0 ? one : other));
        }
        uint32_t between = mt_world_add_segment(net.world, &cable);
        assert_true(mt_world_join_switch(net.world, between, one));
        assert_true(mt_world_join_switch(net.world, between, other));
        boot();
        lab_run(&net, 200);
        expect_error_below(8000);
        lab_close(&net);
    }
}

static void sim_ntp_misses_a_server_that_is_not_there(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, &lan, "10.0.0.7", "");
        boot();
        lab_run(&net, 30);
        assert_int_equal(asked(0)->client.reach, 0);
        assert_true(mt_ntp_duty_is_lost(asked(0)));
        lab_close(&net);
        found(seed, &lan, "10.0.0.0", "");
        boot();
        lab_run(&net, 200);
        lab_kill(&net, SERVER);
        lab_forget(&net);
        lab_run(&net, 300);
        assert_int_equal(asked(0)->client.reach, 0);
        assert_int_equal(net.nodes[CLIENT].composition->node.clocks[0].discipline.phase,
                         MT_STEER_HOLDOVER);
        assert_true(lab_is_bounded(&net, CLIENT));
        lab_boot(&net, SERVER);
        lab_run(&net, 300);
        expect_error_below(8000);
        lab_close(&net);
    }
}

/* S - C1 - C2: what C1 serves is that of its own clock, which gets better with time. */
/* It asks less often then, and knows that answers will come less often.  (A limited server may say
 * nothing at all for a while before it says that it is.) */
static void sim_ntp_stays_locked_when_the_server_limits_it(void **state)
{
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        lab_add(&net, "S", &exact, serving);
        lab_add(&net, "C", &ordinary, "[ntp 10.0.0.0]\nmin_poll = 0\nmax_poll = 3\n");
        lab_cable(&net, &lan, SERVER, "eth0", CLIENT, "eth0");
        net.reference = TRUE_TIME;
        boot();
        mt_world_limit_ntp(net.world, SERVER, 3, 24);
        lab_run(&net, 20);
        assert_int_equal(clock_of_client()->discipline.phase, MT_STEER_LOCKED);
        lab_forget(&net);
        bool has_heard = false;
        for (unsigned i = 0; i < 240; i++) {
            lab_run(&net, 0.5);
            enum mt_steer_phase phase = clock_of_client()->discipline.phase;
            has_heard |= phase == MT_STEER_LOCKED && asked(0)->client.kiss[0] != 0;
            assert_true(phase == MT_STEER_LOCKED || !has_heard);
        }
        assert_true(has_heard);
        assert_true(lab_is_bounded(&net, CLIENT));
        lab_close(&net);
    }
}

static void sim_ntp_is_passed_on(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, &lan, "10.0.0.0", "[server]");
        lab_add(&net, "C2", &ordinary, "[ntp 10.0.1.1]\nmin_poll = 2\nmax_poll = 2\n");
        lab_cable(&net, &lan, CLIENT, "eth1", 2, "eth0");
        boot();
        lab_boot(&net, 2);
        lab_run(&net, 400);
        assert_int_equal(asked(0)->client.server.stratum, 2);
        expect_error_below(30000);
        lab_close(&net);
    }
}

static void sim_ntp_is_the_same_when_run_again_and_when_replayed(void **state)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < 2; i++) {
        found(5, &lan, "10.0.0.0", "interleaved = yes");
        if (i == 1) {
            lab_record(&net, CLIENT, &recording);
        }
        boot();
        lab_run(&net, 100);
        assert_true(i == 0 || net.hash == hash);
        hash = net.hash;
        if (i == 0) {
            lab_close(&net);
        }
    }
    lab_stop(&net, CLIENT);
    struct lab_replay replay = lab_replay(&recording);
    assert_true(replay.composition->node.ntp[0].client.was_reachable);
    lab_replay_close(&replay);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ntp_sets_a_clock_within_seconds_and_keeps_it, clean_up),
        cmocka_unit_test_teardown(sim_ntp_is_near_when_the_first_samples_look_too_good, clean_up),
        cmocka_unit_test_teardown(sim_ntp_follows_within_seconds_when_it_starts_anew, clean_up),
        cmocka_unit_test_teardown(sim_ntp_is_better_interleaved_when_answers_wait_to_leave,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ntp_is_within_its_bound_when_ways_differ_and_packets_are_lost,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ntp_asks_across_switches, clean_up),
        cmocka_unit_test_teardown(sim_ntp_misses_a_server_that_is_not_there, clean_up),
        cmocka_unit_test_teardown(sim_ntp_stays_locked_when_the_server_limits_it, clean_up),
        cmocka_unit_test_teardown(sim_ntp_is_passed_on, clean_up),
        cmocka_unit_test_teardown(sim_ntp_is_the_same_when_run_again_and_when_replayed, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
