/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The application's inside as a transmitter on the model of the chip: what its Follow_Ups and
 * Delay_Resps say is what the hardware stamped, to the nanosecond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "embed/ether_link.h"
#include "platform/stm32f7/stm32f7_controller.h"

#define HEADER   14
#define BEGIN_S  UINT32_C(1800000000)
#define RUN_US   UINT64_C(30000000)
#define HISTORY  16
#define MIN_SEEN 20

static struct mt_stm32f7_controller controller;
static struct mt_ether_link link;
static struct mt_ordinary node;

static struct heard {
    struct sync {
        uint16_t sequence;
        uint32_t s;
        uint32_t ns;
    } syncs[HISTORY];
    unsigned sync_count;
    unsigned follow_ups;
    unsigned announces;
    uint32_t request_s; /* when the last Delay_Req came in */
    uint32_t request_ns;
    uint16_t request;
    unsigned responses;
} heard;

static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

static void check_follow_up(const struct mt_ptp_message *message)
{
    for (unsigned i = 0; i < HISTORY; i++) {
        const struct sync *sync = &heard.syncs[i];
        if (sync->s != 0 && sync->sequence == message->header.sequence) {
            assert_int_equal(message->body.origin.s, sync->s);
            assert_int_equal(message->body.origin.ns, sync->ns);
            heard.follow_ups++;
            return;
        }
    }
    fail_msg("a Follow_Up without Sync");
}

static void check_response(const struct mt_ptp_message *message)
{
    assert_int_equal(message->header.sequence, heard.request);
    assert_int_equal(message->body.response.at.s, heard.request_s);
    assert_int_equal(message->body.response.at.ns, heard.request_ns);
    heard.responses++;
}

static void hear(const struct model_frame *frame)
{
    struct mt_ptp_message message;
    assert_int_equal(mt_ptp_parse(&frame->bytes[HEADER], frame->length - HEADER, &message),
                     MT_VERDICT_ACCEPTED);
    if (message.header.type == MT_PTP_SYNC) {
        assert_true(frame->is_stamped);
        heard.syncs[heard.sync_count++ % HISTORY] =
            (struct sync){message.header.sequence, frame->s, frame->ns};
    } else if (message.header.type == MT_PTP_FOLLOW_UP) {
        assert_false(frame->is_stamped);
        check_follow_up(&message);
    } else if (message.header.type == MT_PTP_DELAY_RESP) {
        check_response(&message);
    } else if (message.header.type == MT_PTP_ANNOUNCE) {
        heard.announces++;
    }
}

static void ask(void)
{
    static const uint8_t head[HEADER] = {0x01, 0x1B, 0x19, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0x88, 0xF7};
    struct mt_ptp_message request = {.header = {.type = MT_PTP_DELAY_REQ, .minor_version = 1}};
    uint8_t frame[100] = {0};
    memcpy(frame, head, HEADER);
    request.header.source.clock.octet[0] = 0xBB;
    request.header.source.port = 1;
    request.header.sequence = ++heard.request;
    request.header.log_interval = 0x7F;
    assert_true(mt_ptp_write(&request, &frame[HEADER], sizeof frame - HEADER) > 0);
    heard.request_s = (uint32_t)(model_clock_ns() / 1000000000);
    heard.request_ns = (uint32_t)(model_clock_ns() % 1000000000);
    assert_true(model_receive(frame, 60, 0));
}

static int start(void **state)
{
    struct mt_ordinary_config config;
    bench_board(state);
    memset(&heard, 0, sizeof heard);
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_TAI),
                     MT_STM32F7_STARTED);
    model_set_clock(BEGIN_S, 0);
    mt_ether_link_init(&link, &controller.interface);
    const struct mt_ordinary_tables tables = {&controller.clock.hal, &link.link, &link.wait};
    mt_ordinary_config_init(&config, &features, tables.clock);
    config.instance.identity = mt_mac_identity(&controller.interface);
    config.port.is_transmitter_only = true;
    mt_ordinary_init(&node, &config, &tables);
    return 0;
}

static void run(uint64_t us)
{
    const uint64_t end = model.cycles + us * MODEL_CYCLES_PER_US;
    uint64_t next_ask = model.cycles;
    while (model.cycles < end) {
        mt_ordinary_once(&node);
        for (unsigned i = 0; i < model.sent_count; i++) {
            hear(&model.sent[i]);
        }
        model.sent_count = 0;
        if (mt_port_state_of(&node.ptp, 1) == MT_STATE_TRANSMITTER && model.cycles > next_ask) {
            next_ask = model.cycles + 1234567 * MODEL_CYCLES_PER_US;
            ask();
        }
    }
}

static void stm32f7_transmitter_tells_what_hardware_stamped_when_it_serves(void **state)
{
    (void)state;
    run(RUN_US);
    assert_int_equal(mt_port_state_of(&node.ptp, 1), MT_STATE_TRANSMITTER);
    assert_true(heard.sync_count >= MIN_SEEN && heard.announces >= MIN_SEEN / 2);
    assert_int_equal(heard.follow_ups, heard.sync_count);
    assert_int_equal(heard.responses, heard.request);
    assert_true(heard.request >= MIN_SEEN);
}

static void stm32f7_transmitter_serves_no_wrong_stamp_when_some_are_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        model.loses_stamps = i % 2 == 0;
        run(RUN_US / 30);
    }
    assert_true(heard.sync_count >= MIN_SEEN);
    assert_true(heard.follow_ups < heard.sync_count - 5 && heard.follow_ups > 5);
    assert_true(heard.responses < heard.request && heard.responses > 5);
    assert_int_equal(mt_port_state_of(&node.ptp, 1), MT_STATE_TRANSMITTER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            stm32f7_transmitter_tells_what_hardware_stamped_when_it_serves, start, bench_end),
        cmocka_unit_test_setup_teardown(
            stm32f7_transmitter_serves_no_wrong_stamp_when_some_are_lost, start, bench_end),
    };
    return cmocka_run_group_tests_name("stm32f7_transmitter", tests, NULL, NULL);
}
