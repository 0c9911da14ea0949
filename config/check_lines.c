/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where a value comes from: the line of its key in the nearest section that gives it. */
#include "config/check_private.h"

/* What an instance's own section says, or [ptp]; null: neither does. */
static const struct mt_config_setting *inherited(const struct checker *self, const char *instance,
                                                 const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(self->source, MT_CONFIG_SECTION_INSTANCE, instance, key);
    return setting != NULL ? setting
                           : mt_config_source_find(self->source, MT_CONFIG_SECTION_PTP, "", key);
}

unsigned mt_check_instance_line(const struct checker *self, const char *name, const char *key)
{
    const struct mt_config_setting *setting = inherited(self, name, key);
    const struct mt_config_section *section =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_INSTANCE, name);
    return setting != NULL ? setting->line : section == NULL ? 0 : section->line;
}

const struct mt_config_section *mt_check_port_section(const struct checker *self, const char *name)
{
    const struct mt_config_section *section =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_PORT, name);
    if (section == NULL) {
        section = mt_config_source_find_section(self->source, MT_CONFIG_SECTION_PTP_PORT, name);
    }
    return section;
}

unsigned mt_check_port_line(const struct checker *self, const struct mt_config_port *port,
                            const char *key)
{
    const struct mt_config_section *section = mt_check_port_section(self, port->name);
    const struct mt_config_setting *setting =
        section == NULL ? NULL
                        : mt_config_source_find(self->source, section->kind, port->name, key);
    if (setting == NULL && port->instance != NULL) {
        setting = inherited(self, port->instance, key);
    }
    return setting != NULL ? setting->line : section == NULL ? 0 : section->line;
}
