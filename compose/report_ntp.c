/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is told of NTP servers: what the clients know, and what the disciplines make of it.
 */
#include "compose/compose_private.h"

#include "status/names.h"
#include "status/report.h"

/* Members of a pool are given its addresses, one each, until there are no more. */
static bool has_others(const struct mt_composition *self, uint16_t index)
{
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        if (self->places[i] == self->places[index] &&
            self->node.ntp[i].server.network != MT_NETWORK_NONE) {
            return true;
        }
    }
    return false;
}

/* Of several reasons the one that comes first; null: none. */
static const char *hindrance_of(const struct mt_composition *self, uint16_t index)
{
    const struct mt_node_ntp *ntp = &self->node.ntp[index];
    const char *reason = "";
    if (ntp->config.nts != NULL && mt_nts_client_needs_keys(ntp->config.nts)) {
        reason = self->keys_reason != NULL ? self->keys_reason(self->keys_context, index) : "";
        return reason[0] != '\0' ? reason : "it speaks NTS, and keys are being exchanged";
    }
    if (ntp->server.network == MT_NETWORK_NONE) {
        return has_others(self, index) ? "the name has no further address now"
                                       : "no address of this name has been found yet";
    }
    if (self->link_reason != NULL) {
        reason = self->link_reason(self->link_context, ntp->link);
    }
    return reason[0] != '\0' ? reason : NULL;
}

/* If nothing hinders, how far it has come. */
static const char *fault_of(const struct mt_composition *self, uint16_t index, bool is_unreachable)
{
    const struct mt_ntp_client *client = &self->node.ntp[index].client;
    const char *reason = hindrance_of(self, index);
    if (reason != NULL || !is_unreachable) {
        return reason;
    }
    if (client->is_refused) {
        return "it wants no questions from here";
    }
    if (client->asked == 0) {
        return "it has not been asked yet";
    }
    if (client->server.version != 0) {
        return "it does not answer";
    }
    return client->config.key != 0 ? "it has not answered yet; who does not have this key says "
                                     "nothing"
                                   : "it has not answered yet";
}

const char *mt_compose_source_fault(const struct mt_composition *self,
                                    const struct mt_arbiter_member *member,
                                    enum mt_arbiter_verdict opinion)
{
    bool is_unreachable = opinion == MT_ARBITER_UNREACHABLE;
    switch (member->kind) {
    case MT_ARBITER_PTP:
        return is_unreachable ? "it has no transmitter to receive from" : NULL;
    case MT_ARBITER_NTP:
        break;
    case MT_ARBITER_REFCLOCK:
        return mt_compose_refclock_fault(self, member->index, is_unreachable);
    case MT_ARBITER_CLOCK:
        return is_unreachable ? "that clock is not read" : NULL;
    }
    return fault_of(self, member->index, is_unreachable);
}

/* As the arbiter judged it last: all that is shown of a source is of one instant. */
static void fill_judgement(const struct mt_arbiter *arbiter, uint16_t index,
                           struct mt_report_ntp *report)
{
    for (uint16_t i = 0; i < arbiter->count; i++) {
        const struct mt_arbiter_member *member = &arbiter->members[i];
        const struct mt_arbiter_source *facts = &arbiter->sources[i];
        if (member->kind == MT_ARBITER_NTP && member->index == index) {
            report->opinion = arbiter->opinions[i].verdict;
            report->has_estimate = facts->is_measured;
            report->offset = member->offset;
            report->sigma = facts->sigma;
            report->bound = facts->bound;
            report->delay = member->delay;
        }
    }
}

const char *mt_compose_carrier_name(enum mt_ntp_carrier carrier)
{
    switch (carrier) {
    case MT_NTP_IN_UDP:
        break;
    case MT_NTP_IN_PTP:
        return "ptp";
    case MT_NTP_IN_PTP_EARLY:
        return "ptp_early";
    }
    return "udp";
}

void mt_compose_report_ntp(const struct mt_composition *self, uint16_t index,
                           struct mt_report_ntp *ret_report)
{
    const struct mt_node_ntp *ntp = &self->node.ntp[index];
    const struct mt_config_ntp *config = mt_composition_ntp(self, index);
    *ret_report = (struct mt_report_ntp){
        .name = config->name,
        .clock = self->config->clocks[ntp->clock].name,
        .address = &ntp->server,
        .client = &ntp->client,
        .opinion = MT_ARBITER_UNREACHABLE,
        .delay = MT_INTERVAL_TOO_LARGE,
        .verdict = ntp->has_verdict ? mt_sample_verdict_name(ntp->verdict) : NULL,
        .stamping = self->node.links[ntp->link]->stamping,
        .transport = mt_compose_carrier_name(ntp->carrier),
        .stamps_missing = self->node.links[ntp->link]->counters.stamps_missing,
    };
    fill_judgement(&self->node.clocks[ntp->clock].arbiter, index, ret_report);
    ret_report->fault_reason = fault_of(self, index, ret_report->opinion == MT_ARBITER_UNREACHABLE);
}
