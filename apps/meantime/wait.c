/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime wait: for scripts that need the time to be right.  It ends when a clock is synchronised
 * and its bound small enough.  A daemon that is not there yet is waited for, too: at boot nobody
 * knows who comes first. */
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/meantime/client.h"
#include "apps/meantime/text.h"

#define PAUSE_S   0.2
#define TIMEOUT_S 1e9 /* for ever */

struct wait {
    const struct mt_tool *tool;
    const char *clock; /* null: the first one */
    double bound_ns;   /* infinite: any */
    double timeout_s;
    char why[MT_CLIENT_REASON_SIZE]; /* what is still missing */
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* "10us"; the unit must be there, since a bare number would be taken for seconds by one and for
 * nanoseconds by another. */
static bool take_time(const char *text, double *ret_ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char *rest;
    double value = strtod(text, &rest);
    rest += strspn(rest, " ");
    for (size_t i = 0; rest != text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(rest, units[i].unit) == 0 && value > 0 && value < 1e9) {
            *ret_ns = value * units[i].ns;
            return true;
        }
    }
    return false;
}

static const char *string_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "?";
}

static const cJSON *find_clock(const struct wait *self, const cJSON *reply)
{
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(reply, "status");
    const cJSON *clock;
    cJSON_ArrayForEach(clock, cJSON_GetObjectItemCaseSensitive(report, "clocks"))
    {
        if (self->clock == NULL || strcmp(string_of(clock, "name"), self->clock) == 0) {
            return clock;
        }
    }
    return NULL;
}

static bool is_good(struct wait *self, const cJSON *clock)
{
    char bound[MT_FIGURE_SIZE];
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(clock, "bound_ns");
    double bound_ns = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    bool is_locked = strcmp(string_of(clock, "state"), "locked") == 0;
    if (strcmp(string_of(clock, "state"), "serving") == 0) {
        snprintf(self->why, sizeof self->why,
                 "clock %s serves its own time, as a grandmaster: it follows nobody and has no "
                 "error bound",
                 string_of(clock, "name"));
        return false;
    }
    snprintf(self->why, sizeof self->why, "clock %s is %s, its error bound is %s%s",
             string_of(clock, "name"), is_locked ? "synchronised" : string_of(clock, "state"),
             isnan(bound_ns) ? "unknown" : mt_figure_time(bound_ns, false, bound),
             bound_ns > self->bound_ns ? ", more than what is waited for" : "");
    return is_locked && (bound_ns <= self->bound_ns || isinf(self->bound_ns));
}

/* Asks once.  False with `why`; a clock that is not there never comes. */
static bool look(struct wait *self, bool *ret_is_hopeless)
{
    cJSON *reply = mt_client_ask(self->tool, "{\"command\":\"status\"}", self->why);
    const cJSON *clock = find_clock(self, reply);
    bool is_done = clock != NULL && is_good(self, clock);
    *ret_is_hopeless = reply != NULL && clock == NULL;
    if (*ret_is_hopeless) {
        snprintf(self->why, sizeof self->why, "the daemon has no clock %s",
                 self->clock != NULL ? self->clock : "at all");
    }
    cJSON_Delete(reply);
    return is_done;
}

static enum mt_exit wait_for(struct wait *self)
{
    double until_s = now_s() + self->timeout_s;
    bool is_hopeless;
    while (!look(self, &is_hopeless)) {
        if (is_hopeless) {
            return mt_tool_fail("%s", self->why);
        }
        double left_s = until_s - now_s();
        if (left_s <= 0) {
            return mt_tool_fail("not synchronised in %g s: %s", self->timeout_s, self->why);
        }
        poll(NULL, 0, (int)ceil(1000 * fmin(left_s, PAUSE_S)));
    }
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_wait(const struct mt_tool *tool, int count, char **arguments)
{
    struct wait self = {.tool = tool, .bound_ns = INFINITY, .timeout_s = TIMEOUT_S};
    for (int i = 0; i < count; i++) {
        const char *value;
        if ((value = mt_tool_option("--timeout", count, arguments, &i)) != NULL) {
            if (!mt_tool_number(value, 0, TIMEOUT_S, &self.timeout_s)) {
                return mt_tool_misuse("wait: --timeout: expected seconds from 0 on");
            }
        } else if ((value = mt_tool_option("--bound", count, arguments, &i)) != NULL) {
            if (!take_time(value, &self.bound_ns)) {
                return mt_tool_misuse("wait: --bound: expected a time with its unit, such as 10us");
            }
        } else if (arguments[i][0] != '-' && self.clock == NULL) {
            self.clock = arguments[i];
        } else {
            return mt_tool_misuse("wait: unexpected %s", arguments[i]);
        }
    }
    return wait_for(&self);
}
