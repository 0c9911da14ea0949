/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A machine that was suspended: its clock, which an NTP server is followed with, may be off by what
 * nobody knows, and the server is to be asked at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "number_clock.h"
#include "runtime/node.h"

#define S_NS INT64_C(1000000000)

static struct mt_node node;
static struct mt_node_clock clock;
static struct number_clock number;
static struct mt_discipline_source sources[1];
static struct mt_node_ntp server;
static struct mt_mono now;
static unsigned questions;

static bool count_question(struct mt_hal_link *self, const struct mt_link_frame *frame)
{
    (void)self;
    (void)frame;
    questions++;
    return true;
}

static uint64_t draw(struct mt_hal_entropy *self)
{
    (void)self;
    return 7;
}

static const struct mt_hal_link_ops link_ops = {.send = count_question};
static struct mt_hal_link link_of_test = {.ops = &link_ops};
static struct mt_hal_link *links[] = {&link_of_test};
static struct mt_hal_entropy entropy = {draw};

static int set_up(void **state)
{
    struct mt_steer_config steer;
    (void)state;
    memset(&node, 0, sizeof node);
    memset(&clock, 0, sizeof clock);
    memset(&server, 0, sizeof server);
    now.ns = S_NS;
    questions = 0;
    number_clock_init(&number, &now, MT_SCALE_TAI);
    clock.hal = &number.hal;
    clock.tai_utc_known = true;
    clock.tai_minus_utc_s = 37;
    mt_steer_config_init(&steer);
    mt_discipline_init(&clock.discipline, &steer, sources, 1, MT_SCALE_TAI, 0, 0, false);
    node.clocks = &clock;
    node.clock_count = 1;
    node.links = links;
    node.link_count = 1;
    node.local_link = MT_NODE_NO_LINK;
    node.entropy = &entropy;
    node.ntp = &server;
    node.ntp_count = 1;
    mt_ntp_client_config_init(&server.config);
    mt_ntp_client_init(&server.client, &server.config, now);
    server.server = (struct mt_address){.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    mt_node_start(&node, now);
    return 0;
}

static void pass(int64_t ns)
{
    for (int64_t i = 0; i < ns; i += S_NS) {
        now.ns += S_NS;
        number_clock_pass(&number, S_NS);
        mt_node_input(&node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = now});
    }
}

static void measure(void)
{
    const struct mt_sample sample = {
        .kind = MT_SAMPLE_OFFSET,
        .local = {mt_instant_from_ns(number.ns, MT_SCALE_TAI), number.corrections},
        .bound = mt_interval_from_ns(1000),
        .reference_bound = mt_interval_from_ns(1000),
        .scale = MT_SCALE_TAI,
    };
    (void)mt_discipline_sample(&clock.discipline, &sample, now);
    clock.needs_report = true;
}

static void lock_clock(void)
{
    mt_discipline_select(&clock.discipline, 0, now);
    for (int i = 0; i < 60; i++) {
        pass(S_NS);
        measure();
    }
    pass(S_NS);
    assert_int_equal(clock.page.state, MT_CLOCK_LOCKED);
    assert_int_equal(clock.page.bound_reference, MT_BOUND_TRACEABLE);
}

static void resume(void)
{
    mt_node_input(&node, &(struct mt_input){
                             .kind = MT_INPUT_RESUMED, .now = now, .stamp = {.ns = 3600 * S_NS}});
}

static bool was_told(void)
{
    struct mt_node_event event;
    bool is_told = false;
    while (mt_node_next_event(&node, &event)) {
        if (event.kind == MT_NODE_RESUMED) {
            assert_int_equal(event.value.slept_ns, 3600 * S_NS);
            is_told = true;
        }
    }
    return is_told;
}

static void resumed_knows_no_bound_when_the_machine_has_slept(void **state)
{
    (void)state;
    lock_clock();
    number_clock_pass(&number, 3600 * S_NS + 400000000);
    assert_false(was_told());
    resume();
    assert_true(was_told());
    assert_int_equal(clock.page.bound_reference, MT_BOUND_NONE);
    assert_int_equal(clock.page.state, MT_CLOCK_ACQUIRING);
    assert_int_equal(clock.discipline.selected, 0);
    for (int i = 0; i < 10; i++) {
        measure();
        pass(S_NS);
    }
    assert_int_equal(clock.page.bound_reference, MT_BOUND_TRACEABLE);
}

static void resumed_knows_no_bound_when_the_clock_held_over(void **state)
{
    (void)state;
    lock_clock();
    mt_discipline_select(&clock.discipline, MT_SOURCE_NONE, now);
    pass(S_NS);
    assert_int_equal(clock.page.state, MT_CLOCK_HOLDOVER);
    assert_int_equal(clock.page.bound_reference, MT_BOUND_TRACEABLE);
    resume();
    assert_int_equal(clock.page.bound_reference, MT_BOUND_NONE);
}

static void resumed_asks_servers_at_once_when_they_were_asked_seldom(void **state)
{
    (void)state;
    pass(20 * S_NS);
    mt_ntp_client_set_poll(&server.client, 10);
    unsigned before = questions;
    for (int i = 0; i < 4000 && questions < before + 2; i++) {
        pass(S_NS);
    }
    before = questions;
    pass(200 * S_NS);
    assert_int_equal(questions, before);
    resume();
    assert_int_equal(questions, before + 1);
    pass(70 * S_NS); /* there may be no network yet */
    assert_true(questions >= before + 5);
}

/* A card's clock has counted the time that it slept, the machine's has not. */
static void resumed_sees_no_rival_when_a_clock_was_stepped_by_it(void **state)
{
    const struct mt_correction change = {
        .kind = MT_CORRECT_STEP, .step = {0, 400000000, 0}, .scale = MT_SCALE_TAI};
    (void)state;
    lock_clock();
    for (int i = 0; i < 3; i++) {
        number_clock_meddle(&number, &change);
        if (i % 2 == 0) {
            pass(S_NS);
        }
        resume();
        pass(20 * S_NS);
    }
    assert_false(clock.rivals.is_shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(resumed_knows_no_bound_when_the_machine_has_slept, set_up),
        cmocka_unit_test_setup(resumed_knows_no_bound_when_the_clock_held_over, set_up),
        cmocka_unit_test_setup(resumed_asks_servers_at_once_when_they_were_asked_seldom, set_up),
        cmocka_unit_test_setup(resumed_sees_no_rival_when_a_clock_was_stepped_by_it, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
