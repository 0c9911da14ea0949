/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences.  Each begins with whom it is about, says what is now, and where there is something
 * to be done, what.  Numbers keep the unit that people measure such things in. */
#include "status/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "status/events_private.h"
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
    if (event->port == NULL && event->reason != NULL) {
        snprintf(buffer, size, "instance %s: follows nobody now: %s", event->instance,
                 event->reason);
        return;
    }
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
    const char *source = mt_time_source_name(time->time_source);
    bool is_told = strcmp(source, "?") != 0;
    snprintf(buffer, size, "instance %s: %s timescale, %s%s%s%s%s%s%s", event->instance,
             (time->flags & MT_PTP_TIMESCALE) != 0 ? "PTP" : "arbitrary", offset,
             (time->flags & MT_PTP_LEAP_61) != 0 ? ", leap second to be inserted today" : "",
             (time->flags & MT_PTP_LEAP_59) != 0 ? ", leap second to be left out today" : "",
             (time->flags & MT_PTP_TIME_TRACEABLE) != 0 ? ", time traceable" : "",
             (time->flags & MT_PTP_FREQUENCY_TRACEABLE) != 0 ? ", frequency traceable" : "",
             is_told ? ", source " : "", is_told ? source : "");
}

/* Seconds with sign and nine digits; small ones in the unit that everything else has. */
static void step_text(struct mt_span step, char *buffer, size_t size)
{
    const char *sign = step.s < 0 ? "-" : "+";
    struct mt_span by = mt_span_abs(step);
    if (by.s != 0 || by.ns >= 1000000) {
        snprintf(buffer, size, "%s%" PRId64 ".%09" PRIu32 " s", sign, by.s, by.ns);
    } else if (by.ns >= 1000) {
        snprintf(buffer, size, "%s%" PRIu32 ".%03" PRIu32 " us", sign, by.ns / 1000, by.ns % 1000);
    } else {
        snprintf(buffer, size, "%s%" PRIu32 " ns", sign, by.ns);
    }
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

static void tell_beyond(const struct mt_status_event *event, char *buffer, size_t size)
{
    double bound_us = (double)event->value.beyond.bound_ns / 1e3;
    double accuracy_us = (double)event->value.beyond.accuracy_ns / 1e3;
    int64_t age_s = event->value.beyond.age_ns / MT_NS_PER_S;
    if (event->value.beyond.bound_ns < 0) {
        snprintf(buffer, size,
                 "clock %s: out of its holdover specification: nothing is known of its error",
                 event->clock);
    } else if (bound_us > accuracy_us) {
        snprintf(buffer, size,
                 "clock %s: out of its holdover specification after %" PRId64 " s: it may be wrong "
                 "by %.3f us, and %.3f us are allowed",
                 event->clock, age_s, bound_us, accuracy_us);
    } else {
        snprintf(buffer, size,
                 "clock %s: out of its holdover specification after %" PRId64
                 " s, which is longer than holdover_limit",
                 event->clock, age_s);
    }
}

static void tell_quality(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_CLOCK_BEYOND) {
        tell_beyond(event, buffer, size);
        return;
    }
    snprintf(buffer, size, "instance %s: announces clockClass %u, was %u", event->instance,
             event->value.quality.to, event->value.quality.from);
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

/* A clock was right but for that, or is about to be wrong by it. */
static const char *hint_of(const struct mt_status_event *event)
{
    mt_real step_s = mt_span_to_real(event->value.step);
    return mt_leap_looks_confused(step_s, event->tai_minus_utc_s)
               ? "; so much is TAI - UTC: it looks as if UTC was taken for TAI, here or at its "
                 "source"
               : "";
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
                 "left as it is; if its source is right, restart the daemon%s",
                 event->clock, amount, hint_of(event));
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

/* Who else steers a clock, and whose it is. */
static void tell_rivals(const struct mt_status_event *event, char *buffer, size_t size)
{
    const char *who = event->reason != NULL ? event->reason : "another process";
    char by[48];
    if (event->kind == MT_STATUS_EVENT_CLOCK_DISTURBED) {
        mt_real rate = event->value.change.rate;
        step_text(event->value.change.step, by, sizeof by);
        if (rate != 0) {
            snprintf(by, sizeof by, "%+.3f ppm in frequency", (double)(rate * MT_REAL(1e6)));
        }
        snprintf(buffer, size,
                 "clock %s: %s changed it, by %s; let only one of the two steer it: stop that one, "
                 "or see when_shared and clock = overlay",
                 event->clock, who, by);
    } else if (event->kind == MT_STATUS_EVENT_CLOCK_ALONE) {
        snprintf(buffer, size, "clock %s: nobody else has changed it for 20 minutes", event->clock);
    } else if (strcmp(event->value.policy, "yield") == 0) {
        snprintf(buffer, size,
                 "clock %s: %s keeps changing it, so it is left to that (when_shared = yield); the "
                 "published time still follows its own sources",
                 event->clock, who);
    } else if (strcmp(event->value.policy, "insist") == 0) {
        snprintf(buffer, size,
                 "clock %s: %s keeps changing it; each change is taken back (when_shared = insist)",
                 event->clock, who);
    } else {
        snprintf(buffer, size,
                 "clock %s: %s keeps changing it, and both steer it now; stop one of the two, or "
                 "say with when_shared whose it is",
                 event->clock, who);
    }
}

/* What has become of a port's network. */
static void tell_link(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_STAMPS_LOST) {
        snprintf(buffer, size,
                 "port %s: %u of the last %u transmit timestamps did not come; each costs an "
                 "exchange; if it stays so, try timestamping = software",
                 event->port, event->value.stamps.lost, event->value.stamps.of);
    } else if (event->kind == MT_STATUS_EVENT_STAMPS_COME) {
        snprintf(buffer, size, "port %s: transmit timestamps come again", event->port);
    } else if (event->kind == MT_STATUS_EVENT_LINK_UP) {
        const char *interface = event->value.interface;
        snprintf(buffer, size, "port %s: the link is up%s%s%s%s%s", event->port,
                 interface != NULL ? "; its interface is called " : "",
                 interface != NULL ? interface : "", interface != NULL ? " now" : "",
                 event->reason != NULL ? "; timestamps: " : "",
                 event->reason != NULL ? event->reason : "");
    } else if (event->reason != NULL) {
        snprintf(buffer, size, "port %s: cannot be used: %s", event->port, event->reason);
    } else {
        snprintf(buffer, size, "port %s: the link is down", event->port);
    }
}

/* "says that TAI - UTC is 0 s, which looks like UTC taken for TAI" */
static void claim_text(const struct mt_status_event *event, char *buffer, size_t size)
{
    static const char *const why[MT_LEAP_QUARRELS] = {
        [MT_LEAP_AGREED] = "",
        [MT_LEAP_IS_UTC] = ", which looks like UTC taken for TAI",
        [MT_LEAP_IS_GPS] = ", which looks like GPS time taken for TAI or UTC",
        [MT_LEAP_IMPLAUSIBLE] = ", which cannot be",
        [MT_LEAP_DIFFERS] = "",
    };
    const struct mt_leap_claim *claim = event->value.utc.claim;
    enum mt_leap_quarrel quarrel = event->value.utc.quarrel;
    if (quarrel == MT_LEAP_TIMES_APART) {
        snprintf(buffer, size,
                 "differs from others by TAI - UTC: it looks as if one of them took UTC for TAI");
    } else if (quarrel == MT_LEAP_NOT_HEARD) {
        snprintf(buffer, size, "does not announce the leap second of this day");
    } else if (quarrel == MT_LEAP_NOT_LISTED || quarrel == MT_LEAP_WRONG_DAY) {
        snprintf(buffer, size, "announces a leap second to be %s today%s",
                 claim->leap_s > 0 ? "inserted" : "left out",
                 quarrel == MT_LEAP_WRONG_DAY ? ", which is not the last day of a month"
                                              : ", of which better sources know nothing");
    } else {
        snprintf(buffer, size, "says that TAI - UTC is %d s%s", (int)claim->tai_minus_utc_s,
                 why[quarrel]);
    }
}

/* what is known of TAI - UTC and of leap seconds */
static void tell_utc(const struct mt_status_event *event, char *buffer, size_t size)
{
    static const char *const kinds[] = {
        [MT_LEAP_BY_PTP] = "the grandmaster of instance ",
        [MT_LEAP_BY_NTP] = "NTP server ",
        [MT_LEAP_BY_LEADER] = "clock ",
    };
    char claim[120];
    enum mt_leap_by who =
        event->kind == MT_STATUS_EVENT_UTC_CHANGED || event->kind == MT_STATUS_EVENT_UTC_AGREED
            ? MT_LEAP_BY_NOBODY
            : event->value.utc.claim->by;
    const char *kind = who < sizeof kinds / sizeof kinds[0] ? kinds[who] : NULL;
    int used_s = (int)event->value.utc.tai_minus_utc_s;
    const char *by = mt_leap_by_name(event->value.utc.by);
    if (event->kind == MT_STATUS_EVENT_UTC_CHANGED) {
        snprintf(buffer, size,
                 "clock %s: TAI - UTC is %d s (%s), not %d s as was believed: UTC is put right",
                 event->clock, used_s, by, (int)event->value.utc.before_s);
    } else if (event->kind == MT_STATUS_EVENT_UTC_AGREED) {
        snprintf(buffer, size, "clock %s: all sources agree on TAI - UTC, %d s, and leap seconds",
                 event->clock, used_s);
    } else {
        claim_text(event, claim, sizeof claim);
        snprintf(buffer, size, "clock %s: %s%s %s; that is not believed, %d s (%s) is used",
                 event->clock, kind != NULL ? kind : "", event->value.utc.who, claim, used_s, by);
    }
}

static void tell_step(const struct mt_status_event *event, char *buffer, size_t size)
{
    char step[48];
    step_text(event->value.step, step, sizeof step);
    snprintf(buffer, size, "clock %s: stepped by %s%s", event->clock, step, hint_of(event));
}

static void tell_trouble(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_CLOCK_REFUSED) {
        snprintf(buffer, size,
                 "clock %s: the system refused a correction: %s; put that right, or use "
                 "clock = overlay",
                 event->clock, event->reason != NULL ? event->reason : "the reason is not known");
    } else if (event->kind == MT_STATUS_EVENT_CLOCK_SATURATED) {
        snprintf(buffer, size,
                 "clock %s: its frequency is further off than max_rate can correct; it will not "
                 "stay synchronised",
                 event->clock);
    } else {
        snprintf(buffer, size, "clock %s: its frequency is within range again", event->clock);
    }
}

static void tell_instance(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_PORT_STATE) {
        snprintf(buffer, size, "instance %s, port %s: %s, was %s", event->instance, event->port,
                 mt_port_state_name(event->value.state.to),
                 mt_port_state_name(event->value.state.from));
    } else if (event->kind == MT_STATUS_EVENT_PARENT) {
        tell_parent(event, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_TIME_PROPERTIES) {
        tell_time(event, buffer, size);
    } else {
        snprintf(buffer, size,
                 "instance %s: %s, so it sends version 2.%u from now on (minor_version = auto)",
                 event->instance, event->reason, event->value.minor_version);
    }
}

static void tell_standby(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size, "clock %s: steered by instance %s now, was %s; %s", event->clock,
             event->instance, event->value.standby.from,
             event->reason != NULL ? event->reason : "the reason is not known");
}

static void tell_resumed(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size,
             "the machine was suspended for %.1f s; what its clocks are off is measured anew",
             (double)event->value.slept_ns / 1e9);
}

static void tell_thermometer(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_THERMOMETER) {
        snprintf(buffer, size, "clock %s: its thermometer can be read", event->clock);
    } else {
        snprintf(buffer, size, "clock %s: %s; its holdover goes without", event->clock,
                 event->reason != NULL ? event->reason : "its thermometer tells nothing");
    }
}

static void tell_notice(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s", event->value.text);
}

typedef void teller(const struct mt_status_event *event, char *buffer, size_t size);
static teller *const tellers[MT_STATUS_EVENT_COUNT] = {
    [MT_STATUS_EVENT_PORT_STATE] = tell_instance,
    [MT_STATUS_EVENT_PARENT] = tell_instance,
    [MT_STATUS_EVENT_TIME_PROPERTIES] = tell_instance,
    [MT_STATUS_EVENT_MINOR_VERSION] = tell_instance,
    [MT_STATUS_EVENT_LINK_UP] = tell_link,
    [MT_STATUS_EVENT_LINK_DOWN] = tell_link,
    [MT_STATUS_EVENT_STAMPS_LOST] = tell_link,
    [MT_STATUS_EVENT_STAMPS_COME] = tell_link,
    [MT_STATUS_EVENT_DELAY_UNANSWERED] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_DELAY_ANSWERED] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_FORGED] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_UNSIGNED] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_OTHER_DOMAIN] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_UNICAST_DENIED] = mt_status_heard_sentence,
    [MT_STATUS_EVENT_CLOCK_PHASE] = tell_phase,
    [MT_STATUS_EVENT_CLOCK_STEP] = tell_step,
    [MT_STATUS_EVENT_CLOCK_DISTURBED] = tell_rivals,
    [MT_STATUS_EVENT_CLOCK_SHARED] = tell_rivals,
    [MT_STATUS_EVENT_CLOCK_ALONE] = tell_rivals,
    [MT_STATUS_EVENT_CLOCK_REFUSED] = tell_trouble,
    [MT_STATUS_EVENT_CLOCK_SATURATED] = tell_trouble,
    [MT_STATUS_EVENT_CLOCK_IN_RANGE] = tell_trouble,
    [MT_STATUS_EVENT_CLOCK_SCALE] = tell_scale,
    [MT_STATUS_EVENT_CLOCK_STANDBY] = tell_standby,
    [MT_STATUS_EVENT_CLOCK_BEYOND] = tell_quality,
    [MT_STATUS_EVENT_QUALITY] = tell_quality,
    [MT_STATUS_EVENT_NTP_REACHABLE] = tell_ntp,
    [MT_STATUS_EVENT_NTP_UNREACHABLE] = tell_ntp,
    [MT_STATUS_EVENT_NTP_REFUSED] = tell_ntp,
    [MT_STATUS_EVENT_CLOCK_PANIC] = tell_source,
    [MT_STATUS_EVENT_SOURCE_SELECTED] = tell_source,
    [MT_STATUS_EVENT_SOURCE_FALSE] = tell_source,
    [MT_STATUS_EVENT_SOURCE_TRUE] = tell_source,
    [MT_STATUS_EVENT_UTC_CHANGED] = tell_utc,
    [MT_STATUS_EVENT_UTC_CONFUSED] = tell_utc,
    [MT_STATUS_EVENT_UTC_CONTRADICTED] = tell_utc,
    [MT_STATUS_EVENT_UTC_AGREED] = tell_utc,
    [MT_STATUS_EVENT_RESUMED] = tell_resumed,
    [MT_STATUS_EVENT_THERMOMETER] = tell_thermometer,
    [MT_STATUS_EVENT_NO_THERMOMETER] = tell_thermometer,
    [MT_STATUS_EVENT_PULSES] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_NO_PULSES] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_LINE] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_NO_LINE] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_FIX] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_NO_FIX] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_ROLLOVER] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_JUMP] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_FOLLOWED] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_RETURNED] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_LEAP] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_GNSS_LEAP_AGREES] = mt_status_gnss_sentence,
    [MT_STATUS_EVENT_NOTICE] = tell_notice,
};

void mt_status_sentence(const struct mt_status_event *event, char *buffer, size_t size)
{
    teller *tell = event->kind < MT_STATUS_EVENT_COUNT ? tellers[event->kind] : NULL;
    if (tell == NULL) {
        snprintf(buffer, size, "?");
        return;
    }
    tell(event, buffer, size);
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
