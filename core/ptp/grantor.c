/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The grantor: a transmitter that serves clients one by one [1588-2019 16.1].
 *
 * A request is answered with one grant and nothing else; what was granted is sent when it is due,
 * with sequence numbers of that client and that message.  A request that cannot be met is denied
 * with a duration of zero.  A clock that has no time to serve any more withdraws what it has
 * granted, client by client as their messages fall due, so that they look for another one.  An
 * inactive port and one that is about to serve keep their grants and let them run out.
 *
 * A Sync's timestamp comes back with a token, and the token's number is its place in a ring.
 * Follow_Ups leave before anything periodic, so a place is free again before it can be needed.
 *
 * Delay_Reqs that came by unicast are answered to their sender's address alone: those of clients
 * with a grant, those of static clients, and in hybrid operation anybody's.
 */
#include "meantime/ptp_more.h"
#include "ptp/grantor_private.h"

#define LONGEST_LOG_INTERVAL 10
#define ONE_WAY_S            INT64_C(60) /* without Delay_Req: it sends none */

static struct mt_grantor *grantor_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->grantor : NULL;
}

/* Most ports have a grantor and no clients.  One that has neither anything to do nor to await is
 * left alone until a client or a timestamp is heard. */

static uint64_t bit_of(const struct mt_instance *self, const struct mt_port *port)
{
    return UINT64_C(1) << (port - self->ports);
}

/* Bits of the ports to look after. */
static uint64_t busy_ports(const struct mt_instance *self)
{
    uint64_t all = ~UINT64_C(0) >> (MT_INSTANCE_PORTS_MAX - self->port_count);
    return self->config.more != NULL ? all & ~self->config.more->idle_grantors : all;
}

static bool is_busy(const struct mt_instance *self, const struct mt_port *port)
{
    return (busy_ports(self) & bit_of(self, port)) != 0;
}

static void wake(struct mt_instance *self, const struct mt_port *port)
{
    if (self->config.more != NULL) {
        self->config.more->idle_grantors &= ~bit_of(self, port);
    }
}

static void rest(struct mt_instance *self, const struct mt_port *port,
                 const struct mt_grantor *grantor)
{
    if (self->config.more != NULL && grantor->reply_count == 0 && grantor->answer_count == 0 &&
        grantor->client_count == 0 && !grantor->policy.is_multicast_off) {
        self->config.more->idle_grantors |= bit_of(self, port);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct mt_unicast_reply *new_reply(struct mt_grantor *self, const struct mt_incoming *in)
{
    if (self->reply_count == MT_UNICAST_REPLIES) {
        return NULL;
    }
    unsigned place = ((unsigned)self->first_reply + self->reply_count) % MT_UNICAST_REPLIES;
    struct mt_unicast_reply *reply = &self->replies[place];
    reply->to = *in->from;
    reply->target = in->message.header.source;
    reply->count = 0;
    return reply;
}

static bool may_grant(const struct mt_grantor *self, const struct mt_port *port,
                      const struct mt_incoming *in, enum mt_service service,
                      const struct mt_tlv_unicast *request)
{
    const struct mt_grantor_policy *policy = &self->policy;
    return policy->negotiates && port->state == MT_STATE_TRANSMITTER && request->duration_s != 0 &&
           policy->max_duration_s != 0 &&
           request->log_interval >= policy->shortest_log_interval[service] &&
           request->log_interval <= LONGEST_LOG_INTERVAL &&
           (policy->allowed_count == 0 ||
            mt_address_is_within(in->from, policy->allowed, policy->allowed_count));
}

/* An Announce at once, for it is waited for; Syncs somewhere in their interval, since many clients
 * may ask at one time. */
static struct mt_mono first_message(struct mt_instance *self, enum mt_service service,
                                    int8_t log_interval)
{
    switch (service) {
    case MT_SERVICE_ANNOUNCE:
        return self->now;
    case MT_SERVICE_SYNC:
        return mt_mono_plus(self->now, mt_random_ns(self, mt_log2s_to_ns(log_interval)));
    case MT_SERVICE_DELAY_RESP:
        break;
    }
    return MT_MONO_NEVER;
}

/* The standard has nothing that a client would have to echo, so an address is never proven.  But
 * whoever only sends requests in the name of another gets little for each: at first a short grant,
 * and a long one only for whoever goes on sending, Delay_Req at best. */
static uint32_t longest(const struct mt_grantor *self, struct mt_client *client, struct mt_mono now)
{
    const struct mt_grantor_policy *policy = &self->policy;
    const bool is_new = client->since.ns == 0;
    uint32_t longest_s = policy->max_duration_s;
    if (policy->first_duration_s == 0) {
        return longest_s;
    }
    if (is_new) {
        client->since = now;
    }
    client->is_proven = client->is_proven || now.ns - client->since.ns >= MT_NS_PER_S;
    const bool is_two_way =
        client->has_asked && now.ns - client->asked.ns < ONE_WAY_S * MT_NS_PER_S;
    const uint32_t limit_s = !client->is_proven ? policy->first_duration_s
                             : !is_two_way      ? policy->one_way_duration_s
                                                : longest_s;
    return limit_s < longest_s ? limit_s : longest_s;
}

/* The duration that is granted, 0: denied. */
static uint32_t decide(struct mt_instance *self, const struct mt_port *port,
                       struct mt_grantor *grantor, const struct mt_incoming *in,
                       const struct mt_tlv_unicast *request)
{
    const struct mt_port_identity *identity = &in->message.header.source;
    uint32_t duration_s = request->duration_s;
    struct mt_client *client = NULL;
    enum mt_service service;
    if (!mt_service_of(request->message, &service)) {
        return 0;
    }
    struct mt_grant_book *book = &grantor->books[service];
    mt_count(&book->requested);
    if (may_grant(grantor, port, in, service, request)) {
        client = mt_grantor_find(grantor, in->from, identity);
        client = client != NULL ? client : mt_grantor_add(grantor, in->from, identity);
    }
    if (client == NULL) {
        mt_count(&book->denied);
        return 0;
    }
    const uint32_t longest_s = longest(grantor, client, self->now);
    duration_s = duration_s < longest_s ? duration_s : longest_s;
    /* who comes back while it is known hears the same numbers go on [7.3.7] */
    if (!mt_grant_is_active(&client->grants[service]) && client->sent[service] == 0) {
        client->grants[service].sequence = (uint16_t)mt_prng_next_u32(&self->random);
    }
    mt_grantor_grant(grantor, client, service, request->log_interval,
                     mt_mono_plus(self->now, (int64_t)duration_s * MT_NS_PER_S),
                     first_message(self, service, request->log_interval));
    return duration_s;
}

/* ---- Signaling ------------------------------------------------------------------------------- */

static void say(struct mt_unicast_reply *reply, enum mt_tlv_type type,
                const struct mt_tlv_unicast *value)
{
    struct mt_unicast_word *word = &reply->words[reply->count++];
    word->type = (uint16_t)type;
    word->value = *value;
}

static bool cancel(struct mt_grantor *self, const struct mt_incoming *in,
                   const struct mt_tlv_unicast *value)
{
    enum mt_service service;
    struct mt_client *client = mt_grantor_find(self, in->from, &in->message.header.source);
    if (client == NULL || (value->flags & MT_CANCEL_KEEPS_REQUEST) != 0 ||
        !mt_service_of(value->message, &service) || !mt_grant_is_active(&client->grants[service])) {
        return false;
    }
    mt_grantor_end(self, client, service, MT_GRANT_CANCELLED);
    return true;
}

/* True if the word was for a grantor. */
static bool hear(struct mt_instance *self, struct mt_port *port, const struct mt_incoming *in,
                 const struct mt_unicast_word *word, struct mt_unicast_reply *reply)
{
    struct mt_grantor *grantor = grantor_of(port);
    struct mt_tlv_unicast answer = word->value;
    if (word->type == MT_TLV_REQUEST_UNICAST_TRANSMISSION) {
        answer.duration_s = decide(self, port, grantor, in, &word->value);
        answer.flags = answer.duration_s != 0; /* renewal invited */
        say(reply, MT_TLV_GRANT_UNICAST_TRANSMISSION, &answer);
        return true;
    }
    if (word->type == MT_TLV_CANCEL_UNICAST_TRANSMISSION &&
        (cancel(grantor, in, &word->value) || port->config.more->requester == NULL)) {
        answer.flags = 0;
        say(reply, MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION, &answer);
        return true;
    }
    if (word->type == MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION &&
        port->config.more->requester == NULL) {
        mt_count(&grantor->acknowledged);
        return true;
    }
    return false;
}

static bool signaling(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                      const struct mt_incoming *in, enum mt_verdict *ret_verdict)
{
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    struct mt_unicast_word word;
    bool any = false;
    bool all = true;
    struct mt_unicast_reply *reply = new_reply(grantor, in);
    if (!grantor->policy.negotiates) {
        return false;
    }
    for (unsigned i = 0; i < MT_UNICAST_TLVS && mt_unicast_next_word(&tlvs, &length, &word); i++) {
        if (reply == NULL) {
            *ret_verdict = MT_VERDICT_QUEUE_FULL;
            return true;
        }
        bool is_ours = hear(self, port, in, &word, reply);
        any = any || is_ours;
        all = all && is_ours;
    }
    grantor->reply_count = (uint8_t)(grantor->reply_count + (any && reply->count != 0));
    *ret_verdict = MT_VERDICT_ACCEPTED;
    return any && all;
}

/* ---- Delay_Req ------------------------------------------------------------------------------- */

static bool has_right(struct mt_grantor *self, struct mt_client *client,
                      const struct mt_incoming *in)
{
    return (client != NULL && mt_grant_is_active(&client->grants[MT_SERVICE_DELAY_RESP])) ||
           self->policy.answers_all || mt_grantor_find_static(self, in->from) != NULL;
}

static enum mt_verdict answer(struct mt_port *port, struct mt_grantor *self,
                              const struct mt_incoming *in, struct mt_mono now)
{
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_client *client = mt_grantor_find(self, in->from, &header->source);
    if (!has_right(self, client, in)) {
        mt_count(&self->delay_req_denied);
        return MT_VERDICT_UNSUPPORTED;
    }
    if (self->answer_count == MT_UNICAST_ANSWERS) {
        return MT_VERDICT_QUEUE_FULL;
    }
    if (client != NULL) {
        if (client->has_asked && client->delay_sequence == header->sequence) {
            return MT_VERDICT_STALE; /* it came twice */
        }
        client->has_asked = true;
        client->asked = now;
        client->delay_sequence = header->sequence;
        client->sent[MT_SERVICE_DELAY_RESP]++;
    }
    unsigned place = ((unsigned)self->first_answer + self->answer_count) % MT_UNICAST_ANSWERS;
    struct mt_unicast_answer *reply = &self->answers[place];
    self->answer_count++;
    reply->to = *in->from;
    reply->requester = header->source;
    reply->sequence = header->sequence;
    reply->correction = header->correction;
    reply->arrival = in->stamp->at;
    mt_instant_subtract(&reply->arrival, &port->config.ingress_latency);
    return MT_VERDICT_ACCEPTED;
}

static bool delay_req(const struct mt_instance *self, struct mt_port *port,
                      struct mt_grantor *grantor, const struct mt_incoming *in,
                      enum mt_verdict *ret_verdict)
{
    const struct mt_ptp_header *header = &in->message.header;
    bool is_unicast = (header->flags & MT_PTP_UNICAST) != 0;
    if (!mt_unicast_concerns(self, port, in) || in->stamp == NULL ||
        mt_interval_is_too_large(header->correction) || port->state != MT_STATE_TRANSMITTER) {
        return false; /* the port says why it is refused */
    }
    if (is_unicast) {
        *ret_verdict = answer(port, grantor, in, self->now);
    } else if (grantor->policy.is_multicast_off) {
        *ret_verdict = MT_VERDICT_UNSUPPORTED;
    }
    return is_unicast || grantor->policy.is_multicast_off;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_grantor *grantor = grantor_of(port);
    if (grantor == NULL) {
        return false;
    }
    bool is_done = in->message.header.type == MT_PTP_DELAY_REQ
                       ? delay_req(self, port, grantor, in, ret_verdict)
                       : mt_unicast_is_addressed(self, port, in) &&
                             signaling(self, port, grantor, in, ret_verdict);
    if (is_done || grantor->reply_count != 0) { /* others may want the same message, too */
        wake(self, port);
    }
    return is_done;
}

/* ---- timestamps ------------------------------------------------------------------------------ */

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_grantor *grantor = grantor_of(port);
    if (grantor == NULL || grantor->storage.client_count == 0) {
        return false;
    }
    uint32_t place = token & (grantor->storage.token_count - 1);
    struct mt_grantor_token *sent = &grantor->storage.tokens[place];
    if (sent->token != token) {
        return false;
    }
    sent->token = 0;
    if (stamp == NULL) {
        return true;
    }
    wake(self, port);
    sent->departure = stamp->at;
    sent->next = MT_GRANTOR_NONE;
    if (grantor->stamped_last != MT_GRANTOR_NONE) {
        grantor->storage.tokens[grantor->stamped_last].next = place;
    } else {
        grantor->stamped_first = place;
    }
    grantor->stamped_last = place;
    return true;
}

/* ---- time passes ----------------------------------------------------------------------------- */

static void silence_multicast(struct mt_instance *self, struct mt_port *port)
{
    port->pending &= (uint8_t) ~(1u << MT_FRAME_ANNOUNCE | 1u << MT_FRAME_SYNC);
    mt_timer_disarm(self, port, MT_TIMER_ANNOUNCE);
    mt_timer_disarm(self, port, MT_TIMER_SYNC);
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; busy_ports(self) != 0 && port < self->ports_end;
         port++) {
        struct mt_grantor *grantor = is_busy(self, port) ? grantor_of(port) : NULL;
        if (grantor == NULL) {
            continue;
        }
        if (grantor->policy.is_multicast_off && port->state == MT_STATE_TRANSMITTER) {
            silence_multicast(self, port);
        }
        if (grantor->storage.client_count != 0) {
            deadline = mt_mono_earlier(deadline, mt_grantor_turn(grantor, self->now));
        }
    }
    return deadline;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool next_reply(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                       struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_unicast_reply *reply = &grantor->replies[grantor->first_reply];
    if (grantor->reply_count == 0) {
        return false;
    }
    grantor->first_reply = (uint8_t)((grantor->first_reply + 1) % MT_UNICAST_REPLIES);
    grantor->reply_count--;
    return mt_unicast_signal(self, port, reply, mt_unicast_next_sequence(port, &reply->to), out,
                             ret_tx);
}

static bool next_follow_up(struct mt_instance *self, struct mt_port *port,
                           struct mt_grantor *grantor, struct mt_outgoing *out,
                           struct mt_tx *ret_tx)
{
    while (grantor->stamped_first != MT_GRANTOR_NONE) {
        const struct mt_grantor_token *sent = &grantor->storage.tokens[grantor->stamped_first];
        const struct mt_client *client = &grantor->storage.clients[sent->client];
        grantor->stamped_first = sent->next;
        if (sent->next == MT_GRANTOR_NONE) {
            grantor->stamped_last = MT_GRANTOR_NONE;
        }
        if (!client->is_used || client->generation != sent->generation) {
            continue; /* it has left meanwhile */
        }
        mt_unicast_begin(self, port, MT_PTP_FOLLOW_UP, out);
        out->message.header.sequence = sent->sequence;
        mt_ptp_timestamp_from_instant(&sent->departure, &out->message.body.origin,
                                      &out->message.header.correction);
        if (mt_unicast_leave(self, port, out, &client->address, ret_tx)) {
            mt_port_count(port, MT_COUNT_SENT_FOLLOW_UP);
            return true;
        }
    }
    return false;
}

static bool next_answer(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                        struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_unicast_answer *reply = &grantor->answers[grantor->first_answer];
    struct mt_ptp_header *header = &out->message.header;
    struct mt_interval fraction;
    if (grantor->answer_count == 0) {
        return false;
    }
    grantor->first_answer = (uint8_t)((grantor->first_answer + 1) % MT_UNICAST_ANSWERS);
    grantor->answer_count--;
    mt_unicast_begin(self, port, MT_PTP_DELAY_RESP, out);
    mt_ptp_timestamp_from_instant(&reply->arrival, &out->message.body.response.at, &fraction);
    out->message.body.response.requester = reply->requester;
    header->sequence = reply->sequence;
    header->correction = mt_interval_minus(reply->correction, fraction);
    if (!mt_unicast_leave(self, port, out, &reply->to, ret_tx)) {
        return false;
    }
    mt_port_count(port, MT_COUNT_SENT_DELAY_RESP);
    mt_count(&grantor->books[MT_SERVICE_DELAY_RESP].sent);
    return true;
}

static bool send_announce(struct mt_instance *self, struct mt_port *port, struct mt_client *client,
                          struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_grant *grant = &client->grants[MT_SERVICE_ANNOUNCE];
    uint16_t of_multicast = port->transmission.announce_sequence;
    mt_unicast_begin(self, port, MT_PTP_ANNOUNCE, out);
    out->frame = MT_FRAME_ANNOUNCE;
    self->config.features->transmitter->fill(self, port, out);
    port->transmission.announce_sequence = of_multicast;
    out->message.header.flags |= MT_PTP_UNICAST;
    out->message.header.sequence = grant->sequence++;
    out->message.header.log_interval = grant->log_interval;
    if (!mt_unicast_leave(self, port, out, &client->address, ret_tx)) {
        return false;
    }
    mt_port_count(port, MT_COUNT_SENT_ANNOUNCE);
    return true;
}

static bool send_sync(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                      struct mt_client *client, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    mt_unicast_begin(self, port, MT_PTP_SYNC, out);
    out->message.header.flags |= MT_PTP_TWO_STEP;
    out->message.header.sequence = client->grants[MT_SERVICE_SYNC].sequence++;
    out->token = mt_next_token(self);
    if (!mt_unicast_leave(self, port, out, &client->address, ret_tx)) {
        return false;
    }
    struct mt_grantor_token *sent =
        &grantor->storage.tokens[out->token & (grantor->storage.token_count - 1)];
    if (sent->token != 0) {
        mt_port_count(port, MT_COUNT_TX_STAMP_LOST);
    }
    sent->token = out->token;
    sent->client = (uint32_t)(client - grantor->storage.clients);
    sent->generation = client->generation;
    sent->sequence = out->message.header.sequence;
    mt_port_count(port, MT_COUNT_SENT_SYNC);
    return true;
}

/* All that the client has, in one message. */
static bool withdraw(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                     struct mt_client *client, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_requester *requester = port->config.more->requester;
    const bool asks_too = requester != NULL && requester->negotiates;
    struct mt_unicast_reply farewell = {.to = client->address, .target = client->identity};
    for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
        if (!mt_grant_is_active(&client->grants[service])) {
            continue;
        }
        const struct mt_tlv_unicast value = {.message = mt_service_type((enum mt_service)service),
                                             .flags = asks_too ? MT_CANCEL_KEEPS_REQUEST : 0};
        say(&farewell, MT_TLV_CANCEL_UNICAST_TRANSMISSION, &value);
        mt_grantor_end(grantor, client, (enum mt_service)service, MT_GRANT_WITHDRAWN);
    }
    return mt_unicast_signal(self, port, &farewell, mt_unicast_next_sequence(port, &farewell.to),
                             out, ret_tx);
}

/* The next is due an interval after this one was, unless that has fallen behind. */
static void schedule_next(struct mt_instance *self, struct mt_grantor *grantor,
                          struct mt_client *client, enum mt_service service)
{
    const struct mt_grant *grant = &client->grants[service];
    int64_t interval_ns = mt_log2s_to_ns(grant->log_interval);
    struct mt_mono at = grant->expires;
    if (service != MT_SERVICE_DELAY_RESP) {
        at = mt_mono_plus(grant->due, interval_ns);
        if (at.ns <= self->now.ns) {
            mt_count(&grantor->books[service].missed);
            at = mt_mono_plus(self->now, interval_ns);
        }
    }
    mt_grantor_schedule(grantor, client, service, at);
}

/* What is due of a grant; false if that is nothing to send. */
static bool serve(struct mt_instance *self, struct mt_port *port, struct mt_client *client,
                  enum mt_service service, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_grantor *grantor = grantor_of(port);
    bool is_sent = false;
    if (client->grants[service].expires.ns <= self->now.ns) {
        mt_grantor_end(grantor, client, service, MT_GRANT_EXPIRED);
        return false;
    }
    if (port->state >= MT_STATE_LISTENING && port->state != MT_STATE_TRANSMITTER &&
        port->state != MT_STATE_PRE_TRANSMITTER && !client->is_static) {
        return withdraw(self, port, grantor, client, out, ret_tx);
    }
    if (port->state == MT_STATE_TRANSMITTER && service != MT_SERVICE_DELAY_RESP) {
        is_sent = service == MT_SERVICE_ANNOUNCE
                      ? send_announce(self, port, client, out, ret_tx)
                      : send_sync(self, port, grantor, client, out, ret_tx);
    }
    schedule_next(self, grantor, client, service);
    if (is_sent) {
        client->sent[service]++;
        mt_count(&grantor->books[service].sent);
    }
    return is_sent;
}

static bool next_tx_of(struct mt_instance *self, struct mt_port *port, struct mt_grantor *grantor,
                       struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_client *client;
    enum mt_service service;
    if (next_reply(self, port, grantor, out, ret_tx) ||
        next_follow_up(self, port, grantor, out, ret_tx) ||
        next_answer(self, port, grantor, out, ret_tx)) {
        return true;
    }
    while ((client = mt_grantor_take(grantor, &service)) != NULL) {
        bool is_sent = serve(self, port, client, service, out, ret_tx);
        mt_lend_deadline(self, mt_grantor_deadline(grantor));
        if (is_sent) {
            return true;
        }
    }
    return false;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    for (struct mt_port *port = self->ports; busy_ports(self) != 0 && port < self->ports_end;
         port++) {
        struct mt_grantor *grantor = is_busy(self, port) ? grantor_of(port) : NULL;
        if (grantor != NULL && next_tx_of(self, port, grantor, out, ret_tx)) {
            return true;
        }
        if (grantor != NULL) {
            rest(self, port, grantor);
        }
    }
    return false;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->grantor != NULL;
}

const struct mt_extension mt_grantor_extension = {
    .rx = rx,
    .tx_done = tx_done,
    .settle = settle,
    .next_tx = next_tx,
    .is_used = is_used,
};
