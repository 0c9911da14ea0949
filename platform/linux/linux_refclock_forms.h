/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The two forms in which programs of one machine hand readings of a reference clock to each other:
 * NTP's segment of shared memory, and the datagram of chrony's refclock SOCK.  Both say what the
 * machine's clock (CLOCK_REALTIME) read and what the reference clock read then; the layouts are
 * those of the C compiler that both programs are made with.
 * Signs: a datagram's offset is reference less machine, the opposite of ours; here it is turned
 * into a time, and back.
 * Thread rule: values, and a segment that other processes write at any time.
 */
#ifndef MEANTIME_LINUX_REFCLOCK_FORMS_H
#define MEANTIME_LINUX_REFCLOCK_FORMS_H

#include <sys/time.h>
#include <time.h>

#include "runtime/refclock_reading.h"

#define MT_REFCLOCK_SHM_KEY     0x4e545030 /* "NTP0"; plus the unit */
#define MT_REFCLOCK_SHM_PRIVATE 2          /* units below this are root's */
#define MT_REFCLOCK_SOCK_MAGIC  0x534f434b

/** In mode 1 `count` is raised before and after each change, and a reader whose count has changed
 * meanwhile looks again; in mode 0 the reader takes `valid` away.  Who knows of nanoseconds writes
 * them besides the microseconds. */
struct mt_refclock_segment {
    int mode;
    int count;
    time_t reference_s;
    int reference_us;
    time_t machine_s;
    int machine_us;
    int leap;
    int precision;
    int samples;
    int valid;
    unsigned reference_ns;
    unsigned machine_ns;
    int reserved[8];
};

struct mt_refclock_datagram {
    struct timeval machine;
    double offset; /**< s, reference - machine */
    int pulse;
    int leap;
    int reserved;
    int magic;
};

/** Takes the reading that lies in the segment.  `seen`: the count of the one before, if
 * `has_seen`.  False: there is none, it is the same, or it is being written. */
bool mt_refclock_segment_read(volatile struct mt_refclock_segment *self, bool has_seen, int *seen,
                              int64_t *ret_machine_ns, struct mt_refclock_reading *ret_reading);
/** Puts a reading into the segment. */
void mt_refclock_segment_write(volatile struct mt_refclock_segment *self, int64_t machine_ns,
                               const struct mt_refclock_reading *reading);

/** False if these octets are no datagram of this form. */
bool mt_refclock_datagram_read(const uint8_t *bytes, size_t length, int64_t *ret_machine_ns,
                               struct mt_refclock_reading *ret_reading);
void mt_refclock_datagram_write(int64_t machine_ns, const struct mt_refclock_reading *reading,
                                struct mt_refclock_datagram *ret_datagram);

#endif
