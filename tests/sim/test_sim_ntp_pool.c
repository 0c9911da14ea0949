/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One client and five servers far away, as one asks a pool: what automatic intervals cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "meantime/real.h"
#include "sim_lab.h"

#define SERVERS 5
#define CLIENT  SERVERS
#define HOUR_S  3600

static struct lab net;

static const struct mt_sim_node_config exact = {.granularity_ns = 1};
static const struct mt_sim_node_config ordinary = {.offset_s = 0.7,
                                                   .frequency = -12e-6,
                                                   .wander = 1e-9,
                                                   .granularity_ns = 1,
                                                   .tx_stamp_delay_ns = 20000};
static const struct mt_sim_segment_config wan = {
    .delay_ns = 10000000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 1000000};

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_ntp_client *asked(unsigned number)
{
    return &net.nodes[CLIENT].composition->node.ntp[number].client;
}

static void found(uint64_t seed, const char *keys)
{
    char text[400];
    int length = snprintf(text, sizeof text, "[ntp]\n%s\n", keys);
    lab_open(&net, seed);
    for (unsigned i = 0; i < SERVERS; i++) {
        lab_add(&net, "S", &exact, "[server]\nlocal_stratum = 1\n");
        length += snprintf(text + length, sizeof text - (size_t)length, "[ntp 10.0.%u.0]\n", i);
    }
    lab_add(&net, "C", &ordinary, text);
    for (unsigned i = 0; i < SERVERS; i++) {
        char interface[8];
        snprintf(interface, sizeof interface, "eth%u", i);
        lab_cable(&net, &wan, i, "eth0", CLIENT, interface);
    }
    net.reference = TRUE_TIME;
    for (unsigned i = 0; i <= SERVERS; i++) {
        lab_boot(&net, i);
    }
}

/* ns, of the hours after the first two */
static double rms_ns(uint64_t seed, const char *keys)
{
    const struct lab_watch *watch = &net.nodes[CLIENT].watch;
    found(seed, keys);
    lab_run(&net, 2 * HOUR_S);
    lab_forget(&net);
    lab_run(&net, 6 * HOUR_S);
    assert_true(lab_is_bounded(&net, CLIENT));
    return mt_real_sqrt(watch->squares_ns2 / watch->readings);
}

static void sim_ntp_pool_costs_little_accuracy_when_intervals_are_automatic(void **state)
{
    double often_ns = 0;
    double automatic_ns = 0;
    FOR_EACH_SEED(seed)
    {
        often_ns += rms_ns(seed, "max_poll = 6");
        lab_close(&net);
        automatic_ns += rms_ns(seed, "");
        for (unsigned i = 0; i < SERVERS; i++) {
            assert_in_range(asked(i)->poll, 6, 8);
            assert_in_range(asked(i)->asked, 8 * HOUR_S / 256, 8 * HOUR_S / 60);
        }
        lab_close(&net);
    }
    assert_true(automatic_ns < 2 * often_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_ntp_pool_costs_little_accuracy_when_intervals_are_automatic,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
