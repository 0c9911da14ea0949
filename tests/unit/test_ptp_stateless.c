/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The server of stateless PTP: octets of all layouts, what is refused, how long an answer may be,
 * and the service of an instance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"
#include "ptp_bench.h"

#define SPTP_REQUEST                                                                               \
    "01 12 0032 05 00 2400 0000000000030000 00000000 aabbccfffeddeeff0001 1234 01 7f"              \
    "00000000000000000000 2007 0002 0003"
#define CSPTP_HEAD(length)                                                                         \
    "30 12 " length " 05 00 0400 0000000000030000 00000000 00000000000000000000 1234 00 7f"        \
    "00000000000000000000 "

static struct mt_stateless_server server;
static struct mt_served served;
static struct mt_instant arrival;
static struct mt_address from;
static struct mt_stateless_answer answer;

static size_t octets_of(const char *text, uint8_t *ret_octets)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        unsigned octet;
        if (*text != ' ' && sscanf(text, "%2x", &octet) == 1) {
            ret_octets[length++] = (uint8_t)octet;
            text++;
        }
    }
    return length;
}

static void assert_octets(const uint8_t *octets, size_t length, const char *text)
{
    uint8_t expected[MT_PTP_MESSAGE_MAX];
    assert_int_equal(length, octets_of(text, expected));
    assert_memory_equal(octets, expected, length);
}

static enum mt_stateless_counter ask(const uint8_t *octets, size_t length)
{
    return mt_stateless_answer(&server, &served, octets, length, &arrival, &from, &answer);
}

static enum mt_stateless_counter ask_text(const char *text)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    return ask(octets, octets_of(text, octets));
}

/* A CSPTP request of `length` octets, padded. */
static size_t csptp_request(size_t length, uint8_t *octets)
{
    size_t used = octets_of(CSPTP_HEAD("0034") "ff00 0004 01000000", octets);
    if (length >= used + 4) {
        memset(octets + used, 0, length - used);
        octets[used] = 0x80;
        octets[used + 1] = 0x08;
        octets[used + 2] = (uint8_t)((length - used - 4) >> 8);
        octets[used + 3] = (uint8_t)(length - used - 4);
        used = length;
    }
    octets[2] = (uint8_t)(used >> 8);
    octets[3] = (uint8_t)used;
    return used;
}

static enum mt_stateless_counter ask_csptp(size_t length)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    return ask(octets, csptp_request(length, octets));
}

static int set_up(void **state)
{
    server = (struct mt_stateless_server){
        .serves_sptp = true, .serves_csptp = true, .layout = &mt_csptp_layouts[0]};
    served = (struct mt_served){
        .is_serving = true,
        .domain = 5,
        .minor_version = 1,
        .flags = MT_PTP_TIMESCALE | MT_PTP_UTC_OFFSET_VALID,
        .utc_offset = 37,
        .time_source = 0x20,
        .dataset = {.priority1 = 1,
                    .quality = {.clock_class = 6, .accuracy = 0x21, .variance = 0x59E0},
                    .priority2 = 2,
                    .grandmaster = {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}},
                    .steps_removed = 3},
        .identity = {{{1, 2, 3, 4, 5, 6, 7, 8}}, 9},
        .parent = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, 0, 0, 7}},
    };
    arrival = (struct mt_instant){.s = 0x1234567890, .ns = 0x1020304, .frac = 0x8000};
    from = (struct mt_address){
        .network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}, .udp_port = 319};
    memset(&answer, 0, sizeof answer);
    return 0;
}

/* ---- SPTP ------------------------------------------------------------------------------------ */

static void stateless_answers_sptp_in_two_frames(void **state)
{
    const struct mt_instant departure = {.s = 0x1234567891, .ns = 5};
    uint8_t second[MT_STATELESS_FRAME_MAX];
    assert_int_equal(ask_text(SPTP_REQUEST), MT_STATELESS_ANSWERED);
    assert_octets(answer.frame, answer.length,
                  "00 12 002c 05 00 0600 0000000000000000 00000000 0102030405060708 0009 1234 00 7f"
                  "001234567890 01020304");
    assert_int_equal(answer.rest.path, 3);
    assert_int_equal(mt_stateless_general_port(&answer.rest), 0);
    size_t length = mt_stateless_finish(&served, &answer.rest, &departure, second, sizeof second);
    /* CF2 less the half nanosecond that t4 cannot say */
    assert_octets(second, length,
                  "0b 12 0040 05 00 040c 0000000000028000 00000000 0102030405060708 0009 1234 05 7f"
                  "001234567891 00000005 0025 00 01 06 21 59e0 02 1122334455667788 0003 20");
    assert_int_equal(mt_stateless_finish(&served, &answer.rest, &departure, second, 63), 0);
}

static void stateless_answers_to_the_port_that_asked_when_it_is_not_319(void **state)
{
    from.udp_port = 40000;
    assert_int_equal(ask_text(SPTP_REQUEST), MT_STATELESS_ANSWERED);
    assert_int_equal(answer.rest.to.udp_port, 40000);
    assert_int_equal(mt_stateless_general_port(&answer.rest), 40000);
}

static void stateless_takes_only_the_two_flags_for_an_sptp_request(void **state)
{
    uint8_t octets[64];
    size_t length = octets_of(SPTP_REQUEST, octets);
    for (unsigned flags = 0; flags <= UINT16_MAX; flags++) {
        octets[6] = (uint8_t)(flags >> 8);
        octets[7] = (uint8_t)flags;
        assert_int_equal(ask(octets, length),
                         flags == 0x2400 ? MT_STATELESS_ANSWERED : MT_STATELESS_OTHER);
    }
}

static void stateless_refuses_short_sptp_requests_when_they_must_be_padded(void **state)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX] = {0};
    size_t used = octets_of(SPTP_REQUEST, octets);
    server.sptp_padded_only = true;
    for (size_t length = used + 4; length <= 160; length += 2) {
        octets[3] = (uint8_t)length;
        octets[used] = 0x80;
        octets[used + 1] = 0x08;
        octets[used + 3] = (uint8_t)(length - used - 4);
        assert_int_equal(ask(octets, length),
                         length >= 108 ? MT_STATELESS_ANSWERED : MT_STATELESS_TOO_SHORT);
    }
}

/* ---- CSPTP ----------------------------------------------------------------------------------- */

static void stateless_answers_csptp_in_each_layout(void **state)
{
    static const char *const frames[MT_CSPTP_LAYOUT_COUNT] = {
        "30 12 0058 05 00 060c 0000000000000000 00000000 00000000000000000000 1234 00 7f"
        "00000000000000000000"
        "ff01 0012 001234567890 01020304 0000000000028000"
        "f002 0012 01 06 21 59e0 02 0003 0025 1122334455667788",
        "30 12 006c 05 00 060c 0000000000000000 00000000 00000000000000000000 1234 00 7f"
        "00000000000000000000"
        "ff01 0018 000000000000 001234567890 01020304 0000000000028000"
        "f002 0020 000000000000 01 06 21 59e0 02 0003 0025 1122334455667788 0001 0004 0a000007",
        "30 12 0060 05 00 060c 0000000000000000 00000000 00000000000000000000 1234 00 7f"
        "00000000000000000000"
        "ff01 0012 001234567890 01020304 0000000000028000"
        "ff02 001a 01 06 21 59e0 02 0003 0025 1122334455667788 0001 0004 0a000007",
    };
    for (unsigned i = 0; i < MT_CSPTP_LAYOUT_COUNT; i++) {
        server.layout = &mt_csptp_layouts[i];
        assert_int_equal(ask_csptp(MT_STATELESS_REQUEST_SIZE), MT_STATELESS_ANSWERED);
        assert_octets(answer.frame, answer.length, frames[i]);
    }
}

static void stateless_follows_up_with_the_departure_and_its_fraction(void **state)
{
    const struct mt_instant departure = {.s = 0x1234567891, .ns = 5, .frac = 0x4000};
    uint8_t second[MT_STATELESS_FRAME_MAX];
    assert_int_equal(ask_csptp(MT_STATELESS_REQUEST_SIZE), MT_STATELESS_ANSWERED);
    size_t length = mt_stateless_finish(&served, &answer.rest, &departure, second, sizeof second);
    assert_octets(second, length,
                  "38 12 002c 05 00 0400 0000000000004000 00000000 00000000000000000000 1234 02 7f"
                  "001234567891 00000005");
}

static void stateless_answers_csptp_in_one_step(void **state)
{
    const struct mt_instant departure = {.s = 0x1234567891, .ns = 5, .frac = 0x4000};
    server.csptp_one_step = true;
    assert_int_equal(ask_csptp(86), MT_STATELESS_ANSWERED); /* without the status */
    assert_int_equal(answer.length, 66);
    assert_int_equal(ask_csptp(88), MT_STATELESS_ANSWERED);
    assert_true(answer.rest.is_one_step);
    mt_stateless_insert(&answer, &departure);
    assert_octets(answer.frame, answer.length,
                  "30 12 0058 05 00 040c 0000000000004000 00000000 00000000000000000000 1234 00 7f"
                  "001234567891 00000005"
                  "ff01 0012 001234567890 01020304 0000000000028000"
                  "f002 0012 01 06 21 59e0 02 0003 0025 1122334455667788");
    assert_int_equal(ask_text(SPTP_REQUEST), MT_STATELESS_ANSWERED);
    assert_false(answer.rest.is_one_step);
}

static void stateless_finds_the_flags_of_a_csptp_request_in_either_octet(void **state)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    size_t length = csptp_request(MT_STATELESS_REQUEST_SIZE, octets);
    octets[48] = 0; /* no status */
    assert_int_equal(ask(octets, length), MT_STATELESS_ANSWERED);
    assert_int_equal(answer.length, 66);
    octets[51] = 1;
    assert_int_equal(ask(octets, length), MT_STATELESS_ANSWERED);
    assert_int_equal(answer.length, 88);
}

static void stateless_is_never_longer_than_the_request_in_csptp(void **state)
{
    uint8_t second[MT_STATELESS_FRAME_MAX];
    for (unsigned layout = 0; layout < MT_CSPTP_LAYOUT_COUNT; layout++) {
        for (unsigned per_message = 0; per_message <= 1; per_message++) {
            unsigned answered = 0;
            server.layout = &mt_csptp_layouts[layout];
            server.csptp_per_message = per_message != 0;
            for (size_t length = 52; length <= 300; length += length == 52 ? 4 : 2) {
                enum mt_stateless_counter outcome = ask_csptp(length);
                if (outcome != MT_STATELESS_ANSWERED) {
                    assert_int_equal(outcome, MT_STATELESS_TOO_SHORT);
                    assert_int_equal(answered, 0);
                    continue;
                }
                answered++;
                size_t rest = mt_stateless_finish(&served, &answer.rest, &arrival, second, 128);
                assert_true(answer.length <= length && rest <= length);
                assert_true(per_message != 0 || answer.length + rest <= length);
            }
            assert_true(answered > 60);
            assert_int_equal(answer.length, layout == 0 ? 88 : layout == 1 ? 108 : 96);
        }
    }
}

static void stateless_takes_no_answer_for_a_request(void **state)
{
    const struct mt_instant departure = {.s = 9};
    uint8_t second[MT_STATELESS_FRAME_MAX];
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    for (unsigned form = 0; form <= 1; form++) {
        size_t length = form == 0 ? octets_of(SPTP_REQUEST, octets) : csptp_request(176, octets);
        assert_int_equal(ask(octets, length), MT_STATELESS_ANSWERED);
        struct mt_stateless_answer first = answer;
        assert_int_equal(ask(first.frame, first.length), MT_STATELESS_OTHER);
        length = mt_stateless_finish(&served, &first.rest, &departure, second, sizeof second);
        assert_int_equal(ask(second, length), MT_STATELESS_OTHER);
    }
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void stateless_refuses_every_truncation(void **state)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    uint8_t cut[MT_PTP_MESSAGE_MAX];
    for (unsigned form = 0; form <= 1; form++) {
        size_t full = form == 0 ? octets_of(SPTP_REQUEST, octets) : csptp_request(140, octets);
        for (size_t length = 0; length < full; length++) {
            memcpy(cut, octets, length);
            assert_int_equal(ask(cut, length), MT_STATELESS_MALFORMED);
        }
    }
}

static void stateless_refuses_what_it_cannot_answer(void **state)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    for (unsigned form = 0; form <= 1; form++) {
        size_t length = form == 0 ? octets_of(SPTP_REQUEST, octets) : csptp_request(140, octets);
        set_up(state);
        octets[4] = 6;
        assert_int_equal(ask(octets, length), MT_STATELESS_DOMAIN);
        octets[4] = 5;
        assert_int_equal(
            mt_stateless_answer(&server, &served, octets, length, NULL, &from, &answer),
            MT_STATELESS_NO_TIMESTAMP);
        assert_int_equal(
            mt_stateless_answer(&server, &served, octets, length, &arrival, NULL, &answer),
            MT_STATELESS_NO_TIMESTAMP);
        served.is_serving = false;
        assert_int_equal(ask(octets, length), MT_STATELESS_NOT_SERVING);
        served.is_serving = true;
        server.serves_sptp = form == 1;
        server.serves_csptp = form == 0;
        assert_int_equal(ask(octets, length), MT_STATELESS_OTHER);
        set_up(state);
        memset(octets + 8, 0xFF, 8);
        octets[8] = 0x7F;
        assert_int_equal(ask(octets, length), MT_STATELESS_CORRECTION);
    }
    octets_of(SPTP_REQUEST, octets);
    octets[0] |= 0x10;
    assert_int_equal(ask(octets, 50), MT_STATELESS_DOMAIN);
    assert_int_equal(ask_text(CSPTP_HEAD("002c")), MT_STATELESS_OTHER); /* without the TLV */
}

static void stateless_refuses_senders_that_are_not_allowed(void **state)
{
    const struct mt_address_range ranges[] = {
        {{.network = MT_NETWORK_UDP_IPV4, .octets = {10}}, 8},
        {{.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 0}}, 30}};
    server.allowed = ranges;
    server.allowed_count = 2;
    for (unsigned host = 0; host < 8; host++) {
        from.octets[3] = (uint8_t)host;
        assert_int_equal(ask_text(SPTP_REQUEST),
                         host < 4 ? MT_STATELESS_ANSWERED : MT_STATELESS_REFUSED);
    }
}

/* ---- many clients ---------------------------------------------------------------------------- */

/* 100 000 clients at 1 Hz for two seconds: each gets its own answer, and nothing is left over. */
static void stateless_serves_100000_clients_at_1_hz(void **state)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    uint8_t second[MT_STATELESS_FRAME_MAX];
    uint64_t counters[MT_STATELESS_COUNTER_COUNT] = {0};
    size_t length = csptp_request(MT_STATELESS_REQUEST_SIZE, octets);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t client = i % 100000;
        octets[30] = (uint8_t)(client >> 8);
        octets[31] = (uint8_t)client;
        from.octets[1] = (uint8_t)(client >> 16);
        from.octets[2] = (uint8_t)(client >> 8);
        from.octets[3] = (uint8_t)client;
        arrival.s = 1000 + i / 100000;
        arrival.ns = client * 10000;
        counters[ask(octets, length)]++;
        struct mt_instant departure = arrival;
        departure.ns += 5000;
        assert_int_equal(mt_stateless_finish(&served, &answer.rest, &departure, second, 128), 44);
        assert_memory_equal(second + 30, octets + 30, 2);
        assert_memory_equal(answer.rest.to.octets, from.octets, 4);
        assert_int_equal((second[40] << 24 | second[41] << 16 | second[42] << 8 | second[43]),
                         departure.ns);
    }
    assert_int_equal(counters[MT_STATELESS_ANSWERED], 200000);
}

/* ---- the service of an instance -------------------------------------------------------------- */

static struct ptp_bench bench;
static struct mt_stateless_service service;
static struct mt_instance_more more;

static void start_service(void)
{
    mt_stateless_service_init(&service, &server);
    more = (struct mt_instance_more){.stateless = &service};
    bench_init(&bench, 1);
    bench.config.domain = 5;
    bench.config.more = &more;
    bench.port_configs[0].is_transmitter_only = true;
    bench_start(&bench);
    bench_pass(&bench, BENCH_S(10));
    bench_clear(&bench);
}

static enum mt_verdict request_from(uint8_t host, uint16_t sequence)
{
    uint8_t octets[MT_PTP_MESSAGE_MAX];
    size_t length = octets_of(SPTP_REQUEST, octets);
    const struct mt_stamp stamp = bench_stamp(&bench);
    struct mt_address address = from;
    address.octets[3] = host;
    octets[30] = (uint8_t)(sequence >> 8);
    octets[31] = (uint8_t)sequence;
    enum mt_verdict verdict =
        mt_instance_rx(&bench.instance, 1, octets, length, &stamp, &address, bench.now);
    bench_drain(&bench);
    return verdict;
}

static void stateless_service_answers_when_it_is_asked(void **state)
{
    start_service();
    assert_int_equal(request_from(7, 99), MT_VERDICT_ACCEPTED);
    const struct bench_frame *sync = &bench.frames[0];
    const struct bench_frame *announce = &bench.frames[1];
    assert_int_equal(bench.frame_count, 2);
    assert_int_equal(sync->message.header.type, MT_PTP_SYNC);
    assert_int_equal(sync->message.header.sequence, 99);
    assert_int_equal(sync->tx.destination, MT_TO_ADDRESS);
    assert_int_equal(sync->tx.to.octets[3], 7);
    assert_int_equal(sync->tx.to.udp_port, 319);
    assert_true(sync->tx.is_event);
    assert_int_equal(announce->message.header.type, MT_PTP_ANNOUNCE);
    assert_int_equal(announce->message.header.sequence, 99);
    assert_int_equal(announce->message.header.correction.q16, 0x30000);
    assert_int_equal(announce->message.body.announce.origin.s, bench_stamp(&bench).at.s);
    assert_memory_equal(&announce->message.body.announce.grandmaster,
                        &bench.instance.config.identity, 8);
    assert_int_equal(announce->tx.to.udp_port, 0);
    assert_false(announce->tx.is_event);
    assert_int_equal(service.counters[MT_STATELESS_ANSWERED], 1);
}

static void stateless_service_is_busy_when_timestamps_do_not_come(void **state)
{
    start_service();
    bench.holds_stamps = true;
    for (uint8_t i = 0; i < MT_STATELESS_SLOTS; i++) {
        assert_int_equal(request_from(i, i), MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(request_from(200, 200), MT_VERDICT_QUEUE_FULL);
    assert_int_equal(service.counters[MT_STATELESS_BUSY], 1);
    bench_pass(&bench, BENCH_S(1.1));
    assert_int_equal(service.counters[MT_STATELESS_STAMP_LOST], MT_STATELESS_SLOTS);
    assert_int_equal(request_from(200, 201), MT_VERDICT_ACCEPTED);
    mt_instance_tx_done(&bench.instance, bench.frames[bench.frame_count - 1].tx.token, NULL,
                        bench.now);
    assert_int_equal(service.counters[MT_STATELESS_STAMP_LOST], MT_STATELESS_SLOTS + 1);
}

static void stateless_service_leaves_ordinary_requests_to_the_port(void **state)
{
    start_service();
    const struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .domain = 5, .source = {bench_identity(77), 1}}};
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_RESP), 1);
    assert_int_equal(service.counters[MT_STATELESS_ANSWERED], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stateless_answers_sptp_in_two_frames, set_up),
        cmocka_unit_test_setup(stateless_answers_to_the_port_that_asked_when_it_is_not_319, set_up),
        cmocka_unit_test_setup(stateless_takes_only_the_two_flags_for_an_sptp_request, set_up),
        cmocka_unit_test_setup(stateless_refuses_short_sptp_requests_when_they_must_be_padded,
                               set_up),
        cmocka_unit_test_setup(stateless_answers_csptp_in_each_layout, set_up),
        cmocka_unit_test_setup(stateless_follows_up_with_the_departure_and_its_fraction, set_up),
        cmocka_unit_test_setup(stateless_answers_csptp_in_one_step, set_up),
        cmocka_unit_test_setup(stateless_finds_the_flags_of_a_csptp_request_in_either_octet,
                               set_up),
        cmocka_unit_test_setup(stateless_is_never_longer_than_the_request_in_csptp, set_up),
        cmocka_unit_test_setup(stateless_takes_no_answer_for_a_request, set_up),
        cmocka_unit_test_setup(stateless_refuses_every_truncation, set_up),
        cmocka_unit_test_setup(stateless_refuses_what_it_cannot_answer, set_up),
        cmocka_unit_test_setup(stateless_refuses_senders_that_are_not_allowed, set_up),
        cmocka_unit_test_setup(stateless_serves_100000_clients_at_1_hz, set_up),
        cmocka_unit_test_setup(stateless_service_answers_when_it_is_asked, set_up),
        cmocka_unit_test_setup(stateless_service_is_busy_when_timestamps_do_not_come, set_up),
        cmocka_unit_test_setup(stateless_service_leaves_ordinary_requests_to_the_port, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
