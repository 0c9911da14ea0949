/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ids of a port [1588-2019 15.5.3.7] and those of the alternate timescales [16.3].  Intervals
 * are limited as everywhere: a station that asks for one outside gets WRONG_VALUE, and nothing has
 * changed.
 */
#include "meantime/ptp_peer.h"
#include "ptp/management_private.h"

#define PTP_VERSION   2
#define TIMEOUT_LEAST 2

typedef enum mt_management_error error_type;

/* Null where delay is not measured peer to peer. */
static struct mt_peer *peer_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->peer : NULL;
}

static unsigned delay_mechanism(const struct mt_port *port)
{
    return (unsigned)mt_port_delay_mechanism(port);
}

static uint8_t log_pdelay_interval(const struct mt_port *port)
{
    const struct mt_peer *peer = peer_of(port);
    return peer != NULL ? (uint8_t)peer->config.log_request_interval : 0;
}

static void put_link_delay(struct mt_put *out, const struct mt_port *port)
{
    struct mt_peer_report report = {.has_delay = false};
    if (peer_of(port) != NULL) {
        mt_peer_get(peer_of(port), &report);
    }
    mt_put_number(out, report.has_delay ? (uint64_t)report.delay.q16 : 0, 8);
}

error_type mt_get_port_data_set(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_port_config *config = &on->port->config;
    mt_put_port_identity(out, &on->port->identity);
    mt_put_number(out, on->port->state, 1);
    mt_put_number(out, (uint8_t)config->log_min_delay_req_interval, 1);
    put_link_delay(out, on->port); /* peerMeanPathDelay */
    mt_put_number(out, (uint8_t)config->log_announce_interval, 1);
    mt_put_number(out, config->announce_receipt_timeout, 1);
    mt_put_number(out, (uint8_t)config->log_sync_interval, 1);
    mt_put_number(out, delay_mechanism(on->port), 1);
    mt_put_number(out, log_pdelay_interval(on->port), 1);
    mt_put_number(out, (unsigned)on->self->config.minor_version << 4 | PTP_VERSION, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_transparent_port(const struct mt_managed *on, struct mt_put *out)
{
    if (on->self->config.more->transparent == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    mt_put_port_identity(out, &on->port->identity);
    mt_put_number(out, on->port->state == MT_STATE_FAULTY, 1);
    mt_put_number(out, log_pdelay_interval(on->port), 1);
    put_link_delay(out, on->port);
    return MT_MANAGEMENT_OK;
}

/* ---- intervals ------------------------------------------------------------------------------- */

error_type mt_get_log_announce_interval(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, (uint8_t)on->port->config.log_announce_interval);
    return MT_MANAGEMENT_OK;
}

error_type mt_managed_check(const struct mt_management *management, enum mt_management_limited what,
                            int value)
{
    const struct mt_management_limit *limit = &management->limits[what];
    if (!limit->is_set || (value >= limit->lowest && value <= limit->highest)) {
        return MT_MANAGEMENT_OK;
    }
    return limit->lowest == limit->highest ? MT_MANAGEMENT_NOT_SETABLE : MT_MANAGEMENT_WRONG_VALUE;
}

static enum mt_management_limited limited_by(enum mt_port_timer timer)
{
    return timer == MT_TIMER_ANNOUNCE ? MT_LIMITED_LOG_ANNOUNCE : MT_LIMITED_LOG_SYNC;
}

bool mt_managed_set_interval(struct mt_instance *self, struct mt_port *port, int8_t asked,
                             int8_t *log_interval, enum mt_port_timer timer)
{
    struct mt_mono at = port->timers[timer];
    const struct mt_management *management = mt_management_of(self);
    if (!mt_log_interval_is_allowed(asked) ||
        (management != NULL &&
         mt_managed_check(management, limited_by(timer), asked) != MT_MANAGEMENT_OK)) {
        return false;
    }
    *log_interval = asked;
    int64_t interval_ns = mt_log2s_to_ns(asked);
    if (at.ns != MT_MONO_NEVER.ns && at.ns > self->now.ns + interval_ns) {
        mt_timer_arm(self, port, timer, interval_ns);
    }
    return true;
}

static error_type set_interval(const struct mt_managed *on, struct mt_reader *in,
                               int8_t *log_interval, enum mt_port_timer timer)
{
    int8_t asked = mt_reader_i8(in);
    error_type error = mt_managed_check(on->management, limited_by(timer), asked);
    if (error != MT_MANAGEMENT_OK) {
        return error;
    }
    return mt_managed_set_interval(on->self, on->port, asked, log_interval, timer)
               ? MT_MANAGEMENT_OK
               : MT_MANAGEMENT_WRONG_VALUE;
}

error_type mt_set_log_announce_interval(const struct mt_managed *on, struct mt_reader *in)
{
    return set_interval(on, in, &on->port->config.log_announce_interval, MT_TIMER_ANNOUNCE);
}

error_type mt_get_log_sync_interval(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, (uint8_t)on->port->config.log_sync_interval);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_log_sync_interval(const struct mt_managed *on, struct mt_reader *in)
{
    return set_interval(on, in, &on->port->config.log_sync_interval, MT_TIMER_SYNC);
}

error_type mt_get_announce_receipt_timeout(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->port->config.announce_receipt_timeout);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_announce_receipt_timeout(const struct mt_managed *on, struct mt_reader *in)
{
    uint8_t timeout = mt_reader_u8(in);
    if (timeout < TIMEOUT_LEAST) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    error_type error = mt_managed_check(on->management, MT_LIMITED_ANNOUNCE_TIMEOUT, timeout);
    if (error == MT_MANAGEMENT_OK) {
        on->port->config.announce_receipt_timeout = timeout;
    }
    return error;
}

error_type mt_get_log_pdelay_interval(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, log_pdelay_interval(on->port));
    return MT_MANAGEMENT_OK;
}

error_type mt_set_log_pdelay_interval(const struct mt_managed *on, struct mt_reader *in)
{
    int8_t asked = mt_reader_i8(in);
    if (peer_of(on->port) == NULL) {
        return MT_MANAGEMENT_NOT_SETABLE;
    }
    if (!mt_log_interval_is_allowed(asked)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    error_type error = mt_managed_check(on->management, MT_LIMITED_LOG_PDELAY, asked);
    if (error == MT_MANAGEMENT_OK) {
        mt_peer_set_interval(peer_of(on->port), asked);
    }
    return error;
}

/* ---- what a port is -------------------------------------------------------------------------- */

error_type mt_get_version_number(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, (unsigned)on->self->config.minor_version << 4 | PTP_VERSION);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_version_number(const struct mt_managed *on, struct mt_reader *in)
{
    return (mt_reader_u8(in) & 0x0F) == PTP_VERSION ? MT_MANAGEMENT_OK : MT_MANAGEMENT_WRONG_VALUE;
}

static error_type enable(const struct mt_managed *on, bool is_enabled)
{
    on->port->is_enabled = is_enabled;
    mt_port_refresh(on->self, on->port);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_enable_port(const struct mt_managed *on, struct mt_reader *in)
{
    return enable(on, true);
}

error_type mt_set_disable_port(const struct mt_managed *on, struct mt_reader *in)
{
    return enable(on, false);
}

error_type mt_get_transmitter_only(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->port->config.is_transmitter_only);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_transmitter_only(const struct mt_managed *on, struct mt_reader *in)
{
    bool is_only = (mt_reader_u8(in) & 1) != 0;
    if (is_only && on->self->config.is_receiver_only) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    on->port->config.is_transmitter_only = is_only;
    on->self->needs_decision = true;
    return MT_MANAGEMENT_OK;
}

error_type mt_get_delay_mechanism(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, delay_mechanism(on->port));
    return MT_MANAGEMENT_OK;
}

/* ---- alternate timescales -------------------------------------------------------------------- */

/* The zone that the first octet of the data names; null: no such key. */
static struct mt_zone *zone_of(const struct mt_managed *on, unsigned key)
{
    return key < MT_ZONES_MAX ? &on->management->zones[key] : NULL;
}

error_type mt_get_zone_enable(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_zone *zone = zone_of(on, on->request->key);
    if (zone == NULL) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    mt_put_number(out, on->request->key, 1);
    mt_put_number(out, zone->is_enabled, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_zone_enable(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_zone *zone = zone_of(on, mt_reader_u8(in));
    if (zone == NULL) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    zone->is_enabled = (mt_reader_u8(in) & 1) != 0;
    return MT_MANAGEMENT_OK;
}

error_type mt_get_zone_name(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_zone *zone = zone_of(on, on->request->key);
    if (zone == NULL) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    mt_put_number(out, on->request->key, 1);
    mt_put_text(out, zone->name, zone->name_length);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_zone_name(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_zone *zone = zone_of(on, mt_reader_u8(in));
    uint8_t length = mt_reader_u8(in);
    const uint8_t *name = mt_reader_octets(in, length);
    if (in->failed) {
        return MT_MANAGEMENT_WRONG_LENGTH;
    }
    if (zone == NULL || length > MT_ZONE_NAME_MAX) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    memcpy(zone->name, name, length);
    zone->name_length = length;
    return MT_MANAGEMENT_OK;
}

error_type mt_get_zone_max_key(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, MT_ZONES_MAX - 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_zone_properties(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_zone *zone = zone_of(on, on->request->key);
    if (zone == NULL) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    mt_put_number(out, on->request->key, 1);
    mt_put_number(out, (uint32_t)zone->offset_s, 4);
    mt_put_number(out, (uint32_t)zone->jump_s, 4);
    mt_put_number(out, zone->next_jump_s, 6);
    mt_put_number(out, 0, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_zone_properties(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_zone *zone = zone_of(on, mt_reader_u8(in));
    if (zone == NULL) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    zone->offset_s = mt_reader_i32(in);
    zone->jump_s = mt_reader_i32(in);
    zone->next_jump_s = mt_reader_u48(in);
    return MT_MANAGEMENT_OK;
}
