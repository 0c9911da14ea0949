/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A number written to n_vclocks makes or removes virtual clocks, the last ones first, so ours can
 * be removed only while nobody has made more after them; then the kernel's count is left as it is.
 * Their devices are folders beneath that of the physical clock.
 *
 * When the driver of a card is loaded anew there are none any more.  As many are made again, before
 * sockets are bound to them: they get the numbers that they had, for we hold none of them then.
 */
#include "platform/linux/linux_vclock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void path_of(const char *sys, int physical, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/ptp%d/n_vclocks", sys, physical);
}

int mt_vclock_count(const char *sys, int physical)
{
    char path[PATH_SIZE];
    int count = -1;
    FILE *file;

    path_of(sys, physical, path);
    file = fopen(path, "re");

    if (file) {
        count = fscanf(file, "%d", &count) == 1 ? count : -1;
        fclose(file);
    }
    return count;
}

int mt_vclock_open(const char *sys, int physical)
{
    char path[PATH_SIZE];

    path_of(sys, physical, path);
    return open(path, O_WRONLY | O_CLOEXEC);
}

bool mt_vclock_set_count(int fd, int count)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%d\n", count);

    return pwrite(fd, text, (size_t)length, 0) == length;
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

/* What was made there before, or a place for it; null: there is no room. */
static struct mt_linux_vclocks *made_of(struct mt_linux *self, int physical)
{
    for (size_t i = 0; i < self->vclock_count; i++) {
        if (self->vclocks[i].physical == physical) {
            return &self->vclocks[i];
        }
    }
    if (self->vclock_count == MT_LINUX_PHCS) {
        errno = ENFILE;
        return 0;
    }
    return &self->vclocks[self->vclock_count];
}

/* The file stays open: at the end we may not be allowed to open it any more. */
static bool add_one(struct mt_linux *self, int physical, int before)
{
    struct mt_linux_vclocks *made = made_of(self, physical);
    bool is_first = made == &self->vclocks[self->vclock_count];
    int fd = !made ? -1 : is_first ? mt_vclock_open(SYS, physical) : made->fd;

    if (fd < 0) {
        return false;
    }
    if (!mt_vclock_set_count(fd, before + 1)) {
        int error = errno;

        if (is_first) {
            close(fd);
        }
        errno = error;
        return false;
    }
    *made = (struct mt_linux_vclocks){physical, is_first ? before : made->before, before + 1,
                                      mt_phc_place_of(physical), fd};
    self->vclock_count += is_first;
    return true;
}

static bool make_one(struct mt_linux *self, int physical, char reason[MT_HAL_REASON_SIZE])
{
    int before = mt_vclock_count(SYS, physical);

    if (before < 0) {
        mt_linux_say(reason, "/dev/ptp%d has no virtual clocks: use clock = phc", physical);
        return false;
    }
    if (!add_one(self, physical, before)) {
        mt_linux_say(reason,
                     "cannot make a virtual clock of /dev/ptp%d: %s; as root: echo %d > " SYS
                     "/ptp%d/n_vclocks, when nobody steers that clock",
                     physical, strerror(errno), before + 1, physical);
        return false;
    }
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

void mt_linux_vclocks_make_again(struct mt_linux *self, int physical)
{
    struct mt_linux_vclocks *made = self->vclocks;
    int fd;

    while (made < self->vclocks + self->vclock_count && made->physical != physical) {
        made++;
    }
    if (made == self->vclocks + self->vclock_count || mt_vclock_count(SYS, physical) != 0 ||
        mt_phc_place_of(physical) != made->place) {
        return;
    }
    fd = mt_vclock_open(SYS, physical);
    if (fd < 0) {
        return;
    }
    (void)mt_vclock_set_count(fd, made->made);
    close(made->fd);
    made->fd = fd;
    for (size_t i = 0; i < self->phc_count; i++) {
        mt_phc_try_again(self->phcs[i]);
    }
}

void mt_linux_vclocks_free(struct mt_linux *self)
{
    for (size_t i = 0; i < self->vclock_count; i++) {
        const struct mt_linux_vclocks *made = &self->vclocks[i];

        if (mt_vclock_count(SYS, made->physical) == made->made) {
            (void)mt_vclock_set_count(made->fd, made->before);
        }
        close(made->fd);
    }
}
