/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the next samples will come, where that is known beforehand: of sources that are asked, at
 * intervals that change.  What the discipline learns of intervals by itself would take a longer one
 * for silence.
 */
#include "steer/steer_private.h"

#define PATIENCE   4 /* intervals without a sample */
#define SILENCE_NS (INT64_C(2) * MT_NS_PER_S)

void mt_discipline_expect(struct mt_discipline *self, uint16_t source, int64_t interval_ns,
                          struct mt_mono now)
{
    int64_t interval = interval_ns >> 10;
    int64_t patience_ns = interval_ns * PATIENCE;

    if (source >= self->source_count) {
        return;
    }
    self->sources[source].interval = (uint32_t)(interval < UINT32_MAX ? interval : UINT32_MAX);
    if (source == self->selected && self->has_locked_once && self->phase != MT_STEER_HOLDOVER) {
        self->silence = mt_mono_plus(now, patience_ns > SILENCE_NS ? patience_ns : SILENCE_NS);
    }
}
