/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runtime/ntp_serve.h"

#include <stddef.h>

#include "runtime/node.h"

void mt_ntp_serve_renew(struct mt_node *node, uint16_t clock)
{
    struct mt_node_server *self = node->server;
    if (self != NULL && self->clock == clock) {
        mt_ntp_serving_make(&self->serving, &self->config, &node->clocks[clock].page, NULL);
    }
}
