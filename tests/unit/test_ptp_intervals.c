/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Initial and operational intervals: what a receiver asks for, when, and how often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_intervals.h"
#include "meantime/ptp_more.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;
static struct mt_intervals intervals;
static struct mt_port_more port_more;
static int8_t log_sync; /* as the peer says in its Syncs */

static void set_up(void)
{
    bench_init(&bench, 1);
    memset(&port_more, 0, sizeof port_more);
    mt_intervals_init(&intervals);
    intervals.keeps_sync = false;
    intervals.log_sync_interval = 1;
    port_more.intervals = &intervals;
    bench.port_configs[0].more = &port_more;
    peer_init(&peer, 1);
    log_sync = -3;
}

static void follow(void)
{
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
}

static void sync(void)
{
    struct mt_ptp_message message = {.header = {.type = MT_PTP_SYNC,
                                                .source = peer.identity,
                                                .sequence = peer.sync_sequence++,
                                                .log_interval = log_sync},
                                     .body.origin = {(uint64_t)BENCH_EPOCH_S, 0}};
    bench_rx(&bench, 1, &message);
}

/* One-step Syncs, eight a second, and Announces. */
static void syncs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i % 8 == 0) {
            bench_announce(&bench, 1, &peer);
        }
        sync();
        bench_pass(&bench, BENCH_S(0.125));
    }
}

static void clock_is(bool is_locked, int64_t offset_ns)
{
    const struct mt_command clock = {
        .kind = MT_COMMAND_CLOCK,
        .value.clock = {.is_locked = is_locked, .offset = {offset_ns * 65536}}};
    assert_true(bench_command(&bench, &clock));
}

/* The newest request's fields. */
static void assert_asked(int link_delay, int time_sync, int announce)
{
    const uint8_t *tlv = bench_newest(&bench, 1, MT_PTP_SIGNALING, 0)->octets + 44;
    static const uint8_t head[] = {0, 3, 0, 12, 0x00, 0x80, 0xC2, 0, 0, 2};
    assert_memory_equal(tlv, head, sizeof head);
    assert_int_equal((int8_t)tlv[10], link_delay);
    assert_int_equal((int8_t)tlv[11], time_sync);
    assert_int_equal((int8_t)tlv[12], announce);
}

static unsigned asked(void)
{
    return (unsigned)bench_count(&bench, 1, MT_PTP_SIGNALING);
}

static void ptp_intervals_asks_for_initial_ones_when_it_begins(void **state)
{
    set_up();
    follow();
    assert_int_equal(asked(), 1);
    assert_asked(-128, 126, -128);
    syncs(80); /* not locked: nothing else, and not again */
    assert_int_equal(asked(), 1);
}

static void ptp_intervals_asks_for_operational_ones_when_it_has_settled(void **state)
{
    set_up();
    intervals.keeps_announce = false;
    intervals.log_announce_interval = 2;
    follow();
    clock_is(true, 5);
    syncs(9);
    assert_int_equal(asked(), 1);
    syncs(2);
    assert_int_equal(asked(), 2);
    assert_asked(-128, 1, 2);
    log_sync = 1; /* it obeys */
    syncs(100);
    assert_int_equal(asked(), 2);
    clock_is(false, 5);
    syncs(3);
    assert_int_equal(asked(), 2);
    syncs(1);
    assert_int_equal(asked(), 3);
    assert_asked(-128, 126, 126);
    assert_false(intervals.is_operational);
}

static void ptp_intervals_asks_again_when_it_is_not_obeyed(void **state)
{
    set_up();
    follow();
    clock_is(true, 5);
    bench_clear(&bench);
    syncs(400);
    assert_int_equal(asked(), MT_INTERVALS_TRIES);
}

static void ptp_intervals_waits_when_the_offset_is_too_large(void **state)
{
    set_up();
    intervals.threshold.q16 = 30 * 65536;
    follow();
    clock_is(true, -31);
    syncs(40);
    assert_false(intervals.is_operational);
    clock_is(true, -30);
    syncs(9);
    clock_is(true, 31); /* once is enough to begin again */
    syncs(1);
    clock_is(true, 30);
    syncs(9);
    assert_false(intervals.is_operational);
    syncs(1);
    assert_true(intervals.is_operational);
}

static void ptp_intervals_is_silent_when_nothing_is_configured(void **state)
{
    set_up();
    mt_intervals_init(&intervals);
    follow();
    clock_is(true, 0);
    syncs(40);
    assert_int_equal(asked(), 0);
}

static void ptp_intervals_forgets_when_the_transmitter_is_gone(void **state)
{
    set_up();
    follow();
    clock_is(true, 0);
    syncs(20);
    assert_true(intervals.is_operational);
    bench_link(&bench, 1, false);
    assert_false(intervals.is_operational);
    bench_clear(&bench);
    bench_link(&bench, 1, true);
    bench_follow(&bench, 1, &peer);
    assert_int_equal(asked(), 1);
    assert_asked(-128, 126, -128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_intervals_asks_for_initial_ones_when_it_begins),
        cmocka_unit_test(ptp_intervals_asks_for_operational_ones_when_it_has_settled),
        cmocka_unit_test(ptp_intervals_asks_again_when_it_is_not_obeyed),
        cmocka_unit_test(ptp_intervals_waits_when_the_offset_is_too_large),
        cmocka_unit_test(ptp_intervals_is_silent_when_nothing_is_configured),
        cmocka_unit_test(ptp_intervals_forgets_when_the_transmitter_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
