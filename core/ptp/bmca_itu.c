/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The comparison of the alternate best master clock algorithm [G.8275.1 and G.8275.2, 6.3.7].
 *
 * priority1 does not count; localPriority, which never leaves the clock, does: of the port on which
 * a transmitter is heard, or of the clock itself.  Among primary reference clocks (class 127 and
 * better) that are equal in all of this the nearer one wins, so that a network with several of them
 * falls into regions; all others are told apart by identity as usual.
 */
#include "ptp/ptp_private.h"

#define LAST_PRIMARY_CLASS 127

static int compare_grandmasters(const struct mt_ptp_dataset *a, const struct mt_ptp_dataset *b)
{
    int difference = mt_quality_compare(a, b);
    if (difference == 0) {
        difference = (int)a->local_priority - (int)b->local_priority;
    }
    if (difference == 0 && a->quality.clock_class > LAST_PRIMARY_CLASS) {
        difference = mt_clock_identity_compare(&a->grandmaster, &b->grandmaster);
    }
    return difference;
}

enum mt_comparison mt_dataset_compare_itu(const struct mt_ptp_dataset *a,
                                          const struct mt_ptp_dataset *b)
{
    int difference = compare_grandmasters(a, b);
    if (difference != 0) {
        return difference < 0 ? MT_A_BETTER : MT_B_BETTER;
    }
    /* what the default comparison does with two ways to one grandmaster is the rest of it */
    struct mt_ptp_dataset other = *b;
    other.grandmaster = a->grandmaster;
    return mt_dataset_compare(a, &other);
}
