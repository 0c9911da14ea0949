/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clients of a server on loopback: one socket each for event and general messages on an address of
 * their own, a window of requests under way, every answer counted.
 * Thread rule: the thread that runs it.
 */
#ifndef MEANTIME_BENCH_LOAD_H
#define MEANTIME_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_SERVER "127.0.0.1"
#define LOAD_CLIENT "127.0.0.2"

struct load {
    const uint8_t *request; /**< its sequenceId is the load's to set */
    size_t length;
    int answers_at; /**< the UDP port at which an exchange ends: 319 or 320 */
    double seconds;
    uint64_t answered;
};

/** Sends requests to LOAD_SERVER, as fast as they are answered, and sets `answered`.  -1: errno. */
int load_run(struct load *self);

#endif
