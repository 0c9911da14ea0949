/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers: fix, satellites and pulses of each, and what does not become of use. */
#include "apps/meantime/render_private.h"

#include <math.h>
#include <string.h>

#include "meantime/gnss_timing.h"

static const char *fix_words(const cJSON *gnss)
{
    const char *fix = text_of(gnss, "fix");
    if (!is_true(gnss, "has_fix")) {
        return "no fix";
    }
    return strcmp(fix, "2d") == 0     ? "2D fix"
           : strcmp(fix, "3d") == 0   ? "3D fix"
           : strcmp(fix, "time") == 0 ? "time fix"
                                      : "fix";
}

static const char *sentence_words(const char *name)
{
    unsigned i = 0;
    while (i < MT_GNSS_VERDICT_COUNT &&
           strcmp(mt_gnss_verdict_name((enum mt_gnss_verdict)i), name) != 0) {
        i++;
    }
    return mt_gnss_verdict_words((enum mt_gnss_verdict)i);
}

static const char *pulse_words(const char *name)
{
    unsigned i = 0;
    while (i < MT_GNSS_PULSE_VERDICT_COUNT &&
           strcmp(mt_gnss_pulse_verdict_name((enum mt_gnss_pulse_verdict)i), name) != 0) {
        i++;
    }
    return mt_gnss_pulse_verdict_words((enum mt_gnss_pulse_verdict)i);
}

/* "120 used; 3 it came between two seconds" */
static void say_counts(struct mt_text *out, const cJSON *counts, const char *(*words)(const char *))
{
    const char *separator = "; ";
    const cJSON *count;
    mt_text_say(out, "%.0f used", number_of(counts, "used"));
    cJSON_ArrayForEach(count, counts)
    {
        if (strcmp(count->string, "used") != 0 && count->valuedouble > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count->valuedouble, words(count->string));
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
}

static void say_sky(struct mt_text *out, const cJSON *gnss)
{
    char accuracy[MT_FIGURE_SIZE];
    double satellites = number_of(gnss, "satellites");
    double tai_utc_s = number_of(gnss, "tai_minus_utc_s");
    const char *fault = cJSON_GetStringValue(member(gnss, "fault_reason"));
    if (fault != NULL) {
        mt_text_say(out, "    " MT_WARN "cannot be heard: %s" MT_PLAIN "\n", fault);
    }
    mt_text_say(out, "    fix           %s%s" MT_PLAIN,
                is_true(gnss, "has_fix") ? MT_GOOD : MT_WARN, fix_words(gnss));
    if (!isnan(satellites)) {
        mt_text_say(out, ", %.0f satellite%s", satellites, satellites == 1 ? "" : "s");
    }
    if (!isnan(number_of(gnss, "accuracy_ns"))) {
        mt_text_say(out, ", good to %s by its own word",
                    mt_figure_time(number_of(gnss, "accuracy_ns"), false, accuracy));
    }
    if (!isnan(tai_utc_s)) {
        mt_text_say(out, ", TAI - UTC %.0f s", tai_utc_s);
    }
    mt_text_say(out, "\n");
}

static void render_one(struct mt_text *out, const cJSON *gnss)
{
    char figure[MT_FIGURE_SIZE];
    mt_text_say(out, "\n" MT_BOLD "GNSS receiver %s" MT_PLAIN "  (clock %s)\n",
                text_of(gnss, "name"), text_of(gnss, "clock"));
    say_sky(out, gnss);
    if (is_true(gnss, "has_jumped")) {
        mt_text_say(out,
                    "    " MT_BAD "its time has jumped: the clock is %s of it; not followed until "
                    "it agrees" MT_PLAIN "\n",
                    mt_figure_time(number_of(gnss, "jump_ns"), true, figure));
    }
    mt_text_say(out, "    sentences     ");
    say_counts(out, member(gnss, "sentences"), sentence_words);
    mt_text_say(out, "    seconds       ");
    say_counts(out, member(gnss, "seconds"), pulse_words);
    if (number_of(gnss, "pulses") > 0) {
        bool is_learned = !isnan(number_of(gnss, "sentence_delay_ns"));
        mt_text_say(out, "    pulses        %.0f", number_of(gnss, "pulses"));
        if (is_learned) {
            mt_text_say(out, "; their sentences come %s later",
                        mt_figure_time(number_of(gnss, "sentence_delay_ns"), false, figure));
        }
        mt_text_say(out, "%s\n", is_learned ? "" : "; how late their sentences come is not known");
    }
}

void mt_render_gnss(struct mt_text *out, const cJSON *report)
{
    const cJSON *gnss;
    cJSON_ArrayForEach(gnss, member(report, "gnss"))
    {
        render_one(out, gnss);
    }
}
