/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The selectable servos in a network, from the configuration to the clock: each does what it is
 * known for (docs/design/estimator.md), and the default does better.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim_lab.h"

#define LIMIT_NS 5.22 /* of a Kalman filter that knows noise and wander */

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

/* intervals of 1 s, a port, and `keys` */
static const char *slow_conf(const char *keys)
{
    static char text[400];
    (void)snprintf(text, sizeof text,
                   "[ptp]\nlog_sync_interval = 0\nlog_min_delay_req_interval = 0\n"
                   "[ptp eth0]\n%s\n",
                   keys);
    return text;
}

/* RMS of a receiver's clock at 1 s and 10 ns of exponential jitter, wander 1e-9 */
static double rms_ns(unsigned seed, const char *servo)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 10000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 10};
    const struct mt_sim_node_config receiver = {
        .offset_s = 0.1, .frequency = 15e-6, .wander = 1e-9};
    char keys[100];

    (void)snprintf(keys, sizeof keys, "[clock]\nservo = %s", servo);
    lab_open(&net, seed);
    net.reference = lab_add(&net, "GM", &(struct mt_sim_node_config){0},
                            slow_conf("[instance main]\npriority1 = 1"));
    uint32_t rx = lab_add(&net, "RX", &receiver, slow_conf(keys));
    lab_cable(&net, &cable, net.reference, "eth0", rx, "eth0");
    lab_boot(&net, net.reference);
    lab_boot(&net, rx);
    lab_run(&net, 300);
    lab_forget(&net);
    lab_run(&net, 4000);
    double rms = sqrt(net.nodes[rx].watch.squares_ns2 / net.nodes[rx].watch.readings);
    assert_true(lab_is_bounded(&net, rx));
    assert_int_equal(net.nodes[rx].watch.steps, 0);
    lab_close(&net);
    return rms;
}

static void sim_servos_are_as_known_when_they_are_configured(void **state)
{
    FOR_EACH_SEED(seed)
    {
        double pi = rms_ns(seed, "pi");
        double linreg = rms_ns(seed, "linreg");
        assert_true(pi > 9.2 && pi < 11.2);
        assert_true(linreg > 7.8 && linreg < 9.5);
        assert_true(rms_ns(seed, "adaptive") < 0.75 * linreg);
        double kalman = rms_ns(seed, "kalman");
        assert_true(kalman > 0.8 * LIMIT_NS && kalman < 1.2 * LIMIT_NS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_servos_are_as_known_when_they_are_configured, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
