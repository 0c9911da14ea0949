/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server: a pure function of the request, the time of its arrival and a snapshot of what is
 * served.  Called by worker threads, each with its own memory of departures and its own random
 * numbers, and by the loop.  No answer is longer than its question.
 *
 * The caller sends the answer, finished with a departure as near as it knows it.  Of an answer that
 * says by what, it learns a better one afterwards and tells it to the memory: the next request of
 * the same client gets it (interleaved mode, RFC 9769).  Those are the answers to requests that
 * name an answer before them; so a client is answered interleaved from its third request on, and
 * those of other clients cost nothing.
 * Thread rule: server and served are read only; the others: one thread each.
 */
#ifndef MEANTIME_NTP_SERVER_H
#define MEANTIME_NTP_SERVER_H

#include "meantime/ntp_key.h"
#include "meantime/nts.h"
#include "meantime/prng.h"
#include "meantime/ptp_address.h"

/* ---- what is served -------------------------------------------------------------------------- */

struct mt_ntp_served {
    uint8_t leap;     /**< enum mt_ntp_leap; UNKNOWN: nothing is served but this very fact */
    uint8_t stratum;  /**< 1..15 */
    int8_t precision; /**< log2 s: of reading the clock */
    uint8_t reference_id[4];
    struct mt_instant reference; /**< when the clock was last set right */
    struct mt_interval root_delay;
    struct mt_interval root_dispersion; /**< at `at` ... */
    struct mt_instant at;
    uint32_t growth_ppb; /**< ... and growing from there */
};

/* ---- departures: interleaved mode ------------------------------------------------------------ */

struct mt_ntp_departure {
    mt_ntp_time receive;  /**< as it was answered; 0: free */
    mt_ntp_time transmit; /**< when that answer left; 0: not known */
};

/** What has been answered when: the newest request of a place displaces the one before. */
struct mt_ntp_departures {
    struct mt_ntp_departure *places;
    uint32_t count; /**< a power of two; 0: no interleaved mode */
};
/** Clears the caller's storage. */
void mt_ntp_departures_init(struct mt_ntp_departures *self, struct mt_ntp_departure *places,
                            uint32_t count);
/** The answer with this receive timestamp left at `transmit`. */
void mt_ntp_departures_tell(struct mt_ntp_departures *self, mt_ntp_time receive,
                            const struct mt_instant *transmit);

/* ---- who asks too often ---------------------------------------------------------------------- */

#define MT_NTP_LIMIT_WAYS 4

struct mt_ntp_limited {
    struct mt_address address;
    struct mt_mono due; /**< when its next request is due, if it asks regularly; 0: free */
};

/** A client may ask once in each interval, `burst` of them at once; an IPv6 client is its /64. */
struct mt_ntp_limit {
    struct mt_ntp_limited *places;
    uint32_t count;      /**< a power of two, at least MT_NTP_LIMIT_WAYS; 0: nobody is limited */
    int8_t log_interval; /**< log2 s */
    uint8_t burst;       /**< 1 or more */
    uint32_t secret;     /**< so that nobody can choose whom he displaces */
};
/** Clears the caller's storage. */
void mt_ntp_limit_init(struct mt_ntp_limit *self, struct mt_ntp_limited *places, uint32_t count,
                       int8_t log_interval, uint8_t burst, uint32_t secret);
/** Counts a request; true: it may be answered. */
bool mt_ntp_limit_allows(struct mt_ntp_limit *self, const struct mt_address *from,
                         struct mt_mono now);

/* ---- answers --------------------------------------------------------------------------------- */

/** Who may ask: the first rule that fits decides. */
struct mt_ntp_rule {
    struct mt_address_range range;
    bool is_allowed;
};

struct mt_ntp_server {
    const struct mt_ntp_rule *rules;
    uint16_t rule_count;
    bool denies_others;              /**< those whom no rule fits */
    const struct mt_ntp_keys *keys;  /**< null: none */
    const struct mt_nts_server *nts; /**< null: it is not spoken */
    bool requires_key;      /**< who has neither a key nor speaks NTS is not answered ... */
    bool requires_nts;      /**< ... and who has a key is not either, unless both are named */
    uint8_t log_rate_share; /**< one of 2^this requests too many is told RATE ... */
    bool tells_no_rate;     /**< ... or none is */
};

/** By the rules alone. */
bool mt_ntp_server_may_ask(const struct mt_ntp_server *self, const struct mt_address *from);

enum mt_ntp_outcome {
#define MT_NTP_OUTCOME(symbol, name, meaning) MT_NTP_##symbol,
#include "meantime/ntp_server_outcome.def"
#undef MT_NTP_OUTCOME
    MT_NTP_OUTCOME_COUNT
};

/** A thread's own. */
struct mt_ntp_worker {
    struct mt_ntp_departures departures;
    struct mt_ntp_limit limit;
    struct mt_prng random;
    uint64_t outcomes[MT_NTP_OUTCOME_COUNT];
};

struct mt_ntp_request {
    const uint8_t *octets;
    size_t length;
    const struct mt_instant *arrival; /**< in UTC; null: none */
    const struct mt_address *from;
    struct mt_mono now;
    /** How long transparent clocks say that they held it, which is told who asks; null: it did not
     * come in a PTP message. */
    const struct mt_interval *held;
};

#define MT_NTP_ANSWER_MAX MT_NTS_PACKET_MAX

struct mt_ntp_answer {
    size_t length; /**< 0: nothing is to be sent */
    uint8_t octets[MT_NTP_ANSWER_MAX];
    mt_ntp_time receive; /**< what to tell the departure by; 0: nobody asks for it */
    bool has_transmit;   /**< it is in the answer already */
    const struct mt_ntp_key *key;
    struct mt_nts_reply nts;
};

/** Makes the answer and counts the outcome. */
enum mt_ntp_outcome mt_ntp_answer(const struct mt_ntp_server *self,
                                  const struct mt_ntp_served *served, struct mt_ntp_worker *worker,
                                  const struct mt_ntp_request *request,
                                  struct mt_ntp_answer *ret_answer);
/** The last touch: the time of departure, in UTC, and the code.  To be called right before it is
 * sent. */
void mt_ntp_answer_finish(const struct mt_ntp_server *self, struct mt_ntp_answer *answer,
                          const struct mt_instant *departure);

#endif
