/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hot standby [802.1ASdm, G.8275 annexes]: a clock with two sources, both measured all the time,
 * of which one steers.  The discipline keeps an estimate of each source anyway; here is what it
 * takes to compare them, to change from one to the other without acquiring anew, and to say what
 * the clock is worth against the one that does not steer.
 * Who decides which one it is (runtime/standby.h) calls these between samples.
 * Thread rule: that of the discipline.
 */
#ifndef MEANTIME_STEER_STANDBY_H
#define MEANTIME_STEER_STANDBY_H

#include "meantime/steer.h"

/** Samples since a source began or stepped, until it is believed. */
#define MT_STANDBY_SAMPLES 16

/** The source can be relied on: it has been measured for a while since it began or stepped, on the
 * clock's timescale. */
bool mt_discipline_is_settled(const struct mt_discipline *self, uint16_t source);

/** What source `a` says the clock is ahead, less what `b` says, in s, with the standard deviation
 * of that.  False while one of them has no estimate. */
bool mt_discipline_compare(const struct mt_discipline *self, uint16_t a, uint16_t b,
                           mt_real *ret_difference, mt_real *ret_sigma);

/** mt_discipline_select() for a source that was measured all along: if it is settled and the clock
 * has been locked, it stays locked, and the difference is slewed away like any other offset. */
void mt_discipline_take_over(struct mt_discipline *self, uint16_t source, struct mt_mono now);

/** Plans a correction by what is known already: of the selected source, which has just become that,
 * rather than at its next sample; or to the stored rate, before any source is selected. */
void mt_discipline_act(struct mt_discipline *self);

/** From now on the estimate of `source` is taken to be off by this: other sources, which agree with
 * it, have a share in the time (steer_arbiter.h).  Until it begins anew; needs
 * mt_steer_config.skewness. */
void mt_discipline_set_shift(struct mt_discipline *self, uint16_t source, struct mt_span shift);

/** A source is gone: nothing is known of it any more.  It is not the selected one. */
void mt_discipline_forget_source(struct mt_discipline *self, uint16_t source);

/** Storage for more sources than before, into which those that there are have been copied; the new
 * ones are zeros.  `skewness`: as in mt_steer_config. */
void mt_discipline_set_storage(struct mt_discipline *self, struct mt_discipline_source *sources,
                               struct mt_skewness *skewness, uint16_t source_count);

/** mt_discipline_new_reference() for a source that does not steer. */
void mt_discipline_standby_reference(struct mt_discipline *self, uint16_t source,
                                     bool is_traceable);

/** mt_discipline_report() as if `source` was selected.  `is_locked`: it is settled, wherever the
 * clock may be. */
void mt_discipline_standby_report(const struct mt_discipline *self, uint16_t source,
                                  struct mt_instant at, struct mt_clock_quality_report *ret_report);

#endif
