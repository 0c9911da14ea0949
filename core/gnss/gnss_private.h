/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of core/gnss share.  Parsers are pure: octets of one whole sentence, frame or
 * object to a report and a verdict.
 */
#ifndef MEANTIME_GNSS_PRIVATE_H
#define MEANTIME_GNSS_PRIVATE_H

#include "meantime/gnss.h"

/* ---- gnss_calendar.c ------------------------------------------------------------------------ */

struct mt_gnss_date {
    int32_t year;
    uint8_t month; /**< 1 to 12 */
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second; /**< 60: a leap second */
};

/** False if there is no such date or time of day. */
bool mt_gnss_seconds_of(const struct mt_gnss_date *date, int64_t *ret_utc_s);
/** UTC seconds of a week and a second of it as GPS counts them, in its own scale. */
int64_t mt_gnss_week_start(int64_t week);
/** How many times 1024 weeks have to be added for a time not to be before another one. */
uint8_t mt_gnss_rollovers(int64_t s, int64_t not_before_s);

/* ---- text ----------------------------------------------------------------------------------- */

/** A piece of text that ends nowhere. */
struct mt_gnss_text {
    const uint8_t *octets;
    size_t length;
};

/** All digits, 1 to 9 of them; false if not. */
bool mt_gnss_number(struct mt_gnss_text text, uint32_t *ret_number);
/** "-12.345678" in units of 10^-`places`; digits behind are dropped.  False if it is no number or
 * a huge one. */
bool mt_gnss_decimal(struct mt_gnss_text text, unsigned places, int64_t *ret_value);
bool mt_gnss_text_is(struct mt_gnss_text text, const char *wanted);

/* ---- gnss_stream.c -------------------------------------------------------------------------- */

/** A sentence of NMEA without '$', checksum and line end, or a frame of UBX from its class on
 * without checksum.  Valid until octets are added. */
struct mt_gnss_frame {
    enum mt_gnss_protocol protocol;
    const uint8_t *octets;
    size_t length;
    struct mt_stamp arrival;
};

void mt_gnss_stream_init(struct mt_gnss_stream *self, enum mt_gnss_protocol protocol);
void mt_gnss_stream_put(struct mt_gnss_stream *self, const uint8_t *octets, size_t length,
                        const struct mt_stamp *arrival);
/** True: `ret_frame` is there, or its loss by `ret_verdict` (not USED).  False: it takes more. */
bool mt_gnss_stream_next(struct mt_gnss_stream *self, struct mt_gnss_frame *ret_frame,
                         enum mt_gnss_verdict *ret_verdict);
/** Takes away the first octets. */
void mt_gnss_stream_drop(struct mt_gnss_stream *self, size_t length);
/** When the first octet arrived. */
struct mt_stamp mt_gnss_stream_arrival(const struct mt_gnss_stream *self);

/* ---- parsers: what they write counts if they return USED ------------------------------------- */

enum mt_gnss_verdict mt_gnss_nmea_parse(const uint8_t *octets, size_t length,
                                        struct mt_gnss_report *ret_report);
enum mt_gnss_verdict mt_gnss_ubx_parse(const uint8_t *octets, size_t length,
                                       struct mt_gnss_report *ret_report);
/** Takes one octet; true at the end of an object, or of what turned out to be none. */
bool mt_gnss_scanner_put(struct mt_gnss_scanner *self, uint8_t octet,
                         struct mt_gnss_report *ret_report, enum mt_gnss_verdict *ret_verdict);

#endif
