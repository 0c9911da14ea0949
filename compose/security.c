/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Keys: read when an instance is composed, and again at each reload, so that they change without a
 * restart.  The new ones take the place of the old ones between two inputs; a file that is not
 * good leaves the old ones in force.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/associations.h"
#include "crypto/crypto.h"
#include "meantime/ptp_more.h"

#define SENDERS 64
#define HELD    256 /* messages that wait for their keys: some seconds of a busy transmitter */

/* what the core works with, and the memory of its keys */
struct composed_security {
    struct mt_security core;
    struct mt_config_pool pool;
    struct mt_security_sender senders[SENDERS];
    struct mt_security_held held[HELD];
};

static bool make_chains(const struct mt_config_associations *found, char reason[MT_HAL_REASON_SIZE])
{
    for (size_t i = 0; i < found->count; i++) {
        struct mt_chain *chain = found->association[i].chain;
        if (chain != NULL && !mt_chain_init(chain, &mt_crypto_nettle)) {
            snprintf(reason, MT_HAL_REASON_SIZE,
                     "association %u: chain_seed does not lead to chain_anchor",
                     found->association[i].spp);
            return false;
        }
    }
    return true;
}

static const struct mt_chain *find_same(const struct mt_security *security, uint8_t spp,
                                        const struct mt_chain *chain)
{
    for (unsigned i = 0; i < security->association_count; i++) {
        const struct mt_chain *old = security->associations[i].chain;
        if (security->associations[i].spp == spp && old != NULL && old->mac == chain->mac &&
            old->length == chain->length && old->interval_ms == chain->interval_ms &&
            old->start_s == chain->start_s && old->has_seed == chain->has_seed &&
            memcmp(old->anchor, chain->anchor, sizeof old->anchor) == 0) {
            return old;
        }
    }
    return NULL;
}

/* What has been disclosed stays so: a receiver need not go all the way again, nor take for safe
 * what anybody could have signed, and a sender never signs with a key that it has given away. */
static void keep_disclosed(const struct mt_security *security,
                           const struct mt_config_associations *found)
{
    for (size_t i = 0; i < found->count; i++) {
        struct mt_chain *chain = found->association[i].chain;
        const struct mt_chain *old =
            chain != NULL ? find_same(security, found->association[i].spp, chain) : NULL;
        if (old == NULL) {
            continue;
        }
        chain->known = old->known;
        memcpy(chain->known_key, old->known_key, sizeof chain->known_key);
        chain->rests_until = old->rests_until;
        chain->steps_left = old->steps_left;
        if (old->disclosure_delay == chain->disclosure_delay) {
            chain->signs = old->signs;
            memcpy(chain->signs_with, old->signs_with, sizeof chain->signs_with);
            memcpy(chain->disclosed_key, old->disclosed_key, sizeof chain->disclosed_key);
        }
        chain->disclosed = old->disclosed;
    }
}

static bool read_keys(struct composed_security *self, const struct mt_config *config,
                      uint16_t index, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_config_pool pool = {NULL};
    struct mt_config_problems problems = {0};
    struct mt_config_associations found;
    if (!mt_config_security_load(config, index, &pool, &problems, &found)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", MT_HAL_REASON_SIZE - 1,
                 problems.problem[0].text);
        mt_config_pool_free(&pool);
        return false;
    }
    if (!make_chains(&found, reason)) {
        mt_config_pool_free(&pool);
        return false;
    }
    keep_disclosed(&self->core, &found);
    self->core.associations = found.association;
    self->core.association_count = (uint16_t)found.count;
    mt_config_pool_free(&self->pool);
    self->pool = pool;
    return true;
}

bool mt_compose_security(const struct mt_config *config, uint16_t index,
                         struct mt_security **ret_security, char reason[MT_HAL_REASON_SIZE])
{
    *ret_security = NULL;
    if (config->instances[index].security_file == NULL) {
        return true;
    }
    struct composed_security *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    self->core.crypto = &mt_crypto_nettle;
    self->core.senders = self->senders;
    self->core.sender_count = SENDERS;
    self->core.held = self->held;
    self->core.held_max = HELD;
    if (!read_keys(self, config, index, reason)) {
        free(self);
        return false;
    }
    *ret_security = &self->core;
    return true;
}

static uint32_t first_key_of(const struct mt_security *security, uint8_t spp)
{
    for (unsigned i = 0; i < security->association_count; i++) {
        if (security->associations[i].spp == spp) {
            return security->associations[i].key_count > 0 ? security->associations[i].keys[0].id
                                                           : 0;
        }
    }
    return 0;
}

void mt_compose_port_security(const struct mt_config_port *config,
                              const struct mt_security *security, struct mt_port_security *ret_port)
{
    ret_port->spp = MT_SECURITY_OFF; /* what it has counted stays */
    ret_port->key_id = 0;
    ret_port->is_delayed = false;
    if (security != NULL && !config->has_no_spp) {
        ret_port->spp = config->spp;
        ret_port->key_id = config->active_key_id != 0 ? config->active_key_id
                                                      : first_key_of(security, config->spp);
    }
    if (security != NULL && !config->has_no_delayed_spp) {
        ret_port->is_delayed = true;
        ret_port->delayed_spp = config->delayed_spp;
    }
}

bool mt_compose_security_again(const struct mt_config *config, uint16_t index,
                               struct mt_instance *instance, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_security *security =
        instance->config.more != NULL ? instance->config.more->security : NULL;
    if (security == NULL || config->instances[index].security_file == NULL) {
        return true; /* that it comes or goes needs a restart */
    }
    if (!read_keys((struct composed_security *)security, config, index, reason)) {
        return false;
    }
    const struct mt_config_port *ports = &config->ports[config->instances[index].first_port];
    for (uint16_t i = 0; i < instance->port_count; i++) {
        mt_compose_port_security(&ports[i], security, &instance->ports[i].config.more->security);
    }
    return true;
}

void mt_compose_free_security(struct mt_security *security)
{
    struct composed_security *self = (struct composed_security *)security;
    if (self != NULL) {
        mt_config_pool_free(&self->pool);
        free(self);
    }
}
