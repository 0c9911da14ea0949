/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Several seeds of one topology, spread over the cores: a child process for each, which sends what
 * it found through a pipe.  The results are pooled in the order of the seeds, so they do not
 * depend on how many cores there are.
 * Thread rule: one at a time in a process, because children are waited for.
 */
#ifndef MEANTIME_SIM_SEEDS_H
#define MEANTIME_SIM_SEEDS_H

#include <signal.h>

#include "apps/meantime/sim/run.h"

struct mt_seeds_options {
    struct mt_run_options run;
    uint64_t first;
    uint32_t count;
    uint32_t jobs; /**< at the same time */
};

struct mt_seeds_progress {
    uint32_t done;
    double share;      /**< of all that is to be simulated */
    uint64_t messages; /**< handed to nodes, of all seeds */
};
/** Told a few times a second. */
typedef void mt_seeds_tell(void *context, const struct mt_seeds_progress *progress);

/** Set by the signal handler of the caller: end with what there is. */
extern volatile sig_atomic_t mt_seeds_interrupted;

/** Runs them all.  If it is interrupted, the result is of the seeds that were complete; if there
 * is none, of those that were not.  False with a sentence if there is no result; true with a
 * sentence if a seed ended early. */
bool mt_seeds_run(const struct mt_topology *topology, const struct mt_seeds_options *options,
                  mt_seeds_tell *tell, void *context, struct mt_run_result *ret_result,
                  uint32_t *ret_seeds, char complaint[MT_RUN_COMPLAINT_SIZE]);

/** A result as octets, for free(), and back; only between processes of one program.  Null, or
 * false, if there is no memory. */
void *mt_seeds_pack(const struct mt_run_result *result, size_t *ret_length);
bool mt_seeds_unpack(const void *octets, size_t length, struct mt_run_result *ret_result);

#endif
