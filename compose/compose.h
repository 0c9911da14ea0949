/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Composition: a configuration and a platform become a running node.  The daemon does it once at
 * start, the simulator for each of its nodes; neither runtime nor config know each other.
 * The configuration that it is made from must outlive the composition.
 * Thread rule: one thread at a time.
 */
#ifndef MEANTIME_COMPOSE_COMPOSE_H
#define MEANTIME_COMPOSE_COMPOSE_H

#include "config/config.h"
#include "hal/provider.h"
#include "runtime/node.h"

#define MT_COMPOSE_NOTES_MAX 8

/** What is known of the world. */
struct mt_compose_facts {
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    int32_t leap_s; /**< leap second at the end of this UTC day: -1, 0 or +1 */
};

struct mt_composition {
    const struct mt_config *config;
    struct mt_node node;
    struct mt_compose_facts facts;
    struct mt_mono started;
    /** Sentences that the user should read: what was done differently and why. */
    char notes[MT_COMPOSE_NOTES_MAX][MT_HAL_REASON_SIZE];
    size_t note_count;
};

/** Opens all that the configuration names.  Null with a reason in one sentence if that is
 * impossible. */
struct mt_composition *mt_compose(const struct mt_config *config, struct mt_hal_provider *provider,
                                  const struct mt_compose_facts *facts,
                                  char reason[MT_HAL_REASON_SIZE]);
/** Frees the node; clocks and links are the platform's. */
void mt_composition_free(struct mt_composition *self);

/** Takes over what a new configuration may change while running (priorities, quality, time
 * properties).  False if it changes anything else: `ret_reason` says what, and that a restart is
 * needed; what could be taken over has been, and the old configuration stays.  If true the new
 * configuration replaces the old one, which the caller may free unless it is the first. */
bool mt_composition_reload(struct mt_composition *self, const struct mt_config *config,
                           struct mt_mono now, char ret_reason[MT_HAL_REASON_SIZE]);

/** What is known of the world has changed: instances announce it while they are grandmasters. */
void mt_composition_set_facts(struct mt_composition *self, const struct mt_compose_facts *facts,
                              struct mt_mono now);

/** Index of an instance or clock by name, or -1. */
int mt_composition_find_instance(const struct mt_composition *self, const char *name);

#endif
