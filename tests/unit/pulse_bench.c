/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pulse_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/pps.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/refclock_reading.h"

struct pulse_device device;

int __real_open64(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __real_stat64(const char *path, struct stat64 *ret_stat);
int __real_stat(const char *path, struct stat *ret_stat);
int __wrap_stat64(const char *path, struct stat64 *ret_stat);
int __wrap_stat(const char *path, struct stat *ret_stat);

static int refuse(int error)
{
    errno = error;
    return -1;
}

/* The numbers of devices are those of /dev/null and /dev/zero. */
static const char *pps_file(void)
{
    return device.pps_number == 0 ? "/dev/null" : "/dev/zero";
}

static int open_device(const char *path)
{
    int pair[2];
    if (strcmp(path, PPS0) == 0) {
        if (device.has_no_pps) {
            return refuse(ENOENT);
        }
        return __real_open(pps_file(), O_RDWR);
    }
    if (device.is_gone) {
        return refuse(ENODEV);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    if (device.events >= 0) {
        close(device.events);
    }
    device.events = pair[0]; /* of the last opening: that for events */
    return pair[1];
}

int __wrap_open(const char *path, int flags, ...)
{
    bool is_ours = strcmp(path, PTP0) == 0 || strcmp(path, PPS0) == 0;
    return is_ours ? open_device(path) : __real_open(path, flags, 0600);
}

int __wrap_open64(const char *path, int flags, ...)
{
    bool is_ours = strcmp(path, PTP0) == 0 || strcmp(path, PPS0) == 0;
    return is_ours ? open_device(path) : __real_open64(path, flags, 0600);
}

/* ---- the devices ----------------------------------------------------------------------------- */

int __wrap_stat64(const char *path, struct stat64 *ret_stat)
{
    if (strcmp(path, PPS0) != 0) {
        return __real_stat64(path, ret_stat);
    }
    return device.has_no_pps ? refuse(ENOENT) : __real_stat64(pps_file(), ret_stat);
}

int __wrap_stat(const char *path, struct stat *ret_stat)
{
    if (strcmp(path, PPS0) != 0) {
        return __real_stat(path, ret_stat);
    }
    return device.has_no_pps ? refuse(ENOENT) : __real_stat(pps_file(), ret_stat);
}

static int answer_pps(unsigned long request, void *argument)
{
    struct pps_kparams *params = argument;
    struct pps_fdata *data = argument;
    static __thread int seen;
    if (request == PPS_GETCAP) {
        *(int *)argument = PPS_CAPTUREBOTH | PPS_CANWAIT;
    } else if (request == PPS_GETPARAMS) {
        params->mode = device.pps_mode;
    } else if (request == PPS_SETPARAMS) {
        if (device.is_mode_refused) {
            return refuse(EPERM);
        }
        device.pps_mode = params->mode;
    } else if (request == PPS_FETCH) {
        struct timespec pause = {0, 2 * MS};
        nanosleep(&pause, 0);
        int sequence = atomic_load(&device.pps_sequence);
        if (sequence == seen) {
            return refuse(ETIMEDOUT);
        }
        seen = sequence;
        data->info.assert_sequence = (unsigned)sequence;
        data->info.assert_tu.sec = 1000 + sequence;
        data->info.assert_tu.nsec = 42;
    }
    return 0;
}

static int answer_offset(struct ptp_sys_offset_precise *both)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    both->sys_realtime.sec = now.tv_sec;
    both->sys_realtime.nsec = (unsigned)now.tv_nsec;
    both->device = both->sys_realtime;
    both->device.sec += device.ahead_s;
    return 0;
}

static int answer_extts(const struct ptp_extts_request *request, bool is_second)
{
    if (is_second && device.is_strict_refused && (request->flags & PTP_STRICT_FLAGS) != 0) {
        return refuse(EOPNOTSUPP);
    }
    device.extts = *request;
    device.has_extts = (request->flags & PTP_ENABLE_FEATURE) != 0;
    return 0;
}

static int answer_perout(const struct ptp_perout_request *request)
{
    if (device.is_phase_refused && (request->flags & PTP_PEROUT_PHASE) != 0) {
        return refuse(EOPNOTSUPP);
    }
    device.perout = *request;
    device.perouts++;
    return 0;
}

static bool is_of_ptp(unsigned long request)
{
    return _IOC_TYPE(request) == PTP_CLK_MAGIC;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    struct ptp_pin_desc *pin = argument;
    if (device.is_gone && is_of_ptp(request)) {
        return refuse(ENODEV);
    }
    switch (request) {
    case PPS_GETCAP:
    case PPS_GETPARAMS:
    case PPS_SETPARAMS:
    case PPS_FETCH:
        return answer_pps(request, argument);
    case PTP_CLOCK_GETCAPS:
        *(struct ptp_clock_caps *)argument = (struct ptp_clock_caps){.max_adj = 100000,
                                                                     .n_ext_ts = 2,
                                                                     .n_per_out = 2,
                                                                     .pps = 0,
                                                                     .n_pins = PINS,
                                                                     .cross_timestamping = 1};
        return 0;
    case PTP_SYS_OFFSET_PRECISE:
        return answer_offset(argument);
    case PTP_PIN_GETFUNC:
        if (pin->index >= PINS) {
            return refuse(EINVAL);
        }
        *pin = device.pins[pin->index];
        return 0;
    case PTP_PIN_SETFUNC:
        device.pins[pin->index].func = pin->func;
        device.pins[pin->index].chan = pin->chan;
        return 0;
    case PTP_EXTTS_REQUEST:
    case PTP_EXTTS_REQUEST2:
        return answer_extts(argument, request == PTP_EXTTS_REQUEST2);
    case PTP_PEROUT_REQUEST:
    case PTP_PEROUT_REQUEST2:
        return answer_perout(argument);
    default:
        return __real_ioctl(fd, request, argument);
    }
}

/* ---- the platform ---------------------------------------------------------------------------- */

struct mt_linux *platform;
struct mt_hal_link *link_of_test;
char reason[MT_HAL_REASON_SIZE];

int set_up(void **state)
{
    static const struct mt_linux_options none;
    (void)state;
    memset(&device, 0, sizeof device);
    device.events = -1;
    device.ahead_s = 37;
    for (unsigned i = 0; i < PINS; i++) {
        device.pins[i].index = i;
    }
    platform = mt_linux_open(&none, reason);
    assert_non_null(platform);
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    if (device.events >= 0) {
        close(device.events);
    }
    return 0;
}

bool open_as(const struct mt_link_request *request)
{
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    reason[0] = '\0';
    link_of_test = provider->ops->open_link(provider, 3, request, reason);
    return link_of_test != NULL;
}

bool next_frame(struct mt_input *ret_input)
{
    struct mt_hal_wait *wait = mt_linux_provider(platform)->wait;
    int64_t end_ns = wait->ops->now(wait).ns + 300 * MS;
    do {
        wait->ops->next(wait, (struct mt_mono){end_ns}, ret_input);
        if (ret_input->kind == MT_INPUT_FRAME) {
            return true;
        }
    } while (ret_input->now.ns < end_ns);
    return false;
}

unsigned await_link(bool is_up, int64_t ns)
{
    struct mt_hal_wait *wait = mt_linux_provider(platform)->wait;
    int64_t end_ns = wait->ops->now(wait).ns + ns;
    struct mt_input input;
    unsigned turns = 0;
    do {
        wait->ops->next(wait, (struct mt_mono){end_ns}, &input);
        turns++;
    } while ((input.kind != MT_INPUT_LINK || input.is_up != is_up) && input.now.ns < end_ns);
    assert_int_equal(input.kind, MT_INPUT_LINK);
    assert_int_equal(input.link, 3);
    return turns;
}

unsigned turns_in(int64_t ns)
{
    struct mt_hal_wait *wait = mt_linux_provider(platform)->wait;
    int64_t end_ns = wait->ops->now(wait).ns + ns;
    struct mt_input input;
    unsigned turns = 0;
    do {
        wait->ops->next(wait, (struct mt_mono){end_ns}, &input);
        turns++;
    } while (input.now.ns < end_ns);
    return turns;
}

void assert_pulse(const struct mt_input *input, int64_t ns, uint16_t counter)
{
    struct mt_refclock_reading reading;
    assert_int_equal(input->link, 3);
    assert_true(mt_refclock_reading_parse(input->bytes, input->length, &reading));
    assert_true(reading.is_pulse);
    assert_true(input->has_stamp);
    assert_true(input->stamp.ns == ns);
    assert_int_equal(input->stamp.counter, counter);
}

void put_event(unsigned channel, int64_t s, unsigned ns)
{
    struct ptp_extts_event event;
    memset(&event, 0, sizeof event);
    event.t.sec = s;
    event.t.nsec = ns;
    event.index = channel;
    assert_int_equal(write(device.events, &event, sizeof event), sizeof event);
}

void unload(void)
{
    device.is_gone = true;
    device.has_extts = false;
    if (device.events >= 0) {
        close(device.events);
        device.events = -1;
    }
}
