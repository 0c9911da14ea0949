/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A number written to n_vclocks makes or removes virtual clocks, the last ones first, so ours can
 * be removed only while nobody has made more after them; then the kernel's count is left as it is.
 * Their devices are folders beneath that of the physical clock.
 */
#include "platform/linux/linux_vclock.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/linux_private.h"

#define SYS       "/sys/class/ptp"
#define PATH_SIZE 160

/* N of "ptpN"; -1: it is no such name. */
static int number_of(const char *name)
{
    int number;
    char rest;

    return sscanf(name, "ptp%d%c", &number, &rest) == 1 && number >= 0 ? number : -1;
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

size_t mt_vclock_list(const char *sys, int physical, int ret_numbers[MT_VCLOCKS_MOST])
{
    char path[PATH_SIZE];
    const struct dirent *entry;
    size_t count = 0;
    DIR *folder;

    snprintf(path, sizeof path, "%s/ptp%d", sys, physical);
    folder = opendir(path);
    while (folder && count < MT_VCLOCKS_MOST && (entry = readdir(folder))) {
        if (number_of(entry->d_name) >= 0) {
            ret_numbers[count++] = number_of(entry->d_name);
        }
    }
    if (folder) {
        closedir(folder);
    }
    qsort(ret_numbers, count, sizeof *ret_numbers, ascending);
    return count;
}

int mt_vclock_physical(const char *sys, int index)
{
    int numbers[MT_VCLOCKS_MOST];
    const struct dirent *entry;
    int found = index;
    DIR *folder = opendir(sys);

    while (folder && found == index && (entry = readdir(folder))) {
        int physical = number_of(entry->d_name);
        size_t count = physical >= 0 ? mt_vclock_list(sys, physical, numbers) : 0;

        for (size_t i = 0; i < count; i++) {
            found = numbers[i] == index ? physical : found;
        }
    }
    if (folder) {
        closedir(folder);
    }
    return found;
}

static FILE *open_count(const char *sys, int physical, const char *mode)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/ptp%d/n_vclocks", sys, physical);
    return fopen(path, mode);
}

int mt_vclock_count(const char *sys, int physical)
{
    FILE *file = open_count(sys, physical, "re");
    int count = -1;

    if (file) {
        count = fscanf(file, "%d", &count) == 1 ? count : -1;
        fclose(file);
    }
    return count;
}

bool mt_vclock_set_count(const char *sys, int physical, int count)
{
    FILE *file = open_count(sys, physical, "we");
    bool is_written;

    if (!file) {
        return false;
    }
    is_written = fprintf(file, "%d\n", count) > 0;
    return (fclose(file) == 0) && is_written;
}

/* ---- ours ---------------------------------------------------------------------------------- */

static bool has_owner(const struct mt_linux *self, int index)
{
    for (size_t i = 0; i < self->phc_count; i++) {
        if (self->phcs[i]->index == index && self->phcs[i]->owner) {
            return true;
        }
    }
    return false;
}

static int find_free(const struct mt_linux *self, int physical)
{
    int numbers[MT_VCLOCKS_MOST];
    size_t count = mt_vclock_list(SYS, physical, numbers);

    for (size_t i = 0; i < count; i++) {
        if (!has_owner(self, numbers[i])) {
            return numbers[i];
        }
    }
    return -1;
}

static void remember(struct mt_linux *self, int physical, int before)
{
    for (size_t i = 0; i < self->vclock_count; i++) {
        if (self->vclocks[i].physical == physical) {
            self->vclocks[i].made = before + 1;
            return;
        }
    }
    if (self->vclock_count < MT_LINUX_PHCS) {
        self->vclocks[self->vclock_count++] =
            (struct mt_linux_vclocks){physical, before, before + 1};
    }
}

static bool make_one(struct mt_linux *self, int physical, char reason[MT_HAL_REASON_SIZE])
{
    int before = mt_vclock_count(SYS, physical);

    if (before < 0) {
        mt_linux_say(reason, "/dev/ptp%d has no virtual clocks: use clock = phc", physical);
        return false;
    }
    if (!mt_vclock_set_count(SYS, physical, before + 1)) {
        mt_linux_say(reason,
                     "cannot make a virtual clock of /dev/ptp%d: %s; as root: echo %d > " SYS
                     "/ptp%d/n_vclocks, when nobody steers that clock",
                     physical, strerror(errno), before + 1, physical);
        return false;
    }
    remember(self, physical, before);
    return true;
}

int mt_linux_vclock_take(struct mt_linux *self, int index, char reason[MT_HAL_REASON_SIZE])
{
    int physical = mt_vclock_physical(SYS, index);
    int found;

    if (physical != index) { /* it is one, and named */
        return index;
    }
    found = find_free(self, physical);
    if (found < 0 && make_one(self, physical, reason)) {
        found = find_free(self, physical);
        if (found < 0) {
            mt_linux_say(reason, "the virtual clock of /dev/ptp%d did not appear", physical);
        }
    }
    return found;
}

void mt_linux_vclocks_free(struct mt_linux *self)
{
    for (size_t i = 0; i < self->vclock_count; i++) {
        const struct mt_linux_vclocks *made = &self->vclocks[i];

        if (mt_vclock_count(SYS, made->physical) == made->made) {
            (void)mt_vclock_set_count(SYS, made->physical, made->before);
        }
    }
}
