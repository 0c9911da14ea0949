/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a grandmaster announces while its clock follows an NTP server.
 */
#include "runtime/foreign_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime/node.h"

#define NTP_SOURCE 0
#define PTP_SOURCE 1
#define MS         INT64_C(1000000)
#define GOOD       0x21 /* what is configured: 100 ns */

struct bench {
    struct mt_node node;
    struct mt_node_clock clock;
    struct mt_node_ntp ntp;
    struct mt_node_instance instance;
    struct mt_node_port port_place;
    struct mt_hal_clock hal;
    struct mt_port port;
};
static struct bench *bench;
static const struct mt_mono now = {1000};

static int set_up(void **state)
{
    struct mt_instance_config config;
    struct mt_port_config port;
    bench = calloc(1, sizeof *bench);
    mt_instance_config_init(&config);
    mt_port_config_init(&port);
    config.quality = (struct mt_clock_quality){6, GOOD, 0x4E5D};
    config.time.utc_offset = 37;
    config.features = &mt_ptp_all_features;
    mt_instance_init(&bench->instance.ptp, &config, &bench->port, &port, 1, 1, now);
    bench->node.clocks = &bench->clock;
    bench->node.clock_count = 1;
    bench->node.ntp = &bench->ntp;
    bench->node.ntp_count = 1;
    bench->node.instances = &bench->instance;
    bench->node.instance_count = 1;
    mt_quality_ladder_init(&bench->instance.foreign_time.ladder);
    bench->instance.foreign_time.ladder.class_is_auto = false;
    bench->instance.foreign_time.ladder.variance_is_auto = false;
    bench->instance.ports = &bench->port_place;
    bench->port_place.source = PTP_SOURCE;
    bench->clock.hal = &bench->hal;
    bench->ntp.source = NTP_SOURCE;
    bench->clock.discipline.selected = NTP_SOURCE;
    return 0;
}

static int tear_down(void **state)
{
    free(bench);
    return 0;
}

static void follow(enum mt_clock_state condition, enum mt_bound_reference reference,
                   int64_t bound_ns)
{
    bench->clock.page.state = (uint8_t)condition;
    bench->clock.page.bound_reference = (uint8_t)reference;
    bench->clock.page.bound_ns = bound_ns;
    if (condition == MT_CLOCK_FREE_RUN) {
        bench->clock.holdover.rung = MT_QUALITY_FREE;
    }
    bench->clock.report.reference = reference;
    bench->clock.discipline.phase = (enum mt_steer_phase)condition;
    mt_holdover_judge(&bench->node, 0, now);
    mt_foreign_time_tell(&bench->node, 0, now);
}

static const struct mt_clock_quality *quality(void)
{
    return &bench->instance.ptp.config.quality;
}

static const struct mt_time_properties *properties(void)
{
    return &bench->instance.ptp.config.time;
}

static void foreign_time_is_that_of_the_bound_when_the_clock_is_locked(void **state)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, 3 * MS);
    assert_int_equal(quality()->clock_class, 6);
    assert_int_equal(quality()->accuracy, 0x2B); /* 10 ms */
    assert_int_equal(quality()->variance, 0x4E5D);
    assert_int_equal(properties()->time_source, 0x50);
    assert_int_equal(properties()->utc_offset, 37);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) != 0);
}

static void foreign_time_names_each_accuracy_when_the_bound_is_at_its_end(void **state)
{
    static const int64_t ends_ns[] = {25, 100, 250, 1000};
    for (unsigned i = 0; i < 4; i++) {
        follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, ends_ns[i]);
        assert_int_equal(quality()->accuracy, 0x20 + i);
    }
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, INT64_C(10000000000));
    assert_int_equal(quality()->accuracy, 0x30);
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, INT64_C(10000000001));
    assert_int_equal(quality()->accuracy, 0x31);
}

static void foreign_time_is_not_claimed_when_there_never_was_any(void **state)
{
    bench->clock.discipline.selected = MT_SOURCE_NONE;
    follow(MT_CLOCK_FREE_RUN, MT_BOUND_NONE, 0);
    assert_int_equal(quality()->clock_class, 248);
    assert_int_equal(quality()->accuracy, 0xFE);
    assert_int_equal(properties()->time_source, 0xA0);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) == 0);
}

/* a server with `local stratum`, which knows no better than we do */
static void foreign_time_claims_nothing_when_the_server_follows_nobody(void **state)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_SOURCE, 1000);
    assert_int_equal(quality()->clock_class, 248);
    assert_int_equal(quality()->accuracy, 0xFE);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) == 0);
    bench->clock.discipline.selected = MT_SOURCE_NONE; /* nor afterwards */
    follow(MT_CLOCK_HOLDOVER, MT_BOUND_SOURCE, 2000);
    assert_int_equal(quality()->clock_class, 248);
    assert_int_equal(quality()->accuracy, 0xFE);
    bench->clock.discipline.selected = NTP_SOURCE;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, 1000);
    assert_int_equal(quality()->clock_class, 6);
}

static void foreign_time_becomes_worse_when_its_source_is_lost(void **state)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    bench->clock.discipline.selected = MT_SOURCE_NONE;
    follow(MT_CLOCK_HOLDOVER, MT_BOUND_TRACEABLE, 2 * MS);
    assert_int_equal(quality()->clock_class, 7);
    assert_int_equal(quality()->accuracy, 0x2A); /* 2.5 ms */
}

static void foreign_time_keeps_its_accuracy_when_the_bound_is_hardly_better(void **state)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS + 1);
    assert_int_equal(quality()->accuracy, 0x2A);
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS - 1);
    assert_int_equal(quality()->accuracy, 0x2A);
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS / 2);
    assert_int_equal(quality()->accuracy, 0x29);
}

static void foreign_time_is_given_back_when_a_port_is_followed(void **state)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    bench->clock.discipline.selected = PTP_SOURCE;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(quality()->accuracy, GOOD);
    assert_int_equal(properties()->time_source, 0xA0);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) == 0);
}

static void foreign_time_takes_what_a_user_sets_when_it_is_told(void **state)
{
    const struct mt_command set = {.kind = MT_COMMAND_QUALITY, .value.quality = {13, GOOD, 0x1000}};
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    struct mt_clock_quality own;
    mt_foreign_time_own_quality(&bench->instance.foreign_time, &bench->instance.ptp, &own);
    assert_int_equal(own.accuracy, GOOD);
    assert_true(mt_instance_command(&bench->instance.ptp, &set, now));
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(quality()->clock_class, 13);
    assert_int_equal(quality()->variance, 0x1000);
    assert_int_equal(quality()->accuracy, 0x29);
    follow(MT_CLOCK_HOLDOVER, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(quality()->clock_class, 14);
}

/* One property that is set does not make the others the user's, which are its source's. */
static void foreign_time_takes_only_the_property_that_a_user_sets(void **state)
{
    struct mt_command set = {.kind = MT_COMMAND_TIME_PROPERTIES};
    bench->clock.holdover.is_primary = true;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(properties()->time_source, 0x50);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) != 0);
    set.value.time = *properties();
    set.value.time.utc_offset = 36;
    set.value.time.flags |= MT_PTP_UTC_OFFSET_VALID | MT_PTP_LEAP_59;
    assert_true(mt_instance_command(&bench->instance.ptp, &set, now));
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(properties()->time_source, 0x50);
    assert_true((properties()->flags & MT_PTP_TIME_TRACEABLE) != 0);
    bench->clock.discipline.selected = PTP_SOURCE;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(properties()->time_source, 0xA0);
    assert_int_equal(properties()->utc_offset, 36);
    assert_int_equal(properties()->flags & (MT_PTP_TIME_TRACEABLE | MT_PTP_FREQUENCY_TRACEABLE), 0);
    assert_true((properties()->flags & MT_PTP_UTC_OFFSET_VALID) != 0);
    assert_true((properties()->flags & MT_PTP_LEAP_59) != 0);
}

static void foreign_time_finds_out_again_what_a_user_set_when_that_is_auto(void **state)
{
    const struct mt_command set = {.kind = MT_COMMAND_QUALITY, .value.quality = {13, GOOD, 0x1000}};
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_true(mt_instance_command(&bench->instance.ptp, &set, now));
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_int_equal(quality()->clock_class, 13);
    mt_foreign_time_make_auto(&bench->node, 0, true, false, now);
    assert_int_equal(quality()->clock_class, 248);
    assert_int_equal(quality()->variance, 0x1000);
    bench->clock.holdover.is_primary = true;
    mt_foreign_time_tell(&bench->node, 0, now);
    assert_int_equal(quality()->clock_class, 6);
    mt_foreign_time_make_auto(&bench->node, 0, false, true, now);
    assert_int_equal(quality()->clock_class, 6);
    assert_int_not_equal(quality()->variance, 0x1000);
    mt_foreign_time_make_auto(&bench->node, 7, true, true, now); /* there is no such instance */
}

static void foreign_time_is_that_of_a_free_clock_when_its_class_is_auto(void **state)
{
    const struct mt_command set = {.kind = MT_COMMAND_QUALITY, .value.quality = {13, GOOD, 0x1000}};
    bench->clock.discipline.selected = PTP_SOURCE;
    assert_true(mt_instance_command(&bench->instance.ptp, &set, now));
    mt_foreign_time_make_auto(&bench->node, 0, true, true, now);
    assert_int_equal(quality()->clock_class, 248);
    assert_int_equal(quality()->variance, 0xFFFF);
    assert_int_equal(quality()->accuracy, GOOD);
}

static void configure(bool is_auto, uint8_t clock_class)
{
    const struct mt_clock_quality own = {clock_class, GOOD, 0xFFFF};
    const struct mt_time_properties time = {.utc_offset = 38, .time_source = 0xA0};
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    ladder.class_is_auto = is_auto;
    mt_foreign_time_configure(&bench->node, 0, &ladder, &own, &time, now);
}

static void follow_primary(void)
{
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    bench->clock.holdover.is_primary = true;
    mt_foreign_time_tell(&bench->node, 0, now);
}

/* A reload, whatever it is for, must not take the class of the moment for one that was set. */
static void foreign_time_stays_above_what_is_configured_when_that_is_told_again(void **state)
{
    const struct mt_command set = {.kind = MT_COMMAND_QUALITY, .value.quality = {13, GOOD, 0x1000}};
    for (int i = 0; i < 2; i++) {
        configure(true, 248);
        follow_primary();
        assert_int_equal(quality()->clock_class, 6);
        assert_int_equal(quality()->accuracy, 0x29);
        assert_int_equal(properties()->utc_offset, 38);
    }
    assert_true(mt_instance_command(&bench->instance.ptp, &set, now));
    configure(true, 248);
    assert_int_equal(quality()->clock_class, 6);
    follow_primary();
    assert_int_equal(quality()->clock_class, 6);
    configure(false, 13);
    assert_int_equal(quality()->clock_class, 13);
    bench->clock.discipline.selected = PTP_SOURCE;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    configure(false, 100);
    assert_int_equal(quality()->clock_class, 100);
    assert_int_equal(quality()->accuracy, GOOD);
}

static void foreign_time_announces_a_leap_second_when_the_clock_knows_of_it(void **state)
{
    bench->clock.page.leap_s = 1;
    follow(MT_CLOCK_LOCKED, MT_BOUND_TRACEABLE, MS);
    assert_true((properties()->flags & MT_PTP_LEAP_61) != 0);
    bench->clock.discipline.selected = MT_SOURCE_NONE; /* the page has it from the instance */
    follow(MT_CLOCK_HOLDOVER, MT_BOUND_TRACEABLE, MS);
    assert_true((properties()->flags & MT_PTP_LEAP_61) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(foreign_time_is_that_of_the_bound_when_the_clock_is_locked),
        TEST(foreign_time_names_each_accuracy_when_the_bound_is_at_its_end),
        TEST(foreign_time_is_not_claimed_when_there_never_was_any),
        TEST(foreign_time_claims_nothing_when_the_server_follows_nobody),
        TEST(foreign_time_becomes_worse_when_its_source_is_lost),
        TEST(foreign_time_keeps_its_accuracy_when_the_bound_is_hardly_better),
        TEST(foreign_time_is_given_back_when_a_port_is_followed),
        TEST(foreign_time_takes_what_a_user_sets_when_it_is_told),
        TEST(foreign_time_takes_only_the_property_that_a_user_sets),
        TEST(foreign_time_finds_out_again_what_a_user_set_when_that_is_auto),
        TEST(foreign_time_is_that_of_a_free_clock_when_its_class_is_auto),
        TEST(foreign_time_stays_above_what_is_configured_when_that_is_told_again),
        TEST(foreign_time_announces_a_leap_second_when_the_clock_knows_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
