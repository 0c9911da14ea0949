/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime check and meantime explain: the configuration without a daemon. */
#include <stdio.h>
#include <string.h>

#include "apps/meantime/tool.h"
#include "config/config.h"

static enum mt_exit say_problems(const struct mt_config_problems *problems, const char *path)
{
    size_t count = problems->count + problems->omitted;
    mt_config_problems_print(problems, stdout);
    printf("%s: %zu %s\n", path, count, count == 1 ? "problem" : "problems");
    return MT_EXIT_BAD;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

enum mt_exit mt_tool_check(const struct mt_tool *tool, int count, char **arguments)
{
    static struct mt_config_problems problems;
    const char *path = NULL;
    struct mt_config *config;
    bool shows = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--show") == 0) {
            shows = true;
        } else if (path == NULL && arguments[i][0] != '-') {
            path = arguments[i];
        } else {
            return mt_tool_misuse("check: unexpected %s", arguments[i]);
        }
    }
    if (path == NULL) {
        path = MT_TOOL_CONFIG;
    }
    if (!mt_config_load(path, &config, &problems)) {
        return say_problems(&problems, path);
    }
    if (shows) {
        mt_config_write(config, stdout);
    } else {
        printf("%s: no problems (%zu clock%s, %zu instance%s, %zu port%s)\n", path,
               config->clock_count, plural(config->clock_count), config->instance_count,
               plural(config->instance_count), config->port_count, plural(config->port_count));
    }
    mt_config_free(config);
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_explain(const struct mt_tool *tool, int count, char **arguments)
{
    if (count > 1) {
        return mt_tool_misuse("explain: expected one key");
    }
    return mt_config_explain(count == 0 ? NULL : arguments[0], stdout) ? MT_EXIT_GOOD : MT_EXIT_BAD;
}
