/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The sockets on which programs of this machine speak PTP management with the daemon: UNIX
 * datagrams, a message each, as linuxptp has them.  There is one on which changes are obeyed, one
 * for reading alone, and the same pair once more where linuxptp's programs look by themselves, if
 * that is configured.  They are one link to the runtime: what comes in is a frame whose sender is
 * a number for the client's address, so that it is recorded and replayed as any other input.
 *
 * The writable socket is bound before the read-only one.  A client is known as long as it is among
 * the last MT_LOCAL_CLIENTS; one that cannot be reached any more is forgotten.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MT_LOCAL_CLIENTS 64
#define MODE_WRITABLE    0660
#define MODE_READ_ONLY   0666

struct client {
    uint32_t number; /* 0: free */
    uint8_t socket;
    socklen_t length;
    struct sockaddr_un address;
};

struct mt_linux_local {
    struct mt_hal_link hal;
    struct mt_linux *platform;
    uint16_t index;
    uint32_t last_number;
    int fds[MT_LINUX_LOCAL_SOCKETS]; /* even: writable, odd: read-only; -1: closed */
    struct sockaddr_un paths[MT_LINUX_LOCAL_SOCKETS];
    struct client clients[MT_LOCAL_CLIENTS]; /* newest first */
};

static bool is_read_only(unsigned socket)
{
    return socket % 2 != 0;
}

/* ---- clients ---------------------------------------------------------------------------- */

static bool is_same(const struct client *client, unsigned socket, const struct sockaddr_un *address,
                    socklen_t length)
{
    return client->number != 0 && client->socket == socket && client->length == length &&
           memcmp(&client->address, address, length) == 0;
}

/* Moves him, or whoever came here first of all, to the front. */
static struct client *meet(struct mt_linux_local *self, unsigned socket,
                           const struct sockaddr_un *address, socklen_t length)
{
    struct client client;
    size_t place = 0;

    while (place < MT_LOCAL_CLIENTS - 1 && self->clients[place].number != 0 &&
           !is_same(&self->clients[place], socket, address, length)) {
        place++;
    }
    client = self->clients[place];
    if (!is_same(&client, socket, address, length)) {
        self->last_number += self->last_number == UINT32_MAX ? 2 : 1;
        client = (struct client){self->last_number, (uint8_t)socket, length, *address};
    }
    memmove(&self->clients[1], &self->clients[0], place * sizeof client);
    self->clients[0] = client;
    return &self->clients[0];
}

static struct client *find_client(struct mt_linux_local *self, const struct mt_address *address)
{
    uint32_t number;

    memcpy(&number, address->octets, sizeof number);
    for (size_t i = 0; number != 0 && i < MT_LOCAL_CLIENTS; i++) {
        if (self->clients[i].number == number) {
            return &self->clients[i];
        }
    }
    return 0;
}

/* ---- frames ----------------------------------------------------------------------------- */

void mt_local_receive(struct mt_linux_local *self, unsigned socket, uint8_t *buffer,
                      struct mt_input *ret_input)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    struct iovec part = {buffer, MT_LINUX_FRAME_SIZE};
    char control[256];
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = sizeof address,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t received = recvmsg(self->fds[socket], &message, 0);
    const struct client *client;

    /* who has no address cannot be answered */
    if (received < 0 || message.msg_namelen <= sizeof address.sun_family) {
        return;
    }
    client = meet(self, socket, &address, message.msg_namelen);
    self->hal.counters.received++;
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = self->index;
    ret_input->bytes = buffer;
    ret_input->length = (size_t)received;
    ret_input->from.network =
        is_read_only(socket) ? MT_NETWORK_LOCAL_READ_ONLY : MT_NETWORK_LOCAL_READ_WRITE;
    memcpy(ret_input->from.octets, &client->number, sizeof client->number);
}

static bool local_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_linux_local *self = (struct mt_linux_local *)hal;
    struct client *client = find_client(self, &frame->to);
    ssize_t sent = -1;

    if (client) {
        sent = sendto(self->fds[client->socket], frame->bytes, frame->length, MSG_NOSIGNAL,
                      (const struct sockaddr *)&client->address, client->length);
        if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
            *client = (struct client){.number = 0, .socket = UINT8_MAX};
        }
    }
    if (sent < 0) {
        hal->counters.send_failed++;
        return false;
    }
    hal->counters.sent++;
    return true;
}

static const struct mt_hal_link_ops local_ops = {.send = local_send};

/* ---- opening and closing ----------------------------------------------------------------- */

/* whether nobody reads there any more */
static bool is_left_over(const struct sockaddr_un *address)
{
    struct stat status;
    int fd;
    bool is_refused = false;

    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd >= 0) {
        is_refused = mt_linux_set_nonblocking(fd) &&
                     connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                     errno == ECONNREFUSED;
        close(fd);
    }
    return is_refused;
}

bool mt_linux_bind_local(int fd, const struct sockaddr_un *address)
{
    const struct sockaddr *general = (const struct sockaddr *)address;

    if (bind(fd, general, sizeof *address) == 0) {
        return true;
    }
    if (errno != EADDRINUSE) {
        return false;
    }
    if (!is_left_over(address)) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(address->sun_path) == 0 && bind(fd, general, sizeof *address) == 0;
}

static bool open_socket(struct mt_linux_local *self, unsigned number, const char *path,
                        const char *suffix)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s%s", path, suffix);
    int fd;

    if (length < 0 || (size_t)length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) {
        return false;
    }
    if (!mt_linux_set_nonblocking(fd) || !mt_linux_bind_local(fd, &address)) {
        int error = errno;

        close(fd);
        errno = error;
        return false;
    }
    self->fds[number] = fd;
    self->paths[number] = address;
    return chmod(address.sun_path, is_read_only(number) ? MODE_READ_ONLY : MODE_WRITABLE) == 0;
}

static bool open_pair(struct mt_linux_local *self, unsigned first, const char *path,
                      const char *writable, const char *read_only, char reason[MT_HAL_REASON_SIZE])
{
    if (open_socket(self, first, path, writable) && open_socket(self, first + 1, path, read_only)) {
        return true;
    }
    mt_linux_say(reason,
                 "cannot open the management sockets at %.60s%s: %s; programs like pmc cannot ask "
                 "this daemon over a local socket",
                 path, writable, strerror(errno));
    return false;
}

void mt_local_close(struct mt_linux_local *self)
{
    if (!self) {
        return;
    }
    for (unsigned i = 0; i < MT_LINUX_LOCAL_SOCKETS; i++) {
        if (self->fds[i] >= 0) {
            close(self->fds[i]);
            unlink(self->paths[i].sun_path);
        }
    }
    free(self);
}

int mt_local_descriptor(const struct mt_linux_local *self, unsigned socket)
{
    return self->fds[socket];
}

struct mt_hal_link *mt_local_open(struct mt_linux *platform, uint16_t index,
                                  const struct mt_link_request *request,
                                  char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_local *self = platform->local ? 0 : calloc(1, sizeof *self);

    if (!self) {
        mt_linux_say(reason, "out of memory, or the management sockets are open already");
        return 0;
    }
    self->hal.ops = &local_ops;
    self->platform = platform;
    self->index = index;
    for (unsigned i = 0; i < MT_LINUX_LOCAL_SOCKETS; i++) {
        self->fds[i] = -1;
    }
    if (!open_pair(self, 0, request->interface, "/ptp-rw", "/ptp-ro", reason) ||
        (request->local_socket && !open_pair(self, 2, request->local_socket, "", "ro", reason))) {
        mt_local_close(self);
        return 0;
    }
    platform->local = self;
    platform->wait.is_set_old = true;
    return &self->hal;
}
