/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Bonds: several cards under one interface, of which one carries the traffic (active-backup) and
 * stamps it.  VLANs may lie on top.
 * Thread rule: no globals; one thread at a time for each os.
 */
#ifndef MEANTIME_LINUX_BOND_H
#define MEANTIME_LINUX_BOND_H

#include <net/if.h>

#include "platform/linux/linux_phc.h"

#define MT_BOND_MEMBERS 8

struct mt_bond {
    char name[IFNAMSIZ];
    bool is_backup; /**< its mode is active-backup */
    unsigned count;
    int active; /**< which of them; -1: none */
    char members[MT_BOND_MEMBERS][IFNAMSIZ];
};

/** The bond that an interface is, or is a VLAN of; false: there is none.  `fd`: any socket. */
bool mt_bond_find(const struct mt_phc_os *os, int fd, const char *interface,
                  struct mt_bond *ret_bond);

#endif
