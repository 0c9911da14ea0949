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
    const struct mt_config_pulse *pulse;
    const char *clock;
    bool has_clock;
};

static struct place place_of(const struct mt_config *config, size_t index)
{
    if (index < config->refclock_count) {
        const struct mt_config_refclock *refclock = &config->refclocks[index];
        bool is_gnss = refclock->driver == MT_CONFIG_REFCLOCK_GNSS;
        return (struct place){mt_config_refclock_section(refclock),
                              is_gnss ? "gnss" : "refclock",
                              refclock->name,
                              refclock->driver,
                              refclock->unit,
                              refclock->path,
                              &refclock->pulse,
                              refclock->clock,
                              refclock->clock_index < config->clock_count};
    }
    const struct mt_config_export *export = &config->exports[index - config->refclock_count];
    return (struct place){
        MT_CONFIG_SECTION_EXPORT, "export",      export->name,
        export->driver,           export->unit,  export->path,
        &export->pulse,           export->clock, export->clock_index < config->clock_count};
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

static bool are_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* What two have in common that only one can have; null: nothing. */
static const char *shared(const struct place *a, const struct place *b)
{
    if (a->driver != b->driver) {
        return NULL;
    }
    switch (a->driver) {
    case MT_CONFIG_REFCLOCK_SHM:
        return a->unit == b->unit ? "unit" : NULL;
    case MT_CONFIG_REFCLOCK_SOCK:
        return are_same(a->path, b->path) ? "path" : NULL;
    case MT_CONFIG_REFCLOCK_PPS:
        return are_same(a->pulse->device, b->pulse->device) ? "device" : NULL;
    case MT_CONFIG_REFCLOCK_EXTTS:
    case MT_CONFIG_REFCLOCK_PEROUT:
        return are_same(a->pulse->device, b->pulse->device) &&
                       a->pulse->channel == b->pulse->channel
                   ? "channel"
                   : NULL;
    case MT_CONFIG_REFCLOCK_GNSS: /* gnss_check.c */
        break;
    }
    return NULL;
}

static bool has_pulse(const struct place *place)
{
    return place->driver == MT_CONFIG_REFCLOCK_PPS || place->driver == MT_CONFIG_REFCLOCK_EXTTS ||
           place->driver == MT_CONFIG_REFCLOCK_PEROUT;
}

bool mt_config_lacks_folder(const char *device)
{
    return (strncmp(device, "pps", 3) == 0 || strncmp(device, "ptp", 3) == 0) && device[3] >= '0' &&
           device[3] <= '9';
}

static void check_pulse(const struct mt_config_source *source, const struct place *place)
{
    static const char *const names[] = {
        [MT_CONFIG_REFCLOCK_PPS] = "pps",
        [MT_CONFIG_REFCLOCK_EXTTS] = "extts",
        [MT_CONFIG_REFCLOCK_PEROUT] = "perout",
    };
    if (has_pulse(place) && place->pulse->device == NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "driver"),
                              "[%s %s]: driver = %s needs a device; add device = %s, say",
                              place->word, place->name, names[place->driver],
                              place->driver == MT_CONFIG_REFCLOCK_PPS ? "/dev/pps0" : "/dev/ptp0");
    }
    if (has_pulse(place) && place->pulse->device != NULL &&
        mt_config_lacks_folder(place->pulse->device)) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "device"),
                              "device = %s: expected a device such as /dev/%s, or an interface",
                              place->pulse->device, place->pulse->device);
    }
    if (!has_pulse(place) && place->driver != MT_CONFIG_REFCLOCK_GNSS &&
        place->pulse->device != NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "device"),
                              "[%s %s]: device is for drivers of pulses", place->word, place->name);
    }
}

/* Pulses are made by the clock itself, or they would be as wrong as it is. */
static void check_perout(const struct mt_config *config, const struct mt_config_source *source,
                         const struct place *place)
{
    const struct mt_config_export *export = NULL;
    for (size_t i = 0; i < config->export_count; i++) {
        if (place->pulse == &config->exports[i].pulse) {
            export = &config->exports[i];
        }
    }
    if (export == NULL || place->driver != MT_CONFIG_REFCLOCK_PEROUT || !place->has_clock) {
        return;
    }
    const struct mt_config_clock *clock = &config->clocks[export->clock_index];
    if (!mt_config_is_phc(clock)) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "driver"),
                              "[export %s]: driver = perout: clock %s is no hardware clock; it "
                              "needs clock = phc",
                              export->name, clock->name);
    } else if (export->pulse.device != NULL && export->pulse.device[0] == '/' &&
               clock->device != NULL && strcmp(export->pulse.device, clock->device) != 0) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "device"),
                              "[export %s]: clock %s is %s, not %s; pulses come from the clock "
                              "itself",
                              export->name, clock->name, clock->device, export->pulse.device);
    }
    if (export->width.q16 > 0 && export->width.q16 >= export->period.q16) {
        mt_config_problem_add(source->problems, source->path, line_of(source, place, "width"),
                              "[export %s]: a pulse as wide as its period has no edges",
                              export->name);
    }
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
                              "[%s %s]: path is for driver = sock; %s", place->word, place->name,
                              has_pulse(place) ? "pulses have a device"
                                               : "shared memory has a unit");
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
    struct place place = {.kind = mt_config_refclock_section(refclock), .name = refclock->name};
    if (refclock->reference_id != NULL && strlen(refclock->reference_id) > REFERENCE_ID_MAX) {
        mt_config_problem_add(
            source->problems, source->path, line_of(source, &place, "reference_id"),
            "reference_id = %s: at most %d characters", refclock->reference_id, REFERENCE_ID_MAX);
    }
}

static void check_clock(const struct mt_config *config, const struct mt_config_source *source,
                        const struct mt_config_refclock *refclock)
{
    struct place place = {.kind = mt_config_refclock_section(refclock), .name = refclock->name};
    if (refclock->clock_index < config->clock_count &&
        config->clocks[refclock->clock_index].follow != NULL) {
        mt_config_problem_add(source->problems, source->path, line_of(source, &place, "clock"),
                              "[%s %s]: clock %s follows clock %s; give it this reference "
                              "clock instead",
                              place.kind == MT_CONFIG_SECTION_GNSS ? "gnss" : "refclock",
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
        check_pulse(source, &second);
        check_perout(self, source, &second);
        for (size_t a = 0; a < b; a++) {
            struct place first = place_of(self, a);
            const char *what = shared(&first, &second);
            if (what != NULL) {
                mt_config_problem_add(source->problems, source->path,
                                      line_of(source, &second, "driver"),
                                      "[%s %s]: [%s %s] has the same %s already", second.word,
                                      second.name, first.word, first.name, what);
            }
        }
    }
}
