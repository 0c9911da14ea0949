/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of the peer-to-peer delay mechanism share: peer.c (the extension), peer_ask.c
 * (requester), peer_answer.c (responder), peer_measure.c (what exchanges amount to), delay_any.c
 * (which mechanism a port uses).
 */
#ifndef MEANTIME_PEER_PRIVATE_H
#define MEANTIME_PEER_PRIVATE_H

#include "meantime/ptp_peer.h"
#include "ptp/ptp_private.h"

/* ---- measurements (peer_measure.c): integers only -------------------------------------------- */

/** What an exchange is to the mean of those before it. */
enum mt_link_fit { MT_LINK_USED, MT_LINK_REFUSED, MT_LINK_VOID };

/** is_across: the local clock was corrected in the exchange, perhaps stepped: then it is VOID
 * rather than the sign of another path. */
enum mt_link_fit mt_link_delay_take(struct mt_link_delay *self, int64_t delay_q16, bool is_across);
/** Standard deviations of one exchange and of the mean. */
int64_t mt_link_delay_spread_q16(const struct mt_link_delay *self);
int64_t mt_link_delay_sigma_q16(const struct mt_link_delay *self);

/** The neighbour's clock read `theirs` when the local one read `ours`, with so much noise. */
void mt_link_rate_take(struct mt_link_rate *self, const struct mt_instant *ours,
                       const struct mt_instant *theirs, int64_t noise_q16);
bool mt_link_rate_is_valid(const struct mt_link_rate *self);
/** An interval of the local clock in the neighbour's time; up to 100 s. */
int64_t mt_link_rate_apply_q16(const struct mt_link_rate *self, int64_t local_q16);

/** Some clock seemed to be `ahead` of the local one when that read `ours`, as stamps tell that came
 * over the link: by how much is it ahead of the neighbour's clock, and how wrong may that be?
 * False: the rate does not reach there. */
bool mt_link_rate_compare(const struct mt_link_rate *self, const struct mt_instant *ours,
                          const struct mt_span *ahead, int64_t *ret_apart_q16,
                          int64_t *ret_tolerance_q16);

/* ---- one link -------------------------------------------------------------------------------- */

void mt_peer_count(struct mt_peer *self, enum mt_peer_counter counter);
/** The link went down or came up: nothing that was measured means anything. */
void mt_peer_forget(struct mt_peer *self);
/** Brings asCapable in line with what is known. */
void mt_peer_judge(struct mt_peer *self);

/* requester (peer_ask.c) */
void mt_peer_begin_request(struct mt_peer *self);
void mt_peer_fill_request(struct mt_peer *self, const struct mt_port *port,
                          struct mt_outgoing *out);
enum mt_verdict mt_peer_response(struct mt_peer *self, const struct mt_port *port,
                                 const struct mt_incoming *in);
enum mt_verdict mt_peer_follow_up(struct mt_peer *self, const struct mt_port *port,
                                  const struct mt_incoming *in);
bool mt_peer_request_sent(struct mt_peer *self, const struct mt_port *port, uint32_t token,
                          const struct mt_stamp *stamp);

/* responder (peer_answer.c) */
enum mt_verdict mt_peer_request(struct mt_peer *self, const struct mt_port *port,
                                const struct mt_incoming *in);
/** The oldest answer in `state`, or null. */
struct mt_peer_answer *mt_peer_find_answer(struct mt_peer *self, enum mt_peer_answer_state state);
void mt_peer_fill_response(struct mt_peer *self, const struct mt_port *port,
                           struct mt_peer_answer *answer, struct mt_outgoing *out,
                           struct mt_tx *tx);
void mt_peer_fill_follow_up(struct mt_peer *self, struct mt_peer_answer *answer,
                            struct mt_outgoing *out);
bool mt_peer_response_sent(struct mt_peer *self, uint32_t token, const struct mt_stamp *stamp);

/* ---- which mechanism (delay_any.c) ----------------------------------------------------------- */

/** 802.1AS has signs of its own, in the messages that are marked as its. */
static inline bool mt_peer_has_gptp_signs(const struct mt_peer *peer)
{
    return peer->config.sdo_id >> 8 == 1;
}

static inline struct mt_peer *mt_peer_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->peer : NULL;
}

/** The peer that this port drives, or null. */
static inline struct mt_peer *mt_peer_driven_by(const struct mt_port *port)
{
    const struct mt_port_more *more = port->config.more;
    bool is_wanted =
        more != NULL && !more->shares_peer &&
        (more->delay_mechanism == MT_DELAY_P2P || more->delay_mechanism == MT_DELAY_COMMON_P2P ||
         more->delay_mechanism == MT_DELAY_AUTO);
    return is_wanted ? more->peer : NULL;
}

/** The neighbour has answered: a port with MT_DELAY_AUTO changes to P2P. */
void mt_delay_heard_peer(struct mt_instance *self, struct mt_port *port);
/** The port's forward measurement, not yet drained, becomes one of the offset, or is void. */
void mt_delay_convert_sample(struct mt_instance *self, struct mt_port *port);

#endif
