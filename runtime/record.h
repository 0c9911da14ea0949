/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The input recorder: a platform that wraps another one and writes down every answer that
 * influences a node, and what the node does (runtime/log.h).  Programs open it between their
 * platform and compose/; the node does not notice.  What comes from outside while the node runs
 * goes through the recorder too: commands, new configurations, the end.
 *
 *     provider = recorder ? mt_recorder_provider(recorder) : the platform's
 *     composition = mt_compose(config, provider, ...)
 *     loop: mt_loop_once(node, provider->wait)
 *
 * While the platform waits, only orders are recorded: a status request that reads a clock from
 * within the wait leaves no trace.  Between two waits nobody but the node may use the tables.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_RUNTIME_RECORD_H
#define MEANTIME_RUNTIME_RECORD_H

#include "runtime/log.h"
#include "runtime/node.h"

struct mt_recorder;

/** Begins a log.  `inner` must outlive the recorder.  sink: null means the log of `inner`'s store.
 * `start`: what the node will be composed from; the configuration complete, so that it does not
 * depend on files or the command line.  Null if there is no memory or no sink. */
struct mt_recorder *mt_recorder_open(struct mt_hal_provider *inner, const struct mt_log_sink *sink,
                                     const struct mt_log_start *start);
/** Writes the end and frees everything; clocks and links of its provider are gone then. */
void mt_recorder_close(struct mt_recorder *self);
struct mt_hal_provider *mt_recorder_provider(struct mt_recorder *self);

/** Carries out a command on the node and records it; with no recorder (null) carries it out. */
bool mt_recorder_command(struct mt_recorder *self, struct mt_node *node, uint16_t instance,
                         const struct mt_command *command, struct mt_mono now);
/** Brackets whatever else the program does to the node: reload, facts, stop.  With no
 * recorder (null) they do nothing. */
void mt_recorder_begin(struct mt_recorder *self, const struct mt_order *order);
void mt_recorder_end(struct mt_recorder *self);

#endif
