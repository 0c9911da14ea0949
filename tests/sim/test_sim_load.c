/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Other traffic comes up on a quiet network, A - BC - B: it delays packets, and nobody is to lose
 * the lock for that, or the time that he has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_lab.h"

#define A  0
#define BC 1
#define B  2

static struct lab net;
static uint32_t cable;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static unsigned changes_of_phase;

static void count_changes_of_phase(struct lab *lab)
{
    struct mt_node_event event;
    for (uint32_t node = BC; node <= B; node++) {
        while (mt_node_next_event(&lab->nodes[node].composition->node, &event)) {
            changes_of_phase += event.kind == MT_NODE_PHASE;
        }
    }
}

static void found(uint64_t seed, const char *of_a)
{
    static const struct mt_sim_segment_config quiet = {
        .delay_ns = 5000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 300};
    static const struct mt_sim_node_config exact = {.granularity_ns = 1};
    static const struct mt_sim_node_config bc = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    static const struct mt_sim_node_config b = {
        .offset_s = 0.3, .frequency = 37e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    lab_open(&net, seed);
    lab_add(&net, "A", &exact, of_a);
    lab_add(&net, "BC", &bc, lab_conf("", 2));
    lab_add(&net, "B", &b, lab_conf("receiver_only = yes", 1));
    cable = lab_cable(&net, &quiet, A, "eth0", BC, "eth0");
    lab_cable(&net, &quiet, BC, "eth1", B, "eth0");
    net.reference = A;
    for (uint32_t node = A; node <= B; node++) {
        lab_boot(&net, node);
    }
    changes_of_phase = 0;
    net.look = count_changes_of_phase;
    lab_run(&net, 120);
    assert_true(changes_of_phase >= 4); /* each measures, and is locked */
}

static void expect_calm(double seconds, double most_ns)
{
    changes_of_phase = 0;
    lab_forget(&net);
    lab_run(&net, seconds);
    assert_int_equal(changes_of_phase, 0);
    assert_int_equal(lab_state(&net, BC, 1), MT_STATE_RECEIVER);
    assert_int_equal(lab_state(&net, BC, 2), MT_STATE_TRANSMITTER);
    for (uint32_t node = BC; node <= B; node++) {
        assert_true(lab_is_bounded(&net, node));
        assert_true(net.nodes[node].watch.max_ns < most_ns);
    }
}

static void set_load(double mean_ns)
{
    struct mt_sim_segment_config *physics = mt_world_segment_config(net.world, cable);
    physics->jitter_ns = mean_ns;
}

static void sim_load_unlocks_nobody_when_it_comes_and_goes(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, lab_conf("priority1 = 100", 1));
        expect_calm(20, 1000);
        set_load(10000);
        expect_calm(20, 1500);
        set_load(300);
        expect_calm(20, 1500);
        set_load(3000);
        expect_calm(20, 1500);
        lab_close(&net);
    }
}

static void sim_load_unlocks_nobody_when_requests_are_rare(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, "[ptp]\nlog_announce_interval = -1\nlog_sync_interval = -3\npriority1 = 100\n"
                    "log_min_delay_req_interval = 0\n[ptp eth0]\n");
        expect_calm(20, 2000);
        set_load(3000);
        expect_calm(30, 10000);
        lab_close(&net);
    }
}

static void sim_path_unlocks_nobody_when_it_becomes_longer_and_shorter(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(seed, lab_conf("priority1 = 100", 1));
        struct mt_sim_segment_config *physics = mt_world_segment_config(net.world, cable);
        physics->delay_ns = 60000;
        expect_calm(20, 1500);
        physics->delay_ns = 2000;
        expect_calm(20, 1500);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_load_unlocks_nobody_when_it_comes_and_goes, clean_up),
        cmocka_unit_test_teardown(sim_load_unlocks_nobody_when_requests_are_rare, clean_up),
        cmocka_unit_test_teardown(sim_path_unlocks_nobody_when_it_becomes_longer_and_shorter,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
