/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences.  Each begins with whom it is about, says what is now, and where there is something
 * to be done, what.  Numbers keep the unit that people measure such things in. */
#include "status/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "status/names.h"

struct row {
    const char *name;
    enum mt_status_level level;
    const char *meaning;
};
static const struct row rows[] = {
#define MT_STATUS_EVENT(symbol, name, level, meaning) {name, MT_STATUS_##level, meaning},
#include "status/events.def"
#undef MT_STATUS_EVENT
};

const char *mt_status_event_name(enum mt_status_event_kind kind)
{
    return kind < MT_STATUS_EVENT_COUNT ? rows[kind].name : "?";
}

enum mt_status_level mt_status_event_level(enum mt_status_event_kind kind)
{
    return kind < MT_STATUS_EVENT_COUNT ? rows[kind].level : MT_STATUS_DEBUG;
}

const char *mt_status_event_meaning(enum mt_status_event_kind kind)
{
    return kind < MT_STATUS_EVENT_COUNT ? rows[kind].meaning : "?";
}

const char *mt_status_level_name(enum mt_status_level level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return level <= MT_STATUS_DEBUG ? names[level] : "?";
}

static void tell_parent(const struct mt_status_event *event, char *buffer, size_t size)
{
    char parent[MT_IDENTITY_TEXT_SIZE];
    char grandmaster[MT_IDENTITY_TEXT_SIZE];
    if (event->port == NULL) {
        snprintf(buffer, size, "instance %s: this clock is the best one in its domain now",
                 event->instance);
        return;
    }
    const struct mt_ptp_dataset *dataset = event->value.parent;
    mt_port_identity_text(dataset->sender, parent);
    mt_clock_identity_text(dataset->grandmaster, grandmaster);
    unsigned removed = dataset->steps_removed;
    snprintf(buffer, size, "instance %s: follows %s on port %s; grandmaster %s, %u %s away",
             event->instance, parent, event->port, grandmaster, removed,
             removed == 1 ? "step" : "steps");
}

static void tell_time(const struct mt_status_event *event, char *buffer, size_t size)
{
    const struct mt_time_properties *time = event->value.time;
    char offset[40] = "UTC offset unknown";
    if ((time->flags & MT_PTP_UTC_OFFSET_VALID) != 0) {
        snprintf(offset, sizeof offset, "UTC offset %d s", time->utc_offset);
    }
    snprintf(buffer, size, "instance %s: %s timescale, %s%s%s%s%s, source %s", event->instance,
             (time->flags & MT_PTP_TIMESCALE) != 0 ? "PTP" : "arbitrary", offset,
             (time->flags & MT_PTP_LEAP_61) != 0 ? ", leap second to be inserted today" : "",
             (time->flags & MT_PTP_LEAP_59) != 0 ? ", leap second to be left out today" : "",
             (time->flags & MT_PTP_TIME_TRACEABLE) != 0 ? ", time traceable" : "",
             (time->flags & MT_PTP_FREQUENCY_TRACEABLE) != 0 ? ", frequency traceable" : "",
             mt_time_source_name(time->time_source));
}

/* Seconds with sign and nine digits: the unit of steps, however small they are. */
static void step_text(struct mt_span step, char *buffer, size_t size)
{
    bool is_negative = step.s < 0;
    struct mt_span by = mt_span_abs(step);
    snprintf(buffer, size, "%s%" PRId64 ".%09" PRIu32 " s", is_negative ? "-" : "+", by.s, by.ns);
}

static void tell_phase(const struct mt_status_event *event, char *buffer, size_t size)
{
    static const char *const now[] = {
        [MT_STEER_IDLE] = "follows no source",
        [MT_STEER_ACQUIRING] = "measures a source",
        [MT_STEER_LOCKED] = "is synchronised",
        [MT_STEER_HOLDOVER] = "has lost its source and runs on what it has learned",
    };
    snprintf(buffer, size, "clock %s: %s (%s, was %s)", event->clock,
             event->value.phase.to <= MT_STEER_HOLDOVER ? now[event->value.phase.to] : "?",
             mt_steer_phase_name(event->value.phase.to),
             mt_steer_phase_name(event->value.phase.from));
}

/* A name and its address; an address that is its own name once. */
static void server_text(const struct mt_status_event *event, char *buffer, size_t size)
{
    char address[MT_ADDRESS_TEXT_SIZE];
    mt_address_text(event->value.ntp.address, address);
    bool is_same = strcmp(address, event->value.ntp.server) == 0;
    snprintf(buffer, size, "%s%s%s%s", event->value.ntp.server, is_same ? "" : " (",
             is_same ? "" : address, is_same ? "" : ")");
}

static void tell_ntp(const struct mt_status_event *event, char *buffer, size_t size)
{
    char server[200];
    server_text(event, server, sizeof server);
    if (event->kind == MT_STATUS_EVENT_NTP_REACHABLE) {
        char reference[MT_NTP_REFERENCE_TEXT_SIZE];
        mt_ntp_reference_text(event->value.ntp.answer, reference);
        snprintf(buffer, size, "NTP server %s: answers, stratum %u, its source is %s", server,
                 event->value.ntp.answer->stratum, reference);
    } else if (event->kind == MT_STATUS_EVENT_NTP_UNREACHABLE) {
        bool has_answered = event->value.ntp.answer->version != 0;
        snprintf(buffer, size, "NTP server %s: does not answer%s%s%s", server,
                 has_answered ? " any more" : "", event->reason != NULL ? ": " : "",
                 event->reason != NULL ? event->reason : "");
    } else {
        snprintf(buffer, size, "NTP server %s: wants no more questions from here, and is not asked",
                 server);
    }
}

static void tell_scale(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size,
             "clock %s: runs on %s and its source on %s, which cannot be converted; if the "
             "source sends UTC, set arb_timescale = utc",
             event->clock, mt_scale_name(event->value.scale.clock),
             mt_scale_name(event->value.scale.source));
}

static void member_text(const struct mt_status_event *event, char *buffer, size_t size)
{
    char address[MT_ADDRESS_TEXT_SIZE];
    if (event->value.member.address != NULL) {
        mt_address_text(event->value.member.address, address);
        snprintf(buffer, size, "%s (%s)", event->value.member.name, address);
    } else {
        snprintf(buffer, size, "%s", event->value.member.name);
    }
}

/* what the arbiter of a clock says of its sources */
static void tell_source(const struct mt_status_event *event, char *buffer, size_t size)
{
    char name[200] = "";
    mt_real miss = event->value.member.miss;
    char amount[32];
    if (event->kind != MT_STATUS_EVENT_CLOCK_PANIC) {
        member_text(event, name, sizeof name);
    }
    if (event->kind == MT_STATUS_EVENT_CLOCK_PANIC) {
        step_text(event->value.step, amount, sizeof amount);
        snprintf(buffer, size,
                 "clock %s: should be stepped by %s, which is more than panic allows, so it is "
                 "left as it is; if its source is right, restart the daemon",
                 event->clock, amount);
    } else if (event->kind == MT_STATUS_EVENT_SOURCE_FALSE) {
        step_text(mt_span_abs(mt_span_from_real(miss)), amount, sizeof amount);
        snprintf(buffer, size,
                 "clock %s: source %s is not believed: the others agree that it is %s, by at "
                 "least %s",
                 event->clock, name, miss > 0 ? "behind" : "ahead",
                 amount[0] == '+' ? amount + 1 : amount);
    } else if (event->kind == MT_STATUS_EVENT_SOURCE_TRUE) {
        snprintf(buffer, size, "clock %s: source %s agrees with the others again", event->clock,
                 name);
    } else {
        snprintf(buffer, size, "clock %s: steered by source %s", event->clock, name);
    }
}

void mt_status_sentence(const struct mt_status_event *event, char *buffer, size_t size)
{
    char step[48];
    switch (event->kind) {
    case MT_STATUS_EVENT_PORT_STATE:
        snprintf(buffer, size, "instance %s, port %s: %s, was %s", event->instance, event->port,
                 mt_port_state_name(event->value.state.to),
                 mt_port_state_name(event->value.state.from));
        return;
    case MT_STATUS_EVENT_PARENT:
        tell_parent(event, buffer, size);
        return;
    case MT_STATUS_EVENT_TIME_PROPERTIES:
        tell_time(event, buffer, size);
        return;
    case MT_STATUS_EVENT_LINK_UP:
        snprintf(buffer, size, "port %s: the link is up", event->port);
        return;
    case MT_STATUS_EVENT_LINK_DOWN:
        if (event->reason != NULL) {
            snprintf(buffer, size, "port %s: cannot be used: %s", event->port, event->reason);
        } else {
            snprintf(buffer, size, "port %s: the link is down", event->port);
        }
        return;
    case MT_STATUS_EVENT_CLOCK_PHASE:
        tell_phase(event, buffer, size);
        return;
    case MT_STATUS_EVENT_CLOCK_STEP:
        step_text(event->value.step, step, sizeof step);
        snprintf(buffer, size, "clock %s: stepped by %s", event->clock, step);
        return;
    case MT_STATUS_EVENT_CLOCK_DISTURBED:
        step_text(event->value.step, step, sizeof step);
        snprintf(buffer, size,
                 "clock %s: somebody else changed it, by %s; stop other time daemons on this "
                 "machine, or use clock = overlay",
                 event->clock, step);
        return;
    case MT_STATUS_EVENT_CLOCK_REFUSED:
        snprintf(buffer, size,
                 "clock %s: the system refused a correction: %s; put that right, or use "
                 "clock = overlay",
                 event->clock, event->reason != NULL ? event->reason : "the reason is not known");
        return;
    case MT_STATUS_EVENT_CLOCK_SATURATED:
        snprintf(buffer, size,
                 "clock %s: its frequency is further off than max_rate can correct; it will not "
                 "stay synchronised",
                 event->clock);
        return;
    case MT_STATUS_EVENT_CLOCK_IN_RANGE:
        snprintf(buffer, size, "clock %s: its frequency is within range again", event->clock);
        return;
    case MT_STATUS_EVENT_CLOCK_SCALE:
        tell_scale(event, buffer, size);
        return;
    case MT_STATUS_EVENT_CLOCK_STANDBY:
        snprintf(buffer, size, "clock %s: steered by instance %s now, was %s; %s", event->clock,
                 event->instance, event->value.standby.from,
                 event->reason != NULL ? event->reason : "the reason is not known");
        return;
    case MT_STATUS_EVENT_NTP_REACHABLE:
    case MT_STATUS_EVENT_NTP_UNREACHABLE:
    case MT_STATUS_EVENT_NTP_REFUSED:
        tell_ntp(event, buffer, size);
        return;
    case MT_STATUS_EVENT_CLOCK_PANIC:
    case MT_STATUS_EVENT_SOURCE_SELECTED:
    case MT_STATUS_EVENT_SOURCE_FALSE:
    case MT_STATUS_EVENT_SOURCE_TRUE:
        tell_source(event, buffer, size);
        return;
    case MT_STATUS_EVENT_NOTICE:
        snprintf(buffer, size, "%s", event->value.text);
        return;
    case MT_STATUS_EVENT_COUNT:
        break;
    }
    snprintf(buffer, size, "?");
}

void mt_event_sentence(const struct mt_event *event, const char *instance, const char *port,
                       char *buffer, size_t size)
{
    struct mt_status_event told = {.instance = instance, .port = port};
    if (size > 0) {
        buffer[0] = '\0';
    }
    switch (event->kind) {
    case MT_EVENT_STATE:
        told.kind = MT_STATUS_EVENT_PORT_STATE;
        told.value.state.from = event->value.state.from;
        told.value.state.to = event->value.state.to;
        mt_status_sentence(&told, buffer, size);
        return;
    case MT_EVENT_PARENT:
        if (event->port == 0) {
            tell_parent(&(struct mt_status_event){.instance = instance}, buffer, size);
        } else {
            snprintf(buffer, size, "instance %s: follows another transmitter, on port %s", instance,
                     port);
        }
        return;
    case MT_EVENT_REFERENCE:
        snprintf(buffer, size, "instance %s: its transmitter follows another grandmaster",
                 instance);
        return;
    case MT_EVENT_TIME_PROPERTIES:
        snprintf(buffer, size, "instance %s: the time properties have changed", instance);
        return;
    case MT_EVENT_SAMPLE:
        return;
    }
}
