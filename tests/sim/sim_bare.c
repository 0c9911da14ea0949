/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Nodes without instances: their runtime takes each input and does nothing with it, which is enough
 * for frames to arrive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim_bare.h"

static double since_ns(struct mt_base_time later, struct mt_base_time earlier)
{
    return (double)(later.ns - earlier.ns) + (later.frac - earlier.frac) / 65536.0;
}

static void see_arrival(void *context, const struct mt_world_arrival *arrival)
{
    struct bare *bare = context;

    if (bare->count < BARE_ARRIVALS) {
        bare->arrivals[bare->count] = (struct bare_arrival){
            .node = arrival->node,
            .from = arrival->from_node,
            .way_ns = since_ns(arrival->arrival, arrival->departure),
            .mark = arrival->bytes[0],
        };
    }
    bare->count++;
}

void bare_open(struct bare *bare, uint64_t seed)
{
    memset(bare, 0, sizeof *bare);
    bare->world = mt_world_new(seed);
    assert_non_null(bare->world);
    mt_world_observe(bare->world,
                     &(struct mt_world_observer){.context = bare, .arrival = see_arrival});
}

void bare_close(struct bare *bare)
{
    assert_string_equal(mt_world_complaint(bare->world), "");
    mt_world_free(bare->world);
}

uint32_t bare_add(struct bare *bare, uint32_t segment)
{
    const struct mt_sim_node_config perfect = {0};
    char reason[MT_HAL_REASON_SIZE];
    uint32_t node = mt_world_add_node(bare->world, &perfect);
    struct mt_hal_provider *provider = mt_world_provider(bare->world, node);

    assert_true(node < BARE_NODES);
    assert_true(mt_world_join(bare->world, segment, node, "eth0"));
    bare->links[node] = provider->ops->open_link(
        provider, 0, &(struct mt_link_request){.interface = "eth0"}, reason);
    mt_world_start(bare->world, node, &bare->runtimes[node], provider->wait);
    bare->node_count++;
    return node;
}

void bare_pair(struct bare *bare, uint64_t seed, const struct mt_sim_segment_config *config)
{
    bare_open(bare, seed);
    uint32_t segment = mt_world_add_segment(bare->world, config);
    bare_add(bare, segment);
    bare_add(bare, segment);
}

void bare_switch(struct bare *bare, uint64_t seed, const struct mt_sim_switch_config *config)
{
    const struct mt_sim_segment_config cable = {0};

    bare_open(bare, seed);
    uint32_t between = mt_world_add_switch(bare->world, config);
    for (int i = 0; i < 2; i++) {
        uint32_t segment = mt_world_add_segment(bare->world, &cable);
        bare_add(bare, segment);
        assert_true(mt_world_join_switch(bare->world, segment, between));
    }
}

void bare_send(struct bare *bare, uint32_t node, uint8_t mark)
{
    const uint8_t bytes[44] = {mark};
    const struct mt_link_frame frame = {.bytes = bytes, .length = sizeof bytes, .is_event = true};

    (void)bare->links[node]->ops->send(bare->links[node], &frame);
}

void bare_run(struct bare *bare, int64_t ns)
{
    assert_true(mt_world_run_until(bare->world, mt_world_t_ns(bare->world) + ns));
}

void bare_send_many(struct bare *bare, uint32_t node, uint32_t count, int64_t interval_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        bare_send(bare, node, (uint8_t)i);
        bare_run(bare, interval_ns);
    }
    bare_run(bare, BARE_S_NS);
}

struct bare_moments bare_ways(const struct bare *bare, uint32_t node)
{
    struct bare_moments moments = {.least = 1e300, .most = -1e300};
    double squares = 0;

    for (uint32_t i = 0; i < bare->count; i++) {
        double way_ns = bare->arrivals[i].way_ns;

        if (bare->arrivals[i].node == node) {
            moments.count++;
            moments.mean += way_ns;
            squares += way_ns * way_ns;
            moments.least = way_ns < moments.least ? way_ns : moments.least;
            moments.most = way_ns > moments.most ? way_ns : moments.most;
        }
    }
    assert_true(moments.count > 0);
    moments.mean /= moments.count;
    moments.sd = mt_real_sqrt(squares / moments.count - moments.mean * moments.mean);
    return moments;
}

double bare_beyond(const struct bare *bare, uint32_t node, double way_ns)
{
    uint32_t count = 0;
    uint32_t beyond = 0;

    for (uint32_t i = 0; i < bare->count; i++) {
        if (bare->arrivals[i].node == node) {
            count++;
            beyond += bare->arrivals[i].way_ns > way_ns;
        }
    }
    return (double)beyond / count;
}
