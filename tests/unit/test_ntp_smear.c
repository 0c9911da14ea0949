/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an NTP server makes of a page that does not tell UTC from TAI, and of announcements that
 * come late or are taken back while a leap second is smeared.  How leap seconds pass is seen in
 * tests/sim/test_sim_leap.c.
 */
#include "runtime/ntp_served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIDNIGHT (20000 * INT64_C(86400)) /* UTC */
#define SMEAR    3600

static struct mt_ntp_serving serving;
static struct mt_clock_page page;
static struct mt_ntp_serving_config config;

static int set_up(void **state)
{
    memset(&serving, 0, sizeof serving);
    page = (struct mt_clock_page){
        .anchor_s = MIDNIGHT - 7200 + 37,
        .scale = MT_SCALE_TAI,
        .state = MT_CLOCK_LOCKED,
        .bound_reference = MT_BOUND_TRACEABLE,
        .bound_ns = 1000,
        .tai_utc_valid = 1,
        .tai_minus_utc_s = 37,
    };
    config = (struct mt_ntp_serving_config){.max_error = {INT64_C(65536000000000)}};
    return 0;
}

static void make_at(int64_t utc_s)
{
    page.anchor_s = utc_s + 37;
    mt_ntp_serving_make(&serving, &config, &page, NULL);
}

static struct mt_span served_less_page(void)
{
    const struct mt_instant at = {.s = page.anchor_s, .scale = MT_SCALE_TAI};
    return mt_instant_minus(mt_ntp_scale_time(&serving.scale, &at),
                            (struct mt_instant){.s = at.s, .scale = serving.served.at.scale});
}

static bool is_served(void)
{
    return serving.served.leap != MT_NTP_LEAP_UNKNOWN && serving.served.stratum != 0;
}

static void ntp_smear_is_nothing_when_utc_is_not_known(void **state)
{
    page.tai_utc_valid = 0;
    make_at(MIDNIGHT - 7200);
    assert_false(is_served());
    config.local_stratum = 10;
    make_at(MIDNIGHT - 7199);
    assert_false(is_served());
}

static void ntp_smear_is_utc_when_it_is_not_told_any_more(void **state)
{
    make_at(MIDNIGHT - 7200);
    page.tai_utc_valid = 0;
    page.tai_minus_utc_s = 0;
    make_at(MIDNIGHT - 7199);
    assert_true(is_served());
    assert_int_equal(served_less_page().s, -37);
}

static void ntp_smear_is_nothing_when_the_clock_begins_to_count_unknown_tai(void **state)
{
    page.scale = MT_SCALE_UTC;
    page.tai_utc_valid = 0;
    make_at(MIDNIGHT - 7200);
    assert_true(is_served());
    assert_int_equal(served_less_page().s, 0);
    page.scale = MT_SCALE_TAI;
    make_at(MIDNIGHT - 7199);
    assert_false(is_served());
}

static void ntp_smear_begins_where_others_are_when_it_begins_amid_a_smear(void **state)
{
    config.smear_s = SMEAR;
    page.leap_s = 1;
    make_at(MIDNIGHT - 600);
    assert_int_equal(mt_span_to_ns(served_less_page()),
                     -37 * INT64_C(1000000000) - INT64_C(1200000000000) / (SMEAR + 1) - 1);
}

static void ntp_smear_does_not_jump_when_the_announcement_is_late_or_goes(void **state)
{
    config.smear_s = SMEAR;
    make_at(MIDNIGHT - 900);
    page.leap_s = 1;
    make_at(MIDNIGHT - 899);
    assert_int_equal(mt_span_to_ns(served_less_page()), -37 * INT64_C(1000000000));
    make_at(MIDNIGHT - 799);
    const struct mt_span before = served_less_page();
    assert_true(mt_span_to_ns(before) < -37 * INT64_C(1000000000) - 30000000);
    page.leap_s = 0;
    make_at(MIDNIGHT - 799);
    assert_int_equal(mt_span_to_ns(served_less_page()), mt_span_to_ns(before));
}

static void ntp_smear_has_no_leap_second_when_the_announcement_goes_before_it_is_smeared(void **s)
{
    config.smear_s = SMEAR;
    page.leap_s = 1;
    make_at(MIDNIGHT - 2000);
    page.leap_s = 0;
    make_at(MIDNIGHT - 1900);
    make_at(MIDNIGHT + 100);
    assert_int_equal(mt_span_to_ns(served_less_page()), -37 * INT64_C(1000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ntp_smear_is_nothing_when_utc_is_not_known, set_up),
        cmocka_unit_test_setup(ntp_smear_is_utc_when_it_is_not_told_any_more, set_up),
        cmocka_unit_test_setup(ntp_smear_is_nothing_when_the_clock_begins_to_count_unknown_tai,
                               set_up),
        cmocka_unit_test_setup(ntp_smear_begins_where_others_are_when_it_begins_amid_a_smear,
                               set_up),
        cmocka_unit_test_setup(ntp_smear_does_not_jump_when_the_announcement_is_late_or_goes,
                               set_up),
        cmocka_unit_test_setup(
            ntp_smear_has_no_leap_second_when_the_announcement_goes_before_it_is_smeared, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
