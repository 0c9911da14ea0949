/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Results: the messages that carry what an event message took on its way through here.
 *
 *     Follow_Up              out of each port by which its Sync left, with that Sync's residence
 *     Delay_Resp             back to where the Delay_Req came from, with the Delay_Req's
 *     Pdelay_Resp_Follow_Up  back, with that of both Pdelay_Req and Pdelay_Resp
 *
 * Event message, timestamps and result come in any order.  Each leg of a result asks for itself
 * what it waits for: all known, it is queued with the sum; something lost, it is given up, since a
 * result without its residence is worse than none; else it is held.  It is asked again whenever
 * something has come, so no order needs a rule of its own.
 */
#include "ptp/transparent_private.h"

#include "wire/fields.h"

#define FLAGS_OCTET    6
#define TWO_STEP       0x02 /* in that octet */
#define CORRECTION     8
#define CONTROL        32
#define ORIGIN         34
#define TIMESTAMP_SIZE 10

bool mt_transparent_is_result(uint8_t type)
{
    return type == MT_PTP_FOLLOW_UP || type == MT_PTP_DELAY_RESP ||
           type == MT_PTP_PDELAY_RESP_FOLLOW_UP;
}

/* ---- what a leg of a result waits for -------------------------------------------------------- */

enum readiness { WAITS, IS_READY, IS_VOID };

static enum readiness add_leg(const struct mt_transparent *self,
                              const struct mt_transparent_frame *event, uint16_t port,
                              struct mt_interval *sum)
{
    const struct mt_transparent_leg *leg = mt_transparent_leg(self, event, port);
    switch ((enum mt_leg_state)leg->state) {
    case MT_LEG_QUEUED:
    case MT_LEG_SENT:
        return WAITS;
    case MT_LEG_STAMPED:
        *sum = mt_interval_plus(*sum, leg->correction);
        return IS_READY;
    case MT_LEG_NONE:
    case MT_LEG_HELD:
    case MT_LEG_LOST:
    case MT_LEG_DONE:
        break;
    }
    return IS_VOID;
}

static enum readiness add_request(const struct mt_transparent *self,
                                  const struct mt_transparent_frame *response, struct mt_mono now,
                                  struct mt_interval *sum)
{
    const struct mt_transparent_frame *request = mt_transparent_at(self, response->request, now);
    return request != NULL ? add_leg(self, request, response->ingress, sum) : IS_VOID;
}

static enum readiness add_up(const struct mt_transparent *self,
                             const struct mt_transparent_frame *result, uint16_t port,
                             struct mt_mono now, struct mt_interval *sum)
{
    const struct mt_transparent_frame *event = mt_transparent_at(self, result->event, now);
    if (event == NULL) {
        return result->event == 0 ? WAITS : IS_VOID;
    }
    if (result->key.type == MT_PTP_DELAY_RESP) {
        return add_leg(self, event, result->ingress, sum);
    }
    enum readiness readiness = add_leg(self, event, port, sum);
    if (readiness != IS_READY || result->key.type == MT_PTP_FOLLOW_UP) {
        return readiness;
    }
    return add_request(self, event, now, sum);
}

static void ask(struct mt_instance *instance, struct mt_transparent_frame *result)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    for (uint16_t port = 1; port <= self->storage.port_count; port++) {
        struct mt_transparent_leg *leg = mt_transparent_leg(self, result, port);
        struct mt_interval sum = {0};
        if (leg->state != MT_LEG_HELD) {
            continue;
        }
        enum readiness readiness = add_up(self, result, port, instance->now, &sum);
        if (readiness == IS_READY) {
            leg->correction = sum;
            mt_transparent_set(self, result, leg, MT_LEG_QUEUED);
        } else if (readiness == IS_VOID) {
            mt_transparent_set(self, result, leg, MT_LEG_LOST);
        }
    }
}

void mt_transparent_resolve(struct mt_instance *instance, const struct mt_transparent_frame *event)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    for (uint64_t serial = self->newest; self->held > 0 && serial != 0; serial--) {
        struct mt_transparent_frame *result = mt_transparent_at(self, serial, instance->now);
        if (result == NULL) {
            break;
        }
        const struct mt_transparent_frame *of =
            mt_transparent_at(self, result->event, instance->now);
        if (of != NULL && (of == event || of->request == event->serial)) {
            ask(instance, result);
        }
    }
}

/* ---- which event message belongs to which result --------------------------------------------- */

static enum mt_ptp_type event_type(uint8_t result_type)
{
    return result_type == MT_PTP_FOLLOW_UP    ? MT_PTP_SYNC
           : result_type == MT_PTP_DELAY_RESP ? MT_PTP_DELAY_REQ
                                              : MT_PTP_PDELAY_RESP;
}

struct mt_transparent_frame *mt_transparent_request(const struct mt_transparent *self,
                                                    const struct mt_transparent_frame *answer,
                                                    struct mt_mono now)
{
    struct mt_transparent_key key = answer->key;
    key.type = answer->key.type == MT_PTP_DELAY_RESP ? MT_PTP_DELAY_REQ : MT_PTP_PDELAY_REQ;
    key.source = answer->key.other;
    memset(&key.other, 0, sizeof key.other);
    return mt_transparent_find(self, &key, 0, now);
}

static struct mt_transparent_frame *find_event(const struct mt_transparent *self,
                                               const struct mt_transparent_frame *result,
                                               struct mt_mono now)
{
    struct mt_transparent_key key = result->key;
    if (result->key.type == MT_PTP_DELAY_RESP) {
        return mt_transparent_request(self, result, now);
    }
    key.type = (uint8_t)event_type(result->key.type);
    return mt_transparent_find(self, &key, result->ingress, now);
}

static void join(struct mt_transparent_frame *result, struct mt_transparent_frame *event)
{
    result->event = event->serial;
    event->awaits_result = false;
}

/* ---- results come ---------------------------------------------------------------------------- */

static void hold_on(struct mt_transparent *self, struct mt_transparent_frame *result, uint16_t port)
{
    if (port != result->ingress) {
        mt_transparent_set(self, result, mt_transparent_leg(self, result, port), MT_LEG_HELD);
    }
}

/* A Follow_Up goes where its Sync goes, which may not be known yet; an answer goes back. */
static bool hold(struct mt_instance *instance, struct mt_transparent_frame *result)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    if (result->key.type == MT_PTP_FOLLOW_UP) {
        for (uint16_t port = 1; port <= self->storage.port_count; port++) {
            hold_on(self, result, port);
        }
        return true;
    }
    const struct mt_transparent_frame *request =
        mt_transparent_request(self, result, instance->now);
    if (request != NULL) {
        hold_on(self, result, request->ingress);
    }
    return request != NULL;
}

void mt_transparent_result_rx(struct mt_instance *instance, struct mt_transparent_frame *result)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    struct mt_transparent_frame *event = find_event(self, result, instance->now);
    uint32_t held = self->held;
    if (!hold(instance, result)) {
        mt_transparent_count(self, MT_TRANSPARENT_UNMATCHED);
        return;
    }
    if (event != NULL) {
        join(result, event);
    }
    ask(instance, result);
    if (self->held > held) {
        mt_transparent_count(self, MT_TRANSPARENT_HELD);
    }
}

void mt_transparent_event_rx(struct mt_instance *instance, struct mt_transparent_frame *event)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    struct mt_transparent_key key = event->key;
    key.type = event->key.type == MT_PTP_SYNC ? MT_PTP_FOLLOW_UP : MT_PTP_PDELAY_RESP_FOLLOW_UP;
    struct mt_transparent_frame *result =
        mt_transparent_find(self, &key, event->ingress, instance->now);
    event->awaits_result = result == NULL;
    if (result != NULL) {
        join(result, event);
        ask(instance, result);
    }
}

/* ---- results are made ------------------------------------------------------------------------ */

/* Header and time of a one-step Sync stand in its Follow_Up likewise.  A one-step Pdelay_Resp says
 * in its correctionField how long the answer took, so that the time in its Follow_Up is zero. */
static uint16_t write_result(const uint8_t *event, uint8_t type, uint8_t *octets)
{
    bool is_sync = type == MT_PTP_FOLLOW_UP;
    uint16_t length = is_sync ? 44 : 54;
    memcpy(octets, event, length);
    octets[0] = (uint8_t)((event[0] & 0xF0u) | type);
    mt_octets_put_u16(octets + 2, length);
    octets[FLAGS_OCTET] &= (uint8_t)~TWO_STEP;
    memset(octets + CORRECTION, 0, sizeof(int64_t));
    octets[CONTROL] = is_sync ? 2 : 5;
    if (!is_sync) {
        memset(octets + ORIGIN, 0, TIMESTAMP_SIZE);
    }
    return length;
}

void mt_transparent_convert(struct mt_instance *instance, struct mt_transparent_frame *event)
{
    struct mt_transparent *self = mt_transparent_of(instance);
    uint8_t octets[64];
    struct mt_transparent_key key = event->key;
    key.type = event->key.type == MT_PTP_SYNC ? MT_PTP_FOLLOW_UP : MT_PTP_PDELAY_RESP_FOLLOW_UP;
    uint16_t length = write_result(mt_transparent_octets(self, event), key.type, octets);
    struct mt_transparent_frame *result =
        mt_transparent_add(self, &key, octets, length, event->ingress, instance->now);
    join(result, event);
    for (uint16_t port = 1; port <= self->storage.port_count; port++) {
        const struct mt_transparent_leg *leg = mt_transparent_leg(self, event, port);
        if (leg->state != MT_LEG_NONE && !mt_transparent_stays_one_step(self, event, port)) {
            hold_on(self, result, port);
        }
    }
    if (result->open_legs > 0) {
        mt_transparent_count(self, MT_TRANSPARENT_CONVERTED);
        ask(instance, result);
    }
}
