/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What every fuzz target offers: one run over one input.  libFuzzer calls it when it searches,
 * replay_main.c when a corpus is replayed.  A target aborts when something is wrong.
 */
#ifndef MEANTIME_FUZZ_H
#define MEANTIME_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* not assert(): a release build replays too */
static inline void fuzz_require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/** What is left of the octets that decide. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/** 0 when there are none left. */
static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

/** A big-endian number of so many octets. */
static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned octets)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < octets; i++) {
        value = value << 8 | fuzz_u8(input);
    }
    return value;
}

#endif
