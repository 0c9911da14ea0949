/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Lines of an INI text with their numbers, and the list of problems that were found in them: what
 * every file of this project is read with, meantime.conf and topologies alike.
 * Thread rule: no globals; one thread at a time for each object.
 */
#ifndef MEANTIME_CONFIG_READER_H
#define MEANTIME_CONFIG_READER_H

#include "config/config.h"

struct mt_config_reader_ops {
    /** A section begins, "instance main" for [instance main]; also one without keys. */
    void (*section)(void *user, const char *heading, unsigned line);
    void (*value)(void *user, const char *key, const char *value, unsigned line);
    /** A line that is neither: its first word and what follows, maybe "". */
    void (*stray)(void *user, const char *word, const char *rest, unsigned line);
};

/** Reads all lines in order.  What is no line of an INI file becomes a problem. */
void mt_config_read(const char *text, size_t length, const char *path,
                    const struct mt_config_reader_ops *ops, void *user,
                    struct mt_config_problems *problems);

/** Adds "PATH:LINE: " and the formatted sentence; without line if it is 0, without both if there
 * is no path.  Problems stay sorted by line. */
void mt_config_problem_add(struct mt_config_problems *self, const char *path, unsigned line,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The text of a whole file, for free(); null with errno set if it cannot be read.  It has no zero
 * at its end. */
char *mt_config_read_file(const char *path, size_t *ret_length);
/** Likewise of a file of keys, with a problem for each thing that is wrong with it as a file; to be
 * forgotten.  *ret_is_private: not everybody may read it. */
char *mt_config_read_secret(const char *path, size_t *ret_length, bool *ret_is_private,
                            struct mt_config_problems *problems);
/** Clears what was secret, also if nobody reads it any more: a compiler may leave out memset(). */
void mt_config_forget(void *secret, size_t length);
/** The same; if it cannot be read, that is the only problem. */
char *mt_config_read_first(const char *path, size_t *ret_length,
                           struct mt_config_problems *problems);

#endif
