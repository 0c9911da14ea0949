/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Addresses of names.  Looking one up may take long, so nobody waits for it: who asks is told what
 * is known now, and asks again later.  Platforms implement the table; compose calls it from the
 * loop's thread.
 */
#ifndef MEANTIME_HAL_NAMES_H
#define MEANTIME_HAL_NAMES_H

#include "meantime/ptp_address.h"
#include "meantime/time.h"

struct mt_hal_names;

struct mt_hal_names_ops {
    /** The newest known address of `name`.  The first question begins to look it up, later ones do
     * so again from time to time.  False: none is known. */
    bool (*find)(struct mt_hal_names *self, const char *name, enum mt_network network,
                 struct mt_mono now, struct mt_address *ret_address);
};

struct mt_hal_names {
    const struct mt_hal_names_ops *ops;
};

#endif
