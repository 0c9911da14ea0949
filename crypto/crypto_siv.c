/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * AES-SIV [RFC 5297] of nettle's AES, CMAC and counter mode.  nettle's own takes one associated
 * string and wants a nonce; the RFC, and its test vectors, have any number of strings of which a
 * nonce is the last.
 *
 * The tag is a pseudorandom function of all that goes in (S2V), and at the same time where the
 * counter starts: so a nonce that comes twice tells that a message came twice, and nothing else.
 * Half of the key is for one, half for the other.
 */
#include <string.h>

#include <nettle/aes.h>
#include <nettle/cmac.h>
#include <nettle/ctr.h>
#include <nettle/memops.h>

#include "crypto/crypto_private.h"

#define BLOCK 16

union aes {
    struct aes128_ctx aes128;
    struct aes256_ctx aes256;
};

struct siv {
    nettle_cipher_func *encrypt;
    union aes authenticating;
    union aes counting;
    struct cmac128_key cmac;
};

static void encrypt128(const void *context, size_t length, uint8_t *to, const uint8_t *from)
{
    aes128_encrypt(context, length, to, from);
}

static void encrypt256(const void *context, size_t length, uint8_t *to, const uint8_t *from)
{
    aes256_encrypt(context, length, to, from);
}

static bool set_key(struct siv *self, enum mt_aead kind, const uint8_t *key, size_t key_length)
{
    if (kind == MT_AEAD_AES128_GCM_SIV || key_length == 0 || key_length != mt_aead_key_size(kind)) {
        return false;
    }
    if (kind == MT_AEAD_AES_SIV_CMAC_256) {
        self->encrypt = encrypt128;
        aes128_set_encrypt_key(&self->authenticating.aes128, key);
        aes128_set_encrypt_key(&self->counting.aes128, key + AES128_KEY_SIZE);
    } else {
        self->encrypt = encrypt256;
        aes256_set_encrypt_key(&self->authenticating.aes256, key);
        aes256_set_encrypt_key(&self->counting.aes256, key + AES256_KEY_SIZE);
    }
    cmac128_set_key(&self->cmac, &self->authenticating, self->encrypt);
    return true;
}

/* ---- S2V [RFC 5297 2.4] ---------------------------------------------------------------------- */

static void cmac(const struct siv *self, const struct mt_piece *pieces, size_t count,
                 uint8_t ret_code[BLOCK])
{
    struct cmac128_ctx context;
    cmac128_init(&context);
    for (size_t i = 0; i < count; i++) {
        cmac128_update(&context, &self->authenticating, self->encrypt, pieces[i].length,
                       pieces[i].octets);
    }
    cmac128_digest(&context, &self->cmac, &self->authenticating, self->encrypt, BLOCK, ret_code);
}

/* In GF(2^128); takes as long whatever the carry is. */
static void twice(uint8_t block[BLOCK])
{
    unsigned carry = block[0] >> 7;
    for (size_t i = 0; i + 1 < BLOCK; i++) {
        block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
    }
    block[BLOCK - 1] = (uint8_t)((unsigned)block[BLOCK - 1] << 1 ^ carry * 0x87);
}

static void mix(uint8_t block[BLOCK], const uint8_t *with, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        block[i] ^= with[i];
    }
}

static void make_tag(const struct siv *self, const struct mt_piece *associated, size_t count,
                     const uint8_t *plain, size_t length, uint8_t ret_tag[BLOCK])
{
    static const uint8_t zeros[BLOCK];
    const struct mt_piece first = {zeros, BLOCK};
    uint8_t sum[BLOCK];
    uint8_t code[BLOCK];
    cmac(self, &first, 1, sum);
    for (size_t i = 0; i < count; i++) {
        twice(sum);
        cmac(self, &associated[i], 1, code);
        mix(sum, code, BLOCK);
    }
    if (length >= BLOCK) {
        mix(sum, plain + length - BLOCK, BLOCK);
        const struct mt_piece pieces[] = {{plain, length - BLOCK}, {sum, BLOCK}};
        cmac(self, pieces, 2, ret_tag);
    } else {
        twice(sum);
        mix(sum, plain, length);
        sum[length] ^= 0x80;
        const struct mt_piece last = {sum, BLOCK};
        cmac(self, &last, 1, ret_tag);
    }
}

/* ---- both ways [RFC 5297 2.6, 2.7] ----------------------------------------------------------- */

static void count_through(const struct siv *self, const uint8_t tag[BLOCK], size_t length,
                          uint8_t *to, const uint8_t *from)
{
    uint8_t counter[BLOCK];
    memcpy(counter, tag, BLOCK);
    counter[8] &= 0x7F;
    counter[12] &= 0x7F;
    if (length > 0) {
        ctr_crypt(&self->counting, self->encrypt, BLOCK, counter, length, to, from);
    }
}

bool mt_siv_seal(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *plain,
                 uint8_t *ret_sealed)
{
    struct siv siv;
    if (!set_key(&siv, kind, key, key_length)) {
        return false;
    }
    make_tag(&siv, associated, count, plain->octets, plain->length, ret_sealed);
    count_through(&siv, ret_sealed, plain->length, ret_sealed + BLOCK, plain->octets);
    return true;
}

bool mt_siv_open(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *sealed,
                 uint8_t *ret_plain)
{
    struct siv siv;
    uint8_t tag[BLOCK];
    if (sealed->length < BLOCK || !set_key(&siv, kind, key, key_length)) {
        return false;
    }
    size_t length = sealed->length - BLOCK;
    count_through(&siv, sealed->octets, length, ret_plain, sealed->octets + BLOCK);
    make_tag(&siv, associated, count, ret_plain, length, tag);
    if (!memeql_sec(tag, sealed->octets, BLOCK)) {
        if (length > 0) {
            memset(ret_plain, 0, length);
        }
        return false;
    }
    return true;
}
