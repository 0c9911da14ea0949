/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The log is read twice: once for what the clocks and links were, once for the inputs.  Time is
 * that of the log: an input comes when it came, and before that the node is woken at each of its
 * own deadlines.  The world does not know of the new run, so it answers what the recorded node
 * had asked.  A question that both ask (equal message, domain and sequence number) has the
 * recorded transmit stamp and the recorded answer, which is right whenever the new node would have
 * asked; a question that only the new node asks has neither.
 */
#include "runtime/rerun.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rerun_private.h"

#define SENDS_LOOKED_AT 64 /* around the one that the log has got to */

/* ---- links ----------------------------------------------------------------------------------- */

static size_t first_of(const struct mt_rerun_link *self)
{
    return self->passed > SENDS_LOOKED_AT / 2 ? self->passed - SENDS_LOOKED_AT / 2 : 0;
}

/* False for an event message: its stamp is missing. */
static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_rerun_link *self = (struct mt_rerun_link *)hal;
    struct mt_rerun_send *sends = self->sends.items;
    uint64_t key = mt_rerun_key(frame);

    self->rerun->result.frames++;
    hal->counters.sent++;
    if (!frame->is_event) {
        return true;
    }
    size_t first = first_of(self);
    for (size_t i = first; i < self->sends.count && i < first + SENDS_LOOKED_AT; i++) {
        if (sends[i].key == key && sends[i].is_sent && !sends[i].is_answered &&
            !sends[i].is_taken) {
            sends[i].is_taken = true;
            sends[i].token = frame->token;
            return true;
        }
    }
    self->rerun->result.unmatched++;
    return false;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

/* The token that the node gave to what was sent with the recorded one; false: it did not. */
static bool translate_token(struct mt_rerun *self, struct mt_input *input)
{
    for (size_t l = 0; l < self->links.count; l++) {
        struct mt_rerun_link *link = mt_rerun_link_at(self, l);
        struct mt_rerun_send *sends = link->sends.items;
        size_t first = first_of(link);
        if (link->opened.index != input->link) {
            continue;
        }
        for (size_t i = first; i < link->sends.count && i < first + SENDS_LOOKED_AT; i++) {
            if (sends[i].recorded_token == input->token && !sends[i].is_answered) {
                sends[i].is_answered = true;
                input->token = sends[i].token;
                return sends[i].is_taken;
            }
        }
    }
    return false;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void tell_reason(struct mt_log_text recorded, char reason[MT_HAL_REASON_SIZE])
{
    snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", (int)recorded.length, recorded.text);
}

static struct mt_hal_clock *open_clock(struct mt_hal_provider *provider,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_rerun *self = (struct mt_rerun *)provider;

    snprintf(reason, MT_HAL_REASON_SIZE, "the log has no such clock");
    for (size_t i = 0; i < self->clocks.count; i++) {
        struct mt_rerun_clock *clock = mt_rerun_clock_at(self, i);
        if (clock->kind == request->kind && mt_replay_is_text(clock->name, request->name)) {
            tell_reason(clock->reason, reason);
            return clock->is_open ? &clock->hal : NULL;
        }
    }
    return NULL;
}

static struct mt_hal_link *open_link(struct mt_hal_provider *provider, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_rerun *self = (struct mt_rerun *)provider;

    snprintf(reason, MT_HAL_REASON_SIZE, "%s",
             request->transport == MT_TRANSPORT_LOCAL ? "" : "the log has no such link");
    for (size_t i = 0; i < self->links.count; i++) {
        struct mt_rerun_link *link = mt_rerun_link_at(self, i);
        if (link->opened.index == index && mt_replay_is_link(&link->opened, request)) {
            link->hal.ops = &link_ops;
            tell_reason(link->opened.reason, reason);
            return link->opened.is_open ? &link->hal : NULL;
        }
    }
    return NULL;
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    struct mt_rerun *self = (struct mt_rerun *)provider;
    const struct mt_log_record *answers = self->answers.items;

    for (size_t i = 0; i < self->answers.count; i++) {
        if (answers[i].kind == MT_LOG_IDENTITY && answers[i].value.identity.is_known &&
            mt_replay_is_text(answers[i].value.identity.interface, interface)) {
            *ret_identity = answers[i].value.identity.identity;
            return true;
        }
    }
    return false;
}

static const struct mt_hal_provider_ops provider_ops = {
    .open_clock = open_clock,
    .open_link = open_link,
    .identity = identity,
};

static bool load_drift(struct mt_hal_store *hal, uint16_t index, mt_real *ret_rate)
{
    const struct mt_rerun *self = ((struct mt_rerun_store *)hal)->rerun;
    const struct mt_log_record *answers = self->answers.items;

    for (size_t i = 0; i < self->answers.count; i++) {
        if (answers[i].kind == MT_LOG_DRIFT && answers[i].value.drift.index == index) {
            *ret_rate = answers[i].value.drift.rate;
            return answers[i].value.drift.is_known;
        }
    }
    return false;
}

static bool load_oscillator(struct mt_hal_store *hal, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_rerun *self = ((struct mt_rerun_store *)hal)->rerun;
    const struct mt_log_record *answers = self->answers.items;

    reason[0] = '\0';
    for (size_t i = 0; i < self->answers.count; i++) {
        if (answers[i].kind == MT_LOG_OSCILLATOR && answers[i].value.oscillator.index == index) {
            tell_reason(answers[i].value.oscillator.reason, reason);
            if (answers[i].value.oscillator.is_known) {
                *ret_memory = answers[i].value.oscillator.memory;
            }
            return answers[i].value.oscillator.is_known;
        }
    }
    return false;
}

static const struct mt_hal_store_ops store_ops = {.load_drift = load_drift,
                                                  .load_oscillator = load_oscillator};

static uint64_t seed(struct mt_hal_entropy *hal)
{
    struct mt_rerun *self = ((struct mt_rerun_entropy *)hal)->rerun;
    const uint64_t *seeds = self->seeds.items;

    return self->seed_at < self->seeds.count ? seeds[self->seed_at++] : self->seed_at++;
}

/* ---- time ------------------------------------------------------------------------------------ */

static struct mt_mono wait_now(struct mt_hal_wait *hal)
{
    return ((struct mt_rerun_wait *)hal)->rerun->now;
}

/* Only mt_rerun_step() feeds the node. */
static void wait_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    *ret_input = (struct mt_input){.kind = MT_INPUT_NONE, .now = wait_now(hal)};
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

static void complain(struct mt_rerun *self)
{
    char complaint[160];

    mt_log_complaint(&self->reader, complaint, sizeof complaint);
    self->result.is_damaged = true;
    snprintf(self->result.sentence, sizeof self->result.sentence,
             "octet %zu, time %" PRId64 " ns: %s", self->reader.at, self->reader.now.ns, complaint);
}

static void pass_send(struct mt_rerun *self)
{
    for (size_t i = 0; i < self->links.count; i++) {
        struct mt_rerun_link *link = mt_rerun_link_at(self, i);
        link->passed += link->opened.index == self->ahead.value.send.link &&
                        self->ahead.value.send.frame.is_event;
    }
}

/* Looks ahead to the next input, order or end.  False: there is none. */
static bool look_ahead(struct mt_rerun *self)
{
    while (!self->has_ahead && !self->result.is_damaged) {
        self->result.offset = self->reader.at;
        enum mt_log_result found = mt_log_read(&self->reader, &self->ahead);
        if (found == MT_LOG_OVER) {
            return false;
        }
        if (found != MT_LOG_OK) {
            complain(self);
            return false;
        }
        if (self->ahead.kind == MT_LOG_SEND) {
            pass_send(self);
        }
        self->has_ahead = self->ahead.kind == MT_LOG_INPUT || self->ahead.kind == MT_LOG_ORDER ||
                          self->ahead.kind == MT_LOG_END;
    }
    return self->has_ahead;
}

static struct mt_mono time_of(const struct mt_log_record *record)
{
    return record->kind == MT_LOG_ORDER ? record->value.order.now : record->value.input.input.now;
}

static void advance(struct mt_rerun *self, struct mt_mono to)
{
    self->now = to.ns > self->now.ns ? to : self->now;
    self->result.at = self->now;
}

static void feed(struct mt_rerun *self, struct mt_node *node, struct mt_input input)
{
    input.now = self->now;
    self->result.inputs++;
    if (input.kind == MT_INPUT_TX_STAMP && !translate_token(self, &input)) {
        input.kind = MT_INPUT_NONE;
    }
    for (size_t i = 0; i < self->links.count; i++) {
        struct mt_rerun_link *link = mt_rerun_link_at(self, i);
        link->hal.counters.received +=
            link->opened.index == input.link && input.kind == MT_INPUT_FRAME;
    }
    mt_node_input(node, &input);
}

/* The recorded node waited until then, too, or was woken soon after. */
static bool is_met(const struct mt_log_record *next, struct mt_mono deadline)
{
    bool is_same = next->kind == MT_LOG_INPUT && next->value.input.deadline.ns == deadline.ns;

    return is_same || deadline.ns >= time_of(next).ns - MT_RERUN_LATE_NS;
}

/* A deadline that no input of the log meets. */
static bool wake(struct mt_rerun *self, struct mt_node *node)
{
    struct mt_mono deadline = mt_node_deadline(node);

    if (is_met(&self->ahead, deadline)) {
        return false;
    }
    /* time must pass, whatever the node says */
    advance(self, deadline.ns > self->now.ns ? deadline : mt_mono_plus(self->now, 1000));
    mt_node_input(node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = self->now});
    return true;
}

bool mt_rerun_step(struct mt_rerun *self, struct mt_node *node)
{
    if (!look_ahead(self)) {
        return false;
    }
    if (self->ahead.kind == MT_LOG_END) {
        self->result.is_complete = true;
        self->result.offset = self->reader.at;
        return false;
    }
    if (wake(self, node)) {
        return true;
    }
    self->has_ahead = false;
    advance(self, time_of(&self->ahead));
    if (self->ahead.kind == MT_LOG_ORDER) {
        const struct mt_order order = self->ahead.value.order;

        mt_replay_carry_out(&self->hooks, node, &order, self->now);
    } else {
        feed(self, node, self->ahead.value.input.input);
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The start, and the time before the first input. */
static bool read_start(struct mt_rerun *self, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_log_record record;
    bool is_good = mt_log_read(&self->reader, &record) == MT_LOG_OK && record.kind == MT_LOG_START;

    if (!is_good) {
        snprintf(reason, MT_HAL_REASON_SIZE, "the input log does not begin with a configuration");
        return false;
    }
    self->start = record.value.start;
    struct mt_log_reader ahead = self->reader;
    while (mt_log_read(&ahead, &record) == MT_LOG_OK && record.kind != MT_LOG_INPUT) {
        if (record.kind == MT_LOG_NOW) {
            self->now = record.value.now;
            break;
        }
    }
    return true;
}

struct mt_rerun *mt_rerun_open(const uint8_t *octets, size_t length,
                               char reason[MT_HAL_REASON_SIZE])
{
    struct mt_rerun *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return NULL;
    }
    self->wait = (struct mt_rerun_wait){{&wait_ops}, self};
    self->store = (struct mt_rerun_store){{&store_ops}, self};
    self->entropy = (struct mt_rerun_entropy){{seed}, self};
    self->provider = (struct mt_hal_provider){&provider_ops, &self->wait.hal, &self->store.hal,
                                              &self->entropy.hal};
    bool is_log =
        mt_replay_begin_log(&self->reader, octets, length, reason) && read_start(self, reason);
    if (!is_log || !mt_rerun_scan(self, self->reader)) {
        if (is_log) {
            snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        }
        mt_rerun_close(self);
        return NULL;
    }
    return self;
}

void mt_rerun_close(struct mt_rerun *self)
{
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->clocks.count; i++) {
        struct mt_rerun_clock *clock = mt_rerun_clock_at(self, i);
        free(clock->recorded.items);
        free(clock->anchors.items);
        free(clock->stamps.items);
        free(clock->moments.items);
        free(clock->disturbances.items);
        free(clock->segments.items);
        free(clock);
    }
    for (size_t i = 0; i < self->links.count; i++) {
        free(mt_rerun_link_at(self, i)->sends.items);
        free(mt_rerun_link_at(self, i));
    }
    free(self->clocks.items);
    free(self->links.items);
    free(self->seeds.items);
    free(self->answers.items);
    free(self);
}

const struct mt_log_start *mt_rerun_start(const struct mt_rerun *self)
{
    return &self->start;
}

struct mt_hal_provider *mt_rerun_provider(struct mt_rerun *self)
{
    return &self->provider;
}

void mt_rerun_on_order(struct mt_rerun *self, mt_replay_order *function, void *context)
{
    self->hooks.carry_out = function;
    self->hooks.context = context;
}

void mt_rerun_observe(struct mt_rerun *self, const struct mt_replay_observer *observer)
{
    self->hooks.observer = *observer;
}

const struct mt_rerun_result *mt_rerun_result(const struct mt_rerun *self)
{
    return &self->result;
}
