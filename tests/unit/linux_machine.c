/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel's part: clock_adjtime as far as the clocks use it, with the kernel's rules that an
 * offset is taken only while its own loop runs, that the largest error grows by 500 us with each
 * second, and that a step makes it forget what it was told.
 */
#include "linux_machine.h"

#include <errno.h>
#include <string.h>

static void grow(struct machine *self, int64_t seconds)
{
    int64_t error_us = self->kernel.maxerror + 500 * seconds;

    self->kernel.maxerror = error_us < LARGEST_ERROR_US ? error_us : LARGEST_ERROR_US;
    if (error_us > LARGEST_ERROR_US) {
        self->kernel.status |= STA_UNSYNC;
    }
}

static void forget(struct machine *self)
{
    self->kernel.status |= STA_UNSYNC;
    self->kernel.maxerror = LARGEST_ERROR_US;
    self->kernel.esterror = LARGEST_ERROR_US;
}

void machine_pass(struct machine *self, int64_t ns)
{
    grow(self, (self->realtime_ns + ns) / SECOND - self->realtime_ns / SECOND);
    self->realtime_ns += ns;
    self->monotonic_ns += ns;
    self->boottime_ns += ns;
}

void machine_sleep(struct machine *self, int64_t ns)
{
    self->realtime_ns += ns;
    self->boottime_ns += ns;
}

static int64_t read_realtime(void *context)
{
    struct machine *self = context;

    machine_pass(self, self->cost_ns);
    return self->realtime_ns;
}

static int64_t read_monotonic(void *context)
{
    struct machine *self = context;

    machine_pass(self, self->cost_ns);
    return self->monotonic_ns;
}

static int64_t read_boottime(void *context)
{
    struct machine *self = context;

    machine_pass(self, self->cost_ns);
    return self->boottime_ns;
}

static int adjust(void *context, struct timex *change)
{
    struct machine *self = context;
    unsigned modes = change->modes;

    if (modes != 0 && modes != ADJ_OFFSET_SS_READ && self->is_forbidden) {
        errno = self->refusal != 0 ? self->refusal : EPERM;
        return -1;
    }
    if (modes == ADJ_OFFSET_SS_READ) {
        *change = self->kernel;
        change->offset = self->singleshot_us;
        return TIME_OK;
    }
    self->changes += modes != 0 && modes != ADJ_ESTERROR;
    if (modes == ADJ_OFFSET_SINGLESHOT) {
        self->singleshot_us = change->offset;
        modes = 0;
    }
    if (modes & ADJ_SETOFFSET) {
        self->realtime_ns += change->time.tv_sec * SECOND + change->time.tv_usec;
        forget(self);
    }
    if (modes & ADJ_FREQUENCY) {
        self->kernel.freq = change->freq;
    }
    if (modes & ADJ_TICK) {
        self->kernel.tick = change->tick;
    }
    if (modes & ADJ_STATUS) {
        self->kernel.status = change->status;
    }
    if (modes & ADJ_MAXERROR) {
        self->kernel.maxerror = change->maxerror;
    }
    if (modes & ADJ_ESTERROR) {
        self->kernel.esterror = change->esterror;
    }
    if (modes & ADJ_TAI) {
        self->kernel.tai = (int)change->constant;
    }
    if (modes & ADJ_OFFSET && self->kernel.status & STA_PLL) {
        self->kernel.offset = change->offset;
    }
    *change = self->kernel;
    return TIME_OK;
}

void machine_init(struct machine *self)
{
    memset(self, 0, sizeof *self);
    self->os = (struct mt_os_time){.realtime_ns = read_realtime,
                                   .monotonic_ns = read_monotonic,
                                   .boottime_ns = read_boottime,
                                   .adjust = adjust,
                                   .context = self};
    self->realtime_ns = NOON;
    self->monotonic_ns = 1000 * SECOND;
    self->boottime_ns = 5000 * SECOND; /* it has slept before */
    self->kernel.tick = 10000;
    forget(self);
}

struct mt_clock_reading read_clock(struct mt_hal_clock *clock)
{
    struct mt_clock_reading reading;

    clock->ops->read(clock, &reading);
    return reading;
}

struct mt_stamp stamp(struct mt_hal_clock *clock, int64_t realtime_ns)
{
    struct mt_stamp at;

    clock->ops->stamp(clock, (struct mt_base_time){.ns = realtime_ns}, &at);
    return at;
}

int64_t local_ns(struct mt_hal_clock *clock)
{
    return mt_instant_to_ns(read_clock(clock).local.at);
}

struct mt_applied step(struct mt_hal_clock *clock, int64_t ns)
{
    struct mt_correction correction = {
        .kind = MT_CORRECT_STEP, .step = mt_span_from_ns(ns), .scale = MT_SCALE_TAI};
    struct mt_applied applied;

    clock->ops->apply(clock, &correction, &applied);
    return applied;
}

struct mt_applied set_rate(struct mt_hal_clock *clock, mt_real rate)
{
    struct mt_correction correction = {.kind = MT_CORRECT_RATE, .rate = rate};
    struct mt_applied applied;

    clock->ops->apply(clock, &correction, &applied);
    return applied;
}
