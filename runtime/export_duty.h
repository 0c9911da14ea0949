/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks of the node as reference clocks of other programs: at even intervals, and while the clock
 * is synchronised and shows UTC or what UTC is known from, its page goes out over a link of its
 * own.  The platform compares it with the machine's clock at that moment and hands on the result
 * in the form that the other program reads.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_EXPORT_DUTY_H
#define MEANTIME_RUNTIME_EXPORT_DUTY_H

#include <stdint.h>

#include "meantime/time.h"

struct mt_node;

struct mt_node_export {
    uint16_t link;
    uint16_t clock;
    int64_t interval_ns;
    struct mt_mono at; /**< of the next one */
    uint64_t sent;
    uint64_t withheld; /**< the clock had no time to give */
};

void mt_export_duty_tick(struct mt_node *node, struct mt_mono now);
struct mt_mono mt_export_duty_deadline(const struct mt_node *node);

#endif
