/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The data sets that tell whom this clock follows [1588-2019 9.3.5]: taken from the parent's
 * record.  A clock that follows nobody describes itself in such a record, too.
 */
#include "ptp/ptp_private.h"

void mt_describe_own(const struct mt_instance *self, struct mt_foreign *ret_own)
{
    const struct mt_instance_config *config = &self->config;
    struct mt_ptp_dataset *dataset = &ret_own->dataset;
    memset(ret_own, 0, sizeof *ret_own);
    dataset->priority1 = config->priority1;
    dataset->quality = config->quality;
    dataset->priority2 = config->priority2;
    dataset->local_priority = config->local_priority;
    dataset->grandmaster = config->identity;
    dataset->sender.clock = config->identity;
    dataset->receiver.clock = config->identity;
    ret_own->time = config->time;
    if (self->clock.shows == MT_CLOCK_SHOWS_PTP) {
        ret_own->time.flags |= MT_PTP_TIMESCALE;
    } else if (self->clock.shows == MT_CLOCK_SHOWS_ARBITRARY) {
        ret_own->time.flags &= MT_PTP_FREQUENCY_TRACEABLE;
    }
    ret_own->bound = MT_INTERVAL_TOO_LARGE;
    ret_own->reference_bound = MT_INTERVAL_TOO_LARGE;
}

/* Who is not calibrated yet begins anew when the parent changes its grandmaster: it may serve
 * another time from then on.  Who is calibrated goes on, and its estimator sees a step. */
static bool is_another_parent(const struct mt_instance *self, const struct mt_ptp_dataset *parent,
                              uint16_t receiving_port)
{
    return receiving_port != self->receiving_port ||
           !mt_port_identity_equal(&parent->sender, &self->parent.sender) ||
           (!self->clock.is_locked &&
            !mt_clock_identity_equal(&parent->grandmaster, &self->parent.grandmaster));
}

static void begin_with_parent(struct mt_instance *self)
{
    const struct mt_path_part *path_trace = self->config.features->path_trace;
    self->has_new_parent = true;
    self->clock.is_locked = false;
    if (path_trace != NULL) {
        path_trace->follow(self, NULL);
    }
}

static void set_time_properties(struct mt_instance *self, const struct mt_time_properties *time)
{
    if (time->utc_offset != self->time.utc_offset || time->flags != self->time.flags ||
        time->time_source != self->time.time_source) {
        self->has_new_time = true;
    }
    self->time = *time;
}

bool mt_take_parent(struct mt_instance *self, const struct mt_foreign *parent,
                    uint16_t receiving_port)
{
    bool is_new = is_another_parent(self, &parent->dataset, receiving_port);
    if (is_new) {
        begin_with_parent(self);
    }
    self->parent = parent->dataset;
    self->receiving_port = receiving_port;
    if (receiving_port != 0) {
        self->parent.steps_removed++;
    }
    if (self->config.features->reference != NULL) {
        self->config.features->reference(self, parent, is_new);
    }
    set_time_properties(self, &parent->time);
    return is_new;
}

void mt_instance_decide(struct mt_instance *self)
{
    self->config.features->decide(self);
}
