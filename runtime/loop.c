/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/loop.h"

void mt_loop_once(struct mt_node *node, struct mt_hal_wait *wait)
{
    struct mt_input input = {0};
    wait->ops->next(wait, mt_node_deadline(node), &input);
    mt_node_input(node, &input);
}
