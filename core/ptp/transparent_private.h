/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of the transparent clock share: the ring of frames in passage and their legs
 * (transparent_table.c), and what a result waits for (transparent_result.c).
 */
#ifndef MEANTIME_TRANSPARENT_PRIVATE_H
#define MEANTIME_TRANSPARENT_PRIVATE_H

#include "meantime/ptp_more.h"
#include "meantime/ptp_transparent.h"
#include "ptp/ptp_private.h"

/** A leg's life: an event message is QUEUED, SENT, and then STAMPED or LOST; a result is HELD until
 * its residence is known, QUEUED, and then DONE; everything else is QUEUED and DONE. */
enum mt_leg_state {
    MT_LEG_NONE, /**< not on this port */
    MT_LEG_HELD,
    MT_LEG_QUEUED,
    MT_LEG_SENT,
    MT_LEG_STAMPED,
    MT_LEG_LOST, /**< given up */
    MT_LEG_DONE,
};

/** The transparent clock of an instance, or null. */
static inline struct mt_transparent *mt_transparent_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->transparent : NULL;
}

static inline void mt_transparent_count(struct mt_transparent *self,
                                        enum mt_transparent_counter counter)
{
    mt_count(&self->counters[counter]);
}

/* ---- the ring (transparent_table.c) ---------------------------------------------------------- */

/** Who this message is. */
void mt_transparent_identify(const struct mt_ptp_message *message,
                             struct mt_transparent_key *ret_key);
/** The frame of that serial, if it is still there and not outdated; else null. */
struct mt_transparent_frame *mt_transparent_at(const struct mt_transparent *self, uint64_t serial,
                                               struct mt_mono now);
/** The newest frame with this key that came by `ingress` (0: any); else null. */
struct mt_transparent_frame *mt_transparent_find(const struct mt_transparent *self,
                                                 const struct mt_transparent_key *key,
                                                 uint16_t ingress, struct mt_mono now);
/** A new frame without legs, in place of the oldest one. */
struct mt_transparent_frame *mt_transparent_add(struct mt_transparent *self,
                                                const struct mt_transparent_key *key,
                                                const uint8_t *octets, uint16_t length,
                                                uint16_t ingress, struct mt_mono now);
uint8_t *mt_transparent_octets(const struct mt_transparent *self,
                               const struct mt_transparent_frame *frame);
struct mt_transparent_leg *mt_transparent_leg(const struct mt_transparent *self,
                                              const struct mt_transparent_frame *frame,
                                              uint16_t port);
/** The single writer of a leg's state: keeps the counts of legs that are open, queued, awaited. */
void mt_transparent_set(struct mt_transparent *self, struct mt_transparent_frame *frame,
                        struct mt_transparent_leg *leg, enum mt_leg_state state);

/* ---- results (transparent_result.c) ---------------------------------------------------------- */

/** The request that is answered, or null. */
struct mt_transparent_frame *mt_transparent_request(const struct mt_transparent *self,
                                                    const struct mt_transparent_frame *answer,
                                                    struct mt_mono now);
/** True for Follow_Up, Delay_Resp and Pdelay_Resp_Follow_Up. */
bool mt_transparent_is_result(uint8_t type);
/** Takes a result that has come, or has been made, by `ingress`: it leaves as soon as all is known.
 */
void mt_transparent_result_rx(struct mt_instance *self, struct mt_transparent_frame *result);
/** An event message has come: a result may have come before it. */
void mt_transparent_event_rx(struct mt_instance *self, struct mt_transparent_frame *event);
/** Makes the result that a one-step message lacks. */
void mt_transparent_convert(struct mt_instance *self, struct mt_transparent_frame *event);
/** A leg of an event message is STAMPED or LOST: lets go what has waited for it. */
void mt_transparent_resolve(struct mt_instance *self, const struct mt_transparent_frame *event);

/* ---- the extension (transparent.c) ----------------------------------------------------------- */

/** True if a one-step event message leaves by that port as it is. */
bool mt_transparent_stays_one_step(const struct mt_transparent *self,
                                   const struct mt_transparent_frame *event, uint16_t port);

/** Peer-to-peer: the delay of the link that the port is on.  False: it is not known. */
bool mt_transparent_link_delay(const struct mt_port *port, struct mt_interval *ret_delay);

/* ---- unicast (transparent_unicast.c) --------------------------------------------------------- */

/** Who is meant by a message to one station alone. */
struct mt_transparent_receiver {
    uint16_t port;
    struct mt_address address;
};
/** False: that cannot be told. */
bool mt_transparent_find_receiver(const struct mt_instance *self,
                                  const struct mt_transparent_key *key,
                                  struct mt_transparent_receiver *ret_receiver);

#endif
