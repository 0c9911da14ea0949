/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP between nodes.  A question leaves by the interface that shares a segment with the server's,
 * else by the first one that is joined to a switch; there are no routers.  It takes the same ways
 * as PTP, with their delay, noise, loss and queues, and so does the answer.
 *
 * A node whose configuration has a server answers beside its loop, as worker threads do on Linux:
 * from the page of its clock, as of the stamp of the question's arrival, with stamps like those of
 * PTP.  The time of departure in an answer is that of a program before it sends; the interface's
 * own comes with the next answer, in interleaved mode.  Nobody is limited but by
 * mt_world_limit_ntp().
 *
 * Each link to a server has a UDP port of its own, and what comes for another one is dropped.
 */
#include <stdlib.h>

#include "meantime/ntp_server.h"
#include "platform/sim/sim_private.h"
#include "runtime/node.h"
#include "runtime/ntp_serve.h"

#define PLACES        256
#define LIMITED       16
#define TURNAROUND_NS 20000
#define SERVER_PORT   123
#define FIRST_PORT    49152

struct mt_sim_ntp_worker {
    struct mt_ntp_worker worker;
    struct mt_ntp_departure places[PLACES];
    struct mt_ntp_limited limited[LIMITED];
};

/* ---- ways ------------------------------------------------------------------------------------ */

static bool shares_segment(const struct mt_world *world, const struct mt_sim_port *port,
                           const struct mt_sim_port *other)
{
    return port->segment == other->segment && mt_sim_port_is_up(world, port);
}

/* Null: there is no way. */
static struct mt_sim_port *find_way(const struct mt_world *world, const struct mt_sim_node *node,
                                    const struct mt_sim_port *server)
{
    struct mt_sim_port *to_switch = NULL;

    for (uint8_t i = 0; i < node->port_count; i++) {
        struct mt_sim_port *port = node->ports[i];

        if (shares_segment(world, port, server)) {
            return port;
        }
        if (to_switch == NULL && world->segments[port->segment]->at_switch != NULL &&
            mt_sim_port_is_up(world, port)) {
            to_switch = port;
        }
    }
    return to_switch;
}

static struct mt_sim_frame *new_frame(struct mt_world *world, const struct mt_sim_port *from,
                                      const struct mt_sim_port *to, enum mt_network network,
                                      const uint8_t *octets, size_t length)
{
    struct mt_sim_frame *frame = mt_sim_queue_new_frame(&world->queue, octets, length);

    if (frame != NULL) {
        frame->is_event = true;
        frame->from = from;
        frame->to = to;
        frame->sender = mt_sim_port_address(from, network);
    }
    return frame;
}

/* Of a frame that is the only one to be sent: the caller's hold on it ends. */
static struct mt_base_time send(struct mt_world *world, struct mt_sim_port *port,
                                struct mt_sim_frame *frame, struct mt_base_time ready)
{
    frame->departure = mt_sim_departure(world, port, frame, ready);
    struct mt_base_time departure = frame->departure;

    world->counters.sent++;
    mt_sim_carry(world, port, departure, frame, 0);
    mt_sim_queue_give_back(&world->queue, frame);
    return departure;
}

/* ---- questions ------------------------------------------------------------------------------- */

static void renew_port(struct mt_sim_link *link, struct mt_sim_node *node)
{
    link->udp_port = (uint16_t)(FIRST_PORT + node->ntp_ports++ % (UINT16_MAX - FIRST_PORT));
}

/* No way at all is told at once, as a kernel does; a server that is no more is not. */
bool mt_sim_ntp_ask(struct mt_sim_link *link, const struct mt_link_frame *frame)
{
    struct mt_world *world = link->world;
    struct mt_sim_node *node = world->nodes[link->node];
    const struct mt_sim_port *server = mt_sim_find_addressed(world, &frame->to);
    struct mt_sim_port *port = server == NULL       ? NULL
                               : link->port != NULL ? link->port
                                                    : find_way(world, node, server);
    enum mt_network network = (enum mt_network)frame->to.network;
    struct mt_sim_frame *copy =
        port != NULL && mt_sim_port_is_up(world, port)
            ? new_frame(world, port, server, network, frame->bytes, frame->length)
            : NULL;

    if (copy == NULL) {
        link->hal.counters.send_failed++;
        return false;
    }
    renew_port(link, node);
    copy->sender.udp_port = link->udp_port;
    copy->udp_port = frame->to.udp_port;
    link->hal.counters.sent++;
    mt_sim_promise_stamp(world, link, frame->token, send(world, port, copy, mt_sim_base(world)));
    return true;
}

/* ---- arrivals -------------------------------------------------------------------------------- */

static const struct mt_sim_link *find_asker(const struct mt_sim_node *node, uint16_t udp_port)
{
    for (uint16_t i = 0; i < node->link_count; i++) {
        if (node->links[i]->udp_port == udp_port) {
            return node->links[i];
        }
    }
    return NULL;
}

bool mt_sim_ntp_deliver(const struct mt_world *world, const struct mt_sim_port *to,
                        const struct mt_sim_frame *frame, uint16_t *ret_link)
{
    const struct mt_sim_node *node = world->nodes[to->node];
    const struct mt_sim_link *link = find_asker(node, frame->udp_port);

    *ret_link = link != NULL ? link->index : 0;
    return link != NULL || frame->udp_port == SERVER_PORT;
}

bool mt_sim_ntp_is_question(const struct mt_sim_event *event)
{
    return event->kind == MT_INPUT_FRAME && event->frame->udp_port == SERVER_PORT;
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool has_worker(struct mt_sim_node *node)
{
    if (node->ntp_worker == NULL) {
        node->ntp_worker = calloc(1, sizeof *node->ntp_worker);
        if (node->ntp_worker == NULL) {
            mt_sim_complain(node->world, "out of memory for an NTP server");
            return false;
        }
        mt_ntp_departures_init(&node->ntp_worker->worker.departures, node->ntp_worker->places,
                               PLACES);
        mt_sim_stream(&node->ntp_worker->worker.random, node->world->seed, MT_SIM_STREAM_NTP_SERVER,
                      node->number);
    }
    return true;
}

void mt_world_limit_ntp(struct mt_world *self, uint32_t node, int8_t log_interval, uint8_t burst)
{
    if (has_worker(self->nodes[node])) {
        struct mt_sim_ntp_worker *worker = self->nodes[node]->ntp_worker;

        mt_ntp_limit_init(&worker->worker.limit, worker->limited, LIMITED, log_interval, burst, 0);
    }
}

void mt_sim_ntp_end_worker(struct mt_sim_node *node)
{
    free(node->ntp_worker);
    node->ntp_worker = NULL;
}

static struct mt_instant page_time(const struct mt_clock_page *page, struct mt_base_time base)
{
    return mt_instant_plus(mt_clock_page_time(page, base.ns),
                           mt_span_from_interval((struct mt_interval){base.frac}));
}

/* What worker threads find, at `base`. */
static struct mt_ntp_serving served_at(const struct mt_node *runtime, struct mt_base_time base)
{
    const struct mt_node_server *server = runtime->server;
    const struct mt_clock_page *page = &runtime->clocks[server->clock].page;
    struct mt_ntp_serving serving = server->serving;
    struct mt_instant at = page_time(page, base);

    mt_ntp_serving_pass(&serving, &at);
    if (page->magic != MT_CLOCK_PAGE_MAGIC || base.ns > page->valid_until_base_ns) {
        serving.served.leap = MT_NTP_LEAP_UNKNOWN;
    }
    return serving;
}

static struct mt_instant served_time(const struct mt_node *runtime,
                                     const struct mt_ntp_serving *serving, struct mt_base_time base)
{
    struct mt_instant at = page_time(&runtime->clocks[runtime->server->clock].page, base);

    return mt_ntp_scale_time(&serving->scale, &at);
}

static void send_answer(struct mt_sim_node *node, const struct mt_ntp_serving *serving,
                        const struct mt_sim_frame *question, struct mt_ntp_answer *answer)
{
    struct mt_world *world = node->world;
    struct mt_ntp_worker *worker = &node->ntp_worker->worker;
    struct mt_sim_port *port = node->ports[question->to->number];
    struct mt_base_time ready = mt_sim_base_plus_ns(mt_sim_base(world), TURNAROUND_NS);
    struct mt_instant said = served_time(node->runtime, serving, ready);

    mt_ntp_answer_finish(&node->runtime->server->rules, answer, &said);
    struct mt_sim_frame *frame =
        mt_sim_port_is_up(world, port)
            ? new_frame(world, port, question->from, (enum mt_network)question->sender.network,
                        answer->octets, answer->length)
            : NULL;
    if (frame == NULL) {
        return;
    }
    frame->sender.udp_port = SERVER_PORT;
    frame->udp_port = question->sender.udp_port;
    struct mt_base_time departure = send(world, port, frame, ready);
    if (answer->receive != 0 && !mt_sim_chance(&node->prng, node->config.tx_stamp_loss)) {
        struct mt_instant left =
            served_time(node->runtime, serving, mt_sim_node_stamp(node, departure));
        mt_ntp_departures_tell(&worker->departures, answer->receive, &left);
    }
}

void mt_sim_ntp_serve(struct mt_sim_node *node, const struct mt_sim_event *event)
{
    const struct mt_sim_frame *question = event->frame;
    struct mt_node *runtime = node->runtime;
    struct mt_ntp_answer answer;

    if (runtime == NULL || runtime->server == NULL || !has_worker(node)) {
        return;
    }
    const struct mt_ntp_serving serving = served_at(runtime, event->stamp);
    const struct mt_instant arrival = served_time(runtime, &serving, event->stamp);
    const struct mt_ntp_request request = {.octets = question->bytes,
                                           .length = question->length,
                                           .arrival = &arrival,
                                           .from = &question->sender,
                                           .now = {node->world->t_ns + mt_sim_node_boot_ns(node)}};
    enum mt_ntp_outcome outcome = mt_ntp_answer(&runtime->server->rules, &serving.served,
                                                &node->ntp_worker->worker, &request, &answer);
    runtime->server->by_workers[outcome]++;
    if (answer.length > 0) {
        send_answer(node, &serving, question, &answer);
    }
}
