/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "link_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "netspace.h"

const struct mt_linux_options bench_no_files;

struct bench_node bench_open_as(const struct mt_link_request *request)
{
    struct bench_node node;
    char reason[MT_HAL_REASON_SIZE] = "";

    node.platform = mt_linux_open(&bench_no_files, reason);
    assert_non_null(node.platform);
    node.provider = mt_linux_provider(node.platform);
    node.link = node.provider->ops->open_link(node.provider, 0, request, reason);
    if (!node.link) {
        print_message("%s\n", reason);
    }
    assert_non_null(node.link);
    return node;
}

struct bench_node bench_open(const char *interface)
{
    return bench_open_as(&(struct mt_link_request){.interface = interface, .ttl = 1});
}

int64_t bench_mono_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

bool bench_next(struct bench_node *node, enum mt_input_kind kind, int timeout_ms,
                struct mt_input *ret_input)
{
    struct mt_hal_wait *wait = node->provider->wait;
    int64_t end_ns = bench_mono_ns() + timeout_ms * INT64_C(1000000);

    while (bench_mono_ns() < end_ns) {
        wait->ops->next(wait, (struct mt_mono){end_ns}, ret_input);
        if (ret_input->kind == kind) {
            return true;
        }
    }
    return false;
}

bool bench_wait_state(struct bench_node *node, bool is_up)
{
    struct mt_input input;

    while (bench_next(node, MT_INPUT_LINK, 3000, &input)) {
        if (input.is_up == is_up) {
            return true;
        }
    }
    return false;
}

void bench_make_message(uint8_t octets[BENCH_MESSAGE_SIZE], uint8_t type, uint16_t sequence)
{
    memset(octets, 0, BENCH_MESSAGE_SIZE);
    octets[0] = type;
    octets[1] = 2;
    octets[3] = BENCH_MESSAGE_SIZE;
    memset(octets + 20, 0x5A, 8);
    octets[29] = 1;
    octets[30] = (uint8_t)(sequence >> 8);
    octets[31] = (uint8_t)sequence;
}

bool bench_send_sync(struct bench_node *node, uint16_t sequence, uint32_t token)
{
    uint8_t octets[BENCH_MESSAGE_SIZE];
    struct mt_link_frame frame = {.bytes = octets,
                                  .length = BENCH_MESSAGE_SIZE,
                                  .destination = MT_LINK_PRIMARY,
                                  .is_event = true,
                                  .token = token};

    bench_make_message(octets, 0, sequence);
    return node->link->ops->send(node->link, &frame);
}

bool bench_send_general(struct bench_node *node, enum mt_link_destination destination)
{
    uint8_t octets[BENCH_MESSAGE_SIZE];
    struct mt_link_frame frame = {.bytes = octets,
                                  .length = BENCH_MESSAGE_SIZE,
                                  .destination = destination,
                                  .is_event = false,
                                  .token = 0};

    bench_make_message(octets, 8, 1);
    return node->link->ops->send(node->link, &frame);
}

bool bench_send_to(struct bench_node *node, const struct mt_address *to, uint16_t sequence,
                   uint32_t token)
{
    uint8_t octets[BENCH_MESSAGE_SIZE];
    struct mt_link_frame frame = {.bytes = octets,
                                  .length = BENCH_MESSAGE_SIZE,
                                  .destination = MT_LINK_ADDRESS,
                                  .is_event = true,
                                  .token = token,
                                  .to = *to};

    bench_make_message(octets, 0, sequence);
    return node->link->ops->send(node->link, &frame);
}

static void exchange(struct bench_node *from, struct bench_node *to, uint16_t sequence,
                     struct mt_input *ret_tx, struct mt_input *ret_rx)
{
    assert_true(bench_send_sync(from, sequence, 1000u + sequence));
    assert_true(bench_next(from, MT_INPUT_TX_STAMP, 2000, ret_tx));
    assert_true(ret_tx->has_stamp);
    assert_int_equal(ret_tx->token, 1000u + sequence);
    assert_true(bench_next(to, MT_INPUT_FRAME, 2000, ret_rx));
    assert_true(ret_rx->length >= BENCH_MESSAGE_SIZE); /* padding may follow */
    assert_int_equal(ret_rx->bytes[31], sequence & 0xFF);
}

/* The kernel begins to stamp what is received some milliseconds after the first socket on the
 * machine asks for it. */
void bench_exchange(struct bench_node *from, struct bench_node *to, uint16_t sequence)
{
    struct mt_input tx;
    struct mt_input rx;

    exchange(from, to, sequence, &tx, &rx);
    for (int i = 0; i < 100 && !rx.has_stamp; i++) {
        usleep(10000);
        exchange(from, to, sequence, &tx, &rx);
    }
    assert_true(rx.has_stamp);
    assert_true(rx.stamp.ns >= tx.stamp.ns);
    assert_true(rx.stamp.ns - tx.stamp.ns < 100000000);
}

int bench_set_up(void **state)
{
    (void)state;
    netspace_delete_pair();
    return netspace_make_pair() ? 0 : -1;
}

int bench_tear_down(void **state)
{
    (void)state;
    netspace_delete_pair();
    return 0;
}
