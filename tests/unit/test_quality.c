/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ladder of clockClass for each profile, and what else is announced of a clock.
 */
#include "runtime/quality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/profile.h"

#define UNKNOWN_ACCURACY 0xFE
#define UNKNOWN_VARIANCE 0xFFFF

static const struct mt_clock_quality fresh = {248, UNKNOWN_ACCURACY, UNKNOWN_VARIANCE};

/* of GNSS, right to 80 ns */
static struct mt_quality_facts facts_of(enum mt_quality_rung rung)
{
    return (struct mt_quality_facts){
        .rung = rung,
        .source = MT_QUALITY_FROM_GNSS,
        .is_primary = true,
        .has_bound = true,
        .is_traceable = true,
        .bound_ns = 80,
        .variance = MT_REAL(1.15e-15),
    };
}

static struct mt_quality make(const struct mt_quality_ladder *ladder,
                              const struct mt_quality_facts *facts, uint8_t own_class)
{
    const struct mt_clock_quality own = {own_class, 0x21, 0x1234};
    struct mt_quality quality;
    mt_quality_make(ladder, facts, &own, &fresh, &quality);
    return quality;
}

static uint8_t class_of(const struct mt_quality_ladder *ladder, enum mt_quality_rung rung,
                        enum mt_quality_source source, uint8_t own_class)
{
    struct mt_quality_facts facts = facts_of(rung);
    facts.source = source;
    facts.is_primary = source != MT_QUALITY_FROM_NTP;
    return make(ladder, &facts, own_class).quality.clock_class;
}

/* ---- profiles -------------------------------------------------------------------------------- */

static uint8_t number_of(enum mt_config_profile profile, const char *key, uint8_t otherwise)
{
    const struct mt_config_profile_row *row;
    size_t index = 0;
    while ((row = mt_config_profile_next(profile, &index)) != NULL) {
        if (strcmp(row->key, key) == 0) {
            return (uint8_t)atoi(row->value);
        }
    }
    return otherwise;
}

static bool says_yes(enum mt_config_profile profile, const char *key)
{
    const struct mt_config_profile_row *row;
    size_t index = 0;
    while ((row = mt_config_profile_next(profile, &index)) != NULL) {
        if (strcmp(row->key, key) == 0) {
            return strcmp(row->value, "yes") == 0;
        }
    }
    return false;
}

static struct mt_quality_ladder ladder_of(enum mt_config_profile profile)
{
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    ladder.primary_class = number_of(profile, "primary_class", ladder.primary_class);
    ladder.holdover_class = number_of(profile, "holdover_class", ladder.holdover_class);
    ladder.degraded_class = number_of(profile, "degraded_class", ladder.degraded_class);
    ladder.free_run_class = number_of(profile, "free_run_class", ladder.free_run_class);
    ladder.relay_holdover_class =
        number_of(profile, "relay_holdover_class", ladder.relay_holdover_class);
    ladder.relay_degraded_class =
        number_of(profile, "relay_degraded_class", ladder.relay_degraded_class);
    ladder.is_silent_in_holdover = says_yes(profile, "silent_in_holdover");
    ladder.has_variance_by_class = says_yes(profile, "variance_by_class");
    return ladder;
}

static void quality_comes_down_the_ladder_when_a_profile_says_how(void **state)
{
    static const struct {
        enum mt_config_profile profile;
        uint8_t own[4];   /* free run, locked, holdover, beyond */
        uint8_t relay[2]; /* holdover, beyond */
    } rows[] = {
        {MT_CONFIG_PROFILE_NONE, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_DEFAULT_E2E, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_DEFAULT_P2P, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_HIGH_ACCURACY, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_G8265_1, {110, 84, 104, 110}, {248, 248}},
        {MT_CONFIG_PROFILE_G8275_1, {248, 6, 7, 248}, {135, 165}},
        {MT_CONFIG_PROFILE_G8275_2, {248, 6, 7, 248}, {135, 165}},
        {MT_CONFIG_PROFILE_C37_238_2011, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_C37_238_2017, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_IEC_61850_9_3, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_ST2059_2, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_AES67, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_AES_R16, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_IEEE_802_1AS, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_IEEE_802_1AS_RELAY, {248, 6, 7, 187}, {248, 248}},
        {MT_CONFIG_PROFILE_ENTERPRISE, {248, 6, 7, 187}, {248, 248}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mt_quality_ladder ladder = ladder_of(rows[i].profile);
        for (unsigned rung = 0; rung < MT_QUALITY_RUNGS; rung++) {
            assert_int_equal(
                class_of(&ladder, (enum mt_quality_rung)rung, MT_QUALITY_FROM_GNSS, 248),
                rows[i].own[rung]);
        }
        assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_PTP, 248),
                         rows[i].relay[0]);
        assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_PTP, 248),
                         rows[i].relay[1]);
    }
}

/* A clock whose error is at most 80 ns while it is locked, 900 ns in holdover, 30 us beyond it:
 * what G.8275 has for each of its classes, and what the other profiles leave to IEEE 1588. */
static void quality_tells_accuracy_variance_and_flags_when_a_profile_says_how(void **state)
{
    enum { TIME = 2, FREQUENCY = 1, NONE = UNKNOWN_VARIANCE };
    const uint16_t measured = mt_quality_scaled_log_variance(facts_of(MT_QUALITY_LOCKED).variance);
    const struct {
        enum mt_config_profile profile;
        enum mt_quality_source source;
        struct {
            uint8_t accuracy;
            uint16_t variance;
            int flags;
        } at[MT_QUALITY_RUNGS]; /* free run, locked, holdover, beyond */
    } rows[] = {
        {MT_CONFIG_PROFILE_G8275_1,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0}, {0x21, 0x4E5D, TIME + FREQUENCY}, {0xFE, NONE, TIME}, {0xFE, NONE, 0}}},
        {MT_CONFIG_PROFILE_G8275_1,
         MT_QUALITY_FROM_PTP,
         {{0xFE, NONE, 0}, {0x21, NONE, TIME + FREQUENCY}, {0xFE, NONE, TIME}, {0xFE, NONE, 0}}},
        {MT_CONFIG_PROFILE_G8275_2,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0}, {0x21, 0x4E5D, TIME + FREQUENCY}, {0xFE, NONE, TIME}, {0xFE, NONE, 0}}},
        {MT_CONFIG_PROFILE_IEC_61850_9_3,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0},
          {0x21, measured, TIME + FREQUENCY},
          {0x23, measured, TIME},
          {0x27, measured, 0}}},
        {MT_CONFIG_PROFILE_C37_238_2011,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0},
          {0x21, measured, TIME + FREQUENCY},
          {0x23, measured, TIME},
          {0x27, measured, 0}}},
        {MT_CONFIG_PROFILE_C37_238_2017,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0},
          {0x21, measured, TIME + FREQUENCY},
          {0x23, measured, TIME},
          {0x27, measured, 0}}},
        {MT_CONFIG_PROFILE_DEFAULT_E2E,
         MT_QUALITY_FROM_GNSS,
         {{0xFE, NONE, 0},
          {0x21, measured, TIME + FREQUENCY},
          {0x23, measured, TIME},
          {0x27, measured, 0}}},
    };
    static const int64_t bounds_ns[MT_QUALITY_RUNGS] = {80, 80, 900, 30000};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mt_quality_ladder ladder = ladder_of(rows[i].profile);
        for (unsigned rung = 0; rung < MT_QUALITY_RUNGS; rung++) {
            struct mt_quality_facts facts = facts_of((enum mt_quality_rung)rung);
            facts.source = rows[i].source;
            facts.bound_ns = bounds_ns[rung];
            struct mt_quality quality = make(&ladder, &facts, 248);
            assert_int_equal(quality.quality.accuracy, rows[i].at[rung].accuracy);
            assert_int_equal(quality.quality.variance, rows[i].at[rung].variance);
            assert_int_equal(quality.is_time_traceable, (rows[i].at[rung].flags & TIME) != 0);
            assert_int_equal(quality.is_frequency_traceable,
                             (rows[i].at[rung].flags & FREQUENCY) != 0);
        }
    }
}

/* [G.8275.1 table 2] what goes with class 6 of an ePRTC and of a PRTC; worse ones have no row. */
static void quality_has_the_variance_of_its_class_when_the_profile_is_g8275(void **state)
{
    static const enum mt_config_profile profiles[] = {MT_CONFIG_PROFILE_G8275_1,
                                                      MT_CONFIG_PROFILE_G8275_2};
    static const struct {
        int64_t bound_ns;
        uint8_t accuracy;
        uint16_t variance;
    } rows[] = {{25, 0x20, 0x4B32},
                {26, 0x21, 0x4E5D},
                {100, 0x21, 0x4E5D},
                {101, 0x22, UNKNOWN_VARIANCE},
                {5000, 0x25, UNKNOWN_VARIANCE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] * 2; i++) {
        struct mt_quality_ladder ladder = ladder_of(profiles[i % 2]);
        for (unsigned rung = 0; rung < MT_QUALITY_RUNGS; rung++) {
            bool is_locked = rung == MT_QUALITY_LOCKED;
            struct mt_quality_facts facts = facts_of((enum mt_quality_rung)rung);
            facts.bound_ns = rows[i / 2].bound_ns;
            struct mt_clock_quality quality = make(&ladder, &facts, 248).quality;
            assert_int_equal(quality.accuracy, is_locked ? rows[i / 2].accuracy : UNKNOWN_ACCURACY);
            assert_int_equal(quality.variance, is_locked ? rows[i / 2].variance : UNKNOWN_VARIANCE);
            facts.is_primary = false;
            assert_int_equal(make(&ladder, &facts, 248).quality.variance, UNKNOWN_VARIANCE);
            ladder.class_is_auto = false; /* the user says 6, or one that is no PRTC's */
            assert_int_equal(make(&ladder, &facts, 6).quality.variance, quality.variance);
            assert_int_equal(make(&ladder, &facts, 150).quality.variance, UNKNOWN_VARIANCE);
            ladder.variance_is_auto = false;
            assert_int_equal(make(&ladder, &facts, 6).quality.variance, 0x1234);
            ladder.class_is_auto = true;
            ladder.variance_is_auto = true;
        }
    }
}

/* [G.8265.1 table 1] each class is a quality level; 88, 92, 94 and 98 are of invalid ones. */
static void quality_claims_quality_levels_alone_when_the_profile_is_g8265_1(void **state)
{
    static const uint8_t levels[] = {80, 82, 84, 86, 90, 96, 100, 102, 104, 106, 108, 110};
    const struct mt_config_profile_row *row;
    size_t index = 0;
    unsigned keys = 0;
    while ((row = mt_config_profile_next(MT_CONFIG_PROFILE_G8265_1, &index)) != NULL) {
        const char *end = strstr(row->key, "_class");
        if (end == NULL || strcmp(end, "_class") != 0) {
            continue;
        }
        keys++;
        for (const char *at = row->allowed; *at != '\0'; at += *at == '|') {
            char *rest;
            unsigned long allowed = strtoul(at, &rest, 10);
            bool is_level = false;
            for (size_t i = 0; i < sizeof levels; i++) {
                is_level |= levels[i] == allowed;
            }
            assert_true(is_level);
            at = rest;
        }
    }
    assert_int_equal(keys, 4);
}

/* ---- clockClass ------------------------------------------------------------------------------ */

static void quality_has_the_users_class_on_top_when_there_is_one(void **state)
{
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    ladder.class_is_auto = false;
    /* also of what is no primary reference: the user has said so */
    assert_int_equal(class_of(&ladder, MT_QUALITY_LOCKED, MT_QUALITY_FROM_NTP, 6), 6);
    assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_NTP, 6), 7);
    assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_NTP, 6), 187);
    assert_int_equal(class_of(&ladder, MT_QUALITY_FREE, MT_QUALITY_FROM_NTP, 6), 248);
    assert_int_equal(class_of(&ladder, MT_QUALITY_LOCKED, MT_QUALITY_FROM_GNSS, 13), 13);
    assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_GNSS, 13), 14);
    assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_GNSS, 13), 193);
    assert_int_equal(class_of(&ladder, MT_QUALITY_LOCKED, MT_QUALITY_FROM_GNSS, 150), 150);
    assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_GNSS, 150), 248);
    assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_GNSS, 255), 255);
    assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_PTP, 150), 150);
    ladder.degraded_class = 52; /* alternative A */
    assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_NTP, 6), 52);
    assert_int_equal(class_of(&ladder, MT_QUALITY_BEYOND, MT_QUALITY_FROM_GNSS, 13), 58);
}

static void quality_claims_no_class_when_the_source_is_not_primary(void **state)
{
    struct mt_quality_ladder ladder = ladder_of(MT_CONFIG_PROFILE_G8275_1);
    struct mt_quality_facts facts = facts_of(MT_QUALITY_HOLDOVER);
    assert_int_equal(class_of(&ladder, MT_QUALITY_LOCKED, MT_QUALITY_FROM_NTP, 248), 248);
    assert_int_equal(class_of(&ladder, MT_QUALITY_HOLDOVER, MT_QUALITY_FROM_NTP, 248), 248);
    facts.source = MT_QUALITY_FROM_PTP; /* behind a grandmaster that runs free */
    facts.is_primary = false;
    assert_int_equal(make(&ladder, &facts, 248).quality.clock_class, 248);
    facts = facts_of(MT_QUALITY_LOCKED);
    facts.is_traceable = false;
    assert_int_equal(make(&ladder, &facts, 248).quality.clock_class, 248);
}

static void quality_claims_nothing_when_nothing_is_known_of_the_error(void **state)
{
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    for (unsigned rung = 0; rung < MT_QUALITY_RUNGS; rung++) {
        struct mt_quality_facts facts = facts_of((enum mt_quality_rung)rung);
        facts.has_bound = false;
        struct mt_quality quality = make(&ladder, &facts, 248);
        assert_int_equal(quality.quality.clock_class, 248);
        assert_int_equal(quality.quality.accuracy, UNKNOWN_ACCURACY);
        assert_int_equal(quality.quality.variance, UNKNOWN_VARIANCE);
        assert_false(quality.is_time_traceable);
        assert_false(quality.is_frequency_traceable);
    }
}

/* ---- clockAccuracy --------------------------------------------------------------------------- */

/* 0x20 is 25 ns, then 100, 250 ns, 1, 2.5, 10 us ... 10 s; then none */
static int64_t promise_ns(uint8_t accuracy)
{
    int64_t ns = 25;
    for (uint8_t step = 0x20; step < accuracy; step++) {
        ns = step == 0x2F ? ns * 10 : (step - 0x20) % 2 == 0 ? ns * 4 : ns / 2 * 5;
    }
    return ns;
}

static void quality_never_promises_more_than_the_bound_when_it_is_of_any_size(void **state)
{
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    struct mt_clock_quality told = fresh;
    for (int64_t bound_ns = 1; bound_ns < INT64_C(20000000000); bound_ns += bound_ns / 7 + 1) {
        struct mt_quality_facts facts = facts_of(MT_QUALITY_LOCKED);
        facts.bound_ns = bound_ns;
        for (unsigned i = 0; i < 3; i++) { /* fresh, after a better and after a worse one */
            struct mt_clock_quality before = told;
            before.accuracy = i == 1 ? 0x20 : i == 2 ? 0x31 : UNKNOWN_ACCURACY;
            struct mt_quality quality;
            mt_quality_make(&ladder, &facts, &fresh, &before, &quality);
            uint8_t accuracy = quality.quality.accuracy;
            assert_in_range(accuracy, 0x20, 0x31);
            assert_true(accuracy == 0x31 || promise_ns(accuracy) >= bound_ns);
        }
    }
    assert_int_equal(promise_ns(0x30), INT64_C(10000000000));
}

static void quality_says_unknown_in_holdover_when_the_profile_does(void **state)
{
    struct mt_quality_ladder ladder = ladder_of(MT_CONFIG_PROFILE_G8275_1);
    ladder.is_silent_in_holdover = true;
    struct mt_quality_facts facts = facts_of(MT_QUALITY_LOCKED);
    assert_int_equal(make(&ladder, &facts, 248).quality.accuracy, 0x21);
    facts.rung = MT_QUALITY_HOLDOVER;
    assert_int_equal(make(&ladder, &facts, 248).quality.accuracy, UNKNOWN_ACCURACY);
    assert_int_equal(make(&ladder, &facts, 248).quality.variance, UNKNOWN_VARIANCE);
    ladder.is_silent_in_holdover = false;
    assert_int_equal(make(&ladder, &facts, 248).quality.accuracy, 0x21);
}

/* ---- flags ----------------------------------------------------------------------------------- */

static void quality_is_traceable_when_it_is_within_specification(void **state)
{
    static const bool is_time[] = {false, true, true, false};
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    for (unsigned rung = 0; rung < MT_QUALITY_RUNGS; rung++) {
        struct mt_quality_facts facts = facts_of((enum mt_quality_rung)rung);
        struct mt_quality quality = make(&ladder, &facts, 248);
        assert_int_equal(quality.is_time_traceable, is_time[rung]);
        assert_int_equal(quality.is_frequency_traceable, rung == MT_QUALITY_LOCKED);
        facts.is_traceable = false;
        quality = make(&ladder, &facts, 248);
        assert_false(quality.is_time_traceable);
        assert_false(quality.is_frequency_traceable);
    }
}

/* ---- offsetScaledLogVariance ----------------------------------------------------------------- */

static void quality_scales_the_variance_when_it_is_measured(void **state)
{
    assert_int_equal(mt_quality_scaled_log_variance(1), 0x8000);
    assert_int_equal(mt_quality_scaled_log_variance(2), 0x8100);
    assert_int_equal(mt_quality_scaled_log_variance(MT_REAL(0.5)), 0x7F00);
    assert_in_range(mt_quality_scaled_log_variance(MT_REAL(1.144e-15)), 0x4E5A, 0x4E60);
    assert_int_equal(mt_quality_scaled_log_variance(0), UNKNOWN_VARIANCE);
    assert_int_equal(mt_quality_scaled_log_variance(MT_REAL(1e-60)), 0);
    assert_int_equal(mt_quality_scaled_log_variance(MT_REAL(1e60)), UNKNOWN_VARIANCE - 1);
}

static void quality_keeps_the_variance_when_it_hardly_changes(void **state)
{
    struct mt_quality_ladder ladder;
    mt_quality_ladder_init(&ladder);
    struct mt_quality_facts facts = facts_of(MT_QUALITY_LOCKED);
    struct mt_clock_quality told = fresh;
    struct mt_quality quality;
    mt_quality_make(&ladder, &facts, &fresh, &told, &quality);
    told = quality.quality;
    facts.variance *= MT_REAL(1.3); /* less than 2^(1/2) */
    mt_quality_make(&ladder, &facts, &fresh, &told, &quality);
    assert_int_equal(quality.quality.variance, told.variance);
    facts.variance *= 2;
    mt_quality_make(&ladder, &facts, &fresh, &told, &quality);
    assert_in_range(quality.quality.variance, told.variance + 300, told.variance + 400);
    ladder.variance_is_auto = false;
    const struct mt_clock_quality own = {248, UNKNOWN_ACCURACY, 0x1234};
    mt_quality_make(&ladder, &facts, &own, &told, &quality);
    assert_int_equal(quality.quality.variance, 0x1234);
}

/* ---- NTP ------------------------------------------------------------------------------------- */

static void quality_makes_stratum_1_when_the_grandmaster_has_a_primary_reference(void **state)
{
    struct mt_quality_ladder ladder = ladder_of(MT_CONFIG_PROFILE_NONE);
    assert_int_equal(mt_quality_stratum(true, true), 1);
    assert_int_equal(mt_quality_stratum(false, true), 3);
    assert_int_equal(mt_quality_stratum(false, false), 11);
    assert_true(mt_quality_is_primary_class(&ladder, 6));
    assert_true(mt_quality_is_primary_class(&ladder, 7));
    assert_false(mt_quality_is_primary_class(&ladder, 248));
    assert_false(mt_quality_is_primary_class(&ladder, 135));
    assert_false(mt_quality_is_primary_class(&ladder, 187));
    ladder = ladder_of(MT_CONFIG_PROFILE_G8275_1);
    assert_true(mt_quality_is_primary_class(&ladder, 135));
    assert_false(mt_quality_is_primary_class(&ladder, 165));
    struct mt_quality_ladder levels = ladder_of(MT_CONFIG_PROFILE_G8265_1);
    assert_true(mt_quality_is_primary_class(&levels, 84));
    assert_false(mt_quality_is_primary_class(&levels, 90));
    assert_false(mt_quality_is_primary_class(&levels, 104));
    assert_false(mt_quality_is_primary_class(&ladder, 248));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality_comes_down_the_ladder_when_a_profile_says_how),
        cmocka_unit_test(quality_tells_accuracy_variance_and_flags_when_a_profile_says_how),
        cmocka_unit_test(quality_has_the_variance_of_its_class_when_the_profile_is_g8275),
        cmocka_unit_test(quality_claims_quality_levels_alone_when_the_profile_is_g8265_1),
        cmocka_unit_test(quality_has_the_users_class_on_top_when_there_is_one),
        cmocka_unit_test(quality_claims_no_class_when_the_source_is_not_primary),
        cmocka_unit_test(quality_claims_nothing_when_nothing_is_known_of_the_error),
        cmocka_unit_test(quality_never_promises_more_than_the_bound_when_it_is_of_any_size),
        cmocka_unit_test(quality_says_unknown_in_holdover_when_the_profile_does),
        cmocka_unit_test(quality_is_traceable_when_it_is_within_specification),
        cmocka_unit_test(quality_scales_the_variance_when_it_is_measured),
        cmocka_unit_test(quality_keeps_the_variance_when_it_hardly_changes),
        cmocka_unit_test(quality_makes_stratum_1_when_the_grandmaster_has_a_primary_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
