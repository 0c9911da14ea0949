/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "crypto/crypto.h"

#include <string.h>

#include <nettle/cmac.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>

#include "crypto/crypto_private.h"

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

static bool mac(enum mt_mac_kind kind, const uint8_t *key, size_t key_length,
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

static const struct nettle_hash *hash_of(enum mt_digest kind)
{
    switch (kind) {
    case MT_DIGEST_MD5:
        return &nettle_md5;
    case MT_DIGEST_SHA1:
        return &nettle_sha1;
    case MT_DIGEST_SHA256:
        return &nettle_sha256;
    case MT_DIGEST_SHA512:
        return &nettle_sha512;
    }
    return NULL;
}

static bool digest(enum mt_digest kind, const struct mt_piece *pieces, size_t count,
                   uint8_t ret_digest[MT_DIGEST_SIZE])
{
    union {
        struct sha512_ctx largest;
        uint8_t octets[sizeof(struct sha512_ctx)];
    } context;
    const struct nettle_hash *hash = hash_of(kind);

    if (hash == NULL || hash->context_size > sizeof context) {
        return false;
    }
    hash->init(&context);
    for (size_t i = 0; i < count; i++) {
        hash->update(&context, pieces[i].length, pieces[i].octets);
    }
    hash->digest(&context, hash->digest_size, ret_digest);
    return true;
}

const struct mt_crypto mt_crypto_nettle = {
    .mac = mac, .digest = digest, .seal = mt_siv_seal, .open = mt_siv_open};
