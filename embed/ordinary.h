/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock for a small machine: one port on one link that steers one clock, and the loop
 * between them.  A platform fills three tables (hal/clock.h, hal/link.h, hal/wait.h: seven short
 * functions); the application names the features that it wants, calls mt_ordinary_init() once and
 * mt_ordinary_once() for ever.
 *
 * Freestanding: no library, no allocation, no globals; storage is the caller's.  It holds nothing
 * of a daemon (runtime/node.h): no second instance, no arbiter, no page, no log.
 * Thread rule: one thread at a time for each object, never an interrupt.
 */
#ifndef MEANTIME_EMBED_ORDINARY_H
#define MEANTIME_EMBED_ORDINARY_H

#include "hal/clock.h"
#include "hal/link.h"
#include "hal/wait.h"

/** Frames of an ordinary clock without path trace and TLVs are not longer. */
#define MT_ORDINARY_FRAME_SIZE 128
/** The instance is told of the clock's condition at least this often. */
#define MT_ORDINARY_REPORT_NS INT64_C(500000000)

/** The platform; what is pointed to lives as long as the object. */
struct mt_ordinary_tables {
    struct mt_hal_clock *clock;
    struct mt_hal_link *link;
    struct mt_hal_wait *wait;
};

struct mt_ordinary_config {
    struct mt_instance_config instance;
    struct mt_port_config port;
    struct mt_steer_config steer;
    uint64_t seed;            /**< spreads timers: differs from machine to machine */
    mt_real start_rate;       /**< s/s: as mt_ordinary_drift() said before the last end ... */
    bool is_start_rate_known; /**< ... and it was kept */
};

struct mt_ordinary {
    struct mt_ordinary_tables tables;
    bool needs_report;
    struct mt_mono report_at;
    struct mt_instance ptp;
    struct mt_port port;
    struct mt_discipline discipline;
    struct mt_discipline_source source;
    uint8_t frame[MT_ORDINARY_FRAME_SIZE]; /**< what is being sent */
};

/** The default profile, and what the clock says of itself. */
void mt_ordinary_config_init(struct mt_ordinary_config *self,
                             const struct mt_ptp_features *features,
                             const struct mt_hal_clock *clock);

/** Starts.  Nothing is sent before the platform has said that the link is up (MT_INPUT_LINK). */
void mt_ordinary_init(struct mt_ordinary *self, const struct mt_ordinary_config *config,
                      const struct mt_ordinary_tables *tables);

/** Waits for one input, at the latest until the deadline, and does all that follows from it. */
void mt_ordinary_once(struct mt_ordinary *self);

/** The same in two parts, for who waits in another way. */
struct mt_mono mt_ordinary_deadline(const struct mt_ordinary *self);
void mt_ordinary_input(struct mt_ordinary *self, const struct mt_input *input);

/** What may be said of the clock now. */
void mt_ordinary_report(const struct mt_ordinary *self, struct mt_clock_quality_report *ret_report);

/** The rate to keep for the next start; false while nothing was learned. */
bool mt_ordinary_drift(const struct mt_ordinary *self, mt_real *ret_rate);

#endif
