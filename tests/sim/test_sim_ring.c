/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A ring of G.8275.1: a grandmaster and four boundary clocks.  When a link is cut, the segments
 * whose time came over it turn round, each within (stepsRemoved + 1) announce intervals of
 * qualification and 3 until its new Announces have qualified; 4 more at first, where the cut
 * shows as silence and not as a link that is down.  No clock jumps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim_lab.h"

#define RING       5
#define GM         0
#define INTERVAL_S 0.125
#define TIMEOUT    4 /* announce intervals of silence */
#define QUALIFY    3
#define POLL_S     0.005

static struct lab net;
static uint32_t cables[RING]; /* the i-th from node i to the next */

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

/* eth0 of each node leads to the one before it, eth1 to the next. */
static void build(uint64_t seed)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
    static const char *const names[RING] = {"GM", "BC1", "BC2", "BC3", "BC4"};
    lab_open(&net, seed);
    for (unsigned i = 0; i < RING; i++) {
        const struct mt_sim_node_config node = {
            .offset_s = 0.1 * i, .frequency = 5e-6 * i, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
        lab_add(&net, names[i], &node,
                i == GM ? "[ptp]\nprofile = g8275.1\nclock_class = 6\n[ptp eth0]\n[ptp eth1]\n"
                        : "[ptp]\nprofile = g8275.1\n[ptp eth0]\n[ptp eth1]\n");
    }
    for (unsigned i = 0; i < RING; i++) {
        cables[i] = lab_cable(&net, &cable, i, "eth1", (i + 1) % RING, "eth0");
    }
    net.reference = GM;
    for (unsigned i = 0; i < RING; i++) {
        lab_boot(&net, i);
    }
}

static bool follows_gm(uint32_t node)
{
    const struct mt_instance *instance = lab_instance(&net, node, 0);
    const struct mt_ptp_dataset *parent = mt_instance_parent(instance);
    return mt_instance_receiving_port(instance) != 0 &&
           mt_clock_identity_equal(&parent->grandmaster,
                                   &lab_instance(&net, GM, 0)->config.identity);
}

static bool all_follow(void)
{
    for (uint32_t node = 1; node < RING; node++) {
        if (!follows_gm(node)) {
            return false;
        }
    }
    return true;
}

/* All follow, and the one nearest to the cut over so many steps. */
static bool is_formed(uint32_t node, unsigned steps)
{
    return all_follow() && mt_instance_parent(lab_instance(&net, node, 0))->steps_removed == steps;
}

/* Cuts the cable between GM and BC1; the seconds until BC1 hears GM the other way round. */
static double cut(bool shows)
{
    double began_s;
    if (shows) {
        mt_world_set_segment_up(net.world, cables[0], false);
    } else {
        mt_world_segment_config(net.world, cables[0])->loss = 1;
    }
    began_s = lab_seconds(&net);
    while (!is_formed(1, RING - 1) && lab_seconds(&net) - began_s < 30) {
        lab_run(&net, POLL_S);
    }
    return lab_seconds(&net) - began_s;
}

/* The segments that turn round: BC1 - BC2 always, BC2 - BC3 unless BC2's side of it listened. */
static double allowed_s(bool shows)
{
    bool one = lab_state(&net, 2, 2) == MT_STATE_PASSIVE;
    unsigned intervals = (3 + 1 + QUALIFY) + (one ? 0 : 2 + 1 + QUALIFY);
    assert_true(one || lab_state(&net, 3, 1) == MT_STATE_PASSIVE);
    return INTERVAL_S * (intervals + (shows ? 0 : TIMEOUT)) + POLL_S;
}

static void assert_ring_forms_again(unsigned seed, bool shows)
{
    build(seed);
    lab_run(&net, 60);
    assert_true(all_follow());
    lab_forget(&net);
    double most_s = allowed_s(shows);
    double took_s = cut(shows);
    if (took_s > most_s) {
        fail_msg("it took %.3f s, not %.3f s", took_s, most_s);
    }
    printf("seed %u, %s: %.3f s of %.3f s\n", seed, shows ? "link down" : "silence", took_s,
           most_s);
    lab_run(&net, 30);
    for (uint32_t node = 1; node < RING; node++) {
        assert_int_equal(net.nodes[node].watch.steps, 0);
        assert_int_equal(net.nodes[node].watch.outside, 0);
        assert_true(net.nodes[node].watch.max_ns < 500);
    }
    lab_close(&net);
}

static void sim_ring_forms_again_when_a_link_goes_down(void **state)
{
    FOR_EACH_SEED(seed)
    {
        assert_ring_forms_again(seed, true);
    }
}

static void sim_ring_forms_again_when_a_link_falls_silent(void **state)
{
    FOR_EACH_SEED(seed)
    {
        assert_ring_forms_again(seed, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ring_forms_again_when_a_link_goes_down, clean_up),
        cmocka_unit_test_teardown(sim_ring_forms_again_when_a_link_falls_silent, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
