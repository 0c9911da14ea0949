/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Contradictions in what is said of NTP servers. */
#include <string.h>

#include "config/source_private.h"

static unsigned line_of(const struct mt_config_source *source, const char *name, const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(source, MT_CONFIG_SECTION_NTP, name, key);
    const struct mt_config_section *section =
        mt_config_source_find_section(source, MT_CONFIG_SECTION_NTP, name);
    if (setting == NULL) {
        setting = mt_config_source_find(source, MT_CONFIG_SECTION_NTP_DEFAULTS, "", key);
    }
    return setting != NULL ? setting->line : section != NULL ? section->line : 0;
}

#define COMPLAIN(source, line, ...)                                                                \
    mt_config_problem_add((source)->problems, (source)->path, line, __VA_ARGS__)

static void check_address(const struct mt_config_ntp *ntp, const struct mt_config_source *source)
{
    unsigned line = line_of(source, ntp->name, "address");
    if (ntp->address.count == 0) {
        COMPLAIN(source, line,
                 "[ntp %s]: this is neither an address nor the name of a host; add address = ...",
                 ntp->name);
    } else if (ntp->address.count > 1) {
        COMPLAIN(source, line, "[ntp %s]: address: only one; each server has a section of its own",
                 ntp->name);
    } else if (ntp->address.station[0].address.network == MT_NETWORK_IEEE_802_3) {
        COMPLAIN(source, line, "[ntp %s]: address: NTP needs an address of IPv4 or IPv6, or a name",
                 ntp->name);
    }
}

static bool has_clock(const struct mt_config *config, const char *name)
{
    for (size_t i = 0; i < config->clock_count; i++) {
        if (strcmp(config->clocks[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_nts(const struct mt_config_ntp *ntp, const struct mt_config_source *source)
{
    if (!ntp->nts) {
        return;
    }
    if (ntp->client.version < MT_NTP_VERSION) {
        COMPLAIN(source, line_of(source, ntp->name, "nts"),
                 "[ntp %s]: nts: it is spoken in version 4 only, not in version %u", ntp->name,
                 ntp->client.version);
    }
    if (ntp->client.key != 0) {
        COMPLAIN(source, line_of(source, ntp->name, "nts"),
                 "[ntp %s]: nts and key: a question is signed in one way; remove one of them",
                 ntp->name);
    }
}

static bool is_written(const struct mt_config_source *source, const char *name, const char *key)
{
    return mt_config_source_find(source, MT_CONFIG_SECTION_NTP, name, key) != NULL ||
           mt_config_source_find(source, MT_CONFIG_SECTION_NTP_DEFAULTS, "", key) != NULL;
}

/* One of them may be the default, of which the user has never heard. */
static void check_polls(const struct mt_config_ntp *ntp, const struct mt_config_source *source)
{
    bool has_min = is_written(source, ntp->name, "min_poll");
    bool has_max = is_written(source, ntp->name, "max_poll");
    if (ntp->client.min_poll > ntp->client.max_poll) {
        COMPLAIN(source, line_of(source, ntp->name, has_max ? "max_poll" : "min_poll"),
                 "[ntp %s]: max_poll = %d%s is less than min_poll = %d%s", ntp->name,
                 ntp->client.max_poll, has_max ? "" : ", its default,", ntp->client.min_poll,
                 has_min ? "" : ", its default; set that, too");
    }
}

void mt_config_check_ntp(const struct mt_config *self, const struct mt_config_source *source)
{
    for (size_t i = 0; i < self->ntp_count; i++) {
        const struct mt_config_ntp *ntp = &self->ntps[i];
        check_address(ntp, source);
        check_nts(ntp, source);
        if (ntp->transport != MT_CONFIG_NTP_UDP && ntp->interface == NULL) {
            COMPLAIN(source, line_of(source, ntp->name, "transport"),
                     "[ntp %s]: transport = ptp: through which card? add interface = NAME",
                     ntp->name);
        }
        if (ntp->timestamping == MT_CONFIG_TIMESTAMPING_HARDWARE && ntp->interface == NULL) {
            COMPLAIN(source, line_of(source, ntp->name, "timestamping"),
                     "[ntp %s]: timestamping = hardware: of which card? add interface = NAME",
                     ntp->name);
        }
        check_polls(ntp, source);
        if (ntp->client.key != 0 && ntp->key_file == NULL) {
            COMPLAIN(source, line_of(source, ntp->name, "key"),
                     "[ntp %s]: key = %u: in which file? add key_file = PATH", ntp->name,
                     (unsigned)ntp->client.key);
        }
        if (!has_clock(self, ntp->clock)) {
            COMPLAIN(source, line_of(source, ntp->name, "clock"),
                     "clock = %s: there is no section [clock %s]", ntp->clock, ntp->clock);
        }
    }
}
