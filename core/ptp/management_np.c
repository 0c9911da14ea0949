/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ids that linuxptp has added, in its layouts, so that its programs read a meantime clock as
 * they read ptp4l.  Three of them do not keep to the byte order of the wire there: the counters,
 * which are little-endian by intention, and the corrections of a port, which leave as the machine
 * has them; nearly all such machines are little-endian, so they are that here.
 */
#include "meantime/ptp_peer.h"
#include "ptp/management_private.h"

#define EVENT_OCTETS 64
#define LATENCY_NS   INT64_C(1000000000)
#define ASYMMETRY_NS INT64_C(10000000000)

typedef enum mt_management_error error_type;

static void put_little(struct mt_put *out, uint64_t value)
{
    uint8_t octets[8];
    for (unsigned i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(value >> 8 * i);
    }
    mt_put_octets(out, octets, sizeof octets);
}

static uint64_t read_little(struct mt_reader *in)
{
    const uint8_t *octets = mt_reader_octets(in, 8);
    uint64_t value = 0;
    for (unsigned i = 0; octets != NULL && i < 8; i++) {
        value |= (uint64_t)octets[i] << 8 * i;
    }
    return value;
}

/* ---- of the clock ---------------------------------------------------------------------------- */

error_type mt_get_time_status_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_instance *self = on->self;
    bool follows = self->receiving_port != 0;
    const struct mt_port *port = follows ? &self->ports[self->receiving_port - 1] : NULL;
    int64_t offset_ns = follows ? mt_interval_to_ns(self->clock.offset) : 0;
    int64_t ingress_ns = follows ? mt_instant_to_ns(port->sync.arrival.at) : 0;
    mt_put_number(out, (uint64_t)offset_ns, 8);
    mt_put_number(out, (uint64_t)ingress_ns, 8);
    mt_managed_put_information(self, out);
    mt_put_number(out, follows, 4); /* gmPresent: another one */
    mt_put_octets(out, self->parent.grandmaster.octet, sizeof self->parent.grandmaster.octet);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_grandmaster_settings_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_instance_config *config = &on->self->config;
    mt_put_number(out, config->quality.clock_class, 1);
    mt_put_number(out, config->quality.accuracy, 1);
    mt_put_number(out, config->quality.variance, 2);
    mt_put_number(out, (uint16_t)config->time.utc_offset, 2);
    mt_put_number(out, config->time.flags, 1);
    mt_put_number(out, config->time.time_source, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_grandmaster_settings_np(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_instance_config *config = &on->self->config;
    struct mt_clock_quality quality;
    struct mt_time_properties time;
    quality.clock_class = mt_reader_u8(in);
    quality.accuracy = mt_reader_u8(in);
    quality.variance = mt_reader_u16(in);
    time.utc_offset = (int16_t)mt_reader_u16(in);
    time.flags = mt_reader_u8(in) & 0x7F;
    time.time_source = mt_reader_u8(in);
    if ((config->is_receiver_only && quality.clock_class != 255) ||
        (time.flags & (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)) == (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    config->quality = quality;
    config->time = time;
    on->self->needs_decision = true;
    return MT_MANAGEMENT_OK;
}

error_type mt_get_subscribe_events_np(const struct mt_managed *on, struct mt_put *out)
{
    static const uint8_t none[EVENT_OCTETS - 1];
    uint16_t duration_s;
    uint8_t events;
    mt_notify_show(on, &duration_s, &events);
    mt_put_number(out, duration_s, 2);
    mt_put_number(out, events, 1);
    mt_put_octets(out, none, sizeof none);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_subscribe_events_np(const struct mt_managed *on, struct mt_reader *in)
{
    uint16_t duration_s = mt_reader_u16(in);
    return mt_notify_subscribe(on, duration_s, mt_reader_u8(in));
}

error_type mt_get_uncertain_np(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->management->uncertainty);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_uncertain_np(const struct mt_managed *on, struct mt_reader *in)
{
    uint8_t value = mt_reader_u8(in);
    if (value > 1 && value != 0xFF) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    on->management->uncertainty = value;
    return MT_MANAGEMENT_OK;
}

/* ---- of a port ------------------------------------------------------------------------------- */

/* Null where delay is not measured peer to peer. */
static struct mt_peer *peer_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->peer : NULL;
}

error_type mt_get_port_data_set_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_peer *peer = peer_of(on->port);
    struct mt_peer_report report = {.is_as_capable = true};
    int64_t threshold_ns = 0;
    if (peer != NULL) {
        mt_peer_get(peer, &report);
        threshold_ns = mt_interval_to_ns(peer->config.mean_link_delay_thresh);
    }
    mt_put_number(
        out, threshold_ns < 0 || threshold_ns > UINT32_MAX ? UINT32_MAX : (uint64_t)threshold_ns,
        4);
    mt_put_number(out, mt_managed_is_capable(on, report.is_as_capable), 4);
    return MT_MANAGEMENT_OK;
}

/* asCapable is found out, not set. */
error_type mt_set_port_data_set_np(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_peer *peer = peer_of(on->port);
    uint32_t threshold_ns = mt_reader_u32(in);
    if (peer == NULL) {
        return MT_MANAGEMENT_NOT_SETABLE;
    }
    peer->config.mean_link_delay_thresh =
        threshold_ns == UINT32_MAX ? MT_INTERVAL_TOO_LARGE : mt_interval_from_ns(threshold_ns);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_port_properties_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_management_port *port = mt_managed_port(on);
    mt_put_port_identity(out, &on->port->identity);
    mt_put_number(out, on->port->state, 1);
    mt_put_number(out, port->timestamping, 1);
    mt_put_string(out, port->interface);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_port_stats_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_management_port *port = mt_managed_port(on);
    mt_put_port_identity(out, &on->port->identity);
    for (unsigned type = 0; type < 16; type++) {
        put_little(out, port->received[type]);
    }
    for (unsigned type = 0; type < 16; type++) {
        put_little(out, port->sent[type]);
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_get_port_service_stats_np(const struct mt_managed *on, struct mt_put *out)
{
    const uint64_t *counters = on->port->counters;
    mt_put_port_identity(out, &on->port->identity);
    put_little(out, counters[MT_COUNT_ANNOUNCE_TIMEOUT]);
    put_little(out, mt_managed_sync_timeouts(on->port));
    put_little(out, counters[MT_COUNT_DELAY_UNANSWERED]);
    for (unsigned i = 3; i < 8; i++) {
        put_little(out, 0); /* unicast and transmitter timers, which do not fail */
    }
    put_little(out, counters[MT_COUNT_SYNC_UNMATCHED]);
    put_little(out, 0);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_port_hwclock_np(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_management_port *port = mt_managed_port(on);
    mt_put_port_identity(out, &on->port->identity);
    mt_put_number(out, (uint32_t)port->hardware_clock, 4);
    mt_put_octet_and_reserved(out, port->hardware_clock_is_virtual);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_cmlds_info_np(const struct mt_managed *on, struct mt_put *out)
{
    struct mt_peer_report report;
    if (mt_port_delay_mechanism(on->port) != MT_DELAY_COMMON_P2P || peer_of(on->port) == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    mt_peer_get(peer_of(on->port), &report);
    mt_put_number(out, report.has_delay ? (uint64_t)report.delay.q16 : 0, 8);
    mt_put_number(out, report.has_rate_ratio ? (uint32_t)report.rate_ratio : 0, 4);
    mt_put_number(out, report.is_as_capable, 4);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_port_corrections_np(const struct mt_managed *on, struct mt_put *out)
{
    put_little(out, (uint64_t)on->port->config.egress_latency.q16);
    put_little(out, (uint64_t)on->port->config.ingress_latency.q16);
    put_little(out, (uint64_t)on->port->config.delay_asymmetry.q16);
    return MT_MANAGEMENT_OK;
}

/* As in the configuration. */
static bool is_correction(struct mt_interval value, int64_t most_ns)
{
    int64_t ns = mt_interval_to_ns(value);
    return ns >= -most_ns && ns <= most_ns;
}

error_type mt_set_port_corrections_np(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_port_config *config = &on->port->config;
    struct mt_interval egress = {(int64_t)read_little(in)};
    struct mt_interval ingress = {(int64_t)read_little(in)};
    struct mt_interval asymmetry = {(int64_t)read_little(in)};
    if (!is_correction(egress, LATENCY_NS) || !is_correction(ingress, LATENCY_NS) ||
        !is_correction(asymmetry, ASYMMETRY_NS)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    config->egress_latency = egress;
    config->ingress_latency = ingress;
    config->delay_asymmetry = asymmetry;
    return MT_MANAGEMENT_OK;
}
