/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A machine that follows PTP, steers its own clock and serves NTP, while a leap second passes: TAI
 * goes on, the kernel's REALTIME repeats the second or leaves it out, its CLOCK_TAI does neither,
 * and NTP clients get what the configuration says, all to the microsecond.  And what becomes of UTC
 * when the machine knows less than its grandmaster, or the grandmaster lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ntp_wire.h"
#include "sim_kernel.h"
#include "sim_lab.h"

#define SECOND  INT64_C(1000000000)
#define END_NS  (31 * 86400 * SECOND) /* of January */
#define EPOCH_S (MT_WORLD_EPOCH_S - MT_WORLD_TAI_MINUS_UTC)
#define MICRO   1000

enum { GM, MACHINE };

static struct lab net;
static struct sim_kernel kernel;
static int64_t leap_t_ns;
static int32_t leap_s;
static struct mt_compose_facts machine_facts;

static int clean_up(void **state)
{
    int status = lab_clean_up(&net);
    sim_kernel_free(&kernel);
    return status;
}

static struct mt_mono now_of(uint32_t node)
{
    struct mt_hal_wait *wait = mt_world_provider(net.world, node)->wait;
    return wait->ops->now(wait);
}

static void tell(uint32_t node, const struct mt_compose_facts *facts)
{
    if (!mt_compose_are_same_facts(facts, &net.nodes[node].composition->facts)) {
        mt_composition_set_facts(net.nodes[node].composition, facts, now_of(node));
    }
}

/* The grandmaster knows; the machine has its own word. */
static void watch(struct lab *lab)
{
    const struct mt_world_utc utc = mt_world_utc(lab->world);
    const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = utc.tai_minus_utc_s, .leap_s = utc.leap_s};
    tell(GM, &facts);
    tell(MACHINE, &machine_facts);
}

static struct mt_hal_provider *provide(struct lab *lab, uint32_t node,
                                       struct mt_hal_provider *world)
{
    return node == MACHINE ? sim_kernel_provide(&kernel, world) : world;
}

/* 300 s before the leap second it is announced; `before_s` before it the network begins. */
static void found(unsigned seed, int32_t change_s, int64_t before_s, const char *gm_keys,
                  const char *server_keys)
{
    static const struct mt_sim_node_config perfect = {0};
    static const struct mt_sim_node_config ordinary = {
        .offset_s = 0.01, .frequency = 5e-6, .wander = 1e-9, .granularity_ns = 8};
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
    char keys[300];
    lab_open(&net, seed);
    net.provide = provide;
    sim_kernel_init(&kernel, MT_WORLD_TAI_MINUS_UTC);
    machine_facts = (struct mt_compose_facts){
        .tai_utc_known = true, .tai_minus_utc_s = 37, .by = MT_LEAP_BY_OLD_LIST, .slack_s = 2};
    leap_s = change_s;
    leap_t_ns = change_s > 0 ? END_NS : END_NS - SECOND;
    mt_world_schedule_leap(net.world, leap_t_ns, change_s, (before_s - 100) * SECOND);
    assert_true(mt_world_run_until(net.world, END_NS - before_s * SECOND)); /* empty: at once */
    snprintf(keys, sizeof keys, "[ptp]\npriority1 = 1\n%s\n[ptp eth0]\n", gm_keys);
    lab_add(&net, "GM", &perfect, keys);
    snprintf(keys, sizeof keys,
             "[clock]\nclock = system\n[ptp eth0]\n[server]\nmax_error = 10s\n%s\n", server_keys);
    lab_add(&net, "M", &ordinary, keys);
    lab_cable(&net, &cable, GM, "eth0", MACHINE, "eth0");
    lab_boot(&net, GM);
    lab_boot(&net, MACHINE);
    net.look = watch;
}

static void run_until(int64_t t_ns)
{
    lab_run(&net, (double)(t_ns - mt_world_t_ns(net.world)) / 1e9);
}

/* ---- what is looked at ----------------------------------------------------------------------- */

static struct mt_ntp_header ask(void)
{
    const struct mt_node *node = &net.nodes[MACHINE].composition->node;
    const struct mt_clock_page *page = &node->clocks[0].page;
    struct mt_ntp_serving serving = node->server->serving;
    struct mt_ntp_worker worker = {0};
    struct mt_ntp_answer answer;
    struct mt_ntp_packet packet;
    uint8_t octets[MT_NTP_HEADER_SIZE];
    const struct mt_ntp_header question = {.version = 4, .mode = MT_NTP_MODE_CLIENT, .transmit = 1};
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, 0, 0, 9}};
    const struct mt_instant at =
        mt_clock_page_time(page, MT_WORLD_EPOCH_S * SECOND + mt_world_t_ns(net.world));
    mt_ntp_serving_pass(&serving, &at);
    const struct mt_instant now = mt_ntp_scale_time(&serving.scale, &at);
    mt_ntp_write(&question, octets);
    const struct mt_ntp_request request = {.octets = octets,
                                           .length = sizeof octets,
                                           .arrival = &now,
                                           .from = &from,
                                           .now = now_of(MACHINE)};
    mt_ntp_answer(&node->server->rules, &serving.served, &worker, &request, &answer);
    mt_ntp_answer_finish(&node->server->rules, &answer, &now);
    assert_int_equal(mt_ntp_parse(answer.octets, answer.length, &packet), MT_NTP_WELL_FORMED);
    return packet.header;
}

static int64_t served_ns(void)
{
    const struct mt_instant near = {.s = EPOCH_S, .scale = MT_SCALE_UTC};
    const struct mt_instant at = mt_ntp_to_instant(ask().transmit, &near);
    return (at.s - EPOCH_S) * SECOND + at.ns;
}

/* Since the world began, by UTC as POSIX counts it. */
static int64_t utc_ns(void)
{
    int64_t t_ns = mt_world_t_ns(net.world);
    return t_ns >= leap_t_ns ? t_ns - leap_s * SECOND : t_ns;
}

static void expect_near(int64_t value_ns, int64_t right_ns)
{
    if (llabs(value_ns - right_ns) >= MICRO) {
        fail_msg("off by %lld ns at %.6f s from the leap second", (long long)(value_ns - right_ns),
                 (double)(mt_world_t_ns(net.world) - leap_t_ns) / 1e9);
    }
}

/* The kernel's two clocks; each leap second is its own, so its very microsecond is left out. */
static void expect_kernel(void)
{
    int64_t realtime_ns = sim_kernel_realtime_ns(&kernel) - EPOCH_S * SECOND;
    int64_t t_ns = mt_world_t_ns(net.world);
    if (llabs(t_ns - leap_t_ns) > MICRO) {
        expect_near(realtime_ns, utc_ns());
        expect_near(realtime_ns + kernel.timex.tai * SECOND, t_ns + 37 * SECOND);
    }
}

static void expect_all(void)
{
    expect_kernel();
    expect_near(served_ns(), utc_ns());
    assert_true(llabs((long long)lab_offset_ns(&net, MACHINE, 0)) < MICRO); /* TAI */
}

static void watch_second_by_second(int64_t from_ns, int64_t to_ns, void (*look)(void))
{
    run_until(leap_t_ns + from_ns - SECOND);
    for (int64_t t_ns = from_ns; t_ns < to_ns; t_ns += SECOND / 50) {
        assert_true(mt_world_run_until(net.world, leap_t_ns + t_ns + 3 * MICRO));
        watch(&net);
        look();
    }
}

/* ---- the leap second ------------------------------------------------------------------------- */

static void pass(unsigned seed, int32_t change_s)
{
    found(seed, change_s, 400, "", "");
    run_until(leap_t_ns - 310 * SECOND);
    assert_int_equal(kernel.timex.status & (STA_INS | STA_DEL), 0);
    assert_int_equal(ask().leap, MT_NTP_LEAP_NONE);
    run_until(leap_t_ns - 290 * SECOND);
    assert_int_equal(kernel.timex.status & (STA_INS | STA_DEL), change_s > 0 ? STA_INS : STA_DEL);
    assert_int_equal(ask().leap, change_s > 0 ? MT_NTP_LEAP_61 : MT_NTP_LEAP_59);
    lab_forget(&net);
    watch_second_by_second(-3 * SECOND, 5 * SECOND, expect_all);
    assert_int_equal(ask().leap, MT_NTP_LEAP_NONE);
    run_until(leap_t_ns + 100 * SECOND);
    expect_all();
    assert_int_equal(kernel.timex.tai, 37 + change_s);
    assert_int_equal(kernel.timex.status & (STA_INS | STA_DEL | STA_UNSYNC), 0);
    assert_int_equal(net.nodes[MACHINE].watch.steps, 0);
    assert_true(net.nodes[MACHINE].watch.max_ns < MICRO);
    assert_true(lab_is_bounded(&net, MACHINE));
    lab_close(&net);
    sim_kernel_free(&kernel);
}

static void sim_machine_makes_a_leap_second_when_its_grandmaster_announces_one(void **state)
{
    FOR_EACH_SEED(seed)
    {
        pass(seed, 1);
        pass(seed, -1);
    }
}

/* The kernel's clock makes a whole second of it, and who is served by NTP gets it spread. */
static void expect_smeared(void)
{
    const int64_t smear_ns = 3600 * SECOND;
    int64_t begin_ns = END_NS - smear_ns / 2;
    int64_t t_ns = mt_world_t_ns(net.world);
    double share = (double)(t_ns - begin_ns) / (double)(smear_ns + leap_s * SECOND);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    expect_near(served_ns(), t_ns - (int64_t)(share * 1e9) * leap_s);
    assert_int_equal(ask().leap, MT_NTP_LEAP_NONE);
    expect_kernel();
}

static void sim_machine_spreads_it_for_clients_only_when_that_is_configured(void **state)
{
    for (int32_t change_s = -1; change_s <= 1; change_s += 2) {
        found(1, change_s, 2400, "", "smear = 1h");
        run_until(leap_t_ns - 1700 * SECOND);
        expect_smeared();
        watch_second_by_second(-2 * SECOND, 2 * SECOND, expect_smeared);
        run_until(leap_t_ns + 1000 * SECOND);
        expect_smeared();
        run_until(leap_t_ns + 1900 * SECOND);
        expect_smeared();
        expect_all();
        assert_int_equal(net.nodes[MACHINE].watch.blind_steps, 0);
        lab_close(&net);
        sim_kernel_free(&kernel);
    }
}

static void sim_machine_makes_no_leap_second_when_the_news_is_taken_back(void **state)
{
    found(1, 1, 400, "", "");
    run_until(leap_t_ns - 200 * SECOND);
    assert_int_equal(kernel.timex.status & STA_INS, STA_INS);
    net.look = NULL;
    const struct mt_compose_facts none = {.tai_utc_known = true, .tai_minus_utc_s = 37};
    tell(GM, &none);
    run_until(leap_t_ns - 180 * SECOND);
    assert_int_equal(kernel.timex.status & (STA_INS | STA_DEL), 0);
    run_until(leap_t_ns + 100 * SECOND);
    expect_near(sim_kernel_realtime_ns(&kernel) - EPOCH_S * SECOND, mt_world_t_ns(net.world));
    lab_close(&net);
    sim_kernel_free(&kernel);
}

/* ---- who knows more -------------------------------------------------------------------------- */

/* A leap second has been since the machine's list was made, and its kernel shows a wrong UTC. */
static void sim_machine_puts_utc_right_when_its_grandmaster_knows_more(void **state)
{
    found(1, 1, 400, "", "");
    net.look = NULL;
    const struct mt_compose_facts more = {.tai_utc_known = true, .tai_minus_utc_s = 38};
    tell(GM, &more);
    lab_forget(&net);
    run_until(leap_t_ns - 300 * SECOND);
    int64_t t_ns = mt_world_t_ns(net.world);
    expect_near(sim_kernel_realtime_ns(&kernel) - EPOCH_S * SECOND, t_ns - SECOND);
    expect_near(served_ns(), t_ns - SECOND);
    assert_int_equal(kernel.timex.tai, 38);
    assert_true(net.nodes[MACHINE].watch.steps <= 1); /* the first one */
    assert_int_equal(kernel.steps, 1);
    lab_kill(&net, GM); /* what it has taught stays */
    run_until(leap_t_ns - 200 * SECOND);
    expect_near(served_ns(), mt_world_t_ns(net.world) - SECOND);
    assert_int_equal(kernel.timex.tai, 38);
    lab_close(&net);
    sim_kernel_free(&kernel);
}

/* It says that TAI - UTC is 0: its clock counts TAI, its UTC would be wrong by 37 s. */
static void sim_machine_keeps_utc_when_its_grandmaster_says_that_it_is_tai(void **state)
{
    found(1, 1, 400, "utc_offset = 0", "");
    run_until(leap_t_ns - 320 * SECOND);
    expect_all();
    const struct mt_leap_choice *choice =
        &net.nodes[MACHINE].composition->node.clocks[0].leap.choice;
    assert_int_equal(choice->quarrel, MT_LEAP_IS_UTC);
    assert_int_equal(choice->with.by, MT_LEAP_BY_PTP);
    assert_int_equal(choice->tai_minus_utc_s, 37);
    assert_int_equal(kernel.timex.tai, 37);
    lab_close(&net);
    sim_kernel_free(&kernel);
}

/* Its own clock counts UTC as if it were TAI: a machine that asks an NTP server too can tell. */
static void sim_machine_names_a_grandmaster_that_serves_utc_as_tai(void **state)
{
    static const struct mt_sim_node_config wrong = {.offset_s = -37};
    static const struct mt_sim_node_config ordinary = {.frequency = 5e-6, .ntp_delay_ns = 1e5};
    static const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    lab_open(&net, 1);
    lab_add(&net, "GM", &wrong, "[ptp]\npriority1 = 1\n[ptp eth0]\n");
    lab_add(&net, "M", &ordinary,
            "[ptp]\nreceiver_only = yes\n[ptp eth0]\n[ntp 192.0.2.1]\nmin_poll = 0\n"
            "max_poll = 0\n[ntp 192.0.2.2]\nmin_poll = 0\nmax_poll = 0\n");
    lab_cable(&net, &cable, GM, "eth0", MACHINE, "eth0");
    lab_boot(&net, GM);
    lab_boot(&net, MACHINE);
    lab_run(&net, 60);
    const struct mt_node_clock *clock = &net.nodes[MACHINE].composition->node.clocks[0];
    assert_int_equal(clock->leap.choice.quarrel, MT_LEAP_TIMES_APART);
    assert_int_equal(clock->leap.choice.with.by, MT_LEAP_BY_PTP);
    assert_int_equal(clock->leap.told, MT_LEAP_TIMES_APART);
    assert_int_equal(clock->page.tai_minus_utc_s, 37);
    assert_true(llabs((long long)lab_offset_ns(&net, MACHINE, 0)) < 100 * MICRO);
    lab_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            sim_machine_makes_a_leap_second_when_its_grandmaster_announces_one, clean_up),
        cmocka_unit_test_teardown(sim_machine_spreads_it_for_clients_only_when_that_is_configured,
                                  clean_up),
        cmocka_unit_test_teardown(sim_machine_makes_no_leap_second_when_the_news_is_taken_back,
                                  clean_up),
        cmocka_unit_test_teardown(sim_machine_puts_utc_right_when_its_grandmaster_knows_more,
                                  clean_up),
        cmocka_unit_test_teardown(sim_machine_keeps_utc_when_its_grandmaster_says_that_it_is_tai,
                                  clean_up),
        cmocka_unit_test_teardown(sim_machine_names_a_grandmaster_that_serves_utc_as_tai, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
