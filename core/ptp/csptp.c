/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The messages of CSPTP [IEEE 1588.1].  Request and answer are both Syncs of sdoId 0x300, told
 * apart by their TLVs, so that no answer is ever taken for a request.  What is published of the
 * layout disagrees in a few places, which are data here.  On receipt the flags of a request are
 * taken from either octet in which they are found, since no bit of the other means anything.
 *
 * The answer's flagField has the flags of the time with it, which CSPTP_STATUS lacks.  A status
 * that was asked for is left out rather than sent in an answer longer than the request.
 */
#include "ptp/stateless_private.h"

#include "meantime/ptp_tlv.h"
#include "wire/fields.h"

#define TLV_CSPTP_REQUEST  0xFF00
#define TLV_CSPTP_RESPONSE 0xFF01
#define BODY_SIZE          44 /* of Sync and Follow_Up */
#define TLV_HEAD           4
#define REQUEST_SIZE       4 /* of values */
#define RESPONSE_SIZE      18
#define STATUS_SIZE        18
#define FLAG_STATUS        0x01
#define TIME_FLAGS         0x7F
#define PARENT_SIZE        (4 + MT_ADDRESS_OCTETS)

const struct mt_csptp_layout mt_csptp_layouts[MT_CSPTP_LAYOUT_COUNT] = {
    {.name = "compact", .status_type = 0xF002, .flags_octet = 0},
    {.name = "prefixed", .status_type = 0xF002, .flags_octet = 3, .prefix = 6, .has_parent = true},
    {.name = "full", .status_type = 0xFF02, .flags_octet = 3, .has_parent = true},
};

struct response {
    struct mt_ptp_timestamp t4;
    struct mt_interval reverse;
};

static const struct mt_field response_fields[] = {
    MT_FIELD_48(struct response, t4.s),
    MT_FIELD(struct response, t4.ns),
    MT_FIELD(struct response, reverse.q16),
};

struct status {
    uint8_t priority1;
    struct mt_clock_quality quality;
    uint8_t priority2;
    uint16_t steps_removed;
    uint16_t utc_offset;
    struct mt_clock_identity grandmaster;
};

static const struct mt_field status_fields[] = {
    MT_FIELD(struct status, priority1),        MT_FIELD(struct status, quality.clock_class),
    MT_FIELD(struct status, quality.accuracy), MT_FIELD(struct status, quality.variance),
    MT_FIELD(struct status, priority2),        MT_FIELD(struct status, steps_removed),
    MT_FIELD(struct status, utc_offset),       MT_FIELD_OCTETS(struct status, grandmaster.octet),
};

static bool find(const struct mt_ptp_message *message, uint16_t type, size_t size,
                 struct mt_tlv *ret_tlv)
{
    return mt_tlv_find(message->tlvs, message->tlvs_length, (enum mt_tlv_type)type, ret_tlv) &&
           ret_tlv->length >= size;
}

static bool is_of_csptp(const struct mt_ptp_header *header)
{
    return header->sdo_id == MT_CSPTP_SDO_ID && (header->flags & MT_PTP_UNICAST) != 0;
}

/* ---- server ---------------------------------------------------------------------------------- */

bool mt_csptp_is_request(const struct mt_ptp_message *message)
{
    struct mt_tlv tlv;
    return message->header.type == MT_PTP_SYNC && is_of_csptp(&message->header) &&
           find(message, TLV_CSPTP_REQUEST, REQUEST_SIZE, &tlv);
}

static bool wants_status(const struct mt_ptp_message *message)
{
    struct mt_tlv tlv;
    return find(message, TLV_CSPTP_REQUEST, REQUEST_SIZE, &tlv) &&
           ((tlv.value[0] | tlv.value[3]) & FLAG_STATUS) != 0;
}

/* Begins a TLV whose value is `size` octets behind the layout's prefix, all of them zero. */
static uint8_t *begin(const struct mt_csptp_layout *layout, uint16_t type, size_t size, uint8_t *at)
{
    memset(at, 0, TLV_HEAD + layout->prefix + size);
    mt_octets_put_u16(at, type);
    mt_octets_put_u16(at + 2, (uint16_t)(layout->prefix + size));
    return at + TLV_HEAD + layout->prefix;
}

static size_t put_response(const struct mt_csptp_layout *layout,
                           const struct mt_stateless_request *request, uint8_t *at)
{
    struct response response = {request->t4, request->reverse};
    uint8_t *value = begin(layout, TLV_CSPTP_RESPONSE, RESPONSE_SIZE, at);
    mt_fields_move(MT_TO_WIRE, response_fields, value, RESPONSE_SIZE, &response);
    return TLV_HEAD + layout->prefix + RESPONSE_SIZE;
}

static size_t parent_size(const struct mt_csptp_layout *layout, const struct mt_served *served)
{
    return layout->has_parent ? 4 + mt_address_length(&served->parent) : 0;
}

static size_t put_status(const struct mt_csptp_layout *layout, const struct mt_served *served,
                         uint8_t *at)
{
    const struct mt_ptp_dataset *dataset = &served->dataset;
    size_t address_length = mt_address_length(&served->parent);
    size_t size = STATUS_SIZE + parent_size(layout, served);
    struct status status = {
        .priority1 = dataset->priority1,
        .quality = dataset->quality,
        .priority2 = dataset->priority2,
        .steps_removed = dataset->steps_removed,
        .utc_offset = (uint16_t)served->utc_offset,
        .grandmaster = dataset->grandmaster,
    };
    uint8_t *value = begin(layout, layout->status_type, size, at);
    mt_fields_move(MT_TO_WIRE, status_fields, value, STATUS_SIZE, &status);
    if (layout->has_parent) {
        mt_octets_put_u16(value + STATUS_SIZE, served->parent.network);
        mt_octets_put_u16(value + STATUS_SIZE + 2, (uint16_t)address_length);
        memcpy(value + STATUS_SIZE + 4, served->parent.octets, address_length);
    }
    return TLV_HEAD + layout->prefix + size;
}

size_t mt_csptp_answer(const struct mt_stateless_server *self, const struct mt_served *served,
                       const struct mt_stateless_request *request, uint8_t *frame)
{
    const struct mt_csptp_layout *layout = self->layout;
    const struct mt_ptp_header *header = &request->message->header;
    bool is_alone = self->csptp_one_step || self->csptp_per_message;
    size_t room = is_alone ? header->length : header->length - (size_t)BODY_SIZE;
    unsigned steps = self->csptp_one_step ? 0 : MT_PTP_TWO_STEP;
    size_t response_size = TLV_HEAD + layout->prefix + (size_t)RESPONSE_SIZE;
    size_t status_size =
        TLV_HEAD + layout->prefix + (size_t)STATUS_SIZE + parent_size(layout, served);
    struct mt_ptp_message sync = {
        .header = {.type = MT_PTP_SYNC,
                   .sdo_id = MT_CSPTP_SDO_ID,
                   .minor_version = 1,
                   .domain = header->domain,
                   .flags = (uint16_t)(MT_PTP_UNICAST | steps | served->flags),
                   .sequence = header->sequence,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .tlvs = frame + BODY_SIZE,
    };
    if (BODY_SIZE + response_size > room) {
        return 0;
    }
    sync.tlvs_length = put_response(layout, request, frame + BODY_SIZE);
    if (wants_status(request->message) && BODY_SIZE + response_size + status_size <= room) {
        sync.tlvs_length += put_status(layout, served, frame + BODY_SIZE + sync.tlvs_length);
    }
    return mt_ptp_write(&sync, frame, MT_STATELESS_FRAME_MAX);
}

void mt_csptp_finish(const struct mt_ptp_timestamp *t1, const struct mt_interval *fraction,
                     struct mt_ptp_message *message)
{
    message->header.type = MT_PTP_FOLLOW_UP;
    message->header.sdo_id = MT_CSPTP_SDO_ID;
    message->header.minor_version = 1;
    message->header.flags = MT_PTP_UNICAST;
    message->header.correction = *fraction;
    message->body.origin = *t1;
}

/* ---- client ---------------------------------------------------------------------------------- */

size_t mt_csptp_ask(const struct mt_stateless_client *self, struct mt_ptp_message *message,
                    uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[MT_STATELESS_REQUEST_SIZE];
    uint8_t flags[REQUEST_SIZE] = {0};
    size_t status_size = STATUS_SIZE + (self->layout->has_parent ? (size_t)PARENT_SIZE : 0);
    size_t answer_size =
        2 * (BODY_SIZE + TLV_HEAD + (size_t)self->layout->prefix) + RESPONSE_SIZE + status_size;
    message->header.sdo_id = MT_CSPTP_SDO_ID;
    message->header.source = (struct mt_port_identity){0};
    size_t length = mt_ptp_write(message, buffer, capacity);
    flags[self->layout->flags_octet] = FLAG_STATUS;
    length +=
        mt_tlv_write(TLV_CSPTP_REQUEST, flags, sizeof flags, buffer + length, capacity - length);
    length += mt_tlv_write(MT_TLV_PAD, zeros, answer_size - TLV_HEAD - length, buffer + length,
                           capacity - length);
    mt_octets_put_u16(buffer + 2, (uint16_t)length);
    return length;
}

/* As an Announce of a clock that is named by its address, for it has no other name. */
static void take_status(const struct mt_csptp_layout *layout, const struct mt_ptp_message *message,
                        struct mt_stateless_peer *peer)
{
    struct mt_ptp_header *header = &peer->status.header;
    struct mt_ptp_announce *announce = &peer->status.body.announce;
    struct mt_tlv tlv;
    struct status status;
    if (!find(message, layout->status_type, layout->prefix + (size_t)STATUS_SIZE, &tlv)) {
        return;
    }
    mt_fields_move(MT_FROM_WIRE, status_fields, (uint8_t *)tlv.value + layout->prefix, STATUS_SIZE,
                   &status);
    *header = message->header;
    header->type = MT_PTP_ANNOUNCE;
    header->flags &= TIME_FLAGS;
    header->source = (struct mt_port_identity){.clock.octet = {0x02, 0xC5}, .port = 1};
    for (unsigned i = 0; i < MT_ADDRESS_OCTETS; i++) {
        header->source.clock.octet[2 + i % 6] ^= peer->address.octets[i];
    }
    *announce = (struct mt_ptp_announce){
        .utc_offset = (int16_t)status.utc_offset,
        .priority1 = status.priority1,
        .quality = status.quality,
        .priority2 = status.priority2,
        .grandmaster = status.grandmaster,
        .steps_removed = status.steps_removed,
    };
    peer->has_status = true;
}

static bool hear_sync(const struct mt_stateless_client *self, struct mt_stateless_peer *peer,
                      const struct mt_ptp_message *message, const struct mt_stamp *arrival)
{
    struct mt_tlv tlv;
    struct response response = {{0, 0}, {0}};
    size_t prefix = self->layout->prefix;
    if (peer->has_sync || arrival == NULL ||
        !find(message, TLV_CSPTP_RESPONSE, prefix + RESPONSE_SIZE, &tlv)) {
        return false;
    }
    mt_fields_move(MT_FROM_WIRE, response_fields, (uint8_t *)tlv.value + prefix, RESPONSE_SIZE,
                   &response);
    if (response.t4.ns >= MT_NS_PER_S || mt_interval_is_too_large(response.reverse)) {
        return false;
    }
    peer->has_sync = true;
    peer->arrival = *arrival;
    peer->t4 = mt_ptp_timestamp_to_instant(&response.t4, MT_SCALE_ARB);
    peer->reverse = response.reverse;
    peer->forward = mt_interval_plus(peer->forward, message->header.correction);
    if ((message->header.flags & MT_PTP_TWO_STEP) == 0) {
        peer->has_rest = true;
        peer->t1 = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    }
    take_status(self->layout, message, peer);
    return true;
}

bool mt_csptp_hear(const struct mt_stateless_client *self, struct mt_stateless_peer *peer,
                   const struct mt_ptp_message *message, const struct mt_stamp *arrival)
{
    if (!is_of_csptp(&message->header)) {
        return false;
    }
    if (message->header.type == MT_PTP_SYNC) {
        return hear_sync(self, peer, message, arrival);
    }
    if (message->header.type != MT_PTP_FOLLOW_UP || peer->has_rest) {
        return false;
    }
    peer->has_rest = true;
    peer->t1 = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    peer->forward = mt_interval_plus(peer->forward, message->header.correction);
    return true;
}
