/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The command line of meantimed.
 */
#ifndef MEANTIME_APPS_OPTIONS_H
#define MEANTIME_APPS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define MT_OPTIONS_INTERFACES_MAX 64
#define MT_OPTIONS_PATH_MAX       4000

struct mt_options {
    const char *config; /**< null: the packaged file if it is there, or the interfaces alone */
    const char *interfaces[MT_OPTIONS_INTERFACES_MAX];
    size_t interface_count;
    const char *record;        /**< file for the input log, or null */
    const char *run_directory; /**< instead of the configuration's; null: not given */
    char control_socket[MT_OPTIONS_PATH_MAX + 16]; /**< in that directory */
    bool is_done; /**< help or version was printed: end with `status` */
    int status;
};

/** Reads the command line; complains on standard error and sets is_done if it is wrong. */
void mt_options_read(int argc, char **argv, struct mt_options *ret_options);

#endif
