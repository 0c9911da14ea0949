/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * status/control: what is a request, what is refused and with which sentence, and what a set
 * request becomes; its settings are the configuration's keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/schema.h"
#include "status/control.h"

static struct mt_control_request request;
static char reason[MT_CONTROL_REASON_SIZE];

static void accept(const char *line)
{
    if (!mt_control_parse(line, strlen(line), &request, reason)) {
        fail_msg("%s is refused: %s", line, reason);
    }
}

static void refuse(const char *line, const char *why)
{
    assert_false(mt_control_parse(line, strlen(line), &request, reason));
    assert_string_equal(reason, why);
}

static void control_reads_every_command(void **state)
{
    accept("{\"command\":\"ping\"}\n");
    assert_int_equal(request.command, MT_CONTROL_PING);
    accept("{\"command\":\"status\"}");
    assert_int_equal(request.command, MT_CONTROL_STATUS);
    accept("{\"command\":\"events\",\"since\":12}");
    assert_int_equal(request.command, MT_CONTROL_EVENTS);
    assert_int_equal(request.since, 12);
    accept("{\"command\":\"set\",\"priority1\":100,\"leap61\":true}");
    assert_int_equal(request.command, MT_CONTROL_SET);
    assert_string_equal(request.instance, "main");
    assert_true(request.is_given[MT_CONTROL_PRIORITY1]);
    assert_int_equal(request.value[MT_CONTROL_PRIORITY1], 100);
    assert_int_equal(request.value[MT_CONTROL_LEAP61], 1);
    assert_false(request.is_given[MT_CONTROL_PRIORITY2]);
    accept("{\"command\":\"set\",\"instance\":\"b\",\"utc_offset\":-3}");
    assert_string_equal(request.instance, "b");
    assert_int_equal(request.value[MT_CONTROL_UTC_OFFSET], -3);
}

static void control_takes_auto_for_what_is_found_out(void **state)
{
    struct mt_command commands[MT_CONTROL_COMMANDS_MAX];
    struct mt_instance_config now;
    mt_instance_config_init(&now);
    accept("{\"command\":\"set\",\"clock_class\":\"auto\",\"priority1\":7}");
    assert_true(request.is_auto[MT_CONTROL_CLOCK_CLASS]);
    assert_false(request.is_given[MT_CONTROL_CLOCK_CLASS]);
    assert_false(request.is_auto[MT_CONTROL_VARIANCE]);
    assert_int_equal(mt_control_commands(&request, &now, commands), 1);
    accept("{\"command\":\"set\",\"offset_scaled_log_variance\":\"auto\"}");
    assert_true(request.is_auto[MT_CONTROL_VARIANCE]);
    assert_int_equal(mt_control_commands(&request, &now, commands), 0);
    accept("{\"command\":\"set\",\"utc_offset\":\"auto\",\"leap61\":true}");
    assert_true(request.is_auto[MT_CONTROL_UTC_OFFSET]);
    now.time.utc_offset = 35;
    assert_int_equal(mt_control_commands(&request, &now, commands), 1);
    assert_int_equal(commands[0].value.time.utc_offset, 35);
    refuse("{\"command\":\"set\",\"priority1\":\"auto\"}",
           "priority1: expected an integer from 0 to 255");
}

static void control_reads_what_changes_servers(void **state)
{
    accept("{\"command\":\"reload\"}");
    assert_int_equal(request.command, MT_CONTROL_RELOAD);
    accept("{\"command\":\"add\",\"ntp\":\"time.example\"}");
    assert_int_equal(request.command, MT_CONTROL_ADD);
    assert_string_equal(request.ntp, "time.example");
    assert_string_equal(request.keys, "");
    accept("{\"command\":\"add\",\"ntp\":\"fd00::1\",\"keys\":{\"nts\":\"yes\",\"port\":\"1\"}}");
    assert_string_equal(request.keys, "nts = yes\nport = 1\n");
    accept("{\"command\":\"remove\",\"ntp\":\"time.example\"}");
    assert_int_equal(request.command, MT_CONTROL_REMOVE);
}

/* Nothing may come along with a name or a value: it becomes a line of a configuration. */
static void control_refuses_servers_that_are_more_than_one_line(void **state)
{
    const char *name = "ntp: expected the name of a server";
    const char *key = "keys: expected a key and its value as text, such as \"min_poll\":\"4\"";
    refuse("{\"command\":\"add\"}", name);
    refuse("{\"command\":\"add\",\"ntp\":\"a]\"}", name);
    refuse("{\"command\":\"add\",\"ntp\":\"a\\n[daemon\"}", name);
    refuse("{\"command\":\"add\",\"ntp\":\"a\",\"keys\":{\"port\":\"1\\n[daemon]\"}}", key);
    refuse("{\"command\":\"add\",\"ntp\":\"a\",\"keys\":{\"port\\n\":\"1\"}}", key);
    refuse("{\"command\":\"add\",\"ntp\":\"a\",\"keys\":{\"port\":1}}", key);
    refuse("{\"command\":\"add\",\"ntp\":\"a\",\"keys\":[]}", "keys: expected an object of texts");
    refuse("{\"command\":\"add\",\"ntp\":\"a\",\"port\":\"1\"}", "port: unknown member");
    refuse("{\"command\":\"remove\",\"ntp\":\"a\",\"keys\":{}}", "keys: unknown member");
    refuse("{\"command\":\"reload\",\"ntp\":\"a\"}", "ntp: unknown member");
}

static void control_says_why_when_a_request_is_refused(void **state)
{
    const char *no_command = "expected a JSON object with a member \"command\"";
    refuse("", no_command);
    refuse("ping", no_command);
    refuse("[\"ping\"]", no_command);
    refuse("{\"command\":7}", no_command);
    refuse("{\"command\":\"stop\"}",
           "stop: unknown command; there are ping, status, set, events, reload, add and remove");
    refuse("{\"command\":\"ping\",\"x\":1}", "x: unknown member");
    refuse("{\"command\":\"events\",\"since\":-1}", "since: expected the id of an event");
    refuse("{\"command\":\"set\"}", "set: expected at least one setting");
    refuse("{\"command\":\"set\",\"priority3\":1}", "priority3: unknown setting");
    refuse("{\"command\":\"set\",\"priority1\":256}",
           "priority1: expected an integer from 0 to 255");
    refuse("{\"command\":\"set\",\"priority1\":1.5}",
           "priority1: expected an integer from 0 to 255");
    refuse("{\"command\":\"set\",\"priority1\":\"1\"}",
           "priority1: expected an integer from 0 to 255");
    refuse("{\"command\":\"set\",\"instance\":7,\"priority1\":1}", "instance: expected its name");
    char *long_line = calloc(1, MT_CONTROL_LINE_MAX + 2);
    memset(long_line, ' ', MT_CONTROL_LINE_MAX + 1);
    refuse(long_line, "the request is longer than 4096 octets");
    free(long_line);
}

static void control_changes_only_what_is_given(void **state)
{
    struct mt_command commands[MT_CONTROL_COMMANDS_MAX];
    struct mt_instance_config now;
    mt_instance_config_init(&now);
    now.time.flags = MT_PTP_LEAP_59 | MT_PTP_TIMESCALE;
    accept("{\"command\":\"set\",\"priority2\":7}");
    assert_int_equal(mt_control_commands(&request, &now, commands), 1);
    assert_int_equal(commands[0].kind, MT_COMMAND_PRIORITIES);
    assert_int_equal(commands[0].value.priorities.priority1, 128);
    assert_int_equal(commands[0].value.priorities.priority2, 7);
    accept("{\"command\":\"set\",\"clock_class\":6,\"priority1\":1,\"leap61\":1,\"leap59\":0,"
           "\"time_source\":32}");
    assert_int_equal(mt_control_commands(&request, &now, commands), 3);
    assert_int_equal(commands[1].kind, MT_COMMAND_QUALITY);
    assert_int_equal(commands[1].value.quality.clock_class, 6);
    assert_int_equal(commands[1].value.quality.variance, 0xFFFF);
    assert_int_equal(commands[2].kind, MT_COMMAND_TIME_PROPERTIES);
    assert_int_equal(commands[2].value.time.flags, MT_PTP_LEAP_61 | MT_PTP_TIMESCALE);
    assert_int_equal(commands[2].value.time.time_source, 0x20);
    accept("{\"command\":\"set\",\"utc_offset\":38}");
    assert_int_equal(mt_control_commands(&request, &now, commands), 1);
    assert_int_equal(commands[0].value.time.utc_offset, 38);
    assert_int_equal(commands[0].value.time.flags,
                     MT_PTP_LEAP_59 | MT_PTP_TIMESCALE | MT_PTP_UTC_OFFSET_VALID);
}

static void control_settings_are_keys_of_the_configuration(void **state)
{
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        enum mt_control_setting setting = (enum mt_control_setting)i;
        const struct mt_config_key *key =
            mt_config_key_find(MT_CONFIG_INSTANCE, mt_control_setting_name(setting));
        assert_non_null(key);
        if (key->type == MT_CONFIG_INTEGER) {
            assert_int_equal(key->min, mt_control_setting_min(setting));
            assert_int_equal(key->max, mt_control_setting_max(setting));
        }
    }
}

static void control_replies_are_lines(void **state)
{
    char *text = mt_control_reply_ok("1.2");
    assert_string_equal(text, "{\"ok\":true,\"version\":\"1.2\"}\n");
    free(text);
    text = mt_control_reply_ok(NULL);
    assert_string_equal(text, "{\"ok\":true}\n");
    free(text);
    text = mt_control_reply_error("no \"such\" thing");
    assert_string_equal(text, "{\"ok\":false,\"error\":\"no \\\"such\\\" thing\"}\n");
    free(text);
    text = mt_control_reply_json("status", "{\"daemon\":{}}");
    assert_string_equal(text, "{\"ok\":true,\"status\":{\"daemon\":{}}}\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_reads_every_command),
        cmocka_unit_test(control_takes_auto_for_what_is_found_out),
        cmocka_unit_test(control_reads_what_changes_servers),
        cmocka_unit_test(control_refuses_servers_that_are_more_than_one_line),
        cmocka_unit_test(control_says_why_when_a_request_is_refused),
        cmocka_unit_test(control_changes_only_what_is_given),
        cmocka_unit_test(control_settings_are_keys_of_the_configuration),
        cmocka_unit_test(control_replies_are_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
