/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantimed: reads the configuration, opens the platform, composes the node, gives up what
 * privileges it can, and runs the one loop until it is told to end.  Signals set flags; everything
 * else happens between two inputs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"
#include "compose/tell.h"
#include "meantime_version.h"
#include "platform/linux/linux_leap.h"
#include "platform/linux/linux_names.h"
#include "platform/linux/linux_privilege.h"
#include "platform/linux/linux_tune.h"
#include "runtime/loop.h"

static volatile sig_atomic_t must_end;
static volatile sig_atomic_t must_reload;

static void on_end(int signal_number)
{
    (void)signal_number;
    must_end = 1;
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    must_reload = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_reload;
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a log that may not grow is no reason to die */
}

/* ---- start ----------------------------------------------------------------------------------- */

static const char *kind_in_words(enum mt_config_clock_kind kind, bool is_fallback)
{
    if (kind == MT_CONFIG_CLOCK_LAB) {
        return "a synthetic lab clock; the machine's clock is left alone";
    }
    if (kind == MT_CONFIG_CLOCK_SYSTEM && !is_fallback) {
        return "the system clock, which is adjusted";
    }
    if (kind != MT_CONFIG_CLOCK_OVERLAY && !is_fallback) {
        return "a hardware clock, which is adjusted";
    }
    return "an overlay: the machine's clock is left alone, programs read the time through "
           "libmeantime";
}

/* Once for each of its conditions: weeks before it ends, and when it has. */
static void tell_of_list(struct mt_daemon *self, const struct mt_linux_leap *leap, int64_t utc_s)
{
    enum mt_leap_list list = mt_leap_list_of(leap, utc_s);
    char day[16] = "";
    struct tm date;
    time_t ends = (time_t)leap->list_expires_s;
    if (list == self->told_list) {
        return;
    }
    self->told_list = list;
    if (gmtime_r(&ends, &date) != NULL) {
        strftime(day, sizeof day, "%Y-%m-%d", &date);
    }
    if (list == MT_LEAP_LIST_EXPIRED) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "the list of leap seconds, " MT_LEAP_FILE
                         ", has expired on %s; TAI - UTC = %d s is used all the same (update "
                         "tzdata)",
                         day, (int)leap->tai_minus_utc_s);
    } else if (list == MT_LEAP_LIST_ENDS) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "the list of leap seconds, " MT_LEAP_FILE
                         ", is good until %s; update tzdata before that day",
                         day);
    }
}

static void say_hello(struct mt_daemon *self, const struct mt_linux_leap *leap)
{
    const struct mt_composition *composition = self->composition;
    for (size_t i = 0; i < composition->node.clock_count; i++) {
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "meantimed %s: clock %s is %s",
                         MT_VERSION, self->config->clocks[i].name,
                         kind_in_words(self->config->clocks[i].kind,
                                       composition->fallback_reasons[i][0] != '\0'));
    }
    if (self->recorder != NULL) {
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "all inputs are recorded");
    }
    for (size_t i = 0; i < composition->note_count; i++) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0, "%s", composition->notes[i]);
    }
    if (leap->origin == MT_LEAP_UNKNOWN) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "TAI - UTC is not known (there is no " MT_LEAP_FILE
                         ": install tzdata): time is served on an arbitrary timescale");
    }
    tell_of_list(self, leap, time(NULL));
    if (!mt_tune_can_ask(mt_os_time_linux())) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "the kernel refuses to say how its clock is slewed (clock_adjtime: %s): "
                         "the bound does not cover what others do to it",
                         strerror(errno));
    }
}

static bool steers_system_clock(const struct mt_config *config)
{
    for (size_t i = 0; i < config->clock_count; i++) {
        if (config->clocks[i].kind == MT_CONFIG_CLOCK_SYSTEM) {
            return true;
        }
    }
    return false;
}

/* False if a user was asked for and cannot be had: nobody wants root instead.  What else cannot be
 * given up is said; the daemon keeps time all the same. */
static bool give_up_privileges(struct mt_daemon *self)
{
    char reason[MT_HAL_REASON_SIZE];
    const struct mt_config_daemon *config = &self->config->daemon;
    const char *const paths[] = {config->run_directory, config->state_directory, NULL};
    const struct mt_privilege_options options = {
        .user = config->user,
        .paths = paths,
        .keeps_system_clock = steers_system_clock(self->config),
        .keeps_cards = mt_linux_may_set_cards(self->platform),
        .keeps_network = true,
    };
    if (!mt_privilege_drop(&options, reason)) {
        mt_journal_write(&self->journal,
                         config->user != NULL ? MT_JOURNAL_ERROR : MT_JOURNAL_WARNING, 0, "%s",
                         reason);
        if (config->user != NULL) {
            return false;
        }
    }
    if (config->sandbox && !mt_privilege_sandbox(MT_SANDBOX_REFUSE, reason)) {
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "%s", reason);
    }
    return true;
}

static void open_control(struct mt_daemon *self)
{
    char reason[MT_HAL_REASON_SIZE];
    self->control = mt_control_open(self->platform, self->config->daemon.control_socket,
                                    mt_daemon_control, self, reason);
    if (self->control == NULL) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0, "%s", reason);
    }
}

/* Before we begin, what the kernel knows is of others. */
static bool tells_kernel(const struct mt_daemon *self)
{
    bool is_ours = false;
    for (size_t i = 0; self->composition != NULL && i < self->config->clock_count; i++) {
        const struct mt_config_clock *clock = &self->config->clocks[i];
        is_ours |= clock->kind == MT_CONFIG_CLOCK_SYSTEM && !clock->steer.estimates_only &&
                   self->composition->fallback_reasons[i][0] == '\0';
    }
    return is_ours;
}

static void look_up_leap_seconds(const struct mt_daemon *self, int64_t utc_s,
                                 struct mt_linux_leap *ret_leap, struct mt_compose_facts *ret_facts)
{
    *ret_facts = (struct mt_compose_facts){
        .tai_utc_known = mt_linux_tai_utc(utc_s, tells_kernel(self), ret_leap)};
    ret_facts->tai_minus_utc_s = ret_leap->tai_minus_utc_s;
    ret_facts->leap_s = ret_leap->next_change;
    ret_facts->slack_s = ret_leap->slack_s;
    ret_facts->kernel_s = ret_leap->kernel_s;
    ret_facts->by = ret_leap->origin == MT_LEAP_UNKNOWN  ? MT_LEAP_BY_NOBODY
                    : ret_leap->origin == MT_LEAP_KERNEL ? MT_LEAP_BY_KERNEL
                    : ret_leap->slack_s == 0             ? MT_LEAP_BY_LIST
                                                         : MT_LEAP_BY_OLD_LIST;
}

/* Where drift files are kept; null: nowhere.  Without a file no folder is made for them, and a
 * daemon besides the machine's first has no right to those of the first. */
static const char *state_directory(const struct mt_daemon *self)
{
    const char *directory = self->config->daemon.state_directory;
    bool was_asked_for = self->config->path != NULL;
    bool is_there = self->options.run_directory == NULL && access(directory, F_OK) == 0;
    return was_asked_for || is_there ? directory : NULL;
}

static bool open_platform(struct mt_daemon *self)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    const struct mt_linux_options options = {
        .run_dir = self->config->daemon.run_directory,
        .state_dir = state_directory(self),
        .input_log =
            self->options.record != NULL ? self->options.record : self->config->daemon.record,
    };
    self->platform = mt_linux_open(&options, reason);
    if (self->platform == NULL) {
        fprintf(stderr, "meantimed: %s\n", reason);
    }
    return self->platform != NULL;
}

static const char *link_reason(const void *platform, uint16_t link)
{
    return mt_linux_link_reason(platform, link);
}

static const char *rivals(void *daemon, const char *device)
{
    return mt_linux_steerers_now(&((struct mt_daemon *)daemon)->steerers, device);
}

/* Better at the start than in the fight. */
static void warn_of_rivals(struct mt_daemon *self)
{
    for (uint16_t i = 0; i < self->composition->node.clock_count; i++) {
        const char *who = mt_composition_rivals(self->composition, i);
        if (who[0] != '\0') {
            mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                             "clock %s: %s may steer it, too: stop one of the two, or see "
                             "when_shared and clock = overlay",
                             self->config->clocks[i].name, who);
        }
    }
}

static bool start(struct mt_daemon *self)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    if (!mt_daemon_start_nts(self) || !open_platform(self)) {
        return false;
    }
    struct mt_linux_leap leap;
    struct mt_compose_facts facts;
    look_up_leap_seconds(self, time(NULL), &leap, &facts);
    if (!mt_daemon_record(self, &facts)) {
        fputs("meantimed: out of memory\n", stderr);
        return false;
    }
    self->composition = mt_compose(self->config, self->provider, &facts, reason);
    if (self->composition == NULL) {
        fprintf(stderr, "meantimed: %s\n", reason);
        return false;
    }
    self->composition->link_reason = link_reason;
    self->composition->link_context = self->platform;
    self->composition->recorder = self->recorder;
    self->composition->names = mt_linux_names();
    mt_composition_resolve(self->composition, self->composition->started);
    self->composition->rivals = rivals;
    self->composition->rivals_context = self;
    self->list = leap;
    say_hello(self, &leap);
    warn_of_rivals(self);
    open_control(self);
    if (!mt_daemon_join_nts(self) || !give_up_privileges(self)) {
        return false;
    }
    mt_linux_keep(self->platform);
    mt_daemon_start_workers(self);
    return mt_daemon_start_ntp_workers(self);
}

/* ---- running --------------------------------------------------------------------------------- */

/* As the first clock has it that counts in seconds of TAI or UTC.  Only if there is none, the
 * machine's. */
static int64_t utc_now(const struct mt_composition *composition, bool *ret_is_own)
{
    *ret_is_own = true;
    for (size_t i = 0; i < composition->node.clock_count; i++) {
        const struct mt_clock_page *page = &composition->node.clocks[i].page;
        if (page->scale == MT_SCALE_TAI) {
            return page->anchor_s - composition->facts.tai_minus_utc_s;
        }
        if (page->scale != MT_SCALE_ARB) {
            return page->anchor_s;
        }
    }
    *ret_is_own = false;
    return time(NULL);
}

/* Leap seconds are announced from the midnight before and happen at the one after. */
static void renew_facts(struct mt_daemon *self, struct mt_leap_watch *watch, struct mt_mono now)
{
    struct mt_linux_leap leap;
    struct mt_compose_facts facts;
    bool is_own;
    int64_t utc_s = utc_now(self->composition, &is_own);
    if (!mt_leap_watch_is_due(watch, utc_s, is_own, now.ns)) {
        return;
    }
    look_up_leap_seconds(self, utc_s, &leap, &facts);
    watch->list_made_s = leap.list_made_s;
    self->list = leap;
    tell_of_list(self, &leap, utc_s);
    if (!mt_compose_are_same_facts(&facts, &self->composition->facts)) {
        mt_daemon_set_facts(self, &facts, now);
    }
}

static void run(struct mt_daemon *self)
{
    struct mt_hal_wait *wait = self->provider->wait;
    struct mt_linux_leap leap;
    char reason[MT_DAEMON_REASON_SIZE];
    (void)mt_linux_tai_utc(time(NULL), tells_kernel(self), &leap);
    struct mt_leap_watch leaps = {time(NULL), self->composition->started.ns, leap.list_made_s};
    while (!must_end) {
        mt_loop_once(&self->composition->node, wait);
        struct mt_mono now = wait->ops->now(wait);
        renew_facts(self, &leaps, now);
        mt_composition_resolve(self->composition, now);
        if (must_reload) {
            must_reload = 0;
            mt_daemon_tell(self); /* of what was before */
            (void)mt_daemon_read_again(self, now, reason);
            mt_daemon_reload_nts(self);
        }
        mt_daemon_feed_workers(self, now);
        mt_daemon_tend_nts(self, now);
        mt_daemon_feed_ntp_workers(self);
        mt_daemon_tell(self);
        mt_daemon_watch_log(self);
    }
    mt_daemon_stop_node(self, wait->ops->now(wait));
    mt_journal_write(&self->journal, MT_JOURNAL_INFO, 0, "meantimed ends");
}

static void end(struct mt_daemon *self)
{
    mt_daemon_stop_workers(self);
    mt_daemon_stop_ntp_workers(self);
    mt_daemon_end_nts(self);
    if (self->control != NULL) {
        mt_control_close(self->control);
    }
    mt_composition_free(self->composition);
    if (self->recorder != NULL) {
        mt_recorder_close(self->recorder);
    }
    mt_linux_close(self->platform);
    mt_config_free(self->config);
}

int main(int argc, char **argv)
{
    static struct mt_daemon daemon;
    static struct mt_config_problems problems;
    mt_options_read(argc, argv, &daemon.options);
    if (daemon.options.is_done) {
        return daemon.options.status;
    }
    if (!mt_daemon_load(&daemon.options, &daemon.config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        return EXIT_FAILURE;
    }
    mt_journal_init(&daemon.journal);
    daemon.journal.level = (enum mt_journal_level)daemon.config->daemon.log_level;
    catch_signals();
    bool is_started = start(&daemon);
    if (is_started) {
        run(&daemon);
    }
    end(&daemon);
    return is_started ? EXIT_SUCCESS : EXIT_FAILURE;
}
