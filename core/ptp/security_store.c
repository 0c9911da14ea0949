/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Places for messages that wait for their keys.
 *
 * Nothing in a message proves who sent it before its key is disclosed, so a forger can always bring
 * messages that have to be kept.  What he must not do is to push out everybody else.
 *
 * Half of the places are for those whose messages have verified before and for the one that is
 * followed; strangers, and whoever comes under another name, share the other half.  When a half is
 * full, a sender (an identity at an address) that has more than half of it makes room among its own
 * messages; else any message of the half gives way, at random.  So one forger under his own address
 * pushes out only himself, and one who takes on all names and addresses thins out the others by the
 * share that he has of the traffic, but cannot aim: of the messages of a transmitter some stay,
 * and one is enough to learn all keys up to its own.
 *
 * Random numbers are drawn only when a half is full.
 */
#include "ptp/security_private.h"

#define SOURCE_AT   20
#define SOURCE_SIZE 10

/* Those of strangers, or the others. */
struct half {
    struct mt_security_held *first;
    unsigned count;
};

static struct half half_of(const struct mt_security *self, bool is_known)
{
    const unsigned of_strangers = (self->held_max + 1u) / 2;
    return is_known && self->held_max > 1
               ? (struct half){self->held + of_strangers, self->held_max - of_strangers}
               : (struct half){self->held, of_strangers};
}

static bool is_known(const struct mt_instance *self, const struct mt_port_identity *source)
{
    const struct mt_security *security = self->config.more->security;
    for (unsigned i = 0; i < security->sender_count; i++) {
        if (security->senders[i].is_used &&
            mt_port_identity_equal(&security->senders[i].source, source)) {
            return true;
        }
    }
    return mt_is_parent(self, source);
}

static struct mt_security_held *find_empty(const struct half *half)
{
    for (struct mt_security_held *held = half->first; held < half->first + half->count; held++) {
        if (!held->is_used) {
            return held;
        }
    }
    return NULL;
}

static bool is_of(const struct mt_security_held *held, const struct mt_incoming *in)
{
    return memcmp(held->frame + SOURCE_AT, in->frame + SOURCE_AT, SOURCE_SIZE) == 0 &&
           held->has_from == (in->from != NULL) &&
           (in->from == NULL || mt_address_equal(&held->from, in->from));
}

/* The nth message of a sender in a half. */
static struct mt_security_held *nth_of(const struct half *half, const struct mt_incoming *in,
                                       uint32_t n)
{
    struct mt_security_held *held = half->first;
    while (!is_of(held, in) || n-- != 0) {
        held++;
    }
    return held;
}

static struct mt_security_held *who_gives_way(struct mt_instance *self, const struct half *half,
                                              const struct mt_incoming *in)
{
    const uint32_t random = mt_prng_next_u32(&self->random);
    uint32_t own = 0;
    for (unsigned i = 0; i < half->count; i++) {
        own += is_of(&half->first[i], in);
    }
    return own > half->count / 2 ? nth_of(half, in, random % own)
                                 : &half->first[random % half->count];
}

struct mt_security_held *mt_delayed_place(struct mt_instance *self, const struct mt_incoming *in)
{
    const struct mt_security *security = self->config.more->security;
    const bool of_known = is_known(self, &in->message.header.source);
    const struct half own = half_of(security, of_known);
    struct mt_security_held *place = own.count != 0 ? find_empty(&own) : NULL;
    if (place == NULL && of_known) { /* strangers have not taken all of theirs */
        const struct half other = half_of(security, false);
        place = find_empty(&other);
    }
    if (place != NULL || own.count == 0) {
        return place;
    }
    return who_gives_way(self, &own, in);
}
