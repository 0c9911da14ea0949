/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks and exports: each has a place of its own, by its driver, and nobody reads what
 * he has written himself. */
#include <string.h>

#include "config/source_private.h"

#define REFERENCE_ID_MAX 4

/* A place where readings lie, of a reference clock or of an export. */
struct place {
    enum mt_config_section_kind kind;
    const char *word; /* of its section */
    const char *name;
    enum mt_config_refclock_driver driver;
    unsigned unit;
    const char *path;
    const char *clock;
    bool has_clock;
};

static struct place place_of(const struct mt_config *config, size_t index)
{
    if (index < config->refclock_count) {
        const struct mt_config_refclock *refclock = &config->refclocks[index];
        return (struct place){MT_CONFIG_SECTION_REFCLOCK,
                              "refclock",
                              refclock->name,
                              refclock->driver,
                              refclock->unit,
                              refclock->path,
                              refclock->clock,
                              refclock->clock_index < config->clock_count};
    }
    const struct mt_config_export *export = &config->exports[index - config->refclock_count];
    return (struct place){MT_CONFIG_SECTION_EXPORT,
                          "export",
                          export->name,
                          export->driver,
                          export->unit,
                          export->path,
                          export->clock,
                          export->clock_index < config->clock_count};
}

static unsigned line_of(const struct mt_config_source *source, const struct place *place,
                        const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(source, place->kind, place->name, key);
    const struct mt_config_section *section =
        mt_config_source_find_section(source, place->kind, place->name);
    return setting != NULL ? setting->line : section != NULL ? section->line : 0;
}

static bool is_same_place(const struct place *a, const struct place *b)
{
    if (a->driver != b->driver) {
        return false;
    }
    return a->driver == MT_CONFIG_REFCLOCK_SHM
               ? a->unit == b->unit
               : a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
}

static void check_place(const struct mt_config_source *source, const struct place *place)
{
    bool is_sock = place->driver == MT_CONFIG_REFCLOCK_SOCK;
    if (is_sock && place->path == NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "driver"),
                              "[%s %s]: driver = sock needs the path of a socket; add path = "
                              "/run/chrony.ttyS0.sock, say",
                              place->word, place->name);
    }
    if (!is_sock && place->path != NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "path"),
                              "[%s %s]: path is for driver = sock; shared memory has a unit",
                              place->word, place->name);
    }
    if (!place->has_clock) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "clock"),
                              "clock = %s: there is no section [clock %s]", place->clock,
                              place->clock);
    }
}

static void check_reference_id(const struct mt_config_source *source,
                               const struct mt_config_refclock *refclock)
{
    struct place place = {.kind = MT_CONFIG_SECTION_REFCLOCK, .name = refclock->name};
    if (refclock->reference_id != NULL && strlen(refclock->reference_id) > REFERENCE_ID_MAX) {
        mt_config_problem_add(
            source->problems, source->path, line_of(source, &place, "reference_id"),
            "reference_id = %s: at most %d characters", refclock->reference_id, REFERENCE_ID_MAX);
    }
}

static void check_clock(const struct mt_config *config, const struct mt_config_source *source,
                        const struct mt_config_refclock *refclock)
{
    struct place place = {.kind = MT_CONFIG_SECTION_REFCLOCK, .name = refclock->name};
    if (refclock->clock_index < config->clock_count &&
        config->clocks[refclock->clock_index].follow != NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, &place, "clock"),
                              "[refclock %s]: clock %s follows clock %s; give it this reference "
                              "clock instead",
                              refclock->name, refclock->clock,
                              config->clocks[refclock->clock_index].follow);
    }
}

void mt_config_check_refclocks(const struct mt_config *self, const struct mt_config_source *source)
{
    size_t count = self->refclock_count + self->export_count;
    for (size_t i = 0; i < self->refclock_count; i++) {
        check_reference_id(source, &self->refclocks[i]);
        check_clock(self, source, &self->refclocks[i]);
    }
    for (size_t b = 0; b < count; b++) {
        struct place second = place_of(self, b);
        check_place(source, &second);
        for (size_t a = 0; a < b; a++) {
            struct place first = place_of(self, a);
            if (is_same_place(&first, &second)) {
                mt_config_problem_add(source->problems, source->path,
                                      line_of(source, &second, "driver"),
                                      "[%s %s]: [%s %s] has the same %s already", second.word,
                                      second.name, first.word, first.name,
                                      first.driver == MT_CONFIG_REFCLOCK_SHM ? "unit" : "path");
            }
        }
    }
}
