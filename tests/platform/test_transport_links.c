/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What holds for links of every transport, and what is peculiar to UDP over IPv6, Ethernet and
 * VLANs.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "link_bench.h"
#include "netspace.h"

#define QUIET_MS 150

static const struct mt_link_request kinds[] = {
    {.transport = MT_TRANSPORT_UDP_IPV4},
    {.transport = MT_TRANSPORT_UDP_IPV6},
    {.transport = MT_TRANSPORT_IEEE_802_3},
    {.transport = MT_TRANSPORT_IEEE_802_3, .is_tagged = true, .vlan = 5, .vlan_priority = 6},
    {.transport = MT_TRANSPORT_IEEE_802_3, .is_tagged = true, .vlan_priority = 7},
    {.transport = MT_TRANSPORT_IEEE_802_3, .is_not_forwarded = true, .socket_priority = 6},
    {.transport = MT_TRANSPORT_UDP_IPV6, .udp6_scope = 2, .ttl = 9, .dscp = 46},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static struct bench_node open_kind(const char *interface, struct mt_link_request kind)
{
    kind.interface = interface;
    return bench_open_as(&kind);
}

struct couple {
    struct bench_node a; /* on v0 */
    struct bench_node b; /* on v1 */
};

static struct couple open_couple(const struct mt_link_request *a, const struct mt_link_request *b)
{
    struct couple couple = {open_kind("v0", *a), open_kind("v1", *b)};

    assert_true(bench_wait_state(&couple.a, true));
    assert_true(bench_wait_state(&couple.b, true));
    return couple;
}

static void close_couple(struct couple *couple)
{
    mt_linux_close(couple->a.platform);
    mt_linux_close(couple->b.platform);
}

static struct mt_address mac_of(const char *interface)
{
    struct mt_address address = {.network = MT_NETWORK_IEEE_802_3};
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
    memcpy(address.octets, request.ifr_hwaddr.sa_data, ETH_ALEN);
    close(fd);
    return address;
}

static bool hears(struct bench_node *from, struct bench_node *to)
{
    struct mt_input input;

    assert_true(bench_send_sync(from, 3, 1));
    return bench_next(to, MT_INPUT_FRAME, QUIET_MS, &input);
}

/* a frame made by hand leaves v0 */
static void send_raw(const uint8_t *octets, size_t length)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("v0"), .sll_halen = ETH_ALEN};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    assert_true(fd >= 0);
    assert_int_equal(sendto(fd, octets, length, 0, (struct sockaddr *)&to, sizeof to), length);
    close(fd);
}

static size_t make_raw(uint8_t octets[64], const uint8_t to[ETH_ALEN], uint8_t type, bool is_tagged)
{
    size_t at = is_tagged ? 16 : 12;

    memset(octets, 0, 64);
    memcpy(octets, to, ETH_ALEN);
    memcpy(octets + 6, "\2\3\4\5\6\7", ETH_ALEN);
    memcpy(octets + 12, "\x81\x00\x00\x05", 4);
    memcpy(octets + at, "\x88\xF7", 2);
    bench_make_message(octets + at + 2, type, 1);
    return at + 2 + BENCH_MESSAGE_SIZE;
}

/* What leaves v0, as it leaves. */
struct capture {
    int fd;
    ssize_t length;
    uint8_t octets[256];
};

static struct capture open_capture(void)
{
    struct capture capture = {.fd = socket(AF_PACKET, SOCK_RAW, 0)};
    struct sockaddr_ll here = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_ALL),
                               .sll_ifindex = (int)if_nametoindex("v0")};

    assert_int_equal(bind(capture.fd, (struct sockaddr *)&here, sizeof here), 0);
    return capture;
}

/* the next frame to an address that begins so; other traffic may come before */
static void capture_to(struct capture *capture, const char *prefix)
{
    do {
        capture->length = recv(capture->fd, capture->octets, sizeof capture->octets, 0);
        assert_true(capture->length > 14);
    } while (memcmp(capture->octets, prefix, 3) != 0);
}

/* ---- all transports ------------------------------------------------------------------------ */

static void link_stamps_both_ends_whatever_the_transport(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct couple couple = open_couple(&kinds[i], &kinds[i]);

        for (uint16_t sequence = 1; sequence <= 10; sequence++) {
            bench_exchange(&couple.a, &couple.b, sequence);
            bench_exchange(&couple.b, &couple.a, sequence);
        }
        assert_int_equal(couple.a.link->counters.sent, couple.b.link->counters.received);
        assert_int_equal(couple.b.link->counters.sent, couple.a.link->counters.received);
        assert_int_equal(couple.a.link->counters.stamps_missing, 0);
        assert_int_equal(couple.a.link->counters.stamps_ambiguous, 0);
        close_couple(&couple);
    }
}

static void link_hears_both_groups_whatever_the_transport(void **state)
{
    struct mt_input rx;

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct couple couple = open_couple(&kinds[i], &kinds[i]);

        assert_true(bench_send_general(&couple.a, MT_LINK_PRIMARY));
        assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
        assert_false(rx.has_stamp);
        assert_true(bench_send_general(&couple.a, MT_LINK_PEER));
        assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
        close_couple(&couple);
    }
}

/* what has been received is answered by unicast */
static void link_answers_the_sender_whatever_the_transport(void **state)
{
    static const enum mt_network networks[] = {[MT_TRANSPORT_UDP_IPV4] = MT_NETWORK_UDP_IPV4,
                                               [MT_TRANSPORT_UDP_IPV6] = MT_NETWORK_UDP_IPV6,
                                               [MT_TRANSPORT_IEEE_802_3] = MT_NETWORK_IEEE_802_3};
    struct mt_input rx;
    struct mt_input tx;

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct couple couple = open_couple(&kinds[i], &kinds[i]);
        bool is_udp = kinds[i].transport != MT_TRANSPORT_IEEE_802_3;

        assert_true(bench_send_sync(&couple.a, 1, 1));
        assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
        assert_int_equal(rx.from.network, networks[kinds[i].transport]);
        assert_int_equal(rx.from.udp_port, is_udp ? 319 : 0);
        assert_true(bench_send_to(&couple.b, &rx.from, 7, 70));
        assert_true(bench_next(&couple.b, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, 70);
        assert_true(bench_next(&couple.a, MT_INPUT_FRAME, 2000, &rx));
        assert_int_equal(rx.bytes[31], 7);
        close_couple(&couple);
    }
}

static void link_goes_on_when_its_interface_goes_down_and_up(void **state)
{
    (void)state;
    for (size_t i = 1; i < 4; i++) {
        struct couple couple = open_couple(&kinds[i], &kinds[i]);

        assert_true(netspace_run("ip link set v0 down"));
        assert_true(bench_wait_state(&couple.a, false));
        assert_true(netspace_run("ip link set v0 up"));
        assert_true(bench_wait_state(&couple.a, true));
        bench_exchange(&couple.a, &couple.b, 4);
        bench_exchange(&couple.b, &couple.a, 4);
        close_couple(&couple);
    }
}

static void link_goes_on_when_its_interface_is_made_again(void **state)
{
    (void)state;
    for (size_t i = 1; i < 4; i++) {
        struct couple couple = open_couple(&kinds[i], &kinds[i]);

        netspace_delete_pair();
        assert_true(bench_wait_state(&couple.a, false));
        assert_true(bench_wait_state(&couple.b, false));
        assert_true(netspace_make_pair());
        assert_true(bench_wait_state(&couple.a, true));
        assert_true(bench_wait_state(&couple.b, true));
        bench_exchange(&couple.a, &couple.b, 5);
        bench_exchange(&couple.b, &couple.a, 5);
        close_couple(&couple);
    }
}

/* all at once on one interface, in one process: each frame reaches its own link only */
static void links_of_all_transports_share_an_interface(void **state)
{
    struct bench_node one = open_kind("v0", kinds[0]);
    struct mt_hal_link *links[4] = {one.link};
    char reason[MT_HAL_REASON_SIZE];
    struct mt_input rx;

    (void)state;
    for (uint16_t i = 1; i < 4; i++) {
        struct mt_link_request request = kinds[i];

        request.interface = "v0";
        links[i] = one.provider->ops->open_link(one.provider, i, &request, reason);
        assert_non_null(links[i]);
    }
    for (uint16_t i = 0; i < 4; i++) {
        struct bench_node other = open_kind("v1", kinds[i]);

        assert_true(bench_wait_state(&other, true));
        assert_true(bench_send_sync(&other, i, 1));
        assert_true(bench_next(&one, MT_INPUT_FRAME, 2000, &rx));
        assert_int_equal(rx.link, i);
        assert_false(bench_next(&one, MT_INPUT_FRAME, QUIET_MS, &rx));
        mt_linux_close(other.platform);
    }
    mt_linux_close(one.platform);
}

/* ---- UDP over IPv6 ------------------------------------------------------------------------- */

static void udp6_link_adds_two_octets_to_event_messages(void **state)
{
    struct couple couple = open_couple(&kinds[1], &kinds[1]);
    struct mt_input rx;

    (void)state;
    assert_true(bench_send_sync(&couple.a, 1, 1));
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_int_equal(rx.length, BENCH_MESSAGE_SIZE + 2);
    assert_int_equal(rx.bytes[BENCH_MESSAGE_SIZE] | rx.bytes[BENCH_MESSAGE_SIZE + 1], 0);
    assert_true(bench_send_general(&couple.a, MT_LINK_PRIMARY));
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_int_equal(rx.length, BENCH_MESSAGE_SIZE);
    close_couple(&couple);
}

static void udp6_link_sends_its_hop_limit_and_class(void **state)
{
    struct couple couple = open_couple(&kinds[6], &kinds[6]);
    struct capture capture = open_capture();
    const uint8_t *ip = capture.octets + 14;

    (void)state;
    assert_true(bench_send_sync(&couple.a, 1, 1));
    do {
        capture_to(&capture, "\x33\x33\x00");
    } while (ip[6] != IPPROTO_UDP);
    assert_int_equal((ip[0] & 0xF) << 4 | ip[1] >> 4, 46 << 2);
    assert_int_equal(ip[7], 9);
    assert_memory_equal(ip + 24, "\xFF\x02\0\0\0\0\0\0\0\0\0\0\0\0\x01\x81", 16);
    assert_true(bench_send_general(&couple.a, MT_LINK_PEER));
    do {
        capture_to(&capture, "\x33\x33\x00");
    } while (ip[6] != IPPROTO_UDP);
    assert_int_equal(ip[7], 1); /* never forwarded */
    assert_memory_equal(ip + 24, "\xFF\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x6B", 16);
    close(capture.fd);
    close_couple(&couple);
}

static void udp4_link_sends_its_ttl_and_dscp(void **state)
{
    struct mt_link_request kind = {.ttl = 9, .dscp = 46};
    struct couple couple = open_couple(&kind, &kind);
    struct capture capture = open_capture();
    const uint8_t *ip = capture.octets + 14;

    (void)state;
    assert_true(bench_send_sync(&couple.a, 1, 1));
    capture_to(&capture, "\x01\x00\x5E");
    assert_int_equal(ip[1], 46 << 2);
    assert_int_equal(ip[8], 9);
    assert_true(bench_send_general(&couple.a, MT_LINK_PEER));
    capture_to(&capture, "\x01\x00\x5E");
    assert_int_equal(ip[8], 1);
    close(capture.fd);
    close_couple(&couple);
}

static void udp6_links_are_deaf_to_each_other_when_their_scopes_differ(void **state)
{
    struct couple couple = open_couple(&kinds[1], &kinds[6]);

    (void)state;
    assert_false(hears(&couple.a, &couple.b));
    assert_false(hears(&couple.b, &couple.a));
    assert_true(bench_send_general(&couple.a, MT_LINK_PEER)); /* always of the link */
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &(struct mt_input){0}));
    close_couple(&couple);
}

static void udp6_link_is_down_when_there_is_no_address(void **state)
{
    struct bench_node a;

    (void)state;
    assert_true(netspace_run("ip -6 addr flush dev v0"));
    a = open_kind("v0", kinds[1]);
    assert_true(bench_wait_state(&a, false));
    assert_non_null(strstr(mt_linux_link_reason(a.platform, 0), "no IPv6 address"));
    assert_true(netspace_run("ip -6 addr add fe80::7/64 dev v0"));
    assert_true(bench_wait_state(&a, true));
    mt_linux_close(a.platform);
}

/* ---- own addresses ------------------------------------------------------------------------- */

static void expect_own(struct bench_node *node, enum mt_network network, const char *text)
{
    struct mt_address expected = {.network = (uint8_t)network};
    struct mt_address mac = mac_of("v0");
    struct mt_input input = {.is_up = false};

    if (network == MT_NETWORK_IEEE_802_3) {
        expected = mac;
    } else {
        inet_pton(network == MT_NETWORK_UDP_IPV4 ? AF_INET : AF_INET6, text, expected.octets);
    }
    while (!input.is_up) { /* the carrier, or the other address, may be a moment later */
        assert_true(bench_next(node, MT_INPUT_LINK, 3000, &input));
    }
    assert_true(mt_address_equal(&input.from, &expected));
    assert_int_equal(input.length, ETH_ALEN);
    assert_memory_equal(input.bytes, mac.octets, ETH_ALEN);
}

static void link_tells_its_addresses_when_it_comes_up(void **state)
{
    struct bench_node node;

    (void)state;
    assert_true(netspace_run("ip -6 addr flush dev v0 && ip -6 addr add fe80::7/64 dev v0 && "
                             "ip -6 addr add fd00::7/64 dev v0"));
    node = open_kind("v0", kinds[0]);
    expect_own(&node, MT_NETWORK_UDP_IPV4, "10.9.0.1");
    mt_linux_close(node.platform);
    node = open_kind("v0", kinds[1]); /* of all scopes */
    expect_own(&node, MT_NETWORK_UDP_IPV6, "fd00::7");
    mt_linux_close(node.platform);
    node = open_kind("v0", kinds[6]); /* within the link */
    expect_own(&node, MT_NETWORK_UDP_IPV6, "fe80::7");
    mt_linux_close(node.platform);
    node = open_kind("v0", kinds[2]);
    expect_own(&node, MT_NETWORK_IEEE_802_3, NULL);
    mt_linux_close(node.platform);
}

static void link_tells_its_address_when_it_has_another(void **state)
{
    struct bench_node node = open_kind("v0", kinds[0]);

    (void)state;
    expect_own(&node, MT_NETWORK_UDP_IPV4, "10.9.0.1");
    assert_true(netspace_run("ip addr del 10.9.0.1/24 dev v0 && ip addr add 10.9.0.77/24 dev v0"));
    expect_own(&node, MT_NETWORK_UDP_IPV4, "10.9.0.77");
    mt_linux_close(node.platform);
}

/* ---- Ethernet ------------------------------------------------------------------------------ */

static void packet_link_needs_no_address(void **state)
{
    struct couple couple;

    (void)state;
    assert_true(netspace_run("ip addr flush dev v0 && ip addr flush dev v1"));
    couple = open_couple(&kinds[2], &kinds[2]);
    bench_exchange(&couple.a, &couple.b, 1);
    close_couple(&couple);
}

static void packet_link_names_the_senders_mac(void **state)
{
    struct couple couple = open_couple(&kinds[2], &kinds[2]);
    struct mt_address v0 = mac_of("v0");
    struct mt_input rx;

    (void)state;
    assert_true(bench_send_sync(&couple.a, 1, 1));
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_true(mt_address_equal(&rx.from, &v0));
    close_couple(&couple);
}

/* to both group addresses, with padding; what is for others stays outside */
static void packet_link_hears_what_is_addressed_to_it_only(void **state)
{
    static const uint8_t forwarded[] = {0x01, 0x1B, 0x19, 0, 0, 0};
    static const uint8_t not_forwarded[] = {0x01, 0x80, 0xC2, 0, 0, 0x0E};
    static const uint8_t somebody[] = {0x02, 0xAA, 0, 0, 0, 1};
    struct couple couple = open_couple(&kinds[2], &kinds[2]);
    uint8_t octets[64];
    struct mt_input rx;

    (void)state;
    send_raw(octets, make_raw(octets, forwarded, 0, false) + 2);
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_int_equal(rx.length, BENCH_MESSAGE_SIZE + 2);
    assert_int_equal(rx.bytes[3], BENCH_MESSAGE_SIZE);
    send_raw(octets, make_raw(octets, not_forwarded, 11, false));
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    send_raw(octets, make_raw(octets, somebody, 0, false));
    assert_false(bench_next(&couple.b, MT_INPUT_FRAME, QUIET_MS, &rx));
    send_raw(octets, make_raw(octets, forwarded, 0, true)); /* VLAN 5 */
    assert_false(bench_next(&couple.b, MT_INPUT_FRAME, QUIET_MS, &rx));
    close_couple(&couple);
}

static void packet_link_names_the_remedy_when_another_daemon_is_there(void **state)
{
    struct mt_link_request request = kinds[2];
    struct bench_node a = open_kind("v0", kinds[2]);
    struct bench_node b = open_kind("v1", kinds[2]);
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux *platform = mt_linux_open(&bench_no_files, reason);
    struct mt_hal_provider *provider = mt_linux_provider(platform);

    (void)state;
    request.interface = "v0";
    assert_null(provider->ops->open_link(provider, 0, &request, reason));
    assert_non_null(strstr(reason, "over Ethernet on v0"));
    assert_non_null(strstr(reason, "stop it"));
    mt_linux_close(a.platform);
    assert_non_null(provider->ops->open_link(provider, 0, &request, reason));
    mt_linux_close(b.platform);
    mt_linux_close(platform);
}

/* a card lets in what is asked for; veth lets in everything */
static void packet_link_joins_both_groups_at_the_card(void **state)
{
    struct bench_node a = open_kind("v0", kinds[2]);

    (void)state;
    assert_true(netspace_run("ip maddr show dev v0 | grep -q 01:1b:19:00:00:00"));
    assert_true(netspace_run("ip maddr show dev v0 | grep -q 01:80:c2:00:00:0e"));
    mt_linux_close(a.platform);
    assert_false(netspace_run("ip maddr show dev v0 | grep -q 01:1b:19:00:00:00"));
}

/* one sequence number to several receivers: the destination tells the stamps apart */
static void packet_link_stamps_unicast_frames_when_only_their_receivers_differ(void **state)
{
    struct couple couple = open_couple(&kinds[2], &kinds[2]);
    struct mt_address addresses[] = {{MT_NETWORK_IEEE_802_3, {2, 0, 0, 0, 0, 1}, 0}, mac_of("v1")};
    struct mt_input tx;
    struct mt_input rx;

    (void)state;
    assert_true(bench_send_to(&couple.a, &addresses[0], 5, 100));
    assert_true(bench_send_to(&couple.a, &addresses[1], 5, 101));
    assert_true(bench_send_sync(&couple.a, 5, 102));
    for (uint32_t token = 100; token < 103; token++) {
        assert_true(bench_next(&couple.a, MT_INPUT_TX_STAMP, 2000, &tx));
        assert_true(tx.has_stamp);
        assert_int_equal(tx.token, token);
    }
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_true(bench_next(&couple.b, MT_INPUT_FRAME, 2000, &rx));
    assert_false(bench_next(&couple.b, MT_INPUT_FRAME, QUIET_MS, &rx));
    close_couple(&couple);
}

/* ---- VLANs --------------------------------------------------------------------------------- */

static void vlan_links_hear_their_own_vlan_only(void **state)
{
    const struct mt_link_request untagged = kinds[2];
    const struct mt_link_request five = kinds[3];
    const struct mt_link_request priority = kinds[4];
    struct mt_link_request six = five;
    static const struct {
        bool is_heard;
        int from;
        int to;
    } cases[] = {{false, 0, 1}, {false, 1, 0}, {true, 0, 2}, {true, 2, 0},
                 {false, 1, 2}, {false, 1, 3}, {true, 3, 3}};

    (void)state;
    six.vlan = 6;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mt_link_request *of[] = {&untagged, &five, &priority, &six};
        struct couple couple = open_couple(of[cases[i].from], of[cases[i].to]);

        assert_true(hears(&couple.a, &couple.b) == cases[i].is_heard);
        close_couple(&couple);
    }
}

static void vlan_link_sends_its_tag_and_priority(void **state)
{
    struct couple couple = open_couple(&kinds[3], &kinds[3]);
    struct capture capture = open_capture();

    (void)state;
    assert_true(bench_send_sync(&couple.a, 1, 1));
    capture_to(&capture, "\x01\x1B\x19");
    assert_int_equal(capture.length, 18 + BENCH_MESSAGE_SIZE);
    assert_memory_equal(capture.octets + 12, "\x81\x00\xC0\x05\x88\xF7", 6);
    close(capture.fd);
    close_couple(&couple);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(link_stamps_both_ends_whatever_the_transport),
        LINK_TEST(link_hears_both_groups_whatever_the_transport),
        LINK_TEST(link_answers_the_sender_whatever_the_transport),
        LINK_TEST(link_goes_on_when_its_interface_goes_down_and_up),
        LINK_TEST(link_goes_on_when_its_interface_is_made_again),
        LINK_TEST(links_of_all_transports_share_an_interface),
        LINK_TEST(udp6_link_adds_two_octets_to_event_messages),
        LINK_TEST(udp6_link_sends_its_hop_limit_and_class),
        LINK_TEST(udp4_link_sends_its_ttl_and_dscp),
        LINK_TEST(udp6_links_are_deaf_to_each_other_when_their_scopes_differ),
        LINK_TEST(udp6_link_is_down_when_there_is_no_address),
        LINK_TEST(link_tells_its_addresses_when_it_comes_up),
        LINK_TEST(link_tells_its_address_when_it_has_another),
        LINK_TEST(packet_link_needs_no_address),
        LINK_TEST(packet_link_names_the_senders_mac),
        LINK_TEST(packet_link_hears_what_is_addressed_to_it_only),
        LINK_TEST(packet_link_names_the_remedy_when_another_daemon_is_there),
        LINK_TEST(packet_link_joins_both_groups_at_the_card),
        LINK_TEST(packet_link_stamps_unicast_frames_when_only_their_receivers_differ),
        LINK_TEST(vlan_links_hear_their_own_vlan_only),
        LINK_TEST(vlan_link_sends_its_tag_and_priority),
    };

    if (!netspace_enter()) {
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, 0, 0);
}
