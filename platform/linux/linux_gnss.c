/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A GNSS receiver is heard on a serial line, over a connection, or by way of gpsd.  None of them
 * lasts: a USB receiver is pulled out, a server is started anew.  So a way that ends, or cannot be
 * opened, is tried again as long as the daemon runs, and each change is told as that of a link.
 *
 * What comes is handed on as it comes, with the reading of CLOCK_REALTIME when it was taken.
 */
#include "platform/linux/linux_gnss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "meantime/gnss.h"
#include "platform/linux/linux_listen.h"

#define AGAIN_NS  INT64_C(1000000000) /* after a way that was lost */
#define NAME_SIZE 128
#define GPSD_HERE "localhost:2947"
#define WATCH     "?WATCH={\"enable\":true,\"json\":true,\"pps\":true};\n"
_Static_assert(MT_GNSS_PIECE_MAX <= MT_LINUX_FRAME_SIZE, "a piece fits into the buffer");

struct mt_linux_gnss {
    struct mt_linux_listener heard;
    char device[NAME_SIZE];
    uint32_t baud;
    bool is_line;
    bool is_gpsd;
    bool is_connecting;
    bool is_up;
    bool is_told;
    bool told_up;
    struct mt_linux_line line;
    struct mt_mono again_at;
};

/* ---- the way ------------------------------------------------------------------------------- */

static const char *place_of(const struct mt_linux_gnss *self)
{
    const char *colon = strchr(self->device, ':');

    return self->is_line ? self->device : colon ? colon + 1 : GPSD_HERE;
}

static void let_go(struct mt_linux_gnss *self)
{
    if (self->heard.fd >= 0) {
        if (self->is_line) {
            mt_linux_line_close(self->heard.fd, &self->line);
        } else {
            close(self->heard.fd);
        }
        mt_linux_listener_changed(&self->heard);
    }
    self->heard.fd = -1;
    self->is_up = false;
    self->is_connecting = false;
}

static void lose(struct mt_linux_gnss *self, int error)
{
    mt_linux_say(self->heard.reason, "%s: %s; trying again", self->device,
                 error != 0      ? strerror(error)
                 : self->is_line ? "the device is gone"
                                 : "the other side has closed the connection");
    let_go(self);
    self->again_at = mt_mono_plus(mt_linux_now(), AGAIN_NS);
}

static void be_up(struct mt_linux_gnss *self)
{
    self->is_up = true;
    self->heard.reason[0] = 0;
    self->heard.events = POLLIN;
}

static void begin(struct mt_linux_gnss *self, struct mt_mono now)
{
    self->again_at = mt_mono_plus(now, AGAIN_NS);
    self->heard.fd =
        self->is_line
            ? mt_linux_line_open(self->device, self->baud, &self->line, self->heard.reason)
            : mt_linux_stream_connect(place_of(self), now, self->heard.reason);
    if (self->heard.fd < 0) {
        return;
    }
    if (self->is_line) {
        be_up(self);
    } else {
        self->is_connecting = true;
        self->heard.events = POLLOUT;
        mt_linux_say(self->heard.reason, "%s does not answer yet", self->device);
    }
    mt_linux_listener_changed(&self->heard);
}

static void finish_connecting(struct mt_linux_gnss *self)
{
    int error = 0;
    socklen_t size = sizeof error;
    const char *request = self->is_gpsd ? WATCH : "";
    size_t length = strlen(request);

    if (getsockopt(self->heard.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
        error = errno;
    }
    if (error == 0 && send(self->heard.fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        error = errno;
    }
    if (error != 0) {
        lose(self, error);
        return;
    }
    self->is_connecting = false;
    be_up(self);
    mt_linux_listener_changed(&self->heard);
}

/* ---- octets -------------------------------------------------------------------------------- */

static void receive(struct mt_linux_listener *listener, uint8_t *buffer, struct mt_input *ret_input)
{
    struct mt_linux_gnss *self = (struct mt_linux_gnss *)listener;
    const struct mt_os_time *time = &listener->platform->time;
    ssize_t length;

    if (self->is_connecting) {
        finish_connecting(self);
        return;
    }
    length = read(listener->fd, buffer, MT_GNSS_PIECE_MAX);
    if (length > 0) {
        listener->hal.counters.received++;
        ret_input->kind = MT_INPUT_FRAME;
        ret_input->bytes = buffer;
        ret_input->length = (size_t)length;
        ret_input->has_stamp = true;
        ret_input->stamp = (struct mt_base_time){.ns = time->realtime_ns(time->context)};
    } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
        lose(self, length == 0 ? 0 : errno);
    }
}

static bool due(struct mt_linux_listener *listener, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct mt_linux_gnss *self = (struct mt_linux_gnss *)listener;

    if (listener->fd < 0 && ret_input->now.ns >= self->again_at.ns) {
        begin(self, ret_input->now);
    }
    if (listener->fd < 0) {
        *deadline = mt_mono_earlier(*deadline, self->again_at);
    }
    if (self->is_told && self->told_up == self->is_up) {
        return false;
    }
    self->is_told = true;
    self->told_up = self->is_up;
    ret_input->kind = MT_INPUT_LINK;
    ret_input->is_up = self->is_up;
    return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void close_gnss(struct mt_linux_listener *listener)
{
    struct mt_linux_gnss *self = (struct mt_linux_gnss *)listener;

    let_go(self);
    free(self);
}

/* A line is opened before privileges are given up; if it is not there yet, that is no error. */
struct mt_hal_link *mt_linux_gnss_open(struct mt_linux *platform, uint16_t index,
                                       const struct mt_link_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_gnss *self = calloc(1, sizeof *self);

    if (!self || strlen(request->interface) >= NAME_SIZE) {
        mt_linux_say(reason, self ? "the name of the device is too long" : "out of memory");
        free(self);
        return 0;
    }
    self->heard = (struct mt_linux_listener){
        .hal = {.ops = &mt_linux_only_heard},
        .index = index,
        .fd = -1,
        .receive = receive,
        .due = due,
        .close = close_gnss,
    };
    strcpy(self->device, request->interface);
    self->baud = request->baud;
    self->is_line = self->device[0] == '/';
    self->is_gpsd = strncmp(self->device, "gpsd", 4) == 0;
    mt_linux_listeners_add(platform, &self->heard);
    begin(self, mt_linux_now());
    return &self->heard.hal;
}
