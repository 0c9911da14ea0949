/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Delayed verification under a flood: forged messages find places to wait, but neither push out
 * everybody else nor cost more than a few codes each. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "chain_bench.h"
#include "crypto/crypto.h"

#define SOURCE_AT    20
#define LAST_OF_ID   (SOURCE_AT + 7)
#define SIGNER_CLOCK 8
#define FLOOD        1000

static struct secured signer, verifier;
static size_t codes; /* that have been computed */

static bool counting_mac(enum mt_mac_kind kind, const uint8_t *key, size_t key_length,
                         const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE])
{
    codes++;
    return mt_crypto_nettle.mac(kind, key, key_length, pieces, count, ret_code);
}

static struct mt_crypto counting;

/* A signer that has been serving for a while, and what it sends then. */
static int start(void **state)
{
    (void)state;
    counting = mt_crypto_nettle;
    counting.mac = counting_mac;
    secured_init(&signer, SIGNER_CLOCK);
    secured_init(&verifier, 9);
    secured_share(&signer, &verifier);
    secured_tell(&signer, 0);
    secured_tell(&verifier, 0);
    verifier.security.crypto = &counting;
    bench_start(&verifier.bench);
    bench_start(&signer.bench);
    bench_pass(&signer.bench, BENCH_S(8));
    bench_clear(&signer.bench);
    bench_pass(&signer.bench, BENCH_S(6));
    return 0;
}

static const struct bench_frame *next_announce(size_t *at)
{
    while (signer.bench.frames[*at].message.header.type != MT_PTP_ANNOUNCE) {
        ++*at;
        assert_true(*at < signer.bench.frame_count);
    }
    return &signer.bench.frames[(*at)++];
}

static struct mt_address address_of(unsigned n)
{
    return (struct mt_address){.network = MT_NETWORK_UDP_IPV4,
                               .octets = {192, 0, (uint8_t)(2 + n / 256), (uint8_t)n}};
}

static enum mt_verdict hear(const uint8_t *octets, size_t length, unsigned from)
{
    const struct mt_stamp stamp = bench_stamp(&verifier.bench);
    const struct mt_address address = address_of(from);
    enum mt_verdict verdict = mt_instance_rx(&verifier.bench.instance, 1, octets, length, &stamp,
                                             &address, verifier.bench.now);
    bench_drain(&verifier.bench);
    return verdict;
}

static void hear_in_time(const struct bench_frame *frame, unsigned from)
{
    if (frame->at.ns > verifier.bench.now.ns) {
        bench_pass(&verifier.bench, frame->at.ns - verifier.bench.now.ns);
    }
    assert_int_equal(hear(frame->octets, frame->tx.length, from), MT_VERDICT_ACCEPTED);
}

/* Messages that nobody has signed. */
static void flood(const struct bench_frame *like, unsigned identity, unsigned identities,
                  unsigned from, unsigned addresses)
{
    struct bench_frame forged = *like;
    forged.octets[forged.tx.length - 1] ^= 1;
    for (unsigned i = 0; i < FLOOD; i++) {
        forged.octets[LAST_OF_ID] = (uint8_t)(identity + i % identities);
        hear(forged.octets, forged.tx.length, from + i % addresses);
    }
}

static unsigned held_of(unsigned identity, unsigned from)
{
    const struct mt_address address = address_of(from);
    unsigned count = 0;
    for (unsigned i = 0; i < HELD; i++) {
        const struct mt_security_held *held = &verifier.held[i];
        count += held->is_used && held->frame[LAST_OF_ID] == identity &&
                 mt_address_equal(&held->from, &address);
    }
    return count;
}

static void security_store_keeps_the_others_when_one_forger_floods_it(void **state)
{
    size_t at = 0;
    (void)state;
    const struct bench_frame *announce = next_announce(&at);
    hear_in_time(announce, 1);
    hear_in_time(announce, 1);
    flood(announce, 70, 1, 66, 1);
    assert_int_equal(held_of(SIGNER_CLOCK, 1), 2);
    assert_int_equal(verifier.security.held_count, HELD / 2);
    assert_int_equal(verifier.security.full, FLOOD - (HELD / 2 - 2));
    assert_int_equal(bench_verdicts(&verifier.bench, 1, MT_VERDICT_QUEUE_FULL),
                     verifier.security.full);
    assert_int_equal(verifier.bench.instance.ports[0].counters[MT_COUNT_RECEIVED] +
                         verifier.security.held_count,
                     FLOOD + 2);
    bench_check(&verifier.bench);
}

/* The signer has verified before: it has a half that nobody else gets. */
static void make_known(size_t *at)
{
    while (verifier.security.verified == 0) {
        hear_in_time(next_announce(at), 1);
        while (mt_security_next(&verifier.bench.instance, verifier.bench.now)) {
            bench_drain(&verifier.bench);
        }
    }
}

static void security_store_keeps_a_known_sender_when_strangers_are_many(void **state)
{
    size_t at = 0;
    (void)state;
    make_known(&at);
    const struct bench_frame *announce = next_announce(&at);
    hear_in_time(announce, 1);
    hear_in_time(announce, 1);
    flood(announce, 70, 100, 66, 100);
    assert_true(held_of(SIGNER_CLOCK, 1) >= 2);
    assert_int_equal(verifier.security.held_count, HELD / 2 + held_of(SIGNER_CLOCK, 1));
}

static void security_store_keeps_a_known_sender_when_its_identity_is_forged(void **state)
{
    size_t at = 0;
    (void)state;
    make_known(&at);
    const struct bench_frame *announce = next_announce(&at);
    hear_in_time(announce, 1);
    hear_in_time(announce, 1);
    const unsigned before = held_of(SIGNER_CLOCK, 1);
    flood(announce, SIGNER_CLOCK, 1, 66, 1);
    assert_true(held_of(SIGNER_CLOCK, 66) >= HELD / 2);
    assert_int_equal(held_of(SIGNER_CLOCK, 1), before);
}

/* Where a forger has all names and all addresses, chance decides: whoever sends a tenth of what
 * comes has something left of it, again and again. */
static void security_store_thins_out_all_alike_when_names_and_addresses_are_forged(void **state)
{
    size_t at = 0;
    unsigned times_kept = 0;
    (void)state;
    const struct bench_frame *announce = next_announce(&at);
    hear_in_time(announce, 1);
    for (unsigned i = 0; i < 100; i++) {
        struct bench_frame forged = *announce;
        forged.octets[forged.tx.length - 1] ^= 1;
        for (unsigned k = 0; k < 9; k++) {
            forged.octets[LAST_OF_ID] = (uint8_t)(70 + k + i);
            hear(forged.octets, forged.tx.length, 66 + k + 9 * i);
        }
        hear(announce->octets, announce->tx.length, 1);
        times_kept += held_of(SIGNER_CLOCK, 1) > 0;
        assert_true(held_of(SIGNER_CLOCK, 1) < HELD / 2);
    }
    assert_int_equal(times_kept, 100); /* each is there when it has just come ... */
    for (unsigned i = 0; i < HELD / 2; i++) {
        times_kept += verifier.held[i].frame[LAST_OF_ID] != SIGNER_CLOCK;
    }
    assert_true(times_kept > 102); /* ... and so are others */
}

/* Keys that nobody has disclosed, with any distance from the newest that is known. */
static void security_store_computes_few_codes_when_disclosed_keys_are_forged(void **state)
{
    size_t at = 0;
    (void)state;
    make_known(&at);
    const size_t key_at = 10; /* behind the head of the TLV */
    struct bench_frame forged = *next_announce(&at);
    const size_t tlv_at = forged.tx.length - 10 - MT_CHAIN_KEY_SIZE - 16;
    if (forged.at.ns > verifier.bench.now.ns) {
        bench_pass(&verifier.bench, forged.at.ns - verifier.bench.now.ns);
    }
    bench_pass(&verifier.bench, BENCH_S(30)); /* the signer has fallen silent */
    const uint32_t now_in = forged.octets[tlv_at + 9] + (uint32_t)(30000 / INTERVAL_MS);
    forged.octets[tlv_at + 9] = (uint8_t)now_in;
    codes = 0;
    for (unsigned i = 0; i < FLOOD; i++) {
        forged.octets[tlv_at + key_at] = (uint8_t)i;
        forged.octets[tlv_at + key_at + 1] = (uint8_t)(i >> 8);
        hear(forged.octets, forged.tx.length, 66);
    }
    assert_true(verifier.security.wrong_keys > 0);
    assert_true(codes > 30);
    assert_true(codes <= MT_CHAIN_STEPS + FLOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(security_store_keeps_the_others_when_one_forger_floods_it, start),
        cmocka_unit_test_setup(security_store_keeps_a_known_sender_when_strangers_are_many, start),
        cmocka_unit_test_setup(security_store_keeps_a_known_sender_when_its_identity_is_forged,
                               start),
        cmocka_unit_test_setup(
            security_store_thins_out_all_alike_when_names_and_addresses_are_forged, start),
        cmocka_unit_test_setup(security_store_computes_few_codes_when_disclosed_keys_are_forged,
                               start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
