/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files that [server] and [ntp] name, as `meantime check` looks at them: whether a daemon that is
 * started now would have them.  The daemon does not look here, it says the same when it reads them.
 * Whoever checks may be another user than the daemon and not be allowed to read what it may; that
 * is told like a file that is missing, for nobody can tell what it holds. */
#include <string.h>

#include "config/ntp_keys.h"
#include "config/source_private.h"

/* Where a key was written, in the section itself or in that of its defaults. */
struct place {
    const struct mt_config_source *source;
    enum mt_config_section_kind kind;
    const char *name;
};

static unsigned line_of(const struct place *self, const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(self->source, self->kind, self->name, key);
    if (setting == NULL && self->kind == MT_CONFIG_SECTION_NTP) {
        setting = mt_config_source_find(self->source, MT_CONFIG_SECTION_NTP_DEFAULTS, "", key);
    }
    return setting != NULL ? setting->line : 0;
}

#define COMPLAIN(place, key, ...)                                                                  \
    mt_config_problem_add((place)->source->problems, (place)->source->path, line_of(place, key),   \
                          __VA_ARGS__)

static struct place place_of(const struct mt_config_source *source, const struct mt_config_ntp *ntp)
{
    return (struct place){source, MT_CONFIG_SECTION_NTP, ntp->name};
}

/* A line of [ntp] holds for many servers and is complained of once. */
static bool was_seen(const struct mt_config *self, const struct mt_config_source *source,
                     size_t index, const char *key)
{
    const struct place own = place_of(source, &self->ntps[index]);
    for (size_t i = 0; i < index; i++) {
        const struct place other = place_of(source, &self->ntps[i]);
        bool is_used =
            strcmp(key, "key_file") == 0 ? self->ntps[i].client.key != 0 : self->ntps[i].nts;
        if (is_used && line_of(&other, key) == line_of(&own, key)) {
            return true;
        }
    }
    return false;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Problems have the lines of the file of keys; here they are told where that one is named. */
static void check_keys(const struct place *place, const char *path, const struct mt_config_ntp *ntp,
                       bool is_told)
{
    struct mt_config_pool pool = {NULL};
    static struct mt_config_problems problems;
    struct mt_ntp_keys found;
    problems.count = 0;
    problems.omitted = 0;
    if (!mt_config_ntp_keys_load(path, &pool, &problems, &found)) {
        for (size_t i = 0; i < problems.count && !is_told; i++) {
            COMPLAIN(place, "key_file", "key_file: %s", problems.problem[i].text);
        }
    } else if (ntp != NULL && mt_ntp_key_find(&found, ntp->client.key) == NULL) {
        COMPLAIN(place, "key", "[ntp %s]: there is no key %u in %s", ntp->name,
                 (unsigned)ntp->client.key, path);
    }
    mt_config_pool_free(&pool);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static void check_pair(const struct place *place, const struct mt_config_server *server)
{
    const struct mt_config_inspector *inspector = place->source->inspector;
    char text[MT_CONFIG_PROBLEM_SIZE];
    bool is_key;
    if (inspector != NULL && server->nts_certificate != NULL && server->nts_key != NULL &&
        inspector->find_fault_of_pair(server->nts_certificate, server->nts_key, &is_key, text)) {
        const char *key = is_key ? "nts_key" : "nts_certificate";
        COMPLAIN(place, key, "%s: %s", key, text);
    }
}

static void check_authorities(const struct place *place, const char *path)
{
    const struct mt_config_inspector *inspector = place->source->inspector;
    char text[MT_CONFIG_PROBLEM_SIZE];
    if (inspector != NULL && inspector->find_fault_of_authorities(path, text)) {
        COMPLAIN(place, "nts_ca", "nts_ca: %s", text);
    }
}

void mt_config_check_ntp_files(const struct mt_config *self, const struct mt_config_source *source)
{
    const struct place server = {source, MT_CONFIG_SECTION_SERVER, ""};
    if (!source->reads_files) {
        return;
    }
    if (self->has_server && self->server.key_file != NULL) {
        check_keys(&server, self->server.key_file, NULL, false);
    }
    if (self->has_server) {
        check_pair(&server, &self->server);
    }
    for (size_t i = 0; i < self->ntp_count; i++) {
        const struct mt_config_ntp *ntp = &self->ntps[i];
        const struct place place = place_of(source, ntp);
        if (ntp->client.key != 0 && ntp->key_file != NULL) {
            check_keys(&place, ntp->key_file, ntp, was_seen(self, source, i, "key_file"));
        }
        if (ntp->nts && ntp->nts_ca != NULL && !was_seen(self, source, i, "nts_ca")) {
            check_authorities(&place, ntp->nts_ca);
        }
    }
}
