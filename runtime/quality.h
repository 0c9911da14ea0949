/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How good a clock is, in the words of PTP: from what is known of it to clockClass, clockAccuracy,
 * offsetScaledLogVariance and the flags of timePropertiesDS.  What a profile has to say is data,
 * the ladder; what is known of the clock the caller says (runtime/holdover_duty.h).  NTP's stratum
 * follows from the same.
 * Nothing here is ever better than the error bound.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_RUNTIME_QUALITY_H
#define MEANTIME_RUNTIME_QUALITY_H

#include "meantime/ptp.h"
#include "meantime/real.h"

/** What a clock is worth to those who might follow it. */
enum mt_quality_rung {
    MT_QUALITY_FREE,     /**< it has no time, or nothing says how wrong that is */
    MT_QUALITY_LOCKED,   /**< it follows a source */
    MT_QUALITY_HOLDOVER, /**< it did, and is still within its holdover specification */
    MT_QUALITY_BEYOND,   /**< and is not any more */
};
#define MT_QUALITY_RUNGS 4

/** Where its time comes from, or came from. */
enum mt_quality_source {
    MT_QUALITY_FROM_NOBODY,
    MT_QUALITY_FROM_PTP,
    MT_QUALITY_FROM_NTP,
    MT_QUALITY_FROM_REFCLOCK, /**< of which nothing more is known */
    MT_QUALITY_FROM_GNSS,
};
#define MT_QUALITY_SOURCES 5

/** clockClass by rung, as a profile has it and a user may change it. */
struct mt_quality_ladder {
    bool class_is_auto;           /**< of a clock that has its time: `primary_class` or free_run */
    bool variance_is_auto;        /**< offsetScaledLogVariance as measured, or by class */
    bool is_silent_in_holdover;   /**< accuracy and variance are unknown then, as G.8275 has it */
    bool has_variance_by_class;   /**< that of the class and accuracy, as G.8275 has it */
    uint8_t primary_class;        /**< follows a primary reference */
    uint8_t holdover_class;       /**< did so, within specification ... */
    uint8_t degraded_class;       /**< ... and beyond it */
    uint8_t free_run_class;       /**< everything else */
    uint8_t relay_holdover_class; /**< followed a grandmaster that had a primary reference ... */
    uint8_t relay_degraded_class;
};

/** That of IEEE 1588, with degradation alternative B. */
void mt_quality_ladder_init(struct mt_quality_ladder *self);

/** What is known of the clock. */
struct mt_quality_facts {
    enum mt_quality_rung rung;
    enum mt_quality_source source;
    bool is_primary;   /**< the source is a primary reference; PTP: its grandmaster has one */
    bool has_bound;    /**< else what follows means nothing */
    bool is_traceable; /**< the bound is against TAI or UTC */
    int64_t bound_ns;
    mt_real variance; /**< PTP variance, s^2; 0: not known */
};

struct mt_quality {
    struct mt_clock_quality quality;
    bool is_time_traceable;
    bool is_frequency_traceable;
};

/** `own`: what was configured, in force where the ladder is not automatic.  `before`: as told last,
 * so that what hovers between two values does not change all the time. */
void mt_quality_make(const struct mt_quality_ladder *ladder, const struct mt_quality_facts *facts,
                     const struct mt_clock_quality *own, const struct mt_clock_quality *before,
                     struct mt_quality *ret_quality);

/** [1588-2019 table 5] the best one that promises no less than this */
uint8_t mt_quality_accuracy(int64_t bound_ns);
/** [1588-2019 7.6.3.3] of a PTP variance in s^2 */
uint16_t mt_quality_scaled_log_variance(mt_real variance);
/** [1588-2019 7.6.3.2] sigma^2 of PTP at interval `tau` s of a clock whose error changes from one
 * sample to the next by a normal number of deviation `sigma` s, and whose frequency does a random
 * walk of `wander` (s/s)^2 per second. */
mt_real mt_quality_variance(mt_real sigma, mt_real wander, mt_real tau);

/** A grandmaster of this clockClass has, or had a short while ago, a primary reference. */
bool mt_quality_is_primary_class(const struct mt_quality_ladder *ladder, uint8_t clock_class);

/** The NTP stratum of a clock that follows PTP: 1 if the grandmaster's time is that of a primary
 * reference. */
uint8_t mt_quality_stratum(bool is_primary, bool is_traceable);

#endif
