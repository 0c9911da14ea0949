/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A plain array, searched each time: with a dozen timers that is faster than any ordered
 * structure, and a timer can be re-armed without finding it first.
 */
#include "base/deadline.h"

void mt_deadlines_init(struct mt_deadlines *set, struct mt_mono *at, uint8_t count)
{
    set->at = at;
    set->count = count;
    for (uint8_t i = 0; i < count; i++) {
        at[i] = MT_MONO_NEVER;
    }
}

void mt_deadlines_arm(struct mt_deadlines *set, uint8_t index, struct mt_mono at)
{
    if (index < set->count) {
        set->at[index] = at;
    }
}

void mt_deadlines_disarm(struct mt_deadlines *set, uint8_t index)
{
    mt_deadlines_arm(set, index, MT_MONO_NEVER);
}

bool mt_deadlines_is_armed(const struct mt_deadlines *set, uint8_t index)
{
    return index < set->count && set->at[index].ns != MT_MONO_NEVER.ns;
}

/* the lowest index of the earliest; `count` if none is armed */
static uint8_t find_earliest(const struct mt_deadlines *set)
{
    uint8_t found = set->count;
    struct mt_mono earliest = MT_MONO_NEVER;

    for (uint8_t i = 0; i < set->count; i++) {
        if (set->at[i].ns < earliest.ns) {
            earliest = set->at[i];
            found = i;
        }
    }
    return found;
}

struct mt_mono mt_deadlines_earliest(const struct mt_deadlines *set)
{
    uint8_t index = find_earliest(set);

    return index < set->count ? set->at[index] : MT_MONO_NEVER;
}

bool mt_deadlines_next_due(struct mt_deadlines *set, uint8_t *ret_index, struct mt_mono now)
{
    uint8_t index = find_earliest(set);

    if (index == set->count || set->at[index].ns > now.ns) {
        return false;
    }
    set->at[index] = MT_MONO_NEVER;
    *ret_index = index;
    return true;
}
