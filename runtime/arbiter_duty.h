/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One arbiter for all sources of a clock: the present parent of each PTP instance on it, and its
 * NTP servers.  Whenever one of them was measured, and as time passes, it takes a snapshot, has it
 * judged (steer_arbiter.h), and selects in the discipline.  A clock without it follows its PTP
 * instance as the protocol says.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_ARBITER_DUTY_H
#define MEANTIME_RUNTIME_ARBITER_DUTY_H

#include "meantime/steer.h"
#include "meantime/steer_arbiter.h"

struct mt_node;
struct mt_event;
struct mt_node_clock;

#define MT_ARBITER_START_NS     INT64_C(4000000000)  /**< no longer is waited for a majority */
#define MT_ARBITER_PROBATION_NS INT64_C(60000000000) /**< of one that was a falseticker */

enum mt_arbiter_kind {
    MT_ARBITER_PTP, /**< the parent of an instance */
    MT_ARBITER_NTP, /**< a server */
    MT_ARBITER_REFCLOCK,
    MT_ARBITER_CLOCK, /**< another clock of this node */
};

/** A source as the arbiter sees it: set by whoever lays out the node ... */
struct mt_arbiter_member {
    enum mt_arbiter_kind kind;
    uint16_t index; /**< of the instance, server, reference clock or clock */
    bool is_trusted;
    bool is_required;
    bool is_preferred;
    bool is_watched;

    /* ... and from here on read-only outside of runtime */
    uint16_t source;                   /**< among those of the discipline, or MT_SOURCE_NONE */
    struct mt_span offset;             /**< if it was measured */
    bool was_false;                    /**< it has been told that it is a falseticker */
    struct mt_mono suspect;            /**< on probation until then */
    struct mt_interval delay;          /**< round trip; too large: not known */
    enum mt_bound_reference reference; /**< what its own bound is against */
};

struct mt_arbiter {
    bool is_used;
    uint16_t count;
    struct mt_arbiter_member *members; /**< `count` of each, the caller's */
    struct mt_arbiter_source *sources; /**< as last judged; offsets are less `base` */
    struct mt_arbiter_opinion *opinions;
    struct mt_arbiter_config config;
    struct mt_arbiter_result result; /**< `selected` is an index of members */
    struct mt_span base;
    struct mt_mono started;
    bool has_started;
    uint16_t steering; /**< the member that steered last, or MT_ARBITER_NOBODY */
    uint32_t changes;  /**< how often another one took over */
    mt_real shift;     /**< s: in force */
    mt_real extra;     /**< s: the bound of the clock's time less the selected source's own */
};

/** Others are judged from now on: `members`, who are told apart by kind and index; what is known of
 * those that stay is put into it.  `self->members` and what belongs to it have room for `count`. */
void mt_arbiter_set_members(struct mt_arbiter *self, struct mt_arbiter_member *members,
                            uint16_t count);

/** A parent or a reference of an instance has changed, in place of what the node would do. */
void mt_arbiter_duty_changed(struct mt_node *node, uint16_t instance, const struct mt_event *event);

/** Judges and selects; true if another source steers the clock now. */
bool mt_arbiter_duty_judge(struct mt_node *node, uint16_t clock, struct mt_mono now);

/** Makes of a report of the selected source one of the clock's time by all of them. */
void mt_arbiter_duty_widen(const struct mt_node_clock *clock,
                           struct mt_clock_quality_report *report);

/** The member that an instance is; null: its clock has no arbiter. */
const struct mt_arbiter_member *mt_arbiter_duty_member(const struct mt_node *node,
                                                       uint16_t instance);
/** True for an instance that follows somebody who does not steer its clock. */
bool mt_arbiter_duty_is_idle(const struct mt_node *node, uint16_t instance);
/** True if its transmitter is not to be believed, so that nothing of it may be served. */
bool mt_arbiter_duty_is_false(const struct mt_node *node, uint16_t instance);
/** The instance that steers the clock, or else one that follows nobody; -1: none. */
int mt_arbiter_duty_instance(const struct mt_node *node, uint16_t clock);

#endif
