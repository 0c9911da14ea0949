/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The common ground of grantor and requester: see unicast_private.h.
 *
 * A frame that goes to one address is written with the unicast flag and leaves by the standard's
 * port of its kind, whatever port the other one has sent from.
 */
#include "meantime/ptp_more.h"
#include "ptp/unicast_private.h"

enum mt_ptp_type mt_service_type(enum mt_service service)
{
    switch (service) {
    case MT_SERVICE_ANNOUNCE:
        break;
    case MT_SERVICE_SYNC:
        return MT_PTP_SYNC;
    case MT_SERVICE_DELAY_RESP:
        return MT_PTP_DELAY_RESP;
    }
    return MT_PTP_ANNOUNCE;
}

bool mt_service_of(enum mt_ptp_type type, enum mt_service *ret_service)
{
    for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
        if (mt_service_type((enum mt_service)service) == type) {
            *ret_service = (enum mt_service)service;
            return true;
        }
    }
    return false;
}

/* ---- what comes in --------------------------------------------------------------------------- */

bool mt_unicast_concerns(const struct mt_instance *self, const struct mt_port *port,
                         const struct mt_incoming *in)
{
    const struct mt_ptp_header *header = &in->message.header;
    return mt_port_is_active(port) && in->from != NULL && header->domain == self->config.domain &&
           header->sdo_id == self->config.sdo_id &&
           !mt_clock_identity_equal(&header->source.clock, &self->config.identity);
}

bool mt_unicast_is_addressed(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_incoming *in)
{
    static const struct mt_clock_identity any = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    const struct mt_port_identity *target = &in->message.body.target;
    return in->message.header.type == MT_PTP_SIGNALING &&
           (in->message.header.flags & MT_PTP_UNICAST) != 0 &&
           (target->port == UINT16_MAX || target->port == port->identity.port) &&
           (mt_clock_identity_equal(&target->clock, &any) ||
            mt_clock_identity_equal(&target->clock, &port->identity.clock)) &&
           mt_unicast_concerns(self, port, in);
}

bool mt_unicast_next_word(const uint8_t **tlvs, size_t *length, struct mt_unicast_word *ret_word)
{
    struct mt_tlv tlv;
    while (mt_tlv_next(tlvs, length, &tlv)) {
        ret_word->type = tlv.type;
        if (mt_tlv_parse_unicast(&tlv, &ret_word->value)) {
            return true;
        }
    }
    return false;
}

/* ---- what goes out --------------------------------------------------------------------------- */

void mt_unicast_begin(const struct mt_instance *self, const struct mt_port *port,
                      enum mt_ptp_type type, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    memset(&out->message, 0, sizeof out->message);
    header->type = type;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->flags = MT_PTP_UNICAST;
    header->source = port->identity;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    out->token = 0;
}

bool mt_unicast_leave(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out,
                      const struct mt_address *to, struct mt_tx *ret_tx)
{
    (void)self;
    size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
    if (length == 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        return false;
    }
    memset(ret_tx, 0, sizeof *ret_tx);
    ret_tx->port = port->identity.port;
    ret_tx->destination = MT_TO_ADDRESS;
    ret_tx->is_event = mt_ptp_is_event(out->message.header.type);
    ret_tx->token = out->token;
    ret_tx->length = length;
    ret_tx->to = *to;
    ret_tx->to.udp_port = 0;
    return true;
}

/* To one station goes one sequence, whatever is said [7.3.7]: who asks it for service, too, has
 * begun to count.  All others are counted together. */
uint16_t mt_unicast_next_sequence(const struct mt_port *port, const struct mt_address *to)
{
    struct mt_requester *requester = port->config.more->requester;
    for (unsigned i = 0; requester != NULL && i < requester->count; i++) {
        if (mt_address_equal(&requester->table[i].address, to)) {
            return requester->table[i].signaling_sequence++;
        }
    }
    return port->config.more->grantor->signaling_sequence++;
}

bool mt_unicast_signal(struct mt_instance *self, struct mt_port *port,
                       const struct mt_unicast_reply *say, uint16_t sequence,
                       struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    uint8_t tlvs[MT_UNICAST_TLVS * 12];
    size_t length = 0;
    for (unsigned i = 0; i < say->count; i++) {
        length += mt_tlv_write_unicast((enum mt_tlv_type)say->words[i].type, &say->words[i].value,
                                       tlvs + length, sizeof tlvs - length);
    }
    mt_unicast_begin(self, port, MT_PTP_SIGNALING, out);
    out->message.header.sequence = sequence;
    out->message.body.target = say->target;
    out->message.tlvs = tlvs;
    out->message.tlvs_length = length;
    bool is_written = mt_unicast_leave(self, port, out, &say->to, ret_tx);
    out->message.tlvs = NULL; /* they were on the stack */
    out->message.tlvs_length = 0;
    return is_written;
}

void mt_unicast_redirect(struct mt_outgoing *out, struct mt_tx *tx, const struct mt_address *to)
{
    const size_t first_flags = 6;
    if (out->message.header.type == MT_PTP_DELAY_REQ && tx->destination == MT_TO_ALL &&
        !out->is_forwarded) {
        tx->destination = MT_TO_ADDRESS;
        tx->to = *to;
        tx->to.udp_port = 0;
        out->message.header.flags |= MT_PTP_UNICAST;
        out->buffer[first_flags] |= (uint8_t)(MT_PTP_UNICAST >> 8);
    }
}
