/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A receiver that asks for fewer messages once it has settled, and for more when it is lost, and a
 * transmitter that obeys: what passes on the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_more.h"
#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

#define TRANSMITTER 0
#define RECEIVER    1

static void found(struct lab *lab, uint64_t seed, const char *keys)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 5};
    const struct mt_sim_node_config transmitter = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config receiver = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    lab_open(lab, seed);
    lab_add(lab, "T", &transmitter,
            lab_conf("delay_mechanism = p2p\nobey_interval_requests = yes", 1));
    lab_add(lab, "R", &receiver, lab_conf(keys, 1));
    lab_cable(lab, &cable, TRANSMITTER, "eth0", RECEIVER, "eth0");
    lab_boot(lab, TRANSMITTER);
    lab_boot(lab, RECEIVER);
}

/* Messages a second, from now on. */
static double rate_of(uint32_t node, enum mt_ptp_type type, double seconds)
{
    unsigned before = net.nodes[node].watch.sent[type];
    lab_run(&net, seconds);
    return (net.nodes[node].watch.sent[type] - before) / seconds;
}

/* Readings of a clock that had been locked and is not, or is in holdover. */
static bool was_locked;
static unsigned not_locked;

static void watch_the_lock(struct lab *lab)
{
    const struct mt_composition *receiver = lab->nodes[RECEIVER].composition;
    bool is_locked = receiver->node.clocks[0].discipline.phase == MT_STEER_LOCKED;
    not_locked += was_locked && !is_locked;
    was_locked = was_locked || is_locked;
}

static void begin_to_watch(void)
{
    was_locked = false;
    not_locked = 0;
    net.look = watch_the_lock;
}

static void sim_intervals_thin_out_when_the_clock_has_settled(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(&net, seed,
              "receiver_only = yes\ndelay_mechanism = p2p\nlog_min_pdelay_req_interval = -3\n"
              "operational_log_sync_interval = 1\noperational_log_pdelay_interval = 2\n"
              "operational_threshold = 100ns");
        assert_true(lab_run_until_state(&net, RECEIVER, 1, MT_STATE_UNCALIBRATED, 10));
        assert_true(rate_of(TRANSMITTER, MT_PTP_SYNC, 2) > 7);
        begin_to_watch();
        lab_run(&net, 40);
        double syncs = rate_of(TRANSMITTER, MT_PTP_SYNC, 40);
        assert_true(syncs > 0.45 && syncs < 0.55);
        double requests = rate_of(RECEIVER, MT_PTP_PDELAY_REQ, 40);
        assert_true(requests > 0.2 && requests < 0.3);
        lab_forget(&net);
        lab_run(&net, 60);
        assert_true(lab_sd_ns(&net, RECEIVER) < 100);
        assert_true(lab_is_bounded(&net, RECEIVER));
        assert_true(was_locked);
        assert_int_equal(not_locked, 0);
        net.look = NULL;
        mt_world_set_plugged(net.world, RECEIVER, "eth0", false); /* and back: it begins anew */
        lab_run(&net, 2);
        mt_world_set_plugged(net.world, RECEIVER, "eth0", true);
        assert_true(lab_run_until_state(&net, RECEIVER, 1, MT_STATE_UNCALIBRATED, 20));
        unsigned requests_before = net.nodes[RECEIVER].watch.sent[MT_PTP_PDELAY_REQ];
        assert_true(rate_of(TRANSMITTER, MT_PTP_SYNC, 1) > 6); /* it settles soon */
        assert_true(net.nodes[RECEIVER].watch.sent[MT_PTP_PDELAY_REQ] - requests_before > 6);
        lab_close(&net);
    }
}

/* Somebody tells the transmitter, and the receiver hears of it in its Syncs. */
static void sim_intervals_may_become_longer(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(&net, seed,
              "receiver_only = yes\ndelay_mechanism = p2p\nlog_min_pdelay_req_interval = 3");
        begin_to_watch();
        lab_run(&net, 40);
        assert_true(was_locked);
        lab_instance(&net, TRANSMITTER, 0)->ports[0].config.log_sync_interval = 2;
        lab_run(&net, 40);
        assert_true(rate_of(TRANSMITTER, MT_PTP_SYNC, 20) < 0.3);
        assert_int_equal(not_locked, 0);
        mt_world_set_plugged(net.world, RECEIVER, "eth0", false);
        lab_run(&net, 30);
        assert_true(not_locked > 0); /* four that are missing are silence */
        lab_close(&net);
    }
}

static void sim_intervals_stay_when_nobody_asks(void **state)
{
    found(&net, 1, "receiver_only = yes\ndelay_mechanism = p2p");
    lab_run(&net, 40);
    assert_int_equal(net.nodes[RECEIVER].watch.sent[MT_PTP_SIGNALING], 0);
    assert_true(rate_of(TRANSMITTER, MT_PTP_SYNC, 10) > 7.5);
    lab_close(&net);
}

/* The other option that only the whole configuration shows: a local time, served and demanded. */
static void sim_local_time_is_served_and_demanded(void **state)
{
    static const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    const struct mt_sim_node_config node = {.tx_stamp_delay_ns = 20000};
    const char *const served[] = {"local_time_name = CET\nlocal_time_offset = 3600", ""};
    for (unsigned i = 0; i < 2; i++) {
        lab_open(&net, 1);
        lab_add(&net, "T", &node, lab_conf(served[i], 1));
        lab_add(&net, "R", &node, lab_conf("receiver_only = yes\ndemand_local_time = yes", 1));
        lab_cable(&net, &cable, TRANSMITTER, "eth0", RECEIVER, "eth0");
        lab_boot(&net, TRANSMITTER);
        lab_boot(&net, RECEIVER);
        lab_run(&net, 20);
        const struct mt_instance *receiver = lab_instance(&net, RECEIVER, 0);
        const struct mt_zone *zone = &receiver->config.more->management->zones_heard[0];
        assert_int_equal(mt_port_state_of(receiver, 1),
                         i == 0 ? MT_STATE_RECEIVER : MT_STATE_LISTENING);
        assert_int_equal(zone->is_enabled, i == 0);
        assert_int_equal(zone->offset_s, i == 0 ? 3600 - MT_WORLD_TAI_MINUS_UTC : 0);
        lab_close(&net);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sim_intervals_thin_out_when_the_clock_has_settled),
        TEST(sim_intervals_may_become_longer),
        TEST(sim_intervals_stay_when_nobody_asks),
        TEST(sim_local_time_is_served_and_demanded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
