/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A thermometer of the kernel: a file in which a number stands, thousandths of a degree
 * (/sys/class/hwmon/hwmonN/tempM_input, /sys/class/thermal/thermal_zoneN/temp).  It is opened
 * before privileges are given up, and read from its beginning whenever its time has come.  When a
 * driver is loaded anew its file is another one under the same name, and the old one cannot be read
 * any more; so it is opened again then.
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
        mt_linux_say(self->base.reason, "cannot read the thermometer %.100s: %s", self->path,
                     strerror(errno));
        return false;
    }
    text[length] = '\0';
    bool is_whole = length < TEXT_SIZE - 1 || strchr(text, '\n');
    if (!is_whole || !is_temperature(text, ret_milli)) {
        mt_linux_say(self->base.reason, "the thermometer %.100s gives no temperature", self->path);
        return false;
    }
    self->base.reason[0] = '\0';
    return true;
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
    if (!measure(self, &milli)) {
        return false;
    }
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
    if (self->file < 0) {
        mt_linux_say(reason, "cannot read the thermometer %.100s: %s", self->path, strerror(errno));
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
