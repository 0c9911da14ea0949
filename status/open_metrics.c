/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report as OpenMetrics text (version 1.0.0).  It is made from the JSON, so that the tool can
 * do it on the other end of the control socket and the daemon need not.
 * The format wants all samples of a metric family in one piece; so the outer walk is over the
 * fields of the schema and the inner one over the objects.  Family names are
 * meantime_<scope>_<path>; a field of an info metric is a label of meantime_<scope>_info. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status/names.h"
#include "status/report.h"
#include "status/report_security.h"
#include "status/report_unicast.h"

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool is_out_of_memory;
};

static void say(struct text *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *self, const char *format, ...)
{
    char line[640];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t wanted = length < 0                     ? 0
                    : (size_t)length < sizeof line ? (size_t)length
                                                   : sizeof line - 1;
    if (self->length + wanted + 1 > self->capacity) {
        size_t capacity = 2 * (self->capacity + wanted + 1);
        char *grown = realloc(self->bytes, capacity);
        self->is_out_of_memory |= grown == NULL;
        if (grown == NULL) {
            return;
        }
        self->bytes = grown;
        self->capacity = capacity;
    }
    memcpy(self->bytes + self->length, line, wanted + 1);
    self->length += wanted;
}

/* The objects of a scope are visited with what names them, as labels. */
#define LABELS_SIZE 384
typedef void visit(struct text *out, const struct mt_report_field *field, const cJSON *object,
                   const char *labels);

static const char *string_of(const cJSON *object, const char *name)
{
    const char *string = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return string == NULL ? "" : string;
}

/* A label value: quotes, backslashes and newlines are escaped. */
static void escape(const char *value, char *buffer, size_t size)
{
    size_t length = 0;
    for (; *value != '\0' && length + 3 < size; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n') {
            buffer[length++] = '\\';
        }
        buffer[length++] = *value == '\n' ? 'n' : *value;
    }
    buffer[length] = '\0';
}

static void label(char *labels, const char *name, const char *value)
{
    char escaped[128];
    size_t length = strlen(labels);
    escape(value, escaped, sizeof escaped);
    snprintf(labels + length, LABELS_SIZE - length, "%s%s=\"%s\"", length > 0 ? "," : "", name,
             escaped);
}

static void visit_ports(struct text *out, const struct mt_report_field *field,
                        const cJSON *instance, visit *function)
{
    const cJSON *port;
    cJSON_ArrayForEach(port, cJSON_GetObjectItemCaseSensitive(instance, "ports"))
    {
        char labels[LABELS_SIZE] = "";
        label(labels, "instance", string_of(instance, "name"));
        label(labels, "port", string_of(port, "name"));
        function(out, field, port, labels);
    }
}

static void visit_all(struct text *out, const struct mt_report_field *field, const cJSON *root,
                      visit *function)
{
    const cJSON *object;
    switch (field->scope) {
    case MT_REPORT_DAEMON:
        function(out, field, cJSON_GetObjectItemCaseSensitive(root, "daemon"), "");
        return;
    case MT_REPORT_CLOCK:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "clocks"))
        {
            char labels[LABELS_SIZE] = "";
            label(labels, "clock", string_of(object, "name"));
            function(out, field, object, labels);
        }
        return;
    case MT_REPORT_INSTANCE:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "instances"))
        {
            char labels[LABELS_SIZE] = "";
            label(labels, "instance", string_of(object, "name"));
            function(out, field, object, labels);
        }
        return;
    case MT_REPORT_PORT:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "instances"))
            visit_ports(out, field, object, function);
        return;
    case MT_REPORT_NTP:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "ntp"))
        {
            char labels[LABELS_SIZE] = "";
            label(labels, "server", string_of(object, "name"));
            label(labels, "address", string_of(object, "address"));
            function(out, field, object, labels);
        }
        return;
    case MT_REPORT_SOURCE:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "sources"))
        {
            char labels[LABELS_SIZE] = "";
            label(labels, "clock", string_of(object, "clock"));
            label(labels, "source", string_of(object, "name"));
            if (string_of(object, "address")[0] != '\0') {
                label(labels, "address", string_of(object, "address"));
            }
            function(out, field, object, labels);
        }
        return;
    case MT_REPORT_GNSS:
        cJSON_ArrayForEach(object, cJSON_GetObjectItemCaseSensitive(root, "gnss"))
        {
            char labels[LABELS_SIZE] = "";
            label(labels, "receiver", string_of(object, "name"));
            function(out, field, object, labels);
        }
        return;
    case MT_REPORT_SERVER:
        if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "server"))) {
            function(out, field, cJSON_GetObjectItemCaseSensitive(root, "server"), "");
        }
        return;
    }
}

/* ---- one field ---------------------------------------------------------------------------- */

static const char *scope_name(enum mt_report_scope scope)
{
    static const char *const names[] = {
        [MT_REPORT_DAEMON] = "daemon",     [MT_REPORT_CLOCK] = "clock",
        [MT_REPORT_INSTANCE] = "instance", [MT_REPORT_PORT] = "port",
        [MT_REPORT_NTP] = "ntp",           [MT_REPORT_SOURCE] = "source",
        [MT_REPORT_GNSS] = "gnss",         [MT_REPORT_SERVER] = "server",
    };
    return names[scope];
}

/* No name may have a dot. */
static void replace_dots(char *name)
{
    for (; *name != '\0'; name++) {
        *name = *name == '.' ? '_' : *name;
    }
}

static void family_name(const struct mt_report_field *field, char *buffer, size_t size)
{
    snprintf(buffer, size, "meantime_%s_%s", scope_name(field->scope), field->path);
    replace_dots(buffer);
}

static const cJSON *find(const cJSON *object, const char *path)
{
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        char name[40] = "";
        memcpy(name, path, (size_t)(dot - path));
        object = cJSON_GetObjectItemCaseSensitive(object, name);
        path = dot + 1;
    }
    return cJSON_GetObjectItemCaseSensitive(object, path);
}

static void say_sample(struct text *out, const char *family, const char *suffix, const char *labels,
                       double value)
{
    char number[40];
    if (floor(value) == value && fabs(value) < 1e15) {
        snprintf(number, sizeof number, "%.0f", value);
    } else {
        snprintf(number, sizeof number, "%.15g", value);
    }
    if (labels[0] == '\0') {
        say(out, "%s%s %s\n", family, suffix, number);
    } else {
        say(out, "%s%s{%s} %s\n", family, suffix, labels, number);
    }
}

static void say_number(struct text *out, const struct mt_report_field *field, const cJSON *object,
                       const char *labels)
{
    char family[96];
    const cJSON *value = find(object, field->path);
    family_name(field, family, sizeof family);
    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value)) {
        return; /* null: not known, so there is no sample */
    }
    say_sample(out, family, field->metric == MT_REPORT_COUNTER ? "_total" : "", labels,
               cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble);
}

/* "unicast.grants" counts each "grant"; a label has no dot. */
static void name_label(const struct mt_report_field *field, char *buffer, size_t size)
{
    const char *dot = strrchr(field->path, '.');
    snprintf(buffer, size, "%s", dot != NULL ? dot + 1 : field->path);
    size_t length = strlen(buffer);
    if (length > 1 && buffer[length - 1] == 's') {
        buffer[length - 1] = '\0';
    }
}

/* {"used":3,"old":0} becomes one sample each, labelled by the singular of the field's name. */
static void say_counts(struct text *out, const struct mt_report_field *field, const cJSON *object,
                       const char *labels)
{
    char family[96];
    char name[40];
    const cJSON *count;
    family_name(field, family, sizeof family);
    name_label(field, name, sizeof name);
    cJSON_ArrayForEach(count, find(object, field->path))
    {
        if (count->string == NULL || !cJSON_IsNumber(count)) {
            continue; /* not from our daemon */
        }
        char all_labels[LABELS_SIZE];
        snprintf(all_labels, sizeof all_labels, "%s", labels);
        label(all_labels, name, count->string);
        say_sample(out, family, "_total", all_labels, count->valuedouble);
    }
}

static const char *state_name(enum mt_report_metric metric, unsigned state)
{
    const char *name = "?";
    if (metric == MT_REPORT_STATES_CLOCK) {
        name = mt_clock_state_name((enum mt_clock_state)state);
    } else if (metric == MT_REPORT_STATES_HOLDOVER) {
        name = mt_holdover_state_name((enum mt_holdover_state)state);
    } else if (metric == MT_REPORT_STATES_ROLE) {
        name = mt_role_name((enum mt_role)state);
    } else if (metric == MT_REPORT_STATES_PORT) {
        name = mt_port_state_name((enum mt_port_state)(state + 1)); /* 0 is no state */
    } else if (metric == MT_REPORT_STATES_SECURITY) {
        name = mt_report_signatures_name((enum mt_report_signatures)state);
    } else if (metric == MT_REPORT_STATES_TRANSMITTER) {
        name = mt_transmitter_state_name((enum mt_transmitter_state)state);
    } else if (metric == MT_REPORT_STATES_REASON) {
        name = mt_transmitter_reason_name((enum mt_transmitter_reason)state);
    }
    return name;
}

static void say_state(struct text *out, const struct mt_report_field *field, const char *is,
                      const char *labels)
{
    char family[96];
    const char *name;
    family_name(field, family, sizeof family);
    for (unsigned state = 0; strcmp(name = state_name(field->metric, state), "?") != 0; state++) {
        char all_labels[LABELS_SIZE];
        snprintf(all_labels, sizeof all_labels, "%s", labels);
        label(all_labels, family, name);
        say_sample(out, family, "", all_labels, strcmp(is, name) == 0);
    }
}

static void say_states(struct text *out, const struct mt_report_field *field, const cJSON *object,
                       const char *labels)
{
    const char *is = cJSON_GetStringValue(find(object, field->path));
    say_state(out, field, is != NULL ? is : "", labels);
}

/* {"192.0.2.1":"followed"} becomes a set of states for each, which is a label. */
static void say_states_of_each(struct text *out, const struct mt_report_field *field,
                               const cJSON *object, const char *labels)
{
    const cJSON *each;
    cJSON_ArrayForEach(each, find(object, field->path))
    {
        char all_labels[LABELS_SIZE];
        if (each->string == NULL || !cJSON_IsString(each)) {
            continue; /* not from our daemon */
        }
        snprintf(all_labels, sizeof all_labels, "%s", labels);
        label(all_labels, "transmitter", each->string);
        say_state(out, field, each->valuestring, all_labels);
    }
}

static void say_info(struct text *out, const struct mt_report_field *field, const cJSON *object,
                     const char *labels)
{
    size_t count;
    const struct mt_report_field *fields = mt_report_fields(&count);
    char all_labels[LABELS_SIZE];
    char family[96];
    char name[40];
    snprintf(all_labels, sizeof all_labels, "%s", labels);
    snprintf(family, sizeof family, "meantime_%s_info", scope_name(field->scope));
    for (size_t i = 0; i < count; i++) {
        if (fields[i].scope == field->scope && fields[i].metric == MT_REPORT_INFO) {
            const char *value = cJSON_GetStringValue(find(object, fields[i].path));
            snprintf(name, sizeof name, "%s", fields[i].path);
            replace_dots(name);
            label(all_labels, name, value != NULL ? value : "");
        }
    }
    say_sample(out, family, "", all_labels, 1);
}

/* ---- families ----------------------------------------------------------------------------- */

static void say_head(struct text *out, const char *family, const char *type, const char *help)
{
    static const char *const units[] = {"ns", "ppb", "s", "celsius"};
    say(out, "# TYPE %s %s\n", family, type);
    const char *last = strrchr(family, '_');
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (last != NULL && strcmp(last + 1, units[i]) == 0) {
            say(out, "# UNIT %s %s\n", family, units[i]);
        }
    }
    say(out, "# HELP %s %s\n", family, help);
}

static bool is_first_info(const struct mt_report_field *fields, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (fields[i].scope == fields[index].scope && fields[i].metric == MT_REPORT_INFO) {
            return false;
        }
    }
    return true;
}

static void say_field(struct text *out, const struct mt_report_field *fields, size_t index,
                      const cJSON *root)
{
    const struct mt_report_field *field = &fields[index];
    char family[96];
    family_name(field, family, sizeof family);
    switch (field->metric) {
    case MT_REPORT_NONE:
        return;
    case MT_REPORT_GAUGE:
        say_head(out, family, "gauge", field->help);
        visit_all(out, field, root, say_number);
        return;
    case MT_REPORT_COUNTER:
        say_head(out, family, "counter", field->help);
        visit_all(out, field, root, field->type == MT_REPORT_COUNTS ? say_counts : say_number);
        return;
    case MT_REPORT_INFO:
        if (!is_first_info(fields, index)) {
            return;
        }
        snprintf(family, sizeof family, "meantime_%s", scope_name(field->scope));
        say_head(out, family, "info", "what describes it");
        visit_all(out, field, root, say_info);
        return;
    case MT_REPORT_STATES_CLOCK:
    case MT_REPORT_STATES_HOLDOVER:
    case MT_REPORT_STATES_ROLE:
    case MT_REPORT_STATES_PORT:
    case MT_REPORT_STATES_SECURITY:
        say_head(out, family, "stateset", field->help);
        visit_all(out, field, root, say_states);
        return;
    case MT_REPORT_STATES_TRANSMITTER:
    case MT_REPORT_STATES_REASON:
        say_head(out, family, "stateset", field->help);
        visit_all(out, field, root, say_states_of_each);
        return;
    }
}

char *mt_report_open_metrics(const char *json)
{
    size_t count;
    const struct mt_report_field *fields = mt_report_fields(&count);
    struct text out = {NULL, 0, 0, false};
    cJSON *root = cJSON_Parse(json);
    if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "daemon"))) {
        cJSON_Delete(root);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        say_field(&out, fields, i, root);
    }
    say(&out, "# EOF\n");
    cJSON_Delete(root);
    if (out.is_out_of_memory) {
        free(out.bytes);
        return NULL;
    }
    return out.bytes;
}
