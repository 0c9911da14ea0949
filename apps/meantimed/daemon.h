/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The running daemon: platform, composition, journal and control socket in one place, and the
 * duties between two inputs.
 * Thread rule: the loop's thread; signal handlers set flags only.
 */
#ifndef MEANTIME_APPS_DAEMON_H
#define MEANTIME_APPS_DAEMON_H

#include <signal.h>
#include <sys/types.h>

#include "apps/meantimed/journal.h"
#include "apps/meantimed/options.h"
#include "compose/compose.h"
#include "platform/linux/linux_control.h"
#include "platform/linux/linux_leap.h"
#include "platform/linux/linux_platform.h"
#include "platform/linux/linux_steerers.h"
#include "runtime/record.h"

#define MT_DAEMON_REASON_SIZE (MT_CONFIG_PROBLEM_SIZE + 64)

struct mt_daemon {
    struct mt_options options;
    struct mt_config *config; /**< what platform and node were made from */
    struct mt_journal journal;
    struct mt_linux_steerers steerers; /**< who else steers our clocks */
    struct mt_linux *platform;
    struct mt_recorder *recorder;     /**< null: nothing is recorded */
    bool told_lost_log;               /**< that the log cannot be written any more */
    struct mt_hal_provider *provider; /**< the platform's, or the recorder's around it */
    struct mt_composition *composition;
    struct mt_control *control;         /**< null: without it the daemon still keeps time */
    struct mt_workers **workers;        /**< of each instance, null: none; or null: none at all */
    struct mt_mono workers_fed;         /**< when they were last told what to serve */
    struct mt_daemon_nts *nts;          /**< null: NTS is not spoken */
    struct mt_ntp_workers *ntp_workers; /**< null: none */
    struct mt_linux_leap list;          /**< of leap seconds, as last looked up ... */
    enum mt_leap_list told_list;        /**< ... and what has been said of it */
    int64_t ntp_fed_ns;                 /**< the page that they were last told of */
    bool has_old_ntp_rules;             /* that a thread may still go by */
    uint32_t ntp_rules_fed;             /**< and how many changes of rules */
};

/** Wraps the platform into a recorder if an input log was asked for.  False if there is no
 * memory. */
bool mt_daemon_record(struct mt_daemon *self, const struct mt_compose_facts *facts);
/** Tells, once, that the input log cannot be written any more. */
void mt_daemon_watch_log(struct mt_daemon *self);
/** "off", "on" or "failed". */
const char *mt_daemon_recording(const struct mt_daemon *self);
/** Reads the configuration that the options name.  False with the problems. */
bool mt_daemon_load(const struct mt_options *options, struct mt_config **ret_config,
                    struct mt_config_problems *problems);
/** Reads the configuration again, takes over what can be, and tells what became of each change.
 * False with a reason if nothing has changed because something is wrong with it. */
bool mt_daemon_read_again(struct mt_daemon *self, struct mt_mono now,
                          char ret_reason[MT_DAEMON_REASON_SIZE]);
/** Takes over what can be of a configuration, which has come in this way: "the configuration was
 * reloaded".  As above. */
bool mt_daemon_take(struct mt_daemon *self, const struct mt_config *config, const char *way,
                    struct mt_mono now, char ret_reason[MT_DAEMON_REASON_SIZE]);
/** The first problem, and that there are more. */
void mt_daemon_sum_up(const struct mt_config_problems *problems,
                      char ret_reason[MT_DAEMON_REASON_SIZE]);
struct mt_control_request;
/** Carries out a request to reload, or to add or remove a server; the reply. */
char *mt_daemon_change(struct mt_daemon *self, const struct mt_control_request *request,
                       struct mt_mono now);

/** Do these to the node, and record that they were done. */
bool mt_daemon_reload(struct mt_daemon *self, const struct mt_config *config, struct mt_mono now,
                      char ret_reason[MT_HAL_REASON_SIZE]);
void mt_daemon_set_facts(struct mt_daemon *self, const struct mt_compose_facts *facts,
                         struct mt_mono now);
void mt_daemon_stop_node(struct mt_daemon *self, struct mt_mono now);

/** Answers one line of the control socket; the reply is malloc'd, without newline.  `context` is
 * the daemon, `uid` whose request it is. */
char *mt_daemon_control(void *context, const char *line, uid_t uid);

/** Threads that answer SPTP and CSPTP, where the configuration wants them. */
void mt_daemon_start_workers(struct mt_daemon *self);
/** Tells them what to serve from now on, if it is time to. */
void mt_daemon_feed_workers(struct mt_daemon *self, struct mt_mono now);
void mt_daemon_stop_workers(struct mt_daemon *self);

/** Threads that answer NTP, where the configuration has a server.  False if they cannot, which has
 * been said. */
bool mt_daemon_start_ntp_workers(struct mt_daemon *self);
/** Tells them what to serve from now on, if there is a new page of the clock. */
void mt_daemon_feed_ntp_workers(struct mt_daemon *self);
void mt_daemon_stop_ntp_workers(struct mt_daemon *self);

/** Starts the processes that exchange keys for NTS, where the configuration wants it: before
 * anything is open.  False: the reason is in the log. */
bool mt_daemon_start_nts(struct mt_daemon *daemon);
/** From now on the loop listens to them.  False: no memory. */
bool mt_daemon_join_nts(struct mt_daemon *daemon);
/** Does what is due. */
void mt_daemon_tend_nts(struct mt_daemon *daemon, struct mt_mono now);
/** Servers to ask may be others than before. */
void mt_daemon_renew_nts(struct mt_daemon *daemon);
/** Certificates may have changed. */
void mt_daemon_reload_nts(struct mt_daemon *daemon);
/** The keys of cookies; null: NTS is not served. */
const struct mt_nts_ring *mt_daemon_nts_ring(const struct mt_daemon *daemon);
void mt_daemon_end_nts(struct mt_daemon *daemon);

/** Tells what has happened in the node since the last call. */
void mt_daemon_tell(struct mt_daemon *self);

#endif
