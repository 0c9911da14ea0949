/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The closed loop, event by event: forward sample, reverse sample, arrival of an answer, deadline
 * of the discipline, reading.  Between events the oscillator is advanced exactly (random walk of
 * frequency and its integral, two normal numbers a step).
 */
#include "servo_world.h"

#include <string.h>

#define READINGS 8
#define EPOCH_S  1700000000

double world_uniform(struct world *world)
{
    return (mt_prng_next_u32(&world->prng) + 0.5) / 4294967296.0;
}

/* polar method: only log and square root */
double world_normal(struct world *world)
{
    double a;
    double b;
    double s;

    if (world->has_spare) {
        world->has_spare = false;
        return world->spare;
    }
    do {
        a = 2 * world_uniform(world) - 1;
        b = 2 * world_uniform(world) - 1;
        s = a * a + b * b;
    } while (s >= 1);
    s = mt_real_sqrt(-2 * mt_real_log(s) / s);
    world->spare = b * s;
    world->has_spare = true;
    return a * s;
}

static double noise(struct world *world, double jitter)
{
    double drawn = 0;

    switch (world->noise) {
    case WORLD_NORMAL:
        drawn = jitter * world_normal(world);
        break;
    case WORLD_EXPONENTIAL:
        drawn = jitter * (-mt_real_log(world_uniform(world)) - 1);
        break;
    case WORLD_HEAVY:
        drawn = jitter * world_normal(world) * (world_uniform(world) < 0.1 ? 10 : 1);
        break;
    }
    if (world->outliers > 0 && world_uniform(world) < world->outliers) {
        drawn += 10e-6 * mt_real_exp(6.2 * world_uniform(world)); /* 10 us to 5 ms */
    }
    return drawn;
}

void world_init(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    mt_prng_init(&world->prng, seed);
    world->interval = 1;
    world->delay[0] = world->delay[1] = 10e-6;
    world->jitter[0] = world->jitter[1] = 100e-9;
    world->wander = 1e-9;
    world->has_forward = true;
    world->has_reverse = true;
    world->source_scale = MT_SCALE_TAI;
    world->source_bound = MT_INTERVAL_TOO_LARGE;
    world->reference_bound = MT_INTERVAL_TOO_LARGE;
    world->scale = MT_SCALE_TAI;
    world->locked_at = -1;
    world->hash = 0xcbf29ce484222325u;
}

void world_start(struct world *world, const struct mt_steer_config *config)
{
    struct mt_steer_config defaults;

    mt_steer_config_init(&defaults);
    mt_discipline_init(&world->discipline, config ? config : &defaults, world->sources,
                       WORLD_SOURCES, world->scale, world->corrections, 0, false);
    world->next_reverse = 0.05 * world->interval;
    mt_discipline_reset_source(&world->discipline, 0);
    mt_discipline_select(&world->discipline, 0, world_now(world));
}

double world_offset(const struct world *world)
{
    return mt_span_to_real(world->base) + world->offset;
}

struct mt_mono world_now(const struct world *world)
{
    return (struct mt_mono){(int64_t)(world->t * 1e9)};
}

/* the reference's time */
static struct mt_instant true_time(const struct world *world)
{
    struct mt_instant epoch = {EPOCH_S, 0, 0, world->scale};

    return mt_instant_plus(epoch, mt_span_from_real(world->t));
}

struct mt_instant world_local(const struct world *world)
{
    return mt_instant_plus(true_time(world),
                           mt_span_plus(world->base, mt_span_from_real(world->offset)));
}

/* the lowest octet first, whichever lies first here */
static void mix(struct world *world, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) {
        world->hash = (world->hash ^ (bits & 0xFF)) * 0x100000001b3u;
        bits >>= 8;
    }
}

static void advance(struct world *world, double t)
{
    double dt = t - world->t;
    double a;
    double b;
    double root;

    if (dt <= 0) {
        return;
    }
    a = world_normal(world);
    b = world_normal(world);
    root = mt_real_sqrt(dt);
    world->offset += ((1 + world->frequency) * (1 + world->rate) - 1) * dt +
                     world->wander * dt * root * (a / 2 + b / 3.4641016151377544);
    world->frequency += world->wander * root * a;
    world->t = t;
}

static void apply(struct world *world, const struct mt_correction *correction)
{
    struct mt_applied applied = {.kind = correction->kind, .is_refused = world->refuses};

    world->refusals += world->refuses;
    if (!world->refuses) {
        world->corrections++;
        world->sums.corrections++;
        if (correction->kind == MT_CORRECT_STEP) {
            world->base = mt_span_plus(world->base, correction->step);
            world->scale = correction->scale;
            applied.step = correction->step;
            world->sums.steps++;
        } else {
            double grain = world->rate_granularity;

            world->rate = correction->rate;
            if (grain > 0) {
                double rounded = world->rate / grain + (world->rate < 0 ? -0.5 : 0.5);

                world->rate = (double)(int64_t)rounded * grain;
            }
            applied.rate = world->rate;
            if (mt_real_abs(world->rate) > world->sums.rate_max) {
                world->sums.rate_max = mt_real_abs(world->rate);
            }
            mix(world, applied.rate);
        }
    }
    applied.at = world_local(world);
    applied.corrections = world->corrections;
    mt_discipline_applied(&world->discipline, &applied);
}

void world_drain(struct world *world)
{
    struct mt_correction correction;
    int limit = 10;

    while (limit-- > 0 && mt_discipline_next_correction(&world->discipline, &correction)) {
        apply(world, &correction);
    }
}

static void make(struct world *world, enum mt_sample_kind kind, struct mt_sample *sample)
{
    double sign = kind == MT_SAMPLE_REVERSE ? -1 : 1;
    double measured = world->delay[kind] + noise(world, world->jitter[kind]) -
                      sign * world->source_error[world->source];
    struct mt_span offset = mt_span_plus(world->base, mt_span_from_real(world->offset));

    if (kind == MT_SAMPLE_REVERSE) {
        offset = mt_span_negate(offset);
    }
    *sample = (struct mt_sample){
        .kind = kind,
        .local = {world_local(world), world->corrections},
        .value = mt_span_plus(offset, mt_span_from_real(measured)),
        .variance_q16 = world->variance_q16,
        .bound = world->source_bound,
        .scale = world->source_scale,
        .source = world->source,
        .reference_bound = world->reference_bound,
    };
    if (world->told_delay != 0) {
        sample->kind = MT_SAMPLE_OFFSET;
        sample->value = mt_span_minus(sample->value, mt_span_from_real(world->told_delay));
        sample->delay.q16 = (int64_t)(2e9 * 65536 * world->told_delay);
    }
    if (world->source_bound_age > 0) {
        sample->bound_since.ns = world_now(world).ns - (int64_t)(world->source_bound_age * 1e9);
    }
}

static void deliver(struct world *world, const struct mt_sample *sample)
{
    double innovation;

    world->last_verdict = mt_discipline_sample(&world->discipline, sample, world_now(world));
    world->verdicts[world->last_verdict]++;
    if (world->last_verdict == MT_SAMPLE_USED) {
        innovation = world->sources[sample->source].estimator.innovation;
        world->sums.innovation_squares += innovation * innovation;
        world->sums.innovation_count++;
    }
    world_drain(world);
    if (world->locked_at < 0 && world->discipline.phase == MT_STEER_LOCKED) {
        world->locked_at = world->t;
    }
}

static void forward(struct world *world)
{
    struct mt_sample sample;

    if (world->has_forward) {
        make(world, MT_SAMPLE_FORWARD, &sample);
        deliver(world, &sample);
    }
    world->next_forward += world->interval;
}

static void reverse(struct world *world)
{
    struct world_pending *slot = &world->pending[world->pending_count];

    if (world->has_reverse && world->pending_count < WORLD_PENDING) {
        make(world, MT_SAMPLE_REVERSE, &slot->sample);
        slot->due = world->t + world->response + world->delay[0] + world->delay[1];
        world->pending_count++;
    }
    world->next_reverse += world->interval * (world->is_random ? 2 * world_uniform(world) : 1);
}

static void read_clock(struct world *world)
{
    struct world_sums *sums = &world->sums;
    struct mt_clock_quality_report report;
    double offset = world_offset(world) - world->source_error[world->source];
    double bound;

    world->next_reading +=
        world->reading_interval > 0 ? world->reading_interval : world->interval / READINGS;
    sums->count++;
    sums->clock_sum += offset;
    sums->clock_squares += offset * offset;
    if (mt_real_abs(offset) > sums->clock_max) {
        sums->clock_max = mt_real_abs(offset);
    }
    mt_discipline_report(&world->discipline, world_local(world), &report);
    if (report.reference != MT_BOUND_NONE) {
        bound = (double)report.bound.q16 / 65536e9;
        sums->bound_sum += bound;
        sums->bound_max = bound > sums->bound_max ? bound : sums->bound_max;
        sums->outside_bound += mt_real_abs(offset) > bound;
    }
    if (report.has_estimate) {
        double error = mt_span_to_real(report.estimate.offset) - offset;

        mix(world, report.estimate.offset_sigma);
        sums->estimate_squares += error * error;
        sums->estimate_sum += error;
        sums->estimate_count++;
    }
}

static void arrive(struct world *world, unsigned which)
{
    struct mt_sample sample = world->pending[which].sample;

    world->pending[which] = world->pending[--world->pending_count];
    deliver(world, &sample);
}

void world_run(struct world *world, double seconds)
{
    double end = world->t + seconds;

    for (;;) {
        double deadline = (double)mt_discipline_deadline(&world->discipline).ns * 1e-9 + 2e-9;
        double next = end;
        unsigned due = WORLD_PENDING;

        for (unsigned i = 0; i < world->pending_count; i++) {
            if (world->pending[i].due < next) {
                due = i;
                next = world->pending[i].due;
            }
        }
        if (world->next_forward < next || world->next_reverse < next ||
            world->next_reading < next || deadline < next) {
            due = WORLD_PENDING;
        }
        next = world->next_forward < next ? world->next_forward : next;
        next = world->next_reverse < next ? world->next_reverse : next;
        next = world->next_reading < next ? world->next_reading : next;
        next = deadline < next ? deadline : next;
        if (next >= end) {
            advance(world, end);
            return;
        }
        advance(world, next);
        if (due < WORLD_PENDING) {
            arrive(world, due);
        } else if (next == world->next_reading) {
            read_clock(world);
        } else if (next == world->next_forward) {
            forward(world);
        } else if (next == world->next_reverse) {
            reverse(world);
        } else {
            mt_discipline_tick(&world->discipline, world_now(world));
            world_drain(world);
        }
    }
}

void world_forget(struct world *world)
{
    memset(&world->sums, 0, sizeof world->sums);
}

double world_clock_rms(const struct world *world)
{
    return mt_real_sqrt(world->sums.clock_squares / world->sums.count);
}

double world_clock_sd(const struct world *world)
{
    double mean = world->sums.clock_sum / world->sums.count;

    return mt_real_sqrt(world->sums.clock_squares / world->sums.count - mean * mean);
}

double world_estimate_rms(const struct world *world)
{
    return mt_real_sqrt(world->sums.estimate_squares / world->sums.estimate_count);
}
