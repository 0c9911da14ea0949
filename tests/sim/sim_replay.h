/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A recorded node run again on its log.  A log that is damaged, or of which anything else comes
 * than was recorded, fails the test.
 */
#ifndef MEANTIME_TESTS_SIM_REPLAY_H
#define MEANTIME_TESTS_SIM_REPLAY_H

#include "runtime/replay.h"
#include "sim_lab.h"

struct lab_replay {
    struct mt_replay *replay;
    struct mt_config *config;
    struct mt_composition *composition; /**< as it was at the end */
    struct mt_replay_result result;
};

/** To the end. */
struct lab_replay lab_replay(const struct lab_log *log);
void lab_replay_close(struct lab_replay *self);

#endif
