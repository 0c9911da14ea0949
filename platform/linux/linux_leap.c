/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI-UTC.  The list has one line for each change, "SECONDS TAI-UTC # day", in seconds since 1900,
 * one line "#$ SECONDS" that says when it was made, and one "#@ SECONDS" that says how long it is
 * good for.  A list that has expired is used
 * all the same, for a value that was right once is a better guess than none; the caller warns.
 * Lines that are not understood are passed over.
 */
#include "platform/linux/linux_leap.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

#include "meantime/steer_leap.h"

#define FROM_1900_TO_1970_S INT64_C(2208988800)
#define S_PER_DAY           86400
#define LINE_SIZE           256
#define RENEWED_NS          INT64_C(3600000000000)
#define MOST_REPEATED_S     2
#define HALF_A_YEAR_S       INT64_C(15778800)

static void take_line(const char *line, int64_t now_utc_s, struct mt_linux_leap *leap)
{
    int64_t from_1900_s;
    int32_t value_s;
    int64_t at_s;

    if (sscanf(line, "#@ %" SCNd64, &from_1900_s) == 1) {
        leap->list_expires_s = from_1900_s - FROM_1900_TO_1970_S;
        return;
    }
    if (sscanf(line, "#$ %" SCNd64, &from_1900_s) == 1) {
        leap->list_made_s = from_1900_s - FROM_1900_TO_1970_S;
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

/* Two a year are the most that there have ever been. */
static void judge_age(int64_t now_utc_s, struct mt_linux_leap *leap)
{
    int64_t age_s = now_utc_s - leap->list_expires_s;

    if (leap->origin == MT_LEAP_UNKNOWN) {
        return;
    }
    leap->slack_s = leap->list_expires_s == 0 ? MT_LEAP_SLACK_S
                    : leap->list_has_expired  ? (int32_t)(1 + age_s / HALF_A_YEAR_S)
                                              : 0;
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
    judge_age(now_utc_s, &leap);
    *ret_leap = leap;
    return leap.origin != MT_LEAP_UNKNOWN;
}

enum mt_leap_list mt_leap_list_of(const struct mt_linux_leap *leap, int64_t now_utc_s)
{
    return leap->list_expires_s == 0                                 ? MT_LEAP_LIST_ABSENT
           : now_utc_s >= leap->list_expires_s                       ? MT_LEAP_LIST_EXPIRED
           : now_utc_s >= leap->list_expires_s - MT_LEAP_LIST_ENDS_S ? MT_LEAP_LIST_ENDS
                                                                     : MT_LEAP_LIST_GOOD;
}

const char *mt_leap_list_name(enum mt_leap_list list)
{
    static const char *const names[] = {"absent", "good", "ends_soon", "expired"};

    return names[list];
}

static int32_t change_of(const struct timex *kernel, int32_t otherwise)
{
    return kernel->status & STA_INS ? 1 : kernel->status & STA_DEL ? -1 : otherwise;
}

/* Some programs tell the kernel the offset of GPS, or that of smeared time. */
static bool is_plausible(const struct mt_linux_leap *leap, int32_t value_s)
{
    int32_t off_s = value_s - leap->tai_minus_utc_s;
    int32_t most_s = leap->slack_s > MT_LEAP_SLACK_S ? leap->slack_s : MT_LEAP_SLACK_S;

    return leap->origin == MT_LEAP_UNKNOWN || (off_s <= most_s && off_s >= -most_s);
}

/* The flags stay when the leap second is over, until whoever set them takes them away, so the
 * state counts.  An unsynchronised kernel hides its state and announces nothing, and neither does
 * one whose midnight is not ours.
 *
 * What it has of us must not come back as news: a leap second that a source announced, and takes
 * back, would stay for ever, and so would a value of an old list.  The latter stays in the kernel
 * when we end, too, so a list that is still good is asked first. */
void mt_leap_from_kernel(const struct timex *kernel, int state, int64_t now_utc_s, bool is_ours,
                         struct mt_linux_leap *leap)
{
    bool is_list_good = leap->list_expires_s != 0 && !leap->list_has_expired;

    if (state < 0 || kernel->tai == 0) {
        return;
    }
    leap->kernel_s = is_ours ? 0 : kernel->tai;
    if (is_plausible(leap, kernel->tai) && !is_list_good) {
        leap->origin = MT_LEAP_KERNEL;
        leap->tai_minus_utc_s = kernel->tai;
        leap->slack_s = leap->slack_s > 0 ? leap->slack_s : MT_LEAP_SLACK_S;
    }
    if (is_ours || kernel->time.tv_sec / S_PER_DAY != now_utc_s / S_PER_DAY) {
        return;
    }
    if (state == TIME_OK || state == TIME_INS || state == TIME_DEL) {
        leap->next_change = change_of(kernel, leap->next_change);
    } else if (state == TIME_OOP) { /* it is going on, and counted in `tai` */
        leap->next_change = 0;
    }
}

bool mt_linux_tai_utc(int64_t now_utc_s, bool is_ours, struct mt_linux_leap *ret_leap)
{
    struct timex kernel = {.modes = 0};

    (void)mt_leap_from_list(MT_LEAP_FILE, now_utc_s, ret_leap);
    if (ret_leap->list_made_s > now_utc_s) { /* it cannot be as early as that */
        (void)mt_leap_from_list(MT_LEAP_FILE, ret_leap->list_made_s, ret_leap);
        ret_leap->slack_s = MT_LEAP_SLACK_S;
    }
    mt_leap_from_kernel(&kernel, clock_adjtime(CLOCK_REALTIME, &kernel), now_utc_s, is_ours,
                        ret_leap);
    return ret_leap->origin != MT_LEAP_UNKNOWN;
}

/* With the new TAI-UTC, UTC repeats the leap second: that is no way back.  The machine's clock may
 * go back only as far as the list was known already: before that it is wrong now, after that it
 * was wrong before. */
static bool may_go_back(const struct mt_leap_watch *self, int64_t utc_s, bool is_own)
{
    bool is_plausible = self->list_made_s != 0 && utc_s >= self->list_made_s;

    return self->utc_s - utc_s > MOST_REPEATED_S && (is_own || is_plausible);
}

bool mt_leap_watch_is_due(struct mt_leap_watch *self, int64_t utc_s, bool is_own, int64_t now_ns)
{
    bool is_new_day = utc_s / S_PER_DAY > self->utc_s / S_PER_DAY;

    if (!is_new_day && now_ns - self->at_ns < RENEWED_NS) {
        return false;
    }
    self->at_ns = now_ns;
    if (utc_s < self->utc_s && !may_go_back(self, utc_s, is_own)) {
        return false;
    }
    self->utc_s = utc_s;
    return true;
}
