/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One server as a client sees it: when to ask, what to believe, and what an answer measures.  Of
 * the same shape as the PTP instance: nothing waits, nothing is sent, everything that it knows of
 * time is handed in.  Whoever owns it (the runtime's node, a simulation, firmware) calls
 *
 *     mt_ntp_client_tick()         when mt_ntp_client_deadline() has come
 *     mt_ntp_client_next_tx()      until it has nothing to send
 *     mt_ntp_client_tx_done()      with the time of departure of what was sent
 *     mt_ntp_client_rx()           with what came back, and when
 *     mt_ntp_client_next_event()   until there is none
 *
 * Each exchange gives two one-way measurements, as each PTP exchange does, so that the estimator
 * learns both directions.  In interleaved mode (RFC 9769) the departures are those that the server
 * measured; it is found out from the answers whether the server speaks it.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_NTP_CLIENT_H
#define MEANTIME_NTP_CLIENT_H

#include "meantime/ntp_key.h"
#include "meantime/nts.h"
#include "meantime/sample.h"

#define MT_NTP_RANDOM_SIZE (16 + MT_NTS_CLIENT_RANDOM) /**< octets that a question takes */
#define MT_NTP_POLL_LEAST  (-7)
#define MT_NTP_POLL_MOST   17

struct mt_ntp_client_config {
    uint8_t version; /**< 3 or 4 */
    int8_t min_poll; /**< log2 s */
    int8_t max_poll;
    uint8_t
        burst; /**< questions at the start, a second apart, before the intervals double; 0: none */
    bool is_interleaved;             /**< asks for it */
    bool asks_for_correction;        /**< version 4: how long its questions were held on the way */
    struct mt_interval max_distance; /**< of the server's own error; larger is not believed */
    const struct mt_ntp_keys *keys;
    uint32_t key;              /**< of its questions and answers; 0: none */
    struct mt_nts_client *nts; /**< version 4, no key; null: none */
};
/** Version 4, 2^6 to 2^10 s, a burst of 4, not interleaved, 3 s, no key. */
void mt_ntp_client_config_init(struct mt_ntp_client_config *self);

enum mt_ntp_verdict {
#define MT_NTP_VERDICT(symbol, name, meaning) MT_NTP_VERDICT_##symbol,
#include "meantime/ntp_client_verdict.def"
#undef MT_NTP_VERDICT
    MT_NTP_VERDICT_COUNT
};

enum mt_ntp_event_kind {
    MT_NTP_EVENT_SAMPLE,
    MT_NTP_EVENT_REACHABLE,   /**< the first answer, or the first after a silence */
    MT_NTP_EVENT_UNREACHABLE, /**< none of eight questions in a row has brought its time; told once,
                                 also of one that has never answered */
    MT_NTP_EVENT_REFUSED,     /**< the server wants no more questions (DENY, RSTR) */
};

struct mt_ntp_event {
    enum mt_ntp_event_kind kind;
    struct mt_sample sample; /**< `source` is the caller's to fill in; its scale is UTC */
};

/** An exchange as far as it is known. */
struct mt_ntp_exchange {
    uint64_t asked;     /**< our random transmit timestamp */
    uint64_t presented; /**< our random receive timestamp; 0: it is not interleaved */
    uint32_t token;     /**< of the question */
    bool has_departure;
    struct mt_stamp departure;
    bool has_arrival;
    struct mt_stamp arrival; /**< of the answer */
    mt_ntp_time received;    /**< by the server */
    mt_ntp_time left;        /**< the answer, whose way back is not measured yet; or 0 */
    bool is_measured_back;
    /** What transparent clocks say of how long they held it, 0 or more. */
    struct mt_interval held_there;
    struct mt_interval held_back;
};

struct mt_ntp_client {
    struct mt_ntp_client_config config;
    int8_t poll;
    uint8_t reach;  /**< of the last eight questions, the newest in bit 0 */
    uint8_t begun;  /**< questions since it began; UINT8_MAX: long ago */
    bool is_asking; /**< an answer is awaited */
    bool wants_to_ask;
    bool is_refused;
    bool was_reachable;
    bool is_absent; /**< it has been told that it does not answer, and has not since */
    uint8_t missed; /**< answers in a row */
    uint8_t event_count;
    uint32_t last_token;
    struct mt_mono now;
    struct mt_mono next; /**< question, or the end of waiting */
    struct mt_ntp_exchange current;
    struct mt_ntp_exchange before; /**< the last one that was answered */
    struct mt_ntp_header server;   /**< the last answer that was believed */
    uint8_t kiss[4];               /**< the last kiss of death; zeros: none */
    uint64_t verdicts[MT_NTP_VERDICT_COUNT];
    uint64_t asked;
    struct mt_ntp_event events[4];
};

/** A question, which leaves from a new port [RFC 9109]: answers to those before are not heard any
 * more. */
struct mt_ntp_tx {
    size_t length;
    uint32_t token; /**< for mt_ntp_client_tx_done() */
};

/** The first question is due at `now`. */
void mt_ntp_client_init(struct mt_ntp_client *self, const struct mt_ntp_client_config *config,
                        struct mt_mono now);
struct mt_mono mt_ntp_client_deadline(const struct mt_ntp_client *self);
void mt_ntp_client_tick(struct mt_ntp_client *self, struct mt_mono now);
/** `random`: octets that nobody can guess, new for each call. */
bool mt_ntp_client_next_tx(struct mt_ntp_client *self, const uint8_t random[MT_NTP_RANDOM_SIZE],
                           uint8_t *buffer, size_t capacity, struct mt_ntp_tx *ret_tx);
/** The last question did not leave this machine, which costs nobody anything: the next one is due
 * soon. */
void mt_ntp_client_unsent(struct mt_ntp_client *self);
/** stamp null: it will not become known. */
void mt_ntp_client_tx_done(struct mt_ntp_client *self, uint32_t token,
                           const struct mt_stamp *stamp);
/** `arrival` null: there is none. */
enum mt_ntp_verdict mt_ntp_client_rx(struct mt_ntp_client *self, const uint8_t *octets,
                                     size_t length, const struct mt_stamp *arrival,
                                     struct mt_mono now);
/** The same, of an answer of which transparent clocks say that they held it for so long. */
enum mt_ntp_verdict mt_ntp_client_rx_held(struct mt_ntp_client *self, const uint8_t *octets,
                                          size_t length, const struct mt_stamp *arrival,
                                          struct mt_interval held, struct mt_mono now);
bool mt_ntp_client_next_event(struct mt_ntp_client *self, struct mt_ntp_event *ret_event);
/** What it needs to ask has come (keys, an address): as at the start, the first question is due at
 * `now`. */
void mt_ntp_client_restart(struct mt_ntp_client *self, struct mt_mono now);
/** From now on a question each 2^log2s s, within the configured limits. */
void mt_ntp_client_set_poll(struct mt_ntp_client *self, int8_t log2s);
/** From one question to the next, at present. */
int64_t mt_ntp_client_interval_ns(const struct mt_ntp_client *self);
/** Not all questions of the burst have been asked. */
bool mt_ntp_client_is_in_burst(const struct mt_ntp_client *self);

#endif
