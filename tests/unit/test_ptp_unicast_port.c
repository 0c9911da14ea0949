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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unicast_port_serves_when_not_all_of_a_message_is_for_its_grantor,
                               begin),
        cmocka_unit_test_setup(unicast_port_numbers_its_signaling_to_a_station_whatever_it_says,
                               begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
