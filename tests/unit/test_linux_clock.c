/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The overlay clock and the lab clock.
 */
#include "linux_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "platform/linux/linux_mapping.h"
#include "platform/linux/linux_oscillator.h"

static const struct mt_clock_request overlay_request = {
    .kind = MT_CLOCK_OVERLAY, .name = "o", .tai_utc_known = true, .tai_minus_utc_s = 37};

/* ---- overlay ----------------------------------------------------------------------------- */

static void overlay_starts_at_the_base_plus_tai_utc(void **state)
{
    struct machine machine;
    struct mt_clock_request request = overlay_request;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&request, &machine.os);
    assert_int_equal(clock->scale, MT_SCALE_TAI);
    assert_int_equal(local_ns(clock), NOON + 37 * SECOND);
    free(clock);
    request.tai_utc_known = false;
    clock = mt_clock_overlay_new(&request, &machine.os);
    assert_int_equal(clock->scale, MT_SCALE_ARB);
    assert_int_equal(local_ns(clock), NOON);
    free(clock);
    assert_int_equal(machine.changes, 0);
}

/* what the clock must read, kept beside it in one running sum */
struct expectation {
    mt_q32 value;
    int64_t rate_q64;
    int64_t base_ns;
};

static void advance_to(struct expectation *self, int64_t base_ns)
{
    mt_q32 elapsed = mt_q32_from_ns(base_ns - self->base_ns);

    self->value += elapsed + ((mt_q32)(base_ns - self->base_ns) * self->rate_q64 >> 32);
    self->base_ns = base_ns;
}

static void expect_reading(struct mt_hal_clock *clock, const struct expectation *expected,
                           uint32_t corrections)
{
    struct mt_clock_reading reading = read_clock(clock);
    struct mt_instant at = mt_q32_to_instant(expected->value, MT_SCALE_TAI);

    assert_int_equal(mt_instant_compare(reading.local.at, at), 0);
    assert_int_equal(reading.local.corrections, corrections);
    assert_int_equal(reading.rate_q64, expected->rate_q64);
}

static void overlay_is_exact_when_corrected_at_random(void **state)
{
    struct machine machine;
    struct mt_prng prng;
    struct expectation expected = {.base_ns = NOON, .value = mt_q32_from_ns(NOON + 37 * SECOND)};
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    mt_prng_init(&prng, 2);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (uint32_t i = 1; i <= 10000; i++) {
        mt_real rate = ((mt_real)mt_prng_next_u32(&prng) - 2147483648.0) / 1e13;
        int64_t step_ns = mt_prng_interval_ns(&prng, 200) - 100;
        struct mt_applied applied;

        machine_pass(&machine, mt_prng_interval_ns(&prng, SECOND));
        advance_to(&expected, machine.realtime_ns);
        if (i % 3 == 0) {
            expected.value += mt_q32_from_ns(step_ns);
            applied = step(clock, step_ns);
            assert_int_equal(mt_span_to_ns(applied.step), step_ns);
        } else {
            applied = set_rate(clock, rate);
            assert_true(applied.rate == mt_rate_from_q64(mt_rate_to_q64(rate, 1)));
            expected.rate_q64 = mt_rate_to_q64(rate, 1);
        }
        assert_false(applied.is_refused);
        assert_int_equal(applied.corrections, i);
        assert_int_equal(
            mt_instant_compare(applied.at, mt_q32_to_instant(expected.value, MT_SCALE_TAI)), 0);
        expect_reading(clock, &expected, i);
    }
    free(clock);
}

static void overlay_stamps_the_past_when_it_was_corrected_since(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_stamp before[16];

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (int i = 0; i < 16; i++) {
        machine_pass(&machine, 100 * MS);
        before[i] = stamp(clock, machine.realtime_ns);
        machine_pass(&machine, 25 * MS);
        if (i % 2) {
            set_rate(clock, 1e-4 * i);
        } else {
            step(clock, -i * SECOND);
        }
    }
    for (int i = 0; i < 16; i++) {
        struct mt_stamp again = stamp(clock, NOON + i * 125 * MS + 100 * MS);

        assert_int_equal(again.corrections, i);
        assert_int_equal(mt_instant_compare(again.at, before[i].at), 0);
    }
    free(clock);
}

static void overlay_changes_its_scale_when_stepped_to_another(void **state)
{
    struct machine machine;
    struct mt_clock_request request = overlay_request;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    request.tai_utc_known = false;
    clock = mt_clock_overlay_new(&request, &machine.os);
    assert_true(clock->adopts_scale);
    step(clock, 37 * SECOND);
    assert_int_equal(clock->scale, MT_SCALE_TAI);
    assert_int_equal(read_clock(clock).local.at.scale, MT_SCALE_TAI);
    machine_pass(&machine, SECOND);
    assert_int_equal(stamp(clock, NOON - SECOND).at.scale, MT_SCALE_ARB);
    free(clock);
}

static void overlay_takes_a_step_when_it_is_half_a_century(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.realtime_ns = 12 * SECOND; /* a board without a battery */
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    set_rate(clock, 1e-3);
    step(clock, NOON);
    assert_int_equal(local_ns(clock), NOON + 49 * SECOND);
    machine_pass(&machine, SECOND);
    assert_int_equal(local_ns(clock), NOON + 50 * SECOND + MS);
    free(clock);
}

/* the clock goes on as if nothing had happened, for stamps from both sides of the step */
static void expect_floating(int64_t step_ns)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;
    int64_t before_ns;

    machine_init(&machine);
    machine.cost_ns = 20;
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    set_rate(clock, 5e-5);
    machine_pass(&machine, 100 * MS);
    assert_false(clock->ops->disturbed(clock, &applied));
    before_ns = local_ns(clock);
    machine.realtime_ns += step_ns;
    assert_between(local_ns(clock) - before_ns, 0, 2000);
    before_ns = local_ns(clock);
    machine_pass(&machine, MS);
    assert_between(local_ns(clock) - before_ns, MS, MS + 2000);
    /* a packet that arrived before the step, as the base counted then */
    assert_between(mt_instant_to_ns(stamp(clock, machine.realtime_ns - step_ns - 2 * MS).at) -
                       before_ns,
                   -2 * MS, MS);
    assert_int_equal(stamp(clock, machine.realtime_ns).corrections, 1);
    assert_false(clock->ops->disturbed(clock, &applied));
    free(clock);
}

static void overlay_floats_when_the_base_is_stepped(void **state)
{
    (void)state;
    expect_floating(3600 * SECOND);
    expect_floating(-3600 * SECOND);
    expect_floating(SECOND);
    expect_floating(-SECOND);
    expect_floating(250 * MS);
    expect_floating(-250 * MS);
    expect_floating(MS / 10);
    expect_floating(-MS / 10);
}

/* the base is read exactly, so every nanosecond counts */
static void overlay_stamps_are_right_when_the_base_is_stepped_by_little(void **state)
{
    static const int64_t sizes_ns[] = {1, -1, 100, -100, 100000, -100000, 999999, -999999};
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (size_t i = 0; i < sizeof sizes_ns / sizeof sizes_ns[0]; i++) {
        machine.realtime_ns += sizes_ns[i];
        machine_pass(&machine, SECOND);
        assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
        assert_int_equal(local_ns(clock), NOON + ((int64_t)i + 38) * SECOND);
    }
    free(clock);
}

/* smaller than what can be seen: then the window says so */
static void overlay_window_covers_steps_that_cannot_be_seen(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t largest_ns = 0;

    (void)state;
    machine_init(&machine);
    machine.cost_ns = 20;
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (int64_t size_ns = -200; size_ns <= 200; size_ns++) {
        struct mt_clock_reading reading;
        int64_t truth_ns;
        int64_t error_ns;

        machine_pass(&machine, MS);
        machine.realtime_ns += size_ns;
        reading = read_clock(clock);
        truth_ns = mt_instant_to_ns(reading.local.at) + machine.boottime_ns - reading.base.ns;
        error_ns = mt_instant_to_ns(stamp(clock, machine.realtime_ns).at) - truth_ns;
        error_ns = error_ns < 0 ? -error_ns : error_ns;
        largest_ns = error_ns > largest_ns ? error_ns : largest_ns;
        assert_between(error_ns, 0, reading.window_ns);
        assert_between(reading.window_ns, 1, 100);
    }
    assert_true(largest_ns > 0);
    free(clock);
}

static void overlay_counts_the_time_that_the_machine_slept(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    set_rate(clock, 1e-3);
    machine_pass(&machine, SECOND);
    machine_sleep(&machine, 3600 * SECOND);
    assert_false(clock->ops->disturbed(clock, &applied));
    assert_between(local_ns(clock) - (NOON + 3638 * SECOND), 3601 * MS - 1, 3601 * MS);
    assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
    free(clock);
}

/* what readers of the page know: the base that it names, now */
static void overlay_page_stays_right_when_the_base_is_stepped(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_clock_reading page;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    assert_int_equal(clock->base, MT_BASE_BOOTTIME);
    step(clock, 5 * SECOND);
    page = read_clock(clock);
    machine_pass(&machine, SECOND);
    machine.realtime_ns += SECOND;
    assert_int_equal(mt_instant_to_ns(page.local.at) + machine.boottime_ns - page.base.ns,
                     local_ns(clock));
    free(clock);
}

static void overlay_floats_when_the_base_is_stepped_again(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_prng prng;
    int64_t start_ns;

    (void)state;
    machine_init(&machine);
    mt_prng_init(&prng, 4);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    start_ns = local_ns(clock);
    for (int i = 1; i <= 1000; i++) {
        int64_t size_ns = SECOND + mt_prng_interval_ns(&prng, 50 * SECOND);
        int64_t before_ns;

        machine_pass(&machine, 100 * MS);
        before_ns = machine.realtime_ns;
        machine.realtime_ns += mt_prng_below(&prng, 2) ? size_ns : -size_ns;
        assert_int_equal(local_ns(clock) - start_ns, i * 100 * MS);
        assert_int_equal(mt_instant_to_ns(stamp(clock, before_ns).at) - start_ns, i * 100 * MS);
    }
    free(clock);
}

/* a simulator whose REALTIME is slewed by 500 ppm, and whose other clock is not */
static void overlay_stays_when_the_clocks_run_apart(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t before_ns;

    (void)state;
    machine_init(&machine);
    machine.os.runs_apart = true;
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    assert_int_equal(clock->base, MT_BASE_MONOTONIC);
    before_ns = local_ns(clock);
    for (int i = 0; i < 100; i++) {
        machine_pass(&machine, 500 * MS);
        machine.realtime_ns += MS / 4;
        assert_int_equal(local_ns(clock), before_ns + (i + 1) * 500 * MS);
        assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
    }
    free(clock);
}

static int64_t torn_boottime(void *context)
{
    struct machine *self = context;

    machine_pass(self, 150 * MS); /* the scheduler takes us away at the worst moment, every time */
    return self->boottime_ns;
}

static void overlay_sees_no_step_when_readings_are_torn(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;
    int64_t (*whole_boottime)(void *);
    int64_t before_ns;
    int64_t start_ns;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    before_ns = local_ns(clock);
    start_ns = machine.boottime_ns;
    whole_boottime = machine.os.boottime_ns;
    machine.os.boottime_ns = torn_boottime;
    for (int i = 0; i < 10; i++) {
        assert_false(clock->ops->disturbed(clock, &applied));
    }
    assert_true(read_clock(clock).window_ns >= 150 * MS);
    machine.os.boottime_ns = whole_boottime;
    assert_int_equal(local_ns(clock) - before_ns, machine.boottime_ns - start_ns);
    assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
    free(clock);
}

/* the clock against the base, from a stamp that the kernel makes now */
static int64_t stamped_ahead_ns(struct machine *machine, struct mt_hal_clock *clock)
{
    int64_t boottime_ns = machine->boottime_ns;

    return mt_instant_to_ns(stamp(clock, machine->realtime_ns).at) - boottime_ns;
}

/* a virtual machine without a fast counter: each reading of a clock takes 11 us or more */
static void overlay_floats_when_reading_is_slow(void **state)
{
    static const int64_t costs_ns[] = {9000, 11000, 30000, 200000};

    (void)state;
    for (size_t i = 0; i < sizeof costs_ns / sizeof costs_ns[0]; i++) {
        struct machine machine;
        struct mt_hal_clock *clock;
        int64_t most_ns = 2 * costs_ns[i];
        int64_t start_ns;

        machine_init(&machine);
        machine.cost_ns = costs_ns[i];
        clock = mt_clock_overlay_new(&overlay_request, &machine.os);
        start_ns = stamped_ahead_ns(&machine, clock);
        machine_pass(&machine, 10000 * SECOND); /* longer than the steps are */
        (void)read_clock(clock);
        for (int j = 0; j < 20; j++) {
            int64_t boottime_ns = machine.boottime_ns;
            int64_t realtime_ns = machine.realtime_ns;
            int64_t error_ns;

            machine.realtime_ns += (j % 2 ? -3600 : 3600) * SECOND;
            error_ns = stamped_ahead_ns(&machine, clock) - start_ns;
            assert_between(error_ns, -most_ns, most_ns);
            error_ns = mt_instant_to_ns(stamp(clock, realtime_ns).at) - boottime_ns - start_ns;
            assert_between(error_ns, -most_ns, most_ns);
            machine_pass(&machine, 500 * MS);
            assert_between(read_clock(clock).window_ns, costs_ns[i], most_ns);
        }
        free(clock);
    }
}

static void overlay_stamps_are_right_when_one_slow_look_follows_a_step(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t realtime_ns;
    int64_t right_ns;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    machine_pass(&machine, SECOND);
    right_ns = local_ns(clock);
    machine.realtime_ns += 3600 * SECOND;
    realtime_ns = machine.realtime_ns;
    machine.cost_ns = 12000;
    assert_between(mt_instant_to_ns(stamp(clock, realtime_ns).at) - right_ns, -12000, 12000);
    machine.cost_ns = 0;
    assert_int_equal(mt_instant_to_ns(stamp(clock, realtime_ns).at), right_ns);
    free(clock);
}

/* A wide look may hide a small step, which the next one finds: what was stamped after it is not
 * taken for older because of that. */
static void overlay_stamps_are_right_when_a_slow_look_hid_a_step(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t realtime_ns;
    int64_t right_ns;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    machine_pass(&machine, SECOND);
    right_ns = local_ns(clock);
    machine.realtime_ns += 30000;
    realtime_ns = machine.realtime_ns;
    machine_pass(&machine, MS);
    machine.cost_ns = 50000;
    (void)read_clock(clock);
    machine.cost_ns = 0;
    machine_pass(&machine, MS);
    assert_int_equal(mt_instant_to_ns(stamp(clock, realtime_ns).at), right_ns);
    free(clock);
}

/* ---- lab --------------------------------------------------------------------------------- */

static const struct mt_clock_request lab_request = {
    .kind = MT_CLOCK_LAB,
    .name = "l",
    .tai_utc_known = true,
    .tai_minus_utc_s = 37,
    .lab_offset_s = 0.25,
    .lab_frequency = 40e-6,
    .lab_seed = 7,
};

static void lab_has_the_offset_and_frequency_that_were_asked_for(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&lab_request, &machine.os);
    assert_int_equal(local_ns(clock), NOON + 37 * SECOND + 250 * MS);
    machine_pass(&machine, 100 * SECOND);
    assert_between(local_ns(clock) - (NOON + 137 * SECOND + 250 * MS), 3999999, 4000001);
    set_rate(clock, -39.9984000639974e-6); /* 1 / (1 + 40 ppm) - 1 */
    assert_between(read_clock(clock).rate_q64, -1000000, 1000000);
    free(clock);
}

static void lab_walks_the_same_way_however_often_it_is_read(void **state)
{
    struct machine often_machine;
    struct machine seldom_machine;
    struct mt_clock_request request = lab_request;
    struct mt_hal_clock *often;
    struct mt_hal_clock *seldom;
    struct mt_hal_clock *other;

    (void)state;
    request.lab_wander = 1e-7;
    machine_init(&often_machine);
    machine_init(&seldom_machine);
    often = mt_clock_overlay_new(&request, &often_machine.os);
    seldom = mt_clock_overlay_new(&request, &seldom_machine.os);
    request.lab_seed = 8;
    other = mt_clock_overlay_new(&request, &seldom_machine.os);
    for (int i = 0; i < 3000; i++) {
        machine_pass(&often_machine, 7 * MS);
        (void)local_ns(often);
    }
    machine_pass(&seldom_machine, 21 * SECOND);
    assert_int_equal(local_ns(often), local_ns(seldom));
    assert_int_not_equal(local_ns(other), local_ns(seldom));
    assert_int_not_equal(read_clock(often).rate_q64, mt_rate_to_q64(40e-6, 1));
    free(often);
    free(seldom);
    free(other);
}

static void lab_stamps_the_past_exactly_when_the_frequency_has_walked(void **state)
{
    struct machine machine;
    struct mt_clock_request request = lab_request;
    struct mt_hal_clock *clock;
    struct mt_instant then[40];

    (void)state;
    request.lab_wander = 1e-6;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&request, &machine.os);
    for (int i = 0; i < 40; i++) {
        then[i] = read_clock(clock).local.at;
        machine_pass(&machine, 50 * MS);
    }
    (void)read_clock(clock);
    for (int i = 0; i < 40; i++) {
        struct mt_instant again = stamp(clock, NOON + i * 50 * MS).at;

        assert_int_equal(mt_instant_compare(again, then[i]), 0);
    }
    free(clock);
}

/* 400 independent walks of 1 s: the frequency's standard deviation is the wander */
static void oscillator_wanders_as_much_as_was_asked_for(void **state)
{
    mt_real sum = 0;
    mt_real variance;

    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct mt_oscillator oscillator;
        mt_real walked;

        mt_oscillator_init(&oscillator, 0, 0, 0, 1e-8, seed);
        (void)mt_oscillator_value(&oscillator, mt_q32_from_ns(SECOND));
        walked = mt_rate_from_q64(mt_oscillator_rate_q64(&oscillator));
        sum += walked * walked;
    }
    variance = sum / 400;
    assert_true(variance > 0.75e-16 && variance < 1.3e-16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlay_starts_at_the_base_plus_tai_utc),
        cmocka_unit_test(overlay_is_exact_when_corrected_at_random),
        cmocka_unit_test(overlay_stamps_the_past_when_it_was_corrected_since),
        cmocka_unit_test(overlay_changes_its_scale_when_stepped_to_another),
        cmocka_unit_test(overlay_takes_a_step_when_it_is_half_a_century),
        cmocka_unit_test(overlay_floats_when_the_base_is_stepped),
        cmocka_unit_test(overlay_floats_when_the_base_is_stepped_again),
        cmocka_unit_test(overlay_stamps_are_right_when_the_base_is_stepped_by_little),
        cmocka_unit_test(overlay_window_covers_steps_that_cannot_be_seen),
        cmocka_unit_test(overlay_counts_the_time_that_the_machine_slept),
        cmocka_unit_test(overlay_page_stays_right_when_the_base_is_stepped),
        cmocka_unit_test(overlay_stays_when_the_clocks_run_apart),
        cmocka_unit_test(overlay_sees_no_step_when_readings_are_torn),
        cmocka_unit_test(overlay_floats_when_reading_is_slow),
        cmocka_unit_test(overlay_stamps_are_right_when_one_slow_look_follows_a_step),
        cmocka_unit_test(overlay_stamps_are_right_when_a_slow_look_hid_a_step),
        cmocka_unit_test(lab_has_the_offset_and_frequency_that_were_asked_for),
        cmocka_unit_test(lab_walks_the_same_way_however_often_it_is_read),
        cmocka_unit_test(lab_stamps_the_past_exactly_when_the_frequency_has_walked),
        cmocka_unit_test(oscillator_wanders_as_much_as_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
