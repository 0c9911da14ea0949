/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the event of a new parent says of its reference: whether what is known of the clock's
 * error still means something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp_bench.h"

#define TRACEABLE (MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE)

static struct ptp_bench bench;
static struct bench_peer first;
static struct bench_peer second; /* better than the first */

static int one_port(void **state)
{
    bench_init(&bench, 1);
    bench_start(&bench);
    peer_init(&first, 1);
    peer_init(&second, 2);
    second.announce.priority1 = 5;
    return 0;
}

static void make_traceable(struct bench_peer *peer)
{
    peer->flags = TRACEABLE;
    peer->announce.quality.accuracy = 0x20;
}

/* The second is nearer, and so better also with the same grandmaster. */
static void put_behind(struct bench_peer *peer, uint8_t grandmaster)
{
    peer->announce.steps_removed = peer == &first ? 5 : 1;
    peer->announce.grandmaster = bench_identity(grandmaster);
}

/* The event of the parent that `peer` becomes. */
static bool is_same_when_followed(struct bench_peer *peer)
{
    bench_clear(&bench);
    bench_follow(&bench, 1, peer);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 1);
    const struct mt_event *event = bench_newest_event(&bench, MT_EVENT_PARENT);
    assert_int_equal(event->port, 1);
    return event->value.parent.is_same_reference;
}

static bool is_same_after_the_first(void)
{
    bench_follow(&bench, 1, &first);
    return is_same_when_followed(&second);
}

static void cut_the_cable(void)
{
    bench_clear(&bench);
    bench_link(&bench, 1, false);
    const struct mt_event *event = bench_newest_event(&bench, MT_EVENT_PARENT);
    assert_int_equal(event->port, 0);
    assert_false(event->value.parent.is_same_reference);
    bench_link(&bench, 1, true);
}

static void ptp_parent_is_another_reference_when_it_is_the_first(void **state)
{
    make_traceable(&first);
    assert_false(is_same_when_followed(&first));
}

static void ptp_parent_is_the_same_reference_when_the_cable_was_out(void **state)
{
    bench_follow(&bench, 1, &first);
    cut_the_cable();
    assert_true(is_same_when_followed(&first));
}

static void ptp_parent_is_another_reference_when_another_comes_after_the_cable(void **state)
{
    bench_follow(&bench, 1, &first);
    cut_the_cable();
    assert_false(is_same_when_followed(&second));
}

static void ptp_parent_is_the_same_reference_when_the_grandmaster_is_behind_both(void **state)
{
    put_behind(&first, 9);
    put_behind(&second, 9);
    assert_true(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_the_grandmaster_is_another(void **state)
{
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_the_same_reference_when_both_are_traceable(void **state)
{
    make_traceable(&first);
    make_traceable(&second);
    assert_true(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_only_the_old_is_traceable(void **state)
{
    make_traceable(&first);
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_only_the_new_is_traceable(void **state)
{
    make_traceable(&second);
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_its_accuracy_is_unknown(void **state)
{
    make_traceable(&first);
    make_traceable(&second);
    second.announce.quality.accuracy = 0xFE;
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_it_is_uncertain(void **state)
{
    make_traceable(&first);
    make_traceable(&second);
    second.flags |= MT_PTP_UNCERTAIN;
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_its_timescale_is_its_own(void **state)
{
    make_traceable(&first);
    make_traceable(&second);
    second.flags = MT_PTP_TIME_TRACEABLE;
    assert_false(is_same_after_the_first());
}

static void ptp_parent_is_another_reference_when_the_old_was_no_more_traceable(void **state)
{
    make_traceable(&first);
    make_traceable(&second);
    bench_follow(&bench, 1, &first);
    first.flags = MT_PTP_TIMESCALE;
    bench_announce(&bench, 1, &first);
    assert_false(is_same_when_followed(&second));
}

static void ptp_parent_is_another_reference_when_its_grandmaster_changes_unlocked(void **state)
{
    put_behind(&first, 9);
    bench_follow(&bench, 1, &first);
    bench_clear(&bench);
    put_behind(&first, 10);
    bench_announce(&bench, 1, &first);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 1);
    assert_false(bench_newest_event(&bench, MT_EVENT_PARENT)->value.parent.is_same_reference);
}

static const struct mt_sample *next_sample(void)
{
    bench_sync(&bench, 1, &first, 1000, 0);
    return &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
}

/* The sender's metrics say how wrong it is against its new grandmaster: following goes on. */
static void change_the_grandmaster_while_locked(void)
{
    put_behind(&first, 9);
    bench_follow(&bench, 1, &first);
    bench_clock(&bench, true, 1000);
    assert_true(mt_interval_is_too_large(next_sample()->reference_bound));
    assert_int_equal(next_sample()->bound_since.ns, bench.now.ns);
    bench_pass(&bench, BENCH_S(1));
    bench_clear(&bench);
    put_behind(&first, 10);
    make_traceable(&first);
    bench_announce(&bench, 1, &first);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 0);
    assert_false(bench_newest_event(&bench, MT_EVENT_REFERENCE)->value.parent.is_same_reference);
    assert_false(bench.instance.clock.has_bound);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
}

static void ptp_parent_renews_its_bounds_when_its_grandmaster_changes_locked(void **state)
{
    change_the_grandmaster_while_locked();
    assert_int_equal(mt_interval_to_ns(next_sample()->reference_bound), 25);
    assert_int_equal(next_sample()->bound_since.ns, bench.now.ns);
    put_behind(&first, 1);
    first.announce.steps_removed = 0;
    bench_announce(&bench, 1, &first);
    assert_int_equal(next_sample()->bound.q16, 0);
    assert_int_equal(next_sample()->bound_since.ns, 0);
}

static void ptp_parent_is_the_same_reference_when_it_changed_behind_the_old(void **state)
{
    change_the_grandmaster_while_locked();
    put_behind(&second, 10);
    assert_true(is_same_when_followed(&second));
}

static void ptp_parent_is_another_reference_when_the_old_had_left_it(void **state)
{
    change_the_grandmaster_while_locked();
    put_behind(&second, 9);
    assert_false(is_same_when_followed(&second));
}

/* Two changes before the caller drains are one event: the same only if neither changed it. */
static void announce_undrained(struct bench_peer *peer)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE,
                   .source = peer->identity,
                   .sequence = peer->announce_sequence++,
                   .log_interval = peer->log_announce_interval},
        .body.announce = peer->announce,
    };
    size_t length = mt_ptp_write(&message, buffer, sizeof buffer);
    assert_int_equal(mt_instance_rx(&bench.instance, 1, buffer, length, NULL, NULL, bench.now),
                     MT_VERDICT_ACCEPTED);
}

static bool is_same_when_merged(uint8_t between, uint8_t after)
{
    put_behind(&first, 9);
    put_behind(&second, between);
    bench_follow(&bench, 1, &first);
    bench_clear(&bench);
    announce_undrained(&second);
    announce_undrained(&second);
    assert_int_equal(mt_instance_parent(&bench.instance)->sender.clock.octet[7], 2);
    put_behind(&first, after);
    announce_undrained(&first);
    second.announce.priority1 = 20;
    second.announce.steps_removed = 9;
    announce_undrained(&second);
    assert_int_equal(mt_instance_parent(&bench.instance)->sender.clock.octet[7], 1);
    bench_drain(&bench);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 1);
    return bench_newest_event(&bench, MT_EVENT_PARENT)->value.parent.is_same_reference;
}

static void ptp_parent_is_another_reference_when_one_came_between(void **state)
{
    assert_false(is_same_when_merged(10, 9));
    one_port(state);
    assert_false(is_same_when_merged(10, 10));
}

static void ptp_parent_is_the_same_reference_when_only_the_way_changed_between(void **state)
{
    assert_true(is_same_when_merged(9, 9));
}

#define ONE(test) cmocka_unit_test_setup(ptp_parent_##test, one_port)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(is_another_reference_when_it_is_the_first),
        ONE(is_the_same_reference_when_the_cable_was_out),
        ONE(is_another_reference_when_another_comes_after_the_cable),
        ONE(is_the_same_reference_when_the_grandmaster_is_behind_both),
        ONE(is_another_reference_when_the_grandmaster_is_another),
        ONE(is_the_same_reference_when_both_are_traceable),
        ONE(is_another_reference_when_only_the_old_is_traceable),
        ONE(is_another_reference_when_only_the_new_is_traceable),
        ONE(is_another_reference_when_its_accuracy_is_unknown),
        ONE(is_another_reference_when_it_is_uncertain),
        ONE(is_another_reference_when_its_timescale_is_its_own),
        ONE(is_another_reference_when_the_old_was_no_more_traceable),
        ONE(is_another_reference_when_its_grandmaster_changes_unlocked),
        ONE(renews_its_bounds_when_its_grandmaster_changes_locked),
        ONE(is_the_same_reference_when_it_changed_behind_the_old),
        ONE(is_another_reference_when_the_old_had_left_it),
        ONE(is_another_reference_when_one_came_between),
        ONE(is_the_same_reference_when_only_the_way_changed_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
