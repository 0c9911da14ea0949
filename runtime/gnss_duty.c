/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The way of one second:
 *
 *     pulse ----> label ----.
 *                  ^        |-> second -> guard -> sample of a reference clock
 *     octets -> report -----'
 *
 * A receiver speaks of UTC, and may count other leap seconds than everybody else: before it has
 * heard of the last one it reckons with a number in its firmware.  Its frames of UBX tell that
 * number, so its second in TAI is right whatever it is; NMEA does not, so there the number is the
 * clock's, and a wrong one shows as a jump by whole seconds.  Seconds are labelled in TAI where
 * that can be known, for TAI goes on where UTC repeats itself.
 *
 * The guard compares with what the discipline knows of the clock, once that has been locked: before
 * that there is nothing that a receiver could contradict.
 */
#include "runtime/gnss_duty.h"

#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/node.h"

#define DAY_S            86400
#define PS_Q16_NUMERATOR 65536
#define PS_PER_NS        1000
#define LEAST_ERROR_NS   100
#define USUAL_ERROR_NS   1000
#define SIGMAS           5
#define USUAL_DELAY_NS   100000000 /* of sentences, if nobody says */
#define WORST_ERROR_NS   900000000
#define FRESH_S          5 /* gpsd's readings */

/* ---- telling --------------------------------------------------------------------------------- */

static struct mt_node_refclock *refclock_of(struct mt_node *node, const struct mt_node_gnss *self)
{
    return &node->refclocks[self->refclock];
}

static struct mt_node_clock *clock_of(struct mt_node *node, const struct mt_node_gnss *self)
{
    return &node->clocks[refclock_of(node, self)->clock];
}

/* GPS - UTC that it counts; 0: it does not say. */
static int32_t leap_count_of(const struct mt_node_gnss *self)
{
    const struct mt_gnss_receiver *receiver = &self->receiver;
    return receiver->has_gps_utc ? receiver->gps_utc_s
           : receiver->has_leap  ? receiver->leap.gps_utc_s
                                 : 0;
}

static void tell(struct mt_node *node, const struct mt_node_gnss *self,
                 enum mt_gnss_node_event event, struct mt_mono now)
{
    mt_node_tell(node, &(struct mt_node_event){
                           .kind = MT_NODE_GNSS,
                           .at = now,
                           .index = (uint16_t)(self - node->gnss),
                           .value.gnss = {.event = event,
                                          .jump = self->guard.jump,
                                          .rollovers = self->receiver.rollovers,
                                          .gps_utc_s = leap_count_of(self)},
                       });
    clock_of(node, self)->needs_report = true;
}

static void count(struct mt_node_gnss *self, enum mt_gnss_pulse_verdict verdict)
{
    self->counts[verdict]++;
    self->verdict = verdict;
    self->has_verdict = true;
}

bool mt_gnss_duty_has_fix(const struct mt_node_gnss *self)
{
    return self->is_up && self->is_heard && mt_gnss_receiver_is_fixed(&self->receiver);
}

static bool is_without_fix(const struct mt_node_gnss *self)
{
    return !mt_gnss_receiver_is_fixed(&self->receiver);
}

/* The UTC day that begins after it. */
static int64_t day_after(int64_t utc_s)
{
    return (utc_s + DAY_S / 2) / DAY_S * DAY_S;
}

/* What satellites have told it is news for the clock; its own guess is none. */
static void tell_news(struct mt_node *node, const struct mt_node_gnss *self)
{
    const struct mt_gnss_leap *leap = &self->receiver.leap;
    bool is_known = self->receiver.has_leap && leap->is_known && self->has_second &&
                    mt_gnss_duty_has_fix(self) && !self->guard.has_jumped;
    struct mt_leap_news news = {.is_known = is_known};
    if (is_known) {
        news.tai_minus_utc_s = leap->gps_utc_s + MT_GNSS_TAI_GPS_S;
        news.knows_leap = true;
        news.change_s = leap->change_s;
        news.at_utc_s = leap->change_s != 0 ? day_after(self->second_s + leap->change_in_s) : 0;
    }
    mt_leap_duty_gnss(node, node->refclocks[self->refclock].clock, (uint16_t)(self - node->gnss),
                      &news);
}

static void note_fix(struct mt_node *node, struct mt_node_gnss *self, struct mt_mono now)
{
    bool has_fix = mt_gnss_duty_has_fix(self);
    if (has_fix != self->had_fix) {
        self->had_fix = has_fix;
        tell_news(node, self);
        tell(node, self, has_fix ? MT_GNSS_NODE_FIX : MT_GNSS_NODE_NO_FIX, now);
    }
}

/* ---- scales ---------------------------------------------------------------------------------- */

/* In TAI if that can be known. */
static struct mt_instant in_tai(const struct mt_node_gnss *self, const struct mt_node_clock *clock,
                                struct mt_instant second, const struct mt_instant *local)
{
    if (second.scale != MT_SCALE_UTC) {
        return second;
    }
    if (self->receiver.has_gps_utc) {
        second.s += self->receiver.gps_utc_s + MT_GNSS_TAI_GPS_S;
        second.scale = MT_SCALE_TAI;
    } else if (clock->leap.choice.is_known) {
        second.s += mt_leap_duty_offset(clock, local);
        second.scale = MT_SCALE_TAI;
    }
    return second;
}

/* Whether readings of the clock and these seconds may be compared. */
static bool knows_second(const struct mt_node_clock *clock, const struct mt_instant *second,
                         const struct mt_instant *local)
{
    return second->scale == local->scale && mt_refclock_duty_knows_second(clock, *local);
}

/* A clock that was stepped reads what it never read before. */
static void notice_step(struct mt_node_gnss *self, const struct mt_node_clock *clock)
{
    if (self->stepped_at != clock->stepped_at) {
        self->stepped_at = clock->stepped_at;
        mt_gnss_label_forget(&self->label);
    }
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

static void judge_leap(struct mt_node *node, struct mt_node_gnss *self,
                       const struct mt_gnss_report *report, struct mt_mono now)
{
    const struct mt_node_clock *clock = clock_of(node, self);
    if (report->has_leap) {
        tell_news(node, self);
    }
    bool is_sure = clock->tai_utc_known && clock->leap.change_s == 0;
    if (!is_sure || leap_count_of(self) == 0) {
        return;
    }
    bool is_wrong = leap_count_of(self) + MT_GNSS_TAI_GPS_S != clock->tai_minus_utc_s;
    if (is_wrong != self->is_leap_wrong) {
        self->is_leap_wrong = is_wrong;
        tell(node, self, is_wrong ? MT_GNSS_NODE_LEAP_WRONG : MT_GNSS_NODE_LEAP_RIGHT, now);
    }
}

/* ---- from seconds to samples ----------------------------------------------------------------- */

/* What gpsd says is of sentences, not of pulses. */
static struct mt_interval error_of(const struct mt_node_gnss *self)
{
    bool is_told = self->receiver.has_accuracy && self->receiver.stream.protocol != MT_GNSS_GPSD;
    int64_t ns = is_told ? SIGMAS * (int64_t)self->receiver.accuracy_ns : USUAL_ERROR_NS;
    if (!mt_interval_is_too_large(self->config.max_error)) {
        return self->config.max_error;
    }
    return mt_interval_from_ns(ns > LEAST_ERROR_NS ? ns : LEAST_ERROR_NS);
}

static struct mt_interval bound_of(const struct mt_node_clock *clock, const struct mt_instant *at)
{
    struct mt_clock_quality_report report;
    mt_real growth;
    (void)mt_clock_duty_assess(clock, at, &report, &growth);
    return clock->discipline.has_locked_once && report.reference != MT_BOUND_NONE
               ? report.bound
               : MT_INTERVAL_TOO_LARGE;
}

/* True if it may be used: it is near to what the clock says, as far as that can be compared. */
static bool ask_guard(struct mt_node *node, struct mt_node_gnss *self,
                      const struct mt_sample *sample, struct mt_mono now)
{
    const struct mt_node_clock *clock = clock_of(node, self);
    struct mt_sample compared = *sample;
    mt_leap_duty_convert(clock, &compared);
    struct mt_interval bound = compared.scale == clock->discipline.scale
                                   ? bound_of(clock, &sample->local.at)
                                   : MT_INTERVAL_TOO_LARGE;
    struct mt_interval error = mt_interval_plus(sample->bound, sample->reference_bound);
    switch (mt_gnss_guard_judge(&self->guard, compared.value, error, bound, now)) {
    case MT_GNSS_GUARD_AGREES:
        return true;
    case MT_GNSS_GUARD_DOUBTS:
        return false;
    case MT_GNSS_GUARD_JUMPED:
        tell(node, self, MT_GNSS_NODE_JUMP, now);
        return false;
    case MT_GNSS_GUARD_FOLLOWS:
        tell(node, self, MT_GNSS_NODE_FOLLOWED, now);
        return true;
    case MT_GNSS_GUARD_RETURNED:
        tell(node, self, MT_GNSS_NODE_RETURNED, now);
        return true;
    }
    return false;
}

/* `second`: what was true when the clock read `local`. */
static void compare(struct mt_node *node, struct mt_node_gnss *self, const struct mt_stamp *local,
                    struct mt_instant second, int64_t precision_ns, struct mt_mono now)
{
    struct mt_node_refclock *refclock = refclock_of(node, self);
    struct mt_sample sample = {
        .kind = MT_SAMPLE_OFFSET,
        .local = *local,
        .value = mt_instant_minus(local->at, second),
        .bound = mt_interval_from_ns(precision_ns),
        .reference_bound = error_of(self),
        .scale = second.scale,
        .source = refclock->source,
    };
    if (is_without_fix(self)) {
        count(self, MT_GNSS_PULSE_NO_FIX);
    } else if (!ask_guard(node, self, &sample, now)) {
        count(self, MT_GNSS_PULSE_JUMP);
    } else {
        bool is_taken = mt_refclock_duty_offer(node, refclock, &sample, now);
        count(self, is_taken ? MT_GNSS_PULSE_USED : MT_GNSS_PULSE_DOUBTFUL);
    }
}

/* 2^-16 ns from ps */
static struct mt_span span_of_ps(int32_t ps)
{
    return mt_span_from_interval((struct mt_interval){(int64_t)ps * PS_Q16_NUMERATOR / PS_PER_NS});
}

static void compare_pulse(struct mt_node *node, struct mt_node_gnss *self,
                          const struct mt_gnss_second *told, struct mt_mono now)
{
    struct mt_instant second =
        mt_instant_plus(told->second, mt_span_from_interval(self->config.cable_delay));
    if (told->has_quantisation) {
        second = mt_instant_plus(second, mt_span_negate(span_of_ps(told->quantisation_ps)));
    }
    compare(node, self, &told->local, second, mt_interval_to_ns(self->config.precision), now);
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void take_verdict(struct mt_node *node, struct mt_node_gnss *self,
                         enum mt_gnss_pulse_verdict verdict, const struct mt_gnss_second *second,
                         struct mt_mono now)
{
    if (verdict == MT_GNSS_PULSE_USED) {
        compare_pulse(node, self, second, now);
    } else if (verdict != MT_GNSS_PULSE_UNTOLD) {
        count(self, verdict);
    }
}

/* Without pulses: from when it came. */
static void take_arrival(struct mt_node *node, struct mt_node_gnss *self,
                         const struct mt_instant *second, const struct mt_stamp *arrival,
                         struct mt_mono now)
{
    const struct mt_gnss_duty_config *config = &self->config;
    int64_t delay_ns = config->has_sentence_delay ? config->sentence_delay_ns : USUAL_DELAY_NS;
    int64_t error_ns = config->has_sentence_delay ? config->sentence_error_ns : WORST_ERROR_NS;
    compare(node, self, arrival, mt_instant_plus(*second, mt_span_from_ns(delay_ns)), error_ns,
            now);
}

/* gpsd stamps pulses, or may be about to: it has been asked for them a short while ago. */
static bool is_pulse_of_gpsd(const struct mt_node_gnss *self, struct mt_mono now)
{
    return now.ns - self->told_at.ns < MT_GNSS_SILENT_NS;
}

/* The first sentence that tells of a second counts; the others come later and later. */
static void take_time(struct mt_node *node, struct mt_node_gnss *self,
                      const struct mt_gnss_report *report, struct mt_mono now)
{
    const struct mt_node_clock *clock = clock_of(node, self);
    bool is_known = self->has_second && self->second_s == report->utc_s;
    struct mt_instant second = {.s = report->utc_s, .scale = MT_SCALE_UTC};
    struct mt_gnss_second told;
    self->has_second = true;
    self->second_s = report->utc_s;
    if (is_known || report->is_leap_second) {
        return;
    }
    second = in_tai(self, clock, second, &report->arrival.at);
    if (self->pulses != MT_NODE_NO_LINK) {
        take_verdict(node, self,
                     mt_gnss_label_sentence(&self->label, &second, &report->arrival,
                                            knows_second(clock, &second, &report->arrival.at),
                                            &told),
                     &told, now);
    } else if (report->protocol != MT_GNSS_GPSD) {
        take_arrival(node, self, &second, &report->arrival, now);
    }
}

static void announce(struct mt_node *node, struct mt_node_gnss *self,
                     const struct mt_gnss_report *report)
{
    struct mt_gnss_report told = *report;
    if (told.has_second) {
        told.second = in_tai(self, clock_of(node, self), told.second, &report->arrival.at);
    }
    mt_gnss_label_announce(&self->label, &told);
}

static bool is_fresh(const struct mt_stamp *local, const struct mt_stamp *arrival)
{
    struct mt_span age = mt_instant_minus(arrival->at, local->at);
    return mt_span_abs(age).s < FRESH_S;
}

/* gpsd has compared a pulse with the machine's clock itself, or the arrival of sentences. */
static void take_reading(struct mt_node *node, struct mt_node_gnss *self,
                         const struct mt_gnss_report *report, struct mt_mono now)
{
    struct mt_node_clock *clock = clock_of(node, self);
    struct mt_gnss_second told = {.has_quantisation = report->has_quantisation,
                                  .quantisation_ps = report->quantisation_ps};
    bool is_used =
        self->pulses == MT_NODE_NO_LINK && (report->is_of_pulse || !is_pulse_of_gpsd(self, now));
    if (!is_used) {
        return;
    }
    clock->hal->ops->stamp(clock->hal, (struct mt_base_time){.ns = report->machine_ns},
                           &told.local);
    if (!is_fresh(&told.local, &report->arrival)) {
        count(self, MT_GNSS_PULSE_DOUBTFUL);
        return;
    }
    told.second = in_tai(self, clock, report->real, &told.local.at);
    if (report->is_of_pulse) {
        self->pulse_count++;
        self->told_at = now;
        compare_pulse(node, self, &told, now);
    } else {
        take_arrival(node, self, &told.second, &told.local, now);
    }
}

static void take_report(struct mt_node *node, struct mt_node_gnss *self,
                        const struct mt_gnss_report *report, struct mt_mono now)
{
    if (report->has_time || report->has_second || report->has_reading) {
        self->is_heard = true;
        self->heard_at = now;
    }
    note_fix(node, self, now);
    if (self->receiver.rollovers > 0 && !self->is_rolled_over) {
        self->is_rolled_over = true;
        tell(node, self, MT_GNSS_NODE_ROLLOVER, now);
    }
    judge_leap(node, self, report, now);
    if (report->has_pulse) {
        announce(node, self, report);
    }
    if (report->has_time) {
        take_time(node, self, report, now);
    }
    if (report->has_reading) {
        take_reading(node, self, report, now);
    }
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static void take_octets(struct mt_node *node, struct mt_node_gnss *self,
                        const struct mt_input *input)
{
    struct mt_node_clock *clock = clock_of(node, self);
    struct mt_gnss_report report;
    struct mt_stamp arrival;
    if (!input->has_stamp || input->length > MT_GNSS_PIECE_MAX) {
        return;
    }
    clock->hal->ops->stamp(clock->hal, input->stamp, &arrival);
    notice_step(self, clock);
    mt_gnss_receiver_rx(&self->receiver, input->bytes, input->length, &arrival);
    while (mt_gnss_receiver_next(&self->receiver, &report)) {
        take_report(node, self, &report, input->now);
    }
}

static void take_pulse(struct mt_node *node, struct mt_node_gnss *self,
                       const struct mt_input *input)
{
    struct mt_node_clock *clock = clock_of(node, self);
    struct mt_gnss_second second;
    struct mt_stamp at;
    bool is_lost;
    if (!input->has_stamp) {
        return;
    }
    self->pulse_count++;
    clock->hal->ops->stamp(clock->hal, input->stamp, &at);
    notice_step(self, clock);
    enum mt_gnss_pulse_verdict verdict = mt_gnss_label_pulse(&self->label, &at, &is_lost, &second);
    if (is_lost) {
        count(self, is_without_fix(self) ? MT_GNSS_PULSE_NO_FIX : MT_GNSS_PULSE_UNTOLD);
    }
    take_verdict(node, self, verdict, &second, input->now);
}

bool mt_gnss_duty_rx(struct mt_node *node, const struct mt_input *input)
{
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        struct mt_node_gnss *self = &node->gnss[i];
        if (self->stream == input->link) {
            take_octets(node, self, input);
            return true;
        }
        if (self->pulses == input->link) {
            take_pulse(node, self, input);
            return true;
        }
    }
    return false;
}

bool mt_gnss_duty_link(struct mt_node *node, const struct mt_input *input)
{
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        struct mt_node_gnss *self = &node->gnss[i];
        if (self->stream == input->link) {
            self->is_up = input->is_up;
            self->is_heard = false;
            self->told_at = input->now;
            mt_gnss_receiver_reset(&self->receiver);
            tell(node, self, input->is_up ? MT_GNSS_NODE_LINE : MT_GNSS_NODE_NO_LINE, input->now);
            note_fix(node, self, input->now);
            return true;
        }
    }
    return false;
}

/* ---- time passes ----------------------------------------------------------------------------- */

void mt_gnss_duty_tick(struct mt_node *node, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        struct mt_node_gnss *self = &node->gnss[i];
        if (self->is_heard && now.ns - self->heard_at.ns >= MT_GNSS_SILENT_NS) {
            self->is_heard = false;
            note_fix(node, self, now);
        }
    }
}

struct mt_mono mt_gnss_duty_deadline(const struct mt_node *node)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        if (node->gnss[i].is_heard) {
            earliest =
                mt_mono_earlier(earliest, mt_mono_plus(node->gnss[i].heard_at, MT_GNSS_SILENT_NS));
        }
    }
    return earliest;
}

/* ---- what is told ---------------------------------------------------------------------------- */

const struct mt_node_gnss *mt_gnss_duty_of(const struct mt_node *node, uint16_t refclock)
{
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        if (node->gnss[i].refclock == refclock) {
            return &node->gnss[i];
        }
    }
    return NULL;
}

bool mt_gnss_duty_standing(const struct mt_node *node, uint16_t clock,
                           struct mt_gnss_standing *ret_standing)
{
    const struct mt_node_refclock *followed = mt_refclock_duty_selected(node, clock);
    const struct mt_node_gnss *self =
        followed != NULL ? mt_gnss_duty_of(node, (uint16_t)(followed - node->refclocks)) : NULL;
    if (self == NULL) {
        return false;
    }
    *ret_standing = (struct mt_gnss_standing){.has_fix = mt_gnss_duty_has_fix(self),
                                              .is_believed = !self->guard.has_jumped};
    return true;
}
