/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The cookies of NTS: the client's jar, the server's ring, and what has broken others: cookies of
 * no length, cookies without end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nts_bench.h"

#define UNIQUE_FIELD       (4 + MT_NTS_UNIQUE_SIZE)
#define AUTHENTICATOR_HEAD (4 + 4 + MT_NTS_NONCE_SIZE) /* before what is sealed */

/* ---- cookies --------------------------------------------------------------------------------- */

static void nts_jar_takes_no_cookie_when_it_is_full_or_the_cookie_is_odd(void **state)
{
    static const uint8_t octets[MT_NTS_COOKIE_MAX + 4];
    static const size_t wrong[] = {0, 4, 8, 13, 14, 15, 101, MT_NTS_COOKIE_MAX + 4};
    struct pair self;
    (void)state;
    nts_bench_open_pair(&self, MT_AEAD_AES_SIV_CMAC_256);
    mt_nts_client_set_keys(&self.nts, &self.keys);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(mt_nts_client_add_cookie(&self.nts, octets, wrong[i]));
    }
    for (unsigned i = 0; i < MT_NTS_COOKIES; i++) {
        assert_true(mt_nts_client_add_cookie(&self.nts, octets, MT_NTS_COOKIE_MAX - 4 * i));
    }
    assert_false(mt_nts_client_add_cookie(&self.nts, octets, 100));
    assert_int_equal(self.nts.count, MT_NTS_COOKIES);
}

/* Appends an authenticator, with `plain` in it, to `at` octets; the new length. */
static size_t seal(const struct pair *self, const uint8_t *key, const uint8_t *plain, size_t length,
                   uint8_t *packet, size_t at)
{
    const uint8_t nonce[MT_NTS_NONCE_SIZE] = {1};
    const struct mt_piece associated[] = {{packet, at}, {nonce, sizeof nonce}};
    const struct mt_piece piece = {plain, length};
    size_t sealed = length + MT_AEAD_TAG;
    size_t size = AUTHENTICATOR_HEAD + (sealed + 3) / 4 * 4;
    const uint8_t head[] = {4,
                            4,
                            (uint8_t)(size >> 8),
                            (uint8_t)size,
                            0,
                            MT_NTS_NONCE_SIZE,
                            (uint8_t)(sealed >> 8),
                            (uint8_t)sealed};
    memset(packet + at, 0, size);
    memcpy(packet + at, head, sizeof head);
    memcpy(packet + at + 8, nonce, sizeof nonce);
    assert_true(mt_crypto_nettle.seal(self->keys.aead, key, 32, associated, 2, &piece,
                                      packet + at + AUTHENTICATOR_HEAD));
    return at + size;
}

/* The octets of an answer with `plain` sealed in it. */
static size_t answer_with(struct pair *self, const uint8_t *plain, size_t length)
{
    size_t at = MT_NTP_HEADER_SIZE + UNIQUE_FIELD;
    assert_true(at + AUTHENTICATOR_HEAD + MT_AEAD_TAG + length + 3 <= sizeof self->answer.octets);
    return seal(self, self->keys.s2c, plain, length, self->answer.octets, at);
}

static void nts_client_keeps_eight_cookies_when_a_server_sends_more(void **state)
{
    struct pair self;
    uint8_t plain[40 * 16];
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
    for (size_t i = 0; i < sizeof plain; i += 16) {
        mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, plain, 12, 16, plain + i, 16);
    }
    self.answer.length = answer_with(&self, plain, sizeof plain);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(self.nts.count, MT_NTS_COOKIES);
}

static void nts_client_refuses_the_answer_when_a_cookie_has_no_length(void **state)
{
    /* fields of 0, 4, 12, 15 octets, and of more than there are */
    static const uint8_t lengths[] = {0, 4, 12, 15, 20};
    struct pair self;
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_int_equal(nts_bench_serve(&self), MT_NTP_ANSWERED);
    for (size_t i = 0; i < sizeof lengths; i++) {
        uint8_t plain[16] = {0x02, 0x04, 0, lengths[i]};
        self.answer.length = answer_with(&self, plain, sizeof plain);
        assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_FORGED);
        assert_int_equal(self.nts.count, MT_NTS_COOKIES - 1);
    }
    self.answer.length = answer_with(&self, NULL, 0);
    assert_int_equal(nts_bench_arrive(&self), MT_NTP_VERDICT_USED);
}

static void nts_server_refuses_the_question_when_fields_are_missing_or_double(void **state)
{
    struct pair self;
    struct mt_ntp_extension cookie;
    uint8_t packet[MT_NTP_PACKET_MAX];
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_true(nts_bench_find(self.question, self.tx.length, MT_NTP_EXT_NTS_COOKIE, 0, &cookie));
    size_t size = cookie.length + 4u;
    size_t at = (size_t)(cookie.value - self.question) - 4;
    /* without it */
    memcpy(packet, self.question, at);
    memcpy(packet + at, self.question + at + size, self.tx.length - at - size);
    assert_int_equal(nts_bench_serve_octets(&self, packet, self.tx.length - size), MT_NTP_FORGED);
    /* with two of it */
    memcpy(packet, self.question, at + size);
    memcpy(packet + at + size, self.question + at, self.tx.length - at);
    assert_int_equal(nts_bench_serve_octets(&self, packet, self.tx.length + size), MT_NTP_FORGED);
    /* without the identifier */
    memcpy(packet, self.question, MT_NTP_HEADER_SIZE);
    memcpy(packet + MT_NTP_HEADER_SIZE, self.question + at, self.tx.length - at);
    assert_int_equal(nts_bench_serve_octets(&self, packet, self.tx.length - 36), MT_NTP_FORGED);
}

/* The question up to its cookie, which is another one, and sealed rightly; its length. */
static size_t question_with(const struct pair *self, const uint8_t *cookie, size_t length,
                            uint8_t *packet)
{
    size_t at = MT_NTP_HEADER_SIZE + UNIQUE_FIELD;
    memcpy(packet, self->question, at);
    return at + mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, cookie, length,
                                       mt_ntp_extension_size(length, MT_NTP_EXTENSION_MIN),
                                       packet + at, MT_NTP_PACKET_MAX - at);
}

static void nts_server_refuses_the_question_when_the_cookie_is_of_any_other_length(void **state)
{
    struct pair self;
    struct mt_ntp_extension cookie;
    uint8_t octets[MT_NTS_COOKIE_MAX + 100] = {0};
    uint8_t packet[MT_NTP_PACKET_MAX];
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_true(nts_bench_find(self.question, self.tx.length, MT_NTP_EXT_NTS_COOKIE, 0, &cookie));
    assert_int_equal(cookie.length, COOKIE_SIZE);
    memcpy(octets, cookie.value, cookie.length);
    for (size_t length = 0; length <= sizeof octets; length++) {
        size_t size = question_with(&self, octets, length, packet);
        size = seal(&self, self.keys.c2s, NULL, 0, packet, size);
        assert_int_equal(nts_bench_serve_octets(&self, packet, size),
                         length == COOKIE_SIZE ? MT_NTP_ANSWERED : MT_NTP_NTS_REFUSED);
        assert_true(self.answer.length <= size);
    }
}

static void nts_server_gives_eight_cookies_when_more_are_asked_for(void **state)
{
    struct pair self;
    struct mt_ntp_extension cookie;
    uint8_t packet[MT_NTP_PACKET_MAX];
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    assert_true(nts_bench_find(self.question, self.tx.length, MT_NTP_EXT_NTS_COOKIE, 0, &cookie));
    size_t length = question_with(&self, cookie.value, cookie.length, packet);
    for (unsigned i = 0; i < MT_NTS_COOKIES + 1; i++) {
        length += mt_ntp_extension_write(MT_NTP_EXT_NTS_PLACEHOLDER, NULL, 0, COOKIE_SIZE + 4,
                                         packet + length, sizeof packet - length);
    }
    length = seal(&self, self.keys.c2s, NULL, 0, packet, length);
    assert_int_equal(nts_bench_serve_octets(&self, packet, length), MT_NTP_ANSWERED);
    assert_int_equal(self.answer.length, MT_NTP_HEADER_SIZE + UNIQUE_FIELD + AUTHENTICATOR_HEAD +
                                             MT_AEAD_TAG + MT_NTS_COOKIES * (COOKIE_SIZE + 4));
}

static void nts_server_gives_no_cookie_when_the_placeholder_is_not_sealed(void **state)
{
    struct pair self;
    uint8_t packet[MT_NTP_PACKET_MAX] = {0};
    (void)state;
    nts_bench_open_default(&self);
    assert_true(nts_bench_asks(&self));
    memcpy(packet, self.question, self.tx.length);
    size_t more = mt_ntp_extension_write(MT_NTP_EXT_NTS_PLACEHOLDER, NULL, 0, COOKIE_SIZE + 4,
                                         packet + self.tx.length, 200);
    assert_int_equal(nts_bench_serve_octets(&self, packet, self.tx.length + more), MT_NTP_ANSWERED);
    assert_int_equal(self.answer.length, self.tx.length);
}

static void nts_cookies_open_when_their_key_is_of_the_last_three(void **state)
{
    struct pair self;
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    uint8_t fresh[MT_NTS_RING_KEY_SIZE];
    struct mt_nts_keys keys;
    (void)state;
    nts_bench_open_pair(&self, MT_AEAD_AES_SIV_CMAC_512);
    struct mt_nts_ring *ring = &self.guard.ring;
    ring->current = UINT32_MAX - 1; /* the numbers go round */
    nts_bench_forget(&self);
    size_t length =
        mt_nts_cookie_make(&mt_crypto_nettle, ring, &self.keys, &self.worker.random, cookie);
    for (unsigned turn = 0; turn < 4; turn++) {
        bool opens = mt_nts_cookie_open(&mt_crypto_nettle, ring, cookie, length, &keys);
        assert_int_equal(opens, turn < 3);
        if (opens) {
            assert_memory_equal(&keys, &self.keys, sizeof keys);
        }
        nts_bench_fill(&self.random, fresh, sizeof fresh);
        mt_nts_ring_rotate(ring, fresh);
    }
}

static void nts_cookies_open_when_the_ring_is_turned_later_than_elsewhere(void **state)
{
    struct pair self;
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    uint8_t fresh[MT_NTS_RING_KEY_SIZE] = {1};
    struct mt_nts_keys keys;
    (void)state;
    nts_bench_open_pair(&self, MT_AEAD_AES_SIV_CMAC_256);
    struct mt_nts_ring elsewhere = self.guard.ring;
    mt_nts_ring_rotate(&elsewhere, fresh);
    size_t length =
        mt_nts_cookie_make(&mt_crypto_nettle, &elsewhere, &self.keys, &self.random, cookie);
    assert_true(mt_nts_cookie_open(&mt_crypto_nettle, &self.guard.ring, cookie, length, &keys));
}

static void nts_cookies_do_not_open_when_they_are_changed_or_cut(void **state)
{
    struct pair self;
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    struct mt_nts_keys keys;
    (void)state;
    nts_bench_open_pair(&self, MT_AEAD_AES_SIV_CMAC_256);
    const struct mt_nts_ring *ring = &self.guard.ring;
    size_t length = mt_nts_cookie_make(&mt_crypto_nettle, ring, &self.keys, &self.random, cookie);
    assert_int_equal(length, COOKIE_SIZE);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        nts_bench_flip(cookie, bit);
        assert_false(mt_nts_cookie_open(&mt_crypto_nettle, ring, cookie, length, &keys));
        nts_bench_flip(cookie, bit);
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_false(mt_nts_cookie_open(&mt_crypto_nettle, ring, cookie, cut, &keys));
    }
    assert_true(mt_nts_cookie_open(&mt_crypto_nettle, ring, cookie, length, &keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_jar_takes_no_cookie_when_it_is_full_or_the_cookie_is_odd),
        cmocka_unit_test(nts_client_keeps_eight_cookies_when_a_server_sends_more),
        cmocka_unit_test(nts_client_refuses_the_answer_when_a_cookie_has_no_length),
        cmocka_unit_test(nts_server_refuses_the_question_when_fields_are_missing_or_double),
        cmocka_unit_test(nts_server_refuses_the_question_when_the_cookie_is_of_any_other_length),
        cmocka_unit_test(nts_server_gives_eight_cookies_when_more_are_asked_for),
        cmocka_unit_test(nts_server_gives_no_cookie_when_the_placeholder_is_not_sealed),
        cmocka_unit_test(nts_cookies_open_when_their_key_is_of_the_last_three),
        cmocka_unit_test(nts_cookies_open_when_the_ring_is_turned_later_than_elsewhere),
        cmocka_unit_test(nts_cookies_do_not_open_when_they_are_changed_or_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
