/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a daemon leaves on the disk.  A start that fails leaves nothing that was not there before;
 * a run without a configuration file keeps no drift file unless its directory is there already;
 * and two daemons do not share one run directory.
 * Thread rule: one thread at a time.
 */
#ifndef MEANTIME_APPS_FOOTPRINT_H
#define MEANTIME_APPS_FOOTPRINT_H

#include "config/config.h"
#include "hal/provider.h"

/** What was there before the start. */
struct mt_footprint {
    bool is_complete; /**< it was looked at */
    bool has_run_directory;
    bool has_state_directory;
    bool *has_page;        /**< of each clock */
    const char *input_log; /**< null: there was none to be made, or it was there */
};

/** Where drift files are kept; null: nowhere. */
const char *mt_footprint_state_directory(const struct mt_config *config);

/** True, with a sentence that says whose it is and what to do, if another daemon publishes in the
 * run directory. */
bool mt_footprint_is_taken(const struct mt_config *config, char ret_reason[MT_HAL_REASON_SIZE]);

/** Looks what is there, before the platform is opened. */
void mt_footprint_take(struct mt_footprint *self, const struct mt_config *config,
                       const char *input_log);
/** Removes the new files, while the platform still holds them; then the new folders. */
void mt_footprint_remove_files(const struct mt_footprint *self, const struct mt_config *config);
void mt_footprint_remove_folders(const struct mt_footprint *self, const struct mt_config *config);
void mt_footprint_free(struct mt_footprint *self);

#endif
