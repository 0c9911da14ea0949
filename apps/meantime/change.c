/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime reload, add and remove: the configuration of the running daemon.  Keys go there as text,
 * as they would stand in the file, and the daemon checks them as it checks that. */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/client.h"
#include "config/schema.h"

static int count_of(const cJSON *outcome, const char *name)
{
    return (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(outcome, name));
}

/* Bad if anything is not in force that was asked for. */
static enum mt_exit print_outcome(const cJSON *outcome)
{
    const cJSON *change;
    const cJSON *changes = cJSON_GetObjectItemCaseSensitive(outcome, "changes");
    int refused = count_of(outcome, "refused");
    int more = count_of(outcome, "applied") + refused - cJSON_GetArraySize(changes);
    cJSON_ArrayForEach(change, changes)
    {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "text"));
        puts(text != NULL ? text : "");
    }
    if (more > 0) {
        printf("and %d more\n", more);
    } else if (cJSON_GetArraySize(changes) == 0) {
        puts("nothing has changed");
    }
    return refused > 0 ? MT_EXIT_BAD : MT_EXIT_GOOD;
}

/* The request is deleted. */
static enum mt_exit ask(const struct mt_tool *tool, cJSON *request)
{
    char reason[MT_CLIENT_REASON_SIZE] = "out of memory";
    char *line = cJSON_PrintUnformatted(request);
    cJSON *reply = line != NULL ? mt_client_ask(tool, line, reason) : NULL;
    enum mt_exit status = reply != NULL
                              ? print_outcome(cJSON_GetObjectItemCaseSensitive(reply, "outcome"))
                              : mt_tool_fail("%s", reason);
    cJSON_Delete(reply);
    cJSON_Delete(request);
    free(line);
    return status;
}

static cJSON *begin(const char *command)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "command", command);
    return request;
}

enum mt_exit mt_tool_reload(const struct mt_tool *tool, int count, char **arguments)
{
    if (count > 0) {
        return mt_tool_misuse("reload: unexpected %s", arguments[0]);
    }
    return ask(tool, begin("reload"));
}

/* False: neither KEY=VALUE nor KEY VALUE. */
static bool add_keys(cJSON *keys, int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        char *equals = strchr(arguments[i], '=');
        bool is_apart = equals == NULL;
        if (is_apart && i + 1 == count) {
            return false;
        }
        if (!is_apart) {
            *equals = '\0';
        }
        cJSON_AddStringToObject(keys, arguments[i], is_apart ? arguments[i + 1] : equals + 1);
        i += is_apart;
    }
    return true;
}

/* Chrony's options without a value have one here. */
static enum mt_exit refuse_word(const char *word)
{
    const struct mt_config_foreign *foreign = mt_config_foreign_find(word, 0);
    char advice[300];
    if (foreign == NULL) {
        return mt_tool_misuse("add: %s: expected a value", word);
    }
    mt_config_foreign_say(foreign, advice, sizeof advice);
    return mt_tool_misuse("add: %s: expected a value; %s", word, advice);
}

enum mt_exit mt_tool_add(const struct mt_tool *tool, int count, char **arguments)
{
    if (count < 2 || strcmp(arguments[0], "ntp") != 0) {
        return mt_tool_misuse("add: expected ntp and the name of a server");
    }
    cJSON *request = begin("add");
    cJSON_AddStringToObject(request, "ntp", arguments[1]);
    if (!add_keys(cJSON_AddObjectToObject(request, "keys"), count - 2, arguments + 2)) {
        cJSON_Delete(request);
        return refuse_word(arguments[count - 1]);
    }
    return ask(tool, request);
}

enum mt_exit mt_tool_remove(const struct mt_tool *tool, int count, char **arguments)
{
    if (count != 2 || strcmp(arguments[0], "ntp") != 0) {
        return mt_tool_misuse("remove: expected ntp and the name of a server");
    }
    cJSON *request = begin("remove");
    cJSON_AddStringToObject(request, "ntp", arguments[1]);
    return ask(tool, request);
}
