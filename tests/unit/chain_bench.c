/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "chain_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"

static const struct mt_security_key shared[] = {
    {.id = 1, .mac = MT_MAC_AES128_CMAC, .length = 16, .octets = "sixteen octets.."}};

void secured_init(struct secured *self, uint8_t id)
{
    memset(self, 0, sizeof *self);
    self->chain = (struct mt_chain){.mac = MT_MAC_HMAC_SHA256_128,
                                    .length = LENGTH,
                                    .interval_ms = INTERVAL_MS,
                                    .disclosure_delay = DELAY,
                                    .start_s = BENCH_EPOCH_S,
                                    .max_error_ns = INTERVAL_NS / 4};
    self->associations[0] =
        (struct mt_security_association){.spp = SHARED_SPP, .keys = shared, .key_count = 1};
    self->associations[1] = (struct mt_security_association){
        .spp = CHAIN_SPP, .sequence_window = 20, .chain = &self->chain};
    self->security = (struct mt_security){.crypto = &mt_crypto_nettle,
                                          .associations = self->associations,
                                          .association_count = 2,
                                          .senders = self->senders,
                                          .sender_count = 2,
                                          .held = self->held,
                                          .held_max = HELD};
    self->more.security = &self->security;
    self->port_more.security = (struct mt_port_security){
        .spp = MT_SECURITY_OFF, .key_id = 1, .is_delayed = true, .delayed_spp = CHAIN_SPP};
    bench_init(&self->bench, 1);
    self->bench.config.identity = bench_identity(id);
    self->bench.config.more = &self->more;
    self->bench.port_configs[0].more = &self->port_more;
}

void secured_tell(struct secured *self, int64_t ahead_ns)
{
    struct mt_stamp stamp = bench_stamp(&self->bench);
    struct mt_span ahead = mt_span_from_ns(ahead_ns);
    mt_security_tell_time(&self->security, mt_instant_plus(stamp.at, ahead), self->bench.now);
}

void secured_share(struct secured *signer, struct secured *verifier)
{
    signer->chain.has_seed = true;
    signer->chain.has_anchor = false;
    memset(signer->chain.seed, 0xA5, sizeof signer->chain.seed);
    signer->chain.checkpoints = signer->checkpoints;
    signer->chain.checkpoint_count = CHECKPOINTS;
    assert_true(mt_chain_init(&signer->chain, &mt_crypto_nettle));
    verifier->chain.has_anchor = true;
    memcpy(verifier->chain.anchor, signer->chain.anchor, sizeof verifier->chain.anchor);
    assert_true(mt_chain_init(&verifier->chain, &mt_crypto_nettle));
}
