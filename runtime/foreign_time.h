/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP served from a clock that follows something else, an NTP server or a reference clock, or that
 * followed a grandmaster until a while ago.  What the instance announces of its time then is what
 * is known of the clock, not what somebody once wrote down: clockAccuracy is that of the bound,
 * which grows while nobody is heard, and clockClass comes down the ladder of the profile.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_FOREIGN_TIME_H
#define MEANTIME_RUNTIME_FOREIGN_TIME_H

#include <stdint.h>

#include "meantime/ptp.h"
#include "runtime/quality.h"

struct mt_node;

/** Of an instance. */
struct mt_foreign_time {
    struct mt_quality_ladder ladder;      /**< set by whoever lays out the node */
    bool is_told;                         /**< the instance announces `told`, not what is its own */
    struct mt_clock_quality own_quality;  /**< as configured, or set since */
    struct mt_time_properties own_time;   /**< likewise */
    struct mt_clock_quality told_quality; /**< in force */
    struct mt_time_properties told_time;
};

/** Tells the instances over this clock, after its page was made, what to announce of it. */
void mt_foreign_time_tell(struct mt_node *node, uint16_t clock, struct mt_mono now);

/** What is configured from now on, whoever has set something else since; what is told of the clock
 * stays above it. */
void mt_foreign_time_configure(struct mt_node *node, uint16_t instance,
                               const struct mt_quality_ladder *ladder,
                               const struct mt_clock_quality *quality,
                               const struct mt_time_properties *time, struct mt_mono now);

/** A quality that somebody has set is found out again, as `auto` has it in the configuration. */
void mt_foreign_time_make_auto(struct mt_node *node, uint16_t instance, bool clock_class,
                               bool variance, struct mt_mono now);

/** What was configured or set, whatever is announced. */
void mt_foreign_time_own_quality(const struct mt_foreign_time *self, const struct mt_instance *ptp,
                                 struct mt_clock_quality *ret_quality);
void mt_foreign_time_own_time(const struct mt_foreign_time *self, const struct mt_instance *ptp,
                              struct mt_time_properties *ret_time);

#endif
