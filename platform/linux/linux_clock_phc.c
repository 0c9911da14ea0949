/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hardware clock that is steered.  Packets that it stamps are stamped with the clock itself, so
 * the only thing to be known about them is how many corrections the clock had had by then: each
 * correction is remembered with the reading at which it took effect.  Packets that others stamp
 * (the kernel, another network card) come in through CLOCK_REALTIME and the line that struct
 * mt_phc has through its readings; the same line makes the page over CLOCK_BOOTTIME.
 *
 * What a hardware clock counts when it is found is anybody's guess: drivers start it at 0, at the
 * system's UTC, or leave what was there.  It counts as TAI only if it agrees with the machine's.
 * The kernel tells which frequency it was last told to have; a change by others is found like
 * that, a step by others by the readings.
 */
#include "platform/linux/linux_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/linux_past.h"

#define REFUSAL_SIZE  120
#define ASK_EVERY_NS  100000000
#define AGREES_NS     MT_NS_PER_S /* with the system's TAI, to count as TAI */
#define SAME_RATE     1e-12
#define NEW_FOR_NS    INT64_C(30000000000)
#define FORGOTTEN_NS  5e8
#define ASTRAY_FOR_NS INT64_C(2000000000)
#define GRAIN_NS      8 /* what most cards count in; the kernel does not tell */

struct phc_clock {
    struct mt_hal_clock hal;
    struct mt_phc *device;
    const struct mt_os_time *os;
    double rate;       /* what we believe the clock to be told ... */
    double bias;       /* ... which a later device is told this much more, so that it runs alike */
    int64_t doubt_ns;  /* by how much the later device may have been set wrong */
    uint32_t opened;   /* so often was the device by then */
    int64_t new_to_ns; /* until then a driver may set it as it likes, MONOTONIC */
    int64_t astray_ns; /* stamps from before it was set again may be off by this ... */
    int64_t astray_to_ns; /* ... until then, MONOTONIC */
    int64_t asked_ns;     /* monotonic time of the last question */
    bool has_asked;
    char refusal[REFUSAL_SIZE];
    struct mt_past past;
};

static struct mt_instant instant_at(const struct phc_clock *self, int64_t device_ns)
{
    return mt_instant_from_ns(device_ns, self->hal.scale);
}

static void phc_read(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    struct phc_clock *self = (struct phc_clock *)clock;
    struct mt_phc_now now = mt_phc_now(self->device);

    *ret_reading = (struct mt_clock_reading){
        .local = {instant_at(self, now.device_ns), self->past.corrections},
        .base = {.ns = now.boottime_ns},
        .rate_q64 = (int64_t)(now.rate * 18446744073709551616.0),
        .window_ns = now.window_ns + self->doubt_ns,
    };
}

/* A stamp of the device that was made after a step that nobody has been told of: without it. */
static int64_t untold_taken_back(const struct phc_clock *self, int64_t device_ns)
{
    const struct mt_phc *device = self->device;
    int64_t before_ns = device->untold_from_ns - device->untold_ns;
    int64_t to_after_ns = device_ns - device->untold_from_ns;
    int64_t to_before_ns = device_ns - before_ns;

    if (device->untold_ns == 0) {
        return device_ns;
    }
    to_after_ns = to_after_ns < 0 ? -to_after_ns : to_after_ns;
    to_before_ns = to_before_ns < 0 ? -to_before_ns : to_before_ns;
    return to_after_ns < to_before_ns ? device_ns - device->untold_ns : device_ns;
}

/* A stamp that a driver made before its clock was set again, as one of the clock that was set. */
static int64_t led_back(const struct phc_clock *self, const struct mt_phc_now *now,
                        int64_t device_ns)
{
    int64_t off_ns = device_ns - now->device_ns;

    if (self->astray_ns == 0 || self->os->monotonic_ns(self->os->context) >= self->astray_to_ns) {
        return device_ns;
    }
    return llabs(off_ns - self->astray_ns) < llabs(off_ns) ? device_ns - self->astray_ns
                                                           : device_ns;
}

static void phc_stamp(struct mt_hal_clock *clock, struct mt_base_time stamp,
                      struct mt_stamp *ret_stamp)
{
    struct phc_clock *self = (struct phc_clock *)clock;
    struct mt_phc_now now = mt_phc_now(self->device);
    int64_t device_ns;
    bool is_future;

    if (stamp.counter == mt_counter_of_phc(self->device->index)) {
        device_ns = led_back(self, &now, untold_taken_back(self, stamp.ns));
    } else {
        device_ns = mt_phc_device_of(self->device, mt_os_time_realtime_of(self->os, stamp).ns);
        stamp.frac = 0;
    }
    ret_stamp->at = instant_at(self, device_ns);
    ret_stamp->at.frac = stamp.frac;
    /* what lies in the future now was stamped before the clock was stepped back */
    is_future = device_ns > now.device_ns + now.window_ns;
    ret_stamp->corrections = mt_past_corrections_at(&self->past, device_ns, is_future ? 1 : 0);
}

static void say_refusal(struct phc_clock *self, int error)
{
    snprintf(self->refusal, sizeof self->refusal, "%s: %s%s", self->device->path, strerror(error),
             error == EACCES || error == EBADF || error == EPERM
                 ? " (it must be opened for writing: run as root, or give the daemon's user access)"
             : error == EOPNOTSUPP ? " (its driver cannot do that)"
                                   : "");
    self->hal.refusal = self->refusal;
}

static bool step_by(struct phc_clock *self, const struct mt_correction *correction,
                    struct mt_span *ret_step)
{
    struct mt_span step = mt_span_plus(correction->step, (struct mt_span){0, 0, 0x8000});
    int64_t step_ns;
    int64_t at_ns;

    step.frac = 0; /* the kernel counts whole ns */
    step_ns = mt_span_to_ns(step);
    if (!mt_phc_step(self->device, step_ns, &at_ns, &step_ns)) {
        return false;
    }
    self->hal.scale = correction->scale;
    mt_past_remember(&self->past, at_ns + (step_ns > 0 ? step_ns / 2 : step_ns));
    *ret_step = mt_span_from_ns(step_ns);
    return true;
}

static bool is_same(double a, double b)
{
    return a - b < SAME_RATE && b - a < SAME_RATE;
}

static double to_device(const struct phc_clock *self, double rate)
{
    return self->bias == 0 ? rate : (1 + rate) * (1 + self->bias) - 1;
}

/* By the kernel's word; false if it does not say. */
static bool rate_found(const struct phc_clock *self, double *ret_rate)
{
    double found;

    if (!mt_phc_rate(self->device, &found)) {
        return false;
    }
    *ret_rate = self->bias == 0 ? found : (1 + found) / (1 + self->bias) - 1;
    return true;
}

static bool set_rate(struct phc_clock *self, mt_real rate)
{
    double most = (double)self->hal.max_rate;
    double wanted = (double)rate > most ? most : (double)rate < -most ? -most : (double)rate;
    int64_t at_ns;

    if (!mt_phc_set_rate(self->device, to_device(self, wanted), &at_ns)) {
        return false;
    }
    if (!rate_found(self, &self->rate)) {
        self->rate = wanted;
    }
    mt_past_remember(&self->past, at_ns);
    return true;
}

static void phc_apply(struct mt_hal_clock *clock, const struct mt_correction *correction,
                      struct mt_applied *ret_applied)
{
    struct phc_clock *self = (struct phc_clock *)clock;
    struct mt_span step = {0, 0, 0};
    bool is_done = false;

    self->doubt_ns = mt_doubt_corrected(self->doubt_ns);
    if (clock->is_adjustable) {
        switch (correction->kind) {
        case MT_CORRECT_STEP:
            is_done = step_by(self, correction, &step);
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
        .rate = (mt_real)self->rate,
        .at = instant_at(self, mt_phc_now(self->device).device_ns),
        .corrections = self->past.corrections,
        .is_refused = !is_done,
    };
}

/* A driver may have forgotten what it was told when it set up its card anew, and does not say so;
 * by then it has run at another rate for less than a second. */
static bool tell_rate_again(struct phc_clock *self)
{
    double wanted = to_device(self, self->rate);
    double told;

    if (!mt_phc_set_rate_again(self->device, wanted)) {
        return false;
    }
    if (mt_phc_rate(self->device, &told)) {
        self->bias = (1 + told) / (1 + self->rate) - 1;
    }
    self->doubt_ns += (int64_t)((wanted < 0 ? -wanted : wanted) * FORGOTTEN_NS) + 1;
    return true;
}

static bool was_stepped(struct phc_clock *self, struct mt_span *ret_step)
{
    int64_t step_ns;
    int64_t from_ns;
    double found;

    if (!mt_phc_was_stepped(self->device, &step_ns, &from_ns)) {
        return false;
    }
    mt_past_remember(&self->past, from_ns);
    self->doubt_ns += mt_phc_now(self->device).window_ns;
    if (self->hal.is_adjustable && rate_found(self, &found) && is_same(found, self->rate)) {
        (void)tell_rate_again(self);
    }
    *ret_step = mt_span_from_ns(step_ns);
    return true;
}

/* When between two questions it was is not known: the middle is taken for it. */
static void bend_track(struct phc_clock *self, double found, int64_t elapsed_ns)
{
    double ratio = (found - self->rate) / (1 + self->rate);

    mt_phc_retuned(self->device, ratio, elapsed_ns / 2);
    self->doubt_ns += (int64_t)((ratio < 0 ? -ratio : ratio) * (double)elapsed_ns / 2) + 1;
}

static bool was_retuned(struct phc_clock *self)
{
    int64_t now_ns = self->os->monotonic_ns(self->os->context);
    int64_t elapsed_ns = now_ns - self->asked_ns;
    bool is_first;
    double found;

    if (elapsed_ns < ASK_EVERY_NS) {
        return false;
    }
    is_first = !self->has_asked;
    self->has_asked = true;
    self->asked_ns = now_ns;
    if (!rate_found(self, &found) || is_same(found, self->rate)) {
        return false;
    }
    if (!is_first) { /* or else it was so when the first reading was made */
        bend_track(self, found, elapsed_ns);
    }
    self->rate = found;
    mt_past_remember(&self->past, mt_phc_now(self->device).device_ns);
    return true;
}

/* A driver that was loaded anew has set its clock as it likes, and does so again when its interface
 * is set up: it is set as it was before, so that nobody needs to be told. */
static void set_again(struct phc_clock *self)
{
    struct mt_phc *device = self->device;
    int64_t now_ns = self->os->monotonic_ns(self->os->context);
    bool is_new;
    int64_t step_ns;
    int64_t from_ns;
    int64_t at_ns;
    int64_t back_ns;

    mt_phc_look(device);
    is_new = self->opened != device->opened;
    if (device->fd < 0 || !self->hal.is_adjustable ||
        (!is_new && (now_ns >= self->new_to_ns || device->untold_ns == 0))) {
        return;
    }
    self->new_to_ns = is_new ? now_ns + NEW_FOR_NS : self->new_to_ns;
    self->opened = device->opened;
    if (!tell_rate_again(self) || !mt_phc_was_stepped(device, &step_ns, &from_ns)) {
        return;
    }
    if (mt_phc_step(device, -step_ns, &at_ns, &back_ns)) {
        self->astray_ns = step_ns;
        self->astray_to_ns = now_ns + ASTRAY_FOR_NS;
        self->doubt_ns += mt_phc_now(device).window_ns + llabs(step_ns + back_ns);
    } else { /* then it is told */
        device->untold_ns = step_ns;
        device->untold_from_ns = from_ns;
    }
}

static bool phc_disturbed(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    struct phc_clock *self = (struct phc_clock *)clock;
    struct mt_span step = {0, 0, 0};
    bool is_step;

    set_again(self);
    is_step = was_stepped(self, &step);

    if (!is_step && !was_retuned(self)) {
        return false;
    }
    *ret_applied = (struct mt_applied){
        .kind = is_step ? MT_CORRECT_STEP : MT_CORRECT_RATE,
        .step = step,
        .rate = (mt_real)self->rate,
        .at = instant_at(self, mt_phc_now(self->device).device_ns),
        .corrections = self->past.corrections,
    };
    return true;
}

static const struct mt_hal_clock_ops phc_ops = {
    .read = phc_read,
    .stamp = phc_stamp,
    .apply = phc_apply,
    .disturbed = phc_disturbed,
};

static enum mt_timescale scale_of(const struct phc_clock *self,
                                  const struct mt_clock_request *request)
{
    int64_t tai_ns =
        self->os->realtime_ns(self->os->context) + request->tai_minus_utc_s * (int64_t)MT_NS_PER_S;
    int64_t apart_ns = mt_phc_now(self->device).device_ns - tai_ns;

    return request->tai_utc_known && apart_ns < AGREES_NS && apart_ns > -AGREES_NS ? MT_SCALE_TAI
                                                                                   : MT_SCALE_ARB;
}

/* Tells the device to run as it does, which needs the same right as a correction.  A frequency
 * that others left is found as a change from none, later. */
static bool may_adjust(struct phc_clock *self)
{
    double rate;
    int64_t at_ns;

    return self->device->max_rate > 0 && mt_phc_rate(self->device, &rate) &&
           mt_phc_set_rate(self->device, rate, &at_ns);
}

struct mt_hal_clock *mt_clock_phc_new(const struct mt_clock_request *request, struct mt_phc *device,
                                      const struct mt_os_time *os)
{
    struct phc_clock *self = calloc(1, sizeof *self);

    if (!self) {
        return 0;
    }
    self->device = device;
    self->os = os;
    self->asked_ns = os->monotonic_ns(os->context) - ASK_EVERY_NS;
    self->hal = (struct mt_hal_clock){
        .ops = &phc_ops,
        .base = os->runs_apart ? MT_BASE_MONOTONIC : MT_BASE_BOOTTIME,
        .scale = scale_of(self, request),
        .device = device->path,
        .granularity_ns = GRAIN_NS,
        .max_rate = (mt_real)device->max_rate,
        .adopts_scale = true,
    };
    errno = EOPNOTSUPP;
    self->hal.is_adjustable = may_adjust(self);
    if (!self->hal.is_adjustable) {
        say_refusal(self, errno);
    }
    return &self->hal;
}

/* What it is told must come back as what we believe, or it would look like another's change. */
static bool run_alike(struct phc_clock *self, struct mt_phc *device, double wanted)
{
    double told = 0;
    int64_t at_ns;

    if (!mt_phc_set_rate(device, wanted, &at_ns)) {
        return false;
    }
    if (!mt_phc_rate(device, &told)) {
        told = wanted;
    }
    self->bias = (1 + told) / (1 + self->rate) - 1;
    return true;
}

bool mt_clock_phc_move(struct mt_hal_clock *clock, struct mt_phc *device)
{
    struct phc_clock *self = (struct phc_clock *)clock;
    struct mt_phc_now before = mt_phc_now(self->device);
    struct mt_phc_now now;
    int64_t elapsed_ns;
    int64_t step_ns;
    int64_t at_ns;
    double told = 0;

    if (device == self->device) {
        return true;
    }
    (void)mt_phc_was_stepped(device, &step_ns, &at_ns); /* while it was nobody's */
    now = mt_phc_now(device);
    elapsed_ns = now.boottime_ns - before.boottime_ns;
    (void)mt_phc_rate(device, &told);
    if (mt_phc_track_knows_rate(&device->track) && mt_phc_track_knows_rate(&self->device->track)) {
        told = (1 + told) * (1 + before.rate) / (1 + now.rate) - 1;
    }
    step_ns =
        before.device_ns + elapsed_ns + (int64_t)((double)elapsed_ns * before.rate) - now.device_ns;
    if (!run_alike(self, device, told) || !mt_phc_step(device, step_ns, &at_ns, &step_ns)) {
        say_refusal(self, errno);
        return false;
    }
    self->doubt_ns += before.window_ns + now.window_ns;
    device->owner = self->device->owner;
    self->device->owner = 0;
    self->device = device;
    self->opened = device->opened;
    clock->device = device->path;
    return true;
}
