/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A transparent clock under any sequence of inputs: octets decide its kind and then, one operation
 * after the other, frames of a few senders with few sequence numbers (so that halves meet, loops
 * close and the small ring overflows), raw frames, timestamps (right, lost, unknown, twice), time,
 * steps of the clock, links that go down, and how much is drained.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_peer.h"
#include "meantime/ptp_transparent.h"

#define PORTS          3
#define FRAMES         12
#define FRAME_SIZE     200 /* longer ones are not forwarded */
#define TOKENS_MAX     16
#define OPERATIONS_MAX 600
#define FRAME_MAX      512
#define OWN_ID         8
#define NS_PER_S       INT64_C(1000000000)

struct state {
    struct fuzz_input input;
    struct mt_instance instance;
    struct mt_port ports[PORTS];
    struct mt_instance_more more;
    struct mt_port_more port_more[PORTS];
    struct mt_peer peers[PORTS];
    struct mt_transparent transparent;
    struct mt_mono now;
    uint64_t received[PORTS];
    uint32_t tokens[TOKENS_MAX];
    unsigned next_token;
};

static struct state state;
/* apart, so that the sanitizer sees who writes beyond their ends */
static struct mt_transparent_frame frames[FRAMES];
static struct mt_transparent_leg legs[FRAMES * PORTS];
static uint8_t octets[FRAMES * FRAME_SIZE];

static struct mt_clock_identity identity(uint8_t id)
{
    return (struct mt_clock_identity){{0x02, 0, 0, 0xFF, 0xFE, 0, 0, id}};
}

/* ---- what must always hold ------------------------------------------------------------------- */

/* enum mt_leg_state of transparent_private.h: 1 held, 2 queued, 3 sent */
static void check_legs(const struct state *self)
{
    const struct mt_transparent *tc = &self->transparent;
    uint32_t counts[8] = {0};
    for (unsigned i = 0; i < FRAMES; i++) {
        unsigned open = 0;
        for (unsigned port = 0; port < PORTS; port++) {
            unsigned leg = legs[port * FRAMES + i].state;
            fuzz_require(leg <= 6);
            counts[leg]++;
            open += leg >= 1 && leg <= 3;
            fuzz_require(leg == 0 || frames[i].ingress != port + 1);
        }
        fuzz_require(open == frames[i].open_legs);
        fuzz_require(frames[i].length <= FRAME_SIZE);
    }
    fuzz_require(counts[1] == tc->held && counts[2] == tc->queued && counts[3] == tc->awaited);
}

static void check_ports(const struct state *self)
{
    for (unsigned i = 0; i < PORTS; i++) {
        const struct mt_port *port = &self->ports[i];
        uint64_t sum = 0;
        for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
            sum += port->verdicts[verdict];
        }
        fuzz_require(sum == port->counters[MT_COUNT_RECEIVED] && sum == self->received[i]);
    }
}

static void check_frame(const struct state *self, const uint8_t *frame, const struct mt_tx *tx)
{
    struct mt_ptp_message message;
    const struct mt_clock_identity own = identity(OWN_ID);
    fuzz_require(tx->port >= 1 && tx->port <= PORTS);
    fuzz_require(mt_ptp_parse(frame, tx->length, &message) == MT_VERDICT_ACCEPTED);
    fuzz_require(message.header.length == tx->length);
    fuzz_require(tx->is_event == mt_ptp_is_event(message.header.type));
    fuzz_require(tx->insertion == MT_INSERT_NOTHING || tx->token == 0);
    fuzz_require(!tx->is_event || tx->insertion != MT_INSERT_NOTHING || tx->token != 0);
    if (self->transparent.config.is_peer_to_peer &&
        !mt_clock_identity_equal(&message.header.source.clock, &own)) {
        fuzz_require(message.header.type == MT_PTP_SYNC || message.header.type >= MT_PTP_FOLLOW_UP);
        fuzz_require(message.header.type != MT_PTP_DELAY_RESP &&
                     message.header.type != MT_PTP_PDELAY_RESP_FOLLOW_UP);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct mt_stamp stamp_of(struct state *self)
{
    int64_t jitter_ns = (int64_t)fuzz_u8(&self->input) << (fuzz_u8(&self->input) % 34);
    return (struct mt_stamp){mt_instant_from_ns(self->now.ns + jitter_ns, MT_SCALE_TAI),
                             fuzz_u8(&self->input) & 3};
}

static size_t plausible_frame(struct state *self, uint8_t *frame)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC,
                                             MT_PTP_FOLLOW_UP,
                                             MT_PTP_DELAY_REQ,
                                             MT_PTP_DELAY_RESP,
                                             MT_PTP_PDELAY_REQ,
                                             MT_PTP_PDELAY_RESP,
                                             MT_PTP_PDELAY_RESP_FOLLOW_UP,
                                             MT_PTP_ANNOUNCE,
                                             MT_PTP_SIGNALING,
                                             MT_PTP_MANAGEMENT};
    struct fuzz_input *in = &self->input;
    uint8_t shape = fuzz_u8(in);
    uint8_t details = fuzz_u8(in);
    struct mt_ptp_message message = {
        .header = {.type = types[shape % 10],
                   .source = {identity((details & 1) != 0   ? 2
                                       : (details & 2) != 0 ? 3
                                                            : 4),
                              1},
                   .sequence = details >> 5,
                   .domain = (details & 4) != 0,
                   .flags = (details & 8) != 0 ? MT_PTP_TWO_STEP : 0,
                   .correction = {(details & 16) != 0 ? INT64_MAX - 1000 : 0}},
    };
    const struct mt_port_identity other = {identity((uint8_t)(2 + shape / 10 % 7)), 1};
    if (message.header.type == MT_PTP_ANNOUNCE) {
        message.body.announce.grandmaster = message.header.source.clock;
        message.body.announce.steps_removed = shape / 10;
    } else if (message.header.type == MT_PTP_SIGNALING) {
        message.body.target = other;
    } else if (message.header.type == MT_PTP_MANAGEMENT) {
        message.body.management.target = other;
    } else if (message.header.type != MT_PTP_SYNC && message.header.type != MT_PTP_FOLLOW_UP) {
        message.body.response.requester = other;
    }
    uint8_t tail = fuzz_u8(in);
    const uint8_t tlv[4 + 254] = {0x7F, 0x01, 0, tail & 0xFE};
    if ((tail & 1) != 0) {
        message.tlvs = tlv;
        message.tlvs_length = 4u + (tail & 0xFE);
    }
    return mt_ptp_write(&message, frame, FRAME_MAX);
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
    uint16_t port = (uint16_t)(how % PORTS + 1);
    size_t length = is_raw ? raw_frame(self, frame) : plausible_frame(self, frame);
    const struct mt_stamp stamp = stamp_of(self);
    uint8_t *exact = malloc(length > 0 ? length : 1);
    fuzz_require(exact != NULL);
    memcpy(exact, frame, length);
    mt_instance_rx(&self->instance, port, exact, length, (how & 0x80) != 0 ? NULL : &stamp, NULL,
                   self->now);
    free(exact);
    self->received[port - 1]++;
}

static void report_stamp(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    uint32_t token =
        (how & 0x40) != 0 ? (uint32_t)fuzz_take(&self->input, 3) : self->tokens[how % TOKENS_MAX];
    const struct mt_stamp stamp = stamp_of(self);
    mt_instance_tx_done(&self->instance, token, (how & 0x80) != 0 ? NULL : &stamp, self->now);
}

static void change(struct state *self)
{
    uint8_t how = fuzz_u8(&self->input);
    if ((how & 3) == 0) {
        const struct mt_transparent_clock clock = {(int32_t)fuzz_take(&self->input, 4),
                                                   fuzz_u8(&self->input) & 3};
        mt_transparent_set_clock(&self->transparent, &clock);
    } else if ((how & 3) == 1) {
        const struct mt_command link = {.kind = MT_COMMAND_LINK,
                                        .port = (uint16_t)((how >> 3) % PORTS + 1),
                                        .value.is_on = (how & 4) != 0};
        mt_instance_command(&self->instance, &link, self->now);
    } else {
        self->now.ns += (int64_t)(how >> 2) << (fuzz_u8(&self->input) % 31);
        mt_instance_tick(&self->instance, self->now);
    }
}

static void drain(struct state *self, unsigned most, size_t capacity)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    for (unsigned i = 0; i < most; i++) {
        if (!mt_instance_next_tx(&self->instance, buffer, capacity, &tx)) {
            break;
        }
        fuzz_require(tx.length <= capacity && i < 200);
        check_frame(self, buffer, &tx);
        if (tx.token != 0) {
            self->tokens[self->next_token++ % TOKENS_MAX] = tx.token;
        }
    }
    for (unsigned i = 0; i < 50 && mt_instance_next_event(&self->instance, &event); i++) {
    }
}

/* ---- one run --------------------------------------------------------------------------------- */

static void start(struct state *self)
{
    struct mt_instance_config config;
    struct mt_port_config ports[PORTS];
    struct mt_peer_config peer;
    uint8_t how = fuzz_u8(&self->input);
    const struct mt_transparent_config what = {
        .is_peer_to_peer = (how & 1) != 0,
        .follows_tree = (how & 2) != 0,
        .is_free_running = (how & 4) != 0,
        .keeps_to_domain = (how & 8) != 0,
        .inserting = how >> 4 & 7,
    };
    const struct mt_transparent_storage storage = {
        frames, legs, octets, FRAMES, FRAME_SIZE, PORTS,
    };
    mt_transparent_init(&self->transparent, &what, &storage);
    mt_instance_config_init(&config);
    mt_peer_config_init(&peer);
    peer.stored_delay = mt_interval_from_ns(100);
    config.identity = identity(OWN_ID);
    config.features = &mt_ptp_transparent_features;
    self->more.transparent = &self->transparent;
    config.more = &self->more;
    for (unsigned i = 0; i < PORTS; i++) {
        mt_port_config_init(&ports[i]);
        mt_peer_init(&self->peers[i], &peer);
        self->port_more[i].delay_mechanism = (how & 1) != 0 ? MT_DELAY_P2P : MT_DELAY_E2E;
        self->port_more[i].peer = (how & 1) != 0 ? &self->peers[i] : NULL;
        ports[i].more = &self->port_more[i];
    }
    mt_instance_init(&self->instance, &config, self->ports, ports, PORTS, how, self->now);
    for (uint16_t port = 1; port <= PORTS; port++) {
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
        change(self);
        break;
    case 6:
        drain(self, 3, fuzz_u8(&self->input));
        break;
    default:
        drain(self, UINT32_MAX, MT_PTP_MESSAGE_MAX);
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
        check_legs(&state);
    }
    drain(&state, UINT32_MAX, MT_PTP_MESSAGE_MAX);
    return 0;
}
