/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A ring of frames and a thread for each wire, known by where it leads.  The thread has a socket of
 * its own that may block, which qemu's must not.
 */
#include "wire_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIRES       4
#define FRAMES      1024 /* some ten seconds of PTP */
#define PAUSE_US    10000
#define WIRE_OCTETS 2048

struct frame {
    size_t length;
    uint8_t octets[WIRE_OCTETS];
};

struct wire {
    struct sockaddr_storage to;
    socklen_t to_size;
    int fd;
    pthread_cond_t is_filled;
    struct frame *frames;
    size_t sent; /* of all that were put */
    size_t put;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct wire wires[WIRES];

/* The other end may not be there yet, or any more.  Not by sendto(), which is replaced. */
static void send_one(struct wire *wire, struct frame *frame)
{
    struct iovec piece = {frame->octets, frame->length};
    struct msghdr message = {
        .msg_name = &wire->to, .msg_namelen = wire->to_size, .msg_iov = &piece, .msg_iovlen = 1};

    if (sendmsg(wire->fd, &message, MSG_NOSIGNAL) < 0) {
        usleep(PAUSE_US);
    }
}

static void *send_all(void *argument)
{
    struct wire *wire = argument;

    pthread_mutex_lock(&mutex);
    for (;;) {
        while (wire->sent == wire->put) {
            pthread_cond_wait(&wire->is_filled, &mutex);
        }
        pthread_mutex_unlock(&mutex);
        send_one(wire, &wire->frames[wire->sent % FRAMES]); /* nobody writes this one */
        pthread_mutex_lock(&mutex);
        wire->sent++;
    }
    return NULL;
}

/* qemu's signals are not for it. */
static int begin_thread(struct wire *wire)
{
    sigset_t all, before;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, send_all, wire);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 && pthread_detach(thread) == 0;
}

static struct wire *begin(struct wire *wire, const struct sockaddr *to, socklen_t to_size)
{
    memcpy(&wire->to, to, to_size);
    wire->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    wire->frames = calloc(FRAMES, sizeof *wire->frames);
    pthread_cond_init(&wire->is_filled, NULL);
    wire->to_size = to_size;
    if (wire->fd < 0 || !wire->frames || !begin_thread(wire)) {
        abort();
    }
    return wire;
}

static struct wire *wire_to(const struct sockaddr *to, socklen_t to_size)
{
    for (int i = 0; i < WIRES; i++) {
        if (wires[i].to_size == 0) {
            return begin(&wires[i], to, to_size);
        }
        if (wires[i].to_size == to_size && memcmp(&wires[i].to, to, to_size) == 0) {
            return &wires[i];
        }
    }
    abort();
}

void wire_queue_put(const void *octets, size_t length, const void *trailer, size_t trailer_size,
                    const struct sockaddr *to, socklen_t to_size)
{
    struct wire *wire;

    if (length + trailer_size > WIRE_OCTETS || to_size > sizeof wire->to) {
        return;
    }
    pthread_mutex_lock(&mutex);
    wire = wire_to(to, to_size);
    if (wire->put - wire->sent < FRAMES) {
        struct frame *frame = &wire->frames[wire->put++ % FRAMES];

        memcpy(frame->octets, octets, length);
        memcpy(frame->octets + length, trailer, trailer_size);
        frame->length = length + trailer_size;
        pthread_cond_signal(&wire->is_filled);
    }
    pthread_mutex_unlock(&mutex);
}
