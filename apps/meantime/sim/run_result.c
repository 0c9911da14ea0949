/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Results of runs: pooled over seeds, and freed.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/run.h"

void mt_run_result_free(struct mt_run_result *self)
{
    for (uint32_t i = 0; i < self->node_count; i++) {
        if (self->published != NULL) {
            mt_statistics_free(&self->published[i]);
        }
        if (self->steered != NULL) {
            mt_statistics_free(&self->steered[i]);
        }
    }
    free(self->published);
    free(self->steered);
    free(self->phases);
    memset(self, 0, sizeof *self);
}

/* The worst of both. */
static void merge_phase(struct mt_run_phase *self, const struct mt_run_phase *other)
{
    if (other->worst_ns > self->worst_ns) {
        self->worst_ns = other->worst_ns;
        self->worst_node = other->worst_node;
    }
    self->outside += other->outside;
    self->changes += other->changes;
    if (other->last_change_ns > self->last_change_ns) {
        self->last_change_ns = other->last_change_ns;
    }
    if (other->end_ns > self->end_ns) {
        self->end_ns = other->end_ns;
    }
    if (other->standing.followers < self->standing.followers) {
        self->standing = other->standing;
    }
}

void mt_run_result_merge(struct mt_run_result *self, const struct mt_run_result *other)
{
    for (uint32_t i = 0; i < self->node_count; i++) {
        mt_statistics_merge(&self->published[i], &other->published[i]);
        if (self->steered != NULL) {
            mt_statistics_merge(&self->steered[i], &other->steered[i]);
        }
    }
    for (uint32_t i = 0; i < self->phase_count; i++) {
        merge_phase(&self->phases[i], &other->phases[i]);
    }
    self->t_ns = other->t_ns > self->t_ns ? other->t_ns : self->t_ns;
    self->messages += other->messages;
    if (self->complaint[0] == '\0') {
        memcpy(self->complaint, other->complaint, sizeof self->complaint);
    }
}
