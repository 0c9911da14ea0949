/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * LD_PRELOAD: a network interface that is made while the program starts.  The first question for
 * its number is answered as if it were not there yet.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int ioctl(int fd, unsigned long request, ...)
{
    static int (*next)(int, unsigned long, ...);
    static unsigned asked;
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!next) {
        *(void **)&next = dlsym(RTLD_NEXT, "ioctl");
    }
    if (request == SIOCGIFINDEX && asked++ == 0) {
        errno = ENODEV;
        return -1;
    }
    return next(fd, request, argument);
}
