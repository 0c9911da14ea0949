/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The whole of an image's inside on the model of the chip: ordinary clock, link, driver, registers.
 * A transmitter made of numbers sends over a cable of 1 us; the chip's crystal is wrong by a known
 * amount.  True time is a multiple of the processor's cycles, so the error of the chip's clock is
 * known to the nanosecond at any moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "embed/ether_link.h"
#include "platform/stm32f7/stm32f7_controller.h"

#define CABLE_NS  1000
#define BEGIN_S   INT64_C(1800000000)
#define ONE_S_NS  ((int64_t)MT_NS_PER_S)
#define PERIOD_NS INT64_C(125000000)
#define HEADER    14

static struct mt_stm32f7_controller controller;
static struct mt_ether_link link;
static struct mt_ordinary receiver;

static struct transmitter {
    double error; /* of the chip's crystal, s/s */
    uint16_t sequence;
    int64_t next_ns; /* true time of the next Sync */
    unsigned answered;
    unsigned seen; /* of model.sent */
    unsigned requests_unstamped;
} transmitter;

static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

/* ---- true time ------------------------------------------------------------------------------- */

static int64_t true_ns(uint64_t cycles)
{
    return (int64_t)((double)cycles / 0.216 / (1 + transmitter.error));
}

static uint64_t cycles_at(int64_t ns)
{
    return (uint64_t)((double)ns * 0.216 * (1 + transmitter.error)) + 1;
}

/* Chip less true, ns. */
static int64_t error_ns(void)
{
    const int64_t begin_ns = BEGIN_S * MT_NS_PER_S;
    return (int64_t)model_clock_ns() - (begin_ns + true_ns(model.cycles));
}

/* ---- the transmitter ------------------------------------------------------------------------- */

static struct mt_ptp_timestamp stamp_of(int64_t ns)
{
    return (struct mt_ptp_timestamp){(uint64_t)(BEGIN_S + ns / MT_NS_PER_S),
                                     (uint32_t)(ns % MT_NS_PER_S)};
}

static void deliver(struct mt_ptp_message *message, enum mt_ptp_type type, int8_t log_interval)
{
    static const uint8_t head[HEADER] = {0x01, 0x1B, 0x19, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0x88, 0xF7};
    uint8_t frame[200] = {0};
    memcpy(frame, head, HEADER);
    message->header.type = type;
    message->header.minor_version = 1;
    message->header.source.clock.octet[0] = 0xAA;
    message->header.source.port = 1;
    message->header.log_interval = log_interval;
    const size_t length = mt_ptp_write(message, &frame[HEADER], sizeof frame - HEADER);
    assert_true(length > 0);
    assert_true(model_receive(frame, HEADER + length < 60 ? 60 : HEADER + length, 0));
}

static void announce(void)
{
    struct mt_ptp_message message = {0};
    struct mt_ptp_announce *body = &message.body.announce;
    message.header.sequence = transmitter.sequence;
    message.header.flags = MT_PTP_TIMESCALE | MT_PTP_UTC_OFFSET_VALID;
    body->utc_offset = 37;
    body->priority1 = 100;
    body->priority2 = 100;
    body->quality = (struct mt_clock_quality){6, 0x21, 0x4E5D};
    body->grandmaster.octet[0] = 0xAA;
    deliver(&message, MT_PTP_ANNOUNCE, -3);
}

/* Announce, Sync and Follow_Up, one after the other. */
static void transmit(void)
{
    struct mt_ptp_message sync = {0};
    struct mt_ptp_message follow_up = {0};
    sync.header.sequence = transmitter.sequence;
    sync.header.flags = MT_PTP_TWO_STEP;
    follow_up.header.sequence = transmitter.sequence;
    follow_up.body.origin = stamp_of(true_ns(model.cycles) - CABLE_NS);
    deliver(&sync, MT_PTP_SYNC, -3);
    deliver(&follow_up, MT_PTP_FOLLOW_UP, -3);
    announce();
    transmitter.sequence++;
    transmitter.next_ns += PERIOD_NS;
}

static void answer(const struct model_frame *frame)
{
    struct mt_ptp_message request;
    struct mt_ptp_message response = {0};
    if (mt_ptp_parse(&frame->bytes[HEADER], frame->length - HEADER, &request) !=
            MT_VERDICT_ACCEPTED ||
        request.header.type != MT_PTP_DELAY_REQ) {
        return;
    }
    transmitter.requests_unstamped += !frame->is_stamped;
    response.header.sequence = request.header.sequence;
    response.body.response.at = stamp_of(true_ns(frame->cycles) + CABLE_NS);
    response.body.response.requester = request.header.source;
    deliver(&response, MT_PTP_DELAY_RESP, -3);
    transmitter.answered++;
}

static void run_until(int64_t end_ns)
{
    while (true_ns(model.cycles) < end_ns) {
        model.wake_at_cycles = cycles_at(transmitter.next_ns);
        mt_ordinary_once(&receiver);
        for (; transmitter.seen < model.sent_count; transmitter.seen++) {
            answer(&model.sent[transmitter.seen]);
        }
        if (transmitter.seen == model.sent_count) {
            transmitter.seen = model.sent_count = 0;
        }
        if (true_ns(model.cycles) >= transmitter.next_ns) {
            transmit();
        }
    }
}

static int64_t rate_ppt(void)
{
    return controller.ptp.rate_q40 * 1000000 / 1099512; /* 2^-40 to 1e-12 */
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void start(double error)
{
    struct mt_ordinary_config config;
    bench_board(NULL);
    memset(&transmitter, 0, sizeof transmitter);
    transmitter.error = error;
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_STARTED);
    mt_ether_link_init(&link, &controller.interface);
    const struct mt_ordinary_tables tables = {&controller.clock.hal, &link.link, &link.wait};
    mt_ordinary_config_init(&config, &features, tables.clock);
    config.instance.identity = mt_mac_identity(&controller.interface);
    config.instance.is_receiver_only = true;
    config.port.log_min_delay_req_interval = -3;
    config.seed = 5;
    mt_ordinary_init(&receiver, &config, &tables);
    transmitter.next_ns = ONE_S_NS; /* the link is up by then */
}

static void check_receiver(double error)
{
    int64_t worst_ns = 0;
    struct mt_clock_quality_report report;
    start(error);
    run_until(60 * ONE_S_NS);
    assert_int_equal(mt_port_state_of(&receiver.ptp, 1), MT_STATE_RECEIVER);
    for (int64_t s = 61; s <= 180; s++) {
        run_until(s * ONE_S_NS);
        const int64_t off_ns = error_ns();
        worst_ns = off_ns > worst_ns ? off_ns : -off_ns > worst_ns ? -off_ns : worst_ns;
    }
    mt_ordinary_report(&receiver, &report);
    assert_true(report.is_locked);
    const int64_t wrong_ppt = rate_ppt() - (int64_t)(-error / (1 + error) * 1e12);
    if (worst_ns > 10 || wrong_ppt > 3000 || wrong_ppt < -3000) {
        fail_msg("off by %lld ns and %lld ppt", (long long)worst_ns, (long long)wrong_ppt);
    }
    assert_true(transmitter.answered > 500);
    assert_int_equal(transmitter.requests_unstamped, 0);
    assert_int_equal(controller.mac.counters.send_stamps_lost, 0);
    assert_int_equal(controller.mac.counters.receive_stamps_lost, 0);
    assert_int_equal(controller.mac.counters.receive_missed, 0);
    bench_end(NULL);
}

static void stm32f7_receiver_is_within_10_ns_when_its_crystal_is_37_ppm_fast(void **state)
{
    (void)state;
    check_receiver(37.123e-6);
}

static void stm32f7_receiver_is_within_10_ns_when_its_crystal_is_100_ppm_slow(void **state)
{
    (void)state;
    check_receiver(-100e-6);
}

static void stm32f7_receiver_goes_on_when_stamps_and_frames_are_lost(void **state)
{
    (void)state;
    start(20e-6);
    run_until(60 * ONE_S_NS);
    for (int64_t i = 0; i < 100; i++) {
        model.loses_stamps = i % 3 == 1;
        model.fails_to_send = i % 7 == 2;
        run_until(60 * ONE_S_NS + (i + 1) * 200000000);
    }
    assert_true(controller.mac.counters.receive_stamps_lost > 20);
    assert_true(controller.mac.counters.send_stamps_lost > 5);
    assert_true(controller.mac.counters.send_failed > 5);
    model.loses_stamps = false;
    model.fails_to_send = false;
    run_until(100 * ONE_S_NS);
    assert_int_equal(mt_port_state_of(&receiver.ptp, 1), MT_STATE_RECEIVER);
    assert_true(error_ns() < 30 && error_ns() > -30);
    bench_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stm32f7_receiver_is_within_10_ns_when_its_crystal_is_37_ppm_fast),
        cmocka_unit_test(stm32f7_receiver_is_within_10_ns_when_its_crystal_is_100_ppm_slow),
        cmocka_unit_test(stm32f7_receiver_goes_on_when_stamps_and_frames_are_lost),
    };
    return cmocka_run_group_tests_name("stm32f7_receiver", tests, NULL, NULL);
}
