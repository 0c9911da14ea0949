/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A bare UDP echo on loopback, 64 datagrams a call: what the network itself allows, beside which
 * the other figures stand.  The load comes from another thread, which keeps as many requests under
 * way as the socket holds; only the processor time of the one that answers counts.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    struct sockaddr_in to;
    atomic_bool is_over;
};

static void *ask(void *argument)
{
    struct load *load = argument;
    struct bench_batch batch;
    int socket = bench_socket(0, NULL);
    bench_batch_init(&batch);
    for (unsigned i = 0; i < BENCH_BATCH; i++) {
        batch.peers[i] = load->to;
        batch.pieces[i].iov_len = BENCH_REQUEST_SIZE;
    }
    while (!atomic_load(&load->is_over)) {
        for (unsigned i = 0; i < BENCH_BATCH; i++) {
            batch.peers[i] = load->to;
            batch.pieces[i].iov_len = BENCH_REQUEST_SIZE;
        }
        (void)sendmmsg(socket, batch.messages, BENCH_BATCH, 0);
        for (unsigned i = 0; i < BENCH_BATCH; i++) {
            batch.pieces[i].iov_len = BENCH_FRAME_SIZE;
        }
        (void)recvmmsg(socket, batch.messages, BENCH_BATCH, MSG_DONTWAIT, NULL);
    }
    close(socket);
    return NULL;
}

static double answer(int socket, double seconds)
{
    struct bench_batch batch;
    uint64_t answered = 0;
    double began_s = bench_cpu_s();
    double end_s = bench_now_s() + seconds;
    bench_batch_init(&batch);
    while (bench_now_s() < end_s) {
        int count = recvmmsg(socket, batch.messages, BENCH_BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            batch.pieces[i].iov_len = batch.messages[i].msg_len;
        }
        int sent = count > 0 ? sendmmsg(socket, batch.messages, (unsigned)count, 0) : 0;
        answered += sent > 0 ? (uint64_t)sent : 0;
        for (int i = 0; i < count; i++) {
            batch.pieces[i].iov_len = BENCH_FRAME_SIZE;
        }
    }
    return (double)answered / (bench_cpu_s() - began_s);
}

double bench_echo(double seconds)
{
    struct load load = {.is_over = false};
    pthread_t thread;
    int socket = bench_socket(0, &load.to);
    if (pthread_create(&thread, NULL, ask, &load) != 0) {
        perror("bench unicast: a thread");
        exit(1);
    }
    double rps = answer(socket, seconds);
    atomic_store(&load.is_over, true);
    pthread_join(thread, NULL);
    close(socket);
    return rps;
}
