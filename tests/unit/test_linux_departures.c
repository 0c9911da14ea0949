/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the first frames of a worker's answers left, without a kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/linux_departures.h"

#define FRAME   44
#define HEADERS 42 /* Ethernet, IPv4, UDP */
#define PACE_NS 1500
#define BEGIN   INT64_C(1700000000000000000)

static struct mt_departures departures;
static uint64_t frame_count;

static int clear(void **state)
{
    (void)state;
    memset(&departures, 0, sizeof departures);
    frame_count = 0;
    return 0;
}

static struct mt_departure departure_of(uint16_t sequence)
{
    struct mt_departure departure = {.rest.sequence = sequence, .length = FRAME};
    departure.to.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(319)};
    departure.to.v4.sin_addr.s_addr = htonl(0x0A000000 | sequence);
    return departure;
}

static void add(uint16_t sequence, bool is_anchor, bool is_first)
{
    struct mt_departure departure = departure_of(sequence);
    mt_departures_add(&departures, &departure, is_anchor, is_first);
}

/* A batch in which all were sent. */
static void add_batch(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add((uint16_t)frame_count++, mt_departures_is_anchor(i, count), i == 0);
    }
}

static bool stamp(uint32_t id, uint16_t sequence, int64_t at_ns)
{
    struct mt_departure departure = departure_of(sequence);
    uint8_t packet[HEADERS + FRAME] = {0};
    memcpy(packet + HEADERS - 12, &departure.to.v4.sin_addr, 4);
    memcpy(packet + HEADERS - 6, &departure.to.v4.sin_port, 2);
    packet[HEADERS + 30] = (uint8_t)(sequence >> 8);
    packet[HEADERS + 31] = (uint8_t)sequence;
    return mt_departures_stamp(&departures, id, packet, sizeof packet, at_ns);
}

static void expect(uint16_t sequence, int64_t at_ns)
{
    const struct mt_departure *departure = mt_departures_take(&departures);
    assert_non_null(departure);
    assert_int_equal(departure->rest.sequence, sequence);
    assert_int_equal(departure->stamp_ns, at_ns);
}

/* Many quiet batches of 17, so that the pace is known. */
static void learn_pace(void)
{
    uint32_t id = 0;
    for (unsigned batch = 0; batch < 200; batch++) {
        uint16_t first = (uint16_t)frame_count;
        add_batch(17);
        for (unsigned i = 0; i < 17; i += 8) {
            assert_true(stamp(id++, (uint16_t)(first + i), BEGIN + i * PACE_NS));
        }
        for (unsigned i = 0; i < 17; i++) {
            assert_non_null(mt_departures_take(&departures));
        }
    }
    assert_null(mt_departures_take(&departures));
    assert_int_equal(departures.lost, 0);
    assert_false(mt_departures_are_awaited(&departures));
}

static void departures_are_the_kernels_when_batches_are_small(void **state)
{
    (void)state;
    add_batch(16);
    for (uint16_t i = 0; i < 16; i++) {
        assert_true(stamp(i, i, BEGIN + i * i));
        expect(i, BEGIN + i * i);
    }
    assert_null(mt_departures_take(&departures));
    assert_false(mt_departures_are_awaited(&departures));
}

static void departures_lie_between_anchors_when_there_are_many(void **state)
{
    (void)state;
    uint16_t first;
    learn_pace();
    first = (uint16_t)frame_count;
    add_batch(17);
    stamp(600, first, BEGIN);
    expect(first, BEGIN);
    assert_null(mt_departures_take(&departures));
    stamp(601, (uint16_t)(first + 8), BEGIN + 8 * (PACE_NS - 100));
    for (uint16_t i = 1; i <= 8; i++) { /* faster than ever: equal distances */
        expect((uint16_t)(first + i), BEGIN + i * (PACE_NS - 100));
    }
    assert_true(mt_departures_are_awaited(&departures));
}

static void departures_are_early_when_the_thread_was_interrupted(void **state)
{
    (void)state;
    uint16_t first;
    learn_pace();
    first = (uint16_t)frame_count;
    add_batch(17);
    stamp(600, first, BEGIN);
    stamp(601, (uint16_t)(first + 8), BEGIN + 8 * PACE_NS + 15000);
    expect(first, BEGIN);
    for (uint16_t i = 1; i < 8; i++) {
        const struct mt_departure *departure = mt_departures_take(&departures);
        assert_in_range(departure->stamp_ns - BEGIN, i * (PACE_NS - 20), i * (PACE_NS + 120));
    }
    expect((uint16_t)(first + 8), BEGIN + 8 * PACE_NS + 15000);
}

static void departures_are_given_up_when_the_interruption_was_long(void **state)
{
    (void)state;
    uint16_t first;
    learn_pace();
    first = (uint16_t)frame_count;
    add_batch(17);
    stamp(600, first, BEGIN);
    stamp(601, (uint16_t)(first + 8), BEGIN + 8 * PACE_NS + 25000);
    expect(first, BEGIN);
    expect((uint16_t)(first + 8), BEGIN + 8 * PACE_NS + 25000);
    assert_int_equal(departures.lost, 7);
    stamp(602, (uint16_t)(first + 16), BEGIN + 16 * PACE_NS + 25000);
    for (uint16_t i = 9; i <= 16; i++) {
        assert_int_equal(mt_departures_take(&departures)->rest.sequence, first + i);
    }
    assert_int_equal(departures.lost, 7);
}

static void departures_are_known_when_stamps_overtake(void **state)
{
    (void)state;
    add_batch(17);
    assert_true(stamp(1, 8, BEGIN + 8 * PACE_NS));
    assert_true(stamp(2, 16, BEGIN + 16 * PACE_NS));
    assert_true(stamp(0, 0, BEGIN));
    uint32_t seen = 0;
    for (unsigned i = 0; i < 17; i++) {
        const struct mt_departure *departure = mt_departures_take(&departures);
        assert_non_null(departure);
        assert_int_equal(departure->stamp_ns, BEGIN + departure->rest.sequence * PACE_NS);
        seen |= 1u << departure->rest.sequence;
    }
    assert_int_equal(seen, (1u << 17) - 1);
    assert_false(mt_departures_are_awaited(&departures));
}

static void departures_wait_when_an_anchor_is_missing(void **state)
{
    (void)state;
    add_batch(17);
    stamp(0, 0, BEGIN);
    stamp(2, 16, BEGIN + 16 * PACE_NS);
    expect(0, BEGIN);
    expect(16, BEGIN + 16 * PACE_NS);
    assert_null(mt_departures_take(&departures));
    assert_true(mt_departures_are_awaited(&departures));
    stamp(1, 8, BEGIN + 8 * PACE_NS);
    for (unsigned i = 1; i < 16; i++) {
        assert_non_null(mt_departures_take(&departures));
    }
    assert_false(mt_departures_are_awaited(&departures));
}

static void departures_are_not_spread_when_batches_are_different(void **state)
{
    (void)state;
    add_batch(1);
    add_batch(1);
    stamp(0, 0, BEGIN);
    stamp(1, 1, BEGIN + 1000000);
    expect(0, BEGIN);
    expect(1, BEGIN + 1000000);
    assert_int_equal(departures.lost, 0);
}

static void departures_refuse_when_the_packet_is_another(void **state)
{
    (void)state;
    add_batch(2);
    assert_false(stamp(0, 7, BEGIN));
    assert_false(stamp(0, 0, 0));
    assert_true(stamp(0, 0, BEGIN));
    assert_false(stamp(0, 0, BEGIN));
}

static void departures_find_the_frame_when_the_kernel_counted_others(void **state)
{
    (void)state;
    add_batch(4);
    for (uint16_t i = 0; i < 4; i++) {
        assert_true(stamp(i + 3u, i, BEGIN + i));
        expect(i, BEGIN + i);
    }
    add(9, true, true); /* by then it is known by how much */
    add(9, true, false);
    assert_true(stamp(8, 9, BEGIN + 8));
    assert_true(stamp(7, 9, BEGIN + 7));
}

/* Nobody but the number could tell them apart. */
static void departures_go_by_the_number_when_frames_are_equal(void **state)
{
    (void)state;
    add(5, true, true);
    add(5, true, false);
    assert_true(stamp(1, 5, BEGIN + 1));
    assert_true(stamp(0, 5, BEGIN));
    expect(5, BEGIN + 1);
    expect(5, BEGIN);
    add(6, true, true);
    add(6, true, false);
    assert_false(stamp(9, 6, BEGIN));
}

static void departures_push_out_the_oldest_when_there_is_no_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MT_DEPARTURES + 3; i++) {
        add((uint16_t)i, true, true);
    }
    assert_int_equal(departures.lost, 3);
    assert_false(stamp(2, 2, BEGIN));
    assert_true(stamp(3, 3, BEGIN));
    assert_true(stamp(MT_DEPARTURES + 2, MT_DEPARTURES + 2, BEGIN));
}

static void departures_are_recognised_when_it_is_ipv6(void **state)
{
    (void)state;
    struct mt_departure departure = {.rest.sequence = 9, .length = FRAME};
    uint8_t packet[14 + 40 + 8 + FRAME + 2] = {0};
    departure.to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(319)};
    memset(&departure.to.v6.sin6_addr, 0xFE, 16);
    mt_departures_add(&departures, &departure, true, true);
    memset(packet + 14 + 24, 0xFE, 16);
    memcpy(packet + 14 + 40 + 2, &departure.to.v6.sin6_port, 2);
    packet[14 + 40 + 8 + 31] = 9;
    packet[14 + 24] = 0;
    assert_false(mt_departures_stamp(&departures, 0, packet, sizeof packet, BEGIN));
    packet[14 + 24] = 0xFE;
    assert_true(mt_departures_stamp(&departures, 0, packet, sizeof packet, BEGIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(departures_are_the_kernels_when_batches_are_small, clear),
        cmocka_unit_test_setup(departures_lie_between_anchors_when_there_are_many, clear),
        cmocka_unit_test_setup(departures_are_early_when_the_thread_was_interrupted, clear),
        cmocka_unit_test_setup(departures_are_given_up_when_the_interruption_was_long, clear),
        cmocka_unit_test_setup(departures_are_known_when_stamps_overtake, clear),
        cmocka_unit_test_setup(departures_wait_when_an_anchor_is_missing, clear),
        cmocka_unit_test_setup(departures_are_not_spread_when_batches_are_different, clear),
        cmocka_unit_test_setup(departures_refuse_when_the_packet_is_another, clear),
        cmocka_unit_test_setup(departures_find_the_frame_when_the_kernel_counted_others, clear),
        cmocka_unit_test_setup(departures_go_by_the_number_when_frames_are_equal, clear),
        cmocka_unit_test_setup(departures_push_out_the_oldest_when_there_is_no_room, clear),
        cmocka_unit_test_setup(departures_are_recognised_when_it_is_ipv6, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
