/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Key exchange of NTS over loopback: our client's and our server's processes, with certificates
 * made here; certificates that must not be trusted, connections that must not be served, and
 * processes that die.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "nts/nts_ask.h"
#include "nts/nts_serve.h"
#include "nts_certificates.h"

#define DAY_S      86400
#define PATIENCE_S 2
#define WAIT_MS    15000

struct fixture {
    char folder[64];
    struct mt_nts_serve_options options;
    struct mt_nts_process server;
    struct mt_nts_ring ring;
    uint16_t port;
    struct mt_nts_question question;
    struct mt_nts_told told;
};

static void settle(void *context, int fd)
{
    (void)context;
    (void)fd;
}

static void path_of(const struct fixture *self, const char *name, char *ret_path)
{
    snprintf(ret_path, MT_NTS_PATH_SIZE, "%.60s/%s", self->folder, name);
}

static void send_ring(const struct fixture *self)
{
    const struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_RING, .value.ring = self->ring};
    assert_true(mt_nts_send(self->server.fd, &message));
}

/* The next message of that kind; others are passed over. */
static void await(int fd, enum mt_nts_message_kind kind, struct mt_nts_message *ret_message)
{
    do {
        struct pollfd member = {fd, POLLIN, 0};
        assert_int_equal(poll(&member, 1, WAIT_MS), 1);
        assert_int_equal(mt_nts_receive(fd, ret_message), MT_NTS_RECEIVED);
    } while (ret_message->kind != kind);
}

static void await_kind(const struct fixture *self, enum mt_nts_message_kind kind)
{
    struct mt_nts_message message;
    await(self->server.fd, kind, &message);
}

static void open_with(struct fixture *self, time_t from, time_t to)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    uint8_t random[MT_NTS_RING_RANDOM];
    const struct mt_address any = {.network = MT_NETWORK_UDP_IPV4, .octets = {127, 0, 0, 1}};
    memset(self, 0, sizeof *self);
    strcpy(self->folder, "/tmp/nts_ke_XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    nts_certificates_make(self->folder, from, to);
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)(i * 7);
    }
    mt_nts_ring_init(&self->ring, random);
    self->options.listeners[0] = mt_nts_listen(&any, false, 0);
    assert_true(self->options.listeners[0] >= 0);
    self->options.listener_count = 1;
    getsockname(self->options.listeners[0], (struct sockaddr *)&address, &size);
    self->port = ntohs(address.sin_port);
    self->options.port = MT_NTP_PORT;
    self->options.patience_s = PATIENCE_S;
    self->options.rate = 1000;
    path_of(self, "cert.pem", self->options.certificate);
    path_of(self, "key.pem", self->options.key);
    path_of(self, "ca.pem", self->question.ca);
    strcpy(self->question.host, "127.0.0.1");
    self->question.port = self->port;
    self->question.checks_time = true;
}

static void start(struct fixture *self)
{
    assert_true(mt_nts_process_start(&self->server, settle, mt_nts_serve, &self->options));
    await_kind(self, MT_NTS_MESSAGE_HELLO);
    send_ring(self);
}

static void open_default(struct fixture *self)
{
    open_with(self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    start(self);
}

static void close_fixture(struct fixture *self)
{
    static const char *const names[] = {"ca.pem", "cert.pem", "key.pem"};
    char path[MT_NTS_PATH_SIZE];
    mt_nts_process_stop(&self->server);
    close(self->options.listeners[0]);
    for (size_t i = 0; i < 3; i++) {
        path_of(self, names[i], path);
        unlink(path);
    }
    rmdir(self->folder);
}

static bool asks(struct fixture *self)
{
    mt_nts_ask(&self->question, &self->told);
    return self->told.is_good;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static void nts_ke_gives_both_the_same_keys_when_all_is_well(void **state)
{
    struct fixture self;
    struct mt_nts_keys keys;
    (void)state;
    open_default(&self);
    assert_true(asks(&self));
    assert_int_equal(self.told.count, MT_NTS_COOKIES);
    assert_int_equal(self.told.keys.aead, MT_AEAD_AES_SIV_CMAC_256);
    assert_memory_not_equal(self.told.keys.c2s, self.told.keys.s2c, 32);
    for (unsigned i = 0; i < MT_NTS_COOKIES; i++) {
        assert_true(mt_nts_cookie_open(&mt_crypto_nettle, &self.ring, self.told.cookies[i].octets,
                                       self.told.cookies[i].length, &keys));
        assert_memory_equal(&keys, &self.told.keys, sizeof keys);
    }
    assert_int_equal(self.told.server.network, MT_NETWORK_UDP_IPV4);
    assert_int_equal(self.told.server.udp_port, MT_NTP_PORT);
    assert_int_equal(self.told.server.octets[0], 127);
    await_kind(&self, MT_NTS_MESSAGE_COUNTS);
    close_fixture(&self);
}

static void nts_ke_names_another_server_when_it_is_told_to(void **state)
{
    struct fixture self;
    (void)state;
    open_with(&self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    strcpy(self.options.server, "127.0.0.9");
    self.options.port = 4123;
    start(&self);
    assert_true(asks(&self));
    assert_int_equal(self.told.server.octets[3], 9);
    assert_int_equal(self.told.server.udp_port, 4123);
    close_fixture(&self);
}

static void nts_ke_takes_the_new_certificate_when_it_is_told_to_reload(void **state)
{
    const struct mt_nts_message reload = {.kind = MT_NTS_MESSAGE_RELOAD};
    struct fixture self;
    FILE *file;
    (void)state;
    open_default(&self);
    assert_true(asks(&self));
    nts_certificates_make(self.folder, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_false(asks(&self));
    assert_true(self.told.was_reached); /* by the new authority the old certificate is not signed */
    assert_true(mt_nts_send(self.server.fd, &reload));
    await_kind(&self, MT_NTS_MESSAGE_SAY);
    assert_true(asks(&self));
    file = fopen(self.options.certificate, "w"); /* nonsense changes nothing */
    assert_non_null(file);
    fclose(file);
    assert_true(mt_nts_send(self.server.fd, &reload));
    await_kind(&self, MT_NTS_MESSAGE_SAY);
    assert_true(asks(&self));
    close_fixture(&self);
}

static void nts_ke_serves_and_says_so_when_the_certificate_has_expired(void **state)
{
    struct mt_nts_message message;
    struct fixture self;
    (void)state;
    open_with(&self, time(NULL) - 2 * DAY_S, time(NULL) - DAY_S);
    assert_true(mt_nts_process_start(&self.server, settle, mt_nts_serve, &self.options));
    await(self.server.fd, MT_NTS_MESSAGE_SAY, &message);
    assert_true(message.value.said.is_warning);
    assert_non_null(strstr(message.value.said.text, "so clients refuse it"));
    await(self.server.fd, MT_NTS_MESSAGE_FAULT, &message);
    assert_non_null(strstr(message.value.said.text, "so clients refuse it"));
    send_ring(&self);
    self.question.checks_time = false; /* it may be the clock that is wrong */
    assert_true(asks(&self));
    close_fixture(&self);
}

/* ---- whom to trust --------------------------------------------------------------------------- */

static void nts_ke_is_refused_when_the_certificate_is_of_nobody_we_trust(void **state)
{
    struct fixture self;
    (void)state;
    open_default(&self);
    self.question.ca[0] = '\0';
    assert_false(asks(&self));
    assert_true(self.told.was_reached);
    assert_non_null(strstr(self.told.reason, "issuer"));
    assert_non_null(strstr(self.told.reason, "nts_ca can name its file"));
    self.question.checks_time = false; /* which is no reason to trust anybody */
    assert_false(asks(&self));
    close_fixture(&self);
}

static void nts_ke_is_refused_when_the_certificate_is_for_another_name(void **state)
{
    struct fixture self;
    (void)state;
    open_default(&self);
    strcpy(self.question.host, "127.0.0.2");
    close(self.options.listeners[0]);
    assert_false(asks(&self)); /* nobody listens there */
    assert_false(self.told.was_reached);
    close_fixture(&self);

    open_with(&self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    close(self.options.listeners[0]);
    self.options.listeners[0] = mt_nts_listen(NULL, false, self.port);
    start(&self);
    strcpy(self.question.host, "127.0.0.2");
    assert_false(asks(&self));
    assert_true(self.told.was_reached);
    assert_non_null(strstr(self.told.reason, "does not match 127.0.0.2"));
    close_fixture(&self);
}

static void nts_ke_looks_at_dates_when_it_knows_what_time_it_is(void **state)
{
    struct fixture self;
    const time_t then = time(NULL) - 100 * DAY_S;
    (void)state;
    open_with(&self, then, then + DAY_S);
    start(&self);
    assert_false(asks(&self));
    assert_non_null(strstr(self.told.reason, "the certificate has expired, if it is 2"));
    self.question.utc_s = then + 3600;
    assert_true(asks(&self));
    self.question.utc_s = 1600000000;
    assert_false(asks(&self));
    assert_string_equal(self.told.reason,
                        "the certificate is not valid yet, if it is 2020-09-13 12:26 UTC now");
    self.question.checks_time = false;
    assert_true(asks(&self));
    gnutls_global_set_time_function(time);
    close_fixture(&self);
}

/* ---- whom to serve --------------------------------------------------------------------------- */

static int connect_to(const struct fixture *self)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(self->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Within so many ms. */
static bool is_closed(int fd, int patience_ms)
{
    uint8_t octet;
    struct pollfd member = {fd, POLLIN, 0};
    return poll(&member, 1, patience_ms) == 1 && recv(fd, &octet, 1, MSG_DONTWAIT) <= 0;
}

/* Connections that are opened and never end have stopped others. */
static void nts_ke_serves_again_when_silent_connections_have_taken_all_places(void **state)
{
    struct fixture self;
    int fds[MT_NTS_OF_ADDRESS + 4];
    (void)state;
    open_default(&self);
    for (unsigned i = 0; i < MT_NTS_OF_ADDRESS + 4; i++) {
        fds[i] = connect_to(&self);
    }
    for (unsigned i = MT_NTS_OF_ADDRESS; i < MT_NTS_OF_ADDRESS + 4; i++) {
        assert_true(is_closed(fds[i], 1000));
    }
    assert_false(asks(&self));
    assert_false(is_closed(fds[0], 0));
    for (unsigned i = 0; i < MT_NTS_OF_ADDRESS; i++) {
        assert_true(is_closed(fds[i], (PATIENCE_S + 3) * 1000));
    }
    assert_true(asks(&self));
    for (unsigned i = 0; i < MT_NTS_OF_ADDRESS + 4; i++) {
        close(fds[i]);
    }
    close_fixture(&self);
}

static struct mt_nts_counts counts_of(const struct fixture *self)
{
    struct mt_nts_message message;
    await(self->server.fd, MT_NTS_MESSAGE_COUNTS, &message);
    return message.value.counts;
}

/* Each handshake costs the server far more than the client. */
static void nts_ke_shuts_the_door_when_more_come_in_a_second_than_it_serves(void **state)
{
    struct fixture self;
    (void)state;
    open_with(&self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    self.options.rate = 1;
    start(&self);
    assert_true(asks(&self));
    int fd = connect_to(&self);
    assert_true(is_closed(fd, 500));
    close(fd);
    struct mt_nts_counts counts = counts_of(&self);
    if (counts.limited == 0) { /* the first report may have been between the two */
        assert_int_equal(counts.served, 1);
        counts = counts_of(&self);
    }
    assert_int_equal(counts.limited, 1);
    assert_int_equal(counts.refused + counts.failed + counts.denied, 0);
    poll(NULL, 0, 1100);
    assert_true(asks(&self));
    close_fixture(&self);
}

static void nts_ke_lets_clients_wait_when_it_has_no_keys_for_cookies_yet(void **state)
{
    struct fixture self;
    (void)state;
    open_with(&self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_true(mt_nts_process_start(&self.server, settle, mt_nts_serve, &self.options));
    await_kind(&self, MT_NTS_MESSAGE_HELLO);
    int fd = connect_to(&self);
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, 500);
    assert_int_equal(gnutls_handshake(session), GNUTLS_E_TIMEDOUT);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    close(fd);
    send_ring(&self);
    assert_true(asks(&self));
    close_fixture(&self);
}

/* A client that does as it is told: the handshake's result, and then what the server answers. */
static int handshake_as(const struct fixture *self, const char *priorities, const char *protocol,
                        gnutls_session_t *ret_session, int *ret_fd,
                        gnutls_certificate_credentials_t *ret_credentials)
{
    const gnutls_datum_t alpn = {(unsigned char *)(uintptr_t)protocol, (unsigned)strlen(protocol)};
    gnutls_certificate_allocate_credentials(ret_credentials);
    gnutls_init(ret_session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(*ret_session, priorities, NULL);
    if (protocol[0] != '\0') {
        gnutls_alpn_set_protocols(*ret_session, &alpn, 1, 0);
    }
    gnutls_credentials_set(*ret_session, GNUTLS_CRD_CERTIFICATE, *ret_credentials);
    *ret_fd = connect_to(self);
    gnutls_transport_set_int(*ret_session, *ret_fd);
    return gnutls_handshake(*ret_session);
}

static bool is_answered_as(const struct fixture *self, const char *priorities, const char *protocol,
                           const uint8_t *octets, size_t length)
{
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    uint8_t answer[MT_NTS_RESPONSE_OWN_MAX];
    int fd;
    bool is_answered = handshake_as(self, priorities, protocol, &session, &fd, &credentials) == 0 &&
                       gnutls_record_send(session, octets, length) == (ssize_t)length &&
                       gnutls_record_recv(session, answer, sizeof answer) > 0;
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    close(fd);
    return is_answered;
}

static void nts_ke_serves_nobody_when_it_is_not_tls_1_3_and_this_protocol(void **state)
{
    static const enum mt_aead aeads[] = {MT_AEAD_AES_SIV_CMAC_256};
    struct fixture self;
    uint8_t request[64];
    uint8_t junk[2 * MT_NTS_REQUEST_MAX] = {0};
    (void)state;
    open_default(&self);
    size_t length = mt_nts_request_write(aeads, 1, request, sizeof request);
    assert_true(is_answered_as(&self, "NORMAL", "ntske/1", request, length));
    assert_false(
        is_answered_as(&self, "NORMAL:-VERS-ALL:+VERS-TLS1.2", "ntske/1", request, length));
    assert_false(is_answered_as(&self, "NORMAL", "h2", request, length));
    assert_false(is_answered_as(&self, "NORMAL", "", request, length));
    /* records without an end */
    for (size_t i = 0; i < sizeof junk; i += 4) {
        junk[i] = 4;
    }
    assert_false(is_answered_as(&self, "NORMAL", "ntske/1", junk, sizeof junk));
    assert_true(asks(&self));
    close_fixture(&self);
}

/* ---- processes ------------------------------------------------------------------------------- */

static pid_t child_of(pid_t parent)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

static void nts_process_begins_again_when_it_has_died(void **state)
{
    struct fixture self;
    struct mt_nts_message message;
    (void)state;
    open_default(&self);
    assert_true(asks(&self));
    kill(child_of(self.server.keeper), SIGKILL);
    await(self.server.fd, MT_NTS_MESSAGE_SAY, &message);
    assert_true(message.value.said.is_warning);
    await_kind(&self, MT_NTS_MESSAGE_HELLO);
    send_ring(&self);
    assert_true(asks(&self));
    close_fixture(&self);
}

static void nts_process_ends_when_its_socket_does(void **state)
{
    struct fixture self;
    (void)state;
    open_default(&self);
    pid_t child = child_of(self.server.keeper);
    mt_nts_process_stop(&self.server);
    for (unsigned i = 0; i < 500 && kill(child, 0) == 0; i++) {
        usleep(10000);
    }
    assert_int_not_equal(kill(child, 0), 0);
    close_fixture(&self);
}

static void nts_process_is_not_kept_when_its_socket_ends_before_it_begins_again(void **state)
{
    struct fixture self;
    struct mt_nts_message message;
    int status;
    pid_t ended = 0;
    (void)state;
    open_default(&self);
    pid_t keeper = self.server.keeper;
    kill(child_of(keeper), SIGKILL);
    await_kind(&self, MT_NTS_MESSAGE_HELLO);
    kill(child_of(keeper), SIGKILL);
    await(self.server.fd, MT_NTS_MESSAGE_SAY, &message);
    assert_non_null(strstr(message.value.said.text, "again in 2 s"));
    mt_nts_process_stop(&self.server);
    for (unsigned i = 0; i < 100 && ended == 0; i++) {
        usleep(10000);
        ended = waitpid(keeper, &status, WNOHANG);
    }
    assert_int_equal(ended, keeper);
    close_fixture(&self);
}

static void nts_process_tells_keys_when_it_is_asked_for_them(void **state)
{
    struct fixture self;
    struct mt_nts_process client;
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_ASK};
    struct mt_nts_keys keys;
    (void)state;
    open_default(&self);
    assert_true(mt_nts_process_start(&client, settle, mt_nts_answer_questions, NULL));
    message.value.question = self.question;
    message.value.question.source = 3;
    message.value.question.attempt = 77;
    assert_true(mt_nts_send(client.fd, &message));
    await(client.fd, MT_NTS_MESSAGE_TOLD, &message);
    assert_true(message.value.told.is_good);
    assert_int_equal(message.value.told.source, 3);
    assert_int_equal(message.value.told.attempt, 77);
    assert_true(mt_nts_cookie_open(&mt_crypto_nettle, &self.ring,
                                   message.value.told.cookies[0].octets,
                                   message.value.told.cookies[0].length, &keys));
    assert_memory_equal(&keys, &message.value.told.keys, sizeof keys);
    mt_nts_process_stop(&client);
    close_fixture(&self);
}

static void nts_messages_are_dropped_when_a_process_says_what_cannot_be(void **state)
{
    int ends[2];
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_TOLD};
    struct mt_nts_message received;
    struct mt_nts_told *told = &message.value.told;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    *told = (struct mt_nts_told){.is_good = true,
                                 .count = 1,
                                 .keys.aead = MT_AEAD_AES_SIV_CMAC_256,
                                 .server.network = MT_NETWORK_UDP_IPV4};
    assert_true(mt_nts_send(ends[0], &message));
    assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_RECEIVED);
    for (unsigned wrong = 0; wrong < 5; wrong++) {
        struct mt_nts_message bad = message;
        bad.kind = wrong == 0 ? (enum mt_nts_message_kind)99 : bad.kind;
        bad.value.told.count = wrong == 1 ? MT_NTS_COOKIES + 1 : 1;
        bad.value.told.cookies[0].length = wrong == 2 ? MT_NTS_COOKIE_MAX + 1 : 4;
        bad.value.told.keys.aead = wrong == 3 ? (enum mt_aead)1 : MT_AEAD_AES_SIV_CMAC_256;
        bad.value.told.server.network = wrong == 4 ? MT_NETWORK_NONE : MT_NETWORK_UDP_IPV4;
        assert_true(mt_nts_send(ends[0], &bad));
        assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_NOTHING);
    }
    assert_int_equal(send(ends[0], &message, 9, 0), 9);
    assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_NOTHING);
    assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_NOTHING); /* there is none */
    memset(told->reason, 'x', sizeof told->reason);
    told->is_good = false;
    assert_true(mt_nts_send(ends[0], &message));
    assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_RECEIVED);
    assert_int_equal(strlen(received.value.told.reason), MT_NTS_REASON_SIZE - 1);
    close(ends[0]);
    assert_int_equal(mt_nts_receive(ends[1], &received), MT_NTS_ENDED);
    close(ends[1]);
}

static void nts_retry_is_later_each_time_when_it_fails(void **state)
{
    (void)state;
    assert_int_equal(mt_nts_retry_s(1, false), 16);
    assert_int_equal(mt_nts_retry_s(2, false), 32);
    assert_int_equal(mt_nts_retry_s(1, true), 1024);
    assert_int_equal(mt_nts_retry_s(10, true), 1 << 19);
    assert_int_equal(mt_nts_retry_s(UINT32_MAX, false), 1 << 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_ke_gives_both_the_same_keys_when_all_is_well),
        cmocka_unit_test(nts_ke_names_another_server_when_it_is_told_to),
        cmocka_unit_test(nts_ke_takes_the_new_certificate_when_it_is_told_to_reload),
        cmocka_unit_test(nts_ke_serves_and_says_so_when_the_certificate_has_expired),
        cmocka_unit_test(nts_ke_is_refused_when_the_certificate_is_of_nobody_we_trust),
        cmocka_unit_test(nts_ke_is_refused_when_the_certificate_is_for_another_name),
        cmocka_unit_test(nts_ke_looks_at_dates_when_it_knows_what_time_it_is),
        cmocka_unit_test(nts_ke_serves_again_when_silent_connections_have_taken_all_places),
        cmocka_unit_test(nts_ke_shuts_the_door_when_more_come_in_a_second_than_it_serves),
        cmocka_unit_test(nts_ke_lets_clients_wait_when_it_has_no_keys_for_cookies_yet),
        cmocka_unit_test(nts_ke_serves_nobody_when_it_is_not_tls_1_3_and_this_protocol),
        cmocka_unit_test(nts_process_begins_again_when_it_has_died),
        cmocka_unit_test(nts_process_ends_when_its_socket_does),
        cmocka_unit_test(nts_process_is_not_kept_when_its_socket_ends_before_it_begins_again),
        cmocka_unit_test(nts_process_tells_keys_when_it_is_asked_for_them),
        cmocka_unit_test(nts_messages_are_dropped_when_a_process_says_what_cannot_be),
        cmocka_unit_test(nts_retry_is_later_each_time_when_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
