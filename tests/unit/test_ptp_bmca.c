/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Data set comparison [1588-2019 figures 34 and 35] and the state decision [figure 33]: tables
 * by hand, then the laws of an order over random data sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"

static struct mt_clock_identity identity(uint8_t id)
{
    return (struct mt_clock_identity){{0, 1, 2, 3, 4, 5, 6, id}};
}

static struct mt_ptp_dataset plain(uint8_t grandmaster)
{
    return (struct mt_ptp_dataset){
        .priority1 = 128,
        .quality = {.clock_class = 248, .accuracy = 0xFE, .variance = 0x4E5D},
        .priority2 = 128,
        .grandmaster = identity(grandmaster),
        .sender = {identity(grandmaster), 1},
        .receiver = {identity(200), 1},
    };
}

static enum mt_comparison mirrored(enum mt_comparison result)
{
    static const enum mt_comparison mirror[] = {
        [MT_A_BETTER] = MT_B_BETTER, [MT_A_BETTER_BY_TOPOLOGY] = MT_B_BETTER_BY_TOPOLOGY,
        [MT_SAME] = MT_SAME,         [MT_B_BETTER_BY_TOPOLOGY] = MT_A_BETTER_BY_TOPOLOGY,
        [MT_B_BETTER] = MT_A_BETTER,
    };
    return mirror[result];
}

static void assert_compared(const struct mt_ptp_dataset *a, const struct mt_ptp_dataset *b,
                            enum mt_comparison expected)
{
    assert_int_equal(mt_dataset_compare(a, b), expected);
    assert_int_equal(mt_dataset_compare(b, a), mirrored(expected));
    assert_int_equal(mt_dataset_is_better(mt_dataset_compare, a, b), expected < MT_SAME);
    assert_int_equal(mt_dataset_is_better(mt_dataset_compare, b, a), expected > MT_SAME);
}

/* ---- figure 34: two grandmasters ------------------------------------------------------------- */

/* a is better in the k-th member and worse in all that come after it */
static struct mt_ptp_dataset better_from(unsigned k)
{
    struct mt_ptp_dataset a = plain(9);
    a.priority1 = k == 0 ? 127 : 128;
    a.quality.clock_class = k == 1 ? 247 : k < 1 ? 249 : 248;
    a.quality.accuracy = k == 2 ? 0xFD : k < 2 ? 0xFF : 0xFE;
    a.quality.variance = k == 3 ? 0x4E5C : k < 3 ? 0xFFFF : 0x4E5D;
    a.priority2 = k == 4 ? 127 : k < 4 ? 255 : 128;
    a.grandmaster = identity(k == 5 ? 9 : 250);
    return a;
}

static void ptp_bmca_prefers_the_first_better_member_when_grandmasters_differ(void **state)
{
    const struct mt_ptp_dataset b = plain(10);
    for (unsigned k = 0; k < 6; k++) {
        const struct mt_ptp_dataset a = better_from(k);
        assert_compared(&a, &b, MT_A_BETTER);
    }
}

static void ptp_bmca_ignores_distance_when_grandmasters_differ(void **state)
{
    struct mt_ptp_dataset a = plain(9);
    const struct mt_ptp_dataset b = plain(10);
    a.steps_removed = 100;
    assert_compared(&a, &b, MT_A_BETTER);
}

static void ptp_bmca_compares_unsigned_when_values_are_large(void **state)
{
    struct mt_ptp_dataset a = plain(10);
    struct mt_ptp_dataset b = plain(9);
    a.quality.variance = 0x7FFF;
    b.quality.variance = 0x8000;
    assert_compared(&a, &b, MT_A_BETTER);
    a = plain(10);
    b = plain(9);
    a.grandmaster.octet[0] = 0x7F;
    b.grandmaster.octet[0] = 0x80;
    assert_compared(&a, &b, MT_A_BETTER);
}

/* ---- figure 35: two ways to one grandmaster -------------------------------------------------- */

struct way {
    uint16_t steps;
    uint8_t sender;
    uint16_t sender_port;
    uint8_t receiver;
    uint16_t receiver_port;
};

static struct mt_ptp_dataset over(struct way way)
{
    struct mt_ptp_dataset set = plain(1);
    set.steps_removed = way.steps;
    set.sender = (struct mt_port_identity){identity(way.sender), way.sender_port};
    set.receiver = (struct mt_port_identity){identity(way.receiver), way.receiver_port};
    return set;
}

static void ptp_bmca_compares_topology_when_grandmaster_is_the_same(void **state)
{
    static const struct {
        struct way a;
        struct way b;
        enum mt_comparison expected;
    } cases[] = {
        /* more than one step decides, whatever the identities */
        {{0, 9, 1, 50, 1}, {2, 1, 1, 50, 1}, MT_A_BETTER},
        {{5, 9, 1, 50, 1}, {254, 1, 1, 50, 1}, MT_A_BETTER},
        /* one step: the farther's receiver against its sender */
        {{1, 9, 1, 50, 1}, {2, 60, 1, 50, 1}, MT_A_BETTER},
        {{1, 9, 1, 50, 1}, {2, 40, 1, 50, 1}, MT_A_BETTER_BY_TOPOLOGY},
        {{1, 9, 1, 50, 1}, {2, 50, 1, 50, 1}, MT_SAME},
        {{1, 9, 1, 50, 1}, {2, 50, 2, 50, 1}, MT_A_BETTER},
        {{1, 9, 1, 50, 2}, {2, 50, 1, 50, 2}, MT_A_BETTER_BY_TOPOLOGY},
        /* as many: the senders, then the receiving ports */
        {{1, 8, 1, 50, 2}, {1, 9, 1, 50, 1}, MT_A_BETTER_BY_TOPOLOGY},
        {{1, 8, 1, 50, 2}, {1, 8, 2, 50, 1}, MT_A_BETTER_BY_TOPOLOGY},
        {{1, 8, 1, 50, 1}, {1, 8, 1, 50, 2}, MT_A_BETTER_BY_TOPOLOGY},
        {{1, 8, 1, 50, 1}, {1, 8, 1, 50, 1}, MT_SAME},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mt_ptp_dataset a = over(cases[i].a);
        const struct mt_ptp_dataset b = over(cases[i].b);
        assert_compared(&a, &b, cases[i].expected);
    }
}

static void ptp_bmca_ignores_priorities_when_grandmaster_is_the_same(void **state)
{
    struct mt_ptp_dataset a = over((struct way){3, 8, 1, 50, 1});
    struct mt_ptp_dataset b = over((struct way){1, 8, 1, 50, 1});
    a.priority1 = 1;
    b.priority1 = 255;
    assert_compared(&b, &a, MT_A_BETTER);
}

/* ---- laws over random data sets -------------------------------------------------------------- */

/* Small ranges, so that equal members are frequent; what describes a grandmaster follows from its
 * identity, as in a network whose clocks do not lie. */
static struct mt_ptp_dataset random_set(struct mt_prng *random)
{
    uint8_t grandmaster = (uint8_t)mt_prng_below(random, 6);
    struct mt_ptp_dataset set = plain(grandmaster);
    set.priority1 = (uint8_t)(100 + grandmaster % 2);
    set.quality.clock_class = (uint8_t)(6 + grandmaster % 3 / 2);
    set.steps_removed = (uint16_t)mt_prng_below(random, 5);
    set.sender = (struct mt_port_identity){identity((uint8_t)mt_prng_below(random, 9)),
                                           (uint16_t)mt_prng_below(random, 3)};
    set.receiver =
        (struct mt_port_identity){identity(100), (uint16_t)(1 + mt_prng_below(random, 3))};
    set.receiver.clock.octet[7] = (uint8_t)(mt_prng_below(random, 2) * 100);
    return set;
}

static void ptp_bmca_is_antisymmetric_when_sets_are_random(void **state)
{
    struct mt_prng random;
    mt_prng_init(&random, 34);
    for (unsigned i = 0; i < 100000; i++) {
        const struct mt_ptp_dataset a = random_set(&random);
        const struct mt_ptp_dataset b = random_set(&random);
        assert_int_equal(mt_dataset_compare(&a, &b), mirrored(mt_dataset_compare(&b, &a)));
        assert_int_equal(mt_dataset_compare(&a, &a), MT_SAME);
    }
}

/* a sender that is its own receiver is the figure's error, not an order */
static bool is_sound(const struct mt_ptp_dataset *set)
{
    return !mt_port_identity_equal(&set->sender, &set->receiver);
}

static void ptp_bmca_is_transitive_when_sets_are_random(void **state)
{
    struct mt_prng random;
    unsigned chains = 0;
    mt_prng_init(&random, 35);
    for (unsigned i = 0; i < 300000; i++) {
        const struct mt_ptp_dataset a = random_set(&random);
        const struct mt_ptp_dataset b = random_set(&random);
        const struct mt_ptp_dataset c = random_set(&random);
        if (is_sound(&a) && is_sound(&b) && is_sound(&c) &&
            mt_dataset_is_better(mt_dataset_compare, &a, &b) &&
            mt_dataset_is_better(mt_dataset_compare, &b, &c)) {
            chains++;
            assert_true(mt_dataset_is_better(mt_dataset_compare, &a, &c));
        }
    }
    assert_true(chains > 30000);
}

/* ---- figure 33 ------------------------------------------------------------------------------- */

static const struct mt_ptp_dataset *set_of(unsigned rank)
{
    static struct mt_ptp_dataset sets[4];
    if (rank == 0) {
        return NULL;
    }
    sets[rank] = plain((uint8_t)rank);
    sets[rank].priority1 = (uint8_t)rank;
    return &sets[rank];
}

static void ptp_bmca_decides_as_figure_33_when_ranks_differ(void **state)
{
    /* ranks: 1 is the best; 0: nothing heard */
    static const struct {
        uint8_t clock_class;
        unsigned own, ebest, erbest;
        bool is_waiting;
        enum mt_decision expected;
    } cases[] = {
        {248, 2, 0, 0, true, MT_STAY}, {248, 2, 1, 0, true, MT_STAY}, {6, 2, 0, 0, true, MT_STAY},
        {248, 2, 0, 0, false, MT_M2},  {248, 2, 1, 0, false, MT_M3},  {248, 1, 2, 2, false, MT_M2},
        {248, 1, 2, 2, true, MT_M2},   {248, 2, 1, 1, true, MT_S1},   {248, 2, 1, 1, false, MT_S1},
        {248, 2, 1, 3, false, MT_M3},  {248, 3, 1, 2, false, MT_M3},  {248, 1, 2, 3, false, MT_M2},
        {6, 2, 0, 0, false, MT_M1},    {6, 1, 2, 2, false, MT_M1},    {6, 2, 1, 1, false, MT_P1},
        {6, 2, 1, 3, false, MT_M1},    {6, 3, 1, 2, false, MT_P1},    {127, 2, 1, 1, false, MT_P1},
        {128, 2, 1, 1, false, MT_S1},  {1, 2, 1, 0, false, MT_M1},    {255, 3, 1, 1, false, MT_S1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mt_ptp_dataset own = *set_of(cases[i].own);
        own.quality.clock_class = cases[i].clock_class;
        assert_int_equal(mt_bmca_decide(mt_dataset_compare, &own, set_of(cases[i].ebest),
                                        set_of(cases[i].erbest), cases[i].is_waiting),
                         cases[i].expected);
    }
}

static void ptp_bmca_makes_a_port_passive_when_it_has_the_longer_way(void **state)
{
    const struct mt_ptp_dataset own = plain(100);
    const struct mt_ptp_dataset ebest = over((struct way){1, 8, 1, 50, 1});
    const struct mt_ptp_dataset topology = over((struct way){1, 8, 1, 50, 2});
    const struct mt_ptp_dataset by_value = over((struct way){3, 8, 1, 50, 2});
    assert_int_equal(mt_bmca_decide(mt_dataset_compare, &own, &ebest, &topology, false), MT_P2);
    assert_int_equal(mt_bmca_decide(mt_dataset_compare, &own, &ebest, &by_value, false), MT_M3);
}

static void ptp_bmca_follows_anybody_when_clock_may_not_serve(void **state)
{
    struct mt_ptp_dataset worst = plain(255);
    worst.priority1 = 255;
    worst.quality.clock_class = 255;
    assert_int_equal(mt_bmca_decide(mt_dataset_compare, NULL, &worst, &worst, true), MT_S1);
    assert_int_equal(mt_bmca_decide(mt_dataset_compare, NULL, NULL, NULL, false), MT_M2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_bmca_prefers_the_first_better_member_when_grandmasters_differ),
        cmocka_unit_test(ptp_bmca_ignores_distance_when_grandmasters_differ),
        cmocka_unit_test(ptp_bmca_compares_unsigned_when_values_are_large),
        cmocka_unit_test(ptp_bmca_compares_topology_when_grandmaster_is_the_same),
        cmocka_unit_test(ptp_bmca_ignores_priorities_when_grandmaster_is_the_same),
        cmocka_unit_test(ptp_bmca_is_antisymmetric_when_sets_are_random),
        cmocka_unit_test(ptp_bmca_is_transitive_when_sets_are_random),
        cmocka_unit_test(ptp_bmca_decides_as_figure_33_when_ranks_differ),
        cmocka_unit_test(ptp_bmca_makes_a_port_passive_when_it_has_the_longer_way),
        cmocka_unit_test(ptp_bmca_follows_anybody_when_clock_may_not_serve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
