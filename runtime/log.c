/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The frame of a log: its header, and kind and length around each value.  A reader that is not at
 * the end of a value when it has read all members refuses the record: there is one encoding of
 * each value, and no room for surprises.
 */
#include "runtime/log.h"

#include <stdio.h>
#include <string.h>

#include "runtime/log_private.h"

#define DIGEST_START UINT64_C(0xCBF29CE484222325)
#define DIGEST_PRIME UINT64_C(0x100000001B3)

static const uint8_t magic[8] = {'M', 'T', 'I', 'N', 'P', 'U', 'T', 0x1A};

/* ---- records --------------------------------------------------------------------------------- */

static void write_frame(const struct mt_log_sink *sink, enum mt_log_kind kind, size_t length)
{
    uint8_t octets[MT_LOG_RECORD_SIZE];
    struct mt_log_out out = {octets, sizeof octets, false};

    mt_log_put(&out, (unsigned)kind, 1);
    mt_log_put(&out, length, 4);
    sink->write(sink->context, octets, sizeof octets);
}

void mt_log_write_header(const struct mt_log_sink *sink)
{
    uint8_t octets[MT_LOG_HEADER_SIZE];
    struct mt_log_out out = {octets, sizeof octets, false};

    mt_log_put_octets(&out, magic, sizeof magic);
    mt_log_put(&out, MT_LOG_VERSION, 2);
    sink->write(sink->context, octets, sizeof octets);
}

/* What stands before a configuration, whose length has no limit. */
static void put_before_config(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_log_start *start = &record->value.start;

    if (record->kind == MT_LOG_START) {
        mt_log_put_text(out, start->about);
        mt_log_put_facts(out, &start->facts);
    } else {
        mt_log_put_order(out, &record->value.order);
    }
}

static void write_with_config(const struct mt_log_sink *sink, const struct mt_log_record *record,
                              struct mt_log_text config)
{
    uint8_t octets[MT_LOG_VALUE_MAX];
    struct mt_log_out out = {octets, sizeof octets, false};

    put_before_config(&out, record);
    size_t length = sizeof octets - out.left;
    write_frame(sink, record->kind, length + config.length);
    sink->write(sink->context, octets, length);
    sink->write(sink->context, (const uint8_t *)config.text, config.length);
}

void mt_log_write(const struct mt_log_sink *sink, const struct mt_log_record *record)
{
    uint8_t octets[MT_LOG_VALUE_MAX];
    struct mt_log_out out = {octets, sizeof octets, false};

    if (record->kind == MT_LOG_START) {
        write_with_config(sink, record, record->value.start.config);
    } else if (record->kind == MT_LOG_ORDER && (record->value.order.kind == MT_ORDER_RELOAD ||
                                                record->value.order.kind == MT_ORDER_KEYS)) {
        write_with_config(sink, record, record->value.order.config);
    } else {
        mt_log_put_value(&out, record);
        write_frame(sink, record->kind, sizeof octets - out.left);
        sink->write(sink->context, octets, sizeof octets - out.left);
    }
}

int mt_log_version(const uint8_t *octets, size_t length)
{
    struct mt_log_in in = {octets, length, false, 0};
    const uint8_t *found = mt_log_get_octets(&in, sizeof magic);
    int version = (int)mt_log_get(&in, 2);

    return !in.failed && memcmp(found, magic, sizeof magic) == 0 ? version : -1;
}

bool mt_log_open(struct mt_log_reader *self, const uint8_t *octets, size_t length)
{
    int version = mt_log_version(octets, length);

    *self = (struct mt_log_reader){octets, length, version, MT_LOG_HEADER_SIZE, {0}};
    return version >= 1 && version <= MT_LOG_VERSION;
}

enum mt_log_result mt_log_read(struct mt_log_reader *self, struct mt_log_record *ret_record)
{
    struct mt_log_in in = {self->octets + self->at, self->length - self->at, false, self->version};

    if (in.left == 0) {
        return MT_LOG_OVER;
    }
    unsigned kind = (unsigned)mt_log_get(&in, 1);
    size_t length = (size_t)mt_log_get(&in, 4);
    if (in.failed || length > in.left) {
        return MT_LOG_TRUNCATED;
    }
    if (kind < MT_LOG_START || kind > MT_LOG_LAST) {
        return MT_LOG_CORRUPT;
    }
    memset(ret_record, 0, sizeof *ret_record);
    ret_record->kind = (enum mt_log_kind)kind;
    in.left = length;
    mt_log_get_value(self, &in, ret_record);
    if (in.failed || in.left != 0) {
        return MT_LOG_CORRUPT;
    }
    self->at += MT_LOG_RECORD_SIZE + length;
    return MT_LOG_OK;
}

/* ---- what is told of them -------------------------------------------------------------------- */

const char *mt_log_kind_name(enum mt_log_kind kind)
{
    static const char *const names[] = {
        [MT_LOG_START] = "the start",
        [MT_LOG_CLOCK] = "the opening of a clock",
        [MT_LOG_LINK] = "the opening of a link",
        [MT_LOG_IDENTITY] = "a question for a clock identity",
        [MT_LOG_SEED] = "a question for a seed",
        [MT_LOG_DRIFT] = "a question for the stored rate",
        [MT_LOG_NOW] = "a question for the time",
        [MT_LOG_INPUT] = "a wait for input",
        [MT_LOG_READ] = "a reading of a clock",
        [MT_LOG_STAMP] = "the conversion of a stamp",
        [MT_LOG_APPLY] = "a correction",
        [MT_LOG_DISTURBED] = "a change of a clock by somebody else",
        [MT_LOG_SEND] = "a frame sent",
        [MT_LOG_PAGE] = "a page published",
        [MT_LOG_SAVE] = "a rate stored",
        [MT_LOG_ORDER] = "an order from outside",
        [MT_LOG_END] = "the end",
        [MT_LOG_OSCILLATOR] = "a question for what was learned of an oscillator",
        [MT_LOG_LEARNED] = "what was learned of an oscillator stored",
    };

    return names[kind];
}

void mt_log_complaint(const struct mt_log_reader *self, char *buffer, size_t size)
{
    struct mt_log_in in = {self->octets + self->at, self->length - self->at, false, self->version};
    unsigned kind = (unsigned)mt_log_get(&in, 1);
    size_t length = (size_t)mt_log_get(&in, 4);

    if (in.failed) {
        snprintf(buffer, size,
                 "kind and length of a record were expected, %d octets; the log ends after %zu",
                 MT_LOG_RECORD_SIZE, self->length - self->at);
    } else if (kind < MT_LOG_START || kind > MT_LOG_LAST) {
        snprintf(buffer, size, "a kind of record from %d to %d was expected, it is %u",
                 MT_LOG_START, MT_LOG_LAST, kind);
    } else if (length > in.left) {
        snprintf(buffer, size, "%s of %zu octets was expected; the log ends after %zu",
                 mt_log_kind_name((enum mt_log_kind)kind), length, in.left);
    } else {
        snprintf(buffer, size, "%s was expected; its %zu octets hold what no recorder writes",
                 mt_log_kind_name((enum mt_log_kind)kind), length);
    }
}

static uint64_t digest_number(uint64_t digest, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        digest = (digest ^ (number >> 8 * i & 0xFF)) * DIGEST_PRIME;
    }
    return digest;
}

/* `sequence` and `boot_id` are the store's own business */
uint64_t mt_log_page_digest(const struct mt_clock_page *page)
{
    const uint64_t numbers[] = {
        page->base,
        page->scale,
        page->state,
        (uint64_t)page->base_at_anchor_ns,
        (uint64_t)page->anchor_s,
        page->anchor_ns,
        page->anchor_frac,
        page->bound_reference,
        page->tai_utc_valid,
        (uint64_t)page->rate_q64,
        (uint64_t)page->bound_ns,
        (uint64_t)page->bound_growth_ppb,
        (uint64_t)page->valid_until_base_ns,
        (uint64_t)(int64_t)page->tai_minus_utc_s,
        (uint64_t)(int64_t)page->leap_s,
        page->corrections,
        page->steps,
        (uint64_t)page->parts.estimate_ns,
        (uint64_t)page->parts.asymmetry_ns,
        (uint64_t)page->parts.source_ns,
        (uint64_t)page->parts.granularity_ns,
        (uint64_t)page->parts.steering_ns,
        (uint64_t)page->lag_q16,
        (uint64_t)page->lag_rate_q64,
        (uint64_t)page->lag_span_ns,
        (uint64_t)page->steered_q16,
        (uint64_t)page->state_since_base_ns,
        page->state_changes,
        page->holdover,
    };
    uint64_t digest = DIGEST_START;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        digest = digest_number(digest, numbers[i]);
    }
    for (size_t i = 0; i < sizeof page->grandmaster; i++) {
        digest = (digest ^ page->grandmaster[i]) * DIGEST_PRIME;
    }
    return digest;
}
