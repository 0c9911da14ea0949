/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP messages.  A parser first looks at everything that can be wrong (lengths, version, type,
 * TLVs, nanoseconds) and only then writes the result, once and in place: nothing is half
 * written, nothing is copied twice.  What the standard leaves to the reader is settled so:
 *
 * - messageLength rules, not the frame: what follows it is padding of the link and is not
 *   looked at [13.3.2.4].  The bytes between the body and messageLength are a sequence of whole
 *   TLVs of even length [13.4, 14.1.2]; one to three octets that are left over are no TLV, so the
 *   message is malformed.  There is no leniency, since such a message has no certain meaning.
 * - Reserved fields, controlField and the upper nibble beside actionField are not looked at on
 *   receipt and written as the standard says; so they do not survive a round trip.
 * - The timestamp stands at the same place in all types that have one, which makes the range
 *   check of its nanoseconds one comparison.  A time of day of zero is legal everywhere.
 */
#include "meantime/ptp_wire.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "meantime/ptp_tlv.h"

#define VERSION_PTP  2
#define OFFSET_NS    40 /* of the nanoseconds of the first timestamp */
#define S_OF_48_BITS INT64_C(0xFFFFFFFFFFFF)

/* octets of header and body; 0: reserved type */
static const uint8_t sizes[16] = {
    [MT_PTP_SYNC] = 44,
    [MT_PTP_DELAY_REQ] = 44,
    [MT_PTP_PDELAY_REQ] = 54,
    [MT_PTP_PDELAY_RESP] = 54,
    [MT_PTP_FOLLOW_UP] = 44,
    [MT_PTP_DELAY_RESP] = 54,
    [MT_PTP_PDELAY_RESP_FOLLOW_UP] = 54,
    [MT_PTP_ANNOUNCE] = MT_PTP_ANNOUNCE_SIZE,
    [MT_PTP_SIGNALING] = 44,
    [MT_PTP_MANAGEMENT] = 48,
};

/* controlField, kept for version 1 hardware [Table 42] */
static uint8_t control_of(enum mt_ptp_type type)
{
    switch (type) {
    case MT_PTP_SYNC:
        return 0;
    case MT_PTP_DELAY_REQ:
        return 1;
    case MT_PTP_FOLLOW_UP:
        return 2;
    case MT_PTP_DELAY_RESP:
        return 3;
    case MT_PTP_MANAGEMENT:
        return 4;
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_ANNOUNCE:
    case MT_PTP_SIGNALING:
        break;
    }
    return 5;
}

int mt_clock_identity_compare(const struct mt_clock_identity *a, const struct mt_clock_identity *b)
{
    int difference = memcmp(a, b, sizeof *a);

    return (difference > 0) - (difference < 0);
}

bool mt_clock_identity_equal(const struct mt_clock_identity *a, const struct mt_clock_identity *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

int mt_port_identity_compare(const struct mt_port_identity *a, const struct mt_port_identity *b)
{
    int order = mt_clock_identity_compare(&a->clock, &b->clock);

    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

bool mt_port_identity_equal(const struct mt_port_identity *a, const struct mt_port_identity *b)
{
    return mt_port_identity_compare(a, b) == 0;
}

static struct mt_clock_identity read_clock(struct mt_reader *r)
{
    struct mt_clock_identity clock = {{0}};
    const uint8_t *octets = mt_reader_octets(r, sizeof clock.octet);

    if (octets != NULL) {
        memcpy(clock.octet, octets, sizeof clock.octet);
    }
    return clock;
}

static void read_port(struct mt_reader *r, struct mt_port_identity *port)
{
    port->clock = read_clock(r);
    port->port = mt_reader_u16(r);
}

static void read_timestamp(struct mt_reader *r, struct mt_ptp_timestamp *at)
{
    at->s = mt_reader_u48(r);
    at->ns = mt_reader_u32(r);
}

static void read_header(struct mt_reader *r, struct mt_ptp_header *header)
{
    uint8_t sdo_and_type = mt_reader_u8(r);

    header->type = (enum mt_ptp_type)(sdo_and_type & 0x0F);
    header->minor_version = mt_reader_u8(r) >> 4;
    header->length = mt_reader_u16(r);
    header->domain = mt_reader_u8(r);
    header->sdo_id = (uint16_t)((sdo_and_type & 0xF0u) << 4 | mt_reader_u8(r));
    header->flags = mt_reader_u16(r);
    header->correction.q16 = mt_reader_i64(r);
    header->type_specific = mt_reader_u32(r);
    read_port(r, &header->source);
    header->sequence = mt_reader_u16(r);
    (void)mt_reader_u8(r); /* controlField */
    header->log_interval = mt_reader_i8(r);
}

static void read_announce(struct mt_reader *r, struct mt_ptp_announce *announce)
{
    read_timestamp(r, &announce->origin);
    announce->utc_offset = mt_reader_i16(r);
    (void)mt_reader_u8(r); /* reserved */
    announce->priority1 = mt_reader_u8(r);
    announce->quality.clock_class = mt_reader_u8(r);
    announce->quality.accuracy = mt_reader_u8(r);
    announce->quality.variance = mt_reader_u16(r);
    announce->priority2 = mt_reader_u8(r);
    announce->grandmaster = read_clock(r);
    announce->steps_removed = mt_reader_u16(r);
    announce->time_source = mt_reader_u8(r);
}

static void read_management(struct mt_reader *r, struct mt_ptp_management *management)
{
    read_port(r, &management->target);
    management->starting_hops = mt_reader_u8(r);
    management->hops = mt_reader_u8(r);
    management->action = mt_reader_u8(r) & 0x0F;
    (void)mt_reader_u8(r); /* reserved */
}

static void read_body(struct mt_reader *r, struct mt_ptp_message *message)
{
    switch (message->header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_PDELAY_REQ: /* the reserved octets behind it are not read */
        read_timestamp(r, &message->body.origin);
        break;
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        read_timestamp(r, &message->body.response.at);
        read_port(r, &message->body.response.requester);
        break;
    case MT_PTP_ANNOUNCE:
        read_announce(r, &message->body.announce);
        break;
    case MT_PTP_SIGNALING:
        read_port(r, &message->body.target);
        break;
    case MT_PTP_MANAGEMENT:
        read_management(r, &message->body.management);
        break;
    }
}

static bool has_timestamp(enum mt_ptp_type type)
{
    return type < MT_PTP_SIGNALING;
}

static bool has_valid_ns(const uint8_t *frame)
{
    struct mt_reader r;

    mt_reader_init(&r, frame + OFFSET_NS, 4);
    return mt_reader_u32(&r) < MT_NS_PER_S;
}

enum mt_verdict mt_ptp_parse(const uint8_t *frame, size_t length,
                             struct mt_ptp_message *ret_message)
{
    struct mt_reader r;
    enum mt_ptp_type type;
    size_t size;
    size_t message_length;

    if (length < MT_PTP_HEADER_SIZE) {
        return MT_VERDICT_SHORT;
    }
    if ((frame[1] & 0x0F) != VERSION_PTP) {
        return MT_VERDICT_VERSION;
    }
    type = (enum mt_ptp_type)(frame[0] & 0x0F);
    size = sizes[type];
    if (size == 0) {
        return MT_VERDICT_TYPE;
    }
    if (length < size) {
        return MT_VERDICT_SHORT;
    }
    message_length = (size_t)frame[2] << 8 | frame[3];
    if (message_length < size || message_length > length) {
        return MT_VERDICT_LENGTH;
    }
    if (!mt_tlv_is_valid(frame + size, message_length - size)) {
        return MT_VERDICT_TLV;
    }
    if (has_timestamp(type) && !has_valid_ns(frame)) {
        return MT_VERDICT_FIELD;
    }
    mt_reader_init(&r, frame, size);
    read_header(&r, &ret_message->header);
    read_body(&r, ret_message);
    ret_message->tlvs = frame + size;
    ret_message->tlvs_length = message_length - size;
    return MT_VERDICT_ACCEPTED;
}

static void write_clock(struct mt_writer *w, const struct mt_clock_identity *clock)
{
    mt_writer_octets(w, clock->octet, sizeof clock->octet);
}

static void write_port(struct mt_writer *w, const struct mt_port_identity *port)
{
    write_clock(w, &port->clock);
    mt_writer_u16(w, port->port);
}

static void write_timestamp(struct mt_writer *w, const struct mt_ptp_timestamp *at)
{
    mt_writer_u48(w, at->s);
    mt_writer_u32(w, at->ns);
}

static void write_header(struct mt_writer *w, const struct mt_ptp_header *header, size_t length)
{
    mt_writer_u8(w, (uint8_t)((header->sdo_id >> 4 & 0xF0u) | header->type));
    mt_writer_u8(w, (uint8_t)((header->minor_version & 0x0Fu) << 4 | VERSION_PTP));
    mt_writer_u16(w, (uint16_t)length);
    mt_writer_u8(w, header->domain);
    mt_writer_u8(w, (uint8_t)(header->sdo_id & 0xFF));
    mt_writer_u16(w, header->flags);
    mt_writer_i64(w, header->correction.q16);
    mt_writer_u32(w, header->type_specific);
    write_port(w, &header->source);
    mt_writer_u16(w, header->sequence);
    mt_writer_u8(w, control_of(header->type));
    mt_writer_i8(w, header->log_interval);
}

static void write_announce(struct mt_writer *w, const struct mt_ptp_announce *announce)
{
    write_timestamp(w, &announce->origin);
    mt_writer_i16(w, announce->utc_offset);
    mt_writer_u8(w, 0);
    mt_writer_u8(w, announce->priority1);
    mt_writer_u8(w, announce->quality.clock_class);
    mt_writer_u8(w, announce->quality.accuracy);
    mt_writer_u16(w, announce->quality.variance);
    mt_writer_u8(w, announce->priority2);
    write_clock(w, &announce->grandmaster);
    mt_writer_u16(w, announce->steps_removed);
    mt_writer_u8(w, announce->time_source);
}

static void write_management(struct mt_writer *w, const struct mt_ptp_management *management)
{
    write_port(w, &management->target);
    mt_writer_u8(w, management->starting_hops);
    mt_writer_u8(w, management->hops);
    mt_writer_u8(w, management->action & 0x0F);
    mt_writer_u8(w, 0);
}

static void write_body(struct mt_writer *w, const struct mt_ptp_message *message)
{
    switch (message->header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_FOLLOW_UP:
        write_timestamp(w, &message->body.origin);
        break;
    case MT_PTP_PDELAY_REQ: /* as long as its answer, so that both take equally long */
        write_timestamp(w, &message->body.origin);
        mt_writer_zeros(w, 10);
        break;
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        write_timestamp(w, &message->body.response.at);
        write_port(w, &message->body.response.requester);
        break;
    case MT_PTP_ANNOUNCE:
        write_announce(w, &message->body.announce);
        break;
    case MT_PTP_SIGNALING:
        write_port(w, &message->body.target);
        break;
    case MT_PTP_MANAGEMENT:
        write_management(w, &message->body.management);
        break;
    }
}

size_t mt_ptp_write(const struct mt_ptp_message *message, uint8_t *buffer, size_t capacity)
{
    struct mt_writer w;
    size_t size = sizes[message->header.type & 0x0F];

    if (capacity > MT_PTP_MESSAGE_MAX) {
        capacity = MT_PTP_MESSAGE_MAX;
    }
    if (size == 0 || size > capacity || message->tlvs_length > capacity - size) {
        return 0;
    }
    mt_writer_init(&w, buffer, capacity);
    write_header(&w, &message->header, size + message->tlvs_length);
    write_body(&w, message);
    mt_writer_octets(&w, message->tlvs, message->tlvs_length);
    return mt_writer_length(&w);
}

bool mt_ptp_is_event(enum mt_ptp_type type)
{
    return type <= MT_PTP_PDELAY_RESP;
}

struct mt_instant mt_ptp_timestamp_to_instant(const struct mt_ptp_timestamp *at,
                                              enum mt_timescale scale)
{
    return (struct mt_instant){(int64_t)(at->s & S_OF_48_BITS), at->ns, 0, scale};
}

void mt_ptp_timestamp_from_instant(const struct mt_instant *at,
                                   struct mt_ptp_timestamp *ret_timestamp,
                                   struct mt_interval *ret_fraction)
{
    ret_fraction->q16 = 0;
    if (at->s < 0) {
        *ret_timestamp = (struct mt_ptp_timestamp){0, 0};
    } else if (at->s > S_OF_48_BITS) {
        *ret_timestamp = (struct mt_ptp_timestamp){S_OF_48_BITS, MT_NS_PER_S - 1};
    } else {
        *ret_timestamp = (struct mt_ptp_timestamp){(uint64_t)at->s, at->ns};
        ret_fraction->q16 = at->frac;
    }
}
