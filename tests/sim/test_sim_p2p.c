/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The peer-to-peer delay mechanism against the end-to-end one on the same links: it must be as
 * good with two clocks and through boundary clocks, follow a path that changes, and keep inside its
 * bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "meantime/ptp_peer.h"
#include "sim_lab.h"

#define CLOCKS_MAX 4

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config hardware = {
    .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
static const struct mt_sim_segment_config software = {
    .delay_ns = 10000, .jitter = MT_SIM_JITTER_PARETO, .jitter_ns = 2000};

/* A grandmaster and clocks in a row behind it, each with an oscillator of its own. */
static void build(uint64_t seed, unsigned clocks, const char *mechanism,
                  const struct mt_sim_segment_config *cable)
{
    static const char *const names[] = {"0", "1", "2", "3", "4"};
    char keys[120];
    lab_open(&net, seed);
    for (unsigned i = 0; i <= clocks; i++) {
        const struct mt_sim_node_config node = {.offset_s = 0.1 * i,
                                                .frequency = (i % 2 != 0 ? 7e-6 : -9e-6) * i,
                                                .wander = 1e-9,
                                                .tx_stamp_delay_ns = 20000};
        snprintf(keys, sizeof keys,
                 "priority1 = %u\ndelay_mechanism = %s\nlog_min_pdelay_req_interval = -3", 100 + i,
                 mechanism);
        lab_add(&net, names[i], &node, lab_conf(keys, i == 0 || i == clocks ? 1 : 2));
        if (i > 0) {
            lab_cable(&net, cable, i - 1, i > 1 ? "eth1" : "eth0", i, "eth0");
        }
    }
    for (unsigned i = 0; i <= clocks; i++) {
        lab_boot(&net, i);
    }
    net.reference = 0;
}

/* Mean square of the last clock's deviations, over the seeds. */
static double variance_of(unsigned clocks, const char *mechanism,
                          const struct mt_sim_segment_config *cable)
{
    double sum = 0;
    FOR_EACH_SEED(seed)
    {
        build(seed, clocks, mechanism, cable);
        lab_run(&net, 60);
        lab_forget(&net);
        lab_run(&net, 120);
        assert_int_equal(lab_state(&net, clocks, 1), MT_STATE_RECEIVER);
        assert_true(lab_is_bounded(&net, clocks));
        assert_int_equal(net.nodes[clocks].watch.steps, 0);
        double sd_ns = lab_sd_ns(&net, clocks);
        sum += sd_ns * sd_ns;
        lab_close(&net);
    }
    return sum;
}

static void assert_as_good(unsigned clocks, const struct mt_sim_segment_config *cable)
{
    double e2e = variance_of(clocks, "e2e", cable);
    double p2p = variance_of(clocks, "p2p", cable);
    print_message("%u clocks: variance %.2f of E2E's\n", clocks, p2p / e2e);
    assert_true(p2p < e2e * 1.05);
}

static void sim_p2p_is_as_good_as_e2e_when_there_are_two_clocks(void **state)
{
    assert_as_good(1, &hardware);
}

static void sim_p2p_is_as_good_as_e2e_when_noise_is_one_sided(void **state)
{
    assert_as_good(1, &software);
}

static void sim_p2p_is_as_good_as_e2e_when_boundary_clocks_are_between(void **state)
{
    assert_as_good(3, &hardware);
}

/* Root of the mean square over the seeds, and the mean. */
static double rms_ns(const char *mechanism, const struct mt_sim_segment_config *cable,
                     double *ret_mean_ns)
{
    double squares = 0;
    unsigned count = 0;
    *ret_mean_ns = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        build(seed, 1, mechanism, cable);
        lab_run(&net, 300);
        lab_forget(&net);
        lab_run(&net, 400);
        assert_true(lab_is_bounded(&net, 1));
        double mean_ns = lab_mean_ns(&net, 1);
        double sd_ns = lab_sd_ns(&net, 1);
        squares += mean_ns * mean_ns + sd_ns * sd_ns;
        *ret_mean_ns += mean_ns;
        count++;
        lab_close(&net);
    }
    *ret_mean_ns /= count;
    return mt_real_sqrt(squares / count);
}

/* Two of three measurements go one way: whatever is learned of each way alone is learned sooner for
 * that one. */
static void sim_p2p_has_no_mean_error_when_noise_is_one_sided(void **state)
{
    static const struct mt_sim_segment_config cables[] = {
        {.delay_ns = 1000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 3000},
        {.delay_ns = 1000, .jitter = MT_SIM_JITTER_GAMMA, .jitter_ns = 3000, .jitter_shape = 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cables / sizeof *cables; i++) {
        double e2e_mean_ns;
        double p2p_mean_ns;
        double e2e_ns = rms_ns("e2e", &cables[i], &e2e_mean_ns);
        double p2p_ns = rms_ns("p2p", &cables[i], &p2p_mean_ns);
        print_message("E2E %.1f ns, mean %.1f ns; P2P %.1f ns, mean %.1f ns\n", e2e_ns, e2e_mean_ns,
                      p2p_ns, p2p_mean_ns);
        assert_true(p2p_ns < 0.95 * e2e_ns);
        assert_true(p2p_mean_ns < 0.01 * cables[i].jitter_ns);
        assert_true(p2p_mean_ns > -0.01 * cables[i].jitter_ns);
    }
}

static void sim_p2p_measures_the_link_when_it_is_up(void **state)
{
    FOR_EACH_SEED(seed)
    {
        struct mt_peer_report link;
        build(seed, 1, "p2p", &hardware);
        lab_run(&net, 60);
        for (uint32_t node = 0; node < 2; node++) { /* the transmitter's end, too */
            const struct mt_port *port = &lab_instance(&net, node, 0)->ports[0];
            mt_peer_get(port->config.more->peer, &link);
            assert_true(link.has_delay && link.has_rate_ratio);
            assert_in_range(link.delay.q16, 990 * 65536, 1010 * 65536);
            assert_in_range(link.spread.q16, 8 * 65536, 25 * 65536);
            assert_int_equal(port->counters[MT_COUNT_SENT_DELAY_REQ], 0);
        }
        lab_close(&net);
    }
}

static void sim_p2p_needs_a_neighbour_when_it_receives(void **state)
{
    const struct mt_sim_node_config quiet = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config off = {.offset_s = 0.3, .tx_stamp_delay_ns = 20000};
    lab_open(&net, 1);
    lab_add(&net, "E", &quiet, lab_conf("priority1 = 100", 1));
    lab_add(&net, "P", &off, lab_conf("delay_mechanism = p2p", 1));
    lab_cable(&net, &hardware, 0, "eth0", 1, "eth0");
    lab_boot(&net, 0);
    lab_boot(&net, 1);
    lab_run(&net,
            30); /* the mechanisms differ: nothing is known of the delay, so nothing is done */
    assert_int_equal(lab_state(&net, 1, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(net.nodes[1].watch.steps, 0);
    assert_int_equal(net.nodes[1].watch.outside, 0);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_p2p_is_as_good_as_e2e_when_there_are_two_clocks, clean_up),
        cmocka_unit_test_teardown(sim_p2p_is_as_good_as_e2e_when_noise_is_one_sided, clean_up),
        cmocka_unit_test_teardown(sim_p2p_is_as_good_as_e2e_when_boundary_clocks_are_between,
                                  clean_up),
        cmocka_unit_test_teardown(sim_p2p_has_no_mean_error_when_noise_is_one_sided, clean_up),
        cmocka_unit_test_teardown(sim_p2p_measures_the_link_when_it_is_up, clean_up),
        cmocka_unit_test_teardown(sim_p2p_needs_a_neighbour_when_it_receives, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
