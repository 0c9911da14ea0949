/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See secured.h.  All sources that sign share one chain, as those of a domain do; the instance has
 * its anchor only.  Storage is begun anew with each world.
 */
#include "secured.h"

#include <string.h>

#include "chain_signer.h"
#include "crypto/crypto.h"
#include "meantime/ptp_more.h"

#define SPP         5
#define INTERVALS   400
#define CHECKPOINTS 20
#define HELD        32
#define SENDERS     4

static struct side {
    struct mt_security security;
    struct mt_security_association association;
    struct mt_chain chain;
    struct mt_security_sender senders[SENDERS];
    struct mt_security_held held[HELD];
    uint8_t checkpoints[CHECKPOINTS][MT_CHAIN_KEY_SIZE];
} signer, verifier;

static const struct mt_port_security policy = {
    .spp = MT_SECURITY_OFF, .is_delayed = true, .delayed_spp = SPP};

static void begin(struct side *self, uint32_t interval_ms)
{
    memset(self, 0, sizeof *self);
    self->chain = (struct mt_chain){.mac = MT_MAC_HMAC_SHA256_128,
                                    .length = INTERVALS,
                                    .interval_ms = interval_ms,
                                    .disclosure_delay = 2,
                                    .start_s = WORLD_EPOCH,
                                    .max_error_ns = interval_ms * INT64_C(1000000) / 4};
    self->association =
        (struct mt_security_association){.spp = SPP, .sequence_window = 20, .chain = &self->chain};
    self->security = (struct mt_security){.crypto = &mt_crypto_nettle,
                                          .associations = &self->association,
                                          .association_count = 1,
                                          .senders = self->senders,
                                          .sender_count = SENDERS,
                                          .held = self->held,
                                          .held_max = HELD};
}

static bool share(void)
{
    signer.chain.has_seed = true;
    memset(signer.chain.seed, 0xA5, sizeof signer.chain.seed);
    signer.chain.checkpoints = signer.checkpoints;
    signer.chain.checkpoint_count = CHECKPOINTS;
    if (!mt_chain_init(&signer.chain, &mt_crypto_nettle)) {
        return false;
    }
    verifier.chain.has_anchor = true;
    memcpy(verifier.chain.anchor, signer.chain.anchor, sizeof verifier.chain.anchor);
    return mt_chain_init(&verifier.chain, &mt_crypto_nettle);
}

struct mt_security *secured_config(struct world *world, const struct words *line)
{
    int64_t interval_ns = 0;
    words_store_ns(line, "delayed", &interval_ns);
    begin(&signer, (uint32_t)(interval_ns / 1000000));
    begin(&verifier, (uint32_t)(interval_ns / 1000000));
    if (!share()) {
        words_die(line, "no chain of keys can be made of that");
    }
    for (unsigned i = 0; i < WORLD_PORTS; i++) {
        world->more[i].security = policy;
    }
    return &verifier.security;
}

static bool is_secured(const struct world *world)
{
    return world->more_instance != NULL && world->more_instance->security == &verifier.security;
}

void secured_tell(struct world *world, struct mt_instant reading)
{
    if (is_secured(world)) {
        mt_security_tell_time(&verifier.security, reading, (struct mt_mono){world->now_ns});
    }
}

void secured_release(struct world *world)
{
    while (is_secured(world) &&
           mt_security_next(&world->instance, (struct mt_mono){world->now_ns})) {
    }
}

void secured_sign(struct world *world, enum mt_ptp_type type, int64_t clock_ns, struct frame *frame)
{
    const struct mt_mono now = {world->now_ns};
    if (!is_secured(world)) {
        world_die(world, "a source signs, but no CONFIG line says delayed=");
    }
    mt_security_tell_time(
        &signer.security,
        (struct mt_instant){.s = clock_ns / MT_NS_PER_S, .ns = (uint32_t)(clock_ns % MT_NS_PER_S)},
        now);
    frame->length = chain_sign(&signer.security, &policy, type, now, frame->octets, frame->length,
                               sizeof frame->octets);
}
