/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a receiver reaches with the core that this program is linked with, as lines
 *     world rms_ns locked_after_s readings_outside_the_bound
 * compare_precisions.py sets those of both precisions side by side.
 */
#include <stdio.h>

#include "servo_world.h"

#define SEEDS   4
#define SETTLED 1000
#define SEEN    6000

static struct world world;

static void run(const char *name, enum world_noise noise, bool is_free)
{
    struct mt_skewness skewness[WORLD_SOURCES];
    struct mt_steer_config config;
    double squares = 0;
    double locked_after_s = 0;
    unsigned outside = 0;

    mt_steer_config_init(&config);
    config.estimates_only = is_free;
    config.skewness = skewness;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_init(&world, seed);
        world.noise = noise;
        world.is_random = true;
        world.frequency = 20e-6;
        world.offset = 0.3;
        mt_skewness_init(&skewness[0]);
        mt_skewness_init(&skewness[1]);
        world_start(&world, &config);
        world_run(&world, SETTLED);
        world_forget(&world);
        world_run(&world, SEEN);
        squares += world.sums.estimate_squares / world.sums.estimate_count;
        locked_after_s += world.locked_at < 0 ? 1e6 : world.locked_at;
        outside += world.sums.outside_bound;
    }
    printf("%s %.3f %.1f %u\n", name, 1e9 * mt_real_sqrt(squares / SEEDS), locked_after_s / SEEDS,
           outside);
}

int main(void)
{
    run("steered,normal", WORLD_NORMAL, false);
    run("steered,exponential", WORLD_EXPONENTIAL, false);
    run("free,normal", WORLD_NORMAL, true);
    return 0;
}
