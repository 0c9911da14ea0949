/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Everything but the series is kept as running figures.  Mean and squares follow Welford, and are
 * merged by Chan's formula, because a mean of a second beside a deviation of a nanosecond would
 * drown in plain sums.  Quantiles come from counts by size: the binary exponent and eight bits of
 * the mantissa name the step, so no logarithm is needed, merging is exact, and the answer does not
 * depend on the order of readings.
 *
 * Columns and series double their interval when they are full.  Which readings they are of
 * depends on the grid only, so a run that is twice as long has every second of the values.
 */
#include "apps/meantime/sim/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE        INT64_MIN
#define NS_PER_S    1e9
#define SMALLEST    (-16) /* octaves: 2^-16 ns */
#define SERIES_ROOM 256   /* values at first */

bool mt_statistics_init(struct mt_statistics *self, const struct mt_statistics_plan *plan,
                        uint64_t seed)
{
    memset(self, 0, sizeof *self);
    self->plan = *plan;
    if (self->plan.hold_ns == 0)
        self->plan.hold_ns = MT_STATISTICS_HOLD_NS;
    self->seed = seed;
    self->seeds = 1;
    self->state.good_since_ns = NONE;
    self->state.last_t_ns = NONE;
    self->state.bad_since_ns = NONE;
    self->column_readings = 1;
    self->series_every = 1;
    self->columns = calloc(MT_STATISTICS_COLUMNS, sizeof *self->columns);
    return self->columns != NULL;
}

void mt_statistics_free(struct mt_statistics *self)
{
    for (size_t i = 0; i < MT_STATISTICS_OCTAVES; i++) {
        free(self->above[i]);
        free(self->below[i]);
    }
    free(self->columns);
    free(self->series_ns);
    memset(self, 0, sizeof *self);
}

/* ---- synchronisation ------------------------------------------------------------------------- */

static void become_synchronised(struct mt_statistics *self)
{
    double after_s = (double)(self->state.good_since_ns - self->plan.start_ns) / NS_PER_S;
    self->synchronised = 1;
    self->after_sum_s = after_s;
    self->after_max_s = after_s;
}

static void be_good(struct mt_statistics *self, int64_t t_ns)
{
    struct mt_statistics_synchronisation *state = &self->state;
    if (self->synchronised == 0) {
        if (state->good_since_ns == NONE)
            state->good_since_ns = t_ns;
        if (t_ns - state->good_since_ns >= self->plan.hold_ns)
            become_synchronised(self);
    } else if (state->bad_since_ns != NONE) {
        double lost_s = (double)(t_ns - state->bad_since_ns) / NS_PER_S;
        self->lost_s += lost_s;
        if (lost_s > self->lost_max_s)
            self->lost_max_s = lost_s;
        state->bad_since_ns = NONE;
    }
}

static void be_bad(struct mt_statistics *self, int64_t t_ns)
{
    self->state.good_since_ns = NONE;
    if (self->synchronised > 0 && self->state.bad_since_ns == NONE) {
        self->state.bad_since_ns = t_ns;
        self->losses++;
    }
}

/** Instants between the last reading and t had none. */
static void pass_gap(struct mt_statistics *self, int64_t t_ns)
{
    int64_t last_t_ns = self->state.last_t_ns;
    if (last_t_ns == NONE || t_ns - last_t_ns <= self->plan.interval_ns)
        return;
    self->state.good_since_ns = NONE;
    if (t_ns - last_t_ns > self->plan.hold_ns)
        be_bad(self, last_t_ns + self->plan.interval_ns);
}

/* ---- steady figures -------------------------------------------------------------------------- */

/** Where |error| is counted; below the smallest octave everything is one. */
static void place_of(double size_ns, size_t *ret_octave, size_t *ret_step)
{
    int exponent;
    double mantissa = frexp(size_ns, &exponent); /* [0.5, 1), or 0 */
    int octave = exponent - 1 - SMALLEST;
    if (octave < 0 || mantissa < 0.5) {
        *ret_octave = 0;
        *ret_step = 0;
    } else if (octave >= MT_STATISTICS_OCTAVES) {
        *ret_octave = MT_STATISTICS_OCTAVES - 1;
        *ret_step = MT_STATISTICS_STEPS - 1;
    } else {
        *ret_octave = (size_t)octave;
        *ret_step = (size_t)((2 * mantissa - 1) * MT_STATISTICS_STEPS);
    }
}

/** The middle of a step. */
static double size_of(size_t octave, size_t step)
{
    double within = ((double)step + 0.5) / MT_STATISTICS_STEPS;
    return ldexp(1 + within, (int)octave + SMALLEST);
}

static uint64_t *octave_of(uint64_t **octaves, size_t octave)
{
    if (octaves[octave] == NULL)
        octaves[octave] = calloc(MT_STATISTICS_STEPS, sizeof *octaves[octave]);
    return octaves[octave];
}

static void count_size(struct mt_statistics *self, double error_ns)
{
    size_t octave;
    size_t step;
    place_of(fabs(error_ns), &octave, &step);
    uint64_t *counts = octave_of(error_ns < 0 ? self->below : self->above, octave);
    if (counts == NULL)
        self->is_short_memory = true;
    else
        counts[step]++;
}

static void count_bound(struct mt_statistics *self, const struct mt_statistics_reading *reading)
{
    if (!reading->has_bound)
        return;
    self->with_bound++;
    if (fabs(reading->error_ns) > reading->bound_ns)
        self->outside++;
    self->bound_mean_ns += (reading->bound_ns - self->bound_mean_ns) / (double)self->with_bound;
    if (reading->bound_ns > self->bound_max_ns)
        self->bound_max_ns = reading->bound_ns;
}

static void count_error(struct mt_statistics *self, const struct mt_statistics_reading *reading)
{
    double error_ns = reading->error_ns;
    bool is_first = self->readings++ == 0;
    double before = error_ns - self->mean_ns;
    self->mean_ns += before / (double)self->readings;
    self->squares_ns2 += before * (error_ns - self->mean_ns);
    if (is_first || error_ns < self->low_ns)
        self->low_ns = error_ns;
    if (is_first || error_ns > self->high_ns)
        self->high_ns = error_ns;
    if (is_first || fabs(error_ns) > self->max_ns) {
        self->max_ns = fabs(error_ns);
        self->max_t_ns = reading->t_ns;
    }
    count_size(self, error_ns);
}

/* ---- columns --------------------------------------------------------------------------------- */

static const struct mt_statistics_column no_column = {1, -1, -1, 0};

static struct mt_statistics_column joined(const struct mt_statistics_column *a,
                                          const struct mt_statistics_column *b)
{
    if (a->low_ns > a->high_ns)
        return *b;
    if (b->low_ns > b->high_ns)
        return *a;
    struct mt_statistics_column column = {
        a->low_ns < b->low_ns ? a->low_ns : b->low_ns,
        a->high_ns > b->high_ns ? a->high_ns : b->high_ns,
        a->bound_ns > b->bound_ns ? a->bound_ns : b->bound_ns,
        a->outside + b->outside,
    };
    return column;
}

static void halve_columns(struct mt_statistics *self)
{
    uint32_t count = self->column_count;
    for (uint32_t i = 0; i < count; i += 2) {
        const struct mt_statistics_column *second =
            i + 1 < count ? &self->columns[i + 1] : &no_column;
        self->columns[i / 2] = joined(&self->columns[i], second);
    }
    self->column_count = (count + 1) / 2;
    self->column_readings *= 2;
}

static void add_to_columns(struct mt_statistics *self, const struct mt_statistics_reading *reading)
{
    if (reading->t_ns < 0)
        return;
    int64_t instant = reading->t_ns / self->plan.interval_ns;
    while (instant / self->column_readings >= MT_STATISTICS_COLUMNS)
        halve_columns(self);
    uint32_t at = (uint32_t)(instant / self->column_readings);
    while (self->column_count <= at)
        self->columns[self->column_count++] = no_column;
    bool is_outside = reading->has_bound && fabs(reading->error_ns) > reading->bound_ns;
    struct mt_statistics_column one = {
        (float)reading->error_ns,
        (float)reading->error_ns,
        reading->has_bound ? (float)reading->bound_ns : -1,
        is_outside ? 1 : 0,
    };
    self->columns[at] = joined(&self->columns[at], &one);
}

/* ---- series ---------------------------------------------------------------------------------- */

static void halve_series(struct mt_statistics *self)
{
    for (size_t i = 0; i < self->series_count; i += 2)
        self->series_ns[i / 2] = self->series_ns[i];
    self->series_count = (self->series_count + 1) / 2;
    self->series_every *= 2;
}

static bool make_room(struct mt_statistics *self, size_t count)
{
    size_t room = self->series_room == 0 ? SERIES_ROOM : self->series_room;
    while (room < count)
        room *= 2;
    if (room == self->series_room)
        return true;
    double *grown = realloc(self->series_ns, room * sizeof *grown);
    if (grown == NULL)
        return false;
    self->series_ns = grown;
    self->series_room = room;
    return true;
}

static void add_to_series(struct mt_statistics *self, const struct mt_statistics_reading *reading)
{
    int64_t instant = (reading->t_ns - self->plan.from_ns) / self->plan.interval_ns;
    while (instant / self->series_every >= self->plan.series_limit)
        halve_series(self);
    if (instant % self->series_every != 0)
        return;
    size_t at = (size_t)(instant / self->series_every);
    if (!make_room(self, at + 1)) {
        self->is_short_memory = true;
        return;
    }
    while (self->series_count < at)
        self->series_ns[self->series_count++] = (double)NAN;
    self->series_ns[at] = reading->error_ns;
    self->series_count = at + 1;
}

static bool add_stretch(struct mt_statistics *self, size_t start, size_t count)
{
    struct mt_stability stability;
    struct mt_mask_figures masks;
    double interval_s = (double)self->plan.interval_ns * self->series_every / NS_PER_S;
    if (count < 2)
        return true;
    if (!mt_stability_compute(self->series_ns + start, count, interval_s, &stability) ||
        !mt_masks_measure(self->series_ns + start, count, interval_s, &masks))
        return false;
    mt_stability_merge(&self->stability, &stability);
    mt_masks_join(&self->masks, &masks);
    self->has_curves = true;
    return true;
}

/** Of each stretch without a gap. */
static void compute_curves(struct mt_statistics *self)
{
    size_t start = 0;
    for (size_t i = 0; i <= self->series_count; i++) {
        if (i < self->series_count && !isnan(self->series_ns[i]))
            continue;
        if (!add_stretch(self, start, i - start))
            self->is_short_memory = true;
        start = i + 1;
    }
}

/* ---- feeding and ending ---------------------------------------------------------------------- */

void mt_statistics_feed(struct mt_statistics *self, const struct mt_statistics_reading *reading)
{
    if (!isfinite(reading->error_ns) || (reading->has_bound && isnan(reading->bound_ns)))
        return;
    pass_gap(self, reading->t_ns);
    bool says_so = reading->is_synchronised || self->synchronised > 0;
    if (says_so && fabs(reading->error_ns) <= self->plan.limit_ns)
        be_good(self, reading->t_ns);
    else
        be_bad(self, reading->t_ns);
    self->state.last_t_ns = reading->t_ns;
    add_to_columns(self, reading);
    if (reading->t_ns < self->plan.from_ns)
        return;
    count_error(self, reading);
    count_bound(self, reading);
    if (self->plan.series_limit > 0)
        add_to_series(self, reading);
}

static double rms_ns(const struct mt_statistics *self)
{
    if (self->readings == 0)
        return 0;
    return sqrt(self->mean_ns * self->mean_ns + self->squares_ns2 / (double)self->readings);
}

/** Of the grid since from_ns, while the node should have run. */
static uint64_t instants_until(const struct mt_statistics *self, int64_t t_ns)
{
    const struct mt_statistics_plan *plan = &self->plan;
    int64_t first = (plan->from_ns + plan->interval_ns - 1) / plan->interval_ns;
    int64_t since_start = plan->start_ns / plan->interval_ns + 1;
    int64_t count = t_ns / plan->interval_ns + 1 - (since_start > first ? since_start : first);
    return count > 0 ? (uint64_t)count : 0;
}

void mt_statistics_end(struct mt_statistics *self, bool keep_series, int64_t t_ns)
{
    uint64_t instants = instants_until(self, t_ns);
    self->instants = instants > self->readings ? instants : self->readings;
    pass_gap(self, t_ns);
    if (self->state.bad_since_ns != NONE)
        be_good(self, t_ns);
    self->worst_rms_ns = rms_ns(self);
    self->worst_seed = self->seed;
    self->max_seed = self->seed;
    compute_curves(self);
    if (!keep_series) {
        free(self->series_ns);
        self->series_ns = NULL;
        self->series_count = 0;
        self->series_room = 0;
    }
}

/* ---- merging --------------------------------------------------------------------------------- */

static void merge_octaves(struct mt_statistics *self, uint64_t **octaves,
                          uint64_t *const *other_octaves)
{
    for (size_t i = 0; i < MT_STATISTICS_OCTAVES; i++) {
        if (other_octaves[i] == NULL)
            continue;
        uint64_t *counts = octave_of(octaves, i);
        if (counts == NULL) {
            self->is_short_memory = true;
            continue;
        }
        for (size_t step = 0; step < MT_STATISTICS_STEPS; step++)
            counts[step] += other_octaves[i][step];
    }
}

static void merge_errors(struct mt_statistics *self, const struct mt_statistics *other)
{
    self->instants += other->instants;
    if (other->readings == 0)
        return;
    bool is_first = self->readings == 0;
    double n = (double)self->readings;
    double m = (double)other->readings;
    double apart = other->mean_ns - self->mean_ns;
    self->mean_ns = is_first ? other->mean_ns : self->mean_ns + apart * (m / (n + m));
    self->squares_ns2 += other->squares_ns2 + apart * apart * (n * m / (n + m));
    self->readings += other->readings;
    if (is_first || other->low_ns < self->low_ns)
        self->low_ns = other->low_ns;
    if (is_first || other->high_ns > self->high_ns)
        self->high_ns = other->high_ns;
    if (is_first || other->max_ns > self->max_ns) {
        self->max_ns = other->max_ns;
        self->max_seed = other->max_seed;
        self->max_t_ns = other->max_t_ns;
    }
    if (is_first || other->worst_rms_ns > self->worst_rms_ns) {
        self->worst_rms_ns = other->worst_rms_ns;
        self->worst_seed = other->worst_seed;
    }
    merge_octaves(self, self->above, other->above);
    merge_octaves(self, self->below, other->below);
}

static void merge_bounds(struct mt_statistics *self, const struct mt_statistics *other)
{
    if (other->with_bound == 0)
        return;
    self->with_bound += other->with_bound;
    self->outside += other->outside;
    double share = (double)other->with_bound / (double)self->with_bound;
    self->bound_mean_ns += (other->bound_mean_ns - self->bound_mean_ns) * share;
    if (other->bound_max_ns > self->bound_max_ns)
        self->bound_max_ns = other->bound_max_ns;
}

static void merge_synchronisation(struct mt_statistics *self, const struct mt_statistics *other)
{
    self->synchronised += other->synchronised;
    self->after_sum_s += other->after_sum_s;
    if (other->after_max_s > self->after_max_s)
        self->after_max_s = other->after_max_s;
    self->losses += other->losses;
    self->lost_s += other->lost_s;
    if (other->lost_max_s > self->lost_max_s)
        self->lost_max_s = other->lost_max_s;
}

static void start_pool(struct mt_statistics *self, const struct mt_statistics *other)
{
    self->plan = other->plan;
    self->columns = calloc(MT_STATISTICS_COLUMNS, sizeof *self->columns);
    if (self->columns == NULL) {
        self->is_short_memory = true;
        return;
    }
    memcpy(self->columns, other->columns, other->column_count * sizeof *self->columns);
    self->column_count = other->column_count;
    self->column_readings = other->column_readings;
}

void mt_statistics_merge(struct mt_statistics *self, const struct mt_statistics *other)
{
    if (self->seeds == 0)
        start_pool(self, other);
    self->seeds += other->seeds;
    if (other->is_short_memory)
        self->is_short_memory = true;
    merge_errors(self, other);
    merge_bounds(self, other);
    merge_synchronisation(self, other);
    if (other->has_curves) {
        self->has_curves = true;
        mt_stability_merge(&self->stability, &other->stability);
        mt_masks_merge(&self->masks, &other->masks);
    }
}

/* ---- results --------------------------------------------------------------------------------- */

static uint64_t counted(const struct mt_statistics *self, size_t octave, size_t step)
{
    uint64_t count = self->above[octave] == NULL ? 0 : self->above[octave][step];
    return count + (self->below[octave] == NULL ? 0 : self->below[octave][step]);
}

/** The size that at least 99 % do not exceed. */
static double p99_ns(const struct mt_statistics *self)
{
    uint64_t wanted = self->readings - self->readings / 100;
    uint64_t seen = 0;
    for (size_t octave = 0; octave < MT_STATISTICS_OCTAVES; octave++) {
        for (size_t step = 0; step < MT_STATISTICS_STEPS; step++) {
            seen += counted(self, octave, step);
            if (seen >= wanted)
                return size_of(octave, step) < self->max_ns ? size_of(octave, step) : self->max_ns;
        }
    }
    return self->max_ns;
}

static void get_synchronisation(const struct mt_statistics *self,
                                struct mt_statistics_figures *figures)
{
    figures->seeds = self->seeds;
    figures->seeds_synchronised = self->synchronised;
    figures->has_synchronised = self->seeds > 0 && self->synchronised == self->seeds;
    if (self->synchronised > 0)
        figures->synchronise_mean_s = self->after_sum_s / self->synchronised;
    figures->synchronise_max_s = self->after_max_s;
    figures->losses = self->losses;
    figures->lost_s = self->lost_s;
    figures->lost_max_s = self->lost_max_s;
}

static void get_bounds(const struct mt_statistics *self, struct mt_statistics_figures *figures)
{
    figures->instants = self->instants;
    figures->with_bound = self->with_bound;
    figures->outside = self->outside;
    if (self->with_bound > 0)
        figures->inside_share = 1 - (double)self->outside / (double)self->with_bound;
    figures->bound_mean_ns = self->bound_mean_ns;
    figures->bound_max_ns = self->bound_max_ns;
}

void mt_statistics_get(const struct mt_statistics *self, struct mt_statistics_figures *ret_figures)
{
    struct mt_statistics_figures figures = {0};
    get_synchronisation(self, &figures);
    get_bounds(self, &figures);
    figures.readings = self->readings;
    if (self->readings > 0) {
        figures.mean_ns = self->mean_ns;
        figures.deviation_ns = sqrt(self->squares_ns2 / (double)self->readings);
        figures.rms_ns = rms_ns(self);
        figures.p99_ns = p99_ns(self);
        figures.max_ns = self->max_ns;
        figures.low_ns = self->low_ns;
        figures.high_ns = self->high_ns;
        figures.worst_rms_ns = self->worst_rms_ns;
        figures.worst_seed = self->worst_seed;
        figures.max_seed = self->max_seed;
        figures.max_at_s = (double)self->max_t_ns / NS_PER_S;
    }
    *ret_figures = figures;
}

uint32_t mt_statistics_series_limit(uint64_t bytes, size_t nodes, uint64_t readings)
{
    uint64_t values = nodes == 0 ? 0 : bytes / nodes / sizeof(double);
    uint64_t limit = MT_STATISTICS_SERIES_LEAST;
    if (values < limit)
        return 0;
    while (limit * 2 <= values && limit < readings && limit < (UINT32_C(1) << 31))
        limit *= 2;
    return (uint32_t)limit;
}
