/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The loop of the ordinary clock in 16 KiB in a network: how far its clock is off, against a Kalman
 * filter that knows noise and wander; and an hour in which much goes wrong.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "embed/small_ordinary.h"
#include "meantime/ptp_small.h"
#include "sim_firmware.h"

#define SMALL 1 /* the node */

static struct firmware_net net;
static struct mt_small_ordinary small;
static struct mt_plain_peer peer;
static struct mt_port_more port_more;
static struct mt_sim_program program;
static double squares_ns2;
static double readings;

static int clean_up(void **state)
{
    return lab_clean_up(&net.lab);
}

static void once(void *context)
{
    mt_small_ordinary_once(context);
}

static struct mt_mono deadline(void *context)
{
    return mt_small_ordinary_deadline(context);
}

static void start(uint32_t node, const struct mt_ordinary_tables *tables, bool is_p2p)
{
    static const struct mt_extension *const extensions[] = {&mt_plain_peer_extension, NULL};
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .extend = &mt_extend,
        .extensions = extensions,
    };
    struct mt_small_ordinary_config config;

    peer = (struct mt_plain_peer){0};
    port_more = (struct mt_port_more){.plain_peer = &peer};
    port_more.delay_mechanism = is_p2p ? MT_DELAY_P2P : MT_DELAY_E2E;
    mt_small_ordinary_config_init(&config, &features);
    config.instance.identity =
        (struct mt_clock_identity){{0x02, 0, 0x5E, 0xFF, 0xFE, 0, FIRMWARE_NUMBER, 1}};
    config.port.more = &port_more;
    config.seed = 7;
    mt_small_ordinary_init(&small, &config, tables);
    program = (struct mt_sim_program){&small, once, deadline};
    mt_world_start_program(net.lab.world, node, &program);
}

/* ---- against the optimum --------------------------------------------------------------------- */

static void look(struct lab *lab)
{
    const double off_ns = lab_offset_ns(lab, SMALL, 0);

    squares_ns2 += off_ns * off_ns;
    readings++;
}

struct line {
    double jitter_ns;
    double wander;
    int log_interval;
    bool is_p2p;
};

/* A measurement of the offset with variance `noise` each interval, in the steady state, averaged
 * over the interval. */
static double optimum_ns(const struct line *line, double noise)
{
    const double t = pow(2, line->log_interval);
    const double w2 = line->wander * line->wander * 1e18;
    double oo = noise;
    double of = 0;
    double ff = noise / (t * t);

    for (int i = 0; i < 20000; i++) {
        oo += 2 * t * of + t * t * ff + w2 * t * t * t / 3;
        of += t * ff + w2 * t * t / 2;
        ff += w2 * t;
        const double gain = oo / (oo + noise);
        ff -= of * of / (oo + noise);
        oo *= 1 - gain;
        of *= 1 - gain;
    }
    return sqrt(oo + t * of + t * t * ff / 3 + w2 * t * t * t / 12);
}

static void open_tables(struct mt_ordinary_tables *tables)
{
    struct mt_hal_provider *provider = mt_world_provider(net.lab.world, SMALL);
    const struct mt_clock_request clock = {.kind = MT_CLOCK_OVERLAY};
    const struct mt_link_request link = {.interface = "eth0"};
    char reason[MT_HAL_REASON_SIZE] = "";

    tables->clock = provider->ops->open_clock(provider, &clock, reason);
    tables->link = provider->ops->open_link(provider, 0, &link, reason);
    tables->wait = provider->wait;
    assert_non_null(tables->clock);
    assert_non_null(tables->link);
}

static double rms_ns(unsigned seed, const struct line *line, double seconds)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 10000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = line->jitter_ns};
    const struct mt_sim_node_config machine = {
        .offset_s = 0.1, .frequency = 50e-6, .wander = line->wander};
    struct mt_ordinary_tables tables;
    char keys[250];

    (void)snprintf(keys, sizeof keys,
                   "[ptp]\nlog_sync_interval = %d\nlog_min_delay_req_interval = %d\n"
                   "delay_mechanism = %s\n[instance main]\npriority1 = 1\n[ptp eth0]\n",
                   line->log_interval, line->log_interval, line->is_p2p ? "p2p" : "e2e");
    lab_open(&net.lab, seed);
    net.lab.reference = lab_add(&net.lab, "GM", &(struct mt_sim_node_config){0}, keys);
    assert_int_equal(lab_add(&net.lab, "SMALL", &machine, "[ptp]\n[ptp eth0]\n"), SMALL);
    lab_cable(&net.lab, &cable, net.lab.reference, "eth0", SMALL, "eth0");
    open_tables(&tables);
    lab_boot(&net.lab, net.lab.reference);
    start(SMALL, &tables, line->is_p2p);
    lab_run(&net.lab, 0.1 * seconds);
    assert_true(mt_small_ordinary_is_locked(&small));
    assert_int_equal(mt_port_state_of(&small.ptp, 1), MT_STATE_RECEIVER);
    squares_ns2 = readings = 0;
    net.lab.look = look;
    lab_run(&net.lab, seconds);
    assert_int_equal(mt_port_state_of(&small.ptp, 1), MT_STATE_RECEIVER);
    lab_close(&net.lab);
    return sqrt(squares_ns2 / readings);
}

static void small_is_near_the_optimum_when_it_measures_end_to_end(void **state)
{
    static const struct line lines[] = {
        {10, 1e-9, 0, false},     {10, 1e-8, 0, false},     {10, 1e-9, -3, false},
        {10, 1e-8, -3, false},    {10000, 1e-9, 0, false},  {10000, 1e-8, 0, false},
        {10000, 1e-9, -3, false}, {10000, 1e-8, -3, false},
    };

    FOR_EACH_SEED(seed)
    {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            const double noise = lines[i].jitter_ns * lines[i].jitter_ns / 2; /* there and back */
            const double limit = optimum_ns(&lines[i], noise);
            const double rms = rms_ns(seed, &lines[i], lines[i].jitter_ns > 100 ? 20000 : 3000);

            print_message("J %.0f ns, wander %g, 2^%d s: %.2f ns, %.3f of the optimum\n",
                          lines[i].jitter_ns, lines[i].wander, lines[i].log_interval, rms,
                          rms / limit);
            assert_true(rms < 1.2 * limit);
            assert_true(rms > 0.8 * limit);
        }
    }
}

/* The delay is the median of the last few: its error, the same for each of those Syncs, is more
 * than what a filter leaves of theirs. */
static void small_is_within_the_noise_when_it_measures_peer_to_peer(void **state)
{
    static const struct line lines[] = {{10, 1e-9, 0, true}, {10, 1e-8, -3, true}};

    FOR_EACH_SEED(seed)
    {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            const double rms = rms_ns(seed, &lines[i], 3000);

            print_message("P2P, J %.0f ns, wander %g, 2^%d s: %.2f ns\n", lines[i].jitter_ns,
                          lines[i].wander, lines[i].log_interval, rms);
            assert_true(rms < lines[i].jitter_ns);
        }
    }
}

/* ---- an hour of faults ----------------------------------------------------------------------- */

static void look_at_part(void *context, int part)
{
    const double off_ns = lab_offset_ns(&net.lab, FIRMWARE_ITSELF, 0);
    const double apart_ns = off_ns - lab_offset_ns(&net.lab, FIRMWARE_RECEIVER, 0);

    (void)context;
    if (part == 7) { /* both grandmasters are gone */
        assert_int_equal(mt_port_state_of(&small.ptp, 1), MT_STATE_TRANSMITTER);
        return;
    }
    assert_int_equal(mt_port_state_of(&small.ptp, 1), MT_STATE_RECEIVER);
    assert_true(mt_small_ordinary_is_locked(&small));
    assert_true(off_ns < 400000 && off_ns > -400000);
    assert_true(apart_ns < 1000 && apart_ns > -1000);
}

static void small_follows_and_serves_when_an_hour_is_full_of_faults(void **state)
{
    mt_real rate;

    FOR_EACH_SEED(seed)
    {
        firmware_open(&net, seed);
        start(FIRMWARE_ITSELF, &net.tables, false);
        assert_false(mt_small_ordinary_drift(&small, &rate));
        firmware_hour(&net, look_at_part, NULL);
        assert_true(mt_small_ordinary_drift(&small, &rate));
        firmware_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(small_is_near_the_optimum_when_it_measures_end_to_end, clean_up),
        cmocka_unit_test_teardown(small_is_within_the_noise_when_it_measures_peer_to_peer,
                                  clean_up),
        cmocka_unit_test_teardown(small_follows_and_serves_when_an_hour_is_full_of_faults,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
