/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to config/: lines of an INI text, with their numbers.
 */
#ifndef MEANTIME_CONFIG_READER_PRIVATE_H
#define MEANTIME_CONFIG_READER_PRIVATE_H

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

#endif
