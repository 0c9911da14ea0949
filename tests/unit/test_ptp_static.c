/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Roles that are given, followers of Sync alone, transmitters that are not followed, the sync
 * receipt timeout; and the power profile's TLV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "ptp_bench.h"

static struct ptp_bench bench;
static struct mt_ptp_features features;
static struct mt_profile profile;
static struct mt_instance_more more;
static struct mt_port_profile port_profiles[3];
static struct mt_port_more port_more[3];

static void set_up(uint16_t port_count)
{
    bench_init(&bench, port_count);
    features = mt_ptp_all_features;
    features.boundary = &mt_boundary_roles;
    memset(port_more, 0, sizeof port_more);
    mt_profile_init(&profile);
    more = (struct mt_instance_more){.profile = &profile};
    bench.config.features = &features;
    bench.config.more = &more;
    for (unsigned i = 0; i < port_count; i++) {
        mt_port_profile_init(&port_profiles[i]);
        port_more[i].profile = &port_profiles[i];
        bench.port_configs[i].more = &port_more[i];
    }
}

static struct mt_ptp_message sync_of(struct bench_peer *peer)
{
    return (struct mt_ptp_message){
        .header = {.type = MT_PTP_SYNC,
                   .source = peer->identity,
                   .sequence = peer->sync_sequence++,
                   .log_interval = 0},
        .body.origin = {(uint64_t)BENCH_EPOCH_S, 0},
    };
}

/* One-step Syncs, one a second. */
static enum mt_verdict syncs(struct bench_peer *peer, unsigned count)
{
    enum mt_verdict verdict = MT_VERDICT_COUNT;
    for (unsigned i = 0; i < count; i++) {
        const struct mt_ptp_message sync = sync_of(peer);
        verdict = bench_rx(&bench, 1, &sync);
        bench_pass(&bench, BENCH_S(1));
    }
    return verdict;
}

/* ---- roles ----------------------------------------------------------------------------------- */

static void ptp_static_follows_a_worse_clock_when_the_port_is_a_receiver(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    bench.config.priority1 = 1;
    bench.config.quality.clock_class = 6;
    bench_start(&bench);
    peer_init(&peer, 1);
    peer.announce.priority1 = 255;
    bench_pass(&bench, BENCH_S(20));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    bench_announces(&bench, 1, &peer, 4);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    bench_clock(&bench, true, 1000);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_check(&bench);
}

static void ptp_static_starts_over_when_its_transmitter_falls_silent(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announces(&bench, 1, &peer, 4);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    bench_announces(&bench, 1, &peer, 4);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
}

static void ptp_static_serves_when_a_better_clock_is_heard_by_a_transmitter(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_TRANSMITTER;
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announces(&bench, 1, &peer, 6);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
}

static void ptp_static_does_nothing_when_the_port_is_passive(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_PASSIVE;
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announces(&bench, 1, &peer, 6);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_PASSIVE);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 0);
}

static void ptp_static_relays_when_one_port_receives_and_one_transmits(void **state)
{
    struct bench_peer peer;
    struct bench_peer better;
    set_up(2);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    port_profiles[1].role = MT_PORT_ROLE_TRANSMITTER;
    bench_start(&bench);
    peer_init(&peer, 1);
    peer_init(&better, 2);
    better.announce.priority1 = 1;
    for (unsigned i = 0; i < 12; i++) {
        bench_announce(&bench, 1, &peer);
        bench_announce(&bench, 2, &better);
        bench_pass(&bench, BENCH_S(2));
        bench_clock(&bench, true, 1000);
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    const struct mt_ptp_message *announce = &bench_newest(&bench, 2, MT_PTP_ANNOUNCE, 0)->message;
    assert_int_equal(announce->body.announce.grandmaster.octet[7], 1);
    assert_int_equal(announce->body.announce.steps_removed, 1);
}

/* ---- Sync alone ------------------------------------------------------------------------------ */

static void ptp_static_follows_a_sync_when_announces_are_inhibited(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    port_profiles[0].inhibits_announce = true;
    bench_start(&bench);
    peer_init(&peer, 1);
    assert_int_equal(syncs(&peer, 3), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    assert_true(bench_event_count(&bench, MT_EVENT_SAMPLE) >= 2);
    assert_int_equal(mt_instance_parent(&bench.instance)->grandmaster.octet[7], 1);
    syncs(&peer, 30);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    bench_pass(&bench, BENCH_S(10)); /* silence */
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
}

static void ptp_static_keeps_to_its_transmitter_when_another_sends_sync(void **state)
{
    struct bench_peer peer;
    struct bench_peer other;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    port_profiles[0].inhibits_announce = true;
    bench_start(&bench);
    peer_init(&peer, 1);
    peer_init(&other, 2);
    syncs(&peer, 3);
    assert_int_equal(syncs(&other, 1), MT_VERDICT_NOT_PARENT);
    assert_int_equal(mt_instance_parent(&bench.instance)->grandmaster.octet[7], 1);
    syncs(&other, 8); /* which do not keep the one alive that has fallen silent */
    assert_int_not_equal(mt_instance_parent(&bench.instance)->grandmaster.octet[7], 1);
}

static void ptp_static_takes_time_from_anybody_when_the_source_is_ignored(void **state)
{
    struct bench_peer peer;
    struct bench_peer other;
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_RECEIVER;
    port_profiles[0].inhibits_announce = true;
    port_profiles[0].ignores_source = true;
    bench_start(&bench);
    peer_init(&peer, 1);
    peer_init(&other, 2);
    syncs(&peer, 3);
    other.sync_sequence = 500;
    assert_int_equal(syncs(&other, 2), MT_VERDICT_ACCEPTED);
}

static void ptp_static_sends_no_announce_when_they_are_inhibited(void **state)
{
    set_up(1);
    port_profiles[0].role = MT_PORT_ROLE_TRANSMITTER;
    port_profiles[0].inhibits_announce = true;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(30));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 0);
    assert_true(bench_count(&bench, 1, MT_PTP_SYNC) > 10);
}

/* ---- who is not followed --------------------------------------------------------------------- */

static void ptp_roles_refuse_a_transmitter_when_its_clock_class_is_too_bad(void **state)
{
    struct bench_peer peer;
    set_up(1);
    profile.max_clock_class = 135;
    bench_start(&bench);
    peer_init(&peer, 1);
    peer.announce.quality.clock_class = 136;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_NOT_ACCEPTABLE);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    peer.announce.quality.clock_class = 135;
    bench_announces(&bench, 1, &peer, 4);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 1);
}

/* Announces every two seconds, Syncs every second while `syncs_too`. */
static void live(struct bench_peer *peer, unsigned seconds, bool syncs_too)
{
    for (unsigned i = 0; i < seconds; i++) {
        if (i % 2 == 0) {
            bench_announce(&bench, 1, peer);
        }
        if (syncs_too) {
            const struct mt_ptp_message sync = sync_of(peer);
            bench_rx(&bench, 1, &sync);
        }
        bench_pass(&bench, BENCH_S(1));
    }
}

static void ptp_roles_give_up_a_transmitter_when_its_sync_fails(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].sync_receipt_timeout = 3;
    profile.wait_to_restore_ns = BENCH_S(60);
    bench_start(&bench);
    peer_init(&peer, 1);
    live(&peer, 20, true);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 1);
    assert_int_equal(port_profiles[0].sync_timeouts, 0);
    live(&peer, 4, false);
    assert_int_equal(port_profiles[0].sync_timeouts, 1);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    assert_true(profile.barred[0].for_sync);
    live(&peer, 50, true); /* it is back, and has to wait */
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    assert_true(bench_verdicts(&bench, 1, MT_VERDICT_NOT_ACCEPTABLE) >= 20);
    live(&peer, 20, true);
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 1);
}

static void ptp_roles_follow_the_runner_up_when_sync_fails(void **state)
{
    struct bench_peer best;
    struct bench_peer second;
    set_up(1);
    port_profiles[0].sync_receipt_timeout = 3;
    profile.wait_to_restore_ns = BENCH_S(60);
    bench_start(&bench);
    peer_init(&best, 1);
    peer_init(&second, 2);
    second.announce.priority1 = 20;
    for (unsigned i = 0; i < 10; i++) {
        const struct mt_ptp_message sync = sync_of(&second);
        bench_announce(&bench, 1, &second);
        live(&best, 1, i < 5);
        bench_rx(&bench, 1, &sync);
        bench_pass(&bench, BENCH_S(1));
    }
    assert_int_equal(mt_instance_parent(&bench.instance)->grandmaster.octet[7], 2);
}

static void ptp_static_waits_to_restore_when_announces_have_failed(void **state)
{
    struct bench_peer peer;
    set_up(1);
    profile.wait_to_restore_ns = BENCH_S(60);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_follow(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(10)); /* silence: it is given up */
    assert_int_equal(mt_instance_receiving_port(&bench.instance), 0);
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_NOT_ACCEPTABLE);
    assert_false(profile.barred[0].for_sync);
    bench_pass(&bench, BENCH_S(60));
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
}

/* ---- power ----------------------------------------------------------------------------------- */

static bool power_of(const struct mt_ptp_message *announce, struct mt_tlv_power *ret_power)
{
    const uint8_t *tlvs = announce->tlvs;
    size_t length = announce->tlvs_length;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (mt_tlv_parse_power(&tlv, ret_power)) {
            return true;
        }
    }
    return false;
}

static void ptp_power_tells_of_itself_when_grandmaster(void **state)
{
    for (unsigned version = MT_POWER_2011; version <= MT_POWER_2017; version++) {
        struct mt_tlv_power power;
        set_up(1);
        profile.power =
            (struct mt_power_profile){(enum mt_power_version)version, 0x1234, 50, 70, 120};
        bench_start(&bench);
        bench_pass(&bench, BENCH_S(20));
        assert_true(power_of(&bench_newest(&bench, 1, MT_PTP_ANNOUNCE, 0)->message, &power));
        assert_int_equal(power.year_2017, version == MT_POWER_2017);
        assert_int_equal(power.grandmaster_id, 0x1234);
        assert_int_equal(power.total_inaccuracy_ns, 120);
        if (version == MT_POWER_2011) {
            assert_int_equal(power.gm_inaccuracy_ns, 50);
            assert_int_equal(power.network_inaccuracy_ns, 70);
        }
    }
}

static void ptp_power_refuses_who_tells_no_local_time_when_it_is_demanded(void **state)
{
    static const uint8_t zone[] = {0, 9, 0, 20, 0, 0xFF, 0xFF, 0xFF, 0xDB, 0,   0,   0,
                                   0, 0, 0, 0,  0, 0,    0,    3,    'U',  'T', 'C', 0};
    struct bench_peer peer;
    set_up(1);
    profile.demands_zone = true;
    bench_start(&bench);
    peer_init(&peer, 1);
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_NOT_ACCEPTABLE);
    peer.tlvs = zone;
    peer.tlvs_length = sizeof zone;
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_ACCEPTED);
    bench_follow(&bench, 1, &peer);
}

/* What a relay makes of a grandmaster with the id 77 which says in the form of 2017 that it may be
 * off by 200 ns. */
static void relay_the_sum(const struct mt_power_profile *own, struct bench_peer *peer,
                          struct mt_tlv_power *ret_power)
{
    static const uint8_t tlv[] = {0,  3, 0, 18, 0x1C, 0x12, 0x9D, 0, 0,   2, 0,
                                  77, 0, 0, 0,  0,    0,    0,    0, 200, 0, 0};
    set_up(2);
    profile.power = *own;
    bench_start(&bench);
    peer_init(peer, 1);
    peer->tlvs = tlv;
    peer->tlvs_length = sizeof tlv;
    bench_relay(&bench, peer);
    assert_true(power_of(bench_relayed_announce(&bench, peer, 2), ret_power));
}

/* A sum of all that may be wrong is not taken for nothing at all. */
static void ptp_power_names_the_sum_when_it_relays_in_the_form_of_2011(void **state)
{
    struct bench_peer peer;
    struct mt_tlv_power power;
    const struct mt_power_profile own = {MT_POWER_2011, 5, 40, 30, 70};
    relay_the_sum(&own, &peer, &power);
    assert_int_equal(power.year_2017, 0);
    assert_int_equal(power.grandmaster_id, 77);
    assert_int_equal(power.gm_inaccuracy_ns, 200);
    assert_int_equal(power.network_inaccuracy_ns, 30);
}

static void ptp_power_adds_its_own_part_when_it_relays(void **state)
{
    struct bench_peer peer;
    struct mt_tlv_power power;
    const struct mt_power_profile own = {MT_POWER_2017, 5, 0, 0, 30};
    relay_the_sum(&own, &peer, &power);
    assert_int_equal(power.grandmaster_id, 77);
    assert_int_equal(power.total_inaccuracy_ns, 230);
    peer.tlvs_length = 0; /* it no longer says so */
    assert_true(power_of(bench_relayed_announce(&bench, &peer, 2), &power));
    assert_int_equal(power.grandmaster_id, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_static_follows_a_worse_clock_when_the_port_is_a_receiver),
        cmocka_unit_test(ptp_static_starts_over_when_its_transmitter_falls_silent),
        cmocka_unit_test(ptp_static_serves_when_a_better_clock_is_heard_by_a_transmitter),
        cmocka_unit_test(ptp_static_does_nothing_when_the_port_is_passive),
        cmocka_unit_test(ptp_static_relays_when_one_port_receives_and_one_transmits),
        cmocka_unit_test(ptp_static_follows_a_sync_when_announces_are_inhibited),
        cmocka_unit_test(ptp_static_keeps_to_its_transmitter_when_another_sends_sync),
        cmocka_unit_test(ptp_static_takes_time_from_anybody_when_the_source_is_ignored),
        cmocka_unit_test(ptp_static_sends_no_announce_when_they_are_inhibited),
        cmocka_unit_test(ptp_roles_refuse_a_transmitter_when_its_clock_class_is_too_bad),
        cmocka_unit_test(ptp_roles_give_up_a_transmitter_when_its_sync_fails),
        cmocka_unit_test(ptp_roles_follow_the_runner_up_when_sync_fails),
        cmocka_unit_test(ptp_static_waits_to_restore_when_announces_have_failed),
        cmocka_unit_test(ptp_power_tells_of_itself_when_grandmaster),
        cmocka_unit_test(ptp_power_refuses_who_tells_no_local_time_when_it_is_demanded),
        cmocka_unit_test(ptp_power_names_the_sum_when_it_relays_in_the_form_of_2011),
        cmocka_unit_test(ptp_power_adds_its_own_part_when_it_relays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
