/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hot standby: two instances over one clock, both measured, one steers.  The node asks after each
 * input which one that is; status shows it with the reason.
 * The rules, the first that applies:
 *   1. an instance that is good (it has a transmitter, its samples come, its estimate has settled)
 *      goes before one that is not
 *   2. of two good ones that whose grandmaster has the better clockClass
 *   3. the primary; but while the secondary steers only if it agrees with that, and once it was
 *      left only after it has been good for `wait_ns`
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_STANDBY_H
#define MEANTIME_RUNTIME_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/real.h"
#include "meantime/time.h"

struct mt_node;
struct mt_event;
struct mt_node_clock;
struct mt_instance;
struct mt_clock_condition;

enum mt_standby_health {
    MT_STANDBY_LOST,      /**< it follows nobody */
    MT_STANDBY_SILENT,    /**< its samples have stopped */
    MT_STANDBY_UNSETTLED, /**< its estimate is not to be relied on: too new, or it has stepped */
    MT_STANDBY_GOOD,
};

/** Why the instance that steers is the one. */
enum mt_standby_reason {
    MT_STANDBY_BY_RANK, /**< it is the primary, and good */
    MT_STANDBY_BY_LOSS, /**< the other one follows nobody */
    MT_STANDBY_BY_SILENCE,
    MT_STANDBY_BY_DOUBT,      /**< the other one's estimate has not settled */
    MT_STANDBY_BY_CLASS,      /**< the other one's grandmaster is of a worse clockClass */
    MT_STANDBY_BY_WAIT,       /**< the primary is good again, but not for long enough */
    MT_STANDBY_BY_DIFFERENCE, /**< the primary is good again, but its time is another one */
    MT_STANDBY_FOR_NOTHING,   /**< there is nobody to follow, or nobody better */
};

#define MT_STANDBY_PRIMARY   0
#define MT_STANDBY_SECONDARY 1
#define MT_STANDBY_NOBODY    2

struct mt_standby {
    bool is_used;
    int64_t wait_ns;
    mt_real max_difference; /**< s */

    /* from here on read-only outside of runtime */
    struct mt_standby_member {
        uint16_t instance; /**< set by whoever lays out the node */
        enum mt_standby_health health;
        struct mt_mono sampled;    /**< its last sample that was used and came by Sync; 0: none */
        int64_t interval_ns;       /**< mean distance of those; 0: not known */
        struct mt_mono good_since; /**< if it is good */
    } members[2];
    uint8_t active; /**< index of the member that steers, or MT_STANDBY_NOBODY */
    uint8_t last;   /**< the one that did so last */
    bool was_left;  /**< the primary steered a clock that was locked, and was given up */
    enum mt_standby_reason reason;
    bool has_difference;
    mt_real difference; /**< s: primary's time less secondary's */
    bool agrees;        /**< that is within max_difference */
    uint32_t switches;
    struct mt_mono at; /**< when to judge again without an input */
};

/** Nobody is active yet. */
void mt_standby_init(struct mt_standby *self);

/** An event of an instance over a shared clock, in place of what the node would do itself: a
 * sample was used, a parent or a reference has changed. */
void mt_standby_sampled(struct mt_node *node, uint16_t instance, struct mt_mono now);
void mt_standby_changed(struct mt_node *node, uint16_t instance, const struct mt_event *event);

/** Chooses; true if another instance steers the clock now. */
bool mt_standby_judge(struct mt_node *node, uint16_t clock, struct mt_mono now);

/** True for an instance over a shared clock that does not steer it. */
bool mt_standby_is_idle(const struct mt_node *node, uint16_t instance);

/** True for one of whose time messages nothing comes any more, though it may not know yet. */
bool mt_standby_is_silent(const struct mt_node *node, uint16_t instance);

/** Both are good and agree. */
bool mt_standby_is_redundant(const struct mt_standby *self);

#endif
