/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server of a node: whose clock it serves, by which rules, and what of it now.  Requests
 * are answered by worker threads, which the application feeds with what stands here.
 * Thread rule: the node's, but what does not change is read by workers.
 */
#ifndef MEANTIME_RUNTIME_NTP_SERVE_H
#define MEANTIME_RUNTIME_NTP_SERVE_H

#include "runtime/ntp_served.h"

struct mt_node;
struct mt_node_ntp_in_ptp;

struct mt_node_server {
    uint16_t clock;
    struct mt_ntp_serving_config config;
    struct mt_ntp_server rules;
    struct mt_ntp_serving serving;             /**< as of the clock's last page */
    uint64_t by_workers[MT_NTP_OUTCOME_COUNT]; /**< what became of requests to them */
    struct mt_node_ntp_in_ptp *in_ptp;         /**< null: it does not answer in PTP messages */
};

/** The page of a clock has been renewed: so is what is served, if it is that clock's. */
void mt_ntp_serve_renew(struct mt_node *node, uint16_t clock);

#endif
