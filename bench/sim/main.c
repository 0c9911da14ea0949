/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Worlds against the clock: builds one, lets it settle, then counts the frames that are handed to
 * nodes and the processor time that this takes.  All nodes run the production configuration, loop
 * and core; nothing is recorded or observed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compose/compose.h"
#include "platform/sim/sim_world.h"

#define NODES_MAX 4096
#define TEXT_SIZE 4096

struct bench {
    struct mt_world *world;
    uint32_t node_count;
    struct bench_node {
        unsigned port_count;
        const char *keys;
        struct mt_config *config;
        struct mt_composition *composition;
    } nodes[NODES_MAX];
};

static const char server_keys[] = "";
static const char grandmaster_keys[] = "priority1 = 1\n";

static _Noreturn void give_up(const char *sentence)
{
    fprintf(stderr, "bench-sim: %s\n", sentence);
    exit(1);
}

/* ---- building -------------------------------------------------------------------------------- */

/* Oscillators as servers have them: up to 20 ppm off, each another. */
static uint32_t add_node(struct bench *self, const char *keys)
{
    const struct mt_sim_node_config config = {
        .offset_s = 0.001 * (self->node_count % 17),
        .frequency = ((int)(self->node_count * 7 % 41) - 20) * 1e-6,
        .wander = 1e-9,
        .granularity_ns = 8,
        .tx_stamp_delay_ns = 20000,
    };

    if (self->node_count == NODES_MAX) {
        give_up("too many nodes");
    }
    self->nodes[self->node_count].keys = keys;
    self->node_count++;
    return mt_world_add_node(self->world, &config);
}

static const struct mt_sim_segment_config cable = {
    .delay_ns = 500, .jitter = MT_SIM_JITTER_EXPONENTIAL, .jitter_ns = 50};

static void plug(struct bench *self, uint32_t segment, uint32_t node)
{
    char name[16];

    snprintf(name, sizeof name, "eth%u", self->nodes[node].port_count++);
    if (!mt_world_join(self->world, segment, node, name)) {
        give_up("a cable does not fit");
    }
}

static void connect(struct bench *self, uint32_t a, uint32_t b)
{
    uint32_t segment = mt_world_add_segment(self->world, &cable);

    plug(self, segment, a);
    plug(self, segment, b);
}

static void boot(struct bench *self, uint32_t number)
{
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    struct bench_node *node = &self->nodes[number];
    struct mt_hal_provider *provider = mt_world_provider(self->world, number);
    struct mt_config_problems problems = {0};
    char reason[MT_HAL_REASON_SIZE] = "";
    char text[TEXT_SIZE];
    size_t length = (size_t)snprintf(text, sizeof text,
                                     "[ptp]\nlog_sync_interval = 0\nlog_min_delay_req_interval = 0"
                                     "\n%s",
                                     node->keys);

    for (unsigned i = 0; i < node->port_count; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "[ptp eth%u]\n", i);
    }
    if (!mt_config_parse(text, length, "bench", NULL, 0, &node->config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        give_up("wrong configuration");
    }
    node->composition = mt_compose(node->config, provider, &facts, reason);
    if (node->composition == NULL) {
        give_up(reason);
    }
    struct mt_mono now = provider->wait->ops->now(provider->wait);
    mt_node_start(&node->composition->node, now);
    mt_world_start(self->world, number, &node->composition->node, provider->wait);
}

/* Two grandmasters, 4 spine and 16 leaf boundary clocks, 13 servers at each leaf. */
static void build_data_centre(struct bench *self)
{
    for (uint32_t i = 0; i < 2; i++) {
        add_node(self, grandmaster_keys);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t spine = add_node(self, server_keys);
        connect(self, 0, spine);
        connect(self, 1, spine);
    }
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t leaf = add_node(self, server_keys);
        for (uint32_t spine = 2; spine < 6; spine++) {
            connect(self, spine, leaf);
        }
    }
    for (uint32_t i = 0; i < 208; i++) {
        connect(self, 6 + i / 13, add_node(self, server_keys));
    }
}

/* One grandmaster with a cable to each receiver. */
static void build_star(struct bench *self)
{
    add_node(self, grandmaster_keys);
    for (uint32_t i = 0; i < 40; i++) {
        connect(self, 0, add_node(self, server_keys));
    }
}

/* All on one segment: each hears all, as multicast has it. */
static void build_lan(struct bench *self)
{
    uint32_t segment = mt_world_add_segment(self->world, &cable);

    plug(self, segment, add_node(self, grandmaster_keys));
    for (uint32_t i = 0; i < 63; i++) {
        plug(self, segment, add_node(self, server_keys));
    }
}

/* ---- measuring ------------------------------------------------------------------------------- */

static void run_until(struct bench *self, double s)
{
    if (!mt_world_run_until(self->world, (int64_t)(s * 1e9))) {
        give_up(mt_world_complaint(self->world));
    }
}

/* Each node but the grandmasters must have come to follow: a fast world that does nothing is no
 * achievement. */
static unsigned count_locked(const struct bench *self)
{
    unsigned locked = 0;

    for (uint32_t i = 0; i < self->node_count; i++) {
        struct mt_world_reading reading;
        locked +=
            mt_world_read_page(self->world, i, 0, &reading) && reading.state == MT_CLOCK_LOCKED;
    }
    return locked;
}

static void measure(struct bench *self, const char *name, double settle_s, double seconds)
{
    run_until(self, settle_s);
    struct mt_world_counters before = *mt_world_count(self->world);
    clock_t start = clock();
    run_until(self, settle_s + seconds);
    double cpu_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    const struct mt_world_counters *after = mt_world_count(self->world);
    uint64_t messages = after->delivered - before.delivered;

    printf("{\"world\":\"%s\",\"nodes\":%u,\"locked\":%u,\"simulated_s\":%.0f,\"messages\":%llu,"
           "\"steps\":%llu,\"cpu_s\":%.3f,\"messages_per_s\":%.0f}\n",
           name, self->node_count, count_locked(self), seconds, (unsigned long long)messages,
           (unsigned long long)(after->steps - before.steps), cpu_s, (double)messages / cpu_s);
}

static void tear_down(struct bench *self)
{
    for (uint32_t i = 0; i < self->node_count; i++) {
        mt_composition_free(self->nodes[i].composition);
        mt_config_free(self->nodes[i].config);
    }
    mt_world_free(self->world);
    free(self);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 60;
    struct bench *self = calloc(1, sizeof *self);

    if (self == NULL || (self->world = mt_world_new(1)) == NULL) {
        give_up("out of memory");
    }
    if (strcmp(name, "data-centre") == 0) {
        build_data_centre(self);
    } else if (strcmp(name, "star") == 0) {
        build_star(self);
    } else if (strcmp(name, "lan") == 0) {
        build_lan(self);
    } else {
        give_up("usage: bench-sim data-centre|star|lan SECONDS");
    }
    for (uint32_t i = 0; i < self->node_count; i++) {
        boot(self, i);
    }
    measure(self, name, 30, seconds);
    tear_down(self);
    return 0;
}
