/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: the PTP bench with a transparent clock on it, a transmitter and a requester.  Time
 * passes and timestamps come only when a test says so.
 */
#ifndef MEANTIME_TESTS_PTP_TRANSPARENT_BENCH_H
#define MEANTIME_TESTS_PTP_TRANSPARENT_BENCH_H

#include "meantime/ptp_management.h"
#include "meantime/ptp_transparent.h"
#include "ptp_bench.h"

#define Q16           INT64_C(65536)
#define TC_CORRECTION (77 * Q16) /* of everything that comes */
#define TC_ORIGIN_S   3000
#define TC_ORIGIN_NS  123456789
#define TC_LINK_NS    150 /* delay of each link, peer-to-peer */
#define TC_GM         2
#define TC_REQUESTER  3

extern struct ptp_bench tc_bench;
extern struct mt_transparent tc;
extern struct mt_transparent_config tc_config; /**< what tc_start() takes */
extern struct mt_port_identity tc_gm;
extern struct mt_port_identity tc_requester;
extern uint32_t tc_bench_corrections; /**< of the stamps */

#define tc_count(counter) (tc.counters[MT_TRANSPARENT_##counter])

void tc_start(uint16_t ports, uint32_t frames);
void tc_wait(int64_t ns);
struct mt_ptp_message tc_message(enum mt_ptp_type type, uint16_t sequence,
                                 const struct mt_port_identity *source);
enum mt_verdict tc_rx(uint16_t port, const struct mt_ptp_message *message);
enum mt_verdict tc_rx_octets(uint16_t port, const uint8_t *octets, size_t length, bool has_stamp);
enum mt_verdict tc_sync(uint16_t port, uint16_t sequence, uint16_t flags);
enum mt_verdict tc_follow_up(uint16_t port, uint16_t sequence);
enum mt_verdict tc_delay_req(uint16_t port, uint16_t sequence);
enum mt_verdict tc_delay_resp(uint16_t port, uint16_t sequence);
enum mt_verdict tc_pdelay_req(uint16_t port, uint16_t sequence);
enum mt_verdict tc_pdelay_resp(uint16_t port, uint16_t sequence, uint16_t flags);
enum mt_verdict tc_pdelay_resp_follow_up(uint16_t port, uint16_t sequence);
/** The newest frame of the type that left by the port: its token, its timestamp (now), none. */
uint32_t tc_token(uint16_t port, enum mt_ptp_type type);
void tc_stamp(uint16_t port, enum mt_ptp_type type);
void tc_lose(uint16_t port, enum mt_ptp_type type);
/** By how much its correctionField is larger than when it came. */
int64_t tc_added(uint16_t port, enum mt_ptp_type type);

#endif
