/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP client against the NTP server of the same house, over a path of known delays and with a
 * known offset; and against answers that are wrong in one thing each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "meantime/ntp_client.h"
#include "meantime/ntp_server.h"

#define THERE_NS 40000
#define BACK_NS  60000
#define AHEAD_NS 5000000 /* the client's clock */
#define PLACES   16

static const struct mt_ntp_key key_list[] = {
    {.id = 1, .kind = MT_NTP_KEY_AES128_CMAC, .length = 16, .octets = "0123456789abcdef"},
    {.id = 2, .kind = MT_NTP_KEY_SHA256, .length = 5, .octets = "hello"},
};
static const struct mt_ntp_keys keys = {&mt_crypto_nettle, key_list, 2};

struct pair {
    struct mt_ntp_client client;
    struct mt_ntp_server server;
    struct mt_ntp_served served;
    struct mt_ntp_worker worker;
    struct mt_ntp_departure departures[PLACES];
    struct mt_prng random;
    int64_t now_ns;       /**< true time since the start, and the client's monotonic time */
    int64_t stamp_off_ns; /**< what the server's own estimate of a departure is wrong by */
    uint8_t question[96];
    struct mt_ntp_tx tx;
    uint8_t answer[96];
    size_t answer_length;
    mt_ntp_time answer_receive;
    int64_t answer_left_ns;
};

static struct mt_instant utc(int64_t ns)
{
    return mt_instant_plus((struct mt_instant){.s = 1800000000, .scale = MT_SCALE_UTC},
                           mt_span_from_ns(ns));
}

static struct mt_stamp client_stamp(int64_t ns)
{
    return (struct mt_stamp){utc(ns + AHEAD_NS), 3};
}

static struct mt_mono mono(const struct pair *self)
{
    return (struct mt_mono){self->now_ns};
}

static void open_pair(struct pair *self, const struct mt_ntp_client_config *config)
{
    memset(self, 0, sizeof *self);
    self->server.keys = &keys;
    self->served = (struct mt_ntp_served){.stratum = 1,
                                          .precision = -30,
                                          .reference_id = {'G', 'P', 'S', 0},
                                          .root_dispersion = mt_interval_from_ns(100000)};
    self->served.reference = utc(0);
    self->served.at = utc(0);
    mt_ntp_departures_init(&self->worker.departures, self->departures, PLACES);
    mt_prng_init(&self->worker.random, 1);
    mt_prng_init(&self->random, 2);
    self->now_ns = 1000000000;
    mt_ntp_client_init(&self->client, config, mono(self));
}

static bool asks(struct pair *self)
{
    uint8_t random[MT_NTP_RANDOM_SIZE];
    for (unsigned i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)mt_prng_next_u32(&self->random);
    }
    return mt_ntp_client_next_tx(&self->client, random, self->question, sizeof self->question,
                                 &self->tx);
}

/* The next question, when it is due. */
static void await_question(struct pair *self)
{
    for (unsigned i = 0; i < 3; i++) {
        struct mt_mono due = mt_ntp_client_deadline(&self->client);
        assert_true(due.ns != MT_MONO_NEVER.ns);
        self->now_ns = due.ns > self->now_ns ? due.ns : self->now_ns;
        mt_ntp_client_tick(&self->client, mono(self));
        if (asks(self)) {
            return;
        }
    }
    fail();
}

static void depart(struct pair *self)
{
    const struct mt_stamp stamp = client_stamp(self->now_ns);
    mt_ntp_client_tx_done(&self->client, self->tx.token, &stamp);
}

/* The server answers 20 us after the question has come. */
static void serve(struct pair *self)
{
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .udp_port = 5000};
    const struct mt_instant arrival = utc(self->now_ns + THERE_NS);
    const struct mt_ntp_request request = {self->question, self->tx.length, &arrival,
                                           &from,          mono(self),      NULL};
    struct mt_ntp_answer answer;
    mt_ntp_answer(&self->server, &self->served, &self->worker, &request, &answer);
    self->answer_left_ns = self->now_ns + THERE_NS + 20000;
    const struct mt_instant left = utc(self->answer_left_ns);
    const struct mt_instant thought = utc(self->answer_left_ns + self->stamp_off_ns);
    mt_ntp_answer_finish(&self->server, &answer, &thought);
    mt_ntp_departures_tell(&self->worker.departures, answer.receive, &left);
    memcpy(self->answer, answer.octets, answer.length);
    self->answer_length = answer.length;
}

static enum mt_ntp_verdict arrive(struct pair *self)
{
    const struct mt_stamp stamp = client_stamp(self->answer_left_ns + BACK_NS);
    return mt_ntp_client_rx(&self->client, self->answer, self->answer_length, &stamp, mono(self));
}

static enum mt_ntp_verdict exchange(struct pair *self)
{
    await_question(self);
    depart(self);
    serve(self);
    return arrive(self);
}

struct seen {
    unsigned samples[MT_SAMPLE_KIND_COUNT];
    int64_t value_ns[MT_SAMPLE_KIND_COUNT]; /**< of the last one */
    struct mt_sample last;
    unsigned reachable, unreachable, refused;
};

static struct seen drain(struct pair *self)
{
    struct seen seen = {0};
    struct mt_ntp_event event;
    while (mt_ntp_client_next_event(&self->client, &event)) {
        switch (event.kind) {
        case MT_NTP_EVENT_SAMPLE:
            seen.samples[event.sample.kind]++;
            seen.value_ns[event.sample.kind] = mt_span_to_ns(event.sample.value);
            seen.last = event.sample;
            break;
        case MT_NTP_EVENT_REACHABLE:
            seen.reachable++;
            break;
        case MT_NTP_EVENT_UNREACHABLE:
            seen.unreachable++;
            break;
        case MT_NTP_EVENT_REFUSED:
            seen.refused++;
            break;
        }
    }
    return seen;
}

static struct mt_ntp_client_config config_of(bool is_interleaved, uint32_t key)
{
    struct mt_ntp_client_config config;
    mt_ntp_client_config_init(&config);
    config.is_interleaved = is_interleaved;
    config.keys = &keys;
    config.key = key;
    return config;
}

static void open_plain(struct pair *self)
{
    const struct mt_ntp_client_config config = config_of(false, 0);
    open_pair(self, &config);
}

/* ---- measurements ---------------------------------------------------------------------------- */

static void ntp_client_measures_both_ways_when_it_is_answered(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    struct seen seen = drain(&self);
    assert_int_equal(seen.samples[MT_SAMPLE_FORWARD], 1);
    assert_int_equal(seen.samples[MT_SAMPLE_REVERSE], 1);
    assert_in_range(seen.value_ns[MT_SAMPLE_FORWARD], BACK_NS + AHEAD_NS - 3,
                    BACK_NS + AHEAD_NS + 3);
    assert_in_range(seen.value_ns[MT_SAMPLE_REVERSE] + AHEAD_NS, THERE_NS - 3, THERE_NS + 3);
    assert_int_equal(seen.last.scale, MT_SCALE_UTC);
    assert_int_equal(seen.last.local.corrections, 3);
    assert_false(seen.last.authenticated);
    assert_in_range(mt_interval_to_ns(seen.last.bound), 100000, 140000);
    assert_int_equal(seen.last.reference_bound.q16, 0);
    assert_int_equal(seen.reachable, 1);
}

static void ntp_client_tells_nothing_of_itself_when_it_asks(void **state)
{
    struct pair self;
    struct mt_ntp_packet packet;
    (void)state;
    open_plain(&self);
    await_question(&self);
    assert_int_equal(mt_ntp_parse(self.question, self.tx.length, &packet), MT_NTP_WELL_FORMED);
    assert_int_equal(packet.header.stratum, 0);
    assert_int_equal(packet.header.leap, 0);
    assert_int_equal(packet.header.root_delay, 0);
    assert_int_equal(packet.header.reference, 0);
    assert_int_equal(packet.header.origin, 0);
    assert_int_equal(packet.header.receive, 0);
    struct mt_instant told = mt_ntp_to_instant(packet.header.transmit, &(struct mt_instant){0});
    assert_true(mt_span_to_ns(mt_span_abs(mt_instant_minus(told, utc(self.now_ns)))) > 1000000000);
}

static void ntp_client_waits_with_the_way_there_when_the_departure_comes_late(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    await_question(&self);
    serve(&self);
    assert_int_equal(arrive(&self), MT_NTP_VERDICT_USED);
    struct seen seen = drain(&self);
    assert_int_equal(seen.samples[MT_SAMPLE_FORWARD], 1);
    assert_int_equal(seen.samples[MT_SAMPLE_REVERSE], 0);
    depart(&self);
    depart(&self); /* once */
    seen = drain(&self);
    assert_int_equal(seen.samples[MT_SAMPLE_REVERSE], 1);
    assert_in_range(seen.value_ns[MT_SAMPLE_REVERSE] + AHEAD_NS, THERE_NS - 3, THERE_NS + 3);
}

static void ntp_client_has_the_measured_departure_when_it_is_interleaved(void **state)
{
    struct pair self;
    const struct mt_ntp_client_config config = config_of(true, 0);
    (void)state;
    open_pair(&self, &config);
    self.stamp_off_ns = 7000; /* so that a plain answer is wrong */
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    struct seen seen = drain(&self);
    assert_in_range(seen.value_ns[MT_SAMPLE_FORWARD], BACK_NS + AHEAD_NS - 7003,
                    BACK_NS + AHEAD_NS - 6997);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED); /* the server learns that it is asked */
    drain(&self);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_INTERLEAVED);
    seen = drain(&self);
    assert_int_equal(seen.samples[MT_SAMPLE_FORWARD], 0); /* that way has been measured */
    assert_int_equal(seen.samples[MT_SAMPLE_REVERSE], 1);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(exchange(&self), MT_NTP_VERDICT_INTERLEAVED);
        seen = drain(&self);
        assert_int_equal(seen.samples[MT_SAMPLE_FORWARD], 1);
        assert_in_range(seen.value_ns[MT_SAMPLE_FORWARD], BACK_NS + AHEAD_NS - 3,
                        BACK_NS + AHEAD_NS + 3);
        assert_int_equal(seen.samples[MT_SAMPLE_REVERSE], 1);
        assert_in_range(seen.value_ns[MT_SAMPLE_REVERSE] + AHEAD_NS, THERE_NS - 3, THERE_NS + 3);
    }
}

static void ntp_client_goes_on_plainly_when_the_server_has_forgotten(void **state)
{
    struct pair self;
    const struct mt_ntp_client_config config = config_of(true, 0);
    (void)state;
    open_pair(&self, &config);
    exchange(&self);
    exchange(&self);
    memset(self.departures, 0, sizeof self.departures);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_INTERLEAVED);
    for (unsigned i = 0; i < 6; i++) {
        await_question(&self); /* and nobody answers */
    }
    struct mt_ntp_packet packet;
    mt_ntp_parse(self.question, self.tx.length, &packet);
    assert_int_equal(packet.header.origin, 0);
}

static void ntp_client_is_right_when_the_era_ends(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    /* 2036-02-07 06:28:16 UTC: the answer leaves after it, the question before */
    self.now_ns = (INT64_C(2085978496) - 1800000000) * 1000000000 - 50000;
    const struct mt_ntp_client_config config = self.client.config;
    mt_ntp_client_init(&self.client, &config, mono(&self));
    self.served.at = utc(self.now_ns);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    struct seen seen = drain(&self);
    assert_in_range(seen.value_ns[MT_SAMPLE_FORWARD], BACK_NS + AHEAD_NS - 3,
                    BACK_NS + AHEAD_NS + 3);
    assert_in_range(seen.value_ns[MT_SAMPLE_REVERSE] + AHEAD_NS, THERE_NS - 3, THERE_NS + 3);
}

static void ntp_client_finds_the_era_when_its_clock_begins_in_1970(void **state)
{
    const int64_t late_s = INT64_C(2220000000); /* the server's clock shows 2040 */
    struct pair self;
    (void)state;
    open_plain(&self);
    self.now_ns = (late_s - 1800000000) * 1000000000;
    const struct mt_ntp_client_config config = self.client.config;
    mt_ntp_client_init(&self.client, &config, mono(&self));
    self.served.at = utc(self.now_ns);
    await_question(&self);
    struct mt_stamp stamp = client_stamp(self.now_ns);
    stamp.at.s -= late_s;
    mt_ntp_client_tx_done(&self.client, self.tx.token, &stamp);
    serve(&self);
    stamp = client_stamp(self.answer_left_ns + BACK_NS);
    stamp.at.s -= late_s;
    assert_int_equal(
        mt_ntp_client_rx(&self.client, self.answer, self.answer_length, &stamp, mono(&self)),
        MT_NTP_VERDICT_USED);
    struct seen seen = drain(&self);
    assert_in_range(seen.value_ns[MT_SAMPLE_FORWARD] + late_s * 1000000000, BACK_NS + AHEAD_NS - 3,
                    BACK_NS + AHEAD_NS + 3);
}

/* ---- when it asks ---------------------------------------------------------------------------- */

static void ntp_client_asks_quickly_when_it_starts(void **state)
{
    struct pair self;
    int64_t begin_ns;
    (void)state;
    open_plain(&self);
    begin_ns = self.now_ns;
    for (unsigned i = 0; i < 4; i++) {
        exchange(&self);
    }
    assert_true(self.now_ns - begin_ns <= INT64_C(3000000000));
    int64_t before_ns = self.now_ns;
    for (unsigned i = 0; i < 9; i++) { /* then ever less */
        static const int64_t seconds[] = {1, 1, 2, 4, 8, 16, 32, 64, 64};
        exchange(&self);
        assert_in_range(self.now_ns - before_ns, seconds[i] * 968000000, seconds[i] * 1000000000);
        before_ns = self.now_ns;
    }
    mt_ntp_client_set_poll(&self.client, 20);
    exchange(&self);
    before_ns = self.now_ns;
    exchange(&self);
    assert_in_range(self.now_ns - before_ns, INT64_C(1008000000000), INT64_C(1024000000000));
}

static void ntp_client_says_so_when_the_server_is_silent(void **state)
{
    struct pair self;
    struct seen seen;
    (void)state;
    open_plain(&self);
    exchange(&self);
    drain(&self);
    for (unsigned i = 0; i < 8; i++) {
        await_question(&self);
        seen = drain(&self);
        assert_int_equal(seen.unreachable, i == 7);
    }
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(drain(&self).reachable, 1);
    int64_t before_ns = self.now_ns; /* and it is made sure of quickly */
    exchange(&self);
    assert_true(self.now_ns - before_ns <= 1000000000);
}

/* ---- what it does not believe ---------------------------------------------------------------- */

static void change(struct pair *self, void (*how)(struct mt_ntp_header *header))
{
    struct mt_ntp_packet packet;
    assert_int_equal(mt_ntp_parse(self->answer, self->answer_length, &packet), MT_NTP_WELL_FORMED);
    how(&packet.header);
    mt_ntp_write(&packet.header, self->answer);
}

static void other_origin(struct mt_ntp_header *header)
{
    header->origin++;
}
static void no_origin(struct mt_ntp_header *header)
{
    header->origin = 0;
}
static void other_mode(struct mt_ntp_header *header)
{
    header->mode = MT_NTP_MODE_BROADCAST;
}
static void other_version(struct mt_ntp_header *header)
{
    header->version = 3;
}
static void no_leap(struct mt_ntp_header *header)
{
    header->leap = MT_NTP_LEAP_UNKNOWN;
}
static void high_stratum(struct mt_ntp_header *header)
{
    header->stratum = 16;
}
static void far_away(struct mt_ntp_header *header)
{
    header->root_delay = 0x60001; /* half of which is 3 s and some */
}
static void no_transmit(struct mt_ntp_header *header)
{
    header->transmit = 0;
}
static void no_receive(struct mt_ntp_header *header)
{
    header->receive = 0;
}
static void backwards(struct mt_ntp_header *header)
{
    header->transmit = header->receive - (UINT64_C(1) << 22); /* 1 ms */
}
static void long_after(struct mt_ntp_header *header)
{
    header->receive -= UINT64_C(5) << 32;
}
static void long_turnaround(struct mt_ntp_header *header)
{
    header->receive -= UINT64_C(1) << 32; /* longer than the whole way */
}

static void ntp_client_does_not_believe_it_when_one_thing_is_wrong(void **state)
{
    static const struct {
        void (*how)(struct mt_ntp_header *header);
        enum mt_ntp_verdict verdict;
    } cases[] = {
        {other_origin, MT_NTP_VERDICT_BOGUS},       {no_origin, MT_NTP_VERDICT_BOGUS},
        {other_mode, MT_NTP_VERDICT_MALFORMED},     {other_version, MT_NTP_VERDICT_MALFORMED},
        {no_leap, MT_NTP_VERDICT_NOT_SYNCHRONISED}, {high_stratum, MT_NTP_VERDICT_NOT_SYNCHRONISED},
        {far_away, MT_NTP_VERDICT_DISTANT},         {no_transmit, MT_NTP_VERDICT_IMPOSSIBLE},
        {no_receive, MT_NTP_VERDICT_IMPOSSIBLE},    {backwards, MT_NTP_VERDICT_IMPOSSIBLE},
        {long_after, MT_NTP_VERDICT_IMPOSSIBLE},    {long_turnaround, MT_NTP_VERDICT_IMPOSSIBLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair self;
        open_plain(&self);
        await_question(&self);
        depart(&self);
        serve(&self);
        change(&self, cases[i].how);
        assert_int_equal(arrive(&self), cases[i].verdict);
        struct seen seen = drain(&self);
        assert_int_equal(seen.samples[MT_SAMPLE_FORWARD] + seen.samples[MT_SAMPLE_REVERSE], 0);
        if (cases[i].verdict == MT_NTP_VERDICT_BOGUS) { /* the right one is still awaited */
            serve(&self);
            assert_int_equal(arrive(&self), MT_NTP_VERDICT_USED);
        }
    }
}

static void ntp_client_takes_an_answer_once_when_it_comes_twice(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(arrive(&self), MT_NTP_VERDICT_BOGUS);
    await_question(&self); /* nor after the next question */
    assert_int_equal(arrive(&self), MT_NTP_VERDICT_BOGUS);
    assert_int_equal(drain(&self).samples[MT_SAMPLE_FORWARD], 1);
}

static void ntp_client_needs_a_timestamp_when_it_is_answered(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    await_question(&self);
    serve(&self);
    assert_int_equal(
        mt_ntp_client_rx(&self.client, self.answer, self.answer_length, NULL, mono(&self)),
        MT_NTP_VERDICT_NO_TIMESTAMP);
}

static void ntp_client_believes_signed_answers_only_when_it_has_a_key(void **state)
{
    struct pair self;
    const struct mt_ntp_client_config config = config_of(true, 1);
    (void)state;
    open_pair(&self, &config);
    self.server.requires_key = true;
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_true(drain(&self).last.authenticated);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_INTERLEAVED);
    await_question(&self);
    depart(&self);
    serve(&self);
    for (size_t bit = 0; bit < 8 * self.answer_length; bit++) {
        self.answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum mt_ntp_verdict verdict = arrive(&self);
        assert_true(verdict == MT_NTP_VERDICT_FORGED || verdict == MT_NTP_VERDICT_BOGUS ||
                    verdict == MT_NTP_VERDICT_MALFORMED);
        self.answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    self.answer_length = MT_NTP_HEADER_SIZE; /* without any */
    assert_int_equal(arrive(&self), MT_NTP_VERDICT_FORGED);
}

static void ntp_client_does_not_ask_when_its_key_is_not_there(void **state)
{
    struct pair self;
    const struct mt_ntp_client_config config = config_of(false, 9);
    (void)state;
    open_pair(&self, &config);
    mt_ntp_client_tick(&self.client, mono(&self));
    assert_false(asks(&self));
}

/* ---- kisses ---------------------------------------------------------------------------------- */

static enum mt_ntp_verdict kiss(struct pair *self, const char *code, bool is_right)
{
    struct mt_ntp_packet packet;
    await_question(self);
    depart(self);
    serve(self);
    mt_ntp_parse(self->answer, self->answer_length, &packet);
    packet.header.stratum = 0;
    packet.header.leap = MT_NTP_LEAP_UNKNOWN;
    memcpy(packet.header.reference_id, code, 4);
    packet.header.origin += !is_right;
    mt_ntp_write(&packet.header, self->answer);
    return arrive(self);
}

static void ntp_client_obeys_a_kiss_when_it_answers_its_question(void **state)
{
    struct pair self;
    (void)state;
    open_plain(&self);
    assert_int_equal(kiss(&self, "DENY", false), MT_NTP_VERDICT_BOGUS);
    assert_int_equal(kiss(&self, "RATE", true), MT_NTP_VERDICT_KISS);
    int64_t before_ns = self.now_ns;
    exchange(&self);
    assert_true(self.now_ns - before_ns > INT64_C(250000000000));     /* 2^8 s */
    assert_int_equal(kiss(&self, "INIT", true), MT_NTP_VERDICT_KISS); /* tells only */
    assert_int_equal(exchange(&self), MT_NTP_VERDICT_USED);
    assert_int_equal(kiss(&self, "DENY", true), MT_NTP_VERDICT_KISS);
    assert_int_equal(drain(&self).refused, 1);
    assert_true(mt_ntp_client_deadline(&self.client).ns == MT_MONO_NEVER.ns);
    assert_false(asks(&self));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_client_measures_both_ways_when_it_is_answered),
        cmocka_unit_test(ntp_client_tells_nothing_of_itself_when_it_asks),
        cmocka_unit_test(ntp_client_waits_with_the_way_there_when_the_departure_comes_late),
        cmocka_unit_test(ntp_client_has_the_measured_departure_when_it_is_interleaved),
        cmocka_unit_test(ntp_client_goes_on_plainly_when_the_server_has_forgotten),
        cmocka_unit_test(ntp_client_is_right_when_the_era_ends),
        cmocka_unit_test(ntp_client_finds_the_era_when_its_clock_begins_in_1970),
        cmocka_unit_test(ntp_client_asks_quickly_when_it_starts),
        cmocka_unit_test(ntp_client_says_so_when_the_server_is_silent),
        cmocka_unit_test(ntp_client_does_not_believe_it_when_one_thing_is_wrong),
        cmocka_unit_test(ntp_client_takes_an_answer_once_when_it_comes_twice),
        cmocka_unit_test(ntp_client_needs_a_timestamp_when_it_is_answered),
        cmocka_unit_test(ntp_client_believes_signed_answers_only_when_it_has_a_key),
        cmocka_unit_test(ntp_client_does_not_ask_when_its_key_is_not_there),
        cmocka_unit_test(ntp_client_obeys_a_kiss_when_it_answers_its_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
