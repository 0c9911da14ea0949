/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the parent says of its own error and of its grandmaster's, and what becomes of that which is
 * known of this clock's error when the grandmaster changes.  A receiver that says nothing of its
 * error needs none of this.
 */
#include "ptp/ptp_private.h"

/* From one traceable grandmaster to another: through TAI, to which both have their own error. */
static void keep_bound_to_tai(struct mt_instance *self, const struct mt_foreign *parent)
{
    struct mt_interval to_tai = mt_interval_plus(self->clock.bound, self->reference_bound);
    self->clock.bound = mt_interval_plus(to_tai, parent->reference_bound);
    if (mt_interval_is_too_large(self->clock.bound)) {
        self->clock.has_bound = false;
    }
}

/* What is known of the clock's error is against one grandmaster; against another that is traceable
 * as well it still says something, but only whoever steers the clock can tell how much. */
static void set_reference(struct mt_instance *self, const struct mt_foreign *parent, bool is_new)
{
    const uint16_t traceable = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    const struct mt_clock_identity *grandmaster = &parent->dataset.grandmaster;
    bool is_traceable = (parent->time.flags & traceable) == traceable &&
                        !mt_interval_is_too_large(parent->reference_bound);
    if (!mt_clock_identity_equal(grandmaster, &self->last_followed)) {
        self->is_same_grandmaster = false;
        if (is_new && is_traceable && self->was_traceable) {
            keep_bound_to_tai(self, parent);
        } else {
            self->has_new_reference = !is_new;
            self->is_same_reference = false;
            self->clock.has_bound = false;
        }
    }
    self->last_followed = *grandmaster;
    self->was_traceable = is_traceable;
}

void mt_reference(struct mt_instance *self, const struct mt_foreign *parent, bool is_new)
{
    if (self->receiving_port != 0) {
        set_reference(self, parent, is_new);
    }
    self->bound_since.ns = 0;
    if (parent->dataset.steps_removed != 0) { /* a grandmaster's bound does not age */
        self->bound_since = parent->heard[0];
    }
    self->parent_bound = parent->bound;
    self->reference_bound = parent->reference_bound;
}
