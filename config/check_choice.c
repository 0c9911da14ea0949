/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the user thinks of a source must make sense together: one that is only watched (select = no)
 * cannot be preferred, trusted or required as well. */
#include <stddef.h>

#include "config/source_private.h"

static void check(const struct mt_config_source *source, enum mt_config_section_kind kind,
                  const char *name, const struct mt_config_choice *choice)
{
    static const char *const keys[] = {"prefer", "trust", "require"};
    const bool values[] = {choice->is_preferred, choice->is_trusted, choice->is_required};
    const struct mt_config_setting *select = mt_config_source_find(source, kind, name, "select");
    const struct mt_config_section *section = mt_config_source_find_section(source, kind, name);
    for (size_t i = 0; i < 3 && !choice->is_selectable; i++) {
        if (values[i]) {
            mt_config_problem_add(source->problems, source->path,
                                  select != NULL    ? select->line
                                  : section != NULL ? section->line
                                                    : 0,
                                  "%s: select = no and %s = yes: one that is only watched has no "
                                  "say; remove one of them",
                                  name, keys[i]);
        }
    }
}

void mt_config_check_choices(const struct mt_config *self, const struct mt_config_source *source)
{
    for (size_t i = 0; i < self->ntp_count; i++) {
        check(source, MT_CONFIG_SECTION_NTP, self->ntps[i].name, &self->ntps[i].choice);
    }
    for (size_t i = 0; i < self->instance_count; i++) {
        check(source, MT_CONFIG_SECTION_INSTANCE, self->instances[i].name,
              &self->instances[i].choice);
    }
    for (size_t i = 0; i < self->refclock_count; i++) {
        const struct mt_config_refclock *refclock = &self->refclocks[i];
        const struct mt_config_choice choice = {refclock->trust, refclock->require,
                                                refclock->prefer, refclock->select};
        check(source, mt_config_refclock_section(refclock), refclock->name, &choice);
    }
}
