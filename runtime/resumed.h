/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The machine was suspended and has been resumed.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_RESUMED_H
#define MEANTIME_RUNTIME_RESUMED_H

#include "hal/wait.h"

struct mt_node;

/** Takes MT_INPUT_RESUMED. */
void mt_resumed(struct mt_node *node, const struct mt_input *input);

#endif
