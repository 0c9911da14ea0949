/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "apps/meantimed/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void mt_journal_init(struct mt_journal *self)
{
    memset(self, 0, sizeof *self);
    self->level = MT_JOURNAL_INFO;
    self->is_for_systemd = getenv("JOURNAL_STREAM") != NULL;
}

static void print(const struct mt_journal *self, enum mt_journal_level level, const char *text)
{
    static const int priorities[] = {3, 4, 6, 7};
    if (level > self->level) {
        return;
    }
    if (self->is_for_systemd) {
        fprintf(stderr, "<%d>%s\n", priorities[level], text);
        return;
    }
    int64_t now_ns = clock_ns(CLOCK_REALTIME);
    time_t seconds = (time_t)(now_ns / 1000000000);
    struct tm local;
    char stamp[32];
    localtime_r(&seconds, &local);
    strftime(stamp, sizeof stamp, "%H:%M:%S", &local);
    fprintf(stderr, "%s.%03d %s%s\n", stamp, (int)(now_ns / 1000000 % 1000),
            level == MT_JOURNAL_ERROR     ? "error: "
            : level == MT_JOURNAL_WARNING ? "warning: "
                                          : "",
            text);
}

static void keep(struct mt_journal *self, enum mt_journal_level level, const char *text)
{
    struct mt_journal_entry *entry = &self->kept[self->next_sequence % MT_JOURNAL_KEPT];
    entry->sequence = self->next_sequence++;
    entry->realtime_ns = clock_ns(CLOCK_REALTIME);
    entry->level = level;
    snprintf(entry->text, sizeof entry->text, "%s", text);
}

static bool is_held_back(struct mt_journal *self, unsigned kind)
{
    if (kind == 0 || kind >= MT_JOURNAL_KINDS) {
        return false;
    }
    struct mt_journal_limit *limit = &self->limit[kind];
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (now_ns - limit->window_ns >= MT_JOURNAL_PAUSE_NS) {
        unsigned held_back = limit->count > MT_JOURNAL_BURST ? limit->count - MT_JOURNAL_BURST : 0;
        *limit = (struct mt_journal_limit){.window_ns = now_ns};
        if (held_back > 0) {
            mt_journal_write(self, MT_JOURNAL_INFO, 0,
                             "%u more messages of the following kind were held back", held_back);
        }
    }
    limit->count++;
    return limit->count > MT_JOURNAL_BURST;
}

void mt_journal_write(struct mt_journal *self, enum mt_journal_level level, unsigned kind,
                      const char *format, ...)
{
    char text[MT_JOURNAL_TEXT];
    if (is_held_back(self, kind)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep(self, level, text);
    print(self, level, text);
}

const struct mt_journal_entry *mt_journal_find(const struct mt_journal *self, uint64_t since)
{
    uint64_t oldest =
        self->next_sequence > MT_JOURNAL_KEPT ? self->next_sequence - MT_JOURNAL_KEPT : 0;
    uint64_t sequence = since > oldest ? since : oldest;
    return sequence < self->next_sequence ? &self->kept[sequence % MT_JOURNAL_KEPT] : NULL;
}
