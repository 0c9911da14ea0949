/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The instance as a whole: equal inputs give equal outputs, the largest number of ports, buffers
 * that are too small, transmit timestamps of a transmitter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;

/* ---- determinism: two instances, fed the same ------------------------------------------------ */

#define TWIN_PORTS  3
#define TWIN_INPUTS 100000

struct twin {
    struct mt_instance instance;
    struct mt_port ports[TWIN_PORTS];
    struct mt_path path;
    uint64_t hash;
    uint64_t frames;
    uint64_t samples;
};

static struct twin twins[2];

static void add_hash(struct twin *self, const void *bytes, size_t length)
{
    const uint8_t *octets = bytes;
    for (size_t i = 0; i < length; i++) { /* FNV-1a */
        self->hash = (self->hash ^ octets[i]) * UINT64_C(0x100000001B3);
    }
}

static void add_hash_u64(struct twin *self, uint64_t value)
{
    add_hash(self, &value, sizeof value);
}

static void twin_init(struct twin *self, uint8_t garbage)
{
    struct mt_instance_config config;
    struct mt_port_config ports[TWIN_PORTS];
    memset(self, garbage, sizeof *self);
    mt_instance_config_init(&config);
    config.features = &mt_ptp_all_features;
    config.identity = bench_identity(8);
    config.path = &self->path;
    for (unsigned i = 0; i < TWIN_PORTS; i++) {
        mt_port_config_init(&ports[i]);
        ports[i].log_announce_interval = -2;
        ports[i].log_sync_interval = -3;
        ports[i].log_min_delay_req_interval = -3;
    }
    self->path.count = 0;
    self->hash = UINT64_C(0xCBF29CE484222325);
    self->frames = 0;
    self->samples = 0;
    mt_instance_init(&self->instance, &config, self->ports, ports, TWIN_PORTS, 99,
                     (struct mt_mono){1});
}

static void twin_drain(struct twin *self)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    while (mt_instance_next_tx(&self->instance, buffer, sizeof buffer, &tx)) {
        self->frames++;
        add_hash(self, buffer, tx.length);
        add_hash_u64(self, tx.token);
        add_hash_u64(self, tx.port);
    }
    while (mt_instance_next_event(&self->instance, &event)) {
        add_hash_u64(self, event.kind);
        add_hash_u64(self, event.port);
        if (event.kind == MT_EVENT_STATE) {
            add_hash_u64(self, event.value.state.to);
        } else if (event.kind == MT_EVENT_SAMPLE) {
            self->samples++;
            add_hash_u64(self, (uint64_t)event.value.sample.value.s);
            add_hash_u64(self, event.value.sample.value.ns);
        }
    }
    add_hash_u64(self, (uint64_t)mt_instance_deadline(&self->instance).ns);
}

/* One of 16 peers says something, most of it plausible. */
static size_t random_frame(struct mt_prng *random, uint16_t *sequences, uint8_t *buffer)
{
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE,   MT_PTP_ANNOUNCE,  MT_PTP_SYNC,
                                             MT_PTP_FOLLOW_UP,  MT_PTP_DELAY_REQ, MT_PTP_DELAY_RESP,
                                             MT_PTP_PDELAY_REQ, MT_PTP_ANNOUNCE};
    uint8_t peer = (uint8_t)(1 + mt_prng_below(random, 16) * mt_prng_below(random, 2));
    struct mt_ptp_message message = {
        .header = {.type = types[mt_prng_below(random, 8)],
                   .source = {bench_identity(peer), 1},
                   .sequence = sequences[peer],
                   .flags = mt_prng_below(random, 4) == 0 ? 0 : MT_PTP_TWO_STEP,
                   .correction = {mt_prng_next_u32(random)},
                   .log_interval = (int8_t)((int)mt_prng_below(random, 20) - 10)},
    };
    sequences[peer] = (uint16_t)(sequences[peer] + mt_prng_below(random, 2));
    if (message.header.type == MT_PTP_ANNOUNCE) {
        message.body.announce = (struct mt_ptp_announce){
            .priority1 = (uint8_t)(mt_prng_below(random, 64) == 0 ? 255 : 113 + peer),
            .quality = {.clock_class = 248},
            .priority2 = 128,
            .grandmaster = bench_identity(peer),
            .steps_removed = (uint16_t)(peer % 3),
        };
    } else if (message.header.type == MT_PTP_DELAY_RESP) {
        message.header.sequence = (uint16_t)mt_prng_below(random, 100);
        message.body.response.requester = (struct mt_port_identity){
            bench_identity(8), (uint16_t)(1 + mt_prng_below(random, TWIN_PORTS))};
    }
    return mt_ptp_write(&message, buffer, MT_PTP_MESSAGE_MAX);
}

static void feed_both(struct mt_prng *random, uint16_t *sequences, struct mt_mono now)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    uint32_t what = mt_prng_below(random, 16);
    uint16_t port = (uint16_t)(1 + mt_prng_below(random, TWIN_PORTS));
    uint32_t token = twins[0].instance.last_token - mt_prng_below(random, 6);
    const struct mt_stamp stamp = {mt_instant_from_ns(now.ns, MT_SCALE_TAI), 0};
    struct mt_command command = {.kind = MT_COMMAND_LINK, .port = port, .value.is_on = true};
    size_t length = random_frame(random, sequences, buffer);
    if (what == 15) {
        command.value.is_on = mt_prng_below(random, 4) != 0;
        command.kind = mt_prng_below(random, 8) == 0 ? MT_COMMAND_LINK : MT_COMMAND_CLOCK;
        command.value.clock.is_locked = command.value.is_on;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct mt_instance *instance = &twins[i].instance;
        if (what < 10) {
            mt_instance_rx(instance, port, buffer, length, &stamp, NULL, now);
        } else if (what < 13) {
            mt_instance_tx_done(instance, token, what == 12 ? NULL : &stamp, now);
        } else if (what < 15) {
            mt_instance_tick(instance, now);
        } else {
            mt_instance_command(instance, &command, now);
        }
        twin_drain(&twins[i]);
    }
}

/* Everything that an instance remembers, member by member where there is padding. */
static void assert_same_memory(void)
{
    const struct mt_instance *a = &twins[0].instance;
    const struct mt_instance *b = &twins[1].instance;
    assert_memory_equal(&a->random, &b->random, sizeof a->random);
    assert_int_equal(a->last_token, b->last_token);
    assert_int_equal(a->receiving_port, b->receiving_port);
    assert_int_equal(mt_dataset_compare(&a->parent, &b->parent), MT_SAME);
    for (unsigned i = 0; i < TWIN_PORTS; i++) {
        const struct mt_port *p = &twins[0].ports[i];
        const struct mt_port *q = &twins[1].ports[i];
        assert_int_equal(p->state, q->state);
        assert_int_equal(p->pending, q->pending);
        assert_memory_equal(p->timers, q->timers, sizeof p->timers);
        assert_memory_equal(p->verdicts, q->verdicts, sizeof p->verdicts);
        assert_memory_equal(p->counters, q->counters, sizeof p->counters);
        for (unsigned f = 0; f < MT_FOREIGN_MAX; f++) {
            assert_memory_equal(p->foreign[f].heard, q->foreign[f].heard,
                                sizeof p->foreign[f].heard);
            assert_int_equal(p->foreign[f].is_used, q->foreign[f].is_used);
            assert_int_equal(&p->foreign[f] == p->best, &q->foreign[f] == q->best);
            assert_int_equal(p->foreign[f].sequence, q->foreign[f].sequence);
        }
    }
}

static void ptp_instance_gives_equal_outputs_when_inputs_are_equal(void **state)
{
    struct mt_prng random;
    uint16_t sequences[32] = {0};
    struct mt_mono now = {1};
    mt_prng_init(&random, 2019);
    twin_init(&twins[0], 0x00);
    twin_init(&twins[1], 0xA5); /* what lay in the storage before must not matter */
    for (unsigned i = 0; i < TWIN_INPUTS; i++) {
        now.ns += mt_prng_interval_ns(&random, BENCH_S(0.02));
        feed_both(&random, sequences, now);
        assert_true(twins[0].hash == twins[1].hash);
    }
    assert_same_memory();
    assert_true(twins[0].frames > 3000);
    assert_true(twins[0].samples > 200);
}

static void ptp_instance_draws_other_times_when_the_seed_differs(void **state)
{
    int64_t first_ns = 0;
    for (unsigned seed = 1; seed <= 2; seed++) {
        bench_init(&bench, 1);
        bench.seed = seed;
        bench_start(&bench);
        assert_true(mt_instance_deadline(&bench.instance).ns != first_ns);
        first_ns = mt_instance_deadline(&bench.instance).ns;
    }
}

/* ---- many ports ------------------------------------------------------------------------------ */

static void ptp_instance_runs_when_it_has_the_most_ports(void **state)
{
    struct bench_peer peer;
    peer_init(&peer, 1);
    bench_init(&bench, MT_INSTANCE_PORTS_MAX);
    for (unsigned i = 0; i < MT_INSTANCE_PORTS_MAX; i++) {
        bench.port_configs[i].log_sync_interval = 1;
    }
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(9));
    for (uint16_t port = 1; port <= MT_INSTANCE_PORTS_MAX; port++) {
        assert_int_equal(bench_state(&bench, port), MT_STATE_TRANSMITTER);
    }
    bench_clear(&bench);
    bench_follow(&bench, MT_INSTANCE_PORTS_MAX, &peer);
    bench_clock(&bench, true, 100);
    bench_clear(&bench);
    for (unsigned i = 0; i < 4; i++) {
        bench_announce(&bench, MT_INSTANCE_PORTS_MAX, &peer);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(&bench, MT_INSTANCE_PORTS_MAX), MT_STATE_RECEIVER);
    for (uint16_t port = 1; port < MT_INSTANCE_PORTS_MAX; port++) {
        assert_int_equal(bench_state(&bench, port), MT_STATE_TRANSMITTER);
        assert_int_equal(bench_newest(&bench, port, MT_PTP_ANNOUNCE, 0)->message.header.source.port,
                         port);
        assert_true(bench_counter(&bench, port, MT_COUNT_SENT_FOLLOW_UP) > 0);
    }
    bench_link(&bench, MT_INSTANCE_PORTS_MAX, false);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
}

/* ---- frames that do not fit ------------------------------------------------------------------ */

static void ptp_instance_drops_and_counts_when_the_buffer_is_too_small(void **state)
{
    static const size_t sizes[] = {0, 33, 43};
    uint8_t buffer[64];
    struct mt_tx tx;
    for (unsigned i = 0; i < 3; i++) {
        bench_init(&bench, 1);
        bench_start(&bench);
        bench.now = mt_mono_plus(bench.now, BENCH_S(8));
        mt_instance_tick(&bench.instance, bench.now);
        mt_instance_tick(&bench.instance, bench.now);
        assert_false(mt_instance_next_tx(&bench.instance, buffer, sizes[i], &tx));
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_DROPPED), 2);
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SENT_ANNOUNCE), 0);
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SENT_SYNC), 0);
        assert_false(mt_instance_next_tx(&bench.instance, buffer, sizeof buffer, &tx));
        bench_pass(&bench, BENCH_S(20)); /* nobody waits for a timestamp of what was not sent */
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 0);
    }
}

static void ptp_instance_drops_all_answers_when_the_buffer_is_too_small(void **state)
{
    uint8_t buffer[44];
    struct mt_tx tx;
    struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .source = {bench_identity(1), 1}}};
    bench_init(&bench, 1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(8));
    size_t length = mt_ptp_write(&request, buffer, sizeof buffer);
    const struct mt_stamp stamp = bench_stamp(&bench);
    for (unsigned i = 0; i < MT_ANSWERS_MAX; i++) {
        buffer[31]++; /* sequenceId */
        mt_instance_rx(&bench.instance, 1, buffer, length, &stamp, NULL, bench.now);
    }
    assert_false(mt_instance_next_tx(&bench.instance, buffer, sizeof buffer, &tx));
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_DROPPED), MT_ANSWERS_MAX);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SENT_DELAY_RESP), 0);
}

static void ptp_instance_merges_and_counts_when_frames_are_not_drained(void **state)
{
    bench_init(&bench, 1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(8));
    bench_clear(&bench);
    for (unsigned i = 0; i < 4; i++) { /* 1 Sync a second, 1 Announce every two */
        bench.now = mt_mono_plus(bench.now, BENCH_S(1));
        mt_instance_tick(&bench.instance, bench.now);
    }
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 1);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 1);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_DROPPED), 3 + 1);
}

static void ptp_instance_sends_nothing_when_the_port_stopped_before_draining(void **state)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    const struct mt_command off = {.kind = MT_COMMAND_LINK, .port = 1};
    bench_init(&bench, 1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(8));
    bench.now = mt_mono_plus(bench.now, BENCH_S(2));
    mt_instance_tick(&bench.instance, bench.now);
    mt_instance_command(&bench.instance, &off, bench.now);
    assert_false(mt_instance_next_tx(&bench.instance, buffer, sizeof buffer, &tx));
}

/* ---- transmit timestamps of Syncs ------------------------------------------------------------ */

static void transmit_holding_stamps(void)
{
    bench_init(&bench, 1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(8));
    bench_clear(&bench);
    bench.holds_stamps = true;
}

static void ptp_instance_follows_up_only_what_has_a_timestamp_when_some_are_lost(void **state)
{
    transmit_holding_stamps();
    for (unsigned i = 0; i < 9; i++) {
        bench_pass(&bench, BENCH_S(1));
        const struct bench_frame *sync = bench_newest(&bench, 1, MT_PTP_SYNC, 0);
        const struct mt_stamp stamp = bench_stamp(&bench);
        mt_instance_tx_done(&bench.instance, sync->tx.token, i % 3 == 0 ? NULL : &stamp, bench.now);
        bench_drain(&bench);
        if (i % 3 != 0) {
            const struct bench_frame *follow_up = bench_newest(&bench, 1, MT_PTP_FOLLOW_UP, 0);
            assert_int_equal(follow_up->message.header.sequence, sync->message.header.sequence);
            assert_int_equal(follow_up->message.body.origin.s, stamp.at.s);
            assert_int_equal(follow_up->message.body.origin.ns, stamp.at.ns);
        }
    }
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 6);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 3);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_instance_gives_the_oldest_up_when_timestamps_never_come(void **state)
{
    transmit_holding_stamps();
    bench_pass(&bench, BENCH_S(20));
    size_t sent = bench_count(&bench, 1, MT_PTP_SYNC);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), sent - MT_SYNC_OUTSTANDING);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    const struct mt_stamp stamp = bench_stamp(&bench);
    const struct bench_frame *late = bench_newest(&bench, 1, MT_PTP_SYNC, MT_SYNC_OUTSTANDING);
    mt_instance_tx_done(&bench.instance, late->tx.token, &stamp, bench.now);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 1);
    late = bench_newest(&bench, 1, MT_PTP_SYNC, MT_SYNC_OUTSTANDING - 1);
    mt_instance_tx_done(&bench.instance, late->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_FOLLOW_UP, 0)->message.header.sequence,
                     late->message.header.sequence);
}

static void ptp_instance_ignores_the_timestamp_when_the_port_stopped_transmitting(void **state)
{
    transmit_holding_stamps();
    bench_pass(&bench, BENCH_S(1));
    uint32_t token = bench_newest(&bench, 1, MT_PTP_SYNC, 0)->tx.token;
    bench_link(&bench, 1, false);
    const struct mt_stamp stamp = bench_stamp(&bench);
    mt_instance_tx_done(&bench.instance, token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 1);
}

static void ptp_instance_never_uses_token_0_when_tokens_wrap(void **state)
{
    transmit_holding_stamps();
    bench.instance.last_token = MT_TOKEN_MAX - 2;
    bench_pass(&bench, BENCH_S(6));
    bool has_wrapped = false;
    for (size_t i = 0; i < bench_count(&bench, 1, MT_PTP_SYNC); i++) {
        uint32_t token = bench_newest(&bench, 1, MT_PTP_SYNC, i)->tx.token;
        assert_in_range(token, 1, MT_TOKEN_MAX);
        has_wrapped |= token == 1;
    }
    assert_true(has_wrapped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_instance_gives_equal_outputs_when_inputs_are_equal),
        cmocka_unit_test(ptp_instance_draws_other_times_when_the_seed_differs),
        cmocka_unit_test(ptp_instance_runs_when_it_has_the_most_ports),
        cmocka_unit_test(ptp_instance_drops_and_counts_when_the_buffer_is_too_small),
        cmocka_unit_test(ptp_instance_drops_all_answers_when_the_buffer_is_too_small),
        cmocka_unit_test(ptp_instance_merges_and_counts_when_frames_are_not_drained),
        cmocka_unit_test(ptp_instance_sends_nothing_when_the_port_stopped_before_draining),
        cmocka_unit_test(ptp_instance_follows_up_only_what_has_a_timestamp_when_some_are_lost),
        cmocka_unit_test(ptp_instance_gives_the_oldest_up_when_timestamps_never_come),
        cmocka_unit_test(ptp_instance_ignores_the_timestamp_when_the_port_stopped_transmitting),
        cmocka_unit_test(ptp_instance_never_uses_token_0_when_tokens_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
