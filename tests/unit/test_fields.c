/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Tables of fields: each width both ways, what is between them, and what is beside them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/fields.h"

struct sample {
    int64_t span;
    uint64_t seconds;
    int16_t offset;
    uint32_t ns[2];
    uint8_t clock[3];
    uint8_t hops;
};

static const struct mt_field sample_fields[] = {
    MT_FIELD(struct sample, hops),            /* 0 */
    MT_FIELD_RESERVED(struct sample, offset), /* 2 */
    MT_FIELD(struct sample, span),            /* 4 */
    MT_FIELD_48(struct sample, seconds),      /* 12 */
    MT_FIELDS(2, struct sample, ns[0]),       /* 18 */
    MT_RESERVED,                              /* 26 */
    MT_FIELD_OCTETS(struct sample, clock),    /* 27 */
};

static const uint8_t octets[30] = {
    7,    0xEE, 0xFF, 0xDB, 0xFF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x01, 0x02, 0x03,
    0x04, 0x05, 0x06, 0x3B, 0x9A, 0xC9, 0xFF, 0x80, 0x00, 0x00, 0x01, 0xEE, 0xC1, 0xC2, 0xC3,
};

static const struct sample values = {
    .span = -INT64_C(0x0123456789ABCE),
    .seconds = UINT64_C(0x010203040506),
    .offset = -37,
    .ns = {999999999, UINT32_C(0x80000001)},
    .clock = {0xC1, 0xC2, 0xC3},
    .hops = 7,
};

static void fields_give_the_values_when_moved_from_the_wire(void **state)
{
    struct sample sample = {0};
    uint8_t frame[sizeof octets];

    (void)state;
    memcpy(frame, octets, sizeof frame);
    mt_fields_move(MT_FROM_WIRE, sample_fields, frame, sizeof frame, &sample);
    assert_true(sample.span == values.span);
    assert_true(sample.seconds == values.seconds);
    assert_int_equal(sample.offset, values.offset);
    assert_int_equal(sample.ns[0], values.ns[0]);
    assert_int_equal(sample.ns[1], values.ns[1]);
    assert_memory_equal(sample.clock, values.clock, sizeof values.clock);
    assert_int_equal(sample.hops, values.hops);
    assert_memory_equal(frame, octets, sizeof frame);
}

static void fields_give_the_octets_when_moved_to_the_wire(void **state)
{
    struct sample sample = values;
    uint8_t frame[sizeof octets + 1];

    (void)state;
    memset(frame, 0xEE, sizeof frame); /* as it is to be in the reserved ones */
    sample.seconds |= UINT64_C(0xFFFF000000000000);
    mt_fields_move(MT_TO_WIRE, sample_fields, frame, sizeof octets, &sample);
    assert_memory_equal(frame, octets, sizeof octets);
    assert_int_equal(frame[sizeof octets], 0xEE);
    assert_true(sample.span == values.span && sample.hops == values.hops);
}

static void fields_leave_alone_what_is_behind_the_end(void **state)
{
    struct sample sample;
    uint8_t frame[sizeof octets];

    (void)state;
    memcpy(frame, octets, sizeof frame);
    memset(&sample, 0xAA, sizeof sample);
    mt_fields_move(MT_FROM_WIRE, sample_fields, frame, 18, &sample);
    assert_true(sample.seconds == (UINT64_C(0xAAAA000000000000) | values.seconds));
    assert_int_equal(sample.ns[0], 0xAAAAAAAA);
    assert_int_equal(sample.clock[0], 0xAA);
    mt_fields_move(MT_FROM_WIRE, sample_fields, frame, 0, &sample);
    assert_int_equal(sample.hops, values.hops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_give_the_values_when_moved_from_the_wire),
        cmocka_unit_test(fields_give_the_octets_when_moved_to_the_wire),
        cmocka_unit_test(fields_leave_alone_what_is_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
