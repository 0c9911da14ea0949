/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * LD_PRELOAD: to a program that asks with time(), the machine is three seconds before a midnight,
 * and two seconds later somebody sets it to 2010.  clock_adjtime() is refused, as some service
 * managers do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#define BEFORE_MIDNIGHT 1795391997 /* 2026-11-22 23:59:57 UTC */
#define IN_2010         1262304000

time_t time(time_t *ret_time)
{
    static time_t first;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    first = first ? first : now.tv_sec;
    time_t passed = now.tv_sec - first;
    time_t result = passed + (passed < 2 ? BEFORE_MIDNIGHT : IN_2010);
    if (ret_time) {
        *ret_time = result;
    }
    return result;
}

int clock_adjtime(clockid_t clock, struct timex *change)
{
    (void)clock;
    (void)change;
    errno = EPERM;
    return -1;
}
