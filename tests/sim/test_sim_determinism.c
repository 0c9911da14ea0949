/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The same seed is the same run.  The program prints the hash of a run with much in it when it is
 * called with --hash; compare_builds.py calls that of every build, whatever its compiler and its
 * optimisation.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

#define WATCH_NS 7000003

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static struct mt_sim_node_config machine(double offset_s, double frequency)
{
    return (struct mt_sim_node_config){.offset_s = offset_s,
                                       .frequency = frequency,
                                       .wander = 3e-9,
                                       .white_phase_ns = 1,
                                       .flicker_phase_ns = 0.5,
                                       .ageing_per_day = 1e-8,
                                       .temperature_coefficient = 1e-8,
                                       .granularity_ns = 8,
                                       .stamp_noise_ns = 12,
                                       .tx_stamp_loss = 0.01,
                                       .tx_stamp_late = 0.05,
                                       .tx_stamp_late_ns = 3000000,
                                       .tx_stamp_delay_ns = 20000};
}

static void let_pass(int64_t s, bool is_watched)
{
    int64_t end_ns = mt_world_t_ns(net.world) + s * MT_NS_PER_S;
    struct mt_world_reading reading;
    while (is_watched && mt_world_t_ns(net.world) + WATCH_NS < end_ns) {
        assert_true(mt_world_run_until(net.world, mt_world_t_ns(net.world) + WATCH_NS));
        for (uint32_t i = 0; i < net.node_count; i++) {
            mt_world_true_offset(net.world, i, 0);
            mt_world_read_page(net.world, i, 0, &reading);
        }
    }
    assert_true(mt_world_run_until(net.world, end_ns));
}

/* A cable to a switch, and one from there. */
static void join_by_switch(const struct mt_sim_segment_config *way, uint32_t a,
                           const char *a_interface, uint32_t b, const char *b_interface)
{
    const uint32_t nodes[2] = {a, b};
    const char *interfaces[2] = {a_interface, b_interface};
    uint32_t between = mt_world_add_switch(
        net.world, &(struct mt_sim_switch_config){.rate_bps = 1e9, .latency_ns = 900, .load = 0.5});
    for (int i = 0; i < 2; i++) {
        uint32_t segment = mt_world_add_segment(net.world, way);
        assert_true(mt_world_join(net.world, segment, nodes[i], interfaces[i]));
        assert_true(mt_world_join_switch(net.world, segment, between));
    }
}

/* A grandmaster, two boundary clocks in a ring, two receivers; a link and a clock fail. */
static void run_much(uint64_t seed, bool is_watched)
{
    const struct mt_sim_segment_config normal = {
        .delay_ns = 2500, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 80, .asymmetry_ns = 40};
    const struct mt_sim_segment_config skewed = {
        .delay_ns = 20000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 1500, .loss = 0.02};
    const struct mt_sim_segment_config gamma = {.delay_ns = 3000,
                                                .jitter = MT_SIM_JITTER_GAMMA,
                                                .jitter_ns = 200,
                                                .jitter_shape = 0.7,
                                                .duplication = 0.01};
    const struct mt_sim_segment_config heavy = {
        .delay_ns = 3000,
        .jitter = MT_SIM_JITTER_PARETO,
        .jitter_ns = 300,
        .reordering = 0.01,
        .reorder_ns = 2000,
        .burst = {
            .period_ns = 5000000000, .length_ns = 500000000, .jitter_ns = 900, .is_random = true}};
    const struct mt_sim_node_config machines[] = {machine(0.1, 1e-6), machine(0.2, -17e-6),
                                                  machine(-0.3, 23e-6), machine(0.4, -40e-6),
                                                  machine(-0.5, 9e-6)};
    lab_open(&net, seed);
    lab_add(&net, "GM", &machines[0], lab_conf("priority1 = 1", 1));
    lab_add(&net, "BC1", &machines[1], lab_conf("", 4));
    lab_add(&net, "BC2", &machines[2], lab_conf("path_trace = yes", 3));
    lab_add(&net, "R1", &machines[3], lab_conf("", 1));
    lab_add(&net, "R2", &machines[4], lab_conf("", 1));
    lab_cable(&net, &normal, 0, "eth0", 1, "eth0");
    uint32_t first = lab_cable(&net, &normal, 1, "eth1", 2, "eth0");
    lab_cable(&net, &skewed, 1, "eth2", 2, "eth1");
    join_by_switch(&gamma, 1, "eth3", 3, "eth0");
    lab_cable(&net, &heavy, 2, "eth2", 4, "eth0");
    for (uint32_t i = 0; i < 5; i++) {
        lab_boot(&net, i);
    }
    let_pass(30, is_watched);
    mt_world_set_segment_up(net.world, first, false);
    let_pass(20, is_watched);
    lab_kill(&net, 0);
    mt_world_set_temperature(net.world, 2, 5, 3000000000);
    mt_world_set_lie(net.world, 3, 1e-5, 1e-7);
    let_pass(20, is_watched);
    lab_boot(&net, 0);
    let_pass(20, is_watched);
}

static uint64_t hash_of(uint64_t seed)
{
    run_much(seed, false);
    uint64_t hash = net.hash;
    assert_true(net.frames > 5000);
    lab_close(&net);
    return hash;
}

static void sim_run_is_the_same_when_seed_is(void **state)
{
    FOR_EACH_SEED(seed)
    {
        assert_true(hash_of(seed) == hash_of(seed));
    }
}

static void sim_run_is_another_when_seed_is(void **state)
{
    assert_true(hash_of(1) != hash_of(2));
}

/* Reading clocks and pages at odd times leaves no trace. */
static void sim_run_is_the_same_when_it_is_looked_at(void **state)
{
    run_much(1, true);
    uint64_t hash = net.hash;
    lab_close(&net);
    assert_true(hash == hash_of(1));
}

static int print_hash(void)
{
    run_much(1, false);
    printf("%016" PRIx64 " %" PRIu64 "\n", net.hash, net.frames);
    lab_close(&net);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_run_is_the_same_when_seed_is, clean_up),
        cmocka_unit_test_teardown(sim_run_is_another_when_seed_is, clean_up),
        cmocka_unit_test_teardown(sim_run_is_the_same_when_it_is_looked_at, clean_up),
    };
    if (argc > 1 && strcmp(argv[1], "--hash") == 0) {
        return print_hash();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
