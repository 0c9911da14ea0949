/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The window bounds what waits in the server's queue, so that nothing is dropped there; a request
 * that is lost all the same would narrow it for ever, so when nothing has come for a while the
 * window is taken to be empty.  The clients never sleep: to wake them would cost the server time
 * that on a network is theirs.
 */
#include "load.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH       64
#define WINDOW      512
#define EVENT       319
#define GENERAL     320
#define PATIENCE_NS 20000000

static int open_socket(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int size = 4 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, LOAD_CLIENT, &address.sin_addr);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return fd;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct sender {
    uint8_t frames[BATCH][256];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];
    struct sockaddr_in server;
    uint16_t sequence;
};

static void prepare(struct sender *self, const struct load *load)
{
    memset(self, 0, sizeof *self);
    self->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(EVENT)};
    inet_pton(AF_INET, LOAD_SERVER, &self->server.sin_addr);
    for (int i = 0; i < BATCH; i++) {
        memcpy(self->frames[i], load->request, load->length);
        self->pieces[i] = (struct iovec){self->frames[i], load->length};
        self->messages[i].msg_hdr = (struct msghdr){.msg_name = &self->server,
                                                    .msg_namelen = sizeof self->server,
                                                    .msg_iov = &self->pieces[i],
                                                    .msg_iovlen = 1};
    }
}

static int send_requests(struct sender *self, int fd, int count)
{
    for (int i = 0; i < count; i++) {
        self->sequence++;
        self->frames[i][30] = (uint8_t)(self->sequence >> 8);
        self->frames[i][31] = (uint8_t)self->sequence;
    }
    return sendmmsg(fd, self->messages, (unsigned)count, 0);
}

/* How many have come; those that do not count are thrown away. */
static int receive(int fd)
{
    static uint8_t frames[BATCH][512];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){frames[i], sizeof frames[i]};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
}

int load_run(struct load *self)
{
    struct sender sender;
    int event = open_socket(EVENT);
    int general = open_socket(GENERAL);
    int last = self->answers_at == GENERAL ? general : event;
    int other = self->answers_at == GENERAL ? event : general;
    int under_way = 0;
    if (event < 0 || general < 0) {
        return -1;
    }
    prepare(&sender, self);
    self->answered = 0;
    int64_t heard_ns = now_ns();
    const int64_t end_ns = heard_ns + (int64_t)(self->seconds * 1e9);
    for (int64_t now = heard_ns; now < end_ns; now = now_ns()) {
        while (under_way + BATCH <= WINDOW) {
            int sent = send_requests(&sender, event, BATCH);
            under_way += sent > 0 ? sent : BATCH;
        }
        int received = receive(last);
        if (received > 0) {
            self->answered += (uint64_t)received;
            under_way -= received < under_way ? received : under_way;
            heard_ns = now;
        } else if (now - heard_ns > PATIENCE_NS) {
            under_way = 0;
            heard_ns = now;
        }
        while (receive(other) == BATCH) {
        }
    }
    close(event);
    close(general);
    return 0;
}
