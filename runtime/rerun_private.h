/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The inside of a rerun: what its files share.  "Raw" is what a clock would read had nobody
 * corrected it since it was opened.
 */
#ifndef MEANTIME_RUNTIME_RERUN_PRIVATE_H
#define MEANTIME_RUNTIME_RERUN_PRIVATE_H

#include "runtime/replay_private.h"
#include "runtime/rerun.h"

/** Items that are only added; `items` is an array of `count`. */
struct mt_rerun_list {
    void *items;
    size_t count;
};
/** Room for one more item, zeroed; null if there is no memory. */
void *mt_rerun_list_add(struct mt_rerun_list *self, size_t size);

/** From one correction to the next: local = `local` + (raw - `raw`) (1 + rate). */
struct mt_rerun_segment {
    struct mt_span raw;
    struct mt_span local;
    mt_real rate;
    uint32_t corrections;
    enum mt_timescale scale;
};

/** What a clock read without corrections at a time of the run. */
struct mt_rerun_anchor {
    struct mt_mono now;
    struct mt_span raw;
    struct mt_base_time base;
    mt_real raw_rate; /**< of raw against base, minus one */
    int64_t window_ns;
};

/** ... and when a packet was stamped. */
struct mt_rerun_stamp {
    struct mt_base_time base;
    struct mt_span raw;
};

/** ... and when a correction took effect. */
struct mt_rerun_moment {
    struct mt_mono now;
    struct mt_span raw;
};

struct mt_rerun_disturbance {
    struct mt_mono now;
    struct mt_applied applied;
};

struct mt_rerun_clock {
    struct mt_hal_clock hal; /* first: handed out as its own table */
    struct mt_rerun *rerun;
    enum mt_clock_kind kind;
    struct mt_log_text name;
    bool is_open;
    struct mt_log_text reason;
    struct mt_rerun_list recorded;     /**< segments */
    struct mt_rerun_list anchors;      /**< by time */
    struct mt_rerun_list stamps;       /**< by base */
    struct mt_rerun_list moments;      /**< by time */
    size_t moment_at;                  /**< the next of them */
    struct mt_rerun_list disturbances; /**< by time */
    size_t disturbed;                  /**< of them that were told */
    struct mt_rerun_list segments;     /**< of the new run */
};

/** An event message that was sent, and what the node sends for it now. */
struct mt_rerun_send {
    uint32_t recorded_token;
    uint32_t token;
    uint64_t key; /**< message type, domain and sequence number */
    bool is_sent;
    bool is_answered; /**< its transmit stamp has come in the log */
    bool is_taken;    /**< the node has sent it now, too */
};

struct mt_rerun_link {
    struct mt_hal_link hal; /* first */
    struct mt_rerun *rerun;
    struct mt_log_link opened;
    struct mt_rerun_list sends;
    size_t passed; /**< of the sends in the second reading */
};

struct mt_rerun_wait {
    struct mt_hal_wait hal;
    struct mt_rerun *rerun;
};

struct mt_rerun_store {
    struct mt_hal_store hal;
    struct mt_rerun *rerun;
};

struct mt_rerun_entropy {
    struct mt_hal_entropy hal;
    struct mt_rerun *rerun;
};

struct mt_rerun {
    struct mt_hal_provider provider; /* first */
    struct mt_rerun_wait wait;
    struct mt_rerun_store store;
    struct mt_rerun_entropy entropy;
    struct mt_log_start start;
    struct mt_log_reader reader; /**< of the second reading */
    struct mt_log_record ahead;
    bool has_ahead;
    struct mt_mono now;
    struct mt_rerun_result result;
    struct mt_replay_hooks hooks;
    /* what the first reading has found: pointers, since their items are handed out */
    struct mt_rerun_list clocks;  /**< struct mt_rerun_clock * */
    struct mt_rerun_list links;   /**< struct mt_rerun_link * */
    struct mt_rerun_list seeds;   /**< uint64_t */
    struct mt_rerun_list answers; /**< struct mt_log_record: identities and stored rates */
    size_t seed_at;
};

/** The first reading: fills the lists.  False if there is no memory. */
bool mt_rerun_scan(struct mt_rerun *self, struct mt_log_reader reader);
/** Which message a frame is; the key of an event message is never 0. */
uint64_t mt_rerun_key(const struct mt_link_frame *frame);

/** The segment after a correction of a clock whose raw reading is `raw`; `at`: its reading then. */
struct mt_rerun_segment mt_rerun_turn(const struct mt_rerun_segment *before, struct mt_span raw,
                                      const struct mt_applied *applied);
struct mt_span mt_rerun_local_of(const struct mt_rerun_segment *segment, struct mt_span raw);
struct mt_span mt_rerun_raw_of(const struct mt_rerun_segment *segment, struct mt_span local);
struct mt_span mt_rerun_span_of(struct mt_instant at);

struct mt_rerun_clock *mt_rerun_clock_at(const struct mt_rerun *self, size_t index);
struct mt_rerun_link *mt_rerun_link_at(const struct mt_rerun *self, size_t index);
extern const struct mt_hal_clock_ops mt_rerun_clock_ops;

#endif
