/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A list from the newest set to the oldest that is still there.  A set may be freed once each user
 * has taken a newer one: a user says which one it has taken when it has put away the one before.
 */
#include "platform/linux/linux_ntp_rules.h"

#include <stdlib.h>
#include <string.h>

struct mt_ntp_rules_set {
    struct mt_ntp_ruling ruling;
    struct mt_ntp_keys keys;
    uint64_t number; /* > 0 */
    struct mt_ntp_rules_set *older;
    struct mt_ntp_key *key;
    struct mt_ntp_rule *rule;
};

static struct mt_ntp_rules_set *copy(const struct mt_ntp_ruling *ruling)
{
    const struct mt_ntp_server *server = &ruling->server;
    size_t keys = server->keys != NULL ? server->keys->count : 0;
    size_t rules = server->rule_count;
    struct mt_ntp_rules_set *set = calloc(1, sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    set->key = calloc(keys + 1, sizeof *set->key);
    set->rule = calloc(rules + 1, sizeof *set->rule);
    set->ruling = *ruling;
    if (set->key == NULL || set->rule == NULL) {
        free(set->key);
        free(set->rule);
        free(set);
        return NULL;
    }
    if (rules > 0) {
        memcpy(set->rule, server->rules, rules * sizeof *set->rule);
    }
    if (keys > 0) {
        memcpy(set->key, server->keys->key, keys * sizeof *set->key);
    }
    set->ruling.server.rules = set->rule;
    if (server->keys != NULL) {
        set->keys = *server->keys;
        set->keys.key = set->key;
        set->ruling.server.keys = &set->keys;
    }
    return set;
}

static void end(struct mt_ntp_rules_set *set)
{
    while (set != NULL) {
        struct mt_ntp_rules_set *older = set->older;
        explicit_bzero(set->key, set->keys.count * sizeof *set->key);
        free(set->key);
        free(set->rule);
        free(set);
        set = older;
    }
}

bool mt_ntp_rules_put(struct mt_ntp_rules *self, const struct mt_ntp_ruling *ruling)
{
    struct mt_ntp_rules_set *before = atomic_load_explicit(&self->newest, memory_order_relaxed);
    struct mt_ntp_rules_set *set = copy(ruling);
    if (set == NULL) {
        return false;
    }
    set->older = before;
    set->number = before != NULL ? before->number + 1 : 1;
    atomic_store_explicit(&self->newest, set, memory_order_release);
    return true;
}

bool mt_ntp_rules_clean(struct mt_ntp_rules *self, struct mt_ntp_rules_user *const *users,
                        unsigned count)
{
    struct mt_ntp_rules_set *newest = atomic_load_explicit(&self->newest, memory_order_relaxed);
    struct mt_ntp_rules_set *set = newest;
    uint64_t oldest = UINT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        uint64_t number = atomic_load_explicit(&users[i]->number, memory_order_acquire);
        oldest = number < oldest ? number : oldest;
    }
    while (set != NULL && set->number > oldest) {
        set = set->older;
    }
    if (set != NULL) { /* somebody uses this one, or may yet take it */
        end(set->older);
        set->older = NULL;
    }
    return set == newest;
}

void mt_ntp_rules_end(struct mt_ntp_rules *self)
{
    end(atomic_load_explicit(&self->newest, memory_order_relaxed));
    atomic_store_explicit(&self->newest, NULL, memory_order_relaxed);
}

const struct mt_ntp_ruling *mt_ntp_rules_take(struct mt_ntp_rules *self,
                                              struct mt_ntp_rules_user *user)
{
    const struct mt_ntp_rules_set *set = atomic_load_explicit(&self->newest, memory_order_acquire);
    if (set == user->set) {
        return NULL;
    }
    user->set = set;
    atomic_store_explicit(&user->number, set->number, memory_order_release);
    return &set->ruling;
}
