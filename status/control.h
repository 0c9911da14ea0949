/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The control protocol: JSON objects, one a line, over a UNIX stream socket; one reply line for
 * each request line [meantime-control(7)].  Here are the requests as the daemon sees them and the
 * replies that it gives; the tool writes the one and reads the other.
 * A request is untrusted text: what is wrong with it is told in one sentence.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_STATUS_CONTROL_H
#define MEANTIME_STATUS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/ptp.h"

#define MT_CONTROL_LINE_MAX    4096 /**< of a request; a longer one is refused */
#define MT_CONTROL_NAME_SIZE   32
#define MT_CONTROL_SOURCE_SIZE 256 /**< of the name of an NTP server */
#define MT_CONTROL_REASON_SIZE 160

enum mt_control_command {
    MT_CONTROL_PING,
    MT_CONTROL_STATUS,
    MT_CONTROL_SET,
    MT_CONTROL_EVENTS,
    MT_CONTROL_RELOAD,
    MT_CONTROL_ADD,
    MT_CONTROL_REMOVE,
};

enum mt_control_setting {
#define MT_CONTROL_SETTING(symbol, name, min, max) MT_CONTROL_##symbol,
#include "status/control.def"
#undef MT_CONTROL_SETTING
    MT_CONTROL_SETTING_COUNT
};

struct mt_control_request {
    enum mt_control_command command;
    char instance[MT_CONTROL_NAME_SIZE]; /**< set: "main" if none is named */
    bool is_given[MT_CONTROL_SETTING_COUNT];
    int64_t value[MT_CONTROL_SETTING_COUNT]; /**< within its range */
    bool is_auto[MT_CONTROL_SETTING_COUNT];  /**< given as "auto", instead of a value */
    uint64_t since;                          /**< events: those with a larger id */
    char ntp[MT_CONTROL_SOURCE_SIZE];        /**< add, remove: the section's name */
    char keys[MT_CONTROL_LINE_MAX];          /**< add: a line "key = value" for each */
};

/** The name in requests, and the range. */
const char *mt_control_setting_name(enum mt_control_setting setting);
int64_t mt_control_setting_min(enum mt_control_setting setting);
int64_t mt_control_setting_max(enum mt_control_setting setting);

/** Reads one request line (with or without its newline).  False with a reason. */
bool mt_control_parse(const char *line, size_t length, struct mt_control_request *ret_request,
                      char ret_reason[MT_CONTROL_REASON_SIZE]);

/** True if a setting may be "auto": what nobody sets is found out. */
bool mt_control_may_be_auto(enum mt_control_setting setting);

/** Turns a set request into the commands for an instance, starting from what it has now: as
 * many as MT_CONTROL_COMMANDS_MAX.  Returns how many. */
#define MT_CONTROL_COMMANDS_MAX 3
size_t mt_control_commands(const struct mt_control_request *request,
                           const struct mt_instance_config *now,
                           struct mt_command ret_commands[MT_CONTROL_COMMANDS_MAX]);

/** Replies, each one line with its newline; the caller frees them.  Null when there is no memory
 * left. */
char *mt_control_reply_ok(const char *version); /**< to ping; set: `version` null */
char *mt_control_reply_error(const char *sentence);
/** `key`: "status" with the report, or "events" with "[...]"; `json` is put in as it is. */
char *mt_control_reply_json(const char *key, const char *json);

#endif
