/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Runs on the host: how fast the processor counts, in kHz, by CLOCK_MONOTONIC.  The guests' counter
 * is the host's; told, their kernels need not measure it, which goes wrong by any factor when the
 * host lets them stand still meanwhile.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define NS_PER_S UINT64_C(1000000000)
#define TRIES    2000
#define PAUSE_S  1

struct reading {
    uint64_t ns;
    uint64_t ticks;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* the tightest of many */
static struct reading look(void)
{
    struct reading best = {0, 0};
    uint64_t width_ns = UINT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        uint64_t before_ns = now_ns();
        uint64_t ticks = __rdtsc();
        uint64_t after_ns = now_ns();

        if (after_ns - before_ns < width_ns) {
            width_ns = after_ns - before_ns;
            best = (struct reading){before_ns + width_ns / 2, ticks};
        }
    }
    return best;
}

int main(void)
{
    const struct timespec pause = {PAUSE_S, 0};
    struct reading first = look();
    struct reading second;

    nanosleep(&pause, NULL);
    second = look();
    printf("%.0f\n", (double)(second.ticks - first.ticks) * 1e6 / (double)(second.ns - first.ns));
    return 0;
}
