/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What state a clock is in, since when, and what that makes of it: the discipline knows whether it
 * follows something, this knows whether holdover is within specification, and remembers where the
 * time came from.  Judged with each page, at least every half second.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_HOLDOVER_DUTY_H
#define MEANTIME_RUNTIME_HOLDOVER_DUTY_H

#include "hal/wait.h"
#include "meantime/clock_page.h"
#include "meantime/steer_oscillator.h"
#include "runtime/quality.h"

struct mt_node;
struct mt_node_clock;

/** Of a clock, for people. */
enum mt_quality_state {
    MT_QUALITY_STATE_FREE_RUN,
    MT_QUALITY_STATE_ACQUIRING,
    MT_QUALITY_STATE_LOCKED,
    MT_QUALITY_STATE_HOLDOVER, /**< within its specification */
    MT_QUALITY_STATE_BEYOND,   /**< holdover out of it */
};
#define MT_QUALITY_STATES 5

/** Of a clock: set by whoever lays out the node ... */
struct mt_holdover {
    int64_t limit_ns;    /**< longest holdover within specification; 0: none */
    int64_t accuracy_ns; /**< largest bound; 0: by what it was when the clock was locked */
    bool learns;         /**< the oscillator; else the bound grows as max_drift says */
    struct mt_steer_oscillator oscillator; /**< initialised */
    bool has_thermometer;
    uint16_t thermometer; /**< its link */
    int64_t read_every_ns;

    /* ... and from here on read-only outside of runtime */
    enum mt_quality_state state;
    struct mt_mono since;  /**< in this state; 0: since the start */
    int64_t since_base_ns; /**< the same by the base of the page */
    uint32_t changes;
    uint32_t entered[MT_QUALITY_STATES];
    enum mt_quality_rung rung;
    struct mt_mono lost_at; /**< when the clock was locked last, unless it is */
    bool is_beyond;         /**< until it is locked again */
    int64_t locked_bound_ns;
    enum mt_quality_source source; /**< followed, or followed last */
    bool is_primary;               /**< likewise: of a primary reference */
    bool is_traceable;
    struct mt_clock_identity grandmaster; /**< with MT_QUALITY_FROM_PTP */
    mt_real variance;                     /**< PTP variance when locked last, s^2 */
    struct mt_mono watch_at;              /**< the oscillator is looked at again */
    struct mt_mono watched_at;
    struct mt_steer_oscillator_past past; /**< of the holdover */
    mt_real applied;                      /**< s/s: what of its prediction the clock has got */
    bool has_kelvin;
    mt_real kelvin; /**< as read last, which is degrees */
    struct mt_mono read_at;
    bool has_kelvin_then; /**< when the clock was measured last */
    mt_real kelvin_then;
};

/** Takes a frame of a thermometer; false if it is none. */
bool mt_holdover_rx(struct mt_node *node, const struct mt_input *input);
/** Judges the clock after its page was made. */
void mt_holdover_judge(struct mt_node *node, uint16_t clock, struct mt_mono now);
/** Makes of a report in holdover one of what the oscillator is known to do; true if it did, then
 * *ret_growth is that of the estimate's bound, s/s. */
bool mt_holdover_widen(const struct mt_node_clock *clock, struct mt_clock_quality_report *report,
                       mt_real *ret_growth);
/** Says in a page what was judged last. */
void mt_holdover_mark(const struct mt_holdover *self, struct mt_clock_page *page);
/** The largest bound that is within specification, ns. */
int64_t mt_holdover_accuracy_ns(const struct mt_holdover *self);
/** What the ladder of an instance has to go by. */
void mt_holdover_facts(const struct mt_node_clock *clock, struct mt_quality_facts *ret_facts);

#endif
