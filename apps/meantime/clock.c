/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime clock: the time now and its error bound, read from the published page as any program
 * would; no question is put to the daemon, so it also works while the daemon is busy or gone. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/meantime/text.h"
#include "apps/meantime/tool.h"
#include "meantime.h"
#include "status/names.h"

struct look {
    const char *name; /* of the clock */
    char path[MT_TOOL_PATH_SIZE];
    bool as_json;
    bool watches;
    double interval_s;
    double count;
};

/* What is told of one moment. */
struct moment {
    struct mt_now_result now;
    struct timespec shown; /* UTC where that is known */
    const char *scale;
    bool is_stale;
    bool has_grandmaster;
    char grandmaster[MT_IDENTITY_TEXT_SIZE];
};

static void fill_moment(struct moment *self, const struct mt_clock_page *page)
{
    struct mt_clock_identity grandmaster;
    memcpy(grandmaster.octet, page->grandmaster, sizeof grandmaster.octet);
    mt_clock_identity_text(grandmaster, self->grandmaster);
    for (size_t i = 0; i < sizeof grandmaster.octet; i++) {
        self->has_grandmaster |= grandmaster.octet[i] != 0;
    }
    self->shown = self->now.time;
    self->scale = mt_scale_name(self->now.scale);
    if (self->now.scale == MT_SCALE_TAI && self->now.tai_utc_valid) {
        self->shown.tv_sec -= self->now.tai_minus_utc_s;
        self->scale = mt_scale_name(MT_SCALE_UTC);
    }
}

static void time_text(struct timespec time, char *buffer, size_t size)
{
    struct tm parts;
    char seconds[40];
    if (gmtime_r(&time.tv_sec, &parts) == NULL ||
        strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        snprintf(seconds, sizeof seconds, "%lld s", (long long)time.tv_sec);
    }
    snprintf(buffer, size, "%s.%09ld", seconds, time.tv_nsec);
}

/* ---- for people --------------------------------------------------------------------------- */

static const char *state_words(enum mt_clock_state state)
{
    switch (state) {
    case MT_CLOCK_FREE_RUN:
        return "free running";
    case MT_CLOCK_ACQUIRING:
        return "acquiring";
    case MT_CLOCK_LOCKED:
        return "locked";
    case MT_CLOCK_HOLDOVER:
        return "in holdover";
    case MT_CLOCK_SERVING:
        return "serving its own time";
    }
    return "?";
}

static void say_line(struct mt_text *out, const struct moment *moment)
{
    char when[64];
    char figure[MT_FIGURE_SIZE];
    const struct mt_now_result *now = &moment->now;
    bool is_short = now->bound_reference == MT_BOUND_PARENT; /* of the way to the grandmaster */
    bool has_bound = now->bound_ns != MT_BOUND_UNKNOWN && now->bound_reference != MT_BOUND_NONE;
    bool is_reference = !has_bound && now->state == MT_CLOCK_SERVING && !moment->is_stale;
    bool names_source = now->state == MT_CLOCK_ACQUIRING || now->state == MT_CLOCK_LOCKED;
    time_text(moment->shown, when, sizeof when);
    mt_text_say(out, MT_BOLD "%s" MT_PLAIN " %s", when, moment->scale);
    if (has_bound) {
        mt_text_say(out, " +-%s%s", mt_figure_time((double)now->bound_ns, false, figure),
                    is_short ? " to its parent" : "");
    } else if (!is_reference) {
        mt_text_say(out, " with unknown error");
    }
    if (moment->is_stale) { /* what the state was is of no use any more */
        mt_text_say(out, MT_BAD "  stale" MT_PLAIN);
        return;
    }
    mt_text_say(out, "  %s%s", now->state == MT_CLOCK_LOCKED ? MT_GOOD : MT_WARN,
                state_words(now->state));
    mt_text_say(out, "%s", is_reference ? ": it is itself the reference" : "");
    if (names_source && moment->has_grandmaster && !is_short) {
        mt_text_say(out, " to %s", moment->grandmaster);
    }
    mt_text_say(out, MT_PLAIN);
}

/* ---- for programs ------------------------------------------------------------------------- */

static void say_json(struct mt_text *out, const struct look *look, const struct moment *moment)
{
    char when[64];
    const struct mt_now_result *now = &moment->now;
    bool has_bound = now->bound_ns != MT_BOUND_UNKNOWN && now->bound_reference != MT_BOUND_NONE;
    cJSON *root = cJSON_CreateObject();
    time_text(moment->shown, when, sizeof when);
    cJSON_AddStringToObject(root, "clock", look->name);
    cJSON_AddStringToObject(root, "time", when);
    cJSON_AddStringToObject(root, "time_scale", moment->scale);
    cJSON_AddNumberToObject(root, "reading_s", (double)now->time.tv_sec);
    cJSON_AddNumberToObject(root, "reading_ns", (double)now->time.tv_nsec);
    cJSON_AddStringToObject(root, "reading_scale", mt_scale_name(now->scale));
    cJSON_AddItemToObject(root, "tai_minus_utc_s",
                          now->tai_utc_valid ? cJSON_CreateNumber(now->tai_minus_utc_s)
                                             : cJSON_CreateNull());
    cJSON_AddItemToObject(root, "bound_ns",
                          has_bound ? cJSON_CreateNumber((double)now->bound_ns)
                                    : cJSON_CreateNull());
    cJSON_AddStringToObject(root, "bound_reference", mt_bound_reference_name(now->bound_reference));
    cJSON_AddStringToObject(root, "state", mt_clock_state_name(now->state));
    cJSON_AddItemToObject(root, "grandmaster",
                          moment->has_grandmaster ? cJSON_CreateString(moment->grandmaster)
                                                  : cJSON_CreateNull());
    cJSON_AddBoolToObject(root, "stale", moment->is_stale);
    char *text = cJSON_PrintUnformatted(root);
    mt_text_say(out, "%s", text == NULL ? "" : text);
    free(text);
    cJSON_Delete(root);
}

/* ---- command ------------------------------------------------------------------------------ */

static enum mt_time_error look_once(const struct look *look, const struct mt_handle *handle,
                                    struct mt_text *out)
{
    struct moment moment = {.is_stale = false};
    struct mt_clock_page page;
    enum mt_time_error error = mt_read_page(handle, &page);
    if (error == MT_TIME_OK) {
        error = mt_now(handle, &moment.now);
    }
    moment.is_stale = error == MT_TIME_STALE;
    if (error != MT_TIME_OK && error != MT_TIME_STALE) {
        return error;
    }
    fill_moment(&moment, &page);
    if (look->as_json) {
        say_json(out, look, &moment);
    } else {
        say_line(out, &moment);
    }
    return error;
}

/* The clocks that have a page there; "" if there is none. */
static void list_clocks(const struct mt_tool *tool, char *names, size_t size)
{
    static const char prefix[] = "clock.";
    struct dirent **entries;
    size_t length = 0;
    int count = scandir(tool->run_directory, &entries, NULL, alphasort);
    names[0] = '\0';
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strncmp(name, prefix, strlen(prefix)) == 0 && length < size) {
            length += (size_t)snprintf(names + length, size - length, "%s%s",
                                       length > 0 ? ", " : "", name + strlen(prefix));
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

static enum mt_exit fail_to_read(const struct mt_tool *tool, const struct look *look,
                                 enum mt_time_error error)
{
    char names[200];
    int reason = errno;
    list_clocks(tool, names, sizeof names);
    if (error == MT_TIME_NO_PAGE && reason == ENOENT && names[0] != '\0') {
        return mt_tool_fail("there is no clock %s here; there is %s", look->name, names);
    }
    errno = reason;
    if (error == MT_TIME_NO_PAGE) {
        return mt_tool_fail("%s: %s; start the daemon with `systemctl start meantime`, or say "
                            "where it is with --run-directory",
                            look->path, strerror(errno));
    }
    return mt_tool_fail("%s: %s", look->path, mt_strerror(error));
}

static bool is_of_this_boot(const struct mt_clock_page *page)
{
    unsigned parts[3] = {0};
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool is_known =
        file != NULL && fscanf(file, "%8x-%4x-%4x", &parts[0], &parts[1], &parts[2]) == 3;
    if (file != NULL) {
        fclose(file);
    }
    uint64_t here = (uint64_t)parts[0] << 32 | (uint64_t)parts[1] << 16 | parts[2];
    return !is_known || page->boot_id == 0 || page->boot_id == here;
}

/* Why the page is out of date, as far as it shows: a daemon that ends says so in it. */
static enum mt_exit fail_as_stale(const struct look *look, const struct mt_handle *handle)
{
    struct mt_clock_page page;
    struct timespec now;
    char age[MT_FIGURE_SIZE];
    if (mt_read_page(handle, &page) != MT_TIME_OK || page.base != MT_BASE_BOOTTIME ||
        clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
        return mt_tool_fail("%s: %s", look->path, mt_strerror(MT_TIME_STALE));
    }
    double age_s =
        (double)now.tv_sec + (double)(now.tv_nsec - page.base_at_anchor_ns) / MT_NS_PER_S;
    if (age_s < 0 || !is_of_this_boot(&page)) {
        return mt_tool_fail("%s: not renewed since the machine was started: the daemon is not "
                            "running or hangs",
                            look->path);
    }
    mt_figure_duration(age_s, age);
    if (page.valid_until_base_ns <= page.base_at_anchor_ns) {
        return mt_tool_fail("%s: the daemon has ended, %s ago", look->path, age);
    }
    return mt_tool_fail("%s: not renewed for %s: the daemon is gone or hangs", look->path, age);
}

static enum mt_exit look_on(const struct mt_tool *tool, const struct look *look,
                            const struct mt_handle *handle)
{
    bool overwrites = look->watches && !look->as_json && isatty(STDOUT_FILENO) != 0;
    for (double n = 1;; n++) {
        struct mt_text text = {0};
        enum mt_time_error error = look_once(look, handle, &text);
        fputs(overwrites ? "\r\033[K" : "", stdout);
        mt_text_print(&text, stdout, tool->in_colour);
        mt_text_free(&text);
        if (error != MT_TIME_OK && error != MT_TIME_STALE) {
            return fail_to_read(tool, look, error);
        }
        bool is_last = !look->watches || n == look->count;
        fputs(overwrites && !is_last ? "" : "\n", stdout);
        if (fflush(stdout) != 0 || is_last) {
            return error == MT_TIME_STALE ? fail_as_stale(look, handle) : MT_EXIT_GOOD;
        }
        poll(NULL, 0, (int)(look->interval_s * 1000));
    }
}

static enum mt_exit take_options(struct look *look, int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        const char *value;
        if (strcmp(arguments[i], "--json") == 0) {
            look->as_json = true;
        } else if (strcmp(arguments[i], "--watch") == 0) {
            look->watches = true;
        } else if ((value = mt_tool_option("--interval", count, arguments, &i)) != NULL) {
            if (!mt_tool_number(value, 0.01, 3600, &look->interval_s)) {
                return mt_tool_misuse("--interval: expected seconds from 0.01 to 3600");
            }
        } else if ((value = mt_tool_option("--count", count, arguments, &i)) != NULL) {
            if (!mt_tool_number(value, 1, 1e9, &look->count)) {
                return mt_tool_misuse("--count: expected a number from 1 on");
            }
            look->watches = true;
        } else if (arguments[i][0] != '-' && strchr(arguments[i], '/') == NULL) {
            look->name = arguments[i];
        } else {
            return mt_tool_misuse("clock: unexpected %s", arguments[i]);
        }
    }
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_clock(const struct mt_tool *tool, int count, char **arguments)
{
    struct look look = {.name = "main", .interval_s = 1};
    enum mt_exit status = take_options(&look, count, arguments);
    if (status != MT_EXIT_GOOD) {
        return status;
    }
    enum mt_time_error error;
    int length =
        snprintf(look.path, sizeof look.path, "%s/clock.%s", tool->run_directory, look.name);
    if ((size_t)length >= sizeof look.path) {
        return mt_tool_misuse("clock: the name is too long");
    }
    struct mt_handle *handle = mt_open(look.path, &error);
    if (handle == NULL) {
        return fail_to_read(tool, &look, error);
    }
    status = look_on(tool, &look, handle);
    mt_close(handle);
    return status;
}
