/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the NTP client asks while nobody answers. */
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
    static const int64_t seconds[] = {1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64, 64, 64};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_client_asks_ever_less_when_nobody_has_ever_answered),
        cmocka_unit_test(ntp_client_does_not_hurry_when_its_interval_is_short_anyway),
        cmocka_unit_test(ntp_client_tries_again_soon_when_a_question_was_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
