/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A port of a boundary clock that asks for unicast service and serves others: the same message may
 * be for both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unicast_bench.h"

#define CLIENT 20

static struct grantor_bench g;
static struct mt_requester requester;
static struct mt_unicast_transmitter transmitter;
static struct mt_instance_more of_all;
static struct mt_address at;

static int begin(void **state)
{
    (void)state;
    grantor_init(&g);
    mt_requester_init(&requester, &transmitter, 1, true, 60);
    of_all = (struct mt_instance_more){.idle_grantors = 0};
    g.more.requester = &requester;
    g.bench.config.more = &of_all;
    at = unicast_address(CLIENT);
    grantor_start(&g);
    return 0;
}

/* Nobody is served, so the grantor rests. */
static void unicast_port_serves_when_not_all_of_a_message_is_for_its_grantor(void **state)
{
    (void)state;
    const struct mt_unicast_word words[] = {
        unicast_word(MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0),
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 60),
    };
    assert_int_not_equal(of_all.idle_grantors, 0);
    unicast_say(&g.bench, CLIENT, &at, words, 2);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].granted, 1);
    assert_int_equal(unicast_count(&g.bench, MT_PTP_SIGNALING, &at), 1);
    bench_pass(&g.bench, BENCH_S(10));
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 9, 10);
    grantor_check(&g);
}

/* Whom it asks it serves as well: to one station goes one sequence. */
static void unicast_port_numbers_its_signaling_to_a_station_whatever_it_says(void **state)
{
    (void)state;
    uint16_t sequence = 0;
    transmitter.address = at;
    for (unsigned i = 0; i < 20; i++) {
        bench_pass(&g.bench, BENCH_S(1));
        unicast_ask(&g.bench, CLIENT, &at, MT_PTP_ANNOUNCE, 1, 60);
    }
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        if (g.bench.frames[i].message.header.type == MT_PTP_SIGNALING) {
            assert_int_equal(g.bench.frames[i].message.header.sequence, sequence);
            sequence++;
        }
    }
    assert_true(requester.book.asked > 1);
    assert_true(sequence > 20);
    transmitter.address.network = MT_NETWORK_NONE;
}

/* Of what has been sent to the client. */
static uint16_t newest_sequence(enum mt_ptp_type type)
{
    for (size_t i = g.bench.frame_count; i-- > 0;) {
        const struct bench_frame *frame = &g.bench.frames[i];
        if (frame->message.header.type == type && frame->tx.destination == MT_TO_ADDRESS) {
            return frame->message.header.sequence;
        }
    }
    fail_msg("nothing was sent");
    return 0;
}

/* Who verifies messages takes numbers from elsewhere for old ones. */
static void unicast_port_goes_on_with_its_numbers_when_asked_for_a_service_again(void **state)
{
    (void)state;
    const struct mt_unicast_word cancel =
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0);
    unicast_ask(&g.bench, CLIENT, &at, MT_PTP_ANNOUNCE, 0, 60);
    unicast_ask(&g.bench, CLIENT, &at, MT_PTP_SYNC, -2, 60);
    bench_pass(&g.bench, BENCH_S(3));
    unicast_say(&g.bench, CLIENT, &at, &cancel, 1);
    uint16_t last = newest_sequence(MT_PTP_FOLLOW_UP);
    bench_pass(&g.bench, BENCH_S(2));
    unicast_ask(&g.bench, CLIENT, &at, MT_PTP_SYNC, -2, 60);
    size_t sent = unicast_count(&g.bench, MT_PTP_FOLLOW_UP, &at);
    bench_pass(&g.bench, BENCH_S(3));
    sent = unicast_count(&g.bench, MT_PTP_FOLLOW_UP, &at) - sent;
    assert_in_range(sent, 11, 13);
    assert_int_equal(newest_sequence(MT_PTP_FOLLOW_UP), (uint16_t)(last + sent));
    grantor_check(&g);
}

/* Cancellations that were sent, all with these flags; their number. */
static unsigned cancelled_with(uint8_t flags)
{
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    unsigned found = 0;
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        const struct bench_frame *frame = &g.bench.frames[i];
        size_t count =
            frame->message.header.type == MT_PTP_SIGNALING ? unicast_words(frame, words) : 0;
        for (size_t word = 0; word < count; word++) {
            if (words[word].type == MT_TLV_CANCEL_UNICAST_TRANSMISSION) {
                assert_int_equal(words[word].value.flags, flags);
                found++;
            }
        }
    }
    return found;
}

/* The client cancels Announces with these flags; true if it goes on serving, and is not served any
 * more, else it is the other way round.  Then it is served again. */
static bool cancel_announces(uint8_t flags)
{
    struct mt_unicast_word words[] = {
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 0),
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 60),
    };
    words[0].value.flags = flags;
    unicast_say(&g.bench, CLIENT, &at, words, 1);
    bool is_granted = transmitter.services[MT_SERVICE_ANNOUNCE].is_granted;
    bool is_served = g.grantor.books[MT_SERVICE_ANNOUNCE].active == 1;
    assert_true(is_granted != is_served);
    unicast_say(&g.bench, CLIENT, &at, &words[1], 1);
    return is_granted;
}

/* Who begins to follow a station that it has served goes on asking it, and the other way round. */
static void unicast_port_ends_one_contract_alone_when_there_are_two(void **state)
{
    (void)state;
    const struct mt_unicast_word request =
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 60);
    const struct mt_unicast_word grants[] = {
        unicast_word(MT_TLV_GRANT_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 60),
        unicast_word(MT_TLV_GRANT_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 60),
    };
    struct bench_peer better;
    peer_init(&better, CLIENT);
    transmitter.address = at;
    unicast_say(&g.bench, CLIENT, &at, &request, 1);
    unicast_say(&g.bench, CLIENT, &at, &grants[0], 1);
    assert_true(cancel_announces(2) && !cancel_announces(1)); /* as the other station says it */
    bench_pass(&g.bench, BENCH_S(6)); /* it is asked again, and heard again */
    unicast_say(&g.bench, CLIENT, &at, &grants[0], 1);
    bench_clear(&g.bench);
    for (unsigned i = 0; i < 4; i++) {
        const struct mt_ptp_message announce = {
            .header = {.type = MT_PTP_ANNOUNCE,
                       .flags = MT_PTP_UNICAST,
                       .sequence = better.announce_sequence++,
                       .source = better.identity},
            .body.announce = better.announce,
        };
        unicast_rx(&g.bench, &announce, &at);
        bench_pass(&g.bench, BENCH_S(1));
    }
    assert_int_equal(bench_state(&g.bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(cancelled_with(1), 1); /* maintainRequest: of the other's Announces */
    assert_int_equal(g.grantor.books[MT_SERVICE_ANNOUNCE].withdrawn, 1);
    unicast_say(&g.bench, CLIENT, &at, &grants[1], 1);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(20)); /* it announces nothing any more */
    assert_int_equal(bench_state(&g.bench, 1), MT_STATE_TRANSMITTER);
    assert_in_range(cancelled_with(2), 1, 2); /* maintainGrant; of Sync, of Delay_Resp */
    transmitter.address.network = MT_NETWORK_NONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unicast_port_serves_when_not_all_of_a_message_is_for_its_grantor,
                               begin),
        cmocka_unit_test_setup(unicast_port_goes_on_with_its_numbers_when_asked_for_a_service_again,
                               begin),
        cmocka_unit_test_setup(unicast_port_ends_one_contract_alone_when_there_are_two, begin),
        cmocka_unit_test_setup(unicast_port_numbers_its_signaling_to_a_station_whatever_it_says,
                               begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
