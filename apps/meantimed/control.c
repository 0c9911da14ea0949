/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The daemon's end of the control socket: one JSON object in, one out (meantime-control(7)).
 * Whoever can reach the socket may look; only root and the daemon's own user may change.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"
#include "compose/report.h"
#include "meantime_version.h"

/* ---- replies --------------------------------------------------------------------------------- */

static char *refuse(const char *sentence)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddBoolToObject(reply, "ok", 0);
    cJSON_AddStringToObject(reply, "error", sentence);
    char *text = cJSON_PrintUnformatted(reply);
    cJSON_Delete(reply);
    return text;
}

static char *accept_with(const char *name, cJSON *value)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddBoolToObject(reply, "ok", 1);
    if (value != NULL) {
        cJSON_AddItemToObject(reply, name, value);
    }
    char *text = cJSON_PrintUnformatted(reply);
    cJSON_Delete(reply);
    return text;
}

static char *status(struct mt_daemon *self, struct mt_mono now)
{
    const struct mt_report_daemon daemon = {
        .version = MT_VERSION,
        .config_path = self->config->path,
        .pid = getpid(),
    };
    char *report = mt_composition_json(self->composition, &daemon, now);
    if (report == NULL) {
        return refuse("out of memory");
    }
    char *text = accept_with("status", cJSON_CreateRaw(report));
    free(report);
    return text;
}

static char *events(const struct mt_daemon *self, const cJSON *request)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    const cJSON *since = cJSON_GetObjectItemCaseSensitive(request, "since");
    uint64_t sequence =
        cJSON_IsNumber(since) && since->valuedouble > 0 ? (uint64_t)since->valuedouble : 0;
    cJSON *list = cJSON_CreateArray();
    const struct mt_journal_entry *entry;
    while ((entry = mt_journal_find(&self->journal, sequence)) != NULL) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "sequence", (double)entry->sequence);
        cJSON_AddNumberToObject(item, "realtime_ns", (double)entry->realtime_ns);
        cJSON_AddStringToObject(item, "level", levels[entry->level]);
        cJSON_AddStringToObject(item, "text", entry->text);
        cJSON_AddItemToArray(list, item);
        sequence = entry->sequence + 1;
    }
    return accept_with("events", list);
}

/* ---- changes --------------------------------------------------------------------------------- */

struct change {
    struct mt_command priorities;
    struct mt_command quality;
    bool changes_priorities;
    bool changes_quality;
};

/* Takes a number in 0..max from the request.  False if it is there and wrong. */
static bool take(const cJSON *request, const char *key, double max, double *value, bool *changes)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, key);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > max ||
        item->valuedouble != (double)(long)item->valuedouble) {
        return false;
    }
    *value = item->valuedouble;
    *changes = true;
    return true;
}

static const char *wrong_key(const cJSON *request, struct change *change)
{
    const struct {
        const char *key;
        double max;
        bool is_priority;
    } keys[] = {{"priority1", 255, true},
                {"priority2", 255, true},
                {"clock_class", 255, false},
                {"clock_accuracy", 255, false},
                {"offset_scaled_log_variance", 65535, false}};
    double values[] = {
        change->priorities.value.priorities.priority1,
        change->priorities.value.priorities.priority2,
        change->quality.value.quality.clock_class,
        change->quality.value.quality.accuracy,
        change->quality.value.quality.variance,
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool *changes =
            keys[i].is_priority ? &change->changes_priorities : &change->changes_quality;
        if (!take(request, keys[i].key, keys[i].max, &values[i], changes)) {
            return keys[i].key;
        }
    }
    change->priorities.value.priorities.priority1 = (uint8_t)values[0];
    change->priorities.value.priorities.priority2 = (uint8_t)values[1];
    change->quality.value.quality.clock_class = (uint8_t)values[2];
    change->quality.value.quality.accuracy = (uint8_t)values[3];
    change->quality.value.quality.variance = (uint16_t)values[4];
    return NULL;
}

static const char *unknown_key(const cJSON *request)
{
    static const char *const known[] = {"command",
                                        "instance",
                                        "priority1",
                                        "priority2",
                                        "clock_class",
                                        "clock_accuracy",
                                        "offset_scaled_log_variance"};
    const cJSON *item;
    cJSON_ArrayForEach(item, request)
    {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            is_known |= strcmp(item->string, known[i]) == 0;
        }
        if (!is_known) {
            return item->string;
        }
    }
    return NULL;
}

static char *apply(struct mt_daemon *self, uint16_t index, const struct change *change,
                   struct mt_mono now)
{
    struct mt_node *node = &self->composition->node;
    struct mt_recorder *recorder = self->recorder;
    if (!change->changes_priorities && !change->changes_quality) {
        return refuse("set: nothing to change was named");
    }
    if (change->changes_quality &&
        !mt_recorder_command(recorder, node, index, &change->quality, now)) {
        return refuse("set: a receiver-only clock has class 255 and keeps it");
    }
    if (change->changes_priorities) {
        mt_recorder_command(recorder, node, index, &change->priorities, now);
    }
    mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0,
                     "instance %s was changed through the control socket",
                     self->config->instances[index].name);
    return accept_with(NULL, NULL);
}

static char *set(struct mt_daemon *self, const cJSON *request, struct mt_mono now)
{
    char sentence[160];
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "instance");
    const char *instance =
        cJSON_IsString(name) ? name->valuestring : self->config->instances[0].name;
    int index = mt_composition_find_instance(self->composition, instance);
    if (index < 0) {
        snprintf(sentence, sizeof sentence, "there is no instance %.64s", instance);
        return refuse(sentence);
    }
    const struct mt_instance_config *config = &self->composition->node.instances[index].ptp.config;
    struct change change = {
        .priorities = {.kind = MT_COMMAND_PRIORITIES,
                       .value.priorities = {config->priority1, config->priority2}},
        .quality = {.kind = MT_COMMAND_QUALITY, .value.quality = config->quality},
    };
    const char *wrong = unknown_key(request);
    if (wrong != NULL) {
        snprintf(sentence, sizeof sentence, "set: %.64s cannot be changed while running", wrong);
        return refuse(sentence);
    }
    wrong = wrong_key(request, &change);
    if (wrong != NULL) {
        snprintf(sentence, sizeof sentence, "set: %.64s is not a number in its range", wrong);
        return refuse(sentence);
    }
    return apply(self, (uint16_t)index, &change, now);
}

/* ---- requests -------------------------------------------------------------------------------- */

static char *answer(struct mt_daemon *self, const cJSON *request, bool may_change)
{
    struct mt_hal_wait *wait = self->provider->wait;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "command");
    const char *command = cJSON_IsString(item) ? item->valuestring : "";
    if (strcmp(command, "ping") == 0) {
        return accept_with(NULL, NULL);
    }
    if (strcmp(command, "status") == 0) {
        return status(self, wait->ops->now(wait));
    }
    if (strcmp(command, "events") == 0) {
        return events(self, request);
    }
    if (strcmp(command, "set") == 0) {
        return may_change ? set(self, request, wait->ops->now(wait))
                          : refuse("set: only root and the daemon's own user may change anything");
    }
    return refuse("unknown command; known are ping, status, events and set");
}

char *mt_daemon_control(void *context, const char *line, uid_t uid)
{
    struct mt_daemon *self = context;
    cJSON *request = cJSON_Parse(line);
    if (!cJSON_IsObject(request)) {
        cJSON_Delete(request);
        return refuse("a request is one JSON object on one line");
    }
    char *reply = answer(self, request, uid == 0 || uid == geteuid());
    cJSON_Delete(request);
    return reply;
}
