/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks and exports of a configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    return mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems) ? config : NULL;
}

static void assert_problem(const char *text, const char *problem)
{
    assert_null(parse(text));
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text, problem);
}

static void config_needs_no_port_when_there_is_a_reference_clock(void **state)
{
    struct mt_config *config = parse("[refclock gps]\nunit = 2\noffset = -0.5s\n[export out]\n");
    assert_non_null(config);
    assert_int_equal(config->clock_count, 1);
    assert_string_equal(config->clocks[0].name, "main");
    assert_int_equal(config->refclocks[0].clock_index, 0);
    assert_int_equal(config->refclocks[0].unit, 2);
    assert_int_equal(mt_interval_to_ns(config->refclocks[0].offset), -500000000);
    assert_true(config->refclocks[0].max_error_is_unknown);
    assert_int_equal(config->exports[0].clock_index, 0);
    mt_config_free(config);
    assert_problem("[export out]\n",
                   "f: no port and no server is configured; add a section such as [ptp eth0] or "
                   "[ntp time.example.org]");
}

static void config_connects_reference_clocks_when_they_name_a_clock(void **state)
{
    struct mt_config *config =
        parse("[clock a]\n[clock b]\n[refclock gps]\nclock = b\n[export out]\nunit = 2\nclock = "
              "a\n");
    assert_non_null(config);
    assert_int_equal(config->clock_count, 2);
    assert_int_equal(config->refclocks[0].clock_index, 1);
    assert_int_equal(config->exports[0].clock_index, 0);
    mt_config_free(config);
    assert_problem("[refclock gps]\nclock = b\n", "f:2: clock = b: there is no section [clock b]");
}

static void config_complains_when_two_share_a_place(void **state)
{
    assert_problem("[refclock a]\n[export b]\n",
                   "f:2: [export b]: [refclock a] has the same unit already");
    assert_problem("[refclock a]\ndriver = sock\npath = /x\n[refclock b]\ndriver = sock\n"
                   "path = /x\n",
                   "f:5: [refclock b]: [refclock a] has the same path already");
    struct mt_config *config =
        parse("[refclock a]\nunit = 2\n[refclock b]\ndriver = sock\nunit = 2\npath = /x\n");
    assert_non_null(config);
    mt_config_free(config);
}

static void config_complains_when_a_place_is_missing(void **state)
{
    assert_problem("[refclock a]\ndriver = sock\n",
                   "f:2: [refclock a]: driver = sock needs the path of a socket; add path = "
                   "/run/chrony.ttyS0.sock, say");
    assert_problem("[refclock a]\npath = /x\n",
                   "f:2: [refclock a]: path is for driver = sock; shared memory has a unit");
}

static void config_complains_when_a_reference_id_is_too_long(void **state)
{
    assert_problem("[refclock a]\nreference_id = GPSDO\n",
                   "f:2: reference_id = GPSDO: at most 4 characters");
}

static void config_complains_when_the_clock_follows_another(void **state)
{
    assert_problem("[clock a]\nfollow = main\n[clock main]\n[refclock gps]\nclock = a\n",
                   "f:5: [refclock gps]: clock a follows clock main; give it this reference clock "
                   "instead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_needs_no_port_when_there_is_a_reference_clock),
        cmocka_unit_test(config_connects_reference_clocks_when_they_name_a_clock),
        cmocka_unit_test(config_complains_when_two_share_a_place),
        cmocka_unit_test(config_complains_when_a_place_is_missing),
        cmocka_unit_test(config_complains_when_a_reference_id_is_too_long),
        cmocka_unit_test(config_complains_when_the_clock_follows_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
