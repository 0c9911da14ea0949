/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each worker has a thread and a pair of sockets; what it does with them is in linux_worker.c.
 * It copies the snapshot once for a batch.
 */
#include "platform/linux/linux_workers.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"
#include "platform/linux/linux_worker.h"

#define EVENT_PORT     319
#define GENERAL_PORT   320
#define TURN_US        200000
#define RECEIVE_BUFFER (4 * 1024 * 1024)

/* ---- snapshot -------------------------------------------------------------------------------- */

void mt_workers_publish(struct mt_workers *self, const struct mt_served *served,
                        const struct mt_clock_page *page)
{
    const struct mt_worker_snapshot snapshot = {*served, *page};
    mt_snapshot_write(&self->snapshot, &snapshot, sizeof snapshot);
}

void mt_worker_take_snapshot(struct mt_worker *self)
{
    if (!mt_snapshot_read(&self->all->snapshot, &self->snapshot, sizeof self->snapshot)) {
        self->snapshot.served.is_serving = false;
    }
}

int64_t mt_worker_read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * MT_NS_PER_S + now.tv_nsec;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *run(void *context)
{
    struct mt_worker *self = context;
    while (!atomic_load_explicit(&self->all->is_stopping, memory_order_relaxed)) {
        mt_worker_turn(self);
    }
    return NULL;
}

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* The length of the address that requests for `port` come to. */
static socklen_t make_address(const struct mt_workers_options *options, uint16_t port,
                              union mt_socket_address *ret_address)
{
    memset(ret_address, 0, sizeof *ret_address);
    if (options->address.network == MT_NETWORK_UDP_IPV6) {
        struct sockaddr_in6 *address = &ret_address->v6;
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port);
        memcpy(&address->sin6_addr, options->address.octets, sizeof address->sin6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr) && options->interface != NULL) {
            address->sin6_scope_id = if_nametoindex(options->interface);
        }
        return sizeof *address;
    }
    ret_address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&ret_address->v4.sin_addr, options->address.octets, sizeof ret_address->v4.sin_addr);
    return sizeof ret_address->v4;
}

static bool prepare(int fd, const struct mt_workers_options *options, uint16_t port)
{
    union mt_socket_address address;
    const socklen_t length = make_address(options, port, &address);
    const struct timeval patience = {.tv_usec = TURN_US};
    const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                       SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG;
    const char *interface = options->interface;
    return (interface == NULL || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                            (socklen_t)strlen(interface) + 1) == 0) &&
           set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
           (address.any.sa_family != AF_INET6 || set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
           bind(fd, &address.any, length) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           (port != EVENT_PORT || set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps));
}

static int open_socket(const struct mt_workers_options *options, uint16_t port)
{
    bool is_v6 = options->address.network == MT_NETWORK_UDP_IPV6;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (!prepare(fd, options, port)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    /* nobody reads what comes to the general port */
    (void)set_int(fd, SOL_SOCKET, SO_RCVBUF, port == EVENT_PORT ? RECEIVE_BUFFER : 1);
    return fd;
}

static bool start(struct mt_workers *self, unsigned i, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_worker *worker = calloc(1, sizeof *worker);
    self->workers[i] = worker;
    if (worker == NULL) {
        mt_linux_say(reason, "out of memory");
        return false;
    }
    worker->all = self;
    worker->event_fd = open_socket(&self->options, EVENT_PORT);
    worker->general_fd = worker->event_fd >= 0 ? open_socket(&self->options, GENERAL_PORT) : -1;
    int error = errno;
    if (worker->general_fd >= 0) {
        error = pthread_create(&worker->thread, NULL, run, worker);
        worker->is_running = error == 0;
    }
    if (!worker->is_running) {
        mt_linux_say(reason, "cannot start a worker that answers requests: %s", strerror(error));
    }
    return worker->is_running;
}

struct mt_workers *mt_workers_start(const struct mt_workers_options *options,
                                    char reason[MT_HAL_REASON_SIZE])
{
    struct mt_workers *self = calloc(1, sizeof *self);
    sigset_t all;
    sigset_t before;
    if (self == NULL || options->count > MT_WORKERS_MAX) {
        mt_linux_say(reason, "out of memory");
        free(self);
        return NULL;
    }
    self->options = *options;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_good = true;
    for (unsigned i = 0; is_good && i < options->count; i++) {
        is_good = start(self, i, reason);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_good) {
        mt_workers_stop(self);
        return NULL;
    }
    return self;
}

void mt_workers_count(const struct mt_workers *self,
                      uint64_t ret_counters[MT_STATELESS_COUNTER_COUNT])
{
    memset(ret_counters, 0, MT_STATELESS_COUNTER_COUNT * sizeof *ret_counters);
    for (unsigned i = 0; i < self->options.count; i++) {
        for (unsigned counter = 0; counter < MT_STATELESS_COUNTER_COUNT; counter++) {
            ret_counters[counter] +=
                atomic_load_explicit(&self->workers[i]->counters[counter], memory_order_relaxed);
        }
    }
}

int64_t mt_workers_cpu_ns(const struct mt_workers *self)
{
    int64_t sum_ns = 0;
    for (unsigned i = 0; i < self->options.count; i++) {
        clockid_t clock;
        if (pthread_getcpuclockid(self->workers[i]->thread, &clock) == 0) {
            sum_ns += mt_worker_read_ns(clock);
        }
    }
    return sum_ns;
}

void mt_workers_stop(struct mt_workers *self)
{
    if (self == NULL) {
        return;
    }
    atomic_store(&self->is_stopping, true);
    for (unsigned i = 0; i < self->options.count && self->workers[i] != NULL; i++) {
        struct mt_worker *worker = self->workers[i];
        if (worker->is_running) {
            pthread_join(worker->thread, NULL);
        }
        if (worker->event_fd >= 0) {
            close(worker->event_fd);
        }
        if (worker->general_fd >= 0) {
            close(worker->general_fd);
        }
        free(worker);
    }
    free(self);
}
