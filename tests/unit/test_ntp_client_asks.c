/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the NTP client asks while nobody answers, or nobody says what time it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ntp_client.h"

#define S_NS INT64_C(1000000000)

static void start(struct mt_ntp_client *client)
{
    struct mt_ntp_client_config config;
    mt_ntp_client_config_init(&config);
    mt_ntp_client_init(client, &config, (struct mt_mono){S_NS});
}

/* Asks when it is due, and says when that was. */
static int64_t ask(struct mt_ntp_client *client)
{
    static const uint8_t random[MT_NTP_RANDOM_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t packet[MT_NTP_HEADER_SIZE];
    struct mt_ntp_tx tx;
    struct mt_mono due = mt_ntp_client_deadline(client);
    assert_true(due.ns != MT_MONO_NEVER.ns);
    mt_ntp_client_tick(client, due);
    assert_true(mt_ntp_client_next_tx(client, random, packet, sizeof packet, &tx));
    return due.ns;
}

static void ntp_client_asks_ever_less_when_nobody_has_ever_answered(void **state)
{
    static const int64_t seconds[] = {1,  1,  1,   1,   1,   2,    4,    8,   16,
                                      32, 64, 128, 256, 512, 1024, 1024, 1024};
    struct mt_ntp_client client;
    start(&client);
    int64_t before_ns = ask(&client);
    for (unsigned i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        int64_t now_ns = ask(&client);
        assert_in_range(now_ns - before_ns, seconds[i] * S_NS / 64 * 63, seconds[i] * S_NS);
        before_ns = now_ns;
    }
}

static void ntp_client_does_not_hurry_when_its_interval_is_short_anyway(void **state)
{
    struct mt_ntp_client client;
    struct mt_ntp_client_config config;
    mt_ntp_client_config_init(&config);
    config.min_poll = -3;
    config.max_poll = -3;
    mt_ntp_client_init(&client, &config, (struct mt_mono){S_NS});
    for (unsigned i = 0; i < 20; i++) {
        (void)ask(&client);
        assert_int_equal(mt_ntp_client_interval_ns(&client), S_NS / 8);
    }
}

static void ntp_client_tries_again_soon_when_a_question_was_not_sent(void **state)
{
    struct mt_ntp_client client;
    start(&client);
    for (unsigned i = 0; i < 20; i++) {
        int64_t asked_ns = ask(&client);
        mt_ntp_client_unsent(&client);
        assert_in_range(mt_ntp_client_deadline(&client).ns - asked_ns, 0, S_NS);
    }
    assert_int_equal(client.asked, 0);
    assert_int_equal(client.reach, 0);
}

/* ---- answers without time -------------------------------------------------------------------- */

/* Asks, and is answered at once. */
static enum mt_ntp_verdict is_told(struct mt_ntp_client *client, const struct mt_ntp_header *like)
{
    const struct mt_stamp arrival = {.at = {.s = INT64_C(1800000000), .scale = MT_SCALE_UTC}};
    struct mt_ntp_header answer = *like;
    uint8_t packet[MT_NTP_HEADER_SIZE];
    struct mt_mono now = {ask(client)};
    answer.version = MT_NTP_VERSION;
    answer.mode = MT_NTP_MODE_SERVER;
    answer.origin = client->current.asked;
    answer.receive = answer.transmit = mt_ntp_from_instant(&arrival.at);
    mt_ntp_write(&answer, packet);
    return mt_ntp_client_rx(client, packet, sizeof packet, &arrival, now);
}

static unsigned count_events(struct mt_ntp_client *client, enum mt_ntp_event_kind kind)
{
    struct mt_ntp_event event;
    unsigned count = 0;
    while (mt_ntp_client_next_event(client, &event)) {
        count += event.kind == kind;
    }
    return count;
}

static void ntp_client_asks_again_within_a_while_when_it_is_told_to_slow_down_for_ever(void **state)
{
    const struct mt_ntp_header rate = {.reference_id = {'R', 'A', 'T', 'E'}};
    struct mt_ntp_client client;
    start(&client);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(is_told(&client, &rate), MT_NTP_VERDICT_KISS);
    }
    assert_int_equal(mt_ntp_client_interval_ns(&client), 1024 * S_NS);
    mt_ntp_client_set_poll(&client, 6);
    assert_int_equal(mt_ntp_client_interval_ns(&client), 1024 * S_NS);
}

static void ntp_client_says_so_when_the_server_has_no_time_any_more(void **state)
{
    const struct mt_ntp_header good = {.stratum = 1};
    const struct mt_ntp_header none = {.leap = MT_NTP_LEAP_UNKNOWN};
    struct mt_ntp_client client;
    start(&client);
    assert_int_equal(is_told(&client, &good), MT_NTP_VERDICT_USED);
    assert_int_equal(count_events(&client, MT_NTP_EVENT_REACHABLE), 1);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(is_told(&client, &none), MT_NTP_VERDICT_NOT_SYNCHRONISED);
        assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), 0);
    }
    (void)is_told(&client, &none);
    assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), 1);
    (void)is_told(&client, &none);
    assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), 0);
    assert_int_equal(is_told(&client, &good), MT_NTP_VERDICT_USED);
    assert_int_equal(count_events(&client, MT_NTP_EVENT_REACHABLE), 1);
}

static struct mt_interval next_error(struct mt_ntp_client *client)
{
    struct mt_ntp_event event;
    while (mt_ntp_client_next_event(client, &event)) {
        if (event.kind == MT_NTP_EVENT_SAMPLE) {
            return event.sample.reference_bound;
        }
    }
    fail_msg("no sample");
    return (struct mt_interval){-1};
}

static void ntp_client_knows_no_error_against_utc_when_the_server_follows_nothing(void **state)
{
    const struct mt_ntp_header own = {.stratum = 5, .reference_id = {127, 127, 1, 1}};
    const struct mt_ntp_header good = {.stratum = 5, .reference_id = {10, 0, 0, 1}};
    struct mt_ntp_client client;
    start(&client);
    assert_int_equal(is_told(&client, &own), MT_NTP_VERDICT_USED);
    assert_true(mt_interval_is_too_large(next_error(&client)));
    (void)count_events(&client, MT_NTP_EVENT_SAMPLE);
    assert_int_equal(is_told(&client, &good), MT_NTP_VERDICT_USED);
    assert_int_equal(next_error(&client).q16, 0);
}

/* ---- silence --------------------------------------------------------------------------------- */

static void ntp_client_says_once_that_nobody_answers_and_once_that_somebody_does(void **state)
{
    const struct mt_ntp_header good = {.stratum = 1};
    struct mt_ntp_client client;
    start(&client);
    for (unsigned i = 0; i < 40; i++) {
        (void)ask(&client);
        assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), i == 8);
    }
    assert_int_equal(client.poll, client.config.max_poll);
    assert_int_equal(is_told(&client, &good), MT_NTP_VERDICT_USED);
    assert_int_equal(count_events(&client, MT_NTP_EVENT_REACHABLE), 1);
    assert_int_equal(client.poll, client.config.min_poll);
    assert_true(mt_ntp_client_interval_ns(&client) <= S_NS); /* as at the start */
    for (unsigned i = 0; i < 40; i++) {
        (void)ask(&client);
        assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), i == 7);
    }
    assert_int_equal(client.poll, client.config.max_poll);
}

static void ntp_client_does_not_ask_less_when_questions_could_not_be_sent(void **state)
{
    struct mt_ntp_client client;
    start(&client);
    for (unsigned i = 0; i < 40; i++) {
        (void)ask(&client);
        mt_ntp_client_unsent(&client);
        assert_int_equal(count_events(&client, MT_NTP_EVENT_UNREACHABLE), 0);
    }
    assert_int_equal(client.poll, client.config.min_poll);
}

static void ntp_client_does_not_ask_less_when_it_is_answered_without_time(void **state)
{
    const struct mt_ntp_header none = {.leap = MT_NTP_LEAP_UNKNOWN};
    struct mt_ntp_client client;
    start(&client);
    for (unsigned i = 0; i < 40; i++) {
        (void)is_told(&client, &none);
    }
    assert_int_equal(client.poll, client.config.min_poll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_client_asks_ever_less_when_nobody_has_ever_answered),
        cmocka_unit_test(ntp_client_does_not_hurry_when_its_interval_is_short_anyway),
        cmocka_unit_test(ntp_client_tries_again_soon_when_a_question_was_not_sent),
        cmocka_unit_test(
            ntp_client_asks_again_within_a_while_when_it_is_told_to_slow_down_for_ever),
        cmocka_unit_test(ntp_client_says_so_when_the_server_has_no_time_any_more),
        cmocka_unit_test(ntp_client_knows_no_error_against_utc_when_the_server_follows_nothing),
        cmocka_unit_test(ntp_client_says_once_that_nobody_answers_and_once_that_somebody_does),
        cmocka_unit_test(ntp_client_does_not_ask_less_when_questions_could_not_be_sent),
        cmocka_unit_test(ntp_client_does_not_ask_less_when_it_is_answered_without_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
