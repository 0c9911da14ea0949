/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A network with a small machine in it: two grandmasters and a receiver composed as the daemon is,
 * and a node that is left to the caller: the firmware's loop, built for this machine or for
 * another processor.  Used by test_sim_ordinary.c and tests/pil.
 */
#ifndef MEANTIME_TESTS_SIM_FIRMWARE_H
#define MEANTIME_TESTS_SIM_FIRMWARE_H

#include "firmware_config.h"
#include "sim_lab.h"

enum firmware_node { FIRMWARE_A, FIRMWARE_B, FIRMWARE_ITSELF = FIRMWARE_NUMBER, FIRMWARE_RECEIVER };

struct firmware_net {
    struct lab lab;
    uint32_t segment;
    struct mt_ordinary_tables tables; /**< of the small machine */
};

/** The machines on one segment; the small one has opened its clock and its link, and waits for
 * mt_world_start_program(). */
void firmware_open(struct firmware_net *net, uint64_t seed);
void firmware_close(struct firmware_net *net);
/** An hour in which much goes wrong: grandmasters come and go, the link, frames and stamps are
 * lost, clocks jump, the oscillator drifts.  `look` (or null) is called between the parts with the
 * number of the part. */
void firmware_hour(struct firmware_net *net, void (*look)(void *context, int part), void *context);

/** The loop on this machine. */
struct firmware_here {
    struct mt_ordinary node;
    struct mt_sim_program program;
};
void firmware_start_here(struct firmware_net *net, struct firmware_here *here);

#endif
