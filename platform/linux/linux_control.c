/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The control socket.  A client is in one of two moods: it may send (we poll for input), or it
 * has something due (a reply that is not out yet, or a request that came together with the last
 * one); then we poll for room to write, which is there at once unless the client sleeps.  So at
 * most one request is answered for each wake-up, and a client that asks for much and takes little
 * is made to wait: nothing is read from it meanwhile.  Memory for a client is bounded by one line
 * and one reply.
 */
#include "platform/linux/linux_control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"

#define BACKLOG 8

struct client {
    int fd; /* -1: free */
    uid_t uid;
    char *input; /* MT_CONTROL_LINE_SIZE octets */
    size_t input_length;
    char *output; /* null: nothing to send */
    size_t output_length;
    size_t output_sent;
    struct mt_mono active; /* when it last sent or took something */
};

struct mt_control {
    struct mt_linux *platform;
    mt_control_handler *handler;
    void *context;
    int fd;
    struct sockaddr_un address;
    struct client clients[MT_CONTROL_CLIENTS];
};

static void drop(struct mt_control *self, struct client *client)
{
    if (client->fd >= 0) {
        mt_linux_unwatch(self->platform, client->fd);
        close(client->fd);
    }
    free(client->input);
    free(client->output);
    *client = (struct client){.fd = -1};
}

static struct client *find_client(struct mt_control *self, int fd)
{
    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        if (self->clients[i].fd == fd) {
            return &self->clients[i];
        }
    }
    return 0;
}

/* ---- one client ------------------------------------------------------------------------- */

static char *end_of_line(const struct client *client)
{
    return memchr(client->input, '\n', client->input_length);
}

/* Puts the newline where the closing 0 was; false if there is no memory. */
static bool set_output(struct client *client, char *reply)
{
    size_t length = strlen(reply);
    char *output = realloc(reply, length + 1);

    if (!output) {
        free(reply);
        return false;
    }
    output[length] = '\n';
    client->output = output;
    client->output_length = length + 1;
    client->output_sent = 0;
    return true;
}

/* Answers the first request in the buffer; false if the client has to go. */
static bool answer(struct mt_control *self, struct client *client)
{
    char *end = end_of_line(client);
    size_t length = (size_t)(end - client->input) + 1;
    char *reply;

    *end = 0;
    if (end > client->input && end[-1] == '\r') {
        end[-1] = 0;
    }
    reply =
        client->input[0] ? self->handler(self->context, client->input, client->uid) : calloc(1, 1);
    client->input_length -= length;
    memmove(client->input, client->input + length, client->input_length);
    return reply && set_output(client, reply);
}

static bool flush(struct client *client)
{
    ssize_t sent = send(client->fd, client->output + client->output_sent,
                        client->output_length - client->output_sent, MSG_NOSIGNAL);

    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    client->output_sent += (size_t)sent;
    client->active = mt_linux_now();
    if (client->output_sent == client->output_length) {
        free(client->output);
        client->output = 0;
    }
    return true;
}

static bool take_input(struct client *client)
{
    size_t room = MT_CONTROL_LINE_SIZE - client->input_length;
    ssize_t received = recv(client->fd, client->input + client->input_length, room, 0);

    if (received < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    client->input_length += (size_t)received;
    client->active = mt_linux_now();
    return received > 0 && (client->input_length < MT_CONTROL_LINE_SIZE || end_of_line(client));
}

static bool work(struct mt_control *self, struct client *client)
{
    bool is_good = true;

    if (!client->output && !end_of_line(client)) {
        is_good = take_input(client);
    }
    if (is_good && !client->output && end_of_line(client)) {
        is_good = answer(self, client);
    }
    return is_good && (!client->output || flush(client));
}

static void client_ready(void *context, int fd, short revents)
{
    struct mt_control *self = context;
    struct client *client = find_client(self, fd);
    bool is_due;

    (void)revents;
    if (!work(self, client)) {
        drop(self, client);
        return;
    }
    is_due = client->output || end_of_line(client);
    if (!mt_linux_watch(self->platform, fd, is_due ? POLLOUT : POLLIN, client_ready, self)) {
        drop(self, client);
    }
}

/* ---- all of them ------------------------------------------------------------------------ */

static bool is_slow(const struct client *client, struct mt_mono now)
{
    return client->output && now.ns - client->active.ns > MT_CONTROL_PATIENCE_NS;
}

static void drop_slow(void *context)
{
    struct mt_control *self = context;
    struct mt_mono now = mt_linux_now();

    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        if (self->clients[i].fd >= 0 && is_slow(&self->clients[i], now)) {
            drop(self, &self->clients[i]);
        }
    }
}

static void begin(struct mt_control *self, struct client *client, int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;

    *client = (struct client){.fd = fd, .uid = (uid_t)-1, .active = mt_linux_now()};
    client->input = malloc(MT_CONTROL_LINE_SIZE);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
        client->uid = peer.uid;
    }
    if (!client->input || !mt_linux_set_nonblocking(fd) ||
        !mt_linux_watch(self->platform, fd, POLLIN, client_ready, self)) {
        drop(self, client);
    }
}

/* Where all places are taken, the client that has been silent the longest makes room: nobody can
 * shut out the others by keeping connections open. */
static struct client *find_place(struct mt_control *self)
{
    struct client *place = &self->clients[0];

    for (int i = 0; i < MT_CONTROL_CLIENTS && place->fd >= 0; i++) {
        struct client *other = &self->clients[i];

        if (other->fd < 0 || other->active.ns < place->active.ns) {
            place = other;
        }
    }
    drop(self, place);
    return place;
}

static void listener_ready(void *context, int listener, short revents)
{
    struct mt_control *self = context;
    int fd = accept(listener, 0, 0);

    (void)revents;
    if (fd >= 0) {
        begin(self, find_place(self), fd);
    }
}

/* ---- opening and closing ----------------------------------------------------------------- */

/* whether the file at the address is a socket that nobody listens on any more */
static bool is_left_over(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool is_refused = false;

    if (fd >= 0) {
        is_refused = mt_linux_set_nonblocking(fd) &&
                     connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                     errno == ECONNREFUSED;
        close(fd);
    }
    return is_refused;
}

static bool is_socket(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool bind_path(struct mt_control *self)
{
    const struct sockaddr *address = (const struct sockaddr *)&self->address;
    const char *path = self->address.sun_path;

    if (bind(self->fd, address, sizeof self->address) == 0) {
        return true;
    }
    if (errno != EADDRINUSE) {
        return false;
    }
    if (!is_socket(path) || !is_left_over(&self->address)) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(path) == 0 && bind(self->fd, address, sizeof self->address) == 0;
}

static const char *remedy_for(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another meantimed listens there, or it is no socket; stop it, remove the file, "
               "or set control_socket to another path";
    case EACCES:
    case EPERM:
        return "run as root, or set control_socket to a path that this user may write";
    case ENOENT:
        return "make the folder, or set control_socket to another path";
    }
    return "set control_socket to another path";
}

static bool listen_at(struct mt_control *self, const char *path)
{
    self->address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof self->address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(self->address.sun_path, path, strlen(path));
    self->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return self->fd >= 0 && mt_linux_set_nonblocking(self->fd) && bind_path(self) &&
           chmod(path, 0666) == 0 && listen(self->fd, BACKLOG) == 0 &&
           mt_linux_watch(self->platform, self->fd, POLLIN, listener_ready, self);
}

struct mt_control *mt_control_open(struct mt_linux *platform, const char *path,
                                   mt_control_handler *handler, void *context,
                                   char reason[MT_HAL_REASON_SIZE])
{
    struct mt_control *self = calloc(1, sizeof *self);

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    self->platform = platform;
    self->handler = handler;
    self->context = context;
    self->fd = -1;
    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        self->clients[i].fd = -1;
    }
    if (!listen_at(self, path)) {
        int error = errno;

        mt_linux_say(reason, "cannot open the control socket %.60s: %s; %s", path, strerror(error),
                     remedy_for(error));
        if (self->fd >= 0) {
            close(self->fd);
        }
        free(self);
        return 0;
    }
    mt_linux_every(platform, drop_slow, self);
    return self;
}

void mt_control_close(struct mt_control *self)
{
    if (!self) {
        return;
    }
    mt_linux_every(self->platform, 0, 0);
    mt_linux_unwatch(self->platform, self->fd);
    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        drop(self, &self->clients[i]);
    }
    close(self->fd);
    unlink(self->address.sun_path);
    free(self);
}
