/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The server of stateless PTP: one function makes the first frame of an answer, the other the
 * second.  Both are pure, so a worker thread can call them with its own copy of the snapshot, and
 * a simulation with a hundred thousand clients is a loop.
 *
 * Requests are refused cheapest check first.  What an answer cannot do is be a request: an SPTP
 * request is a Delay_Req, a CSPTP request has a TLV that answers do not have; so two servers whose
 * addresses were forged into a request do not keep one another busy.
 */
#include "ptp/stateless_private.h"

#define EVENT_PORT    319
#define CORRECTION_AT 8 /* in a frame */
#define ORIGIN_AT     34

void mt_served_take(const struct mt_instance *instance, const struct mt_port *port,
                    struct mt_served *ret_served)
{
    const struct mt_clock_condition *clock = &instance->clock;
    *ret_served = (struct mt_served){
        .is_serving = instance->receiving_port == 0 ? !instance->config.is_receiver_only
                                                    : instance->was_calibrated,
        .domain = instance->config.domain,
        .sdo_id = instance->config.sdo_id,
        .minor_version = instance->config.minor_version,
        .flags = instance->time.flags,
        .utc_offset = instance->time.utc_offset,
        .time_source = instance->time.time_source,
        .dataset = instance->parent,
        .identity = port->identity,
    };
    if (clock->shows == MT_CLOCK_SHOWS_PTP) {
        ret_served->flags |= MT_PTP_TIMESCALE;
    }
    if (instance->receiving_port != 0 && !clock->is_locked) {
        ret_served->flags |= MT_PTP_UNCERTAIN;
    }
}

static enum mt_stateless_counter check(const struct mt_stateless_server *self,
                                       const struct mt_served *served,
                                       const struct mt_ptp_message *message,
                                       const struct mt_instant *arrival,
                                       const struct mt_address *from)
{
    const struct mt_ptp_header *header = &message->header;
    bool is_sptp = self->serves_sptp && mt_sptp_is_request(message);
    if (!is_sptp && !(self->serves_csptp && mt_csptp_is_request(message))) {
        return MT_STATELESS_OTHER;
    }
    if (header->domain != served->domain || (is_sptp && header->sdo_id != served->sdo_id)) {
        return MT_STATELESS_DOMAIN;
    }
    if (arrival == NULL || from == NULL) {
        return MT_STATELESS_NO_TIMESTAMP;
    }
    if (self->allowed_count != 0 &&
        !mt_address_is_within(from, self->allowed, self->allowed_count)) {
        return MT_STATELESS_REFUSED;
    }
    if (mt_interval_is_too_large(header->correction)) {
        return MT_STATELESS_CORRECTION;
    }
    return served->is_serving ? MT_STATELESS_ANSWERED : MT_STATELESS_NOT_SERVING;
}

enum mt_stateless_counter mt_stateless_answer(const struct mt_stateless_server *self,
                                              const struct mt_served *served, const uint8_t *octets,
                                              size_t length, const struct mt_instant *arrival,
                                              const struct mt_address *from,
                                              struct mt_stateless_answer *ret_answer)
{
    struct mt_ptp_message message;
    if (mt_ptp_parse(octets, length, &message) != MT_VERDICT_ACCEPTED) {
        return MT_STATELESS_MALFORMED;
    }
    enum mt_stateless_counter outcome = check(self, served, &message, arrival, from);
    if (outcome != MT_STATELESS_ANSWERED) {
        return outcome;
    }
    struct mt_interval fraction;
    struct mt_stateless_request request = {.message = &message};
    bool is_sptp = message.header.type == MT_PTP_DELAY_REQ;
    mt_ptp_timestamp_from_instant(arrival, &request.t4, &fraction);
    request.reverse = mt_interval_minus(message.header.correction, fraction);
    size_t written = is_sptp ? mt_sptp_answer(self, served, &request, ret_answer->frame)
                             : mt_csptp_answer(self, served, &request, ret_answer->frame);
    if (written == 0) {
        return MT_STATELESS_TOO_SHORT;
    }
    ret_answer->length = written;
    ret_answer->rest = (struct mt_stateless_rest){
        .form = is_sptp ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP,
        .domain = message.header.domain,
        .is_one_step = !is_sptp && self->csptp_one_step,
        .sequence = message.header.sequence,
        .path = (uint16_t)(is_sptp ? mt_sptp_path(&message) : 0),
        .correction = request.reverse,
        .to = *from,
    };
    return MT_STATELESS_ANSWERED;
}

static void put(uint8_t *octets, unsigned count, uint64_t value)
{
    while (count > 0) {
        octets[--count] = (uint8_t)value;
        value >>= 8;
    }
}

void mt_stateless_insert(struct mt_stateless_answer *answer, const struct mt_instant *departure)
{
    struct mt_ptp_timestamp t1;
    struct mt_interval fraction;
    mt_ptp_timestamp_from_instant(departure, &t1, &fraction);
    put(answer->frame + CORRECTION_AT, 8, (uint64_t)fraction.q16);
    put(answer->frame + ORIGIN_AT, 6, t1.s);
    put(answer->frame + ORIGIN_AT + 6, 4, t1.ns);
}

size_t mt_stateless_finish(const struct mt_served *served, const struct mt_stateless_rest *rest,
                           const struct mt_instant *departure, uint8_t *buffer, size_t capacity)
{
    struct mt_ptp_timestamp t1;
    struct mt_interval fraction;
    struct mt_ptp_message message;
    memset(&message, 0, sizeof message);
    message.header.domain = rest->domain;
    message.header.sequence = rest->sequence;
    message.header.log_interval = MT_PTP_LOG_INTERVAL_NONE;
    mt_ptp_timestamp_from_instant(departure, &t1, &fraction);
    if (rest->form == MT_STATELESS_SPTP) {
        mt_sptp_finish(served, rest, &t1, &message);
    } else {
        mt_csptp_finish(&t1, &fraction, &message);
    }
    return mt_ptp_write(&message, buffer, capacity);
}

uint16_t mt_stateless_general_port(const struct mt_stateless_rest *rest)
{
    return rest->to.udp_port == EVENT_PORT ? 0 : rest->to.udp_port;
}
