/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP over 802.3 above a controller that the test plays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "embed/ether_link.h"

#define MESSAGE 44

static struct wire {
    struct mt_mac mac;
    uint8_t sent[MT_MAC_FRAME_MAX];
    size_t sent_length;
    uint32_t token;
    bool is_full;
    uint8_t received[MT_MAC_FRAME_MAX];
    size_t received_length; /* 0: nothing */
    bool is_up;
    int64_t now_ns;
    int64_t idle_until_ns;
} wire;
static struct mt_ether_link ether;

static bool send(struct mt_mac *mac, const uint8_t *frame, size_t length, uint32_t token)
{
    memcpy(wire.sent, frame, length);
    wire.sent_length = length;
    wire.token = token;
    return !wire.is_full;
}

static bool receive(struct mt_mac *mac, uint8_t *buffer, size_t capacity,
                    struct mt_mac_received *ret_received)
{
    if (wire.received_length == 0) {
        return false;
    }
    assert_true(wire.received_length <= capacity);
    memcpy(buffer, wire.received, wire.received_length);
    *ret_received = (struct mt_mac_received){
        .length = wire.received_length, .has_stamp = true, .stamp = {.ns = 4711}};
    wire.received_length = 0;
    return true;
}

static bool sent(struct mt_mac *mac, struct mt_mac_sent *ret_sent)
{
    if (wire.token == 0) {
        return false;
    }
    *ret_sent = (struct mt_mac_sent){.token = wire.token, .has_stamp = true, .stamp = {.ns = 815}};
    wire.token = 0;
    return true;
}

static bool is_up(struct mt_mac *mac)
{
    return wire.is_up;
}

static struct mt_mono now(struct mt_mac *mac)
{
    return (struct mt_mono){wire.now_ns};
}

static void idle(struct mt_mac *mac, struct mt_mono until)
{
    wire.idle_until_ns = until.ns;
}

static const struct mt_mac_ops ops = {
    .send = send, .receive = receive, .sent = sent, .is_up = is_up, .now = now, .idle = idle};

static struct mt_input next(int64_t deadline_ns)
{
    struct mt_input input;
    ether.wait.ops->next(&ether.wait, (struct mt_mono){deadline_ns}, &input);
    return input;
}

/* The link is up and has said so. */
static int set_up(void **state)
{
    wire = (struct wire){.mac = {&ops, {2, 0, 0, 0, 0, 9}}, .is_up = true, .now_ns = 1000};
    mt_ether_link_init(&ether, &wire.mac);
    const struct mt_input input = next(2000);
    assert_int_equal(input.kind, MT_INPUT_LINK);
    assert_true(input.is_up);
    return 0;
}

static bool send_message(enum mt_link_destination destination, uint32_t token)
{
    static const uint8_t message[MESSAGE] = {0x12, 0x34};
    const struct mt_link_frame frame = {
        .bytes = message,
        .length = MESSAGE,
        .destination = destination,
        .token = token,
        .to = {.network = MT_NETWORK_IEEE_802_3, .octets = {2, 1, 1, 1, 1, 1}}};
    return ether.link.ops->send(&ether.link, &frame);
}

static void ether_link_puts_the_header_before_a_message_when_it_sends(void **state)
{
    static const uint8_t header[] = {1, 0x1B, 0x19, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0x88, 0xF7};
    assert_true(send_message(MT_LINK_PRIMARY, 5));
    assert_int_equal(wire.sent_length, sizeof header + MESSAGE);
    assert_memory_equal(wire.sent, header, sizeof header);
    assert_int_equal(wire.sent[14], 0x12);
    assert_int_equal(wire.sent[15], 0x34);
    assert_int_equal(ether.link.counters.sent, 1);
}

static void ether_link_sends_to_whom_it_is_told(void **state)
{
    static const uint8_t peer[] = {1, 0x80, 0xC2, 0, 0, 0x0E};
    static const uint8_t one[] = {2, 1, 1, 1, 1, 1};
    assert_true(send_message(MT_LINK_PEER, 0));
    assert_memory_equal(wire.sent, peer, sizeof peer);
    assert_true(send_message(MT_LINK_ADDRESS, 0));
    assert_memory_equal(wire.sent, one, sizeof one);
}

static void ether_link_says_so_when_nothing_was_sent(void **state)
{
    static const uint8_t octets[MT_ORDINARY_FRAME_SIZE + 1];
    const struct mt_link_frame too_long = {.bytes = octets, .length = sizeof octets};
    assert_false(ether.link.ops->send(&ether.link, &too_long));
    wire.is_full = true;
    assert_false(send_message(MT_LINK_PRIMARY, 5));
    assert_int_equal(ether.link.counters.send_failed, 2);
}

static void ether_link_tells_the_stamp_with_its_token(void **state)
{
    assert_true(send_message(MT_LINK_PRIMARY, 5));
    const struct mt_input input = next(2000);
    assert_int_equal(input.kind, MT_INPUT_TX_STAMP);
    assert_int_equal(input.token, 5);
    assert_true(input.has_stamp && input.stamp.ns == 815);
}

static void receive_frame(uint16_t type, size_t header)
{
    memset(wire.received, 0, sizeof wire.received);
    memset(wire.received + 6, 7, 6);
    wire.received[12] = 0x81; /* overwritten unless tagged */
    wire.received[header - 2] = (uint8_t)(type >> 8);
    wire.received[header - 1] = (uint8_t)type;
    wire.received[header] = 0x12;
    wire.received_length = header + MESSAGE;
}

static void ether_link_hands_over_messages_with_and_without_a_tag(void **state)
{
    for (size_t header = 14; header <= 18; header += 4) {
        receive_frame(0x88F7, header);
        const struct mt_input input = next(2000);
        assert_int_equal(input.kind, MT_INPUT_FRAME);
        assert_int_equal(input.length, MESSAGE);
        assert_int_equal(input.bytes[0], 0x12);
        assert_true(input.has_stamp && input.stamp.ns == 4711);
        assert_int_equal(input.from.octets[0], 7);
    }
}

static void ether_link_keeps_to_itself_what_is_not_ptp(void **state)
{
    receive_frame(0x0800, 14);
    assert_int_equal(next(2000).kind, MT_INPUT_NONE);
    receive_frame(0x0806, 18);
    assert_int_equal(next(2000).kind, MT_INPUT_NONE);
    for (size_t length = 1; length <= 14; length++) {
        receive_frame(0x88F7, 14);
        wire.received_length = length;
        assert_int_equal(next(2000).kind, MT_INPUT_NONE);
    }
}

static void ether_link_sleeps_until_the_deadline_or_its_next_look(void **state)
{
    assert_int_equal(next(5000).kind, MT_INPUT_NONE);
    assert_true(wire.idle_until_ns == 5000);
    (void)next(INT64_MAX);
    assert_true(wire.idle_until_ns == 1000 + MT_ETHER_LOOK_NS);
}

static void ether_link_tells_that_the_cable_was_pulled_once(void **state)
{
    wire.is_up = false;
    assert_int_equal(next(2000).kind, MT_INPUT_NONE);
    wire.now_ns += MT_ETHER_LOOK_NS;
    const struct mt_input input = next(INT64_MAX);
    assert_int_equal(input.kind, MT_INPUT_LINK);
    assert_false(input.is_up);
    wire.now_ns += MT_ETHER_LOOK_NS;
    assert_int_equal(next(INT64_MAX).kind, MT_INPUT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ether_link_puts_the_header_before_a_message_when_it_sends, set_up),
        cmocka_unit_test_setup(ether_link_sends_to_whom_it_is_told, set_up),
        cmocka_unit_test_setup(ether_link_says_so_when_nothing_was_sent, set_up),
        cmocka_unit_test_setup(ether_link_tells_the_stamp_with_its_token, set_up),
        cmocka_unit_test_setup(ether_link_hands_over_messages_with_and_without_a_tag, set_up),
        cmocka_unit_test_setup(ether_link_keeps_to_itself_what_is_not_ptp, set_up),
        cmocka_unit_test_setup(ether_link_sleeps_until_the_deadline_or_its_next_look, set_up),
        cmocka_unit_test_setup(ether_link_tells_that_the_cable_was_pulled_once, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
