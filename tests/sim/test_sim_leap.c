/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A leap second passes.  A grandmaster announces it, a node that follows it serves NTP, and a
 * client asks all the time: what it gets is compared with UTC as POSIX counts it, or smeared as the
 * configuration says, to the microsecond.  Meanwhile TAI goes on as if nothing were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ntp_wire.h"
#include "sim_lab.h"

#define SECOND  INT64_C(1000000000)
#define END_NS  (31 * 86400 * SECOND)                       /* of January, a month */
#define EPOCH_S (MT_WORLD_EPOCH_S - MT_WORLD_TAI_MINUS_UTC) /* UTC */
#define MICRO   1000

static struct lab net;
static const struct mt_sim_node_config perfect = {0};
static const struct mt_sim_node_config ordinary = {
    .offset_s = 0.01, .frequency = 5e-6, .wander = 1e-9, .granularity_ns = 8};

static int clean_up(void **state)
{
    return lab_clean_up(&net);
}

enum { GM, SERVER };

static uint32_t asked; /* the node that is asked */

/* ---- the leap second ------------------------------------------------------------------------- */

static int64_t leap_t_ns; /* when TAI - UTC changes */
static int32_t leap_s;
static bool server_knows; /* of itself, as a machine with the list of leap seconds does */

static struct mt_mono now_of(uint32_t node)
{
    struct mt_hal_wait *wait = mt_world_provider(net.world, node)->wait;
    return wait->ops->now(wait);
}

static void tell_facts(uint32_t node)
{
    const struct mt_world_utc utc = mt_world_utc(net.world);
    const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = utc.tai_minus_utc_s, .leap_s = utc.leap_s};
    if (memcmp(&facts, &net.nodes[node].composition->facts, sizeof facts) != 0) {
        mt_composition_set_facts(net.nodes[node].composition, &facts, now_of(node));
    }
}

/* As the daemon's watch does, but never before its time. */
static void watch(struct lab *lab)
{
    (void)lab;
    tell_facts(GM);
    if (server_knows) {
        tell_facts(SERVER);
    }
}

/* At the end of the world's first month; the network begins `before_s` earlier, and 100 s later the
 * leap second is announced. */
static void found(unsigned seed, int32_t change_s, int64_t before_s, const char *server_keys)
{
    static const struct mt_sim_segment_config cable = {
        .delay_ns = 1000, .jitter = MT_SIM_JITTER_NORMAL, .jitter_ns = 20};
    char keys[300];
    lab_open(&net, seed);
    leap_s = change_s;
    leap_t_ns = change_s > 0 ? END_NS : END_NS - SECOND;
    mt_world_schedule_leap(net.world, leap_t_ns, change_s, (before_s - 100) * SECOND);
    assert_true(mt_world_run_until(net.world, END_NS - before_s * SECOND)); /* empty: at once */
    lab_add(&net, "GM", &perfect, "[ptp]\npriority1 = 1\nclock_class = 6\n[ptp eth0]\n");
    snprintf(keys, sizeof keys, "[ptp eth0]\n[server]\n%s\n", server_keys);
    lab_add(&net, "S", &ordinary, keys);
    lab_cable(&net, &cable, GM, "eth0", SERVER, "eth0");
    lab_boot(&net, GM);
    lab_boot(&net, SERVER);
    net.look = watch;
    asked = SERVER;
}

static void run_until(int64_t t_ns)
{
    lab_run(&net, (double)(t_ns - mt_world_t_ns(net.world)) / 1e9);
}

/* To the nanosecond, between two readings. */
static void run_exactly_until(int64_t t_ns)
{
    assert_true(mt_world_run_until(net.world, t_ns));
}

/* ---- a client -------------------------------------------------------------------------------- */

/* Asks now, as a worker thread is asked. */
static struct mt_ntp_header ask(void)
{
    const struct mt_node *node = &net.nodes[asked].composition->node;
    const struct mt_clock_page *page = &node->clocks[0].page;
    struct mt_ntp_serving serving = node->server->serving;
    struct mt_ntp_worker worker = {0};
    struct mt_ntp_answer answer;
    struct mt_ntp_packet packet;
    uint8_t octets[MT_NTP_HEADER_SIZE];
    const struct mt_ntp_header question = {
        .version = 4, .mode = MT_NTP_MODE_CLIENT, .transmit = 0x0123456789ABCDEF};
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, 0, 0, 9}};
    int64_t base_ns = MT_WORLD_EPOCH_S * SECOND + mt_world_t_ns(net.world);
    const struct mt_instant at = mt_clock_page_time(page, base_ns);
    mt_ntp_serving_pass(&serving, &at);
    const struct mt_instant now = mt_ntp_scale_time(&serving.scale, &at);
    mt_ntp_write(&question, octets);
    const struct mt_ntp_request request = {.octets = octets,
                                           .length = sizeof octets,
                                           .arrival = &now,
                                           .from = &from,
                                           .now = now_of(asked)};
    mt_ntp_answer(&node->server->rules, &serving.served, &worker, &request, &answer);
    mt_ntp_answer_finish(&node->server->rules, &answer, &now);
    assert_int_equal(mt_ntp_parse(answer.octets, answer.length, &packet), MT_NTP_WELL_FORMED);
    return packet.header;
}

static int64_t to_ns(mt_ntp_time time)
{
    const struct mt_instant near = {.s = EPOCH_S, .scale = MT_SCALE_UTC};
    const struct mt_instant at = mt_ntp_to_instant(time, &near);
    return (at.s - EPOCH_S) * SECOND + at.ns;
}

/* Since the world began, by UTC as POSIX counts it. */
static int64_t utc_ns(void)
{
    int64_t t_ns = mt_world_t_ns(net.world);
    return t_ns >= leap_t_ns ? t_ns - leap_s * SECOND : t_ns;
}

static int64_t tai_error_ns(void)
{
    struct mt_world_reading reading;
    assert_true(mt_world_read_page(net.world, asked, 0, &reading));
    return reading.error_ns;
}

/* `expected_ns` since the world began. */
static struct mt_ntp_header expect_time(int64_t expected_ns)
{
    const struct mt_ntp_header answer = ask();
    assert_true(llabs(tai_error_ns()) < MICRO);
    assert_true(llabs(to_ns(answer.receive) - expected_ns) < MICRO);
    assert_true(llabs(to_ns(answer.transmit) - expected_ns) < MICRO);
    return answer;
}

static void expect(enum mt_ntp_leap leap)
{
    const struct mt_ntp_header answer = expect_time(utc_ns());
    assert_int_equal(answer.leap, leap);
    assert_int_equal(answer.stratum, 1);
    assert_memory_equal(answer.reference_id, "PTP", 4);
}

/* ---- not smeared ----------------------------------------------------------------------------- */

static void pass(unsigned seed, int32_t change_s, bool knows)
{
    const enum mt_ntp_leap leap = change_s > 0 ? MT_NTP_LEAP_61 : MT_NTP_LEAP_59;
    server_knows = knows;
    found(seed, change_s, 400, "");
    run_until(leap_t_ns - 303 * SECOND);
    expect(MT_NTP_LEAP_NONE);
    run_until(leap_t_ns - 297 * SECOND);
    expect(leap);
    run_until(leap_t_ns - 3 * SECOND);
    lab_forget(&net);
    for (int64_t t_ns = leap_t_ns - 2 * SECOND; t_ns < leap_t_ns; t_ns += SECOND / 50) {
        run_exactly_until(t_ns);
        expect(leap);
    }
    run_exactly_until(leap_t_ns - MICRO);
    expect(leap);
    run_exactly_until(leap_t_ns + MICRO);
    expect(MT_NTP_LEAP_NONE);
    for (int64_t t_ns = leap_t_ns + SECOND / 100; t_ns < leap_t_ns + 5 * SECOND;
         t_ns += SECOND / 100) {
        watch(&net);
        run_exactly_until(t_ns);
        expect(MT_NTP_LEAP_NONE);
    }
    run_until(leap_t_ns + 60 * SECOND);
    expect(MT_NTP_LEAP_NONE);
    struct mt_world_reading reading;
    assert_true(mt_world_read_page(net.world, SERVER, 0, &reading));
    assert_int_equal(reading.tai_minus_utc_s, 37 + change_s);
    assert_int_equal(net.nodes[SERVER].watch.steps, 0);
    assert_true(net.nodes[SERVER].watch.max_ns < MICRO);
    assert_true(lab_is_bounded(&net, SERVER));
    lab_close(&net);
}

static void sim_leap_second_is_served_twice_when_one_is_inserted(void **state)
{
    FOR_EACH_SEED(seed)
    {
        pass(seed, 1, true);
        pass(seed, 1, false);
    }
}

static void sim_leap_second_is_left_out_when_one_is_deleted(void **state)
{
    FOR_EACH_SEED(seed)
    {
        pass(seed, -1, true);
        pass(seed, -1, false);
    }
}

/* The grandmaster has gone before midnight: what it has announced is not forgotten by those who
 * know it themselves. */
static void sim_leap_second_passes_when_the_grandmaster_is_gone(void **state)
{
    server_knows = true;
    found(1, 1, 200, "");
    run_until(END_NS - 5 * SECOND);
    net.look = NULL;
    lab_kill(&net, GM);
    run_until(END_NS - SECOND);
    expect(MT_NTP_LEAP_61);
    run_exactly_until(END_NS + SECOND / 4);
    expect(MT_NTP_LEAP_NONE);
    tell_facts(SERVER);
    run_until(END_NS + 5 * SECOND);
    expect(MT_NTP_LEAP_NONE);
    lab_close(&net);
}

/* ---- smeared --------------------------------------------------------------------------------- */

/* What is served since the world began, by the policy: linear from `begin_ns` to the end. */
static int64_t smeared_ns(int64_t begin_ns, int64_t smear_s)
{
    int64_t t_ns = mt_world_t_ns(net.world);
    int64_t end_ns = END_NS + (smear_s - smear_s / 2 + leap_s) * SECOND;
    double share = (double)(t_ns - begin_ns) / (double)(end_ns - begin_ns);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return t_ns - (int64_t)(share * 1e9) * leap_s;
}

/* While it is smeared the reference id says by how much, and else that it is PTP. */
static void expect_smeared(int64_t begin_ns, int64_t smear_s)
{
    int64_t t_ns = mt_world_t_ns(net.world);
    int64_t end_ns = END_NS + (smear_s - smear_s / 2 + leap_s) * SECOND;
    int64_t served_ns = smeared_ns(begin_ns, smear_s);
    const struct mt_ntp_header answer = expect_time(served_ns);
    const uint8_t *id = answer.reference_id;
    assert_int_equal(answer.leap, MT_NTP_LEAP_NONE);
    assert_int_equal(answer.stratum, 1);
    if (t_ns < begin_ns || t_ns >= end_ns) {
        assert_memory_equal(id, "PTP", 4);
        return;
    }
    int32_t off = (int32_t)((uint32_t)id[1] << 24 | (uint32_t)id[2] << 16 | (uint32_t)id[3] << 8);
    double off_ns = (double)off / 256 / 4194304 * 1e9;
    assert_int_equal(id[0], 254);
    assert_true(llabs(served_ns - utc_ns() - (int64_t)off_ns) < MICRO);
}

static void smear(unsigned seed, int32_t change_s, int64_t smear_s, const char *keys)
{
    int64_t begin_ns = END_NS - smear_s / 2 * SECOND;
    int64_t end_ns = END_NS + (smear_s - smear_s / 2 + change_s) * SECOND;
    int64_t edges[] = {begin_ns, leap_t_ns, end_ns};
    server_knows = true;
    found(seed, change_s, smear_s / 2 + 600, keys);
    edges[1] = leap_t_ns;
    run_until(begin_ns - 100 * SECOND);
    lab_forget(&net);
    for (unsigned i = 0; i < 3; i++) {
        run_until(edges[i] - SECOND);
        for (int64_t t_ns = MICRO - SECOND / 2; t_ns < SECOND; t_ns += SECOND / 20) {
            run_exactly_until(edges[i] + t_ns);
            expect_smeared(begin_ns, smear_s);
        }
        watch(&net);
    }
    run_until(end_ns + 4000 * SECOND);
    expect_smeared(begin_ns, smear_s);
    expect_time(utc_ns());
    assert_int_equal(net.nodes[SERVER].watch.steps, 0);
    assert_true(net.nodes[SERVER].watch.max_ns < MICRO);
    lab_close(&net);
}

static void sim_leap_second_is_spread_evenly_when_it_is_smeared(void **state)
{
    FOR_EACH_SEED(seed)
    {
        smear(seed, 1, 3600, "smear = 1h");
        smear(seed, -1, 3600, "smear = 1h");
        smear(seed, 1, 7201, "smear = 7201s");
    }
}

/* As public servers do, from noon to noon. */
static void sim_leap_second_is_spread_over_a_day_when_it_is_smeared_by_that(void **state)
{
    smear(1, 1, 86400, "smear = 24h");
}

/* The grandmaster's announcement comes when smearing should have begun, and is taken back. */
static void sim_leap_second_makes_no_jump_when_it_is_announced_late_and_taken_back(void **state)
{
    int64_t before_ns = 0;
    server_knows = false;
    found(1, 1, 7600, "smear = 4h");
    net.look = NULL;
    run_until(END_NS - 3600 * SECOND);
    assert_memory_equal(expect_time(utc_ns()).reference_id, "PTP", 4);
    tell_facts(GM);
    for (int i = 0; i < 200; i++) {
        lab_run(&net, 0.125);
        int64_t off_ns = to_ns(ask().transmit) - mt_world_t_ns(net.world);
        assert_true(llabs(off_ns - before_ns) < 2 * MICRO + 125 * SECOND / 1000 / 10000);
        before_ns = off_ns;
    }
    assert_true(before_ns < -20 * SECOND / 20000);
    const struct mt_compose_facts none = {
        .tai_utc_known = true, .tai_minus_utc_s = 37, .leap_s = 0};
    mt_composition_set_facts(net.nodes[GM].composition, &none, now_of(GM));
    for (int i = 0; i < 200; i++) {
        lab_run(&net, 0.125);
        int64_t off_ns = to_ns(ask().transmit) - mt_world_t_ns(net.world);
        assert_true(llabs(off_ns - before_ns) < 2 * MICRO + 125 * SECOND / 1000 / 10000);
        before_ns = off_ns;
    }
    lab_close(&net);
}

/* ---- from NTP -------------------------------------------------------------------------------- */

enum { RELAY, RECEIVER };

/* A node that follows an NTP server and serves both NTP and PTP.  Its list of leap seconds is old:
 * only the server knows of this one. */
static void found_relay(unsigned seed, int32_t change_s, double delay_ns, const char *ask)
{
    static const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    struct mt_sim_node_config relay = ordinary;
    char keys[300];
    relay.ntp_delay_ns = delay_ns;
    relay.ntp_jitter = MT_SIM_JITTER_NORMAL;
    relay.ntp_jitter_ns = 50;
    lab_open(&net, seed);
    leap_s = change_s;
    leap_t_ns = change_s > 0 ? END_NS : END_NS - SECOND;
    mt_world_schedule_leap(net.world, leap_t_ns, change_s, 300 * SECOND);
    assert_true(mt_world_run_until(net.world, END_NS - 600 * SECOND));
    snprintf(keys, sizeof keys,
             "[ptp]\ntransmitter_only = yes\npriority1 = 1\n[ptp eth0]\n"
             "[server]\nmax_error = 10s\n[ntp 192.0.2.1]\n%s\n",
             ask);
    lab_add(&net, "N", &relay, keys);
    lab_add(&net, "R", &ordinary, "[ptp eth0]\n[server]\nmax_error = 10s\n");
    lab_cable(&net, &cable, RELAY, "eth0", RECEIVER, "eth0");
    lab_boot(&net, RELAY);
    lab_boot(&net, RECEIVER);
}

static void expect_everywhere(enum mt_ntp_leap leap)
{
    for (uint32_t node = RELAY; node <= RECEIVER; node++) {
        struct mt_world_reading reading;
        asked = node;
        assert_true(mt_world_read_page(net.world, node, 0, &reading));
        assert_int_equal(reading.leap_s != 0, leap != MT_NTP_LEAP_NONE);
        assert_true(llabs(reading.error_ns) < MICRO);
        const struct mt_ntp_header answer = expect_time(utc_ns());
        assert_int_equal(answer.leap, leap);
    }
}

static void relay(unsigned seed, int32_t change_s, double delay_ns, const char *ask)
{
    const enum mt_ntp_leap leap = change_s > 0 ? MT_NTP_LEAP_61 : MT_NTP_LEAP_59;
    found_relay(seed, change_s, delay_ns, ask);
    run_until(leap_t_ns - 310 * SECOND);
    expect_everywhere(MT_NTP_LEAP_NONE);
    run_until(leap_t_ns - 100 * SECOND);
    lab_forget(&net);
    for (int64_t t_ns = MICRO - 5 * SECOND; t_ns < 30 * SECOND; t_ns += SECOND / 20) {
        run_exactly_until(leap_t_ns + t_ns);
        if (t_ns < 0 || t_ns > 3 * SECOND) {
            expect_everywhere(t_ns < 0 ? leap : MT_NTP_LEAP_NONE);
        }
        for (asked = RELAY; asked <= RECEIVER; asked++) {
            expect_time(utc_ns());
        }
    }
    for (int i = 0; i < (lab_is_long() ? 50 : 10); i++) {
        lab_run(&net, 100);
        expect_everywhere(MT_NTP_LEAP_NONE);
        for (uint32_t node = RELAY; node <= RECEIVER; node++) {
            struct mt_world_reading reading;
            assert_true(mt_world_read_page(net.world, node, 0, &reading));
            assert_int_equal(reading.tai_minus_utc_s, 37 + change_s);
            assert_int_equal(reading.leap_s, 0);
        }
    }
    assert_int_equal(net.nodes[RELAY].watch.steps, 0);
    assert_true(net.nodes[RELAY].watch.max_ns < MICRO);
    assert_true(lab_is_bounded(&net, RELAY));
    const struct mt_compose_facts late = {
        .tai_utc_known = true, .tai_minus_utc_s = 37 + change_s, .leap_s = 0};
    mt_composition_set_facts(net.nodes[RELAY].composition, &late, now_of(RELAY));
    lab_run(&net, 100);
    expect_everywhere(MT_NTP_LEAP_NONE);
    lab_close(&net);
}

static void sim_leap_second_passes_when_only_the_ntp_server_knows(void **state)
{
    FOR_EACH_SEED(seed)
    {
        relay(seed, 1, 1e5, "min_poll = 0\nmax_poll = 0");
        relay(seed, -1, 1e5, "min_poll = 0\nmax_poll = 0");
        relay(seed, 1, 1e5, "min_poll = 5\nmax_poll = 5");
        relay(seed, 1, 4e8, "min_poll = 0\nmax_poll = 0");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sim_leap_second_is_served_twice_when_one_is_inserted, clean_up),
        cmocka_unit_test_teardown(sim_leap_second_is_left_out_when_one_is_deleted, clean_up),
        cmocka_unit_test_teardown(sim_leap_second_passes_when_the_grandmaster_is_gone, clean_up),
        cmocka_unit_test_teardown(sim_leap_second_is_spread_evenly_when_it_is_smeared, clean_up),
        cmocka_unit_test_teardown(sim_leap_second_is_spread_over_a_day_when_it_is_smeared_by_that,
                                  clean_up),
        cmocka_unit_test_teardown(
            sim_leap_second_makes_no_jump_when_it_is_announced_late_and_taken_back, clean_up),
        cmocka_unit_test_teardown(sim_leap_second_passes_when_only_the_ntp_server_knows, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
