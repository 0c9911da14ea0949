/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files of keys out of any octets: those of NTP and those of security associations, whose lines are
 * much alike, so both readers see the same text.  Either there are problems, each of which is a
 * line of text, or what is found keeps what the rest of the program relies on; NTP's keys, written
 * in hexadecimal, are read as the same ones again.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "config/associations.h"
#include "config/ntp_keys.h"

static struct mt_config_problems problems;

static void check_problems(void)
{
    fuzz_require(problems.count > 0 && problems.count <= MT_CONFIG_PROBLEMS_MAX);
    for (size_t i = 0; i < problems.count; i++) {
        size_t length = strlen(problems.problem[i].text);
        fuzz_require(length > 0 && length < MT_CONFIG_PROBLEM_SIZE);
    }
}

/* ---- NTP ------------------------------------------------------------------------------------- */

static uint8_t length_of(enum mt_ntp_key_kind kind)
{
    return kind == MT_NTP_KEY_AES128_CMAC ? 16 : kind == MT_NTP_KEY_AES256_CMAC ? 32 : 0;
}

static void check_key(const struct mt_ntp_keys *keys, uint16_t index)
{
    const struct mt_ntp_key *key = &keys->key[index];
    fuzz_require(key->id != 0 && key->kind < MT_NTP_KEY_KIND_COUNT);
    fuzz_require(key->length > 0 && key->length <= MT_NTP_KEY_MAX);
    fuzz_require(length_of(key->kind) == 0 || key->length == length_of(key->kind));
    fuzz_require(mt_ntp_key_find(keys, key->id) == key); /* there is no other one before it */
}

static size_t write_key(const struct mt_ntp_key *key, char *text, size_t capacity)
{
    static const char *const kinds[MT_NTP_KEY_KIND_COUNT] = {
        [MT_NTP_KEY_AES128_CMAC] = "AES128", [MT_NTP_KEY_AES256_CMAC] = "AES256",
        [MT_NTP_KEY_SHA1] = "SHA1",          [MT_NTP_KEY_SHA256] = "SHA256",
        [MT_NTP_KEY_SHA512] = "SHA512",      [MT_NTP_KEY_MD5] = "MD5",
    };
    size_t length =
        (size_t)snprintf(text, capacity, "%lu %s HEX:", (unsigned long)key->id, kinds[key->kind]);
    for (uint8_t i = 0; i < key->length; i++) {
        length += (size_t)snprintf(text + length, capacity - length, "%02X", key->octets[i]);
    }
    length += (size_t)snprintf(text + length, capacity - length, "\n");
    return length;
}

static bool is_same(const struct mt_ntp_key *a, const struct mt_ntp_key *b)
{
    return a->id == b->id && a->kind == b->kind && a->length == b->length &&
           memcmp(a->octets, b->octets, a->length) == 0;
}

static void check_again(const struct mt_ntp_keys *keys, struct mt_config_pool *pool)
{
    static char text[1 << 20];
    struct mt_ntp_keys again;
    size_t length = 0;
    for (uint16_t i = 0; i < keys->count && sizeof text - length > 256; i++) {
        length += write_key(&keys->key[i], text + length, sizeof text - length);
    }
    fuzz_require(mt_config_ntp_keys_parse(text, length, "f", pool, &problems, &again));
    fuzz_require(again.count <= keys->count);
    for (uint16_t i = 0; i < again.count; i++) {
        fuzz_require(is_same(&again.key[i], &keys->key[i]));
    }
}

static void read_ntp(const char *text, size_t length)
{
    struct mt_config_pool pool = {0};
    struct mt_ntp_keys keys;
    problems.count = 0;
    if (mt_config_ntp_keys_parse(text, length, "f", &pool, &problems, &keys)) {
        fuzz_require(problems.count == 0);
        for (uint16_t i = 0; i < keys.count; i++) {
            check_key(&keys, i);
        }
        check_again(&keys, &pool);
    } else {
        check_problems();
    }
    mt_config_pool_free(&pool);
}

/* ---- security associations ------------------------------------------------------------------- */

static void check_keys(const struct mt_security_association *association)
{
    for (size_t i = 0; i < association->key_count; i++) {
        const struct mt_security_key *key = &association->keys[i];
        fuzz_require(key->id != 0 && key->length > 0 && key->length <= MT_MAC_KEY_MAX);
        for (size_t j = 0; j < i; j++) {
            fuzz_require(association->keys[j].id != key->id);
        }
    }
}

static void check_chain(const struct mt_chain *chain)
{
    fuzz_require(chain->length > 0 && chain->length <= MT_CHAIN_LENGTH_MAX);
    fuzz_require(chain->interval_ms > 0 && chain->disclosure_delay > 0);
    fuzz_require(chain->has_seed || chain->has_anchor);
    fuzz_require(!chain->has_seed || (chain->checkpoints != NULL && chain->checkpoint_count > 0));
    fuzz_require(chain->max_error_ns >= 0 && chain->max_error_ns <= MT_CHAIN_ERROR_MAX_NS);
}

static void check_associations(const struct mt_config_associations *found)
{
    bool is_taken[256] = {false};
    fuzz_require(found->count > 0 && found->count <= 256);
    for (size_t i = 0; i < found->count; i++) {
        const struct mt_security_association *association = &found->association[i];
        fuzz_require(!is_taken[association->spp]);
        is_taken[association->spp] = true;
        fuzz_require((association->key_count > 0) != (association->chain != NULL));
        check_keys(association);
        if (association->chain != NULL) {
            check_chain(association->chain);
        }
    }
}

static void read_associations(const char *text, size_t length)
{
    struct mt_config_pool pool = {0};
    struct mt_config_associations found;
    problems.count = 0;
    if (mt_config_associations_parse(text, length, "f", &pool, &problems, &found)) {
        fuzz_require(problems.count == 0);
        check_associations(&found);
    } else {
        check_problems();
    }
    mt_config_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_ntp((const char *)data, size);
    read_associations((const char *)data, size);
    return 0;
}
