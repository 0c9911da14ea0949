/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of stateless PTP share: stateless.c (the server's two functions and the extension
 * that answers with them), sptp.c and csptp.c (the messages of each form, both ways),
 * stateless_client.c.
 */
#ifndef MEANTIME_STATELESS_PRIVATE_H
#define MEANTIME_STATELESS_PRIVATE_H

#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"
#include "ptp/ptp_private.h"

#define MT_SPTP_FLAGS (MT_PTP_UNICAST | MT_PTP_PROFILE_SPECIFIC_1)

/* ---- server ---------------------------------------------------------------------------------- */

/** A request and what is known of its way. */
struct mt_stateless_request {
    const struct mt_ptp_message *message;
    struct mt_ptp_timestamp t4;
    struct mt_interval reverse; /**< CF2, less the fraction of t4 */
};

bool mt_sptp_is_request(const struct mt_ptp_message *message);
bool mt_csptp_is_request(const struct mt_ptp_message *message);
/** Write the first frame; 0: the request is too short for its answer. */
size_t mt_sptp_answer(const struct mt_stateless_server *self, const struct mt_served *served,
                      const struct mt_stateless_request *request, uint8_t *frame);
size_t mt_csptp_answer(const struct mt_stateless_server *self, const struct mt_served *served,
                       const struct mt_stateless_request *request, uint8_t *frame);
uint16_t mt_sptp_path(const struct mt_ptp_message *request);
/** Fill what the second frame says beyond what all frames do. */
void mt_sptp_finish(const struct mt_served *served, const struct mt_stateless_rest *rest,
                    const struct mt_ptp_timestamp *t1, struct mt_ptp_message *message);
void mt_csptp_finish(const struct mt_ptp_timestamp *t1, const struct mt_interval *fraction,
                     struct mt_ptp_message *message);

/* ---- client ---------------------------------------------------------------------------------- */

/** Writes the request; its length. */
size_t mt_sptp_ask(const struct mt_stateless_client *self, struct mt_ptp_message *message,
                   uint8_t *buffer, size_t capacity);
size_t mt_csptp_ask(const struct mt_stateless_client *self, struct mt_ptp_message *message,
                    uint8_t *buffer, size_t capacity);
/** Take what a frame says for the exchange that is under way; false: it is no answer.  `arrival`
 * is null if there is no timestamp. */
bool mt_sptp_hear(struct mt_stateless_peer *peer, const struct mt_ptp_message *message,
                  const struct mt_stamp *arrival);
bool mt_csptp_hear(const struct mt_stateless_client *self, struct mt_stateless_peer *peer,
                   const struct mt_ptp_message *message, const struct mt_stamp *arrival);

/* as the functions of an extension (stateless_client.c) */
bool mt_stateless_client_rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
                            enum mt_verdict *ret_verdict);
bool mt_stateless_client_tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                                 const struct mt_stamp *stamp);
struct mt_mono mt_stateless_client_settle(struct mt_instance *self);
bool mt_stateless_client_next_tx(struct mt_instance *self, struct mt_outgoing *out,
                                 struct mt_tx *ret_tx);

#endif
