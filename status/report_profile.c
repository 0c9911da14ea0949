/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Profiles in the report: see report_profile.h.
 */
#include "status/report_profile.h"

#include <math.h>
#include <stddef.h>

#include "meantime/ptp_more.h"

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
