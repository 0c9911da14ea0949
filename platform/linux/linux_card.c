/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links and clocks on network cards with a hardware clock.  Which card an interface belongs to and
 * which clock that has is asked when the link's sockets are opened, so an interface that goes and
 * comes again (with another card) is dealt with.  Each hardware clock is opened once, at its first
 * use, and stays open: later the daemon may not have the right any more.
 */
#include "platform/linux/linux_bond.h"
#include "platform/linux/linux_clock.h"
#include "platform/linux/linux_private.h"
#include "platform/linux/linux_vclock.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSTAMPED_MOST 32
#define RENEWED_AFTER  8 /* without a stamp in a row; and then each time that these have doubled */
#define EVENT_TYPES    4 /* of PTP messages, the first ones */
#define HEADER_SIZE    34

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

struct mt_phc *mt_linux_phc_of(const struct mt_linux *self, const char *path)
{
    for (size_t i = 0; i < self->phc_count; i++) {
        if (strcmp(self->phcs[i]->path, path) == 0) {
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
        mt_phc_accept(phc);
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
    const char *card = device;
    struct mt_bond bond;
    int index;
    char rest;

    if (sscanf(device, "/dev/ptp%d%c", &index, &rest) == 1 && index >= 0) {
        return index;
    }
    if (mt_bond_find(self->stamping.os, self->ioctl_fd, device, &bond) && bond.active >= 0) {
        card = bond.members[bond.active];
    }
    if (!mt_stamping_ask(&self->stamping, card, &abilities)) {
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

static struct mt_phc *open_named(struct mt_linux *self, const char *device, bool is_virtual,
                                 char reason[MT_HAL_REASON_SIZE])
{
    int index = index_of(self, device, reason);
    struct mt_phc *phc;

    if (index >= 0 && is_virtual) {
        index = mt_linux_vclock_take(self, index, reason);
    }
    phc = index >= 0 ? open_phc(self, index) : 0;
    if (index >= 0 && !phc) {
        int error = errno;

        mt_linux_say(reason, "cannot open /dev/ptp%d: %s; %s", index, strerror(error),
                     error == EACCES || error == EPERM
                         ? "run as root, or give the daemon's user access to it"
                         : "ls /dev/ptp* shows the hardware clocks that there are");
    }
    return phc;
}

struct mt_phc *mt_linux_phc_named(struct mt_linux *self, const char *device,
                                  char reason[MT_HAL_REASON_SIZE])
{
    return open_named(self, device, false, reason);
}

struct mt_phc *mt_linux_phc_virtual(struct mt_linux *self, const char *device,
                                    char reason[MT_HAL_REASON_SIZE])
{
    return open_named(self, device, true, reason);
}

/* ---- links --------------------------------------------------------------------------------- */

static unsigned wanted_of(const struct mt_linux_link *link)
{
    unsigned one_step = link->request.stamper == MT_STAMPER_ONE_STEP ? MT_STAMPING_ONE_STEP : 0;

    return one_step |
           (link->transport->network == MT_NETWORK_IEEE_802_3 ? MT_STAMPING_L2 : MT_STAMPING_L4);
}

/* The others of a bond take its place one day, when we may not be allowed to open them any more.
 * Their cards have just been set up anew, as likely as not: a bond does that to its members. */
static void open_members(struct mt_linux *self, const struct mt_bond *bond,
                         const struct mt_phc *active)
{
    struct mt_stamping_abilities abilities;
    struct mt_phc *phc;

    for (unsigned i = 0; i < bond->count; i++) {
        if (mt_stamping_ask(&self->stamping, bond->members[i], &abilities) && abilities.phc >= 0) {
            phc = open_phc(self, abilities.phc);
            if (phc && phc != active && !phc->owner) {
                mt_phc_tell_again(phc);
            }
        }
    }
}

/* Whose card stamps what the link carries, by name.  False with a reason if nobody's can. */
static bool find_stamper(const struct mt_linux_link *link, struct mt_bond *bond,
                         char ret_name[IFNAMSIZ], char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_linux *self = link->platform;

    memcpy(ret_name, link->present, IFNAMSIZ);
    bond->count = 0;
    if (!mt_bond_find(self->stamping.os, self->ioctl_fd, link->present, bond)) {
        return true;
    }
    if (!bond->is_backup) {
        mt_linux_say(reason, "the bond %s is not in active-backup mode: any of its cards may send",
                     bond->name);
        return false;
    }
    if (bond->active < 0) {
        mt_linux_say(reason, "no card of the bond %s is active", bond->name);
        return false;
    }
    memcpy(ret_name, bond->members[bond->active], IFNAMSIZ);
    return true;
}

bool mt_linux_card_has_changed(const struct mt_linux_link *link)
{
    char reason[MT_HAL_REASON_SIZE];
    char name[IFNAMSIZ];
    struct mt_bond bond;

    return link->request.stamper != MT_STAMPER_KERNEL && !link->is_card_useless &&
           find_stamper(link, &bond, name, reason) && bond.count > 0 &&
           strcmp(name, link->stamped_by) != 0;
}

bool mt_linux_may_set_cards(const struct mt_linux *self)
{
    for (uint16_t i = 0; i < self->link_count; i++) {
        const struct mt_linux_link *link = self->links[i];

        if (link && (link->counter != 0 ||
                     (!link->has_interface && link->request.stamper != MT_STAMPER_KERNEL))) {
            return true;
        }
    }
    return mt_linux_ntp_may_set_cards(self);
}

void mt_linux_card_steers(struct mt_linux *self, struct mt_hal_clock *clock, const char *device)
{
    if (device[0] != '/' && strlen(device) < IFNAMSIZ && self->moving_count < MT_LINUX_CLOCKS) {
        struct mt_linux_moving *moving = &self->moving[self->moving_count++];

        moving->clock = clock;
        memcpy(moving->interface, device, strlen(device) + 1);
    }
}

struct mt_phc *mt_linux_card_begin(struct mt_linux *self, const char *interface, unsigned wanted,
                                   char reason[MT_HAL_REASON_SIZE])
{
    struct mt_stamping_abilities abilities;
    struct mt_phc *phc = 0;

    if (!mt_stamping_begin(&self->stamping, interface, wanted, reason)) {
        return 0;
    }
    if (mt_stamping_ask(&self->stamping, interface, &abilities)) {
        mt_linux_vclocks_make_again(self, abilities.phc);
        phc = open_phc(self, abilities.phc);
    }
    if (!phc) {
        mt_linux_say(reason, "the interface's hardware clock cannot be read: %s", strerror(errno));
        mt_stamping_end(&self->stamping, interface);
    }
    return phc;
}

/* What the card writes is its own time, which must be that of the port's clock. */
static void take_tx_type(struct mt_linux_link *link, const struct mt_phc *phc)
{
    int tx_type = mt_stamping_tx_type(&link->platform->stamping, link->stamped_by);
    const char *clock = link->request.clock;
    const struct mt_phc *first = clock ? mt_linux_phc_of(link->platform, clock) : 0;

    if (!link->owner && first) { /* later it may have gone to another card */
        link->owner = first->owner;
    }
    bool is_clocks =
        link->owner ? phc->owner && strcmp(link->owner, phc->owner) == 0 : first && first == phc;

    link->hal.inserts_turnaround = tx_type == HWTSTAMP_TX_ONESTEP_P2P; /* a difference */
    link->hal.inserts_origin =
        is_clocks && (tx_type == HWTSTAMP_TX_ONESTEP_SYNC || tx_type == HWTSTAMP_TX_ONESTEP_P2P);
}

/* ---- clocks that go with their card --------------------------------------------------------- */

/* A clock that another one of ours steers stays as it is. */
static void go_on(struct mt_linux *self, struct mt_linux_moving *moving)
{
    struct mt_phc *phc = moving->next;

    if (!phc || !mt_phc_track_knows_rate(&phc->track)) {
        return;
    }
    moving->next = 0;
    if (phc->owner || !mt_clock_phc_move(moving->clock, phc)) {
        return;
    }
    for (uint16_t i = 0; i < self->link_count; i++) {
        if (self->links[i] && self->links[i]->counter == mt_counter_of_phc(phc->index)) {
            take_tx_type(self->links[i], phc);
        }
    }
}

static void move_clocks(struct mt_linux_link *link, struct mt_phc *phc)
{
    struct mt_linux *self = link->platform;

    for (size_t i = 0; i < self->moving_count; i++) {
        struct mt_linux_moving *moving = &self->moving[i];

        if (strcmp(moving->interface, link->interface) == 0 && moving->clock->is_adjustable) {
            moving->next = phc->owner ? 0 : phc;
            go_on(self, moving);
        }
    }
}

void mt_linux_cards_look(struct mt_linux *self)
{
    for (size_t i = 0; i < self->phc_count; i++) {
        mt_phc_look(self->phcs[i]);
    }
    for (size_t i = 0; i < self->moving_count; i++) {
        go_on(self, &self->moving[i]);
    }
}

bool mt_linux_card_open(struct mt_linux_link *link, char reason[MT_HAL_REASON_SIZE])
{
    char why[MT_HAL_REASON_SIZE] = "the configuration says so";
    bool may_be_hardware = link->request.stamper != MT_STAMPER_KERNEL && !link->is_card_useless;
    struct mt_linux *self = link->platform;
    struct mt_bond bond = {.count = 0};
    char stamper[IFNAMSIZ];
    bool is_known = may_be_hardware && find_stamper(link, &bond, stamper, why);
    struct mt_phc *phc = is_known ? mt_linux_card_begin(self, stamper, wanted_of(link), why) : 0;

    link->unstamped = 0;
    link->unstamped_in = 0;
    link->has_stamped = false;
    link->has_stamped_in = false;
    if (link->is_card_useless) {
        mt_linux_say(why, "the card stamps nothing that it sends");
    }
    if (!phc && (link->request.stamper == MT_STAMPER_CARD ||
                 link->request.stamper == MT_STAMPER_ONE_STEP)) {
        mt_linux_say(reason, "no hardware timestamps on %s: %.180s", link->present, why);
        return false;
    }
    if (phc) {
        link->hal.has_hardware_clock = true;
        link->hal.hardware_clock = phc->index;
        link->counter = mt_counter_of_phc(phc->index);
        link->speed_mbit = mt_netdev_speed_mbit(self->ioctl_fd, stamper);
        memcpy(link->stamped_by, stamper, IFNAMSIZ);
        take_tx_type(link, phc);
        mt_linux_say(link->stamping, "hardware, by the clock %s%s%s", phc->path,
                     bond.count > 0 ? " of " : "", bond.count > 0 ? stamper : "");
        if (bond.count > 0) {
            open_members(self, &bond, phc);
        }
        move_clocks(link, phc);
    } else {
        mt_linux_say(link->stamping, "software, for %.200s", why);
    }
    return true;
}

static void renew(const struct mt_linux_link *link, unsigned unstamped)
{
    if (link->counter != 0 && unstamped >= RENEWED_AFTER && (unstamped & (unstamped - 1)) == 0) {
        mt_stamping_renew(&link->platform->stamping, link->stamped_by);
    }
}

static void leave_card(struct mt_linux_link *link)
{
    link->is_card_useless = true;
    mt_linux_sockets_close(link);
    link->has_interface = false;
    link->check_at = (struct mt_mono){0};
}

/* The card is left later than the other minorVersionPTP has been tried, which is often the reason.
 * One that has stamped was reset, or told otherwise. */
void mt_linux_card_missed(struct mt_linux_link *link)
{
    link->unstamped++;
    if (link->has_stamped) {
        renew(link, link->unstamped);
    } else if (link->counter != 0 && link->unstamped >= UNSTAMPED_MOST &&
               link->request.stamper == MT_STAMPER_AUTO) {
        leave_card(link);
    }
}

void mt_linux_card_received(struct mt_linux_link *link, const uint8_t *bytes, size_t length,
                            bool has_stamp)
{
    if (has_stamp) {
        link->has_stamped_in = true;
        link->unstamped_in = 0;
    } else if (link->has_stamped_in && length >= HEADER_SIZE && (bytes[0] & 0x0F) < EVENT_TYPES) {
        renew(link, ++link->unstamped_in);
    }
}

void mt_linux_card_close(struct mt_linux_link *link)
{
    if (link->counter != 0) {
        mt_stamping_end(&link->platform->stamping, link->stamped_by);
        link->counter = 0;
        link->hal.has_hardware_clock = false;
        link->hal.inserts_origin = false;
        link->hal.inserts_turnaround = false;
        link->bound_clock = -1;
        link->stamped_by[0] = 0;
    }
}
