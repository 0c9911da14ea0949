/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A thermometer of the kernel: a file in which a number stands, thousandths of a degree
 * (/sys/class/hwmon/hwmonN/tempM_input, /sys/class/thermal/thermal_zoneN/temp).  It is opened
 * before privileges are given up, and read from its beginning whenever its time has come.  When a
 * driver is loaded anew its file is another one under the same name, and the old one cannot be read
 * any more; so it is opened again then.  A file that is not there yet is waited for likewise.
 *
 * A chip that is busy fails now and then; so that a thermometer is silent is told only when it has
 * been for as long as its last reading is believed, or if it has never told anything.
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
#define SILENT_AFTER 10      /* readings that fail */

struct thermometer {
    struct mt_linux_listener base; /* first */
    int file;
    int64_t poll_ns;
    struct mt_mono poll_at;
    unsigned failures; /* since it was read last */
    bool was_read;
    bool has_reading; /* that is to be handed over */
    long milli;
    char path[];
};

/* Reads at most so much; < 0 with errno. */
static ssize_t look(struct thermometer *self, char *text, size_t size)
{
    ssize_t length = self->file >= 0 ? pread(self->file, text, size, 0) : -1;

    if (length >= 0) {
        return length;
    }
    if (self->file >= 0) {
        close(self->file);
    }
    self->file = open(self->path, O_RDONLY | O_CLOEXEC);
    return self->file >= 0 ? pread(self->file, text, size, 0) : -1;
}

/* May come when its driver is loaded. */
static bool may_come(int error)
{
    return error == ENOENT || error == ENODEV || error == ENXIO;
}

static void say_unreadable(const struct thermometer *self, int error,
                           char reason[MT_HAL_REASON_SIZE])
{
    mt_linux_say(reason, "cannot read the thermometer %.100s: %s%s", self->path, strerror(error),
                 may_come(error) ? "; waiting for it" : "");
}

static bool is_temperature(const char *text, long *ret_milli)
{
    char *end;
    long milli;

    errno = 0;
    milli = strtol(text, &end, 10);
    if (end == text || (*end != '\n' && *end != '\0') || errno != 0 || milli <= -LIMIT_MILLI ||
        milli >= LIMIT_MILLI) {
        return false;
    }
    *ret_milli = milli;
    return true;
}

static bool measure(struct thermometer *self, long *ret_milli)
{
    char text[TEXT_SIZE];
    ssize_t length = look(self, text, sizeof text - 1);

    if (length < 0) {
        say_unreadable(self, errno, self->base.reason);
        return false;
    }
    text[length] = '\0';
    bool is_whole = length < TEXT_SIZE - 1 || strchr(text, '\n');
    if (!is_whole || !is_temperature(text, ret_milli)) {
        mt_linux_say(self->base.reason,
                     "the thermometer %.100s gives no temperature; expected thousandths of a "
                     "degree, such as 45125",
                     self->path);
        return false;
    }
    self->base.reason[0] = '\0';
    return true;
}

static bool is_silent(const struct thermometer *self)
{
    return self->failures >= (self->was_read ? SILENT_AFTER : 1);
}

static void read_once(struct thermometer *self)
{
    self->has_reading = measure(self, &self->milli);
    self->was_read |= self->has_reading;
    if (self->has_reading) {
        self->failures = 0;
    } else if (self->failures < SILENT_AFTER) {
        self->failures++;
    }
}

static void hand_over(struct thermometer *self, struct mt_input *ret_input)
{
    uint8_t *buffer = self->base.platform->wait.frame;

    for (int i = 0; i < READING_SIZE; i++) {
        buffer[i] = (uint8_t)((unsigned long)self->milli >> 8 * i);
    }
    self->has_reading = false;
    self->base.hal.counters.received++;
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = self->base.index;
    ret_input->bytes = buffer;
    ret_input->length = READING_SIZE;
}

static bool due(struct mt_linux_listener *base, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct thermometer *self = (struct thermometer *)base;

    if (ret_input->now.ns >= self->poll_at.ns) {
        self->poll_at = mt_mono_plus(ret_input->now, self->poll_ns);
        read_once(self);
    }
    *deadline = mt_mono_earlier(*deadline, self->poll_at);
    if (mt_linux_listener_tell(base, !is_silent(self), ret_input)) {
        return true;
    }
    if (self->has_reading) {
        hand_over(self, ret_input);
        return true;
    }
    return false;
}

static void close_thermometer(struct mt_linux_listener *base)
{
    struct thermometer *self = (struct thermometer *)base;

    if (self->file >= 0) {
        close(self->file);
    }
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
    size_t length = strlen(request->interface);
    struct thermometer *self = calloc(1, sizeof *self + length + 1);

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    memcpy(self->path, request->interface, length);
    self->file = open(self->path, O_RDONLY | O_CLOEXEC);
    if (self->file < 0 && !may_come(errno)) {
        say_unreadable(self, errno, reason);
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
