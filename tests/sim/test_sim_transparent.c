/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transparent clocks between a grandmaster and a receiver.  Their ports are switch ports of links
 * that jitter, so that a frame waits for long and differently in each of them; only the stamps have
 * noise that cannot be taken out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "meantime/ptp_transparent.h"
#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    (void)state;
    return lab_clean_up(&net);
}

static void sim_transparent_clock_passes_time_on(void **state)
{
    const struct mt_sim_node_config gm = {.offset_s = 0.3, .frequency = 12e-6};
    const struct mt_sim_node_config tc = {
        .offset_s = -0.2, .frequency = -23e-6, .tx_stamp_delay_ns = 200000};
    const struct mt_sim_node_config receiver = {.offset_s = 0.1, .frequency = 30e-6};
    const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    (void)state;
    lab_open(&net, 1);
    lab_add(&net, "GM", &gm, lab_conf("priority1 = 100", 1));
    lab_add(&net, "TC", &tc, lab_conf("clock_type = e2e_transparent", 2));
    lab_add(&net, "R", &receiver, lab_conf("priority1 = 200", 1));
    lab_cable(&net, &cable, 0, "eth0", 1, "eth0");
    lab_cable(&net, &cable, 1, "eth1", 2, "eth0");
    net.reference = 0;
    lab_boot(&net, 0);
    lab_boot(&net, 1);
    lab_boot(&net, 2);
    assert_true(lab_run_until_state(&net, 2, 1, MT_STATE_RECEIVER, 20));
    lab_run(&net, 20);
    lab_forget(&net);
    lab_run(&net, 20);
    lab_print(&net);
    assert_true(net.nodes[2].watch.max_ns < 5);
    assert_true(net.nodes[1].watch.max_ns < 5);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_transparent_clock_passes_time_on, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
