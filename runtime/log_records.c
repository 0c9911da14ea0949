/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The values of records.  One function writes the value of each kind and one reads it, side by
 * side.  What is checked here is what the loop and the core rely on: ranges in which sums do not
 * overflow, and a time that does not go backwards.
 */
#include <string.h>

#include "runtime/log_private.h"

#define MOST_NS      (INT64_C(1) << 62) /* 146 years: sums of two do not overflow */
#define MOST_RATE    1.0                /* s/s */
#define MOST_LEARNED 1e12               /* what is sound is far below */

/* ---- clocks and links ------------------------------------------------------------------------ */

static void put_clock(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_hal_clock *hal = &record->value.clock.hal;

    mt_log_put(out, (unsigned)record->value.clock.kind, 1);
    mt_log_put_text(out, record->value.clock.name);
    mt_log_put(out, record->value.clock.is_open, 1);
    mt_log_put_text(out, record->value.clock.reason);
    mt_log_put(out, (unsigned)hal->base, 1);
    mt_log_put(out, (unsigned)hal->scale, 1);
    mt_log_put(out, hal->granularity_ns, 4);
    mt_log_put_real(out, hal->max_rate);
    mt_log_put(out, hal->adopts_scale, 1);
    mt_log_put(out, hal->is_adjustable, 1);
}

static void get_clock(struct mt_log_in *in, struct mt_log_record *record)
{
    struct mt_hal_clock *hal = &record->value.clock.hal;

    record->value.clock.kind =
        (enum mt_clock_kind)mt_log_get_choice(in, MT_CLOCK_SYSTEM, MT_CLOCK_PHC);
    record->value.clock.name = mt_log_get_text(in);
    record->value.clock.is_open = mt_log_get_flag(in);
    record->value.clock.reason = mt_log_get_text(in);
    hal->base = (enum mt_base_clock)mt_log_get_choice(in, MT_BASE_REALTIME, MT_BASE_MONOTONIC);
    hal->scale = (enum mt_timescale)mt_log_get_choice(in, 0, MT_SCALE_COUNT - 1);
    hal->granularity_ns = (uint32_t)mt_log_get(in, 4);
    hal->max_rate = mt_log_get_real(in, MOST_RATE);
    hal->adopts_scale = mt_log_get_flag(in);
    hal->is_adjustable = mt_log_get_flag(in);
    in->failed |= hal->max_rate < 0 || hal->granularity_ns > MT_NS_PER_S;
}

static void put_link(struct mt_log_out *out, const struct mt_log_record *record)
{
    mt_log_put(out, record->value.link.index, 2);
    mt_log_put_text(out, record->value.link.interface);
    mt_log_put(out, record->value.link.is_open, 1);
    mt_log_put_text(out, record->value.link.reason);
    mt_log_put(out, (unsigned)record->value.link.transport, 1);
    mt_log_put(out, record->value.link.is_tagged, 1);
    mt_log_put(out, record->value.link.vlan, 2);
    mt_log_put(out,
               (unsigned)record->value.link.inserts_stamps |
                   (unsigned)record->value.link.inserts_origin << 1 |
                   (unsigned)record->value.link.inserts_turnaround << 2,
               1);
}

static void get_link(struct mt_log_in *in, struct mt_log_record *record)
{
    record->value.link.index = (uint16_t)mt_log_get(in, 2);
    record->value.link.interface = mt_log_get_text(in);
    record->value.link.is_open = mt_log_get_flag(in);
    record->value.link.reason = mt_log_get_text(in);
    if (in->version >= 2) {
        record->value.link.transport =
            (enum mt_transport)mt_log_get_choice(in, MT_TRANSPORT_UDP_IPV4, MT_TRANSPORT_LAST);
        record->value.link.is_tagged = mt_log_get_flag(in);
        record->value.link.vlan = (uint16_t)mt_log_get(in, 2);
        unsigned inserts = (unsigned)mt_log_get(in, 1);
        record->value.link.inserts_stamps = (inserts & 1) != 0;
        record->value.link.inserts_origin = (inserts & 2) != 0;
        record->value.link.inserts_turnaround = (inserts & 4) != 0;
        in->failed |= inserts > 7;
    }
}

static void put_identity(struct mt_log_out *out, const struct mt_log_record *record)
{
    mt_log_put_text(out, record->value.identity.interface);
    mt_log_put(out, record->value.identity.is_known, 1);
    mt_log_put_octets(out, record->value.identity.identity.octet, 8);
}

static void get_identity(struct mt_log_in *in, struct mt_log_record *record)
{
    record->value.identity.interface = mt_log_get_text(in);
    record->value.identity.is_known = mt_log_get_flag(in);

    const uint8_t *octets = mt_log_get_octets(in, 8);
    if (octets != NULL) {
        memcpy(record->value.identity.identity.octet, octets, 8);
    }
}

static void put_reading(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_clock_reading *reading = &record->value.read.reading;

    mt_log_put(out, record->value.read.clock, 2);
    mt_log_put_instant(out, reading->local.at);
    mt_log_put(out, reading->local.corrections, 4);
    mt_log_put_signed(out, reading->base.ns, 8);
    mt_log_put(out, reading->base.frac, 2);
    mt_log_put_signed(out, reading->rate_q64, 8);
    mt_log_put_signed(out, reading->window_ns, 8);
}

static void get_reading(struct mt_log_in *in, struct mt_log_record *record)
{
    struct mt_clock_reading *reading = &record->value.read.reading;

    record->value.read.clock = (uint16_t)mt_log_get(in, 2);
    reading->local.at = mt_log_get_instant(in);
    reading->local.corrections = (uint32_t)mt_log_get(in, 4);
    reading->base.ns = mt_log_get_signed(in, 8);
    reading->base.frac = (uint16_t)mt_log_get(in, 2);
    reading->rate_q64 = mt_log_get_signed(in, 8);
    reading->window_ns = mt_log_get_signed(in, 8);
    in->failed |= reading->base.ns > MOST_NS || reading->base.ns < -MOST_NS ||
                  reading->window_ns < 0 || reading->window_ns > MOST_NS / 2;
}

static void put_stamp(struct mt_log_out *out, const struct mt_log_record *record)
{
    mt_log_put(out, record->value.stamp.clock, 2);
    mt_log_put_signed(out, record->value.stamp.base.ns, 8);
    mt_log_put(out, record->value.stamp.base.frac, 2);
    mt_log_put_instant(out, record->value.stamp.stamp.at);
    mt_log_put(out, record->value.stamp.stamp.corrections, 4);
}

static void get_stamp(struct mt_log_in *in, struct mt_log_record *record)
{
    record->value.stamp.clock = (uint16_t)mt_log_get(in, 2);
    record->value.stamp.base.ns = mt_log_get_signed(in, 8);
    record->value.stamp.base.frac = (uint16_t)mt_log_get(in, 2);
    record->value.stamp.stamp.at = mt_log_get_instant(in);
    record->value.stamp.stamp.corrections = (uint32_t)mt_log_get(in, 4);
}

static void put_apply(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_correction *correction = &record->value.apply.correction;

    mt_log_put(out, record->value.apply.clock, 2);
    mt_log_put(out, (unsigned)correction->kind, 1);
    mt_log_put_span(out, correction->step);
    mt_log_put(out, (unsigned)correction->scale, 1);
    mt_log_put_real(out, correction->rate);
    mt_log_put_applied(out, &record->value.apply.applied);
}

static void get_apply(struct mt_log_in *in, struct mt_log_record *record)
{
    struct mt_correction *correction = &record->value.apply.correction;

    record->value.apply.clock = (uint16_t)mt_log_get(in, 2);
    correction->kind =
        (enum mt_correction_kind)mt_log_get_choice(in, MT_CORRECT_STEP, MT_CORRECT_RATE);
    correction->step = mt_log_get_span(in);
    correction->scale = (enum mt_timescale)mt_log_get_choice(in, 0, MT_SCALE_COUNT - 1);
    correction->rate = mt_log_get_real(in, MOST_RATE);
    mt_log_get_applied(in, &record->value.apply.applied);
}

static void put_send(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_link_frame *frame = &record->value.send.frame;
    size_t length = frame->length < MT_LOG_FRAME_MAX ? frame->length : MT_LOG_FRAME_MAX;

    mt_log_put(out, record->value.send.link, 2);
    mt_log_put(out, (unsigned)frame->destination, 1);
    mt_log_put(out, frame->is_event, 1);
    mt_log_put(out, frame->token, 4);
    mt_log_put(out, record->value.send.is_sent, 1);
    mt_log_put_address(out, &frame->to);
    mt_log_put(out, (unsigned)frame->insertion, 1);
    mt_log_put_instant(out, frame->arrival);
    mt_log_put_octets(out, frame->bytes, length);
}

static void get_send(struct mt_log_in *in, struct mt_log_record *record)
{
    struct mt_link_frame *frame = &record->value.send.frame;

    record->value.send.link = (uint16_t)mt_log_get(in, 2);
    frame->destination =
        (enum mt_link_destination)mt_log_get_choice(in, MT_LINK_PRIMARY, MT_LINK_ADDRESS);
    frame->is_event = mt_log_get_flag(in);
    frame->token = (uint32_t)mt_log_get(in, 4);
    record->value.send.is_sent = mt_log_get_flag(in);
    if (in->version >= 2) {
        mt_log_get_address(in, &frame->to);
        frame->insertion =
            (enum mt_insertion)mt_log_get_choice(in, MT_INSERT_NOTHING, MT_INSERT_RESIDENCE);
        frame->arrival = mt_log_get_instant(in);
    }
    frame->length = in->left;
    frame->bytes = mt_log_get_octets(in, in->left);
}

/* ---- oscillators ----------------------------------------------------------------------------- */

static void put_oscillator(struct mt_log_out *out, const struct mt_log_record *record)
{
    const struct mt_steer_oscillator_memory *memory = &record->value.oscillator.memory;

    mt_log_put(out, record->value.oscillator.index, 2);
    mt_log_put(out, record->value.oscillator.is_known, 1);
    mt_log_put_text(out, record->value.oscillator.reason);
    mt_log_put_real(out, memory->ageing);
    mt_log_put_real(out, memory->ageing_sigma);
    mt_log_put_real(out, memory->coefficient);
    mt_log_put_real(out, memory->coefficient_sigma);
    mt_log_put_real(out, memory->kelvin);
    mt_log_put_real(out, memory->kelvin_low);
    mt_log_put_real(out, memory->kelvin_high);
    mt_log_put_real(out, memory->wander);
    mt_log_put_real(out, memory->observed_s);
    mt_log_put(out, memory->uses_temperature, 1);
    mt_log_put_real(out, memory->frequency);
    mt_log_put_real(out, memory->frequency_sigma);
    mt_log_put_real(out, memory->age_s);
}

static void get_oscillator(struct mt_log_in *in, struct mt_log_record *record)
{
    struct mt_steer_oscillator_memory *memory = &record->value.oscillator.memory;

    record->value.oscillator.index = (uint16_t)mt_log_get(in, 2);
    record->value.oscillator.is_known = mt_log_get_flag(in);
    record->value.oscillator.reason = mt_log_get_text(in);
    memory->ageing = mt_log_get_real(in, MOST_LEARNED);
    memory->ageing_sigma = mt_log_get_real(in, MOST_LEARNED);
    memory->coefficient = mt_log_get_real(in, MOST_LEARNED);
    memory->coefficient_sigma = mt_log_get_real(in, MOST_LEARNED);
    memory->kelvin = mt_log_get_real(in, MOST_LEARNED);
    memory->kelvin_low = mt_log_get_real(in, MOST_LEARNED);
    memory->kelvin_high = mt_log_get_real(in, MOST_LEARNED);
    memory->wander = mt_log_get_real(in, MOST_LEARNED);
    memory->observed_s = mt_log_get_real(in, MOST_LEARNED);
    memory->uses_temperature = mt_log_get_flag(in);
    memory->frequency = mt_log_get_real(in, MOST_LEARNED);
    memory->frequency_sigma = mt_log_get_real(in, MOST_LEARNED);
    memory->age_s = mt_log_get_real(in, MOST_LEARNED);
    in->failed |= in->version < MT_LOG_OSCILLATORS ||
                  (record->value.oscillator.is_known && !mt_steer_oscillator_is_sound(memory));
}

/* ---- any value but START and RELOAD ---------------------------------------------------------- */

void mt_log_put_order(struct mt_log_out *out, const struct mt_order *order)
{
    mt_log_put(out, (unsigned)order->kind, 1);
    mt_log_put_signed(out, order->now.ns, 8);
    mt_log_put(out, order->came_while_waiting, 1);
    switch (order->kind) {
    case MT_ORDER_COMMAND:
        mt_log_put(out, order->instance, 2);
        mt_log_put_command(out, &order->command);
        break;
    case MT_ORDER_FACTS:
        mt_log_put_facts(out, &order->facts);
        break;
    case MT_ORDER_ADDRESS:
    case MT_ORDER_KEYS:
    case MT_ORDER_OWN:
        mt_log_put(out, order->instance, 2);
        mt_log_put_address(out, &order->address);
        break;
    case MT_ORDER_AUTO:
        mt_log_put(out, order->instance, 2);
        mt_log_put(out, order->class_is_auto, 1);
        mt_log_put(out, order->variance_is_auto, 1);
        mt_log_put(out, order->utc_offset_is_auto, 1);
        break;
    case MT_ORDER_STOP:
    case MT_ORDER_RELOAD:
        break;
    }
}

void mt_log_put_value(struct mt_log_out *out, const struct mt_log_record *record)
{
    switch (record->kind) {
    case MT_LOG_CLOCK:
        put_clock(out, record);
        break;
    case MT_LOG_LINK:
        put_link(out, record);
        break;
    case MT_LOG_IDENTITY:
        put_identity(out, record);
        break;
    case MT_LOG_SEED:
        mt_log_put(out, record->value.seed, 8);
        break;
    case MT_LOG_DRIFT:
        mt_log_put(out, record->value.drift.index, 2);
        mt_log_put(out, record->value.drift.is_known, 1);
        mt_log_put_real(out, record->value.drift.rate);
        break;
    case MT_LOG_NOW:
        mt_log_put_signed(out, record->value.now.ns, 8);
        break;
    case MT_LOG_INPUT:
        mt_log_put_signed(out, record->value.input.deadline.ns, 8);
        mt_log_put_input(out, &record->value.input.input);
        break;
    case MT_LOG_READ:
        put_reading(out, record);
        break;
    case MT_LOG_STAMP:
        put_stamp(out, record);
        break;
    case MT_LOG_APPLY:
        put_apply(out, record);
        break;
    case MT_LOG_DISTURBED:
        mt_log_put(out, record->value.disturbed.clock, 2);
        mt_log_put_applied(out, &record->value.disturbed.applied);
        break;
    case MT_LOG_SEND:
        put_send(out, record);
        break;
    case MT_LOG_PAGE:
        mt_log_put(out, record->value.page.index, 2);
        mt_log_put(out, record->value.page.digest, 8);
        break;
    case MT_LOG_SAVE:
        mt_log_put(out, record->value.save.index, 2);
        mt_log_put_real(out, record->value.save.rate);
        break;
    case MT_LOG_ORDER:
        mt_log_put_order(out, &record->value.order);
        break;
    case MT_LOG_OSCILLATOR:
    case MT_LOG_LEARNED:
        put_oscillator(out, record);
        break;
    case MT_LOG_START:
    case MT_LOG_END:
        break;
    }
}

static void get_time(struct mt_log_reader *self, struct mt_log_in *in, struct mt_mono now)
{
    in->failed |= now.ns < self->now.ns || now.ns > MOST_NS;
    self->now = in->failed ? self->now : now;
}

static void get_start(struct mt_log_in *in, struct mt_log_start *start)
{
    start->about = mt_log_get_text(in);
    mt_log_get_facts(in, &start->facts);
    start->config.length = in->left;
    start->config.text = (const char *)mt_log_get_octets(in, in->left);
}

static void get_order(struct mt_log_reader *self, struct mt_log_in *in, struct mt_order *order)
{
    order->kind = (enum mt_order_kind)mt_log_get_choice(in, MT_ORDER_COMMAND, MT_ORDER_AUTO);
    order->now.ns = mt_log_get_signed(in, 8);
    get_time(self, in, order->now);
    order->came_while_waiting = mt_log_get_flag(in);
    switch (order->kind) {
    case MT_ORDER_COMMAND:
        order->instance = (uint16_t)mt_log_get(in, 2);
        mt_log_get_command(in, &order->command);
        break;
    case MT_ORDER_RELOAD:
        order->config.length = in->left;
        order->config.text = (const char *)mt_log_get_octets(in, in->left);
        break;
    case MT_ORDER_FACTS:
        mt_log_get_facts(in, &order->facts);
        break;
    case MT_ORDER_ADDRESS:
    case MT_ORDER_OWN:
        order->instance = (uint16_t)mt_log_get(in, 2);
        mt_log_get_address(in, &order->address);
        break;
    case MT_ORDER_KEYS:
        order->instance = (uint16_t)mt_log_get(in, 2);
        mt_log_get_address(in, &order->address);
        order->config.length = in->left;
        order->config.text = (const char *)mt_log_get_octets(in, in->left);
        break;
    case MT_ORDER_AUTO:
        order->instance = (uint16_t)mt_log_get(in, 2);
        order->class_is_auto = mt_log_get_flag(in);
        order->variance_is_auto = mt_log_get_flag(in);
        order->utc_offset_is_auto = in->left > 0 && mt_log_get_flag(in); /* older logs: never */
        break;
    case MT_ORDER_STOP:
        break;
    }
}

void mt_log_get_value(struct mt_log_reader *self, struct mt_log_in *in,
                      struct mt_log_record *record)
{
    switch (record->kind) {
    case MT_LOG_START:
        get_start(in, &record->value.start);
        break;
    case MT_LOG_CLOCK:
        get_clock(in, record);
        break;
    case MT_LOG_LINK:
        get_link(in, record);
        break;
    case MT_LOG_IDENTITY:
        get_identity(in, record);
        break;
    case MT_LOG_SEED:
        record->value.seed = mt_log_get(in, 8);
        break;
    case MT_LOG_DRIFT:
        record->value.drift.index = (uint16_t)mt_log_get(in, 2);
        record->value.drift.is_known = mt_log_get_flag(in);
        record->value.drift.rate = mt_log_get_real(in, MOST_RATE);
        break;
    case MT_LOG_NOW:
        record->value.now.ns = mt_log_get_signed(in, 8);
        get_time(self, in, record->value.now);
        break;
    case MT_LOG_INPUT:
        record->value.input.deadline.ns = mt_log_get_signed(in, 8);
        mt_log_get_input(in, &record->value.input.input);
        get_time(self, in, record->value.input.input.now);
        break;
    case MT_LOG_READ:
        get_reading(in, record);
        break;
    case MT_LOG_STAMP:
        get_stamp(in, record);
        break;
    case MT_LOG_APPLY:
        get_apply(in, record);
        break;
    case MT_LOG_DISTURBED:
        record->value.disturbed.clock = (uint16_t)mt_log_get(in, 2);
        mt_log_get_applied(in, &record->value.disturbed.applied);
        break;
    case MT_LOG_SEND:
        get_send(in, record);
        break;
    case MT_LOG_PAGE:
        record->value.page.index = (uint16_t)mt_log_get(in, 2);
        record->value.page.digest = mt_log_get(in, 8);
        break;
    case MT_LOG_SAVE:
        record->value.save.index = (uint16_t)mt_log_get(in, 2);
        record->value.save.rate = mt_log_get_real(in, MOST_RATE);
        break;
    case MT_LOG_ORDER:
        get_order(self, in, &record->value.order);
        break;
    case MT_LOG_OSCILLATOR:
    case MT_LOG_LEARNED:
        get_oscillator(in, record);
        break;
    case MT_LOG_END:
        break;
    }
}
