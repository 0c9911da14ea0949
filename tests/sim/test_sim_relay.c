/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A grandmaster that follows NTP is slewed after each of its samples, by more than the noise of the
 * link behind it.  Who follows it must not take that for a step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

enum { RELAY, RECEIVER };

static unsigned reading_count;
static unsigned locked_count;

static void count_locked(struct lab *lab)
{
    const struct mt_node *node = &lab->nodes[RECEIVER].composition->node;
    reading_count++;
    locked_count += node->clocks[0].discipline.phase == MT_STEER_LOCKED;
}

static void sim_receiver_stays_locked_when_its_grandmaster_follows_ntp(void **state)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 2000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
    const struct mt_sim_node_config relay = {.frequency = 10e-6,
                                             .wander = 1e-9,
                                             .ntp_delay_ns = 40000,
                                             .ntp_jitter = MT_SIM_JITTER_NORMAL,
                                             .ntp_jitter_ns = 10000};
    const struct mt_sim_node_config receiver = {
        .offset_s = -0.3, .frequency = 20e-6, .wander = 1e-9};
    (void)state;
    reading_count = locked_count = 0;
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        lab_add(&net, "N", &relay,
                "[ptp]\ntransmitter_only = yes\nlog_announce_interval = -1\n"
                "log_sync_interval = -3\nlog_min_delay_req_interval = -3\n[ptp eth0]\n"
                "[ntp 192.0.2.1]\nmin_poll = 4\nmax_poll = 4\n");
        lab_add(&net, "R", &receiver, lab_conf("receiver_only = yes", 1));
        lab_cable(&net, &cable, RELAY, "eth0", RECEIVER, "eth0");
        lab_boot(&net, RELAY);
        lab_boot(&net, RECEIVER);
        lab_run(&net, 120);
        net.look = count_locked;
        lab_forget(&net);
        lab_run(&net, 900);
        assert_int_equal(lab_state(&net, RECEIVER, 1), MT_STATE_RECEIVER);
        assert_int_equal(net.nodes[RECEIVER].watch.steps, 0);
        assert_int_equal(net.nodes[RECEIVER].watch.outside, 0);
        lab_close(&net);
    }
    print_message("not locked: %u of %u readings\n", reading_count - locked_count, reading_count);
    assert_in_range(locked_count, reading_count - reading_count / 200, reading_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_receiver_stays_locked_when_its_grandmaster_follows_ntp,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
