/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The estimator learns the oscillator over its own time constant, seconds to minutes.  Holdover
 * lasts hours, and there other things count: flicker, ageing, and the temperature of the room.
 *
 * Blocks.  Frequencies are averaged over blocks of a minute, or of four times the estimator's time
 * constant, so that their errors are nearly independent.  A Kalman filter over [frequency, ageing]
 * takes each block's mean, less what temperature did to it, as a measurement.
 *
 * Wander.  For each octave of horizons h the squared change of the frequency per second is
 * averaged, less ageing and what measuring adds.  A random walk gives the same everywhere; what
 * is largest anywhere is taken for the walk, so whatever moves the frequency on a horizon that
 * was seen often enough (8 times) is covered, slow changes of temperature included.  Old changes
 * are forgotten after some 64.
 *
 * Temperature.  On each horizon changes of the frequency are a line through changes of temperature,
 * or are not; the horizon that knows the slope best counts, if it was seen 16 times.  The slope is
 * used if it explains more than half of the changes and is beyond doubt; what is known of it is
 * kept while temperature does not change.  A thermometer that falls silent lets its blocks teach
 * nothing; after a quarter of an hour it counts as gone, and all is learned anew.
 *
 * The prediction after t seconds, as a variance of the time:
 *
 *     that of the estimate + W t^3 / 3 + (sigma of ageing t^2 / 2)^2 + (sigma of coefficient
 *     times the integral of the change of temperature)^2
 *
 * times 25, and beside that what is no chance.  What was seen for T is believed for T: beyond
 * that W grows with t / T (a walk becomes a drift), and of ageing, if it is believed at all, the
 * share t / (t + T) may have ended.  Outside of the temperatures that were seen the coefficient
 * may be twice what it is.
 *
 * A restart.  What was learned before is a claim about an oscillator that may not be the same any
 * more, so it counts only from the first block on, if the frequency is within 5 sigma of what the
 * claim lets one expect after that time, and if these are less than 1 ppm: another oscillator
 * would hardly be there.  Each later block is checked likewise, until as much has been seen as is
 * remembered, or a day; from then on what is seen counts alone.  What does not hold is forgotten
 * as a whole.
 */
#include "meantime/steer_oscillator.h"

#include "base/memory.h"
#include "steer/steer_private.h"

#define BLOCK_S         64
#define BLOCK_INERTIA   4
#define LEARNED_S       1800
#define LEAST_COUNT     8
#define REMEMBERED_S    86400
#define CHECK_SIGMAS    5
#define CHECK_WIDTH     MT_REAL(1e-6)
#define FORGET_COUNT    64
#define FIRST_WANDER    MT_REAL(1e-18) /* (1e-9 per sqrt(s))^2 */
#define PRIOR_FREQUENCY MT_REAL(1e-8)  /* (100 ppm)^2 */
#define PRIOR_AGEING    MT_REAL(1e-24) /* (8.6e-8 per day)^2 */
#define PRIOR_KELVIN    MT_REAL(1e-12) /* (1 ppm / K)^2 */
#define AGEING_SIGMAS   5
#define KELVIN_SIGMAS   5
#define KELVIN_COUNT    16
#define BLIND_MOST      16 /* blocks */
#define NEARLY          MT_REAL(1.5)
#define KELVIN_DOUBT    MT_REAL(1e-6)
#define AIDED_SHARE     MT_REAL(0.5)
#define LEAST_SHARE     MT_REAL(0.0625)
#define AHEAD_S         10 /* the growth of the bound is that of so many seconds */
#define MOST_RATE       MT_REAL(0.1)
#define MOST_AGEING     MT_REAL(1e-6)
#define MOST_WANDER     MT_REAL(1e-6)
#define MOST_PER_KELVIN MT_REAL(1e-2)
#define MOST_KELVIN     MT_REAL(1e4)
#define MOST_S          MT_REAL(1e11)

enum { FREQUENCY, AGEING };

static void begin_filter(struct mt_steer_oscillator *self)
{
    memset(self->p, 0, sizeof self->p);
    self->p[FREQUENCY][FREQUENCY] = PRIOR_FREQUENCY;
    self->p[AGEING][AGEING] = self->known.ageing_sigma * self->known.ageing_sigma;
}

void mt_steer_oscillator_init(struct mt_steer_oscillator *self)
{
    memset(self, 0, sizeof *self);
    self->known.wander = FIRST_WANDER;
    self->known.ageing_sigma = mt_real_sqrt(PRIOR_AGEING);
    self->known.coefficient_sigma = mt_real_sqrt(PRIOR_KELVIN);
    begin_filter(self);
}

bool mt_steer_oscillator_is_known(const struct mt_steer_oscillator *self)
{
    return self->known.observed_s >= LEARNED_S && self->memory != MT_STEER_MEMORY_UNCHECKED;
}

/* ---- over a restart -------------------------------------------------------------------------- */

static bool is_within(mt_real value, mt_real least, mt_real most)
{
    return value >= least && value <= most; /* and a number */
}

bool mt_steer_oscillator_is_sound(const struct mt_steer_oscillator_memory *memory)
{
    return is_within(memory->ageing, -MOST_AGEING, MOST_AGEING) &&
           is_within(memory->ageing_sigma, 0, MOST_AGEING) &&
           is_within(memory->coefficient, -MOST_PER_KELVIN, MOST_PER_KELVIN) &&
           is_within(memory->coefficient_sigma, 0, MOST_PER_KELVIN) &&
           is_within(memory->kelvin_low, -MOST_KELVIN, memory->kelvin) &&
           is_within(memory->kelvin_high, memory->kelvin, MOST_KELVIN) &&
           is_within(memory->wander, 0, MOST_WANDER) && memory->wander > 0 &&
           is_within(memory->observed_s, LEARNED_S, MOST_S) &&
           is_within(memory->frequency, -MOST_RATE, MOST_RATE) &&
           is_within(memory->frequency_sigma, 0, MOST_RATE) && is_within(memory->age_s, 0, MOST_S);
}

void mt_steer_oscillator_remember(struct mt_steer_oscillator *self,
                                  const struct mt_steer_oscillator_memory *memory,
                                  struct mt_mono now)
{
    mt_steer_oscillator_init(self);
    if (!mt_steer_oscillator_is_sound(memory)) {
        return;
    }
    self->known = *memory;
    self->memory = MT_STEER_MEMORY_UNCHECKED;
    self->replace_s = mt_real_limit(memory->observed_s, REMEMBERED_S);
    self->away_s = memory->age_s;
    self->has_kelvin = memory->kelvin_high > memory->kelvin_low;
    self->has_frequency = true;
    self->frequency = memory->frequency;
    self->at = now;
    begin_filter(self);
    self->p[FREQUENCY][FREQUENCY] = memory->frequency_sigma * memory->frequency_sigma;
}

bool mt_steer_oscillator_recall(const struct mt_steer_oscillator *self,
                                struct mt_steer_oscillator_memory *ret_memory, struct mt_mono now)
{
    struct mt_steer_oscillator_memory memory = self->known;
    memory.frequency = self->frequency;
    memory.frequency_sigma = mt_real_sqrt(self->p[FREQUENCY][FREQUENCY]);
    memory.age_s = (mt_real)(now.ns - self->at.ns) * MT_REAL(1e-9);
    if (!mt_steer_oscillator_is_known(self) || !mt_steer_oscillator_is_sound(&memory)) {
        return false;
    }
    *ret_memory = memory;
    return true;
}

static bool remembers(const struct mt_steer_oscillator *self)
{
    return self->memory == MT_STEER_MEMORY_UNCHECKED || self->memory == MT_STEER_MEMORY_BELIEVED;
}

/* The oscillator does what its memory lets one expect, and not much else would have done, too. */
static bool is_as_remembered(const struct mt_steer_oscillator *self, mt_real measured)
{
    mt_real innovation = measured - self->frequency;
    mt_real square = CHECK_SIGMAS * CHECK_SIGMAS * (self->p[FREQUENCY][FREQUENCY] + self->variance);
    bool needs_kelvin = self->known.uses_temperature && self->block.kelvin_count == 0;
    return square < CHECK_WIDTH * CHECK_WIDTH && innovation * innovation <= square && !needs_kelvin;
}

/* What was seen since the start is true all the same. */
static void forget_memory(struct mt_steer_oscillator *self, mt_real frequency, mt_real kelvin)
{
    struct mt_steer_oscillator fresh;
    mt_steer_oscillator_init(&fresh);
    fresh.known.kelvin = self->known.kelvin;
    fresh.known.kelvin_low = fresh.known.kelvin_high = self->known.kelvin + kelvin;
    fresh.known.observed_s = self->seen_s;
    self->known = fresh.known;
    self->memory = MT_STEER_MEMORY_REFUTED;
    self->frequency = frequency;
    begin_filter(self);
}

static void check_memory(struct mt_steer_oscillator *self, mt_real frequency, mt_real kelvin)
{
    mt_real coefficient = self->known.uses_temperature ? self->known.coefficient : 0;
    if (!remembers(self)) {
        return;
    }
    if (is_as_remembered(self, frequency - coefficient * kelvin)) {
        self->memory = MT_STEER_MEMORY_BELIEVED;
    } else {
        forget_memory(self, frequency, kelvin);
    }
}

static void count_observed(struct mt_steer_oscillator *self, mt_real length_s)
{
    self->seen_s += length_s;
    if (self->memory == MT_STEER_MEMORY_BELIEVED && self->seen_s >= self->replace_s) {
        self->memory = MT_STEER_MEMORY_REPLACED;
    }
    if (!remembers(self)) {
        self->known.observed_s = self->seen_s;
    }
}

/* ---- learning -------------------------------------------------------------------------------- */

/* A longer time than what was ever seen: as in width(). */
static void predict(struct mt_steer_oscillator *self, mt_real elapsed)
{
    mt_real(*p)[2] = self->p;
    mt_real wander = self->known.wander;
    if (self->away_s > 0) {
        elapsed += self->away_s;
        wander *= mt_real_larger(1, elapsed / self->known.observed_s);
        self->away_s = 0;
    }
    self->frequency += self->known.ageing * elapsed;
    p[0][0] += elapsed * (2 * p[0][1] + elapsed * p[1][1]) + wander * elapsed;
    p[0][1] += elapsed * p[1][1];
    p[1][0] = p[0][1];
}

static void absorb(struct mt_steer_oscillator *self, mt_real measured, mt_real variance)
{
    mt_real *states[2] = {&self->frequency, &self->known.ageing};
    mt_real column[2] = {self->p[FREQUENCY][FREQUENCY], self->p[AGEING][FREQUENCY]};
    mt_real innovation = measured - self->frequency;
    mt_real total = column[FREQUENCY] + variance;
    for (int i = 0; i < 2; i++) {
        *states[i] += column[i] / total * innovation;
        for (int j = 0; j < 2; j++) {
            self->p[i][j] -= column[i] * column[j] / total;
        }
    }
    self->known.ageing_sigma = mt_real_sqrt(self->p[AGEING][AGEING]);
}

static void forget(struct mt_steer_oscillator_octave *octave)
{
    mt_real share = (octave->count - 1) / octave->count;
    octave->count--;
    octave->squares *= share;
    octave->products *= share;
    octave->kelvins *= share;
    octave->noise *= share;
}

static void look_back(struct mt_steer_oscillator *self, struct mt_steer_oscillator_octave *octave,
                      mt_real now_s, mt_real frequency, mt_real kelvin)
{
    mt_real elapsed = now_s - octave->since_s;
    if (octave->is_begun) {
        mt_real change = frequency - octave->frequency - self->known.ageing * elapsed;
        mt_real warmer = kelvin - octave->kelvin;
        if (octave->count >= FORGET_COUNT) {
            forget(octave);
        }
        octave->count++;
        octave->squares += change * change / elapsed;
        octave->products += change * warmer / elapsed;
        octave->kelvins += warmer * warmer / elapsed;
        octave->noise += 2 * self->variance / elapsed;
    }
    octave->is_begun = true;
    octave->since_s = now_s;
    octave->frequency = frequency;
    octave->kelvin = kelvin;
}

/* What the changes of one horizon say of the coefficient; it is taken if it is known better than
 * before, or nearly as well and newer. */
static void judge_temperature(struct mt_steer_oscillator_memory *known,
                              const struct mt_steer_oscillator_octave *octave)
{
    if (octave->count < KELVIN_COUNT || octave->kelvins <= 0) {
        return;
    }
    mt_real slope = octave->products / octave->kelvins;
    mt_real left = octave->squares - slope * octave->products;
    mt_real sigma = mt_real_sqrt(left / octave->kelvins / (octave->count - 1));
    if (sigma > NEARLY * known->coefficient_sigma) {
        return;
    }
    known->coefficient = slope;
    known->coefficient_sigma = sigma;
    known->uses_temperature =
        left < AIDED_SHARE * octave->squares && mt_real_abs(slope) > KELVIN_SIGMAS * sigma;
}

/* What is left when temperature is taken out, and the noise of measuring; that is not known so well
 * that less than a share of what was seen would remain. */
static mt_real wander_of(const struct mt_steer_oscillator_memory *known,
                         const struct mt_steer_oscillator_octave *octave)
{
    mt_real slope = known->uses_temperature ? known->coefficient : 0;
    mt_real left = octave->squares - 2 * slope * octave->products + slope * slope * octave->kelvins;
    return mt_real_larger(left - octave->noise, LEAST_SHARE * left);
}

/* Fewer than LEAST_COUNT changes say little; more than that are believed with a margin. */
static void judge(struct mt_steer_oscillator *self)
{
    mt_real wander = 0;
    for (int i = 0; i < MT_OSCILLATOR_OCTAVES && self->has_kelvin; i++) {
        judge_temperature(&self->known, &self->octaves[i]);
    }
    for (int i = 0; i < MT_OSCILLATOR_OCTAVES; i++) {
        const struct mt_steer_oscillator_octave *octave = &self->octaves[i];
        if (octave->count >= LEAST_COUNT) {
            mt_real margin = (1 + 3 / mt_real_sqrt(octave->count)) / octave->count;
            wander = mt_real_larger(wander, margin * wander_of(&self->known, octave));
        }
    }
    /* after a restart nothing has been seen yet of long horizons */
    if (wander > 0 && (!remembers(self) || wander > self->known.wander)) {
        self->known.wander = wander;
    }
}

/* The same frequency, seen with another coefficient.  Where there was none, ageing was learned from
 * what temperature did. */
static void change_coefficient(struct mt_steer_oscillator *self, mt_real before, mt_real kelvin)
{
    mt_real now = self->known.uses_temperature ? self->known.coefficient : 0;
    self->frequency += (before - now) * kelvin;
    if ((before != 0) != (now != 0)) {
        self->known.ageing = 0;
        self->known.ageing_sigma = mt_real_sqrt(PRIOR_AGEING);
        begin_filter(self);
    }
}

static void widen_range(struct mt_steer_oscillator_memory *known, mt_real kelvin)
{
    if (kelvin < known->kelvin_low) {
        known->kelvin_low = kelvin;
    }
    if (kelvin > known->kelvin_high) {
        known->kelvin_high = kelvin;
    }
}

static mt_real kelvin_of(struct mt_steer_oscillator *self)
{
    const struct mt_steer_oscillator_block *block = &self->block;
    if (block->kelvin_count == 0) {
        return 0;
    }
    mt_real kelvin = block->kelvin / (mt_real)block->kelvin_count;
    if (!self->has_kelvin) {
        self->has_kelvin = true;
        self->known.kelvin = kelvin;
        self->known.kelvin_low = kelvin;
        self->known.kelvin_high = kelvin;
    }
    widen_range(&self->known, kelvin);
    return kelvin - self->known.kelvin;
}

/* Else what temperature did would count as the oscillator's own doing. */
static void pass_over_block(struct mt_steer_oscillator *self)
{
    bool had_memory = self->memory != MT_STEER_MEMORY_NONE;
    if (++self->blind < BLIND_MOST) {
        mt_steer_oscillator_interrupt(self);
        return;
    }
    mt_steer_oscillator_init(self);
    self->memory = had_memory ? MT_STEER_MEMORY_REFUTED : MT_STEER_MEMORY_NONE;
}

static void end_block(struct mt_steer_oscillator *self, mt_real length_s, struct mt_mono now)
{
    const struct mt_steer_oscillator_block *block = &self->block;
    mt_real frequency = block->frequency / (mt_real)block->count;
    mt_real kelvin = kelvin_of(self);
    mt_real now_s = (mt_real)now.ns * MT_REAL(1e-9);
    self->variance = block->variance / (mt_real)block->count;
    if (self->has_frequency) {
        predict(self, (mt_real)(now.ns - self->at.ns) * MT_REAL(1e-9));
        check_memory(self, frequency, kelvin);
    }
    mt_real coefficient = self->known.uses_temperature ? self->known.coefficient : 0;
    mt_real aided = kelvin * coefficient;
    if (!self->has_frequency) {
        self->frequency = frequency - aided;
        self->has_frequency = true;
    }
    absorb(self, frequency - aided, self->variance);
    self->at = now;
    count_observed(self, length_s);
    for (unsigned i = 0; i < MT_OSCILLATOR_OCTAVES && self->blocks % (UINT64_C(1) << i) == 0; i++) {
        look_back(self, &self->octaves[i], now_s, frequency, kelvin);
    }
    self->blocks++;
    judge(self);
    change_coefficient(self, coefficient, kelvin);
    memset(&self->block, 0, sizeof self->block);
}

void mt_steer_oscillator_observe(struct mt_steer_oscillator *self, mt_real frequency, mt_real sigma,
                                 mt_real inertia_s, mt_real kelvin, struct mt_mono now)
{
    struct mt_steer_oscillator_block *block = &self->block;
    mt_real length_s = mt_real_larger(BLOCK_S, BLOCK_INERTIA * inertia_s);
    if (block->count == 0) {
        block->begun = now;
    }
    block->count++;
    block->frequency += frequency;
    block->variance += sigma * sigma * mt_real_limit(2 * inertia_s / length_s, 1);
    if (kelvin == kelvin) { /* a number */
        block->kelvin_count++;
        block->kelvin += kelvin;
    }
    mt_real elapsed = (mt_real)(now.ns - block->begun.ns) * MT_REAL(1e-9);
    if (elapsed < length_s) {
        return;
    }
    if (block->kelvin_count == 0 && self->memory == MT_STEER_MEMORY_UNCHECKED) {
        self->has_kelvin = false; /* there was a thermometer before the restart, only */
    }
    if (block->kelvin_count == 0 && self->has_kelvin) {
        pass_over_block(self);
        return;
    }
    self->blind = 0;
    end_block(self, elapsed, now);
}

void mt_steer_oscillator_interrupt(struct mt_steer_oscillator *self)
{
    memset(&self->block, 0, sizeof self->block);
    self->blocks = 0;
    for (int i = 0; i < MT_OSCILLATOR_OCTAVES; i++) {
        self->octaves[i].is_begun = false;
    }
}

/* ---- predicting ------------------------------------------------------------------------------ */

static bool uses_ageing(const struct mt_steer_oscillator_memory *known)
{
    return mt_real_abs(known->ageing) > AGEING_SIGMAS * known->ageing_sigma;
}

mt_real mt_steer_oscillator_change(const struct mt_steer_oscillator *self,
                                   const struct mt_steer_oscillator_past *past)
{
    const struct mt_steer_oscillator_memory *known = &self->known;
    mt_real change = 0;
    if (!mt_steer_oscillator_is_known(self)) {
        return 0;
    }
    if (uses_ageing(known)) {
        change += known->ageing * past->age_s;
    }
    if (known->uses_temperature) {
        change += known->coefficient * past->kelvin;
    }
    return change;
}

/* s: what the clock may be wrong by beside what its estimate was */
static mt_real width(const struct mt_steer_oscillator *self,
                     const struct mt_steer_oscillator_past *past, mt_real sigma,
                     mt_real estimated_wander, mt_real ahead_s)
{
    const struct mt_steer_oscillator_memory *known = &self->known;
    mt_real t = past->age_s + ahead_s;
    mt_real half = t * t / 2;
    mt_real seen = known->observed_s;
    mt_real kelvin_s = mt_real_abs(past->kelvin_s + past->kelvin * ahead_s);
    mt_real doubt = mt_real_limit(known->coefficient_sigma, KELVIN_DOUBT);
    mt_real wander = known->wander * mt_real_larger(1, t / seen);
    mt_real more = mt_real_larger(wander - estimated_wander, 0);
    mt_real variance = sigma * sigma + more * t * half * 2 / 3;
    mt_real ageing = half * known->ageing_sigma;
    mt_real share = uses_ageing(known) ? t / (t + seen) : 1;
    mt_real certain = half * mt_real_abs(known->ageing) * share;
    variance += ageing * ageing;
    if (known->uses_temperature) {
        mt_real by_kelvin = known->coefficient_sigma * kelvin_s;
        variance += by_kelvin * by_kelvin;
    }
    certain += (mt_real_abs(known->coefficient) + doubt) * past->beyond;
    return MT_STEER_BOUND_SIGMA * mt_real_sqrt(variance) + certain;
}

void mt_steer_oscillator_report(const struct mt_steer_oscillator *self,
                                const struct mt_discipline *discipline,
                                const struct mt_steer_oscillator_past *past,
                                struct mt_clock_quality_report *report, mt_real *ret_growth)
{
    const struct mt_estimate *estimate = &report->estimate;
    mt_real wander = discipline->model.wander;
    mt_real now = width(self, past, estimate->offset_sigma, wander, 0);
    mt_real then_sigma = estimate->offset_sigma + AHEAD_S * estimate->frequency_sigma;
    mt_real then = width(self, past, then_sigma, wander, AHEAD_S);
    int64_t estimate_ns = mt_steer_ns(now + estimate->doubt);
    int64_t change_ns = estimate_ns - report->parts.estimate_ns;
    *ret_growth = (then - now) / AHEAD_S;
    report->parts.estimate_ns = estimate_ns;
    report->bound = mt_interval_from_ns(mt_interval_to_ns(report->bound) + change_ns);
    report->bound_growth = *ret_growth + mt_real_abs(estimate->frequency);
}

/* ---- the discipline's part ------------------------------------------------------------------- */

/* Until `at` nothing changes. */
static void shift(struct mt_track *track, mt_real change, const struct mt_instant *at)
{
    track->x[0] -= change * mt_seconds(&track->at, at);
    track->x[1] += change;
}

void mt_discipline_shift_frequency(struct mt_discipline *self, mt_real change,
                                   const struct mt_instant *at)
{
    struct mt_discipline_source *source = mt_steer_selected(self);
    if (self->phase != MT_STEER_HOLDOVER || self->config.servo != 0) {
        return;
    }
    if (self->has_anchor) {
        shift(&self->anchor.track, change, at);
    }
    if (source != 0) {
        shift(&source->estimator.track, change, at);
    }
    self->model.frequency += change;
    if (self->slew_end.ns == MT_MONO_NEVER.ns) { /* else it is levelled then */
        mt_steer_level(self);
    }
}
