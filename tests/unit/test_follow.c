/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock that follows another one of its node, over clocks made of numbers: a leader that is right
 * and a follower that is off and runs at its own rate.
 */
#include "runtime/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number_clock.h"
#include "runtime/node.h"

#define STEP_NS INT64_C(125000000)
#define TAI_UTC 37

struct bench {
    struct mt_node node;
    struct mt_node_clock clocks[2];
    struct number_clock numbers[2];
    struct mt_discipline_source sources[2][1];
    struct mt_mono now;
};

enum { LEADER, FOLLOWER };

static struct bench *bench_new(enum mt_timescale leader, enum mt_timescale follower,
                               uint16_t sources_of_leader)
{
    struct bench *self = calloc(1, sizeof *self);
    struct mt_steer_config steer;
    assert_non_null(self);
    mt_steer_config_init(&steer);
    self->now.ns = 1000000000;
    self->node.clocks = self->clocks;
    self->node.clock_count = 2;
    self->node.local_link = MT_NODE_NO_LINK;
    for (int i = 0; i < 2; i++) {
        enum mt_timescale scale = i == LEADER ? leader : follower;
        number_clock_init(&self->numbers[i], &self->now, scale);
        self->clocks[i].hal = &self->numbers[i].hal;
        mt_discipline_init(&self->clocks[i].discipline, &steer, self->sources[i],
                           i == LEADER ? sources_of_leader : 1, scale, 0, 0, false);
    }
    self->clocks[LEADER].tai_utc_known = true;
    self->clocks[LEADER].tai_minus_utc_s = TAI_UTC;
    self->clocks[FOLLOWER].follow = (struct mt_follow){.is_used = true, .leader = LEADER};
    mt_node_start(&self->node, self->now);
    return self;
}

static void run(struct bench *self, int64_t ns)
{
    for (int64_t i = 0; i < ns; i += STEP_NS) {
        self->now.ns += STEP_NS;
        number_clock_pass(&self->numbers[LEADER], STEP_NS);
        number_clock_pass(&self->numbers[FOLLOWER], STEP_NS);
        mt_node_input(&self->node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = self->now});
    }
}

static int64_t apart(const struct bench *self)
{
    return self->numbers[FOLLOWER].ns - self->numbers[LEADER].ns;
}

static void assert_near(int64_t value, int64_t wanted)
{
    if (value < wanted - 10 || value > wanted + 10) {
        fail_msg("%lld ns instead of %lld", (long long)value, (long long)wanted);
    }
}

static void follow_locks_the_clock_when_the_leader_is_free(void **state)
{
    struct bench *bench = bench_new(MT_SCALE_TAI, MT_SCALE_TAI, 0);
    bench->numbers[FOLLOWER].ns += 123456789;
    bench->numbers[FOLLOWER].error = 30e-6;
    bench->numbers[LEADER].error = -20e-6;
    bench->numbers[LEADER].read_late_ns = 4000000; /* the two are not read together */
    run(bench, INT64_C(60000000000));
    assert_near(apart(bench), 0);
    assert_int_equal(bench->clocks[FOLLOWER].discipline.phase, MT_STEER_LOCKED);
    free(bench);
}

static void follow_waits_when_the_leader_has_no_time_yet(void **state)
{
    struct bench *bench = bench_new(MT_SCALE_TAI, MT_SCALE_TAI, 1);
    bench->numbers[FOLLOWER].ns += 5000000;
    run(bench, INT64_C(10000000000));
    assert_int_equal(apart(bench), 5000000);
    bench->clocks[LEADER].discipline.phase = MT_STEER_HOLDOVER;
    run(bench, INT64_C(30000000000));
    assert_near(apart(bench), 0);
    bench->clocks[LEADER].discipline.phase = MT_STEER_ACQUIRING;
    run(bench, INT64_C(2000000000));
    assert_int_equal(bench->clocks[FOLLOWER].discipline.phase, MT_STEER_HOLDOVER);
    free(bench);
}

static void follow_converts_when_the_timescales_differ(void **state)
{
    const int64_t tai_utc_ns = TAI_UTC * INT64_C(1000000000);
    struct bench *bench = bench_new(MT_SCALE_TAI, MT_SCALE_UTC, 0);
    run(bench, INT64_C(30000000000));
    assert_near(apart(bench), -tai_utc_ns);
    free(bench);
    bench = bench_new(MT_SCALE_UTC, MT_SCALE_TAI, 0);
    run(bench, INT64_C(30000000000));
    assert_near(apart(bench), tai_utc_ns);
    free(bench);
}

static void follow_leaves_the_clock_alone_when_the_timescale_is_arbitrary(void **state)
{
    struct bench *bench = bench_new(MT_SCALE_ARB, MT_SCALE_TAI, 0);
    bench->numbers[FOLLOWER].ns += 5000000;
    run(bench, INT64_C(10000000000));
    assert_int_equal(apart(bench), 5000000);
    assert_true(bench->clocks[FOLLOWER].told_wrong_scale);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_locks_the_clock_when_the_leader_is_free),
        cmocka_unit_test(follow_waits_when_the_leader_has_no_time_yet),
        cmocka_unit_test(follow_converts_when_the_timescales_differ),
        cmocka_unit_test(follow_leaves_the_clock_alone_when_the_timescale_is_arbitrary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
