/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The arbiter: which of several sources of one clock are to be believed, which one steers, and what
 * the time is by all of them together.  Each source is an interval: the clock's offset as measured
 * against it, plus and minus all that this may be wrong by.  As long as more than half of these
 * intervals hold what they promise, the true offset lies in the interval that comes out.
 * Pure functions over a snapshot: called by whoever owns the clock (runtime/arbiter_duty.c) when a
 * source has been measured and as time passes.  Nothing is kept between calls.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_STEER_ARBITER_H
#define MEANTIME_STEER_ARBITER_H

#include "meantime/real.h"

#define MT_ARBITER_NOBODY 0xFFFF

enum mt_arbiter_verdict {
#define MT_ARBITER_VERDICT(symbol, name, reason) MT_ARBITER_##symbol,
#include "meantime/steer_arbiter_verdict.def"
#undef MT_ARBITER_VERDICT
    MT_ARBITER_VERDICT_COUNT
};

struct mt_arbiter_config {
    uint16_t min_sources; /**< that must agree; 0 is as 1 */
    mt_real max_bound;    /**< s: a source whose bound is larger has no vote */
    mt_real max_drift;    /**< s/s that good sources may differ in rate beyond what is measured */
    enum mt_timescale scale; /**< of the clock */
    bool adopts_scale;       /**< it may take another one: that of most sources; ARB only
                                if all have that */
};

/** A source at one instant, which is the same for all. */
struct mt_arbiter_source {
    bool is_reachable;
    bool is_synchronised;
    bool is_measured;     /**< what follows from `offset` on is known */
    bool is_awaited;      /**< it is not, but may soon be: worth waiting for at the start */
    bool is_silent;       /**< its measurements have stopped */
    bool is_on_probation; /**< it was a falseticker a short while ago */
    bool follows_us;      /**< its time comes from this clock */
    bool is_orphan;       /**< its time is nobody's, and there is somebody better, if only we */
    bool is_watched;      /**< it neither votes nor is chosen */
    bool is_trusted;      /**< while there are such, they alone make the majority */
    bool is_required;     /**< of those that are, one must agree */
    bool is_preferred;
    uint8_t rank;            /**< among equals the smaller one: stratum, hops */
    enum mt_timescale scale; /**< if it is not measured: that it will have, ARB if not known */
    mt_real offset;    /**< s: the clock is ahead of it, less a number that is the same for all */
    mt_real sigma;     /**< s */
    mt_real bound;     /**< s: the offset against true time is not further from `offset` */
    mt_real distance;  /**< s: the same when it was last measured, which does not grow with age */
    mt_real frequency; /**< s/s: the clock gains on it */
    mt_real frequency_sigma;
};

struct mt_arbiter_opinion {
    enum mt_arbiter_verdict verdict;
    mt_real weight; /**< share of the combined time, 0 to 1 */
    mt_real miss;   /**< falseticker: s by which its interval misses the one agreed upon, > 0: the
                         clock is further ahead of it than of the others */
};

struct mt_arbiter_result {
    uint16_t selected; /**< index, or MT_ARBITER_NOBODY */
    uint16_t voters;
    uint16_t agreeing; /**< voters whose intervals have a point in common */
    bool has_trusted;  /**< they were the only voters */
    bool has_interval; /**< a majority agrees: */
    mt_real low;       /**< s: no true offset is less, if a majority of the voters is right */
    mt_real high;
    mt_real agreed_low; /**< s: where most of them agree */
    mt_real agreed_high;
    mt_real shift; /**< s: combined offset less the selected source's */
    mt_real bound; /**< s: the combined offset is off by no more, as far as the voters say */
};

/** Judges `count` sources into as many opinions.  `steering`: the one that was selected last, or
 * MT_ARBITER_NOBODY: it stays unless another is clearly better. */
void mt_arbiter_judge(const struct mt_arbiter_config *config,
                      const struct mt_arbiter_source *sources, uint16_t count, uint16_t steering,
                      struct mt_arbiter_opinion *ret_opinions,
                      struct mt_arbiter_result *ret_result);

/** A source with this verdict takes part in the time. */
bool mt_arbiter_is_chosen(enum mt_arbiter_verdict verdict);

#endif
