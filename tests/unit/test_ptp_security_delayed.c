/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Delayed verification: one bench signs with a chain of keys, another keeps what it hears until the
 * keys are disclosed.  Frames reach the verifier LATENCY_NS after they were sent unless a test says
 * otherwise; both clocks agree unless a test tells one of them another time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain_bench.h"
#include "crypto/crypto.h"

#define LATENCY_NS   INT64_C(1000000)
#define LONG_LENGTH  1000
#define ANNOUNCE     76 /* octets, with the path trace of one clock */
#define HEAD         10
#define CODE         16
#define CORRECTION   8
#define OPTIONS_AT   5 /* secParamIndicator in a TLV */
#define KEY_ID_AT    6
#define SIGNER_CLOCK 8

static struct secured signer, verifier;

static int prepare(void **state)
{
    (void)state;
    secured_init(&signer, SIGNER_CLOCK);
    secured_init(&verifier, 9);
    secured_share(&signer, &verifier);
    secured_tell(&signer, 0);
    secured_tell(&verifier, 0);
    return 0;
}

static int start(void **state)
{
    prepare(state);
    bench_start(&verifier.bench);
    return 0;
}

/* The frames of a signer that has been serving for a while. */
static void let_it_sign(int64_t ns)
{
    bench_start(&signer.bench);
    bench_pass(&signer.bench, BENCH_S(8));
    bench_clear(&signer.bench);
    bench_pass(&signer.bench, ns);
}

static bool is_covered(const struct bench_frame *frame)
{
    enum mt_ptp_type type = frame->message.header.type;
    return type == MT_PTP_ANNOUNCE || type == MT_PTP_SYNC || type == MT_PTP_FOLLOW_UP;
}

static const struct bench_frame *frame_at(size_t index)
{
    assert_true(index < signer.bench.frame_count);
    return &signer.bench.frames[index];
}

static size_t index_of(enum mt_ptp_type type, size_t from)
{
    while (frame_at(from)->message.header.type != type) {
        from++;
    }
    return from;
}

/* ---- the way to the verifier ----------------------------------------------------------------- */

static enum mt_verdict hear_only(const uint8_t *octets, size_t length)
{
    const struct mt_stamp stamp = bench_stamp(&verifier.bench);
    return mt_instance_rx(&verifier.bench.instance, 1, octets, length, &stamp, NULL,
                          verifier.bench.now);
}

static unsigned release(void)
{
    unsigned count = 0;
    while (mt_security_next(&verifier.bench.instance, verifier.bench.now)) {
        count++;
        bench_drain(&verifier.bench);
    }
    bench_check(&verifier.bench);
    return count;
}

static void wait_until(int64_t ns)
{
    if (ns > verifier.bench.now.ns) {
        bench_pass(&verifier.bench, ns - verifier.bench.now.ns);
    }
}

static enum mt_verdict hear_late(const struct bench_frame *frame, int64_t latency_ns)
{
    wait_until(frame->at.ns + latency_ns);
    enum mt_verdict verdict = hear_only(frame->octets, frame->tx.length);
    bench_drain(&verifier.bench);
    return verdict;
}

static enum mt_verdict hear(const struct bench_frame *frame)
{
    return hear_late(frame, LATENCY_NS);
}

/* All frames from one to before another, released as their keys come. */
static void hear_all(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        hear(frame_at(i));
        release();
    }
}

static uint64_t verdicts(enum mt_verdict verdict)
{
    return bench_verdicts(&verifier.bench, 1, verdict);
}

static uint64_t received(void)
{
    return bench_counter(&verifier.bench, 1, MT_COUNT_RECEIVED);
}

static const uint8_t *tlv_of(const struct bench_frame *frame)
{
    return frame->octets + frame->tx.length - (HEAD + MT_CHAIN_KEY_SIZE + CODE);
}

/* ---- waiting for keys ------------------------------------------------------------------------ */

static void ptp_security_delayed_signs_with_the_interval_and_discloses_an_older_key(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    const uint8_t *tlv = tlv_of(announce);
    assert_int_equal(announce->tx.length, ANNOUNCE + HEAD + MT_CHAIN_KEY_SIZE + CODE);
    assert_int_equal(tlv[OPTIONS_AT], 4);
    assert_int_equal(tlv[KEY_ID_AT + 3], announce->at.ns / INTERVAL_NS + 1);
}

static void ptp_security_delayed_keeps_a_message_when_its_key_is_not_known_yet(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    size_t next = first;
    uint64_t before = received();
    assert_int_equal(hear(frame_at(first)), MT_VERDICT_ACCEPTED);
    assert_int_equal(release(), 0);
    assert_int_equal(received(), before);
    assert_int_equal(verifier.security.held_count, 1);
    int64_t disclosed = (frame_at(first)->at.ns / INTERVAL_NS + DELAY) * INTERVAL_NS;
    while (frame_at(++next)->at.ns < disclosed) {
        hear(frame_at(next));
        assert_int_equal(release(), 0);
    }
    uint64_t waiting = verifier.security.held_count;
    hear(frame_at(next));
    assert_true(release() >= 1);
    assert_int_equal(verifier.security.verified, received() - before);
    assert_true(verifier.security.held_count <= waiting);
    assert_int_equal(verdicts(MT_VERDICT_FORGED), 0);
    assert_int_equal(verdicts(MT_VERDICT_UNAUTHENTICATED), 0);
}

static void ptp_security_delayed_measures_with_the_stamp_of_the_arrival(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(20));
    hear_all(0, signer.bench.frame_count);
    size_t samples = 0;
    for (size_t i = 0; i < verifier.bench.event_count; i++) {
        const struct mt_event *event = &verifier.bench.events[i].event;
        if (event->kind == MT_EVENT_SAMPLE && event->value.sample.kind == MT_SAMPLE_FORWARD) {
            assert_int_equal(mt_span_to_ns(event->value.sample.value), LATENCY_NS);
            assert_true(event->value.sample.authenticated);
            samples++;
        }
    }
    assert_true(samples > 5);
    assert_int_equal(verdicts(MT_VERDICT_FORGED), 0);
    assert_int_equal(verifier.security.unsafe, 0);
}

/* Both benches live, a millisecond apart, and talk to one another. */
static void carry(struct secured *from, struct secured *to, size_t *next)
{
    for (; *next < from->bench.frame_count; (*next)++) {
        const struct bench_frame *frame = &from->bench.frames[*next];
        const struct mt_stamp stamp = {
            mt_instant_from_ns(frame->at.ns + LATENCY_NS + BENCH_EPOCH_S * MT_NS_PER_S,
                               MT_SCALE_TAI),
            0};
        mt_instance_rx(&to->bench.instance, 1, frame->octets, frame->tx.length, &stamp, NULL,
                       to->bench.now);
        bench_drain(&to->bench);
        while (mt_security_next(&to->bench.instance, to->bench.now)) {
            bench_drain(&to->bench);
        }
    }
}

static void ptp_security_delayed_measures_both_ways_when_answers_wait_longer_than_questions(
    void **state)
{
    size_t sent = 0;
    size_t asked = 0;
    (void)state;
    signer.bench.port_configs[0].log_min_delay_req_interval = -3;
    bench_start(&signer.bench);
    for (unsigned i = 0; i < 20000; i++) {
        bench_pass(&signer.bench, LATENCY_NS);
        bench_pass(&verifier.bench, LATENCY_NS);
        carry(&signer, &verifier, &sent);
        carry(&verifier, &signer, &asked);
    }
    size_t samples = 0;
    for (size_t i = 0; i < verifier.bench.event_count; i++) {
        const struct mt_event *event = &verifier.bench.events[i].event;
        if (event->kind == MT_EVENT_SAMPLE && event->value.sample.kind == MT_SAMPLE_REVERSE) {
            assert_in_range(mt_span_to_ns(event->value.sample.value), LATENCY_NS, 2 * LATENCY_NS);
            assert_true(event->value.sample.authenticated);
            samples++;
        }
    }
    assert_true(samples > 30);
    assert_int_equal(verdicts(MT_VERDICT_NOT_REQUESTED), 0);
}

static void ptp_security_delayed_refuses_an_announce_when_one_bit_was_changed(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    const struct bench_frame announce = *frame_at(first);
    size_t forged = 0;
    for (size_t bit = 0; bit < announce.tx.length * 8; bit += 3) {
        uint8_t octets[256];
        bool is_mutable = bit / 8 >= CORRECTION && bit / 8 < CORRECTION + 8;
        prepare(NULL);
        bench_start(&verifier.bench);
        memcpy(octets, announce.octets, announce.tx.length);
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        wait_until(announce.at.ns + LATENCY_NS);
        hear_only(octets, announce.tx.length);
        /* the others of the run are lost with prepare(): what discloses is made again */
        let_it_sign(BENCH_S(6));
        uint64_t verified = verifier.security.verified;
        size_t later = first;
        while (frame_at(later)->at.ns < announce.at.ns + (DELAY + 1) * INTERVAL_NS) {
            later++;
        }
        hear(frame_at(later));
        release();
        if (is_mutable) {
            assert_int_equal(verifier.security.verified, verified + 1);
        } else {
            assert_int_equal(verifier.security.verified, verified);
            forged++;
        }
    }
    assert_true(forged > 300);
}

static void ptp_security_delayed_refuses_a_message_when_its_key_may_be_known(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    int64_t into = announce->at.ns % INTERVAL_NS;
    int64_t still = (DELAY * INTERVAL_NS - into) - verifier.chain.max_error_ns - 1;
    assert_int_equal(hear_late(announce, still), MT_VERDICT_ACCEPTED);
    bench_pass(&verifier.bench, 2);
    assert_int_equal(hear_only(announce->octets, announce->tx.length), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.unsafe, 1);
}

static void ptp_security_delayed_asks_for_the_bound_when_there_is_one(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    int64_t into = announce->at.ns % INTERVAL_NS;
    bench_clock(&verifier.bench, true, 1000);
    assert_int_equal(hear_late(announce, DELAY * INTERVAL_NS - into - 2000), MT_VERDICT_ACCEPTED);
    bench_clock(&verifier.bench, true, INTERVAL_NS);
    assert_int_equal(hear_only(announce->octets, announce->tx.length), MT_VERDICT_FORGED);
}

static void ptp_security_delayed_refuses_a_message_when_it_is_of_the_future(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    wait_until(BENCH_S(5));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    secured_tell(&verifier, -BENCH_S(60));
    assert_int_equal(hear_only(announce->octets, announce->tx.length), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.unsafe, 1);
    verifier.security.has_time = false;
    assert_int_equal(hear_only(announce->octets, announce->tx.length), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.unsafe, 2);
}

static void ptp_security_delayed_refuses_a_message_when_it_is_not_signed(void **state)
{
    struct bench_peer peer;
    (void)state;
    peer_init(&peer, 20);
    assert_int_equal(bench_announce(&verifier.bench, 1, &peer), MT_VERDICT_UNAUTHENTICATED);
}

static void ptp_security_delayed_refuses_a_repetition_when_it_has_verified(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    hear(frame_at(first));
    hear(frame_at(first));
    hear_all(first + 1, signer.bench.frame_count);
    assert_int_equal(verdicts(MT_VERDICT_STALE), 1);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void ptp_security_delayed_gives_an_older_one_up_when_the_store_is_full(void **state)
{
    (void)state;
    verifier.security.held_max = 2;
    let_it_sign(BENCH_S(6));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    assert_int_equal(hear(frame_at(first)), MT_VERDICT_ACCEPTED);
    assert_int_equal(hear_only(frame_at(first)->octets, frame_at(first)->tx.length),
                     MT_VERDICT_ACCEPTED); /* in the place of the first */
    assert_int_equal(verifier.security.full, 1);
    assert_int_equal(verifier.security.held_count, 1);
    assert_int_equal(verdicts(MT_VERDICT_QUEUE_FULL), 1);
    bench_check(&verifier.bench);
}

static void ptp_security_delayed_gives_a_message_up_when_no_key_comes(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(6));
    hear(frame_at(index_of(MT_PTP_ANNOUNCE, 0)));
    bench_pass(&verifier.bench, (DELAY + 1) * INTERVAL_NS + MT_SECURITY_WAIT_NS - 1);
    assert_int_equal(verifier.security.held_count, 1);
    bench_pass(&verifier.bench, 1);
    assert_int_equal(verifier.security.held_count, 0);
    assert_int_equal(verifier.security.expired, 1);
    assert_int_equal(verdicts(MT_VERDICT_UNAUTHENTICATED), 1);
    bench_check(&verifier.bench);
}

static void ptp_security_delayed_verifies_all_when_the_disclosing_messages_were_lost(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(12));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    size_t next = first;
    hear(frame_at(first));
    while (frame_at(next)->at.ns < frame_at(first)->at.ns + BENCH_S(4)) {
        next++;
    }
    hear(frame_at(next));
    assert_int_equal(release(), 1);
    assert_int_equal(verifier.security.verified, 1);
}

static void ptp_security_delayed_sends_unsigned_when_its_chain_is_over(void **state)
{
    (void)state;
    secured_tell(&signer, LENGTH * INTERVAL_NS);
    let_it_sign(BENCH_S(2));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    assert_int_equal(announce->tx.length, ANNOUNCE);
    assert_true(signer.security.not_signed > 0);
    assert_int_equal(hear(announce), MT_VERDICT_UNAUTHENTICATED);
}

static void ptp_security_delayed_signs_up_to_the_last_key_of_its_chain(void **state)
{
    (void)state;
    const int64_t ends_ns = BENCH_S(1) + LENGTH * INTERVAL_NS;
    secured_tell(&signer, LENGTH * INTERVAL_NS - BENCH_S(15));
    let_it_sign(BENCH_S(10));
    for (size_t i = 0; i < signer.bench.frame_count; i++) {
        const struct bench_frame *frame = frame_at(i);
        int64_t at_ns = frame->at.ns + LENGTH * INTERVAL_NS - BENCH_S(15);
        size_t bare = frame->message.header.type == MT_PTP_ANNOUNCE ? ANNOUNCE : 44;
        if (is_covered(frame)) {
            bool is_signed = at_ns < ends_ns - BENCH_S(1);
            assert_int_equal(frame->tx.length > bare, is_signed);
        }
    }
}

static void ptp_security_delayed_never_signs_with_a_disclosed_key(void **state)
{
    (void)state;
    let_it_sign(BENCH_S(2));
    uint32_t disclosed = signer.chain.disclosed;
    assert_true(disclosed > 10);
    secured_tell(&signer, -(DELAY + 1) * INTERVAL_NS);
    bench_clear(&signer.bench);
    uint64_t not_signed = signer.security.not_signed;
    bench_pass(&signer.bench, INTERVAL_NS / 2);
    secured_tell(&signer, -BENCH_S(5));
    bench_pass(&signer.bench, BENCH_S(2));
    assert_true(signer.security.not_signed > not_signed);
    for (size_t i = 0; i < signer.bench.frame_count; i++) {
        const struct bench_frame *frame = frame_at(i);
        if (is_covered(frame) && frame->tx.length > ANNOUNCE + HEAD + CODE) {
            assert_true(tlv_of(frame)[KEY_ID_AT + 3] > disclosed);
        }
    }
}

/* ---- chains ---------------------------------------------------------------------------------- */

static void ptp_security_delayed_takes_no_chain_when_its_seed_leads_elsewhere(void **state)
{
    (void)state;
    signer.chain.has_anchor = true;
    assert_true(mt_chain_init(&signer.chain, &mt_crypto_nettle));
    signer.chain.anchor[31] ^= 1;
    assert_false(mt_chain_init(&signer.chain, &mt_crypto_nettle));
}

static void ptp_security_delayed_refuses_keys_when_they_are_not_of_the_chain(void **state)
{
    (void)state;
    verifier.chain.anchor[0] ^= 1;
    mt_chain_init(&verifier.chain, &mt_crypto_nettle);
    let_it_sign(BENCH_S(6));
    assert_int_equal(hear(frame_at(index_of(MT_PTP_ANNOUNCE, 0))), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.wrong_keys, 1);
    assert_int_equal(verifier.security.held_count, 0);
}

static void ptp_security_delayed_refuses_a_message_when_the_chain_is_anothers(void **state)
{
    (void)state;
    verifier.chain.has_sender = true;
    verifier.chain.sender = bench_identity(SIGNER_CLOCK + 1);
    let_it_sign(BENCH_S(6));
    const struct bench_frame *announce = frame_at(index_of(MT_PTP_ANNOUNCE, 0));
    assert_int_equal(hear(announce), MT_VERDICT_FORGED);
    verifier.chain.sender = bench_identity(SIGNER_CLOCK);
    assert_int_equal(hear_only(announce->octets, announce->tx.length), MT_VERDICT_ACCEPTED);
}

static void use_long_chain(struct mt_chain *chain)
{
    chain->length = LONG_LENGTH;
    chain->start_s -= (MT_CHAIN_STEPS + 50) * INTERVAL_MS / 1000;
}

/* A receiver that starts late has a long way to go, which nobody can make it go too often. */
static void ptp_security_delayed_goes_a_long_way_only_once_a_second(void **state)
{
    (void)state;
    use_long_chain(&signer.chain);
    use_long_chain(&verifier.chain);
    secured_share(&signer, &verifier);
    let_it_sign(BENCH_S(8));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    size_t next = first + 1;
    struct bench_frame wrong = *frame_at(first);
    wrong.octets[ANNOUNCE + HEAD] ^= 1;
    assert_int_equal(hear(&wrong), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.wrong_keys, 1);
    assert_int_equal(hear_only(frame_at(first)->octets, frame_at(first)->tx.length),
                     MT_VERDICT_ACCEPTED);
    assert_int_equal(verifier.chain.known, 0);
    while (frame_at(next)->at.ns < frame_at(first)->at.ns + MT_CHAIN_REST_NS) {
        next++;
    }
    hear(frame_at(next));
    assert_true(verifier.chain.known > MT_CHAIN_STEPS);
    hear_all(next + 1, signer.bench.frame_count);
    assert_true(verifier.security.verified > 3);
}

/* ---- both kinds ------------------------------------------------------------------------------ */

static void use_both(struct secured *self)
{
    self->port_more.security.spp = SHARED_SPP;
}

static void ptp_security_delayed_asks_for_both_codes_when_both_are_configured(void **state)
{
    (void)state;
    use_both(&signer);
    use_both(&verifier);
    let_it_sign(BENCH_S(6));
    size_t first = index_of(MT_PTP_ANNOUNCE, 0);
    struct bench_frame changed = *frame_at(first);
    assert_int_equal(changed.tx.length, ANNOUNCE + HEAD + MT_CHAIN_KEY_SIZE + CODE + HEAD + CODE);
    changed.octets[CORRECTION] ^= 1; /* which the delayed code alone would not notice */
    assert_int_equal(hear(&changed), MT_VERDICT_FORGED);
    assert_int_equal(verifier.security.held_count, 0);
    hear_all(first, signer.bench.frame_count);
    assert_true(verifier.security.verified > 3);
    assert_int_equal(verdicts(MT_VERDICT_FORGED), 1);
}

static void ptp_security_delayed_refuses_a_message_when_only_one_of_two_codes_is_there(void **state)
{
    (void)state;
    use_both(&verifier);
    let_it_sign(BENCH_S(6));
    assert_int_equal(hear(frame_at(index_of(MT_PTP_ANNOUNCE, 0))), MT_VERDICT_FORGED);
    prepare(NULL);
    bench_start(&verifier.bench);
    use_both(&signer);
    use_both(&verifier);
    signer.port_more.security.is_delayed = false;
    let_it_sign(BENCH_S(6));
    assert_int_equal(hear(frame_at(index_of(MT_PTP_ANNOUNCE, 0))), MT_VERDICT_UNAUTHENTICATED);
}

#define DELAYED_TEST(name) cmocka_unit_test_setup(ptp_security_delayed_##name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DELAYED_TEST(signs_with_the_interval_and_discloses_an_older_key),
        DELAYED_TEST(keeps_a_message_when_its_key_is_not_known_yet),
        DELAYED_TEST(measures_with_the_stamp_of_the_arrival),
        DELAYED_TEST(measures_both_ways_when_answers_wait_longer_than_questions),
        DELAYED_TEST(refuses_an_announce_when_one_bit_was_changed),
        DELAYED_TEST(refuses_a_message_when_its_key_may_be_known),
        DELAYED_TEST(asks_for_the_bound_when_there_is_one),
        DELAYED_TEST(refuses_a_message_when_it_is_of_the_future),
        DELAYED_TEST(refuses_a_message_when_it_is_not_signed),
        DELAYED_TEST(refuses_a_repetition_when_it_has_verified),
        DELAYED_TEST(gives_an_older_one_up_when_the_store_is_full),
        DELAYED_TEST(gives_a_message_up_when_no_key_comes),
        DELAYED_TEST(verifies_all_when_the_disclosing_messages_were_lost),
        DELAYED_TEST(sends_unsigned_when_its_chain_is_over),
        DELAYED_TEST(signs_up_to_the_last_key_of_its_chain),
        DELAYED_TEST(never_signs_with_a_disclosed_key),
        DELAYED_TEST(takes_no_chain_when_its_seed_leads_elsewhere),
        DELAYED_TEST(refuses_keys_when_they_are_not_of_the_chain),
        DELAYED_TEST(refuses_a_message_when_the_chain_is_anothers),
        DELAYED_TEST(goes_a_long_way_only_once_a_second),
        DELAYED_TEST(asks_for_both_codes_when_both_are_configured),
        DELAYED_TEST(refuses_a_message_when_only_one_of_two_codes_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
