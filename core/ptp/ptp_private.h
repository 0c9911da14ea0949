/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of core/ptp share: port events and the state tables, data set comparison and state
 * decision, the parts that an instance may be built with, and small helpers.  The time of the call
 * that is under way is self->now.
 */
#ifndef MEANTIME_PTP_PRIVATE_H
#define MEANTIME_PTP_PRIVATE_H

#include "meantime/ptp.h"

#include "base/memory.h"

/* ---- state table (states.c) ------------------------------------------------------------------ */

/** What can happen to a port [1588-2019 9.2.6].  The RS_ events are results of the state
 * decision. */
enum mt_port_event {
    MT_PE_INITIALIZED,
    MT_PE_FAULT_DETECTED,
    MT_PE_FAULT_CLEARED,
    MT_PE_DESIGNATED_ENABLED,
    MT_PE_DESIGNATED_DISABLED,
    MT_PE_RS_GRANDMASTER,        /**< M1, M2: this clock is the best */
    MT_PE_RS_TRANSMITTER,        /**< M3: another port receives */
    MT_PE_RS_RECEIVER,           /**< S1, the parent is the one it was */
    MT_PE_RS_NEW_PARENT,         /**< S1, another parent */
    MT_PE_RS_PASSIVE,            /**< P1, P2 */
    MT_PE_QUALIFIED,             /**< the qualification timeout has passed and time is good */
    MT_PE_CLOCK_SELECTED,        /**< the clock is locked to the parent */
    MT_PE_SYNCHRONIZATION_FAULT, /**< the clock has lost its lock */
    MT_PE_TIME_LOST,             /**< the bound of the time to be served is too large */
};
#define MT_PE_COUNT 14

struct mt_state_table {
    uint8_t next[MT_STATE_COUNT][MT_PE_COUNT]; /**< enum mt_port_state; 0: stays as it is */
    uint8_t timers[MT_STATE_COUNT];            /**< bits of enum mt_port_timer that run */
};

/** Feeds `event` through the instance's table; the single writer of `state`. */
void mt_port_event(struct mt_instance *self, struct mt_port *port, enum mt_port_event event);
/** Brings the state in line with link, enable and fault. */
void mt_port_refresh(struct mt_instance *self, struct mt_port *port);
/** (Re)starts the announce receipt timeout, random part included [9.2.6.12]. */
void mt_port_await_announce(struct mt_instance *self, struct mt_port *port);
/** Half a measurement, or one that nobody has taken yet, is void without its transmitter. */
void mt_port_forget_exchanges(struct mt_port *port);
/** `timer` was due at `was` and has been disarmed. */
void mt_port_timer_due(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                       struct mt_mono was);

/** LISTENING and beyond: frames are looked at. */
static inline bool mt_port_is_active(const struct mt_port *port)
{
    return port->state >= MT_STATE_LISTENING;
}

/** UNCALIBRATED or RECEIVER. */
static inline bool mt_port_is_receiving(const struct mt_port *port)
{
    return port->state >= MT_STATE_UNCALIBRATED;
}

/* ---- foreign transmitters (foreign.c) -------------------------------------------------------- */

/** Remembers an Announce.  FOREIGN_FULL, STALE or ACCEPTED; sets needs_decision if it matters. */
enum mt_verdict mt_foreign_hear(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *announce);
bool mt_foreign_is_qualified(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_foreign *foreign);
/** Erbest: the best qualified transmitter heard on the port, or null [9.3.2.5]. */
struct mt_foreign *mt_foreign_best(const struct mt_instance *self, struct mt_port *port);

/* ---- best transmitter clock algorithm (bmca.c): pure functions ------------------------------- */

/** What every comparison asks of two grandmasters in this order: class, accuracy, variance and
 * priority2; below 0: `a` is better.  Inline, so that it costs small firmware nothing. */
static inline int mt_quality_compare(const struct mt_ptp_dataset *a, const struct mt_ptp_dataset *b)
{
    int difference = (int)a->quality.clock_class - (int)b->quality.clock_class;
    if (difference == 0) {
        difference = (int)a->quality.accuracy - (int)b->quality.accuracy;
    }
    if (difference == 0) {
        difference = (int)a->quality.variance - (int)b->quality.variance;
    }
    return difference != 0 ? difference : (int)a->priority2 - (int)b->priority2;
}

/** Better, be it only by topology. */
bool mt_dataset_is_better(mt_dataset_comparison compare, const struct mt_ptp_dataset *a,
                          const struct mt_ptp_dataset *b);

/** The same by the instance's own comparison. */
bool mt_instance_prefers(const struct mt_instance *self, const struct mt_ptp_dataset *a,
                         const struct mt_ptp_dataset *b);

enum mt_decision { MT_STAY, MT_M1, MT_M2, MT_M3, MT_S1, MT_P1, MT_P2 };

/** The state decision of one port [Figure 33].  `erbest` of the port and `ebest` of the clock may
 * be null; that they are one object tells that this port holds Ebest.  `own` is null for a clock
 * that may not serve: with any transmitter to follow it follows, whatever its priorities. */
enum mt_decision mt_bmca_decide(mt_dataset_comparison compare, const struct mt_ptp_dataset *own,
                                const struct mt_ptp_dataset *ebest,
                                const struct mt_ptp_dataset *erbest, bool is_waiting);

/* ---- data sets (data_sets.c) ----------------------------------------------------------------- */

/** This clock as a record of the kind that its parent has. */
void mt_describe_own(const struct mt_instance *self, struct mt_foreign *ret_own);
/** Takes what the parent's Announce says into the data sets; receiving_port 0: it is this clock.
 * True for a new parent. */
bool mt_take_parent(struct mt_instance *self, const struct mt_foreign *parent,
                    uint16_t receiving_port);

/* ---- the stop-the-world step (decision.c, decision_receiver.c) ------------------------------- */

/** Runs the decision for all ports between two inputs and updates the data sets. */
void mt_instance_decide(struct mt_instance *self);
/** True for a port that still waits for a transmitter to be heard. */
bool mt_port_is_listening(const struct mt_port *port);

/* ---- messages -------------------------------------------------------------------------------- */

/** What an Announce says, as the record of its sender. */
void mt_announce_read(const struct mt_instance *self, const struct mt_port *port,
                      const struct mt_ptp_message *message, struct mt_foreign *ret_foreign);
enum mt_verdict mt_announce_rx(struct mt_instance *self, struct mt_port *port,
                               const struct mt_ptp_message *message);
enum mt_verdict mt_sync_rx(struct mt_instance *self, struct mt_port *port,
                           const struct mt_ptp_message *message, const struct mt_stamp *stamp);
enum mt_verdict mt_follow_up_rx(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message);
/** Completes and offers the port's sample, in which the value of the one-way measurement is already
 * set; `local`: the stamp that the local clock has made. */
void mt_port_measured(struct mt_instance *self, struct mt_port *port, enum mt_sample_kind kind,
                      const struct mt_stamp *local);

/** Frames that wait to be drained, in the order in which they are sent. */
enum mt_port_frame {
    MT_FRAME_FOLLOW_UP,
    MT_FRAME_DELAY_RESP,
    MT_FRAME_ANNOUNCE,
    MT_FRAME_SYNC,
    MT_FRAME_DELAY_REQ,
};
#define MT_FRAME_COUNT 5

/** A frame on its way out. */
struct mt_outgoing {
    struct mt_ptp_message message;
    enum mt_port_frame frame;
    uint32_t token;  /**< of an event frame */
    uint8_t *buffer; /**< where the frame will lie */
    size_t capacity;
    bool is_forwarded; /**< another clock's, passed on: what it says is not ours to change */
};

/** Takes the port's next frame; false if there is none. */
bool mt_port_next_tx(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out,
                     struct mt_tx *ret_tx);

/* ---- what a clock may be built with ---------------------------------------------------------- */

/** How delay is measured on a port. */
struct mt_delay_part {
    void (*start)(struct mt_instance *self, struct mt_port *port);
    void (*due)(struct mt_instance *self, struct mt_port *port);
    /** Fills the request of `token`. */
    void (*fill)(struct mt_port *port, struct mt_outgoing *out);
    enum mt_verdict (*response)(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message);
    bool (*tx_done)(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp);
};

/** What a port needs to serve time. */
struct mt_transmitter_part {
    /** One of the timers that only its states run is wanted. */
    void (*start)(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer);
    /** One of these was due at `was`. */
    void (*due)(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                struct mt_mono was);
    enum mt_verdict (*delay_req)(struct mt_port *port, const struct mt_ptp_message *message,
                                 const struct mt_stamp *stamp);
    bool (*tx_done)(struct mt_port *port, uint32_t token, const struct mt_stamp *stamp);
    /** Fills one pending frame of the transmitter; its TLVs are written where they will lie. */
    void (*fill)(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out);
    void (*stop)(struct mt_port *port);
};

/** Path trace [16.2]. */
struct mt_path_part {
    /** True if the Announce has passed through this clock. */
    bool (*is_loop)(const struct mt_instance *self, const struct mt_ptp_message *announce);
    /** Keeps the path of the parent's Announce; null: it is not known. */
    void (*follow)(struct mt_instance *self, const struct mt_ptp_message *announce);
    /** Appends the PATH_TRACE TLV with this clock at the end; 0 if it does not fit. */
    size_t (*write)(const struct mt_instance *self, uint8_t *buffer, size_t capacity);
};

/** How wrong the clocks behind an Announce are: ENHANCED_ACCURACY_METRICS and clockAccuracy. */
struct mt_accuracy_part {
    /** Sets the bounds that the Announce gives; those that it does not give stay. */
    void (*read)(const struct mt_ptp_message *announce, struct mt_foreign *foreign);
    /** Appends the TLV with this clock's own bound; 0 if there is nothing to say. */
    size_t (*write)(const struct mt_instance *self, uint8_t *buffer, size_t capacity);
};

/** What the ports of one clock need of one another. */
struct mt_boundary_part {
    /** Any message: those of this clock itself tell of sibling ports on the same path. */
    void (*hear)(struct mt_instance *self, struct mt_port *port,
                 const struct mt_ptp_header *header);
    /** What becomes of a decision of the port to serve. */
    enum mt_decision (*decide)(const struct mt_instance *self, const struct mt_port *port,
                               enum mt_decision decision);
    /** Lets qualified ports serve what the clock has, or stops them. */
    void (*gate)(struct mt_instance *self);
};

/* ---- extensions (extend.c) ------------------------------------------------------------------- */

/** A well-formed frame on its way in. */
struct mt_incoming {
    const uint8_t *frame;
    size_t length;
    const struct mt_stamp *stamp;  /**< may be null */
    const struct mt_address *from; /**< may be null */
    bool is_authenticated;         /**< set by the extension that has verified it */
    struct mt_ptp_message message;
};

/** One thing that an instance can do beyond ordinary and boundary clocks; a null function is one
 * that it does not need. */
struct mt_extension {
    /** Sees each frame before the port does.  True: it has dealt with it, the verdict is set. */
    bool (*rx)(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict);
    /** True if the token is of a frame that it sent on the port; the egress latency is included. */
    bool (*tx_done)(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp);
    /** After each input: does what is due at self->now, says when the next thing is. */
    struct mt_mono (*settle)(struct mt_instance *self);
    /** Writes the next frame of its own into out->buffer; takes tokens from mt_next_token(). */
    bool (*next_tx)(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx);
    /** Last touch to any frame that leaves: it lies in out->buffer, ret_tx->length long. */
    void (*finish)(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx);
    /** True if it has anything to do for an instance and one of its ports that are given this;
     * null: always. */
    bool (*is_used)(const struct mt_instance_more *instance, const struct mt_port_more *port);
};

/** The same for all extensions of an instance, in their order, and for what the parts of larger
 * clocks need of it. */
struct mt_extend_part {
    bool (*rx)(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict);
    bool (*tx_done)(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp);
    /** Sets the deadline, too. */
    void (*settle)(struct mt_instance *self);
    bool (*next_tx)(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx);
    void (*finish)(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx);
};

extern const struct mt_extension mt_message_counts;       /**< management_counts.c */
extern const struct mt_extension mt_monitoring_extension; /**< monitoring.c */
extern const struct mt_extension mt_signaling_extension;  /**< signaling.c */
extern const struct mt_extension mt_one_step_extension;   /**< one_step.c */

/** `length` octets of TLVs have been written behind the frame that leaves. */
void mt_frame_appended(const struct mt_outgoing *out, struct mt_tx *tx, size_t length);

/* ---- small helpers --------------------------------------------------------------------------- */

/** The transmit timestamp of the port's event frame `token`, null: it will not come.  False if no
 * frame waits for it. */
bool mt_port_tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                     const struct mt_stamp *stamp);
void mt_port_request(struct mt_port *port, enum mt_port_frame frame);
void mt_count(uint64_t *counter);
void mt_port_count(struct mt_port *port, enum mt_port_counter counter);
/** *at += by, *at -= by. */
void mt_instant_add(struct mt_instant *at, const struct mt_interval *by);
void mt_instant_subtract(struct mt_instant *at, const struct mt_interval *by);
bool mt_is_parent(const struct mt_instance *self, const struct mt_port_identity *source);
/** True for a message repeated or overtaken; one that is farther back is of a sender that has
 * started again. */
bool mt_sequence_is_stale(uint16_t newest, uint16_t sequence);
/** A log interval that others may ask for. */
bool mt_log_interval_is_allowed(int8_t log_interval);
/** Sets `deadline` to the earliest timer of all ports. */
static inline void mt_instance_find_deadline(struct mt_instance *self)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (const struct mt_port *port = self->ports; port < self->ports_end; port++) {
        for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
            if (port->timers[timer].ns < earliest.ns) {
                earliest = port->timers[timer];
            }
        }
    }
    self->deadline = earliest;
    self->has_moved_timers = false;
}

/** An extension wants to be asked by then, earlier than its settle() has said. */
static inline void mt_lend_deadline(struct mt_instance *self, struct mt_mono deadline)
{
    if (deadline.ns < self->deadline.ns) {
        self->deadline = deadline;
        self->is_deadline_lent = true;
    }
}

/** A token for an event frame that is about to be written. */
static inline uint32_t mt_next_token(struct mt_instance *self)
{
    self->last_token++;
    if (self->last_token > MT_TOKEN_MAX) {
        self->last_token = 1;
    }
    return self->last_token;
}

/** Arms a timer to be due in `in_ns`. */
void mt_timer_arm(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                  int64_t in_ns);
/** Stops a timer from outside the port's own states. */
static inline void mt_timer_disarm(struct mt_instance *self, struct mt_port *port,
                                   enum mt_port_timer timer)
{
    self->has_moved_timers |= port->timers[timer].ns != MT_MONO_NEVER.ns;
    port->timers[timer] = MT_MONO_NEVER;
}

/** U(0, interval]. */
int64_t mt_random_ns(struct mt_instance *self, int64_t interval_ns);

#endif
