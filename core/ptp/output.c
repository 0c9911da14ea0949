/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Draining frames: the pending bits of each port become messages here, one at a call, answers
 * before what is periodic.
 */
#include "ptp/ptp_private.h"

/* What is sent, and how it is counted. */
static const struct {
    uint8_t type;    /* enum mt_ptp_type */
    uint8_t counter; /* enum mt_port_counter */
} frames[MT_FRAME_COUNT] = {
    [MT_FRAME_FOLLOW_UP] = {MT_PTP_FOLLOW_UP, MT_COUNT_SENT_FOLLOW_UP},
    [MT_FRAME_DELAY_RESP] = {MT_PTP_DELAY_RESP, MT_COUNT_SENT_DELAY_RESP},
    [MT_FRAME_ANNOUNCE] = {MT_PTP_ANNOUNCE, MT_COUNT_SENT_ANNOUNCE},
    [MT_FRAME_SYNC] = {MT_PTP_SYNC, MT_COUNT_SENT_SYNC},
    [MT_FRAME_DELAY_REQ] = {MT_PTP_DELAY_REQ, MT_COUNT_SENT_DELAY_REQ},
};

static size_t write_frame(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    memset(&out->message, 0, sizeof out->message);
    header->type = (enum mt_ptp_type)frames[out->frame].type;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
    if (out->frame == MT_FRAME_DELAY_REQ) {
        self->config.features->delay->fill(port, out);
    } else {
        self->config.features->transmitter->fill(self, port, out);
    }
    return mt_ptp_write(&out->message, out->buffer, out->capacity);
}

static bool take_frame(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out,
                       struct mt_tx *ret_tx)
{
    bool is_event = out->frame >= MT_FRAME_SYNC;
    out->token = is_event ? mt_next_token(self) : 0;
    port->pending &= (uint8_t) ~(1u << out->frame);
    size_t length = write_frame(self, port, out);
    if (length == 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        if (is_event) { /* there will be no timestamp */
            (void)mt_port_tx_done(self, port, out->token, NULL);
        }
        return false;
    }
    mt_port_count(port, (enum mt_port_counter)frames[out->frame].counter);
    ret_tx->port = port->identity.port;
    ret_tx->destination = MT_TO_ALL;
    ret_tx->is_event = is_event;
    ret_tx->token = out->token;
    ret_tx->length = length;
    ret_tx->insertion = MT_INSERT_NOTHING;
    if (self->config.features->extend != NULL) {
        self->config.features->extend->finish(self, out, ret_tx);
    }
    return true;
}

bool mt_port_next_tx(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out,
                     struct mt_tx *ret_tx)
{
    for (unsigned frame = 0; frame < MT_FRAME_COUNT; frame++) {
        while ((port->pending & 1u << frame) != 0) { /* more answers may wait behind one */
            out->frame = (enum mt_port_frame)frame;
            if (take_frame(self, port, out, ret_tx)) {
                return true;
            }
        }
    }
    return false;
}
