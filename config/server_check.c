/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Contradictions of the NTP server, as check.c has them. */
#include <string.h>

#include "config/ntp_keys.h"
#include "config/source_private.h"

#define ADDRESSES_MAX 16
#define ID_MAX        4 /* characters of a reference id */

static unsigned line_of(const struct mt_config_source *source, const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(source, MT_CONFIG_SECTION_SERVER, "", key);
    const struct mt_config_section *section =
        mt_config_source_find_section(source, MT_CONFIG_SECTION_SERVER, "");
    return setting != NULL ? setting->line : section != NULL ? section->line : 0;
}

#define COMPLAIN(source, key, ...)                                                                 \
    mt_config_problem_add((source)->problems, (source)->path, line_of(source, key), __VA_ARGS__)

static void check_addresses(const struct mt_config_source *source, const char *key,
                            const struct mt_config_stations *list)
{
    for (size_t i = 0; i < list->count; i++) {
        uint8_t network = list->station[i].address.network;
        if (network != MT_NETWORK_UDP_IPV4 && network != MT_NETWORK_UDP_IPV6) {
            COMPLAIN(source, key, "%s = %s: expected addresses of IPv4 and IPv6, or %s", key,
                     list->station[i].text, strcmp(key, "deny") == 0 ? "none" : "any");
        }
    }
}

static void check_rules(const struct mt_config_server *self, const struct mt_config_source *source)
{
    check_addresses(source, "allow", &self->allowed);
    check_addresses(source, "deny", &self->denied);
    size_t count = self->allowed.count + self->denied.count;
    if (count > MT_CONFIG_STATIONS_MAX) {
        COMPLAIN(source, "deny",
                 "deny: %zu addresses and those of allow are %zu, of which there "
                 "may be %d",
                 self->denied.count, count, MT_CONFIG_STATIONS_MAX);
    }
}

static void check_clock(const struct mt_config *self, const struct mt_config_source *source)
{
    const char *name = self->server.clock;
    bool is_known = self->server.clock_index < self->clock_count &&
                    strcmp(self->clocks[self->server.clock_index].name, name) == 0;
    if (!is_known) {
        COMPLAIN(source, "clock", "clock = %s: there is no section [clock %s]", name, name);
    }
}

static void check_times(const struct mt_config_server *self, const struct mt_config_source *source)
{
    if (mt_interval_to_ns(self->smear) % MT_NS_PER_S != 0) {
        COMPLAIN(source, "smear", "smear: expected whole seconds");
    }
    if (self->reference_id != NULL && strlen(self->reference_id) > ID_MAX) {
        COMPLAIN(source, "reference_id", "reference_id = %s: expected at most %d characters",
                 self->reference_id, ID_MAX);
    }
}

static void check_orphan(const struct mt_config *self, const struct mt_config_source *source)
{
    const struct mt_config_server *server = &self->server;
    bool has_other = false;
    for (size_t i = 0; i < self->ntp_count; i++) {
        has_other |= strcmp(self->ntps[i].clock, server->clock) == 0;
    }
    if (!server->is_orphan) {
        return;
    }
    if (!has_other) {
        COMPLAIN(source, "orphan",
                 "orphan: there is nobody to agree with; add [ntp NAME] for each "
                 "of the other servers");
    }
    if (server->local_stratum < 2 || server->local_stratum > MT_NTP_STRATUM_MAX - 1) {
        COMPLAIN(source, "local_stratum",
                 "orphan: local_stratum must be from 2 to %d, for who "
                 "follows has one more",
                 MT_NTP_STRATUM_MAX - 1);
    }
}

void mt_config_check_server(const struct mt_config *self, const struct mt_config_source *source)
{
    const struct mt_config_server *server = &self->server;
    if (!self->has_server) {
        return;
    }
    check_clock(self, source);
    check_addresses(source, "listen", &server->listen);
    check_rules(server, source);
    check_orphan(self, source);
    if (server->listen.count > ADDRESSES_MAX) {
        COMPLAIN(source, "listen", "listen: expected at most %d addresses", ADDRESSES_MAX);
    }
    if (server->require_key && server->key_file == NULL) {
        COMPLAIN(source, "require_key", "require_key: there are no keys; add key_file = PATH");
    }
    if ((server->nts_certificate == NULL) != (server->nts_key == NULL)) {
        COMPLAIN(source, server->nts_key == NULL ? "nts_certificate" : "nts_key",
                 "nts_certificate and nts_key: one of them is missing");
    }
    if (server->require_nts && server->nts_certificate == NULL) {
        COMPLAIN(source, "require_nts",
                 "require_nts: NTS is not spoken; add nts_certificate = PATH and nts_key = PATH");
    }
    check_times(server, source);
}
