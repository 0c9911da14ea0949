/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where the shipped topologies are: beside the program in a build folder, below its prefix once it
 * is installed, wherever that has been moved to, and where the build said it would be.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/meantime/sim/command.h"
#include "apps/meantime/tool.h"

#define SUFFIX     ".topology"
#define NAMES_MOST 200
#define NAME_SIZE  128

static const char *const folders[] = {"/../../examples/topologies",
                                      "/../share/meantime/topologies"};
#define FOLDER_COUNT (sizeof folders / sizeof folders[0] + 1)

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool folder_of(size_t number, char path[MT_SIM_PATH_SIZE])
{
    char program[MT_SIM_PATH_SIZE / 2];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    if (number + 1 == FOLDER_COUNT) {
        snprintf(path, MT_SIM_PATH_SIZE, "%s", MT_SIM_TOPOLOGIES);
        return true;
    }
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    snprintf(path, MT_SIM_PATH_SIZE, "%s%s", program, folders[number]);
    return true;
}

struct shipped {
    char name[NAME_SIZE];
    char path[MT_SIM_PATH_SIZE];
};

struct names {
    struct shipped all[NAMES_MOST];
    size_t count;
};

static void add_name(struct names *self, const char *folder, const char *file)
{
    size_t length = strlen(file);
    char name[NAME_SIZE];

    if (length <= strlen(SUFFIX) || length >= sizeof name || self->count == NAMES_MOST ||
        strcmp(file + length - strlen(SUFFIX), SUFFIX) != 0) {
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(length - strlen(SUFFIX)), file);
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->all[i].name, name) == 0) {
            return;
        }
    }
    int room = snprintf(self->all[self->count].path, MT_SIM_PATH_SIZE, "%s/%s", folder, file);
    if (room > 0 && room < MT_SIM_PATH_SIZE && is_file(self->all[self->count].path)) {
        strcpy(self->all[self->count++].name, name);
    }
}

static struct names *find_names(void)
{
    struct names *self = calloc(1, sizeof *self);
    char folder[MT_SIM_PATH_SIZE];

    for (size_t i = 0; self != NULL && i < FOLDER_COUNT; i++) {
        DIR *directory = folder_of(i, folder) ? opendir(folder) : NULL;
        struct dirent *entry;
        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            add_name(self, folder, entry->d_name);
        }
        if (directory != NULL) {
            closedir(directory);
        }
    }
    return self;
}

static const char *name_of(const void *names, size_t n)
{
    return ((const struct names *)names)->all[n].name;
}

bool mt_sim_find(const char *word, char path[MT_SIM_PATH_SIZE])
{
    struct names *names = NULL;
    bool is_found = is_file(word);

    if (is_found) {
        snprintf(path, MT_SIM_PATH_SIZE, "%s", word);
    } else if (strchr(word, '/') == NULL && (names = find_names()) != NULL) {
        for (size_t i = 0; !is_found && i < names->count; i++) {
            if (strcmp(names->all[i].name, word) == 0) {
                char *real = realpath(names->all[i].path, NULL);
                snprintf(path, MT_SIM_PATH_SIZE, "%s", real != NULL ? real : names->all[i].path);
                free(real);
                is_found = true;
            }
        }
    }
    if (!is_found) {
        const char *nearest =
            names != NULL ? mt_config_nearest(word, name_of, names, names->count) : NULL;
        mt_tool_fail("%s: there is no such file and no shipped topology of that name%s%s%s", word,
                     nearest != NULL ? "; did you mean " : "; `meantime sim --list` names them",
                     nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    }
    free(names);
    return is_found;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct shipped *)a)->name, ((const struct shipped *)b)->name);
}

static void print_one(FILE *out, const char *name, const char *path)
{
    struct mt_config_problems *problems = calloc(1, sizeof *problems);
    struct mt_topology *topology;

    if (problems != NULL && mt_topology_load(path, NULL, 0, &topology, problems)) {
        fprintf(out, "%-16s %s\n", name, topology->run.title);
        mt_topology_free(topology);
    } else {
        fprintf(out, "%-16s (has mistakes)\n", name);
    }
    free(problems);
}

bool mt_sim_list(FILE *out)
{
    struct names *names = find_names();
    size_t count = names != NULL ? names->count : 0;

    if (count == 0) {
        mt_tool_fail("there are no topologies in %s", MT_SIM_TOPOLOGIES);
    } else {
        qsort(names->all, count, sizeof names->all[0], compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        print_one(out, names->all[i].name, names->all[i].path);
    }
    free(names);
    return count > 0;
}
