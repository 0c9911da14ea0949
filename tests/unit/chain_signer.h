/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: signs messages that no instance sends with a chain of keys.
 */
#ifndef MEANTIME_TESTS_CHAIN_SIGNER_H
#define MEANTIME_TESTS_CHAIN_SIGNER_H

#include "meantime/ptp_security.h"
#include "meantime/ptp_wire.h"

/** Appends the TLV to a message of `length` octets; its length then, which is as before if there is
 * nothing to sign it with or no room. */
size_t chain_sign(struct mt_security *self, const struct mt_port_security *policy,
                  enum mt_ptp_type type, struct mt_mono now, uint8_t *octets, size_t length,
                  size_t capacity);

#endif
