/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "platform/linux/linux_pace.h"

#define HELD_UP_NS 1000000 /* no measure of what a departure takes */
#define SLOWLY     64      /* learnt is one of so many parts */
#define STEPS      32      /* of which the expected departure comes closer by one */

static void learn_first(struct mt_pace_part *self, int64_t each_q8, unsigned answers)
{
    if (self->seen == 0 || each_q8 < self->least_ns_q8) {
        self->least_ns_q8 = each_q8;
    }
    self->seen += answers;
    if (self->seen >= MT_PACE_FIRST) {
        self->each_ns_q8 = self->least_ns_q8;
    }
}

/* What nothing holds up is wanted: so it falls quickly and rises slowly.  Below 0 the clock was set
 * back meanwhile. */
static void learn(struct mt_pace_part *self, int64_t took_ns, unsigned answers)
{
    int64_t each_q8 = took_ns * 256 / answers;
    if (took_ns < 0) {
        return;
    }
    if (self->seen < MT_PACE_FIRST) {
        learn_first(self, each_q8, answers);
    } else if (each_q8 < self->each_ns_q8) {
        self->each_ns_q8 = (self->each_ns_q8 + 3 * each_q8) / 4;
    } else {
        int64_t most_q8 = 2 * self->each_ns_q8 + SLOWLY;
        self->each_ns_q8 += ((each_q8 < most_q8 ? each_q8 : most_q8) - self->each_ns_q8) / SLOWLY;
    }
}

void mt_pace_learn(struct mt_pace *self, int64_t finished_ns, int64_t sent_ns, unsigned answers)
{
    learn(&self->finishing, finished_ns, answers);
    learn(&self->sending, sent_ns, answers);
}

/* After the first ones it falls by three steps or rises by one, so that it comes to rest where one
 * in four is below. */
void mt_pace_departed(struct mt_pace *self, int64_t after_ns)
{
    if (after_ns <= 0 || after_ns > HELD_UP_NS) {
        return;
    }
    int64_t after_q8 = after_ns * 256;
    if (self->departures < MT_PACE_DEPARTED) {
        if (self->departures == 0 || after_q8 < self->departure_ns_q8) {
            self->departure_ns_q8 = after_q8;
        }
        self->departures++;
    } else {
        int64_t step_q8 = self->departure_ns_q8 / STEPS + 1;
        self->departure_ns_q8 += after_q8 < self->departure_ns_q8 ? -3 * step_q8 : step_q8;
    }
}

/* Of a card that stamps nothing, the first leaves when half of its time is over. */
static int64_t first_q8(const struct mt_pace *self)
{
    if (self->departures == 0) {
        return self->sending.each_ns_q8 / 2;
    }
    return self->departures < MT_PACE_DEPARTED ? 0 : self->departure_ns_q8;
}

int64_t mt_pace_after_ns(const struct mt_pace *self, unsigned place, unsigned answers)
{
    int64_t finished_q8 = answers * self->finishing.each_ns_q8;
    return (finished_q8 + first_q8(self) + place * self->sending.each_ns_q8) / 256;
}
