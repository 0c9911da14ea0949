/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A weighted straight line through the last readings, of which there are some four seconds: long
 * enough to average what the bus does to a reading, short against the wander of the oscillators.
 * The line is anchored at the newest reading; everything is counted from there, so that doubles
 * hold it (seconds at most, a thousandth of a nanosecond).
 *
 * Each reading says with certainty that the two clocks were within its window.  The line may be
 * wrong by the smallest sum of a reading's window and its distance from the line; of readings long
 * ago that is worth less, so the age counts with what the rate may be wrong by.
 */
#include "platform/linux/linux_phc_track.h"

#include <string.h>

#define NEEDED_SPAN_S  0.2  /* shorter ones tell nothing of the rate */
#define NOISE_NS       20.0 /* even the tightest reading has this much */
#define DRIFT          1e-7 /* s/s: by which the rate may be wrong once it is measured ... */
#define UNKNOWN_RATE   2e-4 /* ... and before that */
#define SURPRISE_NS    1000
#define SURPRISE_SHARE 5e-6

static const struct mt_phc_point *point_at(const struct mt_phc_track *self, unsigned back)
{
    return &self->points[(self->count - 1 - back) % MT_PHC_POINTS];
}

static unsigned points_held(const struct mt_phc_track *self)
{
    return self->count < MT_PHC_POINTS ? self->count : MT_PHC_POINTS;
}

static int64_t rounded(double value)
{
    return (int64_t)(value < 0 ? value - 0.5 : value + 0.5);
}

void mt_phc_track_init(struct mt_phc_track *self)
{
    memset(self, 0, sizeof *self);
}

static double span_s(const struct mt_phc_track *self)
{
    unsigned held = points_held(self);

    return held < 2
               ? 0
               : (double)(point_at(self, 0)->base_ns - point_at(self, held - 1)->base_ns) / 1e9;
}

/* how far a reading is off the line, ns */
static double residual(const struct mt_phc_track *self, const struct mt_phc_point *point)
{
    int64_t elapsed_ns = point->base_ns - self->base_ns;

    return (double)(point->device_ns - self->device_ns - elapsed_ns) - self->frac_ns -
           (double)elapsed_ns * self->rate;
}

static double doubt_of_rate(const struct mt_phc_track *self)
{
    return span_s(self) < NEEDED_SPAN_S ? UNKNOWN_RATE : DRIFT;
}

static void set_window(struct mt_phc_track *self)
{
    double best = 1e18;

    for (unsigned i = 0; i < points_held(self); i++) {
        const struct mt_phc_point *point = point_at(self, i);
        double off = residual(self, point);
        double doubt = (double)point->window_ns + (off < 0 ? -off : off) +
                       (double)(self->base_ns - point->base_ns) * doubt_of_rate(self);

        best = doubt < best ? doubt : best;
    }
    self->window_ns = (int64_t)best + 1;
}

struct sums {
    double w, x, y, xx, xy;
};

static struct sums sum_up(const struct mt_phc_track *self)
{
    struct sums sums = {0, 0, 0, 0, 0};

    for (unsigned i = 0; i < points_held(self); i++) {
        const struct mt_phc_point *point = point_at(self, i);
        double noise = (double)point->window_ns + NOISE_NS;
        double w = 1 / (noise * noise);
        double x = (double)(point->base_ns - self->base_ns);
        double y = (double)(point->device_ns - self->device_ns) - x;

        sums.w += w;
        sums.x += w * x;
        sums.y += w * y;
        sums.xx += w * x * x;
        sums.xy += w * x * y;
    }
    return sums;
}

static void fit(struct mt_phc_track *self)
{
    struct sums sums;
    double spread;

    self->base_ns = point_at(self, 0)->base_ns;
    self->device_ns = point_at(self, 0)->device_ns;
    sums = sum_up(self);
    spread = sums.w * sums.xx - sums.x * sums.x;
    if (span_s(self) >= NEEDED_SPAN_S && spread > 0) {
        self->rate = (sums.w * sums.xy - sums.x * sums.y) / spread;
    }
    self->frac_ns = (sums.y - self->rate * sums.x) / sums.w;
    set_window(self);
}

int64_t mt_phc_track_surprise(const struct mt_phc_track *self, const struct mt_phc_point *point)
{
    double off;
    double allowed;

    if (self->count == 0) {
        return 0;
    }
    off = residual(self, point);
    allowed = (double)(point->window_ns + self->window_ns + SURPRISE_NS) +
              (double)(point->base_ns - self->base_ns) * (doubt_of_rate(self) + SURPRISE_SHARE);
    return off > allowed || off < -allowed
               ? point->device_ns - mt_phc_track_device(self, point->base_ns)
               : 0;
}

void mt_phc_track_add(struct mt_phc_track *self, const struct mt_phc_point *point)
{
    if (self->count == 2 * MT_PHC_POINTS) { /* the place in the ring stays the same */
        self->count = MT_PHC_POINTS;
    }
    self->points[self->count % MT_PHC_POINTS] = *point;
    self->count++;
    fit(self);
}

void mt_phc_track_corrected(struct mt_phc_track *self, int64_t base_ns, int64_t step_ns,
                            double ratio)
{
    for (unsigned i = 0; i < points_held(self); i++) {
        struct mt_phc_point *point = &self->points[(self->count - 1 - i) % MT_PHC_POINTS];

        point->device_ns += step_ns + rounded((double)(point->base_ns - base_ns) * ratio);
    }
    self->device_ns += step_ns + rounded((double)(self->base_ns - base_ns) * ratio);
    self->rate += ratio;
}

bool mt_phc_track_knows_rate(const struct mt_phc_track *self)
{
    return span_s(self) >= NEEDED_SPAN_S;
}

bool mt_phc_track_is_ready(const struct mt_phc_track *self)
{
    return self->count > 0;
}

int64_t mt_phc_track_device(const struct mt_phc_track *self, int64_t base_ns)
{
    int64_t elapsed_ns = base_ns - self->base_ns;

    return self->device_ns + elapsed_ns + rounded(self->frac_ns + (double)elapsed_ns * self->rate);
}

int64_t mt_phc_track_base(const struct mt_phc_track *self, int64_t device_ns)
{
    int64_t elapsed_ns = device_ns - self->device_ns;
    double gained_ns = ((double)elapsed_ns * self->rate + self->frac_ns) / (1 + self->rate);

    return self->base_ns + elapsed_ns - rounded(gained_ns);
}

int64_t mt_phc_track_window(const struct mt_phc_track *self, int64_t base_ns)
{
    int64_t age_ns = base_ns > self->base_ns ? base_ns - self->base_ns : self->base_ns - base_ns;

    return self->window_ns + (int64_t)((double)age_ns * doubt_of_rate(self)) + 1;
}
