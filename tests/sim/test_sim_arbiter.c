/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The arbiter at work: several grandmasters, each in a domain of its own and all but the liars at
 * true time, and one clock that asks them all.  Whatever the liars do, the clock stays within its
 * bound, and they are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

#define MOST 5

/* The receiver's configuration: `count` instances over one clock. */
static const char *ask_all(unsigned count, const char *clock_keys, const char *last_keys)
{
    static char text[2000];
    size_t length = (size_t)snprintf(text, sizeof text,
                                     "[ptp]\n"
                                     "log_announce_interval = -1\n"
                                     "log_sync_interval = -2\n"
                                     "log_min_delay_req_interval = -2\n"
                                     "receiver_only = yes\n"
                                     "[clock]\n"
                                     "arbiter = always\n"
                                     "%s\n",
                                     clock_keys);
    for (unsigned i = 0; i < count; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "[instance i%u]\n"
                                   "domain = %u\n"
                                   "%s\n"
                                   "[port p%u]\n"
                                   "interface = eth0\n"
                                   "instance = i%u\n",
                                   i, i, i + 1 == count ? last_keys : "", i, i);
    }
    assert_true(length < sizeof text);
    return text;
}

/* Grandmasters 0 to count - 1, the receiver behind them. */
static void found(uint64_t seed, unsigned count, const char *clock_keys, const char *last_keys)
{
    static const struct mt_sim_segment_config hub = {
        .delay_ns = 2000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 50};
    const struct mt_sim_node_config exact = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config receiver = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &hub);
    for (unsigned i = 0; i < count; i++) {
        char keys[64];
        snprintf(keys, sizeof keys, "clock_class = 6\nclock_accuracy = 100ns\ndomain = %u", i);
        lab_add(&net, "GM", &exact, lab_conf(keys, 1));
        assert_true(mt_world_join(net.world, segment, i, "eth0"));
    }
    lab_add(&net, "R", &receiver, ask_all(count, clock_keys, last_keys));
    assert_true(mt_world_join(net.world, segment, count, "eth0"));
    segment = mt_world_add_segment(net.world, &hub); /* where nobody else is */
    assert_true(mt_world_join(net.world, segment, count, "eth1"));
    for (uint32_t node = 0; node <= count; node++) {
        lab_boot(&net, node);
    }
}

static const struct mt_arbiter *arbiter(void)
{
    return &net.nodes[net.node_count - 1].composition->node.clocks[0].arbiter;
}

static enum mt_arbiter_verdict verdict(unsigned member)
{
    return arbiter()->opinions[member].verdict;
}

static bool takes_part(unsigned member)
{
    return mt_arbiter_is_chosen(verdict(member));
}

/* Whether a member was told to be a falseticker since the last call. */
static bool is_named(unsigned member)
{
    struct mt_node *node = &net.nodes[net.node_count - 1].composition->node;
    struct mt_node_event event;
    bool is_told = false;
    while (mt_node_next_event(node, &event)) {
        is_told |= event.kind == MT_NODE_SOURCE && event.value.source.member == member &&
                   event.value.source.verdict == MT_ARBITER_FALSETICKER;
    }
    return is_told;
}

static void lie(unsigned grandmaster, double offset_s, double frequency)
{
    mt_world_set_lie(net.world, grandmaster, offset_s, frequency);
}

static void sim_arbiter_uses_all_when_all_agree(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 4, "", "");
        lab_run(&net, 40);
        for (unsigned i = 0; i < 4; i++) {
            assert_true(takes_part(i));
        }
        lab_forget(&net);
        lab_run(&net, 200);
        assert_true(lab_is_bounded(&net, 4));
        assert_int_equal(net.nodes[4].watch.steps, 0);
        assert_true(lab_mean_ns(&net, 4) < 10 && lab_mean_ns(&net, 4) > -10);
        assert_int_equal(arbiter()->changes, 0);
        lab_close(&net);
    }
}

static void sim_arbiter_never_follows_the_liar_when_one_of_four_lies_from_the_start(void **state)
{
    for (unsigned liar = 0; liar < 4; liar++) {
        found(1 + liar, 4, "", "");
        lie(liar, 3e-3, 0);
        lab_run(&net, 40);
        assert_true(is_named(liar));
        assert_int_equal(verdict(liar), MT_ARBITER_FALSETICKER);
        assert_true(arbiter()->opinions[liar].miss < -2.9e-3);
        lab_forget(&net);
        lab_run(&net, 60);
        assert_true(lab_is_bounded(&net, 4));
        assert_int_equal(net.nodes[4].watch.steps, 0);
        assert_true(net.nodes[4].watch.max_ns < 300);
        lab_close(&net);
    }
}

static void sim_arbiter_leaves_those_that_lie_when_two_of_five_jump_together(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 5, "", "");
        lab_run(&net, 40);
        lab_forget(&net);
        is_named(0);
        lie(0, -50e-6, 0);
        lie(1, -50e-6, 0);
        lab_run(&net, 60);
        assert_true(lab_is_bounded(&net, 5));
        assert_int_equal(net.nodes[5].watch.steps, 0);
        assert_true(net.nodes[5].watch.max_ns < 1000);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(verdict(i) == MT_ARBITER_FALSETICKER, i < 2);
        }
        lie(0, 0, 0);
        lie(1, 0, 0);
        lab_run(&net, MT_ARBITER_PROBATION_NS / 2000000000);
        assert_int_equal(verdict(0), MT_ARBITER_PROBATION);
        lab_run(&net, MT_ARBITER_PROBATION_NS / 1000000000);
        assert_true(takes_part(0) && takes_part(1));
        assert_true(lab_is_bounded(&net, 5));
        lab_close(&net);
    }
}

static void sim_arbiter_names_the_one_that_drifts_away_slowly(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 4, "", "prefer = yes");
        lab_run(&net, 40);
        assert_int_equal(verdict(3), MT_ARBITER_SELECTED);
        assert_false(is_named(3));
        lab_forget(&net);
        lie(3, 0, 20e-9);
        lab_run(&net, 600);
        assert_true(is_named(3));
        assert_int_equal(verdict(3), MT_ARBITER_FALSETICKER);
        assert_true(lab_is_bounded(&net, 4));
        assert_int_equal(net.nodes[4].watch.steps, 0);
        lab_close(&net);
    }
}

/* The receiver's last instance has a second port, on which it serves. */
static void sim_arbiter_serves_nothing_when_the_transmitter_is_not_believed(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 4, "", "receiver_only = no\n[port p9]\ninterface = eth1\ninstance = i3");
        lab_run(&net, 60);
        const struct mt_instance *boundary = lab_instance(&net, 4, 3);
        assert_int_equal(mt_port_state_of(boundary, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(mt_port_state_of(boundary, 2), MT_STATE_RECEIVER);
        lie(3, 1e-3, 0);
        lab_run(&net, 30);
        assert_int_equal(verdict(3), MT_ARBITER_FALSETICKER);
        assert_int_equal(mt_port_state_of(boundary, 1), MT_STATE_PRE_TRANSMITTER);
        assert_int_equal(mt_port_state_of(boundary, 2), MT_STATE_UNCALIBRATED);
        lie(3, 0, 0);
        lab_run(&net, 30 + MT_ARBITER_PROBATION_NS / 1000000000);
        assert_int_equal(mt_port_state_of(boundary, 1), MT_STATE_TRANSMITTER);
        lab_close(&net);
    }
}

/* As far as the simulator's clocks can be off: its numbers end at 19 h. */
static void sim_arbiter_is_as_exact_as_before_when_one_is_hours_off(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 4, "", "");
        lie(0, -60000, 0);
        lab_run(&net, 40);
        lab_forget(&net);
        lab_run(&net, 60);
        assert_int_equal(verdict(0), MT_ARBITER_FALSETICKER);
        assert_true(arbiter()->result.high - arbiter()->result.low < 10e-6);
        assert_true(mt_span_abs(arbiter()->base).s < 1);
        assert_true(lab_is_bounded(&net, 4));
        assert_true(net.nodes[4].watch.max_ns < 300);
        lab_close(&net);
    }
}

static void sim_arbiter_follows_nobody_when_there_is_no_majority(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 2, "", "");
        lab_run(&net, 40);
        assert_true(takes_part(0) && takes_part(1));
        lab_forget(&net);
        lie(1, 10e-3, 0);
        lab_run(&net, 60);
        assert_int_equal(verdict(0), MT_ARBITER_NO_MAJORITY);
        assert_int_equal(net.nodes[2].composition->node.clocks[0].discipline.phase,
                         MT_STEER_HOLDOVER);
        assert_true(lab_is_bounded(&net, 2));
        lab_close(&net);
    }
}

static void sim_arbiter_stays_locked_when_the_one_that_steers_vanishes(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 3, "", "");
        lab_run(&net, 40);
        unsigned steering = arbiter()->result.selected;
        lab_forget(&net);
        lab_kill(&net, steering);
        lab_run(&net, 60);
        assert_int_equal(verdict(steering), MT_ARBITER_UNREACHABLE);
        assert_int_equal(net.nodes[3].composition->node.clocks[0].discipline.phase,
                         MT_STEER_LOCKED);
        assert_true(lab_is_bounded(&net, 3));
        assert_true(net.nodes[3].watch.max_ns < 300);
        lab_close(&net);
    }
}

static void sim_arbiter_makes_no_step_when_it_is_larger_than_panic(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 1, "panic = 1s", "");
        lab_run(&net, 40);
        assert_true(net.nodes[1].watch.steps > 0);
        lab_forget(&net);
        lie(0, 5, 0);
        lab_run(&net, 60);
        assert_int_equal(net.nodes[1].watch.steps, 0);
        assert_true(net.nodes[1].composition->node.clocks[0].is_in_panic);
        assert_true(net.nodes[1].watch.max_ns < 1e6);
        lie(0, 0.5, 0);
        lab_run(&net, 60);
        assert_int_equal(net.nodes[1].watch.steps, 1);
        assert_false(net.nodes[1].composition->node.clocks[0].is_in_panic);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_arbiter_uses_all_when_all_agree, clean_up),
        cmocka_unit_test_teardown(
            sim_arbiter_never_follows_the_liar_when_one_of_four_lies_from_the_start, clean_up),
        cmocka_unit_test_teardown(sim_arbiter_leaves_those_that_lie_when_two_of_five_jump_together,
                                  clean_up),
        cmocka_unit_test_teardown(sim_arbiter_names_the_one_that_drifts_away_slowly, clean_up),
        cmocka_unit_test_teardown(sim_arbiter_serves_nothing_when_the_transmitter_is_not_believed,
                                  clean_up),
        cmocka_unit_test_teardown(sim_arbiter_is_as_exact_as_before_when_one_is_hours_off,
                                  clean_up),
        cmocka_unit_test_teardown(sim_arbiter_follows_nobody_when_there_is_no_majority, clean_up),
        cmocka_unit_test_teardown(sim_arbiter_stays_locked_when_the_one_that_steers_vanishes,
                                  clean_up),
        cmocka_unit_test_teardown(sim_arbiter_makes_no_step_when_it_is_larger_than_panic, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
