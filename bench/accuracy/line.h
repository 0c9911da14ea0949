/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A line of clocks in the simulator: a perfect grandmaster and one or more clocks behind it, each
 * with an oscillator of its own, composed from the daemon's configuration.  Cells of the matrix
 * have one hop, chains have ten.
 * Hands out, besides the published time's error, what no clock can see: each message's true
 * one-way value against the first receiver's free oscillator, for the yardsticks.
 * Anything that goes wrong in building it ends the program with a sentence.
 */
#ifndef MEANTIME_BENCH_ACCURACY_LINE_H
#define MEANTIME_BENCH_ACCURACY_LINE_H

#include "compose/compose.h"
#include "platform/sim/sim_world.h"

#define LINE_HOPS_MAX     10
#define LINE_NODES        (LINE_HOPS_MAX + 2)
#define LINE_MESSAGES     64 /**< on their way or not yet taken */
#define LINE_PATIENCE_S   1  /**< after which a message is taken for lost */
#define READINGS_PER_SYNC 8

struct line_plan {
    uint64_t seed;
    unsigned hops;
    enum mt_sim_jitter noise;
    double jitter_ns;    /**< standard deviation of each direction */
    double jitter_shape; /**< of gamma noise */
    double jitter_back;  /**< factor of the jitter from receiver to transmitter; 0: 1, < 0: none */
    double asymmetry_ns; /**< max_asymmetry of the receivers; 0: as it comes */
    double delay_ns;
    double wander; /**< per sqrt(s) */
    double offset_s;
    double frequency;  /**< of each receiver's oscillator at the start */
    double max_rate;   /**< range of the clocks' correction; 0: any */
    int sync_log2s;    /**< of Sync and Delay_Req */
    const char *servo; /**< null: the default one */
    unsigned rival;    /**< priority1 of a second grandmaster beside the first, which has 100;
                            0: there is none */
};

/** One message's truth. */
struct line_message {
    bool is_forward;
    bool is_complete;
    uint16_t sequence;
    int64_t departure_ns;
    double at_s;     /**< when the receiver's clock stamped it, since the world's beginning */
    double value_ns; /**< arrival - departure, each by its own side's clock: the receiver's is its
                          oscillator, never corrected */
};

/** How a used sample compared with its prediction. */
struct line_innovations {
    double count;
    double squares;
    double deciles[10]; /**< of the probability integral transform */
};

struct line;

struct line_gate {
    struct mt_hal_wait wait;
    struct mt_hal_wait *inner;
    struct line *line;
};

struct line_node {
    struct mt_config *config;
    struct mt_composition *composition;
    struct line_gate gate;
};

struct line {
    struct line_plan plan;
    struct mt_world *world;
    struct line_node nodes[LINE_NODES];
    uint32_t cables[LINE_HOPS_MAX];
    bool is_watched; /**< messages and innovations are taken down */
    struct line_message messages[LINE_MESSAGES];
    unsigned message_first;
    unsigned message_count;
    uint32_t samples_used;
    struct line_innovations innovations;
    unsigned steps;  /**< of the last clock */
    double paired_s; /**< when the receiver had a Sync and an answer to a Delay_Req; < 0: not yet */
    bool has_sync;
    bool has_answer;
    double sync_s;    /**< when the receiver got its last Sync while it followed somebody */
    double silence_s; /**< the longest time between two of them */
};

void line_open(struct line *self, const struct line_plan *plan, bool is_watched);
void line_close(struct line *self);
/** The grandmaster beside the first begins; the first one ends without a word. */
void line_boot_rival(struct line *self);
void line_kill_grandmaster(struct line *self);
/** Lets time pass until `number` readings after the beginning; they are T / 8 apart. */
void line_run_to(struct line *self, int64_t number);
double line_seconds(const struct line *self);
double line_interval_s(const struct line_plan *plan);

/** The oldest message whose fate is known; false: there is none. */
bool line_next_message(struct line *self, struct line_message *ret_message);
/** What the first receiver's free oscillator has gained since the world's beginning, now. */
double line_gain_ns(const struct line *self);

/** What a reader of the published page of the clock `hop` hops away gets now; false: no page. */
struct line_reading {
    double error_ns;       /**< of the published time */
    double clock_error_ns; /**< of the steered clock */
    double bound_ns;       /**< < 0: there is none */
    enum mt_clock_state state;
    bool is_saturated;
};
bool line_read(const struct line *self, unsigned hop, struct line_reading *ret_reading);

/** Ends the program. */
_Noreturn void line_give_up(const char *what, const char *why);

#endif
