/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel's clocks and the watch for steps.  CLOCK_REALTIME and CLOCK_BOOTTIME are one
 * timekeeper with two constants: whatever slews the one (adjtimex, adjtime, the kernel's own
 * loop) slews the other, suspend moves both on, and their difference is a whole number of
 * nanoseconds that only steps change: settimeofday, ADJ_SETOFFSET, a leap second.
 * A reading of REALTIME between two of BOOTTIME says between which limits the difference lies,
 * with certainty, however long the scheduler took.  All readings since the last step must have
 * a value in common, so the limits close in with time; a reading that has nothing in common with
 * those before it proves a step.  No threshold is needed, and no allowance for anything.
 * How large a step was is known as well as the reading is tight: a torn one is repeated, all the
 * more if it proves a step; where reading takes long (a virtual machine without a fast counter),
 * the limits stay wide, and what follows from that is told as the window.
 *
 * Where BOOTTIME cannot be read (simulators that interpose the C library), MONOTONIC stands in,
 * which need not be slewed along there; the difference may then change a little by itself.
 */
#include "platform/linux/linux_time.h"

#include <sys/timex.h>
#include <time.h>

#define APART_NS       1000000
#define APART_SHIFT    11 /* 2^-11: about 500 ppm of the time since the last look */
#define WINDOW_GOOD_NS 200
#define WINDOW_MOST_NS 20000
#define SLEPT_NS       5000000 /* sleep for less, if there is any, does no harm */
#define TRIES          4
#define TRIES_OF_STEP  16
#define DOUBT_LASTS    16 /* corrections, for the larger part of it */

static int64_t read_ns(clockid_t clock)
{
    struct timespec t = {0, 0};

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

static int64_t linux_boottime_ns(void *context)
{
    (void)context;
    return read_ns(CLOCK_BOOTTIME);
}

static int linux_adjust(void *context, struct timex *change)
{
    (void)context;
    return clock_adjtime(CLOCK_REALTIME, change);
}

const struct mt_os_time *mt_os_time_linux(void)
{
    static const struct mt_os_time kernel = {
        linux_realtime_ns, linux_monotonic_ns, linux_boottime_ns, linux_adjust, 0, 0, false};
    static const struct mt_os_time without_boottime = {
        linux_realtime_ns, linux_monotonic_ns, linux_monotonic_ns, linux_adjust, 0, 0, true};
    static const struct mt_os_time *chosen;
    struct timespec t;

    if (!chosen) {
        chosen = clock_gettime(CLOCK_BOOTTIME, &t) == 0 ? &kernel : &without_boottime;
    }
    return chosen;
}

uint16_t mt_counter_of_phc(int index)
{
    return (uint16_t)(index + 1);
}

struct mt_base_time mt_os_time_realtime_of(const struct mt_os_time *os, struct mt_base_time stamp)
{
    if (stamp.counter == 0 || !os->realtime_of) {
        return stamp;
    }
    return (struct mt_base_time){.ns = os->realtime_of(os->context, stamp.counter, stamp.ns)};
}

/* ---- the watch --------------------------------------------------------------------------- */

struct look {
    int64_t least_ns; /* limits of the difference */
    int64_t most_ns;
    int64_t first_ns; /* BOOTTIME before and after */
    int64_t last_ns;
};

static int64_t window(const struct look *look)
{
    return look->last_ns - look->first_ns;
}

static struct look look_once(const struct mt_os_time *os)
{
    int64_t first_ns = os->boottime_ns(os->context);
    int64_t realtime_ns = os->realtime_ns(os->context);
    int64_t last_ns = os->boottime_ns(os->context);

    return (struct look){realtime_ns - last_ns, realtime_ns - first_ns, first_ns, last_ns};
}

static struct look look_closely(const struct mt_os_time *os, int tries, int64_t good_ns)
{
    struct look best = look_once(os);

    for (int i = 1; i < tries && window(&best) > good_ns; i++) {
        struct look again = look_once(os);

        if (window(&again) < window(&best)) {
            best = again;
        }
    }
    return best;
}

static int64_t ahead(const struct mt_step_watch *self)
{
    return self->least_ns + (self->most_ns - self->least_ns) / 2;
}

/* by how much we may be wrong, for the difference lies between the limits of this very look */
static int64_t doubt(const struct mt_step_watch *self, const struct look *look)
{
    int64_t below_ns = ahead(self) - look->least_ns;
    int64_t above_ns = look->most_ns - ahead(self);

    return below_ns > above_ns ? below_ns : above_ns;
}

static void begin(struct mt_step_watch *self, const struct look *look)
{
    self->least_ns = look->least_ns;
    self->most_ns = look->most_ns;
}

void mt_step_watch_init(struct mt_step_watch *self, const struct mt_os_time *os)
{
    struct look look = look_closely(os, TRIES, WINDOW_GOOD_NS);

    self->os = os;
    self->since_ns = look.first_ns;
    self->tightest_ns = window(&look);
    begin(self, &look);
}

/* With elapsed e, step s and the reading r now, the readings before the step were r - s at most
 * and those after it are r - e at least.  A large step leaves a gap and the boundary is put in its
 * middle; otherwise the two overlap, and what may have been made after counts as such. */
static int64_t boundary(int64_t realtime_ns, int64_t step_ns, int64_t elapsed_ns)
{
    return realtime_ns - elapsed_ns - (step_ns > elapsed_ns ? (step_ns - elapsed_ns) / 2 : 0);
}

static bool agrees(const struct mt_step_watch *self, const struct look *look)
{
    return look->least_ns <= self->most_ns && look->most_ns >= self->least_ns;
}

/* Takes the look in; the step that it proves, or 0. */
static int64_t compare(struct mt_step_watch *self, const struct look *look)
{
    int64_t before_ns = ahead(self);
    int64_t apart_ns = APART_NS + ((look->last_ns - self->since_ns) >> APART_SHIFT);
    int64_t step_ns;

    if (agrees(self, look)) {
        self->least_ns = look->least_ns > self->least_ns ? look->least_ns : self->least_ns;
        self->most_ns = look->most_ns < self->most_ns ? look->most_ns : self->most_ns;
        return 0;
    }
    begin(self, look);
    step_ns = ahead(self) - before_ns;
    return self->os->runs_apart && step_ns <= apart_ns && step_ns >= -apart_ns ? 0 : step_ns;
}

/* Stamps from both sides of a step are told apart by the last look before it, unless that was so
 * wide that the step may have come before it. */
static bool is_tight(struct mt_step_watch *self, const struct look *look)
{
    self->tightest_ns = window(look) < self->tightest_ns ? window(look) : self->tightest_ns;
    return window(look) <= WINDOW_MOST_NS + 2 * self->tightest_ns;
}

struct mt_step_found mt_step_watch_look(struct mt_step_watch *self)
{
    struct look look = look_closely(self->os, TRIES, WINDOW_GOOD_NS);
    struct mt_step_found found;

    if (!agrees(self, &look) && window(&look) > WINDOW_MOST_NS) {
        struct look again = look_closely(self->os, TRIES_OF_STEP, WINDOW_MOST_NS);

        look = window(&again) < window(&look) ? again : look;
    }
    found = (struct mt_step_found){.boottime_ns = look.last_ns, .step_ns = compare(self, &look)};
    found.boundary_ns =
        boundary(look.last_ns + ahead(self), found.step_ns, look.last_ns - self->since_ns);
    if (is_tight(self, &look) || found.step_ns != 0) {
        self->since_ns = look.first_ns;
    }
    found.ahead_ns = ahead(self);
    found.window_ns = doubt(self, &look);
    return found;
}

void mt_step_watch_expect(struct mt_step_watch *self, int64_t step_ns)
{
    self->least_ns += step_ns;
    self->most_ns += step_ns;
}

/* ---- suspend ----------------------------------------------------------------------------- */

void mt_sleep_watch_init(struct mt_sleep_watch *self, const struct mt_os_time *os)
{
    int64_t monotonic_ns = os->monotonic_ns(os->context);

    self->os = os;
    self->most_ns = os->boottime_ns(os->context) - monotonic_ns;
}

/* A pause between the two readings looks like a suspend, until MONOTONIC is read behind, too. */
int64_t mt_sleep_watch_look(struct mt_sleep_watch *self, int64_t monotonic_ns)
{
    const struct mt_os_time *os = self->os;
    int64_t boottime_ns = os->boottime_ns(os->context);
    int64_t most_ns = boottime_ns - monotonic_ns;
    int64_t slept_ns = 0;

    if (most_ns > self->most_ns + SLEPT_NS) {
        slept_ns = boottime_ns - os->monotonic_ns(os->context) - self->most_ns;
    }
    if (slept_ns > SLEPT_NS || most_ns < self->most_ns) {
        self->most_ns = most_ns;
    }
    return slept_ns > SLEPT_NS ? slept_ns : 0;
}

int64_t mt_doubt_corrected(int64_t doubt_ns)
{
    return doubt_ns - (doubt_ns + DOUBT_LASTS - 1) / DOUBT_LASTS;
}
