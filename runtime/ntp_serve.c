/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/ntp_serve.h"

#include <stddef.h>
#include <string.h>

#include "runtime/node.h"
#include "runtime/orphan.h"

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

/* A grandmaster without a primary reference is no address, either: its identity, folded. */
static void name_grandmaster(const struct mt_holdover *holdover, struct mt_ntp_upstream *upstream)
{
    static const uint8_t ptp[4] = {'P', 'T', 'P', 0};
    if (upstream->stratum == 0) {
        memcpy(upstream->reference_id, ptp, sizeof ptp);
        return;
    }
    for (unsigned i = 0; i < sizeof upstream->reference_id; i++) {
        upstream->reference_id[i] =
            holdover->grandmaster.octet[i] ^ holdover->grandmaster.octet[i + 4];
    }
}

static bool take_ptp(const struct mt_node_clock *clock, struct mt_ntp_upstream *upstream)
{
    const struct mt_holdover *holdover = &clock->holdover;
    if (holdover->source != MT_QUALITY_FROM_PTP) {
        return false;
    }
    uint8_t own = mt_quality_stratum(holdover->is_primary, holdover->is_traceable);
    *upstream = (struct mt_ntp_upstream){.stratum = (uint8_t)(own - 1)};
    name_grandmaster(holdover, upstream);
    return true;
}

/* The clock of this node that the time comes from, by way of others or not. */
static uint16_t origin_of(const struct mt_node *node, uint16_t clock)
{
    for (uint16_t steps = 0; steps < node->clock_count; steps++) {
        const struct mt_follow *follow = &node->clocks[clock].follow;
        if (!follow->is_used || node->clocks[clock].discipline.selected != follow->source) {
            break;
        }
        clock = follow->leader;
    }
    return clock;
}

/* ---- those who follow us --------------------------------------------------------------------- */

static bool has_id(const struct mt_node_ntp *self, const uint8_t id[4])
{
    for (unsigned i = 0; i < self->own_count; i++) {
        if (memcmp(self->own_ids[i], id, sizeof self->own_ids[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool mt_ntp_serve_has_own(const struct mt_node *node, uint16_t index,
                          const struct mt_address *address)
{
    uint8_t id[4];
    if (node->server == NULL || index >= node->ntp_count) {
        return false;
    }
    mt_ntp_name_upstream(node->server->config.crypto, address, id);
    return has_id(&node->ntp[index], id);
}

void mt_ntp_serve_add_own(struct mt_node *node, uint16_t index, const struct mt_address *address)
{
    if (node->server == NULL || index >= node->ntp_count) {
        return;
    }
    struct mt_node_ntp *self = &node->ntp[index];
    if (address->network == MT_NETWORK_NONE) {
        self->own_count = 0;
    } else if (self->own_count < MT_NTP_OWN_IDS && !mt_ntp_serve_has_own(node, index, address)) {
        mt_ntp_name_upstream(node->server->config.crypto, address,
                             self->own_ids[self->own_count++]);
    }
}

/* Of stratum 1 it is no address.  Who follows another clock of this node is no loop. */
bool mt_ntp_serve_is_ours(const struct mt_node *node, uint16_t clock, uint16_t index)
{
    static const uint8_t nobody[4] = {0};
    const struct mt_ntp_header *answer = &node->ntp[index].client.server;
    return node->server != NULL && node->server->clock == clock && answer->version != 0 &&
           answer->stratum > 1 && memcmp(answer->reference_id, nobody, sizeof nobody) != 0 &&
           has_id(&node->ntp[index], answer->reference_id);
}

/* ---- what is served -------------------------------------------------------------------------- */

void mt_ntp_serve_renew(struct mt_node *node, uint16_t clock)
{
    struct mt_node_server *self = node->server;
    if (self == NULL || self->clock != clock) {
        return;
    }
    uint16_t origin = origin_of(node, clock);
    struct mt_ntp_upstream *upstream = &self->upstream;
    self->has_upstream |= take_server(node, origin, upstream) ||
                          take_refclock(node, origin, upstream) ||
                          take_ptp(&node->clocks[origin], upstream);
    struct mt_ntp_serving_config config = self->config;
    struct mt_clock_page page = node->clocks[clock].page;
    switch (mt_orphan_serves(node, clock)) {
    case MT_ORPHAN_AS_EVER:
        break;
    case MT_ORPHAN_OWN_TIME:
        page.state = MT_CLOCK_FREE_RUN;
        break;
    case MT_ORPHAN_WAITS:
        config.local_stratum = 0;
        break;
    }
    mt_ntp_serving_make(&self->serving, &config, &page, self->has_upstream ? upstream : NULL);
}
