/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Only longer intervals are told: of shorter ones the samples themselves tell soon enough, and a
 * transmitter that names a longer one than it keeps is not believed again until it names another.
 * Hot standby goes by the samples alone: it has somebody else to follow.
 */
#include "runtime/pace.h"

#include "meantime/ptp_intervals.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_unicast.h"
#include "runtime/node.h"

#define TYPE_MASK       0x0F
#define LOG_INTERVAL_AT 33

static void expect(struct mt_node *node, uint16_t index, uint16_t port, int8_t log_interval,
                   struct mt_mono now)
{
    const struct mt_node_instance *instance = &node->instances[index];
    mt_discipline_expect(&node->clocks[instance->clock].discipline,
                         instance->ports[port - 1].source, mt_log2s_to_ns(log_interval), now);
}

static bool is_sync_of_parent(const struct mt_instance *ptp, uint16_t port,
                              const struct mt_input *input, enum mt_verdict verdict)
{
    return verdict == MT_VERDICT_ACCEPTED && input->length >= MT_PTP_HEADER_SIZE &&
           (input->bytes[0] & TYPE_MASK) == MT_PTP_SYNC && mt_instance_receiving_port(ptp) == port;
}

/* Some who grant Syncs name no interval in them: then it is the one that they have granted. */
static int8_t interval_of(const struct mt_instance *ptp, uint16_t port,
                          const struct mt_input *input)
{
    const struct mt_port_more *more = ptp->ports[port - 1].config.more;
    const struct mt_requester *requester = more != NULL ? more->requester : NULL;
    int8_t log_interval = (int8_t)input->bytes[LOG_INTERVAL_AT];
    if (log_interval != MT_PTP_LOG_INTERVAL_NONE || requester == NULL ||
        requester->selected >= requester->count) {
        return log_interval;
    }
    const struct mt_unicast_service *sync =
        &requester->table[requester->selected].services[MT_SERVICE_SYNC];
    return sync->is_granted ? sync->log_interval : log_interval;
}

void mt_pace_frame(struct mt_node *node, uint16_t instance, uint16_t port,
                   const struct mt_input *input, enum mt_verdict verdict)
{
    struct mt_node_port *self = &node->instances[instance].ports[port - 1];
    if (!is_sync_of_parent(&node->instances[instance].ptp, port, input, verdict)) {
        return;
    }
    int8_t log_interval = interval_of(&node->instances[instance].ptp, port, input);
    bool is_longer = self->has_log_sync && log_interval > self->log_sync;
    self->has_log_sync =
        log_interval >= MT_LOG_INTERVAL_LOWEST && log_interval <= MT_LOG_INTERVAL_HIGHEST;
    self->log_sync = log_interval;
    if (is_longer && self->has_log_sync) {
        expect(node, instance, port, log_interval, input->now);
    }
}

void mt_pace_sample(struct mt_node *node, uint16_t instance, uint16_t port, struct mt_mono now)
{
    const struct mt_port_more *more = node->instances[instance].ptp.ports[port - 1].config.more;
    int8_t log_interval;
    if (more != NULL && more->intervals != NULL &&
        mt_intervals_awaits(more->intervals, &log_interval) &&
        log_interval > node->instances[instance].ports[port - 1].log_sync) {
        expect(node, instance, port, log_interval, now);
    }
}
