/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hardware clock made of numbers, beside the machine of linux_machine.h: for the tests of what
 * reads and steers such clocks.  It has its own oscillator, can be read in the ways that a test
 * allows, with delays and spikes, can be stepped by others, and refuses what it is told to refuse.
 */
#ifndef MEANTIME_TESTS_LINUX_DEVICE_H
#define MEANTIME_TESTS_LINUX_DEVICE_H

#include "linux_machine.h"
#include "platform/linux/linux_phc.h"

struct device {
    struct mt_phc_os os;
    struct machine *machine;
    int64_t ns;         /* what it reads, ... */
    double part_ns;     /* ... and the fraction */
    double error;       /* of its oscillator, s/s */
    long freq;          /* correction, in units of struct timex */
    bool has_forgotten; /* the card was reset: it runs without, and its driver does not know */
    bool has_precise;
    int precise_error; /* errno: it had */
    bool has_extended;
    int64_t step_error_ns; /* a step is larger by this than it was asked for */
    bool is_read_only;
    bool is_dead;
    bool is_gone;     /* its driver is not loaded */
    int loaded;       /* so often was it loaded anew: what was opened before is of no use */
    int64_t read_ns;  /* a reading of its register takes this long */
    int64_t spike_ns; /* and this much more in all samples but `calm_sample` */
    unsigned calm_sample;
    int64_t set_between_ns; /* REALTIME is set by this in the middle of the next reading */
    int64_t set_after_ns;   /* ... and by this right after it */
    int asked;              /* readings of the register */
    int opened;
};

/** It agrees with the machine's TAI, reads in 1 us, and can be adjusted by 6 %. */
void device_init(struct device *self, struct machine *machine);
/** Time passes, for the machine too. */
void device_pass(struct device *self, int64_t ns);

#endif
