/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What somebody who sets up a network wants to be told of a port and the protocol does not mind:
 * that nobody answers its Delay_Req, that messages are refused because their keys or their domain
 * are others, that a transmitter denies it service.  The counters of the instance are compared with
 * what was told last; each thing is told once, or once an hour while it goes on.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_HEARD_H
#define MEANTIME_RUNTIME_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/ptp_address.h"
#include "meantime/ptp_wire.h"
#include "meantime/sample.h"
#include "meantime/time.h"
#include "meantime/verdict.h"

#define MT_HEARD_PATIENCE 8 /**< Delay_Req given up, and Syncs heard, in a row before it is told */
#define MT_HEARD_AGAIN_NS INT64_C(3600000000000)
#define MT_HEARD_DENIALS  8 /**< transmitters of which that is told; more wait for their turn */

enum mt_heard_event {
    MT_HEARD_NO_DELAY,     /**< nobody answers Delay_Req: `count` in a row */
    MT_HEARD_DELAY,        /**< they are answered again */
    MT_HEARD_FORGED,       /**< `count` messages had a wrong code; the last one was `sender`'s */
    MT_HEARD_UNSIGNED,     /**< `count` messages had none; likewise */
    MT_HEARD_OTHER_DOMAIN, /**< the first message of another `domain` or `sdo_id` */
    MT_HEARD_DENIED,       /**< the transmitter at `address` denies unicast service */
};

/** What is told of it. */
struct mt_heard_told {
    enum mt_heard_event event;
    uint16_t port; /**< 1.. */
    uint64_t count;
    struct mt_port_identity sender; /**< zero: not known */
    uint8_t domain;
    uint16_t sdo_id;
    struct mt_address address;
};

/** Of a port; zeros to begin with. */
struct mt_heard {
    bool is_unanswered;  /**< and that was told */
    uint64_t unanswered; /**< of the counter, when a Delay_Req was answered last */
    uint64_t syncs;      /**< measured since */
    struct mt_heard_refused {
        uint64_t told; /**< of the counter */
        struct mt_mono tell_at;
        struct mt_port_identity sender;
    } forged, without_code;
    uint64_t of_siblings;  /**< messages for other instances of this node on the same link */
    bool has_other_domain; /**< strangers' */
    uint8_t other_domain;  /**< of the last one */
    uint16_t other_sdo_id;
    uint64_t answers; /**< to requests for service, as looked at last */
    struct mt_heard_denial {
        struct mt_address address;
        struct mt_mono tell_at; /**< again, if it still denies then */
    } denials[MT_HEARD_DENIALS];
};

struct mt_node;
struct mt_input;

/** A frame was given to a port, from 1 on, which has judged it. */
void mt_heard_frame(struct mt_node *node, uint16_t instance, uint16_t port,
                    const struct mt_input *input, enum mt_verdict verdict);
/** A Sync of the port was measured, or a Delay_Req was answered. */
void mt_heard_sample(struct mt_node *node, uint16_t instance, uint16_t port,
                     enum mt_sample_kind kind, struct mt_mono now);
/** The instance follows another transmitter, or none. */
void mt_heard_parent(struct mt_node *node, uint16_t instance);
/** Tells what there is to tell, after an input. */
void mt_heard_look(struct mt_node *node, struct mt_mono now);

/** Delay_Req that were given up in a row. */
uint64_t mt_heard_unanswered(const struct mt_node *node, uint16_t instance, uint16_t port);

#endif
