/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: bench-accuracy cell|refclock|chain|CHECK KEY=VALUE ...
 *
 * One measurement with one seed; run.py asks for many of them and judges.  Keys: see `keys`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

static bool set_number(struct job *job, const char *key, double value)
{
    struct line_plan *plan = &job->plan;
    const struct {
        const char *name;
        double *place;
    } keys[] = {
        {"jitter_ns", &plan->jitter_ns},
        {"delay_ns", &plan->delay_ns},
        {"wander", &plan->wander},
        {"offset_s", &plan->offset_s},
        {"frequency", &plan->frequency},
        {"max_rate", &plan->max_rate},
        {"shape", &plan->jitter_shape},
        {"back", &plan->jitter_back},
        {"asymmetry_ns", &plan->asymmetry_ns},
        {"seconds", &job->seconds},
        {"discard_s", &job->discard_s},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i].name) == 0) {
            *keys[i].place = value;
            return true;
        }
    }
    return false;
}

static enum mt_sim_jitter noise_of(const char *name)
{
    if (strcmp(name, "normal") == 0) {
        return MT_SIM_JITTER_NORMAL;
    }
    return strcmp(name, "gamma") == 0 ? MT_SIM_JITTER_GAMMA : MT_SIM_JITTER_EXPONENTIAL;
}

static bool set_word(struct job *job, const char *key, const char *value)
{
    if (strcmp(key, "noise") == 0) {
        job->plan.noise = noise_of(value);
    } else if (strcmp(key, "servo") == 0) {
        job->plan.servo = value;
    } else if (strcmp(key, "seed") == 0) {
        job->plan.seed = strtoull(value, NULL, 10);
    } else if (strcmp(key, "seeds") == 0) {
        job->seeds = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(key, "rival") == 0) {
        job->plan.rival = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(key, "hops") == 0) {
        job->plan.hops = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(key, "sync_log2s") == 0) {
        job->plan.sync_log2s = (int)strtol(value, NULL, 10);
    } else if (strcmp(key, "min_poll") == 0) {
        job->min_poll = (int)strtol(value, NULL, 10);
    } else if (strcmp(key, "max_poll") == 0) {
        job->max_poll = (int)strtol(value, NULL, 10);
    } else if (strcmp(key, "interleaved") == 0) {
        job->is_interleaved = strcmp(value, "0") != 0;
    } else if (strcmp(key, "kalman") == 0) {
        job->has_kalman = strcmp(value, "0") != 0;
    } else if (strcmp(key, "particles") == 0) {
        job->has_particles = strcmp(value, "0") != 0;
    } else {
        return false;
    }
    return true;
}

static void take_argument(struct job *job, char *argument)
{
    char *value = strchr(argument, '=');

    if (value == NULL) {
        line_give_up(argument, "is not KEY=VALUE");
    }
    *value++ = '\0';
    if (!set_word(job, argument, value) && !set_number(job, argument, strtod(value, NULL))) {
        line_give_up(argument, "is not known");
    }
}

int main(int argc, char **argv)
{
    struct job job = {
        .plan = {.seed = 1, .hops = 1, .delay_ns = 10000, .offset_s = 0.01, .frequency = 3e-6},
        .seconds = 1000,
        .discard_s = 100,
        .seeds = 1,
    };
    const char *name = argc > 1 ? argv[1] : "";

    for (int i = 2; i < argc; i++) {
        take_argument(&job, argv[i]);
    }
    if (job.plan.hops < 1 || job.plan.hops > LINE_HOPS_MAX) {
        line_give_up("hops", "1 to 10");
    }
    if (strcmp(name, "cell") == 0) {
        job_cell(&job);
    } else if (strcmp(name, "refclock") == 0 || strcmp(name, "ntp") == 0) {
        job.is_ntp = strcmp(name, "ntp") == 0;
        job_reference(&job);
    } else if (strcmp(name, "chain") == 0) {
        job_chain(&job);
    } else if (!job_check(name, &job)) {
        line_give_up(name, "is neither cell nor refclock nor chain nor a check");
    }
    return 0;
}
