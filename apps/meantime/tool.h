/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the commands of the tool share: where the daemon is, and how a command is called.
 */
#ifndef MEANTIME_APPS_TOOL_H
#define MEANTIME_APPS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MT_TOOL_PATH_SIZE     256
#define MT_TOOL_RUN_DIRECTORY "/run/meantime"
#define MT_TOOL_CONFIG        "/etc/meantime/meantime.conf"

/** Exit status of every command. */
enum mt_exit {
    MT_EXIT_GOOD = 0,
    MT_EXIT_BAD = 1,   /**< it could not be done: no daemon, a wrong file ... */
    MT_EXIT_USAGE = 2, /**< the command line is wrong */
};

struct mt_tool {
    char run_directory[MT_TOOL_PATH_SIZE];
    char socket[MT_TOOL_PATH_SIZE];
    bool in_colour; /**< standard output is a terminal that shows colours */
};

/** A command gets its own arguments, without its name. */
typedef enum mt_exit mt_tool_command(const struct mt_tool *tool, int count, char **arguments);

mt_tool_command mt_tool_status;
mt_tool_command mt_tool_watch;
mt_tool_command mt_tool_clock;
mt_tool_command mt_tool_sources;
mt_tool_command mt_tool_why;
mt_tool_command mt_tool_check;
mt_tool_command mt_tool_explain;
mt_tool_command mt_tool_keys;
mt_tool_command mt_tool_import;
mt_tool_command mt_tool_set;
mt_tool_command mt_tool_reload;
mt_tool_command mt_tool_add;
mt_tool_command mt_tool_remove;
mt_tool_command mt_tool_events;
mt_tool_command mt_tool_wait;
mt_tool_command mt_tool_pmc;
mt_tool_command mt_tool_replay;
mt_tool_command mt_tool_sim;

/** What is said of a command; a row without name ends the list. */
struct mt_tool_help {
    const char *name;
    const char *arguments;
    const char *purpose; /**< in a few words */
    const char *text;
    const char *options; /**< a line for each */
    const char *example;
};
extern const struct mt_tool_help mt_tool_helps[];
void mt_tool_print_overview(FILE *out);
/** False, and nothing is printed, if there is no such command. */
bool mt_tool_print_help_of(const char *name, FILE *out);
/** The keys that `set` knows. */
void mt_tool_print_settings(FILE *out);

/** "meantime: " and the sentence, on standard error; returns MT_EXIT_BAD. */
enum mt_exit mt_tool_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same with a hint at the help of the command that runs; returns MT_EXIT_USAGE. */
enum mt_exit mt_tool_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Explains an option of ptp4l or ts2phc by what `import` does with it.  False, and nothing is
 * printed, if there is no such option. */
bool mt_import_explain(const char *name, FILE *out);

/** How `check` looks into certificates. */
struct mt_config_inspector;
extern const struct mt_config_inspector *const mt_tool_certificates;

/** Columns of the terminal that is standard output; 80 if it is none. */
size_t mt_tool_width(void);

/** The value of an option at arguments[*at], which is "--name VALUE" or "--name=VALUE"; null if
 * it is another option, "" if the value is missing.  Moves *at to the value. */
const char *mt_tool_option(const char *name, int count, char **arguments, int *at);

/** A decimal number within limits, and nothing else. */
bool mt_tool_number(const char *text, double min, double max, double *ret_value);

#endif
