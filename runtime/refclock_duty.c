/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A reading says what the reference clock read when the machine's clock read its stamp; what our
 * clock read then is the hal's to say, and the difference is the sample.
 *
 * Of a window of readings the ones near the median count: three fifths of them, as many on either
 * side.  Their mean loses little where noise is normal and nothing to outliers.  Only those that
 * were taken under the same corrections as the median are averaged, since the others are readings
 * of another clock, so to speak.
 *
 * A pulse says where a second begins, not which.  The nearest one is meant, which is the right one
 * while this clock is known to be wrong by less than half a second.
 */
#include "runtime/refclock_duty.h"

#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/node.h"

#define SECOND_KNOWN_NS 400000000

/* ---- from readings to values --------------------------------------------------------------- */

bool mt_refclock_duty_knows_second(const struct mt_node_clock *clock, struct mt_instant at)
{
    struct mt_clock_quality_report report;
    mt_real growth;
    (void)mt_clock_duty_assess(clock, &at, &report, &growth);
    return report.reference != MT_BOUND_NONE && !mt_interval_is_too_large(report.bound) &&
           mt_interval_to_ns(report.bound) < SECOND_KNOWN_NS;
}

/* The part of a second by which the local clock is ahead: from -0.5 s to 0.5 s. */
static struct mt_span within_a_second(struct mt_span value)
{
    struct mt_span part = {.ns = value.ns, .frac = value.frac};
    if (part.ns >= MT_NS_PER_S / 2) {
        part.s = -1;
    }
    return part;
}

static void count(struct mt_node_refclock *self, enum mt_refclock_count what)
{
    self->counts[what]++;
}

/* Local less reference; false, and counted, if that cannot be said. */
static bool compare(struct mt_node_refclock *self, const struct mt_node_clock *clock,
                    const struct mt_refclock_reading *reading, const struct mt_stamp *local,
                    struct mt_span *ret_value)
{
    struct mt_instant reference = {
        .s = reading->s, .ns = reading->ns, .frac = reading->frac, .scale = local->at.scale};
    reference = mt_instant_plus(reference, mt_span_from_interval(self->config.offset));
    *ret_value = mt_instant_minus(local->at, reference);
    if (reading->is_pulse) {
        if (!mt_refclock_duty_knows_second(clock, local->at)) {
            count(self, MT_REFCLOCK_NO_SECOND);
            return false;
        }
        *ret_value = within_a_second(*ret_value);
    }
    return true;
}

/* ---- from values to samples ---------------------------------------------------------------- */

static struct mt_interval bound_of(const struct mt_node_refclock *self)
{
    struct mt_interval told = {0};
    if (self->precision_log2s < 0) {
        told = mt_interval_from_ns(mt_log2s_to_ns(self->precision_log2s));
    }
    return told.q16 > self->config.precision.q16 ? told : self->config.precision;
}

static void tell_wrong_scale(struct mt_node *node, uint16_t clock, enum mt_timescale scale,
                             struct mt_mono now)
{
    if (!node->clocks[clock].told_wrong_scale) {
        node->clocks[clock].told_wrong_scale = true;
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_WRONG_SCALE,
                                                   .at = now,
                                                   .index = clock,
                                                   .value.scale = scale});
    }
}

static void hand_over(struct mt_node *node, struct mt_node_refclock *self,
                      const struct mt_sample *sample, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[self->clock];
    enum mt_sample_verdict verdict = mt_discipline_sample(&clock->discipline, sample, now);
    count(self, verdict == MT_SAMPLE_USED || verdict == MT_SAMPLE_STEP ? MT_REFCLOCK_SAMPLES
                                                                       : MT_REFCLOCK_REFUSED);
    if (verdict == MT_SAMPLE_REFUSED) {
        tell_wrong_scale(node, self->clock, sample->scale, now);
    }
    self->is_heard = true;
    self->heard_at = now;
    self->value = sample->value;
    clock->needs_report = true;
}

bool mt_refclock_duty_offer(struct mt_node *node, struct mt_node_refclock *self,
                            const struct mt_sample *sample, struct mt_mono now)
{
    const struct mt_node_clock *clock = &node->clocks[self->clock];
    struct mt_sample converted = *sample;
    count(self, MT_REFCLOCK_READINGS);
    if (sample->scale == MT_SCALE_UTC && mt_leap_duty_is_doubtful(clock, &sample->local.at)) {
        return false;
    }
    mt_leap_duty_convert(clock, &converted);
    hand_over(node, self, &converted, now);
    return true;
}

static void take(struct mt_node *node, struct mt_node_refclock *self,
                 const struct mt_refclock_point *point, bool is_pulse, struct mt_mono now)
{
    const struct mt_node_clock *clock = &node->clocks[self->clock];
    struct mt_sample sample = {
        .kind = MT_SAMPLE_OFFSET,
        .local = point->local,
        .value = point->value,
        .delay = self->config.delay,
        .bound = bound_of(self),
        .reference_bound = self->config.max_error,
        .scale = is_pulse ? clock->discipline.scale : self->config.scale,
        .source = self->source,
    };
    if (!is_pulse && sample.scale == MT_SCALE_UTC &&
        mt_leap_duty_is_doubtful(clock, &sample.local.at)) {
        return;
    }
    if (!is_pulse) {
        mt_leap_duty_convert(clock, &sample);
    }
    hand_over(node, self, &sample, now);
}

static void sort(struct mt_refclock_point *points, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct mt_refclock_point point = points[i];
        unsigned at = i;
        while (at > 0 && mt_span_compare(point.value, points[at - 1].value) < 0) {
            points[at] = points[at - 1];
            at--;
        }
        points[at] = point;
    }
}

/* Sorted points: the mean of the middle ones. */
static struct mt_refclock_point middle_of(const struct mt_refclock_point *points, unsigned count)
{
    struct mt_refclock_point middle = points[count / 2];
    unsigned aside = count / 5;
    int64_t used = 0;
    int64_t value_q16 = 0;
    int64_t at_q16 = 0;
    for (unsigned i = aside; i < count - aside; i++) {
        struct mt_interval apart =
            mt_span_to_interval(mt_span_minus(points[i].value, middle.value));
        struct mt_interval later =
            mt_span_to_interval(mt_instant_minus(points[i].local.at, middle.local.at));
        if (points[i].local.corrections == middle.local.corrections) {
            used++;
            value_q16 += apart.q16 / MT_REFCLOCK_WINDOW;
            at_q16 += later.q16 / MT_REFCLOCK_WINDOW;
        }
    }
    struct mt_interval value = {value_q16 / used * MT_REFCLOCK_WINDOW};
    struct mt_interval at = {at_q16 / used * MT_REFCLOCK_WINDOW};
    middle.value = mt_span_plus(middle.value, mt_span_from_interval(value));
    middle.local.at = mt_instant_plus(middle.local.at, mt_span_from_interval(at));
    return middle;
}

static void end_window(struct mt_node *node, struct mt_node_refclock *self, struct mt_mono now)
{
    if (self->point_count > 0) {
        sort(self->points, self->point_count);
        struct mt_refclock_point middle = middle_of(self->points, self->point_count);
        self->point_count = 0;
        take(node, self, &middle, false, now);
    }
}

static void add_point(struct mt_node *node, struct mt_node_refclock *self,
                      const struct mt_refclock_point *point, struct mt_mono now)
{
    if (self->point_count == MT_REFCLOCK_WINDOW ||
        (self->point_count > 0 && now.ns >= self->window_end.ns)) {
        end_window(node, self, now);
    }
    if (self->point_count == 0) {
        self->window_end = mt_mono_plus(now, self->config.median_over_ns);
    }
    self->points[self->point_count++] = *point;
}

/* ---- inputs -------------------------------------------------------------------------------- */

static bool is_newer(const struct mt_node_refclock *self, const struct mt_stamp *local)
{
    return !self->has_last || self->last.corrections != local->corrections ||
           mt_instant_compare(self->last.at, local->at) < 0;
}

static void read(struct mt_node *node, struct mt_node_refclock *self, const struct mt_input *input)
{
    struct mt_node_clock *clock = &node->clocks[self->clock];
    struct mt_refclock_reading reading;
    struct mt_refclock_point point;
    count(self, MT_REFCLOCK_READINGS);
    if (!input->has_stamp || !mt_refclock_reading_parse(input->bytes, input->length, &reading)) {
        count(self, MT_REFCLOCK_MALFORMED);
        return;
    }
    self->leap = reading.leap;
    self->precision_log2s = reading.precision_log2s;
    if (reading.leap == MT_REFCLOCK_UNSYNCHRONISED) {
        count(self, MT_REFCLOCK_NOT_READY);
        return;
    }
    clock->hal->ops->stamp(clock->hal, input->stamp, &point.local);
    if (!is_newer(self, &point.local)) {
        count(self, MT_REFCLOCK_REPEATED);
        return;
    }
    self->last = point.local;
    self->has_last = true;
    if (!compare(self, clock, &reading, &point.local, &point.value)) {
        return;
    }
    if (self->config.median_over_ns > 0 && !reading.is_pulse) {
        add_point(node, self, &point, input->now);
    } else {
        take(node, self, &point, reading.is_pulse, input->now);
    }
}

bool mt_refclock_duty_rx(struct mt_node *node, const struct mt_input *input)
{
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        if (node->refclocks[i].link == input->link) {
            read(node, &node->refclocks[i], input);
            return true;
        }
    }
    return false;
}

/* ---- time passes ----------------------------------------------------------------------------- */

static void notice_silence(struct mt_node *node, struct mt_node_refclock *self, struct mt_mono now)
{
    if (self->point_count > 0 && now.ns >= self->window_end.ns) {
        end_window(node, self, now);
    }
    if (self->is_heard && now.ns >= mt_mono_plus(self->heard_at, self->config.silence_ns).ns) {
        self->is_heard = false;
        node->clocks[self->clock].needs_report = true;
    }
}

const struct mt_node_refclock *mt_refclock_duty_selected(const struct mt_node *node, uint16_t clock)
{
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        if (node->refclocks[i].clock == clock &&
            node->refclocks[i].source == node->clocks[clock].discipline.selected) {
            return &node->refclocks[i];
        }
    }
    return NULL;
}

void mt_refclock_duty_tick(struct mt_node *node, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        notice_silence(node, &node->refclocks[i], now);
    }
}

struct mt_mono mt_refclock_duty_deadline(const struct mt_node *node)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        const struct mt_node_refclock *refclock = &node->refclocks[i];
        if (refclock->point_count > 0) {
            earliest = mt_mono_earlier(earliest, refclock->window_end);
        }
        if (refclock->is_heard) {
            earliest = mt_mono_earlier(
                earliest, mt_mono_plus(refclock->heard_at, refclock->config.silence_ns));
        }
    }
    return earliest;
}

int32_t mt_refclock_duty_leap(const struct mt_node *node, uint16_t clock)
{
    const struct mt_node_refclock *selected = mt_refclock_duty_selected(node, clock);
    if (selected == NULL) {
        return 0;
    }
    return selected->leap == MT_REFCLOCK_INSERT ? 1 : selected->leap == MT_REFCLOCK_DELETE ? -1 : 0;
}
