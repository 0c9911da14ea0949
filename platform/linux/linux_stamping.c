/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Cards differ in what they can be told to stamp: PTP of one kind, all of PTP, everything; few can
 * do all.  The narrowest filter that covers our messages is asked for, because many cards have a
 * single register for the receive stamp, which what we do not need would fill.  A driver may widen
 * what it was asked for, and answers with what it has set; that answer counts.
 */
#include "platform/linux/linux_stamping.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <string.h>

#define NEEDED_FLAGS                                                                               \
    (SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE)

#define RECEIVED (MT_STAMPING_L2 | MT_STAMPING_L4 | MT_STAMPING_NTP)

/* from narrow to wide */
static const struct {
    int filter;
    unsigned covers;
} filters[] = {
    {HWTSTAMP_FILTER_PTP_V2_L2_EVENT, MT_STAMPING_L2},
    {HWTSTAMP_FILTER_PTP_V2_L4_EVENT, MT_STAMPING_L4},
    {HWTSTAMP_FILTER_PTP_V2_EVENT, MT_STAMPING_L2 | MT_STAMPING_L4},
    {HWTSTAMP_FILTER_NTP_ALL, MT_STAMPING_NTP},
    {HWTSTAMP_FILTER_ALL, MT_STAMPING_L2 | MT_STAMPING_L4 | MT_STAMPING_NTP},
};

bool mt_stamping_suffices(int filter, unsigned wanted)
{
    wanted &= RECEIVED;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (filters[i].filter == filter) {
            return (filters[i].covers & wanted) == wanted;
        }
    }
    return false;
}

int mt_stamping_filter(uint32_t rx_filters, unsigned wanted)
{
    wanted &= RECEIVED;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if ((rx_filters >> filters[i].filter & 1) != 0 && (filters[i].covers & wanted) == wanted) {
            return filters[i].filter;
        }
    }
    return -1;
}

const char *mt_stamping_lacks(const struct mt_stamping_abilities *abilities, unsigned wanted)
{
    if ((abilities->flags & NEEDED_FLAGS) != NEEDED_FLAGS ||
        (abilities->tx_types >> HWTSTAMP_TX_ON & 1) == 0) {
        return "the interface has no hardware timestamps";
    }
    if (abilities->phc < 0) {
        return "the interface has no hardware clock";
    }
    return mt_stamping_filter(abilities->rx_filters, wanted) < 0
               ? "the interface cannot stamp these messages when it receives them"
               : 0;
}

/* ---- asking and setting -------------------------------------------------------------------- */

static int ask(const struct mt_stamping *self, const char *interface, unsigned long what,
               void *data)
{
    struct ifreq request;

    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
    request.ifr_data = data;
    return self->os->ask(self->os->context, self->fd, what, &request);
}

bool mt_stamping_ask(const struct mt_stamping *self, const char *interface,
                     struct mt_stamping_abilities *ret_abilities)
{
    struct ethtool_ts_info info;

    memset(&info, 0, sizeof info);
    info.cmd = ETHTOOL_GET_TS_INFO;
    if (ask(self, interface, SIOCETHTOOL, &info) < 0) {
        return false;
    }
    *ret_abilities = (struct mt_stamping_abilities){info.so_timestamping, info.phc_index,
                                                    info.tx_types, info.rx_filters};
    return true;
}

static bool is_set(const struct mt_stamping *self, const char *interface,
                   struct mt_stamping_setting *ret_setting)
{
    struct hwtstamp_config config = {0, 0, 0};

    if (ask(self, interface, SIOCGHWTSTAMP, &config) < 0) {
        return false;
    }
    *ret_setting = (struct mt_stamping_setting){config.flags, config.tx_type, config.rx_filter};
    return true;
}

/* Sets it, and says what has become of it. */
static bool set(const struct mt_stamping *self, const char *interface,
                struct mt_stamping_setting *setting)
{
    struct hwtstamp_config config = {setting->flags, setting->tx_type, setting->rx_filter};

    if (ask(self, interface, SIOCSHWTSTAMP, &config) < 0) {
        return false;
    }
    *setting = (struct mt_stamping_setting){config.flags, config.tx_type, config.rx_filter};
    return true;
}

/* ---- cards --------------------------------------------------------------------------------- */

void mt_stamping_init(struct mt_stamping *self, const struct mt_phc_os *os, int fd)
{
    memset(self, 0, sizeof *self);
    self->os = os;
    self->fd = fd;
}

static struct mt_stamping_card *find(struct mt_stamping *self, const char *name)
{
    for (size_t i = 0; i < MT_STAMPING_CARDS; i++) {
        if (strcmp(self->cards[i].name, name) == 0) {
            return &self->cards[i];
        }
    }
    return 0;
}

/* The most that the card is able to write. */
static int tx_type_of(const struct mt_stamping_abilities *abilities, unsigned wanted)
{
    if ((wanted & MT_STAMPING_ONE_STEP) != 0 &&
        (abilities->tx_types >> HWTSTAMP_TX_ONESTEP_P2P & 1) != 0) {
        return HWTSTAMP_TX_ONESTEP_P2P;
    }
    return (wanted & MT_STAMPING_ONE_STEP) != 0 &&
                   (abilities->tx_types >> HWTSTAMP_TX_ONESTEP_SYNC & 1) != 0
               ? HWTSTAMP_TX_ONESTEP_SYNC
               : HWTSTAMP_TX_ON;
}

static bool does(const struct mt_stamping_setting *setting, int tx_type, unsigned wanted)
{
    return setting->tx_type == tx_type && mt_stamping_suffices(setting->rx_filter, wanted);
}

static bool refuse(char reason[MT_HAL_REASON_SIZE], const char *why)
{
    strncpy(reason, why, MT_HAL_REASON_SIZE - 1);
    reason[MT_HAL_REASON_SIZE - 1] = 0;
    return false;
}

static const char *remedy_of(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return "hardware timestamps may not be switched on: CAP_NET_ADMIN is missing";
    case EBUSY:
        return "hardware timestamps are in use by another program that wants others";
    default:
        return "the interface's driver refuses to stamp these messages";
    }
}

static bool change(struct mt_stamping *self, struct mt_stamping_card *card, const char *interface,
                   const struct mt_stamping_abilities *abilities, unsigned wanted,
                   char reason[MT_HAL_REASON_SIZE])
{
    const int tx_type = tx_type_of(abilities, wanted);
    struct mt_stamping_setting setting = {0, tx_type, 0};
    struct mt_stamping_setting before = {0, 0, 0};
    bool is_known = is_set(self, interface, &before);

    card->tx_type = tx_type;
    if (is_known && does(&before, tx_type, wanted)) {
        return true;
    }
    setting.flags = before.flags;
    setting.rx_filter = mt_stamping_filter(abilities->rx_filters, wanted);
    if (!set(self, interface, &setting)) {
        return refuse(reason, remedy_of(errno));
    }
    if (!card->is_changed && is_known) {
        card->is_changed = true;
        card->before = before;
    }
    if (!does(&setting, tx_type, wanted)) {
        return refuse(reason, "the interface's driver sets other timestamps than it was asked for");
    }
    return true;
}

bool mt_stamping_begin(struct mt_stamping *self, const char *interface, unsigned wanted,
                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_stamping_card *card = find(self, interface);
    struct mt_stamping_abilities abilities;
    const char *lack;

    card = card ? card : find(self, "");
    if (!card || !mt_stamping_ask(self, interface, &abilities)) {
        return refuse(reason, "the interface's driver does not say what it can stamp");
    }
    wanted |= card->users > 0 ? card->wanted : 0;
    lack = mt_stamping_lacks(&abilities, wanted);
    if (lack) {
        return refuse(reason, lack);
    }
    if (card->users == 0) {
        *card = (struct mt_stamping_card){.users = 0};
    }
    if (!change(self, card, interface, &abilities, wanted, reason)) {
        return false;
    }
    memcpy(card->name, interface, strnlen(interface, IFNAMSIZ - 1) + 1);
    card->wanted = wanted;
    card->users++;
    return true;
}

int mt_stamping_tx_type(const struct mt_stamping *self, const char *interface)
{
    for (size_t i = 0; i < MT_STAMPING_CARDS && interface[0]; i++) {
        if (strcmp(self->cards[i].name, interface) == 0) {
            return self->cards[i].tx_type;
        }
    }
    return HWTSTAMP_TX_OFF;
}

void mt_stamping_renew(struct mt_stamping *self, const char *interface)
{
    const struct mt_stamping_card *card = interface[0] ? find(self, interface) : 0;
    struct mt_stamping_setting setting = {0, 0, 0};
    struct mt_stamping_abilities abilities;

    if (card && mt_stamping_ask(self, interface, &abilities)) {
        (void)is_set(self, interface, &setting);
        setting.tx_type = card->tx_type;
        setting.rx_filter = mt_stamping_filter(abilities.rx_filters, card->wanted);
        (void)set(self, interface, &setting);
    }
}

/* An interface that is gone has nothing to put back. */
void mt_stamping_end(struct mt_stamping *self, const char *interface)
{
    struct mt_stamping_card *card = interface[0] ? find(self, interface) : 0;

    if (!card || --card->users > 0) {
        return;
    }
    if (card->is_changed) {
        (void)set(self, interface, &card->before);
    }
    card->name[0] = 0;
}
