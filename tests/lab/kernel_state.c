/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * usage: kernel_state [COUNT INTERVAL_MS]     what the kernel knows of its own clock
 *        kernel_state tell STATUS TAI_UTC_S   tells it, as another program might
 *
 * Runs in a guest.  A line for each look: the state (0..5), the status, maxerror and esterror in
 * us, TAI - UTC; what CLOCK_REALTIME and CLOCK_TAI read, and CLOCK_BOOTTIME at about the same
 * moment, in ns; and how long these readings took.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define TRIES      5
#define KNOWN_US   1000 /* without that it holds itself to be unsynchronised */
#define UNKNOWN_US 16000000

struct clocks {
    int64_t realtime_ns;
    int64_t tai_ns;
    int64_t boottime_ns;
    int64_t width_ns;
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The tightest of several; of both clocks in the middle. */
static struct clocks look(void)
{
    struct clocks best = {.width_ns = INT64_MAX};

    for (int i = 0; i < TRIES; i++) {
        struct clocks now = {.boottime_ns = now_ns(CLOCK_BOOTTIME)};

        now.realtime_ns = now_ns(CLOCK_REALTIME);
        now.tai_ns = now_ns(CLOCK_TAI);
        now.width_ns = now_ns(CLOCK_BOOTTIME) - now.boottime_ns;
        now.boottime_ns += now.width_ns / 2;
        best = now.width_ns < best.width_ns ? now : best;
    }
    return best;
}

static int show(void)
{
    struct clocks clocks = look();
    struct timex found;
    int state;

    memset(&found, 0, sizeof found);
    state = adjtimex(&found);
    printf("%d %d %ld %ld %d %lld %lld %lld %lld\n", state, found.status, found.maxerror,
           found.esterror, found.tai, (long long)clocks.realtime_ns, (long long)clocks.tai_ns,
           (long long)clocks.boottime_ns, (long long)clocks.width_ns);
    fflush(stdout);
    return state < 0;
}

static int tell(int status, int tai_utc_s)
{
    struct timex news = {.modes = ADJ_STATUS | ADJ_MAXERROR,
                         .status = status,
                         .maxerror = status & STA_UNSYNC ? UNKNOWN_US : KNOWN_US};
    struct timex offset = {.modes = ADJ_TAI, .constant = tai_utc_s};

    return adjtimex(&news) < 0 || adjtimex(&offset) < 0;
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "tell") == 0) {
        return tell(atoi(arguments[2]), atoi(arguments[3]));
    }
    for (int i = 1; count == 3 && i < atoi(arguments[1]); i++) {
        show();
        usleep((useconds_t)(1000 * atoi(arguments[2])));
    }
    return show();
}
