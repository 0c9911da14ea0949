/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * AES-SIV, which has a file of its own.  For crypto_nettle.c.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_CRYPTO_PRIVATE_H
#define MEANTIME_CRYPTO_PRIVATE_H

#include "meantime/crypto.h"

/** As in struct mt_crypto. */
bool mt_siv_seal(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *plain,
                 uint8_t *ret_sealed);
bool mt_siv_open(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *sealed,
                 uint8_t *ret_plain);

#endif
