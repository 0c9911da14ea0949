/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The measurements, one seed at a time: each prints one line of JSON with sums that run.py pools.
 */
#ifndef MEANTIME_BENCH_ACCURACY_JOB_H
#define MEANTIME_BENCH_ACCURACY_JOB_H

#include "line.h"

#define JOB_BATCHES 20

/** From 0 to `discard_s` nothing counts, from there to `seconds` everything does; in the checks
 * something happens at `discard_s`. */
struct job {
    struct line_plan plan;
    double seconds;
    double discard_s;
    unsigned seeds; /**< of a check: from the plan's on */
    bool has_kalman;
    bool has_particles;
    bool is_ntp; /**< of job_reference(): the node asks a server */
    bool is_interleaved;
    int min_poll; /**< log2 s */
    int max_poll;
};

/** One cell of the matrix. */
void job_cell(const struct job *job);
/** A reference clock or an NTP server, and no network. */
void job_reference(const struct job *job);
/** Boundary clocks in a row: the error at each hop. */
void job_chain(const struct job *job);
/** One of the single checks by its name, for each of its seeds; false: there is none of that
 * name. */
bool job_check(const char *name, const struct job *job);

#endif
