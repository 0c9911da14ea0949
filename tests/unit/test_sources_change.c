/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sources of a clock that come and go: what the discipline and the arbiter keep of those that stay,
 * and that nothing is left of those that went.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/steer_standby.h"
#include "runtime/arbiter_duty.h"

#define FEW  2
#define MANY 5

static struct mt_discipline discipline;
static struct mt_discipline_source few[FEW];
static struct mt_discipline_source many[MANY];
static struct mt_skewness few_skewness[FEW];
static struct mt_skewness many_skewness[MANY];

static void measure(uint16_t source, int64_t s)
{
    const struct mt_instant at = {.s = 1700000000 + s, .scale = MT_SCALE_TAI};
    const struct mt_sample sample = {
        .kind = MT_SAMPLE_OFFSET,
        .source = source,
        .local = {.at = at},
        .value = {.ns = 1000u + source},
        .variance_q16 = 65536,
        .scale = MT_SCALE_TAI,
    };
    assert_int_equal(mt_discipline_sample(&discipline, &sample, (struct mt_mono){s * MT_NS_PER_S}),
                     MT_SAMPLE_USED);
}

static int begin(void **state)
{
    struct mt_steer_config config;
    mt_steer_config_init(&config);
    config.skewness = few_skewness;
    for (unsigned i = 0; i < FEW; i++) {
        mt_skewness_init(&few_skewness[i]);
    }
    mt_discipline_init(&discipline, &config, few, FEW, MT_SCALE_TAI, 0, 0, false);
    mt_discipline_select(&discipline, 1, (struct mt_mono){0});
    for (int64_t s = 1; s < 30; s++) {
        measure(0, s);
        measure(1, s);
    }
    return 0;
}

static void discipline_goes_on_when_its_storage_grows(void **state)
{
    struct mt_estimate before;
    struct mt_estimate after;
    const struct mt_instant at = {.s = 1700000030, .scale = MT_SCALE_TAI};
    assert_true(mt_estimator_predict(&few[1].estimator, &discipline.model, at, &before));
    memcpy(many, few, sizeof few);
    memcpy(many_skewness, few_skewness, sizeof few_skewness);
    mt_discipline_set_storage(&discipline, many, many_skewness, MANY);
    memset(few, 0xA5, sizeof few);
    memset(few_skewness, 0xA5, sizeof few_skewness);
    assert_int_equal(discipline.source_count, MANY);
    assert_int_equal(discipline.selected, 1);
    for (unsigned i = 0; i < FEW; i++) {
        assert_ptr_equal(many[i].estimator.skewness, &many_skewness[i]);
    }
    assert_true(mt_estimator_predict(&many[1].estimator, &discipline.model, at, &after));
    assert_memory_equal(&before, &after, sizeof before);
    measure(1, 31);
    measure(MANY - 1, 31); /* one of the new ones */
    assert_true(many[MANY - 1].is_used);
    assert_ptr_equal(many[MANY - 1].estimator.skewness, &many_skewness[MANY - 1]);
}

static void discipline_knows_nothing_of_a_source_that_it_has_forgotten(void **state)
{
    struct mt_skewness fresh;
    mt_skewness_init(&fresh);
    few_skewness[0].shift = (struct mt_span){0, 5, 0};
    mt_discipline_forget_source(&discipline, 0);
    assert_false(few[0].is_used);
    assert_false(few[0].estimator.is_started);
    assert_memory_equal(&few_skewness[0], &fresh, sizeof fresh);
    assert_int_equal(discipline.selected, 1);
    assert_true(few[1].is_used);
    measure(0, 31); /* another one in its place begins anew */
    assert_int_equal(few[0].estimator.fresh, 1);
    mt_discipline_forget_source(&discipline, FEW); /* there is none */
}

/* ---- the arbiter ----------------------------------------------------------------------------- */

static struct mt_arbiter_member members[MANY];
static struct mt_arbiter_source sources[MANY];
static struct mt_arbiter_opinion opinions[MANY];

static struct mt_arbiter_member ntp(uint16_t index)
{
    return (struct mt_arbiter_member){
        .kind = MT_ARBITER_NTP, .index = index, .source = MT_SOURCE_NONE};
}

static void arbiter_keeps_what_it_knows_of_members_that_stay(void **state)
{
    struct mt_arbiter arbiter = {.is_used = true,
                                 .members = members,
                                 .sources = sources,
                                 .opinions = opinions,
                                 .result.selected = MT_ARBITER_NOBODY,
                                 .steering = MT_ARBITER_NOBODY};
    struct mt_arbiter_member first[] = {
        {.kind = MT_ARBITER_PTP, .index = 1}, ntp(0), ntp(1), ntp(2)};
    mt_arbiter_set_members(&arbiter, first, 4);
    assert_int_equal(arbiter.count, 4);
    assert_int_equal(arbiter.steering, MT_ARBITER_NOBODY);
    arbiter.steering = 3;
    arbiter.result.selected = 3;
    members[3].was_false = true;
    members[3].suspect = (struct mt_mono){77};
    members[2].was_false = true;
    opinions[3].verdict = MT_ARBITER_SELECTED;

    /* server 1 has gone, server 3 comes, and server 2 is trusted by now */
    struct mt_arbiter_member second[] = {
        {.kind = MT_ARBITER_PTP, .index = 1}, ntp(2), ntp(3), {.kind = MT_ARBITER_CLOCK}};
    second[1].is_trusted = true;
    mt_arbiter_set_members(&arbiter, second, 4);
    assert_int_equal(arbiter.steering, 1);
    assert_int_equal(arbiter.result.selected, 1);
    assert_true(members[1].is_trusted && members[1].was_false);
    assert_int_equal(members[1].suspect.ns, 77);
    assert_false(members[2].was_false);
    assert_int_equal(opinions[1].verdict, MT_ARBITER_UNREACHABLE); /* until it is judged */

    /* who comes back is another one */
    struct mt_arbiter_member third[] = {ntp(1)};
    mt_arbiter_set_members(&arbiter, third, 1);
    assert_int_equal(arbiter.steering, MT_ARBITER_NOBODY);
    assert_int_equal(arbiter.result.selected, MT_ARBITER_NOBODY);
    assert_false(members[0].was_false);
    mt_arbiter_set_members(&arbiter, NULL, 0);
    assert_int_equal(arbiter.count, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(discipline_goes_on_when_its_storage_grows, begin),
        cmocka_unit_test_setup(discipline_knows_nothing_of_a_source_that_it_has_forgotten, begin),
        cmocka_unit_test(arbiter_keeps_what_it_knows_of_members_that_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
