/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server: what is answered and with what, interleaved mode, codes, limits; and that no
 * octets whatever make it answer with more than it was asked with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "meantime/ntp_server.h"

#define PLACES 64

static const struct mt_instant noon = {.s = 1800000000, .ns = 500000000, .scale = MT_SCALE_UTC};
static const struct mt_ntp_key key_list[] = {
    {.id = 1, .kind = MT_NTP_KEY_AES128_CMAC, .length = 16, .octets = "0123456789abcdef"},
    {.id = 70000, .kind = MT_NTP_KEY_SHA1, .length = 5, .octets = "hello"},
    {.id = 3, .kind = MT_NTP_KEY_MD5, .length = 5, .octets = "hello"},
    {.id = 4, .kind = MT_NTP_KEY_SHA512, .length = 5, .octets = "hello"},
};
static const struct mt_ntp_keys keys = {&mt_crypto_nettle, key_list, 4};

struct fixture {
    struct mt_ntp_server server;
    struct mt_ntp_served served;
    struct mt_ntp_worker worker;
    struct mt_ntp_departure departures[PLACES];
    struct mt_ntp_limited limited[PLACES];
    struct mt_address from;
    struct mt_instant arrival;
    struct mt_mono now;
    struct mt_ntp_answer answer;
    struct mt_ntp_header got; /**< the answer's */
};

static struct fixture fix(void)
{
    struct fixture self;
    memset(&self, 0, sizeof self);
    self.server.keys = &keys;
    self.served = (struct mt_ntp_served){
        .stratum = 2,
        .precision = -23,
        .reference_id = {192, 0, 2, 1},
        .reference = {.s = 1799999990, .scale = MT_SCALE_UTC},
        .root_delay = {.q16 = INT64_C(65536) * 1000000},
        .root_dispersion = {.q16 = INT64_C(65536) * 100000},
        .at = {.s = 1799999999, .ns = 500000000, .scale = MT_SCALE_UTC},
        .growth_ppb = 1000,
    };
    self.from = (struct mt_address){
        .network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 9}, .udp_port = 40000};
    self.arrival = noon;
    self.now.ns = 1000000000;
    mt_prng_init(&self.worker.random, 1);
    return self;
}

static void remember_departures(struct fixture *self)
{
    mt_ntp_departures_init(&self->worker.departures, self->departures, PLACES);
}

/* A server that hears the answer says nothing: no two of them can be made to talk for ever. */
static void bounce(const struct fixture *self)
{
    static struct mt_ntp_worker worker;
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4,
                                    .udp_port = self->from.udp_port};
    const struct mt_ntp_request request = {
        self->answer.octets, self->answer.length, &self->arrival, &from, self->now, NULL};
    struct mt_ntp_answer again;
    assert_int_equal(mt_ntp_answer(&self->server, &self->served, &worker, &request, &again),
                     MT_NTP_MODE);
    assert_int_equal(again.length, 0);
}

static enum mt_ntp_outcome ask(struct fixture *self, const uint8_t *octets, size_t length)
{
    const struct mt_ntp_request request = {octets,      length,    &self->arrival,
                                           &self->from, self->now, NULL};
    enum mt_ntp_outcome outcome =
        mt_ntp_answer(&self->server, &self->served, &self->worker, &request, &self->answer);
    struct mt_instant departure = self->arrival;
    departure.ns += 25000;
    if (self->answer.length > 0) {
        struct mt_ntp_packet packet;
        mt_ntp_answer_finish(&self->server, &self->answer, &departure);
        assert_true(self->answer.length <= length);
        assert_int_equal(mt_ntp_parse(self->answer.octets, self->answer.length, &packet),
                         MT_NTP_WELL_FORMED);
        self->got = packet.header;
        bounce(self);
    }
    return outcome;
}

/* A client's question as it should be: nothing but its mode and a random transmit timestamp. */
static struct mt_ntp_header question(void)
{
    return (struct mt_ntp_header){.version = 4,
                                  .mode = MT_NTP_MODE_CLIENT,
                                  .poll = 6,
                                  .precision = 32,
                                  .transmit = UINT64_C(0x123456789ABCDEF1)};
}

static enum mt_ntp_outcome ask_header(struct fixture *self, const struct mt_ntp_header *header)
{
    uint8_t octets[MT_NTP_HEADER_SIZE];
    mt_ntp_write(header, octets);
    return ask(self, octets, sizeof octets);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void ntp_server_tells_what_is_served_when_it_is_asked(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    (void)state;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    assert_int_equal(self.answer.length, MT_NTP_HEADER_SIZE);
    assert_int_equal(self.got.version, 4);
    assert_int_equal(self.got.mode, MT_NTP_MODE_SERVER);
    assert_int_equal(self.got.leap, MT_NTP_LEAP_NONE);
    assert_int_equal(self.got.stratum, 2);
    assert_int_equal(self.got.poll, 6);
    assert_int_equal(self.got.precision, -23);
    assert_memory_equal(self.got.reference_id, self.served.reference_id, 4);
    assert_int_equal(self.got.origin, asked.transmit);
    assert_int_equal(self.got.root_delay, 66);     /* 1 ms, rounded up */
    assert_int_equal(self.got.root_dispersion, 7); /* 100 us and 2 us of age */
    struct mt_instant receive = mt_ntp_to_instant(self.got.receive, &noon);
    assert_true(mt_span_to_ns(mt_span_abs(mt_instant_minus(receive, noon))) <= 120);
    struct mt_instant transmit = mt_ntp_to_instant(self.got.transmit, &noon);
    int64_t after_ns = mt_span_to_ns(mt_instant_minus(transmit, noon));
    assert_in_range(after_ns, 24998, 25001);
}

static void ntp_server_is_less_sure_when_its_knowledge_is_old(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    (void)state;
    self.arrival.s += 100000; /* 1 ppm of it is 0.1 s */
    ask_header(&self, &asked);
    assert_in_range(self.got.root_dispersion, 6560, 6562);
    self.arrival.s += INT64_C(400000000000);
    self.served.growth_ppb = UINT32_MAX;
    ask_header(&self, &asked);
    assert_int_equal(self.got.root_dispersion, UINT32_MAX);
}

static void ntp_server_says_so_when_it_is_not_synchronised(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    (void)state;
    self.served.leap = MT_NTP_LEAP_UNKNOWN;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    assert_int_equal(self.got.leap, MT_NTP_LEAP_UNKNOWN);
    assert_int_equal(self.got.stratum, 0);
    assert_memory_equal(self.got.reference_id, "\0\0\0\0", 4);
}

static void ntp_server_answers_in_the_version_that_it_is_asked_in(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_header asked = question();
    (void)state;
    for (uint8_t version = 1; version <= 4; version++) {
        asked.version = version;
        assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
        assert_int_equal(self.got.version, version);
    }
}

/* Two servers must not be made to talk to each other. */
static void ntp_server_is_silent_when_it_is_no_request(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_header asked = question();
    (void)state;
    for (uint8_t mode = 0; mode < 6; mode++) {
        asked.mode = mode;
        if (mode != MT_NTP_MODE_CLIENT) {
            assert_int_equal(ask_header(&self, &asked), MT_NTP_MODE);
            assert_int_equal(self.answer.length, 0);
        }
    }
    asked.version = 1; /* which has no modes */
    asked.mode = 0;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    self.from.udp_port = MT_NTP_PORT;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_MODE);
}

static void ntp_server_never_answers_with_more_when_octets_are_anything(void **state)
{
    struct fixture self = fix();
    struct mt_prng random;
    (void)state;
    remember_departures(&self);
    mt_prng_init(&random, 7);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t octets[96];
        size_t length = mt_prng_below(&random, sizeof octets + 1);
        for (size_t at = 0; at < length; at++) {
            octets[at] = (uint8_t)mt_prng_next_u32(&random);
        }
        octets[0] = (uint8_t)(i % 3 != 0 ? 0x23 : octets[0]);
        ask(&self, octets, length); /* asserts it */
    }
    uint64_t sum = 0;
    for (unsigned i = 0; i < MT_NTP_OUTCOME_COUNT; i++) {
        sum += self.worker.outcomes[i];
    }
    assert_int_equal(sum, 200000);
    assert_true(self.worker.outcomes[MT_NTP_ANSWERED] > 1000);
}

static void ntp_server_is_silent_when_the_client_is_denied(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    const struct mt_ntp_rule rules[] = {
        {{{.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 8}}, 31}, false},
        {{{.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 0}}, 24}, true},
    };
    (void)state;
    self.server.rules = rules;
    self.server.rule_count = 2;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_DENIED);
    assert_int_equal(self.answer.length, 0);
    self.from.octets[3] = 10;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    self.from.octets[2] = 3;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    self.server.denies_others = true;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_DENIED);
}

/* ---- interleaved mode ------------------------------------------------------------------------ */

static void ntp_server_gives_the_measured_departure_when_it_is_asked_interleaved(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_header asked = question();
    struct mt_instant left = noon;
    (void)state;
    remember_departures(&self);
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    assert_int_equal(self.answer.receive, 0); /* it may never ask again */
    asked.origin = self.got.receive;
    asked.receive = UINT64_C(0x1111111122222221);
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    assert_int_equal(self.got.origin, asked.transmit);
    mt_ntp_time receive = self.got.receive;
    assert_int_equal(self.answer.receive, receive);
    left.ns += 31234;
    mt_ntp_departures_tell(&self.worker.departures, self.answer.receive, &left);
    asked.origin = receive;
    asked.receive = UINT64_C(0x1111111122222222);
    self.arrival.s += 64;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_INTERLEAVED);
    assert_int_equal(self.got.origin, asked.receive);
    assert_int_equal(self.got.transmit, mt_ntp_from_instant(&left) & ~UINT64_C(1));
    assert_int_equal(mt_ntp_to_instant(self.got.receive, &noon).s, noon.s + 64);
    /* once only */
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
    assert_int_equal(self.got.origin, asked.transmit);
}

static void ntp_server_answers_plainly_when_the_departure_is_not_known(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_header asked = question();
    (void)state;
    remember_departures(&self);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
        assert_int_equal(self.got.origin, asked.transmit);
        asked.origin = self.got.receive;
        asked.receive = 5;
    }
    /* nor may receive and transmit be one [RFC 9769 2] */
    mt_ntp_departures_tell(&self.worker.departures, self.answer.receive, &noon);
    asked.origin = self.got.receive;
    asked.receive = asked.transmit;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
}

static void ntp_server_gives_no_receive_time_twice_when_requests_come_at_once(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_header asked = question();
    mt_ntp_time before = 0;
    (void)state;
    remember_departures(&self);
    self.served.precision = -32; /* nothing is random */
    asked.origin = 1;
    for (unsigned i = 0; i < 10; i++) {
        ask_header(&self, &asked);
        assert_int_not_equal(self.got.receive, before);
        assert_int_equal(self.got.receive & 1, 1);
        assert_int_equal(self.got.transmit & 1, 0);
        before = self.got.receive;
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void ntp_server_signs_when_the_request_is_signed(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2u * keys.count; round++) {
        struct fixture self = fix();
        struct mt_ntp_header asked = question();
        uint8_t octets[MT_NTP_HEADER_SIZE + MT_NTP_CODE_MAX];
        struct mt_ntp_packet packet;
        unsigned i = round / 2;
        asked.version = (uint8_t)(3 + round % 2);
        mt_ntp_write(&asked, octets);
        size_t length = MT_NTP_HEADER_SIZE + mt_ntp_key_sign(&keys, &key_list[i], octets,
                                                             MT_NTP_HEADER_SIZE, sizeof octets);
        assert_int_equal(length,
                         MT_NTP_HEADER_SIZE + mt_ntp_key_code_size(&key_list[i], asked.version));
        assert_true(asked.version == 3 || length <= MT_NTP_HEADER_SIZE + 24);
        self.server.requires_key = true;
        assert_int_equal(ask(&self, octets, length), MT_NTP_ANSWERED);
        assert_int_equal(self.answer.length, length);
        mt_ntp_parse(self.answer.octets, length, &packet);
        assert_ptr_equal(mt_ntp_key_verify(&keys, self.answer.octets, &packet), &key_list[i]);
        for (size_t bit = 0; bit < 8 * length; bit++) { /* and of a changed one nothing is heard */
            octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ask(&self, octets, length);
            assert_int_equal(self.answer.length, 0);
            octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void ntp_server_is_silent_when_a_key_is_wanted(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    (void)state;
    self.server.requires_key = true;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_UNAUTHENTICATED);
    assert_int_equal(self.answer.length, 0);
}

/* RFC 1321's and everybody's: MD5 of "hello" and nothing more, and SHA-1 likewise. */
static void ntp_key_makes_known_digests_when_it_signs(void **state)
{
    static const uint8_t md5[] = {0, 0, 0, 3, 0x5D, 0x41, 0x40, 0x2A, 0xBC, 0x4B};
    static const uint8_t sha1[] = {0, 1, 0x11, 0x70, 0xAA, 0xF4, 0xC6, 0x1D, 0xDC, 0xC5};
    uint8_t octets[MT_NTP_CODE_MAX];
    (void)state;
    assert_int_equal(mt_ntp_key_sign(&keys, &key_list[2], octets, 0, sizeof octets), 20);
    assert_memory_equal(octets, md5, sizeof md5);
    assert_int_equal(mt_ntp_key_sign(&keys, &key_list[1], octets, 0, sizeof octets), 24);
    assert_memory_equal(octets, sha1, sizeof sha1);
    assert_int_equal(mt_ntp_key_sign(&keys, &key_list[1], octets, 0, 23), 0);
    assert_null(mt_ntp_key_find(&keys, 0));
    assert_null(mt_ntp_key_find(NULL, 1));
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void ntp_server_answers_a_share_when_a_client_asks_too_often(void **state)
{
    struct fixture self = fix();
    const struct mt_ntp_header asked = question();
    unsigned said = 0;
    (void)state;
    mt_ntp_limit_init(&self.worker.limit, self.limited, PLACES, 3, 8, 42);
    self.server.log_rate_share = 2;
    for (unsigned i = 0; i < 10000; i++) { /* ten a second */
        enum mt_ntp_outcome outcome = ask_header(&self, &asked);
        if (outcome == MT_NTP_RATE_SAID) {
            said++;
            assert_int_equal(self.got.stratum, 0);
            assert_int_equal(self.got.leap, MT_NTP_LEAP_UNKNOWN);
            assert_memory_equal(self.got.reference_id, "RATE", 4);
            assert_int_equal(self.got.origin, asked.transmit);
        } else {
            assert_int_equal(self.answer.length, outcome == MT_NTP_ANSWERED ? 48 : 0);
        }
        self.now.ns += 100000000;
    }
    assert_in_range(self.worker.outcomes[MT_NTP_ANSWERED], 125 + 7, 125 + 8);
    assert_in_range(said, 2300, 2640); /* a quarter of the rest */
    self.server.tells_no_rate = true;
    self.now.ns -= 100000000;
    assert_int_equal(ask_header(&self, &asked), MT_NTP_LIMITED);
    self.from.octets[3]++; /* others are not concerned */
    assert_int_equal(ask_header(&self, &asked), MT_NTP_ANSWERED);
}

static void ntp_limit_keeps_who_is_there_when_strangers_come(void **state)
{
    struct fixture self = fix();
    struct mt_ntp_limit *limit = &self.worker.limit;
    unsigned allowed = 0;
    (void)state;
    mt_ntp_limit_init(limit, self.limited, PLACES, 0, 2, 42);
    for (uint32_t i = 0; i < 10000; i++) {
        struct mt_address stranger = {.network = MT_NETWORK_UDP_IPV4,
                                      .octets = {10, (uint8_t)(i >> 8), (uint8_t)i, 1}};
        assert_true(mt_ntp_limit_allows(limit, &stranger, self.now)); /* the first of each */
        allowed += mt_ntp_limit_allows(limit, &self.from, self.now);
        self.now.ns += 1000000;
    }
    assert_in_range(allowed, 11, 12); /* ten seconds and a burst */
}

static void ntp_limit_takes_a_network_for_one_when_it_is_of_ipv6(void **state)
{
    struct fixture self = fix();
    struct mt_address client = {.network = MT_NETWORK_UDP_IPV6, .octets = {0x20, 0x01, 0x0D, 0xB8}};
    (void)state;
    mt_ntp_limit_init(&self.worker.limit, self.limited, PLACES, 0, 1, 42);
    assert_true(mt_ntp_limit_allows(&self.worker.limit, &client, self.now));
    client.octets[15] = 7;
    client.udp_port = 5;
    assert_false(mt_ntp_limit_allows(&self.worker.limit, &client, self.now));
    client.octets[7] = 1;
    assert_true(mt_ntp_limit_allows(&self.worker.limit, &client, self.now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_server_tells_what_is_served_when_it_is_asked),
        cmocka_unit_test(ntp_server_is_less_sure_when_its_knowledge_is_old),
        cmocka_unit_test(ntp_server_says_so_when_it_is_not_synchronised),
        cmocka_unit_test(ntp_server_answers_in_the_version_that_it_is_asked_in),
        cmocka_unit_test(ntp_server_is_silent_when_it_is_no_request),
        cmocka_unit_test(ntp_server_never_answers_with_more_when_octets_are_anything),
        cmocka_unit_test(ntp_server_is_silent_when_the_client_is_denied),
        cmocka_unit_test(ntp_server_gives_the_measured_departure_when_it_is_asked_interleaved),
        cmocka_unit_test(ntp_server_answers_plainly_when_the_departure_is_not_known),
        cmocka_unit_test(ntp_server_gives_no_receive_time_twice_when_requests_come_at_once),
        cmocka_unit_test(ntp_server_signs_when_the_request_is_signed),
        cmocka_unit_test(ntp_server_is_silent_when_a_key_is_wanted),
        cmocka_unit_test(ntp_key_makes_known_digests_when_it_signs),
        cmocka_unit_test(ntp_server_answers_a_share_when_a_client_asks_too_often),
        cmocka_unit_test(ntp_limit_keeps_who_is_there_when_strangers_come),
        cmocka_unit_test(ntp_limit_takes_a_network_for_one_when_it_is_of_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
