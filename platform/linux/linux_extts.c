/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that a hardware clock stamps (external timestamps of /dev/ptpN).  The device is opened
 * once more for them, since newer kernels keep events for each opening apart; older ones have one
 * queue for all, so there a second channel of the same clock must be left to nobody.
 *
 * Some cards stamp both edges and do not say which is which.  A pulse is short and the pause after
 * it long, so the edge behind the longer pause is the leading one.
 *
 * A driver that is loaded anew takes its clock away, and one that resets its card forgets which
 * channels were to be stamped.  So a device that is gone is looked for until it is there again,
 * perhaps under another number, and where no pulses come they are asked for again and again.
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
#define AGAIN_NS   NS_PER_S
#define QUIET_NS   (3 * NS_PER_S)
#define NAME_SIZE  64
#define WORDS_SIZE 96

struct mt_linux_extts {
    struct mt_linux_listener heard;
    char device[NAME_SIZE]; /* as configured */
    struct mt_phc *phc;     /* null: that is not there now */
    struct mt_pulse_request request;
    struct mt_linux_pin pin;
    bool is_on;
    bool has_both; /* edges */
    int64_t last_ns;
    struct mt_mono again_at; /* to be opened, or asked for pulses, once more */
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

    self->has_both = false;
    self->is_on =
        ask(self->heard.fd, &self->request, PTP_ENABLE_FEATURE | PTP_STRICT_FLAGS | edge, true);
    if (!self->is_on) {
        self->is_on = ask(self->heard.fd, &self->request, PTP_ENABLE_FEATURE | edge, false);
        self->has_both = self->is_on;
    }
    if (!self->is_on) {
        int error = errno;

        mt_linux_say(reason, "channel %u of %s does not stamp pulses: %s%s", self->request.channel,
                     self->phc->path, strerror(error),
                     error == EBUSY ? "; another program uses it" : "");
        errno = error;
    }
    return self->is_on;
}

/* ---- beginning and losing ------------------------------------------------------------------ */

static bool open_clock(struct mt_linux_extts *self, char reason[MT_HAL_REASON_SIZE])
{
    self->phc = mt_linux_phc_named(self->heard.platform, self->device, reason);
    if (!self->phc) {
        return false;
    }
    self->heard.fd = open(self->phc->path, O_RDWR | O_CLOEXEC);
    if (self->heard.fd < 0 || !mt_linux_set_nonblocking(self->heard.fd)) {
        mt_linux_say(reason, "cannot open %s: %s%s", self->phc->path, strerror(errno),
                     errno == EACCES ? "; run as root, or give the daemon's user access" : "");
        return false;
    }
    return mt_linux_pin_take(self->heard.fd, PTP_PF_EXTTS, &self->request, &self->pin, reason) &&
           switch_on(self, reason);
}

static void let_go(struct mt_linux_extts *self)
{
    if (self->heard.fd >= 0) {
        close(self->heard.fd);
        mt_linux_listener_changed(&self->heard);
    }
    self->heard.fd = -1;
    self->is_on = false;
}

static void lose(struct mt_linux_extts *self, int error)
{
    mt_linux_say(self->heard.reason, "%s stamps no pulses any more: %s; trying again",
                 self->phc->path, strerror(error));
    let_go(self);
}

static bool begin(struct mt_linux_extts *self, char reason[MT_HAL_REASON_SIZE])
{
    if (!open_clock(self, reason)) {
        return false;
    }
    snprintf(self->stamping, sizeof self->stamping, "hardware, by the clock %s%s", self->phc->path,
             self->has_both ? " (both edges)" : "");
    self->heard.reason[0] = 0;
    mt_linux_listener_changed(&self->heard);
    return true;
}

static void begin_again(struct mt_linux_extts *self, struct mt_mono now)
{
    self->again_at = mt_mono_plus(now, AGAIN_NS);
    if (begin(self, self->heard.reason)) {
        self->again_at = mt_mono_plus(now, QUIET_NS);
    } else {
        let_go(self);
    }
}

/* To be asked for what it does already is nothing to a driver. */
static void ask_again(struct mt_linux_extts *self, struct mt_mono now)
{
    char reason[MT_HAL_REASON_SIZE];

    self->again_at = mt_mono_plus(now, QUIET_NS);
    if (!switch_on(self, reason)) {
        lose(self, errno);
        self->again_at = mt_mono_plus(now, AGAIN_NS);
    }
}

static bool due(struct mt_linux_listener *listener, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct mt_linux_extts *self = (struct mt_linux_extts *)listener;

    if (ret_input->now.ns >= self->again_at.ns) {
        if (listener->fd < 0) {
            begin_again(self, ret_input->now);
        } else {
            ask_again(self, ret_input->now);
        }
    }
    *deadline = mt_mono_earlier(*deadline, self->again_at);
    return mt_linux_listener_tell(listener, listener->fd >= 0, ret_input);
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
    ssize_t length = read(listener->fd, &event, sizeof event);
    int64_t ns;

    if (length <= 0 && (length == 0 || (errno != EAGAIN && errno != EINTR))) {
        lose(self, length == 0 ? ENODEV : errno);
        self->again_at = mt_mono_plus(ret_input->now, AGAIN_NS);
    }
    if (length != (ssize_t)sizeof event || event.index != self->request.channel) {
        return;
    }
    self->again_at = mt_mono_plus(ret_input->now, QUIET_NS);
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

struct mt_hal_link *mt_linux_extts_open(struct mt_linux *platform, uint16_t index,
                                        const struct mt_link_request *request,
                                        char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_extts *self = calloc(1, sizeof *self);

    if (!self || strlen(request->interface) >= NAME_SIZE) {
        mt_linux_say(reason, self ? "the name of the clock is too long" : "out of memory");
        free(self);
        return 0;
    }
    self->heard = (struct mt_linux_listener){
        .hal = {.ops = &mt_linux_only_heard, .stamping = self->stamping},
        .platform = platform,
        .index = index,
        .fd = -1,
        .events = POLLIN,
        .receive = receive,
        .due = due,
        .close = close_extts,
    };
    strcpy(self->device, request->interface);
    self->request = request->pulse;
    if (!begin(self, reason)) {
        close_extts(&self->heard);
        return 0;
    }
    self->again_at = mt_mono_plus(mt_linux_now(), QUIET_NS);
    mt_linux_listeners_add(platform, &self->heard);
    return &self->heard.hal;
}
