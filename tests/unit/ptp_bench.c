/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The bench: see ptp_bench.h.  It drains after each input, as the instance's contract asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ptp_bench.h"

#define OWN_ID 8

struct mt_clock_identity bench_identity(uint8_t id)
{
    return (struct mt_clock_identity){{0x02, 0, 0, 0xFF, 0xFE, 0, 0, id}};
}

void bench_init(struct ptp_bench *self, uint16_t port_count)
{
    memset(self, 0, sizeof *self);
    mt_instance_config_init(&self->config);
    self->config.features = &mt_ptp_all_features;
    self->config.identity = bench_identity(OWN_ID);
    self->config.path = &self->path;
    self->port_count = port_count;
    self->seed = 1;
    self->now.ns = BENCH_S(1);
    for (uint16_t i = 0; i < port_count; i++) {
        mt_port_config_init(&self->port_configs[i]);
    }
}

void bench_start(struct ptp_bench *self)
{
    mt_instance_init(&self->instance, &self->config, self->ports, self->port_configs,
                     self->port_count, self->seed, self->now);
    for (uint16_t port = 1; port <= self->port_count; port++) {
        bench_link(self, port, true);
    }
}

void peer_init(struct bench_peer *self, uint8_t id)
{
    *self = (struct bench_peer){
        .identity = {bench_identity(id), 1},
        .announce =
            {
                .priority1 = 10,
                .quality = {.clock_class = 248, .accuracy = 0xFE, .variance = 0xFFFF},
                .priority2 = 128,
                .grandmaster = bench_identity(id),
                .time_source = 0xA0,
            },
        .log_announce_interval = 1,
    };
}

/* ---- outputs --------------------------------------------------------------------------------- */

struct mt_stamp bench_stamp(const struct ptp_bench *self)
{
    return (struct mt_stamp){
        mt_instant_from_ns(self->now.ns + BENCH_EPOCH_S * MT_NS_PER_S, MT_SCALE_TAI), 0};
}

static void take_down(struct ptp_bench *self, const uint8_t *octets, const struct mt_tx *tx)
{
    struct bench_frame *frame = &self->frames[self->frame_count++];
    assert_true(self->frame_count < BENCH_LOG_MAX);
    frame->at = self->now;
    frame->tx = *tx;
    memcpy(frame->octets, octets,
           tx->length < sizeof frame->octets ? tx->length : sizeof frame->octets);
    assert_int_equal(mt_ptp_parse(octets, tx->length, &frame->message), MT_VERDICT_ACCEPTED);
    frame->message.tlvs = frame->octets + (frame->message.tlvs - octets);
    assert_int_equal(frame->message.header.length, tx->length);
}

static bool drain_once(struct ptp_bench *self)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    bool any = false;
    while (mt_instance_next_tx(&self->instance, buffer, sizeof buffer, &tx)) {
        any = true;
        take_down(self, buffer, &tx);
        if (tx.is_event && !self->holds_stamps) {
            const struct mt_stamp stamp = bench_stamp(self);
            mt_instance_tx_done(&self->instance, tx.token, &stamp, self->now);
        }
    }
    while (mt_instance_next_event(&self->instance, &event)) {
        any = true;
        self->events[self->event_count++] = (struct bench_event){self->now, event};
        assert_true(self->event_count < BENCH_LOG_MAX);
    }
    return any;
}

void bench_drain(struct ptp_bench *self)
{
    while (drain_once(self)) {
    }
    bench_check(self);
}

void bench_clear(struct ptp_bench *self)
{
    self->frame_count = 0;
    self->event_count = 0;
}

void bench_pass(struct ptp_bench *self, int64_t ns)
{
    struct mt_mono end = mt_mono_plus(self->now, ns);
    for (;;) {
        struct mt_mono deadline = mt_instance_deadline(&self->instance);
        if (deadline.ns > end.ns) {
            break;
        }
        if (deadline.ns > self->now.ns) {
            self->now = deadline;
        }
        mt_instance_tick(&self->instance, self->now);
        bench_drain(self);
    }
    self->now = end;
}

/* ---- inputs ---------------------------------------------------------------------------------- */

enum mt_verdict bench_rx(struct ptp_bench *self, uint16_t port,
                         const struct mt_ptp_message *message)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    const struct mt_stamp stamp = bench_stamp(self);
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    assert_true(length > 0);
    enum mt_verdict verdict =
        mt_instance_rx(&self->instance, port, buffer, length,
                       mt_ptp_is_event(message->header.type) ? &stamp : NULL, NULL, self->now);
    bench_drain(self);
    return verdict;
}

enum mt_verdict bench_announce(struct ptp_bench *self, uint16_t port, struct bench_peer *peer)
{
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE,
                   .minor_version = 1,
                   .flags = peer->flags,
                   .source = peer->identity,
                   .sequence = peer->announce_sequence++,
                   .log_interval = peer->log_announce_interval},
        .body.announce = peer->announce,
        .tlvs = peer->tlvs,
        .tlvs_length = peer->tlvs_length,
    };
    return bench_rx(self, port, &message);
}

void bench_announces(struct ptp_bench *self, uint16_t port, struct bench_peer *peer, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) {
            bench_pass(self, mt_log2s_to_ns(peer->log_announce_interval));
        }
        assert_int_equal(bench_announce(self, port, peer), MT_VERDICT_ACCEPTED);
    }
}

void bench_follow(struct ptp_bench *self, uint16_t port, struct bench_peer *peer)
{
    bench_announces(self, port, peer, MT_FOREIGN_THRESHOLD);
    assert_int_equal(bench_state(self, port), MT_STATE_UNCALIBRATED);
}

void bench_sync(struct ptp_bench *self, uint16_t port, struct bench_peer *peer, int64_t delay_ns,
                int64_t ahead_ns)
{
    struct mt_instant departure =
        mt_instant_plus(bench_stamp(self).at, mt_span_from_ns(ahead_ns - delay_ns));
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SYNC,
                   .flags = MT_PTP_TWO_STEP,
                   .source = peer->identity,
                   .sequence = peer->sync_sequence++},
    };
    assert_int_equal(bench_rx(self, port, &message), MT_VERDICT_ACCEPTED);
    message.header.type = MT_PTP_FOLLOW_UP;
    message.header.flags = 0;
    mt_ptp_timestamp_from_instant(&departure, &message.body.origin, &message.header.correction);
    assert_int_equal(bench_rx(self, port, &message), MT_VERDICT_ACCEPTED);
}

bool bench_command(struct ptp_bench *self, const struct mt_command *command)
{
    bool is_done = mt_instance_command(&self->instance, command, self->now);
    bench_drain(self);
    return is_done;
}

bool bench_link(struct ptp_bench *self, uint16_t port, bool is_up)
{
    return bench_command(
        self, &(struct mt_command){.kind = MT_COMMAND_LINK, .port = port, .value.is_on = is_up});
}

void bench_clock(struct ptp_bench *self, bool is_locked, int64_t bound_ns)
{
    const struct mt_command command = {
        .kind = MT_COMMAND_CLOCK,
        .value.clock = {.is_locked = is_locked,
                        .has_bound = bound_ns >= 0,
                        .bound = mt_interval_from_ns(bound_ns >= 0 ? bound_ns : 0)},
    };
    assert_true(bench_command(self, &command));
}

/* ---- what was seen --------------------------------------------------------------------------- */

static bool is_wanted(const struct bench_frame *frame, uint16_t port, enum mt_ptp_type type)
{
    return frame->message.header.type == type && (port == 0 || frame->tx.port == port);
}

size_t bench_count(const struct ptp_bench *self, uint16_t port, enum mt_ptp_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < self->frame_count; i++) {
        count += is_wanted(&self->frames[i], port, type);
    }
    return count;
}

const struct bench_frame *bench_newest(const struct ptp_bench *self, uint16_t port,
                                       enum mt_ptp_type type, size_t i)
{
    for (size_t at = self->frame_count; at > 0; at--) {
        if (is_wanted(&self->frames[at - 1], port, type) && i-- == 0) {
            return &self->frames[at - 1];
        }
    }
    fail_msg("no frame of type %d", (int)type);
    return NULL;
}

size_t bench_event_count(const struct ptp_bench *self, enum mt_event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < self->event_count; i++) {
        count += self->events[i].event.kind == kind;
    }
    return count;
}

const struct mt_event *bench_newest_event(const struct ptp_bench *self, enum mt_event_kind kind)
{
    for (size_t at = self->event_count; at > 0; at--) {
        if (self->events[at - 1].event.kind == kind) {
            return &self->events[at - 1].event;
        }
    }
    fail_msg("no event of kind %d", (int)kind);
    return NULL;
}

int64_t bench_sample_ns(const struct ptp_bench *self, enum mt_sample_kind kind)
{
    for (size_t at = self->event_count; at > 0; at--) {
        const struct mt_event *event = &self->events[at - 1].event;
        if (event->kind == MT_EVENT_SAMPLE && event->value.sample.kind == kind) {
            return mt_span_to_ns(event->value.sample.value);
        }
    }
    fail_msg("no sample of kind %d", (int)kind);
    return 0;
}

enum mt_port_state bench_state(const struct ptp_bench *self, uint16_t port)
{
    return mt_port_state_of(&self->instance, port);
}

uint64_t bench_verdicts(const struct ptp_bench *self, uint16_t port, enum mt_verdict verdict)
{
    return self->ports[port - 1].verdicts[verdict];
}

uint64_t bench_counter(const struct ptp_bench *self, uint16_t port, enum mt_port_counter counter)
{
    return self->ports[port - 1].counters[counter];
}

void bench_check(const struct ptp_bench *self)
{
    unsigned receiving = 0;
    for (uint16_t i = 0; i < self->port_count; i++) {
        const struct mt_port *port = &self->ports[i];
        uint64_t sum = 0;
        for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
            sum += port->verdicts[verdict];
        }
        assert_true(sum == port->counters[MT_COUNT_RECEIVED]);
        if (port->state == MT_STATE_UNCALIBRATED || port->state == MT_STATE_RECEIVER) {
            receiving++;
            assert_int_equal(mt_instance_receiving_port(&self->instance), i + 1);
        }
    }
    assert_int_equal(receiving, mt_instance_receiving_port(&self->instance) != 0);
}

const char *bench_state_name(enum mt_port_state state)
{
    static const char *const names[MT_STATE_COUNT] = {
        [MT_STATE_INITIALIZING] = "INITIALIZING",
        [MT_STATE_FAULTY] = "FAULTY",
        [MT_STATE_DISABLED] = "DISABLED",
        [MT_STATE_LISTENING] = "LISTENING",
        [MT_STATE_PRE_TRANSMITTER] = "PRE_TRANSMITTER",
        [MT_STATE_TRANSMITTER] = "TRANSMITTER",
        [MT_STATE_PASSIVE] = "PASSIVE",
        [MT_STATE_UNCALIBRATED] = "UNCALIBRATED",
        [MT_STATE_RECEIVER] = "RECEIVER",
    };
    return names[state];
}

/* ---- boundary clocks ------------------------------------------------------------------------- */

void bench_relay(struct ptp_bench *self, struct bench_peer *peer)
{
    bench_follow(self, 1, peer);
    bench_clock(self, true, 1000);
    for (unsigned i = 0; i < 8; i++) {
        bench_pass(self, BENCH_S(2));
        bench_announce(self, 1, peer);
    }
    assert_int_equal(bench_state(self, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(self, 2), MT_STATE_TRANSMITTER);
}

const struct mt_ptp_message *bench_relayed_announce(struct ptp_bench *self, struct bench_peer *peer,
                                                    uint16_t port)
{
    bench_clear(self);
    bench_announce(self, 1, peer);
    bench_pass(self, BENCH_S(2));
    return &bench_newest(self, port, MT_PTP_ANNOUNCE, 0)->message;
}
