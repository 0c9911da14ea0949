/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who follows whom in networks of more than one path, more than one clock or more than one
 * domain: each forms one tree, without loops, and re-forms it when a link or a clock goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static const struct mt_sim_segment_config cable = {
    .delay_ns = 2000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 50};

static struct mt_sim_node_config oscillator(double offset_s, double frequency)
{
    return (struct mt_sim_node_config){
        .offset_s = offset_s, .frequency = frequency, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
}

static uint32_t add(struct lab *lab, const char *name, double offset_s, double frequency,
                    const char *keys, unsigned ports)
{
    struct mt_sim_node_config config = oscillator(offset_s, frequency);
    return lab_add(lab, name, &config, lab_conf(keys, ports));
}

static void boot_all(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        lab_boot(lab, i);
    }
}

static unsigned count_states(struct lab *lab, uint32_t node, enum mt_port_state state)
{
    unsigned count = 0;
    for (uint16_t port = 1; port <= lab_instance(lab, node, 0)->port_count; port++) {
        count += lab_state(lab, node, port) == state;
    }
    return count;
}

/* ---- loops ----------------------------------------------------------------------------------- */

/*   GM - BC1 ===== BC2     two cables between the two: one is passive at one end */
static void form_ring(unsigned seed)
{
    lab_open(&net, seed);
    uint32_t gm = add(&net, "GM", 0.1, 5e-6, "priority1 = 1", 1);
    uint32_t near = add(&net, "BC1", -0.1, -5e-6, "", 3);
    uint32_t far = add(&net, "BC2", 0.2, 15e-6, "", 2);
    lab_cable(&net, &cable, gm, "eth0", near, "eth0");
    uint32_t first = lab_cable(&net, &cable, near, "eth1", far, "eth0");
    lab_cable(&net, &cable, near, "eth2", far, "eth1");
    net.reference = gm;
    boot_all(&net);
    lab_run(&net, 40);
    assert_int_equal(count_states(&net, near, MT_STATE_RECEIVER), 1);
    assert_int_equal(count_states(&net, near, MT_STATE_TRANSMITTER), 2);
    assert_int_equal(lab_state(&net, far, 1), MT_STATE_RECEIVER);
    assert_int_equal(lab_state(&net, far, 2), MT_STATE_PASSIVE);

    lab_forget(&net);
    mt_world_set_segment_up(net.world, first, false);
    assert_true(lab_run_until_state(&net, far, 2, MT_STATE_RECEIVER, 15));
    lab_run(&net, 30);
    assert_int_equal(net.nodes[far].watch.steps, 0);
    assert_true(lab_is_bounded(&net, far));
    assert_true(net.nodes[far].watch.max_ns < 2000);

    mt_world_set_segment_up(net.world, first, true);
    lab_run(&net, 30);
    assert_int_equal(count_states(&net, far, MT_STATE_RECEIVER), 1);
    assert_int_equal(count_states(&net, far, MT_STATE_PASSIVE), 1);
    lab_close(&net);
}

static void sim_ring_is_cut_by_one_passive_port_when_two_boundary_clocks_form_it(void **state)
{
    FOR_EACH_SEED(seed)
    {
        form_ring(seed);
    }
}

/* BC1 serves two samples of its own time before it follows the grandmaster: they must not mix
 * with those that come later. */
static void sim_receiver_begins_anew_when_its_parent_finds_a_grandmaster(void **state)
{
    form_ring(16);
}

/*   GM - BC1 - BC2 - BC3 - BC1:  the far link of the ring is cut at one end */
static void sim_ring_of_three_has_one_way_to_each_when_it_is_closed(void **state)
{
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        uint32_t gm = add(&net, "GM", 0.1, 5e-6, "priority1 = 1", 1);
        uint32_t one = add(&net, "BC1", -0.1, -5e-6, "", 3);
        uint32_t two = add(&net, "BC2", 0.2, 15e-6, "", 2);
        uint32_t three = add(&net, "BC3", 0.3, -15e-6, "", 2);
        lab_cable(&net, &cable, gm, "eth0", one, "eth0");
        lab_cable(&net, &cable, one, "eth1", two, "eth0");
        lab_cable(&net, &cable, two, "eth1", three, "eth1");
        lab_cable(&net, &cable, three, "eth0", one, "eth2");
        net.reference = gm;
        boot_all(&net);
        lab_run(&net, 60);
        assert_int_equal(lab_state(&net, two, 1), MT_STATE_RECEIVER);
        assert_int_equal(lab_state(&net, three, 1), MT_STATE_RECEIVER);
        assert_int_equal(count_states(&net, two, MT_STATE_PASSIVE) +
                             count_states(&net, three, MT_STATE_PASSIVE),
                         1);
        assert_int_equal(count_states(&net, two, MT_STATE_TRANSMITTER) +
                             count_states(&net, three, MT_STATE_TRANSMITTER),
                         1);
        lab_close(&net);
    }
}

/* Both ports of one clock on one hub: the higher yields, and nobody hears two of it. */
static void sim_higher_port_is_passive_when_two_of_one_clock_share_a_hub(void **state)
{
    FOR_EACH_SEED(seed)
    {
        lab_open(&net, seed);
        uint32_t gm = add(&net, "GM", 0.1, 5e-6, "priority1 = 1", 2);
        uint32_t rx = add(&net, "RX", -0.1, -5e-6, "", 1);
        uint32_t hub = lab_cable(&net, &cable, gm, "eth0", gm, "eth1");
        assert_true(mt_world_join(net.world, hub, rx, "eth0"));
        net.reference = gm;
        boot_all(&net);
        lab_run(&net, 30);
        assert_int_equal(lab_state(&net, gm, 1), MT_STATE_TRANSMITTER);
        assert_int_equal(lab_state(&net, gm, 2), MT_STATE_PASSIVE);
        assert_int_equal(lab_state(&net, rx, 1), MT_STATE_RECEIVER);
        assert_int_equal(net.nodes[rx].watch.outside, 0);
        lab_close(&net);
    }
}

/* ---- choice of the grandmaster --------------------------------------------------------------- */

static void sim_best_clock_serves_all_when_five_share_a_hub(void **state)
{
    FOR_EACH_SEED(seed)
    {
        static const char *const keys[] = {"priority2 = 9", "clock_class = 190", "",
                                           "priority2 = 8", "clock_class = 200"};
        lab_open(&net, seed);
        uint32_t hub = mt_world_add_segment(net.world, &cable);
        for (uint32_t i = 0; i < 5; i++) {
            add(&net, "N", 0.1 * i, (i - 2.0) * 10e-6, keys[i], 1);
            assert_true(mt_world_join(net.world, hub, i, "eth0"));
        }
        const uint32_t order[] = {1, 4, 3, 0, 2}; /* as each best one dies */
        boot_all(&net);
        for (unsigned round = 0; round < 4; round++) {
            net.reference = order[round];
            lab_run(&net, 25);
            lab_forget(&net);
            lab_run(&net, 10);
            assert_int_equal(lab_state(&net, order[round], 1), MT_STATE_TRANSMITTER);
            for (unsigned i = round + 1; i < 5; i++) {
                assert_int_equal(lab_state(&net, order[i], 1), MT_STATE_RECEIVER);
                assert_true(lab_is_bounded(&net, order[i]));
                assert_int_equal(net.nodes[order[i]].watch.steps, 0);
            }
            lab_kill(&net, order[round]);
        }
        lab_close(&net);
    }
}

/* ---- domains --------------------------------------------------------------------------------- */

static const char two_domains[] = "[ptp]\n"
                                  "log_announce_interval = -1\n"
                                  "log_sync_interval = -3\n"
                                  "log_min_delay_req_interval = -3\n"
                                  "[clock first]\n"
                                  "[clock second]\n"
                                  "[instance first]\n"
                                  "clock = first\n"
                                  "domain = 4\n"
                                  "[instance second]\n"
                                  "clock = second\n"
                                  "domain = 7\n"
                                  "[port a]\n"
                                  "interface = eth0\n"
                                  "instance = first\n"
                                  "[port b]\n"
                                  "interface = eth0\n"
                                  "instance = second\n";

static void sim_two_domains_are_followed_apart_when_a_node_is_in_both(void **state)
{
    FOR_EACH_SEED(seed)
    {
        struct mt_sim_node_config both = oscillator(-0.2, -25e-6);
        lab_open(&net, seed);
        uint32_t four = add(&net, "GM4", 0.4, 4e-6, "domain = 4\npriority1 = 1", 1);
        uint32_t seven = add(&net, "GM7", 0.7, 7e-6, "domain = 7\npriority1 = 1", 1);
        uint32_t rx = lab_add(&net, "RX", &both, two_domains);
        uint32_t hub = lab_cable(&net, &cable, four, "eth0", rx, "eth0");
        assert_true(mt_world_join(net.world, hub, seven, "eth0"));
        boot_all(&net);
        lab_run(&net, 60);
        const uint32_t grandmasters[] = {four, seven};
        for (uint16_t i = 0; i < 2; i++) {
            net.reference = grandmasters[i];
            assert_int_equal(lab_state(&net, grandmasters[i], 1), MT_STATE_TRANSMITTER);
            assert_int_equal(mt_port_state_of(lab_instance(&net, rx, i), 1), MT_STATE_RECEIVER);
            double offset_ns = lab_offset_ns(&net, rx, i);
            assert_true(offset_ns < 200 && offset_ns > -200);
        }
        /* the clocks are apart as their grandmasters are */
        net.reference = four;
        assert_true(lab_offset_ns(&net, rx, 1) > 299e6);
        lab_close(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            sim_ring_is_cut_by_one_passive_port_when_two_boundary_clocks_form_it, clean_up),
        cmocka_unit_test_teardown(sim_receiver_begins_anew_when_its_parent_finds_a_grandmaster,
                                  clean_up),
        cmocka_unit_test_teardown(sim_ring_of_three_has_one_way_to_each_when_it_is_closed,
                                  clean_up),
        cmocka_unit_test_teardown(sim_higher_port_is_passive_when_two_of_one_clock_share_a_hub,
                                  clean_up),
        cmocka_unit_test_teardown(sim_best_clock_serves_all_when_five_share_a_hub, clean_up),
        cmocka_unit_test_teardown(sim_two_domains_are_followed_apart_when_a_node_is_in_both,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
