/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What only the world knows: a lie, UTC, when frames truly left and came; that what is added
 * disturbs nobody; and that thousands of nodes fit in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config cable = {
    .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
static const struct mt_sim_node_config perfect = {0};
static const struct mt_sim_node_config server = {
    .offset_s = 0.01, .frequency = 5e-6, .wander = 1e-9, .granularity_ns = 8};

static void open_pair_at(uint64_t seed, int64_t t_ns)
{
    lab_open(&net, seed);
    assert_true(mt_world_run_until(net.world, t_ns));
    lab_add(&net, "GM", &perfect, lab_conf("priority1 = 1", 1));
    lab_add(&net, "R", &server, lab_conf("", 1));
    lab_cable(&net, &cable, 0, "eth0", 1, "eth0");
    lab_boot(&net, 0);
    lab_boot(&net, 1);
}

static void open_pair(uint64_t seed)
{
    open_pair_at(seed, 0);
}

/* ---- lies ------------------------------------------------------------------------------------ */

static struct mt_world_reading page_of(uint32_t node)
{
    struct mt_world_reading reading;
    assert_true(mt_world_read_page(net.world, node, 0, &reading));
    return reading;
}

/* The grandmaster goes off by 5 us and runs away; its page says nothing of it, and its receiver
 * follows. */
static void sim_lie_is_invisible_to_the_node_when_its_clock_lies(void **state)
{
    open_pair(1);
    lab_run(&net, 30);
    struct mt_world_reading before = page_of(0);
    const struct mt_composition *liar = net.nodes[0].composition;
    uint64_t events = liar->node.event_count + liar->node.events_lost;
    mt_world_set_lie(net.world, 0, 5e-6, 1e-7);
    lab_run(&net, 60);
    struct mt_world_reading after = page_of(0);
    assert_true(before.error_ns == 0);
    assert_in_range(after.error_ns, 5000 + 6000 - 2, 5000 + 6000 + 2);
    assert_int_equal(after.bound_ns, before.bound_ns);
    assert_int_equal(after.reference, before.reference);
    assert_int_equal(after.state, before.state);
    assert_int_equal(liar->node.event_count + liar->node.events_lost, events);
    assert_in_range((int64_t)lab_offset_ns(&net, 1, 0), 10500, 11500);
    lab_close(&net);
}

/* ---- UTC ------------------------------------------------------------------------------------- */

static void tell_facts(uint32_t node)
{
    struct mt_world_utc utc = mt_world_utc(net.world);
    struct mt_hal_wait *wait = mt_world_provider(net.world, node)->wait;
    mt_composition_set_facts(net.nodes[node].composition,
                             &(struct mt_compose_facts){.tai_utc_known = true,
                                                        .tai_minus_utc_s = utc.tai_minus_utc_s,
                                                        .leap_s = utc.leap_s},
                             wait->ops->now(wait));
}

static void sim_utc_moves_and_is_known_everywhere_when_a_leap_second_comes(void **state)
{
    /* no other day than the last of a month may have one */
    const int64_t second_ns = INT64_C(1000000000);
    const int64_t leap_ns = 31 * 86400 * second_ns;
    open_pair_at(1, leap_ns - 40 * second_ns);
    lab_run(&net, 10);
    assert_int_equal(page_of(1).tai_minus_utc_s, 37);
    mt_world_schedule_leap(net.world, leap_ns, 1, 20 * second_ns);
    struct mt_world_utc utc = mt_world_utc(net.world);
    assert_int_equal(utc.leap_s, 0);
    assert_true(utc.changes_t_ns == leap_ns - 20 * second_ns);
    lab_run(&net, 10);
    tell_facts(0);
    lab_run(&net, 10);
    assert_int_equal(page_of(1).leap_s, 1);
    assert_int_equal(page_of(1).tai_minus_utc_s, 37);
    utc = mt_world_utc(net.world);
    assert_int_equal(utc.tai_minus_utc_s, 37);
    assert_true(utc.changes_t_ns == leap_ns);
    lab_run(&net, 10);
    tell_facts(0);
    lab_run(&net, 10);
    utc = mt_world_utc(net.world);
    assert_int_equal(utc.tai_minus_utc_s, 38);
    assert_int_equal(utc.leap_s, 0);
    assert_true(utc.changes_t_ns == INT64_MAX);
    assert_int_equal(page_of(1).leap_s, 0);
    assert_int_equal(page_of(1).tai_minus_utc_s, 38);
    assert_in_range(page_of(1).error_ns + 1000, 0, 2000); /* the clock goes on: it counts TAI */
    mt_world_schedule_leap(net.world, leap_ns + 20 * second_ns, -1, 0);
    lab_run(&net, 20);
    assert_int_equal(mt_world_utc(net.world).tai_minus_utc_s, 37);
    lab_close(&net);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct ways {
    unsigned count;
    unsigned late; /**< handed over before they had come, or long after */
    double sum_ns;
};

static void see_arrival(void *context, const struct mt_world_arrival *arrival)
{
    struct ways *ways = context;
    int64_t base_ns = MT_WORLD_EPOCH_S * MT_NS_PER_S + arrival->t_ns;
    int64_t wait_ns = base_ns - arrival->arrival.ns;

    ways->count++;
    ways->late += wait_ns < 0 || wait_ns > 1;
    ways->sum_ns += (double)(arrival->arrival.ns - arrival->departure.ns) +
                    (arrival->arrival.frac - arrival->departure.frac) / 65536.0;
    assert_true(arrival->from_node != arrival->node);
    assert_true((arrival->bytes[0] & 0xF) <= 1); /* Sync and Delay_Req */
}

static void sim_arrivals_are_told_with_the_truth_when_somebody_observes(void **state)
{
    struct ways ways = {0};
    open_pair(1);
    mt_world_observe(net.world,
                     &(struct mt_world_observer){.context = &ways, .arrival = see_arrival});
    lab_run(&net, 60);
    assert_in_range(ways.count, 800, 1000);
    assert_int_equal(ways.late, 0);
    assert_true(ways.sum_ns / ways.count > 995 && ways.sum_ns / ways.count < 1005);
    lab_close(&net);
}

/* ---- many ------------------------------------------------------------------------------------ */

/* A second pair beside the first one, and another listener on its hub, change nothing there. */
static double offset_beside(unsigned others)
{
    lab_open(&net, 1);
    lab_add(&net, "GM", &perfect, lab_conf("priority1 = 1", 1));
    lab_add(&net, "R", &server, lab_conf("", 1));
    uint32_t hub = lab_cable(&net, &cable, 0, "eth0", 1, "eth0");
    if (others > 0) { /* listens only: nothing of it reaches the others */
        lab_add(&net, "L", &server, lab_conf("", 1));
        assert_true(mt_world_join(net.world, hub, 2, "eth0"));
    }
    if (others > 1) {
        lab_add(&net, "GM2", &perfect, lab_conf("priority1 = 1", 1));
        lab_add(&net, "R2", &server, lab_conf("", 1));
        lab_cable(&net, &cable, 3, "eth0", 4, "eth0");
    }
    lab_boot(&net, 0);
    lab_boot(&net, 1);
    for (uint32_t i = 3; i < net.node_count; i++) {
        lab_boot(&net, i);
    }
    lab_run(&net, 40);
    double offset_ns = lab_offset_ns(&net, 1, 0);
    lab_close(&net);
    return offset_ns;
}

static void sim_nodes_are_undisturbed_when_others_are_added(void **state)
{
    double alone_ns = offset_beside(0);
    assert_true(alone_ns != 0);
    assert_true(offset_beside(1) == alone_ns);
    assert_true(offset_beside(2) == alone_ns);
}

#define BRANCHES 50
#define LEAVES   59
#define CROWD    (1 + BRANCHES * (1 + LEAVES))

static struct mt_composition *crowd[CROWD];
static unsigned crowd_ports[CROWD];

static void join_two(struct mt_world *world, uint32_t a, uint32_t b)
{
    uint32_t segment = mt_world_add_segment(world, &cable);
    const uint32_t ends[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "eth%u", crowd_ports[ends[i]]++);
        assert_true(mt_world_join(world, segment, ends[i], name));
    }
}

static void boot_one(struct mt_world *world, uint32_t number, struct mt_config *config)
{
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    struct mt_hal_provider *provider = mt_world_provider(world, number);
    char reason[MT_HAL_REASON_SIZE];
    crowd[number] = mt_compose(config, provider, &facts, reason);
    assert_non_null(crowd[number]);
    mt_world_start(world, number, &crowd[number]->node, provider->wait);
}

static struct mt_config *config_of(const char *keys, unsigned ports)
{
    char text[4096];
    size_t length =
        (size_t)snprintf(text, sizeof text, "[ptp]\nlog_announce_interval = -2\n%s\n", keys);
    for (unsigned i = 0; i < ports; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "[ptp eth%u]\n", i);
    }
    struct mt_config_problems problems = {0};
    struct mt_config *config = NULL;
    assert_true(mt_config_parse(text, length, "crowd", NULL, 0, &config, &problems));
    return config;
}

static void sim_world_holds_thousands_of_nodes_when_asked_to(void **state)
{
    struct mt_world *world = mt_world_new(1);
    struct mt_config *configs[] = {config_of("priority1 = 1", BRANCHES), config_of("", 1 + LEAVES),
                                   config_of("", 1)};
    memset(crowd_ports, 0, sizeof crowd_ports);
    for (uint32_t i = 0; i < CROWD; i++) {
        mt_world_add_node(world, i == 0 ? &perfect : &server);
    }
    for (uint32_t i = 1; i < CROWD; i++) {
        join_two(world, i <= BRANCHES ? 0 : 1 + (i - 1 - BRANCHES) / LEAVES, i);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        boot_one(world, i, configs[i == 0 ? 0 : i <= BRANCHES ? 1 : 2]);
    }
    assert_true(mt_world_run_until(world, 10 * INT64_C(1000000000)));
    unsigned following = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        following += mt_instance_receiving_port(&crowd[i]->node.instances[0].ptp) != 0;
        assert_true(crowd[i]->node.inputs > 10);
    }
    assert_in_range(following, BRANCHES, CROWD - 1); /* behind those that are calibrated by now */
    for (uint32_t i = 0; i < CROWD; i++) {
        mt_composition_free(crowd[i]);
    }
    for (int i = 0; i < 3; i++) {
        mt_config_free(configs[i]);
    }
    mt_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_lie_is_invisible_to_the_node_when_its_clock_lies, clean_up),
        cmocka_unit_test_teardown(sim_utc_moves_and_is_known_everywhere_when_a_leap_second_comes,
                                  clean_up),
        cmocka_unit_test_teardown(sim_arrivals_are_told_with_the_truth_when_somebody_observes,
                                  clean_up),
        cmocka_unit_test_teardown(sim_nodes_are_undisturbed_when_others_are_added, clean_up),
        cmocka_unit_test(sim_world_holds_thousands_of_nodes_when_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
