/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Requests to reload, and to add or remove an NTP server.  A server is added by the same way as by
 * a reload: the configuration in force is written, with one section more or less, read as if it was
 * a file, and taken over.  So it is checked and recorded as a file is.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantimed/daemon.h"
#include "status/control.h"

/* ---- the configuration with one section more or less ----------------------------------------- */

static void write_without(const struct mt_config *config, const char *name, FILE *out)
{
    struct mt_config shown = *config;
    shown.ntps = calloc(config->ntp_count + 1, sizeof *shown.ntps);
    shown.ntp_count = 0;
    for (size_t i = 0; shown.ntps != NULL && i < config->ntp_count; i++) {
        if (strcmp(config->ntps[i].name, name) != 0) {
            shown.ntps[shown.ntp_count++] = config->ntps[i];
        }
    }
    mt_config_write(&shown, out);
    free(shown.ntps);
}

/* Null with problems. */
static struct mt_config *make_config(const struct mt_composition *composition,
                                     const struct mt_control_request *request,
                                     struct mt_config_problems *problems)
{
    struct mt_config *config = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) {
        write_without(composition->config, request->ntp, out);
        if (request->command == MT_CONTROL_ADD) {
            fprintf(out, "\n[ntp %s]\n%s", request->ntp, request->keys);
        }
        fclose(out);
    }
    if (!mt_config_parse(text != NULL ? text : "", length, NULL, NULL, 0, &config, problems)) {
        config = NULL;
    }
    free(text);
    return config;
}

static bool is_asked(const struct mt_composition *composition, const char *name)
{
    const struct mt_config *config = composition->config;
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (strcmp(config->ntps[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool change_servers(struct mt_daemon *self, const struct mt_control_request *request,
                           struct mt_mono now, char ret_reason[MT_DAEMON_REASON_SIZE])
{
    static struct mt_config_problems problems;
    bool is_there = is_asked(self->composition, request->ntp);
    if (is_there == (request->command == MT_CONTROL_ADD)) {
        snprintf(ret_reason, MT_DAEMON_REASON_SIZE, "there is %s [ntp %.200s]%s",
                 is_there ? "an" : "no", request->ntp, is_there ? " already" : "");
        return false;
    }
    struct mt_config *config = make_config(self->composition, request, &problems);
    if (config == NULL) {
        mt_daemon_sum_up(&problems, ret_reason);
        return false;
    }
    bool is_taken = mt_daemon_take(self, config, "changed by the control socket", now, ret_reason);
    mt_config_free(config);
    return is_taken;
}

/* ---- the reply ------------------------------------------------------------------------------- */

static cJSON *list_changes(const struct mt_composition *composition)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < composition->change_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddBoolToObject(item, "applied", composition->changes[i].is_applied);
        cJSON_AddStringToObject(item, "text", composition->changes[i].text);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

/* There may be more than are told one by one. */
static char *reply_changes(const struct mt_composition *composition)
{
    cJSON *outcome = cJSON_CreateObject();
    cJSON_AddNumberToObject(outcome, "applied", (double)composition->applied_count);
    cJSON_AddNumberToObject(outcome, "refused", (double)composition->refused_count);
    cJSON_AddItemToObject(outcome, "changes", list_changes(composition));
    char *json = cJSON_PrintUnformatted(outcome);
    char *reply = json != NULL ? mt_control_reply_json("outcome", json)
                               : mt_control_reply_error("out of memory");
    cJSON_Delete(outcome);
    free(json);
    return reply;
}

char *mt_daemon_change(struct mt_daemon *self, const struct mt_control_request *request,
                       struct mt_mono now)
{
    char reason[MT_DAEMON_REASON_SIZE];
    bool is_reload = request->command == MT_CONTROL_RELOAD;
    bool is_taken = is_reload ? mt_daemon_read_again(self, now, reason)
                              : change_servers(self, request, now, reason);
    if (is_reload) {
        mt_daemon_reload_nts(self);
    }
    return is_taken ? reply_changes(self->composition) : mt_control_reply_error(reason);
}
