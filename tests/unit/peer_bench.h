/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a bench (ptp_bench.h) whose port 1 has a peer, and the station at the far end of
 * its link, which answers when a test wants it to.
 */
#ifndef MEANTIME_TESTS_PEER_BENCH_H
#define MEANTIME_TESTS_PEER_BENCH_H

#include "meantime/ptp_peer.h"
#include "ptp_bench.h"

#define NEIGHBOUR 1
#define STRANGER  2
#define DELAY_NS  300
#define TURN_NS   1000000

extern struct ptp_bench bench;
extern struct bench_peer peer; /**< the transmitter, which is the neighbour, too */
extern struct mt_peer far_end;
extern struct mt_peer_config link_config;
extern struct mt_port_more more;
extern int64_t neighbour_ahead_ns; /**< of the clock that answers; 5000 s */

/** Everything but the start: edit link_config and bench.port_configs. */
void set_up(enum mt_delay_mechanism mechanism);
void start(void);
/* set-ups of tests, started */
int p2p(void **state);
int gptp(void **state);
int automatic(void **state);

struct mt_ptp_timestamp timestamp(int64_t ns);
int64_t local_ns(void);
/** Lets time pass until there is one. */
const struct bench_frame *next_request(void);
/** An answer to `request` by the clock `id`. */
struct mt_ptp_message message_of(enum mt_ptp_type type, uint8_t id,
                                 const struct bench_frame *request);
/** Answers as a two-step responder behind `delay_ns`; corrections in 2^-16 ns.  The verdict on the
 * Pdelay_Resp. */
enum mt_verdict answer(uint8_t id, const struct bench_frame *request, int64_t delay_ns,
                       int64_t response_q16, int64_t follow_up_q16);
/** The neighbour answers the next requests. */
void exchange(unsigned count, int64_t delay_ns);
enum mt_verdict request_from(uint8_t id, uint16_t sequence, int64_t correction_q16);

struct mt_peer_report report(void);
/** The mean link delay; fails the test if it is not known. */
int64_t delay_ns(void);
uint64_t count_of(enum mt_peer_counter counter);

#endif
