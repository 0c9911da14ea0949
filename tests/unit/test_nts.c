/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTS: the client against the server of the same house, a question against one made by hand with
 * another implementation of AES-SIV, everything that somebody on the way may change,
 * refusals,
 * and who is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nts_bench.h"

#define SEEN_MAX 256

/* ---- exchanges ------------------------------------------------------------------------------- */

static void nts_client_asks_as_the_standard_has_it_when_it_holds_two_cookies(void **state)
{
    static const uint8_t header[] = {0x23, 0, 6, 32};
    static const uint8_t tag[] = {0x13, 0xE2, 0xAE, 0x10, 0x92, 0x8F, 0xEB, 0x7E,
                                  0xCC, 0x97, 0xEF, 0xDB, 0xDD, 0xD7, 0xE7, 0xEF};
    struct mt_nts_client nts;
    struct mt_nts_keys keys = {.aead = MT_AEAD_AES_SIV_CMAC_256};
    uint8_t random[MT_NTS_CLIENT_RANDOM];
    uint8_t cookie[100];
    uint8_t packet[MT_NTP_PACKET_MAX] = {0};
    struct mt_ntp_extension field;
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        cookie[i] = i;
        if (i < 32) {
            keys.c2s[i] = i;
        }
    }
    for (uint8_t i = 0; i < MT_NTS_CLIENT_RANDOM; i++) {
        random[i] = i < 32 ? (uint8_t)(64 + i) : (uint8_t)(i - 16);
    }
    memcpy(packet, header, sizeof header);
    for (uint8_t i = 0; i < 8; i++) {
        packet[40 + i] = (uint8_t)(200 + i);
    }
    mt_nts_client_init(&nts, &mt_crypto_nettle);
    mt_nts_client_set_keys(&nts, &keys);
    assert_true(mt_nts_client_add_cookie(&nts, cookie, sizeof cookie));
    assert_true(mt_nts_client_add_cookie(&nts, cookie, sizeof cookie));
    size_t length = nts.ops->sign(&nts, random, packet, MT_NTP_HEADER_SIZE, sizeof packet);
    assert_int_equal(length, 852);
    assert_int_equal(nts_bench_count(packet, length, MT_NTP_EXT_NTS_PLACEHOLDER), 6);
    assert_true(nts_bench_find(packet, length, MT_NTP_EXT_NTS_COOKIE, 0, &field));
    assert_memory_equal(field.value, cookie, sizeof cookie);
    assert_true(nts_bench_find(packet, length, MT_NTP_EXT_NTS_AUTHENTICATOR, 0, &field));
    assert_memory_equal(field.value + 4 + MT_NTS_NONCE_SIZE, tag, sizeof tag);
}

static void nts_client_is_answered_when_it_holds_cookies(void **state)
{
    static const enum mt_aead aeads[] = {MT_AEAD_AES_SIV_CMAC_256, MT_AEAD_AES_SIV_CMAC_512};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair self;
        struct mt_ntp_event event;
        nts_bench_open_pair(&self, aeads[i]);
        nts_bench_give_keys(&self, 5);
        assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
        assert_int_equal(nts_bench_placeholders(&self), 3);
        assert_int_equal(self.answer.length, self.tx.length);
        assert_int_equal(self.nts.count, MT_NTS_COOKIES);
        assert_true(mt_ntp_client_next_event(&self.client, &event));
        while (event.kind != MT_NTP_EVENT_SAMPLE) {
            assert_true(mt_ntp_client_next_event(&self.client, &event));
        }
        assert_true(event.sample.authenticated);
    }
}

static void nts_client_asks_nothing_when_it_holds_no_cookie(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_pair(&self, MT_AEAD_AES_SIV_CMAC_256);
    assert_true(mt_nts_client_needs_keys(&self.nts));
    assert_false(nts_bench_asks(&self));
    mt_nts_client_set_keys(&self.nts, &self.keys);
    assert_false(nts_bench_asks(&self));
    nts_bench_give_keys(&self, 1);
    mt_ntp_client_restart(&self.client, self.now);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
}

static void nts_client_spends_each_cookie_once_when_answers_are_lost(void **state)
{
    static uint8_t seen[SEEN_MAX][COOKIE_SIZE];
    struct pair self;
    struct mt_ntp_extension field;
    (void)state;
    nts_bench_open_default(&self);
    for (unsigned i = 0; i < SEEN_MAX; i++) {
        assert_true(nts_bench_asks(&self));
        assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
        assert_true(
            nts_bench_find(self.question, self.tx.length, MT_NTP_EXT_NTS_COOKIE, 0, &field));
        assert_int_equal(field.length, COOKIE_SIZE);
        memcpy(seen[i], field.value, COOKIE_SIZE);
        for (unsigned other = 0; other < i; other++) {
            assert_memory_not_equal(seen[i], seen[other], COOKIE_SIZE);
            /* not even the nonce is, or they could be told apart */
            assert_memory_not_equal(seen[i] + 4, seen[other] + 4, MT_NTS_NONCE_SIZE);
        }
        assert_int_equal(nts_bench_placeholders(&self), i % 6);
        if (i % 6 == 5) {
            assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
            assert_int_equal(self.nts.count, MT_NTS_COOKIES);
        }
    }
}

static void nts_client_wants_keys_when_all_its_cookies_are_spent(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    for (unsigned i = 0; i < MT_NTS_COOKIES; i++) {
        assert_false(mt_nts_client_needs_keys(&self.nts));
        assert_true(nts_bench_asks(&self));
    }
    assert_true(mt_nts_client_needs_keys(&self.nts));
    assert_false(nts_bench_asks(&self));
}

/* ---- what is changed on the way -------------------------------------------------------------- */

static bool is_answered(enum mt_ntp_outcome outcome)
{
    return outcome == MT_NTP_ANSWERED || outcome == MT_NTP_INTERLEAVED;
}

static void nts_server_seals_nothing_when_a_bit_of_the_question_is_changed(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    nts_bench_give_keys(&self, 7);
    assert_true(nts_bench_asks(&self));
    for (size_t bit = 0; bit < 8 * self.tx.length; bit++) {
        nts_bench_flip(self.question, bit);
        /* an identifier that swallows all the rest makes it a plain question */
        bool is_plain =
            is_answered(nts_bench_serve(&self)) && self.answer.length == MT_NTP_HEADER_SIZE;
        assert_true(is_plain || !is_answered(self.outcome));
        nts_bench_flip(self.question, bit);
    }
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
}

static void nts_server_tells_no_time_when_the_question_is_cut(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    nts_bench_give_keys(&self, 7);
    assert_true(nts_bench_asks(&self));
    for (size_t length = 0; length < self.tx.length; length++) {
        bool has_cookie = length > MT_NTP_HEADER_SIZE + 36;
        bool is_told = is_answered(nts_bench_serve_octets(&self, self.question, length));
        /* the header alone, or with the identifier, is a plain question */
        assert_true(!is_told || !has_cookie);
        if (is_told) {
            assert_true(self.answer.length == MT_NTP_HEADER_SIZE);
        }
    }
    self.server.requires_nts = true;
    for (size_t length = 0; length < self.tx.length; length++) {
        assert_false(is_answered(nts_bench_serve_octets(&self, self.question, length)));
    }
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
}

static void nts_client_believes_nothing_when_the_answer_is_changed_or_cut(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    nts_bench_give_keys(&self, 7);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
    for (size_t bit = 0; bit < 8 * self.answer.length; bit++) {
        nts_bench_flip(self.answer.octets, bit);
        assert_int_not_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
        assert_int_equal(self.nts.count, 6);
        nts_bench_flip(self.answer.octets, bit);
    }
    for (size_t length = 0; length < self.answer.length; length++) {
        assert_int_not_equal(nts_bench_hear(&self, self.answer.octets, length),
                             MT_NTP_VERDICT_USED);
    }
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(self.nts.count, MT_NTS_COOKIES);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_BOGUS);
}

static void nts_client_believes_nothing_when_the_answer_is_to_another_question(void **state)
{
    struct pair self;
    struct mt_ntp_answer first;
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
    first = self.answer;
    assert_true(nts_bench_asks(&self));
    uint64_t origin = 0;
    for (unsigned i = 0; i < 8; i++) {
        origin = origin << 8 | first.octets[24 + i];
    }
    self.client.current.asked = origin; /* as if the timestamp had been guessed */
    assert_int_equal(nts_bench_hear(&self, first.octets, first.length), MT_NTP_VERDICT_FORGED);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void nts_client_wants_keys_when_it_is_refused_and_nothing_else_comes(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
    nts_bench_forget(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_NTS_REFUSED);
    assert_int_equal(self.answer.length, MT_NTP_HEADER_SIZE + 4 + MT_NTS_UNIQUE_SIZE);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_NTS_REFUSED);
    assert_false(mt_nts_client_needs_keys(&self.nts));
    assert_false(nts_bench_asks(&self));
    assert_true(mt_nts_client_needs_keys(&self.nts));
    assert_int_equal(self.nts.refusals, 1);
    nts_bench_give_keys(&self, MT_NTS_COOKIES);
    mt_ntp_client_restart(&self.client, self.now);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
}

static void nts_client_keeps_its_keys_when_an_answer_follows_a_refusal(void **state)
{
    struct pair self;
    struct pair other;
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    other = self;
    other.server.nts = &other.guard;
    nts_bench_forget(&other);
    assert_int_equal(nts_bench_serve(&other), MT_NTP_NTS_REFUSED);
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
    assert_int_equal(nts_bench_hear(&self, other.answer.octets, other.answer.length),
                     MT_NTP_VERDICT_NTS_REFUSED);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
    assert_true(nts_bench_asks(&self)); /* of which the answer is lost */
    assert_true(nts_bench_asks(&self));
    assert_false(mt_nts_client_needs_keys(&self.nts));
    assert_int_equal(self.nts.refusals, 0);
}

static void nts_client_knows_keys_that_were_good_for_nothing_when_no_answer_came(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    assert_false(self.nts.has_answered);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
    assert_true(self.nts.has_answered);
    nts_bench_forget(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_NTS_REFUSED);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_NTS_REFUSED);
    assert_false(nts_bench_asks(&self));
    assert_true(self.nts.has_answered); /* they were good before */
    nts_bench_give_keys(&self, MT_NTS_COOKIES);
    assert_false(self.nts.has_answered);
    nts_bench_forget(&self);
    mt_ntp_client_restart(&self.client, self.now);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_NTS_REFUSED);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_NTS_REFUSED);
    assert_false(self.nts.has_answered);
}

static void nts_client_ignores_a_refusal_when_it_is_of_another_question(void **state)
{
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    nts_bench_forget(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_NTS_REFUSED);
    nts_bench_flip(self.answer.octets, 8 * (MT_NTP_HEADER_SIZE + 4));
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_FORGED);
    assert_true(nts_bench_asks(&self));
    assert_false(mt_nts_client_needs_keys(&self.nts));
}

static void nts_client_ignores_other_kisses_when_they_are_not_sealed(void **state)
{
    struct pair self;
    uint8_t *reference = self.answer.octets + 12;
    (void)state;
    nts_bench_open_default(&self);
    nts_bench_forget(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_NTS_REFUSED);
    memcpy(reference, "DENY", 4);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_FORGED);
    assert_false(self.client.is_refused);
}

/* ---- who is answered ------------------------------------------------------------------------- */

static void nts_server_is_silent_when_nts_is_required_and_not_spoken(void **state)
{
    static const struct mt_ntp_key key = {
        .id = 1, .kind = MT_NTP_KEY_AES128_CMAC, .length = 16, .octets = "0123456789abcdef"};
    static const struct mt_ntp_keys keys = {&mt_crypto_nettle, &key, 1};
    struct pair self;
    uint8_t packet[MT_NTP_HEADER_SIZE + MT_NTP_CODE_MAX];
    const struct mt_ntp_header header = {
        .version = 4, .mode = MT_NTP_MODE_CLIENT, .transmit = UINT64_C(0x1122334455667788)};
    (void)state;
    nts_bench_open_default(&self);
    self.server.keys = &keys;
    self.server.requires_nts = true;
    mt_ntp_write(&header, packet);
    assert_int_equal(nts_bench_serve_octets(&self, packet, MT_NTP_HEADER_SIZE),
                     MT_NTP_UNAUTHENTICATED);
    size_t code = mt_ntp_key_sign(&keys, &key, packet, MT_NTP_HEADER_SIZE, sizeof packet);
    size_t length = MT_NTP_HEADER_SIZE + code;
    assert_int_equal(nts_bench_serve_octets(&self, packet, length), MT_NTP_UNAUTHENTICATED);
    self.server.requires_key = true; /* either will do */
    assert_int_equal(nts_bench_serve_octets(&self, packet, length), MT_NTP_ANSWERED);
    assert_int_equal(nts_bench_serve_octets(&self, packet, MT_NTP_HEADER_SIZE),
                     MT_NTP_UNAUTHENTICATED);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
}

static void nts_server_seals_its_kiss_when_a_client_asks_too_often(void **state)
{
    struct pair self;
    struct mt_ntp_limited places[8];
    (void)state;
    nts_bench_open_default(&self);
    mt_ntp_limit_init(&self.worker.limit, places, 8, 3, 1, 1);
    assert_int_equal(nts_bench_exchange(&self), MT_NTP_VERDICT_USED);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_RATE_SAID);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_KISS);
    assert_memory_equal(self.client.kiss, "RATE", 4);
    assert_int_equal(self.nts.count, MT_NTS_COOKIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_client_asks_as_the_standard_has_it_when_it_holds_two_cookies),
        cmocka_unit_test(nts_client_is_answered_when_it_holds_cookies),
        cmocka_unit_test(nts_client_asks_nothing_when_it_holds_no_cookie),
        cmocka_unit_test(nts_client_spends_each_cookie_once_when_answers_are_lost),
        cmocka_unit_test(nts_client_wants_keys_when_all_its_cookies_are_spent),
        cmocka_unit_test(nts_server_seals_nothing_when_a_bit_of_the_question_is_changed),
        cmocka_unit_test(nts_server_tells_no_time_when_the_question_is_cut),
        cmocka_unit_test(nts_client_believes_nothing_when_the_answer_is_changed_or_cut),
        cmocka_unit_test(nts_client_believes_nothing_when_the_answer_is_to_another_question),
        cmocka_unit_test(nts_client_wants_keys_when_it_is_refused_and_nothing_else_comes),
        cmocka_unit_test(nts_client_keeps_its_keys_when_an_answer_follows_a_refusal),
        cmocka_unit_test(nts_client_knows_keys_that_were_good_for_nothing_when_no_answer_came),
        cmocka_unit_test(nts_client_ignores_a_refusal_when_it_is_of_another_question),
        cmocka_unit_test(nts_client_ignores_other_kisses_when_they_are_not_sealed),
        cmocka_unit_test(nts_server_is_silent_when_nts_is_required_and_not_spoken),
        cmocka_unit_test(nts_server_seals_its_kiss_when_a_client_asks_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
