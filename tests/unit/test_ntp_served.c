/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is served of a clock's page: how good it is told to be, and leap seconds, inserted, deleted
 * and smeared, whenever the page learns of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "runtime/node.h"
#include "runtime/ntp_served.h"

#define DAY_S      INT64_C(86400)
#define MIDNIGHT_S (INT64_C(20000) * DAY_S) /* UTC */
#define TAI_UTC_S  37
#define SMEAR_S    86400

struct fixture {
    struct mt_ntp_serving_config config;
    struct mt_clock_page page;
    struct mt_ntp_serving serving;
};

static struct fixture fix(void)
{
    return (struct fixture){
        .config = {.max_error = mt_interval_from_ns(1000000), .crypto = &mt_crypto_nettle},
        .page = {.scale = MT_SCALE_TAI,
                 .state = MT_CLOCK_LOCKED,
                 .bound_reference = MT_BOUND_TRACEABLE,
                 .tai_utc_valid = 1,
                 .tai_minus_utc_s = TAI_UTC_S,
                 .anchor_s = MIDNIGHT_S - 7200 + TAI_UTC_S,
                 .anchor_ns = 250000000,
                 .bound_ns = 5000,
                 .bound_growth_ppb = 1200,
                 .parts = {.granularity_ns = 100}},
    };
}

static const struct mt_ntp_served *make(struct fixture *self)
{
    static const struct mt_ntp_upstream ptp = {.reference_id = {'P', 'T', 'P', 0}};
    mt_ntp_serving_make(&self->serving, &self->config, &self->page, &ptp);
    return &self->serving.served;
}

/* Served ns since MIDNIGHT_S when the page's TAI is so much after the midnight before the leap. */
static int64_t served_ns(const struct fixture *self, int64_t tai_ns)
{
    const struct mt_instant at =
        mt_instant_plus((struct mt_instant){.s = MIDNIGHT_S + TAI_UTC_S, .scale = MT_SCALE_TAI},
                        mt_span_from_ns(tai_ns));
    const struct mt_instant time = mt_ntp_scale_time(&self->serving.scale, &at);
    return mt_span_to_ns(
        mt_instant_minus(time, (struct mt_instant){.s = MIDNIGHT_S, .scale = time.scale}));
}

static void renew_at(struct fixture *self, int64_t after_midnight_s, int32_t tai_utc_s,
                     int32_t leap_s)
{
    self->page.anchor_s = MIDNIGHT_S + TAI_UTC_S + after_midnight_s;
    self->page.tai_minus_utc_s = tai_utc_s;
    self->page.leap_s = leap_s;
    make(self);
}

/* ---- how good it is -------------------------------------------------------------------------- */

static void ntp_served_is_stratum_1_when_the_clock_follows_ptp(void **state)
{
    struct fixture self = fix();
    (void)state;
    const struct mt_ntp_served *served = make(&self);
    assert_int_equal(served->leap, MT_NTP_LEAP_NONE);
    assert_int_equal(served->stratum, 1);
    assert_memory_equal(served->reference_id, "PTP", 4);
    assert_int_equal(mt_interval_to_ns(served->root_dispersion), 5000);
    assert_int_equal(served->growth_ppb, 1200);
    assert_int_equal(served->precision, -23); /* 119 ns */
    assert_int_equal(served->at.s, MIDNIGHT_S - 7200);
    self.config.stratum = 3;
    assert_int_equal(make(&self)->stratum, 3);
}

/* What is followed is not known, or is a grandmaster that has no primary reference. */
static void ntp_served_is_no_stratum_1_when_nobody_vouches_for_the_time(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_upstream upstream = {.stratum = 10, .reference_id = {1, 2, 3, 4}};
    (void)state;
    self.config.has_reference_id = true;
    memcpy(self.config.reference_id, "GPS", 4);
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, &upstream);
    assert_int_equal(self.serving.served.stratum, 11);
    assert_memory_equal(self.serving.served.reference_id, upstream.reference_id, 4);
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, NULL);
    assert_int_equal(self.serving.served.stratum, 11);
}

static void ntp_served_is_not_synchronised_when_the_clock_is_not(void **state)
{
    struct fixture self = fix();
    (void)state;
    self.page.state = MT_CLOCK_FREE_RUN;
    assert_int_equal(make(&self)->leap, MT_NTP_LEAP_UNKNOWN);
    self = fix();
    self.page.bound_reference = MT_BOUND_NONE;
    assert_int_equal(make(&self)->leap, MT_NTP_LEAP_UNKNOWN);
    self = fix();
    self.page.state = MT_CLOCK_HOLDOVER;
    assert_int_equal(make(&self)->leap, MT_NTP_LEAP_NONE);
    self.page.bound_ns = 1000001; /* it has grown too large */
    assert_int_equal(make(&self)->leap, MT_NTP_LEAP_UNKNOWN);
    self.config.local_stratum = 10;
    const struct mt_ntp_served *served = make(&self);
    assert_int_equal(served->leap, MT_NTP_LEAP_NONE);
    assert_int_equal(served->stratum, 10);
}

static void ntp_served_names_its_server_when_it_follows_one(void **state)
{
    static const uint8_t of_v6[4] = {0x39, 0xAB, 0x9B, 0x37}; /* of md5sum */
    struct fixture self = fix();
    struct mt_ntp_upstream upstream = {
        .address = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 7}},
        .stratum = 2,
        .root_delay = mt_interval_from_ns(6000),
    };
    (void)state;
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, &upstream);
    assert_int_equal(self.serving.served.stratum, 3);
    assert_memory_equal(self.serving.served.reference_id, upstream.address.octets, 4);
    assert_int_equal(mt_interval_to_ns(self.serving.served.root_delay), 6000);
    assert_int_equal(mt_interval_to_ns(self.serving.served.root_dispersion), 2000);
    upstream.address = (struct mt_address){.network = MT_NETWORK_UDP_IPV6,
                                           .octets = {0x20, 0x01, 0x0D, 0xB8, [15] = 1}};
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, &upstream);
    assert_memory_equal(self.serving.served.reference_id, of_v6, 4);
    upstream.stratum = 15;
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, &upstream);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_UNKNOWN);
    upstream = (struct mt_ntp_upstream){.reference_id = {'G', 'P', 'S'}};
    mt_ntp_serving_make(&self.serving, &self.config, &self.page, &upstream);
    assert_int_equal(self.serving.served.stratum, 1);
    assert_memory_equal(self.serving.served.reference_id, "GPS", 4);
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

static void ntp_served_repeats_the_last_second_when_one_is_inserted(void **state)
{
    struct fixture self = fix();
    (void)state;
    renew_at(&self, -7200, TAI_UTC_S, 1);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_61);
    for (unsigned is_known = 0; is_known < 2; is_known++) { /* that TAI - UTC has changed */
        assert_int_equal(served_ns(&self, -1), -1);
        assert_int_equal(served_ns(&self, 0), -MT_NS_PER_S);
        assert_int_equal(served_ns(&self, MT_NS_PER_S - 1), -1);
        assert_int_equal(served_ns(&self, MT_NS_PER_S), 0);
        renew_at(&self, 2, TAI_UTC_S + (int32_t)is_known, is_known ? 0 : 1);
        assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_NONE);
    }
    renew_at(&self, 7200, TAI_UTC_S + 1, 0); /* long after it is forgotten, but not undone */
    assert_int_equal(self.serving.scale.leap_s, 0);
    assert_int_equal(served_ns(&self, 7200 * INT64_C(1000000000)), 7199 * INT64_C(1000000000));
}

static void ntp_served_leaves_the_last_second_out_when_one_is_deleted(void **state)
{
    struct fixture self = fix();
    (void)state;
    renew_at(&self, -7200, TAI_UTC_S, -1);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_59);
    assert_int_equal(served_ns(&self, -MT_NS_PER_S - 1), -MT_NS_PER_S - 1);
    assert_int_equal(served_ns(&self, -MT_NS_PER_S), 0);
    renew_at(&self, 1, TAI_UTC_S - 1, 0);
    assert_int_equal(served_ns(&self, 0), MT_NS_PER_S);
}

static void ntp_served_announces_no_leap_second_when_it_is_over(void **state)
{
    struct fixture self = fix();
    struct mt_instant at = {.s = MIDNIGHT_S + TAI_UTC_S - 1, .ns = 999999999};
    (void)state;
    renew_at(&self, -1, TAI_UTC_S, 1);
    mt_ntp_serving_pass(&self.serving, &at);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_61);
    at = (struct mt_instant){.s = MIDNIGHT_S + TAI_UTC_S};
    mt_ntp_serving_pass(&self.serving, &at);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_NONE);
}

static void ntp_served_takes_a_leap_second_back_when_it_is_not_announced_any_more(void **state)
{
    struct fixture self = fix();
    (void)state;
    renew_at(&self, -7200, TAI_UTC_S, 1);
    renew_at(&self, -3600, TAI_UTC_S, 0);
    assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_NONE);
    assert_int_equal(served_ns(&self, 0), 0);
}

/* To the microsecond, and it never runs backwards. */
static void ntp_served_is_smeared_evenly_when_it_is_to_be(void **state)
{
    (void)state;
    for (int32_t leap_s = -1; leap_s <= 1; leap_s += 2) {
        struct fixture self = fix();
        const int64_t begin_ns = -SMEAR_S / 2 * INT64_C(1000000000);
        const int64_t length_ns = (SMEAR_S + leap_s) * INT64_C(1000000000);
        int64_t before_ns = INT64_MIN;
        self.config.smear_s = SMEAR_S;
        renew_at(&self, -80000, TAI_UTC_S, leap_s);
        for (int64_t at_s = -80000; at_s < 46000; at_s += 125) {
            bool is_past = at_s >= 0;
            renew_at(&self, at_s, TAI_UTC_S + (is_past ? leap_s : 0), is_past ? 0 : leap_s);
            assert_int_equal(self.serving.served.leap, MT_NTP_LEAP_NONE);
            int64_t at_ns = at_s * INT64_C(1000000000);
            double share = (double)(at_ns - begin_ns) / (double)length_ns;
            share = share < 0 ? 0 : share > 1 ? 1 : share;
            int64_t wanted_ns = at_ns - (int64_t)(share * leap_s * 1e9);
            int64_t found_ns = served_ns(&self, at_ns);
            assert_true(found_ns - wanted_ns <= 1 && wanted_ns - found_ns <= 1);
            assert_true(found_ns > before_ns);
            before_ns = found_ns;
        }
        assert_int_equal(served_ns(&self, begin_ns + length_ns),
                         begin_ns + SMEAR_S * INT64_C(1000000000)); /* noon is noon again */
    }
}

/* ---- those who follow us --------------------------------------------------------------------- */

static struct mt_ntp_header follower_of(const uint8_t id[4])
{
    struct mt_ntp_header answer = {.version = 4, .stratum = 3};
    memcpy(answer.reference_id, id, sizeof answer.reference_id);
    return answer;
}

static void ntp_server_knows_those_who_follow_it_by_their_reference_id(void **state)
{
    static const uint8_t of_ip6[4] = {0x39, 0xAB, 0x9B, 0x37}; /* MD5 of 2001:db8::1 */
    static const uint8_t of_ip4[4] = {192, 0, 2, 1};
    static struct mt_node_server server = {.clock = 1};
    static struct mt_node_ntp ntps[2];
    struct mt_node node = {.server = &server, .ntp = ntps, .ntp_count = 2};
    const struct mt_address ip4 = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    const struct mt_address ip6 = {.network = MT_NETWORK_UDP_IPV6,
                                   .octets = {0x20, 0x01, 0x0D, 0xB8, [15] = 1}};
    const struct mt_address others = {.network = MT_NETWORK_NONE};
    (void)state;
    server.config.crypto = &mt_crypto_nettle;
    ntps[1].client.server = follower_of(of_ip6);
    mt_ntp_serve_add_own(&node, 1, &ip4);
    mt_ntp_serve_add_own(&node, 1, &ip4);
    mt_ntp_serve_add_own(&node, 2, &ip4); /* there is none */
    assert_int_equal(ntps[1].own_count, 1);
    assert_false(mt_ntp_serve_is_ours(&node, 1, 1));
    mt_ntp_serve_add_own(&node, 1, &ip6);
    assert_true(mt_ntp_serve_has_own(&node, 1, &ip6));
    assert_true(mt_ntp_serve_is_ours(&node, 1, 1));
    assert_false(mt_ntp_serve_is_ours(&node, 0, 1)); /* that clock is not served */
    ntps[1].client.server = ntps[0].client.server = follower_of(of_ip4);
    assert_true(mt_ntp_serve_is_ours(&node, 1, 1));
    assert_false(mt_ntp_serve_is_ours(&node, 1, 0)); /* that one does not reach us there */
    ntps[1].client.server.stratum = 1;               /* letters, not an address */
    assert_false(mt_ntp_serve_is_ours(&node, 1, 1));
    ntps[1].client.server.stratum = 2;
    assert_true(mt_ntp_serve_is_ours(&node, 1, 1));
    mt_ntp_serve_add_own(&node, 1, &others);
    assert_false(mt_ntp_serve_is_ours(&node, 1, 1));
    node.server = NULL;
    assert_false(mt_ntp_serve_is_ours(&node, 1, 1));
}

static void ntp_server_has_room_for_some_addresses_towards_each_server(void **state)
{
    static struct mt_node_server server;
    static struct mt_node_ntp ntp;
    struct mt_node node = {.server = &server, .ntp = &ntp, .ntp_count = 1};
    struct mt_address address = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, 0, 0, 0}};
    (void)state;
    for (unsigned i = 0; i <= MT_NTP_OWN_IDS; i++) {
        address.octets[3] = (uint8_t)i;
        mt_ntp_serve_add_own(&node, 0, &address);
    }
    assert_int_equal(ntp.own_count, MT_NTP_OWN_IDS);
    assert_false(mt_ntp_serve_has_own(&node, 0, &address));
    address.octets[3] = 0;
    assert_true(mt_ntp_serve_has_own(&node, 0, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_served_is_stratum_1_when_the_clock_follows_ptp),
        cmocka_unit_test(ntp_served_is_no_stratum_1_when_nobody_vouches_for_the_time),
        cmocka_unit_test(ntp_served_is_not_synchronised_when_the_clock_is_not),
        cmocka_unit_test(ntp_served_names_its_server_when_it_follows_one),
        cmocka_unit_test(ntp_served_repeats_the_last_second_when_one_is_inserted),
        cmocka_unit_test(ntp_served_leaves_the_last_second_out_when_one_is_deleted),
        cmocka_unit_test(ntp_served_announces_no_leap_second_when_it_is_over),
        cmocka_unit_test(ntp_served_takes_a_leap_second_back_when_it_is_not_announced_any_more),
        cmocka_unit_test(ntp_served_is_smeared_evenly_when_it_is_to_be),
        cmocka_unit_test(ntp_server_knows_those_who_follow_it_by_their_reference_id),
        cmocka_unit_test(ntp_server_has_room_for_some_addresses_towards_each_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
