/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The segment is written by strangers while we read it, so it is copied once, member by member,
 * between two looks at the count, and only the copy is judged.  Nanoseconds are believed where
 * they lie within the microsecond that is told besides: a program that does not know of them has
 * left anything there.
 */
#include "platform/linux/linux_refclock_forms.h"

#include <stdatomic.h>
#include <string.h>

#define NS_PER_S      INT64_C(1000000000)
#define NS_PER_US     1000
#define US_PER_S      1000000
#define LAST_S        (INT64_MAX / NS_PER_S - 1)
#define OFFSET_MOST_S 1e9
#define Q16           65536

static bool is_time(int64_t s, int us)
{
    return s > 0 && s < LAST_S && us >= 0 && us < US_PER_S;
}

static uint32_t finer(int us, unsigned ns)
{
    return ns / NS_PER_US == (unsigned)us ? ns : (uint32_t)us * NS_PER_US;
}

static enum mt_refclock_leap leap_of(int leap)
{
    return leap >= MT_REFCLOCK_NO_LEAP && leap <= MT_REFCLOCK_DELETE ? (enum mt_refclock_leap)leap
                                                                     : MT_REFCLOCK_UNSYNCHRONISED;
}

static struct mt_refclock_segment copy_of(volatile const struct mt_refclock_segment *self)
{
    struct mt_refclock_segment copy = {.mode = self->mode, .count = self->count};

    atomic_thread_fence(memory_order_acquire);
    copy.reference_s = self->reference_s;
    copy.reference_us = self->reference_us;
    copy.reference_ns = self->reference_ns;
    copy.machine_s = self->machine_s;
    copy.machine_us = self->machine_us;
    copy.machine_ns = self->machine_ns;
    copy.leap = self->leap;
    copy.precision = self->precision;
    copy.valid = self->valid;
    atomic_thread_fence(memory_order_acquire);
    return copy;
}

bool mt_refclock_segment_read(volatile struct mt_refclock_segment *self, bool has_seen, int *seen,
                              int64_t *ret_machine_ns, struct mt_refclock_reading *ret_reading)
{
    struct mt_refclock_segment copy = copy_of(self);
    bool is_counted = copy.mode == 1;

    if (copy.valid == 0 || copy.mode < 0 || copy.mode > 1 ||
        (is_counted && (self->count != copy.count || (has_seen && copy.count == *seen)))) {
        return false;
    }
    *seen = copy.count;
    if (!is_counted) {
        self->valid = 0;
    }
    if (!is_time(copy.reference_s, copy.reference_us) ||
        !is_time(copy.machine_s, copy.machine_us)) {
        return false;
    }
    *ret_machine_ns = copy.machine_s * NS_PER_S + finer(copy.machine_us, copy.machine_ns);
    *ret_reading = (struct mt_refclock_reading){
        .s = copy.reference_s,
        .ns = finer(copy.reference_us, copy.reference_ns),
        .precision_log2s =
            copy.precision < 0 && copy.precision >= INT8_MIN ? (int8_t)copy.precision : 0,
        .leap = leap_of(copy.leap),
    };
    return true;
}

void mt_refclock_segment_write(volatile struct mt_refclock_segment *self, int64_t machine_ns,
                               const struct mt_refclock_reading *reading)
{
    self->mode = 1;
    self->valid = 0;
    self->count = (int)((unsigned)self->count + 1);
    atomic_thread_fence(memory_order_release);
    self->reference_s = (time_t)reading->s;
    self->reference_us = (int)(reading->ns / NS_PER_US);
    self->reference_ns = reading->ns;
    self->machine_s = (time_t)(machine_ns / NS_PER_S);
    self->machine_ns = (unsigned)(machine_ns % NS_PER_S);
    self->machine_us = (int)(machine_ns % NS_PER_S / NS_PER_US);
    self->leap = (int)reading->leap;
    self->precision = reading->precision_log2s;
    self->samples = 0;
    atomic_thread_fence(memory_order_release);
    self->count = (int)((unsigned)self->count + 1);
    self->valid = 1;
}

/* The reference's time from the machine's, whose whole nanoseconds are added exactly. */
static void add(int64_t machine_ns, double offset, struct mt_refclock_reading *ret_reading)
{
    int64_t whole_s = (int64_t)offset - (offset < (double)(int64_t)offset);
    int64_t part_q16 = (int64_t)((offset - (double)whole_s) * 1e9 * Q16 + 0.5);
    int64_t ns = machine_ns % NS_PER_S + part_q16 / Q16;

    ret_reading->s = machine_ns / NS_PER_S + whole_s + ns / NS_PER_S;
    ret_reading->ns = (uint32_t)(ns % NS_PER_S);
    ret_reading->frac = (uint16_t)(part_q16 % Q16);
}

bool mt_refclock_datagram_read(const uint8_t *bytes, size_t length, int64_t *ret_machine_ns,
                               struct mt_refclock_reading *ret_reading)
{
    struct mt_refclock_datagram datagram;
    bool is_known;

    if (length != sizeof datagram) {
        return false;
    }
    memcpy(&datagram, bytes, sizeof datagram);
    is_known = datagram.offset > -OFFSET_MOST_S && datagram.offset < OFFSET_MOST_S;
    if (datagram.magic != MT_REFCLOCK_SOCK_MAGIC || !is_known || datagram.machine.tv_usec < 0 ||
        datagram.machine.tv_usec > US_PER_S ||
        !is_time(datagram.machine.tv_sec, (int)datagram.machine.tv_usec)) {
        return false;
    }
    *ret_machine_ns = datagram.machine.tv_sec * NS_PER_S + datagram.machine.tv_usec * NS_PER_US;
    *ret_reading = (struct mt_refclock_reading){.leap = leap_of(datagram.leap),
                                                .is_pulse = datagram.pulse != 0};
    add(*ret_machine_ns, datagram.offset, ret_reading);
    return true;
}

void mt_refclock_datagram_write(int64_t machine_ns, const struct mt_refclock_reading *reading,
                                struct mt_refclock_datagram *ret_datagram)
{
    int64_t machine_us = machine_ns / NS_PER_US;
    int64_t rest_ns = machine_ns % NS_PER_US; /* the machine's time is told without it */
    int64_t ahead_s = reading->s - machine_us / US_PER_S;
    int64_t ahead_ns = (int64_t)reading->ns - machine_us % US_PER_S * NS_PER_US - rest_ns;

    memset(ret_datagram, 0, sizeof *ret_datagram);
    ret_datagram->machine.tv_sec = (time_t)(machine_us / US_PER_S);
    ret_datagram->machine.tv_usec = (suseconds_t)(machine_us % US_PER_S);
    ret_datagram->offset = (double)ahead_s + ((double)ahead_ns + (double)reading->frac / Q16) / 1e9;
    ret_datagram->pulse = reading->is_pulse;
    ret_datagram->leap = (int)reading->leap;
    ret_datagram->magic = MT_REFCLOCK_SOCK_MAGIC;
}
