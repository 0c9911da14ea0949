/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel says what it was told: a frequency, a length of the tick, and what its own loop has
 * still to slew away, of which it takes a fixed share each second.  A slew by adjtime() shows only
 * as a rest that goes down, 500 ppm at most, so it is no part of the rate, but of the doubt.
 * We ask often, and what happens between two questions is known by its size only.  Whoever changes
 * the rate once will do so again: for a minute after a change there is doubt, as much as the
 * largest change makes in the second that may pass until the next page tells readers of it.
 */
#include "platform/linux/linux_tune.h"

#include <sys/timex.h>

#define ASK_EVERY_NS    10000000
#define REMEMBER_NS     INT64_C(60000000000)
#define NOMINAL_TICK_US 10000
#define LOOP_SHIFT      2 /* of the kernel's loop, beside its time constant */
#define MOST_CONSTANT   20
#define SINGLESHOT_RATE 500e-6

static const mt_real freq_unit = 1e-6 / 65536;

static mt_real rate_of(const struct timex *kernel)
{
    mt_real rate = (mt_real)kernel->freq * freq_unit +
                   (mt_real)(kernel->tick - NOMINAL_TICK_US) / NOMINAL_TICK_US;

    if (kernel->status & STA_PLL && kernel->constant >= 0 && kernel->constant <= MOST_CONSTANT) {
        rate += (mt_real)kernel->offset * (kernel->status & STA_NANO ? 1e-9 : 1e-6) /
                (mt_real)(INT64_C(1) << (LOOP_SHIFT + kernel->constant));
    }
    return rate;
}

static bool is_slewing(const struct mt_os_time *os)
{
    struct timex rest = {.modes = ADJ_OFFSET_SS_READ};

    return os->adjust(os->context, &rest) >= 0 && rest.offset != 0;
}

static void remember(struct mt_tune_watch *self, mt_real change, int64_t boottime_ns)
{
    change = change < 0 ? -change : change;
    if (change >= self->largest || boottime_ns >= self->largest_until_ns) {
        self->largest = change;
        self->largest_until_ns = boottime_ns + REMEMBER_NS;
    }
}

void mt_tune_watch_init(struct mt_tune_watch *self, const struct mt_os_time *os,
                        int64_t boottime_ns)
{
    struct timex kernel = {.modes = 0};

    *self =
        (struct mt_tune_watch){.os = os, .asked_ns = boottime_ns, .largest_until_ns = INT64_MIN};
    if (os->adjust(os->context, &kernel) >= 0) {
        self->rate = rate_of(&kernel);
    }
}

bool mt_tune_watch_look(struct mt_tune_watch *self, int64_t boottime_ns, int64_t *ret_elapsed_ns)
{
    struct timex kernel = {.modes = 0};
    int64_t elapsed_ns = boottime_ns - self->asked_ns;
    mt_real before = self->rate;

    if (elapsed_ns < ASK_EVERY_NS || self->os->adjust(self->os->context, &kernel) < 0) {
        return false;
    }
    self->asked_ns = boottime_ns;
    self->rate = rate_of(&kernel);
    if (is_slewing(self->os)) {
        remember(self, SINGLESHOT_RATE, boottime_ns);
    }
    if (self->rate == before) {
        return false;
    }
    remember(self, self->rate - before, boottime_ns);
    *ret_elapsed_ns = elapsed_ns;
    return true;
}

int64_t mt_tune_watch_doubt_ns(const struct mt_tune_watch *self, int64_t boottime_ns)
{
    return boottime_ns < self->largest_until_ns ? (int64_t)(self->largest * 1e9) + 1 : 0;
}
