/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to config/: what the files that look for contradictions share.
 */
#ifndef MEANTIME_CONFIG_CHECK_PRIVATE_H
#define MEANTIME_CONFIG_CHECK_PRIVATE_H

#include "config/source_private.h"

struct checker {
    const struct mt_config *config;
    const struct mt_config_source *source;
};

#define COMPLAIN(self, line, ...)                                                                  \
    mt_config_problem_add((self)->source->problems, (self)->source->path, line, __VA_ARGS__)

/* ---- where it was written (check_lines.c) ---------------------------------------------------- */

/** The section of a port, [port NAME] or [ptp INTERFACE]; null: it was not written. */
const struct mt_config_section *mt_check_port_section(const struct checker *self, const char *name);
/** Where an instance's key was written, in its section or in [ptp], or else the section's head. */
unsigned mt_check_instance_line(const struct checker *self, const char *name, const char *key);
/** The same of a port's key, which its instance's section may give, too. */
unsigned mt_check_port_line(const struct checker *self, const struct mt_config_port *port,
                            const char *key);

/* ---- rules in files of their own ------------------------------------------------------------- */

/** Signatures of instance `index`; its keys, if files are to be looked at. */
void mt_check_security(const struct checker *self, size_t index);

/** Keys of ports that are of no use where they stand. */
void mt_check_use(const struct checker *self);

#endif
