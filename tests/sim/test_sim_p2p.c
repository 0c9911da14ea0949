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
#include <string.h>

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

/* ---- a relay of 802.1AS ---------------------------------------------------------------------- */

enum { GRANDMASTER, RELAY, STATION };

static struct {
    int64_t sync_ns; /* when the newest Sync left */
    uint16_t sequence;
    unsigned count;  /* Follow_Ups that tell the time */
    double least_ns; /* grandmaster's time less true time, but for a constant */
    double most_ns;
} told;

/* What the relay says of the grandmaster's time, once it follows one. */
static void hear_relay(struct lab *lab, const struct mt_world_frame *frame)
{
    struct mt_ptp_message message;
    if (frame->node != RELAY || strcmp(frame->interface, "eth1") != 0 ||
        lab_instance(lab, RELAY, 0)->receiving_port == 0 ||
        mt_ptp_parse(frame->bytes, frame->length, &message) != MT_VERDICT_ACCEPTED) {
        return;
    }
    const struct mt_ptp_header *header = &message.header;
    if (header->type == MT_PTP_SYNC) {
        told.sync_ns = frame->t_ns;
        told.sequence = header->sequence;
    }
    if (header->type != MT_PTP_FOLLOW_UP || header->sequence != told.sequence ||
        mt_interval_is_too_large(header->correction)) {
        return;
    }
    const struct mt_instant origin =
        mt_ptp_timestamp_to_instant(&message.body.origin, MT_SCALE_TAI);
    double ahead_ns = (double)(mt_instant_to_ns(origin) - told.sync_ns) +
                      (double)mt_interval_to_ns(header->correction);
    told.least_ns = told.count == 0 || ahead_ns < told.least_ns ? ahead_ns : told.least_ns;
    told.most_ns = told.count == 0 || ahead_ns > told.most_ns ? ahead_ns : told.most_ns;
    told.count++;
}

/* It sends more Syncs than come to it, some of them after its clock was stepped and before the next
 * one comes. */
static void sim_relay_tells_no_wrong_time_when_its_clock_is_stepped(void **state)
{
    static const struct mt_sim_segment_config cable = {.delay_ns = 500};
    const struct mt_sim_node_config right = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config off = {
        .offset_s = 0.3, .frequency = 11e-6, .tx_stamp_delay_ns = 20000};
    FOR_EACH_SEED(seed)
    {
        memset(&told, 0, sizeof told);
        lab_open(&net, seed);
        lab_add(&net, "GM", &right,
                "[ptp]\nprofile = 802.1as\npriority1 = 100\nlog_sync_interval = 0\n[ptp eth0]\n");
        lab_add(&net, "R", &off, "[ptp]\nprofile = 802.1as-relay\n[ptp eth0]\n[ptp eth1]\n");
        lab_add(&net, "S", &off, "[ptp]\nprofile = 802.1as\n[ptp eth0]\n");
        lab_cable(&net, &cable, GRANDMASTER, "eth0", RELAY, "eth0");
        lab_cable(&net, &cable, RELAY, "eth1", STATION, "eth0");
        net.hear = hear_relay;
        for (uint32_t node = GRANDMASTER; node <= STATION; node++) {
            lab_boot(&net, node);
        }
        lab_run(&net, 60);
        print_message("%u Follow_Ups, which differ by %.0f ns\n", told.count,
                      told.most_ns - told.least_ns);
        assert_true(net.nodes[RELAY].watch.steps > 0);
        assert_true(told.count > 300);
        /* what the first correction of the rate makes in the second after a Sync, and no 0.3 s */
        assert_true(told.most_ns - told.least_ns < 15000);
        lab_close(&net);
    }
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
        cmocka_unit_test_teardown(sim_relay_tells_no_wrong_time_when_its_clock_is_stepped,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
