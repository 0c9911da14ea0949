/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * status/: the report matches its schema both ways, says null for what is not known, and becomes
 * OpenMetrics text that follows the grammar of the format; names are as documented. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "status/names.h"
#include "status/report.h"

/* A boundary clock with two ports, small enough to be seen at a glance. */
static struct fixture {
    struct mt_port ports[2];
    struct mt_instance instance;
    struct mt_discipline_source sources[2];
    struct mt_discipline discipline;
    struct mt_clock_quality_report quality;
    struct mt_clock_page page;
    struct mt_leap_choice utc;
    struct mt_report_clock clock;
    struct mt_report_port report_ports[2];
    struct mt_report_instance report_instance;
    struct mt_address ntp_address;
    struct mt_ntp_client ntp_client;
    struct mt_report_ntp ntp;
    struct mt_ntp_served served;
    uint64_t outcomes[MT_NTP_OUTCOME_COUNT];
    struct mt_report_server server;
    struct mt_report report;
} f;

static const struct mt_arbiter_source source_facts = {
    .is_reachable = true, .is_measured = true, .bound = 2e-3, .rank = 2, .is_preferred = true};
static const struct mt_arbiter_opinion source_opinion = {.verdict = MT_ARBITER_FALSETICKER,
                                                         .miss = -0.5e-3};
static const struct mt_gnss_receiver receiver;
static const struct mt_gnss_label label;
static const struct mt_gnss_guard guard;
static const uint64_t seconds[MT_GNSS_PULSE_VERDICT_COUNT];
static const struct mt_report_gnss gnss = {"hat",  "main", &receiver,
                                           &label, &guard, .counts = seconds};

static const struct mt_report_source source = {.name = "time",
                                               .kind = "ntp",
                                               .clock = "main",
                                               .facts = &source_facts,
                                               .opinion = &source_opinion,
                                               .offset = {-1, 500000000, 0},
                                               .delay = {65536},
                                               .interval_s = 64,
                                               .reach = 255};

static int set_up(void **state)
{
    memset(&f, 0, sizeof f);
    for (uint16_t i = 0; i < 2; i++) {
        f.ports[i].identity.port = (uint16_t)(i + 1);
        f.ports[i].state = i == 0 ? MT_STATE_RECEIVER : MT_STATE_TRANSMITTER;
        f.report_ports[i] = (struct mt_report_port){.name = i == 0 ? "eth0" : "eth1",
                                                    .interface = "if",
                                                    .transport = i == 0 ? "udp4" : "l2",
                                                    .is_tagged = i != 0,
                                                    .vlan = 5,
                                                    .ptp = &f.ports[i],
                                                    .instance = &f.instance};
    }
    f.ports[0].verdicts[MT_VERDICT_ACCEPTED] = 5000000000;
    f.ports[0].counters[MT_COUNT_SAMPLES] = 7;
    f.report_ports[0].link.kernel_dropped = 3;
    f.instance.ports = f.ports;
    f.instance.port_count = 2;
    f.instance.receiving_port = 1;
    f.instance.config.identity = (struct mt_clock_identity){{1, 2, 3, 4, 5, 6, 7, 8}};
    f.instance.parent.sender.port = 9;
    f.instance.time.flags = MT_PTP_UTC_OFFSET_VALID | MT_PTP_TIMESCALE;
    f.instance.time.utc_offset = 37;
    f.instance.time.time_source = 0x20;
    f.discipline.sources = f.sources;
    f.discipline.source_count = 2;
    f.discipline.scale = MT_SCALE_TAI;
    f.discipline.rate = -12.5e-6;
    f.sources[0].verdicts[MT_SAMPLE_USED] = 2;
    f.sources[1].verdicts[MT_SAMPLE_USED] = 3;
    f.quality.has_estimate = true;
    f.quality.estimate = (struct mt_estimate){.offset = mt_span_from_ns(-1500), .frequency = 2e-9};
    f.quality.state = MT_CLOCK_LOCKED;
    f.quality.reference = MT_BOUND_SOURCE;
    f.quality.bound = mt_interval_from_ns(3600);
    f.page = (struct mt_clock_page){.bound_ns = 2100, .lag_q16 = -32768};
    f.page.parts.asymmetry_ns = 1900;
    f.clock = (struct mt_report_clock){.name = "ma\"in",
                                       .kind = "lab",
                                       .is_adjustable = true,
                                       .tai_utc_known = true,
                                       .tai_minus_utc_s = 37,
                                       .utc = &f.utc,
                                       .quality = &f.quality,
                                       .published = &f.page,
                                       .discipline = &f.discipline};
    f.report_instance = (struct mt_report_instance){"main", "main", &f.instance, f.report_ports, 0};
    f.report = (struct mt_report){
        .daemon = {.version = "1.2", .pid = 42, .uptime_s = 1.5, .inputs = 10},
        .clocks = &f.clock,
        .clock_count = 1,
        .instances = &f.report_instance,
        .instance_count = 1,
        .ntp = &f.ntp,
        .ntp_count = 1,
        .sources = &source,
        .source_count = 1,
        .gnss = &gnss,
        .gnss_count = 1,
        .server = &f.server,
    };
    f.ntp_address = (struct mt_address){.network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}};
    f.server =
        (struct mt_report_server){.clock = "main", .served = &f.served, .outcomes = f.outcomes};
    f.ntp = (struct mt_report_ntp){
        .name = "time", .clock = "main", .address = &f.ntp_address, .client = &f.ntp_client};
    return 0;
}

static cJSON *parsed(void)
{
    char *text = mt_report_json(&f.report);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    cJSON *root = cJSON_Parse(text);
    free(text);
    assert_non_null(root);
    return root;
}

static const cJSON *object_of(const cJSON *root, enum mt_report_scope scope)
{
    const cJSON *clocks = cJSON_GetObjectItem(root, "clocks");
    const cJSON *instance = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "instances"), 0);
    switch (scope) {
    case MT_REPORT_DAEMON:
        return cJSON_GetObjectItem(root, "daemon");
    case MT_REPORT_CLOCK:
        return cJSON_GetArrayItem(clocks, 0);
    case MT_REPORT_INSTANCE:
        return instance;
    case MT_REPORT_PORT:
        return cJSON_GetArrayItem(cJSON_GetObjectItem(instance, "ports"), 0);
    case MT_REPORT_NTP:
        return cJSON_GetArrayItem(cJSON_GetObjectItem(root, "ntp"), 0);
    case MT_REPORT_SOURCE:
        return cJSON_GetArrayItem(cJSON_GetObjectItem(root, "sources"), 0);
    case MT_REPORT_GNSS:
        return cJSON_GetArrayItem(cJSON_GetObjectItem(root, "gnss"), 0);
    case MT_REPORT_SERVER:
        return cJSON_GetObjectItem(root, "server");
    }
    return NULL;
}

static const cJSON *at(const cJSON *object, const char *path)
{
    char copy[80];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *word = strtok(copy, "."); word != NULL; word = strtok(NULL, ".")) {
        object = cJSON_GetObjectItemCaseSensitive(object, word);
    }
    return object;
}

static bool has_type(const cJSON *item, enum mt_report_type type)
{
    switch (type) {
    case MT_REPORT_STRING:
        return cJSON_IsString(item) || cJSON_IsNull(item);
    case MT_REPORT_INTEGER:
        return cJSON_IsNumber(item);
    case MT_REPORT_BOOLEAN:
        return cJSON_IsBool(item);
    case MT_REPORT_NUMBER:
        return cJSON_IsNumber(item) || cJSON_IsNull(item);
    case MT_REPORT_COUNTS:
        return cJSON_IsObject(item);
    }
    return false;
}

static void report_has_every_field_of_the_schema(void **state)
{
    size_t count;
    const struct mt_report_field *fields = mt_report_fields(&count);
    cJSON *root = parsed();
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = at(object_of(root, fields[i].scope), fields[i].path);
        if (item == NULL || !has_type(item, fields[i].type)) {
            fail_msg("%s is missing or has the wrong type", fields[i].path);
        }
    }
    cJSON_Delete(root);
}

static bool is_in_schema(enum mt_report_scope scope, const char *path)
{
    size_t count;
    const struct mt_report_field *fields = mt_report_fields(&count);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].scope == scope && strcmp(fields[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* Goes into inner objects that are no field themselves; no deeper than one. */
static void assert_known(enum mt_report_scope scope, const cJSON *object)
{
    const cJSON *item;
    const cJSON *inner;
    cJSON_ArrayForEach(item, object)
    {
        if (is_in_schema(scope, item->string) || cJSON_IsArray(item)) {
            continue;
        }
        assert_true(cJSON_IsObject(item));
        cJSON_ArrayForEach(inner, item)
        {
            char path[80];
            snprintf(path, sizeof path, "%s.%s", item->string, inner->string);
            if (!is_in_schema(scope, path)) {
                fail_msg("%s is not in the schema", path);
            }
        }
    }
}

static void report_has_no_field_beyond_the_schema(void **state)
{
    cJSON *root = parsed();
    assert_known(MT_REPORT_DAEMON, object_of(root, MT_REPORT_DAEMON));
    assert_known(MT_REPORT_CLOCK, object_of(root, MT_REPORT_CLOCK));
    assert_known(MT_REPORT_INSTANCE, object_of(root, MT_REPORT_INSTANCE));
    assert_known(MT_REPORT_PORT, object_of(root, MT_REPORT_PORT));
    assert_known(MT_REPORT_NTP, object_of(root, MT_REPORT_NTP));
    assert_known(MT_REPORT_SOURCE, object_of(root, MT_REPORT_SOURCE));
    assert_known(MT_REPORT_GNSS, object_of(root, MT_REPORT_GNSS));
    assert_known(MT_REPORT_SERVER, object_of(root, MT_REPORT_SERVER));
    assert_int_equal(cJSON_GetArraySize(root), 7);
    cJSON_Delete(root);
}

static double number(const cJSON *object, const char *path)
{
    const cJSON *item = at(object, path);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static const char *string(const cJSON *object, const char *path)
{
    const char *value = cJSON_GetStringValue(at(object, path));
    assert_non_null(value);
    return value;
}

static void report_has_the_units_that_names_say(void **state)
{
    cJSON *root = parsed();
    const cJSON *clock = object_of(root, MT_REPORT_CLOCK);
    assert_true(number(clock, "offset_ns") == -1500);
    assert_true(number(clock, "frequency_ppb") == 2);
    assert_true(number(clock, "rate_ppb") == -12500);
    assert_true(number(clock, "bound_ns") == 2100);
    assert_true(number(clock, "steered_bound_ns") == 3600);
    assert_true(number(clock, "lag_ns") == -0.5);
    assert_true(number(clock, "bound_parts.asymmetry_ns") == 1900);
    assert_true(number(clock, "samples.used") == 5);
    assert_string_equal(string(clock, "state"), "locked");
    assert_string_equal(string(clock, "scale"), "TAI");
    const cJSON *instance = object_of(root, MT_REPORT_INSTANCE);
    assert_string_equal(string(instance, "role"), "boundary");
    assert_string_equal(string(instance, "clock_identity"), "010203.0405.060708");
    assert_true(number(instance, "parent.port_number") == 9);
    assert_true(cJSON_IsTrue(at(instance, "time_properties.ptp_timescale")));
    assert_true(cJSON_IsFalse(at(instance, "time_properties.leap61")));
    const cJSON *port = object_of(root, MT_REPORT_PORT);
    assert_true(number(port, "verdicts.accepted") == 5e9);
    assert_true(number(port, "counters.samples") == 7);
    assert_true(number(port, "link.kernel_dropped") == 3);
    assert_string_equal(string(port, "state"), "RECEIVER");
    cJSON_Delete(root);
}

static void report_says_null_when_a_value_is_not_known(void **state)
{
    f.quality.has_estimate = false;
    f.quality.reference = MT_BOUND_NONE;
    f.clock.tai_utc_known = false;
    f.instance.time.time_source = 0xFF;
    cJSON *root = parsed();
    assert_true(
        cJSON_IsNull(at(object_of(root, MT_REPORT_INSTANCE), "time_properties.time_source")));
    const cJSON *clock = object_of(root, MT_REPORT_CLOCK);
    const char *const unknown[] = {"offset_ns",       "sigma_ns",           "mean_delay_ns",
                                   "bound_ns",        "reference_bound_ns", "tai_minus_utc_s",
                                   "steered_bound_ns"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_true(cJSON_IsNull(at(clock, unknown[i])));
    }
    cJSON_Delete(root);
    f.quality.reference = MT_BOUND_SOURCE;
    f.quality.bound = MT_INTERVAL_TOO_LARGE;
    root = parsed();
    assert_true(cJSON_IsNull(at(object_of(root, MT_REPORT_CLOCK), "bound_ns")));
    cJSON_Delete(root);
}

/* ---- OpenMetrics -------------------------------------------------------------------------- */

static char *metrics(void)
{
    char *json = mt_report_json(&f.report);
    char *text = mt_report_open_metrics(json);
    free(json);
    assert_non_null(text);
    return text;
}

static void assert_has_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);
    if (found == NULL || (found != text && found[-1] != '\n') || found[strlen(line)] != '\n') {
        fail_msg("no line: %s\n%s", line, text);
    }
}

static void report_gives_open_metrics_with_labels(void **state)
{
    char *text = metrics();
    assert_has_line(text, "meantime_daemon_info{version=\"1.2\"} 1");
    assert_non_null(strstr(text, ",utc_known_by=\"nobody\",device="));
    assert_has_line(text, "meantime_daemon_inputs_total 10");
    assert_has_line(text, "meantime_daemon_uptime_s 1.5");
    assert_has_line(text, "# TYPE meantime_clock_offset_ns gauge");
    assert_has_line(text, "# UNIT meantime_clock_offset_ns ns");
    assert_has_line(text, "meantime_clock_offset_ns{clock=\"ma\\\"in\"} -1500");
    assert_has_line(text, "meantime_clock_state{clock=\"ma\\\"in\",meantime_clock_state=\"locked\"}"
                          " 1");
    assert_has_line(text, "meantime_clock_state{clock=\"ma\\\"in\",meantime_clock_state="
                          "\"free_run\"} 0");
    assert_has_line(text, "meantime_clock_samples_total{clock=\"ma\\\"in\",sample=\"used\"} 5");
    assert_has_line(text, "meantime_instance_time_properties_utc_offset_s{instance=\"main\"} 37");
    assert_has_line(text, "meantime_port_verdicts_total{instance=\"main\",port=\"eth0\",verdict="
                          "\"accepted\"} 5000000000");
    assert_has_line(text, "meantime_port_state{instance=\"main\",port=\"eth1\",meantime_port_state="
                          "\"TRANSMITTER\"} 1");
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    free(text);
}

static void report_leaves_samples_out_when_values_are_not_known(void **state)
{
    f.quality.has_estimate = false;
    char *text = metrics();
    assert_null(strstr(text, "\nmeantime_clock_offset_ns{"));
    free(text);
}

/* Each sample belongs to the family named last, and no family comes twice. */
static void report_gives_open_metrics_in_families(void **state)
{
    char *text = metrics();
    char family[96] = "";
    char seen[16384] = " ";
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char spaced[100];
        if (strncmp(line, "# TYPE ", 7) == 0) {
            snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
            snprintf(spaced, sizeof spaced, " %s ", family);
            assert_null(strstr(seen, spaced));
            assert_true(strlen(seen) + strlen(spaced) < sizeof seen);
            strcat(seen, spaced);
        } else if (line[0] != '#') {
            size_t length = strlen(family);
            const char *rest = line + length;
            assert_memory_equal(line, family, length);
            if (strncmp(rest, "_total", 6) == 0) {
                rest += 6;
            } else if (strncmp(rest, "_info", 5) == 0) {
                rest += 5;
            }
            assert_true(*rest == ' ' || *rest == '{');
            assert_true(isdigit((unsigned char)line[strlen(line) - 1]));
        }
    }
    free(text);
}

/* ---- names -------------------------------------------------------------------------------- */

static void names_exist_for_every_value(void **state)
{
    for (unsigned i = 0; i < MT_ROLE_COUNT; i++) {
        assert_string_not_equal(mt_role_name((enum mt_role)i), "?");
    }
    for (unsigned i = 1; i < MT_STATE_COUNT; i++) {
        assert_string_not_equal(mt_port_state_name((enum mt_port_state)i), "?");
    }
    for (unsigned i = 0; i < MT_VERDICT_COUNT; i++) {
        assert_string_not_equal(mt_verdict_meaning((enum mt_verdict)i), "?");
    }
    for (unsigned i = 0; i < MT_PORT_COUNTER_COUNT; i++) {
        assert_string_not_equal(mt_port_counter_meaning((enum mt_port_counter)i), "?");
    }
    for (unsigned i = 0; i < MT_TRANSPARENT_COUNTER_COUNT; i++) {
        assert_string_not_equal(mt_transparent_counter_name((enum mt_transparent_counter)i), "?");
    }
    for (unsigned i = 0; i < MT_CLOCK_STATE_COUNT; i++) {
        assert_string_not_equal(mt_clock_state_name((enum mt_clock_state)i), "?");
    }
    for (unsigned i = 0; i <= MT_STEER_HOLDOVER; i++) {
        assert_string_not_equal(mt_steer_phase_name((enum mt_steer_phase)i), "?");
    }
    for (unsigned i = 0; i < MT_SCALE_COUNT; i++) {
        assert_string_not_equal(mt_scale_name((enum mt_timescale)i), "?");
    }
    for (unsigned i = 0; i <= MT_BOUND_PARENT; i++) {
        assert_string_not_equal(mt_bound_reference_name((enum mt_bound_reference)i), "?");
    }
    for (unsigned i = 0; i < MT_SAMPLE_VERDICT_COUNT; i++) {
        assert_string_not_equal(mt_sample_verdict_name((enum mt_sample_verdict)i), "?");
    }
    assert_string_equal(mt_port_state_name((enum mt_port_state)0), "?");
    assert_string_equal(mt_verdict_name(MT_VERDICT_COUNT), "?");
    assert_string_equal(mt_clock_accuracy_name(0x21), "100 ns");
    assert_string_equal(mt_clock_accuracy_name(0x31), "over 10 s");
    assert_string_equal(mt_clock_accuracy_name(0x32), "?");
    assert_string_equal(mt_time_source_name(0xA0), "internal_oscillator");
    assert_string_equal(mt_time_source_name(0xFF), "?");
}

static void names_tell_the_role_of_an_instance(void **state)
{
    assert_int_equal(mt_role_of(&f.instance), MT_ROLE_BOUNDARY);
    f.instance.receiving_port = 0;
    f.ports[0].state = MT_STATE_PASSIVE;
    assert_int_equal(mt_role_of(&f.instance), MT_ROLE_GRANDMASTER);
    f.ports[1].state = MT_STATE_LISTENING;
    assert_int_equal(mt_role_of(&f.instance), MT_ROLE_PASSIVE);
    f.ports[0].state = MT_STATE_LISTENING;
    assert_int_equal(mt_role_of(&f.instance), MT_ROLE_LISTENING);
    f.instance.port_count = 1;
    f.instance.receiving_port = 1;
    assert_int_equal(mt_role_of(&f.instance), MT_ROLE_RECEIVER);
}

static void report_tells_of_a_transparent_clock_when_it_is_one(void **state)
{
    struct mt_transparent transparent = {
        .config.is_peer_to_peer = true,
        .residence = {2, {65536}, {3 * 65536}, 4},
        .counters = {[MT_TRANSPARENT_HELD] = 17},
    };
    struct mt_instance_more more = {.transparent = &transparent};
    f.instance.config.more = &more;
    char *json = mt_report_json(&f.report);
    assert_non_null(strstr(json, "\"role\":\"transparent\""));
    assert_non_null(strstr(json, "\"delay_mechanism\":\"p2p\""));
    assert_non_null(strstr(json, "\"residence_min_ns\":1,\"residence_mean_ns\":2,"
                                 "\"residence_max_ns\":3"));
    assert_non_null(strstr(json, "\"held\":17"));
    free(json);
    f.instance.config.more = NULL;
    json = mt_report_json(&f.report);
    assert_non_null(strstr(json, "\"residence_mean_ns\":null"));
    free(json);
}

/* ---- events ------------------------------------------------------------------------------- */

static void assert_why(struct mt_peer *peer, const char *why)
{
    struct mt_port_more more = {.peer = peer, .delay_mechanism = MT_DELAY_P2P};
    f.ports[0].config.more = &more;
    char *json = mt_report_json(&f.report);
    assert_non_null(strstr(strstr(json, "why_not_capable\":"), why));
    free(json);
    f.ports[0].config.more = NULL;
}

static void report_tells_why_a_link_is_not_capable(void **state)
{
    struct mt_peer peer = {.has_identity = true, .config.is_gptp = true};
    peer.config.mean_link_delay_thresh.q16 = 800 << 16;
    assert_why(&peer, "\"nobody answers");
    peer.delay = (struct mt_link_delay){.count = 1, .mean_q16 = 801 << 16};
    assert_why(&peer, "\"its delay is above");
    peer.delay.mean_q16 = 800 << 16;
    assert_why(&peer, "\"the rate of the");
    peer.is_as_capable = true;
    assert_why(&peer, "null,\"several_answer");
}

static void report_tells_of_a_source_as_it_is_judged(void **state)
{
    cJSON *root = parsed();
    const cJSON *object = object_of(root, MT_REPORT_SOURCE);
    assert_string_equal(at(object, "verdict")->valuestring, "falseticker");
    assert_string_equal(at(object, "reason")->valuestring,
                        "the majority says that its time cannot be right");
    assert_true(at(object, "offset_ns")->valuedouble == -500e6);
    assert_true(at(object, "miss_ns")->valuedouble == -500e3);
    assert_true(at(object, "bound_ns")->valuedouble == 2e6);
    assert_true(cJSON_IsTrue(at(object, "preferred")));
    assert_true(cJSON_IsNull(at(object, "address")));
    cJSON_Delete(root);
}

static void report_tells_what_the_ntp_server_serves(void **state)
{
    (void)state;
    f.served = (struct mt_ntp_served){.leap = MT_NTP_LEAP_UNKNOWN, .precision = -23};
    cJSON *root = parsed();
    const cJSON *server = object_of(root, MT_REPORT_SERVER);
    assert_true(cJSON_IsFalse(at(server, "synchronised")));
    assert_true(cJSON_IsNull(at(server, "stratum")) && cJSON_IsNull(at(server, "reference_id")));
    cJSON_Delete(root);
    f.served = (struct mt_ntp_served){
        .leap = MT_NTP_LEAP_59, .stratum = 1, .reference_id = {'P', 'T', 'P'}};
    f.served.root_dispersion.q16 = INT64_C(65536) * 5000;
    server = object_of(root = parsed(), MT_REPORT_SERVER);
    assert_int_equal(at(server, "stratum")->valueint, 1);
    assert_string_equal(at(server, "reference_id")->valuestring, "PTP");
    assert_true(at(server, "leap_s")->valueint == -1);
    assert_true(number(server, "root_dispersion_ns") == 5000);
    cJSON_Delete(root);
}

static void report_tells_of_an_ntp_server_as_it_is(void **state)
{
    f.ntp.opinion = MT_ARBITER_UNREACHABLE;
    f.ntp_client.config.key = 7;
    f.ntp_client.poll = f.ntp_client.config.min_poll = 6;
    cJSON *root = parsed();
    const cJSON *ntp = object_of(root, MT_REPORT_NTP);
    assert_string_equal(at(ntp, "state")->valuestring, "unreachable");
    assert_true(cJSON_IsFalse(at(ntp, "authenticated"))); /* nothing was verified yet */
    assert_float_equal(number(ntp, "interval_s"), 1, 0);  /* its start is not over */
    assert_string_equal(at(ntp, "address")->valuestring, "192.0.2.1");
    assert_true(cJSON_IsNull(at(ntp, "stratum")) && cJSON_IsNull(at(ntp, "offset_ns")));
    assert_true(cJSON_IsNull(at(ntp, "root_distance_ns")));
    cJSON_Delete(root);
    f.ntp_client.was_reachable = true;
    f.ntp_client.server = (struct mt_ntp_header){
        .version = 4, .stratum = 2, .root_delay = 0x10000, .root_dispersion = 0x8000};
    memcpy(f.ntp_client.server.reference_id, "\12\0\0\1", 4);
    f.ntp_client.verdicts[MT_NTP_VERDICT_KISS] = 3;
    memcpy(f.ntp_client.kiss, "RATE", sizeof f.ntp_client.kiss);
    f.ntp.opinion = MT_ARBITER_FALSETICKER;
    f.ntp.has_estimate = true;
    f.ntp.offset = mt_span_from_ns(-1500);
    f.ntp.bound = 2e-3;
    root = parsed();
    ntp = object_of(root, MT_REPORT_NTP);
    assert_string_equal(at(ntp, "state")->valuestring, "falseticker");
    assert_true(cJSON_IsTrue(at(ntp, "authenticated")));
    assert_float_equal(number(ntp, "bound_ns"), 2e6, 0);
    assert_string_equal(at(ntp, "reference_id")->valuestring, "10.0.0.1");
    assert_string_equal(at(ntp, "kiss")->valuestring, "RATE");
    assert_float_equal(number(ntp, "offset_ns"), -1500, 0);
    assert_float_equal(number(ntp, "root_distance_ns"), 1e9, 0);
    assert_float_equal(number(ntp, "answers.kiss"), 3, 0);
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(report_has_every_field_of_the_schema, set_up),
        cmocka_unit_test_setup(report_has_no_field_beyond_the_schema, set_up),
        cmocka_unit_test_setup(report_has_the_units_that_names_say, set_up),
        cmocka_unit_test_setup(report_says_null_when_a_value_is_not_known, set_up),
        cmocka_unit_test_setup(report_gives_open_metrics_with_labels, set_up),
        cmocka_unit_test_setup(report_leaves_samples_out_when_values_are_not_known, set_up),
        cmocka_unit_test_setup(report_gives_open_metrics_in_families, set_up),
        cmocka_unit_test_setup(names_exist_for_every_value, set_up),
        cmocka_unit_test_setup(names_tell_the_role_of_an_instance, set_up),
        cmocka_unit_test_setup(report_tells_why_a_link_is_not_capable, set_up),
        cmocka_unit_test_setup(report_tells_of_a_source_as_it_is_judged, set_up),
        cmocka_unit_test_setup(report_tells_of_an_ntp_server_as_it_is, set_up),
        cmocka_unit_test_setup(report_tells_what_the_ntp_server_serves, set_up),
        cmocka_unit_test_setup(report_tells_of_a_transparent_clock_when_it_is_one, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
