/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hardware clock made of numbers.
 */
#include "linux_device.h"

#include <errno.h>
#include <linux/ptp_clock.h>
#include <string.h>

#define FD 42

void device_pass(struct device *self, int64_t ns)
{
    long freq = self->has_forgotten ? 0 : self->freq;
    double gained = (double)ns * (self->error + (double)freq * 1e-6 / 65536 * (1 + self->error)) +
                    self->part_ns;
    int64_t whole = (int64_t)gained;

    self->ns += ns + whole;
    self->part_ns = gained - (double)whole;
    machine_pass(self->machine, ns);
}

static struct ptp_clock_time time_of(int64_t ns)
{
    return (struct ptp_clock_time){.sec = ns / SECOND, .nsec = (uint32_t)(ns % SECOND)};
}

static void sample(struct device *self, unsigned number, struct ptp_clock_time *before,
                   struct ptp_clock_time *device, struct ptp_clock_time *after)
{
    int64_t spike_ns = number == self->calm_sample ? 0 : self->spike_ns;

    *before = time_of(self->machine->realtime_ns);
    device_pass(self, spike_ns + self->read_ns / 2);
    *device = time_of(self->ns);
    self->machine->realtime_ns += self->set_between_ns;
    self->set_between_ns = 0;
    device_pass(self, self->read_ns - self->read_ns / 2);
    *after = time_of(self->machine->realtime_ns);
    self->asked++;
}

static int answer(struct device *self, unsigned long request, void *argument)
{
    struct ptp_clock_caps *caps = argument;
    struct ptp_sys_offset_precise *precise = argument;
    struct ptp_sys_offset_extended *extended = argument;
    struct ptp_sys_offset *basic = argument;

    if (request == PTP_CLOCK_GETCAPS) {
        *caps = (struct ptp_clock_caps){.max_adj = 60000000};
        return 0;
    }
    if (request == PTP_SYS_OFFSET_PRECISE && self->precise_error != 0) {
        errno = self->precise_error;
        return -1;
    }
    if (request == PTP_SYS_OFFSET_PRECISE && self->has_precise) {
        precise->device = time_of(self->ns);
        precise->sys_realtime = time_of(self->machine->realtime_ns);
        return 0;
    }
    if (request == PTP_SYS_OFFSET_EXTENDED && self->has_extended) {
        for (unsigned i = 0; i < extended->n_samples; i++) {
            sample(self, i, &extended->ts[i][0], &extended->ts[i][1], &extended->ts[i][2]);
        }
        self->machine->realtime_ns += self->set_after_ns;
        self->set_after_ns = 0;
        return 0;
    }
    if (request == PTP_SYS_OFFSET) {
        for (unsigned i = 0; i < basic->n_samples; i++) {
            sample(self, i, &basic->ts[2 * i], &basic->ts[2 * i + 1], &basic->ts[2 * i + 2]);
        }
        return 0;
    }
    errno = EOPNOTSUPP;
    return -1;
}

static int ask(void *context, int fd, unsigned long request, void *argument)
{
    struct device *self = context;

    if (fd != FD + self->loaded || self->is_dead || self->is_gone) {
        errno = ENODEV;
        return -1;
    }
    return answer(self, request, argument);
}

static int adjust(void *context, int fd, struct timex *change)
{
    struct device *self = context;

    if (fd != FD + self->loaded || self->is_gone) {
        errno = ENODEV;
        return -1;
    }
    if (self->is_read_only && change->modes != 0) {
        errno = EACCES;
        return -1;
    }
    if (change->modes & ADJ_SETOFFSET) {
        self->ns += change->time.tv_sec * SECOND + change->time.tv_usec + self->step_error_ns;
    }
    if (change->modes & ADJ_FREQUENCY) {
        self->freq = change->freq;
        self->has_forgotten = false;
    }
    change->freq = self->freq;
    return 0;
}

static int open_device(void *context, const char *path)
{
    struct device *self = context;

    if (strcmp(path, "/dev/ptp3") != 0 || self->is_gone) {
        errno = ENOENT;
        return -1;
    }
    self->opened++;
    return FD + self->loaded;
}

static void close_device(void *context, int fd)
{
    ((struct device *)context)->opened -= fd >= FD;
}

void device_init(struct device *self, struct machine *machine)
{
    memset(self, 0, sizeof *self);
    self->os = (struct mt_phc_os){open_device, ask, adjust, close_device, self};
    self->machine = machine;
    self->ns = machine->realtime_ns + 37 * SECOND;
    self->has_extended = true;
    self->read_ns = 1000;
}
