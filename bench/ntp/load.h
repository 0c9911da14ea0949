/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP clients of a server on loopback: a window of requests under way, every answer counted.
 * Thread rule: the thread that runs it.
 */
#ifndef MEANTIME_BENCH_NTP_LOAD_H
#define MEANTIME_BENCH_NTP_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_SERVER "127.0.0.1"
#define LOAD_CLIENT "127.0.0.2"

struct load {
    uint16_t port;          /**< of the server */
    bool is_echo;           /**< what comes back is what was sent */
    const uint8_t *request; /**< sent over and over; null: plain ones, each with a number */
    size_t size;            /**< of `request` */
    uint64_t wanted;        /**< answers; but it takes a second at most */
    uint64_t answered;
    double seconds; /**< that it took */
};

/** Whether the server answers one request as it should, within a moment. */
bool load_try(const struct load *self);
/** Sends requests, as fast as they are answered, and sets `answered` and
 * `seconds`.  -1: errno. */
int load_run(struct load *self);

#endif
