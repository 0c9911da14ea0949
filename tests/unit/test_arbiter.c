/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The arbiter over snapshots: the same sources as a table, with one thing changed at a time; and
 * over random ones, of which only what must hold for all is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "meantime/steer_arbiter.h"

#define MOST 9
#define MS   1e-3
#define US   1e-6

static const struct mt_arbiter_config usual = {
    .min_sources = 1, .max_bound = 3, .max_drift = 1e-6, .scale = MT_SCALE_TAI};

struct bench {
    struct mt_arbiter_config config;
    struct mt_arbiter_source sources[MOST];
    uint16_t count;
    uint16_t steering;
    struct mt_arbiter_opinion opinions[MOST];
    struct mt_arbiter_result result;
};

static struct mt_arbiter_source good(double offset, double bound)
{
    return (struct mt_arbiter_source){
        .is_reachable = true,
        .is_synchronised = true,
        .is_measured = true,
        .rank = 2,
        .scale = MT_SCALE_TAI,
        .offset = offset,
        .sigma = bound / 10,
        .bound = bound,
        .distance = bound,
        .frequency_sigma = 1e-8,
    };
}

/* `count` servers of 1 ms that agree */
static struct bench begin(uint16_t count)
{
    struct bench self = {.config = usual, .count = count, .steering = MT_ARBITER_NOBODY};
    for (uint16_t i = 0; i < count; i++) {
        self.sources[i] = good(i * 100 * US, 1 * MS + i * US);
    }
    return self;
}

static void judge(struct bench *self)
{
    mt_arbiter_judge(&self->config, self->sources, self->count, self->steering, self->opinions,
                     &self->result);
    self->steering = self->result.selected;
}

#define assert_verdict(self, index, expected)                                                      \
    assert_int_equal((self).opinions[index].verdict, MT_ARBITER_##expected)

/* ---- one, two, three ------------------------------------------------------------------------- */

static void arbiter_leaves_everything_as_it_is_when_there_is_one_source(void **state)
{
    struct bench self = begin(1);
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    assert_true(self.result.shift == 0);
    assert_true(self.opinions[0].weight == 1);
    assert_true(self.result.bound == self.sources[0].bound);
}

static void arbiter_believes_nobody_when_two_contradict_each_other(void **state)
{
    struct bench self = begin(2);
    self.sources[1].offset = 5 * MS;
    judge(&self);
    assert_verdict(self, 0, NO_MAJORITY);
    assert_verdict(self, 1, NO_MAJORITY);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
    assert_int_equal(self.result.agreeing, 1);
}

static void arbiter_hears_no_vote_of_those_that_are_watched(void **state)
{
    struct bench self = begin(4);
    for (uint16_t i = 1; i < 4; i++) { /* three that agree with each other, and better ones */
        self.sources[i] = good(9 * MS, 10 * US);
        self.sources[i].is_watched = true;
    }
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    assert_verdict(self, 1, WATCHED);
    assert_int_equal(self.result.voters, 1);
    assert_true(self.result.shift == 0 && self.opinions[0].weight == 1);
    self.sources[0].is_reachable = false;
    judge(&self);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
    assert_verdict(self, 1, WATCHED);
}

static void arbiter_leaves_one_aside_when_it_follows_us(void **state)
{
    struct bench self = begin(2);
    self.sources[0].follows_us = true;
    judge(&self);
    assert_verdict(self, 0, FOLLOWS_US);
    assert_verdict(self, 1, SELECTED);
    self.sources[1].is_reachable = false;
    judge(&self);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
}

static void arbiter_leaves_one_aside_when_it_is_an_orphan(void **state)
{
    struct bench self = begin(2);
    self.sources[0].is_orphan = true;
    judge(&self);
    assert_verdict(self, 0, ORPHAN);
    assert_verdict(self, 1, SELECTED);
    self.sources[1].is_reachable = false;
    judge(&self);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
}

static void arbiter_takes_no_scale_of_one_that_is_watched(void **state)
{
    struct bench self = begin(2);
    self.config.adopts_scale = true;
    self.config.scale = MT_SCALE_ARB;
    self.sources[0].scale = MT_SCALE_ARB;
    self.sources[1].scale = MT_SCALE_UTC;
    self.sources[1].is_watched = true;
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    assert_verdict(self, 1, WRONG_SCALE);
}

static void arbiter_says_nothing_when_there_is_nobody(void **state)
{
    struct bench self = begin(0);
    judge(&self);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
    assert_false(self.result.has_interval);
}

static void arbiter_names_the_liar_when_one_of_four_lies(void **state)
{
    for (uint16_t liar = 0; liar < 4; liar++) {
        struct bench self = begin(4);
        self.sources[liar].offset = -7 * MS;
        judge(&self);
        for (uint16_t i = 0; i < 4; i++) {
            assert_int_equal(self.opinions[i].verdict == MT_ARBITER_FALSETICKER, i == liar);
        }
        assert_int_equal(self.result.agreeing, 3);
        assert_true(self.opinions[liar].miss < -4 * MS && self.opinions[liar].miss > -7 * MS);
        assert_int_equal(self.result.selected, liar == 0 ? 1 : 0);
    }
}

static void arbiter_names_both_when_two_of_five_lie_together(void **state)
{
    struct bench self = begin(5);
    self.sources[1] = good(10 * MS, 100 * US); /* narrow, and of one mind */
    self.sources[3] = good(10 * MS, 100 * US);
    judge(&self);
    assert_verdict(self, 1, FALSETICKER);
    assert_verdict(self, 3, FALSETICKER);
    assert_int_equal(self.result.selected, 0);
    assert_true(self.opinions[1].weight == 0);
    assert_true(self.opinions[1].miss > 8 * MS);
}

static void arbiter_names_a_narrow_one_when_it_drifts_away_slowly(void **state)
{
    struct bench self = begin(4);
    bool was_named = false;
    self.sources[3] = good(0, 1 * US);
    for (double truth = 0; truth < 3 * MS; truth += 10 * US) {
        self.sources[3].offset = truth;
        judge(&self);
        /* the true offset is 100 us, with the servers */
        assert_true(self.result.low <= 100 * US && self.result.high >= 100 * US);
        bool is_named = self.opinions[3].verdict == MT_ARBITER_FALSETICKER;
        assert_true(is_named >= was_named);
        was_named = is_named;
        if (self.result.selected != MT_ARBITER_NOBODY) {
            double offset = self.sources[self.result.selected].offset + self.result.shift;
            assert_true(mt_real_abs(offset - 100 * US) <= self.result.bound);
        }
    }
    assert_true(was_named);
    assert_int_equal(self.result.selected, 0);
}

/* ---- admission ------------------------------------------------------------------------------- */

static void arbiter_gives_no_vote_when_a_source_has_nothing_to_say(void **state)
{
    struct bench self = begin(9);
    self.sources[1].is_reachable = false;
    self.sources[2].is_synchronised = false;
    self.sources[3].is_measured = false;
    self.sources[4].scale = MT_SCALE_UTC;
    self.sources[5].bound = 4;
    judge(&self);
    assert_verdict(self, 1, UNREACHABLE);
    assert_verdict(self, 2, NOT_SYNCHRONISED);
    assert_verdict(self, 3, MEASURING);
    assert_verdict(self, 4, WRONG_SCALE);
    assert_verdict(self, 5, TOO_WIDE);
    assert_int_equal(self.result.voters, 4);
}

static void arbiter_takes_the_scale_of_most_when_the_clock_adopts_one(void **state)
{
    struct bench self = begin(3);
    self.config.scale = MT_SCALE_ARB;
    self.config.adopts_scale = true;
    self.sources[0].scale = MT_SCALE_UTC;
    judge(&self);
    assert_verdict(self, 0, WRONG_SCALE);
    assert_verdict(self, 1, SELECTED);
    self.sources[1].scale = MT_SCALE_UTC;
    judge(&self);
    assert_verdict(self, 2, WRONG_SCALE);
}

static void arbiter_takes_no_arbitrary_scale_when_somebody_knows_the_time(void **state)
{
    struct bench self = begin(3);
    self.config.adopts_scale = true;
    self.config.scale = MT_SCALE_ARB;
    self.sources[0].scale = MT_SCALE_ARB;
    self.sources[1].scale = MT_SCALE_ARB;
    self.sources[2].is_reachable = false; /* now */
    self.sources[2].is_measured = false;
    judge(&self);
    assert_verdict(self, 0, WRONG_SCALE);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
    self.sources[2].scale = MT_SCALE_ARB; /* nor ever */
    judge(&self);
    assert_verdict(self, 0, SELECTED);
}

static void arbiter_waits_at_the_start_only_when_others_are_awaited(void **state)
{
    struct bench self = begin(3);
    self.sources[2].is_measured = false;
    self.sources[2].is_awaited = true;
    judge(&self);
    assert_verdict(self, 0, WAITING);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
    self.sources[2].is_awaited = false;
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    self.sources[2].is_awaited = true;
    judge(&self);
    assert_verdict(self, 0, SELECTED);
}

static void arbiter_follows_nobody_when_too_few_agree(void **state)
{
    struct bench self = begin(3);
    self.config.min_sources = 3;
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    self.sources[2].offset = 9 * MS;
    judge(&self);
    assert_verdict(self, 0, TOO_FEW);
    assert_verdict(self, 1, TOO_FEW);
    assert_verdict(self, 2, FALSETICKER);
}

/* ---- trust, require, prefer ------------------------------------------------------------------ */

static void arbiter_asks_trusted_ones_alone_when_there_are_any(void **state)
{
    struct bench self = begin(4);
    self.sources[3] = good(5 * MS, 100 * US);
    judge(&self);
    assert_verdict(self, 3, FALSETICKER);
    self.sources[3].is_trusted = true;
    judge(&self);
    assert_verdict(self, 3, SELECTED);
    assert_verdict(self, 0, FALSETICKER);
    assert_int_equal(self.result.voters, 1);
    assert_true(mt_real_abs(self.result.bound - 100 * US) < 1e-12);
}

static void arbiter_wants_others_inside_when_trusted_ones_set_the_interval(void **state)
{
    struct bench self = begin(2);
    self.sources[0] = good(0, 10 * US);
    self.sources[0].is_trusted = true;
    self.sources[1] = good(5 * US, 1 * US);
    judge(&self);
    assert_verdict(self, 1, SELECTED);
    self.sources[1] = good(12 * US, 5 * US);
    judge(&self);
    assert_verdict(self, 1, OUTSIDE);
    assert_verdict(self, 0, SELECTED);
}

static void arbiter_follows_nobody_when_none_of_the_required_agrees(void **state)
{
    struct bench self = begin(4);
    self.sources[1].is_required = true;
    self.sources[2].is_required = true;
    self.sources[1].is_reachable = false;
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    self.sources[2].offset = 9 * MS;
    judge(&self);
    assert_verdict(self, 0, REQUIRED_MISSING);
    assert_verdict(self, 2, FALSETICKER);
    assert_int_equal(self.result.selected, MT_ARBITER_NOBODY);
}

static void arbiter_chooses_among_preferred_ones_when_there_are_any(void **state)
{
    struct bench self = begin(4);
    self.sources[2].is_preferred = true;
    judge(&self);
    assert_verdict(self, 2, SELECTED);
    assert_verdict(self, 0, AGREES);
    assert_true(self.result.shift == 0);
    self.sources[2].offset = 9 * MS;
    judge(&self);
    assert_verdict(self, 2, FALSETICKER);
    assert_verdict(self, 0, SELECTED);
}

/* ---- choice and combination ------------------------------------------------------------------ */

static void arbiter_changes_only_when_another_is_clearly_better(void **state)
{
    struct bench self = begin(2);
    judge(&self);
    assert_int_equal(self.result.selected, 0);
    self.sources[1].distance = 0.7 * self.sources[0].distance;
    judge(&self);
    assert_int_equal(self.result.selected, 0);
    self.sources[1].distance = 0.6 * self.sources[0].distance;
    judge(&self);
    assert_int_equal(self.result.selected, 1);
    self.sources[0].distance = 0.7 * self.sources[1].distance;
    judge(&self);
    assert_int_equal(self.result.selected, 1);
}

static void arbiter_prefers_the_smaller_rank_when_bounds_are_equal(void **state)
{
    struct bench self = begin(2);
    self.sources[1] = self.sources[0];
    self.sources[1].rank = 1;
    judge(&self);
    assert_int_equal(self.result.selected, 1);
}

static void arbiter_leaves_a_silent_one_when_there_is_another(void **state)
{
    struct bench self = begin(2);
    judge(&self);
    self.sources[0].is_silent = true;
    judge(&self);
    assert_verdict(self, 0, SILENT);
    assert_verdict(self, 1, SELECTED);
    self.sources[1].is_silent = true;
    judge(&self);
    assert_verdict(self, 1, SELECTED);
}

static void arbiter_does_not_choose_when_a_source_is_on_probation(void **state)
{
    struct bench self = begin(3);
    self.sources[0].is_on_probation = true;
    judge(&self);
    assert_verdict(self, 0, PROBATION);
    assert_verdict(self, 1, SELECTED);
    assert_int_equal(self.result.voters, 3);
}

static void arbiter_weighs_equal_ones_equally_when_it_combines(void **state)
{
    struct bench self = begin(3);
    for (uint16_t i = 0; i < 3; i++) {
        self.sources[i] = good(i * 300 * US, 1 * MS);
    }
    judge(&self);
    assert_verdict(self, 0, SELECTED);
    assert_verdict(self, 1, COMBINED);
    assert_verdict(self, 2, COMBINED);
    assert_true(mt_real_abs(self.result.shift - 300 * US) < 1e-12);
    assert_true(mt_real_abs(self.opinions[2].weight - 1.0 / 3) < 1e-12);
}

static void arbiter_does_not_believe_noise_alone_when_the_path_is_long(void **state)
{
    struct bench self = begin(2);
    self.sources[0] = good(0, 1 * MS);
    self.sources[1] = good(300 * US, 2 * MS);
    self.sources[1].sigma = 1e-9;
    judge(&self);
    assert_verdict(self, 1, COMBINED);
    assert_true(self.opinions[1].weight < 0.25);
}

static void arbiter_combines_no_one_when_it_is_too_different(void **state)
{
    struct bench self = begin(3);
    self.sources[1].distance = self.sources[1].bound = 3.1 * MS;
    self.sources[2].frequency = 1.2e-6;
    judge(&self);
    assert_verdict(self, 1, DISTANT);
    assert_verdict(self, 2, ANOTHER_RATE);
    assert_true(self.result.shift == 0);
    self.sources[2].frequency_sigma = 1e-7;
    judge(&self);
    assert_verdict(self, 2, COMBINED);
}

/* ---- what holds for all ---------------------------------------------------------------------- */

static double uniform(struct mt_prng *random, double from, double to)
{
    return from + (to - from) * mt_prng_next_u32(random) / 4294967296.0;
}

static struct mt_arbiter_source truthful(struct mt_prng *random, double truth)
{
    double bound = 10 * US * mt_prng_below(random, 100) + uniform(random, US, 2 * US);
    return good(truth + uniform(random, -bound, bound), bound);
}

static void arbiter_holds_the_truth_when_a_majority_is_truthful(void **state)
{
    struct mt_prng random;
    mt_prng_init(&random, 5);
    unsigned named = 0;
    for (unsigned n = 0; n < 20000; n++) {
        struct bench self = begin((uint16_t)(1 + mt_prng_below(&random, MOST)));
        double truth = uniform(&random, -1, 1);
        uint16_t liars = (uint16_t)mt_prng_below(&random, (uint32_t)(self.count - 1) / 2 + 1);
        for (uint16_t i = 0; i < self.count; i++) {
            self.sources[i] = truthful(&random, truth);
            if (i < liars) {
                self.sources[i].offset += uniform(&random, -5 * MS, 5 * MS);
            }
        }
        judge(&self);
        assert_true(self.result.has_interval);
        assert_true(self.result.low <= truth && truth <= self.result.high);
        assert_int_not_equal(self.result.selected, MT_ARBITER_NOBODY);
        double offset = self.sources[self.result.selected].offset + self.result.shift;
        assert_true(mt_real_abs(offset - truth) <= self.result.bound * (1 + 1e-9));
        named += liars > 0 && self.opinions[0].verdict == MT_ARBITER_FALSETICKER;
    }
    assert_true(named > 5000);
}

static void shuffle(struct mt_prng *random, uint16_t count, uint16_t *ret_order)
{
    for (uint16_t i = 0; i < count; i++) {
        uint16_t j = (uint16_t)mt_prng_below(random, i + 1u);
        ret_order[i] = ret_order[j];
        ret_order[j] = i;
    }
}

static void vary(struct mt_prng *random, struct mt_arbiter_source *source)
{
    *source = truthful(random, 0);
    source->is_trusted = mt_prng_below(random, 4) == 0;
    source->is_required = mt_prng_below(random, 4) == 0;
    source->is_preferred = mt_prng_below(random, 4) == 0;
    source->is_silent = mt_prng_below(random, 8) == 0;
    source->is_reachable = mt_prng_below(random, 8) != 0;
    source->is_on_probation = mt_prng_below(random, 8) == 0;
    source->scale = mt_prng_below(random, 8) == 0 ? MT_SCALE_UTC : MT_SCALE_TAI;
    if (mt_prng_below(random, 4) == 0) {
        source->offset += uniform(random, -3 * MS, 3 * MS);
    }
}

static void arbiter_says_the_same_when_the_order_is_another(void **state)
{
    struct mt_prng random;
    mt_prng_init(&random, 6);
    for (unsigned n = 0; n < 20000; n++) {
        struct bench self = begin((uint16_t)(1 + mt_prng_below(&random, MOST)));
        struct bench other = self;
        uint16_t order[MOST];
        shuffle(&random, self.count, order);
        self.steering = (uint16_t)mt_prng_below(&random, self.count);
        other.steering = order[self.steering];
        for (uint16_t i = 0; i < self.count; i++) {
            vary(&random, &self.sources[i]);
            other.sources[order[i]] = self.sources[i];
        }
        judge(&self);
        judge(&other);
        for (uint16_t i = 0; i < self.count; i++) {
            assert_int_equal(self.opinions[i].verdict, other.opinions[order[i]].verdict);
            assert_true(mt_real_abs(self.opinions[i].weight - other.opinions[order[i]].weight) <
                        1e-9);
        }
        assert_int_equal(self.result.agreeing, other.result.agreeing);
        assert_true(self.result.low == other.result.low);
        assert_true(self.result.high == other.result.high);
        assert_true(mt_real_abs(self.result.shift - other.result.shift) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arbiter_leaves_everything_as_it_is_when_there_is_one_source),
        cmocka_unit_test(arbiter_believes_nobody_when_two_contradict_each_other),
        cmocka_unit_test(arbiter_hears_no_vote_of_those_that_are_watched),
        cmocka_unit_test(arbiter_leaves_one_aside_when_it_follows_us),
        cmocka_unit_test(arbiter_leaves_one_aside_when_it_is_an_orphan),
        cmocka_unit_test(arbiter_takes_no_scale_of_one_that_is_watched),
        cmocka_unit_test(arbiter_says_nothing_when_there_is_nobody),
        cmocka_unit_test(arbiter_names_the_liar_when_one_of_four_lies),
        cmocka_unit_test(arbiter_names_both_when_two_of_five_lie_together),
        cmocka_unit_test(arbiter_names_a_narrow_one_when_it_drifts_away_slowly),
        cmocka_unit_test(arbiter_gives_no_vote_when_a_source_has_nothing_to_say),
        cmocka_unit_test(arbiter_takes_the_scale_of_most_when_the_clock_adopts_one),
        cmocka_unit_test(arbiter_takes_no_arbitrary_scale_when_somebody_knows_the_time),
        cmocka_unit_test(arbiter_waits_at_the_start_only_when_others_are_awaited),
        cmocka_unit_test(arbiter_follows_nobody_when_too_few_agree),
        cmocka_unit_test(arbiter_asks_trusted_ones_alone_when_there_are_any),
        cmocka_unit_test(arbiter_wants_others_inside_when_trusted_ones_set_the_interval),
        cmocka_unit_test(arbiter_follows_nobody_when_none_of_the_required_agrees),
        cmocka_unit_test(arbiter_chooses_among_preferred_ones_when_there_are_any),
        cmocka_unit_test(arbiter_changes_only_when_another_is_clearly_better),
        cmocka_unit_test(arbiter_prefers_the_smaller_rank_when_bounds_are_equal),
        cmocka_unit_test(arbiter_leaves_a_silent_one_when_there_is_another),
        cmocka_unit_test(arbiter_does_not_choose_when_a_source_is_on_probation),
        cmocka_unit_test(arbiter_weighs_equal_ones_equally_when_it_combines),
        cmocka_unit_test(arbiter_does_not_believe_noise_alone_when_the_path_is_long),
        cmocka_unit_test(arbiter_combines_no_one_when_it_is_too_different),
        cmocka_unit_test(arbiter_holds_the_truth_when_a_majority_is_truthful),
        cmocka_unit_test(arbiter_says_the_same_when_the_order_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
