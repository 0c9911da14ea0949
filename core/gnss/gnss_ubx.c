/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames of u-blox's own protocol (UBX-13003221, the description of the M8 receivers).  NAV-PVT
 * tells fix and time, and between the lines how many leap seconds the receiver reckons with: its
 * time of week is that of GPS, its time of day that of UTC.  NAV-TIMELS tells leap seconds and who
 * said so, TIM-TP the pulse that comes next and by how much it will be early: it is made from a
 * clock of the receiver that has no edge at the right moment.
 *
 * A receiver that has not heard of leap seconds yet takes the number in its firmware.  Its UTC may
 * then be wrong, but GPS time, as UTC plus that same number, is not.
 */
#include "gnss/gnss_private.h"

#define CLASS_NAV   0x01
#define CLASS_TIM   0x0D
#define ID_PVT      0x07
#define ID_TIMELS   0x26
#define ID_TP       0x01
#define SIZE_PVT    84 /* of the first version; later ones are longer */
#define SIZE_TIMELS 24
#define SIZE_TP     16
#define HEADER      4 /* class, id, length */
#define DAY_S       86400
#define NEAR_NS     1000000 /* to a whole second */

static uint32_t get(const uint8_t *octets, size_t at, size_t count)
{
    uint32_t value = 0;
    for (size_t i = count; i > 0; i--) {
        value = value << 8 | octets[at + i - 1];
    }
    return value;
}

static int32_t get_signed(const uint8_t *octets, size_t at)
{
    return (int32_t)get(octets, at, 4);
}

/* ---- NAV-PVT --------------------------------------------------------------------------------- */

static enum mt_gnss_fix fix_of(uint8_t type, bool is_good)
{
    switch (is_good ? type : 0) {
    case 2:
        return MT_GNSS_FIX_2D;
    case 3:
    case 4: /* with dead reckoning */
        return MT_GNSS_FIX_3D;
    case 5:
        return MT_GNSS_FIX_TIME;
    default:
        return MT_GNSS_FIX_NONE;
    }
}

/* GPS - UTC, as the two times of one moment differ within a day. */
static int32_t gps_utc_of(uint32_t tow_ms, int64_t utc_s)
{
    int64_t tow_s = ((int64_t)tow_ms + 500) / 1000;
    int32_t difference = (int32_t)((tow_s - utc_s) % DAY_S);
    return difference < -DAY_S / 2  ? difference + DAY_S
           : difference > DAY_S / 2 ? difference - DAY_S
                                    : difference;
}

static enum mt_gnss_verdict parse_pvt(const uint8_t *at, size_t length,
                                      struct mt_gnss_report *report)
{
    if (length < SIZE_PVT) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    struct mt_gnss_date date = {(int32_t)get(at, 4, 2), at[6], at[7], at[8], at[9], at[10]};
    bool is_certain = (at[11] & 7) == 7; /* date, time, fully resolved */
    int32_t ns = get_signed(at, 16);
    report->has_fix = true;
    report->fix = fix_of(at[20], (at[21] & 1) != 0);
    report->has_satellites = true;
    report->satellites = at[23];
    if (report->fix == MT_GNSS_FIX_NONE) {
        return MT_GNSS_VERDICT_NO_FIX;
    }
    if (!is_certain) {
        return MT_GNSS_VERDICT_NO_TIME;
    }
    if (!mt_gnss_seconds_of(&date, &report->utc_s)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_accuracy = true;
    report->accuracy_ns = get(at, 12, 4);
    report->has_time = ns > -NEAR_NS && ns < NEAR_NS;
    report->is_leap_second = date.second == 60;
    report->has_gps_utc = report->has_time && !report->is_leap_second;
    report->gps_utc_s = gps_utc_of(get(at, 0, 4), report->utc_s);
    return MT_GNSS_VERDICT_USED;
}

/* ---- NAV-TIMELS ------------------------------------------------------------------------------ */

#define LS_DEFAULT    0
#define LS_CONFIGURED 7
#define LS_UNKNOWN    255

static enum mt_gnss_verdict parse_timels(const uint8_t *at, size_t length,
                                         struct mt_gnss_report *report)
{
    if (length != SIZE_TIMELS) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    uint8_t source = at[8];
    if ((at[23] & 1) == 0) {
        return MT_GNSS_VERDICT_NO_TIME;
    }
    report->has_leap = true;
    report->leap.is_known = source != LS_DEFAULT && source != LS_CONFIGURED && source != LS_UNKNOWN;
    report->leap.gps_utc_s = (int8_t)at[9];
    if ((at[23] & 2) != 0 && at[10] != 0 && get_signed(at, 12) > 0) {
        int8_t change = (int8_t)at[11];
        report->leap.change_s = change > 0 ? 1 : change < 0 ? -1 : 0;
        report->leap.change_in_s = get_signed(at, 12);
    }
    return MT_GNSS_VERDICT_USED;
}

/* ---- TIM-TP ---------------------------------------------------------------------------------- */

#define BASE_IS_UTC   0x01
#define UTC_IS_KNOWN  0x02
#define ERROR_INVALID 0x10
#define GNSS_GPS      0
#define GNSS_GLONASS  1
#define GNSS_BEIDOU   2
#define GNSS_GALILEO  3
#define BEIDOU_WEEK   1356 /* of GPS, its first one */
#define TAI_BEIDOU_S  33

/* False: in a scale of which too little is known. */
static bool second_of(const uint8_t *at, struct mt_instant *ret_second)
{
    int64_t week = get(at, 12, 2);
    int64_t s = mt_gnss_week_start(week) + get(at, 0, 4) / 1000;
    uint8_t gnss = at[15] & 0xF;
    if ((at[14] & BASE_IS_UTC) != 0 || gnss == GNSS_GLONASS) {
        *ret_second = (struct mt_instant){.s = s, .scale = MT_SCALE_UTC};
        return (at[14] & UTC_IS_KNOWN) != 0;
    }
    if (gnss == GNSS_BEIDOU) {
        int64_t since = BEIDOU_WEEK * (int64_t)MT_GNSS_WEEK_S;
        *ret_second = (struct mt_instant){.s = s + since + TAI_BEIDOU_S, .scale = MT_SCALE_TAI};
        return true;
    }
    *ret_second = (struct mt_instant){.s = s + MT_GNSS_TAI_GPS_S, .scale = MT_SCALE_TAI};
    return gnss == GNSS_GPS || gnss == GNSS_GALILEO;
}

static enum mt_gnss_verdict parse_tp(const uint8_t *at, size_t length,
                                     struct mt_gnss_report *report)
{
    if (length != SIZE_TP) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_pulse = true;
    report->has_second =
        get(at, 0, 4) % 1000 == 0 && get(at, 4, 4) == 0 && second_of(at, &report->second);
    report->has_quantisation = (at[14] & ERROR_INVALID) == 0;
    report->quantisation_ps = get_signed(at, 8);
    return MT_GNSS_VERDICT_USED;
}

/* ---- all of them ----------------------------------------------------------------------------- */

enum mt_gnss_verdict mt_gnss_ubx_parse(const uint8_t *octets, size_t length,
                                       struct mt_gnss_report *ret_report)
{
    if (length < HEADER || length - HEADER != get(octets, 2, 2)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    const uint8_t *payload = octets + HEADER;
    if (octets[0] == CLASS_NAV && octets[1] == ID_PVT) {
        return parse_pvt(payload, length - HEADER, ret_report);
    }
    if (octets[0] == CLASS_NAV && octets[1] == ID_TIMELS) {
        return parse_timels(payload, length - HEADER, ret_report);
    }
    if (octets[0] == CLASS_TIM && octets[1] == ID_TP) {
        return parse_tp(payload, length - HEADER, ret_report);
    }
    return MT_GNSS_VERDICT_OTHER_KIND;
}
