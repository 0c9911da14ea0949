/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Senders' addresses, frames for one receiver, and several transports on one interface.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim_bare.h"

#define INTERVAL_NS INT64_C(10000000)
#define SWITCHES    3

static struct bare net;

/* The wait table of one node, which keeps what was handed out last. */
static struct listener {
    struct mt_hal_wait hal; /* first */
    struct mt_hal_wait *inner;
    struct mt_input frame;
    unsigned frames;
    unsigned stamps;
} listener;

static void listen_next(struct mt_hal_wait *hal, struct mt_mono deadline,
                        struct mt_input *ret_input)
{
    struct listener *self = (struct listener *)hal;
    self->inner->ops->next(self->inner, deadline, ret_input);
    self->stamps += ret_input->kind == MT_INPUT_TX_STAMP;
    if (ret_input->kind == MT_INPUT_FRAME) {
        self->frames++;
        self->frame = *ret_input;
    }
}

static struct mt_mono listen_now(struct mt_hal_wait *hal)
{
    struct listener *self = (struct listener *)hal;
    return self->inner->ops->now(self->inner);
}

static void listen_at(uint32_t node)
{
    static const struct mt_hal_wait_ops ops = {listen_next, listen_now};
    listener = (struct listener){.hal = {&ops}, .inner = mt_world_provider(net.world, node)->wait};
    mt_world_start(net.world, node, &net.runtimes[node], &listener.hal);
}

static struct mt_address address_of(uint32_t node, enum mt_network network)
{
    struct mt_address address;
    assert_true(mt_world_address(net.world, node, "eth0", network, &address));
    return address;
}

static bool send_to(struct mt_hal_link *link, const struct mt_address *to, bool is_event,
                    uint32_t token)
{
    const uint8_t bytes[44] = {7};
    const struct mt_link_frame frame = {.bytes = bytes,
                                        .length = sizeof bytes,
                                        .destination =
                                            to != NULL ? MT_LINK_ADDRESS : MT_LINK_PRIMARY,
                                        .to = to != NULL ? *to : (struct mt_address){0},
                                        .is_event = is_event,
                                        .token = token};
    return link->ops->send(link, &frame);
}

static struct mt_hal_link *open_another(uint32_t node, uint16_t index, enum mt_transport transport,
                                        uint16_t vlan)
{
    struct mt_hal_provider *provider = mt_world_provider(net.world, node);
    char reason[MT_HAL_REASON_SIZE];
    const struct mt_link_request request = {
        .interface = "eth0", .transport = transport, .is_tagged = vlan != 0, .vlan = vlan};
    struct mt_hal_link *link = provider->ops->open_link(provider, index, &request, reason);
    assert_non_null(link);
    return link;
}

/* A chain of switches with two nodes at each. */
static void open_chain(void)
{
    const struct mt_sim_segment_config cable = {.delay_ns = 100};
    bare_open(&net, 1);
    for (uint32_t i = 0; i < SWITCHES; i++) {
        uint32_t between =
            mt_world_add_switch(net.world, &(struct mt_sim_switch_config){.rate_bps = 1e9});
        for (int k = 0; k < 2; k++) {
            uint32_t segment = mt_world_add_segment(net.world, &cable);
            bare_add(&net, segment);
            assert_true(mt_world_join_switch(net.world, segment, between));
        }
        if (i > 0) {
            uint32_t trunk = mt_world_add_segment(net.world, &cable);
            assert_true(mt_world_join_switch(net.world, trunk, between - 1));
            assert_true(mt_world_join_switch(net.world, trunk, between));
        }
    }
    bare_run(&net, INTERVAL_NS);
}

static void sim_frames_carry_their_senders_address(void **state)
{
    const struct mt_sim_segment_config cable = {0};
    struct mt_address expected;
    bare_pair(&net, 1, &cable);
    listen_at(1);
    expected = address_of(0, MT_NETWORK_UDP_IPV4);
    bare_run(&net, INTERVAL_NS);
    assert_true(send_to(net.links[0], NULL, true, 1));
    bare_run(&net, INTERVAL_NS);
    assert_true(mt_address_equal(&listener.frame.from, &expected));
    assert_int_equal(listener.frame.from.udp_port, 319);
    assert_true(send_to(net.links[0], NULL, false, 0));
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(listener.frame.from.udp_port, 320);
    assert_int_equal(listener.frames, 2);
    bare_close(&net);
}

static void sim_addresses_differ_when_node_interface_or_network_do(void **state)
{
    open_chain();
    for (uint32_t a = 0; a < net.node_count; a++) {
        for (uint32_t b = 0; b < net.node_count; b++) {
            struct mt_address one = address_of(a, MT_NETWORK_IEEE_802_3);
            struct mt_address other = address_of(b, MT_NETWORK_IEEE_802_3);
            assert_true(mt_address_equal(&one, &other) == (a == b));
        }
    }
    struct mt_address none;
    assert_false(mt_world_address(net.world, 0, "eth7", MT_NETWORK_UDP_IPV4, &none));
    bare_close(&net);
}

static void sim_unicast_reaches_exactly_one_node_through_switches(void **state)
{
    open_chain();
    for (uint32_t from = 0; from < net.node_count; from++) {
        for (uint32_t to = 0; to < net.node_count; to++) {
            struct mt_address address = address_of(to, MT_NETWORK_UDP_IPV4);
            uint32_t before = net.count;
            if (from == to) {
                continue;
            }
            assert_true(send_to(net.links[from], &address, true, 1));
            bare_run(&net, INTERVAL_NS);
            assert_int_equal(net.count, before + 1);
            assert_int_equal(net.arrivals[before].node, to);
            assert_int_equal(net.arrivals[before].from, from);
        }
    }
    assert_int_equal(mt_world_count(net.world)->lost, 0);
    bare_close(&net);
}

/* A queue is busy only where the frame goes: a second one on another way does not wait. */
static void sim_switches_learn_where_a_node_is_and_flood_no_more(void **state)
{
    open_chain();
    struct mt_address far = address_of(5, MT_NETWORK_UDP_IPV4);
    struct mt_address near = address_of(1, MT_NETWORK_UDP_IPV4);
    assert_true(send_to(net.links[5], NULL, true, 1));
    assert_true(send_to(net.links[1], NULL, true, 1));
    bare_run(&net, INTERVAL_NS);
    uint32_t before = net.count;
    assert_true(send_to(net.links[2], &near, true, 1));
    bare_run(&net, 500); /* flooded, it would be in front of node 1 when that one gets there */
    assert_true(send_to(net.links[0], &far, true, 1));
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(net.count, before + 2);
    /* each has the way to itself: the switches that lie between, and the cables */
    double frame_ns = 880;
    assert_int_equal(net.arrivals[before].node, 1);
    assert_true(net.arrivals[before].way_ns == 2 * frame_ns + 300);
    assert_int_equal(net.arrivals[before + 1].node, 5);
    assert_true(net.arrivals[before + 1].way_ns == 3 * frame_ns + 400);
    bare_close(&net);
}

static void sim_unicast_goes_nowhere_when_nobody_has_the_address(void **state)
{
    open_chain();
    struct mt_address nobody = address_of(1, MT_NETWORK_UDP_IPV4);
    nobody.octets[0] = 11;
    assert_true(send_to(net.links[0], &nobody, true, 1));
    nobody = address_of(1, MT_NETWORK_UDP_IPV4);
    nobody.octets[3] = 1;
    assert_true(send_to(net.links[0], &nobody, true, 1));
    nobody = address_of(1, MT_NETWORK_UDP_IPV4);
    nobody.octets[1] = 0xFF;
    assert_true(send_to(net.links[0], &nobody, true, 1));
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(net.count, 0);
    assert_int_equal(mt_world_count(net.world)->lost, 3);
    nobody.network = MT_NETWORK_IEEE_802_3; /* not this link's network */
    assert_false(send_to(net.links[0], &nobody, true, 1));
    assert_int_equal(net.links[0]->counters.send_failed, 1);
    bare_close(&net);
}

static void sim_event_frames_get_a_stamp_only_when_they_have_a_token(void **state)
{
    const struct mt_sim_segment_config cable = {0};
    bare_pair(&net, 1, &cable);
    listen_at(0);
    bare_run(&net, INTERVAL_NS);
    assert_true(send_to(net.links[0], NULL, true, 0));
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(listener.stamps, 0);
    assert_true(send_to(net.links[0], NULL, true, 5));
    bare_run(&net, INTERVAL_NS);
    assert_int_equal(listener.stamps, 1);
    bare_close(&net);
}

static void sim_transports_and_vlans_do_not_hear_each_other(void **state)
{
    static const struct {
        enum mt_transport transport;
        uint16_t vlan;
    } kinds[] = {{MT_TRANSPORT_UDP_IPV4, 0},
                 {MT_TRANSPORT_UDP_IPV6, 0},
                 {MT_TRANSPORT_IEEE_802_3, 0},
                 {MT_TRANSPORT_IEEE_802_3, 5}};
    const size_t count = sizeof kinds / sizeof *kinds;
    const struct mt_sim_segment_config cable = {0};
    struct mt_hal_link *links[sizeof kinds / sizeof *kinds] = {NULL};
    bare_pair(&net, 1, &cable);
    listen_at(1);
    links[0] = net.links[0];
    for (uint16_t i = 1; i < count; i++) {
        links[i] = open_another(0, i, kinds[i].transport, kinds[i].vlan);
        (void)open_another(1, i, kinds[i].transport, kinds[i].vlan);
    }
    bare_run(&net, INTERVAL_NS);
    for (uint16_t i = 0; i < count; i++) {
        unsigned before = listener.frames;
        assert_true(send_to(links[i], NULL, true, 1));
        bare_run(&net, INTERVAL_NS);
        assert_int_equal(listener.frames, before + 1);
        assert_int_equal(listener.frame.link, i);
    }
    assert_int_equal(listener.frame.from.network, MT_NETWORK_IEEE_802_3);
    bare_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_frames_carry_their_senders_address),
        cmocka_unit_test(sim_addresses_differ_when_node_interface_or_network_do),
        cmocka_unit_test(sim_unicast_reaches_exactly_one_node_through_switches),
        cmocka_unit_test(sim_switches_learn_where_a_node_is_and_flood_no_more),
        cmocka_unit_test(sim_unicast_goes_nowhere_when_nobody_has_the_address),
        cmocka_unit_test(sim_event_frames_get_a_stamp_only_when_they_have_a_token),
        cmocka_unit_test(sim_transports_and_vlans_do_not_hear_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
