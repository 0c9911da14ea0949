/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The far end of a link, as the peer-to-peer delay mechanism sees it [1588-2019 11.4]: requester
 * and responder of Pdelay, the mean link delay, the neighbour's rate and, in gPTP, asCapable.
 * It belongs to the link, not to a state of a port: one port drives it whenever it is not
 * INITIALIZING, FAULTY or DISABLED, and the ports of other domains on the same link may share it
 * (CMLDS).  A stray or doubled answer costs an exchange at most and never faults a port.
 *
 * The caller's storage: mt_peer_init(), then `peer` in struct mt_port_more; after that it is
 * read through mt_peer_get() only.  It lives at least as long as the instances that use it.
 * Thread rule: that of the instance that drives it, which those that share it must run in, too.
 */
#ifndef MEANTIME_PTP_PEER_H
#define MEANTIME_PTP_PEER_H

#include "meantime/ptp_more.h"

#define MT_PEER_OUTSTANDING   4  /**< requests whose answer is awaited; the oldest is given up */
#define MT_PEER_ANSWERS_MAX   4  /**< requests remembered, answered or not; more are QUEUE_FULL */
#define MT_PEER_WINDOW        16 /**< exchanges over which the neighbour's rate is measured */
#define MT_PEER_START         5 /**< exchanges of which the median is taken, until there are more */
#define MT_PEER_INTERVAL_STOP 127 /**< as a log interval: no requests */

struct mt_peer_config {
    uint8_t domain; /**< of Pdelay messages: the instance's; CMLDS: 0 */
    /** The instance's; CMLDS: 0x200.  0x100 brings the signs of 802.1AS. */
    uint16_t sdo_id;
    uint8_t minor_version; /**< as in mt_instance_config */
    bool is_gptp;          /**< asCapable is found out, as 802.1AS says */
    /** Answers carry their turnaround themselves: for links that can insert it (mt_insertion). */
    bool is_one_step;
    int8_t log_request_interval; /**< -7..6, or MT_PEER_INTERVAL_STOP */
    uint8_t allowed_lost_responses;
    /** gPTP: not capable with a longer delay; too large: no limit. */
    struct mt_interval mean_link_delay_thresh;
    /** Believed until the first exchange, as automotive profiles store it; too large: none. */
    struct mt_interval stored_delay;
};

/** Interval 1 s, domain 0, 3 lost responses, no limit, nothing stored. */
void mt_peer_config_init(struct mt_peer_config *self);

/** What is known of the link. */
struct mt_peer_report {
    bool has_delay;
    bool has_rate_ratio;
    bool has_identity;
    bool is_as_capable;               /**< always outside gPTP */
    bool has_several;                 /**< more than one station answers: no delay can be told */
    bool is_in_doubt;                 /**< the newest exchanges do not fit mean_link_delay */
    struct mt_interval delay;         /**< meanLinkDelay */
    struct mt_interval spread;        /**< standard deviation of one exchange */
    struct mt_interval sigma;         /**< of `delay` */
    int32_t rate_ratio;               /**< neighborRateRatio: (ratio - 1) 2^41 */
    struct mt_port_identity identity; /**< who answers */
    uint32_t exchanges;               /**< that `delay` rests on */
};

/** Counters of a peer. */
enum mt_peer_counter {
#define MT_PEER_COUNTER(symbol, name, meaning) MT_PEER_COUNT_##symbol,
#include "meantime/peer_counter.def"
#undef MT_PEER_COUNTER
    MT_PEER_COUNTER_COUNT
};

/** Mean link delay from single exchanges; 2^-16 ns. */
struct mt_link_delay {
    int64_t mean_q16;
    int64_t deviation_q16; /**< mean absolute deviation of one exchange */
    int64_t short_q16;     /**< mean of the newest deviations: not 0 when the path has changed */
    int64_t refused_q16;   /**< mean of those refused in a row that agree */
    int64_t first_q16[MT_PEER_START];
    uint32_t count;
    uint8_t refused; /**< in a row, that agree */
    bool is_stored;  /**< nothing measured yet */
};

/** The neighbour's rate from the ends of a window of departures and arrivals. */
struct mt_link_rate {
    struct mt_span base; /**< neighbour's clock - local clock at the first point */
    struct mt_link_rate_point {
        int64_t local_ns;
        int64_t ahead_q16; /**< neighbour's clock - local clock - base */
    } points[MT_PEER_WINDOW];
    uint8_t next;
    uint8_t count;
    bool is_known;
    int32_t ratio; /**< (ratio - 1) 2^41 */
};

/** Its members are private to core/ptp. */
struct mt_peer {
    struct mt_peer_config config;
    bool is_running;
    bool wants_request;
    bool is_asked; /**< a Pdelay_Req has come: MT_DELAY_AUTO asks back */
    bool is_heard; /**< and was answered: MT_DELAY_AUTO uses P2P */
    bool is_as_capable;
    bool has_identity;
    uint8_t lost_in_a_row;
    uint8_t several_in_a_row;
    uint8_t strange_in_a_row; /**< exchanges that only `stranger` has answered */
    uint8_t next_exchange;
    uint8_t next_answer;
    uint16_t sequence;
    struct mt_mono next_request;
    struct mt_port_identity identity;
    struct mt_port_identity stranger;
    struct mt_link_delay delay;
    struct mt_link_rate rate;
    uint64_t samples; /**< of its port that have been looked at */
    bool tells_ways;  /**< its answers say more than a turnaround */
    /** The newest exchange as two one-way measurements. */
    struct mt_peer_way {
        bool is_new;
        struct mt_stamp at;   /**< the local stamp */
        struct mt_span value; /**< arrival - departure */
    } there, back;
    /** Whether the port's parent is the neighbour and answers with the stamps of the clock that it
     * serves: then `there` and `back` measure the offset from it. */
    struct mt_peer_parent {
        struct mt_port_identity identity; /**< of the parent that the rest is about */
        enum { MT_PARENT_UNKNOWN, MT_PARENT_IS_NEIGHBOUR, MT_PARENT_IS_BEYOND } where;
        bool is_used;      /**< one-way samples of it were made */
        bool is_compared;  /**< a Sync, since the newest exchange */
        uint8_t compared;  /**< Syncs that came from the clock that answers */
        uint8_t failed;    /**< in a row, that did not */
        int64_t apart_q16; /**< mean of what those two clocks seem to be apart */
    } parent;
    /** A Pdelay_Req that was sent. */
    struct mt_peer_exchange {
        uint32_t token; /**< 0: unused */
        uint16_t sequence;
        bool has_departure;
        bool has_responder;
        bool has_response;
        bool has_follow_up;
        bool is_done;
        bool has_several; /**< another station has answered, too */
        struct mt_port_identity responder;
        struct mt_stamp departure;  /**< t1 */
        struct mt_stamp arrival;    /**< t4 */
        struct mt_instant received; /**< t2, as told */
        struct mt_instant sent;     /**< t3, as told */
        struct mt_interval response_correction;
        struct mt_interval follow_up_correction;
    } exchanges[MT_PEER_OUTSTANDING];
    /** A Pdelay_Req that was received; remembered beyond its answer. */
    struct mt_peer_answer {
        enum mt_peer_answer_state {
            MT_ANSWER_DONE,
            MT_ANSWER_RESP,      /**< Pdelay_Resp is to be sent */
            MT_ANSWER_STAMP,     /**< its timestamp is awaited */
            MT_ANSWER_FOLLOW_UP, /**< Pdelay_Resp_Follow_Up is to be sent */
        } state;
        uint32_t token;
        uint16_t sequence;
        struct mt_port_identity requester;
        struct mt_interval correction;
        struct mt_instant arrival;   /**< t2 */
        struct mt_instant departure; /**< t3 */
    } answers[MT_PEER_ANSWERS_MAX];
    uint64_t counters[MT_PEER_COUNTER_COUNT];
};

void mt_peer_init(struct mt_peer *self, const struct mt_peer_config *config);

void mt_peer_get(const struct mt_peer *self, struct mt_peer_report *ret_report);

/** Another distance of requests; the next one comes no later than that from now on. */
void mt_peer_set_interval(struct mt_peer *self, int8_t log_request_interval);

/** The mechanism that the port uses at the moment: E2E, P2P, COMMON_P2P or NONE. */
enum mt_delay_mechanism mt_port_delay_mechanism(const struct mt_port *port);

/** To be named among the features' extensions, with mt_delay_any as their delay. */
extern const struct mt_extension mt_peer_extension;

#endif
