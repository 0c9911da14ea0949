/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What happens in a replay, a line for each thing, or an object for each line.  Names of members
 * carry their units; what is not known is null.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/replay.h"
#include "apps/meantime/text.h"
#include "status/names.h"

#define INDENT "              " /* below the time */

static bool is_shown(const struct mt_replay_printer *self, int64_t t_ns, const char *clock)
{
    bool is_other = self->clock != NULL && clock != NULL && strcmp(self->clock, clock) != 0;
    return t_ns >= self->from_ns && t_ns <= self->to_ns && !is_other;
}

static void say_time(int64_t t_ns)
{
    printf("%12.6f  ", (double)t_ns / 1e9);
}

static double seconds_of(int64_t t_ns)
{
    return (double)t_ns / 1e9;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Picoseconds and 10^-12 are finer than anything measured here. */
static double thousandths(double value)
{
    return round(value * 1e3) / 1e3;
}

static void add_number(cJSON *object, const char *name, double value)
{
    if (isfinite(value)) {
        cJSON_AddNumberToObject(object, name, value);
    } else {
        cJSON_AddNullToObject(object, name);
    }
}

static cJSON *new_object(const char *type, int64_t t_ns)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "type", type);
    cJSON_AddNumberToObject(object, "t_s", seconds_of(t_ns));
    return object;
}

static void print_object(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    puts(text != NULL ? text : "{\"type\":\"out of memory\"}");
    free(text);
    cJSON_Delete(object);
}

/* ---- the start ------------------------------------------------------------------------------- */

/* The log may be somebody else's, and say anything to a terminal. */
static void recorder_text(const struct mt_player *player, char *text, size_t size)
{
    struct mt_log_text recorder = mt_player_recorder(player);
    size_t length = recorder.length < size ? recorder.length : size - 1;
    for (size_t i = 0; i < length; i++) {
        text[i] = recorder.text[i] >= ' ' && recorder.text[i] <= '~' ? recorder.text[i] : '?';
    }
    text[length] = '\0';
}

void mt_replay_print_start(const struct mt_replay_printer *self, const struct mt_player *player,
                           bool is_anew)
{
    const struct mt_composition *composition = mt_player_composition(player);
    char name[80];
    recorder_text(player, name, sizeof name);
    if (self->as_json) {
        cJSON *object = new_object("start", 0);
        cJSON_AddNumberToObject(object, "log_version", MT_LOG_VERSION);
        cJSON_AddStringToObject(object, "recorder", name);
        cJSON_AddBoolToObject(object, "anew", is_anew);
        cJSON *clocks = cJSON_AddArrayToObject(object, "clocks");
        for (size_t i = 0; i < composition->config->clock_count; i++) {
            cJSON_AddItemToArray(clocks, cJSON_CreateString(composition->config->clocks[i].name));
        }
        print_object(object);
        return;
    }
    printf("recorded by %s; times are seconds since it was started%s\n", name,
           is_anew ? "\nrun anew: the node may do something else than was recorded" : "");
    for (size_t i = 0; i < composition->note_count; i++) {
        printf("%s\n", composition->notes[i]);
    }
}

/* ---- events, corrections, orders ------------------------------------------------------------- */

static void add_names(cJSON *object, const struct mt_status_event *event)
{
    if (event->instance != NULL) {
        cJSON_AddStringToObject(object, "instance", event->instance);
    }
    if (event->port != NULL) {
        cJSON_AddStringToObject(object, "port", event->port);
    }
    if (event->clock != NULL) {
        cJSON_AddStringToObject(object, "clock", event->clock);
    }
}

static void add_change(cJSON *object, const struct mt_status_event *event)
{
    bool is_change = event->kind == MT_STATUS_EVENT_CLOCK_DISTURBED;
    if (event->kind == MT_STATUS_EVENT_PORT_STATE) {
        cJSON_AddStringToObject(object, "from", mt_port_state_name(event->value.state.from));
        cJSON_AddStringToObject(object, "to", mt_port_state_name(event->value.state.to));
    } else if (event->kind == MT_STATUS_EVENT_CLOCK_PHASE) {
        cJSON_AddStringToObject(object, "from", mt_steer_phase_name(event->value.phase.from));
        cJSON_AddStringToObject(object, "to", mt_steer_phase_name(event->value.phase.to));
    } else if (is_change) {
        cJSON_AddNumberToObject(object, "step_ns", (double)mt_span_to_ns(event->value.change.step));
        cJSON_AddNumberToObject(object, "rate_ppb", (double)(event->value.change.rate * 1e9));
    } else if (event->kind == MT_STATUS_EVENT_CLOCK_STEP) {
        cJSON_AddNumberToObject(object, "step_ns", (double)mt_span_to_ns(event->value.step));
    }
}

void mt_replay_print_event(const struct mt_replay_printer *self, int64_t t_ns,
                           const struct mt_status_event *event)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    if (!is_shown(self, t_ns, event->clock)) {
        return;
    }
    mt_status_sentence(event, text, sizeof text);
    if (!self->as_json) {
        say_time(t_ns);
        puts(text);
        return;
    }
    cJSON *object = new_object("event", t_ns);
    cJSON_AddStringToObject(object, "event", mt_status_event_name(event->kind));
    cJSON_AddStringToObject(object, "level",
                            mt_status_level_name(mt_status_event_level(event->kind)));
    add_names(object, event);
    add_change(object, event);
    cJSON_AddStringToObject(object, "text", text);
    print_object(object);
}

static void print_correction_object(const struct mt_replay_correction *correction)
{
    const struct mt_applied *applied = correction->applied;
    bool is_step = correction->asked->kind == MT_CORRECT_STEP;
    cJSON *object = new_object("correction", correction->t_ns);
    cJSON_AddStringToObject(object, "clock", correction->clock);
    cJSON_AddStringToObject(object, "correction", is_step ? "step" : "rate");
    cJSON_AddBoolToObject(object, "refused", applied->is_refused);
    if (is_step) {
        add_number(object, "asked_step_ns", (double)mt_span_to_ns(correction->asked->step));
        add_number(object, "applied_step_ns",
                   applied->is_refused ? NAN : (double)mt_span_to_ns(applied->step));
    } else {
        add_number(object, "asked_rate_ppb", correction->asked->rate * 1e9);
        add_number(object, "applied_rate_ppb", applied->is_refused ? NAN : applied->rate * 1e9);
    }
    cJSON_AddNumberToObject(object, "corrections", applied->corrections);
    print_object(object);
}

void mt_replay_print_correction(const struct mt_replay_printer *self,
                                const struct mt_replay_correction *correction)
{
    char asked[MT_FIGURE_SIZE];
    char applied[MT_FIGURE_SIZE];
    if (!is_shown(self, correction->t_ns, correction->clock)) {
        return;
    }
    if (self->as_json) {
        print_correction_object(correction);
        return;
    }
    if (correction->asked->kind == MT_CORRECT_STEP) {
        mt_figure_time((double)mt_span_to_ns(correction->asked->step), true, asked);
        mt_figure_time((double)mt_span_to_ns(correction->applied->step), true, applied);
    } else {
        mt_figure_ratio(correction->asked->rate * 1e9, asked);
        mt_figure_ratio(correction->applied->rate * 1e9, applied);
    }
    say_time(correction->t_ns);
    printf("clock %s: %s %s asked, ", correction->clock,
           correction->asked->kind == MT_CORRECT_STEP ? "step by" : "rate", asked);
    printf(correction->applied->is_refused ? "refused\n" : "%s applied\n", applied);
}

static void command_words(const struct mt_command *command, char *text, size_t size)
{
    const struct mt_clock_quality *quality = &command->value.quality;
    switch (command->kind) {
    case MT_COMMAND_PRIORITIES:
        snprintf(text, size, "priority1 %u, priority2 %u", command->value.priorities.priority1,
                 command->value.priorities.priority2);
        return;
    case MT_COMMAND_QUALITY:
        snprintf(text, size, "clock_class %u, clock_accuracy %s, offset_scaled_log_variance %u",
                 quality->clock_class, mt_clock_accuracy_name(quality->accuracy),
                 quality->variance);
        return;
    case MT_COMMAND_TIME_PROPERTIES:
        snprintf(text, size, "utc_offset %d s, time_source %s", command->value.time.utc_offset,
                 mt_time_source_name(command->value.time.time_source));
        return;
    case MT_COMMAND_PORT_ENABLE:
        snprintf(text, size, "port %u %s", command->port, command->value.is_on ? "on" : "off");
        return;
    case MT_COMMAND_LINK:
    case MT_COMMAND_FAULT:
    case MT_COMMAND_CLOCK:
        break;
    }
    snprintf(text, size, "command number %d", (int)command->kind);
}

static void order_words(const struct mt_order *order, char *text, size_t size)
{
    char command[160];
    switch (order->kind) {
    case MT_ORDER_COMMAND:
        command_words(&order->command, command, sizeof command);
        snprintf(text, size, "ordered: %s", command);
        return;
    case MT_ORDER_STOP:
        snprintf(text, size, "ordered: the end");
        return;
    case MT_ORDER_RELOAD:
        snprintf(text, size, "ordered: a new configuration");
        return;
    case MT_ORDER_FACTS:
        snprintf(text, size, "known now: TAI - UTC %s%d s, leap second at the end of the day %d",
                 order->facts.tai_utc_known ? "" : "unknown, taken as ",
                 (int)order->facts.tai_minus_utc_s, (int)order->facts.leap_s);
        return;
    case MT_ORDER_ADDRESS:
        mt_address_text(&order->address, command);
        snprintf(text, size, "known now: NTP server number %u is %s", order->instance, command);
        return;
    case MT_ORDER_KEYS:
        mt_address_text(&order->address, command);
        snprintf(text, size, "keys of NTP server number %u, at %s", order->instance, command);
        return;
    case MT_ORDER_AUTO:
        snprintf(text, size, "ordered:%s%s%s of instance number %u auto",
                 order->class_is_auto ? " clockClass" : "",
                 order->variance_is_auto ? " variance" : "",
                 order->utc_offset_is_auto ? " UTC offset" : "", order->instance);
        return;
    case MT_ORDER_OWN:
        mt_address_text(&order->address, command);
        if (order->address.network == MT_NETWORK_NONE) {
            snprintf(text, size, "known now: towards NTP server number %u this machine has others",
                     order->instance);
        } else {
            snprintf(text, size, "known now: towards NTP server number %u this machine is %.100s",
                     order->instance, command);
        }
        return;
    }
}

void mt_replay_print_order(const struct mt_replay_printer *self, int64_t t_ns,
                           const struct mt_order *order)
{
    static const char *const names[] = {"command", "stop", "reload", "facts",
                                        "address", "keys", "own",    "auto"};
    char text[200] = "";
    if (!is_shown(self, t_ns, NULL)) {
        return;
    }
    order_words(order, text, sizeof text);
    if (!self->as_json) {
        say_time(t_ns);
        puts(text);
        return;
    }
    cJSON *object = new_object("order", t_ns);
    cJSON_AddStringToObject(object, "order", names[order->kind]);
    cJSON_AddStringToObject(object, "text", text);
    print_object(object);
}

/* ---- estimates ------------------------------------------------------------------------------- */

static bool has_bound(const struct mt_node_clock *clock)
{
    const struct mt_clock_quality_report *report = &clock->report;
    return report->reference != MT_BOUND_NONE && !mt_interval_is_too_large(report->bound);
}

/* Of the published time. */
static double bound_ns_of(const struct mt_node_clock *clock)
{
    return has_bound(clock) ? (double)clock->page.bound_ns : NAN;
}

static double steered_bound_ns_of(const struct mt_node_clock *clock)
{
    return has_bound(clock) ? (double)clock->report.bound.q16 / 65536 : NAN;
}

static uint64_t samples_with(const struct mt_discipline *discipline, int verdict)
{
    uint64_t sum = 0;
    for (uint16_t source = 0; source < discipline->source_count; source++) {
        sum += discipline->sources[source].verdicts[verdict];
    }
    return sum;
}

static void add_estimate(cJSON *object, const struct mt_clock_quality_report *report)
{
    const struct mt_estimate *estimate = &report->estimate;
    double known = report->has_estimate ? 1 : NAN; /* times NAN: not known */
    double offset_ns = (double)mt_span_to_real(estimate->offset) * 1e9;
    add_number(object, "offset_ns", thousandths(offset_ns * known));
    add_number(object, "offset_sigma_ns", thousandths(estimate->offset_sigma * 1e9 * known));
    add_number(object, "frequency_ppb", thousandths(estimate->frequency * 1e9 * known));
    add_number(object, "frequency_sigma_ppb", thousandths(estimate->frequency_sigma * 1e9 * known));
    add_number(object, "delay_ns", thousandths(estimate->delay * 1e9 * known));
    add_number(object, "delay_sigma_ns", thousandths(estimate->delay_sigma * 1e9 * known));
    add_number(object, "noise_forward_ns",
               thousandths(estimate->noise[MT_SAMPLE_FORWARD] * 1e9 * known));
    add_number(object, "noise_reverse_ns",
               thousandths(estimate->noise[MT_SAMPLE_REVERSE] * 1e9 * known));
    add_number(object, "innovation_sigmas", thousandths(estimate->innovation * known));
}

static void add_bound(cJSON *object, const struct mt_node_clock *clock)
{
    const struct mt_bound_parts *published = &clock->page.parts;
    add_number(object, "lag_ns", thousandths((double)clock->page.lag_q16 / 65536));
    add_number(object, "bound_ns", bound_ns_of(clock));
    add_number(object, "bound_growth_ppb", (double)clock->page.bound_growth_ppb);
    add_number(object, "steered_bound_ns", thousandths(steered_bound_ns_of(clock)));
    cJSON_AddStringToObject(object, "bound_reference",
                            mt_bound_reference_name(clock->report.reference));
    cJSON *parts = cJSON_AddObjectToObject(object, "bound_parts");
    cJSON_AddNumberToObject(parts, "estimate_ns", (double)published->estimate_ns);
    cJSON_AddNumberToObject(parts, "asymmetry_ns", (double)published->asymmetry_ns);
    cJSON_AddNumberToObject(parts, "source_ns", (double)published->source_ns);
    cJSON_AddNumberToObject(parts, "granularity_ns", (double)published->granularity_ns);
    cJSON_AddNumberToObject(parts, "steering_ns", (double)published->steering_ns);
}

static void print_estimate_object(const struct mt_replay_estimate *estimate)
{
    const struct mt_discipline *discipline = &estimate->node->discipline;
    cJSON *object = new_object("estimate", estimate->t_ns);
    cJSON_AddStringToObject(object, "clock", estimate->clock);
    if (estimate->verdict >= 0) {
        cJSON_AddStringToObject(object, "verdict",
                                mt_sample_verdict_name((enum mt_sample_verdict)estimate->verdict));
    }
    cJSON_AddStringToObject(object, "phase", mt_steer_phase_name(discipline->phase));
    add_estimate(object, &estimate->node->report);
    add_number(object, "wander_per_sqrt_s", sqrt(discipline->model.wander));
    add_number(object, "rate_ppb", thousandths(discipline->rate * 1e9));
    add_bound(object, estimate->node);
    cJSON *samples = cJSON_AddObjectToObject(object, "samples");
    for (int verdict = 0; verdict < MT_SAMPLE_VERDICT_COUNT; verdict++) {
        cJSON_AddNumberToObject(samples, mt_sample_verdict_name((enum mt_sample_verdict)verdict),
                                (double)samples_with(discipline, verdict));
    }
    cJSON_AddNumberToObject(object, "steps", discipline->steps);
    print_object(object);
}

static const char *time_of(double s, bool has_sign, char *text)
{
    return mt_figure_time(s * 1e9, has_sign, text);
}

static void say_estimate(const struct mt_estimate *estimate, const struct mt_discipline *discipline)
{
    char text[6][MT_FIGURE_SIZE];
    printf("offset %s (sigma %s), frequency %s (%s), delay %s (%s)\n",
           time_of(mt_span_to_real(estimate->offset), true, text[0]),
           time_of(estimate->offset_sigma, false, text[1]),
           mt_figure_ratio(estimate->frequency * 1e9, text[2]),
           mt_figure_ratio(estimate->frequency_sigma * 1e9, text[3]),
           time_of(estimate->delay, false, text[4]),
           time_of(estimate->delay_sigma, false, text[5]));
    printf(INDENT "noise %s in, %s out; wander %.2g per sqrt(s); rate %s\n",
           time_of(estimate->noise[MT_SAMPLE_FORWARD], false, text[0]),
           time_of(estimate->noise[MT_SAMPLE_REVERSE], false, text[1]),
           sqrt(discipline->model.wander), mt_figure_ratio(discipline->rate * 1e9, text[2]));
}

static void say_bound(const struct mt_node_clock *clock)
{
    char text[6][MT_FIGURE_SIZE];
    const struct mt_bound_parts *parts = &clock->page.parts;
    if (!has_bound(clock)) {
        return;
    }
    printf(INDENT "bound %s against %s: estimate %s, asymmetry %s, source %s, granularity %s, "
                  "steering %s\n",
           mt_figure_time(bound_ns_of(clock), false, text[0]),
           mt_bound_reference_name(clock->report.reference),
           mt_figure_time((double)parts->estimate_ns, false, text[1]),
           mt_figure_time((double)parts->asymmetry_ns, false, text[2]),
           mt_figure_time((double)parts->source_ns, false, text[3]),
           mt_figure_time((double)parts->granularity_ns, false, text[4]),
           mt_figure_time((double)parts->steering_ns, false, text[5]));
}

static void say_samples(const struct mt_discipline *discipline)
{
    printf(INDENT "samples");
    for (int verdict = 0; verdict < MT_SAMPLE_VERDICT_COUNT; verdict++) {
        printf("%s %" PRIu64 " %s", verdict > 0 ? "," : "", samples_with(discipline, verdict),
               mt_sample_verdict_name((enum mt_sample_verdict)verdict));
    }
    putchar('\n');
}

void mt_replay_print_estimate(const struct mt_replay_printer *self,
                              const struct mt_replay_estimate *estimate)
{
    const struct mt_clock_quality_report *report = &estimate->node->report;
    if (!is_shown(self, estimate->t_ns, estimate->clock)) {
        return;
    }
    if (self->as_json) {
        print_estimate_object(estimate);
        return;
    }
    say_time(estimate->t_ns);
    printf("clock %s, %s: ", estimate->clock,
           mt_steer_phase_name(estimate->node->discipline.phase));
    if (estimate->verdict >= 0) {
        printf("sample %s; ", mt_sample_verdict_name((enum mt_sample_verdict)estimate->verdict));
    }
    if (!report->has_estimate) {
        puts("no estimate");
        say_bound(estimate->node);
        return;
    }
    say_estimate(&report->estimate, &estimate->node->discipline);
    say_bound(estimate->node);
    say_samples(&estimate->node->discipline);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void print_end_object(const struct mt_player_result *result)
{
    cJSON *object = new_object("end", result->t_ns);
    if (result->is_anew) {
        cJSON_AddNumberToObject(object, "unmatched", (double)result->unmatched);
        cJSON_AddNumberToObject(object, "recorded_corrections",
                                (double)result->recorded_corrections);
    } else {
        cJSON_AddBoolToObject(object, "same", result->is_same);
    }
    cJSON_AddBoolToObject(object, "complete", result->is_complete);
    cJSON_AddBoolToObject(object, "damaged", result->is_damaged);
    cJSON_AddNumberToObject(object, "octets", (double)result->octets);
    cJSON_AddNumberToObject(object, "inputs", (double)result->inputs);
    cJSON_AddNumberToObject(object, "frames", (double)result->frames);
    cJSON_AddNumberToObject(object, "corrections", (double)result->corrections);
    if (result->reason[0] != '\0') {
        cJSON_AddStringToObject(object, "reason", result->reason);
    } else {
        cJSON_AddNullToObject(object, "reason");
    }
    print_object(object);
}

void mt_replay_print_end(const struct mt_replay_printer *self,
                         const struct mt_player_result *result)
{
    if (self->as_json) {
        print_end_object(result);
        return;
    }
    printf("%" PRIu64 " inputs, %" PRIu64 " frames sent, %" PRIu64 " corrections", result->inputs,
           result->frames, result->corrections);
    if (result->is_anew) {
        printf(" (recorded: %" PRIu64 "); %" PRIu64 " event messages without recorded stamp\n",
               result->recorded_corrections, result->unmatched);
    } else {
        puts(result->is_same ? ", all as recorded" : ", as recorded so far");
    }
    if (result->is_same && !result->is_complete) {
        puts("the log just ends: its daemon was killed, or still runs");
    }
}
