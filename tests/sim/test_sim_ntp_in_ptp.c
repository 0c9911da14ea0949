/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages: over cables, beside PTP on the same interface, and through switches that are
 * transparent clocks, with and without which the client's error is compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/ntp_in_ptp.h"
#include "sim_lab.h"
#include "sim_replay.h"

#define SERVER 0
#define CLIENT 1

static struct lab net;
static struct lab_log recording;

static const struct mt_sim_node_config exact = {.granularity_ns = 1};
static const struct mt_sim_node_config ordinary = {.offset_s = -40,
                                                   .frequency = 30e-6,
                                                   .wander = 1e-9,
                                                   .granularity_ns = 1,
                                                   .tx_stamp_delay_ns = 20000};
static const struct mt_sim_segment_config cable = {
    .delay_ns = 500, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 10};

static int clean_up(void **state)
{
    free(recording.octets);
    recording = (struct lab_log){0};
    return lab_clean_up(&net);
}

static void add_nodes(uint64_t seed, const char *server, const char *client)
{
    lab_open(&net, seed);
    lab_add(&net, "S", &exact, server);
    lab_add(&net, "C", &ordinary, client);
    net.reference = TRUE_TIME;
}

/* Each behind a cable to the same switch. */
static void join_switch(const struct mt_sim_switch_config *physics)
{
    uint32_t number = mt_world_add_switch(net.world, physics);
    for (uint32_t node = SERVER; node <= CLIENT; node++) {
        uint32_t segment = mt_world_add_segment(net.world, &cable);
        assert_true(mt_world_join(net.world, segment, node, "eth0"));
        assert_true(mt_world_join_switch(net.world, segment, number));
    }
}

static void boot(void)
{
    lab_boot(&net, SERVER);
    lab_boot(&net, CLIENT);
}

static const struct mt_ntp_client *client(void)
{
    return &net.nodes[CLIENT].composition->node.ntp[0].client;
}

static const uint64_t *outcomes(void)
{
    return net.nodes[SERVER].composition->node.server->in_ptp->worker.outcomes;
}

static const char *const asking = "[ntp 10.0.0.0]\ntransport = ptp\ninterface = eth0\n"
                                  "min_poll = 0\nmax_poll = 0\ninterleaved = yes\n";
static const char *const serving = "[server]\nlocal_stratum = 1\nptp_interface = eth0\n";

static double error_of_client(void)
{
    lab_run(&net, 200);
    lab_forget(&net);
    lab_run(&net, 300);
    assert_int_equal(net.nodes[CLIENT].composition->node.clocks[0].discipline.phase,
                     MT_STEER_LOCKED);
    assert_true(lab_is_bounded(&net, CLIENT));
    return net.nodes[CLIENT].watch.max_ns;
}

static void sim_ntp_in_ptp_keeps_a_clock(void **state)
{
    FOR_EACH_SEED(seed)
    {
        add_nodes(seed, serving, asking);
        lab_cable(&net, &cable, SERVER, "eth0", CLIENT, "eth0");
        boot();
        assert_true(error_of_client() < 100);
        assert_true(client()->verdicts[MT_NTP_VERDICT_INTERLEAVED] > 400);
        assert_true(outcomes()[MT_NTP_INTERLEAVED] > 400);
        assert_int_equal(client()->verdicts[MT_NTP_VERDICT_BOGUS], 0);
        assert_int_equal(client()->verdicts[MT_NTP_VERDICT_IMPOSSIBLE], 0);
        lab_close(&net);
    }
}

/* No port of PTP uses IPv6 there. */
static void sim_ntp_in_ptp_is_answered_over_ipv6(void **state)
{
    add_nodes(1, serving,
              "[ntp s]\naddress = fd00::\ntransport = ptp\ninterface = eth0\n"
              "min_poll = 0\nmax_poll = 0\ninterleaved = yes\n");
    lab_cable(&net, &cable, SERVER, "eth0", CLIENT, "eth0");
    boot();
    assert_true(error_of_client() < 100);
    assert_true(client()->verdicts[MT_NTP_VERDICT_INTERLEAVED] > 400);
    assert_int_equal(net.nodes[SERVER].composition->node.server->in_ptp->link_count, 2);
    lab_close(&net);
}

static void sim_ntp_in_ptp_shares_an_interface_with_ptp(void **state)
{
    static const char *const both = "[ptp]\nreceiver_only = yes\n[ptp eth0]\n"
                                    "[ntp 10.0.0.0]\ntransport = ptp\ninterface = eth0\n"
                                    "min_poll = 0\nmax_poll = 0\ninterleaved = yes\n";
    static const char *const serving_both = "[ptp]\npriority1 = 100\n[ptp eth0]\n"
                                            "[server]\nlocal_stratum = 1\nptp_interface = eth0\n";
    FOR_EACH_SEED(seed)
    {
        add_nodes(seed, serving_both, both);
        lab_cable(&net, &cable, SERVER, "eth0", CLIENT, "eth0");
        boot();
        assert_true(error_of_client() < 100);
        const struct mt_node *node = &net.nodes[CLIENT].composition->node;
        assert_int_equal(node->ntp[0].link, node->instances[0].ports[0].link);
        assert_int_equal(node->instances[0].ptp.ports[0].state, MT_STATE_RECEIVER);
        assert_true(client()->verdicts[MT_NTP_VERDICT_INTERLEAVED] > 400);
        lab_close(&net);
    }
}

static void sim_ntp_in_ptp_is_corrected_when_switches_are_transparent(void **state)
{
    struct mt_sim_switch_config gigabit = {.rate_bps = 1e9, .latency_ns = 2000, .load = 0.6};
    FOR_EACH_SEED(seed)
    {
        double error_ns[2];
        for (unsigned i = 0; i < 2; i++) {
            gigabit.is_transparent = i == 1;
            add_nodes(seed, serving, asking);
            join_switch(&gigabit);
            boot();
            error_ns[i] = error_of_client();
            lab_close(&net);
        }
        print_message("seed %u: %.0f ns, corrected %.0f ns\n", (unsigned)seed, error_ns[0],
                      error_ns[1]);
        assert_true(error_ns[1] < 100);
        assert_true(error_ns[0] > 5 * error_ns[1]);
    }
}

static void sim_ntp_in_ptp_is_the_same_when_replayed(void **state)
{
    add_nodes(5, serving, asking);
    lab_cable(&net, &cable, SERVER, "eth0", CLIENT, "eth0");
    lab_record(&net, SERVER, &recording);
    boot();
    lab_run(&net, 60);
    lab_stop(&net, SERVER);
    struct lab_replay replay = lab_replay(&recording);
    const struct mt_ntp_worker *worker = &replay.composition->node.server->in_ptp->worker;
    assert_true(worker->outcomes[MT_NTP_INTERLEAVED] > 20);
    lab_replay_close(&replay);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ntp_in_ptp_keeps_a_clock, clean_up),
        cmocka_unit_test_teardown(sim_ntp_in_ptp_is_answered_over_ipv6, clean_up),
        cmocka_unit_test_teardown(sim_ntp_in_ptp_shares_an_interface_with_ptp, clean_up),
        cmocka_unit_test_teardown(sim_ntp_in_ptp_is_corrected_when_switches_are_transparent,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ntp_in_ptp_is_the_same_when_replayed, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
