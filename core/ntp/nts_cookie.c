/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Cookies: the number of a key, a nonce, and sealed with that key what the server has to know of
 * the client: the algorithm and both keys.
 *
 * Nonces come out of a generator that is not made for secrets, and are encrypted once more: else
 * who knows the generator could tell which cookies were given in one answer, and with that which
 * questions from different places are of one client.
 */
#include "base/memory.h"
#include "ntp/nts_private.h"
#include "wire/fields.h"

#define ID_SIZE   4
#define HEAD_SIZE (ID_SIZE + MT_NTS_NONCE_SIZE)
#define KIND_SIZE 4 /* the algorithm's number, and two octets that are zero */
#define SEALER    MT_AEAD_AES_SIV_CMAC_256

static void put_u32(uint8_t *octets, uint32_t value)
{
    mt_octets_put_u16(octets, (uint16_t)(value >> 16));
    mt_octets_put_u16(octets + 2, (uint16_t)value);
}

/* ---- the ring -------------------------------------------------------------------------------- */

static void set_key(struct mt_nts_ring *self, uint32_t id, const uint8_t *octets)
{
    struct mt_nts_ring_key *key = &self->keys[id % MT_NTS_RING];
    key->is_known = true;
    key->id = id;
    memcpy(key->octets, octets, sizeof key->octets);
}

void mt_nts_ring_init(struct mt_nts_ring *self, const uint8_t random[MT_NTS_RING_RANDOM])
{
    memset(self, 0, sizeof *self);
    self->current = mt_octets_u32(random);
    random += ID_SIZE;
    set_key(self, self->current, random);
    set_key(self, self->current + 1, random + MT_NTS_RING_KEY_SIZE);
    memcpy(self->secret, random + 2 * MT_NTS_RING_KEY_SIZE, sizeof self->secret);
}

void mt_nts_ring_rotate(struct mt_nts_ring *self, const uint8_t fresh[MT_NTS_RING_KEY_SIZE])
{
    self->current++;
    set_key(self, self->current + 1, fresh);
}

static const struct mt_nts_ring_key *find(const struct mt_nts_ring *self, uint32_t id)
{
    const struct mt_nts_ring_key *key = &self->keys[id % MT_NTS_RING];
    return key->is_known && key->id == id ? key : NULL;
}

/* ---- cookies --------------------------------------------------------------------------------- */

bool mt_nts_make_nonce(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                       struct mt_prng *random, uint8_t ret_nonce[MT_NTS_NONCE_SIZE])
{
    uint8_t block[MT_NTS_NONCE_SIZE];
    uint8_t code[MT_MAC_SIZE];
    const struct mt_piece piece = {block, sizeof block};
    for (size_t i = 0; i < sizeof block; i += ID_SIZE) {
        put_u32(block + i, mt_prng_next_u32(random));
    }
    if (!crypto->mac(MT_MAC_AES128_CMAC, ring->secret, sizeof ring->secret, &piece, 1, code)) {
        return false;
    }
    memcpy(ret_nonce, code, MT_NTS_NONCE_SIZE);
    return true;
}

size_t mt_nts_cookie_make(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                          const struct mt_nts_keys *keys, struct mt_prng *random,
                          uint8_t ret_octets[MT_NTS_OWN_COOKIE_MAX])
{
    const struct mt_nts_ring_key *key = find(ring, ring->current);
    size_t size = mt_aead_key_size(keys->aead);
    uint8_t plain[KIND_SIZE + 2 * MT_AEAD_KEY_MAX] = {0};
    uint8_t *nonce = ret_octets + ID_SIZE;
    const struct mt_piece associated[] = {{ret_octets, ID_SIZE}, {nonce, MT_NTS_NONCE_SIZE}};
    const struct mt_piece piece = {plain, KIND_SIZE + 2 * size};
    if (key == NULL || size == 0 || crypto->seal == NULL ||
        !mt_nts_make_nonce(crypto, ring, random, nonce)) {
        return 0;
    }
    put_u32(ret_octets, key->id);
    mt_octets_put_u16(plain, (uint16_t)keys->aead);
    memcpy(plain + KIND_SIZE, keys->c2s, size);
    memcpy(plain + KIND_SIZE + size, keys->s2c, size);
    if (!crypto->seal(SEALER, key->octets, sizeof key->octets, associated, 2, &piece,
                      ret_octets + HEAD_SIZE)) {
        return 0;
    }
    return HEAD_SIZE + MT_AEAD_TAG + piece.length;
}

bool mt_nts_cookie_open(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                        const uint8_t *octets, size_t length, struct mt_nts_keys *ret_keys)
{
    uint8_t plain[KIND_SIZE + 2 * MT_AEAD_KEY_MAX];
    if (length < HEAD_SIZE + MT_AEAD_TAG + KIND_SIZE || length > MT_NTS_OWN_COOKIE_MAX ||
        crypto->open == NULL) {
        return false;
    }
    const struct mt_nts_ring_key *key = find(ring, mt_octets_u32(octets));
    const struct mt_piece associated[] = {{octets, ID_SIZE}, {octets + ID_SIZE, MT_NTS_NONCE_SIZE}};
    const struct mt_piece sealed = {octets + HEAD_SIZE, length - HEAD_SIZE};
    if (key == NULL ||
        !crypto->open(SEALER, key->octets, sizeof key->octets, associated, 2, &sealed, plain)) {
        return false;
    }
    enum mt_aead aead = (enum mt_aead)mt_octets_u16(plain);
    size_t size = mt_aead_key_size(aead);
    if (size == 0 || sealed.length != MT_AEAD_TAG + KIND_SIZE + 2 * size) {
        return false;
    }
    memset(ret_keys, 0, sizeof *ret_keys);
    ret_keys->aead = aead;
    memcpy(ret_keys->c2s, plain + KIND_SIZE, size);
    memcpy(ret_keys->s2c, plain + KIND_SIZE + size, size);
    return true;
}
