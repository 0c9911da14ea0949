/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of GNSS receivers, and of what is no report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "status/report.h"

static const uint64_t seconds[MT_GNSS_PULSE_VERDICT_COUNT] = {[MT_GNSS_PULSE_JUMP] = 7};
static const struct mt_gnss_guard guard = {.has_jumped = true, .jump = {.s = -5}};
static const struct mt_gnss_label label = {.delay_ns = 150000000, .delay_count = 8};
static const struct mt_gnss_receiver receiver = {
    .fix = MT_GNSS_FIX_3D,
    .has_satellites = true,
    .satellites = 9,
    .has_gps_utc = true,
    .gps_utc_s = 18,
    .counts = {[MT_GNSS_VERDICT_CHECKSUM] = 3},
};
static const struct mt_report_gnss gnss = {
    .name = "hat",
    .clock = "main",
    .receiver = &receiver,
    .label = &label,
    .guard = &guard,
    .has_fix = true,
    .has_verdict = true,
    .verdict = MT_GNSS_PULSE_JUMP,
    .counts = seconds,
};

static char *written(void)
{
    const struct mt_report report = {.daemon = {.version = "1"}, .gnss = &gnss, .gnss_count = 1};
    char *text = mt_report_json(&report);
    assert_non_null(text);
    return text;
}

static cJSON *parsed(void)
{
    char *text = written();
    cJSON *root = cJSON_Parse(text);
    free(text);
    assert_non_null(root);
    return root;
}

static const cJSON *at(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItem(object, name);
}

static void report_tells_what_a_receiver_of_satellites_says(void **state)
{
    (void)state;
    cJSON *root = parsed();
    const cJSON *object = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "gnss"), 0);
    assert_string_equal(at(object, "fix")->valuestring, "3d");
    assert_true(at(object, "satellites")->valuedouble == 9);
    assert_true(cJSON_IsNull(at(object, "visible")));
    assert_true(at(object, "tai_minus_utc_s")->valuedouble == 37);
    assert_true(at(object, "jump_ns")->valuedouble == -5e9);
    assert_true(at(at(object, "sentences"), "checksum")->valuedouble == 3);
    assert_true(at(at(object, "seconds"), "jump")->valuedouble == 7);
    assert_string_equal(at(object, "reason")->valuestring,
                        "far from where the running clock is known to be");
    cJSON_Delete(root);
}

static void report_has_metrics_of_a_receiver(void **state)
{
    (void)state;
    char *json = written();
    char *text = mt_report_open_metrics(json);
    assert_non_null(text);
    assert_non_null(strstr(text, "meantime_gnss_has_jumped{receiver=\"hat\"} 1"));
    assert_non_null(strstr(text, "meantime_gnss_satellites{receiver=\"hat\"} 9"));
    free(json);
    free(text);
}

static void report_refuses_open_metrics_when_it_is_no_report(void **state)
{
    assert_null(mt_report_open_metrics(""));
    assert_null(mt_report_open_metrics("[1,2]"));
    assert_null(mt_report_open_metrics("{\"daemon\":3}"));
    char *text = mt_report_open_metrics("{\"daemon\":{},\"clocks\":[1],\"instances\":3}");
    assert_non_null(text);
    free(text);
    text = mt_report_open_metrics("{\"daemon\":{},\"clocks\":[{\"samples\":[3,\"used\"]}]}");
    assert_non_null(text);
    assert_null(strstr(text, "meantime_clock_samples_total"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_tells_what_a_receiver_of_satellites_says),
        cmocka_unit_test(report_has_metrics_of_a_receiver),
        cmocka_unit_test(report_refuses_open_metrics_when_it_is_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
