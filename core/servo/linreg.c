/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Linear regression: a line through the last 4, 8, 16, 32 and 64 offsets each.
 *
 * The points are kept as the clock is now: each correction moves them (core/steer/history.c says
 * how), so a line is that of the clock left alone.  Each line predicts every new point before it
 * takes it in; its mean error decides: of those that are within 5 % of the best the longest one is
 * followed.  The slope is taken off the rate at once, what the line says of the offset within 1
 * to 3 intervals.
 */
#include "meantime/servo_laws.h"

#define SMALLEST    4u
#define FORGETTING  MT_REAL(0.02) /* weight of the newest error in the mean one */
#define PROOF       10            /* predictions before the error counts */
#define NEARLY_BEST MT_REAL(1.05)

void mt_linreg_init(struct mt_linreg *self)
{
    *self = (struct mt_linreg){.count = 0};
}

/* the point so many before the newest */
static const struct mt_linreg_point *point_before(const struct mt_linreg *self, unsigned back)
{
    return &self->points[(self->next + 2u * MT_LINREG_POINTS - 1 - back) % MT_LINREG_POINTS];
}

static void predict(struct mt_linreg *self, const struct mt_law_input *input)
{
    for (unsigned i = 0; i < MT_LINREG_WINDOWS && self->count >= SMALLEST << i; i++) {
        struct mt_linreg_window *window = &self->windows[i];
        mt_real error = mt_real_abs(window->offset + window->gain * input->elapsed - input->offset);

        if (window->predictions == 0) {
            window->error = error;
        }
        window->error += FORGETTING * (error - window->error);
        if (window->predictions < PROOF) {
            window->predictions++;
        }
    }
}

static void add_point(struct mt_linreg *self, const struct mt_law_input *input)
{
    for (unsigned i = 0; i < MT_LINREG_POINTS; i++) {
        self->points[i].at -= input->elapsed;
    }
    self->points[self->next] = (struct mt_linreg_point){0, input->offset};
    self->next = (uint8_t)((self->next + 1) % MT_LINREG_POINTS);
    if (self->count < MT_LINREG_POINTS) {
        self->count++;
    }
}

/* least squares about the mean, which keeps the digits */
static void fit(const struct mt_linreg *self, unsigned size, struct mt_linreg_window *window)
{
    mt_real at = 0;
    mt_real offset = 0;
    mt_real squares = 0;
    mt_real products = 0;

    for (unsigned i = 0; i < size; i++) {
        at += point_before(self, i)->at;
        offset += point_before(self, i)->offset;
    }
    at /= (mt_real)size;
    offset /= (mt_real)size;
    for (unsigned i = 0; i < size; i++) {
        const struct mt_linreg_point *point = point_before(self, i);

        squares += (point->at - at) * (point->at - at);
        products += (point->at - at) * (point->offset - offset);
    }
    window->gain = squares > 0 ? products / squares : 0;
    window->offset = offset - window->gain * at;
}

static unsigned choose(const struct mt_linreg *self)
{
    unsigned chosen = 0;
    mt_real best = 0;
    bool has_best = false;

    for (unsigned i = 0; i < MT_LINREG_WINDOWS; i++) {
        const struct mt_linreg_window *window = &self->windows[i];

        if (window->predictions >= PROOF && (!has_best || window->error < best)) {
            best = window->error;
            has_best = true;
        }
    }
    for (unsigned i = 0; i < MT_LINREG_WINDOWS; i++) {
        const struct mt_linreg_window *window = &self->windows[i];

        if (window->predictions >= PROOF && window->error <= NEARLY_BEST * best) {
            chosen = i;
        }
    }
    return chosen;
}

enum mt_law_answer mt_linreg_update(struct mt_linreg *self, const struct mt_law_input *input,
                                    mt_real *ret_rate)
{
    static const uint8_t spread[MT_LINREG_WINDOWS] = {1, 1, 1, 2, 3};
    bool is_start = self->count < SMALLEST;
    const struct mt_linreg_window *window;
    unsigned chosen;
    mt_real even;

    if (!is_start && input->is_large) {
        mt_linreg_init(self);
        is_start = true;
    }
    predict(self, input);
    add_point(self, input);
    if (self->count < SMALLEST) {
        return MT_LAW_WAITS;
    }
    for (unsigned i = 0; i < MT_LINREG_WINDOWS && self->count >= SMALLEST << i; i++) {
        fit(self, SMALLEST << i, &self->windows[i]);
    }
    chosen = choose(self);
    window = &self->windows[chosen];
    even = input->rate - window->gain * (1 + input->rate);
    *ret_rate = even;
    if (!is_start || !input->is_large) {
        *ret_rate -= window->offset / ((mt_real)spread[chosen] * input->interval);
    }
    *ret_rate = mt_real_clamp(*ret_rate, -input->max_rate, input->max_rate);
    return is_start ? MT_LAW_JUMPS : MT_LAW_RUNS;
}

void mt_linreg_stepped(struct mt_linreg *self, mt_real step)
{
    for (unsigned i = 0; i < MT_LINREG_POINTS; i++) {
        self->points[i].offset += step;
    }
    for (unsigned i = 0; i < MT_LINREG_WINDOWS; i++) {
        self->windows[i].offset += step;
    }
}

void mt_linreg_rate_changed(struct mt_linreg *self, mt_real ratio, mt_real since)
{
    for (unsigned i = 0; i < MT_LINREG_POINTS; i++) {
        struct mt_linreg_point *point = &self->points[i];

        point->offset += (point->at - since) * ratio;
        point->at += point->at * ratio;
    }
    for (unsigned i = 0; i < MT_LINREG_WINDOWS; i++) {
        struct mt_linreg_window *window = &self->windows[i];

        window->offset -= since * ratio;
        window->gain = (window->gain + ratio) / (1 + ratio);
    }
}
