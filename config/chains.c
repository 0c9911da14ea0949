/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The settings of an association whose keys are disclosed later.  `chain` comes first, since what
 * the others set lies in what it makes; that a seed leads to its anchor is the cryptography's to
 * find out, see mt_chain_init(). */
#include "config/associations_private.h"
#include "config/reader.h"

#include <string.h>

#include "config/value_private.h"

#define CHECKPOINTS 256

typedef bool chain_setting(struct mt_chain *chain, const char *text);

static bool set_interval(struct mt_chain *chain, const char *text)
{
    uint64_t value;
    bool is_good = mt_config_number_parse(text, 3600000, &value) && value > 0;
    chain->interval_ms = is_good ? (uint32_t)value : chain->interval_ms;
    return is_good;
}

static bool set_length(struct mt_chain *chain, const char *text)
{
    uint64_t value;
    bool is_good = mt_config_number_parse(text, MT_CHAIN_LENGTH_MAX, &value) && value > 0;
    chain->length = is_good ? (uint32_t)value : chain->length;
    return is_good;
}

static bool set_delay(struct mt_chain *chain, const char *text)
{
    uint64_t value;
    bool is_good = mt_config_number_parse(text, 255, &value) && value > 0;
    chain->disclosure_delay = is_good ? (uint8_t)value : chain->disclosure_delay;
    return is_good;
}

static bool set_error(struct mt_chain *chain, const char *text)
{
    uint64_t value;
    bool is_good = mt_config_number_parse(text, MT_CHAIN_ERROR_MAX_NS / 1000000, &value);
    chain->max_error_ns = is_good ? (int64_t)value * 1000000 : chain->max_error_ns;
    return is_good;
}

static bool set_start(struct mt_chain *chain, const char *text)
{
    uint64_t value;
    bool is_good = mt_config_number_parse(text, UINT32_MAX, &value) && value > 0;
    chain->start_s = is_good ? (int64_t)value : chain->start_s;
    return is_good;
}

static bool set_octets(uint8_t to[MT_CHAIN_KEY_SIZE], const char *text)
{
    struct mt_security_key key = {0};
    bool is_good = mt_config_octets_parse(text, &key) && key.length == MT_CHAIN_KEY_SIZE;
    if (is_good) {
        memcpy(to, key.octets, MT_CHAIN_KEY_SIZE);
    }
    mt_config_forget(&key, sizeof key);
    return is_good;
}

static bool set_seed(struct mt_chain *chain, const char *text)
{
    chain->has_seed = true;
    return set_octets(chain->seed, text);
}

static bool set_anchor(struct mt_chain *chain, const char *text)
{
    chain->has_anchor = true;
    return set_octets(chain->anchor, text);
}

static bool set_sender(struct mt_chain *chain, const char *text)
{
    chain->has_sender = true;
    const char *rest = mt_config_identity_parse(text, &chain->sender);
    return rest != NULL && *rest == '\0';
}

static const struct {
    const char *name;
    chain_setting *set;
    const char *problem;
} settings[] = {
    {"chain_start", set_start, "chain_start: expected seconds since 1970, TAI"},
    {"chain_interval", set_interval, "chain_interval: expected milliseconds, 1 to 3600000"},
    {"chain_length", set_length, "chain_length: expected an integer from 1 to 65536"},
    {"chain_delay", set_delay, "chain_delay: expected an integer from 1 to 255"},
    {"chain_error", set_error, "chain_error: expected milliseconds, 0 to 3600000"},
    {"chain_seed", set_seed, "chain_seed: expected HEX: or B64: and 32 octets"},
    {"chain_anchor", set_anchor, "chain_anchor: expected HEX: or B64: and 32 octets"},
    {"chain_sender", set_sender, "chain_sender: expected a clock identity"},
};

static const char *begin(struct mt_config_pool *pool, struct mt_security_association *association,
                         const char *text)
{
    enum mt_mac_kind kind;
    uint8_t length;
    if (!mt_config_mac_parse(text, &kind, &length)) {
        return "chain: expected SHA256-128, SHA256, AES128 or AES256";
    }
    struct mt_chain *chain = mt_config_pool_take(pool, sizeof *chain);
    uint8_t(*checkpoints)[MT_CHAIN_KEY_SIZE] =
        mt_config_pool_take(pool, CHECKPOINTS * sizeof *checkpoints);
    if (chain == NULL || checkpoints == NULL) {
        return "out of memory";
    }
    *chain = (struct mt_chain){.mac = kind,
                               .length = MT_CHAIN_LENGTH_MAX,
                               .interval_ms = 500,
                               .disclosure_delay = 2,
                               .max_error_ns = 250000000,
                               .checkpoints = checkpoints,
                               .checkpoint_count = CHECKPOINTS};
    association->chain = chain;
    return NULL;
}

bool mt_config_chain_set(struct mt_config_pool *pool, struct mt_security_association *association,
                         const char *name, const char *text, const char **ret_problem)
{
    *ret_problem = NULL;
    if (strcmp(name, "chain") == 0) {
        *ret_problem = association->chain != NULL ? "this association already has a chain"
                                                  : begin(pool, association, text);
        return true;
    }
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(name, settings[i].name) != 0) {
            continue;
        }
        if (association->chain == NULL) {
            *ret_problem = "expected chain KIND before what belongs to a chain";
        } else if (!settings[i].set(association->chain, text)) {
            *ret_problem = settings[i].problem;
        }
        return true;
    }
    return false;
}

const char *mt_config_chain_check(const struct mt_chain *chain)
{
    if (chain->start_s == 0) {
        return "this chain has no chain_start";
    }
    if (!chain->has_seed && !chain->has_anchor) {
        return "this chain has neither chain_seed nor chain_anchor";
    }
    if (chain->max_error_ns >
        (int64_t)chain->interval_ms * (chain->disclosure_delay - 1) * 1000000) {
        return "chain_error is larger than chain_interval times (chain_delay - 1): what is sent "
               "late in an interval would not be safe";
    }
    return NULL;
}
