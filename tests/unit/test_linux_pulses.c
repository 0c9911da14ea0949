/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses of the kernel, external timestamps and periodic outputs of a hardware clock, over devices
 * that this test is: open() and ioctl() of /dev/pps0 and /dev/ptp0 end here.  The device's queue of
 * events is a socket, so the platform's own poll and read are used.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/pps.h>
#include <linux/ptp_clock.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "meantime/gnss.h"
#include "runtime/refclock_reading.h"

#define PTP0 "/dev/ptp0"
#define PPS0 "/dev/pps0"
#define PINS 2
#define MS   1000000

static struct {
    int events; /* where the test puts them; -1: /dev/ptp0 is not open */
    struct ptp_pin_desc pins[PINS];
    struct ptp_extts_request extts;
    bool has_extts;
    bool is_strict_refused;
    bool is_phase_refused;
    struct ptp_perout_request perout;
    unsigned perouts;
    int64_t ahead_s;
    /* the kernel's pulses */
    int pps_fd;
    atomic_int pps_sequence;
    int pps_mode;
    bool is_mode_refused;
} device;

int __real_open64(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

static int open_device(const char *path)
{
    int pair[2];
    if (strcmp(path, PPS0) == 0) {
        device.pps_fd = __real_open("/dev/null", O_RDWR);
        return device.pps_fd;
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

static int refuse(int error)
{
    errno = error;
    return -1;
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

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    struct ptp_pin_desc *pin = argument;
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

static struct mt_linux *platform;
static struct mt_hal_link *link_of_test;
static char reason[MT_HAL_REASON_SIZE];

static int set_up(void **state)
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

static int tear_down(void **state)
{
    (void)state;
    if (device.events >= 0) {
        close(device.events);
    }
    return 0;
}

static bool open_as(const struct mt_link_request *request)
{
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    reason[0] = '\0';
    link_of_test = provider->ops->open_link(provider, 3, request, reason);
    return link_of_test != NULL;
}

/* The next frame within a second; false: there was none. */
static bool next_frame(struct mt_input *ret_input)
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

static void assert_pulse(const struct mt_input *input, int64_t ns, uint16_t counter)
{
    struct mt_refclock_reading reading;
    assert_int_equal(input->link, 3);
    assert_true(mt_refclock_reading_parse(input->bytes, input->length, &reading));
    assert_true(reading.is_pulse);
    assert_true(input->has_stamp);
    assert_true(input->stamp.ns == ns);
    assert_int_equal(input->stamp.counter, counter);
}

static void put_event(unsigned channel, int64_t s, unsigned ns)
{
    struct ptp_extts_event event;
    memset(&event, 0, sizeof event);
    event.t.sec = s;
    event.t.nsec = ns;
    event.index = channel;
    assert_int_equal(write(device.events, &event, sizeof event), sizeof event);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void linux_pulses_come_with_their_stamp_when_the_kernel_makes_them(void **state)
{
    struct mt_input input;
    (void)state;
    atomic_store(&device.pps_sequence, 5);
    assert_true(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    assert_int_equal(device.pps_mode & PPS_CAPTUREASSERT, PPS_CAPTUREASSERT);
    assert_false(next_frame(&input)); /* the one from before is none */
    for (int i = 6; i < 9; i++) {
        atomic_store(&device.pps_sequence, i);
        assert_true(next_frame(&input));
        assert_pulse(&input, (1000 + i) * INT64_C(1000000000) + 42, 0);
    }
    assert_int_equal(link_of_test->counters.received, 3);
    mt_linux_close(platform);
}

static void linux_pulses_need_no_privilege_when_the_edge_is_captured_already(void **state)
{
    (void)state;
    device.is_mode_refused = true;
    assert_false(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    assert_non_null(strstr(reason, "start as root"));
    device.pps_mode = PPS_CAPTUREASSERT;
    assert_true(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    mt_linux_close(platform);
}

static const struct mt_link_request stamps = {
    .transport = MT_TRANSPORT_EXTTS, .interface = PTP0, .pulse = {.pin = 1, .channel = 1}};

static void linux_pulses_come_with_their_stamp_when_a_card_makes_them(void **state)
{
    struct mt_input input;
    (void)state;
    device.pins[1].func = PTP_PF_PEROUT;
    assert_true(open_as(&stamps));
    assert_int_equal(device.pins[1].func, PTP_PF_EXTTS);
    assert_int_equal(device.pins[1].chan, 1);
    assert_true(device.has_extts);
    assert_int_equal(device.extts.index, 1);
    assert_int_equal(device.extts.flags & PTP_EXTTS_EDGES, PTP_RISING_EDGE);
    put_event(0, 7, 8); /* another channel's */
    put_event(1, 1000, 17);
    assert_true(next_frame(&input));
    assert_pulse(&input, INT64_C(1000000000017), 1);
    mt_linux_close(platform);
    assert_false(device.has_extts);
    assert_int_equal(device.pins[1].func, PTP_PF_PEROUT);
}

static void linux_pulses_are_the_leading_edges_when_a_card_stamps_both(void **state)
{
    struct mt_input input;
    (void)state;
    device.is_strict_refused = true;
    assert_true(open_as(&stamps));
    assert_non_null(strstr(link_of_test->stamping, "both edges"));
    for (int64_t s = 1000; s < 1003; s++) {
        put_event(1, s, 0);
        put_event(1, s, 100 * MS);
        assert_true(next_frame(&input));
        assert_pulse(&input, s * 1000000000, 1);
        assert_false(next_frame(&input));
    }
    mt_linux_close(platform);
}

static void linux_pulses_leave_the_pins_alone_when_one_is_wired_already(void **state)
{
    struct mt_link_request request = stamps;
    (void)state;
    request.pulse.pin = MT_PIN_AUTO;
    device.pins[0].func = PTP_PF_EXTTS;
    device.pins[0].chan = 1;
    assert_true(open_as(&request));
    assert_int_equal(device.pins[0].func, PTP_PF_EXTTS);
    assert_int_equal(device.pins[1].func, PTP_PF_NONE);
    mt_linux_close(platform);
    assert_int_equal(device.pins[0].func, PTP_PF_EXTTS);
}

static void linux_pulses_are_refused_when_there_is_no_such_pin(void **state)
{
    struct mt_link_request request = stamps;
    (void)state;
    request.pulse.pin = 5;
    assert_false(open_as(&request));
    assert_non_null(strstr(reason, "pin 5 of the hardware clock"));
    assert_non_null(strstr(reason, "it has 2 pins"));
    mt_linux_close(platform);
}

static const struct mt_link_request output = {
    .transport = MT_TRANSPORT_PEROUT,
    .interface = PTP0,
    .pulse = {.pin = 0, .channel = 0, .period_ns = 1000 * MS, .width_ns = 100 * MS}};

static bool give_page(void)
{
    return link_of_test->ops->send(link_of_test, &(struct mt_link_frame){0});
}

static void linux_pulses_leave_while_pages_come_and_end_with_the_daemon(void **state)
{
    (void)state;
    assert_true(open_as(&output));
    assert_int_equal(device.pins[0].func, PTP_PF_PEROUT);
    assert_int_equal(device.perouts, 0); /* the clock may have no time yet */
    assert_true(give_page());
    assert_int_equal(device.perout.period.sec, 1);
    assert_int_equal(device.perout.flags, PTP_PEROUT_PHASE | PTP_PEROUT_DUTY_CYCLE);
    assert_int_equal(device.perout.phase.sec, 0);
    assert_int_equal(device.perout.phase.nsec, 0);
    assert_int_equal(device.perout.on.nsec, 100 * MS);
    assert_true(give_page());
    assert_int_equal(device.perouts, 1);
    mt_linux_close(platform);
    assert_int_equal(device.perout.period.sec, 0);
    assert_int_equal(device.perouts, 2);
    assert_int_equal(device.pins[0].func, PTP_PF_NONE);
}

static void linux_pulses_are_refused_when_another_clock_is_steered(void **state)
{
    struct mt_link_request request = output;
    (void)state;
    request.clock = "/dev/ptp7";
    assert_false(open_as(&request));
    assert_string_equal(reason, "the clock is /dev/ptp7, but the pulses would be those of " PTP0);
    request.clock = "";
    assert_false(open_as(&request));
    assert_non_null(strstr(reason, "the clock is no hardware clock"));
    assert_int_equal(device.pins[0].func, PTP_PF_NONE);
    request.clock = PTP0;
    assert_true(open_as(&request));
    mt_linux_close(platform);
}

static void linux_pulses_begin_at_a_full_second_when_a_driver_knows_no_phase(void **state)
{
    struct timespec now;
    (void)state;
    device.is_phase_refused = true;
    assert_true(open_as(&output));
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true(give_page());
    assert_int_equal(device.perout.flags, PTP_PEROUT_DUTY_CYCLE);
    assert_int_equal(device.perout.start.nsec, 0);
    assert_true(device.perout.start.sec >= now.tv_sec + 37 + 1);
    assert_true(device.perout.start.sec <= now.tv_sec + 37 + 3);
    mt_linux_close(platform);
}

static void linux_pulses_begin_anew_when_the_clock_was_stepped(void **state)
{
    struct timespec pause = {0, 200 * MS};
    (void)state;
    assert_true(open_as(&output));
    assert_true(give_page());
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 1);
    device.ahead_s += 3;
    nanosleep(&pause, 0);
    assert_true(give_page());
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 3); /* off, and on */
    mt_linux_close(platform);
}

/* As when somebody steps it and we put it right before the next page. */
static void linux_pulses_begin_anew_when_the_clock_was_stepped_to_and_fro(void **state)
{
    struct timespec pause = {0, 200 * MS};
    (void)state;
    assert_true(open_as(&output));
    assert_true(give_page());
    nanosleep(&pause, 0);
    device.ahead_s += 3;
    mt_linux_cards_look(platform);
    nanosleep(&pause, 0);
    device.ahead_s -= 3;
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 3); /* ended and begun */
    assert_true(give_page());
    assert_int_equal(device.perouts, 3);
    mt_linux_close(platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            linux_pulses_come_with_their_stamp_when_the_kernel_makes_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            linux_pulses_need_no_privilege_when_the_edge_is_captured_already, set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_come_with_their_stamp_when_a_card_makes_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_are_the_leading_edges_when_a_card_stamps_both,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_leave_the_pins_alone_when_one_is_wired_already,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_are_refused_when_there_is_no_such_pin, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_leave_while_pages_come_and_end_with_the_daemon,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_are_refused_when_another_clock_is_steered,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            linux_pulses_begin_at_a_full_second_when_a_driver_knows_no_phase, set_up, tear_down),
        cmocka_unit_test_setup_teardown(linux_pulses_begin_anew_when_the_clock_was_stepped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            linux_pulses_begin_anew_when_the_clock_was_stepped_to_and_fro, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
