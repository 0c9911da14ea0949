/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The table of a requester set by management while it runs: whom it leaves, whom it keeps, whom it
 * asks.  Transmitters grant whatever they are asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "management_bench.h"
#include "unicast_bench.h"

#define CAPACITY       4
#define ENTRY(last)    0, 1, 0, 4, 192, 0, 2, (last)
#define SET_TABLE(...) set_table((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static struct ptp_bench *const bench = &clock_.bench;
static struct mt_port_more more;
static struct mt_requester requester;
static struct mt_unicast_transmitter table[CAPACITY];
static size_t seen;

/* ---- transmitters ---------------------------------------------------------------------------- */

static void answer_frame(const struct bench_frame *frame)
{
    struct bench_frame copy = *frame; /* its TLVs lie in it */
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    struct mt_unicast_word grants[MT_UNICAST_TLVS];
    size_t granted = 0;
    copy.message.tlvs = copy.octets + (frame->message.tlvs - frame->octets);
    size_t count = unicast_words(&copy, words);
    for (size_t i = 0; i < count; i++) {
        if (words[i].type == MT_TLV_REQUEST_UNICAST_TRANSMISSION) {
            grants[granted] = words[i];
            grants[granted++].type = MT_TLV_GRANT_UNICAST_TRANSMISSION;
        }
    }
    if (granted > 0) {
        unicast_say(bench, copy.tx.to.octets[3], &copy.tx.to, grants, granted);
    }
}

static void answer_all(void)
{
    for (; seen < bench->frame_count; seen++) {
        if (bench->frames[seen].tx.destination == MT_TO_ADDRESS &&
            bench->frames[seen].message.header.type == MT_PTP_SIGNALING) {
            answer_frame(&bench->frames[seen]);
        }
    }
}

static enum mt_verdict announce(uint8_t id)
{
    struct bench_peer peer;
    static uint16_t sequence;
    const struct mt_address address = unicast_address(id);
    peer_init(&peer, id);
    peer.announce.priority1 = id;
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE,
                   .flags = MT_PTP_UNICAST,
                   .sequence = sequence++,
                   .source = peer.identity},
        .body.announce = peer.announce,
    };
    return unicast_rx(bench, &message, &address);
}

/* Transmitters 1 and 2 have granted, and 1 is followed. */
static int begin_following(void **state)
{
    (void)state;
    memset(table, 0, sizeof table);
    memset(&more, 0, sizeof more);
    begin(1);
    bench->config.is_receiver_only = true;
    bench->port_configs[0].more = &more;
    bench->port_configs[0].log_announce_interval = 0;
    table[0].address = unicast_address(1);
    table[1].address = unicast_address(2);
    mt_requester_init(&requester, table, 2, true, 300);
    requester.capacity = CAPACITY;
    more.requester = &requester;
    bench_start(bench);
    for (unsigned i = 0; i < 4; i++) {
        seen = i == 0 ? 0 : seen;
        answer_all();
        announce(1);
        announce(2);
        bench_pass(bench, BENCH_S(0.5));
    }
    answer_all();
    assert_int_equal(requester.selected, 0);
    assert_true(table[0].services[MT_SERVICE_SYNC].is_granted);
    return 0;
}

static void set_table(const uint8_t *data, size_t length)
{
    set(MT_ID_UNICAST_MASTER_TABLE, data, length, &local_writer);
    seen = 0;
}

/* How many words of a kind have been sent to this transmitter. */
static size_t said(uint8_t id, enum mt_tlv_type type)
{
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    const struct mt_address address = unicast_address(id);
    size_t found = 0;
    for (size_t i = 0; i < bench->frame_count; i++) {
        const struct bench_frame *frame = &bench->frames[i];
        size_t count = 0;
        if (frame->message.header.type == MT_PTP_SIGNALING &&
            mt_address_equal(&frame->tx.to, &address)) {
            count = unicast_words(frame, words);
        }
        for (size_t word = 0; word < count; word++) {
            found += words[word].type == type;
        }
    }
    return found;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void requester_asks_the_new_at_once_when_its_table_is_set(void **state)
{
    (void)state;
    SET_TABLE(0, 0, 2, ENTRY(9), ENTRY(6), 0);
    assert_int_equal(said(9, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
    assert_int_equal(said(6, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
    assert_true(bench_state(bench, 1) < MT_STATE_UNCALIBRATED);
    assert_int_equal(announce(1), MT_VERDICT_NOT_ACCEPTABLE);
    answer_all();
    for (unsigned i = 0; i < 4; i++) {
        announce(6);
        bench_pass(bench, BENCH_S(0.5));
    }
    assert_int_equal(requester.selected, 1);
    assert_true(said(6, MT_TLV_REQUEST_UNICAST_TRANSMISSION) >= 3); /* Sync and Delay_Resp, too */
}

static void requester_cancels_what_it_leaves_when_its_table_is_set(void **state)
{
    (void)state;
    SET_TABLE(0, 0, 1, ENTRY(9), 0);
    assert_int_equal(said(1, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 3);
    assert_int_equal(said(2, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 1);
    bench_clear(bench);
    bench_pass(bench, BENCH_S(60));
    assert_int_equal(said(1, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(1, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 0);
}

static void requester_keeps_its_grants_when_they_are_in_the_new_table(void **state)
{
    (void)state;
    SET_TABLE(0, 0, 3, ENTRY(2), ENTRY(9), ENTRY(1), 0);
    assert_int_equal(said(1, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(1, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(2, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(9, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
    assert_int_equal(requester.selected, 2);
    assert_true(table[2].services[MT_SERVICE_SYNC].is_granted);
    assert_true(table[0].services[MT_SERVICE_ANNOUNCE].is_granted);
}

/* That of whoever announced himself last would be anybody's. */
static void requester_gives_all_the_same_priority_when_its_table_is_set(void **state)
{
    (void)state;
    table[0].local_priority = 7;
    announce(1);
    requester.local_priority = 100;
    SET_TABLE(0, 0, 2, ENTRY(1), ENTRY(9), 0);
    assert_int_equal(table[0].local_priority, 100);
    assert_int_equal(table[1].local_priority, 100);
}

/* the storage is exactly as long as the new table: nothing is written beyond it */
static void requester_leaves_in_silence_when_the_new_table_is_full(void **state)
{
    (void)state;
    requester.capacity = 3;
    table[3].address = unicast_address(77);
    SET_TABLE(0, 0, 3, ENTRY(7), ENTRY(6), ENTRY(5), 0);
    assert_int_equal(said(1, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(7, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
    assert_int_equal(table[3].address.octets[3], 77);
    SET_TABLE(0, 0, 0, 0);
    assert_int_equal(requester.count, 0);
    assert_int_equal(said(5, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 1);
    assert_int_equal(announce(5), MT_VERDICT_NOT_ACCEPTABLE);
}

static void requester_waits_for_the_query_interval_when_nobody_answers(void **state)
{
    (void)state;
    SET_TABLE(3, 0, 1, ENTRY(9), 0);
    bench_clear(bench);
    bench_pass(bench, BENCH_S(7));
    assert_int_equal(said(9, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 0);
    bench_pass(bench, BENCH_S(4));
    assert_int_equal(said(9, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
}

static void requester_keeps_the_table_that_was_set_when_the_link_comes_back(void **state)
{
    (void)state;
    SET_TABLE(0, 0, 1, ENTRY(9), 0);
    bench_link(bench, 1, false);
    bench_clear(bench);
    bench_link(bench, 1, true);
    bench_pass(bench, BENCH_S(1));
    assert_int_equal(said(9, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 1);
    assert_int_equal(said(1, MT_TLV_REQUEST_UNICAST_TRANSMISSION), 0);
    assert_int_equal(said(1, MT_TLV_CANCEL_UNICAST_TRANSMISSION), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin_following)
        TEST(requester_asks_the_new_at_once_when_its_table_is_set),
        TEST(requester_cancels_what_it_leaves_when_its_table_is_set),
        TEST(requester_keeps_its_grants_when_they_are_in_the_new_table),
        TEST(requester_gives_all_the_same_priority_when_its_table_is_set),
        TEST(requester_leaves_in_silence_when_the_new_table_is_full),
        TEST(requester_waits_for_the_query_interval_when_nobody_answers),
        TEST(requester_keeps_the_table_that_was_set_when_the_link_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
