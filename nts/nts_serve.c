/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One thread, one poll(2), and for each connection a place that says what it waits for: handshake,
 * request, response, and then it is over.  A connection that is not over in time is closed
 * whatever it does, so nobody holds a place for longer by sending octet by octet.  When all places
 * are taken, or those that one address may have, a newcomer is closed at once, and so is whom the
 * gate does not let in: that costs no cryptography.
 *
 * Certificate and key are looked after each half minute, and when the daemon says so; files that do
 * not fit each other, or cannot be read, change nothing.
 */
#include "nts/nts_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "nts/nts_held.h"
#include "nts/nts_tls.h"

#define COUNTS_S     1
#define NETWORK_SIZE 8 /* octets of an IPv6 network */

enum stage { FREE, HANDSHAKE, REQUEST, RESPONSE };

struct connection {
    enum stage stage;
    int fd;
    struct mt_address from;
    time_t end_s;
    gnutls_session_t session;
    size_t length; /* of the octets: received, or to be sent */
    size_t sent;
    uint8_t octets[MT_NTS_RESPONSE_OWN_MAX];
};

struct server {
    const struct mt_nts_serve_options *options;
    int fd; /* to the daemon */
    bool has_ring;
    struct mt_nts_ring ring;
    struct mt_prng random;
    gnutls_certificate_credentials_t credentials; /* null: none yet */
    struct mt_nts_held held;                      /* of what files these are */
    struct mt_nts_gate gate;
    struct mt_nts_counts counts;
    time_t counts_s;
    struct connection connections[MT_NTS_CONNECTIONS];
};

static struct mt_mono mono_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mt_mono){(int64_t)now.tv_sec * MT_NS_PER_S + now.tv_nsec};
}

static time_t now_s(void)
{
    return (time_t)(mono_now().ns / MT_NS_PER_S);
}

/* ---- certificates ---------------------------------------------------------------------------- */

/* A connection that is under way uses the old ones, and begins anew. */
static void use(struct server *self, gnutls_certificate_credentials_t credentials)
{
    for (unsigned i = 0; i < MT_NTS_CONNECTIONS; i++) {
        struct connection *connection = &self->connections[i];
        if (connection->stage != FREE) {
            gnutls_deinit(connection->session);
            close(connection->fd);
            connection->stage = FREE;
            self->counts.failed++;
        }
    }
    if (self->credentials != NULL) {
        gnutls_certificate_free_credentials(self->credentials);
    }
    self->credentials = credentials;
}

static void look_after_files(struct server *self, bool must_load)
{
    gnutls_certificate_credentials_t fresh = mt_nts_held_look(&self->held, must_load);
    if (fresh != NULL) {
        use(self, fresh);
    }
}

/* ---- one connection -------------------------------------------------------------------------- */

static void drop(struct connection *connection)
{
    gnutls_deinit(connection->session);
    close(connection->fd);
    connection->stage = FREE;
}

static uint8_t make_cookies(struct server *self, const struct mt_nts_keys *keys,
                            struct mt_nts_cookie cookies[MT_NTS_COOKIES])
{
    uint8_t count = 0;
    while (count < MT_NTS_COOKIES) {
        size_t length = mt_nts_cookie_make(&mt_crypto_nettle, &self->ring, keys, &self->random,
                                           cookies[count].octets);
        if (length == 0) {
            break;
        }
        cookies[count++].length = (uint16_t)length;
    }
    return count;
}

/* The response takes the request's place. */
static void respond(struct server *self, struct connection *connection, size_t length)
{
    struct mt_nts_cookie cookies[MT_NTS_COOKIES];
    struct mt_nts_request request;
    struct mt_nts_keys keys;
    const char *server = self->options->server;
    struct mt_nts_offer offer = {server[0] != '\0' ? server : NULL, self->options->port, 0,
                                 cookies};
    mt_nts_request_read(connection->octets, length, mt_nts_aeads, mt_nts_aead_count, &request);
    if (!request.has_error && request.wants_ntp && request.has_aead) {
        if (mt_nts_tls_export(connection->session, request.aead, &keys)) {
            offer.count = make_cookies(self, &keys, cookies);
        }
        if (offer.count == 0) {
            request.has_error = true;
            request.error = MT_NTS_ERROR_INTERNAL;
        }
    }
    connection->length =
        mt_nts_response_write(&request, &offer, connection->octets, sizeof connection->octets);
    connection->sent = 0;
    connection->stage = RESPONSE;
    self->counts.served += !request.has_error;
    self->counts.failed += request.has_error;
}

enum progress { ON, WAIT, OVER, FAILED };

static enum progress progress_of(int result)
{
    return result >= 0                                                  ? ON
           : result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ? WAIT
                                                                        : FAILED;
}

static enum progress shake_hands(struct connection *connection)
{
    enum progress progress = progress_of(gnutls_handshake(connection->session));
    if (progress == ON) {
        connection->stage = REQUEST;
        progress = mt_nts_tls_is_ours(connection->session) ? ON : FAILED;
    }
    return progress;
}

static enum progress take_request(struct server *self, struct connection *connection)
{
    size_t room = MT_NTS_REQUEST_MAX - connection->length;
    ssize_t result =
        gnutls_record_recv(connection->session, connection->octets + connection->length, room);
    if (result <= 0) {
        return result == 0 ? FAILED : progress_of((int)result);
    }
    connection->length += (size_t)result;
    size_t length = mt_nts_message_length(connection->octets, connection->length);
    if (length > 0) {
        respond(self, connection, length);
    }
    return connection->length < MT_NTS_REQUEST_MAX || length > 0 ? ON : FAILED;
}

static enum progress give_response(struct connection *connection)
{
    ssize_t result = gnutls_record_send(connection->session, connection->octets + connection->sent,
                                        connection->length - connection->sent);
    if (result < 0) {
        return progress_of((int)result);
    }
    connection->sent += (size_t)result;
    if (connection->sent < connection->length) {
        return ON;
    }
    (void)gnutls_bye(connection->session, GNUTLS_SHUT_WR);
    return OVER;
}

static void work(struct server *self, struct connection *connection)
{
    enum progress progress = ON;
    enum stage stage = connection->stage;
    while (progress == ON) {
        stage = connection->stage;
        progress = stage == HANDSHAKE ? shake_hands(connection)
                   : stage == REQUEST ? take_request(self, connection)
                                      : give_response(connection);
    }
    if (progress != WAIT) {
        self->counts.failed += progress == FAILED && stage != RESPONSE;
        drop(connection);
    }
}

/* ---- newcomers ------------------------------------------------------------------------------- */

static struct mt_address address_of(const struct sockaddr_storage *any)
{
    struct mt_address address = {.network = MT_NETWORK_UDP_IPV4};
    if (any->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)any;
        address.network = MT_NETWORK_UDP_IPV6;
        memcpy(address.octets, &v6->sin6_addr, sizeof v6->sin6_addr);
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)any;
        memcpy(address.octets, &v4->sin_addr, sizeof v4->sin_addr);
    }
    return address;
}

/* As which its connections are counted. */
static struct mt_address client_of(const struct mt_address *address)
{
    struct mt_address client = *address;
    if (client.network == MT_NETWORK_UDP_IPV6) {
        memset(client.octets + NETWORK_SIZE, 0, sizeof client.octets - NETWORK_SIZE);
    }
    return client;
}

/* Null: there is none for this address. */
static struct connection *find_place(struct server *self, const struct mt_address *from)
{
    struct connection *place = NULL;
    unsigned same = 0;
    for (unsigned i = 0; i < MT_NTS_CONNECTIONS; i++) {
        struct connection *connection = &self->connections[i];
        if (connection->stage == FREE) {
            place = connection;
        } else {
            same += mt_address_equal(&connection->from, from);
        }
    }
    return same < MT_NTS_OF_ADDRESS ? place : NULL;
}

/* Whether it may come in; if not, it is counted. */
static bool is_let_in(struct server *self, const struct mt_address *address)
{
    switch (mt_nts_gate_ask(&self->gate, address, mono_now())) {
    case MT_NTS_PASSES:
        return true;
    case MT_NTS_DENIED:
        self->counts.denied++;
        return false;
    case MT_NTS_LIMITED:
        self->counts.limited++;
        return false;
    }
    return false;
}

static void begin(struct server *self, int fd, const struct mt_address *address)
{
    const struct mt_address client = client_of(address);
    struct connection *place = find_place(self, &client);
    gnutls_session_t session = NULL;
    if (place != NULL && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
        session = mt_nts_tls_new(GNUTLS_SERVER | GNUTLS_NONBLOCK, self->credentials, fd);
    }
    if (session == NULL) {
        self->counts.refused++;
        close(fd);
        return;
    }
    place->stage = HANDSHAKE;
    place->fd = fd;
    place->from = client;
    place->end_s = now_s() + (time_t)self->options->patience_s;
    place->session = session;
    place->length = 0;
    place->sent = 0;
}

static void accept_one(struct server *self, int listener)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    int fd = accept(listener, (struct sockaddr *)&from, &size);
    if (fd < 0) {
        return;
    }
    const struct mt_address address = address_of(&from);
    if (is_let_in(self, &address)) {
        begin(self, fd, &address);
    } else {
        close(fd);
    }
}

/* ---- the process ----------------------------------------------------------------------------- */

/* False: the daemon has ended. */
static bool listen_to_daemon(struct server *self)
{
    struct mt_nts_message message;
    switch (mt_nts_receive(self->fd, &message)) {
    case MT_NTS_ENDED:
        return false;
    case MT_NTS_NOTHING:
        return true;
    case MT_NTS_RECEIVED:
        break;
    }
    if (message.kind == MT_NTS_MESSAGE_RING) {
        self->ring = message.value.ring;
        self->has_ring = true;
    } else if (message.kind == MT_NTS_MESSAGE_RULES) {
        mt_nts_gate_take(&self->gate, &message.value.rules);
    } else if (message.kind == MT_NTS_MESSAGE_RELOAD) {
        look_after_files(self, true);
    }
    return true;
}

static bool has_counted(const struct mt_nts_counts *counts)
{
    return (counts->served | counts->failed | counts->refused | counts->limited | counts->denied) !=
           0;
}

static void do_what_is_due(struct server *self)
{
    time_t now = now_s();
    for (unsigned i = 0; i < MT_NTS_CONNECTIONS; i++) {
        struct connection *connection = &self->connections[i];
        if (connection->stage != FREE && now > connection->end_s) {
            self->counts.failed += connection->stage != RESPONSE;
            drop(connection);
        }
    }
    if (now >= self->held.look_s) {
        look_after_files(self, false);
    }
    const struct mt_nts_counts *counts = &self->counts;
    if (now >= self->counts_s && has_counted(counts)) {
        const struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_COUNTS,
                                               .value.counts = *counts};
        if (mt_nts_send(self->fd, &message)) {
            memset(&self->counts, 0, sizeof self->counts);
        }
        self->counts_s = now + COUNTS_S;
    }
}

struct set {
    struct pollfd members[1 + MT_NTS_LISTENERS + MT_NTS_CONNECTIONS];
    struct connection *connections[1 + MT_NTS_LISTENERS + MT_NTS_CONNECTIONS];
    nfds_t count;
};

static void put(struct set *set, int fd, short events, struct connection *connection)
{
    set->connections[set->count] = connection;
    set->members[set->count++] = (struct pollfd){fd, events, 0};
}

static void fill(struct server *self, struct set *set)
{
    set->count = 0;
    put(set, self->fd, POLLIN, NULL);
    bool may_serve = self->credentials != NULL && self->has_ring; /* else newcomers may wait */
    for (unsigned i = 0; may_serve && i < self->options->listener_count; i++) {
        put(set, self->options->listeners[i], POLLIN, NULL);
    }
    for (unsigned i = 0; i < MT_NTS_CONNECTIONS; i++) {
        struct connection *connection = &self->connections[i];
        if (connection->stage != FREE) {
            bool sends = gnutls_record_get_direction(connection->session) != 0;
            put(set, connection->fd, sends ? POLLOUT : POLLIN, connection);
        }
    }
}

/* False: the daemon has ended. */
static bool serve_set(struct server *self, const struct set *set)
{
    if (set->members[0].revents != 0 && !listen_to_daemon(self)) {
        return false;
    }
    for (nfds_t i = 1; i < set->count; i++) {
        if (set->members[i].revents == 0) {
            continue;
        }
        if (set->connections[i] == NULL) {
            accept_one(self, set->members[i].fd);
        } else if (set->connections[i]->stage != FREE) {
            work(self, set->connections[i]);
        }
    }
    return true;
}

void mt_nts_serve(void *options, int fd)
{
    static struct server server;
    struct set set;
    uint64_t seed = 0;
    server = (struct server){.options = options, .fd = fd};
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        return;
    }
    mt_prng_init(&server.random, seed);
    mt_nts_gate_init(&server.gate, server.options->rules, server.options->rate,
                     mt_prng_next_u32(&server.random), mono_now());
    server.credentials =
        mt_nts_held_begin(&server.held, fd,
                          &(struct mt_nts_pair){.certificate_path = server.options->certificate,
                                                .key_path = server.options->key,
                                                .certificate = server.options->certificate_now,
                                                .key = server.options->key_now},
                          server.options->look_s);
    do {
        do_what_is_due(&server);
        fill(&server, &set);
        (void)poll(set.members, set.count, 1000);
    } while (serve_set(&server, &set));
}

/* ---- what is opened before ------------------------------------------------------------------- */

static int open_listener(const struct sockaddr *address, socklen_t size)
{
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    if ((address->sa_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && bind(fd, address, size) == 0 &&
        listen(fd, MT_NTS_CONNECTIONS) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int mt_nts_listen(const struct mt_address *address, bool is_v6, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (address != NULL) {
        memcpy(&v4.sin_addr, address->octets, sizeof v4.sin_addr);
        memcpy(&v6.sin6_addr, address->octets, sizeof v6.sin6_addr);
    }
    return is_v6 ? open_listener((const struct sockaddr *)&v6, sizeof v6)
                 : open_listener((const struct sockaddr *)&v4, sizeof v4);
}
