/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The firmware's loop in a network with faults, against true time: what it says it is, and how far
 * its clock is off at the end of each part of the hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_firmware.h"

#define PARTS 10

static struct firmware_net net;
static struct firmware_here here;

static int clean_up(void **state)
{
    return lab_clean_up(&net.lab);
}

/* what the port is at the end of each part */
static const enum mt_port_state expected[PARTS] = {
    [0] = MT_STATE_RECEIVER, [1] = MT_STATE_RECEIVER,    [2] = MT_STATE_RECEIVER,
    [3] = MT_STATE_RECEIVER, [4] = MT_STATE_RECEIVER,    [5] = MT_STATE_RECEIVER,
    [6] = MT_STATE_RECEIVER, [7] = MT_STATE_TRANSMITTER, [8] = MT_STATE_RECEIVER,
    [9] = MT_STATE_RECEIVER,
};

static void look(void *context, int part)
{
    const double off_ns = lab_offset_ns(&net.lab, FIRMWARE_ITSELF, 0);

    assert_int_equal(mt_port_state_of(&here.node.ptp, 1), expected[part]);
    if (expected[part] == MT_STATE_RECEIVER) {
        struct mt_clock_quality_report report;
        mt_ordinary_report(&here.node, &report);
        assert_true(report.is_locked);
        /* A and B agree with true time to some microseconds in an hour */
        assert_true(off_ns < 400000 && off_ns > -400000);
        assert_true(off_ns - lab_offset_ns(&net.lab, FIRMWARE_RECEIVER, 0) < 1000);
        assert_true(off_ns - lab_offset_ns(&net.lab, FIRMWARE_RECEIVER, 0) > -1000);
    }
}

static void ordinary_follows_and_serves_when_an_hour_is_full_of_faults(void **state)
{
    firmware_open(&net, 1);
    firmware_start_here(&net, &here);
    firmware_hour(&net, look, NULL);
    firmware_close(&net);
}

static uint64_t hash_of(uint64_t seed)
{
    firmware_open(&net, seed);
    firmware_start_here(&net, &here);
    lab_run(&net.lab, 300);
    const uint64_t hash = net.lab.hash;
    firmware_close(&net);
    return hash;
}

static void ordinary_is_the_same_when_the_seed_is(void **state)
{
    assert_true(hash_of(1) == hash_of(1));
    assert_true(hash_of(1) != hash_of(2));
}

static void ordinary_keeps_the_rate_when_it_is_started_with_it(void **state)
{
    mt_real rate;
    struct mt_ordinary_config config;

    firmware_open(&net, 1);
    firmware_start_here(&net, &here);
    assert_false(mt_ordinary_drift(&here.node, &rate));
    lab_run(&net.lab, 120);
    assert_true(mt_ordinary_drift(&here.node, &rate));
    assert_true(mt_real_abs(rate - 40e-6) < 1e-7);
    firmware_configure(net.tables.clock, &config);
    config.start_rate = rate;
    config.is_start_rate_known = true;
    mt_ordinary_init(&here.node, &config, &net.tables);
    assert_true(here.node.discipline.sets_rate && here.node.discipline.rate == rate);
    assert_true(here.node.discipline.corrections > 0); /* the clock has been corrected before */
    firmware_close(&net);
}

static bool follows(uint32_t number)
{
    const struct mt_clock_identity *parent = &mt_instance_parent(&here.node.ptp)->sender.clock;
    return parent->octet[6] == number && mt_instance_receiving_port(&here.node.ptp) != 0;
}

/* What was known of the way to A says nothing about B, nor A's time about B's. */
static void ordinary_forgets_its_parent_when_it_has_another_one(void **state)
{
    struct mt_clock_quality_report report;

    firmware_open(&net, 1);
    firmware_start_here(&net, &here);
    lab_run(&net.lab, 120);
    assert_true(follows(FIRMWARE_A));
    assert_true(here.node.source.estimator.fresh > 100);
    lab_kill(&net.lab, FIRMWARE_A);
    for (int i = 0; i < 40000 && !follows(FIRMWARE_B); i++) {
        lab_run(&net.lab, 0.001);
    }
    assert_true(follows(FIRMWARE_B));
    assert_true(here.node.source.estimator.fresh < 3);
    mt_ordinary_report(&here.node, &report);
    assert_true(report.reference == MT_BOUND_NONE);
    firmware_close(&net);
}

static bool refuse(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    return !frame->is_event;
}

static void ordinary_gives_up_the_exchange_when_a_frame_cannot_be_sent(void **state)
{
    static const struct mt_hal_link_ops refusing = {.send = refuse};
    struct mt_hal_link link = {.ops = &refusing};

    firmware_open(&net, 1);
    net.tables.link = &link;
    firmware_start_here(&net, &here);
    lab_run(&net.lab, 60);
    assert_true(follows(FIRMWARE_A));
    assert_true(here.node.port.counters[MT_COUNT_SENT_DELAY_REQ] > 10);
    assert_true(here.node.port.counters[MT_COUNT_TX_STAMP_LOST] >=
                here.node.port.counters[MT_COUNT_SENT_DELAY_REQ]);
    firmware_close(&net);
}

/* ... and not when the next report would be due. */
static void ordinary_says_at_once_that_its_clock_was_disturbed(void **state)
{
    firmware_open(&net, 1);
    firmware_start_here(&net, &here);
    lab_run(&net.lab, 60);
    const uint32_t steps = here.node.discipline.steps;
    mt_world_step_clock(net.lab.world, FIRMWARE_ITSELF, 0, mt_span_from_ns(1500000000));
    const struct mt_input nothing = {.now = net.tables.wait->ops->now(net.tables.wait)};
    mt_ordinary_input(&here.node, &nothing);
    assert_true(here.node.report_at.ns == nothing.now.ns + MT_ORDINARY_REPORT_NS);
    assert_true(here.node.discipline.steps > steps);
    firmware_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ordinary_follows_and_serves_when_an_hour_is_full_of_faults,
                                  clean_up),
        cmocka_unit_test_teardown(ordinary_is_the_same_when_the_seed_is, clean_up),
        cmocka_unit_test_teardown(ordinary_forgets_its_parent_when_it_has_another_one, clean_up),
        cmocka_unit_test_teardown(ordinary_gives_up_the_exchange_when_a_frame_cannot_be_sent,
                                  clean_up),
        cmocka_unit_test_teardown(ordinary_says_at_once_that_its_clock_was_disturbed, clean_up),
        cmocka_unit_test_teardown(ordinary_keeps_the_rate_when_it_is_started_with_it, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
