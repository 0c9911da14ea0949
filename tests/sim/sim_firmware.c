/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The intervals are the default profile's, so that an hour is an hour of real traffic and does not
 * take long on an emulated processor.
 */
#include "sim_firmware.h"

#include <stdio.h>
#include <stdlib.h>

static const struct mt_sim_node_config machine = {.offset_s = 0.2,
                                                  .frequency = -40e-6,
                                                  .wander = 3e-9,
                                                  .granularity_ns = 40,
                                                  .stamp_noise_ns = 30,
                                                  .tx_stamp_loss = 0.01,
                                                  .tx_stamp_late = 0.02,
                                                  .tx_stamp_late_ns = 3000000,
                                                  .tx_stamp_delay_ns = 20000,
                                                  .max_rate = 1e-3,
                                                  .temperature_coefficient = 2e-8};
static const struct mt_sim_node_config good = {.offset_s = 0,
                                               .frequency = 1e-7,
                                               .wander = 1e-10,
                                               .granularity_ns = 8,
                                               .stamp_noise_ns = 10,
                                               .tx_stamp_delay_ns = 20000};
static const struct mt_sim_segment_config hub = {.delay_ns = 3000,
                                                 .asymmetry_ns = 20,
                                                 .jitter = MT_SIM_JITTER_EXPONENTIAL,
                                                 .jitter_ns = 200,
                                                 .loss = 0.002,
                                                 .duplication = 0.002,
                                                 .reordering = 0.002,
                                                 .reorder_ns = 50000};

#define CONF(keys) "[ptp]\n" keys "[ptp eth0]\n"

static void give_up(const char *why)
{
    fprintf(stderr, "firmware: %s\n", why);
    exit(1);
}

static void open_tables(struct firmware_net *net)
{
    struct mt_hal_provider *provider = mt_world_provider(net->lab.world, FIRMWARE_ITSELF);
    const struct mt_clock_request clock = {.kind = MT_CLOCK_OVERLAY};
    const struct mt_link_request link = {.interface = "eth0"};
    char reason[MT_HAL_REASON_SIZE] = "";

    net->tables = (struct mt_ordinary_tables){
        .clock = provider->ops->open_clock(provider, &clock, reason),
        .link = provider->ops->open_link(provider, 0, &link, reason),
        .wait = provider->wait,
    };
    if (net->tables.clock == NULL || net->tables.link == NULL) {
        give_up(reason);
    }
}

void firmware_open(struct firmware_net *net, uint64_t seed)
{
    static const char *const names[] = {"A", "B", "FW", "R"};
    static const char *const keys[] = {CONF("priority1 = 10\n"), CONF("priority1 = 20\n"), "",
                                       CONF("priority1 = 200\n")};
    lab_open(&net->lab, seed);
    net->segment = mt_world_add_segment(net->lab.world, &hub);
    for (uint32_t i = 0; i < 4; i++) {
        lab_add(&net->lab, names[i], i == FIRMWARE_ITSELF ? &machine : &good, keys[i]);
        if (!mt_world_join(net->lab.world, net->segment, i, "eth0")) {
            give_up("cannot be plugged");
        }
    }
    open_tables(net);
    lab_boot(&net->lab, FIRMWARE_A);
    lab_boot(&net->lab, FIRMWARE_B);
    lab_boot(&net->lab, FIRMWARE_RECEIVER);
}

void firmware_close(struct firmware_net *net)
{
    lab_close(&net->lab);
}

/* ---- the hour ------------------------------------------------------------------------------- */

static void cut(struct firmware_net *net, double seconds)
{
    mt_world_set_plugged(net->lab.world, FIRMWARE_ITSELF, "eth0", false);
    lab_run(&net->lab, seconds);
    mt_world_set_plugged(net->lab.world, FIRMWARE_ITSELF, "eth0", true);
}

static void lose_much(struct firmware_net *net, double seconds)
{
    struct mt_sim_segment_config *segment = mt_world_segment_config(net->lab.world, net->segment);
    struct mt_sim_node_config *node = mt_world_node_config(net->lab.world, FIRMWARE_ITSELF);

    segment->loss = 0.3;
    node->tx_stamp_loss = 0.3;
    lab_run(&net->lab, seconds);
    segment->loss = hub.loss;
    node->tx_stamp_loss = machine.tx_stamp_loss;
}

/* Both grandmasters are gone: the small machine is the next best. */
static void serve_alone(struct firmware_net *net, double seconds)
{
    lab_kill(&net->lab, FIRMWARE_A);
    lab_kill(&net->lab, FIRMWARE_B);
    lab_run(&net->lab, seconds);
}

static void do_part(struct firmware_net *net, int part)
{
    struct mt_world *world = net->lab.world;

    switch (part) {
    case 0: /* it settles on A */
        break;
    case 1: /* B takes over */
        lab_kill(&net->lab, FIRMWARE_A);
        break;
    case 2: /* A comes back, and the best of the two is followed again */
        lab_boot(&net->lab, FIRMWARE_A);
        break;
    case 3:
        cut(net, 40);
        break;
    case 4:
        lose_much(net, 300);
        break;
    case 5: /* another hand on the clock, in both directions */
        mt_world_step_clock(world, FIRMWARE_ITSELF, 0, mt_span_from_ns(1500000000));
        lab_run(&net->lab, 200);
        mt_world_step_clock(world, FIRMWARE_ITSELF, 0, mt_span_from_ns(-30000));
        break;
    case 6:
        mt_world_set_temperature(world, FIRMWARE_ITSELF, 15, 60000000000);
        break;
    case 7:
        serve_alone(net, 300);
        break;
    case 8:
        lab_boot(&net->lab, FIRMWARE_B);
        break;
    case 9: /* B jumps, A does not */
        lab_boot(&net->lab, FIRMWARE_A);
        mt_world_set_lie(world, FIRMWARE_B, 1e-3, 1e-6);
        break;
    default:
        break;
    }
}

void firmware_hour(struct firmware_net *net, void (*look)(void *context, int part), void *context)
{
    for (int part = 0; part < 10; part++) {
        do_part(net, part);
        lab_run(&net->lab, 360 * (part + 1) - lab_seconds(&net->lab));
        if (look != NULL) {
            look(context, part);
        }
    }
}

/* ---- the loop on this machine --------------------------------------------------------------- */

static void once(void *context)
{
    mt_ordinary_once(context);
}

static struct mt_mono deadline(void *context)
{
    return mt_ordinary_deadline(context);
}

void firmware_start_here(struct firmware_net *net, struct firmware_here *here)
{
    struct mt_ordinary_config config;

    firmware_configure(net->tables.clock, &config);
    mt_ordinary_init(&here->node, &config, &net->tables);
    here->program = (struct mt_sim_program){&here->node, once, deadline};
    mt_world_start_program(net->lab.world, FIRMWARE_ITSELF, &here->program);
}
