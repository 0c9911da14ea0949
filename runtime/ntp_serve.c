/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/ntp_serve.h"

#include <stddef.h>
#include <string.h>

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

/* ---- those who follow us --------------------------------------------------------------------- */

static bool has_id(const struct mt_node_server *self, const uint8_t id[4])
{
    for (uint16_t i = 0; i < self->own_count; i++) {
        if (memcmp(self->own_ids[i], id, sizeof self->own_ids[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool mt_ntp_serve_has_own(const struct mt_node *node, const struct mt_address *address)
{
    uint8_t id[4];
    if (node->server == NULL) {
        return false;
    }
    mt_ntp_name_upstream(node->server->config.crypto, address, id);
    return has_id(node->server, id);
}

void mt_ntp_serve_add_own(struct mt_node *node, const struct mt_address *address)
{
    struct mt_node_server *self = node->server;
    if (self == NULL || mt_ntp_serve_has_own(node, address)) {
        return;
    }
    mt_ntp_name_upstream(self->config.crypto, address, self->own_ids[self->own_next]);
    self->own_next = (uint16_t)((self->own_next + 1) % MT_NTP_OWN_IDS);
    if (self->own_count < MT_NTP_OWN_IDS) {
        self->own_count++;
    }
}

/* Of stratum 1 it is no address.  Who follows another clock of this node is no loop. */
bool mt_ntp_serve_is_ours(const struct mt_node *node, uint16_t clock,
                          const struct mt_ntp_header *answer)
{
    static const uint8_t nobody[4] = {0};
    return node->server != NULL && node->server->clock == clock && answer->version != 0 &&
           answer->stratum > 1 && memcmp(answer->reference_id, nobody, sizeof nobody) != 0 &&
           has_id(node->server, answer->reference_id);
}

/* ---- what is served -------------------------------------------------------------------------- */

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
