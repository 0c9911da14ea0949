/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What management tells of a daemon that the instance does not know: its interfaces, addresses and
 * makers.
 */
#include "compose/compose_private.h"

#include <stdlib.h>
#include <string.h>

#include "config/profile.h"
#include "meantime/ptp_management.h"

/* A clock identity made of a MAC address has FF:FE in its middle [7.5.2.2.2]. */
static void find_mac(const struct mt_clock_identity *identity, struct mt_address *ret_address)
{
    if (identity->octet[3] == 0xFF && identity->octet[4] == 0xFE) {
        ret_address->network = MT_NETWORK_IEEE_802_3;
        memcpy(ret_address->octets, identity->octet, 3);
        memcpy(ret_address->octets + 3, identity->octet + 5, 3);
    }
}

static void describe_port(const struct mt_config_port *config, struct mt_management_port *port)
{
    port->interface = config->interface;
    port->physical_layer = "IEEE 802.3";
    port->timestamping = MT_TIMESTAMPING_SOFTWARE;
    port->obeys_intervals = config->obey_interval_requests;
}

/* What the profile says of values that management may set. */
static void take_profile(const struct mt_config_instance *config, struct mt_management *management)
{
    static const char *const keys[MT_LIMITED_COUNT] = {
        [MT_LIMITED_PRIORITY1] = "priority1",
        [MT_LIMITED_PRIORITY2] = "priority2",
        [MT_LIMITED_LOG_ANNOUNCE] = "log_announce_interval",
        [MT_LIMITED_ANNOUNCE_TIMEOUT] = "announce_receipt_timeout",
        [MT_LIMITED_LOG_SYNC] = "log_sync_interval",
        [MT_LIMITED_LOG_PDELAY] = "log_min_pdelay_req_interval",
        [MT_LIMITED_ALTERNATES] = "alternate_transmitters",
    };
    (void)mt_config_profile_octets(config->profile, management->profile);
    for (unsigned i = 0; config->profile_strict && i < MT_LIMITED_COUNT; i++) {
        struct mt_management_limit *limit = &management->limits[i];
        limit->is_set =
            mt_config_profile_range(config->profile, keys[i], &limit->lowest, &limit->highest);
    }
}

void mt_compose_user_description(const struct mt_config_instance *config,
                                 struct mt_management *management)
{
    snprintf(management->user_description, sizeof management->user_description, "%s",
             config->user_description != NULL ? config->user_description : "");
}

struct mt_management *mt_compose_management(const struct mt_config *all, uint16_t index,
                                            const struct mt_clock_identity *identity)
{
    const struct mt_config_instance *config = &all->instances[index];
    struct mt_management *management = calloc(1, sizeof *management);
    struct mt_management_port *ports = calloc(config->port_count, sizeof *ports);
    if (management == NULL || ports == NULL) {
        free(management);
        free(ports);
        return NULL;
    }
    mt_management_init(management, ports, (uint16_t)config->port_count);
    management->ignores_network = !config->network_management;
    management->answer_octets_per_s = config->management_rate;
    management->monitors = config->event_monitoring;
    management->product = "meantime;meantimed;";
    management->revision = ";;" MT_COMPOSE_VERSION;
    mt_compose_user_description(config, management);
    take_profile(config, management);
    for (size_t i = 0; i < config->port_count; i++) {
        describe_port(&all->ports[config->first_port + i], &ports[i]);
    }
    find_mac(identity, &ports[0].physical);
    return management;
}

void mt_compose_zone(const struct mt_composition *self, uint16_t index,
                     struct mt_management *management)
{
    const struct mt_config_zone *config = &self->config->instances[index].zone;
    struct mt_zone *zone = &management->zones[0];
    if (config->name == NULL) {
        return;
    }
    zone->is_enabled = true;
    zone->offset_s = config->offset_s - self->facts.tai_minus_utc_s;
    zone->name_length = (uint8_t)strnlen(config->name, MT_ZONE_NAME_MAX);
    memcpy(zone->name, config->name, zone->name_length);
}

bool mt_compose_smpte(const struct mt_config_instance *config, struct mt_smpte **ret_smpte)
{
    const struct mt_config_smpte *from = &config->smpte;
    if (!from->is_used) {
        return true;
    }
    struct mt_smpte *smpte = calloc(1, sizeof *smpte);
    *ret_smpte = smpte;
    if (smpte == NULL) {
        return false;
    }
    mt_smpte_init(smpte);
    smpte->is_sent = true;
    smpte->log_interval = from->log_interval;
    smpte->rate_numerator = from->rate_numerator;
    smpte->rate_denominator = from->rate_denominator;
    smpte->locking = from->locking;
    smpte->time_address_flags = (uint8_t)((from->drop_frame ? 1 : 0) | (from->color_frame ? 2 : 0));
    smpte->offset_s = config->zone.offset_s;
    smpte->jump_s = from->jump_s;
    smpte->jump_at_s = (uint64_t)from->jump_at_s;
    smpte->daylight_saving = from->daylight_saving;
    smpte->daylight_saving_next = from->daylight_saving_next;
    smpte->has_jam = !from->has_no_jam;
    smpte->jam_s = from->jam_s;
    return true;
}

void mt_compose_free_management(struct mt_management *management)
{
    if (management != NULL) {
        free(management->ports);
        free(management);
    }
}
