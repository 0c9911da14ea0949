/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files of other programs, line by line.  What is no line of text is told and left out: half of a
 * line would be read as something that nobody has written. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/meantime/import.h"
#include "apps/meantime/tool.h"

FILE *mt_import_open(const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat status;
    if (file != NULL && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(file);
        file = NULL;
        errno = EISDIR;
    }
    if (file == NULL) {
        mt_tool_fail("%s: %s", path, strerror(errno));
    }
    return file;
}

bool mt_import_line(struct mt_import *self, FILE *file, char line[MT_IMPORT_LINE])
{
    size_t length = 0;
    bool is_text = true;
    int octet = getc(file);
    if (octet == EOF) {
        return false;
    }
    self->line++;
    for (; octet != EOF && octet != '\n'; octet = getc(file)) {
        is_text = is_text && octet != '\0';
        if (length < MT_IMPORT_LINE - 1) {
            line[length] = (char)octet;
        }
        length++;
    }
    line[length < MT_IMPORT_LINE ? length : 0] = '\0';
    if (!is_text) {
        mt_import_lose(self, "the line is no text");
        line[0] = '\0';
    } else if (length >= MT_IMPORT_LINE) {
        mt_import_lose(self, "the line is longer than %d characters", MT_IMPORT_LINE - 1);
    }
    return true;
}
