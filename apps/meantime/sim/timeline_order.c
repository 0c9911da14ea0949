/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The timeline in the order of time; what happens at one time happens in the order in which it was
 * written.
 */
#include <stdlib.h>

#include "apps/meantime/sim/topology_private.h"

struct place {
    struct mt_topology_happening happening;
    uint32_t number;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    int by_time = (x->happening.t_ns > y->happening.t_ns) - (x->happening.t_ns < y->happening.t_ns);

    return by_time != 0 ? by_time : (x->number > y->number) - (x->number < y->number);
}

static int compare_events(const void *a, const void *b)
{
    const struct mt_topology_event *x = a;
    const struct mt_topology_event *y = b;
    int by_line = (x->happening > y->happening) - (x->happening < y->happening);

    if (by_line != 0) {
        return by_line;
    }
    return x->target != y->target ? (int)x->target - (int)y->target
                                  : (x->index > y->index) - (x->index < y->index);
}

void mt_topology_order_timeline(struct mt_topology *topology)
{
    uint32_t count = topology->happening_count;
    struct place *places = calloc(count + 1, sizeof *places);
    uint32_t *new_numbers = calloc(count + 1, sizeof *new_numbers);

    for (uint32_t i = 0; places != NULL && i < count; i++) {
        places[i] = (struct place){topology->happenings[i], i};
    }
    if (places != NULL && new_numbers != NULL && count > 0) {
        qsort(places, count, sizeof *places, compare_places);
        for (uint32_t i = 0; i < count; i++) {
            topology->happenings[i] = places[i].happening;
            new_numbers[places[i].number] = i;
        }
        for (uint32_t i = 0; i < topology->event_count; i++) {
            topology->events[i].happening = new_numbers[topology->events[i].happening];
        }
        if (topology->event_count > 0) {
            qsort(topology->events, topology->event_count, sizeof *topology->events,
                  compare_events);
        }
    }
    free(places);
    free(new_numbers);
}
