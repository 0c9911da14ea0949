/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that a hardware clock makes (periodic output of /dev/ptpN), one of them at the full second
 * of the clock.  They are evidence of a time, so there are none unless the clock has one: each page
 * that comes keeps them going, and when no more come they end.
 *
 * A driver counts from an edge to the next, so a clock that is stepped may leave its output behind;
 * then it is begun anew.  So it is when the driver was loaded anew, which takes the device away.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/linux/linux_listen.h"

#define NS_PER_S   INT64_C(1000000000)
#define START_S    2 /* ahead, where the driver wants to know when */
#define SILENCE_NS (10 * NS_PER_S)
#define NAME_SIZE  64

struct mt_linux_perout {
    struct mt_linux_listener heard;
    char name[NAME_SIZE]; /* as configured */
    struct mt_phc *phc;
    int device;      /* -1: it is gone */
    uint32_t opened; /* so often was the clock when it was opened */
    struct mt_pulse_request request;
    struct mt_linux_pin pin;
    bool is_on;
    uint32_t steps; /* of the clock, when it was begun */
    struct mt_mono end_at;
};

static struct ptp_clock_time time_of(int64_t ns)
{
    return (struct ptp_clock_time){.sec = ns / NS_PER_S, .nsec = (uint32_t)(ns % NS_PER_S)};
}

static bool try_output(struct mt_linux_perout *self, unsigned flags, bool is_second)
{
    struct ptp_perout_request wanted;
    int64_t device_ns = mt_phc_now(self->phc).device_ns;

    memset(&wanted, 0, sizeof wanted);
    wanted.index = self->request.channel;
    wanted.period = time_of(self->request.period_ns);
    wanted.flags = flags;
    if ((flags & PTP_PEROUT_DUTY_CYCLE) != 0) {
        wanted.on = time_of(self->request.width_ns);
    }
    if ((flags & PTP_PEROUT_PHASE) == 0) {
        wanted.start = time_of((device_ns / NS_PER_S + START_S) * NS_PER_S);
    }
    return ioctl(self->device, is_second ? PTP_PEROUT_REQUEST2 : PTP_PEROUT_REQUEST, &wanted) == 0;
}

/* A phase lasts as long as the clock, so it is asked for first; then a start. */
static bool begin(struct mt_linux_perout *self)
{
    unsigned width = self->request.width_ns > 0 ? PTP_PEROUT_DUTY_CYCLE : 0;

    return try_output(self, PTP_PEROUT_PHASE | width, true) || try_output(self, width, true) ||
           (width == 0 && try_output(self, 0, false));
}

static void end(struct mt_linux_perout *self)
{
    struct ptp_perout_request none;

    memset(&none, 0, sizeof none);
    none.index = self->request.channel;
    if (self->is_on) {
        ioctl(self->device, PTP_PEROUT_REQUEST, &none);
    }
    self->is_on = false;
}

/* To and fro counts, too: the next edge may have been passed over. */
static bool was_stepped(struct mt_linux_perout *self)
{
    uint32_t before = self->steps;

    mt_phc_look(self->phc);
    self->steps = self->phc->steps;
    return self->steps != before;
}

static bool open_device(struct mt_linux_perout *self, char reason[MT_HAL_REASON_SIZE])
{
    self->device = open(self->phc->path, O_RDWR | O_CLOEXEC);
    if (self->device < 0) {
        mt_linux_say(reason, "cannot open %s: %s%s", self->phc->path, strerror(errno),
                     errno == EACCES ? "; run as root, or give the daemon's user access" : "");
        return false;
    }
    self->opened = self->phc->opened;
    self->steps = self->phc->steps;
    return mt_linux_pin_take(self->device, PTP_PF_PEROUT, &self->request, &self->pin, reason);
}

static void let_go(struct mt_linux_perout *self)
{
    if (self->device >= 0) {
        close(self->device);
    }
    self->device = -1;
    self->is_on = false;
}

static bool open_again(struct mt_linux_perout *self)
{
    struct mt_phc *phc = mt_linux_phc_named(self->heard.platform, self->name, self->heard.reason);

    self->phc = phc ? phc : self->phc;
    if (phc && open_device(self, self->heard.reason)) {
        return true;
    }
    let_go(self);
    return false;
}

static bool is_gone(struct mt_linux_perout *self)
{
    mt_phc_look(self->phc);
    return self->phc->fd < 0 || self->opened != self->phc->opened;
}

static bool make_pulses(struct mt_linux_perout *self)
{
    if (is_gone(self)) {
        let_go(self);
    }
    if (self->device < 0 && !open_again(self)) {
        return false;
    }
    if (was_stepped(self)) {
        end(self);
    }
    if (!self->is_on) {
        self->is_on = begin(self);
        self->heard.reason[0] = 0;
    }
    if (!self->is_on) {
        mt_linux_say(self->heard.reason, "%s makes no pulses on channel %u: %s", self->phc->path,
                     self->request.channel, strerror(errno));
    }
    return self->is_on;
}

static bool go_on(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_linux_perout *self = (struct mt_linux_perout *)hal;
    bool is_on = make_pulses(self);

    (void)frame;
    self->end_at = mt_mono_plus(mt_linux_now(), SILENCE_NS);
    hal->counters.sent += is_on;
    hal->counters.send_failed += !is_on;
    return is_on;
}

static const struct mt_hal_link_ops ops = {.send = go_on};

static void receive(struct mt_linux_listener *listener, uint8_t *buffer, struct mt_input *ret_input)
{
    (void)listener;
    (void)buffer;
    (void)ret_input;
}

static bool due(struct mt_linux_listener *listener, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct mt_linux_perout *self = (struct mt_linux_perout *)listener;

    if (self->is_on && ret_input->now.ns >= self->end_at.ns) {
        end(self);
    }
    if (self->is_on) {
        *deadline = mt_mono_earlier(*deadline, self->end_at);
    }
    return false;
}

static void close_perout(struct mt_linux_listener *listener)
{
    struct mt_linux_perout *self = (struct mt_linux_perout *)listener;

    end(self);
    if (self->device >= 0) {
        mt_linux_pin_give_back(self->device, &self->pin);
    }
    let_go(self);
    free(self);
}

struct mt_hal_link *mt_linux_perout_open(struct mt_linux *platform, uint16_t index,
                                         const struct mt_link_request *request,
                                         char reason[MT_HAL_REASON_SIZE])
{
    struct mt_phc *phc = mt_linux_phc_named(platform, request->interface, reason);
    bool is_long = strlen(request->interface) >= NAME_SIZE;
    struct mt_linux_perout *self = phc && !is_long ? calloc(1, sizeof *self) : 0;

    if (!self) {
        if (phc) {
            mt_linux_say(reason, is_long ? "the name of the clock is too long" : "out of memory");
        }
        return 0;
    }
    self->heard = (struct mt_linux_listener){
        .hal = {.ops = &ops},
        .index = index,
        .fd = -1,
        .receive = receive,
        .due = due,
        .close = close_perout,
    };
    strcpy(self->name, request->interface);
    self->phc = phc;
    self->request = request->pulse;
    self->device = -1;
    if (request->clock && strcmp(request->clock, phc->path) != 0) {
        mt_linux_say(reason, "the clock is %s, but the pulses would be those of %s",
                     request->clock[0] ? request->clock : "no hardware clock", phc->path);
        close_perout(&self->heard);
        return 0;
    }
    if (!open_device(self, reason)) {
        close_perout(&self->heard);
        return 0;
    }
    mt_linux_listeners_add(platform, &self->heard);
    return &self->heard.hal;
}
