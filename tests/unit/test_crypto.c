/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Message authentication codes against published vectors: RFC 4231, RFC 4493, NIST SP 800-38B.
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
    enum mt_mac kind;
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
        enum mt_mac kind;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypto_gives_the_published_codes_when_the_message_is_in_any_pieces),
        cmocka_unit_test(crypto_refuses_a_key_when_its_length_does_not_suit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
