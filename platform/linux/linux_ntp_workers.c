/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The threads and their sockets; what a thread does is in linux_ntp_worker.c.
 *
 * Which of an address's threads a request comes to is decided by a small program in the kernel,
 * from the client's address alone, of IPv6 from the network's half: clients take another port for
 * each request, which by itself the kernel would go by.  Without it service is the same, only that
 * interleaved mode and limits know less.
 */
#include "platform/linux/linux_ntp_workers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "platform/linux/linux_ntp_worker.h"
#include "platform/linux/linux_private.h"

#define TURN_US        200000
#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define SCATTER        0x9E3779B1u

/* ---- sockets --------------------------------------------------------------------------------- */

static bool is_everywhere(const struct mt_address *address)
{
    static const uint8_t zeros[MT_ADDRESS_OCTETS];
    return memcmp(address->octets, zeros, sizeof zeros) == 0;
}

static socklen_t make_name(const struct mt_address *address, uint16_t port,
                           union mt_socket_address *ret_name)
{
    memset(ret_name, 0, sizeof *ret_name);
    if (address->network == MT_NETWORK_UDP_IPV6) {
        ret_name->v6.sin6_family = AF_INET6;
        ret_name->v6.sin6_port = htons(port);
        memcpy(&ret_name->v6.sin6_addr, address->octets, sizeof ret_name->v6.sin6_addr);
        return sizeof ret_name->v6;
    }
    ret_name->v4.sin_family = AF_INET;
    ret_name->v4.sin_port = htons(port);
    memcpy(&ret_name->v4.sin_addr, address->octets, sizeof ret_name->v4.sin_addr);
    return sizeof ret_name->v4;
}

/* The client's address, scattered, modulo the number of threads. */
static void divide_by_address(int fd, bool is_v6, unsigned count)
{
    struct sock_filter v4[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 12),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SCATTER),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_filter v6[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 8),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 12),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SCATTER),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    const struct sock_fprog program = {
        .len = is_v6 ? sizeof v6 / sizeof v6[0] : sizeof v4 / sizeof v4[0],
        .filter = is_v6 ? v6 : v4,
    };
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

static bool prepare(int fd, const struct mt_address *address, uint16_t port, unsigned count)
{
    union mt_socket_address name;
    const socklen_t length = make_name(address, port, &name);
    const struct timeval patience = {.tv_usec = TURN_US};
    const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    bool is_v6 = name.any.sa_family == AF_INET6;
    bool is_good =
        (!is_v6 || mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
        (count == 1 || mt_linux_set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        (!is_everywhere(address) || mt_linux_set_int(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                                     is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1)) &&
        mt_linux_set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps) &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        bind(fd, &name.any, length) == 0;
    if (is_good && count > 1) {
        divide_by_address(fd, is_v6, count);
    }
    (void)mt_linux_set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    return is_good;
}

static int open_socket(const struct mt_address *address, uint16_t port, unsigned count)
{
    bool is_v6 = address->network == MT_NETWORK_UDP_IPV6;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !prepare(fd, address, port, count)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *run(void *context)
{
    struct mt_ntp_thread *self = context;
    while (!atomic_load_explicit(&self->all->is_stopping, memory_order_relaxed)) {
        mt_ntp_thread_turn(self);
    }
    return NULL;
}

static bool init_worker(struct mt_ntp_worker *self, const struct mt_ntp_workers_options *options,
                        uint64_t seed)
{
    struct mt_ntp_departure *departures =
        options->departures > 0 ? calloc(options->departures, sizeof *departures) : NULL;
    mt_prng_init(&self->random, seed);
    mt_ntp_departures_init(&self->departures, departures,
                           departures != NULL ? options->departures : 0);
    return departures != NULL || options->departures == 0;
}

/* The n-th of the processors that we may use, over and over. */
static void pin(pthread_attr_t *attributes, unsigned n)
{
    cpu_set_t allowed;
    cpu_set_t one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0) {
        return;
    }
    n %= (unsigned)CPU_COUNT(&allowed);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
            CPU_SET(cpu, &one);
            (void)pthread_attr_setaffinity_np(attributes, sizeof one, &one);
            return;
        }
    }
}

static int begin(struct mt_ntp_thread *self, bool is_pinned, unsigned number)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (is_pinned) {
        pin(&attributes, number);
    }
    int error = pthread_create(&self->thread, &attributes, run, self);
    pthread_attr_destroy(&attributes);
    self->is_running = error == 0;
    return error;
}

static bool refuse(char reason[MT_HAL_REASON_SIZE], uint16_t port, int error)
{
    mt_linux_say(reason, "cannot serve NTP on UDP port %u: %s%s", port, strerror(error),
                 error == EADDRINUSE ? "; another NTP daemon is running there, stop it"
                 : error == EACCES   ? "; run as root, or give the program CAP_NET_BIND_SERVICE"
                                     : "");
    return false;
}

static bool start(struct mt_ntp_workers *self, const struct mt_ntp_workers_options *options,
                  const struct mt_address *address, unsigned number,
                  char reason[MT_HAL_REASON_SIZE])
{
    struct mt_ntp_thread *thread = calloc(1, sizeof *thread);
    uint16_t port = address->udp_port != 0 ? address->udp_port : options->port;
    if (thread == NULL) {
        return refuse(reason, port, ENOMEM);
    }
    self->threads[self->count++] = thread;
    thread->all = self;
    thread->fd = -1;
    mt_ntp_thread_init(thread);
    if (!init_worker(&thread->worker, options, options->seed + self->count)) {
        return refuse(reason, port, ENOMEM);
    }
    thread->fd = open_socket(address, port, options->count);
    if (thread->fd < 0) {
        return refuse(reason, port, errno);
    }
    int error = begin(thread, options->is_pinned, number);
    return error == 0 || refuse(reason, port, error);
}

/* A machine without IPv6 serves the other addresses all the same. */
static bool may_lack(const struct mt_ntp_workers_options *options, const struct mt_address *address)
{
    return errno == EAFNOSUPPORT && address->network == MT_NETWORK_UDP_IPV6 &&
           is_everywhere(address) && options->address_count > 1;
}

static bool start_all(struct mt_ntp_workers *self, const struct mt_ntp_workers_options *options,
                      char reason[MT_HAL_REASON_SIZE])
{
    for (unsigned i = 0; i < options->address_count; i++) {
        for (unsigned n = 0; n < options->count; n++) {
            if (start(self, options, &options->addresses[i], n, reason)) {
                continue;
            }
            if (!may_lack(options, &options->addresses[i])) {
                return false;
            }
            break;
        }
    }
    return true;
}

struct mt_ntp_workers *mt_ntp_workers_start(const struct mt_ntp_workers_options *options,
                                            char reason[MT_HAL_REASON_SIZE])
{
    struct mt_ntp_workers *self = calloc(1, sizeof *self);
    sigset_t all;
    sigset_t before;
    if (self == NULL || options->count > MT_NTP_WORKERS_MAX ||
        options->address_count > MT_NTP_ADDRESSES_MAX) {
        mt_linux_say(reason, "out of memory");
        free(self);
        return NULL;
    }
    self->crypto = options->crypto;
    self->clients = options->clients;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_good = mt_ntp_rules_put(&self->rules, &options->ruling)
                       ? start_all(self, options, reason)
                       : refuse(reason, options->port, ENOMEM);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_good) {
        mt_ntp_workers_stop(self);
        return NULL;
    }
    return self;
}

bool mt_ntp_workers_rule(struct mt_ntp_workers *self, const struct mt_ntp_ruling *ruling)
{
    return mt_ntp_rules_put(&self->rules, ruling);
}

bool mt_ntp_workers_clean(struct mt_ntp_workers *self)
{
    struct mt_ntp_rules_user *users[MT_NTP_WORKERS_MAX * MT_NTP_ADDRESSES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < self->count; i++) {
        if (self->threads[i]->is_running) {
            users[count++] = &self->threads[i]->user;
        }
    }
    return mt_ntp_rules_clean(&self->rules, users, count);
}

void mt_ntp_workers_publish(struct mt_ntp_workers *self, const struct mt_ntp_serving *serving,
                            const struct mt_nts_ring *ring, const struct mt_clock_page *page)
{
    struct mt_ntp_snapshot snapshot = {
        .serving = *serving, .has_ring = ring != NULL, .page = *page};
    if (ring != NULL) {
        snapshot.ring = *ring;
    }
    mt_snapshot_write(&self->snapshot, &snapshot, sizeof snapshot);
}

void mt_ntp_workers_count(const struct mt_ntp_workers *self,
                          uint64_t ret_outcomes[MT_NTP_OUTCOME_COUNT])
{
    memset(ret_outcomes, 0, MT_NTP_OUTCOME_COUNT * sizeof *ret_outcomes);
    for (unsigned i = 0; i < self->count; i++) {
        for (unsigned k = 0; k < MT_NTP_OUTCOME_COUNT; k++) {
            ret_outcomes[k] +=
                atomic_load_explicit(&self->threads[i]->outcomes[k], memory_order_relaxed);
        }
    }
}

void mt_ntp_workers_stop(struct mt_ntp_workers *self)
{
    if (self == NULL) {
        return;
    }
    atomic_store(&self->is_stopping, true);
    for (unsigned i = 0; i < self->count; i++) {
        struct mt_ntp_thread *thread = self->threads[i];
        if (thread->is_running) {
            pthread_join(thread->thread, NULL);
        }
        if (thread->fd >= 0) {
            close(thread->fd);
        }
        free(thread->worker.departures.places);
        free(thread->worker.limit.places);
        free(thread);
    }
    mt_ntp_rules_end(&self->rules);
    free(self);
}
