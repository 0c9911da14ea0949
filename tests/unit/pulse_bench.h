/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: the platform over devices that a test is: open(), stat() and ioctl() of /dev/pps0
 * and /dev/ptp0 end here.  The device's queue of events is a socket, so the platform's own poll and
 * read are used.  To be linked with --wrap for each of the three.
 */
#ifndef MEANTIME_TESTS_PULSE_BENCH_H
#define MEANTIME_TESTS_PULSE_BENCH_H

#include <linux/ptp_clock.h>
#include <stdatomic.h>

#include "platform/linux/linux_private.h"

#define PTP0 "/dev/ptp0"
#define PPS0 "/dev/pps0"
#define PINS 2
#define MS   INT64_C(1000000)

struct pulse_device {
    int events; /**< where the test puts them; -1: /dev/ptp0 is not open */
    struct ptp_pin_desc pins[PINS];
    struct ptp_extts_request extts;
    bool has_extts;
    bool is_strict_refused;
    bool is_phase_refused;
    struct ptp_perout_request perout;
    unsigned perouts;
    int64_t ahead_s;
    bool is_gone; /**< /dev/ptp0: its driver is not loaded */
    /* the kernel's pulses */
    bool has_no_pps; /**< no such device */
    int pps_number;  /**< of the present one */
    atomic_int pps_sequence;
    int pps_mode;
    bool is_mode_refused;
};
extern struct pulse_device device;

extern struct mt_linux *platform;
extern struct mt_hal_link *link_of_test; /**< of number 3 */
extern char reason[MT_HAL_REASON_SIZE];

int set_up(void **state);
int tear_down(void **state);
bool open_as(const struct mt_link_request *request);
/** The driver of /dev/ptp0 is taken away. */
void unload(void);
void put_event(unsigned channel, int64_t s, unsigned ns);

/** The next frame within 300 ms; false: there was none. */
bool next_frame(struct mt_input *ret_input);
/** Until the link is said to be down, or up again, for at most so long; how often it was woken. */
unsigned await_link(bool is_up, int64_t ns);
unsigned turns_in(int64_t ns);
void assert_pulse(const struct mt_input *input, int64_t ns, uint16_t counter);

#endif
