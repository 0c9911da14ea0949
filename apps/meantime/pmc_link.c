/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How meantime pmc reaches a node.  On this machine over UNIX datagrams, from a socket beside the
 * daemon's, which is where ptp4l answers; who may not write there gets an address from the kernel,
 * which is enough for meantimed.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "apps/meantime/pmc.h"

/* Somebody else than the daemons of this machine; two programs at once are told apart. */
void mt_pmc_make_identity(struct mt_pmc_link *self)
{
    struct timespec now;
    unsigned pid = (unsigned)getpid();
    clock_gettime(CLOCK_REALTIME, &now);
    self->identity.clock = (struct mt_clock_identity){
        {0x02, (uint8_t)(now.tv_nsec >> 8), (uint8_t)now.tv_nsec, 0xFF, 0xFE, (uint8_t)now.tv_sec,
         (uint8_t)(pid >> 24), (uint8_t)(pid >> 16)}};
    self->identity.port = (uint16_t)(pid & 0xFFFF);
}

/* ---- this machine ---------------------------------------------------------------------------- */

static bool set_path(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        return false;
    }
    strcpy(address->sun_path, path);
    return true;
}

/* "pmc.PID" in the folder of the daemon's socket. */
static bool bind_beside(struct mt_pmc_link *self, const char *path)
{
    char own[MT_TOOL_PATH_SIZE + 24];
    struct sockaddr_un address;
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
    snprintf(own, sizeof own, "%.*spmc.%ld", folder, path, (long)getpid());
    if (!set_path(&address, own) ||
        bind(self->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return false;
    }
    strcpy(self->own, address.sun_path);
    return chmod(self->own, 0666) == 0; /* a daemon that is not root answers, too */
}

static bool bind_anywhere(struct mt_pmc_link *self)
{
    const struct sockaddr_un nameless = {.sun_family = AF_UNIX};
    return bind(self->fd, (const struct sockaddr *)&nameless, sizeof nameless.sun_family) == 0;
}

bool mt_pmc_open_local(struct mt_pmc_link *self, const char *path)
{
    struct sockaddr_un there;
    mt_pmc_make_identity(self);
    self->is_local = true;
    self->own[0] = '\0';
    self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (self->fd < 0 || !set_path(&there, path) ||
        (!bind_beside(self, path) && !bind_anywhere(self))) {
        mt_tool_fail("pmc: cannot open a socket for %s: %s", path, strerror(errno));
        mt_pmc_close(self);
        return false;
    }
    if (connect(self->fd, (const struct sockaddr *)&there, sizeof there) != 0) {
        mt_tool_fail("pmc: nobody answers at %s: %s; is meantimed running with management_sockets, "
                     "or did you mean another --local PATH?",
                     path, strerror(errno));
        mt_pmc_close(self);
        return false;
    }
    return true;
}

/* ---- either ---------------------------------------------------------------------------------- */

bool mt_pmc_send(struct mt_pmc_link *self, const uint8_t *frame, size_t length)
{
    ssize_t sent = self->is_local ? send(self->fd, frame, length, MSG_NOSIGNAL)
                                  : sendto(self->fd, frame, length, MSG_NOSIGNAL,
                                           (const struct sockaddr *)&self->to, self->to_length);
    if (sent < 0) {
        mt_tool_fail("pmc: cannot send: %s", strerror(errno));
    }
    return sent >= 0;
}

size_t mt_pmc_receive(struct mt_pmc_link *self, int timeout_ms, uint8_t *buffer, size_t capacity)
{
    struct pollfd ready = {.fd = self->fd, .events = POLLIN};
    if (poll(&ready, 1, timeout_ms) <= 0) {
        return 0;
    }
    ssize_t received = recv(self->fd, buffer, capacity, MSG_DONTWAIT);
    return received > 0 ? (size_t)received : 0;
}

void mt_pmc_close(struct mt_pmc_link *self)
{
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
    if (self->own[0] != '\0') {
        unlink(self->own);
    }
}
