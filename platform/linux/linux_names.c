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
    struct mt_address address;
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

/* The first answer, unless `before` is among them. */
static bool look_up(const struct entry *before, struct mt_address *ret_address)
{
    const struct addrinfo hints = {.ai_family =
                                       before->network == MT_NETWORK_UDP_IPV6 ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_DGRAM};
    struct addrinfo *answers = NULL;
    bool is_found = false;
    if (getaddrinfo(before->name, NULL, &hints, &answers) != 0) {
        return false;
    }
    for (const struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
        struct mt_address address = address_of(answer);
        bool is_same = before->is_known && mt_address_equal(&address, &before->address);
        if (!is_found || is_same) {
            *ret_address = address;
        }
        is_found = true;
        if (is_same) {
            break;
        }
    }
    freeaddrinfo(answers);
    return is_found;
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
        struct mt_address address;
        pthread_mutex_unlock(&names.lock);
        bool is_found = look_up(&question, &address);
        pthread_mutex_lock(&names.lock);
        entry->is_wanted = false;
        if (is_found) {
            entry->is_known = true;
            entry->address = address;
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

static bool find(struct mt_hal_names *self, const char *name, enum mt_network network,
                 struct mt_mono now, struct mt_address *ret_address)
{
    bool is_known = false;
    if (!names.is_running && !names.has_failed) {
        names.is_running = start();
        names.has_failed = !names.is_running;
    }
    pthread_mutex_lock(&names.lock);
    struct entry *entry = entry_of(name, network);
    if (entry != NULL) {
        is_known = entry->is_known;
        if (!entry->is_wanted && entry->ask_at.ns <= now.ns) {
            entry->is_wanted = true;
            entry->ask_at =
                mt_mono_plus(now, is_known ? MT_LINUX_NAMES_RENEW_NS : MT_LINUX_NAMES_REPEAT_NS);
            pthread_cond_signal(&names.has_question);
        }
        if (is_known) {
            *ret_address = entry->address;
        }
    }
    pthread_mutex_unlock(&names.lock);
    return is_known;
}

struct mt_hal_names *mt_linux_names(void)
{
    static const struct mt_hal_names_ops ops = {find};
    names.hal.ops = &ops;
    return &names.hal;
}
