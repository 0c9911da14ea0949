/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Shared memory and datagrams of reference clocks, and the frames that are made of them.
 */
#include "platform/linux/linux_refclock_forms.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S  INT64_C(1800000000)
#define NOW_NS (NOW_S * 1000000000)

/* ---- frames -------------------------------------------------------------------------------- */

static void reading_is_the_same_when_written_and_parsed(void **state)
{
    const struct mt_refclock_reading reading = {.s = -5,
                                                .ns = 999999999,
                                                .frac = 65535,
                                                .precision_log2s = -20,
                                                .leap = MT_REFCLOCK_DELETE,
                                                .is_pulse = true};
    struct mt_refclock_reading again;
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    mt_refclock_reading_write(&reading, bytes);
    assert_true(mt_refclock_reading_parse(bytes, sizeof bytes, &again));
    assert_true(again.s == reading.s && again.ns == reading.ns && again.frac == reading.frac);
    assert_int_equal(again.precision_log2s, -20);
    assert_int_equal(again.leap, MT_REFCLOCK_DELETE);
    assert_true(again.is_pulse);
}

static void reading_is_refused_when_octets_are_none_of_ours(void **state)
{
    struct mt_refclock_reading reading = {.s = NOW_S};
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    mt_refclock_reading_write(&reading, bytes);
    for (size_t length = 0; length < sizeof bytes; length++) {
        assert_false(mt_refclock_reading_parse(bytes, length, &reading));
    }
    bytes[11] = 0x3C; /* a second and more in ns */
    assert_false(mt_refclock_reading_parse(bytes, sizeof bytes, &reading));
    bytes[11] = 0;
    bytes[15] = MT_REFCLOCK_UNSYNCHRONISED + 1;
    assert_false(mt_refclock_reading_parse(bytes, sizeof bytes, &reading));
    bytes[15] = 0;
    bytes[16] = 2;
    assert_false(mt_refclock_reading_parse(bytes, sizeof bytes, &reading));
}

/* ---- shared memory ------------------------------------------------------------------------- */

static struct mt_refclock_segment segment_of(int mode)
{
    return (struct mt_refclock_segment){
        .mode = mode,
        .count = 7,
        .reference_s = NOW_S + 1,
        .reference_us = 500,
        .reference_ns = 500123,
        .machine_s = NOW_S,
        .machine_us = 250,
        .machine_ns = 250456,
        .leap = 1,
        .precision = -25,
        .valid = 1,
    };
}

static void segment_gives_each_reading_once_when_readings_are_counted(void **state)
{
    struct mt_refclock_segment segment = segment_of(1);
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    int seen = 0;
    assert_true(mt_refclock_segment_read(&segment, false, &seen, &machine_ns, &reading));
    assert_true(machine_ns == NOW_NS + 250456);
    assert_true(reading.s == NOW_S + 1 && reading.ns == 500123);
    assert_int_equal(reading.leap, MT_REFCLOCK_INSERT);
    assert_int_equal(reading.precision_log2s, -25);
    assert_int_equal(segment.valid, 1); /* another program may want it */
    assert_false(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
    segment.count += 2;
    assert_true(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
}

static void segment_is_emptied_when_readings_are_not_counted(void **state)
{
    struct mt_refclock_segment segment = segment_of(0);
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    int seen = 0;
    assert_true(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
    assert_int_equal(segment.valid, 0);
    assert_false(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
    segment.valid = 1;
    assert_true(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
}

static void segment_is_read_in_microseconds_when_its_writer_knows_no_finer(void **state)
{
    struct mt_refclock_segment segment = segment_of(1);
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    int seen = 0;
    segment.machine_ns = 0;
    segment.reference_ns = 4000000000u;
    assert_true(mt_refclock_segment_read(&segment, false, &seen, &machine_ns, &reading));
    assert_true(machine_ns == NOW_NS + 250000);
    assert_true(reading.ns == 500000);
}

static void segment_is_refused_when_it_holds_no_time(void **state)
{
    const struct mt_refclock_segment good = segment_of(1);
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    int seen = 0;
    struct mt_refclock_segment bad[6];
    for (int i = 0; i < 6; i++) {
        bad[i] = good;
    }
    bad[0].valid = 0;
    bad[1].mode = 2;
    bad[2].machine_us = 1000000;
    bad[3].reference_us = -1;
    bad[4].reference_s = 0;
    bad[5].machine_s = (time_t)(INT64_MAX / 1000);
    for (int i = 0; i < 6; i++) {
        assert_false(mt_refclock_segment_read(&bad[i], false, &seen, &machine_ns, &reading));
    }
    bad[0] = good;
    bad[0].leap = 99;
    assert_true(mt_refclock_segment_read(&bad[0], false, &seen, &machine_ns, &reading));
    assert_int_equal(reading.leap, MT_REFCLOCK_UNSYNCHRONISED);
}

static void segment_reads_what_was_written(void **state)
{
    struct mt_refclock_segment segment = {.count = 3};
    const struct mt_refclock_reading written = {
        .s = NOW_S, .ns = 999999999, .precision_log2s = -20, .leap = MT_REFCLOCK_NO_LEAP};
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    int seen = 3;
    mt_refclock_segment_write(&segment, NOW_NS + 1, &written);
    assert_int_equal(segment.count, 5);
    assert_int_equal(segment.reference_us, 999999);
    assert_true(mt_refclock_segment_read(&segment, true, &seen, &machine_ns, &reading));
    assert_true(machine_ns == NOW_NS + 1 && reading.s == NOW_S && reading.ns == 999999999);
}

/* ---- datagrams ----------------------------------------------------------------------------- */

static struct mt_refclock_datagram datagram_of(double offset)
{
    return (struct mt_refclock_datagram){.machine = {.tv_sec = NOW_S, .tv_usec = 999999},
                                         .offset = offset,
                                         .magic = MT_REFCLOCK_SOCK_MAGIC};
}

static double reference_less_machine(double offset)
{
    struct mt_refclock_datagram datagram = datagram_of(offset);
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    assert_true(mt_refclock_datagram_read((const uint8_t *)&datagram, sizeof datagram, &machine_ns,
                                          &reading));
    assert_true(machine_ns == NOW_NS + 999999000);
    assert_in_range(reading.ns, 0, 999999999);
    return (double)(reading.s - NOW_S) + ((double)reading.ns - 999999000) / 1e9 +
           reading.frac / 65536e9;
}

static void datagram_is_added_to_the_machines_time_when_read(void **state)
{
    const double offsets[] = {0, 1e-9, -1e-9, 1.25e-10, 0.5, -0.5, 1, -1, 86400.75, -86400.75};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        assert_true(fabs(reference_less_machine(offsets[i]) - offsets[i]) < 2e-14 * 86400);
    }
}

static void datagram_is_refused_when_it_is_none(void **state)
{
    const struct mt_refclock_datagram good = datagram_of(0);
    struct mt_refclock_datagram bad[6];
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    for (int i = 0; i < 6; i++) {
        bad[i] = good;
    }
    bad[0].magic++;
    bad[1].offset = NAN;
    bad[2].offset = HUGE_VAL;
    bad[3].machine.tv_usec = 1000000;
    bad[4].machine.tv_sec = -1;
    bad[5].machine.tv_usec = INT64_C(1) << 32;
    for (int i = 0; i < 6; i++) {
        assert_false(mt_refclock_datagram_read((const uint8_t *)&bad[i], sizeof bad[i], &machine_ns,
                                               &reading));
    }
    assert_false(
        mt_refclock_datagram_read((const uint8_t *)&good, sizeof good - 1, &machine_ns, &reading));
}

static void datagram_reads_what_was_written(void **state)
{
    const struct mt_refclock_reading written = {
        .s = NOW_S + 2, .ns = 123, .frac = 32768, .leap = MT_REFCLOCK_INSERT, .is_pulse = true};
    struct mt_refclock_datagram datagram;
    struct mt_refclock_reading reading;
    int64_t machine_ns;
    mt_refclock_datagram_write(NOW_NS + 999999999, &written, &datagram);
    assert_true(fabs(datagram.offset - (1 + 1e-9 + 123.5e-9)) < 1e-14);
    assert_true(mt_refclock_datagram_read((const uint8_t *)&datagram, sizeof datagram, &machine_ns,
                                          &reading));
    assert_true(machine_ns == NOW_NS + 999999000); /* 999 ns before */
    assert_true(reading.s == NOW_S + 1 && reading.ns == 999999124);
    assert_in_range(reading.frac, 32760, 32776);
    assert_true(reading.is_pulse);
    assert_int_equal(reading.leap, MT_REFCLOCK_INSERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_is_the_same_when_written_and_parsed),
        cmocka_unit_test(reading_is_refused_when_octets_are_none_of_ours),
        cmocka_unit_test(segment_gives_each_reading_once_when_readings_are_counted),
        cmocka_unit_test(segment_is_emptied_when_readings_are_not_counted),
        cmocka_unit_test(segment_is_read_in_microseconds_when_its_writer_knows_no_finer),
        cmocka_unit_test(segment_is_refused_when_it_holds_no_time),
        cmocka_unit_test(segment_reads_what_was_written),
        cmocka_unit_test(datagram_is_added_to_the_machines_time_when_read),
        cmocka_unit_test(datagram_is_refused_when_it_is_none),
        cmocka_unit_test(datagram_reads_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
