/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The one loop: waits for the next input of the platform and feeds it to the node.  The caller
 * repeats it and does its own small duties (logging, signals) in between.
 */
#ifndef MEANTIME_RUNTIME_LOOP_H
#define MEANTIME_RUNTIME_LOOP_H

#include "hal/wait.h"
#include "runtime/node.h"

/** Waits for and handles one input; returns at the latest at the node's deadline. */
void mt_loop_once(struct mt_node *node, struct mt_hal_wait *wait);

#endif
