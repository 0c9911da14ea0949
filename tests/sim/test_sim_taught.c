/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node whose machine does not know TAI - UTC has sources of TAI and of UTC: they are used
 * together once somebody who is followed has taught it, and never mixed before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

#define SERVERS   3
#define CLIENT    SERVERS
#define GM        (SERVERS + 1)
#define SETTLED_S 100

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

/* Servers of NTP, a client that asks them and knows nothing, and a grandmaster, on a hub. */
static void found(uint64_t seed)
{
    static const struct mt_sim_segment_config hub = {
        .delay_ns = 20000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 1000};
    static const struct mt_sim_node_config exact = {.granularity_ns = 1};
    static const struct mt_sim_node_config ordinary = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    char text[1000] = "[ntp]\nmin_poll = 2\nmax_poll = 2\n";
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &hub);
    for (unsigned i = 0; i < SERVERS; i++) {
        size_t length = strlen(text);
        lab_add(&net, "S", &exact, "[server]\nlocal_stratum = 1\n");
        snprintf(text + length, sizeof text - length, "[ntp 10.0.%u.0]\n", i);
    }
    strcat(text, "[ptp]\nreceiver_only = yes\n[ptp eth0]\n");
    lab_add(&net, "C", &ordinary, text);
    lab_add(&net, "GM", &exact, lab_conf("clock_class = 6\nclock_accuracy = 100ns", 1));
    for (uint32_t node = 0; node <= GM; node++) {
        assert_true(mt_world_join(net.world, segment, node, "eth0"));
    }
    net.reference = TRUE_TIME;
}

static void boot_client(void)
{
    static const struct mt_compose_facts nothing = {0};
    net.facts = &nothing;
    lab_boot(&net, CLIENT);
    net.facts = NULL;
}

static void boot_servers(void)
{
    for (uint32_t node = 0; node < SERVERS; node++) {
        lab_boot(&net, node);
    }
}

static const struct mt_node_clock *clock_of_client(void)
{
    return &net.nodes[CLIENT].composition->node.clocks[0];
}

static unsigned count_that_take_part(enum mt_arbiter_kind kind)
{
    const struct mt_arbiter *arbiter = &clock_of_client()->arbiter;
    unsigned count = 0;
    for (uint16_t i = 0; i < arbiter->count; i++) {
        count +=
            arbiter->members[i].kind == kind && mt_arbiter_is_chosen(arbiter->opinions[i].verdict);
    }
    return count;
}

/* Whatever it shows, it is right and does not jump. */
static void expect_calm(enum mt_timescale scale)
{
    lab_forget(&net);
    lab_run(&net, SETTLED_S);
    assert_int_equal(clock_of_client()->discipline.scale, scale);
    assert_int_equal(clock_of_client()->discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(net.nodes[CLIENT].watch.steps, 0);
    assert_true(lab_is_bounded(&net, CLIENT));
}

static void sim_servers_of_utc_are_used_when_a_grandmaster_has_taught_tai_minus_utc(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        lab_boot(&net, GM);
        boot_client();
        lab_run(&net, SETTLED_S);
        boot_servers();
        lab_run(&net, SETTLED_S);
        assert_int_equal(clock_of_client()->leap.choice.by, MT_LEAP_BY_PTP);
        assert_int_equal(clock_of_client()->leap.choice.tai_minus_utc_s, MT_WORLD_TAI_MINUS_UTC);
        assert_int_equal(count_that_take_part(MT_ARBITER_NTP), SERVERS);
        assert_int_equal(count_that_take_part(MT_ARBITER_PTP), 1);
        expect_calm(MT_SCALE_TAI);
        lab_kill(&net, GM); /* what it has taught stays */
        expect_calm(MT_SCALE_TAI);
        assert_int_equal(count_that_take_part(MT_ARBITER_NTP), SERVERS);
        lab_close(&net);
    }
}

/* Since the last call: somebody was called false, or the clock was in holdover. */
static bool was_disturbed(void)
{
    struct mt_node_event event;
    bool any = false;
    while (mt_node_next_event(&net.nodes[CLIENT].composition->node, &event)) {
        any |=
            event.kind == MT_NODE_PHASE ||
            (event.kind == MT_NODE_SOURCE && event.value.source.verdict == MT_ARBITER_FALSETICKER);
    }
    return any;
}

static void tell_of_utc(uint16_t flags, int16_t utc_offset)
{
    const struct mt_command command = {
        .kind = MT_COMMAND_TIME_PROPERTIES,
        .value.time = {.flags = MT_PTP_TIMESCALE | flags, .utc_offset = utc_offset}};
    assert_true(lab_command(&net, GM, 0, &command));
}

static void sim_servers_of_utc_wait_when_nobody_knows_the_difference(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        lab_boot(&net, GM);
        tell_of_utc(0, 0);
        boot_client();
        lab_run(&net, SETTLED_S);
        lab_boot(&net, 0);
        expect_calm(MT_SCALE_TAI);
        assert_false(clock_of_client()->leap.choice.is_known);
        assert_int_equal(count_that_take_part(MT_ARBITER_NTP), 0);
        (void)was_disturbed();
        tell_of_utc(MT_PTP_UTC_OFFSET_VALID, MT_WORLD_TAI_MINUS_UTC);
        expect_calm(MT_SCALE_TAI);
        assert_true(clock_of_client()->leap.choice.is_known);
        assert_int_equal(count_that_take_part(MT_ARBITER_NTP), 1);
        assert_false(was_disturbed());
        lab_close(&net);
    }
}

/* A clock that was set by UTC goes on with it. */
static void sim_clock_goes_on_with_utc_when_a_grandmaster_comes_later(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        boot_servers();
        boot_client();
        lab_run(&net, SETTLED_S);
        expect_calm(MT_SCALE_UTC);
        lab_boot(&net, GM);
        expect_calm(MT_SCALE_UTC);
        assert_int_equal(count_that_take_part(MT_ARBITER_NTP), SERVERS);
        lab_close(&net);
    }
}

/* Whoever is heard first. */
static void sim_clock_is_right_when_all_begin_at_once(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        boot_servers();
        lab_boot(&net, GM);
        boot_client();
        lab_run(&net, SETTLED_S);
        assert_int_equal(net.nodes[CLIENT].watch.outside, 0);
        expect_calm(clock_of_client()->discipline.scale);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            sim_servers_of_utc_are_used_when_a_grandmaster_has_taught_tai_minus_utc, clean_up),
        cmocka_unit_test_teardown(sim_servers_of_utc_wait_when_nobody_knows_the_difference,
                                  clean_up),
        cmocka_unit_test_teardown(sim_clock_goes_on_with_utc_when_a_grandmaster_comes_later,
                                  clean_up),
        cmocka_unit_test_teardown(sim_clock_is_right_when_all_begin_at_once, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
