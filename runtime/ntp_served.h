/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an NTP server serves, from the page of its clock: how good it is (struct mt_ntp_served), and
 * how its time follows from the page's, leap seconds and their smearing included.  Made by the loop
 * with each page, read by it and by worker threads.
 * Thread rule: pure functions; any thread, a copy each.
 */
#ifndef MEANTIME_RUNTIME_NTP_SERVED_H
#define MEANTIME_RUNTIME_NTP_SERVED_H

#include "meantime/clock_page.h"
#include "meantime/crypto.h"
#include "meantime/ntp_server.h"

#define MT_NTP_SMEAR_MAX_S 86400

/** Served time is the page's less `offset_s`, and what a leap second makes of it. */
struct mt_ntp_scale {
    int64_t offset_s;
    int32_t leap_s;      /**< of the leap second at `midnight_s`: -1, 0 (there is none) or +1 */
    int64_t midnight_s;  /**< of the page: the end of the day by `offset_s` */
    int32_t smear_s;     /**< it is spread over so many seconds around midnight; 0: it is not ... */
    int64_t begin_s;     /**< ... from this one of the page on */
    bool announces_leap; /**< the page has no TAI to tell: somebody else makes the leap second */
    bool is_known;       /**< else UTC cannot be told from TAI, and there is nothing to serve */
};

/** What the clock follows, or followed until a while ago. */
struct mt_ntp_upstream {
    struct mt_address address; /**< of an NTP server; network NONE: a reference clock, or PTP */
    uint8_t reference_id[4];   /**< of those */
    uint8_t stratum;
    struct mt_interval root_delay; /**< from here */
};

struct mt_ntp_serving_config {
    uint8_t stratum;       /**< of what follows something; 0: as it is */
    uint8_t local_stratum; /**< of a clock that follows nothing; 0: it is not served */
    bool is_orphan; /**< servers that follow nothing agree on one of them: runtime/orphan.h */
    bool has_reference_id;
    uint8_t reference_id[4]; /**< of stratum 1 and of a clock that follows nothing */
    int32_t smear_s;
    struct mt_interval max_error; /**< what may be wrong by more is not synchronised */
    const struct mt_crypto *crypto;
};

struct mt_ntp_serving {
    struct mt_ntp_served served;
    struct mt_ntp_scale scale;
    uint8_t reference_id[4]; /**< while nothing is smeared */
};

/** What a server that follows this address has for a reference id [RFC 5905 7.3]; of IPv6 all zeros
 * if there is no MD5. */
void mt_ntp_name_upstream(const struct mt_crypto *crypto, const struct mt_address *address,
                          uint8_t ret_id[4]);
/** What to serve from now on; `self` is what was served before, at first zero.  `upstream`: null if
 * the clock follows nothing. */
void mt_ntp_serving_make(struct mt_ntp_serving *self, const struct mt_ntp_serving_config *config,
                         const struct mt_clock_page *page, const struct mt_ntp_upstream *upstream);
/** When the page says `at`: a leap second that is over by then is not announced any more, and while
 * one is smeared the reference id says by how much. */
void mt_ntp_serving_pass(struct mt_ntp_serving *self, const struct mt_instant *at);
/** The time that is served when the page says `at`. */
struct mt_instant mt_ntp_scale_time(const struct mt_ntp_scale *self, const struct mt_instant *at);

#endif
