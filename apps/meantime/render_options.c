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
