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
    struct mt_ntp_serving serving;   /**< as of the clock's last page */
    struct mt_ntp_upstream upstream; /**< followed last, if has_upstream */
    bool has_upstream;
    uint64_t by_workers[MT_NTP_OUTCOME_COUNT]; /**< what became of requests to them */
    struct mt_node_ntp_in_ptp *in_ptp;         /**< null: it does not answer in PTP messages */
    bool waits;                                /**< orphan mode: for somebody who has the time */
    bool has_followed_orphan;                  /**< it does, or did so last */
};

/** NTP server `index` may ask us at that address of this machine, too; network NONE: those that
 * were known of it are not ours any more.  What there is no room for is left out. */
void mt_ntp_serve_add_own(struct mt_node *node, uint16_t index, const struct mt_address *address);
/** True if that is known. */
bool mt_ntp_serve_has_own(const struct mt_node *node, uint16_t index,
                          const struct mt_address *address);
/** True if NTP server `index` follows the server of this clock: its reference id is one of the
 * addresses at which it may ask us. */
bool mt_ntp_serve_is_ours(const struct mt_node *node, uint16_t clock, uint16_t index);

/** The page of a clock has been renewed: so is what is served, if it is that clock's. */
void mt_ntp_serve_renew(struct mt_node *node, uint16_t clock);

#endif
