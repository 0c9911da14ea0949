/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The machine's own clock.  It is read as CLOCK_REALTIME plus TAI-UTC.  Its base is
 * CLOCK_BOOTTIME, which the kernel slews along, so the two run at one rate, and what is published
 * stays true when somebody sets CLOCK_REALTIME: readers do not notice, we do, and put it right.
 * Packets are stamped with the clock itself; what remains to be known about the past is at which
 * reading each correction took effect, for the count that belongs to a packet's stamp.
 *
 * Opening it only asks.  Before the first correction, what other programs left running in the
 * kernel (its PLL, a slew in progress, a changed tick) is switched off, because it would work
 * against us; and what they said of the clock's error is taken back, because from then on it is
 * ours to say (linux_standing.c).  Later changes by others are found: a step by comparing with
 * CLOCK_BOOTTIME, a frequency, or a slew that the kernel makes for somebody, by asking it ten
 * times a second; what is found at the start is told in the same way, and our next correction ends
 * such a slew.  A leap second is no disturbance: the clock that counts TAI goes on, its TAI-UTC
 * changes.  When TAI - UTC turns out to be another one than was known when the clock was opened, or
 * the kernel has missed a leap second, UTC was wrong and TAI was not: REALTIME is stepped by whole
 * seconds then, which is like a leap second.
 */
#include "platform/linux/linux_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "platform/linux/linux_past.h"
#include "platform/linux/linux_standing.h"
#include "platform/linux/linux_tune.h"

#define MAX_FREQ          32768000 /* 500 ppm in units of 2^-16 ppm */
#define ASK_EVERY_NS      100000000
#define NOMINAL_TICK_US   10000
#define REFUSAL_SIZE      120
#define S_PER_DAY         86400
#define LEAP_TOLERANCE_NS 1000000
#define TAUGHT_NS         INT64_C(2000000000) /* so long it must be told before UTC is changed */
#define FORGOTTEN_NS      INT64_C(2000000000) /* so long a leap second stays in the kernel's mind */

static const mt_real freq_unit = 1e-6 / 65536;

struct system_clock {
    struct mt_hal_clock hal;
    const struct mt_os_time *os;
    struct mt_step_watch watch;
    int64_t untold_ns;       /* a step by others that was found and is still to be told ... */
    int64_t untold_from_ns;  /* ... and the reading from which on it counts */
    int32_t tai_minus_utc_s; /* 0 if not known */
    int32_t previous_tai_minus_utc_s; /* before the last leap second, ... */
    int64_t leap_from_ns;             /* ... for stamps below this; INT64_MIN: none */
    int64_t step_doubt_ns;            /* by how much we may be wrong on the size of steps */
    long freq;                        /* what we believe the kernel's settings to be */
    long tick;
    mt_real slews;    /* what others let the kernel do besides, s/s */
    int64_t asked_ns; /* monotonic time of the last question */
    bool has_corrected;
    int32_t announced_s;   /* the leap second that the kernel knows of us */
    int64_t taken_back_ns; /* MONOTONIC, when one was taken back that others had told it */
    struct mt_linux_standing standing;
    int32_t taught_s;     /* TAI - UTC that we are told, unlike ours; 0: it is the same ... */
    int64_t taught_at_ns; /* ... since then, MONOTONIC */
    char refusal[REFUSAL_SIZE];
    struct mt_past past;
};

static struct mt_instant instant_at(const struct system_clock *self, int64_t realtime_ns)
{
    struct mt_instant at = mt_instant_from_ns(realtime_ns, self->hal.scale);

    at.s += self->tai_minus_utc_s;
    return at;
}

static int64_t realtime(const struct system_clock *self)
{
    return self->os->realtime_ns(self->os->context);
}

/* REALTIME was stepped by us or others: how its stamps lie to the last leap second is not known
 * any more, nor needed. */
static void forget_leap(struct system_clock *self)
{
    self->leap_from_ns = INT64_MIN;
}

static mt_real rate_now(const struct system_clock *self)
{
    return (mt_real)self->freq * freq_unit +
           (mt_real)(self->tick - NOMINAL_TICK_US) / NOMINAL_TICK_US + self->slews;
}

/* within two seconds of midnight UTC */
static bool is_midnight(int64_t now_ns)
{
    return (now_ns / MT_NS_PER_S + 2) % S_PER_DAY <= 4;
}

/* ... by one second */
static bool is_leap_second(int64_t step_ns, int64_t now_ns)
{
    int64_t size_ns = step_ns < 0 ? -step_ns : step_ns;

    return size_ns > MT_NS_PER_S - LEAP_TOLERANCE_NS && size_ns < MT_NS_PER_S + LEAP_TOLERANCE_NS &&
           is_midnight(now_ns);
}

/* A step by others does not reach what we say the clock reads before we have told of it: the
 * correction count says which of the two is meant. */
static struct mt_step_found look(struct system_clock *self)
{
    struct mt_step_found now = mt_step_watch_look(&self->watch);

    if (now.step_ns == 0) {
        return now;
    }
    if (is_leap_second(now.step_ns, now.boottime_ns + now.ahead_ns)) {
        self->previous_tai_minus_utc_s = self->tai_minus_utc_s;
        self->leap_from_ns = now.boundary_ns;
        if (self->hal.scale == MT_SCALE_TAI) {
            self->tai_minus_utc_s += now.step_ns < 0 ? 1 : -1;
        }
    } else {
        self->untold_ns += now.step_ns;
        self->untold_from_ns = now.boundary_ns;
        self->step_doubt_ns += now.window_ns;
        forget_leap(self);
    }
    return now;
}

static struct mt_instant present(struct system_clock *self)
{
    struct mt_step_found now = look(self);

    return instant_at(self, now.boottime_ns + now.ahead_ns - self->untold_ns);
}

static void system_read(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    struct system_clock *self = (struct system_clock *)clock;
    struct mt_step_found now = look(self);

    *ret_reading = (struct mt_clock_reading){
        .local = {instant_at(self, now.boottime_ns + now.ahead_ns - self->untold_ns),
                  self->past.corrections},
        .base = {.ns = now.boottime_ns},
        .window_ns = now.window_ns + self->step_doubt_ns,
    };
}

/* A stamp from the future was made before the clock was stepped back, or before a leap second. */
static void system_stamp(struct mt_hal_clock *clock, struct mt_base_time stamp,
                         struct mt_stamp *ret_stamp)
{
    struct system_clock *self = (struct system_clock *)clock;
    struct mt_step_found now;
    bool is_future;
    bool has_untold;
    bool is_after;
    bool is_before_leap;

    stamp = mt_os_time_realtime_of(self->os, stamp);
    now = look(self);
    is_future = stamp.ns > now.boottime_ns + now.ahead_ns + now.window_ns;
    has_untold = self->untold_ns != 0;
    is_after = has_untold && !is_future && stamp.ns >= self->untold_from_ns;
    is_before_leap =
        self->leap_from_ns != INT64_MIN && (is_future || stamp.ns < self->leap_from_ns);

    ret_stamp->at = instant_at(self, stamp.ns - (is_after ? self->untold_ns : 0));
    ret_stamp->at.frac = stamp.frac;
    if (is_before_leap) {
        ret_stamp->at.s += self->previous_tai_minus_utc_s - self->tai_minus_utc_s;
    }
    ret_stamp->corrections = is_future && !has_untold && self->past.corrections > 0
                                 ? self->past.corrections - 1
                                 : mt_past_corrections_at(&self->past, stamp.ns, 0);
}

static const char *meaning_of(int error)
{
    switch (error) {
    case EPERM:
        return " (CAP_SYS_TIME is missing, or a sandbox forbids it)";
    case EINVAL:
        return " (the kernel's clock shows no time before 1970, nor any such rate)";
    default:
        return "";
    }
}

static void say_refusal(struct system_clock *self, int error)
{
    snprintf(self->refusal, sizeof self->refusal, "%s%s", strerror(error), meaning_of(error));
    self->hal.refusal = self->refusal;
}

/* Switches off what others left running, and begins with knowing nothing.  Failures are no matter:
 * the correction that follows will tell. */
static void take_over(struct system_clock *self)
{
    const struct mt_os_time *os = self->os;
    struct timex change = {.modes = ADJ_OFFSET_SINGLESHOT};
    struct timex found = {.modes = 0};

    self->has_corrected = true;
    os->adjust(os->context, &change);
    if (os->adjust(os->context, &found) < 0) {
        return;
    }
    if (found.offset != 0) { /* only the running PLL takes an offset, and zero ends its slew */
        change = (struct timex){.modes = ADJ_STATUS | ADJ_OFFSET};
        change.status = found.status | STA_PLL;
        os->adjust(os->context, &change);
    }
    change = (struct timex){.modes = ADJ_STATUS | ADJ_TICK | ADJ_MAXERROR | ADJ_ESTERROR,
                            .tick = NOMINAL_TICK_US,
                            .maxerror = MT_STANDING_UNKNOWN_US,
                            .esterror = MT_STANDING_UNKNOWN_US};
    change.status = found.status & ~(STA_PLL | STA_FLL | STA_FREQHOLD | STA_PPSFREQ | STA_PPSTIME);
    change.status |= STA_UNSYNC;
    if (os->adjust(os->context, &change) >= 0) {
        self->tick = NOMINAL_TICK_US;
        self->slews = 0;
    }
}

static bool set_rate(struct system_clock *self, mt_real rate)
{
    mt_real freq = mt_real_clamp(rate / freq_unit, -MAX_FREQ, MAX_FREQ);
    struct timex change = {.modes = ADJ_FREQUENCY};
    int64_t before_ns = realtime(self);

    change.freq = (long)(freq + (freq < 0 ? -0.5 : 0.5));
    if (self->os->adjust(self->os->context, &change) < 0) {
        return false;
    }
    self->freq = change.freq;
    mt_past_remember(&self->past, before_ns + (realtime(self) - before_ns) / 2);
    return true;
}

static bool step_by(struct system_clock *self, struct mt_span step, struct mt_span *ret_step)
{
    struct timex change = {.modes = ADJ_SETOFFSET | ADJ_NANO};
    int64_t before_ns = realtime(self);
    int64_t step_ns;

    step = mt_span_plus(step, (struct mt_span){0, 0, 0x8000}); /* the kernel counts whole ns */
    step.frac = 0;
    step_ns = mt_span_to_ns(step);
    change.time.tv_sec = step.s;
    change.time.tv_usec = step.ns;
    if (self->os->adjust(self->os->context, &change) < 0) {
        return false;
    }
    mt_step_watch_expect(&self->watch, step_ns);
    forget_leap(self);
    mt_past_remember(&self->past, before_ns + (step_ns > 0 ? step_ns / 2 : step_ns));
    *ret_step = step;
    return true;
}

static void system_apply(struct mt_hal_clock *clock, const struct mt_correction *correction,
                         struct mt_applied *ret_applied)
{
    struct system_clock *self = (struct system_clock *)clock;
    struct mt_span step = {0, 0, 0};
    bool is_done = false;

    self->step_doubt_ns = mt_doubt_corrected(self->step_doubt_ns);
    if (clock->is_adjustable) {
        if (!self->has_corrected || self->slews != 0) {
            take_over(self);
        }
        switch (correction->kind) {
        case MT_CORRECT_STEP:
            is_done = step_by(self, correction->step, &step);
            break;
        case MT_CORRECT_RATE:
            is_done = set_rate(self, correction->rate);
            break;
        }
        if (!is_done) {
            say_refusal(self, errno);
        }
    }
    *ret_applied = (struct mt_applied){
        .kind = correction->kind,
        .step = step,
        .rate = rate_now(self),
        .at = present(self),
        .corrections = self->past.corrections,
        .is_refused = !is_done,
    };
}

static bool was_stepped(struct system_clock *self, struct mt_span *ret_step)
{
    (void)look(self);
    if (self->untold_ns == 0) {
        return false;
    }
    mt_past_remember(&self->past, self->untold_from_ns);
    *ret_step = mt_span_from_ns(self->untold_ns);
    self->untold_ns = 0;
    return true;
}

static bool was_retuned(struct system_clock *self)
{
    struct timex found = {.modes = 0};
    int64_t now_ns = self->os->monotonic_ns(self->os->context);
    mt_real slews;

    if (now_ns - self->asked_ns < ASK_EVERY_NS) {
        return false;
    }
    self->asked_ns = now_ns;
    slews = mt_tune_slews(self->os);
    if (self->os->adjust(self->os->context, &found) < 0 ||
        (found.freq == self->freq && found.tick == self->tick && slews == self->slews)) {
        return false;
    }
    self->freq = found.freq;
    self->tick = found.tick;
    self->slews = slews;
    mt_past_remember(&self->past, realtime(self));
    return true;
}

static bool system_disturbed(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    struct system_clock *self = (struct system_clock *)clock;
    struct mt_span step = {0, 0, 0};
    bool is_step = was_stepped(self, &step);

    if (!is_step && !was_retuned(self)) {
        return false;
    }
    *ret_applied = (struct mt_applied){
        .kind = is_step ? MT_CORRECT_STEP : MT_CORRECT_RATE,
        .step = step,
        .rate = rate_now(self),
        .at = present(self),
        .corrections = self->past.corrections,
    };
    return true;
}

static int32_t leap_flags(int32_t leap_s)
{
    return leap_s > 0 ? STA_INS : leap_s < 0 ? STA_DEL : 0;
}

/* Over what others have told it, long ago perhaps, the kernel may not notice ours: while any flag
 * is left of a leap second that is over it waits for none. */
static bool is_open_to_news(struct system_clock *self, struct timex *kernel)
{
    int64_t now_ns = self->os->monotonic_ns(self->os->context);

    if (self->announced_s == 0 && (kernel->status & (STA_INS | STA_DEL)) != 0) {
        kernel->modes = ADJ_STATUS;
        kernel->status &= ~(STA_INS | STA_DEL);
        (void)self->os->adjust(self->os->context, kernel);
        self->taken_back_ns = now_ns;
    }
    return now_ns - self->taken_back_ns >= FORGOTTEN_NS;
}

/* The kernel makes it in REALTIME, at the first tick of its midnight: until then it must not hear
 * that it is over.  What others have told it is theirs while we have nothing to say. */
static void system_announce(struct mt_hal_clock *clock, int32_t leap_s)
{
    struct system_clock *self = (struct system_clock *)clock;
    struct timex kernel = {.modes = 0};

    if (!self->has_corrected || leap_s == self->announced_s || is_midnight(realtime(self)) ||
        self->os->adjust(self->os->context, &kernel) < 0 || !is_open_to_news(self, &kernel)) {
        return;
    }
    kernel.modes = ADJ_STATUS;
    kernel.status = (kernel.status & ~(STA_INS | STA_DEL)) | leap_flags(leap_s);
    if (self->os->adjust(self->os->context, &kernel) >= 0) {
        self->announced_s = leap_s;
    }
}

/* A leap second that is made by hand. */
static void change_utc(struct system_clock *self, int32_t tai_minus_utc_s)
{
    int32_t by_s = self->tai_minus_utc_s - tai_minus_utc_s;
    struct timex change = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time.tv_sec = by_s};

    if (self->os->adjust(self->os->context, &change) < 0) {
        return;
    }
    mt_step_watch_expect(&self->watch, by_s * MT_NS_PER_S);
    self->previous_tai_minus_utc_s = self->tai_minus_utc_s;
    self->tai_minus_utc_s = tai_minus_utc_s;
    self->leap_from_ns = realtime(self);
    mt_linux_standing_forget(&self->standing);
}

static bool is_taught(struct system_clock *self, const struct mt_clock_standing *standing)
{
    int64_t now_ns = self->os->monotonic_ns(self->os->context);
    int32_t told_s = standing->tai_minus_utc_s;

    if (self->hal.scale != MT_SCALE_TAI || !standing->is_synchronised ||
        !standing->is_tai_utc_known || told_s == self->tai_minus_utc_s ||
        is_midnight(realtime(self))) {
        self->taught_s = 0;
        return false;
    }
    if (told_s != self->taught_s) {
        self->taught_s = told_s;
        self->taught_at_ns = now_ns;
    }
    return now_ns - self->taught_at_ns >= TAUGHT_NS;
}

static void system_tell(struct mt_hal_clock *clock, const struct mt_clock_standing *standing)
{
    struct system_clock *self = (struct system_clock *)clock;
    int32_t known_s = standing->is_tai_utc_known ? standing->tai_minus_utc_s : 0;

    if (self->has_corrected) {
        (void)look(self); /* a leap second of just now counts */
        if (is_taught(self, standing)) {
            change_utc(self, standing->tai_minus_utc_s);
        }
        mt_linux_standing_tell(&self->standing, standing,
                               clock->scale == MT_SCALE_TAI ? self->tai_minus_utc_s : known_s,
                               is_midnight(realtime(self)));
    }
}

static const struct mt_hal_clock_ops system_ops = {
    .read = system_read,
    .stamp = system_stamp,
    .apply = system_apply,
    .disturbed = system_disturbed,
    .announce = system_announce,
    .tell = system_tell,
};

/* Sets a statistics field to the value that it has: needs the same privilege as a correction
 * and changes nothing. */
static bool may_adjust(const struct mt_os_time *os)
{
    struct timex change = {.modes = 0};

    if (os->adjust(os->context, &change) < 0) {
        return false;
    }
    change.modes = ADJ_ESTERROR;
    return os->adjust(os->context, &change) >= 0;
}

struct mt_hal_clock *mt_clock_system_new(const struct mt_clock_request *request,
                                         const struct mt_os_time *os)
{
    struct system_clock *self = calloc(1, sizeof *self);

    if (!self) {
        return 0;
    }
    self->hal = (struct mt_hal_clock){
        .ops = &system_ops,
        .base = os->runs_apart ? MT_BASE_MONOTONIC : MT_BASE_BOOTTIME,
        .scale = request->tai_utc_known ? MT_SCALE_TAI : MT_SCALE_UTC,
        .granularity_ns = 1,
        .max_rate = MAX_FREQ * freq_unit,
        .is_adjustable = may_adjust(os),
    };
    if (!self->hal.is_adjustable) {
        say_refusal(self, errno);
    }
    self->os = os;
    self->tai_minus_utc_s = request->tai_utc_known ? request->tai_minus_utc_s : 0;
    self->tick = NOMINAL_TICK_US;
    self->asked_ns = os->monotonic_ns(os->context) - ASK_EVERY_NS;
    self->taken_back_ns = os->monotonic_ns(os->context) - FORGOTTEN_NS;
    forget_leap(self);
    mt_linux_standing_init(&self->standing, os, request->sets_rtc);
    mt_step_watch_init(&self->watch, os);
    return &self->hal;
}
