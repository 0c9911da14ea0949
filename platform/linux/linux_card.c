/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links and clocks on network cards with a hardware clock.  Which card an interface belongs to and
 * which clock that has is asked when the link's sockets are opened, so an interface that goes and
 * comes again (with another card) is dealt with.  Each hardware clock is opened once, at its first
 * use, and stays open: later the daemon may not have the right any more.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- clocks -------------------------------------------------------------------------------- */

static struct mt_phc *find_phc(const struct mt_linux *self, int index)
{
    for (size_t i = 0; i < self->phc_count; i++) {
        if (self->phcs[i]->index == index) {
            return self->phcs[i];
        }
    }
    return 0;
}

/* Null with errno. */
static struct mt_phc *open_phc(struct mt_linux *self, int index)
{
    struct mt_phc *phc = find_phc(self, index);

    if (phc) {
        return phc;
    }
    if (self->phc_count == MT_LINUX_PHCS) {
        errno = EMFILE;
        return 0;
    }
    phc = mt_phc_new(index, self->stamping.os, mt_os_time_linux());
    if (phc) {
        self->phcs[self->phc_count++] = phc;
    }
    return phc;
}

static int64_t realtime_of(void *context, uint16_t counter, int64_t ns)
{
    const struct mt_linux *self = context;

    for (size_t i = 0; i < self->phc_count; i++) {
        if (mt_counter_of_phc(self->phcs[i]->index) == counter) {
            return mt_phc_realtime_of(self->phcs[i], ns);
        }
    }
    return ns;
}

void mt_linux_cards_init(struct mt_linux *self)
{
    self->time = *mt_os_time_linux();
    self->time.realtime_of = realtime_of;
    self->time.context = self;
    mt_stamping_init(&self->stamping, mt_phc_os_linux(), self->ioctl_fd);
}

void mt_linux_cards_free(struct mt_linux *self)
{
    for (size_t i = 0; i < self->phc_count; i++) {
        mt_phc_free(self->phcs[i]);
    }
}

/* The number of a device file, or of the interface's clock; -1 with a reason. */
static int index_of(struct mt_linux *self, const char *device, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_stamping_abilities abilities;
    int index;
    char rest;

    if (sscanf(device, "/dev/ptp%d%c", &index, &rest) == 1 && index >= 0) {
        return index;
    }
    if (!mt_stamping_ask(&self->stamping, device, &abilities)) {
        mt_linux_say(reason,
                     "%.40s has no hardware clock, or is not there: name another interface "
                     "or a device /dev/ptpN",
                     device);
        return -1;
    }
    if (abilities.phc < 0) {
        mt_linux_say(
            reason, "%.40s has no hardware clock: write clock = overlay, system or auto in [clock]",
            device);
    }
    return abilities.phc;
}

struct mt_phc *mt_linux_phc_named(struct mt_linux *self, const char *device,
                                  char reason[MT_HAL_REASON_SIZE])
{
    int index = index_of(self, device, reason);
    struct mt_phc *phc = index >= 0 ? open_phc(self, index) : 0;

    if (index >= 0 && !phc) {
        int error = errno;

        mt_linux_say(reason, "cannot open /dev/ptp%d: %s; %s", index, strerror(error),
                     error == EACCES || error == EPERM
                         ? "run as root, or give the daemon's user access to it"
                         : "ls /dev/ptp* shows the hardware clocks that there are");
    }
    return phc;
}

/* ---- links --------------------------------------------------------------------------------- */

static unsigned wanted_of(const struct mt_linux_link *link)
{
    return link->transport->network == MT_NETWORK_IEEE_802_3 ? MT_STAMPING_L2 : MT_STAMPING_L4;
}

struct mt_phc *mt_linux_card_begin(struct mt_linux *self, const char *interface, unsigned wanted,
                                   char reason[MT_HAL_REASON_SIZE])
{
    struct mt_stamping_abilities abilities;
    struct mt_phc *phc;

    if (!mt_stamping_begin(&self->stamping, interface, wanted, reason)) {
        return 0;
    }
    phc =
        mt_stamping_ask(&self->stamping, interface, &abilities) ? open_phc(self, abilities.phc) : 0;
    if (!phc) {
        mt_linux_say(reason, "the interface's hardware clock cannot be read: %s", strerror(errno));
        mt_stamping_end(&self->stamping, interface);
    }
    return phc;
}

bool mt_linux_card_open(struct mt_linux_link *link, char reason[MT_HAL_REASON_SIZE])
{
    char why[MT_HAL_REASON_SIZE] = "the configuration says so";
    bool may_be_hardware = link->request.stamper != MT_STAMPER_KERNEL;
    struct mt_phc *phc =
        may_be_hardware ? mt_linux_card_begin(link->platform, link->present, wanted_of(link), why)
                        : 0;

    if (!phc && link->request.stamper == MT_STAMPER_CARD) {
        mt_linux_say(reason, "no hardware timestamps on %s: %.180s", link->present, why);
        return false;
    }
    if (phc) {
        link->hal.has_hardware_clock = true;
        link->hal.hardware_clock = phc->index;
        link->counter = mt_counter_of_phc(phc->index);
        link->speed_mbit = mt_netdev_speed_mbit(link->platform->ioctl_fd, link->present);
        memcpy(link->stamped_by, link->present, IFNAMSIZ);
        mt_linux_say(link->stamping, "hardware, by the clock %s", phc->path);
    } else {
        mt_linux_say(link->stamping, "software, for %.200s", why);
    }
    return true;
}

void mt_linux_card_close(struct mt_linux_link *link)
{
    if (link->counter != 0) {
        mt_stamping_end(&link->platform->stamping, link->stamped_by);
        link->counter = 0;
        link->hal.has_hardware_clock = false;
        link->stamped_by[0] = 0;
    }
}
