/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Servos in place of the discipline's own steering: mt_steer_config.servo names one, and
 * mt_steer_config.servo_storage is memory for it that the caller owns.  The estimator keeps
 * running beside them, for state, bound and status; what is published is the steered clock.
 * As in linuxptp, the path delay is the median of the last 10 measured, a Sync's offset is its
 * t2 - t1 less that, and each Sync is acted upon.  What is stepped away is as configured.
 * The Kalman filter is that of small firmware (steer_kalman.h): it tunes itself, and acts upon each
 * sample of either direction.
 * An image that names none of them has none of them.
 * Thread rule: one thread at a time for each storage; the tables are constant.
 */
#ifndef MEANTIME_STEER_SERVOS_H
#define MEANTIME_STEER_SERVOS_H

#include "meantime/servo_laws.h"
#include "meantime/steer.h"
#include "meantime/steer_kalman.h"

#define MT_SERVO_DELAYS 10

/** Everything that a servo remembers; it is initialised when a source is selected. */
struct mt_servo_storage {
    struct mt_sample last; /**< that gave an offset, or would have but for want of a delay */
    bool has_last;
    bool has_offset; /**< the law has had one */
    uint8_t delay_count;
    uint8_t delay_next;
    mt_real delays[MT_SERVO_DELAYS]; /**< s, ring */
    mt_real interval;                /**< s: mean distance of offsets; 0: not known */
    bool has_rate;                   /**< `rate` is to follow a step */
    mt_real rate;
    union {
        struct mt_pi pi;
        struct mt_linreg linreg;
    } law;
    struct mt_kalman_follower kalman;
};

extern const struct mt_steer_servo mt_steer_servo_pi;
extern const struct mt_steer_servo mt_steer_servo_linreg;
extern const struct mt_steer_servo mt_steer_servo_kalman;

#endif
