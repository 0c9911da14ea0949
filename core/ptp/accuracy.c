/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong the clocks behind an Announce are, in two parts that add up: the sender against its
 * grandmaster, from ENHANCED_ACCURACY_METRICS [1588-2019 16.12], and the grandmaster against TAI or
 * UTC, from clockAccuracy.  What was not said is too large, never nothing.  A boundary clock says
 * its own part, so that the bound grows honestly along a chain.
 */
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

/* clockAccuracy [Table 5]: 0x17 is 1 ps, then 2.5, 10, 25, 100, 250 ps and so on. */
static struct mt_interval accuracy_bound(uint8_t accuracy)
{
    static const uint8_t first = 0x17;
    static const uint8_t last = 0x30; /* 10 s */
    static const uint8_t seconds = 0x2F;
    if (accuracy < first || accuracy > last) {
        return MT_INTERVAL_TOO_LARGE;
    }
    if (accuracy >= seconds) {
        return mt_interval_from_ns(accuracy == last ? 10 * (int64_t)MT_NS_PER_S : MT_NS_PER_S);
    }
    int64_t picoseconds_q16 = INT64_C(1) << 16;
    for (uint8_t step = first; step < accuracy; step++) {
        /* 1 -> 2.5 -> 10 */
        picoseconds_q16 = (step - first) % 2 == 0 ? picoseconds_q16 / 2 * 5 : picoseconds_q16 * 4;
    }
    return (struct mt_interval){picoseconds_q16 / 1000 + 1};
}

/* A boundary clock that does not know the TLV passes it on as it is, without its own part: then
 * fewer clocks have counted themselves than have counted the steps. */
static struct mt_interval metrics_bound(const struct mt_tlv_accuracy_metrics *metrics,
                                        uint16_t steps_removed)
{
    const struct mt_interval parts[] = {metrics->max_transient, metrics->max_dynamic,
                                        metrics->max_static_instance, metrics->max_static_medium};
    struct mt_interval sum = {0};
    if (metrics->boundary_hops < steps_removed) {
        return MT_INTERVAL_TOO_LARGE;
    }
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].q16 < 0) {
            return MT_INTERVAL_TOO_LARGE;
        }
        sum = mt_interval_plus(sum, parts[i]);
    }
    return sum;
}

static void read(const struct mt_ptp_message *announce, struct mt_foreign *foreign)
{
    struct mt_tlv tlv;
    struct mt_tlv_accuracy_metrics metrics;
    uint16_t flags = announce->header.flags;
    /* who is not sure of its time cannot vouch for the grandmaster's */
    if ((flags & MT_PTP_TIME_TRACEABLE) != 0 && (flags & MT_PTP_UNCERTAIN) == 0) {
        foreign->reference_bound = accuracy_bound(announce->body.announce.quality.accuracy);
    }
    if (mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_ENHANCED_ACCURACY_METRICS,
                    &tlv) &&
        mt_tlv_parse_accuracy_metrics(&tlv, &metrics)) {
        foreign->bound = metrics_bound(&metrics, announce->body.announce.steps_removed);
    }
}

static size_t write(const struct mt_instance *self, uint8_t *buffer, size_t capacity)
{
    const struct mt_clock_condition *clock = &self->clock;
    struct mt_tlv_accuracy_metrics metrics = {
        .boundary_hops =
            (uint8_t)(self->parent.steps_removed < 255 ? self->parent.steps_removed : 255),
        .max_gm = self->reference_bound,
        .max_dynamic = MT_INTERVAL_TOO_LARGE,
        .max_static_medium = {0},
    };
    if (!self->config.announces_accuracy || self->receiving_port == 0) {
        return 0;
    }
    if (clock->has_bound) {
        metrics.max_dynamic = mt_interval_minus(clock->bound, clock->bound_static);
        metrics.max_static_medium = clock->bound_static;
    }
    return mt_tlv_write_accuracy_metrics(&metrics, buffer, capacity);
}

const struct mt_accuracy_part mt_accuracy = {read, write};
