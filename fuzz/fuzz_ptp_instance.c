/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A PTP instance under any sequence of inputs: octets decide what it is made of and then, one
 * operation after the other, frames (plausible ones and raw ones), timestamps (right, lost,
 * unknown, twice), time, commands and how much is drained.  After each of them everything must
 * hold that holds for every instance at every time.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_security.h"

#define PORTS_MAX      3
#define TOKENS_MAX     8
#define OPERATIONS_MAX 600
#define FRAME_MAX      512
#define OWN_ID         8
#define HELD_MAX       6
#define SPP            5
#define TLV_SIZE       58 /* AUTHENTICATION with a disclosed key and a code of 16 octets */
#define NS_PER_S       INT64_C(1000000000)

struct state {
    struct fuzz_input input;
    struct mt_instance instance;
    struct mt_port ports[PORTS_MAX];
    struct mt_path path;
    struct mt_port_more more[PORTS_MAX];
    struct mt_peer peers[PORTS_MAX];
    bool is_secured;
    struct mt_instance_more of_instance;
    struct mt_security security;
    struct mt_security_association association;
    struct mt_chain chain;
    uint8_t checkpoints[2][MT_CHAIN_KEY_SIZE];
    struct mt_security_held held[HELD_MAX];
    struct mt_security_sender senders[2];
    uint16_t port_count;
    struct mt_mono now;
    uint64_t received[PORTS_MAX];
    uint32_t tokens[TOKENS_MAX];
    unsigned next_token;
    uint8_t sync_sent[PORTS_MAX][65536 / 8]; /* one bit for each sequence number */
};

static struct state state;

static struct mt_clock_identity identity(uint8_t id)
{
    return (struct mt_clock_identity){{0x02, 0, 0, 0xFF, 0xFE, 0, 0, id}};
}

/* ---- keys that are disclosed later ----------------------------------------------------------- */

/* Every code is zero, so that messages verify without anybody knowing how to make codes. */
static bool make_zeros(enum mt_mac_kind kind, const uint8_t *key, size_t key_length,
                       const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE])
{
    (void)key;
    (void)pieces;
    (void)count;
    memset(ret_code, 0, mt_mac_size(kind));
    return key_length > 0;
}

static void give_chain(struct state *self, uint8_t how)
{
    static const struct mt_crypto zeros = {.mac = make_zeros};
    self->chain = (struct mt_chain){.length = 200,
                                    .interval_ms = 500,
                                    .disclosure_delay = (uint8_t)(1 + how % 3),
                                    .max_error_ns = NS_PER_S / 10,
                                    .has_seed = (how & 8) != 0,
                                    .has_anchor = true,
                                    .checkpoints = self->checkpoints,
                                    .checkpoint_count = 2};
    self->association = (struct mt_security_association){
        .spp = SPP, .sequence_window = how & 16, .chain = &self->chain};
    self->security = (struct mt_security){.crypto = &zeros,
                                          .associations = &self->association,
                                          .association_count = 1,
                                          .senders = self->senders,
                                          .sender_count = 2,
                                          .held = self->held,
                                          .held_max = HELD_MAX};
    self->of_instance.security = &self->security;
    fuzz_require(mt_chain_init(&self->chain, &zeros));
    mt_security_tell_time(&self->security, mt_instant_from_ns(self->now.ns, MT_SCALE_TAI),
                          self->now);
}

/* A TLV that verifies if its interval is right. */
static size_t append_code(struct state *self, uint8_t *frame, size_t length)
{
    const int64_t interval = self->now.ns / (NS_PER_S / 2) + 3 - fuzz_u8(&self->input) % 8;
    if (!self->is_secured || length == 0 || length + TLV_SIZE > FRAME_MAX) {
        return length;
    }
    const uint8_t head[10] = {0x80, 0x09, 0, TLV_SIZE - 4, SPP, 4, 0, 0, 0, (uint8_t)interval};
    memset(frame + length, 0, TLV_SIZE);
    memcpy(frame + length, head, sizeof head);
    length += TLV_SIZE;
    frame[2] = (uint8_t)(length >> 8);
    frame[3] = (uint8_t)length;
    return length;
}

static uint64_t waiting_for(const struct state *self, uint16_t port)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HELD_MAX; i++) {
        count += self->held[i].is_used && self->held[i].port == port;
    }
    return count;
}

/* ---- what must always hold ------------------------------------------------------------------- */

static void check_ports(const struct state *self)
{
    unsigned receiving = 0;
    for (uint16_t i = 0; i < self->port_count; i++) {
        const struct mt_port *port = &self->ports[i];
        uint64_t sum = 0;
        for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
            sum += port->verdicts[verdict];
        }
        fuzz_require(sum == port->counters[MT_COUNT_RECEIVED]);
        fuzz_require(sum + waiting_for(self, (uint16_t)(i + 1)) == self->received[i]);
        fuzz_require(port->state >= MT_STATE_INITIALIZING && port->state < MT_STATE_COUNT);
        if (port->state == MT_STATE_UNCALIBRATED || port->state == MT_STATE_RECEIVER) {
            receiving++;
            fuzz_require(mt_instance_receiving_port(&self->instance) == i + 1);
        }
    }
    fuzz_require(receiving == (mt_instance_receiving_port(&self->instance) != 0));
}

static bool may_send(const struct state *self, uint16_t port, enum mt_ptp_type type)
{
    enum mt_port_state is = mt_port_state_of(&self->instance, port);
    if (type == MT_PTP_PDELAY_REQ || type == MT_PTP_PDELAY_RESP ||
        type == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        return is >= MT_STATE_LISTENING && self->more[port - 1].peer != NULL;
    }
    return type == MT_PTP_DELAY_REQ ? is == MT_STATE_UNCALIBRATED || is == MT_STATE_RECEIVER
                                    : is == MT_STATE_TRANSMITTER;
}

static void check_sync(struct state *self, uint16_t port, const struct mt_ptp_header *header)
{
    uint8_t *octet = &self->sync_sent[port - 1][header->sequence / 8];
    uint8_t bit = (uint8_t)(1u << header->sequence % 8);
    if (header->type == MT_PTP_SYNC) {
        *octet |= bit;
    } else if (header->type == MT_PTP_FOLLOW_UP) {
        fuzz_require((*octet & bit) != 0);
        *octet &= (uint8_t)~bit; /* and only one */
    }
}

static void check_frame(struct state *self, const uint8_t *frame, const struct mt_tx *tx)
{
    struct mt_ptp_message message;
    fuzz_require(tx->port >= 1 && tx->port <= self->port_count);
    fuzz_require(mt_ptp_parse(frame, tx->length, &message) == MT_VERDICT_ACCEPTED);
    fuzz_require(message.header.length == tx->length);
    const struct mt_clock_identity own = identity(OWN_ID);
    fuzz_require(mt_clock_identity_equal(&message.header.source.clock, &own));
    fuzz_require(message.header.source.port == tx->port);
    fuzz_require(may_send(self, tx->port, message.header.type));
    fuzz_require(tx->is_event == mt_ptp_is_event(message.header.type));
    bool wants_stamp = tx->is_event && tx->insertion == MT_INSERT_NOTHING;
    fuzz_require(wants_stamp ? tx->token >= 1 && tx->token <= MT_TOKEN_MAX : tx->token == 0);
    check_sync(self, tx->port, &message.header);
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct mt_stamp stamp_of(struct state *self)
{
    int64_t jitter_ns = (int64_t)fuzz_u8(&self->input) << (fuzz_u8(&self->input) % 40);
    return (struct mt_stamp){mt_instant_from_ns(self->now.ns + jitter_ns, MT_SCALE_TAI),
                             fuzz_u8(&self->input)};
}

static void fill_body(struct state *self, struct mt_ptp_message *message)
{
    struct fuzz_input *in = &self->input;
    switch (message->header.type) {
    case MT_PTP_ANNOUNCE:
        message->body.announce = (struct mt_ptp_announce){
            .priority1 = fuzz_u8(in),
            .quality = {.clock_class = fuzz_u8(in), .accuracy = fuzz_u8(in)},
            .grandmaster = identity(fuzz_u8(in) % 16),
            .steps_removed = (uint16_t)(fuzz_u8(in) % 4 == 0 ? fuzz_take(in, 2) : 0),
        };
        break;
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        message->body.response.at = (struct mt_ptp_timestamp){fuzz_take(in, 2), fuzz_u8(in)};
        message->body.response.requester = (struct mt_port_identity){
            identity(fuzz_u8(in) % 4 == 0 ? 1 : OWN_ID), (uint16_t)(fuzz_u8(in) % (PORTS_MAX + 1))};
        break;
    case MT_PTP_SYNC:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_PDELAY_REQ:
        message->body.origin = (struct mt_ptp_timestamp){fuzz_take(in, 2), fuzz_u8(in)};
        break;
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
}

static size_t plausible_frame(struct state *self, uint8_t *frame)
{
    static const enum mt_ptp_type types[] = {
        MT_PTP_ANNOUNCE,  MT_PTP_ANNOUNCE,   MT_PTP_SYNC,        MT_PTP_FOLLOW_UP,
        MT_PTP_DELAY_REQ, MT_PTP_DELAY_RESP, MT_PTP_PDELAY_RESP, MT_PTP_SIGNALING};
    static const enum mt_ptp_type of_peers[] = {MT_PTP_PDELAY_REQ, MT_PTP_PDELAY_RESP,
                                                MT_PTP_PDELAY_RESP_FOLLOW_UP};
    static const int64_t corrections[] = {
        0, 1, 65536, -65536, INT64_MIN, INT64_MAX - 1, INT64_MAX, 1 << 30};
    struct fuzz_input *in = &self->input;
    uint8_t shape = fuzz_u8(in);
    uint8_t details = fuzz_u8(in);
    struct mt_ptp_message message = {
        .header = {.type = (details & 16) != 0 ? of_peers[shape % 3] : types[shape % 8],
                   .source = {identity(shape >> 3 & 15), (uint16_t)(details & 3)},
                   .sequence = fuzz_u8(in),
                   .flags = (details & 4) != 0 ? (uint16_t)fuzz_take(in, 2) : MT_PTP_TWO_STEP,
                   .log_interval = (details & 8) != 0 ? (int8_t)((int)fuzz_u8(in) - 128) : 0,
                   .correction = {corrections[details >> 5]}},
    };
    fill_body(self, &message);
    if ((shape & 0x80) != 0 && in->left > 0) { /* TLVs from the input, if they are any */
        message.tlvs_length = fuzz_u8(in);
        message.tlvs_length = message.tlvs_length < in->left ? message.tlvs_length : in->left;
        message.tlvs = in->at;
        in->at += message.tlvs_length;
        in->left -= message.tlvs_length;
    }
    size_t length = mt_ptp_write(&message, frame, FRAME_MAX);
    return self->is_secured ? append_code(self, frame, length) : length;
}

static size_t raw_frame(struct state *self, uint8_t *frame)
{
    struct fuzz_input *in = &self->input;
    size_t length = fuzz_u8(in);
    length = length < in->left ? length : in->left;
    memcpy(frame, in->at, length);
    in->at += length;
    in->left -= length;
    return length;
}

static void receive(struct state *self, bool is_raw)
{
    uint8_t frame[FRAME_MAX];
    uint8_t how = fuzz_u8(&self->input);
    uint16_t port = (uint16_t)(how % (PORTS_MAX + 2)); /* 0 and too large ones too */
    size_t length = is_raw ? raw_frame(self, frame) : plausible_frame(self, frame);
    const struct mt_stamp stamp = stamp_of(self);
    uint8_t *exact = malloc(length > 0 ? length : 1);
    fuzz_require(exact != NULL);
    memcpy(exact, frame, length);
    enum mt_verdict verdict = mt_instance_rx(&self->instance, port, exact, length,
                                             (how & 0x80) != 0 ? NULL : &stamp, NULL, self->now);
    free(exact);
    fuzz_require((unsigned)verdict < MT_VERDICT_COUNT);
    if (port >= 1 && port <= self->port_count) {
        self->received[port - 1]++;
    }
    for (unsigned released = 0; mt_security_next(&self->instance, self->now); released++) {
        fuzz_require(released < HELD_MAX);
    }
}

static void report_stamp(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    uint32_t token =
        (how & 0x40) != 0 ? (uint32_t)fuzz_take(&self->input, 4) : self->tokens[how % TOKENS_MAX];
    const struct mt_stamp stamp = stamp_of(self);
    mt_instance_tx_done(&self->instance, token, (how & 0x80) != 0 ? NULL : &stamp, self->now);
}

static void pass_time(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    struct mt_mono deadline = mt_instance_deadline(&self->instance);
    if ((how & 1) == 0 && deadline.ns != MT_MONO_NEVER.ns) {
        self->now.ns = deadline.ns > self->now.ns ? deadline.ns : self->now.ns;
    } else {
        self->now.ns += (int64_t)(how >> 1) << (fuzz_u8(&self->input) % 34);
    }
    mt_instance_tick(&self->instance, self->now);
    fuzz_require(mt_instance_deadline(&self->instance).ns >= self->now.ns);
}

static void command(struct state *self)
{
    struct fuzz_input *in = &self->input;
    uint8_t kind = fuzz_u8(in);
    struct mt_command command = {.kind = (enum mt_command_kind)(kind % 7),
                                 .port = (uint16_t)((kind >> 4) % (PORTS_MAX + 2))};
    uint8_t value = fuzz_u8(in);
    switch (command.kind) {
    case MT_COMMAND_LINK:
    case MT_COMMAND_PORT_ENABLE:
    case MT_COMMAND_FAULT:
        command.value.is_on = (value & 1) != 0;
        break;
    case MT_COMMAND_CLOCK:
        command.value.clock.is_locked = (value & 1) != 0;
        command.value.clock.has_bound = (value & 2) != 0;
        command.value.clock.bound.q16 = (int64_t)fuzz_take(in, 5);
        command.value.clock.bound_static.q16 = (int64_t)fuzz_take(in, 4);
        break;
    case MT_COMMAND_PRIORITIES:
        command.value.priorities.priority1 = value;
        break;
    case MT_COMMAND_QUALITY:
        command.value.quality.clock_class = value;
        break;
    case MT_COMMAND_TIME_PROPERTIES:
        command.value.time.flags = value;
        break;
    }
    bool is_done = mt_instance_command(&self->instance, &command, self->now);
    bool needs_port = command.kind <= MT_COMMAND_FAULT;
    fuzz_require(is_done || !needs_port || command.port == 0 || command.port > self->port_count);
}

static void drain(struct state *self)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    uint8_t how = fuzz_u8(&self->input);
    size_t capacity = (how & 0x80) != 0 ? fuzz_u8(&self->input) : sizeof buffer;
    struct mt_tx tx;
    struct mt_event event;
    for (unsigned i = 0; i < (how & 15u); i++) {
        if (!mt_instance_next_tx(&self->instance, buffer, capacity, &tx)) {
            break;
        }
        fuzz_require(tx.length <= capacity);
        check_frame(self, buffer, &tx);
        if (tx.is_event) {
            self->tokens[self->next_token++ % TOKENS_MAX] = tx.token;
        }
    }
    for (unsigned i = 0; i < (how >> 4 & 7u); i++) {
        if (!mt_instance_next_event(&self->instance, &event)) {
            break;
        }
        fuzz_require(event.kind != MT_EVENT_SAMPLE ||
                     event.port == mt_instance_receiving_port(&self->instance));
        fuzz_require(event.kind != MT_EVENT_STATE ||
                     event.value.state.from != event.value.state.to);
    }
}

/* Whatever happened, both queues come to an end. */
static void drain_all(struct state *self)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    unsigned count = 0;
    while (mt_instance_next_tx(&self->instance, buffer, sizeof buffer, &tx)) {
        check_frame(self, buffer, &tx);
        fuzz_require(++count < 100);
    }
    while (mt_instance_next_event(&self->instance, &event)) {
        fuzz_require(++count < 100);
    }
}

/* ---- one run --------------------------------------------------------------------------------- */

/* `how` chooses the mechanism and what the peer is like; the last port shares the first one's. */
static void give_peer(struct state *self, uint16_t port, uint8_t how)
{
    static const enum mt_delay_mechanism mechanisms[] = {MT_DELAY_P2P, MT_DELAY_AUTO, MT_DELAY_NONE,
                                                         MT_DELAY_COMMON_P2P};
    struct mt_port_more *more = &self->more[port];
    struct mt_peer_config config;
    mt_peer_config_init(&config);
    config.is_gptp = (how & 4) != 0;
    config.is_one_step = (how & 8) != 0;
    config.log_request_interval = (int8_t)((how >> 4 & 7) - 5);
    config.mean_link_delay_thresh = mt_interval_from_ns(800);
    mt_peer_init(&self->peers[port], &config);
    more->delay_mechanism = mechanisms[how & 3];
    more->security.spp = MT_SECURITY_OFF;
    more->shares_peer = port == 2;
    more->peer = &self->peers[port == 2 ? 0 : port];
}

static void check_peers(const struct state *self)
{
    for (uint16_t i = 0; i < self->port_count; i++) {
        struct mt_peer_report link;
        if (self->more[i].peer == NULL) {
            continue;
        }
        mt_peer_get(self->more[i].peer, &link);
        fuzz_require(link.spread.q16 >= 0 && link.sigma.q16 >= 0);
        fuzz_require(link.is_as_capable || self->more[i].peer->config.is_gptp);
        fuzz_require(!link.is_as_capable || !self->more[i].peer->config.is_gptp ||
                     link.delay.q16 <= mt_interval_from_ns(800).q16);
    }
}

static void start(struct state *self)
{
    static const struct mt_port_identity acceptable[] = {{{{0x02, 0, 0, 0xFF, 0xFE, 0, 0, 3}}, 0}};
    struct mt_instance_config config;
    struct mt_port_config ports[PORTS_MAX];
    uint8_t how = fuzz_u8(&self->input);
    mt_instance_config_init(&config);
    config.identity = identity(OWN_ID);
    config.path = &self->path;
    config.is_receiver_only = how % 8 == 7;
    config.features = config.is_receiver_only ? &mt_ptp_receiver_features : &mt_ptp_all_features;
    config.accepts_alternate = (how & 0x08) != 0;
    config.serves_uncertain = (how & 0x10) != 0;
    config.quality.clock_class = (how & 0x20) != 0 ? 6 : 248;
    self->is_secured = (how & 0xC0) == 0xC0;
    if (self->is_secured) {
        give_chain(self, fuzz_u8(&self->input));
        config.more = &self->of_instance;
    }
    self->port_count = (uint16_t)(1 + how % PORTS_MAX);
    for (uint16_t i = 0; i < self->port_count; i++) {
        uint8_t port = fuzz_u8(&self->input);
        mt_port_config_init(&ports[i]);
        ports[i].log_announce_interval = (int8_t)((port & 7) - 5);
        ports[i].log_sync_interval = (int8_t)((port >> 3 & 7) - 5);
        ports[i].is_transmitter_only = (port & 0x40) != 0;
        ports[i].acceptable = acceptable;
        ports[i].acceptable_count = port >> 7;
        if ((how & 0xC0) == 0x40) {
            give_peer(self, i, fuzz_u8(&self->input));
            ports[i].more = &self->more[i];
        }
        if (self->is_secured) {
            self->more[i].security = (struct mt_port_security){
                .spp = MT_SECURITY_OFF, .is_delayed = true, .delayed_spp = SPP};
            ports[i].more = &self->more[i];
        }
    }
    mt_instance_init(&self->instance, &config, self->ports, ports, self->port_count, how,
                     self->now);
    self->port_count = self->instance.port_count; /* one, without the boundary part */
    for (uint16_t port = 1; port <= self->port_count; port++) {
        const struct mt_command link = {.kind = MT_COMMAND_LINK, .port = port, .value.is_on = true};
        mt_instance_command(&self->instance, &link, self->now);
    }
}

static void operate(struct state *self)
{
    switch (fuzz_u8(&self->input) % 8) {
    case 0:
    case 1:
    case 2:
        receive(self, false);
        break;
    case 3:
        receive(self, true);
        break;
    case 4:
        report_stamp(self);
        break;
    case 5:
        pass_time(self);
        break;
    case 6:
        command(self);
        break;
    default:
        drain(self);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&state, 0, sizeof state);
    state.input = (struct fuzz_input){data, size};
    state.now.ns = NS_PER_S;
    start(&state);
    for (unsigned i = 0; i < OPERATIONS_MAX && state.input.left > 0; i++) {
        operate(&state);
        check_ports(&state);
        check_peers(&state);
    }
    drain_all(&state);
    return 0;
}
