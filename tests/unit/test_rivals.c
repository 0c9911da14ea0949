/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Another program that changes a clock: a node with one clock made of numbers, which a leader that
 * is right keeps, and a rival that steps and retunes it.
 */
#include "runtime/rivals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number_clock.h"
#include "runtime/node.h"

#define STEP_NS INT64_C(125000000)
#define SECOND  INT64_C(1000000000)
#define MINUTE  (60 * SECOND)

struct bench {
    struct mt_node node;
    struct mt_node_clock clocks[2];
    struct number_clock numbers[2];
    struct mt_discipline_source sources[2][1];
    struct mt_mono now;
};

enum { LEADER, FOLLOWER };

static struct bench *bench_new(enum mt_rivals_policy policy)
{
    struct bench *self = calloc(1, sizeof *self);
    struct mt_steer_config steer;
    assert_non_null(self);
    mt_steer_config_init(&steer);
    self->now.ns = SECOND;
    self->node.clocks = self->clocks;
    self->node.clock_count = 2;
    self->node.local_link = MT_NODE_NO_LINK;
    for (int i = 0; i < 2; i++) {
        number_clock_init(&self->numbers[i], &self->now, MT_SCALE_TAI);
        self->clocks[i].hal = &self->numbers[i].hal;
        mt_discipline_init(&self->clocks[i].discipline, &steer, self->sources[i], i == FOLLOWER,
                           MT_SCALE_TAI, 0, 0, false);
    }
    self->clocks[FOLLOWER].follow = (struct mt_follow){.is_used = true, .leader = LEADER};
    self->clocks[FOLLOWER].rivals.policy = policy;
    return self;
}

static void run(struct bench *self, int64_t ns)
{
    for (int64_t i = 0; i < ns; i += STEP_NS) {
        self->now.ns += STEP_NS;
        for (int clock = 0; clock < 2; clock++) {
            number_clock_pass(&self->numbers[clock], STEP_NS);
        }
        mt_node_input(&self->node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = self->now});
    }
}

static void step_by_rival(struct bench *self, int64_t ns)
{
    number_clock_meddle(
        &self->numbers[FOLLOWER],
        &(struct mt_correction){.kind = MT_CORRECT_STEP, .step = mt_span_from_ns(ns)});
}

static void retune_by_rival(struct bench *self, mt_real rate)
{
    number_clock_meddle(&self->numbers[FOLLOWER],
                        &(struct mt_correction){.kind = MT_CORRECT_RATE, .rate = rate});
}

static int64_t apart(const struct bench *self)
{
    return llabs((long long)(self->numbers[FOLLOWER].ns - self->numbers[LEADER].ns));
}

/* How many events of a kind were told since the last call; the last of them. */
static unsigned told(struct bench *self, enum mt_node_event_kind kind,
                     struct mt_node_event *ret_last)
{
    struct mt_node_event event;
    unsigned count = 0;
    memset(ret_last, 0, sizeof *ret_last);
    while (mt_node_next_event(&self->node, &event)) {
        if (event.kind == kind) {
            *ret_last = event;
            count++;
        }
    }
    return count;
}

static struct bench *locked(enum mt_rivals_policy policy)
{
    struct bench *self = bench_new(policy);
    struct mt_node_event event;
    self->numbers[FOLLOWER].error = 20e-6;
    mt_node_start(&self->node, self->now);
    run(self, 30 * SECOND);
    assert_int_equal(self->clocks[FOLLOWER].discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(told(self, MT_NODE_DISTURBED, &event), 0);
    return self;
}

static void rivals_are_told_by_how_much_they_changed_the_clock_when_they_do(void **state)
{
    struct bench *bench = locked(MT_RIVALS_WARN);
    struct mt_node_event event;
    mt_real before;
    step_by_rival(bench, 5000000);
    run(bench, SECOND);
    assert_int_equal(told(bench, MT_NODE_DISTURBED, &event), 1);
    assert_int_equal(mt_span_to_ns(event.value.change.step), 5000000);
    assert_true(event.value.change.rate == 0);
    assert_false(bench->clocks[FOLLOWER].rivals.is_shared);
    free(bench);

    bench = locked(MT_RIVALS_WARN);
    before = bench->numbers[FOLLOWER].rate;
    retune_by_rival(bench, 30e-6);
    run(bench, SECOND);
    assert_int_equal(told(bench, MT_NODE_DISTURBED, &event), 1);
    assert_true(fabs((double)(event.value.change.rate - (MT_REAL(30e-6) - before))) < 1e-12);
    run(bench, 30 * SECOND);
    assert_true(apart(bench) < 1000); /* it is put right all the same */
    free(bench);
}

static void rivals_are_no_rivals_when_what_they_left_is_found_at_the_start(void **state)
{
    struct bench *bench = bench_new(MT_RIVALS_YIELD);
    struct mt_node_event event;
    retune_by_rival(bench, 30e-6);
    mt_node_start(&bench->node, bench->now);
    run(bench, SECOND);
    assert_int_equal(told(bench, MT_NODE_DISTURBED, &event), 0);
    assert_int_equal(bench->clocks[FOLLOWER].rivals.changes, 0);
    free(bench);
}

static void rivals_share_the_clock_when_they_change_it_again_and_until_they_cease(void **state)
{
    struct bench *bench = locked(MT_RIVALS_WARN);
    struct mt_node_event event;
    step_by_rival(bench, 100000);
    run(bench, 2 * MT_RIVALS_WINDOW_NS);
    assert_int_equal(told(bench, MT_NODE_SHARED, &event), 0); /* somebody has set the date, once */
    retune_by_rival(bench, 1e-6);
    run(bench, 16 * MINUTE);
    retune_by_rival(bench, 2e-6);
    run(bench, SECOND);
    assert_int_equal(told(bench, MT_NODE_SHARED, &event), 1);
    assert_true(event.value.is_on);
    for (int i = 0; i < 100; i++) { /* which would fill the log */
        retune_by_rival(bench, (3 + i) * MT_REAL(1e-6));
        run(bench, STEP_NS);
    }
    assert_int_equal(told(bench, MT_NODE_DISTURBED, &event), 0);
    assert_int_equal(bench->clocks[FOLLOWER].rivals.changes, 103);
    run(bench, MT_RIVALS_WINDOW_NS + SECOND);
    assert_int_equal(told(bench, MT_NODE_SHARED, &event), 1);
    assert_false(event.value.is_on);
    free(bench);
}

static void rivals_have_the_clock_when_it_yields(void **state)
{
    struct bench *bench = locked(MT_RIVALS_YIELD);
    uint32_t ours;
    for (int i = 0; i < 2; i++) {
        step_by_rival(bench, 3000000);
        run(bench, STEP_NS);
    }
    ours = bench->numbers[FOLLOWER].ours;
    retune_by_rival(bench, -20e-6); /* right, and 6 ms off: less ours of between the two */
    run(bench, 10 * MINUTE);
    assert_int_equal(bench->numbers[FOLLOWER].ours, ours);
    assert_true(apart(bench) > 2000000);
    /* the published time is right although the clock is not */
    assert_true(fabs((double)bench->clocks[FOLLOWER].page.steered_q16 / 65536) > 2e6);
    run(bench, 15 * MINUTE); /* nobody has touched it since */
    assert_true(bench->numbers[FOLLOWER].ours > ours);
    assert_true(apart(bench) < 1000);
    free(bench);
}

static void rivals_lose_at_once_when_the_clock_insists(void **state)
{
    struct bench *bench = locked(MT_RIVALS_INSIST);
    mt_real before;
    for (int i = 0; i < 4; i++) {
        step_by_rival(bench, i % 2 == 0 ? 3000000 : -700000);
        run(bench, STEP_NS);
        assert_true(apart(bench) < 1000);
        before = bench->numbers[FOLLOWER].rate;
        retune_by_rival(bench, 300e-6);
        run(bench, STEP_NS); /* which it runs at until the loop looks */
        assert_true(fabs((double)(bench->numbers[FOLLOWER].rate - before)) < 1e-9);
        assert_true(apart(bench) < 50000);
        run(bench, 10 * SECOND);
    }
    run(bench, 10 * SECOND);
    assert_true(apart(bench) < 1000);
    free(bench);
}

static void rivals_are_left_alone_when_the_clock_is_only_measured(void **state)
{
    struct bench *bench = bench_new(MT_RIVALS_INSIST);
    bench->clocks[FOLLOWER].discipline.config.estimates_only = true;
    mt_node_start(&bench->node, bench->now);
    run(bench, 10 * SECOND);
    step_by_rival(bench, 3000000);
    run(bench, 10 * SECOND);
    assert_int_equal(bench->numbers[FOLLOWER].ours, 0);
    assert_int_equal(bench->clocks[FOLLOWER].rivals.changes, 1);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rivals_are_told_by_how_much_they_changed_the_clock_when_they_do),
        cmocka_unit_test(rivals_are_no_rivals_when_what_they_left_is_found_at_the_start),
        cmocka_unit_test(rivals_share_the_clock_when_they_change_it_again_and_until_they_cease),
        cmocka_unit_test(rivals_have_the_clock_when_it_yields),
        cmocka_unit_test(rivals_lose_at_once_when_the_clock_insists),
        cmocka_unit_test(rivals_are_left_alone_when_the_clock_is_only_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
