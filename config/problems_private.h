/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to config/: adding to the collected problems.
 */
#ifndef MEANTIME_CONFIG_PROBLEMS_PRIVATE_H
#define MEANTIME_CONFIG_PROBLEMS_PRIVATE_H

#include "config/config.h"

/** Adds "PATH:LINE: " and the formatted sentence; without line if it is 0, without both if there
 * is no path.  Problems stay sorted by line. */
void mt_config_problem_add(struct mt_config_problems *self, const char *path, unsigned line,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
