/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Against published vectors: codes of RFC 4231, RFC 4493 and NIST SP 800-38B, AES-SIV of RFC 5297;
 * where there are none (longer keys, empty texts) against what OpenSSL gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"

static size_t from_hex(const char *text, uint8_t *ret_octets)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;
    for (; text[0] != '\0'; text += 2) {
        size_t high = (size_t)(strchr(digits, text[0]) - digits);
        size_t low = (size_t)(strchr(digits, text[1]) - digits);
        ret_octets[length++] = (uint8_t)(high << 4 | low);
    }
    return length;
}

static const struct {
    enum mt_mac_kind kind;
    const char *key;
    const char *message;
    const char *code;
} vectors[] = {
    {MT_MAC_HMAC_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {MT_MAC_HMAC_SHA256_128, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b"},
    {MT_MAC_HMAC_SHA256, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {MT_MAC_AES128_CMAC, "2b7e151628aed2a6abf7158809cf4f3c", "6bc1bee22e409f96e93d7e117393172a",
     "070a16b46b4d4144f79bdd9dd04a287c"},
    {MT_MAC_AES128_CMAC, "2b7e151628aed2a6abf7158809cf4f3c", "",
     "bb1d6929e95937287fa37d129b756746"},
    {MT_MAC_AES256_CMAC, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "6bc1bee22e409f96e93d7e117393172a", "28a7023f452e8f82bd4bf28d8c37c35c"},
};

static void crypto_gives_the_published_codes_when_the_message_is_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t key[MT_MAC_KEY_MAX];
        uint8_t message[64];
        uint8_t expected[MT_MAC_SIZE];
        size_t key_length = from_hex(vectors[i].key, key);
        size_t length = from_hex(vectors[i].message, message);
        assert_int_equal(from_hex(vectors[i].code, expected), mt_mac_size(vectors[i].kind));
        for (size_t cut = 0; cut <= length; cut++) {
            const struct mt_piece pieces[] = {{message, cut}, {message + cut, length - cut}};
            uint8_t code[MT_MAC_SIZE];
            assert_true(mt_crypto_nettle.mac(vectors[i].kind, key, key_length, pieces, 2, code));
            assert_memory_equal(code, expected, mt_mac_size(vectors[i].kind));
        }
    }
}

static void crypto_refuses_a_key_when_its_length_does_not_suit(void **state)
{
    static const uint8_t key[MT_MAC_KEY_MAX + 1];
    static const struct {
        enum mt_mac_kind kind;
        size_t length;
    } wrong[] = {
        {MT_MAC_AES128_CMAC, 15},     {MT_MAC_AES128_CMAC, 32}, {MT_MAC_AES256_CMAC, 16},
        {MT_MAC_AES256_CMAC, 33},     {MT_MAC_HMAC_SHA256, 0},  {MT_MAC_HMAC_SHA256, 65},
        {MT_MAC_HMAC_SHA256_128, 65},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t code[MT_MAC_SIZE];
        assert_false(mt_crypto_nettle.mac(wrong[i].kind, key, wrong[i].length, NULL, 0, code));
    }
}

/* ---- authenticated encryption ---------------------------------------------------------------- */

#define AEAD_PIECES 3

static const struct {
    enum mt_aead kind;
    const char *key;
    const char *associated[AEAD_PIECES];
    size_t count;
    const char *plain;
    const char *sealed;
} aead_vectors[] = {
    /* RFC 5297 A.1 */
    {MT_AEAD_AES_SIV_CMAC_256,
     "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     {"101112131415161718191a1b1c1d1e1f2021222324252627"},
     1,
     "112233445566778899aabbccddee",
     "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"},
    /* RFC 5297 A.2 */
    {MT_AEAD_AES_SIV_CMAC_256,
     "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
     {"00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
      "102030405060708090a0", "09f911029d74e35bd84156c5635688c0"},
     3,
     "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d41"
     "4553",
     "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba"
     "8af829ea64ad544a272e9c485b62a3fd5c0d"},
    {MT_AEAD_AES_SIV_CMAC_512,
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c"
     "2d2e2f303132333435363738393a3b3c3d3e3f",
     {"101112131415161718191a1b1c1d1e1f2021222324252627", "000102030405060708090a0b0c0d0e0f"},
     2,
     "112233445566778899aabbccddee",
     "952500a65e560312b56b6fdb7da92c7f4201130d55f631f52863f15b6f70"},
    {MT_AEAD_AES_SIV_CMAC_256,
     "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     {"", "00000000000000000000000000000000"},
     2,
     "000102030405060708090a0b0c0d0e0f",
     "8371c4fc96fde5c5c99d5f46a4663319191901733749ccae03cb7d81fae7287d"},
};
#define AEAD_VECTORS (sizeof aead_vectors / sizeof aead_vectors[0])

struct aead_case {
    uint8_t key[MT_AEAD_KEY_MAX];
    size_t key_length;
    uint8_t associated[AEAD_PIECES][64];
    struct mt_piece pieces[AEAD_PIECES];
    uint8_t plain[64];
    struct mt_piece text;
    uint8_t sealed[64 + MT_AEAD_TAG];
    struct mt_piece box;
};

static void read_case(size_t index, struct aead_case *self)
{
    self->key_length = from_hex(aead_vectors[index].key, self->key);
    for (size_t i = 0; i < aead_vectors[index].count; i++) {
        size_t length = from_hex(aead_vectors[index].associated[i], self->associated[i]);
        self->pieces[i] = (struct mt_piece){self->associated[i], length};
    }
    self->text = (struct mt_piece){self->plain, from_hex(aead_vectors[index].plain, self->plain)};
    self->box = (struct mt_piece){self->sealed, from_hex(aead_vectors[index].sealed, self->sealed)};
}

static bool opens(size_t index, const struct aead_case *self, uint8_t *ret_plain)
{
    return mt_crypto_nettle.open(aead_vectors[index].kind, self->key, self->key_length,
                                 self->pieces, aead_vectors[index].count, &self->box, ret_plain);
}

static void crypto_seals_and_opens_when_the_vectors_are_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < AEAD_VECTORS; i++) {
        struct aead_case c;
        uint8_t sealed[64 + MT_AEAD_TAG];
        uint8_t plain[64];
        read_case(i, &c);
        assert_int_equal(c.box.length, c.text.length + MT_AEAD_TAG);
        assert_true(mt_crypto_nettle.seal(aead_vectors[i].kind, c.key, c.key_length, c.pieces,
                                          aead_vectors[i].count, &c.text, sealed));
        assert_memory_equal(sealed, c.sealed, c.box.length);
        assert_true(opens(i, &c, plain));
        assert_memory_equal(plain, c.plain, c.text.length);
    }
}

static void flip(uint8_t *octets, size_t bit)
{
    octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void assert_does_not_open(size_t index, const struct aead_case *c)
{
    static const uint8_t zeros[64];
    uint8_t plain[64];
    memset(plain, 1, sizeof plain);
    assert_false(opens(index, c, plain));
    assert_memory_equal(plain, zeros, c->box.length - MT_AEAD_TAG);
}

static void crypto_opens_nothing_when_a_bit_is_changed_or_octets_are_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < AEAD_VECTORS; i++) {
        struct aead_case c;
        uint8_t plain[64];
        read_case(i, &c);
        for (size_t bit = 0; bit < 8 * c.box.length; bit++) {
            flip(c.sealed, bit);
            assert_does_not_open(i, &c);
            flip(c.sealed, bit);
        }
        for (size_t bit = 0; bit < 8 * c.key_length; bit++) {
            flip(c.key, bit);
            assert_does_not_open(i, &c);
            flip(c.key, bit);
        }
        for (size_t piece = 0; piece < aead_vectors[i].count; piece++) {
            for (size_t bit = 0; bit < 8 * c.pieces[piece].length; bit++) {
                flip(c.associated[piece], bit);
                assert_does_not_open(i, &c);
                flip(c.associated[piece], bit);
            }
        }
        while (c.box.length-- > 0) {
            assert_false(opens(i, &c, plain));
        }
    }
}

static void crypto_seals_nothing_when_the_key_does_not_suit(void **state)
{
    static const uint8_t key[MT_AEAD_KEY_MAX + 1];
    static const struct mt_piece nonce = {key, 16};
    static const struct {
        enum mt_aead kind;
        size_t length;
    } wrong[] = {{MT_AEAD_AES_SIV_CMAC_256, 31}, {MT_AEAD_AES_SIV_CMAC_256, 64},
                 {MT_AEAD_AES_SIV_CMAC_512, 32}, {MT_AEAD_AES_SIV_CMAC_512, 65},
                 {MT_AEAD_AES128_GCM_SIV, 15},   {(enum mt_aead)0, 0},
                 {(enum mt_aead)16, 48}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t sealed[2 * MT_AEAD_TAG];
        assert_false(
            mt_crypto_nettle.seal(wrong[i].kind, key, wrong[i].length, &nonce, 1, &nonce, sealed));
        assert_false(
            mt_crypto_nettle.open(wrong[i].kind, key, wrong[i].length, &nonce, 1, &nonce, sealed));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypto_gives_the_published_codes_when_the_message_is_in_any_pieces),
        cmocka_unit_test(crypto_refuses_a_key_when_its_length_does_not_suit),
        cmocka_unit_test(crypto_seals_and_opens_when_the_vectors_are_published),
        cmocka_unit_test(crypto_opens_nothing_when_a_bit_is_changed_or_octets_are_missing),
        cmocka_unit_test(crypto_seals_nothing_when_the_key_does_not_suit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
