/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel lets the largest error that it was told grow by 500 us with each of its seconds, and
 * is unsynchronised once that is 16 s.  So a daemon that was killed is found out by itself, and
 * what is told must only hold until the kernel's next second: it is the bound and what that grows
 * by in a second.  A bound that grows faster than the kernel's error cannot be told, and counts as
 * none.
 *
 * Each step makes the kernel forget, another program may tell it something else: so it is told
 * again and again, four times a second at most, but at once when it is worse.  That the clock is
 * not synchronised is told once: what others say of it then is theirs.
 *
 * TAI - UTC is what our clock goes by, not what a source says now: that makes CLOCK_TAI what the
 * clock counts.  The kernel changes it by itself when it makes a leap second.
 */
#include "platform/linux/linux_standing.h"

#include <sys/timex.h>

#define AGAIN_NS        250000000
#define KERNELS_OWN_PPB 500000
#define NS_PER_US       1000

void mt_linux_standing_init(struct mt_linux_standing *self, const struct mt_os_time *os,
                            bool sets_rtc)
{
    *self = (struct mt_linux_standing){.os = os, .sets_rtc = sets_rtc};
}

void mt_linux_standing_forget(struct mt_linux_standing *self)
{
    self->is_synchronised = false;
}

static int64_t to_us(int64_t ns)
{
    return ns / NS_PER_US + (ns % NS_PER_US > 0);
}

/* for a second */
static int64_t bound_of(const struct mt_clock_standing *standing)
{
    if (!standing->is_synchronised || standing->growth_ppb > KERNELS_OWN_PPB ||
        standing->bound_ns >= (int64_t)MT_STANDING_UNKNOWN_US * NS_PER_US) {
        return MT_STANDING_UNKNOWN_US;
    }
    return to_us(standing->bound_ns + standing->growth_ppb);
}

static bool is_due(const struct mt_linux_standing *self, int64_t bound_us, int64_t now_ns)
{
    bool is_synchronised = bound_us < MT_STANDING_UNKNOWN_US;

    return self->is_synchronised != is_synchronised ||
           (is_synchronised && (bound_us > self->bound_us || now_ns - self->told_ns >= AGAIN_NS));
}

static void add_tai(struct timex *change, const struct timex *found, int32_t tai_minus_utc_s)
{
    if (found->tai != tai_minus_utc_s) {
        change->modes |= ADJ_TAI;
        change->constant = tai_minus_utc_s;
    }
}

void mt_linux_standing_tell(struct mt_linux_standing *self,
                            const struct mt_clock_standing *standing, int32_t tai_minus_utc_s,
                            bool is_midnight)
{
    int64_t now_ns = self->os->monotonic_ns(self->os->context);
    int64_t bound_us = bound_of(standing);
    bool is_synchronised = bound_us < MT_STANDING_UNKNOWN_US;
    int64_t error_us = is_synchronised ? to_us(standing->error_ns) : MT_STANDING_UNKNOWN_US;
    struct timex found = {.modes = 0};
    struct timex change = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR};

    if (!is_due(self, bound_us, now_ns) || self->os->adjust(self->os->context, &found) < 0) {
        return;
    }
    change.status = found.status & ~STA_UNSYNC;
    if (!is_synchronised || !self->sets_rtc) {
        change.status |= STA_UNSYNC;
    }
    change.maxerror = (long)bound_us;
    change.esterror = (long)(error_us < bound_us ? error_us : bound_us);
    if (tai_minus_utc_s != 0 && !is_midnight) {
        add_tai(&change, &found, tai_minus_utc_s);
    }
    if (self->os->adjust(self->os->context, &change) >= 0) {
        self->is_synchronised = is_synchronised;
        self->told_ns = now_ns;
        self->bound_us = bound_us;
    }
}
