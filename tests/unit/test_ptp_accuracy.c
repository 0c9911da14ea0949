/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong an Announce says that the clocks behind it are: read from a parent, handed on in
 * samples, told by a boundary clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static int start_with(uint16_t ports)
{
    bench_init(&bench, ports);
    bench_start(&bench);
    peer_init(&peer, 1);
    return 0;
}

static int one_port(void **state)
{
    return start_with(1);
}

static int boundary_clock(void **state)
{
    start_with(2);
    bench_relay(&bench, &peer);
    return 0;
}

static const struct mt_ptp_message *next_announce(uint16_t port)
{
    return bench_relayed_announce(&bench, &peer, port);
}

static void read_bounds(const struct mt_ptp_message *announce, struct mt_interval *ret_bound,
                        struct mt_interval *ret_reference)
{
    /* what a record says before the feature reads the Announce */
    struct mt_foreign foreign = {.bound = MT_INTERVAL_TOO_LARGE,
                                 .reference_bound = MT_INTERVAL_TOO_LARGE};
    if (announce->body.announce.steps_removed == 0) {
        foreign.bound.q16 = 0;
    }
    mt_accuracy.read(announce, &foreign);
    *ret_bound = foreign.bound;
    *ret_reference = foreign.reference_bound;
}

static void bounds_of(uint16_t flags, uint8_t accuracy, uint16_t steps_removed, const uint8_t *tlvs,
                      size_t tlvs_length, struct mt_interval *ret_bound,
                      struct mt_interval *ret_reference)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE, .flags = flags},
        .body.announce = {.quality = {.accuracy = accuracy}, .steps_removed = steps_removed},
        .tlvs = tlvs,
        .tlvs_length = tlvs_length,
    };
    read_bounds(&message, ret_bound, ret_reference);
}

/* Table 5, in picoseconds; the bound may be rounded up by one unit of 2^-16 ns. */
static void ptp_accuracy_reads_clock_accuracy_when_time_is_traceable(void **state)
{
    static const int64_t table_ps[] = {
        1,
        2500 / 1000,
        10,
        25,
        100,
        250,
        1000,
        2500,
        10000,
        25000,
        100000,
        250000,
        1000000,
        2500000,
        10000000,
        25000000,
        100000000,
        250000000,
        1000000000,
        2500000000,
        10000000000,
        25000000000,
        100000000000,
        250000000000,
        1000000000000,
        10000000000000,
    };
    for (unsigned accuracy = 0; accuracy < 256; accuracy++) {
        struct mt_interval bound;
        struct mt_interval reference;
        bounds_of(MT_PTP_TIME_TRACEABLE, (uint8_t)accuracy, 0, NULL, 0, &bound, &reference);
        if (accuracy < 0x17 || accuracy > 0x30) {
            assert_true(mt_interval_is_too_large(reference));
            continue;
        }
        /* 2.5 ps is the only one that is no whole number of them */
        int64_t least_q16 = table_ps[accuracy - 0x17] * 65536 / 1000;
        least_q16 = accuracy == 0x18 ? 163 : least_q16;
        assert_in_range(reference.q16, least_q16, least_q16 + 1 + least_q16 / 10000);
        assert_true(reference.q16 * 1000 >= table_ps[accuracy - 0x17] * 65536);
    }
}

static void ptp_accuracy_knows_no_reference_bound_when_time_is_not_traceable(void **state)
{
    struct mt_interval bound;
    struct mt_interval reference;
    bounds_of(MT_PTP_FREQUENCY_TRACEABLE | MT_PTP_TIMESCALE, 0x20, 0, NULL, 0, &bound, &reference);
    assert_true(mt_interval_is_too_large(reference));
    assert_int_equal(bound.q16, 0);
}

static void ptp_accuracy_knows_no_bound_when_a_boundary_clock_says_nothing(void **state)
{
    struct mt_interval bound;
    struct mt_interval reference;
    bounds_of(MT_PTP_TIME_TRACEABLE, 0x20, 1, NULL, 0, &bound, &reference);
    assert_true(mt_interval_is_too_large(bound));
    assert_int_equal(mt_interval_to_ns(reference), 25);
}

static struct mt_tlv_accuracy_metrics some_metrics(uint8_t hops)
{
    return (struct mt_tlv_accuracy_metrics){
        .boundary_hops = hops,
        .max_gm = {1},
        .max_transient = {10},
        .max_dynamic = {200},
        .max_static_instance = {3000},
        .max_static_medium = {40000},
    };
}

static struct mt_interval bound_of_metrics(const struct mt_tlv_accuracy_metrics *metrics,
                                           uint16_t steps_removed)
{
    uint8_t tlvs[MT_TLV_ACCURACY_METRICS_SIZE];
    struct mt_interval bound;
    struct mt_interval reference;
    size_t length = mt_tlv_write_accuracy_metrics(metrics, tlvs, sizeof tlvs);
    assert_int_equal(length, sizeof tlvs);
    bounds_of(0, 0xFE, steps_removed, tlvs, length, &bound, &reference);
    return bound;
}

static void ptp_accuracy_adds_the_metrics_up_when_they_are_given(void **state)
{
    const struct mt_tlv_accuracy_metrics metrics = some_metrics(3);
    assert_int_equal(bound_of_metrics(&metrics, 3).q16, 43210);
}

static void ptp_accuracy_knows_no_bound_when_a_metric_is_unknown_or_negative(void **state)
{
    for (unsigned part = 0; part < 4; part++) {
        for (unsigned is_negative = 0; is_negative < 2; is_negative++) {
            struct mt_tlv_accuracy_metrics metrics = some_metrics(1);
            struct mt_interval *const parts[] = {&metrics.max_transient, &metrics.max_dynamic,
                                                 &metrics.max_static_instance,
                                                 &metrics.max_static_medium};
            parts[part]->q16 = is_negative ? -1 : INT64_MAX;
            assert_true(mt_interval_is_too_large(bound_of_metrics(&metrics, 1)));
        }
    }
}

static void ptp_accuracy_knows_no_bound_when_the_metrics_overflow(void **state)
{
    struct mt_tlv_accuracy_metrics metrics = some_metrics(1);
    metrics.max_dynamic.q16 = INT64_MAX - 1;
    assert_true(mt_interval_is_too_large(bound_of_metrics(&metrics, 1)));
}

/* The TLV is one of those that a clock passes on which does not know it. */
static void ptp_accuracy_knows_no_bound_when_a_clock_did_not_count_itself(void **state)
{
    const struct mt_tlv_accuracy_metrics metrics = some_metrics(1);
    assert_true(mt_interval_is_too_large(bound_of_metrics(&metrics, 2)));
}

static void ptp_accuracy_hands_bounds_on_when_a_sample_is_made(void **state)
{
    uint8_t tlvs[MT_TLV_ACCURACY_METRICS_SIZE];
    const struct mt_tlv_accuracy_metrics metrics = some_metrics(1);
    mt_tlv_write_accuracy_metrics(&metrics, tlvs, sizeof tlvs);
    peer.announce.steps_removed = 1;
    peer.announce.quality.accuracy = 0x20;
    peer.flags = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    peer.tlvs = tlvs;
    peer.tlvs_length = sizeof tlvs;
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, 1000, 0);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_int_equal(sample->bound.q16, 43210);
    assert_int_equal(mt_interval_to_ns(sample->reference_bound), 25);
    assert_int_equal(sample->scale, MT_SCALE_TAI);
    peer.tlvs = NULL;
    peer.tlvs_length = 0;
    peer.flags = 0;
    bench_announce(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, 1000, 0);
    sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_true(mt_interval_is_too_large(sample->bound));
    assert_true(mt_interval_is_too_large(sample->reference_bound));
    assert_int_equal(sample->scale, MT_SCALE_ARB);
}

static void ptp_accuracy_tells_the_own_bound_when_a_boundary_clock_has_one(void **state)
{
    struct mt_tlv tlv;
    struct mt_tlv_accuracy_metrics metrics;
    const struct mt_command clock = {
        .kind = MT_COMMAND_CLOCK,
        .value.clock = {.is_locked = true,
                        .has_bound = true,
                        .bound = mt_interval_from_ns(900),
                        .bound_static = mt_interval_from_ns(300)},
    };
    bench_command(&bench, &clock);
    const struct mt_ptp_message *announce = next_announce(2);
    assert_true(
        mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_ENHANCED_ACCURACY_METRICS, &tlv));
    assert_true(mt_tlv_parse_accuracy_metrics(&tlv, &metrics));
    assert_int_equal(metrics.boundary_hops, 1);
    assert_int_equal(mt_interval_to_ns(metrics.max_dynamic), 600);
    assert_int_equal(mt_interval_to_ns(metrics.max_static_medium), 300);
    assert_int_equal(announce->body.announce.steps_removed, 1);
    struct mt_interval bound;
    struct mt_interval reference;
    read_bounds(announce, &bound, &reference);
    assert_int_equal(mt_interval_to_ns(bound), 900);
}

static void ptp_accuracy_says_unknown_when_a_boundary_clock_has_no_bound(void **state)
{
    struct mt_interval bound;
    struct mt_interval reference;
    bench_clock(&bench, true, -1);
    const struct mt_ptp_message *announce = next_announce(2);
    read_bounds(announce, &bound, &reference);
    assert_true(mt_interval_is_too_large(bound));
    bench.instance.config.announces_accuracy = false;
    announce = next_announce(2);
    struct mt_tlv tlv;
    assert_false(
        mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_ENHANCED_ACCURACY_METRICS, &tlv));
}

static void ptp_accuracy_does_not_believe_the_grandmaster_when_the_sender_is_uncertain(void **state)
{
    struct mt_interval bound;
    struct mt_interval reference;
    bounds_of(MT_PTP_TIME_TRACEABLE | MT_PTP_UNCERTAIN, 0x20, 0, NULL, 0, &bound, &reference);
    assert_true(mt_interval_is_too_large(reference));
    peer.announce.quality.accuracy = 0x20;
    peer.flags = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE | MT_PTP_UNCERTAIN;
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, 1000, 0);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_true(mt_interval_is_too_large(sample->reference_bound));
}

static int64_t bound_since_ns(void)
{
    bench_sync(&bench, 1, &peer, 1000, 0);
    return bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.bound_since.ns;
}

static void ptp_accuracy_dates_the_bound_when_a_boundary_clock_says_it(void **state)
{
    peer.announce.steps_removed = 1;
    bench_follow(&bench, 1, &peer);
    int64_t heard_ns = bench.now.ns;
    bench_pass(&bench, BENCH_S(0.7));
    assert_int_equal(bound_since_ns(), heard_ns);
    bench_announce(&bench, 1, &peer);
    heard_ns = bench.now.ns;
    bench_pass(&bench, BENCH_S(0.4));
    assert_int_equal(bound_since_ns(), heard_ns);
}

/* A decision in between, for another reason, makes it no younger. */
static void ptp_accuracy_keeps_the_date_when_another_announces(void **state)
{
    struct bench_peer worse;
    peer_init(&worse, 3);
    worse.announce.priority1 = 100;
    peer.announce.steps_removed = 1;
    bench_follow(&bench, 1, &peer);
    const int64_t heard_ns = bench.now.ns;
    bench_pass(&bench, BENCH_S(0.1));
    bench_announce(&bench, 1, &worse);
    bench_announce(&bench, 1, &worse);
    assert_int_equal(bound_since_ns(), heard_ns);
}

static void ptp_accuracy_does_not_age_when_the_parent_is_the_grandmaster(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(0.7));
    assert_int_equal(bound_since_ns(), 0);
}

/* What a clock without a bound announces, as its receiver takes it. */
static void ptp_accuracy_is_unknown_to_a_receiver_when_the_transmitter_has_no_bound(void **state)
{
    struct mt_tlv tlv;
    struct mt_tlv_accuracy_metrics metrics;
    bench_clock(&bench, true, -1);
    struct mt_ptp_message announce = *next_announce(2);
    assert_true(
        mt_tlv_find(announce.tlvs, announce.tlvs_length, MT_TLV_ENHANCED_ACCURACY_METRICS, &tlv));
    assert_true(mt_tlv_parse_accuracy_metrics(&tlv, &metrics));
    assert_true(mt_interval_is_too_large(metrics.max_dynamic));
    uint8_t octets[256];
    assert_in_range(announce.tlvs_length, 1, sizeof octets);
    memcpy(octets, announce.tlvs, announce.tlvs_length);
    start_with(1);
    peer.announce = announce.body.announce;
    peer.tlvs = octets;
    peer.tlvs_length = announce.tlvs_length;
    bench.config.identity = bench_identity(77); /* another clock: the path is no loop for it */
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, 1000, 0);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_true(mt_interval_is_too_large(sample->bound));
}

#define ONE(test)      cmocka_unit_test_setup(ptp_accuracy_##test, one_port)
#define BOUNDARY(test) cmocka_unit_test_setup(ptp_accuracy_##test, boundary_clock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(reads_clock_accuracy_when_time_is_traceable),
        ONE(knows_no_reference_bound_when_time_is_not_traceable),
        ONE(knows_no_bound_when_a_boundary_clock_says_nothing),
        ONE(adds_the_metrics_up_when_they_are_given),
        ONE(knows_no_bound_when_a_metric_is_unknown_or_negative),
        ONE(knows_no_bound_when_the_metrics_overflow),
        ONE(knows_no_bound_when_a_clock_did_not_count_itself),
        ONE(hands_bounds_on_when_a_sample_is_made),
        BOUNDARY(tells_the_own_bound_when_a_boundary_clock_has_one),
        BOUNDARY(says_unknown_when_a_boundary_clock_has_no_bound),
        ONE(does_not_believe_the_grandmaster_when_the_sender_is_uncertain),
        ONE(dates_the_bound_when_a_boundary_clock_says_it),
        ONE(keeps_the_date_when_another_announces),
        ONE(does_not_age_when_the_parent_is_the_grandmaster),
        BOUNDARY(is_unknown_to_a_receiver_when_the_transmitter_has_no_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
