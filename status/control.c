/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Requests and replies of the control socket.  A request is checked completely before anything
 * is done: unknown members are refused too, since a misspelt setting that is silently ignored
 * looks like one that was made. */
#include "status/control.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    const char *name;
    int64_t min;
    int64_t max;
};
static const struct setting settings[] = {
#define MT_CONTROL_SETTING(symbol, name, min, max) {#name, min, max},
#include "status/control.def"
#undef MT_CONTROL_SETTING
};

const char *mt_control_setting_name(enum mt_control_setting setting)
{
    return settings[setting].name;
}

int64_t mt_control_setting_min(enum mt_control_setting setting)
{
    return settings[setting].min;
}

int64_t mt_control_setting_max(enum mt_control_setting setting)
{
    return settings[setting].max;
}

bool mt_control_may_be_auto(enum mt_control_setting setting)
{
    return setting == MT_CONTROL_CLOCK_CLASS || setting == MT_CONTROL_VARIANCE ||
           setting == MT_CONTROL_UTC_OFFSET;
}

/* ---- requests ----------------------------------------------------------------------------- */

static bool is_whole_number(const cJSON *item, double min, double max)
{
    return cJSON_IsNumber(item) && item->valuedouble >= min && item->valuedouble <= max &&
           item->valuedouble == (double)(int64_t)item->valuedouble;
}

static bool take_setting(const cJSON *item, struct mt_control_request *request, char *reason)
{
    for (size_t i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        if (strcmp(item->string, setting->name) != 0) {
            continue;
        }
        const char *word = cJSON_GetStringValue(item);
        if (word != NULL && strcmp(word, "auto") == 0 &&
            mt_control_may_be_auto((enum mt_control_setting)i)) {
            request->is_auto[i] = true;
            return true;
        }
        bool is_flag = cJSON_IsBool(item) && setting->max == 1;
        if (!is_flag && !is_whole_number(item, (double)setting->min, (double)setting->max)) {
            snprintf(reason, MT_CONTROL_REASON_SIZE,
                     "%s: expected an integer from %" PRId64 " to %" PRId64, setting->name,
                     setting->min, setting->max);
            return false;
        }
        request->value[i] = is_flag ? cJSON_IsTrue(item) : (int64_t)item->valuedouble;
        request->is_given[i] = true;
        return true;
    }
    snprintf(reason, MT_CONTROL_REASON_SIZE, "%.64s: unknown setting", item->string);
    return false;
}

static bool take_instance(const cJSON *item, struct mt_control_request *request, char *reason)
{
    const char *name = cJSON_GetStringValue(item);
    if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof request->instance) {
        snprintf(reason, MT_CONTROL_REASON_SIZE, "instance: expected its name");
        return false;
    }
    strcpy(request->instance, name);
    return true;
}

static bool parse_set(const cJSON *root, struct mt_control_request *request, char *reason)
{
    const cJSON *item;
    unsigned count = 0;
    strcpy(request->instance, "main");
    cJSON_ArrayForEach(item, root)
    {
        bool is_good = true;
        if (strcmp(item->string, "instance") == 0) {
            is_good = take_instance(item, request, reason);
        } else if (strcmp(item->string, "command") != 0) {
            is_good = take_setting(item, request, reason);
            count++;
        }
        if (!is_good) {
            return false;
        }
    }
    if (count == 0) {
        snprintf(reason, MT_CONTROL_REASON_SIZE, "set: expected at least one setting");
    }
    return count > 0;
}

/* Members that the command does not know are refused. */
static bool has_only(const cJSON *root, const char *name, char *reason)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        if (strcmp(item->string, "command") == 0 ||
            (name != NULL && strcmp(item->string, name) == 0)) {
            continue;
        }
        snprintf(reason, MT_CONTROL_REASON_SIZE, "%.64s: unknown member", item->string);
        return false;
    }
    return true;
}

static bool parse_events(const cJSON *root, struct mt_control_request *request, char *reason)
{
    const cJSON *since = cJSON_GetObjectItemCaseSensitive(root, "since");
    if (since != NULL && !is_whole_number(since, 0, 1e15)) {
        snprintf(reason, MT_CONTROL_REASON_SIZE, "since: expected the id of an event");
        return false;
    }
    request->since = since == NULL ? 0 : (uint64_t)since->valuedouble;
    return has_only(root, "since", reason);
}

/* What ends a line or a heading could begin another one. */
static bool is_one_line(const char *text, const char *but)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F || strchr(but, *c) != NULL) {
            return false;
        }
    }
    return text[0] != '\0';
}

static bool take_server(const cJSON *root, struct mt_control_request *request, char *reason)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "ntp"));
    if (name == NULL || strlen(name) >= sizeof request->ntp || !is_one_line(name, "[] ")) {
        snprintf(reason, MT_CONTROL_REASON_SIZE, "ntp: expected the name of a server");
        return false;
    }
    strcpy(request->ntp, name);
    return true;
}

static bool take_keys(const cJSON *keys, struct mt_control_request *request, char *reason)
{
    const cJSON *item;
    size_t length = 0;
    if (keys != NULL && !cJSON_IsObject(keys)) {
        snprintf(reason, MT_CONTROL_REASON_SIZE, "keys: expected an object of texts");
        return false;
    }
    cJSON_ArrayForEach(item, keys)
    {
        const char *value = cJSON_GetStringValue(item);
        size_t room = sizeof request->keys - length;
        if (value == NULL || !is_one_line(value, "") || !is_one_line(item->string, "=:;#[] ")) {
            snprintf(reason, MT_CONTROL_REASON_SIZE,
                     "keys: expected a key and its value as text, such as \"min_poll\":\"4\"");
            return false;
        }
        int written = snprintf(request->keys + length, room, "%s = %s\n", item->string, value);
        if (written < 0 || (size_t)written >= room) {
            snprintf(reason, MT_CONTROL_REASON_SIZE, "keys: there are too many");
            return false;
        }
        length += (size_t)written;
    }
    return true;
}

static bool parse_add(const cJSON *root, struct mt_control_request *request, char *reason)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        if (strcmp(item->string, "command") != 0 && strcmp(item->string, "ntp") != 0 &&
            strcmp(item->string, "keys") != 0) {
            snprintf(reason, MT_CONTROL_REASON_SIZE, "%.64s: unknown member", item->string);
            return false;
        }
    }
    return take_server(root, request, reason) &&
           take_keys(cJSON_GetObjectItemCaseSensitive(root, "keys"), request, reason);
}

static bool parse_change(const cJSON *root, const char *command, struct mt_control_request *request,
                         char *reason)
{
    if (strcmp(command, "reload") == 0) {
        request->command = MT_CONTROL_RELOAD;
        return has_only(root, NULL, reason);
    }
    if (strcmp(command, "add") == 0) {
        request->command = MT_CONTROL_ADD;
        return parse_add(root, request, reason);
    }
    if (strcmp(command, "remove") == 0) {
        request->command = MT_CONTROL_REMOVE;
        return has_only(root, "ntp", reason) && take_server(root, request, reason);
    }
    snprintf(reason, MT_CONTROL_REASON_SIZE,
             "%.64s: unknown command; there are ping, status, set, events, reload, add and remove",
             command);
    return false;
}

static bool parse_object(const cJSON *root, struct mt_control_request *request, char *reason)
{
    const char *command = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "command"));
    if (!cJSON_IsObject(root) || command == NULL) {
        snprintf(reason, MT_CONTROL_REASON_SIZE,
                 "expected a JSON object with a member \"command\"");
        return false;
    }
    if (strcmp(command, "ping") == 0) {
        request->command = MT_CONTROL_PING;
        return has_only(root, NULL, reason);
    }
    if (strcmp(command, "status") == 0) {
        request->command = MT_CONTROL_STATUS;
        return has_only(root, NULL, reason);
    }
    if (strcmp(command, "set") == 0) {
        request->command = MT_CONTROL_SET;
        return parse_set(root, request, reason);
    }
    if (strcmp(command, "events") == 0) {
        request->command = MT_CONTROL_EVENTS;
        return parse_events(root, request, reason);
    }
    return parse_change(root, command, request, reason);
}

bool mt_control_parse(const char *line, size_t length, struct mt_control_request *ret_request,
                      char ret_reason[MT_CONTROL_REASON_SIZE])
{
    struct mt_control_request request;
    memset(&request, 0, sizeof request);
    if (length > MT_CONTROL_LINE_MAX) {
        snprintf(ret_reason, MT_CONTROL_REASON_SIZE, "the request is longer than %d octets",
                 MT_CONTROL_LINE_MAX);
        return false;
    }
    cJSON *root = cJSON_ParseWithLength(line, length);
    bool is_good = parse_object(root, &request, ret_reason);
    cJSON_Delete(root);
    if (is_good) {
        *ret_request = request;
    }
    return is_good;
}

/* ---- set ---------------------------------------------------------------------------------- */

static bool any_given(const struct mt_control_request *self, enum mt_control_setting first,
                      enum mt_control_setting last)
{
    for (unsigned i = first; i <= (unsigned)last; i++) {
        if (self->is_given[i]) {
            return true;
        }
    }
    return false;
}

/* The new value, or the old one if the request says nothing. */
static int64_t choose(const struct mt_control_request *self, enum mt_control_setting setting,
                      int64_t old)
{
    return self->is_given[setting] ? self->value[setting] : old;
}

static void choose_flag(const struct mt_control_request *self, enum mt_control_setting setting,
                        uint16_t flag, uint16_t *flags)
{
    if (self->is_given[setting]) {
        *flags = (uint16_t)(self->value[setting] != 0 ? *flags | flag : *flags & ~flag);
    }
}

static struct mt_time_properties choose_time(const struct mt_control_request *self,
                                             struct mt_time_properties time)
{
    time.utc_offset = (int16_t)choose(self, MT_CONTROL_UTC_OFFSET, time.utc_offset);
    if (self->is_given[MT_CONTROL_UTC_OFFSET]) {
        time.flags |= MT_PTP_UTC_OFFSET_VALID;
    }
    choose_flag(self, MT_CONTROL_LEAP61, MT_PTP_LEAP_61, &time.flags);
    choose_flag(self, MT_CONTROL_LEAP59, MT_PTP_LEAP_59, &time.flags);
    choose_flag(self, MT_CONTROL_TIME_TRACEABLE, MT_PTP_TIME_TRACEABLE, &time.flags);
    choose_flag(self, MT_CONTROL_FREQUENCY_TRACEABLE, MT_PTP_FREQUENCY_TRACEABLE, &time.flags);
    time.time_source = (uint8_t)choose(self, MT_CONTROL_TIME_SOURCE, time.time_source);
    return time;
}

size_t mt_control_commands(const struct mt_control_request *request,
                           const struct mt_instance_config *now,
                           struct mt_command ret_commands[MT_CONTROL_COMMANDS_MAX])
{
    size_t count = 0;
    memset(ret_commands, 0, MT_CONTROL_COMMANDS_MAX * sizeof ret_commands[0]);
    if (any_given(request, MT_CONTROL_PRIORITY1, MT_CONTROL_PRIORITY2)) {
        struct mt_command *command = &ret_commands[count++];
        command->kind = MT_COMMAND_PRIORITIES;
        command->value.priorities.priority1 =
            (uint8_t)choose(request, MT_CONTROL_PRIORITY1, now->priority1);
        command->value.priorities.priority2 =
            (uint8_t)choose(request, MT_CONTROL_PRIORITY2, now->priority2);
    }
    if (any_given(request, MT_CONTROL_CLOCK_CLASS, MT_CONTROL_VARIANCE)) {
        struct mt_command *command = &ret_commands[count++];
        const struct mt_clock_quality *old = &now->quality;
        command->kind = MT_COMMAND_QUALITY;
        command->value.quality = (struct mt_clock_quality){
            .clock_class = (uint8_t)choose(request, MT_CONTROL_CLOCK_CLASS, old->clock_class),
            .accuracy = (uint8_t)choose(request, MT_CONTROL_CLOCK_ACCURACY, old->accuracy),
            .variance = (uint16_t)choose(request, MT_CONTROL_VARIANCE, old->variance),
        };
    }
    if (any_given(request, MT_CONTROL_UTC_OFFSET, MT_CONTROL_TIME_SOURCE)) {
        struct mt_command *command = &ret_commands[count++];
        command->kind = MT_COMMAND_TIME_PROPERTIES;
        command->value.time = choose_time(request, now->time);
    }
    return count;
}

/* ---- replies ------------------------------------------------------------------------------ */

static char *print_line(cJSON *root)
{
    char *text = cJSON_PrintUnformatted(root);
    size_t length = text == NULL ? 0 : strlen(text);
    char *line = text == NULL ? NULL : realloc(text, length + 2);
    cJSON_Delete(root);
    if (line == NULL) {
        free(text);
    } else {
        strcpy(line + length, "\n");
    }
    return line;
}

char *mt_control_reply_ok(const char *version)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddTrueToObject(root, "ok");
    if (version != NULL) {
        cJSON_AddStringToObject(root, "version", version);
    }
    return print_line(root);
}

char *mt_control_reply_error(const char *sentence)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddFalseToObject(root, "ok");
    cJSON_AddStringToObject(root, "error", sentence);
    return print_line(root);
}

char *mt_control_reply_json(const char *key, const char *json)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddTrueToObject(root, "ok");
    cJSON_AddRawToObject(root, key, json);
    return print_line(root);
}
