/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the parts of the unicast bench share: sockets on loopback, batches of datagrams, time.
 */
#ifndef MEANTIME_BENCH_UNICAST_H
#define MEANTIME_BENCH_UNICAST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
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

/** Each gives requests a second of processor time. */
double bench_echo(double seconds);
/** Syncs to clients that were granted them, Follow_Up included. */
struct bench_grant_rates {
    double batched;   /**< with a timestamp of the kernel for each, 64 datagrams a call */
    double single;    /**< the same, one datagram a call */
    double unstamped; /**< 64 a call, without asking for timestamps */
};
void bench_grant_sync(double seconds, struct bench_grant_rates *ret_rates);

/** A worker of the daemon on loopback.  Requests have to be answered in full. */
double bench_stateless(bool is_sptp, bool is_one_step, double seconds);
/** The echo with two datagrams for one, as the two-step servers have to send. */
double bench_echo_two(double seconds);

#endif
