/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node's NTP servers: each is a client object over a link of its own, and a source of the clock
 * that may follow it.
 */
#ifndef MEANTIME_RUNTIME_NTP_DUTY_H
#define MEANTIME_RUNTIME_NTP_DUTY_H

#include "hal/wait.h"
#include "meantime/ntp_client.h"
#include "meantime/servo.h"

#define MT_NTP_OWN_IDS 16 /**< addresses of this machine, towards one server */

struct mt_node;

/** What carries questions and answers. */
enum mt_ntp_carrier { MT_NTP_IN_UDP, MT_NTP_IN_PTP, MT_NTP_IN_PTP_EARLY };

/** A server, or a member of a pool. */
struct mt_node_ntp {
    bool is_free; /**< it was taken away: a place for another one, with a link that is closed */
    struct mt_ntp_client_config config;
    struct mt_ntp_client client;
    struct mt_address server; /**< with its port; network NONE: not known, and nobody is asked */
    uint16_t clock;           /**< index of the clock that may follow it */
    uint16_t source;          /**< index among the sources of that clock */
    uint16_t link;            /**< index of the link, which in PTP others use, too */
    enum mt_ntp_carrier carrier;
    uint16_t sequence_id;  /**< of the next question in PTP */
    bool has_asked;        /**< of `asked`, the departure is not known yet */
    struct mt_stamp asked; /**< the clock right before the last question was sent */
    uint8_t unsent;        /**< questions in a row that could not be sent */
    bool has_verdict;
    enum mt_sample_verdict verdict; /**< of its last sample */
    /** What it has for a reference id if it follows us. */
    uint8_t own_ids[MT_NTP_OWN_IDS][4];
    uint8_t own_count;
};

/** It is better not asked any more, if there is another one: nothing leaves to it, it does not
 * answer, or it refuses. */
bool mt_ntp_duty_is_lost(const struct mt_node_ntp *self);

/** Keys have been exchanged with a server that speaks NTS, which says where it is to be asked: so
 * it is, at once. */
void mt_ntp_duty_set_keys(struct mt_node *node, uint16_t index, const struct mt_nts_keys *keys,
                          const struct mt_nts_cookie *cookies, unsigned count,
                          const struct mt_address *server, struct mt_mono now);

/** It is asked no more, and what was known of it is nothing; once no clock follows it any more. */
void mt_ntp_duty_forget(struct mt_node *node, uint16_t index);

/* ---- for runtime/node.c ---------------------------------------------------------------------- */

/** As mt_node_set_ntp_address(). */
void mt_ntp_duty_set_address(struct mt_node *node, uint16_t index, const struct mt_address *server,
                             struct mt_mono now);
/** The server behind a link of its own; null: it is none of theirs. */
struct mt_node_ntp *mt_ntp_duty_of_link(const struct mt_node *node, uint16_t link);
/** Takes an NTP packet or the fate of one, of a server.  `held`: as mt_ntp_client_rx_held(). */
void mt_ntp_duty_take(struct mt_node *node, struct mt_node_ntp *ntp, const struct mt_input *input,
                      struct mt_interval held);
void mt_ntp_duty_tick(struct mt_node *node, struct mt_mono now);
/** Sends, measures and tells what there is. */
bool mt_ntp_duty_drain(struct mt_node *node, struct mt_mono now);
struct mt_mono mt_ntp_duty_deadline(const struct mt_node *node);

/** The server that a clock follows; null: none. */
const struct mt_node_ntp *mt_ntp_duty_followed(const struct mt_node *node, uint16_t clock);

#endif
