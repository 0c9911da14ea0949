/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A sentence tells of a second that began some time before: its delay, which is much the same for
 * each, but may be anything up to more than a second where the line is slow.  By the delay d and
 * the time l from the last pulse to the sentence the pulse began the second
 *
 *     told + round(d - l)
 *
 * and if d - l is nowhere near a whole number, nobody knows.  The delay is that which the
 * configuration says, or the one learned so far; before that, what the running clock says if it
 * knows the second; and if nobody knows anything, l itself, where that is well between two pulses.
 * If nothing fits the learned delay for long, it is learned anew: the receiver may tell more now.
 *
 * The second must follow on those told before, by the local clock's count of the seconds between.
 */
#include "meantime/gnss_timing.h"

#include "base/memory.h"

#define NS_PER_S       INT64_C(1000000000)
#define FRESH_NS       1400000000 /* a pulse that no sentence has told of for so long is lost */
#define CERTAIN_NS     300000000  /* from a whole second */
#define STRAY_NS       100000000  /* likewise, for pulses */
#define STRAYS_MOST    5
#define EARLIEST_NS    20000000 /* behind a pulse, while nothing is known */
#define LATEST_NS      900000000
#define DELAY_LEAST_NS (-200000000)
#define DELAY_MOST_NS  2000000000
#define GAP_MOST_NS    (600 * NS_PER_S)
#define SHARE          16 /* of a new delay in the mean */
#define PATIENCE       10 /* ambiguous sentences in a row until their delay is learned anew */

void mt_gnss_label_init(struct mt_gnss_label *self, const struct mt_gnss_label_config *config)
{
    memset(self, 0, sizeof *self);
    self->config = *config;
}

void mt_gnss_label_forget(struct mt_gnss_label *self)
{
    self->has_pulse = false;
    self->has_announced = false;
    self->has_last = false;
    self->streak = 0;
    self->strays = 0;
}

static int64_t between_ns(const struct mt_instant *from, const struct mt_instant *to)
{
    return mt_span_to_ns(mt_instant_minus(*to, *from));
}

static int64_t rounded_s(int64_t ns)
{
    return ns >= 0 ? (ns + NS_PER_S / 2) / NS_PER_S : -((-ns + NS_PER_S / 2) / NS_PER_S);
}

/* From the nearest whole second. */
static int64_t aside_ns(int64_t ns)
{
    int64_t aside = ns - rounded_s(ns) * NS_PER_S;
    return aside < 0 ? -aside : aside;
}

/* ---- whether seconds go on ------------------------------------------------------------------- */

static bool goes_on(const struct mt_gnss_label *self, const struct mt_gnss_second *second)
{
    int64_t gap_ns = between_ns(&self->last.local.at, &second->local.at);
    return self->has_last && self->last.second.scale == second->second.scale && gap_ns > 0 &&
           gap_ns < GAP_MOST_NS && aside_ns(gap_ns) < STRAY_NS &&
           self->last.second.s + rounded_s(gap_ns) == second->second.s;
}

static enum mt_gnss_pulse_verdict take(struct mt_gnss_label *self,
                                       const struct mt_gnss_second *second)
{
    bool is_next = goes_on(self, second);
    bool had_streak = self->streak >= MT_GNSS_STREAK;
    self->streak = is_next && self->streak < UINT8_MAX ? (uint8_t)(self->streak + 1)
                   : is_next                           ? UINT8_MAX
                                                       : 1;
    self->last = *second;
    self->has_last = true;
    if (self->streak >= MT_GNSS_STREAK) {
        return MT_GNSS_PULSE_USED;
    }
    return had_streak ? MT_GNSS_PULSE_DISCONTINUOUS : MT_GNSS_PULSE_SETTLING;
}

/* ---- announced before ------------------------------------------------------------------------ */

void mt_gnss_label_announce(struct mt_gnss_label *self, const struct mt_gnss_report *report)
{
    self->has_announced = true;
    self->announced = *report;
}

/* It is of the pulse that comes next, at most a little more than a second later. */
static bool is_announced(const struct mt_gnss_label *self, const struct mt_stamp *at)
{
    int64_t ahead_ns = between_ns(&self->announced.arrival.at, &at->at);
    return self->has_announced && ahead_ns > 0 && ahead_ns < FRESH_NS;
}

/* Counts those in a row that come where none is due; true: it is such a one.  If they do it again
 * and again, it is their place. */
static bool count_stray(struct mt_gnss_label *self, const struct mt_stamp *at)
{
    int64_t gap_ns = between_ns(&self->last.local.at, &at->at);
    if (self->streak < MT_GNSS_STREAK || gap_ns > GAP_MOST_NS ||
        (gap_ns > 0 && aside_ns(gap_ns) < STRAY_NS)) {
        self->strays = 0;
        return false;
    }
    self->strays++;
    if (self->strays > STRAYS_MOST) {
        mt_gnss_label_forget(self);
        return false;
    }
    return true;
}

enum mt_gnss_pulse_verdict mt_gnss_label_pulse(struct mt_gnss_label *self,
                                               const struct mt_stamp *at, bool *ret_is_lost,
                                               struct mt_gnss_second *ret_second)
{
    *ret_is_lost = false;
    if (count_stray(self, at)) {
        return MT_GNSS_PULSE_STRAY;
    }
    *ret_is_lost = self->has_pulse && !self->pulse.is_told;
    self->has_pulse = true;
    self->pulse.at = *at;
    self->pulse.is_told = false;
    self->pulse.has_quantisation = is_announced(self, at) && self->announced.has_quantisation;
    self->pulse.quantisation_ps = self->announced.quantisation_ps;
    if (!is_announced(self, at) || !self->announced.has_second) {
        self->has_announced = false;
        return MT_GNSS_PULSE_UNTOLD;
    }
    self->has_announced = false;
    self->pulse.is_told = true;
    *ret_second = (struct mt_gnss_second){*at, self->announced.second, self->pulse.has_quantisation,
                                          self->pulse.quantisation_ps};
    return take(self, ret_second);
}

/* ---- told behind ----------------------------------------------------------------------------- */

/* The delay of this sentence, as well as it is known; false: it may belong to either of two. */
static bool expect_delay(const struct mt_gnss_label *self, const struct mt_instant *second,
                         const struct mt_stamp *arrival, bool knows_second, int64_t lag_ns,
                         int64_t *ret_delay_ns)
{
    int64_t by_clock_ns = between_ns(second, &arrival->at);
    if (self->config.has_delay) {
        *ret_delay_ns = self->config.delay_ns;
        return true;
    }
    if (self->delay_count >= MT_GNSS_DELAY_LEARNT) {
        *ret_delay_ns = self->delay_ns;
        return true;
    }
    if (knows_second && by_clock_ns > DELAY_LEAST_NS && by_clock_ns < DELAY_MOST_NS) {
        *ret_delay_ns = by_clock_ns;
        return true;
    }
    *ret_delay_ns = lag_ns;
    return lag_ns >= EARLIEST_NS && lag_ns <= LATEST_NS;
}

/* One is late; if all of them are, their delay is not what was learned. */
static void doubt_delay(struct mt_gnss_label *self)
{
    self->ambiguous++;
    if (self->ambiguous >= PATIENCE) {
        self->ambiguous = 0;
        self->delay_count = 0;
    }
}

static void learn(struct mt_gnss_label *self, int64_t delay_ns)
{
    int64_t apart_ns = delay_ns - self->delay_ns;
    if (self->delay_count == 0) {
        self->delay_ns = delay_ns;
        self->jitter_ns = 0;
    } else {
        int64_t share = self->delay_count < SHARE ? self->delay_count + 1 : SHARE;
        self->delay_ns += apart_ns / share;
        self->jitter_ns += ((apart_ns < 0 ? -apart_ns : apart_ns) - self->jitter_ns) / share;
    }
    if (self->delay_count < UINT16_MAX) {
        self->delay_count++;
    }
}

enum mt_gnss_pulse_verdict mt_gnss_label_sentence(struct mt_gnss_label *self,
                                                  const struct mt_instant *second,
                                                  const struct mt_stamp *arrival, bool knows_second,
                                                  struct mt_gnss_second *ret_second)
{
    int64_t lag_ns = between_ns(&self->pulse.at.at, &arrival->at);
    int64_t delay_ns;
    if (!self->has_pulse || lag_ns < 0 || lag_ns > FRESH_NS) {
        return MT_GNSS_PULSE_UNTOLD;
    }
    if (!expect_delay(self, second, arrival, knows_second, lag_ns, &delay_ns) ||
        aside_ns(delay_ns - lag_ns) > CERTAIN_NS) {
        self->pulse.is_told = true;
        doubt_delay(self);
        return MT_GNSS_PULSE_AMBIGUOUS;
    }
    self->ambiguous = 0;
    int64_t later_s = rounded_s(delay_ns - lag_ns);
    struct mt_gnss_second told = {self->pulse.at, *second, self->pulse.has_quantisation,
                                  self->pulse.quantisation_ps};
    told.second.s += later_s;
    if (self->pulse.is_told) { /* its second had been announced */
        bool is_same = self->has_last && self->last.second.scale == told.second.scale &&
                       between_ns(&self->last.local.at, &self->pulse.at.at) == 0;
        if (is_same && self->last.second.s != told.second.s) {
            self->streak = 0;
            return MT_GNSS_PULSE_DISAGREES;
        }
        return MT_GNSS_PULSE_UNTOLD;
    }
    self->pulse.is_told = true;
    *ret_second = told;
    enum mt_gnss_pulse_verdict verdict = take(self, ret_second);
    if (verdict == MT_GNSS_PULSE_DISCONTINUOUS) {
        self->delay_count = 0; /* it may be the delay that was wrong */
    } else {
        learn(self, lag_ns + later_s * NS_PER_S);
    }
    return verdict;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *mt_gnss_pulse_verdict_name(enum mt_gnss_pulse_verdict verdict)
{
    static const char *const names[MT_GNSS_PULSE_VERDICT_COUNT] = {
#define MT_GNSS_PULSE_VERDICT(name, word, words) [MT_GNSS_PULSE_##name] = (word),
#include "meantime/gnss_pulse_verdict.def"
#undef MT_GNSS_PULSE_VERDICT
    };
    return verdict < MT_GNSS_PULSE_VERDICT_COUNT ? names[verdict] : "unknown";
}

const char *mt_gnss_pulse_verdict_words(enum mt_gnss_pulse_verdict verdict)
{
    static const char *const words[MT_GNSS_PULSE_VERDICT_COUNT] = {
#define MT_GNSS_PULSE_VERDICT(name, word, told) [MT_GNSS_PULSE_##name] = (told),
#include "meantime/gnss_pulse_verdict.def"
#undef MT_GNSS_PULSE_VERDICT
    };
    return verdict < MT_GNSS_PULSE_VERDICT_COUNT ? words[verdict] : "unknown";
}
