/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The inside of a replay: what its files share.
 */
#ifndef MEANTIME_RUNTIME_REPLAY_PRIVATE_H
#define MEANTIME_RUNTIME_REPLAY_PRIVATE_H

#include "runtime/replay.h"

/** What the program above wants to know and do; of a replay and a rerun alike. */
struct mt_replay_hooks {
    struct mt_replay_observer observer;
    mt_replay_order *carry_out;
    void *context;
};
/** Does to the node what an order of the log says, having told of it. */
void mt_replay_carry_out(const struct mt_replay_hooks *self, struct mt_node *node,
                         const struct mt_order *order, struct mt_mono now);

struct mt_replayed_clock {
    struct mt_hal_clock hal;
    struct mt_replay *replay;
    struct mt_replayed_clock *next;
    uint16_t index;
    struct mt_clock_reading last;
};

struct mt_replayed_link {
    struct mt_hal_link hal;
    struct mt_replay *replay;
    struct mt_replayed_link *next;
    uint16_t index;
};

struct mt_replayed_wait {
    struct mt_hal_wait hal;
    struct mt_replay *replay;
};

struct mt_replayed_store {
    struct mt_hal_store hal;
    struct mt_replay *replay;
};

struct mt_replayed_entropy {
    struct mt_hal_entropy hal;
    struct mt_replay *replay;
};

struct mt_replay {
    struct mt_hal_provider provider; /* first: handed out as its own table */
    struct mt_replayed_wait wait;
    struct mt_replayed_store store;
    struct mt_replayed_entropy entropy;
    struct mt_log_reader reader;
    struct mt_log_start start;
    struct mt_log_record ahead;
    bool has_ahead;
    struct mt_replay_result result;
    struct mt_node *node; /* during a step */
    struct mt_replay_hooks hooks;
    struct mt_replayed_clock *clocks;
    struct mt_replayed_link *links;
    uint16_t clock_count;
};

/** Opens the log; false with a sentence if it is none, or another version's. */
bool mt_replay_begin_log(struct mt_log_reader *reader, const uint8_t *octets, size_t length,
                         char reason[MT_HAL_REASON_SIZE]);

/** Ends the replay; the first reason stays.  `format` may be null. */
void mt_replay_finish(struct mt_replay *self, enum mt_replay_outcome outcome, const char *format,
                      ...);
bool mt_replay_is_over(const struct mt_replay *self);
/** Looks at the next record.  False if there is none any more. */
bool mt_replay_look_ahead(struct mt_replay *self);
void mt_replay_step_over(struct mt_replay *self);
/** The next record if it is of this kind; null, and the replay is over, if not. */
const struct mt_log_record *mt_replay_expect(struct mt_replay *self, enum mt_log_kind kind);
/** As above, for a thing with a number, which lies in the record ahead. */
const struct mt_log_record *mt_replay_expect_of(struct mt_replay *self, enum mt_log_kind kind,
                                                const uint16_t *number, uint16_t wanted);
bool mt_replay_is_text(struct mt_log_text text, const char *string);
/** Whether the link that is asked for is the recorded one. */
bool mt_replay_is_link(const struct mt_log_link *link, const struct mt_link_request *request);

struct mt_hal_clock *mt_replay_open_clock(struct mt_hal_provider *provider,
                                          const struct mt_clock_request *request,
                                          char reason[MT_HAL_REASON_SIZE]);
struct mt_hal_link *mt_replay_open_link(struct mt_hal_provider *provider, uint16_t index,
                                        const struct mt_link_request *request,
                                        char reason[MT_HAL_REASON_SIZE]);
void mt_replay_close_link(struct mt_hal_provider *provider, uint16_t index);

#endif
