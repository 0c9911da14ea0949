/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime events: what the daemon has told in its log, for those who cannot read that, or want
 * objects.  To follow it, the daemon is asked twice a second for what came since; a daemon that
 * has been started again counts from the beginning, and so do we. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/meantime/client.h"
#include "apps/meantime/text.h"

#define PAUSE_MS 500

struct events {
    const struct mt_tool *tool;
    bool as_json;
    bool follows;
    double last;        /* sequence number of the last one that was printed; -1: none */
    char last_time[32]; /* and when it came */
};

static const char *string_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "";
}

/* "1790000000.123456789" as local time; as it is if it is no time. */
static void say_time(struct mt_text *out, const char *realtime_s)
{
    char *rest;
    char text[32];
    time_t seconds = (time_t)strtoll(realtime_s, &rest, 10);
    struct tm parts;
    if (*rest != '.' || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%F %T", &parts) == 0) {
        mt_text_say(out, "%s ", realtime_s);
        return;
    }
    mt_text_say(out, "%s%.4s ", text, rest);
}

static void print_event(const struct events *self, const cJSON *event)
{
    struct mt_text out = {0};
    if (self->as_json) {
        char *json = cJSON_PrintUnformatted(event);
        puts(json != NULL ? json : "{}");
        free(json);
        return;
    }
    const char *level = string_of(event, "level");
    bool is_bad = strcmp(level, "error") == 0;
    say_time(&out, string_of(event, "realtime_s"));
    if (is_bad || strcmp(level, "warning") == 0) {
        mt_text_say(&out, "%s%s:" MT_PLAIN " ", is_bad ? MT_BAD : MT_WARN, level);
    }
    mt_text_say(&out, "%s\n", string_of(event, "text"));
    mt_text_print(&out, stdout, self->tool->in_colour);
    mt_text_free(&out);
}

/* The last one, if there was any, and those behind it. */
static cJSON *ask(struct events *self, char reason[MT_CLIENT_REASON_SIZE])
{
    char request[80];
    snprintf(request, sizeof request, "{\"command\":\"events\",\"since\":%.0f}",
             self->last > 0 ? self->last : 0);
    return mt_client_ask(self->tool, request, reason);
}

/* Whether this is the daemon that told the last one. */
static bool is_same(const struct events *self, const cJSON *events)
{
    const cJSON *first = cJSON_GetArrayItem(events, 0);
    return self->last < 0 || strcmp(string_of(first, "realtime_s"), self->last_time) == 0;
}

static void print_events(struct events *self, const cJSON *events)
{
    const cJSON *event;
    cJSON_ArrayForEach(event, events)
    {
        const cJSON *sequence = cJSON_GetObjectItemCaseSensitive(event, "sequence");
        if (cJSON_IsNumber(sequence) && sequence->valuedouble > self->last) {
            print_event(self, event);
            self->last = sequence->valuedouble;
            snprintf(self->last_time, sizeof self->last_time, "%s", string_of(event, "realtime_s"));
        }
    }
}

/* False with a reason if nobody answers. */
static bool look(struct events *self, char reason[MT_CLIENT_REASON_SIZE])
{
    cJSON *reply = ask(self, reason);
    const cJSON *events = cJSON_GetObjectItemCaseSensitive(reply, "events");
    if (reply != NULL && !is_same(self, events)) {
        self->last = -1;
        cJSON_Delete(reply);
        reply = ask(self, reason);
        events = cJSON_GetObjectItemCaseSensitive(reply, "events");
    }
    print_events(self, events);
    cJSON_Delete(reply);
    return reply != NULL;
}

static enum mt_exit follow(struct events *self)
{
    char reason[MT_CLIENT_REASON_SIZE];
    bool is_away = false;
    while (fflush(stdout) == 0) {
        poll(NULL, 0, PAUSE_MS);
        bool is_there = look(self, reason);
        if (!is_there && !is_away) {
            mt_tool_fail("%s", reason);
        }
        is_away = !is_there;
    }
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_events(const struct mt_tool *tool, int count, char **arguments)
{
    char reason[MT_CLIENT_REASON_SIZE];
    struct events self = {.tool = tool, .last = -1};
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0) {
            self.as_json = true;
        } else if (strcmp(arguments[i], "--follow") == 0 || strcmp(arguments[i], "-f") == 0) {
            self.follows = true;
        } else {
            return mt_tool_misuse("events: unexpected %s", arguments[i]);
        }
    }
    if (!look(&self, reason)) {
        return mt_tool_fail("%s", reason);
    }
    return self.follows ? follow(&self) : MT_EXIT_GOOD;
}
