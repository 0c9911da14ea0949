/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an Announce says of time properties and of its path: read from a parent, configured for a
 * grandmaster, relayed by a boundary clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_tlv.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static int start_with(uint16_t ports)
{
    bench_init(&bench, ports);
    bench_start(&bench);
    peer_init(&peer, 1);
    return 0;
}

static int one_port(void **state)
{
    return start_with(1);
}

static int boundary_clock(void **state)
{
    start_with(2);
    bench_relay(&bench, &peer);
    return 0;
}

static const struct mt_ptp_message *next_announce(uint16_t port)
{
    return bench_relayed_announce(&bench, &peer, port);
}

/* ---- time properties ------------------------------------------------------------------------- */

static void ptp_announce_carries_the_configured_properties_when_grandmaster(void **state)
{
    const struct mt_time_properties time = {
        .utc_offset = 37,
        .flags =
            MT_PTP_UTC_OFFSET_VALID | MT_PTP_TIMESCALE | MT_PTP_TIME_TRACEABLE | MT_PTP_LEAP_61,
        .time_source = 0x20,
    };
    bench.config.time = time;
    bench.config.priority1 = 7;
    bench.config.priority2 = 9;
    bench.config.quality = (struct mt_clock_quality){6, 0x21, 0x4E5D};
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(9));
    const struct mt_ptp_message *announce = &bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message;
    const struct mt_ptp_announce *body = &announce->body.announce;
    assert_int_equal(announce->header.flags, time.flags);
    assert_int_equal(body->utc_offset, 37);
    assert_int_equal(body->time_source, 0x20);
    assert_int_equal(body->priority1, 7);
    assert_int_equal(body->priority2, 9);
    assert_int_equal(body->quality.clock_class, 6);
    assert_int_equal(body->quality.accuracy, 0x21);
    assert_int_equal(body->quality.variance, 0x4E5D);
    assert_int_equal(body->steps_removed, 0);
    assert_true(mt_clock_identity_equal(&body->grandmaster, &bench.config.identity));
    assert_int_equal(announce->header.log_interval, 1);
    assert_int_equal(announce->header.minor_version, 1);
}

static void ptp_announce_follows_the_command_when_properties_change(void **state)
{
    const struct mt_command command = {
        .kind = MT_COMMAND_TIME_PROPERTIES,
        .value.time = {.utc_offset = 38, .flags = MT_PTP_UTC_OFFSET_VALID, .time_source = 0x60},
    };
    bench_pass(&bench, BENCH_S(9));
    bench_clear(&bench);
    assert_true(bench_command(&bench, &command));
    bench_pass(&bench, BENCH_S(2));
    const struct mt_ptp_message *announce = &bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message;
    assert_int_equal(announce->body.announce.utc_offset, 38);
    assert_int_equal(announce->body.announce.time_source, 0x60);
    assert_int_equal(announce->header.flags, MT_PTP_UTC_OFFSET_VALID);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_TIME_PROPERTIES), 1);
}

static void ptp_announce_relays_the_parents_properties_when_boundary_clock(void **state)
{
    peer.flags = MT_PTP_UTC_OFFSET_VALID | MT_PTP_TIMESCALE | MT_PTP_LEAP_59 |
                 MT_PTP_FREQUENCY_TRACEABLE | MT_PTP_UNCERTAIN;
    peer.announce.utc_offset = 36;
    peer.announce.time_source = 0x20;
    peer.announce.priority2 = 77;
    bench_clear(&bench);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_TIME_PROPERTIES), 1);
    assert_int_equal(mt_instance_time_properties(&bench.instance)->utc_offset, 36);
    const struct mt_ptp_message *announce = next_announce(2);
    assert_int_equal(announce->header.flags, peer.flags);
    assert_int_equal(announce->body.announce.utc_offset, 36);
    assert_int_equal(announce->body.announce.time_source, 0x20);
    assert_int_equal(announce->body.announce.priority1, peer.announce.priority1);
    assert_int_equal(announce->body.announce.priority2, 77);
    assert_int_equal(announce->body.announce.steps_removed, 1);
    assert_true(
        mt_clock_identity_equal(&announce->body.announce.grandmaster, &peer.announce.grandmaster));
    assert_int_equal(announce->header.source.port, 2);
}

static void ptp_announce_does_not_relay_when_a_flag_is_reserved_or_of_the_sender(void **state)
{
    peer.flags = 0x0080 | MT_PTP_PROFILE_SPECIFIC_1 | MT_PTP_UNICAST | MT_PTP_TIMESCALE;
    assert_int_equal(next_announce(2)->header.flags, MT_PTP_TIMESCALE);
}

static uint16_t announced_flags_when_the_clock_shows(enum mt_clock_shows shows)
{
    const struct mt_command command = {.kind = MT_COMMAND_CLOCK, .value.clock.shows = shows};
    assert_true(bench_command(&bench, &command));
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(3));
    return bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message.header.flags;
}

/* An overlay takes over the timescale of whom it follows, and keeps it when that one is gone. */
static void ptp_announce_says_what_the_clock_shows_when_grandmaster(void **state)
{
    const uint16_t utc = MT_PTP_UTC_OFFSET_VALID | MT_PTP_LEAP_61 | MT_PTP_TIME_TRACEABLE;
    bench.config.time.flags = utc | MT_PTP_FREQUENCY_TRACEABLE;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(announced_flags_when_the_clock_shows(MT_CLOCK_SHOWS_PTP),
                     utc | MT_PTP_FREQUENCY_TRACEABLE | MT_PTP_TIMESCALE);
    assert_int_equal(announced_flags_when_the_clock_shows(MT_CLOCK_SHOWS_ARBITRARY),
                     MT_PTP_FREQUENCY_TRACEABLE);
    assert_int_equal(announced_flags_when_the_clock_shows(MT_CLOCK_SHOWS_CONFIGURED),
                     utc | MT_PTP_FREQUENCY_TRACEABLE);
}

/* ---- path trace ------------------------------------------------------------------------------ */

static uint8_t path_tlv[4 + 8 * (MT_PATH_MAX + 1)];

static void set_path(unsigned count, uint8_t first)
{
    unsigned value = count * 8;
    path_tlv[0] = 0;
    path_tlv[1] = MT_TLV_PATH_TRACE;
    path_tlv[2] = (uint8_t)(value >> 8);
    path_tlv[3] = (uint8_t)value;
    for (unsigned i = 0; i < count; i++) {
        const struct mt_clock_identity identity = bench_identity((uint8_t)(first + i));
        memcpy(path_tlv + 4 + 8 * i, identity.octet, 8);
    }
    peer.tlvs = path_tlv;
    peer.tlvs_length = 4 + value;
}

/* Compares the path of an Announce with `count` identities from `first` on, then the bench's. */
static void assert_path(const struct mt_ptp_message *announce, unsigned count, uint8_t first)
{
    struct mt_tlv tlv;
    assert_true(mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_PATH_TRACE, &tlv));
    assert_int_equal(mt_tlv_path_count(&tlv), count + 1);
    for (unsigned i = 0; i < count; i++) {
        const struct mt_clock_identity clock = bench_identity((uint8_t)(first + i));
        assert_true(mt_clock_identity_equal(mt_tlv_path_at(&tlv, i), &clock));
    }
    assert_true(mt_clock_identity_equal(mt_tlv_path_at(&tlv, count), &bench.config.identity));
}

static void ptp_announce_starts_the_path_when_grandmaster(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    assert_path(&bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message, 0, 0);
    bench.config.path = NULL;
    bench_start(&bench);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message.tlvs_length, 0);
}

static void ptp_announce_appends_itself_when_the_parent_has_a_path(void **state)
{
    set_path(3, 40);
    assert_path(next_announce(2), 3, 40);
    set_path(1, 50);
    assert_path(next_announce(2), 1, 50);
    peer.tlvs_length = 0;
    assert_path(next_announce(2), 0, 0);
}

static void ptp_announce_keeps_the_path_when_another_than_the_parent_announces(void **state)
{
    struct bench_peer other;
    set_path(2, 40);
    next_announce(2);
    struct bench_peer parent = peer;
    set_path(3, 60);
    other = peer;
    other.identity.clock = bench_identity(3);
    other.announce.priority1 = 200;
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench.path.count, 2);
    peer = parent;
    set_path(2, 40);
    assert_path(next_announce(2), 2, 40);
}

/* The path belongs to the parent: with a new one comes a new path, at once if its Announce made
 * it the parent, else with its next. */
static void ptp_announce_takes_the_path_when_its_announce_makes_the_parent(void **state)
{
    struct bench_peer other;
    set_path(2, 40);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench.path.count, 2);
    peer_init(&other, 3);
    other.announce.priority1 = 5;
    bench_announce(&bench, 1, &other);
    assert_int_equal(bench.path.count, 2);
    set_path(5, 60);
    other.tlvs = path_tlv;
    other.tlvs_length = peer.tlvs_length;
    bench_announce(&bench, 1, &other);
    assert_true(
        mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &other.identity));
    assert_int_equal(bench.path.count, 5);
}

static void ptp_announce_forgets_the_path_when_the_parent_is_gone(void **state)
{
    struct bench_peer second;
    peer_init(&second, 3);
    second.announce.priority1 = 20;
    set_path(2, 40);
    for (unsigned i = 0; i < 2; i++) {
        bench_announce(&bench, 1, &peer);
        bench_announce(&bench, 1, &second);
    }
    assert_int_equal(bench.path.count, 2);
    while (mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &peer.identity)) {
        bench_pass(&bench, BENCH_S(1));
        if (mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &peer.identity)) {
            bench_announce(&bench, 1, &second);
        }
    }
    assert_true(
        mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &second.identity));
    assert_int_equal(bench.path.count, 0);
    bench_link(&bench, 1, false);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    assert_int_equal(bench.path.count, 0);
}

static void ptp_announce_refuses_a_loop_when_the_path_holds_this_clock(void **state)
{
    uint64_t refused = bench_verdicts(&bench, 1, MT_VERDICT_PATH_LOOP);
    set_path(3, 7); /* 7, 8, 9: 8 is the bench */
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_PATH_LOOP);
    assert_int_equal(bench_verdicts(&bench, 1, MT_VERDICT_PATH_LOOP), refused + 1);
    for (unsigned i = 0; i < 4; i++) { /* and a parent that loops is no parent for long */
        bench_pass(&bench, BENCH_S(2));
        bench_announce(&bench, 1, &peer);
    }
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
}

/* 178 and this clock are 179, the most that a message holds; with one more no path is sent. */
static void ptp_announce_sends_no_path_when_it_would_be_too_long(void **state)
{
    struct mt_tlv tlv;
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    static const struct {
        uint16_t count;
        bool is_sent;
        size_t length;
    } cases[] = {{167, true, 64 + 4 + 168 * 8 + 88},
                 {168, true, 64 + 4 + 169 * 8},
                 {178, true, 1500},
                 {179, false, 64 + 88}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mt_ptp_message message;
        bench.path.count = cases[i].count;
        bench_announce(&bench, 1, &peer);
        bench.path.count = cases[i].count;
        bench.now = bench.ports[1].timers[MT_TIMER_ANNOUNCE];
        mt_instance_tick(&bench.instance, bench.now);
        do {
            assert_true(mt_instance_next_tx(&bench.instance, buffer, sizeof buffer, &tx));
            assert_int_equal(mt_ptp_parse(buffer, tx.length, &message), MT_VERDICT_ACCEPTED);
        } while (message.header.type != MT_PTP_ANNOUNCE);
        assert_int_equal(tx.length, cases[i].length);
        assert_int_equal(mt_tlv_find(message.tlvs, message.tlvs_length, MT_TLV_PATH_TRACE, &tlv),
                         cases[i].is_sent);
        bench_drain(&bench);
    }
}

static void ptp_announce_keeps_179_when_the_parents_path_has_more(void **state)
{
    set_path(MT_PATH_MAX, 9);
    for (unsigned i = 0; i < MT_PATH_MAX; i++) {
        path_tlv[4 + 8 * i + 1] = 0x77; /* none is the bench's */
    }
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench.path.count, MT_PATH_MAX);
}

#define ONE(test)      cmocka_unit_test_setup(ptp_announce_##test, one_port)
#define BOUNDARY(test) cmocka_unit_test_setup(ptp_announce_##test, boundary_clock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(carries_the_configured_properties_when_grandmaster),
        ONE(follows_the_command_when_properties_change),
        ONE(says_what_the_clock_shows_when_grandmaster),
        BOUNDARY(relays_the_parents_properties_when_boundary_clock),
        BOUNDARY(does_not_relay_when_a_flag_is_reserved_or_of_the_sender),
        ONE(starts_the_path_when_grandmaster),
        BOUNDARY(appends_itself_when_the_parent_has_a_path),
        BOUNDARY(keeps_the_path_when_another_than_the_parent_announces),
        BOUNDARY(takes_the_path_when_its_announce_makes_the_parent),
        BOUNDARY(forgets_the_path_when_the_parent_is_gone),
        BOUNDARY(refuses_a_loop_when_the_path_holds_this_clock),
        BOUNDARY(sends_no_path_when_it_would_be_too_long),
        BOUNDARY(keeps_179_when_the_parents_path_has_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
