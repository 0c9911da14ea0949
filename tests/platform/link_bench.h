/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two links over real sockets on a veth pair (netspace.h), and messages between them.  What does
 * not go well fails the test.
 * Thread rule: one thread.
 */
#ifndef MEANTIME_TESTS_LINK_BENCH_H
#define MEANTIME_TESTS_LINK_BENCH_H

#include "platform/linux/linux_platform.h"

#define BENCH_MESSAGE_SIZE 44

/** A platform of its own with one link. */
struct bench_node {
    struct mt_linux *platform;
    struct mt_hal_provider *provider;
    struct mt_hal_link *link;
};

extern const struct mt_linux_options bench_no_files;

/** A fresh veth pair for each test. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/** UDP over IPv4. */
struct bench_node bench_open(const char *interface);
struct bench_node bench_open_as(const struct mt_link_request *request);
int64_t bench_mono_ns(void);
/** The next input of a kind, others are passed over; false after the time. */
bool bench_next(struct bench_node *node, enum mt_input_kind kind, int timeout_ms,
                struct mt_input *ret_input);
/** Waits until the link is up, or down; false after 3 s. */
bool bench_wait_state(struct bench_node *node, bool is_up);

/** A message of this type with an identity and a sequence number. */
void bench_make_message(uint8_t octets[BENCH_MESSAGE_SIZE], uint8_t type, uint16_t sequence);
bool bench_send_sync(struct bench_node *node, uint16_t sequence, uint32_t token);
bool bench_send_general(struct bench_node *node, enum mt_link_destination destination);
bool bench_send_to(struct bench_node *node, const struct mt_address *to, uint16_t sequence,
                   uint32_t token);
/** A Sync from one to the other, with stamps at both ends that agree. */
void bench_exchange(struct bench_node *from, struct bench_node *to, uint16_t sequence);

#endif
