/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The comparison of G.8275.1 and G.8275.2: a table by hand, then the laws of an order over random
 * data sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;

static struct mt_clock_identity identity(uint8_t id)
{
    return (struct mt_clock_identity){{0, 1, 2, 3, 4, 5, 6, id}};
}

static struct mt_ptp_dataset plain(uint8_t grandmaster)
{
    return (struct mt_ptp_dataset){
        .priority1 = 128,
        .local_priority = 128,
        .quality = {.clock_class = 248, .accuracy = 0xFE, .variance = 0x4E5D},
        .priority2 = 128,
        .grandmaster = identity(grandmaster),
        .sender = {identity(grandmaster), 1},
        .receiver = {identity(200), 1},
    };
}

static enum mt_comparison mirrored(enum mt_comparison result)
{
    return (enum mt_comparison)(MT_B_BETTER - result);
}

static void assert_compared(const struct mt_ptp_dataset *a, const struct mt_ptp_dataset *b,
                            enum mt_comparison expected)
{
    assert_int_equal(mt_dataset_compare_itu(a, b), expected);
    assert_int_equal(mt_dataset_compare_itu(b, a), mirrored(expected));
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* a is better in the k-th member and worse in all that come after it */
static struct mt_ptp_dataset better_from(unsigned k)
{
    struct mt_ptp_dataset a = plain(9);
    a.priority1 = 255;
    a.quality.clock_class = k == 0 ? 247 : 248;
    a.quality.accuracy = k == 1 ? 0xFD : k < 1 ? 0xFF : 0xFE;
    a.quality.variance = k == 2 ? 0x4E5C : k < 2 ? 0xFFFF : 0x4E5D;
    a.priority2 = k == 3 ? 127 : k < 3 ? 255 : 128;
    a.local_priority = k == 4 ? 127 : k < 4 ? 255 : 128;
    a.grandmaster = identity(k == 5 ? 9 : 250);
    return a;
}

static void ptp_bmca_itu_prefers_the_first_better_member_when_grandmasters_differ(void **state)
{
    const struct mt_ptp_dataset b = plain(10);
    for (unsigned k = 0; k < 6; k++) {
        const struct mt_ptp_dataset a = better_from(k);
        assert_compared(&a, &b, MT_A_BETTER);
    }
}

static void ptp_bmca_itu_ignores_priority1_when_all_else_is_equal(void **state)
{
    struct mt_ptp_dataset a = plain(9);
    struct mt_ptp_dataset b = plain(10);
    b.priority1 = 1;
    assert_compared(&a, &b, MT_A_BETTER);
}

static void ptp_bmca_itu_takes_the_nearer_when_both_are_primary(void **state)
{
    for (unsigned clock_class = 6; clock_class <= 128; clock_class += 61) { /* 6, 67, 128 */
        struct mt_ptp_dataset a = plain(10);
        struct mt_ptp_dataset b = plain(9);
        a.quality.clock_class = (uint8_t)clock_class;
        b.quality.clock_class = (uint8_t)clock_class;
        b.steps_removed = 2;
        assert_compared(&a, &b, clock_class <= 127 ? MT_A_BETTER : MT_B_BETTER);
    }
    struct mt_ptp_dataset a = plain(10);
    struct mt_ptp_dataset b = plain(9);
    a.quality.clock_class = 127;
    b.quality.clock_class = 127;
    assert_compared(&a, &b, MT_B_BETTER_BY_TOPOLOGY); /* as near: the sender's identity */
}

static void ptp_bmca_itu_prefers_local_priority_when_the_grandmaster_is_the_same(void **state)
{
    struct mt_ptp_dataset a = plain(9);
    struct mt_ptp_dataset b = plain(9);
    a.steps_removed = 7;
    b.steps_removed = 1;
    assert_compared(&a, &b, MT_B_BETTER);
    a.local_priority = 1;
    assert_compared(&a, &b, MT_A_BETTER);
}

/* ---- laws ------------------------------------------------------------------------------------ */

/* What describes a grandmaster follows from its identity, and the local priority from the port on
 * which it is heard. */
static struct mt_ptp_dataset random_set(struct mt_prng *random)
{
    uint8_t grandmaster = (uint8_t)mt_prng_below(random, 6);
    struct mt_ptp_dataset set = plain(grandmaster);
    set.priority1 = (uint8_t)mt_prng_below(random, 256);
    set.quality.clock_class = grandmaster < 3 ? 6 : 248;
    set.priority2 = (uint8_t)(100 + grandmaster % 2);
    set.steps_removed = (uint16_t)mt_prng_below(random, 5);
    set.sender = (struct mt_port_identity){identity((uint8_t)mt_prng_below(random, 9)),
                                           (uint16_t)mt_prng_below(random, 3)};
    set.receiver =
        (struct mt_port_identity){identity(100), (uint16_t)(1 + mt_prng_below(random, 3))};
    set.local_priority = (uint8_t)(set.receiver.port == 3 ? 7 : 128);
    return set;
}

static void ptp_bmca_itu_is_antisymmetric_when_sets_are_random(void **state)
{
    struct mt_prng random;
    mt_prng_init(&random, 34);
    for (unsigned i = 0; i < 100000; i++) {
        const struct mt_ptp_dataset a = random_set(&random);
        const struct mt_ptp_dataset b = random_set(&random);
        assert_int_equal(mt_dataset_compare_itu(&a, &b), mirrored(mt_dataset_compare_itu(&b, &a)));
        assert_int_equal(mt_dataset_compare_itu(&a, &a), MT_SAME);
    }
}

static void ptp_bmca_itu_is_transitive_when_sets_are_random(void **state)
{
    struct mt_prng random;
    unsigned chains = 0;
    mt_prng_init(&random, 35);
    for (unsigned i = 0; i < 300000; i++) {
        const struct mt_ptp_dataset a = random_set(&random);
        const struct mt_ptp_dataset b = random_set(&random);
        const struct mt_ptp_dataset c = random_set(&random);
        if (mt_dataset_is_better(mt_dataset_compare_itu, &a, &b) &&
            mt_dataset_is_better(mt_dataset_compare_itu, &b, &c)) {
            chains++;
            assert_true(mt_dataset_is_better(mt_dataset_compare_itu, &a, &c));
        }
    }
    assert_true(chains > 30000);
}

/* ---- in an instance -------------------------------------------------------------------------- */

static void start(void)
{
    static struct mt_ptp_features features;
    features = mt_ptp_all_features;
    features.compare = mt_dataset_compare_itu;
    bench.config.features = &features;
    bench_start(&bench);
}

static void ptp_bmca_itu_follows_the_port_of_better_local_priority_when_grandmasters_tie(
    void **state)
{
    struct bench_peer near;
    struct bench_peer far;
    bench_init(&bench, 2);
    bench.port_configs[1].local_priority = 127;
    start();
    peer_init(&near, 1);
    peer_init(&far, 2);
    near.announce.quality = (struct mt_clock_quality){6, 0x21, 0x4E5D};
    far.announce = near.announce;
    far.announce.steps_removed = 3;
    for (unsigned i = 0; i < 4; i++) {
        bench_announce(&bench, 1, &near);
        bench_announce(&bench, 2, &far);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 2);
}

static void ptp_bmca_itu_serves_when_its_own_local_priority_is_better(void **state)
{
    struct bench_peer peer;
    for (uint8_t own = 127; own <= 129; own = (uint8_t)(own + 2)) {
        bench_init(&bench, 1);
        bench.config.local_priority = own;
        start();
        peer_init(&peer, 1);
        peer.announce.quality = bench.config.quality;
        peer.announce.priority2 = bench.config.priority2;
        bench_announces(&bench, 1, &peer, 5);
        assert_int_equal(bench_state(&bench, 1) == MT_STATE_TRANSMITTER, own < 128);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_bmca_itu_prefers_the_first_better_member_when_grandmasters_differ),
        cmocka_unit_test(ptp_bmca_itu_ignores_priority1_when_all_else_is_equal),
        cmocka_unit_test(ptp_bmca_itu_takes_the_nearer_when_both_are_primary),
        cmocka_unit_test(ptp_bmca_itu_prefers_local_priority_when_the_grandmaster_is_the_same),
        cmocka_unit_test(ptp_bmca_itu_is_antisymmetric_when_sets_are_random),
        cmocka_unit_test(ptp_bmca_itu_is_transitive_when_sets_are_random),
        cmocka_unit_test(
            ptp_bmca_itu_follows_the_port_of_better_local_priority_when_grandmasters_tie),
        cmocka_unit_test(ptp_bmca_itu_serves_when_its_own_local_priority_is_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
