/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GET of the data sets [1588-2019 15.5.3], for clocks without room for more of management: what
 * management.c, its queue and its table of all ids are to larger ones.  The data sets themselves
 * are written by the same functions.
 */
#include "meantime/ptp_small.h"
#include "ptp/management_private.h"

#include "wire/fields.h"

#define TLV_HEAD     6  /* type, length and id */
#define MESSAGE_SIZE 48 /* header and body */
#define ANY_PORT     0xFFFF

static struct mt_getter *getter_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->getter : NULL;
}

/* ---- reception ------------------------------------------------------------------------------- */

static bool is_for(const struct mt_instance *self, const struct mt_port_identity *target)
{
    static const struct mt_clock_identity any = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    return mt_clock_identity_equal(&target->clock, &any) ||
           mt_clock_identity_equal(&target->clock, &self->config.identity);
}

static enum mt_verdict take_request(struct mt_getter *getter, const struct mt_incoming *in,
                                    const struct mt_tlv *tlv)
{
    const struct mt_ptp_management *body = &in->message.body.management;
    if (getter->is_waiting) {
        getter->dropped++;
        return MT_VERDICT_QUEUE_FULL;
    }
    getter->is_waiting = true;
    getter->requests++;
    getter->action = body->action;
    getter->id = mt_octets_u16(tlv->value);
    getter->port = body->target.port;
    getter->hops =
        (uint8_t)(body->starting_hops > body->hops ? body->starting_hops - body->hops : 0);
    getter->sequence = in->message.header.sequence;
    getter->requester = in->message.header.source;
    getter->to.network = MT_NETWORK_NONE;
    if (in->from != NULL) {
        getter->to = *in->from;
        getter->to.udp_port = 0;
    }
    return MT_VERDICT_ACCEPTED;
}

static enum mt_verdict receive(const struct mt_instance *self, const struct mt_port *port,
                               struct mt_getter *getter, const struct mt_incoming *in)
{
    const struct mt_ptp_management *body = &in->message.body.management;
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    struct mt_tlv tlv;
    if (!mt_port_is_active(port)) {
        return MT_VERDICT_DISABLED;
    }
    if (mt_clock_identity_equal(&in->message.header.source.clock, &self->config.identity)) {
        return MT_VERDICT_OWN;
    }
    if (!mt_tlv_next(&tlvs, &length, &tlv)) {
        return MT_VERDICT_TLV;
    }
    if (body->action == MT_ACTION_RESPONSE || body->action >= MT_ACTION_ACKNOWLEDGE ||
        !is_for(self, &body->target) || tlv.type != MT_TLV_MANAGEMENT || tlv.length < 2) {
        return MT_VERDICT_ACCEPTED;
    }
    return take_request(getter, in, &tlv);
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_getter *getter = getter_of(self);
    if (getter == NULL || header->type != MT_PTP_MANAGEMENT ||
        header->domain != self->config.domain || header->sdo_id != self->config.sdo_id) {
        return false;
    }
    *ret_verdict = receive(self, port, getter, in);
    return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum mt_management_error put_port(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_port_config *config = &on->port->config;
    const struct mt_port_more *more = config->more;
    const bool is_p2p = more != NULL && more->delay_mechanism == MT_DELAY_P2P;
    struct mt_interval delay = {0};
    struct mt_interval most;
    if (is_p2p && more->plain_peer != NULL) {
        (void)mt_plain_peer_delay(more->plain_peer, &delay, &most);
    }
    mt_put_port_identity(out, &on->port->identity);
    mt_put_number(out, on->port->state, 1);
    mt_put_number(out, (uint8_t)config->log_min_delay_req_interval, 1);
    mt_put_number(out, (uint64_t)delay.q16, 8);
    mt_put_number(out, (uint8_t)config->log_announce_interval, 1);
    mt_put_number(out, config->announce_receipt_timeout, 1);
    mt_put_number(out, (uint8_t)config->log_sync_interval, 1);
    mt_put_number(out, is_p2p ? MT_DELAY_P2P : MT_DELAY_E2E, 1);
    mt_put_number(out, is_p2p ? (uint8_t)more->plain_peer->log_request_interval : 0, 1);
    mt_put_number(out, (unsigned)on->self->config.minor_version << 4 | 2, 1);
    return MT_MANAGEMENT_OK;
}

static const struct {
    uint16_t id;
    mt_management_get *get;
} rows[] = {
    {MT_ID_NULL_PTP_MANAGEMENT, mt_get_nothing},
    {MT_ID_DEFAULT_DATA_SET, mt_get_default_data_set},
    {MT_ID_CURRENT_DATA_SET, mt_get_current_data_set},
    {MT_ID_PARENT_DATA_SET, mt_get_parent_data_set},
    {MT_ID_TIME_PROPERTIES_DATA_SET, mt_get_time_properties_data_set},
    {MT_ID_PORT_DATA_SET, put_port},
};

static enum mt_management_error put_data(struct mt_instance *self, const struct mt_getter *getter,
                                         struct mt_put *out)
{
    const struct mt_managed on = {.self = self, .port = self->ports};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].id == getter->id) {
            return getter->action == MT_ACTION_GET ? rows[i].get(&on, out)
                                                   : MT_MANAGEMENT_NOT_SETABLE;
        }
    }
    return MT_MANAGEMENT_NOT_SUPPORTED;
}

/* The TLV with the data, or with what is wrong. */
static size_t put_tlv(struct mt_instance *self, const struct mt_getter *getter, uint8_t *tlv,
                      size_t capacity)
{
    struct mt_put out = {tlv, capacity, false};
    mt_put_number(&out, MT_TLV_MANAGEMENT, 2);
    mt_put_number(&out, 0, 2);
    mt_put_number(&out, getter->id, 2);
    enum mt_management_error error = put_data(self, getter, &out);
    if (error != MT_MANAGEMENT_OK) {
        out.at = tlv;
        out.left = capacity;
        mt_put_number(&out, MT_TLV_MANAGEMENT_ERROR_STATUS, 2);
        mt_put_number(&out, 0, 2);
        mt_put_number(&out, error, 2);
        mt_put_number(&out, getter->id, 2);
        mt_put_number(&out, 0, 4);
    }
    size_t length = (size_t)(out.at - tlv);
    if (out.failed) {
        return 0;
    }
    mt_octets_put_u16(tlv + 2, (uint16_t)(length - 4));
    return length;
}

static void begin_message(const struct mt_instance *self, const struct mt_getter *getter,
                          struct mt_ptp_message *message)
{
    struct mt_ptp_header *header = &message->header;
    memset(message, 0, sizeof *message);
    header->type = MT_PTP_MANAGEMENT;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->flags = getter->to.network != MT_NETWORK_NONE ? MT_PTP_UNICAST : 0;
    header->source = self->ports->identity;
    header->sequence = getter->sequence;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    message->body.management.target = getter->requester;
    message->body.management.starting_hops = getter->hops;
    message->body.management.hops = getter->hops;
    message->body.management.action = MT_ACTION_RESPONSE;
    if (getter->action == MT_ACTION_COMMAND) {
        message->body.management.action = MT_ACTION_ACKNOWLEDGE;
    }
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_getter *getter = getter_of(self);
    uint8_t *tlv = out->buffer + MESSAGE_SIZE;
    if (getter == NULL || !getter->is_waiting) {
        return false;
    }
    getter->is_waiting = false;
    memset(ret_tx, 0, sizeof *ret_tx);
    if (out->capacity >= MESSAGE_SIZE + TLV_HEAD &&
        (getter->port == ANY_PORT || getter->port <= 1)) {
        begin_message(self, getter, &out->message);
        out->message.tlvs = tlv;
        out->message.tlvs_length = put_tlv(self, getter, tlv, out->capacity - MESSAGE_SIZE);
        if (out->message.tlvs_length != 0) {
            ret_tx->length = mt_ptp_write(&out->message, out->buffer, out->capacity);
        }
    }
    if (ret_tx->length == 0) {
        getter->dropped++;
        return false;
    }
    ret_tx->port = self->ports->identity.port;
    if (getter->to.network != MT_NETWORK_NONE) {
        ret_tx->destination = MT_TO_ADDRESS;
        ret_tx->to = getter->to;
    }
    return true;
}

const struct mt_extension mt_getter_extension = {.rx = rx, .next_tx = next_tx};
