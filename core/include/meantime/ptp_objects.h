/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The members of struct mt_instance and struct mt_port: here because storage is the caller's.
 * Outside core/ptp they are read for status at most; ptp.h includes this file, nobody else does.
 */
#ifndef MEANTIME_PTP_OBJECTS_H
#define MEANTIME_PTP_OBJECTS_H

#include "meantime/prng.h"

/** Timers of a port; each state names those that it runs. */
enum mt_port_timer {
    MT_TIMER_ANNOUNCE_RECEIPT,
    MT_TIMER_QUALIFICATION,
    MT_TIMER_ANNOUNCE,
    MT_TIMER_SYNC,
    MT_TIMER_DELAY_REQ,
    MT_TIMER_SIBLING, /**< of no state: runs while a lower port of this clock is on the same path */
};
#define MT_TIMER_COUNT       6
#define MT_STATE_TIMER_COUNT 5 /**< those of a state */

/** A transmitter heard on a port; it qualifies with MT_FOREIGN_THRESHOLD recent Announces. */
struct mt_foreign {
    bool is_used;
    int8_t log_announce_interval;
    uint16_t sequence;
    struct mt_time_properties time;
    struct mt_ptp_dataset dataset;              /**< `sender` is its key */
    struct mt_mono heard[MT_FOREIGN_THRESHOLD]; /**< newest first; 0 ns: never */
    struct mt_interval bound;           /**< what it says of its error against its grandmaster */
    struct mt_interval reference_bound; /**< and of the grandmaster's own error */
};

/** The halves of a Sync that has arrived, at most one of each. */
struct mt_sync_receipt {
    struct mt_sync_half {
        uint16_t sequence;
        bool is_there;
    } sync, follow_up, done;       /**< done: both were there */
    struct mt_stamp arrival;       /**< t2 */
    struct mt_interval correction; /**< of the Sync */
    struct mt_instant departure;   /**< t1, with the Follow_Up's correction */
};

/** A Delay_Req that was sent; its timestamp and its answer come in either order. */
struct mt_delay_exchange {
    uint32_t token; /**< 0: unused */
    uint16_t sequence;
    bool has_departure;
    bool has_arrival;
    struct mt_stamp departure; /**< t3 */
    struct mt_instant arrival; /**< t4 less the response's correction */
};

struct mt_delay_request {
    struct mt_delay_exchange exchange[MT_DELAY_OUTSTANDING];
    uint8_t next;
    int8_t log_interval; /**< as the parent asks in its Delay_Resps */
    uint16_t sequence;
};

/** What a transmitting port remembers: Syncs without timestamp, one Follow_Up and a ring of the
 * newest Delay_Reqs: those to answer and, before them, those that were answered. */
struct mt_transmission {
    struct mt_sync_sent {
        uint32_t token; /**< 0: unused */
        uint16_t sequence;
    } sync[MT_SYNC_OUTSTANDING];
    uint8_t next_sync;
    uint8_t first_answer; /**< the oldest that waits */
    uint8_t answer_count; /**< that wait */
    uint16_t announce_sequence;
    uint16_t sync_sequence;
    uint16_t follow_up_sequence;
    struct mt_instant follow_up; /**< t1 of the Follow_Up to send */
    struct mt_answer {
        struct mt_port_identity requester;
        uint16_t sequence;
        struct mt_instant arrival; /**< t4 */
        struct mt_interval correction;
    } answer[MT_ANSWERS_MAX];
};

struct mt_port {
    enum mt_port_state state;          /**< written by set_state() of port.c only */
    enum mt_port_state reported_state; /**< as last drained */
    uint8_t decision;                  /**< enum mt_decision: snapshot of the state decision */
    uint8_t pending;                   /**< frames to send, bits of enum mt_port_frame */
    bool is_link_up;
    bool is_enabled;
    bool is_faulty;
    bool has_listened; /**< the announce receipt timeout has passed since the port started */
    bool is_qualified; /**< the qualification timeout has passed: it may serve when time allows */
    bool has_sample;
    struct mt_port_identity identity;
    struct mt_foreign *erbest; /**< snapshot of the state decision */
    struct mt_foreign *best;   /**< the one that this port follows or yields to, or null */
    struct mt_mono timers[MT_TIMER_COUNT];
    struct mt_port_config config;
    struct mt_sync_receipt sync;
    struct mt_delay_request delay;
    struct mt_sample sample;
    struct mt_transmission transmission;
    struct mt_foreign foreign[MT_FOREIGN_MAX];
    uint64_t verdicts[MT_VERDICT_COUNT];
    uint64_t counters[MT_PORT_COUNTER_COUNT];
};

struct mt_instance {
    bool needs_decision;
    bool was_calibrated; /**< a port has been RECEIVER since the start */
    bool was_traceable;  /**< last_followed, to TAI or UTC */
    bool has_new_reference;
    bool is_same_grandmaster;
    bool is_same_reference; /**< for the event of the parent */
    bool has_new_parent;    /**< events not yet drained */
    bool has_new_time;
    bool has_moved_timers;   /**< `deadline` is to be found again */
    bool is_open;            /**< boundary.c's gate */
    bool is_deadline_lent;   /**< `deadline` is that of an extension */
    uint16_t receiving_port; /**< 0: none */
    uint16_t port_count;
    uint32_t last_token;
    struct mt_port *ports;
    struct mt_port *ports_end; /**< one past the last */
    struct mt_mono now;        /**< of the call that is under way */
    struct mt_mono deadline;   /**< the earliest of all timers */
    struct mt_instance_config config;
    struct mt_ptp_dataset parent;           /**< parentDS and, in steps_removed, currentDS */
    struct mt_time_properties time;         /**< timePropertiesDS */
    struct mt_clock_identity last_followed; /**< grandmaster, remembered while there is none */
    struct mt_interval parent_bound;        /**< as in mt_foreign, of the parent */
    struct mt_interval reference_bound;
    struct mt_mono bound_since; /**< the Announce of parent_bound; 0: does not age */
    struct mt_clock_condition clock;
    struct mt_prng random;
};

#endif
