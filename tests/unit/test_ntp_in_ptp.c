/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The server of NTP in PTP messages: which answer a time of departure is of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/node.h"
#include "runtime/ntp_in_ptp.h"
#include "runtime/ntp_serve.h"

#define BASE_S    1700000000
#define TOKEN_TAG 0xFF000000u

static struct mt_node_ntp_in_ptp in_ptp;
static struct mt_node_server server;
static struct mt_node_clock clock;
static struct mt_node node;
static struct mt_hal_link *links[1];
static int64_t now_ns;
static uint32_t sent_token;
static mt_ntp_time sent_receive; /* the receive timestamp of the last answer */
static unsigned sent;

static mt_ntp_time u64_at(const uint8_t *octets)
{
    mt_ntp_time value = 0;
    for (unsigned i = 0; i < sizeof value; i++) {
        value = value << 8 | octets[i];
    }
    return value;
}

static bool send(struct mt_hal_link *self, const struct mt_link_frame *frame)
{
    (void)self;
    sent++;
    sent_token = frame->token;
    sent_receive = u64_at(frame->bytes + MT_NTP_PTP_HEAD + 32);
    return true;
}

static const struct mt_hal_link_ops link_ops = {.send = send};
static struct mt_hal_link hal_link = {.ops = &link_ops};

static struct mt_instant at(int64_t ns)
{
    return mt_instant_plus((struct mt_instant){.s = BASE_S, .scale = MT_SCALE_UTC},
                           mt_span_from_ns(ns));
}

static void read_clock(struct mt_hal_clock *self, struct mt_clock_reading *ret_reading)
{
    (void)self;
    *ret_reading = (struct mt_clock_reading){.local = {.at = at(now_ns)}};
}

static void stamp_clock(struct mt_hal_clock *self, struct mt_base_time stamp,
                        struct mt_stamp *ret_stamp)
{
    (void)self;
    *ret_stamp = (struct mt_stamp){.at = at(stamp.ns)};
}

static const struct mt_hal_clock_ops clock_ops = {.read = read_clock, .stamp = stamp_clock};
static struct mt_hal_clock hal_clock = {.ops = &clock_ops};

static int begin(void **state)
{
    (void)state;
    memset(&in_ptp, 0, sizeof in_ptp);
    memset(&server, 0, sizeof server);
    memset(&node, 0, sizeof node);
    sent = 0;
    now_ns = 0;
    links[0] = &hal_link;
    clock.hal = &hal_clock;
    server.in_ptp = &in_ptp;
    server.serving.served = (struct mt_ntp_served){.stratum = 1, .precision = -30, .at = at(0)};
    in_ptp.link_count = 1;
    mt_prng_init(&in_ptp.worker.random, 7);
    mt_ntp_departures_init(&in_ptp.worker.departures, in_ptp.departures, MT_NTP_IN_PTP_DEPARTURES);
    node.clocks = &clock;
    node.clock_count = 1;
    node.server = &server;
    node.links = links;
    node.link_count = 1;
    return 0;
}

/* A question in interleaved mode, which names the answer before it; it is answered. */
static void ask(mt_ntp_time origin)
{
    uint8_t octets[MT_NTP_PTP_HEAD + MT_NTP_HEADER_SIZE];
    const struct mt_ntp_header header = {.version = 4,
                                         .mode = MT_NTP_MODE_CLIENT,
                                         .origin = origin | 1,
                                         .receive = 5,
                                         .transmit = 6};
    const struct mt_input input = {
        .kind = MT_INPUT_FRAME,
        .now = {now_ns},
        .bytes = octets,
        .length = mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 1, MT_NTP_HEADER_SIZE, octets, sizeof octets),
        .has_stamp = true,
        .stamp = {.ns = now_ns},
        .from = {.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}},
    };
    unsigned before = sent;
    mt_ntp_write(&header, octets + MT_NTP_PTP_HEAD);
    assert_true(mt_ntp_in_ptp_take(&node, &input));
    assert_int_equal(sent, before + 1);
    now_ns += 1000000;
}

static void leave(uint32_t token, int64_t ns)
{
    const struct mt_input input = {
        .kind = MT_INPUT_TX_STAMP, .token = token, .has_stamp = true, .stamp = {.ns = ns}};
    assert_true(mt_ntp_in_ptp_take(&node, &input));
}

/* Answers whose departure is known. */
static unsigned departures(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MT_NTP_IN_PTP_DEPARTURES; i++) {
        count += in_ptp.departures[i].transmit != 0;
    }
    return count;
}

static void ntp_in_ptp_remembers_when_an_answer_left(void **state)
{
    ask(1);
    assert_int_equal(sent_token & TOKEN_TAG, TOKEN_TAG);
    leave(sent_token, now_ns);
    assert_int_equal(departures(), 1);
    ask(sent_receive);
    assert_int_equal(in_ptp.worker.outcomes[MT_NTP_INTERLEAVED], 1);
}

static void ntp_in_ptp_passes_over_a_stamp_when_its_answer_has_lost_its_place(void **state)
{
    ask(1);
    uint32_t late = sent_token;
    for (unsigned i = 0; i < MT_NTP_IN_PTP_AWAITED; i++) {
        ask(1);
    }
    assert_int_equal(departures(), 0);
    leave(late, now_ns);
    assert_int_equal(departures(), 0);
    leave(sent_token, now_ns);
    assert_int_equal(departures(), 1);
}

static void ntp_in_ptp_numbers_answers_on_when_the_numbers_are_used_up(void **state)
{
    in_ptp.last_number = 0xFFFFFE;
    for (unsigned i = 0; i < 3; i++) {
        ask(1);
        assert_int_equal(sent_token & TOKEN_TAG, TOKEN_TAG);
        assert_int_not_equal(sent_token, TOKEN_TAG);
        leave(sent_token, now_ns);
        assert_int_equal(departures(), i + 1);
    }
    leave(TOKEN_TAG, now_ns); /* nobody's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ntp_in_ptp_remembers_when_an_answer_left, begin),
        cmocka_unit_test_setup(ntp_in_ptp_passes_over_a_stamp_when_its_answer_has_lost_its_place,
                               begin),
        cmocka_unit_test_setup(ntp_in_ptp_numbers_answers_on_when_the_numbers_are_used_up, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
