/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Profiles in the report: see report_profile.h.
 */
#include "status/report_profile.h"

#include <math.h>
#include <stddef.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_smpte.h"

static const struct mt_port_profile *of_port(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->profile : NULL;
}

static const struct mt_profile *of_instance(const struct mt_instance *instance)
{
    return instance->config.more != NULL ? instance->config.more->profile : NULL;
}

const char *mt_report_port_role(const struct mt_port *port)
{
    static const char *const names[] = {
        [MT_PORT_ROLE_AUTO] = "auto",
        [MT_PORT_ROLE_TRANSMITTER] = "transmitter",
        [MT_PORT_ROLE_RECEIVER] = "receiver",
        [MT_PORT_ROLE_PASSIVE] = "passive",
    };
    const struct mt_port_profile *profile = of_port(port);
    return names[profile != NULL ? profile->role : MT_PORT_ROLE_AUTO];
}

uint32_t mt_report_sync_timeouts(const struct mt_port *port)
{
    const struct mt_port_profile *profile = of_port(port);
    return profile != NULL ? profile->sync_timeouts : 0;
}

/* ---- power ----------------------------------------------------------------------------------- */

static const struct mt_tlv_power *power_of(const struct mt_instance *instance)
{
    const struct mt_profile *profile = of_instance(instance);
    return profile != NULL && profile->has_parent_power ? &profile->parent_power : NULL;
}

mt_real mt_report_power_grandmaster(const struct mt_instance *instance)
{
    const struct mt_tlv_power *power = power_of(instance);
    return power != NULL ? (mt_real)power->grandmaster_id : (mt_real)NAN;
}

mt_real mt_report_power_inaccuracy_ns(const struct mt_instance *instance)
{
    const struct mt_tlv_power *power = power_of(instance);
    bool is_known = power != NULL && power->total_inaccuracy_ns != UINT32_MAX;
    return is_known ? (mt_real)power->total_inaccuracy_ns : (mt_real)NAN;
}

/* ---- SMPTE ----------------------------------------------------------------------------------- */

mt_real mt_report_smpte(const struct mt_instance *instance, enum mt_report_smpte figure)
{
    struct mt_tlv_smpte value;
    if (!mt_smpte_metadata(instance, &value)) {
        return (mt_real)NAN;
    }
    switch (figure) {
    case MT_REPORT_SMPTE_RATE:
        return value.rate_denominator != 0
                   ? (mt_real)value.rate_numerator / (mt_real)value.rate_denominator
                   : (mt_real)NAN;
    case MT_REPORT_SMPTE_DROP_FRAME:
        return (mt_real)(value.time_address_flags & 1);
    case MT_REPORT_SMPTE_OFFSET:
        return (mt_real)value.local_offset_s;
    case MT_REPORT_SMPTE_JUMP:
        return (mt_real)value.jump_s;
    case MT_REPORT_SMPTE_NEXT_JUMP:
        return value.jump_s != 0 ? (mt_real)value.next_jump_s : (mt_real)NAN;
    case MT_REPORT_SMPTE_NEXT_JAM:
        return value.next_jam_s != 0 ? (mt_real)value.next_jam_s : (mt_real)NAN;
    case MT_REPORT_SMPTE_PREVIOUS_JAM:
        return value.previous_jam_s != 0 ? (mt_real)value.previous_jam_s : (mt_real)NAN;
    case MT_REPORT_SMPTE_PREVIOUS_OFFSET:
        return value.previous_jam_s != 0 ? (mt_real)value.previous_jam_offset_s : (mt_real)NAN;
    case MT_REPORT_SMPTE_DAYLIGHT_SAVING:
        break;
    }
    return (mt_real)value.daylight_saving;
}

const char *mt_report_smpte_locking(const struct mt_instance *instance)
{
    static const char *const names[] = {
        [MT_SMPTE_NOT_IN_USE] = "not in use",
        [MT_SMPTE_FREE_RUN] = "free run",
        [MT_SMPTE_COLD_LOCKING] = "cold locking",
        [MT_SMPTE_WARM_LOCKING] = "warm locking",
        [MT_SMPTE_LOCKED] = "locked",
    };
    struct mt_tlv_smpte value;
    if (!mt_smpte_metadata(instance, &value)) {
        return NULL;
    }
    return value.locking < sizeof names / sizeof names[0] ? names[value.locking] : "?";
}

static const struct mt_smpte *smpte_of(const struct mt_instance *instance)
{
    return instance->config.more != NULL ? instance->config.more->smpte : NULL;
}

uint64_t mt_report_smpte_sent(const struct mt_instance *instance)
{
    const struct mt_smpte *smpte = smpte_of(instance);
    return smpte != NULL ? smpte->sent : 0;
}

uint64_t mt_report_smpte_received(const struct mt_instance *instance)
{
    const struct mt_smpte *smpte = smpte_of(instance);
    return smpte != NULL ? smpte->received : 0;
}
