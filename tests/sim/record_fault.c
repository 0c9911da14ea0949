/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: record_fault FILE
 *
 * Writes the log of a fault, for tests/tool/test_replay.py: B follows A over a cable with jitter,
 * a message a second; after a minute A's clock is wrong by 1 ms from one moment to the next, and A
 * does not know it.  It is what `meantimed --record` would have written on B.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim_lab.h"

#define A 0
#define B 1

#define FAULT_S 60
#define REST_S  60

static const char config[] = "[ptp]\n"
                             "log_announce_interval = 0\n"
                             "log_sync_interval = 0\n"
                             "log_min_delay_req_interval = 0\n"
                             "priority1 = %d\n"
                             "[ptp eth0]\n";

static void add(struct lab *lab, const char *name, const struct mt_sim_node_config *node,
                int priority1)
{
    char text[sizeof config + 8];

    snprintf(text, sizeof text, config, priority1);
    lab_add(lab, name, node, text);
}

static void live(struct lab *lab, struct lab_log *log)
{
    const struct mt_sim_segment_config cable = {
        .delay_ns = 10000, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 200};
    const struct mt_sim_node_config a = {.offset_s = 0, .frequency = 0};
    const struct mt_sim_node_config b = {.offset_s = 0.25, .frequency = 12e-6, .wander = 1e-9};

    lab_open(lab, 1);
    add(lab, "A", &a, 100);
    add(lab, "B", &b, 200);
    lab_cable(lab, &cable, A, "eth0", B, "eth0");
    lab_record(lab, B, log);
    lab_boot(lab, A);
    lab_boot(lab, B);
    lab_run(lab, FAULT_S);
    mt_world_set_lie(lab->world, A, 1e-3, 0);
    lab_run(lab, REST_S);
    lab_stop(lab, B);
    lab_close(lab);
}

int main(int argc, char **argv)
{
    static struct lab lab;
    struct lab_log log = {0};
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;

    if (file == NULL) {
        fputs("usage: record_fault FILE\n", stderr);
        return EXIT_FAILURE;
    }
    live(&lab, &log);
    bool is_written = fwrite(log.octets, 1, log.length, file) == log.length;
    is_written = fclose(file) == 0 && is_written;
    free(log.octets);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
