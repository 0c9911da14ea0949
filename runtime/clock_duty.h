/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a node does for each of its clocks: applies corrections, tells the instances of its
 * condition, publishes its page, saves its drift.  Private to runtime.
 */
#ifndef MEANTIME_RUNTIME_CLOCK_DUTY_H
#define MEANTIME_RUNTIME_CLOCK_DUTY_H

#include "meantime/ptp_transparent.h"
#include "runtime/node.h"

void mt_clock_duty_tick(struct mt_node *node, uint16_t index, struct mt_mono now);
/** Applies what the discipline wants, and takes in what others did to the clock.  True if there
 * was anything. */
bool mt_clock_duty_correct(struct mt_node *node, uint16_t index, struct mt_mono now);
/** Reads the clock, renews the report and publishes the page. */
void mt_clock_duty_publish(struct mt_node *node, uint16_t index, struct mt_mono now);
/** What is known of the clock when it reads `at`, with all that may widen the bound: whoever asks
 * how wrong a clock may be asks here.  True: it holds over, its oscillator's history says how well,
 * and `ret_growth` is what the estimate's bound gains by that, s/s; else that is 0. */
bool mt_clock_duty_assess(const struct mt_node_clock *clock, const struct mt_instant *at,
                          struct mt_clock_quality_report *ret_report, mt_real *ret_growth);
/** Counts struct mt_one_way into what is known by one of the clock's sources. */
void mt_clock_duty_widen_one_way(const struct mt_node_clock *clock, uint16_t source,
                                 struct mt_clock_quality_report *report);
/** What an instance is told, from the last report; one that does not steer, from how its own
 * source sees the clock. */
void mt_clock_duty_condition(const struct mt_node *node, uint16_t instance,
                             struct mt_clock_condition *ret_condition);
/** What transparent clocks are told, from the last report. */
void mt_clock_duty_rate(const struct mt_node_clock *clock, struct mt_transparent_clock *ret_clock);
/** The instance that steers the clock, or serves it; null if there is none. */
const struct mt_node_instance *mt_clock_duty_instance(const struct mt_node *node, uint16_t index);
void mt_clock_duty_stop(struct mt_node *node, uint16_t index, struct mt_mono now);

#endif
