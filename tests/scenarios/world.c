/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Virtual time and everything at the boundary of the instance: see world.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passage.h"
#include "secured.h"
#include "world.h"

#define SPINS_MAX 1000

struct mt_clock_identity world_identity(uint8_t id)
{
    return (struct mt_clock_identity){{0x02, 0, 0, 0xFF, 0xFE, 0, 0, id}};
}

double world_s(const struct world *self)
{
    return (double)(self->now_ns - WORLD_START) / 1e9;
}

void world_die(const struct world *self, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    words_die(self->line, "at %.6f s: %s", world_s(self), text);
}

void world_init(struct world *self)
{
    memset(self, 0, sizeof *self);
    mt_instance_config_init(&self->config);
    self->config.features = &mt_ptp_all_features;
    self->config.identity = world_identity(WORLD_OWN_ID);
    self->config.path = &self->path;
    self->port_count = 1;
    self->now_ns = WORLD_START;
    for (uint16_t i = 0; i < WORLD_PORTS; i++) {
        mt_port_config_init(&self->port_configs[i]);
        self->segments[i] = (uint16_t)(i + 1);
        mt_peer_config_init(&self->link_configs[i]);
        self->more[i].security.spp = MT_SECURITY_OFF;
    }
    passage_reset();
    self->perturbed = -1;
    self->stamp_latency_ns = 20000;
    self->has_discipline = true;
    self->locks_after = 4;
    self->bound_ns = 1000;
}

/* ---- queue ----------------------------------------------------------------------------------- */

static void push(struct world *self, const struct item *item)
{
    for (unsigned i = 0; i < WORLD_QUEUE; i++) {
        if (self->queue[i].kind == ITEM_NONE) {
            self->queue[i] = *item;
            self->queue[i].order = self->order++;
            self->queue_end = i < self->queue_end ? self->queue_end : i + 1;
            return;
        }
    }
    world_die(self, "the scenario's queue is full");
}

static struct item *earliest(struct world *self)
{
    struct item *found = NULL;
    while (self->queue_end > 0 && self->queue[self->queue_end - 1].kind == ITEM_NONE) {
        self->queue_end--;
    }
    for (unsigned i = 0; i < self->queue_end; i++) {
        struct item *item = &self->queue[i];
        if (item->kind != ITEM_NONE &&
            (found == NULL || item->at_ns < found->at_ns ||
             (item->at_ns == found->at_ns && item->order < found->order))) {
            found = item;
        }
    }
    return found;
}

/* ---- mischief -------------------------------------------------------------------------------- */

static enum mt_ptp_type type_of(const struct frame *frame)
{
    return (enum mt_ptp_type)(frame->octets[0] & 0x0F);
}

static bool is_filtered(struct world *self, const struct item *item, uint16_t port,
                        enum mischief *ret_mischief)
{
    for (unsigned i = 0; i < sizeof self->filters / sizeof *self->filters; i++) {
        struct filter *filter = &self->filters[i];
        if (filter->left > 0 && filter->type == type_of(&item->frame) &&
            (filter->port == 0 || filter->port == port)) {
            filter->left--;
            *ret_mischief = filter->mischief;
            return true;
        }
    }
    return false;
}

/* Says whether something is to be done to the frame that now crosses the boundary. */
static bool is_perturbed(struct world *self, const struct item *item, uint16_t port,
                         enum mischief *ret_mischief)
{
    bool is_chosen = self->frames == self->perturbed;
    if (self->frames < WORLD_FRAMES) {
        self->is_event[self->frames] = mt_ptp_is_event(type_of(&item->frame));
    }
    self->frames++;
    if (self->is_traced) {
        printf("%10.6f %s port %u  #%d %s\n", world_s(self),
               item->kind == ITEM_TO_INSTANCE ? "->" : "<-", port, self->frames - 1,
               type_name(type_of(&item->frame)));
    }
    *ret_mischief = self->mischief;
    return is_chosen || is_filtered(self, item, port, ret_mischief);
}

/* Behind the next one in the same direction; if none comes it is lost. */
static void release_held(struct world *self, const struct item *passed)
{
    struct item *held = &self->held;
    if (held->kind == passed->kind && held->port == passed->port) {
        held->at_ns = passed->at_ns + 1000;
        push(self, held);
        held->kind = ITEM_NONE;
    }
}

static void set_out(struct world *self, struct item *item, bool has_mischief,
                    enum mischief mischief)
{
    if (has_mischief && mischief == LOST) {
        return;
    }
    if (has_mischief && mischief == DELAYED) {
        self->held = *item;
        return;
    }
    push(self, item);
    release_held(self, item);
    if (has_mischief && mischief == DOUBLED) {
        item->at_ns += 1000;
        push(self, item);
    }
}

void world_to_port(struct world *self, uint16_t port, const struct frame *frame, int64_t at_ns,
                   bool has_stamp)
{
    struct item item = {.kind = ITEM_TO_INSTANCE,
                        .at_ns = at_ns,
                        .port = port,
                        .has_stamp = has_stamp && mt_ptp_is_event(type_of(frame)),
                        .from = self->sender,
                        .frame = *frame};
    enum mischief mischief;
    bool has_mischief = is_perturbed(self, &item, port, &mischief);
    item.has_stamp &= !(has_mischief && mischief == WITHOUT_STAMP);
    set_out(self, &item, has_mischief, mischief);
}

/* ---- watchers -------------------------------------------------------------------------------- */

static void remember_once(struct world *self, struct memory *memory, uint64_t key, const char *what)
{
    for (unsigned i = 0; i < WORLD_MEMORY; i++) {
        if (memory->keys[i] == key) {
            world_die(self, "%s", what);
        }
    }
    memory->keys[memory->next++ % WORLD_MEMORY] = key;
}

static bool is_remembered(const struct memory *memory, uint64_t key)
{
    for (unsigned i = 0; i < WORLD_MEMORY; i++) {
        if (memory->keys[i] == key) {
            return true;
        }
    }
    return false;
}

static void watch_state(struct world *self)
{
    unsigned receiving = 0;
    for (uint16_t i = 0; i < self->port_count; i++) {
        const struct mt_port *port = &self->ports[i];
        uint64_t sum = 0;
        for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
            sum += port->verdicts[verdict];
        }
        if (sum != port->counters[MT_COUNT_RECEIVED]) {
            world_die(self, "port %u: received is not the sum of its verdicts", i + 1);
        }
        receiving += port->state == MT_STATE_UNCALIBRATED || port->state == MT_STATE_RECEIVER;
        self->seen[i].visited |= (uint16_t)(1u << port->state);
    }
    if (receiving > 1) {
        world_die(self, "%u ports receive", receiving);
    }
}

static bool may_send(enum mt_port_state state, enum mt_ptp_type type, bool is_alternate)
{
    if (is_alternate) {
        return state >= MT_STATE_PASSIVE && type != MT_PTP_DELAY_RESP;
    }
    if (type == MT_PTP_PDELAY_REQ || type == MT_PTP_PDELAY_RESP ||
        type == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        return state >= MT_STATE_LISTENING;
    }
    return type == MT_PTP_DELAY_REQ ? state == MT_STATE_UNCALIBRATED || state == MT_STATE_RECEIVER
                                    : state == MT_STATE_TRANSMITTER;
}

static uint64_t key_of(const struct mt_port_identity *identity, uint16_t sequence)
{
    uint64_t id = identity->clock.octet[7] | (uint64_t)identity->clock.octet[6] << 8;
    return UINT64_C(1) << 63 | id << 40 | (uint64_t)identity->port << 16 | sequence;
}

static void watch_sent(struct world *self, const struct mt_tx *tx,
                       const struct mt_ptp_message *message)
{
    const struct mt_ptp_header *header = &message->header;
    uint64_t own_key = key_of(&header->source, header->sequence);
    if (!may_send(self->ports[tx->port - 1].state, header->type,
                  (header->flags & MT_PTP_ALTERNATE) != 0)) {
        world_die(self, "port %u sends %s while %s", tx->port, type_name(header->type),
                  state_name(self->ports[tx->port - 1].state));
    }
    if (header->type == MT_PTP_DELAY_RESP) {
        uint64_t key = key_of(&message->body.response.requester, header->sequence);
        remember_once(self, &self->answers, key, "two answers to one request");
    } else if (header->type == MT_PTP_PDELAY_RESP) {
        uint64_t key = key_of(&message->body.response.requester, header->sequence);
        remember_once(self, &self->pdelay_answers, key, "two answers to one Pdelay_Req");
    } else if (header->type == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        uint64_t key = key_of(&message->body.response.requester, header->sequence);
        remember_once(self, &self->pdelay_follow_ups, key, "two Follow_Ups of one Pdelay_Resp");
        if (!is_remembered(&self->pdelay_answers, key)) {
            world_die(self, "a Pdelay_Resp_Follow_Up without its Pdelay_Resp");
        }
    } else if (header->type == MT_PTP_SYNC) {
        remember_once(self, &self->syncs, own_key, "two Syncs of one number");
    } else if (header->type == MT_PTP_FOLLOW_UP) {
        remember_once(self, &self->follow_ups, own_key, "two Follow_Ups of one Sync");
        if (!is_remembered(&self->syncs, own_key)) {
            world_die(self, "a Follow_Up without its Sync");
        }
    }
}

/* ---- what the instance puts out -------------------------------------------------------------- */

static struct mt_stamp local_stamp(const struct world *self, int64_t at_ns)
{
    int64_t local_ns = at_ns + self->clock_ns + WORLD_EPOCH * MT_NS_PER_S;
    return (struct mt_stamp){mt_instant_from_ns(local_ns, MT_SCALE_TAI), 0};
}

/* Each station has one address. */
static struct mt_address address_of(uint8_t id)
{
    return (struct mt_address){MT_NETWORK_UDP_IPV4, {10, 0, 0, id}, 319};
}

static bool is_sent_to(const struct mt_tx *tx, uint8_t id)
{
    const struct mt_address address = address_of(id);
    return tx->destination != MT_TO_ADDRESS || mt_address_equal(&tx->to, &address);
}

static void to_segment(struct world *self, const struct mt_tx *tx, const struct frame *frame,
                       int64_t departs_ns, bool has_mischief, enum mischief mischief)
{
    uint16_t segment = self->segments[tx->port - 1];
    self->sender = WORLD_OWN_ID;
    for (uint16_t i = 0; i < self->port_count; i++) {
        if (i != tx->port - 1 && self->segments[i] == segment &&
            !(has_mischief && mischief == LOST)) {
            world_to_port(self, (uint16_t)(i + 1), frame, departs_ns + 1000, true);
        }
    }
    for (unsigned i = 0; i < self->peer_count; i++) {
        const struct peer *peer = &self->peers[i];
        struct item item = {.kind = ITEM_TO_PEER, .port = (uint16_t)i, .frame = *frame};
        item.at_ns = departs_ns + peer->back_ns;
        if (peer->segment == segment && is_sent_to(tx, peer->identity.clock.octet[7])) {
            set_out(self, &item, has_mischief, mischief);
        }
    }
}

static void put(uint8_t *octets, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        octets[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

/* What a link that can do that writes into a frame as it leaves. */
static void insert(const struct mt_tx *tx, const struct mt_instant *departure, struct frame *frame)
{
    uint8_t *correction = frame->octets + 8;
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value = value << 8 | correction[i];
    }
    if (tx->insertion == MT_INSERT_ORIGIN) {
        put(frame->octets + 34, 6, (uint64_t)departure->s);
        put(frame->octets + 40, 4, departure->ns);
        put(correction, 8, value + departure->frac);
    } else if (tx->insertion == MT_INSERT_RESIDENCE) {
        struct mt_interval inside = mt_span_to_interval(mt_instant_minus(*departure, tx->arrival));
        put(correction, 8, value + (uint64_t)inside.q16);
    }
}

static void sent(struct world *self, const struct mt_tx *tx, struct frame *frame)
{
    struct mt_ptp_message message;
    struct item item = {.kind = ITEM_TX_DONE, .token = tx->token, .frame = *frame};
    enum mischief mischief;
    bool is_foreign = passage_is_foreign(self, frame);
    int64_t departs_ns = self->now_ns + (is_foreign && tx->is_event ? self->residence_ns : 0);
    enum mt_verdict verdict = mt_ptp_parse(frame->octets, frame->length, &message);
    if (verdict != MT_VERDICT_ACCEPTED) {
        world_die(self, "what the instance sends is refused: %s", verdict_name(verdict));
    }
    item.stamp = local_stamp(self, departs_ns);
    insert(tx, &item.stamp.at, frame);
    if (is_foreign) {
        passage_left(self, tx->port, frame);
    } else {
        watch_sent(self, tx, &message);
    }
    self->seen[tx->port - 1].sent[message.header.type]++;
    if (message.header.type == MT_PTP_ANNOUNCE) {
        self->seen[tx->port - 1].newest_announce = *frame;
    }
    bool has_mischief = is_perturbed(self, &item, tx->port, &mischief);
    if (tx->is_event && tx->token != 0) {
        item.at_ns = departs_ns + self->stamp_latency_ns;
        item.has_stamp = !self->loses_stamps && !(has_mischief && mischief == WITHOUT_STAMP);
        push(self, &item);
    }
    to_segment(self, tx, frame, departs_ns, has_mischief && mischief != WITHOUT_STAMP, mischief);
}

static void measured(struct world *self, const struct mt_event *event)
{
    const struct mt_sample *sample = &event->value.sample;
    uint64_t key = (uint64_t)mt_instant_to_ns(sample->local.at) << 2 | (unsigned)sample->kind;
    int64_t value_ns = mt_span_to_ns(sample->value);
    remember_once(self, &self->samples, key, "two samples of one exchange");
    if (sample->kind == MT_SAMPLE_FORWARD) {
        self->seen[event->port - 1].forward_ns = value_ns;
    } else if (sample->kind == MT_SAMPLE_OFFSET) {
        self->seen[event->port - 1].offset_ns = value_ns;
    } else {
        self->seen[event->port - 1].reverse_ns = value_ns;
    }
    if (event->port != mt_instance_receiving_port(&self->instance)) {
        world_die(self, "a sample of port %u, which does not receive", event->port);
    }
    self->samples_of_parent++;
}

static void tell_clock(struct world *self, bool is_locked)
{
    const struct mt_command command = {
        .kind = MT_COMMAND_CLOCK,
        .value.clock = {.is_locked = is_locked,
                        .has_bound = true,
                        .bound = mt_interval_from_ns(self->bound_ns)},
    };
    mt_instance_command(&self->instance, &command, (struct mt_mono){self->now_ns});
}

static void happened(struct world *self, const struct mt_event *event)
{
    if (event->kind == MT_EVENT_PARENT) {
        self->samples_of_parent = 0;
    } else if (event->kind == MT_EVENT_SAMPLE) {
        measured(self, event);
        if (self->has_discipline && self->samples_of_parent == self->locks_after) {
            tell_clock(self, true);
        }
    } else if (event->kind == MT_EVENT_STATE && self->is_traced) {
        printf("%10.6f port %u: %s -> %s\n", world_s(self), event->port,
               state_name(event->value.state.from), state_name(event->value.state.to));
    }
}

static void drain(struct world *self)
{
    struct mt_tx tx;
    struct mt_event event;
    struct frame frame;
    bool any = true;
    while (any) {
        any = false;
        watch_state(self);
        while (mt_instance_next_tx(&self->instance, frame.octets, sizeof frame.octets, &tx)) {
            frame.length = tx.length;
            sent(self, &tx, &frame);
            any = true;
        }
        while (mt_instance_next_event(&self->instance, &event)) {
            happened(self, &event);
            any = true;
        }
    }
}

/* ---- time ------------------------------------------------------------------------------------ */

static void arrive(struct world *self, struct item *place)
{
    const struct item item = *place;
    const struct mt_mono now = {self->now_ns};
    place->kind = ITEM_NONE;
    if (item.kind == ITEM_TO_PEER) {
        peer_receive(self, &self->peers[item.port], &item.frame, self->now_ns);
    } else if (item.kind == ITEM_TX_DONE) {
        mt_instance_tx_done(&self->instance, item.token, item.has_stamp ? &item.stamp : NULL, now);
    } else {
        const struct mt_stamp stamp = local_stamp(self, self->now_ns);
        const struct mt_address from = address_of(item.from);
        passage_came(self, item.port, &item.frame);
        secured_tell(self, stamp.at);
        /* what is read over the end of a frame is found by its copy on the heap */
        uint8_t *octets = malloc(item.frame.length > 0 ? item.frame.length : 1);
        memcpy(octets, item.frame.octets, item.frame.length);
        enum mt_verdict verdict =
            mt_instance_rx(&self->instance, item.port, octets, item.frame.length,
                           item.has_stamp ? &stamp : NULL, &from, now);
        free(octets);
        secured_release(self);
        if (self->is_traced && verdict != MT_VERDICT_ACCEPTED) {
            printf("%10.6f port %u refuses %s: %s\n", world_s(self), item.port,
                   type_name(type_of(&item.frame)), verdict_name(verdict));
        }
    }
    drain(self);
}

static int64_t next_ns(struct world *self)
{
    const struct item *item = earliest(self);
    int64_t at_ns = mt_instance_deadline(&self->instance).ns;
    at_ns = item != NULL && item->at_ns < at_ns ? item->at_ns : at_ns;
    for (unsigned i = 0; i < self->peer_count; i++) {
        int64_t peer_ns = peer_deadline(&self->peers[i]);
        at_ns = peer_ns < at_ns ? peer_ns : at_ns;
    }
    return at_ns;
}

static void do_what_is_due(struct world *self)
{
    struct item *item = earliest(self);
    if (item != NULL && item->at_ns <= self->now_ns) {
        arrive(self, item);
        return;
    }
    for (unsigned i = 0; i < self->peer_count; i++) {
        if (peer_deadline(&self->peers[i]) <= self->now_ns) {
            peer_tick(self, &self->peers[i]);
            return;
        }
    }
    mt_instance_tick(&self->instance, (struct mt_mono){self->now_ns});
    if (mt_instance_deadline(&self->instance).ns < self->now_ns) {
        world_die(self, "the deadline is in the past after a tick");
    }
    drain(self);
}

void world_run(struct world *self, int64_t until_ns)
{
    unsigned spins = 0;
    world_start(self);
    for (;;) {
        int64_t at_ns = next_ns(self);
        if (at_ns > until_ns) {
            break;
        }
        spins = at_ns > self->now_ns ? 0 : spins + 1;
        if (spins > SPINS_MAX) {
            world_die(self, "no end of things to do");
        }
        self->now_ns = at_ns > self->now_ns ? at_ns : self->now_ns;
        do_what_is_due(self);
    }
    self->now_ns = until_ns;
}

bool world_command(struct world *self, const struct mt_command *command)
{
    bool is_done = mt_instance_command(&self->instance, command, (struct mt_mono){self->now_ns});
    drain(self);
    return is_done;
}

void world_start(struct world *self)
{
    if (self->is_started) {
        return;
    }
    self->is_started = true;
    for (uint16_t i = 0; i < self->port_count; i++) {
        self->link_configs[i].domain = self->config.domain;
        mt_peer_init(&self->links[i], &self->link_configs[i]);
        self->more[i].peer = &self->links[i];
        self->port_configs[i].more = &self->more[i];
    }
    mt_instance_init(&self->instance, &self->config, self->ports, self->port_configs,
                     self->port_count, 1, (struct mt_mono){self->now_ns});
    for (uint16_t port = 1; port <= self->port_count; port++) {
        world_command(
            self, &(struct mt_command){.kind = MT_COMMAND_LINK, .port = port, .value.is_on = true});
    }
}

void world_mark(struct world *self)
{
    world_start(self);
    for (uint16_t i = 0; i < self->port_count; i++) {
        self->seen[i].visited = (uint16_t)(1u << self->ports[i].state);
        memset(self->seen[i].sent, 0, sizeof self->seen[i].sent);
    }
}
