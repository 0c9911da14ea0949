/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The exchange is written as one would tell it: look up the name, connect, shake hands, say what is
 * wanted, read what is offered.  That it may take its time is why it runs in a process that nobody
 * waits for; an alarm ends it if nothing else does.
 *
 * Whoever asks while the clock is not right yet may say what time to judge certificates by, or that
 * their dates are not to be judged; who signed them and for whom is judged always.
 */
#include "nts/nts_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <gnutls/x509.h>

#include "nts/nts_files.h"
#include "nts/nts_tls.h"

#define CONNECT_MS    3000
#define ADDRESSES     4 /* of a name that are tried */
#define IO_S          5
#define RETRY_CONNECT 4  /* log2 s */
#define RETRY_TLS     10 /* log2 s */
#define RETRY_MOST    19 /* log2 s */

static void fail(struct mt_nts_told *told, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct mt_nts_told *told, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(told->reason, sizeof told->reason, format, arguments);
    va_end(arguments);
}

int64_t mt_nts_retry_s(uint32_t attempt, bool was_reached)
{
    uint32_t log2s = (was_reached ? RETRY_TLS : RETRY_CONNECT) + (attempt > 0 ? attempt - 1 : 0);
    return INT64_C(1) << (log2s < RETRY_MOST && attempt <= RETRY_MOST ? log2s : RETRY_MOST);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static struct addrinfo *look_up(const char *host, uint16_t port, int type, const char **ret_error)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = type,
        .ai_flags = AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    int error = getaddrinfo(host, service, &hints, &found);
    *ret_error = error != 0 ? gai_strerror(error) : NULL;
    return error == 0 ? found : NULL;
}

static bool take_address(const struct sockaddr *any, uint16_t port, struct mt_address *ret_address)
{
    *ret_address = (struct mt_address){.network = MT_NETWORK_NONE, .udp_port = port};
    if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)any;
        ret_address->network = MT_NETWORK_UDP_IPV6;
        memcpy(ret_address->octets, &v6->sin6_addr, sizeof v6->sin6_addr);
    } else if (any->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)any;
        ret_address->network = MT_NETWORK_UDP_IPV4;
        memcpy(ret_address->octets, &v4->sin_addr, sizeof v4->sin_addr);
    }
    return ret_address->network != MT_NETWORK_NONE;
}

static bool is_connected(int fd)
{
    struct pollfd member = {fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    if (poll(&member, 1, CONNECT_MS) <= 0) {
        errno = ETIMEDOUT;
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        errno = error;
        return false;
    }
    return true;
}

/* Blocking from then on, but not for ever; -1 with errno. */
static int connect_one(const struct addrinfo *to)
{
    const struct timeval patience = {.tv_sec = IO_S};
    int fd = socket(to->ai_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
        (connect(fd, to->ai_addr, to->ai_addrlen) == 0 ||
         (errno == EINPROGRESS && is_connected(fd))) &&
        fcntl(fd, F_SETFL, 0) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool is_among(const struct mt_address *address, const struct mt_address *others,
                     uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        if (mt_address_equal(address, &others[i])) {
            return true;
        }
    }
    return false;
}

enum rank { FIRST, ANY, LAST, NEVER };

static enum rank rank_of(const struct mt_address *address, const struct mt_nts_choice *choice)
{
    return is_among(address, choice->others, choice->other_count) ? NEVER
           : mt_address_equal(address, &choice->first)            ? FIRST
           : mt_address_equal(address, &choice->last)             ? LAST
                                                                  : ANY;
}

/* The first one of that rank that takes the connection; `tries` is how many may still be tried. */
static int connect_rank(const struct addrinfo *all, enum rank rank,
                        const struct mt_nts_choice *choice, unsigned *tries,
                        struct mt_nts_told *told)
{
    int fd = -1;
    for (const struct addrinfo *at = all; at != NULL && fd < 0 && *tries > 0; at = at->ai_next) {
        struct mt_address address;
        if (take_address(at->ai_addr, MT_NTP_PORT, &address) && rank_of(&address, choice) == rank) {
            (*tries)--;
            told->peer = told->server = address;
            fd = connect_one(at);
        }
    }
    return fd;
}

static int connect_any(const struct mt_nts_question *question, struct mt_nts_told *told)
{
    const char *error;
    unsigned tries = ADDRESSES;
    int fd = -1;
    struct addrinfo *all = look_up(question->host, question->port, SOCK_STREAM, &error);
    if (all == NULL) {
        fail(told, "the address of %.100s cannot be found: %s", question->host, error);
        return -1;
    }
    for (enum rank rank = FIRST; rank < NEVER && fd < 0; rank++) {
        fd = connect_rank(all, rank, &question->choice, &tries, told);
    }
    if (fd < 0 && told->peer.network == MT_NETWORK_NONE) {
        fail(told, "all servers of %.100s are asked already", question->host);
    } else if (fd < 0) {
        fail(told, "cannot connect to port %u of %.100s: %s", question->port, question->host,
             strerror(errno));
    }
    freeaddrinfo(all);
    return fd;
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static int64_t base_utc_s;
static struct timespec base;

/* As the daemon knows it, whatever the machine says. */
static time_t told_time(time_t *ret_time)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t time = (time_t)base_utc_s + (now.tv_sec - base.tv_sec);
    if (ret_time != NULL) {
        *ret_time = time;
    }
    return time;
}

static bool trust(gnutls_certificate_credentials_t credentials, const char *ca,
                  struct mt_nts_told *told)
{
    if (ca[0] == '\0') {
        (void)gnutls_certificate_set_x509_system_trust(credentials);
    } else if (!mt_nts_authorities_load(credentials, ca, told->reason)) {
        return false;
    }
    return true;
}

static bool is_name(const char *host)
{
    uint8_t octets[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, octets) != 1 && inet_pton(AF_INET6, host, octets) != 1;
}

/* Without what would stand before a semicolon. */
static void trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '.')) {
        text[--length] = '\0';
    }
}

static void tell_date(const char *what, const struct mt_nts_question *question,
                      struct mt_nts_told *told)
{
    time_t now = question->utc_s != 0 ? told_time(NULL) : time(NULL);
    struct tm utc;
    char date[32];
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    fail(told, "the certificate %s, if it is %s now", what, date);
}

/* What is wrong most often, with what to look at; all else in the words of GnuTLS. */
static void tell_certificate(unsigned status, const struct mt_nts_question *question,
                             struct mt_nts_told *told)
{
    gnutls_datum_t text = {NULL, 0};
    if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) {
        fail(told, "the issuer of the certificate is %s",
             question->ca[0] != '\0' ? "not in the file that nts_ca names"
                                     : "none that this machine trusts: nts_ca can name its file");
    } else if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) {
        fail(told, "the name in the certificate does not match %.100s", question->host);
    } else if ((status & GNUTLS_CERT_EXPIRED) != 0) {
        tell_date("has expired", question, told);
    } else if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0) {
        tell_date("is not valid yet", question, told);
    } else if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) ==
               0) {
        fail(told, "%.*s", (int)text.size, (const char *)text.data);
        trim(told->reason);
        gnutls_free(text.data);
    } else {
        fail(told, "the certificate is not trusted");
    }
}

static void tell_handshake(gnutls_session_t session, int error,
                           const struct mt_nts_question *question, struct mt_nts_told *told)
{
    /* a connection that just ends is nobody's opinion */
    told->was_reached = error != GNUTLS_E_PULL_ERROR && error != GNUTLS_E_PUSH_ERROR &&
                        error != GNUTLS_E_PREMATURE_TERMINATION && error != GNUTLS_E_AGAIN &&
                        error != GNUTLS_E_TIMEDOUT;
    if (error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
        tell_certificate(gnutls_session_get_verify_cert_status(session), question, told);
    } else if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        fail(told, "the server says: %s", gnutls_alert_get_name(gnutls_alert_get(session)));
    } else if (error == GNUTLS_E_AGAIN || error == GNUTLS_E_TIMEDOUT) {
        fail(told, "the server says nothing");
    } else if (!told->was_reached) {
        fail(told, "the server has closed the connection");
    } else {
        fail(told, "TLS: %s", gnutls_strerror(error));
        trim(told->reason);
    }
}

static bool shake_hands(gnutls_session_t session, const struct mt_nts_question *question,
                        struct mt_nts_told *told)
{
    int error;
    if (is_name(question->host)) {
        gnutls_server_name_set(session, GNUTLS_NAME_DNS, question->host, strlen(question->host));
    }
    gnutls_session_set_verify_cert(session, question->host,
                                   question->checks_time ? 0 : GNUTLS_VERIFY_DISABLE_TIME_CHECKS);
    do {
        error = gnutls_handshake(session);
    } while (error == GNUTLS_E_INTERRUPTED || error == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (error != 0) {
        tell_handshake(session, error, question, told);
        return false;
    }
    if (!mt_nts_tls_is_ours(session)) {
        fail(told, "port %u is not one of NTS key exchange", question->port);
        return false;
    }
    return true;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static int64_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* The octets of a whole message; 0: it has not come.  GnuTLS says AGAIN when a time-out is over,
 * and also when what came was a session's ticket, which most servers send before they answer. */
static size_t receive(gnutls_session_t session, uint8_t *octets, size_t capacity)
{
    const int64_t end_s = monotonic_s() + IO_S;
    size_t length = 0;
    while (length < capacity) {
        ssize_t more = gnutls_record_recv(session, octets + length, capacity - length);
        if (more == GNUTLS_E_INTERRUPTED || (more == GNUTLS_E_AGAIN && monotonic_s() < end_s)) {
            continue;
        }
        if (more <= 0) {
            break;
        }
        length += (size_t)more;
        size_t whole = mt_nts_message_length(octets, length);
        if (whole > 0) {
            return whole;
        }
    }
    return 0;
}

static void tell_response(enum mt_nts_response_verdict verdict,
                          const struct mt_nts_response *response, struct mt_nts_told *told)
{
    static const char *const errors[] = {"it does not know a record that we sent",
                                         "it takes our request for malformed",
                                         "it has an error of its own"};
    switch (verdict) {
    case MT_NTS_RESPONSE_ERROR:
        fail(told, "the server says: %s",
             response->error <= MT_NTS_ERROR_INTERNAL ? errors[response->error] : "an error");
        break;
    case MT_NTS_RESPONSE_PROTOCOL:
        fail(told, "the server offers no NTP version 4");
        break;
    case MT_NTS_RESPONSE_AEAD:
        fail(told, "the server has none of our algorithms");
        break;
    case MT_NTS_RESPONSE_COOKIES:
        fail(told, "the server gave no cookies that can be used");
        break;
    case MT_NTS_RESPONSE_BROKEN:
    case MT_NTS_RESPONSE_GOOD:
        fail(told, "what the server said cannot be understood");
        break;
    }
}

static bool find_server(const struct mt_nts_question *question,
                        const struct mt_nts_response *response, struct mt_nts_told *told)
{
    const char *error;
    told->server.udp_port = response->port;
    if (response->server[0] == '\0') {
        return true;
    }
    struct addrinfo *found = look_up(response->server, response->port, SOCK_DGRAM, &error);
    if (found == NULL) {
        fail(told, "the address of %.100s cannot be found: %s", response->server, error);
        return false;
    }
    bool is_good = take_address(found->ai_addr, response->port, &told->server);
    freeaddrinfo(found);
    return is_good;
}

static bool talk(gnutls_session_t session, const struct mt_nts_question *question,
                 struct mt_nts_told *told)
{
    static uint8_t octets[MT_NTS_RESPONSE_MAX];
    static struct mt_nts_response response;
    size_t length = mt_nts_request_write(mt_nts_aeads, mt_nts_aead_count, octets, sizeof octets);
    if (gnutls_record_send(session, octets, length) != (ssize_t)length) {
        fail(told, "the server has ended the connection");
        return false;
    }
    length = receive(session, octets, sizeof octets);
    if (length == 0) {
        fail(told, "the server gave no answer");
        return false;
    }
    enum mt_nts_response_verdict verdict =
        mt_nts_response_read(octets, length, mt_nts_aeads, mt_nts_aead_count, &response);
    if (verdict != MT_NTS_RESPONSE_GOOD) {
        tell_response(verdict, &response, told);
        return false;
    }
    if (!mt_nts_tls_export(session, response.aead, &told->keys)) {
        fail(told, "TLS gives no keys");
        return false;
    }
    told->count = response.count;
    memcpy(told->cookies, response.cookies, sizeof told->cookies);
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    return find_server(question, &response, told);
}

static bool exchange(int fd, gnutls_certificate_credentials_t credentials,
                     const struct mt_nts_question *question, struct mt_nts_told *told)
{
    gnutls_session_t session = mt_nts_tls_new(GNUTLS_CLIENT, credentials, fd);
    if (session == NULL) {
        fail(told, "TLS cannot be used");
        return false;
    }
    bool is_good = shake_hands(session, question, told) && talk(session, question, told);
    gnutls_deinit(session);
    return is_good;
}

void mt_nts_ask(const struct mt_nts_question *question, struct mt_nts_told *ret_told)
{
    gnutls_certificate_credentials_t credentials;
    *ret_told = (struct mt_nts_told){.source = question->source, .attempt = question->attempt};
    if (question->utc_s != 0) {
        base_utc_s = question->utc_s;
        clock_gettime(CLOCK_MONOTONIC, &base);
        gnutls_global_set_time_function(told_time);
    }
    if (gnutls_certificate_allocate_credentials(&credentials) != 0) {
        fail(ret_told, "out of memory");
        return;
    }
    if (trust(credentials, question->ca, ret_told)) {
        int fd = connect_any(question, ret_told);
        if (fd >= 0) {
            ret_told->was_reached = true;
            ret_told->is_good = exchange(fd, credentials, question, ret_told);
            close(fd);
        }
    }
    gnutls_certificate_free_credentials(credentials);
}

/* ---- the process ----------------------------------------------------------------------------- */

static void answer(int fd, const struct mt_nts_question *question)
{
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_TOLD};
    alarm(MT_NTS_ASK_LIMIT_S);
    mt_nts_ask(question, &message.value.told);
    (void)mt_nts_send(fd, &message);
}

void mt_nts_answer_questions(void *context, int fd)
{
    struct mt_nts_message message;
    struct pollfd member = {fd, POLLIN, 0};
    enum mt_nts_received received = MT_NTS_NOTHING;
    (void)context;
    signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    while (received != MT_NTS_ENDED) {
        (void)poll(&member, 1, -1);
        received = mt_nts_receive(fd, &message);
        if (received == MT_NTS_RECEIVED && message.kind == MT_NTS_MESSAGE_ASK && fork() == 0) {
            answer(fd, &message.value.question);
            _exit(0);
        }
    }
}
