/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock in 16 KiB of code: one port on one link, both roles, and the Kalman filter of
 * meantime/steer_kalman.h, which tunes itself.  A platform fills the same three tables as for the
 * larger one (embed/ordinary.h), which is what to take wherever there is room: it says how wrong
 * the clock may be.
 *
 * Freestanding: no library, no allocation, no globals; storage is the caller's.
 * Thread rule: one thread at a time for each object, never an interrupt.
 */
#ifndef MEANTIME_EMBED_SMALL_ORDINARY_H
#define MEANTIME_EMBED_SMALL_ORDINARY_H

#include "meantime/steer_kalman.h"

#include "embed/ordinary.h"

/** `max_slew`, `step_at_start` and `step_later` are set in `node.follower`, after the init. */
struct mt_small_ordinary_config {
    struct mt_instance_config instance;
    struct mt_port_config port;
    uint64_t seed;      /**< spreads timers: differs from machine to machine */
    mt_real start_rate; /**< s/s: as mt_small_ordinary_drift() said before the last end; or 0 */
};

struct mt_small_ordinary {
    struct mt_ordinary_tables tables;
    bool needs_report; /**< the instance does not know the clock's condition */
    struct mt_instance ptp;
    struct mt_port port;
    struct mt_kalman_follower follower;
    uint8_t frame[MT_ORDINARY_FRAME_SIZE]; /**< what is being sent */
};

/** The default profile. */
void mt_small_ordinary_config_init(struct mt_small_ordinary_config *self,
                                   const struct mt_ptp_features *features);

/** Starts.  Nothing is sent before the platform has said that the link is up (MT_INPUT_LINK). */
void mt_small_ordinary_init(struct mt_small_ordinary *self,
                            const struct mt_small_ordinary_config *config,
                            const struct mt_ordinary_tables *tables);

/** Waits for one input, at the latest until the deadline, and does all that follows from it. */
void mt_small_ordinary_once(struct mt_small_ordinary *self);

/** The same in two parts, for who waits in another way. */
struct mt_mono mt_small_ordinary_deadline(const struct mt_small_ordinary *self);
void mt_small_ordinary_input(struct mt_small_ordinary *self, const struct mt_input *input);

/** The clock follows a transmitter. */
bool mt_small_ordinary_is_locked(const struct mt_small_ordinary *self);

/** The rate to keep for the next start; false while nothing was learned. */
bool mt_small_ordinary_drift(const struct mt_small_ordinary *self, mt_real *ret_rate);

#endif
