/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The others on the link, as simple as they can be: a source announces, sends Syncs and answers
 * requests, whatever it hears; a client sends requests, whatever it hears, and notes what it
 * measures.  They do as the standard says unless a scenario tells them to misbehave.
 */
#include <stdio.h>
#include <string.h>

#include "meantime/ptp_tlv.h"
#include "secured.h"
#include "world.h"

#define FOLLOW_UP_NS INT64_C(50000) /* behind its Sync */
#define ANSWER_NS    INT64_C(30000) /* behind its request */

void peer_init(struct peer *self, const char *name, bool is_client)
{
    uint8_t id = (uint8_t)(name[0] - 'A' + 1);
    *self = (struct peer){
        .is_client = is_client,
        .is_running = true,
        .segment = 1,
        .identity = {world_identity(is_client ? (uint8_t)(id + 128) : id), 1},
        .announce =
            {
                .priority1 = 128,
                .quality = {.clock_class = 248, .accuracy = 0xFE, .variance = 0xFFFF},
                .priority2 = 128,
                .time_source = 0xA0,
            },
        .claimed_announce = 1,
        .announce_ns = mt_log2s_to_ns(1),
        .sync_ns = mt_log2s_to_ns(0),
        .request_ns = mt_log2s_to_ns(0),
        .answers = true,
        .turn_ns = ANSWER_NS,
        .delay_ns = 10000,
        .back_ns = 10000,
    };
    self->announce.grandmaster = self->identity.clock;
    snprintf(self->name, sizeof self->name, "%s", name);
}

struct peer *peer_find(struct world *world, const char *name)
{
    for (unsigned i = 0; i < world->peer_count; i++) {
        if (strcmp(world->peers[i].name, name) == 0) {
            return &world->peers[i];
        }
    }
    words_die(world->line, "there is no `%s`", name);
}

/* ---- configuration --------------------------------------------------------------------------- */

static void store_interval(const struct words *words, const char *key, int64_t *ret_ns)
{
    const char *text = words_value(words, key);
    if (text != NULL) {
        *ret_ns = strcmp(text, "off") == 0 ? 0 : mt_log2s_to_ns((int8_t)words_number(words, text));
    }
}

/* path=40,41,own: a path trace of these identities */
static void store_path(const struct words *words, struct peer *self)
{
    const char *text = words_value(words, "path");
    size_t length = 4;
    while (text != NULL && *text != 0) {
        char item[16] = {0};
        size_t size = strcspn(text, ",");
        snprintf(item, sizeof item, "%.*s", (int)size, text);
        uint8_t id = strcmp(item, "own") == 0 ? WORLD_OWN_ID : (uint8_t)words_number(words, item);
        const struct mt_clock_identity identity = world_identity(id);
        if (length + 8 > sizeof self->tlvs) {
            words_die(words, "the path is too long");
        }
        memcpy(self->tlvs + length, identity.octet, 8);
        length += 8;
        text += size + (text[size] == ',');
    }
    if (words_value(words, "path") != NULL) {
        const uint8_t head[] = {0, MT_TLV_PATH_TRACE, 0, (uint8_t)(length - 4)};
        memcpy(self->tlvs, head, sizeof head);
        self->tlvs_length = length;
    }
}

static uint8_t id_of(struct world *world, const struct words *words, const char *text)
{
    if (strcmp(text, "own") == 0) {
        return WORLD_OWN_ID;
    }
    if (text[0] >= 'A' && text[0] <= 'Z') {
        return peer_find(world, text)->identity.clock.octet[7];
    }
    return (uint8_t)words_number(words, text);
}

static void store_identity(struct world *world, const struct words *words, const char *key,
                           struct mt_clock_identity *ret_identity)
{
    const char *text = words_value(words, key);
    if (text != NULL) {
        *ret_identity = world_identity(id_of(world, words, text));
    }
}

static void store_announce(struct world *world, const struct words *words,
                           struct mt_ptp_announce *announce)
{
    words_store_u8(words, "priority1", &announce->priority1);
    words_store_u8(words, "class", &announce->quality.clock_class);
    words_store_u8(words, "accuracy", &announce->quality.accuracy);
    words_store_u16(words, "variance", &announce->quality.variance);
    words_store_u8(words, "priority2", &announce->priority2);
    words_store_u16(words, "steps", &announce->steps_removed);
    words_store_u8(words, "time_source", &announce->time_source);
    store_identity(world, words, "gm", &announce->grandmaster);
    if (words_value(words, "utc_offset") != NULL) {
        announce->utc_offset = (int16_t)words_number(words, words_value(words, "utc_offset"));
    }
}

void peer_configure(struct world *world, struct peer *self, const struct words *words)
{
    if (words_value(words, "id") != NULL) {
        store_identity(world, words, "id", &self->identity.clock);
        self->announce.grandmaster = self->identity.clock;
    }
    words_store_u16(words, "port", &self->segment);
    words_store_u16(words, "portno", &self->identity.port);
    words_store_u8(words, "domain", &self->domain);
    store_announce(world, words, &self->announce);
    store_interval(words, "announce", &self->announce_ns);
    words_store_i8(words, self->announce_ns != 0 ? "announce" : "log", &self->claimed_announce);
    words_store_i8(words, "log", &self->claimed_announce);
    store_interval(words, "sync", &self->sync_ns);
    store_interval(words, "interval", &self->request_ns);
    words_store_i8(words, "delay_req", &self->log_delay_resp);
    words_store_switch(words, "one_step", &self->is_one_step);
    words_store_switch(words, "follow_up_first", &self->sends_follow_up_first);
    words_store_switch(words, "answers", &self->answers);
    words_store_switch(words, "signed", &self->signs);
    words_store_switch(words, "hybrid", &self->asks_by_unicast);
    store_interval(words, "pdelay", &self->pdelay_ns);
    if (words_value(words, "pdelay") != NULL) {
        self->answers_pdelay = true;
    }
    words_store_switch(words, "answers_pdelay", &self->answers_pdelay);
    words_store_ns(words, "turn", &self->turn_ns);
    words_store_ns(words, "delay", &self->delay_ns);
    words_store_ns(words, "delay", &self->back_ns);
    words_store_ns(words, "back", &self->back_ns);
    words_store_ns(words, "clock", &self->clock_ns);
    words_store_u16(words, "pad", &self->pad);
    words_store_u16(words, "seq", &self->announce_sequence);
    words_store_u16(words, "seq", &self->sync_sequence);
    if (words_value(words, "flags") != NULL) {
        self->flags = words_flags(words, words_value(words, "flags"));
    }
    store_path(words, self);
}

/* ---- what a peer sends ----------------------------------------------------------------------- */

static int64_t clock_of(const struct peer *self, int64_t at_ns)
{
    return at_ns + self->clock_ns + WORLD_EPOCH * MT_NS_PER_S;
}

static struct mt_ptp_timestamp timestamp_of(const struct peer *self, int64_t at_ns)
{
    int64_t clock_ns = clock_of(self, at_ns);
    return (struct mt_ptp_timestamp){(uint64_t)(clock_ns / MT_NS_PER_S),
                                     (uint32_t)(clock_ns % MT_NS_PER_S)};
}

static void send_message(struct world *world, const struct peer *self,
                         const struct mt_ptp_message *message, int64_t at_ns)
{
    struct frame frame = {0};
    frame.length = mt_ptp_write(message, frame.octets, sizeof frame.octets);
    if (frame.length == 0 || frame.length + self->pad > sizeof frame.octets) {
        words_die(world->line, "a message of %s does not fit", self->name);
    }
    if (self->signs) {
        secured_sign(world, message->header.type, clock_of(self, at_ns), &frame);
    }
    frame.length += self->pad;
    world->sender = self->identity.clock.octet[7];
    for (uint16_t i = 0; i < world->port_count; i++) {
        if (world->segments[i] == self->segment) {
            world_to_port(world, (uint16_t)(i + 1), &frame, at_ns + self->delay_ns, true);
        }
    }
}

static struct mt_ptp_message message_of(const struct peer *self, enum mt_ptp_type type,
                                        uint16_t sequence)
{
    return (struct mt_ptp_message){.header = {.type = type,
                                              .minor_version = 1,
                                              .domain = self->domain,
                                              .flags = self->flags & MT_PTP_ALTERNATE,
                                              .source = self->identity,
                                              .sequence = sequence,
                                              .log_interval = MT_PTP_LOG_INTERVAL_NONE}};
}

static void send_announce(struct world *world, struct peer *self)
{
    struct mt_ptp_message message = message_of(self, MT_PTP_ANNOUNCE, self->announce_sequence++);
    message.header.flags = self->flags;
    message.header.log_interval = self->claimed_announce;
    message.body.announce = self->announce;
    message.tlvs = self->tlvs;
    message.tlvs_length = self->tlvs_length;
    send_message(world, self, &message, world->now_ns);
}

static void send_sync(struct world *world, struct peer *self)
{
    struct mt_ptp_message sync = message_of(self, MT_PTP_SYNC, self->sync_sequence);
    struct mt_ptp_message follow_up = message_of(self, MT_PTP_FOLLOW_UP, self->sync_sequence++);
    follow_up.body.origin = timestamp_of(self, world->now_ns);
    if (self->is_one_step) {
        sync.body.origin = follow_up.body.origin;
        send_message(world, self, &sync, world->now_ns);
        return;
    }
    sync.header.flags |= MT_PTP_TWO_STEP;
    if (self->sends_follow_up_first) {
        send_message(world, self, &follow_up, world->now_ns - 1000);
    }
    send_message(world, self, &sync, world->now_ns);
    if (!self->sends_follow_up_first) {
        send_message(world, self, &follow_up, world->now_ns + FOLLOW_UP_NS);
    }
}

static void send_request(struct world *world, struct peer *self)
{
    struct mt_ptp_message message = message_of(self, MT_PTP_DELAY_REQ, self->request_sequence++);
    message.header.flags |= self->asks_by_unicast ? MT_PTP_UNICAST : 0;
    self->request_departure_ns = clock_of(self, world->now_ns);
    send_message(world, self, &message, world->now_ns);
}

static void send_pdelay_req(struct world *world, struct peer *self)
{
    const struct mt_ptp_message message =
        message_of(self, MT_PTP_PDELAY_REQ, self->pdelay_sequence++);
    self->pdelay_departure_ns = clock_of(self, world->now_ns);
    send_message(world, self, &message, world->now_ns);
}

static void answer_pdelay(struct world *world, const struct peer *self,
                          const struct mt_ptp_message *request, int64_t at_ns)
{
    struct mt_ptp_message response = message_of(self, MT_PTP_PDELAY_RESP, request->header.sequence);
    struct mt_ptp_message follow_up =
        message_of(self, MT_PTP_PDELAY_RESP_FOLLOW_UP, request->header.sequence);
    int64_t sent_ns = at_ns + self->turn_ns;
    response.body.response.requester = request->header.source;
    follow_up.body.response.requester = request->header.source;
    if (self->is_one_step) {
        response.header.correction =
            mt_interval_plus(request->header.correction, mt_interval_from_ns(self->turn_ns));
        send_message(world, self, &response, sent_ns);
        return;
    }
    response.header.flags |= MT_PTP_TWO_STEP;
    response.body.response.at = timestamp_of(self, at_ns);
    follow_up.body.response.at = timestamp_of(self, sent_ns);
    follow_up.header.correction = request->header.correction;
    if (self->sends_follow_up_first) {
        send_message(world, self, &follow_up, sent_ns - 1000);
    }
    send_message(world, self, &response, sent_ns);
    if (!self->sends_follow_up_first) {
        send_message(world, self, &follow_up, sent_ns + FOLLOW_UP_NS);
    }
}

static void answer(struct world *world, const struct peer *self,
                   const struct mt_ptp_message *request, int64_t at_ns)
{
    struct mt_ptp_message message = message_of(self, MT_PTP_DELAY_RESP, request->header.sequence);
    message.header.flags |= request->header.flags & MT_PTP_UNICAST;
    message.header.correction = request->header.correction;
    message.header.log_interval = self->log_delay_resp;
    message.body.response.requester = request->header.source;
    message.body.response.at = timestamp_of(self, at_ns);
    send_message(world, self, &message, at_ns + ANSWER_NS);
}

/* ---- time and frames ------------------------------------------------------------------------- */

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

int64_t peer_deadline(const struct peer *self)
{
    int64_t at_ns = INT64_MAX;
    if (!self->is_running) {
        return at_ns;
    }
    if (self->is_client) {
        return self->request_ns != 0 ? self->next_request_ns : at_ns;
    }
    at_ns = self->announce_ns != 0 ? earlier(at_ns, self->next_announce_ns) : at_ns;
    at_ns = self->pdelay_ns != 0 ? earlier(at_ns, self->next_pdelay_ns) : at_ns;
    return self->sync_ns != 0 ? earlier(at_ns, self->next_sync_ns) : at_ns;
}

static bool take_turn(int64_t interval_ns, int64_t now_ns, int64_t *next_ns)
{
    if (interval_ns == 0 || *next_ns > now_ns) {
        return false;
    }
    *next_ns += interval_ns;
    if (*next_ns <= now_ns) { /* it was stopped for a while */
        *next_ns = now_ns + interval_ns;
    }
    return true;
}

void peer_tick(struct world *world, struct peer *self)
{
    if (self->is_client) {
        if (take_turn(self->request_ns, world->now_ns, &self->next_request_ns)) {
            send_request(world, self);
        }
        return;
    }
    if (take_turn(self->announce_ns, world->now_ns, &self->next_announce_ns)) {
        send_announce(world, self);
    }
    if (take_turn(self->sync_ns, world->now_ns, &self->next_sync_ns)) {
        send_sync(world, self);
    }
    if (take_turn(self->pdelay_ns, world->now_ns, &self->next_pdelay_ns)) {
        send_pdelay_req(world, self);
    }
}

static int64_t ns_of(const struct mt_ptp_timestamp *at)
{
    return (int64_t)at->s * MT_NS_PER_S + at->ns;
}

static void client_receives(struct peer *self, const struct mt_ptp_message *message, int64_t at_ns)
{
    const struct mt_ptp_header *header = &message->header;
    if (header->type == MT_PTP_SYNC) {
        self->sync_arrival_ns = clock_of(self, at_ns);
        self->sync_correction_q16 = header->correction.q16;
        self->synced_sequence = header->sequence;
        if ((header->flags & MT_PTP_TWO_STEP) == 0) {
            self->forward_ns = self->sync_arrival_ns - ns_of(&message->body.origin) -
                               header->correction.q16 / 65536;
        }
    } else if (header->type == MT_PTP_FOLLOW_UP && header->sequence == self->synced_sequence) {
        self->forward_ns = self->sync_arrival_ns - ns_of(&message->body.origin) -
                           (self->sync_correction_q16 + header->correction.q16) / 65536;
    } else if (header->type == MT_PTP_DELAY_RESP &&
               mt_port_identity_equal(&message->body.response.requester, &self->identity)) {
        self->answered++;
        if ((uint16_t)(header->sequence + 1) == self->request_sequence) {
            self->reverse_ns = ns_of(&message->body.response.at) - self->request_departure_ns -
                               header->correction.q16 / 65536;
        }
    }
}

static void take_pdelay_answer(struct peer *self, const struct mt_ptp_message *message,
                               int64_t at_ns)
{
    const struct mt_ptp_header *header = &message->header;
    bool is_mine = (uint16_t)(header->sequence + 1) == self->pdelay_sequence &&
                   mt_port_identity_equal(&message->body.response.requester, &self->identity);
    int64_t turn_ns = header->correction.q16 / 65536;
    if (header->type == MT_PTP_PDELAY_RESP && is_mine) {
        self->pdelay_arrival_ns = clock_of(self, at_ns) - turn_ns;
        self->pdelay_received_ns = ns_of(&message->body.response.at);
        if ((header->flags & MT_PTP_TWO_STEP) == 0) {
            self->link_ns = (self->pdelay_arrival_ns - self->pdelay_departure_ns) / 2;
            self->answered++;
        }
    } else if (header->type == MT_PTP_PDELAY_RESP_FOLLOW_UP && is_mine) {
        turn_ns += ns_of(&message->body.response.at) - self->pdelay_received_ns;
        self->link_ns = (self->pdelay_arrival_ns - self->pdelay_departure_ns - turn_ns) / 2;
        self->answered++;
    }
}

void peer_receive(struct world *world, struct peer *self, const struct frame *frame, int64_t at_ns)
{
    struct mt_ptp_message message;
    if (!self->is_running ||
        mt_ptp_parse(frame->octets, frame->length, &message) != MT_VERDICT_ACCEPTED ||
        message.header.domain != self->domain) {
        return;
    }
    if (message.header.type == MT_PTP_PDELAY_REQ) {
        if (self->answers_pdelay) {
            answer_pdelay(world, self, &message, at_ns);
        }
        return;
    }
    take_pdelay_answer(self, &message, at_ns);
    if (self->is_client) {
        client_receives(self, &message, at_ns);
    } else if (message.header.type == MT_PTP_DELAY_REQ && self->answers && self->sync_ns != 0) {
        answer(world, self, &message, at_ns);
    }
}

/* ---- single messages ------------------------------------------------------------------------- */

static size_t hex_to_octets(const struct words *words, const char *text, uint8_t *octets,
                            size_t capacity)
{
    size_t length = 0;
    for (; text[0] != 0 && text[1] != 0; text += 2) {
        char pair[] = {'0', 'x', text[0], text[1], 0};
        if (length == capacity) {
            words_die(words, "too many octets");
        }
        octets[length++] = (uint8_t)words_number(words, pair);
    }
    return length;
}

static struct mt_ptp_message described(struct world *world, const struct words *words,
                                       struct peer *self, uint16_t later)
{
    enum mt_ptp_type type = words_type(words, words_at(words, 1));
    const char *requester = words_value(words, "requester");
    uint16_t sequence = self->announce_sequence;
    words_store_u16(words, "seq", &sequence);
    struct mt_ptp_message message = message_of(self, type, (uint16_t)(sequence + later));
    message.header.flags = self->flags;
    if (type == MT_PTP_ANNOUNCE) {
        message.header.log_interval = self->claimed_announce;
        message.body.announce = self->announce;
    } else if (requester != NULL) {
        message.body.response.requester =
            (struct mt_port_identity){world_identity(id_of(world, words, requester)),
                                      (uint16_t)words_number(words, words_at(words, 0))};
        message.body.response.at = timestamp_of(self, world->now_ns);
    }
    words_store_u16(words, "sdo", &message.header.sdo_id);
    words_store_i8(words, "log", &message.header.log_interval);
    if (words_value(words, "correction") != NULL) {
        const char *text = words_value(words, "correction");
        message.header.correction = strcmp(text, "max") == 0
                                        ? MT_INTERVAL_TOO_LARGE
                                        : mt_interval_from_ns(words_ns(words, text));
    }
    if (words_value(words, "tlv") != NULL) {
        self->tlvs_length =
            hex_to_octets(words, words_value(words, "tlv"), self->tlvs, sizeof self->tlvs);
    }
    message.tlvs = self->tlvs;
    message.tlvs_length = self->tlvs_length;
    return message;
}

/* RX port type [from=NAME | id=N ...] [count=N [vary=id | vary=seq]]: `count` messages, each with
 * the next identity or the next number */
void peer_inject(struct world *world, const struct words *words)
{
    struct peer sender;
    struct frame frame;
    uint16_t port = (uint16_t)words_number(words, words_at(words, 0));
    uint16_t count = 1;
    uint16_t cut = 0;
    const char *from = words_value(words, "from");
    struct words keys = words_from(words, 2);
    if (from != NULL) {
        sender = *peer_find(world, from);
    } else {
        peer_init(&sender, "Z", false);
    }
    peer_configure(world, &sender, &keys);
    words_store_u16(words, "count", &count);
    words_store_u16(words, "cut", &cut);
    bool varies_seq =
        words_value(words, "vary") != NULL && strcmp(words_value(words, "vary"), "seq") == 0;
    for (uint16_t i = 0; i < count; i++) {
        const struct mt_ptp_message message = described(world, words, &sender, varies_seq ? i : 0);
        memset(&frame, 0, sizeof frame);
        frame.length = mt_ptp_write(&message, frame.octets, sizeof frame.octets) + sender.pad - cut;
        world->sender = sender.identity.clock.octet[7];
        world_to_port(world, port, &frame, world->now_ns, words_value(words, "stamp") == NULL);
        if (!varies_seq) {
            sender.identity.clock.octet[7]++;
            sender.announce.grandmaster = sender.identity.clock;
        }
    }
}
