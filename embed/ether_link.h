/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP over IEEE 802.3 on an Ethernet controller [1588-2019 annex E]: the tables link and wait.
 * Frames are sent untagged; tagged ones are heard.  No IP stack is needed.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_EMBED_ETHER_LINK_H
#define MEANTIME_EMBED_ETHER_LINK_H

#include "embed/mac.h"
#include "embed/ordinary.h"

#define MT_ETHER_LOOK_NS INT64_C(200000000) /**< how often the link's state is looked at */

struct mt_ether_link {
    struct mt_hal_link link;
    struct mt_hal_wait wait;
    struct mt_mac *mac;
    bool is_up;
    bool has_told; /**< whether it is up */
    struct mt_mono look_at;
    uint8_t frame[MT_MAC_FRAME_MAX]; /**< received last */
};

void mt_ether_link_init(struct mt_ether_link *self, struct mt_mac *mac);

/** For other links over a MAC: true if the state of the wire is to be told now. */
bool mt_ether_look(struct mt_mac *mac, struct mt_mono *look_at, bool *has_told, bool *is_up,
                   struct mt_input *ret_input);
/** Likewise: true if a transmit stamp is to be told. */
bool mt_ether_take_stamp(struct mt_mac *mac, struct mt_input *ret_input);

#endif
