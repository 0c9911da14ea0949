/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The servers of SPTP and CSPTP: one worker as the daemon has it, with timestamps of the kernel in
 * and out, and load.c's clients.  An exchange counts when its last datagram has arrived.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "load.h"
#include "platform/linux/linux_workers.h"

static void fail(const char *what)
{
    fprintf(stderr, "bench unicast: %s\n", what);
    exit(1);
}

/* ---- requests -------------------------------------------------------------------------------- */

size_t bench_make_request(bool is_sptp, uint8_t *frame)
{
    static const uint8_t sptp_tlv[] = {0x20, 0x07, 0, 2, 0, 0};
    static const uint8_t csptp_tlvs[8 + 80] = {0xFF, 0x00, 0, 4, 1, 0, 0, 0, 0x80, 0x08, 0, 76};
    const struct mt_ptp_message request = {
        .header = {.type = is_sptp ? MT_PTP_DELAY_REQ : MT_PTP_SYNC,
                   .sdo_id = is_sptp ? 0 : MT_CSPTP_SDO_ID,
                   .minor_version = 1,
                   .flags = is_sptp ? MT_PTP_UNICAST | MT_PTP_PROFILE_SPECIFIC_1 : MT_PTP_UNICAST,
                   .source = {{{1, 2, 3, 4, 5, 6, 7, 8}}, 1},
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .tlvs = is_sptp ? sptp_tlv : csptp_tlvs,
        .tlvs_length = is_sptp ? sizeof sptp_tlv : sizeof csptp_tlvs,
    };
    return mt_ptp_write(&request, frame, BENCH_FRAME_SIZE);
}

/* ---- workers --------------------------------------------------------------------------------- */

static void publish(struct mt_workers *workers)
{
    const struct mt_served served = {
        .is_serving = true, .minor_version = 1, .flags = MT_PTP_TIMESCALE, .utc_offset = 37};
    struct timespec at;
    clock_gettime(CLOCK_BOOTTIME, &at);
    int64_t now_ns = at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
    const struct mt_clock_page page = {
        .base = MT_BASE_BOOTTIME,
        .base_at_anchor_ns = now_ns,
        .anchor_s = 1700000000,
        .valid_until_base_ns = now_ns + 3600 * INT64_C(1000000000),
    };
    mt_workers_publish(workers, &served, &page);
}

double bench_stateless(bool is_sptp, bool is_one_step, double seconds)
{
    char reason[MT_HAL_REASON_SIZE];
    uint8_t frame[BENCH_FRAME_SIZE];
    const struct mt_workers_options options = {
        .count = 1,
        .address = {.network = MT_NETWORK_UDP_IPV4, .octets = {127, 0, 0, 1}},
        .server = {.serves_sptp = true,
                   .serves_csptp = true,
                   .csptp_one_step = is_one_step,
                   .layout = &mt_csptp_layouts[0]},
    };
    struct load load = {.request = frame,
                        .length = bench_make_request(is_sptp, frame),
                        .answers_at = is_one_step ? 319 : 320,
                        .seconds = seconds};
    bench_pin(BENCH_SERVER); /* threads inherit it */
    struct mt_workers *workers = mt_workers_start(&options, reason);
    bench_pin(BENCH_CLIENTS);
    if (workers == NULL) {
        fail(reason);
    }
    publish(workers);
    if (load_run(&load) != 0) {
        fail("no sockets for the load");
    }
    double cpu_s = (double)mt_workers_cpu_ns(workers) / 1e9;
    mt_workers_stop(workers);
    return (double)load.answered / cpu_s;
}
