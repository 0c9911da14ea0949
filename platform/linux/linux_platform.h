/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Linux as a platform: clocks, links, waiting, store and entropy behind the tables of hal/.
 * apps/meantimed opens one, gives its provider to compose/, and closes it at the end; what else
 * has a descriptor to wait for (the control socket) joins the one poll loop through
 * mt_linux_watch().  Nothing that the network or an interface does ends or blocks it.
 * Clocks are numbered for the store (publish, drift) in the order in which they were opened.
 * Each link says whether it is up at the first call of the wait table, and then at each change.
 * Thread rule: all of it belongs to the loop's thread.
 */
#ifndef MEANTIME_LINUX_PLATFORM_H
#define MEANTIME_LINUX_PLATFORM_H

#include "hal/provider.h"

struct mt_linux;

struct mt_linux_options {
    const char *run_dir;   /**< of the clock pages, one daemon in each; null: none */
    const char *state_dir; /**< of the drift files; null: none are kept */
    const char *input_log; /**< file that the input log is written to; null: none */
    uint64_t seed;         /**< what the entropy table gives; 0: random numbers of the kernel */
};

/** Null with a sentence in `reason` if something asked for is impossible.  The strings must live
 * as long as the platform. */
struct mt_linux *mt_linux_open(const struct mt_linux_options *options,
                               char reason[MT_HAL_REASON_SIZE]);
/** The start has succeeded: pages, folders and the input log stay from now on, and what an old
 * input log held is given up.  A platform that is closed without it leaves nothing that was not
 * there before. */
void mt_linux_keep(struct mt_linux *self);
/** Marks the published pages as stale and frees everything, clocks and links too. */
void mt_linux_close(struct mt_linux *self);

/** The tables, valid until mt_linux_close(). */
struct mt_hal_provider *mt_linux_provider(struct mt_linux *self);

/** Called from the wait table's `next` when a watched descriptor is ready; `revents` as poll(2)
 * gives them. */
typedef void mt_linux_ready(void *context, int fd, short revents);
/** Watches a descriptor for `events`; watching one again changes events, function and context.
 * False if there is no memory. */
bool mt_linux_watch(struct mt_linux *self, int fd, short events, mt_linux_ready *ready,
                    void *context);
void mt_linux_unwatch(struct mt_linux *self, int fd);

/** Has `regular` called about twice a second, by the wait table's `next`; null: no more.  There
 * is one such function for a platform. */
void mt_linux_every(struct mt_linux *self, void (*regular)(void *context), void *context);

/** True if a network card has been told to stamp, or may have to be once its interface is there. */
bool mt_linux_may_set_cards(const struct mt_linux *self);

/** Why the input log is not written any more (a full disk ...); null: it is, or there is none. */
const char *mt_linux_log_problem(const struct mt_linux *self);

/** What is the matter with a link that is down, one sentence; empty if it is up. */
const char *mt_linux_link_reason(const struct mt_linux *self, uint16_t index);

#endif
