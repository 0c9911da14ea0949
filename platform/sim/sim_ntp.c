/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An NTP server beyond the network that is right, at the end of a way of its own for each node:
 * questions and answers take its delay and what chance adds, the same on the way there and back.
 * It has every address that no interface could have.  The server is core/ntp's own, in basic and
 * interleaved mode; the node asks it over a link like any other.
 */
#include <stdlib.h>

#include "meantime/ntp_server.h"
#include "platform/sim/sim_private.h"

#define PLACES        64
#define TURNAROUND_NS 20000
#define PRECISION     (-30)

struct mt_sim_ntp {
    struct mt_ntp_worker worker;
    struct mt_ntp_departure places[PLACES];
    struct mt_prng prng; /* of the way */
};

static mt_real way_ns(struct mt_sim_node *node)
{
    const struct mt_sim_node_config *config = &node->config;
    struct mt_prng *prng = &node->ntp->prng;

    if (config->ntp_jitter == MT_SIM_JITTER_EXPONENTIAL) {
        return config->ntp_delay_ns + config->ntp_jitter_ns * mt_sim_exponential(prng);
    }
    return config->ntp_delay_ns + config->ntp_jitter_ns * mt_sim_normal(&node->world->noise, prng);
}

/* Which repeats the leap second, or leaves it out. */
static struct mt_instant utc_of(const struct mt_sim_node *node, struct mt_base_time at)
{
    const struct mt_sim_leap *leap = &node->world->leap;
    struct mt_instant utc = mt_instant_from_ns(at.ns, MT_SCALE_UTC);

    utc.frac = at.frac;
    utc.s -= node->world->tai_minus_utc_s;
    if (leap->change_s != 0 && mt_sim_t_of(at) >= leap->t_ns) {
        utc.s -= leap->change_s;
    }
    return utc;
}

static uint8_t leap_of(const struct mt_world *world)
{
    int32_t leap_s = mt_world_utc(world).leap_s;

    return leap_s > 0 ? MT_NTP_LEAP_61 : leap_s < 0 ? MT_NTP_LEAP_59 : MT_NTP_LEAP_NONE;
}

static void add_stamp(struct mt_sim_node *node, uint16_t link, uint32_t token,
                      struct mt_base_time departure)
{
    struct mt_sim_event *event = mt_sim_new_event(node->world, node->number, MT_INPUT_TX_STAMP);

    if (event != NULL) {
        event->link = link;
        event->token = token;
        event->has_stamp = true;
        event->stamp = mt_sim_node_stamp(node, departure);
        mt_sim_queue_add(&node->world->queue, node->world->t_ns, event);
    }
}

static void add_answer(struct mt_sim_node *node, uint16_t link, const struct mt_ntp_answer *answer,
                       const struct mt_address *server, struct mt_base_time arrival)
{
    struct mt_world *world = node->world;
    struct mt_sim_event *event = mt_sim_new_event(world, node->number, MT_INPUT_FRAME);
    struct mt_sim_frame *frame =
        mt_sim_queue_new_frame(&world->queue, answer->octets, answer->length);

    if (event == NULL || frame == NULL) {
        mt_sim_complain(world, "out of memory for an answer");
        return;
    }
    frame->sender = *server;
    event->link = link;
    event->frame = frame;
    event->has_stamp = true;
    event->stamp = mt_sim_node_stamp(node, arrival);
    mt_sim_queue_add(&world->queue, mt_sim_t_of(arrival), event);
    mt_sim_queue_give_back(&world->queue, frame);
}

static bool ask_beyond(struct mt_sim_link *link, const struct mt_link_frame *frame)
{
    static const struct mt_ntp_server server = {.log_rate_share = 0};
    struct mt_sim_node *node = link->world->nodes[link->node];
    struct mt_base_time now = mt_sim_base(link->world);
    struct mt_base_time there = mt_sim_base_plus_ns(now, way_ns(node));
    struct mt_base_time back = mt_sim_base_plus_ns(there, TURNAROUND_NS);
    struct mt_instant arrival = utc_of(node, there);
    struct mt_instant departure = utc_of(node, back);
    const struct mt_ntp_served served = {.leap = leap_of(link->world),
                                         .stratum = 1,
                                         .precision = PRECISION,
                                         .reference_id = {'S', 'I', 'M', 0},
                                         .reference = arrival,
                                         .at = arrival};
    const struct mt_ntp_request request = {.octets = frame->bytes,
                                           .length = frame->length,
                                           .arrival = &arrival,
                                           .from = &link->address,
                                           .now = {link->world->t_ns}};
    struct mt_ntp_answer answer;

    link->hal.counters.sent++;
    mt_ntp_answer(&server, &served, &node->ntp->worker, &request, &answer);
    if (answer.length > 0) {
        mt_ntp_answer_finish(&server, &answer, &departure);
        if (answer.receive != 0) {
            mt_ntp_departures_tell(&node->ntp->worker.departures, answer.receive, &departure);
        }
        add_answer(node, link->index, &answer, &frame->to, mt_sim_base_plus_ns(back, way_ns(node)));
    }
    add_stamp(node, link->index, frame->token, now);
    return true;
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_sim_link *link = (struct mt_sim_link *)hal;

    return mt_sim_is_inside(&frame->to) ? mt_sim_ntp_ask(link, frame) : ask_beyond(link, frame);
}

static const struct mt_hal_link_ops ops = {.send = link_send};

bool mt_sim_ntp_open(struct mt_sim_node *node, struct mt_sim_link *link)
{
    struct mt_sim_ntp *self = node->ntp != NULL ? node->ntp : calloc(1, sizeof *self);

    if (self == NULL) {
        return false;
    }
    if (node->ntp == NULL) {
        mt_ntp_departures_init(&self->worker.departures, self->places, PLACES);
        mt_sim_stream(&self->worker.random, node->world->seed, MT_SIM_STREAM_NTP, node->number);
        mt_sim_stream(&self->prng, node->world->seed, MT_SIM_STREAM_NTP_WAY, node->number);
        node->ntp = self;
    }
    link->hal.ops = &ops;
    link->address.network = MT_NETWORK_UDP_IPV4;
    return true;
}

void mt_sim_ntp_close(struct mt_sim_node *node)
{
    free(node->ntp);
    node->ntp = NULL;
}
