/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Another table for a requester that runs.
 *
 * The new one counts at once.  Who stands in both keeps its grants and its place among the foreign
 * transmitters, so that whoever is followed and stays notices nothing; who is left is told so, as
 * far as the storage has room for it behind the new table: grants of those that it has no room for
 * run out by themselves.
 */
#include "ptp/requester_private.h"

static void swap(struct mt_unicast_transmitter *a, struct mt_unicast_transmitter *b)
{
    struct mt_unicast_transmitter kept = *a;
    *a = *b;
    *b = kept;
}

static bool is_known(const struct mt_address *address)
{
    return address->network != MT_NETWORK_NONE;
}

static bool is_listed(const struct mt_requester_list *list, const struct mt_address *address)
{
    struct mt_address listed;
    uint8_t local_priority;
    for (uint16_t i = 0; i < list->count; i++) {
        list->at(list->context, i, &listed, &local_priority);
        if (is_known(address) && mt_address_equal(&listed, address)) {
            return true;
        }
    }
    return false;
}

/* Of the first `count`; `count` if it is not among them. */
static uint16_t find(const struct mt_requester *self, uint16_t count,
                     const struct mt_address *address)
{
    uint16_t i = 0;
    while (i < count &&
           !(is_known(address) && mt_address_equal(&self->table[i].address, address))) {
        i++;
    }
    return i;
}

/* Those that stay come first; the others follow.  How many stay. */
static uint16_t part(struct mt_instance *instance, struct mt_port *port, struct mt_requester *self,
                     const struct mt_requester_list *list)
{
    uint16_t staying = 0;
    for (uint16_t i = 0; i < self->count; i++) {
        if (is_listed(list, &self->table[i].address)) {
            swap(&self->table[i], &self->table[staying++]);
        } else {
            mt_requester_leave(instance, port, &self->table[i]);
        }
    }
    return staying;
}

/* In the order of the list, since that is how it is shown. */
static void fill(struct mt_requester *self, const struct mt_requester_list *list, uint16_t staying)
{
    for (uint16_t i = 0; i < list->count; i++) {
        struct mt_unicast_transmitter wanted = {.state = MT_REQUESTER_WAIT};
        list->at(list->context, i, &wanted.address, &wanted.local_priority);
        uint16_t at = find(self, staying, &wanted.address);
        if (at == staying) {
            self->table[at] = wanted;
            staying++;
        }
        self->table[at].local_priority = wanted.local_priority;
        swap(&self->table[i], &self->table[at]);
    }
}

bool mt_requester_set_table(struct mt_instance *instance, struct mt_port *port,
                            const struct mt_requester_list *list)
{
    struct mt_requester *self = mt_requester_of(port);
    if (list->count > self->capacity) {
        return false;
    }
    uint16_t staying = part(instance, port, self, list);
    uint16_t leaving = (uint16_t)(self->count - staying);
    uint16_t room = (uint16_t)(self->capacity - list->count);
    leaving = leaving < room ? leaving : room;
    memmove(&self->table[list->count], &self->table[staying], leaving * sizeof *self->table);
    fill(self, list, staying);
    self->count = list->count;
    self->leaving = leaving;
    self->selected = list->count; /* until it has been looked at */
    return true;
}
