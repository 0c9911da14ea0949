/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock that was built without accuracy, boundary and path trace: it follows and
 * serves as the full one does, and what it cannot know it calls unknown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/ptp_tlv.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static int start(void **state)
{
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
    };
    bench_init(&bench, 1);
    bench.config.features = &features;
    bench_start(&bench);
    peer_init(&peer, 1);
    return 0;
}

static const struct mt_sample *next_sample(void)
{
    bench_sync(&bench, 1, &peer, 1000, 0);
    return &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
}

static void ptp_ordinary_changes_roles_when_a_better_one_comes_and_goes(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 1000);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_ordinary_sends_no_tlvs_when_it_serves(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message.tlvs_length, 0);
}

static void ptp_ordinary_knows_a_bound_when_the_parent_is_the_grandmaster(void **state)
{
    peer.flags = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    peer.announce.quality.accuracy = 0x20;
    bench_follow(&bench, 1, &peer);
    assert_int_equal(next_sample()->bound.q16, 0);
    assert_true(mt_interval_is_too_large(next_sample()->reference_bound));
}

static void ptp_ordinary_knows_no_bound_when_a_boundary_clock_gives_metrics(void **state)
{
    const struct mt_tlv_accuracy_metrics metrics = {.boundary_hops = 1, .max_dynamic = {1000}};
    uint8_t tlvs[MT_TLV_ACCURACY_METRICS_SIZE];
    mt_tlv_write_accuracy_metrics(&metrics, tlvs, sizeof tlvs);
    peer.announce.steps_removed = 1;
    peer.tlvs = tlvs;
    peer.tlvs_length = sizeof tlvs;
    bench_follow(&bench, 1, &peer);
    assert_true(mt_interval_is_too_large(next_sample()->bound));
}

static void ptp_ordinary_refuses_its_own_when_it_hears_them(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    struct mt_ptp_message own = bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message;
    assert_int_equal(bench_rx(&bench, 1, &own), MT_VERDICT_OWN);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

#define ONE(test) cmocka_unit_test_setup(ptp_ordinary_##test, start)

/* Nothing would hold back what it has not got: so it has no second port. */
static void ptp_ordinary_has_one_port_when_it_is_built_without_boundary(void **state)
{
    const struct mt_ptp_features *features = bench.config.features;
    bench_init(&bench, 2);
    bench.config.features = features;
    bench_start(&bench);
    assert_int_equal(bench.instance.port_count, 1);
    assert_int_equal(mt_port_state_of(&bench.instance, 2), MT_STATE_DISABLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(changes_roles_when_a_better_one_comes_and_goes),
        ONE(sends_no_tlvs_when_it_serves),
        ONE(knows_a_bound_when_the_parent_is_the_grandmaster),
        ONE(knows_no_bound_when_a_boundary_clock_gives_metrics),
        ONE(refuses_its_own_when_it_hears_them),
        ONE(has_one_port_when_it_is_built_without_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
