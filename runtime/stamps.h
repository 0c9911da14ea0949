/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transmit timestamps that do not come, and equipment that does not like version 2.1.  Of each link
 * the fate of the last event frames is remembered: many losses are told once, and cost an exchange
 * each.  If none comes at all, or nobody answers who speaks 2.0 only, minorVersionPTP 0 is sent
 * from then on, where the configuration leaves that open.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_STAMPS_H
#define MEANTIME_RUNTIME_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/time.h"

#define MT_STAMPS_REMEMBERED 64
#define MT_STAMPS_FEW        16 /**< with fewer no share is told */
#define MT_STAMPS_PATIENCE   8 /**< frames without a stamp or an answer, and version 2.0 is tried */

/** Of a link. */
struct mt_stamps {
    uint64_t missing; /**< of the last frames, the newest is bit 0 */
    uint8_t held;     /**< how many they are */
    bool has_come;    /**< one has, ever */
    bool is_losing;   /**< and that was told */
};

/** Of an instance. */
struct mt_minor {
    bool is_auto;     /**< it may be changed */
    bool is_over;     /**< 2.0 was tried and made no difference */
    bool has_answer;  /**< to a request of version 2.1 */
    bool hears_old;   /**< others send 2.0 ... */
    bool hears_new;   /**< ... or somebody 2.1 */
    uint8_t requests; /**< sent since and not answered */
};

enum mt_minor_reason {
    MT_MINOR_NO_STAMPS,  /**< 2.0 is sent: no stamp has come */
    MT_MINOR_NO_ANSWERS, /**< 2.0 is sent: who speaks 2.0 does not answer */
    MT_MINOR_NO_USE,     /**< 2.1 is sent again: with 2.0 no stamp came either */
};

struct mt_node;
struct mt_input;

/** Lost of the last frames of the link, and how many those are. */
unsigned mt_stamps_lost(const struct mt_stamps *self, unsigned *ret_of);
/** The fate of an event frame. */
void mt_stamps_note(struct mt_node *node, uint16_t link, bool has_stamp, struct mt_mono now);
/** A frame of an instance leaves ... */
void mt_minor_sent(struct mt_node *node, uint16_t instance, const uint8_t *frame,
                   struct mt_mono now);
/** ... or somebody's has come for it. */
void mt_minor_heard(struct mt_node *node, uint16_t instance, const struct mt_input *input);

#endif
