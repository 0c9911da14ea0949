/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Latencies that depend on the speed of the link.
 */
#include "runtime/latencies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/node.h"

static struct mt_interval ns(int64_t value)
{
    return mt_interval_from_ns(value);
}

static const struct mt_latencies table = {
    .rows = {{100, {500 << 16}, {600 << 16}}, {1000, {50 << 16}, {60 << 16}}},
    .otherwise = {0, {7 << 16}, {8 << 16}}};

static void latencies_are_those_of_the_speed_when_it_is_in_the_table(void **state)
{
    struct mt_port_config config = {.ingress_latency = {1}, .egress_latency = {2}};
    mt_latencies_apply(&table, 1000, &config);
    assert_int_equal(config.ingress_latency.q16, ns(50).q16);
    assert_int_equal(config.egress_latency.q16, ns(60).q16);
    mt_latencies_apply(&table, 100, &config);
    assert_int_equal(config.ingress_latency.q16, ns(500).q16);
    assert_int_equal(config.egress_latency.q16, ns(600).q16);
}

static void latencies_are_the_general_ones_when_the_speed_is_not_in_the_table(void **state)
{
    struct mt_port_config config = {.ingress_latency = {1}, .egress_latency = {2}};
    mt_latencies_apply(&table, 2500, &config);
    assert_int_equal(config.ingress_latency.q16, ns(7).q16);
    mt_latencies_apply(&table, 100, &config);
    mt_latencies_apply(&table, 0, &config);
    assert_int_equal(config.egress_latency.q16, ns(8).q16);
}

static void latencies_stay_when_there_is_no_table(void **state)
{
    const struct mt_latencies none = {.otherwise = {0, {7}, {8}}};
    struct mt_port_config config = {.ingress_latency = {1}, .egress_latency = {2}};
    mt_latencies_apply(&none, 1000, &config);
    assert_int_equal(config.ingress_latency.q16, 1);
    assert_int_equal(config.egress_latency.q16, 2);
}

/* A link that says another speed, without going down. */
static void latencies_change_when_the_link_changes_its_speed(void **state)
{
    static struct mt_node node;
    static struct mt_node_instance instance;
    static struct mt_node_port plug;
    static struct mt_port port;
    static struct mt_node_clock clock;
    static struct mt_hal_link link;
    static struct mt_hal_link *links[] = {&link};
    struct mt_input input = {.kind = MT_INPUT_LINK, .is_up = false, .speed_mbit = 1000};
    const struct mt_latencies *const rows = &table;
    plug.latencies = *rows;
    instance.ports = &plug;
    instance.ptp.ports = &port;
    instance.ptp.port_count = 1;
    instance.ptp.config.features = &mt_ptp_receiver_features;
    node.instances = &instance;
    node.instance_count = 1;
    node.clocks = &clock;
    node.links = links;
    node.link_count = 1;
    node.local_link = MT_NODE_NO_LINK;
    mt_node_input(&node, &input);
    assert_int_equal(plug.speed_mbit, 1000);
    assert_int_equal(port.config.egress_latency.q16, ns(60).q16);
    port.config.egress_latency = ns(61); /* by management */
    mt_node_input(&node, &input);
    assert_int_equal(port.config.egress_latency.q16, ns(61).q16);
    input.speed_mbit = 100;
    mt_node_input(&node, &input);
    assert_int_equal(port.config.egress_latency.q16, ns(600).q16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latencies_are_those_of_the_speed_when_it_is_in_the_table),
        cmocka_unit_test(latencies_are_the_general_ones_when_the_speed_is_not_in_the_table),
        cmocka_unit_test(latencies_stay_when_there_is_no_table),
        cmocka_unit_test(latencies_change_when_the_link_changes_its_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
