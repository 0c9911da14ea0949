/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A ptp4l seen from one of its sections.
 */
#ifndef MEANTIME_APPS_IMPORT_PTP4L_PRIVATE_H
#define MEANTIME_APPS_IMPORT_PTP4L_PRIVATE_H

#include "apps/meantime/import_linuxptp.h"

struct mt_view {
    struct mt_import *import;
    const struct mt_linuxptp *program;
    unsigned section;
};

/** The value of an option that counts there, or its default; null: no such option. */
const char *mt_view_value(const struct mt_view *view, const char *name);
/** True if it is a switch that is on. */
bool mt_view_has(const struct mt_view *view, const char *name);
bool mt_view_is(const struct mt_view *view, const char *name, const char *value);

/** True if a key of ours is made of the option. */
bool mt_ptp4l_is_taken(const char *name);
/** Explains that option with the key that it becomes; false: it becomes none. */
bool mt_ptp4l_explain_row(const char *name, FILE *out);
/** True if our files cannot have the text as a value: a comment begins in it. */
bool mt_ptp4l_would_be_comment(const char *text);
/** The default of one that becomes no key; null: no such option. */
const char *mt_ptp4l_normal_of_told(const char *name);
/** Says of each setting what is lost, or why nothing is. */
void mt_ptp4l_tell(struct mt_import *self, const struct mt_linuxptp *program);

#endif
