/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What every platform promises with its tables clock, link and wait (hal/), as rules that are tried
 * one after the other: on Linux, on Linux without a C library, in the simulator, on an emulated
 * board.  Freestanding, so that it runs wherever the platform does.
 *
 * At the other end of the link somebody must send back each message as it came (contract_echo.c).
 * The clock is stepped and its rate is changed: it must be one that nobody else uses.
 */
#ifndef MEANTIME_TESTS_CONTRACT_H
#define MEANTIME_TESTS_CONTRACT_H

#include "embed/ordinary.h"

struct contract {
    struct mt_ordinary_tables tables;
    /** By how much a wait may be late: nothing in the simulator, a lot on a busy host. */
    int64_t slack_ns;
    /** By how much readings and stamps may disagree beyond what the clock itself says. */
    int64_t doubt_ns;
    /** Told of each rule once. */
    void (*say)(const char *rule, bool holds);
};

/** How many rules do not hold. */
unsigned contract_check(const struct contract *self);

#endif
