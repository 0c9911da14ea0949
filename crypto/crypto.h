/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The core's cryptography (meantime/crypto.h) on hosts: nettle behind it.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_CRYPTO_CRYPTO_H
#define MEANTIME_CRYPTO_CRYPTO_H

#include "meantime/crypto.h"

extern const struct mt_crypto mt_crypto_nettle;

#endif
