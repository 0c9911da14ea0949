/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The kernel passes questions about timestamps through a bond to the member that is active at that
 * moment, so what was set or learned that way is of nobody in particular after a failover.  Here
 * the members are named, and each is dealt with by its own name.
 */
#include "platform/linux/linux_bond.h"

#include <linux/if_bonding.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>

#define NESTED_MOST 4 /* VLANs in VLANs */

static int ask(const struct mt_phc_os *os, int fd, const char *name, unsigned long what, void *data)
{
    struct ifreq request;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
    request.ifr_data = data;
    return os->ask(os->context, fd, what, &request);
}

/* The interface that a VLAN lies on, in its place; false: it is no VLAN. */
static bool go_down(const struct mt_phc_os *os, int fd, char name[IFNAMSIZ])
{
    struct vlan_ioctl_args vlan = {.cmd = GET_VLAN_REALDEV_NAME_CMD};

    snprintf(vlan.device1, sizeof vlan.device1, "%s", name);
    if (os->ask(os->context, fd, SIOCGIFVLAN, &vlan) < 0) {
        return false;
    }
    snprintf(name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, vlan.u.device2);
    return true;
}

static void list_members(const struct mt_phc_os *os, int fd, unsigned count, struct mt_bond *bond)
{
    for (unsigned i = 0; i < count && bond->count < MT_BOND_MEMBERS; i++) {
        struct ifslave member;

        memset(&member, 0, sizeof member);
        member.slave_id = (int)i;
        if (ask(os, fd, bond->name, SIOCBONDSLAVEINFOQUERY, &member) < 0) {
            continue;
        }
        if (member.state == BOND_STATE_ACTIVE && bond->active < 0) {
            bond->active = (int)bond->count;
        }
        snprintf(bond->members[bond->count++], IFNAMSIZ, "%.*s", IFNAMSIZ - 1, member.slave_name);
    }
}

bool mt_bond_find(const struct mt_phc_os *os, int fd, const char *interface,
                  struct mt_bond *ret_bond)
{
    struct mt_bond bond = {.active = -1};
    struct ifbond info;
    int nested = 0;

    snprintf(bond.name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, interface);
    memset(&info, 0, sizeof info);
    while (ask(os, fd, bond.name, SIOCBONDINFOQUERY, &info) < 0) {
        if (nested++ == NESTED_MOST || !go_down(os, fd, bond.name)) {
            return false;
        }
    }
    bond.is_backup = info.bond_mode == BOND_MODE_ACTIVEBACKUP;
    list_members(os, fd, info.num_slaves > 0 ? (unsigned)info.num_slaves : 0, &bond);
    *ret_bond = bond;
    return true;
}
