/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the parts of the unicast bench share: sockets on loopback, batches of datagrams, time.
 */
#ifndef MEANTIME_BENCH_UNICAST_H
#define MEANTIME_BENCH_UNICAST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BENCH_BATCH        64
#define BENCH_FRAME_SIZE   256
#define BENCH_REQUEST_SIZE 54 /* a Delay_Resp, or a request for one service */

/** Datagrams for sendmmsg() and recvmmsg(); the headers point into the same object. */
struct bench_batch {
    struct mmsghdr messages[BENCH_BATCH];
    struct iovec pieces[BENCH_BATCH];
    struct sockaddr_in peers[BENCH_BATCH];
    uint8_t octets[BENCH_BATCH][BENCH_FRAME_SIZE];
};

void bench_batch_init(struct bench_batch *self);
/** A UDP socket on loopback, 127.0.0.1, at `port` (0: any); says where it is.  Ends the program if
 * there is none. */
int bench_socket(uint16_t port, struct sockaddr_in *ret_address);
double bench_now_s(void);
/** Processor time of this thread. */
double bench_cpu_s(void);

/** The one that answers has a processor of its own, if there are two. */
enum bench_side { BENCH_SERVER, BENCH_CLIENTS };
/** Where this thread, and those that it starts, may run from now on. */
void bench_pin(enum bench_side side);

/** A request of SPTP or CSPTP; its length. */
size_t bench_make_request(bool is_sptp, uint8_t *frame);

/* Each gives requests a second of processor time. */

/** What comes is sent back; `is_double`: to two ports, as two-step servers have to. */
double bench_echo(bool is_double, double seconds);
/** Syncs to clients that were granted them, Follow_Up included, `batch` datagrams a call, at most
 * BENCH_BATCH; `is_stamped`: with a timestamp of the kernel for each. */
double bench_grant_sync(bool is_stamped, unsigned batch, double seconds);
/** A worker of the daemon on loopback.  Requests have to be answered in full. */
double bench_stateless(bool is_sptp, bool is_one_step, double seconds);

#endif
