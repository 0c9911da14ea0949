/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The selection of G.8265.1: a receiver of frequency takes the transmitter of the best quality
 * level, which clockClass carries [table 1], and among equals the one that it was told to prefer.
 * Where in the network a transmitter stands does not matter, since each is asked for itself.  That
 * one which fails (PTSF) is left alone for the time to wait to restore is the roles extension's.
 */
#include "ptp/ptp_private.h"

enum mt_comparison mt_dataset_compare_quality(const struct mt_ptp_dataset *a,
                                              const struct mt_ptp_dataset *b)
{
    int difference = (int)a->quality.clock_class - (int)b->quality.clock_class;
    if (difference == 0) {
        difference = (int)a->local_priority - (int)b->local_priority;
    }
    if (difference == 0) {
        difference = mt_port_identity_compare(&a->sender, &b->sender);
    }
    if (difference == 0) {
        difference = (int)a->receiver.port - (int)b->receiver.port;
    }
    if (difference == 0) {
        return MT_SAME;
    }
    return difference < 0 ? MT_A_BETTER : MT_B_BETTER;
}
