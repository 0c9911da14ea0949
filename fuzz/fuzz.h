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

#endif
