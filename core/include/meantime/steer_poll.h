/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How often to ask a source that is asked: by how the error would grow until the next answer.
 * Called by whoever asks, after each answer.
 * Thread rule: pure function; any thread.
 */
#ifndef MEANTIME_STEER_POLL_H
#define MEANTIME_STEER_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/real.h"

struct mt_poll_facts {
    mt_real offset_sigma;    /**< s: of the estimate, right after an answer */
    mt_real frequency_sigma; /**< s/s */
    mt_real wander;          /**< of the clock: random walk of its frequency, (s/s)^2 per second */
    bool is_settled;         /**< false: something has changed that is not understood yet */
};

/** What the estimate will have lost when `interval` s have passed, sigma in s: beside what it is
 * wrong by already. */
mt_real mt_poll_growth(const struct mt_poll_facts *facts, mt_real interval);

/** The next interval, log2 s: at most one longer or shorter than the `present` one, unless nothing
 * is settled; from `least` to `most`. */
int8_t mt_poll_choose(const struct mt_poll_facts *facts, int8_t present, int8_t least, int8_t most);

#endif
