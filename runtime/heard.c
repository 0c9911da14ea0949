/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The core counts and says nothing, so everything here compares a counter with what it was when
 * something was told, or looks at a frame once more that the core has refused.  That is done after
 * each input; ports are few.  What is told goes by inputs alone, so a replay tells the same.
 *
 * A Delay_Req is counted as unanswered when its place is needed for another one, that is some
 * requests later.  Answers whose transmit timestamp did not come are none of that.  Nor is it worth
 * telling of a transmitter that is gone altogether, so Syncs have to come all the time.
 */
#include "runtime/heard.h"

#include <string.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_unicast.h"
#include "runtime/events.h"

#define HEADER_SIZE 34
#define DOMAIN_AT   4
#define SDO_AT      5
#define SENDER_AT   20

static struct mt_heard *heard_of(const struct mt_node *node, uint16_t instance, uint16_t port)
{
    return &node->instances[instance].ports[port - 1].heard;
}

static const struct mt_port *port_of(const struct mt_node *node, uint16_t instance, uint16_t port)
{
    return &node->instances[instance].ptp.ports[port - 1];
}

static void tell(struct mt_node *node, uint16_t instance, const struct mt_heard_told *told,
                 struct mt_mono now)
{
    mt_node_tell(node,
                 &(struct mt_node_event){
                     .kind = MT_NODE_HEARD, .at = now, .index = instance, .value.heard = *told});
}

/* ---- delay ----------------------------------------------------------------------------------- */

uint64_t mt_heard_unanswered(const struct mt_node *node, uint16_t instance, uint16_t port)
{
    return port_of(node, instance, port)->counters[MT_COUNT_DELAY_UNANSWERED] -
           heard_of(node, instance, port)->unanswered;
}

static void begin_anew(const struct mt_node *node, uint16_t instance, uint16_t port)
{
    struct mt_heard *self = heard_of(node, instance, port);
    self->unanswered = port_of(node, instance, port)->counters[MT_COUNT_DELAY_UNANSWERED];
    self->syncs = 0;
    self->is_unanswered = false;
}

void mt_heard_sample(struct mt_node *node, uint16_t instance, uint16_t port,
                     enum mt_sample_kind kind, struct mt_mono now)
{
    const struct mt_heard_told told = {.event = MT_HEARD_DELAY, .port = port};
    bool was_unanswered = heard_of(node, instance, port)->is_unanswered;
    if (kind != MT_SAMPLE_REVERSE) {
        heard_of(node, instance, port)->syncs++;
        return;
    }
    begin_anew(node, instance, port);
    if (was_unanswered) {
        tell(node, instance, &told, now);
    }
}

void mt_heard_parent(struct mt_node *node, uint16_t instance)
{
    for (uint16_t port = 1; port <= node->instances[instance].ptp.port_count; port++) {
        begin_anew(node, instance, port);
    }
}

static void look_at_delay(struct mt_node *node, uint16_t instance, uint16_t port,
                          struct mt_mono now)
{
    struct mt_heard *self = heard_of(node, instance, port);
    const struct mt_heard_told told = {.event = MT_HEARD_NO_DELAY,
                                       .port = port,
                                       .count = mt_heard_unanswered(node, instance, port)};
    if (mt_instance_receiving_port(&node->instances[instance].ptp) != port) {
        begin_anew(node, instance, port);
    } else if (told.count >= MT_HEARD_PATIENCE && self->syncs >= MT_HEARD_PATIENCE &&
               !self->is_unanswered) {
        self->is_unanswered = true;
        tell(node, instance, &told, now);
    }
}

/* ---- refused messages ------------------------------------------------------------------------ */

static void look_at_refused(struct mt_node *node, uint16_t instance, uint16_t port,
                            enum mt_verdict verdict, struct mt_mono now)
{
    struct mt_heard *self = heard_of(node, instance, port);
    bool is_forged = verdict == MT_VERDICT_FORGED;
    struct mt_heard_refused *refused = is_forged ? &self->forged : &self->without_code;
    uint64_t count = port_of(node, instance, port)->verdicts[verdict];
    const struct mt_heard_told told = {.event = is_forged ? MT_HEARD_FORGED : MT_HEARD_UNSIGNED,
                                       .port = port,
                                       .count = count - refused->told,
                                       .sender = refused->sender};
    if (told.count == 0 || now.ns < refused->tell_at.ns) {
        return;
    }
    refused->told = count;
    refused->tell_at = mt_mono_plus(now, MT_HEARD_AGAIN_NS);
    tell(node, instance, &told, now);
}

static struct mt_port_identity sender_of(const uint8_t *frame)
{
    struct mt_port_identity sender;
    memcpy(sender.clock.octet, frame + SENDER_AT, sizeof sender.clock.octet);
    sender.port = (uint16_t)(frame[SENDER_AT + 8] << 8 | frame[SENDER_AT + 9]);
    return sender;
}

/* Another instance of this node has the same link, and is meant. */
static bool is_for_sibling(const struct mt_node *node, const struct mt_input *input, uint8_t domain,
                           uint16_t sdo_id)
{
    for (uint16_t i = 0; i < node->instance_count; i++) {
        const struct mt_node_instance *instance = &node->instances[i];
        for (uint16_t port = 0; port < instance->ptp.port_count; port++) {
            if (instance->ports[port].link == input->link &&
                instance->ptp.config.domain == domain && instance->ptp.config.sdo_id == sdo_id) {
                return true;
            }
        }
    }
    return false;
}

/* Of management and signalling it tells nothing: those who ask try other domains on purpose. */
static bool is_of_clock(const uint8_t *frame)
{
    switch ((enum mt_ptp_type)(frame[0] & 0x0F)) {
    case MT_PTP_SYNC:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_ANNOUNCE:
        return true;
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
    return false;
}

static void hear_domain(struct mt_node *node, uint16_t instance, uint16_t port,
                        const struct mt_input *input)
{
    struct mt_heard *self = heard_of(node, instance, port);
    const uint8_t *frame = input->bytes;
    const struct mt_heard_told told = {
        .event = MT_HEARD_OTHER_DOMAIN,
        .port = port,
        .sender = sender_of(frame),
        .domain = frame[DOMAIN_AT],
        .sdo_id = (uint16_t)((frame[0] & 0xF0) << 4 | frame[SDO_AT]),
    };
    if (is_for_sibling(node, input, told.domain, told.sdo_id)) {
        self->of_siblings++;
        return;
    }
    if (!is_of_clock(frame)) {
        return;
    }
    if (!self->has_other_domain) {
        tell(node, instance, &told, input->now);
    }
    self->has_other_domain = true;
    self->other_domain = told.domain;
    self->other_sdo_id = told.sdo_id;
}

void mt_heard_frame(struct mt_node *node, uint16_t instance, uint16_t port,
                    const struct mt_input *input, enum mt_verdict verdict)
{
    struct mt_heard *self = heard_of(node, instance, port);
    if (input->length < HEADER_SIZE) {
        return;
    }
    if (verdict == MT_VERDICT_DOMAIN) {
        hear_domain(node, instance, port, input);
    } else if (verdict == MT_VERDICT_FORGED) {
        self->forged.sender = sender_of(input->bytes);
    } else if (verdict == MT_VERDICT_UNAUTHENTICATED) {
        self->without_code.sender = sender_of(input->bytes);
    }
}

/* ---- denials --------------------------------------------------------------------------------- */

/* What is not asked for any more has no say, unless it was left for that. */
static bool is_denied(const struct mt_unicast_transmitter *transmitter)
{
    for (unsigned kind = 0; kind < MT_SERVICE_COUNT; kind++) {
        const struct mt_unicast_service *service = &transmitter->services[kind];
        if ((service->is_wanted || transmitter->held_until.ns != 0) &&
            service->trouble == MT_TROUBLE_DENIED) {
            return true;
        }
    }
    return false;
}

/* Its place, or else one that is free; null: none is, and so nothing is told of one more. */
static struct mt_heard_denial *place_of(struct mt_heard *self, const struct mt_address *address,
                                        struct mt_mono now)
{
    struct mt_heard_denial *place = NULL;
    for (unsigned i = 0; i < MT_HEARD_DENIALS; i++) {
        struct mt_heard_denial *denial = &self->denials[i];
        if (mt_address_equal(&denial->address, address)) {
            return denial;
        }
        if (now.ns >= denial->tell_at.ns) {
            place = denial;
        }
    }
    return place;
}

static void judge_transmitter(struct mt_node *node, uint16_t instance, uint16_t port,
                              const struct mt_unicast_transmitter *transmitter, struct mt_mono now)
{
    const struct mt_heard_told told = {
        .event = MT_HEARD_DENIED, .port = port, .address = transmitter->address};
    struct mt_heard_denial *place =
        place_of(heard_of(node, instance, port), &transmitter->address, now);
    if (place == NULL || transmitter->address.network == MT_NETWORK_NONE) {
        return;
    }
    if (transmitter->services[MT_SERVICE_SYNC].is_granted) {
        place->tell_at.ns =
            mt_address_equal(&place->address, &told.address) ? 0 : place->tell_at.ns;
    } else if (is_denied(transmitter) && now.ns >= place->tell_at.ns) {
        *place =
            (struct mt_heard_denial){transmitter->address, mt_mono_plus(now, MT_HEARD_AGAIN_NS)};
        tell(node, instance, &told, now);
    }
}

static void look_at_denials(struct mt_node *node, uint16_t instance, uint16_t port,
                            struct mt_mono now)
{
    struct mt_heard *self = heard_of(node, instance, port);
    const struct mt_port_more *more = port_of(node, instance, port)->config.more;
    const struct mt_requester *requester = more != NULL ? more->requester : NULL;
    if (requester == NULL || self->answers == requester->book.denied + requester->book.granted) {
        return;
    }
    self->answers = requester->book.denied + requester->book.granted;
    for (uint16_t i = 0; i < requester->count; i++) {
        judge_transmitter(node, instance, port, &requester->table[i], now);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

void mt_heard_look(struct mt_node *node, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->instance_count; i++) {
        for (uint16_t port = 1; port <= node->instances[i].ptp.port_count; port++) {
            look_at_delay(node, i, port, now);
            look_at_refused(node, i, port, MT_VERDICT_FORGED, now);
            look_at_refused(node, i, port, MT_VERDICT_UNAUTHENTICATED, now);
            look_at_denials(node, i, port, now);
        }
    }
}
