/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast service under any sequence of inputs: a port with a grantor, a requester, both, or in
 * hybrid operation; Signaling of plausible words and of raw octets from a few addresses and
 * identities, time messages, timestamps, time, link and clock commands, and draining as slowly as
 * the octets say.  After each of them the grantor's books are right, its lists hold every grant
 * exactly once, and nobody has got more answers than he has asked questions.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_more.h"

#define CLIENTS        3
#define BUCKETS        2
#define SLOTS          16
#define TOKENS         4
#define TRANSMITTERS   2
#define SENT_MAX       8
#define OPERATIONS_MAX 600
#define OWN_ID         8
#define NS_PER_S       INT64_C(1000000000)
#define NONE           UINT32_MAX

enum { PLACE_NONE, PLACE_IDLE, PLACE_SLOT, PLACE_DUE }; /* as in grantor_table.c */

static struct state {
    struct fuzz_input input;
    struct mt_instance instance;
    struct mt_port port;
    struct mt_port_more more;
    struct mt_path path;
    struct mt_mono now;
    struct mt_grantor grantor;
    struct mt_client clients[CLIENTS];
    uint32_t buckets[BUCKETS];
    uint32_t slots[SLOTS];
    struct mt_grantor_token tokens[TOKENS];
    struct mt_requester requester;
    struct mt_unicast_transmitter table[TRANSMITTERS];
    struct mt_hybrid hybrid;
    uint32_t sent[SENT_MAX];
    unsigned next_sent;
    uint64_t heard_words; /* Signaling messages that came */
    uint64_t said_grants; /* Signaling messages with grants that left */
} state;

static struct mt_clock_identity identity(uint8_t id)
{
    return (struct mt_clock_identity){{0x02, 0, 0, 0xFF, 0xFE, 0, 0, id}};
}

static struct mt_address address(uint8_t last)
{
    return (struct mt_address){.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, last}};
}

/* ---- what must always hold ------------------------------------------------------------------- */

static const struct mt_grant *grant_at(const struct state *self, uint32_t number)
{
    fuzz_require(number < CLIENTS * MT_SERVICE_COUNT);
    return &self->clients[number / MT_SERVICE_COUNT].grants[number % MT_SERVICE_COUNT];
}

static unsigned list_length(const struct state *self, uint32_t first, unsigned place)
{
    unsigned count = 0;
    uint32_t previous = NONE;
    for (uint32_t i = first; i != NONE; i = grant_at(self, i)->next) {
        const struct mt_grant *grant = grant_at(self, i);
        fuzz_require(grant->previous == previous && grant->place == place);
        fuzz_require(++count <= CLIENTS * MT_SERVICE_COUNT);
        previous = i;
    }
    return count;
}

static void check_grantor(const struct state *self)
{
    unsigned used = 0;
    unsigned listed = list_length(self, self->grantor.due_first, PLACE_DUE);
    for (unsigned i = 0; i < SLOTS; i++) {
        listed += list_length(self, self->slots[i], PLACE_SLOT);
    }
    unsigned active = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct mt_client *client = &self->clients[i];
        unsigned of_client = 0;
        for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
            const struct mt_grant *grant = &client->grants[service];
            fuzz_require(grant->place != PLACE_IDLE);
            of_client += grant->place != PLACE_NONE;
        }
        fuzz_require(client->is_used == (of_client != 0));
        used += client->is_used;
        active += of_client;
    }
    fuzz_require(used == self->grantor.client_count && active == listed);
    for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
        const struct mt_grant_book *book = &self->grantor.books[service];
        fuzz_require(book->granted ==
                     book->active + book->cancelled + book->withdrawn + book->expired);
        fuzz_require(book->requested == book->granted + book->renewed + book->denied);
        fuzz_require(active >= book->active);
        active -= (unsigned)book->active;
    }
    fuzz_require(active == 0);
}

static void check(const struct state *self)
{
    if (self->more.grantor != NULL) {
        check_grantor(self);
    }
    fuzz_require(self->said_grants <= self->heard_words);
    fuzz_require(self->more.requester == NULL || self->requester.selected <= TRANSMITTERS);
}

static void check_frame(struct state *self, const uint8_t *frame, const struct mt_tx *tx)
{
    struct mt_ptp_message message;
    struct mt_tlv tlv;
    fuzz_require(tx->port == 1);
    fuzz_require(mt_ptp_parse(frame, tx->length, &message) == MT_VERDICT_ACCEPTED);
    bool is_unicast = (message.header.flags & MT_PTP_UNICAST) != 0;
    fuzz_require(is_unicast == (tx->destination == MT_TO_ADDRESS));
    fuzz_require(!is_unicast || tx->to.network != MT_NETWORK_NONE);
    fuzz_require(tx->is_event == mt_ptp_is_event(message.header.type));
    if (message.header.type == MT_PTP_SIGNALING) {
        self->said_grants +=
            mt_tlv_find(message.tlvs, message.tlvs_length, MT_TLV_GRANT_UNICAST_TRANSMISSION, &tlv);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct mt_stamp stamp_of(const struct state *self)
{
    return (struct mt_stamp){mt_instant_from_ns(self->now.ns, MT_SCALE_TAI), 0};
}

static void receive(struct state *self, const struct mt_ptp_message *message)
{
    uint8_t frame[512];
    uint8_t how = fuzz_u8(&self->input);
    const struct mt_stamp stamp = stamp_of(self);
    const struct mt_address from = address(how & 7);
    size_t length = mt_ptp_write(message, frame, sizeof frame);
    uint8_t *exact = malloc(length > 0 ? length : 1);
    fuzz_require(exact != NULL);
    memcpy(exact, frame, length);
    self->heard_words += message->header.type == MT_PTP_SIGNALING;
    enum mt_verdict verdict =
        mt_instance_rx(&self->instance, 1, exact, length, (how & 0x40) != 0 ? NULL : &stamp,
                       (how & 0x80) != 0 ? NULL : &from, self->now);
    free(exact);
    fuzz_require((unsigned)verdict < MT_VERDICT_COUNT);
}

static struct mt_ptp_message message_of(struct state *self, enum mt_ptp_type type)
{
    uint8_t how = fuzz_u8(&self->input);
    return (struct mt_ptp_message){
        .header = {.type = type,
                   .flags = (how & 0x80) != 0 ? 0 : MT_PTP_UNICAST,
                   .source = {identity(how & 7), 1},
                   .sequence = fuzz_u8(&self->input),
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
    };
}

static void set_target(struct mt_ptp_message *message, uint8_t how)
{
    memset(&message->body.target, 0xFF, sizeof message->body.target);
    if ((how & 1) != 0) {
        message->body.target.clock = identity((how & 2) != 0 ? OWN_ID : 1);
    }
    if ((how & 4) != 0) {
        message->body.target.port = how >> 3 & 3;
    }
}

static void words(struct state *self)
{
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_DELAY_RESP,
                                             MT_PTP_PDELAY_RESP};
    uint8_t tlvs[256];
    struct mt_ptp_message message = message_of(self, MT_PTP_SIGNALING);
    uint8_t how = fuzz_u8(&self->input);
    set_target(&message, how);
    message.tlvs = tlvs;
    for (unsigned i = 0; i < 1 + (how >> 5 & 7u); i++) {
        uint8_t what = fuzz_u8(&self->input);
        const struct mt_tlv_unicast value = {
            .message = types[what >> 2 & 3],
            .flags = what >> 4 & 3,
            .log_interval = (int8_t)((int)(what >> 4) - 8),
            .duration_s = (uint32_t)(what >> 6 == 0 ? 0 : fuzz_u8(&self->input)),
        };
        message.tlvs_length += mt_tlv_write_unicast(
            (enum mt_tlv_type)(MT_TLV_REQUEST_UNICAST_TRANSMISSION + (what & 3)), &value,
            tlvs + message.tlvs_length, sizeof tlvs - message.tlvs_length);
    }
    receive(self, &message);
}

static void raw_words(struct state *self)
{
    struct fuzz_input *in = &self->input;
    struct mt_ptp_message message = message_of(self, MT_PTP_SIGNALING);
    set_target(&message, 0);
    size_t length = fuzz_u8(in);
    message.tlvs_length = length < in->left ? length : in->left;
    message.tlvs = in->at;
    in->at += message.tlvs_length;
    in->left -= message.tlvs_length;
    receive(self, &message);
}

static void time_message(struct state *self)
{
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_FOLLOW_UP,
                                             MT_PTP_DELAY_REQ, MT_PTP_DELAY_RESP};
    enum mt_ptp_type type = types[fuzz_u8(&self->input) % 5];
    struct mt_ptp_message message = message_of(self, type);
    if (type == MT_PTP_ANNOUNCE) {
        message.body.announce.priority1 = fuzz_u8(&self->input);
        message.body.announce.grandmaster = message.header.source.clock;
    } else if (type == MT_PTP_DELAY_RESP) {
        message.body.response.requester = (struct mt_port_identity){identity(OWN_ID), 1};
    }
    receive(self, &message);
}

static void pass_time(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    struct mt_mono deadline = mt_instance_deadline(&self->instance);
    if ((how & 1) != 0 && deadline.ns > self->now.ns &&
        deadline.ns < self->now.ns + 64 * NS_PER_S) {
        self->now = deadline;
    } else {
        self->now.ns += (int64_t)how << (how >> 3);
    }
    mt_instance_tick(&self->instance, self->now);
}

static void drain(struct state *self)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    uint8_t how = fuzz_u8(&self->input);
    size_t capacity = (how & 0x80) != 0 ? fuzz_u8(&self->input) : sizeof buffer;
    struct mt_tx tx;
    struct mt_event event;
    for (unsigned i = 0; i < (how & 31u); i++) {
        if (!mt_instance_next_tx(&self->instance, buffer, capacity, &tx)) {
            break;
        }
        fuzz_require(tx.length <= capacity);
        check_frame(self, buffer, &tx);
        if (tx.is_event) {
            self->sent[self->next_sent++ % SENT_MAX] = tx.token;
        }
    }
    while (mt_instance_next_event(&self->instance, &event)) {
    }
}

static void report_stamp(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    const struct mt_stamp stamp = stamp_of(self);
    mt_instance_tx_done(&self->instance, self->sent[how % SENT_MAX],
                        (how & 0x80) != 0 ? NULL : &stamp, self->now);
}

static void command(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    struct mt_command what = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = (how & 1) != 0};
    if ((how & 2) != 0) {
        what.kind = MT_COMMAND_CLOCK;
        memset(&what.value, 0, sizeof what.value);
        what.value.clock.is_locked = (how & 1) != 0;
    } else if ((how & 4) != 0) {
        const struct mt_address moved = address(how >> 4);
        mt_requester_set_address(&self->requester, how >> 3 & 1, &moved);
        mt_instance_tick(&self->instance, self->now);
        return;
    }
    mt_instance_command(&self->instance, &what, self->now);
}

/* ---- one run --------------------------------------------------------------------------------- */

static void start_more(struct state *self, uint8_t how)
{
    const struct mt_grantor_storage storage = {self->clients, CLIENTS, self->buckets, BUCKETS,
                                               self->slots,   SLOTS,   self->tokens,  TOKENS};
    struct mt_grantor_policy policy;
    mt_grantor_policy_init(&policy);
    policy.max_per_address = 2;
    policy.answers_all = (how & 8) != 0;
    policy.is_multicast_off = (how & 16) != 0;
    mt_grantor_init(&self->grantor, &policy, &storage, 1);
    for (uint8_t i = 0; i < TRANSMITTERS; i++) {
        self->table[i].address = address(i + 1);
    }
    mt_requester_init(&self->requester, self->table, TRANSMITTERS, (how & 32) != 0, 60);
    self->more.grantor = (how & 1) != 0 ? &self->grantor : NULL;
    self->more.requester = (how & 2) != 0 ? &self->requester : NULL;
    self->more.hybrid = (how & 4) != 0 ? &self->hybrid : NULL;
}

static void start(struct state *self)
{
    struct mt_instance_config config;
    struct mt_port_config port;
    uint8_t how = fuzz_u8(&self->input);
    mt_instance_config_init(&config);
    mt_port_config_init(&port);
    start_more(self, how);
    config.identity = identity(OWN_ID);
    config.path = &self->path;
    config.features = &mt_ptp_all_features;
    config.announces_to_skip = (how & 64) != 0 ? 0 : MT_FOREIGN_THRESHOLD - 1;
    port.log_announce_interval = -3;
    port.log_sync_interval = -3;
    port.log_min_delay_req_interval = -3;
    port.more = &self->more;
    mt_instance_init(&self->instance, &config, &self->port, &port, 1, how, self->now);
    const struct mt_command link = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = true};
    mt_instance_command(&self->instance, &link, self->now);
    if ((how & 128) != 0) { /* nobody else is there: it serves */
        self->now.ns += 10 * NS_PER_S;
        mt_instance_tick(&self->instance, self->now);
    }
}

static void operate(struct state *self)
{
    static void (*const operations[])(struct state *) = {
        words, words, raw_words, time_message, pass_time, report_stamp, command, drain};
    operations[fuzz_u8(&self->input) % 8](self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&state, 0, sizeof state);
    state.input = (struct fuzz_input){data, size};
    state.now.ns = NS_PER_S;
    start(&state);
    for (unsigned i = 0; i < OPERATIONS_MAX && state.input.left > 0; i++) {
        operate(&state);
        check(&state);
    }
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    for (unsigned count = 0; mt_instance_next_tx(&state.instance, buffer, sizeof buffer, &tx);) {
        check_frame(&state, buffer, &tx);
        fuzz_require(++count < 100);
    }
    check(&state);
    return 0;
}
