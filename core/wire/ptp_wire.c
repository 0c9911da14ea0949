/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP messages.  Tables say where the fields are, and parser and writer walk the same ones; by
 * hand is only what shares an octet or belongs to the type.  The parser first looks at everything
 * that can be wrong (lengths, version, type, TLVs, nanoseconds) and only then writes the result,
 * once and in place: nothing is half written, nothing is copied twice.  What the standard leaves
 * to the reader is settled so:
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

#include "base/memory.h"
#include "meantime/ptp_tlv.h"
#include "wire/fields.h"

#define VERSION_PTP    2
#define OFFSET_CONTROL 32
#define OFFSET_NS      40 /* of the first timestamp */
#define OFFSET_ACTION  46
#define TIMESTAMP_SIZE 10
#define S_OF_48_BITS   UINT64_C(0xFFFFFFFFFFFF)

/* what a type prescribes: octets of header and body, and the controlField, which is kept for
 * version 1 hardware [Table 42]; no size: reserved type */
static const struct {
    uint8_t size;
    uint8_t control;
} shapes[16] = {
    [MT_PTP_SYNC] = {44, 0},
    [MT_PTP_DELAY_REQ] = {44, 1},
    [MT_PTP_PDELAY_REQ] = {54, 5},
    [MT_PTP_PDELAY_RESP] = {54, 5},
    [MT_PTP_FOLLOW_UP] = {44, 2},
    [MT_PTP_DELAY_RESP] = {54, 3},
    [MT_PTP_PDELAY_RESP_FOLLOW_UP] = {54, 5},
    [MT_PTP_ANNOUNCE] = {MT_PTP_ANNOUNCE_SIZE, 5},
    [MT_PTP_SIGNALING] = {44, 5},
    [MT_PTP_MANAGEMENT] = {48, 4},
};

_Static_assert(sizeof(struct mt_ptp_message) <= UINT8_MAX, "a member's place fits in an octet");

#define FIELD(member)          MT_FIELD(struct mt_ptp_message, member)
#define FIELD_RESERVED(member) MT_FIELD_RESERVED(struct mt_ptp_message, member)
#define TIMESTAMP(member)      MT_FIELD_48(struct mt_ptp_message, member.s), FIELD(member.ns)
#define CLOCK(member)          MT_FIELD_OCTETS(struct mt_ptp_message, member.octet)
#define PORT(member)           CLOCK(member.clock), FIELD(member.port)

/* with the octets at which they stand */
static const struct mt_field header_fields[] = {
    FIELD(header.domain),               /* 4 */
    FIELD_RESERVED(header.flags),       /* 6, behind minorSdoId */
    FIELD(header.correction.q16),       /* 8 */
    FIELD(header.type_specific),        /* 16 */
    PORT(header.source),                /* 20 */
    FIELD(header.sequence),             /* 30 */
    FIELD_RESERVED(header.log_interval) /* 33, behind controlField */
};

static const struct mt_field response_fields[] = {
    TIMESTAMP(body.response.at),   /* 34 */
    PORT(body.response.requester), /* 44 */
};

static const struct mt_field announce_fields[] = {
    TIMESTAMP(body.announce.origin),          /* 34 */
    FIELD(body.announce.utc_offset),          /* 44 */
    FIELD_RESERVED(body.announce.priority1),  /* 47 */
    FIELD(body.announce.quality.clock_class), /* 48 */
    FIELD(body.announce.quality.accuracy),    /* 49 */
    FIELD(body.announce.quality.variance),    /* 50 */
    FIELD(body.announce.priority2),           /* 52 */
    CLOCK(body.announce.grandmaster),         /* 53 */
    FIELD(body.announce.steps_removed),       /* 61 */
    FIELD(body.announce.time_source),         /* 63 */
};

static const struct mt_field management_fields[] = {
    PORT(body.management.target),         /* 34 */
    FIELD(body.management.starting_hops), /* 44 */
    FIELD(body.management.hops),          /* 45 */
    FIELD(body.management.action),        /* 46, of which only the lower nibble counts */
    MT_RESERVED,                          /* 47 */
};

int mt_clock_identity_compare(const struct mt_clock_identity *a, const struct mt_clock_identity *b)
{
    int difference = memcmp(a, b, sizeof *a);

    return (difference > 0) - (difference < 0);
}

int mt_port_identity_compare(const struct mt_port_identity *a, const struct mt_port_identity *b)
{
    int order = mt_clock_identity_compare(&a->clock, &b->clock);

    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

/* Moves what has octets of its own; the nibbles, messageLength and controlField are the callers'.
 * Bodies with a timestamp begin alike, and so do Signaling and Management.  The side that is not
 * moved to may be const. */
static void move(enum mt_direction direction, struct mt_ptp_message *message, uint8_t *frame)
{
    enum mt_ptp_type type = message->header.type;
    size_t length = shapes[type].size - MT_PTP_HEADER_SIZE;
    const struct mt_field *body = response_fields;

    if (type == MT_PTP_PDELAY_REQ) {
        length = TIMESTAMP_SIZE; /* reserved octets make it as long as its answer */
    } else if (type == MT_PTP_ANNOUNCE) {
        body = announce_fields;
    } else if (type > MT_PTP_ANNOUNCE) {
        body = management_fields;
    }
    mt_fields_move(direction, header_fields, frame + 4, MT_PTP_HEADER_SIZE - 4, message);
    mt_fields_move(direction, body, frame + MT_PTP_HEADER_SIZE, length, message);
}

enum mt_verdict mt_ptp_parse(const uint8_t *frame, size_t length,
                             struct mt_ptp_message *ret_message)
{
    struct mt_ptp_header *header = &ret_message->header;
    enum mt_ptp_type type;
    size_t size;
    uint16_t message_length;

    if (length < MT_PTP_HEADER_SIZE) {
        return MT_VERDICT_SHORT;
    }
    if ((frame[1] & 0x0F) != VERSION_PTP) {
        return MT_VERDICT_VERSION;
    }
    type = (enum mt_ptp_type)(frame[0] & 0x0F);
    size = shapes[type].size;
    if (size == 0) {
        return MT_VERDICT_TYPE;
    }
    if (length < size) {
        return MT_VERDICT_SHORT;
    }
    message_length = mt_octets_u16(frame + 2);
    if (message_length < size || message_length > length) {
        return MT_VERDICT_LENGTH;
    }
    if (!mt_tlv_is_valid(frame + size, message_length - size)) {
        return MT_VERDICT_TLV;
    }
    if (type < MT_PTP_SIGNALING && mt_octets_u32(frame + OFFSET_NS) >= MT_NS_PER_S) {
        return MT_VERDICT_FIELD;
    }
    header->type = type;
    header->sdo_id = (uint16_t)((frame[0] & 0xF0u) << 4 | frame[5]);
    header->minor_version = frame[1] >> 4;
    header->length = message_length;
    ret_message->body.origin.s = 0; /* the wire has 48 bits of it */
    ret_message->tlvs = frame + size;
    ret_message->tlvs_length = message_length - size;
    move(MT_FROM_WIRE, ret_message, (uint8_t *)frame);
    if (type == MT_PTP_MANAGEMENT) {
        ret_message->body.management.action &= 0x0F;
    }
    return MT_VERDICT_ACCEPTED;
}

size_t mt_ptp_write(const struct mt_ptp_message *message, uint8_t *buffer, size_t capacity)
{
    const struct mt_ptp_header *header = &message->header;
    size_t size;
    size_t length;

    if (header->type > MT_PTP_MANAGEMENT) {
        return 0;
    }
    size = shapes[header->type].size;
    length = size + message->tlvs_length;
    if (capacity > MT_PTP_MESSAGE_MAX) {
        capacity = MT_PTP_MESSAGE_MAX;
    }
    if (size == 0 || size > capacity || message->tlvs_length > capacity - size) {
        return 0;
    }
    memset(buffer, 0, size); /* the reserved octets */
    buffer[0] = (uint8_t)((header->sdo_id >> 4 & 0xF0u) | header->type);
    buffer[1] = (uint8_t)(header->minor_version << 4 | VERSION_PTP);
    mt_octets_put_u16(buffer + 2, (uint16_t)length);
    buffer[5] = (uint8_t)header->sdo_id;
    buffer[OFFSET_CONTROL] = shapes[header->type].control;
    move(MT_TO_WIRE, (struct mt_ptp_message *)message, buffer);
    if (header->type == MT_PTP_MANAGEMENT) {
        buffer[OFFSET_ACTION] &= 0x0F;
    }
    if (message->tlvs_length > 0) {
        memmove(buffer + size, message->tlvs, message->tlvs_length);
    }
    return length;
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
    uint64_t s = (uint64_t)at->s;
    uint32_t ns = at->ns;
    uint16_t fraction = at->frac;

    if (s > S_OF_48_BITS) {
        s = at->s < 0 ? 0 : S_OF_48_BITS;
        ns = (uint32_t)s & (MT_NS_PER_S - 1); /* none too, or all */
        fraction = 0;
    }
    ret_timestamp->s = s;
    ret_timestamp->ns = ns;
    ret_fraction->q16 = fraction;
}
