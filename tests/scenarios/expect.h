/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * EXPECT lines of a scenario.
 */
#ifndef MEANTIME_TESTS_SCENARIO_EXPECT_H
#define MEANTIME_TESTS_SCENARIO_EXPECT_H

#include "world.h"

enum expectation {
    EXPECT_ONCE,    /**< holds in the run without mischief */
    EXPECT_ALWAYS,  /**< holds whatever happens to one frame */
    EXPECT_LASTING, /**< comes to hold whatever happens, and stays */
};

/** `words`: the line behind EXPECT. */
enum expectation expect_kind(const struct words *words);
/** Null if it holds, else what is instead. */
const char *expect_check(struct world *world, const struct words *words);

#endif
