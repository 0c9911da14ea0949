/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * config/: every key, driven from the schema itself, so that a new line in config.def is tested
 * without a line here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    if (!mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems)) {
        return NULL;
    }
    return config;
}

static struct mt_config *parse_good(const char *text)
{
    struct mt_config *config = parse(text);
    if (config == NULL) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_non_null(config);
    return config;
}

/* ---- every key ---------------------------------------------------------------------------- */

union object {
    struct mt_config_daemon daemon;
    struct mt_config_clock clock;
    struct mt_config_instance instance;
    struct mt_config_port port;
    struct mt_config_server server;
    struct mt_config_ntp ntp;
    struct mt_config_refclock refclock;
    struct mt_config_export export;
};

static const void *object_of(const struct mt_config *config, enum mt_config_scope scope)
{
    size_t gnss = 0;
    switch (scope) {
    case MT_CONFIG_DAEMON:
        return &config->daemon;
    case MT_CONFIG_CLOCK:
        return &config->clocks[0];
    case MT_CONFIG_INSTANCE:
        return &config->instances[0];
    case MT_CONFIG_PORT:
    case MT_CONFIG_OWN_PORT:
        return &config->ports[0];
    case MT_CONFIG_SERVER:
        return &config->server;
    case MT_CONFIG_NTP:
        return &config->ntps[0];
    case MT_CONFIG_GNSS:
        while (config->refclocks[gnss].driver != MT_CONFIG_REFCLOCK_GNSS) {
            gnss++;
        }
        return &config->refclocks[gnss];
    case MT_CONFIG_REFCLOCK:
        return &config->refclocks[0];
    case MT_CONFIG_EXPORT:
        return &config->exports[0];
    }
    return NULL;
}

/* Writes `value` into an object, and reads the text that the member gives into another. */
static void round_trip(const struct mt_config_key *key, const char *value)
{
    union object first;
    union object second;
    struct mt_config_pool pool = {NULL};
    char text[300];
    char again[300];
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    if (!mt_config_value_parse(key, value, &first, &pool)) {
        fail_msg("%s = %s is refused", key->name, value);
    }
    mt_config_value_write(key, &first, text, sizeof text);
    if (!mt_config_value_parse(key, text, &second, &pool)) {
        fail_msg("%s = %s is written as %s and refused", key->name, value, text);
    }
    mt_config_value_write(key, &second, again, sizeof again);
    assert_string_equal(text, again);
    bool is_pointer = key->type == MT_CONFIG_NAME || key->type == MT_CONFIG_INTERFACE ||
                      key->type == MT_CONFIG_PATH || key->type == MT_CONFIG_DEVICE ||
                      key->type == MT_CONFIG_TEXT || key->type == MT_CONFIG_IDENTITIES ||
                      key->type == MT_CONFIG_STATIONS;
    if (!is_pointer) {
        assert_memory_equal(&first, &second, sizeof first);
    }
    mt_config_pool_free(&pool);
}

static void refuse(const struct mt_config_key *key, const char *value)
{
    union object object;
    struct mt_config_pool pool = {NULL};
    memset(&object, 0, sizeof object);
    if (mt_config_value_parse(key, value, &object, &pool)) {
        fail_msg("%s = %s is accepted", key->name, value);
    }
    mt_config_pool_free(&pool);
}

static void round_trip_range(const struct mt_config_key *key, const char *unit)
{
    char text[64];
    snprintf(text, sizeof text, "%lld%s", (long long)key->min, unit);
    round_trip(key, text);
    snprintf(text, sizeof text, "%lld%s", (long long)key->max, unit);
    round_trip(key, text);
    snprintf(text, sizeof text, "%lld%s", (long long)key->min - 1, unit);
    refuse(key, text);
    if (key->max < INT64_MAX) {
        snprintf(text, sizeof text, "%lld%s", (long long)key->max + 1, unit);
        refuse(key, text);
    }
    refuse(key, "");
    refuse(key, "fast");
    refuse(key, "1.");
    refuse(key, "0x");
    refuse(key, "--1");
}

static void round_trip_words(const struct mt_config_key *key)
{
    for (const struct mt_config_word *word = key->words; word->word != NULL; word++) {
        round_trip(key, word->word);
    }
    refuse(key, "nonsense");
    refuse(key, "");
}

static void round_trip_stations(const struct mt_config_key *key)
{
    static const char *const bad[] = {
        "",    "/1", "192.0.2.1/", "192.0.2.1/256", "192.0.2.1/1x", "192.0.2.256", "2001:db8::1::2",
        "a..b"};
    round_trip(key, "192.0.2.1");
    round_trip(key, "192.0.2.1 2001:db8::1, 00:11:22:33:44:55");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse(key, bad[i]);
    }
}

static void round_trip_key(const struct mt_config_key *key)
{
    if (key->fallback[0] != '\0') {
        round_trip(key, key->fallback);
    }
    if (key->word != NULL) {
        round_trip(key, key->word);
    }
    switch (key->type) {
    case MT_CONFIG_INTEGER:
        round_trip_range(key, "");
        refuse(key, "1.5");
        return;
    case MT_CONFIG_INTERVAL:
    case MT_CONFIG_SPAN:
    case MT_CONFIG_SECONDS:
        round_trip_range(key, "ns");
        round_trip(key, key->min > 1500 ? "1.5s" : "1.5us");
        round_trip(key, key->min > 1500 ? "1.0000152587890625 s" : "2.0000152587890625 ns");
        refuse(key, "5");
        refuse(key, "5 minutes");
        return;
    case MT_CONFIG_RATIO:
        round_trip_range(key, "ppb");
        round_trip(key, "1.234567ppm");
        refuse(key, "5");
        return;
    case MT_CONFIG_BOOLEAN:
    case MT_CONFIG_FLAG:
        round_trip(key, "yes");
        round_trip(key, "off");
        refuse(key, "maybe");
        return;
    case MT_CONFIG_CODE:
        round_trip(key, "0xfd");
        refuse(key, "256");
        round_trip_words(key);
        return;
    case MT_CONFIG_CHOICE:
        round_trip_words(key);
        return;
    case MT_CONFIG_NAME:
        round_trip(key, "a-1.B_");
        refuse(key, "a b");
        refuse(key, "12345678901234567890123456789012");
        return;
    case MT_CONFIG_INTERFACE:
        round_trip(key, "enp0s31f6.4000");
        refuse(key, "..");
        refuse(key, "1234567890123456");
        return;
    case MT_CONFIG_DEVICE:
        round_trip(key, "tcp:[::1]:2947");
        refuse(key, "a b");
        return;
    case MT_CONFIG_TEXT:
        round_trip(key, "Rack 7, unit 3; L\xC3\xBC"
                        "beck");
        refuse(key, "");
        refuse(key, "a\x1B[31m");
        return;
    case MT_CONFIG_PATH:
        round_trip(key, "/a b");
        refuse(key, "a");
        return;
    case MT_CONFIG_IDENTITY:
        round_trip(key, "001122.3344.556677");
        refuse(key, "001122.3344.556677-1");
        refuse(key, "001122.3344.55667");
        return;
    case MT_CONFIG_IDENTITIES:
        round_trip(key, "001122.3344.556677-65534 001122.3344.556678");
        refuse(key, "001122.3344.556677-65535");
        refuse(key, "001122.3344.556677-");
        refuse(key, "");
        return;
    case MT_CONFIG_STATIONS:
        round_trip_stations(key);
        return;
    }
}

static void config_values_stay_when_they_are_written_and_read_again(void **state)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        round_trip_key(&keys[i]);
    }
}

static void config_times_may_have_several_units_when_they_become_smaller(void **state)
{
    static const struct {
        const char *text;
        const char *written; /* null: is refused */
    } cases[] = {
        {"1 min 30 s", "90s"}, {"1h 1min 1s 1ms 1us 1ns", "3661001001001ns"},
        {"1.5 s 500ms", "2s"}, {"2h", "7200s"},
        {"1 s 0", NULL},       {"0 1 s", NULL},
        {"1 s 1 min", NULL},   {"1 s 1 s", NULL},
        {"1 s 20", NULL},      {"1 min -5 s", NULL},
        {"1 sec", NULL},       {"1 s,5 ms", NULL},
    };
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_CLOCK, "step_later");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union object object;
        struct mt_config_pool pool = {NULL};
        char text[64];
        memset(&object, 0, sizeof object);
        if (cases[i].written == NULL) {
            refuse(key, cases[i].text);
        } else {
            assert_true(mt_config_value_parse(key, cases[i].text, &object, &pool));
            mt_config_value_write(key, &object, text, sizeof text);
            assert_string_equal(text, cases[i].written);
        }
        mt_config_pool_free(&pool);
    }
}

static void config_values_are_the_defaults_of_each_key_when_nothing_is_written(void **state)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    struct mt_config *config =
        parse_good("[ptp eth0]\n[ntp time.example]\n[refclock gps]\n[export out]\nunit = 9\n"
                   "[gnss hat]\ndevice = /dev/x\n");
    for (size_t i = 0; i < count; i++) {
        union object object;
        struct mt_config_pool pool = {NULL};
        char wanted[64] = "";
        char found[64] = "";
        memset(&object, 0, sizeof object);
        if (keys[i].fallback[0] != '\0') {
            assert_true(mt_config_value_parse(&keys[i], keys[i].fallback, &object, &pool));
        }
        mt_config_value_write(&keys[i], &object, wanted, sizeof wanted);
        mt_config_value_write(&keys[i], object_of(config, keys[i].scope), found, sizeof found);
        bool is_resolved =
            strcmp(keys[i].name, "control_socket") == 0 || strcmp(keys[i].name, "interface") == 0 ||
            strcmp(keys[i].name, "address") == 0 ||
            (keys[i].scope == MT_CONFIG_GNSS && strcmp(keys[i].name, "device") == 0) ||
            (keys[i].scope == MT_CONFIG_EXPORT && strcmp(keys[i].name, "unit") == 0);
        if (!is_resolved) {
            assert_string_equal(found, wanted);
        }
        mt_config_pool_free(&pool);
    }
    mt_config_free(config);
}

static char *written(const struct mt_config *config)
{
    char *text = calloc(1, 1 << 16);
    FILE *file = tmpfile();
    assert_non_null(text);
    assert_non_null(file);
    mt_config_write(config, file);
    rewind(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static void config_values_of_a_file_stay_when_written_and_read_again(void **state)
{
    struct mt_config *config;
    if (!mt_config_load("tests/config/everything.conf", &config, &problems)) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_int_equal(problems.count, 0);
    char *first = written(config);
    struct mt_config *again = parse_good(first);
    char *second = written(again);
    assert_string_equal(first, second);
    assert_int_equal(again->port_count, config->port_count);
    free(first);
    free(second);
    mt_config_free(config);
    mt_config_free(again);
}

/* The file says every key of the schema once or more, none with its default. */
static void config_values_of_the_example_cover_every_key(void **state)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    struct mt_config *config;
    struct mt_config *plain = parse_good("[ptp eth0]\n[refclock gps]\n[export out]\nunit = 9\n"
                                         "[gnss hat]\ndevice = /dev/x\n");
    assert_true(mt_config_load("tests/config/everything.conf", &config, &problems));
    for (size_t i = 0; i < count; i++) {
        char given[300];
        char otherwise[300];
        mt_config_value_write(&keys[i], object_of(config, keys[i].scope), given, sizeof given);
        mt_config_value_write(&keys[i], object_of(plain, keys[i].scope), otherwise,
                              sizeof otherwise);
        bool has_one_value = keys[i].words != NULL && keys[i].words[1].word == NULL &&
                             keys[i].type == MT_CONFIG_CHOICE;
        if (!has_one_value && strcmp(keys[i].name, "leap59") != 0 &&
            strcmp(keys[i].name, "transmitter_only") != 0 && strcmp(keys[i].name, "device") != 0 &&
            strcmp(keys[i].name, "arbiter") != 0 && strcmp(keys[i].name, "rtc_sync") != 0 &&
            strcmp(keys[i].name, "ttl") != 0 && strcmp(keys[i].name, "dscp") != 0 &&
            strcmp(keys[i].name, "stateless_workers") != 0 && strcmp(keys[i].name, "nts") != 0 &&
            strcmp(keys[i].name, "sentence_error") != 0 && strcmp(keys[i].name, "select") != 0) {
            assert_string_not_equal(given, otherwise);
        }
    }
    assert_string_equal(config->clocks[1].device, "/dev/ptp7"); /* the other is no such clock */
    assert_false(config->clocks[2].sets_rtc);
    assert_int_equal(config->clocks[1].arbiter, MT_CONFIG_ARBITER_ALWAYS); /* nor hot standby */
    assert_false(config->instances[1].choice.is_selectable); /* the first ones are preferred */
    assert_false(config->ntps[1].choice.is_selectable);
    assert_false(config->refclocks[1].select);
    bool has_ttl = false; /* the first port is on Ethernet */
    for (size_t i = 0; i < config->port_count; i++) {
        has_ttl = has_ttl || (config->ports[i].ttl == 64 && config->ports[i].dscp == 46);
    }
    assert_true(has_ttl);
    assert_int_equal(config->instances[1].stateless.workers, 2); /* the other one has keys */
    assert_true(config->ntps[1].nts);                            /* the other one is a pool */
    mt_config_free(config);
    mt_config_free(plain);
}

static void assert_written(const char *name, const char *value, const char *wanted)
{
    struct mt_config_port port;
    struct mt_config_pool pool = {NULL};
    char text[64];
    memset(&port, 0, sizeof port);
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_PORT, name);
    assert_true(mt_config_value_parse(key, value, &port, &pool));
    mt_config_value_write(key, &port, text, sizeof text);
    assert_string_equal(text, wanted);
    mt_config_pool_free(&pool);
}

static void config_values_are_written_exactly(void **state)
{
    assert_written("egress_latency", "2.0000152587890625ns", "2.0000152587890625ns");
    assert_written("egress_latency", "-0.5 ns", "-0.5ns");
    assert_written("egress_latency", "0.3ns", "0.3000030517578125ns");
    assert_written("egress_latency", "-0.3ns", "-0.3000030517578125ns");
    assert_written("egress_latency", "1500us", "1500us");
    assert_written("egress_latency", "0.002s", "2ms");
    assert_written("egress_latency", "0", "0");
    assert_written("acceptable_transmitters", "0011223344556677-9,00:11:22:33:44:55:66:78",
                   "001122.3344.556677-9, 001122.3344.556678");
}

static void config_values_are_exact_when_units_differ(void **state)
{
    struct mt_config *config = parse_good("[ptp a]\negress_latency = 0.1 us\n"
                                          "ingress_latency = -2.5ns\n"
                                          "[clock]\nmax_slew = 250ppb\nstep_later = 1.5 s\n");
    assert_int_equal(config->ports[0].ptp.egress_latency.q16, 100 * 65536);
    assert_int_equal(config->ports[0].ptp.ingress_latency.q16, -2 * 65536 - 32768);
    assert_true(config->clocks[0].steer.max_slew == 250e-9);
    assert_int_equal(config->clocks[0].steer.step_later.s, 1);
    assert_int_equal(config->clocks[0].steer.step_later.ns, 500000000);
    assert_false(config->clocks[0].steer.never_step_later);
    mt_config_free(config);
}

static void config_values_are_the_core_defaults_when_nothing_is_written(void **state)
{
    struct mt_config *config = parse_good("[ptp eth0]\n");
    struct mt_instance_config *found = &config->instances[0].ptp;
    struct mt_instance_config instance;
    struct mt_port_config port;
    mt_instance_config_init(&instance);
    mt_port_config_init(&port);
    assert_memory_equal(&found->quality, &instance.quality, sizeof instance.quality);
    assert_int_equal(found->time.utc_offset, instance.time.utc_offset);
    assert_int_equal(found->time.flags, instance.time.flags);
    assert_int_equal(found->time.time_source, instance.time.time_source);
    assert_int_equal(found->domain, instance.domain);
    assert_int_equal(found->sdo_id, instance.sdo_id);
    assert_int_equal(found->minor_version, instance.minor_version);
    assert_int_equal(found->priority1, instance.priority1);
    assert_int_equal(found->priority2, instance.priority2);
    assert_int_equal(found->is_receiver_only, instance.is_receiver_only);
    assert_int_equal(found->accepts_alternate, instance.accepts_alternate);
    assert_int_equal(found->announces_accuracy, instance.announces_accuracy);
    assert_int_equal(found->max_steps_removed, instance.max_steps_removed);
    assert_int_equal(found->serve_bound.q16, instance.serve_bound.q16);
    assert_int_equal(found->serves_uncertain, instance.serves_uncertain);
    assert_ptr_equal(found->features, instance.features);
    struct mt_steer_config steer;
    memset(&steer, 0xFF, sizeof steer);
    mt_steer_config_init(&steer);
    const struct mt_steer_config *steers = &config->clocks[0].steer;
    assert_int_equal(mt_span_compare(steers->step_at_start, steer.step_at_start), 0);
    assert_int_equal(mt_span_compare(steers->step_later, steer.step_later), 0);
    assert_int_equal(steers->never_step_at_start, steer.never_step_at_start);
    assert_int_equal(steers->never_step_later, steer.never_step_later);
    assert_true(steers->max_slew == steer.max_slew);
    assert_true(steers->max_rate == steer.max_rate);
    assert_true(steers->max_drift == steer.max_drift);
    assert_int_equal(steers->max_asymmetry.q16, steer.max_asymmetry.q16);
    assert_int_equal(steers->granularity_ns, steer.granularity_ns);
    assert_int_equal(steers->estimates_only, steer.estimates_only);
    assert_memory_equal(&config->ports[0].ptp, &port, sizeof port);
    mt_config_free(config);
}

/* What is explained fits into a terminal, and limits are written as a person would. */
static void assert_explained_well(const char *key)
{
    char line[512];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(mt_config_explain(key, file));
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strlen(line) > 81) {
            fail_msg("wider than a terminal: %s", line);
        }
    }
    fclose(file);
}

static void config_values_are_explained_in_lines_of_a_terminal(void **state)
{
    char expected[256];
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_explained_well(keys[i].name);
        mt_config_expected(&keys[i], expected, sizeof expected);
        if (strstr(expected, "9999") != NULL) {
            fail_msg("%s: %s", keys[i].name, expected);
        }
    }
    mt_config_expected(mt_config_key_find(MT_CONFIG_CLOCK, "holdover_limit"), expected,
                       sizeof expected);
    assert_string_equal(expected,
                        "a time from 0 to 2678400s with its unit (ns, us, ms, s, min, h), "
                        "or none");
}

static void assert_explains(const char *name, bool is_known, const char *wanted)
{
    char text[8192] = "";
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(mt_config_explain(name, file), is_known);
    rewind(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    if (strstr(text, wanted) == NULL) {
        fail_msg("%s: not in the explanation: %s\n%s", name, wanted, text);
    }
}

static void config_values_are_found_by_section_and_by_half_a_name(void **state)
{
    const char *gnss = "keys of [gnss NAME], and their defaults:\n    device                       "
                       "none\n    baud                         9600\n";
    (void)state;
    assert_explains("gnss", true, gnss);
    assert_explains("[gnss]", true, gnss);
    assert_explains("[gnss hat]", true, gnss);
    assert_explains("[clock main]", true, "keys of [clock], [clock NAME], and their defaults:\n");
    assert_explains("[gns]", false, "[gns]: there is no such key");
    assert_explains("holdover", false,
                    "holdover: there is no such key\nthese have it in their name:\n"
                    "    holdover_limit               [clock], [clock NAME]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_values_stay_when_they_are_written_and_read_again),
        cmocka_unit_test(config_times_may_have_several_units_when_they_become_smaller),
        cmocka_unit_test(config_values_are_the_defaults_of_each_key_when_nothing_is_written),
        cmocka_unit_test(config_values_of_a_file_stay_when_written_and_read_again),
        cmocka_unit_test(config_values_of_the_example_cover_every_key),
        cmocka_unit_test(config_values_are_explained_in_lines_of_a_terminal),
        cmocka_unit_test(config_values_are_found_by_section_and_by_half_a_name),
        cmocka_unit_test(config_values_are_written_exactly),
        cmocka_unit_test(config_values_are_exact_when_units_differ),
        cmocka_unit_test(config_values_are_the_core_defaults_when_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
