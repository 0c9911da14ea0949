/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The simulator's part: a node whose loop runs on an emulated processor.
 */
#ifndef MEANTIME_TESTS_PIL_REMOTE_H
#define MEANTIME_TESTS_PIL_REMOTE_H

#include "embed/ordinary.h"
#include "platform/sim/sim_world.h"

struct pil_remote {
    struct mt_sim_program program; /**< for mt_world_start_program() */
    struct mt_ordinary_tables tables;
    struct mt_mono deadline;
    int to;
    int from;
    int process;
    uint64_t questions;
    uint64_t turns;
    char folder[64];
};

/** Starts QEMU with this image, or a program of this machine whose name does not end in .elf; ends
 * with a sentence if it cannot. */
void pil_start(struct pil_remote *self, const char *image, const struct mt_ordinary_tables *tables);
/** Ends it; its own time, in ns. */
int64_t pil_stop(struct pil_remote *self);

#endif
