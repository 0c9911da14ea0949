/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A PTP hardware clock (PHC, /dev/ptpN): opened, read together with the system's clocks, adjusted.
 * One struct mt_phc for each device, whoever uses it: the clock that steers it, and all links whose
 * packets it stamps.  It knows at any time what the device reads, by a line through its latest
 * readings, and turns stamps of the device into stamps of CLOCK_REALTIME.
 * The system calls are behind struct mt_phc_os, so that tests put a device of their own underneath.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_PHC_H
#define MEANTIME_LINUX_PHC_H

#include "platform/linux/linux_phc_track.h"
#include "platform/linux/linux_tune.h"

#define MT_PHC_NAME_SIZE 32
#define MT_PHC_EVERY_NS  125000000 /**< between two readings */
#define MT_PHC_SET_TRIES 4
#define MT_PHC_SAMPLES   9 /**< of one reading: the tightest counts */

/** System calls.  All return -1 with errno, as their namesakes. */
struct mt_phc_os {
    int (*open)(void *context, const char *path); /**< for adjusting, or else for reading */
    int (*ask)(void *context, int fd, unsigned long request, void *argument); /**< ioctl */
    int (*adjust)(void *context, int fd, struct timex *change);               /**< clock_adjtime */
    void (*close)(void *context, int fd);
    void *context;
};

/** The kernel's devices. */
const struct mt_phc_os *mt_phc_os_linux(void);

/** How device and CLOCK_REALTIME are read together, the best first. */
enum mt_phc_method {
    MT_PHC_PRECISE,  /**< both latched by the hardware at one moment */
    MT_PHC_EXTENDED, /**< REALTIME right before and after the device */
    MT_PHC_BASIC,    /**< the same with the kernel's own work in between */
    MT_PHC_NONE,
};

/** The two at one moment; `window_ns`: they may be apart by this. */
struct mt_phc_reading {
    int64_t device_ns;
    int64_t realtime_ns;
    int64_t window_ns;
};

struct mt_phc {
    const struct mt_phc_os *os;
    const struct mt_os_time *time;
    char path[MT_PHC_NAME_SIZE];
    int fd;            /**< -1: the device is gone now */
    int index;         /**< N of /dev/ptpN */
    const char *owner; /**< the clock that steers it, by its name; null: none */
    enum mt_phc_method method;
    double max_rate; /**< s/s; 0: it cannot be adjusted */
    struct mt_step_watch watch;
    struct mt_tune_watch tune;
    struct mt_phc_track track;
    int64_t read_at_ns;     /**< BOOTTIME of the last reading */
    unsigned failures;      /**< readings in a row that were impossible */
    int64_t again_ns;       /**< BOOTTIME at which one that is gone is to be looked for again */
    uint32_t opened;        /**< so often */
    uint64_t place;         /**< of its card in the machine; 0: not known */
    bool was_surprised;     /**< the one before could not be explained */
    int64_t untold_ns;      /**< a step by others that was found and not yet asked for ... */
    int64_t untold_from_ns; /**< ... and the device's reading from which on it counts */
    uint32_t steps;         /**< by whomever, that were made or found */
};

/** Opens /dev/ptpN; null with errno. */
struct mt_phc *mt_phc_new(int index, const struct mt_phc_os *os, const struct mt_os_time *time);
void mt_phc_free(struct mt_phc *self);
/** Another card has this number now: if the device is gone, that one's takes its place. */
void mt_phc_accept(struct mt_phc *self);

/** It may be back: if the device is gone, it is looked for at once. */
void mt_phc_try_again(struct mt_phc *self);
/** Where in the machine the card of /dev/ptpN is; 0: not known. */
uint64_t mt_phc_place_of(int index);

/** One reading: the tightest of several samples.  False if the device does not answer. */
bool mt_phc_read(struct mt_phc *self, struct mt_phc_reading *ret_reading);
/** Reads the device if the last reading is old, and sees what it says. */
void mt_phc_look(struct mt_phc *self);

/** The moment at which it is asked: BOOTTIME and the device, which may be apart by the window. */
struct mt_phc_now {
    int64_t boottime_ns;
    int64_t device_ns;
    int64_t window_ns;
    double rate; /**< of the device against BOOTTIME, minus one */
};
struct mt_phc_now mt_phc_now(struct mt_phc *self);

/** CLOCK_REALTIME when the device read so much (the recent past), and back. */
int64_t mt_phc_realtime_of(struct mt_phc *self, int64_t device_ns);
int64_t mt_phc_device_of(struct mt_phc *self, int64_t realtime_ns);

/** Corrections.  False with errno if the kernel refused; `ret_device_ns`: the device's reading just
 * before it took effect; `ret_stepped_ns`: by how much it was stepped, as far as readings tell: a
 * driver may read and write the register one after the other. */
bool mt_phc_step(struct mt_phc *self, int64_t step_ns, int64_t *ret_device_ns,
                 int64_t *ret_stepped_ns);
bool mt_phc_set_rate(struct mt_phc *self, double rate, int64_t *ret_device_ns);
/** The same of a driver that was loaded anew: the line through the readings is of this rate. */
bool mt_phc_set_rate_again(struct mt_phc *self, double rate);
/** The frequency correction that is in force by the kernel's word; false if it does not say. */
bool mt_phc_rate(struct mt_phc *self, double *ret_rate);
/** Has it run as it was told last, for drivers forget that when they set up their card anew, and do
 * not say so.  How fast it runs is measured anew. */
void mt_phc_tell_again(struct mt_phc *self);
/** Somebody has changed its frequency by this ratio so long ago. */
void mt_phc_retuned(struct mt_phc *self, double ratio, int64_t ago_ns);
/** A step that somebody else made; `ret_from_ns`: readings from there on are after it. */
bool mt_phc_was_stepped(struct mt_phc *self, int64_t *ret_step_ns, int64_t *ret_from_ns);

#endif
