/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Numbers and small structs as octets, each with its reader below its writer, so that the two are
 * compared at a glance.  Readers check what other code relies on: fractions below their unit,
 * enumerations in range, reals finite and of a size that an oscillator can have.
 */
#include <string.h>

#include "meantime/steer_leap.h"

#include "runtime/log_private.h"

#define MOST_RATE   1.0    /* s/s */
#define MOST_LEAP_S 100000 /* of TAI - UTC: more than Linux takes */

union real_bits {
    mt_real real;
    uint64_t bits;
};

/* ---- numbers --------------------------------------------------------------------------------- */

void mt_log_put(struct mt_log_out *out, uint64_t number, unsigned size)
{
    if (out->left < size) {
        out->failed = true;
        out->left = 0;
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        out->at[i] = (uint8_t)(number >> 8 * i);
    }
    out->at += size;
    out->left -= size;
}

uint64_t mt_log_get(struct mt_log_in *in, unsigned size)
{
    uint64_t number = 0;

    if (in->left < size) {
        in->failed = true;
        in->left = 0;
        return 0;
    }
    for (unsigned i = 0; i < size; i++) {
        number |= (uint64_t)in->at[i] << 8 * i;
    }
    in->at += size;
    in->left -= size;
    return number;
}

void mt_log_put_signed(struct mt_log_out *out, int64_t number, unsigned size)
{
    mt_log_put(out, (uint64_t)number, size);
}

int64_t mt_log_get_signed(struct mt_log_in *in, unsigned size)
{
    uint64_t number = mt_log_get(in, size);
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    number = (number ^ sign) - sign;
    return number <= INT64_MAX ? (int64_t)number : -(int64_t)~number - 1;
}

void mt_log_put_real(struct mt_log_out *out, mt_real number)
{
    union real_bits value = {number};

    mt_log_put(out, value.bits, 8);
}

mt_real mt_log_get_real(struct mt_log_in *in, mt_real most)
{
    union real_bits value;

    value.bits = mt_log_get(in, 8);
    if (!(value.real <= most && value.real >= -most)) {
        in->failed = true;
        return 0;
    }
    return value.real;
}

bool mt_log_get_flag(struct mt_log_in *in)
{
    return mt_log_get_choice(in, 0, 1) == 1;
}

unsigned mt_log_get_choice(struct mt_log_in *in, unsigned first, unsigned last)
{
    unsigned number = (unsigned)mt_log_get(in, 1);

    if (number < first || number > last) {
        in->failed = true;
        return first;
    }
    return number;
}

/* ---- octets and text ------------------------------------------------------------------------- */

void mt_log_put_octets(struct mt_log_out *out, const uint8_t *octets, size_t length)
{
    if (out->left < length) {
        out->failed = true;
        out->left = 0;
        return;
    }
    if (length > 0) {
        memcpy(out->at, octets, length);
    }
    out->at += length;
    out->left -= length;
}

const uint8_t *mt_log_get_octets(struct mt_log_in *in, size_t length)
{
    const uint8_t *octets = in->at;

    if (in->left < length) {
        in->failed = true;
        in->left = 0;
        return NULL;
    }
    in->at += length;
    in->left -= length;
    return octets;
}

void mt_log_put_text(struct mt_log_out *out, struct mt_log_text text)
{
    size_t length = text.length < MT_LOG_TEXT_MAX ? text.length : MT_LOG_TEXT_MAX;

    mt_log_put(out, length, 2);
    mt_log_put_octets(out, (const uint8_t *)text.text, length);
}

struct mt_log_text mt_log_get_text(struct mt_log_in *in)
{
    size_t length = (size_t)mt_log_get(in, 2);
    const char *text = (const char *)mt_log_get_octets(in, length);

    return (struct mt_log_text){text != NULL ? text : "", text != NULL ? length : 0};
}

/* ---- time ------------------------------------------------------------------------------------ */

void mt_log_put_span(struct mt_log_out *out, struct mt_span span)
{
    mt_log_put_signed(out, span.s, 8);
    mt_log_put(out, span.ns, 4);
    mt_log_put(out, span.frac, 2);
}

struct mt_span mt_log_get_span(struct mt_log_in *in)
{
    struct mt_span span;

    span.s = mt_log_get_signed(in, 8);
    span.ns = (uint32_t)mt_log_get(in, 4);
    span.frac = (uint16_t)mt_log_get(in, 2);
    in->failed |= span.ns >= MT_NS_PER_S;
    return span;
}

void mt_log_put_instant(struct mt_log_out *out, struct mt_instant at)
{
    mt_log_put_span(out, (struct mt_span){at.s, at.ns, at.frac});
    mt_log_put(out, (unsigned)at.scale, 1);
}

struct mt_instant mt_log_get_instant(struct mt_log_in *in)
{
    struct mt_span span = mt_log_get_span(in);

    return (struct mt_instant){span.s, span.ns, span.frac,
                               (enum mt_timescale)mt_log_get_choice(in, 0, MT_SCALE_COUNT - 1)};
}

/* ---- clocks ---------------------------------------------------------------------------------- */

void mt_log_put_applied(struct mt_log_out *out, const struct mt_applied *applied)
{
    mt_log_put(out, (unsigned)applied->kind, 1);
    mt_log_put_span(out, applied->step);
    mt_log_put_real(out, applied->rate);
    mt_log_put_instant(out, applied->at);
    mt_log_put(out, applied->corrections, 4);
    mt_log_put(out, applied->is_refused, 1);
}

void mt_log_get_applied(struct mt_log_in *in, struct mt_applied *ret_applied)
{
    ret_applied->kind =
        (enum mt_correction_kind)mt_log_get_choice(in, MT_CORRECT_STEP, MT_CORRECT_RATE);
    ret_applied->step = mt_log_get_span(in);
    ret_applied->rate = mt_log_get_real(in, MOST_RATE);
    ret_applied->at = mt_log_get_instant(in);
    ret_applied->corrections = (uint32_t)mt_log_get(in, 4);
    ret_applied->is_refused = mt_log_get_flag(in);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* no more octets than the network's addresses have; none for no address */
void mt_log_put_address(struct mt_log_out *out, const struct mt_address *address)
{
    size_t length = mt_address_length(address);

    mt_log_put(out, length > 0 ? address->network : MT_NETWORK_NONE, 1);
    if (length > 0) {
        mt_log_put_octets(out, address->octets, length);
        mt_log_put(out, address->udp_port, 2);
    }
}

void mt_log_get_address(struct mt_log_in *in, struct mt_address *ret_address)
{
    struct mt_address address = {
        .network = (uint8_t)mt_log_get_choice(in, MT_NETWORK_NONE, MT_NETWORK_LOCAL_READ_ONLY)};
    size_t length = mt_address_length(&address);

    in->failed |= length == 0 && address.network != MT_NETWORK_NONE;
    if (length > 0) {
        const uint8_t *octets = mt_log_get_octets(in, length);

        if (octets != NULL) {
            memcpy(address.octets, octets, length);
        }
        address.udp_port = (uint16_t)mt_log_get(in, 2);
    }
    *ret_address = address;
}

/* ---- inputs ---------------------------------------------------------------------------------- */

void mt_log_put_input(struct mt_log_out *out, const struct mt_input *input)
{
    size_t length = input->length < MT_LOG_FRAME_MAX ? input->length : MT_LOG_FRAME_MAX;

    mt_log_put(out, (unsigned)input->kind, 1);
    mt_log_put(out, input->link, 2);
    mt_log_put_signed(out, input->now.ns, 8);
    mt_log_put(out, input->token, 4);
    mt_log_put(out, input->is_up, 1);
    mt_log_put(out, input->has_stamp, 1);
    mt_log_put_signed(out, input->stamp.ns, 8);
    mt_log_put(out, input->stamp.frac, 2);
    mt_log_put_address(out, &input->from);
    mt_log_put_octets(out, input->bytes, input->bytes != NULL ? length : 0);
}

/* the frame is what is left */
void mt_log_get_input(struct mt_log_in *in, struct mt_input *ret_input)
{
    ret_input->kind = (enum mt_input_kind)mt_log_get_choice(in, MT_INPUT_NONE, MT_INPUT_RESUMED);
    ret_input->link = (uint16_t)mt_log_get(in, 2);
    ret_input->now.ns = mt_log_get_signed(in, 8);
    ret_input->token = (uint32_t)mt_log_get(in, 4);
    ret_input->is_up = mt_log_get_flag(in);
    ret_input->has_stamp = mt_log_get_flag(in);
    ret_input->stamp.ns = mt_log_get_signed(in, 8);
    ret_input->stamp.frac = (uint16_t)mt_log_get(in, 2);
    if (in->version >= 2) {
        mt_log_get_address(in, &ret_input->from);
    }
    ret_input->length = in->left;
    ret_input->bytes = mt_log_get_octets(in, in->left);
    in->failed |= ret_input->length > MT_LOG_FRAME_MAX;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void put_quality(struct mt_log_out *out, struct mt_clock_quality quality)
{
    mt_log_put(out, quality.clock_class, 1);
    mt_log_put(out, quality.accuracy, 1);
    mt_log_put(out, quality.variance, 2);
}

static void get_quality(struct mt_log_in *in, struct mt_clock_quality *ret_quality)
{
    ret_quality->clock_class = (uint8_t)mt_log_get(in, 1);
    ret_quality->accuracy = (uint8_t)mt_log_get(in, 1);
    ret_quality->variance = (uint16_t)mt_log_get(in, 2);
}

static void put_time(struct mt_log_out *out, const struct mt_time_properties *time)
{
    mt_log_put_signed(out, time->utc_offset, 2);
    mt_log_put(out, time->flags, 2);
    mt_log_put(out, time->time_source, 1);
}

static void get_time(struct mt_log_in *in, struct mt_time_properties *ret_time)
{
    ret_time->utc_offset = (int16_t)mt_log_get_signed(in, 2);
    ret_time->flags = (uint16_t)mt_log_get(in, 2);
    ret_time->time_source = (uint8_t)mt_log_get(in, 1);
}

void mt_log_put_command(struct mt_log_out *out, const struct mt_command *command)
{
    mt_log_put(out, (unsigned)command->kind, 1);
    mt_log_put(out, command->port, 2);
    switch (command->kind) {
    case MT_COMMAND_LINK:
    case MT_COMMAND_PORT_ENABLE:
    case MT_COMMAND_FAULT:
        mt_log_put(out, command->value.is_on, 1);
        break;
    case MT_COMMAND_PRIORITIES:
        mt_log_put(out, command->value.priorities.priority1, 1);
        mt_log_put(out, command->value.priorities.priority2, 1);
        break;
    case MT_COMMAND_QUALITY:
        put_quality(out, command->value.quality);
        break;
    case MT_COMMAND_TIME_PROPERTIES:
        put_time(out, &command->value.time);
        break;
    case MT_COMMAND_CLOCK:
        break;
    }
}

void mt_log_get_command(struct mt_log_in *in, struct mt_command *ret_command)
{
    *ret_command = (struct mt_command){
        .kind = (enum mt_command_kind)mt_log_get_choice(in, MT_COMMAND_LINK,
                                                        MT_COMMAND_TIME_PROPERTIES),
        .port = (uint16_t)mt_log_get(in, 2),
    };
    switch (ret_command->kind) {
    case MT_COMMAND_LINK:
    case MT_COMMAND_PORT_ENABLE:
    case MT_COMMAND_FAULT:
        ret_command->value.is_on = mt_log_get_flag(in);
        break;
    case MT_COMMAND_PRIORITIES:
        ret_command->value.priorities.priority1 = (uint8_t)mt_log_get(in, 1);
        ret_command->value.priorities.priority2 = (uint8_t)mt_log_get(in, 1);
        break;
    case MT_COMMAND_QUALITY:
        get_quality(in, &ret_command->value.quality);
        break;
    case MT_COMMAND_TIME_PROPERTIES:
        get_time(in, &ret_command->value.time);
        break;
    case MT_COMMAND_CLOCK:
        in->failed = true;
        break;
    }
}

void mt_log_put_facts(struct mt_log_out *out, const struct mt_log_facts *facts)
{
    mt_log_put(out, facts->tai_utc_known, 1);
    mt_log_put_signed(out, facts->tai_minus_utc_s, 4);
    mt_log_put_signed(out, facts->leap_s, 1);
    mt_log_put(out, facts->by, 1);
    mt_log_put_signed(out, facts->slack_s, 4);
    mt_log_put_signed(out, facts->kernel_s, 4);
}

static bool is_leap_count(int32_t s)
{
    return s >= -MOST_LEAP_S && s <= MOST_LEAP_S;
}

void mt_log_get_facts(struct mt_log_in *in, struct mt_log_facts *ret_facts)
{
    ret_facts->tai_utc_known = mt_log_get_flag(in);
    ret_facts->tai_minus_utc_s = (int32_t)mt_log_get_signed(in, 4);
    ret_facts->leap_s = (int32_t)mt_log_get_signed(in, 1);
    if (in->version >= 4) {
        ret_facts->by = (uint8_t)mt_log_get(in, 1);
        ret_facts->slack_s = (int32_t)mt_log_get_signed(in, 4);
        ret_facts->kernel_s = (int32_t)mt_log_get_signed(in, 4);
    } else {
        ret_facts->by = MT_LEAP_BY_NOBODY;
        ret_facts->slack_s = 0;
        ret_facts->kernel_s = 0;
    }
    in->failed |= ret_facts->leap_s < -1 || ret_facts->leap_s > 1;
    in->failed |= !is_leap_count(ret_facts->tai_minus_utc_s) ||
                  !is_leap_count(ret_facts->slack_s) || !is_leap_count(ret_facts->kernel_s);
    in->failed |= ret_facts->by > MT_LEAP_BY_OLD_LIST;
}
