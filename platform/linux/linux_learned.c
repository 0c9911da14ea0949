/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A file that was cut off, changed or written by another program must not make a bound too small,
 * so all of it is checked: the version, each name in its place, each number to its last digit, the
 * last line, and whether an oscillator can be so at all.
 */
#include "platform/linux/linux_learned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"

#define TITLE     "meantime-oscillator"
#define VERSION   1
#define LINE_SIZE 128
#define LAST_LINE "end\n"

static const struct number {
    const char *name;
    size_t offset;
} numbers[] = {
    {"age_s", offsetof(struct mt_steer_oscillator_memory, age_s)},
    {"observed_s", offsetof(struct mt_steer_oscillator_memory, observed_s)},
    {"frequency", offsetof(struct mt_steer_oscillator_memory, frequency)},
    {"frequency_sigma", offsetof(struct mt_steer_oscillator_memory, frequency_sigma)},
    {"wander", offsetof(struct mt_steer_oscillator_memory, wander)},
    {"ageing", offsetof(struct mt_steer_oscillator_memory, ageing)},
    {"ageing_sigma", offsetof(struct mt_steer_oscillator_memory, ageing_sigma)},
    {"coefficient", offsetof(struct mt_steer_oscillator_memory, coefficient)},
    {"coefficient_sigma", offsetof(struct mt_steer_oscillator_memory, coefficient_sigma)},
    {"kelvin", offsetof(struct mt_steer_oscillator_memory, kelvin)},
    {"kelvin_low", offsetof(struct mt_steer_oscillator_memory, kelvin_low)},
    {"kelvin_high", offsetof(struct mt_steer_oscillator_memory, kelvin_high)},
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

_Static_assert(sizeof(mt_real) == sizeof(double), "17 digits are all that it has");

/* ---- reading ----------------------------------------------------------------------------- */

struct reader {
    FILE *file;
    unsigned line; /**< the last one that was read */
};

static bool read_number(struct reader *self, const char *name, double *ret_value)
{
    char text[LINE_SIZE];
    char *end;
    size_t length = strlen(name);

    self->line++;
    if (!fgets(text, sizeof text, self->file) || strncmp(text, name, length) != 0 ||
        text[length] != ' ') {
        return false;
    }
    *ret_value = strtod(text + length + 1, &end);
    return end != text + length + 1 && strcmp(end, "\n") == 0;
}

static bool read_end(struct reader *self)
{
    char text[LINE_SIZE];

    self->line++;
    return fgets(text, sizeof text, self->file) && strcmp(text, LAST_LINE) == 0 &&
           !fgets(text, sizeof text, self->file);
}

static bool read_body(struct reader *self, double *ret_saved_s,
                      struct mt_steer_oscillator_memory *memory)
{
    double uses_temperature = 0;

    if (!read_number(self, "saved_s", ret_saved_s)) {
        return false;
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        double value;
        if (!read_number(self, numbers[i].name, &value)) {
            return false;
        }
        memcpy((char *)memory + numbers[i].offset, &value, sizeof value);
    }
    if (!read_number(self, "uses_temperature", &uses_temperature) ||
        (uses_temperature != 0 && uses_temperature != 1)) {
        return false;
    }
    memory->uses_temperature = uses_temperature == 1;
    return read_end(self);
}

/* Of a later program; or, below 0, of no such program at all. */
static double read_version(struct reader *self)
{
    double version = -1;

    return read_number(self, TITLE, &version) ? version : -1;
}

static bool read_memory(struct reader *self, const char *path, int64_t now_s,
                        struct mt_steer_oscillator_memory *memory, char reason[MT_HAL_REASON_SIZE])
{
    double saved_s;
    double version = read_version(self);

    if (version > VERSION) {
        mt_linux_say(reason, "%.120s is of version %g, this program knows %d", path, version,
                     VERSION);
        return false;
    }
    if (version != VERSION || !read_body(self, &saved_s, memory)) {
        mt_linux_say(reason, "%.120s is damaged in line %u", path, self->line);
        return false;
    }
    double since_s = (double)now_s - saved_s;
    memory->age_s += since_s > 0 ? since_s : 0;
    if (!mt_steer_oscillator_is_sound(memory)) {
        mt_linux_say(reason, "%.120s describes what no oscillator is like", path);
        return false;
    }
    return true;
}

bool mt_linux_learned_read(const char *path, int64_t now_s,
                           struct mt_steer_oscillator_memory *ret_memory,
                           char reason[MT_HAL_REASON_SIZE])
{
    struct mt_steer_oscillator_memory memory = {0};
    struct reader reader = {.file = fopen(path, "re")};

    reason[0] = '\0';
    if (!reader.file) {
        if (errno != ENOENT) {
            mt_linux_say(reason, "cannot read %.120s: %s", path, strerror(errno));
        }
        return false;
    }
    bool is_good = read_memory(&reader, path, now_s, &memory, reason);
    fclose(reader.file);
    if (is_good) {
        *ret_memory = memory;
    }
    return is_good;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool write_memory(FILE *file, int64_t now_s, const struct mt_steer_oscillator_memory *memory)
{
    bool is_good = fprintf(file, "%s %d\nsaved_s %" PRId64 "\n", TITLE, VERSION, now_s) > 0;

    for (size_t i = 0; i < NUMBERS; i++) {
        double value;
        memcpy(&value, (const char *)memory + numbers[i].offset, sizeof value);
        is_good = fprintf(file, "%s %.17g\n", numbers[i].name, value) > 0 && is_good;
    }
    return fprintf(file, "uses_temperature %d\n" LAST_LINE, memory->uses_temperature) > 0 &&
           is_good;
}

bool mt_linux_learned_write(const char *path, const char *fresh, int64_t now_s,
                            const struct mt_steer_oscillator_memory *memory)
{
    FILE *file = fopen(fresh, "we");

    if (!file) {
        return false;
    }
    bool is_good = write_memory(file, now_s, memory);
    if (fclose(file) != 0 || !is_good || rename(fresh, path) != 0) {
        int error = errno;
        unlink(fresh);
        errno = error;
        return false;
    }
    return true;
}
