/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers under a new configuration while the node runs.  First it is worked out what becomes
 * of each section, and new ones are made with their keys: whatever is wrong with them is found
 * while nothing has changed yet.  Then servers that leave are parted with: the arbiter chooses
 * among the others, and only when no clock follows them any more, what is known of them is
 * forgotten.  So the clock goes on.  A server whose keys have changed is another one, but for what
 * the user thinks of it (trust, require, prefer, select).
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fate {
    STAYS,
    IS_SEEN_ANEW, /* what the user thinks of it has changed */
    IS_REPLACED,
    LEAVES,
    COMES,
    WAITS, /* for a restart, as `refusal` says why */
};

struct step {
    enum fate fate;
    const struct mt_config_ntp *wanted; /* null: none */
    struct mt_compose_ntp *before;      /* null: it is new */
    struct mt_compose_ntp *fresh;       /* to be asked from now on */
    const char *refusal;
    struct mt_ntp_keys keys; /* of one that stays */
    struct mt_config_pool key_pool;
    bool has_keys;
};

struct mt_compose_ntp_plan {
    const struct mt_config *config;
    size_t old_count;
    size_t count;
    struct step steps[]; /* of those in force, then of new ones */
};

/* ---- what has changed ------------------------------------------------------------------------ */

static bool is_opinion(const struct mt_config_key *key)
{
    return strcmp(key->name, "trust") == 0 || strcmp(key->name, "require") == 0 ||
           strcmp(key->name, "prefer") == 0 || strcmp(key->name, "select") == 0;
}

static void note_change(void *context, const struct mt_config_change *change)
{
    struct mt_compose_ntp_plan *plan = context;
    if (strcmp(change->section, "ntp") != 0) {
        return;
    }
    struct step *step = &plan->steps[change->index];
    switch (change->kind) {
    case MT_CONFIG_CHANGED:
        if (!is_opinion(change->key)) {
            step->fate = IS_REPLACED;
        } else if (step->fate == STAYS) {
            step->fate = IS_SEEN_ANEW;
        }
        break;
    case MT_CONFIG_REMOVED:
        step->fate = LEAVES;
        break;
    case MT_CONFIG_ADDED:
        plan->steps[plan->count++] =
            (struct step){.fate = COMES, .wanted = &plan->config->ntps[change->index]};
        break;
    }
}

static const struct mt_config_ntp *find_wanted(const struct mt_config *config, const char *name)
{
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (strcmp(config->ntps[i].name, name) == 0) {
            return &config->ntps[i];
        }
    }
    return NULL;
}

static struct mt_compose_ntp_plan *compare(const struct mt_composition *self,
                                           const struct mt_config *config)
{
    size_t old_count = self->in_force.ntp_count;
    struct mt_compose_ntp_plan *plan =
        calloc(1, sizeof *plan + (old_count + config->ntp_count) * sizeof plan->steps[0]);
    if (plan == NULL) {
        return NULL;
    }
    plan->config = config;
    plan->old_count = plan->count = old_count;
    for (size_t i = 0; i < old_count; i++) {
        plan->steps[i].before = self->ntps[i];
        plan->steps[i].wanted = find_wanted(config, self->ntps[i]->config.name);
    }
    mt_config_compare(&self->in_force, config, note_change, plan);
    return plan;
}

/* ---- what can be done ------------------------------------------------------------------------ */

/* Clocks are counted otherwise in another configuration. */
static size_t find_clock(const struct mt_config *config, const char *name)
{
    size_t clock = 0;
    while (clock < config->clock_count && strcmp(config->clocks[clock].name, name) != 0) {
        clock++;
    }
    return clock;
}

/* Null: nothing is in the way. */
static const char *refusal_of(const struct mt_composition *self, const struct mt_config_ntp *wanted)
{
    size_t clock = find_clock(self->config, wanted->clock);
    if (clock == self->config->clock_count) {
        return "its clock is new";
    }
    if (self->node.clocks[clock].standby.is_used) {
        return "its clock has had instances in hot standby only";
    }
    if (wanted->transport != MT_CONFIG_NTP_UDP) {
        return "it is asked in PTP messages";
    }
    if (wanted->nts && !self->speaks_nts) {
        return "it is the first one that speaks NTS";
    }
    return NULL;
}

static bool make_fresh(struct mt_composition *self, struct step *step,
                       char reason[MT_HAL_REASON_SIZE])
{
    step->refusal = refusal_of(self, step->wanted);
    if (step->refusal != NULL) {
        step->fate = WAITS;
        return true;
    }
    step->fresh = mt_compose_ntp_new(self, step->wanted, reason);
    if (step->fresh != NULL) {
        step->fresh->config.clock_index = find_clock(self->config, step->wanted->clock);
    }
    return step->fresh != NULL;
}

/* A file that is no good leaves the old ones in force. */
static void read_keys(struct mt_composition *self, struct step *step)
{
    const struct mt_config_ntp *config = &step->before->config;
    char reason[MT_HAL_REASON_SIZE];
    if (config->client.key == 0) {
        return;
    }
    step->has_keys = mt_compose_ntp_keys(config, &step->key_pool, &step->keys, reason);
    if (!step->has_keys) {
        mt_compose_tell_unread(self, "%.*s; the old keys stay in force", MT_HAL_REASON_SIZE,
                               reason);
    }
}

struct mt_compose_ntp_plan *mt_compose_ntp_plan(struct mt_composition *self,
                                                const struct mt_config *config,
                                                char reason[MT_HAL_REASON_SIZE])
{
    struct mt_compose_ntp_plan *plan = compare(self, config);
    if (plan == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < plan->count; i++) {
        struct step *step = &plan->steps[i];
        if ((step->fate == COMES || step->fate == IS_REPLACED) && !make_fresh(self, step, reason)) {
            mt_compose_ntp_unplan(plan);
            return NULL;
        }
    }
    for (size_t i = 0; i < plan->old_count; i++) {
        if (plan->steps[i].fate != LEAVES && plan->steps[i].fresh == NULL) {
            read_keys(self, &plan->steps[i]);
        }
    }
    return plan;
}

/* What the node has taken is not the plan's any more. */
void mt_compose_ntp_unplan(struct mt_compose_ntp_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        mt_compose_ntp_free(plan->steps[i].fresh);
        mt_config_pool_free(&plan->steps[i].key_pool);
    }
    free(plan);
}

bool mt_compose_ntp_takes(const struct mt_compose_ntp_plan *plan,
                          const struct mt_config_change *change, const char **ret_refusal)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->steps[i];
        const char *name = step->wanted != NULL ? step->wanted->name : step->before->config.name;
        if (strcmp(name, change->name) == 0) {
            *ret_refusal = step->refusal;
            return step->fate != WAITS;
        }
    }
    return false;
}

bool mt_compose_ntp_is_any(const struct mt_compose_ntp_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].fate != STAYS && plan->steps[i].fate != WAITS) {
            return true;
        }
    }
    return false;
}

/* ---- what is done ---------------------------------------------------------------------------- */

static bool is_gone(const struct step *step)
{
    return step->fate == LEAVES || step->fate == IS_REPLACED;
}

/* Who is judged has changed: so is the judgement, at the next occasion. */
static bool renew_arbiters(struct mt_composition *self)
{
    bool is_good = true;
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        is_good &= mt_compose_arbiter(self, i);
        self->node.clocks[i].needs_report = true;
    }
    return is_good;
}

static void part_with(struct mt_composition *self, const struct mt_compose_ntp_plan *plan,
                      struct mt_mono now)
{
    bool is_any = false;
    for (size_t i = 0; i < plan->old_count; i++) {
        if (is_gone(&plan->steps[i])) {
            mt_compose_ntp_part(self, plan->steps[i].before);
            is_any = true;
        }
    }
    if (!is_any) {
        return;
    }
    (void)renew_arbiters(self); /* of fewer: memory is not wanted */
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        (void)mt_arbiter_duty_judge(&self->node, i, now);
    }
    for (size_t i = 0; i < plan->old_count; i++) {
        if (is_gone(&plan->steps[i])) {
            mt_compose_ntp_forget(self, plan->steps[i].before);
        }
    }
}

static bool are_same(const struct mt_ntp_keys *a, const struct mt_ntp_keys *b, uint32_t id)
{
    const struct mt_ntp_key *one = mt_ntp_key_find(a, id);
    const struct mt_ntp_key *other = mt_ntp_key_find(b, id);
    return one != NULL && other != NULL && one->kind == other->kind &&
           one->length == other->length && memcmp(one->octets, other->octets, one->length) == 0;
}

/* The client looks its key up each time. */
static void take_keys(struct mt_composition *self, struct step *step)
{
    struct mt_compose_ntp *section = step->before;
    if (!step->has_keys) {
        return;
    }
    if (!are_same(&section->keys, &step->keys, section->config.client.key)) {
        mt_compose_tell_applied(self, "key %u of %.90s (ntp %.40s)",
                                (unsigned)section->config.client.key, section->config.key_file,
                                section->config.name);
    }
    mt_config_pool_free(&section->key_pool);
    section->keys = step->keys;
    section->key_pool = step->key_pool;
    step->key_pool = (struct mt_config_pool){NULL};
}

static void take_all_keys(struct mt_composition *self, struct mt_compose_ntp_plan *plan)
{
    for (size_t i = 0; i < plan->old_count; i++) {
        take_keys(self, &plan->steps[i]);
    }
}

/* Who cannot be asked after all (there are too many) leaves as if it had never come. */
static bool begin(struct mt_composition *self, struct step *step, struct mt_mono now)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    if (mt_compose_ntp_ask(self, step->fresh, now, reason)) {
        return true;
    }
    mt_compose_ntp_part(self, step->fresh);
    mt_compose_ntp_forget(self, step->fresh);
    if (step->fate == COMES) {
        mt_compose_take_back(self, "ntp %s is new", step->fresh->config.name);
    }
    mt_compose_tell_refused(self, "ntp %.60s cannot be asked: %.150s", step->fresh->config.name,
                            reason);
    return false;
}

/* The old sections and those of the file, in the order in which they came. */
static size_t begin_all(struct mt_composition *self, struct mt_compose_ntp_plan *plan,
                        struct mt_compose_ntp **list, struct mt_mono now)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct step *step = &plan->steps[i];
        if (step->fate == IS_SEEN_ANEW) {
            step->before->config.choice = step->wanted->choice;
        }
        if (step->before != NULL && !is_gone(step)) {
            list[count++] = step->before;
        }
        if (step->fresh != NULL && begin(self, step, now)) {
            list[count++] = step->fresh;
            step->fresh = NULL;
        }
    }
    return count;
}

static void set_defaults(struct mt_composition *self, const struct mt_config *config)
{
    struct mt_config_pool pool = {NULL};
    struct mt_config_ntp defaults;
    if (mt_config_ntp_copy(&config->ntp_defaults, &pool, &defaults)) {
        mt_config_pool_free(&self->defaults_pool);
        self->defaults_pool = pool;
        self->in_force.ntp_defaults = defaults;
        self->in_force.has_ntp_defaults = config->has_ntp_defaults;
    } else {
        mt_config_pool_free(&pool);
    }
}

bool mt_compose_ntp_again(struct mt_composition *self, struct mt_compose_ntp_plan *plan,
                          struct mt_mono now)
{
    set_defaults(self, plan->config);
    if (!mt_compose_ntp_is_any(plan)) {
        take_all_keys(self, plan);
        return true;
    }
    struct mt_compose_ntp **list = calloc(plan->count + 1, sizeof(*list));
    if (list == NULL || !mt_compose_ntp_reserve(self, plan->count)) {
        free(list);
        return false;
    }
    take_all_keys(self, plan);
    part_with(self, plan, now);
    size_t count = begin_all(self, plan, list, now);
    mt_compose_ntp_list(self, list, count);
    for (size_t i = 0; i < plan->old_count; i++) {
        if (is_gone(&plan->steps[i])) {
            mt_compose_ntp_free(plan->steps[i].before);
        }
    }
    free(list);
    self->names_at = (struct mt_mono){0}; /* new names are looked up at once */
    return renew_arbiters(self);
}
