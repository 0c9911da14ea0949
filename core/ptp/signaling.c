/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What neighbours ask of a port by Signaling, and what comes with the parent's Announces for the
 * clocks behind this one.
 *
 * Requests for other intervals [802.1AS 10.6.4.3] are obeyed only where that is configured, within
 * the limits of every interval; one that would stop messages is outside of them.  What is outside
 * is counted, and the rest of the request is obeyed.
 *
 * TLVs to be propagated [1588-2019 14.2.2] and alternate timescales [16.3] are copied as they are
 * from the newest Announce of the parent and go out behind our own TLVs; with another parent they
 * are forgotten.  A clock that follows nobody announces its own alternate timescales instead.
 */
#include "meantime/ptp_peer.h"
#include "ptp/management_private.h"

#define INTERVAL_KEEP    (-128)
#define INTERVAL_INITIAL 126
#define TLV_HEAD         4

/* ---- intervals ------------------------------------------------------------------------------- */

static bool is_for_port(const struct mt_port *port, const struct mt_port_identity *target)
{
    static const struct mt_clock_identity any = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    return (mt_clock_identity_equal(&target->clock, &any) ||
            mt_clock_identity_equal(&target->clock, &port->identity.clock)) &&
           (target->port == 0xFFFF || target->port == port->identity.port);
}

static void obey(struct mt_instance *self, struct mt_port *port, int8_t asked, int8_t initial,
                 int8_t *log_interval, enum mt_port_timer timer)
{
    if (asked == INTERVAL_KEEP) {
        return;
    }
    if (asked == INTERVAL_INITIAL) {
        asked = initial;
    }
    if (!mt_managed_set_interval(self, port, asked, log_interval, timer)) {
        mt_port_count(port, MT_COUNT_INTERVAL_REFUSED);
    }
}

static void obey_all(struct mt_instance *self, struct mt_port *port,
                     struct mt_management_port *more,
                     const struct mt_tlv_message_interval_request *request)
{
    struct mt_peer *peer = port->config.more != NULL ? port->config.more->peer : NULL;
    int8_t log_pdelay = request->log_link_delay;
    if (!more->has_initial) {
        more->has_initial = true;
        more->initial_log_announce = port->config.log_announce_interval;
        more->initial_log_sync = port->config.log_sync_interval;
        more->initial_log_pdelay = peer != NULL ? peer->config.log_request_interval : 0;
    }
    obey(self, port, request->log_announce, more->initial_log_announce,
         &port->config.log_announce_interval, MT_TIMER_ANNOUNCE);
    obey(self, port, request->log_time_sync, more->initial_log_sync,
         &port->config.log_sync_interval, MT_TIMER_SYNC);
    if (peer == NULL || log_pdelay == INTERVAL_KEEP) {
        return;
    }
    if (log_pdelay == INTERVAL_INITIAL) {
        log_pdelay = more->initial_log_pdelay;
    }
    if (mt_log_interval_is_allowed(log_pdelay) &&
        mt_managed_check(mt_management_of(self), MT_LIMITED_LOG_PDELAY, log_pdelay) ==
            MT_MANAGEMENT_OK) {
        mt_peer_set_interval(peer, log_pdelay);
    } else {
        mt_port_count(port, MT_COUNT_INTERVAL_REFUSED);
    }
}

static enum mt_verdict signaled(struct mt_instance *self, struct mt_port *port,
                                struct mt_management_port *more, const struct mt_incoming *in)
{
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    enum mt_verdict verdict = MT_VERDICT_UNSUPPORTED;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        struct mt_tlv_message_interval_request request;
        if (more->obeys_intervals && mt_tlv_parse_message_interval_request(&tlv, &request)) {
            obey_all(self, port, more, &request);
            verdict = MT_VERDICT_ACCEPTED;
        }
    }
    return verdict;
}

/* ---- TLVs of the parent ---------------------------------------------------------------------- */

static void keep(struct mt_management *self, const struct mt_tlv *tlv)
{
    size_t length = (size_t)TLV_HEAD + tlv->length;
    if (length > sizeof self->relay - self->relay_length) {
        mt_count(&self->not_relayed);
        return;
    }
    memcpy(self->relay + self->relay_length, tlv->value - TLV_HEAD, length);
    self->relay_length = (uint16_t)(self->relay_length + length);
}

static void keep_zone(struct mt_management *self, const struct mt_tlv *tlv, unsigned place)
{
    struct mt_tlv_alternate_time_offset zone;
    if (place >= MT_ZONES_MAX || !mt_tlv_parse_alternate_time_offset(tlv, &zone)) {
        return;
    }
    self->zones_heard[place] = (struct mt_zone){
        .key = zone.key,
        .is_enabled = true,
        .offset_s = zone.current_offset_s,
        .jump_s = zone.jump_seconds,
        .next_jump_s = zone.time_of_next_jump_s,
        .name_length = zone.name_length,
    };
    memcpy(self->zones_heard[place].name, zone.name, zone.name_length);
}

static void forget(struct mt_management *self)
{
    self->relay_length = 0;
    memset(self->zones_heard, 0, sizeof self->zones_heard);
}

/* An Announce that is about to be looked at; only the parent's matters, and not one that repeats
 * what has come before. */
static void announced(struct mt_instance *self, struct mt_management *management,
                      const struct mt_port *port, const struct mt_incoming *in)
{
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    unsigned zones = 0;
    struct mt_tlv tlv;
    if (!mt_port_is_receiving(port) || !mt_is_parent(self, &in->message.header.source) ||
        (in->message.header.flags & MT_PTP_ALTERNATE) != 0 ||
        in->message.body.announce.steps_removed >= self->config.max_steps_removed) {
        return;
    }
    forget(management);
    management->relay_from = in->message.header.source;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (tlv.type == MT_TLV_ALTERNATE_TIME_OFFSET_INDICATOR) {
            keep_zone(management, &tlv, zones++);
            keep(management, &tlv);
        } else if (mt_tlv_is_propagated(tlv.type) && tlv.type != MT_TLV_ENHANCED_ACCURACY_METRICS) {
            keep(management, &tlv);
        }
    }
}

/* ---- the extension --------------------------------------------------------------------------- */

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_management *management = mt_management_of(self);
    const struct mt_ptp_header *header = &in->message.header;
    if (management == NULL || !mt_port_is_active(port) || header->domain != self->config.domain ||
        header->sdo_id != self->config.sdo_id ||
        mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return false;
    }
    if (header->type == MT_PTP_ANNOUNCE) {
        announced(self, management, port, in);
        return false;
    }
    if (header->type != MT_PTP_SIGNALING) {
        return false;
    }
    /* what is for another port is none of our business, and rightly so */
    *ret_verdict = is_for_port(port, &in->message.body.target)
                       ? signaled(self, port, &management->ports[port - self->ports], in)
                       : MT_VERDICT_ACCEPTED;
    return true;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_management *management = mt_management_of(self);
    if (management != NULL && management->relay_length > 0 &&
        (self->receiving_port == 0 || !mt_is_parent(self, &management->relay_from))) {
        forget(management);
    }
    return MT_MONO_NEVER;
}

static size_t write_zone(const struct mt_zone *zone, unsigned key, uint8_t *tlv, size_t capacity)
{
    uint8_t value[16 + MT_ZONE_NAME_MAX];
    struct mt_put out = {value, sizeof value, false};
    mt_put_number(&out, key, 1);
    mt_put_number(&out, (uint32_t)zone->offset_s, 4);
    mt_put_number(&out, (uint32_t)zone->jump_s, 4);
    mt_put_number(&out, zone->next_jump_s, 6);
    mt_put_text(&out, zone->name, zone->name_length);
    return mt_tlv_write(MT_TLV_ALTERNATE_TIME_OFFSET_INDICATOR, value, sizeof value - out.left, tlv,
                        capacity);
}

static void add_own_zones(struct mt_management *management, struct mt_outgoing *out,
                          struct mt_tx *tx, size_t capacity)
{
    for (unsigned key = 0; key < MT_ZONES_MAX; key++) {
        if (management->zones[key].is_enabled) {
            mt_frame_appended(out, tx,
                              write_zone(&management->zones[key], key, out->buffer + tx->length,
                                         capacity - tx->length));
        }
    }
}

static void add_relayed(struct mt_management *management, struct mt_outgoing *out, struct mt_tx *tx,
                        size_t capacity)
{
    const uint8_t *tlvs = management->relay;
    size_t length = management->relay_length;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        size_t size = (size_t)TLV_HEAD + tlv.length;
        if (size > capacity - tx->length) {
            mt_count(&management->not_relayed);
            continue;
        }
        memcpy(out->buffer + tx->length, tlv.value - TLV_HEAD, size);
        mt_frame_appended(out, tx, size);
        mt_count(&management->relayed);
    }
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_management *management = mt_management_of(self);
    size_t capacity = out->capacity < MT_PTP_MESSAGE_MAX ? out->capacity : MT_PTP_MESSAGE_MAX;
    if (management == NULL || out->is_forwarded || out->message.header.type != MT_PTP_ANNOUNCE) {
        return;
    }
    if (self->receiving_port == 0) {
        add_own_zones(management, out, tx, capacity);
    } else {
        add_relayed(management, out, tx, capacity);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->management != NULL;
}

const struct mt_extension mt_signaling_extension = {
    .rx = rx, .settle = settle, .finish = finish, .is_used = is_used};
