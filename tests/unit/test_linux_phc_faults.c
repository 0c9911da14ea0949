/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hardware clock that is kept right, over a device that has the faults of real ones: stamps that
 * come late or not at all, readings that take 100 us longer, a counter that begins again at zero, a
 * program that adjusts it as well.  The machine's time is the truth; whatever happens, the clock is
 * within what its discipline claims, and comes back.
 */
#include "linux_device.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/steer.h"

#define EVERY_NS (125 * MS)
#define TAI_UTC  (37 * SECOND)
#define LATE     4 /* stamps that may be under way */
#define INDEX    3 /* of /dev/ptp3 */

static const struct mt_clock_request request = {
    .kind = MT_CLOCK_PHC, .name = "p", .tai_utc_known = true, .tai_minus_utc_s = 37};

struct stamped {
    int64_t device_ns;
    int64_t true_ns;
    uint16_t counter;
};

struct bench {
    struct machine machine;
    struct device device;
    struct mt_phc *phc;
    struct mt_hal_clock *clock;
    struct mt_discipline discipline;
    struct mt_discipline_source sources[1];
    struct stamped late[LATE];
    unsigned lateness; /* of four stamps one comes so many turns later */
    unsigned lost_of_4;
    unsigned turn;
    uint32_t disturbed;
    int64_t now_ns;
};

static struct bench *bench_new(double error)
{
    struct bench *self = calloc(1, sizeof *self);
    struct mt_steer_config steer;
    struct mt_clock_reading reading;

    assert_non_null(self);
    machine_init(&self->machine);
    device_init(&self->device, &self->machine);
    self->device.error = error;
    self->device.ns += 20 * MS;
    self->phc = mt_phc_new(INDEX, &self->device.os, &self->machine.os);
    self->clock = mt_clock_phc_new(&request, self->phc, &self->machine.os);
    mt_steer_config_init(&steer);
    steer.max_rate = self->clock->max_rate;
    steer.granularity_ns = self->clock->granularity_ns;
    steer.adopts_scale = self->clock->adopts_scale;
    self->clock->ops->read(self->clock, &reading);
    mt_discipline_init(&self->discipline, &steer, self->sources, 1, self->clock->scale,
                       reading.local.corrections, 0, false);
    mt_discipline_reset_source(&self->discipline, 0);
    mt_discipline_select(&self->discipline, 0, (struct mt_mono){0});
    return self;
}

static void bench_free(struct bench *self)
{
    mt_phc_free(self->phc);
    free(self->clock);
    free(self);
}

static void correct(struct bench *self)
{
    struct mt_applied applied;
    struct mt_correction correction;

    while (self->clock->ops->disturbed(self->clock, &applied)) {
        self->disturbed++;
        mt_discipline_applied(&self->discipline, &applied);
    }
    while (mt_discipline_next_correction(&self->discipline, &correction)) {
        self->clock->ops->apply(self->clock, &correction, &applied);
        mt_discipline_applied(&self->discipline, &applied);
    }
}

static void take_sample(struct bench *self, const struct stamped *stamped)
{
    struct mt_sample sample = {.kind = MT_SAMPLE_OFFSET,
                               .scale = MT_SCALE_TAI,
                               .bound = mt_interval_from_ns(50),
                               .reference_bound = mt_interval_from_ns(50)};
    struct mt_stamp at;

    self->clock->ops->stamp(
        self->clock, (struct mt_base_time){.ns = stamped->device_ns, .counter = stamped->counter},
        &at);
    sample.local = at;
    sample.value = mt_span_from_ns(mt_instant_to_ns(at.at) - stamped->true_ns);
    mt_discipline_sample(&self->discipline, &sample, (struct mt_mono){self->now_ns});
}

static int64_t error_ns(const struct bench *self)
{
    return self->device.ns - (self->machine.realtime_ns + TAI_UTC);
}

/* What the discipline says of the clock, and what is true. */
static void check_bound(struct bench *self)
{
    struct mt_clock_quality_report report;
    struct mt_clock_reading reading;

    self->clock->ops->read(self->clock, &reading);
    mt_discipline_report(&self->discipline, reading.local.at, &report);
    if (self->discipline.phase == MT_STEER_LOCKED && !mt_interval_is_too_large(report.bound)) {
        int64_t bound_ns = mt_interval_to_ns(report.bound) + reading.window_ns;

        assert_between(error_ns(self), -bound_ns, bound_ns);
    }
}

static void run(struct bench *self, int64_t ns)
{
    for (int64_t i = 0; i < ns; i += EVERY_NS) {
        struct stamped *place = &self->late[self->turn % LATE];
        unsigned due = (self->turn + LATE - self->lateness) % LATE;

        device_pass(&self->device, EVERY_NS);
        self->now_ns += EVERY_NS;
        mt_phc_look(self->phc);
        *place = (struct stamped){self->device.ns, self->machine.realtime_ns + TAI_UTC,
                                  mt_counter_of_phc(INDEX)};
        correct(self); /* may come between stamp and sample */
        if (self->turn % 4 >= self->lost_of_4) {
            take_sample(self, place);
        }
        if (self->turn % 4 == 0 && self->turn >= self->lateness && self->lateness > 0) {
            take_sample(self, &self->late[due]);
        }
        self->turn++;
        mt_discipline_tick(&self->discipline, (struct mt_mono){self->now_ns});
        correct(self);
        check_bound(self);
    }
}

static struct bench *locked(void)
{
    struct bench *self = bench_new(30e-6);

    run(self, 20 * SECOND);
    assert_int_equal(self->discipline.phase, MT_STEER_LOCKED);
    assert_between(error_ns(self), -20, 20);
    return self;
}

static void phc_stays_right_when_stamps_come_late(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->lateness = 3; /* across corrections, and a step */
    run(bench, 20 * SECOND);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
    bench = bench_new(30e-6);
    bench->lateness = 3;
    run(bench, 30 * SECOND);
    assert_int_equal(bench->discipline.phase, MT_STEER_LOCKED);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

static void phc_stays_right_when_most_stamps_are_lost(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->lost_of_4 = 3;
    run(bench, 60 * SECOND);
    assert_int_equal(bench->discipline.phase, MT_STEER_LOCKED);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

static void phc_stays_right_when_readings_have_spikes_of_100_us(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->device.spike_ns = 100000;
    for (unsigned i = 0; i < 20; i++) {
        bench->device.calm_sample = i % MT_PHC_SAMPLES;
        run(bench, SECOND);
    }
    assert_int_equal(bench->disturbed, 0);
    assert_between(error_ns(bench), -30, 30);
    bench->device.calm_sample = MT_PHC_SAMPLES; /* in all of them */
    run(bench, 10 * SECOND);
    assert_int_equal(bench->disturbed, 0);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

static void phc_comes_back_when_it_begins_again_at_zero(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->device.ns = 1000; /* a firmware that was reset, and its frequency with it */
    bench->device.freq = 0;
    run(bench, 5 * SECOND);
    assert_in_range(bench->disturbed, 1, 3);
    run(bench, 25 * SECOND);
    assert_int_equal(bench->discipline.phase, MT_STEER_LOCKED);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

/* Its interface was set up anew, say: the driver sets the time, and forgets the frequency that it
 * says it has. */
static void phc_keeps_its_rate_when_its_card_was_reset(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->lost_of_4 = 4;
    mt_discipline_select(&bench->discipline, MT_SOURCE_NONE, (struct mt_mono){bench->now_ns});
    run(bench, 5 * SECOND);
    bench->device.ns += 300000;
    bench->device.has_forgotten = true;
    run(bench, 20 * SECOND);
    assert_in_range(bench->disturbed, 1, 3);
    assert_between(error_ns(bench) - 300000, -15000, 15000);
    bench_free(bench);
}

static void phc_comes_back_when_its_driver_was_loaded_anew(void **state)
{
    struct bench *bench = locked();

    (void)state;
    bench->device.is_gone = true;
    bench->lost_of_4 = 4;
    run(bench, 5 * SECOND);
    assert_int_equal(bench->discipline.phase, MT_STEER_HOLDOVER);
    assert_int_equal(bench->device.opened, 0); /* or the next one would get another number */
    assert_true(read_clock(bench->clock).window_ns < 5000);
    bench->device.is_gone = false;
    bench->device.loaded++;
    bench->device.ns = 1000;
    bench->device.freq = 0;
    struct mt_applied applied;
    device_pass(&bench->device, 1100 * MS);
    bench->now_ns += 1100 * MS;
    assert_false(bench->clock->ops->disturbed(bench->clock, &applied)); /* it is found by that */
    run(bench, 500 * MS);
    assert_int_equal(bench->device.opened, 1);
    assert_int_equal(bench->disturbed, 0); /* it was nobody, and is set as it was */
    assert_true(bench->device.freq != 0);
    int64_t window_ns = read_clock(bench->clock).window_ns;
    assert_in_range(window_ns, 1, 100000);
    assert_between(error_ns(bench), -window_ns - 2000, window_ns + 2000);
    struct mt_stamp late; /* of a packet that came before it was set */
    bench->clock->ops->stamp(bench->clock,
                             (struct mt_base_time){.ns = 1000, .counter = mt_counter_of_phc(INDEX)},
                             &late);
    assert_between(mt_instant_to_ns(late.at) - local_ns(bench->clock), -5 * SECOND, 0);
    bench->lost_of_4 = 0;
    run(bench, 25 * SECOND);
    assert_int_equal(bench->discipline.phase, MT_STEER_LOCKED);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

static void phc_stays_right_when_somebody_else_adjusts_it(void **state)
{
    struct bench *bench = locked();

    (void)state;
    for (int i = 0; i < 10; i++) {
        bench->device.ns += i % 2 == 0 ? 300000 : -70000;
        run(bench, 3 * SECOND);
        bench->device.freq += 65536; /* 1 ppm */
        run(bench, 3 * SECOND);
    }
    assert_in_range(bench->disturbed, 20, 24);
    run(bench, 10 * SECOND);
    assert_between(error_ns(bench), -30, 30);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phc_stays_right_when_stamps_come_late),
        cmocka_unit_test(phc_stays_right_when_most_stamps_are_lost),
        cmocka_unit_test(phc_stays_right_when_readings_have_spikes_of_100_us),
        cmocka_unit_test(phc_comes_back_when_it_begins_again_at_zero),
        cmocka_unit_test(phc_keeps_its_rate_when_its_card_was_reset),
        cmocka_unit_test(phc_comes_back_when_its_driver_was_loaded_anew),
        cmocka_unit_test(phc_stays_right_when_somebody_else_adjusts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
