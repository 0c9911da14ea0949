/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A grandmaster that loses its reference clock: a day of holdover with oscillators of three
 * qualities.  The published time is inside the published bound, and clockClass comes down when the
 * bound or the time says so.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

#define HOUR_S   3600.0
#define LOCKED_S (4 * HOUR_S)
#define DAY_S    (24 * HOUR_S)

enum { GM, RX };

static struct lab net;

struct oscillator {
    const char *name;
    mt_real wander;
    mt_real ageing_per_day;
    mt_real flicker_ns;
    mt_real most_us; /* what it may be off after a day, by 5 sigma of the walk and the ageing */
};
static const struct oscillator oscillators[] = {
    {"XO", 1e-9, 2e-8, 0.2, 80000},
    {"TCXO", 1e-10, 2e-9, 0.1, 8000},
    {"OCXO", 2e-12, 1e-10, 0.02, 500},
};
#define OSCILLATORS 3

/* What was seen of the grandmaster. */
static struct {
    uint8_t last_class;
    unsigned changes;
    struct {
        double at_s;
        uint8_t to;
        double bound_ns;
    } change[8];
    double in_specification_bound_ns; /* the largest while it said so */
} seen;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static void watch(struct lab *lab)
{
    if (lab->nodes[GM].composition == NULL) {
        return; /* between two lives */
    }
    const struct mt_instance *ptp = lab_instance(lab, GM, 0);
    uint8_t clock_class = ptp->config.quality.clock_class;
    double bound_ns = lab_bound_ns(lab, GM);
    if (clock_class != seen.last_class && seen.changes < 8) {
        seen.change[seen.changes].at_s = lab_seconds(lab);
        seen.change[seen.changes].to = clock_class;
        seen.change[seen.changes].bound_ns = bound_ns;
        seen.changes++;
        seen.last_class = clock_class;
    }
    if (clock_class == 7 && bound_ns > seen.in_specification_bound_ns) {
        seen.in_specification_bound_ns = bound_ns;
    }
}

static void build(uint64_t seed, const struct oscillator *oscillator, const char *keys)
{
    char text[600];
    const struct mt_sim_node_config gm = {.offset_s = 0.3,
                                          .frequency = 3e-6,
                                          .wander = oscillator->wander,
                                          .ageing_per_day = oscillator->ageing_per_day,
                                          .flicker_phase_ns = oscillator->flicker_ns,
                                          .refclock_interval_ns = 1000000000,
                                          .refclock_jitter_ns = 20};
    (void)snprintf(text, sizeof text,
                   "[clock]\n%s[refclock gps]\nunit = 2\nmax_error = 100 ns\nprecision = 0\n"
                   "[ptp eth0]\ntransmitter_only = yes\n",
                   keys);
    lab_open(&net, seed);
    lab_add(&net, "GM", &gm, text);
    net.reference = TRUE_TIME;
    net.look = watch;
    memset(&seen, 0, sizeof seen);
    lab_boot(&net, GM);
}

static void lose_reference(void)
{
    mt_world_node_config(net.world, GM)->refclock_interval_ns = 0;
}

static void print_bound(const struct oscillator *oscillator, unsigned seed)
{
    const struct mt_node_clock *clock = &net.nodes[GM].composition->node.clocks[0];
    const struct mt_steer_oscillator_memory *known = &clock->holdover.oscillator.known;
    print_message("%s seed %u: error %.1f us, bound %.1f us, walk %.2g, ageing %.2g (%.1g), "
                  "%u of %u readings outside\n",
                  oscillator->name, seed, fabs(lab_offset_ns(&net, GM, 0)) / 1e3,
                  lab_bound_ns(&net, GM) / 1e3, (double)mt_real_sqrt(known->wander),
                  (double)known->ageing * 86400, (double)known->ageing_sigma * 86400,
                  net.nodes[GM].watch.outside, net.nodes[GM].watch.readings);
}

/* A day without it: seeds 1 and 2 of one oscillator each, or all of all. */
static void sim_holdover_is_inside_its_bound_when_it_lasts_a_day(void **state)
{
    unsigned outside = 0;
    unsigned runs = 0;
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < OSCILLATORS; i++) {
            const struct oscillator *oscillator = &oscillators[i];
            if (!lab_is_long() && (seed + i) % OSCILLATORS != 0 && seed > 1) {
                continue;
            }
            build(seed, oscillator, "");
            lab_run(&net, LOCKED_S);
            lose_reference();
            lab_run(&net, 60);
            lab_forget(&net);
            lab_run(&net, DAY_S);
            print_bound(oscillator, seed);
            const struct lab_watch *watched = &net.nodes[GM].watch;
            assert_int_equal(watched->bounded, watched->readings);
            outside += watched->outside > 0;
            runs++;
            assert_true(lab_bound_ns(&net, GM) / 1e3 < 10 * oscillator->most_us);
            lab_close(&net);
        }
    }
    print_message("%u of %u runs outside\n", outside, runs);
    /* 99.9 % */
    assert_true(outside <= runs / 1000);
}

/* ---- restarts -------------------------------------------------------------------------------- */

static const struct mt_steer_oscillator *oscillator_of_gm(void)
{
    return &net.nodes[GM].composition->node.clocks[0].holdover.oscillator;
}

/* Six hours without reference; the bound at their end, us.  No reading is outside. */
static double hold_over(void)
{
    lose_reference();
    lab_run(&net, 60);
    lab_forget(&net);
    lab_run(&net, 6 * HOUR_S);
    assert_int_equal(net.nodes[GM].watch.bounded, net.nodes[GM].watch.readings);
    assert_int_equal(net.nodes[GM].watch.outside, 0);
    return lab_bound_ns(&net, GM) / 1e3;
}

static void restart(double away_s, double locked_s)
{
    lab_stop(&net, GM);
    lab_run(&net, away_s);
    lab_boot(&net, GM);
    lab_run(&net, locked_s);
}

/* Without what is remembered it would be 300 times as large.  What is learned of an oscillator in
 * hours is good for a factor of 2, so single runs differ; on average they do not. */
static void sim_bound_is_as_tight_after_a_restart_as_without(void **state)
{
    static const struct {
        double away_s;
        double locked_s;
    } restarts[] = {{2, HOUR_S / 4}, {600, HOUR_S}};
    double sum = 0;
    unsigned runs = 0;
    FOR_EACH_SEED(seed)
    {
        const struct oscillator *oscillator = &oscillators[seed % OSCILLATORS];
        build(seed, oscillator, "");
        lab_run(&net, LOCKED_S);
        double without_us = hold_over();
        lab_close(&net);
        for (unsigned i = 0; i < 2; i++) {
            build(seed, oscillator, "");
            lab_run(&net, LOCKED_S - restarts[i].locked_s);
            restart(restarts[i].away_s, restarts[i].locked_s);
            assert_int_equal(oscillator_of_gm()->memory, MT_STEER_MEMORY_BELIEVED);
            double with_us = hold_over();
            print_message("%s seed %u: %.1f us without a restart, %.1f us %.0f s after one of "
                          "%.0f s\n",
                          oscillator->name, seed, without_us, with_us, restarts[i].locked_s,
                          restarts[i].away_s);
            /* where a quarter of an hour cannot measure the frequency as well as four hours */
            bool is_coarse = i == 0 && oscillator->wander < 1e-11;
            double ratio = with_us / without_us;
            assert_true(ratio < (is_coarse ? 30 : 3));
            sum += is_coarse ? 0 : log(ratio);
            runs += is_coarse ? 0 : 1;
            lab_close(&net);
        }
    }
    assert_true(runs > 0 && exp(sum / runs) < 1.5);
}

/* Nothing of a good oscillator is believed of a bad one, wherever that is. */
static void sim_bound_is_right_when_the_oscillator_is_changed_while_nobody_looks(void **state)
{
    static const double elsewhere[] = {0, 5e-8, 2e-6};
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < 3; i++) {
            if (!lab_is_long() && (seed + i) % 3 == 0) {
                continue;
            }
            build(seed, &oscillators[2], "");
            lab_run(&net, HOUR_S);
            struct mt_sim_node_config *gm = mt_world_node_config(net.world, GM);
            gm->wander = oscillators[0].wander;
            gm->ageing_per_day = oscillators[0].ageing_per_day;
            gm->flicker_phase_ns = oscillators[0].flicker_ns;
            gm->frequency += elsewhere[i];
            restart(60, HOUR_S / 4);
            const struct mt_steer_oscillator *oscillator = oscillator_of_gm();
            enum mt_steer_memory_state memory = oscillator->memory;
            double walk = (double)mt_real_sqrt(oscillator->known.wander);
            double bound_us = hold_over();
            print_message("seed %u: another one, %.0e off: memory %d, walk %.2g; %.1f us\n", seed,
                          elsewhere[i], (int)memory, walk, bound_us);
            assert_int_equal(memory, MT_STEER_MEMORY_REFUTED);
            lab_close(&net);
        }
    }
}

/* ---- clockClass ------------------------------------------------------------------------------ */

static void assert_change(unsigned index, uint8_t to)
{
    if (seen.changes <= index) {
        fail_msg("clockClass has changed %u times only", seen.changes);
    }
    assert_int_equal(seen.change[index].to, to);
}

/* 6 when it is locked, 7 when the silence is noticed, 187 when the bound is what it may be at most:
 * within the half second at which it is judged. */
static void sim_class_comes_down_when_the_bound_has_grown(void **state)
{
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < OSCILLATORS; i++) {
            if (!lab_is_long() && (seed + i) % OSCILLATORS != 0) {
                continue;
            }
            build(seed, &oscillators[i], "holdover_accuracy = 20us\n");
            lab_run(&net, HOUR_S);
            assert_change(1, 6); /* after the 248 of the start */
            assert_int_equal(seen.changes, 2);
            lose_reference();
            double lost_s = lab_seconds(&net);
            lab_run(&net, DAY_S);
            assert_change(2, 7);
            assert_in_range(seen.change[2].at_s - lost_s, 1, 10);
            assert_change(3, 187);
            assert_int_equal(seen.changes, 4);
            assert_true(seen.change[3].bound_ns > 20000 && seen.change[3].bound_ns < 20200);
            assert_true(seen.in_specification_bound_ns > 19800);
            assert_true(seen.in_specification_bound_ns < 20100);
            print_message("%s seed %u: in specification for %.0f s\n", oscillators[i].name, seed,
                          seen.change[3].at_s - seen.change[2].at_s);
            lab_close(&net);
        }
    }
}

/* ... or when it has lasted as long as it may; degradation alternative A. */
static void sim_class_comes_down_when_holdover_has_lasted_too_long(void **state)
{
    FOR_EACH_SEED(seed)
    {
        build(seed, &oscillators[1],
              "holdover_accuracy = 10s\nholdover_limit = 2h\n[instance main]\n"
              "degraded_class = 52\n");
        lab_run(&net, HOUR_S);
        lose_reference();
        lab_run(&net, 3 * HOUR_S);
        assert_change(3, 52);
        double lasted_s = seen.change[3].at_s - seen.change[2].at_s;
        assert_true(lasted_s > 2 * HOUR_S - 1 && lasted_s < 2 * HOUR_S + 1);
        mt_world_node_config(net.world, GM)->refclock_interval_ns = 1000000000;
        lab_stop(&net, GM); /* its receiver has nothing to wake it: begun anew */
        lab_boot(&net, GM);
        lab_run(&net, 60);
        assert_int_equal(lab_instance(&net, GM, 0)->config.quality.clock_class, 6);
        lab_close(&net);
    }
}

/* ---- temperature ----------------------------------------------------------------------------- */

/* A room that is heated by day: up and down by 3 K within two hours, then without reference. */
static double error_after_hours(unsigned seed, const char *keys, bool *ret_is_bounded)
{
    const struct oscillator *oscillator = &oscillators[1];
    build(seed, oscillator, keys);
    mt_world_node_config(net.world, GM)->temperature_coefficient = 5e-8;
    for (int half = 0; half < 12; half++) {
        mt_world_set_temperature(net.world, GM, half % 2 == 0 ? 3 : -3, 3600 * INT64_C(1000000000));
        if (half == 8) {
            lose_reference();
            lab_run(&net, 60);
            lab_forget(&net);
        }
        lab_run(&net, half == 11 ? HOUR_S / 2 : HOUR_S);
    }
    *ret_is_bounded = lab_is_bounded(&net, GM);
    return net.nodes[GM].watch.max_ns;
}

static void sim_holdover_errs_half_as_much_when_there_is_a_thermometer(void **state)
{
    FOR_EACH_SEED(seed)
    {
        bool is_bounded;
        double without_ns = error_after_hours(seed, "", &is_bounded);
        assert_true(is_bounded);
        lab_close(&net);
        double with_ns = error_after_hours(seed, "temperature = /sensor\n", &is_bounded);
        const struct mt_steer_oscillator_memory *known =
            &net.nodes[GM].composition->node.clocks[0].holdover.oscillator.known;
        print_message("seed %u: %.1f us without, %.1f us with; %.3g / K\n", seed, without_ns / 1e3,
                      with_ns / 1e3, (double)known->coefficient);
        assert_true(known->uses_temperature);
        assert_true(known->coefficient > 4e-8 && known->coefficient < 6e-8);
        assert_true(is_bounded);
        assert_true(with_ns < without_ns / 2);
        lab_close(&net);
    }
}

/* ---- a boundary clock of G.8275 -------------------------------------------------------------- */

static void add_telecom(const char *name, const char *keys, unsigned ports)
{
    char text[900];
    const struct mt_sim_node_config config = {
        .offset_s = 0.1, .frequency = 2e-6, .wander = 1e-10, .tx_stamp_delay_ns = 20000};
    (void)snprintf(text, sizeof text,
                   "[clock]\nholdover_accuracy = 30us\n[instance main]\nprofile = G.8275.1\n%s"
                   "[ptp eth0]\n%s",
                   keys, ports > 1 ? "[ptp eth1]\n" : "");
    lab_add(&net, name, &config, text);
}

/* 135 in holdover, 165 beyond it; then it follows a grandmaster that is worse than 135. */
static void sim_boundary_clock_says_135_then_165_when_it_has_lost_its_grandmaster(void **state)
{
    enum { BEST, BC, END, SPARE };
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 200, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 5};
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        add_telecom("BEST", "clock_class = 6\nclock_accuracy = 100ns\ntime_traceable = yes\n", 1);
        add_telecom("BC", "", 2);
        add_telecom("END", "", 1);
        add_telecom("SPARE", "clock_class = 150\n", 1);
        uint32_t hub = lab_cable(&net, &cable, BEST, "eth0", BC, "eth0");
        assert_true(mt_world_join(net.world, hub, SPARE, "eth0"));
        lab_cable(&net, &cable, BC, "eth1", END, "eth0");
        net.reference = BEST;
        for (uint32_t node = BEST; node <= SPARE; node++) {
            if (node != SPARE) {
                lab_boot(&net, node);
            }
        }
        lab_run(&net, 100);
        const struct mt_instance *bc = lab_instance(&net, BC, 0);
        const struct mt_instance *end = lab_instance(&net, END, 0);
        assert_int_equal(bc->config.quality.clock_class, 248);
        assert_int_equal(end->parent.quality.clock_class, 6);
        lab_kill(&net, BEST);
        lab_run(&net, 5);
        assert_int_equal(end->parent.quality.clock_class, 135);
        assert_int_equal(end->parent.quality.accuracy, 0xFE);
        assert_true((end->time.flags & MT_PTP_TIME_TRACEABLE) != 0);
        lab_boot(&net, SPARE); /* worse than a clock within its specification ... */
        lab_run(&net, 10);
        assert_int_equal(mt_instance_receiving_port(bc), 0);
        assert_int_equal(end->parent.quality.clock_class, 135);
        lab_run(&net, 120); /* ... but not than one beyond it */
        assert_int_equal(net.nodes[BC].composition->node.clocks[0].holdover.entered[4], 1);
        assert_int_equal(mt_instance_receiving_port(bc), 1);
        assert_int_equal(end->parent.quality.clock_class, 150);
        assert_int_equal(bc->config.quality.clock_class, 248);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_holdover_is_inside_its_bound_when_it_lasts_a_day, clean_up),
        cmocka_unit_test_teardown(sim_bound_is_as_tight_after_a_restart_as_without, clean_up),
        cmocka_unit_test_teardown(
            sim_bound_is_right_when_the_oscillator_is_changed_while_nobody_looks, clean_up),
        cmocka_unit_test_teardown(sim_class_comes_down_when_the_bound_has_grown, clean_up),
        cmocka_unit_test_teardown(sim_class_comes_down_when_holdover_has_lasted_too_long, clean_up),
        cmocka_unit_test_teardown(sim_holdover_errs_half_as_much_when_there_is_a_thermometer,
                                  clean_up),
        cmocka_unit_test_teardown(
            sim_boundary_clock_says_135_then_165_when_it_has_lost_its_grandmaster, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
