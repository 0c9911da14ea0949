/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Memory of a configuration: blocks on one list, freed together.  A value that a later layer
 * replaces stays until then; configurations are small and live as long as the daemon.  What may be
 * replaced for years, by reloads, is given back, which walks the list: that one has few blocks. */
#include <stdlib.h>

#include "config/schema.h"

struct mt_config_block {
    struct mt_config_block *next;
    max_align_t content[];
};

void *mt_config_pool_take(struct mt_config_pool *self, size_t size)
{
    struct mt_config_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->next = self->first;
    self->first = block;
    return block->content;
}

void mt_config_pool_give_back(struct mt_config_pool *self, const void *content)
{
    struct mt_config_block **place = &self->first;
    while (*place != NULL && (const void *)(*place)->content != content) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        struct mt_config_block *block = *place;
        *place = block->next;
        free(block);
    }
}

void mt_config_pool_free(struct mt_config_pool *self)
{
    while (self->first != NULL) {
        struct mt_config_block *block = self->first;
        self->first = block->next;
        free(block);
    }
}
