/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The keeper does nothing but wait for its process, so that there is little in it that could
 * break.  It holds the process's end of the socket open meanwhile, so that the daemon notices
 * nothing of a death but a second hello.
 */
#include "nts/nts_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_LEAST_S 1
#define PAUSE_MOST_S  64
#define LONG_LIFE_S   60 /* who lived so long has not died at once */
#define END_MS        3000
#define STEP_MS       5

/* ---- processes ------------------------------------------------------------------------------- */

static void reset_signals(void)
{
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGHUP, SIG_IGN); /* what is to be done then the daemon says */
    signal(SIGPIPE, SIG_IGN);
}

/* True if it ended by itself. */
static bool await(pid_t process)
{
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* False: the daemon has ended meanwhile; its next one wants the ports that are held open here. */
static bool pause_s(int fd, time_t seconds)
{
    struct pollfd daemon = {fd, 0, 0};
    return poll(&daemon, 1, (int)seconds * 1000) <= 0;
}

static void keep(mt_nts_work *work, void *context, int fd)
{
    time_t pause = PAUSE_LEAST_S;
    for (;;) {
        struct timespec begin;
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        pid_t process = fork();
        if (process == 0) {
            const struct mt_nts_message hello = {.kind = MT_NTS_MESSAGE_HELLO};
            (void)mt_nts_send(fd, &hello);
            work(context, fd);
            _exit(0);
        }
        if (process > 0 && await(process)) {
            return;
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        pause = end.tv_sec - begin.tv_sec >= LONG_LIFE_S ? PAUSE_LEAST_S : pause;
        mt_nts_say(fd, true, "the process for NTS key exchange has died; it begins again in %d s",
                   (int)pause);
        if (!pause_s(fd, pause)) {
            return;
        }
        pause = 2 * pause < PAUSE_MOST_S ? 2 * pause : PAUSE_MOST_S;
    }
}

static bool set_flags(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

bool mt_nts_process_start(struct mt_nts_process *self, mt_nts_work *settle, mt_nts_work *work,
                          void *context)
{
    int ends[2];
    *self = (struct mt_nts_process){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        return false;
    }
    self->keeper = set_flags(ends[0]) && set_flags(ends[1]) ? fork() : -1;
    if (self->keeper == 0) {
        close(ends[0]);
        reset_signals();
        prctl(PR_SET_NAME, "meantimed-nts");
        settle(context, ends[1]);
        keep(work, context, ends[1]);
        _exit(0);
    }
    int error = errno;
    close(ends[1]);
    if (self->keeper < 0) {
        close(ends[0]);
        errno = error;
        return false;
    }
    self->fd = ends[0];
    return true;
}

void mt_nts_process_stop(struct mt_nts_process *self)
{
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
}

void mt_nts_process_await(struct mt_nts_process *self)
{
    for (int waited_ms = 0; self->keeper > 0 && waited_ms < END_MS; waited_ms += STEP_MS) {
        if (waitpid(self->keeper, NULL, WNOHANG) != 0) {
            self->keeper = 0;
        } else {
            (void)poll(NULL, 0, STEP_MS);
        }
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

bool mt_nts_send(int fd, const struct mt_nts_message *message)
{
    return send(fd, message, sizeof *message, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

bool mt_nts_send_rules(int fd, const struct mt_ntp_server *server, uint16_t *next)
{
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_RULES};
    do {
        uint16_t after = mt_nts_rules_part(server, *next, &message.value.rules);
        if (!mt_nts_send(fd, &message)) {
            return false;
        }
        *next = after;
    } while (*next < server->rule_count);
    return true;
}

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

/* Who has broken the process shall not break the daemon. */
static bool is_in_range(struct mt_nts_told *told)
{
    end_text(told->reason, sizeof told->reason);
    if (!told->is_good) {
        return true;
    }
    for (uint8_t i = 0; i < told->count && told->count <= MT_NTS_COOKIES; i++) {
        if (told->cookies[i].length > MT_NTS_COOKIE_MAX) {
            return false;
        }
    }
    return told->count <= MT_NTS_COOKIES && mt_aead_key_size(told->keys.aead) > 0 &&
           (told->server.network == MT_NETWORK_UDP_IPV4 ||
            told->server.network == MT_NETWORK_UDP_IPV6);
}

static bool check(struct mt_nts_message *message)
{
    switch (message->kind) {
    case MT_NTS_MESSAGE_SAY:
    case MT_NTS_MESSAGE_FAULT:
        end_text(message->value.said.text, sizeof message->value.said.text);
        return true;
    case MT_NTS_MESSAGE_TOLD:
        return is_in_range(&message->value.told);
    case MT_NTS_MESSAGE_ASK:
        end_text(message->value.question.host, sizeof message->value.question.host);
        end_text(message->value.question.ca, sizeof message->value.question.ca);
        return message->value.question.choice.other_count <= MT_NTS_OTHERS;
    case MT_NTS_MESSAGE_HELLO:
    case MT_NTS_MESSAGE_COUNTS:
    case MT_NTS_MESSAGE_RING:
    case MT_NTS_MESSAGE_RULES:
    case MT_NTS_MESSAGE_RELOAD:
        return true;
    }
    return false;
}

enum mt_nts_received mt_nts_receive(int fd, struct mt_nts_message *ret_message)
{
    ssize_t length = recv(fd, ret_message, sizeof *ret_message, 0);
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
        return MT_NTS_ENDED;
    }
    return length == (ssize_t)sizeof *ret_message && check(ret_message) ? MT_NTS_RECEIVED
                                                                        : MT_NTS_NOTHING;
}

void mt_nts_say(int fd, bool is_warning, const char *format, ...)
{
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_SAY,
                                     .value.said = {.is_warning = is_warning}};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message.value.said.text, sizeof message.value.said.text, format, arguments);
    va_end(arguments);
    (void)mt_nts_send(fd, &message);
}

void mt_nts_counts_add(struct mt_nts_counts *self, const struct mt_nts_counts *more)
{
    self->served += more->served;
    self->failed += more->failed;
    self->refused += more->refused;
    self->limited += more->limited;
    self->denied += more->denied;
}
