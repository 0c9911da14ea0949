/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Subscriptions: after each input the instance is compared with what was last told, and whoever
 * wants to know gets the data set as if he had asked for it.  So no other file has to think of
 * notifications, and a change that is undone within one input is none.
 *
 * A subscription ends by itself; renewing it is subscribing again.  Every program on the machine
 * may read; where all places are taken, who may change takes that of one who may not.  What is told
 * waits in the ring of requests; where that is full it is lost and counted, and the next change
 * tells again.
 */
#include "ptp/management_private.h"

#define DURATION_FOREVER 0xFFFF
#define NS_PER_S         INT64_C(1000000000)
#define PARENT_SIZE      32

/* ---- subscribing ----------------------------------------------------------------------------- */

static bool is_of(const struct mt_management_subscriber *subscriber,
                  const struct mt_management_request *request)
{
    return subscriber->is_used && subscriber->port == request->in_port &&
           mt_port_identity_equal(&subscriber->identity, &request->requester) &&
           mt_address_equal(&subscriber->address, &request->to);
}

static bool is_reader(const struct mt_address *address)
{
    return address->network == MT_NETWORK_LOCAL_READ_ONLY;
}

/* His place, or with `is_new` a free one. */
static struct mt_management_subscriber *find(const struct mt_managed *on, bool is_new)
{
    struct mt_management_subscriber *found = NULL;
    struct mt_management_subscriber *gives_way = NULL;
    for (unsigned i = 0; i < MT_MANAGEMENT_SUBSCRIBERS; i++) {
        struct mt_management_subscriber *subscriber = &on->management->subscribers[i];
        if (is_of(subscriber, on->request)) {
            return subscriber;
        }
        if (is_new && found == NULL && !subscriber->is_used) {
            found = subscriber;
        }
        if (is_new && is_reader(&subscriber->address) && !is_reader(&on->request->to)) {
            gives_way = subscriber;
        }
    }
    return found != NULL ? found : gives_way;
}

static uint64_t digest_of_parent(struct mt_instance *self, struct mt_management *management)
{
    uint8_t octets[PARENT_SIZE];
    struct mt_put out = {octets, sizeof octets, false};
    uint64_t digest = UINT64_C(0xCBF29CE484222325);
    mt_get_parent_data_set(&(struct mt_managed){self, management, NULL, NULL}, &out);
    for (unsigned i = 0; i < sizeof octets; i++) {
        digest = (digest ^ octets[i]) * UINT64_C(0x100000001B3);
    }
    return digest;
}

/* True if another Sync of the parent has been measured. */
static bool has_measured(struct mt_instance *self, struct mt_management *management)
{
    uint16_t receiving = self->receiving_port;
    if (receiving == 0) {
        return false;
    }
    const struct mt_port *port = &self->ports[receiving - 1];
    uint64_t *told = &management->ports[receiving - 1].told_samples;
    bool is_new = *told != port->counters[MT_COUNT_SAMPLES];
    *told = port->counters[MT_COUNT_SAMPLES];
    return is_new && port->sample.kind != MT_SAMPLE_REVERSE;
}

static bool is_wanted(const struct mt_management *self, enum mt_management_event event)
{
    return (self->wanted & 1u << event) != 0;
}

static void find_wanted(struct mt_management *self)
{
    self->wanted = 0;
    for (unsigned i = 0; i < MT_MANAGEMENT_SUBSCRIBERS; i++) {
        if (self->subscribers[i].is_used) {
            self->wanted |= self->subscribers[i].events;
        }
    }
}

enum mt_management_error mt_notify_subscribe(const struct mt_managed *on, uint16_t duration_s,
                                             uint8_t events)
{
    bool is_ended = duration_s == 0 || events == 0;
    struct mt_management_subscriber *subscriber = find(on, !is_ended);
    if (is_ended) {
        if (subscriber != NULL) {
            subscriber->is_used = false;
            find_wanted(on->management);
        }
        return MT_MANAGEMENT_OK;
    }
    if (subscriber == NULL) {
        return MT_MANAGEMENT_GENERAL_ERROR;
    }
    if (!is_wanted(on->management, MT_NOTIFY_PARENT_DATA_SET)) {
        on->management->told_parent = digest_of_parent(on->self, on->management);
    }
    (void)has_measured(on->self, on->management); /* what is past is not told */
    subscriber->is_used = true;
    subscriber->events = events;
    subscriber->port = on->request->in_port;
    subscriber->identity = on->request->requester;
    subscriber->address = on->request->to;
    subscriber->until = duration_s == DURATION_FOREVER
                            ? MT_MONO_NEVER
                            : mt_mono_plus(on->self->now, duration_s * NS_PER_S);
    find_wanted(on->management);
    return MT_MANAGEMENT_OK;
}

void mt_notify_show(const struct mt_managed *on, uint16_t *ret_duration_s, uint8_t *ret_events)
{
    const struct mt_management_subscriber *subscriber = find(on, false);
    *ret_duration_s = 0;
    *ret_events = 0;
    if (subscriber != NULL) {
        int64_t left_ns = subscriber->until.ns - on->self->now.ns;
        *ret_duration_s = (uint16_t)(subscriber->until.ns == MT_MONO_NEVER.ns
                                         ? DURATION_FOREVER
                                         : (left_ns + NS_PER_S / 2) / NS_PER_S);
        *ret_events = subscriber->events;
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell_one(struct mt_management *self, struct mt_management_subscriber *subscriber,
                     uint16_t id, uint64_t ports)
{
    unsigned place = (unsigned)(self->request_first + self->request_count) % MT_MANAGEMENT_REQUESTS;
    if (self->request_count == MT_MANAGEMENT_REQUESTS) {
        mt_count(&self->dropped);
        return;
    }
    self->requests_waiting[place] = (struct mt_management_request){
        .requester = subscriber->identity,
        .sequence = subscriber->sequence++,
        .id = id,
        .ports = ports,
        .in_port = subscriber->port,
        .action = MT_ACTION_RESPONSE,
        .to = subscriber->address,
    };
    self->request_count++;
    mt_count(&self->notifications);
}

static void tell(struct mt_management *self, enum mt_management_event event, uint16_t id,
                 uint64_t ports)
{
    for (unsigned i = 0; ports != 0 && is_wanted(self, event) && i < MT_MANAGEMENT_SUBSCRIBERS;
         i++) {
        struct mt_management_subscriber *subscriber = &self->subscribers[i];
        if (subscriber->is_used && (subscriber->events & 1u << event) != 0) {
            tell_one(self, subscriber, id, ports);
        }
    }
}

static void note_fault(struct mt_instance *self, struct mt_management *management, uint16_t port)
{
    memmove(&management->faults[1], &management->faults[0],
            (MT_MANAGEMENT_FAULTS - 1) * sizeof management->faults[0]);
    management->faults[0].at = self->now;
    management->faults[0].port = port;
    if (management->fault_count < MT_MANAGEMENT_FAULTS) {
        management->fault_count++;
    }
}

/* Bits of the ports that have another state than was told.  With a state its timers change. */
static uint64_t changed_ports(struct mt_instance *self, struct mt_management *management)
{
    uint64_t changed = 0;
    if (!self->has_moved_timers) {
        return 0;
    }
    for (uint16_t i = 0; i < self->port_count; i++) {
        uint8_t state = (uint8_t)self->ports[i].state;
        if (management->ports[i].told_state != state) {
            management->ports[i].told_state = state;
            changed |= UINT64_C(1) << i;
            if (state == MT_STATE_FAULTY) {
                note_fault(self, management, (uint16_t)(i + 1));
            }
        }
    }
    return changed;
}

static struct mt_mono expire(struct mt_instance *self, struct mt_management *management)
{
    struct mt_mono next = MT_MONO_NEVER;
    for (unsigned i = 0; i < MT_MANAGEMENT_SUBSCRIBERS; i++) {
        struct mt_management_subscriber *subscriber = &management->subscribers[i];
        if (subscriber->is_used && subscriber->until.ns <= self->now.ns) {
            subscriber->is_used = false;
            find_wanted(management);
        }
        if (subscriber->is_used) {
            next = mt_mono_earlier(next, subscriber->until);
        }
    }
    return next;
}

struct mt_mono mt_notify_settle(struct mt_instance *self, struct mt_management *management)
{
    uint64_t changed = changed_ports(self, management);
    if (management->wanted == 0) {
        return MT_MONO_NEVER;
    }
    struct mt_mono next = expire(self, management);
    tell(management, MT_NOTIFY_PORT_STATE, MT_ID_PORT_DATA_SET, changed);
    if (has_measured(self, management)) {
        tell(management, MT_NOTIFY_TIME_SYNC, MT_ID_TIME_STATUS_NP, 1);
    }
    if (is_wanted(management, MT_NOTIFY_PARENT_DATA_SET)) {
        uint64_t digest = digest_of_parent(self, management);
        if (digest != management->told_parent) {
            management->told_parent = digest;
            tell(management, MT_NOTIFY_PARENT_DATA_SET, MT_ID_PARENT_DATA_SET, 1);
        }
    }
    return next;
}
