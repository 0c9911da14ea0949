/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Timestamps by network cards: what a card is able to do, which of its filters suffices for us, and
 * switching it on and off.  The setting belongs to the card, not to a socket, and others may use
 * it too: what suffices is left as it is, what we change is put back when the last of our links
 * lets go.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_STAMPING_H
#define MEANTIME_LINUX_STAMPING_H

#include <net/if.h>

#include "hal/provider.h"
#include "platform/linux/linux_phc.h"

#define MT_STAMPING_CARDS 64

/** What must be stamped when it is received: bits. */
#define MT_STAMPING_L2  1u /**< PTP over Ethernet */
#define MT_STAMPING_L4  2u /**< PTP over UDP */
#define MT_STAMPING_NTP 4u /**< NTP, for which most cards must stamp everything */
/** Beside that: the time is to be written into Sync as it leaves, and turnaround times into
 * Pdelay_Resp, as far as the card can. */
#define MT_STAMPING_ONE_STEP 8u

/** ETHTOOL_GET_TS_INFO's answer. */
struct mt_stamping_abilities {
    uint32_t flags;      /**< SOF_TIMESTAMPING_* */
    int phc;             /**< N of /dev/ptpN; -1: none */
    uint32_t tx_types;   /**< bits of HWTSTAMP_TX_* */
    uint32_t rx_filters; /**< bits of HWTSTAMP_FILTER_* */
};

/** What a card lacks, in words; null: it stamps all event messages of `wanted` in hardware. */
const char *mt_stamping_lacks(const struct mt_stamping_abilities *abilities, unsigned wanted);
/** The filter that stamps least of what is not wanted; -1: none does. */
int mt_stamping_filter(uint32_t rx_filters, unsigned wanted);
/** Whether with this filter all that is wanted is stamped. */
bool mt_stamping_suffices(int filter, unsigned wanted);

struct mt_stamping_setting {
    int flags;
    int tx_type;
    int rx_filter;
};

struct mt_stamping_card {
    char name[IFNAMSIZ]; /**< "": this place is free */
    unsigned users;
    unsigned wanted;
    int tx_type;     /**< in force */
    bool is_changed; /**< by us, and `before` is what it was */
    struct mt_stamping_setting before;
};

struct mt_stamping {
    const struct mt_phc_os *os;
    int fd; /**< a socket, for questions about interfaces */
    struct mt_stamping_card cards[MT_STAMPING_CARDS];
};

void mt_stamping_init(struct mt_stamping *self, const struct mt_phc_os *os, int fd);
/** False if there is no such interface or its driver does not say. */
bool mt_stamping_ask(const struct mt_stamping *self, const char *interface,
                     struct mt_stamping_abilities *ret_abilities);
/** Has the interface's card stamp what is wanted, besides what it stamps for us already.  False
 * with a reason, in words that follow "in software, for ". */
bool mt_stamping_begin(struct mt_stamping *self, const char *interface, unsigned wanted,
                       char reason[MT_HAL_REASON_SIZE]);
/** What is written into messages as they leave: HWTSTAMP_TX_ONESTEP_SYNC, _P2P, or nothing. */
int mt_stamping_tx_type(const struct mt_stamping *self, const char *interface);
/** Tells the card again what it does for us: a driver that resets its card forgets it, and may yet
 * answer that nothing has changed. */
void mt_stamping_renew(struct mt_stamping *self, const char *interface);
/** After each success of mt_stamping_begin().  The last one puts back what was there before. */
void mt_stamping_end(struct mt_stamping *self, const char *interface);

#endif
