/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The single checks, beside the matrix.  Each runs seed after seed and prints one record for each;
 * what the figures must be is run.py's business.
 *
 *     wide      settles 100 intervals after the first complete pair, whatever the oscillator and
 *               the path are like
 *     shape     noise of another shape than those that the estimator knows
 *     saturate  the oscillator warms up until the clock's range does not suffice, and cools down
 *     cold      from nothing to a microsecond and to 100 ns
 *     change    another grandmaster takes over
 *     holdover  all traffic is lost
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "kalman.h"

#define SETTLE_INTERVALS 100
#define STEADY_INTERVALS 50  /* after which the perfect filter has forgotten how it began */
#define TURN             128 /* th of an interval, in which time that may not jump turns */
#define COLD_S           60  /* that are watched */
#define COLD_COARSE_NS   1000
#define COLD_FINE_NS     100
#define PER_KELVIN       1e-6
#define WARMER_K         100
#define WARM_S           1000
#define STAY_S           300

struct check {
    const struct job *job;
    struct line line;
    struct kalman kalman;
    double before_ns2; /* variance of the filter, just before the last message */
    int64_t number;    /* of the reading */
    struct line_reading reading;
};

static void take(struct check *self, const struct line_message *message)
{
    self->before_ns2 = kalman_variance_ns2(&self->kalman, message->at_s);
    kalman_update(&self->kalman, message->at_s, message->value_ns, message->is_forward);
}

/* the next reading; false: there is no page yet, or the time is over */
static bool step(struct check *self, double end_s)
{
    struct line_message message;

    do {
        if (line_seconds(&self->line) >= end_s) {
            return false;
        }
        line_run_to(&self->line, ++self->number);
        while (line_next_message(&self->line, &message)) {
            take(self, &message);
        }
    } while (!line_read(&self->line, 1, &self->reading));
    return true;
}

static bool is_outside(const struct check *self)
{
    return self->reading.bound_ns >= 0 && fabs(self->reading.error_ns) > self->reading.bound_ns;
}

/* ---- wide and saturate ----------------------------------------------------------------------- */

struct settling {
    double readings;
    double instants;
    double variances; /* of the filter that knows everything */
    double beyond;    /* 5 J + 3 of its sigma: the mean, or the present one where that is more */
    double clock_beyond;
    double perfect_beyond; /* of that filter itself */
    double worst;          /* error / that */
    double perfect_worst;
    double outside;
    double saturated;
};

/* The filter jumps with each message.  Published time may not: for a short while after a message it
 * may be as wrong as the filter was before. */
static double present_variance_ns2(const struct check *self)
{
    double now_s = line_seconds(&self->line);
    double variance = kalman_variance_ns2(&self->kalman, now_s);
    bool is_turning = (now_s - self->kalman.at_s) * TURN < line_interval_s(&self->job->plan);

    return is_turning ? fmax(variance, self->before_ns2) : variance;
}

static void see_steady(const struct check *self, struct settling *settling)
{
    settling->instants++;
    settling->variances += kalman_variance_ns2(&self->kalman, line_seconds(&self->line));
}

static void see_settled(const struct check *self, struct settling *settling)
{
    double now_s = line_seconds(&self->line);

    see_steady(self, settling);
    double variance = fmax(present_variance_ns2(self), settling->variances / settling->instants);
    double limit = 5 * self->job->plan.jitter_ns + 3 * sqrt(variance);
    double ratio = fabs(self->reading.error_ns) / limit;
    double perfect =
        fabs(kalman_offset_ns(&self->kalman, now_s) - line_gain_ns(&self->line)) / limit;

    settling->readings++;
    settling->beyond += ratio > 1;
    settling->clock_beyond += fabs(self->reading.clock_error_ns) > limit;
    settling->perfect_beyond += perfect > 1;
    settling->worst = fmax(settling->worst, ratio);
    settling->perfect_worst = fmax(settling->perfect_worst, perfect);
    settling->saturated += self->reading.is_saturated;
}

static void print_settling(const struct check *self, const struct settling *settling)
{
    printf("{\"readings\":%.0f,\"beyond\":%.0f,\"clock_beyond\":%.0f,\"worst\":%.4g,"
           "\"perfect_beyond\":%.0f,\"perfect_worst\":%.4g,"
           "\"outside\":%.0f,\"saturated\":%.0f,\"steps\":%u}",
           settling->readings, settling->beyond, settling->clock_beyond, settling->worst,
           settling->perfect_beyond, settling->perfect_worst, settling->outside,
           settling->saturated, self->line.steps);
}

static bool is_past(const struct check *self, double since_s, double intervals)
{
    double past_s = since_s + intervals * line_interval_s(&self->job->plan);

    return since_s >= 0 && line_seconds(&self->line) > past_s;
}

static bool is_settled(const struct check *self, double since_s)
{
    return is_past(self, since_s, SETTLE_INTERVALS);
}

static void wide(struct check *self)
{
    struct settling settling = {0};

    while (step(self, self->job->seconds)) {
        if (is_settled(self, self->line.paired_s)) {
            settling.outside += is_outside(self);
            see_settled(self, &settling);
        } else if (is_past(self, self->line.paired_s, STEADY_INTERVALS)) {
            see_steady(self, &settling);
        }
    }
    print_settling(self, &settling);
}

/* nothing but whether the bound holds, and how wide it is */
static void shape(struct check *self)
{
    double readings = 0;
    double outside = 0;
    double error = 0;
    double bound = 0;

    while (step(self, self->job->seconds)) {
        if (self->reading.bound_ns >= 0 && line_seconds(&self->line) > self->job->discard_s) {
            readings++;
            outside += is_outside(self);
            error += self->reading.error_ns;
            bound += self->reading.bound_ns;
        }
    }
    printf("{\"readings\":%.0f,\"outside\":%.0f,\"mean_ns\":%.6g,\"bound_ns\":%.6g}", readings,
           outside, error / readings, bound / readings);
}

/* lets the time pass to `end_s`; readings that say saturated are counted in `told` */
static void pass(struct check *self, double end_s, struct settling *told)
{
    while (step(self, end_s)) {
        told->readings++;
        told->saturated += self->reading.is_saturated;
        told->outside += is_settled(self, self->line.paired_s) && is_outside(self);
    }
}

/* It warms up beyond the range, stays there, and cools down again. */
static void saturate(struct check *self)
{
    const struct job *job = self->job;
    struct mt_world *world = self->line.world;
    struct settling way = {0};
    struct settling beyond = {0};
    struct settling after = {0};
    double now_s = job->discard_s;

    mt_world_node_config(world, 1)->temperature_coefficient = PER_KELVIN;
    pass(self, now_s, &way);
    mt_world_set_temperature(world, 1, WARMER_K, (int64_t)(WARM_S * 1e9));
    pass(self, now_s += WARM_S, &way);
    pass(self, now_s += STAY_S, &beyond);
    mt_world_set_temperature(world, 1, 0, (int64_t)(WARM_S * 1e9));
    pass(self, now_s += WARM_S, &way);
    self->kalman.p[2] += 1e6; /* the filter that knows everything did not know of that */
    while (step(self, job->seconds)) {
        after.outside += is_outside(self);
        if (is_settled(self, now_s)) {
            see_settled(self, &after);
        }
    }
    after.outside += way.outside + beyond.outside;
    printf("{\"saturated_share\":%.4g,\"clock_error_ns\":%.4g,\"after\":",
           beyond.saturated / beyond.readings, fabs(self->reading.clock_error_ns));
    print_settling(self, &after);
    printf("}");
}

/* ---- cold ------------------------------------------------------------------------------------ */

static void cold(struct check *self)
{
    double coarse_s = 0;
    double fine_s = 0;

    while (step(self, self->line.paired_s < 0 ? 100 : self->line.paired_s + COLD_S)) {
        double since_s = line_seconds(&self->line) - self->line.paired_s;
        double size = fabs(self->reading.error_ns);

        if (self->line.paired_s >= 0) {
            coarse_s = size >= COLD_COARSE_NS ? since_s : coarse_s;
            fine_s = size >= COLD_FINE_NS ? since_s : fine_s;
        }
    }
    printf("{\"paired_s\":%.3f,\"coarse_s\":%.3f,\"fine_s\":%.3f,\"steps\":%u}",
           self->line.paired_s, coarse_s, fine_s, self->line.steps);
}

/* ---- change ---------------------------------------------------------------------------------- */

/* A better grandmaster comes, or the present one goes and there is a worse one. */
static void change(struct check *self)
{
    const struct job *job = self->job;
    bool is_better = job->plan.rival < 100;
    double squares = 0;
    double readings = 0;
    double outside = 0;
    const char *comma = "";

    if (!is_better) {
        line_boot_rival(&self->line);
    }
    while (step(self, job->discard_s)) {
        if (line_seconds(&self->line) > job->discard_s / 2) {
            squares += self->reading.error_ns * self->reading.error_ns;
            readings++;
        }
    }
    if (is_better) {
        line_boot_rival(&self->line);
    } else {
        line_kill_grandmaster(&self->line);
    }
    self->line.silence_s = 0;
    printf("{\"steady\":%.6g,\"readings\":%.0f,\"errors\":[", squares, readings);
    while (step(self, job->seconds)) {
        printf("%s%.4g", comma, self->reading.error_ns);
        outside += is_outside(self);
        comma = ",";
    }
    printf("],\"outside\":%.0f,\"steps\":%u,\"silence_s\":%.3f}", outside, self->line.steps,
           self->line.silence_s);
}

/* ---- holdover -------------------------------------------------------------------------------- */

/* 5 sigma of the prediction: what of the bound is the oscillator's learned wander */
static double wander_part_ns(const struct check *self)
{
    const struct mt_node_clock *clock = &self->line.nodes[1].composition->node.clocks[0];
    struct mt_clock_reading reading;
    struct mt_clock_quality_report report;

    clock->hal->ops->read(clock->hal, &reading);
    mt_discipline_report(&clock->discipline, reading.local.at, &report);
    return 5e9 * report.estimate.offset_sigma;
}

static void holdover(struct check *self)
{
    const struct job *job = self->job;

    while (step(self, job->discard_s)) {
    }
    double bound_ns = self->reading.bound_ns;
    double part_ns = wander_part_ns(self);
    mt_world_segment_config(self->line.world, self->line.cables[0])->loss = 1;
    line_run_to(&self->line,
                (int64_t)(job->seconds / line_interval_s(&job->plan) * READINGS_PER_SYNC));
    line_read(&self->line, 1, &self->reading);
    printf(
        "{\"error\":%.6g,\"bound\":%.6g,\"bound_before\":%.6g,\"wander_part\":%.6g,\"state\":%d}",
        self->reading.error_ns, self->reading.bound_ns, bound_ns, wander_part_ns(self) - part_ns,
        (int)self->reading.state);
}

/* ---------------------------------------------------------------------------------------------- */

static void run(const struct job *job, uint64_t seed, void (*check)(struct check *self))
{
    struct line_plan plan = job->plan;
    struct check *self = calloc(1, sizeof *self);
    double delay_ns = plan.delay_ns;

    if (self == NULL) {
        line_give_up("check", "out of memory");
    }
    plan.seed = seed;
    self->job = job;
    delay_ns += plan.noise == MT_SIM_JITTER_EXPONENTIAL ? plan.jitter_ns : 0;
    kalman_init(&self->kalman, plan.wander, plan.jitter_ns, delay_ns);
    line_open(&self->line, &plan, true);
    check(self);
    line_close(&self->line);
    free(self);
}

bool job_check(const char *name, const struct job *job)
{
    static const struct {
        const char *name;
        void (*run)(struct check *self);
    } checks[] = {{"wide", wide}, {"shape", shape},   {"saturate", saturate},
                  {"cold", cold}, {"change", change}, {"holdover", holdover}};

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (strcmp(name, checks[i].name) == 0) {
            for (unsigned seed = 0; seed < job->seeds; seed++) {
                printf("%s", seed > 0 ? ",\n" : "[");
                run(job, job->plan.seed + seed, checks[i].run);
            }
            printf("]\n");
            return true;
        }
    }
    return false;
}
