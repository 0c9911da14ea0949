/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A thermometer of the kernel: a file in which a number stands, thousandths of a degree
 * (/sys/class/hwmon/hwmonN/tempM_input, /sys/class/thermal/thermal_zoneN/temp).  It is opened once,
 * before privileges are given up, and read from its beginning whenever its time has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/linux_listen.h"

#define READING_SIZE 4
#define TEXT_SIZE    24
#define LIMIT_MILLI  1000000 /* of what is a temperature */

struct thermometer {
    struct mt_linux_listener base; /* first */
    int file;
    int64_t poll_ns;
    struct mt_mono poll_at;
};

static bool look(const struct thermometer *self, long *ret_milli)
{
    char text[TEXT_SIZE];
    char *end;
    ssize_t length = pread(self->file, text, sizeof text - 1, 0);

    if (length <= 0) {
        return false;
    }
    text[length] = '\0';
    errno = 0;
    *ret_milli = strtol(text, &end, 10);
    return end != text && (*end == '\n' || *end == '\0') && errno == 0 &&
           labs(*ret_milli) < LIMIT_MILLI;
}

static bool due(struct mt_linux_listener *base, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct thermometer *self = (struct thermometer *)base;
    uint8_t *buffer = base->platform->wait.frame;
    bool is_due = ret_input->now.ns >= self->poll_at.ns;
    long milli;

    if (is_due) {
        self->poll_at = mt_mono_plus(ret_input->now, self->poll_ns);
    }
    *deadline = mt_mono_earlier(*deadline, self->poll_at);
    if (!is_due) {
        return false;
    }
    if (!look(self, &milli)) {
        mt_linux_say(base->reason, "the thermometer gives no temperature");
        return false;
    }
    base->reason[0] = '\0';
    base->hal.counters.received++;
    for (int i = 0; i < READING_SIZE; i++) {
        buffer[i] = (uint8_t)((unsigned long)milli >> 8 * i);
    }
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = base->index;
    ret_input->bytes = buffer;
    ret_input->length = READING_SIZE;
    return true;
}

static void close_thermometer(struct mt_linux_listener *base)
{
    struct thermometer *self = (struct thermometer *)base;

    close(self->file);
    free(self);
}

/* Nothing comes by a descriptor, and nothing goes out. */
static void receive(struct mt_linux_listener *self, uint8_t *buffer, struct mt_input *ret_input)
{
    (void)self;
    (void)buffer;
    (void)ret_input;
}

struct mt_hal_link *mt_linux_temperature_open(struct mt_linux *platform, uint16_t index,
                                              const struct mt_link_request *request,
                                              char reason[MT_HAL_REASON_SIZE])
{
    struct thermometer *self = calloc(1, sizeof *self);

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    self->file = open(request->interface, O_RDONLY | O_CLOEXEC);
    if (self->file < 0) {
        mt_linux_say(reason, "cannot read the thermometer %.100s: %s", request->interface,
                     strerror(errno));
        free(self);
        return 0;
    }
    self->base.hal.ops = &mt_linux_only_heard;
    self->base.index = index;
    self->base.fd = -1;
    self->base.receive = receive;
    self->base.due = due;
    self->base.close = close_thermometer;
    self->poll_ns = request->poll_ns;
    mt_linux_listeners_add(platform, &self->base);
    return &self->base.hal;
}
