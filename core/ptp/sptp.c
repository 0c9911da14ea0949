/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The messages of SPTP.  A request is a Delay_Req with two flags and nothing else in flagField; it
 * may name in ALTERNATE_RESPONSE_PORT the way that the answer is to take.  The answer has the
 * request's sequenceId: a Sync, whose originTimestamp is t4, for its own departure is not known
 * yet, and then an Announce, whose originTimestamp is t1 and whose correctionField is that which
 * the request came with.  An answer is twice as long as the request: that is how it is deployed.
 * Who serves strangers asks for padded requests.
 */
#include "ptp/stateless_private.h"

#include "meantime/ptp_tlv.h"
#include "wire/fields.h"

#define SYNC_SIZE                   44
#define BOTH_SIZE                   (SYNC_SIZE + MT_PTP_ANNOUNCE_SIZE)
#define TLV_ALTERNATE_RESPONSE_PORT 0x2007
#define TIME_FLAGS                  0x7F

bool mt_sptp_is_request(const struct mt_ptp_message *message)
{
    return message->header.type == MT_PTP_DELAY_REQ && message->header.flags == MT_SPTP_FLAGS;
}

uint16_t mt_sptp_path(const struct mt_ptp_message *request)
{
    struct mt_tlv tlv;
    if (!mt_tlv_find(request->tlvs, request->tlvs_length,
                     (enum mt_tlv_type)TLV_ALTERNATE_RESPONSE_PORT, &tlv) ||
        tlv.length < 2) {
        return 0;
    }
    return mt_octets_u16(tlv.value);
}

size_t mt_sptp_answer(const struct mt_stateless_server *self, const struct mt_served *served,
                      const struct mt_stateless_request *request, uint8_t *frame)
{
    const struct mt_ptp_header *header = &request->message->header;
    struct mt_ptp_message sync = {
        .header = {.type = MT_PTP_SYNC,
                   .sdo_id = served->sdo_id,
                   .minor_version = served->minor_version,
                   .domain = header->domain,
                   .flags = MT_PTP_UNICAST | MT_PTP_TWO_STEP,
                   .source = served->identity,
                   .sequence = header->sequence,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.origin = request->t4,
    };
    if (self->sptp_padded_only && header->length < BOTH_SIZE) {
        return 0;
    }
    return mt_ptp_write(&sync, frame, MT_STATELESS_FRAME_MAX);
}

void mt_sptp_finish(const struct mt_served *served, const struct mt_stateless_rest *rest,
                    const struct mt_ptp_timestamp *t1, struct mt_ptp_message *message)
{
    const struct mt_ptp_dataset *dataset = &served->dataset;
    struct mt_ptp_announce *announce = &message->body.announce;
    message->header.type = MT_PTP_ANNOUNCE;
    message->header.sdo_id = served->sdo_id;
    message->header.minor_version = served->minor_version;
    message->header.flags = (uint16_t)(MT_PTP_UNICAST | served->flags);
    message->header.source = served->identity;
    message->header.correction = rest->correction;
    announce->origin = *t1;
    announce->utc_offset = served->utc_offset;
    announce->priority1 = dataset->priority1;
    announce->quality = dataset->quality;
    announce->priority2 = dataset->priority2;
    announce->grandmaster = dataset->grandmaster;
    announce->steps_removed = dataset->steps_removed;
    announce->time_source = served->time_source;
}

/* ---- client ---------------------------------------------------------------------------------- */

size_t mt_sptp_ask(const struct mt_stateless_client *self, struct mt_ptp_message *message,
                   uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[BOTH_SIZE - SYNC_SIZE];
    uint8_t path[2];
    size_t length = mt_ptp_write(message, buffer, capacity);
    mt_octets_put_u16(path, self->path);
    length += mt_tlv_write(TLV_ALTERNATE_RESPONSE_PORT, path, sizeof path, buffer + length,
                           capacity - length);
    if (self->pads_requests) {
        length += mt_tlv_write(MT_TLV_PAD, zeros, BOTH_SIZE - 4 - length, buffer + length,
                               capacity - length);
    }
    mt_octets_put_u16(buffer + 2, (uint16_t)length);
    return length;
}

bool mt_sptp_hear(struct mt_stateless_peer *peer, const struct mt_ptp_message *message,
                  const struct mt_stamp *arrival)
{
    if (message->header.type == MT_PTP_SYNC && !peer->has_sync && arrival != NULL) {
        peer->has_sync = true;
        peer->arrival = *arrival;
        peer->t4 = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
        peer->forward = message->header.correction;
        return true;
    }
    if (message->header.type == MT_PTP_ANNOUNCE && !peer->has_rest) {
        peer->has_rest = true;
        peer->t1 = mt_ptp_timestamp_to_instant(&message->body.announce.origin, MT_SCALE_ARB);
        peer->reverse = message->header.correction;
        peer->status = *message;
        peer->status.header.flags &= TIME_FLAGS;
        peer->has_status = true;
        return true;
    }
    return false;
}
