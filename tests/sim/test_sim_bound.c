/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the published bound is worth in a network: along a chain of boundary clocks, when one of
 * them is silent about its own error, and when the grandmaster changes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_lab.h"

enum { GM, BC1, BC2, RX };

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config cable = {
    .delay_ns = 2000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 50};
/* 30 us longer one way: nobody can measure that, it must be allowed for */
static const struct mt_sim_segment_config uneven = {
    .delay_ns = 40000, .asymmetry_ns = 30000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 50};

static uint32_t add(const char *name, double offset_s, double frequency, const char *keys,
                    unsigned ports)
{
    const struct mt_sim_node_config config = {
        .offset_s = offset_s, .frequency = frequency, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    return lab_add(&net, name, &config, lab_conf(keys, ports));
}

static void boot_all(void)
{
    for (uint32_t i = 0; i < net.node_count; i++) {
        lab_boot(&net, i);
    }
}

static enum mt_bound_reference reference_of(uint32_t node)
{
    struct mt_world_reading reading;
    assert_true(mt_world_read_page(net.world, node, 0, &reading));
    return reading.reference;
}

/* ---- along a chain --------------------------------------------------------------------------- */

static void found_chain(unsigned seed, const char *keys_of_bc1)
{
    lab_open(&net, seed);
    add("GM", 0.1, 5e-6, "priority1 = 1", 1);
    add("BC1", -0.1, -5e-6, keys_of_bc1, 2);
    add("BC2", 0.2, 15e-6, "", 2);
    add("RX", 0.3, -25e-6, "", 1);
    lab_cable(&net, &uneven, GM, "eth0", BC1, "eth0");
    lab_cable(&net, &cable, BC1, "eth1", BC2, "eth0");
    lab_cable(&net, &cable, BC2, "eth1", RX, "eth0");
    net.reference = GM;
    boot_all();
    lab_run(&net, 60);
    lab_forget(&net);
    lab_run(&net, 30);
}

static void sim_bound_holds_at_the_end_of_a_chain_when_its_first_path_is_uneven(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found_chain(seed, "");
        for (uint32_t node = BC1; node <= RX; node++) {
            assert_int_equal(reference_of(node), MT_BOUND_SOURCE);
            assert_true(lab_is_bounded(&net, node));
            /* and there is need of it */
            assert_true(fabs(lab_offset_ns(&net, node, 0)) > 14000);
        }
        lab_close(&net);
    }
}

/* A silent clock on the way is not a perfect one: behind it nobody claims to know. */
static void sim_bound_is_to_the_parent_when_a_clock_on_the_way_is_silent(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found_chain(seed, "announce_accuracy = no");
        assert_int_equal(reference_of(BC1), MT_BOUND_SOURCE);
        assert_int_equal(reference_of(BC2), MT_BOUND_PARENT);
        assert_int_equal(reference_of(RX), MT_BOUND_PARENT);
        assert_int_equal(net.nodes[RX].watch.bounded, 0);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        lab_close(&net);
    }
}

/* ---- another grandmaster --------------------------------------------------------------------- */

/* RX follows GM1 and then, when that is gone, GM2 on the same hub. */
static uint32_t change_grandmaster(unsigned seed, const char *keys, double other_offset_s,
                                   uint32_t *ret_other)
{
    char other_keys[200];
    (void)snprintf(other_keys, sizeof other_keys,
                   "%s\ntransmitter_only = yes\npriority2 = 200\nclock_class = 6", keys);
    lab_open(&net, seed);
    char best_keys[200];
    (void)snprintf(best_keys, sizeof best_keys, "%s\nclock_class = 6", keys);
    uint32_t best = lab_add(&net, "GM1", &(struct mt_sim_node_config){0}, lab_conf(best_keys, 1));
    *ret_other = lab_add(&net, "GM2", &(struct mt_sim_node_config){.offset_s = other_offset_s},
                         lab_conf(other_keys, 1));
    uint32_t rx = add("RX", -0.1, -25e-6, "", 1);
    uint32_t hub = lab_cable(&net, &cable, best, "eth0", rx, "eth0");
    assert_true(mt_world_join(net.world, hub, *ret_other, "eth0"));
    net.reference = best;
    boot_all();
    lab_run(&net, 100);
    assert_true(lab_is_bounded(&net, rx) || net.nodes[rx].watch.outside == 0);
    lab_forget(&net);
    lab_kill(&net, best);
    return rx;
}

static void follows(uint32_t rx, uint32_t grandmaster)
{
    const struct mt_instance *ptp = lab_instance(&net, rx, 0);
    assert_int_equal(lab_state(&net, rx, 1), MT_STATE_RECEIVER);
    assert_true(mt_clock_identity_equal(&mt_instance_parent(ptp)->grandmaster,
                                        &lab_instance(&net, grandmaster, 0)->config.identity));
}

/* Both are right and say so: who follows does not notice the change. */
static void sim_receiver_keeps_its_bound_when_grandmasters_are_both_traceable(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t other;
        uint32_t rx = change_grandmaster(
            seed, "time_traceable = yes\nclock_accuracy = 100ns\nutc_offset = 37", 0, &other);
        net.reference = TRUE_TIME;
        lab_run(&net, 20);
        follows(rx, other);
        assert_int_equal(reference_of(rx), MT_BOUND_TRACEABLE);
        assert_int_equal(net.nodes[rx].watch.steps, 0);
        assert_true(net.nodes[rx].watch.max_ns < 20 * cable.jitter_ns);
        assert_true(lab_is_bounded(&net, rx));
        lab_close(&net);
    }
}

/* Traceable; Syncs so rarely that there are Announces before there is an estimate. */
static const char *slow_grandmaster(const char *keys)
{
    static char text[1200];
    (void)snprintf(text, sizeof text,
                   "%s\ntime_traceable = yes\nutc_offset = 37\nclock_class = 6\n"
                   "[ptp eth0]\nlog_sync_interval = 0\nlog_min_delay_req_interval = 0\n",
                   lab_conf(keys, 0));
    return text;
}

/* The first is 0.9 us off and says so; the second is right to 25 ns.  A boundary clock that has
 * just changed over still shows the time of the first: what it announces must count that. */
static void sim_chain_is_inside_its_bound_when_traceable_grandmasters_differ(void **state)
{
    static const struct mt_sim_segment_config tight = {
        .delay_ns = 100, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 5};
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        uint32_t best = lab_add(&net, "GM1", &(struct mt_sim_node_config){.offset_s = 0.9e-6},
                                slow_grandmaster("clock_accuracy = 1us\npriority1 = 1"));
        uint32_t other = lab_add(&net, "GM2", &(struct mt_sim_node_config){0},
                                 slow_grandmaster("clock_accuracy = 25ns\ntransmitter_only = yes"));
        uint32_t bc = add("BC", -0.1, -25e-6, "[clock]\nmax_drift = 10ppb", 2);
        uint32_t rx = add("RX", 0.1, 15e-6, "[clock]\nmax_drift = 10ppb", 1);
        uint32_t hub = lab_cable(&net, &tight, best, "eth0", bc, "eth0");
        assert_true(mt_world_join(net.world, hub, other, "eth0"));
        lab_cable(&net, &tight, bc, "eth1", rx, "eth0");
        boot_all();
        lab_run(&net, 100);
        assert_int_equal(reference_of(rx), MT_BOUND_TRACEABLE);
        lab_forget(&net);
        lab_kill(&net, best);
        for (int part = 0; part < 400; part++) { /* and never does it stop serving */
            lab_run(&net, 0.1);
            assert_int_equal(lab_state(&net, bc, 2), MT_STATE_TRANSMITTER);
        }
        follows(rx, other);
        assert_int_equal(reference_of(rx), MT_BOUND_TRACEABLE);
        assert_true(fabs(lab_offset_ns(&net, rx, 0)) < 100);
        assert_true(net.nodes[rx].watch.max_ns > 800);
        assert_int_equal(net.nodes[bc].watch.outside, 0);
        assert_int_equal(net.nodes[rx].watch.outside, 0);
        lab_close(&net);
    }
}

/* Nothing says how far apart they are: until that is measured nothing is claimed. */
static void sim_receiver_has_no_bound_when_grandmaster_changes_to_another_time(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t other;
        uint32_t rx = change_grandmaster(seed, "", 3e-3, &other);
        assert_true(lab_run_until_state(&net, rx, 1, MT_STATE_UNCALIBRATED, 15));
        net.reference = other;
        assert_int_equal(reference_of(rx), MT_BOUND_NONE);
        lab_forget(&net);
        lab_run(&net, 40);
        follows(rx, other);
        const struct lab_watch *watch = &net.nodes[rx].watch;
        assert_int_equal(reference_of(rx), MT_BOUND_SOURCE);
        assert_in_range(watch->bounded, watch->readings * 4 / 5, watch->readings);
        assert_int_equal(watch->strange, 0);
        assert_int_equal(watch->outside, 0);
        lab_close(&net);
    }
}

/* Two that are both right, and nobody says so: the bound goes and comes back, the time stays. */
static void sim_receiver_keeps_time_when_grandmaster_changes_to_an_equal(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t other;
        uint32_t rx = change_grandmaster(seed, "", 0, &other);
        net.reference = TRUE_TIME;
        lab_run(&net, 20);
        follows(rx, other);
        assert_int_equal(net.nodes[rx].watch.steps, 0);
        assert_true(net.nodes[rx].watch.max_ns < 20 * cable.jitter_ns);
        assert_int_equal(net.nodes[rx].watch.outside, 0);
        assert_int_equal(reference_of(rx), MT_BOUND_SOURCE);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            sim_bound_holds_at_the_end_of_a_chain_when_its_first_path_is_uneven, clean_up),
        cmocka_unit_test_teardown(sim_bound_is_to_the_parent_when_a_clock_on_the_way_is_silent,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_keeps_its_bound_when_grandmasters_are_both_traceable,
                                  clean_up),
        cmocka_unit_test_teardown(sim_chain_is_inside_its_bound_when_traceable_grandmasters_differ,
                                  clean_up),
        cmocka_unit_test_teardown(
            sim_receiver_has_no_bound_when_grandmaster_changes_to_another_time, clean_up),
        cmocka_unit_test_teardown(sim_receiver_keeps_time_when_grandmaster_changes_to_an_equal,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
