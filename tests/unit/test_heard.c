/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a port hears, and does not: a node with two instances on two links, the second of which
 * they share, whose counters and frames are made of numbers.
 */
#include "runtime/heard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "runtime/node.h"

#define TRANSMITTERS 10

static struct mt_node node;
static struct mt_node_instance instances[2];
static struct mt_node_port node_ports[3];
static struct mt_port ports[3];
static struct mt_port_more more;
static struct mt_requester requester;
static struct mt_unicast_transmitter table[TRANSMITTERS];
static struct mt_mono now;

static int set_up(void **state)
{
    memset(&node, 0, sizeof node);
    memset(instances, 0, sizeof instances);
    memset(node_ports, 0, sizeof node_ports);
    memset(ports, 0, sizeof ports);
    memset(&more, 0, sizeof more);
    memset(table, 0, sizeof table);
    memset(&requester, 0, sizeof requester);
    now.ns = 1000;
    node.instances = instances;
    node.instance_count = 2;
    instances[0].ptp.ports = ports;
    instances[0].ptp.port_count = 2;
    instances[0].ptp.receiving_port = 1;
    instances[0].ports = node_ports;
    instances[1].ptp.ports = &ports[2];
    instances[1].ptp.port_count = 1;
    instances[1].ptp.config.domain = 24;
    instances[1].ports = &node_ports[2];
    node_ports[1].link = 1;
    node_ports[2].link = 1;
    ports[0].config.more = &more;
    more.requester = &requester;
    requester.table = table;
    requester.count = TRANSMITTERS;
    for (uint8_t i = 0; i < TRANSMITTERS; i++) {
        table[i].address.network = MT_NETWORK_UDP_IPV4;
        table[i].address.octets[3] = (uint8_t)(i + 1);
        table[i].services[MT_SERVICE_ANNOUNCE].is_wanted = true;
    }
    return 0;
}

static unsigned told(struct mt_heard_told *ret_last)
{
    struct mt_node_event event;
    unsigned count = 0;
    mt_heard_look(&node, now);
    while (mt_node_next_event(&node, &event)) {
        assert_int_equal(event.kind, MT_NODE_HEARD);
        *ret_last = event.value.heard;
        count++;
    }
    return count;
}

static void hear_syncs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        mt_heard_sample(&node, 0, 1, MT_SAMPLE_FORWARD, now);
    }
}

static void leave_unanswered(unsigned count)
{
    ports[0].counters[MT_COUNT_DELAY_UNANSWERED] += count;
    hear_syncs(count);
}

static void unanswered_requests_are_told_once_and_when_they_are_answered(void **state)
{
    struct mt_heard_told last;
    leave_unanswered(MT_HEARD_PATIENCE - 1);
    assert_int_equal(told(&last), 0);
    mt_heard_sample(&node, 0, 1, MT_SAMPLE_REVERSE, now);
    leave_unanswered(MT_HEARD_PATIENCE - 1);
    assert_int_equal(told(&last), 0);
    leave_unanswered(1);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_NO_DELAY);
    assert_int_equal(last.port, 1);
    assert_int_equal(last.count, MT_HEARD_PATIENCE);
    leave_unanswered(100);
    assert_int_equal(told(&last), 0);
    assert_true(node_ports[0].heard.is_unanswered);
    assert_int_equal(mt_heard_unanswered(&node, 0, 1), 100 + MT_HEARD_PATIENCE);
    mt_heard_sample(&node, 0, 1, MT_SAMPLE_REVERSE, now);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_DELAY);
    assert_int_equal(mt_heard_unanswered(&node, 0, 1), 0);
    assert_false(node_ports[0].heard.is_unanswered);
}

static void unanswered_requests_are_not_told_when_no_sync_comes_either(void **state)
{
    struct mt_heard_told last;
    ports[0].counters[MT_COUNT_DELAY_UNANSWERED] = 100;
    hear_syncs(MT_HEARD_PATIENCE - 1);
    assert_int_equal(told(&last), 0);
    mt_heard_sample(&node, 0, 1, MT_SAMPLE_REVERSE, now);
    ports[0].counters[MT_COUNT_DELAY_UNANSWERED] = 200;
    hear_syncs(1);
    assert_int_equal(told(&last), 0);
    hear_syncs(MT_HEARD_PATIENCE - 1);
    assert_int_equal(told(&last), 1);
}

static void requests_are_counted_anew_when_another_transmitter_is_followed(void **state)
{
    struct mt_heard_told last;
    leave_unanswered(MT_HEARD_PATIENCE);
    assert_int_equal(told(&last), 1);
    mt_heard_parent(&node, 0);
    assert_int_equal(mt_heard_unanswered(&node, 0, 1), 0);
    leave_unanswered(MT_HEARD_PATIENCE);
    assert_int_equal(told(&last), 1);
    instances[0].ptp.receiving_port = 0;
    leave_unanswered(MT_HEARD_PATIENCE);
    assert_int_equal(told(&last), 0);
    assert_int_equal(mt_heard_unanswered(&node, 0, 1), 0);
    assert_false(node_ports[0].heard.is_unanswered);
}

static void hear(uint16_t instance, uint16_t port, uint8_t domain, uint16_t sdo_id, uint8_t type,
                 enum mt_verdict verdict)
{
    uint8_t frame[44] = {
        (uint8_t)((sdo_id >> 8) << 4 | type), 0x12, 0, 44, domain, (uint8_t)sdo_id};
    frame[20] = 0xAA;
    frame[29] = 7;
    const struct mt_input input = {.kind = MT_INPUT_FRAME,
                                   .link = instances[instance].ports[port - 1].link,
                                   .now = now,
                                   .bytes = frame,
                                   .length = sizeof frame};
    ports[instance * 2 + port - 1].verdicts[verdict]++;
    mt_heard_frame(&node, instance, port, &input, verdict);
}

static void forged_messages_are_told_at_once_and_then_once_an_hour(void **state)
{
    struct mt_heard_told last;
    hear(0, 2, 0, 0, MT_PTP_SYNC, MT_VERDICT_FORGED);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_FORGED);
    assert_int_equal(last.port, 2);
    assert_int_equal(last.count, 1);
    assert_int_equal(last.sender.clock.octet[0], 0xAA);
    assert_int_equal(last.sender.port, 7);
    hear(0, 2, 0, 0, MT_PTP_SYNC, MT_VERDICT_FORGED);
    hear(0, 2, 0, 0, MT_PTP_SYNC, MT_VERDICT_FORGED);
    now.ns += MT_HEARD_AGAIN_NS - 1;
    assert_int_equal(told(&last), 0);
    now.ns += 1;
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.count, 2);
    now.ns += 2 * MT_HEARD_AGAIN_NS;
    assert_int_equal(told(&last), 0);
}

static void messages_without_a_code_are_told_apart_from_forged_ones(void **state)
{
    struct mt_heard_told last;
    hear(0, 1, 0, 0, MT_PTP_SYNC, MT_VERDICT_FORGED);
    assert_int_equal(told(&last), 1);
    hear(0, 1, 0, 0, MT_PTP_ANNOUNCE, MT_VERDICT_UNAUTHENTICATED);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_UNSIGNED);
    assert_int_equal(last.count, 1);
}

static void the_last_other_domain_is_known_and_the_first_one_told(void **state)
{
    struct mt_heard_told last;
    hear(0, 1, 5, 0, MT_PTP_MANAGEMENT, MT_VERDICT_DOMAIN);
    assert_false(node_ports[0].heard.has_other_domain);
    hear(0, 1, 5, 0x123, MT_PTP_ANNOUNCE, MT_VERDICT_DOMAIN);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_OTHER_DOMAIN);
    assert_int_equal(last.domain, 5);
    assert_int_equal(last.sdo_id, 0x123);
    hear(0, 1, 6, 0x100, MT_PTP_SYNC, MT_VERDICT_DOMAIN);
    assert_int_equal(told(&last), 0);
    assert_int_equal(node_ports[0].heard.other_domain, 6);
    assert_int_equal(node_ports[0].heard.other_sdo_id, 0x100);
    assert_int_equal(node_ports[0].heard.of_siblings, 0);
}

static void messages_for_a_sibling_on_the_same_link_are_no_strangers(void **state)
{
    struct mt_heard_told last;
    hear(0, 2, 24, 0, MT_PTP_SYNC, MT_VERDICT_DOMAIN);
    hear(1, 1, 0, 0, MT_PTP_SYNC, MT_VERDICT_DOMAIN);
    assert_int_equal(told(&last), 0);
    assert_int_equal(node_ports[1].heard.of_siblings, 1);
    assert_int_equal(node_ports[2].heard.of_siblings, 1);
    assert_false(node_ports[1].heard.has_other_domain);
    hear(0, 1, 24, 0, MT_PTP_SYNC, MT_VERDICT_DOMAIN); /* not its link */
    assert_int_equal(told(&last), 1);
    hear(0, 2, 24, 0x100, MT_PTP_SYNC, MT_VERDICT_DOMAIN); /* not its sdoId */
    assert_int_equal(told(&last), 1);
    assert_int_equal(node_ports[1].heard.of_siblings, 1);
}

static void deny(uint16_t i, enum mt_service kind)
{
    table[i].services[kind].trouble = MT_TROUBLE_DENIED;
    requester.book.denied++;
}

static void a_denial_is_told_once_until_service_is_granted(void **state)
{
    struct mt_heard_told last;
    deny(1, MT_SERVICE_ANNOUNCE);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.event, MT_HEARD_DENIED);
    assert_int_equal(last.address.octets[3], 2);
    deny(1, MT_SERVICE_ANNOUNCE);
    assert_int_equal(told(&last), 0);
    now.ns += MT_HEARD_AGAIN_NS;
    deny(1, MT_SERVICE_ANNOUNCE);
    assert_int_equal(told(&last), 1);
    table[1].services[MT_SERVICE_ANNOUNCE].trouble = MT_TROUBLE_NONE;
    table[1].services[MT_SERVICE_SYNC].is_granted = true;
    requester.book.granted++;
    assert_int_equal(told(&last), 0);
    table[1].services[MT_SERVICE_SYNC].is_granted = false;
    deny(1, MT_SERVICE_ANNOUNCE);
    assert_int_equal(told(&last), 1);
}

static void a_denial_counts_when_it_is_asked_for_or_was_left_for_it(void **state)
{
    struct mt_heard_told last;
    deny(2, MT_SERVICE_SYNC); /* of old */
    assert_int_equal(told(&last), 0);
    table[2].held_until.ns = 5000;
    deny(2, MT_SERVICE_SYNC);
    assert_int_equal(told(&last), 1);
    assert_int_equal(last.address.octets[3], 3);
}

static void denials_do_not_flood_the_log_when_many_deny(void **state)
{
    struct mt_heard_told last;
    for (uint16_t i = 0; i < TRANSMITTERS; i++) {
        deny(i, MT_SERVICE_ANNOUNCE);
        assert_int_equal(told(&last), i < MT_HEARD_DENIALS ? 1 : 0);
    }
    for (int round = 0; round < 10; round++) {
        deny(0, MT_SERVICE_ANNOUNCE);
        assert_int_equal(told(&last), 0);
    }
    now.ns += MT_HEARD_AGAIN_NS;
    deny(0, MT_SERVICE_ANNOUNCE);
    assert_int_equal(told(&last), MT_HEARD_DENIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unanswered_requests_are_told_once_and_when_they_are_answered,
                               set_up),
        cmocka_unit_test_setup(unanswered_requests_are_not_told_when_no_sync_comes_either, set_up),
        cmocka_unit_test_setup(requests_are_counted_anew_when_another_transmitter_is_followed,
                               set_up),
        cmocka_unit_test_setup(forged_messages_are_told_at_once_and_then_once_an_hour, set_up),
        cmocka_unit_test_setup(messages_without_a_code_are_told_apart_from_forged_ones, set_up),
        cmocka_unit_test_setup(the_last_other_domain_is_known_and_the_first_one_told, set_up),
        cmocka_unit_test_setup(messages_for_a_sibling_on_the_same_link_are_no_strangers, set_up),
        cmocka_unit_test_setup(a_denial_is_told_once_until_service_is_granted, set_up),
        cmocka_unit_test_setup(a_denial_counts_when_it_is_asked_for_or_was_left_for_it, set_up),
        cmocka_unit_test_setup(denials_do_not_flood_the_log_when_many_deny, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
