/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Replays inputs through one fuzz target: each argument is a file or a directory of files.  Each
 * input is read into a block of exactly its size, so that the address sanitizer watches its end.
 * Nothing to replay is a failure: a test without input would pass for ever.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)
#define PATH_SIZE 4096

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *whole = malloc(INPUT_MAX);
    uint8_t *exact = NULL;
    size_t size;

    if (file == NULL || whole == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(EXIT_FAILURE);
    }
    size = fread(whole, 1, INPUT_MAX, file);
    if (ferror(file) == 0) {
        exact = malloc(size > 0 ? size : 1);
    }
    fclose(file);
    if (exact != NULL) {
        memcpy(exact, whole, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
    }
    free(whole);
    free(exact);
    return exact != NULL;
}

static unsigned replay_directory(DIR *directory, const char *name)
{
    const struct dirent *entry;
    char path[PATH_SIZE];
    unsigned count = 0;

    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.') {
            int length = snprintf(path, sizeof path, "%s/%s", name, entry->d_name);

            fuzz_require(length > 0 && (size_t)length < sizeof path);
            count += replay_file(path);
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);

        if (directory != NULL) {
            count += replay_directory(directory, argv[i]);
            closedir(directory);
        } else {
            count += replay_file(argv[i]);
        }
    }
    printf("%u inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
