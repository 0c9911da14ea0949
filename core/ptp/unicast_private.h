/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What grantor and requester have in common: services and their messages, whom a Signaling message
 * is for, and frames that go to one address.
 */
#ifndef MEANTIME_UNICAST_PRIVATE_H
#define MEANTIME_UNICAST_PRIVATE_H

#include "meantime/ptp_unicast.h"
#include "ptp/ptp_private.h"

enum mt_ptp_type mt_service_type(enum mt_service service);
/** Flags of CANCEL_UNICAST_TRANSMISSION [16.1.4.3]: of two stations that serve each other the one
 * that says so goes on asking, or goes on serving. */
#define MT_CANCEL_KEEPS_REQUEST 1u
#define MT_CANCEL_KEEPS_GRANT   2u

/** False if the message cannot be granted here. */
bool mt_service_of(enum mt_ptp_type type, enum mt_service *ret_service);

/** A message that the port would look at: it is active, the domain is its own, the sender is not,
 * and it is known whence it comes. */
bool mt_unicast_concerns(const struct mt_instance *self, const struct mt_port *port,
                         const struct mt_incoming *in);
/** The same, and it is a Signaling message to this port by unicast; wildcards count. */
bool mt_unicast_is_addressed(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_incoming *in);
/** The next TLV of unicast negotiation. */
bool mt_unicast_next_word(const uint8_t **tlvs, size_t *length, struct mt_unicast_word *ret_word);

/** A message of the port with the unicast flag and nothing else in it. */
void mt_unicast_begin(const struct mt_instance *self, const struct mt_port *port,
                      enum mt_ptp_type type, struct mt_outgoing *out);
/** Writes what was begun, to leave for `to`; false: it did not fit and was counted. */
bool mt_unicast_leave(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out,
                      const struct mt_address *to, struct mt_tx *ret_tx);
/** The sequenceId of the grantor's next Signaling message. */
uint16_t mt_unicast_next_sequence(const struct mt_port *port, const struct mt_address *to);
/** Writes a Signaling message. */
bool mt_unicast_signal(struct mt_instance *self, struct mt_port *port,
                       const struct mt_unicast_reply *say, uint16_t sequence,
                       struct mt_outgoing *out, struct mt_tx *ret_tx);

/** A Delay_Req of the port that was to go to everybody goes to `to` alone. */
void mt_unicast_redirect(struct mt_outgoing *out, struct mt_tx *tx, const struct mt_address *to);

/** An interval that a grant may have. */
static inline bool mt_service_interval_is_sane(int8_t log_interval)
{
    return log_interval >= -10 && log_interval <= 10;
}

#endif
