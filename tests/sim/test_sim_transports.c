/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What hangs on links from the configuration to the clock: domains that share one, transports that
 * have one each, a recording of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim_lab.h"
#include "sim_replay.h"

#define GM 0
#define RX 1

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_node_config ahead = {.offset_s = 0.2, .frequency = 5e-6};
static const struct mt_sim_node_config behind = {.offset_s = -0.3, .frequency = -8e-6};
static const struct mt_sim_segment_config cable = {.delay_ns = 1000};

#define DOMAINS(priority1)                                                                         \
    "[ptp]\npriority1 = " priority1 "\n"                                                           \
    "log_announce_interval = -1\nlog_sync_interval = -2\nlog_min_delay_req_interval = -2\n"        \
    "[instance five]\ndomain = 5\nclock = five\n[clock five]\n"                                    \
    "[port a]\ninterface = eth0\n[port b]\ninterface = eth0\ninstance = five\n"

static void open_two(uint64_t seed, const char *gm, const char *rx)
{
    lab_open(&net, seed);
    lab_add(&net, "GM", &ahead, gm);
    lab_add(&net, "RX", &behind, rx);
    lab_cable(&net, &cable, GM, "eth0", RX, "eth0");
    net.reference = GM;
}

static struct mt_port *port_of(uint32_t node, uint16_t instance)
{
    return &lab_instance(&net, node, instance)->ports[0];
}

static void domains_on_one_interface_share_a_link(void **state)
{
    FOR_EACH_SEED(seed)
    {
        open_two(seed, DOMAINS("100"), DOMAINS("200"));
        lab_boot(&net, GM);
        lab_boot(&net, RX);
        lab_run(&net, 20);
        struct mt_node *node = &net.nodes[RX].composition->node;
        assert_int_equal(node->link_count, 1);
        for (uint16_t i = 0; i < 2; i++) {
            assert_int_equal(node->instances[i].ports[0].link, 0);
            assert_int_equal(port_of(RX, i)->state, MT_STATE_RECEIVER);
            assert_int_equal(port_of(GM, i)->state, MT_STATE_TRANSMITTER);
        }
        assert_true(lab_offset_ns(&net, RX, 0) < 100 && lab_offset_ns(&net, RX, 0) > -100);
        lab_close(&net);
    }
}

/* A name for the link is that of the first port that has it. */
static void instances_go_down_together_when_their_link_does(void **state)
{
    open_two(1, DOMAINS("100"), DOMAINS("200"));
    lab_boot(&net, GM);
    lab_boot(&net, RX);
    lab_run(&net, 20);
    mt_world_set_plugged(net.world, RX, "eth0", false);
    lab_run(&net, 1);
    for (uint16_t i = 0; i < 2; i++) {
        assert_false(port_of(RX, i)->is_link_up);
    }
    mt_world_set_plugged(net.world, RX, "eth0", true);
    lab_run(&net, 20);
    for (uint16_t i = 0; i < 2; i++) {
        assert_int_equal(port_of(RX, i)->state, MT_STATE_RECEIVER);
    }
    lab_close(&net);
}

static const char *const transports[] = {
    "transport = udp4\n",
    "transport = udp6\n",
    "transport = l2\n",
    "transport = l2\nvlan = 7\nvlan_priority = 5\n",
};
#define TRANSPORTS (sizeof transports / sizeof *transports)

static void receiver_follows_whatever_the_transport(void **state)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        char keys[200];
        lab_open(&net, 1);
        snprintf(keys, sizeof keys, "priority1 = 100\n%s", transports[i]);
        lab_add(&net, "GM", &ahead, lab_conf(keys, 1));
        lab_add(&net, "RX", &behind, lab_conf(transports[i], 1));
        lab_cable(&net, &cable, GM, "eth0", RX, "eth0");
        net.reference = GM;
        lab_boot(&net, GM);
        lab_boot(&net, RX);
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 20));
        lab_close(&net);
    }
}

/* Same cable, same domain, other transports: each is the only clock that it knows. */
static void clocks_of_different_transports_do_not_meet(void **state)
{
    for (size_t i = 1; i < TRANSPORTS; i++) {
        lab_open(&net, 1);
        lab_add(&net, "GM", &ahead, lab_conf(transports[i - 1], 1));
        lab_add(&net, "RX", &behind, lab_conf(transports[i], 1));
        lab_cable(&net, &cable, GM, "eth0", RX, "eth0");
        lab_boot(&net, GM);
        lab_boot(&net, RX);
        lab_run(&net, 20);
        assert_int_equal(lab_state(&net, GM, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_TRANSMITTER);
        lab_close(&net);
    }
}

/* A boundary clock whose two ports are on one interface: it follows over Ethernet and serves over
 * IPv6. */
static void boundary_clock_changes_the_transport_on_one_interface(void **state)
{
    static const char boundary[] =
        "[ptp]\npriority1 = 200\nlog_announce_interval = -1\nlog_sync_interval = -2\n"
        "log_min_delay_req_interval = -2\n[port up]\ninterface = eth0\ntransport = l2\n"
        "[port down]\ninterface = eth0\ntransport = udp6\n";
    lab_open(&net, 1);
    lab_add(&net, "GM", &ahead, lab_conf("priority1 = 100\ntransport = l2\n", 1));
    lab_add(&net, "BC", &behind, boundary);
    uint32_t last = lab_add(&net, "RX", &behind, lab_conf("priority1 = 250\ntransport = udp6", 1));
    uint32_t segment = mt_world_add_segment(net.world, &cable);
    for (uint32_t node = 0; node <= last; node++) {
        assert_true(mt_world_join(net.world, segment, node, "eth0"));
        lab_boot(&net, node);
    }
    lab_run(&net, 40);
    assert_int_equal(net.nodes[1].composition->node.link_count, 2);
    assert_int_equal(lab_state(&net, 1, 1), MT_STATE_RECEIVER);
    assert_int_equal(lab_state(&net, 1, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(lab_state(&net, last, 1), MT_STATE_RECEIVER);
    lab_close(&net);
}

static void recording_replays_when_domains_share_a_link(void **state)
{
    struct lab_log log = {0};
    open_two(1, DOMAINS("100"), DOMAINS("200"));
    lab_record(&net, RX, &log);
    lab_boot(&net, GM);
    lab_boot(&net, RX);
    lab_run(&net, 20);
    lab_stop(&net, RX);
    struct lab_replay replay = lab_replay(&log);
    assert_true(replay.result.frames > 50);
    lab_replay_close(&replay);
    free(log.octets);
    lab_close(&net);
}

#define LAB_TEST(name) cmocka_unit_test_teardown(name, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(domains_on_one_interface_share_a_link),
        LAB_TEST(instances_go_down_together_when_their_link_does),
        LAB_TEST(receiver_follows_whatever_the_transport),
        LAB_TEST(clocks_of_different_transports_do_not_meet),
        LAB_TEST(boundary_clock_changes_the_transport_on_one_interface),
        LAB_TEST(recording_replays_when_domains_share_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
