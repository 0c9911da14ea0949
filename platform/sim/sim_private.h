/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The inside of the simulated world: what its files share.
 */
#ifndef MEANTIME_SIM_PRIVATE_H
#define MEANTIME_SIM_PRIVATE_H

#include "platform/sim/sim_clock.h"
#include "platform/sim/sim_path.h"
#include "platform/sim/sim_queue.h"
#include "platform/sim/sim_world.h"

#define MT_SIM_COMPLAINT_SIZE 160
#define MT_SIM_FOREVER        INT64_MAX

/** Kinds of random streams, for mt_sim_stream(). */
enum mt_sim_stream_kind {
    MT_SIM_STREAM_OSCILLATOR,
    MT_SIM_STREAM_NODE,
    MT_SIM_STREAM_PHASE,
    MT_SIM_STREAM_BURST,
    /* of the members of a segment: plus 256 times the member's number */
    MT_SIM_STREAM_QUEUE,
    MT_SIM_STREAM_MEMBER,
    /* of nodes again */
    MT_SIM_STREAM_REFCLOCK,
    MT_SIM_STREAM_NTP,
    MT_SIM_STREAM_NTP_WAY,
    MT_SIM_STREAM_NTP_SERVER,
};

struct mt_sim_switch;

/** An interface of a node, whether plugged into a segment or not; or a port of a switch. */
struct mt_sim_port {
    uint32_t node; /**< MT_WORLD_NONE: a switch's */
    uint32_t segment;
    uint32_t order; /**< among the members of its segment */
    uint32_t part;
    bool is_plugged;
    uint8_t number;  /**< among the interfaces of its node */
    uint32_t serial; /**< a node's: among all of the world */
    char name[MT_WORLD_NAME_MAX + 1];
    struct mt_sim_link *links; /**< those that are open above it, first opened first */
    struct mt_sim_path path;   /**< of what arrives here */
    struct mt_base_time last_arrival;
    struct mt_base_time free_from;   /**< a node's: when the frames that it has sent have gone */
    struct mt_sim_switch *at_switch; /**< null: a node's */
    struct mt_sim_egress *egress;    /**< of a switch */
};

/** What waits in front of a port of a switch. */
struct mt_sim_egress {
    struct mt_prng prng;
    int64_t seen_ns;    /**< of the base: when the following held */
    mt_real backlog_ns; /**< until all that waits has gone */
};

struct mt_sim_switch {
    struct mt_sim_switch_config config;
    struct mt_sim_port **ports;
    uint32_t port_count;
    uint32_t number;
    bool is_down;
    /** Behind which port a node's interface was heard last, by its serial; null: never. */
    const struct mt_sim_port **learned;
    uint32_t learned_count;
};

enum mt_sim_hears { MT_SIM_HEARS_NOTHING, MT_SIM_HEARS_PULSES, MT_SIM_HEARS_SENTENCES };

/** A link that a node has opened. */
struct mt_sim_link {
    struct mt_hal_link hal;
    struct mt_sim_link *next_at_port;
    struct mt_world *world;
    uint32_t node;
    uint16_t index;
    struct mt_address address; /**< of the interface in the link's network */
    uint16_t vlan;
    struct mt_sim_port *port; /**< null: there is no such interface */
    bool is_refclock;         /**< it hears a reference clock */
    enum mt_sim_hears hears;  /**< likewise, of a GNSS receiver */
    int64_t thermometer_ns;   /**< it hears a thermometer, so often; 0: it does not */
    uint16_t udp_port;        /**< of a link to an NTP server: its own; 0: none yet */
    bool is_closed;
};

struct mt_sim_node {
    struct mt_hal_provider provider;
    struct mt_hal_wait wait;
    struct mt_hal_store store;
    struct mt_hal_entropy entropy;
    struct mt_world *world;
    uint32_t number;
    struct mt_sim_node_config config;
    struct mt_prng prng;
    struct mt_prng refclock_prng;
    struct mt_sim_ntp *ntp; /**< the server that it asks beyond the network; null: it does not */
    struct mt_sim_ntp_worker *ntp_worker; /**< answers what it is asked; null: nothing yet */
    uint16_t ntp_ports;                   /**< UDP ports that it has asked from */
    struct mt_sim_oscillator oscillator;
    mt_real start_frequency; /**< that the oscillator began with */
    struct mt_sim_drift_terms terms;
    struct mt_sim_port **ports;
    uint8_t port_count;
    /* what its process has opened */
    uint32_t life; /**< counts starts, so that inputs for the dead do not reach the living */
    struct mt_sim_link **links;
    uint16_t link_count;
    struct mt_sim_clock *clocks[MT_WORLD_CLOCKS_MAX];
    uint16_t clock_count;
    struct mt_clock_page pages[MT_WORLD_CLOCKS_MAX];
    bool has_drift[MT_WORLD_CLOCKS_MAX];
    mt_real drift[MT_WORLD_CLOCKS_MAX];
    struct mt_sim_learned {
        bool is_known;
        int64_t at_ns; /**< of the base, when it was stored */
        struct mt_steer_oscillator_memory memory;
    } learned[MT_WORLD_CLOCKS_MAX]; /**< of its oscillators */
    /* running */
    struct mt_node *runtime;              /**< null: not running, or */
    const struct mt_sim_program *program; /**< this does */
    struct mt_hal_wait *waits_by;
    int64_t wake_t_ns;    /**< the earliest wake-up in the queue */
    int64_t resumes_t_ns; /**< it was not let run until then; 0: never so */
    unsigned idle_wakes;  /**< in a row, while no time passed */
    int64_t last_wake_t_ns;
    const struct mt_sim_event *pending; /**< the input that the wait table hands out next */
};

struct mt_sim_segment {
    struct mt_sim_segment_config config;
    struct mt_sim_burst_state burst;
    struct mt_sim_port **members;
    uint32_t member_count;
    uint32_t switches_down;                /**< among its members */
    const struct mt_sim_switch *at_switch; /**< of its members; null: there is none */
    bool is_up;
};

/** The leap second that is planned, or was the last one. */
struct mt_sim_leap {
    int64_t t_ns;
    int64_t notice_ns;
    int32_t change_s; /**< 0: there is none */
};

struct mt_world {
    uint64_t seed;
    int64_t t_ns;
    struct mt_sim_noise noise;
    struct mt_sim_queue queue;
    struct mt_sim_node **nodes;
    uint32_t node_count;
    struct mt_sim_segment **segments;
    uint32_t segment_count;
    struct mt_sim_switch **switches;
    uint32_t switch_count;
    uint32_t serial_count;
    int32_t tai_minus_utc_s; /**< before the leap */
    struct mt_sim_leap leap;
    struct mt_world_observer observer;
    struct mt_world_counters counters;
    char complaint[MT_SIM_COMPLAINT_SIZE];
};

/** The base now. */
struct mt_base_time mt_sim_base(const struct mt_world *self);
/** The base `by_ns` later, or earlier, to the nearest 2^-16 ns. */
struct mt_base_time mt_sim_base_plus_ns(struct mt_base_time base, mt_real by_ns);
/** The base `by` later, or earlier. */
struct mt_base_time mt_sim_base_plus(struct mt_base_time base, struct mt_interval by);
/** The first t that is not before the base reads this. */
int64_t mt_sim_t_of(struct mt_base_time base);
/** Says why the world ends; the first reason stays. */
void mt_sim_complain(struct mt_world *self, const char *sentence);
/** An array of `count` elements with room for one more, or null (the old one stays). */
void *mt_sim_grown(void *array, size_t count, size_t element_size);

struct mt_sim_port *mt_sim_find_port(const struct mt_sim_node *node, const char *interface);
/** An input for a node, or for a switch (MT_WORLD_NONE); null, with a complaint, if there is no
 * memory.  The caller fills it in and hands it to mt_sim_queue_add(). */
struct mt_sim_event *mt_sim_new_event(struct mt_world *self, uint32_t node,
                                      enum mt_input_kind kind);

void mt_sim_node_init(struct mt_sim_node *node);
/** Forgets all that was opened; the memory of clocks is kept. */
void mt_sim_node_forget(struct mt_sim_node *node);
void mt_sim_node_free(struct mt_sim_node *node);
/** A node's monotonic time is virtual time plus this. */
int64_t mt_sim_node_boot_ns(const struct mt_sim_node *node);
/** The stamp that a node's network interface takes at `base`: with noise and granularity. */
struct mt_base_time mt_sim_node_stamp(struct mt_sim_node *node, struct mt_base_time base);

/** Makes a link one to an NTP server; false: no memory. */
bool mt_sim_ntp_open(struct mt_sim_node *node, struct mt_sim_link *link);
void mt_sim_ntp_close(struct mt_sim_node *node);
/** Whether an address is one of those that interfaces of nodes have. */
bool mt_sim_is_inside(const struct mt_address *address);
/** A question to a node; false: it cannot leave. */
bool mt_sim_ntp_ask(struct mt_sim_link *link, const struct mt_link_frame *frame);
/** Whether a packet of NTP is wanted where it has come to, and above which link. */
bool mt_sim_ntp_deliver(const struct mt_world *world, const struct mt_sim_port *to,
                        const struct mt_sim_frame *frame, uint16_t *ret_link);
/** Whether an event of a node is for its server rather than for its loop. */
bool mt_sim_ntp_is_question(const struct mt_sim_event *event);
/** Answers a question, if the node, which runs, is a server. */
void mt_sim_ntp_serve(struct mt_sim_node *node, const struct mt_sim_event *event);
void mt_sim_ntp_end_worker(struct mt_sim_node *node);
/** Makes the next reading of the reference clock that a link hears. */
void mt_sim_refclock_next(struct mt_sim_node *node, uint16_t link);
/** Likewise the next pulse or sentence of a GNSS receiver. */
void mt_sim_gnss_next(struct mt_sim_node *node, uint16_t link);
/** Tells that it can be heard, and makes the first one. */
void mt_sim_gnss_open(struct mt_sim_node *node, struct mt_sim_link *link);
/** Makes the next reading of the thermometer that a link hears, if it is one. */
void mt_sim_thermometer_next(struct mt_sim_node *node, uint16_t link);
/** What a node's configuration says now counts from now on. */
void mt_sim_node_reconfigure(struct mt_sim_node *node);
/** What changes its oscillator by plan is this from now on; see mt_sim_drift_change(). */
void mt_sim_node_drift(struct mt_sim_node *node, const struct mt_sim_drift_terms *terms,
                       bool begins_lie);

/** The address of a node's interface. */
struct mt_address mt_sim_port_address(const struct mt_sim_port *port, enum mt_network network);
/** The interface with this address; null: there is none. */
const struct mt_sim_port *mt_sim_find_addressed(const struct mt_world *self,
                                                const struct mt_address *to);
bool mt_sim_port_is_up(const struct mt_world *self, const struct mt_sim_port *port);
/** When a frame leaves that is ready then, and that keeps the wire busy. */
struct mt_base_time mt_sim_departure(const struct mt_world *self, struct mt_sim_port *port,
                                     const struct mt_sim_frame *frame, struct mt_base_time ready);
/** The stamp of a frame that leaves then will come, or that there is none. */
void mt_sim_promise_stamp(struct mt_world *self, const struct mt_sim_link *link, uint32_t token,
                          struct mt_base_time departure);
/** Tells a link whether its interface is up; one without an interface is down. */
void mt_sim_link_tell(const struct mt_sim_link *link);
/** Tells the links above an interface whether it is up; ports of switches have none. */
void mt_sim_port_tell(struct mt_world *self, const struct mt_sim_port *port);
/** A frame that has passed `hops` switches leaves a port at `departure`, now or in the near
 * future. */
void mt_sim_carry(struct mt_world *self, const struct mt_sim_port *from,
                  struct mt_base_time departure, struct mt_sim_frame *frame, uint8_t hops);
/** For how long a frame keeps a port of a switch busy, and that which it comes from. */
mt_real mt_sim_switch_frame_ns(const struct mt_sim_switch *self, const struct mt_sim_frame *frame);
/** A frame has reached a port of a switch. */
void mt_sim_switch_forward(struct mt_world *self, const struct mt_sim_event *event);
/** What one-step hardware does to a frame that leaves at `departure`; the clock is the node's
 * first, with its noise of stamps. */
void mt_sim_insert(struct mt_sim_node *node, const struct mt_link_frame *frame,
                   struct mt_base_time departure, uint8_t *bytes);
extern const struct mt_hal_link_ops mt_sim_link_ops;

#endif
