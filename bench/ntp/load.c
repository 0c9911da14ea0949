/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The window bounds what waits in the server's queue, so that nothing is dropped there; a request
 * that is lost all the same would narrow it for ever, so when nothing has come for a while the
 * window is taken to be empty.  The clients never sleep: to wake them would cost the server time
 * that on a network is theirs.
 */
#include "load.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH       64
#define WINDOW      512
#define SIZE        48
#define ROOM        512
#define TRANSMIT    40 /* where the number of a request stands */
#define PATIENCE_NS 20000000
#define LONGEST_NS  1000000000
#define TRY_MS      50

static const uint8_t plain[SIZE] = {0x23, 0, 6, 32};

static int open_socket(uint16_t port)
{
    struct sockaddr_in client = {.sin_family = AF_INET};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
    int size = 4 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, LOAD_CLIENT, &client.sin_addr);
    inet_pton(AF_INET, LOAD_SERVER, &server.sin_addr);
    if (fd < 0 || bind(fd, (struct sockaddr *)&client, sizeof client) != 0 ||
        connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static bool is_good(const struct load *self, const uint8_t *frame, const uint8_t *answer)
{
    bool is_answer = (answer[0] & 0xC7) == 0x04 && answer[1] >= 1 && answer[1] <= 15 &&
                     memcmp(answer + 24, frame + TRANSMIT, 8) == 0;
    return self->is_echo ? memcmp(answer, frame, SIZE) == 0 : is_answer;
}

bool load_try(const struct load *self)
{
    uint8_t frame[ROOM];
    uint8_t answer[ROOM];
    size_t size = self->request != NULL ? self->size : SIZE;
    int fd = open_socket(self->port);
    struct pollfd poll_one = {.fd = fd, .events = POLLIN};
    memcpy(frame, self->request != NULL ? self->request : plain, size);
    if (self->request == NULL) {
        frame[TRANSMIT] = (uint8_t)(now_ns() >> 10);
        frame[TRANSMIT + 7] = 1;
    }
    bool is_answered =
        fd >= 0 && send(fd, frame, size, 0) == (ssize_t)size && poll(&poll_one, 1, TRY_MS) == 1 &&
        recv(fd, answer, sizeof answer, 0) == (ssize_t)size && is_good(self, frame, answer);
    close(fd);
    return is_answered;
}

struct batch {
    uint8_t frames[BATCH][ROOM];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];
};

static void prepare(struct batch *self, const uint8_t *request, size_t size, size_t room)
{
    memset(self, 0, sizeof *self);
    for (int i = 0; i < BATCH; i++) {
        memcpy(self->frames[i], request, size);
        self->pieces[i] = (struct iovec){self->frames[i], room};
        self->messages[i].msg_hdr = (struct msghdr){.msg_iov = &self->pieces[i], .msg_iovlen = 1};
    }
}

static int send_requests(struct batch *self, int fd, bool is_numbered, uint64_t *number)
{
    for (int i = 0; is_numbered && i < BATCH; i++) {
        (*number)++;
        memcpy(self->frames[i] + TRANSMIT, number, sizeof *number);
    }
    return sendmmsg(fd, self->messages, BATCH, 0);
}

int load_run(struct load *self)
{
    static struct batch out;
    static struct batch in;
    uint64_t number = 0;
    int under_way = 0;
    int fd = open_socket(self->port);
    if (fd < 0) {
        return -1;
    }
    bool is_plain = self->request == NULL;
    size_t size = is_plain ? SIZE : self->size;
    prepare(&out, is_plain ? plain : self->request, size, size);
    prepare(&in, plain, SIZE, ROOM);
    self->answered = 0;
    int64_t heard_ns = now_ns();
    const int64_t begin_ns = heard_ns;
    for (int64_t now = heard_ns; now < begin_ns + LONGEST_NS && self->answered < self->wanted;
         now = now_ns()) {
        while (under_way + BATCH <= WINDOW) {
            int sent = send_requests(&out, fd, is_plain, &number);
            under_way += sent > 0 ? sent : BATCH;
        }
        int received = recvmmsg(fd, in.messages, BATCH, MSG_DONTWAIT, NULL);
        if (received > 0) {
            self->answered += (uint64_t)received;
            under_way -= received < under_way ? received : under_way;
            heard_ns = now;
        } else if (now - heard_ns > PATIENCE_NS) {
            under_way = 0;
            heard_ns = now;
        }
    }
    self->seconds = (double)(now_ns() - begin_ns) / 1e9;
    close(fd);
    return 0;
}
