/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hot standby with all that it can be combined with: linuxptp's servos, a boundary clock and a
 * relay of 802.1AS, which pass both domains on to another clock that stands by itself.  Two
 * grandmasters, APART_NS from one another; the first one vanishes and comes back.  Behind a
 * boundary clock both domains move when that changes sides, by much more than the noise: the last
 * clock may then have to learn what its source is for a second, but it does not step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

#define FIRST    0
#define SECOND   1
#define BETWEEN  2 /* receiver, boundary clock or relay */
#define LAST     3 /* behind it */
#define APART_NS 200

struct setup {
    const char *name;
    const char *gm_keys;  /**< of the grandmasters */
    const char *ptp_keys; /**< of the others */
    const char *between;  /**< profile and other keys of BETWEEN */
    const char *last;     /**< the same of LAST */
    const char *clock_keys;
    bool has_last;
    double move_ns; /**< what no clock may move by between two readings */
};

/* Two instances on one clock, on `ports` interfaces. */
static const char *conf(const struct setup *setup, const char *keys, unsigned ports)
{
    static char text[1200];
    int length = snprintf(text, sizeof text,
                          "[ptp]\nlog_announce_interval = -1\nlog_sync_interval = -3\n%s%s"
                          "[clock]\nstandby_wait = 20s\nstandby_max_difference = 5us\n%s"
                          "[instance here]\nhot_standby = primary\ndomain = 0\n"
                          "[instance there]\nhot_standby = secondary\ndomain = 1\n",
                          setup->ptp_keys, keys, setup->clock_keys);
    for (unsigned i = 0; i < ports; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "[port a%u]\ninterface = eth%u\ninstance = here\n", i, i);
    }
    for (unsigned i = 0; i < ports; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "[port b%u]\ninterface = eth%u\ninstance = there\n", i, i);
    }
    return text;
}

static void found(const struct setup *setup, uint64_t seed)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 500, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 10};
    const struct mt_sim_node_config first = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config second = {.offset_s = APART_NS * 1e-9,
                                              .tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config others[] = {
        {.offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000},
        {.offset_s = 0.1, .frequency = 11e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000}};
    char keys[300];
    lab_open(&net, seed);
    snprintf(keys, sizeof keys, "%sclock_class = 6\npriority1 = 100", setup->gm_keys);
    lab_add(&net, "GM1", &first, lab_conf(keys, 1));
    snprintf(keys, sizeof keys, "%sclock_class = 6\npriority1 = 100\ndomain = 1", setup->gm_keys);
    lab_add(&net, "GM2", &second, lab_conf(keys, 1));
    lab_add(&net, "X", &others[0], conf(setup, setup->between, setup->has_last ? 3 : 2));
    lab_cable(&net, &cable, FIRST, "eth0", BETWEEN, "eth0");
    lab_cable(&net, &cable, SECOND, "eth0", BETWEEN, "eth1");
    if (setup->has_last) {
        lab_add(&net, "L", &others[1], conf(setup, setup->last, 1));
        lab_cable(&net, &cable, BETWEEN, "eth2", LAST, "eth0");
    }
    for (uint32_t node = 0; node < net.node_count; node++) {
        lab_boot(&net, node);
    }
    lab_run(&net, 60);
}

static const struct mt_node_clock *clock_of(uint32_t node)
{
    return &net.nodes[node].composition->node.clocks[0];
}

static double last_ns[LAST + 1];
static double largest_move_ns[LAST + 1];
static unsigned not_locked;

static void watch(struct lab *lab)
{
    for (uint32_t node = BETWEEN; node < lab->node_count; node++) {
        double offset_ns = lab_offset_ns(lab, node, 0);
        double move_ns =
            offset_ns > last_ns[node] ? offset_ns - last_ns[node] : last_ns[node] - offset_ns;
        largest_move_ns[node] = move_ns > largest_move_ns[node] ? move_ns : largest_move_ns[node];
        last_ns[node] = offset_ns;
    }
    not_locked += clock_of(BETWEEN)->discipline.phase != MT_STEER_LOCKED;
}

static void begin_to_watch(void)
{
    for (uint32_t node = BETWEEN; node < net.node_count; node++) {
        last_ns[node] = lab_offset_ns(&net, node, 0);
        largest_move_ns[node] = 0;
    }
    not_locked = 0;
    net.look = watch;
    lab_forget(&net);
}

static void check_all(const struct setup *setup, uint8_t member, double about_ns)
{
    for (uint32_t node = BETWEEN; node < net.node_count; node++) {
        double offset_ns = lab_offset_ns(&net, node, 0);
        printf("%s: node %u: member %u, offset %.0f ns, moved %.0f ns\n", setup->name, node,
               clock_of(node)->standby.active, offset_ns, largest_move_ns[node]);
        assert_int_equal(clock_of(node)->standby.active, member);
        assert_int_equal(net.nodes[node].watch.steps, 0);
        assert_true(largest_move_ns[node] < setup->move_ns);
        assert_true(offset_ns > about_ns - 150 && offset_ns < about_ns + 150);
    }
}

static void run(const struct setup *setup)
{
    FOR_EACH_SEED(seed)
    {
        found(setup, seed);
        begin_to_watch();
        lab_run(&net, 20);
        check_all(setup, MT_STANDBY_PRIMARY, 0);
        lab_kill(&net, FIRST);
        lab_run(&net, 60);
        check_all(setup, MT_STANDBY_SECONDARY, APART_NS);
        lab_boot(&net, FIRST);
        lab_run(&net, 120);
        check_all(setup, MT_STANDBY_PRIMARY, 0);
        assert_int_equal(not_locked, 0);
        lab_close(&net);
    }
}

static void sim_standby_is_seamless_with_the_pi_servo(void **state)
{
    const struct setup setup = {.name = "pi",
                                .gm_keys = "",
                                .ptp_keys = "log_min_delay_req_interval = -3\n",
                                .between = "priority1 = 200\n",
                                .clock_keys = "servo = pi\n",
                                .move_ns = 2 * APART_NS};
    run(&setup);
}

static void sim_standby_is_seamless_with_the_linreg_servo(void **state)
{
    const struct setup setup = {.name = "linreg",
                                .gm_keys = "",
                                .ptp_keys = "log_min_delay_req_interval = -3\n",
                                .between = "priority1 = 200\n",
                                .clock_keys = "servo = linreg\n",
                                .move_ns = 2 * APART_NS};
    run(&setup);
}

static void sim_standby_is_seamless_behind_a_boundary_clock(void **state)
{
    const struct setup setup = {.name = "boundary",
                                .gm_keys = "",
                                .ptp_keys = "log_min_delay_req_interval = -3\n",
                                .between = "priority1 = 200\n",
                                .last = "priority1 = 250\n",
                                .clock_keys = "",
                                .has_last = true,
                                .move_ns = 2 * APART_NS};
    run(&setup);
}

static void sim_standby_is_seamless_behind_a_relay(void **state)
{
    const struct setup setup = {.name = "relay",
                                .gm_keys = "profile = 802.1as\nprofile_strict = no\n",
                                .ptp_keys = "profile_strict = no\n",
                                .between = "profile = 802.1as-relay\n",
                                .last = "profile = 802.1as\n",
                                .clock_keys = "",
                                .has_last = true,
                                .move_ns = 2 * APART_NS};
    run(&setup);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sim_standby_is_seamless_with_the_pi_servo),
        TEST(sim_standby_is_seamless_with_the_linreg_servo),
        TEST(sim_standby_is_seamless_behind_a_boundary_clock),
        TEST(sim_standby_is_seamless_behind_a_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
