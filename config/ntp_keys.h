/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files of NTP's symmetric keys, one a line, in the form of chrony.keys:
 *
 *     1  AES128 HEX:000102030405060708090a0b0c0d0e0f
 *     20 SHA256 ASCII:some text        ASCII: may be left out; B64: is understood besides
 *
 * The id is from 1 to 4294967295, the kind AES128, AES256, SHA1, SHA256, SHA512 or MD5, and the key
 * has 1 to 64 octets.  Lines that begin with #, !, ; or % are comments.
 * Called by compose/ at start and on reload, and by `meantime check`.  Every problem is collected.
 * Thread rule: as config.h.
 */
#ifndef MEANTIME_CONFIG_NTP_KEYS_H
#define MEANTIME_CONFIG_NTP_KEYS_H

#include "config/config.h"
#include "meantime/ntp_key.h"

/** Reads a file's text; `path` is the name used in problems, the keys live in `pool`, and crypto is
 * the caller's to set.  False if there were problems. */
bool mt_config_ntp_keys_parse(const char *text, size_t length, const char *path,
                              struct mt_config_pool *pool, struct mt_config_problems *problems,
                              struct mt_ntp_keys *ret_keys);
/** The same from a file.  One that others than its owner and group may read is refused. */
bool mt_config_ntp_keys_load(const char *path, struct mt_config_pool *pool,
                             struct mt_config_problems *problems, struct mt_ntp_keys *ret_keys);

#endif
