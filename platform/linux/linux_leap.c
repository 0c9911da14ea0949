/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI-UTC.  The list has one line for each change, "SECONDS TAI-UTC # day", in seconds since 1900,
 * and one line "#@ SECONDS" that says how long it is good for.  A list that has expired is used
 * all the same, for a value that was right once is a better guess than none; the caller warns.
 * Lines that are not understood are passed over.
 */
#include "platform/linux/linux_leap.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

#define FROM_1900_TO_1970_S INT64_C(2208988800)
#define S_PER_DAY           86400
#define LINE_SIZE           256

static void take_line(const char *line, int64_t now_utc_s, struct mt_linux_leap *leap)
{
    int64_t from_1900_s;
    int32_t value_s;
    int64_t at_s;

    if (sscanf(line, "#@ %" SCNd64, &from_1900_s) == 1) {
        leap->list_expires_s = from_1900_s - FROM_1900_TO_1970_S;
        return;
    }
    if (sscanf(line, "%" SCNd64 " %" SCNd32, &from_1900_s, &value_s) != 2) {
        return;
    }
    at_s = from_1900_s - FROM_1900_TO_1970_S;
    if (at_s <= now_utc_s) {
        leap->origin = MT_LEAP_LIST;
        leap->tai_minus_utc_s = value_s;
    } else if (leap->origin == MT_LEAP_LIST && leap->next_change == 0 &&
               at_s / S_PER_DAY == now_utc_s / S_PER_DAY + 1) {
        leap->next_change = value_s > leap->tai_minus_utc_s ? 1 : -1;
    }
}

bool mt_leap_from_list(const char *path, int64_t now_utc_s, struct mt_linux_leap *ret_leap)
{
    struct mt_linux_leap leap = {.origin = MT_LEAP_UNKNOWN};
    char line[LINE_SIZE];
    FILE *file = fopen(path, "re");

    if (file) {
        while (fgets(line, sizeof line, file)) {
            take_line(line, now_utc_s, &leap);
        }
        fclose(file);
    }
    leap.list_has_expired = leap.list_expires_s != 0 && now_utc_s >= leap.list_expires_s;
    *ret_leap = leap;
    return leap.origin != MT_LEAP_UNKNOWN;
}

bool mt_linux_tai_utc(int64_t now_utc_s, struct mt_linux_leap *ret_leap)
{
    struct timex kernel = {.modes = 0};
    bool has_list = mt_leap_from_list(MT_LEAP_FILE, now_utc_s, ret_leap);

    if (clock_adjtime(CLOCK_REALTIME, &kernel) < 0 || kernel.tai == 0) {
        return has_list;
    }
    ret_leap->origin = MT_LEAP_KERNEL;
    ret_leap->tai_minus_utc_s = kernel.tai;
    ret_leap->next_change = kernel.status & STA_INS   ? 1
                            : kernel.status & STA_DEL ? -1
                                                      : ret_leap->next_change;
    return true;
}
