/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sources come and go while a clock runs.  Whoever stays keeps what he is known for (that he was a
 * falseticker, that he steers), wherever in the list he stands now; what was made of all of them is
 * made anew with the next judgement, which the caller has come at once.
 */
#include "runtime/arbiter_duty.h"

#define NOBODY MT_ARBITER_NOBODY

/* Where it stands in a list; NOBODY: it does not. */
static uint16_t find(const struct mt_arbiter_member *members, uint16_t count,
                     const struct mt_arbiter_member *wanted)
{
    for (uint16_t i = 0; i < count; i++) {
        if (members[i].kind == wanted->kind && members[i].index == wanted->index) {
            return i;
        }
    }
    return NOBODY;
}

static uint16_t translate(const struct mt_arbiter *self, uint16_t member,
                          const struct mt_arbiter_member *members, uint16_t count)
{
    return member < self->count ? find(members, count, &self->members[member]) : NOBODY;
}

static void keep(const struct mt_arbiter_member *known, struct mt_arbiter_member *member)
{
    struct mt_arbiter_member kept = *known;
    kept.is_trusted = member->is_trusted;
    kept.is_required = member->is_required;
    kept.is_preferred = member->is_preferred;
    kept.is_watched = member->is_watched;
    *member = kept;
}

void mt_arbiter_set_members(struct mt_arbiter *self, struct mt_arbiter_member *members,
                            uint16_t count)
{
    self->steering = translate(self, self->steering, members, count);
    self->result.selected = translate(self, self->result.selected, members, count);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t known = find(self->members, self->count, &members[i]);
        if (known != NOBODY) {
            keep(&self->members[known], &members[i]);
        }
    }
    for (uint16_t i = 0; i < count; i++) {
        self->members[i] = members[i];
        self->sources[i] = (struct mt_arbiter_source){0};
        self->opinions[i] = (struct mt_arbiter_opinion){.verdict = MT_ARBITER_UNREACHABLE};
    }
    self->count = count;
}
