/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The way of an NTP exchange through the node: what a client wants to ask goes to its link, what
 * comes back goes to the client, and its samples, which are of UTC, go to the discipline in the
 * timescale of the clock.
 *
 * Where nobody stamps what leaves, the clock is read right before: what passes until the packet is
 * on its way looks like a part of the path, which the error bound has in it.
 */
#include "runtime/ntp_duty.h"

#include <string.h>

#include "meantime/steer_poll.h"
#include "meantime/steer_standby.h"
#include "runtime/events.h"
#include "runtime/node.h"
#include "runtime/ntp_in_ptp.h"

#define UNSENT_MOST     2
#define UNANSWERED_MOST 8 /* questions */

struct mt_node_ntp *mt_ntp_duty_of_link(const struct mt_node *node, uint16_t link)
{
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        if (node->ntp[i].link == link && node->ntp[i].carrier == MT_NTP_IN_UDP) {
            return &node->ntp[i];
        }
    }
    return NULL;
}

bool mt_ntp_duty_is_lost(const struct mt_node_ntp *self)
{
    return self->client.is_refused || self->unsent >= UNSENT_MOST ||
           (self->client.reach == 0 && self->client.asked >= UNANSWERED_MOST);
}

static bool is_known(const struct mt_node_ntp *self)
{
    return self->server.network != MT_NETWORK_NONE;
}

const struct mt_node_ntp *mt_ntp_duty_followed(const struct mt_node *node, uint16_t clock)
{
    uint16_t selected = node->clocks[clock].discipline.selected;
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        const struct mt_node_ntp *ntp = &node->ntp[i];
        if (!ntp->is_free && ntp->clock == clock && ntp->source == selected) {
            return &node->ntp[i];
        }
    }
    return NULL;
}

/* ---- samples --------------------------------------------------------------------------------- */

/* Once for each answer; what is known of the clock is that of its discipline, whichever source
 * taught it. */
static void choose_poll(const struct mt_node_clock *clock, struct mt_node_ntp *self,
                        const struct mt_sample *sample)
{
    const struct mt_discipline *discipline = &clock->discipline;
    const struct mt_estimator *estimator = &discipline->sources[self->source].estimator;
    struct mt_ntp_client *client = &self->client;
    struct mt_estimate estimate;
    if (sample->kind != MT_SAMPLE_FORWARD || mt_ntp_client_is_in_burst(client) ||
        !estimator->is_started ||
        !mt_estimator_predict(estimator, &discipline->model, estimator->track.at, &estimate)) {
        return;
    }
    const struct mt_poll_facts facts = {
        .offset_sigma = estimate.offset_sigma,
        .frequency_sigma = estimate.frequency_sigma,
        .wander = discipline->model.wander,
        .is_settled = estimate.is_complete && self->verdict != MT_SAMPLE_STEP &&
                      self->verdict != MT_SAMPLE_RUNAWAY,
    };
    mt_ntp_client_set_poll(client, mt_poll_choose(&facts, client->poll, client->config.min_poll,
                                                  client->config.max_poll));
}

static void take_sample(struct mt_node *node, struct mt_node_ntp *self,
                        const struct mt_ntp_event *event, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[self->clock];
    struct mt_sample sample = event->sample;
    sample.source = self->source;
    if (mt_leap_duty_is_doubtful(clock, &sample.local.at)) {
        return;
    }
    mt_leap_duty_convert(clock, &sample);
    self->verdict = mt_discipline_sample(&clock->discipline, &sample, now);
    self->has_verdict = true;
    choose_poll(clock, self, &sample);
    mt_discipline_expect(&clock->discipline, self->source, mt_ntp_client_interval_ns(&self->client),
                         now);
    if (self->verdict == MT_SAMPLE_REFUSED && !clock->told_wrong_scale) {
        clock->told_wrong_scale = true;
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_WRONG_SCALE,
                                                   .at = now,
                                                   .index = self->clock,
                                                   .value.scale = sample.scale});
    }
    clock->needs_report = true;
}

static void take_event(struct mt_node *node, uint16_t index, const struct mt_ntp_event *event,
                       struct mt_mono now)
{
    struct mt_node_ntp *self = &node->ntp[index];
    if (event->kind == MT_NTP_EVENT_SAMPLE) {
        take_sample(node, self, event, now);
        return;
    }
    mt_node_tell(node,
                 &(struct mt_node_event){
                     .kind = MT_NODE_NTP, .at = now, .index = index, .value.ntp = event->kind});
    node->clocks[self->clock].needs_report = true;
}

static bool take_events(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_ntp_event event;
    bool any = false;
    while (mt_ntp_client_next_event(&node->ntp[index].client, &event)) {
        any = true;
        take_event(node, index, &event, now);
    }
    return any;
}

/* ---- questions ------------------------------------------------------------------------------- */

static void draw(struct mt_hal_entropy *entropy, uint8_t random[MT_NTP_RANDOM_SIZE])
{
    for (unsigned i = 0; i < MT_NTP_RANDOM_SIZE; i += sizeof(uint64_t)) {
        uint64_t number = entropy->seed(entropy);
        memcpy(random + i, &number, sizeof number);
    }
}

static void send(struct mt_node *node, struct mt_node_ntp *self, const uint8_t *packet,
                 const struct mt_ntp_tx *tx)
{
    struct mt_hal_link *link = node->links[self->link];
    struct mt_hal_clock *clock = node->clocks[self->clock].hal;
    struct mt_clock_reading reading;
    const struct mt_link_frame frame = {
        .bytes = packet,
        .length = tx->length,
        .destination = MT_LINK_ADDRESS,
        .is_event = true,
        .token = tx->token,
        .to = self->server,
    };
    clock->ops->read(clock, &reading);
    self->asked = reading.local;
    self->has_asked = self->carrier != MT_NTP_IN_UDP ? mt_ntp_in_ptp_ask(node, self, packet, tx)
                                                     : link->ops->send(link, &frame);
    if (self->has_asked) {
        self->unsent = 0;
    } else {
        self->unsent = self->unsent < UNSENT_MOST ? (uint8_t)(self->unsent + 1) : UNSENT_MOST;
        mt_ntp_client_unsent(&self->client);
    }
}

static void ask(struct mt_node *node, struct mt_node_ntp *self)
{
    uint8_t random[MT_NTP_RANDOM_SIZE];
    uint8_t packet[MT_NTP_PACKET_MAX];
    struct mt_ntp_tx tx;
    while (is_known(self) && self->client.wants_to_ask && !self->client.is_refused) {
        draw(node->entropy, random);
        if (!mt_ntp_client_next_tx(&self->client, random, packet, sizeof packet, &tx)) {
            return;
        }
        send(node, self, packet, &tx);
    }
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static void departed(struct mt_node *node, struct mt_node_ntp *self, const struct mt_input *input)
{
    struct mt_hal_clock *clock = node->clocks[self->clock].hal;
    struct mt_stamp stamp = self->asked;
    if (input->has_stamp) {
        clock->ops->stamp(clock, input->stamp, &stamp);
    } else if (!self->has_asked || input->token != self->client.last_token) {
        return;
    }
    self->has_asked = false;
    mt_ntp_client_tx_done(&self->client, input->token, &stamp);
}

/* A server that wants to be asked less often is not silent until then. */
static void hear(struct mt_discipline *discipline, struct mt_node_ntp *self,
                 const struct mt_input *input, const struct mt_stamp *arrival,
                 struct mt_interval held)
{
    int64_t was_ns = mt_ntp_client_interval_ns(&self->client);
    enum mt_ntp_verdict verdict = mt_ntp_client_rx_held(&self->client, input->bytes, input->length,
                                                        arrival, held, input->now);
    int64_t interval_ns = mt_ntp_client_interval_ns(&self->client);
    if (verdict == MT_NTP_VERDICT_KISS && interval_ns > was_ns) {
        mt_discipline_expect(discipline, self->source, interval_ns, input->now);
    }
}

void mt_ntp_duty_take(struct mt_node *node, struct mt_node_ntp *self, const struct mt_input *input,
                      struct mt_interval held)
{
    struct mt_hal_clock *clock = node->clocks[self->clock].hal;
    struct mt_stamp stamp;
    if (!is_known(self)) {
        return;
    }
    if (input->kind == MT_INPUT_TX_STAMP) {
        departed(node, self, input);
    } else if (input->kind == MT_INPUT_FRAME) {
        if (input->has_stamp) {
            clock->ops->stamp(clock, input->stamp, &stamp);
        }
        hear(&node->clocks[self->clock].discipline, self, input, input->has_stamp ? &stamp : NULL,
             held);
    }
}

void mt_ntp_duty_set_address(struct mt_node *node, uint16_t index, const struct mt_address *server,
                             struct mt_mono now)
{
    struct mt_node_ntp *self = &node->ntp[index];
    self->server = *server;
    self->has_asked = false;
    self->has_verdict = false;
    self->unsent = 0;
    self->own_count = 0;
    mt_ntp_client_init(&self->client, &self->config, now);
    mt_discipline_reset_source(&node->clocks[self->clock].discipline, self->source);
    node->clocks[self->clock].needs_report = true;
}

void mt_ntp_duty_set_keys(struct mt_node *node, uint16_t index, const struct mt_nts_keys *keys,
                          const struct mt_nts_cookie *cookies, unsigned count,
                          const struct mt_address *server, struct mt_mono now)
{
    struct mt_node_ntp *self = &node->ntp[index];
    bool is_same = is_known(self) && mt_address_equal(&self->server, server) &&
                   self->server.udp_port == server->udp_port;
    mt_nts_client_set_keys(self->config.nts, keys);
    for (unsigned i = 0; i < count; i++) {
        (void)mt_nts_client_add_cookie(self->config.nts, cookies[i].octets, cookies[i].length);
    }
    if (is_same) { /* what is known of its clock still holds */
        mt_ntp_client_restart(&self->client, now);
    } else {
        mt_ntp_duty_set_address(node, index, server, now);
    }
}

void mt_ntp_duty_forget(struct mt_node *node, uint16_t index)
{
    struct mt_node_ntp *self = &node->ntp[index];
    mt_discipline_forget_source(&node->clocks[self->clock].discipline, self->source);
    *self = (struct mt_node_ntp){
        .is_free = true,
        .clock = self->clock,
        .source = self->source,
        .link = self->link, /* what still comes of it is not taken for anybody else's */
    };
}

void mt_ntp_duty_tick(struct mt_node *node, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        if (is_known(&node->ntp[i])) {
            mt_ntp_client_tick(&node->ntp[i].client, now);
        }
    }
}

bool mt_ntp_duty_drain(struct mt_node *node, struct mt_mono now)
{
    bool any = false;
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        ask(node, &node->ntp[i]);
        any |= take_events(node, i, now);
    }
    return any;
}

struct mt_mono mt_ntp_duty_deadline(const struct mt_node *node)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        if (is_known(&node->ntp[i])) {
            earliest = mt_mono_earlier(earliest, mt_ntp_client_deadline(&node->ntp[i].client));
        }
    }
    return earliest;
}
