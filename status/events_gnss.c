/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is told of GNSS receivers, as sentences.
 */
#include <inttypes.h>
#include <stdio.h>

#include "status/events_private.h"

static void tell_jump(const struct mt_status_event *event, char *buffer, size_t size)
{
    struct mt_span jump = event->value.gnss.jump;
    bool is_behind = jump.s >= 0; /* the clock is ahead of it */
    double s = (double)mt_span_to_real(mt_span_abs(jump));
    const char *name = event->value.gnss.name;
    if (event->kind == MT_STATUS_EVENT_GNSS_JUMP) {
        snprintf(buffer, size,
                 "gnss %s: its time is %.6f s %s clock %s, more than that can be wrong by: it is "
                 "not followed until it agrees again; is it spoofed, or its leap seconds wrong?",
                 name, s, is_behind ? "behind" : "ahead of", event->clock);
    } else {
        snprintf(buffer, size,
                 "gnss %s: its time is %.6f s %s clock %s, more than that can be wrong by, and is "
                 "followed, as jump_policy says",
                 name, s, is_behind ? "behind" : "ahead of", event->clock);
    }
}

static void tell_leap(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size,
             "gnss %s: it counts TAI - UTC = %" PRId32 " s and this machine %" PRId32
             " s; its UTC is not believed, only its TAI if it tells that; a receiver that was "
             "off for long needs 13 minutes to learn it",
             event->value.gnss.name, event->value.gnss.tai_utc_s,
             event->value.gnss.known_tai_utc_s);
}

static void tell_line(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_GNSS_LINE) {
        snprintf(buffer, size, "gnss %s: it can be heard", event->value.gnss.name);
    } else {
        snprintf(buffer, size, "gnss %s: it cannot be heard: %s", event->value.gnss.name,
                 event->reason != NULL ? event->reason : "nobody knows why");
    }
}

static void tell_pulses(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_PULSES) {
        snprintf(buffer, size, "%s %s: its pulses can be had again", event->value.pulses.section,
                 event->value.pulses.name);
    } else {
        snprintf(buffer, size, "%s %s: its pulses cannot be had: %s", event->value.pulses.section,
                 event->value.pulses.name,
                 event->reason != NULL ? event->reason : "nobody knows why");
    }
}

static void tell_fix(const struct mt_status_event *event, char *buffer, size_t size)
{
    bool has_fix = event->kind == MT_STATUS_EVENT_GNSS_FIX;
    snprintf(buffer, size, "gnss %s: %s", event->value.gnss.name,
             has_fix ? "it has a fix" : "it has no fix; its time is not used");
}

static void tell_rollover(const struct mt_status_event *event, char *buffer, size_t size)
{
    snprintf(buffer, size,
             "gnss %s: its dates are %u weeks too early, since its week counter has begun again; "
             "they are put right here, but a newer firmware would do so for everybody",
             event->value.gnss.name, event->value.gnss.rollovers * 1024);
}

void mt_status_gnss_sentence(const struct mt_status_event *event, char *buffer, size_t size)
{
    if (event->kind == MT_STATUS_EVENT_GNSS_JUMP || event->kind == MT_STATUS_EVENT_GNSS_FOLLOWED) {
        tell_jump(event, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_GNSS_LEAP) {
        tell_leap(event, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_GNSS_ROLLOVER) {
        tell_rollover(event, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_GNSS_RETURNED) {
        snprintf(buffer, size, "gnss %s: its time agrees with clock %s again, and is followed",
                 event->value.gnss.name, event->clock);
    } else if (event->kind == MT_STATUS_EVENT_GNSS_LEAP_AGREES) {
        snprintf(buffer, size, "gnss %s: it counts TAI - UTC = %" PRId32 " s, as this machine does",
                 event->value.gnss.name, event->value.gnss.tai_utc_s);
    } else if (event->kind == MT_STATUS_EVENT_GNSS_FIX ||
               event->kind == MT_STATUS_EVENT_GNSS_NO_FIX) {
        tell_fix(event, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_PULSES || event->kind == MT_STATUS_EVENT_NO_PULSES) {
        tell_pulses(event, buffer, size);
    } else {
        tell_line(event, buffer, size);
    }
}
