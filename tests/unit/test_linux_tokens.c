/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Matching looped frames to tokens, without a kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "platform/linux/linux_tokens.h"

#define SYNC_SIZE   44
#define PDELAY_SIZE 54
#define PORT        319
#define FRAME_SIZE  256
#define SECOND      INT64_C(1000000000)

static const uint8_t group[4] = {224, 0, 1, 129};
static const uint8_t group6[16] = {0xFF, 0x0E, [14] = 0x01, 0x81};
static const uint8_t mac[6] = {0x01, 0x1B, 0x19, 0, 0, 0};

static struct mt_address destination(void)
{
    struct mt_address address = {.network = MT_NETWORK_UDP_IPV4, .udp_port = PORT};

    memcpy(address.octets, group, sizeof group);
    return address;
}

static struct mt_mono at_ns(int64_t ns)
{
    return (struct mt_mono){ns};
}

static size_t make_message(uint8_t *octets, uint8_t type, uint16_t sequence)
{
    size_t size = type == 3 ? PDELAY_SIZE : SYNC_SIZE;

    memset(octets, 0, size);
    octets[0] = type;
    octets[1] = 0x12;
    octets[3] = (uint8_t)size;
    memcpy(octets + 20, "\1\2\3\4\5\6\7\10\0\1", 10);
    octets[30] = (uint8_t)(sequence >> 8);
    octets[31] = (uint8_t)sequence;
    return size;
}

static struct mt_token_key key_of(uint8_t type, uint16_t sequence)
{
    uint8_t octets[PDELAY_SIZE];
    size_t size = make_message(octets, type, sequence);
    struct mt_address to = destination();
    struct mt_token_key key;

    assert_true(mt_token_key_of(octets, size, &to, &key));
    return key;
}

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* link header of some length, IP header with options, UDP header, message, padding */
static size_t make_frame(uint8_t frame[FRAME_SIZE], size_t link, size_t options, size_t padding,
                         uint8_t type, uint16_t sequence)
{
    uint8_t *ip = frame + link;
    size_t header = 20 + options;
    size_t size;

    memset(frame, 0xFF, FRAME_SIZE);
    memset(ip, 0, header + 8);
    size = make_message(ip + header + 8, type, sequence);
    ip[0] = (uint8_t)(0x40 | header / 4);
    put_u16(ip + 2, header + 8 + size);
    ip[8] = 1;
    ip[9] = 17;
    memcpy(ip + 16, group, 4);
    put_u16(ip + header, PORT);
    put_u16(ip + header + 2, PORT);
    put_u16(ip + header + 4, 8 + size);
    return link + header + 8 + size + padding;
}

static void expect_key(const uint8_t *frame, size_t length, uint8_t type, uint16_t sequence)
{
    struct mt_token_key expected = key_of(type, sequence);
    struct mt_token_key found;

    assert_true(mt_token_key_of_looped(frame, length, MT_NETWORK_UDP_IPV4, PORT, &found));
    assert_memory_equal(found.octets, expected.octets, sizeof found.octets);
    assert_true(mt_address_equal(&found.to, &expected.to));
    assert_int_equal(found.to.udp_port, PORT);
}

static void tokens_find_the_message_when_headers_vary(void **state)
{
    static const size_t links[] = {0, 4, 14, 16, 18, 22, 44, 64};
    uint8_t frame[FRAME_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        for (size_t options = 0; options <= 40; options += 4) {
            for (size_t padding = 0; padding <= 18; padding += 6) {
                size_t length = make_frame(frame, links[i], options, padding, 0, 7);

                expect_key(frame, length, 0, 7);
                length = make_frame(frame, links[i], options, padding, 3, 0xFFFF);
                expect_key(frame, length, 3, 0xFFFF);
            }
        }
    }
}

static void tokens_find_the_message_when_an_ethernet_header_looks_like_ip(void **state)
{
    uint8_t frame[FRAME_SIZE];
    size_t length = make_frame(frame, 14, 0, 0, 0, 9);

    (void)state;
    memcpy(frame, "\x45\x00\x00\x50\x00\x00\x45\x00\x00\x11\x00\x11\x08\x00", 14);
    expect_key(frame, length, 0, 9);
}

/* link header of some length, IPv6 header, UDP header, message, the two octets of annex D */
static size_t make_frame6(uint8_t frame[FRAME_SIZE], size_t link, uint8_t type)
{
    uint8_t *ip = frame + link;
    size_t size;

    memset(frame, 0xFF, FRAME_SIZE);
    memset(ip, 0, 48);
    size = make_message(ip + 48, type, 7) + 2;
    ip[0] = 0x60;
    put_u16(ip + 4, 8 + size);
    ip[6] = 17;
    memcpy(ip + 24, group6, 16);
    put_u16(ip + 40, PORT);
    put_u16(ip + 42, PORT);
    put_u16(ip + 44, 8 + size);
    return link + 48 + size;
}

/* something in front, then an Ethernet header with tags, a message, padding */
static size_t make_ethernet(uint8_t frame[FRAME_SIZE], size_t before, size_t tags, uint8_t type)
{
    uint8_t *at = frame + before + 12;
    size_t size;

    memset(frame, 0xFF, FRAME_SIZE);
    memcpy(frame + before, mac, 6);
    for (size_t i = 0; i < tags; i++, at += 4) {
        put_u16(at, i + 1 < tags ? 0x88A8 : 0x8100);
        put_u16(at + 2, 0x6005);
    }
    put_u16(at, 0x88F7);
    size = make_message(at + 2, type, 7);
    return before + 14 + 4 * tags + size + 6;
}

static void expect_key_to(const uint8_t *frame, size_t length, enum mt_network network,
                          const uint8_t *to, uint8_t type)
{
    struct mt_token_key expected = key_of(type, 7);
    struct mt_token_key found;

    assert_true(mt_token_key_of_looped(frame, length, network, PORT, &found));
    assert_memory_equal(found.octets, expected.octets, sizeof found.octets);
    assert_int_equal(found.to.network, network);
    assert_memory_equal(found.to.octets, to, mt_address_length(&found.to));
    assert_int_equal(found.to.udp_port, network == MT_NETWORK_IEEE_802_3 ? 0 : PORT);
}

static void tokens_find_the_message_when_it_is_in_ipv6(void **state)
{
    uint8_t frame[FRAME_SIZE];
    struct mt_token_key key;

    (void)state;
    for (size_t link = 0; link <= 64; link++) {
        size_t length = make_frame6(frame, link, link % 2 ? 3 : 0);

        expect_key_to(frame, length, MT_NETWORK_UDP_IPV6, group6, link % 2 ? 3 : 0);
        for (size_t cut = 0; cut < length; cut++) {
            assert_false(mt_token_key_of_looped(frame, cut, MT_NETWORK_UDP_IPV6, PORT, &key));
        }
        assert_false(mt_token_key_of_looped(frame, length, MT_NETWORK_UDP_IPV4, PORT, &key));
        assert_false(mt_token_key_of_looped(frame, length, MT_NETWORK_UDP_IPV6, PORT + 1, &key));
    }
}

static void tokens_find_the_message_when_it_is_in_ethernet(void **state)
{
    uint8_t frame[FRAME_SIZE];
    struct mt_token_key key;

    (void)state;
    for (size_t before = 0; before <= 64; before++) {
        for (size_t tags = 0; tags <= 2; tags++) {
            size_t length = make_ethernet(frame, before, tags, tags == 1 ? 3 : 0);

            expect_key_to(frame, length, MT_NETWORK_IEEE_802_3, mac, tags == 1 ? 3 : 0);
            for (size_t cut = 0; cut < length - 6; cut++) {
                assert_false(mt_token_key_of_looped(frame, cut, MT_NETWORK_IEEE_802_3, 0, &key));
            }
        }
    }
}

static void tokens_find_nothing_when_the_frame_is_cut(void **state)
{
    uint8_t frame[FRAME_SIZE];
    size_t length = make_frame(frame, 14, 8, 0, 0, 9);
    struct mt_token_key key;

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        assert_false(mt_token_key_of_looped(frame, cut, MT_NETWORK_UDP_IPV4, PORT, &key));
    }
}

static void tokens_find_nothing_when_it_is_another_packet(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{14, 0x65}, {14, 0x44}, {23, 6}, {35, 0x40}, {39, 1}, {43, 1}, {44, 0xFF}};
    uint8_t frame[FRAME_SIZE];
    struct mt_token_key key;

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        size_t length = make_frame(frame, 14, 0, 0, 0, 9);

        frame[changes[i].at] = changes[i].value;
        assert_false(mt_token_key_of_looped(frame, length, MT_NETWORK_UDP_IPV4, PORT, &key));
    }
}

static void tokens_survive_when_frames_are_random(void **state)
{
    uint8_t frame[FRAME_SIZE];
    struct mt_token_key key;
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 3);
    for (int i = 0; i < 100000; i++) {
        size_t link = mt_prng_below(&prng, 65);
        size_t length = i % 3 == 0   ? make_frame(frame, link, 0, 0, 0, 1)
                        : i % 3 == 1 ? make_frame6(frame, link, 0)
                                     : make_ethernet(frame, link, 1, 0);

        for (int flips = 0; flips < 3; flips++) {
            frame[mt_prng_below(&prng, (uint32_t)length)] = (uint8_t)mt_prng_next_u32(&prng);
        }
        for (int network = MT_NETWORK_UDP_IPV4; network <= MT_NETWORK_IEEE_802_3; network++) {
            (void)mt_token_key_of_looped(frame, mt_prng_below(&prng, (uint32_t)length + 1),
                                         (enum mt_network)network, PORT, &key);
        }
    }
}

static void tokens_tell_messages_apart_when_any_part_of_the_name_differs(void **state)
{
    static const size_t places[] = {0, 4, 5, 20, 27, 28, 29, 30, 31, 44, 51, 53};
    uint8_t octets[PDELAY_SIZE];
    size_t size = make_message(octets, 3, 1);
    uint32_t token;

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct mt_tokens tokens;
        struct mt_token_key key;
        struct mt_token_key sent = key_of(3, 1);
        struct mt_address to = destination();

        mt_tokens_init(&tokens);
        mt_tokens_add(&tokens, &sent, 5, 0, at_ns(0));
        octets[places[i]] ^= 0x10;
        assert_true(mt_token_key_of(octets, size, &to, &key));
        assert_int_equal(mt_tokens_match(&tokens, &key, false, 0, &token), MT_TOKEN_UNKNOWN);
        octets[places[i]] ^= 0x10;
        to.octets[3]++;
        assert_true(mt_token_key_of(octets, size, &to, &key));
        assert_int_equal(mt_tokens_match(&tokens, &key, false, 0, &token), MT_TOKEN_UNKNOWN);
        to.octets[3]--;
        to.udp_port++;
        assert_true(mt_token_key_of(octets, size, &to, &key));
        assert_int_equal(mt_tokens_match(&tokens, &key, false, 0, &token), MT_TOKEN_UNKNOWN);
        assert_int_equal(mt_tokens_match(&tokens, &sent, false, 0, &token), MT_TOKEN_MATCHED);
        assert_int_equal(token, 5);
    }
}

static void tokens_have_no_key_when_the_message_is_short(void **state)
{
    uint8_t octets[PDELAY_SIZE];
    struct mt_address to = destination();
    struct mt_token_key key;

    (void)state;
    make_message(octets, 3, 1);
    assert_false(mt_token_key_of(octets, PDELAY_SIZE - 1, &to, &key));
    octets[0] = 0;
    assert_false(mt_token_key_of(octets, 33, &to, &key));
    assert_true(mt_token_key_of(octets, 34, &to, &key));
    assert_false(mt_token_key_of(octets, 0, &to, &key));
}

static void tokens_match_whatever_the_id_when_the_frame_is_unique(void **state)
{
    struct mt_tokens tokens;
    struct mt_token_key key = key_of(0, 1);
    uint32_t token;

    (void)state;
    mt_tokens_init(&tokens);
    mt_tokens_add(&tokens, &key, 42, 7, at_ns(0));
    assert_int_equal(mt_tokens_match(&tokens, &key, true, 999, &token), MT_TOKEN_MATCHED);
    assert_int_equal(token, 42);
    assert_int_equal(mt_tokens_match(&tokens, &key, true, 7, &token), MT_TOKEN_UNKNOWN);
}

static void tokens_use_the_id_when_frames_are_equal(void **state)
{
    struct mt_tokens tokens;
    struct mt_token_key key = key_of(0, 1);
    uint32_t token = 0;

    (void)state;
    mt_tokens_init(&tokens);
    mt_tokens_add(&tokens, &key, 10, 7, at_ns(0));
    mt_tokens_add(&tokens, &key, 11, 8, at_ns(1));
    assert_int_equal(mt_tokens_match(&tokens, &key, false, 0, &token), MT_TOKEN_AMBIGUOUS);
    assert_int_equal(mt_tokens_match(&tokens, &key, true, 9, &token), MT_TOKEN_AMBIGUOUS);
    assert_int_equal(mt_tokens_match(&tokens, &key, true, 8, &token), MT_TOKEN_MATCHED);
    assert_int_equal(token, 11);
    assert_int_equal(mt_tokens_match(&tokens, &key, true, 9, &token), MT_TOKEN_MATCHED);
    assert_int_equal(token, 10);
}

static void tokens_are_given_up_when_a_second_has_passed(void **state)
{
    struct mt_tokens tokens;
    struct mt_token_key key = key_of(0, 1);
    uint32_t token = 0;

    (void)state;
    mt_tokens_init(&tokens);
    assert_int_equal(mt_tokens_deadline(&tokens).ns, INT64_MAX);
    mt_tokens_add(&tokens, &key, 10, 0, at_ns(5));
    assert_int_equal(mt_tokens_deadline(&tokens).ns, 5 + SECOND);
    assert_false(mt_tokens_next_given_up(&tokens, &token, at_ns(4 + SECOND)));
    assert_true(mt_tokens_next_given_up(&tokens, &token, at_ns(5 + SECOND)));
    assert_int_equal(token, 10);
    assert_false(mt_tokens_next_given_up(&tokens, &token, at_ns(5 + SECOND)));
    assert_int_equal(mt_tokens_deadline(&tokens).ns, INT64_MAX);
    assert_int_equal(mt_tokens_match(&tokens, &key, false, 0, &token), MT_TOKEN_UNKNOWN);
}

static void tokens_give_up_the_oldest_when_too_many_wait(void **state)
{
    struct mt_tokens tokens;
    uint32_t token = 0;

    (void)state;
    mt_tokens_init(&tokens);
    for (uint16_t i = 0; i <= MT_TOKENS_WAITING; i++) {
        struct mt_token_key key = key_of(0, i);

        mt_tokens_add(&tokens, &key, i, i, at_ns(i));
    }
    assert_true(mt_tokens_deadline(&tokens).ns <= MT_TOKENS_WAITING);
    assert_true(mt_tokens_next_given_up(&tokens, &token, at_ns(MT_TOKENS_WAITING)));
    assert_int_equal(token, 0);
    assert_false(mt_tokens_next_given_up(&tokens, &token, at_ns(MT_TOKENS_WAITING)));
}

/* each token leaves once, whatever happens, and one that is not taken out is not lost */
/* Thousands at once, whose stamps come in any order: each finds its own. */
static void tokens_find_each_other_when_many_wait(void **state)
{
    static struct mt_tokens tokens;
    static uint16_t order[MT_TOKENS_WAITING];
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 5);
    mt_tokens_init(&tokens);
    for (uint16_t i = 0; i < MT_TOKENS_WAITING; i++) {
        struct mt_token_key key = key_of(0, i);
        uint16_t other = (uint16_t)mt_prng_below(&prng, i + 1u);

        mt_tokens_add(&tokens, &key, 100000u + i, 4000000000u + i, at_ns(i));
        order[i] = order[other];
        order[other] = i;
    }
    for (uint16_t i = 0; i < MT_TOKENS_WAITING; i++) {
        struct mt_token_key key = key_of(0, order[i]);
        uint32_t id = 4000000000u + order[i] + i % 2; /* the kernel's may be another */
        uint32_t token = 0;

        assert_int_equal(mt_tokens_match(&tokens, &key, i % 3 != 0, id, &token), MT_TOKEN_MATCHED);
        assert_int_equal(token, 100000u + order[i]);
    }
    assert_int_equal(tokens.waiting + tokens.given_up, 0);
}

static void tokens_leave_exactly_once_when_used_at_random(void **state)
{
    struct mt_tokens tokens;
    struct mt_prng prng;
    static uint8_t left[20000];
    uint32_t added = 0;
    uint32_t token;
    int64_t now_ns = 0;

    (void)state;
    mt_prng_init(&prng, 11);
    mt_tokens_init(&tokens);
    for (int i = 0; i < 20000; i++) {
        struct mt_token_key key = key_of(0, (uint16_t)mt_prng_below(&prng, 40));

        now_ns += mt_prng_below(&prng, 100000000);
        if (mt_prng_below(&prng, 2) && mt_tokens_have_room(&tokens)) {
            mt_tokens_add(&tokens, &key, added, added, at_ns(now_ns));
            added++;
        } else if (mt_tokens_match(&tokens, &key, mt_prng_below(&prng, 2),
                                   mt_prng_below(&prng, added + 1), &token) == MT_TOKEN_MATCHED) {
            left[token]++;
        }
        if (mt_prng_below(&prng, 100) == 0) {
            mt_tokens_give_up(&tokens);
        }
        while (mt_prng_below(&prng, 4) == 0 &&
               mt_tokens_next_given_up(&tokens, &token, at_ns(now_ns))) {
            left[token]++;
        }
    }
    while (mt_tokens_next_given_up(&tokens, &token, at_ns(INT64_MAX - 1))) {
        left[token]++;
    }
    assert_true(added > 5000);
    for (uint32_t i = 0; i < added; i++) {
        assert_int_equal(left[i], 1);
    }
}

static void tokens_refuse_when_nobody_takes_them_out(void **state)
{
    struct mt_tokens tokens;
    struct mt_token_key key = key_of(0, 1);
    uint32_t token;
    int taken = 0;

    (void)state;
    mt_tokens_init(&tokens);
    for (uint32_t i = 0; i < MT_TOKENS_SIZE; i++) {
        assert_true(mt_tokens_have_room(&tokens));
        mt_tokens_add(&tokens, &key, i, i, at_ns(i));
    }
    assert_false(mt_tokens_have_room(&tokens));
    while (mt_tokens_next_given_up(&tokens, &token, at_ns(MT_TOKENS_SIZE))) {
        taken++;
    }
    assert_int_equal(taken, MT_TOKENS_SIZE - MT_TOKENS_WAITING);
    assert_true(mt_tokens_have_room(&tokens));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_find_the_message_when_headers_vary),
        cmocka_unit_test(tokens_find_the_message_when_an_ethernet_header_looks_like_ip),
        cmocka_unit_test(tokens_find_the_message_when_it_is_in_ipv6),
        cmocka_unit_test(tokens_find_the_message_when_it_is_in_ethernet),
        cmocka_unit_test(tokens_find_nothing_when_the_frame_is_cut),
        cmocka_unit_test(tokens_find_nothing_when_it_is_another_packet),
        cmocka_unit_test(tokens_survive_when_frames_are_random),
        cmocka_unit_test(tokens_tell_messages_apart_when_any_part_of_the_name_differs),
        cmocka_unit_test(tokens_have_no_key_when_the_message_is_short),
        cmocka_unit_test(tokens_match_whatever_the_id_when_the_frame_is_unique),
        cmocka_unit_test(tokens_use_the_id_when_frames_are_equal),
        cmocka_unit_test(tokens_are_given_up_when_a_second_has_passed),
        cmocka_unit_test(tokens_give_up_the_oldest_when_too_many_wait),
        cmocka_unit_test(tokens_find_each_other_when_many_wait),
        cmocka_unit_test(tokens_leave_exactly_once_when_used_at_random),
        cmocka_unit_test(tokens_refuse_when_nobody_takes_them_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
