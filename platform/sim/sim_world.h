/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A simulated world: virtual time, nodes with oscillators of their own, and segments and switches
 * that join their interfaces with delay, jitter and loss.  Each node offers the same tables as any
 * platform (hal/provider.h), so configuration, composition, loop and core run in it unchanged.
 * Used by tests and by `meantime sim`: build the world, compose a node over each provider, hand
 * it to mt_world_start(), let time pass, look at the truth.
 *
 *     t       virtual time: ns since the world began; true TAI is MT_WORLD_EPOCH_S later
 *     base    the counter that all stamps and readings refer to: true TAI, MT_BASE_VIRTUAL
 *
 * The same seed and the same calls give the same world, bit for bit, with every compiler; looking
 * at it changes nothing; a node more does not disturb the random numbers of the others.
 * Thread rule: one world, one thread; no globals, so any number of worlds.
 */
#ifndef MEANTIME_SIM_WORLD_H
#define MEANTIME_SIM_WORLD_H

#include "hal/provider.h"
#include "platform/sim/sim_config.h"
#include "runtime/node.h"

#define MT_WORLD_EPOCH_S       INT64_C(1767225637) /**< TAI: 2026-01-01 00:00:00 UTC */
#define MT_WORLD_TAI_MINUS_UTC 37
#define MT_WORLD_NONE          UINT32_MAX /**< no such node or segment: out of memory */
#define MT_WORLD_CLOCKS_MAX    8          /**< clocks that a node may open */
#define MT_WORLD_NAME_MAX      15         /**< characters in the name of an interface */

struct mt_world;

/** Null if there is no memory. */
struct mt_world *mt_world_new(uint64_t seed);
/** Frees the world; the runtime nodes in it belong to the caller, who frees them first. */
void mt_world_free(struct mt_world *self);
int64_t mt_world_t_ns(const struct mt_world *self);

/* ---- what it is made of ---------------------------------------------------------------------- */

/** Numbers count from 0 in the order of the calls; MT_WORLD_NONE if there is no memory. */
uint32_t mt_world_add_node(struct mt_world *self, const struct mt_sim_node_config *config);
uint32_t mt_world_add_segment(struct mt_world *self, const struct mt_sim_segment_config *config);
/** Plugs an interface of a node into a segment; an interface is in one segment at most.  False
 * if it is in one already, the name is too long, or there is no memory. */
bool mt_world_join(struct mt_world *self, uint32_t segment, uint32_t node, const char *interface);
/** A switch has a number of its own, and as many ports as segments are joined to it.  Switches must
 * not form a loop. */
uint32_t mt_world_add_switch(struct mt_world *self, const struct mt_sim_switch_config *config);
bool mt_world_join_switch(struct mt_world *self, uint32_t segment, uint32_t number);
/** The configurations in force; they may be changed while no time passes, and count from then on
 * (offset_s, max_rate: when a clock is opened). */
struct mt_sim_node_config *mt_world_node_config(struct mt_world *self, uint32_t node);
struct mt_sim_segment_config *mt_world_segment_config(struct mt_world *self, uint32_t segment);
struct mt_sim_switch_config *mt_world_switch_config(struct mt_world *self, uint32_t number);

/** The address of a node's interface in a network.  False if there is no such interface. */
bool mt_world_address(const struct mt_world *self, uint32_t node, const char *interface,
                      enum mt_network network, struct mt_address *ret_address);

/* ---- running --------------------------------------------------------------------------------- */

/** The platform of a node, for compose; valid as long as the world. */
struct mt_hal_provider *mt_world_provider(struct mt_world *self, uint32_t node);
/** Runs a composed node from now on, by mt_loop_once() with `wait`: the provider's, or one that
 * wraps it (a recorder). */
void mt_world_start(struct mt_world *self, uint32_t node, struct mt_node *runtime,
                    struct mt_hal_wait *wait);
/** Something that runs on a node's tables in place of a composed node: a firmware's loop. */
struct mt_sim_program {
    void *context;
    /** Takes one input from the provider's wait table and does all that follows from it. */
    void (*once)(void *context);
    /** When once() is to be called at the latest. */
    struct mt_mono (*deadline)(void *context);
};
/** Runs it from now on.  `program` lives as long as the node. */
void mt_world_start_program(struct mt_world *self, uint32_t node,
                            const struct mt_sim_program *program);
/** Stops a node as if its process had been killed, and forgets what it had opened, so that it
 * can be composed anew.  Drift files stay, and so does what a clock of kind MT_CLOCK_SYSTEM
 * reads; overlay and lab clocks begin again. */
void mt_world_kill(struct mt_world *self, uint32_t node);
/** Lets time pass up to and including t.  False if memory ran out or a node asks to be called
 * again and again while no time passes: mt_world_complaint() says so, and time stands still. */
bool mt_world_run_until(struct mt_world *self, int64_t t_ns);
/** One sentence, or "". */
const char *mt_world_complaint(const struct mt_world *self);

/* ---- faults ---------------------------------------------------------------------------------- */

/** Pulls or plugs an interface: its node is told. */
void mt_world_set_plugged(struct mt_world *self, uint32_t node, const char *interface,
                          bool is_plugged);
/** Takes a segment down or up: all its nodes are told. */
void mt_world_set_segment_up(struct mt_world *self, uint32_t segment, bool is_up);
/** Takes a switch down or up, and with it all that is joined to it: the nodes there are told. */
void mt_world_set_switch_up(struct mt_world *self, uint32_t number, bool is_up);
/** Puts an interface into another part of its segment (all start in part 0): frames stay within
 * a part, and nobody is told. */
void mt_world_set_part(struct mt_world *self, uint32_t node, const char *interface, uint32_t part);
/** A node's program is not let run for a while: what comes meanwhile lies in wait for it. */
void mt_world_stall(struct mt_world *self, uint32_t node, int64_t for_ns);
/** Until a running node stops, clients of its NTP server may ask once in 2^log_interval s, `burst`
 * of them at once. */
void mt_world_limit_ntp(struct mt_world *self, uint32_t node, int8_t log_interval, uint8_t burst);
/** Somebody steps a clock; its node learns of it through `disturbed`. */
void mt_world_step_clock(struct mt_world *self, uint32_t node, uint16_t clock, struct mt_span by);

/** The temperature of a node moves evenly to `kelvin` (above what it was built for) within this
 * time; 0: at once. */
void mt_world_set_temperature(struct mt_world *self, uint32_t node, mt_real kelvin,
                              int64_t within_ns);
/** Has all clocks of a node lie from now on: they are off by `offset_s`, and by `frequency` times
 * the time that passes, and nothing tells the node.  Both 0: they are honest again. */
void mt_world_set_lie(struct mt_world *self, uint32_t node, mt_real offset_s, mt_real frequency);

/* ---- UTC ------------------------------------------------------------------------------------- */

/** TAI-UTC changes by `change_s` (1 or -1) at t, which is not in the past; whoever knows of such
 * things is told `notice_ns` before.  One may be pending; a new one replaces it. */
void mt_world_schedule_leap(struct mt_world *self, int64_t t_ns, int32_t change_s,
                            int64_t notice_ns);

/** What is known of UTC by whoever knows; for struct mt_compose_facts. */
struct mt_world_utc {
    int32_t tai_minus_utc_s;
    int32_t leap_s;       /**< the change that is near; 0: none */
    int64_t changes_t_ns; /**< when this will be different; INT64_MAX: never.  Then the caller gives
                               the new facts to those nodes that know, as a daemon's watch does */
};
struct mt_world_utc mt_world_utc(const struct mt_world *self);

/* ---- the truth ------------------------------------------------------------------------------- */

/** What a clock reads now minus true time (of the same timescale; ARB is compared with TAI). */
struct mt_span mt_world_true_offset(const struct mt_world *self, uint32_t node, uint16_t clock);

/** What a node's oscillator has counted since the world began, less true time (lies included), at
 * t, which is in the last 6 s; saturates at 39 h. */
struct mt_interval mt_world_oscillator_gain(const struct mt_world *self, uint32_t node,
                                            int64_t t_ns);

/** What a program would read through the published page now. */
struct mt_world_reading {
    int64_t error_ns; /**< the time that the page gives, less true time */
    int64_t bound_ns; /**< meaningful if reference is not MT_BOUND_NONE */
    enum mt_bound_reference reference;
    bool has_bound; /**< against the grandmaster, or TAI */
    bool is_stale;
    enum mt_clock_state state;
    struct mt_clock_identity grandmaster; /**< that the bound refers to; zero: none */
    bool tai_utc_valid;
    int32_t tai_minus_utc_s; /**< if tai_utc_valid */
    int32_t leap_s;
};
/** False if the clock has no page yet. */
bool mt_world_read_page(const struct mt_world *self, uint32_t node, uint16_t clock,
                        struct mt_world_reading *ret_reading);

struct mt_world_frame {
    int64_t t_ns;
    uint32_t node;
    uint32_t segment; /**< MT_WORLD_NONE: it went nowhere */
    const char *interface;
    const uint8_t *bytes;
    size_t length;
    bool is_event;
    const struct mt_address *to; /**< the one that it is sent to; null: a group */
};

struct mt_world_correction {
    int64_t t_ns;
    uint32_t node;
    uint16_t clock;
    const struct mt_correction *asked;
    const struct mt_applied *applied;
};

/** An event frame that is handed to a node now. */
struct mt_world_arrival {
    int64_t t_ns;
    uint32_t node;
    const char *interface;
    uint32_t from_node;
    const char *from_interface;
    struct mt_base_time departure; /**< when it was truly sent, without noise of stamps */
    struct mt_base_time arrival;   /**< when it truly came, jitter and queues included */
    const uint8_t *bytes;
    size_t length;
};

/** Told what nodes do, while they do it; any function may be null. */
struct mt_world_observer {
    void *context;
    void (*frame)(void *context, const struct mt_world_frame *frame);
    void (*correction)(void *context, const struct mt_world_correction *correction);
    void (*arrival)(void *context, const struct mt_world_arrival *arrival);
};
void mt_world_observe(struct mt_world *self, const struct mt_world_observer *observer);

struct mt_world_counters {
    uint64_t sent;       /**< frames */
    uint64_t delivered;  /**< frames, for each receiver */
    uint64_t lost;       /**< for each receiver, by chance, part, plug or segment */
    uint64_t steps;      /**< of the loop, of all nodes */
    uint64_t duplicated; /**< second copies made */
    uint64_t reordered;  /**< frames held back */
    uint64_t dropped;    /**< by switches whose queue was full; not among the lost */
};
const struct mt_world_counters *mt_world_count(const struct mt_world *self);

#endif
