/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Key chains (see struct mt_chain).
 *
 * A chain is made from its end, the seed, down to key 0, the anchor, and used the other way round.
 * The sender keeps some keys on the way and walks down from the next one; a receiver keeps the
 * newest key that was disclosed to it, and walks down from a newer one to that: if it arrives, the
 * newer one is of the chain, and so is every key between the two, whether it was ever heard or not.
 * What signs an interval is not the key itself, so that nothing that was signed helps to find it.
 *
 * A sender never signs with a key that it has disclosed, not even when its clock goes back.
 */
#include "ptp/security_private.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

static void derive(const struct mt_crypto *crypto, const uint8_t key[MT_CHAIN_KEY_SIZE],
                   uint8_t purpose, uint8_t ret_key[MT_CHAIN_KEY_SIZE])
{
    const struct mt_piece piece = {&purpose, 1};
    uint8_t code[MT_MAC_SIZE];
    memset(code, 0, sizeof code);
    (void)crypto->mac(MT_MAC_HMAC_SHA256, key, MT_CHAIN_KEY_SIZE, &piece, 1, code);
    memcpy(ret_key, code, MT_CHAIN_KEY_SIZE);
}

static void walk(const struct mt_crypto *crypto, uint8_t key[MT_CHAIN_KEY_SIZE], uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        derive(crypto, key, 0, key);
    }
}

static void derive_signing_key(const struct mt_chain *self, const struct mt_crypto *crypto,
                               const uint8_t key[MT_CHAIN_KEY_SIZE],
                               struct mt_security_key *ret_key)
{
    ret_key->mac = self->mac;
    ret_key->length = self->mac == MT_MAC_AES128_CMAC ? 16 : MT_CHAIN_KEY_SIZE;
    derive(crypto, key, 1, ret_key->octets);
}

/* ---- the sender ------------------------------------------------------------------------------ */

static uint32_t stride_of(const struct mt_chain *self)
{
    return (self->length + self->checkpoint_count - 1) / self->checkpoint_count;
}

bool mt_chain_init(struct mt_chain *self, const struct mt_crypto *crypto)
{
    self->known = 0;
    self->rests_until.ns = 0;
    self->steps_left = 0;
    self->derived = 0;
    self->signs = 0;
    self->disclosed = 0;
    if (self->has_seed) {
        const uint32_t stride = stride_of(self);
        uint8_t key[MT_CHAIN_KEY_SIZE];
        memcpy(key, self->seed, sizeof key);
        for (uint32_t index = self->length; index > 0; index--) {
            if (index == self->length || index % stride == 0) {
                memcpy(self->checkpoints[(index - 1) / stride], key, sizeof key);
            }
            walk(crypto, key, 1);
        }
        if (self->has_anchor && !mt_security_equal(key, self->anchor, sizeof key)) {
            return false;
        }
        memcpy(self->anchor, key, sizeof key);
        self->has_anchor = true;
    }
    memcpy(self->known_key, self->anchor, sizeof self->known_key);
    return true;
}

static void key_of(const struct mt_chain *self, const struct mt_crypto *crypto, uint32_t interval,
                   uint8_t ret_key[MT_CHAIN_KEY_SIZE])
{
    const uint32_t stride = stride_of(self);
    const uint32_t group = (interval - 1) / stride;
    const uint32_t last = (group + 1) * stride;
    memcpy(ret_key, self->checkpoints[group], MT_CHAIN_KEY_SIZE);
    walk(crypto, ret_key, (last < self->length ? last : self->length) - interval);
}

int64_t mt_chain_interval(const struct mt_chain *self, int64_t time_ns)
{
    const int64_t length_ns = self->interval_ms * NS_PER_MS;
    const int64_t since_ns = time_ns - self->start_s * NS_PER_S;
    return since_ns < 0 ? 0 : since_ns / length_ns + 1;
}

bool mt_chain_sign(struct mt_chain *self, const struct mt_crypto *crypto, int64_t interval,
                   struct mt_security_key *ret_key, const uint8_t **ret_disclosed)
{
    if (!self->has_seed || interval < 1 || interval > self->length || interval <= self->disclosed) {
        return false;
    }
    if (self->signs != interval) {
        uint8_t key[MT_CHAIN_KEY_SIZE];
        self->signs = (uint32_t)interval;
        key_of(self, crypto, self->signs, key);
        memcpy(self->signs_with, key, sizeof key);
        if (self->signs > self->disclosed + self->disclosure_delay) {
            self->disclosed = self->signs - self->disclosure_delay;
            walk(crypto, key, self->disclosure_delay);
            memcpy(self->disclosed_key, key, sizeof key);
        }
    }
    ret_key->id = self->signs;
    derive_signing_key(self, crypto, self->signs_with, ret_key);
    *ret_disclosed = self->signs == self->disclosed + self->disclosure_delay && self->disclosed > 0
                         ? self->disclosed_key
                         : NULL;
    return true;
}

/* ---- the receiver ---------------------------------------------------------------------------- */

/* Whether so many steps are made now. */
static bool may_walk(struct mt_chain *self, uint32_t steps, struct mt_mono now)
{
    if (steps <= MT_CHAIN_STEPS_EACH) {
        return true;
    }
    if (now.ns >= self->rests_until.ns) {
        self->rests_until = mt_mono_plus(now, MT_CHAIN_REST_NS);
        self->steps_left = MT_CHAIN_STEPS;
    }
    if (steps > self->steps_left && self->steps_left < MT_CHAIN_STEPS) {
        return false;
    }
    self->steps_left -= steps < self->steps_left ? steps : self->steps_left;
    return true;
}

enum mt_chain_news mt_chain_disclose(struct mt_chain *self, const struct mt_crypto *crypto,
                                     uint32_t interval, const uint8_t key[MT_CHAIN_KEY_SIZE],
                                     struct mt_mono now)
{
    uint8_t found[MT_CHAIN_KEY_SIZE];
    if (interval < self->known) {
        return MT_CHAIN_RIGHT;
    }
    const uint32_t steps = interval - self->known;
    if (!may_walk(self, steps, now)) {
        return MT_CHAIN_PUT_OFF;
    }
    memcpy(found, key, sizeof found);
    walk(crypto, found, steps);
    if (!mt_security_equal(found, self->known_key, sizeof found)) {
        return MT_CHAIN_WRONG;
    }
    self->known = interval;
    memcpy(self->known_key, key, sizeof self->known_key);
    return MT_CHAIN_RIGHT;
}

/* Messages of one interval are verified one after the other: the way to its key is gone once. */
void mt_chain_verifies_with(struct mt_chain *self, const struct mt_crypto *crypto,
                            uint32_t interval, struct mt_security_key *ret_key)
{
    const bool is_nearer = self->derived >= interval;
    uint8_t key[MT_CHAIN_KEY_SIZE];
    memcpy(key, is_nearer ? self->derived_key : self->known_key, sizeof key);
    walk(crypto, key, (is_nearer ? self->derived : self->known) - interval);
    self->derived = interval;
    memcpy(self->derived_key, key, sizeof key);
    derive_signing_key(self, crypto, key, ret_key);
}
