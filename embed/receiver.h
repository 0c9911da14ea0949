/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The smallest receiver for a small machine: one port on one link that steers one clock by
 * proportion and integral, in less than 8 KiB of code.  A platform fills the same three tables as
 * for an ordinary clock (embed/ordinary.h), which is what to take wherever there is room: it learns
 * the noise of the path by itself, bridges outages and says how wrong the clock may be.
 *
 * Freestanding: no library, no allocation, no globals; storage is the caller's.
 * Thread rule: one thread at a time for each object, never an interrupt.
 */
#ifndef MEANTIME_EMBED_RECEIVER_H
#define MEANTIME_EMBED_RECEIVER_H

#include "meantime/steer_follower.h"

#include "embed/ordinary.h"

struct mt_receiver_config {
    struct mt_instance_config instance;
    struct mt_port_config port;
    uint64_t seed; /**< spreads timers: differs from machine to machine */
};

struct mt_receiver {
    struct mt_ordinary_tables tables;
    bool told_locked; /**< as the instance knows it */
    struct mt_instance ptp;
    struct mt_port port;
    struct mt_follower follower;
    uint8_t frame[MT_ORDINARY_FRAME_SIZE]; /**< what is being sent */
};

/** The default profile.  Nothing is sent but Delay_Req. */
void mt_receiver_config_init(struct mt_receiver_config *self,
                             const struct mt_ptp_features *features);

/** Starts.  Nothing is heard before the platform has said that the link is up (MT_INPUT_LINK). */
void mt_receiver_init(struct mt_receiver *self, const struct mt_receiver_config *config,
                      const struct mt_ordinary_tables *tables);

/** Waits for one input, at the latest until the deadline, and does all that follows from it. */
void mt_receiver_once(struct mt_receiver *self);

/** The same in two parts, for who waits in another way. */
struct mt_mono mt_receiver_deadline(const struct mt_receiver *self);
void mt_receiver_input(struct mt_receiver *self, const struct mt_input *input);

/** The clock follows a transmitter. */
bool mt_receiver_is_locked(const struct mt_receiver *self);

#endif
