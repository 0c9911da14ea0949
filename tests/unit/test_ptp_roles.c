/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who a port may be: with its link up or down, beside other ports of its clock on one path, with
 * a role limited by configuration, and when priorities change while it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static void prepare(uint16_t ports)
{
    bench_init(&bench, ports);
    peer_init(&peer, 1);
}

static int one_port(void **state)
{
    prepare(1);
    bench_start(&bench);
    return 0;
}

static int two_ports(void **state)
{
    prepare(2);
    bench_start(&bench);
    return 0;
}

/* Passes `intervals` of 2 s, the peer announcing at the start of each. */
static void announce_for(unsigned intervals)
{
    for (unsigned i = 0; i < intervals; i++) {
        bench_announce(&bench, 1, &peer);
        bench_pass(&bench, BENCH_S(2));
    }
}

static bool is_grandmaster(void)
{
    return mt_clock_identity_equal(&mt_instance_parent(&bench.instance)->grandmaster,
                                   &bench.config.identity);
}

/* Brings port 1 to RECEIVER and port 2 to TRANSMITTER. */
static void calibrate(void)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 1000);
    announce_for(8);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_clear(&bench);
}

/* ---- link, enable, fault --------------------------------------------------------------------- */

static enum mt_port_state state_after(bool link, bool enabled, bool faulty)
{
    const struct mt_command commands[] = {
        {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = link},
        {.kind = MT_COMMAND_PORT_ENABLE, .port = 1, .value.is_on = enabled},
        {.kind = MT_COMMAND_FAULT, .port = 1, .value.is_on = faulty},
    };
    for (unsigned i = 0; i < 3; i++) {
        assert_true(bench_command(&bench, &commands[i]));
    }
    return bench_state(&bench, 1);
}

static void ptp_roles_listens_only_when_linked_enabled_and_sound(void **state)
{
    for (unsigned before = 0; before < 8; before++) {
        for (unsigned after = 0; after < 8; after++) {
            bool link = after & 1;
            bool enabled = after & 2;
            bool faulty = after & 4;
            one_port(state);
            state_after(before & 1, before & 2, before & 4);
            enum mt_port_state expected = !enabled          ? MT_STATE_DISABLED
                                          : link && !faulty ? MT_STATE_LISTENING
                                                            : MT_STATE_FAULTY;
            assert_int_equal(state_after(link, enabled, faulty), expected);
            if (expected != MT_STATE_LISTENING) {
                assert_true(mt_instance_deadline(&bench.instance).ns == MT_MONO_NEVER.ns);
            }
        }
    }
}

static void ptp_roles_recovers_when_the_link_comes_back(void **state)
{
    calibrate();
    bench_link(&bench, 1, false);
    assert_true(is_grandmaster());
    assert_int_equal(bench_state(&bench, 1), MT_STATE_FAULTY);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_pass(&bench, BENCH_S(30));
    bench_link(&bench, 1, true);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    bench_follow(&bench, 1, &peer);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 1);
}

static void ptp_roles_listens_anew_when_the_link_comes_back(void **state)
{
    bench_pass(&bench, BENCH_S(8));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    bench_link(&bench, 1, false);
    bench_link(&bench, 1, true);
    bench_announce(&bench, 1, &peer); /* makes nobody a parent, but is no reason to serve */
    bench_pass(&bench, BENCH_S(6));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
}

static void ptp_roles_refuses_a_command_when_the_port_does_not_exist(void **state)
{
    static const uint16_t ports[] = {0, 2, 65535};
    for (unsigned i = 0; i < 3; i++) {
        assert_false(bench_link(&bench, ports[i], false));
        assert_int_equal(mt_port_state_of(&bench.instance, ports[i]), MT_STATE_DISABLED);
        uint8_t octet = 0;
        assert_int_equal(
            mt_instance_rx(&bench.instance, ports[i], &octet, 1, NULL, NULL, bench.now),
            MT_VERDICT_DISABLED);
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_RECEIVED), 0);
}

/* ---- several ports on one path --------------------------------------------------------------- */

/* Whatever the ports send is heard by all the others, and by the sender too. */
static void share_one_path(uint16_t ports, unsigned half_seconds)
{
    for (unsigned i = 0; i < half_seconds; i++) {
        bench_clear(&bench);
        bench_pass(&bench, BENCH_S(0.5));
        size_t count = bench.frame_count;
        for (size_t f = 0; f < count; f++) {
            for (uint16_t port = 1; port <= ports; port++) {
                assert_int_equal(bench_rx(&bench, port, &bench.frames[f].message), MT_VERDICT_OWN);
            }
        }
    }
}

static void ptp_roles_yields_when_a_lower_one_transmits_on_its_path(void **state)
{
    prepare(3);
    bench_start(&bench);
    share_one_path(3, 60);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
    assert_int_equal(bench_state(&bench, 3), MT_STATE_PASSIVE);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
}

static void ptp_roles_takes_over_when_the_lower_one_on_its_path_falls_silent(void **state)
{
    prepare(2);
    bench_start(&bench);
    share_one_path(2, 60);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
    bench_link(&bench, 1, false);
    struct mt_mono before = bench.now;
    while (bench_state(&bench, 2) == MT_STATE_PASSIVE) {
        bench_pass(&bench, BENCH_S(0.1));
        assert_true(bench.now.ns - before.ns <= BENCH_S(8.1));
    }
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

static void ptp_roles_waits_for_nothing_when_a_yielding_port_goes_down(void **state)
{
    share_one_path(2, 60);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
    bench_link(&bench, 1, false);
    bench_link(&bench, 2, false);
    assert_true(mt_instance_deadline(&bench.instance).ns == MT_MONO_NEVER.ns);
}

/* `age`: 1 is the port's newest Announce, 0 one that it never sent. */
static enum mt_verdict hear_own_of_age(uint16_t on, uint16_t from, uint16_t age)
{
    struct bench_peer self;
    peer_init(&self, 8);
    self.identity = (struct mt_port_identity){bench.config.identity, from};
    if (from >= 1 && from <= bench.instance.port_count) {
        uint16_t next = bench.instance.ports[from - 1].transmission.announce_sequence;
        self.announce_sequence = (uint16_t)(next - age);
    }
    return bench_announce(&bench, on, &self);
}

static enum mt_verdict hear_own(uint16_t on, uint16_t from)
{
    return hear_own_of_age(on, from, 1);
}

static void ptp_roles_stays_when_what_it_hears_is_no_serving_sibling(void **state)
{
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(hear_own(2, 0), MT_VERDICT_OWN); /* no port has number 0 */
    assert_int_equal(hear_own(2, 2), MT_VERDICT_OWN);
    assert_int_equal(hear_own(2, 3), MT_VERDICT_OWN);
    assert_int_equal(hear_own(1, 2), MT_VERDICT_OWN); /* the lower one stays */
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_link(&bench, 1, false);
    assert_int_equal(hear_own(2, 1), MT_VERDICT_OWN); /* it does not transmit */
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_link(&bench, 1, true);
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(hear_own_of_age(2, 1, 0), MT_VERDICT_OWN); /* forged */
    assert_int_equal(hear_own_of_age(2, 1, 2), MT_VERDICT_OWN); /* sent again by somebody */
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(hear_own(2, 1), MT_VERDICT_OWN);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
}

/* One's own Announce, true or forged, is no sign of life of the parent. */
static void ptp_roles_loses_its_parent_when_only_the_own_announce_is_heard(void **state)
{
    bench_follow(&bench, 2, &peer);
    for (unsigned i = 0; i < 8; i++) {
        hear_own(2, 1);
        bench_pass(&bench, BENCH_S(1));
    }
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
}

static void ptp_roles_is_passive_when_it_has_the_longer_way_to_the_same_parent(void **state)
{
    struct bench_peer other;
    peer_init(&other, 1);
    for (unsigned i = 0; i < 3; i++) {
        bench_announce(&bench, 1, &peer);
        bench_announce(&bench, 2, &other);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PASSIVE);
    bench_link(&bench, 1, false); /* and takes over without waiting for anything */
    assert_int_equal(bench_state(&bench, 2), MT_STATE_UNCALIBRATED);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 2);
}

/* ---- limited roles --------------------------------------------------------------------------- */

static void start_receiver_only_as(bool is_flagged)
{
    static const struct mt_ptp_features features = {.compare = mt_dataset_compare,
                                                    .decide = mt_decide,
                                                    .reference = mt_reference,
                                                    .states = &mt_states_receiver_only,
                                                    .delay = &mt_delay_e2e};
    prepare(1);
    bench.config.features = &features;
    bench.config.is_receiver_only = is_flagged;
    bench_start(&bench);
}

static void start_receiver_only(void)
{
    start_receiver_only_as(true);
}

static void ptp_roles_never_sends_when_receiver_only_and_alone(void **state)
{
    start_receiver_only();
    bench_pass(&bench, BENCH_S(100));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(bench.frame_count, 0);
    assert_int_equal(bench.instance.config.quality.clock_class, 255);
}

static void ptp_roles_follows_the_worst_when_receiver_only(void **state)
{
    start_receiver_only();
    peer.announce.priority1 = 255;
    peer.announce.quality.clock_class = 255;
    peer.announce.priority2 = 255;
    peer.announce.grandmaster = bench_identity(255);
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 100);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_pass(&bench, BENCH_S(8));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(bench.frame_count, bench_count(&bench, 1, MT_PTP_DELAY_REQ));
    bench_follow(&bench, 1, &peer);
}

static void ptp_roles_follows_the_worst_when_it_has_no_transmitter_part(void **state)
{
    start_receiver_only_as(false);
    peer.announce.priority1 = 255;
    bench_follow(&bench, 1, &peer);
}

static void ptp_roles_refuses_another_class_when_receiver_only(void **state)
{
    struct mt_command command = {.kind = MT_COMMAND_QUALITY, .value.quality = {6, 0x20, 0}};
    start_receiver_only();
    assert_false(bench_command(&bench, &command));
    assert_int_equal(bench.instance.config.quality.clock_class, 255);
    command.value.quality.clock_class = 255;
    assert_true(bench_command(&bench, &command));
    assert_int_equal(bench.instance.config.quality.accuracy, 0x20);
}

static void ptp_roles_serves_at_once_when_transmitter_only_and_alone(void **state)
{
    prepare(1);
    bench.port_configs[0].is_transmitter_only = true;
    bench_start(&bench);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    bench_announces(&bench, 1, &peer, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_STATE);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void start_with_transmitter_only_port_2(void)
{
    prepare(2);
    bench.port_configs[1].is_transmitter_only = true;
    bench_start(&bench);
}

static void ptp_roles_waits_for_the_others_when_transmitter_only(void **state)
{
    start_with_transmitter_only_port_2();
    bench_pass(&bench, BENCH_S(1));
    assert_int_equal(bench_state(&bench, 2), MT_STATE_LISTENING);
    bench_follow(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_PRE_TRANSMITTER);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_ANNOUNCE), 0);
}

static void ptp_roles_serves_own_time_when_transmitter_only_and_nobody_is_heard(void **state)
{
    start_with_transmitter_only_port_2();
    bench_pass(&bench, BENCH_S(8));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

static void ptp_roles_does_not_wait_when_transmitter_only_and_the_others_are_down(void **state)
{
    start_with_transmitter_only_port_2();
    bench_link(&bench, 1, false);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
}

/* ---- changes while it runs ------------------------------------------------------------------- */

static void ptp_roles_changes_its_role_when_priority1_changes(void **state)
{
    struct mt_command command = {.kind = MT_COMMAND_PRIORITIES, .value.priorities = {5, 128}};
    bench_follow(&bench, 1, &peer);
    assert_true(bench_command(&bench, &command));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_true(is_grandmaster());
    bench_pass(&bench, 0);
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message.body.announce.priority1,
                     5);
    command.value.priorities.priority1 = 11;
    assert_true(bench_command(&bench, &command));
    bench_announces(&bench, 1, &peer, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_roles_changes_its_role_when_quality_changes(void **state)
{
    struct mt_command command = {.kind = MT_COMMAND_QUALITY, .value.quality = {6, 0x20, 0x4E5D}};
    peer.announce.priority1 = 128;
    bench_follow(&bench, 1, &peer);
    assert_true(bench_command(&bench, &command));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    peer.announce.quality.clock_class = 5;
    bench_announces(&bench, 1, &peer, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_PASSIVE); /* class 6 never follows */
    command.value.quality.clock_class = 187;
    assert_true(bench_command(&bench, &command));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

/* A worse one that was heard once, long ago, is nobody to follow. */
static void ptp_roles_stays_grandmaster_when_only_the_silent_are_better(void **state)
{
    bench_pass(&bench, BENCH_S(8));
    peer.announce.priority1 = 200;
    bench_announces(&bench, 1, &peer, 3);
    bench_pass(&bench, BENCH_S(20));
    assert_true(bench_command(&bench, &(struct mt_command){.kind = MT_COMMAND_PRIORITIES,
                                                           .value.priorities = {250, 128}}));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    bench_announces(&bench, 1, &peer, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_roles_announces_priority2_when_it_changes(void **state)
{
    bench_pass(&bench, BENCH_S(8));
    assert_true(bench_command(
        &bench, &(struct mt_command){.kind = MT_COMMAND_PRIORITIES, .value.priorities = {128, 3}}));
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message.body.announce.priority2,
                     3);
    assert_int_equal(mt_instance_parent(&bench.instance)->priority2, 3);
}

#define ONE(test) cmocka_unit_test_setup(ptp_roles_##test, one_port)
#define TWO(test) cmocka_unit_test_setup(ptp_roles_##test, two_ports)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(listens_only_when_linked_enabled_and_sound),
        TWO(recovers_when_the_link_comes_back),
        ONE(listens_anew_when_the_link_comes_back),
        ONE(refuses_a_command_when_the_port_does_not_exist),
        ONE(yields_when_a_lower_one_transmits_on_its_path),
        ONE(takes_over_when_the_lower_one_on_its_path_falls_silent),
        TWO(waits_for_nothing_when_a_yielding_port_goes_down),
        TWO(stays_when_what_it_hears_is_no_serving_sibling),
        TWO(loses_its_parent_when_only_the_own_announce_is_heard),
        TWO(is_passive_when_it_has_the_longer_way_to_the_same_parent),
        ONE(never_sends_when_receiver_only_and_alone),
        ONE(follows_the_worst_when_receiver_only),
        ONE(follows_the_worst_when_it_has_no_transmitter_part),
        ONE(refuses_another_class_when_receiver_only),
        ONE(serves_at_once_when_transmitter_only_and_alone),
        ONE(waits_for_the_others_when_transmitter_only),
        ONE(serves_own_time_when_transmitter_only_and_nobody_is_heard),
        ONE(does_not_wait_when_transmitter_only_and_the_others_are_down),
        ONE(changes_its_role_when_priority1_changes),
        ONE(changes_its_role_when_quality_changes),
        ONE(stays_grandmaster_when_only_the_silent_are_better),
        ONE(announces_priority2_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
