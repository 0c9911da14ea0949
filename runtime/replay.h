/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The replayer: a platform that answers from an input log (runtime/log.h).  A node composed over
 * it from the log's own configuration and facts goes through the recorded run again, bit for bit;
 * the first thing that it asks or does otherwise ends the replay with a sentence.
 *
 *     mt_replay_open(octets, length, reason)
 *     mt_compose(configuration of mt_replay_start(), mt_replay_provider(), ...)
 *     while (mt_replay_step(replay, node)) look at the node
 *     mt_replay_result()
 *
 * The log may come from anybody: no octet of it is trusted.
 * Thread rule: one thread at a time for each replay.
 */
#ifndef MEANTIME_RUNTIME_REPLAY_H
#define MEANTIME_RUNTIME_REPLAY_H

#include "runtime/log.h"
#include "runtime/node.h"

struct mt_replay;

enum mt_replay_outcome {
    MT_REPLAY_RUNNING,
    MT_REPLAY_SAME,     /**< all that was recorded happened again */
    MT_REPLAY_DIVERGED, /**< the node did or asked something else */
    MT_REPLAY_CORRUPT,  /**< the log cannot be read further */
};

struct mt_replay_result {
    enum mt_replay_outcome outcome;
    bool is_complete;     /**< same: the recorder was closed, the log does not just end */
    char sentence[256];   /**< diverged, corrupt: what is wrong and where */
    size_t offset;        /**< octets of the log that were replayed */
    uint64_t records;     /**< ... and records */
    struct mt_mono at;    /**< time of the last of them */
    uint64_t inputs;      /**< handed to the node */
    uint64_t frames;      /**< sent by the node, all equal to the recorded ones */
    uint64_t corrections; /**< likewise */
};

/** Begins with a log in memory, which must outlive the replay.  Null with a sentence if these
 * octets are no log, or a log of another version. */
struct mt_replay *mt_replay_open(const uint8_t *octets, size_t length,
                                 char reason[MT_HAL_REASON_SIZE]);
void mt_replay_close(struct mt_replay *self);

/** What the recorded node was composed from; views into the log. */
const struct mt_log_start *mt_replay_start(const struct mt_replay *self);
struct mt_hal_provider *mt_replay_provider(struct mt_replay *self);

/** Called where a new configuration was loaded, new facts became known or a UTC offset became
 * automatic, which is done on the floor above: does to the node what the program did then. */
typedef void mt_replay_order(void *context, const struct mt_order *order);
void mt_replay_on_order(struct mt_replay *self, mt_replay_order *function, void *context);

/** Told of what happens on the way; any member may be null. */
struct mt_replay_observer {
    void *context;
    /** The node has corrected a clock. */
    void (*corrected)(void *context, const struct mt_hal_clock *clock,
                      const struct mt_correction *asked, const struct mt_applied *applied,
                      struct mt_mono now);
    /** An order came from outside; it is carried out next. */
    void (*ordered)(void *context, const struct mt_order *order);
};
void mt_replay_observe(struct mt_replay *self, const struct mt_replay_observer *observer);

/** Takes the next input from the log and feeds it to the node; commands and the node's stop are
 * carried out on the way.  False if the replay is over. */
bool mt_replay_step(struct mt_replay *self, struct mt_node *node);
const struct mt_replay_result *mt_replay_result(const struct mt_replay *self);

#endif
