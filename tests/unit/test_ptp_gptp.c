/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * 802.1AS: who takes part, what a Follow_Up says, and a relay's time and rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_intervals.h"
#include "meantime/ptp_peer.h"
#include "ptp/management_private.h"
#include "ptp_bench.h"

#define DELAY_NS  300
#define UPSTREAM  70000  /* cumulativeScaledRateOffset that is heard */
#define NEIGHBOUR 219902 /* neighborRateRatio, scaled: 1e-7 */

static struct ptp_bench bench;
static struct mt_ptp_features features;
static struct mt_profile profile;
static struct mt_instance_more more;
static struct mt_port_profile port_profiles[2];
static struct mt_port_more port_more[2];
static struct mt_peer peers[2];
static int8_t log_upstream; /* as the peer says in its Syncs */

/* Links whose delay is known and on which everybody is always capable. */
static void set_up(uint16_t port_count)
{
    struct mt_peer_config link;
    log_upstream = -3;
    bench_init(&bench, port_count);
    features = mt_ptp_all_features;
    features.states = &mt_states_gptp;
    memset(port_more, 0, sizeof port_more);
    mt_profile_init(&profile);
    profile.is_gptp = true;
    more = (struct mt_instance_more){.profile = &profile};
    bench.config.features = &features;
    bench.config.more = &more;
    bench.config.announces_to_skip = 0;
    mt_peer_config_init(&link);
    link.is_gptp = true;
    link.stored_delay = mt_interval_from_ns(DELAY_NS);
    link.log_request_interval = MT_PEER_INTERVAL_STOP;
    for (unsigned i = 0; i < port_count; i++) {
        mt_peer_init(&peers[i], &link);
        mt_port_profile_init(&port_profiles[i]);
        port_profiles[i].is_always_capable = true;
        port_more[i].profile = &port_profiles[i];
        port_more[i].peer = &peers[i];
        port_more[i].delay_mechanism = MT_DELAY_P2P;
        bench.port_configs[i].more = &port_more[i];
        bench.port_configs[i].log_sync_interval = -3;
    }
}

static bool information_of(const struct mt_ptp_message *message,
                           struct mt_tlv_follow_up_information *ret_value)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    return mt_tlv_next(&tlvs, &length, &tlv) && mt_tlv_parse_follow_up_information(&tlv, ret_value);
}

/* The Follow_Up of the newest Sync; the correctionField is 1000.5 ns. */
static enum mt_verdict follow_up_from(const struct bench_peer *peer, bool with_information)
{
    struct mt_tlv_follow_up_information information = {.cumulative_scaled_rate_offset = UPSTREAM,
                                                       .gm_time_base_indicator = 9};
    uint8_t tlv[40];
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_FOLLOW_UP,
                   .source = peer->identity,
                   .sequence = (uint16_t)(peer->sync_sequence - 1),
                   .correction = {(1000 << 16) + (1 << 15)},
                   .log_interval = log_upstream},
        .body.origin = {4000, 17},
    };
    if (with_information) {
        message.tlvs_length = mt_tlv_write_follow_up_information(&information, tlv, sizeof tlv);
        message.tlvs = tlv;
    }
    return bench_rx(&bench, 1, &message);
}

/* A two-step Sync that arrives now, and its Follow_Up. */
static enum mt_verdict sync_from(struct bench_peer *peer, bool with_information)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SYNC,
                   .flags = MT_PTP_TWO_STEP,
                   .source = peer->identity,
                   .sequence = peer->sync_sequence++,
                   .log_interval = log_upstream},
    };
    enum mt_verdict verdict = bench_rx(&bench, 1, &message);
    return verdict == MT_VERDICT_ACCEPTED ? follow_up_from(peer, with_information) : verdict;
}

/* ---- states ---------------------------------------------------------------------------------- */

static void ptp_gptp_follows_at_the_first_announce_when_it_is_better(void **state)
{
    struct bench_peer peer;
    set_up(1);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
}

static void ptp_gptp_serves_at_once_when_nobody_is_better(void **state)
{
    struct bench_peer peer;
    set_up(2);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announce(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(12));
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
}

/* ---- asCapable ------------------------------------------------------------------------------- */

static void ptp_gptp_refuses_and_sends_nothing_when_the_link_is_not_capable(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].is_always_capable = false;
    bench_start(&bench);
    peer_init(&peer, 1);
    assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_NOT_CAPABLE);
    bench_pass(&bench, BENCH_S(20));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_ANNOUNCE), 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 0);
    peers[0].is_as_capable = true; /* as exchanges with the neighbour would make it */
    bench_pass(&bench, BENCH_S(4));
    assert_true(bench_count(&bench, 1, MT_PTP_ANNOUNCE) > 0);
    assert_true(bench_count(&bench, 1, MT_PTP_SYNC) > 0);
}

static enum mt_verdict say_capable(struct bench_peer *peer)
{
    static const uint8_t tlv[16] = {0, 3, 0, 12, 0x00, 0x80, 0xC2, 0, 0, 4};
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING, .domain = 5, .source = peer->identity},
        .body.target = {{{255, 255, 255, 255, 255, 255, 255, 255}}, 0xFFFF},
        .tlvs = tlv,
        .tlvs_length = sizeof tlv,
    };
    return bench_rx(&bench, 1, &message);
}

static void ptp_gptp_wants_to_be_told_when_the_domain_is_not_0(void **state)
{
    struct bench_peer peer;
    set_up(1);
    port_profiles[0].is_always_capable = false;
    bench.config.domain = 5;
    bench_start(&bench);
    peers[0].is_as_capable = true;
    peer_init(&peer, 1);
    bench_pass(&bench, BENCH_S(1));
    assert_false(port_profiles[0].is_capable);
    assert_int_equal(say_capable(&peer), MT_VERDICT_ACCEPTED);
    assert_true(port_profiles[0].is_capable);
    bench_pass(&bench, BENCH_S(8));
    assert_true(port_profiles[0].is_capable);
    bench_pass(&bench, BENCH_S(2));
    assert_false(port_profiles[0].is_capable);
}

static void ptp_gptp_tells_of_itself_when_a_second_has_passed(void **state)
{
    struct mt_tlv tlv;
    struct mt_tlv_gptp_capable capable;
    set_up(1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_in_range(bench_count(&bench, 1, MT_PTP_SIGNALING), 10, 12);
    const struct mt_ptp_message *message = &bench_newest(&bench, 1, MT_PTP_SIGNALING, 0)->message;
    assert_true(
        mt_tlv_find(message->tlvs, message->tlvs_length, MT_TLV_ORGANIZATION_EXTENSION, &tlv));
    assert_true(mt_tlv_parse_gptp_capable(&tlv, &capable));
    assert_int_equal(capable.log_message_interval, 0);
}

/* Whoever verifies looks at the sequence, whatever the messages say. */
static void ptp_gptp_counts_signaling_in_one_sequence_when_it_has_several_reasons(void **state)
{
    struct bench_peer peer;
    static struct mt_intervals intervals;
    uint16_t sequence = 0;
    set_up(1);
    mt_intervals_init(&intervals);
    intervals.keeps_sync = false;
    port_more[0].intervals = &intervals;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(1.5));
    peer_init(&peer, 1);
    bench_announce(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(1.5));
    assert_true(intervals.requests > 0);
    for (size_t i = 0; i < bench.frame_count; i++) {
        if (bench.frames[i].message.header.type == MT_PTP_SIGNALING) {
            assert_int_equal(bench.frames[i].message.header.sequence, sequence);
            sequence++;
        }
    }
    assert_true(sequence > intervals.requests + 1);
}

/* ---- Follow_Up ------------------------------------------------------------------------------- */

static void ptp_gptp_announces_but_serves_no_time_when_it_can_be_no_grandmaster(void **state)
{
    struct bench_peer peer;
    set_up(2);
    bench.config.priority1 = 255;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(20));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_true(bench_count(&bench, 1, MT_PTP_ANNOUNCE) > 0);
    assert_int_equal(bench_count(&bench, 0, MT_PTP_SYNC), 0);
    peer_init(&peer, 1); /* one that can: its time is relayed */
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_pass(&bench, BENCH_S(0.1));
    sync_from(&peer, true);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 1);
}

static void ptp_gptp_says_that_its_rate_is_its_own_when_grandmaster(void **state)
{
    struct mt_tlv_follow_up_information information;
    set_up(1);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(20));
    const struct mt_ptp_message *message = &bench_newest(&bench, 1, MT_PTP_FOLLOW_UP, 0)->message;
    assert_true(information_of(message, &information));
    assert_int_equal(information.cumulative_scaled_rate_offset, 0);
    assert_int_equal(message->header.correction.q16, 0);
}

static void ptp_gptp_refuses_a_follow_up_when_it_lacks_the_information(void **state)
{
    struct bench_peer peer;
    set_up(1);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_announce(&bench, 1, &peer);
    bench_clear(&bench);
    assert_int_equal(sync_from(&peer, false), MT_VERDICT_UNSUPPORTED);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    assert_int_equal(sync_from(&peer, true), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 1);
}

/* What one step writes into a Sync is the local clock's time, and lacks the information. */
static void ptp_gptp_sends_follow_up_when_its_link_could_write_the_time(void **state)
{
    set_up(1);
    port_more[0].sends_one_step = true;
    port_more[0].security.spp = MT_SECURITY_OFF;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(20));
    const struct bench_frame *sync = bench_newest(&bench, 1, MT_PTP_SYNC, 0);
    assert_int_equal(sync->tx.insertion, MT_INSERT_NOTHING);
    assert_true((sync->message.header.flags & MT_PTP_TWO_STEP) != 0);
    assert_in_range(bench_count(&bench, 1, MT_PTP_FOLLOW_UP),
                    bench_count(&bench, 1, MT_PTP_SYNC) - 1, bench_count(&bench, 1, MT_PTP_SYNC));
}

/* ---- relay ----------------------------------------------------------------------------------- */

/* Port 1 receives, port 2 relays. */
static void start_relay(struct bench_peer *peer)
{
    set_up(2);
    bench_start(&bench);
    peer_init(peer, 1);
    peers[0].rate.count = 2;
    peers[0].rate.ratio = NEIGHBOUR;
    for (unsigned i = 0; i < 8; i++) {
        bench_announce(&bench, 1, peer);
        bench_pass(&bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_state(&bench, 2), MT_STATE_TRANSMITTER);
    bench_clear(&bench);
}

static void ptp_gptp_relay_is_silent_when_it_hears_no_sync(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    bench_announce(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 0);
    assert_true(bench_count(&bench, 2, MT_PTP_ANNOUNCE) > 0);
}

static void ptp_gptp_relay_sends_on_when_a_sync_is_complete(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(sync_from(&peer, true), MT_VERDICT_ACCEPTED);
        assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), i + 1);
        assert_int_equal(bench_count(&bench, 2, MT_PTP_FOLLOW_UP), i + 1);
        bench_pass(&bench, BENCH_S(0.125));
    }
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SYNC), 0);
}

static void ptp_gptp_relay_sends_on_once_when_messages_come_twice(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    assert_int_equal(sync_from(&peer, true), MT_VERDICT_ACCEPTED);
    bench_pass(&bench, BENCH_S(0.01));
    assert_int_equal(follow_up_from(&peer, true), MT_VERDICT_STALE);
    bench_pass(&bench, BENCH_S(0.01));
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 1);
    assert_int_equal(sync_from(&peer, true), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 2);
}

static void ptp_gptp_relay_adds_delay_residence_and_rate_when_it_sends_on(void **state)
{
    struct bench_peer peer;
    struct mt_tlv_follow_up_information information;
    const int64_t residence_ns = 8000000;
    start_relay(&peer);
    bench.holds_stamps = true;
    sync_from(&peer, true);
    const struct bench_frame *sync = bench_newest(&bench, 2, MT_PTP_SYNC, 0);
    bench_pass(&bench, residence_ns);
    const struct mt_stamp stamp = bench_stamp(&bench);
    mt_instance_tx_done(&bench.instance, sync->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    const struct mt_ptp_message *follow_up = &bench_newest(&bench, 2, MT_PTP_FOLLOW_UP, 0)->message;
    assert_int_equal(follow_up->body.origin.s, 4000);
    assert_int_equal(follow_up->body.origin.ns, 17);
    /* 1000.5 ns that came, the link's delay, and 8 ms of a clock that is slow by both ratios */
    int64_t rate_q16 = residence_ns * (UPSTREAM + NEIGHBOUR) >> 25;
    int64_t expected_q16 = (1000 << 16) + (1 << 15) + ((DELAY_NS + residence_ns) << 16) + rate_q16;
    assert_in_range(follow_up->header.correction.q16 - expected_q16 + 2, 0, 4);
    assert_true(rate_q16 > 1000);
    assert_true(information_of(follow_up, &information));
    assert_int_equal(information.cumulative_scaled_rate_offset, UPSTREAM + NEIGHBOUR);
    assert_int_equal(information.gm_time_base_indicator, 9);
}

/* TIME_STATUS_NP, as linuxptp has it: the accumulated rate with the neighbour's in it. */
static void ptp_gptp_tells_programs_of_the_grandmaster_when_it_follows_one(void **state)
{
    struct bench_peer peer;
    uint8_t octets[22];
    struct mt_put out = {octets, sizeof octets, false};
    start_relay(&peer);
    sync_from(&peer, true);
    bench_pass(&bench, BENCH_S(0.05));
    mt_managed_put_information(&bench.instance, &out);
    assert_false(out.failed);
    int32_t rate = (int32_t)((uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                             (uint32_t)octets[2] << 8 | octets[3]);
    assert_int_equal(rate, UPSTREAM + NEIGHBOUR);
    assert_int_equal(octets[9], 9);  /* gmTimeBaseIndicator */
    bench_pass(&bench, BENCH_S(10)); /* it follows nobody any more */
    out = (struct mt_put){octets, sizeof octets, false};
    mt_managed_put_information(&bench.instance, &out);
    assert_int_equal(octets[3] | octets[9], 0);
}

static void ptp_gptp_relay_tells_the_timescale_of_its_parent_when_its_clock_shows_another(
    void **state)
{
    struct bench_peer peer;
    const struct mt_command shows = {.kind = MT_COMMAND_CLOCK,
                                     .value.clock = {.shows = MT_CLOCK_SHOWS_PTP}};
    start_relay(&peer);
    assert_true(bench_command(&bench, &shows));
    const struct mt_ptp_message *announce = bench_relayed_announce(&bench, &peer, 2);
    assert_int_equal(announce->header.flags & MT_PTP_TIMESCALE, 0);
}

static void ptp_gptp_relay_says_that_it_does_not_know_when_the_stamp_is_absurd(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    bench.holds_stamps = true;
    sync_from(&peer, true);
    const struct bench_frame *sync = bench_newest(&bench, 2, MT_PTP_SYNC, 0);
    struct mt_stamp stamp = bench_stamp(&bench);
    stamp.at.s -= 37; /* the clock was stepped in between */
    mt_instance_tx_done(&bench.instance, sync->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    const struct mt_ptp_message *follow_up = &bench_newest(&bench, 2, MT_PTP_FOLLOW_UP, 0)->message;
    assert_true(mt_interval_is_too_large(follow_up->header.correction));
}

static void ptp_gptp_relay_says_that_it_does_not_know_when_its_clock_was_stepped(void **state)
{
    struct bench_peer peer;
    const struct mt_command clock = {.kind = MT_COMMAND_CLOCK};
    start_relay(&peer);
    bench.holds_stamps = true;
    sync_from(&peer, true);
    const struct bench_frame *sync = bench_newest(&bench, 2, MT_PTP_SYNC, 0);
    struct mt_stamp stamp = bench_stamp(&bench);
    stamp.at.ns += 300000000; /* it reads a little later by now */
    profile.stepped_at = ++stamp.corrections;
    bench_command(&bench, &clock);
    mt_instance_tx_done(&bench.instance, sync->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    const struct mt_ptp_message *follow_up = &bench_newest(&bench, 2, MT_PTP_FOLLOW_UP, 0)->message;
    assert_true(mt_interval_is_too_large(follow_up->header.correction));
    size_t sent = bench_count(&bench, 2, MT_PTP_SYNC);
    sync_from(&peer, true); /* which came before that */
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), sent);
}

static void ptp_gptp_relay_sends_less_often_when_its_own_interval_is_longer(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    bench.instance.ports[1].config.log_sync_interval = -1;
    for (unsigned i = 0; i < 16; i++) {
        sync_from(&peer, true);
        bench_pass(&bench, BENCH_S(0.125));
    }
    assert_in_range(bench_count(&bench, 2, MT_PTP_SYNC), 4, 5);
}

/* Whoever is behind it waits for three of its intervals, not of the grandmaster's. */
static void ptp_gptp_relay_keeps_its_own_interval_when_it_is_shorter(void **state)
{
    struct bench_peer peer;
    start_relay(&peer);
    log_upstream = 0;
    for (unsigned i = 0; i < 4; i++) {
        bench_announce(&bench, 1, &peer);
        assert_int_equal(sync_from(&peer, true), MT_VERDICT_ACCEPTED);
        const struct mt_mono came = bench.now;
        bench_pass(&bench, BENCH_S(1));
        const struct bench_frame *follow_up = bench_newest(&bench, 2, MT_PTP_FOLLOW_UP, 0);
        const int64_t residence_ns = follow_up->at.ns - came.ns;
        assert_in_range(residence_ns, BENCH_S(0.8), BENCH_S(1));
        int64_t rate_q16 = residence_ns * (UPSTREAM + NEIGHBOUR) / (1 << 25);
        int64_t expected_q16 =
            (1000 << 16) + (1 << 15) + ((DELAY_NS + residence_ns) << 16) + rate_q16;
        assert_in_range(follow_up->message.header.correction.q16 - expected_q16 + 2, 0, 4);
    }
    assert_in_range(bench_count(&bench, 2, MT_PTP_SYNC), 31, 34);
    bench_pass(&bench, BENCH_S(2.2)); /* three were missed */
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(1));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_SYNC), 0);
}

static void ptp_gptp_relay_drops_what_is_its_own_when_it_begins_to_follow(void **state)
{
    struct bench_peer peer;
    set_up(2);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_pass(&bench, BENCH_S(20)); /* both ports serve */
    bench.holds_stamps = true;
    bench_pass(&bench, BENCH_S(0.2));
    const struct bench_frame *sync = bench_newest(&bench, 2, MT_PTP_SYNC, 0);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_clear(&bench);
    const struct mt_stamp stamp = bench_stamp(&bench);
    mt_instance_tx_done(&bench.instance, sync->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 2, MT_PTP_FOLLOW_UP), 0);
}

static void ptp_gptp_relay_serves_its_own_time_when_the_grandmaster_is_gone(void **state)
{
    struct bench_peer peer;
    struct mt_tlv_follow_up_information information;
    start_relay(&peer);
    sync_from(&peer, true);
    bench_pass(&bench, BENCH_S(10));
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(2));
    assert_in_range(bench_count(&bench, 2, MT_PTP_SYNC), 15, 17);
    const struct mt_ptp_message *follow_up = &bench_newest(&bench, 2, MT_PTP_FOLLOW_UP, 0)->message;
    assert_true(follow_up->body.origin.s >= (uint64_t)BENCH_EPOCH_S);
    assert_true(information_of(follow_up, &information));
    assert_int_equal(information.cumulative_scaled_rate_offset, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_gptp_follows_at_the_first_announce_when_it_is_better),
        cmocka_unit_test(ptp_gptp_serves_at_once_when_nobody_is_better),
        cmocka_unit_test(ptp_gptp_refuses_and_sends_nothing_when_the_link_is_not_capable),
        cmocka_unit_test(ptp_gptp_wants_to_be_told_when_the_domain_is_not_0),
        cmocka_unit_test(ptp_gptp_tells_of_itself_when_a_second_has_passed),
        cmocka_unit_test(ptp_gptp_counts_signaling_in_one_sequence_when_it_has_several_reasons),
        cmocka_unit_test(ptp_gptp_announces_but_serves_no_time_when_it_can_be_no_grandmaster),
        cmocka_unit_test(ptp_gptp_says_that_its_rate_is_its_own_when_grandmaster),
        cmocka_unit_test(ptp_gptp_refuses_a_follow_up_when_it_lacks_the_information),
        cmocka_unit_test(ptp_gptp_sends_follow_up_when_its_link_could_write_the_time),
        cmocka_unit_test(ptp_gptp_relay_is_silent_when_it_hears_no_sync),
        cmocka_unit_test(ptp_gptp_relay_sends_on_when_a_sync_is_complete),
        cmocka_unit_test(ptp_gptp_relay_sends_on_once_when_messages_come_twice),
        cmocka_unit_test(ptp_gptp_relay_adds_delay_residence_and_rate_when_it_sends_on),
        cmocka_unit_test(ptp_gptp_tells_programs_of_the_grandmaster_when_it_follows_one),
        cmocka_unit_test(
            ptp_gptp_relay_tells_the_timescale_of_its_parent_when_its_clock_shows_another),
        cmocka_unit_test(ptp_gptp_relay_says_that_it_does_not_know_when_the_stamp_is_absurd),
        cmocka_unit_test(ptp_gptp_relay_says_that_it_does_not_know_when_its_clock_was_stepped),
        cmocka_unit_test(ptp_gptp_relay_sends_less_often_when_its_own_interval_is_longer),
        cmocka_unit_test(ptp_gptp_relay_keeps_its_own_interval_when_it_is_shorter),
        cmocka_unit_test(ptp_gptp_relay_drops_what_is_its_own_when_it_begins_to_follow),
        cmocka_unit_test(ptp_gptp_relay_serves_its_own_time_when_the_grandmaster_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
