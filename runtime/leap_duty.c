/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Of a source that counts UTC the clock has TAI by TAI - UTC, which changes with a leap second at
 * an instant that only the announcement tells: the machine looks it up a moment later, or its list
 * does not know.  So from the announcement on the change is made here, by the clock itself.  As the
 * same second comes twice, and not with everybody at once, samples from around it are not used.
 *
 * Once the machine knows the new value, or another one, that counts.
 *
 * Who has no list converts as soon as anybody has taught TAI - UTC.  But a clock that was locked to
 * UTC before that shows UTC to the end: to make TAI of it would be a jump by half a minute.
 */
#include "runtime/leap_duty.h"

#include "runtime/node.h"

#define DAY_S      86400
#define DOUBT_S    2    /* before and after */
#define PATIENCE_S 3600 /* so long a source may announce a leap second that is over */

static bool is_sure(const struct mt_clock_page *page)
{
    return page->scale == MT_SCALE_TAI && page->tai_utc_valid != 0 &&
           (page->state == MT_CLOCK_LOCKED || page->state == MT_CLOCK_HOLDOVER);
}

void mt_leap_duty_watch(struct mt_leap_duty *self, const struct mt_clock_page *page)
{
    bool has_passed = self->change_s != 0 && page->anchor_s >= self->at_s;
    if (!is_sure(page) || (has_passed && page->anchor_s < self->at_s + PATIENCE_S)) {
        return;
    }
    if (page->leap_s == 0) {
        self->change_s = has_passed ? self->change_s : 0;
        return;
    }
    int64_t utc_s = page->anchor_s - page->tai_minus_utc_s;
    int64_t midnight_s = utc_s - utc_s % DAY_S + DAY_S;
    self->change_s = page->leap_s;
    self->before_s = page->tai_minus_utc_s;
    self->at_s = midnight_s + page->tai_minus_utc_s - (page->leap_s < 0);
}

int32_t mt_leap_duty_offset(const struct mt_node_clock *clock, const struct mt_instant *at)
{
    const struct mt_leap_duty *self = &clock->leap;
    int32_t known_s = self->choice.is_known ? self->choice.tai_minus_utc_s : clock->tai_minus_utc_s;
    if (self->change_s == 0) {
        return known_s;
    }
    if (at->s >= self->at_s) {
        return known_s == self->before_s ? known_s + self->change_s : known_s;
    }
    return known_s == self->before_s + self->change_s ? self->before_s : known_s;
}

/* It can show nothing else, or has been set by it: then TAI would be a jump. */
static bool shows_utc(const struct mt_discipline *discipline)
{
    return discipline->scale == MT_SCALE_UTC &&
           (!discipline->config.adopts_scale || discipline->has_locked_once);
}

enum mt_timescale mt_leap_duty_scale(const struct mt_node_clock *clock)
{
    return clock->leap.choice.is_known && !shows_utc(&clock->discipline) ? MT_SCALE_TAI
                                                                         : MT_SCALE_UTC;
}

/* Not known: a clock that cannot be told otherwise takes UTC for what it shows. */
static void take_as_arbitrary(const struct mt_discipline *discipline, struct mt_sample *sample)
{
    if (sample->scale == MT_SCALE_UTC && discipline->scale == MT_SCALE_ARB &&
        !discipline->config.adopts_scale) {
        sample->scale = MT_SCALE_ARB;
    }
}

void mt_leap_duty_convert(const struct mt_node_clock *clock, struct mt_sample *sample)
{
    struct mt_span tai_utc = {.s = mt_leap_duty_offset(clock, &sample->local.at)};
    enum mt_timescale wanted = mt_leap_duty_scale(clock);
    bool is_convertible = sample->scale == MT_SCALE_UTC || sample->scale == MT_SCALE_TAI;
    bool is_reverse = sample->kind == MT_SAMPLE_REVERSE; /* source less local */
    if (!clock->leap.choice.is_known) {
        take_as_arbitrary(&clock->discipline, sample);
    } else if (is_convertible && sample->scale != wanted) {
        sample->value = (wanted == MT_SCALE_TAI) == is_reverse
                            ? mt_span_plus(sample->value, tai_utc)
                            : mt_span_minus(sample->value, tai_utc);
        sample->scale = wanted;
    }
}

bool mt_leap_duty_is_doubtful(const struct mt_node_clock *clock, const struct mt_instant *at)
{
    const struct mt_leap_duty *self = &clock->leap;
    return self->change_s != 0 && at->scale == MT_SCALE_TAI && at->s >= self->at_s - DOUBT_S &&
           at->s < self->at_s + DOUBT_S;
}

bool mt_leap_duty_is_over(const struct mt_leap_duty *self, const struct mt_instant *at)
{
    return self->change_s != 0 && at->s >= self->at_s && at->s < self->at_s + PATIENCE_S;
}
