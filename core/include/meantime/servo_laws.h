/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two known servo laws: from offsets, one after the other, to the rate that a clock shall run at.
 * PI and linear regression behave as linuxptp's servos of these names do with hardware timestamps
 * and its defaults, for those who want the behaviour that they know; the default is the estimator
 * (servo.h).  core/steer calls them after each Sync; they read no clock and know no thresholds.
 * Offsets are local - source in s, rates in s/s against the clock's nominal rate, positive: fast.
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SERVO_LAWS_H
#define MEANTIME_SERVO_LAWS_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/real.h"

#define MT_LINREG_POINTS  64
#define MT_LINREG_WINDOWS 5 /**< of 4, 8 ... 64 points */

enum mt_law_answer {
    MT_LAW_WAITS, /**< it has not seen enough */
    MT_LAW_JUMPS, /**< it begins here: a large offset may be stepped away, then at this rate */
    MT_LAW_RUNS,  /**< at this rate */
};

/** What a law is told with each offset. */
struct mt_law_input {
    mt_real offset;   /**< s */
    mt_real elapsed;  /**< s of local time since the last one; anything with the first */
    mt_real interval; /**< s: nominal distance of offsets */
    mt_real rate;     /**< s/s: at which the clock runs now */
    mt_real max_rate; /**< s/s: the clock's range, to either side */
    bool is_large;    /**< so much that it would be stepped away, now and here */
};

struct mt_pi {
    mt_real drift;   /**< s/s that must be made up for when the offset is 0 */
    mt_real first;   /**< s: the offset with which it began */
    mt_real elapsed; /**< s since then */
    uint8_t count;   /**< offsets seen, up to 2: it runs */
};

/** Begins on a clock that is corrected by `rate`. */
void mt_pi_init(struct mt_pi *self, mt_real rate);
enum mt_law_answer mt_pi_update(struct mt_pi *self, const struct mt_law_input *input,
                                mt_real *ret_rate);
/** The clock was corrected: what was collected to begin with means nothing any more. */
void mt_pi_corrected(struct mt_pi *self);
/** Its gains at offsets every `interval` s, per s. */
mt_real mt_pi_kp(mt_real interval);
mt_real mt_pi_ki(mt_real interval);

struct mt_linreg {
    uint8_t count; /**< of points, up to all */
    uint8_t next;  /**< where the next one goes */
    struct mt_linreg_point {
        mt_real at; /**< s of local time since the newest one, not positive */
        mt_real offset;
    } points[MT_LINREG_POINTS]; /**< ring */
    struct mt_linreg_window {
        mt_real offset; /**< s, s/s: the line at the newest point */
        mt_real gain;
        mt_real error; /**< s: mean size of what it predicted wrongly */
        uint8_t predictions;
    } windows[MT_LINREG_WINDOWS];
};

void mt_linreg_init(struct mt_linreg *self);
enum mt_law_answer mt_linreg_update(struct mt_linreg *self, const struct mt_law_input *input,
                                    mt_real *ret_rate);
/** The clock was stepped by `step`, or its rate was multiplied by 1 + ratio, `since` s of local
 * time after the newest point: all points are expressed on the clock as it is now. */
void mt_linreg_stepped(struct mt_linreg *self, mt_real step);
void mt_linreg_rate_changed(struct mt_linreg *self, mt_real ratio, mt_real since);

#endif
