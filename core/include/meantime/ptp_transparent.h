/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A transparent clock [1588-2019 10]: forwards the messages of others between the ports of an
 * instance and adds to their correctionField for how long they were inside.  End-to-end: what
 * passes is Sync, Delay_Req and Pdelay; peer-to-peer: Sync, with the delay of the link it came by.
 * The instance itself is a receiver of many ports (mt_ptp_transparent_features), so that its clock
 * can be syntonised to the transmitter that it would follow.
 *
 * The object is named in mt_instance_more.transparent and lives as long as the instance; its
 * storage is the caller's.  Frames in passage form a ring: the newest takes the place of the
 * oldest, which is counted as given up if anything of it was still to come.  A frame is known
 * again for MT_TRANSPARENT_HOLD_NS, if the ring is that large, and then forwarded once only.
 *
 * Not changed in what is forwarded: everything but correctionField; in addition twoStepFlag of a
 * one-step message that becomes two-step, and stepsRemoved with follows_tree.  So an
 * AUTHENTICATION TLV stays right where the policy calls correctionField mutable, and no one-step
 * message is converted.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_TRANSPARENT_H
#define MEANTIME_PTP_TRANSPARENT_H

#include "meantime/ptp.h"

#define MT_TRANSPARENT_HOLD_NS INT64_C(2000000000) /**< for the other half; for knowing again */

/** Who a message is: of whom, to whom, which. */
struct mt_transparent_key {
    uint16_t sequence;
    uint8_t type; /**< enum mt_ptp_type */
    uint8_t domain;
    uint16_t sdo_id;
    struct mt_port_identity source;
    struct mt_port_identity other; /**< requester or target; zero: the type has none */
};

/** A frame in passage; its octets lie apart. */
struct mt_transparent_frame {
    struct mt_transparent_key key;
    uint64_t serial;  /**< counts frames from 1; 0: unused */
    uint64_t event;   /**< of a result: the serial of its event message; 0: it has not come */
    uint64_t request; /**< of an event message that answers: the serial of the request */
    uint16_t length;
    uint16_t ingress;   /**< port that it came by */
    uint16_t open_legs; /**< that are not done with */
    bool awaits_result; /**< an event message whose result has not come yet */
    bool is_one_step;   /**< an event message that came without a result to come */
    struct mt_stamp arrival;
    struct mt_mono until;          /**< then it is forgotten */
    struct mt_interval on_ingress; /**< what the link that it came by adds */
    struct mt_address from;        /**< network 0: not known */
    struct mt_address to;          /**< of unicast; network 0: to all */
    uint16_t only_port;            /**< that unicast leaves by */
};

/** The way of a frame out of one port. */
struct mt_transparent_leg {
    uint8_t state;                 /**< see transparent_private.h */
    uint32_t token;                /**< while its timestamp is awaited */
    struct mt_interval correction; /**< event message: its residence; result: what is added */
};

/** Counters of a transparent clock. */
enum mt_transparent_counter {
#define MT_TRANSPARENT_COUNTER(symbol, name, meaning) MT_TRANSPARENT_##symbol,
#include "meantime/transparent_counter.def"
#undef MT_TRANSPARENT_COUNTER
    MT_TRANSPARENT_COUNTER_COUNT
};

struct mt_transparent_config {
    bool is_peer_to_peer;
    bool follows_tree;    /**< Announce and Sync pass as a boundary clock's would, and no others */
    bool is_free_running; /**< the clock's rate against the transmitter's is not taken out */
    bool keeps_to_domain; /**< other domains are not forwarded */
    uint64_t inserting;   /**< ports, 1 << (number - 1), whose link can do MT_INSERT_RESIDENCE */
};

/** Storage: `frame_count` frames, a leg for each frame and port, `frame_size` octets for each
 * frame. */
struct mt_transparent_storage {
    struct mt_transparent_frame *frames;
    struct mt_transparent_leg *legs; /**< frame_count * port_count */
    uint8_t *octets;                 /**< frame_count * frame_size */
    uint32_t frame_count;            /**< 4 or more */
    uint16_t frame_size;             /**< longest message that is forwarded; MT_PTP_MESSAGE_MAX */
    uint16_t port_count;             /**< of the instance */
};

/** What is known of the clock that makes the stamps. */
struct mt_transparent_clock {
    int32_t scaled_rate; /**< its rate against the parent's less one, times 2^41; 0: not known */
    uint32_t stepped_at; /**< its correction count at its last step; 0: never stepped */
};

/** Times between arrival and departure. */
struct mt_transparent_residence {
    uint64_t count;
    struct mt_interval least;
    struct mt_interval most;
    int64_t sum_ns;
};

struct mt_transparent {
    struct mt_transparent_config config;
    struct mt_transparent_storage storage;
    struct mt_transparent_clock clock;
    uint64_t newest;  /**< serial of the newest frame */
    uint64_t first;   /**< no older one has a leg to be sent */
    uint32_t queued;  /**< legs to be sent */
    uint32_t awaited; /**< legs whose timestamp is awaited */
    uint32_t held;    /**< legs of results that wait */
    struct mt_transparent_residence residence;
    uint64_t counters[MT_TRANSPARENT_COUNTER_COUNT];
};

/** Makes it ready, with an empty ring. */
void mt_transparent_init(struct mt_transparent *self, const struct mt_transparent_config *config,
                         const struct mt_transparent_storage *storage);

/** Whoever steers the clock says how it is after each change, before the next input. */
void mt_transparent_set_clock(struct mt_transparent *self,
                              const struct mt_transparent_clock *clock);

/** Mean residence; 0 while there was none. */
int64_t mt_transparent_mean_ns(const struct mt_transparent *self);

/** What the instance of a transparent clock is made of, with all extensions. */
extern const struct mt_ptp_features mt_ptp_transparent_features;

extern const struct mt_extension mt_transparent_extension;

#endif
