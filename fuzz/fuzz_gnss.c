/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Any octets as a receiver's: the first chooses the protocol, each next piece begins with its
 * length.  Whatever comes, reports are within what they promise, and after the longest frame that
 * there may be a right sentence is understood again.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/gnss_timing.h"

#define NOON INT64_C(1795348800)

static struct mt_gnss_receiver receiver;
static struct mt_gnss_label label;
static uint64_t reports;
static int64_t last_utc_s;

static void check(const struct mt_gnss_report *report)
{
    bool is_lost;
    struct mt_gnss_second second;
    struct mt_stamp pulse = report->arrival;
    reports++;
    if (report->has_time) {
        last_utc_s = report->utc_s;
        fuzz_require(report->utc_s >= MT_GNSS_NOT_BEFORE_S);
        const struct mt_instant told = {.s = report->utc_s, .scale = MT_SCALE_UTC};
        (void)mt_gnss_label_sentence(&label, &told, &report->arrival, false, &second);
    }
    if (report->has_pulse) {
        mt_gnss_label_announce(&label, report);
        pulse.at.ns += 100000000;
        (void)mt_gnss_label_pulse(&label, &pulse, &is_lost, &second);
    }
    if (report->has_reading) {
        fuzz_require(report->real.ns < MT_NS_PER_S && report->machine_ns >= 0);
    }
    fuzz_require(report->fix <= MT_GNSS_FIX_3D);
    fuzz_require(!report->has_leap || (report->leap.change_s >= -1 && report->leap.change_s <= 1));
}

static void put(const void *octets, size_t length, int64_t s)
{
    const struct mt_stamp arrival = {.at = {.s = s, .scale = MT_SCALE_TAI}};
    struct mt_gnss_report report;
    mt_gnss_receiver_rx(&receiver, octets, length, &arrival);
    while (mt_gnss_receiver_next(&receiver, &report)) {
        check(&report);
    }
}

/* At the latest when all that may wait for its end has been filled up. */
static void check_recovery(enum mt_gnss_protocol protocol)
{
    static const char *const good[] = {
        [MT_GNSS_NMEA] = "\r\n$GPZDA,120000.00,22,11,2026,00,00*63\r\n",
        [MT_GNSS_GPSD] = "\n{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-11-22T12:00:00.000Z\"}\n",
    };
    const char *text = good[protocol == MT_GNSS_GPSD ? MT_GNSS_GPSD : MT_GNSS_NMEA];
    last_utc_s = 0;
    for (size_t sent = 0; sent < 2 * MT_GNSS_FRAME_MAX; sent += strlen(text)) {
        put(text, strlen(text), 99);
    }
    fuzz_require(protocol == MT_GNSS_UBX || last_utc_s == NOON);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum mt_gnss_protocol protocol = (enum mt_gnss_protocol)(fuzz_u8(&input) % 4);
    mt_gnss_receiver_init(&receiver, protocol, MT_GNSS_NOT_BEFORE_S);
    mt_gnss_label_init(&label, &(struct mt_gnss_label_config){0});
    for (int64_t s = 0; input.left > 0; s++) {
        size_t length = (size_t)fuzz_u8(&input) * 2;
        length = length < input.left ? length : input.left;
        put(input.at, length, s);
        input.at += length;
        input.left -= length;
    }
    check_recovery(protocol);
    return 0;
}
