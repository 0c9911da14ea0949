/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/ntp_serve.h"

#include <stddef.h>

#include "runtime/node.h"

static bool take_server(const struct mt_node *node, uint16_t clock,
                        struct mt_ntp_upstream *upstream)
{
    const struct mt_node_ntp *ntp = mt_ntp_duty_followed(node, clock);
    if (ntp == NULL) {
        return false;
    }
    const struct mt_estimate *estimate = &node->clocks[clock].report.estimate;
    struct mt_interval path = mt_span_to_interval(mt_span_from_real(2 * estimate->delay));
    struct mt_interval theirs = mt_ntp_short_to_interval(ntp->client.server.root_delay);
    *upstream = (struct mt_ntp_upstream){
        .address = ntp->server,
        .stratum = ntp->client.server.stratum,
        .root_delay = mt_interval_plus(theirs, path),
    };
    return true;
}

static bool take_refclock(const struct mt_node *node, uint16_t clock,
                          struct mt_ntp_upstream *upstream)
{
    const struct mt_node_refclock *refclock = mt_refclock_duty_selected(node, clock);
    if (refclock == NULL) {
        return false;
    }
    uint32_t id = refclock->config.reference_id;
    *upstream = (struct mt_ntp_upstream){
        .stratum = refclock->config.stratum,
        .reference_id = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id},
    };
    return true;
}

void mt_ntp_serve_renew(struct mt_node *node, uint16_t clock)
{
    struct mt_node_server *self = node->server;
    if (self != NULL && self->clock == clock) {
        struct mt_ntp_upstream upstream;
        bool is_ntp = take_server(node, clock, &upstream) || take_refclock(node, clock, &upstream);
        mt_ntp_serving_make(&self->serving, &self->config, &node->clocks[clock].page,
                            is_ntp ? &upstream : NULL);
    }
}
