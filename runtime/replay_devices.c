/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks and links of a replay: what the node does to them is compared with what was recorded,
 * what they answered then is answered now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/replay_private.h"

/* ---- clocks ---------------------------------------------------------------------------------- */

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct mt_replayed_clock *self = (struct mt_replayed_clock *)hal;
    struct mt_replay *replay = self->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(replay, MT_LOG_READ, &replay->ahead.value.read.clock, self->index);

    if (record != NULL) {
        self->last = record->value.read.reading;
    }
    *ret_reading = self->last;
}

static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct mt_replayed_clock *self = (struct mt_replayed_clock *)hal;
    struct mt_replay *replay = self->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(replay, MT_LOG_STAMP, &replay->ahead.value.stamp.clock, self->index);

    *ret_stamp = self->last.local;
    if (record == NULL) {
        return;
    }
    if (record->value.stamp.base.ns != base.ns || record->value.stamp.base.frac != base.frac) {
        mt_replay_finish(replay, MT_REPLAY_DIVERGED,
                         "another stamp is converted than was recorded");
        return;
    }
    *ret_stamp = record->value.stamp.stamp;
}

static bool is_same_correction(const struct mt_correction *a, const struct mt_correction *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == MT_CORRECT_RATE) {
        return memcmp(&a->rate, &b->rate, sizeof a->rate) == 0;
    }
    return mt_span_compare(a->step, b->step) == 0 && a->scale == b->scale;
}

#define STEP_TEXT_SIZE 64

/* To the last bit: 2^-16 ns is 0.000015 ns.  Steps may also differ in their timescale alone. */
static const char *step_text(const struct mt_correction *correction, char text[STEP_TEXT_SIZE])
{
    static const char *const scales[MT_SCALE_COUNT] = {"ARB", "TAI", "UTC", "smeared UTC"};
    struct mt_span step = correction->step;
    bool is_negative = step.s < 0;

    step = is_negative ? mt_span_negate(step) : step;
    snprintf(text, STEP_TEXT_SIZE, "%s%" PRId64 ".%05u ns to %s", is_negative ? "-" : "",
             mt_span_to_ns(step), (step.frac * 100000u + 32768u) / 65536u,
             scales[correction->scale]);
    return text;
}

static void tell_other_correction(struct mt_replay *self, const struct mt_correction *done,
                                  const struct mt_correction *recorded)
{
    if (done->kind != recorded->kind) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "a %s of the clock where the log has a %s",
                         done->kind == MT_CORRECT_STEP ? "step" : "change of rate",
                         recorded->kind == MT_CORRECT_STEP ? "step" : "change of rate");
    } else if (done->kind == MT_CORRECT_RATE) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "the clock's rate is set to %.17g, was set to %.17g", done->rate,
                         recorded->rate);
    } else {
        char texts[2][STEP_TEXT_SIZE];

        mt_replay_finish(self, MT_REPLAY_DIVERGED, "the clock is stepped by %s, was stepped by %s",
                         step_text(done, texts[0]), step_text(recorded, texts[1]));
    }
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct mt_replayed_clock *self = (struct mt_replayed_clock *)hal;
    struct mt_replay *replay = self->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(replay, MT_LOG_APPLY, &replay->ahead.value.apply.clock, self->index);

    *ret_applied = (struct mt_applied){.kind = correction->kind, .is_refused = true};
    if (record == NULL) {
        return;
    }
    if (!is_same_correction(correction, &record->value.apply.correction)) {
        tell_other_correction(replay, correction, &record->value.apply.correction);
        return;
    }
    *ret_applied = record->value.apply.applied;
    replay->result.corrections++;
    if (!ret_applied->is_refused) {
        hal->scale = ret_applied->at.scale;
    }
    if (replay->hooks.observer.corrected != NULL) {
        replay->hooks.observer.corrected(replay->hooks.observer.context, hal, correction,
                                         ret_applied, replay->result.at);
    }
}

/* Written only if there was something, so the log tells by what comes next. */
static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct mt_replayed_clock *self = (struct mt_replayed_clock *)hal;
    struct mt_replay *replay = self->replay;

    if (!mt_replay_look_ahead(replay) || replay->ahead.kind != MT_LOG_DISTURBED ||
        replay->ahead.value.disturbed.clock != self->index) {
        return false;
    }
    mt_replay_step_over(replay);
    *ret_applied = replay->ahead.value.disturbed.applied;
    hal->scale = ret_applied->at.scale;
    return true;
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
};

/* Why something could not be opened then; a log may have lost that. */
static void tell_reason(struct mt_log_text recorded, char reason[MT_HAL_REASON_SIZE])
{
    if (recorded.length > 0) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", (int)recorded.length, recorded.text);
    }
}

static struct mt_replayed_clock *new_clock(struct mt_replay *self, const struct mt_hal_clock *hal)
{
    struct mt_replayed_clock *clock = calloc(1, sizeof *clock);

    if (clock != NULL) {
        clock->hal = *hal;
        clock->hal.ops = &clock_ops;
        clock->replay = self;
        clock->index = self->clock_count++;
        clock->next = self->clocks;
        self->clocks = clock;
    }
    return clock;
}

struct mt_hal_clock *mt_replay_open_clock(struct mt_hal_provider *provider,
                                          const struct mt_clock_request *request,
                                          char reason[MT_HAL_REASON_SIZE])
{
    struct mt_replay *self = (struct mt_replay *)provider;
    const struct mt_log_record *record = mt_replay_expect(self, MT_LOG_CLOCK);
    struct mt_replayed_clock *clock = NULL;

    snprintf(reason, MT_HAL_REASON_SIZE, "the log has no such clock");
    if (record == NULL) {
        return NULL;
    }
    if (record->value.clock.kind != request->kind ||
        !mt_replay_is_text(record->value.clock.name, request->name)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "another clock is opened than was recorded");
        return NULL;
    }
    if (record->value.clock.is_open) {
        clock = new_clock(self, &record->value.clock.hal);
    } else {
        tell_reason(record->value.clock.reason, reason);
    }
    return clock != NULL ? &clock->hal : NULL;
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool is_same_address(const struct mt_link_frame *a, const struct mt_link_frame *b)
{
    return a->destination == b->destination && a->is_event == b->is_event && a->token == b->token &&
           mt_address_equal(&a->to, &b->to) && a->to.udp_port == b->to.udp_port;
}

static bool is_same_insertion(const struct mt_link_frame *a, const struct mt_link_frame *b)
{
    return a->insertion == b->insertion &&
           (a->insertion != MT_INSERT_RESIDENCE || mt_instant_compare(a->arrival, b->arrival) == 0);
}

static void compare_frames(struct mt_replay *self, const struct mt_link_frame *done,
                           const struct mt_link_frame *recorded)
{
    size_t at = 0;
    size_t length = done->length < recorded->length ? done->length : recorded->length;

    while (at < length && done->bytes[at] == recorded->bytes[at]) {
        at++;
    }
    if (at < length) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "octet %zu of the frame is 0x%02x, was 0x%02x",
                         at, done->bytes[at], recorded->bytes[at]);
    } else if (done->length != recorded->length) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "the frame has %zu octets, had %zu",
                         done->length, recorded->length);
    } else if (!is_same_address(done, recorded)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "the frame goes to another destination or has another token");
    } else if (!is_same_insertion(done, recorded)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "another time is to be inserted into the frame as it leaves");
    }
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_replayed_link *self = (struct mt_replayed_link *)hal;
    struct mt_replay *replay = self->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(replay, MT_LOG_SEND, &replay->ahead.value.send.link, self->index);

    if (record == NULL) {
        return true;
    }
    compare_frames(replay, frame, &record->value.send.frame);
    if (record->value.send.is_sent) {
        hal->counters.sent++;
    } else {
        hal->counters.send_failed++;
    }
    replay->result.frames += !mt_replay_is_over(replay);
    return record->value.send.is_sent;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

bool mt_replay_is_link(const struct mt_log_link *link, const struct mt_link_request *request)
{
    return mt_replay_is_text(link->interface, request->interface) &&
           link->transport == request->transport && link->is_tagged == request->is_tagged &&
           link->vlan == request->vlan;
}

static struct mt_replayed_link *new_link(struct mt_replay *self, uint16_t index,
                                         const struct mt_log_link *opened)
{
    struct mt_replayed_link *link = calloc(1, sizeof *link);

    if (link != NULL) {
        link->hal.ops = &link_ops;
        link->hal.inserts_stamps = opened->inserts_stamps;
        link->hal.inserts_origin = opened->inserts_origin;
        link->hal.inserts_turnaround = opened->inserts_turnaround;
        link->replay = self;
        link->index = index;
        link->next = self->links;
        self->links = link;
    }
    return link;
}

/* Programs from before there were management sockets have not opened any. */
static bool is_link_ahead(struct mt_replay *self, uint16_t index)
{
    return mt_replay_look_ahead(self) && self->ahead.kind == MT_LOG_LINK &&
           self->ahead.value.link.index == index;
}

void mt_replay_close_link(struct mt_hal_provider *provider, uint16_t index)
{
    struct mt_replayed_link **at = &((struct mt_replay *)provider)->links;

    while (*at != NULL && (*at)->index != index) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct mt_replayed_link *link = *at;

        *at = link->next;
        free(link);
    }
}

struct mt_hal_link *mt_replay_open_link(struct mt_hal_provider *provider, uint16_t index,
                                        const struct mt_link_request *request,
                                        char reason[MT_HAL_REASON_SIZE])
{
    struct mt_replay *self = (struct mt_replay *)provider;
    const struct mt_log_record *record;
    struct mt_replayed_link *link = NULL;

    if (request->transport == MT_TRANSPORT_LOCAL && !is_link_ahead(self, index)) {
        reason[0] = '\0';
        return NULL;
    }
    record = mt_replay_expect_of(self, MT_LOG_LINK, &self->ahead.value.link.index, index);
    snprintf(reason, MT_HAL_REASON_SIZE, "the log has no such link");
    if (record == NULL) {
        return NULL;
    }
    if (!mt_replay_is_link(&record->value.link, request)) {
        mt_replay_finish(
            self, MT_REPLAY_DIVERGED,
            "another interface is opened than was recorded: its name, transport or VLAN differs");
        return NULL;
    }
    if (record->value.link.is_open) {
        link = new_link(self, index, &record->value.link);
    } else {
        tell_reason(record->value.link.reason, reason);
    }
    return link != NULL ? &link->hal : NULL;
}
