/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "platform/linux/linux_snapshot.h"

#include <string.h>

static size_t words_of(size_t size)
{
    return (size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

void mt_snapshot_write(struct mt_snapshot *self, const void *value, size_t size)
{
    uint32_t sequence = atomic_load_explicit(&self->sequence, memory_order_relaxed);
    uint64_t words[MT_SNAPSHOT_WORDS] = {0};
    memcpy(words, value, size);
    atomic_store_explicit(&self->sequence, sequence + 1, memory_order_relaxed);
    for (size_t i = 0; i < words_of(size); i++) {
        atomic_store_explicit(&self->words[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&self->sequence, sequence + 2, memory_order_release);
}

bool mt_snapshot_read(struct mt_snapshot *self, void *ret_value, size_t size)
{
    uint64_t words[MT_SNAPSHOT_WORDS];
    uint32_t before;
    uint32_t after;
    do {
        before = atomic_load_explicit(&self->sequence, memory_order_acquire);
        for (size_t i = 0; i < words_of(size); i++) {
            words[i] = atomic_load_explicit(&self->words[i], memory_order_acquire);
        }
        after = atomic_load_explicit(&self->sequence, memory_order_relaxed);
    } while (before != after || before % 2 != 0);
    memcpy(ret_value, words, size);
    return before != 0;
}
