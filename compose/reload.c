/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A new configuration while the node runs.  What can change without disturbing synchronisation
 * is taken over by the same commands that the control socket uses.  Whether anything else has
 * changed is seen from the two configurations written out in full: the first line that differs
 * in another key names what needs a restart.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what must be the same ------------------------------------------------------------------- */

static bool may_change(const char *line)
{
    static const char *const keys[] = {
        "priority1",
        "priority2",
        "clock_class",
        "clock_accuracy",
        "offset_scaled_log_variance",
        "utc_offset",
        "time_source",
        "time_traceable",
        "frequency_traceable",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t length = strlen(keys[i]);
        if (strncmp(line, keys[i], length) == 0 && (line[length] == ' ' || line[length] == '=')) {
            return true;
        }
    }
    return false;
}

static char *written(const struct mt_config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        mt_config_write(config, out);
        fclose(out);
    }
    return text;
}

static bool compare_lines(char *old_text, char *new_text, char reason[MT_HAL_REASON_SIZE])
{
    char *old_rest;
    char *new_rest;
    char *old_line = strtok_r(old_text, "\n", &old_rest);
    char *new_line = strtok_r(new_text, "\n", &new_rest);
    while (old_line != NULL && new_line != NULL) {
        if (strcmp(old_line, new_line) != 0 && !may_change(new_line)) {
            snprintf(reason, MT_HAL_REASON_SIZE, "\"%s\" instead of \"%s\" needs a restart",
                     new_line, old_line);
            return false;
        }
        old_line = strtok_r(NULL, "\n", &old_rest);
        new_line = strtok_r(NULL, "\n", &new_rest);
    }
    if (old_line != NULL || new_line != NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "sections added or removed need a restart");
        return false;
    }
    return true;
}

static bool is_same_otherwise(const struct mt_config *a, const struct mt_config *b,
                              char reason[MT_HAL_REASON_SIZE])
{
    char *old_text = written(a);
    char *new_text = written(b);
    bool is_same = false;
    if (old_text == NULL || new_text == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
    } else {
        is_same = compare_lines(old_text, new_text, reason);
    }
    free(old_text);
    free(new_text);
    return is_same;
}

/* ---- what is taken over ---------------------------------------------------------------------- */

static void announce_time(struct mt_composition *self, uint16_t index,
                          const struct mt_config_instance *config, struct mt_mono now)
{
    const struct mt_node_instance *instance = &self->node.instances[index];
    enum mt_timescale scale = self->node.clocks[instance->clock].discipline.scale;
    struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES};
    mt_compose_time_properties(config, &self->facts, scale, &time.value.time);
    mt_node_command(&self->node, index, &time, now);
}

static void take_over(struct mt_composition *self, uint16_t index,
                      const struct mt_config_instance *config, struct mt_mono now)
{
    struct mt_command priorities = {
        .kind = MT_COMMAND_PRIORITIES,
        .value.priorities = {config->ptp.priority1, config->ptp.priority2},
    };
    struct mt_command quality = {
        .kind = MT_COMMAND_QUALITY,
        .value.quality = config->ptp.quality,
    };
    mt_node_command(&self->node, index, &priorities, now);
    mt_node_command(&self->node, index, &quality, now);
    announce_time(self, index, config, now);
}

void mt_composition_set_facts(struct mt_composition *self, const struct mt_compose_facts *facts,
                              struct mt_mono now)
{
    self->facts = *facts;
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        self->node.clocks[i].tai_utc_known = facts->tai_utc_known;
        self->node.clocks[i].tai_minus_utc_s = facts->tai_minus_utc_s;
    }
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        announce_time(self, i, &self->config->instances[i], now);
    }
}

bool mt_composition_reload(struct mt_composition *self, const struct mt_config *config,
                           struct mt_mono now, char ret_reason[MT_HAL_REASON_SIZE])
{
    for (size_t i = 0; i < config->instance_count; i++) {
        int index = mt_composition_find_instance(self, config->instances[i].name);
        if (index >= 0) {
            take_over(self, (uint16_t)index, &config->instances[i], now);
        }
    }
    bool is_same = is_same_otherwise(self->config, config, ret_reason);
    if (is_same) {
        self->config = config;
    }
    return is_same;
}
