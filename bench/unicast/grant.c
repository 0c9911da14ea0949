/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Syncs to a hundred thousand clients of one grantor: the core finds who is due and writes the
 * frames, they leave 64 a call, their timestamps come back from the error queue 64 a call, and the
 * Follow_Ups leave the same way.  Time is virtual and passes as fast as the processor allows, so
 * that what is measured is the processor time of one Sync.  All clients have one address of
 * loopback, where a socket throws away what comes; the core knows each by an address of its own.
 */
#include "bench.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_more.h"

#define CLIENTS    100000u
#define BUCKETS    131072u
#define SLOTS      4096u
#define TOKENS     4096u
#define DURATION_S 1000000u
#define STEP_NS    (INT64_C(1) << 20) /* the grantor's time slot */
#define CONTROL    256

struct grant_bench {
    struct mt_instance instance;
    struct mt_port port;
    struct mt_port_more more;
    struct mt_grantor grantor;
    struct mt_mono now;
    int socket;
    int sink;
    struct sockaddr_in to;
    struct bench_batch batch;
    unsigned in_batch;
    unsigned batch_size;       /* datagrams a call */
    uint32_t tokens[1u << 16]; /* by the number of the datagram, as the kernel counts */
    uint32_t datagrams;
    bool is_stamped;
};

/* ---- the core -------------------------------------------------------------------------------- */

static struct mt_stamp stamp_at(int64_t ns)
{
    return (struct mt_stamp){mt_instant_from_ns(ns, MT_SCALE_TAI), 0};
}

static void ask(struct grant_bench *self, uint32_t client)
{
    uint8_t tlv[16];
    uint8_t frame[128];
    const uint8_t a = (uint8_t)(client >> 16);
    const uint8_t b = (uint8_t)(client >> 8);
    const uint8_t c = (uint8_t)client;
    const struct mt_tlv_unicast value = {.message = MT_PTP_SYNC, .duration_s = DURATION_S};
    const struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, a, b, c}};
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING,
                   .flags = MT_PTP_UNICAST,
                   .source = {{{2, 0, 0, 0xFF, 0xFE, a, b, c}}, 1}},
        .tlvs = tlv,
        .tlvs_length =
            mt_tlv_write_unicast(MT_TLV_REQUEST_UNICAST_TRANSMISSION, &value, tlv, sizeof tlv),
    };
    struct mt_tx tx;
    memset(&message.body.target, 0xFF, sizeof message.body.target);
    size_t length = mt_ptp_write(&message, frame, sizeof frame);
    mt_instance_rx(&self->instance, 1, frame, length, NULL, &from, self->now);
    while (mt_instance_next_tx(&self->instance, frame, sizeof frame, &tx)) {
        const struct mt_stamp stamp = stamp_at(self->now.ns);
        if (tx.is_event) {
            mt_instance_tx_done(&self->instance, tx.token, &stamp, self->now);
        }
    }
}

static void start(struct grant_bench *self)
{
    const struct mt_grantor_storage storage = {
        .clients = calloc(CLIENTS, sizeof *storage.clients),
        .client_count = CLIENTS,
        .buckets = calloc(BUCKETS, sizeof *storage.buckets),
        .bucket_count = BUCKETS,
        .slots = calloc(SLOTS, sizeof *storage.slots),
        .slot_count = SLOTS,
        .tokens = calloc(TOKENS, sizeof *storage.tokens),
        .token_count = TOKENS,
    };
    struct mt_instance_config config;
    struct mt_port_config port_config;
    struct mt_grantor_policy policy;
    mt_instance_config_init(&config);
    mt_port_config_init(&port_config);
    mt_grantor_policy_init(&policy);
    policy.is_multicast_off = true;
    policy.max_duration_s = DURATION_S;
    mt_grantor_init(&self->grantor, &policy, &storage, 1);
    self->more.grantor = &self->grantor;
    port_config.more = &self->more;
    config.features = &mt_ptp_all_features;
    config.identity.octet[7] = 1;
    self->now.ns = 1;
    mt_instance_init(&self->instance, &config, &self->port, &port_config, 1, 1, self->now);
    const struct mt_command link = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = true};
    mt_instance_command(&self->instance, &link, self->now);
    self->now.ns = INT64_C(20000000000);
    mt_instance_tick(&self->instance, self->now);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        self->now.ns += MT_NS_PER_S / CLIENTS;
        ask(self, i);
    }
    if (self->grantor.books[MT_SERVICE_SYNC].active != CLIENTS) {
        fprintf(stderr, "bench unicast: only %u clients\n", self->grantor.client_count);
        exit(1);
    }
}

/* ---- the network ----------------------------------------------------------------------------- */

static void ask_for_stamps(int number)
{
    const int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                      SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    if (setsockopt(number, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) != 0) {
        perror("bench unicast: timestamps");
        exit(1);
    }
}

static void take_stamp(struct grant_bench *self, struct msghdr *message)
{
    int64_t at_ns = 0;
    uint32_t number = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPING) {
            struct scm_timestamping stamps;
            memcpy(&stamps, CMSG_DATA(part), sizeof stamps);
            at_ns = (int64_t)stamps.ts[0].tv_sec * MT_NS_PER_S + stamps.ts[0].tv_nsec;
        } else if (part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR) {
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(part), sizeof error);
            number = error.ee_data;
        }
    }
    const struct mt_stamp stamp = stamp_at(at_ns);
    mt_instance_tx_done(&self->instance, self->tokens[number & 0xFFFF], at_ns != 0 ? &stamp : NULL,
                        self->now);
}

static void take_stamps(struct grant_bench *self)
{
    static struct mmsghdr messages[BENCH_BATCH];
    static char control[BENCH_BATCH][CONTROL];
    for (;;) {
        for (unsigned i = 0; i < self->batch_size; i++) {
            messages[i].msg_hdr =
                (struct msghdr){.msg_control = control[i], .msg_controllen = CONTROL};
        }
        int count =
            recvmmsg(self->socket, messages, self->batch_size, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            take_stamp(self, &messages[i].msg_hdr);
        }
        if (count < (int)self->batch_size) {
            return;
        }
    }
}

static void flush(struct grant_bench *self)
{
    unsigned done = 0;
    while (done < self->in_batch) {
        int sent = sendmmsg(self->socket, self->batch.messages + done, self->in_batch - done, 0);
        if (sent <= 0) {
            perror("bench unicast: sendmmsg");
            exit(1);
        }
        done += (unsigned)sent;
    }
    self->in_batch = 0;
}

/* Syncs and Follow_Ups leave in one batch; only the Syncs' timestamps are of use. */
static void drain(struct grant_bench *self)
{
    struct mt_tx tx;
    for (;;) {
        unsigned i = self->in_batch;
        if (!mt_instance_next_tx(&self->instance, self->batch.octets[i], BENCH_FRAME_SIZE, &tx)) {
            break;
        }
        self->batch.pieces[i].iov_len = tx.length;
        self->batch.peers[i] = self->to;
        self->tokens[self->datagrams++ & 0xFFFF] = tx.token;
        self->in_batch++;
        if (tx.is_event && !self->is_stamped) {
            const struct mt_stamp stamp = stamp_at(self->now.ns);
            mt_instance_tx_done(&self->instance, tx.token, &stamp, self->now);
        }
        if (self->in_batch == self->batch_size) {
            flush(self);
        }
    }
    flush(self);
}

static double serve(struct grant_bench *self, double seconds)
{
    uint64_t before = self->grantor.books[MT_SERVICE_SYNC].sent;
    double began_s = bench_cpu_s();
    double end_s = bench_now_s() + seconds;
    while (bench_now_s() < end_s) {
        self->now.ns += STEP_NS;
        mt_instance_tick(&self->instance, self->now);
        drain(self);
        if (self->is_stamped) {
            take_stamps(self);
            drain(self);
        }
    }
    return (double)(self->grantor.books[MT_SERVICE_SYNC].sent - before) / (bench_cpu_s() - began_s);
}

double bench_grant_sync(bool is_stamped, unsigned batch_size, double seconds)
{
    struct grant_bench *self = calloc(1, sizeof *self);
    const int octets = 1; /* the sink is full after a few datagrams, and the rest is thrown away */
    if (self == NULL) {
        exit(1);
    }
    bench_pin(BENCH_SERVER);
    self->is_stamped = is_stamped;
    self->batch_size = batch_size;
    self->sink = bench_socket(0, &self->to);
    setsockopt(self->sink, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    self->socket = bench_socket(0, NULL);
    bench_batch_init(&self->batch);
    start(self);
    if (is_stamped) {
        ask_for_stamps(self->socket);
    }
    double rps = serve(self, seconds);
    if (self->port.counters[MT_COUNT_SENT_FOLLOW_UP] + BENCH_BATCH <
        self->grantor.books[MT_SERVICE_SYNC].sent) {
        fprintf(stderr, "bench unicast: Follow_Ups are missing\n");
        exit(1);
    }
    close(self->socket);
    close(self->sink);
    free(self->grantor.storage.clients);
    free(self->grantor.storage.buckets);
    free(self->grantor.storage.slots);
    free(self->grantor.storage.tokens);
    free(self);
    return rps;
}
