/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The rerun: a platform that gives a node the inputs of a log (runtime/log.h) and lets it do what
 * it wants, where the replayer insists that it does what was recorded.  The clocks are those of
 * the log without the corrections that were recorded; the node's own corrections act on them.  So
 * what happened in the field can be had again with other code or another configuration.
 * docs/design/recording.md says what that is worth.
 *
 *     mt_rerun_open(octets, length, reason)
 *     mt_compose(configuration of mt_rerun_start(), mt_rerun_provider(), ...)
 *     while (mt_rerun_step(rerun, node)) look at the node
 *     mt_rerun_result()
 *
 * The log may come from anybody: no octet of it is trusted.
 * Thread rule: one thread at a time for each rerun.
 */
#ifndef MEANTIME_RUNTIME_RERUN_H
#define MEANTIME_RUNTIME_RERUN_H

#include "runtime/replay.h"

/** How late a recorded wake-up may be for the node's deadline to be met by it; if none comes by
 * then, the node is woken at its deadline. */
#define MT_RERUN_LATE_NS INT64_C(5000000)

struct mt_rerun;

struct mt_rerun_result {
    bool is_damaged;    /**< the log could not be read to its end: `sentence` */
    bool is_complete;   /**< the recorder was closed, the log does not just end */
    char sentence[256]; /**< what is wrong with the log, and where */
    size_t offset;      /**< octets of the log that were used */
    struct mt_mono at;  /**< time of the last input */
    uint64_t inputs;    /**< of the log, handed to the node */
    uint64_t frames;    /**< sent by the node */
    uint64_t unmatched; /**< ... and event messages that the recorded node had not sent, or not
                              in time: their stamps are missing */
    uint64_t corrections;
    uint64_t recorded_corrections;
};

/** Begins with a log in memory, which must outlive the rerun.  Null with a sentence if these
 * octets are no log, or a log of another version. */
struct mt_rerun *mt_rerun_open(const uint8_t *octets, size_t length,
                               char reason[MT_HAL_REASON_SIZE]);
void mt_rerun_close(struct mt_rerun *self);

/** As the functions of mt_replay with these names. */
const struct mt_log_start *mt_rerun_start(const struct mt_rerun *self);
struct mt_hal_provider *mt_rerun_provider(struct mt_rerun *self);
void mt_rerun_on_order(struct mt_rerun *self, mt_replay_order *function, void *context);
void mt_rerun_observe(struct mt_rerun *self, const struct mt_replay_observer *observer);

/** Feeds the next input of the log to the node, or wakes it if its deadline comes first.  False
 * if the log is over. */
bool mt_rerun_step(struct mt_rerun *self, struct mt_node *node);
const struct mt_rerun_result *mt_rerun_result(const struct mt_rerun *self);

#endif
