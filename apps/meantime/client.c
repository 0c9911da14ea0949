/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One connection for one question: nothing to keep alive, nothing to resynchronise after an
 * error.  A daemon that does not answer within seconds counts as not running. */
#include "apps/meantime/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX_S   5
#define ANSWER_MAX     (16 << 20)
#define ANSWER_INITIAL (64 << 10)

static void explain_no_connection(const char *path, int error, char *reason)
{
    if (error == EACCES || error == EPERM) {
        snprintf(reason, MT_CLIENT_REASON_SIZE,
                 "%s: permission denied; run as root or as the daemon's user", path);
    } else {
        snprintf(reason, MT_CLIENT_REASON_SIZE,
                 "no daemon answers at %s (%s); start it with `systemctl start meantime`, or say "
                 "where it is with --run-directory or --socket",
                 path, strerror(error));
    }
}

static int open_socket(const char *path, char *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = ANSWER_MAX_S};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(reason, MT_CLIENT_REASON_SIZE, "%s: the path of a socket has at most %zu octets",
                 path, sizeof address.sun_path - 1);
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        return fd;
    }
    explain_no_connection(path, errno, reason);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static bool send_line(int fd, const char *request)
{
    struct iovec parts[] = {{(void *)(size_t)request, strlen(request)}, {(void *)(size_t) "\n", 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    size_t wanted = parts[0].iov_len + 1;
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)wanted;
}

/* Reads up to the newline or the end.  Null if there was nothing, too much, or no memory. */
static char *receive_line(int fd)
{
    size_t capacity = ANSWER_INITIAL;
    size_t length = 0;
    char *line = malloc(capacity);
    while (line != NULL) {
        ssize_t got = recv(fd, line + length, capacity - length - 1, 0);
        if (got <= 0) {
            break;
        }
        char *newline = memchr(line + length, '\n', (size_t)got);
        length += (size_t)got;
        line[length] = '\0';
        if (newline != NULL) {
            return line;
        }
        if (capacity - length < 2) {
            char *grown = capacity < ANSWER_MAX ? realloc(line, capacity *= 2) : NULL;
            if (grown == NULL) {
                break;
            }
            line = grown;
        }
    }
    free(line);
    return NULL;
}

/* The reply if it says ok, else null with what it says instead. */
static cJSON *judge(const char *line, const char *path, char *reason)
{
    cJSON *reply = cJSON_Parse(line);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"))) {
        return reply;
    }
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "error"));
    if (error != NULL) {
        snprintf(reason, MT_CLIENT_REASON_SIZE, "%s", error);
    } else {
        snprintf(reason, MT_CLIENT_REASON_SIZE, "%s: what answers there is no meantimed", path);
    }
    cJSON_Delete(reply);
    return NULL;
}

cJSON *mt_client_ask(const struct mt_tool *tool, const char *request,
                     char ret_reason[MT_CLIENT_REASON_SIZE])
{
    int fd = open_socket(tool->socket, ret_reason);
    if (fd < 0) {
        return NULL;
    }
    char *line = send_line(fd, request) ? receive_line(fd) : NULL;
    cJSON *reply = NULL;
    if (line != NULL) {
        reply = judge(line, tool->socket, ret_reason);
    } else {
        snprintf(ret_reason, MT_CLIENT_REASON_SIZE,
                 "the daemon at %s did not answer within %d s; see its log with "
                 "`journalctl -u meantime`",
                 tool->socket, ANSWER_MAX_S);
    }
    free(line);
    close(fd);
    return reply;
}
