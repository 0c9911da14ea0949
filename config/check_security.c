/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Signatures: what cannot be signed or verified, and, where files are looked at, whether the keys
 * are there that the ports name.  The daemon does not look here: it reads its keys when it composes
 * an instance, and at a reload keys that are not good leave the old ones in force. */
#include "config/associations_private.h"
#include "config/check_private.h"

#include <string.h>

/* What carries no codes, where nothing else would be heard. */
static void check_unsigned(const struct checker *self, const struct mt_config_instance *instance,
                           const struct mt_config_port *port)
{
    bool is_client = instance->stateless.csptp == MT_CONFIG_STATELESS_CLIENT;
    const char *key = is_client ? "csptp" : "stateless_workers";
    if (is_client || instance->stateless.workers > 0) {
        COMPLAIN(self, mt_check_instance_line(self, instance->name, key),
                 "[instance %s]: %s: without signatures, but port %s hears only what is signed",
                 instance->name, key, port->name);
    }
}

static void check_ports(const struct checker *self, const struct mt_config_instance *instance)
{
    for (size_t i = 0; i < instance->port_count; i++) {
        const struct mt_config_port *port = &self->config->ports[instance->first_port + i];
        bool is_delayed = !port->has_no_delayed_spp;
        if (i == 0 && (is_delayed || !port->has_no_spp)) {
            check_unsigned(self, instance, port);
        }
        if (is_delayed && mt_config_is_transparent(instance)) {
            const struct mt_config_section *section = mt_check_port_section(self, port->name);
            COMPLAIN(self, section != NULL ? section->line : 0,
                     "[port %s]: delayed_spp is not for transparent clocks, which pass messages on "
                     "at once",
                     port->name);
        }
        if ((!port->has_no_spp || is_delayed) && instance->security_file == NULL) {
            const char *key = is_delayed ? "delayed_spp" : "spp";
            COMPLAIN(self, mt_check_port_line(self, port, key),
                     "[port %s]: %s = %u needs keys; add security_file = PATH to its instance",
                     port->name, key, is_delayed ? port->delayed_spp : port->spp);
        }
    }
}

/* ---- keys --------------------------------------------------------------------------------- */

/* A file that several instances name in one line is complained of once. */
static bool was_told(const struct checker *self, size_t index)
{
    const struct mt_config_instance *instances = self->config->instances;
    unsigned line = mt_check_instance_line(self, instances[index].name, "security_file");
    for (size_t i = 0; i < index; i++) {
        if (instances[i].security_file != NULL &&
            mt_check_instance_line(self, instances[i].name, "security_file") == line) {
            return true;
        }
    }
    return false;
}

/* Their lines are those of another file; here they are told where that one is named. */
static void tell(const struct checker *self, size_t index,
                 const struct mt_config_problems *problems)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    unsigned line = mt_check_instance_line(self, instance->name, "security_file");
    for (size_t i = 0; i < problems->count && !was_told(self, index); i++) {
        COMPLAIN(self, line, "security_file: %s", problems->problem[i].text);
    }
}

static void check_keys_of(const struct checker *self, const struct mt_config_port *port,
                          const char *path, const struct mt_config_associations *found)
{
    char text[MT_CONFIG_PROBLEM_SIZE];
    const char *key = mt_config_shared_fault(port, path, found, text);
    if (key != NULL) {
        COMPLAIN(self, mt_check_port_line(self, port, key), "%s", text);
    }
    key = mt_config_delayed_fault(port, path, found, text);
    if (key != NULL) {
        COMPLAIN(self, mt_check_port_line(self, port, key), "%s", text);
    }
}

static void check_file(const struct checker *self, size_t index)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    struct mt_config_pool pool = {NULL};
    static struct mt_config_problems problems;
    struct mt_config_associations found;
    problems.count = 0;
    problems.omitted = 0;
    if (!mt_config_associations_load(instance->security_file, &pool, &problems, &found)) {
        tell(self, index, &problems);
    } else {
        for (size_t i = 0; i < instance->port_count; i++) {
            check_keys_of(self, &self->config->ports[instance->first_port + i],
                          instance->security_file, &found);
        }
    }
    mt_config_pool_free(&pool);
}

void mt_check_security(const struct checker *self, size_t index)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    check_ports(self, instance);
    if (self->source->reads_files && instance->security_file != NULL) {
        check_file(self, index);
    }
}
