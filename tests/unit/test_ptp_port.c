/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Ports over time: timeouts and their random part, what a transmitter sends, the way to
 * TRANSMITTER, the gate of a boundary clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static void prepare(uint16_t ports)
{
    bench_init(&bench, ports);
    peer_init(&peer, 1);
}

static int one_port(void **state)
{
    prepare(1);
    bench_start(&bench);
    return 0;
}

static int two_ports(void **state)
{
    prepare(2);
    bench_start(&bench);
    return 0;
}

/* Passes `intervals` of 2 s, the peer announcing at the start of each. */
static void announce_for(unsigned intervals)
{
    for (unsigned i = 0; i < intervals; i++) {
        bench_announce(&bench, 1, &peer);
        bench_pass(&bench, BENCH_S(2));
    }
}

static bool is_grandmaster(void)
{
    return mt_clock_identity_equal(&mt_instance_parent(&bench.instance)->grandmaster,
                                   &bench.config.identity);
}

/* ---- announce receipt timeout ---------------------------------------------------------------- */

/* (3 + U(0, 1]) x 2 s, each seed another */
static void ptp_port_times_out_at_random_when_nobody_announces(void **state)
{
    int64_t least_ns = INT64_MAX;
    int64_t most_ns = 0;
    int64_t sum_ns = 0;
    for (unsigned seed = 0; seed < 1000; seed++) {
        prepare(1);
        bench.seed = seed;
        bench_start(&bench);
        int64_t timeout_ns = mt_instance_deadline(&bench.instance).ns - bench.now.ns;
        least_ns = timeout_ns < least_ns ? timeout_ns : least_ns;
        most_ns = timeout_ns > most_ns ? timeout_ns : most_ns;
        sum_ns += timeout_ns;
    }
    assert_in_range(least_ns, BENCH_S(6) + 1, BENCH_S(6.02));
    assert_in_range(most_ns, BENCH_S(7.98), BENCH_S(8));
    assert_in_range(sum_ns / 1000, BENCH_S(6.93), BENCH_S(7.07));
}

static void ptp_port_times_out_by_its_own_interval_when_configured(void **state)
{
    prepare(1);
    bench.port_configs[0].log_announce_interval = -2;
    bench.port_configs[0].announce_receipt_timeout = 7;
    bench_start(&bench);
    assert_in_range(mt_instance_deadline(&bench.instance).ns - bench.now.ns, BENCH_S(1.75) + 1,
                    BENCH_S(2));
}

static void ptp_port_becomes_transmitter_when_nobody_announces(void **state)
{
    bench_pass(&bench, BENCH_S(6));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(bench.frame_count, 0);
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 1);
}

/* Only what qualifies counts; the rest does not keep the port waiting. */
static void ptp_port_times_out_when_only_unqualified_ones_announce(void **state)
{
    for (uint8_t id = 20; id < 36; id++) {
        struct bench_peer once;
        peer_init(&once, id);
        bench_announce(&bench, 1, &once);
        bench_pass(&bench, BENCH_S(0.5));
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_port_waits_on_when_its_parent_announces(void **state)
{
    bench_follow(&bench, 1, &peer);
    for (unsigned i = 0; i < 20; i++) {
        bench_pass(&bench, BENCH_S(6));
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 0);
    bench_pass(&bench, BENCH_S(6));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_port_times_out_when_another_than_the_parent_announces(void **state)
{
    struct bench_peer other;
    peer_init(&other, 2);
    other.announce.priority1 = 200; /* worse than this clock */
    bench_follow(&bench, 1, &peer);
    for (unsigned i = 0; i < 4; i++) {
        bench_pass(&bench, BENCH_S(2));
        bench_announce(&bench, 1, &other);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 1);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

/* ---- what a transmitter sends ---------------------------------------------------------------- */

static void ptp_port_announces_at_once_and_periodically_when_transmitter(void **state)
{
    prepare(1);
    bench.port_configs[0].log_announce_interval = 0;
    bench.port_configs[0].log_sync_interval = -3;
    bench.config.domain = 44;
    bench.config.sdo_id = 0x2A7;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(4));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    const struct bench_frame *first = &bench.frames[0];
    assert_int_equal(first->message.header.type, MT_PTP_ANNOUNCE);
    int64_t begin_ns = bench.events[bench.event_count - 1].at.ns;
    assert_int_equal(first->at.ns, begin_ns);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 10);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 80);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 80);
    assert_int_equal(bench.frame_count, 170);
    for (size_t i = 0; i < bench.frame_count; i++) {
        const struct mt_ptp_header *header = &bench.frames[i].message.header;
        bool is_sync = header->type == MT_PTP_SYNC;
        assert_int_equal((bench.frames[i].at.ns - begin_ns) %
                             BENCH_S(header->type == MT_PTP_ANNOUNCE ? 1 : 0.125),
                         0);
        assert_int_equal(header->domain, 44);
        assert_int_equal(header->sdo_id, 0x2A7);
        assert_int_equal(header->log_interval, header->type == MT_PTP_ANNOUNCE ? 0 : -3);
        assert_int_equal(bench.frames[i].tx.is_event, is_sync);
        assert_int_equal(bench.frames[i].tx.token != 0, is_sync);
        assert_int_equal(bench.frames[i].tx.destination, MT_TO_ALL);
        assert_int_equal((header->flags & MT_PTP_TWO_STEP) != 0, is_sync);
    }
}

static void ptp_port_numbers_its_messages_when_it_sends(void **state)
{
    bench_pass(&bench, BENCH_S(20));
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_FOLLOW_UP};
    for (unsigned i = 0; i < 3; i++) {
        size_t count = bench_count(&bench, 1, types[i]);
        assert_true(count > 5);
        for (size_t back = 0; back < count; back++) {
            assert_int_equal(bench_newest(&bench, 1, types[i], back)->message.header.sequence,
                             count - 1 - back);
        }
    }
}

static void ptp_port_sends_once_when_time_has_leapt(void **state)
{
    bench_pass(&bench, BENCH_S(8));
    bench_clear(&bench);
    bench.now = mt_mono_plus(bench.now, BENCH_S(100));
    mt_instance_tick(&bench.instance, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 1);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 1);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_DROPPED), 0);
    assert_true(mt_instance_deadline(&bench.instance).ns > bench.now.ns);
}

static void ptp_port_sends_the_old_minor_version_when_configured(void **state)
{
    prepare(1);
    bench.config.minor_version = 0;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(9));
    assert_true(bench.frame_count > 0);
    for (size_t i = 0; i < bench.frame_count; i++) {
        assert_int_equal(bench.frames[i].message.header.minor_version, 0);
    }
}

/* ---- PRE_TRANSMITTER and the gate ------------------------------------------------------------ */

/* The moment at which port 2 begins to serve, in announce intervals after it began to wait. */
static void assert_qualification(uint16_t steps_removed)
{
    two_ports(NULL);
    peer.announce.steps_removed = steps_removed;
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 0);
    while (bench_state(&bench, 2) != MT_STATE_PRE_TRANSMITTER) {
        bench_pass(&bench, BENCH_S(0.01));
        if (bench.now.ns % BENCH_S(2) == 0) {
            bench_announce(&bench, 1, &peer);
        }
    }
    int64_t expected_ns = bench.ports[1].timers[MT_TIMER_QUALIFICATION].ns;
    int64_t waits_ns = BENCH_S(2) * (steps_removed + 2);
    assert_in_range(expected_ns - bench.now.ns, waits_ns - BENCH_S(0.02), waits_ns);
    assert_int_equal(bench.frame_count, bench_count(&bench, 1, MT_PTP_DELAY_REQ));
    while (bench.now.ns < expected_ns) {
        assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
        bench_announce(&bench, 1, &peer);
        int64_t step_ns = expected_ns - bench.now.ns;
        bench_pass(&bench, step_ns < BENCH_S(2) ? step_ns : BENCH_S(2));
        bench_clear(&bench);
    }
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

/* (stepsRemoved + 1) announce intervals; the parent's stepsRemoved is one less than ours */
static void ptp_port_qualifies_when_steps_and_one_intervals_have_passed(void **state)
{
    static const uint16_t steps[] = {0, 1, 5, 100};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_qualification(steps[i]);
    }
}

static void ptp_port_serves_nothing_when_the_clock_was_never_calibrated(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, false, 10); /* a fine bound does not help the first time */
    announce_for(20);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
    assert_int_equal(bench.frame_count, bench_count(&bench, 1, MT_PTP_DELAY_REQ));
    bench_clock(&bench, true, 10);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

/* Brings port 1 to RECEIVER and port 2 to TRANSMITTER. */
static void calibrate(void)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 1000);
    announce_for(8);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_clear(&bench);
}

/* At its start a boundary clock may hear its old receiver before it hears its grandmaster. */
static void ptp_port_serves_nothing_when_a_worse_clock_is_heard_first(void **state)
{
    struct bench_peer worse;
    peer_init(&worse, 200);
    worse.announce.priority1 = 200;
    for (unsigned i = 0; i < 3; i++) {
        bench_announce(&bench, 2, &worse);
        bench_pass(&bench, BENCH_S(0.5));
    }
    assert_int_equal(bench_state(&bench, 2), MT_STATE_LISTENING);
    bench_follow(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
}

static void ptp_port_serves_its_own_time_when_only_a_worse_clock_is_heard(void **state)
{
    struct bench_peer worse;
    peer_init(&worse, 200);
    worse.announce.priority1 = 200;
    bench_announces(&bench, 2, &worse, 5);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

static void ptp_port_goes_on_serving_when_the_bound_stays_small(void **state)
{
    calibrate();
    int64_t limit_ns = mt_interval_to_ns(bench.config.serve_bound);
    bench_clock(&bench, false, limit_ns);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    announce_for(1);
    assert_int_equal(bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message.header.flags,
                     MT_PTP_UNCERTAIN);
}

static void ptp_port_stops_serving_when_the_bound_grows_or_is_lost(void **state)
{
    static const int64_t bounds_ns[] = {50001, -1};
    for (unsigned i = 0; i < 2; i++) {
        two_ports(state);
        calibrate();
        bench_clock(&bench, false, bounds_ns[i]);
        assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
        announce_for(4);
        assert_int_equal(bench.frame_count, bench_count(&bench, 1, MT_PTP_DELAY_REQ));
        bench_clock(&bench, true, 1000);
        assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    }
}

/* Time that was lost and is back has to qualify again. */
static void ptp_port_waits_again_when_time_was_lost_for_a_moment(void **state)
{
    calibrate();
    bench_clock(&bench, false, -1);
    bench_clock(&bench, true, 1000);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    bench_announce(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(3.9));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    bench_pass(&bench, BENCH_S(0.1));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

/* The lock was against the parent before; until there is one against the new, time is uncertain. */
static void ptp_port_says_uncertain_when_the_parent_has_just_changed(void **state)
{
    struct bench_peer other;
    peer_init(&other, 2);
    other.announce = peer.announce;
    peer.announce.steps_removed = 2; /* the other one is nearer to the same grandmaster */
    calibrate();
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message.header.flags,
                     MT_PTP_UNCERTAIN);
}

/* What was known of the clock's error was against the old one. */
static void ptp_port_serves_nothing_when_the_grandmaster_is_another(void **state)
{
    struct bench_peer other;
    peer_init(&other, 2);
    other.announce.priority1 = 5;
    calibrate();
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(1));
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
    bench_clock(&bench, false, 1000); /* measured against the new one */
    bench_pass(&bench, BENCH_S(4));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

/* Between two that are traceable it can still be told, if they say how well. */
static void ptp_port_goes_on_serving_when_both_grandmasters_are_traceable(void **state)
{
    struct bench_peer other;
    peer.flags = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    peer.announce.quality.accuracy = 0x23; /* 1 us */
    peer_init(&other, 2);
    other.flags = peer.flags;
    other.announce.quality.accuracy = 0x20; /* 25 ns */
    other.announce.priority1 = 5;
    calibrate();
    const int64_t before_ns = mt_interval_to_ns(bench.instance.clock.bound);
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(mt_interval_to_ns(bench.instance.clock.bound), before_ns + 1000 + 25);
}

static void ptp_port_serves_when_locked_whatever_the_bound(void **state)
{
    calibrate();
    bench_clock(&bench, true, -1);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

static void ptp_port_serves_and_says_uncertain_when_configured(void **state)
{
    prepare(2);
    bench.config.serves_uncertain = true;
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
    announce_for(8);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_true(bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message.header.flags &
                MT_PTP_UNCERTAIN);
    bench_clock(&bench, true, 1000);
    announce_for(1);
    assert_false(bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message.header.flags &
                 MT_PTP_UNCERTAIN);
}

static void ptp_port_stops_at_once_when_a_grandmaster_finds_a_better_one(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_true(is_grandmaster());
    bench_follow(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    bench_clear(&bench);
    announce_for(4);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 0);
}

static void ptp_port_serves_its_own_time_when_the_parent_is_gone(void **state)
{
    calibrate();
    bench_pass(&bench, BENCH_S(8));
    assert_true(is_grandmaster());
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_newest_event(&bench, MT_EVENT_PARENT)->port, 0);
    bench_pass(&bench, BENCH_S(2));
    const struct mt_ptp_message *announce = &bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message;
    assert_int_equal(announce->body.announce.steps_removed, 0);
    assert_int_equal(announce->header.flags & MT_PTP_UNCERTAIN, 0);
}

/* That another port has just begun to listen is no reason to stay with a parent that is gone. */
static void ptp_port_serves_its_own_time_when_the_parent_is_gone_and_another_listens(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(5));
    bench_link(&bench, 2, false);
    bench_link(&bench, 2, true);
    bench_pass(&bench, BENCH_S(3));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_LISTENING);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

/* ---- states that the clock brings ------------------------------------------------------------ */

static void ptp_port_is_uncalibrated_again_when_the_parent_changes(void **state)
{
    struct bench_peer other;
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 100);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    peer_init(&other, 2);
    other.announce.priority1 = 5;
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_newest_event(&bench, MT_EVENT_PARENT)->port, 1);
    bench_announce(&bench, 1, &other);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_port_stays_receiver_when_only_the_grandmaster_changes(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 100);
    bench_clear(&bench);
    peer.announce.grandmaster = bench_identity(77);
    peer.announce.steps_removed = 3;
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench.event_count, 1);
    const struct mt_event *event = bench_newest_event(&bench, MT_EVENT_REFERENCE);
    assert_int_equal(event->port, 1);
    assert_false(event->value.parent.is_same_reference);
    assert_int_equal(mt_instance_parent(&bench.instance)->steps_removed, 4);
    assert_true(mt_clock_identity_equal(&mt_instance_parent(&bench.instance)->grandmaster,
                                        &peer.announce.grandmaster));
}

static void ptp_port_merges_states_when_they_are_not_drained(void **state)
{
    struct mt_event event;
    const struct mt_command off = {.kind = MT_COMMAND_LINK, .port = 1};
    const struct mt_command on = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = true};
    bench_clear(&bench);
    mt_instance_command(&bench.instance, &off, bench.now);
    mt_instance_command(&bench.instance, &on, bench.now);
    assert_false(mt_instance_next_event(&bench.instance, &event));
    mt_instance_command(&bench.instance, &off, bench.now);
    assert_true(mt_instance_next_event(&bench.instance, &event));
    assert_int_equal(event.kind, MT_EVENT_STATE);
    assert_int_equal(event.value.state.from, MT_STATE_LISTENING);
    assert_int_equal(event.value.state.to, MT_STATE_FAULTY);
    assert_false(mt_instance_next_event(&bench.instance, &event));
}

/* With so short a timeout its last two Announces still qualify it. */
static void ptp_port_forgets_the_silent_one_when_it_times_out_early(void **state)
{
    struct bench_peer silent;
    prepare(1);
    bench.port_configs[0].announce_receipt_timeout = 2;
    bench_start(&bench);
    peer_init(&silent, 1);
    bench_follow(&bench, 1, &silent);
    bench_pass(&bench, BENCH_S(6));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_port_keeps_its_phase_when_a_tick_comes_late(void **state)
{
    bench_pass(&bench, BENCH_S(12));
    const int64_t *sync_ns = &bench.ports[0].timers[MT_TIMER_SYNC].ns;
    const int64_t due_ns = *sync_ns;
    mt_instance_tick(&bench.instance, (struct mt_mono){due_ns + BENCH_S(0.3)});
    assert_int_equal(*sync_ns, due_ns + BENCH_S(1));
    mt_instance_tick(&bench.instance, (struct mt_mono){due_ns + BENCH_S(3.3)});
    assert_int_equal(*sync_ns, due_ns + BENCH_S(4.3));
}

static void ptp_port_runs_no_stopped_timer_when_time_is_at_its_end(void **state)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    bench_link(&bench, 1, false);
    mt_instance_tick(&bench.instance, MT_MONO_NEVER);
    assert_false(mt_instance_next_tx(&bench.instance, buffer, sizeof buffer, &tx));
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 0);
}

#define ONE(test) cmocka_unit_test_setup(ptp_port_##test, one_port)
#define TWO(test) cmocka_unit_test_setup(ptp_port_##test, two_ports)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(forgets_the_silent_one_when_it_times_out_early),
        ONE(keeps_its_phase_when_a_tick_comes_late),
        ONE(runs_no_stopped_timer_when_time_is_at_its_end),
        ONE(times_out_at_random_when_nobody_announces),
        ONE(times_out_by_its_own_interval_when_configured),
        ONE(becomes_transmitter_when_nobody_announces),
        ONE(times_out_when_only_unqualified_ones_announce),
        ONE(waits_on_when_its_parent_announces),
        ONE(times_out_when_another_than_the_parent_announces),
        ONE(announces_at_once_and_periodically_when_transmitter),
        ONE(numbers_its_messages_when_it_sends),
        ONE(sends_once_when_time_has_leapt),
        ONE(sends_the_old_minor_version_when_configured),
        TWO(qualifies_when_steps_and_one_intervals_have_passed),
        TWO(serves_nothing_when_the_clock_was_never_calibrated),
        TWO(serves_nothing_when_a_worse_clock_is_heard_first),
        TWO(serves_its_own_time_when_only_a_worse_clock_is_heard),
        TWO(goes_on_serving_when_the_bound_stays_small),
        TWO(stops_serving_when_the_bound_grows_or_is_lost),
        TWO(waits_again_when_time_was_lost_for_a_moment),
        TWO(says_uncertain_when_the_parent_has_just_changed),
        TWO(serves_nothing_when_the_grandmaster_is_another),
        TWO(goes_on_serving_when_both_grandmasters_are_traceable),
        TWO(serves_when_locked_whatever_the_bound),
        TWO(serves_and_says_uncertain_when_configured),
        TWO(stops_at_once_when_a_grandmaster_finds_a_better_one),
        TWO(serves_its_own_time_when_the_parent_is_gone),
        TWO(serves_its_own_time_when_the_parent_is_gone_and_another_listens),
        ONE(is_uncalibrated_again_when_the_parent_changes),
        ONE(stays_receiver_when_only_the_grandmaster_changes),
        ONE(merges_states_when_they_are_not_drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
