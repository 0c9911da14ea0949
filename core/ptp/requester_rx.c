/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a requester hears.
 *
 * Only transmitters of the table are listened to, by unicast, from the address that the table has
 * and under the identity that their grant had.  A grant counts only while it is awaited; neither a
 * grant nor a cancellation from elsewhere changes anything.
 */
#include "ptp/requester_private.h"

static struct mt_unicast_transmitter *find(const struct mt_requester *self,
                                           const struct mt_address *from)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (self->table[i].address.network != MT_NETWORK_NONE &&
            mt_address_equal(&self->table[i].address, from)) {
            return &self->table[i];
        }
    }
    return NULL;
}

static bool has_identity(const struct mt_unicast_transmitter *transmitter,
                         const struct mt_port_identity *source)
{
    return transmitter->is_identity_known && mt_port_identity_equal(&transmitter->identity, source);
}

/* ---- Signaling ------------------------------------------------------------------------------- */

static void granted(struct mt_instance *self, struct mt_unicast_service *service,
                    const struct mt_tlv_unicast *grant)
{
    int64_t duration_ns = (int64_t)grant->duration_s * MT_NS_PER_S;
    if (!service->is_granted) {
        service->heard = self->now; /* from now on it is missed */
    }
    if (service->trouble != MT_TROUBLE_SILENT) { /* that ends when something comes */
        service->trouble = MT_TROUBLE_NONE;
    }
    service->is_granted = true;
    service->tries = 0;
    service->log_interval = grant->log_interval;
    service->expires = mt_mono_plus(self->now, duration_ns);
    /* early enough for several more tries, and not all clients of a second in the same one */
    service->ask_at =
        mt_mono_plus(self->now, duration_ns / 2 + mt_random_ns(self, duration_ns / 8 + 1));
}

static bool hear_grant(struct mt_instance *self, struct mt_port *port,
                       struct mt_unicast_transmitter *transmitter,
                       const struct mt_port_identity *source, const struct mt_tlv_unicast *grant)
{
    struct mt_requester *requester = mt_requester_of(port);
    enum mt_service kind;
    if (!mt_service_of(grant->message, &kind) || !transmitter->services[kind].is_asked) {
        return false;
    }
    struct mt_unicast_service *service = &transmitter->services[kind];
    service->is_asked = false;
    if (!transmitter->is_identity_known || kind == MT_SERVICE_ANNOUNCE) {
        transmitter->identity = *source;
        transmitter->is_identity_known = true;
    }
    if (grant->duration_s != 0 && mt_service_interval_is_sane(grant->log_interval)) {
        mt_count(&requester->book.granted);
        if (kind == MT_SERVICE_SYNC && !service->is_granted) {
            memset(&port->sync, 0, sizeof port->sync); /* its sequence begins anew */
        }
        granted(self, service, grant);
        return true;
    }
    mt_count(&requester->book.denied);
    service->trouble = service->is_granted ? service->trouble : MT_TROUBLE_DENIED;
    if (service->is_granted) { /* a renewal: what is granted runs on until it ends */
        mt_requester_back_off(self, requester, service);
    } else if (service->is_wanted) {
        mt_requester_back_off(self, requester, service);
        if (kind != MT_SERVICE_ANNOUNCE) {
            mt_requester_hold(self, port, transmitter);
        }
    }
    return true;
}

static bool hear_cancel(struct mt_instance *self, struct mt_port *port,
                        struct mt_unicast_transmitter *transmitter,
                        const struct mt_port_identity *source, const struct mt_tlv_unicast *cancel)
{
    struct mt_requester *requester = mt_requester_of(port);
    enum mt_service kind;
    if (!has_identity(transmitter, source) || !mt_service_of(cancel->message, &kind) ||
        (cancel->flags & MT_CANCEL_KEEPS_GRANT) != 0) {
        return false;
    }
    struct mt_unicast_service *service = &transmitter->services[kind];
    transmitter->acknowledgements |= (uint8_t)(1u << kind);
    if (service->is_granted) {
        mt_count(&requester->book.cancelled);
        service->is_granted = false;
        service->trouble = MT_TROUBLE_CANCELLED;
        mt_requester_back_off(self, requester, service);
        mt_requester_hold(self, port, transmitter);
    }
    return true;
}

static bool signaling(struct mt_instance *self, struct mt_port *port,
                      struct mt_requester *requester, struct mt_incoming *in,
                      enum mt_verdict *ret_verdict)
{
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    const struct mt_port_identity *source = &in->message.header.source;
    struct mt_unicast_transmitter *transmitter = find(requester, in->from);
    struct mt_unicast_word word;
    bool is_ours = false;
    bool is_used = false;
    for (unsigned i = 0; i < MT_UNICAST_TLVS && mt_unicast_next_word(&tlvs, &length, &word); i++) {
        const struct mt_tlv_unicast *value = &word.value;
        if (word.type == MT_TLV_GRANT_UNICAST_TRANSMISSION) {
            is_used |= transmitter != NULL && hear_grant(self, port, transmitter, source, value);
        } else if (word.type == MT_TLV_CANCEL_UNICAST_TRANSMISSION) {
            is_used |= transmitter != NULL && hear_cancel(self, port, transmitter, source, value);
        } else if (word.type == MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION) {
            is_used |= transmitter != NULL;
        } else {
            continue;
        }
        is_ours = true;
    }
    *ret_verdict = is_used ? MT_VERDICT_ACCEPTED : MT_VERDICT_NOT_REQUESTED;
    return is_ours;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void set_service(enum mt_ptp_type type, enum mt_service *ret_service)
{
    *ret_service = type == MT_PTP_ANNOUNCE     ? MT_SERVICE_ANNOUNCE
                   : type == MT_PTP_DELAY_RESP ? MT_SERVICE_DELAY_RESP
                                               : MT_SERVICE_SYNC;
}

/* Unicast without negotiation: who sends from the address is the transmitter, until it has been
 * silent and another one does. */
static void learn(const struct mt_requester *requester, struct mt_unicast_transmitter *transmitter,
                  const struct mt_ptp_header *header)
{
    if (!requester->negotiates && header->type == MT_PTP_ANNOUNCE &&
        (!transmitter->is_identity_known || transmitter->state == MT_REQUESTER_WAIT)) {
        transmitter->identity = header->source;
        transmitter->is_identity_known = true;
    }
}

static enum mt_verdict judge(struct mt_instance *self, struct mt_port *port,
                             const struct mt_requester *requester, const struct mt_incoming *in)
{
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_unicast_transmitter *transmitter = find(requester, in->from);
    enum mt_service kind;
    set_service(header->type, &kind);
    if (transmitter == NULL || (header->flags & MT_PTP_UNICAST) == 0) {
        return MT_VERDICT_NOT_ACCEPTABLE;
    }
    learn(requester, transmitter, header);
    if (!has_identity(transmitter, &header->source)) {
        return MT_VERDICT_NOT_ACCEPTABLE;
    }
    transmitter->services[kind].heard = self->now;
    if (transmitter->held_until.ns != 0) { /* it is not silent, it has no say */
        return MT_VERDICT_NOT_ACCEPTABLE;
    }
    if (requester->negotiates && !transmitter->services[kind].is_granted) {
        return MT_VERDICT_NOT_REQUESTED;
    }
    transmitter->services[kind].silences = 0;
    transmitter->services[kind].trouble = MT_TROUBLE_NONE;
    if (kind == MT_SERVICE_SYNC && transmitter->state == MT_REQUESTER_HAVE_SYNC) {
        transmitter->failures = 0;
    }
    if (kind == MT_SERVICE_ANNOUNCE) {
        port->config.local_priority = transmitter->local_priority;
    }
    return MT_VERDICT_ACCEPTED;
}

bool mt_requester_rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
                     enum mt_verdict *ret_verdict)
{
    struct mt_requester *requester = mt_requester_of(port);
    enum mt_ptp_type type = in->message.header.type;
    if (requester == NULL) {
        return false;
    }
    if (type == MT_PTP_SIGNALING) {
        return requester->negotiates && mt_unicast_is_addressed(self, port, in) &&
               signaling(self, port, requester, in, ret_verdict);
    }
    if (type != MT_PTP_ANNOUNCE && type != MT_PTP_SYNC && type != MT_PTP_FOLLOW_UP &&
        type != MT_PTP_DELAY_RESP) {
        return false;
    }
    if (in->from == NULL) {
        *ret_verdict = MT_VERDICT_NOT_ACCEPTABLE;
        return mt_port_is_active(port);
    }
    if (!mt_unicast_concerns(self, port, in)) {
        return false; /* the port says why */
    }
    *ret_verdict = judge(self, port, requester, in);
    return *ret_verdict != MT_VERDICT_ACCEPTED;
}
