/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Draining frames: the pending bits of each port become messages here, one at a call, answers
 * before what is periodic.
 */
#include "ptp/ptp_private.h"

void mt_header_init(const struct mt_instance *self, const struct mt_port *port,
                    enum mt_ptp_type type, struct mt_ptp_header *ret_header)
{
    *ret_header = (struct mt_ptp_header){
        .type = type,
        .sdo_id = self->config.sdo_id,
        .minor_version = self->config.minor_version,
        .domain = self->config.domain,
        .source = port->identity,
    };
}

static uint32_t next_token(struct mt_instance *self)
{
    self->last_token = self->last_token % MT_TOKEN_MAX + 1;
    return self->last_token;
}

static size_t write_delay_req(struct mt_instance *self, struct mt_port *port, uint32_t token,
                              uint8_t *buffer, size_t capacity)
{
    struct mt_ptp_message message = {0};
    mt_header_init(self, port, MT_PTP_DELAY_REQ, &message.header);
    self->config.features->delay->sent(port, token, &message);
    return mt_ptp_write(&message, buffer, capacity);
}

static size_t write_frame(struct mt_instance *self, struct mt_port *port, enum mt_port_frame frame,
                          uint32_t token, uint8_t *buffer, size_t capacity)
{
    if (frame == MT_FRAME_DELAY_REQ) {
        return write_delay_req(self, port, token, buffer, capacity);
    }
    return self->config.features->transmitter->write(self, port, frame, token, buffer, capacity);
}

static enum mt_port_counter counter_of(enum mt_port_frame frame)
{
    static const enum mt_port_counter counters[MT_FRAME_COUNT] = {
        [MT_FRAME_FOLLOW_UP] = MT_COUNT_SENT_FOLLOW_UP,
        [MT_FRAME_DELAY_RESP] = MT_COUNT_SENT_DELAY_RESP,
        [MT_FRAME_ANNOUNCE] = MT_COUNT_SENT_ANNOUNCE,
        [MT_FRAME_SYNC] = MT_COUNT_SENT_SYNC,
        [MT_FRAME_DELAY_REQ] = MT_COUNT_SENT_DELAY_REQ,
    };
    return counters[frame];
}

static bool take_frame(struct mt_instance *self, struct mt_port *port, enum mt_port_frame frame,
                       uint8_t *buffer, size_t capacity, struct mt_tx *ret_tx)
{
    bool is_event = frame == MT_FRAME_SYNC || frame == MT_FRAME_DELAY_REQ;
    uint32_t token = is_event ? next_token(self) : 0;
    port->pending &= (uint8_t) ~(1u << frame);
    size_t length = write_frame(self, port, frame, token, buffer, capacity);
    if (length == 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        if (is_event) { /* there will be no timestamp */
            (void)mt_port_tx_done(self, port, token, NULL);
        }
        return false;
    }
    mt_port_count(port, counter_of(frame));
    *ret_tx = (struct mt_tx){port->identity.port, MT_TO_ALL, is_event, token, length};
    return true;
}

static bool next_of_port(struct mt_instance *self, struct mt_port *port, uint8_t *buffer,
                         size_t capacity, struct mt_tx *ret_tx)
{
    for (unsigned frame = 0; frame < MT_FRAME_COUNT; frame++) {
        while ((port->pending & 1u << frame) != 0) { /* more answers may wait behind one */
            if (take_frame(self, port, (enum mt_port_frame)frame, buffer, capacity, ret_tx)) {
                return true;
            }
        }
    }
    return false;
}

bool mt_instance_next_tx(struct mt_instance *self, uint8_t *buffer, size_t capacity,
                         struct mt_tx *ret_tx)
{
    for (uint16_t i = 0; i < self->port_count; i++) {
        if (next_of_port(self, &self->ports[i], buffer, capacity, ret_tx)) {
            return true;
        }
    }
    return false;
}
