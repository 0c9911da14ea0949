/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks that follow other clocks of the machine: in one step, from a clock that PTP, NTP or nobody
 * steers to one that follows it; or two that follow each other, of which at any time that one leads
 * which has the time by its own sources. */
#include <string.h>

#include "config/source_private.h"

const struct mt_config_clock *mt_config_leader(const struct mt_config *self,
                                               const struct mt_config_clock *clock)
{
    for (size_t c = 0; clock->follow != NULL && c < self->clock_count; c++) {
        if (strcmp(self->clocks[c].name, clock->follow) == 0) {
            return &self->clocks[c];
        }
    }
    return NULL;
}

bool mt_config_takes_part(const struct mt_config *self, const struct mt_config_clock *clock)
{
    bool is_leader = false; /* or has a reference clock, or is exported */
    for (size_t c = 0; c < self->clock_count; c++) {
        is_leader = is_leader || mt_config_leader(self, &self->clocks[c]) == clock;
    }
    for (size_t i = 0; i < self->refclock_count; i++) {
        is_leader = is_leader || strcmp(self->refclocks[i].clock, clock->name) == 0;
    }
    for (size_t i = 0; i < self->export_count; i++) {
        is_leader = is_leader || strcmp(self->exports[i].clock, clock->name) == 0;
    }
    return is_leader || clock->follow != NULL;
}

static unsigned line_of(const struct mt_config_source *source, const char *clock)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(source, MT_CONFIG_SECTION_CLOCK, clock, "follow");
    if (setting == NULL) {
        setting = mt_config_source_find(source, MT_CONFIG_SECTION_CLOCK_DEFAULTS, "", "follow");
    }
    return setting != NULL ? setting->line : 0;
}

void mt_config_check_follow(const struct mt_config *self, const struct mt_config_source *source)
{
    for (size_t c = 0; c < self->clock_count; c++) {
        const struct mt_config_clock *clock = &self->clocks[c];
        const struct mt_config_clock *leader = mt_config_leader(self, clock);
        unsigned line = line_of(source, clock->name);
        if (clock->follow != NULL && leader == NULL) {
            mt_config_problem_add(source->problems, source->path, line,
                                  "follow = %s: there is no section [clock %s]", clock->follow,
                                  clock->follow);
        } else if (leader == clock) {
            mt_config_problem_add(source->problems, source->path, line,
                                  "[clock %s]: a clock cannot follow itself", clock->name);
        } else if (leader != NULL && leader->follow != NULL &&
                   mt_config_leader(self, leader) != clock) {
            mt_config_problem_add(source->problems, source->path, line,
                                  "[clock %s]: clock %s follows a third one itself; two clocks may "
                                  "follow each other, but no more than two",
                                  clock->name, leader->name);
        }
    }
}
