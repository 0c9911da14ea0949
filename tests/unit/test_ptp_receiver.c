/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state decision of receivers against that of all clocks: whatever happens, the outcome is the
 * same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "ptp/ptp_private.h"
#include "ptp_bench.h"

#define PEERS 7 /* more than a port remembers */

static const struct mt_ptp_features usual = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};
static const struct mt_ptp_features receiver = {
    .compare = mt_dataset_compare,
    .decide = mt_decide_receiver,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

static struct side {
    struct ptp_bench bench;
    struct bench_peer peers[PEERS];
} sides[2];

static void start(uint64_t seed)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = &sides[i];
        bench_init(&side->bench, 1);
        side->bench.config.features = i == 0 ? &usual : &receiver;
        side->bench.seed = seed;
        bench_start(&side->bench);
        for (uint8_t peer = 0; peer < PEERS; peer++) {
            peer_init(&side->peers[peer], (uint8_t)(peer + 1));
        }
    }
}

static void happen(struct side *side, uint32_t chance)
{
    struct ptp_bench *bench = &side->bench;
    struct bench_peer *peer = &side->peers[chance % PEERS];
    chance /= PEERS;
    switch (chance % 16) {
    case 0:
        bench_link(bench, 1, chance / 16 % 4 != 0);
        break;
    case 1:
        peer->announce.priority1 = (uint8_t)(chance / 16);
        break;
    case 2:
        peer->announce.steps_removed = (uint16_t)(chance / 16 % 3);
        break;
    case 3:
        peer->announce.grandmaster = bench_identity((uint8_t)(chance / 16 % 4 + 1));
        break;
    case 4:
        bench_clock(bench, chance / 16 % 2 != 0, 1000);
        break;
    case 5:
    case 6:
        bench_pass(bench, BENCH_S(1) * (chance / 16 % 10));
        break;
    case 7:
        if (mt_port_is_receiving(bench->ports) && mt_is_parent(&bench->instance, &peer->identity)) {
            bench_sync(bench, 1, peer, 1000, 0);
        }
        break;
    default:
        bench_announce(bench, 1, peer);
        bench_announce(bench, 1, peer);
        bench_pass(bench, BENCH_S(1) / 8);
        break;
    }
    bench_drain(bench);
}

static size_t place_of_best(const struct mt_port *port)
{
    return port->best != NULL ? (size_t)(port->best - port->foreign) : MT_FOREIGN_MAX;
}

static void compare(void)
{
    const struct ptp_bench *a = &sides[0].bench;
    const struct ptp_bench *b = &sides[1].bench;
    assert_int_equal(a->ports[0].state, b->ports[0].state);
    assert_int_equal(place_of_best(&a->ports[0]), place_of_best(&b->ports[0]));
    assert_memory_equal(a->ports[0].timers, b->ports[0].timers, sizeof a->ports[0].timers);
    assert_memory_equal(a->ports[0].counters, b->ports[0].counters, sizeof a->ports[0].counters);
    assert_memory_equal(&a->instance.parent, &b->instance.parent, sizeof a->instance.parent);
    assert_memory_equal(&a->instance.random, &b->instance.random, sizeof a->instance.random);
    assert_int_equal(a->instance.receiving_port, b->instance.receiving_port);
    assert_int_equal(a->instance.deadline.ns, b->instance.deadline.ns);
    assert_int_equal(a->frame_count, b->frame_count);
    assert_int_equal(a->event_count, b->event_count);
}

static void ptp_receiver_decides_as_all_do_when_anything_happens(void **state)
{
    unsigned received = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct mt_prng random;
        mt_prng_init(&random, seed);
        start(seed);
        for (unsigned i = 0; i < 500; i++) {
            uint32_t chance = mt_prng_next_u32(&random);
            for (unsigned side = 0; side < 2; side++) {
                bench_clear(&sides[side].bench);
                happen(&sides[side], chance);
            }
            compare();
            received += bench_state(&sides[0].bench, 1) == MT_STATE_RECEIVER;
        }
    }
    assert_true(received > 500); /* it was about something */
}

static void ptp_receiver_calls_the_bound_unknown_when_it_does_not_look_at_it(void **state)
{
    static const struct mt_ptp_features careless = {
        .compare = mt_dataset_compare,
        .decide = mt_decide_receiver,
        .states = &mt_states_receiver_only,
        .delay = &mt_delay_e2e,
    };
    struct ptp_bench *bench = &sides[0].bench;
    start(1);
    bench->config.features = &careless;
    bench_start(bench);
    bench_follow(bench, 1, &sides[0].peers[0]);
    bench_sync(bench, 1, &sides[0].peers[0], 1000, 0);
    const struct mt_sample *sample = &bench_newest_event(bench, MT_EVENT_SAMPLE)->value.sample;
    assert_true(mt_interval_is_too_large(sample->bound));
    assert_true(mt_interval_is_too_large(sample->reference_bound));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_receiver_decides_as_all_do_when_anything_happens),
        cmocka_unit_test(ptp_receiver_calls_the_bound_unknown_when_it_does_not_look_at_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
