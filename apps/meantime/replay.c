/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime replay: runs again what `meantimed --record` wrote, and says whether it was the same.
 * What it prints is the run; what it says on standard error is about the log. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantime/replay.h"
#include "apps/meantime/tool.h"

#define LEAST_S 0.001
#define MOST_S  1e9

struct replay {
    const char *path;
    bool is_anew;
    bool only_config;
    bool each_sample;
    double every_s;
    struct mt_replay_printer printer;
    struct mt_replay_plot plot;
    bool shows_progress;
    int percent;
};

/* ---- what happens on the way ----------------------------------------------------------------- */

static bool is_asked_for(const struct replay *self, int64_t t_ns)
{
    return t_ns >= self->printer.from_ns && t_ns <= self->printer.to_ns;
}

static void on_event(void *context, int64_t t_ns, const struct mt_status_event *event)
{
    struct replay *self = context;
    mt_replay_print_event(&self->printer, t_ns, event);
    if (is_asked_for(self, t_ns)) {
        mt_replay_plot_event(&self->plot, t_ns, event);
    }
}

static void on_correction(void *context, const struct mt_replay_correction *correction)
{
    struct replay *self = context;
    mt_replay_print_correction(&self->printer, correction);
}

static void on_order(void *context, int64_t t_ns, const struct mt_order *order)
{
    struct replay *self = context;
    mt_replay_print_order(&self->printer, t_ns, order);
}

static void on_estimate(void *context, const struct mt_replay_estimate *estimate)
{
    struct replay *self = context;
    bool is_sample = estimate->verdict >= 0;
    if (is_sample == self->each_sample) {
        mt_replay_print_estimate(&self->printer, estimate);
    }
    if (is_asked_for(self, estimate->t_ns)) { /* with no samples, too, the bound grows */
        mt_replay_plot_point(&self->plot, estimate);
    }
}

static void on_progress(void *context, double share)
{
    struct replay *self = context;
    int percent = (int)(100 * share);
    if (self->shows_progress && percent != self->percent) {
        self->percent = percent;
        fprintf(stderr, "\r%s: %d %%", self->path, percent);
        fflush(stderr);
    }
}

static void end_progress(const struct replay *self)
{
    if (self->shows_progress && self->percent > 0) {
        fprintf(stderr, "\r\033[K");
    }
}

/* ---- options --------------------------------------------------------------------------------- */

static bool take_seconds(const char *name, const char *value, double least, double *ret_s)
{
    if (!mt_tool_number(value, least, MOST_S, ret_s)) {
        mt_tool_misuse("replay: %s: expected seconds from %g to %g", name, least, MOST_S);
        return false;
    }
    return true;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path);
    return length > strlen(ending) && strcmp(path + length - strlen(ending), ending) == 0;
}

static bool take_plot(struct replay *self, const char *value)
{
    if (!has_ending(value, ".svg") && !has_ending(value, ".png")) {
        mt_tool_misuse("replay: --plot %s: expected a file name that ends in .svg or .png", value);
        return false;
    }
    self->plot.path = value;
    return true;
}

static bool take_flag(struct replay *self, const char *argument)
{
    if (strcmp(argument, "--json") == 0) {
        self->printer.as_json = true;
    } else if (strcmp(argument, "--samples") == 0) {
        self->each_sample = true;
    } else if (strcmp(argument, "--anew") == 0) {
        self->is_anew = true;
    } else if (strcmp(argument, "--config") == 0) {
        self->only_config = true;
    } else {
        return false;
    }
    return true;
}

static bool take_file(struct replay *self, const char *argument)
{
    if (argument[0] == '-' && argument[1] != '\0') {
        mt_tool_misuse("replay: unexpected %s", argument);
        return false;
    }
    if (self->path != NULL) {
        mt_tool_misuse("replay: expected one file");
        return false;
    }
    self->path = argument;
    return true;
}

static bool take_option(struct replay *self, int count, char **arguments, int *at)
{
    const char *value;
    double s = 0;
    if ((value = mt_tool_option("--every", count, arguments, at)) != NULL) {
        return take_seconds("--every", value, LEAST_S, &self->every_s);
    }
    if ((value = mt_tool_option("--from", count, arguments, at)) != NULL) {
        bool is_good = take_seconds("--from", value, 0, &s);
        self->printer.from_ns = (int64_t)(s * 1e9);
        return is_good;
    }
    if ((value = mt_tool_option("--to", count, arguments, at)) != NULL) {
        bool is_good = take_seconds("--to", value, 0, &s);
        self->printer.to_ns = (int64_t)(s * 1e9);
        return is_good;
    }
    if ((value = mt_tool_option("--clock", count, arguments, at)) != NULL) {
        self->printer.clock = value;
        return true;
    }
    if ((value = mt_tool_option("--plot", count, arguments, at)) != NULL) {
        return take_plot(self, value);
    }
    return take_flag(self, arguments[*at]) || take_file(self, arguments[*at]);
}

static bool take_options(struct replay *self, int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        if (!take_option(self, count, arguments, &i)) {
            return false;
        }
    }
    if (self->path == NULL) {
        mt_tool_misuse("replay: expected the file that meantimed --record wrote");
    } else if (self->printer.from_ns > self->printer.to_ns) {
        mt_tool_misuse("replay: --from lies behind --to");
    } else {
        return true;
    }
    return false;
}

/* ---- the run --------------------------------------------------------------------------------- */

static enum mt_exit judge(const struct replay *self, const struct mt_player_result *result)
{
    if (result->is_same) {
        return MT_EXIT_GOOD;
    }
    fflush(stdout);
    return mt_tool_fail("%s: %s at %.6f s: %s", self->path,
                        result->is_damaged ? "the log is damaged or cut off"
                                           : "the replay differs from what was recorded",
                        (double)result->t_ns / 1e9, result->reason);
}

static enum mt_exit draw(const struct replay *self)
{
    char reason[MT_PLAYER_REASON_SIZE];
    if (self->plot.path == NULL || mt_replay_plot_write(&self->plot, self->path, reason)) {
        return MT_EXIT_GOOD;
    }
    return mt_tool_fail("%s", reason);
}

static enum mt_exit run(struct replay *self, struct mt_player *player)
{
    const struct mt_replay_listener listener = {self,     on_event,    on_correction,
                                                on_order, on_estimate, on_progress};
    struct mt_player_result result;
    self->plot.clock = self->printer.clock != NULL
                           ? self->printer.clock
                           : mt_player_composition(player)->config->clocks[0].name;
    mt_replay_print_start(&self->printer, player, self->is_anew);
    mt_player_run(player, (int64_t)(self->every_s * 1e9), &listener);
    end_progress(self);
    mt_player_result(player, &result);
    mt_replay_print_end(&self->printer, &result);
    mt_replay_plot_end(&self->plot,
                       result.t_ns < self->printer.to_ns ? result.t_ns : self->printer.to_ns);
    enum mt_exit status = judge(self, &result);
    enum mt_exit drawn = draw(self);
    return status != MT_EXIT_GOOD ? status : drawn;
}

static enum mt_exit check_clock(const struct replay *self, const struct mt_player *player)
{
    const struct mt_config *config = mt_player_composition(player)->config;
    for (size_t i = 0; i < config->clock_count; i++) {
        if (self->printer.clock == NULL ||
            strcmp(config->clocks[i].name, self->printer.clock) == 0) {
            return MT_EXIT_GOOD;
        }
    }
    return mt_tool_fail("%s: there is no clock %s in this log", self->path, self->printer.clock);
}

enum mt_exit mt_tool_replay(const struct mt_tool *tool, int count, char **arguments)
{
    char reason[MT_PLAYER_REASON_SIZE];
    struct replay self = {
        .every_s = 1,
        .printer.to_ns = INT64_MAX,
        .shows_progress = isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0,
    };
    if (!take_options(&self, count, arguments)) {
        return MT_EXIT_USAGE;
    }
    struct mt_player *player = mt_player_open(self.path, self.is_anew, reason);
    if (player == NULL) {
        return mt_tool_fail("%s", reason);
    }
    enum mt_exit status = check_clock(&self, player);
    if (status == MT_EXIT_GOOD && self.only_config) {
        struct mt_log_text config = mt_player_config(player);
        fwrite(config.text, 1, config.length, stdout);
    } else if (status == MT_EXIT_GOOD) {
        status = run(&self, player);
    }
    mt_player_close(player);
    mt_replay_plot_free(&self.plot);
    return status;
}
