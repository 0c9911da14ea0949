/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime status: the report of the running daemon, for people, programs or monitoring. */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/client.h"
#include "apps/meantime/render.h"
#include "status/report.h"

enum form { FOR_PEOPLE, AS_JSON, AS_OPEN_METRICS };

static enum mt_exit print_json(const cJSON *report)
{
    char *text = cJSON_Print(report);
    if (text == NULL) {
        return mt_tool_fail("out of memory");
    }
    puts(text);
    free(text);
    return MT_EXIT_GOOD;
}

static enum mt_exit print_open_metrics(const cJSON *report)
{
    char *json = cJSON_PrintUnformatted(report);
    char *text = json == NULL ? NULL : mt_report_open_metrics(json);
    free(json);
    if (text == NULL) {
        return mt_tool_fail("the daemon's report cannot be turned into metrics");
    }
    fputs(text, stdout);
    free(text);
    return MT_EXIT_GOOD;
}

static enum mt_exit print_text(const struct mt_tool *tool, const cJSON *report)
{
    struct mt_text text = {0};
    mt_render_report(&text, report, mt_tool_width());
    mt_text_print(&text, stdout, tool->in_colour);
    mt_text_free(&text);
    return MT_EXIT_GOOD;
}

static enum mt_exit take_options(int count, char **arguments, enum form *ret_form)
{
    enum form form = FOR_PEOPLE;
    for (int i = 0; i < count; i++) {
        enum form wanted = strcmp(arguments[i], "--json") == 0           ? AS_JSON
                           : strcmp(arguments[i], "--open-metrics") == 0 ? AS_OPEN_METRICS
                                                                         : FOR_PEOPLE;
        if (wanted == FOR_PEOPLE) {
            return mt_tool_misuse("status: unexpected %s", arguments[i]);
        }
        if (form != FOR_PEOPLE && form != wanted) {
            return mt_tool_misuse("status: --json and --open-metrics exclude each other");
        }
        form = wanted;
    }
    *ret_form = form;
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_status(const struct mt_tool *tool, int count, char **arguments)
{
    char reason[MT_CLIENT_REASON_SIZE];
    enum form form = FOR_PEOPLE;
    enum mt_exit status = take_options(count, arguments, &form);
    if (status != MT_EXIT_GOOD) {
        return status;
    }
    cJSON *reply = mt_client_ask(tool, "{\"command\":\"status\"}", reason);
    if (reply == NULL) {
        return mt_tool_fail("%s", reason);
    }
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(reply, "status");
    switch (form) {
    case FOR_PEOPLE:
        status = print_text(tool, report);
        break;
    case AS_JSON:
        status = print_json(report);
        break;
    case AS_OPEN_METRICS:
        status = print_open_metrics(report);
        break;
    }
    cJSON_Delete(reply);
    return status;
}
