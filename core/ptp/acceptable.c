/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The table of acceptable transmitters [1588-2019 17.5]: who is not in it is not listened to.  An
 * empty table accepts everybody.
 */
#include "ptp/ptp_private.h"

bool mt_acceptable(const struct mt_port *port, const struct mt_port_identity *source)
{
    for (unsigned i = 0; i < port->config.acceptable_count; i++) {
        const struct mt_port_identity *acceptable = &port->config.acceptable[i];
        if (mt_clock_identity_equal(&acceptable->clock, &source->clock) &&
            (acceptable->port == 0 || acceptable->port == source->port)) {
            return true;
        }
    }
    return port->config.acceptable_count == 0;
}
