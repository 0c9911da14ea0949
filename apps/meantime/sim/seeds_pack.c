/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A result between two processes of one program: structs as they lie in memory, each followed by
 * what its pointers point to.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/seeds.h"

struct octets {
    uint8_t *bytes;
    size_t length;
    size_t room;
    bool is_bad; /**< no memory, or too short */
};

static void put(struct octets *self, const void *bytes, size_t length)
{
    if (self->length + length > self->room) {
        size_t room = 2 * (self->length + length);
        uint8_t *larger = realloc(self->bytes, room);
        if (larger == NULL) {
            self->is_bad = true;
            return;
        }
        self->bytes = larger;
        self->room = room;
    }
    if (length > 0) {
        memcpy(self->bytes + self->length, bytes, length);
    }
    self->length += length;
}

static void get(struct octets *self, void *bytes, size_t length)
{
    if (self->is_bad || length > self->length - self->room) { /* `room` is what has been read */
        self->is_bad = true;
        return;
    }
    if (length > 0) {
        memcpy(bytes, self->bytes + self->room, length);
    }
    self->room += length;
}

/* A copy of what an array held; null stays null. */
static void *get_array(struct octets *self, const void *was, size_t count, size_t size)
{
    if (was == NULL || self->is_bad) {
        return NULL;
    }
    void *array = calloc(count > 0 ? count : 1, size);
    if (array == NULL) {
        self->is_bad = true;
        return NULL;
    }
    get(self, array, count * size);
    return array;
}

static void put_array(struct octets *self, const void *array, size_t count, size_t size)
{
    if (array != NULL) {
        put(self, array, count * size);
    }
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void put_statistics(struct octets *self, const struct mt_statistics *one)
{
    put(self, one, sizeof *one);
    for (size_t i = 0; i < MT_STATISTICS_OCTAVES; i++) {
        put_array(self, one->above[i], MT_STATISTICS_STEPS, sizeof *one->above[i]);
        put_array(self, one->below[i], MT_STATISTICS_STEPS, sizeof *one->below[i]);
    }
    put_array(self, one->columns, MT_STATISTICS_COLUMNS, sizeof *one->columns);
    put_array(self, one->series_ns, one->series_count, sizeof *one->series_ns);
}

static void get_statistics(struct octets *self, struct mt_statistics *one)
{
    get(self, one, sizeof *one);
    if (self->is_bad) {
        memset(one, 0, sizeof *one);
    }
    for (size_t i = 0; i < MT_STATISTICS_OCTAVES; i++) {
        one->above[i] = get_array(self, one->above[i], MT_STATISTICS_STEPS, sizeof *one->above[i]);
        one->below[i] = get_array(self, one->below[i], MT_STATISTICS_STEPS, sizeof *one->below[i]);
    }
    one->columns = get_array(self, one->columns, MT_STATISTICS_COLUMNS, sizeof *one->columns);
    one->series_ns = get_array(self, one->series_ns, one->series_count, sizeof *one->series_ns);
    one->series_room = one->series_count;
}

static void put_all(struct octets *self, const struct mt_statistics *all, uint32_t count)
{
    for (uint32_t i = 0; all != NULL && i < count; i++) {
        put_statistics(self, &all[i]);
    }
}

static struct mt_statistics *get_all(struct octets *self, const struct mt_statistics *was,
                                     uint32_t count)
{
    struct mt_statistics *all = was != NULL ? calloc(count, sizeof *all) : NULL;

    self->is_bad = self->is_bad || (was != NULL && all == NULL);
    for (uint32_t i = 0; all != NULL && i < count; i++) {
        get_statistics(self, &all[i]);
    }
    return all;
}

/* ---- results --------------------------------------------------------------------------------- */

void *mt_seeds_pack(const struct mt_run_result *result, size_t *ret_length)
{
    struct octets octets = {0};

    put(&octets, result, sizeof *result);
    put_all(&octets, result->published, result->node_count);
    put_all(&octets, result->steered, result->node_count);
    put(&octets, result->phases, result->phase_count * sizeof *result->phases);
    if (octets.is_bad) {
        free(octets.bytes);
        return NULL;
    }
    *ret_length = octets.length;
    return octets.bytes;
}

bool mt_seeds_unpack(const void *bytes, size_t length, struct mt_run_result *ret_result)
{
    struct octets octets = {.length = length};
    struct mt_run_result result = {0};

    octets.bytes = (uint8_t *)(uintptr_t)bytes;
    get(&octets, &result, sizeof result);
    if (octets.is_bad) {
        return false;
    }
    result.published = get_all(&octets, result.published, result.node_count);
    result.steered = get_all(&octets, result.steered, result.node_count);
    result.phases = get_array(&octets, result.phases, result.phase_count, sizeof *result.phases);
    if (octets.is_bad) {
        mt_run_result_free(&result);
        return false;
    }
    *ret_result = result;
    return true;
}
