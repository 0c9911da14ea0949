/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A client asks several NTP servers, all but the liars at true time, and hears a PTP grandmaster
 * beside them.  Whatever the liars do, the clock stays within its bound, and they are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

#define NTP_ERA_S       INT64_C(4294967296)
#define NTP_ERA_1_S     INT64_C(2085978496) /* UTC, as POSIX counts: 2036-02-07 06:28:16 */
#define NOW_S           (MT_WORLD_EPOCH_S - MT_WORLD_TAI_MINUS_UTC)
#define PROBATION_S     (MT_ARBITER_PROBATION_NS / 1000000000)
#define ERROR_MOST_NS   30000
#define SETTLED_AFTER_S 300

static struct lab net;
static unsigned servers;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

/* Servers 0 to count - 1, the client behind them, and then a grandmaster, on a hub. */
static void found(uint64_t seed, unsigned count, bool has_ptp)
{
    static const struct mt_sim_segment_config hub = {
        .delay_ns = 100000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 10000};
    static const struct mt_sim_node_config exact = {.granularity_ns = 1};
    static const struct mt_sim_node_config ordinary = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    char text[1000] = "[ntp]\nmin_poll = 2\nmax_poll = 2\n";
    servers = count;
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &hub);
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(text);
        lab_add(&net, "S", &exact, "[server]\nlocal_stratum = 1\n");
        assert_true(mt_world_join(net.world, segment, i, "eth0"));
        snprintf(text + length, sizeof text - length, "[ntp 10.0.%u.0]\n", i);
    }
    strcat(text, has_ptp ? "[ptp]\nreceiver_only = yes\n[ptp eth0]\n" : "");
    lab_add(&net, "C", &ordinary, text);
    assert_true(mt_world_join(net.world, segment, count, "eth0"));
    if (has_ptp) {
        lab_add(&net, "GM", &exact, lab_conf("clock_class = 6\nclock_accuracy = 100ns", 1));
        assert_true(mt_world_join(net.world, segment, count + 1, "eth0"));
    }
    for (uint32_t node = 0; node < net.node_count; node++) {
        lab_boot(&net, node);
    }
}

static struct mt_node *client(void)
{
    return &net.nodes[servers].composition->node;
}

static uint16_t member_of(enum mt_arbiter_kind kind, uint16_t index)
{
    const struct mt_arbiter *arbiter = &client()->clocks[0].arbiter;
    uint16_t member = 0;
    while (member < arbiter->count &&
           (arbiter->members[member].kind != kind || arbiter->members[member].index != index)) {
        member++;
    }
    assert_true(member < arbiter->count);
    return member;
}

static enum mt_arbiter_verdict verdict(uint16_t member)
{
    return client()->clocks[0].arbiter.opinions[member].verdict;
}

static enum mt_arbiter_verdict verdict_of_server(unsigned server)
{
    return verdict(member_of(MT_ARBITER_NTP, (uint16_t)server));
}

/* Who was told to be a falseticker since the last call: a bit for each member. */
static unsigned named(void)
{
    struct mt_node_event event;
    unsigned members = 0;
    while (mt_node_next_event(client(), &event)) {
        if (event.kind == MT_NODE_SOURCE && event.value.source.verdict == MT_ARBITER_FALSETICKER) {
            members |= 1u << event.value.source.member;
        }
    }
    return members;
}

static unsigned bit_of_server(unsigned server)
{
    return 1u << member_of(MT_ARBITER_NTP, (uint16_t)server);
}

/* Since lab_forget(). */
static void expect_good(void)
{
    const struct lab_watch *watch = &net.nodes[servers].watch;
    assert_true(lab_is_bounded(&net, servers));
    assert_int_equal(watch->steps, 0);
    assert_true(watch->max_ns < ERROR_MOST_NS);
}

static void settle(void)
{
    lab_run(&net, SETTLED_AFTER_S);
    lab_forget(&net);
}

static void sim_ntp_names_the_liar_when_one_of_four_lies_from_the_start(void **state)
{
    for (unsigned liar = 0; liar < 4; liar++) {
        found(1 + liar, 4, false);
        mt_world_set_lie(net.world, liar, 3e-3, 0);
        settle();
        assert_int_equal(named(), bit_of_server(liar));
        lab_run(&net, 300);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(verdict_of_server(i) == MT_ARBITER_FALSETICKER, i == liar);
            assert_int_equal(mt_arbiter_is_chosen(verdict_of_server(i)), i != liar);
        }
        expect_good();
        lab_close(&net);
    }
}

static void sim_ntp_names_the_liars_when_two_of_five_jump_together(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 5, false);
        settle();
        assert_int_equal(named(), 0);
        mt_world_set_lie(net.world, 1, -2e-3, 0);
        mt_world_set_lie(net.world, 3, -2e-3, 0);
        lab_run(&net, 300);
        assert_int_equal(named(), bit_of_server(1) | bit_of_server(3));
        mt_world_set_lie(net.world, 1, 0, 0);
        mt_world_set_lie(net.world, 3, 0, 0);
        lab_run(&net, 3 * PROBATION_S);
        for (unsigned i = 0; i < 5; i++) {
            assert_true(mt_arbiter_is_chosen(verdict_of_server(i)));
        }
        expect_good();
        lab_close(&net);
    }
}

/* It is the best source by far, until its time is further away than that of the others may be. */
static void sim_ptp_transmitter_is_outvoted_and_named_when_it_drifts_away_slowly(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 3, true);
        settle();
        uint16_t ptp = member_of(MT_ARBITER_PTP, 0);
        assert_true(mt_arbiter_is_chosen(verdict(ptp)));
        assert_int_equal(named(), 0);
        mt_world_set_lie(net.world, 4, 0, 50e-9);
        lab_run(&net, 6000);
        assert_int_equal(named(), 1u << ptp);
        assert_int_equal(verdict(ptp), MT_ARBITER_FALSETICKER);
        assert_true(lab_is_bounded(&net, servers));
        assert_int_equal(net.nodes[servers].watch.steps, 0);
        lab_forget(&net);
        lab_run(&net, 300);
        expect_good();
        lab_close(&net);
    }
}

/* A server that begins again with its clock at another time. */
static void restart_at(unsigned server, int64_t utc_s)
{
    lab_kill(&net, server);
    mt_world_node_config(net.world, server)->offset_s = (mt_real)(utc_s - NOW_S);
    lab_boot(&net, server);
    assert_int_equal(mt_world_true_offset(net.world, server, 0).s, utc_s - NOW_S);
}

static void sim_ntp_names_the_server_that_restarts_its_era(void **state)
{
    static const int64_t beginnings_s[] = {0, NTP_ERA_1_S, NTP_ERA_1_S + 1000, NOW_S - 3600};
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < sizeof beginnings_s / sizeof beginnings_s[0]; i++) {
            found(seed, 4, false);
            settle();
            assert_int_equal(named(), 0);
            restart_at(2, beginnings_s[i]);
            lab_run(&net, 600);
            assert_int_equal(named(), bit_of_server(2));
            assert_int_equal(verdict_of_server(2), MT_ARBITER_FALSETICKER);
            expect_good();
            lab_close(&net);
        }
    }
}

/* NTP tells no eras: what is served is the same. */
static void sim_ntp_goes_on_when_a_server_is_wrong_by_a_whole_era(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, 3, false);
        settle();
        restart_at(1, NOW_S + NTP_ERA_S);
        lab_run(&net, 600);
        assert_int_equal(named(), 0);
        assert_true(mt_arbiter_is_chosen(verdict_of_server(1)));
        expect_good();
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ntp_names_the_liar_when_one_of_four_lies_from_the_start,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ntp_names_the_liars_when_two_of_five_jump_together, clean_up),
        cmocka_unit_test_teardown(
            sim_ptp_transmitter_is_outvoted_and_named_when_it_drifts_away_slowly, clean_up),
        cmocka_unit_test_teardown(sim_ntp_names_the_server_that_restarts_its_era, clean_up),
        cmocka_unit_test_teardown(sim_ntp_goes_on_when_a_server_is_wrong_by_a_whole_era, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
