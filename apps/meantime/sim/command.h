/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of `meantime sim` share: where topologies are, how far a run is, and what is said
 * when it is over.
 */
#ifndef MEANTIME_SIM_COMMAND_H
#define MEANTIME_SIM_COMMAND_H

#include <stdio.h>
#include <time.h>

#include "apps/meantime/sim/run.h"
#include "apps/meantime/sim/seeds.h"

#define MT_SIM_PATH_SIZE 4096

/** The file that a word on the command line means: a path, or the name of a shipped topology.
 * False, having said why, if there is none. */
bool mt_sim_find(const char *word, char path[MT_SIM_PATH_SIZE]);
/** Lists the shipped topologies; false, having said why, if there are none. */
bool mt_sim_list(FILE *out);

/** A line on standard error: a bar on a terminal, else a sentence now and then. */
struct mt_sim_progress {
    bool is_quiet;
    bool is_terminal;
    double duration_s;
    uint32_t seeds;
    struct timespec started;
    double told_s; /**< after the start */
    double took_s; /**< from the start to the end */
    bool has_line; /**< the terminal shows one that must be cleared */
};
void mt_sim_progress_begin(struct mt_sim_progress *self, const struct mt_topology *topology,
                           uint32_t seeds, bool is_quiet);
/** An mt_seeds_tell. */
void mt_sim_progress_tell(void *self, const struct mt_seeds_progress *progress);
/** Clears the bar. */
void mt_sim_progress_end(struct mt_sim_progress *self);
void mt_sim_progress_say_speed(const struct mt_sim_progress *self, double simulated_s,
                               uint64_t messages);

/** "36 min", "1 h 2 min 3 s", "12.5 s": exact to a millisecond.  Returns `buffer`. */
#define MT_SIM_MOMENT_SIZE 48
const char *mt_sim_moment(int64_t ns, char buffer[MT_SIM_MOMENT_SIZE]);

/** What the timeline said, and what the judged nodes did. */
void mt_sim_print_timeline(FILE *out, const struct mt_topology *topology,
                           const struct mt_run_result *result);
/** How many expectations did not hold; each is told. */
unsigned mt_sim_judge(FILE *out, const struct mt_topology *topology,
                      const struct mt_run_result *result);

#endif
