/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A source whose stratum is ours of orphan mode, or worse, is an orphan, or follows one: it is left
 * aside while there is any other.  Of the orphans themselves the one whose reference id, which is
 * that of its address, is smallest may be followed by all but itself; so of any two that ask each
 * other one gives way, and it is the same one on both sides.
 *
 * Who comes back with the smallest id and the wrong time must not drag the others along: until it
 * has been synchronised once, or has waited long enough, it follows whoever is there.  Then it is
 * as good as that one, and lets go of it.
 *
 * The time of an orphan has no bound against true time, so that nobody needs to wait for it to grow
 * when the orphan goes: who followed it serves its own time at once, until it knows another.
 */
#include "runtime/orphan.h"

#include <string.h>

#include "runtime/node.h"
#include "runtime/ntp_serve.h"

struct id {
    uint8_t octets[4];
};

static bool is_on(const struct mt_node *node, uint16_t clock)
{
    return node->server != NULL && node->server->clock == clock && node->server->config.is_orphan;
}

static uint8_t stratum_of(const struct mt_node *node, const struct mt_arbiter_member *member)
{
    return member->kind == MT_ARBITER_NTP ? node->ntp[member->index].client.server.stratum : 0;
}

static struct id id_of(const struct mt_node *node, const struct mt_arbiter_member *member)
{
    struct id id;
    mt_ntp_name_upstream(node->server->config.crypto, &node->ntp[member->index].server, id.octets);
    return id;
}

static bool is_less(struct id a, struct id b)
{
    return memcmp(a.octets, b.octets, sizeof a.octets) < 0;
}

static bool has_a_say(const struct mt_arbiter_source *source)
{
    return source->is_reachable && source->is_synchronised && !source->is_watched &&
           !source->follows_us;
}

/* It asks us at the address from which we ask it; without one nobody knows who comes first. */
static bool comes_before_us(const struct mt_node *node, const struct mt_arbiter_member *member)
{
    const struct mt_node_ntp *ntp = &node->ntp[member->index];
    struct id own;
    memcpy(own.octets, ntp->own_ids[0], sizeof own.octets);
    return ntp->own_count > 0 && is_less(id_of(node, member), own);
}

static bool may_wait(const struct mt_node *node, uint16_t clock, struct mt_mono now)
{
    const struct mt_node_clock *of = &node->clocks[clock];
    return !of->discipline.has_locked_once && now.ns - of->arbiter.started.ns < MT_ORPHAN_WAIT_NS;
}

/* The orphan that all others follow, of those that are sources; NOBODY: there is none. */
static uint16_t find_parent(const struct mt_node *node, const struct mt_arbiter *arbiter)
{
    uint16_t parent = MT_ARBITER_NOBODY;
    for (uint16_t i = 0; i < arbiter->count; i++) {
        const struct mt_arbiter_member *member = &arbiter->members[i];
        if (has_a_say(&arbiter->sources[i]) &&
            stratum_of(node, member) == node->server->config.local_stratum &&
            (parent == MT_ARBITER_NOBODY ||
             is_less(id_of(node, member), id_of(node, &arbiter->members[parent])))) {
            parent = i;
        }
    }
    return parent;
}

void mt_orphan_mark(struct mt_node *node, uint16_t clock, struct mt_mono now)
{
    struct mt_arbiter *arbiter = &node->clocks[clock].arbiter;
    bool has_time = false;
    if (!is_on(node, clock)) {
        return;
    }
    node->server->waits = may_wait(node, clock, now);
    for (uint16_t i = 0; i < arbiter->count; i++) {
        has_time |= has_a_say(&arbiter->sources[i]) &&
                    stratum_of(node, &arbiter->members[i]) < node->server->config.local_stratum;
    }
    uint16_t parent = has_time ? MT_ARBITER_NOBODY : find_parent(node, arbiter);
    if (parent != MT_ARBITER_NOBODY && !node->server->waits &&
        !comes_before_us(node, &arbiter->members[parent])) {
        parent = MT_ARBITER_NOBODY;
    }
    for (uint16_t i = 0; i < arbiter->count; i++) {
        arbiter->sources[i].is_orphan = i != parent && stratum_of(node, &arbiter->members[i]) >=
                                                           node->server->config.local_stratum;
    }
}

enum mt_orphan_serving mt_orphan_serves(struct mt_node *node, uint16_t clock)
{
    struct mt_node_server *server = node->server;
    const struct mt_node_ntp *followed = mt_ntp_duty_followed(node, clock);
    bool follows = node->clocks[clock].discipline.selected != MT_SOURCE_NONE;
    if (!is_on(node, clock)) {
        return MT_ORPHAN_AS_EVER;
    }
    if (follows) {
        server->has_followed_orphan =
            followed != NULL && followed->client.server.stratum >= server->config.local_stratum;
    }
    if (server->waits) {
        return MT_ORPHAN_WAITS;
    }
    return server->has_followed_orphan && !follows ? MT_ORPHAN_OWN_TIME : MT_ORPHAN_AS_EVER;
}
