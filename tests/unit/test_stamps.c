/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transmit timestamps that do not come, and equipment of version 2.0: a node with one instance on
 * one link, whose frames and stamps are made of numbers.
 */
#include "runtime/stamps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_peer.h"
#include "runtime/node.h"

#define DELAY_REQ  1
#define DELAY_RESP 9
#define SYNC       0

static struct mt_node node;
static struct mt_node_instance instances[2];
static struct mt_node_port node_ports[2];
static struct mt_port ports[1];
static struct mt_port_more more;
static struct mt_peer peer;
static struct mt_stamps stamps[2];
static const struct mt_mono now = {1000};

static int set_up(void **state)
{
    memset(&node, 0, sizeof node);
    memset(instances, 0, sizeof instances);
    memset(ports, 0, sizeof ports);
    memset(stamps, 0, sizeof stamps);
    memset(&more, 0, sizeof more);
    memset(&peer, 0, sizeof peer);
    node.instances = instances;
    node.instance_count = 2;
    node.stamps = stamps;
    node.link_count = 2;
    for (uint16_t i = 0; i < 2; i++) {
        node_ports[i].link = i;
        instances[i].ports = &node_ports[i];
        instances[i].minor.is_auto = true;
        instances[i].ptp.config.minor_version = 1;
        memcpy(instances[i].ptp.config.identity.octet, "\1\2\3\4\5\6\7", 8);
    }
    instances[0].ptp.ports = ports;
    instances[0].ptp.port_count = 1;
    ports[0].config.more = &more;
    more.peer = &peer;
    peer.config.minor_version = 1;
    return 0;
}

static void send_many(unsigned lost, unsigned of)
{
    for (unsigned i = 0; i < of; i++) {
        mt_stamps_note(&node, 0, i >= lost, now);
    }
}

static unsigned told(enum mt_node_event_kind kind, struct mt_node_event *ret_last)
{
    struct mt_node_event event;
    unsigned count = 0;
    memset(ret_last, 0, sizeof *ret_last);
    while (mt_node_next_event(&node, &event)) {
        if (event.kind == kind) {
            *ret_last = event;
            count++;
        }
    }
    return count;
}

static unsigned minor(void)
{
    return instances[0].ptp.config.minor_version;
}

static void request(unsigned count)
{
    const uint8_t frame[44] = {DELAY_REQ, 0x12};
    for (unsigned i = 0; i < count; i++) {
        mt_minor_sent(&node, 0, frame, now);
    }
}

static void hear(unsigned type, uint8_t version, bool is_for_us)
{
    uint8_t frame[54] = {(uint8_t)type, version};
    memset(frame + 20, 7, 8);
    if (is_for_us) {
        memcpy(frame + 44, instances[0].ptp.config.identity.octet, 8);
    }
    mt_minor_heard(
        &node, 0,
        &(struct mt_input){.kind = MT_INPUT_FRAME, .bytes = frame, .length = sizeof frame});
}

static void stamps_are_told_as_lost_once_when_many_are(void **state)
{
    struct mt_node_event event;
    send_many(0, 60);
    send_many(7, 7);
    assert_int_equal(told(MT_NODE_STAMPS, &event), 0);
    send_many(1, 1);
    assert_int_equal(told(MT_NODE_STAMPS, &event), 1);
    assert_true(event.value.stamps.is_losing);
    assert_int_equal(event.value.stamps.lost, 8);
    assert_int_equal(event.value.stamps.of, 64);
    for (int i = 0; i < 100; i++) { /* a fifth */
        send_many(1, 5);
    }
    assert_int_equal(told(MT_NODE_STAMPS, &event), 0);
    send_many(0, 64);
    assert_int_equal(told(MT_NODE_STAMPS, &event), 1);
    assert_false(event.value.stamps.is_losing);
    assert_int_equal(minor(), 1);
}

static void stamps_of_other_links_do_not_count_when_they_are_lost(void **state)
{
    struct mt_node_event event;
    for (int i = 0; i < 64; i++) {
        mt_stamps_note(&node, 1, false, now);
    }
    assert_int_equal(told(MT_NODE_STAMPS, &event), 1);
    assert_int_equal(event.index, 1);
    assert_int_equal(minor(), 1);
    node.stamps = NULL;
    mt_stamps_note(&node, 1, false, now);
}

static void version_is_2_0_when_no_stamp_comes_and_then_some_do(void **state)
{
    struct mt_node_event event;
    send_many(7, 7);
    assert_int_equal(minor(), 1);
    send_many(1, 1);
    assert_int_equal(minor(), 0);
    assert_int_equal(peer.config.minor_version, 0);
    assert_int_equal(told(MT_NODE_MINOR, &event), 1);
    assert_int_equal(event.value.minor, MT_MINOR_NO_STAMPS);
    send_many(0, 64);
    send_many(64, 64);
    assert_int_equal(minor(), 0);
    assert_int_equal(told(MT_NODE_MINOR, &event), 0);
}

static void version_is_2_1_again_when_2_0_gets_no_stamps_either(void **state)
{
    struct mt_node_event event;
    send_many(16, 16);
    assert_int_equal(minor(), 1);
    assert_int_equal(told(MT_NODE_MINOR, &event), 2);
    assert_int_equal(event.value.minor, MT_MINOR_NO_USE);
    send_many(64, 64);
    assert_int_equal(told(MT_NODE_MINOR, &event), 0);
}

static void version_stays_when_the_configuration_says_it(void **state)
{
    instances[0].minor.is_auto = false;
    send_many(64, 64);
    hear(SYNC, 0x02, false);
    request(100);
    assert_int_equal(minor(), 1);
}

static void version_stays_when_a_stamp_has_ever_come(void **state)
{
    send_many(0, 1);
    send_many(64, 64);
    assert_int_equal(minor(), 1);
}

static void version_is_2_0_when_nobody_of_2_0_answers(void **state)
{
    struct mt_node_event event;
    hear(SYNC, 0x02, false);
    request(MT_STAMPS_PATIENCE);
    assert_int_equal(minor(), 1);
    request(1);
    assert_int_equal(minor(), 0);
    assert_int_equal(told(MT_NODE_MINOR, &event), 1);
    assert_int_equal(event.value.minor, MT_MINOR_NO_ANSWERS);
}

static void version_stays_when_somebody_answers_or_speaks_2_1(void **state)
{
    request(100); /* there is nobody */
    assert_int_equal(minor(), 1);
    hear(DELAY_RESP, 0x02, false); /* to somebody else */
    hear(SYNC, 0x12, false);
    request(100);
    assert_int_equal(minor(), 1);
    set_up(state);
    hear(DELAY_RESP, 0x02, true);
    hear(SYNC, 0x02, false);
    request(100);
    assert_int_equal(minor(), 1);
}

static void version_is_not_judged_by_frames_of_other_domains_or_our_own(void **state)
{
    uint8_t frame[44] = {SYNC, 0x02, 0, 0, 5};
    struct mt_input input = {.kind = MT_INPUT_FRAME, .bytes = frame, .length = sizeof frame};
    mt_minor_heard(&node, 0, &input);
    frame[4] = 0;
    memcpy(frame + 20, instances[0].ptp.config.identity.octet, 8);
    mt_minor_heard(&node, 0, &input);
    input.length = 20;
    mt_minor_heard(&node, 0, &input);
    request(100);
    assert_int_equal(minor(), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(stamps_are_told_as_lost_once_when_many_are),
        TEST(stamps_of_other_links_do_not_count_when_they_are_lost),
        TEST(version_is_2_0_when_no_stamp_comes_and_then_some_do),
        TEST(version_is_2_1_again_when_2_0_gets_no_stamps_either),
        TEST(version_stays_when_the_configuration_says_it),
        TEST(version_stays_when_a_stamp_has_ever_come),
        TEST(version_is_2_0_when_nobody_of_2_0_answers),
        TEST(version_stays_when_somebody_answers_or_speaks_2_1),
        TEST(version_is_not_judged_by_frames_of_other_domains_or_our_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
