/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What many receivers cost the transmitter.  End to end, each of them asks it; peer to peer, each
 * asks its neighbour.  The network is a tree in both cases:
 *
 *     grandmaster - root - 8 transparent clocks - 12 or 13 receivers each, 100 in all
 *
 * or, with MEANTIME_LONG=1, 62 or 63 and 500.
 * End to end the transparent clocks keep to the spanning tree, or each of them would send each
 * request out of all its ports, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_more.h"
#include "sim_lab.h"

#define GM         0
#define ROOT       1
#define LEAVES     8
#define RECEIVERS  (lab_is_long() ? 500u : 100u)
#define MOST       500
#define FIRST      (ROOT + 1 + LEAVES)
#define SETTLE_S   12
#define MEASURE_S  (lab_is_long() ? 20 : 10)
#define NAME_COUNT (FIRST + MOST)

static struct lab net;
static char names[NAME_COUNT][8];

static int clean_up(void **state)
{
    (void)state;
    if (net.world != NULL) {
        lab_close(&net);
    }
    return 0;
}

static const char *conf(const char *keys, unsigned ports)
{
    static char text[2048];
    int length = snprintf(text, sizeof text, "[ptp]\n%s\n", keys);
    for (unsigned i = 0; i < ports; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "[ptp eth%u]\n", i);
    }
    return text;
}

static uint32_t add(const char *keys, unsigned ports)
{
    uint32_t node = net.node_count;
    const struct mt_sim_node_config config = {.offset_s = 1e-4 * node,
                                              .frequency = (node % 41 - 20.0) * 1e-6,
                                              .tx_stamp_delay_ns = 20000};
    snprintf(names[node], sizeof names[node], "%u", node);
    return lab_add(&net, names[node], &config, conf(keys, ports));
}

static void cable(uint32_t upper, unsigned interface, uint32_t lower)
{
    const struct mt_sim_segment_config config = {.delay_ns = 500};
    char name[8];
    snprintf(name, sizeof name, "eth%u", interface);
    lab_cable(&net, &config, upper, name, lower, "eth0");
}

/* One Sync, one Announce and one request a second. */
static void build(const char *keys, const char *clock_keys, uint64_t seed)
{
    const unsigned receivers = RECEIVERS;
    char text[400];
    lab_open(&net, seed);
    net.reference = GM;
    snprintf(text, sizeof text, "%s\npriority1 = 1", keys);
    add(text, 1);
    snprintf(text, sizeof text, "%s\n%s", keys, clock_keys);
    add(text, 1 + LEAVES);
    cable(GM, 0, ROOT);
    for (unsigned leaf = 0; leaf < LEAVES; leaf++) {
        cable(ROOT, 1 + leaf, add(text, 1 + (receivers + LEAVES - 1) / LEAVES));
    }
    snprintf(text, sizeof text, "%s\nreceiver_only = yes", keys);
    for (unsigned i = 0; i < receivers; i++) {
        cable(ROOT + 1 + i % LEAVES, 1 + i / LEAVES, add(text, 1));
    }
    for (uint32_t node = 0; node < net.node_count; node++) {
        lab_boot(&net, node);
    }
}

struct load {
    double received;
    double sent;
    double requests; /**< Delay_Req and Pdelay_Req received */
};

static struct load count(void)
{
    const struct mt_management_port *port =
        &lab_instance(&net, GM, 0)->config.more->management->ports[0];
    struct load load = {0};
    for (unsigned type = 0; type < LAB_TYPES; type++) {
        load.received += (double)port->received[type];
        load.sent += (double)port->sent[type];
    }
    load.requests = (double)(port->received[MT_PTP_DELAY_REQ] + port->received[MT_PTP_PDELAY_REQ]);
    return load;
}

static struct load measure(const char *keys, const char *clock_keys)
{
    build(keys, clock_keys, 1);
    lab_run(&net, SETTLE_S);
    struct load before = count();
    lab_run(&net, MEASURE_S);
    struct load after = count();
    for (uint32_t node = FIRST; node < net.node_count; node++) {
        assert_int_equal(lab_state(&net, node, 1), MT_STATE_RECEIVER);
    }
    lab_close(&net);
    return (struct load){(after.received - before.received) / MEASURE_S,
                         (after.sent - before.sent) / MEASURE_S,
                         (after.requests - before.requests) / MEASURE_S};
}

static void sim_transmitter_hears_all_receivers_or_one_neighbour(void **state)
{
#define SLOW "log_announce_interval = 0\nlog_sync_interval = 0\nlog_min_delay_req_interval = 0\n"
    (void)state;
    const struct load e2e = measure(
        SLOW, "clock_type = e2e_transparent\nspanning_tree = yes\nframes_in_passage = 4096");
    const struct load p2p = measure(SLOW "delay_mechanism = p2p\nlog_min_pdelay_req_interval = 0",
                                    "clock_type = p2p_transparent");
    printf("%u receivers, messages a second at the transmitter\n"
           "                received    sent  of them requests received\n"
           "E2E             %8.1f %7.1f %8.1f\n"
           "P2P             %8.1f %7.1f %8.1f\n",
           RECEIVERS, e2e.received, e2e.sent, e2e.requests, p2p.received, p2p.sent, p2p.requests);
    const double clocks = RECEIVERS + 1 + LEAVES; /* that ask: the transparent ones, too */
    assert_true(e2e.requests > clocks * 0.95 && e2e.requests < clocks * 1.05);
    assert_true(e2e.sent > clocks * 0.95);
    assert_true(p2p.requests > 0.8 && p2p.requests < 1.2);
    assert_true(p2p.received + p2p.sent < 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_transmitter_hears_all_receivers_or_one_neighbour, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
