/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The best transmitter clock algorithm as pure functions of data sets: which of two is better
 * [1588-2019 figures 34 and 35], and what a port should be [figure 33].  Nothing here knows
 * ports, time or storage; decision.c gathers the snapshot and applies the results.
 */
#include "ptp/ptp_private.h"

static enum mt_comparison by_value(int difference)
{
    if (difference == 0) {
        return MT_SAME;
    }
    return difference < 0 ? MT_A_BETTER : MT_B_BETTER;
}

static enum mt_comparison compare_grandmasters(const struct mt_ptp_dataset *a,
                                               const struct mt_ptp_dataset *b)
{
    int difference = (int)a->priority1 - (int)b->priority1;
    if (difference == 0) {
        difference = mt_quality_compare(a, b);
    }
    if (difference == 0) {
        difference = mt_clock_identity_compare(&a->grandmaster, &b->grandmaster);
    }
    return by_value(difference);
}

/* The one that is a step farther away: it is better only by topology if the Announce has come
 * back to the port's own clock from a neighbour with a higher identity. */
static enum mt_comparison one_step_farther(const struct mt_ptp_dataset *farther,
                                           enum mt_comparison nearer_better,
                                           enum mt_comparison nearer_better_by_topology)
{
    int order = mt_port_identity_compare(&farther->receiver, &farther->sender);
    if (order == 0) {
        return MT_SAME;
    }
    return order < 0 ? nearer_better : nearer_better_by_topology;
}

static enum mt_comparison compare_topology(const struct mt_ptp_dataset *a,
                                           const struct mt_ptp_dataset *b)
{
    int steps = (int)a->steps_removed - (int)b->steps_removed;
    if (steps > 1 || steps < -1) {
        return by_value(steps);
    }
    if (steps == 1) {
        return one_step_farther(a, MT_B_BETTER, MT_B_BETTER_BY_TOPOLOGY);
    }
    if (steps == -1) {
        return one_step_farther(b, MT_A_BETTER, MT_A_BETTER_BY_TOPOLOGY);
    }
    int order = mt_port_identity_compare(&a->sender, &b->sender);
    if (order == 0) {
        order = (int)a->receiver.port - (int)b->receiver.port;
    }
    if (order == 0) {
        return MT_SAME;
    }
    return order < 0 ? MT_A_BETTER_BY_TOPOLOGY : MT_B_BETTER_BY_TOPOLOGY;
}

enum mt_comparison mt_dataset_compare(const struct mt_ptp_dataset *a,
                                      const struct mt_ptp_dataset *b)
{
    if (mt_clock_identity_equal(&a->grandmaster, &b->grandmaster)) {
        return compare_topology(a, b);
    }
    return compare_grandmasters(a, b);
}

bool mt_dataset_is_better(mt_dataset_comparison compare, const struct mt_ptp_dataset *a,
                          const struct mt_ptp_dataset *b)
{
    enum mt_comparison result = compare(a, b);
    return result == MT_A_BETTER || result == MT_A_BETTER_BY_TOPOLOGY;
}

/* A clock that may not serve (null) is never better, or nobody would serve its path. */
static bool is_own_better(mt_dataset_comparison compare, const struct mt_ptp_dataset *own,
                          const struct mt_ptp_dataset *other)
{
    return other == NULL || (own != NULL && mt_dataset_is_better(compare, own, other));
}

/* A clock of class 1 to 127 never follows: it serves, or yields to a better one on the path. */
static enum mt_decision decide_for_primary(mt_dataset_comparison compare,
                                           const struct mt_ptp_dataset *own,
                                           const struct mt_ptp_dataset *erbest)
{
    return is_own_better(compare, own, erbest) ? MT_M1 : MT_P1;
}

enum mt_decision mt_bmca_decide(mt_dataset_comparison compare, const struct mt_ptp_dataset *own,
                                const struct mt_ptp_dataset *ebest,
                                const struct mt_ptp_dataset *erbest, bool is_waiting)
{
    if (erbest == NULL && is_waiting) {
        return MT_STAY;
    }
    if (own != NULL && own->quality.clock_class <= 127) {
        return decide_for_primary(compare, own, erbest);
    }
    if (is_own_better(compare, own, ebest)) {
        return MT_M2;
    }
    if (erbest == NULL) {
        return MT_M3;
    }
    if (erbest == ebest) {
        return MT_S1;
    }
    return compare(ebest, erbest) == MT_A_BETTER_BY_TOPOLOGY ? MT_P2 : MT_M3;
}
