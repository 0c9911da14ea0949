/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Stateless PTP beside multicast: the same oscillators, jitter, stamps and number of measurements
 * must give the same accuracy, whatever carries them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim_lab.h"

#define GM        0
#define RX        1
#define SEEDS     16
#define SETTLED_S 60
#define MEASURE_S 240

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_node_config gm = {
    .offset_s = 0.3, .frequency = 12e-6, .wander = 1e-9, .tx_stamp_delay_ns = 30000};
static const struct mt_sim_node_config rx = {
    .offset_s = -0.4, .frequency = -31e-6, .wander = 1e-9, .tx_stamp_delay_ns = 30000};
static const struct mt_sim_segment_config cable = {
    .delay_ns = 10000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 1000};

static void start(uint64_t seed, const char *gm_keys, const char *rx_keys)
{
    lab_open(&net, seed);
    lab_add(&net, "GM", &gm, lab_conf(gm_keys, 1));
    lab_add(&net, "RX", &rx, lab_conf(rx_keys, 1));
    lab_cable(&net, &cable, GM, "eth0", RX, "eth0");
    net.reference = GM;
}

/* "10.0.0.1": where the grandmaster will be asked. */
static void find_server(char *text, size_t size)
{
    struct mt_address address;
    start(1, "", "");
    assert_true(mt_world_address(net.world, GM, "eth0", MT_NETWORK_UDP_IPV4, &address));
    snprintf(text, size, "%u.%u.%u.%u", address.octets[0], address.octets[1], address.octets[2],
             address.octets[3]);
    lab_close(&net);
}

/* The error of the settled receiver: root of the mean square over all seeds. */
static double error_ns(const char *gm_keys, const char *rx_keys)
{
    double squares_ns2 = 0;
    double readings = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed, gm_keys, rx_keys);
        lab_boot(&net, GM);
        lab_boot(&net, RX);
        lab_run(&net, SETTLED_S);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        lab_forget(&net);
        lab_run(&net, MEASURE_S);
        assert_true(lab_is_bounded(&net, RX));
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        squares_ns2 += net.nodes[RX].watch.squares_ns2;
        readings += net.nodes[RX].watch.readings;
        lab_close(&net);
    }
    return sqrt(squares_ns2 / readings);
}

static void sim_stateless_client_is_as_accurate_as_multicast(void **state)
{
    static const char *const forms[] = {"sptp", "csptp"};
    char server[32];
    char gm_keys[200];
    char rx_keys[200];
    find_server(server, sizeof server);
    double multicast_ns = error_ns("priority1 = 100", "receiver_only = yes");
    for (unsigned form = 0; form < 2; form++) {
        snprintf(gm_keys, sizeof gm_keys, "priority1 = 100\n%s = server", forms[form]);
        snprintf(rx_keys, sizeof rx_keys,
                 "%s = client\nstateless_log_interval = -3\nstateless_servers = %s", forms[form],
                 server);
        double stateless_ns = error_ns(gm_keys, rx_keys);
        print_message("%s: %.1f ns, multicast %.1f ns\n", forms[form], stateless_ns, multicast_ns);
        assert_true(stateless_ns < 1.1 * multicast_ns);
    }
}

static void sim_stateless_client_comes_back_when_its_server_does(void **state)
{
    char server[32];
    char rx_keys[200];
    find_server(server, sizeof server);
    snprintf(rx_keys, sizeof rx_keys,
             "csptp = client\nstateless_log_interval = -3\nstateless_servers = %s", server);
    start(1, "priority1 = 100\ncsptp = server", rx_keys);
    lab_boot(&net, GM);
    lab_boot(&net, RX);
    assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 30));
    lab_run(&net, 30);
    lab_kill(&net, GM);
    assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_LISTENING, 5));
    lab_run(&net, 20);
    lab_boot(&net, GM);
    assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 30));
    lab_run(&net, 20); /* with another time than before: it was off */
    lab_forget(&net);
    lab_run(&net, 20);
    assert_true(lab_is_bounded(&net, RX));
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_stateless_client_is_as_accurate_as_multicast, clean_up),
        cmocka_unit_test_teardown(sim_stateless_client_comes_back_when_its_server_does, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
