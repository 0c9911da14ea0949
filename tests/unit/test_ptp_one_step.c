/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One-step Sync: the link is asked for the time, nothing waits for a timestamp, no Follow_Up; and
 * where a port must stay two-step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_peer.h"
#include "ptp_bench.h"
#include "unicast_bench.h"

static struct ptp_bench bench;
static struct mt_port_more more[2];
static struct mt_peer peer;

static void set_up(uint16_t ports)
{
    bench_init(&bench, ports);
    for (unsigned i = 0; i < 2; i++) {
        more[i] = (struct mt_port_more){
            .sends_one_step = true, .peer = NULL, .security.spp = MT_SECURITY_OFF};
        bench.port_configs[i].more = &more[i];
    }
}

/* Nobody else is there, so the ports become transmitters and send Syncs. */
static void serve(void)
{
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(30));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_true(bench_count(&bench, 1, MT_PTP_SYNC) > 10);
}

static const struct bench_frame *newest_sync(uint16_t port)
{
    return bench_newest(&bench, port, MT_PTP_SYNC, 0);
}

static void one_step_sends_no_follow_up_when_the_link_writes_the_time(void **state)
{
    (void)state;
    set_up(1);
    serve();
    const struct bench_frame *sync = newest_sync(1);
    assert_int_equal(sync->tx.insertion, MT_INSERT_ORIGIN);
    assert_int_equal(sync->tx.token, 0);
    assert_true(sync->tx.is_event);
    assert_int_equal(sync->message.header.flags & MT_PTP_TWO_STEP, 0);
    assert_int_equal(sync->message.header.correction.q16, 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 0);
}

static void one_step_counts_up_and_waits_for_nothing_when_syncs_follow(void **state)
{
    (void)state;
    set_up(1);
    bench.holds_stamps = true; /* none ever comes, and none is missed */
    serve();
    uint16_t newest = newest_sync(1)->message.header.sequence;
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_SYNC, 1)->message.header.sequence, newest - 1);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 0);
    for (unsigned i = 0; i < MT_SYNC_OUTSTANDING; i++) {
        assert_int_equal(bench.ports[0].transmission.sync[i].token, 0);
    }
}

/* The hardware reads the clock before the frame is on the wire: the rest goes ahead of it. */
static void one_step_adds_the_egress_latency_when_there_is_one(void **state)
{
    static const int64_t latencies_ns[] = {300, -45};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        set_up(1);
        bench.port_configs[0].egress_latency = mt_interval_from_ns(latencies_ns[i]);
        serve();
        assert_int_equal(newest_sync(1)->message.header.correction.q16, latencies_ns[i] * 65536);
    }
}

static void one_step_is_the_ports_choice_when_only_one_link_can_do_it(void **state)
{
    (void)state;
    set_up(2);
    more[1].sends_one_step = false;
    serve();
    assert_int_equal(newest_sync(1)->tx.insertion, MT_INSERT_ORIGIN);
    assert_int_equal(newest_sync(2)->tx.insertion, MT_INSERT_NOTHING);
    assert_true(newest_sync(2)->tx.token != 0);
    assert_int_equal(newest_sync(2)->message.header.flags & MT_PTP_TWO_STEP, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_FOLLOW_UP), bench_count(&bench, 2, MT_PTP_SYNC));
}

/* What is written into a signed message makes its signature wrong. */
static void one_step_is_refused_when_messages_are_signed(void **state)
{
    (void)state;
    for (unsigned is_delayed = 0; is_delayed < 2; is_delayed++) {
        set_up(1);
        more[0].security.spp = is_delayed ? MT_SECURITY_OFF : 0;
        more[0].security.is_delayed = is_delayed != 0;
        serve();
        assert_int_equal(newest_sync(1)->tx.insertion, MT_INSERT_NOTHING);
        assert_true(bench_count(&bench, 1, MT_PTP_FOLLOW_UP) > 10);
    }
}

static void one_step_leaves_other_messages_alone_when_a_port_receives(void **state)
{
    struct bench_peer parent;
    (void)state;
    set_up(1);
    bench_start(&bench);
    peer_init(&parent, 20);
    bench_follow(&bench, 1, &parent);
    bench_announces(&bench, 1, &parent, 4);
    const struct bench_frame *request = bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0);
    assert_int_equal(request->tx.insertion, MT_INSERT_NOTHING);
    assert_true(request->tx.token != 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 0);
}

/* A Pdelay_Req keeps its timestamp: only answers can carry what is told of them. */
static void one_step_keeps_the_stamp_of_pdelay_req_when_it_asks(void **state)
{
    struct mt_peer_config config;
    (void)state;
    set_up(1);
    mt_peer_config_init(&config);
    config.is_one_step = true;
    mt_peer_init(&peer, &config);
    more[0].peer = &peer;
    more[0].delay_mechanism = MT_DELAY_P2P;
    serve();
    const struct bench_frame *request = bench_newest(&bench, 1, MT_PTP_PDELAY_REQ, 0);
    assert_int_equal(request->tx.insertion, MT_INSERT_NOTHING);
    assert_true(request->tx.token != 0);
    assert_int_equal(newest_sync(1)->tx.insertion, MT_INSERT_ORIGIN);
}

static void one_step_reaches_clients_when_it_is_granted(void **state)
{
    static struct grantor_bench grantor;
    const struct mt_address client = unicast_address(7);
    (void)state;
    grantor_init(&grantor);
    grantor.more.sends_one_step = true;
    grantor.more.security.spp = MT_SECURITY_OFF;
    grantor.bench.holds_stamps = true;
    grantor_start(&grantor);
    assert_int_equal(unicast_ask(&grantor.bench, 7, &client, MT_PTP_SYNC, -3, 100), 100);
    bench_pass(&grantor.bench, BENCH_S(5));
    assert_in_range(unicast_count(&grantor.bench, MT_PTP_SYNC, &client), 39, 41);
    assert_int_equal(unicast_count(&grantor.bench, MT_PTP_FOLLOW_UP, &client), 0);
    for (unsigned i = 0; i < 20; i++) {
        const struct bench_frame *sync = bench_newest(&grantor.bench, 1, MT_PTP_SYNC, i);
        assert_int_equal(sync->tx.insertion, MT_INSERT_ORIGIN);
        assert_int_equal(sync->message.header.flags & MT_PTP_TWO_STEP, 0);
    }
    assert_int_equal(bench_counter(&grantor.bench, 1, MT_COUNT_TX_STAMP_LOST), 0);
    grantor_check(&grantor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_sends_no_follow_up_when_the_link_writes_the_time),
        cmocka_unit_test(one_step_counts_up_and_waits_for_nothing_when_syncs_follow),
        cmocka_unit_test(one_step_adds_the_egress_latency_when_there_is_one),
        cmocka_unit_test(one_step_is_the_ports_choice_when_only_one_link_can_do_it),
        cmocka_unit_test(one_step_is_refused_when_messages_are_signed),
        cmocka_unit_test(one_step_leaves_other_messages_alone_when_a_port_receives),
        cmocka_unit_test(one_step_reaches_clients_when_it_is_granted),
        cmocka_unit_test(one_step_keeps_the_stamp_of_pdelay_req_when_it_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
