/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Integrated security: one bench signs, another verifies what it has signed, whole, changed,
 * repeated, with other keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "meantime/ptp_management.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_stateless.h"
#include "ptp/security_private.h"
#include "ptp_bench.h"

#define CORRECTION_FIRST 8
#define CORRECTION_LAST  15
#define SENDERS          2
#define ANNOUNCE_SIZE    76 /* with the path trace of one clock */

static struct mt_security_key keys[] = {
    {.id = 1, .mac = MT_MAC_HMAC_SHA256_128, .length = 5, .octets = "first"},
    {.id = 2, .mac = MT_MAC_HMAC_SHA256, .length = 6, .octets = "second"},
    {.id = 3, .mac = MT_MAC_AES128_CMAC, .length = 16, .octets = "sixteen octets.."},
};

/* a bench with all that security needs */
struct secured {
    struct ptp_bench bench;
    struct mt_security security;
    struct mt_security_association association;
    struct mt_security_sender senders[SENDERS];
    struct mt_instance_more more;
    struct mt_port_more port_more;
};
static struct secured signer, verifier;

static void init(struct secured *self, uint8_t id)
{
    memset(self, 0, sizeof *self);
    self->association = (struct mt_security_association){
        .spp = 7, .sequence_window = 20, .keys = keys, .key_count = 3};
    self->security = (struct mt_security){.crypto = &mt_crypto_nettle,
                                          .associations = &self->association,
                                          .association_count = 1,
                                          .senders = self->senders,
                                          .sender_count = SENDERS};
    self->more.security = &self->security;
    self->port_more.security = (struct mt_port_security){.spp = 7, .key_id = 1};
    bench_init(&self->bench, 1);
    self->bench.config.identity = bench_identity(id);
    self->bench.config.more = &self->more;
    self->bench.port_configs[0].more = &self->port_more;
}

/* The signer serves, the verifier listens. */
static int start(void **state)
{
    (void)state;
    init(&signer, 8);
    init(&verifier, 9);
    bench_start(&verifier.bench);
    return 0;
}

static void let_it_sign(int64_t ns)
{
    bench_start(&signer.bench);
    bench_pass(&signer.bench, BENCH_S(10));
    bench_clear(&signer.bench);
    bench_pass(&signer.bench, ns);
}

static const struct bench_frame *next_of(enum mt_ptp_type type, size_t from)
{
    for (size_t i = from; i < signer.bench.frame_count; i++) {
        if (signer.bench.frames[i].message.header.type == type) {
            return &signer.bench.frames[i];
        }
    }
    fail_msg("no frame of type %d", (int)type);
    return NULL;
}

static enum mt_verdict hear(const uint8_t *octets, size_t length)
{
    const struct mt_stamp stamp = bench_stamp(&verifier.bench);
    return mt_instance_rx(&verifier.bench.instance, 1, octets, length, &stamp, NULL,
                          verifier.bench.now);
}

static enum mt_verdict hear_frame(const struct bench_frame *frame)
{
    return hear(frame->octets, frame->tx.length);
}

/* ---- codes ----------------------------------------------------------------------------------- */

static void ptp_security_accepts_an_announce_when_it_was_signed_with_any_key(void **state)
{
    (void)state;
    for (uint32_t id = 1; id <= 3; id++) {
        start(NULL);
        signer.port_more.security.key_id = id;
        let_it_sign(BENCH_S(2));
        assert_int_equal(hear_frame(next_of(MT_PTP_ANNOUNCE, 0)), MT_VERDICT_ACCEPTED);
    }
}

static void ptp_security_refuses_an_announce_when_one_bit_was_changed(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = next_of(MT_PTP_ANNOUNCE, 0);
    for (size_t bit = 0; bit < announce->tx.length * 8; bit++) {
        uint8_t octets[256];
        memcpy(octets, announce->octets, announce->tx.length);
        octets[bit / 8] = (uint8_t)(octets[bit / 8] ^ 1u << bit % 8);
        assert_int_not_equal(hear(octets, announce->tx.length), MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(hear_frame(announce), MT_VERDICT_ACCEPTED);
}

static void ptp_security_lets_only_the_correction_change_when_it_is_mutable(void **state)
{
    (void)state;
    signer.association.allows_mutable = true;
    verifier.association.allows_mutable = true;
    verifier.association.sequence_window = 0;
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = next_of(MT_PTP_ANNOUNCE, 0);
    for (size_t at = 0; at < 34; at++) {
        uint8_t octets[256];
        memcpy(octets, announce->octets, announce->tx.length);
        octets[at] ^= 1;
        bool is_mutable = at >= CORRECTION_FIRST && at <= CORRECTION_LAST;
        enum mt_verdict verdict = hear(octets, announce->tx.length);
        /* the sequence is that of the first one, so the port itself calls the others stale */
        assert_true((verdict == MT_VERDICT_ACCEPTED || verdict == MT_VERDICT_STALE) == is_mutable);
    }
}

static void ptp_security_refuses_a_message_when_it_is_not_signed(void **state)
{
    struct bench_peer peer;
    (void)state;
    peer_init(&peer, 20);
    assert_int_equal(bench_announce(&verifier.bench, 1, &peer), MT_VERDICT_UNAUTHENTICATED);
    assert_int_equal(verifier.bench.ports[0].verdicts[MT_VERDICT_UNAUTHENTICATED], 1);
    assert_int_equal(verifier.port_more.security.missing, 1);
}

static void ptp_security_refuses_a_message_when_association_or_key_is_another(void **state)
{
    (void)state;
    struct mt_security_key other[] = {
        {.id = 1, .mac = MT_MAC_HMAC_SHA256_128, .length = 5, .octets = "other"}};
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = next_of(MT_PTP_ANNOUNCE, 0);
    verifier.association.keys = other;
    verifier.association.key_count = 1;
    assert_int_equal(hear_frame(announce), MT_VERDICT_FORGED);
    verifier.association.key_count = 0;
    assert_int_equal(hear_frame(announce), MT_VERDICT_FORGED);
    verifier.association.keys = keys;
    verifier.association.key_count = 3;
    verifier.association.spp = 8;
    assert_int_equal(hear_frame(announce), MT_VERDICT_FORGED);
    verifier.port_more.security.spp = 8;
    assert_int_equal(hear_frame(announce), MT_VERDICT_FORGED);
    verifier.association.spp = 7;
    verifier.port_more.security.spp = 7;
    assert_int_equal(hear_frame(announce), MT_VERDICT_ACCEPTED);
}

static void ptp_security_follows_when_the_sender_changes_its_key(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(2));
    assert_int_equal(hear_frame(next_of(MT_PTP_ANNOUNCE, 0)), MT_VERDICT_ACCEPTED);
    signer.port_more.security.key_id = 2;
    bench_clear(&signer.bench);
    bench_pass(&signer.bench, BENCH_S(2));
    const struct bench_frame *announce = next_of(MT_PTP_ANNOUNCE, 0);
    assert_int_equal(announce->tx.length, ANNOUNCE_SIZE + 10 + 32);
    assert_int_equal(hear_frame(announce), MT_VERDICT_ACCEPTED);
}

static void ptp_security_signs_nothing_when_the_port_is_off(void **state)
{
    (void)state;
    signer.port_more.security.spp = MT_SECURITY_OFF;
    verifier.port_more.security.spp = MT_SECURITY_OFF;
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = next_of(MT_PTP_ANNOUNCE, 0);
    assert_int_equal(announce->tx.length, ANNOUNCE_SIZE);
    assert_int_equal(hear_frame(announce), MT_VERDICT_ACCEPTED);
}

/* ---- beside the domain, and what claims to be of this clock ---------------------------------- */

static void ptp_security_refuses_pdelay_in_common_when_it_is_not_signed(void **state)
{
    (void)state;
    struct mt_peer peer;
    struct mt_peer_config config;
    struct mt_ptp_message request = {
        .header = {.type = MT_PTP_PDELAY_REQ, .sdo_id = 0x200, .source = {bench_identity(20), 1}}};
    mt_peer_config_init(&config);
    config.sdo_id = 0x200;
    mt_peer_init(&peer, &config);
    verifier.port_more.peer = &peer;
    verifier.port_more.delay_mechanism = MT_DELAY_COMMON_P2P;
    bench_start(&verifier.bench);
    assert_int_equal(bench_rx(&verifier.bench, 1, &request), MT_VERDICT_UNAUTHENTICATED);
    assert_int_equal(bench_count(&verifier.bench, 1, MT_PTP_PDELAY_RESP), 0);
    request.header.domain = 3; /* of others on this link */
    assert_int_equal(bench_rx(&verifier.bench, 1, &request), MT_VERDICT_DOMAIN);
    /* the same, shared: nobody knows here how it was measured */
    assert_true(verifier.bench.ports[0].sample.authenticated);
    verifier.port_more.shares_peer = true;
    bench_pass(&verifier.bench, BENCH_S(2));
    assert_false(verifier.bench.ports[0].sample.authenticated);
}

static void ptp_security_hears_no_csptp_when_it_verifies(void **state)
{
    (void)state;
    static struct mt_stateless_client client;
    const struct mt_address server = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    const struct mt_ptp_message answer = {.header = {.type = MT_PTP_SYNC,
                                                     .sdo_id = MT_CSPTP_SDO_ID,
                                                     .flags = MT_PTP_UNICAST,
                                                     .source = {bench_identity(20), 1}}};
    mt_stateless_client_init(&client, MT_STATELESS_CSPTP, &mt_csptp_layouts[0], 0, &server, 1);
    verifier.port_more.stateless = &client;
    assert_int_equal(bench_rx(&verifier.bench, 1, &answer), MT_VERDICT_UNAUTHENTICATED);
    verifier.port_more.security.spp = MT_SECURITY_OFF;
    assert_int_equal(bench_rx(&verifier.bench, 1, &answer), MT_VERDICT_NOT_REQUESTED);
}

/* A port gives way to a lower one of its own clock on the same path, but not to who says so. */
static void ptp_security_keeps_serving_when_a_sibling_is_forged(void **state)
{
    (void)state;
    struct ptp_bench *bench = &signer.bench;
    struct bench_peer sibling;
    bench_init(bench, 2);
    bench->config.identity = bench_identity(8);
    bench->config.more = &signer.more;
    bench->port_configs[0].more = &signer.port_more;
    bench->port_configs[1].more = &signer.port_more;
    let_it_sign(BENCH_S(4));
    assert_int_equal(bench_state(bench, 2), MT_STATE_TRANSMITTER);
    const struct bench_frame announce = *bench_newest(bench, 1, MT_PTP_ANNOUNCE, 0);
    peer_init(&sibling, 8);
    sibling.identity = announce.message.header.source;
    sibling.announce_sequence = announce.message.header.sequence;
    assert_int_equal(bench_announce(bench, 2, &sibling), MT_VERDICT_UNAUTHENTICATED);
    assert_int_equal(bench_state(bench, 2), MT_STATE_TRANSMITTER);
    const struct mt_stamp stamp = bench_stamp(bench);
    assert_int_equal(mt_instance_rx(&bench->instance, 2, announce.octets, announce.tx.length,
                                    &stamp, NULL, bench->now),
                     MT_VERDICT_OWN);
    assert_int_equal(bench_state(bench, 2), MT_STATE_PASSIVE);
}

/* ---- repetition ------------------------------------------------------------------------------ */

static void ptp_security_refuses_a_sync_when_it_is_repeated_or_far_ahead(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(40));
    const struct bench_frame *first = next_of(MT_PTP_SYNC, 0);
    const struct bench_frame *second =
        next_of(MT_PTP_SYNC, (size_t)(first - signer.bench.frames) + 1);
    const struct bench_frame *last = first;
    for (const struct bench_frame *frame = first;
         frame < signer.bench.frames + signer.bench.frame_count; frame++) {
        last = frame->message.header.type == MT_PTP_SYNC ? frame : last;
    }
    /* not the parent's, but it has verified */
    assert_int_equal(hear_frame(second), MT_VERDICT_STATE);
    assert_int_equal(hear_frame(second), MT_VERDICT_STALE);
    assert_int_equal(hear_frame(first), MT_VERDICT_STALE);
    assert_true((uint16_t)(last->message.header.sequence - second->message.header.sequence) > 20);
    assert_int_equal(hear_frame(last), MT_VERDICT_STALE);
    assert_int_equal(verifier.port_more.security.verified, 1);
    assert_int_equal(verifier.port_more.security.repeated, 3);
    assert_true(signer.port_more.security.sent_signed >= signer.bench.frame_count);
    assert_int_equal(signer.port_more.security.sent_unsigned, 0);
    bench_pass(&verifier.bench, MT_SECURITY_SILENCE_NS);
    assert_int_equal(hear_frame(last), MT_VERDICT_STATE);
}

static enum mt_verdict hear_on(uint16_t port, const struct bench_frame *frame)
{
    const struct mt_stamp stamp = bench_stamp(&verifier.bench);
    enum mt_verdict verdict = mt_instance_rx(&verifier.bench.instance, port, frame->octets,
                                             frame->tx.length, &stamp, NULL, verifier.bench.now);
    bench_drain(&verifier.bench);
    return verdict;
}

/* Two ports on one network: who heard nothing on the second would serve there. */
static void ptp_security_hears_a_message_on_each_port_when_it_comes_to_several(void **state)
{
    (void)state;
    bench_init(&verifier.bench, 2);
    verifier.bench.config.identity = bench_identity(9);
    verifier.bench.config.more = &verifier.more;
    verifier.bench.port_configs[0].more = &verifier.port_more;
    verifier.bench.port_configs[1].more = &verifier.port_more;
    bench_start(&verifier.bench);
    let_it_sign(BENCH_S(30));
    for (size_t i = 0; i < signer.bench.frame_count; i++) {
        const struct bench_frame *frame = &signer.bench.frames[i];
        if (frame->message.header.type != MT_PTP_ANNOUNCE) {
            continue;
        }
        assert_int_equal(hear_on(1, frame), MT_VERDICT_ACCEPTED);
        assert_int_equal(hear_on(2, frame), MT_VERDICT_ACCEPTED);
        assert_int_equal(hear_on(2, frame), MT_VERDICT_STALE);
        assert_int_equal(hear_on(1, frame), MT_VERDICT_STALE);
        bench_pass(&verifier.bench, BENCH_S(2));
    }
    assert_int_equal(bench_state(&verifier.bench, 1), MT_STATE_UNCALIBRATED);
    assert_int_equal(bench_state(&verifier.bench, 2), MT_STATE_PASSIVE);
}

/* Of one sender, in the verifier's window of 20. */
static bool is_repeated(enum mt_ptp_type type, uint16_t flags, uint8_t action, uint16_t sequence)
{
    struct mt_ptp_message message = {
        .header = {
            .type = type, .flags = flags, .source = {bench_identity(30), 1}, .sequence = sequence}};
    if (type == MT_PTP_MANAGEMENT) {
        message.body.management.action = action;
    }
    return mt_security_is_repeated(&verifier.security, 20, &message, 1, verifier.bench.now);
}

static void ptp_security_counts_apart_what_is_for_all_and_for_one(void **state)
{
    (void)state;
    assert_false(is_repeated(MT_PTP_SYNC, 0, 0, 100));
    assert_false(is_repeated(MT_PTP_SYNC, MT_PTP_UNICAST, 0, 5000));
    assert_false(is_repeated(MT_PTP_SYNC, 0, 0, 101));
    assert_false(is_repeated(MT_PTP_SYNC, MT_PTP_UNICAST, 0, 5001));
    assert_true(is_repeated(MT_PTP_SYNC, 0, 0, 101));
    assert_true(is_repeated(MT_PTP_SYNC, MT_PTP_UNICAST, 0, 5001));
    assert_true(is_repeated(MT_PTP_SYNC, MT_PTP_UNICAST, 0, 5022));
}

/* An outage of a second at the shortest interval is longer than any window that one would set. */
static void ptp_security_hears_on_when_more_were_lost_than_the_window_has(void **state)
{
    (void)state;
    assert_false(is_repeated(MT_PTP_SYNC, 0, 0, 65500));
    bench_pass(&verifier.bench, BENCH_S(1));
    assert_true(is_repeated(MT_PTP_SYNC, 0, 0, 65499));
    assert_true(is_repeated(MT_PTP_SYNC, 0, 0, (uint16_t)(65500 + 128 + 21)));
    assert_false(is_repeated(MT_PTP_SYNC, 0, 0, (uint16_t)(65500 + 128 + 20)));
    assert_true(is_repeated(MT_PTP_SYNC, 0, 0, 65500));
}

/* Of those there is one sequence to all stations at many a sender, and answers have their
 * question's. */
static void ptp_security_allows_any_gap_when_it_is_signaling_or_management(void **state)
{
    (void)state;
    static const enum mt_ptp_type types[] = {MT_PTP_SIGNALING, MT_PTP_MANAGEMENT};
    for (unsigned i = 0; i < 2; i++) {
        assert_false(is_repeated(types[i], MT_PTP_UNICAST, MT_ACTION_SET, 65000));
        assert_false(is_repeated(types[i], MT_PTP_UNICAST, MT_ACTION_SET, 300));
        assert_true(is_repeated(types[i], MT_PTP_UNICAST, MT_ACTION_SET, 300));
        assert_true(is_repeated(types[i], MT_PTP_UNICAST, MT_ACTION_SET, 65001));
    }
    assert_false(is_repeated(MT_PTP_MANAGEMENT, MT_PTP_UNICAST, MT_ACTION_RESPONSE, 7));
    assert_false(is_repeated(MT_PTP_MANAGEMENT, MT_PTP_UNICAST, MT_ACTION_RESPONSE, 7));
    assert_false(is_repeated(MT_PTP_MANAGEMENT, MT_PTP_UNICAST, MT_ACTION_ACKNOWLEDGE, 3));
}

static void ptp_security_keeps_the_newer_senders_when_the_table_is_full(void **state)
{
    (void)state;
    uint8_t ids[] = {30, 31, 32};
    struct bench_frame kept[3];
    for (size_t i = 0; i < sizeof ids; i++) {
        init(&signer, ids[i]);
        let_it_sign(BENCH_S(2));
        kept[i] = *next_of(MT_PTP_SYNC, 0);
        assert_int_equal(hear_frame(&kept[i]), MT_VERDICT_STATE);
        bench_pass(&verifier.bench, 1000000);
    }
    assert_int_equal(hear_frame(&kept[1]), MT_VERDICT_STALE);
    assert_int_equal(hear_frame(&kept[2]), MT_VERDICT_STALE);
    assert_int_equal(hear_frame(&kept[0]), MT_VERDICT_STATE); /* it had to give way */
}

/* ---- both ends ------------------------------------------------------------------------------- */

static void ptp_security_measures_authentic_samples_when_both_ends_sign(void **state)
{
    (void)state;
    verifier.association.sequence_window = 0;
    let_it_sign(BENCH_S(12));
    for (size_t i = 0; i < signer.bench.frame_count; i++) {
        hear_frame(&signer.bench.frames[i]);
        bench_drain(&verifier.bench);
    }
    size_t samples = 0;
    for (size_t i = 0; i < verifier.bench.event_count; i++) {
        const struct mt_event *event = &verifier.bench.events[i].event;
        if (event->kind == MT_EVENT_SAMPLE) {
            assert_true(event->value.sample.authenticated);
            samples++;
        }
    }
    assert_true(samples > 0);
}

#define SECURITY_TEST(name) cmocka_unit_test_setup(ptp_security_##name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECURITY_TEST(accepts_an_announce_when_it_was_signed_with_any_key),
        SECURITY_TEST(refuses_an_announce_when_one_bit_was_changed),
        SECURITY_TEST(lets_only_the_correction_change_when_it_is_mutable),
        SECURITY_TEST(refuses_a_message_when_it_is_not_signed),
        SECURITY_TEST(refuses_a_message_when_association_or_key_is_another),
        SECURITY_TEST(follows_when_the_sender_changes_its_key),
        SECURITY_TEST(signs_nothing_when_the_port_is_off),
        SECURITY_TEST(refuses_pdelay_in_common_when_it_is_not_signed),
        SECURITY_TEST(hears_no_csptp_when_it_verifies),
        SECURITY_TEST(keeps_serving_when_a_sibling_is_forged),
        SECURITY_TEST(refuses_a_sync_when_it_is_repeated_or_far_ahead),
        SECURITY_TEST(hears_a_message_on_each_port_when_it_comes_to_several),
        SECURITY_TEST(counts_apart_what_is_for_all_and_for_one),
        SECURITY_TEST(hears_on_when_more_were_lost_than_the_window_has),
        SECURITY_TEST(allows_any_gap_when_it_is_signaling_or_management),
        SECURITY_TEST(keeps_the_newer_senders_when_the_table_is_full),
        SECURITY_TEST(measures_authentic_samples_when_both_ends_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
