/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime replay: what its files share.  The player runs the node of a log; the printer and the
 * plot are told what happens.  Times are nanoseconds since the run began.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_APPS_REPLAY_H
#define MEANTIME_APPS_REPLAY_H

#include <cjson/cJSON.h>

#include "compose/tell.h"
#include "runtime/rerun.h"

/** An estimate of a clock, as it stood when it was last published. */
struct mt_replay_estimate {
    int64_t t_ns;
    const char *clock;
    const struct mt_node_clock *node;
    int verdict; /**< enum mt_sample_verdict of the sample that made it; -1: time has come */
};

struct mt_replay_correction {
    int64_t t_ns;
    const char *clock;
    const struct mt_correction *asked;
    const struct mt_applied *applied;
};

/** Told of all that happens on the way. */
struct mt_replay_listener {
    void *context;
    void (*event)(void *context, int64_t t_ns, const struct mt_status_event *event);
    void (*corrected)(void *context, const struct mt_replay_correction *correction);
    void (*ordered)(void *context, int64_t t_ns, const struct mt_order *order);
    void (*estimated)(void *context, const struct mt_replay_estimate *estimate);
    void (*progressed)(void *context, double share); /**< of the log's octets */
};

struct mt_player;

/** Reads a log and composes its node.  is_anew: the inputs alone are taken from it.  Null, and
 * the reason is in `ret_reason`. */
#define MT_PLAYER_REASON_SIZE 400
struct mt_player *mt_player_open(const char *path, bool is_anew,
                                 char ret_reason[MT_PLAYER_REASON_SIZE]);
void mt_player_close(struct mt_player *self);

const struct mt_composition *mt_player_composition(const struct mt_player *self);
/** The program that has recorded, and its version. */
struct mt_log_text mt_player_recorder(const struct mt_player *self);
/** The configuration that it ran with. */
struct mt_log_text mt_player_config(const struct mt_player *self);

/** Runs to the end.  Estimates are told with each sample, and every `every_ns`. */
void mt_player_run(struct mt_player *self, int64_t every_ns,
                   const struct mt_replay_listener *listener);

struct mt_player_result {
    bool is_anew;
    bool is_same;       /**< the log was readable to its end, and nothing differed */
    bool is_complete;   /**< the recorder was closed, the log does not just end */
    bool is_damaged;    /**< else something differed */
    int64_t t_ns;       /**< how far it came */
    const char *reason; /**< what differs or is damaged, and where; "" if nothing */
    uint64_t octets;
    uint64_t inputs;
    uint64_t frames;
    uint64_t unmatched; /**< anew: event messages without recorded stamp */
    uint64_t corrections;
    uint64_t recorded_corrections; /**< anew */
};
void mt_player_result(const struct mt_player *self, struct mt_player_result *ret_result);

/** Lines for people, or objects for programs, on standard output. */
struct mt_replay_printer {
    bool as_json;
    int64_t from_ns;
    int64_t to_ns;
    const char *clock; /**< only this one; null: all */
};
void mt_replay_print_start(const struct mt_replay_printer *self, const struct mt_player *player,
                           bool is_anew);
void mt_replay_print_event(const struct mt_replay_printer *self, int64_t t_ns,
                           const struct mt_status_event *event);
void mt_replay_print_correction(const struct mt_replay_printer *self,
                                const struct mt_replay_correction *correction);
void mt_replay_print_order(const struct mt_replay_printer *self, int64_t t_ns,
                           const struct mt_order *order);
void mt_replay_print_estimate(const struct mt_replay_printer *self,
                              const struct mt_replay_estimate *estimate);
void mt_replay_print_end(const struct mt_replay_printer *self,
                         const struct mt_player_result *result);

/** Offset and bound of one clock over time, drawn by gnuplot. */
struct mt_replay_plot {
    const char *path; /**< ends in .svg or .png */
    const char *clock;
    struct mt_replay_point {
        int64_t t_ns;
        double offset_ns; /**< not a number: there is no estimate now */
        double bound_ns;  /**< not a number: none */
        bool is_scaled;   /**< of a clock that is or was synchronised */
    } * points;
    double growth_ppb; /**< of the last point's bound */
    size_t count;
    struct mt_replay_mark {
        int64_t t_ns;
        char text[48];
    } * marks; /**< steps and changes of phase */
    size_t mark_count;
};
void mt_replay_plot_point(struct mt_replay_plot *self, const struct mt_replay_estimate *estimate);
void mt_replay_plot_event(struct mt_replay_plot *self, int64_t t_ns,
                          const struct mt_status_event *event);
/** The log goes on until then, with nothing new. */
void mt_replay_plot_end(struct mt_replay_plot *self, int64_t t_ns);
/** False with a reason; frees nothing. */
bool mt_replay_plot_write(const struct mt_replay_plot *self, const char *log,
                          char ret_reason[MT_PLAYER_REASON_SIZE]);
void mt_replay_plot_free(struct mt_replay_plot *self);

#endif
