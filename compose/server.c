/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server: its rules, sorted so that the first one that fits is the one with most bits, its
 * keys, and what it serves of its clock.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ntp_keys.h"
#include "crypto/crypto.h"
#include "runtime/ntp_serve.h"

#define LOG_RATE_SHARE 2

/* what the node works with, and the memory of it */
struct composed_server {
    struct mt_node_server node;
    struct mt_ntp_keys keys;
    struct mt_config_pool pool;
    struct mt_ntp_rule *rules;
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

/* ---- keys ------------------------------------------------------------------------------------ */

static bool set_keys(struct composed_server *self, const struct mt_config_server *config,
                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_config_problems problems = {0};
    if (config->key_file == NULL) {
        return true;
    }
    if (!mt_config_ntp_keys_load(config->key_file, &self->pool, &problems, &self->keys)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", MT_HAL_REASON_SIZE - 1,
                 problems.problem[0].text);
        return false;
    }
    self->keys.crypto = &mt_crypto_nettle;
    self->node.rules.keys = &self->keys;
    return true;
}

/* ---- what is served -------------------------------------------------------------------------- */

static void set_serving(struct mt_ntp_serving_config *serving,
                        const struct mt_config_server *config)
{
    *serving = (struct mt_ntp_serving_config){
        .stratum = config->stratum_is_auto ? 0 : config->stratum,
        .local_stratum = config->local_stratum,
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
    struct mt_ntp_rule *rules =
        server != NULL ? mt_compose_server_rules(config, &server->node.rules) : NULL;
    if (rules == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        free(server);
        return false;
    }
    server->rules = rules;
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
        free(server->rules);
        free(server);
    }
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
    };
    return true;
}
