/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "platform/linux/linux_ntp_pace.h"

static void learn_first(struct mt_ntp_pace *self, int64_t each_q8, unsigned answers)
{
    if (self->seen == 0 || each_q8 < self->least_ns_q8) {
        self->least_ns_q8 = each_q8;
    }
    self->seen += answers;
    if (self->seen >= MT_NTP_PACE_FIRST) {
        self->each_ns_q8 = self->least_ns_q8;
    }
}

void mt_ntp_pace_learn(struct mt_ntp_pace *self, int64_t took_ns, unsigned answers)
{
    int64_t each_q8 = took_ns * 256 / answers;
    if (self->seen < MT_NTP_PACE_FIRST) {
        learn_first(self, each_q8, answers);
    } else if (each_q8 < self->each_ns_q8) {
        self->each_ns_q8 = (self->each_ns_q8 + 3 * each_q8) / 4;
    } else {
        int64_t most_q8 = 2 * self->each_ns_q8;
        self->each_ns_q8 += ((each_q8 < most_q8 ? each_q8 : most_q8) - self->each_ns_q8) / 64;
    }
}

int64_t mt_ntp_pace_after_ns(const struct mt_ntp_pace *self, unsigned place)
{
    return (2 * (int64_t)place + 1) * self->each_ns_q8 / 512;
}
