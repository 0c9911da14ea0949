/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is told of NTP servers: what the clients know, and what the disciplines make of it.
 */
#include "compose/compose_private.h"

#include "status/names.h"
#include "status/report.h"

#define BOUND_SIGMA 5

static void fill_estimate(const struct mt_node_clock *clock, uint16_t source,
                          struct mt_report_ntp *report)
{
    const struct mt_discipline *discipline = &clock->discipline;
    const struct mt_discipline_source *of = &discipline->sources[source];
    report->has_estimate = of->is_used && of->estimator.is_started &&
                           mt_estimator_predict(&of->estimator, &discipline->model,
                                                clock->published_at.at, &report->estimate) &&
                           report->estimate.is_complete;
    if (report->has_estimate) {
        const struct mt_estimate *estimate = &report->estimate;
        mt_real s = mt_real_abs(estimate->delay) +
                    BOUND_SIGMA * (estimate->offset_sigma + estimate->delay_sigma);
        report->bound = mt_interval_plus(of->origin.bound,
                                         mt_interval_from_ns(mt_real_round(s * MT_REAL(1e9))));
    }
}

/* Of several reasons the one that comes first. */
const char *mt_compose_ntp_fault(const struct mt_composition *self, uint16_t index)
{
    const struct mt_node_ntp *ntp = &self->node.ntp[index];
    const char *reason = "";
    if (ntp->config.nts != NULL && mt_nts_client_needs_keys(ntp->config.nts)) {
        reason = self->keys_reason != NULL ? self->keys_reason(self->keys_context, index) : "";
        return reason[0] != '\0' ? reason : "it speaks NTS, and keys are being exchanged";
    }
    if (ntp->server.network == MT_NETWORK_NONE) {
        return "no address of this name has been found yet";
    }
    if (self->link_reason != NULL) {
        reason = self->link_reason(self->link_context, ntp->link);
    }
    return reason[0] != '\0' ? reason : NULL;
}

void mt_compose_report_ntp(const struct mt_composition *self, uint16_t index,
                           struct mt_report_ntp *ret_report)
{
    const struct mt_node_ntp *ntp = &self->node.ntp[index];
    const struct mt_config_ntp *config = mt_compose_ntp_of(self->config, index);
    *ret_report = (struct mt_report_ntp){
        .name = config->name,
        .clock = self->config->clocks[ntp->clock].name,
        .address = &ntp->server,
        .client = &ntp->client,
        .is_followed = mt_ntp_duty_followed(&self->node, ntp->clock) == ntp,
        .verdict = ntp->has_verdict ? mt_sample_verdict_name(ntp->verdict) : NULL,
        .fault_reason = mt_compose_ntp_fault(self, index),
        .stamping = self->node.links[ntp->link]->stamping,
        .stamps_missing = self->node.links[ntp->link]->counters.stamps_missing,
    };
    fill_estimate(&self->node.clocks[ntp->clock], ntp->source, ret_report);
}
