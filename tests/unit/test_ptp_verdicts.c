/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each way in which a frame can be refused is reached, is counted where it belongs and nowhere
 * else, and for each port   received == sum of all verdicts.   The last test fails when
 * verdict.def has one that nobody has provoked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_tlv.h"
#include "ptp_bench.h"

#define SEQUENCE_AT 31 /* low octet of sequenceId */

static struct ptp_bench bench;
static struct bench_peer peer;
static bool was_seen[MT_VERDICT_COUNT];

/* ---- frames ---------------------------------------------------------------------------------- */

struct frame {
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    size_t length;
    bool has_stamp;
};

static struct frame frame_of(const struct mt_ptp_message *message)
{
    struct frame frame = {.has_stamp = mt_ptp_is_event(message->header.type)};
    frame.length = mt_ptp_write(message, frame.octets, sizeof frame.octets);
    assert_true(frame.length > 0);
    return frame;
}

static struct mt_ptp_message message_of(enum mt_ptp_type type)
{
    struct mt_ptp_message message = {
        .header = {.type = type, .source = peer.identity, .sequence = 77, .log_interval = 0}};
    if (type == MT_PTP_ANNOUNCE) {
        message.body.announce = peer.announce;
    }
    return message;
}

static struct frame plain(enum mt_ptp_type type)
{
    const struct mt_ptp_message message = message_of(type);
    return frame_of(&message);
}

/* Hands it to port 1; the verdict must be the only counter of its kind that moves. */
static void expect(enum mt_verdict expected, const struct frame *frame)
{
    uint64_t before[MT_VERDICT_COUNT];
    uint64_t received = bench_counter(&bench, 1, MT_COUNT_RECEIVED);
    const struct mt_stamp stamp = bench_stamp(&bench);
    memcpy(before, bench.ports[0].verdicts, sizeof before);
    assert_int_equal(mt_instance_rx(&bench.instance, 1, frame->octets, frame->length,
                                    frame->has_stamp ? &stamp : NULL, NULL, bench.now),
                     expected);
    for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
        assert_true(bench.ports[0].verdicts[verdict] ==
                    before[verdict] + (verdict == (unsigned)expected));
    }
    assert_true(bench_counter(&bench, 1, MT_COUNT_RECEIVED) == received + 1);
    bench_drain(&bench);
    was_seen[expected] = true;
}

static void expect_of(enum mt_verdict expected, const struct mt_ptp_message *message)
{
    const struct frame frame = frame_of(message);
    expect(expected, &frame);
}

/* ---- states to start from -------------------------------------------------------------------- */

static int listening(void **state)
{
    bench_init(&bench, 1);
    bench_start(&bench);
    peer_init(&peer, 1);
    return 0;
}

static int receiving(void **state)
{
    listening(state);
    bench_follow(&bench, 1, &peer);
    return 0;
}

static int transmitting(void **state)
{
    listening(state);
    bench_pass(&bench, BENCH_S(8));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    return 0;
}

/* ---- not a PTP message ----------------------------------------------------------------------- */

static void ptp_verdict_is_accepted_when_nothing_is_wrong(void **state)
{
    const struct frame frame = plain(MT_PTP_ANNOUNCE);
    expect(MT_VERDICT_ACCEPTED, &frame);
}

static void ptp_verdict_is_short_when_header_or_body_is_cut(void **state)
{
    static const size_t lengths[] = {0, 1, 33, 34, 43, 63};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct frame frame = plain(MT_PTP_ANNOUNCE);
        frame.length = lengths[i];
        expect(MT_VERDICT_SHORT, &frame);
    }
}

static void ptp_verdict_is_version_when_it_is_not_two(void **state)
{
    struct frame frame = plain(MT_PTP_ANNOUNCE);
    frame.octets[1] = 0x01;
    expect(MT_VERDICT_VERSION, &frame);
}

static void ptp_verdict_is_type_when_it_is_reserved(void **state)
{
    struct frame frame = plain(MT_PTP_ANNOUNCE);
    frame.octets[0] = 0x07;
    expect(MT_VERDICT_TYPE, &frame);
}

static void ptp_verdict_is_length_when_the_field_is_larger_than_the_frame(void **state)
{
    struct frame frame = plain(MT_PTP_ANNOUNCE);
    frame.octets[3]++;
    expect(MT_VERDICT_LENGTH, &frame);
    frame.octets[3] = MT_PTP_ANNOUNCE_SIZE - 2;
    expect(MT_VERDICT_LENGTH, &frame);
}

static void ptp_verdict_is_tlv_when_one_runs_over_the_end(void **state)
{
    static const uint8_t tlv[] = {0x80, 0x08, 0x00, 0x04, 0x00, 0x00};
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    message.tlvs = tlv;
    message.tlvs_length = sizeof tlv;
    expect_of(MT_VERDICT_TLV, &message);
}

static void ptp_verdict_is_field_when_nanoseconds_make_a_second(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    message.body.announce.origin.ns = MT_NS_PER_S;
    expect_of(MT_VERDICT_FIELD, &message);
}

/* ---- not for this port ----------------------------------------------------------------------- */

static void ptp_verdict_is_disabled_when_the_port_is_off(void **state)
{
    const struct frame frame = plain(MT_PTP_ANNOUNCE);
    bench_link(&bench, 1, false);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_FAULTY);
    expect(MT_VERDICT_DISABLED, &frame);
    bench_command(&bench, &(struct mt_command){.kind = MT_COMMAND_PORT_ENABLE, .port = 1});
    assert_int_equal(bench_state(&bench, 1), MT_STATE_DISABLED);
    expect(MT_VERDICT_DISABLED, &frame);
}

static void ptp_verdict_is_domain_when_domain_or_sdo_differs(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    message.header.domain = 1;
    expect_of(MT_VERDICT_DOMAIN, &message);
    message.header.domain = 0;
    message.header.sdo_id = 0x100;
    expect_of(MT_VERDICT_DOMAIN, &message);
    message.header.sdo_id = 0x001;
    expect_of(MT_VERDICT_DOMAIN, &message);
}

static void ptp_verdict_is_own_when_the_clock_hears_itself(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    message.header.source = (struct mt_port_identity){bench.config.identity, 1};
    expect_of(MT_VERDICT_OWN, &message);
    message.header.source.port = 9;
    expect_of(MT_VERDICT_OWN, &message);
}

static void ptp_verdict_is_state_when_a_listening_port_gets_time(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC, MT_PTP_FOLLOW_UP, MT_PTP_DELAY_RESP,
                                             MT_PTP_DELAY_REQ};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        const struct frame frame = plain(types[i]);
        expect(MT_VERDICT_STATE, &frame);
    }
}

static void ptp_verdict_is_state_when_a_transmitter_only_port_gets_an_announce(void **state)
{
    const struct frame frame = plain(MT_PTP_ANNOUNCE);
    bench.port_configs[0].is_transmitter_only = true;
    bench_start(&bench);
    expect(MT_VERDICT_STATE, &frame);
}

static void ptp_verdict_is_unsupported_when_the_port_does_not_use_the_type(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_PDELAY_REQ, MT_PTP_PDELAY_RESP,
                                             MT_PTP_PDELAY_RESP_FOLLOW_UP, MT_PTP_SIGNALING,
                                             MT_PTP_MANAGEMENT};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        const struct frame frame = plain(types[i]);
        expect(MT_VERDICT_UNSUPPORTED, &frame);
    }
}

static void ptp_verdict_is_not_parent_when_time_comes_from_another(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC, MT_PTP_FOLLOW_UP, MT_PTP_DELAY_RESP};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        struct mt_ptp_message message = message_of(types[i]);
        message.header.source.port = 2;
        expect_of(MT_VERDICT_NOT_PARENT, &message);
        message = message_of(types[i]);
        message.header.source.clock = bench_identity(2);
        expect_of(MT_VERDICT_NOT_PARENT, &message);
    }
}

static void ptp_verdict_is_not_acceptable_when_the_list_does_not_hold_it(void **state)
{
    const struct mt_port_identity acceptable[] = {{bench_identity(2), 0}, {bench_identity(3), 5}};
    static const struct {
        uint8_t id;
        uint16_t port;
        enum mt_verdict verdict;
    } cases[] = {{1, 1, MT_VERDICT_NOT_ACCEPTABLE},
                 {2, 7, MT_VERDICT_ACCEPTED},
                 {3, 5, MT_VERDICT_ACCEPTED},
                 {3, 6, MT_VERDICT_NOT_ACCEPTABLE}};
    bench.port_configs[0].acceptable = acceptable;
    bench.port_configs[0].acceptable_count = 2;
    bench_start(&bench);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
        message.header.source =
            (struct mt_port_identity){bench_identity(cases[i].id), cases[i].port};
        expect_of(cases[i].verdict, &message);
    }
}

static void ptp_verdict_is_alternate_when_the_flag_is_set_and_not_allowed(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_FOLLOW_UP,
                                             MT_PTP_DELAY_RESP};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        struct mt_ptp_message message = message_of(types[i]);
        message.header.flags |= MT_PTP_ALTERNATE;
        expect_of(MT_VERDICT_ALTERNATE, &message);
    }
    bench.config.accepts_alternate = true;
    bench_start(&bench);
    peer.flags = MT_PTP_ALTERNATE;
    bench_follow(&bench, 1, &peer);
}

/* ---- an Announce that may not qualify -------------------------------------------------------- */

static void ptp_verdict_is_steps_removed_when_the_maximum_is_reached(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    message.body.announce.steps_removed = 255;
    expect_of(MT_VERDICT_STEPS_REMOVED, &message);
    message.body.announce.steps_removed = 65535;
    expect_of(MT_VERDICT_STEPS_REMOVED, &message);
    message.body.announce.steps_removed = 254;
    expect_of(MT_VERDICT_ACCEPTED, &message);
    bench.config.max_steps_removed = 3;
    bench_start(&bench);
    message.body.announce.steps_removed = 3;
    expect_of(MT_VERDICT_STEPS_REMOVED, &message);
}

static void ptp_verdict_is_path_loop_when_the_path_holds_the_own_identity(void **state)
{
    uint8_t tlv[4 + 3 * 8] = {0, MT_TLV_PATH_TRACE, 0, 3 * 8};
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    memcpy(tlv + 4 + 16, bench.config.identity.octet, 8);
    message.tlvs = tlv;
    message.tlvs_length = sizeof tlv;
    expect_of(MT_VERDICT_PATH_LOOP, &message);
    tlv[4 + 16]++;
    expect_of(MT_VERDICT_ACCEPTED, &message);
}

static void ptp_verdict_is_foreign_full_when_all_in_the_list_are_better(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_ANNOUNCE);
    for (uint8_t i = 0; i < MT_FOREIGN_MAX; i++) {
        message.header.source.clock = bench_identity((uint8_t)(20 + i));
        expect_of(MT_VERDICT_ACCEPTED, &message);
    }
    message.header.source.clock = bench_identity(100);
    message.body.announce.priority1++;
    expect_of(MT_VERDICT_FOREIGN_FULL, &message);
}

static void ptp_verdict_is_stale_when_an_announce_is_repeated(void **state)
{
    const struct frame frame = plain(MT_PTP_ANNOUNCE);
    expect(MT_VERDICT_ACCEPTED, &frame);
    expect(MT_VERDICT_STALE, &frame);
}

static void ptp_verdict_is_stale_when_a_half_of_a_sync_is_repeated(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC, MT_PTP_FOLLOW_UP};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        struct mt_ptp_message message = message_of(types[i]);
        message.header.flags |= MT_PTP_TWO_STEP;
        receiving(state);
        expect_of(MT_VERDICT_ACCEPTED, &message);
        expect_of(MT_VERDICT_STALE, &message); /* while it waits for its other half */
        message.header.type = types[1 - i];
        expect_of(MT_VERDICT_ACCEPTED, &message);
        expect_of(MT_VERDICT_STALE, &message); /* after they have met */
        message.header.type = types[i];
        expect_of(MT_VERDICT_STALE, &message);
    }
}

static void ptp_verdict_is_stale_when_a_request_is_repeated(void **state)
{
    struct frame frame = plain(MT_PTP_DELAY_REQ);
    expect(MT_VERDICT_ACCEPTED, &frame);
    expect(MT_VERDICT_STALE, &frame);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_RESP), 1);
    for (unsigned i = 0; i < MT_ANSWERS_MAX; i++) {
        frame.octets[SEQUENCE_AT]++;
        expect(MT_VERDICT_ACCEPTED, &frame);
    }
    frame.octets[SEQUENCE_AT] = (uint8_t)(frame.octets[SEQUENCE_AT] - MT_ANSWERS_MAX);
    expect(MT_VERDICT_ACCEPTED, &frame); /* forgotten by now */
    frame.octets[29]++;                  /* the same number from another port is another request */
    expect(MT_VERDICT_ACCEPTED, &frame);
}

/* ---- an exchange that cannot be completed ---------------------------------------------------- */

static void ptp_verdict_is_not_requested_when_nobody_asked(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_DELAY_RESP);
    message.body.response.requester = bench.ports[0].identity;
    expect_of(MT_VERDICT_NOT_REQUESTED, &message);
    bench_pass(&bench, BENCH_S(4));
    bench_announce(&bench, 1, &peer);
    message.header.sequence = bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->message.header.sequence;
    expect_of(MT_VERDICT_ACCEPTED, &message);
    expect_of(MT_VERDICT_NOT_REQUESTED, &message); /* answered already */
}

static void ptp_verdict_is_accepted_when_the_answer_is_for_another(void **state)
{
    struct mt_ptp_message message = message_of(MT_PTP_DELAY_RESP);
    message.body.response.requester = (struct mt_port_identity){bench_identity(99), 1};
    expect_of(MT_VERDICT_ACCEPTED, &message);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 0);
}

static void ptp_verdict_is_no_timestamp_when_an_event_message_has_none(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC, MT_PTP_DELAY_REQ, MT_PTP_PDELAY_REQ,
                                             MT_PTP_PDELAY_RESP};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        struct frame frame = plain(types[i]);
        frame.has_stamp = false;
        expect(MT_VERDICT_NO_TIMESTAMP, &frame);
    }
}

static void ptp_verdict_is_correction_when_it_is_too_large(void **state)
{
    static const enum mt_ptp_type types[] = {MT_PTP_SYNC, MT_PTP_FOLLOW_UP, MT_PTP_DELAY_RESP};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        struct mt_ptp_message message = message_of(types[i]);
        message.header.correction = MT_INTERVAL_TOO_LARGE;
        expect_of(MT_VERDICT_CORRECTION, &message);
    }
}

static void ptp_verdict_is_queue_full_when_answers_are_not_drained(void **state)
{
    struct frame frame = plain(MT_PTP_DELAY_REQ);
    const struct mt_stamp stamp = bench_stamp(&bench);
    for (unsigned i = 0; i < MT_ANSWERS_MAX; i++) {
        frame.octets[SEQUENCE_AT]++;
        assert_int_equal(
            mt_instance_rx(&bench.instance, 1, frame.octets, frame.length, &stamp, NULL, bench.now),
            MT_VERDICT_ACCEPTED);
    }
    frame.octets[SEQUENCE_AT]++;
    expect(MT_VERDICT_QUEUE_FULL, &frame);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_RESP), MT_ANSWERS_MAX);
    expect(MT_VERDICT_ACCEPTED, &frame);
}

static void ptp_verdict_was_provoked_when_verdict_def_has_it(void **state)
{
    /* those of authentication are test_ptp_security.c's, of 802.1AS test_ptp_gptp.c's */
    for (unsigned verdict = 0; verdict < MT_VERDICT_UNAUTHENTICATED; verdict++) {
        if (!was_seen[verdict]) {
            fail_msg("verdict %u has no test", verdict);
        }
    }
}

#define LISTENING(test)    cmocka_unit_test_setup(ptp_verdict_is_##test, listening)
#define RECEIVING(test)    cmocka_unit_test_setup(ptp_verdict_is_##test, receiving)
#define TRANSMITTING(test) cmocka_unit_test_setup(ptp_verdict_is_##test, transmitting)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTENING(accepted_when_nothing_is_wrong),
        LISTENING(short_when_header_or_body_is_cut),
        LISTENING(version_when_it_is_not_two),
        LISTENING(type_when_it_is_reserved),
        LISTENING(length_when_the_field_is_larger_than_the_frame),
        LISTENING(tlv_when_one_runs_over_the_end),
        LISTENING(field_when_nanoseconds_make_a_second),
        LISTENING(disabled_when_the_port_is_off),
        LISTENING(domain_when_domain_or_sdo_differs),
        LISTENING(own_when_the_clock_hears_itself),
        LISTENING(state_when_a_listening_port_gets_time),
        LISTENING(state_when_a_transmitter_only_port_gets_an_announce),
        LISTENING(unsupported_when_the_port_does_not_use_the_type),
        RECEIVING(not_parent_when_time_comes_from_another),
        LISTENING(not_acceptable_when_the_list_does_not_hold_it),
        LISTENING(alternate_when_the_flag_is_set_and_not_allowed),
        LISTENING(steps_removed_when_the_maximum_is_reached),
        LISTENING(path_loop_when_the_path_holds_the_own_identity),
        LISTENING(foreign_full_when_all_in_the_list_are_better),
        LISTENING(stale_when_an_announce_is_repeated),
        RECEIVING(stale_when_a_half_of_a_sync_is_repeated),
        TRANSMITTING(stale_when_a_request_is_repeated),
        RECEIVING(not_requested_when_nobody_asked),
        RECEIVING(accepted_when_the_answer_is_for_another),
        RECEIVING(no_timestamp_when_an_event_message_has_none),
        RECEIVING(correction_when_it_is_too_large),
        TRANSMITTING(queue_full_when_answers_are_not_drained),
        cmocka_unit_test(ptp_verdict_was_provoked_when_verdict_def_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
