/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The end-to-end delay mechanism, receiver's side [1588-2019 11.3].
 *
 * Requests are spread at random, mean distance 2^logMinDelayReqInterval, as the parent asks in its
 * responses.  A few exchanges may be under way at once, for paths longer than the interval; the
 * oldest is given up for a new one.  Departure stamp and answer may come in either order; both
 * together are one reverse measurement, (t4 - t3).  The configured asymmetry travels in the
 * request's correctionField and comes back in the response's, so that it counts exactly once.
 */
#include "ptp/ptp_private.h"

static void arm(struct mt_instance *self, struct mt_port *port, int64_t spread_ns)
{
    mt_timer_arm(self, port, MT_TIMER_DELAY_REQ, mt_random_ns(self, spread_ns));
}

static void start(struct mt_instance *self, struct mt_port *port)
{
    struct mt_delay_request *delay = &port->delay;
    memset(delay->exchange, 0, sizeof delay->exchange);
    delay->log_interval = port->config.log_min_delay_req_interval;
    arm(self, port, mt_log2s_to_ns(delay->log_interval));
}

static void due(struct mt_instance *self, struct mt_port *port)
{
    mt_port_request(port, MT_FRAME_DELAY_REQ);
    arm(self, port, 2 * mt_log2s_to_ns(port->delay.log_interval));
}

static void fill(struct mt_port *port, struct mt_outgoing *out)
{
    struct mt_delay_request *delay = &port->delay;
    struct mt_delay_exchange *exchange = &delay->exchange[delay->next];
    struct mt_ptp_header *header = &out->message.header;
    if (exchange->token != 0) {
        mt_port_count(port,
                      exchange->has_arrival ? MT_COUNT_TX_STAMP_LOST : MT_COUNT_DELAY_UNANSWERED);
    }
    delay->next = (uint8_t)((delay->next + 1) % MT_DELAY_OUTSTANDING);
    exchange->token = out->token;
    exchange->sequence = delay->sequence;
    exchange->has_departure = false;
    exchange->has_arrival = false;
    header->sequence = delay->sequence++;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    header->correction = mt_interval_minus(header->correction, port->config.delay_asymmetry);
}

static void complete(struct mt_instance *self, struct mt_port *port,
                     struct mt_delay_exchange *exchange)
{
    if (exchange->has_departure && exchange->has_arrival) {
        mt_span_between(&exchange->departure.at, &exchange->arrival, &port->sample.value);
        mt_port_measured(self, port, MT_SAMPLE_REVERSE, &exchange->departure);
        exchange->token = 0;
    }
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    for (unsigned i = 0; i < MT_DELAY_OUTSTANDING; i++) {
        struct mt_delay_exchange *exchange = &port->delay.exchange[i];
        if (exchange->token != token || exchange->has_departure) {
            continue;
        }
        if (stamp == NULL) {
            exchange->token = 0;
            return true;
        }
        exchange->has_departure = true;
        exchange->departure = *stamp;
        mt_instant_add(&exchange->departure.at, &port->config.egress_latency);
        complete(self, port, exchange);
        return true;
    }
    return false;
}

static void adopt_interval(struct mt_port *port, int8_t log_interval)
{
    if (mt_log_interval_is_allowed(log_interval)) {
        port->delay.log_interval = log_interval;
    } else if (log_interval != MT_PTP_LOG_INTERVAL_NONE) {
        mt_port_count(port, MT_COUNT_INTERVAL_REFUSED);
    }
}

static enum mt_verdict response(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message)
{
    const struct mt_ptp_header *header = &message->header;
    if (!mt_port_identity_equal(&message->body.response.requester, &port->identity)) {
        return MT_VERDICT_ACCEPTED; /* everybody hears the answers to everybody */
    }
    for (unsigned i = 0; i < MT_DELAY_OUTSTANDING; i++) {
        struct mt_delay_exchange *exchange = &port->delay.exchange[i];
        if (exchange->token == 0 || exchange->sequence != header->sequence ||
            exchange->has_arrival) {
            continue;
        }
        adopt_interval(port, header->log_interval);
        exchange->has_arrival = true;
        exchange->arrival = mt_ptp_timestamp_to_instant(&message->body.response.at, MT_SCALE_ARB);
        mt_instant_subtract(&exchange->arrival, &header->correction);
        complete(self, port, exchange);
        return MT_VERDICT_ACCEPTED;
    }
    return MT_VERDICT_NOT_REQUESTED;
}

const struct mt_delay_part mt_delay_e2e = {start, due, fill, response, tx_done};
