/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What single precision costs.  The loop of a small machine follows a perfect grandmaster in the
 * simulator, once in double, in this process, and once in single, in another: the same worlds,
 * noise and seeds.  The steered clock's error may be 5 % larger, pooled over the seeds; then both
 * go through the hour with faults (tests/sim/sim_firmware.c), within the same limits.
 *
 *     precision PROGRAM [all]      PROGRAM: pil_firmware.c in single precision
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pil_remote.h"
#include "sim_firmware.h"

#define WORSE     1.05
#define SETTLE_S  1000
#define MEASURE_S 3000
#define LONG_S    12000
#define SEEDS     3
#define PARTS     10

struct cell {
    enum mt_sim_jitter noise;
    double jitter_ns;
    double wander;
};

static struct firmware_net net;
static struct pil_remote remote;
static struct firmware_here here;
static const char *program;

static void start(bool is_single)
{
    if (is_single) {
        pil_start(&remote, program, &net.tables);
        mt_world_start_program(net.lab.world, FIRMWARE_ITSELF, &remote.program);
    } else {
        firmware_start_here(&net, &here);
    }
}

static void stop(bool is_single)
{
    if (is_single) {
        (void)pil_stop(&remote);
    }
    firmware_close(&net);
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* Only A, which is perfect, and the small machine, which only the cell disturbs. */
static void open_cell(const struct cell *cell, uint64_t seed)
{
    firmware_open(&net, seed);
    lab_kill(&net.lab, FIRMWARE_B);
    lab_kill(&net.lab, FIRMWARE_RECEIVER);
    *mt_world_node_config(net.lab.world, FIRMWARE_A) = (struct mt_sim_node_config){0};
    *mt_world_node_config(net.lab.world, FIRMWARE_ITSELF) =
        (struct mt_sim_node_config){.frequency = -40e-6, .wander = (mt_real)cell->wander};
    *mt_world_segment_config(net.lab.world, net.segment) = (struct mt_sim_segment_config){
        .delay_ns = 3000, .jitter = cell->noise, .jitter_ns = (mt_real)cell->jitter_ns};
}

/* Mean square of the clock's offset, ns^2, read once a second. */
static double squares(const struct cell *cell, uint64_t seed, bool is_single, unsigned seconds)
{
    double sum = 0;
    open_cell(cell, seed);
    start(is_single);
    lab_run(&net.lab, SETTLE_S);
    for (unsigned i = 0; i < seconds; i++) {
        lab_run(&net.lab, 1);
        const double off_ns =
            lab_offset_ns(&net.lab, FIRMWARE_ITSELF, 0) - lab_offset_ns(&net.lab, FIRMWARE_A, 0);
        sum += off_ns * off_ns;
    }
    stop(is_single);
    return sum / seconds;
}

static bool judge_cell(const struct cell *cell, unsigned seconds)
{
    double exact = 0;
    double single = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        exact += squares(cell, seed, false, seconds) / SEEDS;
        single += squares(cell, seed, true, seconds) / SEEDS;
    }
    const double ratio = sqrt(single / exact);
    const bool is_held = ratio <= WORSE && exact > 0;
    printf("%-12s %8.0f %8.0e %10.3f %10.3f %8.4f%s\n",
           cell->noise == MT_SIM_JITTER_NORMAL ? "normal" : "exponential", cell->jitter_ns,
           cell->wander, sqrt(exact), sqrt(single), ratio, is_held ? "" : "  TOO MUCH");
    fflush(stdout);
    return is_held;
}

static bool judge_cells(bool is_all)
{
    static const enum mt_sim_jitter noises[] = {MT_SIM_JITTER_NORMAL, MT_SIM_JITTER_EXPONENTIAL};
    static const double jitters_ns[] = {100, 1000, 10, 10000};
    static const double wanders[] = {1e-9, 1e-10};
    bool is_held = true;
    printf("%-12s %8s %8s %10s %10s %8s\n", "noise", "J ns", "wander", "double ns", "single ns",
           "ratio");
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < (is_all ? 4 : 2); j++) {
            for (unsigned k = 0; k < (is_all ? 2 : 1); k++) {
                const struct cell cell = {noises[i], jitters_ns[j], wanders[k]};
                is_held &= judge_cell(&cell, is_all ? LONG_S : MEASURE_S);
            }
        }
    }
    return is_held;
}

/* ---- the hour -------------------------------------------------------------------------------- */

struct hour {
    double off_ns[PARTS];   /* from true time */
    double apart_ns[PARTS]; /* from a daemon that follows the same */
};

static void look(void *context, int part)
{
    struct hour *hour = context;
    hour->off_ns[part] = lab_offset_ns(&net.lab, FIRMWARE_ITSELF, 0);
    hour->apart_ns[part] = hour->off_ns[part] - lab_offset_ns(&net.lab, FIRMWARE_RECEIVER, 0);
}

/* The limits of test_sim_ordinary.c.  In part 7 the machine serves alone, in holdover. */
static bool judge_hour(bool is_single)
{
    struct hour hour;
    bool is_held = true;
    firmware_open(&net, 1);
    start(is_single);
    firmware_hour(&net, look, &hour);
    stop(is_single);
    printf("hour, %s: ", is_single ? "single" : "double");
    for (int part = 0; part < PARTS; part++) {
        const bool is_right =
            part == 7 || (fabs(hour.off_ns[part]) < 400000 && fabs(hour.apart_ns[part]) < 1000);
        printf(" %.0f%s", hour.apart_ns[part], is_right ? "" : " (too much)");
        is_held &= is_right;
    }
    printf(" ns from a receiver on the same segment\n");
    return is_held;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: precision PROGRAM [all]\n");
        return 2;
    }
    program = argv[1];
    const bool is_all = (argc > 2 && strcmp(argv[2], "all") == 0) || lab_is_long();
    const bool is_held = judge_cells(is_all);
    const bool is_same = judge_hour(false) && judge_hour(true);
    return is_held && is_same ? 0 : 1;
}
