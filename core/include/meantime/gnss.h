/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A GNSS receiver, as its octets tell of it: NMEA 0183, u-blox UBX, and the JSON of gpsd.
 * The caller hands over what came in from a serial line or a connection, in pieces of any size,
 * with the local clock's reading when it came, and drains reports: each is what one sentence,
 * frame or object says, as far as it can be believed; what cannot is counted under a verdict.
 * The receiver remembers fix, satellites, accuracy and leap second, and repairs dates that are
 * 1024 weeks or a multiple of that too early (the week number of GPS has ten bits).
 * Whatever octets come: no call fails, nothing is read outside of them, memory is bounded.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_GNSS_H
#define MEANTIME_GNSS_H

#include <stddef.h>

#include "meantime/sample.h"

#define MT_GNSS_PIECE_MAX 512  /**< octets that may be handed over at once */
#define MT_GNSS_FRAME_MAX 1024 /**< longer sentences and frames are none of those of use */
#define MT_GNSS_ARRIVALS  16   /**< pieces of which the arrival is remembered */

#define MT_GNSS_WEEK_S     604800
#define MT_GNSS_ROLLOVER_S (INT64_C(1024) * MT_GNSS_WEEK_S)
/** No receiver can say an earlier time: 2025-12-31 UTC, before this was written. */
#define MT_GNSS_NOT_BEFORE_S INT64_C(1767139200)
#define MT_GNSS_TAI_GPS_S    19

enum mt_gnss_verdict {
#define MT_GNSS_VERDICT(name, word, words) MT_GNSS_VERDICT_##name,
#include "meantime/gnss_verdict.def"
#undef MT_GNSS_VERDICT
    MT_GNSS_VERDICT_COUNT
};

/** What is listened for. */
enum mt_gnss_protocol {
    MT_GNSS_ANY, /**< NMEA and UBX */
    MT_GNSS_NMEA,
    MT_GNSS_UBX,
    MT_GNSS_GPSD,
};

enum mt_gnss_fix {
    MT_GNSS_FIX_UNKNOWN, /**< nothing has been said of it, or not which one it is */
    MT_GNSS_FIX_NONE,
    MT_GNSS_FIX_TIME, /**< the place is given, the time is found */
    MT_GNSS_FIX_2D,
    MT_GNSS_FIX_3D,
};

/** A leap second, as the satellites tell it. */
struct mt_gnss_leap {
    bool is_known;       /**< heard from satellites: not the receiver's own guess */
    int32_t gps_utc_s;   /**< GPS - UTC now */
    int32_t change_s;    /**< that is ahead: -1, 0 or +1 */
    int32_t change_in_s; /**< so long from now */
};

/** One sentence, frame or object.  What it does not speak of is left out. */
struct mt_gnss_report {
    enum mt_gnss_protocol protocol;
    struct mt_stamp arrival; /**< of its first octet */

    bool has_fix;
    enum mt_gnss_fix fix; /**< UNKNOWN: there is one, but not which */
    bool has_satellites;
    uint8_t satellites; /**< used */
    bool has_visible;
    uint8_t visible;
    bool has_accuracy;
    uint32_t accuracy_ns; /**< of the time, by the receiver's own word; about one sigma */

    bool has_time; /**< a UTC second of which the sentence tells, and the receiver is sure */
    int64_t utc_s;
    bool has_gps_utc; /**< what it took GPS - UTC to be for that */
    int32_t gps_utc_s;
    bool is_leap_second; /**< the 61st second of a minute: its number stands for two */

    bool has_leap;
    struct mt_gnss_leap leap;

    bool has_pulse;           /**< it announces the next pulse */
    bool has_second;          /**< ... and which second it begins */
    struct mt_instant second; /**< in TAI, or in UTC */
    bool has_quantisation;
    int32_t quantisation_ps; /**< the second begins so much after the pulse */

    bool has_reading;       /**< gpsd's: `real` when the machine's clock read `machine_ns` */
    bool is_of_pulse;       /**< of a pulse, else of the arrival of sentences */
    struct mt_instant real; /**< UTC */
    int64_t machine_ns;
};

/** Octets that wait for the rest of their sentence.  Private. */
struct mt_gnss_stream {
    enum mt_gnss_protocol protocol;
    uint16_t length;
    uint16_t handed; /**< of them lie in the last frame that was handed on */
    bool in_garbage;
    uint32_t at; /**< of the first octet, counted from the beginning */
    uint8_t arrival_count;
    struct {
        uint32_t at;
        struct mt_stamp stamp;
    } arrivals[MT_GNSS_ARRIVALS]; /**< the newest last */
    uint8_t octets[MT_GNSS_FRAME_MAX + MT_GNSS_PIECE_MAX];
};

#define MT_GNSS_KEY_SIZE   16
#define MT_GNSS_VALUE_SIZE 40

/** One object of JSON that is being read.  Private. */
struct mt_gnss_scanner {
    uint8_t state;
    uint8_t depth;
    bool in_string; /**< of what is passed over */
    bool is_escaped;
    uint8_t key_length;
    uint8_t value_length;
    char key[MT_GNSS_KEY_SIZE];
    char value[MT_GNSS_VALUE_SIZE];
    uint32_t has; /**< bits: what has been said */
    uint8_t class;
    uint8_t mode;
    uint8_t used;
    uint8_t visible;
    bool is_sky;
    int64_t time_s;
    int64_t ept_ns;
    int64_t leap_s;
    int64_t numbers[4]; /**< real s, ns, clock s, ns */
    int64_t quantisation_ps;
};

struct mt_gnss_receiver {
    struct mt_gnss_stream stream;
    struct mt_gnss_scanner scanner;
    int64_t not_before_s; /**< UTC */
    enum mt_gnss_fix fix;
    uint8_t satellites;
    uint8_t visible;
    bool has_satellites;
    bool has_visible;
    bool has_accuracy;
    uint32_t accuracy_ns;
    bool has_gps_utc; /**< that it reckons with */
    int32_t gps_utc_s;
    bool has_leap;
    struct mt_gnss_leap leap;
    struct mt_instant leap_heard_at; /**< by the local clock */
    bool has_time;
    int64_t utc_s;         /**< of the last sentence with a time */
    uint8_t rollovers;     /**< of 1024 weeks that were added to its last date */
    uint64_t protocols[4]; /**< reports, by protocol */
    uint64_t counts[MT_GNSS_VERDICT_COUNT];
};

/** `not_before_s`: UTC; earlier dates are those of a week counter that began again. */
void mt_gnss_receiver_init(struct mt_gnss_receiver *self, enum mt_gnss_protocol protocol,
                           int64_t not_before_s);
/** The line was opened anew: what was half heard is forgotten, and what it said of itself. */
void mt_gnss_receiver_reset(struct mt_gnss_receiver *self);
/** Takes octets, at most MT_GNSS_PIECE_MAX; mt_gnss_receiver_next() has returned false since. */
void mt_gnss_receiver_rx(struct mt_gnss_receiver *self, const uint8_t *octets, size_t length,
                         const struct mt_stamp *arrival);
/** The next report; false: more octets are needed. */
bool mt_gnss_receiver_next(struct mt_gnss_receiver *self, struct mt_gnss_report *ret_report);
/** Whether it has a fix, or has said nothing to the contrary. */
bool mt_gnss_receiver_is_fixed(const struct mt_gnss_receiver *self);

const char *mt_gnss_verdict_name(enum mt_gnss_verdict verdict);
const char *mt_gnss_verdict_words(enum mt_gnss_verdict verdict);
const char *mt_gnss_fix_name(enum mt_gnss_fix fix);

#endif
