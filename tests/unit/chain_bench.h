/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a bench that signs or verifies with a chain of keys, and with a shared one if a
 * test says so.  The port is number 1; the clock reads what bench_stamp() says until it is told
 * otherwise.
 */
#ifndef MEANTIME_TESTS_CHAIN_BENCH_H
#define MEANTIME_TESTS_CHAIN_BENCH_H

#include "meantime/ptp_more.h"
#include "ptp_bench.h"

#define INTERVAL_MS 500
#define INTERVAL_NS (INTERVAL_MS * INT64_C(1000000))
#define DELAY       2
#define LENGTH      120
#define CHECKPOINTS 7
#define HELD        16
#define CHAIN_SPP   5
#define SHARED_SPP  7

struct secured {
    struct ptp_bench bench;
    struct mt_security security;
    struct mt_security_association associations[2];
    struct mt_security_sender senders[2];
    struct mt_security_held held[HELD];
    struct mt_chain chain;
    uint8_t checkpoints[CHECKPOINTS][MT_CHAIN_KEY_SIZE];
    struct mt_instance_more more;
    struct mt_port_more port_more;
};

/** Not started; its chain lacks its keys. */
void secured_init(struct secured *self, uint8_t id);
/** What the clock reads from now on: `ahead_ns` more than it does on the bench. */
void secured_tell(struct secured *self, int64_t ahead_ns);
/** Gives the signer a seed and the verifier its anchor. */
void secured_share(struct secured *signer, struct secured *verifier);

#endif
