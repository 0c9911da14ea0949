/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What both sides of NTS key exchange want of GnuTLS: TLS 1.3, the protocol's name, and the keys.
 * Thread rule: the process that exchanges keys.
 */
#ifndef MEANTIME_NTS_TLS_H
#define MEANTIME_NTS_TLS_H

#include <gnutls/gnutls.h>

#include "meantime/nts_record.h"

/** The algorithms that are spoken, the best one first. */
extern const enum mt_aead mt_nts_aeads[];
extern const size_t mt_nts_aead_count;

/** Null: out of memory, or this GnuTLS has no TLS 1.3. */
gnutls_session_t mt_nts_tls_new(unsigned flags, gnutls_certificate_credentials_t credentials,
                                int fd);
/** Whether the handshake has agreed on key exchange for NTS. */
bool mt_nts_tls_is_ours(gnutls_session_t session);
bool mt_nts_tls_export(gnutls_session_t session, enum mt_aead aead, struct mt_nts_keys *ret_keys);

#endif
