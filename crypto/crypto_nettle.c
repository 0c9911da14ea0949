/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "crypto/crypto.h"

#include <string.h>

#include <nettle/cmac.h>
#include <nettle/hmac.h>

static bool hmac(const uint8_t *key, size_t key_length, const struct mt_piece *pieces, size_t count,
                 size_t size, uint8_t *ret_code)
{
    struct hmac_sha256_ctx context;

    if (key_length == 0 || key_length > MT_MAC_KEY_MAX) {
        return false;
    }
    hmac_sha256_set_key(&context, key_length, key);
    for (size_t i = 0; i < count; i++) {
        hmac_sha256_update(&context, pieces[i].length, pieces[i].octets);
    }
    hmac_sha256_digest(&context, size, ret_code);
    return true;
}

static bool cmac128(const uint8_t *key, size_t key_length, const struct mt_piece *pieces,
                    size_t count, uint8_t *ret_code)
{
    struct cmac_aes128_ctx context;

    if (key_length != AES128_KEY_SIZE) {
        return false;
    }
    cmac_aes128_set_key(&context, key);
    for (size_t i = 0; i < count; i++) {
        cmac_aes128_update(&context, pieces[i].length, pieces[i].octets);
    }
    cmac_aes128_digest(&context, CMAC128_DIGEST_SIZE, ret_code);
    return true;
}

static bool cmac256(const uint8_t *key, size_t key_length, const struct mt_piece *pieces,
                    size_t count, uint8_t *ret_code)
{
    struct cmac_aes256_ctx context;

    if (key_length != AES256_KEY_SIZE) {
        return false;
    }
    cmac_aes256_set_key(&context, key);
    for (size_t i = 0; i < count; i++) {
        cmac_aes256_update(&context, pieces[i].length, pieces[i].octets);
    }
    cmac_aes256_digest(&context, CMAC128_DIGEST_SIZE, ret_code);
    return true;
}

static bool mac(enum mt_mac kind, const uint8_t *key, size_t key_length,
                const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE])
{
    switch (kind) {
    case MT_MAC_HMAC_SHA256_128:
    case MT_MAC_HMAC_SHA256:
        return hmac(key, key_length, pieces, count, mt_mac_size(kind), ret_code);
    case MT_MAC_AES128_CMAC:
        return cmac128(key, key_length, pieces, count, ret_code);
    case MT_MAC_AES256_CMAC:
        return cmac256(key, key_length, pieces, count, ret_code);
    }
    return false;
}

const struct mt_crypto mt_crypto_nettle = {.mac = mac};
