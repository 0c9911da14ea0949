/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server: its rules, sorted so that the first one that fits is the one with most bits, its
 * keys, and what it serves of its clock.  A reload changes all of these; where it listens, and with
 * how many threads, waits for a restart, and so does NTS.  Threads have copies of rules and keys,
 * so that those here may change (`server_changes` tells whoever feeds them).
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ntp_keys.h"
#include "crypto/crypto.h"
#include "runtime/ntp_in_ptp.h"
#include "runtime/ntp_serve.h"

#define LOG_RATE_SHARE 2

/* what the node works with, and the memory of it */
struct composed_server {
    struct mt_node_server node;
    struct mt_ntp_keys keys;
    struct mt_config_pool pool;
    struct mt_ntp_rule *rules;
    struct mt_ntp_keys fresh; /* of a reload */
    struct mt_config_pool fresh_pool;
    bool has_fresh;
};

/* ---- rules ----------------------------------------------------------------------------------- */

static void add_rules(struct mt_ntp_rule *rules, const struct mt_config_stations *list,
                      bool is_allowed, uint16_t *count)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mt_config_station *station = &list->station[i];
        size_t bits = 8 * mt_address_length(&station->address);
        rules[(*count)++] = (struct mt_ntp_rule){
            .range = {station->address,
                      (uint8_t)(station->has_number && station->number < bits ? station->number
                                                                              : bits)},
            .is_allowed = is_allowed,
        };
    }
}

/* Most bits first, denied ones before allowed ones of as many. */
static int compare_rules(const void *a, const void *b)
{
    const struct mt_ntp_rule *one = a;
    const struct mt_ntp_rule *other = b;
    int bits = (int)other->range.prefix_bits - (int)one->range.prefix_bits;
    return bits != 0 ? bits : (int)one->is_allowed - (int)other->is_allowed;
}

struct mt_ntp_rule *mt_compose_server_rules(const struct mt_config_server *config,
                                            struct mt_ntp_server *ret_server)
{
    struct mt_ntp_rule *rules =
        calloc(config->allowed.count + config->denied.count + 1, sizeof *rules);
    uint16_t count = 0;
    if (rules == NULL) {
        return NULL;
    }
    add_rules(rules, &config->denied, false, &count);
    add_rules(rules, &config->allowed, true, &count);
    qsort(rules, count, sizeof *rules, compare_rules);
    *ret_server = (struct mt_ntp_server){.rules = rules,
                                         .rule_count = count,
                                         .denies_others = config->allowed.count > 0,
                                         .requires_key = config->require_key,
                                         .requires_nts = config->require_nts,
                                         .log_rate_share = LOG_RATE_SHARE};
    return rules;
}

/* False: no memory, and nothing has changed. */
static bool set_rules(struct composed_server *self, const struct mt_config_server *config)
{
    struct mt_ntp_server server;
    struct mt_ntp_rule *rules = mt_compose_server_rules(config, &server);
    if (rules == NULL) {
        return false;
    }
    free(self->rules);
    self->rules = rules;
    server.keys = self->node.rules.keys;
    self->node.rules = server;
    return true;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool load_keys(const char *path, struct mt_config_pool *pool, struct mt_ntp_keys *ret_keys,
                      char reason[MT_HAL_REASON_SIZE])
{
    struct mt_config_problems problems = {0};
    if (!mt_config_ntp_keys_load(path, pool, &problems, ret_keys)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", MT_HAL_REASON_SIZE - 1,
                 problems.problem[0].text);
        return false;
    }
    ret_keys->crypto = &mt_crypto_nettle;
    return true;
}

static bool set_keys(struct composed_server *self, const struct mt_config_server *config,
                     char reason[MT_HAL_REASON_SIZE])
{
    if (config->key_file == NULL) {
        return true;
    }
    self->node.rules.keys = &self->keys;
    return load_keys(config->key_file, &self->pool, &self->keys, reason);
}

/* ---- what is served -------------------------------------------------------------------------- */

static void set_serving(struct mt_ntp_serving_config *serving,
                        const struct mt_config_server *config)
{
    *serving = (struct mt_ntp_serving_config){
        .stratum = config->stratum_is_auto ? 0 : config->stratum,
        .local_stratum = config->local_stratum,
        .is_orphan = config->is_orphan,
        .has_reference_id = config->reference_id != NULL,
        .smear_s = (int32_t)(mt_interval_to_ns(config->smear) / MT_NS_PER_S),
        .max_error = config->max_error,
        .crypto = &mt_crypto_nettle,
    };
    if (config->reference_id != NULL) {
        size_t length = strlen(config->reference_id);
        memcpy(serving->reference_id, config->reference_id, length < 4 ? length : 4);
    }
}

bool mt_compose_server(struct mt_composition *self, char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_server *config = &self->config->server;
    if (!self->config->has_server) {
        return true;
    }
    struct composed_server *server = calloc(1, sizeof *server);
    if (server == NULL || !set_rules(server, config)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        free(server);
        return false;
    }
    self->node.server = &server->node;
    server->node.clock = (uint16_t)config->clock_index;
    set_serving(&server->node.config, config);
    return set_keys(server, config, reason);
}

void mt_compose_free_server(struct mt_composition *self)
{
    struct composed_server *server = (struct composed_server *)self->node.server;
    if (server != NULL) {
        free(server->node.in_ptp);
        mt_config_pool_free(&server->pool);
        mt_config_pool_free(&server->fresh_pool);
        free(server->rules);
        free(server);
    }
}

/* ---- reload ---------------------------------------------------------------------------------- */

bool mt_compose_is_server_key(const char *name)
{
    static const char *const keys[] = {
        "allow",       "deny",        "rate_limit",   "rate_burst", "key_file",
        "require_key", "require_nts", "nts_rotate",   "stratum",    "local_stratum",
        "orphan",      "max_error",   "reference_id", "smear",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_same_path(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

bool mt_compose_server_plan(struct mt_composition *self, const struct mt_config *config,
                            char reason[MT_HAL_REASON_SIZE])
{
    struct composed_server *server = (struct composed_server *)self->node.server;
    const char *path = config->server.key_file;
    if (server == NULL || !config->has_server || path == NULL) {
        return true;
    }
    mt_config_pool_free(&server->fresh_pool);
    server->has_fresh = load_keys(path, &server->fresh_pool, &server->fresh, reason);
    if (server->has_fresh) {
        return true;
    }
    if (!is_same_path(path, self->in_force.server.key_file)) {
        return false;
    }
    mt_compose_tell_unread(self, "%.*s; the old keys stay in force", MT_HAL_REASON_SIZE, reason);
    return true;
}

/* Null: it is no text. */
static const char *text_of(const struct mt_config_key *key, const struct mt_config_server *config)
{
    const char *text = NULL;
    if (key->type == MT_CONFIG_PATH || key->type == MT_CONFIG_NAME) {
        memcpy(&text, (const char *)config + key->offset, sizeof text);
    }
    return text;
}

bool mt_compose_server_take(struct mt_composition *self, const struct mt_config_change *change,
                            const struct mt_config_server *wanted)
{
    struct mt_config_server *config = &self->in_force.server;
    const char *before = text_of(change->key, config);
    if (change->key->type == MT_CONFIG_STATIONS) {
        bool is_allow = strcmp(change->key->name, "allow") == 0;
        return mt_compose_replace_stations(&self->reload_pool,
                                           is_allow ? &wanted->allowed : &wanted->denied,
                                           is_allow ? &config->allowed : &config->denied);
    }
    if (!mt_config_value_parse(change->key, change->after, config, &self->reload_pool)) {
        return false;
    }
    mt_config_pool_give_back(&self->reload_pool, before);
    return true;
}

static bool are_same(const struct mt_ntp_keys *a, const struct mt_ntp_keys *b)
{
    bool is_same = a->count == b->count;
    for (uint16_t i = 0; is_same && i < a->count; i++) {
        const struct mt_ntp_key *one = &a->key[i];
        const struct mt_ntp_key *other = &b->key[i];
        is_same = one->id == other->id && one->kind == other->kind &&
                  one->length == other->length &&
                  memcmp(one->octets, other->octets, one->length) == 0;
    }
    return is_same;
}

/* True if they are others. */
static bool take_keys(struct mt_composition *self, struct composed_server *server)
{
    const char *path = self->in_force.server.key_file;
    if (path == NULL) {
        server->node.rules.keys = NULL;
        return false; /* which the key of the configuration has told */
    }
    bool is_new = server->has_fresh && !are_same(&server->keys, &server->fresh);
    if (server->has_fresh) {
        mt_config_pool_free(&server->pool);
        server->keys = server->fresh;
        server->pool = server->fresh_pool;
        server->fresh_pool = (struct mt_config_pool){NULL};
        server->has_fresh = false;
    }
    server->node.rules.keys = &server->keys;
    return is_new;
}

/* Of requests in PTP messages; those of threads are theirs to set. */
static void set_limit(struct mt_ntp_limit *limit, const struct mt_config_server *config)
{
    limit->count = config->has_no_limit ? 0 : MT_NTP_IN_PTP_LIMITED;
    limit->log_interval = config->log_rate_limit;
    limit->burst = config->rate_burst;
}

bool mt_compose_server_again(struct mt_composition *self, const struct mt_config *config,
                             bool is_changed)
{
    struct composed_server *server = (struct composed_server *)self->node.server;
    struct mt_config_server *in_force = &self->in_force.server;
    if (server == NULL) {
        return true;
    }
    if (in_force->local_stratum_is_auto && config->has_server &&
        config->server.local_stratum_is_auto) { /* it follows from what there is to follow */
        in_force->local_stratum = config->server.local_stratum;
    }
    if (take_keys(self, server)) {
        is_changed = true;
        mt_compose_tell_applied(self, "keys of %.100s (server)", in_force->key_file);
    }
    set_serving(&server->node.config, in_force);
    if (server->node.in_ptp != NULL) {
        set_limit(&server->node.in_ptp->worker.limit, in_force);
    }
    self->node.clocks[server->node.clock].needs_report |= is_changed;
    self->server_changes += is_changed;
    return !is_changed || set_rules(server, in_force);
}

bool mt_compose_report_server(const struct mt_composition *self,
                              struct mt_report_server *ret_report)
{
    const struct mt_node_server *server = self->node.server;
    if (server == NULL) {
        return false;
    }
    *ret_report = (struct mt_report_server){
        .clock = self->config->clocks[server->clock].name,
        .served = &server->serving.served,
        .is_smeared = server->config.smear_s > 0,
        .outcomes = server->by_workers,
        .key_exchanges = self->key_exchanges,
        .key_fault = self->key_fault,
    };
    return true;
}
