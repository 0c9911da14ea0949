/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The list of links that are only heard, and what several of them need.
 *
 * A pin that nobody names is left as it is if one does already what is wanted; drivers that have
 * pins begin with none in use, and number them as their channels more often than not.
 */
#include "platform/linux/linux_listen.h"

#include <errno.h>
#include <linux/ptp_clock.h>
#include <string.h>
#include <sys/ioctl.h>

#include "runtime/refclock_reading.h"

/* ---- what is only heard --------------------------------------------------------------------- */

static bool send_nothing(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    (void)hal;
    (void)frame;
    return false;
}

const struct mt_hal_link_ops mt_linux_only_heard = {.send = send_nothing};

/* ---- the list ------------------------------------------------------------------------------ */

void mt_linux_listeners_add(struct mt_linux *platform, struct mt_linux_listener *listener)
{
    listener->platform = platform;
    listener->next = platform->listeners;
    platform->listeners = listener;
    platform->wait.is_set_old = true;
}

void mt_linux_listener_changed(struct mt_linux_listener *self)
{
    self->platform->wait.is_set_old = true;
}

size_t mt_linux_listeners_count(const struct mt_linux *platform)
{
    size_t count = 0;

    for (const struct mt_linux_listener *self = platform->listeners; self; self = self->next) {
        count++;
    }
    return count;
}

void mt_linux_listeners_put(struct mt_linux *platform, mt_linux_listener_put *put)
{
    for (const struct mt_linux_listener *self = platform->listeners; self; self = self->next) {
        put(&platform->wait, self->fd, self->events,
            (struct mt_pollee){.kind = MT_POLLEE_LISTENER, .link = self->index});
    }
}

void mt_linux_listeners_receive(struct mt_linux *platform, uint16_t index, uint8_t *buffer,
                                struct mt_input *ret_input)
{
    struct mt_linux_listener *self = platform->listeners;

    while (self && self->index != index) {
        self = self->next;
    }
    if (self) {
        ret_input->link = index;
        self->receive(self, buffer, ret_input);
    }
}

bool mt_linux_listeners_due(struct mt_linux *platform, struct mt_input *ret_input,
                            struct mt_mono *deadline)
{
    for (struct mt_linux_listener *self = platform->listeners; self; self = self->next) {
        ret_input->link = self->index;
        if (self->due && self->due(self, ret_input, deadline)) {
            return true;
        }
    }
    return false;
}

const char *mt_linux_listeners_reason(const struct mt_linux *platform, uint16_t index)
{
    for (const struct mt_linux_listener *self = platform->listeners; self; self = self->next) {
        if (self->index == index) {
            return self->reason;
        }
    }
    return "";
}

void mt_linux_listeners_close(struct mt_linux *platform)
{
    while (platform->listeners) {
        struct mt_linux_listener *self = platform->listeners;

        platform->listeners = self->next;
        self->close(self);
    }
}

bool mt_linux_listener_tell(struct mt_linux_listener *self, bool is_up, struct mt_input *ret_input)
{
    if (self->is_told_down == !is_up) {
        return false;
    }
    self->is_told_down = !is_up;
    ret_input->kind = MT_INPUT_LINK;
    ret_input->link = self->index;
    ret_input->is_up = is_up;
    return true;
}

void mt_linux_listener_pulse(const struct mt_linux_listener *self, struct mt_base_time stamp,
                             uint8_t *buffer, struct mt_input *ret_input)
{
    mt_refclock_reading_write(&(struct mt_refclock_reading){.is_pulse = true}, buffer);
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = self->index;
    ret_input->bytes = buffer;
    ret_input->length = MT_REFCLOCK_READING_SIZE;
    ret_input->has_stamp = true;
    ret_input->stamp = stamp;
}

struct mt_hal_link *mt_linux_listen(struct mt_linux *platform, uint16_t index,
                                    const struct mt_link_request *request,
                                    char reason[MT_HAL_REASON_SIZE])
{
    if (request->transport == MT_TRANSPORT_PPS) {
        return mt_linux_pps_open(platform, index, request, reason);
    }
    if (request->transport == MT_TRANSPORT_EXTTS) {
        return mt_linux_extts_open(platform, index, request, reason);
    }
    if (request->transport == MT_TRANSPORT_TEMPERATURE) {
        return mt_linux_temperature_open(platform, index, request, reason);
    }
    return request->transport == MT_TRANSPORT_PEROUT
               ? mt_linux_perout_open(platform, index, request, reason)
               : mt_linux_gnss_open(platform, index, request, reason);
}

/* ---- pins ---------------------------------------------------------------------------------- */

static bool ask_pin(int fd, unsigned index, struct ptp_pin_desc *ret_pin)
{
    memset(ret_pin, 0, sizeof *ret_pin);
    ret_pin->index = index;
    return ioctl(fd, PTP_PIN_GETFUNC, ret_pin) == 0;
}

static bool set_pin(int fd, unsigned index, unsigned function, unsigned channel)
{
    struct ptp_pin_desc pin;

    memset(&pin, 0, sizeof pin);
    pin.index = index;
    pin.func = function;
    pin.chan = channel;
    return ioctl(fd, PTP_PIN_SETFUNC, &pin) == 0;
}

/* The pin that does it already; `count`: none does. */
static unsigned find_pin(int fd, unsigned count, unsigned function, unsigned channel)
{
    struct ptp_pin_desc pin;
    unsigned index = 0;

    while (index < count &&
           !(ask_pin(fd, index, &pin) && pin.func == function && pin.chan == channel)) {
        index++;
    }
    return index;
}

bool mt_linux_pin_take(int fd, unsigned function, const struct mt_pulse_request *request,
                       struct mt_linux_pin *ret_pin, char reason[MT_HAL_REASON_SIZE])
{
    struct ptp_clock_caps caps;
    struct ptp_pin_desc pin;
    unsigned wanted = request->pin == MT_PIN_AUTO ? request->channel : (unsigned)request->pin;
    unsigned found;

    *ret_pin = (struct mt_linux_pin){0};
    memset(&caps, 0, sizeof caps);
    if (ioctl(fd, PTP_CLOCK_GETCAPS, &caps) < 0 || caps.n_pins <= 0) {
        return true; /* wired for good */
    }
    found = find_pin(fd, (unsigned)caps.n_pins, function, request->channel);
    if (found < (unsigned)caps.n_pins && (request->pin == MT_PIN_AUTO || found == wanted)) {
        return true;
    }
    if (!ask_pin(fd, wanted, &pin) || !set_pin(fd, wanted, function, request->channel)) {
        mt_linux_say(reason,
                     "pin %u of the hardware clock cannot be used for channel %u: %s; it "
                     "has %d pins",
                     wanted, request->channel, strerror(errno), caps.n_pins);
        return false;
    }
    *ret_pin = (struct mt_linux_pin){true, wanted, pin.func, pin.chan};
    return true;
}

void mt_linux_pin_give_back(int fd, const struct mt_linux_pin *pin)
{
    if (pin->is_changed) {
        set_pin(fd, pin->index, pin->function, pin->channel);
    }
}
