/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Management messages: whom they are for, who may change what, and the way of the answers.
 *
 * A request is carried out while it comes in and answered while frames are drained: what waits in
 * between is who asked for what, not the answer, so that a small ring is enough for answers of
 * sixty-four ports.  What was set is shown by reading it again.
 *
 * A clock with several ports passes on what is not for it alone, with one hop less, but for its
 * passive ports; what a program
 * on this machine asks goes to the network the same way, and answers from there that are for such a
 * program go to its socket.
 */
#include "ptp/management_private.h"

#include "wire/fields.h"

#define HOPS_AT      45 /* octet of boundaryHops */
#define TLV_HEAD     6  /* type, length and id */
#define MESSAGE_SIZE 48 /* header and body */
#define ANY_PORT     0xFFFF
#define NS_PER_S     INT64_C(1000000000)

void mt_management_init(struct mt_management *self, struct mt_management_port *ports,
                        uint16_t port_count)
{
    memset(self, 0, sizeof *self);
    memset(ports, 0, port_count * sizeof *ports);
    self->ports = ports;
    self->uncertainty = 0xFF;
    for (uint16_t i = 0; i < port_count; i++) {
        ports[i].hardware_clock = -1;
        ports[i].told_state = MT_STATE_INITIALIZING;
    }
}

static uint64_t bit_of(const struct mt_instance *self, const struct mt_port *port)
{
    return UINT64_C(1) << (port - self->ports);
}

/* ---- whom it is for -------------------------------------------------------------------------- */

static bool is_any_clock(const struct mt_clock_identity *identity)
{
    static const struct mt_clock_identity any = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    return mt_clock_identity_equal(identity, &any);
}

static bool is_for_this_clock(const struct mt_instance *self, const struct mt_port_identity *target)
{
    return is_any_clock(&target->clock) ||
           mt_clock_identity_equal(&target->clock, &self->config.identity);
}

/* Bits of the ports that an id of this scope is asked of. */
static uint64_t addressed(const struct mt_instance *self, const struct mt_management_row *row,
                          uint16_t target)
{
    if (!row->is_of_port) {
        return 1;
    }
    if (target == ANY_PORT) {
        return self->port_count >= 64 ? UINT64_MAX : (UINT64_C(1) << self->port_count) - 1;
    }
    return target >= 1 && target <= self->port_count ? UINT64_C(1) << (target - 1) : 0;
}

/* ---- carrying out ---------------------------------------------------------------------------- */

static bool may_change(const struct mt_incoming *in)
{
    return in->is_authenticated ||
           (in->from != NULL && in->from->network == MT_NETWORK_LOCAL_READ_WRITE);
}

static enum mt_management_error check_action(const struct mt_management_row *row, uint8_t action)
{
    if (row == NULL) {
        return MT_MANAGEMENT_NO_SUCH_ID;
    }
    if ((row->actions & 1u << action) != 0) {
        return MT_MANAGEMENT_OK;
    }
    return action == MT_ACTION_SET && (row->actions & 1u << MT_ACTION_GET) != 0
               ? MT_MANAGEMENT_NOT_SETABLE
               : MT_MANAGEMENT_NOT_SUPPORTED;
}

static void change(struct mt_instance *self, struct mt_management *management,
                   const struct mt_management_row *row, struct mt_management_request *request,
                   const struct mt_tlv_management *tlv)
{
    struct mt_managed on = {self, management, NULL, request};
    for (uint16_t i = 0; i < self->port_count; i++) {
        struct mt_reader in;
        if ((request->ports & UINT64_C(1) << i) == 0) {
            continue;
        }
        mt_reader_init(&in, tlv->data, tlv->length);
        on.port = row->is_of_port ? &self->ports[i] : NULL;
        enum mt_management_error error = row->set(&on, &in);
        if (error == MT_MANAGEMENT_OK && in.failed) {
            error = MT_MANAGEMENT_WRONG_LENGTH;
        }
        if (error != MT_MANAGEMENT_OK) {
            request->failed |= UINT64_C(1) << i;
            request->port_error = (uint16_t)error;
        } else {
            mt_count(&management->changes);
        }
    }
}

/* False if nothing is to be answered. */
static bool carry_out(struct mt_instance *self, struct mt_management *management,
                      const struct mt_incoming *in, const struct mt_tlv_management *tlv,
                      struct mt_management_request *request)
{
    uint8_t action = in->message.body.management.action;
    const struct mt_management_row *row = mt_management_find(tlv->id);
    request->error = (uint16_t)check_action(row, action);
    request->ports = 1;
    if (request->error != MT_MANAGEMENT_OK) {
        return true;
    }
    request->ports = addressed(self, row, in->message.body.management.target.port);
    if (action == MT_ACTION_GET) {
        return request->ports != 0;
    }
    /* a subscription changes nothing but who is told */
    if (!may_change(in) && !(row->id == MT_ID_SUBSCRIBE_EVENTS_NP && request->in_port == 0)) {
        mt_count(&management->refused);
        request->error = MT_MANAGEMENT_NOT_SUPPORTED;
        request->ports = 1;
        return request->in_port == 0 || !management->refuses_silently;
    }
    if (row->has_length && tlv->length != row->length) {
        request->error = MT_MANAGEMENT_WRONG_LENGTH;
        request->ports = 1;
    } else {
        change(self, management, row, request, tlv);
    }
    return request->ports != 0;
}

/* That the request has made so far; one that claims to have come with more than it started with
 * has its answer end here. */
static uint8_t hops_of(const struct mt_ptp_management *request)
{
    return (uint8_t)(request->starting_hops > request->hops ? request->starting_hops - request->hops
                                                            : 0);
}

static enum mt_verdict answer(struct mt_instance *self, struct mt_management *management,
                              uint16_t in_port, const struct mt_incoming *in,
                              const struct mt_tlv_management *tlv)
{
    const struct mt_ptp_management *body = &in->message.body.management;
    struct mt_management_request request = {
        .requester = in->message.header.source,
        .sequence = in->message.header.sequence,
        .id = tlv->id,
        .in_port = in_port,
        .is_limited = in_port != 0 && !in->is_authenticated,
        .hops = hops_of(body),
        .starting_hops = hops_of(body),
        .action = body->action == MT_ACTION_COMMAND ? MT_ACTION_ACKNOWLEDGE : MT_ACTION_RESPONSE,
        .key = tlv->length > 0 ? tlv->data[0] : 0,
    };
    mt_count(&management->requests);
    if (management->request_count == MT_MANAGEMENT_REQUESTS) {
        mt_count(&management->dropped);
        return MT_VERDICT_QUEUE_FULL;
    }
    if (in->from != NULL) {
        request.to = *in->from;
        request.to.udp_port = in_port == 0 ? request.to.udp_port : 0;
    }
    if (carry_out(self, management, in, tlv, &request)) {
        unsigned place = (unsigned)(management->request_first + management->request_count) %
                         MT_MANAGEMENT_REQUESTS;
        management->requests_waiting[place] = request;
        management->request_count++;
    }
    return MT_VERDICT_ACCEPTED;
}

/* A bucket that fills by so many octets a second; a part of an octet is not lost. */
static bool is_within(struct mt_management_allowance *self, int64_t rate, int64_t octets,
                      struct mt_mono now)
{
    const int64_t passed_ns = now.ns - self->at.ns;
    const bool is_full = passed_ns / NS_PER_S >= MT_MANAGEMENT_BURST;
    const int64_t back = is_full
                             ? MT_MANAGEMENT_BURST
                             : passed_ns / NS_PER_S * rate + passed_ns % NS_PER_S * rate / NS_PER_S;
    if (back >= self->spent) {
        self->spent = 0;
        self->at = now;
    } else if (back > 0) {
        self->spent -= back;
        self->at.ns += back / rate * NS_PER_S + (back % rate * NS_PER_S + rate - 1) / rate;
    }
    if (self->spent + octets > MT_MANAGEMENT_BURST) {
        return false;
    }
    self->spent += octets;
    return true;
}

/* ---- passing on ------------------------------------------------------------------------------ */

/* A port is passive where there is another way to the same clocks: what were passed on by it, or
 * came by it, would go round in a circle.  It sends no more than answers [9.2.5]. */
static bool passes_on(const struct mt_port *port)
{
    return mt_port_is_active(port) && port->state != MT_STATE_PASSIVE;
}

static uint64_t other_ports(const struct mt_instance *self, const struct mt_port *in_port)
{
    uint64_t ports = 0;
    if (in_port != NULL && !passes_on(in_port)) {
        return 0;
    }
    for (const struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (port != in_port && passes_on(port)) {
            ports |= bit_of(self, port);
        }
    }
    return ports;
}

static unsigned count_bits(uint64_t bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* What asks, from a station that may be somebody else than it says: whoever hears it answers, and
 * it may have come by unicast and leaves by multicast, so that one makes many. */
static bool may_pass(struct mt_instance *self, struct mt_management *management,
                     const struct mt_incoming *in, uint64_t ports)
{
    const uint32_t rate = management->answer_octets_per_s;
    const int64_t octets = (int64_t)in->message.header.length * count_bits(ports);
    if (rate == 0 || in->is_authenticated ||
        is_within(&management->passed, rate, octets, self->now)) {
        return true;
    }
    mt_count(&management->limited);
    return false;
}

/* Until they are drained the octets must stay; what comes before that is not passed on. */
static void forward(struct mt_instance *self, struct mt_management *management,
                    const struct mt_port *port, const struct mt_incoming *in)
{
    const struct mt_ptp_management *body = &in->message.body.management;
    bool is_answer = body->action == MT_ACTION_RESPONSE || body->action == MT_ACTION_ACKNOWLEDGE;
    /* a transparent clock has passed on already what came by a port */
    bool is_passed = port != NULL && self->config.more->transparent != NULL;
    uint64_t ports = body->hops > 0 && !is_passed ? other_ports(self, port) : 0;
    struct mt_address client = {.network = MT_NETWORK_NONE};
    bool to_local =
        port != NULL && is_answer && mt_management_find_client(management, &body->target, &client);
    if (ports == 0 && !to_local) {
        return;
    }
    if (management->forward_ports != 0 || management->forward_to_local ||
        in->message.header.length > sizeof management->forward) {
        mt_count(&management->dropped);
        return;
    }
    if (port != NULL && !is_answer && !may_pass(self, management, in, ports)) {
        return;
    }
    management->forward_ports = ports;
    management->forward_to_local = to_local;
    management->forward_address = client;
    management->forward_length = in->message.header.length;
    memcpy(management->forward, in->frame, management->forward_length);
    management->forward[HOPS_AT] = body->hops > 0 ? (uint8_t)(body->hops - 1) : 0;
}

/* ---- reception ------------------------------------------------------------------------------- */

static enum mt_verdict receive(struct mt_instance *self, struct mt_management *management,
                               const struct mt_port *port, const struct mt_incoming *in)
{
    const struct mt_ptp_management *body = &in->message.body.management;
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_tlv tlv;
    struct mt_tlv_management value;
    struct mt_tlv_organization organization;
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    if (header->domain != self->config.domain || header->sdo_id != self->config.sdo_id) {
        return MT_VERDICT_DOMAIN;
    }
    if (mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return MT_VERDICT_OWN;
    }
    if (!mt_tlv_next(&tlvs, &length, &tlv)) {
        return MT_VERDICT_TLV;
    }
    if (mt_tlv_parse_organization(&tlv, &organization)) { /* whoever knows it has seen it */
        forward(self, management, port, in);
        return MT_VERDICT_ACCEPTED;
    }
    if (!mt_tlv_parse_management(&tlv, &value)) {
        return MT_VERDICT_TLV; /* one TLV, and that is the first [15.4.1] */
    }
    if (!mt_clock_identity_equal(&body->target.clock, &self->config.identity)) {
        forward(self, management, port, in);
    }
    if (body->action > MT_ACTION_ACKNOWLEDGE) {
        return MT_VERDICT_FIELD;
    }
    if (body->action == MT_ACTION_RESPONSE || body->action == MT_ACTION_ACKNOWLEDGE ||
        !is_for_this_clock(self, &body->target) || tlv.type != MT_TLV_MANAGEMENT) {
        return MT_VERDICT_ACCEPTED;
    }
    return answer(self, management, port != NULL ? port->identity.port : 0, in, &value);
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_management *management = mt_management_of(self);
    if (management == NULL || management->ignores_network ||
        in->message.header.type != MT_PTP_MANAGEMENT) {
        return false;
    }
    *ret_verdict =
        mt_port_is_active(port) ? receive(self, management, port, in) : MT_VERDICT_DISABLED;
    return true;
}

enum mt_verdict mt_management_local(struct mt_instance *self, const uint8_t *frame, size_t length,
                                    const struct mt_address *from, struct mt_mono now)
{
    struct mt_management *management = mt_management_of(self);
    struct mt_incoming in = {.frame = frame, .length = length, .from = from};
    self->now = now;
    if (management == NULL) {
        return MT_VERDICT_UNSUPPORTED;
    }
    enum mt_verdict verdict = mt_ptp_parse(frame, length, &in.message);
    if (verdict == MT_VERDICT_ACCEPTED && in.message.header.type == MT_PTP_MANAGEMENT) {
        mt_management_remember(management, &in.message.header.source, from);
        verdict = receive(self, management, NULL, &in);
    }
    mt_instance_tick(self, now); /* settles */
    return verdict;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void begin_message(const struct mt_instance *self,
                          const struct mt_management_request *request, const struct mt_port *port,
                          struct mt_ptp_message *ret_message)
{
    struct mt_ptp_header *header = &ret_message->header;
    struct mt_ptp_management *body = &ret_message->body.management;
    memset(ret_message, 0, sizeof *ret_message);
    header->type = MT_PTP_MANAGEMENT;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->flags =
        request->to.network != MT_NETWORK_NONE && request->in_port != 0 ? MT_PTP_UNICAST : 0;
    header->source.clock = self->config.identity;
    header->source.port = port != NULL ? port->identity.port : request->in_port;
    header->sequence = request->sequence;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    body->target = request->requester;
    body->starting_hops = request->starting_hops;
    body->hops = request->hops;
    body->action = request->action;
}

/* MANAGEMENT_ERROR_STATUS without displayData [15.5.4]. */
static size_t write_error(const struct mt_management_request *request,
                          enum mt_management_error error, uint8_t *tlv, size_t capacity)
{
    struct mt_put out = {tlv, capacity, false};
    mt_put_number(&out, MT_TLV_MANAGEMENT_ERROR_STATUS, 2);
    mt_put_number(&out, 8, 2);
    mt_put_number(&out, error, 2);
    mt_put_number(&out, request->id, 2);
    mt_put_number(&out, 0, 4);
    return out.failed ? 0 : capacity - out.left;
}

static enum mt_management_error error_for(const struct mt_instance *self,
                                          const struct mt_management_request *request,
                                          const struct mt_port *port)
{
    uint64_t bit = port != NULL ? bit_of(self, port) : 1;
    if (request->error != MT_MANAGEMENT_OK) {
        return (enum mt_management_error)request->error;
    }
    return (request->failed & bit) != 0 ? (enum mt_management_error)request->port_error
                                        : MT_MANAGEMENT_OK;
}

/* The data's octets from capacity on; an answer that is too long becomes an error. */
static enum mt_management_error write_data(struct mt_instance *self,
                                           const struct mt_management_request *request,
                                           struct mt_port *port, struct mt_put *out)
{
    const struct mt_management_row *row = mt_management_find(request->id);
    const struct mt_managed on = {self, mt_management_of(self), port, request};
    const uint8_t *begin = out->at;
    if (row == NULL) {
        return MT_MANAGEMENT_NO_SUCH_ID;
    }
    if (request->action == MT_ACTION_ACKNOWLEDGE) {
        return MT_MANAGEMENT_OK; /* INITIALIZE alone has data; it is not repeated */
    }
    enum mt_management_error error = row->get(&on, out);
    if (((out->at - begin) & 1) != 0) {
        mt_put_number(out, 0, 1);
    }
    return error == MT_MANAGEMENT_OK && out->failed ? MT_MANAGEMENT_RESPONSE_TOO_BIG : error;
}

size_t mt_management_write_answer(struct mt_instance *self,
                                  const struct mt_management_request *request, struct mt_port *port,
                                  struct mt_outgoing *out)
{
    size_t capacity = out->capacity < MT_PTP_MESSAGE_MAX ? out->capacity : MT_PTP_MESSAGE_MAX;
    uint8_t *tlv = out->buffer + MESSAGE_SIZE;
    enum mt_management_error error = error_for(self, request, port);
    size_t length = 0;
    if (capacity < MESSAGE_SIZE + TLV_HEAD) {
        return 0;
    }
    begin_message(self, request, port, &out->message);
    if (error == MT_MANAGEMENT_OK) {
        struct mt_put data = {tlv + TLV_HEAD, capacity - MESSAGE_SIZE - TLV_HEAD, false};
        error = write_data(self, request, port, &data);
        length = (size_t)(data.at - tlv);
        mt_octets_put_u16(tlv, MT_TLV_MANAGEMENT);
        mt_octets_put_u16(tlv + 2, (uint16_t)(length - 4));
        mt_octets_put_u16(tlv + 4, request->id);
    }
    if (error != MT_MANAGEMENT_OK) {
        length = write_error(request, error, tlv, capacity - MESSAGE_SIZE);
    }
    out->message.tlvs = tlv;
    out->message.tlvs_length = length;
    return length != 0 ? mt_ptp_write(&out->message, out->buffer, capacity) : 0;
}

static void address_tx(uint16_t port, const struct mt_address *to, size_t length,
                       struct mt_tx *ret_tx)
{
    memset(ret_tx, 0, sizeof *ret_tx);
    ret_tx->port = port;
    ret_tx->length = length;
    if (to != NULL && to->network != MT_NETWORK_NONE) {
        ret_tx->destination = MT_TO_ADDRESS;
        ret_tx->to = *to;
    }
}

static bool may_leave(struct mt_instance *self, struct mt_management *management,
                      const struct mt_management_request *request, size_t length)
{
    const uint32_t rate = management->answer_octets_per_s;
    if (!request->is_limited || rate == 0 ||
        is_within(&management->answered, rate, (int64_t)length, self->now)) {
        return true;
    }
    mt_count(&management->limited);
    return false;
}

static bool next_answer(struct mt_instance *self, struct mt_management *management,
                        struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    while (management->request_count > 0) {
        struct mt_management_request *request =
            &management->requests_waiting[management->request_first];
        const struct mt_management_row *row = mt_management_find(request->id);
        struct mt_port *port = self->ports;
        if (request->ports == 0) {
            management->request_first =
                (uint8_t)((management->request_first + 1) % MT_MANAGEMENT_REQUESTS);
            management->request_count--;
            continue;
        }
        while ((request->ports & bit_of(self, port)) == 0) {
            port++;
        }
        request->ports &= ~bit_of(self, port);
        bool is_of_port = row != NULL && row->is_of_port && request->error == MT_MANAGEMENT_OK;
        size_t length = mt_management_write_answer(self, request, is_of_port ? port : NULL, out);
        if (length == 0) {
            mt_count(&management->dropped);
        } else if (may_leave(self, management, request, length)) {
            address_tx(request->in_port, &request->to, length, ret_tx);
            return true;
        }
    }
    return false;
}

static bool next_forwarded(struct mt_instance *self, struct mt_management *management,
                           struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_port *port = self->ports;
    if ((management->forward_ports == 0 && !management->forward_to_local) ||
        out->capacity < management->forward_length) {
        return false;
    }
    memcpy(out->buffer, management->forward, management->forward_length);
    (void)mt_ptp_parse(out->buffer, management->forward_length, &out->message);
    out->is_forwarded = true;
    mt_count(&management->forwarded);
    if (management->forward_to_local) {
        management->forward_to_local = false;
        address_tx(0, &management->forward_address, management->forward_length, ret_tx);
        return true;
    }
    while ((management->forward_ports & bit_of(self, port)) == 0) {
        port++;
    }
    management->forward_ports &= ~bit_of(self, port);
    address_tx(port->identity.port, NULL, management->forward_length, ret_tx);
    return true;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_management *management = mt_management_of(self);
    return management != NULL && (next_answer(self, management, out, ret_tx) ||
                                  next_forwarded(self, management, out, ret_tx));
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_management *management = mt_management_of(self);
    return management != NULL ? mt_notify_settle(self, management) : MT_MONO_NEVER;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->management != NULL;
}

const struct mt_extension mt_management_extension = {
    .rx = rx, .settle = settle, .next_tx = next_tx, .is_used = is_used};
