/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * "Did you mean ...?": the known name at the smallest edit distance, where exchanging two
 * neighbours counts as one edit, as people's fingers do.  A name that is off by more than a
 * third of its letters is not suggested, unless it is short for one known name alone: a wrong hint
 * is worse than none. */
#include <string.h>

#include "config/schema.h"

#define LENGTH_MAX         64
#define ABBREVIATION_LEAST 3

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment distance; three rows of the table are enough. */
static size_t distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    size_t rows[3][LENGTH_MAX + 1];
    if (strlen(a) > LENGTH_MAX || length > LENGTH_MAX) {
        return LENGTH_MAX;
    }
    for (size_t j = 0; j <= length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t differs = a[i - 1] != b[j - 1];
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap && above_that[j - 2] + 1 < row[j]) {
                row[j] = above_that[j - 2] + 1;
            }
        }
    }
    return rows[strlen(a) % 3][length];
}

/* "prio1" of "priority1": its letters in their order, from the first one on. */
static bool is_abbreviation(const char *name, const char *candidate)
{
    if (strlen(name) < ABBREVIATION_LEAST || name[0] != candidate[0]) {
        return false;
    }
    for (; *name != '\0' && *candidate != '\0'; candidate++) {
        name += *name == *candidate;
    }
    return *name == '\0';
}

/* Null if there is none, or more than one. */
static const char *abbreviated(const char *name,
                               const char *(*name_of)(const void *names, size_t n),
                               const void *names, size_t count)
{
    const char *found = NULL;
    for (size_t n = 0; n < count; n++) {
        const char *candidate = name_of(names, n);
        if (candidate == NULL || !is_abbreviation(name, candidate)) {
            continue;
        }
        if (found != NULL && strcmp(found, candidate) != 0) {
            return NULL;
        }
        found = candidate;
    }
    return found;
}

const char *mt_config_nearest(const char *name, const char *(*name_of)(const void *names, size_t n),
                              const void *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 1 + strlen(name) / 3;
    for (size_t n = 0; n < count; n++) {
        const char *candidate = name_of(names, n);
        size_t d = candidate == NULL ? LENGTH_MAX : distance(name, candidate);
        if (d < best_distance || (d == best_distance && best == NULL)) {
            best = candidate;
            best_distance = d;
        }
    }
    const char *longer =
        best != NULL && best_distance <= 1 ? NULL : abbreviated(name, name_of, names, count);
    return longer != NULL ? longer : best;
}
