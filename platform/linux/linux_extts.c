/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that a hardware clock stamps (external timestamps of /dev/ptpN).  The device is opened
 * once more for them, since newer kernels keep events for each opening apart; older ones have one
 * queue for all, so there a second channel of the same clock must be left to nobody.
 *
 * Some cards stamp both edges and do not say which is which.  A pulse is short and the pause after
 * it long, so the edge behind the longer pause is the leading one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/linux/linux_listen.h"

#define NS_PER_S   INT64_C(1000000000)
#define PAUSE_NS   (NS_PER_S / 2)
#define WORDS_SIZE 96

struct mt_linux_extts {
    struct mt_linux_listener heard;
    struct mt_phc *phc;
    struct mt_pulse_request request;
    struct mt_linux_pin pin;
    bool is_on;
    bool has_both; /* edges */
    int64_t last_ns;
    char stamping[WORDS_SIZE];
};

static bool ask(int fd, const struct mt_pulse_request *request, unsigned flags, bool is_second)
{
    struct ptp_extts_request wanted;

    memset(&wanted, 0, sizeof wanted);
    wanted.index = request->channel;
    wanted.flags = flags;
    return ioctl(fd, is_second ? PTP_EXTTS_REQUEST2 : PTP_EXTTS_REQUEST, &wanted) == 0;
}

static bool switch_on(struct mt_linux_extts *self, char reason[MT_HAL_REASON_SIZE])
{
    unsigned edge = self->request.is_falling ? PTP_FALLING_EDGE : PTP_RISING_EDGE;

    self->is_on =
        ask(self->heard.fd, &self->request, PTP_ENABLE_FEATURE | PTP_STRICT_FLAGS | edge, true);
    if (!self->is_on) {
        self->is_on = ask(self->heard.fd, &self->request, PTP_ENABLE_FEATURE | edge, false);
        self->has_both = self->is_on;
    }
    if (!self->is_on) {
        mt_linux_say(reason, "channel %u of %s does not stamp pulses: %s%s", self->request.channel,
                     self->phc->path, strerror(errno),
                     errno == EBUSY ? "; another program uses it" : "");
    }
    return self->is_on;
}

/* ---- events -------------------------------------------------------------------------------- */

static bool is_leading(struct mt_linux_extts *self, int64_t ns)
{
    int64_t since_ns = ns - self->last_ns;

    self->last_ns = ns;
    return !self->has_both || since_ns > PAUSE_NS || since_ns < 0;
}

static void receive(struct mt_linux_listener *listener, uint8_t *buffer, struct mt_input *ret_input)
{
    struct mt_linux_extts *self = (struct mt_linux_extts *)listener;
    struct ptp_extts_event event;
    int64_t ns;

    if (read(listener->fd, &event, sizeof event) != (ssize_t)sizeof event ||
        event.index != self->request.channel) {
        return;
    }
    ns = event.t.sec * NS_PER_S + event.t.nsec;
    if (is_leading(self, ns)) {
        listener->hal.counters.received++;
        mt_linux_listener_pulse(
            listener,
            (struct mt_base_time){.ns = ns, .counter = mt_counter_of_phc(self->phc->index)}, buffer,
            ret_input);
    }
}

/* ---- opening and closing ------------------------------------------------------------------- */

static void close_extts(struct mt_linux_listener *listener)
{
    struct mt_linux_extts *self = (struct mt_linux_extts *)listener;

    if (self->is_on) {
        ask(listener->fd, &self->request, 0, false);
    }
    if (listener->fd >= 0) {
        mt_linux_pin_give_back(listener->fd, &self->pin);
        close(listener->fd);
    }
    free(self);
}

static bool begin(struct mt_linux_extts *self, char reason[MT_HAL_REASON_SIZE])
{
    self->heard.fd = open(self->phc->path, O_RDWR | O_CLOEXEC);
    if (self->heard.fd < 0 || !mt_linux_set_nonblocking(self->heard.fd)) {
        mt_linux_say(reason, "cannot open %s: %s; run as root, or give the daemon's user access",
                     self->phc->path, strerror(errno));
        return false;
    }
    return mt_linux_pin_take(self->heard.fd, PTP_PF_EXTTS, &self->request, &self->pin, reason) &&
           switch_on(self, reason);
}

struct mt_hal_link *mt_linux_extts_open(struct mt_linux *platform, uint16_t index,
                                        const struct mt_link_request *request,
                                        char reason[MT_HAL_REASON_SIZE])
{
    struct mt_phc *phc = mt_linux_phc_named(platform, request->interface, reason);
    struct mt_linux_extts *self = phc ? calloc(1, sizeof *self) : 0;

    if (!self) {
        if (phc) {
            mt_linux_say(reason, "out of memory");
        }
        return 0;
    }
    self->heard = (struct mt_linux_listener){
        .hal = {.ops = &mt_linux_only_heard, .stamping = self->stamping},
        .index = index,
        .fd = -1,
        .events = POLLIN,
        .receive = receive,
        .close = close_extts,
    };
    self->phc = phc;
    self->request = request->pulse;
    if (!begin(self, reason)) {
        close_extts(&self->heard);
        return 0;
    }
    snprintf(self->stamping, sizeof self->stamping, "hardware, by the clock %s%s", phc->path,
             self->has_both ? " (both edges)" : "");
    mt_linux_listeners_add(platform, &self->heard);
    return &self->heard.hal;
}
