/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime check and meantime explain: the configuration without a daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/tool.h"
#include "config/associations.h"
#include "crypto/crypto.h"
#include "platform/linux/linux_steerers.h"

static enum mt_exit say_problems(const struct mt_config_problems *problems, const char *path)
{
    size_t count = problems->count + problems->omitted;
    mt_config_problems_print(problems, stdout);
    printf("%s: %zu %s\n", path, count, count == 1 ? "problem" : "problems");
    return MT_EXIT_BAD;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* What only the cryptography can tell of the keys, which have been found to be there. */
static size_t check_chains(const struct mt_config *config, size_t instance)
{
    struct mt_config_pool pool = {NULL};
    struct mt_config_problems problems = {0};
    struct mt_config_associations found;
    size_t count = 0;
    mt_config_security_load(config, instance, &pool, &problems, &found);
    for (size_t i = 0; i < found.count; i++) {
        struct mt_chain *chain = found.association[i].chain;
        if (chain != NULL && !mt_chain_init(chain, &mt_crypto_nettle)) {
            printf("%s: spp %u: chain_seed does not lead to chain_anchor; meantime keys shows the "
                   "anchor if that line is left out\n",
                   config->instances[instance].security_file, found.association[i].spp);
            count++;
        }
    }
    mt_config_pool_free(&pool);
    return count;
}

static bool is_signed(const struct mt_config *config, const struct mt_config_instance *instance)
{
    for (size_t i = 0; i < instance->port_count; i++) {
        const struct mt_config_port *port = &config->ports[instance->first_port + i];
        if (!port->has_no_spp || !port->has_no_delayed_spp) {
            return true;
        }
    }
    return false;
}

/* What is no mistake, but less than it looks like. */
static void warn(const struct mt_config *config, const char *path)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct mt_config_instance *instance = &config->instances[i];
        if (instance->security_file != NULL && instance->port_count > 0 &&
            !is_signed(config, instance)) {
            printf("%s: warning: [instance %s]: security_file: no port has spp or delayed_spp, so "
                   "nothing is signed and nothing verified; add spp = NUMBER\n",
                   path, instance->name);
        }
    }
    for (size_t i = 0; i < config->port_count; i++) {
        const struct mt_config_port *port = &config->ports[i];
        if (!port->has_no_delayed_spp && port->has_no_spp) {
            printf("%s: warning: [port %s]: delayed_spp without spp: Delay_Req, peer delay, "
                   "Signaling and what claims to come from this clock's other ports are not "
                   "verified; add spp\n",
                   path, port->name);
        }
    }
}

/* On this machine; the file may be for another one. */
static void warn_of_rivals(const struct mt_config *config, const char *path)
{
    char who[MT_STEERERS_TEXT];
    for (size_t i = 0; i < config->clock_count; i++) {
        const struct mt_config_clock *clock = &config->clocks[i];
        bool is_machine = clock->kind == MT_CONFIG_CLOCK_SYSTEM;
        bool is_device = clock->kind == MT_CONFIG_CLOCK_PHC && clock->device != NULL;
        if (clock->steer.estimates_only || (!is_machine && !is_device)) {
            continue;
        }
        mt_linux_steerers("/proc", is_machine ? NULL : clock->device, 0, who);
        if (who[0] != '\0') {
            printf("%s: warning: [clock %s]: %s runs here and may steer that clock, too; let only "
                   "one of the two do so, or see when_shared\n",
                   path, clock->name, who);
        }
    }
}

/* Of what there is none nothing is said: "1 clock, 2 NTP servers, serves NTP". */
static void say_contents(const struct mt_config *config, const char *path)
{
    size_t receivers = 0;
    for (size_t i = 0; i < config->refclock_count; i++) {
        receivers += config->refclocks[i].driver == MT_CONFIG_REFCLOCK_GNSS;
    }
    const struct {
        size_t count;
        const char *words;
    } parts[] = {
        {config->instance_count, "instance"},
        {config->port_count, "port"},
        {config->ntp_count, "NTP server"},
        {config->refclock_count - receivers, "reference clock"},
        {receivers, "GNSS receiver"},
        {config->export_count, "exported clock"},
    };
    printf("%s: no problems (%zu clock%s", path, config->clock_count, plural(config->clock_count));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count > 0) {
            printf(", %zu %s%s", parts[i].count, parts[i].words, plural(parts[i].count));
        }
    }
    printf("%s)\n", config->has_server ? ", serves NTP" : "");
}

static enum mt_exit say_good(const struct mt_config *config, const char *path)
{
    size_t problems = 0;
    for (size_t i = 0; i < config->instance_count; i++) {
        problems += check_chains(config, i);
    }
    if (problems > 0) {
        printf("%s: %zu %s\n", path, problems, problems == 1 ? "problem" : "problems");
        return MT_EXIT_BAD;
    }
    warn(config, path);
    warn_of_rivals(config, path);
    say_contents(config, path);
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_check(const struct mt_tool *tool, int count, char **arguments)
{
    static struct mt_config_problems problems;
    const char *path = NULL;
    struct mt_config *config;
    bool shows = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--show") == 0) {
            shows = true;
        } else if (path == NULL && arguments[i][0] != '-') {
            path = arguments[i];
        } else {
            return mt_tool_misuse("check: unexpected %s", arguments[i]);
        }
    }
    if (path == NULL) {
        path = MT_TOOL_CONFIG;
    }
    if (!mt_config_load_all(path, mt_tool_certificates, &config, &problems)) {
        return say_problems(&problems, path);
    }
    enum mt_exit status = MT_EXIT_GOOD;
    if (shows) {
        mt_config_write(config, stdout);
    } else {
        status = say_good(config, path);
    }
    mt_config_free(config);
    return status;
}

/* A name of linuxptp that is none of ours, before it is taken for a slip of the fingers. */
static enum mt_exit explain(const char *name)
{
    char *text = NULL;
    size_t length = 0;
    FILE *ours = open_memstream(&text, &length);
    if (ours == NULL) {
        return mt_tool_fail("out of memory");
    }
    bool is_known = mt_config_explain(name, ours);
    fclose(ours);
    if (!is_known && name != NULL && mt_import_explain(name, stdout)) {
        is_known = true;
    } else {
        fputs(text, stdout);
    }
    free(text);
    return is_known ? MT_EXIT_GOOD : MT_EXIT_BAD;
}

enum mt_exit mt_tool_explain(const struct mt_tool *tool, int count, char **arguments)
{
    if (count > 1) {
        return mt_tool_misuse("explain: expected one key");
    }
    return explain(count == 0 ? NULL : arguments[0]);
}
