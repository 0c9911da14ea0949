/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The daemon's log: one sentence for each thing that happened, on standard error (with syslog
 * priorities if systemd reads it), and the last ones kept for the control socket.  A kind of
 * event that repeats is held back after a burst; how many were held back is said.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_APPS_JOURNAL_H
#define MEANTIME_APPS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#define MT_JOURNAL_KEPT     512
#define MT_JOURNAL_TEXT     320
#define MT_JOURNAL_KINDS    16
#define MT_JOURNAL_BURST    20
#define MT_JOURNAL_PAUSE_NS INT64_C(10000000000)

enum mt_journal_level { MT_JOURNAL_ERROR, MT_JOURNAL_WARNING, MT_JOURNAL_INFO, MT_JOURNAL_DEBUG };

struct mt_journal_entry {
    uint64_t sequence;
    int64_t realtime_ns;
    enum mt_journal_level level;
    char text[MT_JOURNAL_TEXT];
};

struct mt_journal {
    enum mt_journal_level level; /**< what is printed; everything is kept */
    bool is_for_systemd;
    uint64_t next_sequence; /**< entries are kept at sequence % MT_JOURNAL_KEPT */
    struct mt_journal_entry kept[MT_JOURNAL_KEPT];
    struct mt_journal_limit {
        int64_t window_ns;
        unsigned count;
    } limit[MT_JOURNAL_KINDS];
};

void mt_journal_init(struct mt_journal *self);
/** kind: 0 is never held back; others below MT_JOURNAL_KINDS are limited each by itself. */
__attribute__((format(printf, 4, 5))) void mt_journal_write(struct mt_journal *self,
                                                            enum mt_journal_level level,
                                                            unsigned kind, const char *format, ...);
/** The oldest kept entry with a sequence of at least `since`, or null. */
const struct mt_journal_entry *mt_journal_find(const struct mt_journal *self, uint64_t since);

#endif
