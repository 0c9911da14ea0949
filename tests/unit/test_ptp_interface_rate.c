/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * INTERFACE_RATE [G.8275.2 annex D]: who tells, who is believed, and what asymmetry it makes.  A
 * Sync over UDP/IPv4 has 720 bits behind its stamp and 64 before it: at 1 Gbit/s 656 ns of
 * difference, at 100 Mbit/s 6560 ns, so that between the two there are (656 - 6560) / 2 ns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_interface_rate.h"
#include "unicast_bench.h"

#define GIGABIT_AS 1000000000
#define ASYMMETRY  (-2952)

static struct ptp_bench bench;
static struct mt_port_more more;
static struct mt_requester requester;
static struct mt_unicast_transmitter table[2];
static struct mt_interface_rate rate;

static bool find_rate(const struct mt_ptp_message *message, struct mt_tlv_interface_rate *ret_rate)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (mt_tlv_parse_interface_rate(&tlv, ret_rate)) {
            return true;
        }
    }
    return false;
}

/* All that is asked for is granted by transmitter `id`, with a rate if bit_period_as is not 0. */
static void grant(uint8_t id, uint64_t bit_period_as)
{
    const struct mt_tlv_interface_rate told = {bit_period_as, 64, 720};
    const struct mt_address from = unicast_address(id);
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_DELAY_RESP};
    uint8_t tlvs[100];
    size_t length = 0;
    for (unsigned i = 0; i < 3; i++) {
        const struct mt_tlv_unicast value = {types[i], 1, 0, 300};
        length += mt_tlv_write_unicast(MT_TLV_GRANT_UNICAST_TRANSMISSION, &value, tlvs + length,
                                       sizeof tlvs - length);
    }
    if (bit_period_as != 0) {
        length += mt_tlv_write_interface_rate(&told, tlvs + length, sizeof tlvs - length);
    }
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING,
                   .flags = MT_PTP_UNICAST,
                   .source = {bench_identity(id), 1}},
        .tlvs = tlvs,
        .tlvs_length = length,
    };
    memset(&message.body.target, 0xFF, sizeof message.body.target);
    (void)unicast_rx(&bench, &message, &from);
}

static void announce(uint8_t id)
{
    struct bench_peer peer;
    static uint16_t sequence;
    const struct mt_address from = unicast_address(id);
    peer_init(&peer, id);
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE,
                   .flags = MT_PTP_UNICAST,
                   .sequence = sequence++,
                   .source = peer.identity},
        .body.announce = peer.announce,
    };
    (void)unicast_rx(&bench, &message, &from);
}

static int64_t asymmetry_ns(void)
{
    return mt_interval_to_ns(bench.ports[0].config.delay_asymmetry);
}

/* Port 1 has a link of 100 Mbit/s and may follow 1 and 2. */
static int set_up(void **state)
{
    (void)state;
    bench_init(&bench, 1);
    memset(&more, 0, sizeof more);
    memset(table, 0, sizeof table);
    for (uint8_t i = 0; i < 2; i++) {
        table[i].address = unicast_address((uint8_t)(i + 1));
        table[i].local_priority = 128;
    }
    mt_requester_init(&requester, table, 2, true, 300);
    mt_interface_rate_init(&rate, 100, MT_NETWORK_UDP_IPV4);
    more.requester = &requester;
    more.interface_rate = &rate;
    bench.port_configs[0].more = &more;
    bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(50);
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(2));
    return 0;
}

static void follow(uint8_t id, uint64_t bit_period_as)
{
    for (unsigned i = 0; i < 4 && bench.instance.receiving_port == 0; i++) {
        grant(id, bit_period_as);
        announce(id);
        bench_pass(&bench, BENCH_S(1));
        grant(id, bit_period_as);
    }
    assert_int_equal(bench.instance.receiving_port, 1);
}

static void ptp_interface_rate_is_told_when_service_is_asked_for(void **state)
{
    struct mt_tlv_interface_rate told;
    const struct bench_frame *frame = bench_newest(&bench, 1, MT_PTP_SIGNALING, 0);
    (void)state;
    assert_true(find_rate(&frame->message, &told));
    assert_int_equal(told.bit_period_as, 10 * (int64_t)GIGABIT_AS);
    assert_int_equal(told.bits_before, 64);
    assert_int_equal(told.bits_after, 720);
}

static void ptp_interface_rate_corrects_when_the_transmitters_link_is_faster(void **state)
{
    (void)state;
    assert_int_equal(asymmetry_ns(), 50);
    follow(1, GIGABIT_AS);
    assert_true(rate.is_known);
    assert_int_equal(asymmetry_ns(), 50 + ASYMMETRY);
}

static void ptp_interface_rate_changes_nothing_when_links_are_alike(void **state)
{
    (void)state;
    follow(1, 10 * (uint64_t)GIGABIT_AS);
    assert_true(rate.is_known);
    assert_int_equal(asymmetry_ns(), 50);
}

static void ptp_interface_rate_keeps_what_management_sets_when_it_corrects(void **state)
{
    (void)state;
    follow(1, GIGABIT_AS);
    bench.ports[0].config.delay_asymmetry = mt_interval_from_ns(ASYMMETRY + 70);
    grant(1, 2 * GIGABIT_AS);
    assert_int_equal(asymmetry_ns(), 70 + (2 * 656 - 6560) / 2);
}

static void ptp_interface_rate_is_given_up_when_its_transmitter_is_left(void **state)
{
    (void)state;
    follow(1, GIGABIT_AS);
    bench_pass(&bench, BENCH_S(30));
    assert_int_equal(bench.instance.receiving_port, 0);
    assert_false(rate.is_known);
    assert_int_equal(asymmetry_ns(), 50);
}

static void ptp_interface_rate_is_not_believed_when_it_cannot_be(void **state)
{
    const struct mt_address stranger = unicast_address(9);
    (void)state;
    follow(1, GIGABIT_AS);
    grant(1, UINT64_C(1) << 60); /* slower than any link */
    assert_int_equal(asymmetry_ns(), 50 + ASYMMETRY);
    grant(9, 2 * GIGABIT_AS);
    for (unsigned i = 0; i < MT_INTERFACE_RATES_MAX; i++) {
        assert_false(mt_address_equal(&rate.heard[i].from, &stranger));
    }
}

static void ptp_interface_rate_is_told_when_service_is_granted(void **state)
{
    static struct grantor_bench grantor;
    static struct mt_interface_rate own;
    struct mt_tlv_interface_rate told;
    const struct mt_address client = unicast_address(7);
    (void)state;
    grantor_init(&grantor);
    mt_interface_rate_init(&own, 1000, MT_NETWORK_UDP_IPV4);
    grantor.more.interface_rate = &own;
    grantor_start(&grantor);
    const struct mt_unicast_word word =
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 100);
    (void)unicast_say(&grantor.bench, 7, &client, &word, 1);
    assert_true(find_rate(&bench_newest(&grantor.bench, 1, MT_PTP_SIGNALING, 0)->message, &told));
    assert_int_equal(told.bit_period_as, GIGABIT_AS);
    assert_int_equal(own.sent, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ptp_interface_rate_is_told_when_service_is_asked_for),
        TEST(ptp_interface_rate_corrects_when_the_transmitters_link_is_faster),
        TEST(ptp_interface_rate_changes_nothing_when_links_are_alike),
        TEST(ptp_interface_rate_keeps_what_management_sets_when_it_corrects),
        TEST(ptp_interface_rate_is_given_up_when_its_transmitter_is_left),
        TEST(ptp_interface_rate_is_not_believed_when_it_cannot_be),
        TEST(ptp_interface_rate_is_told_when_service_is_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
