/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime set: changes of the running daemon.  Values are read by the schema of the
 * configuration, so that words and limits are the same as in the file; the daemon gets numbers
 * and checks them again. */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/client.h"
#include "config/config.h"
#include "status/control.h"

static bool may_be_set(const char *name)
{
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        if (strcmp(mt_control_setting_name((enum mt_control_setting)i), name) == 0) {
            return true;
        }
    }
    return false;
}

static bool may_be_auto(const char *name)
{
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        if (strcmp(mt_control_setting_name((enum mt_control_setting)i), name) == 0) {
            return mt_control_may_be_auto((enum mt_control_setting)i);
        }
    }
    return false;
}

static const char *setting_name(const void *names, size_t n)
{
    return mt_control_setting_name((enum mt_control_setting)n);
}

/* What is no setting is a slip of the fingers, or a key that only a restart can change. */
static enum mt_exit refuse_key(const char *name, const struct mt_config_key *key)
{
    const char *nearest = mt_config_nearest(name, setting_name, NULL, MT_CONTROL_SETTING_COUNT);
    if (key != NULL) {
        mt_tool_fail("set: %s cannot be changed while the daemon runs; change it in the "
                     "configuration file and restart the daemon",
                     name);
    } else if (nearest != NULL) {
        mt_tool_fail("set: %s: there is no such key; did you mean %s?", name, nearest);
    } else {
        mt_tool_fail("set: %s: there is no such key", name);
    }
    mt_tool_print_settings(stderr);
    return MT_EXIT_BAD;
}

/* A key of any section: it exists, but cannot be set. */
static const struct mt_config_key *find_key(const char *name)
{
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_INSTANCE, name);
    for (unsigned scope = 0; key == NULL && scope < MT_CONFIG_SCOPE_COUNT; scope++) {
        key = mt_config_key_find((enum mt_config_scope)scope, name);
    }
    return key;
}

static void add_value(cJSON *request, const struct mt_config_key *key,
                      const struct mt_config_instance *values)
{
    char text[64];
    mt_config_value_write(key, values, text, sizeof text);
    if (key->type == MT_CONFIG_CODE) {
        cJSON_AddNumberToObject(request, key->name, ((const uint8_t *)values)[key->offset]);
    } else if (key->type == MT_CONFIG_FLAG) {
        cJSON_AddBoolToObject(request, key->name, strcmp(text, "yes") == 0);
    } else {
        cJSON_AddNumberToObject(request, key->name, (double)strtol(text, NULL, 10));
    }
}

static enum mt_exit add_setting(cJSON *request, const char *name, const char *value)
{
    struct mt_config_instance values;
    struct mt_config_pool pool = {NULL};
    memset(&values, 0, sizeof values);
    const struct mt_config_key *key = find_key(name);
    if (key == NULL || !may_be_set(key->name)) {
        return refuse_key(name, key);
    }
    bool is_word = key->word != NULL && strcmp(value, key->word) == 0;
    if (is_word && may_be_auto(key->name)) {
        cJSON_AddStringToObject(request, key->name, key->word);
        return MT_EXIT_GOOD;
    }
    if (is_word || !mt_config_value_parse(key, value, &values, &pool)) {
        struct mt_config_key plain = *key;
        char expected[200];
        plain.word = may_be_auto(key->name) ? key->word : NULL;
        mt_config_expected(&plain, expected, sizeof expected);
        return mt_tool_misuse("%s = %s: expected %s", name, value, expected);
    }
    add_value(request, key, &values);
    return MT_EXIT_GOOD;
}

static enum mt_exit build_request(cJSON *request, int count, char **arguments)
{
    unsigned settings = 0;
    cJSON_AddStringToObject(request, "command", "set");
    for (int i = 0; i < count; i++) {
        const char *instance = mt_tool_option("--instance", count, arguments, &i);
        enum mt_exit status = MT_EXIT_GOOD;
        if (instance != NULL) {
            cJSON_DeleteItemFromObjectCaseSensitive(request, "instance");
            cJSON_AddStringToObject(request, "instance", instance);
            continue;
        }
        char *equals = strchr(arguments[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            status = add_setting(request, arguments[i], equals + 1);
        } else if (i + 1 < count) {
            status = add_setting(request, arguments[i], arguments[i + 1]);
            i++;
        } else {
            status = mt_tool_misuse("set: %s: expected a value", arguments[i]);
        }
        if (status != MT_EXIT_GOOD) {
            return status;
        }
        settings++;
    }
    if (settings == 0) {
        return mt_tool_misuse("set: expected a key and its value, such as priority1 100");
    }
    return MT_EXIT_GOOD;
}

static enum mt_exit send_request(const struct mt_tool *tool, const cJSON *request)
{
    char reason[MT_CLIENT_REASON_SIZE];
    char *line = cJSON_PrintUnformatted(request);
    cJSON *reply = line == NULL ? NULL : mt_client_ask(tool, line, reason);
    enum mt_exit status =
        reply != NULL ? MT_EXIT_GOOD : mt_tool_fail("%s", line == NULL ? "out of memory" : reason);
    free(line);
    cJSON_Delete(reply);
    return status;
}

enum mt_exit mt_tool_set(const struct mt_tool *tool, int count, char **arguments)
{
    cJSON *request = cJSON_CreateObject();
    enum mt_exit status = build_request(request, count, arguments);
    if (status == MT_EXIT_GOOD) {
        status = send_request(tool, request);
    }
    cJSON_Delete(request);
    return status;
}
