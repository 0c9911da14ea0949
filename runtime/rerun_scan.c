/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The first reading of a log for a rerun.  Everything that the log says of a clock is taken back
 * to the clock without corrections: each recorded reading and stamp carries the number of
 * corrections that it has in it, and each correction was recorded with the reading at which it
 * took effect.  That is exact but for one rounding to 2^-16 ns for each correction.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/rerun_private.h"

#define Q64 18446744073709551616.0

void *mt_rerun_list_add(struct mt_rerun_list *self, size_t size)
{
    bool is_full = (self->count & (self->count - 1)) == 0; /* room for a power of two */

    if (is_full) {
        void *items = realloc(self->items, (self->count > 0 ? 2 * self->count : 1) * size);

        if (items == NULL) {
            return NULL;
        }
        self->items = items;
    }
    void *item = (char *)self->items + self->count * size;
    memset(item, 0, size);
    self->count++;
    return item;
}

/* ---- segments -------------------------------------------------------------------------------- */

struct mt_span mt_rerun_span_of(struct mt_instant at)
{
    return (struct mt_span){at.s, at.ns, at.frac};
}

struct mt_span mt_rerun_local_of(const struct mt_rerun_segment *segment, struct mt_span raw)
{
    struct mt_span since = mt_span_minus(raw, segment->raw);
    struct mt_span gained = mt_span_from_real(mt_span_to_real(since) * segment->rate);

    return mt_span_plus(segment->local, mt_span_plus(since, gained));
}

struct mt_span mt_rerun_raw_of(const struct mt_rerun_segment *segment, struct mt_span local)
{
    struct mt_span since = mt_span_minus(local, segment->local);
    mt_real share = segment->rate / (1 + segment->rate);
    struct mt_span gained = mt_span_from_real(mt_span_to_real(since) * share);

    return mt_span_plus(segment->raw, mt_span_minus(since, gained));
}

struct mt_rerun_segment mt_rerun_turn(const struct mt_rerun_segment *before, struct mt_span raw,
                                      const struct mt_applied *applied)
{
    bool is_rate = applied->kind == MT_CORRECT_RATE;

    return (struct mt_rerun_segment){
        .raw = raw,
        .local = mt_rerun_span_of(applied->at),
        .rate = is_rate ? applied->rate : before->rate,
        .corrections = applied->corrections,
        .scale = applied->at.scale,
    };
}

/* With so many corrections; the oldest or newest known if there is none. */
static const struct mt_rerun_segment *segment_of(const struct mt_rerun_list *list, uint32_t count)
{
    const struct mt_rerun_segment *segments = list->items;
    size_t at = list->count - 1;

    while (at > 0 && (int32_t)(segments[at].corrections - count) > 0) {
        at--;
    }
    return &segments[at];
}

/* ---- clocks ---------------------------------------------------------------------------------- */

struct mt_rerun_clock *mt_rerun_clock_at(const struct mt_rerun *self, size_t index)
{
    return index < self->clocks.count ? ((struct mt_rerun_clock **)self->clocks.items)[index]
                                      : NULL;
}

struct mt_rerun_link *mt_rerun_link_at(const struct mt_rerun *self, size_t index)
{
    return index < self->links.count ? ((struct mt_rerun_link **)self->links.items)[index] : NULL;
}

static bool scan_clock(struct mt_rerun *self, const struct mt_log_record *record)
{
    struct mt_rerun_clock *clock = calloc(1, sizeof *clock);
    struct mt_rerun_clock **place = mt_rerun_list_add(&self->clocks, sizeof(clock));

    if (clock == NULL || place == NULL) {
        free(clock);
        self->clocks.count -= place != NULL;
        return false;
    }
    *place = clock;
    clock->hal = record->value.clock.hal;
    clock->hal.ops = &mt_rerun_clock_ops;
    clock->rerun = self;
    clock->kind = record->value.clock.kind;
    clock->name = record->value.clock.name;
    clock->is_open = record->value.clock.is_open;
    clock->reason = record->value.clock.reason;
    return true;
}

/* Records count the clocks that could be opened. */
static struct mt_rerun_clock *clock_of(const struct mt_rerun *self, uint16_t index)
{
    for (size_t i = 0; i < self->clocks.count; i++) {
        struct mt_rerun_clock *clock = mt_rerun_clock_at(self, i);

        if (clock->is_open && index-- == 0) {
            return clock;
        }
    }
    return NULL;
}

/* A clock begins as it was found. */
static bool begin_clock(struct mt_rerun_clock *clock, const struct mt_stamp *local)
{
    if (clock->recorded.count > 0) {
        return true;
    }
    struct mt_rerun_segment *first = mt_rerun_list_add(&clock->recorded, sizeof *first);
    struct mt_rerun_segment *now = mt_rerun_list_add(&clock->segments, sizeof *now);
    if (first == NULL || now == NULL) {
        return false;
    }
    *first = (struct mt_rerun_segment){
        .raw = mt_rerun_span_of(local->at),
        .local = mt_rerun_span_of(local->at),
        .corrections = local->corrections,
        .scale = local->at.scale,
    };
    *now = *first;
    return true;
}

static bool scan_read(struct mt_rerun *self, const struct mt_log_record *record, struct mt_mono now)
{
    const struct mt_clock_reading *reading = &record->value.read.reading;
    struct mt_rerun_clock *clock = clock_of(self, record->value.read.clock);
    if (clock == NULL) {
        return true;
    }
    bool is_begun = begin_clock(clock, &reading->local);
    struct mt_rerun_anchor *anchor =
        is_begun ? mt_rerun_list_add(&clock->anchors, sizeof *anchor) : NULL;
    if (anchor == NULL) {
        return false;
    }
    const struct mt_rerun_segment *segment =
        segment_of(&clock->recorded, reading->local.corrections);
    *anchor = (struct mt_rerun_anchor){
        .now = now,
        .raw = mt_rerun_raw_of(segment, mt_rerun_span_of(reading->local.at)),
        .base = reading->base,
        .raw_rate = (1 + (mt_real)reading->rate_q64 / Q64) / (1 + segment->rate) - 1,
        .window_ns = reading->window_ns,
    };
    return true;
}

static bool scan_stamp(struct mt_rerun *self, const struct mt_log_record *record)
{
    const struct mt_stamp *local = &record->value.stamp.stamp;
    struct mt_rerun_clock *clock = clock_of(self, record->value.stamp.clock);
    if (clock == NULL) {
        return true;
    }
    bool is_begun = begin_clock(clock, local);
    struct mt_rerun_stamp *stamp =
        is_begun ? mt_rerun_list_add(&clock->stamps, sizeof *stamp) : NULL;
    if (stamp == NULL) {
        return false;
    }
    stamp->base = record->value.stamp.base;
    stamp->raw = mt_rerun_raw_of(segment_of(&clock->recorded, local->corrections),
                                 mt_rerun_span_of(local->at));
    return true;
}

static bool scan_applied(struct mt_rerun_clock *clock, const struct mt_applied *applied,
                         struct mt_mono now)
{
    if (clock == NULL || applied->is_refused || clock->recorded.count == 0 ||
        !(applied->rate > -1)) {
        return true;
    }
    const struct mt_rerun_segment *newest =
        (struct mt_rerun_segment *)clock->recorded.items + clock->recorded.count - 1;
    struct mt_span before = mt_rerun_span_of(applied->at);
    if (applied->kind == MT_CORRECT_STEP) {
        before = mt_span_minus(before, applied->step);
    }
    struct mt_span raw = mt_rerun_raw_of(newest, before);
    struct mt_rerun_segment next = mt_rerun_turn(newest, raw, applied);
    struct mt_rerun_segment *segment = mt_rerun_list_add(&clock->recorded, sizeof *segment);
    struct mt_rerun_moment *moment = mt_rerun_list_add(&clock->moments, sizeof *moment);
    if (segment == NULL || moment == NULL) {
        return false;
    }
    *segment = next;
    *moment = (struct mt_rerun_moment){now, raw};
    return true;
}

static bool scan_disturbed(struct mt_rerun *self, const struct mt_log_record *record,
                           struct mt_mono now)
{
    struct mt_rerun_clock *clock = clock_of(self, record->value.disturbed.clock);
    if (clock == NULL || !(record->value.disturbed.applied.rate > -1)) {
        return true;
    }
    struct mt_rerun_disturbance *disturbance =
        mt_rerun_list_add(&clock->disturbances, sizeof *disturbance);
    if (disturbance == NULL) {
        return false;
    }
    *disturbance = (struct mt_rerun_disturbance){now, record->value.disturbed.applied};
    return scan_applied(clock, &record->value.disturbed.applied, now);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* One that was closed and is open again, to another NTP server. */
static bool is_known_link(const struct mt_rerun *self, const struct mt_log_link *opened)
{
    for (size_t i = 0; i < self->links.count; i++) {
        const struct mt_log_link *known = &mt_rerun_link_at(self, i)->opened;
        if (known->index == opened->index && known->transport == opened->transport &&
            known->interface.length == opened->interface.length &&
            memcmp(known->interface.text, opened->interface.text, known->interface.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool scan_link(struct mt_rerun *self, const struct mt_log_record *record)
{
    if (is_known_link(self, &record->value.link)) {
        return true;
    }
    struct mt_rerun_link *link = calloc(1, sizeof *link);
    struct mt_rerun_link **place = mt_rerun_list_add(&self->links, sizeof(link));

    if (link == NULL || place == NULL) {
        free(link);
        self->links.count -= place != NULL;
        return false;
    }
    *place = link;
    link->rerun = self;
    link->opened = record->value.link;
    link->hal.inserts_stamps = link->opened.inserts_stamps;
    link->hal.inserts_origin = link->opened.inserts_origin;
    link->hal.inserts_turnaround = link->opened.inserts_turnaround;
    return true;
}

/* Common header [1588-2019 13.3.1]: type in octet 0, domain in 4, sequence number in 30; who
 * asked, where the message is an answer; and where it goes, if to one station. */
uint64_t mt_rerun_key(const struct mt_link_frame *frame)
{
    const uint8_t *octets = frame->bytes;
    uint64_t key = UINT64_C(0xCBF29CE484222325);

    if (frame->length < 32) {
        return 1;
    }
    const uint8_t parts[] = {octets[0] & 0xF, octets[4], octets[30], octets[31]};
    for (size_t i = 0; i < sizeof parts; i++) {
        key = (key ^ parts[i]) * UINT64_C(0x100000001B3);
    }
    bool is_answer = parts[0] == 3 && frame->length >= 54; /* Pdelay_Resp: an event, too */
    for (size_t i = 44; is_answer && i < 54; i++) {
        key = (key ^ octets[i]) * UINT64_C(0x100000001B3);
    }
    for (size_t i = 0; frame->destination == MT_LINK_ADDRESS && i < MT_ADDRESS_OCTETS; i++) {
        key = (key ^ frame->to.octets[i]) * UINT64_C(0x100000001B3);
    }
    return key | 1;
}

static bool scan_send(struct mt_rerun *self, const struct mt_log_record *record)
{
    const struct mt_link_frame *frame = &record->value.send.frame;
    for (size_t i = 0; frame->is_event && i < self->links.count; i++) {
        struct mt_rerun_link *link = mt_rerun_link_at(self, i);
        if (link->opened.index != record->value.send.link) {
            continue;
        }
        struct mt_rerun_send *send = mt_rerun_list_add(&link->sends, sizeof *send);
        if (send == NULL) {
            return false;
        }
        *send = (struct mt_rerun_send){
            .recorded_token = frame->token,
            .key = mt_rerun_key(frame),
            .is_sent = record->value.send.is_sent,
        };
        break;
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool scan_seed(struct mt_rerun *self, uint64_t seed)
{
    uint64_t *place = mt_rerun_list_add(&self->seeds, sizeof *place);

    if (place != NULL) {
        *place = seed;
    }
    return place != NULL;
}

static bool scan_answer(struct mt_rerun *self, const struct mt_log_record *record)
{
    struct mt_log_record *place = mt_rerun_list_add(&self->answers, sizeof *place);

    if (place != NULL) {
        *place = *record;
    }
    return place != NULL;
}

static bool scan(struct mt_rerun *self, const struct mt_log_record *record, struct mt_mono now)
{
    switch (record->kind) {
    case MT_LOG_CLOCK:
        return scan_clock(self, record);
    case MT_LOG_LINK:
        return scan_link(self, record);
    case MT_LOG_IDENTITY:
    case MT_LOG_DRIFT:
    case MT_LOG_OSCILLATOR:
        return scan_answer(self, record);
    case MT_LOG_SEED:
        return scan_seed(self, record->value.seed);
    case MT_LOG_READ:
        return scan_read(self, record, now);
    case MT_LOG_STAMP:
        return scan_stamp(self, record);
    case MT_LOG_APPLY:
        self->result.recorded_corrections++;
        return scan_applied(clock_of(self, record->value.apply.clock), &record->value.apply.applied,
                            now);
    case MT_LOG_DISTURBED:
        return scan_disturbed(self, record, now);
    case MT_LOG_SEND:
        return scan_send(self, record);
    case MT_LOG_START:
    case MT_LOG_NOW:
    case MT_LOG_INPUT:
    case MT_LOG_PAGE:
    case MT_LOG_SAVE:
    case MT_LOG_LEARNED:
    case MT_LOG_ORDER:
    case MT_LOG_END:
        break;
    }
    return true;
}

static int compare_stamps(const void *a, const void *b)
{
    const struct mt_base_time *x = &((const struct mt_rerun_stamp *)a)->base;
    const struct mt_base_time *y = &((const struct mt_rerun_stamp *)b)->base;

    return x->ns != y->ns ? (x->ns > y->ns) - (x->ns < y->ns) : x->frac - y->frac;
}

bool mt_rerun_scan(struct mt_rerun *self, struct mt_log_reader reader)
{
    struct mt_log_record record;

    while (mt_log_read(&reader, &record) == MT_LOG_OK) {
        if (!scan(self, &record, reader.now)) {
            return false;
        }
    }
    for (size_t i = 0; i < self->clocks.count; i++) {
        struct mt_rerun_clock *clock = mt_rerun_clock_at(self, i);

        if (clock->stamps.count > 0) {
            qsort(clock->stamps.items, clock->stamps.count, sizeof(struct mt_rerun_stamp),
                  compare_stamps);
        }
    }
    return true;
}
