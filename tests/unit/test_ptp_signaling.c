/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Signaling and the TLVs of Announces: intervals that neighbours ask for, what a boundary clock
 * passes on, alternate timescales.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "management_bench.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_peer.h"

/* ---- intervals ------------------------------------------------------------------------------- */

static const struct mt_port_identity this_port = {{{OWN}}, 1};

static enum mt_verdict ask_interval(const struct mt_port_identity *target, int link, int sync,
                                    int announce)
{
    const uint8_t value[] = {
        0x00, 0x80, 0xC2, 0, 0, 2, (uint8_t)link, (uint8_t)sync, (uint8_t)announce, 0, 0, 0};
    uint8_t tlv[32];
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING, .source = {bench_identity(STATION), 1}},
        .body.target = *target,
        .tlvs = tlv,
        .tlvs_length =
            mt_tlv_write(MT_TLV_ORGANIZATION_EXTENSION, value, sizeof value, tlv, sizeof tlv),
    };
    return bench_rx(&clock_.bench, 1, &message);
}

static void signaling_changes_no_interval_when_that_is_not_configured(void **state)
{
    (void)state;
    assert_int_equal(ask_interval(&everybody, -3, -3, -3), MT_VERDICT_UNSUPPORTED);
    assert_int_equal(clock_.bench.ports[0].config.log_sync_interval, 0);
    assert_int_equal(clock_.bench.ports[0].config.log_announce_interval, 1);
}

static void signaling_obeys_for_the_addressed_port_and_within_limits(void **state)
{
    (void)state;
    const struct mt_port_config *config = &clock_.bench.ports[0].config;
    struct mt_port_identity other = this_port;
    clock_.ports[0].obeys_intervals = true;
    assert_int_equal(ask_interval(&this_port, -128, -3, -128), MT_VERDICT_ACCEPTED);
    assert_int_equal(config->log_sync_interval, -3);
    assert_int_equal(config->log_announce_interval, 1);
    other.port = 2;
    ask_interval(&other, -128, -4, -4);
    other = this_port;
    other.clock.octet[7] ^= 1;
    ask_interval(&other, -128, -4, -4);
    assert_int_equal(config->log_sync_interval, -3);
    static const int refused[] = {-127, -8, 7, 22, 127};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ask_interval(&everybody, -128, refused[i], 0);
        assert_int_equal(config->log_sync_interval, -3);
        assert_int_equal(config->log_announce_interval, 0); /* the rest is obeyed */
        assert_int_equal(bench_counter(&clock_.bench, 1, MT_COUNT_INTERVAL_REFUSED), i + 1);
    }
    ask_interval(&everybody, -128, 126, 126);
    assert_int_equal(config->log_sync_interval, 0);
    assert_int_equal(config->log_announce_interval, 1);
}

static void signaling_goes_back_to_the_initial_pdelay_interval_when_asked_to(void **state)
{
    (void)state;
    static struct mt_peer peer;
    static struct mt_port_more more;
    struct mt_peer_config config;
    mt_peer_config_init(&config);
    config.log_request_interval = 1;
    mt_peer_init(&peer, &config);
    more = (struct mt_port_more){.peer = &peer, .security.spp = MT_SECURITY_OFF};
    clock_.bench.ports[0].config.more = &more;
    clock_.ports[0].obeys_intervals = true;
    ask_interval(&everybody, 126, -128, -128);
    assert_int_equal(peer.config.log_request_interval, 1);
    ask_interval(&everybody, -2, -128, -128);
    assert_int_equal(peer.config.log_request_interval, -2);
    ask_interval(&everybody, -128, -128, -128);
    assert_int_equal(peer.config.log_request_interval, -2);
    ask_interval(&everybody, 126, -128, -128);
    assert_int_equal(peer.config.log_request_interval, 1);
    clock_.bench.ports[0].config.more = NULL;
}

static void signaling_keeps_to_the_profile_when_another_pdelay_interval_is_asked_for(void **state)
{
    (void)state;
    static struct mt_peer peer;
    static struct mt_port_more more;
    struct mt_peer_config config;
    mt_peer_config_init(&config);
    mt_peer_init(&peer, &config);
    more = (struct mt_port_more){.peer = &peer, .security.spp = MT_SECURITY_OFF};
    clock_.bench.ports[0].config.more = &more;
    clock_.ports[0].obeys_intervals = true;
    clock_.management.limits[MT_LIMITED_LOG_PDELAY] = (struct mt_management_limit){true, 0, 5};
    ask_interval(&everybody, -3, -128, -128);
    assert_int_equal(peer.config.log_request_interval, 0);
    assert_int_equal(bench_counter(&clock_.bench, 1, MT_COUNT_INTERVAL_REFUSED), 1);
    ask_interval(&everybody, 2, -128, -128);
    assert_int_equal(peer.config.log_request_interval, 2);
    clock_.bench.ports[0].config.more = NULL;
}

static void signaling_keeps_sending_sync_whatever_is_asked(void **state)
{
    (void)state;
    clock_.ports[0].obeys_intervals = true;
    bench_pass(&clock_.bench, BENCH_S(12));
    assert_int_equal(bench_state(&clock_.bench, 1), MT_STATE_TRANSMITTER);
    for (int asked = -128; asked <= 127; asked++) {
        ask_interval(&everybody, asked, asked, asked);
    }
    ask_interval(&everybody, -128, 6, 6); /* the slowest, then the fastest, which comes at once */
    ask_interval(&everybody, -128, -7, -128);
    bench_clear(&clock_.bench);
    bench_pass(&clock_.bench, BENCH_S(1));
    assert_in_range(bench_count(&clock_.bench, 1, MT_PTP_SYNC), 127, 129);
}

/* ---- what is passed on ----------------------------------------------------------------------- */

static const uint8_t propagated[] = {0x40, 0x00, 0, 8, 0x11, 0x22, 0x33, 0, 0, 1, 0xAB, 0xCD};
static const uint8_t unknown[] = {0x5A, 0x5A, 0, 4, 1, 2, 3, 4};
static const uint8_t not_propagated[] = {0x80, 0x00, 0, 6, 0x11, 0x22, 0x33, 0, 0, 2};
static const uint8_t zone[] = {0, 9, 0, 20, 1, 0, 0, 0x0E, 0x10, 0,   0,   0,
                               0, 0, 0, 1,  2, 3, 4, 3,    'C',  'E', 'T', 0};

static bool contains(const struct mt_ptp_message *message, const uint8_t *tlv, size_t length)
{
    for (size_t at = 0; at + length <= message->tlvs_length; at++) {
        if (memcmp(message->tlvs + at, tlv, length) == 0) {
            return true;
        }
    }
    return false;
}

static void boundary_clock_passes_on_tlvs_that_say_so_when_they_are_the_parents(void **state)
{
    (void)state;
    struct bench_peer parent;
    uint8_t tlvs[64];
    size_t at = 0;
    begin(2);
    memcpy(tlvs + at, propagated, sizeof propagated);
    at += sizeof propagated;
    memcpy(tlvs + at, not_propagated, sizeof not_propagated);
    at += sizeof not_propagated;
    memcpy(tlvs + at, unknown, sizeof unknown);
    at += sizeof unknown;
    peer_init(&parent, 3);
    parent.tlvs = tlvs;
    parent.tlvs_length = at;
    bench_relay(&clock_.bench, &parent);
    const struct mt_ptp_message *announce = bench_relayed_announce(&clock_.bench, &parent, 2);
    assert_true(contains(announce, propagated, sizeof propagated));
    assert_true(contains(announce, unknown, sizeof unknown));
    assert_false(contains(announce, not_propagated, sizeof not_propagated));
    /* somebody else's */
    struct bench_peer other;
    peer_init(&other, 4);
    other.announce.priority1 = 200;
    other.tlvs = unknown;
    other.tlvs_length = sizeof unknown;
    parent.tlvs_length = sizeof propagated;
    bench_announce(&clock_.bench, 1, &parent);
    bench_announce(&clock_.bench, 1, &other);
    bench_clear(&clock_.bench);
    bench_pass(&clock_.bench, BENCH_S(2.1));
    announce = &bench_newest(&clock_.bench, 2, MT_PTP_ANNOUNCE, 0)->message;
    assert_true(contains(announce, propagated, sizeof propagated));
    assert_false(contains(announce, unknown, sizeof unknown));
}

static void boundary_clock_passes_on_alternate_timescales_until_it_has_no_parent(void **state)
{
    (void)state;
    struct bench_peer parent;
    begin(2);
    peer_init(&parent, 3);
    parent.tlvs = zone;
    parent.tlvs_length = sizeof zone;
    bench_relay(&clock_.bench, &parent);
    assert_true(contains(bench_relayed_announce(&clock_.bench, &parent, 2), zone, sizeof zone));
    assert_true(clock_.management.zones_heard[0].is_enabled);
    assert_int_equal(clock_.management.zones_heard[0].offset_s, 3600);
    assert_int_equal(clock_.management.zones_heard[0].next_jump_s, 0x01020304);
    assert_memory_equal(clock_.management.zones_heard[0].name, "CET", 3);
    bench_clear(&clock_.bench);
    bench_pass(&clock_.bench, BENCH_S(20));
    assert_int_equal(bench_state(&clock_.bench, 1), MT_STATE_TRANSMITTER);
    assert_false(
        contains(&bench_newest(&clock_.bench, 2, MT_PTP_ANNOUNCE, 0)->message, zone, sizeof zone));
    assert_false(clock_.management.zones_heard[0].is_enabled);
}

static void boundary_clock_leaves_out_what_is_too_much(void **state)
{
    (void)state;
    static uint8_t tlvs[4 * 404];
    struct bench_peer parent;
    begin(2);
    for (unsigned i = 0; i < 3; i++) {
        tlvs[i * 404] = 0x5A;
        tlvs[i * 404 + 2] = 400 >> 8;
        tlvs[i * 404 + 3] = 400 & 0xFF;
    }
    peer_init(&parent, 3);
    parent.tlvs = tlvs;
    parent.tlvs_length = 3 * 404;
    bench_relay(&clock_.bench, &parent);
    const struct mt_ptp_message *announce = bench_relayed_announce(&clock_.bench, &parent, 2);
    assert_in_range(announce->header.length, 64 + 404, 64 + 404 + 150);
    assert_true(clock_.management.not_relayed >= 2);
}

static void grandmaster_announces_its_alternate_timescales(void **state)
{
    (void)state;
    struct mt_zone *own = &clock_.management.zones[1];
    *own = (struct mt_zone){.is_enabled = true,
                            .offset_s = 3600,
                            .next_jump_s = 0x01020304,
                            .name_length = 3,
                            .name = "CET"};
    bench_pass(&clock_.bench, BENCH_S(12));
    assert_true(
        contains(&bench_newest(&clock_.bench, 1, MT_PTP_ANNOUNCE, 0)->message, zone, sizeof zone));
    own->is_enabled = false;
    bench_pass(&clock_.bench, BENCH_S(3));
    assert_false(
        contains(&bench_newest(&clock_.bench, 1, MT_PTP_ANNOUNCE, 0)->message, zone, sizeof zone));
}

/* ---- monitoring ------------------------------------------------------------------------------ */

static void receiver_tells_what_it_measures_when_it_is_monitored(void **state)
{
    (void)state;
    struct bench_peer parent;
    peer_init(&parent, 3);
    bench_follow(&clock_.bench, 1, &parent);
    bench_sync(&clock_.bench, 1, &parent, 1000, 0);
    assert_int_equal(bench_count(&clock_.bench, 1, MT_PTP_SIGNALING), 0);
    clock_.management.monitors = true;
    clock_.bench.instance.clock.offset.q16 = -3 * 65536;
    clock_.bench.instance.clock.mean_delay.q16 = 5 * 65536;
    parent.sync_sequence = 0x1234;
    bench_clear(&clock_.bench);
    bench_sync(&clock_.bench, 1, &parent, 1000, 0);
    const struct mt_ptp_message *message =
        &bench_newest(&clock_.bench, 1, MT_PTP_SIGNALING, 0)->message;
    const uint8_t *timing = message->tlvs;
    const uint8_t *computed = timing + 48;
    const uint8_t head[] = {0x80, 0x04, 0, 44, 0x02, 0, 0, 0xFF, 0xFE, 0, 0, 3, 0, 1, 0x12, 0x34};
    const uint8_t rest[] = {0x80, 0x05, 0, 34,   0x02, 0,    0,    0xFF, 0xFE, 0,    0,    3, 0,
                            1,    6,    0, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFD, 0, 0,
                            0,    0,    0, 0,    0,    5,    0,    0,    0,    0,    0,    0};
    assert_memory_equal(timing, head, sizeof head);
    assert_memory_equal(computed, rest, sizeof rest);
    /* the Sync left 1 us before it came; both are whole here */
    uint32_t sent_ns = (uint32_t)timing[22] << 24 | (uint32_t)timing[23] << 16 |
                       (uint32_t)timing[24] << 8 | timing[25];
    uint32_t came_ns = (uint32_t)timing[44] << 24 | (uint32_t)timing[45] << 16 |
                       (uint32_t)timing[46] << 8 | timing[47];
    assert_int_equal((1000000000u + came_ns - sent_ns) % 1000000000u, 1000);
    bench_clear(&clock_.bench);
    bench_pass(&clock_.bench, BENCH_S(2.1)); /* a Delay_Req leaves */
    message = &bench_newest(&clock_.bench, 1, MT_PTP_SIGNALING, 0)->message;
    assert_int_equal(message->tlvs_length, 28);
    const uint8_t departure[] = {0x80, 0x06, 0, 24, OWN, 0, 1, 1, 0};
    assert_memory_equal(message->tlvs, departure, sizeof departure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ONE(signaling_changes_no_interval_when_that_is_not_configured),
        ON_ONE(signaling_obeys_for_the_addressed_port_and_within_limits),
        ON_ONE(signaling_goes_back_to_the_initial_pdelay_interval_when_asked_to),
        ON_ONE(signaling_keeps_to_the_profile_when_another_pdelay_interval_is_asked_for),
        ON_ONE(signaling_keeps_sending_sync_whatever_is_asked),
        cmocka_unit_test(boundary_clock_passes_on_tlvs_that_say_so_when_they_are_the_parents),
        cmocka_unit_test(boundary_clock_passes_on_alternate_timescales_until_it_has_no_parent),
        cmocka_unit_test(boundary_clock_leaves_out_what_is_too_much),
        ON_ONE(grandmaster_announces_its_alternate_timescales),
        ON_ONE(receiver_tells_what_it_measures_when_it_is_monitored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
