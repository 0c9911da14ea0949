/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The founding lab, A - BC - B: two clocks that do not see each other, and a boundary clock that
 * joins them.  It must not serve time that it does not have, and its comings and goings must not
 * hurt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

#define A  0
#define B  1
#define BC 2

#define SERVE_BOUND_NS 50000 /* the default of serve_bound */

/* Frames with time on them that BC sent without having it. */
static unsigned premature;

static bool is_time(const struct mt_world_frame *frame)
{
    uint8_t type = frame->bytes[0] & 0xF;
    return type == MT_PTP_ANNOUNCE || type == MT_PTP_SYNC || type == MT_PTP_FOLLOW_UP ||
           type == MT_PTP_DELAY_RESP;
}

static void watch_the_gate(struct lab *lab, const struct mt_world_frame *frame)
{
    if (frame->node != BC || !is_time(frame)) {
        return;
    }
    const struct mt_instance *bc = lab_instance(lab, BC, 0);
    uint16_t receiving = mt_instance_receiving_port(bc);
    double bound_ns = lab_bound_ns(lab, BC);
    bool has_time = receiving != 0 && (mt_port_state_of(bc, receiving) == MT_STATE_RECEIVER ||
                                       (bound_ns >= 0 && bound_ns <= SERVE_BOUND_NS));
    premature += !has_time;
}

/* A and B have been alone for ten seconds; B is ahead of A by so much. */
static void found_apart(struct lab *lab, uint64_t seed, const struct mt_sim_segment_config *cable,
                        double apart_s)
{
    const struct mt_sim_node_config a = {
        .offset_s = 0.3, .frequency = 12e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config b = {
        .offset_s = 0.3 + apart_s, .frequency = 37e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config bc = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    premature = 0;
    lab_open(lab, seed);
    lab_add(lab, "A", &a, lab_conf("priority1 = 100", 1));
    lab_add(lab, "B", &b, lab_conf("", 1));
    lab_add(lab, "BC", &bc, lab_conf("", 2));
    lab_cable(lab, cable, A, "eth0", BC, "eth0");
    lab_cable(lab, cable, BC, "eth1", B, "eth0");
    lab->reference = A;
    lab->hear = watch_the_gate;
    lab_boot(lab, A);
    lab_boot(lab, B);
    lab_run(lab, 10);
    assert_int_equal(lab_state(lab, A, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(lab_state(lab, B, 1), MT_STATE_TRANSMITTER);
}

static void found(struct lab *lab, uint64_t seed, const struct mt_sim_segment_config *cable)
{
    found_apart(lab, seed, cable, 0.6);
}

static const struct mt_sim_segment_config software = {
    .delay_ns = 30000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 3000};
static const struct mt_sim_segment_config hardware = {
    .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};

static void join(struct lab *lab)
{
    lab_boot(lab, BC);
    assert_true(lab_run_until_state(lab, BC, 2, MT_STATE_TRANSMITTER, 15));
    assert_true(lab_run_until_state(lab, B, 1, MT_STATE_RECEIVER, 15));
    assert_true(lab_run_until_state(lab, BC, 1, MT_STATE_RECEIVER, 15));
    assert_int_equal(lab_state(lab, A, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(lab_state(lab, BC, 1), MT_STATE_RECEIVER);
    assert_int_equal(lab_state(lab, BC, 2), MT_STATE_TRANSMITTER);
}

static void assert_founding_lab(unsigned seed, const struct mt_sim_segment_config *cable,
                                double bc_sd_ns, double b_sd_ns)
{
    found(&net, seed, cable);
    join(&net);
    assert_int_equal(premature, 0);
    /* it may have heard B first */
    assert_in_range(net.nodes[BC].watch.steps, 1, 2);
    assert_int_equal(net.nodes[BC].watch.outside, 0);
    assert_int_equal(net.nodes[B].watch.steps, 1);
    assert_int_equal(net.nodes[B].watch.outside, 0);
    lab_run(&net, 40 - lab_seconds(&net));
    lab_forget(&net);
    lab_run(&net, 120);
    assert_true(lab_sd_ns(&net, BC) < bc_sd_ns);
    assert_true(lab_sd_ns(&net, B) < b_sd_ns);
    assert_true(lab_is_bounded(&net, BC));
    assert_true(lab_is_bounded(&net, B));
    assert_int_equal(net.nodes[BC].watch.steps + net.nodes[B].watch.steps, 0);
    lab_close(&net);
}

static void sim_boundary_clock_joins_two_when_stamps_are_of_software(void **state)
{
    FOR_EACH_SEED(seed)
    {
        assert_founding_lab(seed, &software, 1500, 2000);
    }
}

static void sim_boundary_clock_joins_two_when_stamps_are_of_hardware(void **state)
{
    FOR_EACH_SEED(seed)
    {
        assert_founding_lab(seed, &hardware, 15, 25);
    }
}

/* B's oscillator runs 25 ppm apart from A's: what BC learned of its own from B is no knowledge. */
static void sim_boundary_clock_keeps_its_bound_when_it_heard_another_frequency_first(void **state)
{
    const unsigned seeds[] = {7, 66, 68, 119};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        assert_founding_lab(seeds[i], &hardware, 15, 25);
    }
}

/* Having followed B for a moment, it must not take ages over to A's time by slewing. */
static void sim_boundary_clock_steps_again_when_it_heard_the_worse_clock_first(void **state)
{
    found_apart(&net, 7, &software, 0.06);
    join(&net);
    assert_int_equal(net.nodes[BC].watch.steps, 2);
    lab_forget(&net);
    lab_run(&net, 10);
    assert_true(net.nodes[BC].watch.max_ns < 20000);
    assert_true(net.nodes[B].watch.max_ns < 20000);
    lab_close(&net);
}

static void sim_boundary_clock_serves_nothing_when_it_cannot_calibrate(void **state)
{
    found(&net, 1, &software);
    mt_world_node_config(net.world, BC)->tx_stamp_loss = 1; /* no delay is ever measured */
    lab_boot(&net, BC);
    lab_run(&net, 60);
    assert_int_equal(lab_state(&net, BC, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(lab_state(&net, BC, 2), MT_STATE_PRE_TRANSMITTER);
    assert_int_equal(lab_state(&net, B, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(premature, 0);
    lab_close(&net);
}

/* From the restart, B is RECEIVER again within 15 s and takes no step larger than its bound. */
static void sim_boundary_clock_is_back_when_it_was_killed_and_restarted(void **state)
{
    const double downs_s[] = {0.5, 3, 20};
    FOR_EACH_SEED(seed)
    {
        for (size_t i = 0; i < sizeof downs_s / sizeof *downs_s; i++) {
            found(&net, seed, &software);
            join(&net);
            lab_run(&net, 40);
            lab_kill(&net, BC);
            lab_forget(&net);
            lab_run(&net, downs_s[i]);
            double restart_s = lab_seconds(&net);
            join(&net);
            assert_true(lab_seconds(&net) - restart_s <= 15);
            lab_run(&net, 30);
            assert_int_equal(premature, 0);
            assert_int_equal(net.nodes[B].watch.blind_steps, 0);
            assert_int_equal(net.nodes[B].watch.steps, 0);
            assert_true(lab_is_bounded(&net, B));
            assert_int_equal(lab_state(&net, B, 1), MT_STATE_RECEIVER);
            lab_close(&net);
        }
    }
}

/* B becomes the better one: time flows the other way, and A follows. */
static void sim_boundary_clock_turns_round_when_priorities_change(void **state)
{
    FOR_EACH_SEED(seed)
    {
        const struct mt_command better = {.kind = MT_COMMAND_PRIORITIES,
                                          .value.priorities = {50, 128}};
        found(&net, seed, &hardware);
        join(&net);
        lab_run(&net, 40);
        assert_true(lab_command(&net, B, 0, &better));
        net.reference = B;
        lab_forget(&net);
        assert_true(lab_run_until_state(&net, A, 1, MT_STATE_RECEIVER, 20));
        assert_true(lab_run_until_state(&net, BC, 2, MT_STATE_RECEIVER, 5));
        assert_int_equal(lab_state(&net, B, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(lab_state(&net, BC, 1), MT_STATE_TRANSMITTER);
        lab_run(&net, 30);
        /* they agreed before, so nobody steps and nobody was ever far off */
        for (uint32_t i = A; i <= BC; i++) {
            assert_int_equal(net.nodes[i].watch.steps, 0);
            assert_int_equal(net.nodes[i].watch.outside, 0);
        }
        assert_true(net.nodes[BC].watch.max_ns < 2000);
        assert_int_equal(premature, 0);
        lab_close(&net);
    }
}

/* A dies: BC serves what it holds, and follows when A is back. */
static void sim_boundary_clock_becomes_grandmaster_when_its_own_dies(void **state)
{
    FOR_EACH_SEED(seed)
    {
        found(&net, seed, &hardware);
        join(&net);
        lab_run(&net, 40);
        lab_kill(&net, A);
        net.hear = NULL; /* as grandmaster it may serve */
        net.reference = BC;
        lab_forget(&net);
        lab_run(&net, 30);
        const struct mt_instance *b = lab_instance(&net, B, 0);
        const struct mt_instance *bc = lab_instance(&net, BC, 0);
        uint16_t receiving = mt_instance_receiving_port(bc);
        /* B or BC, by identity: they agree on one */
        assert_true(mt_clock_identity_equal(&mt_instance_parent(b)->grandmaster,
                                            &mt_instance_parent(bc)->grandmaster));
        assert_int_equal(lab_state(&net, B, 1),
                         receiving == 0 ? MT_STATE_RECEIVER : MT_STATE_TRANSMITTER);
        assert_int_equal(net.nodes[B].watch.steps, 0);
        assert_true(net.nodes[B].watch.max_ns < 5000);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_boundary_clock_joins_two_when_stamps_are_of_software,
                                  clean_up),
        cmocka_unit_test_teardown(sim_boundary_clock_joins_two_when_stamps_are_of_hardware,
                                  clean_up),
        cmocka_unit_test_teardown(
            sim_boundary_clock_keeps_its_bound_when_it_heard_another_frequency_first, clean_up),
        cmocka_unit_test_teardown(
            sim_boundary_clock_steps_again_when_it_heard_the_worse_clock_first, clean_up),
        cmocka_unit_test_teardown(sim_boundary_clock_serves_nothing_when_it_cannot_calibrate,
                                  clean_up),
        cmocka_unit_test_teardown(sim_boundary_clock_is_back_when_it_was_killed_and_restarted,
                                  clean_up),
        cmocka_unit_test_teardown(sim_boundary_clock_turns_round_when_priorities_change, clean_up),
        cmocka_unit_test_teardown(sim_boundary_clock_becomes_grandmaster_when_its_own_dies,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
