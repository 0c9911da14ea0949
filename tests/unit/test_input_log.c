/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The input log: every record both ways, and octets that no recorder wrote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/steer_leap.h"
#include "runtime/log.h"
#include "runtime/log_keys.h"

/* ---- octets ---------------------------------------------------------------------------------- */

struct octets {
    uint8_t at[1 << 16];
    size_t length;
};

static void append(void *context, const uint8_t *octets, size_t length)
{
    struct octets *self = context;
    assert_true(self->length + length <= sizeof self->at);
    if (length > 0) {
        memcpy(self->at + self->length, octets, length);
    }
    self->length += length;
}

static struct mt_log_text text_of(const char *string)
{
    return (struct mt_log_text){string, strlen(string)};
}

static void assert_text(struct mt_log_text text, const char *string)
{
    assert_int_equal(text.length, strlen(string));
    assert_memory_equal(text.text, string, text.length);
}

/* Writes one record into a log of its own. */
static void write_one(struct octets *log, const struct mt_log_record *record)
{
    const struct mt_log_sink sink = {log, append};
    log->length = 0;
    mt_log_write_header(&sink);
    mt_log_write(&sink, record);
}

static enum mt_log_result read_one(const struct octets *log, struct mt_log_record *ret_record)
{
    struct mt_log_reader reader;
    assert_true(mt_log_open(&reader, log->at, log->length));
    enum mt_log_result result = mt_log_read(&reader, ret_record);
    if (result == MT_LOG_OK) {
        assert_int_equal(mt_log_read(&reader, &(struct mt_log_record){0}), MT_LOG_OVER);
    }
    return result;
}

static void round_trip(const struct mt_log_record *record, struct mt_log_record *ret_record)
{
    static struct octets log;
    write_one(&log, record);
    assert_int_equal(read_one(&log, ret_record), MT_LOG_OK);
    assert_int_equal(ret_record->kind, record->kind);
}

static void assert_refused(const struct mt_log_record *record)
{
    struct octets log;
    write_one(&log, record);
    assert_int_equal(read_one(&log, &(struct mt_log_record){0}), MT_LOG_CORRUPT);
}

/* ---- records, both ways ---------------------------------------------------------------------- */

static const struct mt_instant some_instant = {-5, 999999999, 0xFEDC, MT_SCALE_UTC};
static const struct mt_applied some_applied = {
    .kind = MT_CORRECT_RATE,
    .step = {-1, 250000000, 7},
    .rate = -1.25e-5,
    .at = {1700000000, 1, 2, MT_SCALE_TAI},
    .corrections = 0xFFFFFFFE,
    .is_refused = true,
};

static void assert_instant(struct mt_instant a, struct mt_instant b)
{
    assert_int_equal(mt_instant_compare(a, b), 0);
    assert_int_equal(a.scale, b.scale);
}

static void assert_applied(const struct mt_applied *a, const struct mt_applied *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(mt_span_compare(a->step, b->step), 0);
    assert_true(a->rate == b->rate);
    assert_instant(a->at, b->at);
    assert_int_equal(a->corrections, b->corrections);
    assert_int_equal(a->is_refused, b->is_refused);
}

static void log_keeps_configuration_and_facts_when_they_are_written(void **state)
{
    struct mt_log_record back;
    round_trip(&(struct mt_log_record){.kind = MT_LOG_START,
                                       .value.start = {text_of("meantimed 1"),
                                                       text_of("[ptp]\n"),
                                                       {.tai_utc_known = true,
                                                        .tai_minus_utc_s = -37,
                                                        .leap_s = 1,
                                                        .by = MT_LEAP_BY_KERNEL,
                                                        .slack_s = 2,
                                                        .kernel_s = 36}}},
               &back);
    assert_text(back.value.start.about, "meantimed 1");
    assert_text(back.value.start.config, "[ptp]\n");
    assert_true(back.value.start.facts.tai_utc_known);
    assert_int_equal(back.value.start.facts.tai_minus_utc_s, -37);
    assert_int_equal(back.value.start.facts.leap_s, 1);
    assert_int_equal(back.value.start.facts.by, MT_LEAP_BY_KERNEL);
    assert_int_equal(back.value.start.facts.slack_s, 2);
    assert_int_equal(back.value.start.facts.kernel_s, 36);
    round_trip(
        &(struct mt_log_record){
            .kind = MT_LOG_ORDER,
            .value.order = {.kind = MT_ORDER_RELOAD, .now = {5}, .config = text_of("[daemon]\n")}},
        &back);
    assert_int_equal(back.value.order.kind, MT_ORDER_RELOAD);
    assert_int_equal(back.value.order.now.ns, 5);
    assert_text(back.value.order.config, "[daemon]\n");
    round_trip(&(struct mt_log_record){.kind = MT_LOG_ORDER,
                                       .value.order = {.kind = MT_ORDER_KEYS,
                                                       .now = {6},
                                                       .instance = 3,
                                                       .address = {.network = MT_NETWORK_UDP_IPV4,
                                                                   .octets = {192, 0, 2, 1},
                                                                   .udp_port = 123},
                                                       .config = text_of("what is packed")}},
               &back);
    assert_int_equal(back.value.order.kind, MT_ORDER_KEYS);
    assert_int_equal(back.value.order.instance, 3);
    assert_int_equal(back.value.order.address.octets[0], 192);
    assert_text(back.value.order.config, "what is packed");
    round_trip(&(struct mt_log_record){.kind = MT_LOG_ORDER,
                                       .value.order = {.kind = MT_ORDER_OWN,
                                                       .now = {6},
                                                       .instance = 2,
                                                       .address = {.network = MT_NETWORK_UDP_IPV6,
                                                                   .octets = {0xFD, 7}}}},
               &back);
    assert_int_equal(back.value.order.kind, MT_ORDER_OWN);
    assert_int_equal(back.value.order.instance, 2);
    assert_int_equal(back.value.order.address.octets[1], 7);
    const struct mt_order set = {MT_ORDER_AUTO, .class_is_auto = true, .utc_offset_is_auto = true};
    round_trip(&(struct mt_log_record){.kind = MT_LOG_ORDER, .value.order = set}, &back);
    assert_true(back.value.order.class_is_auto && back.value.order.utc_offset_is_auto);
    assert_false(back.value.order.variance_is_auto);
    round_trip(
        &(struct mt_log_record){.kind = MT_LOG_ORDER,
                                .value.order = {.kind = MT_ORDER_FACTS,
                                                .came_while_waiting = true,
                                                .facts = {.tai_minus_utc_s = 38, .leap_s = -1}}},
        &back);
    assert_int_equal(back.value.order.kind, MT_ORDER_FACTS);
    assert_true(back.value.order.came_while_waiting);
    assert_false(back.value.order.facts.tai_utc_known);
    assert_int_equal(back.value.order.facts.tai_minus_utc_s, 38);
    assert_int_equal(back.value.order.facts.leap_s, -1);
}

static void log_keeps_what_was_opened_when_it_is_written(void **state)
{
    struct mt_log_record back;
    round_trip(&(struct mt_log_record){.kind = MT_LOG_CLOCK,
                                       .value.clock = {.kind = MT_CLOCK_LAB,
                                                       .name = text_of("main"),
                                                       .is_open = true,
                                                       .hal = {.base = MT_BASE_VIRTUAL,
                                                               .scale = MT_SCALE_UTC,
                                                               .granularity_ns = 8,
                                                               .max_rate = 0.1,
                                                               .adopts_scale = true}}},
               &back);
    assert_int_equal(back.value.clock.kind, MT_CLOCK_LAB);
    assert_text(back.value.clock.name, "main");
    assert_true(back.value.clock.is_open);
    assert_int_equal(back.value.clock.hal.base, MT_BASE_VIRTUAL);
    assert_int_equal(back.value.clock.hal.scale, MT_SCALE_UTC);
    assert_int_equal(back.value.clock.hal.granularity_ns, 8);
    assert_true(back.value.clock.hal.max_rate == 0.1);
    assert_true(back.value.clock.hal.adopts_scale);
    assert_false(back.value.clock.hal.is_adjustable);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_LINK,
                                       .value.link = {.index = 258,
                                                      .interface = text_of("eth7"),
                                                      .transport = MT_TRANSPORT_IEEE_802_3,
                                                      .is_tagged = true,
                                                      .vlan = 4094,
                                                      .reason = text_of("because"),
                                                      .inserts_stamps = true,
                                                      .inserts_turnaround = true}},
               &back);
    assert_int_equal(back.value.link.index, 258);
    assert_text(back.value.link.interface, "eth7");
    assert_false(back.value.link.is_open);
    assert_text(back.value.link.reason, "because");
    assert_int_equal(back.value.link.transport, MT_TRANSPORT_IEEE_802_3);
    assert_true(back.value.link.is_tagged && back.value.link.inserts_stamps);
    assert_true(!back.value.link.inserts_origin && back.value.link.inserts_turnaround);
    assert_int_equal(back.value.link.vlan, 4094);
}

static void log_keeps_small_answers_when_they_are_written(void **state)
{
    struct mt_log_record back;
    const struct mt_clock_identity identity = {{1, 2, 3, 4, 5, 6, 7, 8}};
    round_trip(&(struct mt_log_record){.kind = MT_LOG_IDENTITY,
                                       .value.identity = {text_of("e"), true, identity}},
               &back);
    assert_text(back.value.identity.interface, "e");
    assert_true(back.value.identity.is_known);
    assert_memory_equal(back.value.identity.identity.octet, identity.octet, 8);
    round_trip(
        &(struct mt_log_record){.kind = MT_LOG_SEED, .value.seed = UINT64_C(0x8123456789ABCDEF)},
        &back);
    assert_true(back.value.seed == UINT64_C(0x8123456789ABCDEF));
    round_trip(&(struct mt_log_record){.kind = MT_LOG_DRIFT, .value.drift = {2, true, -3e-6}},
               &back);
    assert_int_equal(back.value.drift.index, 2);
    assert_true(back.value.drift.is_known && back.value.drift.rate == -3e-6);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_NOW, .value.now = {123456789012}}, &back);
    assert_true(back.value.now.ns == 123456789012);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_PAGE, .value.page = {3, 1}}, &back);
    assert_true(back.value.page.index == 3 && back.value.page.digest == 1);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_SAVE, .value.save = {4, 1e-7}}, &back);
    assert_true(back.value.save.index == 4 && back.value.save.rate == 1e-7);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_END}, &back);
}

static void log_keeps_input_when_it_is_written(void **state)
{
    struct mt_log_record back;
    const struct mt_input input = {
        .kind = MT_INPUT_FRAME,
        .link = 3,
        .now = {77},
        .bytes = (const uint8_t *)"frame",
        .length = 5,
        .token = 0x01000002,
        .has_stamp = true,
        .is_up = true,
        .stamp = {.ns = -99, .frac = 0x1234, .counter = 3},
    };
    round_trip(&(struct mt_log_record){.kind = MT_LOG_INPUT, .value.input = {MT_MONO_NEVER, input}},
               &back);
    const struct mt_input *read = &back.value.input.input;
    assert_true(back.value.input.deadline.ns == MT_MONO_NEVER.ns);
    assert_int_equal(read->kind, MT_INPUT_FRAME);
    assert_int_equal(read->link, 3);
    assert_int_equal(read->now.ns, 77);
    assert_int_equal(read->length, 5);
    assert_memory_equal(read->bytes, "frame", 5);
    assert_int_equal(read->token, 0x01000002);
    assert_true(read->has_stamp && read->is_up);
    assert_true(read->stamp.ns == -99 && read->stamp.frac == 0x1234);
}

static void log_keeps_what_clocks_say_when_it_is_written(void **state)
{
    struct mt_log_record back;
    const struct mt_clock_reading reading = {{some_instant, 9}, {-7, 8, 0}, -12345, 100};
    round_trip(&(struct mt_log_record){.kind = MT_LOG_READ, .value.read = {1, reading}}, &back);
    assert_int_equal(back.value.read.clock, 1);
    assert_instant(back.value.read.reading.local.at, some_instant);
    assert_int_equal(back.value.read.reading.local.corrections, 9);
    assert_true(back.value.read.reading.base.ns == -7 && back.value.read.reading.base.frac == 8);
    assert_int_equal(back.value.read.reading.rate_q64, -12345);
    assert_int_equal(back.value.read.reading.window_ns, 100);
    round_trip(&(struct mt_log_record){.kind = MT_LOG_STAMP,
                                       .value.stamp = {2, {11, 12, 5}, {some_instant, 13}}},
               &back);
    assert_int_equal(back.value.stamp.clock, 2);
    assert_true(back.value.stamp.base.ns == 11 && back.value.stamp.base.frac == 12);
    assert_instant(back.value.stamp.stamp.at, some_instant);
    assert_int_equal(back.value.stamp.stamp.corrections, 13);
    round_trip(
        &(struct mt_log_record){.kind = MT_LOG_DISTURBED, .value.disturbed = {3, some_applied}},
        &back);
    assert_int_equal(back.value.disturbed.clock, 3);
    assert_applied(&back.value.disturbed.applied, &some_applied);
}

static void log_keeps_what_the_node_did_when_it_is_written(void **state)
{
    struct mt_log_record back;
    const struct mt_correction correction = {MT_CORRECT_STEP, {-2, 3, 4}, MT_SCALE_TAI, 5e-6};
    round_trip(
        &(struct mt_log_record){.kind = MT_LOG_APPLY, .value.apply = {1, correction, some_applied}},
        &back);
    assert_int_equal(back.value.apply.clock, 1);
    assert_int_equal(back.value.apply.correction.kind, MT_CORRECT_STEP);
    assert_int_equal(mt_span_compare(back.value.apply.correction.step, correction.step), 0);
    assert_int_equal(back.value.apply.correction.scale, MT_SCALE_TAI);
    assert_true(back.value.apply.correction.rate == 5e-6);
    assert_applied(&back.value.apply.applied, &some_applied);
    const struct mt_link_frame frame = {.bytes = (const uint8_t *)"out",
                                        .length = 3,
                                        .destination = MT_LINK_PEER,
                                        .is_event = true,
                                        .token = 0xABCDEF};
    round_trip(&(struct mt_log_record){.kind = MT_LOG_SEND, .value.send = {4, frame, true}}, &back);
    assert_int_equal(back.value.send.link, 4);
    assert_int_equal(back.value.send.frame.length, 3);
    assert_memory_equal(back.value.send.frame.bytes, "out", 3);
    assert_int_equal(back.value.send.frame.destination, MT_LINK_PEER);
    assert_true(back.value.send.frame.is_event && back.value.send.is_sent);
    assert_int_equal(back.value.send.frame.token, 0xABCDEF);
}

static void order_round_trip(const struct mt_command *command, struct mt_command *ret_command)
{
    struct mt_log_record back;
    round_trip(&(struct mt_log_record){.kind = MT_LOG_ORDER,
                                       .value.order = {.kind = MT_ORDER_COMMAND,
                                                       .now = {9},
                                                       .instance = 2,
                                                       .command = *command}},
               &back);
    assert_int_equal(back.value.order.kind, MT_ORDER_COMMAND);
    assert_int_equal(back.value.order.instance, 2);
    assert_int_equal(back.value.order.now.ns, 9);
    *ret_command = back.value.order.command;
    assert_int_equal(ret_command->kind, command->kind);
    assert_int_equal(ret_command->port, command->port);
}

static void log_keeps_each_command_when_it_is_written(void **state)
{
    struct mt_command back;
    const enum mt_command_kind switches[] = {MT_COMMAND_LINK, MT_COMMAND_PORT_ENABLE,
                                             MT_COMMAND_FAULT};
    for (int i = 0; i < 3; i++) {
        order_round_trip(
            &(struct mt_command){.kind = switches[i], .port = 3, .value.is_on = i != 1}, &back);
        assert_int_equal(back.value.is_on, i != 1);
    }
    order_round_trip(
        &(struct mt_command){.kind = MT_COMMAND_PRIORITIES, .value.priorities = {200, 201}}, &back);
    assert_int_equal(back.value.priorities.priority1, 200);
    assert_int_equal(back.value.priorities.priority2, 201);
    order_round_trip(
        &(struct mt_command){.kind = MT_COMMAND_QUALITY, .value.quality = {6, 0x21, 0x4E5D}},
        &back);
    assert_int_equal(back.value.quality.clock_class, 6);
    assert_int_equal(back.value.quality.accuracy, 0x21);
    assert_int_equal(back.value.quality.variance, 0x4E5D);
    order_round_trip(
        &(struct mt_command){.kind = MT_COMMAND_TIME_PROPERTIES, .value.time = {-1, 0x3C, 0x20}},
        &back);
    assert_int_equal(back.value.time.utc_offset, -1);
    assert_int_equal(back.value.time.flags, 0x3C);
    assert_int_equal(back.value.time.time_source, 0x20);
}

/* ---- octets that nobody wrote ---------------------------------------------------------------- */

static void log_refuses_values_that_no_recorder_writes(void **state)
{
    struct mt_applied applied = some_applied;
    applied.rate = 1e300 * 1e300;
    assert_refused(
        &(struct mt_log_record){.kind = MT_LOG_DISTURBED, .value.disturbed = {0, applied}});
    applied = some_applied;
    applied.at.ns = MT_NS_PER_S;
    assert_refused(
        &(struct mt_log_record){.kind = MT_LOG_DISTURBED, .value.disturbed = {0, applied}});
    applied = some_applied;
    applied.at.scale = (enum mt_timescale)MT_SCALE_COUNT;
    assert_refused(
        &(struct mt_log_record){.kind = MT_LOG_DISTURBED, .value.disturbed = {0, applied}});
    assert_refused(&(struct mt_log_record){.kind = MT_LOG_READ,
                                           .value.read.reading = {.base = {.ns = INT64_MAX}}});
    assert_refused(
        &(struct mt_log_record){.kind = MT_LOG_READ, .value.read.reading = {.window_ns = -1}});
    assert_refused(&(struct mt_log_record){.kind = MT_LOG_NOW, .value.now = {-1}});
    assert_refused(&(struct mt_log_record){.kind = MT_LOG_NOW, .value.now = {INT64_MAX}});
    assert_refused(&(struct mt_log_record){
        .kind = MT_LOG_CLOCK,
        .value.clock = {.name = text_of("x"), .reason = text_of(""), .hal.max_rate = -0.5}});
    assert_refused(&(struct mt_log_record){
        .kind = MT_LOG_ORDER, .value.order = {.kind = MT_ORDER_FACTS, .facts.leap_s = 2}});
    assert_refused(&(struct mt_log_record){
        .kind = MT_LOG_ORDER,
        .value.order = {.kind = MT_ORDER_FACTS, .facts.tai_minus_utc_s = INT32_MAX}});
    assert_refused(&(struct mt_log_record){
        .kind = MT_LOG_ORDER, .value.order = {.kind = MT_ORDER_FACTS, .facts.slack_s = 100001}});
    assert_refused(&(struct mt_log_record){
        .kind = MT_LOG_ORDER,
        .value.order = {.kind = MT_ORDER_FACTS, .facts.kernel_s = INT32_MIN}});
    assert_refused(&(struct mt_log_record){.kind = MT_LOG_ORDER,
                                           .value.order.command = {.kind = MT_COMMAND_CLOCK}});
}

static void log_refuses_record_when_octets_are_left_over(void **state)
{
    struct octets log;
    struct mt_log_record record;
    write_one(&log, &(struct mt_log_record){.kind = MT_LOG_SEED});
    log.at[MT_LOG_HEADER_SIZE + 1]++;
    log.at[log.length++] = 0;
    assert_int_equal(read_one(&log, &record), MT_LOG_CORRUPT);
    log.at[MT_LOG_HEADER_SIZE] = MT_LOG_LAST + 1;
    assert_int_equal(read_one(&log, &record), MT_LOG_CORRUPT);
    log.at[MT_LOG_HEADER_SIZE] = 0;
    assert_int_equal(read_one(&log, &record), MT_LOG_CORRUPT);
}

static void log_refuses_time_when_it_goes_backwards(void **state)
{
    static struct octets log;
    const struct mt_log_sink sink = {&log, append};
    struct mt_log_reader reader;
    struct mt_log_record record;
    log.length = 0;
    mt_log_write_header(&sink);
    mt_log_write(&sink, &(struct mt_log_record){.kind = MT_LOG_NOW, .value.now = {10}});
    mt_log_write(&sink,
                 &(struct mt_log_record){.kind = MT_LOG_INPUT, .value.input.input = {.now = {10}}});
    mt_log_write(&sink,
                 &(struct mt_log_record){.kind = MT_LOG_INPUT, .value.input.input = {.now = {9}}});
    assert_true(mt_log_open(&reader, log.at, log.length));
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OK);
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OK);
    assert_int_equal(reader.now.ns, 10);
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_CORRUPT);
}

/* version 1 had no addresses, transports and insertions */
static void log_reads_a_log_of_version_1(void **state)
{
    static const uint8_t octets[] = "MTINPUT\x1A\1\0"
                                    "\3\x8\0\0\0"
                                    "\5\0"
                                    "\1\0v"
                                    "\1"
                                    "\0\0"
                                    "\x8\x25\0\0\0"
                                    "\7\0\0\0\0\0\0\0"
                                    "\1"
                                    "\5\0"
                                    "\6\0\0\0\0\0\0\0"
                                    "\0\0\0\0"
                                    "\0"
                                    "\1"
                                    "\x8\0\0\0\0\0\0\0"
                                    "\x9\0"
                                    "in"
                                    "\xD\xC\0\0\0"
                                    "\4\0"
                                    "\1"
                                    "\1"
                                    "\2\0\0\0"
                                    "\1"
                                    "out";
    struct mt_log_reader reader;
    struct mt_log_record record;
    assert_true(mt_log_open(&reader, octets, sizeof octets - 1));
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OK);
    assert_text(record.value.link.interface, "v");
    assert_int_equal(record.value.link.transport, MT_TRANSPORT_UDP_IPV4);
    assert_false(record.value.link.is_tagged);
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OK);
    assert_int_equal(record.value.input.input.length, 2);
    assert_int_equal(record.value.input.input.stamp.frac, 9);
    assert_int_equal(record.value.input.input.from.network, MT_NETWORK_NONE);
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OK);
    assert_int_equal(record.value.send.frame.length, 3);
    assert_int_equal(record.value.send.frame.token, 2);
    assert_int_equal(record.value.send.frame.insertion, MT_INSERT_NOTHING);
    assert_int_equal(mt_log_read(&reader, &record), MT_LOG_OVER);
}

static void log_keeps_addresses_when_they_are_written(void **state)
{
    static const struct mt_address addresses[] = {
        {MT_NETWORK_NONE, {0}, 0},
        {MT_NETWORK_UDP_IPV4, {10, 0, 0, 7}, 319},
        {MT_NETWORK_UDP_IPV6, {0xFE, 0x80, [15] = 9}, 65535},
        {MT_NETWORK_IEEE_802_3, {1, 2, 3, 4, 5, 6}, 0},
    };
    struct mt_log_record back;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const struct mt_input input = {.kind = MT_INPUT_FRAME,
                                       .bytes = (const uint8_t *)"in",
                                       .length = 2,
                                       .from = addresses[i]};
        round_trip(&(struct mt_log_record){.kind = MT_LOG_INPUT, .value.input = {{1}, input}},
                   &back);
        assert_true(mt_address_equal(&back.value.input.input.from, &addresses[i]));
        assert_int_equal(back.value.input.input.from.udp_port, addresses[i].udp_port);
        assert_memory_equal(back.value.input.input.bytes, "in", 2);
        const struct mt_link_frame frame = {.bytes = (const uint8_t *)"out",
                                            .length = 3,
                                            .destination = MT_LINK_ADDRESS,
                                            .to = addresses[i],
                                            .insertion = MT_INSERT_RESIDENCE,
                                            .arrival = some_instant};
        round_trip(&(struct mt_log_record){.kind = MT_LOG_SEND, .value.send = {4, frame, true}},
                   &back);
        assert_int_equal(back.value.send.frame.destination, MT_LINK_ADDRESS);
        assert_true(mt_address_equal(&back.value.send.frame.to, &addresses[i]));
        assert_int_equal(back.value.send.frame.to.udp_port, addresses[i].udp_port);
        assert_int_equal(back.value.send.frame.insertion, MT_INSERT_RESIDENCE);
        assert_instant(back.value.send.frame.arrival, some_instant);
        assert_memory_equal(back.value.send.frame.bytes, "out", 3);
    }
}

static void log_refuses_other_versions_and_other_files(void **state)
{
    struct octets log;
    struct mt_log_reader reader;
    write_one(&log, &(struct mt_log_record){.kind = MT_LOG_END});
    assert_true(mt_log_open(&reader, log.at, log.length));
    for (size_t i = 0; i < MT_LOG_HEADER_SIZE; i++) {
        assert_false(mt_log_open(&reader, log.at, i));
        log.at[i] ^= 0x10;
        assert_false(mt_log_open(&reader, log.at, log.length));
        log.at[i] ^= 0x10;
    }
}

static void log_digest_differs_when_any_member_of_a_page_does(void **state)
{
    struct mt_clock_page page = {0};
    uint64_t digest = mt_log_page_digest(&page);
    uint8_t *octets = (uint8_t *)&page;
    for (size_t i = offsetof(struct mt_clock_page, base); i < sizeof page; i++) {
        if (i - offsetof(struct mt_clock_page, boot_id) < sizeof page.boot_id) {
            continue;
        }
        octets[i] = 1;
        assert_true(mt_log_page_digest(&page) != digest);
        octets[i] = 0;
    }
    page.sequence = 1; /* these are the store's own */
    page.boot_id = 1;
    assert_true(mt_log_page_digest(&page) == digest);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void log_keys_are_the_same_when_they_are_unpacked(void **state)
{
    struct mt_log_keys keys = {.keys.aead = MT_AEAD_AES_SIV_CMAC_512, .count = 2};
    struct mt_log_keys back;
    uint8_t octets[MT_LOG_KEYS_MAX];
    (void)state;
    memset(keys.keys.c2s, 1, sizeof keys.keys.c2s);
    memset(keys.keys.s2c, 2, sizeof keys.keys.s2c);
    keys.cookies[0].length = MT_NTS_COOKIE_MAX;
    memset(keys.cookies[0].octets, 3, MT_NTS_COOKIE_MAX);
    keys.cookies[1].length = 12;
    memset(keys.cookies[1].octets, 4, 12);
    struct mt_log_text text = mt_log_keys_pack(&keys, octets);
    assert_true(mt_log_keys_unpack(text, &back));
    assert_memory_equal(&back, &keys, sizeof keys);
    for (size_t length = text.length; length-- > 0;) {
        assert_false(mt_log_keys_unpack((struct mt_log_text){text.text, length}, &back));
    }
    octets[0] = 1;
    assert_false(mt_log_keys_unpack(text, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_keys_are_the_same_when_they_are_unpacked),
        cmocka_unit_test(log_keeps_configuration_and_facts_when_they_are_written),
        cmocka_unit_test(log_keeps_what_was_opened_when_it_is_written),
        cmocka_unit_test(log_keeps_small_answers_when_they_are_written),
        cmocka_unit_test(log_keeps_input_when_it_is_written),
        cmocka_unit_test(log_keeps_what_clocks_say_when_it_is_written),
        cmocka_unit_test(log_keeps_what_the_node_did_when_it_is_written),
        cmocka_unit_test(log_keeps_each_command_when_it_is_written),
        cmocka_unit_test(log_refuses_values_that_no_recorder_writes),
        cmocka_unit_test(log_refuses_record_when_octets_are_left_over),
        cmocka_unit_test(log_refuses_time_when_it_goes_backwards),
        cmocka_unit_test(log_reads_a_log_of_version_1),
        cmocka_unit_test(log_keeps_addresses_when_they_are_written),
        cmocka_unit_test(log_refuses_other_versions_and_other_files),
        cmocka_unit_test(log_digest_differs_when_any_member_of_a_page_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
