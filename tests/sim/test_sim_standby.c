/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hot standby: two grandmasters, each in a domain of its own, and a receiver that follows one and
 * measures both.  Whatever becomes of the one that it follows, its clock must not show when the
 * other one takes over.
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

#define FIRST    0
#define SECOND   1
#define RECEIVER 2

#define PRIMARY   0 /* instances of the receiver */
#define SECONDARY 1

#define APART_NS 200 /* what the second one is ahead of the first */

static const char *const two_instances = "[ptp]\n"
                                         "log_announce_interval = -1\n"
                                         "log_sync_interval = -3\n"
                                         "log_min_delay_req_interval = -3\n"
                                         "receiver_only = yes\n"
                                         "[clock]\n"
                                         "standby_wait = 20s\n"
                                         "standby_max_difference = 2us\n"
                                         "[instance here]\n"
                                         "hot_standby = primary\n"
                                         "[instance there]\n"
                                         "domain = 1\n"
                                         "hot_standby = secondary\n"
                                         "[port a]\n"
                                         "interface = eth0\n"
                                         "instance = here\n"
                                         "[port b]\n"
                                         "interface = eth0\n"
                                         "instance = there\n";

static void found(struct lab *lab, uint64_t seed)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
    const struct mt_sim_node_config first = {.tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config second = {.offset_s = APART_NS * 1e-9,
                                              .tx_stamp_delay_ns = 20000};
    const struct mt_sim_node_config receiver = {
        .offset_s = -0.2, .frequency = -23e-6, .wander = 1e-9, .tx_stamp_delay_ns = 20000};
    lab_open(lab, seed);
    lab_add(lab, "GM1", &first, lab_conf("clock_class = 6", 1));
    lab_add(lab, "GM2", &second, lab_conf("clock_class = 6\ndomain = 1", 1));
    lab_add(lab, "R", &receiver, two_instances);
    uint32_t segment = lab_cable(lab, &cable, FIRST, "eth0", SECOND, "eth0");
    assert_true(mt_world_join(lab->world, segment, RECEIVER, "eth0"));
}

static void start(struct lab *lab, uint64_t seed)
{
    found(lab, seed);
    for (uint32_t node = 0; node < lab->node_count; node++) {
        lab_boot(lab, node);
    }
    lab_run(lab, 40);
}

static const struct mt_standby *standby(void)
{
    return &net.nodes[RECEIVER].composition->node.clocks[0].standby;
}

static const struct mt_discipline *discipline(void)
{
    return &net.nodes[RECEIVER].composition->node.clocks[0].discipline;
}

static void assert_steers(uint8_t member, enum mt_standby_reason reason)
{
    assert_int_equal(standby()->active, member);
    assert_int_equal(standby()->reason, reason);
}

/* Between two readings, an eighth of a second apart, the clock moves no more than this, and it is
 * never anything but locked. */
static double last_ns;
static double largest_move_ns;
static unsigned not_locked;

static void watch_the_move(struct lab *lab)
{
    double offset_ns = lab_offset_ns(lab, RECEIVER, 0);
    double move_ns = offset_ns > last_ns ? offset_ns - last_ns : last_ns - offset_ns;
    largest_move_ns = move_ns > largest_move_ns ? move_ns : largest_move_ns;
    last_ns = offset_ns;
    not_locked += discipline()->phase != MT_STEER_LOCKED;
}

static void begin_to_watch(void)
{
    last_ns = lab_offset_ns(&net, RECEIVER, 0);
    largest_move_ns = 0;
    not_locked = 0;
    net.look = watch_the_move;
    lab_forget(&net);
}

static void assert_seamless(double move_ns)
{
    assert_int_equal(net.nodes[RECEIVER].watch.steps, 0);
    assert_int_equal(not_locked, 0);
    assert_true(largest_move_ns < move_ns);
}

static void assert_both_follow(void)
{
    for (uint16_t instance = PRIMARY; instance <= SECONDARY; instance++) {
        assert_int_equal(mt_port_state_of(lab_instance(&net, RECEIVER, instance), 1),
                         MT_STATE_RECEIVER);
    }
    assert_true(mt_standby_is_redundant(standby()));
}

static void sim_standby_measures_both_and_follows_the_primary(void **state)
{
    FOR_EACH_SEED(seed)
    {
        start(&net, seed);
        assert_both_follow();
        assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
        begin_to_watch();
        lab_run(&net, 60);
        assert_seamless(100);
        assert_true(standby()->difference < -(APART_NS - 50) * 1e-9);
        assert_true(standby()->difference > -(APART_NS + 50) * 1e-9);
        assert_true(lab_mean_ns(&net, RECEIVER) < 20 && lab_mean_ns(&net, RECEIVER) > -20);
        assert_int_equal(standby()->switches, 0);
        lab_close(&net);
    }
}

/* A primary that was never followed has not proved unsteady: it need not wait. */
static void sim_standby_begins_with_the_primary_though_the_secondary_is_heard_first(void **state)
{
    static const double late_s[] = {0.05, 0.14, 0.4, 0.8, 1.5, 2.5, 4, 10, 30};
    FOR_EACH_SEED(seed)
    {
        for (unsigned i = 0; i < sizeof late_s / sizeof *late_s; i++) {
            found(&net, seed);
            lab_boot(&net, RECEIVER);
            lab_boot(&net, SECOND);
            lab_run(&net, late_s[i]);
            lab_boot(&net, FIRST);
            for (unsigned k = 0; k < 200 && !mt_standby_is_redundant(standby()); k++) {
                lab_run(&net, 0.1);
            }
            assert_true(mt_standby_is_redundant(standby()));
            assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
            assert_true(net.nodes[RECEIVER].watch.steps <= 1);
            lab_close(&net);
        }
    }
}

static void sim_standby_takes_over_when_the_primary_vanishes(void **state)
{
    FOR_EACH_SEED(seed)
    {
        start(&net, seed);
        begin_to_watch();
        lab_kill(&net, FIRST);
        lab_run(&net, 1);
        assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_SILENCE); /* before Announce times out */
        lab_run(&net, 19);
        assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_LOSS);
        assert_seamless(APART_NS + 50);
        assert_false(mt_standby_is_redundant(standby()));
        lab_forget(&net);
        lab_run(&net, 40);
        assert_true(lab_mean_ns(&net, RECEIVER) < APART_NS + 20 &&
                    lab_mean_ns(&net, RECEIVER) > APART_NS - 20);
        lab_boot(&net, FIRST);
        lab_run(&net, 15); /* it is there again, but that must last */
        assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_WAIT);
        assert_both_follow();
        lab_run(&net, 20);
        assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
        lab_run(&net, 20);
        assert_seamless(APART_NS + 50);
        assert_int_equal(standby()->switches, 2);
        lab_close(&net);
    }
}

static void sim_standby_takes_over_when_only_sync_stops(void **state)
{
    start(&net, 1);
    begin_to_watch();
    net.hear = NULL;
    struct mt_instance *first = lab_instance(&net, FIRST, 0);
    first->ports[0].config.log_sync_interval = 6; /* as good as none, while it announces itself */
    lab_run(&net, 20);
    assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_SILENCE);
    assert_seamless(APART_NS + 50);
    lab_close(&net);
}

static unsigned not_redundant;

static void watch_the_pair(struct lab *lab)
{
    (void)lab;
    not_redundant += !mt_standby_is_redundant(standby());
}

/* Eight times as long as before, and more: who learns of it has both again. */
static void sim_standby_learns_a_longer_interval(void **state)
{
    for (int8_t log_interval = 0; log_interval <= 1; log_interval++) {
        start(&net, 1);
        lab_instance(&net, FIRST, 0)->ports[0].config.log_sync_interval = log_interval;
        lab_instance(&net, SECOND, 0)->ports[0].config.log_sync_interval = log_interval;
        lab_run(&net, 60);
        assert_both_follow();
        assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
        not_redundant = 0;
        net.look = watch_the_pair;
        lab_run(&net, 60);
        assert_int_equal(not_redundant, 0);
        lab_close(&net);
    }
}

static void sim_standby_leaves_a_grandmaster_when_its_time_jumps(void **state)
{
    FOR_EACH_SEED(seed)
    {
        start(&net, seed);
        begin_to_watch();
        mt_world_set_lie(net.world, FIRST, 1e-3, 0);
        lab_run(&net, 10);
        assert_int_equal(standby()->active, MT_STANDBY_SECONDARY);
        assert_int_equal(net.nodes[RECEIVER].watch.steps, 0);
        lab_run(&net, 50); /* it has settled again, but on another time */
        assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_DIFFERENCE);
        assert_true(net.nodes[RECEIVER].watch.max_ns < 2 * APART_NS);
        assert_int_equal(net.nodes[RECEIVER].watch.steps, 0);
        lab_close(&net);
    }
}

static void sim_standby_follows_the_better_clock_class(void **state)
{
    const struct mt_command worse = {
        .kind = MT_COMMAND_QUALITY,
        .value.quality = {.clock_class = 7, .accuracy = 0xFE, .variance = 0xFFFF}};
    const struct mt_command good = {
        .kind = MT_COMMAND_QUALITY,
        .value.quality = {.clock_class = 6, .accuracy = 0xFE, .variance = 0xFFFF}};
    start(&net, 1);
    begin_to_watch();
    assert_true(lab_command(&net, FIRST, 0, &worse));
    lab_run(&net, 2);
    assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_CLASS);
    lab_run(&net, 20);
    assert_true(lab_command(&net, FIRST, 0, &good));
    lab_run(&net, 2);
    assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
    assert_seamless(APART_NS + 50);
    lab_close(&net);
}

static void sim_standby_holds_over_when_both_are_gone(void **state)
{
    start(&net, 1);
    lab_kill(&net, SECOND);
    lab_run(&net, 5);
    assert_steers(MT_STANDBY_PRIMARY, MT_STANDBY_BY_RANK);
    lab_kill(&net, FIRST);
    lab_run(&net, 10);
    assert_int_equal(standby()->active, MT_STANDBY_NOBODY);
    assert_int_equal(discipline()->phase, MT_STEER_HOLDOVER);
    lab_boot(&net, SECOND);
    lab_run(&net, 20);
    assert_steers(MT_STANDBY_SECONDARY, MT_STANDBY_BY_LOSS);
    assert_int_equal(discipline()->phase, MT_STEER_LOCKED);
    lab_close(&net);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sim_standby_measures_both_and_follows_the_primary),
        TEST(sim_standby_begins_with_the_primary_though_the_secondary_is_heard_first),
        TEST(sim_standby_takes_over_when_the_primary_vanishes),
        TEST(sim_standby_takes_over_when_only_sync_stops),
        TEST(sim_standby_learns_a_longer_interval),
        TEST(sim_standby_leaves_a_grandmaster_when_its_time_jumps),
        TEST(sim_standby_follows_the_better_clock_class),
        TEST(sim_standby_holds_over_when_both_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
