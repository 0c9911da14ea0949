/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who stamps the NTP packets of an interface: its card, if that is wanted and it can, or the
 * kernel; looked at again whenever a socket is opened, since the interface may be another one then.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_NTP_CARD_H
#define MEANTIME_LINUX_NTP_CARD_H

#include <net/if.h>

#include "hal/provider.h"

struct mt_linux;
struct mt_linux_link;

struct mt_linux_ntp_card {
    enum mt_stamper stamper;           /**< as configured */
    uint16_t counter;                  /**< what stamps: 0 the kernel, else a hardware clock */
    int hardware_clock;                /**< N of /dev/ptpN, with a counter */
    char on[IFNAMSIZ];                 /**< the interface whose card stamps; "": none */
    int ifindex;                       /**< of the interface that was looked at; 0: none was */
    uint32_t speed_mbit;               /**< of that; 0: not known */
    unsigned unstamped;                /**< packets in a row that the card did not stamp */
    char stamping[MT_HAL_REASON_SIZE]; /**< who stamps, and why not the card */
};

void mt_linux_ntp_card_init(struct mt_linux_ntp_card *self, enum mt_stamper stamper);
/** Chooses for packets through this interface; "": any.  False with a reason if the card has to
 * stamp and does not. */
bool mt_linux_ntp_card_choose(struct mt_linux_ntp_card *self, struct mt_linux *platform,
                              const char *interface, char reason[MT_HAL_REASON_SIZE]);
/** SOF_TIMESTAMPING_* that have it so. */
int mt_linux_ntp_card_flags(const struct mt_linux_ntp_card *self);
/** A packet had a stamp, or should have had. */
void mt_linux_ntp_card_note(struct mt_linux_ntp_card *self, bool is_stamped);
/** What passes from the card's stamp of a packet that is received, which is of its beginning, to
 * its end: to NTP it is received then.  `payload`: octets within UDP. */
int64_t mt_linux_ntp_card_reception_ns(uint32_t speed_mbit, bool is_ipv6, size_t payload);
/** The same of what a link that carries PTP has received: 0, unless NTP in PTP messages is asked or
 * answered over it and this is one. */
int64_t mt_linux_ntp_in_ptp_ns(const struct mt_linux_link *link, const uint8_t *octets,
                               size_t length);
/** The card's setting is put back, if nobody else of us needs it. */
void mt_linux_ntp_card_end(struct mt_linux_ntp_card *self, struct mt_linux *platform);

#endif
