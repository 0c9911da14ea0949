/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * By which reference id a server that follows us is known: that of an address at which it may ask
 * us.  Not any address of this machine will do, for a private one (of a bridge for containers, say)
 * may be on another machine, too, which that server has every right to follow.  So it is those of
 * the interface by which we reach it; they are looked up when it has become known, and again every
 * while, since they may change.
 */
#include "compose/compose_private.h"

#include "runtime/ntp_serve.h"

#define LOOK_AGAIN_NS INT64_C(16000000000)

static void order(struct mt_composition *self, uint16_t index, const struct mt_address *address,
                  struct mt_mono now)
{
    const struct mt_order order = {
        .kind = MT_ORDER_OWN, .now = now, .instance = index, .address = *address};
    mt_recorder_begin(self->recorder, &order);
    mt_ntp_serve_add_own(&self->node, index, address);
    mt_recorder_end(self->recorder);
}

static bool are_known(const struct mt_composition *self, uint16_t index,
                      const struct mt_address *addresses, size_t count)
{
    bool are = self->node.ntp[index].own_count == count;
    for (size_t i = 0; i < count && are; i++) {
        are = mt_ntp_serve_has_own(&self->node, index, &addresses[i]);
    }
    return are;
}

static void look_up(struct mt_composition *self, uint16_t index, struct mt_mono now)
{
    static const struct mt_address nothing = {.network = MT_NETWORK_NONE};
    const struct mt_config_ntp *config = mt_composition_ntp(self, index);
    const char *interface = config != NULL && config->interface != NULL ? config->interface : "";
    struct mt_address addresses[MT_NTP_OWN_IDS];
    size_t count = self->provider->ops->own_addresses(
        self->provider, interface, &self->node.ntp[index].server, addresses, MT_NTP_OWN_IDS);
    if (are_known(self, index, addresses, count)) {
        return;
    }
    if (self->node.ntp[index].own_count > 0) {
        order(self, index, &nothing, now);
    }
    for (size_t i = 0; i < count; i++) {
        order(self, index, &addresses[i], now);
    }
}

void mt_compose_own_addresses(struct mt_composition *self, struct mt_mono now)
{
    bool is_due = now.ns >= self->own_at.ns;
    if (self->provider->ops->own_addresses == NULL || self->node.server == NULL) {
        return;
    }
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        const struct mt_node_ntp *ntp = &self->node.ntp[i];
        if (ntp->server.network != MT_NETWORK_NONE && (is_due || ntp->own_count == 0)) {
            look_up(self, i, now);
        }
    }
    if (is_due) {
        self->own_at = mt_mono_plus(now, LOOK_AGAIN_NS);
    }
}
