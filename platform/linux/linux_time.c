/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel's clocks and the watch for steps.  Whatever slews CLOCK_REALTIME (adjtimex, adjtime,
 * the kernel's own loop) slews CLOCK_MONOTONIC by the same amount, so the difference of the two
 * changes by steps only: settimeofday, ADJ_SETOFFSET, a leap second, and suspend, during which
 * MONOTONIC stands still.  The threshold therefore needs little room for slew; what it has is for
 * machines and simulators whose MONOTONIC is not slewed along.
 * The difference is read as REALTIME between two readings of MONOTONIC; a reading that the
 * scheduler tore apart says nothing and is repeated, and if that does not help, there is no
 * verdict this time rather than a wrong one.
 */
#include "platform/linux/linux_time.h"

#include <sys/timex.h>
#include <time.h>

#define STEP_THRESHOLD_NS    1000000
#define SLEW_ALLOWANCE_SHIFT 11 /* 2^-11: about 500 ppm of the time since the last look */
#define WINDOW_GOOD_NS       1000
#define WINDOW_USABLE_NS     100000
#define TRIES                8

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t linux_realtime_ns(void *context)
{
    (void)context;
    return read_ns(CLOCK_REALTIME);
}

static int64_t linux_monotonic_ns(void *context)
{
    (void)context;
    return read_ns(CLOCK_MONOTONIC);
}

static int linux_adjust(void *context, struct timex *change)
{
    (void)context;
    return clock_adjtime(CLOCK_REALTIME, change);
}

const struct mt_os_time mt_os_time_linux = {linux_realtime_ns, linux_monotonic_ns, linux_adjust, 0};

struct look {
    int64_t realtime_ns;
    int64_t monotonic_ns;
    int64_t window_ns;
};

static struct look look_once(const struct mt_os_time *os)
{
    int64_t first = os->monotonic_ns(os->context);
    int64_t realtime = os->realtime_ns(os->context);
    int64_t last = os->monotonic_ns(os->context);

    return (struct look){realtime, first + (last - first) / 2, last - first};
}

static struct look look_closely(const struct mt_os_time *os)
{
    struct look best = look_once(os);

    for (int i = 1; i < TRIES && best.window_ns > WINDOW_GOOD_NS; i++) {
        struct look again = look_once(os);

        if (again.window_ns < best.window_ns) {
            best = again;
        }
    }
    return best;
}

void mt_step_watch_init(struct mt_step_watch *self, const struct mt_os_time *os)
{
    struct look look = look_closely(os);

    self->os = os;
    self->ahead_ns = look.realtime_ns - look.monotonic_ns;
    self->monotonic_ns = look.monotonic_ns;
}

/* With elapsed e, step s and the reading r now, the readings before the step were r - s at most
 * and those after it are r - e at least.  A large step leaves a gap and the boundary is put in its
 * middle; otherwise the two overlap, and what may have been made after counts as such. */
static int64_t boundary(const struct look *look, int64_t step_ns, int64_t elapsed_ns)
{
    return look->realtime_ns - elapsed_ns - (step_ns > elapsed_ns ? (step_ns - elapsed_ns) / 2 : 0);
}

struct mt_step_found mt_step_watch_look(struct mt_step_watch *self)
{
    struct look look = look_closely(self->os);
    int64_t elapsed_ns = look.monotonic_ns - self->monotonic_ns;
    int64_t step_ns = look.realtime_ns - look.monotonic_ns - self->ahead_ns;
    int64_t allowed_ns = STEP_THRESHOLD_NS + look.window_ns + (elapsed_ns >> SLEW_ALLOWANCE_SHIFT);
    struct mt_step_found found = {look.realtime_ns, 0, 0};

    if (look.window_ns > WINDOW_USABLE_NS) {
        return found;
    }
    self->ahead_ns += step_ns;
    self->monotonic_ns = look.monotonic_ns;
    if (step_ns > allowed_ns || step_ns < -allowed_ns) {
        found.step_ns = step_ns;
        found.boundary_ns = boundary(&look, step_ns, elapsed_ns);
    }
    return found;
}

void mt_step_watch_expect(struct mt_step_watch *self, int64_t step_ns)
{
    self->ahead_ns += step_ns;
}
