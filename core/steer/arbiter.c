/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who is to be believed.
 *
 * Voters are the sources that have something to say; the trusted ones alone, if there are any.
 * Each is the interval offset +- bound.  Two regions come of their overlaps [Marzullo; RFC 5905
 * 11.2.1]: where more than half of them cover a point, there the true offset may be, and the hull
 * of these points is the interval that is answered, for it is all that follows from "most of them
 * are right".  Where the largest number of them covers a point, there they agree, and whoever does
 * not reach that far is a falseticker.  One narrow interval among wide ones is therefore believed
 * for its time, but not for its narrowness, unless it is trusted: it may be the one that lies.
 *
 * All points of interest are ends of intervals, so both regions are found by counting, for each
 * end, who covers it.  That is quadratic, in a handful of sources, and needs no memory to sort in;
 * and it does not depend on the order of the sources.
 *
 * Of those who agree the one with the smallest bound steers.  Bounds grow with the age of the last
 * measurement and shrink with the next, so bounds as of the measurement are compared, and another
 * source must be better by a third to take over.
 *
 * The combined time weighs each by what it may be wrong by: noise, and the rest of the bound as an
 * error that may be anywhere in it (that of a uniform distribution has a third of the square).  So
 * many measurements do not make a long asymmetric path better than a short one.
 */
#include "meantime/steer_arbiter.h"

#include "base/memory.h"

#define BETTER         MT_REAL(0.667)
#define DISTANT_FACTOR 3
#define SIGMAS         5

struct court {
    const struct mt_arbiter_config *config;
    const struct mt_arbiter_source *sources;
    struct mt_arbiter_opinion *opinions;
    struct mt_arbiter_result *result;
    uint16_t count;
    uint16_t steering;
    enum mt_timescale scale;
};

/* ---- who votes ------------------------------------------------------------------------------- */

/* That of most who could vote in it; of equally many the clock's own.  An arbitrary one only where
 * nobody else may ever come: nothing says how far it is from any other. */
static enum mt_timescale choose_scale(const struct court *self)
{
    enum mt_timescale best = self->config->scale;
    unsigned counts[MT_SCALE_COUNT] = {0};
    bool any_shows_time = false;

    if (!self->config->adopts_scale) {
        return best;
    }
    for (uint16_t i = 0; i < self->count; i++) {
        const struct mt_arbiter_source *source = &self->sources[i];

        if (source->is_watched || source->follows_us || source->is_orphan) {
            continue;
        }
        if (source->scale != MT_SCALE_ARB) {
            best = best == MT_SCALE_ARB ? source->scale : best;
            any_shows_time = true;
        }
        if (source->is_reachable && source->is_synchronised && source->is_measured) {
            counts[source->scale]++;
        }
    }
    for (unsigned scale = 0; scale < MT_SCALE_COUNT; scale++) {
        if (counts[scale] > counts[best] && !(scale == MT_SCALE_ARB && any_shows_time)) {
            best = (enum mt_timescale)scale;
        }
    }
    return best;
}

/* NO_MAJORITY stands for: not judged yet */
static enum mt_arbiter_verdict admit(const struct court *self,
                                     const struct mt_arbiter_source *source)
{
    if (!source->is_reachable) {
        return MT_ARBITER_UNREACHABLE;
    }
    if (!source->is_synchronised) {
        return MT_ARBITER_NOT_SYNCHRONISED;
    }
    if (source->follows_us) {
        return MT_ARBITER_FOLLOWS_US;
    }
    if (source->is_orphan) {
        return MT_ARBITER_ORPHAN;
    }
    if (!source->is_measured) {
        return MT_ARBITER_MEASURING;
    }
    if (source->scale != self->scale) {
        return MT_ARBITER_WRONG_SCALE;
    }
    if (source->is_watched) {
        return MT_ARBITER_WATCHED;
    }
    return source->bound <= self->config->max_bound ? MT_ARBITER_NO_MAJORITY : MT_ARBITER_TOO_WIDE;
}

static bool is_admitted(const struct court *self, uint16_t i)
{
    return self->opinions[i].verdict < MT_ARBITER_TOO_WIDE;
}

static bool is_voter(const struct court *self, uint16_t i)
{
    return is_admitted(self, i) && (self->sources[i].is_trusted || !self->result->has_trusted);
}

static void admit_all(struct court *self)
{
    self->scale = choose_scale(self);
    for (uint16_t i = 0; i < self->count; i++) {
        self->opinions[i].verdict = admit(self, &self->sources[i]);
        self->result->has_trusted |= is_admitted(self, i) && self->sources[i].is_trusted;
    }
    for (uint16_t i = 0; i < self->count; i++) {
        self->result->voters += is_voter(self, i);
    }
}

/* ---- where they agree ------------------------------------------------------------------------ */

static mt_real low_of(const struct mt_arbiter_source *source)
{
    return source->offset - source->bound;
}

static mt_real high_of(const struct mt_arbiter_source *source)
{
    return source->offset + source->bound;
}

static uint16_t count_at(const struct court *self, mt_real offset)
{
    uint16_t count = 0;

    for (uint16_t i = 0; i < self->count; i++) {
        if (is_voter(self, i) && low_of(&self->sources[i]) <= offset &&
            offset <= high_of(&self->sources[i])) {
            count++;
        }
    }
    return count;
}

/* of all points that at least `need` of the voters cover */
static bool find_hull(const struct court *self, uint16_t need, mt_real *ret_low, mt_real *ret_high)
{
    bool has_low = false;
    bool has_high = false;

    for (uint16_t i = 0; i < self->count; i++) {
        mt_real low = low_of(&self->sources[i]);
        mt_real high = high_of(&self->sources[i]);

        if (!is_voter(self, i)) {
            continue;
        }
        if ((!has_low || low < *ret_low) && count_at(self, low) >= need) {
            *ret_low = low;
            has_low = true;
        }
        if ((!has_high || high > *ret_high) && count_at(self, high) >= need) {
            *ret_high = high;
            has_high = true;
        }
    }
    return has_low && has_high;
}

static void find_interval(struct court *self)
{
    struct mt_arbiter_result *result = self->result;

    for (uint16_t i = 0; i < self->count; i++) {
        uint16_t here = is_voter(self, i) ? count_at(self, low_of(&self->sources[i])) : 0;

        result->agreeing = here > result->agreeing ? here : result->agreeing;
    }
    if (2 * result->agreeing > result->voters) {
        result->has_interval =
            find_hull(self, (uint16_t)(result->voters / 2 + 1), &result->low, &result->high) &&
            find_hull(self, result->agreeing, &result->agreed_low, &result->agreed_high);
    }
}

/* ---- who is right ---------------------------------------------------------------------------- */

static mt_real miss_of(const struct court *self, const struct mt_arbiter_source *source)
{
    if (low_of(source) > self->result->agreed_high) {
        return low_of(source) - self->result->agreed_high;
    }
    return high_of(source) < self->result->agreed_low ? high_of(source) - self->result->agreed_low
                                                      : 0;
}

/* AGREES stands for: may be selected */
static enum mt_arbiter_verdict judge_one(const struct court *self, uint16_t i)
{
    const struct mt_arbiter_source *source = &self->sources[i];

    if (self->opinions[i].miss != 0) {
        return MT_ARBITER_FALSETICKER;
    }
    if (!is_voter(self, i) &&
        (source->offset < self->result->low || source->offset > self->result->high)) {
        return MT_ARBITER_OUTSIDE;
    }
    if (source->is_on_probation) {
        return MT_ARBITER_PROBATION;
    }
    return source->is_silent ? MT_ARBITER_SILENT : MT_ARBITER_AGREES;
}

/* one verdict for all that would do otherwise */
static void turn_down(struct court *self, enum mt_arbiter_verdict verdict)
{
    for (uint16_t i = 0; i < self->count; i++) {
        if (self->opinions[i].verdict == MT_ARBITER_AGREES) {
            self->opinions[i].verdict = verdict;
        }
    }
}

static bool lacks_required(const struct court *self)
{
    bool any_required = false;

    for (uint16_t i = 0; i < self->count; i++) {
        any_required |= self->sources[i].is_required;
        if (self->sources[i].is_required && self->opinions[i].verdict == MT_ARBITER_AGREES) {
            return false;
        }
    }
    return any_required;
}

static bool is_too_early(const struct court *self)
{
    bool any_awaited = false;

    for (uint16_t i = 0; i < self->count; i++) {
        any_awaited |=
            self->opinions[i].verdict == MT_ARBITER_MEASURING && self->sources[i].is_awaited;
    }
    return any_awaited && self->steering == MT_ARBITER_NOBODY;
}

/* nobody can take the place of one that is silent: whoever follows it knows what to do */
static void keep_silent(struct court *self)
{
    for (uint16_t i = 0; i < self->count; i++) {
        if (self->opinions[i].verdict == MT_ARBITER_AGREES) {
            return;
        }
    }
    if (self->steering < self->count &&
        self->opinions[self->steering].verdict == MT_ARBITER_SILENT) {
        self->opinions[self->steering].verdict = MT_ARBITER_AGREES;
    }
}

static void judge_all(struct court *self)
{
    for (uint16_t i = 0; i < self->count; i++) {
        if (is_admitted(self, i)) {
            self->opinions[i].miss = miss_of(self, &self->sources[i]);
            self->opinions[i].verdict = judge_one(self, i);
        }
    }
    keep_silent(self);
    if (self->result->agreeing < self->config->min_sources) {
        turn_down(self, MT_ARBITER_TOO_FEW);
    } else if (lacks_required(self)) {
        turn_down(self, MT_ARBITER_REQUIRED_MISSING);
    } else if (is_too_early(self)) {
        turn_down(self, MT_ARBITER_WAITING);
    }
}

/* ---- who steers ------------------------------------------------------------------------------ */

static bool has_preferred(const struct court *self)
{
    for (uint16_t i = 0; i < self->count; i++) {
        if (self->sources[i].is_preferred && self->opinions[i].verdict == MT_ARBITER_AGREES) {
            return true;
        }
    }
    return false;
}

static bool is_better(const struct mt_arbiter_source *a, const struct mt_arbiter_source *b)
{
    return a->distance != b->distance ? a->distance < b->distance : a->rank < b->rank;
}

static void choose(struct court *self, bool only_preferred)
{
    const struct mt_arbiter_source *sources = self->sources;
    uint16_t best = MT_ARBITER_NOBODY;
    uint16_t steering = MT_ARBITER_NOBODY;

    for (uint16_t i = 0; i < self->count; i++) {
        if (self->opinions[i].verdict != MT_ARBITER_AGREES ||
            (only_preferred && !sources[i].is_preferred)) {
            continue;
        }
        if (best == MT_ARBITER_NOBODY || is_better(&sources[i], &sources[best])) {
            best = i;
        }
        steering = i == self->steering ? i : steering;
    }
    if (steering != MT_ARBITER_NOBODY &&
        !(sources[best].distance < BETTER * sources[steering].distance)) {
        best = steering;
    }
    self->result->selected = best;
}

/* ---- the time of all of them ----------------------------------------------------------------- */

static bool is_another_rate(const struct court *self, const struct mt_arbiter_source *a,
                            const struct mt_arbiter_source *b)
{
    mt_real difference = mt_real_abs(a->frequency - b->frequency) - self->config->max_drift;
    mt_real variance =
        a->frequency_sigma * a->frequency_sigma + b->frequency_sigma * b->frequency_sigma;

    return difference > 0 && difference * difference > SIGMAS * SIGMAS * variance;
}

static enum mt_arbiter_verdict share_of(const struct court *self, uint16_t i, bool only_preferred)
{
    const struct mt_arbiter_source *selected = &self->sources[self->result->selected];
    const struct mt_arbiter_source *source = &self->sources[i];

    if (source == selected) {
        return MT_ARBITER_SELECTED;
    }
    if (only_preferred && !source->is_preferred) {
        return MT_ARBITER_AGREES;
    }
    if (source->distance > DISTANT_FACTOR * selected->distance) {
        return MT_ARBITER_DISTANT;
    }
    return is_another_rate(self, source, selected) ? MT_ARBITER_ANOTHER_RATE : MT_ARBITER_COMBINED;
}

static mt_real certainty_of(const struct mt_arbiter_source *source)
{
    mt_real lasting = mt_real_larger(source->bound - SIGMAS * source->sigma, 0);
    mt_real variance = source->sigma * source->sigma + lasting * lasting / 3;

    return 1 / mt_real_larger(variance, MT_REAL(0x1p-80));
}

static void combine(struct court *self, bool only_preferred)
{
    const struct mt_arbiter_source *selected = &self->sources[self->result->selected];
    mt_real sum = 0;
    mt_real shift = 0;

    for (uint16_t i = 0; i < self->count; i++) {
        struct mt_arbiter_opinion *opinion = &self->opinions[i];

        if (opinion->verdict == MT_ARBITER_AGREES) {
            opinion->verdict = share_of(self, i, only_preferred);
            opinion->weight =
                mt_arbiter_is_chosen(opinion->verdict) ? certainty_of(&self->sources[i]) : 0;
            sum += opinion->weight;
        }
    }
    for (uint16_t i = 0; i < self->count; i++) {
        self->opinions[i].weight /= sum;
        shift += self->opinions[i].weight * (self->sources[i].offset - selected->offset);
    }
    self->result->shift = shift;
    self->result->bound = mt_real_larger(self->result->high - selected->offset - shift,
                                         selected->offset + shift - self->result->low);
}

bool mt_arbiter_is_chosen(enum mt_arbiter_verdict verdict)
{
    return verdict <= MT_ARBITER_COMBINED;
}

void mt_arbiter_judge(const struct mt_arbiter_config *config,
                      const struct mt_arbiter_source *sources, uint16_t count, uint16_t steering,
                      struct mt_arbiter_opinion *ret_opinions, struct mt_arbiter_result *ret_result)
{
    struct court court = {config, sources, ret_opinions, ret_result, count, steering, MT_SCALE_ARB};
    bool only_preferred;

    memset(ret_opinions, 0, count * sizeof *ret_opinions);
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->selected = MT_ARBITER_NOBODY;
    admit_all(&court);
    find_interval(&court);
    if (!ret_result->has_interval) {
        return;
    }
    judge_all(&court);
    only_preferred = has_preferred(&court);
    choose(&court, only_preferred);
    if (ret_result->selected != MT_ARBITER_NOBODY) {
        combine(&court, only_preferred);
    }
}
