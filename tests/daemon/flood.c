/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: flood INTERFACE FRAMES_PER_SECOND SECONDS SEED PARENT
 *
 * Sends rubbish to the PTP groups and ports: random octets; messages of the clock PARENT (16 hex
 * digits) cut short; and messages of a stranger with one bit flipped, among them Delay_Reqs, most
 * of which a transmitter has to answer.  A flipped message of the parent itself could be its own
 * word, which is what authentication is for, and is not sent.  The stranger announces itself with
 * priority1 250, from which no single bit leads to a better one than 100.
 * At the end it prints how many frames the network took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH        32
#define FRAME_SIZE   256
#define STRANGER     UINT64_C(0x00AABBCCFFFE0001)
#define GROUP        0xE0000181u /* 224.0.1.129 */
#define PEER_GROUP   0xE000006Bu /* 224.0.0.107 */
#define EVENT_PORT   319
#define GENERAL_PORT 320
#define NS_PER_S     INT64_C(1000000000)

struct kind {
    uint8_t type;
    uint8_t length;
    uint8_t control;
};

static const struct kind kinds[] = {{0, 44, 0},  {1, 44, 1},  {2, 54, 5},  {3, 54, 5},
                                    {8, 44, 2},  {9, 54, 3},  {10, 54, 5}, {11, 64, 5},
                                    {12, 44, 5}, {13, 48, 4}, {1, 44, 1},  {11, 64, 5}};

static uint64_t state;

static uint32_t draw(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

static void put_identity(uint8_t *at, uint64_t identity)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (uint8_t)(identity >> (56 - 8 * i));
    }
}

static size_t write_message(uint8_t *frame, uint64_t identity)
{
    const struct kind *kind = &kinds[draw() % (sizeof kinds / sizeof *kinds)];
    uint32_t sequence = draw();

    memset(frame, 0, kind->length);
    frame[0] = kind->type;
    frame[1] = 0x12;
    frame[3] = kind->length;
    frame[6] = kind->type == 0 ? 2 : 0;
    put_identity(frame + 20, identity);
    frame[29] = 1;
    frame[30] = (uint8_t)(sequence >> 8);
    frame[31] = (uint8_t)sequence;
    frame[32] = kind->control;
    frame[33] = 0x7F;
    if (kind->type == 11) {
        frame[47] = 250;
        frame[48] = 248;
        frame[49] = 0xFE;
        frame[50] = frame[51] = 0xFF;
        frame[52] = 128;
        put_identity(frame + 53, identity);
        frame[63] = 0xA0;
    }
    return kind->length;
}

static size_t write_rubbish(uint8_t *frame, uint64_t parent)
{
    size_t length;

    switch (draw() % 3) {
    case 0:
        length = draw() % FRAME_SIZE;
        for (size_t i = 0; i < length; i++) {
            frame[i] = (uint8_t)draw();
        }
        return length;
    case 1:
        length = write_message(frame, parent);
        return draw() % length;
    }
    length = write_message(frame, STRANGER);
    frame[draw() % length] ^= (uint8_t)(1u << draw() % 8);
    return length;
}

static int open_socket(const char *interface)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int no = 0;
    int large = 1 << 20;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                             (socklen_t)strlen(interface) + 1) != 0) {
        perror(interface);
        exit(1);
    }
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof no);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    return fd;
}

static uint64_t send_batch(int fd, uint64_t parent, unsigned count)
{
    static uint8_t frames[BATCH][FRAME_SIZE];
    static struct sockaddr_in to[BATCH];
    static struct iovec pieces[BATCH];
    static struct mmsghdr messages[BATCH];
    int sent;

    for (unsigned i = 0; i < count; i++) {
        to[i] = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_port = htons(draw() % 2 ? EVENT_PORT : GENERAL_PORT),
            .sin_addr.s_addr = htonl(draw() % 8 ? GROUP : PEER_GROUP),
        };
        pieces[i] = (struct iovec){frames[i], write_rubbish(frames[i], parent)};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
                                              .msg_namelen = sizeof to[i],
                                              .msg_iov = &pieces[i],
                                              .msg_iovlen = 1};
    }
    sent = sendmmsg(fd, messages, count, 0);
    return sent > 0 ? (uint64_t)sent : 0;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: flood INTERFACE FRAMES_PER_SECOND SECONDS SEED PARENT\n");
        return 2;
    }
    int64_t rate = atoll(argv[2]);
    int64_t total = rate * atoll(argv[3]);
    uint64_t parent = strtoull(argv[5], NULL, 16);
    uint64_t sent = 0;
    int fd = open_socket(argv[1]);
    struct timespec start;

    state = strtoull(argv[4], NULL, 10);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int64_t offered = 0; offered < total; offered += BATCH) {
        int64_t due_ns = start.tv_nsec + offered * NS_PER_S / rate;
        struct timespec due = {start.tv_sec + due_ns / NS_PER_S, due_ns % NS_PER_S};

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        sent += send_batch(fd, parent, BATCH);
    }
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%llu %.3f\n", (unsigned long long)sent,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
