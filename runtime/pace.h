/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How often the Syncs of a transmitter will come, as far as that is known before they do: it says
 * so itself (logMessageInterval, or its grant), and a port that has asked for fewer of them expects
 * that.  What the discipline learns of intervals by itself would take longer ones for silence.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_PACE_H
#define MEANTIME_RUNTIME_PACE_H

#include <stdint.h>

#include "meantime/time.h"
#include "meantime/verdict.h"

struct mt_node;
struct mt_input;

/** A frame was given to a port, from 1 on, which has judged it. */
void mt_pace_frame(struct mt_node *node, uint16_t instance, uint16_t port,
                   const struct mt_input *input, enum mt_verdict verdict);
/** A Sync of the port was measured. */
void mt_pace_sample(struct mt_node *node, uint16_t instance, uint16_t port, struct mt_mono now);

#endif
