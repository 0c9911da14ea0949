/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames to one receiver, and who a frame comes from.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "link_bench.h"
#include "netspace.h"

#define BURST 1500

static struct mt_address address_of(const char *dotted)
{
    struct mt_address address = {.network = MT_NETWORK_UDP_IPV4};

    assert_int_equal(inet_pton(AF_INET, dotted, address.octets), 1);
    return address;
}

static void unicast_link_names_the_sender_when_a_frame_comes(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");
    struct mt_address v0 = address_of("10.9.0.1");
    struct mt_input rx;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_send_sync(&a, 1, 1));
    assert_true(bench_next(&b, MT_INPUT_FRAME, 2000, &rx));
    assert_true(mt_address_equal(&rx.from, &v0));
    assert_int_equal(rx.from.udp_port, 319);
    assert_true(bench_send_general(&a, MT_LINK_PRIMARY));
    assert_true(bench_next(&b, MT_INPUT_FRAME, 2000, &rx));
    assert_true(mt_address_equal(&rx.from, &v0));
    assert_int_equal(rx.from.udp_port, 320);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

/* one sequence number to several receivers: the destination tells the stamps apart */
static void unicast_link_stamps_unicast_frames_when_only_their_receivers_differ(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");
    struct mt_address v1 = address_of("10.9.0.2");
    struct mt_address v3 = address_of("10.9.0.3");
    struct mt_input tx;
    struct mt_input rx;

    (void)state;
    assert_true(netspace_run("ip addr add 10.9.0.3/24 dev v1"));
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_send_to(&a, &v3, 5, 103));
    assert_true(bench_send_to(&a, &v1, 5, 102));
    assert_true(bench_send_to(&a, &v1, 6, 0)); /* nobody wants its stamp */
    assert_true(bench_send_sync(&a, 5, 101));
    for (uint32_t token = 103; token > 100; token--) {
        assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, token);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(bench_next(&b, MT_INPUT_FRAME, 2000, &rx));
    }
    assert_false(bench_next(&a, MT_INPUT_TX_STAMP, 1100, &tx));
    assert_int_equal(a.link->counters.stamps_missing, 0);
    assert_int_equal(a.link->counters.stamps_ambiguous, 0);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

/* a burst to many receivers, sent before the first stamp is read */
static void unicast_link_stamps_every_frame_when_many_leave_at_once(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_address to = address_of("10.9.0.2");
    struct mt_input tx;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    for (uint32_t i = 1; i <= BURST; i++) {
        assert_true(bench_send_to(&a, &to, (uint16_t)i, i));
    }
    for (uint32_t i = 1; i <= BURST; i++) {
        assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, i);
    }
    assert_int_equal(a.link->counters.stamps_missing, 0);
    assert_int_equal(a.link->counters.stamps_ambiguous, 0);
    mt_linux_close(a.platform);
}

static void unicast_link_refuses_when_the_address_is_of_another_network(void **state)
{
    struct bench_node a = bench_open("v0");
    uint8_t octets[BENCH_MESSAGE_SIZE];
    struct mt_link_frame frame = {.bytes = octets,
                                  .length = BENCH_MESSAGE_SIZE,
                                  .destination = MT_LINK_ADDRESS,
                                  .to = {.network = MT_NETWORK_IEEE_802_3}};

    (void)state;
    assert_true(bench_wait_state(&a, true));
    bench_make_message(octets, 8, 1);
    assert_false(a.link->ops->send(a.link, &frame));
    assert_int_equal(a.link->counters.send_failed, 1);
    mt_linux_close(a.platform);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(unicast_link_names_the_sender_when_a_frame_comes),
        LINK_TEST(unicast_link_stamps_unicast_frames_when_only_their_receivers_differ),
        LINK_TEST(unicast_link_stamps_every_frame_when_many_leave_at_once),
        LINK_TEST(unicast_link_refuses_when_the_address_is_of_another_network),
    };

    if (!netspace_enter()) {
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, 0, 0);
}
