/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report for people: what only some have switched on.  Who has not sees nothing of it. */
#include "apps/meantime/render_private.h"

/* Which of two instances steers, and why; that there is no other one is worth a warning. */
void mt_render_standby(struct mt_text *out, const cJSON *clock)
{
    char figure[MT_FIGURE_SIZE];
    double difference = number_of(clock, "standby.difference_ns");
    double switches = number_of(clock, "standby.switches");
    if (!cJSON_IsString(member(clock, "standby.reason"))) {
        return;
    }
    begin(out, "hot standby");
    if (cJSON_IsString(member(clock, "standby.active"))) {
        mt_text_say(out, "instance %s steers: ", text_of(clock, "standby.active"));
    }
    mt_text_say(out, "%s\n", text_of(clock, "standby.reason"));
    begin(out, "");
    mt_text_say(out, "%s" MT_PLAIN,
                is_true(clock, "standby.redundant") ? MT_GOOD "redundant"
                                                    : MT_WARN "not redundant");
    if (!isnan(difference)) {
        mt_text_say(out, ", primary less secondary %s", mt_figure_time(difference, true, figure));
    }
    mt_text_say(out, ", %.0f %s\n", switches, switches == 1 ? "switch" : "switches");
}

static void begin_alternate(struct mt_text *out)
{
    mt_text_say(out, MT_FAINT "        next:     " MT_PLAIN);
}

void mt_render_port_options(struct mt_text *out, const cJSON *port)
{
    const cJSON *one;
    if (cJSON_IsString(member(port, "intervals.mode"))) {
        mt_text_say(out, MT_FAINT "        asks:     " MT_PLAIN "for %s intervals\n",
                    text_of(port, "intervals.mode"));
    }
    if (is_true(port, "alternate.sending")) {
        begin_alternate(out);
        mt_text_say(out, "an alternate transmitter itself\n");
    }
    cJSON_ArrayForEach(one, member(port, "alternate.heard_offset_ns"))
    {
        char figure[MT_FIGURE_SIZE];
        begin_alternate(out);
        mt_text_say(out, "%s", one->string);
        if (cJSON_IsNumber(one)) {
            mt_text_say(out, ", this clock is at %s",
                        mt_figure_time(one->valuedouble, true, figure));
        }
        mt_text_say(out, "\n");
    }
}

void mt_render_smpte(struct mt_text *out, const cJSON *instance)
{
    double jump = number_of(instance, "smpte.jump_s");
    if (!cJSON_IsString(member(instance, "smpte.locking"))) {
        return;
    }
    begin(out, "ST 2059-2");
    mt_text_say(out, "%s, %.4g frames/s%s, local time %+.0f s", text_of(instance, "smpte.locking"),
                number_of(instance, "smpte.frame_rate"),
                number_of(instance, "smpte.drop_frame") == 1 ? " (drop frame)" : "",
                number_of(instance, "smpte.local_offset_s"));
    if (jump != 0 && !isnan(jump)) {
        mt_text_say(out, ", %+.0f s more at %.0f", jump, number_of(instance, "smpte.next_jump_s"));
    }
    mt_text_say(out, "\n");
}

/* One that only runs is worth a word, too: it may change the clock at any time. */
void mt_render_rivals(struct mt_text *out, const cJSON *clock)
{
    bool is_shared = is_true(clock, "rivals.shared");
    bool is_known = cJSON_IsString(member(clock, "rivals.names"));
    if (!is_shared && !is_known) {
        return;
    }
    begin(out, is_shared ? "shared" : "note");
    mt_text_say(out, MT_WARN "%s %s it, too" MT_PLAIN,
                is_known ? text_of(clock, "rivals.names") : "another program",
                is_shared ? "steers" : "may steer");
    if (is_shared) {
        mt_text_say(out, " (%.0f changes; when_shared = %s)", number_of(clock, "rivals.changes"),
                    text_of(clock, "rivals.policy"));
    }
    mt_text_say(out, "\n");
}

/* How long the clock has gone on without its source, and what that may cost. */
void mt_render_holdover(struct mt_text *out, const cJSON *clock)
{
    char figure[MT_FIGURE_SIZE];
    const char *state = text_of(clock, "holdover.state");
    bool is_within = strcmp(state, "in_specification") == 0;
    double limit_s = number_of(clock, "holdover.limit_s");
    if (!is_within && strcmp(state, "out_of_specification") != 0) {
        return;
    }
    begin(out, "holdover");
    mt_text_say(out, "%s specification" MT_PLAIN ", not locked for %.0f s\n",
                is_within ? MT_WARN "within" : MT_BAD "out of", number_of(clock, "holdover.age_s"));
    begin(out, "");
    mt_text_say(out, "allowed: a bound of %s",
                mt_figure_time(number_of(clock, "holdover.accuracy_ns"), false, figure));
    if (!isnan(limit_s)) {
        mt_text_say(out, " for %.0f s", limit_s);
    }
    mt_text_say(out, "\n");
}

static void render_thermometer(struct mt_text *out, const cJSON *clock)
{
    char figure[MT_FIGURE_SIZE];
    if (!cJSON_IsString(member(clock, "thermometer.file"))) {
        return;
    }
    begin(out, "thermometer");
    if (cJSON_IsNumber(member(clock, "thermometer.celsius"))) {
        mt_text_say(out, "%.1f C", number_of(clock, "thermometer.celsius"));
    } else {
        mt_text_say(out, MT_WARN "silent" MT_PLAIN);
    }
    if (is_true(clock, "thermometer.used")) {
        mt_text_say(out, ", its clock gains %s for each K",
                    mt_figure_ratio(number_of(clock, "thermometer.coefficient_ppb"), figure));
    }
    if (cJSON_IsString(member(clock, "thermometer.fault_reason"))) {
        mt_text_say(out, ": " MT_BAD "%s" MT_PLAIN, text_of(clock, "thermometer.fault_reason"));
    }
    mt_text_say(out, "\n");
}

/* What is said of it once there is something to say. */
void mt_render_oscillator(struct mt_text *out, const cJSON *clock)
{
    char figure[MT_FIGURE_SIZE];
    char ageing[MT_FIGURE_SIZE];
    const char *memory = text_of(clock, "oscillator.memory");
    if (is_true(clock, "oscillator.known")) {
        begin(out, "oscillator");
        const char *walk = mt_figure_ratio(number_of(clock, "oscillator.walk_ppb"), figure);
        mt_text_say(out, "walks by %s in an hour, ages by %s a day", walk + (walk[0] == '+'),
                    mt_figure_ratio(number_of(clock, "oscillator.ageing_ppb"), ageing));
        mt_text_say(out, ", observed for %s\n",
                    mt_figure_duration(number_of(clock, "oscillator.observed_s"), figure));
    }
    if (strcmp(memory, "refuted") == 0) {
        begin(out, "oscillator");
        mt_text_say(out, MT_WARN "not as it was before the last start" MT_PLAIN
                                 ": what was known of it is forgotten\n");
    }
    render_thermometer(out, clock);
}
