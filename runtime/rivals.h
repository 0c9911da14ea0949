/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Other programs that change a clock which this node steers.  Each such change comes from the
 * clock's table (`disturbed`); here they are counted, a single one (somebody sets the date) is told
 * apart from a program that goes on doing it, and the configured policy says whose clock it is.
 * Who they are only the platform can know; nothing here depends on it, so a replay decides alike.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_RIVALS_H
#define MEANTIME_RUNTIME_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/steer.h"

/** Two changes within this time are the work of a program that steers; without one for so long it
 * has ceased.  The longest that NTP daemons usually wait between two corrections is 1024 s. */
#define MT_RIVALS_WINDOW_NS INT64_C(1200000000000)

enum mt_rivals_policy {
    MT_RIVALS_WARN,   /**< both steer */
    MT_RIVALS_YIELD,  /**< the other one does */
    MT_RIVALS_INSIST, /**< what the other one does is taken back */
};

struct mt_rivals {
    enum mt_rivals_policy policy;
    bool has_looked; /**< what was left behind by the start has been seen */
    bool is_shared;  /**< somebody keeps changing the clock */
    uint32_t changes;
    struct mt_mono last;     /**< of the last change, if there was one */
    struct mt_mono quiet_to; /**< until then changes are nobody's: the machine was suspended */
};

struct mt_node;
struct mt_node_clock;

/** Somebody has changed the clock, which has been looked at for the first time if that is so:
 * counts and tells.  `rate`: by how much the frequency changed, s/s.  False: it is not a change but
 * what was left behind before we began, or nobody's. */
bool mt_rivals_note(struct mt_node *node, uint16_t clock, const struct mt_applied *applied,
                    mt_real rate, struct mt_mono now);
/** The machine was suspended: what the clock seems to have been changed by is nobody's doing. */
void mt_rivals_resumed(struct mt_rivals *self, struct mt_mono now);
/** Time passes. */
void mt_rivals_tick(struct mt_node *node, uint16_t clock, struct mt_mono now);
/** The clock is somebody else's now. */
bool mt_rivals_yields(const struct mt_node_clock *clock);
/** What undoes the change; false: nothing is to be undone. */
bool mt_rivals_undo(const struct mt_node_clock *clock, const struct mt_applied *applied,
                    mt_real rate, struct mt_correction *ret_correction);

#endif
