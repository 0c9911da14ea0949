/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A certificate authority in a folder of its own, for tests: ca.pem, cert.pem, key.pem.
 */
#ifndef MEANTIME_NTS_CERTIFICATES_H
#define MEANTIME_NTS_CERTIFICATES_H

#include <time.h>

/** Makes a new authority, and a certificate of it for localhost and 127.0.0.1. */
void nts_certificates_make(const char *folder, time_t from, time_t to);

#endif
