/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime, the tool: a table of commands.  Options that say where the daemon is may stand before
 * or behind the command, and --help behind any; all else is the command's own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/meantime/tool.h"
#include "config/schema.h"
#include "meantime_version.h"

static mt_tool_command help;
static mt_tool_command version;

struct command {
    const char *name; /* as in the help */
    mt_tool_command *run;
};
static const struct command commands[] = {
    {"status", mt_tool_status},   {"watch", mt_tool_watch},
    {"clock", mt_tool_clock},     {"set", mt_tool_set},
    {"reload", mt_tool_reload},   {"add", mt_tool_add},
    {"remove", mt_tool_remove},   {"events", mt_tool_events},
    {"wait", mt_tool_wait},       {"check", mt_tool_check},
    {"explain", mt_tool_explain}, {"keys", mt_tool_keys},
    {"replay", mt_tool_replay},   {"pmc", mt_tool_pmc},
    {"sim", mt_tool_sim},         {"import", mt_tool_import},
    {"sources", mt_tool_sources}, {"why", mt_tool_why},
    {"version", version},         {"help", help},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* The command that is running, as its help calls it; "" while there is none. */
static const char *running = "";

enum mt_exit mt_tool_fail(const char *format, ...)
{
    va_list arguments;
    fputs("meantime: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return MT_EXIT_BAD;
}

enum mt_exit mt_tool_misuse(const char *format, ...)
{
    va_list arguments;
    fputs("meantime: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see `meantime help%s%s`\n", running[0] != '\0' ? " " : "", running);
    return MT_EXIT_USAGE;
}

const char *mt_tool_option(const char *name, int count, char **arguments, int *at)
{
    const char *argument = arguments[*at];
    size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0) {
        return NULL;
    }
    if (argument[length] == '=') {
        return argument + length + 1;
    }
    if (argument[length] != '\0') {
        return NULL;
    }
    if (*at + 1 >= count) {
        return "";
    }
    return arguments[++*at];
}

size_t mt_tool_width(void)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : 80;
}

bool mt_tool_number(const char *text, double min, double max, double *ret_value)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= min && value <= max)) {
        return false;
    }
    *ret_value = value;
    return true;
}

static enum mt_exit refuse_command(const char *name);

static enum mt_exit help(const struct mt_tool *tool, int count, char **arguments)
{
    if (count > 1) {
        return mt_tool_misuse("help: expected one command");
    }
    if (count == 0) {
        mt_tool_print_overview(stdout);
    } else if (!mt_tool_print_help_of(arguments[0], stdout)) {
        return refuse_command(arguments[0]);
    }
    return MT_EXIT_GOOD;
}

static enum mt_exit version(const struct mt_tool *tool, int count, char **arguments)
{
    puts("meantime " MT_VERSION);
    return MT_EXIT_GOOD;
}

static bool shows_colours(void)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) != 0 && terminal != NULL && strcmp(terminal, "dumb") != 0 &&
           (no_colour == NULL || no_colour[0] == '\0');
}

static bool keep_path(const char *name, const char *value, char *path)
{
    if (value[0] == '\0' || strlen(value) >= MT_TOOL_PATH_SIZE) {
        mt_tool_misuse("%s: expected a path of at most %d octets", name, MT_TOOL_PATH_SIZE - 1);
        return false;
    }
    strcpy(path, value);
    return true;
}

/* Takes the common options out of the arguments, wherever they stand. */
static bool take_common_options(struct mt_tool *tool, int *count, char **arguments)
{
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        char *argument = arguments[i];
        const char *value;
        if ((value = mt_tool_option("--socket", *count, arguments, &i)) != NULL) {
            if (!keep_path("--socket", value, tool->socket)) {
                return false;
            }
        } else if ((value = mt_tool_option("--run-directory", *count, arguments, &i)) != NULL) {
            if (!keep_path("--run-directory", value, tool->run_directory)) {
                return false;
            }
        } else {
            arguments[kept++] = argument;
        }
    }
    *count = kept;
    if (tool->socket[0] != '\0') {
        return true;
    }
    int length = snprintf(tool->socket, sizeof tool->socket, "%s/control", tool->run_directory);
    if (length >= MT_TOOL_PATH_SIZE) {
        mt_tool_misuse("--run-directory: the path is too long");
    }
    return length < MT_TOOL_PATH_SIZE;
}

static const char *command_name(const void *names, size_t n)
{
    return ((const struct command *)names)[n].name;
}

static enum mt_exit refuse_command(const char *name)
{
    const char *nearest = mt_config_nearest(name, command_name, commands, COMMAND_COUNT);
    if (nearest != NULL) {
        return mt_tool_misuse("%s: there is no such command; did you mean %s?", name, nearest);
    }
    return mt_tool_misuse("%s: there is no such command", name);
}

/* `meantime --json status` is `meantime status --json`: options may stand before the command, too,
 * as far as none of them has a value of its own. */
static void bring_command_forward(int count, char **arguments)
{
    int at = 0;
    while (at < count && strcmp(arguments[at], "--json") == 0) {
        at++;
    }
    if (at > 0 && at < count && arguments[at][0] != '-') {
        char *command = arguments[at];
        memmove(&arguments[1], &arguments[0], (size_t)at * sizeof arguments[0]);
        arguments[0] = command;
    }
}

static bool asks_for_help(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static enum mt_exit run(const struct mt_tool *tool, const char *name, int count, char **arguments)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0) {
            continue;
        }
        if (asks_for_help(count, arguments)) {
            mt_tool_print_help_of(name, stdout);
            return MT_EXIT_GOOD;
        }
        running = commands[i].run == help ? "" : name;
        return commands[i].run(tool, count, arguments);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return help(tool, 0, NULL);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        return version(tool, 0, NULL);
    }
    return refuse_command(name);
}

int main(int argc, char **argv)
{
    struct mt_tool tool = {.run_directory = MT_TOOL_RUN_DIRECTORY, .in_colour = shows_colours()};
    int count = argc - 1;
    char **arguments = argv + 1;
    if (!take_common_options(&tool, &count, arguments)) {
        return MT_EXIT_USAGE;
    }
    if (count == 0) {
        mt_tool_print_overview(stdout);
        return MT_EXIT_GOOD;
    }
    bring_command_forward(count, arguments);
    return (int)run(&tool, arguments[0], count - 1, arguments + 1);
}
