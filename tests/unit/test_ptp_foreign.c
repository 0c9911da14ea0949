/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The foreign transmitter list: who qualifies, who gives way, who takes over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;

/* One port that listens; it is good enough to win against nobody. */
static int start(void **state)
{
    bench_init(&bench, 1);
    bench.config.priority1 = 255;
    bench_start(&bench);
    return 0;
}

static struct bench_peer peer_of_rank(uint8_t id, uint8_t priority1)
{
    struct bench_peer peer;
    peer_init(&peer, id);
    peer.announce.priority1 = priority1;
    return peer;
}

static const struct mt_foreign *record_of(const struct bench_peer *peer)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        const struct mt_foreign *foreign = &bench.ports[0].foreign[i];
        if (foreign->is_used && mt_port_identity_equal(&foreign->dataset.sender, &peer->identity)) {
            return foreign;
        }
    }
    return NULL;
}

static void assert_parent(const struct bench_peer *peer)
{
    assert_true(
        mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender, &peer->identity));
}

/* ---- qualification --------------------------------------------------------------------------- */

static void ptp_foreign_does_not_qualify_when_heard_less_than_the_threshold(void **state)
{
    struct bench_peer peer = peer_of_rank(1, 10);
    assert_int_equal(MT_FOREIGN_THRESHOLD, 2);
    bench_announces(&bench, 1, &peer, MT_FOREIGN_THRESHOLD - 1);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_false(mt_foreign_is_qualified(&bench.instance, &bench.ports[0], record_of(&peer)));
}

static void ptp_foreign_qualifies_when_heard_twice_within_the_window(void **state)
{
    struct bench_peer peer = peer_of_rank(1, 10);
    assert_int_equal(MT_FOREIGN_WINDOW, 4);
    peer.log_announce_interval = -2;
    bench_announce(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(1));
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_foreign_does_not_qualify_when_heard_twice_over_the_window(void **state)
{
    struct bench_peer peer = peer_of_rank(1, 10);
    peer.log_announce_interval = -2;
    for (unsigned i = 0; i < 5; i++) {
        bench_announce(&bench, 1, &peer);
        bench_pass(&bench, BENCH_S(1) + 1);
    }
    assert_int_not_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_foreign_uses_the_ports_interval_when_the_sender_claims_a_longer_one(void **state)
{
    static const int8_t claims[] = {2, 6, 7, 127, -8, -128};
    for (unsigned i = 0; i < sizeof claims; i++) {
        struct bench_peer peer = peer_of_rank(1, 10);
        start(state);
        peer.log_announce_interval = claims[i];
        bench_announce(&bench, 1, &peer);
        bench_pass(&bench, BENCH_S(8) + 1);
        bench_announce(&bench, 1, &peer);
        assert_int_not_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
        bench_pass(&bench, BENCH_S(8));
        bench_announce(&bench, 1, &peer);
        assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    }
}

static void ptp_foreign_refuses_an_announce_when_it_is_repeated_or_overtaken(void **state)
{
    struct bench_peer peer = peer_of_rank(1, 10);
    peer.announce_sequence = 1000;
    bench_announce(&bench, 1, &peer);
    for (uint16_t back = 0; back < 4; back++) {
        peer.announce_sequence = (uint16_t)(1000 - back);
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_STALE);
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    peer.announce_sequence = 1001;
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
}

static void ptp_foreign_accepts_an_announce_when_sequence_wraps_or_skips(void **state)
{
    static const uint16_t sequences[] = {65534, 65535, 0, 1, 100, 30000};
    struct bench_peer peer = peer_of_rank(1, 10);
    for (unsigned i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        peer.announce_sequence = sequences[i];
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
    }
}

/* The sequence of a sender that has started again lies anywhere; at worst a few are lost. */
static void ptp_foreign_accepts_again_when_the_sender_has_started_again(void **state)
{
    static const uint16_t before[] = {1, 2, 3, 4, 5, 1000, 40000, 65535};
    for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
        struct bench_peer peer = peer_of_rank(1, 10);
        unsigned refused = 0;
        start(state);
        peer.announce_sequence = before[i];
        bench_announce(&bench, 1, &peer);
        peer.announce_sequence = 0;
        while (bench_announce(&bench, 1, &peer) == MT_VERDICT_STALE) {
            refused++;
        }
        assert_true(refused <= 4);
        assert_true(refused == 0 || before[i] < 4);
    }
}

/* ---- the runner-up --------------------------------------------------------------------------- */

static void ptp_foreign_lets_the_runner_up_take_over_when_the_best_falls_silent(void **state)
{
    struct bench_peer best = peer_of_rank(1, 10);
    struct bench_peer second = peer_of_rank(2, 20);
    for (unsigned i = 0; i < 3; i++) {
        bench_announce(&bench, 1, &best);
        bench_announce(&bench, 1, &second);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_parent(&best);
    bench_clock(&bench, true, 0);
    bench_clear(&bench);
    for (unsigned i = 0; i < 4; i++) { /* the best is gone; timeout: 6 to 8 s after its last */
        bench_announce(&bench, 1, &second);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_parent(&second);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_STATE), 1);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 1);
}

static void ptp_foreign_lets_the_runner_up_take_over_when_the_best_gets_worse(void **state)
{
    struct bench_peer best = peer_of_rank(1, 10);
    struct bench_peer second = peer_of_rank(2, 20);
    bench_announces(&bench, 1, &best, 2);
    bench_announces(&bench, 1, &second, 2);
    assert_parent(&best);
    best.announce.priority1 = 30;
    bench_announce(&bench, 1, &best);
    assert_parent(&second);
}

/* The timeout that runs is that of the one before; whoever is newly followed gets a full one. */
static void ptp_foreign_gives_a_full_timeout_when_another_is_yielded_to(void **state)
{
    struct bench_peer first = peer_of_rank(1, 20);
    struct bench_peer other = peer_of_rank(2, 30);
    bench.config.quality.clock_class = 6;
    bench_start(&bench);
    bench_announces(&bench, 1, &first, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_PASSIVE);
    for (unsigned i = 0; i < 3; i++) {
        bench_pass(&bench, BENCH_S(1.9));
        bench_announce(&bench, 1, &other);
    }
    first.announce.priority1 = 40;
    bench_announce(&bench, 1, &first); /* 5.7 s after the one before: now the other is better */
    bench_pass(&bench, BENCH_S(5.9));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_PASSIVE);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 0);
}

/* A patient port follows on although the transmitter announces more rarely than its window. */
static void ptp_foreign_stays_when_it_is_followed_and_slower_than_the_window(void **state)
{
    struct bench_peer followed = peer_of_rank(1, 50);
    bench.port_configs[0].announce_receipt_timeout = 10;
    bench_start(&bench);
    bench_follow(&bench, 1, &followed);
    for (unsigned i = 0; i < 5; i++) {
        bench_pass(&bench, BENCH_S(19));
        for (uint8_t id = 20; id < 40; id++) { /* not even strangers push it out */
            struct bench_peer once = peer_of_rank((uint8_t)(id + 20 * i), 60);
            bench_announce(&bench, 1, &once);
        }
        assert_parent(&followed);
        assert_int_equal(bench_announce(&bench, 1, &followed), MT_VERDICT_ACCEPTED);
        assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), 0);
}

/* ---- when the list is full ------------------------------------------------------------------- */

static void fill(struct bench_peer *peers, uint8_t priority1, unsigned announces)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        peers[i] = peer_of_rank((uint8_t)(100 + i), priority1);
    }
    for (unsigned n = 0; n < announces; n++) {
        for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
            assert_int_equal(bench_announce(&bench, 1, &peers[i]), MT_VERDICT_ACCEPTED);
        }
    }
}

static void ptp_foreign_refuses_a_newcomer_when_all_are_better_and_fresh(void **state)
{
    struct bench_peer peers[MT_FOREIGN_MAX];
    struct bench_peer newcomer = peer_of_rank(1, 60);
    fill(peers, 50, 2);
    assert_int_equal(bench_announce(&bench, 1, &newcomer), MT_VERDICT_FOREIGN_FULL);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_FOREIGN_EVICTED), 0);
}

static void ptp_foreign_evicts_the_worst_when_a_better_one_comes(void **state)
{
    struct bench_peer peers[MT_FOREIGN_MAX];
    struct bench_peer newcomer = peer_of_rank(1, 40);
    fill(peers, 50, 2); /* among equals the highest identity is the worst */
    assert_int_equal(bench_announce(&bench, 1, &newcomer), MT_VERDICT_ACCEPTED);
    assert_null(record_of(&peers[MT_FOREIGN_MAX - 1]));
    assert_non_null(record_of(&peers[0]));
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_FOREIGN_EVICTED), 1);
}

static void ptp_foreign_evicts_the_unqualified_first_when_a_better_one_comes(void **state)
{
    struct bench_peer peers[MT_FOREIGN_MAX];
    struct bench_peer newcomer = peer_of_rank(1, 40);
    fill(peers, 50, 1);
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        if (i != 3) {
            bench_announce(&bench, 1, &peers[i]);
        }
    }
    assert_int_equal(bench_announce(&bench, 1, &newcomer), MT_VERDICT_ACCEPTED);
    assert_null(record_of(&peers[3]));
}

static void ptp_foreign_evicts_the_silent_first_when_even_a_worse_one_comes(void **state)
{
    struct bench_peer peers[MT_FOREIGN_MAX];
    struct bench_peer newcomer = peer_of_rank(1, 60);
    fill(peers, 50, 2);
    for (unsigned n = 0; n < 5; n++) {
        bench_pass(&bench, BENCH_S(2));
        for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
            if (i != 2) {
                bench_announce(&bench, 1, &peers[i]);
            }
        }
    }
    assert_int_equal(bench_announce(&bench, 1, &newcomer), MT_VERDICT_ACCEPTED);
    assert_null(record_of(&peers[2]));
}

static void ptp_foreign_keeps_the_followed_one_when_better_ones_pour_in(void **state)
{
    struct bench_peer followed = peer_of_rank(1, 50);
    bench_follow(&bench, 1, &followed);
    for (uint8_t i = 0; i < 200; i++) {
        struct bench_peer flood = peer_of_rank((uint8_t)(20 + i), 1);
        bench_announce(&bench, 1, &flood);
    }
    assert_non_null(record_of(&followed));
    assert_parent(&followed);
}

/* Statime refuses every newcomer once it has heard eight. */
static void ptp_foreign_lets_a_real_one_in_when_eight_were_invented(void **state)
{
    struct bench_peer spoofed[MT_FOREIGN_MAX];
    struct bench_peer real = peer_of_rank(1, 100);
    bench_pass(&bench, BENCH_S(1));
    fill(spoofed, 1, 1); /* better, but said once only */
    bench_pass(&bench, BENCH_S(0.5));
    for (unsigned i = 0; i < 4; i++) {
        bench_announce(&bench, 1, &real);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_parent(&real);
}

/* The same eight again and again, so slowly that they never qualify, at any phase. */
static void ptp_foreign_lets_a_real_one_in_when_eight_come_again_and_again(void **state)
{
    for (unsigned phase = 0; phase < 16; phase++) {
        struct bench_peer spoofed[MT_FOREIGN_MAX];
        struct bench_peer real = peer_of_rank(1, 100);
        start(state);
        fill(spoofed, 1, 1);
        for (unsigned step = 1; step < 5 * 17; step++) { /* half seconds */
            bench_pass(&bench, BENCH_S(0.5));
            if (step % 17 == 0) { /* 8.5 s: just over the window */
                for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
                    bench_announce(&bench, 1, &spoofed[i]);
                }
            }
            if (step > phase && (step - phase) % 4 == 0) {
                bench_announce(&bench, 1, &real);
            }
        }
        assert_parent(&real);
        assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    }
}

/* Twenty honest ones share eight places: the best must get and keep one. */
static void ptp_foreign_finds_the_best_when_there_are_twenty(void **state)
{
    struct bench_peer peers[20];
    for (uint8_t i = 0; i < 20; i++) {
        peers[i] = peer_of_rank((uint8_t)(100 - i), (uint8_t)(30 - i)); /* the last is the best */
    }
    for (unsigned n = 0; n < 6; n++) {
        for (unsigned i = 0; i < 20; i++) {
            bench_pass(&bench, BENCH_S(0.1));
            bench_announce(&bench, 1, &peers[i]);
        }
    }
    assert_parent(&peers[19]);
}

static void ptp_foreign_forgets_all_when_the_link_goes_down(void **state)
{
    struct bench_peer peer = peer_of_rank(1, 10);
    bench_follow(&bench, 1, &peer);
    bench_link(&bench, 1, false);
    assert_null(record_of(&peer));
    bench_link(&bench, 1, true);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
}

#define WITH_PORT(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PORT(ptp_foreign_does_not_qualify_when_heard_less_than_the_threshold),
        WITH_PORT(ptp_foreign_qualifies_when_heard_twice_within_the_window),
        WITH_PORT(ptp_foreign_does_not_qualify_when_heard_twice_over_the_window),
        WITH_PORT(ptp_foreign_uses_the_ports_interval_when_the_sender_claims_a_longer_one),
        WITH_PORT(ptp_foreign_refuses_an_announce_when_it_is_repeated_or_overtaken),
        WITH_PORT(ptp_foreign_accepts_an_announce_when_sequence_wraps_or_skips),
        WITH_PORT(ptp_foreign_accepts_again_when_the_sender_has_started_again),
        WITH_PORT(ptp_foreign_lets_the_runner_up_take_over_when_the_best_falls_silent),
        WITH_PORT(ptp_foreign_lets_the_runner_up_take_over_when_the_best_gets_worse),
        WITH_PORT(ptp_foreign_gives_a_full_timeout_when_another_is_yielded_to),
        WITH_PORT(ptp_foreign_stays_when_it_is_followed_and_slower_than_the_window),
        WITH_PORT(ptp_foreign_refuses_a_newcomer_when_all_are_better_and_fresh),
        WITH_PORT(ptp_foreign_evicts_the_worst_when_a_better_one_comes),
        WITH_PORT(ptp_foreign_evicts_the_unqualified_first_when_a_better_one_comes),
        WITH_PORT(ptp_foreign_evicts_the_silent_first_when_even_a_worse_one_comes),
        WITH_PORT(ptp_foreign_keeps_the_followed_one_when_better_ones_pour_in),
        WITH_PORT(ptp_foreign_lets_a_real_one_in_when_eight_were_invented),
        WITH_PORT(ptp_foreign_lets_a_real_one_in_when_eight_come_again_and_again),
        WITH_PORT(ptp_foreign_finds_the_best_when_there_are_twenty),
        WITH_PORT(ptp_foreign_forgets_all_when_the_link_goes_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
