/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The keys of cookies in a file, so that clients need no key exchange after a restart.  The file
 * is as secret as the keys: only its owner may read it.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_NTS_STORE_H
#define MEANTIME_NTS_STORE_H

#include "meantime/nts.h"

/** `rotated_s`: when the current key became that, POSIX.  False with errno; EINVAL: the file is
 * not one of ours, EACCES: others may read or write it. */
bool mt_nts_store_load(const char *path, struct mt_nts_ring *ret_ring, int64_t *ret_rotated_s);
/** Replaces it in one step. */
bool mt_nts_store_save(const char *path, const struct mt_nts_ring *ring, int64_t rotated_s);

/** Random octets of the kernel. */
bool mt_nts_random(uint8_t *octets, size_t length);

#endif
