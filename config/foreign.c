/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whoever comes from another program types its names.  Taking such a setting over in silence would
 * be wrong where the values mean something else (a threshold of 0 is "never" there and "always"
 * here), so these names are no aliases: they are told, with what to write instead. */
#include <stdio.h>
#include <string.h>

#include "config/schema.h"
#include "config/value_private.h"

static const struct mt_config_foreign foreigns[] = {
#define MT_CONFIG_FOREIGN(program, name, key, other, advice)                                       \
    {program, name, {key, other}, advice, false},
#define MT_CONFIG_PLANNED(program, name, what) {program, name, {"", ""}, what, true},
#include "config/foreign.def"
#undef MT_CONFIG_FOREIGN
#undef MT_CONFIG_PLANNED
};
#define FOREIGN_COUNT (sizeof foreigns / sizeof foreigns[0])

const struct mt_config_foreign *mt_config_foreign_find(const char *name, size_t n)
{
    char snake[MT_CONFIG_SNAKE_SIZE];
    bool has_snake = mt_config_snake_case(name, snake, sizeof snake);
    for (size_t i = 0; i < FOREIGN_COUNT; i++) {
        bool is_it = strcmp(foreigns[i].name, name) == 0 ||
                     (has_snake && strcmp(foreigns[i].name, snake) == 0);
        if (is_it && n-- == 0) {
            return &foreigns[i];
        }
    }
    return NULL;
}

/* Where a key of ours belongs. */
static const char *heading_of(const char *name)
{
    for (unsigned scope = 0; scope < MT_CONFIG_SCOPE_COUNT; scope++) {
        if (mt_config_key_find((enum mt_config_scope)scope, name) != NULL) {
            return mt_config_scope_heading((enum mt_config_scope)scope);
        }
    }
    return "?";
}

void mt_config_foreign_say(const struct mt_config_foreign *foreign, char *buffer, size_t size)
{
    const char *key = foreign->keys[0];
    const char *other = foreign->keys[1];
    if (foreign->is_planned) {
        snprintf(buffer, size, "%s calls this %s; %s: not here yet", foreign->program,
                 foreign->name, foreign->advice);
        return;
    }
    if (key[0] == '\0') {
        snprintf(buffer, size, "%s calls this %s; not needed here: %s", foreign->program,
                 foreign->name, foreign->advice);
        return;
    }
    snprintf(buffer, size, "%s calls this %s; here it is %s%s%s in %s: %s", foreign->program,
             foreign->name, key, other[0] != '\0' ? " and " : "", other, heading_of(key),
             foreign->advice);
}
