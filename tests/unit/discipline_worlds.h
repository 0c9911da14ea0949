/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The worlds that the tests of the discipline begin with.
 */
#ifndef MEANTIME_TESTS_DISCIPLINE_WORLDS_H
#define MEANTIME_TESTS_DISCIPLINE_WORLDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servo_world.h"

#define MS 1000000

static inline struct mt_span span_ns(int64_t ns)
{
    return mt_span_from_ns(ns);
}

static inline struct mt_mono mono_s(double s)
{
    return (struct mt_mono){(int64_t)(s * 1e9)};
}

static inline struct world *new_world(uint64_t seed)
{
    static struct world world;

    world_init(&world, seed);
    return &world;
}

/* a receiver 20 ppm off, in the second of its start */
static inline struct world *usual_world(uint64_t seed)
{
    struct world *world = new_world(seed);

    world->is_random = true;
    world->frequency = 20e-6;
    world->offset = 0.3;
    return world;
}

static inline struct world *locked_world(uint64_t seed)
{
    struct world *world = usual_world(seed);

    world_start(world, NULL);
    world_run(world, 200);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    world_forget(world);
    return world;
}

#endif
