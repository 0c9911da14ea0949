/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The resolver's thread takes one wanted name after the other, asks without holding the lock, and
 * puts the answer in its place.  An address that is still among the answers stays, so that a name
 * with several does not make its users wander; a name that cannot be found any more keeps the
 * address that it had.
 */
#include "linux_names.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_SIZE 254

struct entry {
    char name[NAME_SIZE];
    enum mt_network network;
    bool is_wanted;
    bool is_known;
    struct mt_mono ask_at;
    size_t count; /* of addresses; one, but of a question for all of them */
    struct mt_address addresses[MT_NAMES_ADDRESSES];
};

static struct {
    struct mt_hal_names hal;
    pthread_mutex_t lock;
    pthread_cond_t has_question;
    bool is_running;
    bool has_failed;
    unsigned count;
    struct entry entries[MT_LINUX_NAMES_MAX];
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .has_question = PTHREAD_COND_INITIALIZER};

/* ---- the thread ------------------------------------------------------------------------------ */

static struct mt_address address_of(const struct addrinfo *info)
{
    struct mt_address address = {.network = MT_NETWORK_NONE};
    if (info->ai_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, info->ai_addr, sizeof in);
        address.network = MT_NETWORK_UDP_IPV4;
        memcpy(address.octets, &in.sin_addr, sizeof in.sin_addr);
    } else if (info->ai_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, info->ai_addr, sizeof in);
        address.network = MT_NETWORK_UDP_IPV6;
        memcpy(address.octets, &in.sin6_addr, sizeof in.sin6_addr);
    }
    return address;
}

static int family_of(enum mt_network network)
{
    switch (network) {
    case MT_NETWORK_UDP_IPV4:
        return AF_INET;
    case MT_NETWORK_UDP_IPV6:
        return AF_INET6;
    case MT_NETWORK_NONE:
    case MT_NETWORK_IEEE_802_3:
        break;
    }
    return AF_UNSPEC;
}

/* The first answer, unless the one from before is among them; or all of them. */
static void choose(const struct addrinfo *answers, struct entry *entry)
{
    const struct mt_address before = entry->addresses[0];
    size_t most = entry->network == MT_NETWORK_NONE ? MT_NAMES_ADDRESSES : 1;
    bool has_before = entry->is_known && most == 1;
    entry->count = 0;
    for (const struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
        struct mt_address address = address_of(answer);
        if (has_before && mt_address_equal(&address, &before)) {
            entry->addresses[0] = before;
            entry->count = 1;
            return;
        }
        if (entry->count < most && address.network != MT_NETWORK_NONE) {
            entry->addresses[entry->count++] = address;
        }
    }
}

static bool look_up(struct entry *entry)
{
    const struct addrinfo hints = {.ai_family = family_of(entry->network),
                                   .ai_socktype = SOCK_DGRAM};
    struct addrinfo *answers = NULL;
    if (getaddrinfo(entry->name, NULL, &hints, &answers) != 0) {
        return false;
    }
    choose(answers, entry);
    freeaddrinfo(answers);
    return entry->count > 0;
}

static struct entry *next_wanted(void)
{
    for (unsigned i = 0; i < names.count; i++) {
        if (names.entries[i].is_wanted) {
            return &names.entries[i];
        }
    }
    return NULL;
}

static void *answer_questions(void *nothing)
{
    pthread_mutex_lock(&names.lock);
    for (;;) {
        struct entry *entry = next_wanted();
        if (entry == NULL) {
            pthread_cond_wait(&names.has_question, &names.lock);
            continue;
        }
        struct entry question = *entry;
        pthread_mutex_unlock(&names.lock);
        bool is_found = look_up(&question);
        pthread_mutex_lock(&names.lock);
        entry->is_wanted = false;
        if (is_found) {
            entry->is_known = true;
            entry->count = question.count;
            memcpy(entry->addresses, question.addresses, sizeof entry->addresses);
        }
    }
    return nothing;
}

/* ---- the loop's side ------------------------------------------------------------------------- */

/* Signals are the loop's. */
static bool start(void)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(&thread, NULL, answer_questions, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_started) {
        pthread_detach(thread);
    }
    return is_started;
}

static struct entry *entry_of(const char *name, enum mt_network network)
{
    for (unsigned i = 0; i < names.count; i++) {
        struct entry *entry = &names.entries[i];
        if (entry->network == network && strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    if (names.count == MT_LINUX_NAMES_MAX || strlen(name) >= NAME_SIZE) {
        return NULL;
    }
    struct entry *entry = &names.entries[names.count++];
    entry->network = network;
    strcpy(entry->name, name);
    return entry;
}

static size_t answer(const char *name, enum mt_network network, struct mt_mono now,
                     struct mt_address *ret_addresses, size_t size)
{
    size_t count = 0;
    if (!names.is_running && !names.has_failed) {
        names.is_running = start();
        names.has_failed = !names.is_running;
    }
    pthread_mutex_lock(&names.lock);
    struct entry *entry = entry_of(name, network);
    if (entry != NULL) {
        bool is_known = entry->is_known;
        count = !is_known ? 0 : entry->count < size ? entry->count : size;
        if (!entry->is_wanted && entry->ask_at.ns <= now.ns) {
            entry->is_wanted = true;
            entry->ask_at =
                mt_mono_plus(now, is_known ? MT_LINUX_NAMES_RENEW_NS : MT_LINUX_NAMES_REPEAT_NS);
            pthread_cond_signal(&names.has_question);
        }
        memcpy(ret_addresses, entry->addresses, count * sizeof *ret_addresses);
    }
    pthread_mutex_unlock(&names.lock);
    return count;
}

static bool find(struct mt_hal_names *self, const char *name, enum mt_network network,
                 struct mt_mono now, struct mt_address *ret_address)
{
    return answer(name, network, now, ret_address, 1) > 0;
}

static size_t find_all(struct mt_hal_names *self, const char *name, struct mt_mono now,
                       struct mt_address *ret_addresses, size_t size)
{
    return answer(name, MT_NETWORK_NONE, now, ret_addresses, size);
}

struct mt_hal_names *mt_linux_names(void)
{
    static const struct mt_hal_names_ops ops = {find, find_all};
    names.hal.ops = &ops;
    return &names.hal;
}
