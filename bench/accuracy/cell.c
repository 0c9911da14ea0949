/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One cell, one seed: the estimator and the yardsticks see the same messages and are read at the
 * same instants.  Sums go into batches of equal length, from which the confidence interval of a
 * ratio is made.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "job.h"
#include "kalman.h"
#include "particle.h"

struct sums {
    double readings;
    double error;
    double squares;
    double max;
    double clock_squares;
    double bound;
    double outside;
    double unbounded;
    double unlocked;
    double kalman_squares;
    double kalman_variance;
    double particle_squares;
};

struct cell {
    const struct job *job;
    struct line line;
    struct kalman kalman;
    struct particle *particles;
    struct ramp ramp;
    double messages;
    double particle_seconds; /**< from here on they are used */
    struct sums total;
    struct sums batch[JOB_BATCHES];
};

static void take_message(struct cell *self, const struct line_message *message)
{
    const struct job *job = self->job;
    double jump_ns2 =
        kalman_update(&self->kalman, message->at_s, message->value_ns, message->is_forward);

    if (message->at_s >= job->discard_s) {
        ramp_add(&self->ramp, message->at_s, jump_ns2);
    }
    if (self->particles == NULL) {
        return;
    }
    if (self->particles->is_started) {
        particle_update(self->particles, message->at_s, message->value_ns, message->is_forward);
    } else if (message->at_s >= job->discard_s / 2) {
        particle_start(self->particles, &self->kalman);
    }
}

static void take_messages(struct cell *self)
{
    struct line_message message;

    while (line_next_message(&self->line, &message)) {
        self->messages++;
        if (self->job->has_kalman) {
            take_message(self, &message);
        }
    }
}

static void add_yardsticks(const struct cell *self, struct sums *sums, double gain_ns)
{
    double now_s = line_seconds(&self->line);

    if (self->job->has_kalman) {
        double error = kalman_offset_ns(&self->kalman, now_s) - gain_ns;

        sums->kalman_squares += error * error;
        sums->kalman_variance += kalman_variance_ns2(&self->kalman, now_s);
    }
    if (self->particles != NULL) {
        double error = particle_offset_ns(self->particles, now_s) - gain_ns;

        sums->particle_squares += error * error;
    }
}

static void add_reading(const struct cell *self, struct sums *sums,
                        const struct line_reading *reading, double gain_ns)
{
    double size = fabs(reading->error_ns);

    sums->readings++;
    sums->error += reading->error_ns;
    sums->squares += size * size;
    sums->max = size > sums->max ? size : sums->max;
    sums->clock_squares += reading->clock_error_ns * reading->clock_error_ns;
    sums->unlocked += reading->state != MT_CLOCK_LOCKED;
    if (reading->bound_ns >= 0) {
        sums->bound += reading->bound_ns;
        sums->outside += size > reading->bound_ns;
    } else {
        sums->unbounded++;
    }
    add_yardsticks(self, sums, gain_ns);
}

static void look(struct cell *self)
{
    const struct job *job = self->job;
    double share = (line_seconds(&self->line) - job->discard_s) / (job->seconds - job->discard_s);
    int batch = (int)(share * JOB_BATCHES);
    struct line_reading reading;

    if (share <= 0) {
        self->line.innovations = (struct line_innovations){0};
        self->line.steps = 0;
        return;
    }
    if (!line_read(&self->line, 1, &reading)) {
        line_give_up("page", "there is none after the time to settle");
    }
    double gain_ns = line_gain_ns(&self->line);
    add_reading(self, &self->batch[batch < JOB_BATCHES ? batch : JOB_BATCHES - 1], &reading,
                gain_ns);
}

static void add_batches(struct cell *self)
{
    struct sums *total = &self->total;

    for (int i = 0; i < JOB_BATCHES; i++) {
        const struct sums *batch = &self->batch[i];

        total->readings += batch->readings;
        total->error += batch->error;
        total->squares += batch->squares;
        total->max = batch->max > total->max ? batch->max : total->max;
        total->clock_squares += batch->clock_squares;
        total->bound += batch->bound;
        total->outside += batch->outside;
        total->unbounded += batch->unbounded;
        total->unlocked += batch->unlocked;
        total->kalman_squares += batch->kalman_squares;
        total->kalman_variance += batch->kalman_variance;
        total->particle_squares += batch->particle_squares;
    }
}

static void print(const struct cell *self)
{
    const struct sums *total = &self->total;
    const struct line_innovations *innovations = &self->line.innovations;

    printf("{\"readings\":%.0f,\"error\":%.9g,\"squares\":%.9g,\"max\":%.9g,"
           "\"clock_squares\":%.9g,\"bound\":%.9g,\"outside\":%.0f,\"unbounded\":%.0f,"
           "\"unlocked\":%.0f,\"kalman_squares\":%.9g,\"kalman_variance\":%.9g,"
           "\"ramp\":%.9g,\"particle_squares\":%.9g,\"messages\":%.0f,\"steps\":%u,",
           total->readings, total->error, total->squares, total->max, total->clock_squares,
           total->bound, total->outside, total->unbounded, total->unlocked, total->kalman_squares,
           total->kalman_variance, ramp_mean_square_ns2(&self->ramp), total->particle_squares,
           self->messages, self->line.steps);
    printf("\"innovations\":%.0f,\"innovation_squares\":%.9g,\"deciles\":[", innovations->count,
           innovations->squares);
    for (int i = 0; i < 10; i++) {
        printf("%s%.0f", i > 0 ? "," : "", innovations->deciles[i]);
    }
    printf("],\"rescued\":%lu,\"resampled\":%lu,\"batches\":[",
           self->particles != NULL ? self->particles->rescued : 0,
           self->particles != NULL ? self->particles->resampled : 0);
    for (int i = 0; i < JOB_BATCHES; i++) {
        const struct sums *batch = &self->batch[i];

        printf("%s[%.9g,%.9g,%.9g]", i > 0 ? "," : "", batch->squares, batch->kalman_squares,
               batch->particle_squares);
    }
    printf("]}\n");
}

static double mean_delay_ns(const struct line_plan *plan)
{
    return plan->delay_ns + (plan->noise == MT_SIM_JITTER_EXPONENTIAL ? plan->jitter_ns : 0);
}

static struct cell *open_cell(const struct job *job)
{
    const struct line_plan *plan = &job->plan;
    struct cell *self = calloc(1, sizeof *self);

    if (self == NULL) {
        line_give_up("cell", "out of memory");
    }
    self->job = job;
    kalman_init(&self->kalman, plan->wander, plan->jitter_ns, mean_delay_ns(plan));
    if (job->has_particles) {
        self->particles = malloc(sizeof *self->particles);
        if (self->particles == NULL) {
            line_give_up("particles", "out of memory");
        }
        particle_init(self->particles, plan->seed, plan->wander, plan->jitter_ns, plan->delay_ns);
    }
    line_open(&self->line, plan, true);
    return self;
}

void job_cell(const struct job *job)
{
    struct cell *self = open_cell(job);
    double step_s = line_interval_s(&job->plan) / READINGS_PER_SYNC;
    int64_t last = (int64_t)(job->seconds / step_s);

    for (int64_t i = 1; i <= last; i++) {
        line_run_to(&self->line, i);
        take_messages(self);
        look(self);
    }
    add_batches(self);
    print(self);
    line_close(&self->line);
    ramp_free(&self->ramp);
    free(self->particles);
    free(self);
}
