/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Few cards can be told to stamp NTP without stamping everything that they receive, so a card is
 * asked for it only on an interface that the configuration names.  It stamps both ways or neither:
 * a departure by the card and an arrival by the kernel would differ by what the kernel takes, and
 * half of that would be an error of the clock.
 *
 * Some cards promise to stamp everything and do not.  With `auto` a row of packets without a stamp
 * is enough to leave it to the kernel; with `hardware` the card is told again, for another program
 * may have told it something else.
 */
#include "platform/linux/linux_ntp_card.h"

#include <linux/net_tstamp.h>
#include <string.h>

#include "meantime/ntp_ptp.h"
#include "platform/linux/linux_private.h"

#define UNSTAMPED_MOST 8
#define FRAME_HEAD     14 /* octets */
#define FRAME_CHECK    4
#define FRAME_LEAST    60 /* without the check */
#define IPV4_HEAD      20
#define IPV6_HEAD      40
#define UDP_HEAD       8
#define BITS           8
#define NS_PER_US      1000

void mt_linux_ntp_card_init(struct mt_linux_ntp_card *self, enum mt_stamper stamper)
{
    memset(self, 0, sizeof *self);
    self->stamper = stamper;
    mt_linux_say(self->stamping, "%s",
                 stamper == MT_STAMPER_KERNEL ? "software, for the configuration says so"
                                              : "software, for no interface is named");
}

void mt_linux_ntp_card_end(struct mt_linux_ntp_card *self, struct mt_linux *platform)
{
    if (self->counter != 0) {
        mt_stamping_end(&platform->stamping, self->on);
        self->counter = 0;
        self->on[0] = 0;
    }
    self->ifindex = 0;
}

static void begin(struct mt_linux_ntp_card *self, struct mt_linux *platform, const char *interface)
{
    char why[MT_HAL_REASON_SIZE] = "";
    struct mt_phc *phc = mt_linux_card_begin(platform, interface, MT_STAMPING_NTP, why);

    self->unstamped = 0;
    if (!phc) {
        mt_linux_say(self->stamping, "software, for %.200s", why);
        return;
    }
    memcpy(self->on, interface, strnlen(interface, IFNAMSIZ - 1) + 1);
    self->counter = mt_counter_of_phc(phc->index);
    self->hardware_clock = phc->index;
    mt_linux_say(self->stamping, "hardware, by the clock %s", phc->path);
}

/* True if what was chosen for the interface still holds. */
static bool is_settled(struct mt_linux_ntp_card *self, struct mt_linux *platform, int ifindex)
{
    bool is_auto = self->stamper == MT_STAMPER_AUTO;

    if (ifindex != self->ifindex || (self->counter == 0 && !is_auto)) {
        return false;
    }
    if (self->counter == 0 || self->unstamped < UNSTAMPED_MOST) {
        return true;
    }
    mt_linux_ntp_card_end(self, platform);
    self->ifindex = is_auto ? ifindex : 0;
    mt_linux_say(self->stamping, "software, for the interface does not stamp these messages");
    return is_auto;
}

bool mt_linux_ntp_card_choose(struct mt_linux_ntp_card *self, struct mt_linux *platform,
                              const char *interface, char reason[MT_HAL_REASON_SIZE])
{
    int ifindex = 0;

    if (self->stamper == MT_STAMPER_KERNEL || interface[0] == 0 ||
        !mt_netdev_find(platform->ioctl_fd, interface, &ifindex)) {
        return true; /* without the interface nothing is sent, which is told then */
    }
    if (!is_settled(self, platform, ifindex)) {
        mt_linux_ntp_card_end(self, platform);
        begin(self, platform, interface);
        self->ifindex = ifindex;
    }
    if (self->counter == 0 && self->stamper == MT_STAMPER_CARD) {
        mt_linux_say(reason, "no hardware timestamps of NTP on %s: %.180s", interface,
                     self->stamping + strlen("software, for "));
        return false;
    }
    self->speed_mbit = self->counter != 0 ? mt_netdev_speed_mbit(platform->ioctl_fd, interface) : 0;
    return true;
}

int mt_linux_ntp_card_flags(const struct mt_linux_ntp_card *self)
{
    int common = SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG;

    return self->counter != 0 ? common | SOF_TIMESTAMPING_RX_HARDWARE |
                                    SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE
                              : common | SOF_TIMESTAMPING_RX_SOFTWARE |
                                    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
}

void mt_linux_ntp_card_note(struct mt_linux_ntp_card *self, bool is_stamped)
{
    self->unstamped = is_stamped ? 0 : self->unstamped + 1;
}

int64_t mt_linux_ntp_card_reception_ns(uint32_t speed_mbit, bool is_ipv6, size_t payload)
{
    size_t head = is_ipv6 ? IPV6_HEAD : IPV4_HEAD;
    size_t frame = FRAME_HEAD + head + UDP_HEAD + payload;

    frame = (frame < FRAME_LEAST ? FRAME_LEAST : frame) + FRAME_CHECK;
    return speed_mbit > 0 ? (int64_t)frame * BITS * NS_PER_US / speed_mbit : 0;
}

int64_t mt_linux_ntp_in_ptp_ns(const struct mt_linux_link *link, const uint8_t *octets,
                               size_t length)
{
    struct mt_ntp_ptp message;

    if (!link->hal.carries_ntp || link->counter == 0 ||
        !mt_ntp_ptp_parse(octets, length, &message)) {
        return 0;
    }
    return mt_linux_ntp_card_reception_ns(link->speed_mbit,
                                          link->transport->network == MT_NETWORK_UDP_IPV6, length);
}
