/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Messages of both directions leave port 319 for port 319, since cards and transparent clocks know
 * PTP by it.  So an answer is known by where it comes from, and by what is in it, not by its port:
 * client and server may even talk to the same neighbour.
 *
 * The high octet of a token is that of an instance of PTP; the numbers which those do not have are
 * the clients' and the server's.  The server's answers are numbered by the rest of it, so that the
 * stamp of one that has long lost its place is not taken for that of another.
 */
#include "runtime/ntp_in_ptp.h"

#include <string.h>

#include "runtime/node.h"

#define TOKEN_BITS   24
#define CLIENT_FIRST MT_NODE_INSTANCES_MAX
#define SERVER       255u
#define NUMBER_MAX   ((UINT32_C(1) << TOKEN_BITS) - 1)
_Static_assert(CLIENT_FIRST + MT_NTP_IN_PTP_CLIENTS <= SERVER, "tokens are told apart");

#define MODE_OF(packet) ((packet)[0] & 7u)

/* ---- the client ------------------------------------------------------------------------------ */

bool mt_ntp_in_ptp_ask(struct mt_node *node, struct mt_node_ntp *ntp, const uint8_t *packet,
                       const struct mt_ntp_tx *tx)
{
    struct mt_hal_link *link = node->links[ntp->link];
    uint8_t message[MT_NTP_PTP_HEAD + MT_NTP_PACKET_MAX];
    enum mt_ntp_ptp_form form =
        ntp->carrier == MT_NTP_IN_PTP_EARLY ? MT_NTP_PTP_EARLY : MT_NTP_PTP_DRAFT;
    struct mt_link_frame frame = {
        .bytes = message,
        .length = mt_ntp_ptp_write(form, ntp->sequence_id++, tx->length, message, sizeof message),
        .destination = MT_LINK_ADDRESS,
        .is_event = true,
        .token = (uint32_t)(CLIENT_FIRST + (ntp - node->ntp)) << TOKEN_BITS | tx->token,
        .to = ntp->server,
    };
    if (frame.length == 0) {
        return false;
    }
    memcpy(message + mt_ntp_ptp_head(form), packet, tx->length);
    frame.to.udp_port = MT_NTP_PTP_PORT;
    return link->ops->send(link, &frame);
}

static struct mt_node_ntp *find_client(const struct mt_node *node, const struct mt_input *input)
{
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        struct mt_node_ntp *ntp = &node->ntp[i];
        if (ntp->carrier != MT_NTP_IN_UDP && ntp->link == input->link &&
            mt_address_equal(&ntp->server, &input->from)) {
            return ntp;
        }
    }
    return NULL;
}

/* ---- the server ------------------------------------------------------------------------------ */

static bool serves(const struct mt_node *node, uint16_t link)
{
    const struct mt_node_ntp_in_ptp *self = node->server != NULL ? node->server->in_ptp : NULL;
    for (unsigned i = 0; self != NULL && i < self->link_count; i++) {
        if (self->links[i] == link) {
            return true;
        }
    }
    return false;
}

static struct mt_instant served_time(const struct mt_node *node, const struct mt_base_time *stamp)
{
    const struct mt_node_server *server = node->server;
    struct mt_hal_clock *clock = node->clocks[server->clock].hal;
    struct mt_clock_reading reading;
    if (stamp != NULL) {
        clock->ops->stamp(clock, *stamp, &reading.local);
    } else {
        clock->ops->read(clock, &reading);
    }
    return mt_ntp_scale_time(&server->serving.scale, &reading.local.at);
}

static struct mt_ntp_in_ptp_awaited *place_of(struct mt_node_ntp_in_ptp *self, uint32_t number)
{
    return &self->awaited[number % MT_NTP_IN_PTP_AWAITED];
}

/* Returns the token. */
static uint32_t await_departure(struct mt_node_ntp_in_ptp *self, mt_ntp_time receive)
{
    self->last_number = self->last_number < NUMBER_MAX ? self->last_number + 1 : 1;
    *place_of(self, self->last_number) = (struct mt_ntp_in_ptp_awaited){self->last_number, receive};
    return (SERVER << TOKEN_BITS) + self->last_number;
}

static void send_answer(struct mt_node *node, const struct mt_input *input,
                        const struct mt_ntp_ptp *asked, struct mt_ntp_answer *answer)
{
    struct mt_node_ntp_in_ptp *self = node->server->in_ptp;
    struct mt_hal_link *link = node->links[input->link];
    uint8_t message[MT_NTP_PTP_HEAD + MT_NTP_ANSWER_MAX];
    bool is_awaited = answer->receive != 0;
    const struct mt_instant now = served_time(node, NULL);
    mt_ntp_answer_finish(&node->server->rules, answer, &now);
    const struct mt_link_frame frame = {
        .bytes = message,
        .length = mt_ntp_ptp_write(asked->form, asked->sequence_id, answer->length, message,
                                   sizeof message),
        .destination = MT_LINK_ADDRESS,
        .is_event = true,
        .token = is_awaited ? await_departure(self, answer->receive) : 0,
        .to = input->from,
    };
    memcpy(message + mt_ntp_ptp_head(asked->form), answer->octets, answer->length);
    (void)link->ops->send(link, &frame);
}

static void answer_request(struct mt_node *node, const struct mt_input *input,
                           const struct mt_ntp_ptp *asked)
{
    const struct mt_node_server *server = node->server;
    struct mt_ntp_serving serving = server->serving;
    struct mt_ntp_answer answer;
    struct mt_instant arrival = {0};
    if (input->has_stamp) {
        struct mt_hal_clock *clock = node->clocks[server->clock].hal;
        struct mt_stamp stamp;
        clock->ops->stamp(clock, input->stamp, &stamp);
        mt_ntp_serving_pass(&serving, &stamp.at);
        arrival = mt_ntp_scale_time(&serving.scale, &stamp.at);
    }
    if (serving.served.stratum == 0) { /* the clock has not been published yet */
        serving.served.leap = MT_NTP_LEAP_UNKNOWN;
    }
    const struct mt_ntp_request request = {
        .octets = asked->packet,
        .length = asked->length,
        .arrival = input->has_stamp ? &arrival : NULL,
        .from = &input->from,
        .now = input->now,
        .held = &asked->correction,
    };
    mt_ntp_answer(&server->rules, &serving.served, &server->in_ptp->worker, &request, &answer);
    if (answer.length > 0) {
        send_answer(node, input, asked, &answer);
    }
}

static void answer_left(struct mt_node *node, const struct mt_input *input, uint32_t number)
{
    struct mt_node_ntp_in_ptp *self = node->server->in_ptp;
    const struct mt_ntp_in_ptp_awaited *awaited = place_of(self, number);
    if (input->has_stamp && number != 0 && awaited->number == number) {
        const struct mt_instant left = served_time(node, &input->stamp);
        mt_ntp_departures_tell(&self->worker.departures, awaited->receive, &left);
    }
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static bool frame_received(struct mt_node *node, const struct mt_input *input)
{
    struct mt_ntp_ptp message;
    if (!mt_ntp_ptp_parse(input->bytes, input->length, &message) || message.length == 0) {
        return false;
    }
    struct mt_node_ntp *ntp = find_client(node, input);
    bool is_answer = MODE_OF(message.packet) == MT_NTP_MODE_SERVER;
    if (is_answer && ntp != NULL) {
        struct mt_input inner = *input;
        inner.bytes = message.packet;
        inner.length = message.length;
        mt_ntp_duty_take(node, ntp, &inner, message.correction);
    } else if (!is_answer && serves(node, input->link)) {
        answer_request(node, input, &message);
    } else {
        return false;
    }
    return true;
}

static bool frame_sent(struct mt_node *node, const struct mt_input *input)
{
    uint32_t tag = input->token >> TOKEN_BITS;
    uint32_t token = input->token & NUMBER_MAX;
    if (tag == SERVER && node->server != NULL && node->server->in_ptp != NULL) {
        answer_left(node, input, token);
        return true;
    }
    if (tag < CLIENT_FIRST || tag - CLIENT_FIRST >= node->ntp_count ||
        node->ntp[tag - CLIENT_FIRST].carrier == MT_NTP_IN_UDP) { /* it came when that one left */
        return false;
    }
    struct mt_input inner = *input;
    inner.token = token;
    mt_ntp_duty_take(node, &node->ntp[tag - CLIENT_FIRST], &inner, (struct mt_interval){0});
    return true;
}

bool mt_ntp_in_ptp_take(struct mt_node *node, const struct mt_input *input)
{
    return (input->kind == MT_INPUT_FRAME && frame_received(node, input)) ||
           (input->kind == MT_INPUT_TX_STAMP && frame_sent(node, input));
}
