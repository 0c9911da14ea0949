/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The search goes back from the newest correction, since stamps are recent.  A clock that was
 * stepped back has read some times twice: the later reading is taken for the true one, unless the
 * caller knows better and has it skipped.
 */
#include "platform/linux/linux_past.h"

void mt_past_remember(struct mt_past *self, int64_t from_ns)
{
    self->corrections++;
    self->from_ns[self->corrections % MT_PAST_CORRECTIONS] = from_ns;
}

uint32_t mt_past_corrections_at(const struct mt_past *self, int64_t at_ns, uint32_t skipped)
{
    uint32_t count = self->corrections;
    uint32_t back = skipped < count ? skipped : count;

    while (back < MT_PAST_CORRECTIONS - 1 && back < count &&
           self->from_ns[(count - back) % MT_PAST_CORRECTIONS] > at_ns) {
        back++;
    }
    return count - back;
}
