/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Makes a clock page from a reading of the clock and what its discipline says of it.  The page
 * continues the one before, so that a reader of both does not see time run backwards.
 */
#ifndef MEANTIME_RUNTIME_PAGE_H
#define MEANTIME_RUNTIME_PAGE_H

#include "hal/clock.h"
#include "meantime/ptp_wire.h"

struct mt_page_facts {
    const struct mt_clock_reading *reading;
    const struct mt_clock_quality_report *report;
    const struct mt_published *published;
    const struct mt_clock_page *before; /**< as last published; its magic is 0 if there was none */
    enum mt_base_clock base;
    bool is_serving; /**< the clock is the reference of its domain */
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    int32_t leap_s;
    uint32_t steps;
    const struct mt_clock_identity *grandmaster; /**< null: none */
    int64_t valid_ns;
};

void mt_page_make(const struct mt_page_facts *facts, struct mt_clock_page *ret_page);

#endif
