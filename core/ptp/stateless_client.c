/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The client of stateless PTP.  All servers are asked at the same interval, each at its own phase,
 * one exchange at a time; a request that is not answered in time is given up, then the next one is
 * asked when it is due.  Only what a server says of the request that is under way counts: address,
 * domain and sequenceId, which starts at random, must be right, everything else is bogus.
 *
 * A finished exchange is handed on as what the rest of the instance understands: the status as an
 * Announce, with the sequence and the interval of the exchange, so that the ordinary machinery
 * qualifies servers, compares them, follows one, and gives it up when it falls silent; both one-way
 * measurements as samples, if the server is the parent.  A port holds one sample, so the second
 * waits until the first has been drained.
 */
#include "ptp/stateless_private.h"

#define LOG_ANNOUNCE_LEAST (-3) /* 125 ms: longer than MT_STATELESS_TIMEOUT_NS */

void mt_stateless_client_init(struct mt_stateless_client *self, enum mt_stateless_form form,
                              const struct mt_csptp_layout *layout, int8_t log_interval,
                              const struct mt_address *addresses, size_t count)
{
    memset(self, 0, sizeof *self);
    self->form = form;
    self->layout = layout;
    self->log_interval = log_interval;
    self->peer_count = (uint16_t)(count < MT_STATELESS_SERVERS ? count : MT_STATELESS_SERVERS);
    for (unsigned i = 0; i < self->peer_count; i++) {
        self->peers[i].address = addresses[i];
    }
}

void mt_stateless_client_set_address(struct mt_stateless_client *self, uint16_t index,
                                     const struct mt_address *address)
{
    struct mt_stateless_peer *peer = &self->peers[index];
    if (index < self->peer_count && !mt_address_equal(&peer->address, address)) {
        peer->address = *address;
        peer->is_asking = false;
        peer->is_due = false;
        peer->ask_at.ns = 0; /* at a new phase, from a new number on */
    }
}

static struct mt_stateless_client *client_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->stateless : NULL;
}

/* Only the first port may have one: a clock with more ports is no mere receiver. */
static struct mt_stateless_client *client_in(const struct mt_instance *self)
{
    return client_of(self->ports);
}

/* ---- what comes of an exchange --------------------------------------------------------------- */

static void offer_reverse(struct mt_instance *self, struct mt_stateless_client *client)
{
    struct mt_port *port = self->ports;
    if (!client->has_reverse || port->has_sample) {
        return;
    }
    client->has_reverse = false;
    if (mt_port_is_receiving(port)) {
        port->sample.value = client->reverse_value;
        mt_port_measured(self, port, MT_SAMPLE_REVERSE, &client->reverse_local);
    }
}

static void measure(struct mt_instance *self, struct mt_stateless_client *client,
                    struct mt_stateless_peer *peer)
{
    struct mt_port *port = self->ports;
    mt_instant_add(&peer->t1, &peer->forward);
    mt_instant_add(&peer->t1, &port->config.delay_asymmetry);
    mt_instant_subtract(&peer->t4, &peer->reverse);
    mt_instant_add(&peer->t4, &port->config.delay_asymmetry);
    mt_span_between(&peer->t1, &peer->arrival.at, &port->sample.value);
    mt_port_measured(self, port, MT_SAMPLE_FORWARD, &peer->arrival);
    client->has_reverse = true;
    client->reverse_local = peer->departure;
    mt_span_between(&peer->departure.at, &peer->t4, &client->reverse_value);
    peer->measured++;
}

static enum mt_verdict complete(struct mt_instance *self, struct mt_stateless_client *client,
                                struct mt_stateless_peer *peer)
{
    struct mt_port *port = self->ports;
    if (!peer->has_departure || !peer->has_sync || !peer->has_rest) {
        return MT_VERDICT_ACCEPTED;
    }
    peer->is_asking = false;
    peer->finished++;
    if (!peer->has_status) {
        return MT_VERDICT_ACCEPTED;
    }
    peer->status.header.sequence = peer->sequence;
    peer->status.header.log_interval = port->config.log_announce_interval;
    peer->status.tlvs = NULL;
    peer->status.tlvs_length = 0;
    enum mt_verdict verdict = mt_announce_rx(self, port, &peer->status);
    if (verdict == MT_VERDICT_ACCEPTED && mt_port_is_receiving(port) &&
        mt_is_parent(self, &peer->status.header.source)) {
        measure(self, client, peer);
    }
    return verdict;
}

/* ---- reception ------------------------------------------------------------------------------- */

static struct mt_stateless_peer *find_peer(const struct mt_instance *self,
                                           struct mt_stateless_client *client,
                                           const struct mt_incoming *in)
{
    const struct mt_ptp_header *header = &in->message.header;
    uint16_t sdo_id =
        client->form == MT_STATELESS_SPTP ? self->config.sdo_id : (uint16_t)MT_CSPTP_SDO_ID;
    if (header->domain != self->config.domain || header->sdo_id != sdo_id || in->from == NULL ||
        (header->flags & MT_PTP_UNICAST) == 0 || mt_interval_is_too_large(header->correction) ||
        mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return NULL;
    }
    for (unsigned i = 0; i < client->peer_count; i++) {
        struct mt_stateless_peer *peer = &client->peers[i];
        if (peer->is_asking && !peer->is_due && peer->sequence == header->sequence &&
            mt_address_equal(&peer->address, in->from)) {
            return peer;
        }
    }
    return NULL;
}

static enum mt_verdict hear(struct mt_instance *self, struct mt_stateless_client *client,
                            const struct mt_incoming *in)
{
    struct mt_stateless_peer *peer = find_peer(self, client, in);
    struct mt_stamp arrival;
    const struct mt_stamp *stamp = NULL;
    if (in->stamp != NULL) {
        arrival = *in->stamp;
        mt_instant_subtract(&arrival.at, &self->ports->config.ingress_latency);
        stamp = &arrival;
    }
    if (peer == NULL ||
        !(client->form == MT_STATELESS_SPTP ? mt_sptp_hear(peer, &in->message, stamp)
                                            : mt_csptp_hear(client, peer, &in->message, stamp))) {
        if ((in->message.header.flags & MT_PTP_UNICAST) != 0) { /* else it is no answer */
            mt_count(&client->bogus);
        }
        return MT_VERDICT_NOT_REQUESTED;
    }
    return complete(self, client, peer);
}

bool mt_stateless_client_rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
                            enum mt_verdict *ret_verdict)
{
    struct mt_stateless_client *client = client_of(port);
    if (client == NULL || port != self->ports || !mt_port_is_active(port)) {
        return false;
    }
    switch (in->message.header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_ANNOUNCE:
    case MT_PTP_DELAY_RESP:
        *ret_verdict = hear(self, client, in);
        return true;
    case MT_PTP_DELAY_REQ:
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
    return false;
}

bool mt_stateless_client_tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                                 const struct mt_stamp *stamp)
{
    struct mt_stateless_client *client = client_of(port);
    for (unsigned i = 0; client != NULL && i < client->peer_count; i++) {
        struct mt_stateless_peer *peer = &client->peers[i];
        if (!peer->is_asking || peer->is_due || peer->has_departure || peer->token != token) {
            continue;
        }
        if (stamp == NULL) {
            peer->is_asking = false;
            peer->timeouts++;
            return true;
        }
        peer->has_departure = true;
        peer->departure = *stamp;
        (void)complete(self, client, peer);
        return true;
    }
    return false;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct mt_mono drive(struct mt_instance *self, const struct mt_stateless_client *client,
                            struct mt_stateless_peer *peer)
{
    int64_t interval_ns = mt_log2s_to_ns(client->log_interval);
    if (peer->address.network == MT_NETWORK_NONE) {
        return MT_MONO_NEVER;
    }
    if (peer->ask_at.ns == 0) { /* the first time, at a phase and from a number of its own */
        peer->ask_at = mt_mono_plus(self->now, mt_random_ns(self, interval_ns));
        peer->sequence = (uint16_t)mt_prng_next_u32(&self->random);
    }
    if (peer->is_asking && !peer->is_due && peer->void_at.ns <= self->now.ns) {
        peer->is_asking = false;
        peer->timeouts++;
    }
    if (!peer->is_asking && peer->ask_at.ns <= self->now.ns) {
        peer->is_asking = true;
        peer->is_due = true;
        peer->has_departure = false;
        peer->has_sync = false;
        peer->has_rest = false;
        peer->has_status = false;
        peer->forward.q16 = 0;
        peer->sequence++;
        peer->ask_at = mt_mono_plus(peer->ask_at, interval_ns);
        if (peer->ask_at.ns <= self->now.ns) {
            peer->ask_at = mt_mono_plus(self->now, interval_ns);
        }
    }
    if (peer->is_asking) {
        return peer->is_due ? MT_MONO_NEVER : peer->void_at;
    }
    return peer->ask_at;
}

/* Without its link the port asks nothing, and begins anew when it is back. */
static void rest(struct mt_stateless_client *client)
{
    client->has_reverse = false;
    for (unsigned i = 0; i < client->peer_count; i++) {
        client->peers[i].is_asking = false;
        client->peers[i].is_due = false;
        client->peers[i].ask_at.ns = 0;
    }
}

/* A server that is asked often has failed when three exchanges have, and one that fails takes its
 * time: so long it must not be given up for want of Announces. */
static int8_t log_announce_interval(const struct mt_stateless_client *client)
{
    return client->log_interval > LOG_ANNOUNCE_LEAST ? client->log_interval : LOG_ANNOUNCE_LEAST;
}

struct mt_mono mt_stateless_client_settle(struct mt_instance *self)
{
    struct mt_stateless_client *client = client_in(self);
    struct mt_mono deadline = MT_MONO_NEVER;
    if (client == NULL) {
        return deadline;
    }
    self->ports->config.log_announce_interval = log_announce_interval(client);
    mt_timer_disarm(self, self->ports, MT_TIMER_DELAY_REQ);
    self->ports->pending = 0;
    if (!mt_port_is_active(self->ports)) {
        rest(client);
        return deadline;
    }
    for (unsigned i = 0; i < client->peer_count; i++) {
        deadline = mt_mono_earlier(deadline, drive(self, client, &client->peers[i]));
    }
    return deadline;
}

static void put_request(struct mt_instance *self, const struct mt_stateless_client *client,
                        struct mt_stateless_peer *peer, struct mt_outgoing *out,
                        struct mt_tx *ret_tx)
{
    struct mt_port *port = self->ports;
    bool is_sptp = client->form == MT_STATELESS_SPTP;
    memset(&out->message, 0, sizeof out->message);
    out->message.header = (struct mt_ptp_header){
        .type = is_sptp ? MT_PTP_DELAY_REQ : MT_PTP_SYNC,
        .sdo_id = self->config.sdo_id,
        .minor_version = self->config.minor_version,
        .domain = self->config.domain,
        .flags = is_sptp ? MT_SPTP_FLAGS : MT_PTP_UNICAST,
        .source = port->identity,
        .sequence = peer->sequence,
        .log_interval = MT_PTP_LOG_INTERVAL_NONE,
    };
    ret_tx->length = is_sptp ? mt_sptp_ask(client, &out->message, out->buffer, out->capacity)
                             : mt_csptp_ask(client, &out->message, out->buffer, out->capacity);
    ret_tx->port = port->identity.port;
    ret_tx->destination = MT_TO_ADDRESS;
    ret_tx->to = peer->address;
    ret_tx->is_event = true;
    ret_tx->token = peer->token;
    ret_tx->insertion = MT_INSERT_NOTHING;
}

bool mt_stateless_client_next_tx(struct mt_instance *self, struct mt_outgoing *out,
                                 struct mt_tx *ret_tx)
{
    struct mt_stateless_client *client = client_in(self);
    if (client == NULL) {
        return false;
    }
    offer_reverse(self, client);
    for (unsigned i = 0; i < client->peer_count; i++) {
        struct mt_stateless_peer *peer = &client->peers[i];
        if (!peer->is_due || out->capacity < MT_STATELESS_REQUEST_SIZE) {
            continue;
        }
        peer->is_due = false;
        peer->token = mt_next_token(self);
        peer->void_at = mt_mono_plus(self->now, MT_STATELESS_TIMEOUT_NS);
        peer->asked++;
        mt_lend_deadline(self, peer->void_at);
        put_request(self, client, peer, out, ret_tx);
        return true;
    }
    return false;
}
