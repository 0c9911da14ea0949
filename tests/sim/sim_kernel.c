/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * REALTIME is the world's clock less a number of seconds, and that number is all that a leap
 * second changes: by one, when REALTIME comes to midnight and the flag is set.  Rates and steps go
 * to the world's clock.  BOOTTIME is slewed along and never stepped. */
#include "sim_kernel.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define S_PER_DAY 86400
#define S_NS      INT64_C(1000000000)

#define KERNEL_OF(pointer, member)                                                                 \
    ((struct sim_kernel *)((char *)(pointer)-offsetof(struct sim_kernel, member)))

static int64_t counter_ns(const struct sim_kernel *self)
{
    struct mt_clock_reading reading;
    self->counter->ops->read(self->counter, &reading);
    return mt_instant_to_ns(reading.local.at);
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

/* The one after the flag was seen first; `maxerror` and the like are not of interest here. */
static void overflow(struct sim_kernel *self)
{
    int64_t now_s = counter_ns(self) / S_NS - self->hidden_s;
    int64_t midnight_s = now_s - now_s % S_PER_DAY;
    bool is_ins = (self->timex.status & STA_INS) != 0;
    bool is_del = (self->timex.status & STA_DEL) != 0;
    if (!is_ins && !is_del) {
        self->timex.jitter = 0; /* where the day is kept on which it was armed */
    } else if (self->timex.jitter == 0) {
        self->timex.jitter = now_s / S_PER_DAY + 1;
    } else if (is_ins && midnight_s / S_PER_DAY == self->timex.jitter) {
        self->before_s = self->hidden_s++;
        self->leapt_ns = (midnight_s + self->before_s) * S_NS;
        self->timex.tai++;
        self->timex.jitter = INT64_C(1) << 40; /* once only, until the flag has gone */
    } else if (is_del && now_s + 1 >= self->timex.jitter * S_PER_DAY) {
        self->before_s = self->hidden_s--;
        self->leapt_ns = (self->timex.jitter * S_PER_DAY - 1 + self->before_s) * S_NS;
        self->timex.tai--;
        self->timex.jitter = INT64_C(1) << 40;
    }
}

int64_t sim_kernel_realtime_ns(struct sim_kernel *self)
{
    overflow(self);
    return counter_ns(self) - self->hidden_s * S_NS;
}

/* ---- the operating system -------------------------------------------------------------------- */

static int64_t read_realtime(void *context)
{
    return sim_kernel_realtime_ns(context);
}

static int64_t read_monotonic(void *context)
{
    struct sim_kernel *self = context;
    return self->world->wait->ops->now(self->world->wait).ns;
}

static int64_t read_boottime(void *context)
{
    struct sim_kernel *self = context;
    return counter_ns(self) - self->stepped_ns - 1000000 * S_NS;
}

static void correct(struct sim_kernel *self, enum mt_correction_kind kind, struct mt_span step,
                    mt_real rate)
{
    struct mt_applied applied;
    const struct mt_correction correction = {
        .kind = kind, .step = step, .rate = rate, .scale = MT_SCALE_TAI};
    self->counter->ops->apply(self->counter, &correction, &applied);
}

/* A step of whole seconds is one of UTC, for the daemon steps the rest away with those. */
static void set_offset(struct sim_kernel *self, const struct timex *change)
{
    const struct mt_span step = {change->time.tv_sec, (uint32_t)change->time.tv_usec, 0};
    if (step.ns == 0 && self->steps > 0) {
        self->before_s = self->hidden_s;
        self->hidden_s -= (int32_t)step.s;
        return;
    }
    self->steps++;
    self->stepped_ns += step.s * S_NS + step.ns;
    correct(self, MT_CORRECT_STEP, step, 0);
}

static int adjust(void *context, struct timex *change)
{
    struct sim_kernel *self = context;
    unsigned modes = change->modes;
    if ((modes & ADJ_SETOFFSET) != 0 && modes != ADJ_OFFSET_SS_READ) {
        set_offset(self, change);
    }
    if ((modes & ADJ_FREQUENCY) != 0 && modes != ADJ_OFFSET_SS_READ &&
        modes != ADJ_OFFSET_SINGLESHOT) {
        self->timex.freq = change->freq;
        correct(self, MT_CORRECT_RATE, (struct mt_span){0}, (mt_real)change->freq * 1e-6 / 65536);
    }
    if ((modes & ADJ_STATUS) != 0 && modes != ADJ_OFFSET_SS_READ &&
        modes != ADJ_OFFSET_SINGLESHOT) {
        self->timex.status = change->status;
    }
    if ((modes & ADJ_TAI) != 0 && (modes & ADJ_STATUS) != 0) {
        self->timex.tai = (int)change->constant;
    }
    overflow(self);
    *change = self->timex;
    change->offset = 0;
    change->jitter = 0;
    return TIME_OK;
}

/* ---- the clock between ----------------------------------------------------------------------- */

/* Pages are made for the world's own counter. */
static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    struct mt_clock_reading counted;
    self->system->ops->read(self->system, ret_reading);
    self->counter->ops->read(self->counter, &counted);
    ret_reading->base = counted.base;
    ret_reading->rate_q64 = counted.rate_q64;
}

/* The kernel stamps with REALTIME as it was. */
static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    struct mt_stamp counted;
    self->counter->ops->stamp(self->counter, base, &counted);
    overflow(self);
    int64_t ns = mt_instant_to_ns(counted.at);
    int32_t hidden_s = ns < self->leapt_ns ? self->before_s : self->hidden_s;
    const struct mt_base_time stamp = {.ns = ns - hidden_s * S_NS, .frac = counted.at.frac};
    self->system->ops->stamp(self->system, stamp, ret_stamp);
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    self->system->ops->apply(self->system, correction, ret_applied);
}

static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    return self->system->ops->disturbed(self->system, ret_applied);
}

static void clock_announce(struct mt_hal_clock *hal, int32_t leap_s)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    self->system->ops->announce(self->system, leap_s);
}

static void clock_tell(struct mt_hal_clock *hal, const struct mt_clock_standing *standing)
{
    struct sim_kernel *self = KERNEL_OF(hal, hal);
    self->system->ops->tell(self->system, standing);
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
    .announce = clock_announce,
    .tell = clock_tell,
};

/* ---- the provider ---------------------------------------------------------------------------- */

static struct mt_hal_clock *open_clock(struct mt_hal_provider *provider,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct sim_kernel *self = KERNEL_OF(provider, provider);
    self->counter = self->world->ops->open_clock(self->world, request, reason);
    if (self->counter == NULL) {
        return NULL;
    }
    self->system = mt_clock_system_new(request, &self->os);
    self->hal = *self->system;
    self->hal.ops = &clock_ops;
    self->hal.base = self->counter->base;
    return &self->hal;
}

static struct mt_hal_link *open_link(struct mt_hal_provider *provider, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_hal_provider *world = KERNEL_OF(provider, provider)->world;
    return world->ops->open_link(world, index, request, reason);
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    struct mt_hal_provider *world = KERNEL_OF(provider, provider)->world;
    return world->ops->identity(world, interface, ret_identity);
}

void sim_kernel_init(struct sim_kernel *self, int32_t tai_minus_utc_s)
{
    memset(self, 0, sizeof *self);
    self->hidden_s = tai_minus_utc_s;
    self->before_s = tai_minus_utc_s;
    self->leapt_ns = INT64_MIN;
    self->timex.tick = 10000;
    self->timex.status = STA_UNSYNC;
    self->os = (struct mt_os_time){.realtime_ns = read_realtime,
                                   .monotonic_ns = read_monotonic,
                                   .boottime_ns = read_boottime,
                                   .adjust = adjust,
                                   .context = self};
}

void sim_kernel_free(struct sim_kernel *self)
{
    free(self->system);
    self->system = NULL;
}

struct mt_hal_provider *sim_kernel_provide(struct sim_kernel *self, struct mt_hal_provider *world)
{
    static const struct mt_hal_provider_ops ops = {
        .open_clock = open_clock, .open_link = open_link, .identity = identity};
    self->world = world;
    self->provider = *world;
    self->provider.ops = &ops;
    return &self->provider;
}
