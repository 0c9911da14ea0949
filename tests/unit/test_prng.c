/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The generator: the numbers themselves, which may never change (recorded runs depend on them),
 * and that bounded draws are uniform and stay inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"

static void prng_follows_its_algorithm_when_state_is_known(void **state)
{
    /* worked out by hand from the algorithm: state 1, 2, 3, 4 */
    struct mt_prng prng = {{1, 2, 3, 4}};

    (void)state;
    assert_int_equal(mt_prng_next_u32(&prng), 1 + 2 + 4);
    assert_int_equal(prng.state[0], 2);
    assert_int_equal(prng.state[1], 3 * 9);
    assert_int_equal(prng.state[2], (3 << 21) + 7);
    assert_int_equal(prng.state[3], 5);
    assert_int_equal(mt_prng_next_u32(&prng), 2 + 27 + 5);
    assert_int_equal(mt_prng_next_u32(&prng), 0x3600060);
}

static void prng_gives_the_same_numbers_for_ever_when_seed_is_known(void **state)
{
    /* by a second implementation */
    static const uint32_t of_zero[] = {0x38802BE1, 0x948279E6, 0xEC4BF1D9};
    static const uint32_t of_many[] = {0x05CD5C52, 0x2E3677B6, 0xB5692868};
    struct mt_prng zero;
    struct mt_prng many;

    (void)state;
    mt_prng_init(&zero, 0);
    mt_prng_init(&many, UINT64_C(0x123456789ABCDEF0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mt_prng_next_u32(&zero), of_zero[i]);
        assert_int_equal(mt_prng_next_u32(&many), of_many[i]);
    }
}

/* each bit of the first number turns over in half of the cases, whichever bit of the seed does */
static void prng_has_unrelated_first_numbers_when_seeds_differ_in_a_bit(void **state)
{
    enum { SEEDS = 1000 };

    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        uint32_t turned[32] = {0};

        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct mt_prng a;
            struct mt_prng b;

            mt_prng_init(&a, seed);
            mt_prng_init(&b, seed ^ UINT64_C(1) << bit);
            uint32_t difference = mt_prng_next_u32(&a) ^ mt_prng_next_u32(&b);
            for (int k = 0; k < 32; k++) {
                turned[k] += difference >> k & 1;
            }
        }
        for (int k = 0; k < 32; k++) { /* +- 6 sigma */
            assert_in_range(turned[k], SEEDS / 2 - 95, SEEDS / 2 + 95);
        }
    }
}

/* the first numbers of seeds 0, 1, 2, ... are as uniform as, and correlate no more than, those of
 * one generator */
static void prng_has_unrelated_first_numbers_when_seeds_are_consecutive(void **state)
{
    enum { SEEDS = 65536, SLICES = 64 };
    int seen[SLICES] = {0};
    double correlation = 0;
    double before = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct mt_prng prng;
        double drawn;

        mt_prng_init(&prng, seed);
        uint32_t first = mt_prng_next_u32(&prng);
        drawn = first * 0x1p-32 - 0.5;
        correlation += drawn * before;
        before = drawn;
        seen[first % SLICES]++;
    }
    for (int i = 0; i < SLICES; i++) { /* 1024 +- 6 sigma */
        assert_in_range(seen[i], 1024 - 192, 1024 + 192);
    }
    correlation /= 256.0 / 12; /* in sigmas */
    assert_true(correlation > -5 && correlation < 5);
}

static void prng_repeats_itself_when_seed_is_equal(void **state)
{
    struct mt_prng a;
    struct mt_prng b;
    struct mt_prng other;
    int different = 0;

    (void)state;
    mt_prng_init(&a, 42);
    mt_prng_init(&b, 42);
    mt_prng_init(&other, 43);
    for (int i = 0; i < 1000; i++) {
        uint32_t drawn = mt_prng_next_u32(&a);

        assert_int_equal(drawn, mt_prng_next_u32(&b));
        different += drawn != mt_prng_next_u32(&other);
    }
    assert_true(different > 990);
}

static void prng_is_uniform_when_drawn_below(void **state)
{
    enum { N = 6, DRAWS = 60000 };
    struct mt_prng prng;
    int seen[N] = {0};

    (void)state;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = mt_prng_below(&prng, N);

        assert_in_range(drawn, 0, N - 1);
        seen[drawn]++;
    }
    for (int i = 0; i < N; i++) { /* 10000 +- 6 sigma */
        assert_in_range(seen[i], 10000 - 550, 10000 + 550);
    }
}

static void prng_stays_inside_when_bounds_are_extreme(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 2);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(mt_prng_below(&prng, 0), 0);
        assert_int_equal(mt_prng_below(&prng, 1), 0);
        assert_in_range(mt_prng_below(&prng, UINT32_MAX), 0, UINT32_MAX - 1);
        assert_in_range(mt_prng_below(&prng, UINT32_C(0x80000001)), 0, 0x80000000);
        assert_true(mt_prng_interval_ns(&prng, 0) == 0);
        assert_true(mt_prng_interval_ns(&prng, -5) == 0);
        assert_true(mt_prng_interval_ns(&prng, INT64_MIN) == 0);
        assert_true(mt_prng_interval_ns(&prng, INT64_MAX) >= 0);
    }
}

static void prng_reaches_both_ends_when_interval_is_short(void **state)
{
    struct mt_prng prng;
    int seen[4] = {0};

    (void)state;
    mt_prng_init(&prng, 3);
    for (int i = 0; i < 40000; i++) {
        int64_t drawn = mt_prng_interval_ns(&prng, 3);

        assert_in_range(drawn, 0, 3);
        seen[drawn]++;
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(seen[i], 10000 - 550, 10000 + 550);
    }
}

static void prng_is_uniform_when_interval_needs_two_words(void **state)
{
    enum { SLICES = 5, DRAWS = 50000 };
    const int64_t slice = INT64_C(3000000000);
    struct mt_prng prng;
    int seen[SLICES] = {0};

    (void)state;
    mt_prng_init(&prng, 4);
    for (int i = 0; i < DRAWS; i++) {
        int64_t drawn = mt_prng_interval_ns(&prng, SLICES * slice - 1);

        assert_true(drawn >= 0 && drawn < SLICES * slice);
        seen[drawn / slice]++;
    }
    for (int i = 0; i < SLICES; i++) {
        assert_in_range(seen[i], 10000 - 550, 10000 + 550);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prng_follows_its_algorithm_when_state_is_known),
        cmocka_unit_test(prng_gives_the_same_numbers_for_ever_when_seed_is_known),
        cmocka_unit_test(prng_has_unrelated_first_numbers_when_seeds_differ_in_a_bit),
        cmocka_unit_test(prng_has_unrelated_first_numbers_when_seeds_are_consecutive),
        cmocka_unit_test(prng_repeats_itself_when_seed_is_equal),
        cmocka_unit_test(prng_is_uniform_when_drawn_below),
        cmocka_unit_test(prng_stays_inside_when_bounds_are_extreme),
        cmocka_unit_test(prng_reaches_both_ends_when_interval_is_short),
        cmocka_unit_test(prng_is_uniform_when_interval_needs_two_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
