/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a grantor gives to those of whom it knows no more than one request, whose address may be
 * another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unicast_bench.h"

#define CLIENT 20

static struct grantor_bench g;
static struct mt_address at;

static int begin(void **state)
{
    (void)state;
    grantor_init(&g);
    at = unicast_address(CLIENT);
    grantor_start(&g);
    g.grantor.policy.first_duration_s = 10;
    g.grantor.policy.one_way_duration_s = 60;
    bench_pass(&g.bench, BENCH_S(1));
    return 0;
}

static int end(void **state)
{
    (void)state;
    grantor_check(&g);
    return 0;
}

static uint32_t ask(enum mt_ptp_type message, uint32_t duration_s)
{
    return unicast_ask(&g.bench, CLIENT, &at, message, -4, duration_s);
}

static void delay_req(uint16_t sequence)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_DELAY_REQ,
                   .flags = MT_PTP_UNICAST,
                   .sequence = sequence,
                   .source = {bench_identity(CLIENT), 1}},
    };
    assert_int_equal(unicast_rx(&g.bench, &message, &at), MT_VERDICT_ACCEPTED);
}

static void grantor_sends_for_ten_seconds_when_nothing_more_is_heard(void **state)
{
    (void)state;
    assert_int_equal(ask(MT_PTP_SYNC, 1000), 10);
    assert_int_equal(ask(MT_PTP_SYNC, 1000), 10); /* in the same second: it proves nothing */
    assert_int_equal(ask(MT_PTP_DELAY_RESP, 7), 7);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(30));
    assert_in_range(g.grantor.books[MT_SERVICE_SYNC].sent, 155, 161);
    assert_int_equal(g.grantor.client_count, 0);
}

static void grantor_gives_a_minute_when_a_client_sends_no_delay_req(void **state)
{
    (void)state;
    assert_int_equal(ask(MT_PTP_SYNC, 1000), 10);
    for (unsigned i = 0; i < 20; i++) {
        bench_pass(&g.bench, BENCH_S(5));
        assert_int_equal(ask(MT_PTP_SYNC, 1000), 60);
    }
}

static void grantor_gives_what_is_asked_for_while_delay_reqs_come(void **state)
{
    (void)state;
    assert_int_equal(ask(MT_PTP_SYNC, 1000), 10);
    assert_int_equal(ask(MT_PTP_DELAY_RESP, 1000), 10);
    delay_req(1);
    bench_pass(&g.bench, BENCH_S(5));
    assert_int_equal(ask(MT_PTP_SYNC, 900), 900);
    bench_pass(&g.bench, BENCH_S(70)); /* none for long */
    assert_int_equal(ask(MT_PTP_SYNC, 900), 60);
}

static void grantor_begins_anew_when_a_client_was_forgotten(void **state)
{
    (void)state;
    ask(MT_PTP_SYNC, 1000);
    bench_pass(&g.bench, BENCH_S(5));
    assert_int_equal(ask(MT_PTP_SYNC, 30), 30);
    bench_pass(&g.bench, BENCH_S(40));
    assert_int_equal(ask(MT_PTP_SYNC, 1000), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(grantor_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends_for_ten_seconds_when_nothing_more_is_heard),
        TEST(gives_a_minute_when_a_client_sends_no_delay_req),
        TEST(gives_what_is_asked_for_while_delay_reqs_come),
        TEST(begins_anew_when_a_client_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
