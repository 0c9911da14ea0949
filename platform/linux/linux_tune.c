/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel says what it was told: a frequency, a length of the tick, what its own loop has still
 * to slew away, of which it takes a fixed share each second, and what adjtime() has left, of which
 * it takes 500 us each second.  A share leaves the figure when its second begins, so the loop runs
 * at the rest divided by 2^k - 1, not by 2^k.
 * We ask often, but at which moment between two questions the rate changed is guessed, the middle,
 * and slews begin and end with the kernel's seconds, up to one after the figure.  What that may
 * make is kept as a doubt until samples have corrected it.  And whoever changes the rate once will
 * do so again: for a minute after a change there is doubt, as much as the largest change makes in
 * the second that may pass until the next page tells readers of it.
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

static mt_real loop_rate(const struct timex *kernel)
{
    if (kernel->constant < 0 || kernel->constant > MOST_CONSTANT) {
        return 0;
    }
    return (mt_real)kernel->offset * (kernel->status & STA_NANO ? 1e-9 : 1e-6) /
           (mt_real)((INT64_C(1) << (LOOP_SHIFT + kernel->constant)) - 1);
}

static mt_real singleshot_rate(const struct timex *rest)
{
    return rest->offset == 0 ? 0 : rest->offset > 0 ? SINGLESHOT_RATE : -SINGLESHOT_RATE;
}

/* False if the kernel does not say. */
static bool ask(const struct mt_os_time *os, struct mt_tune_rate *ret_rate)
{
    struct timex kernel = {.modes = 0};
    struct timex rest = {.modes = ADJ_OFFSET_SS_READ};

    if (os->adjust(os->context, &kernel) < 0) {
        return false;
    }
    ret_rate->told = (mt_real)kernel.freq * freq_unit +
                     (mt_real)(kernel.tick - NOMINAL_TICK_US) / NOMINAL_TICK_US;
    ret_rate->slews = loop_rate(&kernel);
    if (os->adjust(os->context, &rest) >= 0) {
        ret_rate->slews += singleshot_rate(&rest);
    }
    return true;
}

mt_real mt_tune_slews(const struct mt_os_time *os)
{
    struct mt_tune_rate rate;

    return ask(os, &rate) ? rate.slews : 0;
}

bool mt_tune_can_ask(const struct mt_os_time *os)
{
    struct mt_tune_rate rate;

    return ask(os, &rate);
}

static void remember(struct mt_tune_watch *self, mt_real change, int64_t boottime_ns)
{
    change = mt_real_abs(change);
    if (change >= self->largest || boottime_ns >= self->largest_until_ns) {
        self->largest = change;
        self->largest_until_ns = boottime_ns + REMEMBER_NS;
    }
}

/* what the change from `before` may have made, beside what is taken for it */
static int64_t guess_of(const struct mt_tune_rate *before, const struct mt_tune_rate *now,
                        int64_t elapsed_ns)
{
    mt_real half_ns = (mt_real)elapsed_ns / 2;
    mt_real told = mt_real_abs(now->told - before->told);
    mt_real slews = mt_real_abs(now->slews - before->slews);

    return (int64_t)(told * half_ns + slews * (half_ns + 1e9)) + 1;
}

void mt_tune_watch_init(struct mt_tune_watch *self, const struct mt_os_time *os,
                        int64_t boottime_ns)
{
    *self =
        (struct mt_tune_watch){.os = os, .asked_ns = boottime_ns, .largest_until_ns = INT64_MIN};
    (void)ask(os, &self->rate);
}

mt_real mt_tune_watch_rate(const struct mt_tune_watch *self)
{
    return self->rate.told + self->rate.slews;
}

bool mt_tune_watch_look(struct mt_tune_watch *self, int64_t boottime_ns, int64_t *ret_elapsed_ns)
{
    struct mt_tune_rate before = self->rate;
    int64_t elapsed_ns = boottime_ns - self->asked_ns;

    if (elapsed_ns < ASK_EVERY_NS || !ask(self->os, &self->rate)) {
        return false;
    }
    self->asked_ns = boottime_ns;
    if (self->rate.slews != 0) { /* it will end */
        remember(self, self->rate.slews, boottime_ns);
    }
    if (self->rate.told == before.told && self->rate.slews == before.slews) {
        return false;
    }
    remember(self,
             mt_real_abs(self->rate.told - before.told) +
                 mt_real_abs(self->rate.slews - before.slews),
             boottime_ns);
    self->guessed_ns += guess_of(&before, &self->rate, elapsed_ns);
    *ret_elapsed_ns = elapsed_ns;
    return true;
}

void mt_tune_watch_corrected(struct mt_tune_watch *self)
{
    self->guessed_ns = mt_doubt_corrected(self->guessed_ns);
}

int64_t mt_tune_watch_doubt_ns(const struct mt_tune_watch *self, int64_t boottime_ns)
{
    int64_t next_ns = boottime_ns < self->largest_until_ns ? (int64_t)(self->largest * 1e9) + 1 : 0;

    return next_ns + self->guessed_ns;
}
