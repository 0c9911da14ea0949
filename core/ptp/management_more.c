/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ids of options: unicast, fixed port roles, gPTP and the power profile.  Each option has its
 * own object; where there is none, the clock has no such thing.
 */
#include "meantime/ptp_alternate.h"
#include "meantime/ptp_profile.h"
#include "meantime/ptp_unicast.h"
#include "ptp/management_private.h"

#define DESIRED_STATE_NONE 0

typedef enum mt_management_error error_type;

static const struct mt_port_more *more_of(const struct mt_port *port)
{
    static const struct mt_port_more none = {.profile = NULL};
    return port->config.more != NULL ? port->config.more : &none;
}

/* ---- unicast --------------------------------------------------------------------------------- */

error_type mt_get_unicast_negotiation(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_port_more *more = more_of(on->port);
    bool negotiates = (more->grantor != NULL && more->grantor->policy.negotiates) ||
                      (more->requester != NULL && more->requester->negotiates);
    mt_put_octet_and_reserved(out, negotiates);
    return MT_MANAGEMENT_OK;
}

/* What it has announced, if it has. */
static const struct mt_ptp_dataset *announced_by(const struct mt_port *port,
                                                 const struct mt_unicast_transmitter *transmitter)
{
    for (unsigned i = 0; i < MT_FOREIGN_MAX; i++) {
        const struct mt_foreign *foreign = &port->foreign[i];
        if (foreign->is_used && transmitter->is_identity_known &&
            mt_port_identity_equal(&foreign->dataset.sender, &transmitter->identity)) {
            return &foreign->dataset;
        }
    }
    return NULL;
}

error_type mt_get_unicast_master_table_np(const struct mt_managed *on, struct mt_put *out)
{
    static const struct mt_ptp_dataset nothing = {.quality = {.clock_class = 0}};
    const struct mt_requester *requester = more_of(on->port)->requester;
    uint16_t count = requester != NULL ? requester->count : 0;
    mt_put_number(out, count, 2);
    for (unsigned i = 0; i < count; i++) {
        const struct mt_unicast_transmitter *transmitter = &requester->table[i];
        const struct mt_ptp_dataset *dataset = announced_by(on->port, transmitter);
        dataset = dataset != NULL ? dataset : &nothing;
        mt_put_port_identity(out, &transmitter->identity);
        mt_put_number(out, dataset->quality.clock_class, 1);
        mt_put_number(out, dataset->quality.accuracy, 1);
        mt_put_number(out, dataset->quality.variance, 2);
        mt_put_number(out, i == requester->selected, 1);
        mt_put_number(out, transmitter->state, 1);
        mt_put_number(out, dataset->priority1, 1);
        mt_put_number(out, dataset->priority2, 1);
        mt_put_address(out, &transmitter->address);
    }
    return MT_MANAGEMENT_OK;
}

/* ---- fixed roles ----------------------------------------------------------------------------- */

static unsigned desired_state(const struct mt_port *port)
{
    const struct mt_port_profile *profile = more_of(port)->profile;
    switch (profile != NULL ? profile->role : MT_PORT_ROLE_AUTO) {
    case MT_PORT_ROLE_AUTO:
        break;
    case MT_PORT_ROLE_TRANSMITTER:
        return MT_STATE_TRANSMITTER;
    case MT_PORT_ROLE_RECEIVER:
        return MT_STATE_RECEIVER;
    case MT_PORT_ROLE_PASSIVE:
        return MT_STATE_PASSIVE;
    }
    return DESIRED_STATE_NONE;
}

error_type mt_get_external_configuration(const struct mt_managed *on, struct mt_put *out)
{
    mt_put_octet_and_reserved(out, desired_state(on->self->ports) != DESIRED_STATE_NONE);
    return MT_MANAGEMENT_OK;
}

error_type mt_get_desired_state(const struct mt_managed *on, struct mt_put *out)
{
    unsigned state = desired_state(on->port);
    if (state == DESIRED_STATE_NONE) {
        return MT_MANAGEMENT_UNPOPULATED;
    }
    mt_put_number(out, 1, 1); /* flags, as libptpmgmt has them; bit 0: enabled */
    mt_put_number(out, state, 1);
    return MT_MANAGEMENT_OK;
}

/* ---- gPTP and power -------------------------------------------------------------------------- */

bool mt_managed_is_capable(const struct mt_managed *on, bool link_is_capable)
{
    const struct mt_profile *profile = on->self->config.more->profile;
    const struct mt_port_profile *of_port = more_of(on->port)->profile;
    return profile != NULL && profile->is_gptp && of_port != NULL ? of_port->is_capable
                                                                  : link_is_capable;
}

uint64_t mt_managed_sync_timeouts(const struct mt_port *port)
{
    const struct mt_port_profile *profile = more_of(port)->profile;
    return profile != NULL ? profile->sync_timeouts : 0;
}

void mt_managed_put_information(const struct mt_instance *self, struct mt_put *out)
{
    static const struct mt_gptp_relay none = {.rate_ratio = 0};
    const struct mt_profile *profile = self->config.more->profile;
    const struct mt_gptp_relay *relay =
        profile != NULL && self->receiving_port != 0 && profile->relay.has_time ? &profile->relay
                                                                                : &none;
    const struct mt_tlv_follow_up_information *information = &relay->information;
    mt_put_number(out, (uint32_t)relay->rate_ratio, 4);
    mt_put_number(out, (uint32_t)information->scaled_last_gm_freq_change, 4);
    mt_put_number(out, information->gm_time_base_indicator, 2);
    mt_put_octets(out, information->last_gm_phase_change, sizeof information->last_gm_phase_change);
}

error_type mt_get_power_profile_np(const struct mt_managed *on, struct mt_put *out)
{
    static const struct mt_power_profile none = {MT_POWER_NONE, 0, UINT32_MAX, UINT32_MAX,
                                                 UINT32_MAX};
    const struct mt_profile *profile = on->self->config.more->profile;
    const struct mt_power_profile *power = profile != NULL ? &profile->power : &none;
    mt_put_number(out, power->version, 2);
    mt_put_number(out, power->grandmaster_id, 2);
    mt_put_number(out, power->gm_inaccuracy_ns, 4);
    mt_put_number(out, power->network_inaccuracy_ns, 4);
    mt_put_number(out, power->total_inaccuracy_ns, 4);
    return MT_MANAGEMENT_OK;
}

/* ---- alternate transmitters ------------------------------------------------------------------ */

error_type mt_get_alternate(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_alternate *alternate = more_of(on->port)->alternate;
    if (alternate == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    mt_put_number(out, alternate->sends_sync, 1);
    mt_put_number(out, (uint8_t)alternate->log_sync_interval, 1);
    mt_put_octet_and_reserved(out, alternate->count);
    return MT_MANAGEMENT_OK;
}

error_type mt_set_alternate(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_alternate *alternate = more_of(on->port)->alternate;
    bool sends_sync = (mt_reader_u8(in) & 1) != 0;
    int8_t log_interval = mt_reader_i8(in);
    if (alternate == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    uint8_t count = mt_reader_u8(in);
    if (!mt_log_interval_is_allowed(log_interval)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    enum mt_management_error error = mt_managed_check(on->management, MT_LIMITED_ALTERNATES, count);
    if (error != MT_MANAGEMENT_OK) {
        return error;
    }
    alternate->sends_sync = sends_sync;
    alternate->log_sync_interval = log_interval;
    alternate->next_sync = on->self->now;
    alternate->count = count;
    return MT_MANAGEMENT_OK;
}
