/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The storage of what instances and ports can do beyond ordinary and boundary clocks.  Each thing
 * has a file of its own; here they come together.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "meantime/ptp_more.h"

bool mt_compose_more(const struct mt_composition *self, uint16_t index,
                     struct mt_instance_config *instance, struct mt_port_config *ports,
                     char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_instance *config = &self->config->instances[index];
    bool is_transparent = mt_config_is_transparent(config);
    struct mt_instance_more *more = calloc(1, sizeof *more);
    instance->more = more;
    if (more != NULL) {
        more->profile = mt_compose_profile(self, index);
        more->management = mt_compose_management(self->config, index, &instance->identity);
        more->transparent = is_transparent ? mt_compose_transparent(self, index) : NULL;
    }
    if (more == NULL || more->management == NULL || (is_transparent && more->transparent == NULL)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    mt_compose_zone(self, index, more->management);
    if (!mt_compose_smpte(config, &more->smpte)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    if (!mt_compose_security(self->config, index, &more->security, reason)) {
        return false;
    }
    for (size_t i = 0; i < config->port_count; i++) {
        mt_compose_port_security(&self->config->ports[config->first_port + i], more->security,
                                 &ports[i].more->security);
    }
    return true;
}

void mt_compose_free_more(struct mt_instance_more *more)
{
    if (more != NULL) {
        mt_compose_free_management(more->management);
        mt_compose_free_transparent(more->transparent);
        mt_compose_free_security(more->security);
        free(more->smpte);
        free(more->stateless);
    }
    free(more);
}
