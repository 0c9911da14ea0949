/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers as sources of the node's clocks.  Octets of a receiver and pulses come in over
 * links of their own; what becomes of them is a reference clock of the node (refclock_duty.h), so
 * for arbiter, servers and instances it is one like any other.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_GNSS_DUTY_H
#define MEANTIME_RUNTIME_GNSS_DUTY_H

#include "hal/wait.h"
#include "meantime/gnss_timing.h"

#define MT_GNSS_SILENT_NS INT64_C(5000000000) /**< without a time: it has no fix */

struct mt_node;

struct mt_gnss_duty_config {
    struct mt_interval cable_delay;
    struct mt_interval precision; /**< of its pulses */
    struct mt_interval max_error; /**< too large: by what the receiver says */
    bool has_sentence_delay;
    int64_t sentence_delay_ns;
    int64_t sentence_error_ns;
};

struct mt_node_gnss {
    struct mt_gnss_duty_config config;
    uint16_t refclock; /**< index of the reference clock that it is */
    uint16_t stream;   /**< link of its octets */
    uint16_t pulses;   /**< link of its pulses; MT_NODE_NO_LINK: none */
    struct mt_gnss_receiver receiver;
    struct mt_gnss_label label;
    struct mt_gnss_guard guard;
    bool is_up;    /**< the way to it is open */
    bool is_heard; /**< it has told a time, not long ago */
    struct mt_mono heard_at;
    bool had_fix;        /**< as told */
    bool is_rolled_over; /**< likewise */
    bool is_leap_wrong;  /**< likewise: it counts other leap seconds than this machine */
    uint32_t stepped_at; /**< of its clock, as known to the label */
    bool has_second;
    int64_t second_s;       /**< UTC: of the last sentence with a time */
    struct mt_mono told_at; /**< when gpsd last stamped a pulse, or began */
    uint64_t pulse_count;
    enum mt_gnss_pulse_verdict verdict; /**< of the last pulse or second */
    bool has_verdict;
    uint64_t counts[MT_GNSS_PULSE_VERDICT_COUNT];
};

enum mt_gnss_node_event {
    MT_GNSS_NODE_FIX,
    MT_GNSS_NODE_NO_FIX,
    MT_GNSS_NODE_LINE,       /**< the way to it is open */
    MT_GNSS_NODE_NO_LINE,    /**< it is not */
    MT_GNSS_NODE_ROLLOVER,   /**< its dates are 1024 weeks or a multiple too early */
    MT_GNSS_NODE_JUMP,       /**< its time left that of the clock: it is not followed any more */
    MT_GNSS_NODE_FOLLOWED,   /**< its time left that of the clock, which follows it */
    MT_GNSS_NODE_RETURNED,   /**< it agrees again */
    MT_GNSS_NODE_LEAP_WRONG, /**< it counts other leap seconds than this machine */
    MT_GNSS_NODE_LEAP_RIGHT, /**< the same again */
};

/** Takes octets, or a pulse; false if they are not of a receiver's link. */
bool mt_gnss_duty_rx(struct mt_node *node, const struct mt_input *input);
/** Takes a change of a link; false if a receiver does not speak over it. */
bool mt_gnss_duty_link(struct mt_node *node, const struct mt_input *input);
/** Notices silence. */
void mt_gnss_duty_tick(struct mt_node *node, struct mt_mono now);
struct mt_mono mt_gnss_duty_deadline(const struct mt_node *node);

/** The receiver that is a reference clock of this number; null: that is none. */
const struct mt_node_gnss *mt_gnss_duty_of(const struct mt_node *node, uint16_t refclock);
bool mt_gnss_duty_has_fix(const struct mt_node_gnss *self);

/** What is known of the time of a clock that follows a receiver. */
struct mt_gnss_standing {
    bool has_fix;     /**< now */
    bool is_believed; /**< its time has not jumped */
};
/** True if the clock follows a receiver, with or without a fix: its time is that of satellites. */
bool mt_gnss_duty_standing(const struct mt_node *node, uint16_t clock,
                           struct mt_gnss_standing *ret_standing);

#endif
