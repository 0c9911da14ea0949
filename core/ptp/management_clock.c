/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ids of a clock [1588-2019 15.5.3.1, 15.5.3.3 to .5]: data sets, and the members of them that
 * may be changed.  What is changed here is what the clock announces while it is grandmaster, so
 * each change asks for a state decision.
 */
#include "meantime/ptp_peer.h"
#include "ptp/management_private.h"

#define FLAGS_UTC   (MT_PTP_LEAP_61 | MT_PTP_LEAP_59 | MT_PTP_UTC_OFFSET_VALID)
#define FLAGS_TRACE (MT_PTP_TIME_TRACEABLE | MT_PTP_FREQUENCY_TRACEABLE)

typedef enum mt_management_error error_type;

/* ---- what it is ------------------------------------------------------------------------------ */

static unsigned clock_type(const struct mt_instance *self)
{
    if (self->config.more->transparent != NULL) {
        return mt_port_delay_mechanism(self->ports) == MT_DELAY_E2E ? 0x1000 : 0x2000;
    }
    return self->port_count > 1 ? 0x4000 : 0x8000;
}

error_type mt_get_clock_description(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_management *management = on->management;
    const struct mt_management_port *port = mt_managed_port(on);
    size_t physical_length = mt_address_length(&port->physical);
    mt_put_number(out, clock_type(on->self), 2);
    mt_put_string(out, port->physical_layer);
    mt_put_number(out, physical_length, 2);
    mt_put_octets(out, port->physical.octets, physical_length);
    mt_put_address(out, &port->protocol);
    mt_put_octets(out, management->manufacturer, sizeof management->manufacturer);
    mt_put_number(out, 0, 1);
    mt_put_string(out, management->product);
    mt_put_string(out, management->revision);
    mt_put_string(out, management->user_description);
    mt_put_octets(out, management->profile, sizeof management->profile);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_user_description(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_string(out, on->management->user_description);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_user_description(const struct mt_managed *on, struct mt_reader *in)
{
    uint8_t length = mt_reader_u8(in);
    const uint8_t *text = mt_reader_octets(in, length);
    if (in->failed) {
        return MT_MANAGEMENT_WRONG_LENGTH;
    }
    if (length > MT_MANAGEMENT_TEXT_MAX) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    for (unsigned i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] == 0x7F) { /* it will be shown to people */
            return MT_MANAGEMENT_WRONG_VALUE;
        }
    }
    memcpy(on->management->user_description, text, length);
    on->management->user_description[length] = '\0';
    return MT_MANAGEMENT_OK;
}

/* Key 0 begins anew: all ports as after start [15.5.3.1.6]. */
error_type mt_set_initialize(const struct mt_managed *on, struct mt_reader *in)
{
    if (mt_reader_u16(in) != 0) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    for (struct mt_port *port = on->self->ports; port < on->self->ports_end; port++) {
        bool was_enabled = port->is_enabled;
        port->is_enabled = false;
        mt_port_refresh(on->self, port);
        port->is_enabled = was_enabled;
        mt_port_refresh(on->self, port);
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_get_fault_log(const struct mt_managed *on, struct mt_put *out)
{
    static const char name[] = "port state";
    static const char value[] = "FAULTY";
    static const char description[] = "link down or network failure";
    const struct mt_management *management = on->management;
    mt_put_number(out, management->fault_count, 2);
    for (unsigned i = 0; i < management->fault_count; i++) {
        struct mt_instant at = management->time;
        struct mt_span ago = mt_span_from_ns(on->self->now.ns - management->faults[i].at.ns);
        at = mt_instant_plus(at, mt_span_negate(ago));
        mt_put_number(out, 11 + sizeof name + sizeof value + sizeof description, 2);
        mt_put_timestamp(out, &at);
        mt_put_number(out, 3, 1); /* severityCode: error [Table 61] */
        mt_put_text(out, name, sizeof name - 1);
        mt_put_text(out, value, sizeof value - 1);
        mt_put_text(out, description, sizeof description - 1);
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_set_fault_log_reset(const struct mt_managed *on, struct mt_reader *in)
{
    on->management->fault_count = 0;
    return MT_MANAGEMENT_OK;
}

/* ---- data sets ------------------------------------------------------------------------------- */

static void put_quality(struct mt_put *out, const struct mt_clock_quality *quality)
{
    mt_put_number(out, quality->clock_class, 1);
    mt_put_number(out, quality->accuracy, 1);
    mt_put_number(out, quality->variance, 2);
}

error_type mt_get_default_data_set(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_instance_config *config = &on->self->config;
    mt_put_octet_and_reserved(out, 1u | (config->is_receiver_only ? 2u : 0u));
    mt_put_number(out, on->self->port_count, 2);
    mt_put_number(out, config->priority1, 1);
    put_quality(out, &config->quality);
    mt_put_number(out, config->priority2, 1);
    mt_put_octets(out, config->identity.octet, sizeof config->identity.octet);
    mt_put_octet_and_reserved(out, config->domain);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_current_data_set(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_instance *self = on->self;
    bool follows = self->receiving_port != 0;
    mt_put_number(out, self->parent.steps_removed, 2);
    mt_put_number(out, follows ? (uint64_t)self->clock.offset.q16 : 0, 8);
    mt_put_number(out, follows ? (uint64_t)self->clock.mean_delay.q16 : 0, 8);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_parent_data_set(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_ptp_dataset *parent = &on->self->parent;
    mt_put_port_identity(out, &parent->sender);
    mt_put_octet_and_reserved(out, 0); /* parentStats: not computed */
    mt_put_number(out, 0xFFFF, 2);
    mt_put_number(out, 0x7FFFFFFF, 4);
    mt_put_number(out, parent->priority1, 1);
    put_quality(out, &parent->quality);
    mt_put_number(out, parent->priority2, 1);
    mt_put_octets(out, parent->grandmaster.octet, sizeof parent->grandmaster.octet);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_time_properties_data_set(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_time_properties *time = &on->self->time;
    mt_put_number(out, (uint16_t)time->utc_offset, 2);
    mt_put_number(out, time->flags, 1);
    mt_put_number(out, time->time_source, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_time(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_timestamp(out, &on->management->time);
    return MT_MANAGEMENT_OK;
}

/* ---- members --------------------------------------------------------------------------------- */

static error_type set_priority(const struct mt_managed *on, uint8_t asked,
                               enum mt_management_limited what, uint8_t *priority)
{
    error_type error = mt_managed_check(on->management, what, asked);
    if (error == MT_MANAGEMENT_OK) {
        *priority = asked;
        on->self->needs_decision = true;
    }
    return error;
}

error_type mt_get_priority1(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.priority1);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_priority1(const struct mt_managed *on, struct mt_reader *in)
{
    return set_priority(on, mt_reader_u8(in), MT_LIMITED_PRIORITY1, &on->self->config.priority1);
}

error_type mt_get_priority2(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.priority2);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_priority2(const struct mt_managed *on, struct mt_reader *in)
{
    return set_priority(on, mt_reader_u8(in), MT_LIMITED_PRIORITY2, &on->self->config.priority2);
}

error_type mt_get_domain(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.domain);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_receiver_only(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.is_receiver_only);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_clock_accuracy(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.quality.accuracy);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_clock_accuracy(const struct mt_managed *on, struct mt_reader *in)
{
    on->self->config.quality.accuracy = mt_reader_u8(in);
    on->self->needs_decision = true;
    return MT_MANAGEMENT_OK;
}

/* Replaces the flags of `mask`. */
static void set_flags(struct mt_instance *self, unsigned mask, unsigned flags)
{
    struct mt_time_properties *time = &self->config.time;
    time->flags = (uint16_t)((time->flags & ~mask) | (flags & mask));
    self->needs_decision = true;
}

static bool are_both_leaps(unsigned flags)
{
    return (flags & MT_PTP_LEAP_61) != 0 && (flags & MT_PTP_LEAP_59) != 0;
}

error_type mt_get_utc_properties(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_number(out, (uint16_t)on->self->time.utc_offset, 2);
    mt_put_octet_and_reserved(out, on->self->time.flags & FLAGS_UTC);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_utc_properties(const struct mt_managed *on, struct mt_reader *in)
{
    int16_t utc_offset = (int16_t)mt_reader_u16(in);
    unsigned flags = mt_reader_u8(in);
    if (are_both_leaps(flags)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    on->self->config.time.utc_offset = utc_offset;
    set_flags(on->self, FLAGS_UTC, flags);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_traceability_properties(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->time.flags & FLAGS_TRACE);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_traceability_properties(const struct mt_managed *on, struct mt_reader *in)
{
    set_flags(on->self, FLAGS_TRACE, mt_reader_u8(in));
    return MT_MANAGEMENT_OK;
}

error_type mt_get_timescale_properties(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_number(out, on->self->time.flags & MT_PTP_TIMESCALE, 1);
    mt_put_number(out, on->self->time.time_source, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_timescale_properties(const struct mt_managed *on, struct mt_reader *in)
{
    unsigned flags = mt_reader_u8(in);
    on->self->config.time.time_source = mt_reader_u8(in);
    set_flags(on->self, MT_PTP_TIMESCALE, flags);
    return MT_MANAGEMENT_OK;
}

/* ---- path trace ------------------------------------------------------------------------------ */

error_type mt_get_path_trace_list(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_path *path = on->self->config.path;
    if (path == NULL) {
        return MT_MANAGEMENT_UNPOPULATED;
    }
    for (unsigned i = 0; i < path->count; i++) {
        mt_put_octets(out, path->identity[i].octet, sizeof path->identity[i].octet);
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_get_path_trace_enable(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->self->config.path != NULL);
    return MT_MANAGEMENT_OK;
}

/* ---- acceptable transmitters ----------------------------------------------------------------- */

/* The standard has one table for the clock, which each of its ports heeds or not; a configuration
 * has one for each port.  Until a table is set, that of the first port that has any is shown. */
static const struct mt_port_identity *acceptable_of(const struct mt_managed *on,
                                                    uint16_t *ret_count)
{
    const struct mt_port *port = on->self->ports;
    if (on->management->has_acceptable) {
        *ret_count = on->management->acceptable_count;
        return on->management->acceptable;
    }
    while (port < on->self->ports_end - 1 && port->config.acceptable_count == 0) {
        port++;
    }
    *ret_count = port->config.acceptable_count;
    return port->config.acceptable;
}

error_type mt_get_acceptable_table(const struct mt_managed *on, struct mt_put *out)
{
    uint16_t count;
    const struct mt_port_identity *acceptable = acceptable_of(on, &count);
    mt_put_number(out, count, 2);
    for (unsigned i = 0; i < count; i++) {
        mt_put_port_identity(out, &acceptable[i]);
        mt_put_number(out, 0, 1); /* alternatePriority1 */
    }
    return MT_MANAGEMENT_OK;
}

/* Ports that heed the table heed the new one.  An empty one, which to the standard is nobody and to
 * a port here anybody, is refused while there are such ports. */
error_type mt_set_acceptable_table(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_port_identity acceptable[MT_MANAGEMENT_ACCEPTABLE];
    uint16_t count = mt_reader_u16(in);
    bool is_heeded = false;
    for (const struct mt_port *port = on->self->ports; port < on->self->ports_end; port++) {
        is_heeded |= port->config.acceptable_count > 0;
    }
    if (count > MT_MANAGEMENT_ACCEPTABLE || (count == 0 && is_heeded)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *clock = mt_reader_octets(in, sizeof acceptable[i].clock);
        acceptable[i].port = mt_reader_u16(in);
        if (mt_reader_u8(in) != 0 && !in->failed) {
            return MT_MANAGEMENT_WRONG_VALUE; /* alternatePriority1 is not used here */
        }
        if (in->failed) {
            return MT_MANAGEMENT_WRONG_LENGTH;
        }
        memcpy(&acceptable[i].clock, clock, sizeof acceptable[i].clock);
    }
    memcpy(on->management->acceptable, acceptable, count * sizeof *acceptable);
    on->management->acceptable_count = count;
    on->management->has_acceptable = true;
    for (struct mt_port *port = on->self->ports; port < on->self->ports_end; port++) {
        if (port->config.acceptable_count > 0) {
            port->config.acceptable = on->management->acceptable;
            port->config.acceptable_count = count;
        }
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_get_acceptable_enabled(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, on->port->config.acceptable_count > 0);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_acceptable_enabled(const struct mt_managed *on, struct mt_reader *in)
{
    uint16_t count;
    const struct mt_port_identity *acceptable = acceptable_of(on, &count);
    bool is_on = (mt_reader_u16(in) >> 8 & 1) != 0;
    if (count > MT_MANAGEMENT_ACCEPTABLE || (is_on && count == 0)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    if (!on->management->has_acceptable && count > 0) { /* no port may remember it after this */
        memcpy(on->management->acceptable, acceptable, count * sizeof *acceptable);
        on->management->acceptable_count = count;
        on->management->has_acceptable = true;
    }
    on->port->config.acceptable = on->management->acceptable;
    on->port->config.acceptable_count = is_on ? count : 0;
    return MT_MANAGEMENT_OK;
}

error_type mt_get_acceptable_max(const struct mt_managed *on, struct mt_put *out)
{
    uint16_t count;
    (void)acceptable_of(on, &count);
    mt_put_number(out, count > MT_MANAGEMENT_ACCEPTABLE ? count : MT_MANAGEMENT_ACCEPTABLE, 2);
    return MT_MANAGEMENT_OK;
}

/* ---- transparent clocks ---------------------------------------------------------------------- */

static bool is_transparent(const struct mt_managed *on)
{
    return on->self->config.more->transparent != NULL;
}

error_type mt_get_transparent_default(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_instance *self = on->self;
    if (!is_transparent(on)) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    mt_put_octets(out, self->config.identity.octet, sizeof self->config.identity.octet);
    mt_put_number(out, self->port_count, 2);
    mt_put_number(out, clock_type(self) == 0x2000 ? MT_DELAY_P2P : MT_DELAY_E2E, 1);
    mt_put_number(out, self->config.domain, 1);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_primary_domain(const struct mt_managed *on, struct mt_put *out)
{
    if (!is_transparent(on)) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    return mt_get_domain(on, out);
}
