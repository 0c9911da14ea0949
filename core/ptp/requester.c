/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The requester: follows the best of a table of transmitters by unicast [1588-2019 16.1].
 *
 * Every transmitter of the table is asked for Announces, so that the state decision can compare
 * them as usual; the one that it chooses is asked for Sync and Delay_Resp.  A request that is not
 * answered is repeated with growing distance, a grant is renewed from half its time on.  What was
 * granted and does not come has been forgotten over there and is asked for anew.
 *
 * A transmitter that announces itself but does not serve (it denies, cancels or does not answer) is
 * left at once: its record among the foreign transmitters is taken out, so that the next best one
 * is chosen, and for a while its Announces are not heard.
 *
 * Everything is looked at after each input; the tables are short.
 */
#include "ptp/requester_private.h"

#define RETRY_DOUBLING    5 /* 1 s, 2 s ... 32 s */
#define HOLD_FIRST_NS     (INT64_C(4) * MT_NS_PER_S)
#define HOLD_DOUBLING     4 /* 4 s ... 64 s */
#define TRIES_TO_SERVE    3
#define SILENCES_TO_SERVE 2
#define MISSED            10 /* messages that may be missing */
#define MISSED_MIN_NS     (INT64_C(2) * MT_NS_PER_S)

static int64_t doubled(int64_t first_ns, unsigned times, unsigned at_most)
{
    return first_ns << (times < at_most ? times : at_most);
}

void mt_requester_back_off(struct mt_instance *self, const struct mt_requester *requester,
                           struct mt_unicast_service *service)
{
    int64_t wait_ns =
        doubled(mt_log2s_to_ns(requester->log_query_interval), service->tries, RETRY_DOUBLING);
    if (service->tries < UINT8_MAX) {
        service->tries++;
    }
    service->ask_at = mt_mono_plus(self->now, wait_ns + mt_random_ns(self, wait_ns / 4));
}

/* True if it was the one that is followed. */
static bool forget_foreign(struct mt_instance *self, struct mt_port *port,
                           const struct mt_unicast_transmitter *transmitter)
{
    bool was_best = false;
    for (unsigned i = 0; transmitter->is_identity_known && i < MT_FOREIGN_MAX; i++) {
        struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_used &&
            mt_port_identity_equal(&foreign->dataset.sender, &transmitter->identity)) {
            foreign->is_used = false;
            was_best = was_best || port->best == foreign;
            port->best = port->best == foreign ? NULL : port->best;
            self->needs_decision = true;
        }
    }
    return was_best;
}

void mt_requester_hold(struct mt_instance *self, struct mt_port *port,
                       struct mt_unicast_transmitter *transmitter)
{
    int64_t wait_ns = doubled(HOLD_FIRST_NS, transmitter->failures, HOLD_DOUBLING);
    if (transmitter->held_until.ns != 0) {
        return;
    }
    if (transmitter->failures < UINT8_MAX) {
        transmitter->failures++;
    }
    transmitter->held_until = mt_mono_plus(self->now, wait_ns + mt_random_ns(self, wait_ns / 4));
    if (forget_foreign(self, port, transmitter)) {
        mt_count(&mt_requester_of(port)->book.failovers);
    }
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static void want(struct mt_instance *self, struct mt_requester *requester,
                 struct mt_unicast_transmitter *transmitter, enum mt_service kind, bool is_wanted)
{
    struct mt_unicast_service *service = &transmitter->services[kind];
    if (service->is_wanted == is_wanted) {
        return;
    }
    service->is_wanted = is_wanted;
    service->tries = 0;
    service->ask_at = self->now;
    if (!is_wanted) {
        if (service->is_granted || service->is_asked) {
            transmitter->cancels |= (uint8_t)(1u << kind);
            mt_count(&requester->book.given_up);
        }
        service->is_granted = false;
        service->is_asked = false;
        transmitter->requests &= (uint8_t) ~(1u << kind);
    }
}

void mt_requester_leave(struct mt_instance *self, struct mt_port *port,
                        struct mt_unicast_transmitter *transmitter)
{
    for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
        want(self, mt_requester_of(port), transmitter, (enum mt_service)kind, false);
    }
    (void)forget_foreign(self, port, transmitter);
}

static uint16_t followed(const struct mt_instance *self, const struct mt_port *port,
                         const struct mt_requester *requester)
{
    uint16_t i = 0;
    while (i < requester->count &&
           !(mt_port_is_receiving(port) && requester->table[i].is_identity_known &&
             mt_is_parent(self, &requester->table[i].identity))) {
        i++;
    }
    return i;
}

static void choose(struct mt_instance *self, struct mt_port *port, struct mt_requester *requester)
{
    requester->selected = followed(self, port, requester);
    for (uint16_t i = 0; requester->negotiates && i < requester->count; i++) {
        struct mt_unicast_transmitter *transmitter = &requester->table[i];
        bool is_there = transmitter->address.network != MT_NETWORK_NONE;
        bool is_chosen = is_there && i == requester->selected;
        want(self, requester, transmitter, MT_SERVICE_ANNOUNCE, is_there);
        want(self, requester, transmitter, MT_SERVICE_SYNC, is_chosen);
        want(self, requester, transmitter, MT_SERVICE_DELAY_RESP,
             is_chosen && mt_port_delay_mechanism(port) == MT_DELAY_E2E);
    }
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static int8_t interval_of(const struct mt_port *port, enum mt_service kind)
{
    switch (kind) {
    case MT_SERVICE_ANNOUNCE:
        break;
    case MT_SERVICE_SYNC:
        return port->config.log_sync_interval;
    case MT_SERVICE_DELAY_RESP:
        return port->config.log_min_delay_req_interval;
    }
    return port->config.log_announce_interval;
}

static struct mt_mono silent_at(const struct mt_port *port,
                                const struct mt_unicast_service *service, enum mt_service kind)
{
    unsigned missed =
        kind == MT_SERVICE_ANNOUNCE ? port->config.announce_receipt_timeout + 1u : MISSED;
    int64_t timeout_ns = mt_log2s_to_ns(service->log_interval) * missed;
    return mt_mono_plus(service->heard, timeout_ns > MISSED_MIN_NS ? timeout_ns : MISSED_MIN_NS);
}

static void check_grant(struct mt_instance *self, struct mt_port *port,
                        struct mt_unicast_transmitter *transmitter, enum mt_service kind)
{
    struct mt_requester_book *book = &mt_requester_of(port)->book;
    struct mt_unicast_service *service = &transmitter->services[kind];
    bool is_over = service->expires.ns <= self->now.ns;
    if (!is_over && silent_at(port, service, kind).ns > self->now.ns) {
        return;
    }
    mt_count(is_over ? &book->expired : &book->fallen_silent);
    service->trouble = is_over ? MT_TROUBLE_EXPIRED : MT_TROUBLE_SILENT;
    service->is_granted = false;
    service->is_asked = false;
    service->ask_at = self->now;
    service->silences = (uint8_t)(is_over ? 0 : service->silences + 1);
    if (kind != MT_SERVICE_ANNOUNCE && service->silences >= SILENCES_TO_SERVE) {
        service->silences = 0;
        mt_requester_hold(self, port, transmitter);
    }
}

static void check_service(struct mt_instance *self, struct mt_port *port,
                          struct mt_unicast_transmitter *transmitter, enum mt_service kind)
{
    struct mt_unicast_service *service = &transmitter->services[kind];
    if (service->is_granted) {
        check_grant(self, port, transmitter, kind);
    }
    if (service->ask_at.ns > self->now.ns || !service->is_asked) {
        return;
    }
    service->is_asked = false; /* and asked again now */
    service->trouble = service->is_granted                     ? MT_TROUBLE_NONE
                       : service->trouble == MT_TROUBLE_SILENT ? MT_TROUBLE_SILENT
                                                               : MT_TROUBLE_UNANSWERED;
    mt_count(&mt_requester_of(port)->book.unanswered);
    if (kind != MT_SERVICE_ANNOUNCE && !service->is_granted && service->tries >= TRIES_TO_SERVE) {
        mt_requester_hold(self, port, transmitter);
    }
}

static enum mt_requester_state state_of(const struct mt_instance *self, const struct mt_port *port,
                                        const struct mt_requester *requester, uint16_t i)
{
    const struct mt_unicast_transmitter *transmitter = &requester->table[i];
    const struct mt_unicast_service *services = transmitter->services;
    if (i == requester->selected) {
        bool has_all = true;
        for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
            has_all = has_all && (!services[kind].is_wanted || services[kind].is_granted);
        }
        return has_all ? MT_REQUESTER_HAVE_SYNC : MT_REQUESTER_NEED_SYNC;
    }
    struct mt_unicast_service announce = services[MT_SERVICE_ANNOUNCE];
    if (!requester->negotiates) {
        announce.log_interval = port->config.log_announce_interval;
    }
    bool is_heard =
        announce.heard.ns != 0 && silent_at(port, &announce, MT_SERVICE_ANNOUNCE).ns > self->now.ns;
    return is_heard && (announce.is_granted || !requester->negotiates) ? MT_REQUESTER_HAVE_ANNOUNCE
                                                                       : MT_REQUESTER_WAIT;
}

static void check(struct mt_instance *self, struct mt_port *port, struct mt_requester *requester,
                  uint16_t i)
{
    struct mt_unicast_transmitter *transmitter = &requester->table[i];
    if (transmitter->held_until.ns != 0 && transmitter->held_until.ns <= self->now.ns) {
        transmitter->held_until.ns = 0;
        for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) { /* it has another chance */
            struct mt_unicast_service *service = &transmitter->services[kind];
            service->trouble = service->is_wanted ? service->trouble : MT_TROUBLE_NONE;
        }
    }
    for (unsigned kind = 0; requester->negotiates && kind < MT_SERVICE_COUNT; kind++) {
        check_service(self, port, transmitter, (enum mt_service)kind);
    }
    transmitter->state = state_of(self, port, requester, i);
}

static void ask(struct mt_instance *self, struct mt_requester *requester,
                struct mt_unicast_transmitter *transmitter)
{
    for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
        struct mt_unicast_service *service = &transmitter->services[kind];
        if (service->is_wanted && !service->is_asked && service->ask_at.ns <= self->now.ns) {
            transmitter->requests |= (uint8_t)(1u << kind);
            mt_requester_back_off(self, requester, service);
            service->is_asked = true;
            mt_count(&requester->book.asked);
        }
    }
}

/* ---- the port -------------------------------------------------------------------------------- */

/* A port that is down has asked for nothing and was granted nothing. */
static void stop(struct mt_requester *requester)
{
    requester->is_running = false;
    requester->leaving = 0;
    requester->selected = requester->count;
    for (unsigned i = 0; i < requester->count; i++) {
        struct mt_unicast_transmitter *transmitter = &requester->table[i];
        memset(transmitter->services, 0, sizeof transmitter->services);
        transmitter->state = MT_REQUESTER_WAIT;
        transmitter->held_until.ns = 0;
        transmitter->failures = 0;
        transmitter->requests = 0;
        transmitter->cancels = 0;
        transmitter->acknowledgements = 0;
    }
}

/* Delay_Reqs at the rate that was granted, and none before. */
static void set_pace(struct mt_port *port, const struct mt_requester *requester)
{
    const struct mt_unicast_service *service = NULL;
    if (requester->selected < requester->count) {
        service = &requester->table[requester->selected].services[MT_SERVICE_DELAY_RESP];
    }
    if (service == NULL || (requester->negotiates && !service->is_granted)) {
        port->pending &= (uint8_t) ~(1u << MT_FRAME_DELAY_REQ);
    } else if (requester->negotiates) {
        port->delay.log_interval = service->log_interval;
    }
}

static struct mt_mono next_check(const struct mt_port *port,
                                 const struct mt_unicast_transmitter *transmitter)
{
    struct mt_mono deadline =
        transmitter->held_until.ns != 0 ? transmitter->held_until : MT_MONO_NEVER;
    for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
        const struct mt_unicast_service *service = &transmitter->services[kind];
        if (service->is_wanted) {
            deadline = mt_mono_earlier(deadline, service->ask_at);
        }
        if (service->is_granted) {
            deadline = mt_mono_earlier(deadline, service->expires);
            deadline = mt_mono_earlier(deadline, silent_at(port, service, (enum mt_service)kind));
        }
    }
    return deadline;
}

static struct mt_mono settle_port(struct mt_instance *self, struct mt_port *port,
                                  struct mt_requester *requester)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    if (!mt_port_is_active(port)) {
        if (requester->is_running) {
            stop(requester);
        }
        return MT_MONO_NEVER;
    }
    requester->is_running = true;
    choose(self, port, requester);
    for (uint16_t i = 0; i < requester->count; i++) {
        check(self, port, requester, i);
    }
    if (self->needs_decision) { /* somebody was left */
        mt_instance_decide(self);
        choose(self, port, requester);
    }
    for (uint16_t i = 0; i < requester->count; i++) {
        ask(self, requester, &requester->table[i]);
        deadline = mt_mono_earlier(deadline, next_check(port, &requester->table[i]));
    }
    set_pace(port, requester);
    return deadline;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_requester *requester = mt_requester_of(port);
        if (requester != NULL) {
            deadline = mt_mono_earlier(deadline, settle_port(self, port, requester));
        }
    }
    return deadline;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void say(const struct mt_port *port, const struct mt_requester *requester,
                enum mt_tlv_type type, enum mt_service kind, struct mt_unicast_reply *reply)
{
    const struct mt_grantor *grantor = port->config.more->grantor;
    const bool serves_too = grantor != NULL && grantor->policy.negotiates;
    const bool is_cancel = type == MT_TLV_CANCEL_UNICAST_TRANSMISSION;
    struct mt_unicast_word *word = &reply->words[reply->count++];
    word->type = (uint16_t)type;
    word->value = (struct mt_tlv_unicast){
        .message = mt_service_type(kind),
        .log_interval = interval_of(port, kind),
        .duration_s = requester->duration_s,
        .flags = is_cancel && serves_too ? MT_CANCEL_KEEPS_GRANT : 0,
    };
}

/* All that there is to say to one transmitter; what does not fit waits for the next message. */
static void collect(const struct mt_port *port, const struct mt_requester *requester,
                    struct mt_unicast_transmitter *transmitter, struct mt_unicast_reply *reply)
{
    const struct {
        enum mt_tlv_type type;
        uint8_t *bits;
    } words[] = {
        {MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION, &transmitter->acknowledgements},
        {MT_TLV_CANCEL_UNICAST_TRANSMISSION, &transmitter->cancels},
        {MT_TLV_REQUEST_UNICAST_TRANSMISSION, &transmitter->requests},
    };
    for (unsigned word = 0; word < sizeof words / sizeof words[0]; word++) {
        for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
            if ((*words[word].bits & 1u << kind) != 0 && reply->count < MT_UNICAST_TLVS) {
                say(port, requester, words[word].type, (enum mt_service)kind, reply);
                *words[word].bits &= (uint8_t) ~(1u << kind);
            }
        }
    }
}

static bool next_tx_of(struct mt_instance *self, struct mt_port *port,
                       struct mt_requester *requester, struct mt_outgoing *out,
                       struct mt_tx *ret_tx)
{
    for (unsigned i = 0; i < (unsigned)requester->count + requester->leaving; i++) {
        struct mt_unicast_transmitter *transmitter = &requester->table[i];
        struct mt_unicast_reply reply = {.to = transmitter->address,
                                         .target = transmitter->identity};
        if (!transmitter->is_identity_known) {
            memset(&reply.target, 0xFF, sizeof reply.target);
        }
        collect(port, requester, transmitter, &reply);
        if (reply.count != 0 &&
            mt_unicast_signal(self, port, &reply, transmitter->signaling_sequence++, out, ret_tx)) {
            return true;
        }
    }
    requester->leaving = 0;
    return false;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_requester *requester = mt_requester_of(port);
        if (requester != NULL && requester->negotiates && mt_port_is_active(port) &&
            next_tx_of(self, port, requester, out, ret_tx)) {
            return true;
        }
    }
    return false;
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_requester *requester =
        ret_tx->port != 0 ? mt_requester_of(&self->ports[ret_tx->port - 1]) : NULL;
    if (requester != NULL && requester->selected < requester->count) {
        mt_unicast_redirect(out, ret_tx, &requester->table[requester->selected].address);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->requester != NULL;
}

const struct mt_extension mt_requester_extension = {
    .rx = mt_requester_rx,
    .settle = settle,
    .next_tx = next_tx,
    .finish = finish,
    .is_used = is_used,
};

/* ---- the table ------------------------------------------------------------------------------- */

void mt_requester_init(struct mt_requester *self, struct mt_unicast_transmitter *table,
                       uint16_t count, bool negotiates, uint32_t duration_s)
{
    memset(self, 0, sizeof *self);
    self->negotiates = negotiates;
    self->duration_s = duration_s;
    self->table = table;
    self->count = count;
    self->capacity = count;
    self->local_priority = 128;
    for (unsigned i = 0; i < count; i++) {
        const struct mt_unicast_transmitter configured = {
            .address = table[i].address, .local_priority = table[i].local_priority};
        table[i] = configured;
    }
    stop(self);
}

void mt_requester_set_address(struct mt_requester *self, uint16_t index,
                              const struct mt_address *address)
{
    if (index < self->count && !mt_address_equal(&self->table[index].address, address)) {
        const struct mt_unicast_transmitter anew = {
            .address = *address, .local_priority = self->table[index].local_priority};
        self->table[index] = anew;
    }
}
