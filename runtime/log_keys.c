/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/log_keys.h"

#include <string.h>

#include "runtime/log_private.h"

struct mt_log_text mt_log_keys_pack(const struct mt_log_keys *self, uint8_t octets[MT_LOG_KEYS_MAX])
{
    size_t length = 0;
    octets[length++] = (uint8_t)self->keys.aead;
    memcpy(octets + length, self->keys.c2s, MT_AEAD_KEY_MAX);
    length += MT_AEAD_KEY_MAX;
    memcpy(octets + length, self->keys.s2c, MT_AEAD_KEY_MAX);
    length += MT_AEAD_KEY_MAX;
    octets[length++] = self->count;
    for (uint8_t i = 0; i < self->count; i++) {
        const struct mt_nts_cookie *cookie = &self->cookies[i];
        octets[length++] = (uint8_t)(cookie->length >> 8);
        octets[length++] = (uint8_t)cookie->length;
        memcpy(octets + length, cookie->octets, cookie->length);
        length += cookie->length;
    }
    return (struct mt_log_text){(const char *)octets, length};
}

static bool get_cookie(struct mt_log_in *in, struct mt_nts_cookie *cookie)
{
    size_t high = (size_t)mt_log_get(in, 1);
    cookie->length = (uint16_t)(high << 8 | (size_t)mt_log_get(in, 1));
    if (in->failed || cookie->length > MT_NTS_COOKIE_MAX || cookie->length > in->left) {
        return false;
    }
    memcpy(cookie->octets, mt_log_get_octets(in, cookie->length), cookie->length);
    return true;
}

bool mt_log_keys_unpack(struct mt_log_text text, struct mt_log_keys *ret_keys)
{
    struct mt_log_in in = {(const uint8_t *)text.text, text.length, false, MT_LOG_VERSION};
    memset(ret_keys, 0, sizeof *ret_keys);
    if (in.left < 2 + 2 * MT_AEAD_KEY_MAX) {
        return false;
    }
    ret_keys->keys.aead = (enum mt_aead)mt_log_get(&in, 1);
    memcpy(ret_keys->keys.c2s, mt_log_get_octets(&in, MT_AEAD_KEY_MAX), MT_AEAD_KEY_MAX);
    memcpy(ret_keys->keys.s2c, mt_log_get_octets(&in, MT_AEAD_KEY_MAX), MT_AEAD_KEY_MAX);
    ret_keys->count = (uint8_t)mt_log_get(&in, 1);
    if (ret_keys->count > MT_NTS_COOKIES || mt_aead_key_size(ret_keys->keys.aead) == 0) {
        return false;
    }
    for (uint8_t i = 0; i < ret_keys->count; i++) {
        if (!get_cookie(&in, &ret_keys->cookies[i])) {
            return false;
        }
    }
    return in.left == 0;
}
