/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast on a segment, from the configuration to the clock: two grantors and a dozen receivers
 * that ask both, fail over and come back; hybrid operation; unicast without negotiation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "runtime/replay.h"
#include "sim_lab.h"

#define FIRST     0 /* grantors: their addresses are 10.0.0.0 and 10.0.1.0 */
#define SECOND    1
#define RECEIVER  2 /* the first of them */
#define RECEIVERS 12
#define CLOSE_NS  200

static struct lab net;

static int clean_up(void **state)
{
    (void)state;
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config cable = {.delay_ns = 1000};

/* The grantors agree about the time. */
static const struct mt_sim_node_config *nth_oscillator(unsigned n)
{
    static struct mt_sim_node_config config;
    double place = n < RECEIVER ? 0 : n;
    config = (struct mt_sim_node_config){.offset_s = 0.01 * place, .frequency = 1e-6 * place};
    return &config;
}

static const struct mt_port_more *more_of(uint32_t node)
{
    return lab_instance(&net, node, 0)->ports[0].config.more;
}

static void open_net(unsigned seed, const char *first, const char *second, const char *receiver,
                     unsigned receivers)
{
    static const char *const names[] = {"A", "B", "C", "D", "E", "F", "G",
                                        "H", "I", "J", "K", "L", "M", "N"};
    lab_open(&net, seed);
    uint32_t segment = mt_world_add_segment(net.world, &cable);
    for (unsigned i = 0; i < RECEIVER + receivers; i++) {
        const char *keys = i == FIRST ? first : i == SECOND ? second : receiver;
        lab_add(&net, names[i], nth_oscillator(i), lab_conf(keys, 1));
        assert_true(mt_world_join(net.world, segment, i, "eth0"));
        lab_boot(&net, i);
    }
    net.reference = FIRST;
}

static void check_books(uint32_t grantor, uint64_t announce, uint64_t sync)
{
    const struct mt_grant_book *books = more_of(grantor)->grantor->books;
    assert_int_equal(books[MT_SERVICE_ANNOUNCE].active, announce);
    assert_int_equal(books[MT_SERVICE_SYNC].active, sync);
    assert_int_equal(books[MT_SERVICE_DELAY_RESP].active, sync);
    for (unsigned i = 0; i < MT_SERVICE_COUNT; i++) {
        assert_int_equal(books[i].granted, books[i].active + books[i].cancelled +
                                               books[i].withdrawn + books[i].expired);
    }
    const struct mt_port *port = &lab_instance(&net, grantor, 0)->ports[0];
    assert_int_equal(port->counters[MT_COUNT_SENT_SYNC], books[MT_SERVICE_SYNC].sent);
    assert_int_equal(port->counters[MT_COUNT_SENT_ANNOUNCE], books[MT_SERVICE_ANNOUNCE].sent);
}

static void check_all_follow(uint32_t grantor, unsigned receivers)
{
    const struct mt_instance *of = lab_instance(&net, grantor, 0);
    for (uint32_t i = RECEIVER; i < RECEIVER + receivers; i++) {
        assert_int_equal(lab_state(&net, i, 1), MT_STATE_RECEIVER);
        assert_true(mt_clock_identity_equal(&lab_instance(&net, i, 0)->parent.grandmaster,
                                            &of->config.identity));
    }
}

static void receivers_fail_over_and_come_back_when_a_grantor_dies(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        open_net(seed, "priority1 = 100\nunicast_grants = yes\nmulticast = no\n",
                 "priority1 = 110\nunicast_grants = yes\nmulticast = no\n",
                 "receiver_only = yes\nunicast = negotiated\nunicast_duration = 10\n"
                 "unicast_transmitters = 10.0.0.0, 10.0.1.0\n",
                 RECEIVERS);
        lab_run(&net, 60);
        check_all_follow(FIRST, RECEIVERS);
        check_books(FIRST, RECEIVERS, RECEIVERS);
        check_books(SECOND, RECEIVERS, 0);
        for (uint32_t i = RECEIVER; i < RECEIVER + RECEIVERS; i++) {
            assert_true(lab_offset_ns(&net, i, 0) < CLOSE_NS &&
                        lab_offset_ns(&net, i, 0) > -CLOSE_NS);
            assert_int_equal(more_of(i)->requester->book.expired, 0);
            assert_int_equal(more_of(i)->requester->book.fallen_silent, 0);
        }
        lab_kill(&net, FIRST);
        lab_run(&net, 6);
        check_all_follow(SECOND, RECEIVERS);
        check_books(SECOND, RECEIVERS, RECEIVERS);
        lab_boot(&net, FIRST);
        lab_run(&net, 60);
        check_all_follow(FIRST, RECEIVERS);
        check_books(FIRST, RECEIVERS, RECEIVERS);
        check_books(SECOND, RECEIVERS, 0);
        lab_close(&net);
    }
}

static void receiver_asks_its_parent_alone_when_hybrid(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        open_net(seed, "priority1 = 100\n", "priority1 = 110\n",
                 "receiver_only = yes\nunicast = hybrid\n", 2);
        lab_run(&net, 30);
        check_all_follow(FIRST, 2);
        const struct mt_port *port = &lab_instance(&net, RECEIVER, 0)->ports[0];
        uint64_t asked = port->counters[MT_COUNT_SENT_DELAY_REQ];
        assert_true(asked > 100);
        assert_true(more_of(FIRST)->grantor->books[MT_SERVICE_DELAY_RESP].sent > 2 * asked - 60);
        assert_int_equal(port->counters[MT_COUNT_DELAY_UNANSWERED], 0);
        assert_true(lab_offset_ns(&net, RECEIVER, 0) < CLOSE_NS);
        lab_close(&net);
    }
}

static void receiver_follows_without_negotiation_when_both_have_tables(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        open_net(seed, "priority1 = 100\nmulticast = no\nunicast_receivers = 10.0.2.0\n",
                 "priority1 = 110\nmulticast = no\nunicast_receivers = 10.0.2.0\n",
                 "receiver_only = yes\nunicast = static\n"
                 "unicast_transmitters = 10.0.0.0, 10.0.1.0\n",
                 1);
        lab_run(&net, 30);
        check_all_follow(FIRST, 1);
        assert_true(lab_offset_ns(&net, RECEIVER, 0) < CLOSE_NS);
        lab_kill(&net, FIRST);
        lab_run(&net, 10);
        check_all_follow(SECOND, 1);
        lab_close(&net);
    }
}

/* ---- the log --------------------------------------------------------------------------------- */

static void replay(const struct lab_log *log)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_config_problems problems = {0};
    struct mt_config *config = NULL;
    struct mt_replay *replay = mt_replay_open(log->octets, log->length, reason);
    assert_string_equal(reason, "");
    const struct mt_log_start *start = mt_replay_start(replay);
    const struct mt_compose_facts facts = {start->facts.tai_utc_known, start->facts.tai_minus_utc_s,
                                           start->facts.leap_s};
    assert_true(mt_config_parse(start->config.text, start->config.length, "log", NULL, 0, &config,
                                &problems));
    struct mt_composition *composition =
        mt_compose(config, mt_replay_provider(replay), &facts, reason);
    assert_non_null(composition);
    while (mt_replay_step(replay, &composition->node)) {
    }
    const struct mt_replay_result *result = mt_replay_result(replay);
    assert_string_equal(result->sentence, "");
    assert_int_equal(result->outcome, MT_REPLAY_SAME);
    assert_true(result->inputs > 500);
    mt_composition_free(composition);
    mt_config_free(config);
    mt_replay_close(replay);
}

static void unicast_is_replayed_bit_for_bit_when_it_was_recorded(void **state)
{
    struct lab_log logs[2] = {{0}};
    (void)state;
    open_net(1, "priority1 = 100\nunicast_grants = yes\nmulticast = no\n",
             "priority1 = 110\nunicast_grants = yes\nmulticast = no\n",
             "receiver_only = yes\nunicast = negotiated\nunicast_duration = 10\n"
             "unicast_transmitters = 10.0.0.0, 10.0.1.0\n",
             2);
    lab_kill(&net, SECOND);
    lab_kill(&net, RECEIVER);
    lab_record(&net, SECOND, &logs[0]);
    lab_record(&net, RECEIVER, &logs[1]);
    lab_boot(&net, SECOND);
    lab_boot(&net, RECEIVER);
    lab_run(&net, 30);
    lab_kill(&net, FIRST);
    lab_run(&net, 20);
    check_all_follow(SECOND, 2);
    lab_close(&net);
    for (unsigned i = 0; i < 2; i++) {
        replay(&logs[i]);
        free(logs[i].octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(receivers_fail_over_and_come_back_when_a_grantor_dies, clean_up),
        cmocka_unit_test_teardown(receiver_asks_its_parent_alone_when_hybrid, clean_up),
        cmocka_unit_test_teardown(receiver_follows_without_negotiation_when_both_have_tables,
                                  clean_up),
        cmocka_unit_test_teardown(unicast_is_replayed_bit_for_bit_when_it_was_recorded, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
