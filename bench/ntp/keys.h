/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A request that speaks NTS, after a key exchange.
 */
#ifndef MEANTIME_BENCH_NTP_KEYS_H
#define MEANTIME_BENCH_NTP_KEYS_H

#include <stddef.h>
#include <stdint.h>

/** Exchanges keys on a TCP port of `host`, trusting who `ca` names, and makes a request as a client
 * sends it that has got all of its answers.  0: it cannot be, and why is on stderr. */
size_t keys_make_request(const char *host, uint16_t port, const char *ca, uint8_t *octets,
                         size_t capacity);

#endif
