/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Servers in orphan mode: three that ask one another and a fourth that has the time.  What becomes
 * of them when that one goes, when one of them goes and comes back with the wrong time, and when
 * there was never anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/ntp_serve.h"
#include "runtime/orphan.h"
#include "sim_lab.h"

#define ORPHANS   3
#define TIME      ORPHANS /* the node that has it */
#define STRATUM   10
#define AGREED_NS 50000.0

static struct lab net;

static int clean_up(void **state)
{
    (void)state;
    return lab_clean_up(&net);
}

static const char *text_of(unsigned node)
{
    static char text[1000];
    size_t length = (size_t)snprintf(text, sizeof text,
                                     "[server]\norphan = yes\nlocal_stratum = 10\nmax_error = 5ms\n"
                                     "[ntp]\nmin_poll = 2\nmax_poll = 2\n");
    for (unsigned other = 0; other <= TIME; other++) {
        if (other != node) {
            length += (size_t)snprintf(text + length, sizeof text - length,
                                       "[ntp s%u]\naddress = 10.0.%u.0\n", other, other);
        }
    }
    return text;
}

/* What a daemon looks up by itself: at which address the others ask it. */
static void boot(unsigned node)
{
    const struct mt_address own = {.network = MT_NETWORK_UDP_IPV4,
                                   .octets = {10, 0, (uint8_t)node, 0}};
    lab_boot(&net, node);
    for (uint16_t i = 0; i < ORPHANS; i++) {
        mt_ntp_serve_add_own(&net.nodes[node].composition->node, i, &own);
    }
}

static void found(uint64_t seed)
{
    static const struct mt_sim_segment_config hub = {
        .delay_ns = 100000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 5000};
    static const struct mt_sim_node_config exact = {.granularity_ns = 1};
    static const mt_real offsets[ORPHANS] = {-3.2, 0.4, 7.5};
    static const mt_real rates[ORPHANS] = {23e-6, -11e-6, 4e-6};
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &hub);
    for (unsigned i = 0; i < ORPHANS; i++) {
        const struct mt_sim_node_config config = {.offset_s = offsets[i],
                                                  .frequency = rates[i],
                                                  .wander = 1e-9,
                                                  .tx_stamp_delay_ns = 20000};
        lab_add(&net, "S", &config, text_of(i));
        assert_true(mt_world_join(net.world, segment, i, "eth0"));
    }
    lab_add(&net, "T", &exact, "[server]\nlocal_stratum = 1\n");
    assert_true(mt_world_join(net.world, segment, TIME, "eth0"));
    net.reference = TRUE_TIME;
}

static const struct mt_ntp_served *served_by(unsigned node)
{
    return &net.nodes[node].composition->node.server->serving.served;
}

/* 0: it says that it is not synchronised. */
static unsigned stratum_of(unsigned node)
{
    const struct mt_ntp_served *served = served_by(node);
    return served->leap == MT_NTP_LEAP_UNKNOWN ? 0 : served->stratum;
}

static enum mt_arbiter_verdict verdict_of(unsigned node, unsigned server)
{
    const struct mt_node *of = &net.nodes[node].composition->node;
    const struct mt_arbiter *arbiter = &of->clocks[0].arbiter;
    uint16_t index = (uint16_t)(server > node ? server - 1 : server);
    for (uint16_t i = 0; i < arbiter->count; i++) {
        if (arbiter->members[i].kind == MT_ARBITER_NTP && arbiter->members[i].index == index) {
            return arbiter->opinions[i].verdict;
        }
    }
    return MT_ARBITER_VERDICT_COUNT;
}

static double apart_ns(unsigned a, unsigned b)
{
    double ns = lab_offset_ns(&net, a, 0) - lab_offset_ns(&net, b, 0);
    return ns < 0 ? -ns : ns;
}

static bool follow(unsigned parent, unsigned child)
{
    static const uint8_t own[4] = {127, 127, 1, 1};
    const uint8_t id[4] = {10, 0, (uint8_t)parent, 0};
    return stratum_of(parent) == STRATUM &&
           memcmp(served_by(parent)->reference_id, own, sizeof own) == 0 &&
           stratum_of(child) == STRATUM + 1 &&
           memcmp(served_by(child)->reference_id, id, sizeof id) == 0 &&
           verdict_of(child, parent) == MT_ARBITER_SELECTED && apart_ns(parent, child) < AGREED_NS;
}

static void require(bool (*is_so)(unsigned, unsigned), unsigned a, unsigned b)
{
    for (unsigned i = 0; i < ORPHANS && !is_so(a, b); i++) {
        if (net.nodes[i].composition != NULL) {
            print_message("S%u: stratum %u, offset %.0f ns, makes of the others %d %d %d\n", i,
                          stratum_of(i), lab_offset_ns(&net, i, 0), verdict_of(i, (i + 1) % 4),
                          verdict_of(i, (i + 2) % 4), verdict_of(i, (i + 3) % 4));
        }
    }
    assert_true(is_so(a, b));
}

/* Whoever has lost the time does not come any nearer to it. */
static void expect_no_airs(void)
{
    for (unsigned i = 0; i < ORPHANS; i++) {
        assert_true(net.nodes[i].composition == NULL || stratum_of(i) != 1);
    }
}

/* Runs until it is so, and has been for a minute: one after the other finds out. */
static void await(bool (*is_so)(unsigned, unsigned), unsigned a, unsigned b, double seconds)
{
    double until_s = lab_seconds(&net) + seconds;
    unsigned good = 0;
    while (good < 12 && lab_seconds(&net) < until_s) {
        lab_run(&net, 5);
        good = is_so(a, b) ? good + 1 : 0;
        expect_no_airs();
    }
    require(is_so, a, b);
}

static bool have_time(unsigned a, unsigned b)
{
    return stratum_of(a) == 2 && stratum_of(b) == 2;
}

static void settle(void)
{
    for (unsigned i = 0; i <= TIME; i++) {
        i < TIME ? boot(i) : lab_boot(&net, i);
    }
    await(have_time, 0, 1, 120);
    await(have_time, 1, 2, 120);
    lab_run(&net, 600); /* they learn their rates */
}

/* Once what they had drifted apart has been slewed, they stay together. */
static void expect_together(unsigned first, double seconds)
{
    lab_run(&net, 300);
    for (double s = 0; s < seconds; s += 5) {
        lab_run(&net, 5);
        for (unsigned i = first; i + 1 < ORPHANS; i++) {
            require(follow, first, i + 1);
        }
    }
}

static void sim_orphans_follow_the_first_of_them_when_nobody_has_the_time(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        settle();
        for (unsigned i = 1; i < ORPHANS; i++) {
            assert_int_equal(verdict_of(i, TIME), MT_ARBITER_SELECTED);
        }
        lab_forget(&net);
        lab_kill(&net, TIME);
        await(follow, 0, 1, 20000);
        await(follow, 0, 2, 600);
        expect_together(0, 300);
        lab_kill(&net, 0);
        await(follow, 1, 2, 200);
        expect_together(1, 300);
        assert_int_equal(net.nodes[1].watch.steps, 0);
        assert_int_equal(net.nodes[2].watch.steps, 0);
        lab_boot(&net, TIME);
        await(have_time, 1, 2, 200);
        lab_close(&net);
    }
}

static void sim_orphans_are_not_led_astray_by_one_that_comes_back(void **state)
{
    found(3);
    settle();
    lab_kill(&net, TIME);
    await(follow, 0, 1, 20000);
    await(follow, 0, 2, 600);
    lab_kill(&net, 0);
    await(follow, 1, 2, 200);
    lab_forget(&net);
    double before_ns = lab_offset_ns(&net, 1, 0);
    boot(0); /* its clock is 3.2 s off again */
    await(follow, 0, 1, 600);
    await(follow, 0, 2, 600);
    assert_int_equal(net.nodes[1].watch.steps, 0);
    assert_int_equal(net.nodes[2].watch.steps, 0);
    double moved_ns = lab_offset_ns(&net, 0, 0) - before_ns;
    assert_true(moved_ns < 1e6 && moved_ns > -1e6);
    lab_close(&net);
}

static void sim_orphans_wait_for_the_time_before_they_do_without(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed);
        for (unsigned i = 0; i < ORPHANS; i++) {
            boot(i);
            lab_run(&net, 7);
        }
        lab_run(&net, MT_ORPHAN_WAIT_NS / 1e9 - 30);
        for (unsigned i = 0; i < ORPHANS; i++) {
            assert_int_equal(stratum_of(i), 0);
        }
        await(follow, 0, 1, 300);
        await(follow, 0, 2, 300);
        expect_together(0, 300);
        lab_boot(&net, TIME);
        await(have_time, 0, 1, 300);
        await(have_time, 1, 2, 300);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_orphans_follow_the_first_of_them_when_nobody_has_the_time,
                                  clean_up),
        cmocka_unit_test_teardown(sim_orphans_are_not_led_astray_by_one_that_comes_back, clean_up),
        cmocka_unit_test_teardown(sim_orphans_wait_for_the_time_before_they_do_without, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
