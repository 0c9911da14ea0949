/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The service of an instance, and the extension through which service and client are reached.
 *
 * An answer takes a slot from the request until its second frame has been drained.  When all slots
 * wait for timestamps, further requests are refused; a timestamp that has not come after a second
 * is not waited for any longer, so a platform that never tells costs a second and not the service.
 */
#include "ptp/stateless_private.h"

#define PATIENCE_NS INT64_C(1000000000)

void mt_stateless_service_init(struct mt_stateless_service *self,
                               const struct mt_stateless_server *server)
{
    memset(self, 0, sizeof *self);
    self->server = *server;
}

static struct mt_stateless_service *service_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->stateless : NULL;
}

static struct mt_stateless_slot *find(struct mt_stateless_service *service,
                                      enum mt_stateless_stage stage)
{
    for (struct mt_stateless_slot *slot = service->slots;
         slot < service->slots + MT_STATELESS_SLOTS; slot++) {
        if (slot->stage == stage) {
            return slot;
        }
    }
    return NULL;
}

static enum mt_stateless_counter serve(struct mt_instance *self, struct mt_port *port,
                                       const struct mt_incoming *in)
{
    struct mt_stateless_service *service = service_of(self);
    struct mt_stateless_slot *slot = find(service, MT_SLOT_FREE);
    struct mt_instant arrival;
    struct mt_served served;
    struct mt_stateless_answer answer;
    if (in->stamp != NULL) {
        arrival = in->stamp->at;
        mt_instant_subtract(&arrival, &port->config.ingress_latency);
    }
    mt_served_take(self, port, &served);
    enum mt_stateless_counter outcome =
        mt_stateless_answer(&service->server, &served, in->frame, in->length,
                            in->stamp != NULL ? &arrival : NULL, in->from, &answer);
    if (outcome == MT_STATELESS_ANSWERED && slot == NULL) {
        outcome = MT_STATELESS_BUSY;
    }
    if (outcome == MT_STATELESS_ANSWERED) {
        slot->stage = MT_SLOT_FIRST;
        slot->port = port->identity.port;
        slot->since = self->now;
        slot->answer = answer;
    }
    return outcome;
}

static enum mt_verdict verdict_of(enum mt_stateless_counter outcome)
{
    switch (outcome) {
    case MT_STATELESS_ANSWERED:
    case MT_STATELESS_OTHER:
    case MT_STATELESS_STAMP_LOST:
        break;
    case MT_STATELESS_MALFORMED:
    case MT_STATELESS_TOO_SHORT:
        return MT_VERDICT_LENGTH;
    case MT_STATELESS_DOMAIN:
        return MT_VERDICT_DOMAIN;
    case MT_STATELESS_NO_TIMESTAMP:
        return MT_VERDICT_NO_TIMESTAMP;
    case MT_STATELESS_CORRECTION:
        return MT_VERDICT_CORRECTION;
    case MT_STATELESS_NOT_SERVING:
        return MT_VERDICT_STATE;
    case MT_STATELESS_REFUSED:
        return MT_VERDICT_NOT_ACCEPTABLE;
    case MT_STATELESS_BUSY:
    case MT_STATELESS_COUNTER_COUNT:
        return MT_VERDICT_QUEUE_FULL;
    }
    return MT_VERDICT_ACCEPTED;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_stateless_service *service = service_of(self);
    bool may_ask = in->message.header.type <= MT_PTP_DELAY_REQ;
    if (service != NULL && may_ask && mt_port_is_active(port)) {
        enum mt_stateless_counter outcome = serve(self, port, in);
        /* several instances hear one port: a request of another's domain is that one's */
        if (outcome != MT_STATELESS_OTHER && outcome != MT_STATELESS_DOMAIN) {
            mt_count(&service->counters[outcome]);
            *ret_verdict = verdict_of(outcome);
            return true;
        }
        mt_count(&service->counters[outcome]);
    }
    return mt_stateless_client_rx(self, port, in, ret_verdict);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_stateless_service *service = service_of(self);
    for (unsigned i = 0; service != NULL && i < MT_STATELESS_SLOTS; i++) {
        struct mt_stateless_slot *slot = &service->slots[i];
        if (slot->stage != MT_SLOT_DEPARTED || slot->token != token ||
            slot->port != port->identity.port) {
            continue;
        }
        slot->stage = stamp != NULL ? MT_SLOT_SECOND : MT_SLOT_FREE;
        if (stamp != NULL) {
            slot->departure = stamp->at;
        } else {
            mt_count(&service->counters[MT_STATELESS_STAMP_LOST]);
        }
        return true;
    }
    return mt_stateless_client_tx_done(self, port, token, stamp);
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_stateless_service *service = service_of(self);
    struct mt_mono deadline = mt_stateless_client_settle(self);
    for (unsigned i = 0; service != NULL && i < MT_STATELESS_SLOTS; i++) {
        struct mt_stateless_slot *slot = &service->slots[i];
        struct mt_mono until = mt_mono_plus(slot->since, PATIENCE_NS);
        if (slot->stage != MT_SLOT_DEPARTED) {
            continue;
        }
        if (until.ns <= self->now.ns) {
            slot->stage = MT_SLOT_FREE;
            mt_count(&service->counters[MT_STATELESS_STAMP_LOST]);
        } else {
            deadline = mt_mono_earlier(deadline, until);
        }
    }
    return deadline;
}

static void address_to(const struct mt_stateless_slot *slot, struct mt_tx *ret_tx)
{
    ret_tx->port = slot->port;
    ret_tx->destination = MT_TO_ADDRESS;
    ret_tx->to = slot->answer.rest.to;
    ret_tx->insertion = MT_INSERT_NOTHING;
}

/* True if `out` is a frame; one that does not fit gives up its answer. */
static bool put_first(struct mt_instance *self, struct mt_stateless_slot *slot,
                      struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    size_t length = slot->answer.length;
    slot->stage = MT_SLOT_FREE;
    if (out->capacity < length) {
        return false;
    }
    memcpy(out->buffer, slot->answer.frame, length);
    slot->stage = MT_SLOT_DEPARTED;
    slot->token = mt_next_token(self);
    address_to(slot, ret_tx);
    ret_tx->is_event = true;
    ret_tx->token = slot->token;
    ret_tx->length = length;
    return true;
}

static bool put_second(struct mt_instance *self, struct mt_stateless_slot *slot,
                       struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_served served;
    mt_served_take(self, &self->ports[slot->port - 1], &served);
    slot->stage = MT_SLOT_FREE;
    ret_tx->length = mt_stateless_finish(&served, &slot->answer.rest, &slot->departure, out->buffer,
                                         out->capacity);
    address_to(slot, ret_tx);
    ret_tx->to.udp_port = mt_stateless_general_port(&slot->answer.rest);
    ret_tx->is_event = false;
    ret_tx->token = 0;
    return ret_tx->length != 0;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_stateless_service *service = service_of(self);
    struct mt_stateless_slot *slot = service != NULL ? find(service, MT_SLOT_SECOND) : NULL;
    bool is_ready = slot != NULL && put_second(self, slot, out, ret_tx);
    if (!is_ready) {
        slot = service != NULL ? find(service, MT_SLOT_FIRST) : NULL;
        is_ready = slot != NULL && put_first(self, slot, out, ret_tx);
    }
    if (is_ready) {
        (void)mt_ptp_parse(out->buffer, ret_tx->length, &out->message);
    }
    return is_ready || mt_stateless_client_next_tx(self, out, ret_tx);
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    return instance->stateless != NULL || port->stateless != NULL;
}

const struct mt_extension mt_stateless_extension = {
    .rx = rx, .tx_done = tx_done, .settle = settle, .next_tx = next_tx, .is_used = is_used};
