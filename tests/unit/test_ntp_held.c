/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages, as far as client and server know of it: what transparent clocks say of how
 * long they held a question and its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "meantime/ntp_client.h"
#include "meantime/ntp_ptp.h"
#include "meantime/ntp_server.h"

#define WIRE_NS  1000
#define THERE_NS 70000 /* in transparent clocks */
#define BACK_NS  30000
#define SERVE_NS 20000
#define PLACES   16

static const struct mt_ntp_key key_list[] = {
    {.id = 1, .kind = MT_NTP_KEY_AES128_CMAC, .length = 16, .octets = "0123456789abcdef"},
};
static const struct mt_ntp_keys keys = {&mt_crypto_nettle, key_list, 1};

struct pair {
    struct mt_ntp_client client;
    struct mt_ntp_server server;
    struct mt_ntp_served served;
    struct mt_ntp_worker worker;
    struct mt_ntp_departure departures[PLACES];
    int64_t now_ns;
    struct mt_interval told_there; /* what transparent clocks say */
    struct mt_interval told_back;
    bool knows_no_field; /* a server of another house */
    bool stamps_late;
    int64_t value_ns[MT_SAMPLE_KIND_COUNT];
    int64_t bound_ns;
    unsigned samples[MT_SAMPLE_KIND_COUNT];
};

static struct mt_instant utc(int64_t ns)
{
    return mt_instant_plus((struct mt_instant){.s = 1800000000, .scale = MT_SCALE_UTC},
                           mt_span_from_ns(ns));
}

static void open_pair(struct pair *self, bool is_interleaved)
{
    struct mt_ntp_client_config config;
    memset(self, 0, sizeof *self);
    mt_ntp_client_config_init(&config);
    config.asks_for_correction = true;
    config.is_interleaved = is_interleaved;
    self->served = (struct mt_ntp_served){.stratum = 1, .precision = -30, .at = utc(0)};
    mt_ntp_departures_init(&self->worker.departures, self->departures, PLACES);
    self->now_ns = 1000000000;
    self->told_there = mt_interval_from_ns(THERE_NS);
    self->told_back = mt_interval_from_ns(BACK_NS);
    mt_ntp_client_init(&self->client, &config, (struct mt_mono){self->now_ns});
}

static void drain(struct pair *self)
{
    struct mt_ntp_event event;
    memset(self->samples, 0, sizeof self->samples);
    while (mt_ntp_client_next_event(&self->client, &event)) {
        if (event.kind == MT_NTP_EVENT_SAMPLE) {
            self->samples[event.sample.kind]++;
            self->value_ns[event.sample.kind] = mt_span_to_ns(event.sample.value);
            self->bound_ns = mt_interval_to_ns(event.sample.bound);
        }
    }
}

static void depart(struct pair *self, uint32_t token, int64_t at_ns)
{
    const struct mt_stamp stamp = {utc(at_ns), 0};
    mt_ntp_client_tx_done(&self->client, token, &stamp);
}

/* One exchange; clocks agree. */
static void exchange(struct pair *self)
{
    uint8_t random[MT_NTP_RANDOM_SIZE];
    uint8_t question[MT_NTP_PACKET_MAX];
    struct mt_ntp_tx tx;
    struct mt_ntp_answer answer;
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .udp_port = 319};
    int64_t asked_ns = self->now_ns = mt_ntp_client_deadline(&self->client).ns;
    memset(random, (int)(self->client.asked + 1), sizeof random);
    mt_ntp_client_tick(&self->client, (struct mt_mono){asked_ns});
    assert_true(mt_ntp_client_next_tx(&self->client, random, question, sizeof question, &tx));
    if (!self->stamps_late) {
        depart(self, tx.token, asked_ns);
    }
    const struct mt_instant arrival = utc(asked_ns + WIRE_NS + THERE_NS);
    const struct mt_instant left = utc(asked_ns + WIRE_NS + THERE_NS + SERVE_NS);
    const struct mt_ntp_request request = {
        .octets = question,
        .length = tx.length,
        .arrival = &arrival,
        .from = &from,
        .held = self->knows_no_field ? NULL : &self->told_there,
        .now = {asked_ns},
    };
    mt_ntp_answer(&self->server, &self->served, &self->worker, &request, &answer);
    mt_ntp_answer_finish(&self->server, &answer, &left);
    mt_ntp_departures_tell(&self->worker.departures, answer.receive, &left);
    assert_true(answer.length <= tx.length);
    const struct mt_stamp back = {utc(asked_ns + 2 * WIRE_NS + THERE_NS + SERVE_NS + BACK_NS), 0};
    enum mt_ntp_verdict verdict =
        mt_ntp_client_rx_held(&self->client, answer.octets, answer.length, &back, self->told_back,
                              (struct mt_mono){asked_ns + 200000});
    assert_true(verdict == MT_NTP_VERDICT_USED || verdict == MT_NTP_VERDICT_INTERLEAVED);
    if (self->stamps_late) {
        depart(self, tx.token, asked_ns);
    }
    drain(self);
}

static void assert_near(int64_t value_ns, int64_t wanted_ns)
{
    assert_in_range(value_ns + 10, wanted_ns + 7, wanted_ns + 13);
}

static void ntp_held_is_taken_off_both_ways_when_it_is_told(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, false);
    exchange(&self);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
    assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS);
}

static void ntp_held_is_taken_off_when_the_departure_is_known_late(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, false);
    self.stamps_late = true;
    exchange(&self);
    assert_int_equal(self.samples[MT_SAMPLE_REVERSE], 1);
    assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS);
}

static void ntp_held_is_that_of_its_exchange_when_it_is_interleaved(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, true);
    for (unsigned i = 0; i < 4; i++) {
        exchange(&self);
    }
    assert_true(self.client.verdicts[MT_NTP_VERDICT_INTERLEAVED] > 0);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
    assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS);
    self.told_back = (struct mt_interval){0}; /* of this answer: which counts for the next */
    exchange(&self);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
    exchange(&self);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS + BACK_NS);
}

static void ntp_held_counts_on_the_way_back_alone_when_the_server_tells_nothing(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, false);
    self.knows_no_field = true;
    exchange(&self);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
    assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS + THERE_NS);
}

static void ntp_held_is_not_believed_when_it_is_longer_than_the_round_trip(void **state)
{
    const int64_t lies_ns[] = {THERE_NS + 2 * WIRE_NS + SERVE_NS + BACK_NS, -1000,
                               INT64_C(3600) * 1000000000};
    (void)state;
    for (size_t i = 0; i < sizeof lies_ns / sizeof lies_ns[0]; i++) {
        struct pair self;
        open_pair(&self, false);
        self.told_there = mt_interval_from_ns(lies_ns[i]);
        exchange(&self);
        assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS + THERE_NS);
        assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS + BACK_NS);
    }
}

static void ntp_held_is_not_believed_when_the_departure_that_refutes_it_is_known_late(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, false);
    self.stamps_late = true;
    self.told_back = mt_interval_from_ns(INT64_C(3600) * 1000000000);
    exchange(&self);
    assert_int_equal(self.samples[MT_SAMPLE_FORWARD], 1);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS + BACK_NS);
    assert_near(self.value_ns[MT_SAMPLE_REVERSE], WIRE_NS + THERE_NS);
}

/* Of one way or of the other, for all that anybody has signed. */
static void ntp_held_is_in_the_bound_by_half_when_answers_are_authenticated(void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, false);
    exchange(&self);
    int64_t plain_ns = self.bound_ns;
    open_pair(&self, false);
    self.client.config.key = 1;
    self.client.config.keys = self.server.keys = &keys;
    exchange(&self);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
    assert_near(self.bound_ns, plain_ns + (THERE_NS + BACK_NS) / 2);
}

static void ntp_held_is_measured_back_once_when_interleaved_answers_follow_a_late_departure(
    void **state)
{
    struct pair self;
    (void)state;
    open_pair(&self, true);
    self.stamps_late = true;
    unsigned ways_back = 0;
    for (unsigned i = 0; i < 6; i++) {
        exchange(&self);
        ways_back += self.samples[MT_SAMPLE_FORWARD];
        assert_int_equal(self.samples[MT_SAMPLE_REVERSE], 1);
    }
    assert_int_equal(ways_back, 5); /* that of the first interleaved answer was measured already */
    assert_true(self.client.verdicts[MT_NTP_VERDICT_INTERLEAVED] > 0);
    assert_int_equal(self.samples[MT_SAMPLE_FORWARD], 1);
    assert_near(self.value_ns[MT_SAMPLE_FORWARD], WIRE_NS);
}

static void ntp_held_is_asked_for_in_version_4_only(void **state)
{
    uint8_t random[MT_NTP_RANDOM_SIZE] = {1};
    uint8_t question[MT_NTP_PACKET_MAX];
    struct mt_ntp_tx tx;
    struct pair self;
    (void)state;
    open_pair(&self, false);
    self.client.config.version = 3;
    mt_ntp_client_tick(&self.client, (struct mt_mono){self.now_ns});
    assert_true(mt_ntp_client_next_tx(&self.client, random, question, sizeof question, &tx));
    assert_int_equal(tx.length, MT_NTP_HEADER_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_held_is_taken_off_both_ways_when_it_is_told),
        cmocka_unit_test(ntp_held_is_taken_off_when_the_departure_is_known_late),
        cmocka_unit_test(ntp_held_is_that_of_its_exchange_when_it_is_interleaved),
        cmocka_unit_test(ntp_held_counts_on_the_way_back_alone_when_the_server_tells_nothing),
        cmocka_unit_test(ntp_held_is_not_believed_when_it_is_longer_than_the_round_trip),
        cmocka_unit_test(ntp_held_is_not_believed_when_the_departure_that_refutes_it_is_known_late),
        cmocka_unit_test(ntp_held_is_in_the_bound_by_half_when_answers_are_authenticated),
        cmocka_unit_test(
            ntp_held_is_measured_back_once_when_interleaved_answers_follow_a_late_departure),
        cmocka_unit_test(ntp_held_is_asked_for_in_version_4_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
