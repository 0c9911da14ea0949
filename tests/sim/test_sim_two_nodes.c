/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A grandmaster and a receiver, and one thing that is not as it should be: jitter, delay, loss,
 * stamps, links, steps.  The clock is compared with the grandmaster's; nothing that was published
 * may be wrong.
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

#define GM 0
#define RX 1

/* What is between them and what they are; tests change what they are about. */
struct pair {
    struct mt_sim_node_config gm;
    struct mt_sim_node_config rx;
    struct mt_sim_segment_config cable;
    const char *gm_keys;
    const char *rx_keys;
};

static const struct pair usual = {
    .gm = {.offset_s = 0.3, .frequency = 12e-6, .wander = 1e-9, .tx_stamp_delay_ns = 30000},
    .rx = {.offset_s = -0.4, .frequency = -31e-6, .wander = 1e-9, .tx_stamp_delay_ns = 30000},
    .cable = {.delay_ns = 10000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 100},
    .gm_keys = "priority1 = 100",
    .rx_keys = "",
};

static void start(struct lab *lab, const struct pair *pair, uint64_t seed)
{
    lab_open(lab, seed);
    lab_add(lab, "GM", &pair->gm, lab_conf(pair->gm_keys, 1));
    lab_add(lab, "RX", &pair->rx, lab_conf(pair->rx_keys, 1));
    lab_cable(lab, &pair->cable, GM, "eth0", RX, "eth0");
    lab->reference = GM;
    lab_boot(lab, GM);
    lab_boot(lab, RX);
}

/* Starts, lets it settle and measures for a minute; the receiver has stepped once, at its start,
 * and was never outside its bound. */
static void settle(struct lab *lab, const struct pair *pair, uint64_t seed, double settle_s)
{
    start(lab, pair, seed);
    assert_true(lab_run_until_state(lab, RX, 1, MT_STATE_RECEIVER, settle_s));
    lab_run(lab, settle_s - lab_seconds(lab));
    assert_int_equal(lab->nodes[RX].watch.steps, 1);
    assert_int_equal(lab->nodes[RX].watch.outside, 0);
    lab_forget(lab);
    lab_run(lab, 60);
    assert_int_equal(lab_state(lab, GM, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(lab_state(lab, RX, 1), MT_STATE_RECEIVER);
    assert_int_equal(lab->nodes[RX].watch.steps, 0);
    assert_true(lab_is_bounded(lab, RX));
}

static void assert_settles(const struct pair *pair, double settle_s, double sd_ns, double mean_ns)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, pair, seed, settle_s);
        assert_true(lab_sd_ns(&net, RX) < sd_ns);
        assert_true(lab_mean_ns(&net, RX) < mean_ns && lab_mean_ns(&net, RX) > -mean_ns);
        lab_close(&net);
    }
}

/* ---- noise and delay ------------------------------------------------------------------------- */

static void sim_receiver_settles_when_jitter_is_normal(void **state)
{
    struct pair pair = usual;
    assert_settles(&pair, 30, 60, 40);
    pair.cable.jitter_ns = 1000;
    assert_settles(&pair, 30, 600, 400);
    pair.cable.jitter_ns = 10;
    assert_settles(&pair, 30, 12, 8);
}

static void sim_receiver_settles_when_jitter_is_one_sided(void **state)
{
    struct pair pair = usual;
    pair.cable.jitter = MT_SIM_JITTER_EXPONENTIAL;
    pair.cable.jitter_ns = 5000;
    assert_settles(&pair, 30, 2500, 1500);
}

static void sim_receiver_settles_when_path_delay_is_100_ns_to_50_ms(void **state)
{
    const double delays_ns[] = {100, 1000, 100e3, 1e6, 10e6, 50e6};
    for (size_t i = 0; i < sizeof delays_ns / sizeof *delays_ns; i++) {
        struct pair pair = usual;
        pair.cable.delay_ns = delays_ns[i];
        pair.cable.jitter_ns = 20;
        assert_settles(&pair, 30, 20, 15);
    }
}

static void sim_receiver_settles_when_oscillator_wanders_much(void **state)
{
    struct pair pair = usual;
    pair.rx.wander = 1e-7;
    assert_settles(&pair, 30, 200, 100);
}

static void sim_receiver_settles_when_stamps_are_coarse(void **state)
{
    struct pair pair = usual;
    pair.gm.granularity_ns = pair.rx.granularity_ns = 1000;
    assert_settles(&pair, 30, 500, 300);
}

/* Half the asymmetry cannot be seen, and is inside the bound. */
static void sim_bound_holds_asymmetry_when_path_is_uneven(void **state)
{
    FOR_EACH_SEED(seed)
    {
        struct pair pair = usual;
        pair.cable.asymmetry_ns = 15000;
        settle(&net, &pair, seed, 30);
        assert_true(lab_mean_ns(&net, RX) < -7400 && lab_mean_ns(&net, RX) > -7600);
        lab_close(&net);
    }
}

/* ---- loss and stamps ------------------------------------------------------------------------- */

static void sim_receiver_settles_when_frames_are_lost(void **state)
{
    const double losses[] = {0.05, 0.1, 0.2};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct pair pair = usual;
        pair.cable.loss = losses[i];
        pair.rx_keys = "announce_receipt_timeout = 8";
        assert_settles(&pair, 40, 90, 60);
    }
}

static void sim_receiver_settles_when_transmit_stamps_are_missing(void **state)
{
    struct pair pair = usual;
    pair.gm.tx_stamp_loss = 0.5;
    pair.rx.tx_stamp_loss = 0.5;
    assert_settles(&pair, 40, 90, 60);
}

static void sim_receiver_settles_when_transmit_stamps_come_late(void **state)
{
    struct pair pair = usual;
    pair.gm.tx_stamp_late = pair.rx.tx_stamp_late = 0.5;
    pair.gm.tx_stamp_late_ns = pair.rx.tx_stamp_late_ns = 5000000;
    assert_settles(&pair, 30, 60, 40);
    pair.gm.tx_stamp_late_ns = pair.rx.tx_stamp_late_ns = 300000000; /* after the next ones */
    assert_settles(&pair, 40, 120, 80);
}

/* Neither port becomes faulty; when the stamps are back, all goes on. */
static void sim_ports_wait_when_all_transmit_stamps_are_missing(void **state)
{
    for (uint32_t who = GM; who <= RX; who++) {
        struct pair pair = usual;
        *(who == GM ? &pair.gm.tx_stamp_loss : &pair.rx.tx_stamp_loss) = 1;
        start(&net, &pair, 1);
        lab_run(&net, 60);
        assert_int_equal(lab_state(&net, GM, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_UNCALIBRATED);
        mt_world_node_config(net.world, who)->tx_stamp_loss = 0;
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 15));
        assert_int_equal(net.nodes[RX].watch.outside, 0);
        lab_close(&net);
    }
}

/* ---- links ----------------------------------------------------------------------------------- */

static void sim_receiver_holds_over_when_its_link_is_down(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        mt_world_set_plugged(net.world, RX, "eth0", false);
        lab_run(&net, 60);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_FAULTY);
        assert_int_equal(lab_state(&net, GM, 1), MT_STATE_TRANSMITTER);
        assert_true(net.nodes[RX].watch.max_ns < 5000);
        double held_ns = lab_bound_ns(&net, RX);
        mt_world_set_plugged(net.world, RX, "eth0", true);
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 15));
        lab_run(&net, 30);
        assert_true(held_ns > lab_bound_ns(&net, RX) + 50000); /* 1 ppm for a minute */
        assert_true(lab_is_bounded(&net, RX));
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        lab_close(&net);
    }
}

/* Nobody is told of the cut; the receiver takes over, and gives back without a step. */
static void sim_receiver_serves_and_returns_when_segment_is_cut_unseen(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        mt_world_set_part(net.world, RX, "eth0", 1);
        lab_run(&net, 30);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_TRANSMITTER);
        mt_world_set_part(net.world, RX, "eth0", 0);
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 15));
        lab_run(&net, 10);
        assert_int_equal(lab_state(&net, GM, 1), MT_STATE_TRANSMITTER);
        assert_true(lab_is_bounded(&net, RX));
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        lab_close(&net);
    }
}

/* A second without a frame is no reason to change anything. */
static void sim_receiver_stays_calm_when_there_is_a_burst_of_loss(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        for (int burst = 0; burst < 5; burst++) {
            mt_world_segment_config(net.world, 0)->loss = 1;
            lab_run(&net, 0.875); /* less than the announce receipt timeout */
            mt_world_segment_config(net.world, 0)->loss = 0;
            lab_run(&net, 5);
        }
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        assert_true(lab_is_bounded(&net, RX));
        assert_true(net.nodes[RX].watch.max_ns < 300);
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        lab_close(&net);
    }
}

/* ---- stalls ---------------------------------------------------------------------------------- */

#define STALL_S 4 /* more than the announce receipt timeout */

static void stall(void)
{
    mt_world_stall(net.world, RX, STALL_S * INT64_C(1000000000));
    lab_run(&net, STALL_S);
}

static uint64_t count_timeouts(void)
{
    return lab_instance(&net, RX, 0)->ports[0].counters[MT_COUNT_ANNOUNCE_TIMEOUT];
}

static void sim_receiver_gives_nobody_up_when_it_was_not_let_run(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        for (int i = 0; i < 5; i++) {
            uint64_t before = count_timeouts();
            stall();
            lab_run(&net, 0.01 + 0.3 * i);
            assert_int_equal(count_timeouts(), before);
            assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        }
        assert_true(lab_is_bounded(&net, RX));
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        lab_close(&net);
    }
}

static void sim_receiver_gives_up_who_goes_while_it_is_not_let_run(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        uint64_t before = count_timeouts();
        lab_kill(&net, GM);
        stall();
        lab_run(&net, 0.01);
        assert_int_equal(count_timeouts(), before + 1);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_TRANSMITTER);
        lab_close(&net);
    }
}

/* ---- clocks ---------------------------------------------------------------------------------- */

/* The receiver follows with one step; it cannot know for the first few samples. */
static void sim_receiver_follows_once_when_transmitter_steps_by_1_s(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        mt_world_step_clock(net.world, GM, 0, (struct mt_span){1, 0, 0});
        lab_run(&net, 10);
        assert_int_equal(net.nodes[RX].watch.steps, 1);
        assert_true(net.nodes[RX].watch.outside <= 16); /* 2 s */
        lab_run(&net, 10);
        lab_forget(&net);
        lab_run(&net, 60);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        assert_true(net.nodes[RX].watch.max_ns < 300);
        assert_true(lab_is_bounded(&net, RX));
        lab_close(&net);
    }
}

/* The discipline is told, so the estimate stays and the step is taken back at once. */
static void sim_receiver_takes_it_back_when_somebody_steps_its_clock(void **state)
{
    FOR_EACH_SEED(seed)
    {
        settle(&net, &usual, seed, 30);
        lab_forget(&net);
        mt_world_step_clock(net.world, RX, 0, (struct mt_span){-3, 500000000, 0});
        lab_run(&net, 2);
        assert_int_equal(net.nodes[RX].watch.steps, 1);
        lab_forget(&net);
        lab_run(&net, 30);
        assert_int_equal(lab_state(&net, RX, 1), MT_STATE_RECEIVER);
        assert_int_equal(net.nodes[RX].watch.steps, 0);
        assert_true(net.nodes[RX].watch.max_ns < 300);
        assert_true(lab_is_bounded(&net, RX));
        lab_close(&net);
    }
}

/* What was learned of the oscillator is stored, and the next start begins with it. */
static void sim_receiver_starts_from_stored_rate_when_it_is_restarted(void **state)
{
    FOR_EACH_SEED(seed)
    {
        struct mt_clock_reading reading;
        settle(&net, &usual, seed, 30);
        lab_stop(&net, RX);
        lab_boot(&net, RX);
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_UNCALIBRATED, 10));
        struct mt_hal_clock *clock = net.nodes[RX].composition->node.clocks[0].hal;
        clock->ops->read(clock, &reading);
        double rate = (double)reading.rate_q64 / 18446744073709551616.0;
        assert_true(rate > 11.9e-6 && rate < 12.1e-6); /* the grandmaster's */
        assert_true(lab_run_until_state(&net, RX, 1, MT_STATE_RECEIVER, 10));
        lab_close(&net);
    }
}

static void sim_receiver_settles_when_it_can_only_receive(void **state)
{
    struct pair pair = usual;
    pair.rx_keys = "receiver_only = yes";
    assert_settles(&pair, 30, 60, 40);
}

static void sim_receiver_waits_when_it_can_only_receive_and_nobody_serves(void **state)
{
    struct pair pair = usual;
    pair.rx_keys = "receiver_only = yes";
    start(&net, &pair, 1);
    lab_kill(&net, GM);
    lab_run(&net, 60);
    assert_int_equal(lab_state(&net, RX, 1), MT_STATE_LISTENING);
    for (int type = 0; type < LAB_TYPES; type++) {
        assert_int_equal(net.nodes[RX].watch.sent[type], 0);
    }
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_receiver_settles_when_jitter_is_normal, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_jitter_is_one_sided, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_path_delay_is_100_ns_to_50_ms,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_oscillator_wanders_much, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_stamps_are_coarse, clean_up),
        cmocka_unit_test_teardown(sim_bound_holds_asymmetry_when_path_is_uneven, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_frames_are_lost, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_transmit_stamps_are_missing, clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_transmit_stamps_come_late, clean_up),
        cmocka_unit_test_teardown(sim_ports_wait_when_all_transmit_stamps_are_missing, clean_up),
        cmocka_unit_test_teardown(sim_receiver_holds_over_when_its_link_is_down, clean_up),
        cmocka_unit_test_teardown(sim_receiver_serves_and_returns_when_segment_is_cut_unseen,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_stays_calm_when_there_is_a_burst_of_loss, clean_up),
        cmocka_unit_test_teardown(sim_receiver_gives_nobody_up_when_it_was_not_let_run, clean_up),
        cmocka_unit_test_teardown(sim_receiver_gives_up_who_goes_while_it_is_not_let_run, clean_up),
        cmocka_unit_test_teardown(sim_receiver_follows_once_when_transmitter_steps_by_1_s,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_takes_it_back_when_somebody_steps_its_clock,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_starts_from_stored_rate_when_it_is_restarted,
                                  clean_up),
        cmocka_unit_test_teardown(sim_receiver_settles_when_it_can_only_receive, clean_up),
        cmocka_unit_test_teardown(sim_receiver_waits_when_it_can_only_receive_and_nobody_serves,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
