/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transparent clocks in a row between a grandmaster and a receiver.  Each frame waits in each of
 * them for an exponential time of 20 us on average, a thousand times what the stamps are wrong by.
 * What is left at the receiver is compared with a direct link, whose stamps have the noise of all
 * stamps on the way: with N clocks between, sqrt(N + 1) times that of one link.
 *
 * Peer to peer, a direct link has measurements that no chain can have: the grandmaster itself
 * answers Pdelay.  With one exchange for eight Syncs, as in gPTP, these hardly count.  With one for
 * each Sync the direct link measures three times as often; the RMS of a Kalman filter of this model
 * goes with the power 3/8 of the variance, so 3^(3/8) = 1.51 is the least that a chain can have.
 *
 * The short form is for each day; MEANTIME_LONG=1 measures with more seeds and 20 clocks as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_transparent.h"
#include "sim_lab.h"

#define WAIT_NS   20000.0
#define STAMP_NS  20.0
#define SETTLE_S  60
#define MEASURE_S 120
#define LIMIT     1.2
/* A direct link measures more often: with one Pdelay for eight Syncs, and with one for each. */
#define TEN_FOR_EIGHT 1.087 /* (10 / 8)^(3/8) */
#define THREE_FOR_ONE 1.51  /* 3^(3/8) */
#define HOPS_MAX      20
#define GM            0

static struct lab net;

static int clean_up(void **state)
{
    (void)state;
    return lab_clean_up(&net);
}

/* A row of clocks with `hops` transparent ones inside. */
struct row {
    unsigned hops;
    double stamp_ns;
    double frequency; /**< of the transparent clocks; 0: each has its own */
    bool inserts_stamps;
    const char *keys;      /**< of the transparent clocks */
    double wait_ns;        /**< in them; 0: WAIT_NS */
    const char *mechanism; /**< keys of all */
};

static uint32_t receiver_of(const struct row *row)
{
    return row->hops + 1;
}

static struct mt_sim_node_config node_of(const struct row *row, uint32_t node)
{
    static const double frequencies[] = {12e-6, -23e-6, 30e-6, -7e-6, 18e-6, -31e-6, 3e-6};
    bool is_inside = node > GM && node <= row->hops;
    return (struct mt_sim_node_config){
        .offset_s = 0.05 * node,
        .frequency = is_inside && row->frequency != 0 ? row->frequency : frequencies[node % 7],
        .wander = 1e-9,
        .stamp_noise_ns = row->stamp_ns,
        .tx_stamp_delay_ns = 20000,
        .egress_wait_ns = !is_inside         ? 0
                          : row->wait_ns > 0 ? row->wait_ns
                                             : WAIT_NS,
        .inserts_stamps = row->inserts_stamps && node <= row->hops,
    };
}

static void build(const struct row *row, uint64_t seed)
{
    static const char *const names[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                        "8",  "9",  "10", "11", "12", "13", "14", "15",
                                        "16", "17", "18", "19", "20", "21"};
    const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    lab_open(&net, seed);
    net.reference = GM;
    for (uint32_t node = 0; node <= receiver_of(row); node++) {
        const struct mt_sim_node_config config = node_of(row, node);
        bool is_inside = node > GM && node <= row->hops;
        char keys[200];
        snprintf(keys, sizeof keys, "%s\n%s", row->mechanism,
                 is_inside    ? row->keys
                 : node == GM ? "priority1 = 100\none_step_sync = yes"
                              : "");
        lab_add(&net, names[node], &config, lab_conf(keys, is_inside ? 2 : 1));
        if (node > 0) {
            lab_cable(&net, &cable, node - 1, node == 1 ? "eth0" : "eth1", node, "eth0");
        }
    }
    for (uint32_t node = 0; node <= receiver_of(row); node++) {
        lab_boot(&net, node);
    }
}

static const struct mt_transparent *transparent_of(uint32_t node)
{
    return lab_instance(&net, node, 0)->config.more->transparent;
}

/* What was not answered while the others were starting is given up later. */
static uint64_t given_up_at_start[HOPS_MAX + 1];

static void note_transparent_clocks(const struct row *row)
{
    for (uint32_t node = 1; node <= row->hops; node++) {
        given_up_at_start[node] = transparent_of(node)->counters[MT_TRANSPARENT_GIVEN_UP];
    }
}

static void check_transparent_clocks(const struct row *row)
{
    for (uint32_t node = 1; node <= row->hops; node++) {
        const struct mt_transparent *tc = transparent_of(node);
        assert_int_equal(tc->residence.count == 0, row->inserts_stamps);
        assert_int_equal(tc->counters[MT_TRANSPARENT_GIVEN_UP], given_up_at_start[node]);
    }
}

static double rms_ns(const struct row *row, uint64_t seed)
{
    uint32_t receiver = receiver_of(row);
    build(row, seed);
    lab_run(&net, SETTLE_S);
    assert_int_equal(lab_state(&net, receiver, 1), MT_STATE_RECEIVER);
    note_transparent_clocks(row);
    lab_forget(&net);
    lab_run(&net, MEASURE_S);
    check_transparent_clocks(row);
    for (uint32_t node = 0; row->inserts_stamps && node <= row->hops; node++) {
        assert_int_equal(net.nodes[node].watch.sent[MT_PTP_FOLLOW_UP],
                         0); /* one-step all the way */
        assert_true(net.nodes[node].watch.sent[MT_PTP_SYNC] > MEASURE_S);
    }
    double mean_ns = lab_mean_ns(&net, receiver);
    double sd_ns = lab_sd_ns(&net, receiver);
    assert_int_equal(net.nodes[receiver].watch.steps, 0);
    assert_int_equal(net.nodes[receiver].watch.outside, 0);
    lab_close(&net);
    return mt_real_sqrt(mean_ns * mean_ns + sd_ns * sd_ns);
}

/* Over all seeds; MEANTIME_SIM_SEEDS gives others. */
static double rms_of_seeds_ns(const struct row *row)
{
    double sum_ns2 = 0;
    unsigned count = 0;
    FOR_EACH_SEED(seed)
    {
        double one_ns = rms_ns(row, seed);
        sum_ns2 += one_ns * one_ns;
        count++;
    }
    return mt_real_sqrt(sum_ns2 / count);
}

static void assert_queueing_adds_nothing(unsigned hops, const char *clock_type,
                                         const char *mechanism, bool inserts, double limit)
{
    const struct row row = {.hops = hops,
                            .stamp_ns = STAMP_NS,
                            .keys = clock_type,
                            .inserts_stamps = inserts,
                            .mechanism = mechanism};
    const struct row direct = {
        .stamp_ns = STAMP_NS * mt_real_sqrt(hops + 1), .keys = "", .mechanism = mechanism};
    double chain_ns = rms_of_seeds_ns(&row);
    double direct_ns = rms_of_seeds_ns(&direct);
    printf("%u hops%s, %s: %.2f ns, a direct link as noisy: %.2f ns, ratio %.2f\n", hops,
           inserts ? ", one-step" : "", clock_type, chain_ns, direct_ns, chain_ns / direct_ns);
    assert_true(chain_ns <= limit * direct_ns);
}

#define E2E "clock_type = e2e_transparent", ""
#define P2P(log)                                                                                   \
    "clock_type = p2p_transparent", "delay_mechanism = p2p\nlog_min_pdelay_req_interval = " log

static void sim_transparent_clock_leaves_no_queueing_when_it_is_one(void **state)
{
    (void)state;
    assert_queueing_adds_nothing(1, E2E, false, LIMIT);
    assert_queueing_adds_nothing(1, P2P("0"), false, LIMIT * TEN_FOR_EIGHT);
}

static void sim_transparent_clocks_leave_no_queueing_when_there_are_five(void **state)
{
    (void)state;
    assert_queueing_adds_nothing(5, E2E, false, LIMIT);
    assert_queueing_adds_nothing(5, P2P("0"), false, LIMIT * TEN_FOR_EIGHT);
}

static void sim_transparent_clocks_leave_no_queueing_when_links_insert_stamps(void **state)
{
    (void)state;
    assert_queueing_adds_nothing(lab_is_long() ? 5 : 2, E2E, true, LIMIT);
}

static void sim_transparent_clocks_leave_no_queueing_when_there_are_twenty(void **state)
{
    (void)state;
    if (!lab_is_long()) {
        skip();
    }
    assert_queueing_adds_nothing(HOPS_MAX, E2E, false, LIMIT);
    assert_queueing_adds_nothing(HOPS_MAX, P2P("0"), false, LIMIT * TEN_FOR_EIGHT);
}

static void sim_transparent_clocks_miss_what_pdelay_tells_when_it_is_as_frequent(void **state)
{
    static const unsigned hops[] = {1, 5, HOPS_MAX};
    (void)state;
    if (!lab_is_long()) {
        skip();
    }
    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++) {
        assert_queueing_adds_nothing(hops[i], P2P("-3"), false, LIMIT * THREE_FOR_ONE);
    }
}

/* ---- rates ----------------------------------------------------------------------------------- */

static double delay_sum_ns;
static unsigned delay_count;

static void add_delay(struct lab *lab)
{
    struct mt_interval delay = lab_instance(lab, 2, 0)->clock.mean_delay;
    delay_sum_ns += (double)delay.q16 / 65536;
    delay_count++;
}

/* How far the delay that the receiver measures is off the two cables; `ret_predicted_ns`: what the
 * rate of the transparent clock makes of the mean residence. */
static double delay_error_ns(const char *keys, double *ret_predicted_ns)
{
    const struct row row = {
        .hops = 1, .frequency = 80e-6, .keys = keys, .wait_ns = 1e6, .mechanism = ""};
    build(&row, 1);
    lab_run(&net, SETTLE_S);
    delay_sum_ns = 0;
    delay_count = 0;
    net.look = add_delay;
    lab_run(&net, 2 * MEASURE_S);
    assert_int_equal(lab_state(&net, 2, 1), MT_STATE_RECEIVER);
    double mean_ns = (double)mt_transparent_mean_ns(transparent_of(1));
    assert_true(mean_ns > 0.8e6 && mean_ns < 2e6);
    *ret_predicted_ns = -(80e-6 - 12e-6) * mean_ns;
    lab_close(&net);
    return delay_sum_ns / delay_count - 2000;
}

/* A clock that gains 68 ppm on the grandmaster takes each residence for so much too long. */
static void sim_transparent_clock_is_wrong_by_its_rate_when_it_runs_free(void **state)
{
    static const struct {
        const char *keys;
        bool is_wrong;
    } modes[] = {
        {"clock_type = e2e_transparent\nsyntonise = no", true},
        {"clock_type = e2e_transparent\nsyntonise = ratio", false},
        {"clock_type = e2e_transparent\nsyntonise = yes", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        double predicted_ns;
        double error_ns = delay_error_ns(modes[i].keys, &predicted_ns);
        double left_ns = error_ns - (modes[i].is_wrong ? predicted_ns : 0);
        printf("%s: the delay is off by %.2f ns, predicted when free: %.2f ns\n", modes[i].keys,
               error_ns, predicted_ns);
        assert_true(left_ns < 5 && left_ns > -5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_transparent_clock_leaves_no_queueing_when_it_is_one,
                                  clean_up),
        cmocka_unit_test_teardown(sim_transparent_clocks_leave_no_queueing_when_there_are_five,
                                  clean_up),
        cmocka_unit_test_teardown(sim_transparent_clocks_leave_no_queueing_when_there_are_twenty,
                                  clean_up),
        cmocka_unit_test_teardown(sim_transparent_clocks_leave_no_queueing_when_links_insert_stamps,
                                  clean_up),
        cmocka_unit_test_teardown(
            sim_transparent_clocks_miss_what_pdelay_tells_when_it_is_as_frequent, clean_up),
        cmocka_unit_test_teardown(sim_transparent_clock_is_wrong_by_its_rate_when_it_runs_free,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
