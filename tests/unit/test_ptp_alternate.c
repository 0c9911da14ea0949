/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Alternate transmitters: who is heard and measured but never followed, who sends, and what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_alternate.h"
#include "meantime/ptp_more.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer best;
static struct bench_peer other;
static struct mt_alternate alternates[2];
static struct mt_port_more port_more[2];

static void set_up(uint16_t ports, uint8_t count)
{
    bench_init(&bench, ports);
    memset(port_more, 0, sizeof port_more);
    for (unsigned i = 0; i < ports; i++) {
        mt_alternate_init(&alternates[i]);
        alternates[i].count = count;
        port_more[i].alternate = &alternates[i];
        bench.port_configs[i].more = &port_more[i];
    }
    bench_start(&bench);
    peer_init(&best, 1);
    peer_init(&other, 2);
    other.announce.priority1 = 1; /* better than all, if it were followed */
    other.flags = MT_PTP_ALTERNATE;
}

/* The port follows `best`, whose Announces go on; each second is a round. */
static void follow_for(unsigned rounds, struct bench_peer *alternate)
{
    for (unsigned i = 0; i < rounds; i++) {
        bench_announce(&bench, 1, &best);
        if (alternate != NULL) {
            bench_announce(&bench, 1, alternate);
        }
        bench_pass(&bench, BENCH_S(2));
    }
}

static bool is_alternate(const struct bench_frame *frame)
{
    return (frame->message.header.flags & MT_PTP_ALTERNATE) != 0;
}

static void ptp_alternate_is_not_followed_when_it_is_better(void **state)
{
    set_up(1, 0);
    follow_for(8, &other);
    assert_true(
        mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &best.identity));
    assert_int_equal(bench_announce(&bench, 1, &other), MT_VERDICT_ACCEPTED);
    assert_true(alternates[0].heard[0].is_used);
    assert_int_equal(alternates[0].heard[0].dataset.priority1, 1);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 0); /* count is 0 */
    follow_for(4, NULL);
    assert_false(alternates[0].heard[0].is_used);
}

static void ptp_alternate_is_measured_when_it_sends_sync(void **state)
{
    set_up(1, 0);
    follow_for(4, &other);
    const struct mt_command clock = {
        .kind = MT_COMMAND_CLOCK,
        .value.clock = {.is_locked = true, .mean_delay = {INT64_C(1000) << 16}}};
    assert_true(bench_command(&bench, &clock));
    struct mt_ptp_message sync = {.header = {.type = MT_PTP_SYNC,
                                             .flags = MT_PTP_ALTERNATE | MT_PTP_TWO_STEP,
                                             .source = other.identity,
                                             .sequence = 9}};
    struct mt_ptp_message follow_up = sync;
    struct mt_stamp now = bench_stamp(&bench);
    struct mt_span ahead = mt_span_from_ns(-5000); /* it left 5 us ago by its clock */
    struct mt_interval fraction;
    mt_instant_move(&now.at, &ahead);
    follow_up.header.type = MT_PTP_FOLLOW_UP;
    mt_ptp_timestamp_from_instant(&now.at, &follow_up.body.origin, &fraction);
    assert_int_equal(bench_rx(&bench, 1, &follow_up), MT_VERDICT_ACCEPTED); /* in either order */
    assert_false(alternates[0].heard[0].has_offset);
    assert_int_equal(bench_rx(&bench, 1, &sync), MT_VERDICT_ACCEPTED);
    assert_true(alternates[0].heard[0].has_offset);
    assert_int_equal(mt_interval_to_ns(alternates[0].heard[0].offset), 4000);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    sync.header.source.port = 7; /* one that has not announced itself */
    assert_int_equal(bench_rx(&bench, 1, &sync), MT_VERDICT_ALTERNATE);
}

static void ptp_alternate_announces_itself_when_it_is_among_the_best(void **state)
{
    set_up(1, 1);
    follow_for(8, NULL);
    assert_true(bench_count(&bench, 1, MT_PTP_ANNOUNCE) >= 4);
    const struct bench_frame *announce = bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0);
    assert_true(is_alternate(announce));
    assert_true(mt_clock_identity_equal(&announce->message.body.announce.grandmaster,
                                        &bench.config.identity));
    assert_int_equal(announce->message.body.announce.priority1, 128);
    assert_int_equal(announce->message.body.announce.steps_removed, 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 0);
    bench_clear(&bench);
    follow_for(4, &other); /* one better one is enough */
    bench_clear(&bench);
    follow_for(4, &other);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 0);
    assert_false(alternates[0].is_sending);
}

/* As a grandmaster would: what the configuration says is not so. */
static void ptp_alternate_claims_no_timescale_when_its_clock_shows_another(void **state)
{
    const struct mt_command clock = {.kind = MT_COMMAND_CLOCK,
                                     .value.clock = {.shows = MT_CLOCK_SHOWS_ARBITRARY}};
    set_up(1, 1);
    bench.instance.config.time.flags =
        MT_PTP_TIMESCALE | MT_PTP_UTC_OFFSET_VALID | MT_PTP_TIME_TRACEABLE;
    bench_command(&bench, &clock);
    follow_for(8, NULL);
    const struct bench_frame *announce = bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0);
    assert_true(is_alternate(announce));
    assert_int_equal(announce->message.header.flags, MT_PTP_ALTERNATE);
}

static void ptp_alternate_sends_sync_when_it_has_the_time(void **state)
{
    set_up(1, 1);
    alternates[0].sends_sync = true;
    follow_for(8, NULL);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 0); /* not locked */
    bench_clock(&bench, true, 1000);
    bench_clear(&bench);
    follow_for(4, NULL);
    assert_in_range(bench_count(&bench, 1, MT_PTP_SYNC), 7, 9);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), bench_count(&bench, 1, MT_PTP_FOLLOW_UP));
    assert_true(is_alternate(bench_newest(&bench, 1, MT_PTP_SYNC, 0)));
    assert_true(is_alternate(bench_newest(&bench, 1, MT_PTP_FOLLOW_UP, 0)));
    uint16_t last = bench_newest(&bench, 1, MT_PTP_SYNC, 0)->message.header.sequence;
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(20)); /* the best one is gone */
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    const struct bench_frame *sync = bench_newest(&bench, 1, MT_PTP_SYNC, 0);
    assert_false(is_alternate(sync));
    assert_true((uint16_t)(sync->message.header.sequence - last) < 30); /* one sender all along */
    assert_false(alternates[0].is_sending);
}

static void ptp_alternate_relays_its_parent_when_another_port_follows(void **state)
{
    set_up(2, 1);
    struct bench_peer same;
    peer_init(&same, 3); /* the same grandmaster by another way, nearer: port 2 is passive */
    same.announce.grandmaster = best.announce.grandmaster;
    same.announce.steps_removed = 1;
    for (unsigned i = 0; i < 10; i++) {
        bench_announce(&bench, 1, &best);
        bench_announce(&bench, 2, &same);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 1);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
    const struct bench_frame *announce = bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0);
    assert_true(is_alternate(announce));
    assert_int_equal(announce->message.body.announce.steps_removed, 1);
    assert_true(mt_clock_identity_equal(&announce->message.body.announce.grandmaster,
                                        &best.announce.grandmaster));
}

static void ptp_alternate_keeps_the_best_when_there_are_too_many(void **state)
{
    set_up(1, 1);
    follow_for(4, NULL);
    for (uint8_t i = 0; i < MT_ALTERNATES_HEARD; i++) {
        struct bench_peer one;
        peer_init(&one, (uint8_t)(20 + i));
        one.announce.priority1 = (uint8_t)(50 + i);
        one.flags = MT_PTP_ALTERNATE;
        assert_int_equal(bench_announce(&bench, 1, &one), MT_VERDICT_ACCEPTED);
    }
    other.announce.priority1 = 200;
    assert_int_equal(bench_announce(&bench, 1, &other), MT_VERDICT_FOREIGN_FULL);
    other.announce.priority1 = 49;
    assert_int_equal(bench_announce(&bench, 1, &other), MT_VERDICT_ACCEPTED);
    unsigned worst = 0;
    for (unsigned i = 0; i < MT_ALTERNATES_HEARD; i++) {
        worst += alternates[0].heard[i].dataset.priority1 == 50 + MT_ALTERNATES_HEARD - 1;
    }
    assert_int_equal(worst, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_alternate_is_not_followed_when_it_is_better),
        cmocka_unit_test(ptp_alternate_is_measured_when_it_sends_sync),
        cmocka_unit_test(ptp_alternate_announces_itself_when_it_is_among_the_best),
        cmocka_unit_test(ptp_alternate_claims_no_timescale_when_its_clock_shows_another),
        cmocka_unit_test(ptp_alternate_sends_sync_when_it_has_the_time),
        cmocka_unit_test(ptp_alternate_relays_its_parent_when_another_port_follows),
        cmocka_unit_test(ptp_alternate_keeps_the_best_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
