/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How long a machine has slept the kernel learns of a clock that counts seconds, or of none.  By
 * what that is wrong all clocks of the machine are wrong together, and none of them is seen to be
 * stepped: so nothing that was known of their offsets holds any more, not even within a bound.
 * What is known of frequencies does, and sources need not have changed.
 *
 * Servers are asked at once, and soon again if there is no network yet.  What others seem to have
 * done to a hardware clock, which counted the time on its own, was nobody's doing.
 */
#include "runtime/resumed.h"

#include "runtime/events.h"
#include "runtime/node.h"

static void forget_offsets(struct mt_discipline *discipline)
{
    mt_discipline_new_reference(discipline, false);
    for (uint16_t i = 0; i < discipline->source_count; i++) {
        if (discipline->sources[i].is_used) {
            mt_discipline_reset_source(discipline, i);
        }
    }
}

void mt_resumed(struct mt_node *node, const struct mt_input *input)
{
    for (uint16_t i = 0; i < node->clock_count; i++) {
        struct mt_node_clock *clock = &node->clocks[i];
        forget_offsets(&clock->discipline);
        mt_steer_oscillator_interrupt(&clock->holdover.oscillator);
        mt_rivals_resumed(&clock->rivals, input->now);
        clock->needs_report = true;
    }
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        node->refclocks[i].point_count = 0;
    }
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        mt_gnss_label_forget(&node->gnss[i].label);
    }
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        struct mt_ntp_client *client = &node->ntp[i].client;
        if (!node->ntp[i].is_free) {
            mt_ntp_client_set_poll(client, client->config.min_poll);
            mt_ntp_client_restart(client, input->now);
        }
    }
    mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_RESUMED,
                                               .at = input->now,
                                               .value.slept_ns = input->stamp.ns});
}
