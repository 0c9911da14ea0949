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
#include "sim_lab.h"
#include "sim_replay.h"

#define FIRST     0 /* grantors: their addresses are 10.0.0.0 and 10.0.1.0 */
#define SECOND    1
#define RECEIVER  2 /* the first of them */
#define RECEIVERS 12
#define CLOSE_NS  200

static struct lab net;
static bool links_insert_stamps; /* of the grantors */

static int clean_up(void **state)
{
    (void)state;
    links_insert_stamps = false;
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config cable = {.delay_ns = 1000};

/* The grantors agree about the time. */
static const struct mt_sim_node_config *nth_oscillator(unsigned n)
{
    static struct mt_sim_node_config config;
    double place = n < RECEIVER ? 0 : n;
    config = (struct mt_sim_node_config){.offset_s = 0.01 * place,
                                         .frequency = 1e-6 * place,
                                         .inserts_stamps = links_insert_stamps && n < RECEIVER};
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

/* Who begins to follow withdraws what it has granted, and nothing else ends by that. */
static void clocks_settle_when_each_asks_the_other_and_serves_it(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        open_net(seed,
                 "priority1 = 100\nmulticast = no\nunicast_grants = yes\nunicast = negotiated\n"
                 "unicast_transmitters = 10.0.1.0\n",
                 "priority1 = 110\nmulticast = no\nunicast_grants = yes\nunicast = negotiated\n"
                 "unicast_transmitters = 10.0.0.0\n",
                 "", 0);
        assert_true(lab_run_until_state(&net, SECOND, 1, MT_STATE_UNCALIBRATED, 120));
        const struct mt_port *port = &lab_instance(&net, SECOND, 0)->ports[0];
        uint64_t timeouts = port->counters[MT_COUNT_ANNOUNCE_TIMEOUT];
        lab_run(&net, 120);
        assert_int_equal(lab_state(&net, FIRST, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(lab_state(&net, SECOND, 1), MT_STATE_RECEIVER);
        assert_int_equal(port->counters[MT_COUNT_ANNOUNCE_TIMEOUT], timeouts);
        assert_int_equal(more_of(SECOND)->requester->book.fallen_silent, 0);
        assert_int_equal(more_of(SECOND)->grantor->books[MT_SERVICE_ANNOUNCE].active, 0);
        lab_close(&net);
    }
}

static void receivers_follow_in_one_step_when_the_grantors_links_insert_stamps(void **state)
{
    (void)state;
    FOR_EACH_SEED(seed)
    {
        links_insert_stamps = true;
        open_net(seed,
                 "priority1 = 100\nunicast_grants = yes\nmulticast = no\none_step_sync = yes\n",
                 "priority1 = 110\nunicast_grants = yes\nmulticast = no\none_step_sync = yes\n",
                 "receiver_only = yes\nunicast = negotiated\n"
                 "unicast_transmitters = 10.0.0.0, 10.0.1.0\n",
                 3);
        lab_run(&net, 30);
        check_all_follow(FIRST, 3);
        check_books(FIRST, 3, 3);
        assert_true(net.nodes[FIRST].watch.sent[MT_PTP_SYNC] > 3 * 100);
        assert_int_equal(net.nodes[FIRST].watch.sent[MT_PTP_FOLLOW_UP], 0);
        assert_true(lab_offset_ns(&net, RECEIVER, 0) < CLOSE_NS &&
                    lab_offset_ns(&net, RECEIVER, 0) > -CLOSE_NS);
        lab_kill(&net, FIRST);
        lab_run(&net, 10);
        check_all_follow(SECOND, 3);
        assert_int_equal(net.nodes[SECOND].watch.sent[MT_PTP_FOLLOW_UP], 0);
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
        struct lab_replay replay = lab_replay(&logs[i]);
        assert_true(replay.result.inputs > 500);
        lab_replay_close(&replay);
        free(logs[i].octets);
    }
}

static const char *asking(const char *transmitters, const char *others)
{
    static char keys[400];
    snprintf(keys, sizeof keys,
             "receiver_only = yes\nunicast = negotiated\nunicast_duration = 20\n"
             "unicast_transmitters = %s\n%s",
             transmitters, others);
    return lab_conf(keys, 1);
}

/* Whoever stays in the table is followed on without a new request; whoever is struck out of it is
 * left and told so. */
static void receiver_keeps_its_grants_when_a_reload_changes_the_rest_of_the_table(void **state)
{
    const char *few = "unicast_grants = yes\nmulticast = no\npriority1 = 100\n";
    (void)state;
    open_net(1, few, few,
             "receiver_only = yes\nunicast = negotiated\n"
             "unicast_duration = 20\nunicast_transmitters = 10.0.0.0/1\n",
             1);
    lab_run(&net, 30);
    const struct mt_requester *requester = more_of(RECEIVER)->requester;
    check_all_follow(FIRST, 1);
    const struct mt_mono asks_at = requester->table[0].services[MT_SERVICE_SYNC].ask_at;
    const struct mt_port *port = &lab_instance(&net, RECEIVER, 0)->ports[0];
    const uint64_t samples = port->counters[MT_COUNT_SAMPLES];
    assert_true(lab_reload(&net, RECEIVER, asking("10.0.1.0, 10.0.0.0/1", "")));
    assert_int_equal(requester->count, 2);
    assert_int_equal(requester->table[1].address.octets[2], 0);
    assert_int_equal(requester->table[1].services[MT_SERVICE_SYNC].ask_at.ns, asks_at.ns);
    assert_int_equal(requester->table[1].state, MT_REQUESTER_HAVE_SYNC);
    lab_run(&net, 5);
    assert_int_equal(requester->table[0].state, MT_REQUESTER_HAVE_ANNOUNCE);
    check_all_follow(FIRST, 1);
    assert_true(port->counters[MT_COUNT_SAMPLES] - samples > 35); /* of 8 Syncs a second */
    assert_int_equal(requester->book.given_up, 0);

    assert_true(lab_reload(&net, RECEIVER, asking("10.0.1.0", "")));
    lab_run(&net, 10);
    check_all_follow(SECOND, 1);
    check_books(FIRST, 0, 0);
    assert_int_equal(more_of(FIRST)->grantor->books[MT_SERVICE_SYNC].cancelled, 1);
    assert_true(lab_reload(&net, RECEIVER, asking("10.0.1.0", ""))); /* no change */
    assert_int_equal(net.nodes[RECEIVER].composition->change_count, 0);

    assert_false(lab_reload(&net, RECEIVER, asking("10.0.1.0", "unicast_grants = yes\n")));
    lab_close(&net);
}

static void grantor_goes_by_its_new_limits_when_they_are_reloaded(void **state)
{
    const char *grants = "unicast_grants = yes\nmulticast = no\npriority1 = 100\n";
    char limited[400];
    (void)state;
    open_net(1, grants, "",
             "receiver_only = yes\nunicast = negotiated\nunicast_duration = 20\n"
             "unicast_transmitters = 10.0.0.0\n",
             2);
    lab_run(&net, 15);
    check_books(FIRST, 2, 2);
    snprintf(limited, sizeof limited,
             "%sunicast_allow = 10.0.2.0\nunicast_max_duration = 15\n"
             "unicast_max_clients_per_address = 2\nunicast_log_min_sync_interval = -4\n"
             "unicast_log_min_announce_interval = -2\n",
             grants);
    assert_true(lab_reload(&net, FIRST, lab_conf(limited, 1)));
    const struct mt_grantor_policy *policy = &more_of(FIRST)->grantor->policy;
    assert_int_equal(policy->max_duration_s, 15);
    assert_int_equal(policy->max_per_address, 2);
    assert_int_equal(policy->shortest_log_interval[MT_SERVICE_SYNC], -4);
    assert_int_equal(policy->shortest_log_interval[MT_SERVICE_ANNOUNCE], -2);
    check_books(FIRST, 2, 2); /* what is granted is granted */
    lab_run(&net, 25);
    check_books(FIRST, 1, 1);
    assert_true(lab_reload(&net, FIRST, lab_conf(grants, 1)));
    lab_run(&net, 70);
    check_books(FIRST, 2, 2);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(receivers_fail_over_and_come_back_when_a_grantor_dies, clean_up),
        cmocka_unit_test_teardown(clocks_settle_when_each_asks_the_other_and_serves_it, clean_up),
        cmocka_unit_test_teardown(
            receivers_follow_in_one_step_when_the_grantors_links_insert_stamps, clean_up),
        cmocka_unit_test_teardown(receiver_asks_its_parent_alone_when_hybrid, clean_up),
        cmocka_unit_test_teardown(receiver_follows_without_negotiation_when_both_have_tables,
                                  clean_up),
        cmocka_unit_test_teardown(
            receiver_keeps_its_grants_when_a_reload_changes_the_rest_of_the_table, clean_up),
        cmocka_unit_test_teardown(grantor_goes_by_its_new_limits_when_they_are_reloaded, clean_up),
        cmocka_unit_test_teardown(unicast_is_replayed_bit_for_bit_when_it_was_recorded, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
