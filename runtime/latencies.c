/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A speed that is not in the table has the latencies that are there for all: a wrong row would be
 * worse than the general one.
 */
#include "runtime/latencies.h"

void mt_latencies_apply(const struct mt_latencies *self, uint32_t speed_mbit,
                        struct mt_port_config *config)
{
    const struct mt_latency *found = &self->otherwise;
    if (self->rows[0].speed_mbit == 0) {
        return;
    }
    for (unsigned i = 0; i < MT_LATENCIES_MOST && self->rows[i].speed_mbit != 0; i++) {
        if (self->rows[i].speed_mbit == speed_mbit) {
            found = &self->rows[i];
        }
    }
    config->ingress_latency = found->ingress;
    config->egress_latency = found->egress;
}
