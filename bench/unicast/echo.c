/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A bare UDP echo on loopback, 64 datagrams a call: what the network itself allows, beside which
 * the other figures stand.  The clients are load.c's, as everywhere; only the processor time of the
 * thread that answers counts.  With two datagrams for one, one to each port, it shows what any
 * server of a two-step form can reach at most.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

#define EVENT       319
#define GENERAL     320
#define PATIENCE_US 100000

struct echo {
    int socket;
    bool is_double;
    atomic_bool is_over;
    double cpu_s;
};

static void send_to(struct bench_batch *batch, int socket, int count, uint16_t port)
{
    for (int i = 0; i < count; i++) {
        batch->peers[i].sin_port = htons(port);
    }
    for (int done = 0; done < count;) {
        int sent = sendmmsg(socket, batch->messages + done, (unsigned)(count - done), 0);
        done += sent > 0 ? sent : 1;
    }
}

static void *answer(void *argument)
{
    struct echo *self = argument;
    struct bench_batch batch;
    bench_batch_init(&batch);
    while (!atomic_load(&self->is_over)) {
        int count = recvmmsg(self->socket, batch.messages, BENCH_BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            batch.pieces[i].iov_len = batch.messages[i].msg_len;
        }
        send_to(&batch, self->socket, count, EVENT);
        if (self->is_double) {
            send_to(&batch, self->socket, count, GENERAL);
        }
        for (int i = 0; i < count; i++) {
            batch.pieces[i].iov_len = BENCH_FRAME_SIZE;
        }
    }
    self->cpu_s = bench_cpu_s();
    return NULL;
}

double bench_echo(bool is_double, double seconds)
{
    const struct timeval patience = {.tv_usec = PATIENCE_US};
    uint8_t frame[BENCH_FRAME_SIZE];
    struct echo echo = {.socket = bench_socket(EVENT, NULL), .is_double = is_double};
    struct load load = {.request = frame,
                        .length = bench_make_request(true, frame),
                        .answers_at = is_double ? GENERAL : EVENT,
                        .seconds = seconds};
    pthread_t thread;
    setsockopt(echo.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bench_pin(BENCH_SERVER);
    int error = pthread_create(&thread, NULL, answer, &echo);
    bench_pin(BENCH_CLIENTS);
    if (error != 0 || load_run(&load) != 0) {
        perror("bench unicast: cannot echo");
        exit(1);
    }
    atomic_store(&echo.is_over, true);
    pthread_join(thread, NULL);
    close(echo.socket);
    return (double)load.answered / echo.cpu_s;
}
