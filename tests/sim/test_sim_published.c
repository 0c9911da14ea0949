/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published time in a network: it is the estimate, the steered clock follows it closely, and
 * nobody who reads it again and again sees it run backwards.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim_lab.h"

static struct lab net;

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

static uint32_t found(unsigned seed, double jitter_ns, const char *clock_keys)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 10000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = jitter_ns};
    lab_open(&net, seed);
    net.reference = lab_add(&net, "GM", &(struct mt_sim_node_config){0},
                            lab_conf("priority1 = 1\ntransmitter_only = yes", 1));
    const struct mt_sim_node_config config = {.offset_s = 0.1, .frequency = 15e-6, .wander = 1e-9};
    uint32_t rx = lab_add(&net, "RX", &config, lab_conf(clock_keys, 1));
    lab_cable(&net, &cable, net.reference, "eth0", rx, "eth0");
    lab_boot(&net, net.reference);
    lab_boot(&net, rx);
    return rx;
}

static struct mt_world_reading read_page(uint32_t node)
{
    struct mt_world_reading reading;
    assert_true(mt_world_read_page(net.world, node, 0, &reading));
    return reading;
}

static void sim_published_time_goes_on_evenly_when_it_is_read_all_the_time(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t rx = found(seed, 5000, "");
        lab_run(&net, 60);
        int64_t error_ns = read_page(rx).error_ns;
        int64_t end_ns = mt_world_t_ns(net.world) + 10 * INT64_C(1000000000);
        int64_t range_ns[2] = {error_ns, error_ns};
        while (mt_world_t_ns(net.world) < end_ns) {
            mt_world_run_until(net.world, mt_world_t_ns(net.world) + 100000);
            int64_t next_ns = read_page(rx).error_ns;
            assert_in_range(next_ns - error_ns + 52, 0, 104); /* 500 ppm */
            error_ns = next_ns;
            range_ns[0] = next_ns < range_ns[0] ? next_ns : range_ns[0];
            range_ns[1] = next_ns > range_ns[1] ? next_ns : range_ns[1];
        }
        assert_true(range_ns[1] - range_ns[0] > 100); /* and there was something to follow */
        lab_close(&net);
    }
}

/* A clock that may not be adjusted has the time all the same. */
static void sim_published_time_is_right_when_the_clock_is_not_corrected(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t rx = found(seed, 50, "[clock]\nestimates_only = yes");
        lab_run(&net, 60);
        for (int i = 0; i < 100; i++) {
            lab_run(&net, 0.125);
            struct mt_world_reading reading = read_page(rx);
            assert_true(llabs(reading.error_ns) < 100);
            assert_true(llabs(reading.error_ns) < reading.bound_ns);
            assert_true(reading.bound_ns < 12000);
        }
        assert_true(fabs(lab_offset_ns(&net, rx, 0)) > 0.1e9);
        lab_close(&net);
    }
}

/* Nor does it follow a clock that has not got the range. */
static void sim_published_time_is_right_when_the_clock_is_out_of_range(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t rx = found(seed, 50, "[clock]\nmax_rate = 10ppm\nstep_later = never");
        lab_run(&net, 60);
        lab_forget(&net);
        lab_run(&net, 60);
        assert_true(fabs(lab_offset_ns(&net, rx, 0)) > 300000);
        assert_true(llabs(read_page(rx).error_ns) < 100);
        assert_true(lab_is_bounded(&net, rx));
        lab_close(&net);
    }
}

static void sim_published_time_goes_on_when_the_source_is_lost(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t rx = found(seed, 500, "");
        lab_run(&net, 60);
        lab_forget(&net);
        lab_kill(&net, net.reference);
        net.reference = TRUE_TIME;
        int64_t error_ns = read_page(rx).error_ns;
        for (int i = 0; i < 400; i++) {
            lab_run(&net, 0.125);
            int64_t next_ns = read_page(rx).error_ns;
            assert_in_range(next_ns - error_ns + 200, 0, 400);
            error_ns = next_ns;
        }
        assert_int_equal(read_page(rx).state, MT_CLOCK_HOLDOVER);
        assert_int_equal(net.nodes[rx].watch.outside, 0);
        lab_close(&net);
    }
}

/* Of a clock that is 0.1 s off nothing is ever published but by mistake. */
static void sim_published_time_is_never_the_clock_when_the_source_steps(void **state)
{
    FOR_EACH_SEED(seed)
    {
        uint32_t rx = found(seed, 50, "[clock]\nestimates_only = yes");
        lab_run(&net, 60);
        mt_world_set_lie(net.world, net.reference, 0.5, 0);
        for (int i = 0; i < 400; i++) {
            lab_run(&net, 0.05);
            int64_t error_ns = read_page(rx).error_ns;
            assert_true(llabs(error_ns) < 1000 || llabs(error_ns - 500000000) < 1000);
        }
        assert_true(llabs(read_page(rx).error_ns - 500000000) < 1000);
        lab_close(&net);
    }
}

/* No clock runs at half the speed: published time does not, and when the source is a clock again it
 * is right again. */
static void sim_published_time_runs_on_when_the_source_runs_impossibly(void **state)
{
    static const double rates[] = {-0.999, -0.5, -0.15, 0.15, 2};
    static const char *const keys[] = {"", "[clock]\nestimates_only = yes"};
    for (unsigned i = 0; i < 4 * sizeof rates / sizeof rates[0]; i++) {
        uint32_t rx = found(i + 1, 50, keys[i / 2 % 2]);
        lab_run(&net, i % 2 == 0 ? 0 : 60);
        mt_world_set_lie(net.world, net.reference, 0, rates[i / 4]);
        int64_t error_ns = read_page(rx).error_ns;
        int parts = (int)(120 / fabs(rates[i / 4]));
        for (int part = 0; part < parts; part++) {
            lab_run(&net, 0.125);
            int64_t next_ns = read_page(rx).error_ns;
            assert_true(llabs(next_ns - error_ns) < 13500000); /* 10.8 % */
            error_ns = next_ns;
        }
        mt_world_set_lie(net.world, net.reference, 0, 0);
        lab_run(&net, 300);
        assert_int_equal(read_page(rx).state, MT_CLOCK_LOCKED);
        assert_true(llabs(read_page(rx).error_ns) < 1000);
        lab_close(&net);
    }
}

/* And as long as the lie lasts it grows. */
static void sim_published_time_is_wrong_by_the_lie_when_that_is_long(void **state)
{
    found(1, 50, "");
    lab_run(&net, 10);
    mt_world_set_lie(net.world, net.reference, 0, 0.1);
    lab_run(&net, 2000);
    assert_true(llabs(read_page(net.reference).error_ns - 200 * INT64_C(1000000000)) < 1000000);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_published_time_goes_on_evenly_when_it_is_read_all_the_time,
                                  clean_up),
        cmocka_unit_test_teardown(sim_published_time_is_right_when_the_clock_is_not_corrected,
                                  clean_up),
        cmocka_unit_test_teardown(sim_published_time_is_right_when_the_clock_is_out_of_range,
                                  clean_up),
        cmocka_unit_test_teardown(sim_published_time_goes_on_when_the_source_is_lost, clean_up),
        cmocka_unit_test_teardown(sim_published_time_is_never_the_clock_when_the_source_steps,
                                  clean_up),
        cmocka_unit_test_teardown(sim_published_time_runs_on_when_the_source_runs_impossibly,
                                  clean_up),
        cmocka_unit_test_teardown(sim_published_time_is_wrong_by_the_lie_when_that_is_long,
                                  clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
