/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The configuration, read at the start and again at SIGHUP.  A file that cannot be read or has
 * problems changes nothing; else the log says in one sentence what is in force now, and in one
 * more for each key that has to wait for a restart.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"

#define DEFAULT_CONFIG "/etc/meantime/meantime.conf"

/* The file that was asked for; the packaged one if neither file nor interface was. */
static const char *config_path(const struct mt_options *options)
{
    if (options->config != NULL) {
        return options->config;
    }
    return options->interface_count == 0 ? DEFAULT_CONFIG : NULL;
}

static void complain_of_no_file(struct mt_config_problems *problems)
{
    *problems = (struct mt_config_problems){.count = 1};
    snprintf(problems->problem[0].text, sizeof problems->problem[0].text,
             "meantimed: there is no %s; write one, or say on which interface to speak PTP: "
             "meantimed -i eth0",
             DEFAULT_CONFIG);
}

static bool load(const struct mt_options *options, struct mt_config **ret_config,
                 struct mt_config_problems *problems)
{
    const char *path = config_path(options);
    if (path == NULL) {
        return mt_config_for_interfaces(options->interfaces, options->interface_count, ret_config,
                                        problems);
    }
    if (options->config == NULL && access(path, F_OK) != 0) {
        complain_of_no_file(problems);
        return false;
    }
    return mt_config_load_with(path, options->interfaces, options->interface_count, ret_config,
                               problems);
}

/* The socket goes along, unless the file says where it is. */
static void move_run_directory(const struct mt_options *options, struct mt_config_daemon *daemon)
{
    size_t length = strlen(daemon->run_directory);
    if (strncmp(daemon->control_socket, daemon->run_directory, length) == 0 &&
        strcmp(daemon->control_socket + length, "/control") == 0) {
        daemon->control_socket = options->control_socket;
    }
    daemon->run_directory = options->run_directory;
}

bool mt_daemon_load(const struct mt_options *options, struct mt_config **ret_config,
                    struct mt_config_problems *problems)
{
    bool is_good = load(options, ret_config, problems);
    if (is_good && options->run_directory != NULL) {
        move_run_directory(options, &(*ret_config)->daemon);
    }
    return is_good;
}

/* ---- what became of it ----------------------------------------------------------------------- */

static void tell_problems(struct mt_daemon *self, const struct mt_config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        mt_journal_write(&self->journal, MT_JOURNAL_ERROR, 0, "%s", problems->problem[i].text);
    }
    mt_journal_write(&self->journal, MT_JOURNAL_ERROR, 0,
                     "the configuration was not reloaded: the file has %zu %s; nothing has changed",
                     problems->count + problems->omitted,
                     problems->count + problems->omitted == 1 ? "problem" : "problems");
}

/* "priority2 = 66 (instance main), ..."; what does not fit is counted. */
static void list_applied(const struct mt_composition *composition, char *text, size_t size)
{
    size_t length = 0;
    size_t listed = 0;
    text[0] = '\0';
    for (size_t i = 0; i < composition->change_count; i++) {
        const struct mt_compose_change *change = &composition->changes[i];
        if (!change->is_applied || length + strlen(change->text) + 16 > size) {
            continue;
        }
        length += (size_t)snprintf(text + length, size - length, "%s%s", listed > 0 ? ", " : "",
                                   change->text);
        listed++;
    }
    size_t more = composition->applied_count - listed;
    if (more > 0 && listed > 0) {
        snprintf(text + length, size - length, ", %zu more", more);
    } else if (more > 0) { /* those that were refused have taken all the room */
        snprintf(text, size, "%zu %s in force", more, more == 1 ? "change is" : "changes are");
    }
}

static void tell_whole(struct mt_daemon *self, const char *way)
{
    char applied[MT_JOURNAL_TEXT - 80];
    list_applied(self->composition, applied, sizeof applied);
    mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "the configuration was %s: %s", way,
                     applied[0] != '\0' ? applied : "nothing has changed");
}

static void tell_parts(struct mt_daemon *self, const char *way)
{
    const struct mt_composition *composition = self->composition;
    char applied[MT_JOURNAL_TEXT - 120];
    size_t unread = composition->unread_count;
    size_t waiting = composition->refused_count - unread;
    char rest[120] = "";
    size_t length = 0;
    if (waiting > 0) {
        length = (size_t)snprintf(rest, sizeof rest, "; %zu %s a restart", waiting,
                                  waiting == 1 ? "change needs" : "changes need");
    }
    if (unread > 0) {
        snprintf(rest + length, sizeof rest - length, "; %zu key %s cannot be used", unread,
                 unread == 1 ? "file" : "files");
    }
    list_applied(composition, applied, sizeof applied);
    mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                     "the configuration was %s in part: %s%s", way,
                     applied[0] != '\0' ? applied : "nothing new is in force", rest);
    for (size_t i = 0; i < composition->change_count; i++) {
        if (!composition->changes[i].is_applied) {
            mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0, "%s",
                             composition->changes[i].text);
        }
    }
}

bool mt_daemon_take(struct mt_daemon *self, const struct mt_config *config, const char *way,
                    struct mt_mono now, char ret_reason[MT_DAEMON_REASON_SIZE])
{
    char reason[MT_HAL_REASON_SIZE];
    bool is_whole = mt_daemon_reload(self, config, now, reason);
    mt_daemon_renew_nts(self);
    if (is_whole) {
        tell_whole(self, way);
    } else if (self->composition->is_unchanged) {
        mt_journal_write(&self->journal, MT_JOURNAL_ERROR, 0,
                         "the configuration was not %s: %s; nothing has changed", way, reason);
        snprintf(ret_reason, MT_DAEMON_REASON_SIZE, "%s; nothing has changed", reason);
        return false;
    } else {
        tell_parts(self, way);
    }
    return true;
}

void mt_daemon_sum_up(const struct mt_config_problems *problems,
                      char ret_reason[MT_DAEMON_REASON_SIZE])
{
    char text[MT_DAEMON_REASON_SIZE - sizeof "; nothing has changed"];
    mt_config_problems_sum_up(problems, text, sizeof text);
    snprintf(ret_reason, MT_DAEMON_REASON_SIZE, "%s; nothing has changed", text);
}

bool mt_daemon_read_again(struct mt_daemon *self, struct mt_mono now,
                          char ret_reason[MT_DAEMON_REASON_SIZE])
{
    static struct mt_config_problems problems;
    struct mt_config *config;
    const char *path = config_path(&self->options);
    if (path == NULL) {
        snprintf(ret_reason, MT_DAEMON_REASON_SIZE,
                 "there is nothing to reload: this daemon runs without a configuration file");
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "%s", ret_reason);
        return false;
    }
    if (access(path, R_OK) != 0) {
        snprintf(ret_reason, MT_DAEMON_REASON_SIZE,
                 "%.200s cannot be read (%s); the old one stays in force", path, strerror(errno));
        mt_journal_write(&self->journal, MT_JOURNAL_ERROR, 0,
                         "the configuration was not reloaded: %s", ret_reason);
        return false;
    }
    if (!mt_daemon_load(&self->options, &config, &problems)) {
        tell_problems(self, &problems);
        mt_daemon_sum_up(&problems, ret_reason);
        return false;
    }
    bool is_taken = mt_daemon_take(self, config, "reloaded", now, ret_reason);
    mt_config_free(config);
    return is_taken;
}
