/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The currency between protocols and clocks: timestamps with the history of the clock that made
 * them, and samples, each one a comparison of a local clock with a source.
 * Protocols and platforms make them; core/servo and core/steer consume them.
 * Append-only ABI: members are added at the end, none changes its meaning.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_SAMPLE_H
#define MEANTIME_SAMPLE_H

#include "meantime/time.h"

/** A timestamp taken by a clock that may be corrected: `corrections` counts the corrections that
 * the clock had received when the stamp was taken, so that it can be translated later. */
struct mt_stamp {
    struct mt_instant at;
    uint32_t corrections;
};

/** What a sample's value measures. */
enum mt_sample_kind {
    MT_SAMPLE_FORWARD, /**< arrival here - departure at the source = delay + offset (t2 - t1) */
    MT_SAMPLE_REVERSE, /**< arrival at the source - departure here = delay - offset (t4 - t3) */
    MT_SAMPLE_OFFSET,  /**< local - source, delay already removed (PPS, clock reading, NTP) */
};
#define MT_SAMPLE_KIND_COUNT 3

/** One measurement.  Corrections and configured asymmetries are already inside `value`. */
struct mt_sample {
    enum mt_sample_kind kind;
    struct mt_stamp local;    /**< the local clock's reading at the measured event */
    struct mt_span value;     /**< see mt_sample_kind; offset > 0: the local clock is ahead */
    struct mt_interval delay; /**< round trip, for MT_SAMPLE_OFFSET only; 0 if not known */
    int64_t variance_q16;     /**< noise variance in ns^2 * 2^16; 0: to be learned */
    /** The source's own error against its grandmaster or reference; too large: not known. */
    struct mt_interval bound;
    enum mt_timescale scale; /**< of the source */
    bool authenticated;
    uint16_t source; /**< index of the source among those of the clock */
    /** The grandmaster's own error against TAI or UTC; too large: not known, not traceable. */
    struct mt_interval reference_bound;
    /** When the source said `bound`, which ages since then; 0: it does not age. */
    struct mt_mono bound_since;
    uint8_t hops; /**< clocks between the source and its grandmaster; 0: it is the grandmaster */
    /** Beside the regular ones, at times of its own: for those who weigh samples, not for a servo
     * that counts on even intervals. */
    bool is_extra;
};

#endif
