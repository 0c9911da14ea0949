/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * LD_PRELOAD: loses transmit timestamps, as some network drivers do.  Of every ten that recvmsg()
 * takes from an error queue, the first LOSE (environment, 0 to 10) vanish.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static ssize_t (*next)(int, struct msghdr *, int);
    static unsigned count;
    static unsigned lose;

    if (!next) {
        const char *text = getenv("LOSE");

        *(void **)&next = dlsym(RTLD_NEXT, "recvmsg");
        lose = text ? (unsigned)atoi(text) : 0;
    }
    ssize_t received = next(fd, message, flags);

    if ((flags & MSG_ERRQUEUE) && received >= 0 && count++ % 10 < lose) {
        errno = EAGAIN;
        return -1;
    }
    return received;
}
