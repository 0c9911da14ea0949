/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP over UDP/IPv4 through lwIP on an Ethernet controller [1588-2019 annex C]: the tables link and
 * wait.  lwIP has globals, so there is one of these in an image.
 * Thread rule: one thread.
 */
#ifndef MEANTIME_FIRMWARE_LWIP_LINK_H
#define MEANTIME_FIRMWARE_LWIP_LINK_H

#include "embed/mac.h"
#include "embed/ordinary.h"

/** Addresses as numbers: 10.9.0.2 is 0x0A090002.  False if lwIP has not enough memory. */
bool mt_lwip_link_open(struct mt_mac *mac, uint32_t address, uint32_t netmask,
                       struct mt_hal_link **ret_link, struct mt_hal_wait **ret_wait);

#endif
