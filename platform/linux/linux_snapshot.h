/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the loop tells worker threads, over and over: a value that one thread writes and others copy
 * without a lock.  It is guarded by a sequence number, odd while it is written, and shared word by
 * word: each is read and written whole, and in order with the number, so that a copy which was torn
 * is known by its number and is nowhere undefined.
 * Thread rule: one writer, any readers.
 */
#ifndef MEANTIME_LINUX_SNAPSHOT_H
#define MEANTIME_LINUX_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_SNAPSHOT_WORDS      128
#define MT_SNAPSHOT_SIZE_MAX   (MT_SNAPSHOT_WORDS * sizeof(uint64_t))
#define MT_SNAPSHOT_FITS(type) _Static_assert(sizeof(type) <= MT_SNAPSHOT_SIZE_MAX, "it must fit")

/** All zero: nothing has been written. */
struct mt_snapshot {
    _Atomic uint32_t sequence;
    _Atomic uint64_t words[MT_SNAPSHOT_WORDS];
};

void mt_snapshot_write(struct mt_snapshot *self, const void *value, size_t size);
/** False: nothing has been written yet, and the value is all zero. */
bool mt_snapshot_read(struct mt_snapshot *self, void *ret_value, size_t size);

#endif
