/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How long a card takes between the wire and where it stamps depends on the speed of the link: a
 * port has a table of both latencies, and what holds for the present speed is put in force when
 * the link says that speed.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_LATENCIES_H
#define MEANTIME_RUNTIME_LATENCIES_H

#include "meantime/ptp.h"

#define MT_LATENCIES_MOST 8

struct mt_latency {
    uint32_t speed_mbit; /**< 0: this row and those behind it are not used */
    struct mt_interval ingress;
    struct mt_interval egress;
};

/** Of a port; zeros: it has no table, and nothing is changed. */
struct mt_latencies {
    struct mt_latency rows[MT_LATENCIES_MOST];
    struct mt_latency otherwise;
};

/** Puts in force what holds at this speed; 0: it is not known. */
void mt_latencies_apply(const struct mt_latencies *self, uint32_t speed_mbit,
                        struct mt_port_config *config);

#endif
