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

#define MT_NAMES_ADDRESSES 16 /**< of one name; more are left out */

struct mt_hal_names;

struct mt_hal_names_ops {
    /** The newest known address of `name`.  The first question begins to look it up, later ones do
     * so again from time to time.  False: none is known. */
    bool (*find)(struct mt_hal_names *self, const char *name, enum mt_network network,
                 struct mt_mono now, struct mt_address *ret_address);
    /** The newest known addresses of `name`, of IPv4 and IPv6, the one to prefer first; how many
     * there are, at most `size`.  Otherwise as find(). */
    size_t (*find_all)(struct mt_hal_names *self, const char *name, struct mt_mono now,
                       struct mt_address *ret_addresses, size_t size);
};

struct mt_hal_names {
    const struct mt_hal_names_ops *ops;
};

#endif
