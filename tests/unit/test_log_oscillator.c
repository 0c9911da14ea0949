/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What was learned of oscillators in a log, and what is said of a log that is none or is damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/log.h"
#include "runtime/replay.h"

struct octets {
    uint8_t at[1000];
    size_t length;
};

static void append(void *context, const uint8_t *octets, size_t length)
{
    struct octets *self = context;
    assert_true(self->length + length <= sizeof self->at);
    if (length > 0) {
        memcpy(self->at + self->length, octets, length);
    }
    self->length += length;
}

/* ---- oscillators ----------------------------------------------------------------------------- */

static void write_one(struct octets *log, const struct mt_log_record *record)
{
    const struct mt_log_sink sink = {log, append};
    log->length = 0;
    mt_log_write_header(&sink);
    mt_log_write(&sink, record);
}

static enum mt_log_result read_one(const struct octets *log, struct mt_log_record *ret_record)
{
    struct mt_log_reader reader;
    assert_true(mt_log_open(&reader, log->at, log->length));
    return mt_log_read(&reader, ret_record);
}

static const struct mt_steer_oscillator_memory learned = {.ageing = -1e-14,
                                                          .ageing_sigma = 2e-14,
                                                          .coefficient = 3e-8,
                                                          .coefficient_sigma = 4e-9,
                                                          .kelvin = 40.5,
                                                          .kelvin_low = 30,
                                                          .kelvin_high = 50,
                                                          .wander = 5e-20,
                                                          .observed_s = 7200,
                                                          .uses_temperature = true,
                                                          .frequency = 6e-6,
                                                          .frequency_sigma = 7e-9,
                                                          .age_s = 8};

static void log_keeps_an_oscillator_when_it_is_written(void **state)
{
    const struct mt_log_record record = {
        .kind = MT_LOG_LEARNED,
        .value.oscillator = {.index = 2, .is_known = true, .memory = learned}};
    struct mt_log_record back;
    struct octets log;
    write_one(&log, &record);
    assert_int_equal(read_one(&log, &back), MT_LOG_OK);
    const struct mt_steer_oscillator_memory *found = &back.value.oscillator.memory;
    assert_int_equal(back.kind, MT_LOG_LEARNED);
    assert_int_equal(back.value.oscillator.index, 2);
    assert_true(back.value.oscillator.is_known);
    assert_true(found->ageing == -1e-14 && found->ageing_sigma == 2e-14);
    assert_true(found->coefficient == 3e-8 && found->coefficient_sigma == 4e-9);
    assert_true(found->kelvin == 40.5 && found->kelvin_low == 30 && found->kelvin_high == 50);
    assert_true(found->wander == 5e-20 && found->observed_s == 7200 && found->uses_temperature);
    assert_true(found->frequency == 6e-6 && found->frequency_sigma == 7e-9 && found->age_s == 8);
}

static void log_keeps_the_reason_when_nothing_could_be_read(void **state)
{
    const struct mt_log_record record = {
        .kind = MT_LOG_OSCILLATOR, .value.oscillator = {.index = 2, .reason = {"damaged", 7}}};
    struct mt_log_record back;
    struct octets log;
    write_one(&log, &record);
    assert_int_equal(read_one(&log, &back), MT_LOG_OK);
    assert_int_equal(back.kind, MT_LOG_OSCILLATOR);
    assert_false(back.value.oscillator.is_known);
    assert_int_equal(back.value.oscillator.reason.length, 7);
    assert_memory_equal(back.value.oscillator.reason.text, "damaged", 7);
}

static void log_refuses_an_oscillator_when_it_is_unsound_or_too_early(void **state)
{
    struct mt_log_record record = {
        .kind = MT_LOG_OSCILLATOR,
        .value.oscillator = {.index = 2, .is_known = true, .memory = learned}};
    struct mt_log_record back;
    struct octets log;
    write_one(&log, &record);
    assert_int_equal(read_one(&log, &back), MT_LOG_OK);
    log.at[8] = MT_LOG_OSCILLATORS - 1; /* a version that has no such thing */
    assert_int_equal(read_one(&log, &back), MT_LOG_CORRUPT);
    record.value.oscillator.memory.wander = 0;
    write_one(&log, &record);
    assert_int_equal(read_one(&log, &back), MT_LOG_CORRUPT);
}

/* A program of that time neither asked for oscillators nor stored them. */
static void replay_of_an_older_log_knows_no_oscillators(void **state)
{
    static const struct mt_log_record records[] = {
        {.kind = MT_LOG_START}, {.kind = MT_LOG_SEED, .value.seed = 7}, {.kind = MT_LOG_END}};
    struct mt_steer_oscillator_memory memory;
    char reason[MT_HAL_REASON_SIZE];
    struct octets log = {.length = 0};
    const struct mt_log_sink sink = {&log, append};
    mt_log_write_header(&sink);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        mt_log_write(&sink, &records[i]);
    }
    log.at[8] = MT_LOG_OSCILLATORS - 1;
    struct mt_replay *replay = mt_replay_open(log.at, log.length, reason);
    assert_non_null(replay);
    struct mt_hal_provider *provider = mt_replay_provider(replay);
    struct mt_hal_store *store = provider->store;
    assert_false(store->ops->load_oscillator(store, 0, &memory, reason));
    assert_string_equal(reason, "");
    store->ops->save_oscillator(store, 0, &learned);
    assert_int_equal(provider->entropy->seed(provider->entropy), 7);
    mt_replay_close(replay);
}

/* ---- no logs --------------------------------------------------------------------------------- */

static void replay_says_what_is_wrong_when_it_is_no_log(void **state)
{
    struct octets log;
    char reason[MT_HAL_REASON_SIZE];
    assert_null(mt_replay_open((const uint8_t *)"nonsense", 8, reason));
    assert_non_null(strstr(reason, "this is no input log"));
    log.length = 0;
    mt_log_write_header(&(struct mt_log_sink){&log, append});
    assert_null(mt_replay_open(log.at, log.length, reason));
    assert_string_equal(reason, "the input log does not begin with a configuration");
    append(&log, (const uint8_t *)"\1\11\0\0\0\5", 6);
    assert_null(mt_replay_open(log.at, log.length, reason));
    assert_non_null(strstr(reason, "(octet 10, "));
    assert_non_null(strstr(reason, "the start of 9 octets was expected; the log ends after 1"));
    log.at[8] = MT_LOG_VERSION + 1;
    assert_null(mt_replay_open(log.at, log.length, reason));
    assert_non_null(strstr(reason, "of version 6, and this program knows versions 1 to 5 only"));
}

static void replay_says_what_was_expected_when_log_is_damaged(void **state)
{
    static const struct {
        uint8_t octets[6];
        size_t length;
        const char *complaint;
    } damages[] = {
        {{8, 0, 0}, 3, "kind and length of a record were expected, 5 octets; the log ends after 3"},
        {{99, 0, 0, 0, 0}, 5, "a kind of record from 1 to 19 was expected, it is 99"},
        {{13, 4, 0, 0, 0, 1}, 6, "a frame sent of 4 octets was expected; the log ends after 1"},
        {{9, 1, 0, 0, 0, 1}, 6, "a reading of a clock was expected; its 1 octets hold what no "},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct mt_log_reader reader = {
            damages[i].octets, damages[i].length, MT_LOG_VERSION, 0, {0}};
        struct mt_log_record record;
        char complaint[160];
        assert_int_not_equal(mt_log_read(&reader, &record), MT_LOG_OK);
        mt_log_complaint(&reader, complaint, sizeof complaint);
        assert_non_null(strstr(complaint, damages[i].complaint));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_keeps_an_oscillator_when_it_is_written),
        cmocka_unit_test(log_keeps_the_reason_when_nothing_could_be_read),
        cmocka_unit_test(log_refuses_an_oscillator_when_it_is_unsound_or_too_early),
        cmocka_unit_test(replay_of_an_older_log_knows_no_oscillators),
        cmocka_unit_test(replay_says_what_is_wrong_when_it_is_no_log),
        cmocka_unit_test(replay_says_what_was_expected_when_log_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
