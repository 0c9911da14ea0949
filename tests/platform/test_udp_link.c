/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links over real sockets on a veth pair in a namespace of the test's own.
 */
#include <cap-ng.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "link_bench.h"
#include "netspace.h"

#define GROUP        0xE0000181u
#define FLOOD_FRAMES 20000

/* an ordinary socket on v1 that others' programs might have */
static int plain_socket(const char *interface, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1),
        0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void flood(int count, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(GROUP)};
    struct ip_mreqn out = {.imr_ifindex = (int)if_nametoindex("v1")};
    uint8_t octets[BENCH_MESSAGE_SIZE];
    int fd = plain_socket("v1", 0);

    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
    bench_make_message(octets, 0, 7);
    for (int i = 0; i != count; i++) {
        while (sendto(fd, octets, sizeof octets, 0, (struct sockaddr *)&address, sizeof address) <
               0) {
        }
    }
    close(fd);
}

static void udp_link_stamps_both_ends_when_frames_pass(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    for (uint16_t i = 1; i <= 50; i++) {
        bench_exchange(&a, &b, i);
        bench_exchange(&b, &a, i);
    }
    assert_true(a.link->counters.sent >= 50);
    assert_int_equal(a.link->counters.sent, b.link->counters.received);
    assert_int_equal(b.link->counters.sent, a.link->counters.received);
    assert_int_equal(a.link->counters.stamps_missing, 0);
    assert_int_equal(a.link->counters.stamps_ambiguous, 0);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void udp_link_gives_each_stamp_its_token_when_many_are_in_flight(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_input tx;
    unsigned seen = 0;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    for (uint16_t i = 1; i <= 10; i++) {
        assert_true(bench_send_sync(&a, i, i));
    }
    for (int i = 0; i < 10; i++) {
        assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        seen |= 1u << tx.token;
    }
    assert_int_equal(seen, 0x7FE);
    mt_linux_close(a.platform);
}

static void udp_link_tells_equal_frames_apart_when_both_are_in_flight(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_input first;
    struct mt_input second;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_send_sync(&a, 9, 1));
    assert_true(bench_send_sync(&a, 9, 2));
    assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &first));
    assert_true(bench_next(&a, MT_INPUT_TX_STAMP, 2000, &second));
    assert_true(first.has_stamp && second.has_stamp);
    assert_int_equal(first.token, 1);
    assert_int_equal(second.token, 2);
    assert_true(first.stamp.ns <= second.stamp.ns);
    mt_linux_close(a.platform);
}

static void udp_link_hears_both_groups_when_general_frames_are_sent(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");
    struct mt_input rx;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    assert_true(bench_send_general(&a, MT_LINK_PRIMARY));
    assert_true(bench_next(&b, MT_INPUT_FRAME, 2000, &rx));
    assert_false(rx.has_stamp);
    assert_true(bench_send_general(&a, MT_LINK_PEER));
    assert_true(bench_next(&b, MT_INPUT_FRAME, 2000, &rx));
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void udp_link_names_the_remedy_when_the_port_is_busy(void **state)
{
    struct mt_link_request request = {.interface = "v0", .ttl = 1};
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux *platform = mt_linux_open(&bench_no_files, reason);
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    int shares = 1;
    int fd = plain_socket("v0", 319);

    (void)state;
    assert_null(provider->ops->open_link(provider, 0, &request, reason));
    assert_non_null(strstr(reason, "319 on v0"));
    assert_non_null(strstr(reason, "in use"));
    assert_non_null(strstr(reason, "stop it"));
    /* a peer that would share the port is a peer all the same */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shares, sizeof shares);
    assert_null(provider->ops->open_link(provider, 0, &request, reason));
    close(fd);
    assert_non_null(provider->ops->open_link(provider, 0, &request, reason));
    mt_linux_close(platform);
}

static void udp_link_opens_when_the_port_is_used_on_another_interface(void **state)
{
    int fd = plain_socket("v1", 319);
    struct bench_node a = bench_open("v0");

    (void)state;
    close(fd);
    mt_linux_close(a.platform);
}

static void set_bind_capability(bool is_wanted)
{
    assert_int_equal(capng_get_caps_process(), 0);
    assert_int_equal(
        capng_update(is_wanted ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, CAP_NET_BIND_SERVICE), 0);
    assert_int_equal(capng_apply(CAPNG_SELECT_CAPS), 0);
}

static void udp_link_names_the_remedy_when_privilege_is_missing(void **state)
{
    struct mt_link_request request = {.interface = "v0", .ttl = 1};
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux *platform = mt_linux_open(&bench_no_files, reason);
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    struct mt_hal_link *link;

    (void)state;
    set_bind_capability(false);
    link = provider->ops->open_link(provider, 0, &request, reason);
    set_bind_capability(true);
    assert_null(link);
    assert_non_null(strstr(reason, "denied"));
    assert_non_null(strstr(reason, "CAP_NET_BIND_SERVICE"));
    mt_linux_close(platform);
}

static void udp_link_waits_when_the_interface_does_not_exist_yet(void **state)
{
    struct mt_input input;
    struct bench_node a;
    struct bench_node b;

    (void)state;
    netspace_delete_pair();
    a = bench_open("v0");
    assert_true(bench_next(&a, MT_INPUT_LINK, 2000, &input));
    assert_false(input.is_up);
    assert_non_null(strstr(mt_linux_link_reason(a.platform, 0), "no interface v0"));
    assert_false(bench_send_sync(&a, 1, 1));
    assert_int_equal(a.link->counters.send_failed, 1);
    assert_true(netspace_make_pair());
    assert_true(bench_wait_state(&a, true));
    assert_string_equal(mt_linux_link_reason(a.platform, 0), "");
    b = bench_open("v1");
    assert_true(bench_wait_state(&b, true));
    bench_exchange(&a, &b, 3);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

/* veth stamps nothing, so a port on it needs no right to change a card; one that waits may. */
static void platform_may_set_cards_when_an_interface_is_awaited(void **state)
{
    static const struct {
        const char *interface;
        enum mt_stamper stamper;
        bool may_set;
    } cases[] = {
        {"v0", MT_STAMPER_AUTO, false},
        {"late0", MT_STAMPER_AUTO, true},
        {"late0", MT_STAMPER_CARD, true},
        {"late0", MT_STAMPER_KERNEL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum mt_transport transports[] = {MT_TRANSPORT_UDP_IPV4, MT_TRANSPORT_NTP};

        for (size_t j = 0; j < 2; j++) {
            struct bench_node node =
                bench_open_as(&(struct mt_link_request){.interface = cases[i].interface,
                                                        .ttl = 1,
                                                        .transport = transports[j],
                                                        .stamper = cases[i].stamper});

            assert_int_equal(mt_linux_may_set_cards(node.platform), cases[i].may_set);
            mt_linux_close(node.platform);
        }
    }
}

static void udp_link_goes_on_when_the_interface_goes_down_and_up(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(netspace_run("ip link set v0 down"));
    assert_true(bench_wait_state(&a, false));
    assert_non_null(strstr(mt_linux_link_reason(a.platform, 0), "down"));
    assert_true(netspace_run("ip link set v0 up"));
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    bench_exchange(&a, &b, 4);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void udp_link_goes_on_when_the_interface_is_made_again(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");
    unsigned before = if_nametoindex("v0");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    netspace_delete_pair();
    assert_true(bench_wait_state(&a, false));
    assert_true(bench_wait_state(&b, false));
    assert_true(netspace_make_pair());
    assert_true(if_nametoindex("v0") != before);
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    bench_exchange(&a, &b, 5);
    bench_exchange(&b, &a, 5);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

/* the groups are lost although name and number are the same as before */
static void udp_link_goes_on_when_the_interface_keeps_its_number(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");
    unsigned v0 = if_nametoindex("v0");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    netspace_delete_pair();
    assert_true(netspace_run("ip link add v0 index %u type veth peer name v1 && "
                             "ip addr add 10.9.0.1/24 dev v0 && ip addr add 10.9.0.2/24 dev v1 "
                             "&& ip link set v0 up && ip link set v1 up",
                             v0));
    assert_true(bench_wait_state(&b, true));
    for (int i = 0; i < 50; i++) { /* the notices are taken one by one */
        struct mt_input input;

        a.provider->wait->ops->next(a.provider->wait, (struct mt_mono){0}, &input);
        b.provider->wait->ops->next(b.provider->wait, (struct mt_mono){0}, &input);
    }
    bench_exchange(&b, &a, 6);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void udp_link_follows_when_the_interface_is_renamed(void **state)
{
    struct bench_node a = bench_open("v0");
    struct bench_node b = bench_open("v1");

    (void)state;
    assert_true(bench_wait_state(&a, true));
    assert_true(bench_wait_state(&b, true));
    assert_true(netspace_run("ip link set v0 name lan0 2>/dev/null || "
                             "(ip link set v0 down && ip link set v0 name lan0 && "
                             "ip link set lan0 up)"));
    bench_exchange(&a, &b, 6);
    assert_true(netspace_run("ip link set lan0 down"));
    assert_true(bench_wait_state(&a, false));
    assert_non_null(strstr(mt_linux_link_reason(a.platform, 0), "lan0"));
    assert_true(netspace_run("ip link set lan0 up"));
    assert_true(bench_wait_state(&a, true));
    bench_exchange(&a, &b, 7);
    bench_exchange(&b, &a, 7);
    mt_linux_close(a.platform);
    mt_linux_close(b.platform);
}

static void udp_link_is_down_when_there_is_no_address(void **state)
{
    struct bench_node a;

    (void)state;
    assert_true(netspace_run("ip addr flush dev v0"));
    a = bench_open("v0");
    assert_true(bench_wait_state(&a, false));
    assert_non_null(strstr(mt_linux_link_reason(a.platform, 0), "no IPv4 address"));
    assert_true(netspace_run("ip addr add 10.9.0.1/24 dev v0"));
    assert_true(bench_wait_state(&a, true));
    mt_linux_close(a.platform);
}

static void udp_link_counts_every_frame_when_it_is_flooded(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_input input;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    flood(FLOOD_FRAMES, 319);
    while (bench_next(&a, MT_INPUT_FRAME, 200, &input)) {
    }
    flood(1, 319); /* the kernel tells of drops with the next frame */
    assert_true(bench_next(&a, MT_INPUT_FRAME, 2000, &input));
    assert_true(a.link->counters.kernel_dropped > 0);
    assert_int_equal(a.link->counters.received + a.link->counters.kernel_dropped, FLOOD_FRAMES + 1);
    mt_linux_close(a.platform);
}

/* however full the sockets are, a stamp waits for a few turns only */
static void udp_link_starves_nobody_when_its_queues_are_full(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_hal_wait *wait = a.provider->wait;
    struct mt_input input;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    flood(500, 319);
    flood(500, 320);
    for (uint16_t i = 1; i <= 50; i++) {
        int turns = 0;

        assert_true(bench_send_sync(&a, i, i));
        do {
            wait->ops->next(wait, MT_MONO_NEVER, &input);
            turns++;
        } while (input.kind != MT_INPUT_TX_STAMP);
        assert_true(input.has_stamp);
        assert_int_equal(input.token, i);
        assert_true(turns <= 6);
    }
    while (a.link->counters.received < 1000) {
        assert_true(bench_next(&a, MT_INPUT_FRAME, 1000, &input));
    }
    mt_linux_close(a.platform);
}

static void on_alarm(int number)
{
    (void)number;
}

static void wait_returns_when_a_signal_comes(void **state)
{
    struct bench_node a = bench_open("v0");
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerspec in_20_ms = {.it_value = {0, 20000000}};
    struct mt_hal_wait *wait = a.provider->wait;
    struct mt_input input;
    timer_t timer;
    int64_t before_ns;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    sigaction(SIGALRM, &action, 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, 0, &timer), 0);
    timer_settime(timer, 0, &in_20_ms, 0);
    before_ns = bench_mono_ns();
    wait->ops->next(wait, MT_MONO_NEVER, &input);
    assert_int_equal(input.kind, MT_INPUT_NONE);
    assert_true(bench_mono_ns() - before_ns < 400000000);
    timer_delete(timer);
    mt_linux_close(a.platform);
}

static void wait_ends_after_half_a_second_when_nothing_is_due(void **state)
{
    struct bench_node a = bench_open("v0");
    struct mt_hal_wait *wait = a.provider->wait;
    struct mt_input input;
    int64_t before_ns;

    (void)state;
    assert_true(bench_wait_state(&a, true));
    before_ns = bench_mono_ns();
    wait->ops->next(wait, MT_MONO_NEVER, &input);
    assert_int_equal(input.kind, MT_INPUT_NONE);
    assert_true(bench_mono_ns() - before_ns < 1500000000);
    mt_linux_close(a.platform);
}

static void provider_makes_an_identity_when_the_interface_has_a_mac(void **state)
{
    static const uint8_t expected[8] = {0x02, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55};
    struct bench_node a = bench_open("v1");
    struct mt_clock_identity identity;

    (void)state;
    assert_true(netspace_run("ip link set v0 address 02:11:22:33:44:55"));
    assert_true(a.provider->ops->identity(a.provider, "v0", &identity));
    assert_memory_equal(identity.octet, expected, sizeof expected);
    assert_false(a.provider->ops->identity(a.provider, "lo", &identity));
    assert_false(a.provider->ops->identity(a.provider, "nowhere", &identity));
    mt_linux_close(a.platform);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(udp_link_stamps_both_ends_when_frames_pass),
        LINK_TEST(udp_link_gives_each_stamp_its_token_when_many_are_in_flight),
        LINK_TEST(udp_link_tells_equal_frames_apart_when_both_are_in_flight),
        LINK_TEST(udp_link_hears_both_groups_when_general_frames_are_sent),
        LINK_TEST(udp_link_names_the_remedy_when_the_port_is_busy),
        LINK_TEST(udp_link_opens_when_the_port_is_used_on_another_interface),
        LINK_TEST(udp_link_names_the_remedy_when_privilege_is_missing),
        LINK_TEST(udp_link_waits_when_the_interface_does_not_exist_yet),
        LINK_TEST(platform_may_set_cards_when_an_interface_is_awaited),
        LINK_TEST(udp_link_goes_on_when_the_interface_goes_down_and_up),
        LINK_TEST(udp_link_goes_on_when_the_interface_is_made_again),
        LINK_TEST(udp_link_goes_on_when_the_interface_keeps_its_number),
        LINK_TEST(udp_link_follows_when_the_interface_is_renamed),
        LINK_TEST(udp_link_is_down_when_there_is_no_address),
        LINK_TEST(udp_link_counts_every_frame_when_it_is_flooded),
        LINK_TEST(udp_link_starves_nobody_when_its_queues_are_full),
        LINK_TEST(wait_returns_when_a_signal_comes),
        LINK_TEST(wait_ends_after_half_a_second_when_nothing_is_due),
        LINK_TEST(provider_makes_an_identity_when_the_interface_has_a_mac),
    };

    if (!netspace_enter()) {
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, 0, 0);
}
