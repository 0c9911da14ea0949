/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames to one receiver, and who a frame comes from.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

static struct bench_node open_for_many(const char *interface, enum mt_transport transport)
{
    const struct mt_link_request request = {
        .interface = interface, .transport = transport, .is_for_many = true};
    return bench_open_as(&request);
}

static bool send_announce(struct bench_node *node, const struct mt_address *to, uint16_t sequence)
{
    uint8_t octets[BENCH_MESSAGE_SIZE];
    const struct mt_link_frame frame = {
        .bytes = octets, .length = sizeof octets, .destination = MT_LINK_ADDRESS, .to = *to};
    bench_make_message(octets, 11, sequence);
    return node->link->ops->send(node->link, &frame);
}

/* The sequence number of the next frame; -1: none comes. */
static int next_sequence(struct bench_node *node)
{
    struct mt_input rx;
    return bench_next(node, MT_INPUT_FRAME, 1000, &rx) ? rx.bytes[30] << 8 | rx.bytes[31] : -1;
}

static void unicast_link_sends_frames_together_when_it_is_for_many(void **state)
{
    struct bench_node a = open_for_many("v0", MT_TRANSPORT_UDP_IPV4);
    struct bench_node b = bench_open("v1");
    struct mt_address to = address_of("10.9.0.2");
    struct mt_input tx;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    for (uint16_t i = 1; i <= 100; i++) {
        assert_true(i % 2 == 0 ? send_announce(&a, &to, i) : bench_send_to(&a, &to, i, i));
    }
    assert_int_equal(a.link->counters.sent, 64); /* the others wait until it goes to sleep */
    for (uint32_t i = 1; i <= 100; i += 2) {
        assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, i);
    }
    assert_int_equal(a.link->counters.sent, 100);
    assert_int_equal(a.link->counters.stamps_missing, 0);
    for (unsigned i = 0, last[2] = {0, 0}; i < 100; i++) {
        int sequence = next_sequence(&b);
        assert_true(sequence > (int)last[sequence % 2]); /* each socket's in order */
        last[sequence % 2] = (unsigned)sequence;
    }
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void unicast_link_keeps_the_order_when_another_frame_follows(void **state)
{
    struct bench_node a = open_for_many("v0", MT_TRANSPORT_UDP_IPV4);
    struct bench_node b = bench_open("v1");
    struct mt_address to = address_of("10.9.0.2");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    assert_true(bench_send_to(&a, &to, 1, 1));
    assert_true(bench_send_to(&a, &to, 2, 2));
    assert_int_equal(a.link->counters.sent, 0);
    assert_true(bench_send_sync(&a, 3, 3));
    assert_int_equal(a.link->counters.sent, 3);
    assert_true(bench_send_to(&a, &to, 4, 4));
    mt_linux_close(a.platform); /* nothing is left behind */
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(next_sequence(&b), i);
    }
    mt_linux_close(b.platform);
}

static void unicast_link_gives_stamps_up_when_frames_that_wait_are_refused(void **state)
{
    struct bench_node a = open_for_many("v0", MT_TRANSPORT_UDP_IPV4);
    struct mt_address to = address_of("10.9.0.2");
    struct mt_address everybody = address_of("10.9.0.255"); /* not allowed */
    struct mt_input tx;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_send_to(&a, &everybody, 1, 1));
    assert_true(bench_send_to(&a, &to, 2, 2));
    assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
    assert_true(tx.has_stamp);
    assert_int_equal(tx.token, 2);
    assert_int_equal(a.link->counters.sent, 1);
    assert_int_equal(a.link->counters.send_failed, 1);
    assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
    assert_false(tx.has_stamp);
    assert_int_equal(tx.token, 1);
    mt_linux_close(a.platform);
}

/* The kernel asks for a neighbour once a second: a first frame may wait longer than its stamp is
 * waited for. */
static void find_neighbour(struct bench_node *node, const struct mt_address *to)
{
    struct mt_input tx = {.has_stamp = false};

    for (uint32_t i = 0; i < 10 && !tx.has_stamp; i++) {
        assert_true(bench_send_to(node, to, (uint16_t)(1000 + i), 1000 + i));
        assert_true(bench_next(node, MT_INPUT_TX_STAMP, 2000, &tx));
    }
    assert_true(tx.has_stamp);
}

static void unicast_link_sends_frames_together_when_it_is_ipv6(void **state)
{
    struct bench_node a = open_for_many("v0", MT_TRANSPORT_UDP_IPV6);
    struct mt_address to = {.network = MT_NETWORK_UDP_IPV6};
    struct mt_input tx;

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "fd09::2", to.octets), 1);
    assert_true(netspace_run("ip -6 addr add fd09::1/64 dev v0 nodad"));
    assert_true(netspace_run("ip -6 addr add fd09::2/64 dev v1 nodad"));
    assert_true(bench_wait_state(&a, true));
    find_neighbour(&a, &to);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_true(bench_send_to(&a, &to, (uint16_t)i, i));
    }
    for (uint32_t i = 1; i <= 5; i++) {
        assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, i);
    }
    mt_linux_close(a.platform);
}

/* An ordinary socket on v1 that is told the time to live of what it hears. */
static int open_listener(bool is_v6)
{
    const struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(319)};
    const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(319)};
    const struct timeval patience = {.tv_sec = 2};
    const int on = 1;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "v1", sizeof "v1"), 0);
    assert_int_equal(setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                is_v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof on),
                     0);
    assert_int_equal(bind(fd, is_v6 ? (const struct sockaddr *)&any6 : (const void *)&any4,
                          is_v6 ? sizeof any6 : sizeof any4),
                     0);
    return fd;
}

static int hear_time_to_live(int fd)
{
    uint8_t octets[256];
    union {
        struct cmsghdr aligned;
        uint8_t octets[256];
    } control;
    struct iovec piece = {octets, sizeof octets};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = sizeof control.octets};
    int time_to_live = 0;

    assert_true(recvmsg(fd, &message, 0) > 0);
    assert_non_null(CMSG_FIRSTHDR(&message));
    memcpy(&time_to_live, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof time_to_live);
    return time_to_live;
}

/* Who is asked by unicast may be beyond them, though multicast is not to leave the link. */
static void unicast_link_passes_routers_when_multicast_does_not(void **state)
{
    static const char *const stations[] = {"10.9.0.2", "fd09::2"};

    (void)state;
    assert_true(netspace_run("ip -6 addr add fd09::1/64 dev v0 nodad"));
    assert_true(netspace_run("ip -6 addr add fd09::2/64 dev v1 nodad"));
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        const struct mt_link_request request = {
            .interface = "v0", .transport = is_v6 ? MT_TRANSPORT_UDP_IPV6 : MT_TRANSPORT_UDP_IPV4};
        struct bench_node a = bench_open_as(&request);
        struct mt_address to = {.network = is_v6 ? MT_NETWORK_UDP_IPV6 : MT_NETWORK_UDP_IPV4};
        int fd = open_listener(is_v6 != 0);

        assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, stations[is_v6], to.octets), 1);
        assert_true(bench_wait_state(&a, true));
        find_neighbour(&a, &to);
        assert_true(hear_time_to_live(fd) > 1);
        close(fd);
        mt_linux_close(a.platform);
    }
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
        LINK_TEST(unicast_link_sends_frames_together_when_it_is_for_many),
        LINK_TEST(unicast_link_keeps_the_order_when_another_frame_follows),
        LINK_TEST(unicast_link_gives_stamps_up_when_frames_that_wait_are_refused),
        LINK_TEST(unicast_link_sends_frames_together_when_it_is_ipv6),
        LINK_TEST(unicast_link_passes_routers_when_multicast_does_not),
        LINK_TEST(unicast_link_refuses_when_the_address_is_of_another_network),
    };

    if (!netspace_enter()) {
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, 0, 0);
}
