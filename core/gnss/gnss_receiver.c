/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is known of the receiver, gathered from all that it says.  A sentence that says there is no
 * fix takes it away at once, and one that says there is a fix gives it back; which one it is, is
 * known until it is lost.  A time alone gives nothing back: without a fix receivers go on telling
 * that of their own clock.
 */
#include "base/memory.h"
#include "gnss/gnss_private.h"

void mt_gnss_receiver_init(struct mt_gnss_receiver *self, enum mt_gnss_protocol protocol,
                           int64_t not_before_s)
{
    memset(self, 0, sizeof *self);
    mt_gnss_stream_init(&self->stream, protocol);
    self->not_before_s = not_before_s;
}

void mt_gnss_receiver_reset(struct mt_gnss_receiver *self)
{
    struct mt_gnss_receiver before = {.not_before_s = self->not_before_s};
    enum mt_gnss_protocol protocol = self->stream.protocol;
    memcpy(before.protocols, self->protocols, sizeof before.protocols);
    memcpy(before.counts, self->counts, sizeof before.counts);
    mt_gnss_receiver_init(self, protocol, before.not_before_s);
    memcpy(self->protocols, before.protocols, sizeof self->protocols);
    memcpy(self->counts, before.counts, sizeof self->counts);
}

void mt_gnss_receiver_rx(struct mt_gnss_receiver *self, const uint8_t *octets, size_t length,
                         const struct mt_stamp *arrival)
{
    mt_gnss_stream_put(&self->stream, octets, length, arrival);
}

bool mt_gnss_receiver_is_fixed(const struct mt_gnss_receiver *self)
{
    return self->fix != MT_GNSS_FIX_NONE;
}

/* ---- what a report changes ------------------------------------------------------------------- */

static void note_sky(struct mt_gnss_receiver *self, const struct mt_gnss_report *report)
{
    if (report->has_satellites) {
        self->has_satellites = true;
        self->satellites = report->satellites;
    }
    if (report->has_visible) {
        self->has_visible = true;
        self->visible = report->visible;
    }
    if (report->has_accuracy) {
        self->has_accuracy = true;
        self->accuracy_ns = report->accuracy_ns;
    }
}

static void note_leap(struct mt_gnss_receiver *self, const struct mt_gnss_report *report)
{
    if (report->has_gps_utc) {
        self->has_gps_utc = true;
        self->gps_utc_s = report->gps_utc_s;
    }
    if (report->has_leap) {
        self->has_leap = true;
        self->leap = report->leap;
        self->leap_heard_at = report->arrival.at;
    }
}

static void note_fix(struct mt_gnss_receiver *self, const struct mt_gnss_report *report)
{
    bool says_which = report->fix != MT_GNSS_FIX_UNKNOWN;
    if (report->has_fix && (says_which || self->fix == MT_GNSS_FIX_NONE)) {
        self->fix = report->fix;
    }
    if (self->fix == MT_GNSS_FIX_NONE) {
        self->has_accuracy = false;
    }
}

/* A week counter that began again. */
static void repair(struct mt_gnss_receiver *self, struct mt_gnss_report *report)
{
    if (report->has_time) {
        self->rollovers = mt_gnss_rollovers(report->utc_s, self->not_before_s);
        report->utc_s += self->rollovers * MT_GNSS_ROLLOVER_S;
        self->has_time = true;
        self->utc_s = report->utc_s;
    }
    if (report->has_second) {
        report->second.s +=
            mt_gnss_rollovers(report->second.s, self->not_before_s) * MT_GNSS_ROLLOVER_S;
    }
    if (report->has_reading) {
        report->real.s +=
            mt_gnss_rollovers(report->real.s, self->not_before_s) * MT_GNSS_ROLLOVER_S;
    }
}

static void note(struct mt_gnss_receiver *self, enum mt_gnss_verdict verdict,
                 struct mt_gnss_report *report)
{
    self->counts[verdict]++;
    self->protocols[report->protocol]++;
    note_fix(self, report);
    note_sky(self, report);
    note_leap(self, report);
    repair(self, report);
}

/* ---- one after the other --------------------------------------------------------------------- */

static bool is_report(enum mt_gnss_verdict verdict)
{
    return verdict == MT_GNSS_VERDICT_USED || verdict == MT_GNSS_VERDICT_NO_FIX ||
           verdict == MT_GNSS_VERDICT_NO_TIME;
}

static bool next_object(struct mt_gnss_receiver *self, struct mt_gnss_report *ret_report)
{
    struct mt_gnss_stream *stream = &self->stream;
    size_t taken = 0;
    bool is_found = false;
    while (taken < stream->length && !is_found) {
        enum mt_gnss_verdict verdict = MT_GNSS_VERDICT_USED;
        *ret_report = (struct mt_gnss_report){.protocol = MT_GNSS_GPSD,
                                              .arrival = mt_gnss_stream_arrival(stream)};
        if (mt_gnss_scanner_put(&self->scanner, stream->octets[taken++], ret_report, &verdict)) {
            is_found = is_report(verdict);
            self->counts[verdict] += !is_found;
            if (is_found) {
                note(self, verdict, ret_report);
            }
        }
    }
    mt_gnss_stream_drop(stream, taken);
    return is_found;
}

static bool next_frame(struct mt_gnss_receiver *self, struct mt_gnss_report *ret_report)
{
    struct mt_gnss_frame frame;
    enum mt_gnss_verdict verdict;
    while (mt_gnss_stream_next(&self->stream, &frame, &verdict)) {
        if (verdict == MT_GNSS_VERDICT_USED) {
            *ret_report =
                (struct mt_gnss_report){.protocol = frame.protocol, .arrival = frame.arrival};
            verdict = frame.protocol == MT_GNSS_UBX
                          ? mt_gnss_ubx_parse(frame.octets, frame.length, ret_report)
                          : mt_gnss_nmea_parse(frame.octets, frame.length, ret_report);
            if (is_report(verdict)) {
                note(self, verdict, ret_report);
                return true;
            }
        }
        self->counts[verdict]++;
    }
    return false;
}

bool mt_gnss_receiver_next(struct mt_gnss_receiver *self, struct mt_gnss_report *ret_report)
{
    return self->stream.protocol == MT_GNSS_GPSD ? next_object(self, ret_report)
                                                 : next_frame(self, ret_report);
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *mt_gnss_verdict_name(enum mt_gnss_verdict verdict)
{
    static const char *const names[MT_GNSS_VERDICT_COUNT] = {
#define MT_GNSS_VERDICT(name, word, words) [MT_GNSS_VERDICT_##name] = (word),
#include "meantime/gnss_verdict.def"
#undef MT_GNSS_VERDICT
    };
    return verdict < MT_GNSS_VERDICT_COUNT ? names[verdict] : "unknown";
}

const char *mt_gnss_verdict_words(enum mt_gnss_verdict verdict)
{
    static const char *const words[MT_GNSS_VERDICT_COUNT] = {
#define MT_GNSS_VERDICT(name, word, told) [MT_GNSS_VERDICT_##name] = (told),
#include "meantime/gnss_verdict.def"
#undef MT_GNSS_VERDICT
    };
    return verdict < MT_GNSS_VERDICT_COUNT ? words[verdict] : "unknown";
}

const char *mt_gnss_fix_name(enum mt_gnss_fix fix)
{
    static const char *const names[] = {"unknown", "none", "time", "2d", "3d"};
    return names[fix];
}
