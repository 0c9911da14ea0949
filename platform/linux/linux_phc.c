/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hardware clock as a device.  The kernel reads it together with CLOCK_REALTIME, by the best of
 * three ways that the driver has: both at one moment; REALTIME read by the driver right before and
 * after the device's register; REALTIME read outside of the driver.  Of several samples the one
 * counts whose two readings of REALTIME are closest: what came in between (an interrupt, a busy
 * bus) can only push them apart.  A sample in which REALTIME was stepped is not used.
 *
 * REALTIME may be set by anybody, so the line through the readings runs over BOOTTIME; the watch
 * over the difference of the two is the one of the other clocks.  Slews of the system's clocks are
 * asked for and bend the line where they happened, steps by others are found as readings that the
 * line cannot explain.  Until somebody has been told of such a step, the device counts as not
 * stepped: its present readings are taken back by it.
 *
 * A driver that is loaded anew takes its device away.  As long as we hold on to what is left of it
 * the next one may get another number, so it is let go at once, and looked for every second; only
 * that of the same card will do, for numbers may be given anew in another order.  Until it is back
 * the line goes on; what it shows then is a step by others, as seen from there.
 */
#include "platform/linux/linux_phc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ptp_clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S     INT64_C(1000000000)
#define CLOCK_OF(fd) ((clockid_t)(~(unsigned)(fd) << 3 | 3)) /* as the kernel numbers them */
#define AGAIN_NS     NS_PER_S
#define FAILURES     8              /* until another way of reading is looked for */
#define LOOKS        2              /* at a reading that surprises */
#define FREQ_UNIT    (1e-6 / 65536) /* of struct timex */

/* ---- the kernel's devices ------------------------------------------------------------------ */

static int linux_open(void *context, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    (void)context;
    return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC);
}

static int linux_ask(void *context, int fd, unsigned long request, void *argument)
{
    (void)context;
    return ioctl(fd, request, argument);
}

static int linux_adjust(void *context, int fd, struct timex *change)
{
    (void)context;
    return clock_adjtime(CLOCK_OF(fd), change);
}

static void linux_close(void *context, int fd)
{
    (void)context;
    close(fd);
}

const struct mt_phc_os *mt_phc_os_linux(void)
{
    static const struct mt_phc_os os = {linux_open, linux_ask, linux_adjust, linux_close, 0};

    return &os;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int64_t ns_of(const struct ptp_clock_time *time)
{
    return time->sec * NS_PER_S + time->nsec;
}

static bool read_precise(const struct mt_phc *self, struct mt_phc_reading *ret_reading)
{
    struct ptp_sys_offset_precise both;

    memset(&both, 0, sizeof both);
    if (self->os->ask(self->os->context, self->fd, PTP_SYS_OFFSET_PRECISE, &both) < 0) {
        return false;
    }
    *ret_reading = (struct mt_phc_reading){ns_of(&both.device), ns_of(&both.sys_realtime), 1};
    return true;
}

/* Takes a sample if it is the tightest so far. */
static void consider(const struct ptp_clock_time *before, const struct ptp_clock_time *device,
                     const struct ptp_clock_time *after, struct mt_phc_reading *best)
{
    int64_t width_ns = ns_of(after) - ns_of(before);

    if (width_ns >= 0 && (width_ns + 1) / 2 < best->window_ns) {
        *best = (struct mt_phc_reading){ns_of(device), ns_of(before) + width_ns / 2,
                                        (width_ns + 1) / 2};
    }
}

static bool read_extended(const struct mt_phc *self, struct mt_phc_reading *ret_reading)
{
    struct ptp_sys_offset_extended many;
    struct mt_phc_reading best = {0, 0, INT64_MAX};

    memset(&many, 0, sizeof many);
    many.n_samples = MT_PHC_SAMPLES;
    if (self->os->ask(self->os->context, self->fd, PTP_SYS_OFFSET_EXTENDED, &many) < 0) {
        return false;
    }
    for (unsigned i = 0; i < MT_PHC_SAMPLES; i++) {
        consider(&many.ts[i][0], &many.ts[i][1], &many.ts[i][2], &best);
    }
    *ret_reading = best;
    return best.window_ns < INT64_MAX;
}

static bool read_basic(const struct mt_phc *self, struct mt_phc_reading *ret_reading)
{
    struct ptp_sys_offset many;
    struct mt_phc_reading best = {0, 0, INT64_MAX};

    memset(&many, 0, sizeof many);
    many.n_samples = MT_PHC_SAMPLES;
    if (self->os->ask(self->os->context, self->fd, PTP_SYS_OFFSET, &many) < 0) {
        return false;
    }
    for (unsigned i = 0; i < MT_PHC_SAMPLES; i++) {
        consider(&many.ts[2 * i], &many.ts[2 * i + 1], &many.ts[2 * i + 2], &best);
    }
    *ret_reading = best;
    return best.window_ns < INT64_MAX;
}

bool mt_phc_read(struct mt_phc *self, struct mt_phc_reading *ret_reading)
{
    if (self->fd < 0) {
        errno = ENODEV;
        return false;
    }
    switch (self->method) {
    case MT_PHC_PRECISE:
        return read_precise(self, ret_reading);
    case MT_PHC_EXTENDED:
        return read_extended(self, ret_reading);
    case MT_PHC_BASIC:
        return read_basic(self, ret_reading);
    case MT_PHC_NONE:
        break;
    }
    return false;
}

/* A driver may know a way by name and refuse it: the first that works is taken. */
static void find_method(struct mt_phc *self)
{
    struct mt_phc_reading reading;

    self->method = MT_PHC_PRECISE;
    while (self->method != MT_PHC_NONE && !mt_phc_read(self, &reading)) {
        self->method++;
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

static bool ask_abilities(struct mt_phc *self)
{
    struct ptp_clock_caps caps;

    memset(&caps, 0, sizeof caps);
    if (self->os->ask(self->os->context, self->fd, PTP_CLOCK_GETCAPS, &caps) < 0) {
        return false;
    }
    self->max_rate = caps.max_adj * 1e-9;
    find_method(self);
    if (self->method == MT_PHC_NONE) {
        errno = ENOTSUP;
    }
    return self->method != MT_PHC_NONE;
}

/* By its folder in sysfs, which tells the way to the card. */
uint64_t mt_phc_place_of(int index)
{
    char name[MT_PHC_NAME_SIZE];
    char target[PATH_MAX];
    uint64_t sum = 0xCBF29CE484222325; /* FNV-1a */
    ssize_t length;

    snprintf(name, sizeof name, "/sys/class/ptp/ptp%d", index);
    length = readlink(name, target, sizeof target);
    for (ssize_t i = 0; i < length; i++) {
        sum = (sum ^ (unsigned char)target[i]) * 0x100000001B3;
    }
    return length > 0 ? sum : 0;
}

struct mt_phc *mt_phc_new(int index, const struct mt_phc_os *os, const struct mt_os_time *time)
{
    struct mt_phc *self = calloc(1, sizeof *self);
    int error;

    if (!self) {
        return 0;
    }
    self->os = os;
    self->time = time;
    self->index = index;
    self->place = mt_phc_place_of(index);
    snprintf(self->path, sizeof self->path, "/dev/ptp%d", index);
    self->fd = os->open(os->context, self->path);
    if (self->fd < 0 || !ask_abilities(self)) {
        error = errno;
        mt_phc_free(self);
        errno = error;
        return 0;
    }
    mt_step_watch_init(&self->watch, time);
    mt_tune_watch_init(&self->tune, time, time->boottime_ns(time->context));
    mt_phc_track_init(&self->track);
    self->read_at_ns = INT64_MIN;
    mt_phc_look(self);
    return self;
}

void mt_phc_free(struct mt_phc *self)
{
    if (self) {
        if (self->fd >= 0) {
            self->os->close(self->os->context, self->fd);
        }
        free(self);
    }
}

/* ---- following the device ------------------------------------------------------------------ */

/* The system's clocks change their rate, so the device changes its against them the other way. */
static void bend(struct mt_phc *self, int64_t boottime_ns)
{
    double before = (double)mt_tune_watch_rate(&self->tune);
    int64_t elapsed_ns;

    if (mt_tune_watch_look(&self->tune, boottime_ns, &elapsed_ns)) {
        double ratio = (1 + before) / (1 + (double)mt_tune_watch_rate(&self->tune)) - 1;

        mt_phc_track_corrected(&self->track, boottime_ns - elapsed_ns / 2, 0, ratio);
    }
}

static void note_step(struct mt_phc *self, const struct mt_phc_point *point, int64_t step_ns)
{
    self->steps++;
    self->untold_ns += step_ns;
    self->untold_from_ns = point->device_ns;
    mt_phc_track_corrected(&self->track, point->base_ns, step_ns, 0);
}

static void let_go(struct mt_phc *self, int64_t boottime_ns)
{
    self->os->close(self->os->context, self->fd);
    self->fd = -1;
    self->again_ns = boottime_ns + AGAIN_NS;
}

static void open_again(struct mt_phc *self, int64_t boottime_ns)
{
    if (self->fd < 0 && boottime_ns >= self->again_ns &&
        mt_phc_place_of(self->index) == self->place) {
        self->fd = self->os->open(self->os->context, self->path);
        self->again_ns = boottime_ns + AGAIN_NS;
        self->opened++;
        if (self->fd >= 0 && !ask_abilities(self)) {
            let_go(self, boottime_ns);
        }
    }
}

/* A way to read it may be lost (hardware that latches both clocks knows but one of the machine's
 * counters) while another one is left. */
static void note_failure(struct mt_phc *self, int64_t boottime_ns, int error)
{
    enum mt_phc_method before = self->method;

    self->failures++;
    if (self->fd < 0 || (error != ENODEV && self->failures % FAILURES != 0)) {
        return;
    }
    find_method(self);
    if (self->method == MT_PHC_NONE && errno == ENODEV) {
        let_go(self, boottime_ns);
    }
    self->method = self->method == MT_PHC_NONE ? before : self->method;
}

static bool read_point(struct mt_phc *self, struct mt_phc_point *ret_point)
{
    struct mt_phc_reading reading;
    struct mt_step_found now;

    for (int i = 0; i < MT_PHC_SET_TRIES; i++) {
        if (!mt_phc_read(self, &reading)) {
            return false;
        }
        now = mt_step_watch_look(&self->watch);
        if (now.step_ns == 0) { /* or else REALTIME was set, before or after the reading */
            *ret_point = (struct mt_phc_point){reading.realtime_ns - now.ahead_ns,
                                               reading.device_ns, reading.window_ns + 1};
            return true;
        }
    }
    return false;
}

/* A register that is read in halves may now and then show what it never was: what surprises must
 * show twice. */
static void take_reading(struct mt_phc *self, int64_t boottime_ns)
{
    struct mt_phc_point point;
    int64_t step_ns = 0;

    self->read_at_ns = boottime_ns;
    open_again(self, boottime_ns);
    for (int i = 0; i < LOOKS; i++) {
        errno = 0;
        if (!read_point(self, &point)) {
            note_failure(self, boottime_ns, errno);
            return;
        }
        self->failures = 0;
        step_ns = mt_phc_track_surprise(&self->track, &point);
        if (step_ns == 0) {
            break;
        }
    }
    if (step_ns != 0) {
        note_step(self, &point, step_ns);
    }
    if (step_ns != 0 && self->was_surprised) { /* it is the line that is wrong */
        mt_phc_track_init(&self->track);
    }
    self->was_surprised = step_ns != 0;
    mt_phc_track_add(&self->track, &point);
}

void mt_phc_look(struct mt_phc *self)
{
    int64_t boottime_ns = self->time->boottime_ns(self->time->context);

    bend(self, boottime_ns);
    if (self->read_at_ns == INT64_MIN || boottime_ns - self->read_at_ns >= MT_PHC_EVERY_NS ||
        boottime_ns < self->read_at_ns) {
        take_reading(self, boottime_ns);
    }
}

void mt_phc_try_again(struct mt_phc *self)
{
    if (self->fd < 0) {
        self->again_ns = INT64_MIN;
        self->read_at_ns = INT64_MIN;
        mt_phc_look(self);
    }
}

void mt_phc_accept(struct mt_phc *self)
{
    if (self->fd < 0) {
        self->place = mt_phc_place_of(self->index);
        mt_phc_try_again(self);
    }
}

struct mt_phc_now mt_phc_now(struct mt_phc *self)
{
    struct mt_phc_now now;

    mt_phc_look(self);
    now.boottime_ns = self->time->boottime_ns(self->time->context);
    now.device_ns = mt_phc_track_device(&self->track, now.boottime_ns) - self->untold_ns;
    now.window_ns = mt_phc_track_window(&self->track, now.boottime_ns);
    now.rate = self->track.rate;
    return now;
}

int64_t mt_phc_realtime_of(struct mt_phc *self, int64_t device_ns)
{
    mt_phc_look(self);
    return mt_phc_track_base(&self->track, device_ns) + mt_step_watch_look(&self->watch).ahead_ns;
}

int64_t mt_phc_device_of(struct mt_phc *self, int64_t realtime_ns)
{
    mt_phc_look(self);
    return mt_phc_track_device(&self->track,
                               realtime_ns - mt_step_watch_look(&self->watch).ahead_ns) -
           self->untold_ns;
}

/* ---- adjusting ----------------------------------------------------------------------------- */

static bool ask_kernel(struct mt_phc *self, struct timex *change)
{
    if (self->fd < 0) {
        errno = ENODEV;
        return false;
    }
    return self->os->adjust(self->os->context, self->fd, change) >= 0;
}

/* The correction took effect between two looks at BOOTTIME: in the middle. */
static bool adjust(struct mt_phc *self, struct timex *change, int64_t *ret_boottime_ns)
{
    int64_t before_ns;

    mt_phc_look(self);
    before_ns = self->time->boottime_ns(self->time->context);
    if (!ask_kernel(self, change)) {
        return false;
    }
    *ret_boottime_ns = before_ns + (self->time->boottime_ns(self->time->context) - before_ns) / 2;
    return true;
}

/* What the step missed, beyond what a reading may be wrong by. */
static int64_t missed(struct mt_phc *self)
{
    struct mt_phc_point point;

    return read_point(self, &point) ? mt_phc_track_surprise(&self->track, &point) : 0;
}

bool mt_phc_step(struct mt_phc *self, int64_t step_ns, int64_t *ret_device_ns,
                 int64_t *ret_stepped_ns)
{
    struct timex change = {.modes = ADJ_SETOFFSET | ADJ_NANO};
    int64_t boottime_ns;
    int64_t missed_ns;
    int64_t rest_ns = step_ns % NS_PER_S;

    change.time.tv_usec = rest_ns < 0 ? rest_ns + NS_PER_S : rest_ns;
    change.time.tv_sec = (step_ns - change.time.tv_usec) / NS_PER_S;
    if (!adjust(self, &change, &boottime_ns)) {
        return false;
    }
    self->steps++;
    *ret_device_ns = mt_phc_track_device(&self->track, boottime_ns) - self->untold_ns;
    mt_phc_track_corrected(&self->track, boottime_ns, step_ns, 0);
    missed_ns = missed(self);
    mt_phc_track_corrected(&self->track, boottime_ns, missed_ns, 0);
    *ret_stepped_ns = step_ns + missed_ns;
    return true;
}

static struct timex rate_change(double rate)
{
    double units = rate / FREQ_UNIT;

    return (struct timex){.modes = ADJ_FREQUENCY,
                          .freq = (long)(units < 0 ? units - 0.5 : units + 0.5)};
}

bool mt_phc_set_rate_again(struct mt_phc *self, double rate)
{
    struct timex change = rate_change(rate);

    return ask_kernel(self, &change);
}

bool mt_phc_set_rate(struct mt_phc *self, double rate, int64_t *ret_device_ns)
{
    struct timex change = rate_change(rate);
    double before = 0;
    int64_t boottime_ns;

    (void)mt_phc_rate(self, &before);
    if (!adjust(self, &change, &boottime_ns)) {
        return false;
    }
    *ret_device_ns = mt_phc_track_device(&self->track, boottime_ns) - self->untold_ns;
    mt_phc_track_corrected(&self->track, boottime_ns, 0,
                           ((double)change.freq * FREQ_UNIT - before) / (1 + before));
    return true;
}

bool mt_phc_rate(struct mt_phc *self, double *ret_rate)
{
    struct timex found = {.modes = 0};

    if (!ask_kernel(self, &found)) {
        return false;
    }
    *ret_rate = (double)found.freq * FREQ_UNIT;
    return true;
}

void mt_phc_tell_again(struct mt_phc *self)
{
    double rate;

    if (self->max_rate > 0 && mt_phc_rate(self, &rate) && mt_phc_set_rate_again(self, rate)) {
        mt_phc_track_init(&self->track);
        self->read_at_ns = INT64_MIN;
        mt_phc_look(self);
    }
}

void mt_phc_retuned(struct mt_phc *self, double ratio, int64_t ago_ns)
{
    mt_phc_track_corrected(&self->track, self->time->boottime_ns(self->time->context) - ago_ns, 0,
                           ratio);
}

bool mt_phc_was_stepped(struct mt_phc *self, int64_t *ret_step_ns, int64_t *ret_from_ns)
{
    mt_phc_look(self);
    if (self->untold_ns == 0) {
        return false;
    }
    *ret_step_ns = self->untold_ns;
    *ret_from_ns = self->untold_from_ns;
    self->untold_ns = 0;
    return true;
}
