/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One record is looked at ahead.  Each call of the node must find a record of its kind there, with
 * the same question in it, and gets the recorded answer.  When the replay is over, whatever the
 * reason, calls get harmless answers until the node comes back.
 */
#include "runtime/replay.h"
#include "runtime/log_keys.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/replay_private.h"

/* ---- the end --------------------------------------------------------------------------------- */

bool mt_replay_is_over(const struct mt_replay *self)
{
    return self->result.outcome != MT_REPLAY_RUNNING;
}

void mt_replay_finish(struct mt_replay *self, enum mt_replay_outcome outcome, const char *format,
                      ...)
{
    struct mt_replay_result *result = &self->result;
    int written;
    va_list arguments;

    if (mt_replay_is_over(self)) {
        return;
    }
    result->outcome = outcome;
    if (format == NULL) {
        return;
    }
    written = snprintf(result->sentence, sizeof result->sentence,
                       "record %" PRIu64 " (octet %zu, time %" PRId64 " ns): ", result->records + 1,
                       result->offset, result->at.ns);
    va_start(arguments, format);
    vsnprintf(result->sentence + written, sizeof result->sentence - (size_t)written, format,
              arguments);
    va_end(arguments);
}

/* ---- reading on ------------------------------------------------------------------------------ */

bool mt_replay_look_ahead(struct mt_replay *self)
{
    char complaint[160];

    if (self->has_ahead || mt_replay_is_over(self)) {
        return self->has_ahead && !mt_replay_is_over(self);
    }
    switch (mt_log_read(&self->reader, &self->ahead)) {
    case MT_LOG_OK:
        self->has_ahead = true;
        break;
    case MT_LOG_OVER:
        mt_replay_finish(self, MT_REPLAY_SAME, NULL);
        break;
    case MT_LOG_TRUNCATED:
    case MT_LOG_CORRUPT:
        mt_log_complaint(&self->reader, complaint, sizeof complaint);
        mt_replay_finish(self, MT_REPLAY_CORRUPT, "%s", complaint);
        break;
    }
    return self->has_ahead;
}

void mt_replay_step_over(struct mt_replay *self)
{
    self->has_ahead = false;
    self->result.records++;
    self->result.offset = self->reader.at;
    self->result.at = self->reader.now;
}

const struct mt_log_record *mt_replay_expect(struct mt_replay *self, enum mt_log_kind kind)
{
    if (!mt_replay_look_ahead(self)) {
        return NULL;
    }
    if (self->ahead.kind != kind) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "the node wants %s where the log has %s",
                         mt_log_kind_name(kind), mt_log_kind_name(self->ahead.kind));
        return NULL;
    }
    mt_replay_step_over(self);
    return &self->ahead;
}

const struct mt_log_record *mt_replay_expect_of(struct mt_replay *self, enum mt_log_kind kind,
                                                const uint16_t *number, uint16_t wanted)
{
    const struct mt_log_record *record = mt_replay_expect(self, kind);

    if (record != NULL && *number != wanted) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "%s is of number %u, was of %u",
                         mt_log_kind_name(kind), wanted, *number);
        return NULL;
    }
    return record;
}

bool mt_replay_is_text(struct mt_log_text text, const char *string)
{
    return strlen(string) == text.length && memcmp(string, text.text, text.length) == 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

void mt_replay_carry_out(const struct mt_replay_hooks *self, struct mt_node *node,
                         const struct mt_order *order, struct mt_mono now)
{
    struct mt_log_keys keys;
    if (self->observer.ordered != NULL) {
        self->observer.ordered(self->observer.context, order);
    }
    switch (order->kind) {
    case MT_ORDER_COMMAND:
        mt_node_command(node, order->instance, &order->command, now);
        break;
    case MT_ORDER_RELOAD:
    case MT_ORDER_FACTS:
        if (self->carry_out != NULL) {
            self->carry_out(self->context, order);
        }
        break;
    case MT_ORDER_ADDRESS:
        mt_node_set_ntp_address(node, order->instance, &order->address, now);
        break;
    case MT_ORDER_KEYS:
        if (mt_log_keys_unpack(order->config, &keys)) {
            mt_node_set_ntp_keys(node, order->instance, &keys, &order->address, now);
        }
        break;
    case MT_ORDER_OWN:
        mt_ntp_serve_add_own(node, order->instance, &order->address);
        break;
    case MT_ORDER_AUTO:
        if (order->class_is_auto || order->variance_is_auto) {
            mt_foreign_time_make_auto(node, order->instance, order->class_is_auto,
                                      order->variance_is_auto, now);
        }
        if (order->utc_offset_is_auto && self->carry_out != NULL) {
            self->carry_out(self->context, order);
        }
        break;
    case MT_ORDER_STOP:
        mt_node_stop(node, now);
        break;
    }
}

/* Orders come between an input and the wait for the next, or during that wait. */
static void carry_out_orders(struct mt_replay *self, bool came_while_waiting)
{
    while (mt_replay_look_ahead(self) && self->ahead.kind == MT_LOG_ORDER && self->node != NULL &&
           self->ahead.value.order.came_while_waiting == came_while_waiting) {
        struct mt_order order = self->ahead.value.order;

        mt_replay_step_over(self);
        mt_replay_carry_out(&self->hooks, self->node, &order, order.now);
    }
    if (mt_replay_look_ahead(self) && self->ahead.kind == MT_LOG_END) {
        mt_replay_step_over(self);
        self->result.is_complete = true;
        mt_replay_finish(self, MT_REPLAY_SAME, NULL);
    }
}

static void count_input(struct mt_replay *self, const struct mt_input *input)
{
    self->result.inputs++;
    for (struct mt_replayed_link *link = self->links; link != NULL; link = link->next) {
        if (link->index == input->link) {
            link->hal.counters.received += input->kind == MT_INPUT_FRAME;
        }
    }
}

static void wait_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_replay *self = ((struct mt_replayed_wait *)hal)->replay;

    *ret_input = (struct mt_input){.kind = MT_INPUT_NONE, .now = self->reader.now};
    carry_out_orders(self, true);

    const struct mt_log_record *record = mt_replay_expect(self, MT_LOG_INPUT);
    if (record == NULL) {
        return;
    }
    if (record->value.input.deadline.ns != deadline.ns) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "the node waits until %" PRId64 " ns, waited until %" PRId64 " ns",
                         deadline.ns, record->value.input.deadline.ns);
        return;
    }
    *ret_input = record->value.input.input;
    count_input(self, ret_input);
}

static struct mt_mono wait_now(struct mt_hal_wait *hal)
{
    struct mt_replay *self = ((struct mt_replayed_wait *)hal)->replay;

    if (mt_replay_look_ahead(self) && self->ahead.kind == MT_LOG_NOW) {
        mt_replay_step_over(self);
    }
    return self->result.at;
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

/* ---- store, entropy, identity ---------------------------------------------------------------- */

static void publish(struct mt_hal_store *hal, uint16_t index, const struct mt_clock_page *page)
{
    struct mt_replay *self = ((struct mt_replayed_store *)hal)->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(self, MT_LOG_PAGE, &self->ahead.value.page.index, index);

    if (record != NULL && record->value.page.digest != mt_log_page_digest(page)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "the page of clock %u differs from the recorded one", index);
    }
}

static bool load_drift(struct mt_hal_store *hal, uint16_t index, mt_real *ret_rate)
{
    struct mt_replay *self = ((struct mt_replayed_store *)hal)->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(self, MT_LOG_DRIFT, &self->ahead.value.drift.index, index);

    if (record == NULL || !record->value.drift.is_known) {
        return false;
    }
    *ret_rate = record->value.drift.rate;
    return true;
}

static void save_drift(struct mt_hal_store *hal, uint16_t index, mt_real rate)
{
    struct mt_replay *self = ((struct mt_replayed_store *)hal)->replay;
    const struct mt_log_record *record =
        mt_replay_expect_of(self, MT_LOG_SAVE, &self->ahead.value.save.index, index);

    if (record != NULL && memcmp(&record->value.save.rate, &rate, sizeof rate) != 0) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED, "the rate %.17g is stored, was %.17g", rate,
                         record->value.save.rate);
    }
}

/* An older program neither asked nor stored. */
static const struct mt_log_record *expect_oscillator(struct mt_replay *self, enum mt_log_kind kind,
                                                     uint16_t index)
{
    return self->reader.version < MT_LOG_OSCILLATORS
               ? NULL
               : mt_replay_expect_of(self, kind, &self->ahead.value.oscillator.index, index);
}

static bool load_oscillator(struct mt_hal_store *hal, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE])
{
    struct mt_replay *self = ((struct mt_replayed_store *)hal)->replay;
    const struct mt_log_record *record = expect_oscillator(self, MT_LOG_OSCILLATOR, index);

    reason[0] = '\0';
    if (record == NULL) {
        return false;
    }
    snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", (int)record->value.oscillator.reason.length,
             record->value.oscillator.reason.text);
    if (record->value.oscillator.is_known) {
        *ret_memory = record->value.oscillator.memory;
    }
    return record->value.oscillator.is_known;
}

static bool is_same(const struct mt_steer_oscillator_memory *a,
                    const struct mt_steer_oscillator_memory *b)
{
    return a->ageing == b->ageing && a->ageing_sigma == b->ageing_sigma &&
           a->coefficient == b->coefficient && a->coefficient_sigma == b->coefficient_sigma &&
           a->kelvin == b->kelvin && a->kelvin_low == b->kelvin_low &&
           a->kelvin_high == b->kelvin_high && a->wander == b->wander &&
           a->observed_s == b->observed_s && a->uses_temperature == b->uses_temperature &&
           a->frequency == b->frequency && a->frequency_sigma == b->frequency_sigma &&
           a->age_s == b->age_s;
}

static void save_oscillator(struct mt_hal_store *hal, uint16_t index,
                            const struct mt_steer_oscillator_memory *memory)
{
    struct mt_replay *self = ((struct mt_replayed_store *)hal)->replay;
    const struct mt_log_record *record = expect_oscillator(self, MT_LOG_LEARNED, index);

    if (record != NULL && !is_same(&record->value.oscillator.memory, memory)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "what is learned of the oscillator of clock %u differs from what was",
                         index);
    }
}

static const struct mt_hal_store_ops store_ops = {
    .publish = publish,
    .load_drift = load_drift,
    .save_drift = save_drift,
    .load_oscillator = load_oscillator,
    .save_oscillator = save_oscillator,
};

static uint64_t seed(struct mt_hal_entropy *hal)
{
    const struct mt_log_record *record =
        mt_replay_expect(((struct mt_replayed_entropy *)hal)->replay, MT_LOG_SEED);

    return record != NULL ? record->value.seed : 0;
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    struct mt_replay *self = (struct mt_replay *)provider;
    const struct mt_log_record *record = mt_replay_expect(self, MT_LOG_IDENTITY);

    if (record == NULL || !record->value.identity.is_known) {
        return false;
    }
    if (!mt_replay_is_text(record->value.identity.interface, interface)) {
        mt_replay_finish(self, MT_REPLAY_DIVERGED,
                         "the identity of another interface is asked for");
        return false;
    }
    *ret_identity = record->value.identity.identity;
    return true;
}

static const struct mt_hal_provider_ops provider_ops = {
    .open_clock = mt_replay_open_clock,
    .open_link = mt_replay_open_link,
    .close_link = mt_replay_close_link,
    .identity = identity,
};

/* ---- the whole ------------------------------------------------------------------------------- */

/* Says in `reason` why a log cannot be begun with. */
bool mt_replay_begin_log(struct mt_log_reader *reader, const uint8_t *octets, size_t length,
                         char reason[MT_HAL_REASON_SIZE])
{
    int version = mt_log_version(octets, length);

    if (version < 0) {
        snprintf(reason, MT_HAL_REASON_SIZE,
                 "this is no input log: it does not begin as what meantimed --record writes");
    } else if (version < 1 || version > MT_LOG_VERSION) {
        snprintf(reason, MT_HAL_REASON_SIZE,
                 "this input log is of version %d, and this program knows versions 1 to %d only: "
                 "use the meantime that belongs to the meantimed that has recorded it",
                 version, MT_LOG_VERSION);
    }
    return mt_log_open(reader, octets, length);
}

static bool begin(struct mt_replay *self, const uint8_t *octets, size_t length,
                  char reason[MT_HAL_REASON_SIZE])
{
    if (!mt_replay_begin_log(&self->reader, octets, length, reason)) {
        return false;
    }
    self->result.offset = self->reader.at;
    const struct mt_log_record *record = mt_replay_expect(self, MT_LOG_START);
    if (record == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE,
                 "the input log does not begin with a configuration%s%.*s",
                 self->result.outcome == MT_REPLAY_CORRUPT ? ": " : "",
                 self->result.outcome == MT_REPLAY_CORRUPT ? 200 : 0, self->result.sentence);
        return false;
    }
    self->start = record->value.start;
    return true;
}

struct mt_replay *mt_replay_open(const uint8_t *octets, size_t length,
                                 char reason[MT_HAL_REASON_SIZE])
{
    struct mt_replay *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return NULL;
    }
    self->wait = (struct mt_replayed_wait){{&wait_ops}, self};
    self->store = (struct mt_replayed_store){{&store_ops}, self};
    self->entropy = (struct mt_replayed_entropy){{seed}, self};
    self->provider = (struct mt_hal_provider){&provider_ops, &self->wait.hal, &self->store.hal,
                                              &self->entropy.hal};
    if (!begin(self, octets, length, reason)) {
        free(self);
        return NULL;
    }
    return self;
}

void mt_replay_close(struct mt_replay *self)
{
    if (self == NULL) {
        return;
    }
    while (self->clocks != NULL) {
        struct mt_replayed_clock *clock = self->clocks;

        self->clocks = clock->next;
        free(clock);
    }
    while (self->links != NULL) {
        struct mt_replayed_link *link = self->links;

        self->links = link->next;
        free(link);
    }
    free(self);
}

const struct mt_log_start *mt_replay_start(const struct mt_replay *self)
{
    return &self->start;
}

struct mt_hal_provider *mt_replay_provider(struct mt_replay *self)
{
    return &self->provider;
}

void mt_replay_on_order(struct mt_replay *self, mt_replay_order *function, void *context)
{
    self->hooks.carry_out = function;
    self->hooks.context = context;
}

void mt_replay_observe(struct mt_replay *self, const struct mt_replay_observer *observer)
{
    self->hooks.observer = *observer;
}

bool mt_replay_step(struct mt_replay *self, struct mt_node *node)
{
    struct mt_input input;

    self->node = node;
    carry_out_orders(self, false);
    wait_next(&self->wait.hal, mt_node_deadline(node), &input);
    if (!mt_replay_is_over(self)) {
        mt_node_input(node, &input);
    }
    self->node = NULL;
    return !mt_replay_is_over(self);
}

const struct mt_replay_result *mt_replay_result(const struct mt_replay *self)
{
    return &self->result;
}
