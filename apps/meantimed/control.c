/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The daemon's end of the control socket: status/control.h knows the protocol, this carries
 * requests out.  Whoever can reach the socket may look; only root and the daemon's own user may
 * change.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"
#include "compose/report.h"
#include "config/schema.h"
#include "meantime_version.h"
#include "runtime/foreign_time.h"
#include "status/control.h"
#include "status/events.h"

static char *reply_json(const char *key, char *json)
{
    char *reply =
        json != NULL ? mt_control_reply_json(key, json) : mt_control_reply_error("out of memory");
    free(json);
    return reply;
}

static char *status(struct mt_daemon *self, struct mt_mono now)
{
    const struct mt_report_daemon daemon = {
        .version = MT_VERSION,
        .config_path = self->config->path,
        .pid = getpid(),
        .recording = mt_daemon_recording(self),
        .leap_list = mt_leap_list_name(self->told_list),
        .leap_list_ends_s = self->list.list_expires_s,
    };
    return reply_json("status", mt_composition_json(self->composition, &daemon, now));
}

/* Seconds as text: nanoseconds since 1970 do not fit into JSON's numbers. */
static cJSON *entry_object(const struct mt_journal_entry *entry)
{
    char realtime_s[32];
    cJSON *item = cJSON_CreateObject();
    snprintf(realtime_s, sizeof realtime_s, "%lld.%09lld",
             (long long)(entry->realtime_ns / MT_NS_PER_S),
             (long long)(entry->realtime_ns % MT_NS_PER_S));
    cJSON_AddNumberToObject(item, "sequence", (double)entry->sequence);
    cJSON_AddStringToObject(item, "realtime_s", realtime_s);
    cJSON_AddStringToObject(item, "level",
                            mt_status_level_name((enum mt_status_level)entry->level));
    cJSON_AddStringToObject(item, "text", entry->text);
    return item;
}

static char *events(const struct mt_daemon *self, uint64_t since)
{
    cJSON *list = cJSON_CreateArray();
    const struct mt_journal_entry *entry;
    while ((entry = mt_journal_find(&self->journal, since)) != NULL) {
        cJSON_AddItemToArray(list, entry_object(entry));
        since = entry->sequence + 1;
    }
    char *json = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return reply_json("events", json);
}

/* As the configuration file has it: words where it has words. */
static void setting_text(const char *name, int64_t value, char *text, size_t size)
{
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_INSTANCE, name);
    struct mt_config_instance values;
    if (key != NULL && key->type == MT_CONFIG_CODE) {
        memset(&values, 0, sizeof values);
        ((uint8_t *)&values)[key->offset] = (uint8_t)value;
        mt_config_value_write(key, &values, text, size);
    } else if (key != NULL && key->type == MT_CONFIG_FLAG) {
        snprintf(text, size, "%s", value != 0 ? "yes" : "no");
    } else {
        snprintf(text, size, "%lld", (long long)value);
    }
}

static void tell_settings(struct mt_daemon *self, const struct mt_control_request *request)
{
    for (int setting = 0; setting < MT_CONTROL_SETTING_COUNT; setting++) {
        const char *name = mt_control_setting_name((enum mt_control_setting)setting);
        char text[64];
        if (request->is_given[setting] || request->is_auto[setting]) {
            setting_text(name, request->value[setting], text, sizeof text);
            if (request->is_auto[setting]) {
                snprintf(text, sizeof text, "auto");
            }
            mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0,
                             "instance %s: %s is %s now, by the control socket", request->instance,
                             name, text);
        }
    }
}

/* Why an instance may not do this; null if it may. */
static const char *refusal_of(const struct mt_instance_config *config,
                              const struct mt_command *command)
{
    const uint16_t leaps = MT_PTP_LEAP_61 | MT_PTP_LEAP_59;
    if (command->kind == MT_COMMAND_QUALITY && config->is_receiver_only &&
        command->value.quality.clock_class != 255) {
        return "a receiver-only clock has class 255 and keeps it";
    }
    if (command->kind == MT_COMMAND_TIME_PROPERTIES &&
        (command->value.time.flags & leaps) == leaps) {
        return "leap61 and leap59 exclude each other: a minute is only one of them";
    }
    return NULL;
}

static bool profile_allows(const struct mt_composition *composition, uint16_t index,
                           const struct mt_control_request *request, char *sentence)
{
    for (int setting = 0; setting < MT_CONTROL_SETTING_COUNT; setting++) {
        const char *name = mt_control_setting_name((enum mt_control_setting)setting);
        if (request->is_given[setting] &&
            !mt_composition_allows(composition, index, name, request->value[setting], sentence)) {
            return false;
        }
    }
    return true;
}

static void make_auto(struct mt_daemon *self, const struct mt_control_request *request,
                      uint16_t index, struct mt_mono now)
{
    const struct mt_order order = {
        .kind = MT_ORDER_AUTO,
        .now = now,
        .instance = index,
        .class_is_auto = request->is_auto[MT_CONTROL_CLOCK_CLASS],
        .variance_is_auto = request->is_auto[MT_CONTROL_VARIANCE],
        .utc_offset_is_auto = request->is_auto[MT_CONTROL_UTC_OFFSET],
    };
    bool is_quality = order.class_is_auto || order.variance_is_auto;
    if (!is_quality && !order.utc_offset_is_auto) {
        return;
    }
    mt_recorder_begin(self->recorder, &order);
    if (is_quality) {
        mt_foreign_time_make_auto(&self->composition->node, index, order.class_is_auto,
                                  order.variance_is_auto, now);
    }
    if (order.utc_offset_is_auto) {
        mt_composition_make_utc_offset_auto(self->composition, index, now);
    }
    mt_recorder_end(self->recorder);
}

static char *set(struct mt_daemon *self, const struct mt_control_request *request,
                 struct mt_mono now)
{
    struct mt_node *node = &self->composition->node;
    struct mt_command commands[MT_CONTROL_COMMANDS_MAX];
    char sentence[MT_CONTROL_REASON_SIZE + MT_HAL_REASON_SIZE];
    int index = mt_composition_find_instance(self->composition, request->instance);
    if (index < 0) {
        snprintf(sentence, sizeof sentence, "there is no instance %s", request->instance);
        return mt_control_reply_error(sentence);
    }
    const struct mt_instance_config *config = &node->instances[index].ptp.config;
    size_t count = mt_control_commands(request, config, commands);
    if (!profile_allows(self->composition, (uint16_t)index, request, sentence)) {
        return mt_control_reply_error(sentence);
    }
    for (size_t i = 0; i < count; i++) { /* all of it or nothing */
        const char *refusal = refusal_of(config, &commands[i]);
        if (refusal != NULL) {
            return mt_control_reply_error(refusal);
        }
    }
    for (size_t i = 0; i < count; i++) {
        mt_recorder_command(self->recorder, node, (uint16_t)index, &commands[i], now);
    }
    make_auto(self, request, (uint16_t)index, now);
    tell_settings(self, request);
    return mt_control_reply_ok(NULL);
}

static char *answer(struct mt_daemon *self, const struct mt_control_request *request,
                    bool may_change)
{
    struct mt_hal_wait *wait = self->provider->wait;
    switch (request->command) {
    case MT_CONTROL_PING:
        return mt_control_reply_ok(MT_VERSION);
    case MT_CONTROL_STATUS:
        return status(self, wait->ops->now(wait));
    case MT_CONTROL_EVENTS:
        return events(self, request->since);
    case MT_CONTROL_SET:
    case MT_CONTROL_RELOAD:
    case MT_CONTROL_ADD:
    case MT_CONTROL_REMOVE:
        break;
    }
    if (!may_change) {
        return mt_control_reply_error("only root and the daemon's own user may change anything");
    }
    if (request->command == MT_CONTROL_SET) {
        return set(self, request, wait->ops->now(wait));
    }
    return mt_daemon_change(self, request, wait->ops->now(wait));
}

char *mt_daemon_control(void *context, const char *line, uid_t uid)
{
    struct mt_control_request request;
    char reason[MT_CONTROL_REASON_SIZE];
    char *reply = mt_control_parse(line, strlen(line), &request, reason)
                      ? answer(context, &request, uid == 0 || uid == geteuid())
                      : mt_control_reply_error(reason);
    if (reply != NULL) {
        reply[strcspn(reply, "\n")] = '\0'; /* the socket ends the line itself */
    }
    return reply;
}
