/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Simulated worlds without protocols: nodes that only send what a test tells them to, and a list
 * of what arrived.  For tests of the physics.
 */
#ifndef MEANTIME_TESTS_SIM_BARE_H
#define MEANTIME_TESTS_SIM_BARE_H

#include "platform/sim/sim_world.h"

#define BARE_NODES    8
#define BARE_ARRIVALS 65536
#define BARE_S_NS     INT64_C(1000000000)

struct bare_arrival {
    uint32_t node;
    uint32_t from;
    double way_ns; /**< true arrival less true departure */
    uint8_t mark;
};

struct bare {
    struct mt_world *world;
    uint32_t node_count;
    struct mt_node runtimes[BARE_NODES];
    struct mt_hal_link *links[BARE_NODES];
    uint32_t count; /**< of arrivals; more than the list holds are only counted */
    struct bare_arrival arrivals[BARE_ARRIVALS];
};

void bare_open(struct bare *bare, uint64_t seed);
void bare_close(struct bare *bare);
/** A perfect node with the interface eth0 in a segment. */
uint32_t bare_add(struct bare *bare, uint32_t segment);
/** Two nodes, 0 and 1, with this between them. */
void bare_pair(struct bare *bare, uint64_t seed, const struct mt_sim_segment_config *config);
/** Nodes 0 and 1 with a cable each to this switch. */
void bare_switch(struct bare *bare, uint64_t seed, const struct mt_sim_switch_config *config);
/** An event frame with 44 octets, the first of them `mark`. */
void bare_send(struct bare *bare, uint32_t node, uint8_t mark);
/** One frame each `interval_ns`, and all that arrive. */
void bare_send_many(struct bare *bare, uint32_t node, uint32_t count, int64_t interval_ns);
void bare_run(struct bare *bare, int64_t ns);

struct bare_moments {
    double mean;
    double sd;
    double least;
    double most;
    uint32_t count;
};
/** Of the ways to a node, in ns. */
struct bare_moments bare_ways(const struct bare *bare, uint32_t node);
/** The share of ways to a node that are longer. */
double bare_beyond(const struct bare *bare, uint32_t node, double way_ns);

#endif
