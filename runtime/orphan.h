/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Orphan mode of the NTP server: servers that ask one another, and have lost all that has the time,
 * agree on one of them.  Whoever has the smallest reference id serves its own time, at the stratum
 * `local_stratum`, and the others follow it.
 * Thread rule: the node's.
 */
#ifndef MEANTIME_RUNTIME_ORPHAN_H
#define MEANTIME_RUNTIME_ORPHAN_H

#include "meantime/time.h"

struct mt_node;

/** A clock that has never been synchronised waits so long for somebody who has the time before its
 * own is served. */
#define MT_ORPHAN_WAIT_NS INT64_C(300000000000)

/** Marks those sources of the clock, as they have just been observed, that it must not follow
 * because their time is nobody's.  Without orphan mode nothing happens. */
void mt_orphan_mark(struct mt_node *node, uint16_t clock, struct mt_mono now);

enum mt_orphan_serving {
    MT_ORPHAN_AS_EVER,
    MT_ORPHAN_OWN_TIME, /**< whatever it has followed */
    MT_ORPHAN_WAITS,    /**< not its own time yet */
};
/** What is served of that clock, which is the server's, now; to be asked at each of its pages. */
enum mt_orphan_serving mt_orphan_serves(struct mt_node *node, uint16_t clock);

#endif
