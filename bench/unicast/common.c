/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See bench.h.
 */
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_OCTETS (8 << 20)

void bench_batch_init(struct bench_batch *self)
{
    memset(self, 0, sizeof *self);
    for (unsigned i = 0; i < BENCH_BATCH; i++) {
        self->pieces[i] = (struct iovec){self->octets[i], BENCH_FRAME_SIZE};
        self->messages[i].msg_hdr = (struct msghdr){.msg_name = &self->peers[i],
                                                    .msg_namelen = sizeof self->peers[i],
                                                    .msg_iov = &self->pieces[i],
                                                    .msg_iovlen = 1};
    }
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int bench_socket(uint16_t port, struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int octets = BUFFER_OCTETS;
    int number = socket(AF_INET, SOCK_DGRAM, 0);
    if (number < 0 || bind(number, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(number, (struct sockaddr *)&address, &length) != 0) {
        fail("bench unicast: a socket");
    }
    setsockopt(number, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    setsockopt(number, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
    if (ret_address != NULL) {
        *ret_address = address;
    }
    return number;
}

static double seconds_of(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double bench_now_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void bench_pin(enum bench_side side)
{
    static cpu_set_t allowed;
    cpu_set_t clients;
    cpu_set_t server;
    size_t first = 0;
    if (CPU_COUNT(&allowed) == 0) { /* before anybody is pinned */
        sched_getaffinity(0, sizeof allowed, &allowed);
    }
    if (CPU_COUNT(&allowed) < 2) {
        return;
    }
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    clients = allowed;
    CPU_CLR(first, &clients);
    CPU_ZERO(&server);
    CPU_SET(first, &server);
    sched_setaffinity(0, sizeof server, side == BENCH_SERVER ? &server : &clients);
}
