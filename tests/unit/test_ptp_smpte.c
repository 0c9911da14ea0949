/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * SMPTE ST 2059-2 Synchronization Metadata: when it is sent and what it says; who is heard, and who
 * passes it on.  The bench's clock reads BENCH_EPOCH_S = 1000000 s of TAI plus the time passed:
 * 12 January 1970, 13:46:40; the UTC offset is 37 s.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_smpte.h"
#include "ptp_bench.h"

#define DAY_S        86400
#define MIDNIGHT_UTC (12 * INT64_C(86400) + 37) /* TAI of the next one */

static struct ptp_bench bench;
static struct mt_smpte smpte;
static struct mt_management management;
static struct mt_management_port managed[2];
static struct mt_instance_more more;

static void set_up(uint16_t port_count)
{
    bench_init(&bench, port_count);
    mt_smpte_init(&smpte);
    smpte.is_sent = true;
    more = (struct mt_instance_more){.smpte = &smpte};
    bench.config.more = &more;
    bench.config.time.utc_offset = 37;
    bench.config.time.flags = MT_PTP_TIMESCALE;
    for (unsigned i = 0; i < port_count; i++) {
        bench.port_configs[i].log_sync_interval = -3;
    }
}

static struct mt_tlv_smpte value_of(const struct mt_ptp_message *message)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    struct mt_tlv_smpte value;
    assert_true(mt_tlv_next(&tlvs, &length, &tlv));
    assert_true(mt_tlv_parse_smpte(&tlv, &value));
    assert_int_equal(length, 0);
    return value;
}

static struct mt_tlv_smpte newest(void)
{
    return value_of(&bench_newest(&bench, 1, MT_PTP_MANAGEMENT, 0)->message);
}

/* A grandmaster that has sent Syncs. */
static void serve(void)
{
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(30));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

/* ---- when it is sent ------------------------------------------------------------------------- */

static void ptp_smpte_sends_every_interval_when_it_is_grandmaster(void **state)
{
    set_up(1);
    serve();
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_in_range(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 9, 11);
    const struct mt_ptp_message *message = &bench_newest(&bench, 1, MT_PTP_MANAGEMENT, 0)->message;
    assert_int_equal(message->body.management.action, MT_ACTION_COMMAND);
    assert_int_equal(message->body.management.target.port, 0xFFFF);
    assert_int_equal(message->body.management.target.clock.octet[7], 0xFF);
    assert_int_equal(message->body.management.hops, MT_SMPTE_HOPS);
    assert_int_equal(message->header.sequence,
                     bench_newest(&bench, 1, MT_PTP_MANAGEMENT, 1)->message.header.sequence + 1);
    smpte.log_interval = -1;
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_in_range(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 19, 21);
    bench_check(&bench);
}

static void ptp_smpte_sends_nothing_when_it_follows(void **state)
{
    struct bench_peer peer;
    set_up(2);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_relay(&bench, &peer);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_clear(&bench);
    bench_announces(&bench, 1, &peer, 4);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_MANAGEMENT), 0);
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void ptp_smpte_tells_what_is_configured_when_it_is_grandmaster(void **state)
{
    set_up(1);
    smpte.rate_numerator = 25;
    smpte.rate_denominator = 1;
    smpte.time_address_flags = 1;
    smpte.offset_s = 3600;
    smpte.daylight_saving = true;
    smpte.daylight_saving_next = true;
    serve();
    struct mt_tlv_smpte value = newest();
    assert_int_equal(value.rate_numerator, 25);
    assert_int_equal(value.rate_denominator, 1);
    assert_int_equal(value.locking, MT_SMPTE_FREE_RUN);
    assert_int_equal(value.time_address_flags, 1);
    assert_int_equal(value.local_offset_s, 3600 - 37);
    assert_int_equal(value.jump_s, 0);
    assert_int_equal(value.next_jump_s, 0);
    assert_int_equal(value.next_jam_s, 0);
    assert_int_equal(value.daylight_saving, 3);
}

static void ptp_smpte_says_locked_when_the_class_does(void **state)
{
    set_up(1);
    bench.config.quality.clock_class = 6;
    serve();
    assert_int_equal(newest().locking, MT_SMPTE_LOCKED);
    smpte.locking = MT_SMPTE_WARM_LOCKING;
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(newest().locking, MT_SMPTE_WARM_LOCKING);
}

static void ptp_smpte_jumps_when_its_time_has_come(void **state)
{
    set_up(1);
    smpte.offset_s = 7200;
    smpte.jump_s = -3600;
    smpte.jump_at_s = BENCH_EPOCH_S + 40;
    smpte.daylight_saving = true;
    serve();
    assert_int_equal(newest().local_offset_s, 7200 - 37);
    assert_int_equal(newest().jump_s, -3600);
    assert_int_equal(newest().next_jump_s, BENCH_EPOCH_S + 40);
    assert_int_equal(newest().daylight_saving, 1);
    assert_int_equal(newest().leap_second_jump, 0);
    bench_pass(&bench, BENCH_S(12));
    assert_int_equal(newest().local_offset_s, 3600 - 37);
    assert_int_equal(newest().jump_s, 0);
    assert_int_equal(newest().daylight_saving, 0);
}

static void ptp_smpte_tells_of_a_leap_second_when_one_is_announced(void **state)
{
    set_up(1);
    bench.config.time.flags |= MT_PTP_LEAP_61;
    smpte.jump_s = 3600;
    smpte.jump_at_s = MIDNIGHT_UTC + 7200;
    serve();
    assert_int_equal(newest().jump_s, -1);
    assert_int_equal(newest().next_jump_s, MIDNIGHT_UTC + 1);
    assert_int_equal(newest().leap_second_jump, 1);
    smpte.jump_at_s = MIDNIGHT_UTC - 7200;
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(newest().jump_s, 3600);
    assert_int_equal(newest().leap_second_jump, 0);
}

static void ptp_smpte_tells_the_daily_jam_when_there_is_one(void **state)
{
    set_up(1);
    smpte.has_jam = true;
    smpte.jam_s = 2 * 3600;
    smpte.offset_s = 3600;
    serve();
    assert_int_equal(newest().next_jam_s, MIDNIGHT_UTC + 3600);
    assert_int_equal(newest().previous_jam_s, MIDNIGHT_UTC + 3600 - DAY_S);
    assert_int_equal(newest().previous_jam_offset_s, 3600 - 37);
    smpte.jam_s = 15 * 3600; /* 13:47 UTC is 14:47 there */
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(newest().next_jam_s, MIDNIGHT_UTC - 10 * 3600);
}

static void ptp_smpte_moves_the_jam_when_a_jump_comes_before_it(void **state)
{
    set_up(1);
    smpte.has_jam = true;
    smpte.jam_s = 4 * 3600;
    smpte.offset_s = 3600;
    smpte.jump_s = 3600;
    smpte.jump_at_s = MIDNIGHT_UTC + 3600;
    serve();
    assert_int_equal(newest().next_jam_s, MIDNIGHT_UTC + 2 * 3600);
    assert_int_equal(newest().previous_jam_s, MIDNIGHT_UTC + 3 * 3600 - DAY_S);
    smpte.jump_at_s = BENCH_EPOCH_S + 20; /* it has come: the last jam was by the old time */
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(newest().next_jam_s, MIDNIGHT_UTC + 2 * 3600);
    assert_int_equal(newest().previous_jam_s, MIDNIGHT_UTC + 3 * 3600 - DAY_S);
    assert_int_equal(newest().previous_jam_offset_s, 3600 - 37);
    assert_int_equal(newest().local_offset_s, 7200 - 37);
}

static void ptp_smpte_tells_no_times_when_it_has_none(void **state)
{
    set_up(1);
    bench.config.time.flags = 0;
    smpte.has_jam = true;
    smpte.jump_s = 3600;
    smpte.jump_at_s = MIDNIGHT_UTC;
    serve();
    assert_int_equal(newest().next_jam_s, 0);
    assert_int_equal(newest().jump_s, 0);
}

/* ---- who is heard ---------------------------------------------------------------------------- */

static enum mt_verdict hear(uint16_t port, uint8_t id)
{
    const struct mt_tlv_smpte value = {
        .rate_numerator = 24, .rate_denominator = 1, .locking = MT_SMPTE_LOCKED};
    uint8_t tlv[MT_TLV_SMPTE_SIZE];
    static uint16_t sequence;
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_MANAGEMENT,
                   .source = {.clock = bench_identity(id), .port = 1},
                   .sequence = sequence++,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.management = {.starting_hops = 3, .hops = 3, .action = MT_ACTION_COMMAND},
    };
    memset(&message.body.management.target, 0xFF, sizeof message.body.management.target);
    message.tlvs = tlv;
    message.tlvs_length = mt_tlv_write_smpte(&value, tlv, sizeof tlv);
    assert_int_equal(message.tlvs_length, MT_TLV_SMPTE_SIZE);
    return bench_rx(&bench, port, &message);
}

static void ptp_smpte_hears_when_it_is_of_the_grandmaster(void **state)
{
    struct bench_peer peer;
    struct mt_tlv_smpte value;
    set_up(1);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_follow(&bench, 1, &peer);
    (void)hear(1, 2);
    assert_false(mt_smpte_metadata(&bench.instance, &value));
    (void)hear(1, 1);
    assert_true(mt_smpte_metadata(&bench.instance, &value));
    assert_int_equal(value.rate_numerator, 24);
    assert_int_equal(smpte.received, 1);
    bench_announces(&bench, 1, &peer, 6); /* more than ten seconds */
    assert_false(mt_smpte_metadata(&bench.instance, &value));
}

static void ptp_smpte_passes_on_when_management_does(void **state)
{
    struct bench_peer peer;
    set_up(2);
    mt_management_init(&management, managed, 2);
    more.management = &management;
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_relay(&bench, &peer);
    bench_clear(&bench);
    assert_int_equal(hear(1, 1), MT_VERDICT_ACCEPTED);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_MANAGEMENT), 1);
    const struct mt_ptp_message *message = &bench_newest(&bench, 2, MT_PTP_MANAGEMENT, 0)->message;
    assert_int_equal(value_of(message).rate_numerator, 24);
    assert_int_equal(message->body.management.hops, 2);
    assert_int_equal(message->header.source.clock.octet[7], 1);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 0); /* and nobody answers */
    bench_check(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_smpte_sends_every_interval_when_it_is_grandmaster),
        cmocka_unit_test(ptp_smpte_sends_nothing_when_it_follows),
        cmocka_unit_test(ptp_smpte_tells_what_is_configured_when_it_is_grandmaster),
        cmocka_unit_test(ptp_smpte_says_locked_when_the_class_does),
        cmocka_unit_test(ptp_smpte_jumps_when_its_time_has_come),
        cmocka_unit_test(ptp_smpte_tells_of_a_leap_second_when_one_is_announced),
        cmocka_unit_test(ptp_smpte_tells_the_daily_jam_when_there_is_one),
        cmocka_unit_test(ptp_smpte_moves_the_jam_when_a_jump_comes_before_it),
        cmocka_unit_test(ptp_smpte_tells_no_times_when_it_has_none),
        cmocka_unit_test(ptp_smpte_hears_when_it_is_of_the_grandmaster),
        cmocka_unit_test(ptp_smpte_passes_on_when_management_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
