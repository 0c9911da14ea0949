/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A laboratory for the simulation tests: a world whose nodes are composed from configuration
 * text, watched all the time.  Eight times a virtual second each running node is read and
 * compared with the reference (a grandmaster of the test's choice, or true time).
 * Anything that goes wrong in building it ends the test program with a sentence.
 */
#ifndef MEANTIME_TESTS_SIM_LAB_H
#define MEANTIME_TESTS_SIM_LAB_H

#include "compose/compose.h"
#include "platform/sim/sim_world.h"
#include "runtime/record.h"

#define LAB_NODES     520
#define LAB_INSTANCES 4
#define LAB_TYPES     16 /* of PTP messages */
#define TRUE_TIME     MT_WORLD_NONE

/** What was seen of one node since lab_forget(), or since it was booted for `sent`. */
struct lab_watch {
    unsigned readings; /**< of a running node */
    double sum_ns;     /**< of the clock's offset from the reference */
    double squares_ns2;
    double max_ns;
    unsigned bounded; /**< readings with a bound */
    unsigned strange; /**< ... against another grandmaster than the reference: not judged */
    unsigned outside; /**< ... that was smaller than the error */
    double bound_max_ns;
    double bound_sum_ns;
    unsigned corrections;
    unsigned steps;
    unsigned blind_steps; /**< larger than the published bound was */
    double step_max_ns;
    unsigned sent[LAB_TYPES]; /**< frames by message type */
};

/** An input log in memory. */
struct lab_log {
    uint8_t *octets;
    size_t length;
    size_t capacity;
};

struct lab;
struct lab_node;

/** Stands between a recorder and the world: for orders that come while the platform waits. */
struct lab_gate {
    struct mt_hal_wait wait;
    struct mt_hal_wait *inner;
    struct lab *lab;
    void (*order)(struct lab *lab); /**< called once, within the next wait */
};

struct lab_node {
    const char *name;
    char *text;
    struct mt_config *config;
    struct mt_composition *composition; /**< null: does not run */
    struct lab_log *log;                /**< null: is not recorded */
    struct mt_recorder *recorder;
    struct lab_gate gate;
    struct lab_watch watch;
};

struct lab {
    struct mt_world *world;
    struct lab_node nodes[LAB_NODES];
    uint32_t node_count;
    uint64_t seed;
    uint32_t reference; /**< node whose first clock is right, or TRUE_TIME: every grandmaster is */
    uint64_t hash;      /**< of all frames and corrections */
    uint64_t frames;
    /** Called after each reading of all nodes, if set. */
    void (*look)(struct lab *lab);
    void *context;
    const struct mt_compose_facts *facts; /**< of nodes that boot; null: what is true */
    /** Wraps what the world offers to a node that boots, if set. */
    struct mt_hal_provider *(*provide)(struct lab *lab, uint32_t node,
                                       struct mt_hal_provider *world);
    /** Called for each frame sent, if set. */
    void (*hear)(struct lab *lab, const struct mt_world_frame *frame);
};

void lab_open(struct lab *lab, uint64_t seed);
void lab_close(struct lab *lab);
/** The teardown of a test: prints what was seen and closes the lab if the test has failed. */
int lab_clean_up(struct lab *lab);
/** A meantime.conf with short intervals: `keys` of [ptp], then ports eth0 to eth(ports - 1). */
const char *lab_conf(const char *keys, unsigned ports);
/** Adds a node; `text` is its meantime.conf. */
uint32_t lab_add(struct lab *lab, const char *name, const struct mt_sim_node_config *config,
                 const char *text);
/** A segment between two interfaces. */
uint32_t lab_cable(struct lab *lab, const struct mt_sim_segment_config *config, uint32_t a,
                   const char *a_interface, uint32_t b, const char *b_interface);
/** Has a node recorded from its next boot on; the log is the caller's to free. */
void lab_record(struct lab *lab, uint32_t node, struct lab_log *log);
void lab_boot(struct lab *lab, uint32_t node);
/** As kill -9 does, but for the log, which is ended. */
void lab_kill(struct lab *lab, uint32_t node);
/** Ends a node as SIGTERM does. */
void lab_stop(struct lab *lab, uint32_t node);
/** Loads a new configuration into a running node; false if it needs a restart. */
bool lab_reload(struct lab *lab, uint32_t node, const char *text);
void lab_run(struct lab *lab, double seconds);
/** Runs until the port is in this state; false if that takes longer than `seconds`. */
bool lab_run_until_state(struct lab *lab, uint32_t node, uint16_t port, enum mt_port_state state,
                         double seconds);
double lab_seconds(const struct lab *lab);
void lab_forget(struct lab *lab);
/** True if the clock always had a bound, against the reference, and was never outside it. */
bool lab_is_bounded(const struct lab *lab, uint32_t node);

/** Each test tries seeds 1 and 2; the environment may say MEANTIME_SIM_SEEDS=FIRST-LAST for the
 * long run.  A failing test prints its seed. */
struct lab_seeds {
    unsigned first;
    unsigned last;
};
struct lab_seeds lab_seeds(void);
#define FOR_EACH_SEED(seed)                                                                        \
    for (unsigned seed = lab_seeds().first; seed <= lab_seeds().last; seed++)

/** The environment says MEANTIME_LONG=1: a test may take minutes. */
bool lab_is_long(void);

struct mt_instance *lab_instance(struct lab *lab, uint32_t node, uint16_t instance);
/** Of a port of the first instance. */
enum mt_port_state lab_state(struct lab *lab, uint32_t node, uint16_t port);
bool lab_command(struct lab *lab, uint32_t node, uint16_t instance,
                 const struct mt_command *command);
/** The offset of a clock from the reference now. */
double lab_offset_ns(const struct lab *lab, uint32_t node, uint16_t clock);
/** The published bound of a node's first clock now; < 0: none. */
double lab_bound_ns(const struct lab *lab, uint32_t node);
double lab_mean_ns(const struct lab *lab, uint32_t node);
double lab_sd_ns(const struct lab *lab, uint32_t node);
/** Octets into a hash. */
uint64_t lab_mix(uint64_t hash, const void *octets, size_t length);
void lab_print(const struct lab *lab);

#endif
